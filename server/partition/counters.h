/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_COUNTERS_H
#define PL_PARTITION_COUNTERS_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * How many items, and how many bytes of them, each partition holds of each table and
 * index. Kept in memory, changed by COUNT effects as they are applied, and written to
 * the store (kind HEAD) only with a checkpoint: between checkpoints the journal has
 * them. Reading a total is safe from any thread; changing belongs to the shard.
 */
struct pl_counters;

struct pl_count {
    uint16_t partition;
    uint32_t id;
    int64_t items;
    int64_t size_bytes;
};

int pl_counters_new(struct pl_counters **out);
void pl_counters_free(struct pl_counters *counters);

/** PL_ENOMEM leaves all as it was. */
int pl_counters_add(struct pl_counters *counters, uint16_t partition, uint32_t id, int64_t items,
                    int64_t size_bytes);

/** The sum over all partitions. Any thread. */
struct pl_count pl_counters_total(struct pl_counters *counters, uint32_t id);

/** Call `each` for every count that changed since pl_counters_settle(). */
int pl_counters_each_changed(struct pl_counters *counters,
                             int (*each)(void *state, const struct pl_count *count), void *state);

/** Call `each` for every count. */
int pl_counters_each(struct pl_counters *counters, int (*each)(void *state, const struct pl_count *count),
                     void *state);

/** What is counted is stored now. Entries that are 0, of tables and indexes that are gone, are dropped. */
void pl_counters_settle(struct pl_counters *counters);

#endif
