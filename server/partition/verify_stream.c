/* SPDX-License-Identifier: MIT */
#include "partition/stream.h"
#include "partition/verify.h"

#define NAME(table) (int)(table)->name.len, (table)->name.data

/* A shard of a stream, and scratch for its records' keys. */
struct shard {
    struct pl_verify *verify;
    const struct pl_table *table;
    struct pl_stream_walk walk;
    struct pl_buf keys, pk, tail;
};

/* ---- a record --------------------------------------------------------------------------------------- */

static bool is_sound(const struct pl_item *item)
{
    struct pl_item checked;

    return pl_item_check(item->bytes, &checked) == 0 && checked.size_bytes == item->size_bytes;
}

static bool parts_are_sound(const struct pl_stream_record *record)
{
    return (!record->has_keys || is_sound(&record->keys)) && (!record->has_new || is_sound(&record->new)) &&
           (!record->has_old || is_sound(&record->old));
}

/* What the event is, and what the view of its time shows of it. */
static bool parts_fit(const struct pl_stream_record *record)
{
    bool shows_new = record->view == PL_STREAM_NEW_IMAGE || record->view == PL_STREAM_NEW_AND_OLD_IMAGES;
    bool shows_old = record->view == PL_STREAM_OLD_IMAGE || record->view == PL_STREAM_NEW_AND_OLD_IMAGES;

    return record->has_new == (shows_new && record->event != PL_STREAM_REMOVE) &&
           record->has_old == (shows_old && record->event != PL_STREAM_INSERT) &&
           record->has_keys == (!record->has_new && !record->has_old);
}

/* 1: the key is whole, and of this partition; 0: it is not. */
static int is_in_its_partition(struct shard *shard, const struct pl_stream_record *record)
{
    struct pl_item keys;
    int rc;

    pl_buf_clear(&shard->keys);
    pl_buf_clear(&shard->pk);
    pl_buf_clear(&shard->tail);
    rc = pl_stream_record_keys(record, &shard->table->keys, &shard->keys, &keys);
    if (rc != 0)
        return rc;
    if (pl_key_schema_encode(&shard->table->keys, keys, &shard->pk, &shard->tail, NULL) != PL_KEY_WHOLE)
        return 0;
    if (pl_buf_status(&shard->pk) != 0 || pl_buf_status(&shard->tail) != 0)
        return PL_ENOMEM;
    return pl_key_partition(pl_key_hash(pl_buf_view(&shard->pk)), shard->verify->partition_count) ==
           shard->walk.partition;
}

static int check_record(struct shard *shard, const struct pl_stream_record *record, uint64_t trimmed)
{
    unsigned long long sequence = record->sequence;
    int rc;

    shard->verify->stream_records++;
    if (record->sequence <= trimmed)
        pl_verify_fault(shard->verify, "%.*s: stream record %u:%llu is there, and %llu was trimmed",
                        NAME(shard->table), shard->walk.partition, sequence, (unsigned long long)trimmed);
    if (!parts_are_sound(record) || !parts_fit(record)) {
        pl_verify_fault(shard->verify, "%.*s: stream record %u:%llu is malformed", NAME(shard->table),
                        shard->walk.partition, sequence);
        return 0;
    }
    rc = is_in_its_partition(shard, record);
    if (rc == 0)
        pl_verify_fault(shard->verify, "%.*s: stream record %u:%llu is of an item of another partition",
                        NAME(shard->table), shard->walk.partition, sequence);
    return rc < 0 ? rc : 0;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static int check_shard(struct shard *shard)
{
    struct pl_stream_record record;
    uint64_t trimmed = 0;
    int rc = pl_stream_trimmed(&shard->walk, &trimmed);

    if (rc == 0)
        rc = pl_stream_seek(&shard->walk, 1, &record);
    while (rc == 0) {
        rc = check_record(shard, &record, trimmed);
        if (rc == 0)
            rc = pl_stream_next(&shard->walk, &record);
    }
    if (rc == PL_ECORRUPT) {
        pl_verify_fault(shard->verify, "%.*s: partition %u: its stream cannot be read", NAME(shard->table),
                        shard->walk.partition);
        return 0;
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int check_stream(struct pl_verify *verify, const struct pl_table *table)
{
    struct shard shard = { .verify = verify,
                           .table = table,
                           .walk = { .snapshot = verify->snapshot, .stream_id = table->stream_id } };
    int rc = 0;

    for (uint32_t p = 0; p < verify->partition_count && table->stream_id != 0 && rc == 0; p++) {
        shard.walk.partition = (uint16_t)p;
        rc = check_shard(&shard);
    }
    pl_buf_deinit(&shard.keys);
    pl_buf_deinit(&shard.pk);
    pl_buf_deinit(&shard.tail);
    return rc;
}

int pl_verify_streams(struct pl_verify *verify)
{
    const struct pl_tables *tables = verify->tables;
    int rc = 0;

    for (uint32_t i = 0; i < tables->count && rc == 0; i++)
        rc = check_stream(verify, tables->tables[i]);
    for (uint32_t i = 0; i < tables->closed_stream_count && rc == 0; i++)
        rc = check_stream(verify, tables->closed_streams[i].table);
    return rc;
}
