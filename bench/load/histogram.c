/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"

#include <string.h>

void histogram_clear(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

/*
 * Values below 128 have a bucket each. Above, a value keeps its first 8 bits:
 *
 *     power   value >> power     bucket
 *     0       0 … 127            0 … 127
 *     e + 1   128 … 255          128 (e + 1) + 0 … 127
 */
static uint32_t bucket_of(uint64_t ns)
{
    uint32_t shift, bucket;

    if (ns < HISTOGRAM_STEPS)
        return (uint32_t)ns;
    shift = 63 - (uint32_t)__builtin_clzll(ns) - 7;
    bucket = HISTOGRAM_STEPS * (shift + 1) + (uint32_t)(ns >> shift) - HISTOGRAM_STEPS;
    return bucket < HISTOGRAM_STEPS * HISTOGRAM_POWERS ? bucket : HISTOGRAM_STEPS * HISTOGRAM_POWERS - 1;
}

static uint64_t upper_end_ns(uint32_t bucket)
{
    uint32_t power = bucket / HISTOGRAM_STEPS, step = bucket % HISTOGRAM_STEPS;

    if (power == 0)
        return step;
    return (((uint64_t)HISTOGRAM_STEPS + step + 1) << (power - 1)) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->counts[bucket_of(ns)]++;
    h->total++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t histogram_percentile_ns(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->total), seen = 0;

    for (uint32_t i = 0; i < HISTOGRAM_STEPS * HISTOGRAM_POWERS; i++) {
        seen += h->counts[i];
        if (seen > 0 && seen >= wanted)
            return upper_end_ns(i) < h->max_ns ? upper_end_ns(i) : h->max_ns;
    }
    return h->max_ns;
}
