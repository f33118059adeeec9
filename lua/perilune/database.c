/* SPDX-License-Identifier: MIT */
#include "database.h"

#include "json.h"
#include "script/call.h"
#include "script/call_methods.h"
#include "tail.h"

#include <lauxlib.h>
#include <stdlib.h>

#define DATABASE_TYPE "perilune.database"

struct handle {
    struct pl_perilune *db; /* NULL: closed */
};

struct pl_perilune *pl_database_check(lua_State *L, int arg)
{
    struct handle *handle = luaL_checkudata(L, arg, DATABASE_TYPE);

    luaL_argcheck(L, handle->db != NULL, arg, "the database is closed");
    return handle->db;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

/* Pushes the field: the string stays on the stack as long as the options are used. */
static const char *text_field(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name);
    if (lua_isnil(L, -1))
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "open: %s: expected a string, got %s", name, luaL_typename(L, -1));
    return lua_tostring(L, -1);
}

static uint64_t count_field(lua_State *L, int options, const char *name, lua_Integer most)
{
    lua_Integer value;
    int is_integer;

    lua_getfield(L, options, name);
    if (lua_isnil(L, -1))
        return 0;
    value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 1 || value > most)
        luaL_error(L, "open: %s: expected an integer from 1 to %I, got %s", name, (LUAI_UACINT)most,
                   luaL_tolstring(L, -1, NULL));
    return (uint64_t)value;
}

/* "always", "never" or "interval:MS" */
static void sync_field(lua_State *L, int options, struct pl_perilune_options *out)
{
    const char *text = text_field(L, options, "sync");
    char *end;
    long ms;

    if (text == NULL || strcmp(text, "always") == 0) {
        out->sync_mode = PL_SYNC_ALWAYS;
        return;
    }
    if (strcmp(text, "never") == 0) {
        out->sync_mode = PL_SYNC_NEVER;
        return;
    }
    ms = strncmp(text, "interval:", 9) == 0 ? strtol(text + 9, &end, 10) : 0;
    if (ms < 1 || ms > 3600000 || *end != '\0')
        luaL_error(L, "open: sync: expected \"always\", \"interval:MS\" or \"never\", got \"%s\"", text);
    out->sync_mode = PL_SYNC_INTERVAL;
    out->sync_interval_ms = (uint32_t)ms;
}

static const char *const known_options[] = { "path",
                                             "scripts",
                                             "sync",
                                             "partitions",
                                             "script_time_ms",
                                             "script_memory_bytes",
                                             "item_collection_bytes",
                                             "ttl_sweep_ms",
                                             "stream_retention_ms",
                                             NULL };

static void check_known(lua_State *L, int options)
{
    lua_pushnil(L);
    while (lua_next(L, options) != 0) {
        int i = 0;

        while (known_options[i] != NULL &&
               (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), known_options[i]) != 0))
            i++;
        if (known_options[i] == NULL)
            luaL_error(
                L,
                "open: there is no option '%s'; there are path, scripts, sync, partitions, script_time_ms, "
                "script_memory_bytes, item_collection_bytes, ttl_sweep_ms and stream_retention_ms",
                luaL_tolstring(L, -2, NULL));
        lua_pop(L, 1);
    }
}

static void read_options(lua_State *L, struct pl_perilune_options *out)
{
    if (lua_type(L, 1) == LUA_TSTRING) {
        out->path = lua_tostring(L, 1);
        return;
    }
    luaL_argexpected(L, lua_istable(L, 1), 1, "string or table");
    check_known(L, 1);
    out->path = text_field(L, 1, "path");
    luaL_argcheck(L, out->path != NULL, 1, "path: expected where the data directory is");
    out->scripts_path = text_field(L, 1, "scripts");
    sync_field(L, 1, out);
    out->partition_count = (uint32_t)count_field(L, 1, "partitions", 4096);
    out->script_time_ms = (uint32_t)count_field(L, 1, "script_time_ms", 3600000);
    out->script_memory_bytes = count_field(L, 1, "script_memory_bytes", INT64_MAX);
    out->collection_bytes_max = count_field(L, 1, "item_collection_bytes", INT64_MAX);
    out->ttl_sweep_ms = (uint32_t)count_field(L, 1, "ttl_sweep_ms", 3600000);
    out->stream_retention_ms = (uint32_t)count_field(L, 1, "stream_retention_ms", UINT32_MAX);
}

int pl_database_open(lua_State *L)
{
    struct pl_perilune_options options = { 0 };
    struct pl_reason why = { 0 };
    struct handle *handle;
    int rc;

    lua_settop(L, 1);
    read_options(L, &options);
    handle = lua_newuserdatauv(L, sizeof *handle, 0);
    handle->db = NULL; /* closed first, open second: an error in between leaks nothing */
    luaL_setmetatable(L, DATABASE_TYPE);
    rc = pl_perilune_open(&options, &handle->db, &why);
    return rc != 0 ? pl_call_fail(L, rc, &why) : 1;
}

/* ---- calls ------------------------------------------------------------------------------------------ */

/* A finalizer may have closed the database while the call's box was made: asked once it is there. */
static void begin_call(lua_State *L, int arg, enum pl_operation_name name, struct pl_call *call)
{
    struct pl_perilune_call *inner = pl_perilune_begin(pl_database_check(L, arg), name);

    if (inner == NULL)
        luaL_error(L, "out of memory");
    call->owner = inner;
    call->op = &inner->op;
    call->rows = &inner->rows;
}

static int run_call(lua_State *L, struct pl_call *call)
{
    struct pl_perilune_call *inner = call->owner;
    int rc = pl_perilune_run(inner);

    (void)L;
    call->lost = inner->running;
    return rc;
}

static void end_call(struct pl_call *call)
{
    pl_perilune_end(call->owner);
}

static const struct pl_call_engine call_engine = { .begin = begin_call, .run = run_call, .end = end_call };

/* ---- the handle ------------------------------------------------------------------------------------- */

static int close(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, DATABASE_TYPE);
    struct pl_perilune *db = handle->db;

    handle->db = NULL;
    pl_perilune_close(db);
    lua_pushboolean(L, 1);
    return 1;
}

static int describe_handle(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, DATABASE_TYPE);

    if (handle->db == NULL)
        lua_pushliteral(L, "perilune database (closed)");
    else
        lua_pushfstring(L, "perilune database (%p)", (void *)handle->db);
    return 1;
}

static int reload(lua_State *L)
{
    struct pl_reason why = { 0 };
    int rc = pl_perilune_reload(pl_database_check(L, 1), &why);

    if (rc != 0)
        return pl_call_fail(L, rc, &why);
    lua_pushboolean(L, 1);
    return 1;
}

/* A call is begun only for its memory: what Lua raises while the JSON is read frees it. */
static int check(lua_State *L)
{
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_TABLES);
    int rc = pl_perilune_check(pl_database_check(L, 1), call->rows);

    return rc != 0 ? pl_call_fail(L, rc, NULL) : pl_json_push(L, pl_buf_view(call->rows), &call->op->arena);
}

static int stats(lua_State *L)
{
    const char *table = luaL_optstring(L, 2, "");
    struct pl_call *call = pl_call_begin(L, 1, PL_OP_TABLES);

    pl_perilune_stats(pl_database_check(L, 1), pl_str(table), call->rows);
    if (pl_buf_status(call->rows) != 0 || call->rows->len == 0)
        return pl_call_fail(L, PL_ENOMEM, NULL);
    return pl_json_push(L, pl_buf_view(call->rows), &call->op->arena);
}

static const luaL_Reg methods[] = {
    { "tail", pl_tail_open }, { "close", close }, { "reload", reload },
    { "check", check },       { "stats", stats }, { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", close },
    { "__close", close },
    { "__tostring", describe_handle },
    { NULL, NULL },
};

void pl_database_register(lua_State *L)
{
    pl_call_engine_set(L, &call_engine);
    pl_tail_register(L);
    luaL_newmetatable(L, DATABASE_TYPE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    luaL_setfuncs(L, pl_item_methods, 0);
    luaL_setfuncs(L, pl_page_methods, 0);
    luaL_setfuncs(L, pl_batch_methods, 0);
    luaL_setfuncs(L, pl_transaction_methods, 0);
    luaL_setfuncs(L, pl_table_methods, 0);
    luaL_setfuncs(L, pl_letter_methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
