/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_RECORDER_H
#define PL_TESTS_CONSISTENCY_RECORDER_H

#include "plan.h"
#include "wire.h"

#include <pthread.h>

/**
 * Eight clients at a real server, which is killed and started again under their hands; what they did and were
 * told is a history. A client that was cut off knows the time by which its call was done or never will be: when the
 * process was gone.
 */
struct recorder {
    struct served served;
    struct plan plan;        /* of the history being recorded */
    struct wire_place place; /* likewise */
    uint64_t random;
    uint32_t token; /* the last that a transaction was given; never the same twice */
    int32_t put;    /* the last number that was put; shared by the clients, like `seen` */
    struct items seen;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* any of what follows */
    unsigned life;          /* how often the server has become ready */
    uint16_t port;          /* of this life; 0: there is none */
    uint64_t gone_ns;       /* when the last life had ended */
    size_t asked;           /* requests in this history */
    bool broken;
    char strange[WIRE_LINE_BYTES]; /* the reply that broke it */
    struct recorder_client *clients;
};

/** Starts the server and makes the table. False: it does not start. */
bool recorder_open(struct recorder *recorder, const char *program, uint64_t random);

/**
 * Record a history of about `calls` calls of each client, with so many kills in it. False
 * when the server does not start again, or answers what we do not know; `recorder->strange` says so.
 */
bool recorder_record(struct recorder *recorder, const struct plan *plan, unsigned calls, unsigned kills,
                     struct history *out);

/** Look at everything stored (CHECK), and stop the server. False when anything is wrong with either. */
bool recorder_close(struct recorder *recorder);

/** At any time, in place of recorder_close(): kill it. */
void recorder_abandon(struct recorder *recorder);

#endif
