/* SPDX-License-Identifier: MIT */
#include "json.h"
#include "model/json.h"
#include "script/call.h"
#include "script/call_methods.h"

/*
 * Definitions are Lua tables here and JSON in the engine (model/table.h): the way from
 * one to the other is that of any value.
 */
static int take_definition(lua_State *L, int index, struct pl_call *call)
{
    struct pl_buf *text = &call->op->bytes;
    struct pl_value value;
    int rc;

    luaL_checktype(L, index, LUA_TTABLE);
    rc = pl_call_value(L, index, call, NULL, &value);
    if (rc != 0)
        return rc;
    pl_json_write_value(text, PL_JSON_PLAIN, value);
    call->op->definition = pl_arena_copy(&call->op->arena, pl_buf_view(text));
    pl_buf_clear(text);
    return call->op->definition.data == NULL ? PL_ENOMEM : 0;
}

static int take_name(lua_State *L, struct pl_call *call)
{
    luaL_checktype(L, 2, LUA_TSTRING);
    return pl_call_text(L, 2, call, "table's name", &call->op->table_name);
}

/* Run it; the results are what the reply's JSON says, or true. */
static int answer(lua_State *L, struct pl_call *call, int rc)
{
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    if (call->op->reply.text.len > 0)
        return pl_json_push(L, call->op->reply.text, &call->op->arena);
    lua_pushboolean(L, 1);
    return 1;
}

static int create_table(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_CREATE);

    return answer(L, call, take_definition(L, 2, call));
}

static int alter_table(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_ALTER);
    int rc = take_name(L, call);

    if (rc == 0)
        rc = take_definition(L, 3, call);
    return answer(L, call, rc);
}

static int drop_table(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_DROP);

    return answer(L, call, take_name(L, call));
}

static int describe(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_DESCRIBE);

    return answer(L, call, take_name(L, call));
}

static int tables(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_TABLES);
    int count = answer(L, call, 0);

    if (count == 1)
        lua_getfield(L, -1, "tables");
    return count;
}

const luaL_Reg pl_table_methods[] = {
    { "create_table", create_table }, { "alter_table", alter_table }, { "drop_table", drop_table },
    { "describe", describe },         { "tables", tables },           { NULL, NULL },
};
