/* SPDX-License-Identifier: MIT */
#include "model/rows.h"

enum { ROW_HEAD_BYTES = 12 };

void pl_rows_append(struct pl_buf *rows, const struct pl_operation *op, struct pl_item item)
{
    uint8_t head[ROW_HEAD_BYTES];

    pl_put_le32(head, op->parent == NULL ? 0 : (uint32_t)(op - op->parent->children));
    pl_put_le32(head + 4, item.size_bytes);
    pl_put_le32(head + 8, (uint32_t)item.bytes.len);
    pl_buf_append(rows, head, sizeof head);
    pl_buf_append_bytes(rows, item.bytes);
}

bool pl_rows_take(struct pl_bytes *rest, uint32_t *child, struct pl_item *out)
{
    size_t len;

    if (rest->len == 0)
        return false;
    len = pl_get_le32(rest->data + 8);
    *child = pl_get_le32(rest->data);
    *out = (struct pl_item){ .bytes = pl_bytes(rest->data + ROW_HEAD_BYTES, len),
                             .size_bytes = pl_get_le32(rest->data + 4) };
    rest->data += ROW_HEAD_BYTES + len;
    rest->len -= ROW_HEAD_BYTES + len;
    return true;
}
