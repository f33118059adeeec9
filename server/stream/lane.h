/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_LANE_H
#define PL_STREAM_LANE_H

#include "base/clock.h"
#include "model/table.h"
#include "partition/stream.h"

/**
 * One slot of one partition, as one trigger goes through it: records in, in their order; which of them to run next; and
 * what to do when that fails. A lane only decides. It has no clock, no snapshot and no script: whoever drives it asks
 * pl_lane_next() and says what came of it, so a test needs neither threads nor patience.
 *
 *        saved           position            looked
 *     ─────┼────────────────┼─ ■ ■ ■ ■ ■ ■ ─────┼──────▸ sequence numbers
 *          checkpoint       done, or not ours   read so far; the records between are held, at most a batch of them
 *
 * Failure. A failed window of several records is halved, and its halves run in their order, until one record alone
 * fails: that one is run again after a pause that doubles, `retries` times or until it is too old, and then becomes a
 * dead letter. Records after it wait; other lanes do not.
 *
 *     8 fail ─▸ first 4 pass ─▸ next 2 fail ─▸ 1 passes ─▸ 1 fails, again, again ─▸ dead letter ─▸ last 2 pass
 */
enum {
    PL_LANE_BYTES_MAX = 4 << 20,  /* held of records, but one is always taken */
    PL_LANE_SKIPPED_MAX = 10000,  /* records passed over before the checkpoint is moved for them alone */
    PL_LANE_LOST_MAX = 100,       /* dead letters in one change */
    PL_LANE_PAUSE_FIRST_MS = 100, /* before the first retry; doubled for each one after it */
    PL_LANE_PAUSE_MAX_MS = 60 * 1000,
    PL_LANE_DEPTH_MAX = 16, /* of a cascade: triggers that set off triggers */
    PL_LANE_ENDS_MAX = 64,
};
#define PL_LANE_KEPT_MS (INT64_C(24) * 3600 * 1000) /* what a stream keeps, and so `retries` without end */

/** Views into the lane's own memory, until it has passed them. */
struct pl_lane_record {
    struct pl_bytes value; /* as in the stream */
    struct pl_stream_record record;
};

struct pl_lane {
    const struct pl_trigger *rules; /* outlive the lane */
    uint64_t saved, position, looked;
    uint64_t trimmed; /* the last sequence that was gone from the stream at the last look */
    uint64_t skipped; /* records since `saved` that were passed without being run */

    /* Held: records[first] up to records[count], in `arena`. */
    struct pl_arena arena;
    struct pl_lane_record *records;
    uint32_t first, count, room;
    size_t held_bytes;
    uint64_t held_since_ns; /* the first of them came */

    uint32_t ends[PL_LANE_ENDS_MAX]; /* of the windows that a failed one was cut into, innermost last */
    uint32_t end_count;
    uint32_t attempts;       /* of the record alone at the front */
    uint32_t pauses;         /* in a row: each is longer */
    uint64_t due_ns;         /* nothing is done before */
    uint32_t lost;           /* records at the front that become dead letters next */
    struct pl_reason *error; /* ours: of the record at the front, or of the window; NULL: none */
};

enum pl_lane_step {
    PL_LANE_REST, /* until more is applied than `looked` */
    PL_LANE_WAIT, /* until `due_ns`, whatever is applied meanwhile */
    PL_LANE_READ, /* records after `looked`, while pl_lane_has_room() */
    PL_LANE_RUN,  /* records[first] up to pl_lane_end() */
    PL_LANE_BURY, /* records[first] up to pl_lane_end() become dead letters, and why says `error` */
    PL_LANE_SAVE, /* nothing to run, but far to go again after a restart: move the checkpoint to `position` */
};

/** Stands at `saved`, which the checkpoint says. */
void pl_lane_init(struct pl_lane *lane, const struct pl_trigger *rules, uint64_t saved);
void pl_lane_deinit(struct pl_lane *lane);

/** What to do now. `applied`: the last sequence number that can be read. */
enum pl_lane_step pl_lane_next(struct pl_lane *lane, uint64_t applied, uint64_t now_ns, int64_t wall_ms);

/** Does the trigger want this record? One that it was not made for, or is older than itself, it does not. */
bool pl_lane_wants(const struct pl_trigger *rules, const struct pl_stream_record *record);
bool pl_lane_has_room(const struct pl_lane *lane);
/** A copy of it is held. The record's views are into `value`. PL_ENOMEM: it is not. */
int pl_lane_hold(struct pl_lane *lane, const struct pl_stream_record *record, struct pl_bytes value,
                 uint64_t now_ns);
/** All up to `sequence` was looked at; `skipped` of it was not wanted. */
void pl_lane_looked(struct pl_lane *lane, uint64_t sequence, uint64_t skipped);

/** The window of RUN or BURY: the place behind its last record. */
uint32_t pl_lane_end(const struct pl_lane *lane);
/** The checkpoint that passes the records before place `end`. */
uint64_t pl_lane_sequence(const struct pl_lane *lane, uint32_t end);

/** Done: records[first] up to `end` (or, for SAVE, nothing but the way to `position`), and the checkpoint is `saved`. */
void pl_lane_done(struct pl_lane *lane, uint32_t end, uint64_t saved);
/** Why the records of BURY are not run (again). */
const char *pl_lane_error(const struct pl_lane *lane);
/** The next window ends before place `end`, which is within this one. What it would have had goes with those behind it. */
void pl_lane_shorten(struct pl_lane *lane, uint32_t end);
/** They passed without a trace: the checkpoint may stay where it is for a while. */
void pl_lane_passed(struct pl_lane *lane, uint32_t end);
/** The function failed on the window; `first`: it says that it is the first record's doing. `chance` is any number. */
void pl_lane_failed(struct pl_lane *lane, bool first, const struct pl_reason *why, uint64_t now_ns,
                    int64_t wall_ms, uint64_t chance);
/**
 * What is held is given back while the lane pauses, and read again from the stream behind `position`. Attempts are
 * remembered: the record they were made with is then read and run by itself. Not while records wait to be buried.
 */
void pl_lane_give_back(struct pl_lane *lane);
/** There is no memory to read into: wait a little. */
void pl_lane_wait(struct pl_lane *lane, uint64_t now_ns);
/** The next record is not the one that attempts were made with: that is gone from the stream. */
void pl_lane_lost(struct pl_lane *lane);
/** The memory that its records take. */
size_t pl_lane_held_bytes(const struct pl_lane *lane);
/** Not the function's fault (no room, no memory, throttled): the same again after a pause. */
void pl_lane_troubled(struct pl_lane *lane, uint64_t now_ns, uint64_t chance);

#endif
