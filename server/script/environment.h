/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_ENVIRONMENT_H
#define PL_SCRIPT_ENVIRONMENT_H

#include <lua.h>

/**
 * The world a module sees, built from an allow-list: no io, no
 * os but time, date and clock, no debug, package, require, load, coroutines or
 * collectgarbage. Library tables are read-only proxies that all modules share; the
 * table of globals is each module's own. The string metatable is locked.
 */

/** Once for a state: libraries, bindings, the string metatable. May raise: call it protected. */
void pl_environment_open(lua_State *L);

/** Push a fresh table of globals. May raise. */
void pl_environment_push(lua_State *L);

#endif
