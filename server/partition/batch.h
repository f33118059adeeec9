/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_BATCH_H
#define PL_PARTITION_BATCH_H

#include "model/operation.h"
#include "model/tables.h"

/**
 * What travels through the journal together: the changes of a turn, and the operations
 * that wait for them. An operation that changed nothing waits too when what it saw
 * was in flight: nobody learns of a write before it is durable.
 *
 *     gathering ─▸ in flight (write, sync) ─▸ durable ─▸ applied, replies go out
 */
struct pl_batch_change {
    struct pl_bytes bytes; /* in the batch's arena */
    uint16_t partition;
    uint64_t index; /* in its group */
};

struct pl_batch {
    struct pl_batch *next;
    uint64_t number; /* grows */
    struct pl_arena arena;
    struct pl_batch_change *changes;
    size_t change_count, change_capacity;
    size_t size_bytes; /* of the changes */
    struct pl_operation *first, *last;
    size_t operation_count;
    struct pl_tables *tables; /* the set to be published when applied; NULL: as before. One reference */
    bool must_sync;           /* whatever the sync mode: it holds a checkpoint's record */
    uint64_t end;             /* journal position behind it, once sealed */
};

struct pl_batch *pl_batch_new(void);
void pl_batch_free(struct pl_batch *batch);

/** Empty it for another use, keeping memory of ordinary size. */
void pl_batch_reset(struct pl_batch *batch);

/** A copy of `bytes` in the batch, with room in the list for it: the next pl_batch_add_change() cannot fail. */
int pl_batch_copy_change(struct pl_batch *batch, struct pl_bytes bytes, struct pl_bytes *copy);
void pl_batch_add_change(struct pl_batch *batch, struct pl_bytes copy, uint16_t partition, uint64_t index);

void pl_batch_add_operation(struct pl_batch *batch, struct pl_operation *op);

bool pl_batch_is_empty(const struct pl_batch *batch);

#endif
