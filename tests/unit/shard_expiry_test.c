/* SPDX-License-Identifier: MIT */
#include "shard_rig.h"

#include "partition/stream.h"

enum { T0 = 2000000000 }; /* when a test begins, in seconds */

static const char *const things =
    "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"ttl\":\"T\",\"stream\":\"new_and_old_images\","
    "\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\"}}}";
static const char *const plain = "{\"table\":\"Things\",\"partition_key\":\"P:S\"}";

static void start_at(struct rig *r, const char *definition)
{
    start(r);
    r->wall_ms = INT64_C(1000) * T0;
    CHECK(schema(r, PL_OP_CREATE, "", definition) == 0);
}

/* Both clocks go on, and what is due by then is done. */
static void let_pass_ms(struct rig *r, int64_t ms)
{
    r->wall_ms += ms;
    pass_ms(r, (uint64_t)ms);
    settle(r);
}

/* Both clocks go on, and the shard has yet to see it. */
static void pass_quietly_ms(struct rig *r, int64_t ms)
{
    r->wall_ms += ms;
    r->now_ns += (uint64_t)ms * 1000000;
}

static void put_thing(struct rig *r, const char *p, int64_t t)
{
    char json[256];

    snprintf(json, sizeof json, "{\"P\":\"%s\",\"A\":\"a\",\"T\":%lld}", p, (long long)t);
    put(r, json);
}

/* Many at once, as a client with a pipeline would. */
static void put_things(struct rig *r, const char *prefix, uint32_t count, int64_t t)
{
    struct pl_operation *ops = calloc(count, sizeof *ops);

    CHECK(ops != NULL);
    for (uint32_t i = 0; i < count; i++) {
        char json[256];

        snprintf(json, sizeof json, "{\"P\":\"%s%u\",\"A\":\"a\",\"T\":%lld}", prefix, i, (long long)t);
        prepare_put(r, &ops[i], json);
        pl_shard_submit(r->shard, &ops[i]);
    }
    settle(r);
    CHECK(drop_finished(r) == count);
    for (uint32_t i = 0; i < count; i++)
        pl_operation_deinit(&ops[i]);
    free(ops);
}

static uint64_t expired(struct rig *r)
{
    return pl_shard_stats(r->shard).expired;
}

static const struct pl_table *table(struct rig *r)
{
    return pl_tables_find(r->tables, pl_str("Things"));
}

static int64_t items(struct rig *r)
{
    return pl_counters_total(pl_shard_counters(r->shard), table(r)->id).items;
}

/* An UPDATE of the item `p` that is judged when the shard turns. */
static void prepare_update(struct rig *r, struct pl_operation *op, const char *p, const char *update)
{
    char json[256];

    pl_operation_init(op, PL_OP_UPDATE);
    op->table_name = pl_str("Things");
    op->params.literals = true;
    op->update_text = pl_str(update);
    snprintf(json, sizeof json, "{\"P\":\"%s\"}", p);
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &r->why) == 0);
    CHECK_MSG(pl_prepare(op, r->tables, 4) == 0, "%s", op->reply.why.text);
}

/* ---- when ------------------------------------------------------------------------------------------- */

static void an_item_goes_when_its_time_has_passed(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "a", T0 + 10);
    let_pass_ms(&r, 10000);
    let_pass_ms(&r, 0);
    CHECK(expired(&r) == 0);
    check_agreement(&r, 1);
    let_pass_ms(&r, 999);
    CHECK(expired(&r) == 0); /* a second has not passed since it was looked for */
    let_pass_ms(&r, 1);
    CHECK(expired(&r) == 1);
    check_agreement(&r, 0);
    end(&r);
}

static void an_item_that_expires_within_this_second_is_looked_at_again(void)
{
    struct rig r;

    start_at(&r, things);
    r.options.ttl_sweep_ms = 100;
    close_rig(&r, true);
    open_rig(&r);
    put(&r, "{\"P\":\"a\",\"T\":2000000000.55}");
    let_pass_ms(&r, 500);
    CHECK(expired(&r) == 0);
    let_pass_ms(&r, 100);
    CHECK(expired(&r) == 1);
    end(&r);
}

static void what_expired_five_years_ago_stays(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "old", T0 - 157680000 - 1);
    put_thing(&r, "ages", 1);
    put_thing(&r, "younger", T0 - 157680000 + 60);
    put(&r, "{\"P\":\"text\",\"T\":\"1\"}");
    put(&r, "{\"P\":\"never\"}");
    let_pass_ms(&r, 5000);
    CHECK(expired(&r) == 1);
    check_agreement(&r, 4);
    end(&r);
}

static void what_is_put_with_a_time_long_passed_goes_too(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    let_pass_ms(&r, 2000);
    CHECK(expired(&r) == 1);
    put_thing(&r, "a", T0 - 1);
    put_thing(&r, "b", T0 - 100000);
    let_pass_ms(&r, 2000);
    CHECK(expired(&r) == 3);
    check_agreement(&r, 0);
    end(&r);
}

static void a_clock_that_was_set_back_hides_nothing(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 100);
    r.wall_ms =
        INT64_C(1000) * (INT64_C(200000000) + T0); /* more than five years on: too old by that clock */
    let_pass_ms(&r, 2000);
    CHECK(expired(&r) == 0);
    r.wall_ms = INT64_C(1000) * T0;
    let_pass_ms(&r, 2000);
    CHECK(expired(&r) == 1);
    end(&r);
}

/* ---- how -------------------------------------------------------------------------------------------- */

static void the_stream_says_whose_doing_it_was(void)
{
    struct rig r;
    struct pl_stream_walk walk;
    struct pl_stream_record record;
    uint32_t found = 0;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    let_pass_ms(&r, 2000);
    walk = (struct pl_stream_walk){ .stream_id = table(&r)->stream_id };
    CHECK(pl_snapshot_open(pl_shard_state(r.shard), &walk.snapshot) == 0);
    CHECK(pl_snapshot_renew(walk.snapshot) == 0);
    for (walk.partition = 0; walk.partition < 4; walk.partition++) {
        if (pl_stream_seek(&walk, 0, &record) != 0)
            continue;
        CHECK(record.event == PL_STREAM_INSERT && record.actor == PL_ACTOR_CLIENT);
        CHECK(pl_stream_next(&walk, &record) == 0);
        CHECK(record.event == PL_STREAM_REMOVE && record.actor == PL_ACTOR_EXPIRY);
        CHECK(record.has_old && !record.has_new);
        CHECK(pl_stream_next(&walk, &record) == PL_ENOTFOUND);
        found++;
    }
    CHECK(found == 1);
    pl_snapshot_close(walk.snapshot);
    end(&r);
}

static void a_step_is_small_and_the_next_waits_until_it_is_applied(void)
{
    struct rig r;
    uint64_t first;

    start_at(&r, things);
    put_things(&r, "a", 1000, T0 - 1);
    pass_quietly_ms(&r, 2000);
    pl_shard_turn(r.shard);
    first = expired(&r);
    CHECK(first > 0 && first <= 256);
    for (int i = 0; i < 10; i++)
        pl_shard_turn(r.shard);
    CHECK(expired(&r) == first);
    sync_once(&r, 0);
    pl_shard_apply(r.shard);
    pl_shard_turn(r.shard);
    CHECK(expired(&r) > first);
    settle(&r);
    CHECK(expired(&r) == 1000);
    check_agreement(&r, 0);
    end(&r);
}

static void beside_clients_it_goes_along_with_their_batches_only(void)
{
    struct rig r;
    struct pl_operation op;
    uint64_t before;

    start_at(&r, things);
    put_things(&r, "a", 1000, T0 - 1);
    pass_quietly_ms(&r, 2000);
    prepare_put(&r, &op, "{\"P\":\"b\"}");
    pl_shard_submit(r.shard, &op);
    pl_shard_turn(r.shard);
    before = expired(&r);
    CHECK(before > 0 && before <= 32);
    sync_once(&r, 0);
    pl_shard_apply(r.shard);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    for (int i = 0; i < 10; i++)
        pl_shard_turn(r.shard);
    CHECK(!pl_shard_syncs(r.shard) && expired(&r) == before);
    let_pass_ms(&r, 100);
    CHECK(expired(&r) == 1000);
    end(&r);
}

/* All in one partition, and in its first second: the others must not wait until it is done. */
static void many_in_one_place_keep_no_other_place_waiting(void)
{
    struct rig r;

    start_at(&r, "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"S:N\",\"ttl\":\"T\"}");
    for (int i = 0; i < 600; i++) {
        char json[128];

        snprintf(json, sizeof json, "{\"P\":\"crowd\",\"S\":%d,\"T\":%d}", i, T0 - 100);
        put(&r, json);
    }
    for (int i = 0; i < 20; i++) {
        char json[128];

        snprintf(json, sizeof json, "{\"P\":\"%d\",\"S\":1,\"T\":%d}", i, T0 - 1);
        put(&r, json);
    }
    pass_quietly_ms(&r, 2000);
    pl_shard_turn(r.shard);
    CHECK_MSG(expired(&r) > 64, "%llu", (unsigned long long)expired(&r));
    sync_once(&r, 0);
    pl_shard_apply(r.shard);
    pl_shard_turn(r.shard);
    CHECK(pl_shard_stats(r.shard).expiry_lag_ms > 90000);
    settle(&r);
    CHECK(expired(&r) == 620);
    let_pass_ms(&r, 1000);
    CHECK(pl_shard_stats(r.shard).expiry_lag_ms == 0);
    check_agreement(&r, 0);
    end(&r);
}

static void who_stops_deletes_nothing_more(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    pl_shard_put_off_chores(r.shard);
    let_pass_ms(&r, 5000);
    CHECK(expired(&r) == 0);
    end(&r);
}

static void what_has_expired_goes_although_puts_find_no_room(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, things);
    put_things(&r, "a", 300, T0 + 1);
    pass_ms(&r, 6000);
    CHECK(pl_shard_checkpoints(r.shard));
    pl_shard_end_checkpoint(r.shard, PL_EFULL, &r.why);
    CHECK(pl_shard_stats(r.shard).full);
    prepare_put(&r, &op, "{\"P\":\"b\"}");
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == PL_EFULL);
    pl_operation_deinit(&op);
    pass_quietly_ms(&r, 3000);
    settle(&r);
    CHECK(expired(&r) == 300);
    check_agreement(&r, 0);
    end(&r);
}

/* ---- beside writes in flight ------------------------------------------------------------------------ */

static void an_item_given_more_time_in_flight_stays(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    put_thing(&r, "b", T0 - 1);
    pass_quietly_ms(&r, 2000);
    prepare_update(&r, &op, "a", "SET T = 2000000100");
    pl_shard_submit(r.shard, &op);
    pl_shard_turn(
        r.shard); /* judges the update, and then looks for what has expired, by entries from before it */
    CHECK(expired(&r) == 1);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    check_agreement(&r, 1);
    let_pass_ms(&r, 60000);
    CHECK(expired(&r) == 1);
    let_pass_ms(&r, 60000);
    CHECK(expired(&r) == 2);
    check_agreement(&r, 0);
    end(&r);
}

static void an_item_that_no_longer_expires_stays(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    pass_quietly_ms(&r, 2000);
    prepare_update(&r, &op, "a", "REMOVE T");
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    let_pass_ms(&r, 5000);
    CHECK(expired(&r) == 0);
    check_agreement(&r, 1);
    end(&r);
}

static void an_item_deleted_in_flight_is_not_deleted_twice(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    pass_quietly_ms(&r, 2000);
    CHECK(prepare(&r, &op, PL_OP_DELETE, "{\"P\":\"a\"}") == 0);
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    let_pass_ms(&r, 5000);
    CHECK(expired(&r) == 0 && items(&r) == 0);
    check_agreement(&r, 0);
    end(&r);
}

static void a_client_may_write_again_what_is_being_deleted(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    pass_quietly_ms(&r, 2000);
    pl_shard_turn(r.shard);
    CHECK(expired(&r) == 1 && pl_shard_syncs(r.shard));
    prepare_update(&r, &op, "a", "SET T = 2000000100, N = if_not_exists(N, 0) + 1");
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    check_agreement(&r, 1);
    let_pass_ms(&r, 5000);
    CHECK(expired(&r) == 1);
    end(&r);
}

/* ---- stops and starts ------------------------------------------------------------------------------- */

static void a_deletion_that_never_reached_the_disk_is_made_again(void)
{
    struct rig r;

    start_at(&r, things);
    put_thing(&r, "a", T0 - 1);
    pass_quietly_ms(&r, 2000);
    pl_shard_turn(r.shard);
    CHECK(expired(&r) == 1 && pl_shard_syncs(r.shard));
    sync_once(&r, PL_EIO);
    close_rig(&r, false);
    open_rig(&r);
    settle(&r);
    CHECK(expired(&r) == 1); /* since this start */
    check_agreement(&r, 0);
    end(&r);
}

static void what_expired_while_nobody_looked_goes_at_the_next_start(void)
{
    struct rig r;

    start_at(&r, things);
    put_things(&r, "a", 500, T0 + 10);
    put_thing(&r, "b", T0 + 1000);
    close_rig(&r, true);
    r.wall_ms += 20000;
    open_rig(&r);
    settle(&r);
    CHECK(expired(&r) == 500);
    check_agreement(&r, 1);
    end(&r);
}

/* ---- turned on and off ------------------------------------------------------------------------------ */

static void what_was_there_before_the_attribute_expires_too(void)
{
    struct rig r;

    start_at(&r, plain);
    put_things(&r, "a", 700, T0 + 5);
    put_things(&r, "b", 300, T0 + 500);
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":\"T\"}") == 0);
    CHECK(!table(&r)->expiry_filling);
    check_agreement(&r, 1000);
    let_pass_ms(&r, 10000);
    CHECK(expired(&r) == 700);
    check_agreement(&r, 300);
    end(&r);
}

static void one_turn(struct rig *r)
{
    pl_shard_turn(r->shard);
    while (pl_shard_syncs(r->shard))
        sync_once(r, 0);
    pl_shard_apply(r->shard);
    take_tables(r);
}

static void write_in_a_turn(struct rig *r, struct pl_operation *op)
{
    pl_shard_submit(r->shard, op);
    one_turn(r);
    one_turn(r);
    CHECK(pl_shard_take(r->shard) == op && op->reply.rc == 0);
    pl_operation_deinit(op);
}

static void begin_filling(struct rig *r, const char *attribute)
{
    struct pl_operation op;
    char patch[64];

    snprintf(patch, sizeof patch, "{\"ttl\":\"%s\"}", attribute);
    pl_operation_init(&op, PL_OP_ALTER);
    op.table_name = pl_str("Things");
    op.definition = pl_str(patch);
    write_in_a_turn(r, &op);
    CHECK(table(r)->expiry_filling);
}

static void writes_while_it_is_filled_leave_entries_that_are_right(void)
{
    struct rig r;
    struct pl_operation op;

    start_at(&r, plain);
    put_things(&r, "a", 1500, T0 + 5);
    begin_filling(&r, "T");
    for (int i = 0; i < 1500; i += 300) {
        char p[16], json[64];

        snprintf(p, sizeof p, "a%d", i);
        prepare_update(&r, &op, p, "SET T = 2000000900");
        write_in_a_turn(&r, &op);
        snprintf(json, sizeof json, "{\"P\":\"a%d\"}", i + 1);
        CHECK(prepare(&r, &op, PL_OP_DELETE, json) == 0);
        write_in_a_turn(&r, &op);
        snprintf(p, sizeof p, "a%d", i + 2);
        prepare_update(&r, &op, p, "REMOVE T");
        write_in_a_turn(&r, &op);
    }
    settle(&r);
    CHECK(!table(&r)->expiry_filling);
    check_agreement(&r, 1495);
    let_pass_ms(&r, 10000);
    CHECK(expired(&r) == 1485);
    check_agreement(&r, 10);
    end(&r);
}

static void filling_goes_on_after_a_restart(void)
{
    struct rig r;

    start_at(&r, plain);
    put_things(&r, "a", 1500, T0 + 5);
    begin_filling(&r, "T");
    close_rig(&r, false);
    open_rig(&r);
    CHECK(table(&r)->expiry_filling);
    settle(&r);
    CHECK(!table(&r)->expiry_filling);
    check_agreement(&r, 1500);
    let_pass_ms(&r, 10000);
    CHECK(expired(&r) == 1500);
    end(&r);
}

static void off_keeps_items_and_on_again_finds_them(void)
{
    struct rig r;
    uint32_t id;

    start_at(&r, things);
    put_things(&r, "a", 300, T0 + 5);
    id = table(&r)->expiry_id;
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":null}") == 0);
    CHECK(table(&r)->expiry_id == 0);
    let_pass_ms(&r, 10000);
    CHECK(expired(&r) == 0);
    check_agreement(&r, 300);
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":\"T\"}") == 0);
    CHECK(table(&r)->expiry_id > id);
    let_pass_ms(&r, 2000);
    CHECK(expired(&r) == 300);
    check_agreement(&r, 0);
    end(&r);
}

static void another_attribute_has_its_own_times(void)
{
    struct rig r;

    start_at(&r, things);
    put(&r, "{\"P\":\"a\",\"T\":2000000005,\"U\":2000000100}");
    put(&r, "{\"P\":\"b\",\"T\":2000000100,\"U\":2000000005}");
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":\"U\"}") == 0);
    let_pass_ms(&r, 10000);
    CHECK(expired(&r) == 1);
    check_agreement(&r, 1);
    put(&r, "{\"P\":\"b\"}");
    check_agreement(&r, 2);
    end(&r);
}

/* Every record of a keyspace, in every partition. */
static uint32_t records(struct rig *r, enum pl_key_kind kind)
{
    struct pl_snapshot *snapshot;
    struct pl_bytes key, record;
    uint32_t count = 0;
    int rc;

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &snapshot) == 0);
    CHECK(pl_snapshot_renew(snapshot) == 0);
    for (rc = pl_snapshot_seek(snapshot, pl_str(""), &key, &record); rc == 0;
         rc = pl_snapshot_next(snapshot, &key, &record))
        count += (uint8_t)key.data[2] == kind;
    CHECK(rc == PL_ENOTFOUND);
    pl_snapshot_close(snapshot);
    return count;
}

static void what_was_turned_off_leaves_no_entries(void)
{
    struct rig r;

    start_at(&r, things);
    put_things(&r, "a", 600, T0 + 5);
    CHECK(records(&r, PL_KIND_EXPIRY) == 600);
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":null}") == 0);
    settle(&r);
    CHECK(records(&r, PL_KIND_EXPIRY) == 0);
    CHECK(schema(&r, PL_OP_ALTER, "Things", "{\"ttl\":\"T\"}") == 0);
    CHECK(records(&r, PL_KIND_EXPIRY) == 600);
    CHECK(schema(&r, PL_OP_DROP, "Things", "") == 0);
    CHECK(records(&r, PL_KIND_EXPIRY) == 0 && records(&r, PL_KIND_ITEM) == 0);
    end(&r);
}

int main(void)
{
    RUN(an_item_goes_when_its_time_has_passed);
    RUN(an_item_that_expires_within_this_second_is_looked_at_again);
    RUN(what_expired_five_years_ago_stays);
    RUN(what_is_put_with_a_time_long_passed_goes_too);
    RUN(a_clock_that_was_set_back_hides_nothing);
    RUN(the_stream_says_whose_doing_it_was);
    RUN(a_step_is_small_and_the_next_waits_until_it_is_applied);
    RUN(beside_clients_it_goes_along_with_their_batches_only);
    RUN(many_in_one_place_keep_no_other_place_waiting);
    RUN(who_stops_deletes_nothing_more);
    RUN(what_has_expired_goes_although_puts_find_no_room);
    RUN(an_item_given_more_time_in_flight_stays);
    RUN(an_item_that_no_longer_expires_stays);
    RUN(an_item_deleted_in_flight_is_not_deleted_twice);
    RUN(a_client_may_write_again_what_is_being_deleted);
    RUN(a_deletion_that_never_reached_the_disk_is_made_again);
    RUN(what_expired_while_nobody_looked_goes_at_the_next_start);
    RUN(what_was_there_before_the_attribute_expires_too);
    RUN(writes_while_it_is_filled_leave_entries_that_are_right);
    RUN(filling_goes_on_after_a_restart);
    RUN(off_keeps_items_and_on_again_finds_them);
    RUN(another_attribute_has_its_own_times);
    RUN(what_was_turned_off_leaves_no_entries);
    return test_summary();
}
