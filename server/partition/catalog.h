/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_CATALOG_H
#define PL_PARTITION_CATALOG_H

#include "model/tables.h"
#include "store/state.h"

/**
 * How tables are remembered: records of kind CATALOG in partition 0, changed by
 * effects like everything else.
 *
 *     key     partition 0 ▸ CATALOG ▸ id u32
 *     value   01 ▸ code hash u64 ▸ pl_table_encode()    a table, under its id
 *             02 ▸ key kind u8                          a keyspace to be swept, under its id
 *             03 ▸ next id u32                          under id 0
 *             04 ▸ closed ms u64 ▸ pl_table_encode()    a closed stream, under its id, and its table as it was
 *
 * Tables and indexes draw their ids from one counter and never share or reuse one, so
 * what a dropped table left behind can never be taken for another's. A dropped
 * table or index is gone at once; its keyspaces become garbage, swept in the background. Only its stream stays
 * readable for as long as records are kept, and becomes garbage then.
 */
struct pl_garbage {
    uint32_t id;
    enum pl_key_kind kind;
};

struct pl_catalog {
    struct pl_tables *tables; /* one reference */
    uint32_t next_id;
    struct pl_garbage *garbage;
    uint32_t garbage_count;
    struct pl_code {
        uint32_t table_id;
        uint64_t hash; /* of the module text that the table's index functions came from */
    } * codes;
    uint32_t code_count;
};

/** An empty catalog. */
int pl_catalog_init(struct pl_catalog *catalog);
void pl_catalog_deinit(struct pl_catalog *catalog);

/**
 * A copy to try a schema change on: swap it in when the change is in the journal, throw
 * it away when not. PL_ENOMEM leaves `out` alone.
 */
int pl_catalog_copy(const struct pl_catalog *catalog, struct pl_catalog *out);

/** Read all of what is applied. PL_ECORRUPT with a sentence when a record is none. */
int pl_catalog_load(struct pl_catalog *catalog, struct pl_snapshot *snapshot, struct pl_reason *why);

/** What every table may use is from now on as it says: due when the catalog is the one in force. */
void pl_catalog_provide(const struct pl_catalog *catalog, uint64_t now_ns);

/** The hash under which the table's functions were last applied; 0 when never. */
uint64_t pl_catalog_code(const struct pl_catalog *catalog, uint32_t table_id);

/*
 * Each change is made to the catalog in memory and appended to `change` as effects. After PL_ENOMEM
 * both are to be thrown away.
 */
int pl_catalog_set_table(struct pl_catalog *catalog, struct pl_table *table, uint64_t code_hash,
                         struct pl_buf *change);
int pl_catalog_add_garbage(struct pl_catalog *catalog, uint32_t id, enum pl_key_kind kind,
                           struct pl_buf *change);
void pl_catalog_remove_garbage(struct pl_catalog *catalog, uint32_t id, struct pl_buf *change);

/** The table's stream takes no more records from here on, and is readable until it is forgotten. */
int pl_catalog_close_stream(struct pl_catalog *catalog, struct pl_table *table, int64_t closed_ms,
                            struct pl_buf *change);
/** A closed stream becomes garbage. */
int pl_catalog_forget_stream(struct pl_catalog *catalog, uint32_t stream_id, struct pl_buf *change);

/** The table is gone from memory; its record has been replaced by garbage of the same id. */
int pl_catalog_forget_table(struct pl_catalog *catalog, uint32_t id);

/** A fresh id. The counter's effect is appended. */
uint32_t pl_catalog_draw_id(struct pl_catalog *catalog, struct pl_buf *change);

#endif
