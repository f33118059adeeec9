/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/settings.h"

/* DescribeTable and DeleteTable. */

static const struct pl_dynamo_member members[] = { { "TableName", &pl_dynamo_table_name, false } };
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("DescribeTableInput", members);

static int begin(struct pl_dynamo_request *request)
{
    struct pl_bytes name;
    int rc = pl_dynamo_check_table_named(request);

    if (rc == 0)
        rc = pl_dynamo_take_table(request, pl_dynamo_get_text(request->input, "TableName"), &name);
    return rc != 0 ? rc : pl_dynamo_describe(request, name);
}

static int finish_describe(struct pl_dynamo_request *request)
{
    pl_buf_append_bytes(&request->body, pl_str("{\"Table\":"));
    pl_dynamo_description_write(request, PL_DYNAMO_TABLE_AS_IT_IS);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

static int check_deletable(struct pl_dynamo_request *request, const struct pl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].state == PL_INDEX_BACKFILLING)
            return pl_dynamo_error(
                request, "ResourceInUseException",
                "Attempt to change a resource which is still in use: Cannot delete table while "
                "indexes are being created, updated, or deleted.");
    return pl_dynamo_check_idle(request, table);
}

/* Described as it goes, and then dropped. */
static int finish_delete(struct pl_dynamo_request *request)
{
    struct pl_bytes name = request->op.table_name;
    int rc;

    if (request->op.name == PL_OP_DROP)
        return 0;
    rc = check_deletable(request, request->op.table);
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->body, pl_str("{\"TableDescription\":"));
    pl_dynamo_description_write(request, PL_DYNAMO_TABLE_DELETING);
    pl_buf_append_byte(&request->body, '}');
    pl_dynamo_operation(request, PL_OP_DROP);
    request->op.table_name = name;
    return PL_DYNAMO_GO_ON;
}

const struct pl_dynamo_call pl_dynamo_describe_table = {
    .name = "DescribeTable", .input = &input, .begin = begin, .finish = finish_describe
};
const struct pl_dynamo_call pl_dynamo_delete_table = {
    .name = "DeleteTable", .input = &input, .begin = begin, .finish = finish_delete
};
