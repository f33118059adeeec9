/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/index_input.h"
#include "codec/dynamo/notes.h"
#include "codec/dynamo/settings.h"
#include "codec/dynamo/table_shapes.h"
#include "codec/dynamo/tags.h"
#include "model/json.h"

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

static const struct pl_dynamo_shape vector_index = { .kind = PL_DYNAMO_STRUCTURE, .name = "VectorIndex" };
static const struct pl_dynamo_shape vector_indexes = { .kind = PL_DYNAMO_LIST, .element = &vector_index };

static const struct pl_dynamo_member members[] = {
    { "TableName", &pl_dynamo_new_table_name, false }, /* its absence is told in other words */
    { "AttributeDefinitions", &pl_dynamo_attribute_definitions, true },
    { "KeySchema", &pl_dynamo_key_schema, true },
    { "BillingMode", &pl_dynamo_billing_mode, false },
    { "ProvisionedThroughput", &pl_dynamo_throughput, false },
    { "LocalSecondaryIndexes", &pl_dynamo_local_indexes, false },
    { "GlobalSecondaryIndexes", &pl_dynamo_global_indexes, false },
    { "StreamSpecification", &pl_dynamo_stream_specification, false },
    { "SSESpecification", &pl_dynamo_sse_specification, false },
    { "Tags", &pl_dynamo_tags, false },
    { "TableClass", &pl_dynamo_string, false },
    { "DeletionProtectionEnabled", &pl_dynamo_boolean, false },
    { "OnDemandThroughput", &pl_dynamo_on_demand_throughput, false },
    { "WarmThroughput", &pl_dynamo_warm_throughput, false },
    { "VectorIndexes", &vector_indexes, false },
    { "ResourcePolicy", &pl_dynamo_string, false },
    { "GlobalTableSourceArn", &pl_dynamo_string, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("CreateTableInput", members);

/* ---- checks ----------------------------------------------------------------------------------------- */

static bool is_provisioned(const struct pl_dynamo_node *request_input)
{
    return !pl_bytes_equal(pl_dynamo_get_text(request_input, "BillingMode"), pl_str("PAY_PER_REQUEST"));
}

static int check_throughput(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *throughput = pl_dynamo_get(request->input, "ProvisionedThroughput");

    if (is_provisioned(request->input) && throughput == NULL)
        return pl_dynamo_invalid(request, P "ReadCapacityUnits and WriteCapacityUnits must both be specified "
                                            "when BillingMode is PROVISIONED");
    if (!is_provisioned(request->input) && throughput != NULL)
        return pl_dynamo_invalid(request,
                                 P "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                                   "when BillingMode is PAY_PER_REQUEST");
    return pl_dynamo_throughput_check(request, throughput);
}

static int check_keys(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(request->input, "AttributeDefinitions");
    int rc = pl_dynamo_attributes_check(request, attributes);

    if (attributes->count == 0)
        return pl_dynamo_invalid(request, "Invalid KeySchema: Some index key attribute have no definition");
    return rc != 0
               ? rc
               : pl_dynamo_key_schema_check(request, attributes, pl_dynamo_get(request->input, "KeySchema"));
}

/* Of which attributes they are. */
static int check_index_keys(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(request->input, "AttributeDefinitions");
    const struct pl_dynamo_node *locals = pl_dynamo_get(request->input, "LocalSecondaryIndexes");
    const struct pl_dynamo_node *globals = pl_dynamo_get(request->input, "GlobalSecondaryIndexes");
    int rc = 0;

    if (locals != NULL && locals->count == 0)
        return pl_dynamo_invalid(request, P "List of LocalSecondaryIndexes is empty");
    if (globals != NULL && globals->count == 0)
        return pl_dynamo_invalid(request, P "List of GlobalSecondaryIndexes is empty");
    for (const struct pl_dynamo_node *at = locals != NULL ? locals->first : NULL; rc == 0 && at != NULL;
         at = at->next)
        rc = pl_dynamo_key_schema_check(request, attributes, pl_dynamo_get(at, "KeySchema"));
    for (const struct pl_dynamo_node *at = globals != NULL ? globals->first : NULL; rc == 0 && at != NULL;
         at = at->next)
        rc = pl_dynamo_global_keys_check(request, attributes, pl_dynamo_get(at, "KeySchema"));
    return rc;
}

static int check_local_indexes(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *indexes = pl_dynamo_get(request->input, "LocalSecondaryIndexes");
    int rc = 0;

    if (indexes == NULL)
        return 0;
    for (const struct pl_dynamo_node *at = indexes->first; rc == 0 && at != NULL; at = at->next)
        rc = pl_dynamo_local_index_check(request, pl_dynamo_get(request->input, "KeySchema"), at);
    if (rc == 0 && indexes->count > PL_LOCAL_INDEXES_MAX)
        rc = pl_dynamo_invalid(request, P "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
                               PL_LOCAL_INDEXES_MAX);
    return rc;
}

static int check_index_throughput(struct pl_dynamo_request *request, const struct pl_dynamo_node *index)
{
    bool given = pl_dynamo_get(index, "ProvisionedThroughput") != NULL;
    struct pl_bytes name = pl_dynamo_get_text(index, "IndexName");

    if (is_provisioned(request->input) && !given)
        return pl_dynamo_invalid(request, P "ProvisionedThroughput is not specified for index: %.*s",
                                 NAME(name));
    if (!is_provisioned(request->input) && given)
        return pl_dynamo_invalid(request,
                                 P "ProvisionedThroughput should not be specified for index: %.*s when "
                                   "BillingMode is PAY_PER_REQUEST",
                                 NAME(name));
    return pl_dynamo_index_limits_check(request, index);
}

static int check_global_indexes(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *indexes = pl_dynamo_get(request->input, "GlobalSecondaryIndexes");
    int rc = 0;

    if (indexes == NULL)
        return 0;
    for (const struct pl_dynamo_node *at = indexes->first; rc == 0 && at != NULL; at = at->next) {
        rc = check_index_throughput(request, at);
        if (rc == 0)
            rc = pl_dynamo_projection_check(request, at);
    }
    if (rc == 0 && indexes->count > PL_GLOBAL_INDEXES_MAX)
        rc = pl_dynamo_invalid(request, P "GlobalSecondaryIndex count exceeds the per-table limit of %d",
                               PL_GLOBAL_INDEXES_MAX);
    return rc;
}

/* The indexes of both kinds, one after the other. */
struct indexes {
    const struct pl_dynamo_node *at, *others;
};

static struct indexes all_indexes(const struct pl_dynamo_node *request_input)
{
    const struct pl_dynamo_node *local = pl_dynamo_get(request_input, "LocalSecondaryIndexes");
    const struct pl_dynamo_node *global = pl_dynamo_get(request_input, "GlobalSecondaryIndexes");

    return (struct indexes){ .at = local != NULL ? local->first : NULL,
                             .others = global != NULL ? global->first : NULL };
}

static const struct pl_dynamo_node *next_index(struct indexes *indexes)
{
    const struct pl_dynamo_node *at;

    if (indexes->at == NULL) {
        indexes->at = indexes->others;
        indexes->others = NULL;
    }
    at = indexes->at;
    if (at != NULL)
        indexes->at = at->next;
    return at;
}

static int check_index_names(struct pl_dynamo_request *request)
{
    struct indexes outer = all_indexes(request->input), inner;
    const struct pl_dynamo_node *one, *other;

    while ((one = next_index(&outer)) != NULL) {
        struct pl_bytes name = pl_dynamo_get_text(one, "IndexName");

        for (inner = all_indexes(request->input); (other = next_index(&inner)) != one;)
            if (pl_bytes_equal(pl_dynamo_get_text(other, "IndexName"), name))
                return pl_dynamo_invalid(request, P "Duplicate index name: %.*s", NAME(name));
    }
    return 0;
}

static bool is_used(const struct pl_dynamo_node *request_input, struct pl_bytes name)
{
    struct indexes indexes = all_indexes(request_input);
    const struct pl_dynamo_node *index;

    if (pl_dynamo_keys_have(pl_dynamo_get(request_input, "KeySchema"), name))
        return true;
    while ((index = next_index(&indexes)) != NULL)
        if (pl_dynamo_keys_have(pl_dynamo_get(index, "KeySchema"), name))
            return true;
    return false;
}

static void write_used(struct pl_buf *out, const struct pl_dynamo_node *request_input)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(request_input, "AttributeDefinitions");
    bool first = true;

    pl_buf_append_byte(out, '[');
    for (const struct pl_dynamo_node *at = attributes->first; at != NULL; at = at->next) {
        struct pl_bytes name = pl_dynamo_get_text(at, "AttributeName");

        if (!is_used(request_input, name))
            continue;
        pl_buf_append(out, ", ", first ? 0 : 2);
        pl_buf_append_bytes(out, name);
        first = false;
    }
    pl_buf_append_byte(out, ']');
}

static int refuse_unused(struct pl_dynamo_request *request)
{
    struct pl_buf text = { 0 };
    int rc;

    pl_buf_append_bytes(&text, pl_str("AttributeDefinitions: "));
    pl_dynamo_names_write(&text, pl_dynamo_get(request->input, "AttributeDefinitions"), "AttributeName");
    pl_buf_append_bytes(&text, pl_str(", keys used: "));
    write_used(&text, request->input);
    rc = pl_buf_status(&text);
    if (rc == 0)
        rc = pl_dynamo_invalid(request, P "Some AttributeDefinitions are not used. %.*s", (int)text.len,
                               text.data);
    pl_buf_deinit(&text);
    return rc;
}

static int check_attributes_used(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(request->input, "AttributeDefinitions");
    struct indexes indexes = all_indexes(request->input);
    bool has_indexes = next_index(&indexes) != NULL;

    for (const struct pl_dynamo_node *at = attributes->first; at != NULL; at = at->next) {
        if (is_used(request->input, pl_dynamo_get_text(at, "AttributeName")))
            continue;
        if (has_indexes)
            return refuse_unused(request);
        return pl_dynamo_invalid(request,
                                 P "Number of attributes in KeySchema does not exactly match number of "
                                   "attributes defined in AttributeDefinitions");
    }
    return 0;
}

static int check_stream(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *stream = pl_dynamo_get(request->input, "StreamSpecification");
    bool viewed, enabled;

    if (stream == NULL)
        return 0;
    viewed = pl_dynamo_get(stream, "StreamViewType") != NULL;
    enabled = pl_dynamo_get_bool(stream, "StreamEnabled");
    if (enabled && !viewed)
        return pl_dynamo_invalid(request, P
                                 "Table is being created with a stream enabled, UpdateViewType is required");
    if (!enabled && viewed)
        return pl_dynamo_invalid(
            request,
            P "Table is being created with a stream disabled, UpdateViewType should not be specified");
    return 0;
}

/* A table without them would not be what was asked for. */
static int check_here(struct pl_dynamo_request *request)
{
    static const char *const elsewhere[] = { "VectorIndexes", "ResourcePolicy", "GlobalTableSourceArn" };

    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (pl_dynamo_get(request->input, elsewhere[i]) != NULL)
            return pl_dynamo_invalid(request, P "%s is not available here", elsewhere[i]);
    return 0;
}

static int check_settings(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *in = request->input;
    int rc = pl_dynamo_sse_check(request, pl_dynamo_get(in, "SSESpecification"));

    if (rc == 0)
        rc = pl_dynamo_table_class_check(request, pl_dynamo_get_text(in, "TableClass"));
    if (rc == 0)
        rc = pl_dynamo_on_demand_check(request, pl_dynamo_get(in, "OnDemandThroughput"), pl_bytes(NULL, 0),
                                       is_provisioned(in), false);
    if (rc == 0)
        rc = pl_dynamo_warm_check(request, pl_dynamo_get(in, "WarmThroughput"), pl_bytes(NULL, 0),
                                  pl_dynamo_get(in, "ProvisionedThroughput"));
    if (rc == 0 && pl_dynamo_get(in, "Tags") != NULL)
        rc = pl_dynamo_tags_check(request, pl_dynamo_get(in, "Tags"));
    return rc;
}

static int check(struct pl_dynamo_request *request)
{
    static int (*const checks[])(struct pl_dynamo_request * request) = {
        pl_dynamo_check_table_named,
        check_throughput,
        check_keys,
        check_index_keys,
        check_attributes_used,
        check_local_indexes,
        check_global_indexes,
        check_index_names,
        check_stream,
        check_settings,
        check_here,
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof checks / sizeof checks[0]; i++)
        rc = checks[i](request);
    return rc;
}

/* ---- the definition --------------------------------------------------------------------------------- */

static void write_indexes(struct pl_buf *out, const struct pl_dynamo_node *in)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(in, "AttributeDefinitions"), *index;
    const struct pl_dynamo_node *global = pl_dynamo_get(in, "GlobalSecondaryIndexes");
    struct indexes indexes = all_indexes(in);
    bool local = true, first = true;

    pl_buf_append_bytes(out, pl_str(",\"indexes\":{"));
    while ((index = next_index(&indexes)) != NULL) {
        local = local && (global == NULL || index != global->first);
        pl_buf_append(out, ",", !first);
        pl_dynamo_index_write(out, attributes, index, local);
        first = false;
    }
    pl_buf_append_byte(out, '}');
}

static void write_notes(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *in = request->input;
    struct pl_dynamo_notes notes = { .out = &request->bytes };

    pl_buf_append_bytes(notes.out, pl_str(",\"dynamodb\":{"));
    pl_dynamo_notes_write_limits(&notes, in);
    pl_dynamo_notes_write_indexes(&notes, pl_dynamo_get(in, "GlobalSecondaryIndexes"));
    if (!is_provisioned(in))
        pl_dynamo_notes_write_time(&notes, "on_demand_ms", request->context->now_ms);
    if (pl_dynamo_get(in, "TableClass") != NULL)
        pl_dynamo_notes_write_text(&notes, "table_class", pl_dynamo_get_text(in, "TableClass"));
    if (pl_dynamo_get(in, "SSESpecification") != NULL &&
        pl_dynamo_get_bool(pl_dynamo_get(in, "SSESpecification"), "Enabled"))
        pl_dynamo_notes_write_sse(&notes, pl_dynamo_get(in, "SSESpecification"));
    if (pl_dynamo_get(in, "Tags") != NULL)
        pl_dynamo_notes_write_tags(&notes, pl_dynamo_get(in, "Tags"));
    pl_buf_append_byte(notes.out, '}');
}

static void write_definition(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *in = request->input, *stream = pl_dynamo_get(in, "StreamSpecification");
    struct pl_buf *out = &request->bytes;

    pl_buf_append_bytes(out, pl_str("{\"table\":"));
    pl_json_write_string(out, pl_dynamo_get_text(in, "TableName"));
    pl_buf_append_byte(out, ',');
    pl_dynamo_keys_write(out, pl_dynamo_get(in, "AttributeDefinitions"), pl_dynamo_get(in, "KeySchema"),
                         false);
    if (is_provisioned(in)) {
        pl_buf_append_byte(out, ',');
        pl_dynamo_throughput_write(out, pl_dynamo_get(in, "ProvisionedThroughput"));
    }
    if (stream != NULL && pl_dynamo_get_bool(stream, "StreamEnabled")) {
        pl_buf_append_bytes(out, pl_str(",\"stream\":"));
        pl_json_write_string(out, pl_dynamo_stream_view(pl_dynamo_get_text(stream, "StreamViewType")));
    }
    if (pl_dynamo_get_bool(in, "DeletionProtectionEnabled"))
        pl_buf_append_bytes(out, pl_str(",\"deletion_protection\":true"));
    write_indexes(out, in);
    write_notes(request);
    pl_buf_append_byte(out, '}');
}

static int begin_create(struct pl_dynamo_request *request)
{
    int rc = check(request);

    if (rc != 0)
        return rc;
    write_definition(request);
    rc = pl_buf_status(&request->bytes);
    if (rc != 0)
        return rc;
    pl_dynamo_operation(request, PL_OP_CREATE);
    request->op.definition = pl_buf_view(&request->bytes);
    return PL_DYNAMO_GO_ON;
}

/* Created, and then described. It is there already, but clients know that it takes a while, and wait. */
static int finish_create(struct pl_dynamo_request *request)
{
    if (request->op.name == PL_OP_CREATE)
        return pl_dynamo_describe(request, pl_dynamo_get_text(request->input, "TableName"));
    pl_buf_append_bytes(&request->body, pl_str("{\"TableDescription\":"));
    pl_dynamo_description_write(request, PL_DYNAMO_TABLE_CREATING);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_create_table = {
    .name = "CreateTable", .input = &input, .begin = begin_create, .finish = finish_create
};
