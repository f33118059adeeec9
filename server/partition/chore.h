/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_CHORE_H
#define PL_PARTITION_CHORE_H

#include "base/clock.h"
#include "base/logger.h"
#include "partition/catalog.h"
#include "partition/collection.h"
#include "partition/view.h"
#include "script/script.h"

/**
 * Long work on a live shard, in small steps between its writes: filling a new index, or
 * the expiries under a new TTL attribute, from the items, and sweeping the keyspace of what was dropped. Each step makes
 * ordinary changes through the journal. A chore keeps no state on disk but the
 * catalog's own: cut off, it starts again from the beginning, and finds done what is done.
 *
 *     BACKFILL   every item of the table ─▸ its entry, unless it is there ─▸ index ACTIVE, or TTL on
 *     SWEEP      every record of the keyspace ─▸ deleted                  ─▸ garbage forgotten
 *
 * A backfill may only start when every write from before the index was known is applied:
 * from then on each write keeps the index itself.
 */
enum pl_chore_kind { PL_CHORE_NONE, PL_CHORE_BACKFILL, PL_CHORE_SWEEP };

struct pl_chore {
    enum pl_chore_kind kind;
    uint32_t table_id;                   /* BACKFILL */
    uint32_t fill_id;                    /* BACKFILL: the index's, or the expiries' */
    struct pl_keyspace space;            /* that is walked */
    uint32_t partition;                  /* where the walk is */
    struct pl_buf position;              /* the last key seen there; empty: none yet */
    struct pl_collection_count counting; /* the collection that is counted before the filling goes on */
    uint64_t done;                       /* items or records so far */
    uint64_t failed;                     /* items that a project function could not handle */
};

/** How a step acts: commit one change of a partition. What it returns not 0 ends the step. */
struct pl_chore_hands {
    int (*commit)(void *state, uint16_t partition, struct pl_buf *change);
    void *state;
    const struct pl_view *view;
    uint32_t partition_count;
    struct pl_clock clock; /* of what a provisioned index may use */
    struct pl_script *script;
    const struct pl_logger *logger;
};

/**
 * The next thing to do, by the catalog; with `sweeps`, only of what makes the store smaller. False: nothing. An index whose
 * function is not in `script` (may be NULL) waits.
 */
bool pl_chore_choose(struct pl_chore *chore, const struct pl_catalog *catalog, struct pl_script *script,
                     uint32_t partition_count, bool sweeps);

void pl_chore_deinit(struct pl_chore *chore);

/**
 * Do a little (some hundred records at most). 1: all is walked, and what remains is to say so in the
 * catalog. 0: there is more. Negative: a failure; the step may be tried again. PL_ETHROUGHPUT: the index that is filled has no capacity left for now.
 */
int pl_chore_step(struct pl_chore *chore, const struct pl_catalog *catalog,
                  const struct pl_chore_hands *hands);

#endif
