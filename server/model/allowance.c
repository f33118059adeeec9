/* SPDX-License-Identifier: MIT */
#include "model/allowance.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)
#define BURST_NS  (PL_ALLOWANCE_BURST_S * SECOND_NS)
#ifdef PL_MUTANT_SMALL_START
#define FIRST_NS SECOND_NS
#else
#define FIRST_NS BURST_NS
#endif

struct pl_allowances *pl_allowances_new(void)
{
    struct pl_allowances *allowances = calloc(1, sizeof *allowances);

    if (allowances != NULL)
        atomic_init(&allowances->references, 1);
    return allowances;
}

struct pl_allowances *pl_allowances_ref(struct pl_allowances *allowances)
{
    atomic_fetch_add_explicit(&allowances->references, 1, memory_order_relaxed);
    return allowances;
}

void pl_allowances_unref(struct pl_allowances *allowances)
{
    if (allowances != NULL &&
        atomic_fetch_sub_explicit(&allowances->references, 1, memory_order_acq_rel) == 1)
        free(allowances);
}

/* What is older than the burst has run over. */
static int64_t capped(int64_t empty_ns, uint64_t now_ns)
{
    int64_t full_ns = (int64_t)now_ns - BURST_NS;

#ifdef PL_MUTANT_NO_CAP
    full_ns = INT64_MIN;
#endif
    return empty_ns < full_ns ? full_ns : empty_ns;
}

/* The time in which `halves` gather, rounded up: nobody gets more than the rate. */
static int64_t time_of(uint64_t halves, uint64_t units)
{
    unsigned __int128 ns = ((unsigned __int128)halves * (SECOND_NS / 2) + units - 1) / units;

    return ns > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ns;
}

void pl_allowance_provide(struct pl_allowance *allowance, uint64_t units, uint64_t now_ns)
{
    uint64_t before = atomic_load_explicit(&allowance->units, memory_order_relaxed);
    int64_t empty_ns = atomic_load_explicit(&allowance->empty_ns, memory_order_relaxed), kept_ns;

    if (units == 0)
        units = 1; /* no definition says so */
    if (units == before)
        return;
    if (before == 0) {
        atomic_store_explicit(&allowance->empty_ns, (int64_t)now_ns - FIRST_NS, memory_order_relaxed);
        atomic_store_explicit(&allowance->units, units, memory_order_release);
        return;
    }
    /* As many units as before are another length of time. What is taken meanwhile is taken at either rate. */
    do {
        __int128 was_ns = (int64_t)now_ns - capped(empty_ns, now_ns);

        kept_ns = (int64_t)(was_ns * before / units > BURST_NS ? BURST_NS : was_ns * before / units);
    } while (!atomic_compare_exchange_weak(&allowance->empty_ns, &empty_ns, (int64_t)now_ns - kept_ns));
    atomic_store(&allowance->units, units);
}

bool pl_allowance_admits(struct pl_allowance *allowance, uint64_t now_ns)
{
    if (atomic_load_explicit(&allowance->units, memory_order_acquire) == 0 ||
        atomic_load_explicit(&allowance->empty_ns, memory_order_relaxed) < (int64_t)now_ns)
        return true;
    atomic_fetch_add_explicit(&allowance->throttled, 1, memory_order_relaxed);
    return false;
}

void pl_allowance_take(struct pl_allowance *allowance, uint64_t halves, uint64_t now_ns)
{
    uint64_t units = atomic_load_explicit(&allowance->units, memory_order_acquire);
    int64_t empty_ns = atomic_load_explicit(&allowance->empty_ns, memory_order_relaxed), cost_ns;

    if (units == 0 || halves == 0)
        return;
    cost_ns = time_of(halves, units);
    while (!atomic_compare_exchange_weak_explicit(&allowance->empty_ns, &empty_ns,
                                                  capped(empty_ns, now_ns) + cost_ns, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

int64_t pl_allowance_left(const struct pl_allowance *allowance, uint64_t now_ns)
{
    int64_t left_ns =
        (int64_t)now_ns - capped(atomic_load_explicit(&allowance->empty_ns, memory_order_relaxed), now_ns);
    uint64_t units = atomic_load_explicit(&allowance->units, memory_order_relaxed);

    return (int64_t)((__int128)left_ns * units / (SECOND_NS / 2));
}
