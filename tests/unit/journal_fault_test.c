/* SPDX-License-Identifier: MIT */
/* The journal on a disk whose calls fail. */
#include "journal_fixture.h"

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

int main(void)
{
    dir = scratch_dir_make();
    RUN(a_failed_sync_is_final);
    RUN(a_full_disk_stops_puts_keeps_deletes_and_passes);
    RUN(a_journal_on_a_full_disk_opens_and_reads);
    RUN(whatever_call_fails_once_nothing_acknowledged_is_lost);
    RUN(whatever_call_fails_for_good_nothing_acknowledged_is_lost);
    scratch_dir_remove(&dir);
    return test_summary();
}
