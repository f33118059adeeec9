/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_LEGACY_H
#define PL_CODEC_DYNAMO_LEGACY_H

#include "codec/dynamo/call.h"

/**
 * The parameters that came before expressions, made into what an operation holds for expressions
 * (model/legacy.h). Each looks for its members in `structure`, which has them in its shape, and does nothing
 * when they are absent. Trees live in op->arena.
 */

/** Expected and ConditionalOperator: op->condition. */
int pl_dynamo_legacy_expected(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                              struct pl_operation *op);

/** AttributeUpdates: op->update. */
int pl_dynamo_legacy_updates(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                             struct pl_operation *op);

/** QueryFilter or ScanFilter, named by `member`, and ConditionalOperator: op->filter. */
int pl_dynamo_legacy_filter(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                            const char *member, struct pl_operation *op);

/** KeyConditions: op->key_conditions. */
int pl_dynamo_legacy_keys(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                          struct pl_operation *op);

/** AttributesToGet: op->projection. */
int pl_dynamo_legacy_projection(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                                struct pl_operation *op);

#endif
