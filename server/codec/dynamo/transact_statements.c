/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/statement.h"
#include "codec/dynamo/transact.h"
#include "model/transaction.h"

/* ExecuteTransaction: one transaction with a child for each statement. */

static const struct pl_dynamo_member statement_members[] = {
    { "Statement", &pl_dynamo_statement_text, true },
    { "Parameters", &pl_dynamo_statement_parameters, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
};
static const struct pl_dynamo_shape statement =
    PL_DYNAMO_STRUCTURE_OF("ParameterizedStatement", statement_members);
static const struct pl_dynamo_shape statements = { .kind = PL_DYNAMO_LIST,
                                                   .has_min = true,
                                                   .min = 1,
                                                   .max = PL_TRANSACTION_CHILDREN_MAX,
                                                   .element = &statement };
static const struct pl_dynamo_member members[] = {
    { "TransactStatements", &statements, true },
    { "ClientRequestToken", &pl_dynamo_token, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("ExecuteTransactionInput", members);

/* ---- asking ----------------------------------------------------------------------------------------- */

static int refuse_statement(struct pl_dynamo_request *request, uint32_t i, const char *sentence)
{
    return pl_dynamo_invalid(request, "Validation failed in TransactStatements[%u]: %s", i, sentence);
}

static int make_get(struct pl_dynamo_request *request, const struct pl_dynamo_statement *s, uint32_t i,
                    struct pl_operation *child)
{
    struct pl_condition *rest = NULL;
    struct pl_reason why;
    int rc = pl_dynamo_statement_get(request, s, "The primary key must be given in the WHERE clause.", child,
                                     &rest);

    why = request->op.reply.why;
    if (rc == PL_EINVALID)
        return refuse_statement(request, i, why.text);
    if (rc == 0 && rest != NULL)
        return refuse_statement(request, i, "Only the primary key may stand in the WHERE clause of a read.");
    return rc;
}

static int make_child(struct pl_dynamo_request *request, const struct pl_dynamo_node *at, uint32_t i)
{
    struct pl_operation *op = &request->op, *child = &op->children[i];
    struct pl_dynamo_statement s;
    int rc = pl_dynamo_statement_read(request, at, &s);

    if (rc != 0)
        return rc;
    if (s.partiql.returning != PL_PARTIQL_RETURNING_NONE)
        return refuse_statement(request, i, "RETURNING clause is not supported in ExecuteTransaction.");
    if (s.index != NULL)
        return refuse_statement(request, i, "Reads on indices are not supported within transactions.");
    pl_operation_init(child, PL_OP_GET);
    op->child_count++;
    child->parent = op;
    child->report = op->report;
    child->params.arena = &child->arena;
    return pl_dynamo_statement_reads(&s) ? make_get(request, &s, i, child)
                                         : pl_dynamo_statement_write(request, &s, at, child);
}

static int choose_name(struct pl_dynamo_request *request)
{
    struct pl_operation *op = &request->op;
    uint32_t reads = 0;

    for (uint32_t i = 0; i < op->child_count; i++)
        reads += op->children[i].name == PL_OP_GET;
    if (reads > 0 && reads < op->child_count)
        return pl_dynamo_invalid(request, "Statements of a transaction must be all reads or all writes");
    op->name = reads > 0 ? PL_OP_TRANSACT_GET : PL_OP_TRANSACT_WRITE;
    return PL_DYNAMO_GO_ON;
}

static int begin(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *list = pl_dynamo_get(request->input, "TransactStatements");
    struct pl_operation *op = &request->op;
    uint32_t i = 0;
    int rc = 0;

    pl_dynamo_operation(request, PL_OP_TRANSACT_WRITE);
    op->report = pl_dynamo_report_asked(request->input);
    op->token = pl_dynamo_get_text(request->input, "ClientRequestToken");
    op->statements = list->text;
    op->children = pl_arena_zalloc(&op->arena, list->count, sizeof *op->children);
    if (op->children == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = list->first; rc == 0 && at != NULL; at = at->next)
        rc = make_child(request, at, i++);
    return rc != 0 ? rc : choose_name(request);
}

/* ---- answering -------------------------------------------------------------------------------------- */

static void write_consumed(struct pl_dynamo_request *request)
{
    struct pl_operation *op = &request->op;
    struct pl_buf *out = &request->body;
    struct pl_capacity capacity;
    bool first = true;

    if (op->report == PL_CAPACITY_NONE)
        return;
    pl_buf_append_bytes(out, pl_str(",\"ConsumedCapacity\":["));
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (!pl_transaction_capacity(op, i, &capacity))
            continue;
        pl_buf_append(out, ",", !first);
        pl_dynamo_consumed_write_transaction(out, op->children[i].table_name, &capacity, op->report);
        first = false;
    }
    pl_buf_append_byte(out, ']');
}

static int finish(struct pl_dynamo_request *request)
{
    pl_buf_append_byte(&request->body, '{');
    if (request->op.name == PL_OP_TRANSACT_GET)
        pl_dynamo_responses_write(request);
    else
        pl_buf_append_bytes(&request->body, pl_str("\"Responses\":[]"));
    write_consumed(request);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_execute_transaction = { .name = "ExecuteTransaction",
                                                              .input = &input,
                                                              .begin = begin,
                                                              .finish = finish,
                                                              .failed = pl_dynamo_cancelled };
