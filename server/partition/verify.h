/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_VERIFY_H
#define PL_PARTITION_VERIFY_H

#include "model/tables.h"
#include "partition/counters.h"
#include "store/state.h"

/**
 * Everything stored compared with everything else stored, on one snapshot: every
 * value's checksum, every item's form and place, every item's entry in every index,
 * every entry's item, every expiry's item and the other way round, every collection's size, the item of
 * every place that is remembered for a function's entry, every stream's records, what triggers keep, and the counters. Reads only; may take long, so it runs on a worker.
 *
 * The counters are those of the same moment as the snapshot: see pl_shard_stand_still().
 */
struct pl_verify {
    struct pl_snapshot *snapshot; /* renewed, of a state that stands still */
    const struct pl_tables *tables;
    struct pl_counters *counters;
    uint32_t partition_count;
    /* Found. */
    uint64_t items, entries, expiries, stream_records, size_bytes, faults;
    struct pl_buf *sentences; /* one line for each of the first hundred faults */
};

/** 0 when all was read, whatever was found: see `faults`. PL_ENOMEM, PL_EIO when it could not be. */
int pl_verify(struct pl_verify *verify);

/* --- for the parts of it --- */

/** Count a fault, and say it unless enough were said. */
void pl_verify_fault(struct pl_verify *verify, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Every record of every stream, the closed ones too: readable, past what was trimmed, in its item's partition. */
int pl_verify_streams(struct pl_verify *verify);

/** Every trigger's places and dead letters: readable, and as many letters as are counted. */
int pl_verify_triggers(struct pl_verify *verify);

/** A copy of the counters, for pl_verify. */
int pl_counters_copy(struct pl_counters *counters, struct pl_counters **out);

#endif
