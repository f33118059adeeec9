/* SPDX-License-Identifier: MIT */
#include "partition/transact.h"

#include "model/transaction.h"
#include "partition/admission.h"
#include "partition/change.h"
#include "partition/prepare_transaction.h"
#include "store/journal.h"

void pl_transact_deinit(struct pl_transact *transact)
{
    pl_inflight_free(transact->staged);
    pl_arena_deinit(&transact->arena);
    pl_buf_deinit(&transact->change);
}

/* ---- staging ---------------------------------------------------------------------------------------- */

enum {
    STAGE = 1, /* the overlay's only batch */
    KEPT_BYTES_MAX = 1 << 20,
};

static int clear(struct pl_transact *transact)
{
    pl_arena_reset(&transact->arena);
    /* What a large one needed is not kept for the small ones. */
    if (transact->change.capacity > KEPT_BYTES_MAX)
        pl_buf_deinit(&transact->change);
    pl_buf_clear(&transact->change);
    if (transact->staged == NULL)
        return pl_inflight_new(0, &transact->staged);
    pl_inflight_clear(transact->staged);
    return 0;
}

/* The effects of one child, seen by those after it. */
static int stage(struct pl_transact *transact, struct pl_bytes change)
{
    struct pl_bytes copy = pl_arena_copy(&transact->arena, change);
    struct pl_effect effect;
    int rc;

    if (copy.data == NULL)
        return PL_ENOMEM;
    pl_buf_append_bytes(&transact->change, copy);
    while ((rc = pl_change_take(&copy, &effect)) == 1) {
        if (effect.kind == PL_EFFECT_COUNT || pl_sequence_is_in(effect.key))
            continue;
        rc = pl_inflight_set(transact->staged, STAGE, effect.key, effect.value,
                             effect.kind == PL_EFFECT_DELETE);
        if (rc != 0)
            return rc;
    }
    return rc != 0 ? rc : pl_buf_status(&transact->change);
}

static int check_room(const struct pl_transact *transact, struct pl_reason *why)
{
    /* Behind it the token's records want a place, which is small. */
    if (transact->change.len <= PL_JOURNAL_PAYLOAD_MAX - 4096)
        return 0;
    return pl_reason_set(
        why, PL_ELIMIT,
        "the transaction changes more than the %d MB that can be written at once, counting items "
        "and index entries whole: change fewer items",
        PL_JOURNAL_PAYLOAD_MAX >> 20);
}

/* ---- the children ----------------------------------------------------------------------------------- */

/* Refusals that are about one child. All else says nothing about the request. */
static bool cancels(int rc)
{
    return rc == PL_ECONDITION || rc == PL_EINVALID || rc == PL_EREJECTED || rc == PL_ESCRIPT ||
           rc == PL_ETHROUGHPUT || rc == PL_ECOLLECTION;
}

static int judge_child(struct pl_transact *transact, struct pl_evaluator *evaluator,
                       struct pl_operation *child, struct pl_script *script, uint32_t times)
{
    struct pl_table_script *functions = NULL;
    int rc;

    if (script != NULL && child->table->module.len > 0)
        functions = pl_script_table(script, child->table->name);
    rc = pl_evaluate(evaluator, child, child->table, functions);
    child->reply.capacity.table_halves *= times;
    if (rc == 0 && evaluator->change.len > 0)
        rc = stage(transact, pl_buf_view(&evaluator->change));
    return rc;
}

/* Among the reasons stands one ValidationError, the first, and then nothing else. */
static void tell_only(struct pl_operation *op, const struct pl_operation *invalid)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (&op->children[i] == invalid)
            continue;
        op->children[i].reply.rc = 0;
        op->children[i].reply.has_item = false;
        op->children[i].reply.capacity = (struct pl_capacity){ 0 };
    }
}

/* Conditions are judged to the last, so that all that fail are told of. */
static int judge_children(struct pl_transact *transact, struct pl_evaluator *evaluator,
                          struct pl_operation *op, struct pl_script *script)
{
    /* To prepare and to commit: what DynamoDB does twice, its transactions cost twice. */
    uint32_t times = op->name == PL_OP_TRANSACT_WRITE ? 2 : 1;
    bool cancelled = false;
    int rc = 0;

    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_operation *child = &op->children[i];

        rc = judge_child(transact, evaluator, child, script, times);
        if (rc != 0 && !cancels(rc)) {
            op->reply.why = child->reply.why;
            return rc;
        }
        cancelled = cancelled || rc != 0;
        if (rc == PL_EINVALID) {
            tell_only(op, child);
            break;
        }
        rc = check_room(transact, &op->reply.why);
        if (rc != 0)
            return rc;
    }
    return cancelled ? pl_prepare_cancelled(op) : 0;
}

/* Also when it was cancelled: all that was not refused for its own sake was looked at. */
void pl_transact_charge(const struct pl_evaluator *evaluator, struct pl_operation *op)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_operation *child = &op->children[i];

        if (child->reply.rc != 0 && child->reply.rc != PL_ECONDITION && child->reply.rc != PL_EREJECTED)
            continue;
        pl_capacity_add(&op->reply.capacity, &child->reply.capacity);
        pl_admission_charge(child->table, &child->reply.capacity, &evaluator->clock);
    }
}

int pl_transact_write(struct pl_transact *transact, struct pl_evaluator *evaluator, struct pl_operation *op,
                      struct pl_script *script)
{
    struct pl_view view = evaluator->view;
    int rc = clear(transact);

    if (rc != 0)
        return rc;
    evaluator->view = (struct pl_view){
        .inflight = transact->staged, .under = &view, .snapshot = view.snapshot, .settled = view.settled
    };
    rc = judge_children(transact, evaluator, op, script);
    evaluator->view = view;
    if (rc == PL_ECANCELLED)
        pl_transact_charge(evaluator, op);
    if (rc != 0)
        pl_buf_clear(&transact->change);
    return rc;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Twice what a consistent read costs. */
static int find_child(struct pl_evaluator *evaluator, struct pl_operation *child, struct pl_item *out)
{
    int rc = pl_evaluate_find(evaluator, child, out);

    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    child->reply.capacity =
        (struct pl_capacity){ .table_halves = 2 * pl_capacity_read(rc == 0 ? out->size_bytes : 0, true) };
    return rc;
}

/* The reply outlives this moment: it gets bytes of its own. */
static int answer_child(struct pl_operation *child, struct pl_item item)
{
    if (child->projection != NULL) {
        int rc = pl_projection_apply(child->projection, item, &child->arena, &child->bytes, &item);

        if (rc != 0)
            return rc;
    } else {
        item.bytes = pl_arena_copy(&child->arena, item.bytes);
        if (item.bytes.data == NULL)
            return PL_ENOMEM;
    }
    child->reply.has_item = true;
    child->reply.item = item;
    return 0;
}

static int admit(const struct pl_evaluator *evaluator, struct pl_operation *op)
{
    bool throttled = false;

    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_reply *reply = &op->children[i].reply;

        reply->rc = pl_admission_read(op->children[i].table, NULL, &evaluator->clock, &reply->why);
        throttled = throttled || reply->rc != 0;
    }
    return throttled ? pl_prepare_cancelled(op) : 0;
}

int pl_transact_get(struct pl_evaluator *evaluator, struct pl_operation *op)
{
    uint64_t size_bytes = 0;
    int rc = admit(evaluator, op);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_operation *child = &op->children[i];
        struct pl_item item;

        rc = find_child(evaluator, child, &item);
        if (rc == PL_ENOTFOUND)
            continue;
        if (rc != 0)
            return rc;
        size_bytes += item.size_bytes;
        if (size_bytes > PL_TRANSACTION_BYTES_MAX)
            return pl_reason_set(&op->reply.why, PL_EINVALID,
                                 "Transaction payload size cannot exceed 4MB: ask for fewer items");
        rc = answer_child(child, item);
        if (rc != 0)
            return rc;
        op->reply.count++;
    }
    pl_transact_charge(evaluator, op);
    return 0;
}

int pl_transact_repeat(struct pl_evaluator *evaluator, struct pl_operation *op)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_item item;
        int rc = find_child(evaluator, &op->children[i], &item);

        if (rc != 0 && rc != PL_ENOTFOUND)
            return rc;
    }
    pl_transact_charge(evaluator, op);
    return 0;
}
