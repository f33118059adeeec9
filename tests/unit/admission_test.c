/* SPDX-License-Identifier: MIT */
#include "partition/admission.h"

#include "model/json.h"
#include "node.h"

#include "scratch_tree.h"
#include "test.h"

/* A node without threads, under a clock of the test's own. */
#define SECOND UINT64_C(1000000000)

static const char BY_TABLE[] =
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
    "provisioning level with the UpdateTable API.";
static const char BY_INDEX[] = "The level of configured provisioned throughput for one or more global "
                               "secondary indexes of the table was "
                               "exceeded. Consider increasing your provisioning level for the "
                               "under-provisioned global secondary indexes with "
                               "the UpdateTable API.";

struct rig {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    uint64_t now_ns;
    int64_t calendar_ms; /* ahead of it */
    char name[16];
};

static uint64_t now_of(void *state)
{
    return ((struct rig *)state)->now_ns;
}

static int64_t wall_of(void *state)
{
    struct rig *r = state;

    return (int64_t)(r->now_ns / 1000000) + r->calendar_ms;
}

static void ignore(struct pl_operation *op)
{
    (void)op;
}

static int run(struct rig *r)
{
    r->op.done = ignore;
    if (!pl_router_run(pl_attachment_router(r->attachment), &r->op))
        pl_attachment_flush(r->attachment);
    pl_router_rest(pl_attachment_router(r->attachment));
    return r->op.reply.rc;
}

static void begin(struct rig *r, enum pl_operation_name name, const char *table)
{
    pl_operation_reset(&r->op, name);
    r->op.table_name = pl_str(table);
    r->op.params.literals = true;
}

static void open_node(struct rig *r)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .data_path = scratch_path(scratch(), r->name),
                                       .sync_mode = PL_SYNC_NEVER,
                                       .clock = { now_of, wall_of, r },
                                       .random = pl_random_system() };

    CHECK_MSG(pl_node_open(&options, &r->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(r->node, NULL, NULL, &r->attachment) == 0);
}

static void close_node(struct rig *r)
{
    pl_node_detach(r->attachment);
    pl_node_close(r->node);
}

static void start(struct rig *r)
{
    static unsigned number;

    *r = (struct rig){ .now_ns = 1000 * SECOND };
    snprintf(r->name, sizeof r->name, "%u", number++);
    open_node(r);
}

static void end(struct rig *r)
{
    pl_operation_deinit(&r->op);
    close_node(r);
}

static void define(struct rig *r, enum pl_operation_name name, const char *table, const char *definition)
{
    begin(r, name, table);
    r->op.definition = pl_str(definition);
    CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
}

static void give(struct pl_operation *op, const char *json)
{
    struct pl_reason why = { 0 };

    CHECK_MSG(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &why) == 0,
              "%s", why.text);
}

static int put(struct rig *r, const char *table, const char *json)
{
    begin(r, PL_OP_PUT, table);
    give(&r->op, json);
    return run(r);
}

static int get(struct rig *r, const char *table, const char *json)
{
    begin(r, PL_OP_GET, table);
    give(&r->op, json);
    return run(r);
}

/* Puts of one unit each, evenly over `seconds`. How many were done in the last of them. */
static unsigned press(struct rig *r, const char *table, unsigned per_second, unsigned seconds)
{
    unsigned done = 0;
    char json[64];

    for (unsigned s = 0; s < seconds; s++) {
        done = 0;
        for (unsigned i = 0; i < per_second; i++) {
            int rc;

            r->now_ns += SECOND / per_second;
            snprintf(json, sizeof json, "{\"P\":\"p%u\"}", i % 50);
            rc = put(r, table, json);
            CHECK(rc == 0 || rc == PL_ETHROUGHPUT);
            done += rc == 0;
        }
    }
    return done;
}

static void leave_second(struct pl_allowance *allowance, uint64_t now_ns)
{
    int64_t left = pl_allowance_left(allowance, now_ns), second = 2 * (int64_t)atomic_load(&allowance->units);

    CHECK(left == PL_ALLOWANCE_BURST_S * second);
    pl_allowance_take(allowance, (uint64_t)(left - second), now_ns);
}

/* Of what a new table began with, and its indexes, one second's worth is left. */
static void use_burst(struct rig *r, const char *name)
{
    const struct pl_table *table =
        pl_tables_find(pl_router_tables(pl_attachment_router(r->attachment)), pl_str(name));

    CHECK(table != NULL && table->allowances != NULL);
    leave_second(&table->allowances->read, r->now_ns);
    leave_second(&table->allowances->write, r->now_ns);
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].allowances == NULL)
            continue;
        leave_second(&table->indexes[i].allowances->read, r->now_ns);
        leave_second(&table->indexes[i].allowances->write, r->now_ns);
    }
    pl_router_rest(pl_attachment_router(r->attachment));
}

static void use_up_writes(struct rig *r, const char *table)
{
    int rc = 0;

    for (int i = 0; i < 100000 && rc == 0; i++)
        rc = put(r, table, "{\"P\":\"used\"}");
    CHECK(rc == PL_ETHROUGHPUT);
}

/* Writes of 300 units each at one moment. How many units were taken before one was throttled. */
static unsigned write_large(struct rig *r, const char *table)
{
    size_t size = 400000;
    char *json = malloc(size);
    unsigned units = 0;
    int rc = 0;

    CHECK(json != NULL);
    snprintf(json, size, "{\"P\":\"large\",\"B\":\"%0*d\"}", 300 * 1024 - 7, 0);
    for (int i = 0; i < 1000 && rc == 0; i++) {
        rc = put(r, table, json);
        units += rc == 0 ? (unsigned)pl_capacity_total(&r->op.reply.capacity) / 2 : 0;
    }
    CHECK(rc == PL_ETHROUGHPUT);
    free(json);
    return units;
}

static void a_hundred_units_are_a_hundred_writes_a_second_after_the_burst_and_others_are_unhurt(void)
{
    struct rig r;
    unsigned burst, kept;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":100}}");
    define(&r, PL_OP_CREATE, "", "{\"table\":\"Free\",\"partition_key\":\"P:S\"}");
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Fast\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":1000}}");
    CHECK(press(&r, "Slow", 1000, 3) == 1000);
    burst = 3 * 1000 + write_large(&r, "Slow");
    CHECK_MSG(burst >= 300 * 100 + 3 * 99 && burst <= 300 * 100 + 3 * 100 + 300, "%u", burst);
    r.now_ns += 4 * SECOND; /* the debt of the last one: less than 300 */
    press(&r, "Slow", 1000, 3);
    for (int s = 0; s < 5; s++) {
        kept = press(&r, "Slow", 1000, 1);
        CHECK_MSG(kept >= 95 && kept <= 105, "second %d: %u", s, kept);
        CHECK(press(&r, "Free", 200, 1) == 200);
        r.now_ns -= SECOND; /* the same second */
        CHECK(press(&r, "Fast", 200, 1) == 200);
        r.now_ns -= SECOND;
    }
    CHECK(put(&r, "Slow", "{\"P\":\"p\"}") == PL_ETHROUGHPUT);
    CHECK(strcmp(r.op.reply.why.text, BY_TABLE) == 0);
    CHECK(strcmp(pl_error_code(r.op.reply.rc), "ProvisionedThroughputExceededException") == 0);
    end(&r);
}

static void a_throttled_write_changes_nothing(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":9,\"write\":2}}");
    use_burst(&r, "Slow");
    use_up_writes(&r, "Slow");
    begin(&r, PL_OP_DELETE, "Slow");
    give(&r.op, "{\"P\":\"used\"}");
    r.op.returns = PL_RETURN_ALL_OLD;
    CHECK(run(&r) == PL_ETHROUGHPUT && !r.op.reply.has_item);
    CHECK(get(&r, "Slow", "{\"P\":\"used\"}") == 0 && r.op.reply.has_item);
    end(&r);
}

static void a_read_is_admitted_while_anything_is_left_and_pays_afterwards(void)
{
    struct rig r;
    char *json = malloc(70000);

    start(&r);
    CHECK(json != NULL);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":2,\"write\":1000}}");
    use_burst(&r, "Slow");
    snprintf(json, 70000, "{\"P\":\"p\",\"B\":\"%060000d\"}", 0);
    CHECK(put(&r, "Slow", json) == 0);
    free(json);
    begin(&r, PL_OP_GET, "Slow");
    give(&r.op, "{\"P\":\"p\"}");
    r.op.consistent = true;
    CHECK(run(&r) == 0 && r.op.reply.capacity.table_halves == 30); /* 15 units, and 2 were there */
    CHECK(get(&r, "Slow", "{\"P\":\"none\"}") == PL_ETHROUGHPUT && !r.op.reply.has_item);
    CHECK(strcmp(r.op.reply.why.text, BY_TABLE) == 0);
    begin(&r, PL_OP_SCAN, "Slow");
    CHECK(run(&r) == PL_ETHROUGHPUT);
    CHECK(put(&r, "Slow", "{\"P\":\"q\"}") == 0); /* writes have their own */
    r.now_ns += 6 * SECOND;
    CHECK(get(&r, "Slow", "{\"P\":\"p\"}") == PL_ETHROUGHPUT);
    r.now_ns += SECOND;
    CHECK(get(&r, "Slow", "{\"P\":\"none\"}") == 0);
    end(&r);
}

static const char INDEXED[] =
    "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":100,\"write\":1000},"
    "\"indexes\":{"
    "\"ByG\":{\"partition_key\":\"G:S\",\"project\":[\"A\"],\"throughput\":{\"read\":1,\"write\":3}},"
    "\"ByH\":{\"partition_key\":\"H:S\",\"project\":\"keys_only\",\"throughput\":{\"read\":1,\"write\":1000}}"
    "}}";

static void an_index_with_nothing_left_holds_up_the_whole_write(void)
{
    struct rig r;
    int rc = 0, done = 0;
    char json[64];

    start(&r);
    define(&r, PL_OP_CREATE, "", INDEXED);
    use_burst(&r, "Things");
    while (rc == 0 && done < 100) {
        snprintf(json, sizeof json, "{\"P\":\"p%d\",\"G\":\"g\",\"H\":\"h\"}", done);
        rc = put(&r, "Things", json);
        done += rc == 0;
    }
    CHECK(done == 3 && rc == PL_ETHROUGHPUT && strcmp(r.op.reply.why.text, BY_INDEX) == 0);
    begin(&r, PL_OP_GET, "Things");
    give(&r.op, "{\"P\":\"p3\"}");
    CHECK(run(&r) == 0 && !r.op.reply.has_item); /* nothing of it was committed */
    begin(&r, PL_OP_QUERY, "Things");
    r.op.index_name = pl_str("ByH");
    r.op.key_condition_text = pl_str("H = \"h\"");
    r.op.select = PL_SELECT_COUNT;
    CHECK(run(&r) == 0 && r.op.reply.count == 3);
    end(&r);
}

static void only_an_index_whose_entries_change_counts(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "", INDEXED);
    use_burst(&r, "Things");
    for (int i = 0; i < 3; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"P\":\"p%d\",\"G\":\"g\"}", i);
        CHECK(put(&r, "Things", json) == 0);
    }
    CHECK(put(&r, "Things", "{\"P\":\"p0\",\"G\":\"h\"}") == PL_ETHROUGHPUT);         /* moves an entry */
    CHECK(put(&r, "Things", "{\"P\":\"p0\"}") == PL_ETHROUGHPUT);                     /* removes it */
    CHECK(put(&r, "Things", "{\"P\":\"p0\",\"G\":\"g\",\"A\":1}") == PL_ETHROUGHPUT); /* projected */
    CHECK(put(&r, "Things", "{\"P\":\"p0\",\"G\":\"g\",\"B\":1}") == 0);              /* not projected */
    CHECK(put(&r, "Things", "{\"P\":\"p9\",\"H\":\"h\"}") == 0);                      /* the other index */
    begin(&r, PL_OP_DELETE, "Things");
    give(&r.op, "{\"P\":\"p9\"}");
    CHECK(run(&r) == 0);
    r.now_ns += SECOND;
    CHECK(put(&r, "Things", "{\"P\":\"p0\",\"G\":\"h\"}") == 0);
    end(&r);
}

static void a_global_index_is_read_on_its_own_account(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "", INDEXED);
    use_burst(&r, "Things");
    for (int i = 0; i < 3; i++) {
        begin(&r, PL_OP_QUERY, "Things");
        r.op.index_name = pl_str("ByG");
        r.op.key_condition_text = pl_str("G = \"g\"");
        CHECK_MSG(run(&r) == (i < 2 ? 0 : PL_ETHROUGHPUT), "query %d", i); /* half a unit each */
    }
    CHECK(strcmp(r.op.reply.why.text, BY_INDEX) == 0);
    CHECK(get(&r, "Things", "{\"P\":\"p\"}") == 0);
    end(&r);
}

static void local_indexes_are_on_their_tables_account(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Near\",\"partition_key\":\"P:S\",\"sort_key\":\"K:N\",\"throughput\":{\"read\":1,"
           "\"write\":"
           "4},\"indexes\":{\"ByL\":{\"sort_key\":\"L:N\"}}}");
    use_burst(&r, "Near");
    CHECK(put(&r, "Near", "{\"P\":\"p\",\"K\":1,\"L\":1}") == 0);
    CHECK(put(&r, "Near", "{\"P\":\"p\",\"K\":2,\"L\":1}") == 0);
    CHECK(put(&r, "Near", "{\"P\":\"p\",\"K\":3,\"L\":1}") == PL_ETHROUGHPUT);
    for (int i = 0; i < 3; i++) {
        begin(&r, PL_OP_QUERY, "Near");
        r.op.index_name = pl_str("ByL");
        r.op.key_condition_text = pl_str("P = \"p\"");
        CHECK(run(&r) == (i < 2 ? 0 : PL_ETHROUGHPUT));
    }
    CHECK(strcmp(r.op.reply.why.text, BY_TABLE) == 0);
    end(&r);
}

static void a_failed_condition_costs_and_a_wrong_request_does_not(void)
{
    struct rig r;
    int rc = PL_ECONDITION, failed = 0;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":9,\"write\":5}}");
    use_burst(&r, "Slow");
    for (int i = 0; i < 20; i++) {
        begin(&r, PL_OP_UPDATE, "Slow");
        give(&r.op, "{\"P\":\"p\"}");
        r.op.update_text = pl_str("SET N = N + 1"); /* there is no N */
        CHECK(run(&r) == PL_EINVALID);
    }
    while (rc == PL_ECONDITION && failed < 100) {
        begin(&r, PL_OP_PUT, "Slow");
        give(&r.op, "{\"P\":\"p\"}");
        r.op.condition_text = pl_str("attribute_exists(P)");
        rc = run(&r);
        failed += rc == PL_ECONDITION;
    }
    CHECK(rc == PL_ETHROUGHPUT && failed == 5);
    end(&r);
}

static void begin_batch(struct rig *r, enum pl_operation_name name, enum pl_operation_name child,
                        uint32_t count)
{
    begin(r, name, "");
    r->op.children = pl_arena_alloc(&r->op.arena, count * sizeof *r->op.children);
    CHECK(r->op.children != NULL);
    for (uint32_t i = 0; i < count; i++) {
        char json[32];

        pl_operation_init(&r->op.children[i], child);
        r->op.child_count++;
        r->op.children[i].table_name = pl_str(i % 2 == 0 ? "Slow" : "Free");
        snprintf(json, sizeof json, "{\"P\":\"p%u\"}", i);
        give(&r->op.children[i], json);
    }
}

static void what_of_a_batch_is_throttled_comes_back_and_the_rest_is_done(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":2}}");
    use_burst(&r, "Slow");
    define(&r, PL_OP_CREATE, "", "{\"table\":\"Free\",\"partition_key\":\"P:S\"}");
    begin_batch(&r, PL_OP_BATCH_WRITE, PL_OP_PUT, 10);
    CHECK(run(&r) == 0 && r.op.reply.count == 7 && r.op.reply.unprocessed == 3);
    for (uint32_t i = 0; i < 10; i++)
        CHECK(r.op.children[i].reply.rc == (i % 2 == 0 && i >= 4 ? PL_ETHROUGHPUT : 0));
    CHECK(pl_capacity_total(&r.op.reply.capacity) == 2 * 7); /* what was left out is not charged */

    begin_batch(&r, PL_OP_BATCH_GET, PL_OP_GET, 10);
    CHECK(run(&r) == 0 && r.op.reply.count == 7 && r.op.reply.unprocessed == 3);
    begin_batch(&r, PL_OP_BATCH_GET, PL_OP_GET, 1);
    CHECK(run(&r) == PL_ETHROUGHPUT && strcmp(r.op.reply.why.text, BY_TABLE) == 0);
    begin_batch(&r, PL_OP_BATCH_WRITE, PL_OP_PUT, 1);
    CHECK(run(&r) == PL_ETHROUGHPUT && strcmp(r.op.reply.why.text, BY_TABLE) == 0);
    end(&r);
}

static void a_transaction_with_a_throttled_part_is_cancelled_and_does_nothing(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":2}}");
    use_burst(&r, "Slow");
    define(&r, PL_OP_CREATE, "", "{\"table\":\"Free\",\"partition_key\":\"P:S\"}");
    use_up_writes(&r, "Slow");
    begin_batch(&r, PL_OP_TRANSACT_WRITE, PL_OP_PUT, 2);
    CHECK(run(&r) == PL_ECANCELLED);
    CHECK(r.op.children[0].reply.rc == PL_ETHROUGHPUT && r.op.children[1].reply.rc == 0);
    CHECK(strstr(r.op.reply.why.text, "[ProvisionedThroughputExceeded, None]") != NULL);
    CHECK(get(&r, "Free", "{\"P\":\"p1\"}") == 0 && !r.op.reply.has_item);
    r.now_ns += 2 * SECOND;
    begin_batch(&r, PL_OP_TRANSACT_WRITE, PL_OP_PUT, 2);
    CHECK_MSG(run(&r) == 0, "%s", r.op.reply.why.text);

    /* Three units of the table are there, and a transactional read of one item is two. */
    for (int i = 0; i < 3; i++) {
        begin_batch(&r, PL_OP_TRANSACT_GET, PL_OP_GET, 2);
        CHECK(run(&r) == (i < 2 ? 0 : PL_ECANCELLED));
    }
    CHECK(r.op.children[0].reply.rc == PL_ETHROUGHPUT && r.op.children[1].reply.rc == 0);
    end(&r);
}

static void altered_throughput_keeps_what_had_gathered(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":10}}");
    use_burst(&r, "Slow");
    use_up_writes(&r, "Slow");
    define(&r, PL_OP_ALTER, "Slow", "{\"throughput\":{\"read\":1,\"write\":100}}");
    CHECK(put(&r, "Slow", "{\"P\":\"p\"}") == PL_ETHROUGHPUT); /* no gift */
    r.now_ns += SECOND;
    CHECK(press(&r, "Slow", 1000, 2) >= 95);
    r.now_ns += 50 * SECOND;
    define(&r, PL_OP_ALTER, "Slow", "{\"throughput\":{\"read\":1,\"write\":20}}");
    CHECK(press(&r, "Slow", 1000, 4) == 1000); /* the 5,000 that gathered, not 20 */
    r.now_ns += SECOND;

    /* On demand nothing is kept, and what comes after that is new. */
    define(&r, PL_OP_ALTER, "Slow", "{\"throughput\":null}");
    CHECK(press(&r, "Slow", 2000, 1) == 2000);
    define(&r, PL_OP_ALTER, "Slow", "{\"throughput\":{\"read\":1,\"write\":20}}");
    use_burst(&r, "Slow");
    CHECK(press(&r, "Slow", 1000, 1) <= 41);
    end(&r);
}

static void what_a_start_finds_provisioned_is_full_again_and_then_throttled(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":10}}");
    use_burst(&r, "Slow");
    use_up_writes(&r, "Slow");
    close_node(&r);
    open_node(&r);
    use_burst(&r, "Slow");
    press(&r, "Slow", 100, 2);
    CHECK(press(&r, "Slow", 100, 1) <= 11);
    end(&r);
}

static void what_the_service_deletes_is_free(void)
{
    struct rig r;

    start(&r);
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"ttl\":\"T\",\"throughput\":{\"read\":9,"
           "\"write\":3},"
           "\"indexes\":{\"ByG\":{\"partition_key\":\"G:S\",\"throughput\":{\"read\":1,\"write\":3}}}}");
    use_burst(&r, "Things");
    for (int i = 0; i < 3; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"P\":\"p%d\",\"G\":\"g\",\"T\":2000}", i);
        CHECK(put(&r, "Things", json) == 0);
    }
    CHECK(put(&r, "Things", "{\"P\":\"p0\"}") == PL_ETHROUGHPUT);
    r.calendar_ms = 3000000; /* a sudden one: nothing has gathered meanwhile */
    begin(&r, PL_OP_DELETE, "Things");
    give(&r.op, "{\"P\":\"p0\"}");
    r.op.actor = PL_ACTOR_EXPIRY;
    CHECK_MSG(run(&r) == 0 && pl_capacity_total(&r.op.reply.capacity) == 0, "%s",
              pl_error_name(r.op.reply.rc));
    r.now_ns += SECOND / 3 + 1;
    CHECK(put(&r, "Things", "{\"P\":\"p1\",\"G\":\"h\"}") == 0); /* no debt was left by it */
    end(&r);
}

/* A tick comes with each operation of a node without threads. */
static void pass(struct rig *r, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 100) {
        r->now_ns += SECOND / 10;
        get(r, "Free", "{\"P\":\"p\"}");
        put(r, "Free", "{\"P\":\"p\"}");
    }
}

static uint64_t entries_of(struct rig *r, const char *index)
{
    struct pl_buf out = { 0 };
    char wanted[64];
    const char *at;
    uint64_t entries = 0;

    pl_node_stats(r->attachment, pl_str("Slow"), &out);
    pl_buf_append_byte(&out, '\0');
    snprintf(wanted, sizeof wanted, "\"%s\":{\"items\":", index);
    at = strstr(out.data, wanted);
    CHECK_MSG(at != NULL, "%s", out.data);
    entries = strtoull(at + strlen(wanted), NULL, 10);
    pl_buf_deinit(&out);
    return entries;
}

static void an_index_is_filled_at_its_own_pace_and_on_its_own_account(void)
{
    struct rig r;
    uint64_t entries;
    char json[64];

    start(&r);
    define(&r, PL_OP_CREATE, "", "{\"table\":\"Free\",\"partition_key\":\"P:S\"}");
    define(&r, PL_OP_CREATE, "",
           "{\"table\":\"Slow\",\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":1000}}");
    for (int i = 0; i < 330; i++) {
        snprintf(json, sizeof json, "{\"P\":\"p%d\",\"G\":\"g\"}", i);
        CHECK(put(&r, "Slow", json) == 0);
    }
    define(&r, PL_OP_ALTER, "Slow",
           "{\"indexes\":{\"ByG\":{\"partition_key\":\"G:S\",\"throughput\":{\"read\":1,\"write\":1}}}}");
    entries = entries_of(&r, "ByG");
    CHECK_MSG(entries >= 300 && entries <= 301, "%u", (unsigned)entries);      /* the burst of a new one */
    CHECK(put(&r, "Slow", "{\"P\":\"other\",\"G\":\"g\"}") == PL_ETHROUGHPUT); /* which is used up for all */
    CHECK(put(&r, "Slow", "{\"P\":\"other\"}") == 0);
    pass(&r, 10000);
    entries = entries_of(&r, "ByG");
    CHECK_MSG(entries >= 308 && entries <= 312, "%u", (unsigned)entries);
    pass(&r, 30000);
    CHECK(entries_of(&r, "ByG") == 330);
    begin(&r, PL_OP_QUERY, "Slow");
    r.op.index_name = pl_str("ByG");
    r.op.key_condition_text = pl_str("G = \"g\"");
    r.op.select = PL_SELECT_COUNT;
    CHECK_MSG(run(&r) == 0 && r.op.reply.count == 330, "%s", r.op.reply.why.text);
    end(&r);
}

int main(void)
{
    RUN(a_hundred_units_are_a_hundred_writes_a_second_after_the_burst_and_others_are_unhurt);
    RUN(a_throttled_write_changes_nothing);
    RUN(a_read_is_admitted_while_anything_is_left_and_pays_afterwards);
    RUN(an_index_with_nothing_left_holds_up_the_whole_write);
    RUN(only_an_index_whose_entries_change_counts);
    RUN(a_global_index_is_read_on_its_own_account);
    RUN(local_indexes_are_on_their_tables_account);
    RUN(a_failed_condition_costs_and_a_wrong_request_does_not);
    RUN(what_of_a_batch_is_throttled_comes_back_and_the_rest_is_done);
    RUN(a_transaction_with_a_throttled_part_is_cancelled_and_does_nothing);
    RUN(altered_throughput_keeps_what_had_gathered);
    RUN(what_a_start_finds_provisioned_is_full_again_and_then_throttled);
    RUN(what_the_service_deletes_is_free);
    RUN(an_index_is_filled_at_its_own_pace_and_on_its_own_account);
    return test_summary();
}
