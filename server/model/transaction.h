/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_TRANSACTION_H
#define PL_MODEL_TRANSACTION_H

#include "model/operation.h"

/**
 * What all ways in know of TRANSACT_GET and TRANSACT_WRITE: the limits, and how a cancelled
 * transaction is told. Its reply is PL_ECANCELLED, and each child's reply says what became of that
 * child: 0, or why the transaction could not be.
 */
enum {
    PL_TRANSACTION_CHILDREN_MAX = 100,
    PL_TRANSACTION_BYTES_MAX = 4 << 20, /* of the request; of a TRANSACT_GET's items */
    PL_TRANSACTION_TOKEN_MAX = 36,      /* characters */
    PL_TRANSACTION_TOKEN_BYTES_MAX = 4 * PL_TRANSACTION_TOKEN_MAX,
};

/** Whoever makes the children asks before there is memory for them. PL_EINVALID with DynamoDB's sentence. */
int pl_transaction_check_count(uint64_t count, struct pl_reason *why);

/** 1 to 36 characters of UTF-8. PL_EINVALID with DynamoDB's sentence. */
int pl_transaction_check_token(struct pl_bytes token, struct pl_reason *why);

/** The bytes that the children of `op` ask with: items, keys, expressions and what their placeholders stand for. */
uint64_t pl_transaction_request_bytes(const struct pl_operation *op);

/**
 * What tells this request from another one under the same token. It does not depend on the capacity report,
 * nor on the order in which placeholders were given.
 */
int pl_transaction_digest(const struct pl_operation *op, struct pl_digest *out);

/** "None", "ConditionalCheckFailed", "ValidationError", ...: the code of a child's reply among the reasons. */
struct pl_bytes pl_transaction_reason_code(int rc);

/** `Transaction cancelled, ... [ConditionalCheckFailed, None]`, whole. Memory trouble shows in pl_buf_status(). */
void pl_transaction_write_sentence(struct pl_buf *out, const struct pl_operation *op);

/**
 * The children are told of first to last: false when an earlier one has child `i`'s table, else `out` is what the
 * children used of that table together.
 */
bool pl_transaction_capacity(const struct pl_operation *op, uint32_t i, struct pl_capacity *out);

#endif
