/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include "fault_disk.h"
#include "scratch_dir.h"
#include "store/journal_record.h"
#include "test.h"

#include <xxhash.h>

enum { SEGMENT = 64 << 10, FIRST = 16 << 10, RECORDS_MAX = 4096 };

static struct fault_disk fault;
static struct scratch_dir dir;

/* What a journal showed: the number at the front of each payload. */
struct seen {
    uint64_t ids[RECORDS_MAX];
    size_t count;
};

static int see(void *arg, const struct pl_journal_record *record)
{
    struct seen *seen = arg;

    if (record->kind == PL_JOURNAL_MARK)
        return 0;
    CHECK(record->payload.len >= 8 && seen->count < RECORDS_MAX);
    seen->ids[seen->count++] = pl_get_le64(record->payload.data);
    for (size_t i = 8; i < record->payload.len; i++)
        CHECK(record->payload.data[i] == (char)(seen->ids[seen->count - 1] + i));
    return 0;
}

static uint64_t counting(void *state)
{
    return ++*(uint64_t *)state;
}

static struct pl_journal_options options(void)
{
    static uint64_t identity = 99;

    return (struct pl_journal_options){
        .disk = &fault.disk,
        .random = { .next = counting, .state = &identity },
        .segment_bytes = SEGMENT,
        .first_segment_bytes = FIRST,
    };
}

static struct pl_journal *create(void)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;

    scratch_dir_empty(&dir);
    fault_disk_init(&fault, pl_disk_system());
    CHECK(pl_journal_create(dir.path, &o, &journal, NULL) == 0);
    return journal;
}

static struct pl_journal *reopen(struct pl_journal *journal, struct seen *seen)
{
    struct pl_journal_options o = options();
    struct pl_reason why = { 0 };
    int rc;

    pl_journal_close(journal);
    journal = NULL;
    if (seen != NULL)
        seen->count = 0;
    rc = pl_journal_open(dir.path, &o, seen != NULL ? see : NULL, seen, &journal, &why);
    CHECK_MSG(rc == 0, "%s: %s", pl_error_name(rc), why.text);
    return journal;
}

static int try_put(struct pl_journal *journal, uint64_t id, size_t len, enum pl_journal_use use,
                   uint64_t *position)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE, .partition = 3, .index = id, .term = 1 };
    char *payload = malloc(len);
    int rc;

    CHECK(payload != NULL && len >= 8);
    pl_put_le64(payload, id);
    for (size_t i = 8; i < len; i++)
        payload[i] = (char)(id + i);
    record.payload = pl_bytes(payload, len);
    rc = pl_journal_append(journal, &record, use, position, NULL);
    free(payload);
    return rc;
}

static void put(struct pl_journal *journal, uint64_t id, size_t len)
{
    CHECK(try_put(journal, id, len, PL_JOURNAL_GROW, NULL) == 0);
}

static int try_flush(struct pl_journal *journal)
{
    uint64_t end;
    int rc;

    if (!pl_journal_seal(journal, true, &end))
        return 0;
    rc = pl_journal_run_sync(journal, NULL);
    pl_journal_end_sync(journal, rc);
    return rc;
}

static void flush(struct pl_journal *journal)
{
    CHECK(try_flush(journal) == 0);
    CHECK(pl_journal_durable(journal) == pl_journal_end(journal));
}

static char *segment_path(uint64_t number, const char *suffix)
{
    char name[64], *path;

    snprintf(name, sizeof name, "%016llx%s", (unsigned long long)number, suffix);
    path = pl_disk_join(dir.path, name);
    CHECK(path != NULL);
    return path;
}

static void read_segment(uint64_t number, char *bytes, size_t len)
{
    char *path = segment_path(number, ".journal");
    FILE *in = fopen(path, "rb");

    CHECK(in != NULL && fread(bytes, 1, len, in) == len);
    fclose(in);
    free(path);
}

static void write_segment(uint64_t number, const char *bytes, size_t len, size_t offset)
{
    char *path = segment_path(number, ".journal");
    FILE *out = fopen(path, "r+b");

    CHECK(out != NULL && fseek(out, (long)offset, SEEK_SET) == 0 && fwrite(bytes, 1, len, out) == len);
    fclose(out);
    free(path);
}

static bool exists(uint64_t number, const char *suffix)
{
    char *path = segment_path(number, suffix);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

static int open_result(struct pl_reason *why)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;
    int rc = pl_journal_open(dir.path, &o, NULL, NULL, &journal, why);

    CHECK((rc == 0) == (journal != NULL));
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
    return rc;
}

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
    CHECK(pl_journal_unwritten_bytes(journal) == pl_journal_end(journal) - second);
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

static uint64_t fill_segments(struct pl_journal *journal, uint64_t count)
{
    for (uint64_t id = 0; id < count; id++) {
        put(journal, id, 4000);
        flush(journal);
    }
    return count;
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

/* ---- Failing disks ---- */

static void a_failed_sync_is_final(void)
{
    struct pl_journal *journal = create();
    struct pl_reason why = { 0 };
    struct seen seen;
    uint64_t end;

    put(journal, 1, 100);
    flush(journal);
    put(journal, 2, 100);
    CHECK(pl_journal_seal(journal, true, &end));
    put(journal, 3, 100);
    fault_disk_fail(&fault, FAULT_SYNC, 1, false, PL_EIO);
    CHECK(pl_journal_run_sync(journal, &why) == PL_EIO && why.text[0] != '\0');
    pl_journal_end_sync(journal, PL_EIO);
    CHECK(pl_journal_failed(journal) && pl_journal_durable(journal) < end);
    CHECK(!pl_journal_seal(journal, true, &end));
    CHECK(try_put(journal, 4, 100, PL_JOURNAL_SHRINK, NULL) == PL_EREADONLY);
    CHECK(pl_journal_mark(journal) == PL_EREADONLY && pl_journal_prepare(journal, NULL) == PL_EREADONLY);
    journal = reopen(journal, &seen);
    CHECK(seen.count >= 1 && seen.count <= 2); /* 2 may or may not have happened; 3 did not */
    pl_journal_close(journal);
}

static void a_full_disk_stops_puts_keeps_deletes_and_passes(void)
{
    struct pl_journal *journal = create();
    uint64_t id = 0, deletes = 0;
    struct seen seen;
    int rc;

    fill_segments(journal, 30);
    fault.free_bytes = 1000;
    while ((rc = try_put(journal, id++, 1000, PL_JOURNAL_GROW, NULL)) == 0)
        flush(journal);
    CHECK(rc == PL_EFULL && pl_journal_full(journal) && !pl_journal_failed(journal));
    CHECK(try_put(journal, id, 1000, PL_JOURNAL_GROW, NULL) == PL_EFULL);
    while (try_put(journal, 5000 + deletes, 100, PL_JOURNAL_SHRINK, NULL) == 0) {
        flush(journal);
        deletes++;
    }
    CHECK(deletes > 30);
    CHECK(pl_journal_prepare(journal, NULL) == PL_EFULL && !pl_journal_wants_prepare(journal));
    pl_journal_trim(journal, pl_journal_end(journal)); /* a checkpoint was made */
    CHECK(pl_journal_wants_prepare(journal) && pl_journal_prepare(journal, NULL) == 0);
    CHECK(!pl_journal_full(journal));
    put(journal, 9000, 1000);
    flush(journal);
    fault.free_bytes = 0;
    journal = reopen(journal, &seen);
    CHECK(seen.ids[seen.count - 1] == 9000);
    pl_journal_close(journal);
}

static void a_journal_on_a_full_disk_opens_and_reads(void)
{
    struct pl_journal *journal = create();
    struct seen seen;

    fill_segments(journal, 30);
    fault_disk_fail(&fault, FAULT_ALLOCATE, 1, true, PL_EFULL);
    journal = reopen(journal, &seen);
    CHECK(seen.count == 30);
    pl_journal_close(journal);
}

/* What a run under a failing disk was told. */
struct told {
    struct {
        uint64_t id;
        uint64_t end;
        bool durable; /* the journal said so */
        bool trimmed; /* and may be gone since */
    } appended[RECORDS_MAX];
    size_t count;
};

static void note_durable(struct told *told, size_t from, uint64_t durable)
{
    for (size_t i = from; i < told->count && told->appended[i].end <= durable; i++)
        told->appended[i].durable = true;
}

static void note_trimmed(struct told *told, uint64_t start)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->appended[i].end <= start)
            told->appended[i].trimmed = true;
}

/* One life of a journal, until it is closed or will not go on. */
static void live(struct pl_journal *journal, struct told *told, size_t turns)
{
    size_t first = told->count;

    for (size_t turn = 0; turn < turns && !pl_journal_failed(journal); turn++) {
        for (int i = 0; i < 3; i++) {
            uint64_t id = told->count;

            if (try_put(journal, id, 700 + id % 5 * 300, PL_JOURNAL_GROW, NULL) != 0)
                continue;
            told->appended[told->count].id = id;
            told->appended[told->count++].end = pl_journal_end(journal);
        }
        (void)try_flush(journal);
        note_durable(told, first, pl_journal_durable(journal));
        if (turn % 8 == 7) {
            pl_journal_trim(journal, pl_journal_durable(journal));
            note_trimmed(told, pl_journal_start(journal));
        }
        if (turn % 5 == 4)
            (void)pl_journal_mark(journal);
        if (pl_journal_wants_prepare(journal))
            (void)pl_journal_prepare(journal, NULL);
    }
    pl_journal_close(journal);
}

static void live_twice(struct told *told)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;

    if (pl_journal_create(dir.path, &o, &journal, NULL) != 0)
        return;
    live(journal, told, 24);
    if (pl_journal_open(dir.path, &o, NULL, NULL, &journal, NULL) != 0)
        return;
    live(journal, told, 10);
}

/* Everything acknowledged and not trimmed is there, in order, and nothing that was never appended. */
static void check_told(const struct told *told, const char *what, uint64_t n)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;
    struct pl_reason why = { 0 };
    struct seen seen = { 0 };
    size_t next = 0;
    int rc = pl_journal_open(dir.path, &o, see, &seen, &journal, &why);

    if (rc == PL_ENOTFOUND && told->count == 0)
        return;
    CHECK_MSG(rc == 0, "%s %d: %s", what, (int)n, why.text);
    pl_journal_close(journal);
    for (size_t i = 0; i < told->count; i++) {
        bool there = next < seen.count && seen.ids[next] == told->appended[i].id;

        next += there;
        CHECK_MSG(there || told->appended[i].trimmed || !told->appended[i].durable, "%s %d: %d is lost", what,
                  (int)n, (int)told->appended[i].id);
    }
    CHECK_MSG(next == seen.count, "%s %d: something unknown is there", what, (int)n);
}

static void fail_every_call(unsigned calls, bool for_good, bool half, int rc, const char *what)
{
    static struct told told;
    uint64_t n = 0;

    do {
        n++;
        scratch_dir_empty(&dir);
        fault_disk_init(&fault, pl_disk_system());
        fault.half = half;
        fault_disk_fail(&fault, calls, n, for_good, rc);
        told = (struct told){ 0 };
        live_twice(&told);
        CHECK(fault.open_files == 0);
        fault_disk_heal(&fault);
        check_told(&told, what, n);
    } while (fault.failures > 0);
    CHECK(n > 2);
}

static void whatever_call_fails_once_nothing_acknowledged_is_lost(void)
{
    fail_every_call(FAULT_ANY, false, false, PL_EIO, "EIO once");
    fail_every_call(FAULT_ANY, false, true, PL_EFULL, "EFULL once");
}

static void whatever_call_fails_for_good_nothing_acknowledged_is_lost(void)
{
    fail_every_call(FAULT_ANY, true, true, PL_EIO, "EIO for good");
    fail_every_call(FAULT_ALLOCATE | FAULT_WRITE, true, true, PL_EFULL, "EFULL for good");
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
    return record->kind == PL_JOURNAL_NOTE && record->payload.len == 0 ? PL_EREJECTED : 0;
}

static void a_visitor_may_end_the_opening(void)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = create();
    struct pl_journal_record record = { .kind = PL_JOURNAL_NOTE };

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
    RUN(trimmed_segments_are_used_again_and_their_past_stays_past);
    RUN(at_most_two_spares_are_kept);
    RUN(a_crash_between_end_and_next_segment_loses_nothing);
    RUN(a_failed_sync_is_final);
    RUN(a_full_disk_stops_puts_keeps_deletes_and_passes);
    RUN(a_journal_on_a_full_disk_opens_and_reads);
    RUN(whatever_call_fails_once_nothing_acknowledged_is_lost);
    RUN(whatever_call_fails_for_good_nothing_acknowledged_is_lost);
    RUN(a_cursor_follows_through_segments);
    RUN(a_cursor_names_rot);
    RUN(a_visitor_may_end_the_opening);
    scratch_dir_remove(&dir);
    return test_summary();
}
