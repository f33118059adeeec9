/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "model/json.h"

/* What a client may ask about the service itself. */

static const struct pl_dynamo_shape nothing = { .kind = PL_DYNAMO_STRUCTURE, .name = "Input" };

static int describe_limits(struct pl_dynamo_request *request)
{
    pl_buf_append_bytes(
        &request->body,
        pl_str("{\"AccountMaxReadCapacityUnits\":80000,\"AccountMaxWriteCapacityUnits\":80000,"
               "\"TableMaxReadCapacityUnits\":40000,\"TableMaxWriteCapacityUnits\":40000}"));
    return 0;
}

const struct pl_dynamo_call pl_dynamo_describe_limits = { .name = "DescribeLimits",
                                                          .input = &nothing,
                                                          .begin = describe_limits };

static int describe_endpoints(struct pl_dynamo_request *request)
{
    pl_buf_append_bytes(&request->body, pl_str("{\"Endpoints\":[{\"Address\":"));
    pl_json_write_string(&request->body, request->context->endpoint);
    pl_buf_append_bytes(&request->body, pl_str(",\"CachePeriodInMinutes\":1440}]}"));
    return 0;
}

const struct pl_dynamo_call pl_dynamo_describe_endpoints = { .name = "DescribeEndpoints",
                                                             .input = &nothing,
                                                             .begin = describe_endpoints };
