/* SPDX-License-Identifier: MIT */
#include "script/call_keys.h"

#include "script/call.h"
#include "script/call_options.h"

#include <lauxlib.h>
#include <stdio.h>

#define RANGE_TYPE "perilune.range"

/* How a range is written, with %s for the attribute and its values. */
struct form {
    const char *name;
    const char *before;  /* in front of the attribute */
    const char *between; /* attribute and first value */
    const char *then;    /* first value and second; NULL: there is none */
    const char *after;
};

static const struct form equal = { "eq", "", " = ", NULL, "" };

static const struct form forms[] = {
    { "lt", "", " < ", NULL, "" },
    { "le", "", " <= ", NULL, "" },
    { "gt", "", " > ", NULL, "" },
    { "ge", "", " >= ", NULL, "" },
    { "between", "", " BETWEEN ", " AND ", "" },
    { "begins_with", "begins_with(", ", ", NULL, ")" },
};

enum { FORM_COUNT = sizeof forms / sizeof forms[0], PLACEHOLDER_MAX = 48 };

/* ---- ranges ----------------------------------------------------------------------------------------- */

/* A box with its form inside and its values beside it. */
static int new_range(lua_State *L)
{
    const struct form *form = lua_touserdata(L, lua_upvalueindex(1));
    int count = form->then != NULL ? 2 : 1;
    const struct form **box;

    for (int i = 1; i <= count; i++)
        luaL_checkany(L, i);
    lua_settop(L, count);
    box = lua_newuserdatauv(L, sizeof *box, count);
    *box = form;
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, i);
        lua_setiuservalue(L, -2, i);
    }
    luaL_setmetatable(L, RANGE_TYPE);
    return 1;
}

static int describe_range(lua_State *L)
{
    const struct form *const *box = luaL_checkudata(L, 1, RANGE_TYPE);

    lua_pushfstring(L, "perilune.%s", (*box)->name);
    return 1;
}

void pl_key_condition_register(lua_State *L)
{
    luaL_newmetatable(L, RANGE_TYPE);
    lua_pushcfunction(L, describe_range);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    for (int i = 0; i < FORM_COUNT; i++) {
        lua_pushlightuserdata(L, (void *)&forms[i]);
        lua_pushcclosure(L, new_range, 1);
        lua_setfield(L, -2, forms[i].name);
    }
}

/* ---- from table to expression ----------------------------------------------------------------------- */

struct writer {
    struct pl_call *call;
    struct pl_buf *text; /* the operation's: nothing else of a query grows there */
    int count;           /* placeholders so far */
};

/* A placeholder's name, appended to the text. */
static int write_placeholder(struct writer *w, char sign, struct pl_bytes *out)
{
    char name[PLACEHOLDER_MAX];
    int len = snprintf(name, sizeof name, "%cperilune_key_%d", sign, ++w->count);

    *out = pl_arena_copy(&w->call->op->arena, pl_bytes(name, (size_t)len));
    if (out->data == NULL)
        return PL_ENOMEM;
    pl_buf_append_bytes(w->text, *out);
    return 0;
}

static int write_attribute(lua_State *L, int key, struct writer *w)
{
    struct pl_bytes placeholder, attribute;
    int rc = pl_call_text(L, key, w->call, "key attribute's name", &attribute);

    if (rc == 0)
        rc = write_placeholder(w, '#', &placeholder);
    return rc != 0 ? rc : pl_options_add_name(w->call, placeholder, attribute);
}

static int write_value(lua_State *L, int index, const char *attribute, struct writer *w)
{
    struct pl_bytes placeholder;
    struct pl_value value;
    int rc = pl_call_value(L, index, w->call, attribute, &value);

    if (rc == 0)
        rc = write_placeholder(w, ':', &placeholder);
    return rc != 0 ? rc : pl_options_add_value(w->call, placeholder, value);
}

/* The key is at top - 1, what it is compared with at top. */
static int write_condition(lua_State *L, struct writer *w)
{
    const char *attribute = lua_tostring(L, -2);
    const struct form *form = &equal, *const *box = luaL_testudata(L, -1, RANGE_TYPE);
    int top = lua_gettop(L), rc;

    if (box != NULL) {
        form = *box;
        lua_getiuservalue(L, top, 1);
        lua_getiuservalue(L, top, 2);
    } else {
        lua_pushvalue(L, top);
        lua_pushnil(L);
    }
    pl_buf_append_bytes(w->text, pl_str(form->before));
    rc = write_attribute(L, top - 1, w);
    pl_buf_append_bytes(w->text, pl_str(form->between));
    if (rc == 0)
        rc = write_value(L, top + 1, attribute, w);
    if (rc == 0 && form->then != NULL) {
        pl_buf_append_bytes(w->text, pl_str(form->then));
        rc = write_value(L, top + 2, attribute, w);
    }
    pl_buf_append_bytes(w->text, pl_str(form->after));
    lua_settop(L, top);
    return rc;
}

static int write_conditions(lua_State *L, int index, struct writer *w)
{
    int rc = 0, top = lua_gettop(L);

    luaL_checkstack(L, 8, NULL);
    for (lua_pushnil(L); rc == 0 && lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return luaL_argerror(L, index, "expected key attributes' names as keys");
        if (w->text->len > 0)
            pl_buf_append_bytes(w->text, pl_str(" AND "));
        rc = write_condition(L, w);
    }
    lua_settop(L, top);
    return rc != 0 ? rc : pl_buf_status(w->text);
}

static bool is_where(lua_State *L, int index)
{
    int field = lua_getfield(L, index, "where");
    bool alone;

    lua_pop(L, 1);
    if (field != LUA_TSTRING)
        return false;
    lua_pushnil(L);
    lua_next(L, index);
    lua_pop(L, 1);
    alone = lua_next(L, index) == 0;
    if (!alone)
        lua_pop(L, 2);
    return alone;
}

int pl_key_condition_take(lua_State *L, int index, struct pl_call *call)
{
    struct writer w = { .call = call, .text = &call->op->bytes };
    struct pl_bytes *out = &call->op->key_condition_text;
    int rc;

    if (lua_type(L, index) == LUA_TSTRING)
        return pl_call_text(L, index, call, "key condition", out);
    luaL_argexpected(L, lua_istable(L, index), index, "table or string");
    if (is_where(L, index)) {
        lua_getfield(L, index, "where");
        rc = pl_call_text(L, -1, call, "key condition", out);
        lua_pop(L, 1);
        return rc;
    }
    rc = write_conditions(L, index, &w);
    if (rc != 0 || w.text->len == 0)
        return rc; /* an empty table gives no condition, which is not an empty one */
    *out = pl_arena_copy(&call->op->arena, pl_buf_view(w.text));
    pl_buf_clear(w.text);
    return out->data == NULL ? PL_ENOMEM : 0;
}
