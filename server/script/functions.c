/* SPDX-License-Identifier: MIT */
#include "script/functions.h"

#include "script/bind_item.h"
#include "script/bind_value.h"
#include "script/sandbox.h"
#include "script/sentence.h"

#include <lauxlib.h>

/*
 * One call: what goes in, what came out. It lives on the stack of whoever entered
 * Lua, so that an error jumping out of the script leaves nothing behind.
 */
struct call {
    const struct pl_functions *functions;
    const char *what; /* "before_write", for sentences */
    int function;
    const struct pl_item *old;
    const struct pl_item *new;
    const struct pl_value *args;

    struct pl_script_batch *batch; /* of a trigger */
    int filter;                    /* its filter, or LUA_NOREF */

    struct pl_arena *arena;
    struct pl_buf *buf;
    struct pl_item item;
    bool same; /* `new` as it was, or for a projection: no item */
    bool holds;
    int rc;
    struct pl_reason *why;
};

static int run_unlimited(lua_State *L, struct pl_loan *loan, lua_CFunction body, void *arg,
                         struct pl_reason *why)
{
    int top = lua_gettop(L), rc = 0, status;

    if (!lua_checkstack(L, 4))
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    loan->call++;
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, arg);
    status = lua_pcall(L, 1, 0, 0);
    loan->call++;
    if (status == LUA_ERRMEM)
        rc = pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    else if (status != LUA_OK && lua_type(L, -1) == LUA_TSTRING)
        rc = pl_sentence_set(why, PL_ESCRIPT, pl_bytes(lua_tostring(L, -1), lua_rawlen(L, -1)));
    else if (status != LUA_OK)
        rc = pl_reason_set(why, PL_ESCRIPT, "the function raised an error that is no string");
    lua_settop(L, top);
    return rc;
}

static int run(struct call *call, lua_CFunction body)
{
    const struct pl_functions *f = call->functions;
    int rc;

    if (call->function == LUA_NOREF)
        return pl_reason_set(call->why, PL_ESCRIPT, "%s: there is no function %s", f->file, call->what);
    if (f->sandbox == NULL)
        rc = run_unlimited(f->L, f->loan, body, call, call->why);
    else
        rc = pl_sandbox_call(f->sandbox, pl_sandbox_limits(f->sandbox)->time_ms, body, call, call->why);
    if (rc == PL_ESCRIPT)
        pl_sentence_name_file(call->why, f->file);
    return rc != 0 ? rc : call->rc;
}

static void push_item(lua_State *L, const struct call *call, const struct pl_item *item)
{
    if (item == NULL)
        lua_pushnil(L);
    else
        pl_item_push(L, call->functions->loan, item);
}

static void nonsense(struct call *call, const char *sentence)
{
    call->rc =
        pl_reason_set(call->why, PL_ESCRIPT, "%s: %s: %s", call->functions->file, call->what, sentence);
}

/* The view of `item` itself, not of something in it. */
static bool is_view_of(lua_State *L, int index, const struct pl_item *item)
{
    const struct pl_view *view = pl_view_test(L, index);

    return view != NULL && item != NULL && !pl_view_is_over(view) && view->value.type == PL_TYPE_M &&
           view->value.whole.len == 0 && view->value.payload.data == item->bytes.data &&
           view->value.payload.len == item->bytes.len;
}

static void take_item(lua_State *L, struct call *call, int index)
{
    struct pl_builder builder;
    struct pl_reason why = { 0 };
    int rc;

    pl_builder_init(&builder, call->buf, call->arena);
    pl_item_build(L, index, &builder);
    rc = pl_builder_finish_item(&builder, &call->item, &why);
    if (rc == PL_ENOMEM)
        call->rc = pl_reason_set(call->why, rc, "%s", pl_error_sentence(rc));
    else if (rc != 0)
        nonsense(call, pl_reason_text(&why, rc));
}

/* nil or false came back, and perhaps a reason at 2. */
static void take_refusal(lua_State *L, struct call *call)
{
    struct pl_reason *why = call->why;

    if (lua_type(L, 2) == LUA_TSTRING) {
        call->rc = pl_sentence_set(why, PL_EREJECTED, pl_bytes(lua_tostring(L, 2), lua_rawlen(L, 2)));
    } else if (!lua_isnil(L, 2)) {
        nonsense(call, "the reason of a refusal is a string");
    } else if (lua_isboolean(L, 1)) {
        call->rc = pl_reason_set(why, PL_EREJECTED, "%s", pl_error_sentence(PL_EREJECTED));
    } else if (call->new == NULL) {
        call->same = true; /* `return new` of a delete */
    } else {
        nonsense(call, "it returned nothing: return the item to store, or nil and a reason");
    }
}

static int before_write_body(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
    push_item(L, call, call->old);
    push_item(L, call, call->new);
    lua_call(L, 2, 2);
    if (!lua_toboolean(L, 1))
        take_refusal(L, call);
    else if (lua_isboolean(L, 1) || is_view_of(L, 1, call->new))
        call->same = true;
    else if (call->new == NULL)
        nonsense(call, "for a delete it returns true, or nil and a reason");
    else if (is_view_of(L, 1, call->old))
        call->item = *call->old;
    else
        take_item(L, call, 1);
    return 0;
}

int pl_functions_before_write(const struct pl_functions *functions, const struct pl_item *old,
                              const struct pl_item *new, struct pl_arena *arena, struct pl_buf *buf,
                              struct pl_item *out, bool *unchanged, struct pl_reason *why)
{
    struct call call = { .functions = functions,
                         .what = "before_write",
                         .function = functions->before_write,
                         .old = old,
                         .new = new,
                         .arena = arena,
                         .buf = buf,
                         .why = why };
    int rc = run(&call, before_write_body);

    if (rc != 0)
        return rc;
    *unchanged = call.same || (new != NULL &&pl_bytes_equal(call.item.bytes, new->bytes));
    if (new != NULL)
        *out = *unchanged ? *new : call.item;
    return 0;
}

static int condition_body(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    struct pl_item none = { 0 };

    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
    push_item(L, call, call->old);
    push_item(L, call, call->new);
    if (call->args != NULL)
        pl_value_push(L, call->functions->loan, *call->args);
    else
        push_item(L, call, &none); /* so that args.user is nil, not an error */
    lua_call(L, 3, 1);
    call->holds = lua_toboolean(L, 1);
    return 0;
}

int pl_functions_condition(const struct pl_functions *functions, uint32_t i, const struct pl_item *old,
                           const struct pl_item *new, const struct pl_value *args, bool *holds,
                           struct pl_reason *why)
{
    struct call call = { .functions = functions,
                         .what = "conditions",
                         .function = i < functions->condition_count ? functions->conditions[i] : LUA_NOREF,
                         .old = old,
                         .new = new,
                         .args = args,
                         .why = why };
    int rc = run(&call, condition_body);

    if (rc != 0)
        return rc;
    *holds = call.holds;
    return 0;
}

static int project_body(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
    push_item(L, call, call->new);
    lua_call(L, 1, 1);
    if (!lua_toboolean(L, 1))
        call->same = true;
    else if (is_view_of(L, 1, call->new))
        call->item = *call->new;
    else
        take_item(L, call, 1);
    return 0;
}

int pl_functions_project(const struct pl_functions *functions, uint32_t i, const struct pl_item *item,
                         struct pl_arena *arena, struct pl_buf *buf, struct pl_item *out, bool *skipped,
                         struct pl_reason *why)
{
    struct call call = { .functions = functions,
                         .what = "project",
                         .function = i < functions->project_count ? functions->projects[i] : LUA_NOREF,
                         .new = item,
                         .arena = arena,
                         .buf = buf,
                         .why = why };
    int rc = run(&call, project_body);

    if (rc != 0)
        return rc;
    *skipped = call.same;
    if (!call.same)
        *out = call.item;
    return 0;
}

/* ---- triggers --------------------------------------------------------------------------------------- */

static void push_record(lua_State *L, const struct call *call, const struct pl_script_record *record)
{
    lua_createtable(L, 0, 7);
    lua_pushstring(L, record->event);
    lua_setfield(L, -2, "event");
    lua_pushstring(L, record->by);
    lua_setfield(L, -2, "by");
    lua_pushnumber(L, (lua_Number)record->at_ms / 1000); /* seconds, as os.time() counts them */
    lua_setfield(L, -2, "at");
    lua_pushinteger(L, (lua_Integer)record->sequence);
    lua_setfield(L, -2, "sequence");
    push_item(L, call, &record->keys);
    lua_setfield(L, -2, "keys");
    push_item(L, call, record->has_new ? &record->new : NULL);
    lua_setfield(L, -2, "new");
    push_item(L, call, record->has_old ? &record->old : NULL);
    lua_setfield(L, -2, "old");
}

/* The record is on top. False: it was taken off again. */
static bool passes(lua_State *L, const struct call *call)
{
    bool wanted;

    if (call->filter == LUA_NOREF)
        return true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->filter);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    wanted = lua_toboolean(L, -1);
    lua_pop(L, wanted ? 1 : 2);
    return wanted;
}

static void push_records(lua_State *L, struct call *call)
{
    struct pl_script_batch *batch = call->batch;

    lua_createtable(L, (int)batch->count, 0);
    for (uint32_t i = 0; i < batch->count; i++) {
        push_record(L, call, &batch->records[i]);
        if (passes(L, call))
            lua_rawseti(L, -2, ++batch->handled);
    }
}

/* { failed = { sequence, ... } } is on the stack at `index`. */
static void take_failed(lua_State *L, struct call *call, int index)
{
    struct pl_script_batch *batch = call->batch;
    int list;

    lua_pushliteral(L, "failed");
    if (lua_rawget(L, index) != LUA_TTABLE) {
        nonsense(call,
                 "expected to return nothing, nil or false and a reason, or { failed = { sequence, ... } }");
        return;
    }
    list = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        int is_integer;
        uint64_t sequence = (uint64_t)lua_tointegerx(L, -1, &is_integer);

        if (!is_integer || sequence < batch->records[0].sequence ||
            sequence > batch->records[batch->count - 1].sequence) {
            nonsense(call, "failed: expected the sequence numbers of records of this batch");
            return;
        }
        if (batch->failed_from == 0 || sequence < batch->failed_from)
            batch->failed_from = sequence;
        lua_pop(L, 1);
    }
}

/* Nothing at all is a success: most functions end without a return. */
static void take_outcome(lua_State *L, struct call *call)
{
    if (lua_istable(L, 1))
        take_failed(L, call, 1);
    else if (lua_isnil(L, 1) && lua_isnil(L, 2))
        return;
    else if (lua_toboolean(L, 1))
        return;
    else if (lua_type(L, 2) == LUA_TSTRING)
        call->rc = pl_sentence_set(call->why, PL_EREJECTED, pl_bytes(lua_tostring(L, 2), lua_rawlen(L, 2)));
    else
        call->rc = pl_reason_set(call->why, PL_EREJECTED, "%s: %s returned false", call->functions->file,
                                 call->what);
}

static int trigger_body(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    lua_settop(L, 0);
    call->batch->handled = 0;
    call->batch->failed_from = 0;
    push_records(L, call);
    if (call->batch->handled == 0)
        return 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
    lua_insert(L, 1);
    pl_db_push(L, call->functions->loan, call->batch->db);
    lua_call(L, 2, 2);
    take_outcome(L, call);
    return 0;
}

int pl_functions_trigger(const struct pl_functions *functions, uint32_t i, struct pl_script_batch *batch,
                         struct pl_reason *why)
{
    struct call call = { .functions = functions,
                         .what = "run",
                         .function = i < functions->trigger_count ? functions->runs[i] : LUA_NOREF,
                         .filter = i < functions->trigger_count ? functions->filters[i] : LUA_NOREF,
                         .batch = batch,
                         .why = why };

    return run(&call, trigger_body);
}
