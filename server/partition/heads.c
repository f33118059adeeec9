/* SPDX-License-Identifier: MIT */
#include "partition/heads.h"

#include "model/key.h"

enum { KEY_BYTES = 2 + 1 + 4, HEAD_BYTES = 24, COUNT_BYTES = 16 };

static struct pl_bytes head_key(uint8_t key[KEY_BYTES], uint16_t partition, uint32_t id)
{
    pl_put_be16(key, partition);
    key[2] = PL_KIND_HEAD;
    pl_put_be32(key + 3, id);
    return pl_bytes(key, KEY_BYTES);
}

static int load_head(const struct pl_heads *heads, uint16_t partition, struct pl_bytes value)
{
    struct pl_group *group = &heads->groups[partition];

    if (value.len != HEAD_BYTES)
        return PL_ECORRUPT;
    group->applied_index = group->last_index = pl_get_le64(value.data);
    group->term = pl_get_le64(value.data + 8);
    pl_sequences_restore(heads->sequences, partition, pl_get_le64(value.data + 16));
    return 0;
}

static int load_count(const struct pl_heads *heads, uint16_t partition, uint32_t id, struct pl_bytes value)
{
    if (value.len != COUNT_BYTES)
        return PL_ECORRUPT;
    return pl_counters_add(heads->counters, partition, id, (int64_t)pl_get_le64(value.data),
                           (int64_t)pl_get_le64(value.data + 8));
}

static int load_partition(const struct pl_heads *heads, struct pl_cursor *cursor, uint16_t partition)
{
    uint8_t first[KEY_BYTES];
    struct pl_bytes key, value;
    int rc = pl_cursor_seek(cursor, head_key(first, partition, 0), &key, &value);

    while (rc == 0 && key.len == KEY_BYTES && memcmp(key.data, first, 3) == 0) {
        uint32_t id = pl_get_be32(key.data + 3);

        rc = id == 0 ? load_head(heads, partition, value) : load_count(heads, partition, id, value);
        if (rc == 0)
            rc = pl_cursor_next(cursor, &key, &value);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

int pl_heads_load(const struct pl_heads *heads, struct pl_txn *txn, struct pl_reason *why)
{
    struct pl_cursor *cursor;
    int rc = pl_cursor_open(txn, &cursor);

    if (rc != 0)
        return rc;
    for (uint32_t p = 0; p < heads->partition_count && rc == 0; p++) {
        rc = load_partition(heads, cursor, (uint16_t)p);
        if (rc == PL_ECORRUPT)
            pl_reason_set(why, rc, "the counters of partition %u cannot be read", p);
    }
    pl_cursor_close(cursor);
    if (rc == 0)
        pl_counters_settle(heads->counters);
    return rc;
}

static int write_head(const struct pl_heads *heads, struct pl_state *state, uint16_t partition)
{
    uint64_t sequence = pl_sequences_applied(heads->sequences, partition);
    uint8_t key[KEY_BYTES], value[HEAD_BYTES];

    if (heads->groups[partition].applied_index == 0 && sequence == 0)
        return 0;
    pl_put_le64(value, heads->groups[partition].applied_index);
    pl_put_le64(value + 8, heads->groups[partition].term);
    pl_put_le64(value + 16, sequence);
    return pl_state_set(state, head_key(key, partition, 0), pl_bytes(value, HEAD_BYTES), false);
}

static int write_count(void *state, const struct pl_count *count)
{
    bool gone = count->items == 0 && count->size_bytes == 0;
    uint8_t key[KEY_BYTES], value[COUNT_BYTES];

    pl_put_le64(value, (uint64_t)count->items);
    pl_put_le64(value + 8, (uint64_t)count->size_bytes);
    return pl_state_set(state, head_key(key, count->partition, count->id),
                        gone ? pl_bytes(NULL, 0) : pl_bytes(value, COUNT_BYTES), gone);
}

int pl_heads_write(const struct pl_heads *heads, struct pl_state *state)
{
    int rc = 0;

    for (uint32_t p = 0; p < heads->partition_count && rc == 0; p++)
        rc = write_head(heads, state, (uint16_t)p);
    return rc != 0 ? rc : pl_counters_each_changed(heads->counters, write_count, state);
}
