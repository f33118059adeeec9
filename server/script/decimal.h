/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_DECIMAL_H
#define PL_SCRIPT_DECIMAL_H

#include "model/number.h"

/**
 * The arithmetic that DynamoDB has no use for and Lua has operators for. Each result
 * is exact or there is none: PL_EINVALID, with a sentence, when it needs more than 38
 * digits, is out of range, or divides by zero.
 */
int pl_decimal_multiply(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                        struct pl_reason *why);
int pl_decimal_divide(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                      struct pl_reason *why);

/** The largest integer not above a / b, as Lua's //. */
int pl_decimal_floor_divide(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                            struct pl_reason *why);

/** a - (a // b) * b, as Lua's %: it has the sign of b. */
int pl_decimal_modulo(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                      struct pl_reason *why);

#endif
