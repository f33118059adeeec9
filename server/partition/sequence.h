/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_SEQUENCE_H
#define PL_PARTITION_SEQUENCE_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdatomic.h>

/**
 * The sequence numbers of stream records: one row for each partition, drawn by its leader while it judges
 * a write. They only grow, over restarts and whatever is trimmed, because the last one is kept with the partition's
 * head (heads.h) and every record replayed raises it. A write that is refused after it drew one leaves a gap.
 *
 * Drawn on the shard's thread; what is applied may be asked for by any.
 */
struct pl_sequences {
    uint32_t partition_count;
    struct pl_sequence {
        uint64_t drawn;               /* the last one */
        atomic_uint_fast64_t applied; /* all records up to here are visible */
    } * at;
};

int pl_sequences_init(struct pl_sequences *sequences, uint32_t partition_count);
void pl_sequences_deinit(struct pl_sequences *sequences);

uint64_t pl_sequences_draw(struct pl_sequences *sequences, uint16_t partition);

/** True for the key of a stream record (stream.h). */
bool pl_sequence_is_in(struct pl_bytes key);

/** A change that is applied, or replayed, holds this effect. True when it was a stream record. */
bool pl_sequences_note(struct pl_sequences *sequences, struct pl_bytes key);

/** All drawn up to here in an earlier life. */
void pl_sequences_restore(struct pl_sequences *sequences, uint16_t partition, uint64_t sequence);

/** Any thread. A reader that renews its snapshot after it asked sees every record up to the answer. */
uint64_t pl_sequences_applied(const struct pl_sequences *sequences, uint16_t partition);

#endif
