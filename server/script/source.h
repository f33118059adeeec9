/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_SOURCE_H
#define PL_SCRIPT_SOURCE_H

#include "base/bytes.h"

/**
 * Looking into a module's text, for the line numbers of sentences. A look, not a
 * parse: comments are stepped over, and a field is a name before an '='.
 */

/**
 * The line (from 1) of the field `path` ("indexes.ByUser.sort_key"): each part is looked
 * for after the one before it. Falls back to the innermost part that is found, and
 * to the line of the first `return`.
 */
uint32_t pl_source_line_of_field(struct pl_bytes text, struct pl_bytes path);

/** The line where `word` first stands as a word of its own, comments included; 0: nowhere. */
uint32_t pl_source_line_of_word(struct pl_bytes text, struct pl_bytes word);

/**
 * The line where more than `steps_max` field accesses follow each other in one
 * expression (a.b[c].d...); 0: nowhere. Lua's message for an error at the end of such a
 * chain walks back over all of it, with the square of its length and deep on the C
 * stack, where no hook looks.
 */
uint32_t pl_source_line_of_chain(struct pl_bytes text, uint32_t steps_max);

#endif
