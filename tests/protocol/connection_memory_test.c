/* SPDX-License-Identifier: MIT */
#include "front/connection.h"
#include "standin.h"
#include "starving.h"

#include "test.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Every allocation that a conversation costs the loop's thread fails in turn, once or with all
 * that follow. The client then gets an ERR, or loses its connection: the next one is served.
 */
static const char *const conversation[] = {
    "PUT T {\"id\":1,\"v\":[1,{\"a\":\"b\"}]} IF #n = :v NAMES {\"#n\":\"v\"} VALUES "
    "{\":v\":{\"$set\":[1,2]}}\n",
    "GET T {\"id\":1}\n#t GET T {\"id\":1} SELECT v\n#u PUT T {\"id\":2}\n",
    "BATCH WRITE {\"T\":{\"put\":[{\"id\":3}],\"delete\":[{\"id\":4}]}}\n",
    "TRANSACT TOKEN \"t\" "
    "[{\"put\":\"T\",\"item\":{\"id\":5}},{\"update\":\"T\",\"key\":{\"id\":6},\"set\":\"SET v = :v\","
    "\"values\":{\":v\":[1]},\"if\":\"v = :v\"}] CAPACITY TOTAL\n",
    "TRANSACT [{\"get\":\"T\",\"key\":{\"id\":5},\"project\":\"v\"},{\"get\":\"T\",\"key\":{\"id\":6}}]\n",
    "COUNT Pages\nSCAN T\nRELOAD\nSTATS\nTABLES\n",
    "CREATE Carts {\"partition_key\":\"id:N\"}\nHELP\nHELP PUT\nNONSENSE\n",
    "#f TAIL T FROM oldest\n",
    "\nTAIL T FROM latest\n",
    "UPDATE T {\"id\":1} SET a = 1, b = ", /* in two pieces, so that the first must be kept */
    "2 RETURN ALL_NEW\nQUIT\n",
};

/* True when the n-th allocation was reached. */
static bool try_failing(long n, bool and_all_after)
{
    struct standin standin;
    struct pl_loop_options options = {
        .line_bytes_max = 4096,
        .unsent_bytes_max = 1 << 20,
        .in_flight_max = 8,
        .drain_timeout_ms = 5000,
    };
    struct pl_loop *loop;
    char reply[4] = "";
    bool reached;
    int ends[2];

    standin_init(&standin);
    options.engine = standin_engine(&standin);
    CHECK(pl_loop_start(&options, &loop) == 0);
    atomic_store(&standin.records, 3);
    starving_begin(n, and_all_after);
    starving_converse(loop, &pl_connection_kind, conversation, sizeof conversation / sizeof conversation[0]);
    reached = starving_end();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(pl_loop_adopt(loop, &pl_connection_kind, ends[1]) == 0);
    CHECK(send(ends[0], "PING\n", 5, MSG_NOSIGNAL) == 5);
    CHECK_MSG(recv(ends[0], reply, 3, MSG_WAITALL) == 3 && memcmp(reply, "OK\n", 3) == 0, "allocation %ld",
              n);
    close(ends[0]);
    pl_loop_stop(loop);
    pl_loop_join(loop);
    CHECK(atomic_load(&standin.tails) == 0);
    CHECK(atomic_load(&standin.attached) == 0 && atomic_load(&standin.pending) == 0);
    standin_deinit(&standin);
    return reached;
}

static void one_failed_allocation_costs_at_most_its_connection(void)
{
    long n = 0;

    while (try_failing(n, false))
        n++;
    CHECK_MSG(n > 15, "only %ld allocations were reached", n);
}

static void no_memory_at_all_costs_at_most_the_connections(void)
{
    long n = 0;

    while (try_failing(n, true))
        n++;
    CHECK_MSG(n > 15, "only %ld allocations were reached", n);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(one_failed_allocation_costs_at_most_its_connection);
    RUN(no_memory_at_all_costs_at_most_the_connections);
    return test_summary();
}
