/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of a journal's life fails in turn, once and for good: nothing leaks and nothing durable
 * is lost.
 */
#include "scratch_dir.h"
#include "store/journal.h"
#include "test.h"
#include "wrapped_allocation.h"

enum { SEGMENT = 32 << 10, FIRST = 8 << 10 };

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

static uint64_t calls, fail_at;
static bool for_good;
static struct scratch_dir dir;

static bool allocation_fails(void)
{
    if (fail_at == 0)
        return false;
    calls++;
    return calls == fail_at || (for_good && calls > fail_at);
}

char *__wrap_strdup(const char *text)
{
    return allocation_fails() ? NULL : __real_strdup(text);
}

static uint64_t four(void *state)
{
    (void)state;
    return 4;
}

/* One life: ids that were said to be durable, and the next one. */
struct life {
    uint64_t appended[512];
    uint64_t ends[512];
    size_t count;
    size_t durable;
};

static void append(struct pl_journal *journal, struct life *life)
{
    static char payload[3000];
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE,
                                        .payload = pl_bytes(payload, sizeof payload) };
    uint64_t before = pl_journal_end(journal), id = life->count;

    pl_put_le64(payload, id);
    if (pl_journal_append(journal, &record, PL_JOURNAL_GROW, NULL, NULL) != 0) {
        CHECK(pl_journal_end(journal) == before); /* as if it had not been asked for */
        return;
    }
    life->appended[life->count] = id;
    life->ends[life->count++] = pl_journal_end(journal);
}

static void turn(struct pl_journal *journal, struct life *life)
{
    uint64_t end;

    for (int i = 0; i < 3; i++)
        append(journal, life);
    if (pl_journal_seal(journal, true, &end))
        pl_journal_end_sync(journal, pl_journal_run_sync(journal, NULL));
    while (life->durable < life->count && life->ends[life->durable] <= pl_journal_durable(journal))
        life->durable++;
    if (pl_journal_wants_prepare(journal))
        (void)pl_journal_prepare(journal, NULL);
}

static void read_all(struct pl_journal *journal)
{
    struct pl_journal_cursor *cursor;
    struct pl_journal_record record;

    if (pl_journal_cursor_open(journal, pl_journal_start(journal), &cursor, NULL) != 0)
        return;
    while (pl_journal_cursor_next(cursor, &record, NULL) == 0)
        continue;
    pl_journal_cursor_close(cursor);
}

static void live(const struct pl_journal_options *options, struct life *life)
{
    struct pl_journal *journal = NULL;

    if (pl_journal_create(dir.path, options, &journal, NULL) != 0)
        return;
    for (int i = 0; i < 12; i++)
        turn(journal, life);
    read_all(journal);
    pl_journal_close(journal);
    journal = NULL;
    if (pl_journal_open(dir.path, options, NULL, NULL, &journal, NULL) != 0)
        return;
    pl_journal_trim(journal, pl_journal_start(journal));
    pl_journal_close(journal);
}

struct seen {
    const struct life *life;
    size_t next;
};

static int see(void *arg, const struct pl_journal_record *record)
{
    struct seen *seen = arg;

    CHECK(seen->next < seen->life->count);
    CHECK(pl_get_le64(record->payload.data) == seen->life->appended[seen->next]);
    seen->next++;
    return 0;
}

static void fail_each(void)
{
    struct pl_disk disk = pl_disk_system();
    struct pl_journal_options options = {
        .disk = &disk, .random = { .next = four }, .segment_bytes = SEGMENT, .first_segment_bytes = FIRST
    };
    uint64_t n = 0;

    do {
        static struct life life;
        struct pl_journal *journal = NULL;
        struct seen seen = { .life = &life };
        int rc;

        fail_at = 0;
        scratch_dir_empty(&dir);
        life = (struct life){ 0 };
        calls = 0;
        fail_at = ++n;
        live(&options, &life);
        fail_at = 0;
        rc = pl_journal_open(dir.path, &options, see, &seen, &journal, NULL);
        CHECK_MSG(rc == 0 || (rc == PL_ENOTFOUND && life.count == 0), "allocation %d", (int)n);
        CHECK_MSG(seen.next >= life.durable, "allocation %d", (int)n);
        pl_journal_close(journal);
    } while (calls >= n);
    CHECK(n > 50);
}

static void without_memory_once_nothing_is_lost(void)
{
    for_good = false;
    fail_each();
}

static void without_memory_for_good_nothing_is_lost(void)
{
    for_good = true;
    fail_each();
}

int main(void)
{
    dir = scratch_dir_make();
    RUN(without_memory_once_nothing_is_lost);
    RUN(without_memory_for_good_nothing_is_lost);
    scratch_dir_remove(&dir);
    return test_summary();
}
