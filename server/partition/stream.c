/* SPDX-License-Identifier: MIT */
#include "partition/stream.h"

#include "partition/change.h"

enum {
    FORMAT = 1,
    TRIM_FORMAT = 2,
    TRIM_BYTES = 1 + 8,
    HEAD_BYTES = 6 + 8,
    PART_HEAD_BYTES = 8,
    ID_AT = 3,
    SEQUENCE_AT = 7
};
enum { HAS_KEYS = 1, HAS_NEW = 2, HAS_OLD = 4, ALL_PARTS = 7 };

const char *pl_stream_event_name(enum pl_stream_event event)
{
    return event == PL_STREAM_INSERT ? "insert" : event == PL_STREAM_MODIFY ? "modify" : "remove";
}

struct pl_bytes pl_stream_key(uint8_t key[PL_STREAM_KEY_BYTES], uint16_t partition, uint32_t stream_id,
                              uint64_t sequence)
{
    pl_put_be16(key, partition);
    key[2] = PL_KIND_STREAM;
    pl_put_be32(key + ID_AT, stream_id);
    pl_put_be64(key + SEQUENCE_AT, sequence);
    return pl_bytes(key, PL_STREAM_KEY_BYTES);
}

/* ---- the keys --------------------------------------------------------------------------------------- */

/* An item's entries are sorted by name, and so are some of them in their order. */
static uint32_t append_keys(struct pl_buf *out, const struct pl_key_schema *keys, struct pl_item item)
{
    struct pl_bytes rest = item.bytes, name;
    struct pl_value value;
    uint32_t size_bytes = 0;

    for (const char *at = rest.data; pl_entry_take(&rest, &name, &value); at = rest.data) {
        if (!pl_key_schema_has(keys, name))
            continue;
        pl_buf_append(out, at, (size_t)(rest.data - at));
        size_bytes += (uint32_t)name.len + pl_value_size_bytes(value);
    }
    return size_bytes;
}

static struct pl_item any_image(const struct pl_stream_record *record)
{
    return record->has_new ? record->new : record->old;
}

int pl_stream_record_keys(const struct pl_stream_record *record, const struct pl_key_schema *keys,
                          struct pl_buf *buf, struct pl_item *out)
{
    size_t start = buf->len;
    uint32_t size_bytes;

    if (record->has_keys) {
        *out = record->keys;
        return 0;
    }
    size_bytes = append_keys(buf, keys, any_image(record));
    if (pl_buf_status(buf) != 0)
        return PL_ENOMEM;
    *out = (struct pl_item){ .size_bytes = size_bytes };
    if (buf->len > start) /* a damaged image may have none of them */
        out->bytes = pl_bytes(buf->data + start, buf->len - start);
    return 0;
}

static uint32_t keys_size_bytes(const struct pl_key_schema *keys, struct pl_item item)
{
    struct pl_bytes rest = item.bytes, name;
    struct pl_value value;
    uint32_t size_bytes = 0;

    while (pl_entry_take(&rest, &name, &value))
        if (pl_key_schema_has(keys, name))
            size_bytes += (uint32_t)name.len + pl_value_size_bytes(value);
    return size_bytes;
}

uint32_t pl_stream_record_size_bytes(const struct pl_stream_record *record, const struct pl_key_schema *keys)
{
    uint32_t size_bytes =
        record->has_keys ? record->keys.size_bytes : keys_size_bytes(keys, any_image(record));

    return size_bytes + (record->has_new ? record->new.size_bytes : 0) +
           (record->has_old ? record->old.size_bytes : 0);
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static bool shows_new(enum pl_stream_view view)
{
    return view == PL_STREAM_NEW_IMAGE || view == PL_STREAM_NEW_AND_OLD_IMAGES;
}

static bool shows_old(enum pl_stream_view view)
{
    return view == PL_STREAM_OLD_IMAGE || view == PL_STREAM_NEW_AND_OLD_IMAGES;
}

static void put_head(struct pl_buf *out, const struct pl_stream_write *write, uint8_t parts)
{
    uint8_t head[HEAD_BYTES] = { FORMAT,
                                 write->old == NULL   ? PL_STREAM_INSERT
                                 : write->new == NULL ? PL_STREAM_REMOVE
                                                      : PL_STREAM_MODIFY,
                                 (uint8_t)write->table->stream,
                                 (uint8_t)write->actor,
                                 write->cascade_depth,
                                 parts };

    pl_put_le64(head + 6, (uint64_t)write->at_ms);
    pl_buf_append(out, head, sizeof head);
}

static void put_part_head(uint8_t head[PART_HEAD_BYTES], uint32_t size_bytes, size_t len)
{
    pl_put_le32(head, size_bytes);
    pl_put_le32(head + 4, (uint32_t)len);
}

static void put_image(struct pl_buf *out, const struct pl_item *item)
{
    uint8_t head[PART_HEAD_BYTES];

    put_part_head(head, item->size_bytes, item->bytes.len);
    pl_buf_append(out, head, sizeof head);
    pl_buf_append_bytes(out, item->bytes);
}

static void put_keys(struct pl_buf *out, const struct pl_key_schema *keys, const struct pl_item *item)
{
    uint8_t head[PART_HEAD_BYTES] = { 0 };
    size_t start = out->len;
    uint32_t size_bytes;

    pl_buf_append(out, head, sizeof head);
    size_bytes = append_keys(out, keys, *item);
    if (pl_buf_status(out) == 0)
        put_part_head((uint8_t *)out->data + start, size_bytes, out->len - start - PART_HEAD_BYTES);
}

void pl_stream_append(const struct pl_stream_write *write, struct pl_buf *scratch, struct pl_buf *change)
{
    bool new_image = write->new != NULL &&shows_new(write->table->stream);
    bool old_image = write->old != NULL && shows_old(write->table->stream);
    bool keys_alone = !new_image && !old_image;
    uint8_t key[PL_STREAM_KEY_BYTES];

    PL_ASSERT(write->table->stream_id != 0 && (write->old != NULL || write->new != NULL));
    pl_buf_clear(scratch);
    put_head(scratch, write,
             (uint8_t)((keys_alone ? HAS_KEYS : 0) | (new_image ? HAS_NEW : 0) | (old_image ? HAS_OLD : 0)));
    if (keys_alone)
        put_keys(scratch, &write->table->keys, write->new != NULL ? write->new : write->old);
    if (new_image)
        put_image(scratch, write->new);
    if (old_image)
        put_image(scratch, write->old);
    pl_change_put(change, pl_stream_key(key, write->partition, write->table->stream_id, write->sequence),
                  pl_buf_view(scratch));
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool take_part(struct pl_bytes *in, struct pl_item *out)
{
    uint32_t len;

    if (in->len < PART_HEAD_BYTES)
        return false;
    out->size_bytes = pl_get_le32(in->data);
    len = pl_get_le32(in->data + 4);
    if (in->len - PART_HEAD_BYTES < len)
        return false;
    out->bytes = pl_bytes(in->data + PART_HEAD_BYTES, len);
    in->data += PART_HEAD_BYTES + len;
    in->len -= PART_HEAD_BYTES + len;
    return true;
}

static bool take_parts(struct pl_bytes in, uint8_t parts, struct pl_stream_record *out)
{
    out->has_keys = (parts & HAS_KEYS) != 0;
    out->has_new = (parts & HAS_NEW) != 0;
    out->has_old = (parts & HAS_OLD) != 0;
    return (!out->has_keys || take_part(&in, &out->keys)) && (!out->has_new || take_part(&in, &out->new)) &&
           (!out->has_old || take_part(&in, &out->old)) && in.len == 0;
}

int pl_stream_record_read(struct pl_bytes key, struct pl_bytes value, struct pl_stream_record *out)
{
    struct pl_stream_record record = { 0 };
    const uint8_t *head = (const uint8_t *)value.data;

    if (key.len != PL_STREAM_KEY_BYTES || value.len < HEAD_BYTES || head[0] != FORMAT ||
        head[1] < PL_STREAM_INSERT || head[1] > PL_STREAM_REMOVE || head[2] < PL_STREAM_KEYS_ONLY ||
        head[2] > PL_STREAM_NEW_AND_OLD_IMAGES || head[3] > PL_ACTOR_EXPIRY || head[5] == 0 ||
        head[5] > ALL_PARTS)
        return PL_ECORRUPT;
    record.partition = pl_get_be16(key.data);
    record.sequence = pl_get_be64(key.data + SEQUENCE_AT);
    record.event = head[1];
    record.view = head[2];
    record.actor = head[3];
    record.cascade_depth = head[4];
    record.at_ms = (int64_t)pl_get_le64(head + 6);
    if (!take_parts(pl_bytes(value.data + HEAD_BYTES, value.len - HEAD_BYTES), head[5], &record))
        return PL_ECORRUPT;
    *out = record;
    return 0;
}

/* ---- walking ---------------------------------------------------------------------------------------- */

static int arrive(const struct pl_stream_walk *walk, int rc, struct pl_bytes key, struct pl_bytes value,
                  struct pl_stream_record *out)
{
    uint8_t first[PL_STREAM_KEY_BYTES];

    if (rc != 0)
        return rc;
    pl_stream_key(first, walk->partition, walk->stream_id, 0);
    if (key.len < SEQUENCE_AT || memcmp(key.data, first, SEQUENCE_AT) != 0)
        return PL_ENOTFOUND;
    return pl_stream_record_read(key, value, out);
}

int pl_stream_seek(const struct pl_stream_walk *walk, uint64_t sequence, struct pl_stream_record *out)
{
    struct pl_bytes key, value;
    uint8_t bytes[PL_STREAM_KEY_BYTES];
    int rc;

    if (sequence == 0)
        sequence = 1; /* what stands there is no record */
    rc = pl_snapshot_seek(walk->snapshot, pl_stream_key(bytes, walk->partition, walk->stream_id, sequence),
                          &key, &value);
    return arrive(walk, rc, key, value, out);
}

int pl_stream_next(const struct pl_stream_walk *walk, struct pl_stream_record *out)
{
    struct pl_bytes key, value;
    int rc = pl_snapshot_next(walk->snapshot, &key, &value);

    return arrive(walk, rc, key, value, out);
}

/* ---- trimming --------------------------------------------------------------------------------------- */

int pl_stream_trimmed(const struct pl_stream_walk *walk, uint64_t *out)
{
    uint8_t key[PL_STREAM_KEY_BYTES];
    struct pl_bytes value;
    int rc = pl_snapshot_get(walk->snapshot, pl_stream_key(key, walk->partition, walk->stream_id, 0), &value);

    if (rc == PL_ENOTFOUND) {
        *out = 0;
        return 0;
    }
    if (rc != 0)
        return rc;
    if (value.len != TRIM_BYTES || value.data[0] != TRIM_FORMAT)
        return PL_ECORRUPT;
    *out = pl_get_le64(value.data + 1);
    return 0;
}

int pl_stream_last(const struct pl_stream_walk *walk, uint64_t *out)
{
    uint8_t bytes[PL_STREAM_KEY_BYTES];
    struct pl_stream_record record;
    struct pl_bytes key, value;
    int rc = pl_snapshot_seek_before(
        walk->snapshot, pl_stream_key(bytes, walk->partition, walk->stream_id, UINT64_MAX), &key, &value);

    if (rc == 0 && pl_bytes_equal(key, pl_stream_key(bytes, walk->partition, walk->stream_id, 0)))
        return pl_stream_trimmed(walk, out);
    rc = arrive(walk, rc, key, value, &record);
    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    *out = rc == 0 ? record.sequence : 0;
    return 0;
}

void pl_stream_append_trim(struct pl_buf *change, uint16_t partition, uint32_t stream_id, uint64_t sequence)
{
    uint8_t key[PL_STREAM_KEY_BYTES], value[TRIM_BYTES] = { TRIM_FORMAT };

    pl_put_le64(value + 1, sequence);
    pl_change_put(change, pl_stream_key(key, partition, stream_id, 0), pl_bytes(value, sizeof value));
}
