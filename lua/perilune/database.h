/* SPDX-License-Identifier: MIT */
#ifndef PL_LUA_DATABASE_H
#define PL_LUA_DATABASE_H

#include "perilune.h"

#include <lua.h>

/** A database as Lua holds it: closed by close(), by the end of a `local db <close>`, or when it is collected. */

/** Make the type of handles, with the methods of every file here. Once for a state. */
void pl_database_register(lua_State *L);

/** perilune.open */
int pl_database_open(lua_State *L);

/** Raises when the value at `arg` is no database, or a closed one. */
struct pl_perilune *pl_database_check(lua_State *L, int arg);

#endif
