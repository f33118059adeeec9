/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_STREAM_NAMES_H
#define PL_CODEC_DYNAMO_STREAM_NAMES_H

#include "codec/dynamo/dynamo.h"

/**
 * How the streams API names things:
 *
 *     stream     <table's ARN>/stream/2015-05-11T21:21:33.291
 *     shard      shardId-<partition, 20 digits>-<stream's id, 8 hexadecimal digits>
 *     sequence   1 and 20 digits, so that they compare as numbers and as texts
 *     iterator   <stream's ARN>|1|<partition>.<position>.<when it was made, ms>
 *
 * Readers return false when the text is no such name.
 */
void pl_dynamo_stream_arn_write(struct pl_buf *out, const struct pl_dynamo_context *context,
                                const struct pl_table *table);
bool pl_dynamo_stream_arn_split(struct pl_bytes arn, struct pl_bytes *table, struct pl_bytes *label);
bool pl_dynamo_stream_label_is(struct pl_bytes label, int64_t created_ms);

void pl_dynamo_shard_id_write(struct pl_buf *out, uint32_t stream_id, uint16_t partition);
bool pl_dynamo_shard_id_read(struct pl_bytes text, uint32_t stream_id, uint16_t *partition);

void pl_dynamo_sequence_write(struct pl_buf *out, uint64_t sequence);
/** 1 at least. */
bool pl_dynamo_sequence_read(struct pl_bytes text, uint64_t *sequence);

struct pl_dynamo_iterator {
    struct pl_bytes stream_arn; /* a view into the text */
    uint16_t partition;
    uint64_t position; /* records after this one are wanted */
    int64_t made_ms;
};

void pl_dynamo_iterator_write(struct pl_buf *out, const struct pl_dynamo_context *context,
                              const struct pl_table *table, uint16_t partition, uint64_t position);
bool pl_dynamo_iterator_read(struct pl_bytes text, struct pl_dynamo_iterator *out);

/** "NEW_IMAGE". */
const char *pl_dynamo_view_type(enum pl_stream_view view);

#endif
