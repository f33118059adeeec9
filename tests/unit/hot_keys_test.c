/* SPDX-License-Identifier: MIT */
#include "route/hot_keys.h"

#include "failing_allocation.h"
#include "test.h"

#define SECOND UINT64_C(1000000000)

/* Operations as they are when they are done: a table, a key, what they used. */
static uint64_t now_ns;

static uint64_t now_of(void *state)
{
    (void)state;
    return now_ns;
}

static int64_t wall_of(void *state)
{
    (void)state;
    return 0;
}

static const struct pl_clock fake_clock = { now_of, wall_of, NULL };

struct rig {
    struct pl_hot_keys_set set;
    struct pl_hot_keys *hot[4];
    struct pl_table table;
    struct pl_index indexes[2];
    struct pl_operation op;
    char pk[32];
};

static void start(struct rig *r, unsigned routers)
{
    now_ns = 1000 * SECOND;
    *r = (struct rig){ 0 };
    pl_hot_keys_set_init(&r->set);
    for (unsigned i = 0; i < routers; i++) {
        r->hot[i] = pl_hot_keys_new(&r->set, &fake_clock);
        CHECK(r->hot[i] != NULL);
    }
    r->table.id = 7;
    r->table.indexes = r->indexes;
    r->table.index_count = 2;
    r->indexes[0] = (struct pl_index){ .id = 8, .global = true };
    r->indexes[1] = (struct pl_index){ .id = 9 };
    r->op.table = &r->table;
}

static void end(struct rig *r)
{
    for (unsigned i = 0; i < 4; i++)
        pl_hot_keys_free(r->hot[i]);
    pl_hot_keys_set_deinit(&r->set);
}

static void note(struct rig *r, unsigned router, unsigned n, uint64_t halves)
{
    r->op.pk = pl_bytes(r->pk, (size_t)snprintf(r->pk, sizeof r->pk, "k%u", n));
    r->op.reply.capacity.table_halves = halves;
    pl_hot_keys_note(r->hot[router], &r->op);
}

/* What is known of key `n`, or of all keys together. */
enum { ALL = 1000000 };

static uint64_t weight_of(struct rig *r, uint32_t id, unsigned n, bool by_capacity)
{
    struct pl_sketch *requests, *capacity;
    const struct pl_sketch_key *top[512];
    char pk[32];
    uint32_t count, len = (uint32_t)snprintf(pk, sizeof pk, "k%u", n);
    uint64_t weight = 0;

    CHECK(pl_hot_keys_gather(&r->set, id, &requests, &capacity) == 0);
    count = pl_sketch_top(by_capacity ? capacity : requests, top, 512);
    for (uint32_t i = 0; i < count; i++)
        if (top[i]->len == len && memcmp(top[i]->bytes, pk, len) == 0)
            weight = top[i]->weight;
    if (n == ALL)
        weight = pl_sketch_total(by_capacity ? capacity : requests);
    pl_sketch_free(requests);
    pl_sketch_free(capacity);
    return weight;
}

static void requests_and_capacity_are_counted_apart(void)
{
    struct rig r;

    start(&r, 1);
    for (int i = 0; i < 10; i++)
        note(&r, 0, 1, 1);
    note(&r, 0, 2, 500);
    CHECK(weight_of(&r, 7, 1, false) == 10 && weight_of(&r, 7, 2, false) == 1);
    CHECK(weight_of(&r, 7, 1, true) == 10 && weight_of(&r, 7, 2, true) == 500);
    CHECK(weight_of(&r, 8, 1, false) == 0);
    end(&r);
}

static void what_all_routers_saw_is_added(void)
{
    struct rig r;

    start(&r, 3);
    for (unsigned i = 0; i < 30; i++)
        note(&r, i % 3, 1, 2);
    CHECK(weight_of(&r, 7, 1, false) == 30 && weight_of(&r, 7, 1, true) == 60);
    pl_hot_keys_free(r.hot[1]);
    r.hot[1] = NULL;
    CHECK(weight_of(&r, 7, 1, false) == 20);
    end(&r);
}

static void a_global_index_has_keys_of_its_own_and_a_local_one_its_tables(void)
{
    struct rig r;

    start(&r, 1);
    note(&r, 0, 1, 1);
    r.op.index = &r.indexes[0];
    note(&r, 0, 1, 1);
    note(&r, 0, 1, 1);
    r.op.index = &r.indexes[1];
    note(&r, 0, 1, 1);
    CHECK(weight_of(&r, 7, 1, false) == 2 && weight_of(&r, 8, 1, false) == 2);
    CHECK(weight_of(&r, 9, 1, false) == 0);
    end(&r);
}

static void a_refused_request_counts_and_a_wrong_one_does_not(void)
{
    struct rig r;

    start(&r, 1);
    r.op.reply.rc = PL_ETHROUGHPUT;
    note(&r, 0, 1, 4);
    r.op.reply.rc = PL_ECONDITION;
    note(&r, 0, 1, 4);
    r.op.reply.rc = PL_EINVALID;
    note(&r, 0, 1, 4);
    CHECK(weight_of(&r, 7, 1, false) == 2 && weight_of(&r, 7, 1, true) == 4);
    r.op.reply.rc = 0;
    r.op.pk = pl_bytes(NULL, 0); /* a scan has no key */
    pl_hot_keys_note(r.hot[0], &r.op);
    r.op.table = NULL; /* and TABLES no table */
    note(&r, 0, 1, 4);
    CHECK(weight_of(&r, 7, ALL, false) == 2);
    end(&r);
}

static void a_minute_halves_what_was_before_it(void)
{
    struct rig r;

    start(&r, 1);
    for (int i = 0; i < 800; i++)
        note(&r, 0, 1, 1);
    now_ns += 59 * SECOND;
    CHECK(weight_of(&r, 7, 1, false) == 800);
    now_ns += SECOND;
    CHECK(weight_of(&r, 7, 1, false) == 400);
    now_ns += 60 * SECOND;
    note(&r, 0, 2, 1);
    CHECK(weight_of(&r, 7, 1, false) == 200 && weight_of(&r, 7, 2, false) == 1);
    now_ns += 24 * 3600 * SECOND;
    note(&r, 0, 2, 1);
    CHECK(weight_of(&r, 7, 1, false) == 0 && weight_of(&r, 7, ALL, false) == 1);
    end(&r);
}

/* 200,000 a second: of them only some are looked at, and each stands for others. */
static void of_many_a_sample_tells_the_same(void)
{
    enum { PER_SECOND = 200000, SECONDS = 5 };
    uint64_t seed = test_seed();
    unsigned hot_one = 0, all = 0, weight;
    struct rig r;

    start(&r, 1);
    for (int s = 0; s < SECONDS; s++) {
        for (int i = 0; i < PER_SECOND; i++) {
            unsigned n = test_random(&seed) % 10 == 0 ? 1 : 2 + (unsigned)(test_random(&seed) % 5000);

            now_ns += SECOND / PER_SECOND;
            note(&r, 0, n, 1);
            hot_one += n == 1;
            all++;
        }
    }
    weight = (unsigned)weight_of(&r, 7, 1, false);
    CHECK_MSG(weight > hot_one * 9 / 10 && weight < hot_one * 11 / 10 + all / PL_HOT_KEYS_MAX, "%u of %u",
              weight, hot_one);
    weight = (unsigned)weight_of(&r, 7, ALL, false);
    CHECK_MSG(weight > all / 100 * 95 && weight < all / 100 * 105, "%u of %u", weight, all);

    /* When there are few again, every one counts again. */
    now_ns += 600 * SECOND;
    for (int i = 0; i < 500; i++) {
        now_ns += SECOND / 10;
        note(&r, 0, 3, 1);
    }
    now_ns += 3600 * SECOND;
    for (int i = 0; i < 100; i++)
        note(&r, 0, 4, 1);
    CHECK(weight_of(&r, 7, 4, false) == 100);
    end(&r);
}

static void of_many_tables_the_busiest_have_places(void)
{
    struct rig r;
    uint64_t busy = 0;

    start(&r, 1);
    for (unsigned i = 0; i < 1000 * PL_HOT_TABLES_MAX; i++) {
        now_ns += SECOND / 1000;
        r.table.id = i % 2 == 0 ? 1 + i / 2 % 500 : 1000 + i / 2 % 20;
        note(&r, 0, 1, 1);
    }
    for (unsigned id = 1000; id < 1020; id++)
        busy += weight_of(&r, id, 1, false) > 0;
    CHECK_MSG(busy == 20, "%u", (unsigned)busy);
    end(&r);
}

static void short_of_memory_nothing_is_noted_and_nothing_fails(void)
{
    struct pl_sketch *requests, *capacity;
    struct rig r;

    start(&r, 1);
    for (long n = 0; allocation_failing(n, false); n++) {
        r.table.id = 100 + (uint32_t)n;
        note(&r, 0, 1, 1);
        note(&r, 0, 1, 1);
        allocation_failed();
        CHECK(weight_of(&r, r.table.id, 1, false) <= 2);
    }
    for (long n = 0; allocation_failing(n, false); n++) {
        int rc = pl_hot_keys_gather(&r.set, 7, &requests, &capacity);
        bool failed = allocation_failed();

        CHECK(rc == (failed ? PL_ENOMEM : 0));
        if (rc == 0) {
            pl_sketch_free(requests);
            pl_sketch_free(capacity);
        }
    }
    for (long n = 0; allocation_failing(n, false); n++) {
        struct pl_hot_keys *hot = pl_hot_keys_new(&r.set, &fake_clock);
        bool failed = allocation_failed();

        CHECK((hot == NULL) == failed);
        pl_hot_keys_free(hot);
    }
    end(&r);
}

enum { THREADS = 3, NOTES = 30000 };

struct noter {
    struct rig *rig;
    unsigned router;
};

static void *note_many(void *arg)
{
    struct noter *noter = arg;
    struct pl_operation op = { .table = &noter->rig->table };
    char pk[32];

    for (unsigned i = 0; i < NOTES; i++) {
        op.pk = pl_bytes(pk, (size_t)snprintf(pk, sizeof pk, "k%u", i % 100));
        op.reply.capacity.table_halves = 1;
        pl_hot_keys_note(noter->rig->hot[noter->router], &op);
    }
    return NULL;
}

static void gathering_disturbs_nobody(void)
{
    struct noter noters[THREADS];
    pthread_t threads[THREADS];
    struct rig r;

    start(&r, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        noters[i] = (struct noter){ &r, i };
        CHECK(pthread_create(&threads[i], NULL, note_many, &noters[i]) == 0);
    }
    for (int i = 0; i < 50; i++)
        weight_of(&r, 7, ALL, false);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(weight_of(&r, 7, ALL, false) > 0);
    end(&r);
}

int main(void)
{
    RUN(requests_and_capacity_are_counted_apart);
    RUN(what_all_routers_saw_is_added);
    RUN(a_global_index_has_keys_of_its_own_and_a_local_one_its_tables);
    RUN(a_refused_request_counts_and_a_wrong_one_does_not);
    RUN(a_minute_halves_what_was_before_it);
    RUN(of_many_a_sample_tells_the_same);
    RUN(of_many_tables_the_busiest_have_places);
    RUN(short_of_memory_nothing_is_noted_and_nothing_fails);
    RUN(gathering_disturbs_nobody);
    return test_summary();
}
