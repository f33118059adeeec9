/* SPDX-License-Identifier: MIT */
#include "partition/letter.h"
#include "partition/progress.h"
#include "partition/verify.h"

#define NAME(bytes) (int)(bytes).len, (bytes).data

/* What one trigger has left: how far it is, and its dead letters. */
struct walk {
    struct pl_verify *verify;
    const struct pl_table *table;
    const struct pl_trigger *trigger;
    uint64_t letters, size_bytes;
};

static bool is_progress(struct pl_bytes key, struct pl_bytes value)
{
    struct pl_progress progress;

    return key.len == PL_PROGRESS_KEY_BYTES && (uint8_t)key.data[key.len - 1] < PL_PROGRESS_SLOTS_MAX &&
           pl_progress_read(value, &progress) == 0 && progress.parallel > 0 &&
           progress.parallel <= PL_PROGRESS_SLOTS_MAX;
}

static bool is_letter(struct walk *walk, struct pl_bytes key, struct pl_bytes value)
{
    struct pl_stream_record record;
    struct pl_letter letter;

    if (pl_letter_read(key, value, &letter) != 0 ||
        pl_letter_record(&letter, walk->table->stream_id, &record) != 0)
        return false;
    walk->letters++;
    walk->size_bytes += letter.record.len;
    return true;
}

static int walk_partition(struct walk *walk, uint16_t partition)
{
    uint8_t first[PL_PROGRESS_KEY_BYTES];
    size_t prefix = 2 + 1 + 4;
    struct pl_bytes key, value;
    int rc = pl_snapshot_seek(walk->verify->snapshot, pl_progress_key(first, partition, walk->trigger->id, 0),
                              &key, &value);

    while (rc == 0 && key.len > prefix && memcmp(key.data, first, prefix) == 0) {
        if (!is_progress(key, value) && !is_letter(walk, key, value))
            pl_verify_fault(walk->verify, "%.*s/%.*s: partition %u: a record of the trigger is malformed",
                            NAME(walk->table->name), NAME(walk->trigger->name), partition);
        rc = pl_snapshot_next(walk->verify->snapshot, &key, &value);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static void compare_counts(const struct walk *walk)
{
    struct pl_count counted = pl_counters_total(walk->verify->counters, walk->trigger->id);

    if ((uint64_t)counted.items != walk->letters || (uint64_t)counted.size_bytes != walk->size_bytes)
        pl_verify_fault(walk->verify,
                        "%.*s/%.*s: counted %lld dead letters of %lld bytes, found %llu of %llu",
                        NAME(walk->table->name), NAME(walk->trigger->name), (long long)counted.items,
                        (long long)counted.size_bytes, (unsigned long long)walk->letters,
                        (unsigned long long)walk->size_bytes);
}

static int check_trigger(struct walk *walk)
{
    int rc = 0;

    for (uint32_t p = 0; p < walk->verify->partition_count && rc == 0; p++) {
        rc = walk_partition(walk, (uint16_t)p);
        if (rc == PL_ECORRUPT) {
            pl_verify_fault(walk->verify, "%.*s/%.*s: partition %u: stored data failed its checksum",
                            NAME(walk->table->name), NAME(walk->trigger->name), p);
            rc = 0;
        }
    }
    if (rc == 0)
        compare_counts(walk);
    return rc;
}

int pl_verify_triggers(struct pl_verify *verify)
{
    int rc = 0;

    for (uint32_t t = 0; t < verify->tables->count; t++) {
        const struct pl_table *table = verify->tables->tables[t];

        for (uint32_t i = 0; i < table->trigger_count && rc == 0; i++) {
            struct walk walk = { .verify = verify, .table = table, .trigger = &table->triggers[i] };

            rc = check_trigger(&walk);
        }
    }
    return rc;
}
