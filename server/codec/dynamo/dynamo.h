/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_H
#define PL_CODEC_DYNAMO_H

#include "model/operation.h"
#include "model/tables.h"

/**
 * DynamoDB's JSON 1.0 API: requests ⇄ operations. It knows neither sockets nor signatures.
 *
 *     read ─▸ RUN ─▸ the caller runs request->op, and when that is done: advance ─▸ RUN again, or
 *        └─▸ ANSWERED: status and body are there                               └─▸ ANSWERED
 *
 * Some calls take several operations, one after the other (DeleteTable describes the table that it
 * then drops), so advance() may ask for another one. The caller sets `op.done` and `op.owner` once, after
 * init or reset and before read(): they survive the steps. `op.row` is the codec's.
 *
 * One request at a time; its memory is used again for the next (reset). All memory that a request needs is
 * bounded by a multiple of its body and of the 1 MB of a page (16 MB of a BatchGetItem).
 */
struct pl_dynamo_call;
struct pl_dynamo_node;

/** What a call must know of the world around it. Views need to be good only during read() and advance(). */
struct pl_dynamo_context {
    const struct pl_tables *tables; /* as this thread sees them now */
    struct pl_bytes region;         /* "us-east-1": stands in ARNs; UTF-8 that needs no escaping in JSON */
    struct pl_bytes account;        /* "000000000000", the same */
    struct pl_bytes endpoint;       /* "127.0.0.1:8000": the answer to DescribeEndpoints */
    int64_t now_ms;
    uint32_t table_delay_ms;  /* for so long a table is shown as being created or updated; 0: not at all */
    uint32_t partition_count; /* a stream has as many shards */
};

enum pl_dynamo_step { PL_DYNAMO_ANSWERED, PL_DYNAMO_RUN };

/** Zeroed memory plus pl_dynamo_request_init() is an empty request. */
struct pl_dynamo_request {
    struct pl_operation op; /* to be run after PL_DYNAMO_RUN */

    /* Memory that is used again and again. */
    struct pl_buf body;    /* the answer: JSON; empty for TagResource and UntagResource */
    struct pl_arena arena; /* what outlives the single operation */
    struct pl_buf bytes;   /* encoded items of the request */

    /* From here on all is forgotten with the request. */
    uint16_t status; /* of the answer, HTTP's: 200, 400, 500 or 503 */

    /* The codec's own. */
    const struct pl_dynamo_call *call;
    const struct pl_dynamo_node *input;
    const struct pl_dynamo_context *context; /* during read() and advance() */
    const char *error_type;                  /* when the error is none of base/error.h */
    struct pl_bytes sentence;                /* when it is longer than a reason, or not from the operation */
    struct pl_bytes more; /* members of an error's body besides, each with a comma before it */
    bool untold;          /* the error has no sentence at all */
    uint32_t step;        /* how many operations were run */
    uint32_t row_count;
    struct pl_bytes region; /* of the context, for rows that name it */
    void *state;            /* a call's own, in `arena` */
};

void pl_dynamo_request_init(struct pl_dynamo_request *request);
/** Forget the request and its answer; keep memory of ordinary size. `op.done` and `op.owner` are forgotten too. */
void pl_dynamo_request_reset(struct pl_dynamo_request *request);
void pl_dynamo_request_deinit(struct pl_dynamo_request *request);

/**
 * Read a request whose signature is good: `target` is the value of X-Amz-Target (empty: there was none),
 * `body` all of the body, which must live until the request is answered.
 */
enum pl_dynamo_step pl_dynamo_read(struct pl_dynamo_request *request, struct pl_bytes target,
                                   struct pl_bytes body, const struct pl_dynamo_context *context);

/** `request->op` is done. Call it while views of its reply are still good: before the router rests. */
enum pl_dynamo_step pl_dynamo_advance(struct pl_dynamo_request *request,
                                      const struct pl_dynamo_context *context);

/**
 * The answer to a request whose signature is wrong: an error of `type` ("MissingAuthenticationTokenException"),
 * unless the body is no JSON or the target is unknown, which DynamoDB says first.
 */
void pl_dynamo_refuse(struct pl_dynamo_request *request, struct pl_bytes target, struct pl_bytes body,
                      const char *type, const char *sentence);

/** An error of the server's own, before or instead of an answer: by `rc` (PL_EOVERLOAD, PL_ENOMEM, ...). */
void pl_dynamo_fail(struct pl_dynamo_request *request, int rc, const struct pl_reason *why);

#endif
