/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_TRIGGER_H
#define PL_STREAM_TRIGGER_H

#include "base/logger.h"
#include "partition/letter.h"
#include "partition/progress.h"
#include "script/script.h"
#include "stream/kept.h"
#include "stream/lane.h"

#include <stdatomic.h>

/**
 * A trigger at work: the lanes through its table's stream, and one step on one of them. What a step does is decided by
 * the lane (lane.h); here it is done:
 *
 *     read   records are copied off a snapshot, a bounded piece, and the snapshot is given back
 *     run    the Lua function, on what was copied: nothing of the database is held meanwhile
 *     move   one change: what the function wrote and was kept (kept.h), the checkpoint, dead letters
 *
 * A step waits for its reads and writes like any client, so it belongs on a thread where waiting hurts nobody.
 */

/** What a trigger has done since the server started. */
struct pl_trigger_figures {
    atomic_uint_fast64_t runs, records, failures, letters;
    atomic_uint_fast64_t trimmed; /* sequence numbers that were kept no longer when a slot came to them */
};

/**
 * The memory for records that all lanes of a node share. Nobody reads while it is used up; a lane that pauses while more
 * than half of it is used gives back what it holds, so that those that can go on do. It is overdrawn by what one read
 * takes (PL_LANE_BYTES_MAX and a record) for each worker.
 */
struct pl_trigger_budget {
    atomic_uint_fast64_t held_bytes;
    uint64_t max_bytes;
};
#define PL_TRIGGER_HELD_BYTES_MAX (UINT64_C(64) << 20)

/** One trigger of one table, as it was declared: another declaration makes another. */
struct pl_trigger_source {
    struct pl_table *table;             /* a reference of ours; its name, keys and stream are used */
    struct pl_trigger trigger;          /* the name is in `table` */
    struct pl_trigger_figures *figures; /* outlive this; NULL in tests that do not look */
    struct pl_trigger_budget *budget;   /* outlives this */
};

/** What a worker lends to the steps it takes. All of it is the worker's own, or may be used by any thread. */
struct pl_trigger_hands {
    struct pl_snapshot *snapshot; /* renewed and reset within a step */
    uint32_t partition_count;
    struct pl_script *script; /* NULL: none is loaded */
    /** Run them side by side, in this order, and wait for all replies. */
    void (*run)(void *state, struct pl_operation *const *ops, uint32_t count);
    /** The newest tables; good until `run` is called. */
    const struct pl_tables *(*tables)(void *state);
    void *state;
    /** True: the server ends, and nothing that fails now is anybody's fault. */
    bool (*is_ending)(void *state);
    struct pl_clock clock;
    struct pl_random random;
    const struct pl_logger *logger;
    /* Its scratch memory. */
    struct pl_kept kept;
    struct pl_buf effects, scratch;
};

void pl_trigger_hands_deinit(struct pl_trigger_hands *hands);

/** A slot of a partition, under way. */
struct pl_trigger_lane {
    struct pl_lane lane;
    uint16_t partition;
    uint8_t slot;
    bool loaded;          /* it knows its checkpoint */
    size_t charged_bytes; /* to the budget; to be given back with the lane */
};

/**
 * Find out where the slots of a partition stand. When they were another number before, they are cut anew: all begin
 * before the first record that an old one had not done. `lanes` has one for each. A failure leaves them to be loaded again.
 */
int pl_trigger_load(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                    uint16_t partition, struct pl_trigger_lane *lanes);

/**
 * Go on with a loaded lane, up to one run of the function. `applied` is asked of the partition's sequences before the call.
 * PL_LANE_REST, PL_LANE_WAIT: see lane.h; anything else: call again. It may be no longer loaded then.
 */
enum pl_lane_step pl_trigger_step(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                                  struct pl_trigger_lane *at, uint64_t applied);

/** A failure that is neither the function's nor the record's, and may be over soon. */
bool pl_trigger_is_trouble(int rc);

/** Run the dead letter once more: gone when that succeeds, else kept with its new error. 0, or why it failed. */
int pl_trigger_replay(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      const struct pl_letter *letter, struct pl_reason *why);

/** Append to `effects` that the letter is no more. */
void pl_trigger_drop_letter(struct pl_buf *effects, const struct pl_trigger_source *source,
                            const struct pl_letter *letter);
/** Make the change of `hands->effects`, all of one partition. */
int pl_trigger_change(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      uint16_t partition);

/** The slot of `parallel` that a record belongs to, by its partition key. PL_ENOMEM. */
int pl_trigger_slot(const struct pl_trigger_source *source, const struct pl_stream_record *record,
                    struct pl_buf *scratch, uint8_t *out);

#endif
