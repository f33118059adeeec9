/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_FUNCTIONS_H
#define PL_SCRIPT_FUNCTIONS_H

#include "base/error.h"
#include "model/item.h"
#include "script/bind_db.h"

#include <lua.h>

struct pl_sandbox;

/**
 * The functions of one table, as references into the registry of the Lua state that
 * owns them, and the ways to call them. What script.h offers stands on this; an
 * embedding program that brings closures of its own fills one with `sandbox` NULL,
 * and they run in its own state with its own library and no limits.
 */
struct pl_functions {
    lua_State *L;
    struct pl_sandbox *sandbox; /* whose limits hold; NULL: none */
    struct pl_loan *loan;       /* what items lent to the running call hang on (loan.h) */
    const char *file;           /* named in sentences */
    int before_write;           /* LUA_NOREF: there is none */
    int *conditions;            /* in the order of pl_table.conditions */
    int *projects;              /* in the order of pl_table.indexes */
    int *runs;                  /* in the order of pl_table.triggers */
    int *filters;
    uint32_t condition_count;
    uint32_t project_count;
    uint32_t trigger_count;
};

/**
 * A record of the table's stream, as a trigger's functions see it:
 *
 *     { event = "insert", keys = {..}, new = {..}, old = {..}, at = seconds, sequence = n, by = "client" }
 */
struct pl_script_record {
    const char *event;
    const char *by;
    uint64_t sequence;
    int64_t at_ms;
    struct pl_item keys;
    bool has_new, has_old;
    struct pl_item new, old;
};

/** Some records for a trigger, and what it made of them. */
struct pl_script_batch {
    const struct pl_script_record *records;
    uint32_t count;
    struct pl_db *db; /* whose `hands` run what the function asks for */
    /* Out, with 0. */
    uint32_t handled;     /* records that the filter let pass */
    uint64_t failed_from; /* the lowest sequence that the function named as failed; 0: none */
};

/* As in script.h. */
int pl_functions_before_write(const struct pl_functions *functions, const struct pl_item *old,
                              const struct pl_item *new, struct pl_arena *arena, struct pl_buf *buf,
                              struct pl_item *out, bool *unchanged, struct pl_reason *why);
int pl_functions_condition(const struct pl_functions *functions, uint32_t i, const struct pl_item *old,
                           const struct pl_item *new, const struct pl_value *args, bool *holds,
                           struct pl_reason *why);
int pl_functions_project(const struct pl_functions *functions, uint32_t i, const struct pl_item *item,
                         struct pl_arena *arena, struct pl_buf *buf, struct pl_item *out, bool *skipped,
                         struct pl_reason *why);
int pl_functions_trigger(const struct pl_functions *functions, uint32_t i, struct pl_script_batch *batch,
                         struct pl_reason *why);

#endif
