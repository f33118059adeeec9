/* SPDX-License-Identifier: MIT */
#include "script/call_options.h"

#include "script/call.h"

#include <lauxlib.h>
#include <stdio.h>

enum { SEGMENTS_MAX = 1000000 };

/* ---- placeholders ----------------------------------------------------------------------------------- */

/* One more at the end. The lists are short, so each one that fills is copied to twice the room. */
static struct pl_expr_placeholder *append(struct pl_arena *arena, struct pl_expr_placeholder **list,
                                          uint32_t *count)
{
    uint32_t n = *count;

    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        struct pl_expr_placeholder *larger =
            pl_arena_zalloc(arena, n < 8 ? 8 : (size_t)n * 2, sizeof *larger);

        if (larger == NULL)
            return NULL;
        if (n > 0)
            memcpy(larger, *list, n * sizeof *larger);
        *list = larger;
    }
    return &(*list)[(*count)++];
}

int pl_options_add_name(struct pl_call *call, struct pl_bytes name, struct pl_bytes attribute)
{
    struct pl_expr_params *params = &call->op->params;
    struct pl_expr_placeholder *at = append(&call->op->arena, &params->names, &params->name_count);

    if (at == NULL)
        return PL_ENOMEM;
    at->name = name;
    at->attribute = attribute;
    return 0;
}

int pl_options_add_value(struct pl_call *call, struct pl_bytes name, struct pl_value value)
{
    struct pl_expr_params *params = &call->op->params;
    struct pl_expr_placeholder *at = append(&call->op->arena, &params->values, &params->value_count);

    if (at == NULL)
        return PL_ENOMEM;
    at->name = name;
    at->value = value;
    return 0;
}

/* The key at `index`, with its sign before it when it has none. */
static int take_placeholder(lua_State *L, int index, struct pl_call *call, char sign, const char *list,
                            struct pl_bytes *out)
{
    struct pl_bytes given;
    char *text;

    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s: expected strings as keys, got a %s", sign == '#' ? "names" : "values",
                   luaL_typename(L, index));
    given.data = lua_tolstring(L, index, &given.len);
    text = pl_arena_alloc(&call->op->arena, given.len + 1);
    if (text == NULL)
        return PL_ENOMEM;
    text[0] = sign;
    if (given.len > 0 && given.data[0] == sign)
        given = pl_bytes(given.data + 1, given.len - 1);
    memcpy(text + 1, given.data, given.len);
    *out = pl_bytes(text, given.len + 1);
    /* Whether it is a placeholder is said where all ways in meet, which can quote it: UTF-8 alone. */
    if (!pl_bytes_is_utf8(*out))
        return pl_reason_set(&call->op->reply.why, PL_EINVALID,
                             "%s contains invalid key: Syntax error; key: \"%c\"", list, sign);
    return 0;
}

static bool is_given(const struct pl_expr_placeholder *list, uint32_t count, struct pl_bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (pl_bytes_equal(list[i].name, name))
            return true;
    return false;
}

static int add_given_name(lua_State *L, struct pl_call *call, struct pl_bytes name)
{
    struct pl_bytes attribute;
    int rc;

    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "names: expected attributes' names as strings, got a %s", luaL_typename(L, -1));
    rc = pl_call_text(L, -1, call, "attribute's name in names", &attribute);
    return rc != 0 ? rc : pl_options_add_name(call, name, attribute);
}

static int add_given_value(lua_State *L, struct pl_call *call, struct pl_bytes name)
{
    struct pl_reason said;
    struct pl_value value;
    int rc = pl_call_value(L, lua_gettop(L), call, NULL, &value);

    if (rc == 0)
        return pl_options_add_value(call, name, value);
    said = call->op->reply.why;
    return pl_reason_set(&call->op->reply.why, rc,
                         "ExpressionAttributeValues contains invalid value: %s for key %.*s",
                         pl_reason_text(&said, rc), (int)name.len, name.data);
}

static int read_placeholders(lua_State *L, struct pl_call *call, char sign)
{
    const char *list = sign == '#' ? "ExpressionAttributeNames" : "ExpressionAttributeValues";
    struct pl_expr_params *params = &call->op->params;
    struct pl_bytes name;
    bool any = false;
    int rc = 0, top = lua_gettop(L);

    if (!lua_istable(L, top))
        luaL_error(L, "%s: expected a table, got a %s", sign == '#' ? "names" : "values",
                   luaL_typename(L, top));
    for (lua_pushnil(L); rc == 0 && lua_next(L, top) != 0; lua_pop(L, 1)) {
        any = true;
        rc = take_placeholder(L, -2, call, sign, list, &name);
        if (rc == 0 && is_given(sign == '#' ? params->names : params->values,
                                sign == '#' ? params->name_count : params->value_count, name))
            luaL_error(L, "%s: '%s' is given with and without its sign", sign == '#' ? "names" : "values",
                       lua_tostring(L, -2));
        if (rc == 0)
            rc = sign == '#' ? add_given_name(L, call, name) : add_given_value(L, call, name);
    }
    lua_settop(L, top);
    if (rc == 0 && !any)
        return pl_reason_set(&call->op->reply.why, PL_EINVALID, "%s must not be empty", list);
    return rc;
}

/* ---- plain options ---------------------------------------------------------------------------------- */

static int take_expression(lua_State *L, const char *option, struct pl_call *call, struct pl_bytes *out)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: expected a string, got a %s", option, luaL_typename(L, -1));
    return pl_call_text(L, -1, call, option, out);
}

static bool take_flag(lua_State *L, const char *option)
{
    if (!lua_isboolean(L, -1))
        luaL_error(L, "%s: expected true or false, got a %s", option, luaL_typename(L, -1));
    return lua_toboolean(L, -1);
}

static uint32_t take_count(lua_State *L, const char *option, lua_Integer least, lua_Integer most)
{
    int is_integer;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);

    if (!is_integer || lua_type(L, -1) != LUA_TNUMBER || value < least || value > most)
        luaL_error(L, "%s: expected an integer from %I to %I, got %s", option, (LUAI_UACINT)least,
                   (LUAI_UACINT)most, luaL_tolstring(L, -1, NULL));
    return (uint32_t)value;
}

/* One of `words`: its place among them. */
static uint32_t take_choice(lua_State *L, const char *option, const char *const *words)
{
    luaL_Buffer list;
    uint32_t i;

    if (lua_type(L, -1) == LUA_TSTRING)
        for (i = 0; words[i] != NULL; i++)
            if (strcmp(lua_tostring(L, -1), words[i]) == 0)
                return i;
    luaL_tolstring(L, -1, NULL);
    luaL_buffinit(L, &list);
    for (i = 0; words[i] != NULL; i++) {
        luaL_addstring(&list, i > 0 ? ", " : "");
        luaL_addstring(&list, words[i]);
    }
    luaL_pushresult(&list);
    luaL_error(L, "%s: expected one of %s; got %s", option, lua_tostring(L, -1), lua_tostring(L, -2));
    return 0;
}

/* A list of names: each is one attribute, whatever characters it has. */
static int take_name_list(lua_State *L, struct pl_call *call)
{
    struct pl_bytes placeholder, attribute;
    struct pl_buf *text = call->rows;
    int rc = 0, list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);

    pl_buf_clear(text);
    for (lua_Integer i = 1; rc == 0 && i <= count; i++) {
        char name[40];

        if (lua_rawgeti(L, list, i) != LUA_TSTRING)
            luaL_error(L, "project: expected attributes' names, got a %s", luaL_typename(L, -1));
        placeholder = pl_arena_copy(
            &call->op->arena,
            pl_bytes(name, (size_t)snprintf(name, sizeof name, "#perilune_project_%lld", (long long)i)));
        rc = placeholder.data == NULL ? PL_ENOMEM
                                      : pl_call_text(L, -1, call, "attribute's name in project", &attribute);
        if (rc == 0)
            rc = pl_options_add_name(call, placeholder, attribute);
        if (i > 1)
            pl_buf_append_byte(text, ',');
        pl_buf_append_bytes(text, placeholder);
        lua_pop(L, 1);
    }
    if (rc == 0)
        rc = pl_buf_status(text);
    if (rc == 0) {
        call->op->projection_text = pl_arena_copy(&call->op->arena, pl_buf_view(text));
        rc = call->op->projection_text.data == NULL ? PL_ENOMEM : 0;
    }
    pl_buf_clear(text);
    return rc;
}

static int take_condition(lua_State *L, struct pl_call *call)
{
    struct pl_bytes text;
    int rc = take_expression(L, "condition", call, &text);

    if (rc != 0)
        return rc;
    if (text.len > 1 && text.data[0] == '@')
        call->op->condition_name = pl_bytes(text.data + 1, text.len - 1);
    else
        call->op->condition_text = text;
    return 0;
}

static int take_after(lua_State *L, struct pl_call *call)
{
    struct pl_value value;
    int rc;

    if (!lua_istable(L, -1))
        luaL_error(L, "after: expected a page's last_key, got a %s", luaL_typename(L, -1));
    rc = pl_call_value(L, lua_gettop(L), call, "after", &value);
    if (rc != 0)
        return rc;
    call->op->has_start_key = true;
    call->op->start_key =
        (struct pl_item){ .bytes = value.type == PL_TYPE_M ? value.payload : pl_bytes(NULL, 0) };
    return 0;
}

static int take_args(lua_State *L, struct pl_call *call)
{
    call->op->has_condition_args = true;
    return pl_call_value(L, lua_gettop(L), call, "args", &call->op->condition_args);
}

static enum pl_return_values take_returns(lua_State *L)
{
    static const char *const words[] = { "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW", NULL };

    return (enum pl_return_values)take_choice(L, "returns", words);
}

static enum pl_select take_select(lua_State *L)
{
    static const char *const words[] = { "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES",
                                         "COUNT", NULL };

    return (enum pl_select)(PL_SELECT_ALL + take_choice(L, "select", words));
}

static void check_on_failure(lua_State *L)
{
    static const char *const words[] = { "ALL_OLD", NULL };

    take_choice(L, "on_failure", words);
}

/* The value is on top of the stack. */
static int take_option(lua_State *L, enum pl_lua_option option, struct pl_call *call)
{
    struct pl_operation *op = call->op;

    switch (option) {
    case PL_LUA_CONDITION:
        return take_condition(L, call);
    case PL_LUA_ARGS:
        return take_args(L, call);
    case PL_LUA_NAMES:
        return read_placeholders(L, call, '#');
    case PL_LUA_VALUES:
        return read_placeholders(L, call, ':');
    case PL_LUA_RETURNS:
        op->returns = take_returns(L);
        break;
    case PL_LUA_ON_FAILURE:
        check_on_failure(L);
        op->return_old_on_failure = true;
        break;
    case PL_LUA_PROJECT:
        return lua_istable(L, -1) ? take_name_list(L, call)
                                  : take_expression(L, "project", call, &op->projection_text);
    case PL_LUA_SELECT:
        op->select = take_select(L);
        break;
    case PL_LUA_FILTER:
        return take_expression(L, "filter", call, &op->filter_text);
    case PL_LUA_LIMIT:
        op->limit = take_count(L, "limit", 1, INT32_MAX);
        break;
    case PL_LUA_PAGE_SIZE: /* read by whoever makes pages */
        break;
    case PL_LUA_DESCENDING:
        op->descending = take_flag(L, "descending");
        break;
    case PL_LUA_CONSISTENT:
        op->consistent = take_flag(L, "consistent");
        break;
    case PL_LUA_AFTER:
        return take_after(L, call);
    case PL_LUA_SEGMENT:
        op->segment = take_count(L, "segment", 0, SEGMENTS_MAX);
        break;
    case PL_LUA_SEGMENTS:
        op->segment_count = take_count(L, "segments", 1, SEGMENTS_MAX);
        break;
    case PL_LUA_CAPACITY:
        if (!lua_istable(L, -1))
            luaL_error(L, "capacity: expected a table to add to, got a %s", luaL_typename(L, -1));
        op->report = PL_CAPACITY_INDEXES;
        break;
    case PL_LUA_TOKEN:
        return take_expression(L, "token", call, &op->token);
    case PL_LUA_EXPRESSION:
        return take_expression(L, "expression", call, &op->update_text);
    case PL_LUA_PUT: /* read by whoever makes a transaction's items */
    case PL_LUA_UPDATE:
    case PL_LUA_DELETE:
    case PL_LUA_CHECK:
    case PL_LUA_GET:
    case PL_LUA_ITEM:
    case PL_LUA_KEY:
    case PL_LUA_OPTION_COUNT:
        break;
    }
    return 0;
}

static const char *const words[] = {
#define PL_LUA_OPTION_WORD(name, word) word,
    PL_LUA_OPTION_MAP(PL_LUA_OPTION_WORD)
#undef PL_LUA_OPTION_WORD
};

static enum pl_lua_option find_option(lua_State *L, int key, uint32_t allowed)
{
    const char *word = lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : luaL_tolstring(L, key, NULL);
    luaL_Buffer list;

    for (int i = 0; i < PL_LUA_OPTION_COUNT; i++)
        if ((allowed >> i & 1) != 0 && strcmp(word, words[i]) == 0)
            return (enum pl_lua_option)i;
    luaL_buffinit(L, &list);
    for (int i = 0; i < PL_LUA_OPTION_COUNT; i++)
        if ((allowed >> i & 1) != 0) {
            luaL_addchar(&list, ' ');
            luaL_addstring(&list, words[i]);
        }
    luaL_pushresult(&list);
    luaL_error(L, "there is no option '%s' here; there are:%s", word, lua_tostring(L, -1));
    return PL_LUA_OPTION_COUNT;
}

static int check_segment(lua_State *L, int index, struct pl_call *call)
{
    bool segment = lua_getfield(L, index, "segment") != LUA_TNIL;
    bool segments = lua_getfield(L, index, "segments") != LUA_TNIL;

    lua_pop(L, 2);
    call->op->has_segment = segment && segments;
    if (segment == segments)
        return 0;
    return pl_reason_set(
        &call->op->reply.why, PL_EINVALID, "%s",
        segment ? "The TotalSegments parameter is required but was not present in the request when "
                  "Segment parameter is present"
                : "The Segment parameter is required but was not present in the request when "
                  "parameter TotalSegments is present");
}

int pl_options_read(lua_State *L, int index, uint32_t allowed, struct pl_call *call)
{
    int rc = 0, top = lua_gettop(L);

    call->op->params.arena = &call->op->arena;
    call->op->params.literals = true;
    if (lua_isnoneornil(L, index))
        return 0;
    luaL_checktype(L, index, LUA_TTABLE);
    luaL_checkstack(L, 12, NULL);
    lua_pushnil(L);
    while (rc == 0 && lua_next(L, index) != 0) {
        rc = take_option(L, find_option(L, -2, allowed), call);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    if (rc != 0)
        return rc;
    if ((allowed & PL_LUA_BIT(NAMES)) != 0)
        call->op->params.literals = lua_getfield(L, index, "names") == LUA_TNIL;
    if ((allowed & PL_LUA_BIT(VALUES)) != 0)
        call->op->params.literals = lua_getfield(L, index, "values") == LUA_TNIL && call->op->params.literals;
    lua_settop(L, top);
    return check_segment(L, index, call);
}

/* ---- capacity --------------------------------------------------------------------------------------- */

/* Half units, added to the field of the table on top. */
static void add_units(lua_State *L, const char *name, size_t len, uint64_t halves)
{
    lua_Number sum = (lua_Number)halves / 2;

    lua_pushlstring(L, name, len);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNUMBER)
        sum += lua_tonumber(L, -1);
    lua_pop(L, 1);
    lua_pushnumber(L, sum);
    lua_rawset(L, -3);
}

void pl_options_charge(lua_State *L, int index, const struct pl_call *call)
{
    const struct pl_capacity *capacity = &call->op->reply.capacity;

    if (call->op->report == PL_CAPACITY_NONE || lua_getfield(L, index, "capacity") != LUA_TTABLE)
        return;
    add_units(L, "total", 5, pl_capacity_total(capacity));
    add_units(L, "table", 5, capacity->table_halves);
    for (uint32_t i = 0; i < capacity->index_count; i++) {
        if (lua_getfield(L, -1, "indexes") != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, "indexes");
        }
        add_units(L, capacity->indexes[i].name.data, capacity->indexes[i].name.len,
                  capacity->indexes[i].halves);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
