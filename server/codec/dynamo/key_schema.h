/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_KEY_SCHEMA_H
#define PL_CODEC_DYNAMO_KEY_SCHEMA_H

#include "codec/dynamo/call.h"

#define PL_DYNAMO_INVALID "One or more parameter values were invalid: "

/** Lists of KeySchemaElements and AttributeDefinitions: checked, and written in the form of model/table.h. */

/** No attribute is defined twice. `attributes` may be NULL here and below. */
int pl_dynamo_attributes_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes);

/** The definition of an attribute, NULL when there is none. */
const struct pl_dynamo_node *pl_dynamo_attribute_find(const struct pl_dynamo_node *attributes,
                                                      struct pl_bytes name);

/** One HASH, then at most one RANGE, both defined. */
int pl_dynamo_key_schema_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes,
                               const struct pl_dynamo_node *keys);

/** Up to four HASHes, then up to four RANGEs, all defined: a global index's. */
int pl_dynamo_global_keys_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes,
                                const struct pl_dynamo_node *keys);

/** The attribute of the n-th element (from 0), empty when there are fewer. */
struct pl_bytes pl_dynamo_key_name(const struct pl_dynamo_node *keys, uint32_t n);

/** True when an element names the attribute. */
bool pl_dynamo_keys_have(const struct pl_dynamo_node *keys, struct pl_bytes name);

/** `"partition_key":"a:S","sort_key":"b:N"`; a local index has no partition key of its own. */
void pl_dynamo_keys_write(struct pl_buf *out, const struct pl_dynamo_node *attributes,
                          const struct pl_dynamo_node *keys, bool local);

/** "[a, b]" of a list's members called `member`, for sentences. */
void pl_dynamo_names_write(struct pl_buf *out, const struct pl_dynamo_node *list, const char *member);

#endif
