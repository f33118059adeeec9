/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_ROWS_H
#define PL_MODEL_ROWS_H

#include "model/operation.h"

/**
 * The rows of a QUERY, SCAN or BATCH_GET, kept in a buffer for callers that want them all together.
 *
 *     child u32 ▸ size as DynamoDB counts it u32 ▸ length u32 ▸ bytes           any number of times
 */

/** Append a row that an operation hands over (pl_row_fn). Memory trouble shows in pl_buf_status(). */
void pl_rows_append(struct pl_buf *rows, const struct pl_operation *op, struct pl_item item);

/**
 * Walk over the rows: begin with `*rest` = pl_buf_view(&rows). `child` is the batch's
 * child that found the item, else 0. False at the end.
 */
bool pl_rows_take(struct pl_bytes *rest, uint32_t *child, struct pl_item *out);

#endif
