/* SPDX-License-Identifier: MIT */
#include "stream/lane.h"

#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

void pl_lane_init(struct pl_lane *lane, const struct pl_trigger *rules, uint64_t saved)
{
    *lane = (struct pl_lane){ .rules = rules, .saved = saved, .position = saved, .looked = saved };
}

void pl_lane_deinit(struct pl_lane *lane)
{
    pl_arena_deinit(&lane->arena);
    free(lane->records);
    free(lane->error);
    *lane = (struct pl_lane){ 0 };
}

/* ---- holding records -------------------------------------------------------------------------------- */

bool pl_lane_wants(const struct pl_trigger *rules, const struct pl_stream_record *record)
{
    if (record->at_ms < rules->created_ms)
        return false;
    switch (record->event) {
    case PL_STREAM_INSERT:
        return rules->on_insert;
    case PL_STREAM_MODIFY:
        return rules->on_modify;
    default:
        return rules->on_remove;
    }
}

bool pl_lane_has_room(const struct pl_lane *lane)
{
    uint32_t most = lane->attempts > 0 ? 1 : lane->rules->batch; /* it was given back: one alone, as before */

    return lane->count < most && lane->held_bytes < PL_LANE_BYTES_MAX;
}

/* By doubling, so that a trigger with large batches and few records holds little. */
static int make_room(struct pl_lane *lane)
{
    uint32_t room = lane->room == 0 ? 16 : lane->room * 2;
    struct pl_lane_record *larger;

    if (lane->count < lane->room)
        return 0;
    larger = realloc(lane->records, room * sizeof *larger);
    if (larger == NULL)
        return PL_ENOMEM;
    lane->records = larger;
    lane->room = room;
    return 0;
}

int pl_lane_hold(struct pl_lane *lane, const struct pl_stream_record *record, struct pl_bytes value,
                 uint64_t now_ns)
{
    struct pl_lane_record *at;
    struct pl_bytes copy;
    ptrdiff_t moved;
    int rc = make_room(lane);

    if (rc != 0)
        return rc;
    copy = pl_arena_copy(&lane->arena, value);
    if (copy.data == NULL)
        return PL_ENOMEM;
    at = &lane->records[lane->count];
    *at = (struct pl_lane_record){ .value = copy, .record = *record };
    moved = copy.data - value.data;
    at->record.new.bytes.data += record->has_new ? moved : 0;
    at->record.old.bytes.data += record->has_old ? moved : 0;
    at->record.keys.bytes.data += record->has_keys ? moved : 0;
    if (lane->count == lane->first)
        lane->held_since_ns = now_ns;
    lane->count++;
    lane->held_bytes += value.len;
    return 0;
}

void pl_lane_looked(struct pl_lane *lane, uint64_t sequence, uint64_t skipped)
{
    if (sequence > lane->looked)
        lane->looked = sequence;
    lane->skipped += skipped;
    if (lane->first < lane->count)
        return;
    lane->position = lane->looked;
    lane->pauses = 0; /* whatever kept it from reading is over */
}

/* All that was held is passed: its memory goes back. */
static void let_go(struct pl_lane *lane)
{
    pl_arena_deinit(&lane->arena);
    free(lane->records);
    lane->records = NULL;
    lane->first = lane->count = lane->room = lane->end_count = 0;
    lane->held_bytes = 0;
    lane->position = lane->looked;
}

void pl_lane_give_back(struct pl_lane *lane)
{
    if (lane->lost > 0 || lane->first == lane->count)
        return;
    lane->looked = lane->position;
    let_go(lane);
}

size_t pl_lane_held_bytes(const struct pl_lane *lane)
{
    return lane->held_bytes + lane->room * sizeof *lane->records;
}

/* ---- errors ----------------------------------------------------------------------------------------- */

/* Without memory for it the record goes its way with the general sentence. */
static struct pl_reason *keep_error(struct pl_lane *lane)
{
    if (lane->error == NULL)
        lane->error = malloc(sizeof *lane->error);
    return lane->error;
}

static void forget_error(struct pl_lane *lane)
{
    free(lane->error);
    lane->error = NULL;
}

void pl_lane_lost(struct pl_lane *lane)
{
    lane->attempts = 0;
    forget_error(lane);
}

const char *pl_lane_error(const struct pl_lane *lane)
{
    return pl_reason_text(lane->error, PL_ESCRIPT);
}

/* ---- deciding --------------------------------------------------------------------------------------- */

uint32_t pl_lane_end(const struct pl_lane *lane)
{
    if (lane->lost > 0)
        return lane->first + lane->lost;
    return lane->end_count > 0 ? lane->ends[lane->end_count - 1] : lane->count;
}

uint64_t pl_lane_sequence(const struct pl_lane *lane, uint32_t end)
{
    if (end == lane->count)
        return lane->looked;
    return lane->records[end - 1].record.sequence;
}

static bool is_too_old(const struct pl_lane *lane, const struct pl_stream_record *record, int64_t wall_ms)
{
    int64_t max_age_s = lane->rules->max_age_s;

    return max_age_s >= 0 && wall_ms - record->at_ms > max_age_s * 1000;
}

/* What need not be run to know that it cannot be. */
static bool is_hopeless(const struct pl_lane *lane, const struct pl_stream_record *record, int64_t wall_ms)
{
    return record->cascade_depth >= PL_LANE_DEPTH_MAX || is_too_old(lane, record, wall_ms);
}

/* The record at the front is not to be run (again); and when it is for its age, so are those behind it. */
static bool gives_up(struct pl_lane *lane, int64_t wall_ms)
{
    const struct pl_lane_record *records = lane->records;
    const struct pl_stream_record *front = &records[lane->first].record;
    uint32_t i = lane->first + 1;

    if (lane->lost > 0 || !is_hopeless(lane, front, wall_ms))
        return lane->lost > 0;
    if (front->cascade_depth >= PL_LANE_DEPTH_MAX) {
        pl_reason_set(keep_error(lane), 0,
                      "cascade too deep: %d triggers have set off each other to make this write",
                      front->cascade_depth);
    } else if (lane->attempts == 0) {
        pl_reason_set(keep_error(lane), 0, "the record is older than max_age_s, which is %lld",
                      (long long)lane->rules->max_age_s);
        while (i < lane->count && i - lane->first < PL_LANE_LOST_MAX &&
               records[i].record.cascade_depth < PL_LANE_DEPTH_MAX &&
               is_too_old(lane, &records[i].record, wall_ms))
            i++;
    }
    lane->lost = i - lane->first;
    return true;
}

/* A later end of a window stays on the stack under an earlier one. */
static void cut(struct pl_lane *lane, uint32_t end)
{
    PL_ASSERT(lane->end_count < PL_LANE_ENDS_MAX);
    lane->ends[lane->end_count++] = end;
}

/* A window ends before what cannot be run: that is buried by itself. */
static void end_before_hopeless(struct pl_lane *lane, int64_t wall_ms)
{
    uint32_t end = pl_lane_end(lane);

    for (uint32_t i = lane->first + 1; i < end; i++)
        if (is_hopeless(lane, &lane->records[i].record, wall_ms)) {
            cut(lane, i);
            return;
        }
}

static bool waits_for_more(struct pl_lane *lane, uint64_t now_ns)
{
    uint64_t until = lane->held_since_ns + lane->rules->batch_window_ms * NS_PER_MS;

    if (lane->end_count > 0 || lane->attempts > 0 || !pl_lane_has_room(lane) || now_ns >= until)
        return false;
    lane->due_ns = until;
    return true;
}

static enum pl_lane_step rest(const struct pl_lane *lane)
{
    /* A checkpoint that stands before what is kept would tell of a loss after a restart. */
    bool is_far = lane->skipped >= PL_LANE_SKIPPED_MAX || lane->trimmed > lane->saved;

    return is_far && lane->position > lane->saved ? PL_LANE_SAVE : PL_LANE_REST;
}

enum pl_lane_step pl_lane_next(struct pl_lane *lane, uint64_t applied, uint64_t now_ns, int64_t wall_ms)
{
    bool empty = lane->first == lane->count;

    if (lane->pauses > 0 && now_ns < lane->due_ns)
        return PL_LANE_WAIT;
    /* Once records of it are run, a batch takes no more. */
    if (applied > lane->looked && lane->first == 0 && lane->end_count == 0 &&
        (lane->attempts == 0 || empty) && pl_lane_has_room(lane) && rest(lane) == PL_LANE_REST)
        return PL_LANE_READ;
    if (empty)
        return rest(lane);
    if (gives_up(lane, wall_ms))
        return PL_LANE_BURY;
    if (waits_for_more(lane, now_ns))
        return PL_LANE_WAIT;
    end_before_hopeless(lane, wall_ms);
    return PL_LANE_RUN;
}

/* ---- what came of it -------------------------------------------------------------------------------- */

static void pass(struct pl_lane *lane, uint32_t end)
{
    lane->position = pl_lane_sequence(lane, end);
    lane->first = end;
    lane->attempts = lane->pauses = 0;
    lane->due_ns = 0;
    lane->lost = 0;
    forget_error(lane);
    while (lane->end_count > 0 && lane->ends[lane->end_count - 1] <= end)
        lane->end_count--;
    if (lane->first == lane->count)
        let_go(lane);
}

void pl_lane_done(struct pl_lane *lane, uint32_t end, uint64_t saved)
{
    lane->saved = saved;
    lane->skipped = 0;
    if (lane->first < lane->count)
        pass(lane, end);
    else
        lane->pauses = 0;
}

/* In place of the window's own end, so that the stack of ends does not grow with each record that is named. */
void pl_lane_shorten(struct pl_lane *lane, uint32_t end)
{
    PL_ASSERT(end > lane->first && end < pl_lane_end(lane));
    if (lane->end_count > 0)
        lane->end_count--;
    cut(lane, end);
}

void pl_lane_passed(struct pl_lane *lane, uint32_t end)
{
    lane->skipped += end - lane->first;
    pass(lane, end);
}

/* Between half of it and all of it, so that lanes that failed together do not come back together. */
static void pause_for(struct pl_lane *lane, uint64_t now_ns, uint64_t chance)
{
    uint64_t ms = PL_LANE_PAUSE_MAX_MS;

    if (lane->pauses < 16 && (PL_LANE_PAUSE_FIRST_MS << lane->pauses) < PL_LANE_PAUSE_MAX_MS)
        ms = (uint64_t)PL_LANE_PAUSE_FIRST_MS << lane->pauses;
    lane->pauses++;
    lane->due_ns = now_ns + ms * NS_PER_MS / 2 + chance % (ms * NS_PER_MS / 2 + 1);
}

void pl_lane_troubled(struct pl_lane *lane, uint64_t now_ns, uint64_t chance)
{
    pause_for(lane, now_ns, chance);
}

void pl_lane_wait(struct pl_lane *lane, uint64_t now_ns)
{
    lane->pauses += lane->pauses == 0;
    lane->due_ns = now_ns + PL_LANE_PAUSE_FIRST_MS * NS_PER_MS;
}

static void fail_alone(struct pl_lane *lane, const struct pl_reason *why, uint64_t now_ns, int64_t wall_ms,
                       uint64_t chance)
{
    const struct pl_stream_record *record = &lane->records[lane->first].record;
    int64_t retries = lane->rules->retries;

    lane->attempts++;
    pl_reason_set(keep_error(lane), 0, "%s", why->text);
    if ((retries >= 0 && lane->attempts > retries) || is_too_old(lane, record, wall_ms) ||
        wall_ms - record->at_ms > PL_LANE_KEPT_MS)
        lane->lost = 1;
    else
        pause_for(lane, now_ns, chance);
}

void pl_lane_failed(struct pl_lane *lane, bool first, const struct pl_reason *why, uint64_t now_ns,
                    int64_t wall_ms, uint64_t chance)
{
    uint32_t count = pl_lane_end(lane) - lane->first;

    lane->pauses = lane->attempts == 0 ? 0 : lane->pauses;
    if (count == 1)
        fail_alone(lane, why, now_ns, wall_ms, chance);
    else
        cut(lane, lane->first + (first ? 1 : count / 2));
}
