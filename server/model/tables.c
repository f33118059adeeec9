/* SPDX-License-Identifier: MIT */
#include "model/tables.h"

#include <stdlib.h>

struct pl_tables *pl_tables_new(void)
{
    struct pl_tables *tables = calloc(1, sizeof *tables);

    if (tables != NULL)
        atomic_init(&tables->references, 1);
    return tables;
}

static void insert_sorted(struct pl_tables *tables, struct pl_table *table)
{
    uint32_t at = tables->count;

    while (at > 0 && pl_bytes_compare(tables->tables[at - 1]->name, table->name) > 0) {
        tables->tables[at] = tables->tables[at - 1];
        at--;
    }
    tables->tables[at] = table;
    tables->count++;
}

static void insert_closed(struct pl_tables *tables, struct pl_table *table, int64_t closed_ms)
{
    uint32_t at = tables->closed_stream_count++;

    while (at > 0 && tables->closed_streams[at - 1].table->stream_id > table->stream_id) {
        tables->closed_streams[at] = tables->closed_streams[at - 1];
        at--;
    }
    tables->closed_streams[at] = (struct pl_closed_stream){ .table = table, .closed_ms = closed_ms };
}

/* A copy without the table and the closed stream of these ids, and with room for one more of each. */
static struct pl_tables *copy_without(const struct pl_tables *tables, uint32_t id, uint32_t stream_id)
{
    struct pl_tables *copy = pl_tables_new();

    if (copy == NULL)
        return NULL;
    copy->tables = calloc(tables->count + 1, sizeof *copy->tables);
    copy->closed_streams = calloc(tables->closed_stream_count + 1, sizeof *copy->closed_streams);
    if (copy->tables == NULL || copy->closed_streams == NULL) {
        pl_tables_unref(copy);
        return NULL;
    }
    copy->version = tables->version + 1;
    for (uint32_t i = 0; i < tables->count; i++)
        if (tables->tables[i]->id != id)
            insert_sorted(copy, pl_table_ref(tables->tables[i]));
    for (uint32_t i = 0; i < tables->closed_stream_count; i++)
        if (tables->closed_streams[i].table->stream_id != stream_id)
            insert_closed(copy, pl_table_ref(tables->closed_streams[i].table),
                          tables->closed_streams[i].closed_ms);
    return copy;
}

/* No table and no stream has this id. */
enum { NO_ID = 0 };

struct pl_tables *pl_tables_with(const struct pl_tables *tables, uint32_t id, struct pl_table *table)
{
    struct pl_tables *copy = copy_without(tables, id, NO_ID);

    if (copy != NULL && table != NULL)
        insert_sorted(copy, pl_table_ref(table));
    return copy;
}

struct pl_tables *pl_tables_with_closed(const struct pl_tables *tables, struct pl_table *table,
                                        int64_t closed_ms)
{
    struct pl_tables *copy = copy_without(tables, NO_ID, table->stream_id);

    if (copy != NULL)
        insert_closed(copy, pl_table_ref(table), closed_ms);
    return copy;
}

struct pl_tables *pl_tables_without_closed(const struct pl_tables *tables, uint32_t stream_id)
{
    return copy_without(tables, NO_ID, stream_id);
}

struct pl_tables *pl_tables_ref(struct pl_tables *tables)
{
    atomic_fetch_add_explicit(&tables->references, 1, memory_order_relaxed);
    return tables;
}

void pl_tables_unref(struct pl_tables *tables)
{
    if (tables == NULL || atomic_fetch_sub_explicit(&tables->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < tables->count; i++)
        pl_table_unref(tables->tables[i]);
    for (uint32_t i = 0; i < tables->closed_stream_count; i++)
        pl_table_unref(tables->closed_streams[i].table);
    free(tables->tables);
    free(tables->closed_streams);
    free(tables);
}

/* The first position whose name is not less than `name`. */
static uint32_t lower_bound(const struct pl_tables *tables, struct pl_bytes name)
{
    uint32_t low = 0, high = tables->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (pl_bytes_compare(tables->tables[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct pl_table *pl_tables_find(const struct pl_tables *tables, struct pl_bytes name)
{
    uint32_t at = lower_bound(tables, name);

    if (at < tables->count && pl_bytes_equal(tables->tables[at]->name, name))
        return tables->tables[at];
    return NULL;
}

struct pl_table *pl_tables_find_id(const struct pl_tables *tables, uint32_t id)
{
    for (uint32_t i = 0; i < tables->count; i++)
        if (tables->tables[i]->id == id)
            return tables->tables[i];
    return NULL;
}

const struct pl_closed_stream *pl_tables_find_closed(const struct pl_tables *tables, uint32_t stream_id)
{
    for (uint32_t i = 0; i < tables->closed_stream_count; i++)
        if (tables->closed_streams[i].table->stream_id == stream_id)
            return &tables->closed_streams[i];
    return NULL;
}
