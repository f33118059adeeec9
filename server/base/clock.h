/* SPDX-License-Identifier: MIT */
#ifndef PL_BASE_CLOCK_H
#define PL_BASE_CLOCK_H

#include <stdint.h>

/**
 * Time and chance come from outside, so that a shard runs unchanged under the
 * server, inside a host program, and inside a simulator with a clock of its own.
 */
struct pl_clock {
    /** Nanoseconds that only grow, also across suspend (CLOCK_BOOTTIME); no relation to the calendar. */
    uint64_t (*monotonic_ns)(void *state);
    /** Milliseconds since 1970; may jump. For expiry and creation times, never for waiting. */
    int64_t (*wall_ms)(void *state);
    void *state;
};

struct pl_random {
    uint64_t (*next)(void *state);
    void *state;
};

/** The machine's own clock and randomness. */
struct pl_clock pl_clock_system(void);
struct pl_random pl_random_system(void);

static inline uint64_t pl_clock_monotonic_ns(const struct pl_clock *clock)
{
    return clock->monotonic_ns(clock->state);
}

static inline int64_t pl_clock_wall_ms(const struct pl_clock *clock)
{
    return clock->wall_ms(clock->state);
}

static inline uint64_t pl_random_next(const struct pl_random *random)
{
    return random->next(random->state);
}

#endif
