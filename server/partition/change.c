/* SPDX-License-Identifier: MIT */
#include "partition/change.h"

void pl_change_put(struct pl_buf *change, struct pl_bytes key, struct pl_bytes value)
{
    char *to = pl_buf_reserve(change, 7 + key.len + value.len);

    if (to == NULL)
        return;
    to[0] = PL_EFFECT_PUT;
    pl_put_le16(to + 1, (uint16_t)key.len);
    pl_put_le32(to + 3, (uint32_t)value.len);
    memcpy(to + 7, key.data, key.len);
    if (value.len > 0)
        memcpy(to + 7 + key.len, value.data, value.len);
    change->len += 7 + key.len + value.len;
}

void pl_change_delete(struct pl_buf *change, struct pl_bytes key)
{
    char *to = pl_buf_reserve(change, 3 + key.len);

    if (to == NULL)
        return;
    to[0] = PL_EFFECT_DELETE;
    pl_put_le16(to + 1, (uint16_t)key.len);
    memcpy(to + 3, key.data, key.len);
    change->len += 3 + key.len;
}

void pl_change_count(struct pl_buf *change, uint16_t partition, uint32_t id, int64_t items,
                     int64_t size_bytes)
{
    char *to;

    if (items == 0 && size_bytes == 0)
        return;
    to = pl_buf_reserve(change, 23);
    if (to == NULL)
        return;
    to[0] = PL_EFFECT_COUNT;
    pl_put_le16(to + 1, partition);
    pl_put_le32(to + 3, id);
    pl_put_le64(to + 7, (uint64_t)items);
    pl_put_le64(to + 15, (uint64_t)size_bytes);
    change->len += 23;
}

static bool take(struct pl_bytes *in, size_t len, struct pl_bytes *out)
{
    if (in->len < len)
        return false;
    *out = pl_bytes(in->data, len);
    in->data += len;
    in->len -= len;
    return true;
}

int pl_change_take(struct pl_bytes *change, struct pl_effect *out)
{
    struct pl_bytes in = *change, head;
    struct pl_effect effect = { 0 };

    if (in.len == 0)
        return 0;
    if (!take(&in, 1, &head))
        return PL_ECORRUPT;
    effect.kind = (enum pl_effect_kind)(uint8_t)head.data[0];
    switch (effect.kind) {
    case PL_EFFECT_PUT:
        if (!take(&in, 6, &head) || !take(&in, pl_get_le16(head.data), &effect.key) ||
            !take(&in, pl_get_le32(head.data + 2), &effect.value))
            return PL_ECORRUPT;
        break;
    case PL_EFFECT_DELETE:
        if (!take(&in, 2, &head) || !take(&in, pl_get_le16(head.data), &effect.key))
            return PL_ECORRUPT;
        break;
    case PL_EFFECT_COUNT:
        if (!take(&in, 22, &head))
            return PL_ECORRUPT;
        effect.partition = pl_get_le16(head.data);
        effect.id = pl_get_le32(head.data + 2);
        effect.items = (int64_t)pl_get_le64(head.data + 6);
        effect.size_bytes = (int64_t)pl_get_le64(head.data + 14);
        break;
    default:
        return PL_ECORRUPT;
    }
    *change = in;
    *out = effect;
    return 1;
}
