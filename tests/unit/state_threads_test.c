/* SPDX-License-Identifier: MIT */
/*
 * One thread writes, a worker flushes, any number look. Readers check what they may rely on, with no
 * pause anywhere: what was set before a snapshot was renewed is there, wherever it is just then.
 */
#include "store/state.h"

#include "scratch_dir.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 3, KEYS = 6000, VERSIONS = 8, FREEZE_EVERY = 40 };

/* Keys are set in an order that jumps about; how many have been is published. */
static uint32_t jumbled(uint32_t i)
{
    return (uint32_t)((uint64_t)i * 3571 % KEYS); /* 3571 and KEYS have no common factor */
}

static struct pl_bytes key_of(uint32_t n, char *space)
{
    memset(space, 'k', 20);
    pl_put_be32(space, n);
    return pl_bytes(space, 20);
}

/* A value names its key and version, over and over: a torn or foreign one shows. */
static struct pl_bytes value_of(uint32_t n, uint32_t version, char *space)
{
    size_t len = 8 * (1 + (n + version) % 8);

    for (size_t at = 0; at < len; at += 8) {
        pl_put_be32(space + at, n);
        pl_put_be32(space + at + 4, version);
    }
    return pl_bytes(space, len);
}

static bool is_value(uint32_t n, struct pl_bytes value, uint32_t at_least)
{
    char space[64];
    uint32_t version;

    if (value.len < 8)
        return false;
    version = pl_get_be32(value.data + 4);
    return version >= at_least && version < VERSIONS && pl_bytes_equal(value, value_of(n, version, space));
}

struct shared {
    struct pl_memtable *table;
    struct pl_state *state;
    atomic_uint done; /* sets, over all versions: the i-th of version v is number v * KEYS + i */
    atomic_uint wrong;
    pthread_mutex_t lock; /* of the worker's order */
    pthread_cond_t news;
    enum order { REST, FLUSH, STOP } order;
};

/* What must be there of key jumbled(i) when `done` sets had been made: its least version. False: nothing need be. */
static bool least_version(uint32_t done, uint32_t i, uint32_t *version)
{
    if (done <= i)
        return false;
    *version = (done - 1 - i) / KEYS;
    return true;
}

/* ---- a memtable alone ---- */

static bool table_has(struct pl_memtable *table, uint32_t done, uint32_t i)
{
    struct pl_memtable_entry entry;
    uint32_t version = 0, n = jumbled(i);
    char space[32];
    struct pl_bytes key = key_of(n, space);

    if (!least_version(done, i, &version))
        return true;
    return pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry) &&
           is_value(n, entry.value, version);
}

static bool table_is_in_order(struct pl_memtable *table, uint32_t done)
{
    const struct pl_memtable_node *node = pl_memtable_first(table);
    struct pl_memtable_entry entry;
    uint32_t count = 0, last = 0;

    for (; node != NULL; node = pl_memtable_next(node), count++) {
        uint32_t n;

        pl_memtable_read(node, &entry);
        n = pl_get_be32(entry.key.data);
        if ((count > 0 && n <= last) || !is_value(n, entry.value, 0))
            return false;
        last = n;
    }
    return count >= (done < KEYS ? done : KEYS);
}

static void *read_table(void *arg)
{
    struct shared *shared = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    uint32_t done;

    do {
        done = atomic_load(&shared->done);
        for (int i = 0; i < 200; i++)
            if (done > 0 &&
                !table_has(shared->table, done, (uint32_t)(test_random(&seed) % (done < KEYS ? done : KEYS))))
                atomic_fetch_add(&shared->wrong, 1);
        if (done > 0 && !table_has(shared->table, done, (done - 1) % KEYS))
            atomic_fetch_add(&shared->wrong, 1);
        if (!table_is_in_order(shared->table, done))
            atomic_fetch_add(&shared->wrong, 1);
    } while (done < VERSIONS * KEYS);
    return NULL;
}

static void readers_find_what_one_writer_has_set(void)
{
    struct shared shared = { .table = pl_memtable_new(7) };
    pthread_t readers[READERS];
    char key[32], value[64];

    CHECK(shared.table != NULL);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_table, &shared) == 0);
    for (uint32_t i = 0; i < VERSIONS * KEYS; i++) {
        uint32_t n = jumbled(i % KEYS);

        if (pl_memtable_set(shared.table, key_of(n, key), value_of(n, i / KEYS, value), false) != 0)
            atomic_fetch_add(&shared.wrong, 1);
        atomic_store(&shared.done, i + 1);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CHECK_MSG(atomic_load(&shared.wrong) == 0, "%u wrong", atomic_load(&shared.wrong));
    pl_memtable_unref(shared.table);
}

/* Keys come in below the bound all the while, each right behind the one that a look has just found. */
static void *seek_bound(void *arg)
{
    struct shared *shared = arg;
    struct pl_memtable_entry entry;
    char space[32];
    struct pl_bytes bound = key_of(KEYS, space);

    while (atomic_load(&shared->done) < KEYS) {
        const struct pl_memtable_node *at = pl_memtable_seek(shared->table, bound);

        if (at == NULL)
            continue;
        pl_memtable_read(at, &entry);
        if (pl_bytes_compare(entry.key, bound) < 0)
            atomic_fetch_add(&shared->wrong, 1);
    }
    return NULL;
}

static void a_seek_gives_nothing_below_its_bound_while_keys_come_in(void)
{
    struct shared shared = { .table = pl_memtable_new(7) };
    pthread_t readers[READERS];
    char key[32], value[64];

    CHECK(shared.table != NULL);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, seek_bound, &shared) == 0);
    for (uint32_t n = 0; n < KEYS; n++) {
        if (pl_memtable_set(shared.table, key_of(n, key), value_of(n, 0, value), false) != 0)
            atomic_fetch_add(&shared.wrong, 1);
        atomic_store(&shared.done, n + 1);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CHECK_MSG(atomic_load(&shared.wrong) == 0, "%u wrong", atomic_load(&shared.wrong));
    pl_memtable_unref(shared.table);
}

/* ---- a state that is flushed meanwhile ---- */

static bool snapshot_has(struct pl_snapshot *snapshot, uint32_t done, uint32_t i)
{
    uint32_t version = 0, n = jumbled(i);
    struct pl_bytes value;
    char space[32];

    if (!least_version(done, i, &version))
        return true;
    return pl_snapshot_get(snapshot, key_of(n, space), &value) == 0 && is_value(n, value, version);
}

/* Some keys on from somewhere, and back: none that must be there is passed over. */
static bool walk_misses_none(struct pl_snapshot *snapshot, uint32_t done, uint32_t from)
{
    struct pl_bytes key, value;
    uint32_t last = 0;
    char space[32];
    int rc = pl_snapshot_seek(snapshot, key_of(from, space), &key, &value), steps = 0;

    for (; rc == 0 && steps < 20; steps++) {
        uint32_t n = pl_get_be32(key.data);

        if (!is_value(n, value, 0) || n < from || (steps > 0 && n <= last))
            return false;
        if (done >= KEYS && n != (steps == 0 ? from : last + 1))
            return false;
        last = n;
        rc = pl_snapshot_next(snapshot, &key, &value);
    }
    for (; rc == 0 && steps > 0; steps--) {
        uint32_t n = pl_get_be32(key.data);

        if (!is_value(n, value, 0))
            return false;
        rc = pl_snapshot_prev(snapshot, &key, &value);
    }
    return rc == 0 || rc == PL_ENOTFOUND;
}

/* What went wrong, so that a rare failure is not a riddle. */
static void note_wrong(struct shared *shared, const char *what)
{
    fprintf(stderr, "wrong: %s\n", what);
    atomic_fetch_add(&shared->wrong, 1);
}

static void *read_state(void *arg)
{
    struct shared *shared = arg;
    struct pl_snapshot *snapshot;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    uint32_t done;

    if (pl_snapshot_open(shared->state, &snapshot) != 0) {
        note_wrong(shared, "no snapshot could be opened");
        return NULL;
    }
    do {
        uint32_t known;

        done = atomic_load(&shared->done);
        if (pl_snapshot_renew(snapshot) != 0)
            note_wrong(shared, "a renewal failed");
        known = done < KEYS ? done : KEYS;
        /* The newest are those that are just being moved. */
        for (uint32_t i = 0; i < 3 * FREEZE_EVERY && i < known; i++)
            if (!snapshot_has(snapshot, done, (done - 1 - i) % KEYS))
                note_wrong(shared, "a recent key");
        for (int i = 0; i < 10 && known > 0; i++)
            if (!snapshot_has(snapshot, done, (uint32_t)(test_random(&seed) % known)))
                note_wrong(shared, "a random key");
        if (!walk_misses_none(snapshot, done, (uint32_t)(test_random(&seed) % KEYS)))
            note_wrong(shared, "a walk");
    } while (done < VERSIONS * KEYS);
    pl_snapshot_close(snapshot);
    return NULL;
}

static void give_order(struct shared *shared, enum order order)
{
    pthread_mutex_lock(&shared->lock);
    shared->order = order;
    pthread_cond_broadcast(&shared->news);
    pthread_mutex_unlock(&shared->lock);
}

static enum order wait_while(struct shared *shared, enum order order)
{
    enum order now;

    pthread_mutex_lock(&shared->lock);
    while (shared->order == order)
        pthread_cond_wait(&shared->news, &shared->lock);
    now = shared->order;
    pthread_mutex_unlock(&shared->lock);
    return now;
}

static void *flush_when_told(void *arg)
{
    struct shared *shared = arg;

    while (wait_while(shared, REST) == FLUSH) {
        if (pl_state_flush(shared->state) != 0)
            atomic_fetch_add(&shared->wrong, 1);
        give_order(shared, REST);
    }
    return NULL;
}

/* The shard's part: it sets while the worker flushes, and after so many sets settles that and freezes again. */
static void write_state(struct shared *shared)
{
    char key[32], value[64];

    for (uint32_t i = 0; i < VERSIONS * KEYS; i++) {
        uint32_t n = jumbled(i % KEYS);

        if (pl_state_set(shared->state, key_of(n, key), value_of(n, i / KEYS, value), false) != 0)
            atomic_fetch_add(&shared->wrong, 1);
        atomic_store(&shared->done, i + 1);
        if (i % FREEZE_EVERY != 0)
            continue;
        (void)wait_while(shared, FLUSH);
        pl_state_settle(shared->state);
        if (pl_state_freeze(shared->state) != 0)
            atomic_fetch_add(&shared->wrong, 1);
        give_order(shared, FLUSH);
    }
    (void)wait_while(shared, FLUSH);
    give_order(shared, STOP);
}

static void a_reader_misses_nothing_that_a_flush_moves(void)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(4) << 30,
                                        .readers_max = 8 };
    struct scratch_dir dir = scratch_dir_make();
    struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER };
    struct pl_store *store;
    pthread_t readers[READERS], worker;
    char path[128];

    snprintf(path, sizeof path, "%s/store", dir.path);
    CHECK(pl_store_open(path, &options, &store, NULL) == 0);
    CHECK(pl_state_new(store, 0, 7, &shared.state) == 0);
    CHECK(pthread_create(&worker, NULL, flush_when_told, &shared) == 0);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_state, &shared) == 0);
    write_state(&shared);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pthread_join(worker, NULL);
    CHECK_MSG(atomic_load(&shared.wrong) == 0, "%u wrong", atomic_load(&shared.wrong));
    pl_state_free(shared.state);
    pl_store_close(store);
    scratch_dir_remove(&dir);
}

/* ---- many keys at once ---- */

enum { CHANGED_KEYS = 40, CHANGES = 4000, CHANGES_BEFORE_FLUSH = 50 };

/* Every change sets all keys to its number. */
static void write_changes(struct shared *shared)
{
    char key[32], value[4];

    for (uint32_t change = 1; change <= CHANGES; change++) {
        pl_put_be32(value, change);
        pl_state_hold(shared->state);
        for (uint32_t n = 0; n < CHANGED_KEYS; n++)
            if (pl_state_set(shared->state, key_of(n, key), pl_bytes(value, sizeof value), false) != 0)
                atomic_fetch_add(&shared->wrong, 1);
        pl_state_show(shared->state);
        atomic_store(&shared->done, change);
        if (change % CHANGES_BEFORE_FLUSH != 0)
            continue;
        if (pl_state_freeze(shared->state) != 0 || pl_state_flush(shared->state) != 0)
            atomic_fetch_add(&shared->wrong, 1);
        pl_state_settle(shared->state);
    }
}

/* The number of the change that a random key shows; 0: none yet. */
static uint32_t change_seen(struct pl_snapshot *snapshot, uint64_t *seed)
{
    struct pl_bytes value;
    char space[32];
    int rc = pl_snapshot_get(snapshot, key_of((uint32_t)(test_random(seed) % CHANGED_KEYS), space), &value);

    return rc == 0 ? pl_get_be32(value.data) : 0;
}

static bool walk_is_of_one_change(struct pl_snapshot *snapshot)
{
    struct pl_bytes key, value;
    uint32_t change = 0, count = 0;
    int rc = pl_snapshot_seek(snapshot, pl_bytes("", 0), &key, &value);

    for (; rc == 0; rc = pl_snapshot_next(snapshot, &key, &value), count++) {
        if (count > 0 && pl_get_be32(value.data) != change)
            return false;
        change = pl_get_be32(value.data);
    }
    return rc == PL_ENOTFOUND && (count == 0 || count == CHANGED_KEYS);
}

static void *read_changes(void *arg)
{
    struct shared *shared = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    struct pl_snapshot *snapshot;
    uint32_t seen, most = 0;

    if (pl_snapshot_open(shared->state, &snapshot) != 0) {
        note_wrong(shared, "no snapshot could be opened");
        return NULL;
    }
    while (atomic_load(&shared->done) < CHANGES) {
        if (pl_snapshot_renew(snapshot) != 0)
            note_wrong(shared, "a renewal failed");
        for (int i = 0; i < 10; i++) {
            seen = change_seen(snapshot, &seed);
            if (seen < most)
                note_wrong(shared, "a part of a change");
            most = seen > most ? seen : most;
        }
        if (!walk_is_of_one_change(snapshot))
            note_wrong(shared, "a walk through parts of changes");
    }
    pl_snapshot_close(snapshot);
    return NULL;
}

static void a_change_of_many_keys_is_seen_whole(void)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(4) << 30,
                                        .readers_max = 8 };
    struct scratch_dir dir = scratch_dir_make();
    struct shared shared = { .done = 0 };
    struct pl_store *store;
    pthread_t readers[READERS];
    char path[128];

    snprintf(path, sizeof path, "%s/store", dir.path);
    CHECK(pl_store_open(path, &options, &store, NULL) == 0);
    CHECK(pl_state_new(store, 0, 7, &shared.state) == 0);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_changes, &shared) == 0);
    write_changes(&shared);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CHECK_MSG(atomic_load(&shared.wrong) == 0, "%u wrong", atomic_load(&shared.wrong));
    pl_state_free(shared.state);
    pl_store_close(store);
    scratch_dir_remove(&dir);
}

int main(void)
{
    RUN(readers_find_what_one_writer_has_set);
    RUN(a_seek_gives_nothing_below_its_bound_while_keys_come_in);
    RUN(a_reader_misses_nothing_that_a_flush_moves);
    RUN(a_change_of_many_keys_is_seen_whole);
    return test_summary();
}
