/* SPDX-License-Identifier: MIT */
#include "store/journal_record.h"

#include <xxhash.h>

enum {
    AT_CHECKSUM = 0,
    AT_LENGTH = 8,
    AT_KIND = 12,
    AT_PARTITION = 14,
    AT_INDEX = 16,
    AT_TERM = 24,
    AT_POSITION = 32,
    AT_DURABLE = 40,
    AT_GENERATION = 48,
    AT_CHECK = 52,
};

static const char magic[8] = "PLJOURN\n";

void pl_journal_record_encode(char *to, const struct pl_journal_record *record)
{
    size_t len = record->payload.len;

    memset(to, 0, PL_JOURNAL_RECORD_HEADER_BYTES);
    pl_put_le32(to + AT_LENGTH, (uint32_t)len);
    to[AT_KIND] = (char)record->kind;
    pl_put_le16(to + AT_PARTITION, record->partition);
    pl_put_le64(to + AT_INDEX, record->index);
    pl_put_le64(to + AT_TERM, record->term);
    pl_put_le64(to + AT_POSITION, record->position);
    pl_put_le32(to + AT_GENERATION, record->generation);
    if (len > 0)
        memcpy(to + PL_JOURNAL_RECORD_HEADER_BYTES, record->payload.data, len);
    memset(to + PL_JOURNAL_RECORD_HEADER_BYTES + len, 0,
           pl_journal_record_bytes(len) - PL_JOURNAL_RECORD_HEADER_BYTES - len);
}

static uint32_t header_check(const char *at, uint64_t identity)
{
    return (uint32_t)XXH3_64bits_withSeed(at + AT_LENGTH, AT_CHECK - AT_LENGTH, identity);
}

static uint64_t checksum(const char *at, uint64_t bytes, uint64_t identity)
{
    return XXH3_64bits_withSeed(at + AT_LENGTH, bytes - AT_LENGTH, identity);
}

uint64_t pl_journal_record_stamp(char *at, uint64_t identity, uint64_t durable)
{
    uint64_t bytes = pl_journal_record_bytes(pl_get_le32(at + AT_LENGTH));

    pl_put_le64(at + AT_DURABLE, durable);
    pl_put_le32(at + AT_CHECK, header_check(at, identity));
    pl_put_le64(at + AT_CHECKSUM, checksum(at, bytes, identity));
    return bytes;
}

uint64_t pl_journal_record_peek(struct pl_bytes in, uint64_t identity, uint64_t position)
{
    const char *at = in.data;
    uint32_t length;

    if (in.len < PL_JOURNAL_RECORD_HEADER_BYTES || !pl_journal_record_claims(at, position))
        return 0;
    length = pl_get_le32(at + AT_LENGTH);
    if (length > PL_JOURNAL_PAYLOAD_MAX || pl_get_le32(at + AT_CHECK) != header_check(at, identity))
        return 0;
    return pl_journal_record_bytes(length);
}

bool pl_journal_record_decode(struct pl_bytes in, uint64_t identity, uint64_t position,
                              struct pl_journal_record *record)
{
    uint64_t bytes = pl_journal_record_peek(in, identity, position);
    const char *at = in.data;

    if (bytes == 0 || bytes > in.len)
        return false;
#ifndef PL_MUTANT_TORN_TAIL
    if (pl_get_le64(at + AT_CHECKSUM) != checksum(at, bytes, identity))
        return false;
#endif
    *record = (struct pl_journal_record){
        .kind = (uint8_t)at[AT_KIND],
        .partition = pl_get_le16(at + AT_PARTITION),
        .index = pl_get_le64(at + AT_INDEX),
        .term = pl_get_le64(at + AT_TERM),
        .position = position,
        .durable = pl_get_le64(at + AT_DURABLE),
        .generation = pl_get_le32(at + AT_GENERATION),
        .payload = pl_bytes(at + PL_JOURNAL_RECORD_HEADER_BYTES, pl_get_le32(at + AT_LENGTH)),
    };
    return true;
}

void pl_journal_header_encode(char to[PL_JOURNAL_SEGMENT_HEADER_BYTES],
                              const struct pl_journal_header *header)
{
    memset(to, 0, PL_JOURNAL_SEGMENT_HEADER_BYTES);
    memcpy(to, magic, sizeof magic);
    pl_put_le32(to + 8, PL_JOURNAL_FORMAT);
    pl_put_le64(to + 16, header->identity);
    pl_put_le64(to + 24, header->sequence);
    pl_put_le64(to + 32, header->start);
    pl_put_le64(to + 40, header->bytes);
    pl_put_le32(to + 48, header->generation);
    pl_put_le64(to + 56, XXH3_64bits(to, 56));
}

/*
 * Magic, format and checksum keep their places in every format to come, so that an old server can say
 * "newer".
 */
int pl_journal_header_decode(const char from[PL_JOURNAL_SEGMENT_HEADER_BYTES],
                             struct pl_journal_header *header, uint32_t *format)
{
    if (memcmp(from, magic, sizeof magic) != 0 || pl_get_le64(from + 56) != XXH3_64bits(from, 56))
        return PL_ECORRUPT;
    if (pl_get_le32(from + 8) != PL_JOURNAL_FORMAT) {
        if (format != NULL)
            *format = pl_get_le32(from + 8);
        return PL_EFORMAT;
    }
    *header = (struct pl_journal_header){
        .identity = pl_get_le64(from + 16),
        .sequence = pl_get_le64(from + 24),
        .start = pl_get_le64(from + 32),
        .bytes = pl_get_le64(from + 40),
        .generation = pl_get_le32(from + 48),
    };
    return 0;
}
