/* SPDX-License-Identifier: MIT */
#include "node.h"

#include "driver.h"
#include "partition/verify.h"
#include "route/table_stats.h"
#include "scripts.h"
#include "stream/feed.h"
#include "triggers.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

enum { SPARE_READERS = 16, TRIGGER_TIME_MS = 5000 };

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
struct message {
    struct message *next;
    void (*deliver)(struct message *message);
};

struct pl_attachment {
    struct pl_node *node;
    struct pl_router *router;
    pl_node_wake_fn wake;
    void *wake_state;
    struct pl_operation *outgoing_first, *outgoing_last; /* of this turn */

    pthread_mutex_t lock; /* of what comes back */
    struct pl_operation *returned_first, *returned_last;
    struct message *messages;
    atomic_uint jobs; /* reloads and checks under way: a detach waits for them */

    struct pl_snapshot *stream_snapshot; /* NULL until somebody reads a stream */
    struct pl_watcher watcher;
};

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

/* A run of operations that go back to the same attachment. */
static void return_run(struct pl_attachment *attachment, struct pl_operation *first,
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

/* Reloads carry an operation of the node's own; it says what to do with it. */
struct reload {
    struct message message;
    struct pl_driver_job job;
    struct pl_operation op;
    struct pl_attachment *attachment;
    struct pl_scripts scripts;
    struct pl_trigger_scripts trigger_scripts;
    pl_node_done_fn done;
    void *state;
    pthread_t thread;
    bool threaded;
};

static void post(struct pl_attachment *attachment, struct message *message);

void pl_node_return(struct pl_operation *op)
{
    return_run(op->origin, op, op);
}

static void shard_finished(void *state, struct pl_operation *first)
{
    (void)state;
    while (first != NULL) {
        struct pl_attachment *attachment = first->origin;
        struct pl_operation *last = first, *next;

        if (attachment == NULL) {
            struct reload *reload = first->owner;

            next = first->next;
            post(reload->attachment, &reload->message);
            first = next;
            continue;
        }
        while (last->next != NULL && last->next->origin == attachment)
            last = last->next;
        next = last->next;
        return_run(attachment, first, last);
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

static struct pl_script_limits limits_of(const struct pl_node *node)
{
    return (struct pl_script_limits){ .time_ms = node->options.script_time_ms,
                                      .memory_bytes = node->options.script_memory_bytes };
}

static void *load_scripts(void *arg)
{
    struct load *load = arg;
    struct pl_script_limits limits = limits_of(load->node);

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
                                           .limits = limits_of(node),
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
    rc = pl_driver_thread(&thread, load_scripts, &load);
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

uint64_t pl_node_run_triggers(struct pl_node *node, uint32_t time_ms)
{
    return node->triggers == NULL ? UINT64_MAX : pl_triggers_turn(node->triggers, time_ms);
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
    struct message *message;

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
        struct message *next = message->next;

        atomic_fetch_sub(&attachment->jobs, 1);
        message->deliver(message);
        message = next;
    }
    pl_watcher_tell(&attachment->watcher);
}

static void post(struct pl_attachment *attachment, struct message *message)
{
    pthread_mutex_lock(&attachment->lock);
    message->next = attachment->messages;
    attachment->messages = message;
    if (attachment->wake != NULL)
        attachment->wake(attachment->wake_state);
    pthread_mutex_unlock(&attachment->lock);
}

/* Run `body` in a thread of its own, or here when the node has none. */
static int start_job(struct pl_attachment *attachment, pthread_t *thread, bool *threaded,
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
    rc = pl_driver_thread(thread, body, job);
    if (rc != 0)
        atomic_fetch_sub(&attachment->jobs, 1);
    return rc;
}

/* ---- reload ----------------------------------------------------------------------------------------- */

static void deliver_reload(struct message *message)
{
    struct reload *reload = pl_container_of(message, struct reload, message);

    if (reload->threaded)
        pthread_join(reload->thread, NULL);
    reload->done(reload->state, reload->op.reply.rc, &reload->op.reply.why);
    pl_operation_deinit(&reload->op);
    pl_scripts_deinit(&reload->scripts);
    pl_trigger_scripts_deinit(&reload->trigger_scripts);
    free(reload);
}

/* On the shard's thread, between two turns. The operation comes back through shard_finished(). */
static void switch_scripts(struct pl_shard *shard, struct pl_driver_job *job)
{
    struct reload *reload = pl_container_of(job, struct reload, job);
    int rc = pl_shard_load(shard, reload->scripts.script, reload->scripts.hashes, &reload->op);

    if (rc == 0) {
        reload->scripts.script = NULL; /* the shard's now */
        pl_triggers_switch(reload->attachment->node->triggers, &reload->trigger_scripts);
        return;
    }
    pl_operation_fail(&reload->op, rc, NULL);
    post(reload->attachment, &reload->message);
}

static void *run_reload(void *arg)
{
    struct reload *reload = arg;
    struct pl_node *node = reload->attachment->node;
    struct pl_script_limits limits = limits_of(node);
    int rc = PL_EINVALID;

    pthread_mutex_lock(&node->reloading);
    if (node->options.scripts_path == NULL)
        pl_reason_set(&reload->op.reply.why, rc, "there is no scripts directory to load from");
    else
        rc = pl_scripts_load(node->options.scripts_path, &limits, node->options.clock, &reload->scripts,
                             &reload->op.reply.why);
    if (rc == 0)
        rc = pl_triggers_load(node->triggers, reload->scripts.script, &reload->trigger_scripts,
                              &reload->op.reply.why);
    if (rc == 0) {
        pl_driver_run(node->driver, &reload->job);
    } else {
        pl_operation_fail(&reload->op, rc, NULL);
        post(reload->attachment, &reload->message);
    }
    pthread_mutex_unlock(&node->reloading);
    return NULL;
}

int pl_node_reload(struct pl_attachment *attachment, pl_node_done_fn done, void *state)
{
    struct reload *reload = calloc(1, sizeof *reload);
    int rc;

    if (reload == NULL)
        return PL_ENOMEM;
    reload->message.deliver = deliver_reload;
    reload->job.body = switch_scripts;
    reload->attachment = attachment;
    reload->done = done;
    reload->state = state;
    pl_operation_init(&reload->op, PL_OP_ALTER);
    reload->op.owner = reload; /* and no origin: shard_finished() knows it by that */
    rc = start_job(attachment, &reload->thread, &reload->threaded, run_reload, reload);
    if (rc != 0)
        free(reload);
    return rc;
}

/* ---- check ------------------------------------------------------------------------------------------ */

struct check {
    struct message message;
    struct pl_driver_job job;
    struct pl_shard_still still;
    struct pl_attachment *attachment;
    struct pl_state *flushed; /* of the store alone: nothing in memory */
    struct pl_verify verify;
    struct pl_tables *tables;
    struct pl_buf sentences, report;
    int rc;
    pl_node_report_fn done;
    void *state;
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool is_ready;
};

static void deliver_check(struct message *message)
{
    struct check *check = pl_container_of(message, struct check, message);

    if (check->threaded)
        pthread_join(check->thread, NULL);
    check->done(check->state, check->rc, pl_buf_view(&check->report));
    pthread_mutex_destroy(&check->lock);
    pthread_cond_destroy(&check->ready);
    pl_buf_deinit(&check->sentences);
    pl_buf_deinit(&check->report);
    free(check);
}

static void announce(struct check *check, int rc)
{
    pthread_mutex_lock(&check->lock);
    check->rc = rc;
    check->is_ready = true;
    pthread_cond_signal(&check->ready);
    pthread_mutex_unlock(&check->lock);
}

/* On the shard's thread: the counters and the tables, of the moment that is about to be flushed. */
static void take_counters(struct pl_shard *shard, struct pl_shard_still *still)
{
    struct check *check = pl_container_of(still, struct check, still);

    (void)shard;
    check->tables = pl_node_tables(check->attachment->node);
    check->verify.tables = check->tables;
    check->rc = pl_counters_copy(check->attachment->node->counters, &check->verify.counters);
}

/* On the shard's thread: that moment is what the store holds now. */
static void take_snapshot(struct pl_shard *shard, struct pl_shard_still *still, int rc)
{
    struct check *check = pl_container_of(still, struct check, still);

    (void)shard;
    if (rc == 0)
        rc = check->rc;
    announce(check, rc != 0 ? rc : pl_snapshot_renew(check->verify.snapshot));
}

static void stand_still(struct pl_shard *shard, struct pl_driver_job *job)
{
    struct check *check = pl_container_of(job, struct check, job);

    check->still.frozen = take_counters;
    check->still.flushed = take_snapshot;
    pl_shard_stand_still(shard, &check->still);
}

static char *report_json(const struct check *check)
{
    const struct pl_verify *verify = &check->verify;
    cJSON *json = cJSON_CreateObject(), *faults;
    char *text = NULL;

    if (cJSON_AddBoolToObject(json, "ok", verify->faults == 0) != NULL &&
        cJSON_AddNumberToObject(json, "tables", verify->tables->count) != NULL &&
        cJSON_AddNumberToObject(json, "items", (double)verify->items) != NULL &&
        cJSON_AddNumberToObject(json, "index_entries", (double)verify->entries) != NULL &&
        cJSON_AddNumberToObject(json, "expiries", (double)verify->expiries) != NULL &&
        cJSON_AddNumberToObject(json, "stream_records", (double)verify->stream_records) != NULL &&
        cJSON_AddNumberToObject(json, "size_bytes", (double)verify->size_bytes) != NULL &&
        cJSON_AddNumberToObject(json, "fault_count", (double)verify->faults) != NULL &&
        (faults = cJSON_AddArrayToObject(json, "faults")) != NULL) {
        const char *line = check->sentences.data;
        const char *end = line == NULL ? NULL : line + check->sentences.len;

        while (line < end) {
            char sentence[512];
            size_t len = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);

            snprintf(sentence, sizeof sentence, "%.*s", (int)len, line);
            cJSON_AddItemToArray(faults, cJSON_CreateString(sentence));
            line += len + 1;
        }
        text = cJSON_PrintUnformatted(json);
    }
    cJSON_Delete(json);
    return text;
}

static void *run_check(void *arg)
{
    struct check *check = arg;
    char *text;

    pl_driver_run(check->attachment->node->driver, &check->job);
    pthread_mutex_lock(&check->lock);
    while (!check->is_ready)
        pthread_cond_wait(&check->ready, &check->lock);
    pthread_mutex_unlock(&check->lock);
    if (check->rc == 0)
        check->rc = pl_verify(&check->verify);
    if (check->rc == 0) {
        text = report_json(check);
        if (text != NULL)
            pl_buf_append_bytes(&check->report, pl_str(text));
        cJSON_free(text);
        check->rc = text == NULL ? PL_ENOMEM : pl_buf_status(&check->report);
    }
    pl_counters_free(check->verify.counters);
    pl_tables_unref(check->tables);
    pl_snapshot_close(check->verify.snapshot);
    pl_state_free(check->flushed);
    post(check->attachment, &check->message);
    return NULL;
}

int pl_node_check(struct pl_attachment *attachment, pl_node_report_fn done, void *state)
{
    struct pl_node *node = attachment->node;
    struct check *check = calloc(1, sizeof *check);
    int rc;

    if (check == NULL)
        return PL_ENOMEM;
    rc = pl_state_new(node->store, 0, 0, &check->flushed);
    if (rc == 0)
        rc = pl_snapshot_open(check->flushed, &check->verify.snapshot);
    if (rc != 0) {
        pl_state_free(check->flushed);
        free(check);
        return rc;
    }
    check->message.deliver = deliver_check;
    check->job.body = stand_still;
    check->attachment = attachment;
    check->done = done;
    check->state = state;
    check->verify.partition_count = node->partition_count;
    check->verify.sentences = &check->sentences;
    pthread_mutex_init(&check->lock, NULL);
    pthread_cond_init(&check->ready, NULL);
    rc = start_job(attachment, &check->thread, &check->threaded, run_check, check);
    if (rc != 0) {
        pl_snapshot_close(check->verify.snapshot);
        pl_state_free(check->flushed);
        pthread_mutex_destroy(&check->lock);
        pthread_cond_destroy(&check->ready);
        free(check);
    }
    return rc;
}

/* ---- figures ---------------------------------------------------------------------------------------- */

static void add_figures(cJSON *json, struct pl_node *node)
{
    struct pl_shard_stats shard = pl_driver_stats(node->driver);
    struct pl_store_room room;
    struct pl_store_lag lag;
    const struct {
        const char *name;
        double value;
    } figures[] = {
        { "uptime_ms", (double)(pl_clock_monotonic_ns(&node->options.clock) - node->opened_ns) / 1e6 },
        { "partitions", node->partition_count },
        { "writes", (double)shard.writes },
        { "transactions", (double)shard.transactions },
        { "conditions_failed", (double)shard.conditions_failed },
        { "batches", (double)shard.batches },
        { "changes", (double)shard.changes },
        { "checkpoints", (double)shard.checkpoints },
        { "queued", (double)shard.queued },
        { "inflight_keys", (double)shard.inflight_keys },
        { "journal_start", (double)shard.journal_start },
        { "journal_end", (double)shard.journal_end },
        { "journal_durable", (double)shard.journal_durable },
        { "script_bytes", (double)shard.script_bytes },
        { "chore_done", (double)shard.chore_done },
        { "expired", (double)shard.expired },
        { "expiry_lag_ms", (double)shard.expiry_lag_ms },
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        cJSON_AddNumberToObject(json, figures[i].name, figures[i].value);
    cJSON_AddStringToObject(json, "chore",
                            shard.chore == PL_CHORE_IDLE      ? "idle"
                            : shard.chore == PL_CHORE_FILLING ? "backfill"
                                                              : "sweep");
    cJSON_AddBoolToObject(json, "full", shard.full);
    if (pl_store_room(node->store, &room) == 0) {
        cJSON_AddNumberToObject(json, "store_bytes", (double)room.file_bytes);
        cJSON_AddNumberToObject(json, "disk_free_bytes", (double)room.disk_free_bytes);
    }
    pl_store_lag(node->store, &lag);
    cJSON_AddNumberToObject(json, "readers", lag.reader_count);
    cJSON_AddNumberToObject(json, "oldest_reader_lag", (double)(lag.last_txn_id - lag.oldest_txn_id));
}

/* NULL: there is no memory for a place to look from, and the lag is left out. */
static struct pl_snapshot *stream_snapshot(struct pl_attachment *attachment)
{
    struct pl_feed_source source;

    return pl_attachment_feed_source(attachment, &source) == 0 ? source.snapshot : NULL;
}

void pl_node_stats(struct pl_attachment *attachment, struct pl_bytes name, struct pl_buf *out)
{
    struct pl_node *node = attachment->node;
    cJSON *json = cJSON_CreateObject();
    char *text;
    int rc = 0;

    if (name.len > 0) {
        struct pl_tables *tables = pl_node_tables(node);
        const struct pl_table *table = pl_tables_find(tables, name);

        if (table != NULL) {
            rc = pl_table_stats(table, node->counters, &node->hot_keys, &node->options.clock, json);
            if (rc == 0)
                rc = pl_triggers_figures(node->triggers, (struct pl_table *)table, node->counters,
                                         stream_snapshot(attachment), json);
        }
        pl_tables_unref(tables);
    } else {
        add_figures(json, node);
    }
    text = rc == 0 ? cJSON_PrintUnformatted(json) : NULL;
    if (text != NULL)
        pl_buf_append_bytes(out, pl_str(text));
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}
