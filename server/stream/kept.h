/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_KEPT_H
#define PL_STREAM_KEPT_H

#include "model/operation.h"
#include "model/tables.h"

/**
 * The writes of a trigger's function that wait for its end, to be made in one change with its checkpoint: so they
 * happen exactly once, however often the function is run. Kept is what asks nothing back and names an item
 * that no other kept write names:
 *
 *     db:put(table, item)   db:delete(table, key)   db:update(table, key, expression)      without options
 *
 * At most 100 of them, of at most 4 MB together.
 */
enum { PL_KEPT_MAX = 100, PL_KEPT_BYTES_MAX = 4 << 20 };

struct pl_kept {
    struct pl_operation *operations; /* prepared; room for PL_KEPT_MAX, made when first needed */
    uint32_t count;
    uint64_t size_bytes;
};

void pl_kept_deinit(struct pl_kept *kept);

/** Does it ask nothing back? Then it may be kept. */
bool pl_kept_allows(const struct pl_operation *op);

/** There is no room for more like `op`. */
bool pl_kept_is_full(const struct pl_kept *kept, const struct pl_operation *op);

/**
 * Check the operation, as its router would, and take over its contents; `op` is empty then, as one that succeeded.
 * PL_EINUSE: its item is named already, and nothing was taken. Another failure is in op->reply.
 */
int pl_kept_take(struct pl_kept *kept, struct pl_operation *op, const struct pl_tables *tables,
                 uint32_t partition_count);

/** They are made, or are not to be. */
void pl_kept_clear(struct pl_kept *kept);

#endif
