/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_TAIL_H
#define PL_FRONT_TAIL_H

#include "front/client.h"

struct pl_connection;

/**
 * A TAIL under way: a connection has one at most. It is on its loop's list while there may be something to read, and
 * then reads a little each turn, as long as the client takes what it was sent; else it waits, and costs nothing:
 *
 *     begin ─▸ go_on ─┬─▸ more: again next turn
 *                ▲    ├┄▸ nothing more: the position is told; until the engine says `ready`
 *                │    └┄▸ too much unsent: until the client has taken it
 *                └──────────┘
 *
 * It ends with the client's next line, with its stream, with a failure, or with the connection; when the client
 * merely sends no more, it ends once all up to then is told.
 */
struct pl_tail {
    struct pl_connection *connection;
    struct pl_tail *next; /* on the loop's list */
    void *reader;         /* the engine's */
    struct pl_buf tag;
    uint64_t count; /* records told */
    bool listed;    /* on the loop's list */
    bool told;      /* the client knows the position */
    bool over;      /* ended while on the list: freed when its turn comes */
    bool waits;     /* for the client to take what it was sent */
};

/** On failure nothing has begun, and nothing is written. */
int pl_tail_begin(struct pl_connection *c, struct pl_bytes tag, struct pl_bytes table, struct pl_bytes from,
                  struct pl_reason *why);

/** Write END. The tail is gone, and may take a connection with it that is gone. */
void pl_tail_end(struct pl_tail *tail);

/** Its turn. */
void pl_tail_go_on(struct pl_tail *tail);

/** Output has gone, or the client sends no more, or is gone. */
void pl_tail_stir(struct pl_tail *tail);

#endif
