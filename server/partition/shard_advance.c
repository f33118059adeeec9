/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/progress.h"
#include "store/journal.h"

static bool grows(const struct pl_operation *op)
{
    return op->child_count > 0 || op->advance->effects.len > 0;
}

/* A step alone replaces a record of the same size: it needs no more room than a delete. */
static int check_room(const struct pl_shard *shard, const struct pl_operation *op)
{
    if (!shard->full || !grows(op))
        return 0;
    return shard->starved == PL_ENOMEM ? PL_ENOMEM : PL_EFULL;
}

/* The step is refused for what one of its writes met: that says more than that there was one. */
static int tell_child(struct pl_operation *op)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        const struct pl_reply *reply = &op->children[i].reply;

        if (reply->rc != 0)
            return pl_reason_set(&op->reply.why, reply->rc, "%s", pl_reason_text(&reply->why, reply->rc));
    }
    return PL_ECANCELLED;
}

static int judge_children(struct pl_shard *shard, struct pl_operation *op)
{
    int rc = pl_shard_refresh_tables(shard, op);

    if (rc == 0)
        rc = pl_transact_write(&shard->transact, &shard->evaluator, op, shard->script);
    return rc == PL_ECANCELLED ? tell_child(op) : rc;
}

static int check_size(const struct pl_buf *change)
{
    int rc = pl_buf_status(change);

    return rc == 0 && change->len > PL_JOURNAL_PAYLOAD_MAX ? PL_ELIMIT : rc;
}

int pl_shard_advance(struct pl_shard *shard, struct pl_operation *op)
{
    struct pl_buf *change = &shard->transact.change;
    int rc = check_room(shard, op);

    if (rc == 0)
        rc = pl_advance_check(op->advance, op->partition, shard->catalog.tables, &shard->evaluator.view);
    if (rc == 0)
        rc = judge_children(shard, op);
    if (rc != 0)
        return rc;
    pl_advance_append(op->advance, op->partition, change);
    rc = check_size(change);
    if (rc == 0 && change->len > 0)
        rc = pl_shard_commit(shard, op->partition, pl_buf_view(change),
                             grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK, &op->reply.why);
    if (rc == 0)
        pl_transact_charge(&shard->evaluator, op);
    return rc;
}
