/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_HTTP_CONNECTION_H
#define PL_FRONT_HTTP_CONNECTION_H

#include "codec/http.h"
#include "front/client.h"

struct pl_exchange;

/**
 * One client of HTTP/1.1. What it may count on:
 *
 *   - Requests may be pipelined; they run one after the other and are answered in their order. What
 *     waits stays unread.
 *   - A request that can be read is answered, and the connection goes on, unless it asked for its end.
 *   - Bytes that are no request get their status, and the connection ends: nobody knows what comes next.
 *   - Who sends too slowly is told so, who does not read replies is not read from either (front/client.h).
 *
 *      head ─┬─▸ body ─┬─▸ pl_endpoint_serve ─┬─▸ pl_http_connection_answer
 *            │         └─ refuse              └┄▸ (operations travel) ─▸ pl_http_connection_answer
 *            └─ refuse
 */
struct pl_http_connection {
    struct pl_client client;
    struct pl_http_scan scan;     /* of the head that is coming */
    bool skipped;                 /* an empty line before the head */
    bool running;                 /* `exchange` is being served */
    uint64_t began_ms;            /* when the first byte of the head came, or its last; 0: nothing has */
    struct pl_exchange *exchange; /* whose head is known, and which is not answered */
};

extern const struct pl_client_kind pl_http_connection_kind;

/** The exchange has its reply. Takes it. May free the connection, when it is gone. */
void pl_http_connection_answer(struct pl_exchange *exchange);

#endif
