/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_REQUEST_H
#define PL_FRONT_REQUEST_H

#include "codec/line.h"
#include "front/loop.h"

/**
 * One request that has been read from a connection and not yet answered. A loop
 * keeps the emptied ones, with their memory, for the next: in the steady state a
 * request costs no allocation.
 */
struct pl_request {
    struct pl_operation op;
    struct pl_line line; /* views into the connection's input, into op.arena, or into `text` */
    struct pl_connection *connection;
    struct pl_request *next;          /* in the connection's queue, or among the spares */
    struct pl_request *next_counting; /* in the loop's list of COUNTs */
    bool in_order;                    /* no tag: its reply waits for the replies before it */
    bool complete;                    /* its reply is known and waits for its turn */
    struct pl_buf text;               /* COUNT: the line, read anew for each page */
    struct pl_buf answer; /* ADMIN: the JSON of the reply. COUNT: the key where the next page starts */
    struct {
        uint64_t count, scanned, table_halves, index_halves;
    } pages; /* COUNT: of those so far */
};

/** An empty request, or NULL: no memory. */
struct pl_request *pl_request_take(struct pl_loop *loop);

/** Gives back what the request holds, and the request itself. */
void pl_request_release(struct pl_loop *loop, struct pl_request *request);

/** Frees the loop's spare requests. */
void pl_request_free_spares(struct pl_loop *loop);

/** Copy the line into memory of the request's own, because it will outlive the input. */
int pl_request_keep_line(struct pl_request *request);

#endif
