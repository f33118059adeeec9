/* SPDX-License-Identifier: MIT */
#include "script/bind_db.h"

#include "script/call.h"
#include "script/call_methods.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>

#define DB_TYPE "perilune.db"

enum { BEGUN_MAX = 16, KEPT_BYTES_MAX = 256 << 10 };

/* One request, with its memory. On the list of spares, or in a call's box on Lua's stack. */
struct pl_db_request {
    struct pl_db *db;
    struct pl_db_request *next;
    struct pl_operation op;
    struct pl_buf rows;
};

/* What `db` is in Lua. */
struct box {
    struct pl_loan *loan;
    uint64_t call;
    struct pl_db *db;
};

static void free_request(struct pl_db_request *request)
{
    pl_operation_deinit(&request->op);
    pl_buf_deinit(&request->rows);
    free(request);
}

void pl_db_deinit(struct pl_db *db)
{
    while (db->spare != NULL) {
        struct pl_db_request *request = db->spare;

        db->spare = request->next;
        free_request(request);
    }
    *db = (struct pl_db){ 0 };
}

/* ---- requests --------------------------------------------------------------------------------------- */

static struct pl_db *check_db(lua_State *L, int arg)
{
    struct box *box = luaL_checkudata(L, arg, DB_TYPE);

    luaL_argcheck(L, box->call == box->loan->call && box->db->hands != NULL, arg,
                  "db used after its function returned");
    return box->db;
}

static struct pl_db_request *take_request(struct pl_db *db)
{
    struct pl_db_request *request = db->spare;

    if (request == NULL)
        return calloc(1, sizeof *request);
    db->spare = request->next;
    return request;
}

static void begin(lua_State *L, int arg, enum pl_operation_name name, struct pl_call *call)
{
    struct pl_db *db = check_db(L, arg);
    struct pl_db_request *request;

    /* Calls that raised wait for their collection, and their memory is not counted as Lua's own. */
    if (db->begun >= BEGUN_MAX)
        lua_gc(L, LUA_GCCOLLECT);
    request = take_request(db);
    if (request == NULL) {
        pl_sandbox_starve(L);
        luaL_error(L, "out of memory");
    }
    request->db = db;
    request->next = NULL;
    pl_operation_reset(&request->op, name);
    pl_buf_clear(&request->rows);
    db->begun++;
    call->owner = request;
    call->op = &request->op;
    call->rows = &request->rows;
}

static int keep_row(struct pl_operation *op, struct pl_item item)
{
    struct pl_operation *asked = op->parent != NULL ? op->parent : op;
    struct pl_db_request *request = pl_container_of(asked, struct pl_db_request, op);

    pl_rows_append(&request->rows, op, item);
    return pl_buf_status(&request->rows);
}

static int run(lua_State *L, struct pl_call *call)
{
    struct pl_db_request *request = call->owner;
    int rc;

    if (request->db->hands == NULL)
        return pl_reason_set(&request->op.reply.why, PL_ECLOSED, "db used after its function returned");
    request->op.row = keep_row;
    rc = request->db->hands->run(request->db->hands->state, &request->op);
    pl_sandbox_charge(L, 1 << 20); /* waiting took time: a look at the clock */
    return rc;
}

static void end(struct pl_call *call)
{
    struct pl_db_request *request = call->owner;
    struct pl_db *db = request->db;

    db->begun--;
    if (request->rows.capacity > KEPT_BYTES_MAX || request->op.bytes.capacity > KEPT_BYTES_MAX) {
        free_request(request);
        return;
    }
    pl_operation_reset(&request->op, PL_OP_GET);
    request->next = db->spare;
    db->spare = request;
}

static const struct pl_call_engine engine = { .begin = begin, .run = run, .end = end };

/* ---- db --------------------------------------------------------------------------------------------- */

void pl_bind_db_open(lua_State *L)
{
    pl_call_engine_set(L, &engine);
    luaL_newmetatable(L, DB_TYPE);
    lua_newtable(L);
    luaL_setfuncs(L, pl_item_methods, 0);
    luaL_setfuncs(L, pl_page_methods, 0);
    luaL_setfuncs(L, pl_batch_methods, 0);
    luaL_setfuncs(L, pl_transaction_methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void pl_db_push(lua_State *L, struct pl_loan *loan, struct pl_db *db)
{
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);

    *box = (struct box){ .loan = loan, .call = loan->call, .db = db };
    luaL_setmetatable(L, DB_TYPE);
}
