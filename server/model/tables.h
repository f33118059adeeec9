/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_TABLES_H
#define PL_MODEL_TABLES_H

#include "model/table.h"

/**
 * All tables at one moment. Never changes once built: a created, altered or dropped
 * table makes a new set, and whoever holds the old one goes on with it.
 */
struct pl_tables {
    atomic_uint references;
    uint64_t version;         /* grows with every change */
    struct pl_table **tables; /* sorted by name; one reference each */
    uint32_t count;
    /**
     * Streams that take no more records, as theirs was switched off or their table dropped, and can still be
     * read until they are forgotten. Sorted by stream id, which is by age.
     */
    struct pl_closed_stream {
        struct pl_table *table; /* as it was then: its name, keys, view, stream id and label. One reference */
        int64_t closed_ms;
    } * closed_streams;
    uint32_t closed_stream_count;
};

/** An empty set with one reference. NULL: no memory. */
struct pl_tables *pl_tables_new(void);

/**
 * A copy of `tables` with `table` in it (replacing the one with its id), or without
 * the table of id `id` when `table` is NULL. Takes a reference to `table`. NULL: no memory.
 */
struct pl_tables *pl_tables_with(const struct pl_tables *tables, uint32_t id, struct pl_table *table);

/** A copy in which the stream that `table` has is a closed one. Takes a reference to `table`. NULL: no memory. */
struct pl_tables *pl_tables_with_closed(const struct pl_tables *tables, struct pl_table *table,
                                        int64_t closed_ms);
/** A copy without the closed stream. NULL: no memory. */
struct pl_tables *pl_tables_without_closed(const struct pl_tables *tables, uint32_t stream_id);

struct pl_tables *pl_tables_ref(struct pl_tables *tables);
void pl_tables_unref(struct pl_tables *tables); /* NULL is allowed */

/* NULL when there is none. The result lives as long as the set. */
struct pl_table *pl_tables_find(const struct pl_tables *tables, struct pl_bytes name);
struct pl_table *pl_tables_find_id(const struct pl_tables *tables, uint32_t id);
const struct pl_closed_stream *pl_tables_find_closed(const struct pl_tables *tables, uint32_t stream_id);

#endif
