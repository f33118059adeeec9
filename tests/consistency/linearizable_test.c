/* SPDX-License-Identifier: MIT */
#include "falsify.h"
#include "recorder.h"
#include "search.h"
#include "test.h"

#include <inttypes.h>

/*
 * Eight clients at a few items of the real server, which is killed under their hands: whatever they
 * are told has an order that explains it, and has none with a falsehood in it.
 *
 *     linearizable_test PERILUNE [items | transactions] [refuses]
 *
 * With `refuses` PERILUNE is one with a planted fault, and a history without an order must turn up. PL_HISTORIES and PL_SEED
 * make it longer and other; PL_KEEP keeps the data of a run that failed.
 */
enum { HISTORIES = 500, CALLS = 22, KILL_ONE_IN = 6, MUTANT_HISTORIES_MAX = 2000 };

static const char *program;
static size_t history_count = HISTORIES;
static struct history history;
static uint64_t seed;

/* What all runs of a kind share. */
struct tally {
    size_t histories, calls, unknown, kills, lies;
};

static bool record(struct recorder *recorder, size_t number, bool transactions, struct tally *tally)
{
    struct plan plan = { .key_count = (uint8_t)(2 + number / 2 % 3), .transactions = transactions };
    unsigned kills = number % KILL_ONE_IN == 0 ? 1 + (unsigned)(number / KILL_ONE_IN % 2) : 0;

    if (!recorder_record(recorder, &plan, CALLS, kills, &history))
        return false;
    tally->histories++;
    tally->kills += kills;
    tally->calls += history.count;
    for (size_t i = 0; i < history.count; i++)
        tally->unknown += history.calls[i].outcome == CALL_UNKNOWN;
    return true;
}

static void tell_tally(const struct tally *tally)
{
    printf("%zu histories, %zu calls, %zu of them cut off by %zu kills; %zu falsehoods refused\n",
           tally->histories, tally->calls, tally->unknown, tally->kills, tally->lies);
}

static void show_history(const char *what)
{
    fprintf(stderr, "%s:\n", what);
    history_print(&history, stderr);
}

static void tell_strange(const struct recorder *recorder)
{
    fprintf(stderr, "strange: %s\n", recorder->strange);
    served_quote(&recorder->served);
}

/* The first that has a place, beginning at a random one. */
static bool tell_a_lie(enum falsehood *falsehood)
{
    unsigned first = (unsigned)(test_random(&seed) % FALSEHOOD_TOTAL);

    for (unsigned i = 0; i < FALSEHOOD_TOTAL; i++) {
        *falsehood = (enum falsehood)((first + i) % FALSEHOOD_TOTAL);
        if (falsify(&history, *falsehood, &seed))
            return true;
    }
    return false;
}

/* NULL, or what is wrong with it. */
static const char *judge(struct tally *tally)
{
    enum falsehood falsehood;
    enum verdict verdict = search_order(&history);

    if (verdict != VERDICT_EXPLAINED)
        return verdict == VERDICT_REFUSED ? "no order explains this history"
                                          : "no order was found for this history in reasonable time";
    if (!tell_a_lie(&falsehood))
        return "there is no place for a falsehood in this history";
    if (search_order(&history) != VERDICT_REFUSED)
        return falsehood_sentence(falsehood);
    tally->lies++;
    return NULL;
}

static void check_histories(bool transactions)
{
    struct recorder recorder;
    struct tally tally = { 0 };
    const char *wrong = NULL;
    bool recorded = true;

    CHECK(recorder_open(&recorder, program, test_random(&seed)));
    for (size_t i = 0; i < history_count && recorded && wrong == NULL; i++) {
        recorded = record(&recorder, i, transactions, &tally);
        wrong = recorded ? judge(&tally) : NULL;
    }
    tell_tally(&tally);
    if (recorded && wrong == NULL) {
        CHECK(recorder_close(&recorder));
        return;
    }
    if (wrong != NULL)
        show_history(wrong);
    else
        tell_strange(&recorder);
    recorder_abandon(&recorder);
    CHECK_MSG(false, "history %zu", tally.histories);
}

static void single_items_are_linearizable_under_kill_9(void)
{
    check_histories(false);
}

static void transactions_are_strictly_serializable_under_kill_9(void)
{
    check_histories(true);
}

static void a_planted_fault_is_found_out(bool transactions)
{
    struct recorder recorder;
    struct tally tally = { 0 };
    enum verdict verdict = VERDICT_EXPLAINED;

    CHECK(recorder_open(&recorder, program, test_random(&seed)));
    for (size_t i = 0; i < MUTANT_HISTORIES_MAX && verdict == VERDICT_EXPLAINED; i++) {
        if (!record(&recorder, i, transactions, &tally))
            break;
        verdict = search_order(&history);
    }
    printf("%s after ", verdict == VERDICT_REFUSED ? "refused" : "NOT refused");
    tell_tally(&tally);
    if (recorder.broken)
        tell_strange(&recorder);
    recorder_abandon(&recorder);
    CHECK(verdict == VERDICT_REFUSED);
}

static void a_planted_fault_shows_in_single_items(void)
{
    a_planted_fault_is_found_out(false);
}

static void a_planted_fault_shows_in_transactions(void)
{
    a_planted_fault_is_found_out(true);
}

int main(int count, char **args)
{
    bool items = count < 3 || strcmp(args[2], "items") == 0;
    bool transactions = count < 3 || strcmp(args[2], "transactions") == 0;
    bool refuses = count > 3 && strcmp(args[3], "refuses") == 0;

    if (count < 2 || !(items || transactions) || (count > 3 && !refuses)) {
        fprintf(stderr, "usage: linearizable_test PERILUNE [items | transactions] [refuses]\n");
        return 2;
    }
    program = args[1];
    seed = test_seed();
    if (getenv("PL_HISTORIES") != NULL)
        history_count = strtoull(getenv("PL_HISTORIES"), NULL, 0);
    if (items && refuses)
        RUN(a_planted_fault_shows_in_single_items);
    else if (items)
        RUN(single_items_are_linearizable_under_kill_9);
    if (transactions && refuses)
        RUN(a_planted_fault_shows_in_transactions);
    else if (transactions)
        RUN(transactions_are_strictly_serializable_under_kill_9);
    if (test_fail_count > 0)
        fprintf(stderr, "PL_SEED=%" PRIu64 "\n", test_seed());
    return test_summary();
}
