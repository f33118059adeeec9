/* SPDX-License-Identifier: MIT */
#include "partition/batch.h"

#include <stdlib.h>

struct pl_batch *pl_batch_new(void)
{
    return calloc(1, sizeof(struct pl_batch));
}

void pl_batch_free(struct pl_batch *batch)
{
    if (batch == NULL)
        return;
    pl_tables_unref(batch->tables);
    pl_arena_deinit(&batch->arena);
    free(batch->changes);
    free(batch);
}

void pl_batch_reset(struct pl_batch *batch)
{
    struct pl_batch fresh = { .arena = batch->arena,
                              .changes = batch->changes,
                              .change_capacity = batch->change_capacity };

    pl_tables_unref(batch->tables);
    pl_arena_reset(&fresh.arena);
    *batch = fresh;
}

int pl_batch_copy_change(struct pl_batch *batch, struct pl_bytes bytes, struct pl_bytes *copy)
{
    struct pl_bytes made;

    if (batch->change_count == batch->change_capacity) {
        size_t capacity = batch->change_capacity == 0 ? 64 : batch->change_capacity * 2;
        struct pl_batch_change *changes = realloc(batch->changes, capacity * sizeof *changes);

        if (changes == NULL)
            return PL_ENOMEM;
        batch->changes = changes;
        batch->change_capacity = capacity;
    }
    made = pl_arena_copy(&batch->arena, bytes);
    if (made.data == NULL)
        return PL_ENOMEM;
    *copy = made;
    return 0;
}

void pl_batch_add_change(struct pl_batch *batch, struct pl_bytes copy, uint16_t partition, uint64_t index)
{
    PL_ASSERT(batch->change_count < batch->change_capacity);
    batch->changes[batch->change_count++] =
        (struct pl_batch_change){ .bytes = copy, .partition = partition, .index = index };
    batch->size_bytes += copy.len;
}

void pl_batch_add_operation(struct pl_batch *batch, struct pl_operation *op)
{
    op->next = NULL;
    if (batch->last == NULL)
        batch->first = op;
    else
        batch->last->next = op;
    batch->last = op;
    batch->operation_count++;
}

bool pl_batch_is_empty(const struct pl_batch *batch)
{
    return batch->change_count == 0 && batch->operation_count == 0;
}
