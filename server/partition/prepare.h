/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_PREPARE_H
#define PL_PARTITION_PREPARE_H

#include "model/operation.h"
#include "model/tables.h"

/**
 * Check an item operation against its table and make it ready to run: expressions
 * parsed, keys encoded, the index found. Everything that can be refused without
 * looking at stored data is refused here, in DynamoDB's order and with its words, on
 * the thread where the request arrived.
 *
 * 0: the operation holds a reference to its table. Otherwise its reply holds the
 * failure, which is also returned. Not for BATCH_* (prepare their children), TRANSACT_* (see
 * prepare_transaction.h) and schema operations.
 */
int pl_prepare(struct pl_operation *op, const struct pl_tables *tables, uint32_t partition_count);

/* The same in its three steps, for those who prepare several operations side by side. Each returns what it
 * found wrong and leaves the reply's `rc` to the caller. */

/** What is wrong in itself, whatever the table. */
int pl_prepare_request(struct pl_operation *op);
/** Find the table, and what the operation names of it but its keys. */
int pl_prepare_table(struct pl_operation *op, const struct pl_tables *tables);
/** Against the table's schema: keys are encoded, the place is found. */
int pl_prepare_keys(struct pl_operation *op, uint32_t partition_count);

/** The first two steps for all of `op`'s children: what is wrong in any of them is told before a table that is not there. */
int pl_prepare_children(struct pl_operation *op, const struct pl_tables *tables);

/** `child` failed with `rc`: its sentence becomes that of `op`. Returns `rc`. */
int pl_prepare_adopt(struct pl_operation *op, struct pl_operation *child, int rc);

/** PL_EINVALID with `sentence` when two of `op`'s prepared children name one item. */
int pl_prepare_distinct(struct pl_operation *op, const char *sentence);

/** The sentence for a secondary index's key attribute at fault in an item to be written. Returns PL_EINVALID. */
int pl_prepare_index_key_failure(enum pl_key_found found, const struct pl_index *index,
                                 const struct pl_key_attribute *bad, struct pl_item item,
                                 struct pl_reason *why);

#endif
