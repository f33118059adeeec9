/* SPDX-License-Identifier: MIT */
#ifndef PL_DRIVER_H
#define PL_DRIVER_H

#include "partition/shard.h"

#include <pthread.h>

/**
 * Drives one shard: gives it a thread, a second one for its syncs and a third for
 * checkpoints and journal segments; or, without threads, turns it in the caller's.
 *
 *     I/O threads ──ops──▸ inbox ─▸ shard thread ─▸ pl_driver_callbacks.finished
 *                                     ▲      │ sealed
 *                               synced│      ▼
 *                                    sync thread            upkeep thread: checkpoint, prepare
 */
struct pl_driver;

struct pl_driver_callbacks {
    /** Operations are finished: a list linked by `next`. Called on the shard's thread. */
    void (*finished)(void *state, struct pl_operation *first);
    /** There is a newer set of tables; takes the reference. Called before the operations that made it are finished. */
    void (*tables)(void *state, struct pl_tables *tables);
    /** Stream records were applied. Called before the operations that made them are finished. */
    void (*streamed)(void *state);
    /** The shard has failed for good. Called once. */
    void (*failed)(void *state, int rc, const char *sentence);
    void *state;
};

/** Takes the shard: pl_driver_stop() closes it. */
int pl_driver_start(struct pl_shard *shard, bool threads, const struct pl_driver_callbacks *callbacks,
                    const struct pl_logger *logger, struct pl_driver **out, struct pl_reason *why);

/** Finish what was submitted, close the shard with a last checkpoint, end the threads. */
int pl_driver_stop(struct pl_driver *driver, struct pl_reason *why);

/** Hand over operations, linked by `next`. Any thread. Without threads, returns when all are finished. */
void pl_driver_submit(struct pl_driver *driver, struct pl_operation *first, struct pl_operation *last);

/**
 * Run `body` on the shard's thread, between two turns. Any thread; returns at once (without
 * threads: when it has run). `job` is the caller's memory until `body` is called.
 */
struct pl_driver_job {
    void (*body)(struct pl_shard *shard, struct pl_driver_job *job);
    struct pl_driver_job *next;
};
void pl_driver_run(struct pl_driver *driver, struct pl_driver_job *job);

/** As of the last turn. Any thread. */
struct pl_shard_stats pl_driver_stats(struct pl_driver *driver);

/**
 * A thread with the stack that running Lua asks for, and a name of up to 15 bytes, which profilers and `top -H` show.
 * 0 or PL_ENOMEM.
 */
int pl_driver_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *arg);

#endif
