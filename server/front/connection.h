/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_CONNECTION_H
#define PL_FRONT_CONNECTION_H

#include "front/client.h"
#include "front/request.h"
#include "front/tail.h"

/** What requests without a tag may be under way together, in the order in which they may follow each other. */
enum pl_company { PL_COMPANY_NONE, PL_COMPANY_GETS, PL_COMPANY_WRITES };

/**
 * One client of the line protocol. What it may count on:
 *
 *   - Requests without a tag behave as if one ran after the other, and are answered in
 *     their order. GETs and then writes that follow one another still travel together; anything else
 *     waits until they are back. What waits stays unread in the input.
 *   - A request with a tag waits for none before it, and may be answered out of turn.
 *   - A wrong request gets an ERR and costs nothing else.
 *   - A TAIL goes on until the next line, which ends it before anything else is done with that line.
 *   - Who does not read replies is not read from either, and is cut after a time (front/client.h).
 *
 *      consume ─▸ begin ─▸ run ─┬─▸ finish          answered at once
 *         ▲                     └┄▸ came_back ─▸ answer
 *         └───────── resume ◂───────────┘
 */
struct pl_connection {
    struct pl_client client;
    size_t scanned_bytes;            /* of the input's last, unfinished line: no line end in them */
    bool skipping;                   /* in a line that was too long: drop bytes up to its end */
    struct pl_request *first, *last; /* those without tags, in order */
    struct pl_tail *tail;            /* under way; NULL: none */
    enum pl_company company;         /* of the last of them */
};

extern const struct pl_client_kind pl_connection_kind;

/** Read the next page of a COUNT. */
void pl_connection_count_on(struct pl_request *request);

#endif
