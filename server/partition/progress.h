/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_PROGRESS_H
#define PL_PARTITION_PROGRESS_H

#include "model/operation.h"
#include "model/tables.h"
#include "partition/view.h"

/**
 * How far a trigger has come with one partition of its table's stream. Where a trigger runs `parallel`, the records
 * of a partition are dealt to so many slots by their partition key, and each slot goes its own way.
 *
 *     key     partition u16 ▸ TRIGGER ▸ trigger id u32 ▸ 0 u64 ▸ slot u8                      (big-endian)
 *     value   01 ▸ parallel u8 ▸ sequence u64                                                 (little-endian)
 *
 * All of the slot's records up to `sequence` are done: handled, or among the dead letters (letter.h), which stand
 * behind these records in the same keyspace. No record: none is done yet. `parallel` is what it was when that was written.
 */
enum { PL_PROGRESS_SLOTS_MAX = 10, PL_PROGRESS_KEY_BYTES = 2 + 1 + 4 + 8 + 1 };

struct pl_progress {
    uint64_t sequence; /* 0: there is no record */
    uint8_t parallel;
};

struct pl_bytes pl_progress_key(uint8_t key[PL_PROGRESS_KEY_BYTES], uint16_t partition, uint32_t trigger_id,
                                uint8_t slot);
/** PL_ECORRUPT when the bytes are none. */
int pl_progress_read(struct pl_bytes value, struct pl_progress *out);

/** What is applied, of one slot. `out` is all zero when there is no record. */
int pl_progress_get(struct pl_snapshot *snapshot, uint16_t partition, uint32_t trigger_id, uint8_t slot,
                    struct pl_progress *out);

/** Append what sets, or with NULL removes, a slot's record. */
void pl_progress_put(struct pl_buf *change, uint16_t partition, uint32_t trigger_id, uint8_t slot,
                     const struct pl_progress *progress);

/**
 * What PL_OP_ADVANCE asks: a step forward, together with what the step has done (the operation's children, all
 * prepared writes) and what becomes of dead letters. All of it is one change, or nothing happens.
 *
 * PL_ENOTFOUND: the trigger is no more. PL_EINUSE: the slot does not stand at `from`, somebody else has moved it.
 * Otherwise a child's failure, with its sentence.
 */
struct pl_advance {
    uint32_t table_id, trigger_id;
    bool moves; /* false: only what the children and the effects say */
    uint8_t slot;
    uint64_t from;
    struct pl_progress to;
    struct pl_bytes effects; /* of a change (change.h): dead letters, other slots */
};

/** May it be done, as of the newest change? 0, PL_ENOTFOUND, PL_EINUSE, or a failure of the store. */
int pl_advance_check(const struct pl_advance *advance, uint16_t partition, const struct pl_tables *tables,
                     const struct pl_view *view);

/** Append the step itself. */
void pl_advance_append(const struct pl_advance *advance, uint16_t partition, struct pl_buf *change);

#endif
