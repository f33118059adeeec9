/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/change.h"
#include "partition/expiry.h"

enum {
    BATCH_BYTES_MAX = 4 << 20,
    BATCH_OPERATIONS_MAX = 4096,
    MEMORY_FACTOR_MAX = 2, /* times the journal bytes between two checkpoints */
    EASE_DIVISOR = 4,      /* of the same */
};

/* ---- batches ---------------------------------------------------------------------------------------- */

/* Sealing what gathers a change cannot fail: the batch that takes its place is there before. */
static int reserve_batch(struct pl_shard *shard)
{
    if (shard->spare == NULL)
        shard->spare = pl_batch_new();
    return shard->spare == NULL ? PL_ENOMEM : 0;
}

static struct pl_batch *fresh_batch(struct pl_shard *shard)
{
    struct pl_batch *batch;

    if (reserve_batch(shard) != 0)
        return NULL;
    batch = shard->spare;
    shard->spare = batch->next;
    batch->next = NULL;
    batch->number = ++shard->batch_number;
    return batch;
}

void pl_shard_finish(struct pl_shard *shard, struct pl_operation *op)
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
void pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op)
{
    if (anything_unapplied(shard))
        pl_batch_add_operation(shard->gathering, op);
    else
        pl_shard_finish(shard, op);
}

/* True for changes that make the store larger: they stop early, so that deletes still find room. */
bool pl_shard_grows(const struct pl_operation *op)
{
    bool grows = false;

    switch (op->name) {
    case PL_OP_DELETE:
    case PL_OP_DROP:
    case PL_OP_CONDITION_CHECK:
    case PL_OP_TRANSACT_GET:
        return false;
    case PL_OP_TRANSACT_WRITE:
        for (uint32_t i = 0; i < op->child_count && !grows; i++)
            grows = pl_shard_grows(&op->children[i]);
        return grows;
    default:
        return true;
    }
}

static void note_for_count(struct pl_shard *shard, const struct pl_effect *effect)
{
    struct pl_collection_work work = { .view = &shard->evaluator.view,
                                       .partition_count = shard->partition_count };

    if (shard->chore.counting.active)
        pl_collection_count_note(&shard->chore.counting, &work, effect->key, effect->value,
                                 effect->kind == PL_EFFECT_DELETE);
}

static int show_in_overlay(struct pl_shard *shard, struct pl_bytes change)
{
    struct pl_effect effect;
    int rc;

    while ((rc = pl_change_take(&change, &effect)) == 1) {
        /* No write is judged by what stands in a stream. */
        if (effect.kind == PL_EFFECT_COUNT || pl_sequence_is_in(effect.key))
            continue;
        note_for_count(shard, &effect);
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
int pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                    enum pl_journal_use use, struct pl_reason *why)
{
    struct pl_group *group = &shard->groups[partition];
    struct pl_bytes copy;
    int rc = reserve_batch(shard);

    if (rc == 0)
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

int pl_shard_freshen_view(struct pl_shard *shard)
{
    struct pl_snapshot *snapshot = shard->evaluator.view.snapshot;

    shard->evaluator.view.settled = shard->catalog_batch <= shard->applied_batch;
    return pl_snapshot_is_renewed(snapshot) ? 0 : pl_snapshot_renew(snapshot);
}

void pl_shard_drop_view(struct pl_shard *shard)
{
    pl_snapshot_reset(shard->evaluator.view.snapshot);
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

static bool is_flushing(const struct pl_shard *shard)
{
    return shard->checkpoint == CHECKPOINT_BEGUN || shard->checkpoint == CHECKPOINT_WAITING;
}

bool pl_shard_memory_has_room(const struct pl_shard *shard)
{
    return !is_flushing(shard) ||
           pl_state_active_bytes(shard->state) < MEMORY_FACTOR_MAX * shard->options.checkpoint_journal_bytes;
}

bool pl_shard_memory_has_ease(const struct pl_shard *shard)
{
    return !is_flushing(shard) ||
           pl_state_active_bytes(shard->state) < shard->options.checkpoint_journal_bytes / EASE_DIVISOR;
}

/* The flush under way may be slow, and then writers wait for it; one that finds no room may never end. */
static bool is_overfull(const struct pl_shard *shard)
{
    return shard->starved != 0 && !pl_shard_memory_has_room(shard);
}

/* Who is to be refused needs no room: a batch that is full for good must not keep them waiting. */
static bool takes_up(const struct pl_shard *shard)
{
    if (shard->queue_first == NULL)
        return false;
    return shard->failed != 0 || shard->stuck != 0 || is_overfull(shard) ||
           (gathering_has_room(shard) && pl_shard_memory_has_room(shard));
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

/* Nothing was looked at and nothing is changed. */
static void refuse(struct pl_shard *shard, struct pl_operation *op, int rc)
{
    pl_operation_fail(op, rc, NULL);
    pl_shard_finish(shard, op);
}

static void take_up(struct pl_shard *shard, struct pl_operation *op)
{
    if (shard->failed != 0)
        refuse(shard, op, PL_EREADONLY);
    else if (shard->stuck != 0)
        refuse(shard, op, shard->stuck);
    else if (is_overfull(shard))
        refuse(shard, op, shard->starved);
    else
        pl_shard_judge(shard, op);
}

static bool must_sync(struct pl_shard *shard)
{
    if (shard->gathering->must_sync || shard->options.sync == PL_SHARD_SYNC_ALWAYS)
        return true;
    return shard->options.sync == PL_SHARD_SYNC_INTERVAL &&
           pl_shard_passed_ms(pl_shard_now_ns(shard), shard->synced_ns, shard->options.sync_interval_ms);
}

static void append_durable(struct pl_shard *shard, struct pl_batch *batch)
{
    struct pl_batch **at = &shard->durable;

    while (*at != NULL)
        at = &(*at)->next;
    *at = batch;
}

/* What was gathered goes to the disk, if nothing else is on its way there. */
void pl_shard_seal(struct pl_shard *shard)
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

/* The operation's own item, or those of its children, as far as there is room. */
static size_t add_keys(const struct pl_operation *op, struct pl_bytes keys[PL_STORE_PREFETCH_MAX],
                       size_t count)
{
    if (op->key.len > 0)
        keys[count++] = pl_key_view(&op->key);
    for (uint32_t i = 0; i < op->child_count && count < PL_STORE_PREFETCH_MAX; i++)
        keys[count++] = pl_key_view(&op->children[i].key);
    return count;
}

/*
 * What the next of the queue will look at first is the item that stands under their key. Several of them are
 * asked for together, so that the shard waits for memory once and not for each.
 */
static void look_ahead(struct pl_shard *shard)
{
    struct pl_bytes keys[PL_STORE_PREFETCH_MAX];
    size_t count = 0;

    shard->looked_ahead = 0;
    for (struct pl_operation *op = shard->queue_first;
         op != NULL && count < PL_STORE_PREFETCH_MAX && shard->looked_ahead < PL_STORE_PREFETCH_MAX;
         op = op->next, shard->looked_ahead++)
        count = add_keys(op, keys, count);
    if (count > 1 && pl_shard_freshen_view(shard) == 0)
        pl_snapshot_prefetch(shard->evaluator.view.snapshot, keys, count);
}

bool pl_shard_turn(struct pl_shard *shard)
{
    bool more;

    pl_shard_seal(shard);
    shard->looked_ahead = 0;
    while (takes_up(shard)) {
        if (shard->looked_ahead == 0)
            look_ahead(shard);
        shard->looked_ahead--;
        take_up(shard, pop(shard));
    }
    more = pl_shard_do_chore(shard);
    more = pl_shard_do_timed(shard) || more;
    pl_shard_seal(shard);
    if (pl_shard_is_idle(shard))
        pl_shard_drop_view(shard);
    return more || takes_up(shard);
}

bool pl_shard_syncs(const struct pl_shard *shard)
{
    return shard->in_flight != NULL;
}

int pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why)
{
    return pl_journal_run_sync(shard->files.journal, why);
}

void pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    struct pl_batch *batch = shard->in_flight;

    pl_journal_end_sync(shard->files.journal, rc);
    shard->in_flight = NULL;
    if (rc != 0)
        pl_shard_fail(shard, rc, why);
    append_durable(shard, batch);
    if (pl_journal_durable(shard->files.journal) == pl_journal_written(shard->files.journal))
        shard->synced_ns = pl_shard_now_ns(shard);
    pl_shard_commit_checkpoint(shard);
    pl_shard_seal(shard);
}

/* ---- applying --------------------------------------------------------------------------------------- */

/* Effects on their way into memory, some at a time. */
struct group {
    struct pl_memtable_entry entries[PL_MEMTABLE_GROUP_MAX];
    size_t count;
};

static int apply_group(struct pl_shard *shard, struct group *group)
{
    int rc = pl_state_set_group(shard->state, group->entries, group->count);

    group->count = 0;
    return rc;
}

/* Every counter that the batch will touch exists afterwards, so that counting what was applied cannot fail. */
static int apply_change(struct pl_shard *shard, struct group *group, struct pl_bytes change)
{
    struct pl_effect effect;
    int rc;

    while ((rc = pl_change_take(&change, &effect)) == 1) {
        if (effect.kind == PL_EFFECT_COUNT) {
            rc = pl_counters_add(shard->counters, effect.partition, effect.id, 0, 0);
        } else {
            group->entries[group->count++] = (struct pl_memtable_entry){
                .key = effect.key, .value = effect.value, .tombstone = effect.kind == PL_EFFECT_DELETE
            };
            rc = group->count == PL_MEMTABLE_GROUP_MAX ? apply_group(shard, group) : 0;
        }
        if (rc != 0)
            return rc;
    }
    return rc;
}

/* Readers see the batch whole: of a transaction, and of an item and its index entries, nobody sees a part. */
static int apply_changes(struct pl_shard *shard, const struct pl_batch *batch)
{
    struct group group = { .count = 0 };
    int rc = 0;

    pl_state_hold(shard->state);
    for (size_t i = 0; i < batch->change_count && rc == 0; i++)
        rc = apply_change(shard, &group, batch->changes[i].bytes);
    if (rc == 0)
        rc = apply_group(shard, &group);
    if (rc == 0)
        pl_state_show(shard->state);
    return rc;
}

/* Who looks at what is new, by sequence or by time, learns of it. */
static void note_put(struct pl_shard *shard, struct pl_bytes key)
{
    if (pl_expiry_is_in(key))
        pl_expiry_marks_note(&shard->reaper.marks, key);
    else
        shard->streamed = pl_sequences_note(&shard->sequences, key) || shard->streamed;
}

static void settle_change(struct pl_shard *shard, const struct pl_batch *batch,
                          const struct pl_batch_change *change)
{
    struct pl_bytes bytes = change->bytes;
    struct pl_effect effect;

    pl_group_applied(&shard->groups[change->partition], change->index);
    while (pl_change_take(&bytes, &effect) == 1) {
        if (effect.kind == PL_EFFECT_COUNT)
            pl_counters_add(shard->counters, effect.partition, effect.id, effect.items, effect.size_bytes);
        else if (!pl_sequence_is_in(effect.key))
            pl_inflight_settle(shard->inflight, batch->number, effect.key);
        if (effect.kind == PL_EFFECT_PUT)
            note_put(shard, effect.key);
    }
}

static void release_operations(struct pl_shard *shard, struct pl_batch *batch)
{
    struct pl_operation *op = batch->first;

    while (op != NULL) {
        struct pl_operation *next = op->next;

        pl_shard_finish(shard, op);
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
    shard->applied_changes += batch->change_count;
    release_operations(shard, batch);
    retire(shard, batch);
}

/*
 * The batch will not be applied, or nobody knows when. A write in it is told `rc`; an operation that only
 * looked at what was written before it did nothing, and learned what may not last.
 */
static void disappoint(struct pl_shard *shard, struct pl_batch *batch, int rc)
{
    for (struct pl_operation *op = batch->first; op != NULL; op = op->next) {
        bool refused = op->reply.rc == PL_ECONDITION || op->reply.rc == PL_ECANCELLED;

        if (op->reply.rc != 0 && !refused)
            continue;
        op->reply.has_item = false;
        pl_operation_fail(op, refused || op->name == PL_OP_TRANSACT_GET ? PL_EREADONLY : rc, NULL);
        if (refused)
            op->reply.why.text[0] = '\0';
    }
    release_operations(shard, batch);
}

/* On the disk, or on its way there: the next start may find it, or not. */
static void disappoint_durable(struct pl_shard *shard)
{
    for (struct pl_batch *batch = shard->durable; batch != NULL; batch = batch->next)
        disappoint(shard, batch, PL_EUNSURE);
}

void pl_shard_apply(struct pl_shard *shard)
{
    shard->stuck = 0;
    while (shard->durable != NULL && shard->failed == 0 && shard->stuck == 0) {
        int rc = apply_changes(shard, shard->durable);

        if (rc == 0)
            settle(shard, shard->durable);
        else if (rc == PL_ENOMEM)
            shard->stuck = rc; /* it is in the journal; what of it is set already will be set again */
        else
            pl_shard_fail(shard, rc, NULL);
    }
    if (shard->failed != 0) {
        disappoint_durable(shard);
        /* Of what only gathered, nothing has reached the disk, and nothing will. */
        disappoint(shard, shard->gathering, PL_EREADONLY);
    }
}

bool pl_shard_is_stuck(const struct pl_shard *shard)
{
    return shard->stuck != 0;
}

void pl_shard_disappoint(struct pl_shard *shard)
{
    disappoint_durable(shard);
    if (shard->gathering->change_count == 0)
        disappoint(shard, shard->gathering, PL_EUNSURE);
    pl_shard_tell_flushed(shard, PL_ENOMEM);
}

bool pl_shard_owes(const struct pl_shard *shard)
{
    if (shard->queue_first != NULL || shard->gathering->first != NULL || shard->in_flight != NULL ||
        shard->finished_first != NULL || shard->stills_waiting != NULL || shard->stills_frozen != NULL)
        return true;
    for (const struct pl_batch *batch = shard->durable; batch != NULL; batch = batch->next)
        if (batch->first != NULL)
            return true;
    return false;
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

bool pl_shard_take_streamed(struct pl_shard *shard)
{
    bool streamed = shard->streamed;

    shard->streamed = false;
    return streamed;
}

bool pl_shard_is_idle(const struct pl_shard *shard)
{
    return shard->queue_first == NULL && pl_batch_is_empty(shard->gathering) && shard->in_flight == NULL &&
           shard->durable == NULL && shard->finished_first == NULL;
}
