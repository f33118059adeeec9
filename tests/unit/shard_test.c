/* SPDX-License-Identifier: MIT */
#include "partition/change.h"
#include "partition/letter.h"
#include "partition/progress.h"
#include "partition/stream.h"

#include "shard_rig.h"

static const char *const things = "{\"table\":\"Things\",\"partition_key\":\"P:S\"}";

/* ---- checkpoints ------------------------------------------------------------------------------------ */

static void what_was_in_flight_at_a_checkpoint_is_in_the_next(void)
{
    struct rig r;
    struct pl_operation op;

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    prepare_put(&r, &op, "{\"P\":\"late\"}");
    pl_shard_submit(r.shard, &op);
    pl_shard_turn(r.shard);
    CHECK(pl_shard_syncs(r.shard));
    pass_ms(&r, 6000);
    checkpoint(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    CHECK(pl_shard_stats(r.shard).checkpoints == 1);
    pass_ms(&r, 6000);
    checkpoint(&r);
    CHECK(pl_shard_stats(r.shard).checkpoints == 2);
    pass_ms(&r, 6000);
    CHECK(!pl_shard_checkpoints(r.shard));
    end(&r);
}

/* A put of `json` that succeeds only if what the condition says is there. */
static void check_there(struct rig *r, const char *json, const char *condition)
{
    struct pl_operation op;

    pl_operation_init(&op, PL_OP_PUT);
    op.table_name = pl_str("Things");
    op.params.literals = true;
    op.condition_text = pl_str(condition);
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &op.arena, &op.bytes, &op.item, &r->why) == 0);
    CHECK_MSG(pl_prepare(&op, r->tables, 4) == 0, "%s", op.reply.why.text);
    pl_shard_submit(r->shard, &op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == &op);
    CHECK_MSG(op.reply.rc == 0, "%s: %d", condition, op.reply.rc);
    pl_operation_deinit(&op);
}

/* How far a checkpoint comes before the process is killed. */
enum { BEFORE_FLUSH, AFTER_FLUSH, RECORD_UNWRITTEN, RECORD_DURABLE, STAGES };

/* Whatever is applied while a checkpoint is made must come from the journal: the store does not have it. */
static void kill_at(int stage)
{
    struct rig r;
    int rc;

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    put(&r, "{\"P\":\"kept\",\"V\":1}");
    put(&r, "{\"P\":\"changed\",\"V\":1}");
    put(&r, "{\"P\":\"gone\",\"V\":1}");
    pass_ms(&r, 6000);
    CHECK(pl_shard_checkpoints(r.shard));
    put(&r, "{\"P\":\"changed\",\"V\":2,\"W\":\"longer\"}");
    put(&r, "{\"P\":\"new\",\"V\":2}");
    erase(&r, "{\"P\":\"gone\"}");
    if (stage >= AFTER_FLUSH) {
        rc = pl_shard_run_checkpoint(r.shard, &r.why);
        put(&r, "{\"P\":\"later\",\"V\":3}");
        if (stage >= RECORD_UNWRITTEN)
            pl_shard_end_checkpoint(r.shard, rc, &r.why);
        if (stage == RECORD_UNWRITTEN)
            sync_once(&r, PL_EIO);
    }
    if (stage >= RECORD_DURABLE) {
        settle(&r);
        CHECK(pl_shard_stats(r.shard).checkpoints == 1);
        put(&r, "{\"P\":\"last\",\"V\":4}");
    }
    close_rig(&r, false);
    open_rig(&r);
    check_agreement(&r, 3 + (stage >= AFTER_FLUSH) + (stage >= RECORD_DURABLE));
    check_there(&r, "{\"P\":\"kept\"}", "V = 1");
    check_there(&r, "{\"P\":\"changed\"}", "V = 2");
    check_there(&r, "{\"P\":\"new\"}", "V = 2");
    check_there(&r, "{\"P\":\"gone\"}", "attribute_not_exists(P)");
    if (stage >= AFTER_FLUSH)
        check_there(&r, "{\"P\":\"later\"}", "V = 3");
    end(&r);
}

static void what_is_applied_during_a_checkpoint_is_neither_lost_nor_counted_twice(void)
{
    for (int stage = BEFORE_FLUSH; stage < STAGES; stage++)
        kill_at(stage);
}

static void starts_that_follow_each_other_do_not_add_up(void)
{
    struct rig r;
    char json[600];

    start(&r);
    r.options.checkpoint_journal_bytes = 16 << 10;
    close_rig(&r, true);
    open_rig(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < 40; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\",\"V\":\"%0500d\"}", i, i);
        put(&r, json);
    }
    close_rig(&r, false);
    open_rig(&r);
    pass_ms(&r, 50);
    checkpoint(&r);
    CHECK(pl_shard_stats(r.shard).checkpoints == 1);
    check_agreement(&r, 40);
    end(&r);
}

/* Puts have stopped for want of room, but deletes go on, and what they leave in memory has a bound too. */
static void deletes_stop_where_memory_for_what_cannot_be_flushed_ends(void)
{
    struct rig r;
    char json[64];
    uint32_t deleted = 0;
    int rc = 0;

    start(&r);
    r.options.checkpoint_journal_bytes = 64 << 10;
    close_rig(&r, true);
    open_rig(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < 4000; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\"}", i);
        put(&r, json);
    }
    pass_ms(&r, 6000);
    CHECK(pl_shard_checkpoints(r.shard));
    pl_shard_end_checkpoint(r.shard, PL_EFULL, &r.why); /* it found no room */
    for (int i = 0; i < 4000 && rc == 0; i++) {
        struct pl_operation op;

        snprintf(json, sizeof json, "{\"P\":\"%d\"}", i);
        CHECK(prepare(&r, &op, PL_OP_DELETE, json) == 0);
        pl_shard_submit(r.shard, &op);
        settle(&r);
        CHECK(pl_shard_take(r.shard) == &op);
        rc = op.reply.rc;
        deleted += rc == 0;
        pl_operation_deinit(&op);
    }
    CHECK_MSG(rc == PL_EFULL && deleted > 20, "%d after %u", rc, deleted);
    CHECK(pl_state_active_bytes(pl_shard_state(r.shard)) < (1 << 20));
    pass_ms(&r, 6000);
    checkpoint(&r); /* there is room again */
    erase(&r, "{\"P\":\"3999\"}");
    check_agreement(&r, 4000 - deleted - 1);
    end(&r);
}

static void after_a_clean_end_nothing_is_replayed(void)
{
    struct rig r;
    struct pl_operation op;

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    prepare_put(&r, &op, "{\"P\":\"late\"}");
    pl_shard_submit(r.shard, &op);
    pl_shard_turn(r.shard);
    pass_ms(&r, 6000);
    checkpoint(&r);
    CHECK(drop_finished(&r) == 1);
    pl_operation_deinit(&op);
    close_rig(&r, true);
    open_rig(&r);
    CHECK(pl_shard_start(r.shard).replayed_records == 0);
    end(&r);
}

/* ---- rest ------------------------------------------------------------------------------------------- */

static void a_shard_at_rest_writes_no_more(void)
{
    struct rig r;
    uint64_t end_before;

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < 8; i++) {
        pass_ms(&r, 3000);
        if (pl_shard_checkpoints(r.shard))
            checkpoint(&r);
        settle(&r);
    }
    end_before = pl_shard_stats(r.shard).journal_end;
    for (int i = 0; i < 20; i++) {
        pass_ms(&r, 3000);
        CHECK(!pl_shard_checkpoints(r.shard) && !pl_shard_syncs(r.shard));
        settle(&r);
    }
    CHECK(pl_shard_stats(r.shard).journal_end == end_before);
    end(&r);
}

static void with_an_interval_the_last_write_is_synced_within_it(void)
{
    struct rig r;

    start(&r);
    close_rig(&r, true);
    r.options.sync = PL_SHARD_SYNC_INTERVAL;
    r.options.sync_interval_ms = 200;
    open_rig(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    pass_ms(&r, 250);
    settle(&r);
    put(&r, "{\"P\":\"1\"}");
    put(&r, "{\"P\":\"2\"}");
    CHECK(pl_shard_stats(r.shard).journal_durable < pl_shard_stats(r.shard).journal_end);
    pass_ms(&r, 150);
    CHECK(!pl_shard_syncs(r.shard));
    pass_ms(&r, 100);
    CHECK(pl_shard_syncs(r.shard));
    settle(&r);
    CHECK(pl_shard_stats(r.shard).journal_durable == pl_shard_stats(r.shard).journal_end);
    end(&r);
}

/* ---- failure ---------------------------------------------------------------------------------------- */

enum { MANY = 5000 };

static void a_failed_shard_refuses_however_much_was_gathered(void)
{
    struct rig r;
    struct pl_operation *ops = calloc(MANY, sizeof *ops);
    uint32_t finished = 0;
    char json[32];

    CHECK(ops != NULL);
    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\"}", i);
        prepare_put(&r, &ops[i], json);
    }
    pl_shard_submit(r.shard, &ops[0]);
    pl_shard_turn(r.shard);
    for (int i = 1; i < MANY; i++)
        pl_shard_submit(r.shard, &ops[i]);
    pl_shard_turn(r.shard); /* as many as a batch takes; the rest waits in the queue */
    pl_reason_set(&r.why, PL_EIO, "the disk is gone");
    sync_once(&r, PL_EIO);
    for (int i = 0; i < 3; i++) {
        pl_shard_apply(r.shard);
        finished += drop_finished(&r);
        pl_shard_turn(r.shard);
    }
    finished += drop_finished(&r);
    CHECK_MSG(finished == MANY, "%u", finished);
    CHECK(ops[0].reply.rc == PL_EUNSURE && ops[1].reply.rc == PL_EREADONLY);
    CHECK(ops[MANY - 1].reply.rc == PL_EREADONLY && !pl_shard_owes(r.shard));
    for (int i = 0; i < MANY; i++)
        pl_operation_deinit(&ops[i]);
    free(ops);
    end(&r);
}

/* ---- chores ----------------------------------------------------------------------------------------- */

static void a_chore_that_is_put_off_goes_on_with_the_next_start(void)
{
    struct rig r;
    struct pl_operation op;
    char json[64];

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < 600; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\",\"A\":\"a\"}", i);
        put(&r, json);
    }
    pl_operation_init(&op, PL_OP_ALTER);
    op.table_name = pl_str("Things");
    op.definition = pl_str("{\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\",\"project\":\"keys_only\"}}}");
    pl_shard_submit(r.shard, &op);
    pl_shard_turn(r.shard);
    pl_shard_put_off_chores(r.shard);
    settle(&r);
    CHECK(drop_finished(&r) == 1 && op.reply.rc == 0);
    pl_operation_deinit(&op);
    CHECK(pl_shard_is_idle(r.shard) && !pl_shard_has_chores(r.shard));
    CHECK(r.tables->tables[0]->indexes[0].state == PL_INDEX_BACKFILLING);
    close_rig(&r, true);
    open_rig(&r);
    settle(&r);
    CHECK(r.tables->tables[0]->indexes[0].state == PL_INDEX_ACTIVE);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), r.tables->tables[0]->indexes[0].id).items == 600);
    end(&r);
}

static void load(struct rig *r, const char *text)
{
    static const uint64_t hashes[] = { 7 };
    struct pl_script_limits limits = { .time_ms = 1000 };
    struct pl_script_file file = { .name = pl_str("things.lua"), .text = pl_str(text == NULL ? "" : text) };
    struct pl_script *script;
    struct pl_operation op;

    CHECK_MSG(pl_script_load(&limits, pl_clock_system(), &file, text == NULL ? 0 : 1, &script, &r->why) == 0,
              "%s", r->why.text);
    pl_operation_init(&op, PL_OP_ALTER);
    CHECK(pl_shard_load(r->shard, script, hashes, &op) == 0);
    while (pl_shard_syncs(r->shard))
        sync_once(r, 0);
    pl_shard_turn(r->shard);
    while (pl_shard_syncs(r->shard))
        sync_once(r, 0);
    pl_shard_apply(r->shard);
    CHECK(pl_shard_take(r->shard) == &op);
    pl_operation_deinit(&op);
}

static void an_index_that_lost_its_function_keeps_no_other_chore_waiting(void)
{
    static const char *const module =
        "return { table = \"Things\", partition_key = \"P:S\", indexes = { ByA = { partition_key = \"A:S\","
        " project = function(item) return { B = item.A } end } } }";
    struct rig r;
    char json[64];

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    for (int i = 0; i < 1500; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\",\"A\":\"a\"}", i);
        put(&r, json);
    }
    CHECK(schema(&r, PL_OP_CREATE, "", "{\"table\":\"Other\",\"partition_key\":\"P:S\"}") == 0);
    load(&r, module);
    pl_shard_turn(r.shard);
    CHECK(pl_shard_stats(r.shard).chore == PL_CHORE_FILLING);
    load(&r, NULL); /* the module is gone, half way */
    CHECK(schema(&r, PL_OP_DROP, "Other", "") == 0);
    for (int i = 0; i < 5; i++) {
        pass_ms(&r, 1500);
        settle(&r);
    }
    CHECK(pl_shard_stats(r.shard).chore == PL_CHORE_IDLE && !pl_shard_has_chores(r.shard));
    load(&r, module);
    settle(&r);
    take_tables(&r);
    CHECK(pl_tables_find(r.tables, pl_str("Things"))->indexes[0].state == PL_INDEX_ACTIVE);
    end(&r);
}

/* Half way, the disk is full: filling would take what is left for deletes, and sweeping makes room. */
static void without_room_what_was_dropped_is_swept_and_nothing_is_filled(void)
{
    struct rig r;
    struct pl_operation op;
    uint32_t other, index;
    int64_t filled;
    char json[64];

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", "{\"table\":\"Other\",\"partition_key\":\"P:S\"}") == 0);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    other = pl_tables_find(r.tables, pl_str("Other"))->id;
    for (int i = 0; i < 2000; i++) {
        snprintf(json, sizeof json, "{\"P\":\"%d\",\"A\":\"a\"}", i);
        put(&r, json);
    }
    pl_operation_init(&op, PL_OP_PUT);
    op.table_name = pl_str("Other");
    CHECK(pl_json_read_item(pl_str("{\"P\":\"x\"}"), PL_JSON_PLAIN, &op.arena, &op.bytes, &op.item, &r.why) ==
          0);
    CHECK(pl_prepare(&op, r.tables, 4) == 0);
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(drop_finished(&r) == 1 && op.reply.rc == 0);
    pl_operation_deinit(&op);
    pl_operation_init(&op, PL_OP_ALTER);
    op.table_name = pl_str("Things");
    op.definition = pl_str("{\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\",\"project\":\"keys_only\"}}}");
    pl_shard_submit(r.shard, &op);
    for (int i = 0; i < 2; i++) {
        pl_shard_turn(r.shard);
        sync_once(&r, 0);
        pl_shard_apply(r.shard);
        take_tables(&r);
    }
    CHECK(drop_finished(&r) == 1 && op.reply.rc == 0);
    pl_operation_deinit(&op);
    index = pl_tables_find(r.tables, pl_str("Things"))->indexes[0].id;
    filled = pl_counters_total(pl_shard_counters(r.shard), index).items;
    CHECK_MSG(filled > 0 && filled < 2000, "%lld", (long long)filled);
    pass_ms(&r, 6000);
    CHECK(pl_shard_checkpoints(r.shard));
    pl_shard_end_checkpoint(r.shard, PL_EFULL, &r.why);
    CHECK(pl_shard_stats(r.shard).full);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), other).items == 1);
    CHECK(schema(&r, PL_OP_DROP, "Other", "") == 0);
    settle(&r);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), other).items == 0);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), index).items == filled);
    CHECK(pl_tables_find(r.tables, pl_str("Things"))->indexes[0].state == PL_INDEX_BACKFILLING);
    pass_ms(&r, 6000);
    checkpoint(&r); /* there is room again */
    CHECK(pl_tables_find(r.tables, pl_str("Things"))->indexes[0].state == PL_INDEX_ACTIVE);
    check_agreement(&r, 2000);
    end(&r);
}

/* ---- streams ---------------------------------------------------------------------------------------- */

/* As a trigger leaves one behind. */
static void bury(struct rig *r, uint32_t table_id, uint32_t trigger_id)
{
    struct pl_buf effects = { 0 }, scratch_bytes = { 0 };
    struct pl_letter letter = { .partition = 2, .sequence = 7, .record = pl_str("record") };
    struct pl_advance advance = { .table_id = table_id, .trigger_id = trigger_id };
    struct pl_operation op;

    pl_letter_put(&effects, trigger_id, &letter, &scratch_bytes);
    pl_change_count(&effects, 2, trigger_id, 1, (int64_t)letter.record.len);
    advance.effects = pl_buf_view(&effects);
    pl_operation_init(&op, PL_OP_ADVANCE);
    op.partition = 2;
    op.advance = &advance;
    pl_shard_submit(r->shard, &op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
    pl_buf_deinit(&effects);
    pl_buf_deinit(&scratch_bytes);
}

static void a_trigger_that_is_gone_leaves_no_count_of_letters(void)
{
    static const char *const with =
        "return { table = \"Things\", partition_key = \"P:S\", stream = \"keys_only\","
        " triggers = { t = { run = function() end } } }";
    static const char *const without =
        "return { table = \"Things\", partition_key = \"P:S\", stream = \"keys_only\" }";
    struct rig r;
    uint32_t id;

    start(&r);
    load(&r, with);
    take_tables(&r);
    id = r.tables->tables[0]->triggers[0].id;
    bury(&r, r.tables->tables[0]->id, id);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), id).items == 1);
    load(&r, without);
    settle(&r);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), id).items == 0);
    CHECK(pl_counters_total(pl_shard_counters(r.shard), id).size_bytes == 0);
    end(&r);
}

/* A trigger passes over what was written before it, which it knows by the time. */
static void a_record_is_never_older_than_the_triggers_it_is_for(void)
{
    static const char *const module =
        "return { table = \"Things\", partition_key = \"P:S\", stream = \"keys_only\","
        " triggers = { t = { run = function() end } } }";
    struct pl_stream_walk walk = { 0 };
    struct pl_stream_record record;
    uint32_t found = 0;
    struct rig r;

    start(&r);
    r.wall_ms = 5000;
    load(&r, module);
    take_tables(&r);
    r.wall_ms = 2000; /* the clock was put back */
    put(&r, "{\"P\":\"p\"}");
    walk.stream_id = r.tables->tables[0]->stream_id;
    CHECK(r.tables->tables[0]->triggers[0].created_ms == 5000);
    CHECK(pl_snapshot_open(pl_shard_state(r.shard), &walk.snapshot) == 0);
    CHECK(pl_snapshot_renew(walk.snapshot) == 0);
    for (walk.partition = 0; walk.partition < 4; walk.partition++)
        if (pl_stream_seek(&walk, 1, &record) == 0) {
            CHECK(record.at_ms == 5000);
            found++;
        }
    CHECK(found == 1);
    pl_snapshot_close(walk.snapshot);
    end(&r);
}

/* ---- replies ---------------------------------------------------------------------------------------- */

static void a_reply_outlives_the_table_it_was_judged_by(void)
{
    struct rig r;
    struct pl_operation alter[2], op;
    const char *const definitions[] = {
        "{\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\",\"project\":\"keys_only\"}}}",
        "{\"indexes\":{\"ByA\":null}}",
    };

    start(&r);
    CHECK(schema(&r, PL_OP_CREATE, "", things) == 0);
    prepare_put(&r, &op, "{\"P\":\"1\",\"A\":\"a\"}");
    for (int i = 0; i < 2; i++) {
        pl_operation_init(&alter[i], PL_OP_ALTER);
        alter[i].table_name = pl_str("Things");
        alter[i].definition = pl_str(definitions[i]);
    }
    pl_shard_submit(r.shard, &alter[0]);
    pl_shard_submit(r.shard, &op);
    pl_shard_submit(r.shard, &alter[1]);
    settle(&r);
    CHECK(drop_finished(&r) == 3 && op.reply.rc == 0);
    CHECK(op.reply.capacity.index_count == 1);
    CHECK(pl_bytes_equal(op.reply.capacity.indexes[0].name, pl_str("ByA")));
    pl_operation_deinit(&op);
    pl_operation_deinit(&alter[0]);
    pl_operation_deinit(&alter[1]);
    end(&r);
}

int main(void)
{
    RUN(what_was_in_flight_at_a_checkpoint_is_in_the_next);
    RUN(what_is_applied_during_a_checkpoint_is_neither_lost_nor_counted_twice);
    RUN(starts_that_follow_each_other_do_not_add_up);
    RUN(deletes_stop_where_memory_for_what_cannot_be_flushed_ends);
    RUN(after_a_clean_end_nothing_is_replayed);
    RUN(a_shard_at_rest_writes_no_more);
    RUN(with_an_interval_the_last_write_is_synced_within_it);
    RUN(a_failed_shard_refuses_however_much_was_gathered);
    RUN(a_chore_that_is_put_off_goes_on_with_the_next_start);
    RUN(an_index_that_lost_its_function_keeps_no_other_chore_waiting);
    RUN(a_trigger_that_is_gone_leaves_no_count_of_letters);
    RUN(a_record_is_never_older_than_the_triggers_it_is_for);
    RUN(without_room_what_was_dropped_is_swept_and_nothing_is_filled);
    RUN(a_reply_outlives_the_table_it_was_judged_by);
    return test_summary();
}
