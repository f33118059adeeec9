/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_STATEMENT_H
#define PL_CODEC_DYNAMO_STATEMENT_H

#include "codec/dynamo/call.h"
#include "model/partiql.h"

/**
 * One PartiQL statement of a request, parsed, and its table found. It lives in request->arena; the table and the index
 * are good during the step in which they were found.
 */
struct pl_dynamo_statement {
    struct pl_partiql partiql;
    struct pl_bytes text;
    const struct pl_table *table;
    const struct pl_index *index; /* NULL: none */
};

/** Shapes of the members that all three calls share. */
extern const struct pl_dynamo_shape pl_dynamo_statement_text, pl_dynamo_statement_parameters;

/** `structure` has Statement and Parameters. A failure's sentence is in request->op.reply.why. */
int pl_dynamo_statement_parse(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                              struct pl_dynamo_statement *out);
/** PL_ENOTABLE, or PL_EINVALID for an index that the table has not. */
int pl_dynamo_statement_find(struct pl_dynamo_request *request, struct pl_dynamo_statement *statement);
/** Both. */
int pl_dynamo_statement_read(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                             struct pl_dynamo_statement *out);

/** True for a SELECT. */
bool pl_dynamo_statement_reads(const struct pl_dynamo_statement *statement);

/** Make `op`, which is fresh, the INSERT, UPDATE or DELETE that the statement is. */
int pl_dynamo_statement_write(struct pl_dynamo_request *request, const struct pl_dynamo_statement *statement,
                              const struct pl_dynamo_node *structure, struct pl_operation *op);

/**
 * Make `op` the GET that a SELECT of a whole key is. `rest` is what else its item must be; NULL: nothing. `without_key`
 * is the sentence for a SELECT of anything else.
 */
int pl_dynamo_statement_get(struct pl_dynamo_request *request, const struct pl_dynamo_statement *statement,
                            const char *without_key, struct pl_operation *op, struct pl_condition **rest);

#endif
