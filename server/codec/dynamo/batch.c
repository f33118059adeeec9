/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/legacy.h"
#include "codec/dynamo/params.h"
#include "model/json.h"

/*
 * BatchGetItem and BatchWriteItem: one operation with a child for each key or item. Children stand in the order
 * of the request, so those of one table are neighbours: a group.
 */
enum { GETS_MAX = 100, WRITES_MAX = 25 };

struct group {
    const struct pl_dynamo_node *table; /* the entry of RequestItems */
    uint32_t first, end;                /* its children */
};

struct batch {
    struct group *groups;
    uint32_t group_count;
    uint32_t open; /* groups whose list of rows was begun */
};

/* ---- members ---------------------------------------------------------------------------------------- */

static const struct pl_dynamo_shape keys = { .kind = PL_DYNAMO_LIST,
                                             .has_min = true,
                                             .min = 1,
                                             .max = GETS_MAX,
                                             .modern = true,
                                             .element = &pl_dynamo_item };
static const struct pl_dynamo_member table_keys_members[] = {
    { "Keys", &keys, true },
    { "AttributesToGet", &pl_dynamo_attribute_names, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "ProjectionExpression", &pl_dynamo_string, false },
    { "ExpressionAttributeNames", &pl_dynamo_names, false },
};
static const struct pl_dynamo_shape table_keys =
    PL_DYNAMO_STRUCTURE_OF("KeysAndAttributes", table_keys_members);
static const struct pl_dynamo_shape get_tables = { .kind = PL_DYNAMO_MAP, .element = &table_keys };
static const struct pl_dynamo_member get_members[] = {
    { "RequestItems", &get_tables, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
};
static const struct pl_dynamo_shape get_input = PL_DYNAMO_STRUCTURE_OF("BatchGetItemInput", get_members);

static const struct pl_dynamo_member put_members[] = { { "Item", &pl_dynamo_item, true } };
static const struct pl_dynamo_shape put_request = PL_DYNAMO_STRUCTURE_OF("PutRequest", put_members);
static const struct pl_dynamo_member delete_members[] = { { "Key", &pl_dynamo_item, true } };
static const struct pl_dynamo_shape delete_request = PL_DYNAMO_STRUCTURE_OF("DeleteRequest", delete_members);
static const struct pl_dynamo_member write_request_members[] = {
    { "PutRequest", &put_request, false },
    { "DeleteRequest", &delete_request, false },
};
static const struct pl_dynamo_shape write_request =
    PL_DYNAMO_STRUCTURE_OF("WriteRequest", write_request_members);
static const struct pl_dynamo_shape writes = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = WRITES_MAX, .element = &write_request
};
static const struct pl_dynamo_shape write_tables = { .kind = PL_DYNAMO_MAP, .element = &writes };
static const struct pl_dynamo_member write_members[] = {
    { "RequestItems", &write_tables, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "ReturnItemCollectionMetrics", &pl_dynamo_metrics, false },
};
static const struct pl_dynamo_shape write_input =
    PL_DYNAMO_STRUCTURE_OF("BatchWriteItemInput", write_members);

static const char *const projection_expression[] = { "ProjectionExpression", NULL };
static const char *const attributes_to_get[] = { "AttributesToGet", NULL };
static const struct pl_dynamo_params get_params = { .expressions = projection_expression,
                                                    .legacy = attributes_to_get };

/* ---- asking ----------------------------------------------------------------------------------------- */

static const struct pl_dynamo_node *keys_of(const struct pl_dynamo_node *table)
{
    return table->shape->kind == PL_DYNAMO_LIST ? table : pl_dynamo_get(table, "Keys");
}

/* Room for all children, now that they can be counted. */
static int begin_batch(struct pl_dynamo_request *request, enum pl_operation_name name, uint32_t most)
{
    const struct pl_dynamo_node *tables = pl_dynamo_get(request->input, "RequestItems");
    struct pl_operation *op = &request->op;
    struct batch *batch;
    uint32_t count = 0;

    if (tables->count == 0)
        return pl_dynamo_invalid(request, "The requestItems parameter is required for %s",
                                 request->call->name);
    for (const struct pl_dynamo_node *at = tables->first; at != NULL; at = at->next)
        count += keys_of(at)->count;
    if (count > most)
        return pl_dynamo_invalid(request, "Too many items requested for the %s call", request->call->name);
    pl_dynamo_operation(request, name);
    op->report = pl_dynamo_report_asked(request->input);
    op->children = pl_arena_zalloc(&op->arena, count, sizeof *op->children);
    batch = pl_arena_zalloc(&request->arena, 1, sizeof *batch);
    if (op->children == NULL || batch == NULL)
        return PL_ENOMEM;
    batch->groups = pl_arena_zalloc(&request->arena, tables->count, sizeof *batch->groups);
    request->state = batch;
    return batch->groups != NULL ? 0 : PL_ENOMEM;
}

static void begin_group(struct pl_dynamo_request *request, const struct pl_dynamo_node *table)
{
    struct batch *batch = request->state;
    uint32_t first = request->op.child_count;

    batch->groups[batch->group_count++] =
        (struct group){ .table = table, .first = first, .end = first + keys_of(table)->count };
}

static int add_child(struct pl_dynamo_request *request, enum pl_operation_name name,
                     const struct pl_dynamo_node *item, struct pl_bytes table, struct pl_operation **out)
{
    struct pl_operation *op = &request->op, *child = &op->children[op->child_count];
    int rc = pl_dynamo_check_value(request, item);

    if (rc != 0)
        return rc;
    pl_operation_init(child, name);
    op->child_count++;
    child->parent = op;
    child->table_name = table;
    child->report = op->report;
    child->item = pl_dynamo_node_item(item, &request->bytes);
    if (out != NULL)
        *out = child;
    return 0;
}

/* What is said once for a table holds for each of its keys. */
static int take_table_keys(struct pl_dynamo_request *request, const struct pl_dynamo_node *table)
{
    struct pl_expr_params params = { 0 };
    struct pl_operation *child;
    struct pl_bytes name;
    int rc;

    begin_group(request, table);
    rc = pl_dynamo_params_take(request, table, &request->op.arena, &params);
    if (rc == 0)
        rc = pl_dynamo_take_table(request, table->name, &name);
    if (rc == 0)
        rc = pl_dynamo_legacy_projection(request, table, &request->op);
    for (const struct pl_dynamo_node *at = keys_of(table)->first; rc == 0 && at != NULL; at = at->next) {
        rc = add_child(request, PL_OP_GET, at, name, &child);
        if (rc != 0)
            return rc;
        child->params = params;
        child->params.arena = &child->arena;
        child->consistent = pl_dynamo_get_bool(table, "ConsistentRead");
        child->projection_text = pl_dynamo_get_text(table, "ProjectionExpression");
        child->projection = request->op.projection;
    }
    request->op.projection = NULL;
    return rc;
}

static int take_write(struct pl_dynamo_request *request, const struct pl_dynamo_node *write,
                      struct pl_bytes table)
{
    const struct pl_dynamo_node *put = pl_dynamo_get(write, "PutRequest");
    const struct pl_dynamo_node *delete = pl_dynamo_get(write, "DeleteRequest");

    if ((put == NULL) == (delete == NULL))
        return pl_dynamo_invalid(request, "Supplied AttributeValue has more than one datatypes set, must "
                                          "contain exactly one of the supported datatypes");
    if (put != NULL)
        return add_child(request, PL_OP_PUT, pl_dynamo_get(put, "Item"), table, NULL);
    return add_child(request, PL_OP_DELETE, pl_dynamo_get(delete, "Key"), table, NULL);
}

static int take_table_writes(struct pl_dynamo_request *request, const struct pl_dynamo_node *table)
{
    struct pl_bytes name;
    int rc;

    begin_group(request, table);
    rc = pl_dynamo_take_table(request, table->name, &name);
    for (const struct pl_dynamo_node *at = table->first; rc == 0 && at != NULL; at = at->next)
        rc = take_write(request, at, name);
    return rc;
}

/* ---- BatchGetItem ----------------------------------------------------------------------------------- */

static void open_next_group(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;

    pl_buf_append_bytes(&request->body, batch->open > 0 ? pl_str("],") : pl_str(""));
    pl_json_write_string(&request->body, batch->groups[batch->open++].table->name);
    pl_buf_append_bytes(&request->body, pl_str(":["));
    request->row_count = 0;
}

static int write_row(struct pl_operation *child, struct pl_item item)
{
    struct pl_dynamo_request *request = pl_dynamo_request_of(child);
    struct batch *batch = request->state;
    uint32_t place = (uint32_t)(child - request->op.children);

    while (batch->open == 0 || place >= batch->groups[batch->open - 1].end)
        open_next_group(request);
    pl_buf_append(&request->body, ",", request->row_count++ > 0);
    pl_json_write_item(&request->body, PL_JSON_TYPED, item);
    return pl_buf_status(&request->body);
}

static int begin_get(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *tables = pl_dynamo_get(request->input, "RequestItems");
    int rc = 0;

    for (const struct pl_dynamo_node *at = tables->first; rc == 0 && at != NULL; at = at->next)
        rc = pl_dynamo_params_check(request, at, &get_params);
    if (rc == 0)
        rc = begin_batch(request, PL_OP_BATCH_GET, GETS_MAX);
    for (const struct pl_dynamo_node *at = tables->first; rc == 0 && at != NULL; at = at->next)
        rc = take_table_keys(request, at);
    if (rc != 0)
        return rc;
    request->op.row = write_row;
    pl_buf_append_bytes(&request->body, pl_str("{\"Responses\":{"));
    return PL_DYNAMO_GO_ON;
}

static void write_member_again(struct pl_buf *out, const struct pl_dynamo_node *table, const char *member)
{
    const struct pl_dynamo_node *node = pl_dynamo_get(table, member);

    if (node == NULL)
        return;
    pl_buf_append_format(out, ",\"%s\":", member);
    if (node->shape->kind == PL_DYNAMO_STRING)
        pl_json_write_string(out, node->text);
    else
        pl_buf_append_bytes(out, node->text);
}

static bool is_left_out(const struct pl_operation *child)
{
    return child->reply.rc == PL_ETHROUGHPUT;
}

/* The group's members that are to be sent again, as they were written. How many there are. */
static uint32_t write_left_out(struct pl_dynamo_request *request, const struct group *group, bool first)
{
    struct pl_buf *out = &request->body;
    const struct pl_dynamo_node *at = keys_of(group->table)->first;
    bool gets = request->op.name == PL_OP_BATCH_GET;
    uint32_t count = 0;

    for (uint32_t i = group->first; i < group->end; i++, at = at->next) {
        if (!is_left_out(&request->op.children[i]))
            continue;
        if (count++ == 0) {
            pl_buf_append(out, ",", !first);
            pl_json_write_string(out, group->table->name);
            pl_buf_append_bytes(out, gets ? pl_str(":{\"Keys\":[") : pl_str(":["));
        } else {
            pl_buf_append_byte(out, ',');
        }
        pl_buf_append_bytes(out, at->text);
    }
    if (count > 0)
        pl_buf_append_byte(out, ']');
    return count;
}

static void write_unprocessed_keys(struct pl_dynamo_request *request)
{
    static const char *const members[] = { "ConsistentRead", "AttributesToGet", "ProjectionExpression",
                                           "ExpressionAttributeNames" };
    const struct batch *batch = request->state;
    bool first = true;

    for (uint32_t i = 0; i < batch->group_count; i++) {
        if (write_left_out(request, &batch->groups[i], first) == 0)
            continue;
        first = false;
        for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
            write_member_again(&request->body, batch->groups[i].table, members[m]);
        pl_buf_append_byte(&request->body, '}');
    }
}

/* ---- what both answer ------------------------------------------------------------------------------- */

static void add_capacity(struct pl_capacity *sum, const struct pl_capacity *part)
{
    sum->table_halves += part->table_halves;
    for (uint32_t i = 0; i < part->index_count; i++)
        pl_capacity_add_index(sum, part->indexes[i].name, part->indexes[i].global, part->indexes[i].halves);
}

static void write_consumed(struct pl_dynamo_request *request)
{
    const struct batch *batch = request->state;
    struct pl_buf *out = &request->body;

    if (request->op.report == PL_CAPACITY_NONE)
        return;
    pl_buf_append_bytes(out, pl_str(",\"ConsumedCapacity\":["));
    for (uint32_t i = 0; i < batch->group_count; i++) {
        const struct group *group = &batch->groups[i];
        struct pl_capacity sum = { 0 };

        for (uint32_t c = group->first; c < group->end; c++)
            if (!is_left_out(&request->op.children[c]))
                add_capacity(&sum, &request->op.children[c].reply.capacity);
        pl_buf_append(out, ",", i > 0);
        pl_dynamo_consumed_write(out, group->table->name, &sum, request->op.report);
    }
    pl_buf_append_byte(out, ']');
}

static int finish_get(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;

    while (batch->open < batch->group_count)
        open_next_group(request);
    pl_buf_append_bytes(&request->body, pl_str("]},\"UnprocessedKeys\":{"));
    write_unprocessed_keys(request);
    pl_buf_append_byte(&request->body, '}');
    write_consumed(request);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

/* ---- BatchWriteItem --------------------------------------------------------------------------------- */

static int begin_write(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *tables = pl_dynamo_get(request->input, "RequestItems");
    int rc = begin_batch(request, PL_OP_BATCH_WRITE, WRITES_MAX);

    for (const struct pl_dynamo_node *at = tables->first; rc == 0 && at != NULL; at = at->next)
        rc = take_table_writes(request, at);
    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static void write_unprocessed_items(struct pl_dynamo_request *request)
{
    const struct batch *batch = request->state;
    bool first = true;

    for (uint32_t i = 0; i < batch->group_count; i++)
        if (write_left_out(request, &batch->groups[i], first) > 0)
            first = false;
}

static void write_group_metrics(struct pl_dynamo_request *request, const struct group *group, bool first)
{
    struct pl_buf *out = &request->body;
    bool any = false;

    pl_buf_append(out, ",", !first);
    pl_json_write_string(out, group->table->name);
    pl_buf_append_bytes(out, pl_str(":["));
    for (uint32_t i = group->first; i < group->end; i++) {
        const struct pl_operation *child = &request->op.children[i];

        if (is_left_out(child))
            continue;
        pl_buf_append(out, ",", any);
        pl_dynamo_metrics_write(out, child);
        any = true;
    }
    pl_buf_append_byte(out, ']');
}

static void write_metrics(struct pl_dynamo_request *request)
{
    const struct batch *batch = request->state;
    bool first = true;

    if (!pl_bytes_equal(pl_dynamo_get_text(request->input, "ReturnItemCollectionMetrics"), pl_str("SIZE")))
        return;
    pl_buf_append_bytes(&request->body, pl_str(",\"ItemCollectionMetrics\":{"));
    for (uint32_t i = 0; i < batch->group_count; i++) {
        const struct group *group = &batch->groups[i];

        if (!pl_dynamo_has_collections(request->op.children[group->first].table))
            continue;
        write_group_metrics(request, group, first);
        first = false;
    }
    pl_buf_append_byte(&request->body, '}');
}

static int finish_write(struct pl_dynamo_request *request)
{
    pl_buf_append_bytes(&request->body, pl_str("{\"UnprocessedItems\":{"));
    write_unprocessed_items(request);
    pl_buf_append_byte(&request->body, '}');
    write_metrics(request);
    write_consumed(request);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_batch_get_item = {
    .name = "BatchGetItem", .input = &get_input, .begin = begin_get, .finish = finish_get
};
const struct pl_dynamo_call pl_dynamo_batch_write_item = {
    .name = "BatchWriteItem", .input = &write_input, .begin = begin_write, .finish = finish_write
};
