/* SPDX-License-Identifier: MIT */
#include "store/journal_scan.h"

#include <stdlib.h>

/*
 * From the last one backwards, each name synced: a crash in between leaves a journal that is cut again the
 * same way.
 */
static int set_aside(const struct pl_journal_place *place, const struct pl_journal_survey *survey,
                     size_t first, struct pl_reason *why)
{
    for (size_t i = survey->segment_count; i-- > first;) {
        char *from = pl_journal_segment_path(place, survey->segments[i].number, ".journal");
        char *to = pl_journal_segment_path(place, survey->segments[i].number, ".damaged");
        int rc = from == NULL || to == NULL ? PL_ENOMEM : pl_disk_rename(place->disk, from, to, why);

        free(from);
        free(to);
        if (rc == 0)
            rc = pl_disk_sync_dir(place->disk, place->dir, why);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int blank(const struct pl_journal_place *place, const struct pl_journal_segment *damaged,
                 uint64_t offset, struct pl_reason *why)
{
    struct pl_journal_segment segment = { 0 };
    int rc = pl_journal_segment_open(place, damaged->number, ".journal", &segment, why);

    if (rc != 0)
        return rc;
    rc = pl_disk_allocate(place->disk, segment.file, offset, segment.bytes, false, why);
    if (rc == 0)
        rc = pl_disk_sync(place->disk, segment.file, why);
    pl_journal_segment_close(place, &segment);
    return rc;
}

static int cut_at_damage(const struct pl_journal_place *place, const struct pl_journal_survey *survey,
                         struct pl_reason *why)
{
    bool keep_part = survey->damaged_offset > 0;
    int rc;

    if (survey->damaged == 0 && !keep_part)
        return PL_ECORRUPT; /* nothing would be left to open; `why` is the survey's */
    rc = set_aside(place, survey, survey->damaged + keep_part, why);
    if (rc == 0 && keep_part)
        rc = blank(place, &survey->segments[survey->damaged], survey->damaged_offset, why);
    return rc;
}

int pl_journal_cut(const struct pl_disk *disk, const char *dir, uint64_t *end, struct pl_reason *why)
{
    struct pl_journal_place place = { .disk = disk, .dir = dir };

    /* Each round ends the journal earlier than the one before, so this comes to an end too. */
    for (;;) {
        struct pl_journal_survey survey;
        int rc = pl_journal_survey_take(disk, dir, NULL, NULL, &survey, why);
        bool sound = rc == 0;

        if (sound)
            *end = survey.end;
        else if (rc == PL_ECORRUPT)
            rc = cut_at_damage(&place, &survey, why);
        pl_journal_survey_deinit(&survey);
        if (sound || rc != 0)
            return rc;
    }
}
