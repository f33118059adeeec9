/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_ENGINE_H
#define PL_FRONT_ENGINE_H

#include "base/error.h"
#include "model/operation.h"
#include "model/tables.h"

/** What tail_read() has come to. */
struct pl_tail_progress {
    bool more;  /* there is more to read at once */
    bool ended; /* the stream has ended, and all of it has been given */
};

/**
 * What a connection may ask of the database, as functions lent by whoever joins
 * the parts. So the front knows neither nodes nor shards, and a test can stand
 * in for them.
 *
 * An attachment belongs to one thread: all that takes one is called there, and all
 * that answers (op->done, `done`) answers there, from within deliver() or flush().
 */
struct pl_engine {
    void *state;
    uint32_t partition_count;

    /** Called on the thread of the attachment. `wake` may be called from any thread until detach() returns. */
    int (*attach)(void *state, void (*wake)(void *wake_state), void *wake_state, void **attachment);
    void (*detach)(void *attachment);

    /** As pl_router_run(): true, complete; false, op->done comes later. */
    bool (*run)(void *attachment, struct pl_operation *op);
    /** Once per turn of the loop, after its requests were run. */
    void (*flush)(void *attachment);
    /** After a wake. */
    void (*deliver)(void *attachment);
    /** Before the loop sleeps. */
    void (*rest)(void *attachment);

    /** The tables as this thread sees them; good until rest(). */
    const struct pl_tables *(*tables)(void *attachment);
    /** A JSON object about the node, or about one table when `table` is not empty, appended to `out`. */
    void (*stats)(void *attachment, struct pl_bytes table, struct pl_buf *out);
    /**
     * TAIL: follow a table's stream from `from` on ("oldest", "latest" or a position). `ready` is called from within
     * deliver() when there may be more to read, or the stream has ended. `why` begins empty.
     */
    int (*tail_open)(void *attachment, struct pl_bytes table, struct pl_bytes from,
                     void (*ready)(void *ready_state), void *ready_state, void **tail, struct pl_reason *why);
    /**
     * Give the next records, a bounded amount of them, to `row` as JSON that is good until it returns; what it
     * returns not 0 ends the reading. After a failure the tail is good only for its position, and to be closed.
     */
    int (*tail_read)(void *tail, int (*row)(void *row_state, struct pl_bytes json), void *row_state,
                     struct pl_tail_progress *progress);
    /** Append the position after the last record given, as text. */
    void (*tail_position)(void *tail, struct pl_buf *out);
    void (*tail_close)(void *tail);

    /* Each calls `done` exactly once, later, when it returned 0. */
    int (*reload)(void *attachment, void (*done)(void *done_state, int rc, const struct pl_reason *why),
                  void *done_state);
    int (*check)(void *attachment, void (*done)(void *done_state, int rc, struct pl_bytes report),
                 void *done_state);
};

#endif
