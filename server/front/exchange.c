/* SPDX-License-Identifier: MIT */
#include "front/exchange.h"

#include <stdlib.h>

enum { SPARES_MAX = 128, KEPT_BYTES_MAX = 64 * 1024 };

struct pl_exchange *pl_exchange_take(struct pl_desk *desk)
{
    struct pl_exchange *exchange = desk->spare;

    if (exchange != NULL) {
        desk->spare = exchange->next;
        desk->spare_count--;
        return exchange;
    }
    exchange = calloc(1, sizeof *exchange);
    if (exchange != NULL)
        pl_dynamo_request_init(&exchange->dynamo);
    return exchange;
}

void pl_exchange_free(struct pl_exchange *exchange)
{
    pl_dynamo_request_deinit(&exchange->dynamo);
    pl_buf_deinit(&exchange->head_text);
    pl_buf_deinit(&exchange->body);
    pl_buf_deinit(&exchange->unpacked);
    pl_buf_deinit(&exchange->more);
    free(exchange);
}

/* What a large request needed is not kept for the small ones. */
static void keep_small(struct pl_buf *buf)
{
    if (buf->capacity > KEPT_BYTES_MAX)
        pl_buf_deinit(buf);
    else
        pl_buf_clear(buf);
}

void pl_exchange_release(struct pl_desk *desk, struct pl_exchange *exchange)
{
    desk->gathered_bytes -= exchange->gathered_bytes;
    exchange->gathered_bytes = 0;
    if (desk->spare_count == SPARES_MAX) {
        pl_exchange_free(exchange);
        return;
    }
    pl_dynamo_request_reset(&exchange->dynamo);
    keep_small(&exchange->head_text);
    keep_small(&exchange->body);
    keep_small(&exchange->unpacked);
    keep_small(&exchange->more);
    exchange->connection = NULL;
    exchange->head.text = pl_bytes(NULL, 0);
    exchange->reply = (struct pl_http_reply){ 0 };
    exchange->answer = pl_bytes(NULL, 0);
    exchange->accepts = PL_ENCODING_IDENTITY;
    exchange->keep_alive = exchange->head_only = false;
    exchange->next = desk->spare;
    desk->spare = exchange;
    desk->spare_count++;
}
