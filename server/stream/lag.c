/* SPDX-License-Identifier: MIT */
#include "stream/lag.h"

static uint64_t least(const uint64_t *positions, uint32_t count)
{
    uint64_t found = positions[0];

    for (uint32_t i = 1; i < count; i++)
        if (positions[i] < found)
            found = positions[i];
    return found;
}

static int count_record(const struct pl_trigger_source *source, const struct pl_stream_record *record,
                        const uint64_t *positions, struct pl_buf *scratch, struct pl_lag *lag)
{
    uint8_t slot;
    int rc = 0;

    if (!pl_lane_wants(&source->trigger, record))
        return 0;
    rc = pl_trigger_slot(source, record, scratch, &slot);
    if (rc != 0 || record->sequence <= positions[slot])
        return rc;
    lag->records++;
    if (lag->oldest_ms == 0 || record->at_ms < lag->oldest_ms)
        lag->oldest_ms = record->at_ms;
    return 0;
}

int pl_lag_add(struct pl_snapshot *snapshot, const struct pl_trigger_source *source, uint16_t partition,
               const uint64_t positions[PL_PROGRESS_SLOTS_MAX], struct pl_lag *lag)
{
    struct pl_stream_walk walk = { .snapshot = snapshot,
                                   .stream_id = source->table->stream_id,
                                   .partition = partition };
    struct pl_stream_record record;
    struct pl_buf scratch = { 0 };
    int rc = pl_stream_seek(&walk, least(positions, source->trigger.parallel) + 1, &record);

    while (rc == 0 && lag->records < lag->records_max) {
        rc = count_record(source, &record, positions, &scratch, lag);
        if (rc == 0)
            rc = pl_stream_next(&walk, &record);
    }
    pl_buf_deinit(&scratch);
    return rc == PL_ENOTFOUND ? 0 : rc;
}
