/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/legacy.h"
#include "codec/dynamo/params.h"
#include "model/json.h"

/* Query and Scan. Rows are written as they are found; what is counted follows them. */

enum { SEGMENTS_MAX = 1000000 };

static const char *const selects[] = { "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
                                       "ALL_PROJECTED_ATTRIBUTES", NULL };
static const struct pl_dynamo_shape select = { .kind = PL_DYNAMO_STRING, .words = selects };
static const struct pl_dynamo_shape query_limit = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .modern = true
};
static const struct pl_dynamo_shape scan_limit = { .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1 };
static const struct pl_dynamo_shape segment = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 0, .max = SEGMENTS_MAX - 1
};
static const struct pl_dynamo_shape total_segments = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = SEGMENTS_MAX
};

static const struct pl_dynamo_member query_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "IndexName", &pl_dynamo_index_name, false },
    { "Select", &select, false },
    { "Limit", &query_limit, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "AttributesToGet", &pl_dynamo_attribute_names, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "KeyConditions", &pl_dynamo_conditions, false },
    { "QueryFilter", &pl_dynamo_conditions, false },
    { "ConditionalOperator", &pl_dynamo_conditional_operator, false },
    { "ScanIndexForward", &pl_dynamo_boolean, false },
    { "ExclusiveStartKey", &pl_dynamo_item, false },
    { "ProjectionExpression", &pl_dynamo_string, false },
    { "FilterExpression", &pl_dynamo_string, false },
    { "KeyConditionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
    { "ExpressionAttributeValues", &pl_dynamo_values, false },
};
static const struct pl_dynamo_shape query_input = PL_DYNAMO_STRUCTURE_OF("QueryInput", query_members);

static const struct pl_dynamo_member scan_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "IndexName", &pl_dynamo_index_name, false },
    { "Select", &select, false },
    { "Limit", &scan_limit, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "TotalSegments", &total_segments, false },
    { "Segment", &segment, false },
    { "AttributesToGet", &pl_dynamo_attribute_names, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "ScanFilter", &pl_dynamo_conditions, false },
    { "ConditionalOperator", &pl_dynamo_conditional_operator, false },
    { "ExclusiveStartKey", &pl_dynamo_item, false },
    { "ProjectionExpression", &pl_dynamo_string, false },
    { "FilterExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
    { "ExpressionAttributeValues", &pl_dynamo_values, false },
};
static const struct pl_dynamo_shape scan_input = PL_DYNAMO_STRUCTURE_OF("ScanInput", scan_members);

static const char *const query_expressions[] = { "ProjectionExpression", "FilterExpression",
                                                 "KeyConditionExpression", NULL };
static const char *const query_legacy[] = { "AttributesToGet", "QueryFilter", "ConditionalOperator",
                                            "KeyConditions", NULL };
static const char *const query_with_values[] = { "FilterExpression", "KeyConditionExpression", NULL };
static const struct pl_dynamo_params query_params = {
    .expressions = query_expressions,
    .legacy = query_legacy,
    .with_values = query_with_values,
    .values_missing = "FilterExpression and KeyConditionExpression are null"
};

static const char *const scan_expressions[] = { "ProjectionExpression", "FilterExpression", NULL };
static const char *const scan_legacy[] = { "AttributesToGet", "ScanFilter", "ConditionalOperator", NULL };
static const char *const scan_with_values[] = { "FilterExpression", NULL };
static const struct pl_dynamo_params scan_params = { .expressions = scan_expressions,
                                                     .legacy = scan_legacy,
                                                     .with_values = scan_with_values,
                                                     .values_missing = "FilterExpression is null" };

/* ---- asking ----------------------------------------------------------------------------------------- */

static int take_start_key(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *key = pl_dynamo_get(request->input, "ExclusiveStartKey");

    if (key == NULL)
        return 0;
    if (key->rc != 0)
        return pl_dynamo_invalid(request, "The provided starting key is invalid: %s", key->why);
    request->op.has_start_key = true;
    request->op.start_key = pl_dynamo_node_item(key, &request->bytes);
    return 0;
}

static enum pl_select select_asked(const struct pl_dynamo_node *input)
{
    static const enum pl_select values[] = { PL_SELECT_SPECIFIC, PL_SELECT_COUNT, PL_SELECT_ALL,
                                             PL_SELECT_ALL_PROJECTED };
    struct pl_bytes text = pl_dynamo_get_text(input, "Select");

    return text.data == NULL ? PL_SELECT_DEFAULT : values[pl_dynamo_word(text, selects)];
}

static int write_row(struct pl_operation *op, struct pl_item item)
{
    struct pl_dynamo_request *request = pl_dynamo_request_of(op);

    pl_buf_append(&request->body, ",", request->row_count++ > 0);
    pl_json_write_item(&request->body, PL_JSON_TYPED, item);
    return pl_buf_status(&request->body);
}

static void take_words(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *input = request->input, *limit = pl_dynamo_get(input, "Limit");
    struct pl_operation *op = &request->op;

    op->row = write_row;
    op->index_name = pl_dynamo_get_text(input, "IndexName");
    op->select = select_asked(input);
    op->limit = limit != NULL ? (uint32_t)limit->number : 0;
    op->consistent = pl_dynamo_get_bool(input, "ConsistentRead");
    op->report = pl_dynamo_report_asked(input);
    op->projection_text = pl_dynamo_get_text(input, "ProjectionExpression");
    op->filter_text = pl_dynamo_get_text(input, "FilterExpression");
}

static int begin_walk(struct pl_dynamo_request *request, enum pl_operation_name name,
                      const struct pl_dynamo_params *params, const char *filter)
{
    const struct pl_dynamo_node *input = request->input;
    struct pl_operation *op = &request->op;
    int rc = pl_dynamo_params_check(request, input, params);

    if (rc != 0)
        return rc;
    pl_dynamo_operation(request, name);
    take_words(request);
    rc = take_start_key(request);
    if (rc == 0)
        rc = pl_dynamo_legacy_filter(request, input, filter, op);
    if (rc == 0)
        rc = pl_dynamo_legacy_projection(request, input, op);
    if (rc == 0)
        rc = pl_dynamo_take_table(request, pl_dynamo_get_text(input, "TableName"), &op->table_name);
    return rc != 0 ? rc : pl_dynamo_params_take(request, input, &op->arena, &op->params);
}

static int go_on(struct pl_dynamo_request *request, int rc)
{
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->body,
                        request->op.select == PL_SELECT_COUNT ? pl_str("{") : pl_str("{\"Items\":["));
    return PL_DYNAMO_GO_ON;
}

static int begin_query(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *forward = pl_dynamo_get(request->input, "ScanIndexForward");
    int rc = begin_walk(request, PL_OP_QUERY, &query_params, "QueryFilter");

    if (rc != 0)
        return rc;
    request->op.descending = forward != NULL && forward->number == 0;
    request->op.key_condition_text = pl_dynamo_get_text(request->input, "KeyConditionExpression");
    return go_on(request, pl_dynamo_legacy_keys(request, request->input, &request->op));
}

static int take_segment(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *at = pl_dynamo_get(request->input, "Segment");
    const struct pl_dynamo_node *total = pl_dynamo_get(request->input, "TotalSegments");

    if (at == NULL && total == NULL)
        return 0;
    if (total == NULL)
        return pl_dynamo_invalid(request,
                                 "The TotalSegments parameter is required but was not present in the "
                                 "request when Segment parameter is present");
    if (at == NULL)
        return pl_dynamo_invalid(request, "The Segment parameter is required but was not present in the "
                                          "request when parameter TotalSegments is present");
    request->op.has_segment = true;
    request->op.segment = (uint32_t)at->number;
    request->op.segment_count = (uint32_t)total->number;
    return 0;
}

static int begin_scan(struct pl_dynamo_request *request)
{
    int rc = begin_walk(request, PL_OP_SCAN, &scan_params, "ScanFilter");

    return go_on(request, rc != 0 ? rc : take_segment(request));
}

/* ---- answering -------------------------------------------------------------------------------------- */

static int finish_walk(struct pl_dynamo_request *request)
{
    const struct pl_operation *op = &request->op;
    struct pl_buf *out = &request->body;

    if (op->select != PL_SELECT_COUNT)
        pl_buf_append_bytes(out, pl_str("],"));
    pl_buf_append_format(out, "\"Count\":%llu,\"ScannedCount\":%llu", (unsigned long long)op->reply.count,
                         (unsigned long long)op->reply.scanned);
    if (op->reply.has_last_key) {
        pl_buf_append_bytes(out, pl_str(",\"LastEvaluatedKey\":"));
        pl_json_write_item(out, PL_JSON_TYPED, op->reply.last_key);
    }
    if (op->report != PL_CAPACITY_NONE) {
        pl_buf_append_bytes(out, pl_str(",\"ConsumedCapacity\":"));
        pl_dynamo_consumed_write(out, pl_dynamo_get_text(request->input, "TableName"), &op->reply.capacity,
                                 op->report);
    }
    pl_buf_append_byte(out, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_query = {
    .name = "Query", .input = &query_input, .begin = begin_query, .finish = finish_walk
};
const struct pl_dynamo_call pl_dynamo_scan = {
    .name = "Scan", .input = &scan_input, .begin = begin_scan, .finish = finish_walk
};
