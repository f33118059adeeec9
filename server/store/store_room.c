/* SPDX-License-Identifier: MIT */
#include "store/store_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* How full a store is, who holds it back, and how it reaches the disk early. */

#define RESERVE_DEFAULT (UINT64_C(256) << 20)
#define FREE_LIST_DBI   0

/* Pages that deletes gave back and no reader sees any more, or soon will not. */
static uint64_t free_list_bytes(struct pl_store *store)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    MDB_val k, v;
    uint64_t pages = 0;

    if (mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) != 0)
        return 0;
    if (mdb_cursor_open(txn, FREE_LIST_DBI, &cursor) == 0) {
        while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0)
            if (v.mv_size >= sizeof(size_t))
                pages += pl_get_le64(v.mv_data);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return pages * store->page_bytes;
}

static uint64_t reserve_bytes(const struct pl_store *store, const struct statvfs *disk)
{
    uint64_t share = (uint64_t)disk->f_blocks * disk->f_frsize / 16;

    if (store->disk_reserve_bytes != 0)
        return store->disk_reserve_bytes;
    return share < RESERVE_DEFAULT ? share : RESERVE_DEFAULT;
}

int pl_store_room(struct pl_store *store, struct pl_store_room *out)
{
    struct pl_store_room room = { .map_bytes_max = store->map_bytes_max };
    struct statvfs disk;
    struct stat file;
    mdb_filehandle_t fd;
    uint64_t most = store->map_bytes_max / 10 * 9;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &file) != 0 || fstatvfs(fd, &disk) != 0)
        return PL_EIO;
    pl_store_enter(store);
    room.used_bytes = pl_store_used_bytes(store);
    if (room.used_bytes >= most) {
        uint64_t free_bytes = free_list_bytes(store);

        room.used_bytes -= free_bytes < room.used_bytes ? free_bytes : room.used_bytes;
    }
    pl_store_leave(store);
    room.file_bytes = (uint64_t)file.st_size;
    room.disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    room.low = room.used_bytes >= most || room.disk_free_bytes < reserve_bytes(store, &disk);
    *out = room;
    return 0;
}

#define WRITE_BACK_BYTES (UINT64_C(8) << 20)
#define WRITE_BACK_PARTS 256

int pl_store_write_back(struct pl_store *store, uint64_t bytes)
{
    uint64_t part = bytes / WRITE_BACK_PARTS > WRITE_BACK_BYTES ? bytes / WRITE_BACK_PARTS : WRITE_BACK_BYTES;
    mdb_filehandle_t fd;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    if (mdb_env_get_fd(store->env, &fd) != 0)
        return PL_EIO;
    for (uint64_t at = 0; at < bytes; at += part) {
        rc =
            sync_file_range(fd, (off_t)at, (off_t)part,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        if (rc != 0 && (errno == ENOSYS || errno == EINVAL || errno == ESPIPE))
            return 0; /* not on this file system: the sync will do it all at once */
        if (rc != 0)
            return pl_error_from_errno(errno);
    }
    return 0;
}

static uint64_t older(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void pl_store_lag(struct pl_store *store, struct pl_store_lag *out)
{
    MDB_envinfo info;

    *out = (struct pl_store_lag){ 0 };
    if (pl_store_usable(store) != 0)
        return;
    pl_store_enter(store);
    if (mdb_env_info(store->env, &info) == 0)
        out->last_txn_id = info.me_last_txnid;
    pl_store_leave(store);
    out->oldest_txn_id = out->pinned_txn_id = out->last_txn_id;
    pthread_mutex_lock(&store->gate);
    for (struct pl_reader *r = store->readers; r != NULL; r = r->next) {
        uint64_t id = atomic_load_explicit(&r->txn_id, memory_order_relaxed);
        uint64_t *oldest = r->pin ? &out->pinned_txn_id : &out->oldest_txn_id;

        out->reader_count++;
        *oldest = older(*oldest, id);
    }
    pthread_mutex_unlock(&store->gate);
}

int pl_store_reap_readers(struct pl_store *store, uint32_t *count)
{
    int dead = 0;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    rc = mdb_reader_check(store->env, &dead);
    if (rc != 0)
        return pl_store_error_from_mdb(rc);
    if (count != NULL)
        *count = (uint32_t)dead;
    return 0;
}
