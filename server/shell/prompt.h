/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_PROMPT_H
#define PL_SHELL_PROMPT_H

#include "base/bytes.h"

/**
 * The line a person types: edited with libedit, remembered in ~/.perilune_history,
 * completed by Tab: verbs first, then the names of tables and the clauses of the verb.
 */
struct pl_prompt;

/** `tables` appends the names of the tables, a line each, when Tab asks for them. NULL: no memory. */
struct pl_prompt *pl_prompt_open(void (*tables)(void *state, struct pl_buf *names), void *state);

/** The next line without its end; false at the end of the input. Good until the next call. */
bool pl_prompt_read(struct pl_prompt *prompt, struct pl_bytes *out);

void pl_prompt_close(struct pl_prompt *prompt);

#endif
