/* SPDX-License-Identifier: MIT */
#include "net/link.h"

#include <sys/socket.h>

/* A buffer that once held a large reply is not kept for a connection's lifetime. */
enum { KEPT_BYTES_MAX = 64 * 1024 };

static int error_from_uv(int rc)
{
    switch (rc) {
    case 0:
    case UV_EOF:
        return 0;
    case UV_ENOMEM:
        return PL_ENOMEM;
    case UV_EPIPE:
    case UV_ECONNRESET:
    case UV_ECANCELED:
    case UV_ENOTCONN:
        return PL_ECLOSED;
    default:
        return PL_EIO;
    }
}

int pl_link_open(struct pl_link *link, uv_loop_t *loop, int fd, struct pl_link_scratch *scratch,
                 const struct pl_link_events *events)
{
    int rc;

    *link = (struct pl_link){ .scratch = scratch, .events = events };
    rc = uv_tcp_init(loop, &link->tcp);
    PL_ASSERT(rc == 0); /* fails only for flags, and there are none */
    rc = uv_tcp_open(&link->tcp, fd);
    if (rc != 0) {
        pl_link_close(link);
        return error_from_uv(rc);
    }
    /* Replies are gathered here already: waiting for more would only cost time. A failure costs no more than that. */
    uv_tcp_nodelay(&link->tcp, 1);
    return 0;
}

/* --- reading --- */

static void lend_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct pl_link *link = pl_container_of((uv_tcp_t *)handle, struct pl_link, tcp);

    (void)suggested;
    *out = uv_buf_init(link->scratch->bytes, sizeof link->scratch->bytes);
}

static void end(struct pl_link *link, int rc)
{
    pl_link_read_stop(link);
    if (link->closing)
        return;
    if (link->ended) {
        /* It had only half ended: what is left to send has nobody to go to. */
        if (rc != 0)
            pl_link_close(link);
        return;
    }
    link->ended = true;
    link->events->ended(link, rc);
}

static void received(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct pl_link *link = pl_container_of((uv_tcp_t *)stream, struct pl_link, tcp);

    if (len > 0)
        link->events->received(link, pl_bytes(buf->base, (size_t)len));
    else if (len < 0)
        end(link, error_from_uv((int)len));
}

int pl_link_read_start(struct pl_link *link)
{
    int rc;

    if (link->reading || link->ended || link->closing)
        return 0;
    rc = uv_read_start((uv_stream_t *)&link->tcp, lend_scratch, received);
    link->reading = rc == 0;
    return error_from_uv(rc);
}

void pl_link_read_stop(struct pl_link *link)
{
    if (!link->reading)
        return;
    uv_read_stop((uv_stream_t *)&link->tcp);
    link->reading = false;
}

/* --- writing --- */

static void sent(uv_write_t *req, int status);

static void recycle(struct pl_buf *buf)
{
    if (buf->capacity > KEPT_BYTES_MAX) {
        pl_buf_deinit(buf);
        *buf = (struct pl_buf){ 0 };
    }
    pl_buf_clear(buf);
}

/* The kernel took the first `taken` bytes; the rest goes when it has room. */
static int send_later(struct pl_link *link, size_t taken)
{
    struct pl_buf emptied = link->sending;
    uv_buf_t rest;
    int rc;

    link->sending = link->out;
    link->out = emptied;
    rest = uv_buf_init(link->sending.data + taken, (unsigned)(link->sending.len - taken));
    rc = uv_write(&link->write, (uv_stream_t *)&link->tcp, &rest, 1, sent);
    if (rc != 0)
        return error_from_uv(rc);
    link->writing = true;
    return 0;
}

int pl_link_flush(struct pl_link *link)
{
    uv_buf_t all;
    int rc;

    if (pl_buf_status(&link->out) != 0)
        return PL_ENOMEM;
    if (link->out.len == 0 || link->writing || link->closing)
        return 0;
    all = uv_buf_init(link->out.data, (unsigned)link->out.len);
    rc = uv_try_write((uv_stream_t *)&link->tcp, &all, 1);
    if (rc == UV_EAGAIN)
        rc = 0;
    if (rc < 0)
        return error_from_uv(rc);
    if ((size_t)rc < link->out.len)
        return send_later(link, (size_t)rc);
    recycle(&link->out);
    return 0;
}

/* libuv calls this before the close callback, so `link` is still alive. */
static void sent(uv_write_t *req, int status)
{
    struct pl_link *link = pl_container_of(req, struct pl_link, write);

    link->writing = false;
    recycle(&link->sending);
    if (link->closing)
        return;
    if (status < 0)
        end(link, error_from_uv(status));
    else
        link->events->drained(link);
}

size_t pl_link_unsent(const struct pl_link *link)
{
    return link->out.len + uv_stream_get_write_queue_size((const uv_stream_t *)&link->tcp);
}

/* --- closing --- */

void pl_link_shut(struct pl_link *link)
{
    uv_os_fd_t fd;

    /* Without uv_shutdown()'s wait for the queue: it is empty. A failure shows when reading ends. */
    PL_ASSERT(pl_link_unsent(link) == 0);
    if (!link->closing && uv_fileno((const uv_handle_t *)&link->tcp, &fd) == 0)
        shutdown(fd, SHUT_WR);
}

static void closed(uv_handle_t *handle)
{
    struct pl_link *link = pl_container_of((uv_tcp_t *)handle, struct pl_link, tcp);

    pl_buf_deinit(&link->out);
    pl_buf_deinit(&link->sending);
    link->events->closed(link);
}

void pl_link_close(struct pl_link *link)
{
    if (link->closing)
        return;
    pl_link_read_stop(link);
    link->closing = true;
    uv_close((uv_handle_t *)&link->tcp, closed);
}
