/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_STATE_H
#define PL_STORE_STATE_H

#include "store/memtable.h"
#include "store/store.h"

/**
 * What is applied: the store's file, and over it what has been applied since the
 * last flush, in memory.
 *
 *     set ─▸ active memtable ─ freeze ─▸ frozen memtable ─ flush ─▸ the store
 *              ▲ newest                    ▲                          ▲
 *     get ─────┴───────────────────────────┴──────────────────────────┘  first to know wins
 *
 * Everything here is durable already, by the journal: memory only spares the
 * store a page written for every put. A flush goes through the keys in order, so a
 * page that many puts touched is written once, and it runs on a worker while
 * the active table takes more. A crash loses both tables; the next start replays the journal into
 * one (pl_state_adopt()).
 *
 * Threads: the shard sets, freezes and settles; one worker flushes; snapshots are taken by any.
 */
struct pl_state;

/** A flush puts about `dirty_bytes_max` into each of its transactions; 0: 16 MiB. `seed`: see pl_memtable_new(). */
int pl_state_new(struct pl_store *store, uint64_t dirty_bytes_max, uint64_t seed, struct pl_state **out);
/** What recovery has replayed (with the same seed) becomes the active table, before anything else is set. Takes the reference. */
void pl_state_adopt(struct pl_state *state, struct pl_memtable *replayed);
/** Every snapshot must have been closed. What was not flushed is in the journal. NULL is allowed. */
void pl_state_free(struct pl_state *state);

/** Set or delete `key`, visible to every snapshot at once, unless held. PL_ENOMEM changes nothing. */
int pl_state_set(struct pl_state *state, struct pl_bytes key, struct pl_bytes value, bool tombstone);

/** Several at once, in order; see pl_memtable_set_group(). After PL_ENOMEM set all of them again. */
int pl_state_set_group(struct pl_state *state, const struct pl_memtable_entry *entries, size_t count);

/**
 * What is set from now on is seen by nobody, until pl_state_show() shows all of it at once: a change of several keys is seen
 * whole or not at all. Twice is allowed. Nothing may be frozen in between.
 */
void pl_state_hold(struct pl_state *state);
void pl_state_show(struct pl_state *state);

/** Memory taken by what is not yet in the store. */
size_t pl_state_active_bytes(const struct pl_state *state);

/** The active table becomes the frozen one, and an empty one takes over. PL_EINUSE: one is frozen already. */
int pl_state_freeze(struct pl_state *state);

/**
 * Worker: put what is frozen into the store, in transactions of bounded size. After a failure it may be called again:
 * what was done is done again to the same effect. PL_EFULL, PL_ENOMEM: later; PL_EIO is final.
 */
int pl_state_flush(struct pl_state *state);

/** What was frozen is in the store: let go of it. */
void pl_state_settle(struct pl_state *state);

/* ---- looking ---- */

/**
 * One thread's place to look from. Between renew and reset it sees at least what was
 * applied when it was renewed, and newer values as they are set or shown: each read is of the newest value of
 * its key, and a walk of the newest as it began. What is set after a freeze it does not see
 * (pl_snapshot_is_current()). While renewed it pins pages and memory, so a loop resets it before it sleeps.
 */
struct pl_snapshot;

int pl_snapshot_open(struct pl_state *state, struct pl_snapshot **out);
void pl_snapshot_close(struct pl_snapshot *snapshot); /* NULL is allowed */
int pl_snapshot_renew(struct pl_snapshot *snapshot);
void pl_snapshot_reset(struct pl_snapshot *snapshot); /* twice is allowed */
bool pl_snapshot_is_renewed(const struct pl_snapshot *snapshot);
/** Renewed, and sees what is set now: nothing was frozen since. Who reads for somebody new asks this, and else renews. */
bool pl_snapshot_is_current(const struct pl_snapshot *snapshot);

/** As pl_txn_get(); views are good until the snapshot is reset or renewed. */
int pl_snapshot_get(struct pl_snapshot *snapshot, struct pl_bytes key, struct pl_bytes *out);

/** Have the memory near that pl_snapshot_get() will want for these keys: at most PL_STORE_PREFETCH_MAX. */
void pl_snapshot_prefetch(struct pl_snapshot *snapshot, const struct pl_bytes *keys, size_t count);

/* One walk at a time, up or down. As pl_cursor_seek() and its like; key and value must both be wanted. */
int pl_snapshot_seek(struct pl_snapshot *snapshot, struct pl_bytes at_least, struct pl_bytes *key,
                     struct pl_bytes *value);
int pl_snapshot_seek_before(struct pl_snapshot *snapshot, struct pl_bytes below, struct pl_bytes *key,
                            struct pl_bytes *value);
int pl_snapshot_next(struct pl_snapshot *snapshot, struct pl_bytes *key, struct pl_bytes *value);
int pl_snapshot_prev(struct pl_snapshot *snapshot, struct pl_bytes *key, struct pl_bytes *value);

#endif
