/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_CONSTRAINT_H
#define PL_CODEC_DYNAMO_CONSTRAINT_H

#include "codec/dynamo/input.h"

/**
 * Judge what was read by the constraints of its shape. 0, PL_ENOMEM, or PL_EINVALID with
 * "N validation errors detected: ..." in `out`, which lives in `arena`: at most ten of them, in the order of
 * the shape. A table's bad name is told alone.
 */
int pl_dynamo_constraint_check(const struct pl_dynamo_node *input, struct pl_arena *arena,
                               struct pl_bytes *out);

#endif
