/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_READER_H
#define PL_STORE_JOURNAL_READER_H

#include "store/journal_record.h"

/** Reads one segment's records in order, through a window that grows to the largest record and no further. */
struct pl_journal_reader {
    const struct pl_disk *disk;
    struct pl_file *file; /* not ours */
    uint64_t identity;
    uint64_t start;      /* position of the segment's first record */
    uint64_t limit;      /* file offset behind which nothing is read */
    uint64_t offset;     /* file offset of the next record */
    uint32_t generation; /* of the last record (at first: of the header): it never goes down */
    char *window;
    size_t window_capacity;
    uint64_t window_offset;
    size_t window_len;
};

/** Aim at a segment, keeping the window's memory. Zeroed memory is a reader never aimed. */
void pl_journal_reader_aim(struct pl_journal_reader *reader, struct pl_file *file, uint64_t start,
                           uint64_t limit, uint32_t generation);

static inline uint64_t pl_journal_reader_position(const struct pl_journal_reader *reader)
{
    return reader->start + (reader->offset - PL_JOURNAL_DATA_OFFSET);
}

/**
 * The next record, END included; `payload` is a view, good until the next call. PL_ENOTFOUND: what stands at
 * `offset` is no record of this segment's story; nothing has moved.
 */
int pl_journal_reader_next(struct pl_journal_reader *reader, struct pl_journal_record *record,
                           struct pl_reason *why);

/**
 * The next sound record at or after `offset`, whatever stands between, of any generation. Steps behind its
 * header, so that records inside a false record are found too. PL_ENOTFOUND: no more.
 */
int pl_journal_reader_search(struct pl_journal_reader *reader, struct pl_journal_record *record,
                             struct pl_reason *why);

void pl_journal_reader_deinit(struct pl_journal_reader *reader);

#endif
