/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program, it writes down what the program does to files under PL_RECORD_DIR, into the file
 * PL_RECORD_TRACE, in the order in which it took effect: one lock is held over each call and its line in the
 * trace. Only a sync runs without it, so that others may write meanwhile; it promises what was
 * there when it began. Nothing is written down of a call that failed.
 *
 * Not seen: stdio (glibc calls itself, not us), stores through mmap, io_uring. The store uses none for data.
 */
#include "recorder.h"
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { FDS_MAX = 65536 };

/* The prototypes of the functions we stand in for: fortified headers declare some as inline. */
EXPORTED int __open_2(const char *path, int flags);
EXPORTED int __open64_2(const char *path, int flags);

struct calls {
    int (*openat)(int, const char *, int, ...);
    int (*close)(int);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*ftruncate)(int, off_t);
    int (*fallocate)(int, int, off_t, off_t);
    int (*renameat)(int, const char *, int, const char *);
    int (*unlinkat)(int, const char *, int);
    int (*mkdirat)(int, const char *, mode_t);
};

static struct calls real;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int trace_fd = -1;
static uint64_t event_count;
static unsigned char watched[FDS_MAX]; /* 1: under root, 2: and every write is durable */

static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (symbol == NULL)
        abort();
    return symbol;
}

static void find_calls(void)
{
    real.openat = find("openat");
    real.close = find("close");
    real.write = find("write");
    real.pwrite = find("pwrite");
    real.writev = find("writev");
    real.pwritev = find("pwritev");
    real.fsync = find("fsync");
    real.fdatasync = find("fdatasync");
    real.ftruncate = find("ftruncate");
    real.fallocate = find("fallocate");
    real.renameat = find("renameat");
    real.unlinkat = find("unlinkat");
    real.mkdirat = find("mkdirat");
}

static void start(void)
{
    const char *dir = getenv("PL_RECORD_DIR"), *trace = getenv("PL_RECORD_TRACE");

    find_calls();
    if (dir == NULL || trace == NULL || strlen(dir) >= sizeof root)
        return;
    strcpy(root, dir);
    root_len = strlen(root);
    while (root_len > 1 && root[root_len - 1] == '/')
        root[--root_len] = '\0';
    trace_fd = real.openat(AT_FDCWD, trace, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

static void ready(void)
{
    pthread_once(&once, start);
}

/* ---- The trace ---- */

/* A trace that misses an event proves nothing: rather no program than such a trace. */
static void put(const void *data, size_t len)
{
    const char *from = data;

    while (len > 0) {
        ssize_t n = real.write(trace_fd, from, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort();
        from += n;
        len -= (size_t)n;
    }
}

static void record(struct trace_head head, const char *path, const void *data)
{
    int saved = errno;

    put(&head, sizeof head);
    put(path, head.path_len);
    if (data != NULL)
        put(data, head.data_len);
    event_count++;
    errno = saved;
}

static void record_vector(struct trace_head head, const struct iovec *parts, int count, size_t written)
{
    int saved = errno;

    head.data_len = written;
    put(&head, sizeof head);
    for (int i = 0; i < count && written > 0; i++) {
        size_t len = parts[i].iov_len < written ? parts[i].iov_len : written;

        put(parts[i].iov_base, len);
        written -= len;
    }
    event_count++;
    errno = saved;
}

EXPORTED void pl_record_note(const void *data, size_t len)
{
    ready();
    if (trace_fd < 0)
        return;
    pthread_mutex_lock(&lock);
    record((struct trace_head){ .kind = TRACE_NOTE, .data_len = len }, "", data);
    pthread_mutex_unlock(&lock);
}

/* ---- Paths and descriptors ---- */

/* False when it cannot be told, or lies elsewhere. */
static bool under_root(int dir_fd, const char *path, char absolute[PATH_MAX])
{
    char link[64], base[PATH_MAX] = "";
    ssize_t len;
    int n;

    if (trace_fd < 0)
        return false;
    if (path[0] == '/') {
        n = snprintf(absolute, PATH_MAX, "%s", path);
    } else {
        if (dir_fd == AT_FDCWD)
            strcpy(link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
        len = readlink(link, base, sizeof base - 1);
        if (len < 0)
            return false;
        base[len] = '\0';
        n = snprintf(absolute, PATH_MAX, "%s/%s", base, path);
    }
    return n > 0 && n < PATH_MAX && strncmp(absolute, root, root_len) == 0 &&
           (absolute[root_len] == '/' || absolute[root_len] == '\0');
}

static bool watching(int fd)
{
    return fd >= 0 && fd < FDS_MAX && watched[fd] != 0;
}

static uint32_t durable_flag(int fd)
{
    return watched[fd] == 2 ? TRACE_DURABLE : 0;
}

static int opened(int dir_fd, const char *path, int flags, mode_t mode)
{
    char absolute[PATH_MAX];
    struct trace_head head = { .kind = TRACE_OPEN };
    struct stat st;
    int fd;

    ready();
    if (!under_root(dir_fd, path, absolute))
        return real.openat(dir_fd, path, flags, mode);
    pthread_mutex_lock(&lock);
    if ((flags & O_CREAT) != 0 && fstatat(dir_fd, path, &st, 0) != 0)
        head.flags |= TRACE_CREATED;
    fd = real.openat(dir_fd, path, flags, mode);
    if (fd >= FDS_MAX)
        abort();
    if (fd >= 0) {
        if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
            head.flags |= TRACE_DIRECTORY;
        if ((flags & O_TRUNC) != 0)
            head.flags |= TRACE_EMPTIED;
        watched[fd] = (flags & (O_SYNC | O_DSYNC)) != 0 ? 2 : 1;
        head.fd = fd;
        head.path_len = (uint32_t)strlen(absolute);
        record(head, absolute, NULL);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
}

#define OPEN_FUNCTION(name)                                                                                  \
    EXPORTED int name(const char *path, int flags, ...)                                                      \
    {                                                                                                        \
        va_list args;                                                                                        \
        mode_t mode;                                                                                         \
                                                                                                             \
        va_start(args, flags);                                                                               \
        mode = mode_of(flags, args);                                                                         \
        va_end(args);                                                                                        \
        return opened(AT_FDCWD, path, flags, mode);                                                          \
    }

#define OPENAT_FUNCTION(name)                                                                                \
    EXPORTED int name(int dir_fd, const char *path, int flags, ...)                                          \
    {                                                                                                        \
        va_list args;                                                                                        \
        mode_t mode;                                                                                         \
                                                                                                             \
        va_start(args, flags);                                                                               \
        mode = mode_of(flags, args);                                                                         \
        va_end(args);                                                                                        \
        return opened(dir_fd, path, flags, mode);                                                            \
    }

OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)
OPENAT_FUNCTION(openat)
OPENAT_FUNCTION(openat64)

EXPORTED int __open_2(const char *path, int flags)
{
    return opened(AT_FDCWD, path, flags, 0);
}

EXPORTED int __open64_2(const char *path, int flags)
{
    return opened(AT_FDCWD, path, flags, 0);
}

EXPORTED int creat(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

EXPORTED int creat64(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

EXPORTED int close(int fd)
{
    int rc;

    ready();
    if (!watching(fd))
        return real.close(fd);
    pthread_mutex_lock(&lock);
    record((struct trace_head){ .kind = TRACE_CLOSE, .fd = fd }, "", NULL);
    watched[fd] = 0;
    rc = real.close(fd);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- Writing ---- */

static ssize_t written(int fd, const struct iovec *parts, int count, off_t offset, bool at_cursor)
{
    struct trace_head head = { .kind = TRACE_WRITE, .fd = fd };
    ssize_t n;

    pthread_mutex_lock(&lock);
    if (at_cursor && (fcntl(fd, F_GETFL) & O_APPEND) != 0)
        offset = lseek(fd, 0, SEEK_END);
    else if (at_cursor)
        offset = lseek(fd, 0, SEEK_CUR);
    n = at_cursor ? real.writev(fd, parts, count) : real.pwritev(fd, parts, count, offset);
    if (n > 0) {
        head.offset = (uint64_t)offset;
        head.flags = durable_flag(fd);
        record_vector(head, parts, count, (size_t)n);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

EXPORTED ssize_t write(int fd, const void *data, size_t len)
{
    struct iovec part = { .iov_base = (void *)data, .iov_len = len };

    ready();
    return watching(fd) ? written(fd, &part, 1, 0, true) : real.write(fd, data, len);
}

EXPORTED ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ready();
    return watching(fd) ? written(fd, parts, count, 0, true) : real.writev(fd, parts, count);
}

EXPORTED ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    struct iovec part = { .iov_base = (void *)data, .iov_len = len };

    ready();
    return watching(fd) ? written(fd, &part, 1, offset, false) : real.pwrite(fd, data, len, offset);
}

EXPORTED ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
    return pwrite(fd, data, len, offset);
}

EXPORTED ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    ready();
    return watching(fd) ? written(fd, parts, count, offset, false) : real.pwritev(fd, parts, count, offset);
}

EXPORTED ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

static int sized(int fd, uint32_t kind, off_t len, int rc)
{
    if (rc == 0)
        record((struct trace_head){ .kind = kind, .fd = fd, .offset = (uint64_t)len }, "", NULL);
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORTED int ftruncate(int fd, off_t len)
{
    ready();
    if (!watching(fd))
        return real.ftruncate(fd, len);
    pthread_mutex_lock(&lock);
    return sized(fd, TRACE_TRUNCATE, len, real.ftruncate(fd, len));
}

EXPORTED int ftruncate64(int fd, off64_t len)
{
    return ftruncate(fd, len);
}

/* Space that a file keeps without showing it has no event: it changes nothing that can be read. */
EXPORTED int fallocate(int fd, int mode, off_t offset, off_t len)
{
    ready();
    if (!watching(fd) || (mode & FALLOC_FL_KEEP_SIZE) != 0)
        return real.fallocate(fd, mode, offset, len);
    if (mode != 0)
        abort(); /* punching holes and the like: nobody here does */
    pthread_mutex_lock(&lock);
    return sized(fd, TRACE_EXTEND, offset + len, real.fallocate(fd, mode, offset, len));
}

EXPORTED int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
    return fallocate(fd, mode, offset, len);
}

EXPORTED int posix_fallocate(int fd, off_t offset, off_t len)
{
    return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

EXPORTED int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
    return posix_fallocate(fd, offset, len);
}

/* ---- Syncing ---- */

static int synced(int fd, int (*call)(int))
{
    uint64_t since;
    int rc;

    pthread_mutex_lock(&lock);
    since = event_count;
    pthread_mutex_unlock(&lock);
    rc = call(fd);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&lock);
    record((struct trace_head){ .kind = TRACE_SYNC, .fd = fd, .since = since }, "", NULL);
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORTED int fsync(int fd)
{
    ready();
    return watching(fd) ? synced(fd, real.fsync) : real.fsync(fd);
}

EXPORTED int fdatasync(int fd)
{
    ready();
    return watching(fd) ? synced(fd, real.fdatasync) : real.fdatasync(fd);
}

/* ---- Names ---- */

static void record_path(uint32_t kind, uint32_t flags, const char *path)
{
    record((struct trace_head){ .kind = kind, .flags = flags, .path_len = (uint32_t)strlen(path) }, path,
           NULL);
}

EXPORTED int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    char both[2 * PATH_MAX], absolute[PATH_MAX];
    size_t from_len;
    int rc;

    ready();
    if (!under_root(from_fd, from, both) || !under_root(to_fd, to, absolute))
        return real.renameat(from_fd, from, to_fd, to);
    from_len = strlen(both);
    strcpy(both + from_len + 1, absolute);
    pthread_mutex_lock(&lock);
    rc = real.renameat(from_fd, from, to_fd, to);
    if (rc == 0)
        record((struct trace_head){ .kind = TRACE_RENAME,
                                    .path_len = (uint32_t)(from_len + 1 + strlen(absolute)) },
               both, NULL);
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORTED int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

EXPORTED int unlinkat(int dir_fd, const char *path, int flags)
{
    char absolute[PATH_MAX];
    int rc;

    ready();
    if (!under_root(dir_fd, path, absolute))
        return real.unlinkat(dir_fd, path, flags);
    pthread_mutex_lock(&lock);
    rc = real.unlinkat(dir_fd, path, flags);
    if (rc == 0)
        record_path(TRACE_UNLINK, flags & AT_REMOVEDIR ? TRACE_DIRECTORY : 0, absolute);
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORTED int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

EXPORTED int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

EXPORTED int mkdirat(int dir_fd, const char *path, mode_t mode)
{
    char absolute[PATH_MAX];
    int rc;

    ready();
    if (!under_root(dir_fd, path, absolute))
        return real.mkdirat(dir_fd, path, mode);
    pthread_mutex_lock(&lock);
    rc = real.mkdirat(dir_fd, path, mode);
    if (rc == 0)
        record_path(TRACE_MAKE_DIR, TRACE_DIRECTORY, absolute);
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
