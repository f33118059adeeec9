/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_MEMBER_H
#define PL_SHELL_MEMBER_H

#include "base/arena.h"

/** One member of a JSON object as it is written: a view into `json`, empty when there is none. */
struct pl_bytes pl_member_find(struct pl_bytes json, const char *wanted, struct pl_arena *arena);

#endif
