/* SPDX-License-Identifier: MIT */
#include "fault_disk.h"

/* True when this call is to fail. */
static bool strikes(struct fault_disk *fault, unsigned call)
{
    if ((fault->calls & call) == 0)
        return false;
    fault->count++;
    if (fault->fail_at == 0 || fault->count < fault->fail_at ||
        (fault->count > fault->fail_at && !fault->for_good))
        return false;
    fault->failures++;
    return true;
}

static int fail(struct fault_disk *fault, const char *path, struct pl_reason *why)
{
    return pl_reason_set(why, fault->rc, "%s: made to fail (%s)", path, pl_error_name(fault->rc));
}

static int fault_open(void *state, const char *path, int flags, struct pl_file **file, struct pl_reason *why)
{
    struct fault_disk *fault = state;
    int rc = strikes(fault, FAULT_OPEN) ? fail(fault, path, why)
                                        : pl_disk_open(&fault->below, path, flags, file, why);

    if (rc == 0)
        fault->open_files++;
    return rc;
}

static void fault_close(void *state, struct pl_file *file)
{
    struct fault_disk *fault = state;

    fault->open_files--;
    pl_disk_close(&fault->below, file);
}

static int fault_read(void *state, struct pl_file *file, void *to, size_t len, uint64_t offset, size_t *got,
                      struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_READ) ? fail(fault, file->path, why)
                                      : pl_disk_read(&fault->below, file, to, len, offset, got, why);
}

static int fault_write(void *state, struct pl_file *file, const void *from, size_t len, uint64_t offset,
                       struct pl_reason *why)
{
    struct fault_disk *fault = state;

    if (!strikes(fault, FAULT_WRITE))
        return pl_disk_write(&fault->below, file, from, len, offset, why);
    if (fault->half)
        (void)pl_disk_write(&fault->below, file, from, len / 2, offset, why);
    return fail(fault, file->path, why);
}

static int fault_sync(void *state, struct pl_file *file, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_SYNC) ? fail(fault, file->path, why) : pl_disk_sync(&fault->below, file, why);
}

static int fault_truncate(void *state, struct pl_file *file, uint64_t len, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_TRUNCATE) ? fail(fault, file->path, why)
                                          : pl_disk_truncate(&fault->below, file, len, why);
}

static int fault_allocate(void *state, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                          struct pl_reason *why)
{
    struct fault_disk *fault = state;

    if (!strikes(fault, FAULT_ALLOCATE))
        return pl_disk_allocate(&fault->below, file, from, to, paced, why);
    if (fault->half)
        (void)pl_disk_allocate(&fault->below, file, from, from + (to - from) / 2, false, why);
    return fail(fault, file->path, why);
}

static int fault_size(void *state, struct pl_file *file, uint64_t *bytes, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_SIZE) ? fail(fault, file->path, why)
                                      : pl_disk_size(&fault->below, file, bytes, why);
}

static int fault_lock(void *state, struct pl_file *file, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_LOCK) ? fail(fault, file->path, why) : pl_disk_lock(&fault->below, file, why);
}

static int fault_rename(void *state, const char *from, const char *to, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_RENAME) ? fail(fault, from, why)
                                        : pl_disk_rename(&fault->below, from, to, why);
}

static int fault_remove(void *state, const char *path, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_REMOVE) ? fail(fault, path, why) : pl_disk_remove(&fault->below, path, why);
}

static int fault_make_dir(void *state, const char *path, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_MAKE_DIR) ? fail(fault, path, why)
                                          : pl_disk_make_dir(&fault->below, path, why);
}

static int fault_sync_dir(void *state, const char *path, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_SYNC_DIR) ? fail(fault, path, why)
                                          : pl_disk_sync_dir(&fault->below, path, why);
}

static int fault_list(void *state, const char *path, struct pl_names *names, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    return strikes(fault, FAULT_LIST) ? fail(fault, path, why)
                                      : pl_disk_list(&fault->below, path, names, why);
}

static int fault_free_bytes(void *state, const char *path, uint64_t *bytes, struct pl_reason *why)
{
    struct fault_disk *fault = state;

    if (strikes(fault, FAULT_FREE_BYTES))
        return fail(fault, path, why);
    if (fault->free_bytes == 0)
        return pl_disk_free_bytes(&fault->below, path, bytes, why);
    *bytes = fault->free_bytes;
    return 0;
}

void fault_disk_init(struct fault_disk *fault, struct pl_disk below)
{
    *fault = (struct fault_disk){
        .disk = {
            .open = fault_open,
            .close = fault_close,
            .read = fault_read,
            .write = fault_write,
            .sync = fault_sync,
            .truncate = fault_truncate,
            .allocate = fault_allocate,
            .size = fault_size,
            .lock = fault_lock,
            .rename = fault_rename,
            .remove = fault_remove,
            .make_dir = fault_make_dir,
            .sync_dir = fault_sync_dir,
            .list = fault_list,
            .free_bytes = fault_free_bytes,
            .state = fault,
        },
        .below = below,
    };
}

void fault_disk_fail(struct fault_disk *fault, unsigned calls, uint64_t n, bool for_good, int rc)
{
    fault->calls = calls;
    fault->count = 0;
    fault->failures = 0;
    fault->fail_at = n;
    fault->for_good = for_good;
    fault->rc = rc;
}

void fault_disk_heal(struct fault_disk *fault)
{
    fault->fail_at = 0;
}
