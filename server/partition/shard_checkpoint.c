/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/heads.h"

enum {
    ROOM_INTERVAL_MS = 250,
    MARK_AFTER_MS = 1000,
    REAP_INTERVAL_MS = 10000,
    CHORE_RETRY_MS = 1000,
    FLUSH_FACTOR = 2
};

static void look_at_room(struct pl_shard *shard)
{
    struct pl_store_room room;
    bool full;

    if (pl_store_room(shard->files.store, &room) != 0)
        return;
    /* What is in memory will want room in the store, and the pages around it copied. */
    full = room.low || room.disk_free_bytes < FLUSH_FACTOR * pl_state_active_bytes(shard->state) ||
           pl_journal_full(shard->files.journal) || shard->starved != 0;
    if (full != shard->full)
        pl_log(shard->options.logger, PL_LOG_WARN,
               !full                         ? "there is room again: puts go on"
               : shard->starved == PL_ENOMEM ? "memory is short: puts stop"
                                             : "the disk is full: puts stop",
               "%llu bytes free", (unsigned long long)room.disk_free_bytes);
    shard->full = full;
}

static void check_room(struct pl_shard *shard, uint64_t now)
{
    if (!pl_shard_passed_ms(now, shard->room_ns, ROOM_INTERVAL_MS))
        return;
    shard->room_ns = now;
    look_at_room(shard);
}

/* The counters and the groups' places, so that the store as of the checkpoint is whole in itself. */
int pl_shard_freeze(struct pl_shard *shard)
{
    struct pl_heads heads = pl_shard_heads(shard);
    int rc = pl_heads_write(&heads, shard->state);

    if (rc == 0)
        rc = pl_state_freeze(shard->state);
    if (rc != 0)
        return rc;
    pl_counters_settle(shard->counters);
    pl_shard_drop_view(shard);
    return 0;
}

static void tell(struct pl_shard *shard, struct pl_shard_still *still, int rc)
{
    while (still != NULL) {
        struct pl_shard_still *next = still->next;

        still->flushed(shard, still, rc); /* `still` may be gone now */
        still = next;
    }
}

void pl_shard_tell_flushed(struct pl_shard *shard, int rc)
{
    struct pl_shard_still *frozen = shard->stills_frozen, *waiting = rc == 0 ? NULL : shard->stills_waiting;

    shard->stills_frozen = NULL;
    if (rc != 0)
        shard->stills_waiting = NULL;
    tell(shard, frozen, rc);
    tell(shard, waiting, rc);
}

/* Those who want to see the store as of this checkpoint. */
static void tell_frozen(struct pl_shard *shard)
{
    shard->stills_frozen = shard->stills_waiting;
    shard->stills_waiting = NULL;
    for (struct pl_shard_still *still = shard->stills_frozen; still != NULL; still = still->next)
        still->frozen(shard, still);
}

void pl_shard_stand_still(struct pl_shard *shard, struct pl_shard_still *still)
{
    if (shard->failed != 0) {
        still->flushed(shard, still, PL_EREADONLY);
        return;
    }
    still->next = shard->stills_waiting;
    shard->stills_waiting = still;
}

static bool checkpoint_is_due(const struct pl_shard *shard, uint64_t now)
{
    uint64_t behind = shard->applied_position - shard->checkpoint_position;

    if (shard->checkpoint != CHECKPOINT_NONE || shard->durable != NULL || shard->failed != 0)
        return false;
    if (shard->stills_waiting != NULL)
        return true;
    if (shard->applied_changes == shard->checkpoint_changes)
        return false;
    return behind >= shard->options.checkpoint_journal_bytes ||
           pl_shard_passed_ms(now, shard->checkpoint_ns, shard->options.checkpoint_interval_ms);
}

static void begin_checkpoint(struct pl_shard *shard, uint64_t now)
{
    int rc;

    if (shard->checkpoint == CHECKPOINT_WAITING)
        shard->checkpoint = CHECKPOINT_BEGUN;
    if (!checkpoint_is_due(shard, now))
        return;
    shard->checkpoint_ns = now;
    rc = pl_shard_freeze(shard);
    if (rc != 0) {
        /* A later tick tries again, but nobody is kept waiting for it. */
        pl_shard_tell_flushed(shard, rc);
        return;
    }
    tell_frozen(shard);
    shard->checkpoint = CHECKPOINT_BEGUN;
    shard->checkpoint_position = shard->applied_position;
    shard->checkpoint_changes = shard->applied_changes;
}

bool pl_shard_checkpoints(const struct pl_shard *shard)
{
    return shard->checkpoint == CHECKPOINT_BEGUN;
}

int pl_shard_run_checkpoint(struct pl_shard *shard, struct pl_reason *why)
{
    int rc = pl_state_flush(shard->state);

    if (rc != 0)
        return pl_reason_set(why, rc, "what is in memory could not be put into the store");
#ifdef PL_MUTANT_LATE_POSITION
    shard->checkpoint_position = shard->applied_position;
#endif
    rc = pl_checkpoint_begin(shard->files.checkpoint, shard->checkpoint_position, why);
    if (rc != 0)
        return rc;
    rc = pl_checkpoint_run(shard->files.checkpoint, why);
    /* After a failed sync nobody knows what the disk has. */
    return rc == 0 ? 0 : PL_EIO;
}

/* The journal has it all. Puts stop until there is room; the next tick begins again. */
static void wait_for_room(struct pl_shard *shard, int rc)
{
    shard->checkpoint = CHECKPOINT_WAITING;
    pl_shard_tell_flushed(shard, rc);
}

static void give_up(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    pl_shard_fail(shard, rc, why);
    if (pl_checkpoint_busy(shard->files.checkpoint))
        pl_checkpoint_abandon(shard->files.checkpoint);
    shard->checkpoint = CHECKPOINT_NONE;
    pl_shard_tell_flushed(shard, rc);
}

static int append_record(struct pl_shard *shard, struct pl_reason *why)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHECKPOINT };
    struct pl_buf payload = { 0 };
    int rc;

    pl_checkpoint_payload(shard->files.checkpoint, &payload);
    record.payload = pl_buf_view(&payload);
    rc = pl_buf_status(&payload);
    if (rc == 0)
        rc = pl_journal_append(shard->files.journal, &record, PL_JOURNAL_SHRINK, &shard->checkpoint_record,
                               why);
    pl_buf_deinit(&payload);
    return rc;
}

/* It is on the disk, and counts once the journal says so. */
static void record_checkpoint(struct pl_shard *shard)
{
    struct pl_reason why = { 0 };
    int rc = append_record(shard, &why);

    if (rc != 0) {
        pl_log(shard->options.logger, PL_LOG_WARN, "the checkpoint was not recorded", "%s",
               pl_reason_text(&why, rc));
        pl_checkpoint_abandon(shard->files.checkpoint);
        shard->checkpoint = CHECKPOINT_NONE;
        shard->checkpoint_changes = UINT64_MAX; /* another is due, though nothing changes */
        return;
    }
    shard->checkpoint = CHECKPOINT_RECORDED;
    shard->gathering->must_sync = true;
    pl_shard_seal(shard);
}

void pl_shard_end_checkpoint(struct pl_shard *shard, int rc, const struct pl_reason *why)
{
    bool starved = rc == PL_EFULL || rc == PL_ENOMEM, changed = starved != (shard->starved != 0);

    shard->starved = starved ? rc : 0;
    if (changed)
        look_at_room(shard);
    if (starved) {
        wait_for_room(shard, rc);
        return;
    }
    if (rc != 0) {
        give_up(shard, rc, why);
        return;
    }
    pl_state_settle(shard->state);
#ifdef PL_MUTANT_EARLY_TRIM
    pl_journal_trim(shard->files.journal, shard->checkpoint_position);
#endif
    pl_shard_drop_view(shard);
    pl_shard_tell_flushed(shard, 0);
    record_checkpoint(shard);
}

bool pl_shard_wants_prepare(const struct pl_shard *shard)
{
    return shard->failed == 0 && pl_journal_wants_prepare(shard->files.journal);
}

int pl_shard_run_prepare(struct pl_shard *shard, struct pl_reason *why)
{
    return pl_journal_prepare(shard->files.journal, why);
}

/* After a second's rest the last batch's durability is itself recorded, and --sync interval catches up. */
static void rest(struct pl_shard *shard, uint64_t now)
{
    if (!pl_shard_is_idle(shard)) {
        shard->active_ns = now;
        return;
    }
    if (!pl_shard_passed_ms(now, shard->active_ns, MARK_AFTER_MS) || shard->failed != 0)
        return;
    if (shard->options.sync == PL_SHARD_SYNC_NEVER)
        return;
    if (pl_journal_mark(shard->files.journal) == 0 &&
        pl_journal_end(shard->files.journal) > pl_journal_durable(shard->files.journal)) {
        shard->gathering->must_sync = true;
        pl_shard_seal(shard);
    }
}

/* What --sync interval promises holds for the last write before a rest too, when nobody else comes to be sealed. */
static void keep_interval(struct pl_shard *shard, uint64_t now)
{
    if (shard->options.sync != PL_SHARD_SYNC_INTERVAL || shard->failed != 0 ||
        pl_journal_durable(shard->files.journal) >= pl_journal_written(shard->files.journal) ||
        !pl_shard_passed_ms(now, shard->synced_ns, shard->options.sync_interval_ms))
        return;
    shard->gathering->must_sync = true;
    pl_shard_seal(shard);
}

void pl_shard_tick(struct pl_shard *shard)
{
    uint64_t now = pl_shard_now_ns(shard);

    check_room(shard, now);
    begin_checkpoint(shard, now);
    keep_interval(shard, now);
    rest(shard, now);
    if (shard->chore_failed_ns != 0 && pl_shard_passed_ms(now, shard->chore_failed_ns, CHORE_RETRY_MS)) {
        shard->chore_failed_ns = 0;
        shard->chores_wait = true;
    }
    if (pl_shard_passed_ms(now, shard->reap_ns, REAP_INTERVAL_MS)) {
        shard->reap_ns = now;
        pl_store_reap_readers(shard->files.store, NULL);
    }
}

void pl_shard_commit_checkpoint(struct pl_shard *shard)
{
    uint64_t keep_from;

    if (shard->checkpoint != CHECKPOINT_RECORDED ||
        pl_journal_durable(shard->files.journal) <= shard->checkpoint_record)
        return;
    pl_checkpoint_commit(shard->files.checkpoint, &keep_from);
    pl_journal_trim(shard->files.journal, keep_from);
    shard->checkpoint = CHECKPOINT_NONE;
    shard->stats.checkpoints++;
}
