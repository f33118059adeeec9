/* SPDX-License-Identifier: MIT */
#include "partition/prepare_transaction.h"

#include "model/transaction.h"
#include "partition/prepare.h"

/* ---- the request ------------------------------------------------------------------------------------ */

static int check_limits(struct pl_operation *op)
{
    int rc = pl_transaction_check_count(op->child_count, &op->reply.why);

    if (rc == 0 && op->token.data != NULL)
        rc = pl_transaction_check_token(op->token, &op->reply.why);
    if (rc == 0 && pl_transaction_request_bytes(op) > PL_TRANSACTION_BYTES_MAX)
        rc = pl_reason_set(&op->reply.why, PL_EINVALID, "Transaction payload size cannot exceed 4MB");
    return rc;
}

/* ---- the keys --------------------------------------------------------------------------------------- */

static bool finds_empty(const struct pl_key_schema *keys, struct pl_item item, struct pl_buf *pk,
                        struct pl_buf *tail)
{
    pl_buf_clear(pk);
    pl_buf_clear(tail);
    return pl_key_schema_encode(keys, item, pk, tail, NULL) == PL_KEY_EMPTY;
}

/* An empty key attribute is wrong whatever else the table says of it. */
static bool has_empty_key(const struct pl_operation *child)
{
    const struct pl_table *table = child->table;
    struct pl_buf pk = { 0 }, tail = { 0 };
    bool empty = finds_empty(&table->keys, child->item, &pk, &tail);

    for (uint32_t i = 0; child->name == PL_OP_PUT && i < table->index_count && !empty; i++)
        if (table->indexes[i].projection != PL_PROJECT_FUNCTION)
            empty = finds_empty(&table->indexes[i].keys, child->item, &pk, &tail);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return empty;
}

/* `*cancelled`: a child does not fit its table, and its reply says why. */
static int prepare_keys(struct pl_operation *op, uint32_t partition_count, bool *cancelled)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_operation *child = &op->children[i];
        int rc = pl_prepare_keys(child, partition_count);

        if (rc != 0 && (rc != PL_EINVALID || has_empty_key(child)))
            return pl_prepare_adopt(op, child, rc);
        if (rc == 0)
            continue;
        if (!*cancelled) /* only the first is told of */
            child->reply.rc = rc;
        *cancelled = true;
    }
    return 0;
}

int pl_prepare_cancelled(struct pl_operation *op)
{
    struct pl_buf sentence = { 0 };

    pl_transaction_write_sentence(&sentence, op);
    if (pl_buf_status(&sentence) == 0)
        pl_reason_set(&op->reply.why, PL_ECANCELLED, "%.*s", (int)sentence.len, sentence.data);
    pl_buf_deinit(&sentence);
    return PL_ECANCELLED;
}

/* ---- where it goes ---------------------------------------------------------------------------------- */

/*
 * A transaction is one change of one group, its coordinator's: that of the token, so that a retry finds the token's
 * record where it was written, or else that of the first item. When every item's partition has its leader in this
 * shard, that one change is the transaction. In a cluster it begins here too, and where leaders of its items
 * are elsewhere the coordinator's change is the decision of a two-phase commit.
 */
static void choose_coordinator(struct pl_operation *op, uint32_t partition_count)
{
    op->partition = op->token.data != NULL ? pl_key_partition(pl_key_hash(op->token), partition_count)
                                           : op->children[0].partition;
}

int pl_prepare_transaction(struct pl_operation *op, const struct pl_tables *tables, uint32_t partition_count)
{
    bool cancelled = false;
    int rc = check_limits(op);

    for (uint32_t i = 0; i < op->child_count; i++) {
        op->children[i].parent = op;
        op->children[i].owner = op->owner;
        op->children[i].actor = op->actor;
        op->children[i].cascade_depth = op->cascade_depth;
    }
    if (rc == 0)
        rc = pl_prepare_children(op, tables);
    if (rc == 0)
        rc = prepare_keys(op, partition_count, &cancelled);
    if (rc == 0 && !cancelled)
        rc = pl_prepare_distinct(op, "Transaction request cannot include multiple operations on one item");
    if (rc == 0 && cancelled)
        return pl_prepare_cancelled(op);
    if (rc == 0 && op->token.data != NULL)
        rc = pl_transaction_digest(op, &op->request_digest);
    if (rc == 0)
        choose_coordinator(op, partition_count);
    return rc;
}
