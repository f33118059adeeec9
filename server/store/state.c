/* SPDX-License-Identifier: MIT */
#include "store/state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define DIRTY_BYTES_DEFAULT (UINT64_C(16) << 20)

struct pl_state {
    struct pl_store *store;
    uint64_t dirty_bytes_max;
    pthread_mutex_t lock; /* of the two pointers: a snapshot must take both of one moment */
    struct pl_memtable *active;
    struct pl_memtable *frozen; /* NULL: none */
    _Atomic uint64_t freezes;   /* so many there have been */
    _Atomic uint64_t shown;     /* readers see the tables as of this moment */
    uint64_t moment;            /* what is set now belongs to this one: the same, or the next */
};

int pl_state_new(struct pl_store *store, uint64_t dirty_bytes_max, uint64_t seed, struct pl_state **out)
{
    struct pl_state *state = calloc(1, sizeof *state);

    if (state == NULL)
        return PL_ENOMEM;
    state->active = pl_memtable_new(seed);
    if (state->active == NULL) {
        free(state);
        return PL_ENOMEM;
    }
    state->store = store;
    state->dirty_bytes_max = dirty_bytes_max != 0 ? dirty_bytes_max : DIRTY_BYTES_DEFAULT;
    pthread_mutex_init(&state->lock, NULL);
    *out = state;
    return 0;
}

void pl_state_adopt(struct pl_state *state, struct pl_memtable *replayed)
{
    pl_memtable_unref(state->active);
    state->active = replayed;
}

void pl_state_free(struct pl_state *state)
{
    if (state == NULL)
        return;
    pl_memtable_unref(state->active);
    pl_memtable_unref(state->frozen);
    pthread_mutex_destroy(&state->lock);
    free(state);
}

int pl_state_set(struct pl_state *state, struct pl_bytes key, struct pl_bytes value, bool tombstone)
{
    return pl_memtable_set(state->active, key, value, tombstone);
}

int pl_state_set_group(struct pl_state *state, const struct pl_memtable_entry *entries, size_t count)
{
    return pl_memtable_set_group(state->active, entries, count);
}

void pl_state_hold(struct pl_state *state)
{
    state->moment = atomic_load_explicit(&state->shown, memory_order_relaxed) + 1;
    pl_memtable_set_moment(state->active, state->moment);
}

void pl_state_show(struct pl_state *state)
{
    atomic_store_explicit(&state->shown, state->moment, memory_order_release);
}

size_t pl_state_active_bytes(const struct pl_state *state)
{
    return pl_memtable_size_bytes(state->active);
}

int pl_state_freeze(struct pl_state *state)
{
    struct pl_memtable *fresh;

    if (state->frozen != NULL)
        return PL_EINUSE;
    fresh = pl_memtable_new_after(state->active);
    if (fresh == NULL)
        return PL_ENOMEM;
    /* Half a change must not come to be in the store, which knows no moments. */
    PL_ASSERT(atomic_load_explicit(&state->shown, memory_order_relaxed) == state->moment);
    pl_memtable_set_moment(fresh, state->moment);
    pthread_mutex_lock(&state->lock);
    state->frozen = state->active;
    state->active = fresh;
    atomic_fetch_add_explicit(&state->freezes, 1, memory_order_release);
    pthread_mutex_unlock(&state->lock);
    return 0;
}

void pl_state_settle(struct pl_state *state)
{
    struct pl_memtable *done;

    pthread_mutex_lock(&state->lock);
    done = state->frozen;
    state->frozen = NULL;
    pthread_mutex_unlock(&state->lock);
    pl_memtable_unref(done);
}

/* ---- flushing --------------------------------------------------------------------------------------- */

static int flush_entry(struct pl_txn *txn, const struct pl_memtable_node *node)
{
    struct pl_memtable_entry entry;
    int rc;

    pl_memtable_read(node, &entry);
    if (!entry.tombstone)
        return pl_txn_put(txn, entry.key, entry.value);
    rc = pl_txn_delete(txn, entry.key);
    return rc == PL_ENOTFOUND ? 0 : rc;
}

/* One transaction's worth from `*node` on, which then is the first that is left. */
static int flush_some(struct pl_state *state, const struct pl_memtable_node **node)
{
    const struct pl_memtable_node *at = *node;
    struct pl_txn *txn;
    int rc = pl_txn_begin(state->store, &txn);

    if (rc != 0)
        return rc;
    while (at != NULL && rc == 0 && pl_txn_dirty_bytes(txn) < state->dirty_bytes_max) {
        rc = flush_entry(txn, at);
        at = pl_memtable_next(at);
    }
    if (rc != 0) {
        pl_txn_abort(txn);
        return rc;
    }
    rc = pl_txn_commit(txn);
    if (rc == 0)
        *node = at;
    return rc;
}

int pl_state_flush(struct pl_state *state)
{
    const struct pl_memtable_node *node;
    int rc = 0;

    if (state->frozen == NULL)
        return 0;
    node = pl_memtable_first(state->frozen);
    while (node != NULL && rc == 0)
        rc = flush_some(state, &node);
    return rc;
}

/* ---- snapshots -------------------------------------------------------------------------------------- */

/* The three places to look, newest first. */
enum { ACTIVE, FROZEN, TABLES };

struct pl_snapshot {
    struct pl_state *state;
    struct pl_reader *reader;
    struct pl_cursor *cursor; /* opened with the first transaction */
    struct pl_txn *txn;       /* NULL: reset */
    struct pl_memtable *tables[TABLES];
    uint64_t freezes; /* before it was renewed */

    /* The walk: where each source stands, on what it gives next. */
    bool down;
    uint64_t moment; /* of its begin */
    const struct pl_memtable_node *nodes[TABLES];
    bool stored; /* the store's cursor stands on something */
    struct pl_bytes stored_key, stored_value;
    struct pl_bytes key; /* what was given last */
};

int pl_snapshot_open(struct pl_state *state, struct pl_snapshot **out)
{
    struct pl_snapshot *snapshot = calloc(1, sizeof *snapshot);
    int rc;

    if (snapshot == NULL)
        return PL_ENOMEM;
    snapshot->state = state;
    rc = pl_reader_open(state->store, &snapshot->reader);
    if (rc != 0) {
        free(snapshot);
        return rc;
    }
    *out = snapshot;
    return 0;
}

void pl_snapshot_close(struct pl_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    pl_snapshot_reset(snapshot);
    if (snapshot->cursor != NULL)
        pl_cursor_close(snapshot->cursor);
    pl_reader_close(snapshot->reader);
    free(snapshot);
}

void pl_snapshot_reset(struct pl_snapshot *snapshot)
{
    if (snapshot->txn == NULL)
        return;
    pl_reader_reset(snapshot->reader);
    snapshot->txn = NULL;
    for (int i = 0; i < TABLES; i++) {
        pl_memtable_unref(snapshot->tables[i]);
        snapshot->tables[i] = NULL;
    }
}

bool pl_snapshot_is_renewed(const struct pl_snapshot *snapshot)
{
    return snapshot->txn != NULL;
}

bool pl_snapshot_is_current(const struct pl_snapshot *snapshot)
{
    return snapshot->txn != NULL &&
           snapshot->freezes == atomic_load_explicit(&snapshot->state->freezes, memory_order_acquire);
}

static void take_tables(struct pl_snapshot *snapshot)
{
    struct pl_state *state = snapshot->state;

    pthread_mutex_lock(&state->lock);
    snapshot->freezes = atomic_load_explicit(&state->freezes, memory_order_relaxed);
    snapshot->tables[ACTIVE] = pl_memtable_ref(state->active);
    snapshot->tables[FROZEN] = state->frozen == NULL ? NULL : pl_memtable_ref(state->frozen);
    pthread_mutex_unlock(&state->lock);
}

/*
 * The tables first, the store second: what a flush moves in between is then seen twice,
 * and the other way round it would not be seen at all.
 */
static int take_sources(struct pl_snapshot *snapshot, struct pl_txn **txn)
{
    int rc;

#ifdef PL_MUTANT_STORE_FIRST
    rc = pl_reader_renew(snapshot->reader, txn);
    usleep(200); /* so that what could happen here does */
    take_tables(snapshot);
#else
    take_tables(snapshot);
    rc = pl_reader_renew(snapshot->reader, txn);
#endif
    return rc;
}

int pl_snapshot_renew(struct pl_snapshot *snapshot)
{
    struct pl_txn *txn;
    int rc;

    pl_snapshot_reset(snapshot);
    rc = take_sources(snapshot, &txn);
    if (rc == 0) {
        snapshot->txn = txn;
        rc = snapshot->cursor == NULL ? pl_cursor_open(txn, &snapshot->cursor)
                                      : pl_cursor_renew(snapshot->cursor, txn);
        if (rc != 0)
            pl_snapshot_reset(snapshot);
        return rc;
    }
    for (int i = 0; i < TABLES; i++) {
        pl_memtable_unref(snapshot->tables[i]);
        snapshot->tables[i] = NULL;
    }
    return rc;
}

/* All that belongs to it is in the tables. */
static uint64_t moment_shown(const struct pl_snapshot *snapshot)
{
    return atomic_load_explicit(&snapshot->state->shown, memory_order_acquire);
}

int pl_snapshot_get(struct pl_snapshot *snapshot, struct pl_bytes key, struct pl_bytes *out)
{
    struct pl_memtable_entry entry;
    uint64_t hash = pl_memtable_hash(snapshot->tables[ACTIVE], key), moment = moment_shown(snapshot);

    for (int i = 0; i < TABLES; i++) {
        if (snapshot->tables[i] == NULL ||
            !pl_memtable_get_at(snapshot->tables[i], key, hash, moment, &entry))
            continue;
        if (entry.tombstone)
            return PL_ENOTFOUND;
        *out = entry.value;
        return 0;
    }
    return pl_txn_get(snapshot->txn, key, out);
}

/* Those that memory knows need no look into the store. */
static size_t unknown_of(const struct pl_snapshot *snapshot, const struct pl_bytes *keys,
                         const uint64_t *hashes, size_t count, struct pl_bytes *unknown)
{
    struct pl_memtable_entry entry;
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (int t = 0; t < TABLES && !known; t++)
            known = snapshot->tables[t] != NULL &&
                    pl_memtable_get(snapshot->tables[t], keys[i], hashes[i], &entry);
        if (!known)
            unknown[left++] = keys[i];
    }
    return left;
}

_Static_assert((int)PL_STORE_PREFETCH_MAX <= (int)PL_MEMTABLE_GROUP_MAX, "one group serves both");

void pl_snapshot_prefetch(struct pl_snapshot *snapshot, const struct pl_bytes *keys, size_t count)
{
    struct pl_bytes unknown[PL_STORE_PREFETCH_MAX];
    uint64_t hashes[PL_STORE_PREFETCH_MAX] = { 0 };

    PL_ASSERT(count <= PL_STORE_PREFETCH_MAX);
    for (size_t i = 0; i < count; i++)
        hashes[i] = pl_memtable_hash(snapshot->tables[ACTIVE], keys[i]);
    for (int t = 0; t < TABLES; t++)
        if (snapshot->tables[t] != NULL)
            pl_memtable_prefetch(snapshot->tables[t], hashes, count);
    count = unknown_of(snapshot, keys, hashes, count, unknown);
    (void)pl_txn_prefetch(snapshot->txn, unknown, count);
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static int note_stored(struct pl_snapshot *s, int rc)
{
    s->stored = rc == 0;
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int step_stored(struct pl_snapshot *s)
{
    return note_stored(s, s->down ? pl_cursor_prev(s->cursor, &s->stored_key, &s->stored_value)
                                  : pl_cursor_next(s->cursor, &s->stored_key, &s->stored_value));
}

/* A skip list is linked one way: going down is looking again. Keys that came after the walk began are passed over. */
static void step_table(struct pl_snapshot *s, int i, struct pl_bytes key)
{
    struct pl_memtable_entry entry = { .key = key };

    do {
        s->nodes[i] =
            s->down ? pl_memtable_seek_before(s->tables[i], entry.key) : pl_memtable_next(s->nodes[i]);
        if (s->nodes[i] == NULL)
            return;
        entry.key = pl_memtable_key(s->nodes[i]);
    } while (!pl_memtable_read_at(s->nodes[i], s->moment, &entry));
}

/* The first of a table, from where a look has found it. */
static void enter_table(struct pl_snapshot *s, int i, const struct pl_memtable_node *node)
{
    struct pl_memtable_entry entry;

    s->nodes[i] = node;
    if (node != NULL && !pl_memtable_read_at(node, s->moment, &entry))
        step_table(s, i, pl_memtable_key(node));
}

/* The key that comes next of all sources; its newest value, or that it is deleted. False: none is left. */
static bool choose(const struct pl_snapshot *s, struct pl_memtable_entry *out)
{
    bool found = s->stored;

    *out = (struct pl_memtable_entry){ .key = s->stored_key, .value = s->stored_value };
    for (int i = TABLES - 1; i >= 0; i--) {
        struct pl_memtable_entry entry;
        int order;

        if (s->nodes[i] == NULL)
            continue;
        (void)pl_memtable_read_at(s->nodes[i], s->moment, &entry); /* it was there when we came */
        order = found ? pl_bytes_compare(entry.key, out->key) : -1;
        if (found && s->down)
            order = -order;
        /* A newer source wins where keys are equal. */
        if (order > 0)
            continue;
        *out = entry;
        found = true;
    }
    return found;
}

/* Every source that stands on `key` moves on. */
static int pass(struct pl_snapshot *s, struct pl_bytes key)
{
    for (int i = 0; i < TABLES; i++)
        if (s->nodes[i] != NULL && pl_bytes_equal(pl_memtable_key(s->nodes[i]), key))
            step_table(s, i, key);
    if (s->stored && pl_bytes_equal(s->stored_key, key))
        return step_stored(s);
    return 0;
}

/* Give the next that is not deleted. The sources are left standing on it. */
static int settle_on(struct pl_snapshot *s, struct pl_bytes *key, struct pl_bytes *value)
{
    struct pl_memtable_entry entry;

    while (choose(s, &entry)) {
        int rc;

        if (!entry.tombstone) {
            s->key = *key = entry.key;
            *value = entry.value;
            return 0;
        }
        rc = pass(s, entry.key);
        if (rc != 0)
            return rc;
    }
    return PL_ENOTFOUND;
}

int pl_snapshot_seek(struct pl_snapshot *s, struct pl_bytes at_least, struct pl_bytes *key,
                     struct pl_bytes *value)
{
    int rc;

    s->down = false;
    s->moment = moment_shown(s);
    for (int i = 0; i < TABLES; i++)
        enter_table(s, i, s->tables[i] == NULL ? NULL : pl_memtable_seek(s->tables[i], at_least));
    rc = note_stored(s, pl_cursor_seek(s->cursor, at_least, &s->stored_key, &s->stored_value));
    return rc != 0 ? rc : settle_on(s, key, value);
}

int pl_snapshot_seek_before(struct pl_snapshot *s, struct pl_bytes below, struct pl_bytes *key,
                            struct pl_bytes *value)
{
    int rc;

    s->down = true;
    s->moment = moment_shown(s);
    for (int i = 0; i < TABLES; i++)
        enter_table(s, i, s->tables[i] == NULL ? NULL : pl_memtable_seek_before(s->tables[i], below));
    rc = note_stored(s, pl_cursor_seek_before(s->cursor, below, &s->stored_key, &s->stored_value));
    return rc != 0 ? rc : settle_on(s, key, value);
}

int pl_snapshot_next(struct pl_snapshot *s, struct pl_bytes *key, struct pl_bytes *value)
{
    int rc;

    PL_ASSERT(!s->down); /* a walk that turns round seeks first */
    rc = pass(s, s->key);
    return rc != 0 ? rc : settle_on(s, key, value);
}

int pl_snapshot_prev(struct pl_snapshot *s, struct pl_bytes *key, struct pl_bytes *value)
{
    int rc;

    if (!s->down)
        return pl_snapshot_seek_before(s, s->key, key, value);
    rc = pass(s, s->key);
    return rc != 0 ? rc : settle_on(s, key, value);
}
