/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_INDEX_INPUT_H
#define PL_CODEC_DYNAMO_INDEX_INPUT_H

#include "codec/dynamo/key_schema.h"

/** An index that is to be made: a LocalSecondaryIndex, a GlobalSecondaryIndex or the action that creates one. */

/** Its keys are sound, and go with the table's KeySchema. What they are of is checked before. */
int pl_dynamo_local_index_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *table_keys,
                                const struct pl_dynamo_node *index);

int pl_dynamo_projection_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *index);

/** The limits of a global index, whose ProvisionedThroughput is there if, and only if, the table has one. */
int pl_dynamo_index_limits_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *index);

/** Its member of a definition's "indexes". */
void pl_dynamo_index_write(struct pl_buf *out, const struct pl_dynamo_node *attributes,
                           const struct pl_dynamo_node *index, bool local);

/** `"throughput":{"read":5,"write":5}` from a ProvisionedThroughput. */
void pl_dynamo_throughput_write(struct pl_buf *out, const struct pl_dynamo_node *throughput);

/** 0, or that units are beyond what the service knows. */
int pl_dynamo_throughput_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *throughput);

#endif
