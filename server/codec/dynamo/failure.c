/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/failure.h"

#include "codec/dynamo/description.h"
#include "model/json.h"

#define MODEL   "com.amazonaws.dynamodb.v20120810#"
#define SERVICE "com.amazon.coral.service#"

/* What differs from the rule: everything else is of the model, says "message" and is the client's fault. */
static const struct {
    const char *type, *prefix, *member;
    uint16_t status;
} types[] = {
    { "ValidationException", "com.amazon.coral.validate#", "message", 400 },
    { "SerializationException", SERVICE, "Message", 400 },
    { "UnknownOperationException", SERVICE, "message", 400 },
    { "MissingAuthenticationTokenException", SERVICE, "message", 400 },
    { "IncompleteSignatureException", SERVICE, "message", 400 },
    { "InvalidSignatureException", SERVICE, "message", 400 },
    { "UnrecognizedClientException", SERVICE, "message", 400 },
    { "AccessDeniedException", SERVICE, "Message", 400 },
    { "ThrottlingException", "com.amazon.coral.availability#", "message", 400 },
    { "TransactionCanceledException", MODEL, "Message", 400 },
    { "IdempotentParameterMismatchException", MODEL, "Message", 400 },
    { "TransactionInProgressException", MODEL, "Message", 400 },
    { "InternalServerError", MODEL, "message", 500 },
    { "ServiceUnavailable", MODEL, "message", 503 },
};
static const size_t type_count = sizeof types / sizeof types[0];

static struct pl_bytes sentence_of(const struct pl_dynamo_request *request, int rc)
{
    if (request->sentence.data != NULL)
        return request->sentence;
    return pl_str(pl_reason_text(&request->op.reply.why, rc));
}

/*
 * What had no units left: `IndexWriteProvisionedThroughputExceeded` and the like, and its ARN. A write does not say which
 * of its indexes it was, so then the table stands for them.
 */
static void write_throttling(struct pl_dynamo_request *request)
{
    const struct pl_operation *op = request->op.child_count > 0 ? &request->op.children[0] : &request->op;
    bool writes = pl_operation_kind(op->name) == PL_OPERATION_WRITE;
    bool index = op->index != NULL || strstr(op->reply.why.text, "secondary index") != NULL;
    struct pl_buf *out = &request->body;

    if (op->table == NULL || request->context == NULL)
        return;
    pl_buf_append_format(
        out, ",\"ThrottlingReasons\":[{\"reason\":\"%s%sProvisionedThroughputExceeded\",\"resource\":\"",
        index ? "Index" : "Table", writes ? "Write" : "Read");
    pl_dynamo_arn_write(out, request->context, op->table->name);
    if (op->index != NULL) {
        pl_buf_append_bytes(out, pl_str("/index/"));
        pl_buf_append_bytes(out, op->index->name);
    }
    pl_buf_append_bytes(out, pl_str("\"}]"));
}

static void write_body(struct pl_dynamo_request *request, const char *type, size_t known, int rc)
{
    struct pl_buf *out = &request->body;

    pl_buf_clear(out);
    pl_buf_append_format(out, "{\"__type\":\"%s%s\"", known < type_count ? types[known].prefix : MODEL, type);
    if (!request->untold) {
        pl_buf_append_format(out, ",\"%s\":", known < type_count ? types[known].member : "message");
        pl_json_write_string(out, sentence_of(request, rc));
    }
    if (rc == PL_ECONDITION && request->op.reply.has_item) {
        pl_buf_append_bytes(out, pl_str(",\"Item\":"));
        pl_json_write_item(out, PL_JSON_TYPED, request->op.reply.item);
    }
    if (rc == PL_ETHROUGHPUT)
        write_throttling(request);
    pl_buf_append_bytes(out, request->more);
    pl_buf_append_byte(out, '}');
}

void pl_dynamo_failure_write(struct pl_dynamo_request *request, int rc)
{
    const char *type = request->error_type != NULL ? request->error_type : pl_error_code(rc);
    size_t known = 0;

    while (known < type_count && strcmp(types[known].type, type) != 0)
        known++;
    request->status = known < type_count ? types[known].status : 400;
    write_body(request, type, known, rc);
    if (pl_buf_status(&request->body) == 0)
        return;
    /* Not even memory for the sentence: a body of nothing says the same with its status. */
    pl_buf_clear(&request->body);
    request->status = 500;
}
