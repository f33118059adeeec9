/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_INSIDE_H
#define PL_STORE_JOURNAL_INSIDE_H

#include "store/journal_segment.h"

/** What a cursor may see of a journal. */

const struct pl_journal_place *pl_journal_where(const struct pl_journal *journal);

/**
 * The newest live segment that begins at or before `position`, and where the one after it begins
 * (UINT64_MAX: it is
 * the last). False: trimmed.
 */
bool pl_journal_find(const struct pl_journal *journal, uint64_t position, struct pl_journal_segment *segment,
                     uint64_t *next_start);

#endif
