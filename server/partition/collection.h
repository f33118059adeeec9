/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_COLLECTION_H
#define PL_PARTITION_COLLECTION_H

#include "model/table.h"
#include "partition/place.h"

/**
 * Collections: the items of a table that share one partition key value, with their entries in the
 * table's local indexes. All of it stands in one partition, so it has a limit (DynamoDB's is 10 GB). Tables
 * with a local index keep the size of each collection beside it:
 *
 *     key     partition ▸ COLLECTION ▸ the table's collection id ▸ hash ▸ partition key
 *     value   an item: { "7": 4096, "9": 512 }           bytes of the table 7, and of its local index 9
 *
 * The record is written by the change that makes it differ, so it is exact at every moment. What an index that is
 * gone had in it is passed over, and left out when the record is written next. Where there is no record
 * (items from before the table had a local index), the collection is walked once, by the first write to
 * it. With the last local index the table gives up its collection id, and the records are swept.
 */
struct pl_collection_work {
    const struct pl_view *view;
    uint32_t partition_count;
    const struct pl_table *table; /* with a collection id */
    uint64_t bytes_max;           /* a collection must not grow beyond it; 0: it may */
    struct pl_arena *arena;       /* scratch */
    struct pl_buf *scratch;
    struct pl_buf *change; /* of one write to the collection */
};

/**
 * The size of the collection under `pk` (encoded), before `change`; as the record has it, or, with `walk`, by
 * walking it when there is none. PL_ENOTFOUND: there is no record, and nothing was walked.
 */
int pl_collection_size(const struct pl_collection_work *work, struct pl_bytes pk, bool walk, uint64_t *out);

/**
 * Append the collection's new record to `change`, by what the change's own counts say of the table and of its
 * local indexes. `out` receives its size. PL_ECOLLECTION: it would grow beyond `bytes_max`; what makes it
 * smaller, or leaves it as it is, may always be done.
 */
int pl_collection_update(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out);

/**
 * Compare a record with the collection: `record` is what stands under `key`, or, when that is a shortened key's
 * bucket, under `full_key` in it.
 */
int pl_collection_check(const struct pl_collection_work *work, struct pl_bytes key, struct pl_bytes full_key,
                        struct pl_item record, uint64_t *recorded, uint64_t *found);

#endif
