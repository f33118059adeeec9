/* SPDX-License-Identifier: MIT */
#include "codec/http.h"

#include "base/error.h"

/*
 * llhttp counts the chunks. What it does not hand over as body is framing, and of that there is only one
 * form that everybody reads alike:
 *
 *     size in hexadecimal CR LF  (the chunk)  CR LF
 *
 * again and again; the last one has size 0 and no chunk. So the framing, without the chunks, is lines
 * of digits, each ended by CR LF CR LF. Extensions, trailers, white space and bare line ends show as anything else.
 */
enum framing { DIGITS, SIZE_LF, DATA_CR, DATA_LF };

enum { DIGITS_MAX = 8 };

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool step(struct pl_http_chunks *chunks, char byte)
{
    switch ((enum framing)chunks->state) {
    case DIGITS:
        if (is_hex(byte))
            return ++chunks->digits <= DIGITS_MAX;
        chunks->state = SIZE_LF;
        return byte == '\r' && chunks->digits > 0;
    case SIZE_LF:
        chunks->state = DATA_CR;
        return byte == '\n';
    case DATA_CR:
        chunks->state = DATA_LF;
        return byte == '\r';
    case DATA_LF:
        chunks->state = DIGITS;
        chunks->digits = 0;
        return byte == '\n';
    }
    return false;
}

/* What lies between the last body byte and `end` is framing. */
static bool judge_framing(struct pl_http_chunks *chunks, const char *end)
{
    bool clean = true;

#ifdef PL_MUTANT_ANY_FRAMING
    chunks->framing = end;
#endif
    while (chunks->framing < end && clean)
        clean = step(chunks, *chunks->framing++);
    if (!clean)
        chunks->status = 400;
    return clean;
}

static struct pl_http_chunks *of_parser(llhttp_t *parser)
{
    return pl_container_of(parser, struct pl_http_chunks, parser);
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct pl_http_chunks *chunks = of_parser(parser);

    if (!judge_framing(chunks, at))
        return -1;
    chunks->framing = at + len;
    if (len > chunks->body_bytes_max - chunks->out->len) {
        chunks->status = 413;
        return -1;
    }
    pl_buf_append(chunks->out, at, len);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    of_parser(parser)->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t chunk_settings = { .on_body = on_body, .on_message_complete = on_complete };

void pl_http_chunks_init(struct pl_http_chunks *chunks, size_t body_bytes_max)
{
    /* llhttp reads chunks behind a head only. The real one was judged before. */
    static const char head[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    llhttp_errno_t error;

    *chunks = (struct pl_http_chunks){ .body_bytes_max = body_bytes_max };
    llhttp_init(&chunks->parser, HTTP_REQUEST, &chunk_settings);
    error = llhttp_execute(&chunks->parser, head, sizeof head - 1);
    PL_ASSERT(error == HPE_OK);
}

unsigned pl_http_chunks_read(struct pl_http_chunks *chunks, struct pl_bytes in, struct pl_buf *out,
                             size_t *used)
{
    const char *end = in.data + in.len;
    llhttp_errno_t error;

    PL_ASSERT(!chunks->complete);
    *used = in.len;
    chunks->out = out;
    chunks->framing = in.data;
    error = llhttp_execute(&chunks->parser, in.data, in.len);
    if (chunks->complete) {
        end = llhttp_get_error_pos(&chunks->parser);
        *used = (size_t)(end - in.data);
    } else if (error != HPE_OK) {
        return chunks->status != 0 ? chunks->status : 400;
    }
    if (!judge_framing(chunks, end))
        return chunks->status;
    return pl_buf_status(out) == 0 ? 0 : 503;
}
