/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_PATTERN_H
#define PL_SCRIPT_PATTERN_H

#include <lua.h>

/**
 * Lua's patterns (manual 6.4.1) with a budget: find, match, gmatch and gsub as in the
 * manual, except that every comparison is charged to the running call. The stock
 * functions are exponential in the worst case and no hook sees inside them.
 *
 * Character classes are ASCII's, whatever the locale.
 */
int pl_pattern_find(lua_State *L);
int pl_pattern_match(lua_State *L);
int pl_pattern_gmatch(lua_State *L);
int pl_pattern_gsub(lua_State *L);

#endif
