/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/transact.h"
#include "codec/dynamo/call.h"
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/params.h"
#include "model/json.h"
#include "model/transaction.h"

/* TransactWriteItems and TransactGetItems: one operation with a child for each action. */

/* ---- members ---------------------------------------------------------------------------------------- */

#define GUARD_MEMBERS                                                                                        \
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },                                 \
        { "ExpressionAttributeNames", &pl_dynamo_names, false },                                             \
    {                                                                                                        \
        "ExpressionAttributeValues", &pl_dynamo_values, false                                                \
    }

static const struct pl_dynamo_member check_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ConditionExpression", &pl_dynamo_string, true },
    GUARD_MEMBERS,
};
static const struct pl_dynamo_shape condition_check = PL_DYNAMO_STRUCTURE_OF("ConditionCheck", check_members);
static const struct pl_dynamo_member put_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Item", &pl_dynamo_item, true },
    { "ConditionExpression", &pl_dynamo_string, false },
    GUARD_MEMBERS,
};
static const struct pl_dynamo_shape put = PL_DYNAMO_STRUCTURE_OF("Put", put_members);
static const struct pl_dynamo_member delete_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ConditionExpression", &pl_dynamo_string, false },
    GUARD_MEMBERS,
};
static const struct pl_dynamo_shape delete = PL_DYNAMO_STRUCTURE_OF("Delete", delete_members);
static const struct pl_dynamo_member update_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "UpdateExpression", &pl_dynamo_string, true },
    { "ConditionExpression", &pl_dynamo_string, false },
    GUARD_MEMBERS,
};
static const struct pl_dynamo_shape update = PL_DYNAMO_STRUCTURE_OF("Update", update_members);
static const struct pl_dynamo_member write_members[] = {
    { "ConditionCheck", &condition_check, false },
    { "Put", &put, false },
    { "Delete", &delete, false },
    { "Update", &update, false },
};
static const struct pl_dynamo_shape write_action = PL_DYNAMO_STRUCTURE_OF("TransactWriteItem", write_members);
static const struct pl_dynamo_shape write_actions = { .kind = PL_DYNAMO_LIST,
                                                      .has_min = true,
                                                      .min = 1,
                                                      .max = PL_TRANSACTION_CHILDREN_MAX,
                                                      .element = &write_action };
const struct pl_dynamo_shape pl_dynamo_token = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = PL_TRANSACTION_TOKEN_MAX
};
static const struct pl_dynamo_member write_input_members[] = {
    { "TransactItems", &write_actions, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "ReturnItemCollectionMetrics", &pl_dynamo_metrics, false },
    { "ClientRequestToken", &pl_dynamo_token, false },
};
static const struct pl_dynamo_shape write_input =
    PL_DYNAMO_STRUCTURE_OF("TransactWriteItemsInput", write_input_members);

static const struct pl_dynamo_member get_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "Key", &pl_dynamo_item, true },
    { "ProjectionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
};
static const struct pl_dynamo_shape get = PL_DYNAMO_STRUCTURE_OF("Get", get_members);
static const struct pl_dynamo_member get_item_members[] = { { "Get", &get, true } };
static const struct pl_dynamo_shape get_action = PL_DYNAMO_STRUCTURE_OF("TransactGetItem", get_item_members);
static const struct pl_dynamo_shape get_actions = { .kind = PL_DYNAMO_LIST,
                                                    .has_min = true,
                                                    .min = 1,
                                                    .max = PL_TRANSACTION_CHILDREN_MAX,
                                                    .element = &get_action };
static const struct pl_dynamo_member get_input_members[] = {
    { "TransactItems", &get_actions, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
};
static const struct pl_dynamo_shape get_input =
    PL_DYNAMO_STRUCTURE_OF("TransactGetItemsInput", get_input_members);

/* ---- what each action is ---------------------------------------------------------------------------- */

static const char *const no_legacy[] = { NULL };
static const char *const condition_only[] = { "ConditionExpression", NULL };
static const char *const update_and_condition[] = { "UpdateExpression", "ConditionExpression", NULL };
static const char *const projection_only[] = { "ProjectionExpression", NULL };

static const struct pl_dynamo_params guarded = { .expressions = condition_only,
                                                 .legacy = no_legacy,
                                                 .with_values = condition_only,
                                                 .values_missing = "ConditionExpression is null" };
static const struct pl_dynamo_params updating = { .expressions = update_and_condition,
                                                  .legacy = no_legacy,
                                                  .with_values = update_and_condition,
                                                  .values_missing =
                                                      "UpdateExpression and ConditionExpression are null" };
static const struct pl_dynamo_params projecting = { .expressions = projection_only, .legacy = no_legacy };

static const struct kind {
    const char *member;
    enum pl_operation_name name;
    const char *item;
    const struct pl_dynamo_params *params;
} write_kinds[] = {
    { "ConditionCheck", PL_OP_CONDITION_CHECK, "Key", &guarded },
    { "Put", PL_OP_PUT, "Item", &guarded },
    { "Delete", PL_OP_DELETE, "Key", &guarded },
    { "Update", PL_OP_UPDATE, "Key", &updating },
    { NULL },
};
static const struct kind get_kinds[] = { { "Get", PL_OP_GET, "Key", &projecting }, { NULL } };

/* The one kind that `action` has; NULL: none, or more than one. */
static const struct kind *kind_of(const struct kind *kinds, const struct pl_dynamo_node *action)
{
    const struct kind *found = NULL;

    for (; kinds->member != NULL; kinds++) {
        if (pl_dynamo_get(action, kinds->member) == NULL)
            continue;
        if (found != NULL)
            return NULL;
        found = kinds;
    }
    return found;
}

/* ---- asking ----------------------------------------------------------------------------------------- */

static void take_expressions(struct pl_operation *child, const struct kind *kind,
                             const struct pl_dynamo_node *in)
{
    if (kind->name == PL_OP_GET) {
        child->projection_text = pl_dynamo_get_text(in, "ProjectionExpression");
        return;
    }
    child->condition_text = pl_dynamo_get_text(in, "ConditionExpression");
    child->return_old_on_failure =
        pl_bytes_equal(pl_dynamo_get_text(in, "ReturnValuesOnConditionCheckFailure"), pl_str("ALL_OLD"));
    if (kind->name == PL_OP_UPDATE)
        child->update_text = pl_dynamo_get_text(in, "UpdateExpression");
}

static int take_action(struct pl_dynamo_request *request, const struct kind *kinds,
                       const struct pl_dynamo_node *action)
{
    struct pl_operation *op = &request->op, *child = &op->children[op->child_count];
    const struct kind *kind = kind_of(kinds, action);
    const struct pl_dynamo_node *in;
    int rc;

    if (kind == NULL)
        return pl_dynamo_invalid(request,
                                 "TransactItems can only contain one of Check, Put, Update or Delete");
    in = pl_dynamo_get(action, kind->member);
    rc = pl_dynamo_params_check(request, in, kind->params);
    if (rc == 0)
        rc = pl_dynamo_check_value(request, pl_dynamo_get(in, kind->item));
    if (rc != 0)
        return rc;
    pl_operation_init(child, kind->name);
    op->child_count++;
    child->parent = op;
    child->report = op->report;
    child->item = pl_dynamo_node_item(pl_dynamo_get(in, kind->item), &request->bytes);
    take_expressions(child, kind, in);
    rc = pl_dynamo_params_take(request, in, &op->arena, &child->params);
    child->params.arena = &child->arena;
    return rc != 0 ? rc
                   : pl_dynamo_take_table(request, pl_dynamo_get_text(in, "TableName"), &child->table_name);
}

static int begin_transaction(struct pl_dynamo_request *request, enum pl_operation_name name,
                             const struct kind *kinds)
{
    const struct pl_dynamo_node *actions = pl_dynamo_get(request->input, "TransactItems");
    struct pl_operation *op = &request->op;
    int rc = 0;

    pl_dynamo_operation(request, name);
    op->report = pl_dynamo_report_asked(request->input);
    op->children = pl_arena_zalloc(&op->arena, actions->count, sizeof *op->children);
    if (op->children == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = actions->first; rc == 0 && at != NULL; at = at->next)
        rc = take_action(request, kinds, at);
    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static int begin_write(struct pl_dynamo_request *request)
{
    int rc = begin_transaction(request, PL_OP_TRANSACT_WRITE, write_kinds);

    request->op.token = pl_dynamo_get_text(request->input, "ClientRequestToken");
    return rc;
}

static int begin_get(struct pl_dynamo_request *request)
{
    return begin_transaction(request, PL_OP_TRANSACT_GET, get_kinds);
}

/* ---- answering -------------------------------------------------------------------------------------- */

/* The table of child `i` in the client's words. */
static struct pl_bytes named_table(struct pl_dynamo_request *request, uint32_t i)
{
    const struct pl_dynamo_node *at = pl_dynamo_get(request->input, "TransactItems")->first;
    const struct kind *kinds = request->op.name == PL_OP_TRANSACT_GET ? get_kinds : write_kinds;

    while (i-- > 0)
        at = at->next;
    return pl_dynamo_get_text(pl_dynamo_get(at, kind_of(kinds, at)->member), "TableName");
}

static void write_consumed(struct pl_dynamo_request *request, bool first_member)
{
    struct pl_operation *op = &request->op;
    struct pl_buf *out = &request->body;
    struct pl_capacity capacity;
    bool first = true;

    if (op->report == PL_CAPACITY_NONE)
        return;
    pl_buf_append_bytes(out,
                        first_member ? pl_str("\"ConsumedCapacity\":[") : pl_str(",\"ConsumedCapacity\":["));
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (!pl_transaction_capacity(op, i, &capacity))
            continue;
        pl_buf_append(out, ",", !first);
        pl_dynamo_consumed_write_transaction(out, named_table(request, i), &capacity, op->report);
        first = false;
    }
    pl_buf_append_byte(out, ']');
}

void pl_dynamo_responses_write(struct pl_dynamo_request *request)
{
    struct pl_buf *out = &request->body;

    pl_buf_append_bytes(out, pl_str("\"Responses\":["));
    for (uint32_t i = 0; i < request->op.child_count; i++) {
        const struct pl_reply *reply = &request->op.children[i].reply;

        pl_buf_append_bytes(out, i > 0 ? pl_str(",{") : pl_str("{"));
        if (reply->has_item) {
            pl_buf_append_bytes(out, pl_str("\"Item\":"));
            pl_json_write_item(out, PL_JSON_TYPED, reply->item);
        }
        pl_buf_append_byte(out, '}');
    }
    pl_buf_append_byte(out, ']');
}

static int finish_get(struct pl_dynamo_request *request)
{
    pl_buf_append_byte(&request->body, '{');
    pl_dynamo_responses_write(request);
    write_consumed(request, false);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

/* The children of child `first`'s table; false when an earlier child has it. */
static bool write_table_metrics(struct pl_dynamo_request *request, uint32_t first, bool first_table)
{
    struct pl_operation *children = request->op.children;
    struct pl_buf *out = &request->body;
    bool any = false;

    if (children[first].table == NULL || !pl_dynamo_has_collections(children[first].table))
        return false;
    for (uint32_t i = 0; i < first; i++)
        if (pl_bytes_equal(children[i].table_name, children[first].table_name))
            return false;
    pl_buf_append(out, ",", !first_table);
    pl_json_write_string(out, named_table(request, first));
    pl_buf_append_bytes(out, pl_str(":["));
    for (uint32_t i = first; i < request->op.child_count; i++) {
        if (children[i].name == PL_OP_CONDITION_CHECK ||
            !pl_bytes_equal(children[i].table_name, children[first].table_name))
            continue;
        pl_buf_append(out, ",", any);
        pl_dynamo_metrics_write(out, &children[i]);
        any = true;
    }
    pl_buf_append_byte(out, ']');
    return true;
}

static int finish_write(struct pl_dynamo_request *request)
{
    bool metrics =
        pl_bytes_equal(pl_dynamo_get_text(request->input, "ReturnItemCollectionMetrics"), pl_str("SIZE"));
    struct pl_buf *out = &request->body;
    bool first = true;

    pl_buf_append_byte(out, '{');
    if (metrics) {
        pl_buf_append_bytes(out, pl_str("\"ItemCollectionMetrics\":{"));
        for (uint32_t i = 0; i < request->op.child_count; i++)
            if (write_table_metrics(request, i, first))
                first = false;
        pl_buf_append_byte(out, '}');
    }
    write_consumed(request, !metrics);
    pl_buf_append_byte(out, '}');
    return 0;
}

/* ---- cancelled -------------------------------------------------------------------------------------- */

static void write_reason(struct pl_buf *out, const struct pl_reply *reply)
{
    pl_buf_append_bytes(out, pl_str("{\"Code\":"));
    pl_json_write_string(out, pl_transaction_reason_code(reply->rc));
    if (reply->rc != 0) {
        pl_buf_append_bytes(out, pl_str(",\"Message\":"));
        pl_json_write_string(out, pl_str(pl_reason_text(&reply->why, reply->rc)));
    }
    if (reply->rc != 0 && reply->has_item) {
        pl_buf_append_bytes(out, pl_str(",\"Item\":"));
        pl_json_write_item(out, PL_JSON_TYPED, reply->item);
    }
    pl_buf_append_byte(out, '}');
}

int pl_dynamo_cancelled(struct pl_dynamo_request *request)
{
    struct pl_operation *op = &request->op;
    struct pl_buf text = { 0 }, reasons = { 0 };

    if (op->reply.rc != PL_ECANCELLED)
        return op->reply.rc;
    pl_transaction_write_sentence(&text, op);
    pl_buf_append_bytes(&reasons, pl_str(",\"CancellationReasons\":["));
    for (uint32_t i = 0; i < op->child_count; i++) {
        pl_buf_append(&reasons, ",", i > 0);
        write_reason(&reasons, &op->children[i].reply);
    }
    pl_buf_append_byte(&reasons, ']');
    if (pl_buf_status(&text) == 0 && pl_buf_status(&reasons) == 0) {
        request->sentence = pl_arena_copy(&request->arena, pl_buf_view(&text));
        request->more = pl_arena_copy(&request->arena, pl_buf_view(&reasons));
    }
    pl_buf_deinit(&text);
    pl_buf_deinit(&reasons);
    return request->sentence.data != NULL && request->more.data != NULL ? PL_ECANCELLED : PL_ENOMEM;
}

const struct pl_dynamo_call pl_dynamo_transact_write_items = { .name = "TransactWriteItems",
                                                               .input = &write_input,
                                                               .begin = begin_write,
                                                               .finish = finish_write,
                                                               .failed = pl_dynamo_cancelled };
const struct pl_dynamo_call pl_dynamo_transact_get_items = { .name = "TransactGetItems",
                                                             .input = &get_input,
                                                             .begin = begin_get,
                                                             .finish = finish_get,
                                                             .failed = pl_dynamo_cancelled };
