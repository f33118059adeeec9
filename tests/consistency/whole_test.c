/* SPDX-License-Identifier: MIT */
#include "served.h"
#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * A transaction puts the same number into a hundred items, and then the next. Who reads single items, one after
 * another, never meets a smaller number than before: a transaction is seen whole, by single reads too.
 *
 *     whole_test PERILUNE [refuses]
 *
 * With `refuses` PERILUNE is one with a planted fault, and a number that falls must turn up. PL_TRANSACTIONS and PL_SEED make
 * it longer and other.
 */
enum {
    ITEMS = 100,
    READERS = 3,
    TRANSACTIONS = 1500,
    MUTANT_TRANSACTIONS_MAX = 50000,
    ITEM_BYTES = 64,
};

static struct served server;
static atomic_bool over;
static atomic_ulong reads, falls, strange;

/* ---- the writer ------------------------------------------------------------------------------------- */

static bool put_all(struct link *link, unsigned number)
{
    static char line[ITEMS * ITEM_BYTES];
    size_t len = (size_t)sprintf(line, "TRANSACT [");
    const char *reply;

    for (unsigned item = 0; item < ITEMS; item++)
        len += (size_t)snprintf(line + len, sizeof line - len,
                                "%s{\"put\":\"Items\",\"item\":{\"Id\":\"i%u\",\"N\":%u}}",
                                item > 0 ? "," : "", item, number);
    snprintf(line + len, sizeof line - len, "]\n");
    reply = link_ask(link, line);
    return reply != NULL && strcmp(reply, "OK") == 0;
}

/* ---- the readers ------------------------------------------------------------------------------------ */

struct reader {
    pthread_t thread;
    uint64_t random;
    struct link link;
};

/* 0: no such item; -1: no such reply. */
static long read_one(struct reader *reader)
{
    char line[ITEM_BYTES];
    const char *reply, *number;

    snprintf(line, sizeof line, "GET Items {\"Id\":\"i%u\"} CONSISTENT\n",
             (unsigned)(test_random(&reader->random) % ITEMS));
    reply = link_ask(&reader->link, line);
    if (reply == NULL || strncmp(reply, "OK", 2) != 0)
        return -1;
    number = strstr(reply, "\"N\":");
    return number != NULL ? strtol(number + 4, NULL, 10) : 0;
}

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    long most = 0;

    if (!link_open(&reader->link, server.port)) {
        atomic_fetch_add(&strange, 1);
        return NULL;
    }
    while (!atomic_load(&over)) {
        long number = read_one(reader);

        atomic_fetch_add(&reads, 1);
        if (number < 0)
            break;
        if (number < most && atomic_fetch_add(&falls, 1) == 0)
            fprintf(stderr, "after %ld came %ld\n", most, number);
        most = number > most ? number : most;
    }
    if (!atomic_load(&over))
        atomic_fetch_add(&strange, 1);
    link_close(&reader->link);
    return NULL;
}

/* ---- both ------------------------------------------------------------------------------------------- */

static struct reader readers[READERS];
static struct link writer = { .fd = -1 };

static void start_all(void)
{
    uint64_t seed = test_seed();
    const char *reply;

    CHECK(served_start(&server) && served_await(&server) && link_open(&writer, server.port));
    reply = link_ask(&writer, "CREATE Items {\"partition_key\":\"Id:S\"}\n");
    CHECK_MSG(reply != NULL && strncmp(reply, "OK", 2) == 0, "%s", reply);
    for (int i = 0; i < READERS; i++) {
        readers[i].random = test_random(&seed);
        CHECK(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]) == 0);
    }
}

static void write_and_read(unsigned most)
{
    unsigned number = 0;
    bool written = true;

    start_all();
    while (written && number < most && atomic_load(&falls) == 0)
        written = put_all(&writer, ++number);
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    printf("%u transactions of %d items, %lu reads\n", number, ITEMS, atomic_load(&reads));
    CHECK(written && atomic_load(&strange) == 0);
}

static void a_transaction_is_seen_whole_by_single_reads(void)
{
    const char *text = getenv("PL_TRANSACTIONS");

    write_and_read(text != NULL ? (unsigned)strtoul(text, NULL, 0) : TRANSACTIONS);
    CHECK(atomic_load(&falls) == 0);
}

static void a_planted_fault_shows_a_part(void)
{
    write_and_read(MUTANT_TRANSACTIONS_MAX);
    CHECK(atomic_load(&falls) > 0);
}

int main(int count, char **args)
{
    bool refuses = count == 3 && strcmp(args[2], "refuses") == 0;

    if (count < 2 || (count > 2 && !refuses)) {
        fprintf(stderr, "usage: whole_test PERILUNE [refuses]\n");
        return 2;
    }
    if (!served_init(&server, args[1])) {
        perror(server.home);
        return 1;
    }
    if (refuses)
        RUN(a_planted_fault_shows_a_part);
    else
        RUN(a_transaction_is_seen_whole_by_single_reads);
    served_kill(&server);
    link_close(&writer);
    if (test_fail_count > 0) {
        served_quote(&server);
        fprintf(stderr, "PL_SEED=%" PRIu64 "\n", test_seed());
    }
    served_deinit(&server, false);
    return test_summary();
}
