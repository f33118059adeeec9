/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_STRING_H
#define PL_SCRIPT_BIND_STRING_H

#include <lua.h>

/**
 * The string library for scripts: the manual's, without dump, pack, unpack and
 * packsize. Patterns run on our own matcher (pattern.h), rep is checked against the
 * memory left, format takes at most 100 values and shows no addresses, and all of
 * them are charged for the bytes they read.
 */

/** Push the library's table; `stock` is the index of Lua's own. */
void pl_string_library_push(lua_State *L, int stock);

/**
 * Push a function that charges the length of its string arguments and then calls the
 * stock C function at the top of the stack, which it replaces.
 */
void pl_charged_push(lua_State *L);

/** tostring() without addresses. */
int pl_tostring(lua_State *L);

#endif
