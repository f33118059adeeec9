/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/dynamo.h"
#include "codec/dynamo/input.h"
#include "partition/prepare.h"
#include "partition/prepare_transaction.h"
#include "partition/schema.h"

#include <stdlib.h>

/*
 * The first line is a call's name (with a '~' before it: of the streams API), the rest its body. Every request is answered, whatever it says: with JSON that is
 * UTF-8, and a status of HTTP. What it asks of the engine is prepared against two tables, and answered with
 * what it asked with.
 */
static struct pl_tables *make_tables(void)
{
    static const char *const definitions[] = {
        "{\"table\":\"Things\",\"partition_key\":\"p:S\",\"dynamodb\":{\"tags\":{\"a\":\"b\"}}}",
        "{\"table\":\"Notes\",\"partition_key\":\"p:S\",\"sort_key\":\"s:N\",\"stream\":\"new_image\","
        "\"throughput\":{"
        "\"read\":5,\"write\":5},\"indexes\":{\"Local\":{\"sort_key\":\"l:B\",\"project\":\"keys_only\"},"
        "\"Global\":{"
        "\"partition_key\":[\"g:S\",\"h:N\"],\"sort_key\":\"i:S\",\"project\":[\"x\"],\"throughput\":{"
        "\"read\":1,"
        "\"write\":1}}}}",
    };
    struct pl_tables *tables = pl_tables_new();

    for (uint32_t i = 0; i < 2; i++) {
        struct pl_tables *more;
        struct pl_table *table;

        if (tables == NULL || pl_table_from_text(pl_str(definitions[i]), false, &table, NULL) != 0)
            abort();
        table->id = i + 1;
        table->stream_id = i;
        table->stream_created_ms = (int64_t)i * 1600000000000;
        more = pl_tables_with(tables, table->id, table);
        pl_table_unref(table);
        pl_tables_unref(tables);
        tables = more;
    }
    if (tables == NULL)
        abort();
    return tables;
}

static int describe(struct pl_operation *op, const struct pl_tables *tables)
{
    struct pl_table *table = pl_tables_find(tables, op->table_name);

    if (table == NULL)
        return PL_ENOTABLE;
    op->table = pl_table_ref(table);
    op->reply.extents = pl_arena_zalloc(&op->arena, 1 + table->index_count, sizeof *op->reply.extents);
    return op->reply.extents != NULL ? 0 : PL_ENOMEM;
}

/* The definitions that the codec makes are such that the engine understands them, or says why not. */
static int change_schema(struct pl_operation *op, const struct pl_tables *tables)
{
    struct pl_table *table = NULL;
    int rc;

    if (op->name == PL_OP_CREATE)
        rc = pl_schema_parse(op->definition, &table, &op->reply.why);
    else if (op->name == PL_OP_DROP)
        return 0;
    else
        rc = pl_schema_patch(pl_tables_find(tables, op->table_name), op->definition, &table, &op->reply.why);
    pl_table_unref(table);
    if (rc == PL_ESYNTAX)
        abort();
    return rc;
}

static int read_records(struct pl_operation *op, const struct pl_tables *tables)
{
    struct pl_table *table = pl_tables_find(tables, op->table_name);
    struct pl_record record = { .event = "modify",
                                .view = PL_STREAM_NEW_IMAGE,
                                .by_service = op->partition % 2 == 1,
                                .sequence = op->records.after + 1 };

    if (table == NULL)
        return PL_ENOTABLE;
    op->table = pl_table_ref(table);
    op->reply.position = record.sequence;
    if (op->partition % 5 == 4)
        return PL_ETRIMMED;
    return op->record != NULL ? op->record(op, &record) : 0;
}

static int answer_children(struct pl_operation *op, const struct pl_tables *tables)
{
    int rc = 0;

    for (uint32_t i = 0; i < op->child_count && rc == 0; i++) {
        struct pl_operation *child = &op->children[i];

        rc = pl_prepare(child, tables, 64);
        op->reply.why = child->reply.why;
        if (i % 7 == 3)
            child->reply.rc = PL_ETHROUGHPUT;
        else if (rc == 0 && op->row != NULL)
            rc = op->row(child, child->item);
    }
    return rc;
}

static int answer_transaction(struct pl_operation *op, const struct pl_tables *tables)
{
    int rc = pl_prepare_transaction(op, tables, 64);

    for (uint32_t i = 0; i < op->child_count && rc == 0; i++) {
        op->children[i].reply.has_item = i % 2 == 0;
        op->children[i].reply.item = op->children[i].item;
    }
    return rc;
}

static int answer_item(struct pl_operation *op, const struct pl_tables *tables)
{
    int rc = pl_prepare(op, tables, 64);

    op->reply.has_item = op->item.bytes.len > 0;
    op->reply.item = op->item;
    op->reply.has_last_key = op->has_start_key;
    op->reply.last_key = op->start_key;
    if (rc == 0 && op->row != NULL && op->has_start_key)
        rc = op->row(op, op->start_key);
    return rc == 0 && op->return_old_on_failure ? PL_ECONDITION : rc;
}

static int run(struct pl_operation *op, const struct pl_tables *tables)
{
    switch (op->name) {
    case PL_OP_DESCRIBE:
        return describe(op, tables);
    case PL_OP_CREATE:
    case PL_OP_ALTER:
    case PL_OP_DROP:
        return change_schema(op, tables);
    case PL_OP_RECORDS:
        return read_records(op, tables);
    case PL_OP_BATCH_GET:
    case PL_OP_BATCH_WRITE:
        return answer_children(op, tables);
    case PL_OP_TRANSACT_GET:
    case PL_OP_TRANSACT_WRITE:
        return answer_transaction(op, tables);
    default:
        return answer_item(op, tables);
    }
}

static void check_answer(const struct pl_dynamo_request *request)
{
    struct pl_bytes body = pl_buf_view(&request->body);

    if (request->status != 200 && request->status != 400 && request->status != 500)
        abort();
    if (body.len == 0 && request->status == 200)
        return; /* TagResource */
    if (!pl_bytes_is_utf8(body) || !pl_dynamo_input_is_json(body))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pl_tables *tables;
    static struct pl_dynamo_request request; /* used again, as a connection does */
    const uint8_t *newline = memchr(data, '\n', size);
    size_t name_len = newline != NULL ? (size_t)(newline - data) : size;
    size_t rest = newline != NULL ? size - name_len - 1 : 0;
    struct pl_dynamo_context context = { .region = pl_str("us-east-1"),
                                         .account = pl_str("000000000000"),
                                         .endpoint = pl_str("127.0.0.1:8000"),
                                         .now_ms = 1700000000123,
                                         .partition_count = 64 };
    enum pl_dynamo_step step;
    struct pl_buf target = { 0 };

    if (tables == NULL)
        tables = make_tables();
    context.tables = tables;
    if (name_len > 0 && data[0] == '~') {
        pl_buf_append_bytes(&target, pl_str("DynamoDBStreams_20120810."));
        pl_buf_append(&target, data + 1, name_len - 1);
    } else {
        pl_buf_append_bytes(&target, pl_str("DynamoDB_20120810."));
        pl_buf_append(&target, data, name_len);
    }
    pl_dynamo_request_reset(&request);
    step = pl_dynamo_read(&request, pl_buf_view(&target), pl_bytes(data + size - rest, rest), &context);
    for (int i = 0; step == PL_DYNAMO_RUN; i++) {
        if (i == 100)
            abort(); /* a batch of statements takes one each, and no call more */
        request.op.reply.rc = run(&request.op, tables);
        step = pl_dynamo_advance(&request, &context);
    }
    check_answer(&request);
    pl_dynamo_request_reset(&request);
    pl_buf_deinit(&target);
    return 0;
}
