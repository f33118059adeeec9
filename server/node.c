/* SPDX-License-Identifier: MIT */
#include "node_inside.h"

#include <stdlib.h>

enum { SPARE_READERS = 16, TRIGGER_TIME_MS = 5000 };

/* ---- what the shard tells --------------------------------------------------------------------------- */

static void shard_tables(void *state, struct pl_tables *tables)
{
    struct pl_node *node = state;
    struct pl_tables *old;

    pthread_mutex_lock(&node->lock);
    old = node->tables;
    node->tables = tables;
    pthread_mutex_unlock(&node->lock);
    pl_tables_unref(old);
    pl_watchers_stir(&node->watchers); /* a stream may have ended */
}

static void shard_streamed(void *state)
{
    pl_watchers_stir(&((struct pl_node *)state)->watchers);
}

static void shard_failed(void *state, int rc, const char *sentence)
{
    struct pl_node *node = state;

    (void)sentence; /* the shard has logged it */
    atomic_store(&node->failed, rc);
}

static void shard_finished(void *state, struct pl_operation *first)
{
    (void)state;
    while (first != NULL) {
        struct pl_attachment *attachment = first->origin;
        struct pl_operation *last = first, *next;

        if (attachment == NULL) {
            next = first->next;
            pl_message_post(first->owner); /* a reload's */
            first = next;
            continue;
        }
        while (last->next != NULL && last->next->origin == attachment)
            last = last->next;
        next = last->next;
        pl_attachment_return(attachment, first, last);
        first = next;
    }
}

/* ---- opening ---------------------------------------------------------------------------------------- */

/* Loading runs Lua, and so wants a stack of its own size: a thread for as long as it takes. */
struct load {
    struct pl_node *node;
    struct pl_scripts scripts;
    struct pl_trigger_scripts trigger_scripts;
    struct pl_reason *why;
    int rc;
};

struct pl_script_limits pl_node_limits(const struct pl_node *node)
{
    return (struct pl_script_limits){ .time_ms = node->options.script_time_ms,
                                      .memory_bytes = node->options.script_memory_bytes };
}

static void *load_scripts(void *arg)
{
    struct load *load = arg;
    struct pl_script_limits limits = pl_node_limits(load->node);

    load->rc = pl_scripts_load(load->node->options.scripts_path, &limits, load->node->options.clock,
                               &load->scripts, load->why);
    if (load->rc == 0)
        load->rc =
            pl_triggers_load(load->node->triggers, load->scripts.script, &load->trigger_scripts, load->why);
    return NULL;
}

/* Until `op` is finished. There is only it, and nobody else yet to drive the shard. */
static int finish_load(struct pl_shard *shard, struct pl_operation *op, struct pl_reason *why)
{
    while (pl_shard_take(shard) == NULL) {
        int rc = 0;

        pl_shard_turn(shard);
        if (pl_shard_syncs(shard)) {
            rc = pl_shard_run_sync(shard, why);
            pl_shard_end_sync(shard, rc, why);
        }
        pl_shard_apply(shard);
        if (rc != 0)
            return rc;
        if (pl_shard_applies(shard))
            return PL_ENOMEM;
    }
    return op->reply.rc == 0
               ? 0
               : pl_reason_set(why, op->reply.rc, "%s", pl_reason_text(&op->reply.why, op->reply.rc));
}

/* The definitions become tables before anything else happens to the shard. */
static int apply_scripts(struct pl_shard *shard, struct pl_scripts *scripts, struct pl_reason *why)
{
    struct pl_operation op;
    int rc;

    pl_operation_init(&op, PL_OP_ALTER);
    rc = pl_shard_load(shard, scripts->script, scripts->hashes, &op);
    if (rc != 0) {
        pl_reason_set(why, rc, "%s", pl_reason_text(&op.reply.why, rc));
        return rc == PL_EINVALID ? PL_ECONFIG : rc;
    }
    scripts->script = NULL;
    return finish_load(shard, &op, why);
}

static int new_triggers(struct pl_node *node)
{
    uint32_t time_ms = node->options.trigger_time_ms;
    struct pl_triggers_options options = { .node = node,
                                           .thread_count = node->options.trigger_threads,
                                           .threads = node->options.threads,
                                           .limits = pl_node_limits(node),
                                           .clock = node->options.clock,
                                           .random = node->options.random,
                                           .logger = node->options.logger };

    options.limits.time_ms = time_ms == 0 ? TRIGGER_TIME_MS : time_ms;
    return pl_triggers_new(&options, &node->triggers);
}

/* Before the data directory is touched: a wrong definition leaves nothing behind, and is told at once. */
static int load_first_scripts(struct pl_node *node, struct pl_scripts *out, struct pl_reason *why)
{
    struct load load = { .node = node, .why = why };
    pthread_t thread;
    int rc;

    if (node->options.scripts_path == NULL)
        return 0;
    rc = node->options.still ? 0 : new_triggers(node);
    if (rc != 0)
        return rc;
    rc = pl_driver_thread(&thread, "pl-scripts", load_scripts, &load);
    if (rc != 0)
        return rc;
    pthread_join(thread, NULL);
    if (load.rc != 0) {
        pl_scripts_deinit(&load.scripts);
        return load.rc;
    }
    pl_triggers_switch(node->triggers, &load.trigger_scripts);
    *out = load.scripts;
    return 0;
}

static struct pl_shard_options shard_options(struct pl_node *node)
{
    struct pl_shard_options options = { .disk = &node->disk,
                                        .dir = node->dir,
                                        .sync_interval_ms = node->options.sync_interval_ms,
                                        .checkpoint_interval_ms = node->options.checkpoint_interval_ms,
                                        .checkpoint_journal_bytes = node->options.checkpoint_journal_bytes,
                                        .collection_bytes_max = node->options.collection_bytes_max,
                                        .ttl_sweep_ms = node->options.ttl_sweep_ms,
                                        .stream_retention_ms = node->options.stream_retention_ms,
                                        .clock = node->options.clock,
                                        .logger = node->options.logger };

    options.sync = node->options.sync_mode == PL_SYNC_ALWAYS     ? PL_SHARD_SYNC_ALWAYS
                   : node->options.sync_mode == PL_SYNC_INTERVAL ? PL_SHARD_SYNC_INTERVAL
                                                                 : PL_SHARD_SYNC_NEVER;
    /* An attachment has two: for requests, and for the streams it reads. */
    options.recovery.store.readers_max =
        2 * (node->options.reader_count + PL_TRIGGER_THREADS_MAX) + SPARE_READERS;
    options.recovery.store.logger = node->options.logger;
    options.recovery.journal.random = node->options.random;
    options.recovery.dirty_bytes_max = node->options.transaction_bytes_max;
    options.recovery.journal.segment_bytes = node->options.journal_segment_bytes;
    options.recovery.logger = node->options.logger;
    return options;
}

static int open_shard(struct pl_node *node, struct pl_scripts *scripts, struct pl_reason *why)
{
    struct pl_driver_callbacks callbacks = { .finished = shard_finished,
                                             .tables = shard_tables,
                                             .streamed = shard_streamed,
                                             .failed = shard_failed,
                                             .state = node };
    struct pl_shard_options options = shard_options(node);
    struct pl_shard *shard;
    int rc = pl_shard_open(&options, &shard, why);

    if (rc != 0)
        return rc;
    node->store = pl_shard_store(shard);
    node->state = pl_shard_state(shard);
    node->counters = pl_shard_counters(shard);
    node->sequences = pl_shard_sequences(shard);
    if (scripts->script != NULL)
        rc = apply_scripts(shard, scripts, why);
    if (node->options.still)
        pl_shard_put_off_chores(shard);
    if (rc == 0)
        rc = pl_driver_start(shard, node->options.threads, &callbacks, node->options.logger, &node->driver,
                             why);
    if (rc != 0)
        pl_shard_close(shard, false, NULL);
    return rc;
}

int pl_node_open(const struct pl_node_options *options, struct pl_node **out, struct pl_reason *why)
{
    struct pl_datadir_options dir = { .partition_count = options->partition_count,
                                      .random = options->random };
    struct pl_scripts scripts = { 0 };
    struct pl_node *node = calloc(1, sizeof *node);
    int rc;

    if (node == NULL)
        return PL_ENOMEM;
    node->options = *options;
    node->disk = options->disk != NULL ? *options->disk : pl_disk_system();
    node->opened_ns = pl_clock_monotonic_ns(&options->clock);
    pthread_mutex_init(&node->lock, NULL);
    pl_hot_keys_set_init(&node->hot_keys);
    pthread_mutex_init(&node->reloading, NULL);
    pl_watchers_init(&node->watchers);
    atomic_init(&node->failed, 0);
    rc = load_first_scripts(node, &scripts, why);
    if (rc == 0)
        rc = pl_datadir_open(&node->disk, options->data_path, &dir, &node->dir, why);
    if (rc == 0) {
        node->partition_count = pl_datadir_facts(node->dir)->partition_count;
        rc = open_shard(node, &scripts, why);
    }
    pl_scripts_deinit(&scripts);
    if (rc == 0 && node->triggers != NULL) {
        rc = pl_triggers_start(node->triggers, node->sequences, node->partition_count);
        if (rc != 0)
            pl_driver_stop(node->driver, NULL);
    }
    if (rc != 0) {
        pl_triggers_free(node->triggers);
        pl_datadir_close(node->dir);
        pl_tables_unref(node->tables);
        pl_hot_keys_set_deinit(&node->hot_keys);
        pthread_mutex_destroy(&node->lock);
        pthread_mutex_destroy(&node->reloading);
        pl_watchers_deinit(&node->watchers);
        free(node);
        return rc;
    }
    *out = node;
    return 0;
}

void pl_node_end_triggers(struct pl_node *node)
{
    pl_triggers_stop(node->triggers);
}

void pl_node_close(struct pl_node *node)
{
    struct pl_reason why = { 0 };
    int rc;

    if (node == NULL)
        return;
    pl_triggers_stop(node->triggers);
    pl_triggers_free(node->triggers);
    rc = pl_driver_stop(node->driver, &why);
    if (rc != 0)
        pl_log(node->options.logger, PL_LOG_WARN, "no last checkpoint",
               "%s; the next start replays the journal", pl_reason_text(&why, rc));
    pl_datadir_close(node->dir);
    pl_tables_unref(node->tables);
    pl_hot_keys_set_deinit(&node->hot_keys);
    pthread_mutex_destroy(&node->lock);
    pthread_mutex_destroy(&node->reloading);
    pl_watchers_deinit(&node->watchers);
    free(node);
}

uint32_t pl_node_partition_count(const struct pl_node *node)
{
    return node->partition_count;
}

int pl_node_failed(const struct pl_node *node)
{
    return atomic_load(&node->failed);
}

struct pl_tables *pl_node_tables(struct pl_node *node)
{
    struct pl_tables *tables;

    pthread_mutex_lock(&node->lock);
    tables = pl_tables_ref(node->tables);
    pthread_mutex_unlock(&node->lock);
    return tables;
}

uint64_t pl_node_run_triggers(struct pl_node *node, uint32_t time_ms)
{
    return node->triggers == NULL ? UINT64_MAX : pl_triggers_turn(node->triggers, time_ms);
}
