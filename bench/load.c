/* SPDX-License-Identifier: MIT */
#include "load/connection.h"
#include "load/histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/*
 * A load generator that costs little itself: one thread, requests made beforehand, one look at the
 * clock for each piece of input, no allocation once it runs. Every connection keeps `pipeline`
 * requests in flight: as many replies as come in, so many requests go out, in one write.
 *
 *   open all ─▸ warm up ─▸ measure (server's CPU time read at both ends) ─▸ drain ─▸ one JSON line
 *
 * With a number of requests, or with --load, which makes each key once, there is no warming up and
 * it ends with the last reply. What is still in flight when the time is over is waited for and its
 * latency is counted, for a stall at the end is a stall.
 */

struct options {
    enum protocol protocol;
    enum operation operation;
    const char *label, *host;
    uint32_t port, connections, pipeline, value_bytes;
    uint64_t keys, requests; /* requests 0: by time */
    double seconds, warmup_seconds;
    long server_pid; /* 0: unknown */
    bool load;
};

struct load {
    struct options options;
    struct request request;
    struct connection *connections;
    int poll_fd;
    uint64_t made, answered, in_flight;
    uint64_t made_max; /* make no more than that */
    uint64_t random;
    bool measuring;
    uint64_t measured; /* answered within the measured time */
    struct histogram latency;
    struct reply_totals totals;
};

/* As options and results name them, in the order of enum operation. */
static const char *const operations[] = { "put",        "get",         "query",
                                          "expire",     "transact-2",  "transact-10",
                                          "put-stream", "put-trigger", "put-trigger-keys",
                                          NULL };

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* User and system time of all threads of a process; 0 when it is not known. */
static double cpu_seconds(long pid)
{
    char path[64], line[1024];
    unsigned long long user, system;
    const char *rest;
    FILE *file;
    size_t len;

    if (pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    len = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[len] = '\0';
    /* The second field is the program's name, in which anything may stand, even ") ". */
    rest = strrchr(line, ')');
    if (rest == NULL ||
        sscanf(rest, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user, &system) != 2)
        die("%s is not as proc(5) describes it", path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* --- requests and replies ---------------------------------------------------------------------------- */

static uint64_t next_random(struct load *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return l->random;
}

static void add_request(struct load *l, struct connection *c, uint64_t made_ns)
{
    uint64_t number = l->made++, key, sort = 0;

    if (l->options.operation == OPERATION_FILL_RANGES) {
        key = number / RANGE_ITEMS;
        sort = RANGE_FIRST + number % RANGE_ITEMS;
    } else if (l->options.load) {
        key = number;
    } else if (l->options.operation == OPERATION_QUERY) {
        key = next_random(l) % (l->options.keys / RANGE_ITEMS);
    } else {
        key = next_random(l) % l->options.keys;
    }
    request_write(&l->request, key, sort, number, connection_add_request(c, l->request.len, made_ns));
    l->in_flight++;
}

/* Only while the socket is full does its poll set hold EPOLLOUT. */
static void send_requests(struct load *l, struct connection *c)
{
    bool waits;

    if (connection_send(c) != 0)
        die("the server closed a connection: %s", strerror(errno));
    waits = c->out_begin < c->out_end;
    if (waits != c->waits_to_send) {
        struct epoll_event event = { .events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c };

        if (epoll_ctl(l->poll_fd, EPOLL_CTL_MOD, c->fd, &event) != 0)
            die("epoll_ctl: %s", strerror(errno));
        c->waits_to_send = waits;
    }
}

static void fill_window(struct load *l, struct connection *c, uint64_t made_ns)
{
    while (c->in_flight < c->pipeline && l->made < l->made_max)
        add_request(l, c, made_ns);
    send_requests(l, c);
}

static void take_replies(struct load *l, struct connection *c)
{
    static char bytes[256 * 1024];
    ssize_t len = recv(c->fd, bytes, sizeof bytes, 0);
    uint64_t at_ns;
    int64_t replies;

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0)
        die("the server closed a connection%s%s", len < 0 ? ": " : "", len < 0 ? strerror(errno) : "");
    replies = reply_count(&c->replies, bytes, (size_t)len, &l->totals);
    if (replies < 0 || replies > c->in_flight)
        die("this is not the reply of a %s server: %.60s",
            l->options.protocol == PROTOCOL_LINE ? "line protocol" : "RESP", c->replies.head);
    at_ns = now_ns();
    for (int64_t i = 0; i < replies; i++)
        histogram_add(&l->latency, at_ns - connection_take_reply(c));
    l->answered += (uint64_t)replies;
    l->in_flight -= (uint64_t)replies;
    if (l->measuring)
        l->measured += (uint64_t)replies;
    if (replies > 0)
        fill_window(l, c, at_ns);
}

/* --- the run ----------------------------------------------------------------------------------------- */

static void open_connections(struct load *l)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->options.port) };

    if (inet_pton(AF_INET, l->options.host, &address.sin_addr) != 1)
        die("--host: %s is no IPv4 address", l->options.host);
    l->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->connections = calloc(l->options.connections, sizeof *l->connections);
    if (l->poll_fd < 0 || l->connections == NULL)
        die("%s", strerror(errno));
    for (uint32_t i = 0; i < l->options.connections; i++) {
        struct connection *c = &l->connections[i];
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

        if (connection_open(c, &address, l->options.protocol, l->options.pipeline, l->request.len) != 0 ||
            epoll_ctl(l->poll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
            die("%s:%u: %s", l->options.host, l->options.port, strerror(errno));
    }
}

static void turn(struct load *l)
{
    enum { EVENTS_MAX = 256, PATIENCE_MS = 30000 };
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(l->poll_fd, events, EVENTS_MAX, PATIENCE_MS);

    if (count < 0 && errno != EINTR)
        die("epoll_wait: %s", strerror(errno));
    if (count == 0)
        die("no reply in %d s", PATIENCE_MS / 1000);
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;

        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            take_replies(l, c);
        if ((events[i].events & EPOLLOUT) != 0)
            send_requests(l, c);
    }
}

static void run_for(struct load *l, double seconds)
{
    uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);

    while (now_ns() < end_ns)
        turn(l);
}

static void drain(struct load *l)
{
    while (l->in_flight > 0)
        turn(l);
}

static void start_all(struct load *l)
{
    for (uint32_t i = 0; i < l->options.connections; i++)
        fill_window(l, &l->connections[i], now_ns());
}

static void run(struct load *l)
{
    const struct options *o = &l->options;
    double server_cpu_s, own_cpu_s, took_s;
    uint64_t begun_ns;

    l->made_max = o->requests > 0 ? o->requests : UINT64_MAX;
    if (o->requests == 0) {
        start_all(l);
        run_for(l, o->warmup_seconds);
        histogram_clear(&l->latency);
        l->totals = (struct reply_totals){ 0 };
        l->answered = 0;
    }
    l->measuring = true;
    server_cpu_s = cpu_seconds(o->server_pid);
    own_cpu_s = own_cpu_seconds();
    begun_ns = now_ns();
    if (o->requests == 0) {
        run_for(l, o->seconds);
    } else {
        start_all(l);
        drain(l);
    }
    took_s = (double)(now_ns() - begun_ns) / 1e9;
    server_cpu_s = cpu_seconds(o->server_pid) - server_cpu_s;
    own_cpu_s = own_cpu_seconds() - own_cpu_s;
    l->measuring = false;
    l->made_max = 0;
    drain(l);

    printf("{\"system\":\"%s\",\"operation\":\"%s%s\",\"connections\":%u,\"pipeline\":%u,\"requests\":%llu,"
           "\"errors\":%llu,\"empty\":%llu,\"rows_each\":%.1f,\"seconds\":%.3f,\"per_second\":%.0f,",
           o->label, o->load ? "load " : "",
           operations[o->operation < OPERATION_FILL_RANGES ? o->operation : OPERATION_QUERY], o->connections,
           o->pipeline, (unsigned long long)l->measured, (unsigned long long)l->totals.errors,
           o->operation == OPERATION_GET ? (unsigned long long)l->totals.empty : 0,
           l->answered > 0 ? (double)l->totals.rows / (double)l->answered : 0, took_s,
           (double)l->measured / took_s);
    printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
           "\"server_cpu_s\":%.2f,\"cpu_s_per_100k\":%.3f,\"client_cpu_s\":%.2f}\n",
           (double)histogram_percentile_ns(&l->latency, 0.5) / 1e3,
           (double)histogram_percentile_ns(&l->latency, 0.99) / 1e3,
           (double)histogram_percentile_ns(&l->latency, 0.999) / 1e3, (double)l->latency.max_ns / 1e3,
           server_cpu_s, l->measured > 0 ? server_cpu_s * 1e5 / (double)l->measured : 0, own_cpu_s);
}

/* --- options ----------------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: load --protocol line|resp --operation put|get|query|expire|transact-2|transact-10|put-stream|\n"
    "            put-trigger|put-trigger-keys --port PORT\n"
    "            [--host 127.0.0.1] [--connections 64] [--pipeline 1] [--keys 1000000] [--value-bytes 256]\n"
    "            [--seconds 10] [--warmup 1] | [--requests N] | [--load]\n"
    "            [--pid SERVER] [--label NAME]\n"
    "--load makes every key once: of Bench, with --operation query of BenchRange, 100 to a partition key, "
    "or with\n--operation expire of BenchExpiry, all of whose items have expired (line protocol only).\n";

static uint64_t number_option(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < min || number > max)
        die("--%s: %s is no number from %llu to %llu", name, text, (unsigned long long)min,
            (unsigned long long)max);
    return number;
}

static uint32_t word_option(const char *name, const char *text, const char *const *words)
{
    for (uint32_t i = 0; words[i] != NULL; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    die("--%s: there is no %s", name, text);
}

static struct options parse_options(int argc, char **argv)
{
    static const char *const protocols[] = { "line", "resp", NULL };
    static const struct option names[] = {
        { "protocol", required_argument, NULL, 'P' },
        { "operation", required_argument, NULL, 'o' },
        { "host", required_argument, NULL, 'h' },
        { "port", required_argument, NULL, 'p' },
        { "connections", required_argument, NULL, 'c' },
        { "pipeline", required_argument, NULL, 'n' },
        { "keys", required_argument, NULL, 'k' },
        { "value-bytes", required_argument, NULL, 'v' },
        { "seconds", required_argument, NULL, 's' },
        { "warmup", required_argument, NULL, 'w' },
        { "requests", required_argument, NULL, 'r' },
        { "load", no_argument, NULL, 'l' },
        { "pid", required_argument, NULL, 'i' },
        { "label", required_argument, NULL, 'L' },
        { NULL, 0, NULL, 0 },
    };
    struct options o = { .label = "server",
                         .host = "127.0.0.1",
                         .connections = 64,
                         .pipeline = 1,
                         .value_bytes = 256,
                         .keys = 1000000,
                         .seconds = 10,
                         .warmup_seconds = 1 };
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'P':
            o.protocol = (enum protocol)word_option("protocol", optarg, protocols);
            break;
        case 'o':
            o.operation = (enum operation)word_option("operation", optarg, operations);
            break;
        case 'h':
            o.host = optarg;
            break;
        case 'p':
            o.port = (uint32_t)number_option("port", optarg, 1, 65535);
            break;
        case 'c':
            o.connections = (uint32_t)number_option("connections", optarg, 1, 60000);
            break;
        case 'n':
            o.pipeline = (uint32_t)number_option("pipeline", optarg, 1, 10000);
            break;
        case 'k':
            o.keys = number_option("keys", optarg, RANGE_ITEMS, KEYS_MAX);
            break;
        case 'v':
            o.value_bytes = (uint32_t)number_option("value-bytes", optarg, VALUE_BYTES_MIN, 400000);
            break;
        case 's':
            o.seconds = (double)number_option("seconds", optarg, 1, 86400);
            break;
        case 'w':
            o.warmup_seconds = (double)number_option("warmup", optarg, 0, 86400);
            break;
        case 'r':
            o.requests = number_option("requests", optarg, 1, UINT64_MAX / 2);
            break;
        case 'l':
            o.load = true;
            break;
        case 'i':
            o.server_pid = (long)number_option("pid", optarg, 1, INT32_MAX);
            break;
        case 'L':
            o.label = optarg;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (o.port == 0 || optind < argc) {
        fputs(usage, stderr);
        exit(2);
    }
    if (o.operation >= OPERATION_EXPIRE && o.protocol != PROTOCOL_LINE)
        die("--operation %s: of Perilune only", operations[o.operation]);
    if (o.load && o.operation > OPERATION_EXPIRE)
        die("--load: --operation %s makes no key once", operations[o.operation]);
    if (o.load) {
        o.requests = o.operation == OPERATION_QUERY ? o.keys / RANGE_ITEMS * RANGE_ITEMS : o.keys;
        if (o.operation != OPERATION_EXPIRE)
            o.operation = o.operation == OPERATION_QUERY ? OPERATION_FILL_RANGES : OPERATION_PUT;
    }
    return o;
}

int main(int argc, char **argv)
{
    static struct load l = { .random = UINT64_C(0x9E3779B97F4A7C15) };
    const struct reply_totals *totals = &l.totals;

    l.options = parse_options(argc, argv);
    if (request_init(&l.request, l.options.protocol, l.options.operation, l.options.value_bytes) != 0)
        die("out of memory");
    open_connections(&l);
    run(&l);
    for (uint32_t i = 0; i < l.options.connections; i++)
        connection_close(&l.connections[i]);
    free(l.connections);
    close(l.poll_fd);
    request_deinit(&l.request);
    if (totals->errors > 0)
        die("%llu errors; the first: %s", (unsigned long long)totals->errors, totals->first_error);
    return 0;
}
