/* SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include "store/audit.h"
#include "store/page.h"

#include "fault_disk.h"
#include "scratch_tree.h"
#include "test.h"

static struct pl_disk disk;
static struct pl_reason why;
static const uint8_t ID[PL_CHECKPOINT_ID_BYTES] = "an id of sixteen";

static struct pl_store *fresh_store(const char *name)
{
    struct pl_store_options options = { .create = true };
    struct pl_store *store = NULL;

    if (pl_store_open(scratch_fresh(name), &options, &store, &why) != 0)
        fprintf(stderr, "%s\n", why.text);
    return store;
}

static int put_some(struct pl_store *store, int seed)
{
    static char value[3000];
    struct pl_txn *txn;
    char key[16];
    int rc = pl_txn_begin(store, &txn);

    for (int i = 0; rc == 0 && i < 10; i++) {
        snprintf(key, sizeof key, "k%d", (seed * 7 + i) % 40);
        rc = pl_txn_put(txn, pl_str(key), pl_bytes(value, (size_t)(seed * 13 + i * 101) % sizeof value));
    }
    return rc == 0 ? pl_txn_commit(txn) : rc;
}

static int facts_of(const struct pl_checkpoint *checkpoint, struct pl_checkpoint_facts *facts)
{
    struct pl_buf payload = { 0 };
    int rc;

    pl_checkpoint_payload(checkpoint, &payload);
    rc = pl_checkpoint_read(pl_buf_view(&payload), facts, &why);
    pl_buf_deinit(&payload);
    return rc;
}

static void a_record_says_what_was_pinned(void)
{
    struct pl_store *store = fresh_store("record");
    struct pl_checkpoint *checkpoint;
    struct pl_checkpoint_facts facts;
    struct pl_store_lag lag;
    uint64_t keep_from = 0;

    CHECK(put_some(store, 1) == 0);
    CHECK(pl_checkpoint_open(&disk, store, ID, 3, &checkpoint, &why) == 0);
    CHECK(pl_checkpoint_txn_id(checkpoint) == 1 && !pl_checkpoint_busy(checkpoint));
    CHECK(put_some(store, 2) == 0);
    CHECK(pl_checkpoint_begin(checkpoint, 4711, &why) == 0);
    CHECK(pl_checkpoint_busy(checkpoint));
    CHECK(pl_checkpoint_begin(checkpoint, 4712, &why) == PL_EINUSE);
    CHECK(put_some(store, 3) == 0);
    CHECK(pl_checkpoint_run(checkpoint, &why) == 0);
    CHECK(facts_of(checkpoint, &facts) == 0);
    CHECK(memcmp(facts.id, ID, sizeof ID) == 0 && facts.shard == 3 && facts.replay_from == 4711);
    CHECK(facts.txn_id == 2 && facts.page_bytes == pl_store_page_bytes(store) && facts.last_page > 2);
    pl_store_lag(store, &lag);
    CHECK(lag.pinned_txn_id == 1 &&
          lag.last_txn_id == 3); /* the old one is held until the record is durable */
    pl_checkpoint_commit(checkpoint, &keep_from);
    CHECK(keep_from == 4711 && pl_checkpoint_txn_id(checkpoint) == 2);
    pl_store_lag(store, &lag);
    CHECK(lag.pinned_txn_id == 2);
    pl_checkpoint_close(checkpoint);
    pl_store_close(store);
}

static void an_abandoned_one_leaves_the_one_before(void)
{
    struct pl_store *store = fresh_store("abandoned");
    struct pl_checkpoint *checkpoint;
    struct pl_store_lag lag;
    uint64_t keep_from;

    CHECK(pl_checkpoint_open(&disk, store, ID, 0, &checkpoint, &why) == 0);
    CHECK(put_some(store, 1) == 0);
    CHECK(pl_checkpoint_begin(checkpoint, 1, &why) == 0);
    pl_checkpoint_abandon(checkpoint);
    CHECK(!pl_checkpoint_busy(checkpoint) && pl_checkpoint_txn_id(checkpoint) == 0);
    pl_store_lag(store, &lag);
    CHECK(lag.pinned_txn_id == 0 && lag.last_txn_id == 1);
    CHECK(pl_checkpoint_begin(checkpoint, 2, &why) == 0);
    CHECK(pl_checkpoint_run(checkpoint, &why) == 0);
    pl_checkpoint_commit(checkpoint, &keep_from);
    CHECK(keep_from == 2 && pl_checkpoint_txn_id(checkpoint) == 1);
    pl_checkpoint_close(checkpoint);
    pl_checkpoint_close(NULL);
    pl_store_close(store);
}

/* The very thing that a checkpoint is for: the file as of T stays in the file, whatever is written after. */
static void the_pinned_state_stays_whole_under_writes(void)
{
    struct pl_store *store = fresh_store("pinned");
    struct pl_checkpoint *checkpoint;
    struct pl_checkpoint_facts facts[2];
    struct pl_audit_report report;
    uint64_t keep_from;

    CHECK(pl_checkpoint_open(&disk, store, ID, 0, &checkpoint, &why) == 0);
    for (int round = 0; round < 20; round++) {
        CHECK(pl_checkpoint_begin(checkpoint, 0, &why) == 0);
        CHECK(facts_of(checkpoint, &facts[round % 2]) == 0);
        for (int i = 0; i < 15; i++)
            CHECK(put_some(store, round * 15 + i) == 0);
        for (int which = 0; which < 2 && round > 0; which++)
            CHECK_MSG(pl_audit_file(&disk, pl_store_path(store), &facts[which], &report, &why) == 0, "%s",
                      why.text);
        CHECK(pl_checkpoint_run(checkpoint, &why) == 0);
        pl_checkpoint_commit(checkpoint, &keep_from);
    }
    CHECK(report.lost_pages == 0 && report.entry_count == 40);
    pl_checkpoint_close(checkpoint);
    pl_store_close(store);
}

static void old_states_do_not_pile_up(void)
{
    struct pl_store *store = fresh_store("bounded");
    struct pl_checkpoint *checkpoint;
    struct pl_store_room room;
    uint64_t keep_from, early = 0;

    CHECK(pl_checkpoint_open(&disk, store, ID, 0, &checkpoint, &why) == 0);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 5; i++)
            CHECK(put_some(store, round * 5 + i) == 0);
        CHECK(pl_checkpoint_begin(checkpoint, 0, &why) == 0);
        CHECK(pl_checkpoint_run(checkpoint, &why) == 0);
        pl_checkpoint_commit(checkpoint, &keep_from);
        CHECK(pl_store_room(store, &room) == 0);
        if (round == 30)
            early = room.file_bytes;
    }
    CHECK(room.file_bytes <= early + early / 4);
    pl_checkpoint_close(checkpoint);
    pl_store_close(store);
}

static void a_failing_disk_fails_the_checkpoint_and_pins_what_was_pinned(void)
{
    struct pl_store *store = fresh_store("failing");
    struct pl_checkpoint *checkpoint;
    struct fault_disk fault;
    int rc = PL_EIO;
    uint64_t keep_from;

    fault_disk_init(&fault, pl_disk_system());
    fault_disk_fail(&fault, FAULT_OPEN, 1, false, PL_EIO);
    CHECK(pl_checkpoint_open(&fault.disk, store, ID, 0, &checkpoint, &why) == PL_EIO);
    CHECK(pl_checkpoint_open(&fault.disk, store, ID, 0, &checkpoint, &why) == 0);
    for (uint64_t n = 1; rc != 0; n++) {
        uint64_t before = pl_checkpoint_txn_id(checkpoint);

        CHECK(n < 50 && put_some(store, (int)n) == 0);
        fault_disk_fail(&fault, FAULT_ANY, n, false, PL_EIO);
        rc = pl_checkpoint_begin(checkpoint, 0, &why);
        if (rc == 0) {
            rc = pl_checkpoint_run(checkpoint, &why);
            if (rc == 0)
                pl_checkpoint_commit(checkpoint, &keep_from);
            else
                pl_checkpoint_abandon(checkpoint);
        }
        CHECK(rc == 0 || rc == PL_EIO);
        CHECK(!pl_checkpoint_busy(checkpoint));
        CHECK(rc == 0 || pl_checkpoint_txn_id(checkpoint) == before);
    }
    pl_checkpoint_close(checkpoint);
    pl_store_close(store);
    CHECK(fault.open_files == 0);
}

static void a_record_that_makes_no_sense_is_refused(void)
{
    static const size_t telling[] = { 0, 12, 16, 24, 56 + 10, 56 + 16, 56 + 20, 56 + 40, 208 + 10, 208 + 40 };
    struct pl_store *store = fresh_store("nonsense");
    struct pl_checkpoint *checkpoint;
    struct pl_checkpoint_facts facts;
    struct pl_buf payload = { 0 };

    CHECK(put_some(store, 1) == 0);
    CHECK(pl_checkpoint_open(&disk, store, ID, 0, &checkpoint, &why) == 0);
    CHECK(pl_checkpoint_begin(checkpoint, 0, &why) == 0);
    pl_checkpoint_payload(checkpoint, &payload);
    CHECK(pl_buf_status(&payload) == 0);
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++) {
        payload.data[telling[i]] ^= 0x0b;
        CHECK_MSG(pl_checkpoint_read(pl_buf_view(&payload), &facts, &why) == PL_ECORRUPT, "byte %zu",
                  telling[i]);
        payload.data[telling[i]] ^= 0x0b;
    }
    for (size_t len = 0; len < payload.len; len++)
        CHECK(pl_checkpoint_read(pl_bytes(payload.data, len), &facts, &why) == PL_ECORRUPT);
    payload.data[4] = 2;
    CHECK(pl_checkpoint_read(pl_buf_view(&payload), &facts, &why) == PL_EFORMAT);
    pl_buf_deinit(&payload);
    pl_checkpoint_abandon(checkpoint);
    pl_checkpoint_close(checkpoint);
    pl_store_close(store);
}

int main(void)
{
    disk = pl_disk_system();
    RUN(a_record_says_what_was_pinned);
    RUN(an_abandoned_one_leaves_the_one_before);
    RUN(the_pinned_state_stays_whole_under_writes);
    RUN(old_states_do_not_pile_up);
    RUN(a_failing_disk_fails_the_checkpoint_and_pins_what_was_pinned);
    RUN(a_record_that_makes_no_sense_is_refused);
    return test_summary();
}
