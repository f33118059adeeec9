/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_TABLE_STATS_H
#define PL_ROUTE_TABLE_STATS_H

#include "partition/counters.h"
#include "route/hot_keys.h"

struct cJSON;

/**
 * What STATS says of one table, added to the JSON object `to`:
 *
 *     "items": 12, "size_bytes": 3456,
 *     "throughput": { "read": { "units": 5, "left": 1500, "throttled": 0 }, "write": {...} },    (provisioned)
 *     "hot_keys": { "half_life_s": 60,
 *                   "requests": [ { "key": {"ChatID":"chat#1"}, "requests": 812 }, ... ],
 *                   "capacity": [ { "key": {"ChatID":"chat#1"}, "capacity": 406.5 }, ... ] },
 *     "indexes": { "ByUser": { "items": ..., "size_bytes": ..., "throughput": ..., "hot_keys": ... } }
 *
 * Hot keys are partition keys, the heaviest first, at most PL_TABLE_STATS_KEYS_MAX; every one that has more than
 * its even share of that many is among them. Figures are estimates: "error" says by how much one may be too high,
 * where that is not 0. Of a key longer than PL_SKETCH_KEY_MAX bytes, "begins" has the beginning.
 */
enum { PL_TABLE_STATS_KEYS_MAX = 16 };

/** PL_ENOMEM: some of it is missing. */
int pl_table_stats(const struct pl_table *table, struct pl_counters *counters,
                   struct pl_hot_keys_set *hot_keys, const struct pl_clock *clock, struct cJSON *to);

#endif
