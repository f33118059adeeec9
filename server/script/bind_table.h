/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_TABLE_H
#define PL_SCRIPT_BIND_TABLE_H

#include <lua.h>

/**
 * The table library for scripts, as in the manual. Every element moved is charged to
 * the call, because no hook sees inside a C function. concat and unpack read lists
 * of items as well as tables.
 */

/** Push the library's table; `stock` is the index of Lua's own. */
void pl_table_library_push(lua_State *L, int stock);

#endif
