/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/legacy.h"
#include "codec/dynamo/params.h"
#include "model/json.h"

/* PutItem, GetItem, UpdateItem, DeleteItem. */

static const char *const returns[] = { "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW", NULL };
static const struct pl_dynamo_shape return_values = { .kind = PL_DYNAMO_STRING, .words = returns };

/* ---- members ---------------------------------------------------------------------------------------- */

static const struct pl_dynamo_member put_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Item", &pl_dynamo_item, true },
    { "ReturnValues", &return_values, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "ReturnItemCollectionMetrics", &pl_dynamo_metrics, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
    { "ConditionalOperator", &pl_dynamo_conditional_operator, false },
    { "Expected", &pl_dynamo_expected, false },
    { "ConditionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
    { "ExpressionAttributeValues", &pl_dynamo_values, false },
};
static const struct pl_dynamo_shape put_input = PL_DYNAMO_STRUCTURE_OF("PutItemInput", put_members);

static const struct pl_dynamo_member delete_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ReturnValues", &return_values, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "ReturnItemCollectionMetrics", &pl_dynamo_metrics, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
    { "ConditionalOperator", &pl_dynamo_conditional_operator, false },
    { "Expected", &pl_dynamo_expected, false },
    { "ConditionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
    { "ExpressionAttributeValues", &pl_dynamo_values, false },
};
static const struct pl_dynamo_shape delete_input = PL_DYNAMO_STRUCTURE_OF("DeleteItemInput", delete_members);

static const struct pl_dynamo_member update_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ReturnValues", &return_values, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "ReturnItemCollectionMetrics", &pl_dynamo_metrics, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
    { "ConditionalOperator", &pl_dynamo_conditional_operator, false },
    { "Expected", &pl_dynamo_expected, false },
    { "AttributeUpdates", &pl_dynamo_attribute_updates, false },
    { "UpdateExpression", &pl_dynamo_string, false },
    { "ConditionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
    { "ExpressionAttributeValues", &pl_dynamo_values, false },
};
static const struct pl_dynamo_shape update_input = PL_DYNAMO_STRUCTURE_OF("UpdateItemInput", update_members);

static const struct pl_dynamo_member get_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "AttributesToGet", &pl_dynamo_attribute_names, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "ProjectionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
};
static const struct pl_dynamo_shape get_input = PL_DYNAMO_STRUCTURE_OF("GetItemInput", get_members);

static const char *const condition_expression[] = { "ConditionExpression", NULL };
static const char *const expected[] = { "Expected", "ConditionalOperator", NULL };
static const struct pl_dynamo_params put_params = { .expressions = condition_expression,
                                                    .legacy = expected,
                                                    .with_values = condition_expression,
                                                    .values_missing = "ConditionExpression is null" };

static const char *const update_expressions[] = { "UpdateExpression", "ConditionExpression", NULL };
static const char *const update_legacy[] = { "AttributeUpdates", "Expected", "ConditionalOperator", NULL };
static const struct pl_dynamo_params update_params = {
    .expressions = update_expressions,
    .legacy = update_legacy,
    .with_values = update_expressions,
    .values_missing = "UpdateExpression and ConditionExpression are null"
};

static const char *const projection_expression[] = { "ProjectionExpression", NULL };
static const char *const attributes_to_get[] = { "AttributesToGet", NULL };
static const struct pl_dynamo_params get_params = { .expressions = projection_expression,
                                                    .legacy = attributes_to_get };

/* ---- asking ----------------------------------------------------------------------------------------- */

static enum pl_return_values returns_asked(const struct pl_dynamo_node *input)
{
    static const enum pl_return_values values[] = { PL_RETURN_ALL_NEW, PL_RETURN_UPDATED_OLD,
                                                    PL_RETURN_ALL_OLD, PL_RETURN_NONE,
                                                    PL_RETURN_UPDATED_NEW };
    struct pl_bytes text = pl_dynamo_get_text(input, "ReturnValues");

    return text.data == NULL ? PL_RETURN_NONE : values[pl_dynamo_word(text, returns)];
}

static bool returns_old_on_failure(const struct pl_dynamo_node *input)
{
    return pl_bytes_equal(pl_dynamo_get_text(input, "ReturnValuesOnConditionCheckFailure"),
                          pl_str("ALL_OLD"));
}

/* What every one of the four has: a table, and an item or a key. */
static int begin_item(struct pl_dynamo_request *request, enum pl_operation_name name, const char *item)
{
    const struct pl_dynamo_node *input = request->input;
    struct pl_operation *op = &request->op;
    int rc = pl_dynamo_check_value(request, pl_dynamo_get(input, item));

    if (rc != 0)
        return rc;
    pl_dynamo_operation(request, name);
    op->item = pl_dynamo_node_item(pl_dynamo_get(input, item), &request->bytes);
    op->report = pl_dynamo_report_asked(input);
    rc = pl_dynamo_take_table(request, pl_dynamo_get_text(input, "TableName"), &op->table_name);
    return rc != 0 ? rc : pl_dynamo_params_take(request, input, &op->arena, &op->params);
}

static int begin_write(struct pl_dynamo_request *request, enum pl_operation_name name, const char *item,
                       const struct pl_dynamo_params *params)
{
    const struct pl_dynamo_node *input = request->input;
    struct pl_operation *op = &request->op;
    int rc = pl_dynamo_params_check(request, input, params);

    if (rc == 0)
        rc = begin_item(request, name, item);
    if (rc != 0)
        return rc;
    op->returns = returns_asked(input);
    op->return_old_on_failure = returns_old_on_failure(input);
    op->condition_text = pl_dynamo_get_text(input, "ConditionExpression");
    return pl_dynamo_legacy_expected(request, input, op);
}

static int begin_put(struct pl_dynamo_request *request)
{
    int rc = begin_write(request, PL_OP_PUT, "Item", &put_params);

    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static int begin_delete(struct pl_dynamo_request *request)
{
    int rc = begin_write(request, PL_OP_DELETE, "Key", &put_params);

    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static int begin_update(struct pl_dynamo_request *request)
{
    int rc = begin_write(request, PL_OP_UPDATE, "Key", &update_params);

    if (rc != 0)
        return rc;
    request->op.update_text = pl_dynamo_get_text(request->input, "UpdateExpression");
    rc = pl_dynamo_legacy_updates(request, request->input, &request->op);
    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static int begin_get(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *input = request->input;
    int rc = pl_dynamo_params_check(request, input, &get_params);

    if (rc == 0)
        rc = begin_item(request, PL_OP_GET, "Key");
    if (rc != 0)
        return rc;
    request->op.consistent = pl_dynamo_get_bool(input, "ConsistentRead");
    request->op.projection_text = pl_dynamo_get_text(input, "ProjectionExpression");
    rc = pl_dynamo_legacy_projection(request, input, &request->op);
    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

/* ---- answering -------------------------------------------------------------------------------------- */

static void begin_member(struct pl_buf *out, const char *name)
{
    pl_buf_append_format(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
}

static void write_answer(struct pl_dynamo_request *request, const char *attributes)
{
    struct pl_operation *op = &request->op;
    struct pl_buf *out = &request->body;

    pl_buf_append_byte(out, '{');
    if (op->reply.has_item) {
        begin_member(out, attributes);
        pl_json_write_item(out, PL_JSON_TYPED, op->reply.item);
    }
    if (op->report != PL_CAPACITY_NONE) {
        begin_member(out, "ConsumedCapacity");
        pl_dynamo_consumed_write(out, pl_dynamo_get_text(request->input, "TableName"), &op->reply.capacity,
                                 op->report);
    }
}

static int finish_get(struct pl_dynamo_request *request)
{
    write_answer(request, "Item");
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

static int finish_write(struct pl_dynamo_request *request)
{
    struct pl_operation *op = &request->op;

    write_answer(request, "Attributes");
    if (pl_bytes_equal(pl_dynamo_get_text(request->input, "ReturnItemCollectionMetrics"), pl_str("SIZE")) &&
        pl_dynamo_has_collections(op->table)) {
        begin_member(&request->body, "ItemCollectionMetrics");
        pl_dynamo_metrics_write(&request->body, op);
    }
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_put_item = {
    .name = "PutItem", .input = &put_input, .begin = begin_put, .finish = finish_write
};
const struct pl_dynamo_call pl_dynamo_get_item = {
    .name = "GetItem", .input = &get_input, .begin = begin_get, .finish = finish_get
};
const struct pl_dynamo_call pl_dynamo_update_item = {
    .name = "UpdateItem", .input = &update_input, .begin = begin_update, .finish = finish_write
};
const struct pl_dynamo_call pl_dynamo_delete_item = {
    .name = "DeleteItem", .input = &delete_input, .begin = begin_delete, .finish = finish_write
};
