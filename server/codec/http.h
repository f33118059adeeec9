/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_HTTP_H
#define PL_CODEC_HTTP_H

#include "base/bytes.h"

#include <llhttp.h>

/**
 * HTTP/1.1 requests and the heads of their replies. llhttp reads; before it sees a head, a scan refuses
 * what some parser somewhere reads in another way, because whoever stands between a client and us must
 * find the same requests in the same bytes as we do:
 *
 *     pl_http_scan_head()    how long is the head? Whole lines, each ended by CR LF, of printable bytes
 *     pl_http_head_read()    what does it say? Names and values as views, framing, persistence
 *     pl_http_chunks_read()  the body, when it is chunked; else it is the next `content_length` bytes
 *
 * What can be refused returns 0 or the status to refuse it with. After such a status the
 * connection is to be closed: nobody knows where the next request would begin.
 *
 * Rules: RFC 9112; stricter where it lets a server be.
 */
enum {
    PL_HTTP_LINE_MAX = 16 * 1024,   /* the request line, with its end */
    PL_HTTP_FIELDS_MAX = 16 * 1024, /* all lines after it */
    PL_HTTP_HEAD_MAX = PL_HTTP_LINE_MAX + PL_HTTP_FIELDS_MAX,
    PL_HTTP_FIELD_COUNT_MAX = 100,
};

/**
 * Fields that we know: each may come once only, but for those of lists.
 *
 * X(name, text)
 */
#define PL_HTTP_FIELD_MAP(X)                                                                                 \
    X(HOST, "host")                                                                                          \
    X(CONTENT_LENGTH, "content-length")                                                                      \
    X(TRANSFER_ENCODING, "transfer-encoding")                                                                \
    X(CONTENT_ENCODING, "content-encoding")                                                                  \
    X(CONTENT_TYPE, "content-type")                                                                          \
    X(EXPECT, "expect")                                                                                      \
    X(AUTHORIZATION, "authorization")                                                                        \
    X(DATE, "date")                                                                                          \
    X(X_AMZ_TARGET, "x-amz-target")                                                                          \
    X(X_AMZ_DATE, "x-amz-date")                                                                              \
    X(X_AMZ_CONTENT_SHA256, "x-amz-content-sha256")                                                          \
    X(ORIGIN, "origin")                                                                                      \
    X(ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method")                                        \
    /* Lists, which may be spread over several lines: the first one is known. */                             \
    X(ACCEPT_ENCODING, "accept-encoding")                                                                    \
    X(ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers")

enum pl_http_field_name {
#define PL_HTTP_FIELD_NAME(name, text) PL_HTTP_##name,
    PL_HTTP_FIELD_MAP(PL_HTTP_FIELD_NAME)
#undef PL_HTTP_FIELD_NAME
        PL_HTTP_FIELD_NAME_COUNT
};

/** A place in a head's text. */
struct pl_http_span {
    uint16_t at, len;
};

struct pl_http_field {
    struct pl_http_span name, value; /* the value without white space around it */
};

enum pl_http_method { PL_HTTP_GET, PL_HTTP_HEAD, PL_HTTP_POST, PL_HTTP_OPTIONS, PL_HTTP_OTHER };

/**
 * A request's head. Everything in it is a place in `text`, which is somebody else's: whoever moves those
 * bytes points `text` to where they are then.
 */
struct pl_http_head {
    struct pl_bytes text;
    enum pl_http_method method;
    struct pl_http_span method_word, path, query; /* of the target; the query without its '?' */
    uint8_t minor;                                /* of HTTP/1.x */
    bool keep_alive;
    bool chunked;
    bool expects_continue;
    uint64_t content_length; /* 0 when chunked */
    uint16_t field_count;
    struct pl_http_field fields[PL_HTTP_FIELD_COUNT_MAX];
    uint8_t known[PL_HTTP_FIELD_NAME_COUNT]; /* place among the fields, counted from 1; 0: not there */
};

static inline struct pl_bytes pl_http_text(const struct pl_http_head *head, struct pl_http_span span)
{
    return pl_bytes(head->text.data + span.at, span.len);
}

static inline bool pl_http_has(const struct pl_http_head *head, enum pl_http_field_name name)
{
    return head->known[name] != 0;
}

/** The value of a field; empty when it is not there. */
struct pl_bytes pl_http_value(const struct pl_http_head *head, enum pl_http_field_name name);

/** Equal but for upper and lower case of ASCII letters. */
bool pl_http_word_equal(struct pl_bytes a, struct pl_bytes b);

/** Where a scan stands, so that bytes which come one by one are looked at once. Zeroed memory is a new one. */
struct pl_http_scan {
    uint32_t at;       /* the start of the first line that is not whole */
    uint32_t line_len; /* of the request line, once it is whole */
};

/**
 * Look for the end of the head in `in`, which begins where the request does and only ever grows between
 * calls. `*len` becomes the head's length with the empty line at its end, or 0: more bytes are needed.
 * Returns 0 or 400: what is too long is answered like what is wrong. An empty line before the request is not part
 * of it (pl_http_empty_line()).
 */
unsigned pl_http_scan_head(struct pl_http_scan *scan, struct pl_bytes in, size_t *len);

/** Read a head that was scanned: 0, 400, 417, 501 or 505. On failure `head` says nothing. */
unsigned pl_http_head_read(struct pl_http_head *head, struct pl_bytes text);

/** A chunked body that is being read. */
struct pl_http_chunks {
    llhttp_t parser;
    struct pl_buf *out;
    size_t body_bytes_max;
    const char *framing; /* the first byte that is not yet known to be body */
    uint8_t state;       /* of the framing */
    uint8_t digits;
    unsigned status;
    bool complete;
};

void pl_http_chunks_init(struct pl_http_chunks *chunks, size_t body_bytes_max);

/**
 * Append the body bytes in `in` to `out`. `*used` becomes how many bytes of `in` were read: all, but when
 * the body is `complete` before. Returns 0, 400, 413 or (no memory) 503. Extensions and trailers are refused.
 */
unsigned pl_http_chunks_read(struct pl_http_chunks *chunks, struct pl_bytes in, struct pl_buf *out,
                             size_t *used);

/* --- replies --- */

/** The head of a reply. Views are empty for what is not to be said. */
struct pl_http_reply {
    unsigned status;
    struct pl_bytes date; /* as HTTP writes it */
    struct pl_bytes content_type;
    struct pl_bytes content_encoding;
    struct pl_bytes request_id;
    struct pl_bytes more; /* whole lines, each with its end */
    bool has_crc32;
    uint32_t crc32;
    bool keep_alive;
    size_t body_len;
};

void pl_http_write_head(struct pl_buf *out, const struct pl_http_reply *reply);

enum { PL_HTTP_DATE_LEN = 29 };

/** "Sun, 06 Nov 1994 08:49:37 GMT", not ended by a NUL. */
void pl_http_date(int64_t seconds, char date[PL_HTTP_DATE_LEN]);

#endif
