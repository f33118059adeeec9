/* SPDX-License-Identifier: MIT */
#include "replica/group.h"

int pl_group_propose(struct pl_group *group, struct pl_journal *journal, struct pl_bytes change,
                     enum pl_journal_use use, uint64_t *position, struct pl_reason *why)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE,
                                        .partition = group->partition,
                                        .index = group->last_index + 1,
                                        .term = group->term,
                                        .payload = change };
    int rc = pl_journal_append(journal, &record, use, position, why);

    if (rc == 0)
        group->last_index++;
    return rc;
}

void pl_group_applied(struct pl_group *group, uint64_t index)
{
    PL_ASSERT(index == group->applied_index + 1 && index <= group->last_index);
    group->applied_index = index;
}

int pl_group_replayed(struct pl_group *group, const struct pl_journal_record *record, struct pl_reason *why)
{
    if (record->index != group->last_index + 1)
        return pl_reason_set(
            why, PL_ECORRUPT,
            "partition %u: the journal goes from entry %llu to %llu at position %llu: the entries "
            "between are lost",
            group->partition, (unsigned long long)group->last_index, (unsigned long long)record->index,
            (unsigned long long)record->position);
    group->term = record->term;
    group->last_index = record->index;
    group->applied_index = record->index;
    return 0;
}
