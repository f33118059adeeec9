/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * How long after a put is acknowledged its row comes to who follows the table: one thread holds a TAIL of
 * BenchStream and writers, each with one put under way, and looks at the clock when a reply or a row is read. A
 * row that comes before the acknowledgement counts as no lag at all. Prints one JSON line.
 *
 *     tail_lag PORT WRITERS SECONDS
 */
enum { WRITERS_MAX = 512, VALUE_BYTES = 200, PUTS_MAX = 8 << 20, READ_BYTES = 256 << 10, LEFT_MS = 5000 };

/* Of one put, by its number. */
struct put {
    uint64_t acknowledged_ns, seen_ns;
};

static struct put *puts_made;
static uint64_t made, acknowledged, seen, early;
static struct histogram lag;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("tail_lag: ", stderr);
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

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("port %u: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void say(int fd, const char *bytes, size_t len)
{
    if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("sending: %s", strerror(errno));
}

/* ---- puts ------------------------------------------------------------------------------------------- */

static void note_both(const struct put *put)
{
    if (put->acknowledged_ns == 0 || put->seen_ns == 0)
        return;
    early += put->seen_ns <= put->acknowledged_ns;
    histogram_add(&lag, put->seen_ns > put->acknowledged_ns ? put->seen_ns - put->acknowledged_ns : 0);
}

struct writer {
    uint64_t number; /* of its put under way */
    bool busy;
};

/* Each run writes other items than the one before: what changes nothing has no row. */
static void write_next(struct writer *writer, int fd)
{
    static char value[VALUE_BYTES + 1];
    char line[VALUE_BYTES + 96];
    int len;

    if (value[0] == '\0') {
        memset(value, 'v', VALUE_BYTES);
        value[snprintf(value, sizeof value, "%llu", (unsigned long long)now_ns())] = 'v';
    }
    if (made == PUTS_MAX)
        die("more than %d puts", PUTS_MAX);
    writer->number = made++;
    writer->busy = true;
    len = snprintf(line, sizeof line, "PUT BenchStream {\"K\":\"k%llu\",\"N\":%llu,\"V\":\"%s\"}\n",
                   (unsigned long long)writer->number % 100000, (unsigned long long)writer->number, value);
    say(fd, line, (size_t)len);
}

static void take_reply(struct writer *writer, int fd)
{
    char reply[256];
    ssize_t len = recv(fd, reply, sizeof reply, 0);

    if (len < 3 || memcmp(reply, "OK\n", 3) != 0)
        die("a put was answered: %.*s", (int)(len < 0 ? 0 : len), reply);
    writer->busy = false;
    acknowledged++;
    puts_made[writer->number].acknowledged_ns = now_ns();
    note_both(&puts_made[writer->number]);
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static void take_row(const char *line, uint64_t at_ns)
{
    const char *n = strstr(line, "\"N\":");
    uint64_t number = n == NULL ? made : strtoull(n + 4, NULL, 10);

    if (strncmp(line, "ROW ", 4) != 0)
        die("the TAIL was answered: %.200s", line);
    if (number >= made)
        return; /* a position */
    if (puts_made[number].seen_ns != 0)
        die("put %llu came twice", (unsigned long long)number);
    seen++;
    puts_made[number].seen_ns = at_ns;
    note_both(&puts_made[number]);
}

/* Whole lines; half a one waits for its rest. */
static void take_rows(int fd)
{
    static char bytes[2 * READ_BYTES + 1];
    static size_t held;
    ssize_t len = recv(fd, bytes + held, READ_BYTES, 0);
    uint64_t at_ns = now_ns();
    char *line = bytes, *end;

    if (len <= 0)
        die("the TAIL was closed");
    held += (size_t)len;
    while ((end = memchr(line, '\n', held - (size_t)(line - bytes))) != NULL) {
        *end = '\0';
        take_row(line, at_ns);
        line = end + 1;
    }
    held -= (size_t)(line - bytes);
    memmove(bytes, line, held);
}

/* ---- the run ---------------------------------------------------------------------------------------- */

/* The first is the TAIL's. */
static struct pollfd fds[WRITERS_MAX + 1];
static struct writer writers[WRITERS_MAX];

static bool turn(unsigned writer_count, bool go_on)
{
    int ready = poll(fds, writer_count + 1, LEFT_MS);

    if (ready <= 0)
        die("%llu of %llu rows did not come", (unsigned long long)(acknowledged - seen),
            (unsigned long long)acknowledged);
    for (unsigned i = 0; i < writer_count; i++) {
        if ((fds[i + 1].revents & POLLIN) != 0)
            take_reply(&writers[i], fds[i + 1].fd);
        if (go_on && !writers[i].busy)
            write_next(&writers[i], fds[i + 1].fd);
    }
    if ((fds[0].revents & POLLIN) != 0)
        take_rows(fds[0].fd);
    return go_on || acknowledged < made || seen < made;
}

int main(int count, char **args)
{
    unsigned writer_count = count == 4 ? (unsigned)atoi(args[2]) : 0;
    uint64_t begun, end;
    double seconds;

    if (count != 4 || writer_count == 0 || writer_count > WRITERS_MAX)
        die("usage: tail_lag PORT WRITERS SECONDS");
    puts_made = calloc(PUTS_MAX, sizeof *puts_made);
    if (puts_made == NULL)
        die("%s", strerror(errno));
    for (unsigned i = 0; i <= writer_count; i++)
        fds[i] = (struct pollfd){ .fd = connect_to((uint16_t)atoi(args[1])), .events = POLLIN };
    say(fds[0].fd, "TAIL BenchStream\n", 17);
    take_rows(fds[0].fd); /* where it begins */
    begun = now_ns();
    end = begun + (uint64_t)(strtod(args[3], NULL) * 1e9);
    for (unsigned i = 0; i < writer_count; i++)
        write_next(&writers[i], fds[i + 1].fd);
    while (turn(writer_count, now_ns() < end))
        ;
    seconds = (double)(now_ns() - begun) / 1e9;
    printf("{\"system\":\"perilune\",\"operation\":\"tail "
           "lag\",\"connections\":%u,\"per_second\":%.0f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"max_us\":%.1f,\"early_percent\":%.1f}\n",
           writer_count, (double)seen / seconds, (double)histogram_percentile_ns(&lag, 0.5) / 1e3,
           (double)histogram_percentile_ns(&lag, 0.99) / 1e3, (double)lag.max_ns / 1e3,
           100.0 * (double)early / (double)(seen > 0 ? seen : 1));
    free(puts_made);
    return 0;
}
