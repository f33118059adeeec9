/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/token.h"

enum { SWEEP_PARTITIONS = 64 };

static uint64_t wall_ms(const struct pl_shard *shard)
{
    int64_t now = pl_clock_wall_ms(&shard->options.clock);

    return now > 0 ? (uint64_t)now : 0;
}

int pl_shard_refresh_tables(struct pl_shard *shard, struct pl_operation *op)
{
    int rc = 0;

    for (uint32_t i = 0; i < op->child_count && rc == 0; i++)
        rc = pl_shard_refresh_table(shard, &op->children[i]);
    return rc;
}

static void count_refusals(struct pl_shard *shard, const struct pl_operation *op)
{
    for (uint32_t i = 0; i < op->child_count; i++)
        if (op->children[i].reply.rc == PL_ECONDITION)
            shard->stats.conditions_failed++;
}

/* What the token's records take has its place in the same change: both come to be, or neither does. */
static int commit(struct pl_shard *shard, struct pl_operation *op, const struct pl_token *token,
                  uint64_t now_ms)
{
    struct pl_buf *change = &shard->transact.change;
    int rc;

    if (op->token.data != NULL)
        pl_token_set(op->token, op->partition, token, &op->request_digest, now_ms, change);
    rc = pl_buf_status(change);
    if (rc != 0 || change->len == 0)
        return rc;
    return pl_shard_commit(shard, op->partition, pl_buf_view(change),
                           pl_shard_grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK, &op->reply.why);
}

static int write_all(struct pl_shard *shard, struct pl_operation *op)
{
    uint64_t now_ms = wall_ms(shard);
    struct pl_token token = { 0 };
    int rc = 0;

    if (op->token.data != NULL)
        rc = pl_token_find(&shard->evaluator.view, op->token, op->partition, now_ms, &token);
    if (rc != 0)
        return rc;
    if (token.alive)
        return token.digest.high == op->request_digest.high && token.digest.low == op->request_digest.low
                   ? pl_transact_repeat(&shard->evaluator, op)
                   : PL_EMISMATCH;
    rc = pl_shard_check_room(shard, op);
    if (rc == 0)
        rc = pl_transact_write(&shard->transact, &shard->evaluator, op, shard->script);
    if (rc == PL_ECANCELLED)
        count_refusals(shard, op);
    if (rc != 0)
        return rc;
    rc = commit(shard, op, &token, now_ms);
    if (rc == 0)
        pl_transact_charge(&shard->evaluator, op);
    return rc;
}

int pl_shard_transact(struct pl_shard *shard, struct pl_operation *op)
{
    int rc = pl_shard_refresh_tables(shard, op);

    shard->stats.transactions++;
    if (rc != 0)
        return rc;
    return op->name == PL_OP_TRANSACT_GET ? pl_transact_get(&shard->evaluator, op) : write_all(shard, op);
}

/* ---- forgetting tokens ------------------------------------------------------------------------------ */

/* 1: some were forgotten, and there may be more. */
static int forget_in(struct pl_shard *shard, uint16_t partition, struct pl_buf *change)
{
    int rc = pl_token_sweep(&shard->evaluator.view, partition, wall_ms(shard), change);

    if (rc != 0 || change->len == 0)
        return rc;
    rc = pl_shard_commit_timed(shard, partition, pl_buf_view(change));
    return rc != 0 ? rc : 1;
}

/* A few partitions at a time, all of them in turn. A damaged one is nobody else's trouble. */
int pl_shard_forget_tokens(struct pl_shard *shard)
{
    struct pl_buf change = { 0 };
    int rc = 0, damage = 0;

    for (int i = 0; i < SWEEP_PARTITIONS && rc == 0; i++) {
        pl_buf_clear(&change);
        rc = forget_in(shard, shard->token_partition, &change);
        if (rc == PL_ECORRUPT) {
            damage = rc;
            rc = 0;
        }
        if (rc == 0)
            shard->token_partition = (uint16_t)((shard->token_partition + 1u) % shard->partition_count);
    }
    pl_buf_deinit(&change);
    return rc != 0 ? rc : damage;
}
