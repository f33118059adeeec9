/* SPDX-License-Identifier: MIT */
#include "served.h"
#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/wait.h>

/*
 * A thousand accounts in ten banks. Eight clients move money inside the banks, by transactions; others read all
 * accounts of a bank in one transaction, while the server is killed again and again: a bank never
 * has more money or less.
 *
 *     bank_test PERILUNE [refuses]
 *
 * With `refuses` PERILUNE is one with a planted fault, and a wrong sum must turn up. PL_ROUNDS (kills) and PL_SEED make it
 * longer and other; PL_KEEP keeps the data of a run that failed.
 */
enum {
    BANKS = 10,
    ACCOUNTS = 100, /* of a bank: as many as a transaction takes */
    DEPOSIT = 1000, /* what an account begins with */
    WORTH = ACCOUNTS * DEPOSIT,
    MOVERS = 8,
    READERS = 3,
    ROUNDS = 25,
    MUTANT_ROUNDS_MAX = 200,
    MOVES_MAX = 600, /* before a kill */
    PAYEES_MAX = 6,
    ACCOUNT_BYTES = 200, /* of a request */
    LINE_BYTES = ACCOUNTS * ACCOUNT_BYTES,
};

static struct served server;
static uint64_t seed;
static unsigned rounds = ROUNDS;

/* Shared by all threads of a round. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t round_moves; /* answered, in this round */
    uint64_t moves, cancelled, reads;
    uint64_t wrong; /* sums, or replies that nobody knows */
} books = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

struct client {
    pthread_t thread;
    uint64_t random;
    struct link link;
    char line[LINE_BYTES];
    size_t len;
};

static void say(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    client->len +=
        (size_t)vsnprintf(client->line + client->len, sizeof client->line - client->len, format, args);
    va_end(args);
}

static unsigned below(struct client *client, unsigned count)
{
    return (unsigned)(test_random(&client->random) % count);
}

static void note_wrong(const char *what, long value)
{
    pthread_mutex_lock(&books.lock);
    if (books.wrong++ == 0)
        fprintf(stderr, "%s: %ld\n", what, value);
    pthread_cond_broadcast(&books.changed);
    pthread_mutex_unlock(&books.lock);
}

/* ---- moving ----------------------------------------------------------------------------------------- */

static void say_pay(struct client *client, unsigned bank, unsigned account, unsigned amount)
{
    say(client,
        "{\"update\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"},\"set\":\"SET Money = Money - "
        "%u\",\"if\":\"Money >= "
        "%u\"}",
        bank, account, amount, amount);
}

static void say_receive(struct client *client, unsigned bank, unsigned account, unsigned amount)
{
    say(client,
        ",{\"update\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"},\"set\":\"SET Money = if_not_exists(Money, 0) "
        "+ %u\"}",
        bank, account, amount);
}

/* One account pays some others. */
static void say_move(struct client *client, unsigned bank)
{
    unsigned payees = 1 + below(client, PAYEES_MAX), amount = 1 + below(client, DEPOSIT / 4);
    unsigned payer = below(client, ACCOUNTS), step = 1 + below(client, ACCOUNTS / PAYEES_MAX - 1);

    client->len = 0;
    say(client, "TRANSACT [");
    say_pay(client, bank, payer, amount * payees);
    for (unsigned i = 1; i <= payees; i++)
        say_receive(client, bank, (payer + i * step) % ACCOUNTS, amount);
    say(client, "]\n");
}

/* As a move, but the last condition can not hold: none of it must happen. */
static void say_vain_move(struct client *client, unsigned bank)
{
    unsigned payer = below(client, ACCOUNTS - 2);

    client->len = 0;
    say(client, "TRANSACT [");
    say_receive(client, bank, payer + 1, 1 + below(client, DEPOSIT));
    client->line[strlen("TRANSACT [")] = ' '; /* the comma */
    say(client, ",{\"check\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"},\"if\":\"Money > %d\"}]\n", bank, payer,
        WORTH);
}

/* -1: there is no such account. */
static long money_in(const char *row)
{
    const char *at = strstr(row, "\"Money\":");

    return at != NULL ? strtol(at + strlen("\"Money\":"), NULL, 10) : -1;
}

/* Two accounts as of one moment. False: the server is gone. */
static bool look_at_two(struct client *client, unsigned bank, const unsigned *accounts, long *money)
{
    const char *row;

    client->len = 0;
    say(client,
        "TRANSACT [{\"get\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"}},{\"get\":\"Accounts\",\"key\":{\"Id\":"
        "\"b%u.%u\"}}]\n",
        bank, accounts[0], bank, accounts[1]);
    if (!link_send(&client->link, client->line))
        return false;
    for (int i = 0; i < 2; i++) {
        row = link_take(&client->link);
        if (row == NULL)
            return false;
        money[i] = money_in(row);
    }
    return link_take(&client->link) != NULL;
}

static void say_unchanged(struct client *client, long money)
{
    if (money < 0)
        say(client, ",\"if\":\"attribute_not_exists(Id)\"}");
    else
        say(client, ",\"if\":\"Money = %ld\"}", money);
}

/* One account is closed, and another has what was in it, if both are still as they were. False: the server is gone. */
static bool say_closing(struct client *client, unsigned bank)
{
    unsigned first = below(client, ACCOUNTS);
    unsigned accounts[2] = { first, (first + 1 + below(client, ACCOUNTS - 1)) % ACCOUNTS };
    long money[2];

    if (!look_at_two(client, bank, accounts, money))
        return false;
    client->len = 0;
    say(client, "TRANSACT [{\"delete\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"}", bank, accounts[0]);
    say_unchanged(client, money[0]);
    say(client, ",{\"put\":\"Accounts\",\"item\":{\"Id\":\"b%u.%u\",\"Money\":%ld}", bank, accounts[1],
        (money[0] > 0 ? money[0] : 0) + (money[1] > 0 ? money[1] : 0));
    say_unchanged(client, money[1]);
    say(client, "]\n");
    return true;
}

/* False: the server is gone. */
static bool say_some_move(struct client *client, bool *in_vain)
{
    unsigned bank = below(client, BANKS), kind = below(client, 8);

    *in_vain = kind == 0;
    if (kind == 0)
        say_vain_move(client, bank);
    else if (kind == 1)
        return say_closing(client, bank);
    else
        say_move(client, bank);
    return true;
}

static void note_move(bool done)
{
    pthread_mutex_lock(&books.lock);
    books.round_moves++;
    books.moves += done;
    books.cancelled += !done;
    pthread_cond_broadcast(&books.changed);
    pthread_mutex_unlock(&books.lock);
}

/* 0: the server is gone; 1: it answered. */
static int take_answer(struct client *client, bool in_vain)
{
    const char *reply = link_take(&client->link);
    bool done;

    while (reply != NULL && strncmp(reply, "ROW ", 4) == 0)
        reply = link_take(&client->link);
    if (reply == NULL)
        return 0;
    done = strcmp(reply, "OK") == 0;
    if (!done && strncmp(reply, "ERR TransactionCanceledException ", 33) != 0)
        note_wrong(reply, 0);
    if (done && in_vain)
        note_wrong("done, though a condition did not hold", 0);
    note_move(done);
    return 1;
}

static void *move_on(void *arg)
{
    struct client *client = arg;
    bool in_vain;

    if (!link_open(&client->link, server.port))
        return NULL;
    while (say_some_move(client, &in_vain) && link_send(&client->link, client->line) &&
           take_answer(client, in_vain))
        continue;
    link_close(&client->link);
    return NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static void say_read(struct client *client, unsigned bank)
{
    client->len = 0;
    say(client, "TRANSACT [");
    for (unsigned account = 0; account < ACCOUNTS; account++)
        say(client, "%s{\"get\":\"Accounts\",\"key\":{\"Id\":\"b%u.%u\"},\"project\":\"Money\"}",
            account == 0 ? "" : ",", bank, account);
    say(client, "]\n");
}

/* All money of a bank at one moment. False: the server is gone. */
static bool read_bank(struct client *client, unsigned bank, long *sum)
{
    unsigned rows = 0;
    const char *line;

    say_read(client, bank);
    *sum = 0;
    if (!link_send(&client->link, client->line))
        return false;
    while ((line = link_take(&client->link)) != NULL && strncmp(line, "ROW ", 4) == 0) {
        long money = money_in(line);

        rows++;
        *sum += money > 0 ? money : 0;
    }
    if (line == NULL)
        return false;
    if (strncmp(line, "END ", 4) != 0 || rows != ACCOUNTS)
        note_wrong(line, rows);
    return true;
}

static void note_read(long sum)
{
    pthread_mutex_lock(&books.lock);
    books.reads++;
    pthread_mutex_unlock(&books.lock);
    if (sum != WORTH)
        note_wrong("a bank has", sum);
}

static void *read_on(void *arg)
{
    struct client *client = arg;
    long sum;

    if (!link_open(&client->link, server.port))
        return NULL;
    while (read_bank(client, below(client, BANKS), &sum))
        note_read(sum);
    link_close(&client->link);
    return NULL;
}

/* ---- rounds ----------------------------------------------------------------------------------------- */

static struct client clients[MOVERS + READERS];

static void open_accounts(struct client *client)
{
    const char *reply = link_ask(
        &client->link, "CREATE Accounts {\"partition_key\":\"Id:S\",\"stream\":\"new_and_old_images\"}\n");

    CHECK_MSG(reply != NULL && strncmp(reply, "OK", 2) == 0, "%s", reply);
    for (unsigned bank = 0; bank < BANKS; bank++) {
        client->len = 0;
        say(client, "TRANSACT [");
        for (unsigned account = 0; account < ACCOUNTS; account++)
            say(client, "%s{\"put\":\"Accounts\",\"item\":{\"Id\":\"b%u.%u\",\"Money\":%d}}",
                account == 0 ? "" : ",", bank, account, DEPOSIT);
        say(client, "]\n");
        reply = link_ask(&client->link, client->line);
        CHECK_MSG(reply != NULL && strcmp(reply, "OK") == 0, "%s", reply);
    }
}

/* Nobody else is there. */
static void audit(bool first)
{
    struct client *client = &clients[0];
    long sum;

    CHECK(link_open(&client->link, server.port));
    if (first)
        open_accounts(client);
    for (unsigned bank = 0; bank < BANKS; bank++) {
        CHECK(read_bank(client, bank, &sum));
        note_read(sum);
    }
    link_close(&client->link);
}

static void check_all_stored(void)
{
    struct link *link = &clients[0].link;
    const char *reply;

    CHECK(link_open(link, server.port));
    reply = link_ask(link, "CHECK\n");
    CHECK_MSG(reply != NULL && strstr(reply, "\"ok\":true") != NULL, "%s", reply);
    link_close(link);
}

static void await_moves(uint64_t count)
{
    pthread_mutex_lock(&books.lock);
    while (books.round_moves < count && books.wrong == 0)
        pthread_cond_wait(&books.changed, &books.lock);
    pthread_mutex_unlock(&books.lock);
}

static void run_and_kill(void)
{
    books.round_moves = 0;
    for (int i = 0; i < MOVERS + READERS; i++) {
        clients[i].random = test_random(&seed);
        CHECK(pthread_create(&clients[i].thread, NULL, i < MOVERS ? move_on : read_on, &clients[i]) == 0);
    }
    await_moves(1 + test_random(&seed) % MOVES_MAX);
    served_kill(&server);
    for (int i = 0; i < MOVERS + READERS; i++)
        pthread_join(clients[i].thread, NULL);
}

static void tell_books(unsigned round)
{
    printf("%u rounds: %" PRIu64 " moves done, %" PRIu64 " cancelled, %" PRIu64 " reads of a bank\n", round,
           books.moves, books.cancelled, books.reads);
}

static unsigned run_rounds(unsigned count)
{
    unsigned round = 0;

    for (; round < count && books.wrong == 0; round++) {
        CHECK(served_start(&server) && served_await(&server));
        audit(round == 0);
        if (books.wrong == 0)
            run_and_kill();
    }
    tell_books(round);
    return round;
}

static void every_read_sums_to_the_same_under_kill_9(void)
{
    int status;

    run_rounds(rounds);
    CHECK(books.wrong == 0);
    CHECK(served_start(&server) && served_await(&server));
    audit(false);
    CHECK(books.wrong == 0);
    check_all_stored();
    status = served_stop(&server);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    CHECK(books.moves > rounds && books.reads > rounds);
}

static void a_planted_fault_shows_in_a_sum(void)
{
    run_rounds(MUTANT_ROUNDS_MAX);
    CHECK(books.wrong > 0);
}

int main(int count, char **args)
{
    bool refuses = count == 3 && strcmp(args[2], "refuses") == 0;

    if (count < 2 || (count > 2 && !refuses)) {
        fprintf(stderr, "usage: bank_test PERILUNE [refuses]\n");
        return 2;
    }
    if (!served_init(&server, args[1])) {
        perror(server.home);
        return 1;
    }
    seed = test_seed();
    if (getenv("PL_ROUNDS") != NULL)
        rounds = (unsigned)strtoul(getenv("PL_ROUNDS"), NULL, 0);
    for (int i = 0; i < MOVERS + READERS; i++)
        clients[i].link.fd = -1;
    if (refuses)
        RUN(a_planted_fault_shows_in_a_sum);
    else
        RUN(every_read_sums_to_the_same_under_kill_9);
    served_kill(&server);
    if (test_fail_count > 0) {
        served_quote(&server);
        fprintf(stderr, "PL_SEED=%" PRIu64 "\n", test_seed());
    }
    served_deinit(&server, test_fail_count > 0 && getenv("PL_KEEP") != NULL);
    return test_summary();
}
