/* SPDX-License-Identifier: MIT */
#include "store/memtable.h"

#include "failing_allocation.h"

enum { KEYS = 300, MODEL_OPERATIONS = 20000 };

/* ---- a naive table: keys by number, whose spelling gives their order ---- */

/* Number `n` spelled so that keys of several lengths share prefixes, and byte order is the numbers' order. */
static struct pl_bytes key_of(uint32_t n, char *space)
{
    size_t len = 12 + n % 5 * 7;

    memset(space, 0xff, len);
    memcpy(space, "common prefix", 8);
    pl_put_be32(space + 8, n);
    return pl_bytes(space, len);
}

struct model {
    uint32_t value[KEYS]; /* 0: never set */
    bool tombstone[KEYS];
};

static struct pl_bytes value_of(uint32_t value, char *space)
{
    memset(space, (int)(value & 0x7f), value % 40);
    return pl_bytes(space, value % 40);
}

static int set(struct pl_memtable *table, struct model *model, uint32_t n, uint32_t value, bool tombstone)
{
    char key[64], bytes[64];
    int rc = pl_memtable_set(table, key_of(n, key), value_of(value, bytes), tombstone);

    if (rc == 0) {
        model->value[n] = value;
        model->tombstone[n] = tombstone;
    }
    return rc;
}

static bool is_entry(const struct model *model, uint32_t n, const struct pl_memtable_entry *entry)
{
    char key[64], bytes[64];

    if (!pl_bytes_equal(entry->key, key_of(n, key)) || entry->tombstone != model->tombstone[n])
        return false;
    return entry->tombstone ? entry->value.len == 0
                            : pl_bytes_equal(entry->value, value_of(model->value[n], bytes));
}

static bool is_node(const struct model *model, uint32_t n, const struct pl_memtable_node *node)
{
    struct pl_memtable_entry entry;

    while (n < KEYS && model->value[n] == 0)
        n++;
    if (n == KEYS || node == NULL)
        return n == KEYS && node == NULL;
    pl_memtable_read(node, &entry);
    return is_entry(model, n, &entry);
}

static bool is_node_before(const struct model *model, uint32_t n, const struct pl_memtable_node *node)
{
    struct pl_memtable_entry entry;

    while (n > 0 && model->value[n - 1] == 0)
        n--;
    if (n == 0 || node == NULL)
        return n == 0 && node == NULL;
    pl_memtable_read(node, &entry);
    return is_entry(model, n - 1, &entry);
}

static bool agrees_at(const struct pl_memtable *table, const struct model *model, uint32_t n)
{
    struct pl_memtable_entry entry;
    char space[64];
    struct pl_bytes key = key_of(n, space);
    bool found = pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry);

    if (found != (model->value[n] != 0) || (found && !is_entry(model, n, &entry)))
        return false;
    return is_node(model, n, pl_memtable_seek(table, key)) &&
           is_node_before(model, n, pl_memtable_seek_before(table, key));
}

static bool agrees(const struct pl_memtable *table, const struct model *model)
{
    const struct pl_memtable_node *node = pl_memtable_first(table);

    for (uint32_t n = 0; n < KEYS; n++) {
        if (!agrees_at(table, model, n))
            return false;
        if (model->value[n] == 0)
            continue;
        if (!is_node(model, n, node))
            return false;
        node = pl_memtable_next(node);
    }
    return node == NULL;
}

/* ---- the tests ---- */

static void an_empty_table_has_no_place_to_stand_on(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_memtable_entry entry;

    CHECK(table != NULL);
    CHECK(pl_memtable_first(table) == NULL);
    CHECK(pl_memtable_seek(table, pl_str("")) == NULL);
    CHECK(pl_memtable_seek_before(table, pl_str("\xff")) == NULL);
    CHECK(!pl_memtable_get(table, pl_str("a"), pl_memtable_hash(table, pl_str("a")), &entry));
    pl_memtable_unref(table);
    pl_memtable_unref(NULL);
}

static void keys_stand_in_byte_order_a_prefix_first(void)
{
    static const char *const in[] = { "b",        "a",    "ab",      "abcdefgh\x01",
                                      "abcdefgh", "\xff", "abcdefg", "abcdefgi" };
    static const char *const out[] = { "",         "a", "ab",  "abcdefg", "abcdefgh", "abcdefgh\x01",
                                       "abcdefgi", "b", "\xff" };
    struct pl_memtable *table = pl_memtable_new(7);
    const struct pl_memtable_node *node;
    struct pl_memtable_entry entry;

    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        CHECK(pl_memtable_set(table, pl_str(in[i]), pl_str("v"), false) == 0);
    CHECK(pl_memtable_set(table, pl_bytes(NULL, 0), pl_str("the empty key"), false) == 0);
    node = pl_memtable_first(table);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++, node = pl_memtable_next(node)) {
        CHECK(node != NULL);
        pl_memtable_read(node, &entry);
        CHECK_MSG(pl_bytes_equal(entry.key, pl_str(out[i])), "%zu: %.*s", i, (int)entry.key.len,
                  entry.key.data);
    }
    CHECK(node == NULL);
    pl_memtable_unref(table);
}

static void zero_bytes_count_in_a_key(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_memtable_entry entry;
    struct pl_bytes one = pl_bytes("a\0", 2), two = pl_bytes("a\0\0", 3);

    CHECK(pl_memtable_set(table, two, pl_str("two"), false) == 0);
    CHECK(pl_memtable_set(table, one, pl_str("one"), false) == 0);
    CHECK(pl_memtable_set(table, pl_str("a"), pl_str("none"), false) == 0);
    CHECK(pl_memtable_get(table, one, pl_memtable_hash(table, one), &entry) &&
          pl_bytes_equal(entry.value, pl_str("one")));
    pl_memtable_read(pl_memtable_first(table), &entry);
    CHECK(pl_bytes_equal(entry.value, pl_str("none")));
    pl_memtable_read(pl_memtable_seek_before(table, two), &entry);
    CHECK(pl_bytes_equal(entry.value, pl_str("one")));
    pl_memtable_unref(table);
}

static void the_longest_key_and_a_long_value_fit(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    char *bytes = calloc(1, 1 << 20);
    struct pl_memtable_entry entry;
    struct pl_bytes key = pl_bytes(bytes, 65535), value = pl_bytes(bytes, 1 << 20);

    CHECK(pl_memtable_set(table, key, value, false) == 0);
    CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry));
    CHECK(pl_bytes_equal(entry.key, key) && pl_bytes_equal(entry.value, value));
    CHECK(pl_memtable_size_bytes(table) >= (1 << 20) + 65535);
    free(bytes);
    pl_memtable_unref(table);
}

static void a_replaced_value_stays_where_it_was(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_bytes key = pl_str("key");
    struct pl_memtable_entry before, after;

    CHECK(pl_memtable_set(table, key, pl_str("before"), false) == 0);
    CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &before));
    for (int i = 0; i < 5000; i++)
        CHECK(pl_memtable_set(table, key, pl_str("another"), false) == 0);
    CHECK(pl_memtable_set(table, key, pl_str("after"), false) == 0);
    CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &after));
    CHECK(pl_bytes_equal(before.value, pl_str("before")) && pl_bytes_equal(after.value, pl_str("after")));
    CHECK(pl_memtable_next(pl_memtable_first(table)) == NULL);
    pl_memtable_unref(table);
}

static void a_tombstone_is_found_and_can_be_set_over(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_bytes key = pl_str("key");
    struct pl_memtable_entry entry;

    CHECK(pl_memtable_set(table, key, pl_str("not kept"), true) == 0);
    CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry) && entry.tombstone &&
          entry.value.len == 0);
    CHECK(pl_memtable_set(table, key, pl_bytes(NULL, 0), false) == 0);
    CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry) && !entry.tombstone &&
          entry.value.len == 0);
    pl_memtable_unref(table);
}

static bool is_at(const struct pl_memtable *table, uint64_t moment, const char *value)
{
    struct pl_memtable_entry entry;

    if (!pl_memtable_get_at(table, pl_str("key"), pl_memtable_hash(table, pl_str("key")), moment, &entry))
        return value == NULL;
    return value != NULL && pl_bytes_equal(entry.value, pl_str(value));
}

static void each_moment_has_its_own_newest_value(void)
{
    struct pl_memtable *table = pl_memtable_new(7);

    CHECK(table != NULL);
    pl_memtable_set_moment(table, 3);
    CHECK(pl_memtable_set(table, pl_str("key"), pl_str("three"), false) == 0);
    CHECK(pl_memtable_set(table, pl_str("key"), pl_str("three again"), false) == 0);
    pl_memtable_set_moment(table, 7);
    CHECK(pl_memtable_set(table, pl_str("key"), pl_str("seven"), false) == 0);
    CHECK(is_at(table, 0, NULL) && is_at(table, 2, NULL));
    CHECK(is_at(table, 3, "three again") && is_at(table, 6, "three again"));
    CHECK(is_at(table, 7, "seven") && is_at(table, UINT64_MAX, "seven"));
    pl_memtable_unref(table);
}

static void whoever_holds_a_reference_may_keep_views(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_memtable *mine = pl_memtable_ref(table);
    struct pl_memtable_entry entry;

    CHECK(pl_memtable_set(table, pl_str("key"), pl_str("value"), false) == 0);
    pl_memtable_read(pl_memtable_first(mine), &entry);
    pl_memtable_unref(table);
    CHECK(pl_bytes_equal(entry.key, pl_str("key")) && pl_bytes_equal(entry.value, pl_str("value")));
    pl_memtable_unref(mine);
}

static void random_operations_agree_with_a_naive_table(void)
{
    uint64_t seed = test_seed();
    struct pl_memtable *table = pl_memtable_new(7);
    struct model model = { 0 };

    for (uint32_t i = 0; i < MODEL_OPERATIONS; i++) {
        uint32_t n = (uint32_t)(test_random(&seed) % KEYS);

        CHECK(set(table, &model, n, i + 1, test_random(&seed) % 4 == 0) == 0);
        CHECK_MSG(agrees_at(table, &model, n) &&
                      agrees_at(table, &model, (uint32_t)(test_random(&seed) % KEYS)),
                  "operation %u, PL_SEED=%llu", i, (unsigned long long)test_seed());
        if (i % 500 == 0 || (i < 400 && i % 20 == 0))
            CHECK_MSG(agrees(table, &model), "operation %u, PL_SEED=%llu", i,
                      (unsigned long long)test_seed());
    }
    CHECK(agrees(table, &model));
    pl_memtable_unref(table);
}

static void thousands_of_keys_are_all_found(void)
{
    struct pl_memtable *table = pl_memtable_new(7);
    struct pl_memtable_entry entry;
    const struct pl_memtable_node *node;
    uint32_t count = 0;
    char space[64];

    for (uint32_t n = 0; n < 50000; n++)
        CHECK(pl_memtable_set(table, key_of(n * 7919 % 50000, space), pl_str(""), false) == 0);
    for (uint32_t n = 0; n < 50000; n++) {
        struct pl_bytes key = key_of(n, space);

        CHECK(pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry));
        key = key_of(n + 50000, space);
        CHECK(!pl_memtable_get(table, key, pl_memtable_hash(table, key), &entry));
    }
    for (node = pl_memtable_first(table); node != NULL; node = pl_memtable_next(node), count++) {
        pl_memtable_read(node, &entry);
        CHECK(pl_bytes_equal(entry.key, key_of(count, space)));
    }
    CHECK(count == 50000);
    pl_memtable_unref(table);
}

/* Enough for several chunks and larger hash tables; returns the number of sets that failed. */
static uint32_t fill(struct pl_memtable *table, struct model *model)
{
    static struct model before;
    uint32_t failures = 0;

    for (uint32_t i = 0; i < KEYS * 10; i++) {
        uint32_t n = i * 7 % KEYS;

        before = *model;
        if (set(table, model, n, i + 1, i % 9 == 0) == 0)
            continue;
        failures++;
        if (!agrees_at(table, &before, n) || memcmp(&before, model, sizeof before) != 0)
            return UINT32_MAX;
    }
    return failures;
}

static void a_set_that_finds_no_memory_changes_nothing(void)
{
    for (int for_good = 0; for_good < 2; for_good++)
        for (long n = 0; allocation_failing(n, for_good); n++) {
            struct pl_memtable *table = pl_memtable_new(7);
            struct model model = { 0 };
            uint32_t failures = table == NULL ? 1 : fill(table, &model);
            bool failed = allocation_failed();

            allocation_has_failed = failed;
            CHECK_MSG(failures != UINT32_MAX && (failures > 0) == failed, "allocation %ld", n);
            if (table == NULL)
                continue;
            CHECK(agrees(table, &model));
            CHECK(set(table, &model, 0, 77, false) == 0 && agrees(table, &model));
            pl_memtable_unref(table);
        }
}

/* So that who must set all again takes memory once, and not each time. */
static void what_is_set_again_takes_no_memory(void)
{
    struct pl_memtable *table = pl_memtable_new(1);
    char key[64], value[1000];
    size_t size_bytes = 0;

    memset(value, 'v', sizeof value);
    for (int round = 0; round < 10; round++) {
        for (uint32_t n = 0; n < KEYS; n++)
            CHECK(pl_memtable_set(table, key_of(n, key), pl_bytes(value, sizeof value), n % 3 == 0) == 0);
        if (round == 0)
            size_bytes = pl_memtable_size_bytes(table);
    }
    CHECK(pl_memtable_size_bytes(table) == size_bytes);
    /* At a later moment it is another value, though it is the same. */
    pl_memtable_set_moment(table, 1);
    for (uint32_t n = 0; n < KEYS; n++)
        CHECK(pl_memtable_set(table, key_of(n, key), pl_bytes(value, sizeof value), false) == 0);
    CHECK(pl_memtable_size_bytes(table) > size_bytes);
    pl_memtable_unref(table);
}

int main(void)
{
    RUN(an_empty_table_has_no_place_to_stand_on);
    RUN(keys_stand_in_byte_order_a_prefix_first);
    RUN(zero_bytes_count_in_a_key);
    RUN(the_longest_key_and_a_long_value_fit);
    RUN(a_replaced_value_stays_where_it_was);
    RUN(a_tombstone_is_found_and_can_be_set_over);
    RUN(each_moment_has_its_own_newest_value);
    RUN(whoever_holds_a_reference_may_keep_views);
    RUN(random_operations_agree_with_a_naive_table);
    RUN(thousands_of_keys_are_all_found);
    RUN(a_set_that_finds_no_memory_changes_nothing);
    RUN(what_is_set_again_takes_no_memory);
    return test_summary();
}
