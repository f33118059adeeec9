/* SPDX-License-Identifier: MIT */
#include "partition/sequence.h"

#include "model/key.h"

#include <stdlib.h>

int pl_sequences_init(struct pl_sequences *sequences, uint32_t partition_count)
{
    sequences->at = calloc(partition_count, sizeof *sequences->at);
    sequences->partition_count = sequences->at == NULL ? 0 : partition_count;
    return sequences->at == NULL ? PL_ENOMEM : 0;
}

void pl_sequences_deinit(struct pl_sequences *sequences)
{
    free(sequences->at);
    *sequences = (struct pl_sequences){ 0 };
}

uint64_t pl_sequences_draw(struct pl_sequences *sequences, uint16_t partition)
{
    return ++sequences->at[partition].drawn;
}

void pl_sequences_restore(struct pl_sequences *sequences, uint16_t partition, uint64_t sequence)
{
    struct pl_sequence *at = &sequences->at[partition];

    if (sequence > at->drawn)
        at->drawn = sequence;
    if (sequence > atomic_load_explicit(&at->applied, memory_order_relaxed))
        atomic_store_explicit(&at->applied, sequence, memory_order_release);
}

bool pl_sequence_is_in(struct pl_bytes key)
{
    return key.len == 2 + 1 + 4 + 8 && key.data[2] == PL_KIND_STREAM;
}

bool pl_sequences_note(struct pl_sequences *sequences, struct pl_bytes key)
{
    uint16_t partition;

    if (!pl_sequence_is_in(key))
        return false;
    partition = pl_get_be16(key.data);
    if (partition < sequences->partition_count)
        pl_sequences_restore(sequences, partition, pl_get_be64(key.data + 7));
    return true;
}

uint64_t pl_sequences_applied(const struct pl_sequences *sequences, uint16_t partition)
{
    return atomic_load_explicit(&((struct pl_sequences *)sequences)->at[partition].applied,
                                memory_order_acquire);
}
