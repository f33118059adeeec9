/* SPDX-License-Identifier: MIT */
#ifndef PL_FOLLOWER_H
#define PL_FOLLOWER_H

#include "node.h"
#include "stream/feed.h"

/**
 * One reader of a table's stream, on an attachment and its thread: what TAIL is to a connection, and db:tail() to a
 * program. The feed (stream/feed.h) it reads from, the table it reads of, and the news that there is more.
 */
struct pl_follower;

struct pl_follower_options {
    struct pl_bytes table_name;
    struct pl_bytes from; /* "oldest", "latest" or a position */
    /**
     * There may be more to read, or the stream may have ended. Called from within pl_attachment_deliver(); not
     * while nobody writes. NULL: the caller asks when it likes.
     */
    void (*ready)(void *state);
    void *state;
};

/** PL_ENOTABLE; PL_EINVALID: the table has no stream; and as pl_feed_open(). */
int pl_follower_open(struct pl_attachment *attachment, const struct pl_follower_options *options,
                     struct pl_follower **out, struct pl_reason *why);
void pl_follower_close(struct pl_follower *follower);

/** The record and its keys are good until this returns. */
typedef int (*pl_follower_give_fn)(void *state, const struct pl_stream_record *record, struct pl_item keys);

struct pl_follower_progress {
    bool more;  /* there is more to read at once */
    bool ended; /* the stream was switched off, or its table dropped, and all of it has been given */
};

/** As pl_feed_read(). */
int pl_follower_read(struct pl_follower *follower, pl_follower_give_fn give, void *state,
                     struct pl_follower_progress *progress);

/** The same with each record as JSON (stream/record_json.h), good until `give` returns. */
int pl_follower_read_json(struct pl_follower *follower, int (*give)(void *state, struct pl_bytes json),
                          void *state, struct pl_follower_progress *progress);

/** As pl_feed_give_back(). */
void pl_follower_give_back(struct pl_follower *follower, uint16_t partition, uint64_t sequence);

/** Append the position as text. */
void pl_follower_position(const struct pl_follower *follower, struct pl_buf *out);

#endif
