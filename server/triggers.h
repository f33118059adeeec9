/* SPDX-License-Identifier: MIT */
#ifndef PL_TRIGGERS_H
#define PL_TRIGGERS_H

#include "node.h"
#include "partition/counters.h"
#include "stream/lag.h"
#include "stream/schedule.h"

/**
 * Who runs a node's triggers: worker threads, each with a set of the Lua modules of its own, an attachment to the node
 * like any client's, and a place to read from. They sleep until records were applied, a pause is over, or somebody asks
 * for dead letters. Without threads the program's own thread does the same when pl_triggers_turn() is called.
 *
 *     shard ──stirred──▸ worker ─ take ─▸ a step of a lane (stream/trigger.h) ─ give back ─▸ take ...
 *                                             │ reads and writes, as a client
 */
struct pl_triggers;
struct cJSON;

enum { PL_TRIGGER_THREADS_MAX = 16, PL_TRIGGER_THREADS_DEFAULT = 2 };

struct pl_triggers_options {
    struct pl_node *node;
    uint32_t thread_count; /* with `threads`; 0: 2 */
    bool threads;
    struct pl_script_limits limits; /* of one run of a trigger's functions */
    struct pl_clock clock;
    struct pl_random random;
    const struct pl_logger *logger;
};

/** Nothing runs until it is started. */
int pl_triggers_new(const struct pl_triggers_options *options, struct pl_triggers **out);
int pl_triggers_start(struct pl_triggers *triggers, const struct pl_sequences *sequences,
                      uint32_t partition_count);
/**
 * A function that runs is ended, what waits for a reply gets it, and who asks for dead letters hears PL_ECLOSED. NULL is
 * allowed, and so is twice.
 */
void pl_triggers_stop(struct pl_triggers *triggers);
/** It must be stopped, or never have been started. NULL is allowed. */
void pl_triggers_free(struct pl_triggers *triggers);

/** Sets of modules for the workers, all or none; NULL where no table has a trigger. */
struct pl_trigger_scripts {
    struct pl_script *scripts[PL_TRIGGER_THREADS_MAX];
};
/** The texts of `script` once more for each worker (for none, when `triggers` is NULL). Must run on a thread with the stack that Lua asks for. */
int pl_triggers_load(struct pl_triggers *triggers, const struct pl_script *script,
                     struct pl_trigger_scripts *out, struct pl_reason *why);
/** From here on these are run, but for what is running. Takes them. `triggers` may be NULL. */
void pl_triggers_switch(struct pl_triggers *triggers, struct pl_trigger_scripts *scripts);
void pl_trigger_scripts_deinit(struct pl_trigger_scripts *scripts);

/** REPLAY_LETTERS or PURGE_LETTERS: `op` goes back through pl_node_return(). Any thread. */
void pl_triggers_letters(struct pl_triggers *triggers, struct pl_operation *op);

/**
 * Without threads: run what is due, for about `time_ms` at most. Nothing when called from within itself. Returns the time until something
 * will be due, in ms: 0: there is more now; UINT64_MAX: nothing.
 */
uint64_t pl_triggers_turn(struct pl_triggers *triggers, uint32_t time_ms);

/**
 * For STATS of a table: its triggers and how they are doing, added to `json`. Any thread. `triggers` may be NULL, as may the
 * snapshot, which is the caller's, and renewed and reset here. PL_ENOMEM.
 */
int pl_triggers_figures(struct pl_triggers *triggers, struct pl_table *table, struct pl_counters *counters,
                        struct pl_snapshot *snapshot, struct cJSON *json);

#endif
