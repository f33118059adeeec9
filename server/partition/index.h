/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_INDEX_H
#define PL_PARTITION_INDEX_H

#include "model/operation.h"
#include "partition/place.h"
#include "script/script.h"

/**
 * What a write does to its table's indexes. An entry holds the index's keys, the
 * item's own keys and what is projected; it exists only when the item has every key
 * attribute of the index.
 *
 *     item before ──▸ entry before ┐
 *                                  ├──▸ nothing, put, delete, or delete and put
 *     item after  ──▸ entry after  ┘
 *
 * What a Lua function projects is computed once, when the item is written: asked again it may
 * answer otherwise, or fail. So where its entry stands is remembered, under the item's own
 * key (kind INDEX_PLACE): an item of the index's and the table's key attributes.
 */
struct pl_index_work {
    const struct pl_view *view;
    uint32_t partition_count;
    const struct pl_table *table;
    struct pl_table_script *script; /* NULL: no index of the table has a function */
    bool by_update;                 /* an UPDATE made the item: its sentences differ */
    struct pl_arena *arena;         /* scratch that lives as long as the evaluation */
    struct pl_buf *scratch;
    struct pl_buf *change;        /* receives the effects */
    struct pl_capacity *capacity; /* receives what they cost */
};

/** The size of the entries that an item has in its table's local indexes, before and after a write. */
struct pl_index_local_bytes {
    uint64_t before, after;
};

/** Either item may be NULL, not both. All indexes of the table. */
int pl_index_update(const struct pl_index_work *work, const struct pl_item *before,
                    const struct pl_item *after, struct pl_index_local_bytes *local, struct pl_reason *why);

/** The size of the entries that `item` would have in the local indexes of `table` that no function computes. */
uint64_t pl_index_local_bytes_of(const struct pl_table *table, struct pl_item item);

/** One index's entry for an existing item, for a backfill: put unless it is there already. */
int pl_index_fill(const struct pl_index_work *work, const struct pl_index *index, const struct pl_item *item,
                  struct pl_reason *why);

/** An entry: where it stands and what it holds. */
struct pl_index_entry {
    struct pl_place place;
    struct pl_item item;
};

/**
 * The entry that `item` has in `index`. 0, PL_ENOTFOUND when it has none, or why it cannot
 * have one. Everything in `out` lives in `work->arena`.
 */
int pl_index_entry_of(const struct pl_index_work *work, const struct pl_index *index,
                      const struct pl_item *item, struct pl_index_entry *out, struct pl_reason *why);

/**
 * The entry that stands in `index` for `item` now. 0, PL_ENOTFOUND when there is none. PL_ECORRUPT: it is
 * remembered, but not there.
 */
int pl_index_entry_stored(const struct pl_index_work *work, const struct pl_index *index,
                          const struct pl_item *item, struct pl_index_entry *out);

#endif
