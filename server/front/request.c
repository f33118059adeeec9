/* SPDX-License-Identifier: MIT */
#include "front/request.h"

#include <stdlib.h>

enum { SPARES_MAX = 1024, KEPT_BYTES_MAX = 64 * 1024 };

struct pl_request *pl_request_take(struct pl_loop *loop)
{
    struct pl_request *request = loop->spare;

    if (request != NULL) {
        loop->spare = request->next;
        loop->spare_count--;
        request->next = NULL;
        return request;
    }
    request = calloc(1, sizeof *request);
    if (request != NULL)
        pl_operation_init(&request->op, PL_OP_GET);
    return request;
}

static void request_free(struct pl_request *request)
{
    pl_operation_deinit(&request->op);
    pl_buf_deinit(&request->text);
    pl_buf_deinit(&request->answer);
    free(request);
}

void pl_request_release(struct pl_loop *loop, struct pl_request *request)
{
    /* What a large request needed is not kept for the small ones. */
    if (loop->spare_count == SPARES_MAX || request->op.bytes.capacity > KEPT_BYTES_MAX) {
        request_free(request);
        return;
    }
    pl_operation_reset(&request->op, PL_OP_GET);
    pl_buf_deinit(&request->text);
    pl_buf_deinit(&request->answer);
    request->text = request->answer = (struct pl_buf){ 0 };
    request->line = (struct pl_line){ 0 };
    request->connection = NULL;
    request->in_order = request->complete = false;
    memset(&request->pages, 0, sizeof request->pages);
    request->next = loop->spare;
    loop->spare = request;
    loop->spare_count++;
}

void pl_request_free_spares(struct pl_loop *loop)
{
    while (loop->spare != NULL) {
        struct pl_request *request = loop->spare;

        loop->spare = request->next;
        request_free(request);
    }
    loop->spare_count = 0;
}

int pl_request_keep_line(struct pl_request *request)
{
    struct pl_line *line = &request->line;
    struct pl_bytes copy = pl_arena_copy(&request->op.arena, line->text);
    const char *before = line->text.data;

    if (copy.data == NULL)
        return PL_ENOMEM;
    line->text = copy;
    if (line->tag.len > 0)
        line->tag.data = copy.data + (line->tag.data - before);
    line->rest.data = copy.data + (line->rest.data - before);
    return 0;
}
