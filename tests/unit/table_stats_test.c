/* SPDX-License-Identifier: MIT */
#include "route/table_stats.h"

#include "failing_allocation.h"
#include "test.h"

#include <cjson/cJSON.h>

static uint64_t now_of(void *state)
{
    (void)state;
    return UINT64_C(1000000000000);
}

static int64_t wall_of(void *state)
{
    (void)state;
    return 0;
}

static const struct pl_clock fake_clock = { now_of, wall_of, NULL };

static void *json_malloc(size_t len)
{
    return malloc(len);
}

static void json_free(void *at)
{
    free(at);
}

struct rig {
    struct pl_table *table;
    struct pl_counters *counters;
    struct pl_hot_keys_set set;
    struct pl_hot_keys *hot;
};

static void note(struct rig *r, struct pl_bytes pk, const struct pl_index *index)
{
    struct pl_operation op = { .table = r->table, .index = index, .pk = pk };

    op.reply.capacity.table_halves = 3;
    pl_hot_keys_note(r->hot, &op);
}

static void start(struct rig *r)
{
    static char long_key[300];
    struct pl_reason why = { 0 };

    *r = (struct rig){ 0 };
    CHECK_MSG(pl_table_from_text(
                  pl_str("{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:N\","
                         "\"throughput\":{\"read\":5,\"write\":6},\"indexes\":{"
                         "\"ByG\":{\"partition_key\":\"G:S\",\"throughput\":{\"read\":7,\"write\":8}},"
                         "\"ByL\":{\"sort_key\":\"L:N\"}}}"),
                  false, &r->table, &why) == 0,
              "%s", why.text);
    r->table->id = 1;
    r->table->indexes[0].id = 2;
    r->table->indexes[1].id = 3;
    CHECK(pl_table_share(r->table, NULL) == 0);
    pl_table_provide(r->table, now_of(NULL));
    CHECK(pl_counters_new(&r->counters) == 0);
    CHECK(pl_counters_add(r->counters, 0, 1, 4, 400) == 0);
    pl_hot_keys_set_init(&r->set);
    r->hot = pl_hot_keys_new(&r->set, &fake_clock);
    CHECK(r->hot != NULL);
    memset(long_key, 'x', sizeof long_key);
    note(r, pl_bytes("p\0\1", 3), NULL);
    note(r, pl_bytes(long_key, sizeof long_key), NULL);
    note(r, pl_bytes("g\0\1", 3), &r->table->indexes[0]);
}

static void end(struct rig *r)
{
    pl_hot_keys_free(r->hot);
    pl_hot_keys_set_deinit(&r->set);
    pl_counters_free(r->counters);
    pl_table_unref(r->table);
}

static int ask(struct rig *r, char **text)
{
    cJSON *json = cJSON_CreateObject();
    int rc = json == NULL ? PL_ENOMEM : pl_table_stats(r->table, r->counters, &r->set, &fake_clock, json);

    *text = rc == 0 ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    return rc;
}

static const char expected[] =
    "{\"items\":4,\"size_bytes\":400,\"throughput\":{\"read\":{\"units\":5,\"left\":1500,\"throttled\":0},"
    "\"write\":{\"units\":6,\"left\":1800,\"throttled\":0}},\"hot_keys\":{\"half_life_s\":60,\"requests\":["
    "{\"key\":{\"P\":\"p\"},\"requests\":1},{\"begins\":\"xxxx";
static const char expected_of_index[] =
    "\"indexes\":{\"ByG\":{\"items\":0,\"size_bytes\":0,\"throughput\":{\"read\":{\"units\":7,\"left\":2100,"
    "\"throttled\":0},\"write\":{\"units\":8,\"left\":2400,\"throttled\":0}},\"hot_keys\":{\"half_life_s\":"
    "60,"
    "\"requests\":[{\"key\":{\"G\":\"g\"},\"requests\":1}],\"capacity\":[{\"key\":{\"G\":\"g\"},\"capacity\":"
    "1.5}]}},"
    "\"ByL\":{\"items\":0,\"size_bytes\":0}}}";

static void a_table_has_its_figures_and_its_indexes_theirs(void)
{
    struct rig r;
    char *text;

    start(&r);
    CHECK(ask(&r, &text) == 0);
    CHECK_MSG(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
    CHECK_MSG(strstr(text, expected_of_index) != NULL, "%s", text);
    cJSON_free(text);
    end(&r);
}

static void short_of_memory_there_are_no_half_figures(void)
{
    struct rig r;
    char *text;

    start(&r);
    for (long n = 0; allocation_failing(n, false); n++) {
        int rc = ask(&r, &text);
        bool failed = allocation_failed();

        CHECK_MSG(rc == 0 || (failed && rc == PL_ENOMEM), "allocation %ld", n);
        CHECK_MSG(text == NULL || strstr(text, expected_of_index) != NULL, "allocation %ld: %s", n, text);
        cJSON_free(text);
    }
    end(&r);
}

int main(void)
{
    cJSON_Hooks hooks = { .malloc_fn = json_malloc, .free_fn = json_free };

    cJSON_InitHooks(&hooks);
    RUN(a_table_has_its_figures_and_its_indexes_theirs);
    RUN(short_of_memory_there_are_no_half_figures);
    return test_summary();
}
