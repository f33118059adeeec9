/* SPDX-License-Identifier: MIT */
#include "store/journal_segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_DIGITS = 16, NAME_MAX_BYTES = 32 };

bool pl_journal_segment_number(const char *name, const char *suffix, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;

    if (strlen(name) < NUMBER_DIGITS || strcmp(name + NUMBER_DIGITS, suffix) != 0)
        return false;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        const char *digit = strchr(digits, name[i]);

        if (digit == NULL)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *number = value;
    return true;
}

char *pl_journal_segment_path(const struct pl_journal_place *place, uint64_t number, const char *suffix)
{
    char name[NAME_MAX_BYTES];

    snprintf(name, sizeof name, "%016" PRIx64 "%s", number, suffix);
    return pl_disk_join(place->dir, name);
}

static int fill(const struct pl_journal_place *place, const char *making, const char *reserve,
                struct pl_journal_segment *spare, bool paced, struct pl_reason *why)
{
    int rc = pl_disk_open(place->disk, making, PL_DISK_WRITE | PL_DISK_CREATE, &spare->file, why);

    if (rc != 0)
        return rc;
    rc = pl_disk_truncate(place->disk, spare->file, 0,
                          why); /* an earlier attempt may have left a longer one */
    if (rc == 0)
        rc = pl_disk_allocate(place->disk, spare->file, 0, spare->bytes, paced, why);
    if (rc == 0)
        rc = pl_disk_rename(place->disk, making, reserve, why);
    if (rc != 0) {
        pl_disk_close(place->disk, spare->file);
        (void)pl_disk_remove(place->disk, making, NULL); /* if not, the next opening does it */
    }
    return rc;
}

int pl_journal_segment_make(const struct pl_journal_place *place, uint64_t number, uint64_t bytes, bool paced,
                            struct pl_journal_segment *spare, struct pl_reason *why)
{
    struct pl_journal_segment made = { .number = number, .bytes = bytes };
    char *making = pl_journal_segment_path(place, number, ".making");
    char *reserve = pl_journal_segment_path(place, number, ".reserve");
    int rc = making == NULL || reserve == NULL ? PL_ENOMEM : fill(place, making, reserve, &made, paced, why);

    free(making);
    free(reserve);
    if (rc == 0)
        *spare = made;
    return rc;
}

int pl_journal_segment_open(const struct pl_journal_place *place, uint64_t number, const char *suffix,
                            struct pl_journal_segment *segment, struct pl_reason *why)
{
    char *path = pl_journal_segment_path(place, number, suffix);
    struct pl_journal_segment opened = { .number = number, .start = segment->start };
    int rc = path == NULL ? PL_ENOMEM : pl_disk_open(place->disk, path, PL_DISK_WRITE, &opened.file, why);

    free(path);
    if (rc != 0)
        return rc;
    rc = pl_disk_size(place->disk, opened.file, &opened.bytes, why);
    if (rc != 0) {
        pl_disk_close(place->disk, opened.file);
        return rc;
    }
    *segment = opened;
    return 0;
}

/* A failure here is told apart from one before: the change is made, and may or may not last. */
static int sync_names(const struct pl_journal_place *place, struct pl_reason *why)
{
    return pl_disk_sync_dir(place->disk, place->dir, why) == 0 ? 0 : PL_EUNSURE;
}

static int rename_synced(const struct pl_journal_place *place, uint64_t from, const char *from_suffix,
                         uint64_t to, const char *to_suffix, struct pl_reason *why)
{
    char *from_path = pl_journal_segment_path(place, from, from_suffix);
    char *to_path = pl_journal_segment_path(place, to, to_suffix);
    int rc = from_path == NULL || to_path == NULL ? PL_ENOMEM
                                                  : pl_disk_rename(place->disk, from_path, to_path, why);

    free(from_path);
    free(to_path);
    return rc != 0 ? rc : sync_names(place, why);
}

int pl_journal_segment_begin(const struct pl_journal_place *place, struct pl_journal_segment *spare,
                             uint64_t sequence, uint64_t start, uint32_t generation, struct pl_reason *why)
{
    struct pl_journal_header header = {
        .identity = place->identity,
        .sequence = sequence,
        .start = start,
        .bytes = spare->bytes,
        .generation = generation,
    };
    char bytes[PL_JOURNAL_SEGMENT_HEADER_BYTES];
    int rc;

    pl_journal_header_encode(bytes, &header);
    rc = pl_disk_write(place->disk, spare->file, bytes, sizeof bytes, 0, why);
    if (rc == 0)
        rc = pl_disk_sync(place->disk, spare->file, why);
    if (rc == 0)
        rc = rename_synced(place, spare->number, ".reserve", sequence, ".journal", why);
    if (rc != 0)
        return rc;
    spare->number = sequence;
    spare->start = start;
    return 0;
}

int pl_journal_segment_recycle(const struct pl_journal_place *place, uint64_t sequence, uint64_t number,
                               struct pl_reason *why)
{
    return rename_synced(place, sequence, ".journal", number, ".reserve", why);
}

int pl_journal_segment_remove(const struct pl_journal_place *place, uint64_t number, const char *suffix,
                              struct pl_reason *why)
{
    char *path = pl_journal_segment_path(place, number, suffix);
    int rc = path == NULL ? PL_ENOMEM : pl_disk_remove(place->disk, path, why);

    free(path);
    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    return sync_names(place, why);
}

void pl_journal_segment_close(const struct pl_journal_place *place, struct pl_journal_segment *segment)
{
    pl_disk_close(place->disk, segment->file);
    segment->file = NULL;
}
