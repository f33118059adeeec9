/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_VALUE_H
#define PL_SCRIPT_BIND_VALUE_H

#include "model/item.h"

#include <lua.h>
#include <stdbool.h>

/**
 * The values that Lua has no form of its own for, and the way from Lua to values:
 *
 *     string                      S, must be UTF-8
 *     perilune.binary(bytes)      B; tostring(b) are the bytes, #b their number
 *     number or decimal           N
 *     boolean, perilune.null      BOOL, NULL
 *     { a = 1 }, {}               M; perilune.map{} says it aloud
 *     { 1, 2 }                    L; perilune.list{} also when empty
 *     perilune.set{ "a", "b" }    SS, NS or BS by what is in it; never empty
 *     a view of an item           the same bytes, not encoded anew
 *
 * perilune.copy(v) turns views into plain tables, lists and sets, to be changed.
 * perilune.type(v) is the DynamoDB name of what v would be stored as, or nil.
 */
/** Adds to the library table on top of the stack. */
void pl_bind_value_open(lua_State *L);

/** perilune.null is this light userdata. */
void pl_null_push(lua_State *L);
void pl_binary_push(lua_State *L, struct pl_bytes bytes);
/** True, with `out` set to its bytes (as long as the value lives), for a perilune.binary. */
bool pl_binary_is(lua_State *L, int index, struct pl_bytes *out);

/** Push `item` as plain tables with a life of their own, as perilune.copy() makes them of a view. */
void pl_item_push_copy(lua_State *L, struct pl_item item);

/**
 * Hand the Lua value at `index` to `b`. Uses raw access only, so no code of the
 * script runs; raises nothing but Lua's own lack of memory. A failure sticks in `b`
 * and names the attribute's path ("Address.Lines[3]: ...").
 */
void pl_value_build(lua_State *L, int index, struct pl_builder *b);

/** The same for a whole item: a table with names, or a view of a map. */
void pl_item_build(lua_State *L, int index, struct pl_builder *b);

#endif
