/* SPDX-License-Identifier: MIT */
#include "script/bind_string.h"

#include "script/pattern.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT_VALUES_MAX = 100 };

static int charged(lua_State *L)
{
    size_t sum = 0;

    for (int i = lua_gettop(L); i > 0; i--)
        if (lua_type(L, i) == LUA_TSTRING)
            sum += lua_rawlen(L, i);
    pl_sandbox_charge(L, sum);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void pl_charged_push(lua_State *L)
{
    lua_pushcclosure(L, charged, 1);
}

int pl_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    switch (lua_type(L, 1)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        luaL_tolstring(L, 1, NULL);
        return 1;
    case LUA_TLIGHTUSERDATA:
        lua_pushliteral(L, "null");
        return 1;
    default:
        break;
    }
    if (luaL_callmeta(L, 1, "__tostring")) {
        if (!lua_isstring(L, -1))
            return luaL_error(L, "'__tostring' must return a string");
        return 1;
    }
    lua_pushstring(L, luaL_typename(L, 1));
    return 1;
}

/* Fill `len` bytes with the `unit` bytes that stand at the front, in ever longer copies. */
static void repeat_front(char *to, size_t unit, size_t len)
{
    size_t done = unit;

    while (done < len) {
        size_t step = done < len - done ? done : len - done;

        memcpy(to + done, to, step);
        done += step;
    }
}

static int string_rep(lua_State *L)
{
    size_t len, separator_len, unit, total;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer count = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &separator_len);
    luaL_Buffer out;
    char *to;

    if (count <= 0 || len + separator_len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    unit = len + separator_len;
    if ((lua_Unsigned)count > pl_sandbox_block_max(pl_sandbox_of(L)) / unit)
        return luaL_error(L, "resulting string too large");
    total = (size_t)count * unit;
    pl_sandbox_charge(L, total);
    to = luaL_buffinitsize(L, &out, total);
    memcpy(to, text, len);
    memcpy(to + len, separator, separator_len);
    repeat_front(to, unit, total);
    luaL_pushresultsize(&out, total - separator_len);
    return 1;
}

static void refuse_pointers(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);

    for (size_t i = 0; i + 1 < len; i++) {
        if (format[i] != '%')
            continue;
        i++;
        while (i < len && strchr("-+ #0123456789.", format[i]) != NULL && format[i] != '\0')
            i++;
        if (i < len && format[i] == 'p')
            luaL_error(L, "invalid conversion '%%p' to 'format'");
    }
}

/* Tables and userdata become their text here, so that the stock function has no address to show. */
static int string_format(lua_State *L)
{
    int count = lua_gettop(L);

    if (count - 1 > FORMAT_VALUES_MAX)
        return luaL_error(L, "'format' takes at most %d values", (int)FORMAT_VALUES_MAX);
    refuse_pointers(L);
    for (int i = 2; i <= count; i++) {
        int type = lua_type(L, i);

        if (type < LUA_TLIGHTUSERDATA || type == LUA_TNUMBER || type == LUA_TSTRING)
            continue;
        lua_pushcfunction(L, pl_tostring);
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        lua_replace(L, i);
    }
    return charged(L);
}

static const luaL_Reg own_functions[] = {
    { "find", pl_pattern_find }, { "match", pl_pattern_match }, { "gmatch", pl_pattern_gmatch },
    { "gsub", pl_pattern_gsub }, { "rep", string_rep },         { NULL, NULL },
};

static const char *const stock_functions[] = { "byte", "char", "len", "lower", "reverse", "sub", "upper" };

void pl_string_library_push(lua_State *L, int stock)
{
    luaL_newlib(L, own_functions);
    for (size_t i = 0; i < sizeof stock_functions / sizeof stock_functions[0]; i++) {
        lua_getfield(L, stock, stock_functions[i]);
        pl_charged_push(L);
        lua_setfield(L, -2, stock_functions[i]);
    }
    lua_getfield(L, stock, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
}
