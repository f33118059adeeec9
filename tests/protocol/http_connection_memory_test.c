/* SPDX-License-Identifier: MIT */
#include "http_stage.h"
#include "starving.h"

#include <signal.h>

/*
 * Every allocation that a conversation costs the loop's thread fails in turn, once or with all that follow. The
 * client then gets an error, or loses its connection: the next one is served. And without failures, the steady state costs
 * no allocation at all.
 */
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

/* True when the n-th allocation was reached. */
static bool try_failing(long n, bool and_all_after)
{
    struct stage stage;
    bool reached;
    int fd;

    stage_open(&stage);
    starving_begin(n, and_all_after);
    starving_converse(stage.loop, &pl_http_connection_kind, conversation,
                      sizeof conversation / sizeof conversation[0]);
    reached = starving_end();
    fd = stage_client(&stage);
    say(fd, HEALTH GET_ONE);
    hear(fd, 200, "healthy: dynamodb.us-east-1.amazonaws.com ");
    hear(fd, 200, NULL);
    close(fd);
    stage_close(&stage);
    return reached;
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
    before = starving_count();
    ask(fd, 100);
    CHECK_MSG(starving_count() == before, "%ld allocations", starving_count() - before);
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
