/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_PARAMS_H
#define PL_CODEC_DYNAMO_PARAMS_H

#include "codec/dynamo/call.h"

/**
 * Expressions and what goes with them. A call says which of its members are expressions and which are of
 * the kind that came before them; one request uses one kind.
 */
struct pl_dynamo_params {
    const char *const *expressions; /* NULL-ended, in the order in which sentences name them */
    const char *const *legacy;
    const char
        *values_missing; /* "ConditionExpression is null": what values without an expression are told */
    const char *const *with_values; /* the expressions that may use them */
};

/** `structure` holds the members: the input itself, or a part of it that has placeholders of its own. */
int pl_dynamo_params_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                           const struct pl_dynamo_params *params);

/** The structure's placeholders, in `arena`. After all is read: values are views into request->bytes. */
int pl_dynamo_params_take(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                          struct pl_arena *arena, struct pl_expr_params *out);

/** An AttributeValue or item that was wrong in itself: its failure. `node` may be NULL. */
int pl_dynamo_check_value(struct pl_dynamo_request *request, const struct pl_dynamo_node *node);

/** The place of a word in `words`, which has it. */
uint32_t pl_dynamo_word(struct pl_bytes text, const char *const *words);

/** ReturnConsumedCapacity. */
enum pl_capacity_report pl_dynamo_report_asked(const struct pl_dynamo_node *structure);

/** A table by its name or its ARN. PL_EINVALID when it is an ARN, and not of a table. */
int pl_dynamo_take_table(struct pl_dynamo_request *request, struct pl_bytes given, struct pl_bytes *name);

#endif
