/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_EXPIRY_MARKS_H
#define PL_PARTITION_EXPIRY_MARKS_H

#include "model/tables.h"

/**
 * Where the entries that are due may stand (expiry.h), for each table's expiries in each partition. So a partition in
 * which nothing is due costs nothing, and one in which a million were deleted is not walked again from its beginning.
 *
 *     ─ nothing ─┬─ deleted by this pass ─┬─ still to come in this pass ─┬─ not due
 *                next                     position                      now
 *
 * Only a memory: without it every entry may be due. On the shard's thread.
 */
struct pl_expiry_mark {
    uint64_t next;          /* no entry that is due stands before this second, but in the pass that goes on */
    bool walking;           /* a pass goes on */
    struct pl_buf position; /* the last key that it has seen; empty: none yet */
};

struct pl_expiry_marks {
    uint32_t partition_count;
    struct pl_expiry_shelf {
        uint32_t id; /* the table's expiry id */
        struct pl_expiry_mark *at;
    } * shelves;
    uint32_t count;
};

void pl_expiry_marks_deinit(struct pl_expiry_marks *marks);

/** All partitions' marks of `id`, which are made when there are none. NULL: no memory. */
struct pl_expiry_mark *pl_expiry_marks_of(struct pl_expiry_marks *marks, uint32_t id);

/** An entry was put and is applied. */
void pl_expiry_marks_note(struct pl_expiry_marks *marks, struct pl_bytes key);

/** Forget those of tables that are gone or have other expiries now. */
void pl_expiry_marks_tidy(struct pl_expiry_marks *marks, const struct pl_tables *tables);

/** Forget all: the calendar was set back. */
void pl_expiry_marks_reset(struct pl_expiry_marks *marks);

#endif
