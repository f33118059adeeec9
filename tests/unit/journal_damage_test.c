/* SPDX-License-Identifier: MIT */
/* What may be cut and what must not: torn tails, flipped bits, missing and foreign files. */
#include "journal_fixture.h"

#include <xxhash.h>

/* ---- Torn tails ---- */

/* Three records known durable, then a batch of three that nobody says so of. */
static void write_two_batches(struct pl_journal *journal, uint64_t *from, uint64_t *to)
{
    for (uint64_t id = 1; id <= 3; id++)
        put(journal, id, 40);
    flush(journal);
    *from = pl_journal_end(journal);
    for (uint64_t id = 4; id <= 6; id++)
        put(journal, id, 40);
    flush(journal);
    *to = pl_journal_end(journal);
}

static void a_tail_torn_at_any_byte_is_cut_at_a_record_and_stays_cut(void)
{
    struct pl_journal *journal = create();
    static char whole[FIRST], torn[FIRST];
    uint64_t from, to;
    struct seen seen;

    write_two_batches(journal, &from, &to);
    pl_journal_close(journal);
    read_segment(1, whole, FIRST);
    for (uint64_t cut = from; cut < to; cut++) {
        size_t kept = (size_t)(3 + (cut - from) / 96);

        memcpy(torn, whole, FIRST);
        memset(torn + PL_JOURNAL_DATA_OFFSET + cut, 0xA5, to - cut);
        write_segment(1, torn, FIRST, 0);
        journal = reopen(NULL, &seen);
        CHECK_MSG(seen.count == kept, "cut at %d: %zu", (int)cut, seen.count);
        put(journal, 77, 40);
        flush(journal);
        journal = reopen(journal, &seen);
        CHECK(seen.count == kept + 1 && seen.ids[kept] == 77);
        pl_journal_close(journal);
    }
}

static void a_hole_in_the_last_batch_hides_what_follows_for_ever(void)
{
    struct pl_journal *journal = create();
    static const char zeros[96];
    uint64_t from, to;
    struct seen seen;

    write_two_batches(journal, &from, &to);
    pl_journal_close(journal);
    write_segment(1, zeros, 96, PL_JOURNAL_DATA_OFFSET + from);
    journal = reopen(NULL, &seen);
    CHECK(seen.count == 3);
    put(journal, 44, 40); /* as long as what was lost: 5 follows it on disk, whole and sound */
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 4 && seen.ids[3] == 44);
    pl_journal_close(journal);
}

static void an_opening_that_was_cut_itself_leaves_nothing_to_the_next(void)
{
    struct pl_journal *journal = create();
    static const char zeros[96];
    struct seen seen;
    uint64_t at;

    put(journal, 1, 40);
    flush(journal);
    journal = reopen(journal, &seen);
    at = pl_journal_end(journal);
    put(journal, 2, 40);
    put(journal, 3, 40);
    flush(journal);
    pl_journal_close(journal);
    write_segment(1, zeros, 96, PL_JOURNAL_DATA_OFFSET + at);
    journal = reopen(NULL, &seen); /* must not call itself by the number that 3 bears */
    CHECK(seen.count == 1);
    put(journal, 4, 40);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 2 && seen.ids[1] == 4);
    pl_journal_close(journal);
}

static void a_scan_changes_nothing_and_names_the_torn_tail(void)
{
    struct pl_journal *journal = create();
    static char before[FIRST], after[FIRST];
    static const char zeros[96];
    struct pl_journal_extent extent;
    uint64_t from, to;

    write_two_batches(journal, &from, &to);
    pl_journal_close(journal);
    CHECK(pl_journal_scan(&fault.disk, dir.path, NULL, NULL, &extent, NULL) == 0);
    CHECK(extent.start == 0 && extent.end == to && extent.records == 6 && extent.torn_bytes == 0);
    write_segment(1, zeros, 96, PL_JOURNAL_DATA_OFFSET + from);
    read_segment(1, before, FIRST);
    CHECK(pl_journal_scan(&fault.disk, dir.path, NULL, NULL, &extent, NULL) == 0);
    CHECK(extent.end == from && extent.records == 3 && extent.torn_bytes > 0);
    read_segment(1, after, FIRST);
    CHECK(memcmp(before, after, FIRST) == 0);
}

/* ---- Damage ---- */

static void a_flipped_bit_in_what_is_known_durable_is_never_cut(void)
{
    struct pl_journal *journal = create();
    static char whole[FIRST];
    uint64_t from, to;

    write_two_batches(journal, &from, &to);
    CHECK(pl_journal_mark(journal) == 0); /* says that the second batch is durable, too */
    flush(journal);
    CHECK(pl_journal_mark(journal) == 0);
    CHECK(pl_journal_end(journal) == pl_journal_durable(journal)); /* and need not be said twice */
    pl_journal_close(journal);
    read_segment(1, whole, FIRST);
    for (uint64_t at = PL_JOURNAL_DATA_OFFSET; at < PL_JOURNAL_DATA_OFFSET + to; at++) {
        struct pl_reason why = { 0 };
        char flipped = whole[at] ^ (char)(1 << at % 8);

        write_segment(1, &flipped, 1, at);
        CHECK_MSG(open_result(&why) == PL_ECORRUPT, "offset %d", (int)at);
        CHECK(strstr(why.text, "0000000000000001.journal") != NULL && strstr(why.text, "offset") != NULL);
        write_segment(1, &whole[at], 1, at);
    }
    CHECK(open_result(NULL) == 0);
}

static void a_flipped_bit_in_a_header_is_never_overlooked(void)
{
    struct pl_journal *journal = create();
    char header[PL_JOURNAL_SEGMENT_HEADER_BYTES];

    put(journal, 1, 100);
    flush(journal);
    pl_journal_close(journal);
    read_segment(1, header, sizeof header);
    for (size_t at = 0; at < sizeof header; at++) {
        char flipped = header[at] ^ 16;

        write_segment(1, &flipped, 1, at);
        CHECK(open_result(NULL) == PL_ECORRUPT);
        write_segment(1, &header[at], 1, at);
    }
    CHECK(open_result(NULL) == 0);
}

static void a_bad_record_in_an_earlier_segment_is_damage_and_can_be_cut(void)
{
    struct pl_journal *journal = create();
    struct pl_reason why = { 0 };
    struct seen seen;
    uint64_t end;

    fill_segments(journal, 60);
    pl_journal_close(journal);
    write_segment(2, "X", 1, PL_JOURNAL_DATA_OFFSET + 5000);
    CHECK(open_result(&why) == PL_ECORRUPT);
    CHECK(strstr(why.text, "0000000000000002.journal is damaged at offset 8152") != NULL);
    CHECK(pl_journal_cut(&fault.disk, dir.path, &end, NULL) == 0);
    CHECK(exists(3, ".damaged") && !exists(3, ".journal"));
    journal = reopen(NULL, &seen);
    CHECK(end == pl_journal_end(journal) && seen.count == 4);
    put(journal, 100, 4000);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 5 && seen.ids[4] == 100);
    pl_journal_close(journal);
    CHECK(pl_journal_cut(&fault.disk, dir.path, &end, NULL) == 0); /* a sound one is left alone */
    journal = reopen(NULL, &seen);
    CHECK(seen.count == 5);
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
}

static void a_missing_segment_is_damage_and_can_be_cut(void)
{
    struct pl_journal *journal = create();
    struct pl_reason why = { 0 };
    struct seen seen;
    uint64_t end;
    char *path;

    fill_segments(journal, 60);
    pl_journal_close(journal);
    path = segment_path(2, ".journal");
    CHECK(unlink(path) == 0);
    free(path);
    CHECK(open_result(&why) == PL_ECORRUPT);
    CHECK(strstr(why.text, "0000000000000002.journal is missing") != NULL);
    CHECK(pl_journal_cut(&fault.disk, dir.path, &end, NULL) == 0);
    journal = reopen(NULL, &seen);
    CHECK(seen.count == 3);
    put(journal, 100, 4000);
    flush(journal);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 4 && seen.ids[3] == 100);
    pl_journal_close(journal);
}

static void a_header_damaged_or_of_another_journal_is_damage(void)
{
    struct pl_journal *journal = create();
    static char foreign[FIRST];

    read_segment(1, foreign, FIRST);
    pl_journal_close(journal);
    journal = create();
    fill_segments(journal, 60);
    pl_journal_close(journal);
    for (uint64_t number = 1; number <= 4; number++) {
        char header[PL_JOURNAL_SEGMENT_HEADER_BYTES];

        read_segment(number, header, sizeof header);
        write_segment(number, "?", 1, 9);
        CHECK(open_result(NULL) == PL_ECORRUPT);
        write_segment(number, foreign, sizeof header, 0);
        CHECK(open_result(NULL) == PL_ECORRUPT);
        write_segment(number, header, sizeof header, 0);
    }
    CHECK(open_result(NULL) == 0);
}

static void a_shortened_file_is_damage(void)
{
    struct pl_journal *journal = create();
    char *path = segment_path(1, ".journal");

    put(journal, 1, 100);
    flush(journal);
    pl_journal_close(journal);
    CHECK(truncate(path, 5000) == 0);
    CHECK(open_result(NULL) == PL_ECORRUPT);
    CHECK(truncate(path, 10) == 0);
    CHECK(open_result(NULL) == PL_ECORRUPT);
    free(path);
}

static void a_newer_format_is_named_and_left_alone(void)
{
    struct pl_journal *journal = create();
    struct pl_reason why = { 0 };
    char header[PL_JOURNAL_SEGMENT_HEADER_BYTES];

    pl_journal_close(journal);
    read_segment(1, header, sizeof header);
    pl_put_le32(header + 8, 2);
    pl_put_le64(header + 56, XXH3_64bits(header, 56));
    write_segment(1, header, sizeof header, 0);
    CHECK(open_result(&why) == PL_EFORMAT);
    CHECK(strstr(why.text, "format 2") != NULL);
}

static void a_damaged_end_loses_nothing(void)
{
    struct pl_journal *journal = create();
    struct seen seen;
    static char bytes[FIRST];
    uint64_t at = 0;

    fill_segments(journal, 10);
    pl_journal_close(journal);
    read_segment(1, bytes, FIRST);
    for (uint64_t offset = PL_JOURNAL_DATA_OFFSET; offset + 56 < FIRST; offset += 8)
        if (bytes[offset + 12] == PL_JOURNAL_END &&
            pl_get_le64(bytes + offset + 32) == offset - PL_JOURNAL_DATA_OFFSET)
            at = offset;
    CHECK(at != 0);
    write_segment(1, "????????", 8, at);
    journal = reopen(NULL, &seen);
    CHECK(seen.count == 10);
    pl_journal_close(journal);
}

int main(void)
{
    dir = scratch_dir_make();
    RUN(a_tail_torn_at_any_byte_is_cut_at_a_record_and_stays_cut);
    RUN(a_hole_in_the_last_batch_hides_what_follows_for_ever);
    RUN(an_opening_that_was_cut_itself_leaves_nothing_to_the_next);
    RUN(a_scan_changes_nothing_and_names_the_torn_tail);
    RUN(a_flipped_bit_in_what_is_known_durable_is_never_cut);
    RUN(a_flipped_bit_in_a_header_is_never_overlooked);
    RUN(a_bad_record_in_an_earlier_segment_is_damage_and_can_be_cut);
    RUN(a_missing_segment_is_damage_and_can_be_cut);
    RUN(a_header_damaged_or_of_another_journal_is_damage);
    RUN(a_shortened_file_is_damage);
    RUN(a_newer_format_is_named_and_left_alone);
    RUN(a_damaged_end_loses_nothing);
    scratch_dir_remove(&dir);
    return test_summary();
}
