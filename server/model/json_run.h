/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_JSON_RUN_H
#define PL_MODEL_JSON_RUN_H

#include "base/bytes.h"

/**
 * The part of a string that is the same inside and outside of JSON, found eight bytes at a
 * time: reading stops where it ends, writing escapes what ends it.
 */
#define PL_JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define PL_JSON_HIGH_BITS  PL_JSON_EACH(0x80)

static inline uint64_t pl_json_zero_bytes(uint64_t eight)
{
    return (eight - PL_JSON_EACH(0x01)) & ~eight & PL_JSON_HIGH_BITS;
}

/*
 * The top bit of each byte that ends a run: a quote, a backslash or a control
 * character. A borrow may mark bytes above a marked one falsely; only the lowest counts.
 */
static inline uint64_t pl_json_run_ends(uint64_t eight)
{
    uint64_t control = (eight - PL_JSON_EACH(0x20)) & ~eight & PL_JSON_HIGH_BITS;

    return control | pl_json_zero_bytes(eight ^ PL_JSON_EACH('"')) |
           pl_json_zero_bytes(eight ^ PL_JSON_EACH('\\'));
}

/* From `p` to the first byte that ends a run, or to the end. `*high` collects the bytes passed. */
static inline const char *pl_json_run(const char *p, const char *end, uint64_t *high)
{
    while (end - p >= 8) {
        uint64_t eight, ends;

        memcpy(&eight, p, 8);
        ends = pl_json_run_ends(eight);
        if (ends != 0) {
            *high |= eight & ((ends & -ends) - 1);
            return p + (__builtin_ctzll(ends) >> 3);
        }
        *high |= eight;
        p += 8;
    }
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == '"' || c == '\\')
            return p;
        *high |= c;
    }
    return p;
}

#endif
