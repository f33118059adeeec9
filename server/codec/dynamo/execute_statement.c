/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/consumed.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/statement.h"
#include "model/base64.h"
#include "model/json.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * ExecuteStatement. A SELECT is one scan, or a query for each value of the partition key, one after the other until
 * the page is full; where it goes on stands in NextToken. Everything else is one operation.
 *
 *     token = base64 of: format u8 (1) ▸ hash of statement and parameters u64 ▸ which query u32 ▸ start key's item
 */
enum { TOKEN_FORMAT = 1, TOKEN_HEAD_BYTES = 13, TOKEN_TEXT_MAX = 32768, PAGE_BYTES_MAX = 1 << 20 };

static const struct pl_dynamo_shape limit = { .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1 };
static const struct pl_dynamo_shape next_token = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = TOKEN_TEXT_MAX
};
static const struct pl_dynamo_member members[] = {
    { "Statement", &pl_dynamo_statement_text, true },
    { "Parameters", &pl_dynamo_statement_parameters, false },
    { "ConsistentRead", &pl_dynamo_boolean, false },
    { "NextToken", &next_token, false },
    { "ReturnConsumedCapacity", &pl_dynamo_report, false },
    { "Limit", &limit, false },
    { "ReturnValuesOnConditionCheckFailure", &pl_dynamo_on_failure, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("ExecuteStatementInput", members);

/* What lasts from one query to the next. */
struct execution {
    struct pl_dynamo_statement statement;
    struct pl_partiql_walk walk;
    struct pl_bytes table_name, index_name;
    uint32_t at;              /* which of the walk's partitions */
    uint32_t left;            /* items that may still be looked at; 0: as many as there are */
    struct pl_item start_key; /* of the first query; no bytes: none */
    struct pl_capacity capacity;
};

/* ---- the token -------------------------------------------------------------------------------------- */

static uint64_t statement_hash(const struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *parameters = pl_dynamo_get(request->input, "Parameters");
    struct pl_bytes text = pl_dynamo_get_text(request->input, "Statement");
    uint64_t hash = XXH3_64bits(text.data, text.len);

    return parameters == NULL ? hash
                              : XXH3_64bits_withSeed(parameters->text.data, parameters->text.len, hash);
}

static void write_token(struct pl_dynamo_request *request, uint32_t at, const struct pl_item *key)
{
    struct pl_buf token = { 0 }, *out = &request->body;
    char head[TOKEN_HEAD_BYTES] = { TOKEN_FORMAT };

    pl_put_le64(head + 1, statement_hash(request));
    pl_put_le32(head + 9, at);
    pl_buf_append(&token, head, sizeof head);
    if (key != NULL)
        pl_buf_append_bytes(&token, key->bytes);
    pl_buf_append_bytes(out, pl_str(",\"NextToken\":\""));
    pl_base64_write(out, pl_buf_view(&token));
    pl_buf_append_byte(out, '"');
    if (pl_buf_status(&token) != 0)
        out->failed = true;
    pl_buf_deinit(&token);
}

static int wrong_token(struct pl_dynamo_request *request)
{
    return pl_dynamo_invalid(request, "Invalid NextToken");
}

static int foreign_token(struct pl_dynamo_request *request)
{
    return pl_dynamo_invalid(request, "NextToken does not match request");
}

/* It may be anybody's bytes. */
static int read_token(struct pl_dynamo_request *request, struct execution *e)
{
    struct pl_bytes text = pl_dynamo_get_text(request->input, "NextToken");
    size_t len;
    char *bytes;

    if (text.data == NULL)
        return 0;
    bytes = pl_arena_alloc(&request->arena, text.len / 4 * 3 + 3);
    if (bytes == NULL)
        return PL_ENOMEM;
    if (!pl_base64_decode(text, bytes, &len) || len < TOKEN_HEAD_BYTES || bytes[0] != TOKEN_FORMAT)
        return wrong_token(request);
    if (pl_get_le64(bytes + 1) != statement_hash(request))
        return foreign_token(request);
    e->at = pl_get_le32(bytes + 9);
    if (e->at >= (e->walk.partition_count > 0 ? e->walk.partition_count : 1))
        return wrong_token(request);
    if (len == TOKEN_HEAD_BYTES)
        return 0;
    return pl_item_check(pl_bytes(bytes + TOKEN_HEAD_BYTES, len - TOKEN_HEAD_BYTES), &e->start_key) == 0
               ? 0
               : wrong_token(request);
}

/* ---- SELECT ----------------------------------------------------------------------------------------- */

static int write_row(struct pl_operation *op, struct pl_item item)
{
    struct pl_dynamo_request *request = pl_dynamo_request_of(op);

    pl_buf_append(&request->body, ",", request->row_count++ > 0);
    pl_json_write_item(&request->body, PL_JSON_TYPED, item);
    return pl_buf_status(&request->body);
}

/* The query of the partition that is next, or the scan. */
static int look(struct pl_dynamo_request *request)
{
    struct execution *e = request->state;
    struct pl_operation *op = &request->op;
    bool query = e->walk.conditions != NULL;

    pl_dynamo_operation(request, query ? PL_OP_QUERY : PL_OP_SCAN);
    op->table_name = e->table_name;
    op->index_name = e->index_name;
    op->row = write_row;
    op->consistent = pl_dynamo_get_bool(request->input, "ConsistentRead");
    op->descending = e->statement.partiql.descending;
    op->projection = e->statement.partiql.projection;
    op->filter = e->walk.filter;
    op->filters_keys = true;
    op->limit = e->left;
    op->report = pl_dynamo_report_asked(request->input);
    if (query) {
        e->walk.conditions[0].values = &e->walk.partitions[e->at];
        op->key_conditions = e->walk.conditions;
        op->key_condition_count = e->walk.condition_count;
    }
    op->has_start_key = e->start_key.bytes.len > 0;
    op->start_key = e->start_key;
    e->start_key.bytes.len = 0;
    return PL_DYNAMO_GO_ON;
}

static int check_index(struct pl_dynamo_request *request, const struct execution *e)
{
    if (e->statement.index != NULL && e->statement.index->global &&
        pl_dynamo_get_bool(request->input, "ConsistentRead"))
        return pl_dynamo_invalid(request,
                                 "Strongly consistent read is not supported on Global Secondary Indexes");
    return 0;
}

static int begin_select(struct pl_dynamo_request *request, struct execution *e)
{
    const struct pl_dynamo_node *most = pl_dynamo_get(request->input, "Limit");
    const struct pl_dynamo_statement *s = &e->statement;
    int rc = check_index(request, e);

    if (rc == 0)
        rc = pl_partiql_walk(&s->partiql, s->index != NULL ? &s->index->keys : &s->table->keys,
                             &request->arena, &e->walk, &request->op.reply.why);
    if (rc == 0)
        rc = read_token(request, e);
    if (rc != 0)
        return rc;
    e->left = most != NULL ? (uint32_t)most->number : 0;
    e->index_name = s->partiql.index;
    pl_buf_append_bytes(&request->body, pl_str("{\"Items\":["));
    return look(request);
}

static int end_answer(struct pl_dynamo_request *request, const struct execution *e)
{
    struct pl_buf *out = &request->body;

    if (request->op.report != PL_CAPACITY_NONE) {
        pl_buf_append_bytes(out, pl_str(",\"ConsumedCapacity\":"));
        pl_dynamo_consumed_write(out, e->table_name, &e->capacity, request->op.report);
    }
    pl_buf_append_byte(out, '}');
    return 0;
}

static int end_page(struct pl_dynamo_request *request, struct execution *e, bool more)
{
    const struct pl_reply *reply = &request->op.reply;
    struct pl_buf *out = &request->body;

    pl_buf_append_byte(out, ']');
    if (reply->has_last_key) {
        write_token(request, e->at, &reply->last_key);
        pl_buf_append_bytes(out, pl_str(",\"LastEvaluatedKey\":"));
        pl_json_write_item(out, PL_JSON_TYPED, reply->last_key);
    } else if (more) {
        write_token(request, e->at + 1, NULL);
    }
    return end_answer(request, e);
}

static int finish_select(struct pl_dynamo_request *request, struct execution *e)
{
    const struct pl_reply *reply = &request->op.reply;
    bool more = e->at + 1 < e->walk.partition_count;
    bool full;

    pl_capacity_add(&e->capacity, &reply->capacity);
    full = request->body.len >= PAGE_BYTES_MAX || (e->left > 0 && reply->scanned >= e->left);
    if (reply->has_last_key || !more || full)
        return end_page(request, e, more);
    e->left -= e->left > 0 ? (uint32_t)reply->scanned : 0;
    e->at++;
    return look(request);
}

/* ---- all -------------------------------------------------------------------------------------------- */

static int begin_change(struct pl_dynamo_request *request, struct execution *e)
{
    int rc;

    if (e->statement.partiql.verb == PL_PARTIQL_EXISTS)
        return pl_dynamo_invalid(request, "EXISTS is not supported in ExecuteStatement");
    if (pl_dynamo_get(request->input, "NextToken") != NULL)
        return foreign_token(request); /* no write has a next page */
    pl_dynamo_operation(request, PL_OP_PUT);
    request->op.report = pl_dynamo_report_asked(request->input);
    rc = pl_dynamo_statement_write(request, &e->statement, request->input, &request->op);
    return rc != 0 ? rc : PL_DYNAMO_GO_ON;
}

static int begin(struct pl_dynamo_request *request)
{
    struct execution *e = pl_arena_zalloc(&request->arena, 1, sizeof *e);
    int rc = e == NULL ? PL_ENOMEM : pl_dynamo_statement_read(request, request->input, &e->statement);

    if (rc != 0)
        return rc;
    request->state = e;
    e->table_name = e->statement.partiql.table;
    return pl_dynamo_statement_reads(&e->statement) ? begin_select(request, e) : begin_change(request, e);
}

static int finish(struct pl_dynamo_request *request)
{
    struct execution *e = request->state;
    struct pl_buf *out = &request->body;

    if (pl_dynamo_statement_reads(&e->statement))
        return finish_select(request, e);
    e->capacity = request->op.reply.capacity;
    pl_buf_append_bytes(out, pl_str("{\"Items\":["));
    if (request->op.reply.has_item)
        pl_json_write_item(out, PL_JSON_TYPED, request->op.reply.item);
    pl_buf_append_byte(out, ']');
    return end_answer(request, e);
}

/* An INSERT's condition has a name of its own. */
static int failed(struct pl_dynamo_request *request)
{
    const struct execution *e = request->state;

    if (request->op.reply.rc != PL_ECONDITION || e->statement.partiql.verb != PL_PARTIQL_INSERT)
        return request->op.reply.rc;
    return pl_dynamo_error(request, "DuplicateItemException", "Duplicate primary key exists in table");
}

const struct pl_dynamo_call pl_dynamo_execute_statement = {
    .name = "ExecuteStatement", .input = &input, .begin = begin, .finish = finish, .failed = failed
};
