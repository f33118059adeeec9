/* SPDX-License-Identifier: MIT */
#include "load/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int connection_open(struct connection *c, const struct sockaddr_in *address, enum protocol protocol,
                    uint32_t pipeline, uint32_t request_bytes)
{
    int on = 1;

    *c = (struct connection){
        .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        .pipeline = pipeline,
        .made_ns = calloc(pipeline, sizeof *c->made_ns),
        /* Twice what may be in flight: there is always room for a window behind one partly sent. */
        .out_size = (size_t)pipeline * request_bytes * 2,
        .replies = { .protocol = protocol },
    };
    c->out = malloc(c->out_size);
    if (c->fd < 0 || c->made_ns == NULL || c->out == NULL)
        return -1;
    if (connect(c->fd, (const struct sockaddr *)address, sizeof *address) != 0)
        return -1;
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return -1;
    return fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

void connection_close(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->made_ns);
    free(c->out);
    *c = (struct connection){ .fd = -1 };
}

char *connection_add_request(struct connection *c, size_t len, uint64_t now_ns)
{
    char *place;

    if (c->out_end + len > c->out_size) {
        memmove(c->out, c->out + c->out_begin, c->out_end - c->out_begin);
        c->out_end -= c->out_begin;
        c->out_begin = 0;
    }
    place = c->out + c->out_end;
    c->out_end += len;
    c->made_ns[(c->oldest + c->in_flight) % c->pipeline] = now_ns;
    c->in_flight++;
    return place;
}

uint64_t connection_take_reply(struct connection *c)
{
    uint64_t made_ns = c->made_ns[c->oldest];

    c->oldest = (c->oldest + 1) % c->pipeline;
    c->in_flight--;
    return made_ns;
}

int connection_send(struct connection *c)
{
    while (c->out_begin < c->out_end) {
        ssize_t sent = send(c->fd, c->out + c->out_begin, c->out_end - c->out_begin, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? 0 : -1;
        c->out_begin += (size_t)sent;
    }
    c->out_begin = 0;
    c->out_end = 0;
    return 0;
}
