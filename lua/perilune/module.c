/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "script/bind_item.h"
#include "script/bind_number.h"
#include "script/bind_value.h"
#include "script/call_keys.h"

#include <lauxlib.h>

/*
 * require "perilune": the engine in the calling process. Values are those of the
 * table modules' own library (script/bind_value.h), so that what a program stores
 * and what a module sees look alike.
 */
static const luaL_Reg functions[] = { { "open", pl_database_open }, { NULL, NULL } };

/* perilune.number is perilune.decimal under the name of the type. */
static void add_number(lua_State *L)
{
    lua_getfield(L, -1, "decimal");
    lua_setfield(L, -2, "number");
}

__attribute__((visibility("default"))) int luaopen_perilune(lua_State *L);

int luaopen_perilune(lua_State *L)
{
    luaL_checkversion(L);
    pl_database_register(L);
    luaL_newlib(L, functions);
    pl_bind_number_open(L);
    pl_bind_item_open(L);
    pl_bind_value_open(L);
    pl_key_condition_register(L);
    add_number(L);
    lua_pushliteral(L, PL_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
