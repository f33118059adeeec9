/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_SCRIPT_H
#define PL_SCRIPT_SCRIPT_H

#include "base/clock.h"
#include "model/item.h"
#include "model/table.h"
#include "script/functions.h"
#include "script/limits.h"

/**
 * The Lua modules of one `--scripts` directory, loaded: their table definitions,
 * and the functions that stand in them, in one closed Lua state.
 *
 * A script belongs to one thread at a time and is never waited for: a shard has
 * its own, loaded from the same texts. Reloading means loading a new one beside
 * the old and switching; nothing here ever touches the old one.
 *
 * A call that ran out of memory leaves a state nobody wants to build on, so the
 * state is then made anew from the texts. What functions kept in their upvalues is
 * lost with it: they should keep nothing there.
 */
struct pl_script;

/** One module: `name` is the file's, as error messages show it ("messages.lua"). */
struct pl_script_file {
    struct pl_bytes name;
    struct pl_bytes text;
};

enum { PL_SCRIPT_TEXT_MAX = 256 * 1024 };

/**
 * Run every file and read the table that it returns. The texts are copied. Fails as
 * a whole, with PL_ECONFIG and "messages.lua:12: indexes.ByUser.sort_key: expected ...",
 * or PL_ENOMEM. Must run on a thread with a stack of 16 MiB, like every call below.
 */
int pl_script_load(const struct pl_script_limits *limits, struct pl_clock clock,
                   const struct pl_script_file *files, uint32_t file_count, struct pl_script **out,
                   struct pl_reason *why);

void pl_script_free(struct pl_script *script);

/** How many tables the files define: one each. */
uint32_t pl_script_table_count(const struct pl_script *script);

/** Definition `i`, in the order of the files; lives as long as the script (or a reference to it). */
struct pl_table *pl_script_definition(const struct pl_script *script, uint32_t i);

/**
 * The functions of table `name`, NULL when no file defines it. Good as long as the
 * script: ask once when a table is opened, not at every write.
 */
struct pl_table_script *pl_script_table(struct pl_script *script, struct pl_bytes name);

/** The definition that these functions were read from: it says which of them exist. */
const struct pl_table *pl_table_script_definition(const struct pl_table_script *table);

/**
 * The calls. `arena` and `buf` receive the result's bytes: the result is a view into
 * `*buf`, or into `new` or `old` when the function returned one of those as it was.
 * Every failure leaves `out` untouched, and the next call is as good as new.
 *
 * PL_ESCRIPT: the function raised, ran out of instructions, time or memory, or
 * returned what is no item; the sentence names the file and, where Lua knows it, the
 * line. PL_ENOMEM: the machine has no memory left. Calling a function that the
 * definition does not have is PL_ESCRIPT too.
 */

/**
 * before_write(old, new): `old` is NULL when there is none, `new` is NULL for a delete.
 *
 *     put or update   an item, or a table that makes one   that is stored
 *                     true                                 `new` is stored
 *                     nil or false, and a reason           PL_EREJECTED with that reason
 *                     false                                PL_EREJECTED with a general one
 *                     nothing at all                       PL_ESCRIPT: somebody forgot `return new`
 *     delete          nil (that is what `new` is), true    the delete goes on; `out` is untouched
 *                     nil or false, and a reason; false    PL_EREJECTED
 *                     an item                              PL_ESCRIPT
 *
 * `*unchanged` is true when `new` is to be stored (or deleted) as it was. The result
 * is not checked against the table's keys or PL_ITEM_SIZE_MAX: that is the write's business.
 */
int pl_script_before_write(struct pl_table_script *table, const struct pl_item *old,
                           const struct pl_item *new, struct pl_arena *arena, struct pl_buf *buf,
                           struct pl_item *out, bool *unchanged, struct pl_reason *why);

/** conditions[i](old, new, args), `i` counting pl_table.conditions. `args` is NULL when none were given. */
int pl_script_condition(struct pl_table_script *table, uint32_t i, const struct pl_item *old,
                        const struct pl_item *new, const struct pl_value *args, bool *holds,
                        struct pl_reason *why);

/** The same by name; PL_EINVALID when the table has no such condition. */
int pl_script_condition_named(struct pl_table_script *table, struct pl_bytes name, const struct pl_item *old,
                              const struct pl_item *new, const struct pl_value *args, bool *holds,
                              struct pl_reason *why);

/** indexes[i].project(item), `i` counting pl_table.indexes. nil or false: `*skipped`, the item has no entry. */
int pl_script_project(struct pl_table_script *table, uint32_t i, const struct pl_item *item,
                      struct pl_arena *arena, struct pl_buf *buf, struct pl_item *out, bool *skipped,
                      struct pl_reason *why);

/**
 * triggers[i]: its filter with each record, and its run(records, db) with those that pass, when any do; all in one
 * call. `hands` run what it asks of `db`.
 *
 *     nothing, nil, true                    done
 *     nil or false, and a reason; false     PL_EREJECTED with that reason
 *     { failed = { sequence, ... } }        0, and `failed_from` is the lowest: those before it are done
 *     anything else                         PL_ESCRIPT
 */
int pl_script_trigger(struct pl_table_script *table, uint32_t i, struct pl_script_batch *batch,
                      const struct pl_db_hands *hands, struct pl_reason *why);
/** The same by name; PL_ENOTFOUND when the table's file has no such trigger. */
int pl_script_trigger_named(struct pl_table_script *table, struct pl_bytes name,
                            struct pl_script_batch *batch, const struct pl_db_hands *hands,
                            struct pl_reason *why);

/** The same texts loaded once more, for another thread and with other limits. `script` is only read. */
int pl_script_again(const struct pl_script *script, const struct pl_script_limits *limits,
                    struct pl_clock clock, struct pl_script **out, struct pl_reason *why);

/** Bytes the Lua state holds, for STATS. */
size_t pl_script_used_bytes(const struct pl_script *script);

#endif
