/* SPDX-License-Identifier: MIT */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include "load/reply.h"
#include "load/request.h"

#include <netinet/in.h>

/**
 * One client: a socket, the requests that wait to be sent, and when each one in flight
 * was made. All of its memory is had when it is opened.
 */
struct connection {
    int fd;
    uint32_t pipeline; /* at most so many requests in flight */
    uint32_t in_flight;
    uint32_t oldest;   /* index in made_ns of the oldest in flight */
    uint64_t *made_ns; /* a ring of `pipeline` entries */
    char *out;         /* what has not been sent begins at out_begin */
    size_t out_begin, out_end, out_size;
    bool waits_to_send; /* its poll set holds EPOLLOUT */
    struct reply_reader replies;
};

/** Connect, waiting for it. -1 with errno set. `request_bytes` is the length of one request. */
int connection_open(struct connection *c, const struct sockaddr_in *address, enum protocol protocol,
                    uint32_t pipeline, uint32_t request_bytes);
void connection_close(struct connection *c);

/** Room for one request of `len` bytes at the end of what waits to be sent; counts as made now. */
char *connection_add_request(struct connection *c, size_t len, uint64_t now_ns);

/** The oldest request has its reply: when was it made? */
uint64_t connection_take_reply(struct connection *c);

/** Send what waits, as far as the socket takes it. -1 with errno set when the connection is lost. */
int connection_send(struct connection *c);

#endif
