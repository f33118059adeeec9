/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_DESK_H
#define PL_FRONT_DESK_H

#include "base/clock.h"
#include "codec/encoding.h"
#include "codec/sigv4.h"

/** How HTTP is spoken, the same on every loop. */
struct pl_http_options {
    size_t body_bytes_max; /* as sent, and as unpacked: a longer one is refused with 413 */
    size_t
        gathered_bytes_max; /* of all bodies on a loop that are only partly there: more are refused with 503 */
    uint64_t head_timeout_ms; /* from a request's first byte to the end of its head; 0: for ever */
    uint32_t body_rate_min;   /* bytes a second, on the average, once a body took as long as a head may */
    struct pl_bytes region;   /* stands in ARNs; letters, digits and hyphens */
    struct pl_bytes account;  /* the same; digits */
    uint32_t table_delay_ms;  /* see struct pl_dynamo_context */
    const struct pl_sigv4_keys *keys; /* NULL or empty: signatures are not verified */
    struct pl_clock clock;
    struct pl_random random;
};

enum { PL_DESK_REQUEST_ID_LEN = 52 };

/**
 * What the HTTP connections of one loop share: spare exchanges, zlib's memory, the time of day in letters.
 * The loop's thread alone uses it.
 */
struct pl_desk {
    const struct pl_http_options *options;
    struct pl_exchange *spare;
    uint32_t spare_count;
    size_t gathered_bytes; /* of bodies that are only partly there */
    struct pl_coder coder;
    struct pl_sigv4 sigv4;
    struct pl_buf words; /* scratch: what signatures are made of, what was packed */
    uint64_t id_state;
    int64_t date_s; /* the second that `date` tells */
    char date[PL_HTTP_DATE_LEN];
};

/** NULL: no memory. `options` are lent until it is freed. */
struct pl_desk *pl_desk_new(const struct pl_http_options *options);
void pl_desk_free(struct pl_desk *desk);

int64_t pl_desk_now_ms(const struct pl_desk *desk);

/** Now, as HTTP writes it; good until the next call. */
struct pl_bytes pl_desk_date(struct pl_desk *desk);

/** 52 characters of 0-9 and A-V that nobody has seen before. */
void pl_desk_write_request_id(struct pl_desk *desk, char id[PL_DESK_REQUEST_ID_LEN]);

#endif
