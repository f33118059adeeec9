/* SPDX-License-Identifier: MIT */
#include "partition/evaluate.h"

#include "partition/admission.h"
#include "partition/change.h"
#include "partition/collection.h"
#include "partition/expiry.h"
#include "partition/index.h"
#include "partition/prepare.h"
#include "partition/stream.h"

void pl_evaluator_deinit(struct pl_evaluator *evaluator)
{
    pl_arena_deinit(&evaluator->arena);
    pl_buf_deinit(&evaluator->new_bytes);
    pl_buf_deinit(&evaluator->script_bytes);
    pl_buf_deinit(&evaluator->scratch);
    pl_buf_deinit(&evaluator->change);
}

/* A write being judged. */
struct write {
    struct pl_evaluator *evaluator;
    struct pl_operation *op;
    const struct pl_table *table;
    struct pl_table_script *script;
    struct pl_place place;
    bool has_old, has_new;
    struct pl_item old, new;
};

/* ---- what it may use -------------------------------------------------------------------------------- */

/* What the service deletes on its own account is free. */
static bool is_free(const struct write *w)
{
    return w->op->actor == PL_ACTOR_EXPIRY;
}

static int admit(struct write *w)
{
    return is_free(w) ? 0 : pl_admission_write(w->table, &w->evaluator->clock, &w->op->reply.why);
}

static int admit_to_indexes(struct write *w)
{
    return is_free(w) ? 0
                      : pl_admission_indexes(w->table, &w->op->reply.capacity, &w->evaluator->clock,
                                             &w->op->reply.why);
}

/* ---- the stored item and the condition -------------------------------------------------------------- */

static int find_old(struct write *w)
{
    struct pl_keyspace space = { PL_KIND_ITEM, w->table->id, w->evaluator->partition_count };
    int rc = pl_place_make(&w->place, &space, w->op->pk, w->op->tail, &w->evaluator->arena);

    if (rc != 0)
        return rc;
    rc = pl_place_get(&w->place, &w->evaluator->view, &w->old);
    w->has_old = rc == 0;
    return rc == PL_ENOTFOUND ? 0 : rc;
}

/* The reply outlives the evaluation and the page: it gets bytes of its own. */
static int reply_with(struct write *w, struct pl_item item)
{
    struct pl_bytes copy = pl_arena_copy(&w->op->arena, item.bytes);

    if (copy.data == NULL)
        return PL_ENOMEM;
    w->op->reply.has_item = true;
    w->op->reply.item = (struct pl_item){ .bytes = copy, .size_bytes = item.size_bytes };
    return 0;
}

static int condition_failed(struct write *w)
{
    if (w->op->return_old_on_failure && w->has_old && reply_with(w, w->old) != 0)
        return PL_ENOMEM;
    return PL_ECONDITION;
}

/* Whoever deletes what has expired looked a while ago: the item may have been given more time, or be gone. */
static bool has_expired(const struct write *w)
{
    return w->has_old && pl_expiry_is_due(w->table, w->old, pl_clock_wall_ms(&w->evaluator->clock));
}

static int test_condition(struct write *w)
{
    if (w->op->actor == PL_ACTOR_EXPIRY)
        return has_expired(w) ? 0 : PL_ECONDITION;
    if (w->op->condition == NULL || pl_condition_test(w->op->condition, w->has_old ? &w->old : NULL))
        return 0;
    return condition_failed(w);
}

static int test_named_condition(struct write *w)
{
    struct pl_operation *op = w->op;
    bool holds = false;
    int rc;

    if (op->condition_name.len == 0)
        return 0;
    if (w->script == NULL)
        return pl_reason_set(&op->reply.why, PL_ESCRIPT, "the module with the condition @%.*s is not loaded",
                             (int)op->condition_name.len, op->condition_name.data);
    rc = pl_script_condition_named(
        w->script, op->condition_name, w->has_old ? &w->old : NULL, w->has_new ? &w->new : NULL,
        op->has_condition_args ? &op->condition_args : NULL, &holds, &op->reply.why);
    if (rc != 0)
        return rc;
    return holds ? 0 : condition_failed(w);
}

/* ---- the new item ----------------------------------------------------------------------------------- */

static int make_updated(struct write *w)
{
    struct pl_operation *op = w->op;
    struct pl_evaluator *e = w->evaluator;

    if (!w->has_old && op->update != NULL && !pl_update_creates(op->update))
        return 0; /* REMOVE and DELETE alone create nothing */
    if (op->update == NULL) {
        w->has_new = true;
        w->new = w->has_old ? w->old : op->item;
        return 0;
    }
    w->has_new = true;
    pl_buf_clear(&e->new_bytes);
    return pl_update_apply(op->update, w->has_old ? w->old : op->item, !w->has_old, &e->arena, &e->new_bytes,
                           &w->new, &op->reply.why);
}

static int make_new(struct write *w)
{
    switch (w->op->name) {
    case PL_OP_PUT:
        w->has_new = true;
        w->new = w->op->item;
        return 0;
    case PL_OP_UPDATE:
        return make_updated(w);
    case PL_OP_CONDITION_CHECK:
        w->has_new = w->has_old;
        w->new = w->old;
        return 0;
    default:
        return 0;
    }
}

/* A script may change everything but the key: the item would stand in the wrong place. */
static int check_key_kept(struct write *w)
{
    struct pl_buf pk = { 0 }, tail = { 0 };
    bool kept = pl_key_schema_encode(&w->table->keys, w->new, &pk, &tail, NULL) == PL_KEY_WHOLE &&
                pl_bytes_equal(pl_buf_view(&pk), w->op->pk) &&
                pl_bytes_equal(pl_buf_view(&tail), w->op->tail);
    bool whole = pl_buf_status(&pk) == 0 && pl_buf_status(&tail) == 0;

    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    if (!whole)
        return PL_ENOMEM;
    return kept ? 0
                : pl_reason_set(&w->op->reply.why, PL_ESCRIPT, "before_write must not change the item's key");
}

static int run_before_write(struct write *w)
{
    struct pl_evaluator *e = w->evaluator;
    bool unchanged = true;
    int rc;

    if (!w->table->has_before_write || (!w->has_new && !w->has_old))
        return 0;
    if (w->op->actor == PL_ACTOR_EXPIRY)
        return 0; /* as in DynamoDB no condition keeps an expired item; one that did would be asked for ever */
    if (w->script == NULL)
        return pl_reason_set(&w->op->reply.why, PL_ESCRIPT,
                             "the table's module with before_write is not loaded");
    pl_buf_clear(&e->script_bytes);
    rc = pl_script_before_write(w->script, w->has_old ? &w->old : NULL, w->has_new ? &w->new : NULL,
                                &e->arena, &e->script_bytes, &w->new, &unchanged, &w->op->reply.why);
    if (rc != 0 || unchanged)
        return rc;
    return check_key_kept(w);
}

static int refuse_size(struct write *w)
{
    return pl_reason_set(&w->op->reply.why, PL_EINVALID, "%s",
                         w->op->name == PL_OP_UPDATE
                             ? "Item size to update has exceeded the maximum allowed size"
                             : "Item size has exceeded the maximum allowed size");
}

static int check_size(struct write *w)
{
    return w->has_new && w->new.size_bytes > PL_ITEM_SIZE_MAX ? refuse_size(w) : 0;
}

/*
 * An item's entries in local indexes lie with it, and count as it does. What has become too large by an index that was
 * made later may stay, but not grow.
 */
static int check_size_with_entries(struct write *w, struct pl_index_local_bytes local)
{
    uint64_t before = local.before + (w->has_old ? w->old.size_bytes : 0);
    uint64_t after = local.after + (w->has_new ? w->new.size_bytes : 0);

    return after > PL_ITEM_SIZE_MAX && after > before ? refuse_size(w) : 0;
}

/* ---- the effects ------------------------------------------------------------------------------------ */

static bool changes_nothing(const struct write *w)
{
    if (w->has_old != w->has_new)
        return false;
    return !w->has_old || pl_bytes_equal(w->old.bytes, w->new.bytes);
}

/*
 * A trigger is owed what was written since it was declared, and knows it by the record's time: a clock that was put back
 * must not make a record look older than that.
 */
static int64_t record_ms(const struct write *w)
{
    int64_t at_ms = pl_clock_wall_ms(&w->evaluator->clock);

    for (uint32_t i = 0; i < w->table->trigger_count; i++)
        if (w->table->triggers[i].created_ms > at_ms)
            at_ms = w->table->triggers[i].created_ms;
    return at_ms;
}

static void tell_stream(struct write *w)
{
    struct pl_evaluator *e = w->evaluator;
    struct pl_stream_write write = { .table = w->table,
                                     .partition = w->op->partition,
                                     .old = w->has_old ? &w->old : NULL,
                                     .new = w->has_new ? &w->new : NULL,
                                     .actor = w->op->actor,
                                     .cascade_depth = w->op->cascade_depth };

    if (w->table->stream_id == 0)
        return;
    write.sequence = pl_sequences_draw(e->sequences, w->op->partition);
    write.at_ms = record_ms(w);
    pl_stream_append(&write, &e->scratch, &e->change);
}

static struct pl_collection_work collection_work(struct write *w)
{
    struct pl_evaluator *e = w->evaluator;

    return (struct pl_collection_work){ .view = &e->view,
                                        .partition_count = e->partition_count,
                                        .table = w->table,
                                        .bytes_max = e->collection_bytes_max,
                                        .arena = &e->arena,
                                        .scratch = &e->scratch,
                                        .change = &e->change };
}

static int update_collection(struct write *w)
{
    struct pl_collection_work work = collection_work(w);
    int rc;

    if (w->table->collection_id == 0)
        return 0;
    rc = pl_collection_update(&work, w->op->pk, &w->op->reply.collection_bytes);
    w->op->reply.has_collection = rc == 0;
    return rc == PL_COLLECTION_UNCOUNTED ? 0 : rc;
}

/* Nothing changes, and it is only to be told. */
static int tell_collection(struct write *w)
{
    struct pl_collection_work work = collection_work(w);
    int rc;

    if (w->table->collection_id == 0)
        return 0;
    rc = pl_collection_size(&work, w->op->pk, &w->op->reply.collection_bytes);
    w->op->reply.has_collection = rc == 0;
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int write_effects(struct write *w)
{
    struct pl_evaluator *e = w->evaluator;
    struct pl_index_work work = { .view = &e->view,
                                  .partition_count = e->partition_count,
                                  .table = w->table,
                                  .script = w->script,
                                  .by_update = w->op->name == PL_OP_UPDATE,
                                  .arena = &e->arena,
                                  .scratch = &e->scratch,
                                  .change = &e->change,
                                  .capacity = &w->op->reply.capacity };
    int64_t old_bytes = w->has_old ? w->old.size_bytes : 0, new_bytes = w->has_new ? w->new.size_bytes : 0;
    struct pl_index_local_bytes local;
    int rc;

    rc = pl_place_set(&w->place, &e->view, w->has_new ? &w->new : NULL, &e->scratch, &e->change);
    if (rc != 0)
        return rc;
    pl_change_count(&e->change, w->op->partition, w->table->id, (int64_t)w->has_new - (int64_t)w->has_old,
                    new_bytes - old_bytes);
    if (w->table->index_count > 0) {
        rc = pl_index_update(&work, w->has_old ? &w->old : NULL, w->has_new ? &w->new : NULL, &local,
                             &w->op->reply.why);
        if (rc == 0)
            rc = check_size_with_entries(w, local);
        if (rc == 0)
            rc = admit_to_indexes(w);
        if (rc == 0)
            rc = update_collection(w);
        if (rc != 0)
            return rc;
    }
    if (w->table->expiry_id != 0) {
        rc = pl_expiry_update(&work, w->has_old ? &w->old : NULL, w->has_new ? &w->new : NULL);
        if (rc != 0)
            return rc;
    }
    tell_stream(w);
    return pl_buf_status(&e->scratch) != 0 ? PL_ENOMEM : pl_buf_status(&e->change);
}

/* ---- the reply -------------------------------------------------------------------------------------- */

static int return_paths(struct write *w, struct pl_item item)
{
    struct pl_item out;
    struct pl_buf buf = { 0 };
    int rc;

    if (w->op->update == NULL)
        return 0;
    rc = pl_update_returned(w->op->update, item, &w->evaluator->arena, &buf, &out);
    if (rc == 0 && out.bytes.len > 0)
        rc = reply_with(w, out);
    pl_buf_deinit(&buf);
    return rc;
}

static int return_values(struct write *w)
{
    switch (w->op->returns) {
    case PL_RETURN_ALL_OLD:
        return w->has_old ? reply_with(w, w->old) : 0;
    case PL_RETURN_ALL_NEW:
        return w->has_new ? reply_with(w, w->new) : 0;
    case PL_RETURN_UPDATED_OLD:
        return w->has_old ? return_paths(w, w->old) : 0;
    case PL_RETURN_UPDATED_NEW:
        return w->has_new ? return_paths(w, w->new) : 0;
    default:
        return 0;
    }
}

static int judge(struct write *w)
{
    int rc = admit(w);

    if (rc == 0)
        rc = find_old(w);
    if (rc == 0)
        rc = test_condition(w);
    if (rc == 0)
        rc = make_new(w);
    if (rc == 0)
        rc = test_named_condition(w);
    if (rc != 0 || w->op->name == PL_OP_CONDITION_CHECK)
        return rc;
    rc = run_before_write(w);
    if (rc == 0)
        rc = check_size(w);
    if (rc == 0)
        rc = return_values(w);
    if (rc == 0)
        rc = changes_nothing(w) ? tell_collection(w) : write_effects(w);
    return rc;
}

/*
 * By the larger image. A refusal costs by the item that is there, and by what would have taken its place as far as
 * that is known; with nothing there, one unit.
 */
static struct pl_capacity cost(const struct write *w, int rc)
{
    struct pl_capacity cost = w->op->reply.capacity;
    uint64_t before = w->has_old ? w->old.size_bytes : 0, after = w->has_new ? w->new.size_bytes : 0;

    if (is_free(w))
        return (struct pl_capacity){ .writes = true };
    if (rc == 0) {
        cost.table_halves = pl_capacity_write(before, after);
        return cost;
    }
    if (w->op->name == PL_OP_PUT && !w->has_new)
        after = w->op->item.size_bytes;
    return (struct pl_capacity){ .writes = true,
                                 .table_halves = pl_capacity_write(before, w->has_old ? after : 0) };
}

int pl_evaluate(struct pl_evaluator *evaluator, struct pl_operation *op, const struct pl_table *table,
                struct pl_table_script *script)
{
    struct write w = { .evaluator = evaluator, .op = op, .table = table, .script = script };
    int rc;

    pl_arena_reset(&evaluator->arena);
    pl_buf_clear(&evaluator->change);
    op->reply.capacity.writes = true;
    rc = judge(&w);
    if (rc != 0)
        pl_buf_clear(&evaluator->change);
    op->reply.capacity = cost(&w, rc);
    op->reply.rc = rc;
    return rc;
}

int pl_evaluate_find(struct pl_evaluator *evaluator, const struct pl_operation *op, struct pl_item *out)
{
    struct pl_keyspace space = { PL_KIND_ITEM, op->table->id, evaluator->partition_count };
    struct pl_place place;
    int rc;

    pl_arena_reset(&evaluator->arena);
    rc = pl_place_make(&place, &space, op->pk, op->tail, &evaluator->arena);
    return rc != 0 ? rc : pl_place_get(&place, &evaluator->view, out);
}
