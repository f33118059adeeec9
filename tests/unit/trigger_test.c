/* SPDX-License-Identifier: MIT */
#include "codec/line.h"
#include "partition/shard_inside.h"
#include "perilune.h"
#include "stream/trigger.h"

#include "scratch_tree.h"
#include "test.h"

#include <sys/wait.h>

/*
 * A trigger with the engine under it, in one thread, and processes that end in the middle: before a change is in
 * the journal, before the journal is on the disk, and before what is on the disk is applied.
 */
static const char things[] =
    "return { table = 'Things', partition_key = 'k:S', sort_key = 's:N', stream = 'new_and_old_images',"
    "  triggers = { count = { retries = 0, parallel = 4, run = function(records, db)"
    "    local lists = {}"
    "    for _, r in ipairs(records) do"
    "      if r.new.bad then error('bad') end"
    "      lists[r.keys.k] = lists[r.keys.k] or {}"
    "      table.insert(lists[r.keys.k], r.keys.s)"
    "    end"
    "    for k, list in pairs(lists) do"
    "      db:update('Counts', { k = k }, 'SET seen = list_append(if_not_exists(seen, :none), :more)',"
    "                { values = { more = list, none = perilune.list {} } })"
    "    end"
    "  end } } }";
static const char counts[] = "return { table = 'Counts', partition_key = 'k:S' }";

/* ---- ending in the middle --------------------------------------------------------------------------- */

static long steps_left = -1; /* in a child: it ends when this comes to 0 */

static void step(void)
{
    if (steps_left > 0 && --steps_left == 0)
        _exit(9);
}

int __real_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why);
int __wrap_pl_shard_commit(struct pl_shard *shard, uint16_t partition, struct pl_bytes change,
                           enum pl_journal_use use, struct pl_reason *why)
{
    step();
    return __real_pl_shard_commit(shard, partition, change, use, why);
}

int __real_pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why);
int __wrap_pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why);
int __wrap_pl_shard_run_sync(struct pl_shard *shard, struct pl_reason *why)
{
    int rc;

    step();
    rc = __real_pl_shard_run_sync(shard, why);
    step();
    return rc;
}

/* ---- memory ----------------------------------------------------------------------------------------- */

static uint64_t budget_bytes, held_most; /* 0: as it is */

enum pl_lane_step __real_pl_trigger_step(struct pl_trigger_hands *hands,
                                         const struct pl_trigger_source *source, struct pl_trigger_lane *at,
                                         uint64_t applied);
enum pl_lane_step __wrap_pl_trigger_step(struct pl_trigger_hands *hands,
                                         const struct pl_trigger_source *source, struct pl_trigger_lane *at,
                                         uint64_t applied);
enum pl_lane_step __wrap_pl_trigger_step(struct pl_trigger_hands *hands,
                                         const struct pl_trigger_source *source, struct pl_trigger_lane *at,
                                         uint64_t applied)
{
    enum pl_lane_step step;

    if (budget_bytes > 0)
        source->budget->max_bytes = budget_bytes;
    step = __real_pl_trigger_step(hands, source, at, applied);
    if (atomic_load(&source->budget->held_bytes) > held_most)
        held_most = atomic_load(&source->budget->held_bytes);
    return step;
}

/* ---- asking ----------------------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(dir, name), "wb");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

/* Fresh, with the modules in it. Good until the next. */
static const char *folder(void)
{
    static char dir[PATH_MAX];

    snprintf(dir, sizeof dir, "%s", scratch_fresh("trigger"));
    if (mkdir(dir, 0700) != 0)
        abort();
    write_file(dir, "things.lua", things);
    write_file(dir, "counts.lua", counts);
    return dir;
}

static struct pl_perilune *open_at(const char *dir)
{
    struct pl_perilune_options options = { .path = scratch_path(dir, "data"),
                                           .scripts_path = dir,
                                           .partition_count = 1 };
    struct pl_reason why = { .text = "" };
    struct pl_perilune *db = NULL;
    int rc = pl_perilune_open(&options, &db, &why);

    if (rc != 0)
        fprintf(stderr, "open: %s\n", pl_reason_text(&why, rc));
    return rc == 0 ? db : NULL;
}

static struct pl_perilune_call *ask(struct pl_perilune *db, const char *text)
{
    struct pl_perilune_call *call = pl_perilune_begin(db, PL_OP_GET);
    struct pl_reason why = { .text = "" };
    struct pl_line line;

    if (pl_line_read(pl_str(text), &line, &why) != 0 || pl_line_parse(&line, &call->op, &why) != 0)
        abort();
    pl_perilune_run(call);
    return call;
}

static int say(struct pl_perilune *db, const char *text)
{
    struct pl_perilune_call *call = ask(db, text);
    int rc = call->op.reply.rc;

    pl_perilune_end(call);
    return rc;
}

/* The numbers that the trigger has put together for `k`, as "1 2 3 "; empty: none. */
static void seen(struct pl_perilune *db, int k, char out[512])
{
    char text[64];
    struct pl_perilune_call *call;
    struct pl_value list, value;
    struct pl_number number;
    int64_t integer = 0;
    struct pl_buf digits = { 0 };

    snprintf(text, sizeof text, "GET Counts {\"k\":\"k%d\"}", k);
    call = ask(db, text);
    if (call->op.reply.has_item && pl_item_find(call->op.reply.item, pl_str("seen"), &list))
        for (struct pl_bytes rest = list.payload; pl_value_take(&rest, &value);) {
            pl_value_number(value, &number);
            pl_number_to_int64(&number, &integer);
            pl_buf_append_format(&digits, "%lld ", (long long)integer);
        }
    snprintf(out, 512, "%.*s", (int)digits.len, digits.len == 0 ? "" : digits.data);
    pl_buf_deinit(&digits);
    pl_perilune_end(call);
}

static uint64_t letters(struct pl_perilune *db)
{
    struct pl_perilune_call *call = ask(db, "DEADLETTERS Things/count");
    uint64_t found = call->op.reply.rc == 0 ? call->op.reply.count : UINT64_MAX;

    pl_perilune_end(call);
    return found;
}

static bool is_stored(struct pl_perilune *db, int k, int s)
{
    char text[64];
    struct pl_perilune_call *call;
    bool found;

    snprintf(text, sizeof text, "GET Things {\"k\":\"k%d\",\"s\":%d}", k, s);
    call = ask(db, text);
    found = call->op.reply.has_item;
    pl_perilune_end(call);
    return found;
}

static void settle(struct pl_perilune *db)
{
    while (pl_perilune_run_triggers(db) != UINT64_MAX)
        ;
}

/* ---- the tests -------------------------------------------------------------------------------------- */

enum { KEYS = 3, ROUNDS = 2, STEPS_MAX = 400 };

/* Every key in each round; the second key's first record is bad. */
static void write_all(struct pl_perilune *db)
{
    char text[128];

    for (int s = 1; s <= ROUNDS; s++)
        for (int k = 1; k <= KEYS; k++) {
            snprintf(text, sizeof text, "PUT Things {\"k\":\"k%d\",\"s\":%d%s}", k, s,
                     k == 2 && s == 1 ? ",\"bad\":true" : "");
            say(db, text);
        }
}

/* True: it came to its end. */
static bool run_child(const char *dir, long steps)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct pl_perilune *db = open_at(dir);

        if (db == NULL)
            _exit(3);
        steps_left = steps;
        write_all(db);
        settle(db);
        _exit(0); /* nothing is given back: that too is an end in the middle */
    }
    waitpid(child, &status, 0);
    CHECK_MSG(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9), "status %d",
              status);
    return WEXITSTATUS(status) == 0;
}

static void check_all(struct pl_perilune *db, long steps)
{
    char expected[512], found[512];

    for (int k = 1; k <= KEYS; k++) {
        size_t len = 0;

        expected[0] = '\0';
        for (int s = 1; s <= ROUNDS; s++)
            if (is_stored(db, k, s) && !(k == 2 && s == 1))
                len += (size_t)snprintf(expected + len, sizeof expected - len, "%d ", s);
        seen(db, k, found);
        CHECK_MSG(strcmp(found, expected) == 0, "ended at step %ld: k%d: expected %s, found %s", steps, k,
                  expected, found);
    }
    CHECK_MSG(letters(db) == (is_stored(db, 2, 1) ? 1 : 0), "ended at step %ld", steps);
}

static void what_is_kept_happens_once_wherever_the_process_ends(void)
{
    long steps = 1;
    bool whole = false;

    for (; !whole && steps < STEPS_MAX; steps++) {
        const char *dir = folder();
        struct pl_perilune *db;

        whole = run_child(dir, steps);
        db = open_at(dir);
        CHECK(db != NULL);
        settle(db);
        check_all(db, steps);
        pl_perilune_close(db);
        scratch_remove(dir);
    }
    CHECK(whole && steps > 20);
}

/* All of a batch is there before the first lane goes: who dealt the records wrongly shows in their order. */
static void records_of_a_key_stay_in_order_in_all_slots(void)
{
    const char *dir = folder();
    struct pl_perilune *db;
    struct pl_buf text = { 0 };
    char found[512];

    db = open_at(dir);
    CHECK(db != NULL);
    pl_buf_append_bytes(&text, pl_str("BATCH WRITE {\"Things\":{\"put\":["));
    for (int s = 1; s <= 8; s++)
        for (int k = 1; k <= 3; k++)
            pl_buf_append_format(&text, "%s{\"k\":\"k%d\",\"s\":%d}", s + k == 2 ? "" : ",", k, s);
    pl_buf_append(&text, "]}}", 4);
    CHECK(say(db, text.data) == 0);
    settle(db);
    for (int k = 1; k <= 3; k++) {
        seen(db, k, found);
        CHECK_MSG(strcmp(found, "1 2 3 4 5 6 7 8 ") == 0, "k%d: %s", k, found);
    }
    pl_buf_deinit(&text);
    pl_perilune_close(db);
    scratch_remove(dir);
}

/* Ten slots of one partition and a function that fails: all that waits is more than they may hold. */
static void many_failing_lanes_hold_no_more_than_they_may(void)
{
    const char *dir = folder();
    struct pl_perilune *db;
    char text[4096], found[512];

    write_file(dir, "things.lua",
               "return { table = 'Things', partition_key = 'k:S', sort_key = 's:N', stream = 'new_image',"
               "  triggers = { count = { parallel = 10, batch = 4, run = function(records, db)"
               "    if not db:get('Counts', { k = 'open' }) then error('not now') end"
               "    for _, r in ipairs(records) do"
               "      db:update('Counts', { k = r.keys.k },"
               "                'SET seen = list_append(if_not_exists(seen, :none), :more)',"
               "                { values = { more = perilune.list { r.keys.s }, none = perilune.list {} } })"
               "    end"
               "  end } } }");
    budget_bytes = 16 << 10;
    held_most = 0;
    db = open_at(dir);
    CHECK(db != NULL);
    for (int i = 0; i < 120; i++) {
        snprintf(text, sizeof text, "PUT Things {\"k\":\"k%d\",\"s\":%d,\"t\":\"%02000d\"}", i % 40, i / 40,
                 0);
        CHECK(say(db, text) == 0);
    }
    for (int i = 0; i < 100; i++)
        pl_perilune_run_triggers(db);
    CHECK_MSG(held_most > 8 << 10 && held_most <= (16 << 10) + (16 << 10), "%llu",
              (unsigned long long)held_most);
    CHECK(say(db, "PUT Counts {\"k\":\"open\"}") == 0);
    settle(db);
    for (int k = 0; k < 40; k++) {
        seen(db, k, found);
        CHECK_MSG(strcmp(found, "0 1 2 ") == 0, "k%d: %s", k, found);
    }
    CHECK(held_most <= (16 << 10) + (16 << 10));
    budget_bytes = 0;
    pl_perilune_close(db);
    scratch_remove(dir);
}

int main(void)
{
    RUN(many_failing_lanes_hold_no_more_than_they_may);
    RUN(records_of_a_key_stay_in_order_in_all_slots);
    RUN(what_is_kept_happens_once_wherever_the_process_ends);
    return test_summary();
}
