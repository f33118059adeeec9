/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_DESCRIBE_H
#define PL_ROUTE_DESCRIBE_H

#include "model/tables.h"
#include "partition/counters.h"

/**
 * DESCRIBE's answer: the definition as it was given, and what became of it:
 *
 *     { "table": ..., (the definition) "id": 7, "state": "active", "created_ms": ...,
 *       "items": 12, "size_bytes": 3456,
 *       "index_state": { "ByUser": { "state": "active" | "backfilling", "items": 12, "size_bytes": 900 } },
 *       "ttl_state": { "state": "on" | "filling" } }
 *
 * `filled` (may be NULL) says how far a backfill has come ("items_done"). Appended to `out`; PL_ENOMEM.
 */
int pl_describe_table(const struct pl_table *table, struct pl_counters *counters,
                      uint64_t (*filled)(void *state, uint32_t id), void *state, struct pl_buf *out);

/** TABLES: { "tables": ["A","B"] }. */
int pl_describe_tables(const struct pl_tables *tables, struct pl_buf *out);

#endif
