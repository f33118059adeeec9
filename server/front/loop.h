/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_LOOP_H
#define PL_FRONT_LOOP_H

#include "base/logger.h"
#include "front/engine.h"
#include "net/link.h"

#include <stdatomic.h>

/**
 * One I/O thread: a libuv loop, its connections, and its way into the database.
 *
 *     poll     bytes come: requests are read and run; replies are gathered
 *              replies of the shard come (the wake): the same
 *     check    settle():  connections that had more to do go on for a moment
 *                         the turn's writes go to the shard in one go
 *                         each connection's gathered replies leave in one write
 *                         the turn's snapshot is given back
 *
 * Only pl_loop_start(), pl_loop_adopt(), pl_loop_stop(), pl_loop_join() and
 * pl_loop_connection_count() may be called from other threads.
 */
struct pl_desk;
struct pl_loop;
struct pl_client;
struct pl_client_kind;
struct pl_request;
struct pl_tail;

struct pl_http_options;

struct pl_loop_options {
    struct pl_engine engine;
    const struct pl_logger *logger;
    size_t line_bytes_max;     /* a longer request is refused, and the connection goes on */
    size_t unsent_bytes_max;   /* a connection with more unsent reply bytes runs no further request */
    uint32_t in_flight_max;    /* requests of one connection that wait for their replies */
    uint64_t idle_timeout_ms;  /* 0: a silent client may stay */
    uint64_t stall_timeout_ms; /* half a request, or replies not read, for so long: cut */
    uint64_t drain_timeout_ms; /* after pl_loop_stop(): how long clients have to take their replies */
    const struct pl_http_options *http; /* NULL: nobody speaks HTTP here. Lent until pl_loop_join() */
};

/** Start the thread. When this returns 0 it is attached and takes connections. */
int pl_loop_start(const struct pl_loop_options *options, struct pl_loop **out);

/** Hand over a connected socket, whose client speaks `kind`. PL_ENOMEM leaves `fd` with the caller. */
int pl_loop_adopt(struct pl_loop *loop, const struct pl_client_kind *kind, int fd);

/** Finish what has been asked, close every connection, end the thread. Returns at once. */
void pl_loop_stop(struct pl_loop *loop);

/** Wait for the thread's end and free the loop. Only after pl_loop_stop(). */
void pl_loop_join(struct pl_loop *loop);

/** Connections that are open or on their way here. */
uint32_t pl_loop_connection_count(const struct pl_loop *loop);

/* --- for the clients on this loop --- */

struct pl_loop_place {
    struct pl_client *previous, *next;
};

/** A socket on its way to the loop. */
struct pl_loop_arrival {
    const struct pl_client_kind *kind;
    int fd;
};

/** All of it is the loop thread's alone, but the mailbox. */
struct pl_loop {
    struct pl_loop_options options;
    void *attachment;
    uv_loop_t uv;
    uv_thread_t thread;
    uv_async_t wake;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; /* running while there is deferred work: the loop must not sleep then */
    uv_timer_t tick;
    struct pl_link_scratch *scratch;

    struct pl_client *clients;              /* all of them */
    struct pl_client *dirty;                /* have output to send this turn */
    struct pl_client *deferred;             /* have more to do next turn */
    struct pl_request *counting;            /* COUNTs with more pages to read */
    struct pl_tail *tailing, *tailing_last; /* TAILs that have more to read, or may have; each has its turn */
    struct pl_request *spare;               /* empty requests, kept for the next ones */
    uint32_t spare_count;
    struct pl_buf words;  /* scratch for replies that are composed */
    struct pl_desk *desk; /* what connections of HTTP share; NULL without options.http */

    bool touched; /* something happened since the last settle() */
    bool stopping;
    uint64_t stop_deadline_ms;

    uv_mutex_t mailbox_lock;
    struct pl_loop_arrival *mailbox;
    uint32_t mailbox_count, mailbox_capacity;
    bool stop_wanted;
    atomic_uint connection_count;
    int start_rc;
    uv_sem_t started;
};

#endif
