/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_SEGMENT_H
#define PL_STORE_JOURNAL_SEGMENT_H

#include "store/journal_record.h"

/**
 * A segment's file, through its life:
 *
 *     7.making ──▸ 7.reserve ──▸ 12.journal ──▸ 8.reserve ──▸ ... or removed
 *        zeros,       a spare,      header synced,   recycled: its old bytes are the
 *        synced       numbered      then renamed,    zeros that need no writing again
 *                     on its own    then the name
 *                                   synced
 *
 * A live segment is complete (its END synced) before the next one gets its name, so only the last can have a
 * torn tail, and its header is sound whenever its name is there. Numbers are 16 hexadecimal digits.
 */

/** Where segments live. */
struct pl_journal_place {
    const struct pl_disk *disk;
    const char *dir;
    uint64_t identity;
};

struct pl_journal_segment {
    struct pl_file *file; /* NULL: not open */
    uint64_t number;      /* a live one's sequence, or a spare's own number */
    uint64_t start;       /* live: position of the first record */
    uint64_t bytes;       /* of the file */
};

/** Room for records, leaving enough for the END. */
static inline uint64_t pl_journal_segment_room(const struct pl_journal_segment *segment)
{
    return segment->bytes - PL_JOURNAL_DATA_OFFSET - PL_JOURNAL_RECORD_HEADER_BYTES;
}

/** The number in a name such as `000000000000000c.journal`; false when it is no such name. */
bool pl_journal_segment_number(const char *name, const char *suffix, uint64_t *number);

/** The path, yours to free(), or NULL. `suffix` is ".journal", ".reserve", ".making" or ".damaged". */
char *pl_journal_segment_path(const struct pl_journal_place *place, uint64_t number, const char *suffix);

/** Make a spare. PL_EFULL leaves nothing behind. */
int pl_journal_segment_make(const struct pl_journal_place *place, uint64_t number, uint64_t bytes, bool paced,
                            struct pl_journal_segment *spare, struct pl_reason *why);

/** Open a file that is there, for writing; its size becomes `bytes`. */
int pl_journal_segment_open(const struct pl_journal_place *place, uint64_t number, const char *suffix,
                            struct pl_journal_segment *segment, struct pl_reason *why);

/** Turn a spare into the live segment `sequence`. After a failure nobody knows which of the two it is. */
int pl_journal_segment_begin(const struct pl_journal_place *place, struct pl_journal_segment *spare,
                             uint64_t sequence, uint64_t start, uint32_t generation, struct pl_reason *why);

/** Give a live segment (not open) the name of a spare, and sync the name. PL_EUNSURE: the sync failed. */
int pl_journal_segment_recycle(const struct pl_journal_place *place, uint64_t sequence, uint64_t number,
                               struct pl_reason *why);

/**
 * Remove a live or spare segment (not open) by its suffix, and sync that. None there counts as done.
 * PL_EUNSURE: the sync failed.
 */
int pl_journal_segment_remove(const struct pl_journal_place *place, uint64_t number, const char *suffix,
                              struct pl_reason *why);

void pl_journal_segment_close(const struct pl_journal_place *place, struct pl_journal_segment *segment);

#endif
