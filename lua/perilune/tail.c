/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include "database.h"
#include "script/bind_value.h"
#include "script/call.h"

#include <lauxlib.h>

/*
 * A tail is called for its next record, so that it stands where an iterator does:
 *
 *     for record in db:tail("Messages", { from = "oldest" }) do .. end
 *
 * nil is the end for now; called later, it goes on with what has come since.
 */
#define TAIL_TYPE "perilune.tail"

struct handle {
    struct pl_perilune_tail *tail; /* NULL: closed */
    struct pl_buf text;            /* scratch: here, so that nothing is lost when Lua raises */
};

static struct pl_perilune_tail *check_tail(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, TAIL_TYPE);

    luaL_argcheck(L, handle->tail != NULL, 1, "the tail is closed");
    return handle->tail;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

/* "oldest" unless told otherwise. Leaves the string on the stack. */
static struct pl_bytes from_option(lua_State *L, int options)
{
    struct pl_bytes from = pl_str("oldest");

    if (lua_isnoneornil(L, options))
        return from;
    luaL_checktype(L, options, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, options) != 0; lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "from") != 0)
            luaL_error(L, "tail: there is no option '%s'; there is from", luaL_tolstring(L, -2, NULL));
    if (lua_getfield(L, options, "from") == LUA_TNIL)
        return from;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "tail: from: expected \"oldest\", \"latest\" or a position, got %s",
                   luaL_typename(L, -1));
    from.data = lua_tolstring(L, -1, &from.len);
    return from;
}

int pl_tail_open(lua_State *L)
{
    struct pl_perilune *db = pl_database_check(L, 1);
    struct pl_reason why = { .text = "" };
    struct pl_bytes table, from;
    struct handle *handle;
    int rc;

    table.data = luaL_checklstring(L, 2, &table.len);
    from = from_option(L, 3);
    handle = lua_newuserdatauv(L, sizeof *handle, 1);
    handle->text = (struct pl_buf){ 0 };
    handle->tail = NULL; /* closed first, open second: an error in between leaks nothing */
    luaL_setmetatable(L, TAIL_TYPE);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1); /* the database must not be collected before its tail */
    rc = pl_perilune_tail_open(db, table, from, &handle->tail, &why);
    return rc != 0 ? pl_call_fail(L, rc, &why) : 1;
}

static int close_tail(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, TAIL_TYPE);

    pl_perilune_tail_close(handle->tail);
    handle->tail = NULL;
    pl_buf_deinit(&handle->text);
    handle->text = (struct pl_buf){ 0 };
    lua_pushboolean(L, true);
    return 1;
}

/* ---- records ---------------------------------------------------------------------------------------- */

static void set_item(lua_State *L, const char *name, struct pl_item item)
{
    pl_item_push_copy(L, item);
    lua_setfield(L, -2, name);
}

static void push_record(lua_State *L, const struct pl_perilune_record *record)
{
    char sequence[24];

    lua_createtable(L, 0, 8);
    lua_pushstring(L, pl_stream_event_name(record->event));
    lua_setfield(L, -2, "event");
    lua_pushinteger(L, record->shard);
    lua_setfield(L, -2, "shard");
    snprintf(sequence, sizeof sequence, "%llu", (unsigned long long)record->sequence);
    lua_pushstring(L, sequence);
    lua_setfield(L, -2, "sequence");
    lua_pushnumber(L, (lua_Number)record->at_ms / 1000);
    lua_setfield(L, -2, "at");
    if (record->by_expiry) {
        lua_pushliteral(L, "expiry");
        lua_setfield(L, -2, "by");
    }
    set_item(L, "keys", record->keys);
    if (record->has_new)
        set_item(L, "new", record->new);
    if (record->has_old)
        set_item(L, "old", record->old);
}

static int fail_next(lua_State *L, int rc)
{
    return luaL_error(L, "%s: %s", pl_error_code(rc),
                      rc == PL_ETRIMMED
                          ? "records that were not read yet are kept no longer: start from oldest"
                      : rc == PL_ECLOSED ? "the database is closed"
                                         : pl_error_sentence(rc));
}

static int next_record(lua_State *L)
{
    struct pl_perilune_record record;
    int rc = pl_perilune_tail_next(check_tail(L), &record);

    if (rc == PL_ENOTFOUND)
        return 0;
    if (rc != 0)
        return fail_next(L, rc);
    push_record(L, &record);
    return 1;
}

static int position(lua_State *L)
{
    struct pl_perilune_tail *tail = check_tail(L);
    struct handle *handle = lua_touserdata(L, 1);
    int rc;

    pl_buf_clear(&handle->text);
    rc = pl_perilune_tail_position(tail, &handle->text);
    if (rc != 0)
        return fail_next(L, rc);
    lua_pushlstring(L, handle->text.data, handle->text.len);
    return 1;
}

static const luaL_Reg methods[] = {
    { "position", position },
    { "close", close_tail },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__call", next_record },
    { "__gc", close_tail },
    { "__close", close_tail },
    { NULL, NULL },
};

void pl_tail_register(lua_State *L)
{
    luaL_newmetatable(L, TAIL_TYPE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
