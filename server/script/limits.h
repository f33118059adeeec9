/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_LIMITS_H
#define PL_SCRIPT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/** What one call of a table's function may use. 0 takes the default beside it. */
struct pl_script_limits {
    uint32_t time_ms;      /* 100 */
    uint32_t load_time_ms; /* 1000: running a whole file, at load */
    uint64_t instructions; /* a thousand million: ends a loop also where the clock stands still */
    size_t memory_bytes;   /* 64 MiB: the whole state, all modules together */
};

#endif
