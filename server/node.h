/* SPDX-License-Identifier: MIT */
#ifndef PL_NODE_H
#define PL_NODE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/logger.h"
#include "route/router.h"
#include "store/disk.h"
#include "watch.h"

/**
 * One server's parts joined together: the data directory and its shard, the Lua
 * modules, and the threads that drive them. A node has no sockets of its own: front
 * parts attach to it, each with a router. Several nodes can live in one process.
 */
struct pl_node;

enum pl_sync_mode { PL_SYNC_ALWAYS, PL_SYNC_INTERVAL, PL_SYNC_NEVER };

struct pl_node_options {
    const char *data_path;
    const char *scripts_path; /* NULL: none */
    uint32_t partition_count; /* for a new data directory; 0: 64 */
    enum pl_sync_mode sync_mode;
    uint32_t sync_interval_ms;         /* for PL_SYNC_INTERVAL */
    uint32_t script_time_ms;           /* 0: default 100 */
    uint64_t script_memory_bytes;      /* 0: default 64 MiB */
    uint32_t trigger_threads;          /* 0: 2 */
    uint32_t trigger_time_ms;          /* of one run of a trigger; 0: 5000 */
    uint32_t checkpoint_interval_ms;   /* 0: 5000 */
    uint64_t checkpoint_journal_bytes; /* or sooner, after so much journal; 0: 64 MiB */
    uint64_t journal_segment_bytes;    /* 0: 64 MiB */
    uint64_t transaction_bytes_max;    /* of dirty pages, in one transaction of a flush; 0: 16 MiB */
    uint64_t collection_bytes_max; /* of the items and local index entries of one partition key; 0: 10 GiB */
    uint32_t ttl_sweep_ms;         /* between two looks for what has expired; 0: 1000 */
    uint32_t reader_count;         /* routers that will attach, and a few more for backups and checks */
    bool threads;                  /* false: everything runs in the caller's thread (embedding) */
    bool still; /* only to be looked at: nothing is filled, swept, forgotten or deleted because it is time */
    uint32_t stream_retention_ms; /* how long stream records are kept; 0: 24 hours */
    struct pl_clock clock;
    struct pl_random random;
    const struct pl_disk *disk; /* NULL: the machine's own. Copied */
    const struct pl_logger *logger;
};

int pl_node_open(const struct pl_node_options *options, struct pl_node **out, struct pl_reason *why);

/**
 * The end is near: no trigger runs any more, and who has dead letters replayed, which may take long, hears PL_ECLOSED. All
 * else goes on until pl_node_close(), which does this too.
 */
void pl_node_end_triggers(struct pl_node *node);

/** Finish what is queued, take a checkpoint, close. Every router must have been detached. */
void pl_node_close(struct pl_node *node);

/**
 * A router for the calling thread. `wake` is called from another thread when replies
 * are waiting: the caller then calls pl_attachment_deliver() on its own thread (with libuv,
 * `wake` is a uv_async_send). Without threads, `wake` is never called.
 */
typedef void (*pl_node_wake_fn)(void *state);
struct pl_attachment;
int pl_node_attach(struct pl_node *node, pl_node_wake_fn wake, void *state, struct pl_attachment **out);
void pl_node_detach(struct pl_attachment *attachment);
struct pl_router *pl_attachment_router(struct pl_attachment *attachment);

/**
 * Once per turn of the caller's loop, after its requests were run: hands the turn's
 * writes to the shard in one go. Without threads, drives the shard until every reply is there.
 */
void pl_attachment_flush(struct pl_attachment *attachment);

/** Take the replies that have come back: calls `done` of each. */
void pl_attachment_deliver(struct pl_attachment *attachment);

/**
 * To read streams (stream/feed.h): what a feed is made from, lent until the attachment is detached. The snapshot is
 * for all feeds of the attachment, one call at a time. PL_ENOMEM, PL_EIO.
 */
struct pl_feed_source;
int pl_attachment_feed_source(struct pl_attachment *attachment, struct pl_feed_source *out);

/** Be told when stream records were applied, or tables changed (watch.h): from within pl_attachment_deliver(). */
void pl_attachment_watch(struct pl_attachment *attachment, struct pl_watch *watch);
void pl_attachment_unwatch(struct pl_attachment *attachment, struct pl_watch *watch);

/**
 * Load the Lua modules anew. The old ones stay when the new ones are wrong, and `why`
 * says so. `done` is called on the attachment's thread.
 */
typedef void (*pl_node_done_fn)(void *state, int rc, const struct pl_reason *why);
int pl_node_reload(struct pl_attachment *attachment, pl_node_done_fn done, void *state);

/** Compare everything stored with everything else stored; `report` receives a JSON object. Runs on a worker. */
typedef void (*pl_node_report_fn)(void *state, int rc, struct pl_bytes report);
int pl_node_check(struct pl_attachment *attachment, pl_node_report_fn done, void *state);

/** Figures about the node (or one table, when `table` is not empty) as a JSON object, appended to `out`. */
void pl_node_stats(struct pl_attachment *attachment, struct pl_bytes table, struct pl_buf *out);

/**
 * Without threads: run the triggers that are due, for about `time_ms` at most. Returns the time until one will be due, in ms; 0: there is
 * more to do now; UINT64_MAX: nothing until something is written.
 */
uint64_t pl_node_run_triggers(struct pl_node *node, uint32_t time_ms);

/** For who runs triggers: an operation that was handed over goes back to its attachment. Any thread. */
void pl_node_return(struct pl_operation *op);

/** The node an attachment is of. */
struct pl_node *pl_attachment_node(struct pl_attachment *attachment);

/** The newest set of tables, with a reference for the caller. Any thread. */
struct pl_tables *pl_node_tables(struct pl_node *node);

uint32_t pl_node_partition_count(const struct pl_node *node);

/** Non-zero once the shard has failed for good: the server must exit with status 1 after saying so. */
int pl_node_failed(const struct pl_node *node);

#endif
