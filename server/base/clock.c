/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include "base/error.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static uint64_t system_monotonic_ns(void *state)
{
    struct timespec now;

    (void)state;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int64_t system_wall_ms(void *state)
{
    struct timespec now;

    (void)state;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t system_random(void *state)
{
    uint64_t value;
    ssize_t got;

    (void)state;
    do
        got = getrandom(&value, sizeof value, 0);
    while (got < 0 && errno == EINTR);
    /* Up to 256 bytes are never cut short (getrandom(2)), so anything else is a kernel without it. */
    PL_ASSERT(got == (ssize_t)sizeof value);
    return value;
}

struct pl_clock pl_clock_system(void)
{
    return (struct pl_clock){ .monotonic_ns = system_monotonic_ns, .wall_ms = system_wall_ms };
}

struct pl_random pl_random_system(void)
{
    return (struct pl_random){ .next = system_random };
}
