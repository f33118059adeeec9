/* SPDX-License-Identifier: MIT */
#include "store/store_inside.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MAP_BYTES_DEFAULT (UINT64_C(1) << 40)
#define MAP_BYTES_LEAST   (UINT64_C(1) << 20)
#define GROW_AHEAD_BYTES  (UINT64_C(128) << 20) /* twice the largest sensible transaction */
#define GROW_PATIENCE_NS  UINT64_C(50000000)
#define READERS_DEFAULT   512

struct pl_cursor {
    struct pl_store *store;
    MDB_cursor *mdb;
};

static const char IDENTITY_KEY[] = "\xff\xffidentity";

/*
 * Every open store of this process. File-level state, because what it guards is
 * the process's: POSIX locks belong to a process and a file, and closing any
 * descriptor of the file drops them all.
 */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pl_store *registry;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    pthread_mutex_lock(&registry_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&registry_lock);
}

static void after_fork_in_child(void)
{
    for (struct pl_store *store = registry; store != NULL; store = store->next)
        atomic_store(&store->forked, true);
    registry = NULL; /* the child may open stores of its own */
    pthread_mutex_unlock(&registry_lock);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- the border ---- */

int pl_store_error_from_mdb(int rc)
{
    switch (rc) {
    case 0:
        return 0;
    case MDB_NOTFOUND:
        return PL_ENOTFOUND;
    case MDB_MAP_FULL:
    case EFBIG:
    case EDQUOT:
        return PL_EFULL;
    case MDB_READERS_FULL:
    case MDB_TXN_FULL:
        return PL_ELIMIT;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_MAP_RESIZED:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
        return PL_ECORRUPT;
    case MDB_BAD_VALSIZE:
        return PL_EINVALID;
    default:
        return rc > 0 ? pl_error_from_errno(rc) : PL_EIO;
    }
}

/* LMDB reports a write that was cut short as EIO, and that is also how a disk fills up. */
static bool disk_is_full(const struct pl_store *store, uint64_t wanted_bytes)
{
    struct statvfs disk;
    struct rlimit limit;
    struct stat file;
    mdb_filehandle_t fd;

    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &file) != 0)
        return false;
    if (fstatvfs(fd, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < wanted_bytes)
        return true;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (uint64_t)file.st_size + wanted_bytes > limit.rlim_cur;
}

static void on_assert(MDB_env *env, const char *message)
{
    const struct pl_store *store = mdb_env_get_userctx(env);

    if (store != NULL && store->logger != NULL)
        pl_log(store->logger, PL_LOG_ERROR, "the store found its own file impossible, so the process ends",
               "file=%s at=%s hint=\"perilune check\"", store->path, message);
    else
        fprintf(stderr, "perilune: the store found its own file impossible, so the process ends: %s\n",
                message);
    abort();
}

uint64_t pl_store_checksum(struct pl_bytes key, struct pl_bytes value)
{
    uint64_t of_key = XXH3_64bits(key.data, key.len);

    /* Multiplied, so that a key and a value of the same bytes do not cancel out. */
    return XXH3_64bits(value.data, value.len) ^ (of_key * UINT64_C(0x9E3779B97F4A7C15));
}

static bool is_own_key(struct pl_bytes key)
{
    return key.len >= 2 && (uint8_t)key.data[0] == 0xff && (uint8_t)key.data[1] == 0xff;
}

/* ---- open and close ---- */

static bool is_open_here(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return false;
    for (struct pl_store *store = registry; store != NULL; store = store->next)
        if (store->device == file.st_dev && store->inode == file.st_ino)
            return true;
    return false;
}

static int open_env(struct pl_store *store, const char *path, const struct pl_store_options *options)
{
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD;
    unsigned readers = options->readers_max != 0 ? options->readers_max : READERS_DEFAULT;
    int rc;

    rc = mdb_env_create(&store->env);
    if (rc != 0)
        return rc;
    rc = mdb_env_set_mapsize(store->env, store->map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(store->env, readers);
    if (rc == 0)
        rc = mdb_env_set_userctx(store->env, store);
    if (rc == 0)
        rc = mdb_env_set_assert(store->env, on_assert);
    if (rc == 0)
        rc = mdb_env_open(store->env, path, flags, 0600);
    if (rc != 0) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    return rc;
}

/* Address space may be rationed (ulimit -v, containers, sanitizers): take what there is. */
static int open_env_as_large_as_possible(struct pl_store *store, const char *path,
                                         const struct pl_store_options *options)
{
    int rc;

    for (;;) {
        rc = open_env(store, path, options);
        if (rc != ENOMEM || store->map_bytes / 2 < MAP_BYTES_LEAST)
            return rc;
        store->map_bytes /= 2;
    }
}

static int open_tree(struct pl_store *store)
{
    MDB_envinfo info;
    MDB_stat stat_env;
    MDB_txn *txn;
    unsigned flags = 0;
    int rc;

    rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, NULL, 0, &store->dbi);
    if (rc == 0)
        rc = mdb_dbi_flags(txn, store->dbi, &flags);
    if (rc == 0 && flags != 0)
        rc = MDB_INCOMPATIBLE; /* not a file that we made */
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn);
    if (rc == 0)
        rc = mdb_env_stat(store->env, &stat_env);
    if (rc == 0)
        rc = mdb_env_info(store->env, &info);
    if (rc == 0) {
        store->page_bytes = stat_env.ms_psize;
        store->map_bytes = info.me_mapsize;
        if (store->map_bytes_max < store->map_bytes)
            store->map_bytes_max = store->map_bytes;
    }
    return rc;
}

static int learn_inode(struct pl_store *store)
{
    struct stat file;
    mdb_filehandle_t fd;
    int rc = mdb_env_get_fd(store->env, &fd);

    if (rc != 0)
        return rc;
    if (fstat(fd, &file) != 0)
        return errno;
    store->device = file.st_dev;
    store->inode = file.st_ino;
    return 0;
}

static void free_store(struct pl_store *store)
{
    if (store->env != NULL)
        mdb_env_close(store->env);
    pthread_cond_destroy(&store->gate_moved);
    pthread_mutex_destroy(&store->gate);
    free(store->writing);
    free(store->path);
    free(store);
}

static struct pl_store *new_store(const char *path, const struct pl_store_options *options)
{
    struct pl_store *store = calloc(1, sizeof *store);
    pthread_condattr_t attr;

    if (store == NULL)
        return NULL;
    pthread_mutex_init(&store->gate, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&store->gate_moved, &attr);
    pthread_condattr_destroy(&attr);
    store->path = strdup(path);
    store->writing = calloc(1, sizeof *store->writing);
    store->logger = options->logger;
    store->map_bytes_max = options->map_bytes_max != 0 ? options->map_bytes_max : MAP_BYTES_DEFAULT;
    store->map_bytes = options->map_bytes != 0 ? options->map_bytes : store->map_bytes_max;
    store->disk_reserve_bytes = options->disk_reserve_bytes;
    if (store->map_bytes > store->map_bytes_max)
        store->map_bytes = store->map_bytes_max;
    if (store->path == NULL || store->writing == NULL) {
        free_store(store);
        return NULL;
    }
    store->writing->store = store;
    store->writing->writable = true;
    return store;
}

static int open_registered(struct pl_store *store, const struct pl_store_options *options,
                           struct pl_reason *why)
{
    const char *path = store->path;
    int rc;

    if (is_open_here(path))
        return pl_reason_set(why, PL_EINUSE, "%s is open in this process already", path);
    if (!options->create && access(path, F_OK) != 0)
        return pl_reason_set(why, PL_ENOTFOUND, "there is no store at %s", path);
    rc = open_env_as_large_as_possible(store, path, options);
    if (rc == 0)
        rc = open_tree(store);
    if (rc == 0)
        rc = learn_inode(store);
    if (rc != 0)
        return pl_reason_set(why, pl_store_error_from_mdb(rc), "%s cannot be opened as a store: %s", path,
                             mdb_strerror(rc));
    mdb_reader_check(store->env, NULL);
    store->next = registry;
    registry = store;
    return 0;
}

int pl_store_open(const char *path, const struct pl_store_options *options, struct pl_store **out,
                  struct pl_reason *why)
{
    struct pl_store *store;
    int rc;

    pthread_once(&registry_once, watch_forks);
    store = new_store(path, options);
    if (store == NULL)
        return PL_ENOMEM;
    pthread_mutex_lock(&registry_lock);
    rc = open_registered(store, options, why);
    pthread_mutex_unlock(&registry_lock);
    if (rc != 0) {
        free_store(store);
        return rc;
    }
    *out = store;
    return 0;
}

void pl_store_close(struct pl_store *store)
{
    struct pl_store **at;

    if (store == NULL || atomic_load(&store->forked))
        return;
    PL_ASSERT(store->readers == NULL && store->writing->mdb == NULL);
    pthread_mutex_lock(&registry_lock);
    for (at = &registry; *at != store; at = &(*at)->next)
        ;
    *at = store->next;
    free_store(store); /* inside the lock: nobody may open the file while it is being closed */
    pthread_mutex_unlock(&registry_lock);
}

const char *pl_store_path(const struct pl_store *store)
{
    return store->path;
}

uint32_t pl_store_page_bytes(const struct pl_store *store)
{
    return store->page_bytes;
}

int pl_store_usable(struct pl_store *store)
{
    if (atomic_load_explicit(&store->forked, memory_order_relaxed))
        return PL_ECLOSED;
    return atomic_load_explicit(&store->broken, memory_order_relaxed) ? PL_EIO : 0;
}

/* ---- the gate ---- */

void pl_store_enter(struct pl_store *store)
{
    for (;;) {
        atomic_fetch_add(&store->holders, 1);
        if (!atomic_load(&store->growing))
            return;
        atomic_fetch_sub(&store->holders, 1);
        pthread_mutex_lock(&store->gate);
        pthread_cond_broadcast(&store->gate_moved);
        while (atomic_load(&store->growing))
            pthread_cond_wait(&store->gate_moved, &store->gate);
        pthread_mutex_unlock(&store->gate);
    }
}

void pl_store_leave(struct pl_store *store)
{
    atomic_fetch_sub(&store->holders, 1);
    if (!atomic_load(&store->growing))
        return;
    pthread_mutex_lock(&store->gate);
    pthread_cond_broadcast(&store->gate_moved);
    pthread_mutex_unlock(&store->gate);
}

/* With `gate` held. False: somebody did not let go in time. */
static bool wait_until_empty(struct pl_store *store)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)GROW_PATIENCE_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (atomic_load(&store->holders) != 0)
        if (pthread_cond_timedwait(&store->gate_moved, &store->gate, &until) == ETIMEDOUT)
            return atomic_load(&store->holders) == 0;
    return true;
}

/* LMDB unmaps before it maps, so ask first whether the machine would give so much. */
static bool address_space_allows(uint64_t bytes)
{
    void *place = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (place == MAP_FAILED)
        return false;
    munmap(place, bytes);
    return true;
}

static int move_map(struct pl_store *store, uint64_t bytes)
{
    store->map_moves++;
    if (mdb_env_set_mapsize(store->env, bytes) == 0) {
        store->map_bytes = bytes;
        return 0;
    }
    if (mdb_env_set_mapsize(store->env, store->map_bytes) != 0) {
        atomic_store(&store->broken, true);
        return PL_EIO;
    }
    return PL_EFULL;
}

int pl_store_grow(struct pl_store *store)
{
    uint64_t bytes =
        store->map_bytes_max / 2 < store->map_bytes ? store->map_bytes_max : store->map_bytes * 2;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    if (bytes <= store->map_bytes || !address_space_allows(bytes))
        return PL_EFULL;
    pthread_mutex_lock(&store->gate);
    atomic_store(&store->growing, true);
    rc = wait_until_empty(store) ? move_map(store, bytes) : PL_EOVERLOAD;
    atomic_store(&store->growing, false);
    pthread_cond_broadcast(&store->gate_moved);
    pthread_mutex_unlock(&store->gate);
    if (rc == 0)
        pl_log(store->logger, PL_LOG_INFO, "the store's map has grown", "file=%s bytes=%llu", store->path,
               (unsigned long long)bytes);
    return rc;
}

/* ---- writing ---- */

uint64_t pl_store_used_bytes(struct pl_store *store)
{
    MDB_envinfo info;

    if (mdb_env_info(store->env, &info) != 0)
        return 0;
    return ((uint64_t)info.me_last_pgno + 1) * store->page_bytes;
}

static void grow_ahead(struct pl_store *store)
{
    uint64_t used;

    if (store->map_bytes >= store->map_bytes_max)
        return;
    used = pl_store_used_bytes(store);
    if (used + GROW_AHEAD_BYTES > store->map_bytes || used > store->map_bytes / 4 * 3)
        pl_store_grow(store); /* if not now then at the next begin; a full map says so by itself */
}

int pl_txn_begin(struct pl_store *store, struct pl_txn **out)
{
    MDB_txn *mdb;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    grow_ahead(store);
    rc = mdb_txn_begin(store->env, NULL, 0, &mdb);
    if (rc != 0)
        return pl_store_error_from_mdb(rc);
    store->writing->mdb = mdb;
    store->writing->dirty_bytes = 0;
    store->writing->failed = 0;
    *out = store->writing;
    return 0;
}

int pl_txn_commit(struct pl_txn *txn)
{
    struct pl_store *store = txn->store;
    MDB_txn *mdb = txn->mdb;
    uint64_t dirty = txn->dirty_bytes;
    int rc;

    PL_ASSERT(txn->writable && mdb != NULL);
    if (txn->failed != 0) {
        rc = txn->failed;
        pl_txn_abort(txn);
        return rc;
    }
    txn->mdb = NULL; /* before the commit, which lets the next writer in */
    rc = mdb_txn_commit(mdb);
    if (rc == EIO && disk_is_full(store, dirty))
        return PL_EFULL;
    return pl_store_error_from_mdb(rc);
}

void pl_txn_abort(struct pl_txn *txn)
{
    MDB_txn *mdb;

    if (txn == NULL || atomic_load_explicit(&txn->store->forked, memory_order_relaxed))
        return;
    PL_ASSERT(txn->writable && txn->mdb != NULL);
    mdb = txn->mdb;
    txn->mdb = NULL;
    mdb_txn_abort(mdb);
}

static int write_failed(struct pl_txn *txn, int rc)
{
    if (rc == EIO && disk_is_full(txn->store, txn->dirty_bytes))
        rc = ENOSPC;
    rc = pl_store_error_from_mdb(rc);
    if (rc != PL_ENOTFOUND && txn->failed == 0)
        txn->failed = rc;
    return rc;
}

/* A leaf, its share of branches and of the free list, and a long value's own pages. */
static void count_dirty(struct pl_txn *txn, size_t value_len)
{
    uint64_t page = txn->store->page_bytes;

    txn->dirty_bytes += 2 * page + (value_len > page / 4 ? (value_len + page) / page * page : 0);
}

static int put(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes value)
{
    MDB_val k = { .mv_size = key.len, .mv_data = (void *)(uintptr_t)key.data };
    MDB_val v = { .mv_size = PL_STORE_CHECKSUM_BYTES + value.len };
    uint64_t sum = pl_store_checksum(key, value);
    int rc;

    rc = mdb_put(txn->mdb, txn->store->dbi, &k, &v, MDB_RESERVE);
    if (rc != 0)
        return write_failed(txn, rc);
    pl_put_le64(v.mv_data, sum);
    if (value.len != 0)
        memcpy((char *)v.mv_data + PL_STORE_CHECKSUM_BYTES, value.data, value.len);
    count_dirty(txn, value.len);
    return 0;
}

int pl_txn_put(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes value)
{
    PL_ASSERT(txn->writable);
    if (key.len == 0 || key.len > PL_STORE_KEY_MAX || value.len > PL_STORE_VALUE_MAX || is_own_key(key))
        return PL_EINVALID;
    return put(txn, key, value);
}

int pl_txn_put_identity(struct pl_txn *txn, struct pl_bytes identity)
{
    return put(txn, pl_bytes(IDENTITY_KEY, sizeof IDENTITY_KEY - 1), identity);
}

int pl_txn_delete(struct pl_txn *txn, struct pl_bytes key)
{
    MDB_val k = { .mv_size = key.len, .mv_data = (void *)(uintptr_t)key.data };
    int rc;

    PL_ASSERT(txn->writable);
    if (key.len == 0 || key.len > PL_STORE_KEY_MAX || is_own_key(key))
        return PL_ENOTFOUND;
    rc = mdb_del(txn->mdb, txn->store->dbi, &k, NULL);
    if (rc != 0)
        return write_failed(txn, rc);
    count_dirty(txn, 0);
    return 0;
}

uint64_t pl_txn_dirty_bytes(const struct pl_txn *txn)
{
    return txn->dirty_bytes;
}

/* ---- reading ---- */

static int verify(struct pl_bytes key, const MDB_val *stored, struct pl_bytes *out)
{
    struct pl_bytes value;
    bool sound;

    if (stored->mv_size < PL_STORE_CHECKSUM_BYTES)
        return PL_ECORRUPT;
    value = pl_bytes((const char *)stored->mv_data + PL_STORE_CHECKSUM_BYTES,
                     stored->mv_size - PL_STORE_CHECKSUM_BYTES);
    sound = pl_get_le64(stored->mv_data) == pl_store_checksum(key, value);
#ifdef PL_MUTANT_NO_CHECKSUM
    sound = true;
#endif
    if (!sound)
        return PL_ECORRUPT;
    if (out != NULL)
        *out = value;
    return 0;
}

static int get(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes *out)
{
    MDB_val k = { .mv_size = key.len, .mv_data = (void *)(uintptr_t)key.data };
    MDB_val v;
    int rc;

    rc = mdb_get(txn->mdb, txn->store->dbi, &k, &v);
    if (rc != 0)
        return pl_store_error_from_mdb(rc);
    return verify(key, &v, out);
}

int pl_txn_get(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes *out)
{
    if (key.len == 0 || key.len > PL_STORE_KEY_MAX || is_own_key(key))
        return PL_ENOTFOUND;
    return get(txn, key, out);
}

int pl_txn_get_identity(struct pl_txn *txn, struct pl_bytes *out)
{
    return get(txn, pl_bytes(IDENTITY_KEY, sizeof IDENTITY_KEY - 1), out);
}

uint64_t pl_txn_id(const struct pl_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

static void enlist(struct pl_store *store, struct pl_reader *reader)
{
    pthread_mutex_lock(&store->gate);
    reader->next = store->readers;
    reader->at = &store->readers;
    if (reader->next != NULL)
        reader->next->at = &reader->next;
    store->readers = reader;
    pthread_mutex_unlock(&store->gate);
}

static int open_reader(struct pl_store *store, bool pin, struct pl_reader **out)
{
    struct pl_reader *reader;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PL_ENOMEM;
    reader->txn.store = store;
    reader->pin = pin;
    atomic_store(&reader->txn_id, PL_STORE_NO_TXN);
    pl_store_enter(store);
    rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader->txn.mdb);
    if (rc == 0)
        mdb_txn_reset(reader->txn.mdb); /* keeps the slot */
    pl_store_leave(store);
    if (rc != 0) {
        free(reader);
        return pl_store_error_from_mdb(rc);
    }
    enlist(store, reader);
    *out = reader;
    return 0;
}

int pl_reader_open(struct pl_store *store, struct pl_reader **out)
{
    return open_reader(store, false, out);
}

int pl_pin_open(struct pl_store *store, struct pl_reader **out)
{
    return open_reader(store, true, out);
}

void pl_reader_close(struct pl_reader *reader)
{
    struct pl_store *store;

    if (reader == NULL || atomic_load(&reader->txn.store->forked))
        return;
    store = reader->txn.store;
    pl_reader_reset(reader);
    mdb_txn_abort(reader->txn.mdb);
    pthread_mutex_lock(&store->gate);
    *reader->at = reader->next;
    if (reader->next != NULL)
        reader->next->at = reader->at;
    pthread_mutex_unlock(&store->gate);
    free(reader);
}

enum { RENEW_TRIES_MAX = 100 };

/*
 * LMDB notes the newest commit's number and then copies what that commit's meta page says. Two
 * pages serve all commits in turn, so two that come in between write over the very page it is
 * copying. When no commit has come by the time it is copied, none has.
 */
static int renew_undisturbed(struct pl_reader *reader)
{
    MDB_envinfo info;
    int rc;

    for (int tries = 0; tries < RENEW_TRIES_MAX; tries++) {
        rc = mdb_txn_renew(reader->txn.mdb);
        if (rc != 0)
            return rc;
        rc = mdb_env_info(reader->txn.store->env, &info);
        if (rc == 0 && info.me_last_txnid == mdb_txn_id(reader->txn.mdb))
            return 0;
        mdb_txn_reset(reader->txn.mdb); /* also on a failure: it must not go on holding pages */
        if (rc != 0)
            return rc;
    }
    return mdb_txn_renew(reader->txn.mdb);
}

/* Past the gate. */
static int renew(struct pl_reader *reader)
{
    int rc = renew_undisturbed(reader);

    if (rc != 0)
        return pl_store_error_from_mdb(rc);
    reader->active = true;
    atomic_store_explicit(&reader->txn_id, mdb_txn_id(reader->txn.mdb), memory_order_relaxed);
    return 0;
}

int pl_reader_renew(struct pl_reader *reader, struct pl_txn **out)
{
    struct pl_store *store = reader->txn.store;
    int rc = pl_store_usable(store);

    if (rc != 0)
        return rc;
    pl_reader_reset(reader);
    pl_store_enter(store);
    rc = pl_store_usable(store); /* growth may have gone wrong while we waited */
    if (rc == 0)
        rc = renew(reader);
    if (rc != 0) {
        pl_store_leave(store);
        return rc;
    }
    *out = &reader->txn;
    return 0;
}

int pl_pin_take(struct pl_reader *pin, uint64_t *txn_id)
{
    struct pl_store *store = pin->txn.store;
    int rc = pl_store_usable(store);

    PL_ASSERT(pin->pin);
    if (rc != 0)
        return rc;
    pl_reader_reset(pin);
    pl_store_enter(store);
    rc = renew(pin);
    pl_store_leave(store); /* it keeps its slot, not the map */
    if (rc == 0)
        *txn_id = mdb_txn_id(pin->txn.mdb);
    return rc;
}

void pl_reader_reset(struct pl_reader *reader)
{
    struct pl_store *store = reader->txn.store;

    if (!reader->active || atomic_load_explicit(&store->forked, memory_order_relaxed))
        return;
    mdb_txn_reset(reader->txn.mdb);
    reader->active = false;
    atomic_store_explicit(&reader->txn_id, PL_STORE_NO_TXN, memory_order_relaxed);
    if (!reader->pin)
        pl_store_leave(store);
}

/* ---- cursors ---- */

int pl_cursor_open(struct pl_txn *txn, struct pl_cursor **out)
{
    struct pl_cursor *cursor = calloc(1, sizeof *cursor);
    int rc;

    if (cursor == NULL)
        return PL_ENOMEM;
    cursor->store = txn->store;
    rc = mdb_cursor_open(txn->mdb, txn->store->dbi, &cursor->mdb);
    if (rc != 0) {
        free(cursor);
        return pl_store_error_from_mdb(rc);
    }
    *out = cursor;
    return 0;
}

int pl_cursor_renew(struct pl_cursor *cursor, struct pl_txn *txn)
{
    return pl_store_error_from_mdb(mdb_cursor_renew(txn->mdb, cursor->mdb));
}

void pl_cursor_close(struct pl_cursor *cursor)
{
    if (cursor == NULL || atomic_load(&cursor->store->forked))
        return;
    mdb_cursor_close(cursor->mdb);
    free(cursor);
}

static int arrive(int rc, const MDB_val *k, const MDB_val *v, struct pl_bytes *key, struct pl_bytes *value)
{
    struct pl_bytes found;

    if (rc != 0)
        return pl_store_error_from_mdb(rc);
    found = pl_bytes(k->mv_data, k->mv_size);
    if (is_own_key(found))
        return PL_ENOTFOUND;
    rc = verify(found, v, value);
    if (rc == 0 && key != NULL)
        *key = found;
    return rc;
}

int pl_cursor_seek(struct pl_cursor *cursor, struct pl_bytes at_least, struct pl_bytes *key,
                   struct pl_bytes *value)
{
    MDB_val k = { .mv_size = at_least.len, .mv_data = (void *)(uintptr_t)at_least.data };
    MDB_val v;

    /* LMDB has no empty key, and nothing sorts before the first. */
    return arrive(mdb_cursor_get(cursor->mdb, &k, &v, at_least.len == 0 ? MDB_FIRST : MDB_SET_RANGE), &k, &v,
                  key, value);
}

int pl_cursor_seek_before(struct pl_cursor *cursor, struct pl_bytes below, struct pl_bytes *key,
                          struct pl_bytes *value)
{
    MDB_val k = { .mv_size = below.len, .mv_data = (void *)(uintptr_t)below.data };
    MDB_val v;
    int rc;

    if (below.len == 0)
        return PL_ENOTFOUND;
    rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor->mdb, &k, &v, rc == 0 ? MDB_PREV : MDB_LAST);
    while (rc == 0 && is_own_key(pl_bytes(k.mv_data, k.mv_size)))
        rc = mdb_cursor_get(cursor->mdb, &k, &v, MDB_PREV);
    return arrive(rc, &k, &v, key, value);
}

int pl_cursor_next(struct pl_cursor *cursor, struct pl_bytes *key, struct pl_bytes *value)
{
    MDB_val k, v;

    return arrive(mdb_cursor_get(cursor->mdb, &k, &v, MDB_NEXT), &k, &v, key, value);
}

int pl_cursor_prev(struct pl_cursor *cursor, struct pl_bytes *key, struct pl_bytes *value)
{
    MDB_val k, v;

    return arrive(mdb_cursor_get(cursor->mdb, &k, &v, MDB_PREV), &k, &v, key, value);
}
