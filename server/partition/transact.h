/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_TRANSACT_H
#define PL_PARTITION_TRANSACT_H

#include "partition/evaluate.h"

/**
 * Transactions, judged on the shard: all their writes become one change, or none does.
 *
 *     child ─▸ evaluate ─▸ its effects ─▸ staged ─┐
 *     child ─▸ evaluate ─▸ its effects ─▸ staged ─┤ (each sees what is staged, the state under it)
 *     child ...                                   └─▸ one change, or all of it dropped
 *
 * Every item is named once, so each condition sees its item as it was before the transaction; what children share
 * and must see of each other is underneath: records of shortened keys (record.h), index entries, counts.
 * Each child is judged by pl_evaluate(), so whatever holds for a single write holds here.
 */
struct pl_transact {
    struct pl_inflight *staged; /* made when first needed */
    struct pl_arena arena;      /* of what is staged */
    struct pl_buf change;       /* the result; empty: nothing changes */
};

void pl_transact_deinit(struct pl_transact *transact);

/**
 * Judge a prepared TRANSACT_WRITE (or ADVANCE), whose children hold their tables' current versions. `script` is the shard's, or NULL.
 *
 * 0: `transact->change` holds the effects until the next call. PL_ECANCELLED: the children's replies say why.
 * Otherwise a failure of the whole, such as PL_ENOMEM, or PL_ELIMIT when the change would be larger than the
 * journal takes. With a failure there are no effects.
 *
 * A cancelled one is charged here, for nothing of it is still to come; one that goes through when it is committed.
 */
int pl_transact_write(struct pl_transact *transact, struct pl_evaluator *evaluator, struct pl_operation *op,
                      struct pl_script *script);

/** Take what the children have used from their tables, and sum it up in the reply. Once, and after the commit. */
void pl_transact_charge(const struct pl_evaluator *evaluator, struct pl_operation *op);

/**
 * Read the items of a prepared TRANSACT_GET into the children's replies, all as of this moment. PL_EINVALID: they
 * are more than 4 MB.
 */
int pl_transact_get(struct pl_evaluator *evaluator, struct pl_operation *op);

/** A TRANSACT_WRITE that is done already, and asked for again: it costs the reading of its items. */
int pl_transact_repeat(struct pl_evaluator *evaluator, struct pl_operation *op);

#endif
