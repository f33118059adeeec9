/* SPDX-License-Identifier: MIT */
#include "store/journal_inside.h"
#include "store/journal_reader.h"

#include <stdlib.h>

struct pl_journal_cursor {
    struct pl_journal *journal;
    struct pl_journal_reader reader;
    struct pl_file *file;
    uint64_t sequence; /* of the segment that `file` is */
    uint64_t position;
    uint64_t next_start; /* where the segment after this one begins */
};

static int open_file(struct pl_journal_cursor *cursor, const struct pl_journal_segment *segment,
                     struct pl_reason *why)
{
    const struct pl_journal_place *place = pl_journal_where(cursor->journal);
    char *path = pl_journal_segment_path(place, segment->number, ".journal");
    struct pl_file *file;
    int rc = path == NULL ? PL_ENOMEM : pl_disk_open(place->disk, path, PL_DISK_READ, &file, why);

    free(path);
    if (rc != 0)
        return rc;
    pl_disk_close(place->disk, cursor->file);
    cursor->file = file;
    cursor->sequence = segment->number;
    return 0;
}

/* Aim the reader at the segment that holds `position`. */
static int enter(struct pl_journal_cursor *cursor, struct pl_reason *why)
{
    struct pl_journal_segment segment;
    int rc;

    if (!pl_journal_find(cursor->journal, cursor->position, &segment, &cursor->next_start))
        return PL_ECLOSED;
    rc = open_file(cursor, &segment, why);
    if (rc != 0)
        return rc;
    pl_journal_reader_aim(&cursor->reader, cursor->file, segment.start, 0, 0);
    cursor->reader.offset = PL_JOURNAL_DATA_OFFSET + (cursor->position - segment.start);
    return 0;
}

/* A segment that was the last one may have got a successor since. */
static int follow(struct pl_journal_cursor *cursor, struct pl_reason *why)
{
    struct pl_journal_segment segment;

    if (cursor->position < pl_journal_start(cursor->journal))
        return PL_ECLOSED;
    if (cursor->file == NULL)
        return enter(cursor, why);
    if (!pl_journal_find(cursor->journal, cursor->reader.start, &segment, &cursor->next_start))
        return PL_ECLOSED;
    return cursor->position >= cursor->next_start || segment.number != cursor->sequence ? enter(cursor, why)
                                                                                        : 0;
}

int pl_journal_cursor_open(struct pl_journal *journal, uint64_t position, struct pl_journal_cursor **cursor,
                           struct pl_reason *why)
{
    struct pl_journal_cursor *made;

    if (position < pl_journal_start(journal) || position > pl_journal_end(journal))
        return pl_reason_set(why, PL_ENOTFOUND, "the journal has positions %llu to %llu, not %llu",
                             (unsigned long long)pl_journal_start(journal),
                             (unsigned long long)pl_journal_end(journal), (unsigned long long)position);
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_ENOMEM;
    made->journal = journal;
    made->position = position;
    made->reader.disk = pl_journal_where(journal)->disk;
    made->reader.identity = pl_journal_where(journal)->identity;
    *cursor = made;
    return 0;
}

/* Never look behind what is written: the window would keep what stood there before. */
static uint64_t limit(const struct pl_journal_cursor *cursor)
{
    uint64_t written = pl_journal_written(cursor->journal);
    uint64_t to = written < cursor->next_start ? written : cursor->next_start;

    return PL_JOURNAL_DATA_OFFSET + (to - cursor->reader.start);
}

int pl_journal_cursor_next(struct pl_journal_cursor *cursor, struct pl_journal_record *record,
                           struct pl_reason *why)
{
    int rc;

    if (cursor->position >= pl_journal_written(cursor->journal))
        return cursor->position < pl_journal_start(cursor->journal) ? PL_ECLOSED : PL_ENOTFOUND;
    rc = follow(cursor, why);
    if (rc != 0)
        return rc;
    cursor->reader.limit = limit(cursor);
    rc = pl_journal_reader_next(&cursor->reader, record, why);
    if (rc == PL_ENOTFOUND)
        return pl_reason_set(why, PL_ECORRUPT, "%s is damaged at offset %llu: no record at position %llu",
                             cursor->file->path, (unsigned long long)cursor->reader.offset,
                             (unsigned long long)cursor->position);
    if (rc == 0)
        cursor->position = pl_journal_reader_position(&cursor->reader);
    return rc;
}

uint64_t pl_journal_cursor_position(const struct pl_journal_cursor *cursor)
{
    return cursor->position;
}

void pl_journal_cursor_close(struct pl_journal_cursor *cursor)
{
    if (cursor == NULL)
        return;
    pl_disk_close(pl_journal_where(cursor->journal)->disk, cursor->file);
    pl_journal_reader_deinit(&cursor->reader);
    free(cursor);
}
