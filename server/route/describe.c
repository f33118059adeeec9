/* SPDX-License-Identifier: MIT */
#include "route/describe.h"

#include "model/json.h"

#include <cjson/cJSON.h>

/* Counts are far below 2^53, so a double holds them. */
static bool add_counts(cJSON *to, struct pl_counters *counters, uint32_t id)
{
    struct pl_count count = pl_counters_total(counters, id);

    return cJSON_AddNumberToObject(to, "items", (double)count.items) != NULL &&
           cJSON_AddNumberToObject(to, "size_bytes", (double)count.size_bytes) != NULL;
}

static bool add_index(cJSON *to, const struct pl_index *index, struct pl_counters *counters,
                      uint64_t (*filled)(void *state, uint32_t id), void *state)
{
    char name[PL_TABLE_NAME_MAX + 1];
    cJSON *at;

    memcpy(name, index->name.data, index->name.len);
    name[index->name.len] = '\0';
    at = cJSON_AddObjectToObject(to, name);
    if (at == NULL || !add_counts(at, counters, index->id))
        return false;
    if (index->state == PL_INDEX_ACTIVE)
        return cJSON_AddStringToObject(at, "state", "active") != NULL;
    if (cJSON_AddStringToObject(at, "state", "backfilling") == NULL)
        return false;
    return filled == NULL ||
           cJSON_AddNumberToObject(at, "items_done", (double)filled(state, index->id)) != NULL;
}

static bool add_ttl_state(cJSON *to, const struct pl_table *table,
                          uint64_t (*filled)(void *state, uint32_t id), void *state)
{
    cJSON *at;

    if (table->expiry_id == 0)
        return true;
    at = cJSON_AddObjectToObject(to, "ttl_state");
    if (at == NULL || cJSON_AddStringToObject(at, "state", table->expiry_filling ? "filling" : "on") == NULL)
        return false;
    return !table->expiry_filling || filled == NULL ||
           cJSON_AddNumberToObject(at, "items_done", (double)filled(state, table->expiry_id)) != NULL;
}

static bool add_state(cJSON *to, const struct pl_table *table, struct pl_counters *counters,
                      uint64_t (*filled)(void *state, uint32_t id), void *state)
{
    cJSON *indexes;

    if (cJSON_AddNumberToObject(to, "id", table->id) == NULL ||
        cJSON_AddStringToObject(to, "state", "active") == NULL ||
        cJSON_AddNumberToObject(to, "created_ms", (double)table->created_ms) == NULL ||
        !add_counts(to, counters, table->id) || !add_ttl_state(to, table, filled, state))
        return false;
    if (table->index_count == 0)
        return true;
    indexes = cJSON_AddObjectToObject(to, "index_state");
    if (indexes == NULL)
        return false;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!add_index(indexes, &table->indexes[i], counters, filled, state))
            return false;
    return true;
}

int pl_describe_table(const struct pl_table *table, struct pl_counters *counters,
                      uint64_t (*filled)(void *state, uint32_t id), void *state, struct pl_buf *out)
{
    cJSON *json = pl_table_to_json(table);
    char *text = NULL;
    int rc = PL_ENOMEM;

    if (json != NULL && add_state(json, table, counters, filled, state))
        text = cJSON_PrintUnformatted(json);
    if (text != NULL) {
        pl_buf_append_bytes(out, pl_str(text));
        rc = pl_buf_status(out);
    }
    cJSON_free(text);
    cJSON_Delete(json);
    return rc;
}

int pl_describe_tables(const struct pl_tables *tables, struct pl_buf *out)
{
    pl_buf_append_bytes(out, pl_str("{\"tables\":["));
    for (uint32_t i = 0; i < tables->count; i++) {
        if (i > 0)
            pl_buf_append_byte(out, ',');
        pl_json_write_string(out, tables->tables[i]->name);
    }
    pl_buf_append_bytes(out, pl_str("]}"));
    return pl_buf_status(out);
}
