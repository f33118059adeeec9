/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_DB_H
#define PL_SCRIPT_BIND_DB_H

#include "model/operation.h"
#include "script/loan.h"

#include <lua.h>

/**
 * The `db` that a trigger's function is given: it answers to the same methods, with the same arguments and results, as a
 * database of the Lua module (script/call_*.c). How its requests are run is lent by whoever calls the function.
 */
struct pl_db_hands {
    /**
     * Run it and wait for its reply; rows go to `op->row`. Returns the reply's `rc`. May
     * take the operation's contents for later, when its reply says nothing anyway: then `op` is left as one that succeeded.
     */
    int (*run)(void *state, struct pl_operation *op);
    void *state;
};

/**
 * The requests of one Lua state's `db`: their memory stays for the next call of a function. It must outlive
 * the state, whose userdata lead here. Zeroed memory is an empty one.
 */
struct pl_db {
    const struct pl_db_hands *hands; /* NULL: no function is running */
    struct pl_db_request *spare;     /* ended */
    uint32_t begun;                  /* and not ended */
};

void pl_db_deinit(struct pl_db *db);

/** Once for a state: what `db` is. */
void pl_bind_db_open(lua_State *L);

/** Push a `db`, good until `loan->call` changes. */
void pl_db_push(lua_State *L, struct pl_loan *loan, struct pl_db *db);

#endif
