/* SPDX-License-Identifier: MIT */
#include "script/bind_table.h"

#include "script/sandbox.h"

#include <lauxlib.h>
#include <limits.h>

enum {
    STEP_BYTES = 64, /* what moving one element is charged as */
    UNPACK_MAX = 8000,
};

static int table_concat(lua_State *L)
{
    size_t separator_len;
    const char *separator = luaL_optlstring(L, 2, "", &separator_len);
    lua_Integer i = luaL_optinteger(L, 3, 1);
    lua_Integer last = luaL_opt(L, luaL_checkinteger, 4, luaL_len(L, 1));
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (; i <= last; i++) {
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
        pl_sandbox_charge(L, STEP_BYTES + separator_len);
        luaL_addvalue(&out);
        if (i == last)
            break; /* i + 1 could overflow */
        luaL_addlstring(&out, separator, separator_len);
    }
    luaL_pushresult(&out);
    return 1;
}

static void move_one(lua_State *L, lua_Integer from, lua_Integer to)
{
    pl_sandbox_charge(L, STEP_BYTES);
    lua_geti(L, 1, from);
    lua_seti(L, 1, to);
}

static int table_insert(lua_State *L)
{
    lua_Integer end, at;

    luaL_checktype(L, 1, LUA_TTABLE);
    end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
    switch (lua_gettop(L)) {
    case 2:
        at = end;
        break;
    case 3:
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
        for (lua_Integer i = end; i > at; i--)
            move_one(L, i - 1, i);
        break;
    default:
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, at);
    return 0;
}

static int table_remove(lua_State *L)
{
    lua_Integer size, at;

    luaL_checktype(L, 1, LUA_TTABLE);
    size = luaL_len(L, 1);
    at = luaL_optinteger(L, 2, size);
    if (at != size)
        luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
    lua_geti(L, 1, at);
    for (; at < size; at++)
        move_one(L, at + 1, at);
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

/* Front to back unless that would overwrite what is still to be read. */
static int table_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    bool backwards;

    luaL_checktype(L, target, LUA_TTABLE);
    if (last >= first) {
        lua_Integer count;

        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        count = last - first + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        backwards = to > first && to <= last && (target == 1 || lua_compare(L, 1, 5, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer at = backwards ? count - 1 - i : i;

            pl_sandbox_charge(L, STEP_BYTES);
            lua_geti(L, 1, first + at);
            lua_seti(L, target, to + at);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

static int table_unpack(lua_State *L)
{
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
    lua_Unsigned count;

    if (first > last)
        return 0;
    count = (lua_Unsigned)last - (lua_Unsigned)first;
    if (count >= UNPACK_MAX || !lua_checkstack(L, (int)count + 1))
        return luaL_error(L, "too many results to unpack");
    pl_sandbox_charge(L, ((size_t)count + 1) * STEP_BYTES);
    for (; first < last; first++)
        lua_geti(L, 1, first);
    lua_geti(L, 1, last);
    return (int)count + 1;
}

static size_t string_bytes(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING ? lua_rawlen(L, index) : 0;
}

/* What the stock sort calls to compare: so that each comparison is charged and seen. */
static int precedes(lua_State *L)
{
    pl_sandbox_charge(L, STEP_BYTES + string_bytes(L, 1) + string_bytes(L, 2));
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static int table_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_pushcclosure(L, precedes, 1);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static const luaL_Reg own_functions[] = {
    { "concat", table_concat }, { "insert", table_insert }, { "remove", table_remove },
    { "move", table_move },     { "unpack", table_unpack }, { NULL, NULL },
};

void pl_table_library_push(lua_State *L, int stock)
{
    luaL_newlib(L, own_functions);
    lua_getfield(L, stock, "pack");
    lua_setfield(L, -2, "pack");
    lua_getfield(L, stock, "sort");
    lua_pushcclosure(L, table_sort, 1);
    lua_setfield(L, -2, "sort");
}
