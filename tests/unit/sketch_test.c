/* SPDX-License-Identifier: MIT */
#include "route/sketch.h"

#include "failing_allocation.h"
#include "test.h"

#include <math.h>

/* Numbered keys; what each really weighs is counted beside the sketch. */
enum { KEYS = 4000 };

static uint64_t weights[KEYS], total;

static struct pl_bytes key_of(unsigned n, char *space)
{
    return pl_bytes(space, (size_t)snprintf(space, 32, "key %u", n));
}

static uint64_t hash_of(unsigned n)
{
    return (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static void begin(void)
{
    memset(weights, 0, sizeof weights);
    total = 0;
}

static void note(struct pl_sketch *sketch, unsigned n, uint64_t weight)
{
    char space[32];

    pl_sketch_note(sketch, key_of(n, space), hash_of(n), weight);
    weights[n] += weight;
    total += weight;
}

static unsigned number_of(const struct pl_sketch_key *key)
{
    unsigned n = KEYS;
    char text[32];

    snprintf(text, sizeof text, "%.*s", (int)key->len, (const char *)key->bytes);
    CHECK(sscanf(text, "key %u", &n) == 1 && n < KEYS);
    return n;
}

/* What the paper promises, of every key. */
static void check_promise(const struct pl_sketch *sketch, uint32_t capacity, const char *what)
{
    const struct pl_sketch_key *top[KEYS];
    uint32_t count = pl_sketch_top(sketch, top, KEYS);
    bool found[KEYS] = { false };

    CHECK(count <= capacity && pl_sketch_total(sketch) == total);
    for (uint32_t i = 0; i < count; i++) {
        unsigned n = number_of(top[i]);

        CHECK_MSG(!found[n], "%s: key %u twice", what, n);
        found[n] = true;
        CHECK_MSG(i == 0 || top[i - 1]->weight >= top[i]->weight, "%s: order at %u", what, i);
        CHECK_MSG(top[i]->weight >= weights[n] && top[i]->weight - top[i]->error <= weights[n],
                  "%s: key %u weighs %llu, not %llu - %llu", what, n, (unsigned long long)weights[n],
                  (unsigned long long)top[i]->weight, (unsigned long long)top[i]->error);
        CHECK_MSG(top[i]->error <= total / capacity, "%s: error %llu", what,
                  (unsigned long long)top[i]->error);
    }
    for (unsigned n = 0; n < KEYS; n++)
        CHECK_MSG(found[n] || weights[n] <= total / capacity, "%s: key %u of %llu is not there", what, n,
                  (unsigned long long)weights[n]);
}

static unsigned zipf(uint64_t *seed, double exponent)
{
    double u = (double)(test_random(seed) >> 11) / (double)(UINT64_C(1) << 53);

    /* Inverse of the continuous distribution: close enough to be as skewed. */
    if (exponent == 1)
        return (unsigned)(pow(KEYS, u) - 1) % KEYS;
    return (unsigned)(pow(u * (pow(KEYS, 1 - exponent) - 1) + 1, 1 / (1 - exponent)) - 1) % KEYS;
}

static void heavy_keys_are_found_in_zipf_streams(void)
{
    static const double exponents[] = { 0.5, 0.8, 1, 1.2, 2 };
    static const uint32_t capacities[] = { 1, 2, 7, 64, 500 };
    uint64_t seed = test_seed();

    for (size_t e = 0; e < 5; e++) {
        for (size_t c = 0; c < 5; c++) {
            struct pl_sketch *sketch = pl_sketch_new(capacities[c]);

            begin();
            for (int i = 0; i < 20000; i++)
                note(sketch, zipf(&seed, exponents[e]), 1 + (i % 3 == 0 ? test_random(&seed) % 100 : 0));
            check_promise(sketch, capacities[c], "zipf");
            pl_sketch_free(sketch);
        }
    }
}

/* Each made to hurt: all alike, in a ring, one heavy key kept for the end or only at the start, ever heavier. */
static void heavy_keys_are_found_in_streams_made_to_hide_them(void)
{
    enum { CAPACITY = 32, LENGTH = 20000, STREAMS = 6 };
    uint64_t seed = test_seed() + 1;

    for (int stream = 0; stream < STREAMS; stream++) {
        struct pl_sketch *sketch = pl_sketch_new(CAPACITY);
        char what[16];

        begin();
        snprintf(what, sizeof what, "stream %d", stream);
        for (unsigned i = 0; i < LENGTH; i++) {
            switch (stream) {
            case 0:
                note(sketch, i % KEYS, 1);
                break;
            case 1:
                note(sketch, i % (CAPACITY + 1), 1);
                break;
            case 2:
                note(sketch, i < LENGTH - LENGTH / CAPACITY - 2 ? i % KEYS : 7, 1);
                break;
            case 3:
                note(sketch, i < LENGTH / CAPACITY + 2 ? 7 : 8 + i % (KEYS - 8), 1);
                break;
            case 4:
                note(sketch, i % KEYS, i);
                break;
            default:
                note(sketch, i % 2 == 0 ? (unsigned)(test_random(&seed) % 40) : i % KEYS,
                     i % 1000 == 0 ? 500 : 1);
                break;
            }
        }
        check_promise(sketch, CAPACITY, what);
        pl_sketch_free(sketch);
    }
}

static void with_room_for_all_it_is_exact(void)
{
    struct pl_sketch *sketch = pl_sketch_new(100);
    const struct pl_sketch_key *top[100];
    uint64_t seed = test_seed();

    begin();
    for (int i = 0; i < 5000; i++)
        note(sketch, (unsigned)(test_random(&seed) % 100), 1 + test_random(&seed) % 9);
    CHECK(pl_sketch_top(sketch, top, 100) == 100);
    for (int i = 0; i < 100; i++)
        CHECK(top[i]->error == 0 && top[i]->weight == weights[number_of(top[i])]);
    CHECK(pl_sketch_top(sketch, top, 3) == 3);
    CHECK(pl_sketch_top(sketch, top, 0) == 0);
    pl_sketch_free(sketch);
}

static void merged_sketches_keep_the_promise_of_both(void)
{
    enum { PARTS = 4, CAPACITY = 50 };
    struct pl_sketch *parts[PARTS], *sum = pl_sketch_new(PARTS * CAPACITY);
    const struct pl_sketch_key *top[PARTS * CAPACITY];
    uint64_t seed = test_seed() + 2;
    uint32_t count;

    begin();
    for (int p = 0; p < PARTS; p++)
        parts[p] = pl_sketch_new(CAPACITY);
    for (int i = 0; i < 40000; i++)
        note(parts[i % PARTS], zipf(&seed, 1.1), 1);
    for (int p = 0; p < PARTS; p++) {
        pl_sketch_merge(sum, parts[p]);
        pl_sketch_free(parts[p]);
    }
    count = pl_sketch_top(sum, top, PARTS * CAPACITY);
    CHECK(pl_sketch_total(sum) == total);
    for (unsigned n = 0; n < KEYS; n++) {
        bool found = false;

        for (uint32_t i = 0; i < count; i++)
            found = found || number_of(top[i]) == n;
        CHECK_MSG(found || weights[n] <= total / CAPACITY, "key %u", n);
    }
    /* What one of them had no place for is missing from its weight: by a place's worth of each at most. */
    for (uint32_t i = 0; i < count; i++) {
        unsigned n = number_of(top[i]);

        CHECK(top[i]->weight - top[i]->error <= weights[n]);
        CHECK(top[i]->weight + total / CAPACITY >= weights[n]);
    }
    pl_sketch_free(sum);
}

static void what_is_old_fades_and_goes(void)
{
    struct pl_sketch *sketch = pl_sketch_new(8);
    const struct pl_sketch_key *top[8];

    begin();
    for (int i = 0; i < 1000; i++)
        note(sketch, 1, 1);
    for (unsigned n = 0; n < 50; n++)
        note(sketch, 100 + n, 1);
    for (int i = 0; i < 4; i++)
        pl_sketch_fade(sketch);
    CHECK(pl_sketch_total(sketch) == 1050 / 16);
    for (int i = 0; i < 100; i++)
        note(sketch, 2, 1);
    CHECK(pl_sketch_top(sketch, top, 8) >= 2);
    CHECK(number_of(top[0]) == 2 && number_of(top[1]) == 1 && top[1]->weight == 1000 / 16);
    for (int i = 0; i < 10; i++)
        pl_sketch_fade(sketch);
    CHECK(pl_sketch_top(sketch, top, 8) == 0 && pl_sketch_total(sketch) == 0);
    for (int i = 0; i < 10; i++)
        note(sketch, 3, 1);
    CHECK(pl_sketch_top(sketch, top, 8) == 1 && top[0]->weight == 10 && top[0]->error == 0);
    pl_sketch_clear(sketch);
    CHECK(pl_sketch_top(sketch, top, 8) == 0 && pl_sketch_total(sketch) == 0);
    pl_sketch_free(sketch);
}

static void long_keys_are_told_apart(void)
{
    struct pl_sketch *sketch = pl_sketch_new(8);
    const struct pl_sketch_key *top[8];
    static char bytes[2000];

    memset(bytes, 'x', sizeof bytes);
    pl_sketch_note(sketch, pl_bytes(bytes, 2000), 1, 5);
    pl_sketch_note(sketch, pl_bytes(bytes, 1999), 1, 4);   /* the same hash by chance */
    pl_sketch_note(sketch, pl_bytes(bytes, 2000), 100, 3); /* another behind what is kept */
    pl_sketch_note(sketch, pl_bytes(bytes, 2000), 1, 5);
    pl_sketch_note(sketch, pl_bytes(bytes, 0), 0, 1);
    pl_sketch_note(sketch, pl_bytes(bytes, 0), 0, 0);
    CHECK(pl_sketch_top(sketch, top, 8) == 4);
    CHECK(top[0]->weight == 10 && top[1]->weight == 4 && top[2]->weight == 3 && top[3]->weight == 1);
    CHECK(top[0]->len == 2000 && top[3]->len == 0);
    pl_sketch_free(sketch);
}

static void a_sketch_without_memory_is_none(void)
{
    for (long n = 0; allocation_failing(n, false); n++) {
        struct pl_sketch *sketch = pl_sketch_new(10);
        bool failed = allocation_failed();

        CHECK((sketch == NULL) == failed);
        pl_sketch_free(sketch);
    }
}

int main(void)
{
    RUN(heavy_keys_are_found_in_zipf_streams);
    RUN(heavy_keys_are_found_in_streams_made_to_hide_them);
    RUN(with_room_for_all_it_is_exact);
    RUN(merged_sketches_keep_the_promise_of_both);
    RUN(what_is_old_fades_and_goes);
    RUN(long_keys_are_told_apart);
    RUN(a_sketch_without_memory_is_none);
    return test_summary();
}
