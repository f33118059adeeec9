/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_SETTINGS_H
#define PL_CODEC_DYNAMO_SETTINGS_H

#include "codec/dynamo/call.h"

/** Of capacity, however it is given. */
#define PL_DYNAMO_UNITS_MAX INT64_C(1000000000000)

/** The settings that CreateTable and UpdateTable take alike. Each may be absent (NULL). */
int pl_dynamo_sse_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *specification);
int pl_dynamo_table_class_check(struct pl_dynamo_request *request, struct pl_bytes table_class);

/**
 * An OnDemandThroughput of the table, or of `index` when that has an address. `provisioned`: the table is, or will
 * be. `removable`: -1 takes a limit away.
 */
int pl_dynamo_on_demand_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *throughput,
                              struct pl_bytes index, bool provisioned, bool removable);

/** A WarmThroughput of what is made, with this ProvisionedThroughput; NULL: on demand. */
int pl_dynamo_warm_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *warm,
                         struct pl_bytes index, const struct pl_dynamo_node *provisioned);
/** A WarmThroughput of what has `current`. */
int pl_dynamo_warm_change_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *warm,
                                struct pl_bytes index, struct pl_throughput current);

/** A structure that is there, and says something. */
bool pl_dynamo_has_members(const struct pl_dynamo_node *structure);

/** The name of a stream's view in a definition: "new_image" for NEW_IMAGE. */
struct pl_bytes pl_dynamo_stream_view(struct pl_bytes view_type);

/** 0, or that the parameter TableName is missing: said in other words than everything else that is. */
int pl_dynamo_check_table_named(struct pl_dynamo_request *request);

/** The table that TableName names. PL_EINVALID, told as the control plane tells it, when there is none. */
int pl_dynamo_find_table(struct pl_dynamo_request *request, const struct pl_table **out);

/** Go on by altering the table with the patch that stands in request->bytes. PL_DYNAMO_GO_ON or PL_ENOMEM. */
int pl_dynamo_alter(struct pl_dynamo_request *request, const struct pl_table *table);

/** 0, or that the table is shown as being created or updated: a ResourceInUseException. */
int pl_dynamo_check_idle(struct pl_dynamo_request *request, const struct pl_table *table);

#endif
