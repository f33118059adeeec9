/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_CALL_OPTIONS_H
#define PL_SCRIPT_CALL_OPTIONS_H

#include "script/call.h"

#include <lua.h>

/**
 * The last argument of most methods: a table of what DynamoDB has parameters for.
 * Expressions take literals, as in the line protocol, until `names` or `values` are
 * given: then DynamoDB's rules hold to the letter.
 *
 * X(NAME, name in Lua)
 */
#define PL_LUA_OPTION_MAP(X)                                                                                 \
    X(CONDITION, "condition")   /* an expression, or "@name" of a condition of the table's module */         \
    X(ARGS, "args")             /* for "@name" */                                                            \
    X(NAMES, "names")           /* { n = "attribute" } for #n; "#n" is the same */                           \
    X(VALUES, "values")         /* { v = value } for :v; ":v" is the same */                                 \
    X(RETURNS, "returns")       /* "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE" */             \
    X(ON_FAILURE, "on_failure") /* "ALL_OLD": a condition that fails gives the item as fourth result */      \
    X(PROJECT, "project")       /* a projection expression, or a list of attributes' names */                \
    X(SELECT, "select")         /* "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", ... as in DynamoDB */       \
    X(FILTER, "filter")         /* a condition on what was read */                                           \
    X(LIMIT, "limit")           /* a page: items read; an iterator or a count: items in all */               \
    X(PAGE_SIZE, "page_size")   /* an iterator or a count: items read at a time */                           \
    X(DESCENDING, "descending")                                                                              \
    X(CONSISTENT, "consistent")                                                                              \
    X(AFTER, "after")       /* a page's last_key */                                                          \
    X(SEGMENT, "segment")   /* counted from 0 */                                                             \
    X(SEGMENTS, "segments") /* how many there are */                                                         \
    X(CAPACITY, "capacity") /* a table, to which the units used are added */                                 \
    X(TOKEN, "token")       /* a transaction's: the same once more within ten minutes changes nothing */     \
    /* In an item of a transaction: what is done, in which table; and with what. */                          \
    X(PUT, "put")                                                                                            \
    X(UPDATE, "update")                                                                                      \
    X(DELETE, "delete")                                                                                      \
    X(CHECK, "check")                                                                                        \
    X(GET, "get")                                                                                            \
    X(ITEM, "item")                                                                                          \
    X(KEY, "key")                                                                                            \
    X(EXPRESSION, "expression")

enum pl_lua_option {
#define PL_LUA_OPTION_NAME(name, word) PL_LUA_##name,
    PL_LUA_OPTION_MAP(PL_LUA_OPTION_NAME)
#undef PL_LUA_OPTION_NAME
        PL_LUA_OPTION_COUNT
};

#define PL_LUA_BIT(name) (UINT32_C(1) << PL_LUA_##name)
#define PL_LUA_CONDITIONAL                                                                                   \
    (PL_LUA_BIT(CONDITION) | PL_LUA_BIT(ARGS) | PL_LUA_BIT(NAMES) | PL_LUA_BIT(VALUES) |                     \
     PL_LUA_BIT(RETURNS) | PL_LUA_BIT(ON_FAILURE) | PL_LUA_BIT(CAPACITY))
#define PL_LUA_READING                                                                                       \
    (PL_LUA_BIT(PROJECT) | PL_LUA_BIT(NAMES) | PL_LUA_BIT(CONSISTENT) | PL_LUA_BIT(CAPACITY))
#define PL_LUA_WALKING                                                                                       \
    (PL_LUA_READING | PL_LUA_BIT(VALUES) | PL_LUA_BIT(FILTER) | PL_LUA_BIT(LIMIT) | PL_LUA_BIT(AFTER) |      \
     PL_LUA_BIT(SELECT))

/**
 * Read the options at `index` (a table or nil) into the call. Those of `allowed` only:
 * another one, or one of a wrong Lua type, raises. A failure is for pl_call_fail_reply().
 */
int pl_options_read(lua_State *L, int index, uint32_t allowed, struct pl_call *call);

/** Add what the call used to the table in `options.capacity`, if there is one. */
void pl_options_charge(lua_State *L, int index, const struct pl_call *call);

/** Append a placeholder. `name` and what it stands for must live as long as the call. */
int pl_options_add_name(struct pl_call *call, struct pl_bytes name, struct pl_bytes attribute);
int pl_options_add_value(struct pl_call *call, struct pl_bytes name, struct pl_value value);

#endif
