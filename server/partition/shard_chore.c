/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/schema.h"

static int commit_chore(void *state, uint16_t partition, struct pl_buf *change)
{
    struct pl_shard *shard = state;
    int rc = pl_shard_commit(shard, partition, pl_buf_view(change),
                             shard->chore.kind == PL_CHORE_SWEEP ? PL_JOURNAL_SHRINK : PL_JOURNAL_GROW, NULL);

    if (rc == 0)
        shard->chore_batch = shard->gathering->number;
    return rc;
}

/* The newest batch that holds anything. */
static uint64_t newest_batch(const struct pl_shard *shard)
{
    return pl_batch_is_empty(shard->gathering) ? shard->gathering->number - 1 : shard->gathering->number;
}

/* The chore is walked to its end: the catalog says so from now on. */
static int complete_chore(struct pl_shard *shard)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    const struct pl_table *table;
    int rc = pl_catalog_copy(&shard->catalog, &next);

    if (rc != 0)
        return rc;
    if (shard->chore.kind == PL_CHORE_SWEEP) {
        pl_catalog_remove_garbage(&next, shard->chore.space.id, &change);
    } else {
        table = pl_tables_find_id(next.tables, shard->chore.table_id);
        if (table != NULL)
            rc = pl_schema_activate(&next, table, shard->chore.fill_id, &change);
    }
    rc = pl_shard_adopt_catalog(shard, rc, &next, &change, PL_JOURNAL_SHRINK, NULL);
    if (rc != 0)
        return rc;
    shard->chore_batch = newest_batch(shard);
    pl_chore_deinit(&shard->chore);
    return 0;
}

/* Said once, however often it is tried again. */
static void fail_chore(struct pl_shard *shard, int rc)
{
    if (rc != shard->chore_failure && rc != PL_ETHROUGHPUT)
        pl_log(shard->options.logger, PL_LOG_WARN,
               shard->chore.kind == PL_CHORE_BACKFILL ? "an index cannot be filled for now"
                                                      : "what was dropped cannot be swept for now",
               "%s", pl_reason_text(NULL, rc));
    shard->chore_failure = rc;
    shard->chore_failed_ns = pl_shard_now_ns(shard);
}

/* What fills makes the store larger: without room it waits, and what sweeps goes first. */
static bool choose_chore(struct pl_shard *shard)
{
    if (shard->full && shard->chore.kind == PL_CHORE_BACKFILL && shard->catalog.garbage_count > 0)
        pl_chore_deinit(&shard->chore);
    if (shard->chore.kind != PL_CHORE_NONE)
        return !shard->full || shard->chore.kind == PL_CHORE_SWEEP;
    if (!shard->chores_wait)
        return false;
    if (!pl_chore_choose(&shard->chore, &shard->catalog, shard->script, shard->partition_count,
                         shard->full)) {
        shard->chores_wait = shard->full;
        return false;
    }
    /* The catalog that asked for it may be on its way still, and so may be writes from before it. */
    shard->chore_batch = newest_batch(shard);
    return shard->chore_batch <= shard->applied_batch;
}

/* One step, when the one before is applied: then the snapshot has it. True when more is to come. */
bool pl_shard_do_chore(struct pl_shard *shard)
{
    struct pl_chore_hands hands = { .commit = commit_chore,
                                    .state = shard,
                                    .view = &shard->evaluator.view,
                                    .partition_count = shard->partition_count,
                                    .clock = shard->options.clock,
                                    .script = shard->script,
                                    .logger = shard->options.logger };
    int rc;

    if (shard->failed != 0 || shard->stuck != 0 || shard->chores_put_off ||
        shard->chore_batch > shard->applied_batch)
        return false; /* applying will bring us back */
    if (!pl_shard_memory_has_room(shard))
        return false; /* and so will the end of the flush */
    if (!choose_chore(shard))
        return false;
    rc = pl_shard_freshen_view(shard);
    if (rc == 0)
        rc = pl_chore_step(&shard->chore, &shard->catalog, &hands);
    if (rc == 1)
        rc = complete_chore(shard);
    if (rc == PL_ESCRIPT) {
        /* The module with its function is gone: this one waits for it, but not the others. */
        pl_chore_deinit(&shard->chore);
        rc = 0;
    }
    /* Short of memory, of room, or of the index's own throughput: a later tick tries again. */
    shard->chores_wait = rc >= 0;
    if (rc < 0)
        fail_chore(shard, rc);
    else
        shard->chore_failure = 0;
    return rc == 0 && shard->chore_batch <= shard->applied_batch;
}

bool pl_shard_has_chores(const struct pl_shard *shard)
{
    return shard->chores_wait && !shard->chores_put_off && shard->failed == 0 &&
           (!shard->full || shard->catalog.garbage_count > 0) && pl_shard_memory_has_room(shard);
}

void pl_shard_put_off_chores(struct pl_shard *shard)
{
    shard->chores_put_off = true;
}
