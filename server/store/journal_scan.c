/* SPDX-License-Identifier: MIT */
/*
 * Telling a torn tail from damage.
 *
 * Power loss can spoil only what was not synced, and that is the end of the last segment: cut it at the first
 * bad record, nobody was promised more. But every record says how far the journal was known
 * durable when it was written. If behind the bad record a sound one says "durable" of a place beyond the
 * bad one,
 * then the disk had it and lost it, and perhaps acknowledged writes with it: that must not be cut in silence.
 *
 *     good │ good │ BAD │ sound, durable <= BAD │ ...       torn: ends at BAD
 *     good │ good │ BAD │ sound, durable >  BAD │ ...       damaged
 */
#include "store/journal_scan.h"

#include "store/journal_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#define HOW_TO_REPAIR                                                                                        \
    "Restore the data directory from a backup or a replica, or give up what follows with "                   \
    "`perilune check --cut-journal`."

struct scan {
    struct pl_journal_place place;
    struct pl_journal_survey *survey;
    struct pl_journal_header *headers; /* one a segment */
    struct pl_journal_reader reader;
    pl_journal_visit_fn visit;
    void *arg;
    struct pl_reason *why;
};

static int add_number(uint64_t **numbers, size_t *count, uint64_t number)
{
    uint64_t *grown = realloc(*numbers, (*count + 1) * sizeof *grown);

    if (grown == NULL)
        return PL_ENOMEM;
    grown[(*count)++] = number;
    *numbers = grown;
    return 0;
}

static int add_segment(struct pl_journal_survey *survey, uint64_t sequence)
{
    struct pl_journal_segment *grown = realloc(survey->segments, (survey->segment_count + 1) * sizeof *grown);

    if (grown == NULL)
        return PL_ENOMEM;
    grown[survey->segment_count++] = (struct pl_journal_segment){ .number = sequence };
    survey->segments = grown;
    return 0;
}

static int add_name(struct pl_journal_survey *survey, const char *name)
{
    uint64_t number;

    if (pl_journal_segment_number(name, ".journal", &number))
        return add_segment(survey, number);
    if (pl_journal_segment_number(name, ".reserve", &number))
        return add_number(&survey->spares, &survey->spare_count, number);
    if (pl_journal_segment_number(name, ".making", &number))
        return add_number(&survey->unfinished, &survey->unfinished_count, number);
    return 0; /* not ours, or kept by a repair */
}

static int list_segments(struct scan *scan)
{
    struct pl_names names = { 0 };
    int rc = pl_disk_list(scan->place.disk, scan->place.dir, &names, scan->why);

    if (rc != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < names.count; i++)
        rc = add_name(scan->survey, names.names[i]);
    pl_names_deinit(&names);
    if (rc == 0 && scan->survey->segment_count == 0)
        rc = pl_reason_set(scan->why, PL_ENOTFOUND, "%s holds no journal", scan->place.dir);
    return rc;
}

static int damaged(struct scan *scan, size_t segment, uint64_t offset)
{
    scan->survey->damaged = segment;
    scan->survey->damaged_offset = offset;
    return PL_ECORRUPT;
}

static int bad_header(struct scan *scan, size_t i, const char *what)
{
    struct pl_journal_survey *survey = scan->survey;

    (void)damaged(scan, i, 0);
    return pl_reason_set(scan->why, PL_ECORRUPT,
                         "journal segment %s/%016" PRIx64
                         ".journal is damaged at offset 0 (%s): all its records, "
                         "and all after them, are lost. " HOW_TO_REPAIR,
                         scan->place.dir, survey->segments[i].number, what);
}

static int check_header(struct scan *scan, size_t i, struct pl_file *file)
{
    struct pl_journal_segment *segment = &scan->survey->segments[i];
    struct pl_journal_header *header = &scan->headers[i];
    char bytes[PL_JOURNAL_SEGMENT_HEADER_BYTES];
    uint32_t format = 0;
    uint64_t size;
    size_t got;
    int rc = pl_disk_read(scan->place.disk, file, bytes, sizeof bytes, 0, &got, scan->why);

    if (rc == 0)
        rc = pl_disk_size(scan->place.disk, file, &size, scan->why);
    if (rc != 0)
        return rc;
    if (got < sizeof bytes)
        return bad_header(scan, i, "the file is too short");
    rc = pl_journal_header_decode(bytes, header, &format);
    if (rc == PL_EFORMAT)
        return pl_reason_set(scan->why, PL_EFORMAT, "%s has journal format %u; this version knows up to %d",
                             file->path, format, PL_JOURNAL_FORMAT);
    if (rc != 0)
        return bad_header(scan, i, "its header failed its checksum");
    if (header->sequence != segment->number || (i > 0 && header->identity != scan->headers[0].identity))
        return bad_header(scan, i, "it belongs to another place or another journal");
    if (header->bytes != size || size <= PL_JOURNAL_DATA_OFFSET + PL_JOURNAL_RECORD_HEADER_BYTES)
        return bad_header(scan, i, "the file does not have the size it was made with");
    segment->start = header->start;
    segment->bytes = header->bytes;
    if (header->generation > scan->survey->generation)
        scan->survey->generation = header->generation;
    return 0;
}

static int with_file(struct scan *scan, size_t i, int (*body)(struct scan *, size_t, struct pl_file *))
{
    char *path = pl_journal_segment_path(&scan->place, scan->survey->segments[i].number, ".journal");
    struct pl_file *file = NULL;
    int rc;

    if (path == NULL)
        return PL_ENOMEM;
    rc = pl_disk_open(scan->place.disk, path, PL_DISK_READ, &file, scan->why);
    if (rc == 0)
        rc = body(scan, i, file);
    pl_disk_close(scan->place.disk, file);
    free(path);
    return rc;
}

static int check_headers(struct scan *scan)
{
    struct pl_journal_survey *survey = scan->survey;

    for (size_t i = 0; i < survey->segment_count; i++) {
        int rc;

        if (i > 0 && survey->segments[i].number != survey->segments[i - 1].number + 1) {
            (void)damaged(scan, i, 0);
            return pl_reason_set(scan->why, PL_ECORRUPT,
                                 "journal segment %s/%016" PRIx64
                                 ".journal is missing: its records, and all after "
                                 "them, are lost. " HOW_TO_REPAIR,
                                 scan->place.dir, survey->segments[i - 1].number + 1);
        }
        rc = with_file(scan, i, check_header);
        if (rc != 0)
            return rc;
    }
    survey->identity = scan->headers[0].identity;
    survey->start = survey->end = scan->headers[0].start;
    return 0;
}

static int bad_record(struct scan *scan, size_t i, uint64_t offset, uint64_t known_end)
{
    uint64_t position = scan->survey->segments[i].start + (offset - PL_JOURNAL_DATA_OFFSET);

    (void)damaged(scan, i, offset);
    return pl_reason_set(scan->why, PL_ECORRUPT,
                         "journal segment %s/%016" PRIx64 ".journal is damaged at offset %" PRIu64
                         ": positions %" PRIu64 " to %" PRIu64
                         " were durable, and what is between them is lost. " HOW_TO_REPAIR,
                         scan->place.dir, scan->survey->segments[i].number, offset, position, known_end);
}

/* The last segment's records stop at `offset`: was that the end of the story, or is there a hole in it? */
static int judge_tail(struct scan *scan, size_t i, uint64_t offset)
{
    struct pl_journal_survey *survey = scan->survey;
    struct pl_journal_record later;
    uint64_t durable = 0, torn_end = offset;
    int rc;

    while ((rc = pl_journal_reader_search(&scan->reader, &later, scan->why)) == 0) {
        if (later.durable > durable)
            durable = later.durable;
        if (later.generation > survey->generation)
            survey->generation = later.generation;
        torn_end = scan->reader.offset;
    }
    if (rc != PL_ENOTFOUND)
        return rc;
    if (durable > survey->end)
        return bad_record(scan, i, offset, durable);
    survey->torn_bytes = torn_end - offset;
    return 0;
}

static int see(struct scan *scan, const struct pl_journal_record *record)
{
    struct pl_journal_survey *survey = scan->survey;

    if (record->generation > survey->generation)
        survey->generation = record->generation;
    if (record->durable > survey->durable)
        survey->durable = record->durable;
    if (record->kind == PL_JOURNAL_END)
        return 0;
    survey->end = record->position + pl_journal_record_bytes(record->payload.len);
    survey->records++;
    return scan->visit != NULL ? scan->visit(scan->arg, record) : 0;
}

static int scan_records(struct scan *scan, size_t i, struct pl_file *file)
{
    struct pl_journal_survey *survey = scan->survey;
    bool last = i + 1 == survey->segment_count;
    uint64_t offset;

    pl_journal_reader_aim(&scan->reader, file, survey->segments[i].start, survey->segments[i].bytes,
                          scan->headers[i].generation);
    for (;;) {
        struct pl_journal_record record;
        int rc;

        offset = scan->reader.offset;
        rc = pl_journal_reader_next(&scan->reader, &record, scan->why);
        if (rc == PL_ENOTFOUND)
            break;
        if (rc == 0)
            rc = see(scan, &record);
        if (rc != 0)
            return rc;
        if (record.kind == PL_JOURNAL_END) {
            survey->ended = last;
            return last || survey->segments[i + 1].start == survey->end
                       ? 0
                       : bad_record(scan, i, offset, survey->segments[i + 1].start);
        }
    }
    if (last)
        return judge_tail(scan, i, offset);
    if (survey->segments[i + 1].start == survey->end)
        return 0; /* only the END is damaged, and nothing is lost with it */
    return bad_record(scan, i, offset, survey->segments[survey->segment_count - 1].start);
}

static int scan_all(struct scan *scan)
{
    int rc = list_segments(scan);

    if (rc != 0)
        return rc;
    scan->headers = calloc(scan->survey->segment_count, sizeof *scan->headers);
    if (scan->headers == NULL)
        return PL_ENOMEM;
    rc = check_headers(scan);
    scan->reader.disk = scan->place.disk;
    scan->reader.identity = scan->survey->identity;
    for (size_t i = 0; rc == 0 && i < scan->survey->segment_count; i++)
        rc = with_file(scan, i, scan_records);
    return rc;
}

int pl_journal_survey_take(const struct pl_disk *disk, const char *dir, pl_journal_visit_fn visit, void *arg,
                           struct pl_journal_survey *survey, struct pl_reason *why)
{
    struct scan scan = {
        .place = { .disk = disk, .dir = dir },
        .survey = survey,
        .visit = visit,
        .arg = arg,
        .why = why,
    };
    int rc;

    *survey = (struct pl_journal_survey){ 0 };
    rc = scan_all(&scan);
    pl_journal_reader_deinit(&scan.reader);
    free(scan.headers);
    return rc;
}

void pl_journal_survey_deinit(struct pl_journal_survey *survey)
{
    free(survey->segments);
    free(survey->spares);
    free(survey->unfinished);
    *survey = (struct pl_journal_survey){ 0 };
}

int pl_journal_scan(const struct pl_disk *disk, const char *dir, pl_journal_visit_fn visit, void *arg,
                    struct pl_journal_extent *extent, struct pl_reason *why)
{
    struct pl_journal_survey survey;
    int rc = pl_journal_survey_take(disk, dir, visit, arg, &survey, why);

    if (rc == 0)
        *extent = (struct pl_journal_extent){
            .start = survey.start,
            .end = survey.end,
            .records = survey.records,
            .torn_bytes = survey.torn_bytes,
        };
    pl_journal_survey_deinit(&survey);
    return rc;
}
