/* SPDX-License-Identifier: MIT */
#ifndef PL_NET_LINK_H
#define PL_NET_LINK_H

#include "base/error.h"

#include <uv.h>

/**
 * One TCP connection on a libuv loop. Output is gathered in `out` during a turn of
 * the loop and leaves in one piece when the turn ends:
 *
 *     pl_buf_append(pl_link_out(link), ..)   any number of times
 *     pl_link_flush(link)                    once: as much as the kernel takes at once,
 *                                            the rest when it can take more
 *
 * The queue has a bound because its owner looks at pl_link_unsent() before it makes
 * more: a link never refuses bytes, and never calls back from pl_link_flush().
 * Everything happens on the loop's thread.
 */
struct pl_link;

struct pl_link_events {
    /** Bytes came; good until this returns. */
    void (*received)(struct pl_link *link, struct pl_bytes bytes);
    /** The other side will send no more (0), or the connection broke (PL_ECLOSED, PL_EIO). Called at most once. */
    void (*ended)(struct pl_link *link, int rc);
    /** What a flush left over has gone out; more may have been gathered since. */
    void (*drained)(struct pl_link *link);
    /** The last call: the link's memory is the owner's again. */
    void (*closed)(struct pl_link *link);
};

/** Where a loop's links read to, one after another. Bytes are handed on before the next read. */
struct pl_link_scratch {
    char bytes[64 * 1024];
};

struct pl_link {
    uv_tcp_t tcp;
    uv_write_t write;
    struct pl_buf out;     /* gathered */
    struct pl_buf sending; /* what a flush left over: the kernel's while `writing` */
    bool reading, writing, ended, closing;
    struct pl_link_scratch *scratch;
    const struct pl_link_events *events;
};

/**
 * Take over the connected socket `fd`. Does not read yet. On failure `fd` is still
 * the caller's, and `closed` is called all the same, later.
 */
int pl_link_open(struct pl_link *link, uv_loop_t *loop, int fd, struct pl_link_scratch *scratch,
                 const struct pl_link_events *events);

/* Both may be called at any time; what is already so stays so. */
int pl_link_read_start(struct pl_link *link);
void pl_link_read_stop(struct pl_link *link);

static inline struct pl_buf *pl_link_out(struct pl_link *link)
{
    return &link->out;
}

/**
 * Send what was gathered. PL_ENOMEM when gathering found no memory, PL_ECLOSED or
 * PL_EIO when the connection is broken: the owner then closes the link.
 */
int pl_link_flush(struct pl_link *link);

/** Bytes gathered and not yet taken by the kernel. */
size_t pl_link_unsent(const struct pl_link *link);

/** Tell the other side that nothing more will be sent; bytes may still be received. When nothing is unsent only. */
void pl_link_shut(struct pl_link *link);

/** Closing twice is allowed and does nothing. Unsent bytes are lost. */
void pl_link_close(struct pl_link *link);

#endif
