/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_LETTER_H
#define PL_PARTITION_LETTER_H

#include "model/tables.h"
#include "partition/read.h"
#include "partition/stream.h"

/**
 * A dead letter: a stream record that a trigger could not handle, kept until somebody reads, replays or purges it.
 *
 *     key     partition u16 ▸ TRIGGER ▸ trigger id u32 ▸ sequence u64 of the record           (big-endian)
 *     value   01 ▸ attempts u32 ▸ failed at ms u64 ▸ error length u16 ▸ error ▸ the record, as in the stream
 *                                                                                             (little-endian)
 *
 * Its name is "partition-sequence", such as "12-4711".
 */
struct pl_letter {
    uint16_t partition;
    uint64_t sequence;
    uint32_t attempts; /* 0: it was never run */
    int64_t failed_ms;
    struct pl_bytes error;
    struct pl_bytes record; /* for pl_letter_record() */
};

enum { PL_LETTER_KEY_BYTES = 2 + 1 + 4 + 8, PL_LETTER_NAME_BYTES = 32, PL_LETTER_ERROR_MAX = 1000 };

/** Append what puts the letter there. Memory trouble shows in both buffers. */
void pl_letter_put(struct pl_buf *change, uint32_t trigger_id, const struct pl_letter *letter,
                   struct pl_buf *scratch);
void pl_letter_delete(struct pl_buf *change, uint32_t trigger_id, uint16_t partition, uint64_t sequence);

/** PL_ECORRUPT when it is none. Views into the bytes. */
int pl_letter_read(struct pl_bytes key, struct pl_bytes value, struct pl_letter *out);

/** The record it keeps. PL_ECORRUPT. */
int pl_letter_record(const struct pl_letter *letter, uint32_t stream_id, struct pl_stream_record *out);

void pl_letter_name(const struct pl_letter *letter, char name[PL_LETTER_NAME_BYTES]);
/** False when the text is no name of a letter. */
bool pl_letter_parse_name(struct pl_bytes name, uint16_t *partition, uint64_t *sequence);

/**
 * The first letter of the trigger at (partition, sequence) or after it, on a renewed snapshot with no other walk.
 * PL_ENOTFOUND: there is none.
 */
int pl_letter_find(struct pl_snapshot *snapshot, uint32_t partition_count, uint32_t trigger_id,
                   uint16_t partition, uint64_t sequence, struct pl_letter *out);

/**
 * Run a PL_OP_LETTERS: a row for each letter, as an item of its record and what became of it, from `op->letter` on
 * (the first, when it is empty) or after the one of `op->start_key`, `op->limit` of them at most (100 when 0), and no more
 * once they fill a page (PL_PAGE_BYTES_MAX). The reply's last key is the id of the last, when there are more.
 */
int pl_letters_list(struct pl_read_place *place, struct pl_operation *op, const struct pl_tables *tables);

/** The trigger that an operation names by table and `index_name`. PL_ENOTABLE, PL_ENOTFOUND with a sentence. */
int pl_letters_find_trigger(struct pl_operation *op, const struct pl_tables *tables,
                            const struct pl_table **table, const struct pl_trigger **trigger);

#endif
