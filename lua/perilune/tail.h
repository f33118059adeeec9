/* SPDX-License-Identifier: MIT */
#ifndef PL_LUA_TAIL_H
#define PL_LUA_TAIL_H

#include <lua.h>

/** Make the type of tails. Once for a state. */
void pl_tail_register(lua_State *L);

/** db:tail(table, options) */
int pl_tail_open(lua_State *L);

#endif
