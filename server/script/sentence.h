/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_SENTENCE_H
#define PL_SCRIPT_SENTENCE_H

#include "base/error.h"

/**
 * A script's text as a sentence for a client: one line of UTF-8, whatever bytes it
 * was made of. Returns `rc`. `why` may be NULL.
 */
int pl_sentence_set(struct pl_reason *why, int rc, struct pl_bytes text);

/** Begin the sentence with "file: " unless it names the file already, as most of Lua's own do. */
void pl_sentence_name_file(struct pl_reason *why, const char *file);

#endif
