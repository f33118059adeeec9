/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_CONNECTION_H
#define PL_FRONT_CONNECTION_H

#include "front/request.h"

/**
 * One client of the line protocol. What it may count on:
 *
 *   - Requests without a tag behave as if one ran after the other, and are answered in
 *     their order. Writes that follow one another still travel together; anything else
 *     waits until they are back. What waits stays unread in the input.
 *   - A request with a tag runs as soon as it is read, and may be answered out of turn.
 *   - A wrong request gets an ERR and costs nothing else.
 *   - Who does not read replies is not read from either, and is cut after a time.
 *
 *      received ─▸ consume ─▸ begin ─▸ run ─┬─▸ finish          answered at once
 *                     ▲                     └┄▸ came_back ─▸ finish_in_order
 *                     └───────── resume ◂───────────┘
 */
struct pl_connection {
    struct pl_link link;
    struct pl_loop *loop;
    struct pl_loop_place place;          /* among all connections */
    struct pl_connection *next_dirty;    /* has output to send this turn */
    struct pl_connection *next_deferred; /* goes on next turn */
    bool dirty, deferred;

    struct pl_buf input;  /* read and not yet consumed; empty most of the time */
    size_t scanned_bytes; /* of the input's last, unfinished line: no line end in them */
    bool skipping;        /* in a line that was too long: drop bytes up to its end */
    bool blocked;         /* a whole line stands in the input and must wait */
    bool in_order;        /* ... for the replies to the requests before it */
    bool deaf;            /* QUIT was said: whatever follows is dropped */
    bool ending;          /* no more input; close when everything is answered */
    bool gone;            /* the link is closed; requests may still be on their way back */

    uint32_t in_flight;              /* requests taken and not released */
    struct pl_request *first, *last; /* those without tags, in order */
    bool alone;                      /* the one without a tag in flight is no write */
    uint64_t heard_ms;               /* when bytes last came or went, or a request ended */
    size_t unsent_bytes;             /* at the last tick: when it shrinks, the client reads */
};

/** Take over `fd` as a connection of `loop`. It frees itself when it is closed. On failure `fd` is closed. */
void pl_connection_open(struct pl_loop *loop, int fd);

/** Go on consuming input, after a wait. */
void pl_connection_resume(struct pl_connection *connection);

/** Send the turn's replies. */
void pl_connection_flush(struct pl_connection *connection);

/** Read nothing more, answer what was read, close. */
void pl_connection_drain(struct pl_connection *connection);

/** Close now; unsent replies are lost. */
void pl_connection_cut(struct pl_connection *connection);

/** Once a second or so: cut who has been silent or stalled for too long. */
void pl_connection_tick(struct pl_connection *connection, uint64_t now_ms);

/** Read the next page of a COUNT. */
void pl_connection_count_on(struct pl_request *request);

#endif
