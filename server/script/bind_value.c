/* SPDX-License-Identifier: MIT */
#include "script/bind_value.h"

#include "script/bind_item.h"
#include "script/bind_number.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <stdio.h>

#define BINARY_TYPE "perilune.binary"

enum {
    ELEMENT_STEP_BYTES = 64, /* what looking at one element of a set is charged as */
    NAME_SHOWN_MAX = 64,
    BUILD_BYTES_MAX = 1 << 20, /* well above an item's 400 KB: the exact rule is the write's business */
};

/* Metatables that tell what a table would be stored as, in the registry under these addresses. */
static const char list_mark, map_mark, set_mark;

/* perilune.null is the address of this. */
static char null_mark;

/* null */

void pl_null_push(lua_State *L)
{
    lua_pushlightuserdata(L, &null_mark);
}

static bool is_null(lua_State *L, int index)
{
    return lua_touserdata(L, index) == &null_mark;
}

/* binary: a userdata that holds a string, so that it is told apart from one */

static void wrap_binary(lua_State *L)
{
    lua_newuserdatauv(L, 0, 1);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, BINARY_TYPE);
}

void pl_binary_push(lua_State *L, struct pl_bytes bytes)
{
    lua_pushlstring(L, bytes.len == 0 ? "" : bytes.data, bytes.len);
    wrap_binary(L);
}

bool pl_binary_is(lua_State *L, int index, struct pl_bytes *out)
{
    if (lua_type(L, index) != LUA_TUSERDATA || luaL_testudata(L, index, BINARY_TYPE) == NULL)
        return false;
    lua_getiuservalue(L, index, 1);
    out->data = lua_tolstring(L, -1, &out->len);
    lua_pop(L, 1); /* the userdata goes on holding it */
    return out->data != NULL;
}

static int new_binary(lua_State *L)
{
    struct pl_bytes bytes;

    if (pl_binary_is(L, 1, &bytes)) {
        lua_settop(L, 1);
        return 1;
    }
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    wrap_binary(L);
    return 1;
}

static struct pl_bytes check_binary(lua_State *L, int arg)
{
    struct pl_bytes bytes;

    if (!pl_binary_is(L, arg, &bytes))
        luaL_typeerror(L, arg, BINARY_TYPE);
    return bytes;
}

static int binary_tostring(lua_State *L)
{
    check_binary(L, 1);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int binary_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_binary(L, 1).len);
    return 1;
}

static int binary_eq(lua_State *L)
{
    struct pl_bytes a, b;
    bool both = pl_binary_is(L, 1, &a) && pl_binary_is(L, 2, &b);

    if (both)
        pl_sandbox_charge(L, a.len);
    lua_pushboolean(L, both && pl_bytes_equal(a, b));
    return 1;
}

static int binary_lt(lua_State *L)
{
    lua_pushboolean(L, pl_bytes_compare(check_binary(L, 1), check_binary(L, 2)) < 0);
    return 1;
}

static int binary_le(lua_State *L)
{
    lua_pushboolean(L, pl_bytes_compare(check_binary(L, 1), check_binary(L, 2)) <= 0);
    return 1;
}

/* lists, maps and sets that scripts make: tables with a mark */

static bool has_mark(lua_State *L, int index, const char *mark)
{
    bool same;

    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, mark);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void set_mark_of(lua_State *L, int index, const char *mark)
{
    int at = lua_absindex(L, index);

    lua_rawgetp(L, LUA_REGISTRYINDEX, mark);
    lua_setmetatable(L, at);
}

static void push_copy(lua_State *L, struct pl_loan *loan, struct pl_value value);

static void push_map_copy(lua_State *L, struct pl_loan *loan, struct pl_bytes rest)
{
    struct pl_value value;
    struct pl_bytes name;

    lua_newtable(L);
    while (pl_entry_take(&rest, &name, &value)) {
        lua_pushlstring(L, name.data, name.len);
        push_copy(L, loan, value);
        lua_rawset(L, -3);
    }
}

static void push_list_copy(lua_State *L, struct pl_loan *loan, struct pl_bytes rest)
{
    struct pl_value value;
    lua_Integer i = 0;

    lua_newtable(L);
    while (pl_value_take(&rest, &value)) {
        push_copy(L, loan, value);
        lua_rawseti(L, -2, ++i);
    }
    set_mark_of(L, -1, &list_mark);
}

static void push_set_copy(lua_State *L, enum pl_type type, struct pl_bytes rest)
{
    struct pl_bytes element;
    lua_Integer i = 0;

    lua_newtable(L);
    while (pl_element_take(&rest, &element)) {
        pl_element_push(L, type, element);
        lua_rawseti(L, -2, ++i);
    }
    set_mark_of(L, -1, &set_mark);
}

/* As deep as items nest, which is checked when they are made. */
static void push_copy(lua_State *L, struct pl_loan *loan, struct pl_value value)
{
    luaL_checkstack(L, 6, "the item nests too deep");
    switch (value.type) {
    case PL_TYPE_M:
        push_map_copy(L, loan, value.payload);
        break;
    case PL_TYPE_L:
        push_list_copy(L, loan, value.payload);
        break;
    case PL_TYPE_SS:
    case PL_TYPE_NS:
    case PL_TYPE_BS:
        push_set_copy(L, value.type, value.payload);
        break;
    default:
        pl_value_push(L, loan, value);
        break;
    }
}

void pl_item_push_copy(lua_State *L, struct pl_item item)
{
    luaL_checkstack(L, 8, "the item nests too deep");
    push_map_copy(L, NULL, item.bytes); /* nothing in a copy is lent */
}

/* Replace the view at `arg`, if there is one, by a table. */
static void unview(lua_State *L, int arg)
{
    const struct pl_view *view = pl_view_test(L, arg);

    if (view == NULL)
        return;
    luaL_argcheck(L, !pl_view_is_over(view), arg, "item used after its function returned");
    pl_sandbox_charge(L, view->value.payload.len);
    push_copy(L, view->loan, view->value);
    lua_replace(L, arg);
}

static int copy(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    unview(L, 1);
    return 1;
}

/* Mark the table given, or a new one; one that has a metatable of another kind stays what it is. */
static int mark_table(lua_State *L, const char *mark)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    unview(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1)) {
        lua_pop(L, 1);
        luaL_argcheck(L, has_mark(L, 1, &list_mark) || has_mark(L, 1, &map_mark), 1,
                      "the table has a metatable already");
    }
    set_mark_of(L, 1, mark);
    return 1;
}

static int new_list(lua_State *L)
{
    return mark_table(L, &list_mark);
}

static int new_map(lua_State *L)
{
    return mark_table(L, &map_mark);
}

static int new_set(lua_State *L)
{
    lua_Integer count;

    lua_settop(L, 1);
    unview(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    count = (lua_Integer)lua_rawlen(L, 1);
    pl_sandbox_charge(L, (size_t)count * ELEMENT_STEP_BYTES);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, 2, i);
    }
    set_mark_of(L, 2, &set_mark);
    return 1;
}

/* The place of the value at 2 in the set at 1, or 0. */
static lua_Integer find_element(lua_State *L)
{
    lua_Integer count;

    luaL_argexpected(L, lua_istable(L, 1) && has_mark(L, 1, &set_mark), 1, "perilune.set");
    luaL_checkany(L, 2);
    count = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
        bool same;

        pl_sandbox_charge(L, ELEMENT_STEP_BYTES);
        lua_rawgeti(L, 1, i);
        same = lua_compare(L, 2, -1, LUA_OPEQ);
        lua_pop(L, 1);
        if (same)
            return i;
    }
    return 0;
}

static int set_has(lua_State *L)
{
    lua_pushboolean(L, find_element(L) != 0);
    return 1;
}

/* True when the set changed. */
static int set_add(lua_State *L)
{
    bool absent = find_element(L) == 0;

    if (absent) {
        lua_pushvalue(L, 2);
        lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
    }
    lua_pushboolean(L, absent);
    return 1;
}

/* A set has no order, so the last element may take the place. */
static int set_remove(lua_State *L)
{
    lua_Integer at = find_element(L), count = (lua_Integer)lua_rawlen(L, 1);

    if (at != 0) {
        lua_rawgeti(L, 1, count);
        lua_rawseti(L, 1, at);
        lua_pushnil(L);
        lua_rawseti(L, 1, count);
    }
    lua_pushboolean(L, at != 0);
    return 1;
}

/* from Lua to values */

/* Where in the item we are, for sentences: a chain on the C stack, innermost first. */
struct place {
    const struct place *outer;
    struct pl_bytes name; /* of an attribute, when index is 0 */
    lua_Integer index;
    int depth;
};

struct build {
    lua_State *L;
    struct pl_builder *b;
    size_t bytes_left;
};

static void describe(const struct place *place, struct pl_buf *out)
{
    if (place == NULL)
        return;
    describe(place->outer, out);
    if (place->index != 0) {
        pl_buf_append_format(out, "[%lld]", (long long)place->index);
    } else if (place->name.data != NULL) {
        size_t len = place->name.len < NAME_SHOWN_MAX ? place->name.len : NAME_SHOWN_MAX;

        if (out->len > 0)
            pl_buf_append_byte(out, '.');
        pl_buf_append(out, place->name.data, len);
    }
}

/* Begin the builder's sentence with the place. Lack of memory shortens the sentence, no more. */
static int fail(struct build *build, const struct place *place, int rc, const char *sentence)
{
    struct pl_reason why = { 0 };
    struct pl_buf path = { 0 };

    describe(place, &path);
    pl_reason_set(&why, rc, "%s", sentence);
    if (path.len > 0 && pl_buf_status(&path) == 0 && path.len < PL_REASON_MAX / 2)
        pl_reason_set(&build->b->why, rc, "%.*s: %s", (int)path.len, path.data, why.text);
    else
        build->b->why = why;
    pl_buf_deinit(&path);
    build->b->rc = rc;
    return rc;
}

/* What the builder thought of the last value. */
static int check(struct build *build, const struct place *place)
{
    struct pl_reason why;

    if (build->b->rc == 0)
        return 0;
    why = build->b->why;
    return fail(build, place, build->b->rc, pl_reason_text(&why, build->b->rc));
}

static int spend(struct build *build, const struct place *place, size_t bytes)
{
    if (bytes >= build->bytes_left)
        return fail(build, place, PL_EINVALID, "the value is far larger than an item's 400 KB");
    build->bytes_left -= bytes + 1;
    return 0;
}

static int build_value(struct build *build, int index, const struct place *place);

static int build_string(struct build *build, int index, const struct place *place)
{
    struct pl_bytes text;
    int rc;

    text.data = lua_tolstring(build->L, index, &text.len);
    rc = spend(build, place, text.len);
    if (rc != 0)
        return rc;
    if (!pl_bytes_is_utf8(text))
        return fail(build, place, PL_EINVALID, "the string is not UTF-8: bytes need perilune.binary()");
    pl_builder_string(build->b, text);
    return check(build, place);
}

static int build_number(struct build *build, int index, const struct place *place)
{
    struct pl_reason why = { 0 };
    struct pl_number number;
    int rc = pl_number_read(build->L, index, &number, &why);

    if (rc != 0)
        return fail(build, place, rc, pl_reason_text(&why, rc));
    pl_builder_number(build->b, &number);
    return check(build, place);
}

static int build_view(struct build *build, const struct pl_view *view, const struct place *place)
{
    struct pl_bytes rest = view->value.payload, name;
    struct pl_value value;
    int rc;

    if (pl_view_is_over(view))
        return fail(build, place, PL_EINVALID, "item used after its function returned");
    rc = spend(build, place, rest.len);
    if (rc != 0)
        return rc;
    if (view->value.whole.len > 0) {
        pl_builder_value(build->b, view->value);
        return check(build, place);
    }
    pl_builder_begin_map(build->b); /* an item inside another: it has no tag of its own */
    while (pl_entry_take(&rest, &name, &value)) {
        pl_builder_name(build->b, name);
        pl_builder_value(build->b, value);
    }
    pl_builder_end(build->b);
    return check(build, place);
}

static int build_userdata(struct build *build, int index, const struct place *place)
{
    const struct pl_view *view = pl_view_test(build->L, index);
    struct pl_bytes bytes;
    int rc;

    if (view != NULL)
        return build_view(build, view, place);
    if (pl_number_is(build->L, index))
        return build_number(build, index, place);
    if (!pl_binary_is(build->L, index, &bytes))
        return fail(build, place, PL_EINVALID, "this userdata cannot be stored");
    rc = spend(build, place, bytes.len);
    if (rc != 0)
        return rc;
    pl_builder_binary(build->b, bytes);
    return check(build, place);
}

/* Every key must be 1..count: anything else in the table would be lost without a word. */
static int check_list_keys(struct build *build, int index, lua_Integer count, const struct place *place)
{
    lua_State *L = build->L;
    lua_Integer seen = 0;
    int rc = 0;

    lua_pushnil(L);
    while (rc == 0 && lua_next(L, index) != 0) {
        lua_pop(L, 1);
        seen++;
        if (lua_type(L, -1) == LUA_TSTRING)
            rc = fail(build, place, PL_EINVALID, "the table has both list elements and names");
        else if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
            rc = fail(build, place, PL_EINVALID, "a list's keys are 1, 2, 3 and so on");
        else if (lua_tointeger(L, -1) > count)
            rc = fail(build, place, PL_EINVALID, "the list has holes: perilune.null stands for nothing");
    }
    if (rc != 0)
        lua_pop(L, 1);
    else if (seen != count)
        rc = fail(build, place, PL_EINVALID, "the list has holes: perilune.null stands for nothing");
    return rc;
}

static int build_list(struct build *build, int index, const struct place *place)
{
    lua_Integer count = (lua_Integer)lua_rawlen(build->L, index);
    int rc = check_list_keys(build, index, count, place);

    if (rc != 0)
        return rc;
    pl_builder_begin_list(build->b);
    rc = check(build, place);
    for (lua_Integer i = 1; rc == 0 && i <= count; i++) {
        struct place inner = { .outer = place, .index = i, .depth = place->depth + 1 };

        lua_rawgeti(build->L, index, i);
        rc = build_value(build, lua_gettop(build->L), &inner);
        lua_pop(build->L, 1);
    }
    if (rc != 0)
        return rc;
    pl_builder_end(build->b);
    return check(build, place);
}

/* The entries of the table at `index` into the map or item that is open. */
static int build_entries(struct build *build, int index, const struct place *place)
{
    lua_State *L = build->L;
    int rc = 0;

    lua_pushnil(L);
    while (rc == 0 && lua_next(L, index) != 0) {
        struct place inner = { .outer = place, .depth = place->depth + 1 };

        if (lua_type(L, -2) != LUA_TSTRING) {
            rc = fail(build, place, PL_EINVALID,
                      "an attribute's name is a string, and the table has another key");
        } else {
            inner.name.data = lua_tolstring(L, -2, &inner.name.len);
            rc = spend(build, place, inner.name.len);
            if (rc == 0 && !pl_bytes_is_utf8(inner.name))
                rc = fail(build, place, PL_EINVALID, "an attribute's name is not UTF-8");
            if (rc == 0) {
                pl_builder_name(build->b, inner.name);
                rc = check(build, &inner);
            }
            if (rc == 0)
                rc = build_value(build, lua_gettop(L), &inner);
        }
        lua_pop(L, 1);
    }
    if (rc != 0)
        lua_pop(L, 1);
    return rc;
}

static int build_map(struct build *build, int index, const struct place *place)
{
    int rc;

    pl_builder_begin_map(build->b);
    rc = check(build, place);
    if (rc == 0)
        rc = build_entries(build, index, place);
    if (rc != 0)
        return rc;
    pl_builder_end(build->b);
    return check(build, place);
}

/* S, N, B for an element that may stand in a set; 0 for others. */
static enum pl_type element_type(lua_State *L, int index)
{
    struct pl_bytes bytes;

    if (lua_type(L, index) == LUA_TSTRING)
        return PL_TYPE_S;
    if (pl_number_is(L, index))
        return PL_TYPE_N;
    return pl_binary_is(L, index, &bytes) ? PL_TYPE_B : 0;
}

static enum pl_type set_of(enum pl_type element)
{
    return element == PL_TYPE_S ? PL_TYPE_SS : element == PL_TYPE_N ? PL_TYPE_NS : PL_TYPE_BS;
}

static int build_element(struct build *build, int index, enum pl_type type, const struct place *place)
{
    struct pl_reason why = { 0 };
    struct pl_number number;
    struct pl_bytes bytes = { 0 };
    int rc = 0;

    if (element_type(build->L, index) != type || type == 0)
        return fail(build, place, PL_EINVALID, "a set holds strings, numbers or binaries, all of one kind");
    if (type == PL_TYPE_N)
        rc = pl_number_read(build->L, index, &number, &why);
    else if (type == PL_TYPE_S)
        bytes.data = lua_tolstring(build->L, index, &bytes.len);
    else
        pl_binary_is(build->L, index, &bytes);
    if (rc != 0)
        return fail(build, place, rc, pl_reason_text(&why, rc));
    rc = spend(build, place, bytes.len);
    if (rc != 0)
        return rc;
    if (type == PL_TYPE_S && !pl_bytes_is_utf8(bytes))
        return fail(build, place, PL_EINVALID, "the string is not UTF-8: bytes need perilune.binary()");
    if (type == PL_TYPE_N)
        pl_builder_set_number(build->b, &number);
    else if (type == PL_TYPE_S)
        pl_builder_set_string(build->b, bytes);
    else
        pl_builder_set_binary(build->b, bytes);
    return check(build, place);
}

static int build_set(struct build *build, int index, const struct place *place)
{
    lua_State *L = build->L;
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    enum pl_type type;
    int rc = check_list_keys(build, index, count, place);

    if (rc != 0)
        return rc;
    if (count == 0)
        return fail(build, place, PL_EINVALID, "a set may not be empty: leave the attribute out");
    lua_rawgeti(L, index, 1);
    type = element_type(L, -1);
    lua_pop(L, 1);
    pl_builder_begin_set(build->b, set_of(type));
    rc = check(build, place);
    for (lua_Integer i = 1; rc == 0 && i <= count; i++) {
        struct place inner = { .outer = place, .index = i };

        lua_rawgeti(L, index, i);
        rc = build_element(build, lua_gettop(L), type, &inner);
        lua_pop(L, 1);
    }
    if (rc != 0)
        return rc;
    pl_builder_end(build->b);
    return check(build, place);
}

/* L, M or a set (as SS): what the marks say, else what the first key says. */
static enum pl_type type_of_table(lua_State *L, int index)
{
    enum pl_type type = PL_TYPE_M;

    if (has_mark(L, index, &set_mark))
        return PL_TYPE_SS;
    if (has_mark(L, index, &list_mark))
        return PL_TYPE_L;
    if (has_mark(L, index, &map_mark))
        return PL_TYPE_M;
    lua_pushnil(L);
    if (lua_next(L, index) == 0)
        return PL_TYPE_M;
    if (lua_type(L, -2) == LUA_TNUMBER)
        type = PL_TYPE_L;
    lua_pop(L, 2);
    return type;
}

static int build_table(struct build *build, int index, const struct place *place)
{
    if (place->depth > PL_NESTING_MAX)
        return fail(build, place->outer == NULL ? NULL : place, PL_EINVALID,
                    "the value nests deeper than 32 levels, or contains itself");
    switch (type_of_table(build->L, index)) {
    case PL_TYPE_L:
        return build_list(build, index, place);
    case PL_TYPE_SS:
        return build_set(build, index, place);
    default:
        return build_map(build, index, place);
    }
}

static int build_value(struct build *build, int index, const struct place *place)
{
    char sentence[64];
    int rc = spend(build, place, 0);

    if (rc != 0)
        return rc;
    if (!lua_checkstack(build->L, 8))
        return fail(build, place, PL_ENOMEM, pl_error_sentence(PL_ENOMEM));
    switch (lua_type(build->L, index)) {
    case LUA_TSTRING:
        return build_string(build, index, place);
    case LUA_TNUMBER:
        return build_number(build, index, place);
    case LUA_TBOOLEAN:
        pl_builder_bool(build->b, lua_toboolean(build->L, index));
        return check(build, place);
    case LUA_TTABLE:
        return build_table(build, index, place);
    case LUA_TUSERDATA:
        return build_userdata(build, index, place);
    case LUA_TLIGHTUSERDATA:
        if (is_null(build->L, index)) {
            pl_builder_null(build->b);
            return check(build, place);
        }
        break;
    default:
        break;
    }
    snprintf(sentence, sizeof sentence, "a %s cannot be stored", luaL_typename(build->L, index));
    return fail(build, place, PL_EINVALID, sentence);
}

void pl_value_build(lua_State *L, int index, struct pl_builder *b)
{
    struct build build = { .L = L, .b = b, .bytes_left = BUILD_BYTES_MAX };
    struct place top = { .depth = 1 };

    if (b->rc == 0)
        build_value(&build, lua_absindex(L, index), &top);
}

void pl_item_build(lua_State *L, int index, struct pl_builder *b)
{
    struct build build = { .L = L, .b = b, .bytes_left = BUILD_BYTES_MAX };
    struct place top = { .depth = 0 };
    const struct pl_view *view = pl_view_test(L, index);
    struct pl_bytes rest, name;
    struct pl_value value;

    index = lua_absindex(L, index);
    if (b->rc != 0)
        return;
    if (view != NULL && view->value.type == PL_TYPE_M && !pl_view_is_over(view)) {
        rest = view->value.payload;
        pl_builder_begin_item(b);
        while (pl_entry_take(&rest, &name, &value)) {
            pl_builder_name(b, name);
            pl_builder_value(b, value);
        }
        pl_builder_end(b);
        return;
    }
    if (view != NULL && pl_view_is_over(view)) {
        fail(&build, &top, PL_EINVALID, "item used after its function returned");
        return;
    }
    if (!lua_istable(L, index) || has_mark(L, index, &list_mark) || has_mark(L, index, &set_mark)) {
        fail(&build, &top, PL_EINVALID, "an item is a table of names and values");
        return;
    }
    if (!lua_checkstack(L, 8)) {
        fail(&build, &top, PL_ENOMEM, pl_error_sentence(PL_ENOMEM));
        return;
    }
    pl_builder_begin_item(b);
    if (build_entries(&build, index, &top) == 0)
        pl_builder_end(b);
}

/* What a value would be stored as, by its look; nil for what cannot be stored. */
static int type_name(lua_State *L)
{
    const struct pl_view *view = pl_view_test(L, 1);
    enum pl_type type = 0;

    luaL_checkany(L, 1);
    if (view != NULL)
        type = view->value.type;
    else if (lua_isboolean(L, 1))
        type = PL_TYPE_BOOL;
    else if (is_null(L, 1))
        type = PL_TYPE_NULL;
    else if (lua_istable(L, 1))
        type = type_of_table(L, 1);
    else
        type = element_type(L, 1);
    if (type == PL_TYPE_SS && lua_istable(L, 1)) {
        lua_rawgeti(L, 1, 1);
        type = element_type(L, -1) == 0 ? 0 : set_of(element_type(L, -1));
    }
    if (type == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, pl_type_name(type));
    return 1;
}

static const luaL_Reg binary_methods[] = {
    { "__tostring", binary_tostring },
    { "__len", binary_len },
    { "__eq", binary_eq },
    { "__lt", binary_lt },
    { "__le", binary_le },
    { NULL, NULL },
};

static const luaL_Reg set_methods[] = {
    { "has", set_has },
    { "add", set_add },
    { "remove", set_remove },
    { NULL, NULL },
};

static const luaL_Reg functions[] = {
    { "binary", new_binary }, { "list", new_list },  { "map", new_map }, { "set", new_set },
    { "copy", copy },         { "type", type_name }, { NULL, NULL },
};

static void add_mark(lua_State *L, const char *mark, const luaL_Reg *methods)
{
    lua_newtable(L);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (methods != NULL) {
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, mark);
}

void pl_bind_value_open(lua_State *L)
{
    luaL_newmetatable(L, BINARY_TYPE);
    luaL_setfuncs(L, binary_methods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    add_mark(L, &list_mark, NULL);
    add_mark(L, &map_mark, NULL);
    add_mark(L, &set_mark, set_methods);
    luaL_setfuncs(L, functions, 0);
    pl_null_push(L);
    lua_setfield(L, -2, "null");
}
