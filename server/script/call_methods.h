/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_CALL_METHODS_H
#define PL_SCRIPT_CALL_METHODS_H

#include <lauxlib.h>

/** What a database answers to, one list a file; each ends with an empty entry. */
extern const luaL_Reg pl_item_methods[];        /* put get update delete */
extern const luaL_Reg pl_page_methods[];        /* query scan query_page scan_page count */
extern const luaL_Reg pl_batch_methods[];       /* batch_get batch_write */
extern const luaL_Reg pl_transaction_methods[]; /* transact */
extern const luaL_Reg pl_table_methods[];       /* create_table alter_table drop_table describe tables */
extern const luaL_Reg pl_letter_methods[];      /* dead_letters replay_.. purge_dead_letters run_triggers */

#endif
