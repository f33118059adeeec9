/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_BIND_ITEM_H
#define PL_SCRIPT_BIND_ITEM_H

#include "model/item.h"
#include "script/loan.h"

#include <lua.h>
#include <stdbool.h>

/**
 * Items, maps, lists and sets as scripts read them: views that decode one value when
 * it is asked for, and cannot be written to.
 *
 *     item.name  item["a name"]   the value or nil        (items and maps)
 *     list[1]  #list              as in a table           (lists)
 *     set:has(x)  set[1]  #set    elements in stored order (sets)
 *     pairs(view)  ipairs(list)   in stored order; a set gives 1..n and its elements
 *     a == b                      equal contents
 *
 * perilune.copy(view) makes plain tables of it, to be changed (bind_value.h).
 */
/** Once for a state. */
void pl_bind_item_open(lua_State *L);

/** Push a view of `item`, good until `loan->call` changes. */
void pl_item_push(lua_State *L, struct pl_loan *loan, const struct pl_item *item);

/** Push any value: plain ones as Lua's own, the others as views. */
void pl_value_push(lua_State *L, struct pl_loan *loan, struct pl_value value);

/** Push an element of a set of `type` (SS, NS, BS), as the set stores it. */
void pl_element_push(lua_State *L, enum pl_type type, struct pl_bytes element);

/** What a view shows. `value.type` is M for items, and `whole` is empty then. */
struct pl_view {
    struct pl_loan *loan;
    uint64_t call;
    struct pl_value value;
    uint32_t size_bytes; /* of an item; 0 for what lies inside one */
    uint32_t count;      /* elements of a list; found out when first asked */
    bool counted;
};

/** The view at `index`, NULL when the value there is none. It may be over: see pl_view_is_over(). */
struct pl_view *pl_view_test(lua_State *L, int index);
bool pl_view_is_over(const struct pl_view *view);

#endif
