/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_JOURNAL_FIXTURE_H
#define PL_TESTS_UNIT_JOURNAL_FIXTURE_H

#include "fault_disk.h"
#include "scratch_dir.h"
#include "store/journal.h"
#include "store/journal_record.h"
#include "test.h"

/** What the journal's tests share: a small journal on a disk that can fail, and its files' bytes. */

enum { SEGMENT = 64 << 10, FIRST = 16 << 10, RECORDS_MAX = 4096 };

static struct fault_disk fault;
static struct scratch_dir dir;

/* What a journal showed: the number at the front of each payload. */
struct seen {
    uint64_t ids[RECORDS_MAX];
    size_t count;
};

static inline int see(void *arg, const struct pl_journal_record *record)
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

static inline uint64_t counting(void *state)
{
    return ++*(uint64_t *)state;
}

static inline struct pl_journal_options options(void)
{
    static uint64_t identity = 99;

    return (struct pl_journal_options){
        .disk = &fault.disk,
        .random = { .next = counting, .state = &identity },
        .segment_bytes = SEGMENT,
        .first_segment_bytes = FIRST,
    };
}

static inline struct pl_journal *create(void)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;

    scratch_dir_empty(&dir);
    fault_disk_init(&fault, pl_disk_system());
    CHECK(pl_journal_create(dir.path, &o, &journal, NULL) == 0);
    return journal;
}

static inline struct pl_journal *reopen(struct pl_journal *journal, struct seen *seen)
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

static inline int try_put(struct pl_journal *journal, uint64_t id, size_t len, enum pl_journal_use use,
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

static inline void put(struct pl_journal *journal, uint64_t id, size_t len)
{
    CHECK(try_put(journal, id, len, PL_JOURNAL_GROW, NULL) == 0);
}

static inline int try_flush(struct pl_journal *journal)
{
    uint64_t end;
    int rc;

    if (!pl_journal_seal(journal, true, &end))
        return 0;
    rc = pl_journal_run_sync(journal, NULL);
    pl_journal_end_sync(journal, rc);
    return rc;
}

static inline void flush(struct pl_journal *journal)
{
    CHECK(try_flush(journal) == 0);
    CHECK(pl_journal_durable(journal) == pl_journal_end(journal));
}

static inline char *segment_path(uint64_t number, const char *suffix)
{
    char name[64], *path;

    snprintf(name, sizeof name, "%016llx%s", (unsigned long long)number, suffix);
    path = pl_disk_join(dir.path, name);
    CHECK(path != NULL);
    return path;
}

static inline void read_segment(uint64_t number, char *bytes, size_t len)
{
    char *path = segment_path(number, ".journal");
    FILE *in = fopen(path, "rb");

    CHECK(in != NULL && fread(bytes, 1, len, in) == len);
    fclose(in);
    free(path);
}

static inline void write_segment(uint64_t number, const char *bytes, size_t len, size_t offset)
{
    char *path = segment_path(number, ".journal");
    FILE *out = fopen(path, "r+b");

    CHECK(out != NULL && fseek(out, (long)offset, SEEK_SET) == 0 && fwrite(bytes, 1, len, out) == len);
    fclose(out);
    free(path);
}

static inline bool exists(uint64_t number, const char *suffix)
{
    char *path = segment_path(number, suffix);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

static inline int open_result(struct pl_reason *why)
{
    struct pl_journal_options o = options();
    struct pl_journal *journal = NULL;
    int rc = pl_journal_open(dir.path, &o, NULL, NULL, &journal, why);

    CHECK((rc == 0) == (journal != NULL));
    pl_journal_close(journal);
    CHECK(fault.open_files == 0);
    return rc;
}

static inline uint64_t fill_segments(struct pl_journal *journal, uint64_t count)
{
    for (uint64_t id = 0; id < count; id++) {
        put(journal, id, 4000);
        flush(journal);
    }
    return count;
}

#endif
