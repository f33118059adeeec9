/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/table.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A definition, read field by field. Every reader is told the place it reads at, and
 * whatever it does not like ends the reading with "place: what was expected".
 */
struct place {
    const struct place *outer; /* NULL: a field of the definition itself */
    const char *name;          /* NULL: element `index` of a list */
    int index;
};

struct loader {
    struct pl_table *table;
    bool functions;
    struct pl_reason *why;
};

enum { PLACE_MAX = 400, SHOWN_MAX = 64 };

static const char dynamodb_units_max[] = "1000000000000";
static const double UNITS_MAX = 1e12;

/* --- sentences --- */

/* What a person wrote, if it can be shown: not all of a long text, and nothing that is no text. */
static const char *shown(const char *text)
{
    size_t len = strnlen(text, SHOWN_MAX + 1);

    return len <= SHOWN_MAX && pl_bytes_is_utf8(pl_bytes(text, len)) ? text : "(unprintable)";
}

static size_t write_place(const struct place *at, char text[PLACE_MAX])
{
    size_t len = at->outer != NULL ? write_place(at->outer, text) : 0;
    int written;

    if (at->name != NULL)
        written = snprintf(text + len, PLACE_MAX - len, "%s%s", len > 0 ? "." : "", shown(at->name));
    else
        written = snprintf(text + len, PLACE_MAX - len, "[%d]", at->index + 1);
    len += (size_t)written;
    return len < PLACE_MAX ? len : PLACE_MAX - 1;
}

static int wrong(const struct loader *l, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct loader *l, const struct place *at, const char *format, ...)
{
    char place[PLACE_MAX];
    struct pl_reason sentence;
    va_list args;

    write_place(at, place);
    va_start(args, format);
    pl_reason_vset(&sentence, PL_EINVALID, format, args);
    va_end(args);
    return pl_reason_set(l->why, PL_EINVALID, "%s: %s", place, sentence.text);
}

static int expected(const struct loader *l, const struct place *at, const char *what, const cJSON *found)
{
    if (cJSON_IsString(found))
        return wrong(l, at, "expected %s, found \"%s\"", what, shown(found->valuestring));
    if (cJSON_IsNumber(found))
        return wrong(l, at, "expected %s, found %.15g", what, found->valuedouble);
    return wrong(l, at, "expected %s, found %s", what,
                 found == NULL           ? "nothing"
                 : cJSON_IsArray(found)  ? "a list"
                 : cJSON_IsObject(found) ? "an object"
                 : cJSON_IsTrue(found)   ? "true"
                 : cJSON_IsFalse(found)  ? "false"
                                         : "null");
}

/* --- small things --- */

static const cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* An empty Lua table is a list as much as an object. */
static bool is_object(const cJSON *json)
{
    return cJSON_IsObject(json) || (cJSON_IsArray(json) && json->child == NULL);
}

/* Only fields of `known` (a list ended by NULL), none of them twice. */
static int check_fields(const struct loader *l, const struct place *at, const cJSON *object,
                        const char *const *known)
{
    uint32_t seen = 0;

    for (const cJSON *child = object->child; child != NULL; child = child->next) {
        struct place here = { .outer = at, .name = child->string };
        char list[PL_REASON_MAX / 2];
        size_t len = 0;
        int i = 0;

        while (known[i] != NULL && strcmp(known[i], child->string) != 0)
            i++;
        if (known[i] != NULL && (seen & UINT32_C(1) << i) == 0) {
            seen |= UINT32_C(1) << i;
            continue;
        }
        if (known[i] != NULL)
            return wrong(l, &here, "the field is given twice");
        for (i = 0; known[i] != NULL; i++)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "", known[i]);
        return wrong(l, &here, "there is no such field; known here are %s", list);
    }
    return 0;
}

/* `text` of 1 to `len_max` bytes, copied. */
static int take_text(const struct loader *l, const struct place *at, const char *text, size_t len_max,
                     struct pl_bytes *out)
{
    struct pl_bytes copy = pl_str(text);

    if (copy.len == 0 || copy.len > len_max)
        return wrong(l, at, "expected a name of 1 to %zu bytes, found %zu", len_max, copy.len);
    if (!pl_bytes_is_utf8(copy))
        return wrong(l, at, "the name is not well-formed UTF-8");
    copy = pl_arena_copy(&l->table->arena, copy);
    if (copy.data == NULL)
        return PL_ENOMEM;
    *out = copy;
    return 0;
}

/* The name of a table or index. */
static int take_table_name(const struct loader *l, const struct place *at, const char *text,
                           struct pl_bytes *out)
{
    if (!pl_table_name_is_valid(pl_str(text)))
        return wrong(
            l, at, "expected a name of %d to %d characters of a-z, A-Z, 0-9, '_', '-' and '.', found \"%s\"",
            PL_TABLE_NAME_MIN, PL_TABLE_NAME_MAX, shown(text));
    return take_text(l, at, text, PL_TABLE_NAME_MAX, out);
}

/* A whole number from `min` to `max`. Absent: `*out` stays. */
static int take_integer(const struct loader *l, const struct place *outer, const cJSON *object,
                        const char *name, int64_t min, int64_t max, int64_t *out)
{
    struct place at = { .outer = outer, .name = name };
    const cJSON *json = field(object, name);
    char what[80];

    if (json == NULL)
        return 0;
    if (cJSON_IsNumber(json) && json->valuedouble >= (double)min && json->valuedouble <= (double)max &&
        (double)(int64_t)json->valuedouble == json->valuedouble) {
        *out = (int64_t)json->valuedouble;
        return 0;
    }
    snprintf(what, sizeof what, "a whole number from %lld to %lld", (long long)min, (long long)max);
    return expected(l, &at, what, json);
}

static int take_bool(const struct loader *l, const struct place *at, const cJSON *json, bool *out)
{
    if (json == NULL)
        return 0;
    if (!cJSON_IsBool(json))
        return expected(l, at, "true or false", json);
    *out = cJSON_IsTrue(json);
    return 0;
}

/* {"$function":true} */
static bool is_function(const cJSON *json)
{
    return cJSON_IsObject(json) && json->child != NULL && json->child->next == NULL &&
           strcmp(json->child->string, "$function") == 0 && cJSON_IsTrue(json->child);
}

static int check_function(const struct loader *l, const struct place *at, const cJSON *json)
{
    if (!is_function(json))
        return expected(l, at, "a function", json);
    if (!l->functions)
        return wrong(l, at, "a function can only be given by a Lua module");
    return 0;
}

/* Room for the members of an object or list. */
static int take_room(const struct loader *l, const cJSON *json, size_t size, void *out)
{
    void *room = pl_arena_zalloc(&l->table->arena, (size_t)cJSON_GetArraySize(json), size);

    if (room == NULL)
        return PL_ENOMEM;
    memcpy(out, &room, sizeof room);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    /* Indexes and triggers begin with their name, so this compares all three kinds. */
    return pl_bytes_compare(*(const struct pl_bytes *)a, *(const struct pl_bytes *)b);
}

_Static_assert(offsetof(struct pl_index, name) == 0 && offsetof(struct pl_trigger, name) == 0,
               "see compare_names");

/* Sort by name and refuse a name that is there twice. */
static int sort(const struct loader *l, const struct place *at, void *things, uint32_t count, size_t size)
{
    if (count == 0)
        return 0;
    qsort(things, count, size, compare_names);
    for (uint32_t i = 1; i < count; i++) {
        const struct pl_bytes *name = (const void *)((const char *)things + i * size);

        if (compare_names((const char *)name - size, name) == 0)
            return wrong(l, at, "\"%.*s\" is given twice", (int)(name->len > SHOWN_MAX ? 0 : name->len),
                         name->data);
    }
    return 0;
}

/* --- keys --- */

static enum pl_type key_type(char letter)
{
    return letter == 'S' ? PL_TYPE_S : letter == 'N' ? PL_TYPE_N : letter == 'B' ? PL_TYPE_B : 0;
}

/* "Name:T"; the name may hold colons itself. */
static int take_key_attribute(const struct loader *l, const struct place *at, const cJSON *json,
                              struct pl_key_attribute *out)
{
    const char *what = "an attribute and its type, like \"Name:S\" (S, N or B)", *colon;
    struct pl_bytes name;

    if (!cJSON_IsString(json))
        return expected(l, at, what, json);
    colon = strrchr(json->valuestring, ':');
    if (colon == NULL || colon == json->valuestring || strlen(colon) != 2 || key_type(colon[1]) == 0)
        return expected(l, at, what, json);
    name = pl_bytes(json->valuestring, (size_t)(colon - json->valuestring));
    if (name.len > PL_KEY_ATTRIBUTE_NAME_MAX)
        return wrong(l, at, "the name of a key attribute has at most %d bytes, this one %zu",
                     PL_KEY_ATTRIBUTE_NAME_MAX, name.len);
    if (!pl_bytes_is_utf8(name))
        return wrong(l, at, "the name is not well-formed UTF-8");
    name = pl_arena_copy(&l->table->arena, name);
    if (name.data == NULL)
        return PL_ENOMEM;
    *out = (struct pl_key_attribute){ .name = name, .type = key_type(colon[1]) };
    return 0;
}

/* One attribute, or a list of up to `count_max`. */
static int take_key_attributes(const struct loader *l, const struct place *at, const cJSON *json,
                               int count_max, struct pl_key_attribute *out, uint8_t *count)
{
    int found, rc;

    if (is_function(json))
        return wrong(l, at,
                     "expected the key's attribute and type even where a function computes it: let `project` "
                     "return the attribute");
    if (!cJSON_IsArray(json)) {
        *count = 1;
        return take_key_attribute(l, at, json, &out[0]);
    }
    found = cJSON_GetArraySize(json);
    if (found == 0)
        return wrong(l, at, "expected at least one key attribute, found an empty list");
    if (found > count_max)
        return count_max == 1
                   ? wrong(l, at, "expected one key attribute, found %d: only global indexes have several",
                           found)
                   : wrong(l, at, "expected at most %d key attributes, found %d", count_max, found);
    for (int i = 0; i < found; i++) {
        struct place here = { .outer = at, .index = i };

        rc = take_key_attribute(l, &here, cJSON_GetArrayItem(json, i), &out[i]);
        if (rc != 0)
            return rc;
    }
    *count = (uint8_t)found;
    return 0;
}

static const struct pl_key_attribute *find_in_schema(const struct pl_key_schema *keys, struct pl_bytes name)
{
    for (uint8_t i = 0; i < keys->partition_count; i++)
        if (pl_bytes_equal(keys->partition[i].name, name))
            return &keys->partition[i];
    for (uint8_t i = 0; i < keys->sort_count; i++)
        if (pl_bytes_equal(keys->sort[i].name, name))
            return &keys->sort[i];
    return NULL;
}

/* The attribute as the table or an index before this one has it. */
static const struct pl_key_attribute *find_known(const struct pl_table *table, struct pl_bytes name)
{
    const struct pl_key_attribute *found = find_in_schema(&table->keys, name);

    for (uint32_t i = 0; found == NULL && i < table->index_count; i++)
        found = find_in_schema(&table->indexes[i].keys, name);
    return found;
}

static int check_attributes(const struct loader *l, const struct place *at, const struct pl_key_schema *keys,
                            const struct pl_key_attribute *attributes, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        const struct pl_key_attribute *attribute = &attributes[i];
        const struct pl_key_attribute *known = find_known(l->table, attribute->name);

        if (find_in_schema(keys, attribute->name) != attribute)
            return wrong(l, at, "the attribute \"%.*s\" stands in the key twice", (int)attribute->name.len,
                         attribute->name.data);
        if (known != NULL && known->type != attribute->type)
            return wrong(l, at,
                         "the attribute \"%.*s\" is of type %s here and %s elsewhere: it can have only one",
                         (int)attribute->name.len, attribute->name.data, pl_type_name(attribute->type),
                         pl_type_name(known->type));
    }
    return 0;
}

/* The parts that a schema reads from `object`; the partition key may be there already (local indexes). */
static int take_keys(const struct loader *l, const struct place *outer, const cJSON *object, int count_max,
                     struct pl_key_schema *keys)
{
    struct place partition = { .outer = outer, .name = "partition_key" };
    struct place sort_key = { .outer = outer, .name = "sort_key" };
    const cJSON *json = field(object, "sort_key");
    int rc = 0;

    if (keys->partition_count == 0)
        rc = take_key_attributes(l, &partition, field(object, "partition_key"), count_max, keys->partition,
                                 &keys->partition_count);
    if (rc == 0 && json != NULL)
        rc = take_key_attributes(l, &sort_key, json, count_max, keys->sort, &keys->sort_count);
    if (rc == 0)
        rc = check_attributes(l, &partition, keys, keys->partition, keys->partition_count);
    if (rc == 0)
        rc = check_attributes(l, &sort_key, keys, keys->sort, keys->sort_count);
    return rc;
}

static int take_throughput(const struct loader *l, const struct place *outer, const cJSON *object,
                           struct pl_throughput *out)
{
    static const char *const known[] = { "read", "write", NULL };
    struct place at = { .outer = outer, .name = "throughput" };
    const cJSON *json = field(object, "throughput");
    int64_t read_units = 0, write_units = 0;
    int rc;

    if (json == NULL)
        return 0;
    if (!cJSON_IsObject(json))
        return expected(l, &at, "{\"read\":units,\"write\":units}", json);
    rc = check_fields(l, &at, json, known);
    if (rc == 0)
        rc = take_integer(l, &at, json, "read", 1, UNITS_MAX, &read_units);
    if (rc == 0)
        rc = take_integer(l, &at, json, "write", 1, UNITS_MAX, &write_units);
    if (rc != 0)
        return rc;
    if (read_units == 0 || write_units == 0)
        return wrong(l, &at, "expected both read and write units, from 1 to %s", dynamodb_units_max);
    *out = (struct pl_throughput){ .provisioned = true,
                                   .read_units = (uint64_t)read_units,
                                   .write_units = (uint64_t)write_units };
    return 0;
}

/* --- indexes --- */

static int take_projected_names(const struct loader *l, const struct place *at, const cJSON *json,
                                struct pl_index *index)
{
    uint32_t count = 0;
    int rc;

    if (json->child == NULL)
        return wrong(l, at, "expected at least one name, found an empty list");
    rc = take_room(l, json, sizeof *index->names, &index->names);
    if (rc != 0)
        return rc;
    for (const cJSON *child = json->child; child != NULL; child = child->next) {
        struct place here = { .outer = at, .index = (int)count };

        if (!cJSON_IsString(child))
            return expected(l, &here, "the name of an attribute", child);
        rc = take_text(l, &here, child->valuestring, PL_KEY_ATTRIBUTE_NAME_MAX, &index->names[count]);
        if (rc != 0)
            return rc;
        count++;
    }
    index->projection = PL_PROJECT_NAMES;
    index->name_count = count;
    return sort(l, at, index->names, count, sizeof *index->names);
}

static int take_projection(const struct loader *l, const struct place *outer, const cJSON *object,
                           struct pl_index *index)
{
    struct place at = { .outer = outer, .name = "project" };
    const cJSON *json = field(object, "project");

    if (json == NULL || (cJSON_IsString(json) && strcmp(json->valuestring, "all") == 0)) {
        index->projection = PL_PROJECT_ALL;
        return 0;
    }
    if (cJSON_IsString(json) && strcmp(json->valuestring, "keys_only") == 0) {
        index->projection = PL_PROJECT_KEYS_ONLY;
        return 0;
    }
    if (cJSON_IsArray(json))
        return take_projected_names(l, &at, json, index);
    if (is_function(json)) {
        index->projection = PL_PROJECT_FUNCTION;
        return check_function(l, &at, json);
    }
    return expected(l, &at, "\"all\", \"keys_only\", a list of names or a function", json);
}

/* A local index shares the table's partition key and throughput, and sorts its partition anew. */
static int take_local_keys(const struct loader *l, const struct place *at, const cJSON *json,
                           struct pl_index *index)
{
    struct place sort_key = { .outer = at, .name = "sort_key" };
    struct place throughput = { .outer = at, .name = "throughput" };

    if (field(json, "sort_key") == NULL)
        return wrong(l, &sort_key,
                     "expected a sort key, because an index without partition_key is local; a global "
                     "one has its own partition_key");
    if (l->table->keys.sort_count == 0)
        return wrong(
            l, at,
            "a local index needs a table with a sort key; with its own partition_key it would be global");
    if (field(json, "throughput") != NULL)
        return wrong(l, &throughput, "a local index shares the throughput of its table");
    index->keys = l->table->keys;
    index->keys.sort_count = 0;
    return take_keys(l, at, json, 1, &index->keys);
}

static int take_global_keys(const struct loader *l, const struct place *at, const cJSON *json,
                            struct pl_index *index)
{
    struct place throughput = { .outer = at, .name = "throughput" };
    int rc;

    index->global = true;
    rc = take_keys(l, at, json, PL_KEY_COMPONENTS_MAX, &index->keys);
    if (rc == 0)
        rc = take_throughput(l, at, json, &index->throughput);
    if (rc != 0)
        return rc;
    if (index->throughput.provisioned && !l->table->throughput.provisioned)
        return wrong(l, &throughput,
                     "the table has no throughput, so it is on demand, and so are its indexes");
    if (!index->throughput.provisioned && l->table->throughput.provisioned)
        return wrong(l, &throughput,
                     "expected {\"read\":units,\"write\":units}, because the table has throughput");
    return 0;
}

static int take_index(const struct loader *l, const struct place *at, const cJSON *json,
                      struct pl_index *index)
{
    static const char *const known[] = { "partition_key", "sort_key", "project", "throughput", NULL };
    int rc;

    if (!cJSON_IsObject(json))
        return expected(l, at, "an object with the index's keys", json);
    rc = check_fields(l, at, json, known);
    if (rc == 0)
        rc = take_table_name(l, at, json->string, &index->name);
    if (rc != 0)
        return rc;
    index->state = PL_INDEX_ACTIVE;
    rc = field(json, "partition_key") != NULL ? take_global_keys(l, at, json, index)
                                              : take_local_keys(l, at, json, index);
    return rc != 0 ? rc : take_projection(l, at, json, index);
}

static int check_index_limits(const struct loader *l, const struct place *at)
{
    uint32_t locals = 0, globals = 0, names = 0;

    for (uint32_t i = 0; i < l->table->index_count; i++) {
        const struct pl_index *index = &l->table->indexes[i];

        locals += !index->global;
        globals += index->global;
        names += index->name_count;
    }
    if (locals > PL_LOCAL_INDEXES_MAX)
        return wrong(l, at, "a table has at most %d local indexes, this one %u", PL_LOCAL_INDEXES_MAX,
                     locals);
    if (globals > PL_GLOBAL_INDEXES_MAX)
        return wrong(l, at, "a table has at most %d global indexes, this one %u", PL_GLOBAL_INDEXES_MAX,
                     globals);
    if (names > PL_NON_KEY_ATTRIBUTES_MAX)
        return wrong(l, at, "all indexes together project at most %d names, these %u",
                     PL_NON_KEY_ATTRIBUTES_MAX, names);
    return 0;
}

static int take_indexes(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "indexes" };
    struct pl_table *table = l->table;
    int rc;

    if (json == NULL)
        return 0;
    if (!is_object(json))
        return expected(l, &at, "an object with an index under each name", json);
    rc = take_room(l, json, sizeof *table->indexes, &table->indexes);
    if (rc != 0)
        return rc;
    for (const cJSON *child = json->child; child != NULL; child = child->next) {
        struct place here = { .outer = &at, .name = child->string };

        rc = take_index(l, &here, child, &table->indexes[table->index_count]);
        if (rc != 0)
            return rc;
        table->index_count++;
        rc = check_index_limits(l, &at);
        if (rc != 0)
            return rc;
    }
    return sort(l, &at, table->indexes, table->index_count, sizeof *table->indexes);
}

/* --- triggers and conditions --- */

static int take_event(const struct loader *l, const struct place *at, const cJSON *json,
                      struct pl_trigger *trigger)
{
    const char *name = cJSON_IsString(json) ? json->valuestring : "";
    bool *event = strcmp(name, "insert") == 0   ? &trigger->on_insert
                  : strcmp(name, "modify") == 0 ? &trigger->on_modify
                  : strcmp(name, "remove") == 0 ? &trigger->on_remove
                                                : NULL;

    if (event == NULL)
        return expected(l, at, "\"insert\", \"modify\" or \"remove\"", json);
    if (*event)
        return wrong(l, at, "\"%s\" is given twice", name);
    *event = true;
    return 0;
}

static int take_events(const struct loader *l, const struct place *outer, const cJSON *json,
                       struct pl_trigger *trigger)
{
    struct place at = { .outer = outer, .name = "on" };
    int index = 0;

    if (json == NULL) {
        trigger->on_insert = trigger->on_modify = trigger->on_remove = true;
        return 0;
    }
    if (!cJSON_IsArray(json) || json->child == NULL)
        return expected(l, &at, "a list of \"insert\", \"modify\" and \"remove\"", json);
    for (const cJSON *child = json->child; child != NULL; child = child->next) {
        struct place here = { .outer = &at, .index = index++ };
        int rc = take_event(l, &here, child, trigger);

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* "max_age_s", or "max_age" for those who leave out the unit: -1, or a minute to a week. */
static int take_max_age(const struct loader *l, const struct place *at, const cJSON *json,
                        struct pl_trigger *trigger)
{
    const char *name = field(json, "max_age") != NULL ? "max_age" : "max_age_s";
    struct place here = { .outer = at, .name = name };
    int64_t max_age_s = -1;
    int rc;

    if (field(json, "max_age") != NULL && field(json, "max_age_s") != NULL)
        return wrong(l, &here, "this is max_age_s under another name: give one of them");
    rc = take_integer(l, at, json, name, -1, 604800, &max_age_s);
    if (rc != 0)
        return rc;
    if (max_age_s != -1 && max_age_s < 60)
        return wrong(l, &here, "expected -1 (no limit) or 60 to 604800 seconds, found %lld",
                     (long long)max_age_s);
    trigger->max_age_s = max_age_s;
    return 0;
}

static int take_trigger_settings(const struct loader *l, const struct place *at, const cJSON *json,
                                 struct pl_trigger *trigger)
{
    int64_t batch = 100, batch_window_ms = 0, retries = -1, parallel = 1;
    int rc;

    rc = take_integer(l, at, json, "batch", 1, 10000, &batch);
    if (rc == 0)
        rc = take_integer(l, at, json, "batch_window_ms", 0, 300000, &batch_window_ms);
    if (rc == 0)
        rc = take_integer(l, at, json, "retries", -1, 10000, &retries);
    if (rc == 0)
        rc = take_integer(l, at, json, "parallel", 1, 10, &parallel);
    if (rc == 0)
        rc = take_max_age(l, at, json, trigger);
    if (rc != 0)
        return rc;
    trigger->batch = (uint32_t)batch;
    trigger->batch_window_ms = (uint32_t)batch_window_ms;
    trigger->retries = retries;
    trigger->parallel = (uint32_t)parallel;
    return 0;
}

static int take_trigger(const struct loader *l, const struct place *at, const cJSON *json,
                        struct pl_trigger *trigger)
{
    static const char *const known[] = { "on",      "batch",    "batch_window_ms", "retries", "max_age_s",
                                         "max_age", "parallel", "filter",          "run",     NULL };
    struct place run = { .outer = at, .name = "run" }, filter = { .outer = at, .name = "filter" };
    int rc;

    if (!cJSON_IsObject(json))
        return expected(l, at, "an object with the trigger's function under \"run\"", json);
    rc = check_fields(l, at, json, known);
    if (rc == 0)
        rc = take_text(l, at, json->string, PL_TABLE_NAME_MAX, &trigger->name);
    if (rc == 0)
        rc = take_events(l, at, field(json, "on"), trigger);
    if (rc == 0)
        rc = take_trigger_settings(l, at, json, trigger);
    if (rc == 0)
        rc = check_function(l, &run, field(json, "run"));
    if (rc == 0 && field(json, "filter") != NULL) {
        trigger->has_filter = true;
        rc = check_function(l, &filter, field(json, "filter"));
    }
    return rc;
}

static int take_triggers(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "triggers" };
    struct pl_table *table = l->table;
    int rc;

    if (json == NULL)
        return 0;
    if (!is_object(json))
        return expected(l, &at, "an object with a trigger under each name", json);
    if (json->child != NULL && table->stream == PL_STREAM_OFF)
        return wrong(l, &at,
                     "triggers run from the stream, and this table has none: give it one, such as "
                     "stream = \"new_and_old_images\"");
    rc = take_room(l, json, sizeof *table->triggers, &table->triggers);
    if (rc != 0)
        return rc;
    for (const cJSON *child = json->child; child != NULL; child = child->next) {
        struct place here = { .outer = &at, .name = child->string };

        rc = take_trigger(l, &here, child, &table->triggers[table->trigger_count]);
        if (rc != 0)
            return rc;
        table->trigger_count++;
    }
    return sort(l, &at, table->triggers, table->trigger_count, sizeof *table->triggers);
}

static int take_conditions(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "conditions" };
    struct pl_table *table = l->table;
    int rc;

    if (json == NULL)
        return 0;
    if (!is_object(json))
        return expected(l, &at, "an object with a function under each name", json);
    rc = take_room(l, json, sizeof *table->conditions, &table->conditions);
    if (rc != 0)
        return rc;
    for (const cJSON *child = json->child; child != NULL; child = child->next) {
        struct place here = { .outer = &at, .name = child->string };

        rc =
            take_text(l, &here, child->string, PL_TABLE_NAME_MAX, &table->conditions[table->condition_count]);
        if (rc == 0)
            rc = check_function(l, &here, child);
        if (rc != 0)
            return rc;
        table->condition_count++;
    }
    return sort(l, &at, table->conditions, table->condition_count, sizeof *table->conditions);
}

/* --- the table itself --- */

static int take_stream(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "stream" };

    if (json == NULL || cJSON_IsFalse(json))
        return 0;
    for (enum pl_stream_view view = PL_STREAM_KEYS_ONLY; view <= PL_STREAM_NEW_AND_OLD_IMAGES; view++)
        if (cJSON_IsString(json) && strcmp(json->valuestring, pl_stream_view_name(view)) == 0) {
            l->table->stream = view;
            return 0;
        }
    return expected(l, &at, "\"keys_only\", \"new_image\", \"old_image\", \"new_and_old_images\" or false",
                    json);
}

static int take_ttl(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "ttl" };

    if (json == NULL)
        return 0;
    if (!cJSON_IsString(json))
        return expected(l, &at, "the name of an attribute", json);
    return take_text(l, &at, json->valuestring, PL_KEY_ATTRIBUTE_NAME_MAX, &l->table->ttl_attribute);
}

static int take_before_write(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "before_write" };

    if (json == NULL)
        return 0;
    l->table->has_before_write = true;
    return check_function(l, &at, json);
}

static int take_dynamodb(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "dynamodb" };
    struct pl_bytes copy;
    char *text;

    if (json == NULL)
        return 0;
    if (!is_object(json))
        return expected(l, &at, "an object", json);
    text = cJSON_PrintUnformatted(json);
    if (text == NULL)
        return PL_ENOMEM;
    copy = pl_arena_copy(&l->table->arena, pl_str(text));
    cJSON_free(text);
    if (copy.data == NULL)
        return PL_ENOMEM;
    if (copy.len > PL_TABLE_DYNAMODB_MAX)
        return wrong(l, &at, "expected at most %d bytes, found %zu", PL_TABLE_DYNAMODB_MAX, copy.len);
    l->table->dynamodb = copy;
    return 0;
}

static int take_name(const struct loader *l, const cJSON *json)
{
    struct place at = { .name = "table" };

    if (!cJSON_IsString(json))
        return expected(l, &at, "the name of the table", json);
    return take_table_name(l, &at, json->valuestring, &l->table->name);
}

static int take_table(const struct loader *l, const cJSON *json)
{
    static const char *const known[] = {
        "table",   "partition_key", "sort_key",   "ttl",      "stream",   "throughput", "deletion_protection",
        "indexes", "before_write",  "conditions", "triggers", "dynamodb", NULL
    };
    struct place protection = { .name = "deletion_protection" };
    struct pl_table *table = l->table;
    int rc;

    rc = check_fields(l, NULL, json, known);
    if (rc == 0)
        rc = take_name(l, field(json, "table"));
    if (rc == 0)
        rc = take_keys(l, NULL, json, 1, &table->keys);
    if (rc == 0)
        rc = take_ttl(l, field(json, "ttl"));
    if (rc == 0)
        rc = take_stream(l, field(json, "stream"));
    if (rc == 0)
        rc = take_throughput(l, NULL, json, &table->throughput);
    if (rc == 0)
        rc = take_bool(l, &protection, field(json, "deletion_protection"), &table->deletion_protection);
    if (rc == 0)
        rc = take_indexes(l, field(json, "indexes"));
    if (rc == 0)
        rc = take_before_write(l, field(json, "before_write"));
    if (rc == 0)
        rc = take_conditions(l, field(json, "conditions"));
    if (rc == 0)
        rc = take_triggers(l, field(json, "triggers"));
    if (rc == 0)
        rc = take_dynamodb(l, field(json, "dynamodb"));
    return rc;
}

int pl_table_from_json(const cJSON *definition, bool functions, struct pl_table **out, struct pl_reason *why)
{
    struct loader l = { .functions = functions, .why = why };
    int rc;

    if (!cJSON_IsObject(definition))
        return pl_reason_set(why, PL_EINVALID, "expected an object with the table's definition");
    l.table = calloc(1, sizeof *l.table);
    if (l.table == NULL)
        return PL_ENOMEM;
    atomic_init(&l.table->references, 1);
    rc = take_table(&l, definition);
    if (rc != 0) {
        pl_table_unref(l.table);
        return rc;
    }
    *out = l.table;
    return 0;
}

enum { TEXT_MAX = 1024 * 1024 };

static bool has_zero(struct pl_bytes text)
{
    const char *end = text.data + text.len, *at = text.data;

    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            return true;
        at += 2; /* the text is sound: something is escaped */
    }
    return false;
}

/* cJSON takes nearly anything for JSON, and ends a string at a zero character. So look first. */
int pl_table_check_text(struct pl_bytes text, struct pl_reason *why)
{
    struct pl_json_reader r;
    int rc;

    pl_json_reader_init(&r, text, NULL);
    rc = pl_json_skip(&r, why);
    if (rc == 0)
        rc = pl_json_take_end(&r, why);
    if (rc == 0 && has_zero(text))
        return pl_reason_set(why, PL_EINVALID, "a table's definition holds no zero characters");
    return rc;
}

int pl_table_from_text(struct pl_bytes text, bool functions, struct pl_table **out, struct pl_reason *why)
{
    cJSON *definition;
    int rc;

    if (text.len > TEXT_MAX)
        return pl_reason_set(why, PL_EINVALID, "a table's definition has at most %d bytes, this one %zu",
                             TEXT_MAX, text.len);
    rc = pl_table_check_text(text, why);
    if (rc != 0)
        return rc;
    definition = cJSON_ParseWithLengthOpts(text.data, text.len, NULL, 0);
    if (definition == NULL)
        return PL_ENOMEM; /* it is sound JSON, so nothing else was missing */
    rc = pl_table_from_json(definition, functions, out, why);
    cJSON_Delete(definition);
    return rc;
}
