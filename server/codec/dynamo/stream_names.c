/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/stream_names.h"

#include "codec/dynamo/description.h"

#include <inttypes.h>

const char *pl_dynamo_view_type(enum pl_stream_view view)
{
    static const char *const names[] = { "", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES" };

    return names[view];
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool take_text(struct pl_bytes *in, const char *text)
{
    size_t len = strlen(text);

    if (in->len < len || memcmp(in->data, text, len) != 0)
        return false;
    in->data += len;
    in->len -= len;
    return true;
}

/* Digits, at least one; false also when they do not fit. */
static bool take_number(struct pl_bytes *in, uint64_t max, uint64_t *out)
{
    uint64_t sum = 0;
    size_t i = 0;

    for (; i < in->len && in->data[i] >= '0' && in->data[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(in->data[i] - '0');

        if (sum > (max - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    in->data += i;
    in->len -= i;
    *out = sum;
    return i > 0;
}

static bool split_at(struct pl_bytes whole, const char *mark, struct pl_bytes *before, struct pl_bytes *after)
{
    const char *at = memmem(whole.data, whole.len, mark, strlen(mark));

    if (at == NULL)
        return false;
    *before = pl_bytes(whole.data, (size_t)(at - whole.data));
    at += strlen(mark);
    *after = pl_bytes(at, (size_t)(whole.data + whole.len - at));
    return true;
}

/* ---- streams ---------------------------------------------------------------------------------------- */

void pl_dynamo_stream_arn_write(struct pl_buf *out, const struct pl_dynamo_context *context,
                                const struct pl_table *table)
{
    pl_dynamo_arn_write(out, context, table->name);
    pl_buf_append_bytes(out, pl_str("/stream/"));
    pl_dynamo_label_write(out, table->stream_created_ms);
}

bool pl_dynamo_stream_arn_split(struct pl_bytes arn, struct pl_bytes *table, struct pl_bytes *label)
{
    struct pl_bytes head, tail;

    return take_text(&arn, "arn:") && split_at(arn, ":table/", &head, &tail) &&
           split_at(tail, "/stream/", table, label) && pl_table_name_is_valid(*table);
}

bool pl_dynamo_stream_label_is(struct pl_bytes label, int64_t created_ms)
{
    struct pl_buf text = { 0 };
    bool is;

    pl_dynamo_label_write(&text, created_ms);
    is = pl_buf_status(&text) == 0 && pl_bytes_equal(label, pl_buf_view(&text));
    pl_buf_deinit(&text);
    return is;
}

/* ---- shards and sequences --------------------------------------------------------------------------- */

void pl_dynamo_shard_id_write(struct pl_buf *out, uint32_t stream_id, uint16_t partition)
{
    pl_buf_append_format(out, "shardId-%020u-%08" PRIx32, (unsigned)partition, stream_id);
}

bool pl_dynamo_shard_id_read(struct pl_bytes text, uint32_t stream_id, uint16_t *partition)
{
    struct pl_buf again = { 0 };
    struct pl_bytes in = text;
    uint64_t number;
    bool is;

    if (!take_text(&in, "shardId-") || !take_number(&in, UINT16_MAX, &number))
        return false;
    pl_dynamo_shard_id_write(&again, stream_id, (uint16_t)number);
    is = pl_buf_status(&again) == 0 && pl_bytes_equal(text, pl_buf_view(&again));
    pl_buf_deinit(&again);
    *partition = (uint16_t)number;
    return is;
}

void pl_dynamo_sequence_write(struct pl_buf *out, uint64_t sequence)
{
    pl_buf_append_format(out, "1%020" PRIu64, sequence);
}

bool pl_dynamo_sequence_read(struct pl_bytes text, uint64_t *sequence)
{
    return text.len == 21 && take_text(&text, "1") && take_number(&text, UINT64_MAX, sequence) &&
           text.len == 0 && *sequence > 0;
}

/* ---- iterators -------------------------------------------------------------------------------------- */

void pl_dynamo_iterator_write(struct pl_buf *out, const struct pl_dynamo_context *context,
                              const struct pl_table *table, uint16_t partition, uint64_t position)
{
    pl_dynamo_stream_arn_write(out, context, table);
    pl_buf_append_format(out, "|1|%u.%" PRIu64 ".%" PRId64, (unsigned)partition, position, context->now_ms);
}

bool pl_dynamo_iterator_read(struct pl_bytes text, struct pl_dynamo_iterator *out)
{
    uint64_t partition, made_ms;
    struct pl_bytes in;

    if (!split_at(text, "|1|", &out->stream_arn, &in) || !take_number(&in, UINT16_MAX, &partition) ||
        !take_text(&in, ".") || !take_number(&in, UINT64_MAX - 1, &out->position) || !take_text(&in, ".") ||
        !take_number(&in, INT64_MAX, &made_ms))
        return false;
    out->partition = (uint16_t)partition;
    out->made_ms = (int64_t)made_ms;
    return in.len == 0;
}
