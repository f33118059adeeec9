/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "model/json.h"

enum { LIMIT_MAX = 100 };

static const struct pl_dynamo_shape limit = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = LIMIT_MAX
};
static const struct pl_dynamo_member members[] = {
    { "ExclusiveStartTableName", &pl_dynamo_new_table_name, false },
    { "Limit", &limit, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("ListTablesInput", members);

/* The first table behind `start`, which need not exist. */
static uint32_t first_after(const struct pl_tables *tables, struct pl_bytes start)
{
    uint32_t i = 0;

    while (start.data != NULL && i < tables->count && pl_bytes_compare(tables->tables[i]->name, start) <= 0)
        i++;
    return i;
}

static int list_tables(struct pl_dynamo_request *request)
{
    const struct pl_tables *tables = request->context->tables;
    const struct pl_dynamo_node *given = pl_dynamo_get(request->input, "Limit");
    uint32_t most = given != NULL ? (uint32_t)given->number : LIMIT_MAX;
    uint32_t i = first_after(tables, pl_dynamo_get_text(request->input, "ExclusiveStartTableName"));
    uint32_t end = tables->count - i > most ? i + most : tables->count;
    struct pl_buf *out = &request->body;

    pl_buf_append_bytes(out, pl_str("{\"TableNames\":["));
    for (uint32_t at = i; at < end; at++) {
        pl_buf_append(out, ",", at > i);
        pl_json_write_string(out, tables->tables[at]->name);
    }
    pl_buf_append_byte(out, ']');
    if (end < tables->count) {
        pl_buf_append_bytes(out, pl_str(",\"LastEvaluatedTableName\":"));
        pl_json_write_string(out, tables->tables[end - 1]->name);
    }
    pl_buf_append_byte(out, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_list_tables = { .name = "ListTables",
                                                      .input = &input,
                                                      .begin = list_tables };
