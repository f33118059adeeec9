/* SPDX-License-Identifier: MIT */
#include "net/link.h"

#include "test.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* One link on a loop that the test turns by hand, and the other end of its socket. */
struct stage {
    uv_loop_t uv;
    struct pl_link link;
    struct pl_link_scratch scratch;
    int peer;
    struct pl_buf got;
    int ended, ended_rc, drained, closed;
};

static struct stage *stage_of(struct pl_link *link)
{
    return pl_container_of(link, struct stage, link);
}

static void received(struct pl_link *link, struct pl_bytes bytes)
{
    pl_buf_append_bytes(&stage_of(link)->got, bytes);
}

static void ended(struct pl_link *link, int rc)
{
    stage_of(link)->ended++;
    stage_of(link)->ended_rc = rc;
}

static void drained(struct pl_link *link)
{
    stage_of(link)->drained++;
}

static void closed(struct pl_link *link)
{
    stage_of(link)->closed++;
}

static const struct pl_link_events events = { received, ended, drained, closed };

static struct stage *stage_open(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    int ends[2];

    CHECK(stage != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK(uv_loop_init(&stage->uv) == 0);
    CHECK(pl_link_open(&stage->link, &stage->uv, ends[0], &stage->scratch, &events) == 0);
    stage->peer = ends[1];
    return stage;
}

static void stage_close(struct stage *stage)
{
    pl_link_close(&stage->link);
    pl_link_close(&stage->link);
    while (stage->closed == 0)
        uv_run(&stage->uv, UV_RUN_ONCE);
    CHECK(stage->closed == 1);
    CHECK(uv_loop_close(&stage->uv) == 0);
    if (stage->peer >= 0)
        close(stage->peer);
    pl_buf_deinit(&stage->got);
    free(stage);
}

static void bytes_come_and_the_end_comes_once(void)
{
    struct stage *stage = stage_open();

    CHECK(pl_link_read_start(&stage->link) == 0 && pl_link_read_start(&stage->link) == 0);
    CHECK(write(stage->peer, "hello", 5) == 5);
    while (stage->got.len < 5)
        uv_run(&stage->uv, UV_RUN_ONCE);
    CHECK(memcmp(stage->got.data, "hello", 5) == 0);
    shutdown(stage->peer, SHUT_WR);
    while (stage->ended == 0)
        uv_run(&stage->uv, UV_RUN_ONCE);
    CHECK(stage->ended_rc == 0);
    CHECK(pl_link_read_start(&stage->link) == 0);
    uv_run(&stage->uv, UV_RUN_NOWAIT);
    CHECK(stage->ended == 1);
    stage_close(stage);
}

static void a_link_that_does_not_read_leaves_the_bytes_where_they_are(void)
{
    struct stage *stage = stage_open();

    CHECK(pl_link_read_start(&stage->link) == 0);
    pl_link_read_stop(&stage->link);
    CHECK(write(stage->peer, "hello", 5) == 5);
    uv_run(&stage->uv, UV_RUN_NOWAIT);
    CHECK(stage->got.len == 0);
    stage_close(stage);
}

static void what_the_kernel_does_not_take_goes_later_and_in_order(void)
{
    enum { PIECES = 2000, PIECE = 1000 };
    struct stage *stage = stage_open();
    size_t total = 0;
    char bytes[4096];

    for (int i = 0; i < PIECES; i++) {
        for (int j = 0; j < PIECE; j++)
            pl_buf_append_byte(pl_link_out(&stage->link), (uint8_t)((i * PIECE + j) % 251));
        if (i % 500 == 0)
            CHECK(pl_link_flush(&stage->link) == 0);
    }
    CHECK(pl_link_flush(&stage->link) == 0);
    CHECK(pl_link_unsent(&stage->link) > 0 && pl_link_unsent(&stage->link) <= PIECES * PIECE);
    while (total < PIECES * PIECE) {
        ssize_t len = recv(stage->peer, bytes, sizeof bytes, 0);

        for (ssize_t i = 0; i < len; i++)
            CHECK((uint8_t)bytes[i] == (total + (size_t)i) % 251);
        total += len > 0 ? (size_t)len : 0;
        uv_run(&stage->uv, UV_RUN_NOWAIT);
        CHECK(pl_link_flush(&stage->link) == 0);
    }
    CHECK(pl_link_unsent(&stage->link) == 0 && stage->drained > 0);
    stage_close(stage);
}

static void closing_with_unsent_bytes_loses_them_and_nothing_else(void)
{
    struct stage *stage = stage_open();

    CHECK(pl_buf_reserve(pl_link_out(&stage->link), 4 << 20) != NULL);
    memset(stage->link.out.data, 'x', 4 << 20);
    stage->link.out.len = 4 << 20;
    CHECK(pl_link_flush(&stage->link) == 0 && pl_link_unsent(&stage->link) > 0);
    stage_close(stage);
}

static void a_peer_that_is_gone_is_an_error_and_no_signal(void)
{
    struct stage *stage = stage_open();

    close(stage->peer);
    stage->peer = -1;
    pl_buf_append_bytes(pl_link_out(&stage->link), pl_str("hello"));
    CHECK(pl_link_flush(&stage->link) == PL_ECLOSED);
    stage_close(stage);
}

static void gathering_without_memory_is_told_at_the_flush(void)
{
    struct stage *stage = stage_open();

    CHECK(pl_buf_reserve(pl_link_out(&stage->link), SIZE_MAX / 2) == NULL);
    CHECK(pl_link_flush(&stage->link) == PL_ENOMEM);
    stage_close(stage);
}

static void what_is_no_socket_is_refused_and_still_closed(void)
{
    struct stage *stage = calloc(1, sizeof *stage);

    CHECK(stage != NULL && uv_loop_init(&stage->uv) == 0);
    stage->peer = -1;
    CHECK(pl_link_open(&stage->link, &stage->uv, -1, &stage->scratch, &events) != 0);
    stage_close(stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(bytes_come_and_the_end_comes_once);
    RUN(a_link_that_does_not_read_leaves_the_bytes_where_they_are);
    RUN(what_the_kernel_does_not_take_goes_later_and_in_order);
    RUN(closing_with_unsent_bytes_loses_them_and_nothing_else);
    RUN(a_peer_that_is_gone_is_an_error_and_no_signal);
    RUN(gathering_without_memory_is_told_at_the_flush);
    RUN(what_is_no_socket_is_refused_and_still_closed);
    return test_summary();
}
