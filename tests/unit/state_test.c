/* SPDX-License-Identifier: MIT */
#include "store/state.h"

#include "failing_allocation.h"
#include "scratch_dir.h"

enum { KEYS = 120, MODEL_ROUNDS = 4000 };

struct fixture {
    struct scratch_dir dir;
    struct pl_store *store;
    struct pl_state *state;
    struct pl_snapshot *snapshot;
};

static void start(struct fixture *f, uint64_t dirty_bytes_max)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(4) << 30,
                                        .readers_max = 8 };
    char path[128];

    *f = (struct fixture){ .dir = scratch_dir_make() };
    snprintf(path, sizeof path, "%s/store", f->dir.path);
    CHECK(pl_store_open(path, &options, &f->store, NULL) == 0);
    CHECK(pl_state_new(f->store, dirty_bytes_max, 7, &f->state) == 0);
    CHECK(pl_snapshot_open(f->state, &f->snapshot) == 0);
}

static void end(struct fixture *f)
{
    pl_snapshot_close(f->snapshot);
    pl_state_free(f->state);
    pl_store_close(f->store);
    scratch_dir_remove(&f->dir);
}

static void flush(struct fixture *f)
{
    CHECK(pl_state_freeze(f->state) == 0);
    CHECK(pl_state_flush(f->state) == 0);
    pl_state_settle(f->state);
}

static void put(struct fixture *f, const char *key, const char *value)
{
    CHECK(pl_state_set(f->state, pl_str(key), pl_str(value), false) == 0);
}

static void erase(struct fixture *f, const char *key)
{
    CHECK(pl_state_set(f->state, pl_str(key), pl_bytes(NULL, 0), true) == 0);
}

static bool reads(struct pl_snapshot *snapshot, const char *key, const char *value)
{
    struct pl_bytes out;
    int rc = pl_snapshot_get(snapshot, pl_str(key), &out);

    return value == NULL ? rc == PL_ENOTFOUND : rc == 0 && pl_bytes_equal(out, pl_str(value));
}

/* All keys in order, then all the other way, as one text each: "a b c". */
static bool walks_as(struct pl_snapshot *snapshot, const char *expected)
{
    struct pl_buf up = { 0 }, down = { 0 };
    struct pl_bytes key, value;
    bool agrees;
    int rc;

    for (rc = pl_snapshot_seek(snapshot, pl_str(""), &key, &value); rc == 0;
         rc = pl_snapshot_next(snapshot, &key, &value))
        pl_buf_append_format(&up, "%s%.*s", up.len > 0 ? " " : "", (int)key.len, key.data);
    agrees = rc == PL_ENOTFOUND && pl_bytes_equal(pl_buf_view(&up), pl_str(expected));
    for (rc = pl_snapshot_seek_before(snapshot, pl_str("\xff"), &key, &value); rc == 0;
         rc = pl_snapshot_prev(snapshot, &key, &value)) {
        struct pl_buf longer = { 0 };

        pl_buf_append_format(&longer, "%.*s%s", (int)key.len, key.data, down.len > 0 ? " " : "");
        pl_buf_append_bytes(&longer, pl_buf_view(&down));
        pl_buf_deinit(&down);
        down = longer;
    }
    agrees = agrees && rc == PL_ENOTFOUND && pl_bytes_equal(pl_buf_view(&down), pl_str(expected));
    if (!agrees)
        fprintf(stderr, "up: %.*s; down: %.*s; expected: %s\n", (int)up.len, up.data, (int)down.len,
                down.data, expected);
    pl_buf_deinit(&up);
    pl_buf_deinit(&down);
    return agrees;
}

/* ---- one thing at a time ---- */

static void the_newest_value_wins_wherever_the_others_are(void)
{
    struct fixture f;

    start(&f, 0);
    put(&f, "a", "stored");
    put(&f, "b", "stored");
    put(&f, "c", "stored");
    flush(&f);
    put(&f, "b", "frozen");
    put(&f, "c", "frozen");
    CHECK(pl_state_freeze(f.state) == 0);
    put(&f, "c", "active");
    put(&f, "d", "active");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(reads(f.snapshot, "a", "stored") && reads(f.snapshot, "b", "frozen"));
    CHECK(reads(f.snapshot, "c", "active") && reads(f.snapshot, "d", "active") &&
          reads(f.snapshot, "e", NULL));
    CHECK(walks_as(f.snapshot, "a b c d"));
    end(&f);
}

static void a_tombstone_hides_what_lies_below(void)
{
    struct fixture f;

    start(&f, 0);
    put(&f, "a", "1");
    put(&f, "b", "1");
    put(&f, "c", "1");
    flush(&f);
    erase(&f, "a");
    put(&f, "b", "2");
    CHECK(pl_state_freeze(f.state) == 0);
    erase(&f, "b");
    erase(&f, "nobody");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(reads(f.snapshot, "a", NULL) && reads(f.snapshot, "b", NULL) && reads(f.snapshot, "nobody", NULL));
    CHECK(walks_as(f.snapshot, "c"));
    put(&f, "a", "3");
    CHECK(reads(f.snapshot, "a", "3") && walks_as(f.snapshot, "a c"));
    end(&f);
}

static void a_deletion_reaches_the_store(void)
{
    struct fixture f;
    struct pl_state *bare;
    struct pl_snapshot *snapshot;

    start(&f, 0);
    put(&f, "a", "1");
    put(&f, "b", "1");
    flush(&f);
    erase(&f, "a");
    erase(&f, "nobody");
    flush(&f);
    /* Another state over the same store has nothing in memory. */
    CHECK(pl_state_new(f.store, 0, 7, &bare) == 0 && pl_snapshot_open(bare, &snapshot) == 0);
    CHECK(pl_snapshot_renew(snapshot) == 0);
    CHECK(reads(snapshot, "a", NULL) && walks_as(snapshot, "b"));
    pl_snapshot_close(snapshot);
    pl_state_free(bare);
    end(&f);
}

static void only_one_table_is_frozen_at_a_time(void)
{
    struct fixture f;

    start(&f, 0);
    CHECK(pl_state_flush(f.state) == 0);
    put(&f, "a", "1");
    CHECK(pl_state_active_bytes(f.state) > 0);
    CHECK(pl_state_freeze(f.state) == 0);
    CHECK(pl_state_freeze(f.state) == PL_EINUSE);
    CHECK(pl_state_flush(f.state) == 0 && pl_state_flush(f.state) == 0);
    pl_state_settle(f.state);
    pl_state_settle(f.state);
    CHECK(pl_snapshot_renew(f.snapshot) == 0 && reads(f.snapshot, "a", "1"));
    end(&f);
}

static void views_stay_good_while_a_snapshot_holds(void)
{
    struct fixture f;
    struct pl_bytes stored, frozen, active;

    start(&f, 0);
    put(&f, "stored", "old");
    flush(&f);
    put(&f, "frozen", "old");
    CHECK(pl_state_freeze(f.state) == 0);
    put(&f, "active", "old");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_snapshot_get(f.snapshot, pl_str("stored"), &stored) == 0);
    CHECK(pl_snapshot_get(f.snapshot, pl_str("frozen"), &frozen) == 0);
    CHECK(pl_snapshot_get(f.snapshot, pl_str("active"), &active) == 0);
    CHECK(pl_state_flush(f.state) == 0);
    pl_state_settle(f.state);
    for (int i = 0; i < 5; i++) {
        put(&f, "stored", "new");
        put(&f, "frozen", "new");
        erase(&f, "active");
        flush(&f);
    }
    CHECK(pl_bytes_equal(stored, pl_str("old")) && pl_bytes_equal(frozen, pl_str("old")));
    CHECK(pl_bytes_equal(active, pl_str("old")));
    CHECK(pl_snapshot_is_renewed(f.snapshot));
    pl_snapshot_reset(f.snapshot);
    pl_snapshot_reset(f.snapshot);
    CHECK(!pl_snapshot_is_renewed(f.snapshot));
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(reads(f.snapshot, "stored", "new") && reads(f.snapshot, "active", NULL));
    end(&f);
}

static void a_walk_may_turn_back_but_not_forth(void)
{
    struct fixture f;
    struct pl_bytes key, value;

    start(&f, 0);
    put(&f, "a", "1");
    put(&f, "c", "1");
    flush(&f);
    put(&f, "b", "1");
    erase(&f, "c");
    put(&f, "d", "1");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_snapshot_seek(f.snapshot, pl_str("b"), &key, &value) == 0 && pl_bytes_equal(key, pl_str("b")));
    CHECK(pl_snapshot_next(f.snapshot, &key, &value) == 0 && pl_bytes_equal(key, pl_str("d")));
    CHECK(pl_snapshot_prev(f.snapshot, &key, &value) == 0 && pl_bytes_equal(key, pl_str("b")));
    CHECK(pl_snapshot_prev(f.snapshot, &key, &value) == 0 && pl_bytes_equal(key, pl_str("a")));
    CHECK(pl_snapshot_prev(f.snapshot, &key, &value) == PL_ENOTFOUND);
    CHECK(pl_snapshot_seek_before(f.snapshot, pl_str("a"), &key, &value) == PL_ENOTFOUND);
    CHECK(pl_snapshot_seek(f.snapshot, pl_str("e"), &key, &value) == PL_ENOTFOUND);
    end(&f);
}

static void a_snapshot_is_current_until_something_is_frozen(void)
{
    struct fixture f;

    start(&f, 0);
    CHECK(!pl_snapshot_is_current(f.snapshot));
    put(&f, "a", "before");
    CHECK(pl_snapshot_renew(f.snapshot) == 0 && pl_snapshot_is_current(f.snapshot));
    put(&f, "a", "set");
    CHECK(pl_snapshot_is_current(f.snapshot) && reads(f.snapshot, "a", "set"));
    CHECK(pl_state_freeze(f.state) == 0);
    put(&f, "a", "after");
    CHECK(!pl_snapshot_is_current(f.snapshot) && reads(f.snapshot, "a", "set"));
    CHECK(pl_snapshot_renew(f.snapshot) == 0 && pl_snapshot_is_current(f.snapshot));
    CHECK(reads(f.snapshot, "a", "after"));
    pl_snapshot_reset(f.snapshot);
    CHECK(!pl_snapshot_is_current(f.snapshot));
    end(&f);
}

static void what_is_held_is_seen_all_at_once(void)
{
    struct fixture f;

    start(&f, 0);
    put(&f, "a", "stored");
    flush(&f);
    put(&f, "b", "frozen");
    CHECK(pl_state_freeze(f.state) == 0);
    put(&f, "c", "before");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    pl_state_hold(f.state);
    put(&f, "a", "held");
    erase(&f, "b");
    put(&f, "c", "held");
    put(&f, "c", "held twice");
    put(&f, "d", "held");
    for (int i = 0; i < 2; i++) {
        CHECK(reads(f.snapshot, "a", "stored") && reads(f.snapshot, "b", "frozen"));
        CHECK(reads(f.snapshot, "c", "before") && reads(f.snapshot, "d", NULL));
        CHECK(walks_as(f.snapshot, "a b c"));
        CHECK(pl_snapshot_renew(f.snapshot) == 0); /* a new look sees no more */
    }
    pl_state_show(f.state);
    CHECK(reads(f.snapshot, "a", "held") && reads(f.snapshot, "b", NULL));
    CHECK(reads(f.snapshot, "c", "held twice") && reads(f.snapshot, "d", "held"));
    CHECK(walks_as(f.snapshot, "a c d"));
    end(&f);
}

/* As after a lack of memory: half a change is set, and then all of it again. */
static void what_is_held_may_be_set_again(void)
{
    struct fixture f;

    start(&f, 0);
    put(&f, "a", "before");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    for (int i = 0; i < 3; i++) {
        pl_state_hold(f.state);
        put(&f, "a", "held");
        CHECK(reads(f.snapshot, "a", "before") && reads(f.snapshot, "b", NULL));
    }
    put(&f, "b", "held");
    pl_state_show(f.state);
    CHECK(reads(f.snapshot, "a", "held") && reads(f.snapshot, "b", "held"));
    put(&f, "b", "after");
    CHECK(reads(f.snapshot, "b", "after"));
    flush(&f);
    CHECK(pl_snapshot_renew(f.snapshot) == 0 && reads(f.snapshot, "a", "held") &&
          reads(f.snapshot, "b", "after"));
    end(&f);
}

static void a_walk_sees_what_was_shown_when_it_began(void)
{
    struct pl_bytes key, value;
    struct fixture f;

    start(&f, 0);
    put(&f, "b", "before");
    put(&f, "d", "before");
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_snapshot_seek(f.snapshot, pl_str("a"), &key, &value) == 0 && pl_bytes_equal(key, pl_str("b")));
    pl_state_hold(f.state);
    put(&f, "c", "shown");
    put(&f, "d", "shown");
    put(&f, "e", "shown");
    pl_state_show(f.state);
    CHECK(pl_snapshot_next(f.snapshot, &key, &value) == 0 && pl_bytes_equal(key, pl_str("d")) &&
          pl_bytes_equal(value, pl_str("before")));
    CHECK(pl_snapshot_next(f.snapshot, &key, &value) == PL_ENOTFOUND);
    CHECK(walks_as(f.snapshot, "b c d e"));
    end(&f);
}

static void a_flush_of_many_small_transactions_is_whole(void)
{
    struct fixture f;
    struct pl_state *bare;
    struct pl_snapshot *snapshot;
    struct pl_bytes key, value;
    char text[16];
    int count = 0, rc;

    start(&f, 1); /* one key each */
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "%04d", i);
        put(&f, text, text);
    }
    flush(&f);
    CHECK(pl_state_new(f.store, 0, 7, &bare) == 0 && pl_snapshot_open(bare, &snapshot) == 0);
    CHECK(pl_snapshot_renew(snapshot) == 0);
    for (rc = pl_snapshot_seek(snapshot, pl_str(""), &key, &value); rc == 0; count++)
        rc = pl_snapshot_next(snapshot, &key, &value);
    CHECK(count == 300);
    pl_snapshot_close(snapshot);
    pl_state_free(bare);
    end(&f);
}

/* ---- a model ---- */

static struct pl_bytes key_of(uint32_t n, char *space)
{
    memset(space, 'x', 30);
    snprintf(space, 30, "%05u", n);
    return pl_bytes(space, 6 + n % 20);
}

struct model {
    uint32_t values[KEYS]; /* 0: none */
};

static struct pl_bytes value_of(uint32_t value, char *space)
{
    size_t len = 4 + value % 60;

    memset(space, (int)value & 0x7f, len);
    pl_put_be32(space, value);
    return pl_bytes(space, len);
}

static int change(struct fixture *f, struct model *model, uint32_t n, uint32_t value)
{
    char key[64], bytes[64];
    int rc = pl_state_set(f->state, key_of(n, key), value_of(value, bytes), value == 0);

    if (rc == 0)
        model->values[n] = value;
    return rc;
}

static bool get_agrees(struct pl_snapshot *snapshot, const struct model *model, uint32_t n)
{
    char key[64], bytes[64];
    struct pl_bytes out;
    int rc = pl_snapshot_get(snapshot, key_of(n, key), &out);

    if (model->values[n] == 0)
        return rc == PL_ENOTFOUND;
    return rc == 0 && pl_bytes_equal(out, value_of(model->values[n], bytes));
}

/* The model's place at or after `n`, or KEYS. */
static uint32_t place_from(const struct model *model, uint32_t n)
{
    while (n < KEYS && model->values[n] == 0)
        n++;
    return n;
}

/* One more than the model's place before `n`, or 0. */
static uint32_t place_before(const struct model *model, uint32_t n)
{
    while (n > 0 && model->values[n - 1] == 0)
        n--;
    return n;
}

static bool stands_on(const struct model *model, uint32_t n, int rc, struct pl_bytes key,
                      struct pl_bytes value)
{
    char key_space[64], value_space[64];

    if (n >= KEYS)
        return rc == PL_ENOTFOUND;
    return rc == 0 && pl_bytes_equal(key, key_of(n, key_space)) &&
           pl_bytes_equal(value, value_of(model->values[n], value_space));
}

/* Up some steps, then down: the model is walked beside. */
static bool walk_agrees(struct fixture *f, struct model *model, uint64_t *seed, uint32_t *last_value,
                        bool write)
{
    uint32_t from = (uint32_t)(test_random(seed) % KEYS), steps = (uint32_t)(test_random(seed) % 12), at;
    struct pl_bytes key = { 0 }, value = { 0 };
    char space[64];
    int rc;

    if (test_random(seed) % 3 == 0) {
        rc = pl_snapshot_seek_before(f->snapshot, key_of(from, space), &key, &value);
        at = place_before(model, from);
        at = at == 0 ? KEYS : at - 1;
    } else {
        rc = pl_snapshot_seek(f->snapshot, key_of(from, space), &key, &value);
        at = place_from(model, from);
        for (uint32_t i = 0; i < steps && at < KEYS; i++) {
            if (!stands_on(model, at, rc, key, value))
                return false;
            /* What changes behind or under the walk does not confuse it. */
            if (write && test_random(seed) % 3 == 0 &&
                change(f, model, (uint32_t)(test_random(seed) % (at + 1)), ++*last_value) != 0)
                return false;
            rc = pl_snapshot_next(f->snapshot, &key, &value);
            at = place_from(model, at + 1);
        }
    }
    for (uint32_t i = 0; i < steps && at < KEYS; i++) {
        if (!stands_on(model, at, rc, key, value))
            return false;
        rc = pl_snapshot_prev(f->snapshot, &key, &value);
        at = place_before(model, at);
        at = at == 0 ? KEYS : at - 1;
    }
    return stands_on(model, at, rc, key, value);
}

/* A flush is in steps, with anything in between. */
static void advance_flush(struct fixture *f, int *stage)
{
    switch (*stage) {
    case 0:
        CHECK(pl_state_freeze(f->state) == 0);
        break;
    case 1:
        CHECK(pl_state_flush(f->state) == 0);
        break;
    default:
        pl_state_settle(f->state);
        break;
    }
    *stage = (*stage + 1) % 3;
}

static void random_operations_agree_with_a_naive_state(void)
{
    uint64_t seed = test_seed();
    struct model model = { 0 };
    uint32_t last_value = 0;
    struct fixture f;
    int stage = 0;

    start(&f, 200 << 10);
    for (int round = 0; round < MODEL_ROUNDS; round++) {
        uint32_t changes = (uint32_t)(test_random(&seed) % 6);

        for (uint32_t i = 0; i < changes; i++)
            CHECK(change(&f, &model, (uint32_t)(test_random(&seed) % KEYS),
                         test_random(&seed) % 3 == 0 ? 0 : ++last_value) == 0);
        if (test_random(&seed) % 4 == 0)
            advance_flush(&f, &stage);
        CHECK(pl_snapshot_renew(f.snapshot) == 0);
        for (int i = 0; i < 4; i++)
            CHECK_MSG(get_agrees(f.snapshot, &model, (uint32_t)(test_random(&seed) % KEYS)),
                      "round %d, PL_SEED=%llu", round, (unsigned long long)test_seed());
        CHECK_MSG(walk_agrees(&f, &model, &seed, &last_value, round % 2 == 0), "round %d, PL_SEED=%llu",
                  round, (unsigned long long)test_seed());
        if (test_random(&seed) % 2 == 0)
            pl_snapshot_reset(f.snapshot);
    }
    end(&f);
}

/* A snapshot that was taken before a freeze goes on showing that moment, and what was set until the freeze. */
static void an_old_snapshot_shows_its_moment(void)
{
    uint64_t seed = test_seed();
    struct model model = { 0 }, then;
    uint32_t last_value = 0;
    struct fixture f;

    start(&f, 0);
    for (int round = 0; round < 60; round++) {
        CHECK(pl_snapshot_renew(f.snapshot) == 0);
        for (int i = 0; i < 20; i++)
            CHECK(change(&f, &model, (uint32_t)(test_random(&seed) % KEYS), i % 4 == 0 ? 0 : ++last_value) ==
                  0);
        then = model;
        for (int cycle = 0; cycle < 3; cycle++) {
            CHECK(pl_state_freeze(f.state) == 0);
            for (int i = 0; i < 20; i++)
                CHECK(change(&f, &model, (uint32_t)(test_random(&seed) % KEYS),
                             i % 4 == 0 ? 0 : ++last_value) == 0);
            CHECK(pl_state_flush(f.state) == 0);
            pl_state_settle(f.state);
        }
        for (uint32_t n = 0; n < KEYS; n++)
            CHECK_MSG(get_agrees(f.snapshot, &then, n), "round %d, key %u", round, n);
        CHECK(walk_agrees(&f, &then, &seed, &last_value, false));
    }
    end(&f);
}

/* ---- without memory ---- */

/* Everything a state does, once. What failed was PL_ENOMEM and is tried again, when memory may be back. */
static bool live(struct fixture *f, struct model *model, bool *failed)
{
    struct pl_snapshot *snapshot = NULL;
    int rc = 0;

    for (uint32_t n = 0; n < KEYS && rc == 0; n++) {
        rc = change(f, model, n, n + 1);
        if (n % 50 == 49 && rc == 0)
            rc = pl_state_freeze(f->state);
        if (n % 50 == 49 && rc == 0) {
            rc = pl_state_flush(f->state);
            if (rc == 0)
                pl_state_settle(f->state);
        }
    }
    if (rc == 0)
        rc = pl_snapshot_open(f->state, &snapshot);
    if (rc == 0)
        rc = pl_snapshot_renew(snapshot);
    pl_snapshot_close(snapshot);
    *failed = rc != 0;
    return rc == 0 || rc == PL_ENOMEM;
}

static void a_lack_of_memory_changes_nothing(void)
{
    for (int for_good = 0; for_good < 2; for_good++) {
        long n = 0;

        do {
            struct model model = { 0 };
            bool failed, clean;
            struct fixture f;

            start(&f, 100 << 10);
            (void)allocation_failing(n, for_good);
            allocations_left = n;
            clean = live(&f, &model, &failed);
            (void)allocation_failed();
            CHECK_MSG(clean && failed == allocation_has_failed, "allocation %ld", n);
            /* A flush that failed is done again; nothing is lost meanwhile. */
            CHECK(pl_snapshot_renew(f.snapshot) == 0);
            for (uint32_t key = 0; key < KEYS; key++)
                CHECK_MSG(get_agrees(f.snapshot, &model, key), "allocation %ld, key %u", n, key);
            CHECK(pl_state_flush(f.state) == 0);
            pl_state_settle(f.state);
            flush(&f);
            CHECK(pl_snapshot_renew(f.snapshot) == 0);
            for (uint32_t key = 0; key < KEYS; key++)
                CHECK_MSG(get_agrees(f.snapshot, &model, key), "allocation %ld, key %u", n, key);
            end(&f);
            n++;
        } while (allocation_has_failed);
        CHECK(n > 5);
    }
}

static void a_state_that_finds_no_memory_is_not_made(void)
{
    struct fixture f;

    start(&f, 0);
    for (long n = 0; allocation_failing(n, false); n++) {
        struct pl_state *state = NULL;
        int rc = pl_state_new(f.store, 0, 7, &state);
        bool failed = allocation_failed();

        CHECK(rc == (failed ? PL_ENOMEM : 0) && (state == NULL) == failed);
        pl_state_free(state);
        allocation_has_failed = failed;
    }
    pl_state_free(NULL);
    pl_snapshot_close(NULL);
    end(&f);
}

int main(void)
{
    RUN(the_newest_value_wins_wherever_the_others_are);
    RUN(a_tombstone_hides_what_lies_below);
    RUN(a_deletion_reaches_the_store);
    RUN(only_one_table_is_frozen_at_a_time);
    RUN(views_stay_good_while_a_snapshot_holds);
    RUN(a_walk_may_turn_back_but_not_forth);
    RUN(a_snapshot_is_current_until_something_is_frozen);
    RUN(what_is_held_is_seen_all_at_once);
    RUN(what_is_held_may_be_set_again);
    RUN(a_walk_sees_what_was_shown_when_it_began);
    RUN(a_flush_of_many_small_transactions_is_whole);
    RUN(random_operations_agree_with_a_naive_state);
    RUN(an_old_snapshot_shows_its_moment);
    RUN(a_lack_of_memory_changes_nothing);
    RUN(a_state_that_finds_no_memory_is_not_made);
    return test_summary();
}
