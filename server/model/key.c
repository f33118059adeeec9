/* SPDX-License-Identifier: MIT */
#include "model/key.h"

#define XXH_INLINE_ALL /* keys are short: a call would cost as much as the hash */
#include <xxhash.h>

enum {
    ESCAPE = 0x00,
    ESCAPED_ZERO = 0xFF, /* 00 FF: a zero byte of the value */
    ENDED = 0x01,        /* 00 01: its end, which sorts before any byte that could follow */
    PK_PLAIN = 0x00,
    PK_DIGEST = 0x01,
    DIGEST_BYTES = sizeof(XXH128_canonical_t),
};

_Static_assert(DIGEST_BYTES == 16, "the digest's width is on disk");
_Static_assert(PL_KEY_PREFIX_BYTES + 1 + PL_KEY_PLAIN_PK_MAX < PL_KEY_BYTES_MAX,
               "a plain pk leaves room for a tail");

/* ---- components ---- */

static void append_escaped(struct pl_buf *out, struct pl_bytes bytes)
{
    static const uint8_t zero[] = { ESCAPE, ESCAPED_ZERO }, end[] = { ESCAPE, ENDED };
    const char *from = bytes.data, *at;
    size_t left = bytes.len;

    while (left > 0 && (at = memchr(from, ESCAPE, left)) != NULL) {
        pl_buf_append(out, from, (size_t)(at - from));
        pl_buf_append(out, zero, sizeof zero);
        left -= (size_t)(at - from) + 1;
        from = at + 1;
    }
    pl_buf_append(out, from, left);
    pl_buf_append(out, end, sizeof end);
}

void pl_key_append_component(struct pl_buf *out, struct pl_value value)
{
    PL_ASSERT(value.type == PL_TYPE_S || value.type == PL_TYPE_N || value.type == PL_TYPE_B);
    if (value.type == PL_TYPE_N)
        pl_buf_append_bytes(out, value.payload);
    else
        append_escaped(out, value.payload);
}

/* The length of the escaped string at the front of `in`, and how many zero bytes it holds. */
static size_t escaped_length(struct pl_bytes in, size_t *zeros)
{
    const char *from = in.data, *at;
    size_t left = in.len;

    *zeros = 0;
    while (left > 0 && (at = memchr(from, ESCAPE, left)) != NULL) {
        left -= (size_t)(at - from) + 1;
        from = at + 1;
        if (left == 0)
            return 0;
        if ((uint8_t)*from == ENDED)
            return (size_t)(from + 1 - in.data);
        if ((uint8_t)*from != ESCAPED_ZERO)
            return 0;
        ++*zeros;
        from++;
        left--;
    }
    return 0;
}

size_t pl_key_component_length(struct pl_bytes in, enum pl_type type)
{
    size_t zeros;

    return type == PL_TYPE_N ? pl_number_encoded_length(in) : escaped_length(in, &zeros);
}

/* The bytes of an escaped string whose end was cut off: a view if it holds no zero bytes, else a copy. */
static int unescape(struct pl_bytes escaped, size_t zeros, struct pl_arena *arena, struct pl_bytes *out)
{
    size_t len = escaped.len - zeros;
    const char *from = escaped.data;
    char *copy;

    if (zeros == 0) {
        *out = escaped;
        return 0;
    }
    copy = pl_arena_alloc(arena, len);
    if (copy == NULL)
        return PL_ENOMEM;
    for (size_t i = 0; i < len; i++) {
        copy[i] = *from;
        from += *from == ESCAPE ? 2 : 1;
    }
    *out = pl_bytes(copy, len);
    return 0;
}

static int decode_number(struct pl_bytes *in, struct pl_builder *b)
{
    size_t len = pl_number_encoded_length(*in);
    struct pl_number number;

    if (len == 0 || pl_number_decode(pl_bytes(in->data, len), &number) != 0)
        return PL_ECORRUPT;
    pl_builder_number(b, &number);
    *in = pl_bytes(in->data + len, in->len - len);
    return 0;
}

int pl_key_decode_component(struct pl_bytes *in, enum pl_type type, struct pl_builder *b,
                            struct pl_arena *arena)
{
    struct pl_bytes value;
    size_t zeros, len;
    int rc;

    if (type == PL_TYPE_N)
        return decode_number(in, b);
    len = escaped_length(*in, &zeros);
    if (len == 0)
        return PL_ECORRUPT;
    rc = unescape(pl_bytes(in->data, len - 2), zeros, arena, &value);
    if (rc != 0)
        return rc;
    if (type == PL_TYPE_S && !pl_bytes_is_utf8(value))
        return PL_ECORRUPT;
    if (type == PL_TYPE_S)
        pl_builder_string(b, value);
    else
        pl_builder_binary(b, value);
    *in = pl_bytes(in->data + len, in->len - len);
    return 0;
}

/* ---- store keys ---- */

uint64_t pl_key_hash(struct pl_bytes pk)
{
    return XXH3_64bits(pk.data, pk.len);
}

void pl_key_scan_start(struct pl_key *out, const struct pl_keyspace *space, uint64_t hash)
{
    pl_put_be16(out->bytes, pl_key_partition(hash, space->partition_count));
    out->bytes[2] = (uint8_t)space->kind;
    pl_put_be32(out->bytes + 3, space->id);
    pl_put_be64(out->bytes + 7, hash);
    out->len = PL_KEY_PREFIX_BYTES;
    out->shortened = false;
}

static void append(struct pl_key *out, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(out->bytes + out->len, bytes, len);
    out->len = (uint16_t)(out->len + len);
}

static void append_byte(struct pl_key *out, uint8_t byte)
{
    out->bytes[out->len++] = byte;
}

static void append_digest(struct pl_key *out, struct pl_bytes pk)
{
    XXH128_canonical_t digest;

    XXH128_canonicalFromHash(&digest, XXH3_128bits(pk.data, pk.len));
    append(out, digest.digest, sizeof digest.digest);
    out->shortened = true;
}

void pl_key_seek(struct pl_key *out, const struct pl_keyspace *space, struct pl_bytes pk,
                 struct pl_bytes tail, uint16_t *prefix_len)
{
    size_t room;

    pl_key_scan_start(out, space, pl_key_hash(pk));
    append_byte(out, pk.len > PL_KEY_PLAIN_PK_MAX ? PK_DIGEST : PK_PLAIN);
    if (pk.len > PL_KEY_PLAIN_PK_MAX)
        append_digest(out, pk);
    else
        append(out, pk.data, pk.len);
    *prefix_len = out->len;

    /* A tail that fills the key exactly counts as cut, or it could be taken for one that was. */
    room = PL_KEY_BYTES_MAX - out->len;
    if (tail.len >= room)
        out->shortened = true;
    append(out, tail.data, tail.len < room ? tail.len : room);
}

void pl_key_build(struct pl_key *out, const struct pl_keyspace *space, struct pl_bytes pk,
                  struct pl_bytes tail)
{
    uint16_t prefix_len;

    pl_key_seek(out, space, pk, tail, &prefix_len);
}

void pl_key_build_at(struct pl_key *out, const struct pl_keyspace *space, uint64_t second, struct pl_bytes pk,
                     struct pl_bytes tail)
{
    enum { AT = PL_KEY_PREFIX_BYTES - 8, ROOM = PL_KEY_BYTES_MAX - 8 };

    pl_key_build(out, space, pk, tail);
    if (out->len >= ROOM) {
        out->len = ROOM;
        out->shortened = true;
    }
    memmove(out->bytes + AT + 8, out->bytes + AT, (size_t)out->len - AT);
    pl_put_be64(out->bytes + AT, second);
    out->len += 8;
}

void pl_key_partition_start(struct pl_key *out, const struct pl_keyspace *space, uint16_t partition,
                            uint64_t from)
{
    pl_key_scan_start(out, space, from);
    pl_put_be16(out->bytes, partition);
}

bool pl_key_in_partition(struct pl_bytes key, const struct pl_keyspace *space, uint16_t partition)
{
    return key.len >= PL_KEY_PREFIX_BYTES && pl_get_be16(key.data) == partition &&
           (uint8_t)key.data[2] == space->kind && pl_get_be32(key.data + 3) == space->id;
}

bool pl_key_in_space(struct pl_bytes key, const struct pl_keyspace *space, uint64_t *hash)
{
    uint64_t place;

    if (key.len < PL_KEY_PREFIX_BYTES || (uint8_t)key.data[2] != space->kind ||
        pl_get_be32(key.data + 3) != space->id)
        return false;
    place = pl_get_be64(key.data + 7);
    if (pl_get_be16(key.data) != pl_key_partition(place, space->partition_count))
        return false;
    *hash = place;
    return true;
}

bool pl_key_successor(struct pl_bytes prefix, struct pl_buf *out)
{
    size_t len = prefix.len;

    while (len > 0 && (uint8_t)prefix.data[len - 1] == 0xFF)
        len--;
    if (len == 0)
        return false;
    pl_buf_append(out, prefix.data, len - 1);
    pl_buf_append_byte(out, (uint8_t)prefix.data[len - 1] + 1);
    return true;
}
