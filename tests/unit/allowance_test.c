/* SPDX-License-Identifier: MIT */
#include "model/allowance.h"

#include "test.h"

#include <pthread.h>

#define SECOND UINT64_C(1000000000)
#define START  (1000 * SECOND)

static struct pl_allowance provided(uint64_t units)
{
    struct pl_allowance allowance = { 0 };

    pl_allowance_provide(&allowance, units, START);
    return allowance;
}

/* Of what it began with, one second's worth is left. */
static struct pl_allowance nearly_used(uint64_t units)
{
    struct pl_allowance allowance = provided(units);

    pl_allowance_take(&allowance, 2 * units * (PL_ALLOWANCE_BURST_S - 1), START);
    return allowance;
}

/* Requests of `halves` each, `per_second` of them for `seconds`. How many were admitted in the last second. */
static unsigned press(struct pl_allowance *allowance, uint64_t *now, unsigned per_second, unsigned seconds,
                      uint64_t halves)
{
    unsigned admitted = 0;

    for (unsigned s = 0; s < seconds; s++) {
        admitted = 0;
        for (unsigned i = 0; i < per_second; i++) {
            *now += SECOND / per_second;
            if (!pl_allowance_admits(allowance, *now))
                continue;
            admitted++;
            pl_allowance_take(allowance, halves, *now);
        }
    }
    return admitted;
}

static void a_new_one_holds_all_that_it_can(void)
{
    struct pl_allowance allowance = provided(100);

    CHECK(pl_allowance_left(&allowance, START) == 2 * 100 * 300);
    CHECK(pl_allowance_left(&allowance, START + SECOND / 2) == 2 * 100 * 300);
    pl_allowance_take(&allowance, 2 * 100 * 300 + 1, START);
    CHECK(!pl_allowance_admits(&allowance, START));
}

static void one_provided_soon_after_the_clock_began_is_full_too(void)
{
    struct pl_allowance allowance = { 0 };

    pl_allowance_provide(&allowance, 100, 1);
    CHECK(pl_allowance_left(&allowance, 1) == 2 * 100 * 300);
    CHECK(pl_allowance_admits(&allowance, 1));
}

static void one_that_nothing_was_provided_for_admits_everybody(void)
{
    struct pl_allowance allowance = { 0 };

    pl_allowance_take(&allowance, 1000, START);
    CHECK(pl_allowance_admits(&allowance, START));
}

static void what_is_not_used_gathers_for_300_seconds_and_no_longer(void)
{
    struct pl_allowance allowance = nearly_used(100);
    uint64_t now = START + 100 * SECOND;

    CHECK(pl_allowance_left(&allowance, now) == 2 * 100 * 101);
    now += 1000 * SECOND;
    CHECK(pl_allowance_left(&allowance, now) == 2 * 100 * 300);
    pl_allowance_take(&allowance, 2 * 100 * 100, now);
    CHECK(pl_allowance_left(&allowance, now) == 2 * 100 * 200);
    CHECK(pl_allowance_left(&allowance, now + 1000 * SECOND) == 2 * 100 * 300);
}

static void after_the_burst_the_rate_is_kept(void)
{
    static const uint64_t rates[] = { 1, 7, 100, 999, 40000 };

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct pl_allowance allowance = nearly_used(rates[i]);
        unsigned pressure = (unsigned)rates[i] * 10, admitted;
        uint64_t now = START;

        press(&allowance, &now, pressure, 3, 2);
        admitted = press(&allowance, &now, pressure, 1, 2);
        CHECK_MSG(admitted + 1 >= rates[i] && admitted <= rates[i] + 1, "rate %u: %u", (unsigned)rates[i],
                  admitted);
    }
}

static void the_burst_is_admitted_at_any_pace_and_then_the_rate(void)
{
    struct pl_allowance allowance = provided(100);
    uint64_t now = START;

    CHECK(press(&allowance, &now, 30000, 1, 2) == 30000);
    press(&allowance, &now, 1000, 1, 2); /* what gathered meanwhile */
    CHECK(press(&allowance, &now, 1000, 1, 2) == 100);
}

static void what_a_request_cost_may_be_more_than_there_was(void)
{
    struct pl_allowance allowance = nearly_used(10);
    uint64_t now = START;

    CHECK(pl_allowance_admits(&allowance, now));
    pl_allowance_take(&allowance, 2 * 30, now); /* 10 were there */
    CHECK(pl_allowance_left(&allowance, now) == -2 * 20);
    CHECK(!pl_allowance_admits(&allowance, now + 2 * SECOND - 1));
    CHECK(!pl_allowance_admits(&allowance, now + 2 * SECOND)); /* empty is not enough */
    CHECK(pl_allowance_admits(&allowance, now + 2 * SECOND + 1));
    CHECK(atomic_load(&allowance.throttled) == 2);
}

static void half_units_count(void)
{
    struct pl_allowance allowance = nearly_used(10);
    uint64_t now = START;

    press(&allowance, &now, 1000, 2, 1);
    CHECK(press(&allowance, &now, 1000, 1, 1) == 20);
}

static void another_rate_keeps_what_was_there_as_far_as_it_may_be_kept(void)
{
    struct pl_allowance allowance = nearly_used(100);
    uint64_t now = START + 99 * SECOND;

    pl_allowance_provide(&allowance, 1000, now);
    CHECK(pl_allowance_left(&allowance, now) == 2 * 100 * 100);
    CHECK(pl_allowance_left(&allowance, now + SECOND) == 2 * (100 * 100 + 1000));
    pl_allowance_provide(&allowance, 10, now);
    CHECK(pl_allowance_left(&allowance, now) == 2 * 10 * 300);

    pl_allowance_take(&allowance, 2 * (10 * 300 + 50), now);
    CHECK(pl_allowance_left(&allowance, now) == -2 * 50);
    pl_allowance_provide(&allowance, 25, now);
    CHECK(pl_allowance_left(&allowance, now) == -2 * 50); /* debts too */
    pl_allowance_provide(&allowance, 25, now + 100 * SECOND);
    CHECK(pl_allowance_left(&allowance, now) == -2 * 50);
}

static void no_figures_are_too_large(void)
{
    struct pl_allowance allowance = provided(UINT64_C(1000000000000));

    CHECK(pl_allowance_left(&allowance, START + 1000 * SECOND) == INT64_C(600000000000000));
    pl_allowance_take(&allowance, UINT64_MAX, START);
    CHECK(!pl_allowance_admits(&allowance, START));
    allowance = provided(1);
    pl_allowance_take(&allowance, UINT64_MAX, START);
    CHECK(!pl_allowance_admits(&allowance, START + 1000 * SECOND));
    CHECK(pl_allowance_left(&allowance, START) < 0);
}

enum { TAKERS = 4, TAKES = 20000 };

static void *take_many(void *arg)
{
    for (int i = 0; i < TAKES; i++)
        pl_allowance_take(arg, 1, START);
    return NULL;
}

static void what_threads_take_at_once_adds_up(void)
{
    struct pl_allowances *allowances = pl_allowances_new();
    pthread_t threads[TAKERS];

    CHECK(allowances != NULL);
    pl_allowance_provide(&allowances->read, 1000, START);
    for (int i = 0; i < TAKERS; i++)
        CHECK(pthread_create(&threads[i], NULL, take_many, &allowances->read) == 0);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    CHECK(pl_allowance_left(&allowances->read, START) == 2000 * PL_ALLOWANCE_BURST_S - TAKERS * TAKES);
    CHECK(pl_allowances_ref(allowances) == allowances);
    pl_allowances_unref(allowances);
    pl_allowances_unref(allowances);
    pl_allowances_unref(NULL);
}

int main(void)
{
    RUN(a_new_one_holds_all_that_it_can);
    RUN(one_provided_soon_after_the_clock_began_is_full_too);
    RUN(one_that_nothing_was_provided_for_admits_everybody);
    RUN(what_is_not_used_gathers_for_300_seconds_and_no_longer);
    RUN(after_the_burst_the_rate_is_kept);
    RUN(the_burst_is_admitted_at_any_pace_and_then_the_rate);
    RUN(what_a_request_cost_may_be_more_than_there_was);
    RUN(half_units_count);
    RUN(another_rate_keeps_what_was_there_as_far_as_it_may_be_kept);
    RUN(no_figures_are_too_large);
    RUN(what_threads_take_at_once_adds_up);
    return test_summary();
}
