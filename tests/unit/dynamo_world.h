/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_DYNAMO_WORLD_H
#define PL_TESTS_UNIT_DYNAMO_WORLD_H

#include "codec/dynamo/dynamo.h"
#include "node.h"

#include "test.h"

#include <ftw.h>
#include <unistd.h>

/**
 * A node without threads behind DynamoDB's codec, in a directory of its own: bytes in, bytes out, no sockets.
 *
 *     CHECK_SAYS(&w, "GetItem", "{..}", "{}");
 *     CHECK_FAILS(&w, "GetItem", "{..}", "ValidationException", "The provided key ...");
 */
struct world {
    char path[64];
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_dynamo_request request;
    int64_t now_ms;          /* 0: a moment in 2023 */
    uint32_t table_delay_ms; /* --table-delay-ms */
    char text[1 << 20];      /* the last answer, ended */
};

static int world_remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void world_open(struct world *w)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .data_path = w->path,
                                       .clock = pl_clock_system(),
                                       .random = pl_random_system() };

    CHECK_MSG(pl_node_open(&options, &w->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(w->node, NULL, NULL, &w->attachment) == 0);
}

static inline void world_start(struct world *w)
{
    snprintf(w->path, sizeof w->path, "%s/perilune-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(w->path) != NULL);
    world_open(w);
    pl_dynamo_request_init(&w->request);
}

static inline void world_end(struct world *w)
{
    pl_dynamo_request_deinit(&w->request);
    pl_node_detach(w->attachment);
    pl_node_close(w->node);
    nftw(w->path, world_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void world_done(struct pl_operation *op)
{
    (void)op;
}

static inline struct pl_dynamo_context world_context(struct world *w)
{
    return (struct pl_dynamo_context){ .tables = pl_router_tables(pl_attachment_router(w->attachment)),
                                       .region = pl_str("us-east-1"),
                                       .account = pl_str("000000000000"),
                                       .endpoint = pl_str("127.0.0.1:8000"),
                                       .now_ms = w->now_ms != 0 ? w->now_ms : 1700000000123,
                                       .table_delay_ms = w->table_delay_ms,
                                       .partition_count = 64 };
}

/** The answer's body as a C string; its status is w->request.status. */
static inline const char *world_ask(struct world *w, const char *call, struct pl_bytes body)
{
    struct pl_router *router = pl_attachment_router(w->attachment);
    struct pl_dynamo_context context;
    enum pl_dynamo_step step;
    char target[128];
    size_t len;

    snprintf(target, sizeof target, "%s%s", strchr(call, '.') != NULL ? "" : "DynamoDB_20120810.", call);
    pl_dynamo_request_reset(&w->request);
    w->request.op.done = world_done;
    context = world_context(w);
    step = pl_dynamo_read(&w->request, pl_str(target), body, &context);
    while (step == PL_DYNAMO_RUN) {
        if (!pl_router_run(router, &w->request.op))
            pl_attachment_flush(w->attachment);
        context = world_context(w);
        step = pl_dynamo_advance(&w->request, &context);
    }
    pl_router_rest(router);
    len = w->request.body.len < sizeof w->text ? w->request.body.len : sizeof w->text - 1;
    if (len > 0)
        memcpy(w->text, w->request.body.data, len);
    w->text[len] = '\0';
    return w->text;
}

/** A table by a definition of our own form. */
static inline void world_create(struct world *w, const char *definition)
{
    struct pl_router *router = pl_attachment_router(w->attachment);
    struct pl_operation op;

    pl_operation_init(&op, PL_OP_CREATE);
    op.definition = pl_str(definition);
    op.done = world_done;
    if (!pl_router_run(router, &op))
        pl_attachment_flush(w->attachment);
    CHECK_MSG(op.reply.rc == 0, "%s", op.reply.why.text);
    pl_operation_deinit(&op);
    pl_router_rest(router);
}

#define CHECK_SAYS(w, call, body, expected)                                                                  \
    do {                                                                                                     \
        const char *said = world_ask((w), (call), pl_str(body));                                             \
        CHECK_MSG((w)->request.status == 200 && strcmp(said, (expected)) == 0, "%s", said);                  \
    } while (0)

/** The answer holds `part` somewhere. */
#define CHECK_HOLDS(w, call, body, part)                                                                     \
    do {                                                                                                     \
        const char *said = world_ask((w), (call), pl_str(body));                                             \
        CHECK_MSG((w)->request.status == 200 && strstr(said, (part)) != NULL, "%s", said);                   \
    } while (0)

#define CHECK_FAILS(w, call, body, type, sentence)                                                           \
    do {                                                                                                     \
        const char *said = world_ask((w), (call), pl_str(body));                                             \
        CHECK_MSG((w)->request.status == 400 && strstr(said, "#" type "\"") != NULL &&                       \
                      strstr(said, sentence) != NULL,                                                        \
                  "%s", said);                                                                               \
    } while (0)

#endif
