/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_UTF8_H
#define PL_SCRIPT_BIND_UTF8_H

#include <lua.h>

/**
 * utf8 for scripts: char, charpattern, codepoint, codes, len and offset as in the
 * manual but strict (no `lax`), and sub(s, i [, j]), which counts in characters:
 * a text that is cut in bytes is often no text any more, and cannot be stored.
 */
void pl_utf8_library_push(lua_State *L);

#endif
