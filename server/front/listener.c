/* SPDX-License-Identifier: MIT */
#include "front/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_MS = 100, ACCEPTS_PER_TURN = 64, NO_FD = -1 };

static void readable(uv_poll_t *poll, int status, int events);
static void closed_one(uv_handle_t *handle);

/* --- opening --- */

static int keep_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int pl_listener_open(struct pl_listener *listener, const struct pl_listener_options *options,
                     struct pl_reason *why)
{
    int rc;

    *listener = (struct pl_listener){
        .uv = options->uv,
        .fd = NO_FD,
        .address = options->address,
        .kind = options->kind,
        .loops = options->loops,
        .loop_count = options->loop_count,
        .connections_max = options->connections_max,
        .logger = options->logger,
    };
    rc = pl_address_listen(&listener->address, &listener->fd, why);
    if (rc != 0)
        return rc;
    rc = uv_poll_init(options->uv, &listener->poll, listener->fd);
    if (rc != 0) {
        close(listener->fd);
        return pl_reason_set(why, pl_error_from_errno(-rc), "cannot watch the listening socket: %s",
                             uv_strerror(rc));
    }
    uv_timer_init(options->uv, &listener->pause);
    listener->open_handles = 2;
    listener->reserve_fd = keep_reserve();
    rc = uv_poll_start(&listener->poll, UV_READABLE, readable);
    PL_ASSERT(rc == 0); /* fails only for bad flags */
    return 0;
}

/* --- refusing --- */

/*
 * Tell the client why, and close. What it has sent already is read first: closing a socket
 * with unread bytes resets the connection, and the sentence would be lost.
 */
static void refuse(struct pl_listener *listener, int fd, int rc, const struct pl_reason *why)
{
    struct pl_buf out = { 0 };
    char sink[4096];

    listener->kind->refuse(&out, rc, why);
    while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
        continue;
    if (pl_buf_status(&out) == 0)
        (void)send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
        continue;
    close(fd);
    pl_buf_deinit(&out);
}

static uint32_t connection_count(const struct pl_listener *listener)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < listener->loop_count; i++)
        count += pl_loop_connection_count(listener->loops[i]);
    return count;
}

static void wait_a_moment(struct pl_listener *listener);

/* No descriptor is left: give up the reserve for as long as it takes to say so to one client. */
static void refuse_for_want_of_descriptors(struct pl_listener *listener)
{
    static const struct pl_reason why = {
        .text = "the server has no file descriptor left for another connection"
    };
    int fd;

    pl_log(listener->logger, PL_LOG_ERROR, "refused a connection", "no file descriptor left: see ulimit -n");
    if (listener->reserve_fd != NO_FD)
        close(listener->reserve_fd);
    fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        refuse(listener, fd, PL_ELIMIT, &why);
    listener->reserve_fd = keep_reserve();
    if (fd < 0)
        wait_a_moment(listener);
}

/* --- accepting --- */

static void welcome(struct pl_listener *listener, int fd)
{
    struct pl_reason why;
    int rc = PL_ELIMIT;

    if (connection_count(listener) >= listener->connections_max) {
        pl_reason_set(&why, rc, "the server has reached its limit of %u connections (--max-connections)",
                      listener->connections_max);
        pl_log(listener->logger, PL_LOG_WARN, "refused a connection", "limit of %u reached",
               listener->connections_max);
        refuse(listener, fd, rc, &why);
        return;
    }
    rc = pl_loop_adopt(listener->loops[listener->turn++ % listener->loop_count], listener->kind, fd);
    if (rc != 0)
        refuse(listener, fd, rc, NULL);
}

/* False: no more for now. */
static bool accept_one(struct pl_listener *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        welcome(listener, fd);
        return true;
    }
    switch (errno) {
    case EINTR:
    case ECONNABORTED:
        return true; /* that client has gone; the next may not */
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        refuse_for_want_of_descriptors(listener);
        return false;
    default:
        pl_log(listener->logger, PL_LOG_ERROR, "cannot accept connections for now", "%s", strerror(errno));
        wait_a_moment(listener);
        return false;
    }
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct pl_listener *listener = pl_container_of(poll, struct pl_listener, poll);

    (void)events;
    if (status < 0)
        pl_log(listener->logger, PL_LOG_ERROR, "the listening socket failed", "%s", uv_strerror(status));
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(listener); i++)
        continue;
}

static void go_on(uv_timer_t *timer)
{
    struct pl_listener *listener = pl_container_of(timer, struct pl_listener, pause);
    int rc = uv_poll_start(&listener->poll, UV_READABLE, readable);

    PL_ASSERT(rc == 0);
}

/* The socket stays readable: without a pause the loop would spin on the same failure. */
static void wait_a_moment(struct pl_listener *listener)
{
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, go_on, PAUSE_MS, 0);
}

/* --- closing --- */

void pl_listener_close(struct pl_listener *listener, void (*closed)(struct pl_listener *listener))
{
    listener->closed = closed;
    listener->poll.data = listener->pause.data = listener;
    uv_close((uv_handle_t *)&listener->poll, closed_one);
    uv_close((uv_handle_t *)&listener->pause, closed_one);
    close(listener->fd);
    if (listener->reserve_fd != NO_FD)
        close(listener->reserve_fd);
}

static void closed_one(uv_handle_t *handle)
{
    struct pl_listener *listener = handle->data;

    if (--listener->open_handles == 0 && listener->closed != NULL)
        listener->closed(listener);
}
