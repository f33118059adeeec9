/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_NOTES_H
#define PL_CODEC_DYNAMO_NOTES_H

#include "codec/dynamo/call.h"

struct cJSON;

/**
 * What is kept with a table under "dynamodb" (model/table.h), because this API gives it back and nothing acts on it:
 *
 *     { "tags": {"k":"v"}, "table_class": "STANDARD", "sse": {"key":"arn:.."},
 *       "on_demand": {"read":10,"write":10}, "warm": {"read":12000,"write":4000},
 *       "on_demand_ms": 1700000000000,        when the table last became on demand
 *       "stream_ms": 1700000000000,           the label of a stream that was switched off
 *       "indexes": {"ByUser": {"on_demand": {..}, "warm": {..}}} }
 *
 * It is changed by patches (RFC 7396), so a change names only what it is about.
 */

/** The table's notes, an empty object when there are none. The caller deletes them. NULL: no memory. */
struct cJSON *pl_dynamo_notes_read(const struct pl_table *table);

/** What is noted of an index; NULL: nothing. */
const struct cJSON *pl_dynamo_notes_index(const struct cJSON *notes, struct pl_bytes index);

/** What a table or index has of WarmThroughput: what was asked for, or at least what it can do anyway. */
struct pl_throughput pl_dynamo_notes_warm(const struct cJSON *notes, struct pl_throughput throughput);

/* What a new on-demand table serves at once. */
enum { PL_DYNAMO_WARM_READS = 12000, PL_DYNAMO_WARM_WRITES = 4000 };

/** Members of the notes, from what a request gives. */
struct pl_dynamo_notes {
    struct pl_buf *out;
    bool patches; /* they change what is noted of a table that is there */
    bool started; /* something stands there: a comma goes before the next */
};

/**
 * The OnDemandThroughput and WarmThroughput of a table or index, `given`; nothing when both are absent. In a
 * patch, the first ends where ProvisionedThroughput begins.
 */
void pl_dynamo_notes_write_limits(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *given);

/** "indexes": the limits of each index in a list of indexes or index actions. */
void pl_dynamo_notes_write_indexes(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *indexes);

void pl_dynamo_notes_write_text(struct pl_dynamo_notes *notes, const char *name, struct pl_bytes text);
void pl_dynamo_notes_write_time(struct pl_dynamo_notes *notes, const char *name, int64_t ms);

/** "sse" of an SSESpecification: null when it is switched off. */
void pl_dynamo_notes_write_sse(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *specification);

/** "tags" of a list of Tags. */
void pl_dynamo_notes_write_tags(struct pl_dynamo_notes *notes, const struct pl_dynamo_node *tags);

#endif
