/* SPDX-License-Identifier: MIT */
#include "front/client.h"

#include <stdlib.h>
#include <unistd.h>

enum { LINGER_MS = 2000 };

/* As of the loop's turn: patience is counted in seconds. */
static uint64_t now_ms(const struct pl_client *c)
{
    return uv_now(&c->loop->uv);
}

/* --- opening and closing --- */

static void received(struct pl_link *link, struct pl_bytes bytes);
static void ended(struct pl_link *link, int rc);
static void drained(struct pl_link *link);
static void closed(struct pl_link *link);

static const struct pl_link_events link_events = {
    .received = received,
    .ended = ended,
    .drained = drained,
    .closed = closed,
};

static struct pl_client *of_link(struct pl_link *link)
{
    return pl_container_of(link, struct pl_client, link);
}

void pl_client_open(struct pl_loop *loop, const struct pl_client_kind *kind, int fd)
{
    struct pl_client *c = calloc(1, kind->size_bytes);
    int rc;

    if (c == NULL) {
        close(fd);
        atomic_fetch_sub(&loop->connection_count, 1);
        pl_log(loop->options.logger, PL_LOG_ERROR, "refused a connection", "out of memory");
        return;
    }
    c->kind = kind;
    c->loop = loop;
    c->heard_ms = now_ms(c);
    c->place.next = loop->clients;
    if (c->place.next != NULL)
        c->place.next->place.previous = c;
    loop->clients = c;
    rc = pl_link_open(&c->link, &loop->uv, fd, loop->scratch, &link_events);
    if (rc != 0) {
        close(fd);
        pl_log(loop->options.logger, PL_LOG_ERROR, "refused a connection", "%s", pl_error_sentence(rc));
        return;
    }
    if (pl_link_read_start(&c->link) != 0)
        pl_client_cut(c);
}

void pl_client_cut(struct pl_client *c)
{
    pl_link_close(&c->link);
}

static void leave_dirty(struct pl_client *c)
{
    struct pl_client **at = &c->loop->dirty;

    while (*at != c)
        at = &(*at)->next_dirty;
    *at = c->next_dirty;
}

static void leave_deferred(struct pl_client *c)
{
    struct pl_client **at = &c->loop->deferred;

    while (*at != c)
        at = &(*at)->next_deferred;
    *at = c->next_deferred;
}

static void client_free(struct pl_client *c)
{
    struct pl_loop *loop = c->loop;

    if (c->dirty)
        leave_dirty(c);
    if (c->deferred)
        leave_deferred(c);
    if (c->place.previous != NULL)
        c->place.previous->place.next = c->place.next;
    else
        loop->clients = c->place.next;
    if (c->place.next != NULL)
        c->place.next->place.previous = c->place.previous;
    if (c->kind->deinit != NULL)
        c->kind->deinit(c);
    pl_buf_deinit(&c->input);
    free(c);
}

static void stir(struct pl_client *c)
{
    if (c->kind->stirred != NULL)
        c->kind->stirred(c);
}

/* Requests that travel hold the client: it goes with the last of them. */
static void closed(struct pl_link *link)
{
    struct pl_client *c = of_link(link);

    c->gone = true;
    c->loop->touched = true;
    atomic_fetch_sub(&c->loop->connection_count, 1);
    pl_client_hold(c);
    stir(c);
    pl_client_release(c);
}

void pl_client_release(struct pl_client *c)
{
    c->in_flight--;
    if (c->gone && c->in_flight == 0)
        client_free(c);
}

/* --- the loop's lists --- */

void pl_client_mark_dirty(struct pl_client *c)
{
    if (c->dirty || c->gone)
        return;
    c->dirty = true;
    c->next_dirty = c->loop->dirty;
    c->loop->dirty = c;
}

void pl_client_defer(struct pl_client *c)
{
    if (c->deferred || c->gone)
        return;
    c->deferred = true;
    c->next_deferred = c->loop->deferred;
    c->loop->deferred = c;
}

void pl_client_heard(struct pl_client *c)
{
    c->loop->touched = true;
    c->heard_ms = now_ms(c);
}

bool pl_client_has_room(struct pl_client *c)
{
    const struct pl_loop_options *options = &c->loop->options;

    c->in_order = false;
    return c->in_flight < options->in_flight_max && pl_link_unsent(&c->link) < options->unsent_bytes_max &&
           !c->link.closing;
}

/*
 * Closing a socket with unread bytes resets the connection, and the last reply may be lost with it. So
 * who lingers says that this was all, and reads and drops what comes until the client has closed.
 */
static void linger(struct pl_client *c)
{
    if (c->lingers_since_ms != 0)
        return;
    c->lingers_since_ms = now_ms(c);
    pl_link_shut(&c->link);
    if (pl_link_read_start(&c->link) != 0)
        pl_client_cut(c);
}

/* Close when there is nothing more to read, to answer or to send. */
static void conclude(struct pl_client *c)
{
    if (!c->ending || c->in_flight > 0 || c->deferred || c->blocked || pl_link_unsent(&c->link) > 0)
        return;
    if (c->lingers && !c->link.ended && !c->link.closing)
        linger(c);
    else
        pl_link_close(&c->link);
}

void pl_client_finish(struct pl_client *c)
{
    c->deaf = true;
    c->ending = true;
    c->lingers = true;
    pl_client_mark_dirty(c);
}

/* --- receiving --- */

/* Read on only when what was read is dealt with: what waits costs no more memory. */
static void choose_reading(struct pl_client *c)
{
    if (c->blocked || c->deferred || (c->ending && c->lingers_since_ms == 0))
        pl_link_read_stop(&c->link);
    else if (pl_link_read_start(&c->link) != 0)
        pl_client_cut(c);
    conclude(c);
}

static size_t consume(struct pl_client *c, struct pl_bytes in)
{
    size_t used = 0;

    c->blocked = false;
    if (!c->deaf)
        used = c->kind->consume(c, in);
    return c->deaf ? in.len : used;
}

static void received(struct pl_link *link, struct pl_bytes bytes)
{
    struct pl_client *c = of_link(link);
    size_t used;

    pl_client_heard(c);
    if (c->input.len == 0) {
        /* The usual case: whole requests, run from where they were read. */
        used = consume(c, bytes);
        bytes = pl_bytes(bytes.data + used, bytes.len - used);
    }
    pl_buf_append_bytes(&c->input, bytes);
    if (pl_buf_status(&c->input) != 0) {
        pl_log(c->loop->options.logger, PL_LOG_ERROR, "closed a connection", "out of memory for its request");
        pl_client_cut(c);
        return;
    }
    if (c->input.len > bytes.len)
        pl_client_resume(c);
    else
        choose_reading(c);
}

void pl_client_resume(struct pl_client *c)
{
    size_t used;

    c->deferred = false;
    if (c->link.closing)
        return;
    used = consume(c, pl_buf_view(&c->input));
    if (used == c->input.len) {
        pl_buf_deinit(&c->input);
        c->input = (struct pl_buf){ 0 };
    } else {
        pl_buf_consume(&c->input, used);
    }
    choose_reading(c);
}

/* --- sending --- */

void pl_client_flush(struct pl_client *c)
{
    int rc;

    c->dirty = false;
    if (c->link.closing)
        return;
    rc = pl_link_flush(&c->link);
    if (rc != 0) {
        if (rc != PL_ECLOSED)
            pl_log(c->loop->options.logger, PL_LOG_WARN, "closed a connection", "%s", pl_error_sentence(rc));
        pl_client_cut(c);
        return;
    }
    if (c->blocked && !c->in_order && pl_client_has_room(c))
        pl_client_defer(c);
    stir(c);
    conclude(c);
}

static void drained(struct pl_link *link)
{
    struct pl_client *c = of_link(link);

    pl_client_heard(c);
    pl_client_mark_dirty(c);
}

/* --- ending --- */

static void ended(struct pl_link *link, int rc)
{
    struct pl_client *c = of_link(link);

    c->loop->touched = true;
    if (rc != 0)
        pl_client_cut(c);
    else
        pl_client_drain(c);
}

/* A request without an end is dropped: it may be the beginning of something else. */
void pl_client_drain(struct pl_client *c)
{
    c->ending = true;
    if (c->lingers_since_ms == 0)
        pl_link_read_stop(&c->link);
    stir(c);
    conclude(c);
}

static bool is_stalled(struct pl_client *c, uint64_t silent_ms)
{
    size_t unsent = pl_link_unsent(&c->link);
    bool reads = unsent < c->unsent_bytes;

    c->unsent_bytes = unsent;
    if (reads)
        c->heard_ms = now_ms(c);
    return (c->kind->is_owed_more(c) || (unsent > 0 && !reads)) &&
           silent_ms > c->loop->options.stall_timeout_ms;
}

void pl_client_tick(struct pl_client *c, uint64_t now)
{
    const struct pl_loop_options *options = &c->loop->options;
    uint64_t silent_ms = now > c->heard_ms ? now - c->heard_ms : 0;
    bool busy = c->in_flight > 0 || pl_link_unsent(&c->link) > 0;

    if (c->link.closing)
        return;
    if (c->lingers_since_ms != 0) {
        if (now > c->lingers_since_ms + LINGER_MS)
            pl_client_cut(c);
        return;
    }
    if (c->kind->tick != NULL)
        c->kind->tick(c, now);
    if (options->stall_timeout_ms > 0 && is_stalled(c, silent_ms)) {
        pl_log(options->logger, PL_LOG_WARN, "closed a connection", "the client stalled for %llu ms",
               (unsigned long long)silent_ms);
        pl_client_cut(c);
    } else if (options->idle_timeout_ms > 0 && !busy && silent_ms > options->idle_timeout_ms) {
        pl_log(options->logger, PL_LOG_INFO, "closed a connection", "idle for %llu ms",
               (unsigned long long)silent_ms);
        pl_client_cut(c);
    }
}
