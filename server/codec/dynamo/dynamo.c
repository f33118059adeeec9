/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/dynamo.h"

#include "codec/dynamo/call.h"
#include "codec/dynamo/constraint.h"
#include "codec/dynamo/failure.h"

/*
 * A request's way, in the order in which DynamoDB finds fault with it:
 *
 *     JSON at all ─▸ a known target ─▸ (the signature) ─▸ JSON types ─▸ constraints ─▸ the call's own checks
 *
 * JSON is read with its types in one go; only when something is wrong it is asked again which was first.
 */
enum { KEPT_BYTES_MAX = 64 * 1024, FORGOTTEN_AT = offsetof(struct pl_dynamo_request, status) };

void pl_dynamo_request_init(struct pl_dynamo_request *request)
{
    *request = (struct pl_dynamo_request){ 0 };
    pl_operation_init(&request->op, PL_OP_GET);
}

static void keep_small(struct pl_buf *buf)
{
    if (buf->capacity > KEPT_BYTES_MAX)
        pl_buf_deinit(buf);
    pl_buf_clear(buf);
}

void pl_dynamo_request_reset(struct pl_dynamo_request *request)
{
    keep_small(&request->body);
    keep_small(&request->bytes);
    keep_small(&request->op.bytes);
    pl_operation_reset(&request->op, PL_OP_GET);
    pl_arena_reset(&request->arena);
    memset((char *)request + FORGOTTEN_AT, 0, sizeof *request - FORGOTTEN_AT);
}

void pl_dynamo_request_deinit(struct pl_dynamo_request *request)
{
    pl_operation_deinit(&request->op);
    pl_buf_deinit(&request->body);
    pl_buf_deinit(&request->bytes);
    pl_arena_deinit(&request->arena);
    *request = (struct pl_dynamo_request){ 0 };
}

/* ---- answers ---------------------------------------------------------------------------------------- */

static enum pl_dynamo_step answer(struct pl_dynamo_request *request, int rc)
{
    if (rc == PL_DYNAMO_GO_ON) {
        request->step++;
        return PL_DYNAMO_RUN;
    }
    if (rc == 0)
        rc = pl_buf_status(&request->body);
    if (rc == 0)
        request->status = 200;
    else
        pl_dynamo_failure_write(request, rc);
    return PL_DYNAMO_ANSWERED;
}

void pl_dynamo_fail(struct pl_dynamo_request *request, int rc, const struct pl_reason *why)
{
    request->op.reply.why = why != NULL ? *why : (struct pl_reason){ "" };
    request->error_type = NULL;
    request->op.reply.has_item = false;
    pl_dynamo_failure_write(request, rc);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static int check_constraints(struct pl_dynamo_request *request)
{
    return pl_dynamo_constraint_check(request->input, &request->arena, &request->sentence);
}

static int read_call(struct pl_dynamo_request *request, struct pl_bytes target, struct pl_bytes body)
{
    int rc;

    request->call = pl_dynamo_call_find(target);
    if (request->call == NULL) {
        rc = body.len > 0 && !pl_dynamo_input_is_json(body) ? PL_ESYNTAX : PL_EUNKNOWN;
        request->untold = true;
        return rc;
    }
    rc = pl_dynamo_input_read(request->call->input, body, &request->arena, &request->bytes, &request->input,
                              &request->op.reply.why);
    request->untold = rc == PL_ESYNTAX && request->op.reply.why.text[0] == '\0';
    if (rc == 0)
        rc = check_constraints(request);
    return rc != 0 ? rc : request->call->begin(request);
}

enum pl_dynamo_step pl_dynamo_read(struct pl_dynamo_request *request, struct pl_bytes target,
                                   struct pl_bytes body, const struct pl_dynamo_context *context)
{
    enum pl_dynamo_step step;

    request->context = context;
    step = answer(request, read_call(request, target, body));
    request->context = NULL;
    return step;
}

enum pl_dynamo_step pl_dynamo_advance(struct pl_dynamo_request *request,
                                      const struct pl_dynamo_context *context)
{
    enum pl_dynamo_step step;
    int rc = request->op.reply.rc;

    request->context = context;
    if (rc == 0)
        rc = request->call->finish(request);
    else if (request->call->failed != NULL)
        rc = request->call->failed(request);
    step = answer(request, rc);
    request->context = NULL;
    return step;
}

void pl_dynamo_refuse(struct pl_dynamo_request *request, struct pl_bytes target, struct pl_bytes body,
                      const char *type, const char *sentence)
{
    bool is_json = body.len == 0 || pl_dynamo_input_is_json(body);

    if (!is_json || pl_dynamo_call_find(target) == NULL) {
        request->untold = true;
        pl_dynamo_failure_write(request, is_json ? PL_EUNKNOWN : PL_ESYNTAX);
        return;
    }
    request->sentence = pl_str(sentence);
    request->error_type = type;
    pl_dynamo_failure_write(request, PL_EINVALID);
}
