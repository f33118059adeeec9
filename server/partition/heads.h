/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_HEADS_H
#define PL_PARTITION_HEADS_H

#include "partition/counters.h"
#include "partition/sequence.h"
#include "replica/group.h"
#include "store/state.h"

/**
 * What a shard knows of its partitions beside their items, as records of kind HEAD,
 * written only with a checkpoint (between checkpoints the journal has it):
 *
 *     partition u16 ▸ HEAD ▸ 0 u32         applied index u64 ▸ term u64 ▸ last sequence u64
 *     partition u16 ▸ HEAD ▸ id u32        items i64 ▸ bytes i64 of that table or index
 */
struct pl_heads {
    uint32_t partition_count;
    struct pl_group *groups; /* one for each partition */
    struct pl_sequences *sequences;
    struct pl_counters *counters;
};

/** Everything. PL_ECORRUPT with a sentence. */
int pl_heads_load(const struct pl_heads *heads, struct pl_txn *txn, struct pl_reason *why);

/** What changed; counts that are 0 are removed. After all of it was written, pl_counters_settle(). */
int pl_heads_write(const struct pl_heads *heads, struct pl_state *state);

#endif
