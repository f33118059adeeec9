/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_FEED_H
#define PL_STREAM_FEED_H

#include "partition/stream.h"

/**
 * A reader of a whole stream: all its shards, from a position on, a bounded amount at a time.
 *
 *     open ─▸ read ─▸ read ─▸ ...   until `more` is false: all that was applied when it was called has been given
 *               ▲─────────────┘     and again when more has been applied
 *
 * Records of one shard come in their order; those of different shards in any. A shard is looked at only when
 * something was applied to its partition since. Between two calls a feed holds no snapshot: however slow its
 * reader is, it pins nothing.
 *
 * A position is the last sequence seen in each partition. Whoever opens a feed at a position gets exactly what
 * came after the records that were given before it. As text it is base64 of
 *
 *     format u8 (1) ▸ stream id u32 ▸ partitions u16 ▸ sequences ▸ check u32
 *
 * with a varint for each partition's sequence, and for a run of zeros a 0 and its length.
 */
struct pl_feed;

/** Lent for the feed's life. The snapshot is renewed and reset within a call. */
struct pl_feed_source {
    struct pl_snapshot *snapshot;
    const struct pl_sequences *sequences;
    uint32_t partition_count;
};

/**
 * `from` is "oldest" (all that is kept), "latest" (what comes from now on) or a position. PL_EINVALID: it is none of
 * these, or a position of another stream or another place. PL_ETRIMMED: what came next is kept no longer.
 */
int pl_feed_open(const struct pl_feed_source *source, uint32_t stream_id, struct pl_bytes from,
                 struct pl_feed **out, struct pl_reason *why);
void pl_feed_close(struct pl_feed *feed); /* NULL is allowed */

/** The stream that a position is of. False: it is no position. */
bool pl_feed_position_stream(struct pl_bytes position, uint32_t *stream_id);

/**
 * The record is good until this returns. What it returns not 0 ends the reading, and the record counts as not
 * given.
 */
typedef int (*pl_feed_give_fn)(void *state, const struct pl_stream_record *record);

/**
 * Give some records (a few hundred at most, or about `bytes_max`). PL_ETRIMMED: some that were not given are kept no
 * longer. After a failure the position is that of the last record given.
 */
int pl_feed_read(struct pl_feed *feed, size_t bytes_max, pl_feed_give_fn give, void *state, bool *more);

/**
 * The record, and all of its shard that came after it, is to be given again: for who takes several before it looks
 * at one.
 */
void pl_feed_give_back(struct pl_feed *feed, uint16_t partition, uint64_t sequence);

/** Append the position as text. */
void pl_feed_position(const struct pl_feed *feed, struct pl_buf *out);

#endif
