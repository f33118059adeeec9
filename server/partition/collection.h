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
 * gone had in it is passed over, and left out when the record is written next. What a table holds when it gets its
 * first local index is counted while that is filled, or by the first write before that. With the last local index the table gives up its collection id, and the records are swept.
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

/** The size of the collection under `pk` (encoded), as its record has it. PL_ENOTFOUND: there is none. */
int pl_collection_size(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out);

enum { PL_COLLECTION_PARTS_MAX = 1 + PL_LOCAL_INDEXES_MAX, PL_COLLECTION_UNCOUNTED = 1 };

/**
 * Append the collection's new record to `change`, by what the change's own counts say of the table and of its
 * local indexes. `out` receives its size. PL_ECOLLECTION: it would grow beyond `bytes_max`; what makes it
 * smaller, or leaves it as it is, may always be done. PL_COLLECTION_UNCOUNTED: it has no record and is too large to
 * be walked at once; the filling of the table's index will count it, and until then it has no limit.
 */
int pl_collection_update(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out);

/** What a collection consists of: the table's items first, then each local index's entries. */
struct pl_collection_parts {
    struct pl_collection_part {
        enum pl_key_kind kind;
        uint32_t id;
        int64_t bytes;
    } parts[PL_COLLECTION_PARTS_MAX];
    uint32_t count;
};

/**
 * A large collection being counted, some thousand records at a time, between writes. What the walk has
 * passed is kept right by noting every effect on it as it is committed; what lies ahead is found when the walk
 * comes to it. So at each moment
 *
 *     parts = the sizes of all that the next write would see, up to `position` of part `part`
 *
 * Only in memory: cut off, it starts anew.
 */
struct pl_collection_count {
    bool active;
    bool spoiled; /* an effect could not be noted: start anew */
    struct pl_buf pk;
    struct pl_collection_parts parts;
    uint32_t part;
    struct pl_buf position; /* the last store key passed in it; empty: none */
};

/** PL_ENOMEM: it is not active. */
int pl_collection_count_begin(struct pl_collection_count *count, const struct pl_table *table,
                              struct pl_bytes pk);

/** Go on. In the end `work->change` has the record, and the count is not active any more. A failure may be tried again. */
int pl_collection_count_step(struct pl_collection_count *count, const struct pl_collection_work *work);

/** An effect is about to be shown in the view's overlay. Uses of `work` the view and the number of partitions. */
void pl_collection_count_note(struct pl_collection_count *count, const struct pl_collection_work *work,
                              struct pl_bytes key, struct pl_bytes value, bool tombstone);

void pl_collection_count_deinit(struct pl_collection_count *count);

/**
 * Compare a record with the collection: `record` is what stands under `key`, or, when that is a shortened key's
 * bucket, under `full_key` in it.
 */
int pl_collection_check(const struct pl_collection_work *work, struct pl_bytes key, struct pl_bytes full_key,
                        struct pl_item record, uint64_t *recorded, uint64_t *found);

#endif
