/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_ENDPOINT_H
#define PL_FRONT_ENDPOINT_H

#include "front/exchange.h"

/**
 * DynamoDB's endpoint: what a request gets whose head and body are there. In this order: a look at whether the
 * server is well (GET /), what browsers ask before they dare (CORS), 404 for what is no call, the signature,
 * the call itself (codec/dynamo).
 *
 * Ends in pl_http_connection_answer(), now or when the call's operations are back. Views of the head are
 * used before this returns; `body` must live until the answer.
 */
void pl_endpoint_serve(struct pl_exchange *exchange, struct pl_bytes body);

/** Answer with a status alone, because the body cannot be read; the connection goes on. */
void pl_endpoint_refuse(struct pl_exchange *exchange, unsigned status);

/** The body of what a client is told that cannot be served at all. `why` may be NULL. */
void pl_endpoint_write_unavailable(struct pl_buf *out, int rc, const struct pl_reason *why);

#endif
