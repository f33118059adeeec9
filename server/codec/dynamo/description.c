/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/description.h"

#include "codec/dynamo/notes.h"
#include "codec/dynamo/stream_names.h"
#include "model/json.h"

#include <cjson/cJSON.h>
#include <time.h>

/* What is written about, while it is written. */
struct description {
    struct pl_buf *out;
    const struct pl_dynamo_context *context;
    const struct pl_table *table;
    const struct pl_extent *extents;
    const cJSON *notes;
    enum pl_dynamo_table_state state;
};

int pl_dynamo_describe(struct pl_dynamo_request *request, struct pl_bytes name)
{
    pl_dynamo_operation(request, PL_OP_DESCRIBE);
    request->op.table_name = name;
    return PL_DYNAMO_GO_ON;
}

/* A wall clock may have been set back since: then it is long ago. */
static bool is_recent(int64_t at_ms, const struct pl_dynamo_context *context)
{
    return context->now_ms >= at_ms && context->now_ms - at_ms < context->table_delay_ms;
}

enum pl_dynamo_table_state pl_dynamo_table_state(const struct pl_table *table,
                                                 const struct pl_dynamo_context *context)
{
    if (is_recent(table->created_ms, context))
        return PL_DYNAMO_TABLE_CREATING;
    if (is_recent(table->changed_ms, context))
        return PL_DYNAMO_TABLE_UPDATING;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].state == PL_INDEX_BACKFILLING)
            return PL_DYNAMO_TABLE_UPDATING;
    return PL_DYNAMO_TABLE_AS_IT_IS;
}

/* ---- small things ----------------------------------------------------------------------------------- */

void pl_dynamo_arn_write(struct pl_buf *out, const struct pl_dynamo_context *context, struct pl_bytes table)
{
    pl_buf_append_bytes(out, pl_str("arn:aws:dynamodb:"));
    pl_buf_append_bytes(out, context->region);
    pl_buf_append_byte(out, ':');
    pl_buf_append_bytes(out, context->account);
    pl_buf_append_bytes(out, pl_str(":table/"));
    pl_buf_append_bytes(out, table);
}

void pl_dynamo_time_write(struct pl_buf *out, int64_t ms)
{
    pl_buf_append_format(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
}

void pl_dynamo_label_write(struct pl_buf *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    pl_buf_append_format(out, "%s.%03lld", text, (long long)(ms % 1000));
}

static void write_text(struct pl_buf *out, const char *before, struct pl_bytes text)
{
    pl_buf_append_bytes(out, pl_str(before));
    pl_json_write_string(out, text);
}

static const cJSON *note(const struct description *d, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(d->notes, name);
}

static int64_t number_in(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : otherwise;
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static void write_key_elements(struct pl_buf *out, const struct pl_key_attribute *attributes, uint8_t count,
                               const char *type, bool first)
{
    for (uint8_t i = 0; i < count; i++) {
        pl_buf_append(out, ",", i > 0 || !first);
        write_text(out, "{\"AttributeName\":", attributes[i].name);
        pl_buf_append_format(out, ",\"KeyType\":\"%s\"}", type);
    }
}

void pl_dynamo_key_schema_write(struct pl_buf *out, const struct pl_key_schema *keys)
{
    pl_buf_append_bytes(out, pl_str("\"KeySchema\":["));
    write_key_elements(out, keys->partition, keys->partition_count, "HASH", true);
    write_key_elements(out, keys->sort, keys->sort_count, "RANGE", false);
    pl_buf_append_byte(out, ']');
}

static bool is_known_before(const struct pl_table *table, uint32_t index, struct pl_bytes name)
{
    if (pl_key_schema_has(&table->keys, name))
        return true;
    for (uint32_t i = 0; i < index; i++)
        if (pl_key_schema_has(&table->indexes[i].keys, name))
            return true;
    return false;
}

static void write_attributes(struct pl_buf *out, const struct pl_key_attribute *attributes, uint8_t count,
                             const struct pl_table *known, uint32_t index, bool *first)
{
    for (uint8_t i = 0; i < count; i++) {
        if (known != NULL && is_known_before(known, index, attributes[i].name))
            continue;
        pl_buf_append(out, ",", !*first);
        write_text(out, "{\"AttributeName\":", attributes[i].name);
        pl_buf_append_format(out, ",\"AttributeType\":\"%s\"}", pl_type_name(attributes[i].type));
        *first = false;
    }
}

static void write_attribute_definitions(const struct description *d)
{
    const struct pl_table *t = d->table;
    bool first = true;

    pl_buf_append_bytes(d->out, pl_str("\"AttributeDefinitions\":["));
    write_attributes(d->out, t->keys.partition, t->keys.partition_count, NULL, 0, &first);
    write_attributes(d->out, t->keys.sort, t->keys.sort_count, NULL, 0, &first);
    for (uint32_t i = 0; i < t->index_count; i++) {
        const struct pl_key_schema *keys = &t->indexes[i].keys;

        write_attributes(d->out, keys->partition, keys->partition_count, t, i, &first);
        write_attributes(d->out, keys->sort, keys->sort_count, t, i, &first);
    }
    pl_buf_append_bytes(d->out, pl_str("],"));
}

/* ---- throughput ------------------------------------------------------------------------------------- */

static void write_throughput(struct pl_buf *out, struct pl_throughput throughput)
{
    pl_buf_append_format(
        out,
        ",\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":%llu,"
        "\"WriteCapacityUnits\":%llu}",
        (unsigned long long)throughput.read_units, (unsigned long long)throughput.write_units);
}

static void write_warm(struct pl_buf *out, const cJSON *notes, struct pl_throughput throughput)
{
    struct pl_throughput warm = pl_dynamo_notes_warm(notes, throughput);

    pl_buf_append_format(out,
                         ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":%llu,\"WriteUnitsPerSecond\":%llu,"
                         "\"Status\":\"ACTIVE\"}",
                         (unsigned long long)warm.read_units, (unsigned long long)warm.write_units);
}

static void write_on_demand(struct pl_buf *out, const cJSON *notes)
{
    const cJSON *on_demand = cJSON_GetObjectItemCaseSensitive(notes, "on_demand");
    int64_t reads = number_in(on_demand, "read", 0), writes = number_in(on_demand, "write", 0);

    if (reads == 0 && writes == 0)
        return;
    pl_buf_append_bytes(out, pl_str(",\"OnDemandThroughput\":{"));
    if (reads != 0)
        pl_buf_append_format(out, "\"MaxReadRequestUnits\":%lld%s", (long long)reads, writes != 0 ? "," : "");
    if (writes != 0)
        pl_buf_append_format(out, "\"MaxWriteRequestUnits\":%lld", (long long)writes);
    pl_buf_append_byte(out, '}');
}

static void write_billing(const struct description *d)
{
    int64_t ms = number_in(d->notes, "on_demand_ms", 0);

    if (ms == 0 && !d->table->throughput.provisioned)
        ms = d->table->created_ms;
    if (ms == 0)
        return;
    pl_buf_append_format(
        d->out, ",\"BillingModeSummary\":{\"BillingMode\":\"%s\",\"LastUpdateToPayPerRequestDateTime\":",
        d->table->throughput.provisioned ? "PROVISIONED" : "PAY_PER_REQUEST");
    pl_dynamo_time_write(d->out, ms);
    pl_buf_append_byte(d->out, '}');
}

/* ---- indexes ---------------------------------------------------------------------------------------- */

static void write_projection(struct pl_buf *out, const struct pl_index *index)
{
    const char *type = index->projection == PL_PROJECT_KEYS_ONLY ? "KEYS_ONLY"
                       : index->projection == PL_PROJECT_NAMES   ? "INCLUDE"
                                                                 : "ALL";

    pl_buf_append_format(out, ",\"Projection\":{\"ProjectionType\":\"%s\"", type);
    for (uint32_t i = 0; i < index->name_count; i++)
        write_text(out, i == 0 ? ",\"NonKeyAttributes\":[" : ",", index->names[i]);
    pl_buf_append_bytes(out, index->name_count > 0 ? pl_str("]}") : pl_str("}"));
}

static void write_index_state(const struct description *d, const struct pl_index *index)
{
    bool filling = index->state == PL_INDEX_BACKFILLING;

    pl_buf_append_format(d->out, ",\"IndexStatus\":\"%s\"",
                         filling || d->state == PL_DYNAMO_TABLE_CREATING ? "CREATING" : "ACTIVE");
    if (filling)
        pl_buf_append_bytes(d->out, pl_str(",\"Backfilling\":true"));
}

static void write_index(const struct description *d, uint32_t i)
{
    const struct pl_index *index = &d->table->indexes[i];
    const cJSON *notes = pl_dynamo_notes_index(d->notes, index->name);

    write_text(d->out, "{\"IndexName\":", index->name);
    pl_buf_append_byte(d->out, ',');
    pl_dynamo_key_schema_write(d->out, &index->keys);
    write_projection(d->out, index);
    pl_buf_append_format(d->out, ",\"IndexSizeBytes\":%lld,\"ItemCount\":%lld,\"IndexArn\":\"",
                         (long long)d->extents[1 + i].size_bytes, (long long)d->extents[1 + i].items);
    pl_dynamo_arn_write(d->out, d->context, d->table->name);
    pl_buf_append_bytes(d->out, pl_str("/index/"));
    pl_buf_append_bytes(d->out, index->name);
    pl_buf_append_byte(d->out, '"');
    if (index->global) {
        write_index_state(d, index);
        write_throughput(d->out, index->throughput);
        write_on_demand(d->out, notes);
        write_warm(d->out, notes, index->throughput);
    }
    pl_buf_append_byte(d->out, '}');
}

static void write_indexes(const struct description *d, bool global)
{
    bool first = true;

    for (uint32_t i = 0; i < d->table->index_count; i++) {
        if (d->table->indexes[i].global != global)
            continue;
        pl_buf_append_bytes(d->out, !first   ? pl_str(",")
                                    : global ? pl_str(",\"GlobalSecondaryIndexes\":[")
                                             : pl_str(",\"LocalSecondaryIndexes\":["));
        write_index(d, i);
        first = false;
    }
    pl_buf_append(d->out, "]", !first);
}

/* ---- settings --------------------------------------------------------------------------------------- */

static void write_stream(const struct description *d)
{
    bool on = d->table->stream != PL_STREAM_OFF;
    int64_t ms = on ? d->table->stream_created_ms : number_in(d->notes, "stream_ms", 0);

    if (on)
        pl_buf_append_format(d->out,
                             ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"%s\"}",
                             pl_dynamo_view_type(d->table->stream));
    if (ms == 0)
        return;
    pl_buf_append_bytes(d->out, pl_str(",\"LatestStreamLabel\":\""));
    pl_dynamo_label_write(d->out, ms);
    pl_buf_append_bytes(d->out, pl_str("\",\"LatestStreamArn\":\""));
    pl_dynamo_arn_write(d->out, d->context, d->table->name);
    pl_buf_append_bytes(d->out, pl_str("/stream/"));
    pl_dynamo_label_write(d->out, ms);
    pl_buf_append_byte(d->out, '"');
}

static void write_sse(const struct description *d)
{
    const cJSON *sse = note(d, "sse"), *key = cJSON_GetObjectItemCaseSensitive(sse, "key");

    if (sse == NULL)
        return;
    pl_buf_append_bytes(d->out, pl_str(",\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\","
                                       "\"KMSMasterKeyArn\":"));
    if (cJSON_IsString(key) && key->valuestring[0] != '\0') {
        pl_json_write_string(d->out, pl_str(key->valuestring));
    } else {
        pl_buf_append_bytes(d->out, pl_str("\"arn:aws:kms:"));
        pl_buf_append_bytes(d->out, d->context->region);
        pl_buf_append_byte(d->out, ':');
        pl_buf_append_bytes(d->out, d->context->account);
        pl_buf_append_bytes(d->out, pl_str(":alias/aws/dynamodb\""));
    }
    pl_buf_append_byte(d->out, '}');
}

static void write_class(const struct description *d)
{
    const cJSON *table_class = note(d, "table_class");

    if (!cJSON_IsString(table_class))
        return;
    write_text(d->out, ",\"TableClassSummary\":{\"TableClass\":", pl_str(table_class->valuestring));
    pl_buf_append_byte(d->out, '}');
}

/* ---- the table -------------------------------------------------------------------------------------- */

static const char *status_of(const struct description *d)
{
    enum pl_dynamo_table_state state = d->state;

    if (state == PL_DYNAMO_TABLE_AS_IT_IS)
        state = pl_dynamo_table_state(d->table, d->context);
    switch (state) {
    case PL_DYNAMO_TABLE_CREATING:
        return "CREATING";
    case PL_DYNAMO_TABLE_UPDATING:
        return "UPDATING";
    case PL_DYNAMO_TABLE_DELETING:
        return "DELETING";
    case PL_DYNAMO_TABLE_AS_IT_IS:
        break;
    }
    return "ACTIVE";
}

/* A UUID that says nothing but that this is another table than one of the same name before. */
static void write_table_id(const struct description *d)
{
    uint64_t mixed =
        ((uint64_t)d->table->created_ms ^ (uint64_t)d->table->id << 44) * UINT64_C(0x9E3779B97F4A7C15);

    pl_buf_append_format(d->out, ",\"TableId\":\"%08x-%04x-4%03x-8%03x-%012llx\"", d->table->id,
                         (unsigned)(mixed >> 48), (unsigned)(mixed >> 36 & 0xFFF),
                         (unsigned)(mixed >> 24 & 0xFFF),
                         (unsigned long long)d->table->created_ms & 0xFFFFFFFFFFFFULL);
}

static void write_whole(const struct description *d)
{
    struct pl_buf *out = d->out;
    bool deleting = d->state == PL_DYNAMO_TABLE_DELETING;

    pl_buf_append_byte(out, '{');
    if (!deleting)
        write_attribute_definitions(d);
    write_text(out, "\"TableName\":", d->table->name);
    pl_buf_append_byte(out, ',');
    if (!deleting) {
        pl_dynamo_key_schema_write(out, &d->table->keys);
        pl_buf_append_byte(out, ',');
    }
    pl_buf_append_format(out, "\"TableStatus\":\"%s\"", status_of(d));
    if (!deleting) {
        pl_buf_append_bytes(out, pl_str(",\"CreationDateTime\":"));
        pl_dynamo_time_write(out, d->table->created_ms);
    }
    write_throughput(out, d->table->throughput);
    pl_buf_append_format(out, ",\"TableSizeBytes\":%lld,\"ItemCount\":%lld,\"TableArn\":\"",
                         (long long)d->extents[0].size_bytes, (long long)d->extents[0].items);
    pl_dynamo_arn_write(out, d->context, d->table->name);
    pl_buf_append_byte(out, '"');
    write_table_id(d);
    write_billing(d);
    if (!deleting) {
        write_indexes(d, false);
        write_indexes(d, true);
        write_stream(d);
        write_sse(d);
        write_class(d);
        write_on_demand(out, d->notes);
        write_warm(out, d->notes, d->table->throughput);
    }
    pl_buf_append_format(out, ",\"DeletionProtectionEnabled\":%s}",
                         d->table->deletion_protection ? "true" : "false");
}

void pl_dynamo_description_write(struct pl_dynamo_request *request, enum pl_dynamo_table_state state)
{
    const struct pl_operation *op = &request->op;
    cJSON *notes = pl_dynamo_notes_read(op->table);
    struct description d = { .out = &request->body,
                             .context = request->context,
                             .table = op->table,
                             .extents = op->reply.extents,
                             .notes = notes,
                             .state = state };

    if (notes == NULL)
        request->body.failed = true;
    else
        write_whole(&d);
    cJSON_Delete(notes);
}
