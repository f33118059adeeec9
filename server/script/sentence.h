/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_SENTENCE_H
#define PL_SCRIPT_SENTENCE_H

#include "base/error.h"

/**
 * A script's text as a sentence for a client: one line of UTF-8, whatever bytes it
 * was made of. Returns `rc`. `why` may be NULL.
 */
int pl_sentence_set(struct pl_reason *why, int rc, struct pl_bytes text);

#endif
