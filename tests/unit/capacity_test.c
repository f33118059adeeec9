/* SPDX-License-Identifier: MIT */
#include "model/capacity.h"

#include "model/json.h"
#include "node.h"

#include "scratch_tree.h"
#include "test.h"

/* DynamoDB's rules, first the sums and then what a node charges. All in half units. */

static void a_read_costs_a_half_for_each_4_kb_begun_and_a_half_at_least(void)
{
    static const struct {
        uint64_t size_bytes, eventual, strong;
    } cases[] = { { 0, 1, 2 },    { 1, 1, 2 },       { 4096, 1, 2 },      { 4097, 2, 4 },
                  { 8192, 2, 4 }, { 96000, 24, 48 }, { 409600, 100, 200 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_MSG(pl_capacity_read(cases[i].size_bytes, false) == cases[i].eventual, "case %zu", i);
        CHECK_MSG(pl_capacity_read(cases[i].size_bytes, true) == cases[i].strong, "case %zu", i);
    }
}

static void a_write_costs_a_unit_for_each_kb_of_the_larger_image(void)
{
    static const struct {
        uint64_t before, after, halves;
    } cases[] = { { 0, 0, 2 },       { 0, 1, 2 },       { 0, 1024, 2 },    { 0, 1025, 4 },
                  { 5000, 100, 10 }, { 100, 5000, 10 }, { 1024, 1024, 2 }, { 409600, 0, 800 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_MSG(pl_capacity_write(cases[i].before, cases[i].after) == cases[i].halves, "case %zu", i);
}

static void a_sum_has_as_many_places_as_a_table_can_have_indexes(void)
{
    struct pl_capacity capacity = { .table_halves = 3 };
    char names[PL_CAPACITY_INDEXES_MAX][8];

    for (int i = 0; i < PL_CAPACITY_INDEXES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "I%d", i);
        CHECK(pl_capacity_has_place(&capacity, pl_str(names[i])));
        pl_capacity_add_index(&capacity, pl_str(names[i]), true, 2);
    }
    CHECK(!pl_capacity_has_place(&capacity, pl_str("Another")));
    CHECK(pl_capacity_has_place(&capacity, pl_str("I24")));
    pl_capacity_add_index(&capacity, pl_str("I24"), true, 2);
    CHECK(pl_capacity_total(&capacity) == 3 + 26 * 2);
}

/* ---- what a node charges ---------------------------------------------------------------------------- */

struct rig {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
};

static void ignore(struct pl_operation *op)
{
    (void)op;
}

static int run(struct rig *r)
{
    r->op.done = ignore;
    if (!pl_router_run(pl_attachment_router(r->attachment), &r->op))
        pl_attachment_flush(r->attachment);
    return r->op.reply.rc;
}

static void begin(struct rig *r, enum pl_operation_name name)
{
    pl_operation_reset(&r->op, name);
    r->op.table_name = pl_str("Things");
    r->op.params.literals = true;
}

static void start(struct rig *r)
{
    static unsigned number;
    char name[16];
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .clock = pl_clock_system(), .random = pl_random_system() };

    snprintf(name, sizeof name, "%u", number++);
    options.data_path = scratch_path(scratch(), name);
    *r = (struct rig){ 0 };
    CHECK_MSG(pl_node_open(&options, &r->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(r->node, NULL, NULL, &r->attachment) == 0);
    begin(r, PL_OP_CREATE);
    r->op.definition = pl_str(
        "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:S\",\"indexes\":{"
        "\"All\":{\"partition_key\":\"A:S\",\"project\":\"all\"},\"Keys\":{\"sort_key\":\"L:S\",\"project\":"
        "\"keys_only\"}}}");
    CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
}

static void end(struct rig *r)
{
    pl_operation_deinit(&r->op);
    pl_node_detach(r->attachment);
    pl_node_close(r->node);
}

/* An item {P:"p",K:"k",A?,L?,B} of `size_bytes` in all: names and values are counted. */
static void give(struct pl_operation *op, const char *key, const char *a, const char *l, uint32_t size_bytes)
{
    struct pl_buf json = { 0 };
    struct pl_reason why;
    size_t counted = 1 + 1 + 1 + strlen(key);

    pl_buf_append_format(&json, "{\"P\":\"p\",\"K\":\"%s\"", key);
    if (a != NULL) {
        pl_buf_append_format(&json, ",\"A\":\"%s\"", a);
        counted += 1 + strlen(a);
    }
    if (l != NULL) {
        pl_buf_append_format(&json, ",\"L\":\"%s\"", l);
        counted += 1 + strlen(l);
    }
    if (size_bytes > 0) {
        pl_buf_append_bytes(&json, pl_str(",\"B\":\""));
        for (counted += 1; counted < size_bytes; counted++)
            pl_buf_append_byte(&json, 'b');
        pl_buf_append_byte(&json, '"');
    }
    pl_buf_append_byte(&json, '}');
    CHECK(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &why) == 0);
    CHECK(size_bytes == 0 || op->item.size_bytes == size_bytes);
    pl_buf_deinit(&json);
}

static uint64_t of_index(const struct pl_operation *op, const char *name)
{
    const struct pl_capacity *capacity = &op->reply.capacity;

    for (uint32_t i = 0; i < capacity->index_count; i++)
        if (pl_bytes_equal(capacity->indexes[i].name, pl_str(name)))
            return capacity->indexes[i].halves;
    return 0;
}

static void each_write_costs_the_table_and_the_entries_it_touches(void)
{
    /* One after the other on one item. An entry of Keys is small; one of All is the item. */
    static const struct {
        enum pl_operation_name name;
        const char *a, *l;
        uint32_t size_bytes;
        uint64_t table, all, keys;
        const char *update, *says;
    } cases[] = {
        { PL_OP_DELETE, NULL, NULL, 0, 2, 0, 0, NULL, "nothing to delete: one unit" },
        { PL_OP_PUT, NULL, NULL, 1024, 2, 0, 0, NULL, "in no index" },
        { PL_OP_PUT, "a", NULL, 3000, 6, 6, 0, NULL, "into one index: its entry" },
        { PL_OP_PUT, "a", NULL, 100, 6, 6, 0, NULL, "smaller: the larger image, there too" },
        { PL_OP_PUT, "a", NULL, 100, 2, 0, 0, NULL, "the same again: no entry is written" },
        { PL_OP_PUT, "a", "l", 2000, 4, 4, 2, NULL, "into the other too" },
        { PL_OP_PUT, "b", "l", 2000, 4, 8, 0, NULL,
          "another index key: delete and put; nothing else projected" },
        { PL_OP_UPDATE, NULL, NULL, 0, 4, 4, 0, "SET N = 1", "not in Keys: no entry there" },
        { PL_OP_UPDATE, NULL, NULL, 0, 4, 4, 4, "SET L = \"m\"", "moved within Keys, changed in All" },
        { PL_OP_UPDATE, NULL, NULL, 0, 4, 4, 0, "REMOVE A", "out of All: a deletion" },
        { PL_OP_DELETE, NULL, NULL, 0, 4, 0, 2, NULL, "the item and what entries it has" },
    };
    struct rig r;

    start(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(&r, cases[i].name);
        give(&r.op, "k", cases[i].a, cases[i].l, cases[i].size_bytes);
        if (cases[i].update != NULL)
            r.op.update_text = pl_str(cases[i].update);
        CHECK_MSG(run(&r) == 0, "%s: %s", cases[i].says, r.op.reply.why.text);
        CHECK_MSG(r.op.reply.capacity.writes && r.op.reply.capacity.table_halves == cases[i].table,
                  "%s: table %llu", cases[i].says, (unsigned long long)r.op.reply.capacity.table_halves);
        CHECK_MSG(of_index(&r.op, "All") == cases[i].all, "%s: All %llu", cases[i].says,
                  (unsigned long long)of_index(&r.op, "All"));
        CHECK_MSG(of_index(&r.op, "Keys") == cases[i].keys, "%s: Keys %llu", cases[i].says,
                  (unsigned long long)of_index(&r.op, "Keys"));
    }
    end(&r);
}

static void put(struct rig *r, const char *key, const char *a, const char *l, uint32_t size_bytes)
{
    begin(r, PL_OP_PUT);
    give(&r->op, key, a, l, size_bytes);
    CHECK(run(r) == 0);
}

static void query(struct rig *r, const char *index, const char *where)
{
    begin(r, PL_OP_QUERY);
    r->op.index_name = pl_str(index);
    r->op.key_condition_text = pl_str(where);
}

static void a_read_costs_what_was_evaluated_not_what_was_returned(void)
{
    struct rig r;

    start(&r);
    put(&r, "1", "a", "l1", 3000);
    put(&r, "2", "a", "l2", 3000);
    put(&r, "3", NULL, "l3", 3000);

    begin(&r, PL_OP_GET);
    give(&r.op, "9", NULL, NULL, 0);
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 1 && !r.op.reply.capacity.writes);
    begin(&r, PL_OP_GET);
    give(&r.op, "1", NULL, NULL, 0);
    r.op.consistent = true;
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 2);

    query(&r, "", "P = \"p\""); /* 9000 bytes: three times 4 KB in one rounding */
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 3);
    query(&r, "", "P = \"p\"");
    r.op.filter_text = pl_str("attribute_not_exists(B)");
    r.op.consistent = true;
    CHECK(run(&r) == 0 && r.op.reply.count == 0 && r.op.reply.capacity.table_halves == 6);
    query(&r, "", "P = \"p\" AND K > \"7\"");
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 1);

    query(&r, "All", "A = \"a\"");
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 0 && of_index(&r.op, "All") == 2);
    query(&r, "Keys", "P = \"p\"");
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 0 && of_index(&r.op, "Keys") == 1);
    query(&r, "Keys", "P = \"p\""); /* and each item is fetched for itself */
    r.op.select = PL_SELECT_ALL;
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 3 && of_index(&r.op, "Keys") == 1);
    end(&r);
}

static void a_refusal_costs_by_the_larger_of_what_is_there_and_what_was_to_be(void)
{
    static const struct {
        uint32_t there, given; /* bytes; 0: none */
        enum pl_operation_name name;
        uint64_t halves;
    } cases[] = {
        { 0, 0, PL_OP_DELETE, 2 },     { 3000, 0, PL_OP_DELETE, 6 },  { 0, 5000, PL_OP_PUT, 2 },
        { 3000, 5000, PL_OP_PUT, 10 }, { 3000, 100, PL_OP_PUT, 6 },   { 1024, 1024, PL_OP_PUT, 2 },
        { 0, 0, PL_OP_UPDATE, 2 },     { 5000, 0, PL_OP_UPDATE, 10 },
    };
    struct rig r;

    start(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[8];

        snprintf(key, sizeof key, "%zu", i);
        if (cases[i].there > 0)
            put(&r, key, NULL, NULL, cases[i].there);
        begin(&r, cases[i].name);
        give(&r.op, key, NULL, NULL, cases[i].given);
        if (cases[i].name == PL_OP_UPDATE)
            r.op.update_text = pl_str("SET C = \"c\"");
        r.op.condition_text = pl_str(cases[i].there > 0 ? "attribute_not_exists(P)" : "attribute_exists(P)");
        CHECK(run(&r) == PL_ECONDITION);
        CHECK_MSG(r.op.reply.capacity.table_halves == cases[i].halves && r.op.reply.capacity.writes,
                  "case %zu: %llu", i, (unsigned long long)r.op.reply.capacity.table_halves);
        CHECK(r.op.reply.capacity.index_count == 0);
    }
    end(&r);
}

static void a_batch_costs_what_its_parts_cost_indexes_and_all(void)
{
    struct rig r;

    start(&r);
    begin(&r, PL_OP_BATCH_WRITE);
    r.op.children = pl_arena_alloc(&r.op.arena, 2 * sizeof *r.op.children);
    CHECK(r.op.children != NULL);
    for (uint32_t i = 0; i < 2; i++) {
        pl_operation_init(&r.op.children[i], PL_OP_PUT);
        r.op.children[i].table_name = pl_str("Things");
        give(&r.op.children[i], i == 0 ? "1" : "2", "a", NULL, 1500);
        r.op.child_count++;
    }
    CHECK_MSG(run(&r) == 0, "%s", r.op.reply.why.text);
    CHECK(r.op.reply.capacity.table_halves == 8 && of_index(&r.op, "All") == 8);
    CHECK(pl_capacity_total(&r.op.reply.capacity) == 16);
    end(&r);
}

/* A page of a local index's entries must not become a thousand times as large by what is fetched. */
static void a_page_ends_by_what_it_fetches(void)
{
    struct rig r;
    char key[8];

    start(&r);
    for (int i = 0; i < 6; i++) {
        snprintf(key, sizeof key, "%d", i);
        put(&r, key, NULL, key, 300000);
    }
    query(&r, "Keys", "P = \"p\"");
    r.op.select = PL_SELECT_ALL;
    CHECK(run(&r) == 0 && r.op.reply.count == 4 && r.op.reply.has_last_key);
    query(&r, "Keys", "P = \"p\"");
    CHECK(run(&r) == 0 && r.op.reply.count == 6 && !r.op.reply.has_last_key);
    end(&r);
}

int main(void)
{
    RUN(a_read_costs_a_half_for_each_4_kb_begun_and_a_half_at_least);
    RUN(a_write_costs_a_unit_for_each_kb_of_the_larger_image);
    RUN(a_sum_has_as_many_places_as_a_table_can_have_indexes);
    RUN(each_write_costs_the_table_and_the_entries_it_touches);
    RUN(a_read_costs_what_was_evaluated_not_what_was_returned);
    RUN(a_refusal_costs_by_the_larger_of_what_is_there_and_what_was_to_be);
    RUN(a_batch_costs_what_its_parts_cost_indexes_and_all);
    RUN(a_page_ends_by_what_it_fetches);
    return test_summary();
}
