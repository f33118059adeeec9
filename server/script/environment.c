/* SPDX-License-Identifier: MIT */
#include "script/environment.h"

#include "script/bind_db.h"
#include "script/bind_item.h"
#include "script/bind_number.h"
#include "script/bind_string.h"
#include "script/bind_table.h"
#include "script/bind_utf8.h"
#include "script/bind_value.h"
#include "script/call_keys.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>

/* What every module's globals begin as; stands in the registry under this address. */
static const char template_key;

enum { DATE_FORMAT_MAX = 256 };

static int protected_call(lua_State *L)
{
    int status;

    luaL_checkany(L, 1);
    status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    if (status == LUA_ERRMEM)
        pl_sandbox_starve(L);
    pl_sandbox_check(L);
    luaL_checkstack(L, 1, "too many results");
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/*
 * Stands before a script's own message handler. The error that ends a call is raised
 * by the hook, and Lua runs the handler before it leaves the hook, where no hook can
 * fire: a handler that loops there would loop for ever.
 */
static int handle(lua_State *L)
{
    lua_settop(L, 1);
    if (pl_sandbox_has_ended(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int protected_call_with_handler(lua_State *L)
{
    int status;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle, 1);
    lua_pushvalue(L, 1);
    lua_replace(L, 2);
    lua_replace(L, 1);
    status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
    if (status == LUA_ERRMEM)
        pl_sandbox_starve(L);
    pl_sandbox_check(L);
    lua_pushboolean(L, status == LUA_OK);
    lua_replace(L, 1);
    return lua_gettop(L);
}

/* No __gc, __mode or __close: with a memory cap they crash Lua 5.4.4 from pure script. */
static const char *const metafields[] = {
    "__index", "__newindex", "__call", "__tostring", "__len",  "__pairs", "__eq",  "__lt",
    "__le",    "__add",      "__sub",  "__mul",      "__div",  "__idiv",  "__mod", "__pow",
    "__unm",   "__concat",   "__band", "__bor",      "__bxor", "__bnot",  "__shl", "__shr",
};

static const char *const refused_metafields[] = { "__gc", "__mode", "__close" };

/* A copy that the script cannot reach, so that nothing can be added to it later. */
static void push_metatable_copy(lua_State *L, int original)
{
    for (size_t i = 0; i < sizeof refused_metafields / sizeof refused_metafields[0]; i++) {
        lua_pushstring(L, refused_metafields[i]);
        if (lua_rawget(L, original) != LUA_TNIL)
            luaL_error(L, "setmetatable: '%s' is not allowed here", refused_metafields[i]);
        lua_pop(L, 1);
    }
    lua_newtable(L);
    for (size_t i = 0; i < sizeof metafields / sizeof metafields[0]; i++) {
        lua_pushstring(L, metafields[i]);
        lua_pushvalue(L, -1);
        lua_rawget(L, original);
        lua_rawset(L, -3);
    }
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, original) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, original); /* what getmetatable shows */
        lua_pushboolean(L, 1);
        lua_setfield(L, -3, "replaceable");
    }
    lua_setfield(L, -2, "__metatable");
}

static int set_metatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (lua_getmetatable(L, 1)) {
        lua_pushliteral(L, "replaceable");
        if (lua_rawget(L, -2) == LUA_TNIL)
            return luaL_error(L, "cannot change a protected metatable");
        lua_pop(L, 2);
    }
    if (lua_isnil(L, 2))
        lua_pushnil(L);
    else
        push_metatable_copy(L, 2);
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int raw_set(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    if (luaL_getmetafield(L, 1, "sealed") != LUA_TNIL)
        return luaL_error(L, "a library cannot be changed");
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

static int refuse_change(lua_State *L)
{
    return luaL_error(L, "a library cannot be changed");
}

static int64_t wall_seconds(lua_State *L)
{
    return pl_clock_wall_ms(pl_sandbox_clock(pl_sandbox_of(L))) / 1000;
}

static int os_time(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_pushinteger(L, wall_seconds(L));
        return 1;
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int os_date(lua_State *L)
{
    size_t len;

    luaL_optlstring(L, 1, "%c", &len);
    luaL_argcheck(L, len <= DATE_FORMAT_MAX, 1, "format is too long");
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 2);
        lua_pushliteral(L, "%c");
        lua_replace(L, 1);
    }
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushinteger(L, wall_seconds(L));
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int os_clock(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)pl_clock_monotonic_ns(pl_sandbox_clock(pl_sandbox_of(L))) / 1e9);
    return 1;
}

static void copy_fields(lua_State *L, int from, int to, const char *const *names)
{
    for (; *names != NULL; names++) {
        lua_getfield(L, from, *names);
        lua_setfield(L, to, *names);
    }
}

/* Replace the table on top by a proxy that reads it and refuses to be written. */
static void seal(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_rotate(L, -3, -1); /* proxy, metatable, library */
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_change);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "sealed");
    lua_setmetatable(L, -2);
}

/* Push what Lua's own `open` makes, outside of package.loaded, which does not exist here. */
static int push_stock(lua_State *L, lua_CFunction open)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    return lua_gettop(L);
}

static const luaL_Reg own_functions[] = {
    { "pcall", protected_call },       { "xpcall", protected_call_with_handler },
    { "setmetatable", set_metatable }, { "rawset", raw_set },
    { "tostring", pl_tostring },       { NULL, NULL },
};

static void add_base(lua_State *L, int template)
{
    static const char *const stock[] = { "assert", "error",    "getmetatable", "ipairs", "next", "pairs",
                                         "rawget", "rawequal", "rawlen",       "select", "type", "_VERSION",
                                         NULL };
    int base = push_stock(L, luaopen_base);

    copy_fields(L, base, template, stock);
    lua_getfield(L, base, "tonumber");
    pl_charged_push(L);
    lua_setfield(L, template, "tonumber");
    lua_settop(L, base - 1);
    lua_pushvalue(L, template);
    luaL_setfuncs(L, own_functions, 0);
    lua_pop(L, 1);

    /* luaopen_base filled the state's own globals: nothing may find its way there. */
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

/* Strings answer to the same functions as the library, but through a table of their own. */
static void lock_strings(lua_State *L, int library)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, library);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

static void add_string(lua_State *L, int template)
{
    int stock = push_stock(L, luaopen_string);

    pl_string_library_push(L, stock);
    lock_strings(L, stock + 1);
    seal(L);
    lua_setfield(L, template, "string");
    lua_settop(L, stock - 1);
}

static void add_table(lua_State *L, int template)
{
    int stock = push_stock(L, luaopen_table);

    pl_table_library_push(L, stock);
    seal(L);
    lua_setfield(L, template, "table");
    lua_settop(L, stock - 1);
}

static void add_math(lua_State *L, int template)
{
    static const char *const names[] = { "abs",  "acos",       "asin",  "atan",       "ceil", "cos",
                                         "deg",  "exp",        "floor", "fmod",       "huge", "log",
                                         "max",  "maxinteger", "min",   "mininteger", "modf", "pi",
                                         "rad",  "random",     "sin",   "sqrt",       "tan",  "tointeger",
                                         "type", "ult",        NULL };
    int stock = push_stock(L, luaopen_math);

    lua_newtable(L);
    copy_fields(L, stock, stock + 1, names);
    seal(L);
    lua_setfield(L, template, "math");
    lua_settop(L, stock - 1);
}

static void add_os(lua_State *L, int template)
{
    int stock = push_stock(L, luaopen_os);

    lua_newtable(L);
    lua_getfield(L, stock, "time");
    lua_pushcclosure(L, os_time, 1);
    lua_setfield(L, -2, "time");
    lua_getfield(L, stock, "date");
    lua_pushcclosure(L, os_date, 1);
    lua_setfield(L, -2, "date");
    lua_pushcfunction(L, os_clock);
    lua_setfield(L, -2, "clock");
    seal(L);
    lua_setfield(L, template, "os");
    lua_settop(L, stock - 1);
}

static void add_utf8(lua_State *L, int template)
{
    pl_utf8_library_push(L);
    seal(L);
    lua_setfield(L, template, "utf8");
}

static void add_perilune(lua_State *L, int template)
{
    lua_newtable(L);
    pl_bind_number_open(L);
    pl_bind_item_open(L);
    pl_bind_value_open(L);
    pl_key_condition_register(L);
    seal(L);
    lua_setfield(L, template, "perilune");
}

void pl_environment_open(lua_State *L)
{
    int template;

    lua_newtable(L);
    template = lua_gettop(L);
    add_base(L, template);
    add_string(L, template);
    add_table(L, template);
    add_math(L, template);
    add_os(L, template);
    add_utf8(L, template);
    add_perilune(L, template);
    pl_bind_db_open(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &template_key);
}

void pl_environment_push(lua_State *L)
{
    int template, fresh;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &template_key);
    template = lua_gettop(L);
    lua_newtable(L);
    fresh = template + 1;
    lua_pushnil(L);
    while (lua_next(L, template) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, fresh);
    }
    lua_pushvalue(L, fresh);
    lua_setfield(L, fresh, "_G");
    lua_remove(L, template);
}
