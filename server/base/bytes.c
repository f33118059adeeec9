/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool pl_bytes_equal(struct pl_bytes a, struct pl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool pl_bytes_has_prefix(struct pl_bytes text, struct pl_bytes prefix)
{
    return text.len >= prefix.len && (prefix.len == 0 || memcmp(text.data, prefix.data, prefix.len) == 0);
}

int pl_bytes_compare(struct pl_bytes a, struct pl_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

struct pl_bytes pl_bytes_shortened(struct pl_bytes text, size_t max)
{
    if (text.len <= max)
        return text;
    text.len = max;
    while (text.len > 0 && ((uint8_t)text.data[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct pl_bytes pl_bytes_trim(struct pl_bytes text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = pl_bytes(text.data + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* The length of the character at `p`, or 0 when the bytes there are none (Unicode 15, table 3-7). */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        len = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        len = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (left < len)
        return 0;
    switch (p[0]) {
    case 0xE0:
        low = 0xA0;
        break;
    case 0xED:
        high = 0x9F;
        break;
    case 0xF0:
        low = 0x90;
        break;
    case 0xF4:
        high = 0x8F;
        break;
    default:
        break;
    }
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool pl_bytes_is_utf8(struct pl_bytes text)
{
    const uint8_t *p = (const uint8_t *)text.data;
    size_t left = text.len;

    while (left > 0) {
        size_t len;
        uint64_t eight;

        if (left >= 8) {
            memcpy(&eight, p, 8);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                p += 8;
                left -= 8;
                continue;
            }
        }
        len = utf8_length(p, left);
        if (len == 0)
            return false;
        p += len;
        left -= len;
    }
    return true;
}

char *pl_buf_reserve(struct pl_buf *buf, size_t len)
{
    size_t capacity = buf->capacity;
    char *data;

    if (buf->failed)
        return NULL;
    if (len <= capacity - buf->len && buf->data != NULL)
        return buf->data + buf->len;
    if (len > SIZE_MAX / 4 - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (capacity == 0)
        capacity = 64;
    while (capacity - buf->len < len)
        capacity *= 2;
    data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->len;
}

void pl_buf_append(struct pl_buf *buf, const void *data, size_t len)
{
    char *to;

    if (len == 0)
        return;
    to = pl_buf_reserve(buf, len);
    if (to == NULL)
        return;
    memcpy(to, data, len);
    buf->len += len;
}

void pl_buf_append_byte(struct pl_buf *buf, uint8_t byte)
{
    pl_buf_append(buf, &byte, 1);
}

void pl_buf_append_bytes(struct pl_buf *buf, struct pl_bytes bytes)
{
    pl_buf_append(buf, bytes.data, bytes.len);
}

void pl_buf_append_format(struct pl_buf *buf, const char *format, ...)
{
    va_list args;
    int len;
    char *to;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    PL_ASSERT(len >= 0);
    to = pl_buf_reserve(buf, (size_t)len + 1);
    if (to == NULL)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void pl_buf_append_varint(struct pl_buf *buf, uint32_t v)
{
    uint8_t bytes[PL_VARINT_MAX];
    size_t len = 0;

    while (v >= 0x80) {
        bytes[len++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[len++] = (uint8_t)v;
    pl_buf_append(buf, bytes, len);
}

bool pl_bytes_take_varint(struct pl_bytes *in, uint32_t *v)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < PL_VARINT_MAX && i < in->len; i++) {
        uint8_t byte = (uint8_t)in->data[i];

        sum |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80)
            continue;
        if (sum > UINT32_MAX || (byte == 0 && i > 0))
            return false;
        *v = (uint32_t)sum;
        in->data += i + 1;
        in->len -= i + 1;
        return true;
    }
    return false;
}

int pl_buf_status(const struct pl_buf *buf)
{
    return buf->failed ? PL_ENOMEM : 0;
}

void pl_buf_clear(struct pl_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

void pl_buf_consume(struct pl_buf *buf, size_t len)
{
    PL_ASSERT(len <= buf->len);
    buf->len -= len;
    if (buf->len > 0)
        memmove(buf->data, buf->data + len, buf->len);
}

void pl_buf_deinit(struct pl_buf *buf)
{
    free(buf->data);
    *buf = (struct pl_buf){ 0 };
}
