/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

/*
 * Work that time brings: what has expired is deleted, what was kept long enough is forgotten. Each kind is asked
 * for a step when it is due, and again as soon as that step is applied while it says that there is more; so its
 * pace is that of the journal, and a writer waits for one small step at most.
 *
 * A step looks at the shard's own snapshot, which has all steps before it, and commits ordinary changes with
 * pl_shard_commit_timed(): followers and recovery need no clock. It does a bounded number of records. What a
 * client's write in flight has changed meanwhile it learns from the view's overlay.
 *
 *     1          there is more, go on as soon as this is applied
 *     0          nothing, for a period
 *     negative   a failure, said once; tried again after a period
 */
static const struct {
    const char *what; /* as in "cannot <what> for now" */
    uint32_t period_ms;
    int (*step)(struct pl_shard *shard);
} works[] = {
    { "forget the tokens of transactions", 1000, pl_shard_forget_tokens },
    { NULL, 0, NULL }, /* the end */
};

_Static_assert(sizeof works / sizeof works[0] <= PL_SHARD_TIMED_MAX, "room for each");

int pl_shard_commit_timed(struct pl_shard *shard, uint16_t partition, struct pl_bytes change)
{
    int rc = pl_shard_commit(shard, partition, change, PL_JOURNAL_SHRINK, NULL);

    if (rc == 0)
        shard->timed_batch = shard->gathering->number;
    return rc;
}

/* Said once, however often it is tried again. */
static void note_failure(struct pl_shard *shard, size_t i, int rc)
{
    if (rc != 0 && rc != shard->timed[i].failure)
        pl_log(shard->options.logger, PL_LOG_WARN, "timed work has failed for now", "cannot=%s %s",
               works[i].what, pl_reason_text(NULL, rc));
    shard->timed[i].failure = rc;
}

static bool step(struct pl_shard *shard, size_t i, uint64_t now)
{
    int rc = pl_shard_freshen_view(shard);

    if (rc == 0)
        rc = works[i].step(shard);
    note_failure(shard, i, rc < 0 ? rc : 0);
    if (rc == 1)
        return true;
    shard->timed[i].due_ns = now + works[i].period_ms * UINT64_C(1000000);
    return false;
}

bool pl_shard_do_timed(struct pl_shard *shard)
{
    uint64_t now = pl_shard_now_ns(shard);
    bool more = false;

    if (shard->failed != 0 || shard->stuck != 0 || shard->chores_put_off || !pl_shard_memory_has_room(shard))
        return false;
    for (size_t i = 0; works[i].step != NULL && shard->timed_batch <= shard->applied_batch; i++)
        if (now >= shard->timed[i].due_ns)
            more = step(shard, i, now) || more;
    return more && shard->timed_batch <= shard->applied_batch;
}
