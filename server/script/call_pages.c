/* SPDX-License-Identifier: MIT */
#include "script/bind_value.h"
#include "script/call.h"
#include "script/call_keys.h"
#include "script/call_methods.h"
#include "script/call_options.h"

/*
 * Queries and scans, by the page or item by item:
 *
 *     db:query_page(source, where, opts)  db:scan_page(source, opts)   one page, or nil, sentence, code
 *     db:query(source, where, opts)       db:scan(source, opts)        an iterator; raises when it fails
 *     db:count(source, where or nil, opts)                             a number
 *
 * All stand on page(), whose stack is always the same.
 */
enum {
    DB = 1,
    SOURCE,
    WHERE,   /* nil: a scan */
    OPTIONS, /* a table or nil */
    AFTER,   /* where the page starts, nil: at `after` of the options */
    ARGUMENTS_END = AFTER,
    BOX,
};

enum {
    QUERYING = PL_LUA_WALKING | PL_LUA_BIT(DESCENDING),
    SCANNING = PL_LUA_WALKING | PL_LUA_BIT(SEGMENT) | PL_LUA_BIT(SEGMENTS)
};

static int take_start(lua_State *L, struct pl_call *call)
{
    struct pl_value value;
    int rc;

    if (lua_isnil(L, AFTER))
        return 0;
    rc = pl_call_value(L, AFTER, call, "after", &value);
    if (rc == 0) {
        call->op->has_start_key = true;
        call->op->start_key = (struct pl_item){ .bytes = value.payload };
    }
    return rc;
}

static int take(lua_State *L, struct pl_call *call, uint32_t allowed)
{
    int rc = pl_call_source(L, SOURCE, call);

    if (rc == 0)
        rc = pl_options_read(L, OPTIONS, allowed | (lua_isnil(L, WHERE) ? SCANNING : QUERYING), call);
    if (rc == 0 && !lua_isnil(L, WHERE))
        rc = pl_key_condition_take(L, WHERE, call);
    return rc != 0 ? rc : take_start(L, call);
}

/* Push the box and run a page; `limit` 0: that of the options. */
static struct pl_call *run(lua_State *L, uint32_t allowed, bool own_limit, uint32_t limit, bool count_only,
                           int *result)
{
    struct pl_call *call = pl_call_begin(L, DB, lua_isnil(L, WHERE) ? PL_OP_SCAN : PL_OP_QUERY);
    int rc = take(L, call, allowed);

    if (own_limit)
        call->op->limit = limit;
    if (count_only)
        call->op->select = PL_SELECT_COUNT;
    if (rc == 0)
        rc = pl_call_run(L, call);
    if (rc == 0)
        pl_options_charge(L, OPTIONS, call);
    *result = rc;
    return call;
}

static void push_items(lua_State *L, const struct pl_call *call)
{
    struct pl_bytes rest = pl_buf_view(call->rows);
    lua_Integer i = 0;
    struct pl_item item;
    uint32_t child;

    lua_createtable(L, (int)(call->op->select == PL_SELECT_COUNT ? 0 : call->op->reply.count), 0);
    while (pl_rows_take(&rest, &child, &item)) {
        pl_item_push_copy(L, item);
        lua_rawseti(L, -2, ++i);
    }
}

/* ---- a page ----------------------------------------------------------------------------------------- */

static int give_page(lua_State *L)
{
    int rc;
    struct pl_call *call = run(L, 0, false, 0, false, &rc);

    if (rc != 0)
        return pl_call_fail_reply(L, call, rc);
    lua_createtable(L, 0, 4);
    push_items(L, call);
    lua_setfield(L, -2, "items");
    lua_pushinteger(L, (lua_Integer)call->op->reply.count);
    lua_setfield(L, -2, "count");
    lua_pushinteger(L, (lua_Integer)call->op->reply.scanned);
    lua_setfield(L, -2, "scanned");
    if (call->op->reply.has_last_key) {
        pl_item_push_copy(L, call->op->reply.last_key);
        lua_setfield(L, -2, "last_key");
    }
    pl_call_end(L, BOX);
    return 1;
}

static void check_where(lua_State *L)
{
    luaL_argexpected(L, lua_istable(L, WHERE) || lua_type(L, WHERE) == LUA_TSTRING, WHERE, "table or string");
}

/* A scan's arguments are a query's without `where`. */
static void arrange(lua_State *L, bool scan)
{
    lua_settop(L, scan ? OPTIONS - 1 : OPTIONS);
    if (scan) {
        lua_pushnil(L);
        lua_insert(L, WHERE);
    } else {
        check_where(L);
    }
    lua_settop(L, ARGUMENTS_END);
}

static int query_page(lua_State *L)
{
    arrange(L, false);
    return give_page(L);
}

static int scan_page(lua_State *L)
{
    arrange(L, true);
    return give_page(L);
}

/* ---- item by item ----------------------------------------------------------------------------------- */

/* An iterator's upvalues: the arguments of page(), and then where it stands. */
enum {
    ITEMS = ARGUMENTS_END + 1, /* of this page */
    PLACE,                     /* of the item last given */
    MORE,                      /* false: this page is the last */
    LEFT,                      /* how many may still be given; nil: any number */
    UPVALUES_END = LEFT,
};

static uint32_t option_count(lua_State *L, int options, const char *name)
{
    lua_Integer value = 0;

    if (lua_istable(L, options)) {
        if (lua_getfield(L, options, name) != LUA_TNIL) {
            int is_integer;

            value = lua_tointegerx(L, -1, &is_integer);
            if (!is_integer || value < 1 || value > INT32_MAX)
                luaL_error(L, "%s: expected an integer from 1 to %d, got %s", name, INT32_MAX,
                           luaL_tolstring(L, -1, NULL));
        }
        lua_pop(L, 1);
    }
    return (uint32_t)value;
}

static bool is_filtered(lua_State *L)
{
    bool filtered = lua_istable(L, OPTIONS) && lua_getfield(L, OPTIONS, "filter") != LUA_TNIL;

    lua_settop(L, ARGUMENTS_END);
    return filtered;
}

/* No page reads more than can still be given; with a filter nobody knows how much that takes. */
static uint32_t page_limit(lua_State *L, lua_Integer left)
{
    uint32_t size = option_count(L, OPTIONS, "page_size");

    if (left < 0 || is_filtered(L) || (size != 0 && size < left))
        return size;
    return (uint32_t)left;
}

/* Run the next page from the arguments at the stack's bottom; pushes its items, and its last key or nil. */
static void fetch(lua_State *L, lua_Integer left)
{
    uint32_t limit = page_limit(L, left);
    int rc;
    struct pl_call *call = run(L, PL_LUA_BIT(PAGE_SIZE), true, limit, false, &rc);

    if (rc != 0)
        luaL_error(L, "%s: %s", pl_error_code(rc),
                   pl_reason_text(call->lost ? NULL : &call->op->reply.why, rc));
    push_items(L, call);
    if (call->op->reply.has_last_key)
        pl_item_push_copy(L, call->op->reply.last_key);
    else
        lua_pushnil(L);
    pl_call_end(L, BOX);
}

static lua_Integer left_of(lua_State *L)
{
    return lua_isnil(L, lua_upvalueindex(LEFT)) ? -1 : lua_tointeger(L, lua_upvalueindex(LEFT));
}

static void turn_page(lua_State *L)
{
    lua_settop(L, 0);
    for (int i = 1; i <= ARGUMENTS_END; i++)
        lua_pushvalue(L, lua_upvalueindex(i));
    fetch(L, left_of(L));
    lua_pushboolean(L, !lua_isnil(L, -1));
    lua_replace(L, lua_upvalueindex(MORE));
    lua_replace(L, lua_upvalueindex(AFTER));
    lua_replace(L, lua_upvalueindex(ITEMS));
    lua_pushinteger(L, 0);
    lua_replace(L, lua_upvalueindex(PLACE));
}

static int next_item(lua_State *L)
{
    lua_Integer left = left_of(L), place;

    for (;;) {
        place = lua_tointeger(L, lua_upvalueindex(PLACE)) + 1;
        if (left == 0)
            return 0;
        if (lua_rawgeti(L, lua_upvalueindex(ITEMS), place) != LUA_TNIL)
            break;
        if (!lua_toboolean(L, lua_upvalueindex(MORE)))
            return 0;
        turn_page(L); /* may be empty, when a filter let nothing through */
    }
    lua_pushinteger(L, place);
    lua_replace(L, lua_upvalueindex(PLACE));
    if (left > 0) {
        lua_pushinteger(L, left - 1);
        lua_replace(L, lua_upvalueindex(LEFT));
    }
    return 1;
}

/* The iterator keeps its own copy of the options: what the program does to its table later is its business. */
static void copy_options(lua_State *L)
{
    if (lua_isnil(L, OPTIONS))
        return;
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, OPTIONS) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_replace(L, OPTIONS);
}

/* The first page is fetched here, so that a wrong request raises where it was made. */
static int iterate(lua_State *L)
{
    uint32_t limit;
    lua_Integer left;

    copy_options(L);
    limit = option_count(L, OPTIONS, "limit");
    left = limit == 0 ? -1 : (lua_Integer)limit;
    fetch(L, left); /* arguments, box, items, last key */
    lua_replace(L, AFTER);
    lua_replace(L, ITEMS);
    lua_settop(L, ITEMS);
    lua_pushinteger(L, 0);
    lua_pushboolean(L, !lua_isnil(L, AFTER));
    if (left < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, left);
    lua_pushcclosure(L, next_item, UPVALUES_END);
    return 1;
}

static int query(lua_State *L)
{
    arrange(L, false);
    return iterate(L);
}

static int scan(lua_State *L)
{
    arrange(L, true);
    return iterate(L);
}

/* ---- counting --------------------------------------------------------------------------------------- */

static int count(lua_State *L)
{
    lua_Integer sum = 0, limit;
    bool more = true;

    lua_settop(L, ARGUMENTS_END);
    if (!lua_isnil(L, WHERE))
        check_where(L);
    limit = (lua_Integer)option_count(L, OPTIONS, "limit");
    while (more && (limit == 0 || sum < limit)) {
        uint32_t size = page_limit(L, limit == 0 ? -1 : limit - sum);
        int rc;
        struct pl_call *call = run(L, PL_LUA_BIT(PAGE_SIZE), true, size, true, &rc);

        if (rc != 0)
            return pl_call_fail_reply(L, call, rc);
        sum += (lua_Integer)call->op->reply.count;
        more = call->op->reply.has_last_key;
        if (more) {
            pl_item_push_copy(L, call->op->reply.last_key);
            lua_replace(L, AFTER);
        }
        pl_call_end(L, BOX);
        lua_settop(L, ARGUMENTS_END);
    }
    lua_pushinteger(L, limit != 0 && sum > limit ? limit : sum);
    return 1;
}

const luaL_Reg pl_page_methods[] = {
    { "query", query },         { "scan", scan },   { "query_page", query_page },
    { "scan_page", scan_page }, { "count", count }, { NULL, NULL },
};
