/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_ARN_H
#define PL_CODEC_DYNAMO_ARN_H

#include "codec/dynamo/call.h"

/** An ARN rather than a name. */
bool pl_dynamo_arn_is(struct pl_bytes text);

/** `arn:<partition>:<service>:<region>:<account>:<resource>` */
enum pl_dynamo_arn_field {
    PL_DYNAMO_ARN_PARTITION = 1,
    PL_DYNAMO_ARN_SERVICE,
    PL_DYNAMO_ARN_REGION,
    PL_DYNAMO_ARN_ACCOUNT,
    PL_DYNAMO_ARN_RESOURCE, /* all that is left */
};

/** Empty when there are not as many fields. */
struct pl_bytes pl_dynamo_arn_field(struct pl_bytes arn, enum pl_dynamo_arn_field field);

/** The table of `arn:aws..:dynamodb:<region>:<account>:table/<name>`, when it is just that. Views of `arn`. */
bool pl_dynamo_arn_table(struct pl_bytes arn, struct pl_bytes *name);

/** It is of this account. Any region will do. */
bool pl_dynamo_arn_is_own(const struct pl_dynamo_request *request, struct pl_bytes arn);

#endif
