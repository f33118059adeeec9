/* SPDX-License-Identifier: MIT */
#include "store/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { ALLOCATE_CHUNK_BYTES = 1 << 20, PAUSE_NS_MAX = 50 * 1000 * 1000 };

static int failed(struct pl_reason *why, const char *path, const char *doing)
{
    int number = errno;
    int rc = number == EEXIST ? PL_EINUSE : pl_error_from_errno(number);

    return pl_reason_set(why, rc, "%s %s: %s", doing, path, strerror(number));
}

static int system_flags(int flags)
{
    int native = O_CLOEXEC | (flags & PL_DISK_WRITE ? O_RDWR : O_RDONLY);

    if (flags & PL_DISK_CREATE)
        native |= O_CREAT;
    if (flags & PL_DISK_EXCLUSIVE)
        native |= O_EXCL;
    return native;
}

static int system_open(void *state, const char *path, int flags, struct pl_file **file, struct pl_reason *why)
{
    struct pl_file *made = calloc(1, sizeof *made);

    (void)state;
    if (made == NULL || (made->path = strdup(path)) == NULL) {
        free(made);
        return PL_ENOMEM;
    }
    do {
        made->fd = open(path, system_flags(flags), 0600);
    } while (made->fd < 0 && errno == EINTR);
    if (made->fd < 0) {
        int rc = failed(why, path, "opening");

        free(made->path);
        free(made);
        return rc;
    }
    *file = made;
    return 0;
}

static void system_close(void *state, struct pl_file *file)
{
    (void)state;
    close(file->fd);
    free(file->path);
    free(file);
}

static int system_read(void *state, struct pl_file *file, void *to, size_t len, uint64_t offset, size_t *got,
                       struct pl_reason *why)
{
    size_t done = 0;

    (void)state;
    while (done < len) {
        ssize_t n = pread(file->fd, (char *)to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(why, file->path, "reading");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return 0;
}

static int system_write(void *state, struct pl_file *file, const void *from, size_t len, uint64_t offset,
                        struct pl_reason *why)
{
    size_t done = 0;

    (void)state;
    while (done < len) {
        ssize_t n = pwrite(file->fd, (const char *)from + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(why, file->path, "writing");
        done += (size_t)n;
    }
    return 0;
}

static int system_sync(void *state, struct pl_file *file, struct pl_reason *why)
{
    (void)state;
    return fdatasync(file->fd) == 0 ? 0 : failed(why, file->path, "syncing");
}

static int system_truncate(void *state, struct pl_file *file, uint64_t len, struct pl_reason *why)
{
    int rc;

    (void)state;
    do {
        rc = ftruncate(file->fd, (off_t)len);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : failed(why, file->path, "truncating");
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* As long as the chunk took, so that at most half the disk is ours. */
static void rest(int64_t since_ns)
{
    int64_t took_ns = now_ns() - since_ns;
    struct timespec pause = { .tv_nsec = took_ns < PAUSE_NS_MAX ? took_ns : PAUSE_NS_MAX };

    nanosleep(&pause, NULL);
}

static int system_allocate(void *state, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                           struct pl_reason *why)
{
    char *zeros = calloc(1, ALLOCATE_CHUNK_BYTES);
    int rc = zeros == NULL ? PL_ENOMEM : 0;

    while (rc == 0 && from < to) {
        size_t len = to - from < ALLOCATE_CHUNK_BYTES ? (size_t)(to - from) : ALLOCATE_CHUNK_BYTES;
        int64_t began_ns = now_ns();

        rc = system_write(state, file, zeros, len, from, why);
        if (rc == 0)
            rc = system_sync(state, file, why);
        from += len;
        if (rc == 0 && paced && from < to)
            rest(began_ns);
    }
    free(zeros);
    return rc;
}

static int system_size(void *state, struct pl_file *file, uint64_t *bytes, struct pl_reason *why)
{
    struct stat st;

    (void)state;
    if (fstat(file->fd, &st) != 0)
        return failed(why, file->path, "asking the size of");
    *bytes = (uint64_t)st.st_size;
    return 0;
}

static int system_lock(void *state, struct pl_file *file, struct pl_reason *why)
{
    int rc;

    (void)state;
    do {
        rc = flock(file->fd, LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return pl_reason_set(why, PL_ELOCKED, "%s is locked by somebody else", file->path);
    return failed(why, file->path, "locking");
}

static int system_rename(void *state, const char *from, const char *to, struct pl_reason *why)
{
    (void)state;
    return rename(from, to) == 0 ? 0 : failed(why, from, "renaming");
}

static int system_remove(void *state, const char *path, struct pl_reason *why)
{
    (void)state;
    return unlink(path) == 0 ? 0 : failed(why, path, "removing");
}

static int system_make_dir(void *state, const char *path, struct pl_reason *why)
{
    (void)state;
    return mkdir(path, 0700) == 0 ? 0 : failed(why, path, "making the directory");
}

static int system_sync_dir(void *state, const char *path, struct pl_reason *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    (void)state;
    if (fd < 0)
        return failed(why, path, "opening the directory");
    if (fsync(fd) != 0)
        rc = failed(why, path, "syncing the directory");
    close(fd);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct pl_names *names, const char *name)
{
    char **grown, *copy;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    grown = realloc(names->names, (names->count + 1) * sizeof *grown);
    if (grown == NULL)
        return PL_ENOMEM;
    names->names = grown;
    copy = strdup(name);
    if (copy == NULL)
        return PL_ENOMEM;
    names->names[names->count++] = copy;
    return 0;
}

static int read_names(DIR *dir, const char *path, struct pl_names *names, struct pl_reason *why)
{
    for (;;) {
        struct dirent *entry;
        int rc;

        errno = 0;
        entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : failed(why, path, "listing");
        rc = add_name(names, entry->d_name);
        if (rc != 0)
            return rc;
    }
}

static int system_list(void *state, const char *path, struct pl_names *names, struct pl_reason *why)
{
    struct pl_names found = { 0 };
    DIR *dir = opendir(path);
    int rc;

    (void)state;
    if (dir == NULL)
        return failed(why, path, "listing");
    rc = read_names(dir, path, &found, why);
    closedir(dir);
    if (rc != 0) {
        pl_names_deinit(&found);
        return rc;
    }
    if (found.count > 1)
        qsort(found.names, found.count, sizeof found.names[0], by_bytes);
    *names = found;
    return 0;
}

static int system_free_bytes(void *state, const char *path, uint64_t *bytes, struct pl_reason *why)
{
    struct statvfs fs;

    (void)state;
    if (statvfs(path, &fs) != 0)
        return failed(why, path, "asking the free space of");
    *bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

struct pl_disk pl_disk_system(void)
{
    return (struct pl_disk){
        .open = system_open,
        .close = system_close,
        .read = system_read,
        .write = system_write,
        .sync = system_sync,
        .truncate = system_truncate,
        .allocate = system_allocate,
        .size = system_size,
        .lock = system_lock,
        .rename = system_rename,
        .remove = system_remove,
        .make_dir = system_make_dir,
        .sync_dir = system_sync_dir,
        .list = system_list,
        .free_bytes = system_free_bytes,
    };
}

int pl_disk_open(const struct pl_disk *disk, const char *path, int flags, struct pl_file **file,
                 struct pl_reason *why)
{
    return disk->open(disk->state, path, flags, file, why);
}

void pl_disk_close(const struct pl_disk *disk, struct pl_file *file)
{
    if (file != NULL)
        disk->close(disk->state, file);
}

int pl_disk_read(const struct pl_disk *disk, struct pl_file *file, void *to, size_t len, uint64_t offset,
                 size_t *got, struct pl_reason *why)
{
    size_t n = 0;
    int rc = disk->read(disk->state, file, to, len, offset, &n, why);

    if (rc != 0)
        return rc;
    if (got == NULL && n != len)
        return pl_reason_set(why, PL_EIO, "reading %s: it ends at %llu, too early", file->path,
                             (unsigned long long)(offset + n));
    if (got != NULL)
        *got = n;
    return 0;
}

int pl_disk_write(const struct pl_disk *disk, struct pl_file *file, const void *from, size_t len,
                  uint64_t offset, struct pl_reason *why)
{
    return disk->write(disk->state, file, from, len, offset, why);
}

int pl_disk_sync(const struct pl_disk *disk, struct pl_file *file, struct pl_reason *why)
{
    return disk->sync(disk->state, file, why);
}

int pl_disk_truncate(const struct pl_disk *disk, struct pl_file *file, uint64_t len, struct pl_reason *why)
{
    return disk->truncate(disk->state, file, len, why);
}

int pl_disk_allocate(const struct pl_disk *disk, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                     struct pl_reason *why)
{
    return disk->allocate(disk->state, file, from, to, paced, why);
}

int pl_disk_size(const struct pl_disk *disk, struct pl_file *file, uint64_t *bytes, struct pl_reason *why)
{
    return disk->size(disk->state, file, bytes, why);
}

int pl_disk_lock(const struct pl_disk *disk, struct pl_file *file, struct pl_reason *why)
{
    return disk->lock(disk->state, file, why);
}

int pl_disk_rename(const struct pl_disk *disk, const char *from, const char *to, struct pl_reason *why)
{
    return disk->rename(disk->state, from, to, why);
}

int pl_disk_remove(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    return disk->remove(disk->state, path, why);
}

int pl_disk_make_dir(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    return disk->make_dir(disk->state, path, why);
}

int pl_disk_sync_dir(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    return disk->sync_dir(disk->state, path, why);
}

int pl_disk_list(const struct pl_disk *disk, const char *path, struct pl_names *names, struct pl_reason *why)
{
    return disk->list(disk->state, path, names, why);
}

int pl_disk_free_bytes(const struct pl_disk *disk, const char *path, uint64_t *bytes, struct pl_reason *why)
{
    return disk->free_bytes(disk->state, path, bytes, why);
}

void pl_names_deinit(struct pl_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct pl_names){ 0 };
}

char *pl_disk_join(const char *dir, const char *name)
{
    size_t len = strlen(dir) + strlen(name) + 2;
    char *path = malloc(len);

    if (path != NULL)
        snprintf(path, len, "%s/%s", dir, name);
    return path;
}
