/* SPDX-License-Identifier: MIT */
#include "model/record.h"

enum { SINGLE = 0x00, BUCKET = 0x01, WIDE_LENGTH_BYTES = 4 };

int pl_record_open(struct pl_bytes record, struct pl_record_cursor *out)
{
    if (record.len == 0 || (uint8_t)record.data[0] > BUCKET)
        return PL_ECORRUPT;
    out->rest = pl_bytes(record.data + 1, record.len - 1);
    out->bucket = (uint8_t)record.data[0] == BUCKET;
    out->done = false;
    return 0;
}

static struct pl_bytes take_wide(struct pl_bytes *in)
{
    struct pl_bytes taken;
    uint32_t len;

    PL_ASSERT(in->len >= WIDE_LENGTH_BYTES);
    len = pl_get_le32(in->data);
    PL_ASSERT(len <= in->len - WIDE_LENGTH_BYTES);
    taken = pl_bytes(in->data + WIDE_LENGTH_BYTES, len);
    *in = pl_bytes(taken.data + len, in->len - WIDE_LENGTH_BYTES - len);
    return taken;
}

static void take_entry(struct pl_bytes *in, struct pl_record_entry *out)
{
    out->full_key = take_wide(in);
    PL_ASSERT(pl_bytes_take_varint(in, &out->item.size_bytes));
    out->item.bytes = take_wide(in);
}

bool pl_record_next(struct pl_record_cursor *cursor, struct pl_record_entry *out)
{
    if (cursor->done)
        return false;
    if (cursor->bucket) {
        if (cursor->rest.len == 0) {
            cursor->done = true;
            return false;
        }
        take_entry(&cursor->rest, out);
        return true;
    }
    cursor->done = true;
    out->full_key = (struct pl_bytes){ 0 };
    PL_ASSERT(pl_bytes_take_varint(&cursor->rest, &out->item.size_bytes));
    out->item.bytes = cursor->rest;
    return true;
}

bool pl_record_find(struct pl_bytes record, struct pl_bytes full_key, struct pl_item *out)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;

    if (pl_record_open(record, &cursor) != 0)
        return false;
    while (pl_record_next(&cursor, &entry)) {
        int order = cursor.bucket ? pl_bytes_compare(entry.full_key, full_key) : 0;

        if (order < 0)
            continue;
        if (order == 0)
            *out = entry.item;
        return order == 0;
    }
    return false;
}

void pl_record_write_single(struct pl_buf *out, struct pl_item item)
{
    if (pl_buf_reserve(out, 1 + PL_VARINT_MAX + item.bytes.len) == NULL)
        return;
    pl_buf_append_byte(out, SINGLE);
    pl_buf_append_varint(out, item.size_bytes);
    pl_buf_append_bytes(out, item.bytes);
}

static void append_wide(struct pl_buf *out, struct pl_bytes bytes)
{
    uint8_t len[WIDE_LENGTH_BYTES];

    PL_ASSERT(bytes.len <= UINT32_MAX);
    pl_put_le32(len, (uint32_t)bytes.len);
    pl_buf_append(out, len, sizeof len);
    pl_buf_append_bytes(out, bytes);
}

static void append_entry(struct pl_buf *out, struct pl_bytes full_key, const struct pl_item *item)
{
    append_wide(out, full_key);
    pl_buf_append_varint(out, item->size_bytes);
    append_wide(out, item->bytes);
}

/* Cut a bucket's entries in two: those before `full_key`, and those after it. */
static void split(struct pl_bytes entries, struct pl_bytes full_key, struct pl_bytes *before,
                  struct pl_bytes *after)
{
    struct pl_bytes rest = entries;
    struct pl_record_entry entry;

    *after = (struct pl_bytes){ 0 };
    *before = entries;
    while (rest.len > 0) {
        struct pl_bytes from = rest;
        int order;

        take_entry(&rest, &entry);
        order = pl_bytes_compare(entry.full_key, full_key);
        if (order < 0)
            continue;
        before->len = (size_t)(from.data - entries.data);
        *after = order == 0 ? rest : from;
        return;
    }
}

void pl_record_write_bucket(struct pl_buf *out, struct pl_bytes record, struct pl_bytes full_key,
                            const struct pl_item *item)
{
    struct pl_bytes before = { 0 }, after = { 0 };

    if (record.len > 0) {
        PL_ASSERT((uint8_t)record.data[0] == BUCKET);
        split(pl_bytes(record.data + 1, record.len - 1), full_key, &before, &after);
    }
    if (item == NULL && before.len == 0 && after.len == 0)
        return;
    pl_buf_append_byte(out, BUCKET);
    pl_buf_append_bytes(out, before);
    if (item != NULL)
        append_entry(out, full_key, item);
    pl_buf_append_bytes(out, after);
}
