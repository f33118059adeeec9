/* SPDX-License-Identifier: MIT */
#include "http_stage.h"

#include <signal.h>

/*
 * Every allocation that a conversation costs the loop's thread fails in turn, once or with all that follow. The
 * client then gets an error, or loses its connection: the next one is served. And without failures, the steady state costs
 * no allocation at all.
 */
static atomic_long allocations_left = -1, allocation_count;
static atomic_bool for_good, has_failed;

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t len);

static bool allocation_fails(void)
{
    long left = atomic_load(&allocations_left);

    if (!standin_loop_thread || standin_inside > 0)
        return false;
    atomic_fetch_add(&allocation_count, 1);
    if (left < 0)
        return false;
    if (left > 0) {
        atomic_store(&allocations_left, left - 1);
        return false;
    }
    atomic_store(&has_failed, true);
    if (!atomic_load(&for_good))
        atomic_store(&allocations_left, -1);
    return true;
}

void *__wrap_malloc(size_t len)
{
    return allocation_fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t len)
{
    return allocation_fails() ? NULL : __real_realloc(at, len);
}

#define PUT_ONE                                                                                              \
    CALL_HEAD("PutItem")                                                                                     \
    "Content-Length: 57\r\n\r\n{\"TableName\":\"Tab\",\"Item\":{\"id\":{\"N\":\"1\"},\"v\":{\"S\":\"a\"}}}"
#define GET_ONE                                                                                              \
    CALL_HEAD("GetItem")                                                                                     \
    "Content-Length: 42\r\n\r\n{\"TableName\":\"Tab\",\"Key\":{\"id\":{\"N\":\"1\"}}}"
#define HEALTH "GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\n\r\n"

static const char *const conversation[] = {
    PUT_ONE GET_ONE HEALTH,
    CALL_HEAD(
        "PutItem") "Content-Length: 57\r\n\r\n{\"TableName\"", /* whose head and beginning must be kept */
    ":\"Tab\",\"Item\":{\"id\":{\"N\":\"1\"},\"v\":{\"S\":\"a\"}}}",
    CALL_HEAD("GetItem") "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    "2A\r\n{\"TableName\":\"Tab\",\"Key\":{\"id\":{\"N\":\"1\"}}}\r\n0\r\n\r\n",
    CALL_HEAD(
        "Nonsense") "Content-Length: 2\r\n\r\n{}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    CALL_HEAD("Scan") "Accept-Encoding: gzip\r\nContent-Length: 19\r\n\r\n{\"TableName\":\"Big\"}",
    "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nAccess-Control-Request-Headers: c\r\n\r\nPUT / "
    "HTTP/1.1\r\nHost: "
    "a\r\n\r\n",
    "GET / HTTP/1.1\r\nHo",
    "st: a\r\n\r\nnonsense\n",
};

static void converse(struct pl_loop *loop)
{
    char bytes[4096];
    ssize_t len;
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    if (pl_loop_adopt(loop, &pl_http_connection_kind, ends[1]) != 0)
        close(ends[1]);
    for (size_t i = 0; i < sizeof conversation / sizeof conversation[0]; i++)
        if (send(ends[0], conversation[i], strlen(conversation[i]), MSG_NOSIGNAL) < 0)
            break;
    shutdown(ends[0], SHUT_WR);
    do {
        len = recv(ends[0], bytes, sizeof bytes, 0);
    } while (len > 0);
    close(ends[0]);
}

/* True when the n-th allocation was reached. */
static bool try_failing(long n, bool and_all_after)
{
    struct stage stage;
    int fd;

    stage_open(&stage);
    atomic_store(&has_failed, false);
    atomic_store(&for_good, and_all_after);
    atomic_store(&allocations_left, n);
    converse(stage.loop);
    atomic_store(&allocations_left, -1);
    fd = stage_client(&stage);
    say(fd, HEALTH GET_ONE);
    hear(fd, 200, "healthy: dynamodb.us-east-1.amazonaws.com ");
    hear(fd, 200, NULL);
    close(fd);
    stage_close(&stage);
    return atomic_load(&has_failed);
}

static void one_failed_allocation_costs_at_most_its_connection(void)
{
    long n = 0;

    while (try_failing(n, false))
        n++;
    CHECK_MSG(n > 20, "only %ld allocations were reached", n);
}

static void no_memory_at_all_costs_at_most_the_connections(void)
{
    long n = 0;

    while (try_failing(n, true))
        n++;
    CHECK_MSG(n > 20, "only %ld allocations were reached", n);
}

static void ask(int fd, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        say(fd, PUT_ONE);
        hear(fd, 200, "{}");
        say(fd, GET_ONE);
        hear(fd, 200, NULL);
        say(fd, HEALTH);
        hear(fd, 200, NULL);
    }
}

static void the_steady_state_costs_no_allocation(void)
{
    struct stage stage;
    long before;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    ask(fd, 20);
    before = atomic_load(&allocation_count);
    ask(fd, 100);
    CHECK_MSG(atomic_load(&allocation_count) == before, "%ld allocations",
              (long)atomic_load(&allocation_count) - before);
    close(fd);
    stage_close(&stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(one_failed_allocation_costs_at_most_its_connection);
    RUN(no_memory_at_all_costs_at_most_the_connections);
    RUN(the_steady_state_costs_no_allocation);
    return test_summary();
}
