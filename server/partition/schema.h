/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_SCHEMA_H
#define PL_PARTITION_SCHEMA_H

#include "partition/catalog.h"

/**
 * Tables created, altered and dropped: what a definition asks for against what is
 * there. An altered table keeps its id and its data. An index whose keys or projection
 * change is a new index, filled in the background, and the old one becomes garbage.
 *
 * All functions work on a copy of the catalog and append effects to `change`; after
 * a failure both are thrown away.
 */

/** PL_EINUSE when the name is taken. Every index is ACTIVE: there is nothing to fill it with. */
int pl_schema_create(struct pl_catalog *catalog, const struct pl_table *definition, uint64_t code_hash,
                     int64_t now_ms, struct pl_buf *change, struct pl_reason *why);

/**
 * Make `current` what `definition` says. PL_EINVALID, with the field, for what would lose data: other
 * keys. `code_hash` is that of the module whose functions the definition names; when it differs from
 * the one last applied, indexes with a project function are built anew. Appends nothing when nothing differs.
 */
int pl_schema_alter(struct pl_catalog *catalog, const struct pl_table *current,
                    const struct pl_table *definition, uint64_t code_hash, int64_t now_ms,
                    struct pl_buf *change, struct pl_reason *why);

/** Create or alter, whichever it takes. */
int pl_schema_apply(struct pl_catalog *catalog, const struct pl_table *definition, uint64_t code_hash,
                    int64_t now_ms, struct pl_buf *change, struct pl_reason *why);

/** PL_EINVALID when the table is protected. */
int pl_schema_drop(struct pl_catalog *catalog, const struct pl_table *table, int64_t now_ms,
                   struct pl_buf *change, struct pl_reason *why);

/** What the table has under `id`, an index or its expiries, holds an entry for every item now. */
int pl_schema_activate(struct pl_catalog *catalog, const struct pl_table *table, uint32_t id,
                       struct pl_buf *change);

/**
 * ALTER's patch (RFC 7396: null removes) over the table's own definition. `out` has one reference.
 */
int pl_schema_patch(const struct pl_table *table, struct pl_bytes patch, struct pl_table **out,
                    struct pl_reason *why);

/** CREATE's definition, which has no functions: those come from modules. */
int pl_schema_parse(struct pl_bytes text, struct pl_table **out, struct pl_reason *why);

#endif
