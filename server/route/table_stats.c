/* SPDX-License-Identifier: MIT */
#include "route/table_stats.h"

#include "model/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* ---- throughput ------------------------------------------------------------------------------------- */

/* Half units as units. All figures here are far below 2^53, or estimates. */
static bool add_halves(cJSON *to, const char *name, int64_t halves)
{
    return cJSON_AddNumberToObject(to, name, (double)halves / 2) != NULL;
}

static bool add_allowance(cJSON *to, const char *name, const struct pl_allowance *allowance, uint64_t now_ns)
{
    cJSON *at = cJSON_AddObjectToObject(to, name);

    return at != NULL &&
           cJSON_AddNumberToObject(at, "units", (double)atomic_load(&allowance->units)) != NULL &&
           add_halves(at, "left", pl_allowance_left(allowance, now_ns)) &&
           cJSON_AddNumberToObject(at, "throttled", (double)atomic_load(&allowance->throttled)) != NULL;
}

static bool add_throughput(cJSON *to, const struct pl_allowances *allowances, const struct pl_clock *clock)
{
    uint64_t now_ns = pl_clock_monotonic_ns(clock);
    cJSON *at;

    if (allowances == NULL)
        return true;
    at = cJSON_AddObjectToObject(to, "throughput");
    return at != NULL && add_allowance(at, "read", &allowances->read, now_ns) &&
           add_allowance(at, "write", &allowances->write, now_ns);
}

/* ---- hot keys --------------------------------------------------------------------------------------- */

/* Where keys come and go all have much error and little certain weight: they are not hot. */
static bool is_hot(const struct pl_sketch_key *key)
{
    return key->weight - key->error >= key->weight / 2;
}

/* The key's attributes, as an item would have them. */
static int decode(const struct pl_key_schema *keys, struct pl_bytes pk, struct pl_arena *arena,
                  struct pl_buf *bytes, struct pl_item *out)
{
    struct pl_builder b;
    int rc = 0;

    pl_builder_init(&b, bytes, arena);
    pl_builder_begin_item(&b);
    for (uint8_t i = 0; i < keys->partition_count && rc == 0; i++) {
        pl_builder_name(&b, keys->partition[i].name);
        rc = pl_key_decode_component(&pk, keys->partition[i].type, &b, arena);
    }
    if (rc != 0)
        return rc;
    pl_builder_end(&b);
    return pl_builder_finish_item(&b, out, NULL);
}

static bool add_whole(cJSON *to, const struct pl_key_schema *keys, struct pl_bytes pk)
{
    struct pl_buf bytes = { 0 }, json = { 0 };
    struct pl_arena arena = { 0 };
    struct pl_item item;
    bool added = false;

    if (decode(keys, pk, &arena, &bytes, &item) == 0) {
        pl_json_write_item(&json, PL_JSON_PLAIN, item);
        pl_buf_append_byte(&json, '\0');
        added = pl_buf_status(&json) == 0 && cJSON_AddRawToObject(to, "key", json.data) != NULL;
    }
    pl_buf_deinit(&json);
    pl_buf_deinit(&bytes);
    pl_arena_deinit(&arena);
    return added;
}

/* What is text of a key that is too long; whatever else is in it, its hash names it. */
static bool add_beginning(cJSON *to, const struct pl_sketch_key *key)
{
    char text[PL_SKETCH_KEY_MAX + 1], hash[17];
    size_t len = 0;

    while (len < PL_SKETCH_KEY_MAX && key->bytes[len] >= ' ' && key->bytes[len] != 0x7F)
        len++;
    memcpy(text, key->bytes, len);
    while (len > 0 && !pl_bytes_is_utf8(pl_bytes(text, len)))
        len--;
    text[len] = '\0';
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)key->hash);
    return cJSON_AddStringToObject(to, "begins", text) != NULL &&
           cJSON_AddStringToObject(to, "hash", hash) != NULL;
}

static bool add_key(cJSON *list, const struct pl_key_schema *keys, const struct pl_sketch_key *key,
                    const char *name, double unit)
{
    cJSON *at = cJSON_CreateObject();

    if (at == NULL || !cJSON_AddItemToArray(list, at)) {
        cJSON_Delete(at);
        return false;
    }
    if (!(key->len <= PL_SKETCH_KEY_MAX ? add_whole(at, keys, pl_bytes(key->bytes, key->len))
                                        : add_beginning(at, key)) ||
        cJSON_AddNumberToObject(at, name, (double)key->weight * unit) == NULL)
        return false;
    return key->error == 0 || cJSON_AddNumberToObject(at, "error", (double)key->error * unit) != NULL;
}

static bool add_list(cJSON *to, const struct pl_key_schema *keys, const struct pl_sketch *sketch,
                     const char *name, double unit)
{
    const struct pl_sketch_key *top[PL_TABLE_STATS_KEYS_MAX];
    uint32_t count = pl_sketch_top(sketch, top, PL_TABLE_STATS_KEYS_MAX);
    cJSON *list = cJSON_AddArrayToObject(to, name);

    for (uint32_t i = 0; list != NULL && i < count; i++)
        if (is_hot(top[i]) && !add_key(list, keys, top[i], name, unit))
            return false;
    return list != NULL;
}

static bool add_hot_keys(cJSON *to, uint32_t id, const struct pl_key_schema *keys,
                         struct pl_hot_keys_set *set)
{
    struct pl_sketch *requests, *capacity;
    cJSON *at;
    bool added;

    if (pl_hot_keys_gather(set, id, &requests, &capacity) != 0)
        return false;
    at = cJSON_AddObjectToObject(to, "hot_keys");
    added = at != NULL && cJSON_AddNumberToObject(at, "half_life_s", PL_HOT_HALF_LIFE_S) != NULL &&
            add_list(at, keys, requests, "requests", 1) && add_list(at, keys, capacity, "capacity", 0.5);
    pl_sketch_free(requests);
    pl_sketch_free(capacity);
    return added;
}

/* ---- the table -------------------------------------------------------------------------------------- */

static bool add_counts(cJSON *to, struct pl_counters *counters, uint32_t id)
{
    struct pl_count count = pl_counters_total(counters, id);

    return cJSON_AddNumberToObject(to, "items", (double)count.items) != NULL &&
           cJSON_AddNumberToObject(to, "size_bytes", (double)count.size_bytes) != NULL;
}

/* A local index's partition keys are the table's, and so is its throughput. */
static bool add_index(cJSON *to, const struct pl_index *index, struct pl_counters *counters,
                      struct pl_hot_keys_set *set, const struct pl_clock *clock)
{
    char name[PL_TABLE_NAME_MAX + 1];
    cJSON *at;

    memcpy(name, index->name.data, index->name.len);
    name[index->name.len] = '\0';
    at = cJSON_AddObjectToObject(to, name);
    if (at == NULL || !add_counts(at, counters, index->id) || !add_throughput(at, index->allowances, clock))
        return false;
    return !index->global || add_hot_keys(at, index->id, &index->keys, set);
}

int pl_table_stats(const struct pl_table *table, struct pl_counters *counters,
                   struct pl_hot_keys_set *hot_keys, const struct pl_clock *clock, cJSON *to)
{
    cJSON *indexes;

    if (!add_counts(to, counters, table->id) || !add_throughput(to, table->allowances, clock) ||
        !add_hot_keys(to, table->id, &table->keys, hot_keys))
        return PL_ENOMEM;
    if (table->index_count == 0)
        return 0;
    indexes = cJSON_AddObjectToObject(to, "indexes");
    if (indexes == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!add_index(indexes, &table->indexes[i], counters, hot_keys, clock))
            return PL_ENOMEM;
    return 0;
}
