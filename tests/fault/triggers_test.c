/* SPDX-License-Identifier: MIT */
#include "failing_libraries.h"
#include "fault_disk.h"
#include "rig.h"
#include "store/store.h"

/*
 * Triggers (triggers/things.lua) while memory, the disk or a table's throughput is taken from them. A run is repeated or
 * waits: what is kept happens exactly once and in order, what is made at once happens, only what is bad becomes a dead
 * letter, and nothing is leaked.
 */
enum { ROUNDS_CLOSE = 300, SETTLE_MAX = 2000, THINGS = 3, BAD = 2 };

static void start(struct rig *rig, const struct pl_disk *disk)
{
    rig_init(rig, disk);
    rig->scripts = PL_TRIGGER_MODULES;
    rig->partitions = 2;
}

static void open_again(struct rig *rig)
{
    rig_close(rig);
    CHECK_MSG(rig_open(rig) == 0, "%s", rig->why.text);
}

/* As long as it takes, on the rig's clock. */
static void settle(struct rig *rig)
{
    uint64_t wait_ms;
    int turns = 0;

    for (; (wait_ms = pl_node_run_triggers(rig->node, 1000)) != UINT64_MAX && turns < SETTLE_MAX; turns++)
        rig_pass_ms(rig, wait_ms);
    CHECK_MSG(turns < SETTLE_MAX, "triggers do not come to rest");
}

/* The reply as a string; good until the next request. */
static const char *said(struct rig *rig)
{
    pl_buf_append_byte(&rig->reply, '\0');
    CHECK(pl_buf_status(&rig->reply) == 0);
    return rig->reply.data;
}

static void expect(struct rig *rig, const char *line, const char *words, long n)
{
    rig_must(rig, line);
    CHECK_MSG(strstr(said(rig), words) != NULL, "n %ld: %s: expected %s, found %s", n, line, words,
              rig->reply.data);
}

static int put_thing(struct rig *rig, long key, int s, bool bad)
{
    char line[128];

    snprintf(line, sizeof line, "PUT Things {\"k\":\"k%ld\",\"s\":%d%s}", key, s, bad ? ",\"bad\":true" : "");
    return rig_ask(rig, line);
}

static void put_things(struct rig *rig, long key)
{
    for (int s = 1; s <= THINGS; s++)
        CHECK(put_thing(rig, key, s, s == BAD) == 0);
}

static void expect_seen(struct rig *rig, long key, const char *list, long n)
{
    char line[64], words[64];

    snprintf(line, sizeof line, "GET Counts {\"k\":\"k%ld\"}", key);
    snprintf(words, sizeof words, "\"seen\":[%s]", list);
    expect(rig, line, words, n);
}

static void expect_looks(struct rig *rig, long key, long n)
{
    char line[64];

    for (int s = 1; s <= THINGS; s++) {
        snprintf(line, sizeof line, "GET Looks {\"k\":\"k%ld/%d\"}", key, s);
        expect(rig, line, "\"s\":", n);
    }
    snprintf(line, sizeof line, "GET Copies {\"k\":\"k%ld\"}", key);
    expect(rig, line, "\"n\":", n);
    expect(rig, "DEADLETTERS Things/look", "\"count\":0", n);
}

static void expect_sound(struct rig *rig)
{
    expect(rig, "CHECK", "\"ok\":true", 0);
    CHECK(__lsan_do_recoverable_leak_check == NULL || __lsan_do_recoverable_leak_check() == 0);
}

/* ---- memory ----------------------------------------------------------------------------------------- */

/* What fails in a round, and then whether it was met. */
typedef void attempt_fn(struct rig *rig, long n, bool for_good, bool cold);

static void sweep(struct rig *rig, attempt_fn *attempt, bool for_good, bool cold)
{
    long rounds = 0;

    allocation_has_failed = true;
    for (long n = 0; allocation_has_failed; n += 1 + n / ROUNDS_CLOSE * (n / ROUNDS_CLOSE), rounds++)
        attempt(rig, n, for_good, cold);
    if (getenv("PL_VERBOSE") != NULL)
        printf("%ld rounds, %s%s\n", rounds, for_good ? "for good" : "once", cold ? ", cold" : "");
    CHECK(rounds > 10);
    expect_sound(rig);
}

static void fail_from(long n, bool for_good)
{
    allocation_has_failed = true; /* what came before is none of the sweep's business */
    allocation_failing(n, for_good);
}

static long next_key = 0;

static void run_without_memory(struct rig *rig, long n, bool for_good, bool cold)
{
    long key = ++next_key;
    bool failed;

    put_things(rig, key);
    if (cold)
        open_again(rig);
    fail_from(n, for_good);
    for (int i = 0; i < 3; i++) {
        pl_node_run_triggers(rig->node, 1000);
        rig_pass_ms(rig, 1000);
    }
    failed = allocation_failed();
    settle(rig);
    expect_seen(rig, key, "1,3", n);
    expect_looks(rig, key, n);
    expect(rig, "DEADLETTERS Things/count", "\"count\":1", n);
    expect(rig, "DEADLETTERS Things/count PURGE ALL", "\"purged\":1", n);
    allocation_has_failed = failed;
}

static void a_run_that_lacks_memory_is_repeated(void)
{
    struct rig rig;

    start(&rig, NULL);
    CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
    sweep(&rig, run_without_memory, false, false);
    sweep(&rig, run_without_memory, true, false);
    sweep(&rig, run_without_memory, false, true);
    rig_deinit(&rig);
}

/* Its letter is there or is not; in the end its writes are made once. */
static void replay_without_memory(struct rig *rig, long n, bool for_good, bool cold)
{
    long key = ++next_key;
    char line[64];
    bool failed;

    (void)cold;
    CHECK(put_thing(rig, key, BAD, true) == 0);
    settle(rig);
    expect(rig, "DEADLETTERS Things/count", "\"count\":1", n);
    snprintf(line, sizeof line, "PUT Cures {\"k\":\"k%ld\"}", key);
    rig_must(rig, line);
    fail_from(n, for_good);
    rig_ask(rig, "DEADLETTERS Things/count REPLAY ALL");
    failed = allocation_failed();
    rig_pass_ms(rig, 1500);
    expect(rig, "DEADLETTERS Things/count REPLAY ALL", "\"failed\":0", n);
    expect_seen(rig, key, "2", n);
    expect(rig, "DEADLETTERS Things/count", "\"count\":0", n);
    allocation_has_failed = failed;
}

static void purge_without_memory(struct rig *rig, long n, bool for_good, bool cold)
{
    bool failed;

    (void)cold;
    CHECK(put_thing(rig, ++next_key, BAD, true) == 0);
    settle(rig);
    fail_from(n, for_good);
    rig_ask(rig, "DEADLETTERS Things/count PURGE ALL");
    failed = allocation_failed();
    rig_pass_ms(rig, 1500);
    rig_must(rig, "DEADLETTERS Things/count PURGE ALL");
    expect(rig, "DEADLETTERS Things/count", "\"count\":0", n);
    allocation_has_failed = failed;
}

static void dead_letters_are_replayed_and_purged_whatever_memory_lacked(void)
{
    struct rig rig;

    start(&rig, NULL);
    CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
    sweep(&rig, replay_without_memory, false, false);
    sweep(&rig, replay_without_memory, true, false);
    allocation_has_failed = true;
    for (long n = 0; allocation_has_failed; n++)
        purge_without_memory(&rig, n, n % 2 == 0, false);
    expect_sound(&rig);
    rig_deinit(&rig);
}

static void bury_without_memory(struct rig *rig, long n, bool for_good, bool cold)
{
    long key = ++next_key;
    bool failed;

    for (int s = 1; s <= THINGS; s++) {
        char line[64];

        snprintf(line, sizeof line, "PUT Late {\"k\":\"k%ld\",\"s\":%d}", key, s);
        rig_must(rig, line);
    }
    rig_pass_ms(rig, 61 * 1000);
    if (cold)
        open_again(rig);
    fail_from(n, for_good);
    pl_node_run_triggers(rig->node, 1000);
    failed = allocation_failed();
    settle(rig);
    expect(rig, "DEADLETTERS Late/gone", "\"count\":3", n);
    expect(rig, "DEADLETTERS Late/gone PURGE ALL", "\"purged\":3", n);
    allocation_has_failed = failed;
}

static void several_dead_letters_in_one_change_are_whole(void)
{
    struct rig rig;

    start(&rig, NULL);
    CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
    sweep(&rig, bury_without_memory, false, true);
    sweep(&rig, bury_without_memory, true, false);
    rig_deinit(&rig);
}

/* ---- the disk --------------------------------------------------------------------------------------- */

enum { LIVES = 2, KEYS = 2 };

/* What was told of each thing: 0 refused, 1 unsure, 2 acknowledged. */
struct ledger {
    char told[KEYS][LIVES];
};

static void live(struct rig *rig, struct ledger *ledger, int life)
{
    if (rig_open(rig) != 0)
        return;
    for (int k = 0; k < KEYS; k++) {
        int rc = put_thing(rig, k, life + 1, false);

        ledger->told[k][life] = rc == 0 ? 2 : rc == PL_EUNSURE ? 1 : 0;
        pl_node_run_triggers(rig->node, 1000);
        rig_pass_ms(rig, 3000);
        pl_node_run_triggers(rig->node, 1000);
    }
    rig_ask(rig, "CHECK");
    rig_close(rig);
}

static bool is_there(struct rig *rig, int k, int s)
{
    char line[64];

    snprintf(line, sizeof line, "GET Things {\"k\":\"k%d\",\"s\":%d}", k, s);
    rig_must(rig, line);
    return strstr(said(rig), "\"s\":") != NULL;
}

static void judge_key(struct rig *rig, const struct ledger *ledger, int k, long n)
{
    char list[16] = "";

    for (int life = 0; life < LIVES; life++) {
        bool there = is_there(rig, k, life + 1);

        CHECK_MSG(there || ledger->told[k][life] < 2, "call %ld: k%d %d is lost", n, k, life + 1);
        if (there)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", list[0] == '\0' ? "" : ",",
                     life + 1);
    }
    if (list[0] != '\0')
        expect_seen(rig, k, list, n);
}

static bool lives_on(unsigned calls, long n, bool for_good, int rc)
{
    struct fault_disk fault;
    struct ledger ledger = { { { 0 } } };
    struct rig rig;
    bool failed;

    fault_disk_init(&fault, rig_disk());
    start(&rig, &fault.disk);
    fault_disk_fail(&fault, calls, (uint64_t)n, for_good, rc);
    for (int life = 0; life < LIVES; life++)
        live(&rig, &ledger, life);
    failed = fault.failures > 0;
    fault_disk_heal(&fault);
    CHECK_MSG(rig_open(&rig) == 0, "call %ld: %s", n, rig.why.text);
    settle(&rig);
    for (int k = 0; k < KEYS; k++)
        judge_key(&rig, &ledger, k, n);
    expect(&rig, "DEADLETTERS Things/count", "\"count\":0", n);
    expect(&rig, "DEADLETTERS Things/look", "\"count\":0", n);
    expect(&rig, "CHECK", "\"ok\":true", n);
    rig_deinit(&rig);
    CHECK_MSG(fault.open_files == 0, "%lld files left open", (long long)fault.open_files);
    return failed;
}

static void each_disk_call(unsigned calls, bool for_good, int rc)
{
    long n = 1;

    while (lives_on(calls, n, for_good, rc))
        n++;
    if (getenv("PL_VERBOSE") != NULL)
        printf("%ld calls\n", n - 1);
    CHECK(n > 20);
}

static void a_disk_call_that_fails_costs_no_run_and_repeats_no_kept_write(void)
{
    each_disk_call(FAULT_ANY, false, PL_EIO);
    each_disk_call(FAULT_ANY & ~(unsigned)FAULT_READ, true, PL_EFULL);
}

static bool disk_is_full;

int __real_pl_store_room(struct pl_store *store, struct pl_store_room *out);
int __wrap_pl_store_room(struct pl_store *store, struct pl_store_room *out);

int __wrap_pl_store_room(struct pl_store *store, struct pl_store_room *out)
{
    int rc = __real_pl_store_room(store, out);

    out->low = out->low || disk_is_full;
    return rc;
}

static void fill_disk(struct rig *rig, bool full)
{
    disk_is_full = full;
    rig_pass_ms(rig, 6000);
    rig_must(rig, "DEL Cures {\"k\":\"nobody\"}");
    CHECK(rig_ask(rig, "PUT Cures {\"k\":\"somebody\"}") == (full ? PL_EFULL : 0));
}

static void triggers_wait_for_room_on_the_disk(void)
{
    struct rig rig;

    start(&rig, NULL);
    CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
    put_things(&rig, 1);
    fill_disk(&rig, true);
    for (int i = 0; i < 20; i++) {
        pl_node_run_triggers(rig.node, 1000);
        rig_pass_ms(&rig, 6000);
    }
    expect(&rig, "COUNT Counts", "\"count\":0", 0);
    expect(&rig, "DEADLETTERS Things/count", "\"count\":0", 0);
    expect(&rig, "DEADLETTERS Things/look", "\"count\":0", 0);
    fill_disk(&rig, false);
    settle(&rig);
    expect_seen(&rig, 1, "1,3", 0);
    expect_looks(&rig, 1, 0);
    expect(&rig, "DEADLETTERS Things/count", "\"count\":1", 0);
    expect_sound(&rig);
    rig_deinit(&rig);
}

/* ---- throughput ------------------------------------------------------------------------------------- */

static void use_up(struct rig *rig, const char *table)
{
    char line[64];
    int puts = 0, rc;

    snprintf(line, sizeof line, "PUT %s {\"k\":\"none\"}", table);
    while ((rc = rig_ask(rig, line)) == 0 && puts < 2000)
        puts++;
    CHECK_MSG(rc == PL_ETHROUGHPUT, "%s: %s after %d puts", table, pl_error_name(rc), puts);
}

static void expect_no_letters(struct rig *rig)
{
    expect(rig, "DEADLETTERS Requests/kept", "\"count\":0", 0);
    expect(rig, "DEADLETTERS Requests/twice", "\"count\":0", 0);
    expect(rig, "DEADLETTERS Requests/now", "\"count\":0", 0);
}

static void triggers_wait_for_the_throughput_of_their_tables(void)
{
    struct rig rig;

    start(&rig, NULL);
    CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
    use_up(&rig, "Slow");
    for (int i = 0; i < 4; i++) {
        char line[64];

        snprintf(line, sizeof line, "PUT Requests {\"k\":\"k%d\"}", i);
        rig_must(&rig, line);
    }
    pl_node_run_triggers(rig.node, 1000);
    expect(&rig, "COUNT Slow", "\"count\":1,", 0);
    expect_no_letters(&rig);
    settle(&rig);
    expect(&rig, "COUNT Slow", "\"count\":13,", 0);
    expect_no_letters(&rig);
    expect_sound(&rig);
    rig_deinit(&rig);
}

int main(void)
{
    failing_json();
    RUN(a_run_that_lacks_memory_is_repeated);
    RUN(dead_letters_are_replayed_and_purged_whatever_memory_lacked);
    RUN(several_dead_letters_in_one_change_are_whole);
    RUN(triggers_wait_for_room_on_the_disk);
    RUN(a_disk_call_that_fails_costs_no_run_and_repeats_no_kept_write);
    RUN(triggers_wait_for_the_throughput_of_their_tables);
    allocation_failed();
    if (test_fail_count > 0)
        rig_give_up();
    return test_summary();
}
