/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/notes.h"

#include "model/json.h"

#include <cjson/cJSON.h>

cJSON *pl_dynamo_notes_read(const struct pl_table *table)
{
    if (table->dynamodb.len == 0)
        return cJSON_CreateObject();
    return cJSON_ParseWithLength(table->dynamodb.data, table->dynamodb.len);
}

const cJSON *pl_dynamo_notes_index(const cJSON *notes, struct pl_bytes index)
{
    const cJSON *at;

    cJSON_ArrayForEach(at, cJSON_GetObjectItemCaseSensitive(notes, "indexes"))
    {
        if (pl_bytes_equal(pl_str(at->string), index))
            return at;
    }
    return NULL;
}

static uint64_t larger_of(const cJSON *pair, const char *name, uint64_t least)
{
    const cJSON *units = cJSON_GetObjectItemCaseSensitive(pair, name);

    return cJSON_IsNumber(units) && units->valuedouble > (double)least ? (uint64_t)units->valuedouble : least;
}

struct pl_throughput pl_dynamo_notes_warm(const cJSON *notes, struct pl_throughput throughput)
{
    const cJSON *warm = cJSON_GetObjectItemCaseSensitive(notes, "warm");
    bool provisioned = throughput.provisioned;

    throughput.read_units =
        larger_of(warm, "read", provisioned ? throughput.read_units : PL_DYNAMO_WARM_READS);
    throughput.write_units =
        larger_of(warm, "write", provisioned ? throughput.write_units : PL_DYNAMO_WARM_WRITES);
    return throughput;
}

static void begin(struct pl_dynamo_notes *notes, const char *name)
{
    pl_buf_append_format(notes->out, "%s\"%s\":", notes->started ? "," : "", name);
    notes->started = true;
}

void pl_dynamo_notes_write_text(struct pl_dynamo_notes *notes, const char *name, struct pl_bytes text)
{
    begin(notes, name);
    pl_json_write_string(notes->out, text);
}

void pl_dynamo_notes_write_time(struct pl_dynamo_notes *notes, const char *name, int64_t ms)
{
    begin(notes, name);
    pl_buf_append_format(notes->out, "%lld", (long long)ms);
}

/* {"read":..,"write":..} of the members that are there. -1 takes a limit away. */
static void write_pair(struct pl_dynamo_notes *notes, const char *name, const struct pl_dynamo_node *pair,
                       const char *read, const char *write)
{
    const struct pl_dynamo_node *units[] = { pl_dynamo_get(pair, read), pl_dynamo_get(pair, write) };
    const char *const names[] = { "read", "write" };
    bool first = true;

    begin(notes, name);
    pl_buf_append_byte(notes->out, '{');
    for (int i = 0; i < 2; i++) {
        if (units[i] == NULL)
            continue;
        pl_buf_append_format(notes->out, "%s\"%s\":", first ? "" : ",", names[i]);
        if (units[i]->number < 0)
            pl_buf_append_bytes(notes->out, pl_str("null"));
        else
            pl_buf_append_format(notes->out, "%lld", (long long)units[i]->number);
        first = false;
    }
    pl_buf_append_byte(notes->out, '}');
}

/* Limits of one way of billing end with the other. */
static bool ends_limits(const struct pl_dynamo_notes *notes, const struct pl_dynamo_node *given)
{
    return notes->patches && pl_dynamo_get(given, "ProvisionedThroughput") != NULL;
}

void pl_dynamo_notes_write_limits(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *given)
{
    const struct pl_dynamo_node *on_demand = pl_dynamo_get(given, "OnDemandThroughput");
    const struct pl_dynamo_node *warm = pl_dynamo_get(given, "WarmThroughput");

    if (ends_limits(notes, given)) {
        begin(notes, "on_demand");
        pl_buf_append_bytes(notes->out, pl_str("null"));
    } else if (on_demand != NULL) {
        write_pair(notes, "on_demand", on_demand, "MaxReadRequestUnits", "MaxWriteRequestUnits");
    }
    if (warm != NULL)
        write_pair(notes, "warm", warm, "ReadUnitsPerSecond", "WriteUnitsPerSecond");
}

/* An index, or the action that creates, updates or deletes one. */
static const struct pl_dynamo_node *index_in(const struct pl_dynamo_node *element, bool *deleted)
{
    static const char *const actions[] = { "Create", "Update", "Delete" };
    const struct pl_dynamo_node *index = element;

    *deleted = false;
    if (strcmp(element->shape->name, "GlobalSecondaryIndexUpdate") != 0)
        return index;
    for (int i = 0; i < 3; i++) {
        index = pl_dynamo_get(element, actions[i]);
        *deleted = i == 2;
        if (index != NULL)
            break;
    }
    return index;
}

/* What was noted of an index goes with it. */
static void write_index(struct pl_dynamo_notes *indexes, const struct pl_dynamo_node *element)
{
    struct pl_dynamo_notes inside = { .out = indexes->out, .patches = indexes->patches };
    bool deleted;
    const struct pl_dynamo_node *index = index_in(element, &deleted);

    if (!deleted && !ends_limits(indexes, index) && pl_dynamo_get(index, "OnDemandThroughput") == NULL &&
        pl_dynamo_get(index, "WarmThroughput") == NULL)
        return;
    if (!indexes->started)
        pl_buf_append_byte(indexes->out, '{');
    pl_buf_append(indexes->out, ",", indexes->started);
    pl_json_write_string(indexes->out, pl_dynamo_get_text(index, "IndexName"));
    if (deleted) {
        pl_buf_append_bytes(indexes->out, pl_str(":null"));
    } else {
        pl_buf_append_bytes(indexes->out, pl_str(":{"));
        pl_dynamo_notes_write_limits(&inside, index);
        pl_buf_append_byte(indexes->out, '}');
    }
    indexes->started = true;
}

/* A local index has no limits of its own, and is not asked for. */
void pl_dynamo_notes_write_indexes(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *indexes)
{
    struct pl_dynamo_notes inside = { .out = notes->out, .patches = notes->patches };
    size_t mark = notes->out->len;
    bool started = notes->started;

    if (indexes == NULL)
        return;
    begin(notes, "indexes");
    for (const struct pl_dynamo_node *at = indexes->first; at != NULL; at = at->next)
        write_index(&inside, at);
    if (inside.started) {
        pl_buf_append_byte(notes->out, '}');
    } else {
        notes->out->len = mark;
        notes->started = started;
    }
}

void pl_dynamo_notes_write_sse(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *specification)
{
    struct pl_bytes key = pl_dynamo_get_text(specification, "KMSMasterKeyId");

    begin(notes, "sse");
    if (!pl_dynamo_get_bool(specification, "Enabled")) {
        pl_buf_append_bytes(notes->out, pl_str("null"));
        return;
    }
    pl_buf_append_bytes(notes->out, pl_str("{\"key\":"));
    pl_json_write_string(notes->out, key.data != NULL ? key : pl_str(""));
    pl_buf_append_byte(notes->out, '}');
}

void pl_dynamo_notes_write_tags(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *tags)
{
    begin(notes, "tags");
    pl_buf_append_byte(notes->out, '{');
    for (const struct pl_dynamo_node *at = tags->first; at != NULL; at = at->next) {
        pl_buf_append(notes->out, ",", at != tags->first);
        pl_json_write_string(notes->out, pl_dynamo_get_text(at, "Key"));
        pl_buf_append_byte(notes->out, ':');
        pl_json_write_string(notes->out, pl_dynamo_get_text(at, "Value"));
    }
    pl_buf_append_byte(notes->out, '}');
}
