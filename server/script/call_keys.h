/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_CALL_KEYS_H
#define PL_SCRIPT_CALL_KEYS_H

#include "script/call.h"

#include <lua.h>

/**
 * Which items a query walks over, in one of three forms:
 *
 *     { ChatID = "chat#123", MsgID = perilune.between("001", "010") }
 *     { where = "ChatID = \"chat#123\" AND MsgID > \"001\"" }
 *     "ChatID = :c AND MsgID > :m"
 *
 * The first becomes an expression with placeholders of our own, which users' cannot meet.
 */

/** Adds between, begins_with, lt, le, gt, ge to the library table on top of the stack. */
void pl_key_condition_register(lua_State *L);

/** Read the condition at `index` into the call. Raises for what is neither string nor table. */
int pl_key_condition_take(lua_State *L, int index, struct pl_call *call);

#endif
