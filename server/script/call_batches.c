/* SPDX-License-Identifier: MIT */
#include "script/bind_value.h"
#include "script/call.h"
#include "script/call_methods.h"
#include "script/call_options.h"

/*
 *     db:batch_get({ Users = { key, key } }, opts)                    { Users = { item } }
 *     db:batch_write({ Users = { put = { item }, delete = { key } } })   true
 *
 * What was left out, for want of throughput or beyond 16 MB, is a second result, in the form of the first argument.
 */
enum { REQUEST = 2, OPTIONS, BOX, BATCH_GET_MAX = 100, BATCH_WRITE_MAX = 25 };

struct batch {
    struct pl_call *call;
    uint32_t count; /* children counted, or made */
    uint32_t room;  /* for children; 0: they are being counted */
};

static int too_many(struct pl_call *call, const char *operation)
{
    return pl_reason_set(&call->op->reply.why, PL_EINVALID, "Too many items requested for the %s call",
                         operation);
}

static int make_child(lua_State *L, struct batch *batch, struct pl_bytes table, enum pl_operation_name name)
{
    struct pl_operation *op = batch->call->op, *child = &op->children[batch->count];

    if (batch->count == batch->room) /* a finalizer of the program's may change its tables */
        luaL_error(L, "batch: the request grew while it was read");
    pl_operation_init(child, name);
    op->child_count = ++batch->count;
    child->table_name = table;
    child->consistent = op->consistent;
    child->projection_text = op->projection_text;
    child->params = op->params;
    child->params.arena = &child->arena;
    child->report = op->report;
    if (!lua_istable(L, -1))
        luaL_error(L, "batch: expected tables in the list of %.*s, got a %s", (int)table.len, table.data,
                   luaL_typename(L, -1));
    return pl_call_item(L, lua_gettop(L), batch->call, child, &child->item);
}

/* The list on top of the stack. */
static int walk_list(lua_State *L, struct batch *batch, struct pl_bytes table, enum pl_operation_name name)
{
    lua_Integer count;
    int rc = 0;

    if (!lua_istable(L, -1))
        luaL_error(L, "batch: expected a list for %.*s, got a %s", (int)table.len, table.data,
                   luaL_typename(L, -1));
    count = (lua_Integer)lua_rawlen(L, -1);
    if (batch->room == 0) {
        batch->count += (uint32_t)(count > BATCH_GET_MAX ? BATCH_GET_MAX + 1 : count);
        return 0;
    }
    for (lua_Integer i = 1; rc == 0 && i <= count; i++) {
        lua_rawgeti(L, -1, i);
        rc = make_child(L, batch, table, name);
        lua_pop(L, 1);
    }
    return rc;
}

static int walk_writes(lua_State *L, struct batch *batch, struct pl_bytes table)
{
    int rc = 0, writes = lua_gettop(L);

    if (!lua_istable(L, writes))
        luaL_error(L, "batch_write: expected { put = {..}, delete = {..} } for %.*s, got a %s",
                   (int)table.len, table.data, luaL_typename(L, writes));
    for (lua_pushnil(L); rc == 0 && lua_next(L, writes) != 0; lua_pop(L, 1)) {
        const char *word = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(word, "put") == 0)
            rc = walk_list(L, batch, table, PL_OP_PUT);
        else if (strcmp(word, "delete") == 0)
            rc = walk_list(L, batch, table, PL_OP_DELETE);
        else
            luaL_error(L, "batch_write: expected put and delete, got %s", luaL_tolstring(L, -2, NULL));
    }
    lua_settop(L, writes);
    return rc;
}

static int walk_tables(lua_State *L, struct batch *batch)
{
    bool writes = batch->call->op->name == PL_OP_BATCH_WRITE;
    struct pl_bytes table;
    int rc = 0;

    for (lua_pushnil(L); rc == 0 && lua_next(L, REQUEST) != 0; lua_pop(L, 1)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, REQUEST, "expected tables' names as keys");
        rc = pl_call_text(L, -2, batch->call, "table's name", &table);
        if (rc == 0)
            rc = writes ? walk_writes(L, batch, table) : walk_list(L, batch, table, PL_OP_GET);
    }
    lua_settop(L, BOX);
    return rc;
}

/* Twice through the request: a child is large, so they are counted before there is memory for them. */
static int take(lua_State *L, struct pl_call *call)
{
    bool writes = call->op->name == PL_OP_BATCH_WRITE;
    const char *name = writes ? "BatchWriteItem" : "BatchGetItem";
    struct batch batch = { .call = call };
    uint32_t total;
    int rc;

    luaL_checktype(L, REQUEST, LUA_TTABLE);
    luaL_checkstack(L, 12, NULL);
    rc = walk_tables(L, &batch);
    if (rc != 0)
        return rc;
    total = batch.count;
    if (total == 0)
        return pl_reason_set(&call->op->reply.why, PL_EINVALID,
                             "The requestItems parameter is required for %s", name);
    if (total > (writes ? BATCH_WRITE_MAX : BATCH_GET_MAX))
        return too_many(call, name);
    call->op->children = pl_arena_zalloc(&call->op->arena, total, sizeof *call->op->children);
    if (call->op->children == NULL)
        return PL_ENOMEM;
    batch = (struct batch){ .call = call, .room = total };
    return walk_tables(L, &batch);
}

static struct pl_call *run(lua_State *L, enum pl_operation_name name, uint32_t allowed, int *result)
{
    struct pl_call *call;
    int rc;

    lua_settop(L, OPTIONS);
    call = pl_call_begin(L, 1, name);
    rc = pl_options_read(L, OPTIONS, allowed, call);
    if (rc == 0)
        rc = take(L, call);
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc == 0)
        pl_options_charge(L, OPTIONS, call);
    *result = rc;
    return call;
}

/* Every table asked for is in the answer, also when none of its items is there. */
static void push_tables(lua_State *L, const struct pl_operation *op)
{
    lua_newtable(L);
    for (uint32_t i = 0; i < op->child_count; i++) {
        lua_pushlstring(L, op->children[i].table_name.data, op->children[i].table_name.len);
        lua_newtable(L);
        lua_rawset(L, -3);
    }
}

/* The field `name` of the table on top of the stack, made when it is not there, on top of it. */
static void push_field(lua_State *L, struct pl_bytes name)
{
    lua_pushlstring(L, name.data, name.len);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushlstring(L, name.data, name.len);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
}

/* The number of results: one more when something was left out. */
static int push_unprocessed(lua_State *L, const struct pl_operation *op, int results)
{
    if (op->reply.unprocessed == 0)
        return results;
    lua_newtable(L);
    for (uint32_t i = 0; i < op->child_count; i++) {
        const struct pl_operation *child = &op->children[i];
        int whole = lua_gettop(L);

        if (child->reply.rc != PL_ETHROUGHPUT)
            continue;
        push_field(L, child->table_name);
        if (child->name != PL_OP_GET)
            push_field(L, pl_str(child->name == PL_OP_PUT ? "put" : "delete"));
        pl_item_push_copy(L, child->item);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_settop(L, whole);
    }
    return results + 1;
}

static int batch_get(lua_State *L)
{
    int rc;
    struct pl_call *call = run(L, PL_OP_BATCH_GET, PL_LUA_READING, &rc);
    struct pl_bytes rest = pl_buf_view(call->rows), table;
    struct pl_item item;
    uint32_t child;

    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    push_tables(L, call->op);
    while (pl_rows_take(&rest, &child, &item)) {
        table = call->op->children[child].table_name;
        lua_pushlstring(L, table.data, table.len);
        lua_rawget(L, -2);
        pl_item_push_copy(L, item);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
    rc = push_unprocessed(L, call->op, 1);
    pl_call_end(L, BOX);
    return rc;
}

static int batch_write(lua_State *L)
{
    int rc;
    struct pl_call *call = run(L, PL_OP_BATCH_WRITE, PL_LUA_BIT(CAPACITY), &rc);

    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    lua_pushboolean(L, 1);
    rc = push_unprocessed(L, call->op, 1);
    pl_call_end(L, BOX);
    return rc;
}

const luaL_Reg pl_batch_methods[] = {
    { "batch_get", batch_get },
    { "batch_write", batch_write },
    { NULL, NULL },
};
