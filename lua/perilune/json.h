/* SPDX-License-Identifier: MIT */
#ifndef PL_LUA_JSON_H
#define PL_LUA_JSON_H

#include "base/arena.h"

#include <lua.h>

/**
 * Push what the engine says in JSON (a definition, figures, a report) as Lua tables;
 * null is perilune.null. Returns 1. Raises when there is no memory, or the text is no JSON.
 */
int pl_json_push(lua_State *L, struct pl_bytes text, struct pl_arena *arena);

#endif
