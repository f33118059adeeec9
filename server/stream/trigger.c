/* SPDX-License-Identifier: MIT */
#include "stream/trigger.h"

#include "partition/change.h"

#include <stdlib.h>

enum { PIECE_RECORDS = 4096, PIECE_BYTES = 8 << 20, STEPS_MAX = 8 };

void pl_trigger_hands_deinit(struct pl_trigger_hands *hands)
{
    pl_kept_deinit(&hands->kept);
    pl_buf_deinit(&hands->effects);
    pl_buf_deinit(&hands->scratch);
}

static uint64_t now_ns(const struct pl_trigger_hands *hands)
{
    return pl_clock_monotonic_ns(&hands->clock);
}

static int64_t wall_ms(const struct pl_trigger_hands *hands)
{
    return pl_clock_wall_ms(&hands->clock);
}

static void count(atomic_uint_fast64_t *figure, uint64_t more)
{
    atomic_fetch_add_explicit(figure, more, memory_order_relaxed);
}

int pl_trigger_slot(const struct pl_trigger_source *source, const struct pl_stream_record *record,
                    struct pl_buf *scratch, uint8_t *out)
{
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_item keys;
    int rc;

    *out = 0;
    if (source->trigger.parallel == 1)
        return 0;
    pl_buf_clear(scratch);
    rc = pl_stream_record_keys(record, &source->table->keys, scratch, &keys);
    if (rc == 0) {
        pl_key_schema_encode(&source->table->keys, keys, &pk, &tail, NULL);
        rc = pl_buf_status(&pk) != 0 ? PL_ENOMEM : pl_buf_status(&tail);
    }
    if (rc == 0)
        *out = (uint8_t)(pl_key_hash(pl_buf_view(&pk)) % source->trigger.parallel);
#ifdef PL_MUTANT_ANY_SLOT
    *out = (uint8_t)(record->sequence % source->trigger.parallel);
#endif
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

/* ---- moving ----------------------------------------------------------------------------------------- */

/* One change, and wait for it. Takes what is kept, whatever comes of it. */
static int move(struct pl_trigger_hands *hands, uint16_t partition, struct pl_advance *advance,
                struct pl_reason *why)
{
    struct pl_operation op, *ops = &op;
    int rc;

    pl_operation_init(&op, PL_OP_ADVANCE);
    op.partition = partition;
    op.advance = advance;
    op.children = hands->kept.operations;
    op.child_count = hands->kept.count;
    for (uint32_t i = 0; i < op.child_count; i++)
        op.children[i].parent = &op;
    hands->run(hands->state, &ops, 1);
    rc = op.reply.rc;
    if (rc != 0 && why != NULL)
        pl_reason_set(why, rc, "%s", pl_reason_text(&op.reply.why, rc));
    op.children = NULL;
    op.child_count = 0;
    pl_operation_deinit(&op);
    pl_kept_clear(&hands->kept);
    return rc;
}

static struct pl_advance advance_of(const struct pl_trigger_source *source)
{
    return (struct pl_advance){ .table_id = source->table->id, .trigger_id = source->trigger.id };
}

#if defined(PL_MUTANT_CHECKPOINT_FIRST) || defined(PL_MUTANT_LETTER_APART)
/* What must be one change is two: the checkpoint, and then what it stands for. */
static int move_in_two(struct pl_trigger_hands *hands, uint16_t partition, struct pl_advance *advance,
                       struct pl_reason *why)
{
    struct pl_advance second = *advance;
    uint32_t kept = hands->kept.count;
    int rc;

#ifdef PL_MUTANT_LETTER_APART
    advance->effects = pl_bytes(NULL, 0);
    kept = 0;
#else
    hands->kept.count = 0;
    second.effects = pl_bytes(NULL, 0);
#endif
    rc = move(hands, partition, advance, why);
    second.moves = false;
    hands->kept.count = kept;
    return rc != 0 ? rc : move(hands, partition, &second, why);
}
#endif

static int move_lane(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                     const struct pl_trigger_lane *at, uint64_t to, struct pl_reason *why)
{
    struct pl_advance advance = advance_of(source);

    advance.moves = true;
    advance.slot = at->slot;
    advance.from = at->lane.saved;
    advance.to = (struct pl_progress){ .sequence = to, .parallel = (uint8_t)source->trigger.parallel };
    advance.effects = pl_buf_view(&hands->effects);
#if defined(PL_MUTANT_CHECKPOINT_FIRST) || defined(PL_MUTANT_LETTER_APART)
    return move_in_two(hands, at->partition, &advance, why);
#endif
    return move(hands, at->partition, &advance, why);
}

/* ---- loading ---------------------------------------------------------------------------------------- */

static int read_progress(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                         uint16_t partition, struct pl_progress *slots)
{
    int rc = pl_snapshot_renew(hands->snapshot);

    for (uint8_t i = 0; rc == 0 && i < PL_PROGRESS_SLOTS_MAX; i++)
        rc = pl_progress_get(hands->snapshot, partition, source->trigger.id, i, &slots[i]);
    pl_snapshot_reset(hands->snapshot);
    return rc;
}

/* How many there were when they were last cut; 0: nobody has gone a step yet. */
static uint8_t old_parallel(const struct pl_progress *slots, uint8_t parallel)
{
    uint8_t old = 0;

    for (uint8_t i = 0; i < PL_PROGRESS_SLOTS_MAX; i++)
        if (slots[i].parallel != 0 && slots[i].parallel != parallel)
            return slots[i].parallel;
        else if (slots[i].parallel != 0)
            old = parallel;
    return old;
}

/* A slot without a record counts from the beginning. */
static uint64_t least_of(const struct pl_progress *slots, uint8_t count_of_slots)
{
    uint64_t least = UINT64_MAX;

    for (uint8_t i = 0; i < count_of_slots && i < PL_PROGRESS_SLOTS_MAX; i++)
        if (slots[i].sequence < least)
            least = slots[i].sequence;
    return least;
}

/* The next piece of the walk behind `*done`. 1: an old slot had not done the record behind it; PL_ENOTFOUND: the end. */
static int pass_done(struct pl_trigger_hands *hands, const struct pl_trigger_source *before,
                     uint16_t partition, const struct pl_progress *slots, uint64_t *done)
{
    struct pl_stream_walk walk = { .snapshot = hands->snapshot,
                                   .stream_id = before->table->stream_id,
                                   .partition = partition };
    struct pl_stream_record record;
    uint8_t slot = 0;
    int rc = pl_snapshot_renew(hands->snapshot);

    if (rc == 0)
        rc = pl_stream_seek(&walk, *done + 1, &record);
    for (int i = 0; rc == 0 && i < PIECE_RECORDS; i++) {
        bool wanted = pl_lane_wants(&before->trigger, &record);

        if (wanted)
            rc = pl_trigger_slot(before, &record, &hands->scratch, &slot);
        if (rc == 0 && wanted && record.sequence > slots[slot].sequence)
            rc = 1;
        if (rc != 0)
            break;
        *done = record.sequence;
        rc = pl_stream_next(&walk, &record);
    }
    pl_snapshot_reset(hands->snapshot);
    return rc;
}

/*
 * Up to where the old slots have left nothing undone. A slot that has no record yet, or an old one, may have had no
 * records since: the stream says.
 */
static int find_done(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                     uint16_t partition, const struct pl_progress *slots, uint8_t old, uint64_t *done)
{
    struct pl_trigger_source before = *source;
    int rc = 0;

    before.trigger.parallel = old;
    *done = least_of(slots, old);
    while (rc == 0)
        rc = pass_done(hands, &before, partition, slots, done);
    if (rc != 1 && rc != PL_ENOTFOUND)
        return rc;
    /* Then nothing is undone, and what they had done may be trimmed. */
    for (uint8_t i = 0; rc == PL_ENOTFOUND && i < old; i++)
        if (slots[i].sequence > *done)
            *done = slots[i].sequence;
    return 0;
}

/* All slots in one change, so that no half of them is ever taken for the whole. */
static int cut_anew(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                    uint16_t partition, struct pl_progress *slots, uint8_t old)
{
    uint8_t parallel = (uint8_t)source->trigger.parallel;
    struct pl_progress all = { .parallel = parallel };
    struct pl_advance advance = advance_of(source);
    int rc = find_done(hands, source, partition, slots, old, &all.sequence);

    if (rc != 0)
        return rc;
    pl_buf_clear(&hands->effects);
    for (uint8_t i = 1; i < PL_PROGRESS_SLOTS_MAX; i++)
        if (i < parallel || slots[i].parallel != 0)
            pl_progress_put(&hands->effects, partition, source->trigger.id, i, i < parallel ? &all : NULL);
    if (pl_buf_status(&hands->effects) != 0)
        return PL_ENOMEM;
    advance.moves = true;
    advance.from = slots[0].sequence;
    advance.to = all;
    advance.effects = pl_buf_view(&hands->effects);
    for (uint8_t i = 0; i < parallel; i++)
        slots[i] = all;
    return move(hands, partition, &advance, NULL);
}

int pl_trigger_load(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                    uint16_t partition, struct pl_trigger_lane *lanes)
{
    uint8_t parallel = (uint8_t)source->trigger.parallel, old;
    struct pl_progress slots[PL_PROGRESS_SLOTS_MAX];
    int rc = read_progress(hands, source, partition, slots);

    if (rc != 0)
        return rc;
    old = old_parallel(slots, parallel);
    if (old != 0 && old != parallel)
        rc = cut_anew(hands, source, partition, slots, old);
    for (uint8_t i = 0; rc == 0 && i < parallel; i++) {
        lanes[i].partition = partition;
        lanes[i].slot = i;
        lanes[i].loaded = true;
        pl_lane_init(&lanes[i].lane, &source->trigger, slots[i].sequence);
    }
    return rc;
}

/* Somebody else has moved it, or nobody knows: what is stored says where it stands. */
static int load_again(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      struct pl_trigger_lane *at)
{
    struct pl_progress slots[PL_PROGRESS_SLOTS_MAX];
    int rc = read_progress(hands, source, at->partition, slots);

    if (rc != 0)
        return rc;
    pl_lane_deinit(&at->lane);
    pl_lane_init(&at->lane, &source->trigger, slots[at->slot].sequence);
    return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* What was seen of a piece. */
struct piece {
    uint64_t last, skipped;
    uint64_t lost;  /* sequence numbers whose records, if there were any, nobody will see */
    uint64_t first; /* the first record found, and its time; 0: none was */
    int64_t first_ms;
    uint32_t records;
    size_t bytes;
};

static int take_record(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                       struct pl_trigger_lane *at, const struct pl_stream_record *record,
                       struct pl_bytes value, struct piece *piece)
{
    bool wanted = pl_lane_wants(at->lane.rules, record);
    uint8_t slot = at->slot;
    int rc = wanted ? pl_trigger_slot(source, record, &hands->scratch, &slot) : 0;

    if (rc == 0 && wanted && slot == at->slot)
        rc = pl_lane_hold(&at->lane, record, value, now_ns(hands));
    else if (slot == at->slot)
        piece->skipped++;
    if (rc != 0)
        return rc;
    if (piece->records == 0) {
        piece->first = record->sequence;
        piece->first_ms = record->at_ms;
    }
    piece->last = record->sequence;
    piece->records++;
    piece->bytes += value.len;
    return 0;
}

/* On a renewed snapshot. PL_ENOTFOUND: the end of the stream was seen. */
static int walk_piece(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      struct pl_trigger_lane *at, struct piece *piece)
{
    struct pl_bytes key, value;
    struct pl_stream_record record;
    uint8_t first[PL_STREAM_KEY_BYTES];
    struct pl_bytes start =
        pl_stream_key(first, at->partition, source->table->stream_id, at->lane.looked + 1);
    int rc = pl_snapshot_seek(hands->snapshot, start, &key, &value);

    while (rc == 0) {
        if (key.len != start.len || memcmp(key.data, start.data, start.len - sizeof(uint64_t)) != 0)
            return PL_ENOTFOUND;
        rc = pl_stream_record_read(key, value, &record);
        if (rc == 0)
            rc = take_record(hands, source, at, &record, value, piece);
        if (rc != 0 || !pl_lane_has_room(&at->lane) || piece->records == PIECE_RECORDS ||
            piece->bytes >= PIECE_BYTES)
            return rc;
        rc = pl_snapshot_next(hands->snapshot, &key, &value);
    }
    return rc;
}

/* What is gone may all be older than the trigger, or at least nobody can say otherwise: then it lost nothing. */
static bool is_older_than_trigger(const struct pl_trigger_hands *hands, const struct pl_lane *lane,
                                  const struct piece *piece)
{
    if (piece->first != 0)
        return piece->first_ms < lane->rules->created_ms;
    return lane->looked == 0 && wall_ms(hands) - lane->rules->created_ms < PL_LANE_KEPT_MS;
}

/* Asked after the walk: what was trimmed meanwhile was missed too. */
static int find_lost(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                     struct pl_trigger_lane *at, struct piece *piece)
{
    struct pl_stream_walk walk = { .snapshot = hands->snapshot,
                                   .stream_id = source->table->stream_id,
                                   .partition = at->partition };
    int rc = pl_stream_trimmed(&walk, &at->lane.trimmed);
    uint64_t gone = at->lane.trimmed;

    if (rc != 0 || gone <= at->lane.looked)
        return rc;
    if (piece->first != 0 && piece->first <= gone)
        gone = piece->first - 1;
    if (gone > at->lane.looked && !is_older_than_trigger(hands, &at->lane, piece))
        piece->lost = gone - at->lane.looked;
    if (gone > piece->last)
        piece->last = gone;
    return 0;
}

/* The trigger cannot have what is kept no longer. What is worse than losing it is to say nothing. */
static void tell_lost(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      const struct pl_trigger_lane *at, uint64_t lost)
{
    const struct pl_table *table = source->table;

    if (source->figures != NULL)
        count(&source->figures->trimmed, lost);
    pl_log(hands->logger, PL_LOG_WARN, "a trigger was too far behind: records were trimmed before it came",
           "table %.*s, trigger %.*s, partition %u, slot %u: %llu sequence numbers after %llu passed by",
           (int)table->name.len, table->name.data, (int)source->trigger.name.len, source->trigger.name.data,
           at->partition, at->slot, (unsigned long long)lost, (unsigned long long)at->lane.looked);
}

static int read_piece(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      struct pl_trigger_lane *at, uint64_t applied)
{
    struct piece piece = { .last = at->lane.looked };
    int rc = pl_snapshot_renew(hands->snapshot), lost_rc;

    if (rc != 0)
        return rc;
    rc = walk_piece(hands, source, at, &piece);
    lost_rc = rc == 0 || rc == PL_ENOTFOUND || piece.records > 0 ? find_lost(hands, source, at, &piece) : 0;
    pl_snapshot_reset(hands->snapshot);
    if (lost_rc != 0 && (rc == 0 || rc == PL_ENOTFOUND))
        rc = lost_rc;
    /* `applied` was asked before the snapshot was taken: all up to there would have been seen. */
    if (rc == PL_ENOTFOUND) {
        if (applied > piece.last)
            piece.last = applied;
        rc = 0;
    }
    if (piece.lost > 0) {
        tell_lost(hands, source, at, piece.lost);
        pl_lane_lost(&at->lane);
    }
    pl_lane_looked(&at->lane, piece.last, piece.skipped);
    return rc;
}

/* ---- running ---------------------------------------------------------------------------------------- */

/* One run of the function, and what it asked for. */
struct run {
    struct pl_trigger_hands *hands;
    const struct pl_trigger_source *source;
    uint16_t partition;
    uint8_t depth;
    bool touched; /* something was written before the function's end */
    int failure;  /* of what was kept and had to be written before: the run cannot be made good */
    int trouble;  /* the last that a request met; the function may make something of it, or fail for it */
    struct pl_reason why;
};

static void sign(struct pl_operation *op, uint8_t depth)
{
    op->actor = PL_ACTOR_TRIGGER;
    op->cascade_depth = depth;
    for (uint32_t i = 0; i < op->child_count; i++)
        sign(&op->children[i], depth);
}

/* What the function goes on to do is to see what it has written. */
static int flush(struct run *run)
{
    struct pl_advance advance = advance_of(run->source);

    if (run->hands->kept.count == 0 || run->failure != 0)
        return run->failure;
    run->touched = true;
    run->failure = move(run->hands, run->partition, &advance, &run->why);
    return run->failure;
}

static int fail_as_before(const struct run *run, struct pl_operation *op)
{
    return pl_operation_fail(op, run->failure, &run->why);
}

static int keep(struct run *run, struct pl_operation *op)
{
    struct pl_trigger_hands *hands = run->hands;
    int rc;

    if (pl_kept_is_full(&hands->kept, op) && flush(run) != 0)
        return fail_as_before(run, op);
    rc = pl_kept_take(&hands->kept, op, hands->tables(hands->state), hands->partition_count);
    if (rc != PL_EINUSE)
        return rc;
    /* Its item waits to be written already: first one, then the other. */
    if (flush(run) != 0)
        return fail_as_before(run, op);
    return pl_kept_take(&hands->kept, op, hands->tables(hands->state), hands->partition_count);
}

static int run_request(void *state, struct pl_operation *op)
{
    struct run *run = state;

    sign(op, run->depth);
    if (pl_kept_allows(op))
        return keep(run, op);
    if (flush(run) != 0)
        return fail_as_before(run, op);
    run->touched = run->touched || pl_operation_kind(op->name) == PL_OPERATION_WRITE;
    run->hands->run(run->hands->state, &op, 1);
    if (pl_trigger_is_trouble(op->reply.rc))
        run->trouble = op->reply.rc;
    return op->reply.rc;
}

static int show_record(const struct pl_trigger_source *source, const struct pl_stream_record *record,
                       struct pl_buf *keys, struct pl_script_record *out)
{
    *out = (struct pl_script_record){ .event = pl_stream_event_name(record->event),
                                      .by = pl_actor_name(record->actor),
                                      .sequence = record->sequence,
                                      .at_ms = record->at_ms,
                                      .has_new = record->has_new,
                                      .has_old = record->has_old,
                                      .new = record->new,
                                      .old = record->old };
    return pl_stream_record_keys(record, &source->table->keys, keys, &out->keys);
}

/* Keys that are built lie in one buffer, which must not move under the views: the room is made before. */
static int show_records(const struct pl_trigger_source *source, const struct pl_lane_record *records,
                        uint32_t record_count, struct pl_buf *keys, struct pl_script_record *out)
{
    size_t room = 0;

    for (uint32_t i = 0; i < record_count; i++)
        room += records[i].value.len;
    if (pl_buf_reserve(keys, room) == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < record_count; i++) {
        int rc = show_record(source, &records[i].record, keys, &out[i]);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static uint8_t depth_of(const struct pl_lane_record *records, uint32_t record_count)
{
    uint8_t depth = 0;

    for (uint32_t i = 0; i < record_count; i++)
        if (records[i].record.cascade_depth > depth)
            depth = records[i].record.cascade_depth;
    return (uint8_t)(depth + 1);
}

static int call_function(struct run *run, struct pl_script_batch *batch, struct pl_reason *why)
{
    const struct pl_trigger_source *source = run->source;
    struct pl_db_hands db = { .run = run_request, .state = run };
    struct pl_table_script *script = NULL;
    int rc;

    if (run->hands->script != NULL)
        script = pl_script_table(run->hands->script, source->table->name);
    if (script == NULL)
        return pl_reason_set(why, PL_ECLOSED, "the table's module is not loaded");
    rc = pl_script_trigger_named(script, source->trigger.name, batch, &db, why);
    if (run->failure != 0) {
        *why = run->why;
        return run->failure;
    }
    /* `assert(db:get(..))` while there is no room is no fault of the function's: it waits, and is not counted. */
    return rc == PL_ESCRIPT || rc == PL_EREJECTED ? (run->trouble != 0 ? run->trouble : rc) : rc;
}

/* 0: what it wrote is kept, or written. Else nothing is kept. */
static int run_records(struct run *run, const struct pl_lane_record *records, uint32_t record_count,
                       struct pl_script_batch *batch, struct pl_reason *why)
{
    struct pl_script_record *shown = calloc(record_count, sizeof *shown);
    struct pl_buf keys = { 0 };
    int rc = shown == NULL ? PL_ENOMEM : show_records(run->source, records, record_count, &keys, shown);

    run->depth = depth_of(records, record_count);
    *batch = (struct pl_script_batch){ .records = shown, .count = record_count };
    if (rc == 0)
        rc = call_function(run, batch, why);
    if (rc != 0)
        pl_kept_clear(&run->hands->kept);
    if (run->source->figures != NULL && rc != PL_ECLOSED) {
        count(&run->source->figures->runs, 1);
        count(&run->source->figures->records, batch->handled);
    }
    pl_buf_deinit(&keys);
    free(shown);
    return rc;
}

/* ---- what came of it -------------------------------------------------------------------------------- */

bool pl_trigger_is_trouble(int rc)
{
    return rc == PL_ENOMEM || rc == PL_EFULL || rc == PL_EIO || rc == PL_EREADONLY || rc == PL_EOVERLOAD ||
           rc == PL_ETHROUGHPUT || rc == PL_ECONFLICT || rc == PL_ECLOSED || rc == PL_ENOTFOUND;
}

static void fail(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                 struct pl_trigger_lane *at, int rc, bool first, const struct pl_reason *why)
{
    uint64_t chance = pl_random_next(&hands->random);

    if (rc == PL_EINUSE || rc == PL_EUNSURE)
        at->loaded = false;
    else if (pl_trigger_is_trouble(rc) || hands->is_ending(hands->state))
        pl_lane_troubled(&at->lane, now_ns(hands), chance);
    else
        pl_lane_failed(&at->lane, first, why, now_ns(hands), wall_ms(hands), chance);
    if (source->figures != NULL && !pl_trigger_is_trouble(rc))
        count(&source->figures->failures, 1);
}

/* The place behind the last record before `sequence`. */
static uint32_t place_before(const struct pl_lane *lane, uint32_t end, uint64_t sequence)
{
    uint32_t i = lane->first;

    while (i < end && lane->records[i].record.sequence < sequence)
        i++;
    return i;
}

/* All of them passed, or those before `end`; what was kept goes with the step. */
static int settle(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                  struct pl_trigger_lane *at, uint32_t end, bool touched, struct pl_reason *why)
{
    uint64_t to = pl_lane_sequence(&at->lane, end);
    int rc;

    if (hands->kept.count == 0 && !touched) {
        pl_lane_passed(&at->lane, end); /* it did nothing that a second run would do twice */
        return 0;
    }
    pl_buf_clear(&hands->effects);
    rc = move_lane(hands, source, at, to, why);
    if (rc == 0)
        pl_lane_done(&at->lane, end, to);
    return rc;
}

static void run_window(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                       struct pl_trigger_lane *at)
{
    struct pl_lane *lane = &at->lane;
    uint32_t end = pl_lane_end(lane), good = end;
    struct run run = { .hands = hands, .source = source, .partition = at->partition };
    struct pl_reason why = { .text = "" };
    struct pl_script_batch batch;
    int rc = run_records(&run, &lane->records[lane->first], end - lane->first, &batch, &why);

    if (rc == 0 && batch.failed_from != 0) {
        good = place_before(lane, end, batch.failed_from);
        pl_reason_set(&why, 0, "the function named the record as failed");
    }
    if (rc == 0 && good == lane->first) {
        pl_kept_clear(&hands->kept);
        fail(hands, source, at, PL_EREJECTED, true, &why);
        return;
    }
    /* What is kept may be of any of the records: those before the failed one are run once more, by themselves. */
    if (rc == 0 && good < end && hands->kept.count > 0) {
        pl_kept_clear(&hands->kept);
        pl_lane_shorten(lane, good);
        return;
    }
    if (rc == 0)
        rc = settle(hands, source, at, good, run.touched, &why);
    if (rc != 0)
        fail(hands, source, at, rc, false, &why);
    else if (good < end)
        fail(hands, source, at, PL_EREJECTED, true, &why);
}

static void bury(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                 struct pl_trigger_lane *at)
{
    struct pl_lane *lane = &at->lane;
    uint32_t end = pl_lane_end(lane);
    uint64_t to = pl_lane_sequence(lane, end);
    struct pl_reason why = { .text = "" };
    int64_t size_bytes = 0;
    int rc = 0;

    pl_buf_clear(&hands->effects);
    for (uint32_t i = lane->first; i < end && rc == 0; i++) {
        struct pl_letter letter = { .partition = at->partition,
                                    .sequence = lane->records[i].record.sequence,
                                    .attempts = lane->attempts,
                                    .failed_ms = wall_ms(hands),
                                    .error = pl_str(pl_lane_error(lane)),
                                    .record = lane->records[i].value };

        pl_letter_put(&hands->effects, source->trigger.id, &letter, &hands->scratch);
        rc = pl_buf_status(&hands->scratch); /* of this letter alone: the next one clears it */
        size_bytes += (int64_t)letter.record.len;
    }
    pl_change_count(&hands->effects, at->partition, source->trigger.id, (int64_t)(end - lane->first),
                    size_bytes);
    if (rc == 0)
        rc = pl_buf_status(&hands->effects);
    if (rc == 0)
        rc = move_lane(hands, source, at, to, &why);
    if (rc == PL_EINUSE || rc == PL_EUNSURE) {
        at->loaded = false;
    } else if (rc != 0) {
        pl_lane_troubled(lane, now_ns(hands), pl_random_next(&hands->random));
    } else {
        if (source->figures != NULL)
            count(&source->figures->letters, end - lane->first);
        pl_lane_done(lane, end, to);
    }
}

static void save(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                 struct pl_trigger_lane *at)
{
    uint64_t to = at->lane.position;
    int rc;

    pl_buf_clear(&hands->effects);
    rc = move_lane(hands, source, at, to, NULL);
    if (rc == 0)
        pl_lane_done(&at->lane, at->lane.first, to);
    else if (rc == PL_EINUSE || rc == PL_EUNSURE)
        at->loaded = false;
    else
        pl_lane_troubled(&at->lane, now_ns(hands), pl_random_next(&hands->random));
}

/* ---- a step ----------------------------------------------------------------------------------------- */

static enum pl_lane_step pause_reading(struct pl_trigger_hands *hands, struct pl_trigger_lane *at)
{
    pl_lane_troubled(&at->lane, now_ns(hands), pl_random_next(&hands->random));
    return PL_LANE_WAIT;
}

static bool has_budget(const struct pl_trigger_source *source, uint64_t share)
{
#ifdef PL_MUTANT_NO_BUDGET
    return true;
#endif
    return atomic_load_explicit(&source->budget->held_bytes, memory_order_relaxed) <
           source->budget->max_bytes / share;
}

/* Less than before is added as what wraps around to it. */
static void charge(const struct pl_trigger_source *source, struct pl_trigger_lane *at)
{
    size_t held = pl_lane_held_bytes(&at->lane);

    atomic_fetch_add_explicit(&source->budget->held_bytes, (uint64_t)held - at->charged_bytes,
                              memory_order_relaxed);
    at->charged_bytes = held;
}

/* Without memory for more, a lane runs what it has; one that has nothing waits. */
static enum pl_lane_step go_without(struct pl_trigger_hands *hands, struct pl_trigger_lane *at)
{
    enum pl_lane_step step = pl_lane_next(&at->lane, at->lane.looked, now_ns(hands), wall_ms(hands));

    if (step != PL_LANE_REST)
        return step;
    pl_lane_wait(&at->lane, now_ns(hands));
    return PL_LANE_WAIT;
}

/* Up to what is not reading. */
static enum pl_lane_step read_on(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                                 struct pl_trigger_lane *at, uint64_t applied)
{
    enum pl_lane_step step = PL_LANE_REST;

    for (int i = 0; i < STEPS_MAX; i++) {
        step = pl_lane_next(&at->lane, applied, now_ns(hands), wall_ms(hands));
        if (step != PL_LANE_READ)
            break;
        if (!has_budget(source, 1))
            return go_without(hands, at);
        if (read_piece(hands, source, at, applied) != 0)
            return pause_reading(hands, at);
        charge(source, at);
    }
    return step;
}

static enum pl_lane_step take_step(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                                   struct pl_trigger_lane *at, uint64_t applied)
{
    enum pl_lane_step step;

    if (!at->loaded && load_again(hands, source, at) != 0)
        return pause_reading(hands, at);
    at->loaded = true;
    step = read_on(hands, source, at, applied);
    if (step == PL_LANE_RUN)
        run_window(hands, source, at);
    else if (step == PL_LANE_BURY)
        bury(hands, source, at);
    else if (step == PL_LANE_SAVE)
        save(hands, source, at);
    else if (step == PL_LANE_WAIT && at->lane.pauses > 0 && !has_budget(source, 2))
        pl_lane_give_back(&at->lane);
    return step;
}

enum pl_lane_step pl_trigger_step(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                                  struct pl_trigger_lane *at, uint64_t applied)
{
    enum pl_lane_step step = take_step(hands, source, at, applied);

    charge(source, at);
    return step;
}

/* ---- dead letters ----------------------------------------------------------------------------------- */

/* It has failed again: the new error takes the place of the old one. */
static int keep_letter(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                       const struct pl_letter *letter, const char *error)
{
    struct pl_advance advance = advance_of(source);
    struct pl_letter again = *letter;

    again.attempts++;
    again.failed_ms = wall_ms(hands);
    again.error = pl_str(error);
    pl_buf_clear(&hands->effects);
    pl_letter_put(&hands->effects, source->trigger.id, &again, &hands->scratch);
    if (pl_buf_status(&hands->effects) != 0 || pl_buf_status(&hands->scratch) != 0)
        return PL_ENOMEM;
    advance.effects = pl_buf_view(&hands->effects);
    return move(hands, letter->partition, &advance, NULL);
}

void pl_trigger_drop_letter(struct pl_buf *effects, const struct pl_trigger_source *source,
                            const struct pl_letter *letter)
{
    pl_letter_delete(effects, source->trigger.id, letter->partition, letter->sequence);
    pl_change_count(effects, letter->partition, source->trigger.id, -1, -(int64_t)letter->record.len);
}

int pl_trigger_change(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      uint16_t partition)
{
    struct pl_advance advance = advance_of(source);

    if (pl_buf_status(&hands->effects) != 0)
        return PL_ENOMEM;
    advance.effects = pl_buf_view(&hands->effects);
    return move(hands, partition, &advance, NULL);
}

int pl_trigger_replay(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                      const struct pl_letter *letter, struct pl_reason *why)
{
    struct run run = { .hands = hands, .source = source, .partition = letter->partition };
    struct pl_advance advance = advance_of(source);
    struct pl_lane_record record = { .value = letter->record };
    struct pl_script_batch batch = { 0 };
    int rc = pl_letter_record(letter, source->table->stream_id, &record.record);

    if (rc != 0)
        return pl_reason_set(why, rc, "%s", pl_error_sentence(rc));
    if (record.record.cascade_depth >= PL_LANE_DEPTH_MAX)
        record.record.cascade_depth = 0; /* somebody has looked at it: the chain begins anew */
    rc = run_records(&run, &record, 1, &batch, why);
    if (rc == 0 && batch.failed_from != 0)
        rc = pl_reason_set(why, PL_EREJECTED, "the function named the record as failed");
    if (rc == 0) {
        pl_buf_clear(&hands->effects);
        pl_trigger_drop_letter(&hands->effects, source, letter);
        advance.effects = pl_buf_view(&hands->effects);
        rc = pl_buf_status(&hands->effects) != 0 ? PL_ENOMEM : move(hands, letter->partition, &advance, why);
    }
    if (rc != 0)
        pl_kept_clear(&hands->kept); /* or the next change would make it */
    if (rc != 0 && !pl_trigger_is_trouble(rc) && !hands->is_ending(hands->state))
        keep_letter(hands, source, letter, pl_reason_text(why, rc));
    return rc;
}
