/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_LAG_H
#define PL_STREAM_LAG_H

#include "partition/progress.h"
#include "stream/trigger.h"

/** How far a trigger is behind: the records it has still to handle, counted up to a limit. */
struct pl_lag {
    uint64_t records;
    uint64_t records_max; /* counting ends there */
    int64_t oldest_ms;    /* the time of the oldest of them; 0: there is none */
};

/**
 * Add what one partition has for the trigger of `source` after `positions`, one for each slot. On a renewed snapshot with no other walk.
 * PL_ENOMEM, PL_ECORRUPT, PL_EIO: it was not counted to the end.
 */
int pl_lag_add(struct pl_snapshot *snapshot, const struct pl_trigger_source *source, uint16_t partition,
               const uint64_t positions[PL_PROGRESS_SLOTS_MAX], struct pl_lag *lag);

#endif
