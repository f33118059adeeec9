/* SPDX-License-Identifier: MIT */
#include "partition/token.h"

#include "model/transaction.h"
#include "partition/change.h"

enum {
    FORMAT = 1,
    HEAD_BYTES = 2 + 1 + 4 + 8, /* partition, kind, id, and the hash or the time */
    KEY_BYTES_MAX = HEAD_BYTES + PL_TRANSACTION_TOKEN_BYTES_MAX,
    VALUE_BYTES = 1 + 8 + 16,
};

struct key {
    uint8_t bytes[KEY_BYTES_MAX];
    size_t len;
};

static struct pl_bytes view_of(const struct key *key)
{
    return pl_bytes(key->bytes, key->len);
}

static void make_key(struct key *key, enum pl_key_kind kind, uint16_t partition, uint64_t order,
                     struct pl_bytes token)
{
    PL_ASSERT(token.len <= PL_TRANSACTION_TOKEN_BYTES_MAX);
    pl_put_be16(key->bytes, partition);
    key->bytes[2] = (uint8_t)kind;
    pl_put_be32(key->bytes + 3, 0);
    pl_put_be64(key->bytes + 7, order);
    if (token.len > 0)
        memcpy(key->bytes + HEAD_BYTES, token.data, token.len);
    key->len = HEAD_BYTES + token.len;
}

static bool is_alive(uint64_t time_ms, uint64_t now_ms)
{
    return now_ms < time_ms || now_ms - time_ms < PL_TOKEN_LIFE_MS;
}

static int decode(struct pl_bytes value, struct pl_token *out)
{
    if (value.len != VALUE_BYTES || value.data[0] != FORMAT)
        return PL_ECORRUPT;
    out->time_ms = pl_get_le64(value.data + 1);
    out->digest.high = pl_get_le64(value.data + 9);
    out->digest.low = pl_get_le64(value.data + 17);
    return 0;
}

int pl_token_find(const struct pl_view *view, struct pl_bytes token, uint16_t partition, uint64_t now_ms,
                  struct pl_token *out)
{
    struct pl_bytes value;
    struct key key;
    int rc;

    make_key(&key, PL_KIND_TOKEN, partition, pl_key_hash(token), token);
    rc = pl_view_get(view, view_of(&key), &value);
    *out = (struct pl_token){ .known = rc == 0 };
    if (rc == 0)
        rc = decode(value, out);
    if (rc == PL_ENOTFOUND)
        return 0;
    out->alive = rc == 0 && is_alive(out->time_ms, now_ms);
    return rc;
}

void pl_token_set(struct pl_bytes token, uint16_t partition, const struct pl_token *known,
                  const struct pl_digest *digest, uint64_t now_ms, struct pl_buf *change)
{
    static const char age_value[] = { FORMAT };
    char value[VALUE_BYTES];
    struct key key;

    if (known->known) {
        make_key(&key, PL_KIND_TOKEN_AGE, partition, known->time_ms, token);
        pl_change_delete(change, view_of(&key));
    }
    value[0] = FORMAT;
    pl_put_le64(value + 1, now_ms);
    pl_put_le64(value + 9, digest->high);
    pl_put_le64(value + 17, digest->low);
    make_key(&key, PL_KIND_TOKEN, partition, pl_key_hash(token), token);
    pl_change_put(change, view_of(&key), pl_bytes(value, sizeof value));
    make_key(&key, PL_KIND_TOKEN_AGE, partition, now_ms, token);
    pl_change_put(change, view_of(&key), pl_bytes(age_value, sizeof age_value));
}

/* ---- forgetting ------------------------------------------------------------------------------------- */

/* The token that an age's key names, if it is one of this partition. */
static bool take_age(struct pl_bytes key, uint16_t partition, uint64_t *time_ms, struct pl_bytes *token)
{
    if (key.len <= HEAD_BYTES || key.len > KEY_BYTES_MAX || pl_get_be16(key.data) != partition ||
        (uint8_t)key.data[2] != PL_KIND_TOKEN_AGE)
        return false;
    *time_ms = pl_get_be64(key.data + 7);
    *token = pl_bytes(key.data + HEAD_BYTES, key.len - HEAD_BYTES);
    return true;
}

/*
 * The snapshot may be older than what is in flight: there the token may have been used anew. Then its record has
 * another time, and only the age is left to be removed. So it is with a damaged record: nobody knows when it was used
 * last, and it must not keep the others.
 */
static int forget(const struct pl_view *view, uint16_t partition, uint64_t time_ms, struct pl_bytes token,
                  uint64_t now_ms, struct pl_buf *change)
{
    struct pl_token now;
    struct key key;
    int rc = pl_token_find(view, token, partition, now_ms, &now);

    if (rc != 0 && rc != PL_ECORRUPT)
        return rc;
    make_key(&key, PL_KIND_TOKEN_AGE, partition, time_ms, token);
    pl_change_delete(change, view_of(&key));
    if (rc == PL_ECORRUPT || !now.known || now.time_ms != time_ms)
        return 0;
    make_key(&key, PL_KIND_TOKEN, partition, pl_key_hash(token), token);
    pl_change_delete(change, view_of(&key));
    return 0;
}

int pl_token_sweep(const struct pl_view *view, uint16_t partition, uint64_t now_ms, struct pl_buf *change)
{
    struct pl_bytes key, value, token;
    struct key first;
    uint64_t time_ms;
    int rc;

    make_key(&first, PL_KIND_TOKEN_AGE, partition, 0, pl_bytes(NULL, 0));
    rc = pl_snapshot_seek(view->snapshot, view_of(&first), &key, &value);
    for (int i = 0; rc == 0 && take_age(key, partition, &time_ms, &token); i++) {
        if (i == PL_TOKEN_STEP_RECORDS || is_alive(time_ms, now_ms))
            break;
        rc = forget(view, partition, time_ms, token, now_ms, change);
        if (rc == 0)
            rc = pl_snapshot_next(view->snapshot, &key, &value);
    }
    return rc == 0 || rc == PL_ENOTFOUND ? pl_buf_status(change) : rc;
}

/* ---- checking --------------------------------------------------------------------------------------- */

bool pl_token_is_in(struct pl_bytes key)
{
    return key.len > 2 &&
           ((uint8_t)key.data[2] == PL_KIND_TOKEN || (uint8_t)key.data[2] == PL_KIND_TOKEN_AGE);
}

static bool is_sound(struct pl_bytes key, struct pl_bytes value, struct pl_bytes token,
                     uint32_t partition_count)
{
    uint64_t hash = pl_key_hash(token);
    struct pl_token unused;

    if (pl_get_be32(key.data + 3) != 0 || pl_get_be16(key.data) != pl_key_partition(hash, partition_count))
        return false;
    if ((uint8_t)key.data[2] == PL_KIND_TOKEN_AGE)
        return value.len == 1 && value.data[0] == FORMAT;
    return pl_get_be64(key.data + 7) == hash && decode(value, &unused) == 0;
}

/* Of a token's record, its age; of an age, the token's record with this very time. */
static int find_twin(const struct pl_view *view, struct pl_bytes key, struct pl_bytes value,
                     struct pl_bytes token)
{
    uint16_t partition = pl_get_be16(key.data);
    struct pl_token record;
    struct key twin;
    int rc;

    if ((uint8_t)key.data[2] == PL_KIND_TOKEN) {
        make_key(&twin, PL_KIND_TOKEN_AGE, partition, pl_get_le64(value.data + 1), token);
        return pl_view_get(view, view_of(&twin), &value);
    }
    rc = pl_token_find(view, token, partition, 0, &record);
    if (rc == 0 && (!record.known || record.time_ms != pl_get_be64(key.data + 7)))
        rc = PL_ENOTFOUND;
    return rc;
}

int pl_token_verify(const struct pl_view *view, struct pl_bytes key, struct pl_bytes value,
                    uint32_t partition_count, const char **why_not)
{
    struct pl_bytes token = pl_bytes(NULL, 0);
    int rc = PL_ECORRUPT;

    *why_not = NULL;
    if (key.len > HEAD_BYTES && key.len <= KEY_BYTES_MAX) {
        token = pl_bytes(key.data + HEAD_BYTES, key.len - HEAD_BYTES);
        rc = is_sound(key, value, token, partition_count) ? find_twin(view, key, value, token) : PL_ECORRUPT;
    }
    if (rc == PL_ECORRUPT)
        *why_not = "a transaction's token is malformed";
    else if (rc == PL_ENOTFOUND)
        *why_not = "a transaction's token and its age do not agree";
    return rc == PL_ECORRUPT || rc == PL_ENOTFOUND ? 0 : rc;
}
