/* SPDX-License-Identifier: MIT */
#include "front/tail.h"

#include "front/connection.h"

#include <stdlib.h>

static struct pl_loop *loop_of(const struct pl_tail *tail)
{
    return tail->connection->client.loop;
}

static const struct pl_engine *engine(const struct pl_tail *tail)
{
    return &loop_of(tail)->options.engine;
}

static struct pl_buf *out(struct pl_tail *tail)
{
    return pl_client_out(&tail->connection->client);
}

/* ---- beginning and ending --------------------------------------------------------------------------- */

static void enlist(struct pl_tail *tail)
{
    struct pl_loop *loop = loop_of(tail);

    if (tail->listed)
        return;
    tail->listed = true;
    tail->next = NULL;
    if (loop->tailing_last == NULL)
        loop->tailing = tail;
    else
        loop->tailing_last->next = tail;
    loop->tailing_last = tail;
}

static void ready(void *state)
{
    struct pl_tail *tail = state;

    loop_of(tail)->touched = true;
    if (!tail->waits)
        enlist(tail);
}

int pl_tail_begin(struct pl_connection *c, struct pl_bytes tag, struct pl_bytes table, struct pl_bytes from,
                  struct pl_reason *why)
{
    struct pl_loop *loop = c->client.loop;
    struct pl_tail *tail = calloc(1, sizeof *tail);
    int rc;

    if (tail == NULL)
        return PL_ENOMEM;
    tail->connection = c;
    pl_buf_append_bytes(&tail->tag, tag);
    rc = pl_buf_status(&tail->tag);
    if (rc == 0)
        rc = loop->options.engine.tail_open(loop->attachment, table, from, ready, tail, &tail->reader, why);
    if (rc != 0) {
        pl_buf_deinit(&tail->tag);
        free(tail);
        return rc;
    }
    c->tail = tail;
    pl_client_hold(&c->client);
    enlist(tail);
    return 0;
}

static void free_tail(struct pl_tail *tail)
{
    pl_buf_deinit(&tail->tag);
    free(tail);
}

/* On the loop's list it stays until its turn, for that may be going on. May free the connection. */
static void leave(struct pl_tail *tail)
{
    struct pl_connection *c = tail->connection;

    engine(tail)->tail_close(tail->reader);
    c->tail = NULL;
    if (tail->listed)
        tail->over = true;
    else
        free_tail(tail);
    pl_client_heard(&c->client);
    pl_client_release(&c->client);
}

/* ---- telling ---------------------------------------------------------------------------------------- */

static int tell_record(void *state, struct pl_bytes json)
{
    struct pl_tail *tail = state;

    pl_line_write_row_of(out(tail), pl_buf_view(&tail->tag), json);
    tail->count++;
    tail->told = false;
    return pl_buf_status(out(tail));
}

/* {"position":".."} with what else is to be said, in the loop's scratch buffer. */
static struct pl_bytes position_object(struct pl_tail *tail, bool end, bool stream_ended)
{
    struct pl_buf *words = &loop_of(tail)->words;

    pl_buf_clear(words);
    pl_buf_append_byte(words, '{');
    if (end)
        pl_buf_append_format(words, "\"count\":%llu,", (unsigned long long)tail->count);
    if (stream_ended)
        pl_buf_append_bytes(words, pl_str("\"ended\":true,"));
    pl_buf_append_bytes(words, pl_str("\"position\":\""));
    engine(tail)->tail_position(tail->reader, words);
    pl_buf_append_bytes(words, pl_str("\"}"));
    return pl_buf_view(words);
}

/* Without memory the connection is closed: a line that is half there must not look whole. */
static void tell(struct pl_tail *tail, void (*write)(struct pl_buf *, struct pl_bytes, struct pl_bytes),
                 struct pl_bytes object)
{
    if (pl_buf_status(&loop_of(tail)->words) != 0)
        out(tail)->failed = true;
    write(out(tail), pl_buf_view(&tail->tag), object);
    tail->told = true;
    pl_client_mark_dirty(&tail->connection->client);
}

static void end(struct pl_tail *tail, bool stream_ended)
{
    if (pl_client_is_open(&tail->connection->client))
        tell(tail, pl_line_write_end_of, position_object(tail, true, stream_ended));
    leave(tail);
}

void pl_tail_end(struct pl_tail *tail)
{
    end(tail, false);
}

static void fail(struct pl_tail *tail, int rc)
{
    struct pl_reason why = { .text = "" };

    if (rc == PL_ETRIMMED)
        pl_reason_set(&why, rc, "records that were not told yet are kept no longer: start from oldest");
    pl_line_write_error(out(tail), pl_buf_view(&tail->tag), rc, &why);
    pl_client_mark_dirty(&tail->connection->client);
    leave(tail);
}

/* ---- going on --------------------------------------------------------------------------------------- */

/* A reader that is slower than the writers gets its own pace, and no more of our memory than this. */
static bool has_room(const struct pl_tail *tail)
{
    return pl_link_unsent(&tail->connection->client.link) < loop_of(tail)->options.unsent_bytes_max;
}

static void read_on(struct pl_tail *tail)
{
    struct pl_tail_progress progress = { 0 };
    uint64_t before = tail->count;
    int rc = engine(tail)->tail_read(tail->reader, tell_record, tail, &progress);

    if (tail->count > before)
        pl_client_mark_dirty(&tail->connection->client);
    if (rc == 0 && !progress.ended && !tail->told)
        tell(tail, pl_line_write_row_of, position_object(tail, false, false));
    if (rc != 0)
        fail(tail, rc);
    else if (progress.ended)
        end(tail, true);
    else if (progress.more)
        enlist(tail);
    else if (tail->connection->client.ending)
        end(tail, false);
}

void pl_tail_go_on(struct pl_tail *tail)
{
    tail->listed = false;
    if (tail->over) {
        free_tail(tail);
        return;
    }
    if (!pl_client_is_open(&tail->connection->client))
        return; /* the last news of it is on its way */
    tail->waits = !has_room(tail);
    if (!tail->waits)
        read_on(tail);
}

void pl_tail_stir(struct pl_tail *tail)
{
    struct pl_client *client = &tail->connection->client;

    if (client->gone)
        leave(tail);
    else if (client->ending || (tail->waits && has_room(tail)))
        enlist(tail);
}
