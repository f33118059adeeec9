/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_SCAN_H
#define PL_STORE_JOURNAL_SCAN_H

#include "store/journal_segment.h"

/** What is in a journal's directory, found without changing anything. */
struct pl_journal_survey {
    struct pl_journal_segment *segments; /* live, in order, not open */
    size_t segment_count;
    uint64_t *spares; /* numbers of *.reserve */
    size_t spare_count;
    uint64_t *unfinished; /* numbers of *.making */
    size_t unfinished_count;
    uint64_t identity;
    uint32_t generation; /* highest of any header or record, cut ones included */
    uint64_t start;
    uint64_t end;     /* one past the last good record */
    uint64_t durable; /* highest that any good record says; not beyond `end` */
    uint64_t records;
    uint64_t torn_bytes;
    bool ended; /* the last segment has its END: the next one has not begun */
    /* With PL_ECORRUPT, where the damage begins: the segments before `damaged` are whole, and that one up to
     * the file offset `damaged_offset` (0: nothing of it). */
    size_t damaged;
    uint64_t damaged_offset;
};

/** Results as pl_journal_open(). The survey is yours to deinit whatever the result. */
int pl_journal_survey_take(const struct pl_disk *disk, const char *dir, pl_journal_visit_fn visit, void *arg,
                           struct pl_journal_survey *survey, struct pl_reason *why);

void pl_journal_survey_deinit(struct pl_journal_survey *survey);

#endif
