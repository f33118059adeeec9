/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_EXCHANGE_H
#define PL_FRONT_EXCHANGE_H

#include "codec/dynamo/dynamo.h"
#include "codec/encoding.h"
#include "codec/http.h"
#include "front/desk.h"

/**
 * One HTTP request and its reply, from the end of its head to the last byte handed to the link. A loop keeps
 * the emptied ones, with their memory, for the next: in the steady state a request costs no allocation.
 */
struct pl_exchange {
    struct pl_http_connection *connection;
    struct pl_exchange *next; /* among the spares */

    struct pl_http_head head; /* good until it is served, and no longer: see pl_endpoint_serve() */
    struct pl_buf head_text;  /* ours, when the head must wait for its body */
    struct pl_buf body;       /* as it came */
    size_t gathered_bytes;    /* of the body, counted at the desk while it is only partly there */
    struct pl_buf unpacked;   /* when it came packed */
    struct pl_http_chunks chunks;
    enum pl_encoding accepts;
    bool keep_alive;
    bool head_only; /* a reply to HEAD: all but its body */

    struct pl_http_reply reply;
    struct pl_bytes answer; /* the reply's body */
    struct pl_buf more;     /* lines of the reply's head */
    char content_type[32];
    char request_id[PL_DESK_REQUEST_ID_LEN];
    struct pl_dynamo_request dynamo;
};

/** An empty exchange, or NULL: no memory. */
struct pl_exchange *pl_exchange_take(struct pl_desk *desk);

/** Gives back what it holds, and the exchange itself. */
void pl_exchange_release(struct pl_desk *desk, struct pl_exchange *exchange);

void pl_exchange_free(struct pl_exchange *exchange);

#endif
