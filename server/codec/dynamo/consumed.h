/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_CONSUMED_H
#define PL_CODEC_DYNAMO_CONSUMED_H

#include "codec/dynamo/dynamo.h"

/** What a reply says about capacity: objects, appended to `out`. */

/** ConsumedCapacity of one table, named as the client named it. */
void pl_dynamo_consumed_write(struct pl_buf *out, struct pl_bytes table, const struct pl_capacity *capacity,
                              enum pl_capacity_report report);

/** The same of a transaction, which tells reads from writes. */
void pl_dynamo_consumed_write_transaction(struct pl_buf *out, struct pl_bytes table,
                                          const struct pl_capacity *capacity, enum pl_capacity_report report);

/** ItemCollectionMetrics of a write that was done. Only for a table with local indexes (pl_dynamo_has_collections()). */
void pl_dynamo_metrics_write(struct pl_buf *out, const struct pl_operation *op);
bool pl_dynamo_has_collections(const struct pl_table *table);

#endif
