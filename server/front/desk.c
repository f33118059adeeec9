/* SPDX-License-Identifier: MIT */
#include "front/desk.h"

#include "front/exchange.h"

#include <stdlib.h>

struct pl_desk *pl_desk_new(const struct pl_http_options *options)
{
    struct pl_desk *desk = calloc(1, sizeof *desk);

    if (desk == NULL)
        return NULL;
    desk->options = options;
    if (pl_sigv4_init(&desk->sigv4, options->keys, pl_str("dynamodb")) != 0) {
        free(desk);
        return NULL;
    }
    desk->id_state = pl_random_next(&options->random);
    desk->date_s = -1;
    return desk;
}

void pl_desk_free(struct pl_desk *desk)
{
    while (desk->spare != NULL) {
        struct pl_exchange *exchange = desk->spare;

        desk->spare = exchange->next;
        pl_exchange_free(exchange);
    }
    pl_coder_deinit(&desk->coder);
    pl_sigv4_deinit(&desk->sigv4);
    pl_buf_deinit(&desk->words);
    free(desk);
}

int64_t pl_desk_now_ms(const struct pl_desk *desk)
{
    return pl_clock_wall_ms(&desk->options->clock);
}

struct pl_bytes pl_desk_date(struct pl_desk *desk)
{
    int64_t now_s = pl_desk_now_ms(desk) / 1000;

    if (now_s != desk->date_s) {
        pl_http_date(now_s, desk->date);
        desk->date_s = now_s;
    }
    return pl_bytes(desk->date, sizeof desk->date);
}

/* splitmix64: each state is met once in 2^64, and loops begin at random ones. */
static uint64_t next_random(struct pl_desk *desk)
{
    uint64_t x = desk->id_state += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

void pl_desk_write_request_id(struct pl_desk *desk, char id[PL_DESK_REQUEST_ID_LEN])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    uint64_t bits = 0;

    for (int i = 0; i < PL_DESK_REQUEST_ID_LEN; i++) {
        if (i % 12 == 0)
            bits = next_random(desk);
        id[i] = letters[bits & 31];
        bits >>= 5;
    }
}
