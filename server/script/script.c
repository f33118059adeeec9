/* SPDX-License-Identifier: MIT */
#include "script/script.h"

#include "script/environment.h"
#include "script/module.h"
#include "script/sandbox.h"

#include <stdlib.h>

/* A file, the table it defines, and where its functions are in the state of today. */
struct pl_table_script {
    struct pl_script *script;
    char *file;           /* owned, with a NUL */
    struct pl_bytes text; /* owned */
    struct pl_module module;
    struct pl_functions functions;
};

struct pl_script {
    struct pl_script_limits limits;
    struct pl_clock clock;
    struct pl_sandbox *sandbox; /* NULL: it was worn and could not be made anew yet */
    struct pl_db db;            /* of what triggers ask for; outlives the sandbox */
    uint32_t table_count;
    struct pl_table_script tables[];
};

static int open_environment(lua_State *L)
{
    pl_environment_open(L);
    return 0;
}

static int run_module(struct pl_table_script *table, struct pl_reason *why)
{
    struct pl_sandbox *sandbox = table->script->sandbox;
    struct pl_module *module = &table->module;
    int rc = pl_module_run(module, sandbox, table->file, table->text, why);

    if (rc != 0)
        return rc;
    table->functions = (struct pl_functions){ .L = pl_sandbox_state(sandbox),
                                              .sandbox = sandbox,
                                              .loan = pl_sandbox_loan(sandbox),
                                              .file = table->file,
                                              .before_write = module->before_write,
                                              .conditions = module->conditions,
                                              .projects = module->projects,
                                              .runs = module->runs,
                                              .filters = module->filters,
                                              .trigger_count = module->table->trigger_count,
                                              .condition_count = module->table->condition_count,
                                              .project_count = module->table->index_count };
    return 0;
}

static int refuse_double(const struct pl_script *script, uint32_t i, struct pl_reason *why)
{
    for (uint32_t j = 0; j < i; j++)
        if (pl_bytes_equal(script->tables[i].module.table->name, script->tables[j].module.table->name))
            return pl_reason_set(why, PL_ECONFIG, "%s: table: %.*s is defined by %s already",
                                 script->tables[i].file, (int)script->tables[i].module.table->name.len,
                                 script->tables[i].module.table->name.data, script->tables[j].file);
    return 0;
}

static void drop_state(struct pl_script *script)
{
    pl_sandbox_free(script->sandbox);
    script->sandbox = NULL;
}

/* A state with the functions of all files, from the texts. On failure there is none. */
static int make_state(struct pl_script *script, struct pl_reason *why)
{
    int rc = pl_sandbox_new(&script->limits, script->clock, &script->sandbox);

    if (rc != 0)
        return pl_reason_set(why, rc, "%s", pl_error_sentence(rc));
    rc = pl_sandbox_call(script->sandbox, pl_sandbox_limits(script->sandbox)->load_time_ms, open_environment,
                         NULL, why);
    for (uint32_t i = 0; rc == 0 && i < script->table_count; i++) {
        rc = run_module(&script->tables[i], why);
        if (rc == 0)
            rc = refuse_double(script, i, why);
    }
    if (rc != 0) {
        drop_state(script);
        return rc;
    }
    pl_sandbox_loaded(script->sandbox);
    return 0;
}

static int copy_file(struct pl_table_script *table, const struct pl_script_file *file, struct pl_reason *why)
{
    if (file->text.len > PL_SCRIPT_TEXT_MAX)
        return pl_reason_set(why, PL_ECONFIG, "%.*s: the file has %zu bytes, at most %d are allowed",
                             (int)file->name.len, file->name.data, file->text.len, (int)PL_SCRIPT_TEXT_MAX);
    if (!pl_bytes_is_utf8(file->text))
        return pl_reason_set(why, PL_ECONFIG, "%.*s: the file is not UTF-8", (int)file->name.len,
                             file->name.data);
    table->file = strndup(file->name.data, file->name.len);
    table->text = pl_bytes(malloc(file->text.len + 1), file->text.len);
    if (table->file == NULL || table->text.data == NULL)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    if (file->text.len > 0)
        memcpy((char *)table->text.data, file->text.data, file->text.len);
    return 0;
}

/* The table tells which file it came from, for DESCRIBE and the catalog. */
static int name_module(struct pl_table_script *table, struct pl_reason *why)
{
    struct pl_table *definition = table->module.table;
    struct pl_bytes name = pl_arena_copy(&definition->arena, pl_str(table->file));

    if (name.data == NULL)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    definition->module = name;
    return 0;
}

int pl_script_load(const struct pl_script_limits *limits, struct pl_clock clock,
                   const struct pl_script_file *files, uint32_t file_count, struct pl_script **out,
                   struct pl_reason *why)
{
    struct pl_script *script = calloc(1, sizeof *script + file_count * sizeof script->tables[0]);
    int rc = 0;

    if (script == NULL)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    script->limits = *limits;
    script->clock = clock;
    script->table_count = file_count;
    for (uint32_t i = 0; i < file_count; i++)
        script->tables[i].script = script;
    for (uint32_t i = 0; rc == 0 && i < file_count; i++)
        rc = copy_file(&script->tables[i], &files[i], why);
    if (rc == 0)
        rc = make_state(script, why);
    for (uint32_t i = 0; rc == 0 && i < file_count; i++)
        rc = name_module(&script->tables[i], why);
    if (rc != 0) {
        pl_script_free(script);
        return rc;
    }
    *out = script;
    return 0;
}

void pl_script_free(struct pl_script *script)
{
    if (script == NULL)
        return;
    drop_state(script);
    pl_db_deinit(&script->db);
    for (uint32_t i = 0; i < script->table_count; i++) {
        pl_module_deinit(&script->tables[i].module);
        free(script->tables[i].file);
        free((char *)script->tables[i].text.data);
    }
    free(script);
}

uint32_t pl_script_table_count(const struct pl_script *script)
{
    return script->table_count;
}

struct pl_table *pl_script_definition(const struct pl_script *script, uint32_t i)
{
    return script->tables[i].module.table;
}

struct pl_table_script *pl_script_table(struct pl_script *script, struct pl_bytes name)
{
    for (uint32_t i = 0; i < script->table_count; i++)
        if (pl_bytes_equal(script->tables[i].module.table->name, name))
            return &script->tables[i];
    return NULL;
}

const struct pl_table *pl_table_script_definition(const struct pl_table_script *table)
{
    return table->module.table;
}

/* Before a call: the state that an earlier one wore out is replaced. */
static int refresh(struct pl_script *script, struct pl_reason *why)
{
    struct pl_reason inner = { 0 };
    int rc;

    if (script->sandbox != NULL && !pl_sandbox_is_worn(script->sandbox))
        return 0;
    drop_state(script);
    rc = make_state(script, &inner);
    if (rc == 0)
        return 0;
    return pl_reason_set(why, rc == PL_ENOMEM ? rc : PL_ESCRIPT, "%s", pl_reason_text(&inner, rc));
}

int pl_script_before_write(struct pl_table_script *table, const struct pl_item *old,
                           const struct pl_item *new, struct pl_arena *arena, struct pl_buf *buf,
                           struct pl_item *out, bool *unchanged, struct pl_reason *why)
{
    int rc = refresh(table->script, why);

    if (rc != 0)
        return rc;
    return pl_functions_before_write(&table->functions, old, new, arena, buf, out, unchanged, why);
}

int pl_script_condition(struct pl_table_script *table, uint32_t i, const struct pl_item *old,
                        const struct pl_item *new, const struct pl_value *args, bool *holds,
                        struct pl_reason *why)
{
    int rc = refresh(table->script, why);

    if (rc != 0)
        return rc;
    return pl_functions_condition(&table->functions, i, old, new, args, holds, why);
}

int pl_script_condition_named(struct pl_table_script *table, struct pl_bytes name, const struct pl_item *old,
                              const struct pl_item *new, const struct pl_value *args, bool *holds,
                              struct pl_reason *why)
{
    const struct pl_table *definition = table->module.table;

    for (uint32_t i = 0; i < definition->condition_count; i++)
        if (pl_bytes_equal(definition->conditions[i], name))
            return pl_script_condition(table, i, old, new, args, holds, why);
    return pl_reason_set(why, PL_EINVALID, "the table %.*s has no condition named %.*s",
                         (int)definition->name.len, definition->name.data, (int)name.len, name.data);
}

int pl_script_project(struct pl_table_script *table, uint32_t i, const struct pl_item *item,
                      struct pl_arena *arena, struct pl_buf *buf, struct pl_item *out, bool *skipped,
                      struct pl_reason *why)
{
    int rc = refresh(table->script, why);

    if (rc != 0)
        return rc;
    return pl_functions_project(&table->functions, i, item, arena, buf, out, skipped, why);
}

int pl_script_trigger(struct pl_table_script *table, uint32_t i, struct pl_script_batch *batch,
                      const struct pl_db_hands *hands, struct pl_reason *why)
{
    int rc = refresh(table->script, why);

    if (rc != 0)
        return rc;
    batch->db = &table->script->db;
    batch->db->hands = hands;
    rc = pl_functions_trigger(&table->functions, i, batch, why);
    batch->db->hands = NULL;
    return rc;
}

int pl_script_trigger_named(struct pl_table_script *table, struct pl_bytes name,
                            struct pl_script_batch *batch, const struct pl_db_hands *hands,
                            struct pl_reason *why)
{
    const struct pl_table *definition = table->module.table;

    for (uint32_t i = 0; i < definition->trigger_count; i++)
        if (pl_bytes_equal(definition->triggers[i].name, name))
            return pl_script_trigger(table, i, batch, hands, why);
    return pl_reason_set(why, PL_ENOTFOUND, "the table %.*s has no trigger named %.*s",
                         (int)definition->name.len, definition->name.data, (int)name.len, name.data);
}

int pl_script_again(const struct pl_script *script, const struct pl_script_limits *limits,
                    struct pl_clock clock, struct pl_script **out, struct pl_reason *why)
{
    struct pl_script_file *files = calloc(script->table_count + 1u, sizeof *files);
    int rc;

    if (files == NULL)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    for (uint32_t i = 0; i < script->table_count; i++)
        files[i] =
            (struct pl_script_file){ .name = pl_str(script->tables[i].file), .text = script->tables[i].text };
    rc = pl_script_load(limits, clock, files, script->table_count, out, why);
    free(files);
    return rc;
}

size_t pl_script_used_bytes(const struct pl_script *script)
{
    return script->sandbox == NULL ? 0 : pl_sandbox_used_bytes(script->sandbox);
}
