/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_LISTENER_H
#define PL_FRONT_LISTENER_H

#include "front/client.h"
#include "net/address.h"

/**
 * The door: one listening socket, whose connections are handed to the loops in turn
 * (with a socket for each loop the kernel would spread them unevenly).
 *
 * Accepting is our own call and not uv_accept(), which never accepts again after
 * one failure in the libuv of Debian 12, and which closes
 * connections without a word when descriptors run out. Here one descriptor is kept
 * in reserve, so that a client over any limit is told why.
 */
struct pl_listener {
    uv_loop_t *uv;
    uv_poll_t poll;
    uv_timer_t pause; /* after a failure that waiting may cure */
    int fd;
    int reserve_fd;
    struct pl_address address; /* with the port that was found, when it was 0 */
    const struct pl_client_kind *kind;
    struct pl_loop **loops;
    uint32_t loop_count, turn;
    uint32_t connections_max;
    const struct pl_logger *logger;
    uint32_t open_handles;
    void (*closed)(struct pl_listener *listener);
};

struct pl_listener_options {
    uv_loop_t *uv; /* where accepting happens */
    struct pl_address address;
    const struct pl_client_kind *kind; /* what is spoken behind this door */
    struct pl_loop **loops;            /* lent until closed */
    uint32_t loop_count;
    uint32_t connections_max; /* over all loops */
    const struct pl_logger *logger;
};

/** On failure, `listener` holds nothing. */
int pl_listener_open(struct pl_listener *listener, const struct pl_listener_options *options,
                     struct pl_reason *why);

/** Accept no more. `closed` (may be NULL) is called when the memory is the caller's again. */
void pl_listener_close(struct pl_listener *listener, void (*closed)(struct pl_listener *listener));

#endif
