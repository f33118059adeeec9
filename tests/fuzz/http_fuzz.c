/* SPDX-License-Identifier: MIT */
#include "codec/http.h"

#include <stdlib.h>

/*
 * Any bytes are what a connection sends. They are read as a connection reads them (head, body, next head, until one is
 * refused), once in one piece and once in pieces of random size: what was understood must be the same.
 */
enum { BODY_BYTES_MAX = 4096 };

struct session {
    struct pl_buf input;
    struct pl_buf told; /* what was understood */
    struct pl_http_scan scan;
    struct pl_http_head head;
    struct pl_http_chunks chunks;
    struct pl_buf body;
    bool in_body, refused;
};

static void tell(struct session *s, const char *what, struct pl_bytes text)
{
    pl_buf_append_format(&s->told, "%s %zu ", what, text.len);
    pl_buf_append_bytes(&s->told, text);
    pl_buf_append_byte(&s->told, '\n');
}

/* What the scan is for: nothing that it lets through can be read as two lines where we read one. */
static void check_head(const struct pl_http_head *head)
{
    for (uint16_t i = 0; i < head->field_count; i++) {
        struct pl_bytes name = pl_http_text(head, head->fields[i].name),
                        value = pl_http_text(head, head->fields[i].value);

        if (name.len == 0 || name.data < head->text.data ||
            value.data + value.len > head->text.data + head->text.len)
            abort();
        if (memchr(name.data, ' ', name.len) != NULL || memchr(value.data, '\r', value.len) != NULL ||
            memchr(value.data, '\n', value.len) != NULL || memchr(value.data, '\0', value.len) != NULL)
            abort();
    }
    if (head->chunked && (pl_http_has(head, PL_HTTP_CONTENT_LENGTH) || head->content_length != 0))
        abort();
}

static void tell_head(struct session *s)
{
    const struct pl_http_head *head = &s->head;

    check_head(head);
    tell(s, "method", pl_http_text(head, head->method_word));
    tell(s, "path", pl_http_text(head, head->path));
    tell(s, "query", pl_http_text(head, head->query));
    for (uint16_t i = 0; i < head->field_count; i++) {
        tell(s, "name", pl_http_text(head, head->fields[i].name));
        tell(s, "value", pl_http_text(head, head->fields[i].value));
    }
    pl_buf_append_format(&s->told, "1.%d keeps %d chunked %d length %llu\n", head->minor, head->keep_alive,
                         head->chunked, (unsigned long long)head->content_length);
}

static void end_body(struct session *s)
{
    tell(s, "body", pl_buf_view(&s->body));
    pl_buf_clear(&s->body);
    s->in_body = false;
    s->scan = (struct pl_http_scan){ 0 };
}

static unsigned read_head(struct session *s, struct pl_bytes in, size_t *used)
{
    unsigned status = pl_http_scan_head(&s->scan, in, used);

    if (status != 0 || *used == 0)
        return status;
    if (*used > PL_HTTP_HEAD_MAX)
        abort();
    status = pl_http_head_read(&s->head, pl_bytes(in.data, *used));
    if (status != 0)
        return status;
    tell_head(s);
    if (s->head.content_length > BODY_BYTES_MAX)
        return 413;
    s->in_body = s->head.chunked || s->head.content_length > 0;
    if (s->head.chunked)
        pl_http_chunks_init(&s->chunks, BODY_BYTES_MAX);
    else if (!s->in_body)
        end_body(s);
    return 0;
}

static unsigned read_body(struct session *s, struct pl_bytes in, size_t *used)
{
    unsigned status;

    if (!s->head.chunked) {
        uint64_t missing = s->head.content_length - s->body.len;

        *used = missing < in.len ? missing : in.len;
        pl_buf_append(&s->body, in.data, *used);
        if (*used == missing)
            end_body(s);
        return 0;
    }
    status = pl_http_chunks_read(&s->chunks, in, &s->body, used);
    if (s->body.len > BODY_BYTES_MAX)
        abort();
    if (status == 0 && s->chunks.complete)
        end_body(s);
    return status;
}

static void feed(struct session *s, const uint8_t *data, size_t len)
{
    size_t used = 1;

    pl_buf_append(&s->input, data, len);
    while (!s->refused && s->input.len > 0 && used > 0) {
        struct pl_bytes in = pl_buf_view(&s->input);
        unsigned status;

        used = 0;
        status = s->in_body ? read_body(s, in, &used) : read_head(s, in, &used);
        if (status != 0) {
            pl_buf_append_format(&s->told, "refused %u\n", status);
            s->refused = true;
        }
        pl_buf_consume(&s->input, used);
    }
}

static void session_deinit(struct session *s)
{
    pl_buf_deinit(&s->input);
    pl_buf_deinit(&s->told);
    pl_buf_deinit(&s->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session whole = { 0 }, pieces = { 0 };
    uint64_t seed = size;

    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * UINT64_C(0x100000001B3);
    feed(&whole, data, size);
    for (size_t at = 0, step; at < size; at += step) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        step = 1 + (seed >> 33) % ((seed >> 60) == 0 ? 4000 : 12);
        step = step < size - at ? step : size - at;
        feed(&pieces, data + at, step);
    }
    if (!pl_bytes_equal(pl_buf_view(&whole.told), pl_buf_view(&pieces.told)) ||
        whole.refused != pieces.refused)
        abort();
    session_deinit(&whole);
    session_deinit(&pieces);
    return 0;
}
