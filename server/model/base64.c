/* SPDX-License-Identifier: MIT */
#include "model/base64.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of each character plus one; 0 is no character of the alphabet. */
static const uint8_t sextets[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static void put_four(char *to, uint32_t bits)
{
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = alphabet[bits >> 6 & 63];
    to[3] = alphabet[bits & 63];
}

void pl_base64_write(struct pl_buf *out, struct pl_bytes bytes)
{
    const uint8_t *from = (const uint8_t *)bytes.data;
    size_t whole = bytes.len / 3, rest = bytes.len % 3;
    size_t len = (whole + (rest > 0)) * 4;
    char *to = pl_buf_reserve(out, len);

    if (to == NULL)
        return;
    for (size_t i = 0; i < whole; i++, from += 3, to += 4)
        put_four(to, (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2]);
    if (rest > 0) {
        put_four(to, (uint32_t)from[0] << 16 | (rest == 2 ? (uint32_t)from[1] << 8 : 0));
        to[3] = '=';
        if (rest == 1)
            to[2] = '=';
    }
    out->len += len;
}

/* Four characters without padding. */
static bool take_four(const uint8_t *from, char *to)
{
    uint32_t a = sextets[from[0]], b = sextets[from[1]], c = sextets[from[2]], d = sextets[from[3]];
    uint32_t bits;

    if (a == 0 || b == 0 || c == 0 || d == 0)
        return false;
    bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
    to[0] = (char)(bits >> 16);
    to[1] = (char)(bits >> 8);
    to[2] = (char)bits;
    return true;
}

/* The last four, of which one or two are padding: the bits behind the last byte must be zero. */
static bool take_padded(const uint8_t *from, char *to, size_t *len)
{
    uint32_t a = sextets[from[0]], b = sextets[from[1]], c = sextets[from[2]];

    if (a == 0 || b == 0)
        return false;
    to[0] = (char)((a - 1) << 2 | (b - 1) >> 4);
    *len = 1;
    if (from[2] == '=')
        return ((b - 1) & 15) == 0;
    if (c == 0 || ((c - 1) & 3) != 0)
        return false;
    to[1] = (char)((b - 1) << 4 | (c - 1) >> 2);
    *len = 2;
    return true;
}

bool pl_base64_decode(struct pl_bytes text, char *out, size_t *len)
{
    const uint8_t *from = (const uint8_t *)text.data;
    const char *start = out;
    size_t last;

    if (text.len % 4 != 0)
        return false;
    if (text.len == 0) {
        *len = 0;
        return true;
    }
    for (size_t fours = text.len / 4; fours > 1; fours--, from += 4, out += 3)
        if (!take_four(from, out))
            return false;
    last = 3;
    if (from[3] == '=' ? !take_padded(from, out, &last) : !take_four(from, out))
        return false;
    *len = (size_t)(out - start) + last;
    return true;
}

bool pl_base64_read(struct pl_bytes text, struct pl_buf *out)
{
    char *to = pl_buf_reserve(out, text.len / 4 * 3);
    size_t len;

    if (out->failed || !pl_base64_decode(text, to, &len))
        return false;
    out->len += len;
    return true;
}
