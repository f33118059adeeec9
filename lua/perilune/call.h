/* SPDX-License-Identifier: MIT */
#ifndef PL_LUA_CALL_H
#define PL_LUA_CALL_H

#include "perilune.h"

#include <lua.h>

/**
 * One request of a Lua program, on Lua's stack: a box that gives the engine's call
 * back when it is collected. A Lua error may jump out of anything between
 * pl_call_begin() and pl_call_end(), and nothing is lost but time.
 *
 * A failure of the world's (a condition that does not hold, a table that is not there, a disk)
 * is three results: nil, a sentence, and DynamoDB's name for it. A mistake in the
 * calling code raises, at the caller's line.
 */

/** Push a box with a new call of the database at `arg`. Raises when that is none, or closed. */
struct pl_perilune_call *pl_call_begin(lua_State *L, int arg, enum pl_operation_name name);

/** End the call in the box at `index`, now instead of when it is collected. */
void pl_call_end(lua_State *L, int index);

/** Push nil, the sentence and the code; returns 3. */
int pl_call_fail(lua_State *L, int rc, const struct pl_reason *why);

/** The same for the call's own failure, and when it shows the item that a condition refused, that too. */
int pl_call_fail_reply(lua_State *L, const struct pl_perilune_call *call, int rc);

/** A copy of a string argument, as long as the call. PL_EINVALID, with a reason, when it is no UTF-8. */
int pl_call_text(lua_State *L, int index, struct pl_perilune_call *call, const char *what,
                 struct pl_bytes *out);

/** "table" or "table/index" at `index`. */
int pl_call_source(lua_State *L, int index, struct pl_perilune_call *call);

/** The table at `index` as an item. `out` lives in `op->bytes`, which nothing else may grow meanwhile. */
int pl_call_item(lua_State *L, int index, struct pl_perilune_call *call, struct pl_operation *op,
                 struct pl_item *out);

/** The value at `index`, as long as the call. `what` begins the sentence of a failure; NULL: nothing does. */
int pl_call_value(lua_State *L, int index, struct pl_perilune_call *call, const char *what,
                  struct pl_value *out);

#endif
