/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_ENGINE_H
#define PL_TESTS_CRASH_ENGINE_H

#include "node.h"
#include "story.h"

#include <pthread.h>

/** A node, and one thread's way to it. */
struct engine {
    const struct story_telling *telling;
    uint64_t now_ns;
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
};

/** `threads`: as the server runs it. Without, every look at the clock moves it, and a run is the same each time. */
int engine_open(struct engine *engine, const struct story_telling *telling, bool threads, const char *path,
                struct pl_reason *why);
void engine_close(struct engine *engine);

/** With threads: until replies have come. */
void engine_wait(struct engine *engine);

/** Without threads: run triggers for a little while, or until nothing is left for them to do. */
void engine_run_triggers(struct engine *engine);
void engine_finish_triggers(struct engine *engine);

/** Forget what was asked before; a new request in the line protocol's way. */
void engine_begin(struct pl_operation *op, enum pl_operation_name name, const char *table);

/** The request's item, from plain JSON. */
int engine_read_item(struct pl_operation *op, const struct pl_buf *json);

/** Run `engine->op` to its end, without threads. */
int engine_run(struct engine *engine);

#endif
