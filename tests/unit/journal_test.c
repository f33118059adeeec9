/* SPDX-License-Identifier: MIT */
#include "journal_fixture.h"

/* ---- Order, positions, batches ---- */

static void records_come_back_in_order(void)
{
    struct pl_journal *journal = create();
    struct seen seen;

    for (uint64_t id = 0; id < 300; id++) {
        put(journal, id, 8 + id % 700);
        if (id % 7 == 0)
            flush(journal);
    }
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 300);
    for (uint64_t id = 0; id < 300; id++)
        CHECK(seen.ids[id] == id);
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
}

static void nothing_is_durable_before_its_batch_has_ended(void)
{
    struct pl_journal *journal = create();
    uint64_t first, second, end;

    CHECK(!pl_journal_seal(journal, true, &end));
    CHECK(try_put(journal, 1, 20, PL_JOURNAL_GROW, &first) == 0 && first == 0);
    CHECK(pl_journal_seal(journal, true, &end) && end == pl_journal_end(journal));
    CHECK(try_put(journal, 2, 20, PL_JOURNAL_GROW, &second) == 0 && second == end);
    CHECK(!pl_journal_seal(journal, true, &end)); /* one batch at a time */
    CHECK(pl_journal_run_sync(journal, NULL) == 0);
    CHECK(pl_journal_durable(journal) == 0);
    pl_journal_end_sync(journal, 0);
    CHECK(pl_journal_durable(journal) == second && pl_journal_end(journal) > second);
    CHECK(pl_journal_written(journal) == second);
    flush(journal);
    CHECK(!pl_journal_seal(journal, true, &end));
    pl_journal_close(journal);
}

static void a_batch_sealed_without_sync_is_written_and_not_durable(void)
{
    struct pl_journal *journal = create();
    uint64_t end;

    put(journal, 1, 20);
    CHECK(pl_journal_seal(journal, false, &end));
    fault_disk_fail(&fault, FAULT_SYNC, 0, false, PL_EIO);
    CHECK(pl_journal_run_sync(journal, NULL) == 0);
    pl_journal_end_sync(journal, 0);
    CHECK(fault.count == 0 && pl_journal_written(journal) == end && pl_journal_durable(journal) == 0);
    CHECK(!pl_journal_seal(journal, false, &end));
    CHECK(pl_journal_seal(journal, true, &end)); /* nothing to write, something to sync */
    CHECK(pl_journal_run_sync(journal, NULL) == 0);
    pl_journal_end_sync(journal, 0);
    CHECK(fault.count == 1 && pl_journal_durable(journal) == end);
    pl_journal_close(journal);
}

static void what_was_not_sealed_is_not_there_later(void)
{
    struct pl_journal *journal = create();
    struct seen seen;

    put(journal, 1, 20);
    flush(journal);
    put(journal, 2, 40000); /* takes a spare, which stays on disk */
    journal = reopen(journal, &seen);
    CHECK(seen.count == 1 && seen.ids[0] == 1);
    put(journal, 3, 50000);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 2 && seen.ids[1] == 3);
    pl_journal_close(journal);
}

static void a_record_larger_than_a_segment_gets_a_larger_one(void)
{
    struct pl_journal *journal = create();
    struct seen seen;

    put(journal, 1, 100);
    put(journal, 2, 3 * SEGMENT);
    put(journal, 3, 100);
    flush(journal);
    put(journal, 4, 2 * SEGMENT);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 4 && seen.ids[1] == 2 && seen.ids[3] == 4);
    CHECK(try_put(journal, 5, (size_t)PL_JOURNAL_PAYLOAD_MAX + 1, PL_JOURNAL_GROW, NULL) == PL_EINVALID);
    pl_journal_close(journal);
}

static void segments_grow_up_to_their_full_size(void)
{
    struct pl_journal *journal = create();
    static char bytes[SEGMENT];

    for (uint64_t id = 0; id < 200; id++) {
        put(journal, id, 1000);
        flush(journal);
    }
    read_segment(1, bytes, FIRST);
    CHECK(pl_get_le64(bytes + 40) == FIRST);
    read_segment(3, bytes, SEGMENT);
    CHECK(pl_get_le64(bytes + 40) == SEGMENT);
    pl_journal_close(journal);
}

static void a_journal_is_not_made_over_another(void)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = create(), *other = NULL;

    CHECK(pl_journal_create(dir.path, &o, &other, NULL) == PL_EINUSE && other == NULL);
    pl_journal_close(journal);
    scratch_dir_empty(&dir);
    CHECK(open_result(NULL) == PL_ENOTFOUND);
}

/* ---- Trimming and recycling ---- */

static void trimmed_segments_are_used_again_and_their_past_stays_past(void)
{
    struct pl_journal *journal = create();
    struct seen seen;
    uint64_t id = 0, position = 0;

    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 15; i++) {
            CHECK(try_put(journal, id++, 4000, PL_JOURNAL_GROW, &position) == 0);
            flush(journal);
            if (pl_journal_wants_prepare(journal))
                CHECK(pl_journal_prepare(journal, NULL) == 0);
        }
        pl_journal_trim(journal, position);
        CHECK(pl_journal_start(journal) <= position);
        CHECK(pl_journal_prepare(journal, NULL) == 0);
        journal = reopen(journal, &seen);
        CHECK(seen.count > 0 && seen.count <= 16 && seen.ids[seen.count - 1] == id - 1);
        for (size_t i = 1; i < seen.count; i++)
            CHECK(seen.ids[i] == seen.ids[i - 1] + 1);
    }
    CHECK(!exists(1, ".journal"));
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
}

static void at_most_two_spares_are_kept(void)
{
    struct pl_journal *journal = create();
    struct pl_names names = { 0 };
    size_t spares = 0;

    fill_segments(journal, 200);
    pl_journal_trim(journal, pl_journal_end(journal));
    CHECK(pl_journal_wants_prepare(journal));
    CHECK(pl_journal_prepare(journal, NULL) == 0);
    CHECK(pl_disk_list(&fault.disk, dir.path, &names, NULL) == 0);
    for (size_t i = 0; i < names.count; i++)
        spares += strstr(names.names[i], ".reserve") != NULL;
    CHECK(spares == 2 && names.count == 3);
    pl_names_deinit(&names);
    pl_journal_close(journal);
}

static void a_crash_between_end_and_next_segment_loses_nothing(void)
{
    struct pl_journal *journal = create();
    struct seen seen;
    uint64_t end;

    fill_segments(journal, 2);
    put(journal, 2, 4000);
    put(journal, 3, 4000);
    CHECK(pl_journal_seal(journal, true, &end));
    fault_disk_fail(&fault, FAULT_RENAME, 1, true, PL_EIO); /* END is synced, the next has no name */
    CHECK(pl_journal_run_sync(journal, NULL) == PL_EIO);
    pl_journal_end_sync(journal, PL_EIO);
    fault_disk_heal(&fault);
    journal = reopen(journal, &seen);
    CHECK(seen.count >= 2 && seen.count <= 3);
    put(journal, 9, 4000);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.ids[seen.count - 1] == 9);
    pl_journal_close(journal);
}

/* ---- Cursors ---- */

static void a_cursor_follows_through_segments(void)
{
    struct pl_journal *journal = create();
    struct pl_journal_cursor *cursor;
    struct pl_journal_record record;
    uint64_t id = 0, read = 0, middle = 0;

    CHECK(pl_journal_cursor_open(journal, 0, &cursor, NULL) == 0);
    CHECK(pl_journal_cursor_next(cursor, &record, NULL) == PL_ENOTFOUND);
    for (int turn = 0; turn < 60; turn++) {
        for (int i = 0; i < 3; i++) {
            uint64_t position;

            CHECK(try_put(journal, id, 100 + id % 9 * 500, PL_JOURNAL_GROW, &position) == 0);
            if (++id == 90)
                middle = position;
        }
        CHECK(pl_journal_cursor_next(cursor, &record, NULL) == PL_ENOTFOUND); /* not before it is written */
        flush(journal);
        while (pl_journal_cursor_next(cursor, &record, NULL) == 0)
            CHECK(pl_get_le64(record.payload.data) == read++ && record.partition == 3);
        CHECK(read == id && pl_journal_cursor_position(cursor) == pl_journal_end(journal));
    }
    pl_journal_cursor_close(cursor);
    CHECK(pl_journal_cursor_open(journal, middle, &cursor, NULL) == 0);
    CHECK(pl_journal_cursor_next(cursor, &record, NULL) == 0 && pl_get_le64(record.payload.data) == 89);
    pl_journal_trim(journal, pl_journal_end(journal));
    CHECK(pl_journal_cursor_next(cursor, &record, NULL) == PL_ECLOSED);
    pl_journal_cursor_close(cursor);
    CHECK(pl_journal_cursor_open(journal, middle, &cursor, NULL) == PL_ENOTFOUND);
    CHECK(pl_journal_cursor_open(journal, pl_journal_end(journal) + 8, &cursor, NULL) == PL_ENOTFOUND);
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
}

static void a_cursor_names_rot(void)
{
    struct pl_journal *journal = create();
    struct pl_journal_cursor *cursor;
    struct pl_journal_record record;
    struct pl_reason why = { 0 };

    put(journal, 1, 100);
    flush(journal);
    write_segment(1, "rot", 3, PL_JOURNAL_DATA_OFFSET + 70);
    CHECK(pl_journal_cursor_open(journal, 0, &cursor, NULL) == 0);
    CHECK(pl_journal_cursor_next(cursor, &record, &why) == PL_ECORRUPT);
    CHECK(strstr(why.text, "0000000000000001.journal") != NULL);
    pl_journal_cursor_close(cursor);
    pl_journal_close(journal);
}

static int refuse(void *arg, const struct pl_journal_record *record)
{
    (void)arg;
    return record->kind == PL_JOURNAL_CHANGE && record->payload.len == 0 ? PL_EREJECTED : 0;
}

static void a_visitor_may_end_the_opening(void)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = create();
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE };

    CHECK(pl_journal_append(journal, &record, PL_JOURNAL_SHRINK, NULL, NULL) ==
          0); /* no payload is a payload */
    flush(journal);
    pl_journal_close(journal);
    journal = NULL;
    CHECK(pl_journal_open(dir.path, &o, refuse, NULL, &journal, NULL) == PL_EREJECTED && journal == NULL);
    CHECK(fault.open_files == 0);
}

int main(void)
{
    dir = scratch_dir_make();
    RUN(records_come_back_in_order);
    RUN(nothing_is_durable_before_its_batch_has_ended);
    RUN(a_batch_sealed_without_sync_is_written_and_not_durable);
    RUN(what_was_not_sealed_is_not_there_later);
    RUN(a_record_larger_than_a_segment_gets_a_larger_one);
    RUN(segments_grow_up_to_their_full_size);
    RUN(a_journal_is_not_made_over_another);
    RUN(trimmed_segments_are_used_again_and_their_past_stays_past);
    RUN(at_most_two_spares_are_kept);
    RUN(a_crash_between_end_and_next_segment_loses_nothing);
    RUN(a_cursor_follows_through_segments);
    RUN(a_cursor_names_rot);
    RUN(a_visitor_may_end_the_opening);
    scratch_dir_remove(&dir);
    return test_summary();
}
