/* SPDX-License-Identifier: MIT */
#include "script/call.h"

#include "script/bind_value.h"
#include "script/sandbox.h"

#include <lauxlib.h>

#define CALL_TYPE "perilune.call"

static const char engine_key; /* its address, in the registry */

void pl_call_engine_set(lua_State *L, const struct pl_call_engine *engine)
{
    lua_pushlightuserdata(L, (void *)engine);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &engine_key);
}

static const struct pl_call_engine *engine_of(lua_State *L)
{
    const struct pl_call_engine *engine;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &engine_key);
    engine = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return engine;
}

static void end(struct pl_call *call)
{
    const struct pl_call_engine *engine = call->engine;

    call->engine = NULL;
    if (engine != NULL)
        engine->end(call);
}

static int collect(lua_State *L)
{
    end(lua_touserdata(L, 1));
    return 0;
}

struct pl_call *pl_call_begin(lua_State *L, int arg, enum pl_operation_name name)
{
    const struct pl_call_engine *engine = engine_of(L);
    struct pl_call *call = lua_newuserdatauv(L, sizeof *call, 0);

    /* Empty first and filled second: what raises in between leaves nothing behind. */
    *call = (struct pl_call){ .engine = NULL };
    if (luaL_newmetatable(L, CALL_TYPE)) {
        lua_pushcfunction(L, collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    engine->begin(L, arg, name, call);
    call->engine = engine;
    return call;
}

int pl_call_run(lua_State *L, struct pl_call *call)
{
    return call->engine->run(L, call);
}

void pl_call_end(lua_State *L, int index)
{
    end(lua_touserdata(L, index));
}

int pl_call_fail(lua_State *L, int rc, const struct pl_reason *why)
{
    /* Nobody would look for this one, and a trigger that goes on without what it asked for loses it. */
    if (rc == PL_ENOMEM)
        pl_sandbox_starve(L);
    lua_pushnil(L);
    lua_pushstring(L, pl_reason_text(why, rc));
    lua_pushstring(L, pl_error_code(rc));
    return 3;
}

int pl_call_fail_reply(lua_State *L, const struct pl_call *call, int rc)
{
    int count;

    if (call->lost)
        return pl_call_fail(L, rc, NULL);
    count = pl_call_fail(L, rc, &call->op->reply.why);
    if (!call->op->reply.has_item)
        return count;
    pl_item_push_copy(L, call->op->reply.item);
    return count + 1;
}

int pl_call_text(lua_State *L, int index, struct pl_call *call, const char *what, struct pl_bytes *out)
{
    struct pl_bytes text;

    text.data = lua_tolstring(L, index, &text.len);
    if (!pl_bytes_is_utf8(text))
        return pl_reason_set(&call->op->reply.why, PL_EINVALID, "the %s is not well-formed UTF-8", what);
    text = pl_arena_copy(&call->op->arena, text);
    if (text.data == NULL)
        return PL_ENOMEM;
    *out = text;
    return 0;
}

int pl_call_source(lua_State *L, int index, struct pl_call *call)
{
    struct pl_operation *op = call->op;
    const char *slash;
    int rc;

    luaL_checktype(L, index, LUA_TSTRING);
    rc = pl_call_text(L, index, call, "table's name", &op->table_name);
    if (rc != 0)
        return rc;
    slash = memchr(op->table_name.data, '/', op->table_name.len);
    if (slash == NULL)
        return 0;
    op->index_name.data = slash + 1;
    op->index_name.len = op->table_name.len - (size_t)(slash + 1 - op->table_name.data);
    op->table_name.len -= op->index_name.len + 1;
    luaL_argcheck(L, op->table_name.len > 0 && op->index_name.len > 0, index,
                  "expected table or table/index");
    return 0;
}

int pl_call_item(lua_State *L, int index, struct pl_call *call, struct pl_operation *op, struct pl_item *out)
{
    struct pl_builder b;

    pl_builder_init(&b, &op->bytes, &op->arena);
    pl_item_build(L, index, &b);
    return pl_builder_finish_item(&b, out, &call->op->reply.why);
}

/* "what: sentence" */
static int fail_at(struct pl_call *call, const char *what, int rc)
{
    struct pl_reason said = call->op->reply.why;

    if (what == NULL)
        return rc;
    return pl_reason_set(&call->op->reply.why, rc, "%s: %s", what, pl_reason_text(&said, rc));
}

int pl_call_value(lua_State *L, int index, struct pl_call *call, const char *what, struct pl_value *out)
{
    struct pl_builder b;
    struct pl_value value;
    struct pl_bytes copy;
    int rc;

    pl_buf_clear(call->rows); /* free until the call is run */
    pl_builder_init(&b, call->rows, &call->op->arena);
    pl_value_build(L, index, &b);
    rc = pl_builder_finish_value(&b, &value, &call->op->reply.why);
    if (rc != 0)
        return fail_at(call, what, rc);
    copy = pl_arena_copy(&call->op->arena, value.whole);
    pl_buf_clear(call->rows);
    if (copy.data == NULL)
        return PL_ENOMEM;
    *out = (struct pl_value){ .type = value.type,
                              .whole = copy,
                              .payload = { .data = copy.data + (copy.len - value.payload.len),
                                           .len = value.payload.len } };
    return 0;
}
