/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_FAILURE_H
#define PL_CODEC_DYNAMO_FAILURE_H

#include "codec/dynamo/dynamo.h"

/**
 * The body and status of an error, in place of whatever the body held:
 *
 *     {"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"..."}
 *
 * Of which type it is says request->error_type, else `rc`; its sentence is request->sentence, else the reply's.
 */
void pl_dynamo_failure_write(struct pl_dynamo_request *request, int rc);

#endif
