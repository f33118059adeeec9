/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a journal: opening them never crashes, shows only records that are sound, and what it leaves
 * opens
 * again with the same records. The input is one or more segments, each behind two bytes that give
 * its length in units of 64; the first byte of all says whether headers and records get their checksums put
 * right, so
 * that the fuzzer reaches what lies behind them.
 */
#include "store/journal_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { SEGMENTS_MAX = 3, IDENTITY = 7 };

struct seen {
    uint64_t records;
    uint64_t digest;
    uint64_t next;
};

static char dir[] = "/dev/shm/perilune-fuzz-XXXXXX";

static void require(bool truth)
{
    if (!truth)
        abort();
}

static int see(void *arg, const struct pl_journal_record *record)
{
    struct seen *seen = arg;

    require(seen->records == 0 || record->position == seen->next);
    seen->next = record->position + pl_journal_record_bytes(record->payload.len);
    seen->records++;
    seen->digest =
        XXH3_64bits_withSeed(record->payload.data, record->payload.len, seen->digest + record->kind);
    return 0;
}

/* Records that claim to stand where they stand become sound, unless their payload would leave the segment. */
static void mend(char *segment, size_t len, uint64_t sequence)
{
    struct pl_journal_header header = { .identity = IDENTITY, .sequence = sequence, .bytes = len };

    if (len < PL_JOURNAL_DATA_OFFSET + PL_JOURNAL_RECORD_HEADER_BYTES)
        return;
    header.start = pl_get_le64(segment + 32) % 4096 * 8;
    header.generation = (uint8_t)segment[48];
    pl_journal_header_encode(segment, &header);
    for (size_t at = PL_JOURNAL_DATA_OFFSET; at + PL_JOURNAL_RECORD_HEADER_BYTES <= len;) {
        uint32_t payload = pl_get_le32(segment + at + 8) % 512;
        uint64_t bytes = pl_journal_record_bytes(payload);

        if (segment[at] == 0 || bytes > len - at) {
            at += 8;
            continue;
        }
        pl_put_le32(segment + at + 8, payload);
        pl_put_le64(segment + at + 32, header.start + at - PL_JOURNAL_DATA_OFFSET);
        pl_journal_record_stamp(segment + at, IDENTITY, pl_get_le64(segment + at + 40) % 16384);
        at += bytes;
    }
}

static void write_file(uint64_t sequence, const char *bytes, size_t len)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%016llx.journal", dir, (unsigned long long)sequence);
    out = fopen(path, "wb");
    require(out != NULL && fwrite(bytes, 1, len, out) == len && fclose(out) == 0);
}

static void empty_dir(const struct pl_disk *disk)
{
    struct pl_names names = { 0 };

    require(pl_disk_list(disk, dir, &names, NULL) == 0);
    for (size_t i = 0; i < names.count; i++) {
        char *path = pl_disk_join(dir, names.names[i]);

        require(path != NULL && unlink(path) == 0);
        free(path);
    }
    pl_names_deinit(&names);
}

static void lay_out(const uint8_t *data, size_t size)
{
    bool sound = data[0] & 1;
    size_t at = 1;

    for (uint64_t sequence = 1; sequence <= SEGMENTS_MAX && at + 2 <= size; sequence++) {
        size_t len = (size_t)pl_get_le16(data + at) % 256 * 64, given = size - at - 2;
        char *segment = calloc(1, PL_JOURNAL_DATA_OFFSET + len);

        require(segment != NULL);
        at += 2;
        given = given < 64 + len ? given : 64 + len;
        memcpy(segment, data + at, given < 64 ? given : 64); /* the header's page is mostly empty */
        if (given > 64)
            memcpy(segment + PL_JOURNAL_DATA_OFFSET, data + at + 64, given - 64);
        at += given;
        if (sound)
            mend(segment, PL_JOURNAL_DATA_OFFSET + len, sequence);
        write_file(sequence, segment, PL_JOURNAL_DATA_OFFSET + len);
        free(segment);
    }
}

static void remove_dir(void)
{
    struct pl_disk disk = pl_disk_system();

    empty_dir(&disk);
    rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pl_disk disk;
    struct pl_journal_options options = { .disk = &disk,
                                          .segment_bytes = 16384,
                                          .first_segment_bytes = 16384 };
    struct pl_journal_extent extent;
    struct pl_journal *journal = NULL;
    struct seen first = { 0 }, second = { 0 };
    int rc;

    if (disk.open == NULL) {
        disk = pl_disk_system();
        require(mkdtemp(dir) != NULL && atexit(remove_dir) == 0);
    }
    if (size < 3)
        return 0;
    empty_dir(&disk);
    lay_out(data, size);
    rc = pl_journal_open(dir, &options, see, &first, &journal, NULL);
    if (rc != 0) {
        uint64_t end;

        require(journal == NULL);
        require(pl_journal_scan(&disk, dir, NULL, NULL, &extent, NULL) == rc);
        if (pl_journal_cut(&disk, dir, &end, NULL) == 0) /* what is cut opens */
            require(pl_journal_scan(&disk, dir, NULL, NULL, &extent, NULL) == 0 && extent.end == end);
        return 0;
    }
    pl_journal_close(journal);
    require(pl_journal_open(dir, &options, see, &second, &journal, NULL) == 0);
    require(first.records == second.records && first.digest == second.digest && first.next == second.next);
    pl_journal_close(journal);
    return 0;
}
