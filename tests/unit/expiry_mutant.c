/* SPDX-License-Identifier: MIT */
#include "partition/expiry.h"
#include "partition/expiry_marks.h"

/* Planted faults of expiry, each in place of a call: see tests/mutants.md and CMakeLists.txt here. */
#ifdef PL_MUTANT_LEFT_BEHIND
int __real_pl_expiry_update(const struct pl_index_work *work, const struct pl_item *before,
                            const struct pl_item *after);
int __wrap_pl_expiry_update(const struct pl_index_work *work, const struct pl_item *before,
                            const struct pl_item *after);

int __wrap_pl_expiry_update(const struct pl_index_work *work, const struct pl_item *before,
                            const struct pl_item *after)
{
    return __real_pl_expiry_update(work, after == NULL ? before : NULL, after);
}
#endif

#ifdef PL_MUTANT_UNCONDITIONAL
bool __wrap_pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms);

bool __wrap_pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms)
{
    (void)table;
    (void)item;
    (void)now_ms;
    return true;
}
#endif

#ifdef PL_MUTANT_AGELESS
bool __wrap_pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms);

bool __wrap_pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms)
{
    uint64_t second;

    return pl_expiry_second(table, item, &second) && (int64_t)second * 1000 < now_ms;
}
#endif

#ifdef PL_MUTANT_UNNOTED
void __wrap_pl_expiry_marks_note(struct pl_expiry_marks *marks, struct pl_bytes key);

void __wrap_pl_expiry_marks_note(struct pl_expiry_marks *marks, struct pl_bytes key)
{
    (void)marks;
    (void)key;
}
#endif
