/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_EVALUATE_H
#define PL_PARTITION_EVALUATE_H

#include "base/clock.h"
#include "model/operation.h"
#include "partition/sequence.h"
#include "partition/view.h"
#include "script/script.h"

/**
 * One write, judged: the stored item, the condition, the update and the table's Lua
 * functions become a change, or a refusal. Runs on the shard, one write at a time, so
 * what it saw stays true until the next.
 *
 *     admission ─▸ old item ─▸ condition ─▸ new item ─▸ named condition ─▸ before_write ─▸ checks ─▸ effects
 */
struct pl_evaluator {
    struct pl_view view;
    uint32_t partition_count;
    struct pl_sequences *sequences; /* of the partitions' stream records */
    struct pl_clock clock;          /* their time, and what the table may use at it */
    uint64_t collection_bytes_max;  /* partition/collection.h */
    struct pl_arena arena;          /* emptied before each write */
    struct pl_buf new_bytes;        /* of the item an update or a script makes */
    struct pl_buf script_bytes;
    struct pl_buf scratch;
    struct pl_buf change; /* the result; empty: nothing changes */
};

void pl_evaluator_deinit(struct pl_evaluator *evaluator);

/**
 * Judge a prepared PUT, UPDATE, DELETE or CONDITION_CHECK of `table` (the shard's current version).
 * `script` holds the table's functions, NULL when it has none.
 *
 * Fills `op->reply` and returns its `rc`; what it cost is charged by who commits it (partition/admission.h). With 0, `evaluator->change` holds the effects,
 * until the next call; with a failure there are none.
 */
int pl_evaluate(struct pl_evaluator *evaluator, struct pl_operation *op, const struct pl_table *table,
                struct pl_table_script *script);

/** The item that a prepared operation names, as the next write would see it; a view. PL_ENOTFOUND: none. */
int pl_evaluate_find(struct pl_evaluator *evaluator, const struct pl_operation *op, struct pl_item *out);

#endif
