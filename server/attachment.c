/* SPDX-License-Identifier: MIT */
#include "node_inside.h"

#include "stream/feed.h"

#include <stdlib.h>

/* ---- attachments ------------------------------------------------------------------------------------ */

static void uplink_submit(void *state, uint32_t shard, struct pl_operation *op)
{
    struct pl_attachment *attachment = state;

    (void)shard; /* there is one */
    op->origin = attachment;
    op->next = NULL;
    if (attachment->outgoing_last == NULL)
        attachment->outgoing_first = op;
    else
        attachment->outgoing_last->next = op;
    attachment->outgoing_last = op;
}

static struct pl_tables *uplink_tables(void *state)
{
    struct pl_attachment *attachment = state;

    return pl_node_tables(attachment->node);
}

static uint64_t uplink_filled(void *state, uint32_t id)
{
    struct pl_attachment *attachment = state;
    struct pl_shard_stats stats = pl_driver_stats(attachment->node->driver);

    return stats.chore == PL_CHORE_FILLING && stats.chore_id == id ? stats.chore_done : 0;
}

static void uplink_letters(void *state, struct pl_operation *op)
{
    struct pl_attachment *attachment = state;
    struct pl_node *node = attachment->node;

    op->origin = attachment;
    if (node->triggers != NULL) {
        pl_triggers_letters(node->triggers, op);
        return;
    }
    pl_reason_set(&op->reply.why, PL_EINVALID, "no triggers are run here: there is no scripts directory");
    pl_operation_fail(op, PL_EINVALID, NULL);
    pl_node_return(op);
}

int pl_node_attach(struct pl_node *node, pl_node_wake_fn wake, void *state, struct pl_attachment **out)
{
    struct pl_attachment *attachment = calloc(1, sizeof *attachment);
    struct pl_router_options options = { .state = node->state,
                                         .counters = node->counters,
                                         .partition_count = node->partition_count,
                                         .shard_count = 1,
                                         .clock = node->options.clock,
                                         .sequences = node->sequences,
                                         .hot_keys = &node->hot_keys };
    int rc;

    if (attachment == NULL)
        return PL_ENOMEM;
    attachment->node = node;
    attachment->wake = wake;
    attachment->wake_state = state;
    pl_watcher_init(&attachment->watcher, &node->watchers, wake, state);
    options.uplink = (struct pl_router_uplink){ .submit = uplink_submit,
                                                .tables = uplink_tables,
                                                .filled = uplink_filled,
                                                .letters = uplink_letters,
                                                .state = attachment };
    rc = pl_router_new(&options, &attachment->router);
    if (rc != 0) {
        free(attachment);
        return rc;
    }
    pthread_mutex_init(&attachment->lock, NULL);
    *out = attachment;
    return 0;
}

void pl_node_detach(struct pl_attachment *attachment)
{
    if (attachment == NULL)
        return;
    PL_ASSERT(attachment->returned_first == NULL && attachment->outgoing_first == NULL);
    PL_ASSERT(atomic_load(&attachment->jobs) == 0 && attachment->watcher.watches == NULL);
    pl_snapshot_close(attachment->stream_snapshot);
    pl_router_free(attachment->router);
    pthread_mutex_destroy(&attachment->lock);
    free(attachment);
}

struct pl_node *pl_attachment_node(struct pl_attachment *attachment)
{
    return attachment->node;
}

struct pl_router *pl_attachment_router(struct pl_attachment *attachment)
{
    return attachment->router;
}

void pl_attachment_flush(struct pl_attachment *attachment)
{
    struct pl_operation *first, *last;

    pl_router_flush(attachment->router);
    first = attachment->outgoing_first;
    last = attachment->outgoing_last;
    attachment->outgoing_first = attachment->outgoing_last = NULL;
    if (first != NULL)
        pl_driver_submit(attachment->node->driver, first, last);
    if (!attachment->node->options.threads)
        pl_attachment_deliver(attachment);
}

void pl_attachment_deliver(struct pl_attachment *attachment)
{
    struct pl_operation *op;
    struct pl_message *message;

    pthread_mutex_lock(&attachment->lock);
    op = attachment->returned_first;
    attachment->returned_first = attachment->returned_last = NULL;
    message = attachment->messages;
    attachment->messages = NULL;
    pthread_mutex_unlock(&attachment->lock);
    while (op != NULL) {
        struct pl_operation *next = op->next;

        pl_router_returned(attachment->router, op);
        op = next;
    }
    while (message != NULL) {
        struct pl_message *next = message->next;

        atomic_fetch_sub(&attachment->jobs, 1);
        message->deliver(message);
        message = next;
    }
    pl_watcher_tell(&attachment->watcher);
}

/* ---- what comes back --------------------------------------------------------------------------------- */

void pl_attachment_return(struct pl_attachment *attachment, struct pl_operation *first,
                          struct pl_operation *last)
{
    bool was_empty;

    last->next = NULL;
    pthread_mutex_lock(&attachment->lock);
    was_empty = attachment->returned_first == NULL && attachment->messages == NULL;
    if (attachment->returned_last == NULL)
        attachment->returned_first = first;
    else
        attachment->returned_last->next = first;
    attachment->returned_last = last;
    /* Under the lock: once it is seen empty, the attachment may be gone. */
    if (was_empty && attachment->wake != NULL)
        attachment->wake(attachment->wake_state);
    pthread_mutex_unlock(&attachment->lock);
}

void pl_node_return(struct pl_operation *op)
{
    pl_attachment_return(op->origin, op, op);
}

void pl_message_post(struct pl_message *message)
{
    struct pl_attachment *attachment = message->attachment;

    pthread_mutex_lock(&attachment->lock);
    message->next = attachment->messages;
    attachment->messages = message;
    if (attachment->wake != NULL)
        attachment->wake(attachment->wake_state);
    pthread_mutex_unlock(&attachment->lock);
}

int pl_attachment_start_job(struct pl_attachment *attachment, pthread_t *thread, bool *threaded,
                            void *(*body)(void *), void *job)
{
    int rc;

    atomic_fetch_add(&attachment->jobs, 1);
    *threaded = attachment->node->options.threads;
    if (!*threaded) {
        body(job);
        pl_attachment_deliver(attachment);
        return 0;
    }
    rc = pl_driver_thread(thread, "pl-job", body, job);
    if (rc != 0)
        atomic_fetch_sub(&attachment->jobs, 1);
    return rc;
}

/* ---- who reads streams -------------------------------------------------------------------------------- */

void pl_attachment_watch(struct pl_attachment *attachment, struct pl_watch *watch)
{
    pl_watcher_add(&attachment->watcher, watch);
}

void pl_attachment_unwatch(struct pl_attachment *attachment, struct pl_watch *watch)
{
    pl_watcher_remove(&attachment->watcher, watch);
}

int pl_attachment_feed_source(struct pl_attachment *attachment, struct pl_feed_source *out)
{
    struct pl_node *node = attachment->node;
    int rc =
        attachment->stream_snapshot != NULL ? 0 : pl_snapshot_open(node->state, &attachment->stream_snapshot);

    if (rc == 0)
        *out = (struct pl_feed_source){ .snapshot = attachment->stream_snapshot,
                                        .sequences = node->sequences,
                                        .partition_count = node->partition_count };
    return rc;
}
