/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_CALL_H
#define PL_SCRIPT_CALL_H

#include "model/operation.h"
#include "model/rows.h"

#include <lua.h>

/**
 * One request of a Lua program or of a script, on Lua's stack: a box that gives the engine's call
 * back when it is collected. A Lua error may jump out of anything between
 * pl_call_begin() and pl_call_end(), and nothing is lost but time.
 *
 * A failure of the world's (a condition that does not hold, a table that is not there, a disk)
 * is three results: nil, a sentence, and DynamoDB's name for it. A mistake in the
 * calling code raises, at the caller's line.
 */

struct pl_call {
    const struct pl_call_engine *engine; /* NULL: ended */
    void *owner;                         /* the engine's */
    struct pl_operation *op;
    struct pl_buf *rows; /* what QUERY, SCAN and BATCH_GET found (model/rows.h); scratch before it is run */
    bool lost;           /* it is still under way: its reply is not ours to read */
};

/**
 * What stands behind the methods of a database: the engine in the program's own process, or the one that runs the
 * script. A Lua state knows one of them.
 */
struct pl_call_engine {
    /** Fill the empty call for the database at `arg`. Raises when that is none, or closed. */
    void (*begin)(lua_State *L, int arg, enum pl_operation_name name, struct pl_call *call);
    /** Returns the reply's `rc`. Everything in the reply is good until the call ends. */
    int (*run)(lua_State *L, struct pl_call *call);
    void (*end)(struct pl_call *call);
};
void pl_call_engine_set(lua_State *L, const struct pl_call_engine *engine);

/** Push a box with a new call of the database at `arg`. Raises when that is none, or closed. */
struct pl_call *pl_call_begin(lua_State *L, int arg, enum pl_operation_name name);

/** Returns the reply's `rc`; raises only where a script is being ended. */
int pl_call_run(lua_State *L, struct pl_call *call);

/** End the call in the box at `index`, now instead of when it is collected. */
void pl_call_end(lua_State *L, int index);

/** Push nil, the sentence and the code; returns 3. */
int pl_call_fail(lua_State *L, int rc, const struct pl_reason *why);

/** The same for the call's own failure, and when it shows the item that a condition refused, that too. */
int pl_call_fail_reply(lua_State *L, const struct pl_call *call, int rc);

/** A copy of a string argument, as long as the call. PL_EINVALID, with a reason, when it is no UTF-8. */
int pl_call_text(lua_State *L, int index, struct pl_call *call, const char *what, struct pl_bytes *out);

/** "table" or "table/index" at `index`. */
int pl_call_source(lua_State *L, int index, struct pl_call *call);

/** The table at `index` as an item. `out` lives in `op->bytes`, which nothing else may grow meanwhile. */
int pl_call_item(lua_State *L, int index, struct pl_call *call, struct pl_operation *op, struct pl_item *out);

/** The value at `index`, as long as the call. `what` begins the sentence of a failure; NULL: nothing does. */
int pl_call_value(lua_State *L, int index, struct pl_call *call, const char *what, struct pl_value *out);

#endif
