/* SPDX-License-Identifier: MIT */
#include "model/key.h"
#include "partition/progress.h"
#include "partition/shard_inside.h"
#include "store/audit.h"
#include "store/state.h"

/*
 * Planted faults: each stands where the linker puts it, in place of a call between two files of the
 * engine, so that the engine's own sources know nothing of it. See tests/mutants.md and CMakeLists.txt here.
 */
#if defined(PL_MUTANT_SKIP_EFFECT) || defined(PL_MUTANT_UNCHECKED)
int __real_pl_state_set_group(struct pl_state *state, const struct pl_memtable_entry *entries, size_t count);
int __wrap_pl_state_set_group(struct pl_state *state, const struct pl_memtable_entry *entries, size_t count);

int __wrap_pl_state_set_group(struct pl_state *state, const struct pl_memtable_entry *entries, size_t count)
{
#ifdef PL_MUTANT_SKIP_EFFECT
    return __real_pl_state_set_group(state, entries, count > 3 ? count - 1 : count);
#else
    (void)__real_pl_state_set_group(state, entries, count);
    return 0;
#endif
}
#endif

#ifdef PL_MUTANT_UNSTARVED
void __wrap_pl_sandbox_starve(struct lua_State *L);

void __wrap_pl_sandbox_starve(struct lua_State *L)
{
    (void)L;
}
#endif

#ifdef PL_MUTANT_EARLY_ACK
void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op);

void __wrap_pl_shard_conclude(struct pl_shard *shard, struct pl_operation *op)
{
    pl_shard_finish(shard, op);
}
#endif

#ifdef PL_MUTANT_WRITE_ON
void __real_pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why);
void __wrap_pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why);

void __wrap_pl_shard_end_sync(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    (void)rc;
    __real_pl_shard_end_sync(shard, 0, why);
}
#endif

#ifdef PL_MUTANT_NO_AUDIT
int __wrap_pl_audit_step(struct pl_audit *audit, uint64_t pages, struct pl_reason *why);

int __wrap_pl_audit_step(struct pl_audit *audit, uint64_t pages, struct pl_reason *why)
{
    (void)audit;
    (void)pages;
    (void)why;
    return 0;
}
#endif

/* Every start forgets how far triggers had come, and nobody minds. */
#ifdef PL_MUTANT_FORGOTTEN_CHECKPOINT
int __wrap_pl_progress_get(struct pl_snapshot *snapshot, uint16_t partition, uint32_t trigger_id,
                           uint8_t slot, struct pl_progress *out);
int __wrap_pl_advance_check(const struct pl_advance *advance, uint16_t partition,
                            const struct pl_tables *tables, const struct pl_view *view);

int __wrap_pl_progress_get(struct pl_snapshot *snapshot, uint16_t partition, uint32_t trigger_id,
                           uint8_t slot, struct pl_progress *out)
{
    (void)snapshot;
    (void)partition;
    (void)trigger_id;
    (void)slot;
    *out = (struct pl_progress){ 0 };
    return 0;
}

int __wrap_pl_advance_check(const struct pl_advance *advance, uint16_t partition,
                            const struct pl_tables *tables, const struct pl_view *view)
{
    (void)advance;
    (void)partition;
    (void)tables;
    (void)view;
    return 0;
}
#endif
