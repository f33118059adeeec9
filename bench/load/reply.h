/* SPDX-License-Identifier: MIT */
#ifndef LOAD_REPLY_H
#define LOAD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/request.h"

/** What the replies said, over all connections. */
struct reply_totals {
    uint64_t errors;
    uint64_t empty; /* a get that found nothing */
    uint64_t rows;
    char first_error[240];
};

/**
 * Where one connection's byte stream stands. Replies are counted as they pass by, in
 * whatever pieces they come, and are not kept.
 */
struct reply_reader {
    enum protocol protocol;
    char head[240]; /* the current line's first bytes; all of a RESP header */
    uint32_t head_len;
    uint64_t line_len;
    uint64_t skip;     /* RESP: bytes of a bulk string still to come, its line end included */
    uint64_t elements; /* RESP: elements still missing from the current reply; 0: between replies */
};

/** How many replies end within these bytes. -1: these bytes are no reply. */
int64_t reply_count(struct reply_reader *r, const char *data, size_t len, struct reply_totals *totals);

#endif
