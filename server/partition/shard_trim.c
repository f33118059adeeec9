/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/change.h"
#include "partition/stream.h"

/*
 * Rounds over all shards of all streams, by stream id and partition: what is older than the retention is deleted,
 * from the oldest on. When a closed stream has been closed for so long, nothing of it is kept: it becomes garbage,
 * and is swept like all garbage.
 *
 *     round due ─▸ shard ─▸ shard ─▸ ... ─▸ no stream is left ─▸ due again after a fraction of the retention
 */
enum {
    RETENTION_MS = 24 * 60 * 60 * 1000,
    ROUND_MS_MIN = 250,
    ROUND_MS_MAX = 60 * 1000,
    ROUNDS_PER_RETENTION = 10,
    STEP_SHARDS = 64,
    STEP_RECORDS = 512,
};

static uint32_t retention_ms(const struct pl_shard *shard)
{
    return shard->options.stream_retention_ms == 0 ? RETENTION_MS : shard->options.stream_retention_ms;
}

static bool round_is_due(const struct pl_shard *shard)
{
    uint32_t ms = retention_ms(shard) / ROUNDS_PER_RETENTION;

    ms = ms < ROUND_MS_MIN ? ROUND_MS_MIN : ms > ROUND_MS_MAX ? ROUND_MS_MAX : ms;
    return shard->trim.round_ns == 0 || pl_shard_passed_ms(pl_shard_now_ns(shard), shard->trim.round_ns, ms);
}

/* ---- a shard of a stream ---------------------------------------------------------------------------- */

/* How many deletes were appended; `last` is the sequence of the last. */
struct trimming {
    struct pl_buf deletes;
    uint32_t count;
    uint64_t last;
};

static bool is_old(const struct pl_stream_record *record, int64_t before_ms)
{
#ifdef PL_MUTANT_ONE_TOO_MANY
    return record->at_ms <= before_ms;
#else
    return record->at_ms < before_ms;
#endif
}

static int collect(struct trimming *trimming, const struct pl_stream_walk *walk, int64_t before_ms,
                   uint32_t most)
{
    struct pl_stream_record record;
    uint8_t key[PL_STREAM_KEY_BYTES];
    int rc = pl_stream_seek(walk, 1, &record);

    while (rc == 0 && is_old(&record, before_ms) && trimming->count < most) {
        pl_change_delete(&trimming->deletes,
                         pl_stream_key(key, walk->partition, walk->stream_id, record.sequence));
        trimming->count++;
        trimming->last = record.sequence;
        rc = pl_stream_next(walk, &record);
    }
    return rc == PL_ENOTFOUND ? pl_buf_status(&trimming->deletes) : rc;
}

/* How far the shard is trimmed stands before the deletes: a reader that misses a record learns of it. */
static int commit(struct pl_shard *shard, const struct pl_stream_walk *walk, const struct trimming *trimming)
{
    struct pl_buf change = { 0 };
    int rc;

    pl_stream_append_trim(&change, walk->partition, walk->stream_id, trimming->last);
    pl_buf_append_bytes(&change, pl_buf_view(&trimming->deletes));
    rc = pl_buf_status(&change);
    if (rc == 0)
        rc = pl_shard_commit_timed(shard, walk->partition, pl_buf_view(&change));
    pl_buf_deinit(&change);
    return rc;
}

/* At most `most` records. `*count` is how many there were. */
static int trim_shard(struct pl_shard *shard, const struct pl_stream_walk *walk, uint32_t most,
                      uint32_t *count)
{
    struct trimming trimming = { .count = 0 };
    int64_t before_ms = pl_clock_wall_ms(&shard->options.clock) - retention_ms(shard);
    int rc = collect(&trimming, walk, before_ms, most);

    if (rc == 0 && trimming.count > 0)
        rc = commit(shard, walk, &trimming);
    pl_buf_deinit(&trimming.deletes);
    *count = trimming.count;
    return rc;
}

/* ---- the round -------------------------------------------------------------------------------------- */

/* The lowest id of a stream that is `least` or higher; 0: none. */
static uint32_t next_stream(const struct pl_tables *tables, uint32_t least)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < tables->count; i++) {
        uint32_t id = tables->tables[i]->stream_id;

        if (id >= least && (found == 0 || id < found))
            found = id;
    }
    for (uint32_t i = 0; i < tables->closed_stream_count; i++) {
        uint32_t id = tables->closed_streams[i].table->stream_id;

        if (id >= least && (found == 0 || id < found))
            found = id;
    }
    return found;
}

/* False: the round is over. */
static bool find_stream(struct pl_shard *shard)
{
    uint32_t id = next_stream(shard->catalog.tables, shard->trim.stream_id);

    if (id != shard->trim.stream_id)
        shard->trim.partition = 0;
    shard->trim.stream_id = id;
    return id != 0;
}

/* 1 when the catalog has changed for it. */
static int forget_when_old(struct pl_shard *shard, uint32_t stream_id)
{
    const struct pl_closed_stream *closed = pl_tables_find_closed(shard->catalog.tables, stream_id);
    int64_t age_ms = closed == NULL ? 0 : pl_clock_wall_ms(&shard->options.clock) - closed->closed_ms;
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    int rc;

    if (closed == NULL || age_ms <= retention_ms(shard))
        return 0;
    rc = pl_catalog_copy(&shard->catalog, &next);
    if (rc != 0)
        return rc;
    rc = pl_catalog_forget_stream(&next, stream_id, &change);
    rc = pl_shard_adopt_catalog(shard, rc, &next, &change, PL_JOURNAL_SHRINK, NULL);
    if (rc != 0)
        return rc;
    shard->timed_batch = shard->gathering->number;
    return 1;
}

static void next_shard(struct pl_shard *shard)
{
    shard->trim.partition++;
    if (shard->trim.partition < shard->partition_count)
        return;
    shard->trim.partition = 0;
    shard->trim.stream_id++;
}

int pl_shard_trim(struct pl_shard *shard)
{
    struct pl_shard_trim *trim = &shard->trim;
    uint32_t left = STEP_RECORDS, count;
    int rc = 0;

    if (trim->stream_id == 0 && !round_is_due(shard))
        return 0;
    if (trim->stream_id == 0) {
        trim->stream_id = 1;
        trim->round_ns = pl_shard_now_ns(shard);
    }
    for (int i = 0; i < STEP_SHARDS && left > 0 && rc == 0; i++) {
        struct pl_stream_walk walk = { .snapshot = shard->evaluator.view.snapshot };

        if (!find_stream(shard))
            return 0;
        if (trim->partition == 0)
            rc = forget_when_old(shard, trim->stream_id);
        if (rc != 0)
            return rc;
        walk.stream_id = trim->stream_id;
        walk.partition = (uint16_t)trim->partition;
        rc = trim_shard(shard, &walk, left, &count);
        if (rc == 0 && count == left)
            return 1;
        if (rc != 0 && rc != PL_ECORRUPT)
            return rc;
        left -= count;
        next_shard(shard); /* a damaged one is nobody else's trouble */
    }
    return rc != 0 ? rc : 1;
}
