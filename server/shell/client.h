/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_CLIENT_H
#define PL_SHELL_CLIENT_H

#include "net/address.h"

/** A blocking client of the line protocol: one request, then its reply line by line. */
struct pl_client {
    int fd; /* -1: not connected */
    struct pl_buf input;
    size_t taken_bytes; /* of the input: lines that were given out */
};

enum pl_reply_kind { PL_REPLY_OK, PL_REPLY_ERR, PL_REPLY_ROW, PL_REPLY_END };

/** One line of a reply: its kind, and what follows the word. */
struct pl_reply_line {
    enum pl_reply_kind kind;
    struct pl_bytes text; /* good until the next call */
};

int pl_client_connect(struct pl_client *client, const struct pl_address *address, struct pl_reason *why);
void pl_client_close(struct pl_client *client);

/** Send one line (without its end). PL_ECLOSED when the connection is gone; then the client is closed. */
int pl_client_send(struct pl_client *client, struct pl_bytes line, struct pl_reason *why);

/** Wait for the reply's next line. A reply ends with any line that is no ROW. */
int pl_client_receive(struct pl_client *client, struct pl_reply_line *out, struct pl_reason *why);

#endif
