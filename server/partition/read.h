/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_READ_H
#define PL_PARTITION_READ_H

#include "base/clock.h"
#include "model/operation.h"
#include "store/state.h"

/**
 * Reads: GET, QUERY and SCAN of a prepared operation, on any thread, on that thread's
 * own snapshot. Never waits, never runs a script.
 *
 *     GET     one look-up
 *     QUERY   one walk over the tails of one partition key, within [low, high)
 *     SCAN    a walk in hash order over every partition, or over a segment of the hash space
 *
 * A page ends after `limit` items, or with the item that takes it past 1 MB; items are
 * counted before the filter.
 */
struct pl_read_place {
    struct pl_snapshot *snapshot; /* renewed */
    uint32_t partition_count;
    struct pl_clock clock;   /* read for provisioned tables only */
    struct pl_arena scratch; /* a row's projection; emptied for each row */
    struct pl_buf row_bytes;
};

enum { PL_PAGE_BYTES_MAX = 1 << 20 };

void pl_read_place_deinit(struct pl_read_place *place);

/**
 * Run the operation, if what it reads has capacity left (partition/admission.h): rows go to `op->row`, the rest into `op->reply`. Returns the reply's
 * `rc`. Views in the reply are good until the snapshot is reset.
 */
int pl_read(struct pl_read_place *place, struct pl_operation *op);

#endif
