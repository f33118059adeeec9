/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_DESCRIPTION_H
#define PL_CODEC_DYNAMO_DESCRIPTION_H

#include "codec/dynamo/call.h"

/**
 * A TableDescription, written from the table that a DESCRIBE found. What was asked for is done when it is
 * answered, and the next description says so; the answer to the change itself says that it has begun, because
 * that is what clients expect and wait upon.
 */
enum pl_dynamo_table_state {
    PL_DYNAMO_TABLE_AS_IT_IS,
    PL_DYNAMO_TABLE_CREATING,
    PL_DYNAMO_TABLE_UPDATING,
    PL_DYNAMO_TABLE_DELETING,
};

/** Make request->op a DESCRIBE. Returns PL_DYNAMO_GO_ON. `name` lives as long as the request. */
int pl_dynamo_describe(struct pl_dynamo_request *request, struct pl_bytes name);

/** The object, appended to the body, after a DESCRIBE. */
void pl_dynamo_description_write(struct pl_dynamo_request *request, enum pl_dynamo_table_state state);

/** `"arn:aws:dynamodb:<region>:<account>:table/<name>"` without quotes. */
void pl_dynamo_arn_write(struct pl_buf *out, const struct pl_dynamo_context *context, struct pl_bytes table);

/** 1700000000.123 */
void pl_dynamo_time_write(struct pl_buf *out, int64_t ms);

/** 2015-05-11T21:21:33.291: a stream by when it began. */
void pl_dynamo_label_write(struct pl_buf *out, int64_t ms);

/** `"KeySchema":[...]` */
void pl_dynamo_key_schema_write(struct pl_buf *out, const struct pl_key_schema *keys);

/** CREATING or UPDATING, for as long as the server was told to show it; UPDATING while an index is being filled. */
enum pl_dynamo_table_state pl_dynamo_table_state(const struct pl_table *table,
                                                 const struct pl_dynamo_context *context);

#endif
