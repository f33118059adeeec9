/* SPDX-License-Identifier: MIT */
#include "partition/catalog.h"

#include "model/key.h"
#include "partition/change.h"

#include <stdlib.h>

enum { KEY_BYTES = 2 + 1 + 4, RECORD_TABLE = 1, RECORD_GARBAGE = 2, RECORD_NEXT_ID = 3, RECORD_CLOSED = 4 };

static struct pl_bytes catalog_key(uint8_t key[KEY_BYTES], uint32_t id)
{
    pl_put_be16(key, 0);
    key[2] = PL_KIND_CATALOG;
    pl_put_be32(key + 3, id);
    return pl_bytes(key, KEY_BYTES);
}

int pl_catalog_init(struct pl_catalog *catalog)
{
    *catalog = (struct pl_catalog){ .next_id = 1, .tables = pl_tables_new() };
    return catalog->tables == NULL ? PL_ENOMEM : 0;
}

void pl_catalog_deinit(struct pl_catalog *catalog)
{
    pl_tables_unref(catalog->tables);
    free(catalog->garbage);
    free(catalog->codes);
    *catalog = (struct pl_catalog){ 0 };
}

static void *duplicate(const void *array, size_t len)
{
    void *copy = malloc(len + 1); /* an empty array is copied too */

    if (copy != NULL && len > 0)
        memcpy(copy, array, len);
    return copy;
}

int pl_catalog_copy(const struct pl_catalog *catalog, struct pl_catalog *out)
{
    struct pl_catalog copy = *catalog;

    copy.garbage = duplicate(catalog->garbage, catalog->garbage_count * sizeof *catalog->garbage);
    copy.codes = duplicate(catalog->codes, catalog->code_count * sizeof *catalog->codes);
    if (copy.garbage == NULL || copy.codes == NULL) {
        free(copy.garbage);
        free(copy.codes);
        return PL_ENOMEM;
    }
    copy.tables = pl_tables_ref(catalog->tables);
    *out = copy;
    return 0;
}

/* ---- in memory -------------------------------------------------------------------------------------- */

/* Takes `tables`; NULL: there was no memory for them. */
static int adopt_tables(struct pl_catalog *catalog, struct pl_tables *tables)
{
    if (tables == NULL)
        return PL_ENOMEM;
    pl_tables_unref(catalog->tables);
    catalog->tables = tables;
    return 0;
}

static int replace_tables(struct pl_catalog *catalog, uint32_t id, struct pl_table *table)
{
    if (table != NULL && pl_table_share(table, pl_tables_find_id(catalog->tables, id)) != 0)
        return PL_ENOMEM;
    return adopt_tables(catalog, pl_tables_with(catalog->tables, id, table));
}

static int remember_closed(struct pl_catalog *catalog, struct pl_table *table, int64_t closed_ms)
{
    return adopt_tables(catalog, pl_tables_with_closed(catalog->tables, table, closed_ms));
}

static int remember_code(struct pl_catalog *catalog, uint32_t table_id, uint64_t hash)
{
    struct pl_code *codes;

    for (uint32_t i = 0; i < catalog->code_count; i++) {
        if (catalog->codes[i].table_id == table_id) {
            catalog->codes[i].hash = hash;
            return 0;
        }
    }
    codes = realloc(catalog->codes, (catalog->code_count + 1) * sizeof *codes);
    if (codes == NULL)
        return PL_ENOMEM;
    codes[catalog->code_count++] = (struct pl_code){ .table_id = table_id, .hash = hash };
    catalog->codes = codes;
    return 0;
}

static int remember_garbage(struct pl_catalog *catalog, uint32_t id, enum pl_key_kind kind)
{
    struct pl_garbage *garbage = realloc(catalog->garbage, (catalog->garbage_count + 1) * sizeof *garbage);

    if (garbage == NULL)
        return PL_ENOMEM;
    garbage[catalog->garbage_count++] = (struct pl_garbage){ .id = id, .kind = kind };
    catalog->garbage = garbage;
    return 0;
}

void pl_catalog_provide(const struct pl_catalog *catalog, uint64_t now_ns)
{
    for (uint32_t i = 0; i < catalog->tables->count; i++)
        pl_table_provide(catalog->tables->tables[i], now_ns);
}

uint64_t pl_catalog_code(const struct pl_catalog *catalog, uint32_t table_id)
{
    for (uint32_t i = 0; i < catalog->code_count; i++)
        if (catalog->codes[i].table_id == table_id)
            return catalog->codes[i].hash;
    return 0;
}

/* ---- from the store --------------------------------------------------------------------------------- */

/* A table behind a number: its code's hash, or when its stream was closed. */
static int read_table(struct pl_bytes value, uint64_t *number, struct pl_table **table)
{
    if (value.len < 8)
        return PL_ECORRUPT;
    *number = pl_get_le64(value.data);
    return pl_table_decode(pl_bytes(value.data + 8, value.len - 8), table);
}

static int load_table(struct pl_catalog *catalog, uint32_t id, struct pl_bytes value)
{
    struct pl_table *table;
    uint64_t code_hash;
    int rc = read_table(value, &code_hash, &table);

    if (rc != 0)
        return rc;
    rc = table->id != id ? PL_ECORRUPT : remember_code(catalog, id, code_hash);
    if (rc == 0)
        rc = replace_tables(catalog, id, table);
    pl_table_unref(table);
    return rc;
}

static int load_closed(struct pl_catalog *catalog, uint32_t id, struct pl_bytes value)
{
    struct pl_table *table;
    uint64_t closed_ms;
    int rc = read_table(value, &closed_ms, &table);

    if (rc != 0)
        return rc;
    rc = table->stream_id != id ? PL_ECORRUPT : remember_closed(catalog, table, (int64_t)closed_ms);
    pl_table_unref(table);
    return rc;
}

static int load_record(struct pl_catalog *catalog, uint32_t id, struct pl_bytes value)
{
    struct pl_bytes rest = pl_bytes(value.data + 1, value.len == 0 ? 0 : value.len - 1);

    switch (value.len == 0 ? 0 : value.data[0]) {
    case RECORD_TABLE:
        return load_table(catalog, id, rest);
    case RECORD_GARBAGE:
        return rest.len != 1 ? PL_ECORRUPT
                             : remember_garbage(catalog, id, (enum pl_key_kind)(uint8_t)rest.data[0]);
    case RECORD_CLOSED:
        return load_closed(catalog, id, rest);
    case RECORD_NEXT_ID:
        if (rest.len != 4)
            return PL_ECORRUPT;
        catalog->next_id = pl_get_le32(rest.data);
        return 0;
    default:
        return PL_ECORRUPT;
    }
}

int pl_catalog_load(struct pl_catalog *catalog, struct pl_snapshot *snapshot, struct pl_reason *why)
{
    struct pl_bytes key, value;
    uint8_t first[KEY_BYTES];
    int rc = pl_snapshot_seek(snapshot, catalog_key(first, 0), &key, &value);

    while (rc == 0 && key.len == KEY_BYTES && memcmp(key.data, first, 3) == 0) {
        uint32_t id = pl_get_be32(key.data + 3);

        rc = load_record(catalog, id, value);
        if (rc == PL_ECORRUPT)
            rc = pl_reason_set(why, rc, "the catalog's record %u cannot be read", id);
        if (rc == 0)
            rc = pl_snapshot_next(snapshot, &key, &value);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

/* ---- changes ---------------------------------------------------------------------------------------- */

static int put_record(struct pl_buf *change, uint32_t id, struct pl_buf *record)
{
    uint8_t key[KEY_BYTES];
    int rc = pl_buf_status(record);

    if (rc == 0)
        pl_change_put(change, catalog_key(key, id), pl_buf_view(record));
    pl_buf_deinit(record);
    return rc != 0 ? rc : pl_buf_status(change);
}

int pl_catalog_set_table(struct pl_catalog *catalog, struct pl_table *table, uint64_t code_hash,
                         struct pl_buf *change)
{
    struct pl_buf record = { 0 };
    uint8_t hash[8];
    int rc;

    pl_put_le64(hash, code_hash);
    pl_buf_append_byte(&record, RECORD_TABLE);
    pl_buf_append(&record, hash, sizeof hash);
    pl_table_encode(table, &record);
    rc = put_record(change, table->id, &record);
    if (rc == 0)
        rc = remember_code(catalog, table->id, code_hash);
    return rc != 0 ? rc : replace_tables(catalog, table->id, table);
}

int pl_catalog_forget_table(struct pl_catalog *catalog, uint32_t id)
{
    for (uint32_t i = 0; i < catalog->code_count; i++)
        if (catalog->codes[i].table_id == id)
            catalog->codes[i--] = catalog->codes[--catalog->code_count];
    return replace_tables(catalog, id, NULL);
}

int pl_catalog_add_garbage(struct pl_catalog *catalog, uint32_t id, enum pl_key_kind kind,
                           struct pl_buf *change)
{
    struct pl_buf record = { 0 };
    int rc;

    pl_buf_append_byte(&record, RECORD_GARBAGE);
    pl_buf_append_byte(&record, (uint8_t)kind);
    rc = put_record(change, id, &record);
    return rc != 0 ? rc : remember_garbage(catalog, id, kind);
}

void pl_catalog_remove_garbage(struct pl_catalog *catalog, uint32_t id, struct pl_buf *change)
{
    uint8_t key[KEY_BYTES];

    pl_change_delete(change, catalog_key(key, id));
    for (uint32_t i = 0; i < catalog->garbage_count; i++) {
        if (catalog->garbage[i].id != id)
            continue;
        catalog->garbage[i] = catalog->garbage[--catalog->garbage_count];
        return;
    }
}

int pl_catalog_close_stream(struct pl_catalog *catalog, struct pl_table *table, int64_t closed_ms,
                            struct pl_buf *change)
{
    struct pl_buf record = { 0 };
    uint8_t at[8];
    int rc;

    pl_put_le64(at, (uint64_t)closed_ms);
    pl_buf_append_byte(&record, RECORD_CLOSED);
    pl_buf_append(&record, at, sizeof at);
    pl_table_encode(table, &record);
    rc = put_record(change, table->stream_id, &record);
    return rc != 0 ? rc : remember_closed(catalog, table, closed_ms);
}

/* The garbage stands under the stream's id, in place of the stream: one key, one record. */
int pl_catalog_forget_stream(struct pl_catalog *catalog, uint32_t stream_id, struct pl_buf *change)
{
    int rc = pl_catalog_add_garbage(catalog, stream_id, PL_KIND_STREAM, change);

    return rc != 0 ? rc : adopt_tables(catalog, pl_tables_without_closed(catalog->tables, stream_id));
}

uint32_t pl_catalog_draw_id(struct pl_catalog *catalog, struct pl_buf *change)
{
    uint8_t key[KEY_BYTES], record[5] = { RECORD_NEXT_ID };
    uint32_t id = catalog->next_id++;

    pl_put_le32(record + 1, catalog->next_id);
    pl_change_put(change, catalog_key(key, 0), pl_bytes(record, sizeof record));
    return id;
}
