/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_EXPIRY_H
#define PL_PARTITION_EXPIRY_H

#include "partition/index.h"

/**
 * When items expire. A table with a TTL attribute has an entry for each item that will expire, kept in the item's own
 * change like a local index, in the item's own partition, and in the order of time:
 *
 *     key     partition u16 ▸ EXPIRY ▸ the table's expiry id u32 ▸ second u64 ▸ the item's own place   (pl_key_build_at())
 *     value   a record (record.h) of the item's key attributes
 *
 * The second is the attribute's value without its fraction: a number, at the item's top level, in seconds since
 * 1970. What is no number, negative or beyond 2^63 is no expiry. Who deletes what has expired is shard_expiry.c.
 */
enum { PL_EXPIRY_AGE_MAX_S = 5 * 365 * 24 * 60 * 60 }; /* what expired longer ago is left alone */

/** False: by `table`'s attribute the item never expires. */
bool pl_expiry_second(const struct pl_table *table, struct pl_item item, uint64_t *second);

/** True when the attribute's exact value is less than now and not more than five years in the past. */
bool pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms);

/** What a write does to the item's entry. Either item may be NULL, not both. */
int pl_expiry_update(const struct pl_index_work *work, const struct pl_item *before,
                     const struct pl_item *after);

/** An existing item's entry, for a backfill: put unless it is there already. */
int pl_expiry_fill(const struct pl_index_work *work, const struct pl_item *item);

/** The place of the entry that `item` has. PL_ENOTFOUND: it has none. Lives in `work->arena`. */
int pl_expiry_place(const struct pl_index_work *work, const struct pl_item *item, struct pl_place *out);

/** True for an entry's store key. */
bool pl_expiry_is_in(struct pl_bytes key);

/** The second in an entry's store key. */
uint64_t pl_expiry_key_second(struct pl_bytes key);

#endif
