/* SPDX-License-Identifier: MIT */
#include "stream/lane.h"

#include "test.h"

#define MS UINT64_C(1000000)

/* A lane with a clock that only the test moves. Records are numbered from 1, one a sequence number. */
struct rig {
    struct pl_trigger rules;
    struct pl_lane lane;
    uint64_t now_ns;
    int64_t wall_ms;
    uint64_t applied;
};

static void begin(struct rig *rig)
{
    *rig = (struct rig){ .rules = { .on_insert = true,
                                    .on_modify = true,
                                    .on_remove = true,
                                    .batch = 100,
                                    .retries = -1,
                                    .max_age_s = -1,
                                    .parallel = 1 },
                         .now_ns = 1000 * MS,
                         .wall_ms = 1000000 };
    pl_lane_init(&rig->lane, &rig->rules, 0);
}

static struct pl_stream_record record_of(const struct rig *rig, uint64_t sequence)
{
    return (
        struct pl_stream_record){ .sequence = sequence, .event = PL_STREAM_INSERT, .at_ms = rig->wall_ms };
}

/* Read what is applied, as a driver would. */
static void read_all(struct rig *rig)
{
    uint64_t sequence = rig->lane.looked;

    while (sequence < rig->applied && pl_lane_has_room(&rig->lane)) {
        struct pl_stream_record record = record_of(rig, ++sequence);

        CHECK(pl_lane_hold(&rig->lane, &record, pl_str("bytes"), rig->now_ns) == 0);
    }
    pl_lane_looked(&rig->lane, sequence, 0);
}

/* The next step that is not READ. */
static enum pl_lane_step next(struct rig *rig)
{
    enum pl_lane_step step;

    while ((step = pl_lane_next(&rig->lane, rig->applied, rig->now_ns, rig->wall_ms)) == PL_LANE_READ)
        read_all(rig);
    return step;
}

/* The window as "first-last", by sequence numbers. */
static bool window_is(const struct rig *rig, uint64_t first, uint64_t last)
{
    const struct pl_lane *lane = &rig->lane;

    return lane->records[lane->first].record.sequence == first &&
           lane->records[pl_lane_end(lane) - 1].record.sequence == last;
}

static void pass(struct rig *rig)
{
    uint32_t end = pl_lane_end(&rig->lane);

    pl_lane_done(&rig->lane, end, pl_lane_sequence(&rig->lane, end));
}

static void fail(struct rig *rig)
{
    struct pl_reason why;

    pl_reason_set(&why, 0, "it failed");
    pl_lane_failed(&rig->lane, false, &why, rig->now_ns, rig->wall_ms, 0);
}

static void wait_out(struct rig *rig)
{
    CHECK(next(rig) == PL_LANE_WAIT);
    CHECK(rig->lane.due_ns > rig->now_ns);
    rig->now_ns = rig->lane.due_ns - 1;
    CHECK(next(rig) == PL_LANE_WAIT);
    rig->now_ns++;
}

static void what_is_applied_is_run_in_batches(void)
{
    struct rig rig;

    begin(&rig);
    CHECK(next(&rig) == PL_LANE_REST);
    rig.rules.batch = 10;
    rig.applied = 25;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 10));
    pass(&rig);
    CHECK(rig.lane.saved == 10);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 11, 20));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 21, 25));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_REST);
    CHECK(rig.lane.saved == 25 && rig.lane.position == 25 && rig.lane.records == NULL);
    pl_lane_deinit(&rig.lane);
}

static void a_window_of_time_gathers_a_batch(void)
{
    struct rig rig;

    begin(&rig);
    rig.rules.batch = 3;
    rig.rules.batch_window_ms = 50;
    rig.applied = 1;
    CHECK(next(&rig) == PL_LANE_WAIT && rig.lane.due_ns == rig.now_ns + 50 * MS);
    rig.now_ns += 30 * MS;
    rig.applied = 2; /* the time counts from the first of them */
    CHECK(next(&rig) == PL_LANE_WAIT && rig.lane.due_ns == rig.now_ns + 20 * MS);
    rig.applied = 3;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 3));
    pass(&rig);
    rig.applied = 4;
    CHECK(next(&rig) == PL_LANE_WAIT);
    rig.now_ns += 50 * MS;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 4, 4));
    pl_lane_deinit(&rig.lane);
}

static void a_failed_batch_is_halved_until_one_record_is_left(void)
{
    struct rig rig;

    begin(&rig);
    rig.rules.retries = 0;
    rig.applied = 8;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 8));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 4));
    pass(&rig);
    CHECK(rig.lane.saved == 4);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 5, 8));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 5, 6));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 5, 5));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 6, 6));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 6, 6));
    CHECK(strcmp(pl_lane_error(&rig.lane), "it failed") == 0 && rig.lane.attempts == 1);
    pass(&rig);
    CHECK(rig.lane.saved == 6);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 7, 8));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_REST && rig.lane.saved == 8);
    pl_lane_deinit(&rig.lane);
}

static void records_are_not_read_behind_a_batch_that_was_begun(void)
{
    struct rig rig;

    begin(&rig);
    rig.applied = 4;
    CHECK(next(&rig) == PL_LANE_RUN);
    fail(&rig);
    rig.applied = 9;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 2));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 3, 4));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 5, 9));
    pl_lane_deinit(&rig.lane);
}

static void one_record_is_retried_after_pauses_that_double(void)
{
    struct rig rig;
    uint64_t pause_ms = PL_LANE_PAUSE_FIRST_MS;

    begin(&rig);
    rig.rules.retries = 12;
    rig.applied = 1;
    for (int i = 0; i < 12; i++) {
        uint64_t before = rig.now_ns;

        CHECK(next(&rig) == PL_LANE_RUN);
        fail(&rig);
        wait_out(&rig);
        CHECK(rig.now_ns - before == pause_ms * MS / 2); /* with no chance in it: half */
        pause_ms = pause_ms * 2 > PL_LANE_PAUSE_MAX_MS ? PL_LANE_PAUSE_MAX_MS : pause_ms * 2;
    }
    CHECK(next(&rig) == PL_LANE_RUN);
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_BURY && rig.lane.attempts == 13);
    pl_lane_deinit(&rig.lane);
}

static void chance_makes_a_pause_longer_but_never_twice_as_long(void)
{
    struct pl_reason why = { .text = "no" };

    for (uint64_t chance = 0; chance < 64; chance++) {
        struct rig rig;
        uint64_t pause_ns;

        begin(&rig);
        rig.applied = 1;
        CHECK(next(&rig) == PL_LANE_RUN);
        pl_lane_failed(&rig.lane, false, &why, rig.now_ns, rig.wall_ms,
                       chance * UINT64_C(0x9E3779B97F4A7C15));
        pause_ns = rig.lane.due_ns - rig.now_ns;
        CHECK(pause_ns >= PL_LANE_PAUSE_FIRST_MS * MS / 2 && pause_ns <= PL_LANE_PAUSE_FIRST_MS * MS);
        pl_lane_deinit(&rig.lane);
    }
}

static void without_a_limit_a_record_is_retried_as_long_as_the_stream_keeps_it(void)
{
    struct rig rig;

    begin(&rig);
    rig.applied = 1;
    for (int i = 0; i < 100; i++) {
        CHECK(next(&rig) == PL_LANE_RUN);
        fail(&rig);
        CHECK(next(&rig) == PL_LANE_WAIT);
        rig.now_ns = rig.lane.due_ns;
    }
    rig.wall_ms += PL_LANE_KEPT_MS + 1;
    CHECK(next(&rig) == PL_LANE_RUN);
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_BURY && rig.lane.attempts == 101);
    pl_lane_deinit(&rig.lane);
}

static void what_is_too_old_is_not_run(void)
{
    struct rig rig;

    begin(&rig);
    rig.rules.max_age_s = 60;
    rig.applied = 3;
    CHECK(pl_lane_next(&rig.lane, rig.applied, rig.now_ns, rig.wall_ms) == PL_LANE_READ);
    read_all(&rig);
    rig.wall_ms += 30000;
    rig.applied = 5;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 5));
    rig.wall_ms += 30001;
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 1, 3));
    CHECK(strstr(pl_lane_error(&rig.lane), "max_age_s") != NULL && rig.lane.attempts == 0);
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 4, 5));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 4, 4));
    fail(&rig);
    rig.wall_ms += 60000;
    rig.now_ns = rig.lane.due_ns;
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 4, 4)); /* with the error that it had */
    CHECK(strcmp(pl_lane_error(&rig.lane), "it failed") == 0 && rig.lane.attempts == 1);
    pl_lane_deinit(&rig.lane);
}

static void a_cascade_too_deep_is_buried_by_itself(void)
{
    struct rig rig;

    begin(&rig);
    for (uint64_t i = 1; i <= 3; i++) {
        struct pl_stream_record record = record_of(&rig, i);

        record.cascade_depth = i == 2 ? PL_LANE_DEPTH_MAX : PL_LANE_DEPTH_MAX - 1;
        CHECK(pl_lane_hold(&rig.lane, &record, pl_str("x"), rig.now_ns) == 0);
    }
    pl_lane_looked(&rig.lane, 3, 0);
    rig.applied = 3;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 1));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 2, 2));
    CHECK(strstr(pl_lane_error(&rig.lane), "cascade too deep") != NULL);
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 3, 3));
    pl_lane_deinit(&rig.lane);
}

static void trouble_in_reading_is_over_when_all_is_read(void)
{
    struct rig rig;

    begin(&rig);
    rig.applied = 4;
    pl_lane_troubled(&rig.lane, rig.now_ns, 0);
    CHECK(rig.lane.pauses == 1);
    pl_lane_looked(&rig.lane, 4, 4);
    CHECK(rig.lane.pauses == 0 && next(&rig) == PL_LANE_REST);
    pl_lane_deinit(&rig.lane);
}

static void trouble_is_waited_out_and_counts_as_no_attempt(void)
{
    struct rig rig;

    begin(&rig);
    rig.rules.retries = 0;
    rig.applied = 4;
    for (int i = 0; i < 40; i++) {
        CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 4));
        pl_lane_troubled(&rig.lane, rig.now_ns, 0);
        wait_out(&rig);
        CHECK(rig.lane.attempts == 0);
    }
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 4));
    pass(&rig);
    CHECK(rig.lane.pauses == 0 && next(&rig) == PL_LANE_REST);
    pl_lane_deinit(&rig.lane);
}

static void the_record_that_was_named_is_cut_out(void)
{
    struct pl_reason why = { .text = "named" };
    struct rig rig;

    begin(&rig);
    rig.rules.retries = 0;
    rig.applied = 8;
    CHECK(next(&rig) == PL_LANE_RUN);
    pl_lane_done(&rig.lane, 5, pl_lane_sequence(&rig.lane, 5)); /* 1 to 5 passed, 6 was named */
    pl_lane_failed(&rig.lane, true, &why, rig.now_ns, rig.wall_ms, 0);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 6, 6));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 6, 6));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 7, 8));
    pl_lane_deinit(&rig.lane);
}

static void what_left_no_trace_moves_the_checkpoint_only_now_and_then(void)
{
    struct rig rig;

    begin(&rig);
    for (uint64_t i = 1; i < PL_LANE_SKIPPED_MAX / 100; i++) {
        rig.applied = i * 100;
        CHECK(next(&rig) == PL_LANE_RUN);
        pl_lane_passed(&rig.lane, pl_lane_end(&rig.lane));
        CHECK(next(&rig) == PL_LANE_REST && rig.lane.saved == 0 && rig.lane.position == rig.applied);
    }
    rig.applied += 100;
    CHECK(next(&rig) == PL_LANE_RUN);
    pl_lane_passed(&rig.lane, pl_lane_end(&rig.lane));
    CHECK(next(&rig) == PL_LANE_SAVE);
    pl_lane_done(&rig.lane, rig.lane.first, rig.lane.position);
    CHECK(rig.lane.saved == PL_LANE_SKIPPED_MAX && next(&rig) == PL_LANE_REST);
    pl_lane_deinit(&rig.lane);
}

static void records_of_others_are_passed_over(void)
{
    struct rig rig;
    struct pl_stream_record record;

    begin(&rig);
    rig.rules.on_modify = false;
    rig.rules.created_ms = rig.wall_ms;
    record = record_of(&rig, 1);
    CHECK(pl_lane_wants(&rig.rules, &record));
    record.event = PL_STREAM_REMOVE;
    CHECK(pl_lane_wants(&rig.rules, &record));
    record.event = PL_STREAM_MODIFY;
    CHECK(!pl_lane_wants(&rig.rules, &record));
    record.event = PL_STREAM_INSERT;
    record.at_ms--;
    CHECK(!pl_lane_wants(&rig.rules, &record));
    pl_lane_looked(&rig.lane, 7, 7);
    rig.applied = 7;
    CHECK(rig.lane.position == 7 && next(&rig) == PL_LANE_REST);
    pl_lane_deinit(&rig.lane);
}

static void a_batch_is_bounded_in_bytes(void)
{
    static char bytes[PL_LANE_BYTES_MAX / 2];
    struct rig rig;
    struct pl_stream_record record;

    begin(&rig);
    record = record_of(&rig, 1);
    CHECK(pl_lane_hold(&rig.lane, &record, pl_bytes(bytes, sizeof bytes), rig.now_ns) == 0);
    CHECK(pl_lane_has_room(&rig.lane));
    record.sequence = 2;
    CHECK(pl_lane_hold(&rig.lane, &record, pl_bytes(bytes, sizeof bytes), rig.now_ns) == 0);
    CHECK(!pl_lane_has_room(&rig.lane));
    pl_lane_looked(&rig.lane, 2, 0);
    rig.applied = 10;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 2));
    pl_lane_deinit(&rig.lane);
}

/* Whatever fails, every record is passed once or buried once, in order, and the windows run stay few. */
static void random_failures_end_with_every_record_done(void)
{
    uint64_t seed = 42;

    for (int round = 0; round < 300; round++) {
        struct rig rig;
        bool poisoned[65] = { false };
        uint64_t done = 0;
        uint32_t runs = 0, poison = 0;

        begin(&rig);
        rig.rules.retries = (int64_t)(round % 3);
        rig.applied = 64;
        for (int i = 1; i <= 64; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            poisoned[i] = seed >> 60 == 0;
            poison += poisoned[i];
        }
        for (enum pl_lane_step step; (step = next(&rig)) != PL_LANE_REST;) {
            const struct pl_lane *lane = &rig.lane;
            uint64_t first, last;
            bool bad = false;

            if (step == PL_LANE_WAIT) {
                rig.now_ns = lane->due_ns;
                continue;
            }
            first = lane->records[lane->first].record.sequence;
            last = lane->records[pl_lane_end(lane) - 1].record.sequence;
            CHECK(first == done + 1);
            for (uint64_t i = first; i <= last; i++)
                bad = bad || poisoned[i];
            if (step == PL_LANE_BURY)
                CHECK(first == last && poisoned[first]);
            if (step == PL_LANE_RUN && bad) {
                fail(&rig);
                runs++;
                continue;
            }
            pass(&rig);
            done = last;
        }
        CHECK(done == 64 && rig.lane.saved == 64);
        CHECK(runs <= poison * (7 + (uint32_t)rig.rules.retries));
        pl_lane_deinit(&rig.lane);
    }
}

/* What was given back is read again, and a record that is tried again stays alone and keeps its attempts. */
static void what_is_given_back_is_read_again(void)
{
    struct rig rig;

    begin(&rig);
    rig.rules.batch = 4;
    rig.rules.retries = 2;
    rig.applied = 4;
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 4));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 2));
    fail(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 1, 1));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 2, 2));
    for (int i = 0; i < 3; i++) {
        fail(&rig);
        if (i == 2)
            break;
        pl_lane_give_back(&rig.lane);
        CHECK(pl_lane_held_bytes(&rig.lane) == 0 && rig.lane.looked == 1 && rig.lane.saved == 1);
        wait_out(&rig);
        CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 2, 2));
    }
    pl_lane_give_back(&rig.lane); /* it is to be buried: it stays */
    CHECK(next(&rig) == PL_LANE_BURY && window_is(&rig, 2, 2) && rig.lane.attempts == 3);
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_RUN && window_is(&rig, 3, 4));
    pass(&rig);
    CHECK(next(&rig) == PL_LANE_REST && rig.lane.saved == 4);
    pl_lane_deinit(&rig.lane);
}

int main(void)
{
    RUN(what_is_given_back_is_read_again);
    RUN(what_is_applied_is_run_in_batches);
    RUN(a_window_of_time_gathers_a_batch);
    RUN(a_failed_batch_is_halved_until_one_record_is_left);
    RUN(records_are_not_read_behind_a_batch_that_was_begun);
    RUN(one_record_is_retried_after_pauses_that_double);
    RUN(chance_makes_a_pause_longer_but_never_twice_as_long);
    RUN(without_a_limit_a_record_is_retried_as_long_as_the_stream_keeps_it);
    RUN(what_is_too_old_is_not_run);
    RUN(a_cascade_too_deep_is_buried_by_itself);
    RUN(trouble_in_reading_is_over_when_all_is_read);
    RUN(trouble_is_waited_out_and_counts_as_no_attempt);
    RUN(the_record_that_was_named_is_cut_out);
    RUN(what_left_no_trace_moves_the_checkpoint_only_now_and_then);
    RUN(records_of_others_are_passed_over);
    RUN(a_batch_is_bounded_in_bytes);
    RUN(random_failures_end_with_every_record_done);
    return test_summary();
}
