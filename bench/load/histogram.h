/* SPDX-License-Identifier: MIT */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 128, /* buckets for each power of two: a value is known to 0.8 % */
    HISTOGRAM_POWERS = 36, /* up to 2^42 ns, more than an hour */
};

/**
 * Latencies in nanoseconds, counted in buckets that grow with the value. Adding one is
 * a shift and an increment, and no memory is ever needed beyond this struct.
 */
struct histogram {
    uint64_t counts[HISTOGRAM_STEPS * HISTOGRAM_POWERS];
    uint64_t total;
    uint64_t max_ns;
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);

/** The least bucket's upper end below which `share` (0 to 1) of the values lie; 0 when there are none. */
uint64_t histogram_percentile_ns(const struct histogram *h, double share);

#endif
