/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_RECORD_H
#define PL_STORE_JOURNAL_RECORD_H

#include "store/journal.h"

/**
 * The journal's bytes. All integers little-endian, all records on 8-byte borders.
 *
 *     segment   header, alone in its first 4096 bytes │ record │ record │ ... │ END │ leftovers
 *
 *     header    0 magic "PLJOURN\n"   8 format u32   12 zero u32   16 identity   24 sequence
 *               32 start (position of the first record)   40 bytes (size of the file)
 *               48 generation u32   52 zero u32   56 checksum u64, XXH3-64 over the 56 before
 *
 *     record    0 checksum u64, over all that follows      8 length u32 of the payload
 *               12 kind u8   13 zero u8   14 partition u16 16 index   24 term   32 position
 *               40 durable   48 generation u32   52 check u32, over bytes 8 to 52
 *               56 payload, then zeros up to the next border
 *
 * Leftovers are what a recycled segment held before, or a tail that was cut. None of it can be taken for a
 * live record: positions never come again, and what was cut has a lower generation than what follows it.
 * Both checksums are seeded with the journal's identity, a random number, so that nothing a
 * client stores looks like a record. The second, over the header alone, tells quickly that
 * bytes are no record when a damaged segment is searched for what came after the damage.
 */

enum {
    PL_JOURNAL_FORMAT = 1,
    PL_JOURNAL_ALIGN = 8,
    PL_JOURNAL_RECORD_HEADER_BYTES = 56,
    PL_JOURNAL_SEGMENT_HEADER_BYTES = 64,
    PL_JOURNAL_DATA_OFFSET = 4096, /* a torn write of records cannot touch the header's page */
};

/** Bytes that a record with such a payload takes. */
static inline uint64_t pl_journal_record_bytes(uint64_t payload_len)
{
    return (PL_JOURNAL_RECORD_HEADER_BYTES + payload_len + PL_JOURNAL_ALIGN - 1) &
           ~(uint64_t)(PL_JOURNAL_ALIGN - 1);
}

/**
 * Write all but `durable` and the checksums; those come with pl_journal_record_stamp(), when the batch is
 * written.
 */
void pl_journal_record_encode(char *to, const struct pl_journal_record *record);

/** Complete an encoded record; returns its bytes. */
uint64_t pl_journal_record_stamp(char *at, uint64_t identity, uint64_t durable);

/** Does what may be a record's header at least say that it stands at `position`? Cheap; true proves nothing. */
static inline bool pl_journal_record_claims(const char *at, uint64_t position)
{
    return pl_get_le64(at + 32) == position;
}

/**
 * How much of `in` must be there to judge the record that begins at its front: its bytes when the header is
 * sound and stands at `position`, else 0. Needs PL_JOURNAL_RECORD_HEADER_BYTES of `in`.
 */
uint64_t pl_journal_record_peek(struct pl_bytes in, uint64_t identity, uint64_t position);

/** The record at the front of `in`; the payload is a view into it. False when it is not whole and sound. */
bool pl_journal_record_decode(struct pl_bytes in, uint64_t identity, uint64_t position,
                              struct pl_journal_record *record);

struct pl_journal_header {
    uint64_t identity;
    uint64_t sequence;
    uint64_t start;
    uint64_t bytes;
    uint32_t generation;
};

void pl_journal_header_encode(char to[PL_JOURNAL_SEGMENT_HEADER_BYTES],
                              const struct pl_journal_header *header);

/**
 * PL_ECORRUPT: not a sound header. PL_EFORMAT: sound, and newer than we are. `*format` (may be NULL) is set
 * for the latter.
 */
int pl_journal_header_decode(const char from[PL_JOURNAL_SEGMENT_HEADER_BYTES],
                             struct pl_journal_header *header, uint32_t *format);

#endif
