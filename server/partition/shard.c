/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/change.h"
#include "partition/heads.h"

#include <stdlib.h>

enum {
    TTL_SWEEP_MS = 1000,
    CHECKPOINT_INTERVAL_MS = 5000,
    CHECKPOINT_JOURNAL_BYTES = 64 << 20,
    REPLAY_BYTES = 64 << 10
};

#define COLLECTION_BYTES_MAX (UINT64_C(10) << 30)

uint64_t pl_shard_now_ns(const struct pl_shard *shard)
{
    return pl_clock_monotonic_ns(&shard->options.clock);
}

bool pl_shard_passed_ms(uint64_t now, uint64_t since, uint64_t ms)
{
    return now - since >= ms * 1000000;
}

/* From here on the shard takes nothing more: what the disk holds is not known. The process must end. */
void pl_shard_fail(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    if (shard->failed != 0)
        return;
    shard->failed = rc;
    pl_reason_set(&shard->failed_why, rc, "%s", pl_reason_text(why, rc));
    pl_log(shard->options.logger, PL_LOG_ERROR, "the shard has failed", "%s", shard->failed_why.text);
    pl_shard_tell_flushed(shard, rc);
}

struct pl_heads pl_shard_heads(struct pl_shard *shard)
{
    return (struct pl_heads){ .partition_count = shard->partition_count,
                              .groups = shard->groups,
                              .sequences = &shard->sequences,
                              .counters = shard->counters };
}

/* ---- opening ---------------------------------------------------------------------------------------- */

/*
 * The journal after the checkpoint is replayed into memory, as if it had just been applied: the store would be
 * written to in the journal's order, page by page and again and again, and the start would take seconds.
 */
struct replay {
    struct pl_shard *shard;
    struct pl_memtable *memory; /* NULL: there was nothing */
    struct pl_reason *why;
    /* Several effects go into memory together: on the way to one place the next is looked for. */
    struct pl_memtable_entry group[PL_MEMTABLE_GROUP_MAX];
    size_t count;
    struct pl_arena changes; /* where their bytes are until then */
    size_t change_bytes;
};

static int load_heads(struct pl_shard *shard, struct pl_store *store, struct pl_reason *why)
{
    struct pl_heads heads = pl_shard_heads(shard);
    struct pl_reader *reader;
    struct pl_txn *txn;
    int rc = pl_reader_open(store, &reader);

    if (rc != 0)
        return rc;
    rc = pl_reader_renew(reader, &txn);
    if (rc == 0)
        rc = pl_heads_load(&heads, txn, why);
    pl_reader_close(reader);
    return rc;
}

static int set_group(struct replay *replay)
{
    int rc = pl_memtable_set_group(replay->memory, replay->group, replay->count);

    replay->count = 0;
    return rc;
}

/* The change's bytes, for as long as its effects wait. */
static int keep_change(struct replay *replay, struct pl_bytes *change)
{
    int rc = 0;

    if (replay->change_bytes >= REPLAY_BYTES) {
        rc = set_group(replay);
        pl_arena_reset(&replay->changes);
        replay->change_bytes = 0;
    }
    *change = pl_arena_copy(&replay->changes, *change);
    replay->change_bytes += change->len;
    return rc == 0 && change->data == NULL ? PL_ENOMEM : rc;
}

static int replay_effect(struct replay *replay, const struct pl_effect *effect)
{
    if (effect->kind == PL_EFFECT_COUNT)
        return pl_counters_add(replay->shard->counters, effect->partition, effect->id, effect->items,
                               effect->size_bytes);
    if (effect->kind == PL_EFFECT_PUT)
        pl_sequences_note(&replay->shard->sequences, effect->key);
    replay->group[replay->count++] = (struct pl_memtable_entry){
        .key = effect->key, .value = effect->value, .tombstone = effect->kind == PL_EFFECT_DELETE
    };
    return replay->count == PL_MEMTABLE_GROUP_MAX ? set_group(replay) : 0;
}

static int replay_record(void *arg, struct pl_store *store, const struct pl_journal_record *record)
{
    struct replay *replay = arg;
    struct pl_shard *shard = replay->shard;
    struct pl_bytes change = record->payload;
    struct pl_effect effect;
    int rc = 0;

    if (record->kind != PL_JOURNAL_CHANGE)
        return 0;
    if (replay->memory == NULL) {
        replay->memory = pl_memtable_new(shard->seed);
        rc = replay->memory == NULL ? PL_ENOMEM : load_heads(shard, store, replay->why);
    }
    if (rc == 0 && record->partition >= shard->partition_count)
        rc = pl_reason_set(replay->why, PL_ECORRUPT, "the journal speaks of partition %u; there are %u",
                           record->partition, shard->partition_count);
    if (rc == 0)
        rc = pl_group_replayed(&shard->groups[record->partition], record, replay->why);
    if (rc == 0)
        rc = keep_change(replay, &change);
    if (rc != 0)
        return rc;
    while ((rc = pl_change_take(&change, &effect)) == 1) {
        rc = replay_effect(replay, &effect);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static int open_memory(struct pl_shard *shard)
{
    int rc;

    shard->groups = calloc(shard->partition_count, sizeof *shard->groups);
    shard->gathering = pl_batch_new();
    if (shard->groups == NULL || shard->gathering == NULL)
        return PL_ENOMEM;
    shard->gathering->number = shard->batch_number = 1;
    for (uint32_t p = 0; p < shard->partition_count; p++)
        shard->groups[p] = (struct pl_group){ .partition = (uint16_t)p, .term = 1 };
    rc = pl_sequences_init(&shard->sequences, shard->partition_count);
    if (rc == 0)
        rc = pl_counters_new(&shard->counters);
    if (rc == 0)
        rc = pl_inflight_new(shard->seed, &shard->inflight);
    return rc != 0 ? rc : pl_catalog_init(&shard->catalog);
}

static int load_catalog(struct pl_shard *shard, struct pl_reason *why)
{
    struct pl_snapshot **snapshot = &shard->evaluator.view.snapshot;
    int rc = pl_snapshot_open(shard->state, snapshot);

    if (rc == 0)
        rc = pl_snapshot_renew(*snapshot);
    if (rc != 0)
        return rc;
    rc = pl_catalog_load(&shard->catalog, *snapshot, why);
    pl_snapshot_reset(*snapshot);
    pl_catalog_provide(&shard->catalog, pl_shard_now_ns(shard));
    return rc;
}

static int open_files(struct pl_shard *shard, struct pl_reason *why)
{
    struct replay replay = { .shard = shard, .why = why };
    int rc;

    rc = pl_recovery_open(shard->options.disk, shard->options.dir, shard->options.number,
                          &shard->options.recovery, replay_record, &replay, &shard->files, why);
    if (rc == 0 && replay.count > 0)
        rc = set_group(&replay);
    pl_arena_deinit(&replay.changes);
    if (rc == 0 && replay.memory == NULL)
        rc = load_heads(shard, shard->files.store, why);
    if (rc == 0)
        rc = pl_state_new(shard->files.store, shard->options.recovery.dirty_bytes_max, shard->seed,
                          &shard->state);
    if (rc != 0 || replay.memory == NULL)
        pl_memtable_unref(replay.memory);
    else
        pl_state_adopt(shard->state, replay.memory);
    return rc != 0 ? rc : load_catalog(shard, why);
}

int pl_shard_open(const struct pl_shard_options *options, struct pl_shard **out, struct pl_reason *why)
{
    struct pl_shard *shard = calloc(1, sizeof *shard);
    int rc;

    if (shard == NULL)
        return PL_ENOMEM;
    shard->options = *options;
    if (shard->options.checkpoint_interval_ms == 0)
        shard->options.checkpoint_interval_ms = CHECKPOINT_INTERVAL_MS;
    if (shard->options.ttl_sweep_ms == 0)
        shard->options.ttl_sweep_ms = TTL_SWEEP_MS;
    if (shard->options.checkpoint_journal_bytes == 0)
        shard->options.checkpoint_journal_bytes = CHECKPOINT_JOURNAL_BYTES;
    if (shard->options.collection_bytes_max == 0)
        shard->options.collection_bytes_max = COLLECTION_BYTES_MAX;
    if (options->recovery.journal.random.next != NULL)
        shard->seed = pl_random_next(&options->recovery.journal.random);
    shard->partition_count = pl_datadir_facts(options->dir)->partition_count;
    shard->reaper.marks.partition_count = shard->partition_count;
    rc = open_memory(shard);
    if (rc == 0)
        rc = open_files(shard, why);
    if (rc != 0) {
        pl_shard_close(shard, false, NULL);
        return rc;
    }
    shard->evaluator.partition_count = shard->partition_count;
    shard->evaluator.clock = shard->options.clock;
    shard->evaluator.collection_bytes_max = shard->options.collection_bytes_max;
    shard->evaluator.view.inflight = shard->inflight;
    shard->evaluator.sequences = &shard->sequences;
    shard->applied_position = pl_journal_end(shard->files.journal);
    /* What was replayed still waits for a checkpoint: starts that follow each other must not add up. */
    shard->checkpoint_position = shard->files.replay_from;
    shard->published = pl_tables_ref(shard->catalog.tables);
    shard->chores_wait = true;
    if (shard->files.replayed_records > 0)
        shard->checkpoint_changes = UINT64_MAX; /* a checkpoint soon, so that the next start replays less */
    shard->checkpoint_ns = shard->synced_ns = shard->reap_ns = shard->active_ns = pl_shard_now_ns(shard);
    *out = shard;
    return 0;
}

struct pl_shard_start pl_shard_start(const struct pl_shard *shard)
{
    return (struct pl_shard_start){ .replayed_records = shard->files.replayed_records,
                                    .created = shard->files.created };
}

struct pl_store *pl_shard_store(struct pl_shard *shard)
{
    return shard->files.store;
}

struct pl_state *pl_shard_state(struct pl_shard *shard)
{
    return shard->state;
}

struct pl_counters *pl_shard_counters(struct pl_shard *shard)
{
    return shard->counters;
}

const struct pl_sequences *pl_shard_sequences(struct pl_shard *shard)
{
    return &shard->sequences;
}

/* ---- figures ------------------------------------------------------------------------------------------ */

int pl_shard_failed(const struct pl_shard *shard, const char **sentence)
{
    if (sentence != NULL)
        *sentence = shard->failed_why.text;
    return shard->failed;
}

struct pl_shard_stats pl_shard_stats(const struct pl_shard *shard)
{
    struct pl_shard_stats stats = shard->stats;

    stats.journal_start = pl_journal_start(shard->files.journal);
    stats.journal_end = pl_journal_end(shard->files.journal);
    stats.journal_durable = pl_journal_durable(shard->files.journal);
    stats.applied_position = shard->applied_position;
    stats.queued = shard->queued;
    stats.inflight_keys = pl_inflight_count(shard->inflight);
    stats.script_bytes = shard->script == NULL ? 0 : pl_script_used_bytes(shard->script);
    stats.full = shard->full;
    stats.chore = shard->chore.kind == PL_CHORE_NONE       ? PL_CHORE_IDLE
                  : shard->chore.kind == PL_CHORE_BACKFILL ? PL_CHORE_FILLING
                                                           : PL_CHORE_SWEEPING;
    stats.chore_id = shard->chore.kind == PL_CHORE_BACKFILL ? shard->chore.fill_id : shard->chore.space.id;
    stats.chore_done = shard->chore.done;
    return stats;
}

/* ---- closing ---------------------------------------------------------------------------------------- */

static void free_batches(struct pl_batch *batch)
{
    while (batch != NULL) {
        struct pl_batch *next = batch->next;

        pl_batch_free(batch);
        batch = next;
    }
}

static int last_checkpoint(struct pl_shard *shard, struct pl_reason *why)
{
    int rc;

    if (shard->failed != 0 || shard->checkpoint != CHECKPOINT_NONE ||
        shard->applied_changes == shard->checkpoint_changes)
        return shard->failed;
    rc = pl_shard_freeze(shard);
    if (rc == 0)
        rc = pl_state_flush(shard->state);
    if (rc == 0)
        pl_state_settle(shard->state);
    return rc != 0 ? rc : pl_recovery_checkpoint(&shard->files, why);
}

int pl_shard_close(struct pl_shard *shard, bool clean, struct pl_reason *why)
{
    int rc = 0;

    if (shard == NULL)
        return 0;
    if (clean && pl_shard_is_idle(shard))
        rc = last_checkpoint(shard, why);
    pl_chore_deinit(&shard->chore);
    pl_expiry_marks_deinit(&shard->reaper.marks);
    pl_snapshot_close(shard->evaluator.view.snapshot);
    pl_state_free(shard->state);
    pl_evaluator_deinit(&shard->evaluator);
    pl_transact_deinit(&shard->transact);
    pl_inflight_free(shard->inflight);
    pl_recovery_close(&shard->files);
    pl_script_free(shard->script);
    free_batches(shard->gathering);
    free_batches(shard->in_flight);
    free_batches(shard->durable);
    free_batches(shard->spare);
    pl_tables_unref(shard->published);
    pl_catalog_deinit(&shard->catalog);
    pl_counters_free(shard->counters);
    pl_sequences_deinit(&shard->sequences);
    free(shard->groups);
    free(shard);
    return rc;
}
