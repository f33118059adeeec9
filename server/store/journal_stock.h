/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_STOCK_H
#define PL_STORE_JOURNAL_STOCK_H

#include "store/journal_segment.h"

#include <pthread.h>

/**
 * The segments that are not in use: spares that wait, and trimmed ones that will be spares or go. The journal's
 * owner takes and trims, one worker prepares; `lock` guards the fields, `making` lets one thread
 * at a time make or recycle files.
 */
enum { PL_JOURNAL_SPARES_KEPT = 2, PL_JOURNAL_SPARES_MAX = 8 };

struct pl_journal_stock {
    const struct pl_journal_place *place;
    uint64_t segment_bytes;
    pthread_mutex_t lock;
    struct pl_journal_segment spares[PL_JOURNAL_SPARES_MAX]; /* oldest first, open */
    size_t spare_count;
    struct pl_journal_segment *trimmed; /* oldest first, still named *.journal, not open */
    size_t trimmed_count;
    size_t trimmed_capacity;
    bool full;
    pthread_mutex_t making;
    uint64_t next_number; /* under `making` */
    uint64_t made_bytes;  /* under `making`: size of the last one made, which the next one grows from */
};

void pl_journal_stock_init(struct pl_journal_stock *stock, const struct pl_journal_place *place,
                           uint64_t segment_bytes);

/** Closes the spares; on disk they stay for the next time. */
void pl_journal_stock_deinit(struct pl_journal_stock *stock);

/** Take over a *.reserve that was found, or remove it when there are enough. */
int pl_journal_stock_adopt(struct pl_journal_stock *stock, uint64_t number, struct pl_reason *why);

/** The oldest spare with room for such a record, now yours; makes one if need be, which waits for the disk. */
int pl_journal_stock_take(struct pl_journal_stock *stock, uint64_t record_bytes,
                          struct pl_journal_segment *spare, struct pl_reason *why);

/** One spare more, now. PL_EFULL is remembered until there is one again. */
int pl_journal_stock_make(struct pl_journal_stock *stock, uint64_t record_bytes, bool paced,
                          struct pl_reason *why);

/** What the spares have room for. */
uint64_t pl_journal_stock_room(struct pl_journal_stock *stock);

bool pl_journal_stock_full(struct pl_journal_stock *stock);

/** Take a live segment that nobody needs. False: no memory, ask again. */
bool pl_journal_stock_trim(struct pl_journal_stock *stock, const struct pl_journal_segment *segment);

/** Is there something to prepare, given whether the current segment runs `low`? */
bool pl_journal_stock_wants(struct pl_journal_stock *stock, bool low);

/**
 * pl_journal_prepare()'s work. PL_EUNSURE: a name could not be synced, so nobody knows what a crash would
 * leave.
 */
int pl_journal_stock_prepare(struct pl_journal_stock *stock, struct pl_reason *why);

#endif
