/* SPDX-License-Identifier: MIT */
#ifndef PL_BASE_BYTES_H
#define PL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A view: bytes that somebody else owns. Not NUL-terminated; any byte may occur. */
struct pl_bytes {
    const char *data;
    size_t len;
};

/** Bytes we own, growing at the end. Zeroed memory is an empty buffer. */
struct pl_buf {
    char *data;
    size_t len;
    size_t capacity;
    bool failed; /* an append found no memory; everything after it was dropped */
};

static inline struct pl_bytes pl_bytes(const void *data, size_t len)
{
    return (struct pl_bytes){ .data = (const char *)data, .len = len };
}

static inline struct pl_bytes pl_str(const char *text)
{
    return pl_bytes(text, strlen(text));
}

static inline struct pl_bytes pl_buf_view(const struct pl_buf *buf)
{
    return pl_bytes(buf->data, buf->len);
}

bool pl_bytes_equal(struct pl_bytes a, struct pl_bytes b);

/** Unsigned byte order, a prefix first: negative, 0 or positive. */
int pl_bytes_compare(struct pl_bytes a, struct pl_bytes b);

bool pl_bytes_has_prefix(struct pl_bytes text, struct pl_bytes prefix);

/** The beginning of a UTF-8 text, of at most `max` bytes and whole characters. */
struct pl_bytes pl_bytes_shortened(struct pl_bytes text, size_t max);

/** Without the spaces and tabs at both ends. */
struct pl_bytes pl_bytes_trim(struct pl_bytes text);

/** True when `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. */
bool pl_bytes_is_utf8(struct pl_bytes text);

/**
 * Appending cannot be forgotten to be checked one call at a time: a buffer that
 * once found no memory is `failed`, drops what follows, and says so once, when
 * the writer asks pl_buf_status() at its end.
 */
void pl_buf_append(struct pl_buf *buf, const void *data, size_t len);
void pl_buf_append_byte(struct pl_buf *buf, uint8_t byte);
void pl_buf_append_bytes(struct pl_buf *buf, struct pl_bytes bytes);
void pl_buf_append_format(struct pl_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Room for `len` more bytes at the end, to be written by the caller, who then adds to `len`. NULL: no memory. */
char *pl_buf_reserve(struct pl_buf *buf, size_t len);

/** 0, or PL_ENOMEM when an append was dropped. */
int pl_buf_status(const struct pl_buf *buf);

/** Empty it, keep its memory, forget a failure. */
void pl_buf_clear(struct pl_buf *buf);

/** Remove the first `len` bytes. */
void pl_buf_consume(struct pl_buf *buf, size_t len);

void pl_buf_deinit(struct pl_buf *buf);

/* Fixed-width integers: big-endian where order matters (keys), little-endian in records. */
static inline void pl_put_be16(void *to, uint16_t v)
{
    uint8_t *p = to;
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void pl_put_be32(void *to, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(to, &v, sizeof v);
}

static inline void pl_put_be64(void *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static inline uint16_t pl_get_be16(const void *from)
{
    const uint8_t *p = from;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t pl_get_be32(const void *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t pl_get_be64(const void *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap64(v);
}

static inline void pl_put_le16(void *to, uint16_t v)
{
    memcpy(to, &v, sizeof v);
}

static inline void pl_put_le32(void *to, uint32_t v)
{
    memcpy(to, &v, sizeof v);
}

static inline void pl_put_le64(void *to, uint64_t v)
{
    memcpy(to, &v, sizeof v);
}

static inline uint16_t pl_get_le16(const void *from)
{
    uint16_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline uint32_t pl_get_le32(const void *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline uint64_t pl_get_le64(const void *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written in the machine's order");

enum { PL_VARINT_MAX = 5 };

/** Append `v` as a base-128 varint, low bits first, in its shortest form. */
void pl_buf_append_varint(struct pl_buf *buf, uint32_t v);

/**
 * Read a varint from the front of `*in` and step over it. False, with nothing
 * moved, when it is cut short, longer than needed or larger than 32 bits.
 */
bool pl_bytes_take_varint(struct pl_bytes *in, uint32_t *v);

#define pl_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
