/* SPDX-License-Identifier: MIT */
#include "served.h"
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * The real server, killed again and again while writers are at it. Each key has one writer and a ledger:
 * the last version that was acknowledged, and the last that was asked for. What is read, while
 * the server runs and after each restart, lies between the two; an item is whole or not there.
 *
 *     kill_test PERILUNE [ROUNDS]
 */
enum {
    WRITERS = 6,
    READERS = 2,
    KEYS = 8, /* of each writer */
    ROUNDS = 50,
    READY_MS_MAX = 2000,
    RUN_MS_MAX = 150,
    LINE_BYTES = 8192,
};

struct entry {
    atomic_int acknowledged, asked; /* versions; every seventh is a deletion */
};

static struct served server;
static struct entry ledger[WRITERS][KEYS];
static atomic_ulong writes, reads, mistakes;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_deletion(int version)
{
    return version % 7 == 0;
}

/* ---- the server ------------------------------------------------------------------------------------- */

/* Returns how long it took. */
static uint64_t start(void)
{
    uint64_t since = now_ms();

    CHECK(served_start(&server));
    CHECK_MSG(served_await(&server), "the server did not start: see %s", server.errors);
    return now_ms() - since;
}

/* ---- what is in an item ----------------------------------------------------------------------------- */

static size_t text_len(int version)
{
    return (size_t)(version * 37 % 1500);
}

static void format_write(char *line, size_t size, int writer, int key, int version)
{
    int len;

    if (is_deletion(version)) {
        snprintf(line, size, "DEL Ledger {\"P\":\"w%d\",\"S\":%d}\n", writer, key);
        return;
    }
    len = snprintf(line, size, "PUT Ledger {\"P\":\"w%d\",\"S\":%d,\"V\":%d,\"G\":\"g%d\",\"T\":\"", writer,
                   key, version, version % 3);
    memset(line + len, 'x', text_len(version));
    snprintf(line + len + text_len(version), size - (size_t)len - text_len(version), "\",\"W\":%d}\n",
             version);
}

/* The version that a reply to GET shows: 0 for none, -1 for an item that is not whole. */
static int shown_version(const char *reply)
{
    const char *v = strstr(reply, "\"V\":"), *w = strstr(reply, "\"W\":"), *t = strstr(reply, "\"T\":\"");

    if (strncmp(reply, "OK", 2) != 0)
        return -1;
    if (strchr(reply, '{') == NULL)
        return 0;
    if (v == NULL || w == NULL || t == NULL || atoi(v + 4) != atoi(w + 4) ||
        strspn(t + 5, "x") != text_len(atoi(v + 4)))
        return -1;
    return atoi(v + 4);
}

/* Could the key look like this, when `from` was acknowledged before and `to` asked for after? */
static bool is_explained(int shown, int from, int to)
{
    for (int version = from; version <= to; version++)
        if (shown == (version == 0 || is_deletion(version) ? 0 : version))
            return true;
    return false;
}

static int read_key(struct link *link, int writer, int key, int *shown)
{
    char line[80];
    const char *reply;

    snprintf(line, sizeof line, "GET Ledger {\"P\":\"w%d\",\"S\":%d} CONSISTENT\n", writer, key);
    reply = link_ask(link, line);
    if (reply == NULL)
        return -1;
    *shown = shown_version(reply);
    return 0;
}

/* ---- threads ---------------------------------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    int number;
    uint16_t port;
};

static void complain(const char *what, int writer, int key, int shown)
{
    if (key < 0)
        fprintf(stderr, "w%d: %s\n", writer, what);
    else
        fprintf(stderr, "%s: w%d/%d shows %d, acknowledged %d, asked %d\n", what, writer, key, shown,
                atomic_load(&ledger[writer][key].acknowledged), atomic_load(&ledger[writer][key].asked));
    atomic_fetch_add(&mistakes, 1);
}

static void *write_on(void *arg)
{
    struct worker *worker = arg;
    struct link link;
    char line[LINE_BYTES];

    if (!link_open(&link, worker->port))
        return NULL;
    for (int i = 0;; i++) {
        struct entry *entry = &ledger[worker->number][i % KEYS];
        int version = atomic_load(&entry->asked) + 1;
        const char *reply;

        format_write(line, sizeof line, worker->number, i % KEYS, version);
        atomic_store(&entry->asked, version);
        reply = link_ask(&link, line);
        if (reply == NULL)
            break;
        if (strncmp(reply, "OK", 2) != 0) {
            fprintf(stderr, "%s\n", reply);
            atomic_fetch_add(&mistakes, 1);
            break;
        }
        atomic_store(&entry->acknowledged, version);
        atomic_fetch_add(&writes, 1);
    }
    link_close(&link);
    return NULL;
}

/*
 * A local index that holds keys alone: each row is completed from its item, which a writer may be
 * changing. Whole it must be all the same.
 */
static int query_index(struct link *link, int writer)
{
    char line[100];
    const char *reply;

    snprintf(line, sizeof line, "QUERY Ledger/ByV WHERE P = \"w%d\" SELECT V, W, T\n", writer);
    reply = link_ask(link, line);
    while (reply != NULL && strncmp(reply, "ROW", 3) == 0) {
        /* As a reply to GET it would begin with OK. */
        char row[LINE_BYTES];

        snprintf(row, sizeof row, "OK %s", reply);
        if (shown_version(row) <= 0)
            complain(reply, writer, -1, -1);
        reply = link_take(link);
    }
    if (reply != NULL && strncmp(reply, "END", 3) != 0)
        complain(reply, writer, -1, -1);
    return reply == NULL ? -1 : 0;
}

static void *read_on(void *arg)
{
    struct worker *worker = arg;
    uint64_t seed = (uint64_t)worker->number + 1;
    struct link link;

    if (!link_open(&link, worker->port))
        return NULL;
    for (;;) {
        int writer = (int)(test_random(&seed) % WRITERS), key = (int)(test_random(&seed) % KEYS), shown;
        struct entry *entry = &ledger[writer][key];
        int from = atomic_load(&entry->acknowledged);

        if (read_key(&link, writer, key, &shown) != 0 || query_index(&link, writer) != 0)
            break;
        if (!is_explained(shown, from, atomic_load(&entry->asked)))
            complain("while it runs", writer, key, shown);
        atomic_fetch_add(&reads, 1);
    }
    link_close(&link);
    return NULL;
}

/* ---- rounds ----------------------------------------------------------------------------------------- */

static void create_table(uint16_t port)
{
    struct link link;
    const char *reply;

    CHECK(link_open(&link, port));
    reply = link_ask(&link, "CREATE Ledger {\"partition_key\":\"P:S\",\"sort_key\":\"S:N\",\"indexes\":{"
                            "\"ByG\":{\"partition_key\":\"G:S\",\"sort_key\":\"V:N\",\"project\":\"all\"},"
                            "\"ByV\":{\"sort_key\":\"V:N\",\"project\":\"keys_only\"}}}\n");
    CHECK_MSG(reply != NULL && strncmp(reply, "OK", 2) == 0, "%s", reply);
    link_close(&link);
}

/* Everything acknowledged is there, all that is there was asked for, and indexes and counters agree. */
static void verify(uint16_t port)
{
    struct link link;
    const char *reply;

    CHECK(link_open(&link, port));
    for (int writer = 0; writer < WRITERS; writer++) {
        for (int key = 0; key < KEYS; key++) {
            struct entry *entry = &ledger[writer][key];
            int shown = -1;

            CHECK(read_key(&link, writer, key, &shown) == 0);
            if (!is_explained(shown, entry->acknowledged, entry->asked))
                complain("after a restart", writer, key, shown);
            /* What is there now is there to stay. */
            if (shown > 0)
                entry->acknowledged = shown;
            else if (is_deletion(entry->asked))
                entry->acknowledged = entry->asked;
            entry->asked = entry->acknowledged;
        }
    }
    reply = link_ask(&link, "CHECK\n");
    CHECK_MSG(reply != NULL && strstr(reply, "\"ok\":true") != NULL, "%s", reply);
    link_close(&link);
    CHECK(atomic_load(&mistakes) == 0);
}

/* Now and then it is killed while it recovers, too. */
static uint64_t start_after_false_starts(uint64_t *seed)
{
    while (test_random(seed) % 4 == 0) {
        CHECK(served_start(&server));
        usleep((useconds_t)(test_random(seed) % 30000));
        served_kill(&server);
    }
    return start();
}

static void run_and_kill(uint64_t *seed)
{
    struct worker workers[WRITERS + READERS];

    for (int i = 0; i < WRITERS + READERS; i++) {
        workers[i] = (struct worker){ .number = i, .port = server.port };
        CHECK(pthread_create(&workers[i].thread, NULL, i < WRITERS ? write_on : read_on, &workers[i]) == 0);
    }
    usleep((useconds_t)(test_random(seed) % (RUN_MS_MAX * 1000)));
    kill(server.pid, SIGKILL);
    for (int i = 0; i < WRITERS + READERS; i++)
        pthread_join(workers[i].thread, NULL);
    served_kill(&server);
}

static int rounds = ROUNDS;

static void no_acknowledged_write_is_lost_by_kill_9(void)
{
    uint64_t seed = test_seed(), slowest_ms = 0;
    int status;

    for (int round = 0; round < rounds; round++) {
        uint64_t ready_ms = start_after_false_starts(&seed);

        if (round == 0)
            create_table(server.port);
        else
            verify(server.port);
        CHECK_MSG(ready_ms < READY_MS_MAX, "round %d: ready after %llu ms", round,
                  (unsigned long long)ready_ms);
        if (ready_ms > slowest_ms)
            slowest_ms = ready_ms;
        run_and_kill(&seed);
    }
    start();
    verify(server.port);
    status = served_stop(&server);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    printf("%d rounds: %lu writes acknowledged, %lu reads explained, slowest start %llu ms\n", rounds,
           atomic_load(&writes), atomic_load(&reads), (unsigned long long)slowest_ms);
    CHECK(atomic_load(&writes) > (unsigned long)rounds && atomic_load(&reads) > 0);
}

/* ---- a token ---------------------------------------------------------------------------------------- */

enum { TOKEN_KILLS = 10, TOKEN_SENT = 10 };

static const char *const deposit =
    "TRANSACT TOKEN \"deposit-1\" [{\"update\":\"Accounts\",\"key\":{\"Id\":\"a\"},\"set\":\"ADD Euros :e\","
    "\"values\":{\":e\":5}},{\"update\":\"Accounts\",\"key\":{\"Id\":\"b\"},\"set\":\"ADD Euros :e\","
    "\"values\":{\":e\":-5}}]\n";
static const char *const other_deposit =
    "TRANSACT TOKEN \"deposit-1\" [{\"update\":\"Accounts\",\"key\":{\"Id\":\"a\"},\"set\":\"ADD Euros :e\","
    "\"values\":{\":e\":6}}]\n";

static bool says(struct link *link, const char *line, const char *beginning)
{
    const char *reply = link_ask(link, line);

    if (reply != NULL && strncmp(reply, beginning, strlen(beginning)) == 0)
        return true;
    fprintf(stderr, "expected %s, got %s\n", beginning, reply == NULL ? "nothing" : reply);
    return false;
}

/* Each time it is killed at another moment: before, between and after the replies. */
static void send_and_kill(int round)
{
    struct link link;

    CHECK(link_open(&link, server.port));
    for (int i = 0; i < TOKEN_SENT; i++)
        CHECK(link_send(&link, deposit));
    for (int i = 0; i < round; i++)
        CHECK(strcmp(link_take(&link), "OK") == 0);
    served_kill(&server);
    link_close(&link);
}

static void a_token_sent_a_hundred_times_through_kills_is_used_once(void)
{
    struct link link;

    start();
    CHECK(link_open(&link, server.port));
    CHECK(says(&link, "CREATE Accounts {\"partition_key\":\"Id:S\"}\n", "OK"));
    link_close(&link);
    for (int round = 0; round < TOKEN_KILLS; round++) {
        send_and_kill(round);
        start();
    }
    CHECK(link_open(&link, server.port));
    CHECK(says(&link, deposit, "OK"));
    CHECK(says(&link, "GET Accounts {\"Id\":\"a\"}\n", "OK {\"Euros\":5,\"Id\":\"a\"}"));
    CHECK(says(&link, "GET Accounts {\"Id\":\"b\"}\n", "OK {\"Euros\":-5,\"Id\":\"b\"}"));
    CHECK(says(&link, other_deposit, "ERR IdempotentParameterMismatchException"));
    CHECK(says(&link, "CHECK\n", "OK {\"ok\":true"));
    link_close(&link);
    CHECK(served_stop(&server) == 0);
}

int main(int count, char **args)
{
    if (count < 2) {
        fprintf(stderr, "usage: kill_test PERILUNE [ROUNDS]\n");
        return 2;
    }
    if (count > 2)
        rounds = atoi(args[2]);
    if (getenv("PL_ROUNDS") != NULL)
        rounds = atoi(getenv("PL_ROUNDS"));
    if (!served_init(&server, args[1])) {
        perror(server.home);
        return 1;
    }
    RUN(no_acknowledged_write_is_lost_by_kill_9);
    RUN(a_token_sent_a_hundred_times_through_kills_is_used_once);
    if (test_fail_count > 0)
        fprintf(stderr, "PL_SEED=%llu; with PL_KEEP set, %s is kept\n", (unsigned long long)test_seed(),
                server.home);
    served_kill(&server);
    served_deinit(&server, getenv("PL_KEEP") != NULL);
    return test_summary();
}
