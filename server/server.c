/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "follower.h"
#include "front/connection.h"
#include "front/desk.h"
#include "front/http_connection.h"
#include "front/listener.h"

#include <signal.h>
#include <stdlib.h>

/*
 * A node, the loops that serve its clients, the door, and the signals:
 *
 *     main thread    signals, accepting, one attachment of its own for RELOAD by SIGHUP
 *     loop threads   connections, each with an attachment
 *
 * Everything opens in that order and closes in the other.
 */
struct server {
    const struct pl_config *config;
    struct pl_logger logger;
    struct pl_node *node;
    struct pl_loop **loops;
    uint32_t loop_count;
    struct pl_listener listener, http_listener;
    bool listening, http_listening;
    struct pl_sigv4_keys keys;
    struct pl_http_options http;

    uv_loop_t uv;
    uv_async_t wake;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t watch;
    struct pl_attachment *attachment;
    uint32_t reloads; /* under way: the attachment stays for them */
    bool stopping;
    int exit_code;
};

/* --- the engine that the loops see --- */

static int attach(void *state, void (*wake)(void *wake_state), void *wake_state, void **attachment)
{
    struct pl_attachment *made;
    int rc;

    rc = pl_node_attach(state, wake, wake_state, &made);
    if (rc == 0)
        *attachment = made;
    return rc;
}

static void detach(void *attachment)
{
    pl_node_detach(attachment);
}

static bool run(void *attachment, struct pl_operation *op)
{
    return pl_router_run(pl_attachment_router(attachment), op);
}

static void flush(void *attachment)
{
    pl_attachment_flush(attachment);
}

static void deliver(void *attachment)
{
    pl_attachment_deliver(attachment);
}

static void rest(void *attachment)
{
    pl_router_rest(pl_attachment_router(attachment));
}

static const struct pl_tables *tables(void *attachment)
{
    return pl_router_tables(pl_attachment_router(attachment));
}

static void stats(void *attachment, struct pl_bytes table, struct pl_buf *out)
{
    pl_node_stats(attachment, table, out);
}

static int tail_open(void *attachment, struct pl_bytes table, struct pl_bytes from,
                     void (*ready)(void *state), void *state, void **tail, struct pl_reason *why)
{
    struct pl_follower_options options = {
        .table_name = table, .from = from, .ready = ready, .state = state
    };
    struct pl_follower *follower;
    int rc;

    rc = pl_follower_open(attachment, &options, &follower, why);
    if (rc == 0)
        *tail = follower;
    return rc;
}

static int tail_read(void *tail, int (*row)(void *state, struct pl_bytes json), void *state,
                     struct pl_tail_progress *progress)
{
    struct pl_follower_progress made = { 0 };
    int rc;

    rc = pl_follower_read_json(tail, row, state, &made);
    progress->more = made.more;
    progress->ended = made.ended;
    return rc;
}

static void tail_position(void *tail, struct pl_buf *out)
{
    pl_follower_position(tail, out);
}

static void tail_close(void *tail)
{
    pl_follower_close(tail);
}

static int reload(void *attachment, pl_node_done_fn done, void *state)
{
    return pl_node_reload(attachment, done, state);
}

static int check(void *attachment, pl_node_report_fn done, void *state)
{
    return pl_node_check(attachment, done, state);
}

static struct pl_engine engine_of(struct pl_node *node)
{
    return (struct pl_engine){
        .state = node,
        .partition_count = pl_node_partition_count(node),
        .attach = attach,
        .detach = detach,
        .run = run,
        .flush = flush,
        .deliver = deliver,
        .rest = rest,
        .tables = tables,
        .stats = stats,
        .tail_open = tail_open,
        .tail_read = tail_read,
        .tail_position = tail_position,
        .tail_close = tail_close,
        .reload = reload,
        .check = check,
    };
}

/* --- opening --- */

static int failed(struct server *server, const char *what, int rc, const struct pl_reason *why)
{
    pl_log(&server->logger, PL_LOG_ERROR, what, "%s", pl_reason_text(why, rc));
    return rc;
}

static uint32_t loop_count(const struct pl_config *config)
{
    uint32_t cores = uv_available_parallelism();

    if (config->io_threads > 0)
        return config->io_threads;
    return cores > 1 ? cores - 1 : 1;
}

static int open_node(struct server *server)
{
    const struct pl_config *config = server->config;
    struct pl_reason why = { { 0 } };
    struct pl_node_options options = {
        .data_path = config->data_path,
        .scripts_path = config->scripts_path,
        .partition_count = config->partitions,
        .sync_mode = config->sync_mode,
        .sync_interval_ms = config->sync_interval_ms,
        .script_time_ms = config->script_time_ms,
        .ttl_sweep_ms = config->ttl_sweep_ms,
        .script_memory_bytes = (uint64_t)config->script_memory_mb << 20,
        .trigger_threads = config->trigger_threads,
        .trigger_time_ms = config->trigger_time_ms,
        .collection_bytes_max = config->collection_bytes_max,
        .stream_retention_ms = config->stream_retention_ms,
        .reader_count = loop_count(config) + 4,
        .threads = true,
        .clock = pl_clock_system(),
        .random = pl_random_system(),
        .logger = &server->logger,
    };
    int rc;

    rc = pl_node_open(&options, &server->node, &why);
    return rc == 0 ? 0 : failed(server, "cannot start", rc, &why);
}

enum {
    HTTP_BODY_BYTES_MAX = 16 << 20, /* DynamoDB's own limit */
    HTTP_GATHERED_BYTES_MAX = 256 << 20,
    HTTP_HEAD_TIMEOUT_MS = 10000,
    HTTP_BODY_RATE_MIN = 4096,
};

static const struct pl_http_options *http_options(struct server *server)
{
    const struct pl_config *config = server->config;

    server->keys = (struct pl_sigv4_keys){ .keys = config->access_keys, .count = config->access_key_count };
    server->http = (struct pl_http_options){
        .body_bytes_max = HTTP_BODY_BYTES_MAX,
        .gathered_bytes_max = HTTP_GATHERED_BYTES_MAX,
        .head_timeout_ms = HTTP_HEAD_TIMEOUT_MS,
        .body_rate_min = HTTP_BODY_RATE_MIN,
        .region = pl_str(config->region),
        .account = pl_str(config->account),
        .table_delay_ms = config->table_delay_ms,
        .keys = &server->keys,
        .clock = pl_clock_system(),
        .random = pl_random_system(),
    };
    return config->has_http ? &server->http : NULL;
}

static int start_loops(struct server *server)
{
    const struct pl_config *config = server->config;
    uint32_t count = loop_count(config);
    struct pl_loop_options options = {
        .engine = engine_of(server->node),
        .logger = &server->logger,
        .line_bytes_max = config->line_bytes_max,
        .unsent_bytes_max = 1 << 20,
        .in_flight_max = config->in_flight_max,
        .idle_timeout_ms = (uint64_t)config->idle_timeout_s * 1000,
        .stall_timeout_ms = (uint64_t)config->stall_timeout_s * 1000,
        .drain_timeout_ms = (uint64_t)config->drain_timeout_s * 1000,
        .http = http_options(server),
    };
    int rc = 0;

    server->loops = calloc(count, sizeof *server->loops);
    if (server->loops == NULL)
        return failed(server, "cannot start", PL_ENOMEM, NULL);
    while (server->loop_count < count && rc == 0) {
        rc = pl_loop_start(&options, &server->loops[server->loop_count]);
        if (rc == 0)
            server->loop_count++;
    }
    return rc == 0 ? 0 : failed(server, "cannot start an I/O thread", rc, NULL);
}

static int listen_at(struct server *server, struct pl_address address, const struct pl_client_kind *kind,
                     struct pl_listener *listener, bool *listening)
{
    struct pl_listener_options options = {
        .uv = &server->uv,
        .address = address,
        .kind = kind,
        .loops = server->loops,
        .loop_count = server->loop_count,
        .connections_max = server->config->connections_max,
        .logger = &server->logger,
    };
    struct pl_reason why = { { 0 } };
    int rc;

    rc = pl_listener_open(listener, &options, &why);
    if (rc != 0)
        return failed(server, "cannot listen", rc, &why);
    *listening = true;
    return 0;
}

static int listen_for_clients(struct server *server)
{
    const struct pl_config *config = server->config;
    int rc;

    rc = listen_at(server, config->listen, &pl_connection_kind, &server->listener, &server->listening);
    if (rc == 0 && config->has_http)
        rc = listen_at(server, config->http, &pl_http_connection_kind, &server->http_listener,
                       &server->http_listening);
    return rc;
}

/* --- signals and news --- */

/* Or, while modules are loaded anew, soon: then look_after_node() comes back here. */
static void stop(struct server *server)
{
    server->stopping = true;
    if (server->attachment == NULL)
        return;
    if (server->listening)
        pl_listener_close(&server->listener, NULL);
    if (server->http_listening)
        pl_listener_close(&server->http_listener, NULL);
    server->listening = server->http_listening = false;
    if (server->reloads > 0)
        return;
    pl_node_detach(server->attachment);
    server->attachment = NULL;
    /* From here on a second signal ends the process the hard way: what was acknowledged is on the disk. */
    uv_close((uv_handle_t *)&server->terminate, NULL);
    uv_close((uv_handle_t *)&server->interrupt, NULL);
    uv_close((uv_handle_t *)&server->hangup, NULL);
    uv_close((uv_handle_t *)&server->watch, NULL);
    uv_close((uv_handle_t *)&server->wake, NULL);
}

static void told_to_stop(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;

    pl_log(&server->logger, PL_LOG_INFO, "stopping", "signal %d: finishing what was asked", number);
    stop(server);
}

static void reloaded(void *state, int rc, const struct pl_reason *why)
{
    struct server *server = state;

    server->reloads--;
    if (rc == 0)
        pl_log(&server->logger, PL_LOG_INFO, "loaded the Lua modules anew", "%s", "");
    else
        pl_log(&server->logger, PL_LOG_ERROR, "kept the old Lua modules", "%s", pl_reason_text(why, rc));
}

static void told_to_reload(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    int rc;

    (void)number;
    server->reloads++;
    rc = pl_node_reload(server->attachment, reloaded, server);
    if (rc != 0)
        reloaded(server, rc, NULL);
    pl_attachment_flush(server->attachment);
}

static void look_after_node(struct server *server)
{
    int rc;

    if (server->attachment == NULL)
        return;
    if (server->stopping) {
        stop(server);
        return;
    }
    rc = pl_node_failed(server->node);
    if (rc == 0)
        return;
    server->exit_code = PL_EXIT_FAILURE;
    failed(server, "stopping: the shard has failed for good", rc, NULL);
    stop(server);
}

static void woken(uv_async_t *async)
{
    struct server *server = async->data;

    if (server->attachment == NULL)
        return;
    pl_attachment_deliver(server->attachment);
    pl_router_rest(pl_attachment_router(server->attachment));
    look_after_node(server);
}

static void watched(uv_timer_t *timer)
{
    look_after_node(timer->data);
}

static void wake(void *state)
{
    struct server *server = state;

    uv_async_send(&server->wake);
}

enum { WATCH_MS = 250 };

static int open_handles(struct server *server)
{
    int rc;

    rc = uv_loop_init(&server->uv);
    if (rc != 0)
        return failed(server, "cannot start", PL_ENOMEM, NULL);
    rc = uv_async_init(&server->uv, &server->wake, woken);
    if (rc != 0) {
        PL_ASSERT(uv_loop_close(&server->uv) == 0);
        return failed(server, "cannot start", PL_EIO, NULL);
    }
    uv_signal_init(&server->uv, &server->terminate);
    uv_signal_init(&server->uv, &server->interrupt);
    uv_signal_init(&server->uv, &server->hangup);
    uv_timer_init(&server->uv, &server->watch);
    server->wake.data = server->terminate.data = server->interrupt.data = server->hangup.data = server;
    server->watch.data = server;
    return 0;
}

static int watch_signals(struct server *server)
{
    if (uv_signal_start(&server->terminate, told_to_stop, SIGTERM) != 0 ||
        uv_signal_start(&server->interrupt, told_to_stop, SIGINT) != 0 ||
        uv_signal_start(&server->hangup, told_to_reload, SIGHUP) != 0 ||
        uv_timer_start(&server->watch, watched, WATCH_MS, WATCH_MS) != 0)
        return failed(server, "cannot watch signals", PL_EIO, NULL);
    return 0;
}

/* --- what a person sees --- */

static void print_table(const struct pl_table *table, FILE *out)
{
    const char *separator = " (";

    fprintf(out, "%.*s", (int)table->name.len, table->name.data);
    if (table->index_count > 0) {
        fprintf(out, "%s%u %s", separator, table->index_count, table->index_count == 1 ? "index" : "indexes");
        separator = ", ";
    }
    if (table->trigger_count > 0) {
        fprintf(out, "%s%u %s", separator, table->trigger_count,
                table->trigger_count == 1 ? "trigger" : "triggers");
        separator = ", ";
    }
    if (*separator == ',')
        fputc(')', out);
}

static void print_tables(struct server *server, FILE *out)
{
    struct pl_router *router = pl_attachment_router(server->attachment);
    const struct pl_tables *all = pl_router_tables(router);

    fprintf(out, "  tables         ");
    if (all->count == 0)
        fprintf(out, "none yet: HELP CREATE, or --scripts DIR");
    for (uint32_t i = 0; i < all->count; i++) {
        if (i > 0)
            fputs("   ", out);
        print_table(all->tables[i], out);
    }
    fputc('\n', out);
    pl_router_rest(router);
}

static void print_start(struct server *server, uint64_t start_ns, FILE *out)
{
    char address[PL_ADDRESS_TEXT_MAX];

    pl_address_format(&server->listener.address, address);
    fprintf(out, "perilune %s  node n1  %u partitions  data %s  ready in %llu ms\n", PL_VERSION,
            pl_node_partition_count(server->node), server->config->data_path,
            (unsigned long long)((uv_hrtime() - start_ns) / 1000000));
    fprintf(out, "  line protocol  %-19s try: perilune shell", address);
    if (server->listener.address.port != 7890)
        fprintf(out, " --connect %s", address);
    fputc('\n', out);
    if (server->http_listening) {
        pl_address_format(&server->http_listener.address, address);
        fprintf(out, "  DynamoDB API   http://%s\n", address);
    }
    print_tables(server, out);
    fflush(out);
}

/* --- all together --- */

static int start(struct server *server)
{
    int rc;

    rc = open_node(server);
    if (rc == 0)
        rc = start_loops(server);
    if (rc == 0)
        rc = pl_node_attach(server->node, wake, server, &server->attachment);
    if (rc == 0)
        rc = listen_for_clients(server);
    return rc == 0 ? watch_signals(server) : rc;
}

static void close_all(struct server *server)
{
    for (uint32_t i = 0; i < server->loop_count; i++)
        pl_loop_stop(server->loops[i]);
    /* The loops wait for every request that is under way. */
    if (server->node != NULL)
        pl_node_end_triggers(server->node);
    for (uint32_t i = 0; i < server->loop_count; i++)
        pl_loop_join(server->loops[i]);
    free(server->loops);
    if (server->node != NULL)
        pl_node_close(server->node);
}

/* Started or half started: closes whatever is open, on the loop as well. */
static void close_handles(struct server *server)
{
    if (server->attachment != NULL) {
        stop(server);
    } else if (!uv_is_closing((uv_handle_t *)&server->wake)) {
        uv_close((uv_handle_t *)&server->terminate, NULL);
        uv_close((uv_handle_t *)&server->interrupt, NULL);
        uv_close((uv_handle_t *)&server->hangup, NULL);
        uv_close((uv_handle_t *)&server->watch, NULL);
        uv_close((uv_handle_t *)&server->wake, NULL);
    }
    uv_run(&server->uv, UV_RUN_DEFAULT);
    PL_ASSERT(uv_loop_close(&server->uv) == 0);
}

int pl_server_run(const struct pl_config *config, FILE *out)
{
    struct server server = {
        .config = config,
        .logger = { .out = stderr, .least = config->log_level, .format = config->log_format },
    };
    uint64_t start_ns = uv_hrtime();
    int rc;

    rc = open_handles(&server);
    if (rc != 0)
        return PL_EXIT_FAILURE;
    rc = start(&server);
    if (rc == 0) {
        print_start(&server, start_ns, out);
        uv_run(&server.uv, UV_RUN_DEFAULT);
    }
    close_handles(&server);
    close_all(&server);
    if (rc != 0)
        return rc == PL_ECONFIG ? PL_EXIT_CONFIG : PL_EXIT_FAILURE;
    if (server.exit_code == PL_EXIT_OK)
        pl_log(&server.logger, PL_LOG_INFO, "stopped", "%s", "");
    return server.exit_code;
}
