/* SPDX-License-Identifier: MIT */
#include "store/disk.h"

#include "scratch_dir.h"
#include "test.h"

static struct pl_disk disk;
static struct scratch_dir dir;

static char *at(const char *name)
{
    char *path = pl_disk_join(dir.path, name);

    if (path == NULL)
        abort();
    return path;
}

static void what_is_written_is_read_back(void)
{
    char *path = at("a");
    struct pl_file *file;
    char bytes[8] = { 0 };
    uint64_t size;
    size_t got;

    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE, &file, NULL) == 0);
    CHECK(pl_disk_write(&disk, file, "abc", 3, 5, NULL) == 0);
    CHECK(pl_disk_sync(&disk, file, NULL) == 0);
    CHECK(pl_disk_size(&disk, file, &size, NULL) == 0 && size == 8);
    CHECK(pl_disk_read(&disk, file, bytes, 8, 0, &got, NULL) == 0 && got == 8);
    CHECK(memcmp(bytes, "\0\0\0\0\0abc", 8) == 0);
    CHECK(pl_disk_truncate(&disk, file, 6, NULL) == 0);
    CHECK(pl_disk_size(&disk, file, &size, NULL) == 0 && size == 6);
    pl_disk_close(&disk, file);
    free(path);
}

static void reading_past_the_end_is_short_or_an_error(void)
{
    char *path = at("short");
    struct pl_reason why = { 0 };
    struct pl_file *file;
    char bytes[8];
    size_t got = 7;

    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE, &file, NULL) == 0);
    CHECK(pl_disk_write(&disk, file, "abc", 3, 0, NULL) == 0);
    CHECK(pl_disk_read(&disk, file, bytes, 8, 1, &got, NULL) == 0 && got == 2);
    CHECK(pl_disk_read(&disk, file, bytes, 8, 1, NULL, &why) == PL_EIO);
    CHECK(strstr(why.text, path) != NULL);
    pl_disk_close(&disk, file);
    free(path);
}

static void a_failure_names_the_path(void)
{
    char *path = at("missing");
    struct pl_reason why = { 0 };
    struct pl_file *file = NULL;

    CHECK(pl_disk_open(&disk, path, PL_DISK_READ, &file, &why) == PL_ENOTFOUND && file == NULL);
    CHECK(strstr(why.text, path) != NULL);
    CHECK(pl_disk_remove(&disk, path, &why) == PL_ENOTFOUND);
    CHECK(pl_disk_rename(&disk, path, path, &why) == PL_ENOTFOUND);
    CHECK(pl_disk_sync_dir(&disk, path, &why) == PL_ENOTFOUND);
    free(path);
}

static void exclusive_creation_finds_what_is_there(void)
{
    char *path = at("once");
    struct pl_file *file;

    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE | PL_DISK_EXCLUSIVE, &file, NULL) == 0);
    pl_disk_close(&disk, file);
    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE | PL_DISK_EXCLUSIVE, &file, NULL) ==
          PL_EINUSE);
    CHECK(pl_disk_make_dir(&disk, path, NULL) == PL_EINUSE);
    free(path);
}

static void allocation_writes_zeros_over_what_was_there(void)
{
    char *path = at("zeros");
    struct pl_file *file;
    uint64_t size;
    char bytes[4];

    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE, &file, NULL) == 0);
    CHECK(pl_disk_write(&disk, file, "abcdefgh", 8, 0, NULL) == 0);
    CHECK(pl_disk_allocate(&disk, file, 4, 2500000, true, NULL) == 0);
    CHECK(pl_disk_size(&disk, file, &size, NULL) == 0 && size == 2500000);
    CHECK(pl_disk_read(&disk, file, bytes, 4, 2, NULL, NULL) == 0 && memcmp(bytes, "cd\0\0", 4) == 0);
    pl_disk_close(&disk, file);
    free(path);
}

static void a_lock_holds_against_this_process_too(void)
{
    char *path = at("lock");
    struct pl_reason why = { 0 };
    struct pl_file *first, *second;

    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE | PL_DISK_CREATE, &first, NULL) == 0);
    CHECK(pl_disk_open(&disk, path, PL_DISK_WRITE, &second, NULL) == 0);
    CHECK(pl_disk_lock(&disk, first, NULL) == 0);
    CHECK(pl_disk_lock(&disk, second, &why) == PL_ELOCKED && strstr(why.text, path) != NULL);
    pl_disk_close(&disk, first);
    CHECK(pl_disk_lock(&disk, second, NULL) == 0);
    pl_disk_close(&disk, second);
    free(path);
}

static void a_directory_lists_its_names_in_order(void)
{
    char *path = at("sub"), *inner = pl_disk_join(path, "b"), *other = pl_disk_join(path, "a");
    struct pl_names names = { 0 };
    struct pl_file *file;
    uint64_t left;

    CHECK(pl_disk_make_dir(&disk, path, NULL) == 0);
    CHECK(pl_disk_list(&disk, path, &names, NULL) == 0 && names.count == 0);
    pl_names_deinit(&names);
    CHECK(pl_disk_open(&disk, inner, PL_DISK_WRITE | PL_DISK_CREATE, &file, NULL) == 0);
    pl_disk_close(&disk, file);
    CHECK(pl_disk_open(&disk, other, PL_DISK_WRITE | PL_DISK_CREATE, &file, NULL) == 0);
    pl_disk_close(&disk, file);
    CHECK(pl_disk_sync_dir(&disk, path, NULL) == 0);
    CHECK(pl_disk_list(&disk, path, &names, NULL) == 0 && names.count == 2);
    CHECK(strcmp(names.names[0], "a") == 0 && strcmp(names.names[1], "b") == 0);
    pl_names_deinit(&names);
    CHECK(pl_disk_rename(&disk, inner, other, NULL) == 0);
    CHECK(pl_disk_remove(&disk, other, NULL) == 0);
    CHECK(pl_disk_list(&disk, path, &names, NULL) == 0 && names.count == 0);
    pl_names_deinit(&names);
    CHECK(pl_disk_free_bytes(&disk, path, &left, NULL) == 0 && left > 0);
    free(path);
    free(inner);
    free(other);
}

static void a_full_device_is_full_and_no_mere_failure(void)
{
    struct pl_reason why = { 0 };
    struct pl_file *file;

    if (access("/dev/full", W_OK) != 0)
        return;
    CHECK(pl_disk_open(&disk, "/dev/full", PL_DISK_WRITE, &file, NULL) == 0);
    CHECK(pl_disk_write(&disk, file, "abc", 3, 0, &why) == PL_EFULL);
    CHECK(strstr(why.text, "/dev/full") != NULL);
    CHECK(pl_disk_allocate(&disk, file, 0, 4096, false, NULL) == PL_EFULL);
    pl_disk_close(&disk, file);
}

int main(void)
{
    disk = pl_disk_system();
    dir = scratch_dir_make();
    RUN(what_is_written_is_read_back);
    RUN(reading_past_the_end_is_short_or_an_error);
    RUN(a_failure_names_the_path);
    RUN(exclusive_creation_finds_what_is_there);
    RUN(allocation_writes_zeros_over_what_was_there);
    RUN(a_lock_holds_against_this_process_too);
    RUN(a_directory_lists_its_names_in_order);
    RUN(a_full_device_is_full_and_no_mere_failure);
    scratch_dir_remove(&dir);
    return test_summary();
}
