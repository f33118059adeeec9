/* SPDX-License-Identifier: MIT */
#include "partition/heads.h"

#include "model/key.h"

enum { KEY_BYTES = 2 + 1 + 4, VALUE_BYTES = 16 };

static struct pl_bytes head_key(uint8_t key[KEY_BYTES], uint16_t partition, uint32_t id)
{
    pl_put_be16(key, partition);
    key[2] = PL_KIND_HEAD;
    pl_put_be32(key + 3, id);
    return pl_bytes(key, KEY_BYTES);
}

static int load_one(struct pl_group *group, struct pl_counters *counters, uint32_t id, struct pl_bytes value)
{
    uint64_t first, second;

    if (value.len != VALUE_BYTES)
        return PL_ECORRUPT;
    first = pl_get_le64(value.data);
    second = pl_get_le64(value.data + 8);
    if (id != 0)
        return pl_counters_add(counters, group->partition, id, (int64_t)first, (int64_t)second);
    group->applied_index = group->last_index = first;
    group->term = second;
    return 0;
}

static int load_partition(struct pl_cursor *cursor, struct pl_group *group, struct pl_counters *counters)
{
    uint8_t first[KEY_BYTES];
    struct pl_bytes key, value;
    int rc = pl_cursor_seek(cursor, head_key(first, group->partition, 0), &key, &value);

    while (rc == 0 && key.len == KEY_BYTES && memcmp(key.data, first, 3) == 0) {
        rc = load_one(group, counters, pl_get_be32(key.data + 3), value);
        if (rc == 0)
            rc = pl_cursor_next(cursor, &key, &value);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

int pl_heads_load(struct pl_txn *txn, struct pl_group *groups, uint32_t partition_count,
                  struct pl_counters *counters, struct pl_reason *why)
{
    struct pl_cursor *cursor;
    int rc = pl_cursor_open(txn, &cursor);

    if (rc != 0)
        return rc;
    for (uint32_t p = 0; p < partition_count && rc == 0; p++) {
        rc = load_partition(cursor, &groups[p], counters);
        if (rc == PL_ECORRUPT)
            pl_reason_set(why, rc, "the counters of partition %u cannot be read", p);
    }
    pl_cursor_close(cursor);
    if (rc == 0)
        pl_counters_settle(counters);
    return rc;
}

static int put(struct pl_state *state, uint16_t partition, uint32_t id, uint64_t first, uint64_t second)
{
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];

    pl_put_le64(value, first);
    pl_put_le64(value + 8, second);
    return pl_state_set(state, head_key(key, partition, id), pl_bytes(value, VALUE_BYTES), false);
}

static int write_count(void *state, const struct pl_count *count)
{
    uint8_t key[KEY_BYTES];

    if (count->items != 0 || count->size_bytes != 0)
        return put(state, count->partition, count->id, (uint64_t)count->items, (uint64_t)count->size_bytes);
    return pl_state_set(state, head_key(key, count->partition, count->id), pl_bytes(NULL, 0), true);
}

int pl_heads_write(struct pl_state *state, const struct pl_group *groups, uint32_t partition_count,
                   struct pl_counters *counters)
{
    int rc = 0;

    for (uint32_t p = 0; p < partition_count && rc == 0; p++)
        if (groups[p].applied_index > 0)
            rc = put(state, (uint16_t)p, 0, groups[p].applied_index, groups[p].term);
    return rc != 0 ? rc : pl_counters_each_changed(counters, write_count, state);
}
