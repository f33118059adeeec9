/* SPDX-License-Identifier: MIT */
#include "model/table.h"

#include <cjson/cJSON.h>

/*
 * A table in the form that pl_table_from_json() reads. The first failure sticks: what
 * follows adds nothing, and the whole is thrown away at the end.
 */
struct writer {
    struct pl_buf scratch;
    bool failed;
};

/* `text` with a zero behind it, good until the next call. */
static const char *zero_ended(struct writer *w, struct pl_bytes text)
{
    pl_buf_clear(&w->scratch);
    pl_buf_append_bytes(&w->scratch, text);
    pl_buf_append_byte(&w->scratch, 0);
    if (pl_buf_status(&w->scratch) == 0)
        return w->scratch.data;
    w->failed = true;
    return "";
}

/* Takes `json` (NULL: there was no memory for it) and gives it back, in its place or not at all. */
static cJSON *add(struct writer *w, cJSON *to, struct pl_bytes name, cJSON *json)
{
    bool added;

    if (json == NULL || to == NULL) {
        w->failed = true;
        cJSON_Delete(json);
        return NULL;
    }
    added = cJSON_IsArray(to) ? cJSON_AddItemToArray(to, json)
                              : cJSON_AddItemToObject(to, zero_ended(w, name), json);
    if (added)
        return json;
    w->failed = true;
    cJSON_Delete(json);
    return NULL;
}

static void add_text(struct writer *w, cJSON *to, const char *name, struct pl_bytes text)
{
    cJSON *json = cJSON_CreateString(zero_ended(w, text));

    add(w, to, pl_str(name), json);
}

static void add_number(struct writer *w, cJSON *to, const char *name, double number)
{
    add(w, to, pl_str(name), cJSON_CreateNumber(number));
}

static void add_function(struct writer *w, cJSON *to, struct pl_bytes name)
{
    cJSON *marker = add(w, to, name, cJSON_CreateObject());

    add(w, marker, pl_str("$function"), cJSON_CreateTrue());
}

static void add_key_attribute(struct writer *w, cJSON *to, const char *name,
                              const struct pl_key_attribute *attribute)
{
    struct pl_buf text = { 0 };

    pl_buf_append_bytes(&text, attribute->name);
    pl_buf_append_byte(&text, ':');
    pl_buf_append_bytes(&text, pl_str(pl_type_name(attribute->type)));
    if (pl_buf_status(&text) != 0)
        w->failed = true;
    else
        add_text(w, to, name, pl_buf_view(&text));
    pl_buf_deinit(&text);
}

static void add_key_attributes(struct writer *w, cJSON *to, const char *name,
                               const struct pl_key_attribute *attributes, uint8_t count)
{
    if (count == 1)
        add_key_attribute(w, to, name, &attributes[0]);
    if (count > 1) {
        cJSON *list = add(w, to, pl_str(name), cJSON_CreateArray());

        for (uint8_t i = 0; i < count; i++)
            add_key_attribute(w, list, "", &attributes[i]);
    }
}

static void add_throughput(struct writer *w, cJSON *to, struct pl_throughput throughput)
{
    if (throughput.provisioned) {
        cJSON *json = add(w, to, pl_str("throughput"), cJSON_CreateObject());

        add_number(w, json, "read", (double)throughput.read_units);
        add_number(w, json, "write", (double)throughput.write_units);
    }
}

static void add_projection(struct writer *w, cJSON *to, const struct pl_index *index)
{
    cJSON *list;

    switch (index->projection) {
    case PL_PROJECT_ALL:
        add_text(w, to, "project", pl_str("all"));
        break;
    case PL_PROJECT_KEYS_ONLY:
        add_text(w, to, "project", pl_str("keys_only"));
        break;
    case PL_PROJECT_FUNCTION:
        add_function(w, to, pl_str("project"));
        break;
    case PL_PROJECT_NAMES:
        list = add(w, to, pl_str("project"), cJSON_CreateArray());
        for (uint32_t i = 0; i < index->name_count; i++)
            add_text(w, list, "", index->names[i]);
        break;
    }
}

static void add_indexes(struct writer *w, cJSON *to, const struct pl_table *table)
{
    cJSON *indexes = table->index_count > 0 ? add(w, to, pl_str("indexes"), cJSON_CreateObject()) : NULL;

    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct pl_index *index = &table->indexes[i];
        cJSON *json = add(w, indexes, index->name, cJSON_CreateObject());

        if (index->global)
            add_key_attributes(w, json, "partition_key", index->keys.partition, index->keys.partition_count);
        add_key_attributes(w, json, "sort_key", index->keys.sort, index->keys.sort_count);
        add_projection(w, json, index);
        add_throughput(w, json, index->throughput);
    }
}

static void add_conditions(struct writer *w, cJSON *to, const struct pl_table *table)
{
    cJSON *conditions =
        table->condition_count > 0 ? add(w, to, pl_str("conditions"), cJSON_CreateObject()) : NULL;

    for (uint32_t i = 0; i < table->condition_count; i++)
        add_function(w, conditions, table->conditions[i]);
}

static void add_trigger(struct writer *w, cJSON *json, const struct pl_trigger *trigger)
{
    cJSON *on = add(w, json, pl_str("on"), cJSON_CreateArray());

    if (trigger->on_insert)
        add_text(w, on, "", pl_str("insert"));
    if (trigger->on_modify)
        add_text(w, on, "", pl_str("modify"));
    if (trigger->on_remove)
        add_text(w, on, "", pl_str("remove"));
    add_number(w, json, "batch", trigger->batch);
    add_number(w, json, "batch_window_ms", trigger->batch_window_ms);
    add_number(w, json, "retries", (double)trigger->retries);
    add_number(w, json, "max_age_s", (double)trigger->max_age_s);
    add_number(w, json, "parallel", trigger->parallel);
    if (trigger->has_filter)
        add_function(w, json, pl_str("filter"));
    add_function(w, json, pl_str("run"));
}

static void add_triggers(struct writer *w, cJSON *to, const struct pl_table *table)
{
    cJSON *triggers = table->trigger_count > 0 ? add(w, to, pl_str("triggers"), cJSON_CreateObject()) : NULL;

    for (uint32_t i = 0; i < table->trigger_count; i++)
        add_trigger(w, add(w, triggers, table->triggers[i].name, cJSON_CreateObject()), &table->triggers[i]);
}

static void add_dynamodb(struct writer *w, cJSON *to, const struct pl_table *table)
{
    if (table->dynamodb.len > 0)
        add(w, to, pl_str("dynamodb"), cJSON_ParseWithLength(table->dynamodb.data, table->dynamodb.len));
}

static void add_table(struct writer *w, cJSON *json, const struct pl_table *table)
{
    add_text(w, json, "table", table->name);
    add_key_attributes(w, json, "partition_key", table->keys.partition, table->keys.partition_count);
    add_key_attributes(w, json, "sort_key", table->keys.sort, table->keys.sort_count);
    if (table->ttl_attribute.len > 0)
        add_text(w, json, "ttl", table->ttl_attribute);
    if (table->stream != PL_STREAM_OFF)
        add_text(w, json, "stream", pl_str(pl_stream_view_name(table->stream)));
    add_throughput(w, json, table->throughput);
    if (table->deletion_protection)
        add(w, json, pl_str("deletion_protection"), cJSON_CreateTrue());
    add_indexes(w, json, table);
    if (table->has_before_write)
        add_function(w, json, pl_str("before_write"));
    add_conditions(w, json, table);
    add_triggers(w, json, table);
    add_dynamodb(w, json, table);
}

cJSON *pl_table_to_json(const struct pl_table *table)
{
    cJSON *json = cJSON_CreateObject();
    struct writer w = { .failed = json == NULL };

    add_table(&w, json, table);
    pl_buf_deinit(&w.scratch);
    if (!w.failed)
        return json;
    cJSON_Delete(json);
    return NULL;
}
