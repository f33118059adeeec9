/* SPDX-License-Identifier: MIT */
#include "partition/change.h"
#include "partition/shard_inside.h"
#include "partition/stream.h"
#include "partition/token.h"

/*
 * Planted faults: each stands where the linker puts it, in place of a call between two files of the
 * engine, so that the engine's own sources know nothing of it. See tests/mutants.md and CMakeLists.txt here.
 */
#ifdef PL_MUTANT_DIRTY_READ
int __real_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);

/* Everybody sees at once what is on its way to the disk. */
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why)
{
    int rc = __real_pl_shard_commit(shard, partition, change, use, why);
    struct pl_effect effect;

    while (rc == 0 && pl_change_take(&change, &effect) == 1)
        if (effect.kind != PL_EFFECT_COUNT)
            rc = pl_state_set(shard->state, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE);
    return rc;
}
#endif

#ifdef PL_MUTANT_NO_OVERLAY
enum pl_inflight_found __wrap_pl_inflight_get(const struct pl_inflight *inflight, struct pl_bytes key,
                                              struct pl_bytes *out);

/* A write is judged on what is applied, whatever else is on its way. */
enum pl_inflight_found __wrap_pl_inflight_get(const struct pl_inflight *inflight, struct pl_bytes key,
                                              struct pl_bytes *out)
{
    (void)inflight;
    (void)key;
    (void)out;
    return PL_INFLIGHT_UNKNOWN;
}
#endif

#ifdef PL_MUTANT_STALE_READ
void __real_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);
void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);

/* Acknowledged when judged: whoever reads next does not see it yet. Tables wait, or there would be none to read. */
void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op)
{
    if (op->name == PL_OP_PUT || op->name == PL_OP_UPDATE || op->name == PL_OP_DELETE)
        pl_shard_finish(shard, op);
    else
        __real_pl_shard_conclude(shard, op);
}
#endif

#ifdef PL_MUTANT_TWO_CHANGES
int __real_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);

/* Where the second record of several begins; the end: there is none. */
static size_t first_record_bytes(struct pl_bytes change)
{
    struct pl_bytes rest = change;
    struct pl_effect effect;

    while (pl_change_take(&rest, &effect) == 1)
        if (effect.kind != PL_EFFECT_COUNT)
            break;
    return change.len - rest.len;
}

/* A change of several records is two, and the second waits for the next batch when it can. */
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why)
{
    size_t first = first_record_bytes(change);
    int rc;

    if (first == change.len)
        return __real_pl_shard_commit(shard, partition, change, use, why);
    rc = __real_pl_shard_commit(shard, partition, pl_bytes(change.data, first), use, why);
    if (rc != 0)
        return rc;
    pl_shard_seal(shard);
    return __real_pl_shard_commit(shard, partition, pl_bytes(change.data + first, change.len - first), use,
                                  why);
}
#endif

#ifdef PL_MUTANT_TORN_GET
int __real_pl_evaluate_find(struct pl_evaluator *evaluator, const struct pl_operation *op,
                            struct pl_item *out);
int __wrap_pl_evaluate_find(struct pl_evaluator *evaluator, const struct pl_operation *op,
                            struct pl_item *out);

/* Of what is read in one transaction, all but the first item is as it was when last applied. */
int __wrap_pl_evaluate_find(struct pl_evaluator *evaluator, const struct pl_operation *op,
                            struct pl_item *out)
{
    struct pl_view view = evaluator->view;
    int rc;

    if (op->parent == NULL || op == &op->parent->children[0])
        return __real_pl_evaluate_find(evaluator, op, out);
    if (pl_inflight_new(0, (struct pl_inflight **)&evaluator->view.inflight) != 0)
        return PL_ENOMEM;
    rc = __real_pl_evaluate_find(evaluator, op, out);
    pl_inflight_free((struct pl_inflight *)evaluator->view.inflight);
    evaluator->view = view;
    return rc;
}
#endif

#ifdef PL_MUTANT_SILENT_BATCH
int __real_pl_evaluate(struct pl_evaluator *evaluator, struct pl_operation *op, const struct pl_table *table,
                       struct pl_table_script *script);
int __wrap_pl_evaluate(struct pl_evaluator *evaluator, struct pl_operation *op, const struct pl_table *table,
                       struct pl_table_script *script);

/* The stream is not told of what a batch writes. */
int __wrap_pl_evaluate(struct pl_evaluator *evaluator, struct pl_operation *op, const struct pl_table *table,
                       struct pl_table_script *script)
{
    int rc = __real_pl_evaluate(evaluator, op, table, script);
    struct pl_bytes rest = pl_buf_view(&evaluator->change);
    struct pl_effect effect;

    if (rc != 0 || op->parent == NULL || op->parent->name != PL_OP_BATCH_WRITE)
        return rc;
    for (const char *start = rest.data; pl_change_take(&rest, &effect) == 1; start = rest.data)
        if (effect.kind == PL_EFFECT_PUT && pl_sequence_is_in(effect.key))
            evaluator->change.len = (size_t)(start - evaluator->change.data); /* it is the last */
    return 0;
}
#endif

#ifdef PL_MUTANT_FOREIGN_SEQUENCE
uint64_t __real_pl_sequences_draw(struct pl_sequences *sequences, uint16_t partition);
uint64_t __wrap_pl_sequences_draw(struct pl_sequences *sequences, uint16_t partition);

/* A record's number is drawn from another partition's row. */
uint64_t __wrap_pl_sequences_draw(struct pl_sequences *sequences, uint16_t partition)
{
    return __real_pl_sequences_draw(sequences, partition ^ 1);
}
#endif

#ifdef PL_MUTANT_ONE_FURTHER
int __real_pl_stream_seek(const struct pl_stream_walk *walk, uint64_t sequence, struct pl_stream_record *out);
int __wrap_pl_stream_seek(const struct pl_stream_walk *walk, uint64_t sequence, struct pl_stream_record *out);

/* Who goes on from a position begins one number too late. */
int __wrap_pl_stream_seek(const struct pl_stream_walk *walk, uint64_t sequence, struct pl_stream_record *out)
{
    return __real_pl_stream_seek(walk, sequence > 1 ? sequence + 1 : sequence, out);
}
#endif

#ifdef PL_MUTANT_NO_TOKEN
void __wrap_pl_token_set(struct pl_bytes token, uint16_t partition, const struct pl_token *known,
                         const struct pl_digest *digest, uint64_t now_ms, struct pl_buf *change);

/* Nobody remembers which transactions are done. */
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

#ifdef PL_MUTANT_NO_HOLD
void __wrap_pl_state_hold(struct pl_state *state);

/* What is applied is seen key by key. */
void __wrap_pl_state_hold(struct pl_state *state)
{
    (void)state;
}
#endif
