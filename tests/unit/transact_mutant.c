/* SPDX-License-Identifier: MIT */
#include "partition/change.h"
#include "partition/shard_inside.h"
#include "partition/token.h"

/*
 * Planted faults of transactions, each put by the linker in place of a call between two files: transact_test, or the
 * test of power loss, must fail with every one of them. See tests/mutants.md.
 */
#if defined(PL_MUTANT_HALF) || defined(PL_MUTANT_TWO_CHANGES)
int __real_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);

/* Of what a transaction changes, the second half is another change: it comes for itself, or not at all. */
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why)
{
    struct pl_bytes rest = change;
    struct pl_effect effect;

    if (change.data == shard->transact.change.data)
        while (rest.len * 2 > change.len && pl_change_take(&rest, &effect) == 1)
            continue;
    else
        rest.len = 0;
    change.len -= rest.len;
#ifdef PL_MUTANT_TWO_CHANGES
    if (rest.len > 0) {
        int rc = __real_pl_shard_commit(shard, partition, change, use, why);

        return rc != 0 ? rc : __real_pl_shard_commit(shard, partition, rest, use, why);
    }
#endif
    return __real_pl_shard_commit(shard, partition, change, use, why);
}
#endif

#ifdef PL_MUTANT_UNSTAGED
int __real_pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out);
int __wrap_pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out);

/* What the same change has put there is not seen. */
int __wrap_pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out)
{
    return __real_pl_view_get(view->under != NULL ? view->under : view, key, out);
}
#endif

#ifdef PL_MUTANT_FORGETFUL
void __wrap_pl_token_set(struct pl_bytes token, uint16_t partition, const struct pl_token *known,
                         const struct pl_digest *digest, uint64_t now_ms, struct pl_buf *change);

/* A token is remembered no longer than its transaction takes. */
void __wrap_pl_token_set(struct pl_bytes token, uint16_t partition, const struct pl_token *known,
                         const struct pl_digest *digest, uint64_t now_ms, struct pl_buf *change)
{
    (void)token;
    (void)partition;
    (void)known;
    (void)digest;
    (void)now_ms;
    (void)change;
}
#endif

#ifdef PL_MUTANT_TWICE
int __wrap_pl_prepare_distinct(struct pl_operation *op, const char *sentence);

/* An item may be named again, and what is asked of it then sees what was done first. */
int __wrap_pl_prepare_distinct(struct pl_operation *op, const char *sentence)
{
    (void)op;
    (void)sentence;
    return 0;
}
#endif

#ifdef PL_MUTANT_EARLY_READ
void __real_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);
void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);

/* A transaction that reads tells what is not durable. */
void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op)
{
    if (op->name == PL_OP_TRANSACT_GET)
        pl_shard_finish(shard, op);
    else
        __real_pl_shard_conclude(shard, op);
}
#endif
