/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"

#include <stdarg.h>
#include <stdio.h>

static const struct pl_dynamo_call *const calls[] = {
#define PL_DYNAMO_ADDRESS(call) &pl_dynamo_##call,
    PL_DYNAMO_CALLS(PL_DYNAMO_ADDRESS)
#undef PL_DYNAMO_ADDRESS
};

static bool take_prefix(struct pl_bytes *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || memcmp(text->data, prefix, len) != 0)
        return false;
    text->data += len;
    text->len -= len;
    return true;
}

const struct pl_dynamo_call *pl_dynamo_call_find(struct pl_bytes target)
{
    bool streams = take_prefix(&target, "DynamoDBStreams_20120810.");

    if (!streams && !take_prefix(&target, "DynamoDB_20120810."))
        return NULL;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i]->streams == streams && pl_bytes_equal(target, pl_str(calls[i]->name)))
            return calls[i];
    return NULL;
}

int pl_dynamo_invalid(struct pl_dynamo_request *request, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    pl_reason_vset(&request->op.reply.why, PL_EINVALID, format, args);
    va_end(args);
    return PL_EINVALID;
}

int pl_dynamo_error(struct pl_dynamo_request *request, const char *type, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    pl_reason_vset(&request->op.reply.why, PL_EINVALID, format, args);
    va_end(args);
    request->error_type = type;
    return PL_EINVALID;
}

void pl_dynamo_operation(struct pl_dynamo_request *request, enum pl_operation_name name)
{
    pl_done_fn done = request->op.done;
    void *owner = request->op.owner;

    pl_operation_reset(&request->op, name);
    request->op.done = done;
    request->op.owner = owner;
}

struct pl_dynamo_request *pl_dynamo_request_of(struct pl_operation *op)
{
    return pl_container_of(op->parent != NULL ? op->parent : op, struct pl_dynamo_request, op);
}
