/* SPDX-License-Identifier: MIT */
#ifndef PL_REPLICA_GROUP_H
#define PL_REPLICA_GROUP_H

#include "store/journal.h"

/**
 * A partition's replicas: the place through which every change of the partition goes.
 *
 *     propose ─▸ append ┄▸ durable here (and at a majority) ┄▸ committed ─▸ applied
 *
 * A group with one member needs no election and no messages: what is durable in its
 * own journal is committed. When a group grows, followers' journals join here, and
 * nothing above notices: it proposes, and waits until the group says committed.
 */
struct pl_group {
    uint16_t partition;
    uint64_t term;
    uint64_t last_index;    /* of the newest entry proposed */
    uint64_t applied_index; /* of the newest entry that every read sees */
};

/**
 * Append a change as the group's next entry. `*position` is where it begins in the journal;
 * it is committed when the journal is durable past it. A failure (PL_EFULL, PL_ENOMEM, PL_EINVALID, PL_EREADONLY)
 * leaves the group as it was.
 */
int pl_group_propose(struct pl_group *group, struct pl_journal *journal, struct pl_bytes change,
                     enum pl_journal_use use, uint64_t *position, struct pl_reason *why);

/** The entries up to `index` are applied. They come in order. */
void pl_group_applied(struct pl_group *group, uint64_t index);

/** An entry found in the journal at start: recovery is about to apply it. PL_ECORRUPT when one before it is missing. */
int pl_group_replayed(struct pl_group *group, const struct pl_journal_record *record, struct pl_reason *why);

#endif
