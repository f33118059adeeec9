/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_SHARD_H
#define PL_PARTITION_SHARD_H

#include "base/clock.h"
#include "base/logger.h"
#include "model/operation.h"
#include "model/tables.h"
#include "partition/sequence.h"
#include "script/script.h"
#include "store/recovery.h"

/**
 * A shard: one journal, one state (what is applied: memory over a store, store/state.h), and the writes of
 * the partitions in them, one at a time. It is passive: it has no thread, no socket and no clock of its own, and never
 * waits. Whoever drives it calls, from one thread (the shard's):
 *
 *     submit      queue operations
 *     turn        judge what is queued, append it to the journal, seal a batch when none is in flight
 *     end_sync    the batch in flight is durable (or has failed)
 *     apply       put durable batches into memory, where reads see them; their operations are finished
 *     take        the finished operations
 *     tick        now and then: checkpoints, room, the journal's marks
 *
 * and, from a worker while the shard goes on:
 *
 *     run_sync        when pl_shard_syncs(): write and sync the batch in flight
 *     run_checkpoint  when pl_shard_checkpoints(): flush what is frozen into the store, and make that durable
 *     run_prepare     when pl_shard_wants_prepare(): the next journal segment
 *
 * With one thread in all, calling them in turn is fine: that is how an embedding
 * program and a simulator do it. The way of a write:
 *
 *     queue ─▸ evaluate ─▸ append ┄▸ synced ─▸ apply ─▸ finished
 */
struct pl_shard;

enum pl_shard_sync { PL_SHARD_SYNC_ALWAYS, PL_SHARD_SYNC_INTERVAL, PL_SHARD_SYNC_NEVER };

struct pl_shard_options {
    const struct pl_disk *disk; /* outlives the shard */
    const struct pl_datadir *dir;
    uint32_t number;
    struct pl_recovery_options recovery;
    enum pl_shard_sync sync;
    uint32_t sync_interval_ms;
    uint32_t checkpoint_interval_ms;   /* 0: 5000 */
    uint64_t checkpoint_journal_bytes; /* 0: 64 MiB */
    uint64_t collection_bytes_max;     /* partition/collection.h; 0: 10 GiB */
    uint32_t ttl_sweep_ms;             /* between two looks for what has expired; 0: 1000 */
    uint32_t stream_retention_ms;      /* how long stream records are kept; 0: 24 hours */
    struct pl_clock clock;
    const struct pl_logger *logger;
};

/** Recover the shard's files and everything in memory that follows from them. Waits for the disk. */
int pl_shard_open(const struct pl_shard_options *options, struct pl_shard **out, struct pl_reason *why);

/**
 * Nothing may be in flight on a worker. Operations that were never finished are dropped. With `clean`, takes a last checkpoint, so
 * that the next start replays nothing; its failure is returned, and harmless.
 */
int pl_shard_close(struct pl_shard *shard, bool clean, struct pl_reason *why);

/* Each lives as long as the shard. */
struct pl_store *pl_shard_store(struct pl_shard *shard);
struct pl_state *pl_shard_state(struct pl_shard *shard);
struct pl_counters *pl_shard_counters(struct pl_shard *shard);
const struct pl_sequences *pl_shard_sequences(struct pl_shard *shard);

/** What recovery found. */
struct pl_shard_start {
    uint64_t replayed_records;
    bool created;
};
struct pl_shard_start pl_shard_start(const struct pl_shard *shard);

/** Queue a list of prepared operations, linked by `next`, oldest first. They are the shard's until taken. */
void pl_shard_submit(struct pl_shard *shard, struct pl_operation *first);

/** Judge and append. Returns true when there is more to do at once (the queue is not empty, or a chore goes on). */
bool pl_shard_turn(struct pl_shard *shard);

/** A batch is sealed and waits for pl_shard_run_sync(). */
bool pl_shard_syncs(const struct pl_shard *shard);
/** Worker. Hand the result to pl_shard_end_sync(). */
int pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why);
/** A failure is final: see pl_shard_failed(). */
void pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why);

/** Make what is durable visible. Short of memory, it stays where it is: call again, later. */
void pl_shard_apply(struct pl_shard *shard);

/** True when a batch is durable and waits for pl_shard_apply() (or for memory). */
bool pl_shard_applies(const struct pl_shard *shard);

/** True when the last pl_shard_apply() found no memory: another will be no better at once. */
bool pl_shard_is_stuck(const struct pl_shard *shard);

/** True while somebody waits for a reply, or stands still. */
bool pl_shard_owes(const struct pl_shard *shard);

/**
 * Nobody waits any longer for memory that may never come: writes that are durable but cannot be applied are
 * finished with PL_EUNSURE (they come to light when there is memory, or with the next start), and who
 * stands still is told why not.
 */
void pl_shard_disappoint(struct pl_shard *shard);

/** The finished operations, oldest first, linked by `next`; NULL: none. */
struct pl_operation *pl_shard_take(struct pl_shard *shard);

/** The set of tables as of the last applied batch, with a reference for the caller, when it is newer than the last one taken; else NULL. */
struct pl_tables *pl_shard_take_tables(struct pl_shard *shard);

/** True when stream records were applied since the last call: who reads streams may want to know. */
bool pl_shard_take_streamed(struct pl_shard *shard);

/** Timed work: at least every 100 ms or so while anything happens, and after a second's rest. */
void pl_shard_tick(struct pl_shard *shard);

/** Nothing queued, in flight or unapplied. */
bool pl_shard_is_idle(const struct pl_shard *shard);

/** True while an index is being filled or a keyspace swept: turns go on with it as batches are applied. */
bool pl_shard_has_chores(const struct pl_shard *shard);

/** No more of them until the next start, which takes them up again: the end must not wait for a large table. */
void pl_shard_put_off_chores(struct pl_shard *shard);

/** What was applied is frozen and waits for pl_shard_run_checkpoint(). */
bool pl_shard_checkpoints(const struct pl_shard *shard);
/** Worker; nobody else writes to the store. Hand the result to pl_shard_end_checkpoint(). */
int pl_shard_run_checkpoint(struct pl_shard *shard, struct pl_reason *why);
/** For want of room or memory puts stop, and a later tick tries again; any other failure is final. */
void pl_shard_end_checkpoint(struct pl_shard *shard, int rc, const struct pl_reason *why);

/** The journal's next segment is wanted: see pl_journal_prepare(). */
bool pl_shard_wants_prepare(const struct pl_shard *shard);
/** Worker. A failure may be tried again. */
int pl_shard_run_prepare(struct pl_shard *shard, struct pl_reason *why);

/**
 * To see the store and the counters of one moment: with the next checkpoint, `frozen` is called when
 * everything applied is about to be flushed (copy the counters), and `flushed` when it
 * is in the store, before anything else gets there (take a snapshot of the store alone).
 */
struct pl_shard_still {
    void (*frozen)(struct pl_shard *shard, struct pl_shard_still *still);
    void (*flushed)(struct pl_shard *shard, struct pl_shard_still *still, int rc);
    struct pl_shard_still *next;
};
void pl_shard_stand_still(struct pl_shard *shard, struct pl_shard_still *still);

/** 0, or why the shard takes no more writes until the next start. */
int pl_shard_failed(const struct pl_shard *shard, const char **sentence);

/**
 * Switch to a newly loaded set of modules, whose definitions become the tables'. `hashes[i]`
 * is that of the text behind definition `i`. All or nothing: when a
 * definition is refused, the old modules stay. Takes `script` on success; the old one is freed.
 * `op` is finished when the new definitions are durable; it carries the reply.
 */
int pl_shard_load(struct pl_shard *shard, struct pl_script *script, const uint64_t *hashes,
                  struct pl_operation *op);

struct pl_shard_stats {
    uint64_t writes, transactions, conditions_failed, batches, changes, checkpoints;
    uint64_t expired; /* items deleted because their time had come, since the start */
    uint64_t
        expiry_lag_ms; /* for how long the oldest of those still there was due, when last looked at; 0: none was */
    uint64_t journal_start, journal_end, journal_durable, applied_position;
    size_t queued, inflight_keys, script_bytes;
    bool full;
    enum { PL_CHORE_IDLE, PL_CHORE_FILLING, PL_CHORE_SWEEPING } chore;
    uint32_t chore_id; /* of the index or the expiries filled, or of the keyspace swept */
    uint64_t chore_done;
};
/** Shard's thread. */
struct pl_shard_stats pl_shard_stats(const struct pl_shard *shard);

#endif
