/* SPDX-License-Identifier: MIT */
#include "codec/line.h"
#include "partition/prepare.h"
#include "partition/prepare_transaction.h"
#include "partition/shard_inside.h"
#include "partition/stream.h"
#include "partition/token.h"
#include "partition/verify.h"

#include "scratch_tree.h"
#include "test.h"

/* A shard that the test itself turns, by clocks that the test sets, asked in the words of the line protocol. */
struct rig {
    char path[PATH_MAX];
    struct pl_disk disk;
    struct pl_datadir *dir;
    struct pl_shard_options options;
    struct pl_shard *shard;
    struct pl_tables *tables;
    uint64_t now_ns;
    int64_t wall_ms;
    struct pl_reason why;
};

enum { PARTITIONS = 4, LINE_BYTES = 8192, LONG_BYTES = 900 };

static uint64_t rig_now(void *state)
{
    return ((struct rig *)state)->now_ns;
}

static int64_t rig_wall(void *state)
{
    return ((struct rig *)state)->wall_ms;
}

static void take_tables(struct rig *r)
{
    struct pl_tables *tables = pl_shard_take_tables(r->shard);

    if (tables == NULL)
        return;
    pl_tables_unref(r->tables);
    r->tables = tables;
}

static void open_rig(struct rig *r)
{
    struct pl_datadir_options dir = { .partition_count = PARTITIONS, .random = pl_random_system() };

    CHECK_MSG(pl_datadir_open(&r->disk, r->path, &dir, &r->dir, &r->why) == 0, "%s", r->why.text);
    r->options.dir = r->dir;
    CHECK_MSG(pl_shard_open(&r->options, &r->shard, &r->why) == 0, "%s", r->why.text);
    take_tables(r);
}

static void sync_all(struct rig *r)
{
    while (pl_shard_syncs(r->shard))
        pl_shard_end_sync(r->shard, pl_shard_run_sync(r->shard, &r->why), &r->why);
}

/* Until nothing is on its way. */
static void settle(struct rig *r)
{
    bool more;

    do {
        more = pl_shard_turn(r->shard);
        sync_all(r);
        more = more || pl_shard_applies(r->shard);
        pl_shard_apply(r->shard);
        take_tables(r);
    } while (more);
}

static void pass_ms(struct rig *r, int64_t ms)
{
    r->now_ns += (uint64_t)ms * 1000000;
    r->wall_ms += ms;
    pl_shard_tick(r->shard);
    settle(r);
}

static void close_rig(struct rig *r, bool clean)
{
    pl_shard_close(r->shard, clean, &r->why);
    pl_datadir_close(r->dir);
    pl_tables_unref(r->tables);
    r->tables = NULL;
}

static void end(struct rig *r)
{
    settle(r);
    close_rig(r, true);
    scratch_remove(r->path);
}

/* The line as an operation, ready for the shard. What is not 0 is its failure. `~` stands for a long text. */
static int ready(struct rig *r, struct pl_operation *op, const char *words)
{
    struct pl_line line;
    char *text;
    size_t len = 0;

    pl_operation_init(op, PL_OP_GET);
    text = pl_arena_alloc(&op->arena, LINE_BYTES);
    CHECK(text != NULL);
    for (; *words != '\0'; words++) {
        if (*words == '~') {
            memset(text + len, 's', LONG_BYTES);
            len += LONG_BYTES;
        } else {
            text[len++] = *words;
        }
        CHECK(len + LONG_BYTES < LINE_BYTES);
    }
    CHECK_MSG(pl_line_read(pl_bytes(text, len), &line, &r->why) == 0, "%s", r->why.text);
    CHECK_MSG(pl_line_parse(&line, op, &r->why) == 0, "%s", r->why.text);
    if (op->name == PL_OP_TRANSACT_GET || op->name == PL_OP_TRANSACT_WRITE)
        op->reply.rc = pl_prepare_transaction(op, r->tables, PARTITIONS);
    else if (pl_operation_kind(op->name) == PL_OPERATION_WRITE)
        op->reply.rc = pl_prepare(op, r->tables, PARTITIONS);
    return op->reply.rc;
}

static void submit(struct rig *r, struct pl_operation *op, const char *words)
{
    CHECK_MSG(ready(r, op, words) == 0, "%s: %s", words, op->reply.why.text);
    pl_shard_submit(r->shard, op);
}

/* From beginning to end. The reply is in `op`, which the caller ends. */
static int ask(struct rig *r, struct pl_operation *op, const char *words)
{
    if (ready(r, op, words) != 0)
        return op->reply.rc;
    pl_shard_submit(r->shard, op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == op);
    return op->reply.rc;
}

static int run(struct rig *r, const char *words)
{
    struct pl_operation op;
    int rc = ask(r, &op, words);

    pl_operation_deinit(&op);
    return rc;
}

static void start(struct rig *r)
{
    static unsigned number; /* a test that failed has left its shard open */
    char name[24];

    snprintf(name, sizeof name, "transact%u", number++);
    *r = (struct rig){ .disk = pl_disk_system(), .now_ns = 1000000000, .wall_ms = 1700000000000 };
    snprintf(r->path, sizeof r->path, "%s", scratch_path(scratch(), name));
    r->options =
        (struct pl_shard_options){ .disk = &r->disk,
                                   .clock = { .monotonic_ns = rig_now, .wall_ms = rig_wall, .state = r } };
    r->options.recovery.journal.random = pl_random_system();
    r->options.recovery.journal.first_segment_bytes = 256 << 10;
    r->options.recovery.journal.segment_bytes = 4 << 20;
    open_rig(r);
    CHECK(run(r, "CREATE Things {\"partition_key\":\"P:S\",\"sort_key\":\"S:S\",\"indexes\":{"
                 "\"ByName\":{\"sort_key\":\"Name:S\"},\"ByAge\":{\"partition_key\":\"Age:N\"}}}") == 0);
}

/* Everything agrees with everything else, and there are `items` in the table. */
static void check_agreement(struct rig *r, uint64_t items)
{
    struct pl_buf sentences = { 0 };
    struct pl_verify verify = { .tables = r->tables,
                                .counters = pl_shard_counters(r->shard),
                                .partition_count = PARTITIONS,
                                .sentences = &sentences };

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &verify.snapshot) == 0);
    CHECK(pl_snapshot_renew(verify.snapshot) == 0);
    CHECK(pl_verify(&verify) == 0);
    CHECK_MSG(verify.faults == 0, "%.*s", (int)sentences.len, sentences.data);
    CHECK_MSG(verify.items == items, "%llu items", (unsigned long long)verify.items);
    pl_snapshot_close(verify.snapshot);
    pl_buf_deinit(&sentences);
}

/* The number in the item's attribute N; -1: no item. */
static long number_of(struct rig *r, const char *p, const char *s)
{
    struct pl_operation op;
    struct pl_value value;
    struct pl_number number;
    char words[256];
    int64_t n = -1;

    snprintf(words, sizeof words, "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"%s\",\"S\":\"%s\"}}]", p,
             s);
    CHECK(ask(r, &op, words) == 0);
    if (op.children[0].reply.has_item && pl_item_find(op.children[0].reply.item, pl_str("N"), &value)) {
        pl_value_number(value, &number);
        CHECK(pl_number_to_int64(&number, &n));
    }
    pl_operation_deinit(&op);
    return (long)n;
}

/* Records of tokens, of both kinds. */
static unsigned token_records(struct rig *r)
{
    struct pl_snapshot *snapshot;
    struct pl_bytes key, value;
    unsigned count = 0;
    int rc;

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &snapshot) == 0);
    CHECK(pl_snapshot_renew(snapshot) == 0);
    for (rc = pl_snapshot_seek(snapshot, pl_str(""), &key, &value); rc == 0;
         rc = pl_snapshot_next(snapshot, &key, &value))
        count += pl_token_is_in(key);
    CHECK(rc == PL_ENOTFOUND);
    pl_snapshot_close(snapshot);
    return count;
}

/* ---- staging ---------------------------------------------------------------------------------------- */

static void a_transaction_is_one_change(void)
{
    struct pl_shard_stats before, after;
    struct rig r;

    start(&r);
    before = pl_shard_stats(r.shard);
    CHECK(run(&r, "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"a\",\"S\":\"1\",\"Age\":5}},"
                  "{\"put\":\"Things\",\"item\":{\"P\":\"b\",\"S\":\"1\",\"Age\":5}},"
                  "{\"put\":\"Things\",\"item\":{\"P\":\"c\",\"S\":\"1\",\"Age\":6}}]") == 0);
    after = pl_shard_stats(r.shard);
    CHECK(after.changes == before.changes + 1);
    CHECK(after.transactions == before.transactions + 1);
    check_agreement(&r, 3);
    end(&r);
}

/* Items whose keys differ only behind what a store key holds stand in one record, and so do their entries. */
static void children_see_what_the_others_put_into_one_record(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, "PUT Things {\"P\":\"p\",\"S\":\"~0\",\"Name\":\"~a\",\"N\":0}") == 0);
    CHECK(run(&r, "PUT Things {\"P\":\"p\",\"S\":\"~1\",\"Name\":\"~b\",\"N\":1}") == 0);
    CHECK(run(&r, "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"~2\",\"Name\":\"~c\"}},"
                  "{\"delete\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"~0\"}},"
                  "{\"update\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"~1\"},\"set\":\"SET #n = :z\","
                  "\"names\":{\"#n\":\"Name\"},\"values\":{\":z\":\"~z\"}},"
                  "{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"~3\"}}]") == 0);
    check_agreement(&r, 3);
    close_rig(&r, false);
    open_rig(&r);
    check_agreement(&r, 3);
    end(&r);
}

/* The same, while what was there before is in flight. */
static void children_see_what_is_in_flight(void)
{
    struct pl_operation first, second, third;
    struct rig r;

    start(&r);
    submit(&r, &first, "PUT Things {\"P\":\"p\",\"S\":\"~0\",\"Name\":\"~a\",\"N\":1}");
    pl_shard_turn(r.shard);
    submit(&r, &second,
           "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"~1\",\"Name\":\"~b\"}},"
           "{\"update\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"~0\"},\"set\":\"SET N = N + 1\"},"
           "{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"~2\"}}]");
    submit(&r, &third, "UPDATE Things {\"P\":\"p\",\"S\":\"~1\"} SET N = 5 IF attribute_exists(P)");
    pl_shard_turn(r.shard);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &first && first.next == &second && second.next == &third);
    CHECK(first.reply.rc == 0 && second.reply.rc == 0 && third.reply.rc == 0);
    check_agreement(&r, 3);
    pl_operation_deinit(&first);
    pl_operation_deinit(&second);
    pl_operation_deinit(&third);
    end(&r);
}

static void what_was_staged_is_dropped_with_the_transaction(void)
{
    struct pl_shard_stats before, after;
    struct pl_operation op, later;
    struct rig r;

    start(&r);
    CHECK(run(&r, "PUT Things {\"P\":\"p\",\"S\":\"~0\",\"Name\":\"~a\"}") == 0);
    before = pl_shard_stats(r.shard);
    submit(&r, &op,
           "TRANSACT TOKEN \"t\" [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"~1\",\"Name\":\"~b\"}},"
           "{\"delete\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"~0\"}},"
           "{\"check\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"2\"},\"if\":\"attribute_exists(P)\"}]");
    pl_shard_turn(r.shard);
    after = pl_shard_stats(r.shard);
    CHECK(op.reply.rc == PL_ECANCELLED);
    CHECK(op.children[0].reply.rc == 0 && op.children[1].reply.rc == 0);
    CHECK(op.children[2].reply.rc == PL_ECONDITION);
    CHECK(after.inflight_keys == 0 && after.changes == before.changes);
    CHECK(after.journal_end == before.journal_end);
    /* And the next one sees nothing of it. */
    submit(&r, &later, "PUT Things {\"P\":\"p\",\"S\":\"~2\"}");
    settle(&r);
    CHECK(later.reply.rc == 0);
    check_agreement(&r, 2);
    CHECK(token_records(&r) == 0);
    pl_operation_deinit(&op);
    pl_operation_deinit(&later);
    pl_shard_take(r.shard);
    end(&r);
}

/* Then each condition sees its item as it was before the transaction, whatever stands before it. */
static void no_item_is_named_twice(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r,
              "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"1\"}},"
              "{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"2\"}},"
              "{\"check\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},\"if\":\"attribute_exists(P)\"}]") ==
          PL_EINVALID);
    check_agreement(&r, 0);
    end(&r);
}

static void a_table_that_is_gone_cancels_nothing_and_fails_all(void)
{
    struct pl_operation op, drop;
    struct rig r;

    start(&r);
    CHECK(run(&r, "CREATE Others {\"partition_key\":\"P:S\"}") == 0);
    CHECK(ready(&r, &op,
                "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"1\"}},"
                "{\"put\":\"Others\",\"item\":{\"P\":\"p\"}}]") == 0);
    CHECK(ask(&r, &drop, "DROP Others") == 0);
    pl_shard_submit(r.shard, &op);
    settle(&r);
    CHECK(op.reply.rc == PL_ENOTABLE);
    check_agreement(&r, 0);
    CHECK(pl_shard_take(r.shard) == &op);
    pl_operation_deinit(&op);
    pl_operation_deinit(&drop);
    end(&r);
}

static void only_what_puts_something_grows(void)
{
    static const struct {
        const char *words;
        bool grows;
    } cases[] = {
        { "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}}]", false },
        { "TRANSACT TOKEN \"t\" [{\"delete\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}},"
          "{\"check\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"2\"},\"if\":\"attribute_exists(P)\"}]",
          false },
        { "TRANSACT [{\"delete\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}},"
          "{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"2\"}}]",
          true },
        { "TRANSACT [{\"update\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},\"set\":\"REMOVE N\"}]", true },
    };
    struct rig r;

    start(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_operation op;

        CHECK(ready(&r, &op, cases[i].words) == 0);
        CHECK_MSG(pl_shard_grows(&op) == cases[i].grows, "%s", cases[i].words);
        pl_operation_deinit(&op);
    }
    end(&r);
}

/* ---- what holds for every write ---------------------------------------------------------------------- */

static unsigned stream_records(struct rig *r, const char *table)
{
    struct pl_stream_walk walk = { .stream_id = pl_tables_find(r->tables, pl_str(table))->stream_id };
    struct pl_stream_record record;
    unsigned count = 0;

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &walk.snapshot) == 0);
    CHECK(pl_snapshot_renew(walk.snapshot) == 0);
    for (; walk.partition < PARTITIONS; walk.partition++)
        for (int rc = pl_stream_seek(&walk, 1, &record); rc == 0; rc = pl_stream_next(&walk, &record))
            count++;
    pl_snapshot_close(walk.snapshot);
    return count;
}

/* One for each write that changes something; none for a check, nor for what was cancelled. */
static void each_write_has_its_record_in_the_stream(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, "CREATE Told {\"partition_key\":\"P:S\",\"stream\":\"new_and_old_images\"}") == 0);
    CHECK(run(&r,
              "TRANSACT [{\"put\":\"Told\",\"item\":{\"P\":\"a\"}},{\"put\":\"Told\",\"item\":{\"P\":\"b\"}},"
              "{\"delete\":\"Told\",\"key\":{\"P\":\"c\"}},"
              "{\"check\":\"Told\",\"key\":{\"P\":\"d\"},\"if\":\"attribute_not_exists(P)\"}]") == 0);
    CHECK(stream_records(&r, "Told") == 2);
    CHECK(run(&r,
              "TRANSACT [{\"put\":\"Told\",\"item\":{\"P\":\"e\"}},"
              "{\"check\":\"Told\",\"key\":{\"P\":\"d\"},\"if\":\"attribute_exists(P)\"}]") == PL_ECANCELLED);
    CHECK(stream_records(&r, "Told") == 2);
    CHECK(run(&r, "TRANSACT [{\"update\":\"Told\",\"key\":{\"P\":\"a\"},\"set\":\"SET N = 1\"},"
                  "{\"delete\":\"Told\",\"key\":{\"P\":\"b\"}}]") == 0);
    CHECK(stream_records(&r, "Told") == 4);
    end(&r);
}

/* Each fits, but not both: the second sees what the first has added. */
static void a_collection_has_its_limit_within_a_transaction(void)
{
    struct pl_operation op;
    struct rig r;

    start(&r);
    close_rig(&r, true);
    r.options.collection_bytes_max = 4000;
    open_rig(&r);
    CHECK(ask(&r, &op,
              "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"1\",\"T\":\"~~~\"}},"
              "{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"2\",\"T\":\"~~~\"}}]") == PL_ECANCELLED);
    CHECK(op.children[0].reply.rc == 0 && op.children[1].reply.rc == PL_ECOLLECTION);
    CHECK(strstr(op.reply.why.text, "[None, ItemCollectionSizeLimitExceeded]") != NULL);
    pl_operation_deinit(&op);
    check_agreement(&r, 0);
    CHECK(run(&r, "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"1\",\"T\":\"~~~\"}},"
                  "{\"put\":\"Things\",\"item\":{\"P\":\"q\",\"S\":\"2\",\"T\":\"~~~\"}}]") == 0);
    check_agreement(&r, 2);
    end(&r);
}

/* Until the table has nothing left of its 300 units, and then told which item it was. */
static void expect_throttling(struct rig *r, const char *words)
{
    struct pl_operation op;
    int rc = 0;

    for (int i = 0; i < 2000 && rc == 0; i++) {
        rc = ask(r, &op, words);
        if (rc != 0) {
            CHECK(op.children[0].reply.rc == 0 && op.children[1].reply.rc == PL_ETHROUGHPUT);
            CHECK(strstr(op.reply.why.text, "[None, ProvisionedThroughputExceeded]") != NULL);
        }
        pl_operation_deinit(&op);
    }
    CHECK(rc == PL_ECANCELLED);
}

static void a_table_without_throughput_left_cancels(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, "CREATE Slow {\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":1}}") == 0);
    expect_throttling(&r, "TRANSACT [{\"put\":\"Things\",\"item\":{\"P\":\"p\",\"S\":\"1\"}},"
                          "{\"put\":\"Slow\",\"item\":{\"P\":\"p\"}}]");
    expect_throttling(&r, "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}},"
                          "{\"get\":\"Slow\",\"key\":{\"P\":\"p\"}}]");
    pass_ms(&r, 5000);
    CHECK(run(&r, "TRANSACT [{\"put\":\"Slow\",\"item\":{\"P\":\"q\"}}]") == 0);
    CHECK(run(&r, "TRANSACT [{\"get\":\"Slow\",\"key\":{\"P\":\"p\"}}]") == 0);
    check_agreement(&r, 3);
    end(&r);
}

static int have_no_room(void *state, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                        struct pl_reason *why)
{
    (void)state, (void)file, (void)from, (void)to, (void)paced;
    return pl_reason_set(why, PL_EFULL, "no space left on device");
}

static int64_t write_halves_left(struct rig *r)
{
    const struct pl_table *table = pl_tables_find(r->tables, pl_str("Paid"));

    return pl_allowance_left(&table->allowances->write, r->now_ns);
}

/* The journal finds no room before the shard has looked whether there is any. */
static void a_transaction_that_is_not_committed_is_not_charged(void)
{
    struct pl_operation op;
    struct rig r;
    char words[128];
    int64_t left, used = 0;
    int rc = 0;

    start(&r);
    r.options.recovery.journal.segment_bytes = 256 << 10;
    close_rig(&r, true);
    open_rig(&r);
    CHECK(run(&r, "CREATE Paid {\"partition_key\":\"P:S\",\"throughput\":{\"read\":1,\"write\":9000}}") == 0);
    r.disk.allocate = have_no_room;
    for (int i = 0; rc == 0 && i < 4000; i++) {
        left = write_halves_left(&r);
        snprintf(words, sizeof words,
                 "TRANSACT [{\"put\":\"Paid\",\"item\":{\"P\":\"p%d\",\"T\":\"~~~~~~~\"}}]", i);
        rc = ask(&r, &op, words);
        used = left - write_halves_left(&r);
        CHECK((rc == 0) == (used > 0) && (rc == 0) == (op.reply.capacity.table_halves > 0));
        pl_operation_deinit(&op);
    }
    CHECK_MSG(rc == PL_EFULL && used == 0, "%d, %lld", rc, (long long)used);
    CHECK(!pl_shard_stats(r.shard).full);
    end(&r);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Nobody learns of a write before it is durable. */
static void a_read_waits_for_what_it_saw(void)
{
    struct pl_operation put, get, alone;
    struct pl_value value;
    struct rig r;

    start(&r);
    submit(&r, &put, "PUT Things {\"P\":\"p\",\"S\":\"1\",\"N\":1}");
    pl_shard_turn(r.shard);
    CHECK(pl_shard_syncs(r.shard));
    submit(&r, &get, "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}}]");
    pl_shard_turn(r.shard);
    CHECK(pl_shard_take(r.shard) == NULL);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &put && put.next == &get);
    CHECK(get.reply.rc == 0 && get.children[0].reply.has_item);
    CHECK(pl_item_find(get.children[0].reply.item, pl_str("N"), &value));
    submit(&r, &alone, "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}}]");
    pl_shard_turn(r.shard);
    CHECK(pl_shard_take(r.shard) == &alone);
    pl_operation_deinit(&put);
    pl_operation_deinit(&get);
    pl_operation_deinit(&alone);
    end(&r);
}

/* What it saw may not last: then it has seen nothing. */
static void a_read_of_what_was_lost_fails(void)
{
    struct pl_operation put, get, refused;
    struct rig r;

    start(&r);
    submit(&r, &put, "PUT Things {\"P\":\"p\",\"S\":\"1\",\"N\":1}");
    submit(&r, &get, "TRANSACT [{\"get\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"}}]");
    submit(&r, &refused,
           "TRANSACT [{\"check\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},"
           "\"if\":\"attribute_not_exists(P)\"}]");
    pl_shard_turn(r.shard);
    pl_shard_end_sync(r.shard, PL_EIO, &r.why);
    pl_shard_apply(r.shard);
    CHECK(pl_shard_take(r.shard) == &put);
    CHECK(put.reply.rc == PL_EUNSURE);
    CHECK(get.reply.rc == PL_EREADONLY);
    CHECK(refused.reply.rc == PL_EREADONLY && refused.reply.why.text[0] == '\0');
    pl_operation_deinit(&put);
    pl_operation_deinit(&get);
    pl_operation_deinit(&refused);
    close_rig(&r, false);
    scratch_remove(r.path);
}

/* ---- tokens ----------------------------------------------------------------------------------------- */

static const char *const add =
    "TRANSACT TOKEN \"t\" [{\"update\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},\"set\":\"ADD N "
    ":v\",\"values\":{\":v\":1}}]";
static const char *const add_two =
    "TRANSACT TOKEN \"t\" [{\"update\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},\"set\":\"ADD N "
    ":v\",\"values\":{\":v\":2}}]";

static void a_token_in_flight_is_known(void)
{
    struct pl_operation first, second, other;
    struct rig r;

    start(&r);
    submit(&r, &first, add);
    submit(&r, &second, add);
    submit(&r, &other, add_two);
    pl_shard_turn(r.shard);
    CHECK(pl_shard_take(r.shard) == NULL);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &first && first.next == &second && second.next == &other);
    CHECK(first.reply.rc == 0 && second.reply.rc == 0 && other.reply.rc == PL_EMISMATCH);
    CHECK(first.reply.capacity.writes && !second.reply.capacity.writes);
    CHECK(number_of(&r, "p", "1") == 1);
    CHECK(token_records(&r) == 2);
    check_agreement(&r, 1);
    pl_operation_deinit(&first);
    pl_operation_deinit(&second);
    pl_operation_deinit(&other);
    end(&r);
}

static void a_token_survives_a_kill_and_a_checkpoint(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, add) == 0);
    close_rig(&r, false);
    open_rig(&r);
    CHECK(run(&r, add) == 0);
    CHECK(run(&r, add_two) == PL_EMISMATCH);
    close_rig(&r, true);
    open_rig(&r);
    CHECK(run(&r, add) == 0);
    CHECK(run(&r, add_two) == PL_EMISMATCH);
    CHECK(number_of(&r, "p", "1") == 1);
    check_agreement(&r, 1);
    end(&r);
}

static void a_token_lives_ten_minutes(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, add) == 0);
    r.wall_ms += PL_TOKEN_LIFE_MS - 1;
    CHECK(run(&r, add) == 0);
    CHECK(number_of(&r, "p", "1") == 1);
    r.wall_ms += 1;
    CHECK(run(&r, add_two) == 0);
    CHECK(number_of(&r, "p", "1") == 3);
    /* Its old age went with it. */
    CHECK(token_records(&r) == 2);
    check_agreement(&r, 1);
    CHECK(run(&r, add_two) == 0);
    CHECK(run(&r, add) == PL_EMISMATCH);
    end(&r);
}

static void a_clock_put_back_makes_no_token_die(void)
{
    struct rig r;

    start(&r);
    CHECK(run(&r, add) == 0);
    r.wall_ms -= 1000 * PL_TOKEN_LIFE_MS;
    CHECK(run(&r, add) == 0);
    pass_ms(&r, 5000);
    CHECK(run(&r, add) == 0);
    CHECK(number_of(&r, "p", "1") == 1);
    end(&r);
}

static void use_token(struct rig *r, const char *kind, unsigned i)
{
    char words[256];

    snprintf(words, sizeof words,
             "TRANSACT TOKEN \"%s%u\" [{\"check\":\"Things\",\"key\":{\"P\":\"p\",\"S\":\"1\"},"
             "\"if\":\"attribute_not_exists(P)\"}]",
             kind, i);
    CHECK(run(r, words) == 0);
}

/* More of them than one step takes, and no others. */
static void old_tokens_are_forgotten(void)
{
    enum { OLD = 3 * PL_TOKEN_STEP_RECORDS, YOUNG = 20 };
    struct rig r;

    start(&r);
    for (unsigned i = 0; i < OLD; i++)
        use_token(&r, "old", i);
    r.wall_ms += PL_TOKEN_LIFE_MS / 2;
    for (unsigned i = 0; i < YOUNG; i++)
        use_token(&r, "young", i);
    pass_ms(&r, 2000);
    CHECK(token_records(&r) == 2 * (OLD + YOUNG));
    pass_ms(&r, PL_TOKEN_LIFE_MS / 2);
    CHECK_MSG(token_records(&r) == 2 * YOUNG, "%u", token_records(&r));
    check_agreement(&r, 0);
    pass_ms(&r, PL_TOKEN_LIFE_MS / 2);
    CHECK(token_records(&r) == 0);
    end(&r);
}

/* An old token's age, of a record that says nothing. */
static void put_damaged_token(struct rig *r, uint16_t partition)
{
    uint8_t key[2 + 1 + 4 + 8 + 3] = { 0 };
    struct pl_bytes view = pl_bytes(key, sizeof key);

    pl_put_be16(key, partition);
    memcpy(key + 15, "bad", 3);
    key[2] = PL_KIND_TOKEN;
    pl_put_be64(key + 7, pl_key_hash(pl_str("bad")));
    CHECK(pl_state_set(r->shard->state, view, pl_str("nothing"), false) == 0);
    key[2] = PL_KIND_TOKEN_AGE;
    pl_put_be64(key + 7, 0);
    CHECK(pl_state_set(r->shard->state, view, pl_str("\1"), false) == 0);
}

static void a_damaged_token_keeps_no_other(void)
{
    struct rig r;

    start(&r);
    for (uint16_t p = 0; p < PARTITIONS; p++)
        put_damaged_token(&r, p);
    for (unsigned i = 0; i < 20; i++)
        use_token(&r, "old", i);
    r.wall_ms += PL_TOKEN_LIFE_MS;
    pass_ms(&r, 5000);
    CHECK_MSG(token_records(&r) == PARTITIONS, "%u", token_records(&r));
    end(&r);
}

/* The sweep sees what is applied; the token may have been used anew in a change that is not. */
static void a_token_used_anew_is_not_forgotten(void)
{
    struct pl_buf change = { 0 };
    struct pl_operation op;
    struct rig r;

    start(&r);
    CHECK(run(&r, add) == 0);
    r.wall_ms += PL_TOKEN_LIFE_MS;
    submit(&r, &op, add_two);
    pl_shard_turn(r.shard);
    CHECK(pl_shard_syncs(r.shard));
    CHECK(pl_shard_freshen_view(r.shard) == 0);
    CHECK(pl_token_sweep(&r.shard->evaluator.view, op.partition, (uint64_t)r.wall_ms, &change) == 0);
    CHECK(change.len > 0);
    CHECK(pl_shard_commit(r.shard, op.partition, pl_buf_view(&change), PL_JOURNAL_SHRINK, &r.why) == 0);
    settle(&r);
    CHECK(pl_shard_take(r.shard) == &op && op.reply.rc == 0);
    CHECK(run(&r, add) == PL_EMISMATCH);
    CHECK(token_records(&r) == 2);
    check_agreement(&r, 1);
    pl_buf_deinit(&change);
    pl_operation_deinit(&op);
    end(&r);
}

int main(void)
{
    RUN(a_transaction_is_one_change);
    RUN(children_see_what_the_others_put_into_one_record);
    RUN(children_see_what_is_in_flight);
    RUN(what_was_staged_is_dropped_with_the_transaction);
    RUN(no_item_is_named_twice);
    RUN(a_table_that_is_gone_cancels_nothing_and_fails_all);
    RUN(only_what_puts_something_grows);
    RUN(each_write_has_its_record_in_the_stream);
    RUN(a_collection_has_its_limit_within_a_transaction);
    RUN(a_table_without_throughput_left_cancels);
    RUN(a_transaction_that_is_not_committed_is_not_charged);
    RUN(a_read_waits_for_what_it_saw);
    RUN(a_read_of_what_was_lost_fails);
    RUN(a_token_in_flight_is_known);
    RUN(a_token_survives_a_kill_and_a_checkpoint);
    RUN(a_token_lives_ten_minutes);
    RUN(a_clock_put_back_makes_no_token_die);
    RUN(old_tokens_are_forgotten);
    RUN(a_damaged_token_keeps_no_other);
    RUN(a_token_used_anew_is_not_forgotten);
    return test_summary();
}
