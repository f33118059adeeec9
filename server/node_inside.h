/* SPDX-License-Identifier: MIT */
#ifndef PL_NODE_INSIDE_H
#define PL_NODE_INSIDE_H

#include "node.h"

#include "driver.h"
#include "scripts.h"
#include "triggers.h"

/**
 * What the files of the node share, and nobody else sees:
 *
 *     node.c          opening, closing, what the shard tells
 *     attachment.c    a thread's way in: requests out, replies and news back
 *     node_reload.c   the Lua modules, read anew
 *     node_check.c    everything stored, compared
 *     node_figures.c  STATS
 */
struct pl_node {
    struct pl_node_options options;
    struct pl_disk disk;
    struct pl_datadir *dir;
    struct pl_driver *driver;
    struct pl_store *store;               /* the shard's */
    struct pl_state *state;               /* the shard's */
    struct pl_counters *counters;         /* the shard's */
    const struct pl_sequences *sequences; /* the shard's */
    struct pl_triggers *triggers;         /* NULL: there are no modules, and so no functions to run */
    uint32_t partition_count;
    uint64_t opened_ns;

    pthread_mutex_t lock; /* of `tables` */
    struct pl_tables *tables;
    struct pl_watchers watchers;
    struct pl_hot_keys_set hot_keys;
    pthread_mutex_t reloading; /* who read the modules later switches to them later */
    atomic_int failed;
};

/* News for an attachment's thread that is not a finished operation. */
struct pl_message {
    struct pl_message *next;
    struct pl_attachment *attachment; /* whose thread delivers it */
    void (*deliver)(struct pl_message *message);
};

struct pl_attachment {
    struct pl_node *node;
    struct pl_router *router;
    pl_node_wake_fn wake;
    void *wake_state;
    struct pl_operation *outgoing_first, *outgoing_last; /* of this turn */

    pthread_mutex_t lock; /* of what comes back */
    struct pl_operation *returned_first, *returned_last;
    struct pl_message *messages;
    atomic_uint jobs; /* reloads and checks under way: a detach waits for them */

    struct pl_snapshot *stream_snapshot; /* NULL until somebody reads a stream */
    struct pl_watcher watcher;
};

/** A run of operations goes back to the attachment they came from. Any thread. */
void pl_attachment_return(struct pl_attachment *attachment, struct pl_operation *first,
                          struct pl_operation *last);

/** Have it delivered on its attachment's thread. Any thread. */
void pl_message_post(struct pl_message *message);

/** Run `body` in a thread of its own, or here when the node has none; it ends with a message, which is delivered. */
int pl_attachment_start_job(struct pl_attachment *attachment, pthread_t *thread, bool *threaded,
                            void *(*body)(void *), void *job);

/** What one run of a module's functions may take. */
struct pl_script_limits pl_node_limits(const struct pl_node *node);

#endif
