/* SPDX-License-Identifier: MIT */
#include "model/transaction.h"
#include "script/bind_value.h"
#include "script/call.h"
#include "script/call_methods.h"
#include "script/call_options.h"

/*
 *     db:transact({ { put = "Users", item = {..} }, { check = "Users", key = {..}, condition = ".." } }, opts)
 *         true; or nil, a sentence, a code, and for each item its reason
 *     db:transact({ { get = "Users", key = {..}, project = ".." } }, opts)
 *         the items in that order, nil where there is none, and how many were asked for as `n`
 */
enum { REQUEST = 2, OPTIONS, BOX, ENTRY };

#define GUARDED                                                                                              \
    (PL_LUA_BIT(CONDITION) | PL_LUA_BIT(ARGS) | PL_LUA_BIT(NAMES) | PL_LUA_BIT(VALUES) |                     \
     PL_LUA_BIT(ON_FAILURE))

/* What each action is, where its item or key stands, and what it may have. */
static const struct action {
    enum pl_operation_name name;
    const char *word, *subject;
    uint32_t allowed;
} actions[] = {
    { PL_OP_PUT, "put", "item", PL_LUA_BIT(PUT) | PL_LUA_BIT(ITEM) | GUARDED },
    { PL_OP_UPDATE, "update", "key",
      PL_LUA_BIT(UPDATE) | PL_LUA_BIT(KEY) | PL_LUA_BIT(EXPRESSION) | GUARDED },
    { PL_OP_DELETE, "delete", "key", PL_LUA_BIT(DELETE) | PL_LUA_BIT(KEY) | GUARDED },
    { PL_OP_CONDITION_CHECK, "check", "key", PL_LUA_BIT(CHECK) | PL_LUA_BIT(KEY) | GUARDED },
    { PL_OP_GET, "get", "key", PL_LUA_BIT(GET) | PL_LUA_BIT(KEY) | PL_LUA_BIT(PROJECT) | PL_LUA_BIT(NAMES) },
};

enum { ACTION_COUNT = sizeof actions / sizeof actions[0] };

/* ---- what is asked ---------------------------------------------------------------------------------- */

/* The action of the entry, whose table's name is then on top of the stack. */
static int find_action(lua_State *L, struct pl_call *call, lua_Integer i, const struct action **out)
{
    const struct action *found = NULL;

    for (int a = 0; a < ACTION_COUNT; a++) {
        if (lua_getfield(L, ENTRY, actions[a].word) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        if (found != NULL)
            return pl_reason_set(&call->op->reply.why, PL_EINVALID,
                                 "TransactItems can only contain one of Check, Put, Update or Delete");
        found = &actions[a];
    }
    if (found == NULL)
        luaL_error(L, "transact: item %I: expected one of put, update, delete, check or get", (LUAI_UACINT)i);
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "transact: item %I: expected a table's name as %s, got a %s", (LUAI_UACINT)i,
                   found->word, luaL_typename(L, -1));
    *out = found;
    return 0;
}

/* What was read into the call was the child's. Its memory is the call's, which lives as long. */
static void hand_down(struct pl_operation *op, struct pl_operation *child)
{
    child->params = op->params;
    child->params.arena = &child->arena;
    child->condition_text = op->condition_text;
    child->condition_name = op->condition_name;
    child->has_condition_args = op->has_condition_args;
    child->condition_args = op->condition_args;
    child->update_text = op->update_text;
    child->projection_text = op->projection_text;
    child->return_old_on_failure = op->return_old_on_failure;
    op->params = (struct pl_expr_params){ .arena = &op->arena };
    op->condition_text = op->condition_name = op->update_text = op->projection_text = pl_bytes(NULL, 0);
    op->has_condition_args = op->return_old_on_failure = false;
}

static int take_child(lua_State *L, struct pl_call *call, lua_Integer i)
{
    struct pl_operation *op = call->op, *child = &op->children[i - 1];
    const struct action *action = NULL;
    int rc;

    pl_operation_init(child, PL_OP_GET);
    op->child_count = (uint32_t)i;
    rc = find_action(L, call, i, &action);
    if (rc != 0)
        return rc;
    child->name = action->name;
    rc = pl_call_text(L, -1, call, "table's name", &child->table_name);
    if (rc == 0)
        rc = pl_options_read(L, ENTRY, action->allowed, call);
    if (rc != 0)
        return rc;
    hand_down(op, child);
    if (lua_getfield(L, ENTRY, action->subject) != LUA_TTABLE)
        luaL_error(L, "transact: item %I: expected a table as %s, got a %s", (LUAI_UACINT)i, action->subject,
                   luaL_typename(L, -1));
    return pl_call_item(L, lua_gettop(L), call, child, &child->item);
}

static int choose_name(struct pl_operation *op)
{
    bool reads = op->children[0].name == PL_OP_GET;

    op->name = reads ? PL_OP_TRANSACT_GET : PL_OP_TRANSACT_WRITE;
    for (uint32_t i = 1; i < op->child_count; i++)
        if ((op->children[i].name == PL_OP_GET) != reads)
            return pl_reason_set(&op->reply.why, PL_EINVALID,
                                 "a transaction reads or writes: get stands alone");
    if (reads && op->token.data != NULL)
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "a transaction that reads takes no token: it may be asked again");
    return 0;
}

static int take(lua_State *L, struct pl_call *call)
{
    struct pl_operation *op = call->op;
    lua_Integer count = (lua_Integer)lua_rawlen(L, REQUEST);
    int rc = pl_transaction_check_count((uint64_t)count, &op->reply.why);

    if (rc != 0)
        return rc;
    luaL_checkstack(L, 16, NULL);
    op->children = pl_arena_zalloc(&op->arena, (size_t)count, sizeof *op->children);
    if (op->children == NULL)
        return PL_ENOMEM;
    for (lua_Integer i = 1; i <= count && rc == 0; i++) {
        lua_settop(L, BOX);
        if (lua_rawgeti(L, REQUEST, i) != LUA_TTABLE)
            luaL_error(L, "transact: item %I: expected a table, got a %s", (LUAI_UACINT)i,
                       luaL_typename(L, -1));
        rc = take_child(L, call, i);
    }
    lua_settop(L, BOX);
    return rc != 0 ? rc : choose_name(op);
}

/* ---- what came of it -------------------------------------------------------------------------------- */

static void push_reason(lua_State *L, const struct pl_reply *reply)
{
    struct pl_bytes code = pl_transaction_reason_code(reply->rc);

    lua_newtable(L);
    lua_pushlstring(L, code.data, code.len);
    lua_setfield(L, -2, "code");
    if (reply->rc == 0)
        return;
    lua_pushstring(L, pl_reason_text(&reply->why, reply->rc));
    lua_setfield(L, -2, "message");
    if (!reply->has_item)
        return;
    pl_item_push_copy(L, reply->item);
    lua_setfield(L, -2, "item");
}

/* The sentence may be longer than a reason has room for; the call's memory holds it while Lua copies it. */
static int push_cancellation(lua_State *L, struct pl_call *call)
{
    const struct pl_operation *op = call->op;

    pl_buf_clear(call->rows);
    pl_transaction_write_sentence(call->rows, op);
    if (pl_buf_status(call->rows) != 0)
        return pl_call_fail(L, PL_ENOMEM, NULL);
    lua_pushnil(L);
    lua_pushlstring(L, call->rows->data, call->rows->len);
    lua_pushstring(L, pl_error_code(PL_ECANCELLED));
    lua_createtable(L, (int)op->child_count, 0);
    for (uint32_t i = 0; i < op->child_count; i++) {
        push_reason(L, &op->children[i].reply);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 4;
}

static void push_items(lua_State *L, const struct pl_operation *op)
{
    lua_createtable(L, (int)op->child_count, 1);
    lua_pushinteger(L, op->child_count);
    lua_setfield(L, -2, "n");
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (!op->children[i].reply.has_item)
            continue;
        pl_item_push_copy(L, op->children[i].reply.item);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static int transact(lua_State *L)
{
    struct pl_call *call;
    int rc;

    lua_settop(L, OPTIONS);
    luaL_checktype(L, REQUEST, LUA_TTABLE);
    call = pl_call_begin(L, 1, PL_OP_TRANSACT_WRITE);
    rc = pl_options_read(L, OPTIONS, PL_LUA_BIT(TOKEN) | PL_LUA_BIT(CAPACITY), call);
    if (rc == 0)
        rc = take(L, call);
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc == PL_ECANCELLED)
        return push_cancellation(L, call);
    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    pl_options_charge(L, OPTIONS, call);
    if (call->op->name == PL_OP_TRANSACT_GET)
        push_items(L, call->op);
    else
        lua_pushboolean(L, 1);
    pl_call_end(L, BOX);
    return 1;
}

const luaL_Reg pl_transaction_methods[] = {
    { "transact", transact },
    { NULL, NULL },
};
