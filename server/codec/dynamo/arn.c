/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/arn.h"

bool pl_dynamo_arn_is(struct pl_bytes text)
{
    return pl_bytes_has_prefix(text, pl_str("arn:"));
}

struct pl_bytes pl_dynamo_arn_field(struct pl_bytes arn, enum pl_dynamo_arn_field field)
{
    const char *colon;

    for (int i = 0; i < (int)field; i++) {
        colon = memchr(arn.data, ':', arn.len);
        if (colon == NULL)
            return pl_bytes(arn.data, 0);
        arn.len -= (size_t)(colon + 1 - arn.data);
        arn.data = colon + 1;
    }
    colon = memchr(arn.data, ':', arn.len);
    if (field != PL_DYNAMO_ARN_RESOURCE && colon != NULL)
        arn.len = (size_t)(colon - arn.data);
    return arn;
}

bool pl_dynamo_arn_table(struct pl_bytes arn, struct pl_bytes *name)
{
    static const char kind[] = "table/";
    struct pl_bytes resource = pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_RESOURCE);

    if (!pl_bytes_has_prefix(pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_PARTITION), pl_str("aws")) ||
        !pl_bytes_equal(pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_SERVICE), pl_str("dynamodb")) ||
        pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_REGION).len == 0 ||
        !pl_bytes_has_prefix(resource, pl_str(kind)))
        return false;
    resource = pl_bytes(resource.data + sizeof kind - 1, resource.len - (sizeof kind - 1));
    if (!pl_table_name_is_valid(resource))
        return false;
    *name = resource;
    return true;
}

bool pl_dynamo_arn_is_own(const struct pl_dynamo_request *request, struct pl_bytes arn)
{
    return pl_bytes_equal(pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_ACCOUNT), request->context->account);
}
