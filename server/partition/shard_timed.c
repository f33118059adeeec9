/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

/*
 * Work that time brings: what has expired is deleted, what was kept long enough is forgotten. Each kind is asked
 * for a step when it is due, and again as soon as that step is applied while it says that there is more; so its
 * pace is that of the journal, and a writer waits for one small step at most. While clients are at work it goes
 * along with their batches only, and rests for a multiple of the time that each step took.
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
    const char *what;   /* as in "cannot <what> for now" */
    uint32_t period_ms; /* 0: as ttl_sweep_ms says */
    int (*step)(struct pl_shard *shard);
} works[] = {
    { "delete what has expired", 0, pl_shard_expire },
    { "forget the tokens of transactions", 1000, pl_shard_forget_tokens },
    { "trim streams", 250, pl_shard_trim },
};

enum {
    WORK_COUNT = sizeof works / sizeof works[0],
    PRESSED_MS = 20,
    PRESSED_REST = 9, /* times what a step took, until the next: a tenth of the shard's time */
};

_Static_assert((int)WORK_COUNT <= (int)PL_SHARD_TIMED_MAX, "room for each");

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

static uint64_t period_ns(const struct pl_shard *shard, size_t i)
{
    uint32_t ms = works[i].period_ms != 0 ? works[i].period_ms : shard->options.ttl_sweep_ms;

    return ms * UINT64_C(1000000);
}

/* True when the next step of the work may follow at once. */
static bool step(struct pl_shard *shard, size_t i, uint64_t now)
{
    int rc = pl_shard_freshen_view(shard);
    uint64_t done;

    if (rc == 0)
        rc = works[i].step(shard);
    note_failure(shard, i, rc < 0 ? rc : 0);
    done = pl_shard_now_ns(shard);
    if (rc != 1)
        shard->timed[i].due_ns = done + period_ns(shard, i);
    else if (shard->pressed)
        shard->timed[i].due_ns = done + PRESSED_REST * (done - now);
    return rc == 1 && !shard->pressed;
}

static bool are_clients_at_work(const struct pl_shard *shard)
{
    return shard->queue_first != NULL || shard->gathering->operation_count > 0 ||
           (shard->in_flight != NULL && shard->in_flight->operation_count > 0);
}

static void note_pressure(struct pl_shard *shard, uint64_t now)
{
    if (are_clients_at_work(shard)) {
        shard->pressed = true;
        shard->pressed_ns = now;
    } else if (shard->pressed && pl_shard_passed_ms(now, shard->pressed_ns, PRESSED_MS)) {
        shard->pressed = false;
    }
}

bool pl_shard_do_timed(struct pl_shard *shard)
{
    uint64_t now = pl_shard_now_ns(shard);
    bool more = false;

    if (shard->failed != 0 || shard->stuck != 0 || shard->chores_put_off || !pl_shard_memory_has_ease(shard))
        return false;
    note_pressure(shard, now);
    if (shard->pressed && shard->gathering->operation_count == 0)
        return false; /* a batch of its own would have the next client wait for its sync */
    for (size_t n = 0; n < WORK_COUNT && shard->timed_batch <= shard->applied_batch; n++) {
        size_t i = shard->timed_next;

        shard->timed_next = (i + 1) % WORK_COUNT;
        if (now >= shard->timed[i].due_ns)
            more = step(shard, i, now) || more;
    }
    return more && shard->timed_batch <= shard->applied_batch;
}
