/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_SHARD_INSIDE_H
#define PL_PARTITION_SHARD_INSIDE_H

#include "partition/shard.h"

#include "partition/batch.h"
#include "partition/catalog.h"
#include "partition/chore.h"
#include "partition/counters.h"
#include "partition/evaluate.h"
#include "partition/expiry_marks.h"
#include "partition/heads.h"
#include "partition/transact.h"
#include "replica/group.h"

/**
 * What the files of the shard share, and nobody else sees:
 *
 *     shard.c             opening, closing, figures
 *     shard_turn.c        the queue, batches, sealing, applying
 *     shard_judge.c       one operation: a write, a change of schema, a new set of modules
 *     shard_transact.c    a transaction, and its token
 *     shard_advance.c     a trigger's step forward, with what it has written
 *     shard_chore.c       filling and sweeping, a step at a time
 *     shard_expiry.c      deleting what has expired, a step at a time
 *     shard_timed.c       what time brings: expiry, trimming, forgetting; a step at a time
 *     shard_trim.c        what streams keep no longer
 *     shard_checkpoint.c  timed work: freezing, flushing, checkpoints, room, rest
 */
enum { PL_SHARD_TIMED_MAX = 8 };

struct pl_shard {
    struct pl_shard_options options;
    struct pl_recovered files;
    struct pl_state *state; /* the files' store, and what is applied but not in it yet */
    uint32_t partition_count;
    uint64_t seed;                 /* of hashes of clients' keys */
    struct pl_group *groups;       /* one for each partition */
    struct pl_sequences sequences; /* of their stream records */
    bool streamed;                 /* some were applied since pl_shard_take_streamed() */
    struct pl_counters *counters;
    struct pl_catalog catalog;   /* as of the newest change, in flight or not */
    uint64_t catalog_batch;      /* which has that change */
    struct pl_tables *published; /* as of the last applied batch; NULL once taken */
    struct pl_script *script;    /* NULL: no modules */

    /* Evaluation. */
    struct pl_inflight *inflight;
    struct pl_evaluator evaluator; /* its view's snapshot is ours */
    struct pl_transact transact;
    uint16_t token_partition; /* where old tokens are looked for next */

    /* Operations waiting, and batches on their way. */
    struct pl_operation *queue_first, *queue_last;
    size_t queued;
    uint32_t looked_ahead; /* so many of the queue: their items were asked for */
    struct pl_batch *gathering;
    struct pl_batch *in_flight; /* on the worker */
    struct pl_batch *durable;   /* to be applied; oldest first */
    struct pl_batch *spare;
    uint64_t batch_number;
    uint64_t applied_batch;
    uint64_t applied_position; /* of the journal: all before is in the state */
    struct pl_operation *finished_first, *finished_last;

    /* Checkpoints: begun, run by a worker, recorded in the journal, committed once durable. */
    enum {
        CHECKPOINT_NONE,
        CHECKPOINT_BEGUN,    /* what was applied is frozen; a worker flushes and syncs it */
        CHECKPOINT_WAITING,  /* it found no room or memory: the next tick begins it again */
        CHECKPOINT_RECORDED, /* its record is in the journal, not yet durable */
    } checkpoint;
    struct pl_shard_still *stills_waiting; /* for the next checkpoint */
    struct pl_shard_still *stills_frozen;  /* for this one */
    uint64_t checkpoint_record;            /* journal position of the record */
    uint64_t checkpoint_position;          /* applied position at the last begin */
    uint64_t applied_changes;
    uint64_t checkpoint_changes; /* applied_changes then: a directory at rest needs no checkpoint */

    struct pl_chore chore;
    uint64_t chore_batch; /* its last change is in this batch: the next step waits for it */
    bool chores_put_off;
    bool chores_wait; /* the catalog has changed since it was last asked for chores, and there were none */

    /* Timed work, each by its place in shard_timed.c's list. */
    struct pl_shard_timed {
        uint64_t due_ns; /* of its next step */
        int failure;     /* of its last step; 0: none */
    } timed[PL_SHARD_TIMED_MAX];
    struct pl_shard_trim {
        uint32_t stream_id; /* where the round is: the next is this or a higher one; 0: between two rounds */
        uint32_t partition;
        uint64_t round_ns; /* when the last one began */
    } trim;
    uint64_t timed_batch; /* the last change of a step is in this batch: the next step waits for it */
    size_t timed_next;    /* whose turn it is */
    bool pressed;         /* clients are at work, or were a moment ago: steps are small and far between */
    uint64_t pressed_ns;  /* when that was seen last */

    /* Deleting what has expired: where its round is. */
    struct pl_reaper {
        struct pl_expiry_marks marks;
        uint32_t expiry_id; /* of the table; 0: between two rounds */
        uint16_t partition;
        bool more;      /* this round left something that is due */
        int64_t now_ms; /* when it began */
        int64_t lag_ms; /* for how long the oldest of that has been due */
        int failure;    /* PL_ECORRUPT: it met damage */
    } reaper;

    /* The times of the last of each, monotonic. */
    uint64_t checkpoint_ns, room_ns, synced_ns, reap_ns, active_ns;
    uint64_t chore_failed_ns; /* 0: it has not */
    int chore_failure;        /* of the last step; 0: none */
    int starved; /* not 0: what is applied cannot be put into the store, for want of room or memory */
    bool full;   /* puts stop */
    int stuck;   /* not 0: what is durable cannot be applied for now, so nothing more is taken */
    int failed;
    struct pl_reason failed_why;
    struct pl_shard_stats stats;
};

/* ---- shard.c ---- */

uint64_t pl_shard_now_ns(const struct pl_shard *shard);
bool pl_shard_passed_ms(uint64_t now, uint64_t since, uint64_t ms);

/** From here on the shard takes nothing more: what the disk holds is not known. The process must end. */
void pl_shard_fail(struct pl_shard *shard, int rc, const struct pl_reason *why);

/** Where the partitions stand, as it is written with a checkpoint. */
struct pl_heads pl_shard_heads(struct pl_shard *shard);

/* ---- shard_turn.c ---- */

/** The operation has its reply and waits for nothing: it can be taken. */
void pl_shard_finish(struct pl_shard *shard, struct pl_operation *op);

/** True for changes that make the store larger: they stop early, so that deletes still find room. */
bool pl_shard_grows(const struct pl_operation *op);

/** The operation is judged. What it learned may be in flight still: then it waits with it. */
void pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);

/**
 * A change becomes part of the gathering batch: in its memory, in its group's journal
 * and in the overlay. A failure leaves all three as they were.
 */
int pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                    enum pl_journal_use use, struct pl_reason *why);

/** False: what is being flushed must reach the store before more is taken into memory. */
bool pl_shard_memory_has_room(const struct pl_shard *shard);

/** The same, and so much of it that what can wait takes none from the writers who come. */
bool pl_shard_memory_has_ease(const struct pl_shard *shard);

/** What was gathered goes to the disk, if nothing else is on its way there. */
void pl_shard_seal(struct pl_shard *shard);

/** See what is applied; let go of it. */
int pl_shard_freshen_view(struct pl_shard *shard);
void pl_shard_drop_view(struct pl_shard *shard);

/* ---- shard_judge.c ---- */

/** Give the operation its reply, and conclude it. */
void pl_shard_judge(struct pl_shard *shard, struct pl_operation *op);

/**
 * The end of a change to a copy of the catalog, `rc` being what has become of it. With 0 the change goes to the journal
 * and the copy is the shard's; readers see it when the change is applied. Takes `next` and `change` either way. Returns
 * `rc`, or why the journal did not take it.
 */
int pl_shard_adopt_catalog(struct pl_shard *shard, int rc, struct pl_catalog *next, struct pl_buf *change,
                           enum pl_journal_use use, struct pl_reason *why);

/** The table's current version for the operation, which then holds that. PL_ENOTABLE: it was dropped. */
int pl_shard_refresh_table(struct pl_shard *shard, struct pl_operation *op);

/** 0, or why nothing that makes the store larger can be taken. */
int pl_shard_check_room(const struct pl_shard *shard, const struct pl_operation *op);

/* ---- shard_transact.c ---- */

/** The children's tables, as pl_shard_refresh_table(). */
int pl_shard_refresh_tables(struct pl_shard *shard, struct pl_operation *op);

/** A TRANSACT_GET or TRANSACT_WRITE: returns what its reply's `rc` is to be. */
int pl_shard_transact(struct pl_shard *shard, struct pl_operation *op);

/** Timed work: forget tokens that are no longer alive. */
int pl_shard_forget_tokens(struct pl_shard *shard);
/* ---- shard_advance.c ---- */

/** A trigger's step forward (progress.h): judged and committed. */
int pl_shard_advance(struct pl_shard *shard, struct pl_operation *op);

/* ---- shard_chore.c ---- */

/** One step, when the one before is applied: then the snapshot has it. True when more is to come. */
bool pl_shard_do_chore(struct pl_shard *shard);

/* ---- shard_timed.c ---- */

/**
 * The next step of the timed work that is due, when the one before is applied: then the snapshot has it. True
 * when more is to come at once.
 */
bool pl_shard_do_timed(struct pl_shard *shard);

/** For a step: commit a change that makes nothing larger. */
int pl_shard_commit_timed(struct pl_shard *shard, uint16_t partition, struct pl_bytes change);

/* ---- shard_expiry.c ---- */

/** Timed work: delete some of what has expired. */
int pl_shard_expire(struct pl_shard *shard);
/* ---- shard_trim.c ---- */
/** Timed work: delete stream records that have been kept long enough, forget closed streams. */
int pl_shard_trim(struct pl_shard *shard);

/* ---- shard_checkpoint.c ---- */

/** What is applied, with the counters and the groups' places, is ready to be flushed. */
int pl_shard_freeze(struct pl_shard *shard);

/** Tell those who wait for this checkpoint; or, with a failure, for the next one too. */
void pl_shard_tell_flushed(struct pl_shard *shard, int rc);

/** If the checkpoint's record has become durable, the journal before it is needed no more. */
void pl_shard_commit_checkpoint(struct pl_shard *shard);

#endif
