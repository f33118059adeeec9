/* SPDX-License-Identifier: MIT */
#include "partition/schema.h"

#include <cjson/cJSON.h>

#define NAME(bytes) (int)(bytes).len, (bytes).data

enum { DEFINITION_BYTES_MAX = 1 << 20 };

static int merge(cJSON *target, cJSON *patch);

/* ---- from JSON -------------------------------------------------------------------------------------- */

static int parse_json(struct pl_bytes text, cJSON **out, struct pl_reason *why)
{
    cJSON *json;
    int rc;

    if (text.len > DEFINITION_BYTES_MAX)
        return pl_reason_set(why, PL_EINVALID, "a definition has at most %d bytes", DEFINITION_BYTES_MAX);
    rc = pl_table_check_text(text, why);
    if (rc != 0)
        return rc;
    json = cJSON_ParseWithLength(text.data, text.len);
    if (json == NULL)
        return PL_ENOMEM; /* it is sound JSON, so nothing else was missing */
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return pl_reason_set(why, PL_EINVALID, "a definition is a JSON object");
    }
    *out = json;
    return 0;
}

int pl_schema_parse(struct pl_bytes text, struct pl_table **out, struct pl_reason *why)
{
    return pl_table_from_text(text, false, out, why);
}

/* One member of a patch, already taken out of it: merged, removed or put in place. Takes `member`. */
static int merge_member(cJSON *target, cJSON *member)
{
    cJSON *old = cJSON_GetObjectItemCaseSensitive(target, member->string);
    int rc = 0;

    if (cJSON_IsObject(member)) {
        /* Into nothing, too: what a patch removes below must not come to be. */
        if (!cJSON_IsObject(old)) {
            cJSON_DeleteItemFromObjectCaseSensitive(target, member->string);
            old = cJSON_AddObjectToObject(target, member->string);
        }
        rc = old != NULL ? merge(old, member) : PL_ENOMEM;
        cJSON_Delete(member);
        return rc;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(target, member->string);
    if (cJSON_IsNull(member) || !cJSON_AddItemToObject(target, member->string, member)) {
        rc = cJSON_IsNull(member) ? 0 : PL_ENOMEM;
        cJSON_Delete(member);
    }
    return rc;
}

/* RFC 7396: null removes a member, an object is merged, everything else replaces. Empties `patch`. */
static int merge(cJSON *target, cJSON *patch)
{
    int rc = 0;

    while (patch->child != NULL && rc == 0)
        rc = merge_member(target, cJSON_DetachItemViaPointer(patch, patch->child));
    return rc;
}

int pl_schema_patch(const struct pl_table *table, struct pl_bytes patch, struct pl_table **out,
                    struct pl_reason *why)
{
    cJSON *changes = NULL, *whole;
    int rc = parse_json(patch, &changes, why);

    if (rc != 0)
        return rc;
    whole = pl_table_to_json(table);
    if (whole == NULL) {
        cJSON_Delete(changes);
        return PL_ENOMEM;
    }
    rc = merge(whole, changes);
    cJSON_Delete(changes);
    if (rc == 0)
        rc = pl_table_from_json(whole, false, out, why);
    cJSON_Delete(whole);
    return rc;
}

/* ---- what differs ----------------------------------------------------------------------------------- */

static bool same_attributes(const struct pl_key_attribute *a, const struct pl_key_attribute *b,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!pl_bytes_equal(a[i].name, b[i].name) || a[i].type != b[i].type)
            return false;
    return true;
}

static bool same_keys(const struct pl_key_schema *a, const struct pl_key_schema *b)
{
    return a->partition_count == b->partition_count && a->sort_count == b->sort_count &&
           same_attributes(a->partition, b->partition, a->partition_count) &&
           same_attributes(a->sort, b->sort, a->sort_count);
}

static bool same_projection(const struct pl_index *a, const struct pl_index *b)
{
    if (a->projection != b->projection || a->name_count != b->name_count)
        return false;
    for (uint32_t i = 0; i < a->name_count; i++)
        if (!pl_bytes_equal(a->names[i], b->names[i]))
            return false;
    return true;
}

/* True when what is stored for `old` is what `new` would store. */
static bool same_entries(const struct pl_index *old, const struct pl_index *new, bool same_code)
{
    return old->global == new->global &&same_keys(&old->keys, &new->keys) && same_projection(old, new) &&
           (same_code || old->projection != PL_PROJECT_FUNCTION);
}

static bool is_kept(const struct pl_index *old, const struct pl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].id == old->id)
            return true;
    return false;
}

static enum pl_key_kind index_kind(const struct pl_index *index)
{
    return index->global ? PL_KIND_GLOBAL_INDEX : PL_KIND_LOCAL_INDEX;
}

/* ---- what a table keeps beside its items, each in a keyspace of its own --------------------------------- */

/* Here and below: `current` is NULL when the table is new. */
static void carry_over_expiry(struct pl_catalog *catalog, const struct pl_table *current,
                              struct pl_table *table, struct pl_buf *change)
{
    if (table->ttl_attribute.len == 0)
        return;
    if (current != NULL && pl_bytes_equal(current->ttl_attribute, table->ttl_attribute)) {
        table->expiry_id = current->expiry_id;
        table->expiry_filling = current->expiry_filling;
        return;
    }
    table->expiry_id = pl_catalog_draw_id(catalog, change);
    table->expiry_filling = current != NULL;
}

/*
 * A stream is named by the moment it was created: one that follows another of the same table within the millisecond, or
 * after the clock was set back, is a millisecond younger than it.
 */
static int64_t find_stream_creation(const struct pl_tables *tables, struct pl_bytes name, int64_t now_ms)
{
    int64_t created_ms = now_ms;

    for (uint32_t i = 0; i < tables->closed_stream_count; i++) {
        const struct pl_table *closed = tables->closed_streams[i].table;

        if (closed->stream_created_ms >= created_ms && pl_bytes_equal(closed->name, name))
            created_ms = closed->stream_created_ms + 1;
    }
    return created_ms;
}

/* Another view goes on in the same stream: each record says what it shows. */
static void carry_over_stream(struct pl_catalog *catalog, const struct pl_table *current,
                              struct pl_table *table, int64_t now_ms, struct pl_buf *change)
{
    if (table->stream == PL_STREAM_OFF)
        return;
    if (current != NULL && current->stream != PL_STREAM_OFF) {
        table->stream_id = current->stream_id;
        table->stream_created_ms = current->stream_created_ms;
        return;
    }
    table->stream_id = pl_catalog_draw_id(catalog, change);
    table->stream_created_ms = find_stream_creation(catalog->tables, table->name, now_ms);
}

static bool has_local_index(const struct pl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!table->indexes[i].global)
            return true;
    return false;
}

/* Whoever has no local index keeps no sizes: with the next one they are found anew, under another id. */
static void carry_over_collections(struct pl_catalog *catalog, const struct pl_table *current,
                                   struct pl_table *table, struct pl_buf *change)
{
    if (!has_local_index(table))
        return;
    table->collection_id = current != NULL && current->collection_id != 0
                               ? current->collection_id
                               : pl_catalog_draw_id(catalog, change);
}

static const struct pl_trigger *find_trigger(const struct pl_table *table, struct pl_bytes name)
{
    for (uint32_t i = 0; i < table->trigger_count; i++)
        if (pl_bytes_equal(table->triggers[i].name, name))
            return &table->triggers[i];
    return NULL;
}

static void carry_over_triggers(struct pl_catalog *catalog, const struct pl_table *current,
                                struct pl_table *table, int64_t now_ms, struct pl_buf *change)
{
    for (uint32_t i = 0; i < table->trigger_count; i++) {
        struct pl_trigger *trigger = &table->triggers[i];
        const struct pl_trigger *old = current == NULL ? NULL : find_trigger(current, trigger->name);

        trigger->id = old != NULL ? old->id : pl_catalog_draw_id(catalog, change);
        trigger->created_ms = old != NULL ? old->created_ms : now_ms;
    }
}

/* ---- changes ---------------------------------------------------------------------------------------- */

int pl_schema_create(struct pl_catalog *catalog, const struct pl_table *definition, uint64_t code_hash,
                     int64_t now_ms, struct pl_buf *change, struct pl_reason *why)
{
    struct pl_table *table;
    int rc;

    if (pl_tables_find(catalog->tables, definition->name) != NULL)
        return pl_reason_set(why, PL_EINUSE, "Table already exists: %.*s", NAME(definition->name));
    rc = pl_table_copy(definition, &table);
    if (rc != 0)
        return rc;
    table->id = pl_catalog_draw_id(catalog, change);
    table->version = 1;
    table->created_ms = table->changed_ms = now_ms;
    for (uint32_t i = 0; i < table->index_count; i++)
        table->indexes[i].id = pl_catalog_draw_id(catalog, change);
    carry_over_expiry(catalog, NULL, table, change);
    carry_over_collections(catalog, NULL, table, change);
    carry_over_stream(catalog, NULL, table, now_ms, change);
    carry_over_triggers(catalog, NULL, table, now_ms, change);
    rc = pl_catalog_set_table(catalog, table, code_hash, change);
    pl_table_unref(table);
    return rc;
}

static int discard_expiry(struct pl_catalog *catalog, const struct pl_table *current,
                          const struct pl_table *table, struct pl_buf *change)
{
    if (current->expiry_id == 0 || (table != NULL && table->expiry_id == current->expiry_id))
        return 0;
    return pl_catalog_add_garbage(catalog, current->expiry_id, PL_KIND_EXPIRY, change);
}

/* Its records stay readable for as long as they are kept. */
static int close_stream(struct pl_catalog *catalog, const struct pl_table *current,
                        const struct pl_table *table, int64_t now_ms, struct pl_buf *change)
{
    struct pl_table *closed;

    if (current->stream_id == 0 || (table != NULL && table->stream_id == current->stream_id))
        return 0;
    closed = pl_tables_find_id(catalog->tables, current->id);
    return pl_catalog_close_stream(catalog, closed, now_ms, change);
}

static int discard_triggers(struct pl_catalog *catalog, const struct pl_table *current,
                            const struct pl_table *table, struct pl_buf *change)
{
    int rc = 0;

    for (uint32_t i = 0; i < current->trigger_count && rc == 0; i++)
        if (table == NULL || find_trigger(table, current->triggers[i].name) == NULL)
            rc = pl_catalog_add_garbage(catalog, current->triggers[i].id, PL_KIND_TRIGGER, change);
    return rc;
}

static int discard_collections(struct pl_catalog *catalog, const struct pl_table *current,
                               const struct pl_table *table, struct pl_buf *change)
{
    if (current->collection_id == 0 || (table != NULL && table->collection_id == current->collection_id))
        return 0;
    return pl_catalog_add_garbage(catalog, current->collection_id, PL_KIND_COLLECTION, change);
}

/* What `current` keeps beside its items and `table` (NULL: none) does not go on with. */
static int discard_companions(struct pl_catalog *catalog, const struct pl_table *current,
                              const struct pl_table *table, int64_t now_ms, struct pl_buf *change)
{
    int rc = discard_expiry(catalog, current, table, change);

    if (rc == 0)
        rc = close_stream(catalog, current, table, now_ms, change);
    if (rc == 0)
        rc = discard_collections(catalog, current, table, change);
    if (rc == 0)
        rc = discard_triggers(catalog, current, table, change);
    return rc;
}

static int discard_replaced(struct pl_catalog *catalog, const struct pl_table *current,
                            const struct pl_table *table, int64_t now_ms, struct pl_buf *change)
{
    for (uint32_t i = 0; i < current->index_count; i++) {
        const struct pl_index *old = &current->indexes[i];
        int rc;

        if (is_kept(old, table))
            continue;
        rc = pl_catalog_add_garbage(catalog, old->id, index_kind(old), change);
        if (rc != 0)
            return rc;
    }
    return discard_companions(catalog, current, table, now_ms, change);
}

/* A module says what a table is, not what was noted about it: that stays. */
static int carry_over_notes(const struct pl_table *current, struct pl_table *table)
{
    if (table->module.len == 0 || table->dynamodb.len > 0 || current->dynamodb.len == 0)
        return 0;
    table->dynamodb = pl_arena_copy(&table->arena, current->dynamodb);
    return table->dynamodb.data != NULL ? 0 : PL_ENOMEM;
}

static void carry_over_indexes(struct pl_catalog *catalog, const struct pl_table *current,
                               struct pl_table *table, bool same_code, struct pl_buf *change)
{
    for (uint32_t i = 0; i < table->index_count; i++) {
        struct pl_index *index = &table->indexes[i];
        const struct pl_index *old = pl_table_index(current, index->name);

        if (old != NULL && same_entries(old, index, same_code)) {
            index->id = old->id;
            index->state = old->state;
        } else {
            index->id = pl_catalog_draw_id(catalog, change);
            index->state = PL_INDEX_BACKFILLING;
        }
    }
}

static int compare_tables(const struct pl_table *a, const struct pl_table *b, bool *same)
{
    struct pl_buf left = { 0 }, right = { 0 };
    int rc;

    pl_table_encode(a, &left);
    pl_table_encode(b, &right);
    rc = pl_buf_status(&left) != 0 || pl_buf_status(&right) != 0 ? PL_ENOMEM : 0;
    *same = rc == 0 && pl_bytes_equal(pl_buf_view(&left), pl_buf_view(&right));
    pl_buf_deinit(&left);
    pl_buf_deinit(&right);
    return rc;
}

int pl_schema_alter(struct pl_catalog *catalog, const struct pl_table *current,
                    const struct pl_table *definition, uint64_t code_hash, int64_t now_ms,
                    struct pl_buf *change, struct pl_reason *why)
{
    bool same_code = pl_catalog_code(catalog, current->id) == code_hash, same;
    struct pl_table *table;
    int rc;

    if (!same_keys(&current->keys, &definition->keys))
        return pl_reason_set(
            why, PL_EINVALID,
            "partition_key, sort_key: the table %.*s has items under other keys; drop it first, or "
            "give the new one another name",
            NAME(current->name));
    rc = pl_table_copy(definition, &table);
    if (rc != 0)
        return rc;
    table->id = current->id;
    table->version = current->version;
    table->created_ms = current->created_ms;
    table->changed_ms = current->changed_ms;
    carry_over_indexes(catalog, current, table, same_code, change);
    carry_over_expiry(catalog, current, table, change);
    carry_over_collections(catalog, current, table, change);
    carry_over_stream(catalog, current, table, now_ms, change);
    carry_over_triggers(catalog, current, table, now_ms, change);
    rc = carry_over_notes(current, table);
    if (rc == 0)
        rc = compare_tables(current, table, &same);
    if (rc != 0 || (same_code && same)) {
        pl_table_unref(table);
        return rc;
    }
    table->version++;
    table->changed_ms = now_ms;
    rc = discard_replaced(catalog, current, table, now_ms, change);
    if (rc == 0)
        rc = pl_catalog_set_table(catalog, table, code_hash, change);
    pl_table_unref(table);
    return rc;
}

int pl_schema_apply(struct pl_catalog *catalog, const struct pl_table *definition, uint64_t code_hash,
                    int64_t now_ms, struct pl_buf *change, struct pl_reason *why)
{
    const struct pl_table *current = pl_tables_find(catalog->tables, definition->name);

    if (current == NULL)
        return pl_schema_create(catalog, definition, code_hash, now_ms, change, why);
    return pl_schema_alter(catalog, current, definition, code_hash, now_ms, change, why);
}

int pl_schema_drop(struct pl_catalog *catalog, const struct pl_table *table, int64_t now_ms,
                   struct pl_buf *change, struct pl_reason *why)
{
    int rc;

    if (table->deletion_protection)
        return pl_reason_set(
            why, PL_EINVALID,
            "Resource cannot be deleted as it is currently protected against deletion. Disable "
            "deletion protection first.");
    rc = pl_catalog_add_garbage(catalog, table->id, PL_KIND_ITEM, change);
    for (uint32_t i = 0; i < table->index_count && rc == 0; i++)
        rc = pl_catalog_add_garbage(catalog, table->indexes[i].id, index_kind(&table->indexes[i]), change);
    if (rc == 0)
        rc = discard_companions(catalog, table, NULL, now_ms, change);
    if (rc != 0)
        return rc;
    /* The garbage record stands under the table's own id, in place of the table: one key, one record. */
    return pl_catalog_forget_table(catalog, table->id);
}

int pl_schema_activate(struct pl_catalog *catalog, const struct pl_table *table, uint32_t id,
                       struct pl_buf *change)
{
    struct pl_table *copy;
    int rc = pl_table_copy(table, &copy);

    if (rc != 0)
        return rc;
    copy->version++;
    for (uint32_t i = 0; i < copy->index_count; i++)
        if (copy->indexes[i].id == id)
            copy->indexes[i].state = PL_INDEX_ACTIVE;
    if (copy->expiry_id == id)
        copy->expiry_filling = false;
    rc = pl_catalog_set_table(catalog, copy, pl_catalog_code(catalog, table->id), change);
    pl_table_unref(copy);
    return rc;
}
