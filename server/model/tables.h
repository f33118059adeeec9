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
};

/** An empty set with one reference. NULL: no memory. */
struct pl_tables *pl_tables_new(void);

/**
 * A copy of `tables` with `table` in it (replacing the one with its id), or without
 * the table of id `id` when `table` is NULL. Takes a reference to `table`. NULL: no memory.
 */
struct pl_tables *pl_tables_with(const struct pl_tables *tables, uint32_t id, struct pl_table *table);

struct pl_tables *pl_tables_ref(struct pl_tables *tables);
void pl_tables_unref(struct pl_tables *tables); /* NULL is allowed */

/* NULL when there is none. The result lives as long as the set. */
struct pl_table *pl_tables_find(const struct pl_tables *tables, struct pl_bytes name);
struct pl_table *pl_tables_find_id(const struct pl_tables *tables, uint32_t id);

#endif
