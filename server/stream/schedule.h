/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_SCHEDULE_H
#define PL_STREAM_SCHEDULE_H

#include "model/tables.h"
#include "stream/trigger.h"

/**
 * All lanes of all triggers, and which of them has something to do. Workers take one, go a step with it (trigger.h), and
 * give it back; whoever shares a schedule among threads locks it around these calls, and around nothing else.
 *
 *     learn ─▸ take ─▸ (a step, unlocked) ─▸ give back ─▸ take ─▸ ...   until nothing is ready before `due_ns`
 *
 * Lanes take turns: one that always has more to do keeps nobody waiting for more than a step.
 */
struct pl_schedule;

int pl_schedule_new(uint32_t partition_count, const struct pl_sequences *sequences, struct pl_schedule **out);
/** Nothing may be taken. NULL is allowed. */
void pl_schedule_free(struct pl_schedule *schedule);

/**
 * These are the tables now. Triggers that are there as before go on; others end, when nobody has them, and begin.
 * PL_ENOMEM: not all is known; learn again.
 */
int pl_schedule_learn(struct pl_schedule *schedule, const struct pl_tables *tables);

/** Something to do: a place to load, or a lane to go on with. */
struct pl_schedule_task {
    struct pl_schedule_entry *entry;
    const struct pl_trigger_source *source;
    uint16_t partition;
    uint64_t applied;              /* as of now */
    struct pl_trigger_lane *lanes; /* to be loaded: as many as `parallel`; NULL: nothing is to be loaded */
    struct pl_trigger_lane *lane;
};

/** False: there is nothing before `*due_ns` (UINT64_MAX: nothing until something is applied). */
bool pl_schedule_take(struct pl_schedule *schedule, uint64_t now_ns, struct pl_schedule_task *out,
                      uint64_t *due_ns);
/** After a step, what that returned; after loading, `rc` of that. */
void pl_schedule_give_back(struct pl_schedule *schedule, const struct pl_schedule_task *task, int rc,
                           enum pl_lane_step step, uint64_t now_ns);

/** Hold on to a trigger, by its id, so that it does not end. NULL: there is none. */
struct pl_schedule_entry *pl_schedule_hold(struct pl_schedule *schedule, uint32_t trigger_id,
                                           const struct pl_trigger_source **source);
void pl_schedule_release(struct pl_schedule *schedule, struct pl_schedule_entry *entry);

/** How a trigger is doing. */
struct pl_schedule_report {
    uint64_t runs, records, failures, letters, trimmed; /* since the start */
    uint64_t waiting;                                   /* lanes that pause after a failure */
    int64_t oldest_ms; /* the time of the oldest record that is held and not done; 0: none is */
};
bool pl_schedule_report(struct pl_schedule *schedule, uint32_t trigger_id, struct pl_schedule_report *out);
/** For each slot: all its records up to there are done. False: that is not known, nobody has looked there yet. */
bool pl_schedule_positions(struct pl_schedule *schedule, uint32_t trigger_id, uint16_t partition,
                           uint64_t positions[PL_PROGRESS_SLOTS_MAX]);

#endif
