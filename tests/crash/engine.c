/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include "model/json.h"

#include <stdio.h>

enum { CLOCK_STEP_NS = 3000000, TRIGGERS_MS = 45, TRIGGERS_LONG_MS = 1000 };

/* Time passes with every look at the clock, so that what waits for it has its turn, and the same one each time. */
static uint64_t step_clock(void *state)
{
    uint64_t *now_ns = state;

    return *now_ns += CLOCK_STEP_NS;
}

static int64_t stand_still(void *state)
{
    (void)state;
    return 1700000000000;
}

static uint64_t four(void *state)
{
    (void)state;
    return 4;
}

static void wake(void *state)
{
    struct engine *engine = state;

    pthread_mutex_lock(&engine->lock);
    engine->woken = true;
    pthread_cond_signal(&engine->wake);
    pthread_mutex_unlock(&engine->lock);
}

int engine_open(struct engine *engine, const struct story_telling *telling, bool threads, const char *path,
                struct pl_reason *why)
{
    struct pl_node_options options = {
        .data_path = path,
        .scripts_path = telling->triggers ? PL_CRASH_TABLES : NULL,
        .partition_count = 4,
        .threads = threads,
        .checkpoint_journal_bytes = telling->checkpoint_bytes,
        .journal_segment_bytes = telling->segment_bytes,
        .transaction_bytes_max = telling->transaction_bytes,
        .reader_count = 2,
        .random = { .next = four },
    };
    int rc;

    *engine = (struct engine){ .telling = telling,
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .wake = PTHREAD_COND_INITIALIZER };
    options.clock = threads ? pl_clock_system()
                            : (struct pl_clock){ .monotonic_ns = step_clock,
                                                 .wall_ms = stand_still,
                                                 .state = &engine->now_ns };
    rc = pl_node_open(&options, &engine->node, why);
    if (rc != 0)
        return rc;
    rc = pl_node_attach(engine->node, wake, engine, &engine->attachment);
    if (rc != 0)
        pl_node_close(engine->node);
    return rc;
}

void engine_close(struct engine *engine)
{
    pl_operation_deinit(&engine->op);
    pl_node_detach(engine->attachment);
    pl_node_close(engine->node);
}

void engine_wait(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    while (!engine->woken)
        pthread_cond_wait(&engine->wake, &engine->lock);
    engine->woken = false;
    pthread_mutex_unlock(&engine->lock);
}

void engine_run_triggers(struct engine *engine)
{
    (void)pl_node_run_triggers(engine->node, TRIGGERS_MS);
}

/* A pause before a retry passes, too: by looks at the clock. */
void engine_finish_triggers(struct engine *engine)
{
    while (pl_node_run_triggers(engine->node, TRIGGERS_LONG_MS) != UINT64_MAX)
        ;
}

int engine_read_item(struct pl_operation *op, const struct pl_buf *json)
{
    struct pl_reason why = { 0 };
    int rc = pl_buf_status(json);

    if (rc == 0)
        rc = pl_json_read_item(pl_buf_view(json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &why);
    if (rc != 0)
        fprintf(stderr, "not an item: %s\n", why.text);
    return rc;
}

void engine_begin(struct pl_operation *op, enum pl_operation_name name, const char *table)
{
    pl_operation_reset(op, name);
    op->table_name = pl_str(table);
    op->params.literals = true;
}

static void ignore(struct pl_operation *op)
{
    (void)op;
}

int engine_run(struct engine *engine)
{
    engine->op.done = ignore;
    if (!pl_router_run(pl_attachment_router(engine->attachment), &engine->op))
        pl_attachment_flush(engine->attachment);
    return engine->op.reply.rc;
}
