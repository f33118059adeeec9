/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "json.h"
#include "script/bind_value.h"
#include "script/call.h"
#include "script/call_methods.h"
#include "script/call_options.h"

/*
 * What triggers could not handle, named "table/trigger":
 *
 *     db:dead_letters(name, { limit =, after = })    { items = {..}, last_key = {..} }
 *     db:replay_dead_letters(name, id)               { replayed =, failed =, error = }    without an id: all
 *     db:purge_dead_letters(name, id)                { purged = }
 *     db:run_triggers()                              ms until one is due, 0 when one is now, or nil
 */
enum { SOURCE = 2, OPTIONS };

static int take_source(lua_State *L, struct pl_call *call)
{
    int rc = pl_call_source(L, SOURCE, call);

    luaL_argcheck(L, rc != 0 || call->op->index_name.len > 0, SOURCE, "expected table/trigger");
    return rc;
}

static int list(lua_State *L)
{
    struct pl_call *call;
    struct pl_bytes rest;
    struct pl_item item;
    uint32_t child;
    lua_Integer i = 0;
    int rc;

    lua_settop(L, OPTIONS);
    call = pl_call_begin(L, 1, PL_OP_LETTERS);
    rc = take_source(L, call);
    if (rc == 0)
        rc = pl_options_read(L, OPTIONS, PL_LUA_BIT(LIMIT) | PL_LUA_BIT(AFTER), call);
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    lua_createtable(L, 0, 2);
    lua_newtable(L);
    for (rest = pl_buf_view(call->rows); pl_rows_take(&rest, &child, &item);) {
        pl_item_push_copy(L, item);
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, "items");
    if (call->op->reply.has_last_key) {
        pl_item_push_copy(L, call->op->reply.last_key);
        lua_setfield(L, -2, "last_key");
    }
    return 1;
}

static int change(lua_State *L, enum pl_operation_name name)
{
    struct pl_call *call;
    int rc;

    lua_settop(L, OPTIONS);
    call = pl_call_begin(L, 1, name);
    rc = take_source(L, call);
    if (rc == 0 && luaL_optstring(L, OPTIONS, NULL) != NULL)
        rc = pl_call_text(L, OPTIONS, call, "dead letter's id", &call->op->letter);
    if (rc == 0)
        rc = pl_call_run(L, call);
    return rc != 0 ? pl_call_fail_reply(L, call, rc)
                   : pl_json_push(L, call->op->reply.text, &call->op->arena);
}

static int replay(lua_State *L)
{
    return change(L, PL_OP_REPLAY_LETTERS);
}

static int purge(lua_State *L)
{
    return change(L, PL_OP_PURGE_LETTERS);
}

static int run_triggers(lua_State *L)
{
    uint64_t due_ms = pl_perilune_run_triggers(pl_database_check(L, 1));

    if (due_ms > INT64_MAX)
        lua_pushnil(L);
    else
        lua_pushinteger(L, (lua_Integer)due_ms);
    return 1;
}

const luaL_Reg pl_letter_methods[] = {
    { "dead_letters", list },
    { "replay_dead_letters", replay },
    { "purge_dead_letters", purge },
    { "run_triggers", run_triggers },
    { NULL, NULL },
};
