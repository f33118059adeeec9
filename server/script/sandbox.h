/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_SANDBOX_H
#define PL_SCRIPT_SANDBOX_H

#include "base/clock.h"
#include "base/error.h"
#include "script/limits.h"
#include "script/loan.h"

#include <lua.h>
#include <stdbool.h>

/**
 * A Lua state that cannot be made to run for ever, to eat the machine's memory or to
 * take its caller down with it.
 *
 * Three things watch a call, and each of them can only make the hook fire at every
 * instruction from then on, so that pcall cannot swallow the end:
 *
 *     the hook       every 100 instructions (10 or 1 while big blocks are about)
 *     the allocator  every megabyte handed out, and whenever memory runs short
 *     pl_sandbox_charge()  every megabyte that a C function moves or compares
 *
 * Memory beyond the limit is lent from a reserve of a sixteenth until the next
 * instruction, where a collection is safe; only what exceeds that too, or is absurd
 * by itself (a quarter of the limit in one block), is refused to Lua.
 */
struct pl_sandbox;

/** A state with nothing in it. Zero limits take their defaults. */
int pl_sandbox_new(const struct pl_script_limits *limits, struct pl_clock clock, struct pl_sandbox **out);

void pl_sandbox_free(struct pl_sandbox *sandbox);

lua_State *pl_sandbox_state(const struct pl_sandbox *sandbox);
struct pl_loan *pl_sandbox_loan(struct pl_sandbox *sandbox);
const struct pl_clock *pl_sandbox_clock(const struct pl_sandbox *sandbox);

/**
 * Call `body(L)` with `arg` as a light userdata, protected and within the limits
 * (`time_ms` for this call). PL_ESCRIPT with the error's text, or PL_ENOMEM. What
 * `body` leaves on the stack is dropped: results leave through `arg`.
 */
int pl_sandbox_call(struct pl_sandbox *sandbox, uint32_t time_ms, lua_CFunction body, void *arg,
                    struct pl_reason *why);

/** The limits in force, defaults filled in. */
const struct pl_script_limits *pl_sandbox_limits(const struct pl_sandbox *sandbox);

/** All modules are loaded: what the state holds now is its own, what comes on top is a script's. */
void pl_sandbox_loaded(struct pl_sandbox *sandbox);

/**
 * True once a call ran out of memory or left half of it taken for good: what the state
 * holds would keep others from running.
 */
bool pl_sandbox_is_worn(const struct pl_sandbox *sandbox);

size_t pl_sandbox_used_bytes(const struct pl_sandbox *sandbox);
/** The most it ever held. */
size_t pl_sandbox_peak_bytes(const struct pl_sandbox *sandbox);
/** The largest single block Lua may ask for. */
size_t pl_sandbox_block_max(const struct pl_sandbox *sandbox);

/** The sandbox `L` belongs to, NULL when it is somebody else's state. */
struct pl_sandbox *pl_sandbox_of(lua_State *L);

/** For C functions that scripts call: `bytes` were or will be moved. Raises when the time is over. Does nothing in somebody else's state. */
void pl_sandbox_charge(lua_State *L, size_t bytes);

/**
 * The machine has no memory: the running call ends with PL_ENOMEM at its next instruction, whatever it catches. Does nothing
 * in somebody else's state.
 */
void pl_sandbox_starve(lua_State *L);

/** True when the running call is being ended: its error is on the way out. */
bool pl_sandbox_has_ended(lua_State *L);

/** Raises when the call has been ended already; pcall asks this before it hands an error to a script. */
void pl_sandbox_check(lua_State *L);

#endif
