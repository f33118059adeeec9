/* SPDX-License-Identifier: MIT */
#include "script/bind_item.h"
#include "script/bind_value.h"
#include "script/call.h"
#include "script/call_methods.h"
#include "script/call_options.h"

/* db:put(table, item, opts)  db:get(table, key, opts)  db:delete(table, key, opts)
 * db:update(table, key, expression, opts)
 *
 * The stack is the arguments, and then the call's box. */

/* What every one of them begins with. `argument` is the item's or key's place, `options` that of the options. */
static int take(lua_State *L, struct pl_call *call, int argument, int options, uint32_t allowed)
{
    int rc;

    luaL_checktype(L, 2, LUA_TSTRING);
    /* A script may hand on an item that it was shown. */
    if (pl_view_test(L, argument) == NULL)
        luaL_checktype(L, argument, LUA_TTABLE);
    rc = pl_call_text(L, 2, call, "table's name", &call->op->table_name);
    if (rc == 0)
        rc = pl_options_read(L, options, allowed, call);
    return rc != 0 ? rc : pl_call_item(L, argument, call, call->op, &call->op->item);
}

/* True, or the attributes that were asked for: an empty table when there are none. */
static int answer_write(lua_State *L, struct pl_call *call, int options, int rc)
{
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    pl_options_charge(L, options, call);
    if (call->op->reply.has_item)
        pl_item_push_copy(L, call->op->reply.item);
    else if (call->op->returns != PL_RETURN_NONE)
        lua_newtable(L);
    else
        lua_pushboolean(L, 1);
    pl_call_end(L, options + 1);
    return 1;
}

static int put(lua_State *L)
{
    struct pl_call *call;

    lua_settop(L, 4);
    call = pl_call_begin(L, 1, PL_OP_PUT);
    return answer_write(L, call, 4, take(L, call, 3, 4, PL_LUA_CONDITIONAL));
}

static int delete_item(lua_State *L)
{
    struct pl_call *call;

    lua_settop(L, 4);
    call = pl_call_begin(L, 1, PL_OP_DELETE);
    return answer_write(L, call, 4, take(L, call, 3, 4, PL_LUA_CONDITIONAL));
}

/* Without an expression, an update makes the item if it is not there. */
static int update(lua_State *L)
{
    struct pl_call *call;
    int rc;

    lua_settop(L, 5);
    call = pl_call_begin(L, 1, PL_OP_UPDATE);
    rc = take(L, call, 3, 5, PL_LUA_CONDITIONAL);
    if (!lua_isnil(L, 4)) {
        luaL_checktype(L, 4, LUA_TSTRING);
        if (rc == 0)
            rc = pl_call_text(L, 4, call, "update expression", &call->op->update_text);
    }
    return answer_write(L, call, 5, rc);
}

/* The item; nil alone when there is none. */
static int get(lua_State *L)
{
    struct pl_call *call;
    int rc;

    lua_settop(L, 4);
    call = pl_call_begin(L, 1, PL_OP_GET);
    rc = take(L, call, 3, 4, PL_LUA_READING);
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    pl_options_charge(L, 4, call);
    if (call->op->reply.has_item)
        pl_item_push_copy(L, call->op->reply.item);
    else
        lua_pushnil(L);
    pl_call_end(L, 5);
    return 1;
}

const luaL_Reg pl_item_methods[] = {
    { "put", put }, { "get", get }, { "update", update }, { "delete", delete_item }, { NULL, NULL },
};
