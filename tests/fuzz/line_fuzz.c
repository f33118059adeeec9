/* SPDX-License-Identifier: MIT */
#include "codec/line.h"

#include <stdlib.h>

/*
 * Any bytes are lines. Each is read, parsed and answered; the answer must be whole
 * lines of UTF-8, and an operation must be good for the next line after a failure.
 */
/* Of a transaction every second one is refused, and shows what it was asked with. */
static void answer_children(struct pl_operation *op)
{
    if (op->name == PL_OP_TRANSACT_WRITE)
        op->reply.rc = PL_ECANCELLED;
    for (uint32_t i = 0; i < op->child_count; i += 2) {
        struct pl_operation *child = &op->children[i];

        child->reply.rc = op->name == PL_OP_TRANSACT_WRITE ? PL_ECONDITION : 0;
        child->reply.has_item = true;
        child->reply.item = child->item;
    }
}

static void answer(struct pl_bytes text, struct pl_operation *op, struct pl_buf *out)
{
    struct pl_line line;
    struct pl_reason why = { { 0 } };
    int rc;

    pl_operation_reset(op, PL_OP_GET);
    pl_buf_clear(out);
    rc = pl_line_read(text, &line, &why);
    if (rc == 0)
        rc = pl_line_parse(&line, op, &why);
    if (rc != 0) {
        pl_line_write_error(out, line.tag, rc, &why);
    } else {
        op->reply.has_item = op->item.bytes.len > 0;
        op->reply.item = op->item;
        op->reply.has_last_key = op->has_start_key;
        op->reply.last_key = op->start_key;
        answer_children(op);
        pl_line_write_reply(out, line.tag, op);
    }
    if (pl_buf_status(out) != 0 || out->len == 0 || out->data[out->len - 1] != '\n')
        abort();
    if (!pl_bytes_is_utf8(pl_buf_view(out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_bytes rest = pl_bytes(data, size);
    struct pl_operation op;
    struct pl_buf out = { 0 };

    pl_operation_init(&op, PL_OP_GET);
    while (rest.len > 0) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        size_t len = newline == NULL ? rest.len : (size_t)(newline - rest.data);

        if (!pl_line_is_blank(pl_bytes(rest.data, len)))
            answer(pl_bytes(rest.data, len), &op, &out);
        len += newline != NULL;
        rest = pl_bytes(rest.data + len, rest.len - len);
    }
    pl_operation_deinit(&op);
    pl_buf_deinit(&out);
    return 0;
}
