/* SPDX-License-Identifier: MIT */
#include "script/module.h"

#include "script/environment.h"
#include "script/sentence.h"
#include "script/source.h"

#include <cjson/cJSON.h>
#include <lauxlib.h>
#include <stdlib.h>

/*
 * One run, in the order it happens, all of it inside one protected call:
 *
 *     load ─▸ run ─▸ read_definition (Lua ─▸ cJSON ─▸ pl_table) ─▸ find_functions
 *
 * What it makes hangs on this struct at once, so that an error from Lua leaks nothing.
 */
struct run {
    struct pl_module *module;
    const char *file;
    struct pl_bytes text;
    cJSON *definition;
    struct pl_table *table; /* of a first run, until it is known to be sound */
    uint32_t values_left;
    int rc;
    struct pl_reason *why;
};

enum {
    DEFINITION_DEPTH_MAX = 16,
    DEFINITION_VALUES_MAX = 20000,
    PATH_MAX_BYTES = 256,
    CHAIN_STEPS_MAX = 1000
};

/* A field's path as it grows and shrinks, such as "indexes.ByUser". */
struct path {
    char text[PATH_MAX_BYTES];
    size_t len;
};

static void path_push(struct path *path, const char *separator, const char *name)
{
    int written = snprintf(path->text + path->len, sizeof path->text - path->len, "%s%s",
                           path->len == 0 ? "" : separator, name);

    path->len += (size_t)written;
    if (path->len >= sizeof path->text)
        path->len = sizeof path->text - 1;
}

static void path_cut(struct path *path, size_t len)
{
    path->len = len;
    path->text[len] = '\0';
}

/* `file:line: path: sentence`, the line found by looking for the field in the text. */
static int wrong(struct run *run, const struct path *path, const char *sentence)
{
    run->rc = pl_reason_set(run->why, PL_ECONFIG, "%s:%u: %s%s%s", run->file,
                            (unsigned)pl_source_line_of_field(run->text, pl_bytes(path->text, path->len)),
                            path->text, path->len > 0 ? ": " : "", sentence);
    return run->rc;
}

static int out_of_memory(struct run *run)
{
    run->rc = pl_reason_set(run->why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    return run->rc;
}

static int convert(lua_State *L, struct run *run, int index, struct path *path, int depth, cJSON **out);

/* Give `value` to the array or object `to`, which is already reachable from `run`. */
static int attach(struct run *run, cJSON *to, const char *name, cJSON *value)
{
    bool attached = name == NULL ? cJSON_AddItemToArray(to, value) : cJSON_AddItemToObject(to, name, value);

    if (attached)
        return 0;
    cJSON_Delete(value);
    return out_of_memory(run);
}

static int convert_list(lua_State *L, struct run *run, int index, struct path *path, int depth, cJSON *list)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);

    for (lua_Integer i = 1; i <= count; i++) {
        size_t len = path->len;
        cJSON *value = NULL;
        char place[32];
        int rc;

        snprintf(place, sizeof place, "[%lld]", (long long)i);
        path_push(path, "", place);
        lua_rawgeti(L, index, i);
        rc = convert(L, run, lua_gettop(L), path, depth + 1, &value);
        lua_pop(L, 1);
        if (rc == 0)
            rc = attach(run, list, NULL, value);
        if (rc != 0)
            return rc;
        path_cut(path, len);
    }
    return 0;
}

static int convert_fields(lua_State *L, struct run *run, int index, struct path *path, int depth,
                          cJSON *object)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        size_t len = path->len;
        cJSON *value = NULL;
        const char *name;
        int rc;

        if (lua_type(L, -2) != LUA_TSTRING)
            return wrong(run, path, "expected field names that are strings");
        name = lua_tostring(L, -2);
        if (strlen(name) != lua_rawlen(L, -2) || !pl_bytes_is_utf8(pl_str(name)))
            return wrong(run, path, "expected field names of UTF-8 text without zero bytes");
        path_push(path, ".", name);
        rc = convert(L, run, lua_gettop(L), path, depth + 1, &value);
        if (rc == 0)
            rc = attach(run, object, name, value);
        if (rc != 0)
            return rc;
        path_cut(path, len);
        lua_pop(L, 1);
    }
    return 0;
}

static int convert_string(lua_State *L, struct run *run, int index, struct path *path, cJSON **out)
{
    struct pl_bytes text;

    text.data = lua_tolstring(L, index, &text.len);
    if (strlen(text.data) != text.len || !pl_bytes_is_utf8(text))
        return wrong(run, path, "expected UTF-8 text without zero bytes");
    *out = cJSON_CreateString(text.data);
    return *out != NULL ? 0 : out_of_memory(run);
}

static int convert_table(lua_State *L, struct run *run, int index, struct path *path, int depth, cJSON **out)
{
    bool list = lua_rawlen(L, index) > 0;
    cJSON *made;
    int rc;

    if (depth > DEFINITION_DEPTH_MAX || !lua_checkstack(L, 6))
        return wrong(run, path, "the table nests too deep, or contains itself");
    made = list ? cJSON_CreateArray() : cJSON_CreateObject();
    if (made == NULL)
        return out_of_memory(run);
    rc = list ? convert_list(L, run, index, path, depth, made)
              : convert_fields(L, run, index, path, depth, made);
    if (rc != 0) {
        cJSON_Delete(made);
        return rc;
    }
    *out = made;
    return 0;
}

static int convert_function(struct run *run, cJSON **out)
{
    cJSON *made = cJSON_CreateObject();

    if (made == NULL || cJSON_AddTrueToObject(made, "$function") == NULL) {
        cJSON_Delete(made);
        return out_of_memory(run);
    }
    *out = made;
    return 0;
}

/* Only raw access, so that nothing here raises and no code of the script runs. */
static int convert(lua_State *L, struct run *run, int index, struct path *path, int depth, cJSON **out)
{
    char sentence[96];

    if (run->values_left-- == 0)
        return wrong(run, path, "the definition has too many values");
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
        return convert_table(L, run, index, path, depth, out);
    case LUA_TFUNCTION:
        return convert_function(run, out);
    case LUA_TSTRING:
        return convert_string(L, run, index, path, out);
    case LUA_TNUMBER:
        *out = cJSON_CreateNumber(lua_tonumber(L, index));
        return *out != NULL ? 0 : out_of_memory(run);
    case LUA_TBOOLEAN:
        *out = cJSON_CreateBool(lua_toboolean(L, index));
        return *out != NULL ? 0 : out_of_memory(run);
    default:
        snprintf(sentence, sizeof sentence, "expected data or a function, got a %s", luaL_typename(L, index));
        return wrong(run, path, sentence);
    }
}

/* The definition's own check says where and what; the file and line are added here. */
static int read_definition(lua_State *L, struct run *run)
{
    struct pl_reason why = { 0 };
    struct path path = { .len = 0 };
    struct pl_bytes place;
    int rc = convert(L, run, lua_gettop(L), &path, 0, &run->definition);

    if (rc != 0)
        return rc;
    rc = pl_table_from_json(run->definition, true, &run->table, &why);
    if (rc == 0)
        return 0;
    if (rc == PL_ENOMEM)
        return out_of_memory(run);
    place = pl_bytes(why.text, strcspn(why.text, ": "));
    run->rc = pl_reason_set(run->why, PL_ECONFIG, "%s:%u: %s", run->file,
                            (unsigned)pl_source_line_of_field(run->text, place), pl_reason_text(&why, rc));
    return run->rc;
}

/* Push table[name], raw, when there is a table; else nil. */
static void push_field(lua_State *L, int index, struct pl_bytes name)
{
    if (!lua_istable(L, index)) {
        lua_pushnil(L);
        return;
    }
    index = lua_absindex(L, index);
    lua_pushlstring(L, name.data, name.len);
    lua_rawget(L, index);
}

/* Pops a value: a reference when it is a function. */
static int take_function(lua_State *L)
{
    if (lua_isfunction(L, -1))
        return luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    return LUA_NOREF;
}

/* The module's table is on top. */
static void find_functions(lua_State *L, struct pl_module *module)
{
    const struct pl_table *table = module->table;

    push_field(L, -1, pl_str("before_write"));
    module->before_write = take_function(L);
    push_field(L, -1, pl_str("conditions"));
    for (uint32_t i = 0; i < table->condition_count; i++) {
        push_field(L, -1, table->conditions[i]);
        module->conditions[i] = take_function(L);
    }
    lua_pop(L, 1);
    push_field(L, -1, pl_str("indexes"));
    for (uint32_t i = 0; i < table->index_count; i++) {
        push_field(L, -1, table->indexes[i].name);
        push_field(L, -1, pl_str("project"));
        module->projects[i] = take_function(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    push_field(L, -1, pl_str("triggers"));
    for (uint32_t i = 0; i < table->trigger_count; i++) {
        push_field(L, -1, table->triggers[i].name);
        push_field(L, -1, pl_str("run"));
        module->runs[i] = take_function(L);
        push_field(L, -1, pl_str("filter"));
        module->filters[i] = take_function(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int *new_references(uint32_t count)
{
    int *references = malloc(sizeof *references * (count > 0 ? count : 1));

    if (references == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        references[i] = LUA_NOREF;
    return references;
}

/* The module takes the table only together with room for its functions. */
static int keep_table(struct run *run)
{
    struct pl_module *module = run->module;

    module->conditions = new_references(run->table->condition_count);
    module->projects = new_references(run->table->index_count);
    module->runs = new_references(run->table->trigger_count);
    module->filters = new_references(run->table->trigger_count);
    if (module->conditions == NULL || module->projects == NULL || module->runs == NULL ||
        module->filters == NULL)
        return out_of_memory(run);
    module->table = run->table;
    run->table = NULL;
    return 0;
}

static int body(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    struct path nowhere = { .len = 0 };
    char chunk_name[PATH_MAX_BYTES];

    lua_settop(L, 0);
    snprintf(chunk_name, sizeof chunk_name, "@%s", run->file);
    if (luaL_loadbufferx(L, run->text.data, run->text.len, chunk_name, "t") != LUA_OK)
        return lua_error(L);
    pl_environment_push(L);
    if (lua_setupvalue(L, 1, 1) == NULL)
        lua_pop(L, 1); /* a text that names no global has no environment */
    lua_call(L, 0, 1);
    if (!lua_istable(L, 1)) {
        wrong(run, &nowhere, "expected the file to return the table's definition");
        return 0;
    }
    if (run->module->table == NULL && (read_definition(L, run) != 0 || keep_table(run) != 0))
        return 0;
    lua_settop(L, 1);
    find_functions(L, run->module);
    return 0;
}

int pl_module_run(struct pl_module *module, struct pl_sandbox *sandbox, const char *file,
                  struct pl_bytes text, struct pl_reason *why)
{
    struct run run = {
        .module = module, .file = file, .text = text, .values_left = DEFINITION_VALUES_MAX, .why = why
    };
    uint32_t bad_line;
    int rc;

    bad_line = pl_source_line_of_word(text, pl_str("_ENV"));
    if (bad_line != 0)
        return pl_reason_set(why, PL_ECONFIG, "%s:%u: a module may not name _ENV", file, (unsigned)bad_line);
    bad_line = pl_source_line_of_chain(text, CHAIN_STEPS_MAX);
    if (bad_line != 0)
        return pl_reason_set(why, PL_ECONFIG, "%s:%u: an expression has more than %d fields of fields", file,
                             (unsigned)bad_line, (int)CHAIN_STEPS_MAX);
    rc = pl_sandbox_call(sandbox, pl_sandbox_limits(sandbox)->load_time_ms, body, &run, why);
    if (rc == PL_ESCRIPT) {
        rc = PL_ECONFIG; /* the sentence is the script's own, with its line */
        pl_sentence_name_file(why, file);
    }
    cJSON_Delete(run.definition);
    if (run.table != NULL)
        pl_table_unref(run.table);
    return rc != 0 ? rc : run.rc;
}

void pl_module_deinit(struct pl_module *module)
{
    if (module->table != NULL)
        pl_table_unref(module->table);
    free(module->conditions);
    free(module->projects);
    free(module->runs);
    free(module->filters);
    *module = (struct pl_module){ .before_write = LUA_NOREF };
}
