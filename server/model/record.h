/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_RECORD_H
#define PL_MODEL_RECORD_H

#include "model/item.h"

/**
 * What stands under a store key of kind ITEM or an index. Almost always one item:
 *
 *     single   00 ▸ size_bytes varint ▸ item bytes
 *     bucket   01 ▸ entries sorted by full key:
 *              full key length u32 ▸ full key ▸ size_bytes varint ▸ item length u32 ▸ item bytes
 *
 * A key that is whole has a single record; a shortened key (key.h) always has a
 * bucket, even of one. The full key is pk ▸ tail.
 */
struct pl_record_entry {
    struct pl_bytes full_key; /* empty for a single record */
    struct pl_item item;
};

/** Step through a record's entries. False at the end. PL_ECORRUPT never: checksums were right. */
struct pl_record_cursor {
    struct pl_bytes rest;
    bool bucket;
    bool done;
};

/** PL_ECORRUPT when the first byte is neither kind. */
int pl_record_open(struct pl_bytes record, struct pl_record_cursor *out);
bool pl_record_next(struct pl_record_cursor *cursor, struct pl_record_entry *out);

/** The item of `full_key` in the record (any, when single). False: none. */
bool pl_record_find(struct pl_bytes record, struct pl_bytes full_key, struct pl_item *out);

/** A record of one item under a whole key. */
void pl_record_write_single(struct pl_buf *out, struct pl_item item);

/**
 * The bucket `record` (may be empty) with `full_key` set to `item`, or removed when
 * `item` is NULL. Appends the new record to `out`; nothing is appended when the
 * bucket became empty.
 */
void pl_record_write_bucket(struct pl_buf *out, struct pl_bytes record, struct pl_bytes full_key,
                            const struct pl_item *item);

#endif
