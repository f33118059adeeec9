/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/failure.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/statement.h"
#include "model/json.h"
#include "model/transaction.h"

/*
 * BatchExecuteStatement: up to 25 statements, all of them reads or all writes, one after the other. Each has a
 * response of its own, in its place; one that fails hinders no other.
 */
enum { STATEMENTS_MAX = 25 };

static const struct pl_dynamo_member statement_members[] = {
    { "Statement", &pl_dynamo_statement_text, true },
    { "Parameters", &pl_dynamo_statement_parameters, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
};
static const struct pl_dynamo_shape statement =
    PL_DYNAMO_STRUCTURE_OF("BatchStatementRequest", statement_members);
static const struct pl_dynamo_shape statements = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = STATEMENTS_MAX, .element = &statement
};
static const struct pl_dynamo_member members[] = {
    { "Statements", &statements, true },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("BatchExecuteStatementInput", members);

struct batch {
    struct parsed { /* each statement, or what is wrong with it */
        struct pl_dynamo_statement statement;
        int rc;
        struct pl_reason *why; /* NULL: nothing */
    } parsed[STATEMENTS_MAX];
    const struct pl_dynamo_node *at; /* the statement that is under way */
    uint32_t index;                  /* and its place */
    struct pl_dynamo_statement *statement;
    struct pl_condition *rest; /* of a SELECT: what its item must be */
    bool reads;
    struct used { /* by table, in the order of the statements */
        struct pl_bytes table;
        struct pl_capacity capacity;
    } used[STATEMENTS_MAX];
    uint32_t used_count;
};

/* ---- responses -------------------------------------------------------------------------------------- */

static void begin_response(struct pl_dynamo_request *request)
{
    pl_buf_append_bytes(&request->body, request->row_count++ > 0 ? pl_str(",{") : pl_str("{"));
}

/* "ConditionalCheckFailed", "ValidationError", "ResourceNotFound": no code here says Exception. */
static struct pl_bytes code_of(const struct batch *batch, int rc)
{
    if (rc == PL_ECONDITION && batch->statement->partiql.verb == PL_PARTIQL_INSERT)
        return pl_str("DuplicateItem");
    return rc == PL_ENOTABLE ? pl_str("ResourceNotFound") : pl_transaction_reason_code(rc);
}

static void write_error(struct pl_dynamo_request *request, int rc)
{
    const struct batch *batch = request->state;
    const struct pl_reply *reply = &request->op.reply;
    struct pl_bytes code = code_of(batch, rc);
    struct pl_buf *out = &request->body;

    begin_response(request);
    pl_buf_append_bytes(out, pl_str("\"Error\":{\"Code\":"));
    pl_json_write_string(out, code);
    pl_buf_append_bytes(out, pl_str(",\"Message\":"));
    pl_json_write_string(out, pl_bytes_equal(code, pl_str("DuplicateItem"))
                                  ? pl_str("Duplicate primary key exists in table")
                                  : pl_str(pl_reason_text(&reply->why, rc)));
    if (rc == PL_ECONDITION && reply->has_item) {
        pl_buf_append_bytes(out, pl_str(",\"Item\":"));
        pl_json_write_item(out, PL_JSON_TYPED, reply->item);
    }
    pl_buf_append_byte(out, '}');
    if (batch->statement->partiql.table.len > 0) {
        pl_buf_append_bytes(out, pl_str(",\"TableName\":"));
        pl_json_write_string(out, batch->statement->partiql.table);
    }
    pl_buf_append_byte(out, '}');
}

static void write_response(struct pl_dynamo_request *request)
{
    const struct batch *batch = request->state;
    const struct pl_reply *reply = &request->op.reply;
    struct pl_buf *out = &request->body;

    begin_response(request);
    pl_buf_append_bytes(out, pl_str("\"TableName\":"));
    pl_json_write_string(out, batch->statement->partiql.table);
    if (reply->has_item && (batch->rest == NULL || pl_condition_test(batch->rest, &reply->item))) {
        pl_buf_append_bytes(out, pl_str(",\"Item\":"));
        pl_json_write_item(out, PL_JSON_TYPED, reply->item);
    }
    pl_buf_append_byte(out, '}');
}

static void note_used(struct batch *batch, const struct pl_capacity *capacity)
{
    struct pl_bytes table = batch->statement->partiql.table;
    uint32_t i = 0;

    while (i < batch->used_count && !pl_bytes_equal(batch->used[i].table, table))
        i++;
    if (i == batch->used_count)
        batch->used[batch->used_count++].table = table;
    pl_capacity_add(&batch->used[i].capacity, capacity);
}

static int end_answer(struct pl_dynamo_request *request)
{
    const struct batch *batch = request->state;
    enum pl_capacity_report report = pl_dynamo_report_asked(request->input);
    struct pl_buf *out = &request->body;

    pl_buf_append_byte(out, ']');
    if (report != PL_CAPACITY_NONE) {
        pl_buf_append_bytes(out, pl_str(",\"ConsumedCapacity\":["));
        for (uint32_t i = 0; i < batch->used_count; i++) {
            pl_buf_append(out, ",", i > 0);
            pl_dynamo_consumed_write(out, batch->used[i].table, &batch->used[i].capacity, report);
        }
        pl_buf_append_byte(out, ']');
    }
    pl_buf_append_byte(out, '}');
    return 0;
}

/* ---- one statement ---------------------------------------------------------------------------------- */

static int make_operation(struct pl_dynamo_request *request)
{
    static const char without_key[] =
        "Select statements within BatchExecuteStatement must specify the primary key in the where clause.";
    struct batch *batch = request->state;
    const struct pl_dynamo_statement *s = batch->statement;

    pl_dynamo_operation(request, PL_OP_GET);
    request->op.report = pl_dynamo_report_asked(request->input);
    batch->rest = NULL;
    if (pl_dynamo_statement_reads(s)) {
        request->op.consistent = pl_dynamo_get_bool(batch->at, "ConsistentRead");
        if (s->index != NULL)
            return pl_dynamo_invalid(request,
                                     "Reads on indices are not supported within batches of statements.");
        return pl_dynamo_statement_get(request, s, without_key, &request->op, &batch->rest);
    }
    if (s->partiql.verb == PL_PARTIQL_EXISTS)
        return pl_dynamo_invalid(request, "EXISTS is not supported in BatchExecuteStatement");
    return pl_dynamo_statement_write(request, s, batch->at, &request->op);
}

static int begin_statement(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;
    const struct parsed *parsed = &batch->parsed[batch->index];
    int rc = parsed->rc;

    batch->statement = &batch->parsed[batch->index].statement;
    request->op.reply.why = parsed->why != NULL ? *parsed->why : (struct pl_reason){ { 0 } };
    if (rc == 0)
        rc = pl_dynamo_statement_find(request, batch->statement);
    return rc != 0 ? rc : make_operation(request);
}

static void step_on(struct batch *batch)
{
    batch->at = batch->at->next;
    batch->index++;
}

/* The next statement that is something to be run; those before it that are wrong are answered. */
static int go_on(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;

    for (; batch->at != NULL; step_on(batch)) {
        int rc = begin_statement(request);

        if (rc == 0)
            return PL_DYNAMO_GO_ON;
        if (rc == PL_ENOMEM)
            return rc;
        write_error(request, rc);
    }
    return end_answer(request);
}

/* ---- all of them ------------------------------------------------------------------------------------ */

static int parse(struct pl_dynamo_request *request, const struct pl_dynamo_node *at, struct parsed *out)
{
    request->op.reply.why.text[0] = '\0';
    out->rc = pl_dynamo_statement_parse(request, at, &out->statement);
    if (out->rc == 0)
        return 0;
    out->why = pl_arena_alloc(&request->arena, sizeof *out->why);
    if (out->why == NULL)
        return PL_ENOMEM;
    *out->why = request->op.reply.why;
    return out->rc == PL_ENOMEM ? PL_ENOMEM : 0;
}

/* A statement that is none counts as either: it gets its own error. */
static int parse_all(struct pl_dynamo_request *request, const struct pl_dynamo_node *list,
                     struct parsed *parsed)
{
    uint32_t reads = 0, writes = 0;

    for (const struct pl_dynamo_node *at = list->first; at != NULL; at = at->next, parsed++) {
        int rc = parse(request, at, parsed);

        if (rc != 0)
            return rc;
        if (parsed->rc != 0)
            continue;
        reads += pl_dynamo_statement_reads(&parsed->statement);
        writes += !pl_dynamo_statement_reads(&parsed->statement);
    }
    return reads > 0 && writes > 0
               ? pl_dynamo_invalid(request, "Statements of a batch must be all reads or all writes")
               : 0;
}

static int begin(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *list = pl_dynamo_get(request->input, "Statements");
    struct batch *batch = pl_arena_zalloc(&request->arena, 1, sizeof *batch);
    int rc = batch == NULL ? PL_ENOMEM : parse_all(request, list, batch->parsed);

    if (rc != 0)
        return rc;
    request->state = batch;
    batch->at = list->first;
    pl_buf_append_bytes(&request->body, pl_str("{\"Responses\":["));
    return go_on(request);
}

static int finish(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;

    note_used(batch, &request->op.reply.capacity);
    write_response(request);
    step_on(batch);
    return go_on(request);
}

static int failed(struct pl_dynamo_request *request)
{
    struct batch *batch = request->state;

    write_error(request, request->op.reply.rc);
    step_on(batch);
    return go_on(request);
}

const struct pl_dynamo_call pl_dynamo_batch_execute_statement = {
    .name = "BatchExecuteStatement", .input = &input, .begin = begin, .finish = finish, .failed = failed
};
