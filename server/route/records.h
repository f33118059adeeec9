/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_RECORDS_H
#define PL_ROUTE_RECORDS_H

#include "model/operation.h"
#include "partition/stream.h"

/**
 * RECORDS: a page of one shard of a stream, at most `limit` records and about 1 MB. PL_ENOTFOUND: the table has no such
 * stream, or the stream no such shard. PL_ETRIMMED: what comes after the position is kept no longer. `op->table` is there;
 * the snapshot is renewed, and was so after what `sequences` are asked for.
 */
int pl_records_read(struct pl_snapshot *snapshot, const struct pl_sequences *sequences,
                    struct pl_operation *op);

#endif
