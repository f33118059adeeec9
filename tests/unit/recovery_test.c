/* SPDX-License-Identifier: MIT */
#include "store/recovery.h"

#include "store/audit.h"

#include "fault_disk.h"
#include "scratch_tree.h"
#include "small_shard.h"
#include "test.h"
#include "wrapped_allocation.h"

static struct pl_disk system_disk;

static struct small_shard shard_at(const char *path)
{
    struct small_shard s = { .disk = &system_disk, .seed = test_seed() };

    snprintf(s.path, sizeof s.path, "%s", path);
    return s;
}

static const char *store_of(const char *dir)
{
    return scratch_path(dir, "data/0.mdb");
}

/* Opens what is at `path` and compares it with what `s` remembers; then goes on writing, and comes again. */
static bool recovers_at(const struct small_shard *s, const char *path)
{
    struct small_shard copy = *s;
    struct pl_audit_report report;
    bool fine = true;

    snprintf(copy.path, sizeof copy.path, "%s", path);
    copy.disk = &system_disk;
    copy.dir = NULL;
    copy.open = (struct pl_recovered){ 0 };
    for (int again = 0; fine && again < 2; again++) {
        int rc = small_shard_open(&copy);

        if (rc != 0) {
            fprintf(stderr, "opening %s: %s\n", path, pl_reason_text(&copy.why, rc));
            return false;
        }
        fine = small_shard_agrees(&copy);
        if (!fine)
            fprintf(stderr, "opening %s: not what was written\n", path);
        for (int i = 0; fine && i < 5; i++)
            fine = small_shard_write(&copy, 4) == 0;
        fine = fine && small_shard_agrees(&copy);
        small_shard_close(&copy);
        if (fine && pl_audit_file(&system_disk, store_of(path), NULL, &report, &copy.why) != 0) {
            fprintf(stderr, "audit: %s\n", copy.why.text);
            fine = false;
        }
        if (fine && report.lost_pages != 0) {
            fprintf(stderr, "audit: %lu pages are lost\n", (unsigned long)report.lost_pages);
            fine = false;
        }
    }
    return fine;
}

static void a_new_shard_is_empty_and_comes_back_empty(void)
{
    struct small_shard s = shard_at(scratch_fresh("new"));

    CHECK(small_shard_open(&s) == 0);
    CHECK(s.open.created);
    CHECK(small_shard_agrees(&s));
    small_shard_close(&s);
    CHECK(small_shard_open(&s) == 0);
    CHECK(!s.open.created && s.open.replayed_records == 0);
    CHECK(small_shard_agrees(&s));
    small_shard_close(&s);
}

static void a_clean_stop_leaves_nothing_to_replay(void)
{
    struct small_shard s = shard_at(scratch_fresh("clean"));

    CHECK(small_shard_open(&s) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(small_shard_write(&s, 5) == 0);
    CHECK(pl_recovery_checkpoint(&s.open, &s.why) == 0);
    small_shard_close(&s);
    CHECK(small_shard_open(&s) == 0);
    CHECK(s.open.replayed_records == 0);
    CHECK(small_shard_agrees(&s));
    small_shard_close(&s);
}

static void a_kill_at_any_moment_loses_nothing(void)
{
    struct small_shard s = shard_at(scratch_fresh("kill"));
    char image[PATH_MAX];

    CHECK(small_shard_open(&s) == 0);
    for (int i = 0; i < 60; i++) {
        CHECK(small_shard_write(&s, 1 + (unsigned)(test_random(&s.seed) % 20)) == 0);
        if (test_random(&s.seed) % 8 == 0)
            CHECK(pl_recovery_checkpoint(&s.open, &s.why) == 0);
        snprintf(image, sizeof image, "%s", scratch_fresh("kill-image"));
        scratch_copy(s.path, image);
        CHECK_MSG(recovers_at(&s, image), "turn %d, PL_SEED=%llu", i, (unsigned long long)test_seed());
    }
    small_shard_close(&s);
}

/*
 * A disk that remembers what the store's file held when it was last synced. What LMDB writes goes past it, to
 * the machine's own: that is what a power loss may take away.
 */
struct watched_disk {
    struct pl_disk disk;
    struct pl_disk below;
    unsigned char *synced;
    size_t synced_len;
    unsigned char *later[64]; /* what the file held at moments since then */
    size_t later_len[64];
    int later_count;
};

static void watched_forget(struct watched_disk *w)
{
    free(w->synced);
    while (w->later_count > 0)
        free(w->later[--w->later_count]);
    w->synced = NULL;
}

static int watched_sync(void *state, struct pl_file *file, struct pl_reason *why)
{
    struct watched_disk *w = state;

    if (strstr(file->path, ".mdb") != NULL) { /* also while it is still called .mdb.new */
        watched_forget(w);
        w->synced = scratch_read(file->path, &w->synced_len);
    }
    return w->below.sync(w->below.state, file, why);
}

static void watched_moment(struct watched_disk *w, const char *store_path)
{
    if (w->later_count == 64)
        return;
    w->later[w->later_count] = scratch_read(store_path, &w->later_len[w->later_count]);
    w->later_count++;
}

/*
 * What a disk may hold when the power goes: of each page what was synced last, or what was there at any later
 * moment, as it pleases; and beyond what was synced nothing, or zeros, or what was written.
 */
static void tear(const char *path, const struct watched_disk *w, uint64_t *seed)
{
    size_t len = w->synced_len, unit = test_random(seed) % 2 == 0 ? 4096 : 512;
    unsigned char *image;

    for (int i = 0; i < w->later_count; i++)
        if (w->later_len[i] > len && test_random(seed) % 4 != 0)
            len = w->later_len[i];
    image = calloc(1, len);
    memcpy(image, w->synced, w->synced_len);
    for (size_t at = 0; at < len; at += unit) {
        int i = (int)(test_random(seed) % (unsigned)(w->later_count + 1)) - 1;
        size_t n = len - at < unit ? len - at : unit;

        if (i >= 0 && at + n <= w->later_len[i])
            memcpy(image + at, w->later[i] + at, n);
    }
    scratch_write(path, image, len);
    free(image);
}

static bool survives_power_loss(struct small_shard *s, struct watched_disk *w)
{
    char image[PATH_MAX];

    for (int n = 0; n < 3; n++) {
        snprintf(image, sizeof image, "%s", scratch_fresh("power-image"));
        scratch_copy(s->path, image);
        tear(store_of(image), w, &s->seed);
        if (!recovers_at(s, image))
            return false;
    }
    return true;
}

/* A new file's contents before its name: else the power may leave the name and not the contents. */
struct orderly_disk {
    struct pl_disk disk;
    struct pl_disk below;
    char synced[PATH_MAX];
    int renames;
    int rash;
};

static int orderly_sync(void *state, struct pl_file *file, struct pl_reason *why)
{
    struct orderly_disk *o = state;

    snprintf(o->synced, sizeof o->synced, "%s", file->path);
    return o->below.sync(o->below.state, file, why);
}

static int orderly_rename(void *state, const char *from, const char *to, struct pl_reason *why)
{
    struct orderly_disk *o = state;

    if (strstr(from, "/journal/") == NULL) { /* whose segments are allocated, which syncs */
        o->renames++;
        o->rash += strcmp(o->synced, from) != 0;
    }
    return o->below.rename(o->below.state, from, to, why);
}

static void a_new_file_is_synced_before_it_gets_its_name(void)
{
    struct orderly_disk o = { .below = pl_disk_system() };
    struct small_shard s = shard_at(scratch_fresh("orderly"));

    o.disk = o.below;
    o.disk.sync = orderly_sync;
    o.disk.rename = orderly_rename;
    o.disk.state = &o;
    s.disk = &o.disk;
    CHECK(small_shard_open(&s) == 0);
    small_shard_close(&s);
    CHECK_MSG(o.renames == 2 && o.rash == 0, "%d of %d", o.rash, o.renames);
}

/* Turns of writing, and the power lost after each, in all the stages of a checkpoint. */
static bool writes_survive(struct small_shard *s, struct watched_disk *w, int turns)
{
    for (int i = 0; i < turns; i++) {
        for (int n = 0; n < 3; n++)
            if (small_shard_write(s, 8) != 0)
                return false;
        watched_moment(w, store_of(s->path));
        if (!survives_power_loss(s, w))
            return false;
    }
    return true;
}

static void a_power_loss_in_the_store_loses_nothing(void)
{
    struct watched_disk w = { .below = pl_disk_system() };
    struct small_shard s = shard_at(scratch_fresh("power"));

    w.disk = w.below;
    w.disk.sync = watched_sync;
    w.disk.state = &w;
    s.disk = &w.disk;
    CHECK(small_shard_open(&s) == 0);
    for (int round = 0; round < 16; round++) {
        struct pl_journal_record record = { .kind = PL_JOURNAL_CHECKPOINT };
        struct pl_buf payload = { 0 };
        uint64_t keep_from;

        CHECK_MSG(writes_survive(&s, &w, 3), "round %d, PL_SEED=%llu", round,
                  (unsigned long long)test_seed());
        CHECK(pl_checkpoint_begin(s.open.checkpoint, pl_journal_end(s.open.journal), &s.why) == 0);
        CHECK(pl_checkpoint_begin(s.open.checkpoint, 0, &s.why) == PL_EINUSE);
        CHECK_MSG(writes_survive(&s, &w, 2), "begun, round %d", round);
        CHECK(pl_checkpoint_run(s.open.checkpoint, &s.why) == 0);
        CHECK_MSG(writes_survive(&s, &w, 2), "synced, round %d", round);
        pl_checkpoint_payload(s.open.checkpoint, &payload);
        record.payload = pl_buf_view(&payload);
        CHECK(pl_journal_append(s.open.journal, &record, PL_JOURNAL_SHRINK, NULL, &s.why) == 0);
        CHECK(small_shard_sync(&s) == 0);
        pl_buf_deinit(&payload);
        CHECK_MSG(writes_survive(&s, &w, 2), "recorded, round %d", round);
        if (round % 4 == 3)
            pl_checkpoint_abandon(s.open.checkpoint); /* as after an error: the record stays, so close */
        else
            pl_checkpoint_commit(s.open.checkpoint, &keep_from);
        if (round % 4 == 3) {
            small_shard_close(&s);
            CHECK(small_shard_open(&s) == 0);
        }
    }
    small_shard_close(&s);
    watched_forget(&w);
}

/* Recovery's own calls are where it can be cut off: after each, the directory must recover again. */
static void recovery_that_is_cut_off_begins_again(void)
{
    struct small_shard s = shard_at(scratch_fresh("cut"));
    struct fault_disk fault;
    char image[PATH_MAX];
    int rc = PL_EIO;

    fault_disk_init(&fault, pl_disk_system());
    CHECK(small_shard_open(&s) == 0);
    for (int i = 0; i < 30; i++)
        CHECK(small_shard_write(&s, 10) == 0);
    snprintf(image, sizeof image, "%s", scratch_fresh("cut-image"));
    scratch_copy(s.path, image);
    for (uint64_t n = 1; rc != 0; n++) {
        struct small_shard copy = s;

        CHECK(n < 1000);
        copy.disk = &fault.disk;
        copy.open = (struct pl_recovered){ 0 };
        snprintf(copy.path, sizeof copy.path, "%s", image);
        fault_disk_fail(&fault, FAULT_ANY, n, true, PL_EIO);
        rc = small_shard_open(&copy);
        CHECK(rc == 0 || rc == PL_EIO || rc == PL_EREADONLY);
        if (rc == 0)
            small_shard_close(&copy);
        CHECK(fault.open_files == 0);
    }
    CHECK(recovers_at(&s, image));
    small_shard_close(&s);
}

static void a_birth_that_is_cut_off_is_made_good(void)
{
    struct fault_disk fault;
    int rc = PL_EIO;

    fault_disk_init(&fault, pl_disk_system());
    for (uint64_t n = 1; rc != 0; n++) {
        struct small_shard s = shard_at(scratch_fresh("birth"));

        CHECK(n < 1000);
        s.disk = &fault.disk;
        fault_disk_fail(&fault, FAULT_ANY, n, true, PL_EIO);
        rc = small_shard_open(&s);
        CHECK_MSG(rc == 0 || rc == PL_EIO || rc == PL_EREADONLY || rc == PL_EUNSURE, "%s: %s",
                  pl_error_name(rc), s.why.text);
        if (rc == 0)
            small_shard_close(&s);
        fault_disk_heal(&fault);
        CHECK_MSG(small_shard_open(&s) == 0, "after call %d: %s", (int)n, s.why.text);
        CHECK(small_shard_agrees(&s));
        CHECK(small_shard_write(&s, 3) == 0);
        CHECK(small_shard_agrees(&s));
        small_shard_close(&s);
    }
}

static void one_failed_call_of_the_disk_is_an_error_and_no_more(void)
{
    struct small_shard s = shard_at(scratch_fresh("once"));
    struct fault_disk fault;
    int rc = PL_EIO;

    fault_disk_init(&fault, pl_disk_system());
    CHECK(small_shard_open(&s) == 0);
    CHECK(small_shard_write(&s, 10) == 0);
    small_shard_close(&s);
    s.disk = &fault.disk;
    for (uint64_t n = 1; rc != 0 || fault.failures != 0; n++) {
        CHECK(n < 1000);
        fault_disk_fail(&fault, FAULT_ANY, n, false, PL_EIO);
        fault.failures = 0;
        rc = small_shard_open(&s);
        fault_disk_heal(&fault);
        if (rc == 0) {
            CHECK(small_shard_agrees(&s));
            small_shard_close(&s);
        }
        CHECK(fault.open_files == 0);
        if (fault.failures == 0 && rc == 0)
            break;
    }
}

/* ---- memory that runs out: the linker sends our allocations here (LMDB's own go past) ---- */

static long allocations, allocation_to_fail; /* 0: none */
static bool fail_all_after;

static bool allocation_fails(void)
{
    allocations++;
    return allocation_to_fail != 0 &&
           (allocations == allocation_to_fail || (fail_all_after && allocations > allocation_to_fail));
}

static int replay_nothing(void *arg, struct pl_store *store, const struct pl_journal_record *record)
{
    (void)arg;
    (void)store;
    (void)record;
    return 0;
}

static int open_without_memory(struct small_shard *s, long fail_at, bool for_good)
{
    struct pl_datadir_options options = { .random = pl_random_system() };
    struct pl_datadir *dir;
    int rc;

    s->options.journal.random = pl_random_system();
    s->options.journal.first_segment_bytes = 16 << 10;
    allocations = 0;
    allocation_to_fail = fail_at;
    fail_all_after = for_good;
    rc = pl_datadir_open(s->disk, s->path, &options, &dir, &s->why);
    if (rc == 0) {
        rc = pl_recovery_open(s->disk, dir, 0, &s->options, replay_nothing, s, &s->open, &s->why);
        if (rc == 0) {
            rc = pl_recovery_checkpoint(&s->open, &s->why);
            pl_recovery_close(&s->open);
        }
        pl_datadir_close(dir);
    }
    allocation_to_fail = 0;
    return rc;
}

static void no_allocation_that_fails_does_harm(void)
{
    struct fault_disk counting; /* of open files */
    int rc;

    fault_disk_init(&counting, pl_disk_system());
    for (int for_good = 0; for_good < 2; for_good++)
        for (int born = 0; born < 2; born++) {
            long n = 0, seen;

            do {
                struct small_shard s = shard_at(scratch_fresh("memory"));

                s.disk = &counting.disk;
                if (born != 0) {
                    CHECK(small_shard_open(&s) == 0 && small_shard_write(&s, 3) == 0);
                    small_shard_close(&s);
                }
                rc = open_without_memory(&s, ++n, for_good != 0);
                seen = allocations;
                CHECK_MSG(rc == 0 || rc == PL_ENOMEM, "allocation %ld: %s: %s", n, pl_error_name(rc),
                          s.why.text);
                CHECK(counting.open_files == 0);
                CHECK_MSG(open_without_memory(&s, 0, false) == 0, "after allocation %ld: %s", n, s.why.text);
            } while (seen >= n);
            CHECK(n > 20);
        }
}

static int opening(struct small_shard *s)
{
    int rc = small_shard_open(s);

    if (rc == 0)
        small_shard_close(s);
    return rc;
}

static void parts_that_do_not_belong_together_are_refused(void)
{
    struct small_shard a = shard_at(scratch_fresh("mine")), b = shard_at(scratch_fresh("yours"));

    CHECK(small_shard_open(&a) == 0);
    CHECK(small_shard_open(&b) == 0);
    CHECK(small_shard_write(&a, 1) == 0);
    small_shard_close(&a);
    small_shard_close(&b);

    scratch_copy_file(store_of(b.path), store_of(a.path)); /* another's store */
    CHECK(opening(&a) == PL_ECORRUPT);
    CHECK(strstr(a.why.text, "another") != NULL);

    scratch_remove(scratch_path(b.path, "format")); /* another's format: the journal notices */
    scratch_copy_file(scratch_path(a.path, "format"), scratch_path(b.path, "format"));
    CHECK(opening(&b) == PL_ECORRUPT);
    CHECK(strstr(b.why.text, "another") != NULL);
}

static void a_missing_or_short_store_is_refused(void)
{
    struct small_shard s = shard_at(scratch_fresh("short"));
    unsigned char *bytes;
    size_t len;

    CHECK(small_shard_open(&s) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(small_shard_write(&s, 20) == 0);
    CHECK(pl_recovery_checkpoint(&s.open, &s.why) == 0);
    small_shard_close(&s);
    bytes = scratch_read(store_of(s.path), &len);
    scratch_write(store_of(s.path), bytes, len - 1);
    CHECK(opening(&s) == PL_ECORRUPT);
    CHECK(strstr(s.why.text, "cut") != NULL);
    scratch_write(store_of(s.path), bytes, 0);
    CHECK(opening(&s) == PL_ECORRUPT);
    CHECK(remove(store_of(s.path)) == 0);
    CHECK(opening(&s) == PL_ECORRUPT);
    CHECK(strstr(s.why.text, "missing") != NULL);
    scratch_write(store_of(s.path), bytes, len);
    CHECK(recovers_at(&s, s.path));
    free(bytes);
}

static void a_store_without_its_journal_is_left_alone(void)
{
    struct small_shard s = shard_at(scratch_fresh("orphan"));
    unsigned char *before, *after;
    size_t before_len, after_len;

    CHECK(small_shard_open(&s) == 0);
    CHECK(small_shard_write(&s, 5) == 0);
    small_shard_close(&s);
    before = scratch_read(store_of(s.path), &before_len);
    scratch_remove(scratch_path(s.path, "journal"));
    CHECK(opening(&s) == PL_ECORRUPT);
    CHECK(strstr(s.why.text, "missing") != NULL);
    after = scratch_read(store_of(s.path), &after_len);
    CHECK(before_len == after_len && memcmp(before, after, before_len) == 0);
    free(before);
    free(after);
}

/* The directory outlives any byte of the store: an error, or nothing lost, or, beyond what is audited, one later. */
static void damage_to_the_store_is_told_before_lmdb_sees_it(void)
{
    struct small_shard s = shard_at(scratch_fresh("rot"));
    unsigned char *bytes;
    size_t len;
    int refused = 0;

    CHECK(small_shard_open(&s) == 0);
    for (int i = 0; i < 30; i++) {
        CHECK(small_shard_write(&s, 20) == 0);
        CHECK(pl_recovery_checkpoint(&s.open, &s.why) == 0); /* so that pages are used again: few are free */
    }
    small_shard_close(&s);
    bytes = scratch_read(store_of(s.path), &len);
    for (int i = 0; i < 300; i++) {
        size_t at = test_random(&s.seed) % len;
        unsigned char was = bytes[at];
        int rc;

        bytes[at] ^= (unsigned char)(1u << test_random(&s.seed) % 8);
        scratch_write(store_of(s.path), bytes, len);
        bytes[at] = was;
        rc = small_shard_open(&s);
        if (rc == 0) {
            CHECK(small_shard_agrees(&s));
            small_shard_close(&s);
        } else {
            CHECK(rc == PL_ECORRUPT && s.why.text[0] != '\0');
            refused++;
        }
    }
    CHECK_MSG(refused > 50, "%d of 300", refused);
    free(bytes);
}

static int refuse(void *arg, struct pl_store *store, const struct pl_journal_record *record)
{
    (void)arg;
    (void)store;
    (void)record;
    return PL_EFORMAT;
}

static void what_cannot_be_applied_stops_the_start(void)
{
    struct small_shard s = shard_at(scratch_fresh("refuse"));
    struct pl_datadir_options options = { .random = pl_random_system() };
    struct pl_recovered out;

    CHECK(small_shard_open(&s) == 0);
    CHECK(small_shard_write(&s, 5) == 0);
    small_shard_close(&s);
    CHECK(pl_datadir_open(&system_disk, s.path, &options, &s.dir, &s.why) == 0);
    CHECK(pl_recovery_open(&system_disk, s.dir, 0, &s.options, refuse, NULL, &out, &s.why) == PL_EFORMAT);
    pl_datadir_close(s.dir);
    CHECK(recovers_at(&s, s.path));
}

int main(void)
{
    system_disk = pl_disk_system();
    RUN(a_new_shard_is_empty_and_comes_back_empty);
    RUN(a_clean_stop_leaves_nothing_to_replay);
    RUN(a_kill_at_any_moment_loses_nothing);
    RUN(a_power_loss_in_the_store_loses_nothing);
    RUN(a_new_file_is_synced_before_it_gets_its_name);
    RUN(recovery_that_is_cut_off_begins_again);
    RUN(a_birth_that_is_cut_off_is_made_good);
    RUN(one_failed_call_of_the_disk_is_an_error_and_no_more);
    RUN(no_allocation_that_fails_does_harm);
    RUN(parts_that_do_not_belong_together_are_refused);
    RUN(a_missing_or_short_store_is_refused);
    RUN(a_store_without_its_journal_is_left_alone);
    RUN(damage_to_the_store_is_told_before_lmdb_sees_it);
    RUN(what_cannot_be_applied_stops_the_start);
    return test_summary();
}
