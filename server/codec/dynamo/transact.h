/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_TRANSACT_H
#define PL_CODEC_DYNAMO_TRANSACT_H

#include "codec/dynamo/call.h"

/** What transactions answer, whether they came as actions or as statements. */

/** ClientRequestToken. */
extern const struct pl_dynamo_shape pl_dynamo_token;

/** `"Responses":[{"Item":{..}},{}]`, appended to the body. */
void pl_dynamo_responses_write(struct pl_dynamo_request *request);

/** The failure of a transaction, with its reasons when it was cancelled. Returns it, or PL_ENOMEM. */
int pl_dynamo_cancelled(struct pl_dynamo_request *request);

#endif
