/* SPDX-License-Identifier: MIT */
#include "store/journal_reader.h"

#include <stdlib.h>

enum { WINDOW_BYTES = 256 << 10 };

void pl_journal_reader_aim(struct pl_journal_reader *reader, struct pl_file *file, uint64_t start,
                           uint64_t limit, uint32_t generation)
{
    reader->file = file;
    reader->start = start;
    reader->limit = limit;
    reader->offset = PL_JOURNAL_DATA_OFFSET;
    reader->generation = generation;
    reader->window_len = 0;
}

static int grow(struct pl_journal_reader *reader, size_t bytes)
{
    size_t capacity = bytes > WINDOW_BYTES ? bytes : WINDOW_BYTES;
    char *grown;

    if (reader->window_capacity >= capacity)
        return 0;
    grown = malloc(capacity); /* not realloc: what is in it is read anew anyway */
    if (grown == NULL)
        return PL_ENOMEM;
    free(reader->window);
    reader->window = grown;
    reader->window_capacity = capacity;
    reader->window_len = 0;
    return 0;
}

/* A view of up to `bytes` at `offset`; shorter only where the segment ends. */
static int view(struct pl_journal_reader *reader, uint64_t offset, uint64_t bytes, struct pl_bytes *out,
                struct pl_reason *why)
{
    uint64_t left = offset < reader->limit ? reader->limit - offset : 0;
    uint64_t wanted = bytes < left ? bytes : left;
    size_t got, len;
    int rc;

    if (offset >= reader->window_offset && offset + wanted <= reader->window_offset + reader->window_len) {
        *out = pl_bytes(reader->window + (offset - reader->window_offset), wanted);
        return 0;
    }
    rc = grow(reader, wanted);
    if (rc != 0)
        return rc;
    len = left < reader->window_capacity ? left : reader->window_capacity;
    reader->window_len = 0;
    rc = pl_disk_read(reader->disk, reader->file, reader->window, len, offset, &got, why);
    if (rc != 0)
        return rc;
    reader->window_offset = offset;
    reader->window_len = got;
    *out = pl_bytes(reader->window, wanted < got ? wanted : got);
    return 0;
}

/* The record at `offset`, if there is one. */
static int record_at(struct pl_journal_reader *reader, uint64_t offset, struct pl_journal_record *record,
                     struct pl_reason *why)
{
    uint64_t position = reader->start + (offset - PL_JOURNAL_DATA_OFFSET), bytes;
    struct pl_bytes in;
    int rc = view(reader, offset, PL_JOURNAL_RECORD_HEADER_BYTES, &in, why);

    if (rc != 0)
        return rc;
    bytes = pl_journal_record_peek(in, reader->identity, position);
    if (bytes == 0)
        return PL_ENOTFOUND;
    rc = view(reader, offset, bytes, &in, why);
    if (rc != 0)
        return rc;
    return pl_journal_record_decode(in, reader->identity, position, record) ? 0 : PL_ENOTFOUND;
}

int pl_journal_reader_next(struct pl_journal_reader *reader, struct pl_journal_record *record,
                           struct pl_reason *why)
{
    int rc = record_at(reader, reader->offset, record, why);

    if (rc != 0)
        return rc;
    if (record->generation < reader->generation)
        return PL_ENOTFOUND; /* left over from before a cut */
    reader->generation = record->generation;
    reader->offset += pl_journal_record_bytes(record->payload.len);
    return 0;
}

/* Step over what does not even claim to stand where it stands: most of a segment's unused end, and quickly. */
static int skip_unlikely(struct pl_journal_reader *reader, struct pl_reason *why)
{
    uint64_t position = pl_journal_reader_position(reader), steps, i = 0;
    struct pl_bytes in;
    int rc = view(reader, reader->offset, PL_JOURNAL_RECORD_HEADER_BYTES, &in, why);

    if (rc != 0)
        return rc;
    if (in.len < PL_JOURNAL_RECORD_HEADER_BYTES)
        return PL_ENOTFOUND;
    in.len = reader->window_offset + reader->window_len - reader->offset; /* all that is in the window */
    steps = (in.len - PL_JOURNAL_RECORD_HEADER_BYTES) / PL_JOURNAL_ALIGN + 1;
    while (i < steps &&
           !pl_journal_record_claims(in.data + i * PL_JOURNAL_ALIGN, position + i * PL_JOURNAL_ALIGN))
        i++;
    reader->offset += i * PL_JOURNAL_ALIGN;
    return 0;
}

int pl_journal_reader_search(struct pl_journal_reader *reader, struct pl_journal_record *record,
                             struct pl_reason *why)
{
    while (reader->offset + PL_JOURNAL_RECORD_HEADER_BYTES <= reader->limit) {
        uint64_t offset;
        int rc = skip_unlikely(reader, why);

        if (rc != 0)
            return rc;
        offset = reader->offset;
        if (offset + PL_JOURNAL_RECORD_HEADER_BYTES > reader->limit)
            break;
        reader->offset += PL_JOURNAL_ALIGN;
        rc = record_at(reader, offset, record, why);
        if (rc != PL_ENOTFOUND)
            return rc;
    }
    return PL_ENOTFOUND;
}

void pl_journal_reader_deinit(struct pl_journal_reader *reader)
{
    free(reader->window);
    *reader = (struct pl_journal_reader){ 0 };
}
