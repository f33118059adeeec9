/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_PREPARE_TRANSACTION_H
#define PL_PARTITION_PREPARE_TRANSACTION_H

#include "model/operation.h"
#include "model/tables.h"

/**
 * Check a TRANSACT_GET or TRANSACT_WRITE and its children, and make them ready to run, on the thread where the
 * request arrived.
 *
 *     wrong in itself     expressions, sizes, counts, an empty key, one item twice    PL_EINVALID
 *     no such table                                                                  PL_ENOTABLE
 *     wrong for a table   a key of the wrong type or none, an index's likewise        PL_ECANCELLED
 *
 * The last has the sentence in that child's reply, and only in the first such child's: then nothing needs to be
 * asked of the stored data. 0: every child holds its table, and `op->partition` is where the transaction goes.
 */
int pl_prepare_transaction(struct pl_operation *op, const struct pl_tables *tables, uint32_t partition_count);

/** The children cannot all be had: PL_ECANCELLED, with DynamoDB's sentence about their replies. */
int pl_prepare_cancelled(struct pl_operation *op);

#endif
