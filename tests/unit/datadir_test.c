/* SPDX-License-Identifier: MIT */
#include "store/datadir.h"

#include <sys/wait.h>

#include "fault_disk.h"
#include "scratch_tree.h"
#include "test.h"

static struct pl_disk disk;
static struct pl_reason why;

static int open_dir(const struct pl_disk *on, const char *path, struct pl_datadir_options options,
                    struct pl_datadir **dir)
{
    options.random = pl_random_system();
    why.text[0] = '\0';
    return pl_datadir_open(on, path, &options, dir, &why);
}

static int open_and_close(const char *path, struct pl_datadir_options options)
{
    struct pl_datadir *dir;
    int rc = open_dir(&disk, path, options, &dir);

    if (rc == 0)
        pl_datadir_close(dir);
    return rc;
}

static void a_new_directory_keeps_its_facts(void)
{
    const char *path = scratch_fresh("new");
    struct pl_datadir_facts first;
    struct pl_datadir *dir;

    CHECK(open_dir(&disk, path, (struct pl_datadir_options){ .shard_count = 4, .partition_count = 256 },
                   &dir) == 0);
    first = *pl_datadir_facts(dir);
    CHECK(first.format == PL_DATADIR_FORMAT && first.shard_count == 4 && first.partition_count == 256);
    CHECK(strcmp(pl_datadir_path(dir), path) == 0);
    CHECK(access(pl_datadir_journal_path(dir, 3), F_OK) == 0);
    CHECK(strstr(pl_datadir_store_path(dir, 3), "/data/3.mdb") != NULL);
    CHECK(pl_datadir_sync(dir, &why) == 0);
    pl_datadir_close(dir);

    CHECK(open_dir(&disk, path, (struct pl_datadir_options){ .shard_count = 2, .partition_count = 64 },
                   &dir) == 0);
    CHECK(memcmp(pl_datadir_facts(dir), &first, sizeof first) ==
          0); /* what is there counts, not what is asked */
    pl_datadir_close(dir);
}

static void two_directories_have_two_ids(void)
{
    struct pl_datadir *a, *b;

    CHECK(open_dir(&disk, scratch_fresh("a"), (struct pl_datadir_options){ 0 }, &a) == 0);
    CHECK(open_dir(&disk, scratch_fresh("b"), (struct pl_datadir_options){ 0 }, &b) == 0);
    CHECK(memcmp(pl_datadir_facts(a)->id, pl_datadir_facts(b)->id, PL_DATADIR_ID_BYTES) != 0);
    pl_datadir_close(a);
    pl_datadir_close(b);
}

static void impossible_counts_are_refused(void)
{
    const char *path = scratch_fresh("counts");

    CHECK(open_and_close(path, (struct pl_datadir_options){ .partition_count = 63 }) == PL_ECONFIG);
    CHECK(open_and_close(path, (struct pl_datadir_options){ .partition_count = 8192 }) == PL_ECONFIG);
    CHECK(open_and_close(path, (struct pl_datadir_options){ .shard_count = 65 }) == PL_ECONFIG);
    CHECK(open_and_close(path, (struct pl_datadir_options){ .shard_count = 8, .partition_count = 4 }) ==
          PL_ECONFIG);
    CHECK(strstr(why.text, "8 shards") != NULL);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0); /* and left nothing behind */
}

static void a_second_opening_is_told_who_has_it(void)
{
    const char *path = scratch_fresh("locked");
    struct pl_datadir *dir, *second;
    char holder[32];
    int status;
    pid_t child;

    CHECK(open_dir(&disk, path, (struct pl_datadir_options){ 0 }, &dir) == 0);
    CHECK(open_dir(&disk, path, (struct pl_datadir_options){ 0 }, &second) == PL_ELOCKED);
    CHECK(strstr(why.text, "this process") != NULL);
    child = fork();
    if (child == 0) {
        snprintf(holder, sizeof holder, "process %d", (int)getppid());
        status = open_dir(&disk, path, (struct pl_datadir_options){ 0 }, &second);
        _exit(status == PL_ELOCKED && strstr(why.text, holder) != NULL ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
    pl_datadir_close(dir);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
}

static void a_killed_holder_holds_nothing(void)
{
    const char *path = scratch_fresh("killed");
    struct pl_datadir *dir;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(open_dir(&disk, path, (struct pl_datadir_options){ 0 }, &dir) == 0 ? 0 : 1); /* never closed */
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
}

static void a_directory_that_must_exist_is_not_made(void)
{
    const char *path = scratch_fresh("absent");

    CHECK(open_and_close(path, (struct pl_datadir_options){ .must_exist = true }) == PL_ENOTFOUND);
    CHECK(access(path, F_OK) != 0);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(open_and_close(path, (struct pl_datadir_options){ .must_exist = true }) == PL_ENOTFOUND);
    CHECK(strstr(why.text, path) != NULL);
}

static void a_directory_of_something_else_is_left_alone(void)
{
    const char *path = scratch_fresh("photos");

    CHECK(mkdir(path, 0700) == 0);
    scratch_write(scratch_path(path, "holiday.jpg"), "x", 1);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == PL_EFORMAT);
    CHECK(strstr(why.text, "holiday.jpg") != NULL);
    CHECK(access(scratch_path(path, "lock"), F_OK) != 0);
}

static void a_path_that_is_a_file_is_refused(void)
{
    const char *path = scratch_fresh("file");

    scratch_write(path, "x", 1);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) != 0);
    CHECK(why.text[0] != '\0');
}

static void data_without_a_format_is_refused(void)
{
    const char *path = scratch_fresh("formatless");

    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    CHECK(remove(scratch_path(path, "format")) == 0);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == PL_ECORRUPT);
    CHECK(strstr(why.text, "missing") != NULL);
}

static void a_newer_format_is_refused_with_an_explanation(void)
{
    const char *path = scratch_fresh("newer");
    const char text[] = "perilune data directory\nformat 3\nsomething never seen before\n";

    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    scratch_write(scratch_path(path, "format"), text, sizeof text - 1);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == PL_EFORMAT);
    CHECK(strstr(why.text, "newer version") != NULL && strstr(why.text, "format 3") != NULL);
}

static void a_format_from_before_the_first_release_is_refused(void)
{
    const char *path = scratch_fresh("older");
    const char text[] = "perilune data directory\nformat 1\nshards 1\npartitions 64\n";

    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    scratch_write(scratch_path(path, "format"), text, sizeof text - 1);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == PL_EFORMAT);
    CHECK(strstr(why.text, "before the first release") != NULL && strstr(why.text, "format 1") != NULL);
}

/* A flip may turn the format number itself into a newer one, and then says so. */
static void every_damage_to_the_format_is_noticed(void)
{
    char path[PATH_MAX], format[PATH_MAX];
    unsigned char *bytes;
    size_t len;

    snprintf(path, sizeof path, "%s", scratch_fresh("damaged"));
    snprintf(format, sizeof format, "%s", scratch_path(path, "format"));
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    bytes = scratch_read(format, &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        int rc;

        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        scratch_write(format, bytes, len);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        rc = open_and_close(path, (struct pl_datadir_options){ 0 });
        CHECK_MSG(rc == PL_ECORRUPT || rc == PL_EFORMAT, "bit %zu: %s", bit, pl_error_name(rc));
    }
    for (size_t cut = 0; cut < len; cut++) {
        scratch_write(format, bytes, cut);
        CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == PL_ECORRUPT);
    }
    scratch_write(format, bytes, len);
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    free(bytes);
}

static void a_failing_disk_fails_the_opening_and_leaves_what_can_be_opened(void)
{
    struct fault_disk fault;
    struct pl_datadir *dir;
    int rc = PL_EIO;

    fault_disk_init(&fault, pl_disk_system());
    for (uint64_t n = 1; rc != 0; n++) {
        const char *path = scratch_fresh("failing");

        CHECK(n < 200);
        fault_disk_fail(&fault, FAULT_ANY, n, true, PL_EIO);
        rc = open_dir(&fault.disk, path, (struct pl_datadir_options){ 0 }, &dir);
        if (rc == 0)
            pl_datadir_close(dir);
        CHECK(fault.open_files == 0);
        CHECK_MSG(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0, "after call %d: %s", (int)n,
                  why.text);
    }
}

static void a_full_disk_does_not_keep_a_directory_from_being_opened(void)
{
    char path[PATH_MAX];
    struct fault_disk fault;
    struct pl_datadir *dir;

    snprintf(path, sizeof path, "%s", scratch_fresh("full"));
    CHECK(open_and_close(path, (struct pl_datadir_options){ 0 }) == 0);
    fault_disk_init(&fault, pl_disk_system());
    fault_disk_fail(&fault, FAULT_WRITE, 1, true, PL_EFULL);
    CHECK(open_dir(&fault.disk, path, (struct pl_datadir_options){ 0 }, &dir) == 0);
    pl_datadir_close(dir);
}

int main(void)
{
    disk = pl_disk_system();
    RUN(a_new_directory_keeps_its_facts);
    RUN(two_directories_have_two_ids);
    RUN(impossible_counts_are_refused);
    RUN(a_second_opening_is_told_who_has_it);
    RUN(a_killed_holder_holds_nothing);
    RUN(a_directory_that_must_exist_is_not_made);
    RUN(a_directory_of_something_else_is_left_alone);
    RUN(a_path_that_is_a_file_is_refused);
    RUN(data_without_a_format_is_refused);
    RUN(a_newer_format_is_refused_with_an_explanation);
    RUN(a_format_from_before_the_first_release_is_refused);
    RUN(every_damage_to_the_format_is_noticed);
    RUN(a_failing_disk_fails_the_opening_and_leaves_what_can_be_opened);
    RUN(a_full_disk_does_not_keep_a_directory_from_being_opened);
    return test_summary();
}
