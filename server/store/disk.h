/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_DISK_H
#define PL_STORE_DISK_H

#include "base/error.h"

/**
 * The disk, as a table of functions: the journal, the data directory and the
 * checkpoint's bookkeeping reach files only through it, so that a test can fail
 * any call and a simulator can lose what was never synced.
 *
 * Every call waits for the disk, so it runs on a worker or before the server has
 * started, never on a loop. Failures are PL_EIO, PL_EFULL, PL_ENOTFOUND,
 * PL_ENOMEM, and what single calls name; `why` (may be NULL) then names the path.
 * A call may be made from any thread, but one file belongs to one thread at a time.
 */

/** An open file. Fields are for the disk that made it; others read `path` for their sentences. */
struct pl_file {
    char *path;
    int fd;
};

/** Names in a directory, without "." and "..", in byte order. Zeroed memory is an empty list. */
struct pl_names {
    char **names;
    size_t count;
};

enum pl_disk_open_flags {
    PL_DISK_READ = 0,      /* reading is always allowed */
    PL_DISK_WRITE = 1,     /* and writing */
    PL_DISK_CREATE = 2,    /* make it (mode 0600) when it is not there */
    PL_DISK_EXCLUSIVE = 4, /* with CREATE: PL_EINUSE when it is there already */
};

struct pl_disk {
    int (*open)(void *state, const char *path, int flags, struct pl_file **file, struct pl_reason *why);
    void (*close)(void *state, struct pl_file *file);
    int (*read)(void *state, struct pl_file *file, void *to, size_t len, uint64_t offset, size_t *got,
                struct pl_reason *why);
    int (*write)(void *state, struct pl_file *file, const void *from, size_t len, uint64_t offset,
                 struct pl_reason *why);
    int (*sync)(void *state, struct pl_file *file, struct pl_reason *why);
    int (*truncate)(void *state, struct pl_file *file, uint64_t len, struct pl_reason *why);
    int (*allocate)(void *state, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                    struct pl_reason *why);
    int (*size)(void *state, struct pl_file *file, uint64_t *bytes, struct pl_reason *why);
    int (*lock)(void *state, struct pl_file *file, struct pl_reason *why);
    int (*rename)(void *state, const char *from, const char *to, struct pl_reason *why);
    int (*remove)(void *state, const char *path, struct pl_reason *why);
    int (*make_dir)(void *state, const char *path, struct pl_reason *why);
    int (*sync_dir)(void *state, const char *path, struct pl_reason *why);
    int (*list)(void *state, const char *path, struct pl_names *names, struct pl_reason *why);
    int (*free_bytes)(void *state, const char *path, uint64_t *bytes, struct pl_reason *why);
    void *state;
};

/** The machine's own disk. */
struct pl_disk pl_disk_system(void);

/** `flags` are pl_disk_open_flags. The file is yours until pl_disk_close(). */
int pl_disk_open(const struct pl_disk *disk, const char *path, int flags, struct pl_file **file,
                 struct pl_reason *why);

/** NULL is allowed and does nothing. Says nothing about durability: sync first. */
void pl_disk_close(const struct pl_disk *disk, struct pl_file *file);

/**
 * Up to `len` bytes; fewer only when the file ends, and then `*got` (may be NULL: fewer is PL_EIO) says how
 * many.
 */
int pl_disk_read(const struct pl_disk *disk, struct pl_file *file, void *to, size_t len, uint64_t offset,
                 size_t *got, struct pl_reason *why);

/** All of it or an error; after an error any part may have been written. */
int pl_disk_write(const struct pl_disk *disk, struct pl_file *file, const void *from, size_t len,
                  uint64_t offset, struct pl_reason *why);

/**
 * Contents and length become durable (not the name: pl_disk_sync_dir()). After a failure nobody knows what
 * the disk has, and a second call may lie: never try again.
 */
int pl_disk_sync(const struct pl_disk *disk, struct pl_file *file, struct pl_reason *why);

int pl_disk_truncate(const struct pl_disk *disk, struct pl_file *file, uint64_t len, struct pl_reason *why);

/**
 * Fill [from, to) with zeros that are really written, and durable on return, so
 * that a later sync of data there has no metadata to write. In chunks; `paced`
 * rests between them as long as each took, so that others' syncs are not held up.
 */
int pl_disk_allocate(const struct pl_disk *disk, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                     struct pl_reason *why);

int pl_disk_size(const struct pl_disk *disk, struct pl_file *file, uint64_t *bytes, struct pl_reason *why);

/**
 * Take the file for this process until it is closed; PL_ELOCKED when somebody has it, in this process or
 * another.
 */
int pl_disk_lock(const struct pl_disk *disk, struct pl_file *file, struct pl_reason *why);

/** Replaces `to`. Durable only after pl_disk_sync_dir(). */
int pl_disk_rename(const struct pl_disk *disk, const char *from, const char *to, struct pl_reason *why);

int pl_disk_remove(const struct pl_disk *disk, const char *path, struct pl_reason *why);

/** Mode 0700. PL_EINUSE when something of that name is there already. */
int pl_disk_make_dir(const struct pl_disk *disk, const char *path, struct pl_reason *why);

/** The names in the directory become durable. A failure is as final as pl_disk_sync()'s. */
int pl_disk_sync_dir(const struct pl_disk *disk, const char *path, struct pl_reason *why);

/** `names` is yours: pl_names_deinit(). Untouched on failure. */
int pl_disk_list(const struct pl_disk *disk, const char *path, struct pl_names *names, struct pl_reason *why);

/** What is left for us on the file system that holds `path`. */
int pl_disk_free_bytes(const struct pl_disk *disk, const char *path, uint64_t *bytes, struct pl_reason *why);

void pl_names_deinit(struct pl_names *names);

/** `dir/name` in memory that is yours to free(), or NULL. */
char *pl_disk_join(const char *dir, const char *name);

#endif
