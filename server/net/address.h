/* SPDX-License-Identifier: MIT */
#ifndef PL_NET_ADDRESS_H
#define PL_NET_ADDRESS_H

#include "base/error.h"

/** Where to listen, or to connect to: "127.0.0.1:7890", "[::1]:7890", "localhost:7890". */
struct pl_address {
    char host[256];
    uint16_t port;
};

enum { PL_ADDRESS_TEXT_MAX = 256 + 16 };

/** PL_ECONFIG, with a sentence, when `text` is no HOST:PORT. */
int pl_address_parse(const char *text, struct pl_address *out, struct pl_reason *why);

/** HOST:PORT, with brackets around an IPv6 host. */
void pl_address_format(const struct pl_address *address, char text[PL_ADDRESS_TEXT_MAX]);

/**
 * A listening socket, non-blocking, or one connected (which may wait). The port in
 * `address` becomes the real one when it was 0. PL_ECONFIG when the host is unknown, PL_EINUSE
 * when the port is taken, else PL_EIO; `fd` is untouched then.
 */
int pl_address_listen(struct pl_address *address, int *fd, struct pl_reason *why);
int pl_address_connect(const struct pl_address *address, int *fd, struct pl_reason *why);

#endif
