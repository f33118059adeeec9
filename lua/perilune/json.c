/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "model/json.h"
#include "script/bind_number.h"
#include "script/bind_value.h"

#include <lauxlib.h>

static void must(lua_State *L, int rc, const struct pl_reason *why)
{
    if (rc != 0)
        luaL_error(L, "%s", pl_reason_text(why, rc));
}

static void push_value(lua_State *L, struct pl_json_reader *r);

static void push_object(lua_State *L, struct pl_json_reader *r)
{
    struct pl_reason why = { 0 };
    struct pl_bytes name;
    bool more;

    lua_newtable(L);
    must(L, pl_json_enter_object(r, &more, &why), &why);
    while (more) {
        must(L, pl_json_take_name(r, &name, &why), &why);
        lua_pushlstring(L, name.data, name.len);
        push_value(L, r);
        lua_rawset(L, -3);
        must(L, pl_json_next(r, '}', &more, &why), &why);
    }
}

static void push_array(lua_State *L, struct pl_json_reader *r)
{
    struct pl_reason why = { 0 };
    bool more;

    lua_newtable(L);
    must(L, pl_json_enter_array(r, &more, &why), &why);
    for (lua_Integer i = 1; more; i++) {
        push_value(L, r);
        lua_rawseti(L, -2, i);
        must(L, pl_json_next(r, ']', &more, &why), &why);
    }
}

static void push_string(lua_State *L, struct pl_json_reader *r)
{
    struct pl_reason why = { 0 };
    struct pl_bytes text;

    must(L, pl_json_take_string(r, &text, &why), &why);
    lua_pushlstring(L, text.data, text.len);
}

static void push_number(lua_State *L, struct pl_json_reader *r)
{
    struct pl_reason why = { 0 };
    struct pl_number number;
    struct pl_bytes text;

    must(L, pl_json_take_number_text(r, &text, &why), &why);
    must(L, pl_number_parse(text, &number, &why), &why);
    pl_number_push(L, &number);
}

static void push_literal(lua_State *L, struct pl_json_reader *r, enum pl_json_kind kind)
{
    struct pl_reason why = { 0 };

    must(L, pl_json_take_literal(r, &why), &why);
    if (kind == PL_JSON_NULL)
        pl_null_push(L);
    else
        lua_pushboolean(L, kind == PL_JSON_TRUE);
}

static void push_value(lua_State *L, struct pl_json_reader *r)
{
    enum pl_json_kind kind = pl_json_peek(r);

    luaL_checkstack(L, 8, "the JSON nests too deep");
    switch (kind) {
    case PL_JSON_OBJECT:
        push_object(L, r);
        break;
    case PL_JSON_ARRAY:
        push_array(L, r);
        break;
    case PL_JSON_STRING:
        push_string(L, r);
        break;
    case PL_JSON_NUMBER:
        push_number(L, r);
        break;
    default:
        push_literal(L, r, kind);
        break;
    }
}

int pl_json_push(lua_State *L, struct pl_bytes text, struct pl_arena *arena)
{
    struct pl_json_reader r;

    pl_json_reader_init(&r, text, arena);
    push_value(L, &r);
    return 1;
}
