/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_TABLE_SHAPES_H
#define PL_CODEC_DYNAMO_TABLE_SHAPES_H

#include "codec/dynamo/shape.h"

/** What CreateTable and UpdateTable have in common. */
extern const struct pl_dynamo_shape pl_dynamo_attribute_definitions, pl_dynamo_key_schema,
    pl_dynamo_billing_mode, pl_dynamo_throughput, pl_dynamo_local_indexes, pl_dynamo_global_indexes,
    pl_dynamo_global_index_updates, pl_dynamo_stream_specification, pl_dynamo_sse_specification,
    pl_dynamo_on_demand_throughput, pl_dynamo_warm_throughput;

#endif
