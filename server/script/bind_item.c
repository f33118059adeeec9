/* SPDX-License-Identifier: MIT */
#include "script/bind_item.h"

#include "script/bind_number.h"
#include "script/bind_value.h"
#include "script/sandbox.h"

#include <lauxlib.h>

/*
 * One kind of userdata for each type, all with a struct pl_view inside: what a view
 * is can be told from the view itself, and each kind answers to its own operators.
 */
#define MAP_TYPE  "perilune.item"
#define LIST_TYPE "perilune.list view"
#define SET_TYPE  "perilune.set view"

enum { SEARCH_DIVISOR = 4 }; /* stepping over bytes is cheaper than moving them */

static const char *type_of_view(enum pl_type type)
{
    switch (type) {
    case PL_TYPE_M:
        return MAP_TYPE;
    case PL_TYPE_L:
        return LIST_TYPE;
    default:
        return SET_TYPE;
    }
}

static void push_view(lua_State *L, struct pl_loan *loan, struct pl_value value, uint32_t size_bytes)
{
    struct pl_view *view = lua_newuserdatauv(L, sizeof *view, value.type == PL_TYPE_L ? 1 : 0);

    *view = (struct pl_view){ .loan = loan, .call = loan->call, .value = value, .size_bytes = size_bytes };
    luaL_setmetatable(L, type_of_view(value.type));
}

void pl_item_push(lua_State *L, struct pl_loan *loan, const struct pl_item *item)
{
    push_view(L, loan, (struct pl_value){ .type = PL_TYPE_M, .payload = item->bytes }, item->size_bytes);
}

void pl_value_push(lua_State *L, struct pl_loan *loan, struct pl_value value)
{
    struct pl_number number;

    switch (value.type) {
    case PL_TYPE_S:
        lua_pushlstring(L, value.payload.data, value.payload.len);
        break;
    case PL_TYPE_N:
        pl_value_number(value, &number);
        pl_number_push(L, &number);
        break;
    case PL_TYPE_B:
        pl_binary_push(L, value.payload);
        break;
    case PL_TYPE_BOOL:
        lua_pushboolean(L, pl_value_bool(value));
        break;
    case PL_TYPE_NULL:
        pl_null_push(L);
        break;
    default:
        push_view(L, loan, value, 0);
        break;
    }
}

struct pl_view *pl_view_test(lua_State *L, int index)
{
    struct pl_view *view;

    if (lua_type(L, index) != LUA_TUSERDATA)
        return NULL;
    view = luaL_testudata(L, index, MAP_TYPE);
    if (view == NULL)
        view = luaL_testudata(L, index, LIST_TYPE);
    if (view == NULL)
        view = luaL_testudata(L, index, SET_TYPE);
    return view;
}

bool pl_view_is_over(const struct pl_view *view)
{
    return view->call != view->loan->call;
}

static struct pl_view *check_view(lua_State *L, int arg, const char *type)
{
    struct pl_view *view = luaL_checkudata(L, arg, type);

    luaL_argcheck(L, !pl_view_is_over(view), arg, "item used after its function returned");
    return view;
}

/* item.name in Lua: the attribute's value, or nil when there is none. */
static int map_index(lua_State *L)
{
    struct pl_view *view = check_view(L, 1, MAP_TYPE);
    struct pl_value value;
    struct pl_bytes name;

    if (lua_type(L, 2) != LUA_TSTRING) {
        lua_pushnil(L);
        return 1;
    }
    name.data = lua_tolstring(L, 2, &name.len);
    pl_sandbox_charge(L, view->value.payload.len / SEARCH_DIVISOR);
    if (pl_map_find(view->value.payload, name, &value))
        pl_value_push(L, view->loan, value);
    else
        lua_pushnil(L);
    return 1;
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "an item is read-only: change a copy of it, perilune.copy(item)");
}

/* The bytes of a view from `offset` on. */
static struct pl_bytes rest_of(const struct pl_view *view, lua_Integer offset)
{
    struct pl_bytes payload = view->value.payload;

    return offset == 0 ? payload : pl_bytes(payload.data + offset, payload.len - (size_t)offset);
}

/* Upvalues: the view, and the offset of the next entry. */
static int map_next(lua_State *L)
{
    struct pl_view *view = check_view(L, lua_upvalueindex(1), MAP_TYPE);
    struct pl_bytes rest = rest_of(view, lua_tointeger(L, lua_upvalueindex(2)));
    struct pl_value value;
    struct pl_bytes name;

    if (!pl_entry_take(&rest, &name, &value))
        return 0;
    lua_pushinteger(L, rest.data - view->value.payload.data);
    lua_replace(L, lua_upvalueindex(2));
    lua_pushlstring(L, name.data, name.len);
    pl_value_push(L, view->loan, value);
    return 2;
}

static int map_pairs(lua_State *L)
{
    check_view(L, 1, MAP_TYPE);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, map_next, 2);
    return 1;
}

static int map_len(lua_State *L)
{
    struct pl_view *view = check_view(L, 1, MAP_TYPE);

    pl_sandbox_charge(L, view->value.payload.len / SEARCH_DIVISOR);
    lua_pushinteger(L, pl_value_count(view->value));
    return 1;
}

static uint32_t count_of(lua_State *L, struct pl_view *view)
{
    if (!view->counted) {
        pl_sandbox_charge(L, view->value.payload.len / SEARCH_DIVISOR);
        view->count = pl_value_count(view->value);
        view->counted = true;
    }
    return view->count;
}

/*
 * Where each element begins, found out once for a list and kept beside it, so that
 * a walk in any order costs the same for each step. Lua owns the table.
 */
static const uint32_t *offsets_of(lua_State *L, int arg, struct pl_view *view)
{
    struct pl_bytes rest = view->value.payload;
    uint32_t count = count_of(L, view);
    struct pl_value value;
    uint32_t *offsets;

    if (lua_getiuservalue(L, arg, 1) == LUA_TUSERDATA) {
        offsets = lua_touserdata(L, -1);
        lua_pop(L, 1);
        return offsets;
    }
    lua_pop(L, 1);
    pl_sandbox_charge(L, view->value.payload.len / SEARCH_DIVISOR);
    offsets = lua_newuserdatauv(L, sizeof *offsets * count, 0);
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = (uint32_t)(rest.data - view->value.payload.data);
        PL_ASSERT(pl_value_take(&rest, &value));
    }
    lua_setiuservalue(L, arg, 1);
    return offsets;
}

static int list_index(lua_State *L)
{
    struct pl_view *view = check_view(L, 1, LIST_TYPE);
    lua_Integer i = lua_isinteger(L, 2) ? lua_tointeger(L, 2) : 0;
    struct pl_value value;
    struct pl_bytes rest;

    if (i < 1 || i > count_of(L, view)) {
        lua_pushnil(L);
        return 1;
    }
    rest = rest_of(view, offsets_of(L, 1, view)[i - 1]);
    PL_ASSERT(pl_value_take(&rest, &value));
    pl_value_push(L, view->loan, value);
    return 1;
}

static int list_len(lua_State *L)
{
    lua_pushinteger(L, count_of(L, check_view(L, 1, LIST_TYPE)));
    return 1;
}

/* An iterator over the elements. Upvalues: the view, the offset of the next element, and its place. */
static int walk(lua_State *L, const char *type, lua_CFunction next)
{
    check_view(L, 1, type);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, 1);
    lua_pushcclosure(L, next, 3);
    return 1;
}

/* An element was taken, and `rest` is left: its place is pushed, and the iterator moves on. */
static void step_to(lua_State *L, const struct pl_view *view, struct pl_bytes rest)
{
    lua_Integer place = lua_tointeger(L, lua_upvalueindex(3));

    lua_pushinteger(L, rest.data - view->value.payload.data);
    lua_replace(L, lua_upvalueindex(2));
    lua_pushinteger(L, place + 1);
    lua_replace(L, lua_upvalueindex(3));
    lua_pushinteger(L, place);
}

static int list_next(lua_State *L)
{
    struct pl_view *view = check_view(L, lua_upvalueindex(1), LIST_TYPE);
    struct pl_bytes rest = rest_of(view, lua_tointeger(L, lua_upvalueindex(2)));
    struct pl_value value;

    if (!pl_value_take(&rest, &value))
        return 0;
    step_to(L, view, rest);
    pl_value_push(L, view->loan, value);
    return 2;
}

static int list_pairs(lua_State *L)
{
    return walk(L, LIST_TYPE, list_next);
}

void pl_element_push(lua_State *L, enum pl_type type, struct pl_bytes element)
{
    struct pl_number number;

    switch (type) {
    case PL_TYPE_SS:
        lua_pushlstring(L, element.data, element.len);
        break;
    case PL_TYPE_NS:
        PL_ASSERT(pl_number_decode(element, &number) == 0);
        pl_number_push(L, &number);
        break;
    default:
        pl_binary_push(L, element);
        break;
    }
}

static int set_len(lua_State *L)
{
    lua_pushinteger(L, count_of(L, check_view(L, 1, SET_TYPE)));
    return 1;
}

static int set_next(lua_State *L)
{
    struct pl_view *view = check_view(L, lua_upvalueindex(1), SET_TYPE);
    struct pl_bytes rest = rest_of(view, lua_tointeger(L, lua_upvalueindex(2))), element;

    if (!pl_element_take(&rest, &element))
        return 0;
    step_to(L, view, rest);
    pl_element_push(L, view->value.type, element);
    return 2;
}

static int set_pairs(lua_State *L)
{
    return walk(L, SET_TYPE, set_next);
}

/* Another type than the set's own is no element: false, not an error. */
static int set_has(lua_State *L)
{
    struct pl_view *view = check_view(L, 1, SET_TYPE);
    uint8_t encoded[PL_NUMBER_ENCODED_MAX];
    struct pl_bytes element = { 0 };
    struct pl_number number;
    bool fits = false;

    luaL_checkany(L, 2);
    pl_sandbox_charge(L, view->value.payload.len / SEARCH_DIVISOR);
    if (view->value.type == PL_TYPE_SS && lua_type(L, 2) == LUA_TSTRING) {
        element.data = lua_tolstring(L, 2, &element.len);
        fits = true;
    } else if (view->value.type == PL_TYPE_BS && pl_binary_is(L, 2, &element)) {
        fits = true;
    } else if (view->value.type == PL_TYPE_NS && pl_number_is(L, 2) &&
               pl_number_read(L, 2, &number, NULL) == 0) {
        element = pl_bytes(encoded, pl_number_encode(&number, encoded));
        fits = true;
    }
    lua_pushboolean(L, fits && pl_set_contains(view->value.payload, element));
    return 1;
}

static int set_index(lua_State *L)
{
    struct pl_view *view = check_view(L, 1, SET_TYPE);
    struct pl_bytes rest = view->value.payload, element;

    if (lua_isinteger(L, 2)) {
        lua_Integer i = lua_tointeger(L, 2);

        pl_sandbox_charge(L, rest.len / SEARCH_DIVISOR);
        while (i >= 1 && pl_element_take(&rest, &element))
            if (i-- == 1) {
                pl_element_push(L, view->value.type, element);
                return 1;
            }
        lua_pushnil(L);
        return 1;
    }
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "has") == 0)
        lua_pushcfunction(L, set_has);
    else
        lua_pushnil(L);
    return 1;
}

/* Lua asks only two userdata, and they may be of different kinds. */
static int view_eq(lua_State *L)
{
    const struct pl_view *a = pl_view_test(L, 1), *b = pl_view_test(L, 2);

    if (a == NULL || b == NULL) {
        lua_pushboolean(L, 0);
        return 1;
    }
    luaL_argcheck(L, !pl_view_is_over(a), 1, "item used after its function returned");
    luaL_argcheck(L, !pl_view_is_over(b), 2, "item used after its function returned");
    pl_sandbox_charge(L, a->value.payload.len);
    lua_pushboolean(L, a->value.type == b->value.type && pl_bytes_equal(a->value.payload, b->value.payload));
    return 1;
}

static const luaL_Reg map_methods[] = {
    { "__index", map_index }, { "__newindex", refuse_write },
    { "__pairs", map_pairs }, { "__len", map_len },
    { "__eq", view_eq },      { NULL, NULL },
};

static const luaL_Reg list_methods[] = {
    { "__index", list_index }, { "__newindex", refuse_write },
    { "__pairs", list_pairs }, { "__len", list_len },
    { "__eq", view_eq },       { NULL, NULL },
};

static const luaL_Reg set_methods[] = {
    { "__index", set_index }, { "__newindex", refuse_write },
    { "__pairs", set_pairs }, { "__len", set_len },
    { "__eq", view_eq },      { NULL, NULL },
};

static void add_type(lua_State *L, const char *type, const luaL_Reg *methods)
{
    luaL_newmetatable(L, type);
    luaL_setfuncs(L, methods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void pl_bind_item_open(lua_State *L)
{
    add_type(L, MAP_TYPE, map_methods);
    add_type(L, LIST_TYPE, list_methods);
    add_type(L, SET_TYPE, set_methods);
}
