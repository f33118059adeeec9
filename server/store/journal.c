/* SPDX-License-Identifier: MIT */
/*
 * The owner decides where every record goes when it is appended, so that a full disk is found before anybody
 * is promised anything; the worker then only writes what was planned:
 *
 *     gather   bytes ███████████│█████████    cuts: at │, spare 9
 *     seal     ┄▸ flight                          the spare was taken from the ready ones at append
 *     run_sync write up to │, END, sync;  spare 9 becomes the next segment;  write the rest, sync
 *
 * What the workers share with the owner (spares, trimmed segments, whether the disk is full) is in the stock.
 */
#include "store/journal_inside.h"
#include "store/journal_scan.h"
#include "store/journal_stock.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    RESERVE_SHARE = 8, /* one eighth of a segment is for deletes and checkpoints */
    BUFFER_KEPT_BYTES = 4 << 20,
    REWRITE_BYTES = 256 << 10,
};

/** Where a batch goes on in the next segment. */
struct cut {
    size_t at; /* bytes of the batch that still belong to the segment before */
    struct pl_journal_segment segment;
};

struct batch {
    struct pl_buf bytes;
    struct cut *cuts;
    size_t cut_count;
    size_t cut_capacity;
    uint64_t first;   /* position of its first byte */
    uint64_t durable; /* what its records will say */
    bool sync;
};

struct pl_journal {
    struct pl_journal_place place;
    char *dir;
    uint32_t generation;
    atomic_bool failed;

    /* The owner's. */
    struct pl_journal_segment *live; /* in order; not open */
    size_t live_count;
    size_t live_capacity;
    struct batch gather;
    struct batch flight;
    bool in_flight;
    uint64_t end;
    uint64_t written;
    uint64_t durable;
    uint64_t said;       /* highest `durable` that a written record says */
    uint64_t unsaid;     /* end of the last record that is no MARK */
    uint64_t plan_room;  /* what still fits into the segment where the next record goes */
    uint64_t plan_bytes; /* that segment's size */

    struct pl_journal_segment current; /* the sync worker's: what it writes to */

    struct pl_journal_stock stock;
};

/* ---- Room ---- */

/* Would the reserve be touched by a record of so many bytes? */
static bool eats_reserve(struct pl_journal *journal, uint64_t record_bytes)
{
    uint64_t reserve = journal->plan_bytes / RESERVE_SHARE;
    uint64_t room = pl_journal_stock_room(&journal->stock);

    if (record_bytes <= journal->plan_room)
        room += journal->plan_room;
    return room < record_bytes + reserve;
}

static int reserve_cut(struct batch *batch)
{
    size_t capacity = batch->cut_capacity == 0 ? 4 : batch->cut_capacity * 2;
    struct cut *grown;

    if (batch->cut_count < batch->cut_capacity)
        return 0;
    grown = realloc(batch->cuts, capacity * sizeof *grown);
    if (grown == NULL)
        return PL_ENOMEM;
    batch->cuts = grown;
    batch->cut_capacity = capacity;
    return 0;
}

static int reserve_live(struct pl_journal *journal, size_t more)
{
    size_t capacity = journal->live_count + more + 8;
    struct pl_journal_segment *grown;

    if (journal->live_count + more <= journal->live_capacity)
        return 0;
    grown = realloc(journal->live, capacity * sizeof *grown);
    if (grown == NULL)
        return PL_ENOMEM;
    journal->live = grown;
    journal->live_capacity = capacity;
    return 0;
}

/* From here on records go to another segment. */
static int plan_cut(struct pl_journal *journal, uint64_t record_bytes, struct pl_reason *why)
{
    struct batch *batch = &journal->gather;
    struct pl_journal_segment spare;
    int rc = reserve_cut(batch);

    if (rc == 0)
        rc = reserve_live(journal, batch->cut_count + journal->flight.cut_count + 1);
    if (rc != 0)
        return rc;
    rc = pl_journal_stock_take(&journal->stock, record_bytes, &spare, why);
    if (rc != 0)
        return rc;
    batch->cuts[batch->cut_count++] = (struct cut){ .at = batch->bytes.len, .segment = spare };
    journal->plan_bytes = spare.bytes;
    journal->plan_room = pl_journal_segment_room(&spare);
    return 0;
}

static int plan(struct pl_journal *journal, uint64_t record_bytes, enum pl_journal_use use,
                struct pl_reason *why)
{
    if (use == PL_JOURNAL_GROW && eats_reserve(journal, record_bytes)) {
        int rc = pl_journal_full(journal) ? PL_EFULL
                                          : pl_journal_stock_make(&journal->stock, record_bytes, false, why);

        if (rc != 0)
            return rc;
    }
    return record_bytes <= journal->plan_room ? 0 : plan_cut(journal, record_bytes, why);
}

/* ---- Gathering ---- */

static int gather(struct pl_journal *journal, struct pl_journal_record record, enum pl_journal_use use,
                  struct pl_reason *why)
{
    uint64_t bytes = pl_journal_record_bytes(record.payload.len);
    struct pl_buf *buf = &journal->gather.bytes;
    char *to = pl_buf_reserve(buf, bytes);
    int rc;

    if (to == NULL) {
        buf->failed = false; /* nothing was dropped: the caller hears of it now */
        return PL_ENOMEM;
    }
    rc = plan(journal, bytes, use, why);
    if (rc != 0)
        return rc;
    record.position = journal->end;
    record.generation = journal->generation;
    pl_journal_record_encode(to, &record);
    buf->len += bytes;
    journal->plan_room -= bytes;
    journal->end += bytes;
    return 0;
}

int pl_journal_append(struct pl_journal *journal, const struct pl_journal_record *record,
                      enum pl_journal_use use, uint64_t *position, struct pl_reason *why)
{
    uint64_t begins = journal->end;
    int rc;

    if (pl_journal_failed(journal))
        return PL_EREADONLY;
    if (record->payload.len > PL_JOURNAL_PAYLOAD_MAX)
        return pl_reason_set(why, PL_EINVALID, "a journal record holds at most %d bytes, not %zu",
                             PL_JOURNAL_PAYLOAD_MAX, record->payload.len);
    PL_ASSERT(record->kind != 0 && record->kind != PL_JOURNAL_END);
    rc = gather(journal, *record, use, why);
    if (rc != 0)
        return rc;
    if (record->kind != PL_JOURNAL_MARK)
        journal->unsaid = journal->end;
    if (position != NULL)
        *position = begins;
    return 0;
}

int pl_journal_mark(struct pl_journal *journal)
{
    struct pl_journal_record mark = { .kind = PL_JOURNAL_MARK };

    if (pl_journal_failed(journal))
        return PL_EREADONLY;
    if (journal->in_flight || journal->gather.bytes.len > 0 || journal->durable < journal->unsaid ||
        journal->said >= journal->unsaid)
        return 0;
    return gather(journal, mark, PL_JOURNAL_SHRINK, NULL);
}

bool pl_journal_seal(struct pl_journal *journal, bool sync, uint64_t *end)
{
    struct batch swapped = journal->flight;

    if (pl_journal_failed(journal) || journal->in_flight)
        return false;
    if (journal->gather.bytes.len == 0 && (!sync || journal->durable == journal->written))
        return false;
    journal->flight = journal->gather;
    journal->gather = swapped;
    journal->gather.first = journal->end;
    journal->flight.durable = journal->durable;
    journal->flight.sync = sync;
    journal->in_flight = true;
    *end = journal->end;
    return true;
}

/* ---- The worker's part ---- */

static void stamp(struct pl_journal *journal, struct batch *batch)
{
    for (size_t at = 0; at < batch->bytes.len;)
        at += pl_journal_record_stamp(batch->bytes.data + at, journal->place.identity, batch->durable);
}

static int write_at(struct pl_journal *journal, const char *from, size_t len, uint64_t position,
                    struct pl_reason *why)
{
    struct pl_journal_segment *to = &journal->current;

    if (len == 0)
        return 0;
    return pl_disk_write(journal->place.disk, to->file, from, len,
                         PL_JOURNAL_DATA_OFFSET + (position - to->start), why);
}

/* Complete the current segment, and only when it is durable let the next one have its name. */
static int turn_over(struct pl_journal *journal, const struct batch *batch, struct cut *cut,
                     struct pl_reason *why)
{
    struct pl_journal_record end = {
        .kind = PL_JOURNAL_END,
        .position = batch->first + cut->at,
        .generation = journal->generation,
    };
    char bytes[PL_JOURNAL_RECORD_HEADER_BYTES];
    uint64_t sequence = journal->current.number + 1;
    int rc;

    pl_journal_record_encode(bytes, &end);
    pl_journal_record_stamp(bytes, journal->place.identity, batch->durable);
    rc = write_at(journal, bytes, sizeof bytes, end.position, why);
    if (rc == 0)
        rc = pl_disk_sync(journal->place.disk, journal->current.file, why);
    if (rc == 0)
        rc = pl_journal_segment_begin(&journal->place, &cut->segment, sequence, end.position,
                                      journal->generation, why);
    if (rc != 0)
        return rc;
    pl_journal_segment_close(&journal->place, &journal->current);
    journal->current = cut->segment;
    cut->segment.file = NULL; /* it is `current` that closes it */
    return 0;
}

int pl_journal_run_sync(struct pl_journal *journal, struct pl_reason *why)
{
    struct batch *batch = &journal->flight;
    size_t from = 0;
    int rc = 0;

    stamp(journal, batch);
    for (size_t i = 0; rc == 0 && i < batch->cut_count; i++) {
        struct cut *cut = &batch->cuts[i];

        rc = write_at(journal, batch->bytes.data + from, cut->at - from, batch->first + from, why);
        if (rc == 0)
            rc = turn_over(journal, batch, cut, why);
        from = cut->at;
    }
    if (rc == 0)
        rc = write_at(journal, batch->bytes.data + from, batch->bytes.len - from, batch->first + from, why);
#ifndef PL_MUTANT_NO_JOURNAL_SYNC
    if (rc == 0 && batch->sync)
        rc = pl_disk_sync(journal->place.disk, journal->current.file, why);
#endif
    return rc;
}

static void empty(struct pl_journal *journal, struct batch *batch)
{
    for (size_t i = 0; i < batch->cut_count; i++)
        pl_journal_segment_close(&journal->place, &batch->cuts[i].segment);
    batch->cut_count = 0;
    if (batch->bytes.capacity > BUFFER_KEPT_BYTES)
        pl_buf_deinit(&batch->bytes);
    else
        pl_buf_clear(&batch->bytes);
}

void pl_journal_end_sync(struct pl_journal *journal, int rc)
{
    struct batch *batch = &journal->flight;

    PL_ASSERT(journal->in_flight);
    journal->in_flight = false;
    if (rc != 0) {
        atomic_store(&journal->failed, true);
        return;
    }
    for (size_t i = 0; i < batch->cut_count; i++)
        journal->live[journal->live_count++] = batch->cuts[i].segment; /* room was made in plan_cut() */
    if (batch->bytes.len > 0)
        journal->said = batch->durable;
    journal->written = batch->first + batch->bytes.len;
    if (batch->sync)
        journal->durable = journal->written;
    empty(journal, batch);
}

/* ---- Positions ---- */

uint64_t pl_journal_start(const struct pl_journal *journal)
{
    return journal->live[0].start;
}

uint64_t pl_journal_durable(const struct pl_journal *journal)
{
    return journal->durable;
}

uint64_t pl_journal_written(const struct pl_journal *journal)
{
    return journal->written;
}

uint64_t pl_journal_end(const struct pl_journal *journal)
{
    return journal->end;
}

bool pl_journal_failed(const struct pl_journal *journal)
{
    return atomic_load(&journal->failed);
}

bool pl_journal_full(struct pl_journal *journal)
{
    return pl_journal_stock_full(&journal->stock);
}

/* ---- Trimming and preparing ---- */

void pl_journal_trim(struct pl_journal *journal, uint64_t position)
{
    size_t gone = 0;

    while (gone + 1 < journal->live_count && journal->live[gone + 1].start <= position &&
           pl_journal_stock_trim(&journal->stock, &journal->live[gone]))
        gone++;
    journal->live_count -= gone;
    memmove(journal->live, journal->live + gone, journal->live_count * sizeof journal->live[0]);
}

bool pl_journal_wants_prepare(struct pl_journal *journal)
{
    bool low = journal->plan_room < journal->plan_bytes / 4 * 3;

    return !pl_journal_failed(journal) && pl_journal_stock_wants(&journal->stock, low);
}

int pl_journal_prepare(struct pl_journal *journal, struct pl_reason *why)
{
    int rc = pl_journal_failed(journal) ? PL_EREADONLY : pl_journal_stock_prepare(&journal->stock, why);

    if (rc == PL_EUNSURE)
        atomic_store(&journal->failed, true);
    return rc;
}

/* ---- Making, opening, closing ---- */

static uint64_t or_default(uint64_t bytes, uint64_t otherwise)
{
    return bytes != 0 ? bytes : otherwise;
}

static struct pl_journal *new_journal(const char *dir, const struct pl_journal_options *options)
{
    struct pl_journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL)
        return NULL;
    journal->dir = strdup(dir);
    if (journal->dir == NULL) {
        free(journal);
        return NULL;
    }
    journal->place = (struct pl_journal_place){ .disk = options->disk, .dir = journal->dir };
    pl_journal_stock_init(&journal->stock, &journal->place,
                          or_default(options->segment_bytes, PL_JOURNAL_SEGMENT_BYTES));
    return journal;
}

void pl_journal_close(struct pl_journal *journal)
{
    if (journal == NULL)
        return;
    PL_ASSERT(!journal->in_flight);
    empty(journal, &journal->gather);
    empty(journal, &journal->flight);
    pl_buf_deinit(&journal->gather.bytes);
    pl_buf_deinit(&journal->flight.bytes);
    free(journal->gather.cuts);
    free(journal->flight.cuts);
    pl_journal_segment_close(&journal->place, &journal->current);
    pl_journal_stock_deinit(&journal->stock);
    free(journal->live);
    free(journal->dir);
    free(journal);
}

/* The current segment is known: from here on records go to `position`. */
static int stand_at(struct pl_journal *journal, uint64_t position)
{
    int rc = reserve_live(journal, 1);

    if (rc != 0)
        return rc;
    journal->live[journal->live_count] = journal->current;
    journal->live[journal->live_count++].file = NULL;
    journal->plan_bytes = journal->current.bytes;
    journal->plan_room = pl_journal_segment_room(&journal->current) - (position - journal->current.start);
    journal->end = journal->written = journal->durable = journal->gather.first = position;
    return 0;
}

/* Let a spare be the first or next segment. On failure it stays ours in `current`, for the closing. */
static int begin_segment(struct pl_journal *journal, uint64_t sequence, uint64_t start, struct pl_reason *why)
{
    int rc = pl_journal_stock_take(&journal->stock, 0, &journal->current, why);

    if (rc != 0)
        return rc;
    return pl_journal_segment_begin(&journal->place, &journal->current, sequence, start, journal->generation,
                                    why);
}

/* Is the name free of a journal, and of what an attempt to make one left? */
static int clear_name(const struct pl_journal_place *place, const char *name, struct pl_reason *why)
{
    uint64_t number;

    if (pl_journal_segment_number(name, ".journal", &number))
        return pl_reason_set(why, PL_EINUSE, "%s holds a journal already", place->dir);
    if (pl_journal_segment_number(name, ".reserve", &number))
        return pl_journal_segment_remove(place, number, ".reserve", why);
    if (pl_journal_segment_number(name, ".making", &number))
        return pl_journal_segment_remove(place, number, ".making", why);
    return 0;
}

static int clear_dir(const char *dir, const struct pl_disk *disk, struct pl_reason *why)
{
    struct pl_journal_place place = { .disk = disk, .dir = dir };
    struct pl_names names = { 0 };
    int rc = pl_disk_list(disk, dir, &names, why);

    for (size_t i = 0; rc == 0 && i < names.count; i++)
        rc = clear_name(&place, names.names[i], why);
    pl_names_deinit(&names);
    return rc;
}

/* A first segment of the size asked for, whatever spares an earlier attempt left. */
static int make_first(struct pl_journal *journal, const struct pl_journal_options *options,
                      struct pl_reason *why)
{
    uint64_t bytes = or_default(options->first_segment_bytes, PL_JOURNAL_FIRST_SEGMENT_BYTES);
    int rc;

    if (bytes > journal->stock.segment_bytes)
        bytes = journal->stock.segment_bytes;
    journal->place.identity = pl_random_next(&options->random);
    journal->generation = 1;
    journal->stock.made_bytes = bytes / 4; /* the first grows from here */
    rc = begin_segment(journal, 1, 0, why);
    return rc != 0 ? rc : stand_at(journal, 0);
}

int pl_journal_create(const char *dir, const struct pl_journal_options *options, struct pl_journal **journal,
                      struct pl_reason *why)
{
    struct pl_journal *made;
    int rc = clear_dir(dir, options->disk, why);

    if (rc != 0)
        return rc;
    made = new_journal(dir, options);
    if (made == NULL)
        return PL_ENOMEM;
    rc = make_first(made, options, why);
    if (rc != 0) {
        (void)pl_journal_segment_remove(&made->place, 1, ".journal", NULL);
        pl_journal_close(made);
        return rc;
    }
    *journal = made;
    return 0;
}

static int tidy(struct pl_journal *journal, const struct pl_journal_survey *survey, struct pl_reason *why)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < survey->unfinished_count; i++) {
        rc = pl_journal_segment_remove(&journal->place, survey->unfinished[i], ".making", why);
        if (survey->unfinished[i] >= journal->stock.next_number)
            journal->stock.next_number = survey->unfinished[i] + 1;
    }
    for (size_t i = 0; rc == 0 && i < survey->spare_count; i++)
        rc = pl_journal_stock_adopt(&journal->stock, survey->spares[i], why);
    return rc;
}

/*
 * What we read may be in the kernel's memory only: the process before us may have been killed before its
 * sync, or
 * told that it failed, after which a sync of unchanged pages succeeds and writes nothing. So what is not
 * known durable
 * is written once more, byte for byte, and synced.
 */
static int rewrite(struct pl_journal *journal, uint64_t from, uint64_t to, struct pl_reason *why)
{
    const struct pl_disk *disk = journal->place.disk;
    char *bytes = malloc(REWRITE_BYTES);
    int rc = bytes == NULL ? PL_ENOMEM : 0;

    while (rc == 0 && from < to) {
        size_t len = to - from < REWRITE_BYTES ? (size_t)(to - from) : REWRITE_BYTES;

        rc = pl_disk_read(disk, journal->current.file, bytes, len, from, NULL, why);
        if (rc == 0)
            rc = pl_disk_write(disk, journal->current.file, bytes, len, from, why);
        from += len;
    }
    free(bytes);
    return rc != 0 ? rc : pl_disk_sync(disk, journal->current.file, why);
}

static int secure(struct pl_journal *journal, const struct pl_journal_survey *survey, struct pl_reason *why)
{
    uint64_t start = journal->current.start;
    uint64_t from = survey->durable > start ? survey->durable - start : 0;
    uint64_t to = survey->end - start + (survey->ended ? PL_JOURNAL_RECORD_HEADER_BYTES : 0);
    int rc = rewrite(journal, PL_JOURNAL_DATA_OFFSET + from, PL_JOURNAL_DATA_OFFSET + to, why);

    return rc != 0 ? rc : pl_disk_sync_dir(journal->place.disk, journal->dir, why);
}

/* All but the last segment are as they were; the last one is opened and made durable. */
static int resume(struct pl_journal *journal, const struct pl_journal_survey *survey, struct pl_reason *why)
{
    const struct pl_journal_segment *last = &survey->segments[survey->segment_count - 1];
    int rc = reserve_live(journal, survey->segment_count);

    if (rc != 0)
        return rc;
    journal->place.identity = survey->identity;
    journal->generation = survey->generation + 1;
    journal->live_count = survey->segment_count - 1;
    memcpy(journal->live, survey->segments, journal->live_count * sizeof *last);
    journal->current.start = last->start;
    rc = pl_journal_segment_open(&journal->place, last->number, ".journal", &journal->current, why);
    if (rc == 0)
        rc = secure(journal, survey, why);
    if (rc == 0)
        rc = tidy(journal, survey, why);
    if (rc != 0)
        return rc;
    journal->stock.made_bytes =
        last->bytes < journal->stock.segment_bytes ? last->bytes : journal->stock.segment_bytes;
    journal->said = survey->durable;
    journal->unsaid = survey->end;
    rc = stand_at(journal, survey->end);
    if (rc == 0 && survey->ended)
        journal->plan_room = 0; /* its END stands: the first record begins the next segment */
    return rc;
}

int pl_journal_open(const char *dir, const struct pl_journal_options *options, pl_journal_visit_fn visit,
                    void *arg, struct pl_journal **journal, struct pl_reason *why)
{
    struct pl_journal_survey survey;
    struct pl_journal *opened = NULL;
    int rc = pl_journal_survey_take(options->disk, dir, visit, arg, &survey, why);

    if (rc == 0) {
        opened = new_journal(dir, options);
        rc = opened == NULL ? PL_ENOMEM : resume(opened, &survey, why);
    }
    pl_journal_survey_deinit(&survey);
    if (rc != 0) {
        pl_journal_close(opened);
        return rc;
    }
    *journal = opened;
    return 0;
}

/* ---- For the cursor ---- */

const struct pl_journal_place *pl_journal_where(const struct pl_journal *journal)
{
    return &journal->place;
}

bool pl_journal_find(const struct pl_journal *journal, uint64_t position, struct pl_journal_segment *segment,
                     uint64_t *next_start)
{
    for (size_t i = journal->live_count; i-- > 0;) {
        if (journal->live[i].start > position)
            continue;
        *segment = journal->live[i];
        *next_start = i + 1 < journal->live_count ? journal->live[i + 1].start : UINT64_MAX;
        return true;
    }
    return false;
}
