/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_JSON_TYPED_H
#define PL_MODEL_JSON_TYPED_H

#include "model/json.h"

/**
 * Single JSON values of a DynamoDB request, refused in the service's own words when they are of the wrong
 * JSON type: PL_ESYNTAX then. Shared by the reader of AttributeValues and whoever reads what is around them.
 */

/** What stands at the reader is no `wanted` ("String", "Boolean", "Integer", "Long"). */
int pl_json_typed_refuse(struct pl_json_reader *r, const char *wanted, struct pl_reason *why);

int pl_json_typed_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why);
/** Base64. The result lies in the reader's arena. */
int pl_json_typed_blob(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why);
/** true, false, and some words for them. */
int pl_json_typed_bool(struct pl_json_reader *r, bool *out, struct pl_reason *why);
/** As pl_json_enter_array(). */
int pl_json_typed_enter_list(struct pl_json_reader *r, bool *more, struct pl_reason *why);

#endif
