/* SPDX-License-Identifier: MIT */
#include "search.h"

#include "falsify.h"
#include "perfect.h"
#include "test.h"

#include <inttypes.h>

/*
 * The search for an order, against the answer that trying all orders gives, and against histories
 * that are known to be right or wrong. PL_HISTORIES sets how many of each; PL_SEED which.
 */
enum { HISTORIES = 500, SMALL_FACTOR = 40 };

static uint64_t seed;
static struct history history;

static size_t history_count(void)
{
    const char *text = getenv("PL_HISTORIES");

    return text != NULL ? strtoull(text, NULL, 0) : HISTORIES;
}

/* ---- all orders ------------------------------------------------------------------------------------- */

/* Said again, and plainly, so that one mistake does not agree with itself. */
static bool replay(const struct call *call, int32_t *items)
{
    int32_t after[HISTORY_KEYS_MAX];
    bool refused = false;

    memcpy(after, items, sizeof after);
    for (int i = 0; i < call->action_count; i++) {
        const struct action *action = &call->actions[i];
        int32_t item = items[action->key];
        bool stands = action->guarded && item != action->guard;

        refused |= stands;
        if (call->outcome != CALL_UNKNOWN && action->saw_known && item != action->saw)
            return false;
        if (call->outcome == CALL_REFUSED && stands != action->refused)
            return false;
        if (action->kind == ACTION_PUT)
            after[action->key] = action->value;
        if (action->kind == ACTION_ADD)
            after[action->key] += action->value;
        if (action->kind == ACTION_DELETE)
            after[action->key] = 0;
        if (call->outcome == CALL_DONE && action->made_known && after[action->key] != action->made)
            return false;
    }
    if ((call->outcome == CALL_DONE && refused) || (call->outcome == CALL_REFUSED && !refused))
        return false;
    if (!refused)
        memcpy(items, after, sizeof after);
    return true;
}

/* Every order of every choice of those cut off. */
static bool try_all(unsigned done, const int32_t *items)
{
    bool complete = true;

    for (size_t i = 0; i < history.count; i++) {
        int32_t next[HISTORY_KEYS_MAX];
        bool comes_too_late = false;

        if ((done >> i & 1) != 0)
            continue;
        if (history.calls[i].outcome != CALL_UNKNOWN)
            complete = false;
        /* What is placed already must not have had to wait for this one. */
        for (size_t j = 0; j < history.count; j++)
            if ((done >> j & 1) != 0 && history.calls[i].ended < history.calls[j].begun)
                comes_too_late = true;
        memcpy(next, items, sizeof next);
        if (!comes_too_late && replay(&history.calls[i], next) && try_all(done | 1U << i, next))
            return true;
    }
    return complete;
}

static bool any_order_explains(void)
{
    int32_t nothing[HISTORY_KEYS_MAX] = { 0 };

    return try_all(0, nothing);
}

/* ---- small histories -------------------------------------------------------------------------------- */

/* Somebody is told what another was told, or a call lasted longer or shorter than it did. */
static void disturb(void)
{
    struct call *call = &history.calls[test_random(&seed) % history.count],
                *other = &history.calls[test_random(&seed) % history.count];
    struct action *action = &call->actions[test_random(&seed) % call->action_count];

    switch (test_random(&seed) % 4) {
    case 0:
        action->saw = other->actions[0].saw;
        break;
    case 1:
        action->saw = other->actions[0].value;
        break;
    case 2:
        action->made = other->actions[0].made;
        break;
    default:
        call->ended = call->begun + test_random(&seed) % 50;
        break;
    }
}

static void small_history(uint64_t number)
{
    struct perfect small = { .plan = { .key_count = (uint8_t)(1 + number % 3),
                                       .transactions = number % 2 == 0 },
                             .clients = (uint8_t)(2 + number / 3 % 3),
                             .calls = (uint8_t)(2 + number / 9 % 2),
                             .cut_off_every = number % 5 == 0 ? 0 : 250 };

    do {
        perfect_history(&small, &seed, &history);
    } while (history.count == 0);
}

static void it_agrees_with_all_orders_tried(void)
{
    size_t refused = 0, count = history_count() * SMALL_FACTOR;

    for (size_t i = 0; i < count; i++) {
        bool explained;

        small_history(i);
        for (uint64_t lies = test_random(&seed) % 4; lies > 0; lies--)
            disturb();
        history_sort(&history);
        explained = any_order_explains();
        if (search_order(&history) != (explained ? VERDICT_EXPLAINED : VERDICT_REFUSED)) {
            history_print(&history, stderr);
            CHECK_MSG(false, "history %zu: all orders tried say %s", i, explained ? "yes" : "no");
        }
        refused += !explained;
    }
    printf("%zu small histories, %zu of them refused\n", count, refused);
    CHECK(refused > count / 5 && refused < count * 4 / 5);
}

/* The claim of falsify.c, which the larger histories rest on. */
static void no_order_explains_a_small_history_with_a_falsehood(void)
{
    size_t told[FALSEHOOD_TOTAL] = { 0 };

    for (size_t i = 0; i < history_count() * SMALL_FACTOR; i++) {
        enum falsehood falsehood = (enum falsehood)(test_random(&seed) % FALSEHOOD_TOTAL);

        small_history(i);
        if (!falsify(&history, falsehood, &seed))
            continue;
        told[falsehood]++;
        if (any_order_explains()) {
            history_print(&history, stderr);
            CHECK_MSG(false, "explained with %s", falsehood_sentence(falsehood));
        }
    }
    for (int i = 0; i < FALSEHOOD_TOTAL; i++)
        CHECK_MSG(told[i] > 0, "never told: %s", falsehood_sentence((enum falsehood)i));
}

/* ---- histories as they are recorded ----------------------------------------------------------------- */

static void large_history(uint64_t number)
{
    struct perfect large = { .plan = { .key_count = (uint8_t)(2 + number % 3),
                                       .transactions = number % 2 == 0 },
                             .clients = HISTORY_CLIENTS_MAX,
                             .calls = 25,
                             .cut_off_every = number % 4 == 0 ? 0 : 1200 };

    perfect_history(&large, &seed, &history);
}

static void a_perfect_stores_histories_are_explained_and_their_falsifications_refused(void)
{
    size_t told[FALSEHOOD_TOTAL] = { 0 }, calls = 0, count = history_count();

    for (size_t i = 0; i < count; i++) {
        enum falsehood falsehood;
        enum verdict verdict;

        large_history(i);
        calls += history.count;
        verdict = search_order(&history);
        if (verdict != VERDICT_EXPLAINED)
            history_print(&history, stderr);
        CHECK_MSG(verdict == VERDICT_EXPLAINED, "history %zu: verdict %d", i, (int)verdict);
        do {
            falsehood = (enum falsehood)(test_random(&seed) % FALSEHOOD_TOTAL);
        } while (!falsify(&history, falsehood, &seed));
        told[falsehood]++;
        verdict = search_order(&history);
        if (verdict != VERDICT_REFUSED)
            history_print(&history, stderr);
        CHECK_MSG(verdict == VERDICT_REFUSED, "history %zu, %s: verdict %d", i, falsehood_sentence(falsehood),
                  (int)verdict);
    }
    printf("%zu histories of %zu calls explained, and refused with one falsehood each:\n", count, calls);
    for (int i = 0; i < FALSEHOOD_TOTAL; i++)
        printf("  %4zu  %s\n", told[i], falsehood_sentence((enum falsehood)i));
}

/* ---- by hand ---------------------------------------------------------------------------------------- */

static struct call *ask(uint64_t begun, uint64_t ended, enum outcome outcome, struct action action)
{
    struct call *call = &history.calls[history.count++];

    *call = (struct call){
        .begun = begun, .ended = ended, .outcome = outcome, .action_count = 1, .actions = { action }
    };
    return call;
}

static struct action put_of(int32_t value)
{
    return (struct action){ .kind = ACTION_PUT, .value = value };
}

static struct action get_of(int32_t value)
{
    return (struct action){ .kind = ACTION_GET, .saw_known = true, .saw = value };
}

static void clear(void)
{
    history.count = 0;
    history.key_count = 2;
}

static void a_write_that_ended_is_seen_by_what_begins_later(void)
{
    clear();
    ask(1, 2, CALL_DONE, put_of(1000));
    ask(3, 4, CALL_DONE, get_of(0));
    CHECK(search_order(&history) == VERDICT_REFUSED);
    history.calls[1].begun = 2;
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
}

static void what_was_cut_off_may_be_done_or_not_but_not_both(void)
{
    clear();
    ask(1, 10, CALL_UNKNOWN, put_of(1000));
    ask(2, 3, CALL_DONE, get_of(0));
    ask(4, 5, CALL_DONE, get_of(1000));
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
    ask(6, 7, CALL_DONE, get_of(0));
    CHECK(search_order(&history) == VERDICT_REFUSED);
    history.calls[2].actions[0].saw = 0;
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
}

static void what_was_cut_off_is_not_done_after_its_end(void)
{
    clear();
    ask(1, 10, CALL_UNKNOWN, put_of(1000));
    ask(11, 12, CALL_DONE, get_of(0));
    ask(13, 14, CALL_DONE, get_of(1000));
    CHECK(search_order(&history) == VERDICT_REFUSED);
    history.calls[0].ended = 11;
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
}

static void a_transaction_falls_on_one_moment(void)
{
    struct call *both;

    clear();
    both = ask(1, 9, CALL_DONE, put_of(1000));
    both->actions[1] = (struct action){ .kind = ACTION_PUT, .key = 1, .value = 2000 };
    both->action_count = 2;
    both = ask(2, 8, CALL_DONE, get_of(1000));
    both->actions[1] = (struct action){ .kind = ACTION_GET, .key = 1, .saw_known = true };
    both->action_count = 2;
    CHECK(search_order(&history) == VERDICT_REFUSED);
    both->actions[1].saw = 2000;
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
}

/* Each key has an order of its own, but the two together have none. */
static void transactions_need_one_order_for_all_keys(void)
{
    clear();
    ask(1, 20, CALL_DONE, put_of(1000));
    ask(1, 20, CALL_DONE, put_of(2000))->actions[0].key = 1;
    for (int i = 0; i < 2; i++) {
        struct call *both = ask(2, 19, CALL_DONE, get_of(i == 0 ? 1000 : 0));

        both->actions[1] = get_of(i == 0 ? 0 : 2000);
        both->actions[1].key = 1;
        both->action_count = 2;
    }
    CHECK(search_order(&history) == VERDICT_REFUSED);
    history.calls[3].actions[0].saw = 1000;
    CHECK(search_order(&history) == VERDICT_EXPLAINED);
}

/* The hardest there is: eight clients whose writes all overlap, none of them ever answered, and one read at the end. */
static void many_calls_cut_off_are_searched_in_bounded_time(void)
{
    clear();
    for (int i = 0; i < 16; i++)
        ask(1, UINT64_MAX, CALL_UNKNOWN, put_of(1000 * (i + 1)));
    ask(5, 6, CALL_DONE, get_of(7));
    CHECK(search_order(&history) == VERDICT_REFUSED);
}

int main(void)
{
    seed = test_seed();
    RUN(a_write_that_ended_is_seen_by_what_begins_later);
    RUN(what_was_cut_off_may_be_done_or_not_but_not_both);
    RUN(what_was_cut_off_is_not_done_after_its_end);
    RUN(a_transaction_falls_on_one_moment);
    RUN(transactions_need_one_order_for_all_keys);
    RUN(many_calls_cut_off_are_searched_in_bounded_time);
    RUN(it_agrees_with_all_orders_tried);
    RUN(no_order_explains_a_small_history_with_a_falsehood);
    RUN(a_perfect_stores_histories_are_explained_and_their_falsifications_refused);
    if (test_fail_count > 0)
        fprintf(stderr, "PL_SEED=%" PRIu64 "\n", test_seed());
    return test_summary();
}
