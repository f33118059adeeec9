/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_JSON_VALUE_H
#define PL_MODEL_JSON_VALUE_H

#include "model/json.h"

/**
 * What json_read.c, json_plain.c and json_typed.c share, and nobody else needs: one value at
 * the reader into the builder. Each returns the reader's failure or the builder's.
 */
#define PL_JSON_INVALID "One or more parameter values were invalid: "

int pl_json_take_plain(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why);
int pl_json_take_typed(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why);

/** The object at the reader as a map, whatever its names; its values are in `dialect`. */
int pl_json_take_map(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                     struct pl_reason *why);

/** PL_ESYNTAX, in DynamoDB's words, unless an object comes next. */
int pl_json_check_is_map(struct pl_json_reader *r, struct pl_reason *why);

/** As pl_number_parse(), and faster for short integers. */
int pl_json_read_number(struct pl_bytes text, struct pl_number *out, struct pl_reason *why);

#endif
