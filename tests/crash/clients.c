/* SPDX-License-Identifier: MIT */
#include "clients.h"

#include "engine.h"
#include "recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int rc, const char *what, const struct pl_reason *why)
{
    if (rc == 0)
        return;
    fprintf(stderr, "the workload cannot %s: %s\n", what, pl_reason_text(why, rc));
    exit(3);
}

struct client {
    unsigned number;
    uint64_t step; /* acknowledged */
    uint64_t last;
    bool waiting;
    struct engine *engine;
    struct pl_operation op;
    struct pl_operation children[STORY_EXTRA_GROUP]; /* `op` releases them */
    struct pl_buf text, condition;
};

void clients_note(unsigned client, uint64_t step)
{
    char text[64];

    snprintf(text, sizeof text, "%u %llu", client, (unsigned long long)step);
    if (pl_record_note != NULL)
        pl_record_note(text, strlen(text));
}

static void acknowledged(struct pl_operation *op)
{
    struct client *client = op->owner;

    require(op->reply.rc, "have a write acknowledged", &op->reply.why);
    client->step++;
    client->waiting = false;
    clients_note(client->number, client->step);
}

static int write_change(struct client *client, struct pl_operation *op, const struct story_change *change)
{
    struct story_row row = { 0 };
    uint64_t step = client->step + 1;

    engine_begin(op,
                 change->verb == STORY_PUT      ? PL_OP_PUT
                 : change->verb == STORY_UPDATE ? PL_OP_UPDATE
                                                : PL_OP_DELETE,
                 "Main");
    story_apply(client->number, step, change, &row);
    story_write_item(client->number, change->slot, &row, change->verb == STORY_PUT, &client->text);
    if (engine_read_item(op, &client->text) != 0)
        return PL_EINVALID;
    if (change->verb != STORY_UPDATE)
        return 0;
    /* The condition holds whenever nothing newer is there than ought to be. */
    pl_buf_clear(&client->condition);
    pl_buf_append_format(&client->condition, "attribute_not_exists(Version) OR Version < %llu",
                         (unsigned long long)step);
    op->condition_text = pl_arena_copy(&op->arena, pl_buf_view(&client->condition));
    story_write_update(client->number, change->slot, step, &client->text);
    op->update_text = pl_arena_copy(&op->arena, pl_buf_view(&client->text));
    return op->condition_text.data == NULL || op->update_text.data == NULL ? PL_ENOMEM : 0;
}

/* One of its own for each transaction. */
static int write_token(struct client *client, struct pl_operation *op)
{
    char text[64];

    snprintf(text, sizeof text, "%u-%llu", client->number, (unsigned long long)client->step + 1);
    op->token = pl_arena_copy(&op->arena, pl_str(text));
    return op->token.data == NULL ? PL_ENOMEM : 0;
}

static int write_item_step(struct client *client)
{
    struct story_change changes[STORY_CHANGES_MAX];
    enum story_way way;
    unsigned count = story_step(client->number, client->step + 1, changes, &way);
    int rc = 0;

    if (way == STORY_ALONE)
        return write_change(client, &client->op, &changes[0]);
    engine_begin(&client->op, way == STORY_BATCH ? PL_OP_BATCH_WRITE : PL_OP_TRANSACT_WRITE, "");
    if (way == STORY_TRANSACTION)
        rc = write_token(client, &client->op);
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = write_change(client, &client->children[i], &changes[i]);
    client->op.children = client->children;
    client->op.child_count = count;
    return rc;
}

static int write_group(struct client *client, unsigned group)
{
    int rc = 0;

    engine_begin(&client->op, PL_OP_BATCH_WRITE, "");
    for (unsigned i = 0; i < STORY_EXTRA_GROUP && rc == 0; i++) {
        engine_begin(&client->children[i], PL_OP_PUT, "Extra");
        story_write_extra(group * STORY_EXTRA_GROUP + i, &client->text);
        rc = engine_read_item(&client->children[i], &client->text);
    }
    client->op.children = client->children;
    client->op.child_count = STORY_EXTRA_GROUP;
    return rc;
}

static int write_schema_step(struct client *client)
{
    struct story_schema_step step = story_schema_step(client->step + 1);

    switch (step.verb) {
    case STORY_CREATE:
        engine_begin(&client->op, PL_OP_CREATE, "");
        break;
    case STORY_ALTER:
        engine_begin(&client->op, PL_OP_ALTER, step.table);
        break;
    case STORY_DROP:
        engine_begin(&client->op, PL_OP_DROP, step.table);
        return 0;
    case STORY_FILL:
        return write_group(client, step.group);
    }
    client->op.definition = pl_str(step.definition);
    return 0;
}

static void take_step(struct client *client)
{
    struct pl_router *router = pl_attachment_router(client->engine->attachment);

    require(client->number == 0 ? write_schema_step(client) : write_item_step(client), "say what it wants",
            NULL);
    client->op.done = acknowledged;
    client->op.owner = client;
    client->waiting = true;
    if (pl_router_run(router, &client->op))
        acknowledged(&client->op);
}

static bool anybody_waits(const struct client *clients, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (clients[i].waiting)
            return true;
    return false;
}

/* Each client has one request under way. Until all have come as far as `part` of `parts`. */
static void run_clients(struct engine *engine, struct client *clients, unsigned count, unsigned part,
                        unsigned parts)
{
    bool more = true;

    while (more || anybody_waits(clients, count)) {
        more = false;
        for (unsigned i = 0; i < count; i++) {
            struct client *client = &clients[i];

            client->engine = engine;
            if (client->waiting || client->step >= client->last * part / parts)
                continue;
            take_step(client);
            more = true;
        }
        pl_attachment_flush(engine->attachment);
        if (engine->telling->threads && anybody_waits(clients, count))
            engine_wait(engine);
        pl_attachment_deliver(engine->attachment);
        if (engine->telling->triggers)
            engine_run_triggers(engine);
    }
}

int clients_work(const char *path, const struct story_telling *telling)
{
    struct client clients[STORY_CLIENTS_MAX] = { 0 };
    unsigned count = telling->clients + 1, parts = telling->restarts + 1;
    struct pl_reason why = { 0 };
    struct engine engine;

    for (unsigned i = 0; i < count; i++)
        clients[i] = (struct client){ .number = i, .last = i == 0 ? telling->schema_steps : telling->steps };
    for (unsigned part = 1; part <= parts; part++) {
        require(engine_open(&engine, telling, telling->threads, path, &why), "open", &why);
        if (part == 1) {
            /* The table comes first. */
            clients[0].last = telling->schema_steps > 0 ? 1 : 0;
            run_clients(&engine, clients, 1, 1, 1);
            clients[0].last = telling->schema_steps;
        }
        run_clients(&engine, clients, count, part, parts);
        engine_close(&engine);
    }
    for (unsigned i = 0; i < count; i++) {
        pl_operation_deinit(&clients[i].op);
        pl_buf_deinit(&clients[i].text);
        pl_buf_deinit(&clients[i].condition);
    }
    return 0;
}
