/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_TAGS_H
#define PL_CODEC_DYNAMO_TAGS_H

#include "codec/dynamo/call.h"

enum { PL_DYNAMO_TAGS_MAX = 50 };

/** A list of Tags: 0, or what is wrong with it. */
int pl_dynamo_tags_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *tags);

/** The table that ResourceArn names; PL_EINVALID when it names no table, or none that is there. */
int pl_dynamo_find_resource(struct pl_dynamo_request *request, const struct pl_table **out);

#endif
