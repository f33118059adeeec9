/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_MODULE_H
#define PL_SCRIPT_MODULE_H

#include "model/table.h"
#include "script/sandbox.h"

/**
 * One Lua file that defines one table. Running it gives a table of data in which
 * functions stand where behaviour is meant; the data becomes a pl_table, and the
 * functions stay in the state, behind references.
 */
struct pl_module {
    struct pl_table *table; /* owned reference; NULL until the first run */
    int before_write;
    int *conditions;
    int *projects;
    int *runs;    /* of triggers */
    int *filters; /* LUA_NOREF: has none */
};

/**
 * Run `text` in a fresh environment of `sandbox`. The first run reads the definition
 * into `module->table`; a later one (another state, the same text) finds only its
 * functions again. PL_ECONFIG with "file:line: field.path: what was expected", or PL_ENOMEM.
 */
int pl_module_run(struct pl_module *module, struct pl_sandbox *sandbox, const char *file,
                  struct pl_bytes text, struct pl_reason *why);

/** The references die with their state; this gives back the rest. */
void pl_module_deinit(struct pl_module *module);

#endif
