/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_ROUTER_H
#define PL_ROUTE_ROUTER_H

#include "base/clock.h"
#include "model/operation.h"
#include "model/tables.h"
#include "partition/counters.h"
#include "route/hot_keys.h"
#include "store/state.h"

/**
 * Where an operation goes: a read runs right here, on this thread's own snapshot; a
 * write travels to the shard that owns the partition, and its reply comes back to
 * this thread. Each I/O thread (and each embedding program) has one router.
 *
 * The router is told where the shards are and how to reach them; it knows nothing of
 * sockets, so the line protocol, HTTP and the embedded engine all pass through here.
 */
struct pl_router;

/** How a router reaches what it was told about. All functions are called on the router's own thread. */
struct pl_router_uplink {
    /** Hand `op` to shard `shard`. From now on it belongs to the shard, until pl_router_returned(). */
    void (*submit)(void *state, uint32_t shard, struct pl_operation *op);
    /** The newest set of tables, with a reference for the caller. Never NULL. */
    struct pl_tables *(*tables)(void *state);
    /** How many items the background filling of index `id` has gone through; 0 when it has not begun. */
    uint64_t (*filled)(void *state, uint32_t id);
    /** REPLAY_LETTERS or PURGE_LETTERS: whoever runs triggers takes `op` until pl_router_returned(). */
    void (*letters)(void *state, struct pl_operation *op);
    void *state;
};

struct pl_router_options {
    struct pl_state *state;
    struct pl_counters *counters; /* for DESCRIBE */
    uint32_t partition_count;
    uint32_t shard_count;
    struct pl_clock clock;
    const struct pl_sequences *sequences; /* for RECORDS */
    struct pl_hot_keys_set *hot_keys;     /* outlives the router, which adds what comes through it */
    struct pl_router_uplink uplink;
};

int pl_router_new(const struct pl_router_options *options, struct pl_router **out);
void pl_router_free(struct pl_router *router);

/**
 * Run or send `op`. True: it is complete, `op->reply` is set (rows were given to
 * `op->row` on the way) and `op->done` is not called. False: it travels, and `op->done` will be
 * called exactly once, later, on this thread.
 */
bool pl_router_run(struct pl_router *router, struct pl_operation *op);

/**
 * At the end of the caller's turn: the patient GETs that were put off are done now, together, because the memory
 * that they look at can then be asked for together. Calls `done` of each.
 */
void pl_router_flush(struct pl_router *router);

/** A write came back from its shard: completes it (or its batch) by calling `done`. */
void pl_router_returned(struct pl_router *router, struct pl_operation *op);

/**
 * Between the requests of one loop turn, reads share a snapshot taken at the first
 * read. Call this before the loop sleeps: a forgotten snapshot pins every page,
 * and the file grows without end. Also called by the router itself after a write came back, so
 * that what was acknowledged is seen.
 */
void pl_router_rest(struct pl_router *router);

/** The tables that this thread's requests see now. Good until pl_router_rest(). */
const struct pl_tables *pl_router_tables(struct pl_router *router);

#endif
