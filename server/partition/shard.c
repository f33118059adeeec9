/* SPDX-License-Identifier: MIT */
#include "partition/shard.h"

#include "partition/batch.h"
#include "partition/catalog.h"
#include "partition/change.h"
#include "partition/chore.h"
#include "partition/counters.h"
#include "partition/evaluate.h"
#include "partition/heads.h"
#include "partition/schema.h"
#include "replica/group.h"

#include <stdlib.h>

enum {
    BATCH_BYTES_MAX = 4 << 20,
    BATCH_OPERATIONS_MAX = 4096,
    CHECKPOINT_INTERVAL_MS = 5000,
    CHECKPOINT_JOURNAL_BYTES = 64 << 20,
    MEMORY_FACTOR_MAX = 2, /* times the journal bytes between two checkpoints */
    ROOM_INTERVAL_MS = 250,
    MARK_AFTER_MS = 1000,
    REAP_INTERVAL_MS = 10000,
    CHORE_RETRY_MS = 1000,
};

struct pl_shard {
    struct pl_shard_options options;
    struct pl_recovered files;
    struct pl_state *state; /* the files' store, and what is applied but not in it yet */
    uint32_t partition_count;
    struct pl_group *groups; /* one for each partition */
    struct pl_counters *counters;
    struct pl_catalog catalog; /* as of the newest change, in flight or not */
    struct pl_tables *published; /* as of the last applied batch; NULL once taken */
    struct pl_script *script;    /* NULL: no modules */

    /* Evaluation. */
    struct pl_inflight *inflight;
    struct pl_evaluator evaluator; /* its view's snapshot is ours */

    /* Operations waiting, and batches on their way. */
    struct pl_operation *queue_first, *queue_last;
    size_t queued;
    struct pl_batch *gathering;
    struct pl_batch *in_flight; /* on the worker */
    struct pl_batch *durable;   /* to be applied; oldest first */
    struct pl_batch *spare;
    uint64_t batch_number;
    uint64_t applied_batch;
    uint64_t applied_position; /* of the journal: all before is in the store */
    struct pl_operation *finished_first, *finished_last;

    /* Checkpoints: begun, run by a worker, recorded in the journal, committed once durable. */
    enum {
        CHECKPOINT_NONE,
        CHECKPOINT_BEGUN,    /* what was applied is frozen; a worker flushes and syncs it */
        CHECKPOINT_WAITING,  /* it found no room or memory: the next tick begins it again */
        CHECKPOINT_RECORDED, /* its record is in the journal, not yet durable */
    } checkpoint;
    struct pl_shard_still *stills_waiting; /* for the next checkpoint */
    struct pl_shard_still *stills_frozen;  /* for this one */
    uint64_t checkpoint_record;   /* journal position of the record */
    uint64_t checkpoint_position; /* applied position at the last begin */
    uint64_t checkpoint_changes;  /* stats.changes then: a directory at rest needs no checkpoint */

    struct pl_chore chore;
    uint64_t chore_batch; /* its last change is in this batch: the next step waits for it */
    bool chores_wait;     /* the catalog has changed since it was last asked for chores, and there were none */

    /* The times of the last of each, monotonic. */
    uint64_t checkpoint_ns, room_ns, synced_ns, reap_ns, active_ns;
    uint64_t chore_failed_ns; /* 0: it has not */
    bool full;
    int failed;
    struct pl_reason failed_why;
    struct pl_shard_stats stats;
};

static uint64_t now_ns(const struct pl_shard *shard)
{
    return pl_clock_monotonic_ns(&shard->options.clock);
}

static bool passed_ms(uint64_t now, uint64_t since, uint64_t ms)
{
    return now - since >= ms * 1000000;
}

static void tell_flushed(struct pl_shard *shard, int rc)
{
    while (shard->stills_frozen != NULL) {
        struct pl_shard_still *still = shard->stills_frozen;

        shard->stills_frozen = still->next;
        still->flushed(shard, still, rc);
    }
}

/* From here on the shard takes nothing more: what the disk holds is not known. The process must end. */
static void fail(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    if (shard->failed != 0)
        return;
    shard->failed = rc;
    pl_reason_set(&shard->failed_why, rc, "%s", pl_reason_text(why, rc));
    pl_log(shard->options.logger, PL_LOG_ERROR, "the shard has failed", "%s", shard->failed_why.text);
    tell_flushed(shard, rc);
    shard->stills_frozen = shard->stills_waiting;
    shard->stills_waiting = NULL;
    tell_flushed(shard, rc);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int apply_effect(struct pl_txn *txn, const struct pl_effect *effect)
{
    int rc;

    switch (effect->kind) {
    case PL_EFFECT_PUT:
        return pl_txn_put(txn, effect->key, effect->value);
    case PL_EFFECT_DELETE:
        rc = pl_txn_delete(txn, effect->key);
        return rc == PL_ENOTFOUND ? 0 : rc;
    default:
        return 0;
    }
}

/* What was loaded from the store, before replay changes it. */
struct replay {
    struct pl_shard *shard;
    bool loaded;
    struct pl_reason *why;
};

static int load_heads(struct pl_shard *shard, struct pl_txn *txn, struct pl_reason *why)
{
    return pl_heads_load(txn, shard->groups, shard->partition_count, shard->counters, why);
}

static int replay_record(void *arg, struct pl_txn *txn, const struct pl_journal_record *record)
{
    struct replay *replay = arg;
    struct pl_shard *shard = replay->shard;
    struct pl_bytes change = record->payload;
    struct pl_effect effect;
    int rc = 0;

    if (record->kind != PL_JOURNAL_CHANGE)
        return 0;
    if (!replay->loaded) {
        rc = load_heads(shard, txn, replay->why);
        replay->loaded = true;
    }
    if (rc == 0 && record->partition >= shard->partition_count)
        rc = pl_reason_set(replay->why, PL_ECORRUPT, "the journal speaks of partition %u; there are %u",
                           record->partition, shard->partition_count);
    if (rc == 0)
        rc = pl_group_replayed(&shard->groups[record->partition], record, replay->why);
    if (rc != 0)
        return rc;
    while ((rc = pl_change_take(&change, &effect)) == 1) {
        rc = effect.kind == PL_EFFECT_COUNT
                 ? pl_counters_add(shard->counters, effect.partition, effect.id, effect.items, effect.size_bytes)
                 : apply_effect(txn, &effect);
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
    rc = pl_counters_new(&shard->counters);
    if (rc == 0)
        rc = pl_inflight_new(&shard->inflight);
    return rc != 0 ? rc : pl_catalog_init(&shard->catalog);
}

static int open_files(struct pl_shard *shard, struct pl_reason *why)
{
    struct replay replay = { .shard = shard, .why = why };
    struct pl_reader *reader;
    struct pl_txn *txn;
    int rc;

    rc = pl_recovery_open(shard->options.disk, shard->options.dir, shard->options.number, &shard->options.recovery,
                          replay_record, &replay, &shard->files, why);
    if (rc != 0)
        return rc;
    rc = pl_reader_open(shard->files.store, &reader);
    if (rc != 0)
        return rc;
    rc = pl_reader_renew(reader, &txn);
    if (rc == 0 && !replay.loaded)
        rc = load_heads(shard, txn, why);
    if (rc == 0)
        rc = pl_catalog_load(&shard->catalog, txn, why);
    pl_reader_close(reader);
    if (rc == 0)
        rc = pl_state_new(shard->files.store, &shard->state);
    return rc != 0 ? rc : pl_snapshot_open(shard->state, &shard->evaluator.view.snapshot);
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
    if (shard->options.checkpoint_journal_bytes == 0)
        shard->options.checkpoint_journal_bytes = CHECKPOINT_JOURNAL_BYTES;
    shard->partition_count = pl_datadir_facts(options->dir)->partition_count;
    rc = open_memory(shard);
    if (rc == 0)
        rc = open_files(shard, why);
    if (rc != 0) {
        pl_shard_close(shard, false, NULL);
        return rc;
    }
    shard->evaluator.partition_count = shard->partition_count;
    shard->evaluator.view.inflight = shard->inflight;
    shard->applied_position = shard->checkpoint_position = pl_journal_end(shard->files.journal);
    shard->published = pl_tables_ref(shard->catalog.tables);
    shard->chores_wait = true;
    if (shard->files.replayed_records > 0)
        shard->checkpoint_changes = UINT64_MAX; /* a checkpoint soon, so that the next start replays less */
    shard->checkpoint_ns = shard->synced_ns = shard->reap_ns = shard->active_ns = now_ns(shard);
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

/* ---- batches ---------------------------------------------------------------------------------------- */

static struct pl_batch *fresh_batch(struct pl_shard *shard)
{
    struct pl_batch *batch = shard->spare;

    if (batch != NULL) {
        shard->spare = batch->next;
        batch->next = NULL;
    } else {
        batch = pl_batch_new();
    }
    if (batch != NULL)
        batch->number = ++shard->batch_number;
    return batch;
}

static void finish(struct pl_shard *shard, struct pl_operation *op)
{
    op->next = NULL;
    if (shard->finished_last == NULL)
        shard->finished_first = op;
    else
        shard->finished_last->next = op;
    shard->finished_last = op;
}

/* Is there anything that a write just judged could have seen and that is not yet applied? */
static bool anything_unapplied(const struct pl_shard *shard)
{
    return shard->gathering->change_count > 0 || shard->in_flight != NULL || shard->durable != NULL;
}

/* The operation is judged. What it learned may be in flight still: then it waits with it. */
static void conclude(struct pl_shard *shard, struct pl_operation *op)
{
    if (anything_unapplied(shard))
        pl_batch_add_operation(shard->gathering, op);
    else
        finish(shard, op);
}

/* True for changes that make the store larger: they stop early, so that deletes still find room. */
static bool grows(const struct pl_operation *op)
{
    return op->name != PL_OP_DELETE && op->name != PL_OP_DROP;
}

static int show_in_overlay(struct pl_shard *shard, struct pl_bytes change)
{
    struct pl_effect effect;
    int rc;

    while ((rc = pl_change_take(&change, &effect)) == 1) {
        if (effect.kind == PL_EFFECT_COUNT)
            continue;
        rc = pl_inflight_set(shard->inflight, shard->gathering->number, effect.key, effect.value,
                             effect.kind == PL_EFFECT_DELETE);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static size_t effect_count(struct pl_bytes change)
{
    struct pl_effect effect;
    size_t count = 0;

    while (pl_change_take(&change, &effect) == 1)
        count++;
    return count;
}

/*
 * A change becomes part of the gathering batch: in its memory, in its group's journal
 * and in the overlay. What can fail comes first; after the group has taken it there is no way back.
 */
static int commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change, enum pl_journal_use use,
                  struct pl_reason *why)
{
    struct pl_group *group = &shard->groups[partition];
    struct pl_bytes copy;
    int rc;

    rc = pl_inflight_reserve(shard->inflight, effect_count(change));
    if (rc == 0)
        rc = pl_batch_copy_change(shard->gathering, change, &copy);
    if (rc == 0)
        rc = pl_group_propose(group, shard->files.journal, copy, use, NULL, why);
    if (rc != 0)
        return rc;
    pl_batch_add_change(shard->gathering, copy, partition, group->last_index);
    rc = show_in_overlay(shard, copy);
    PL_ASSERT(rc == 0); /* there was room, and we made the bytes ourselves */
    shard->stats.changes++;
    return 0;
}

/* ---- judging one operation -------------------------------------------------------------------------- */

static int freshen_view(struct pl_shard *shard)
{
    struct pl_snapshot *snapshot = shard->evaluator.view.snapshot;

    return pl_snapshot_is_renewed(snapshot) ? 0 : pl_snapshot_renew(snapshot);
}

static void drop_view(struct pl_shard *shard)
{
    pl_snapshot_reset(shard->evaluator.view.snapshot);
}

static int judge_write(struct pl_shard *shard, struct pl_operation *op)
{
    const struct pl_table *table = pl_tables_find_id(shard->catalog.tables, op->table->id);
    struct pl_table_script *script = NULL;
    int rc;

    if (table == NULL)
        return PL_ENOTABLE;
    if (shard->full && grows(op))
        return PL_EFULL;
    if (shard->script != NULL && table->module.len > 0)
        script = pl_script_table(shard->script, table->name);
    rc = pl_evaluate(&shard->evaluator, op, table, script);
    if (rc == PL_ECONDITION)
        shard->stats.conditions_failed++;
    if (rc != 0 || shard->evaluator.change.len == 0)
        return rc;
    return commit(shard, op->partition, pl_buf_view(&shard->evaluator.change),
                  grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK, &op->reply.why);
}

/* Take over a catalog whose changes are in the journal; readers see it when they are applied. */
static int adopt_catalog(struct pl_shard *shard, struct pl_catalog *next, struct pl_buf *change,
                         enum pl_journal_use use, struct pl_reason *why)
{
    int rc = pl_buf_status(change);

    if (rc == 0 && change->len > 0)
        rc = commit(shard, 0, pl_buf_view(change), use, why);
    if (rc != 0) {
        pl_catalog_deinit(next);
        return rc;
    }
    pl_tables_unref(shard->gathering->tables);
    shard->gathering->tables = pl_tables_ref(next->tables);
    pl_catalog_deinit(&shard->catalog);
    shard->catalog = *next;
    shard->chores_wait = true;
    return 0;
}

static int alter(struct pl_catalog *next, const struct pl_table *table, struct pl_operation *op,
                 struct pl_buf *change)
{
    struct pl_table *definition;
    int rc;

    if (table->module.len > 0)
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "the table %.*s is defined by %.*s: change it there and reload", (int)table->name.len,
                             table->name.data, (int)table->module.len, table->module.data);
    rc = pl_schema_patch(table, op->definition, &definition, &op->reply.why);
    if (rc != 0)
        return rc;
    rc = pl_bytes_equal(definition->name, table->name)
             ? pl_schema_alter(next, table, definition, 0, change, &op->reply.why)
             : pl_reason_set(&op->reply.why, PL_EINVALID, "table: a table cannot be renamed");
    pl_table_unref(definition);
    return rc;
}

static int drop(struct pl_shard *shard, struct pl_catalog *next, const struct pl_table *table,
                struct pl_operation *op, struct pl_buf *change)
{
    if (shard->script != NULL && pl_script_table(shard->script, table->name) != NULL)
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "the table %.*s is defined by %.*s: remove it there and reload, then drop it",
                             (int)table->name.len, table->name.data, (int)table->module.len, table->module.data);
    return pl_schema_drop(next, table, change, &op->reply.why);
}

static int create(struct pl_shard *shard, struct pl_catalog *next, struct pl_operation *op, struct pl_buf *change)
{
    struct pl_table *definition;
    int rc = pl_schema_parse(op->definition, &definition, &op->reply.why);

    if (rc != 0)
        return rc;
    rc = pl_schema_create(next, definition, 0, pl_clock_wall_ms(&shard->options.clock), change, &op->reply.why);
    pl_table_unref(definition);
    return rc;
}

static int change_schema(struct pl_shard *shard, struct pl_catalog *next, struct pl_operation *op,
                         struct pl_buf *change)
{
    const struct pl_table *table;

    if (op->name == PL_OP_CREATE)
        return create(shard, next, op, change);
    table = pl_tables_find(next->tables, op->table_name);
    if (table == NULL)
        return pl_reason_set(&op->reply.why, PL_ENOTABLE, "Requested resource not found: Table: %.*s not found",
                             (int)op->table_name.len, op->table_name.data);
    if (op->name == PL_OP_ALTER)
        return alter(next, table, op, change);
    return drop(shard, next, table, op, change);
}

static int judge_schema(struct pl_shard *shard, struct pl_operation *op)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    int rc;

    if (shard->full && grows(op))
        return PL_EFULL;
    rc = pl_catalog_copy(&shard->catalog, &next);
    if (rc != 0)
        return rc;
    rc = change_schema(shard, &next, op, &change);
    if (rc == 0)
        rc = adopt_catalog(shard, &next, &change, grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK,
                           &op->reply.why);
    else
        pl_catalog_deinit(&next);
    pl_buf_deinit(&change);
    return rc;
}

static void judge(struct pl_shard *shard, struct pl_operation *op)
{
    int rc = shard->failed != 0 ? PL_EREADONLY : freshen_view(shard);

    if (rc == 0)
        rc = pl_operation_kind(op->name) == PL_OPERATION_SCHEMA ? judge_schema(shard, op) : judge_write(shard, op);
    op->reply.rc = rc;
    shard->stats.writes++;
    conclude(shard, op);
}

int pl_shard_load(struct pl_shard *shard, struct pl_script *script, const uint64_t *hashes,
                  struct pl_operation *op)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    int rc = shard->failed != 0 ? PL_EREADONLY : pl_catalog_copy(&shard->catalog, &next);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < pl_script_table_count(script) && rc == 0; i++)
        rc = pl_schema_apply(&next, pl_script_definition(script, i), hashes[i],
                             pl_clock_wall_ms(&shard->options.clock), &change, &op->reply.why);
    if (rc == 0)
        rc = adopt_catalog(shard, &next, &change, PL_JOURNAL_GROW, &op->reply.why);
    else
        pl_catalog_deinit(&next);
    pl_buf_deinit(&change);
    if (rc != 0)
        return rc;
    pl_script_free(shard->script);
    shard->script = script;
    conclude(shard, op);
    return 0;
}

/* ---- chores ----------------------------------------------------------------------------------------- */

static int commit_chore(void *state, uint16_t partition, struct pl_buf *change)
{
    struct pl_shard *shard = state;

    shard->chore_batch = shard->gathering->number;
    return commit(shard, partition, pl_buf_view(change),
                  shard->chore.kind == PL_CHORE_SWEEP ? PL_JOURNAL_SHRINK : PL_JOURNAL_GROW, NULL);
}

/* The chore is walked to its end: the catalog says so from now on. */
static int complete_chore(struct pl_shard *shard)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    const struct pl_table *table;
    int rc = pl_catalog_copy(&shard->catalog, &next);

    if (rc != 0)
        return rc;
    if (shard->chore.kind == PL_CHORE_SWEEP) {
        pl_catalog_remove_garbage(&next, shard->chore.space.id, &change);
    } else {
        table = pl_tables_find_id(next.tables, shard->chore.table_id);
        if (table != NULL)
            rc = pl_schema_activate(&next, table, shard->chore.index_id, &change);
    }
    shard->chore_batch = shard->gathering->number;
    if (rc == 0)
        rc = adopt_catalog(shard, &next, &change, PL_JOURNAL_SHRINK, NULL);
    else
        pl_catalog_deinit(&next);
    pl_buf_deinit(&change);
    if (rc == 0)
        pl_chore_deinit(&shard->chore);
    return rc;
}

/* The newest batch that holds anything. */
static uint64_t newest_batch(const struct pl_shard *shard)
{
    return pl_batch_is_empty(shard->gathering) ? shard->gathering->number - 1 : shard->gathering->number;
}

/* One step, when the one before is applied: then the snapshot has it. True when more is to come. */
static bool do_chore(struct pl_shard *shard)
{
    struct pl_chore_hands hands = { .commit = commit_chore,
                                    .state = shard,
                                    .view = &shard->evaluator.view,
                                    .partition_count = shard->partition_count,
                                    .script = shard->script,
                                    .logger = shard->options.logger };
    int rc;

    if (shard->failed != 0 || shard->chore_batch > shard->applied_batch)
        return false; /* applying will bring us back */
    if (shard->chore.kind == PL_CHORE_NONE) {
        shard->chores_wait =
            shard->chores_wait && pl_chore_choose(&shard->chore, &shard->catalog, shard->partition_count);
        if (!shard->chores_wait)
            return false;
        /* The catalog that asked for it may be on its way still, and so may be writes from before it. */
        shard->chore_batch = newest_batch(shard);
        if (shard->chore_batch > shard->applied_batch)
            return false;
    }
    rc = freshen_view(shard);
    if (rc == 0)
        rc = pl_chore_step(&shard->chore, &shard->catalog, &hands);
    if (rc == 1)
        rc = complete_chore(shard);
    if (rc < 0) {
        /* Short of memory or room: a later tick tries again. */
        shard->chores_wait = false;
        shard->chore_failed_ns = now_ns(shard);
    }
    return rc == 0 && shard->chore_batch <= shard->applied_batch;
}

/* ---- the turn --------------------------------------------------------------------------------------- */

void pl_shard_submit(struct pl_shard *shard, struct pl_operation *first)
{
    while (first != NULL) {
        struct pl_operation *op = first;

        first = op->next;
        op->next = NULL;
        if (shard->queue_last == NULL)
            shard->queue_first = op;
        else
            shard->queue_last->next = op;
        shard->queue_last = op;
        shard->queued++;
    }
}

static bool gathering_has_room(const struct pl_shard *shard)
{
    return shard->gathering->size_bytes < BATCH_BYTES_MAX &&
           shard->gathering->operation_count < BATCH_OPERATIONS_MAX;
}

/* The disk may be slower than the writers: then they wait for the flush under way. */
static bool memory_has_room(const struct pl_shard *shard)
{
    return shard->checkpoint != CHECKPOINT_BEGUN ||
           pl_state_active_bytes(shard->state) < MEMORY_FACTOR_MAX * shard->options.checkpoint_journal_bytes;
}

static struct pl_operation *pop(struct pl_shard *shard)
{
    struct pl_operation *op = shard->queue_first;

    shard->queue_first = op->next;
    if (shard->queue_first == NULL)
        shard->queue_last = NULL;
    shard->queued--;
    return op;
}

static bool must_sync(struct pl_shard *shard)
{
    if (shard->gathering->must_sync || shard->options.sync == PL_SHARD_SYNC_ALWAYS)
        return true;
    return shard->options.sync == PL_SHARD_SYNC_INTERVAL &&
           passed_ms(now_ns(shard), shard->synced_ns, shard->options.sync_interval_ms);
}

static void append_durable(struct pl_shard *shard, struct pl_batch *batch)
{
    struct pl_batch **at = &shard->durable;

    while (*at != NULL)
        at = &(*at)->next;
    *at = batch;
}

/* What was gathered goes to the disk, if nothing else is on its way there. */
static void seal(struct pl_shard *shard)
{
    struct pl_batch *fresh;
    uint64_t end;

    if (shard->in_flight != NULL || shard->failed != 0 ||
        (pl_batch_is_empty(shard->gathering) && !shard->gathering->must_sync))
        return;
    fresh = fresh_batch(shard);
    if (fresh == NULL)
        return; /* no memory for another batch: this one goes on gathering */
    if (pl_journal_seal(shard->files.journal, must_sync(shard), &end)) {
        shard->in_flight = shard->gathering;
        shard->in_flight->end = end;
    } else {
        /* Only operations that waited for what was before them: it is durable by now. */
        shard->gathering->end = pl_journal_end(shard->files.journal);
        append_durable(shard, shard->gathering);
    }
    shard->gathering = fresh;
    shard->stats.batches++;
}

bool pl_shard_turn(struct pl_shard *shard)
{
    bool more;

    seal(shard);
    while (shard->queue_first != NULL && gathering_has_room(shard) && memory_has_room(shard))
        judge(shard, pop(shard));
    more = do_chore(shard);
    seal(shard);
    if (pl_shard_is_idle(shard))
        drop_view(shard);
    return more || (shard->queue_first != NULL && gathering_has_room(shard) && memory_has_room(shard));
}

bool pl_shard_syncs(const struct pl_shard *shard)
{
    return shard->in_flight != NULL;
}

int pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why)
{
    return pl_journal_run_sync(shard->files.journal, why);
}

static void record_checkpoint_committed(struct pl_shard *shard)
{
    uint64_t keep_from;

    if (shard->checkpoint != CHECKPOINT_RECORDED ||
        pl_journal_durable(shard->files.journal) <= shard->checkpoint_record)
        return;
    pl_checkpoint_commit(shard->files.checkpoint, &keep_from);
    pl_journal_trim(shard->files.journal, keep_from);
    shard->checkpoint = CHECKPOINT_NONE;
    shard->stats.checkpoints++;
}

void pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    struct pl_batch *batch = shard->in_flight;

    pl_journal_end_sync(shard->files.journal, rc);
    shard->in_flight = NULL;
    if (rc != 0) {
        fail(shard, rc, why);
        for (struct pl_operation *op = batch->first; op != NULL; op = op->next)
            if (op->reply.rc == 0)
                pl_operation_fail(op, PL_EUNSURE, NULL);
    }
    append_durable(shard, batch);
    if (pl_journal_durable(shard->files.journal) == pl_journal_written(shard->files.journal))
        shard->synced_ns = now_ns(shard);
    record_checkpoint_committed(shard);
    seal(shard);
}

/* ---- applying --------------------------------------------------------------------------------------- */

/* Every counter that the batch will touch exists, so that counting after the commit cannot fail. */
static int apply_change(struct pl_shard *shard, struct pl_bytes change)
{
    struct pl_effect effect;
    int rc;

    while ((rc = pl_change_take(&change, &effect)) == 1) {
        rc = effect.kind == PL_EFFECT_COUNT
                 ? pl_counters_add(shard->counters, effect.partition, effect.id, 0, 0)
                 : pl_state_set(shard->state, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static int apply_changes(struct pl_shard *shard, const struct pl_batch *batch)
{
    int rc = 0;

    for (size_t i = 0; i < batch->change_count && rc == 0; i++)
        rc = apply_change(shard, batch->changes[i].bytes);
    return rc;
}

static void settle_change(struct pl_shard *shard, const struct pl_batch *batch, const struct pl_batch_change *change)
{
    struct pl_bytes bytes = change->bytes;
    struct pl_effect effect;

    pl_group_applied(&shard->groups[change->partition], change->index);
    while (pl_change_take(&bytes, &effect) == 1) {
        if (effect.kind == PL_EFFECT_COUNT)
            pl_counters_add(shard->counters, effect.partition, effect.id, effect.items, effect.size_bytes);
        else
            pl_inflight_settle(shard->inflight, batch->number, effect.key);
    }
}

static void release_operations(struct pl_shard *shard, struct pl_batch *batch)
{
    struct pl_operation *op = batch->first;

    while (op != NULL) {
        struct pl_operation *next = op->next;

        finish(shard, op);
        op = next;
    }
    batch->first = batch->last = NULL;
}

static void retire(struct pl_shard *shard, struct pl_batch *batch)
{
    shard->durable = batch->next;
    pl_batch_reset(batch);
    batch->next = shard->spare;
    shard->spare = batch;
}

static void settle(struct pl_shard *shard, struct pl_batch *batch)
{
    for (size_t i = 0; i < batch->change_count; i++)
        settle_change(shard, batch, &batch->changes[i]);
    if (batch->tables != NULL) {
        pl_tables_unref(shard->published);
        shard->published = batch->tables;
        batch->tables = NULL;
    }
    shard->applied_batch = batch->number;
    shard->applied_position = batch->end;
    release_operations(shard, batch);
    retire(shard, batch);
}

void pl_shard_apply(struct pl_shard *shard)
{
    while (shard->durable != NULL && shard->failed == 0) {
        int rc = apply_changes(shard, shard->durable);

        if (rc == PL_ENOMEM)
            return; /* it is in the journal; what of it is set already will be set again */
        if (rc != 0) {
            fail(shard, rc, NULL);
            break;
        }
        settle(shard, shard->durable);
    }
    if (shard->failed != 0) {
        /* What is durable but cannot be applied is found by the next start; its writers are told they cannot know. */
        for (struct pl_batch *batch = shard->durable; batch != NULL; batch = batch->next) {
            for (struct pl_operation *op = batch->first; op != NULL; op = op->next)
                if (op->reply.rc == 0)
                    pl_operation_fail(op, PL_EUNSURE, NULL);
            release_operations(shard, batch);
        }
    }
}

bool pl_shard_applies(const struct pl_shard *shard)
{
    return shard->durable != NULL && shard->failed == 0;
}

struct pl_operation *pl_shard_take(struct pl_shard *shard)
{
    struct pl_operation *first = shard->finished_first;

    shard->finished_first = shard->finished_last = NULL;
    return first;
}

struct pl_tables *pl_shard_take_tables(struct pl_shard *shard)
{
    struct pl_tables *tables = shard->published;

    shard->published = NULL;
    return tables;
}

bool pl_shard_is_idle(const struct pl_shard *shard)
{
    return shard->queue_first == NULL && pl_batch_is_empty(shard->gathering) && shard->in_flight == NULL &&
           shard->durable == NULL && shard->finished_first == NULL;
}

/* ---- timed work ------------------------------------------------------------------------------------- */

static void check_room(struct pl_shard *shard, uint64_t now)
{
    struct pl_store_room room;
    bool full;

    if (!passed_ms(now, shard->room_ns, ROOM_INTERVAL_MS))
        return;
    shard->room_ns = now;
    if (pl_store_room(shard->files.store, &room) != 0)
        return;
    full = room.low || pl_journal_full(shard->files.journal) || shard->checkpoint == CHECKPOINT_WAITING;
    if (full != shard->full)
        pl_log(shard->options.logger, PL_LOG_WARN, full ? "the disk is full: puts stop" : "there is room again: puts go on",
               "%llu bytes free", (unsigned long long)room.disk_free_bytes);
    shard->full = full;
}

/* The counters and the groups' places, so that the store as of the checkpoint is whole in itself. */
static int freeze(struct pl_shard *shard)
{
    int rc = pl_heads_write(shard->state, shard->groups, shard->partition_count, shard->counters);

    if (rc == 0)
        rc = pl_state_freeze(shard->state);
    if (rc != 0)
        return rc;
    pl_counters_settle(shard->counters);
    drop_view(shard);
    return 0;
}

/* Those who want to see the store as of this checkpoint. */
static void tell_frozen(struct pl_shard *shard)
{
    shard->stills_frozen = shard->stills_waiting;
    shard->stills_waiting = NULL;
    for (struct pl_shard_still *still = shard->stills_frozen; still != NULL; still = still->next)
        still->frozen(shard, still);
}

void pl_shard_stand_still(struct pl_shard *shard, struct pl_shard_still *still)
{
    if (shard->failed != 0) {
        still->flushed(shard, still, PL_EREADONLY);
        return;
    }
    still->next = shard->stills_waiting;
    shard->stills_waiting = still;
}

static bool checkpoint_is_due(const struct pl_shard *shard, uint64_t now)
{
    uint64_t behind = shard->applied_position - shard->checkpoint_position;

    if (shard->checkpoint != CHECKPOINT_NONE || shard->durable != NULL || shard->failed != 0)
        return false;
    if (shard->stills_waiting != NULL)
        return true;
    if (shard->stats.changes == shard->checkpoint_changes)
        return false;
    return behind >= shard->options.checkpoint_journal_bytes ||
           passed_ms(now, shard->checkpoint_ns, shard->options.checkpoint_interval_ms);
}

static void begin_checkpoint(struct pl_shard *shard, uint64_t now)
{
    if (shard->checkpoint == CHECKPOINT_WAITING)
        shard->checkpoint = CHECKPOINT_BEGUN;
    if (!checkpoint_is_due(shard, now))
        return;
    shard->checkpoint_ns = now;
    if (freeze(shard) != 0)
        return; /* no memory: a later tick tries again */
    tell_frozen(shard);
    shard->checkpoint = CHECKPOINT_BEGUN;
    shard->checkpoint_position = shard->applied_position;
    shard->checkpoint_changes = shard->stats.changes;
}

bool pl_shard_has_chores(const struct pl_shard *shard)
{
    return shard->chores_wait && shard->failed == 0 && !shard->full;
}

bool pl_shard_checkpoints(const struct pl_shard *shard)
{
    return shard->checkpoint == CHECKPOINT_BEGUN;
}

int pl_shard_run_checkpoint(struct pl_shard *shard, struct pl_reason *why)
{
    int rc = pl_state_flush(shard->state);

    if (rc != 0)
        return pl_reason_set(why, rc, "what is in memory could not be put into the store");
    rc = pl_checkpoint_begin(shard->files.checkpoint, shard->checkpoint_position, why);
    if (rc != 0)
        return rc;
    rc = pl_checkpoint_run(shard->files.checkpoint, why);
    /* After a failed sync nobody knows what the disk has. */
    return rc == 0 ? 0 : PL_EIO;
}

void pl_shard_end_checkpoint(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHECKPOINT };
    struct pl_buf payload = { 0 };
    struct pl_reason unwritten = { 0 };

    if (rc == PL_EFULL || rc == PL_ENOMEM) {
        /* The journal has it all. Puts stop until there is room. */
        shard->checkpoint = CHECKPOINT_WAITING;
        return;
    }
    if (rc != 0) {
        fail(shard, rc, why);
        if (pl_checkpoint_busy(shard->files.checkpoint))
            pl_checkpoint_abandon(shard->files.checkpoint);
        shard->checkpoint = CHECKPOINT_NONE;
        tell_flushed(shard, rc);
        return;
    }
    pl_state_settle(shard->state);
    drop_view(shard);
    tell_flushed(shard, 0);
    pl_checkpoint_payload(shard->files.checkpoint, &payload);
    record.payload = pl_buf_view(&payload);
    rc = pl_buf_status(&payload);
    if (rc == 0)
        rc = pl_journal_append(shard->files.journal, &record, PL_JOURNAL_SHRINK, &shard->checkpoint_record, &unwritten);
    pl_buf_deinit(&payload);
    if (rc != 0) {
        pl_log(shard->options.logger, PL_LOG_WARN, "the checkpoint was not recorded", "%s",
               pl_reason_text(&unwritten, rc));
        pl_checkpoint_abandon(shard->files.checkpoint);
        shard->checkpoint = CHECKPOINT_NONE;
        return;
    }
    shard->checkpoint = CHECKPOINT_RECORDED;
    shard->gathering->must_sync = true;
    seal(shard);
}

bool pl_shard_wants_prepare(const struct pl_shard *shard)
{
    return shard->failed == 0 && pl_journal_wants_prepare(shard->files.journal);
}

int pl_shard_run_prepare(struct pl_shard *shard, struct pl_reason *why)
{
    return pl_journal_prepare(shard->files.journal, why);
}

/* After a second's rest the last batch's durability is itself recorded, and --sync interval catches up. */
static void rest(struct pl_shard *shard, uint64_t now)
{
    if (!pl_shard_is_idle(shard)) {
        shard->active_ns = now;
        return;
    }
    if (!passed_ms(now, shard->active_ns, MARK_AFTER_MS) || shard->failed != 0)
        return;
    if (shard->options.sync == PL_SHARD_SYNC_NEVER)
        return;
    if (pl_journal_mark(shard->files.journal) == 0 &&
        pl_journal_end(shard->files.journal) > pl_journal_durable(shard->files.journal)) {
        shard->gathering->must_sync = true;
        seal(shard);
    }
}

void pl_shard_tick(struct pl_shard *shard)
{
    uint64_t now = now_ns(shard);

    check_room(shard, now);
    begin_checkpoint(shard, now);
    rest(shard, now);
    if (shard->chore_failed_ns != 0 && passed_ms(now, shard->chore_failed_ns, CHORE_RETRY_MS)) {
        shard->chore_failed_ns = 0;
        shard->chores_wait = true;
    }
    if (passed_ms(now, shard->reap_ns, REAP_INTERVAL_MS)) {
        shard->reap_ns = now;
        pl_store_reap_readers(shard->files.store, NULL);
    }
}

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
    stats.chore_id = shard->chore.kind == PL_CHORE_BACKFILL ? shard->chore.index_id : shard->chore.space.id;
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
        shard->stats.changes == shard->checkpoint_changes)
        return shard->failed;
    rc = freeze(shard);
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
    pl_snapshot_close(shard->evaluator.view.snapshot);
    pl_state_free(shard->state);
    pl_evaluator_deinit(&shard->evaluator);
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
    free(shard->groups);
    free(shard);
    return rc;
}
