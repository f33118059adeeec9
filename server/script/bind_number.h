/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_NUMBER_H
#define PL_SCRIPT_BIND_NUMBER_H

#include "model/number.h"

#include <lua.h>
#include <stdbool.h>

/**
 * Numbers in Lua. An integer where the value is one and fits, a float where the
 * float's shortest text is exactly the number, and a decimal otherwise:
 *
 *     perilune.decimal("0.1") + perilune.decimal("0.2") == perilune.decimal("0.3")
 *
 * A decimal stays one: + - * / // % with integers, floats and decimals give decimals,
 * exact or an error (38 digits). < <= compare with any number; == only with decimals,
 * as Lua has it for values of different types. tostring(d) has all digits,
 * d:tonumber() the integer or float that is exactly d, or nil.
 */
/** Adds to the library table on top of the stack. */
void pl_bind_number_open(lua_State *L);

/** Push `number` in the first form that holds it exactly. */
void pl_number_push(lua_State *L, const struct pl_number *number);

/** True, with `out` set, when the value at `index` is a number of any of the three kinds. */
bool pl_number_is(lua_State *L, int index);

/** Read it. PL_EINVALID with a sentence for NaN, infinities and what is out of range. */
int pl_number_read(lua_State *L, int index, struct pl_number *out, struct pl_reason *why);

#endif
