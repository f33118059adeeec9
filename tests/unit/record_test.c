/* SPDX-License-Identifier: MIT */
#include "model/record.h"

#include "random_item.h"

static struct pl_arena arena;

static void a_single_record_is_its_item(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 500; i++) {
        struct pl_buf item_bytes = { 0 }, record = { 0 };
        struct pl_item item, found;
        struct pl_record_cursor cursor;
        struct pl_record_entry entry;

        pl_arena_reset(&arena);
        CHECK(random_item(&seed, &item_bytes, &arena, &item) == 0);
        pl_record_write_single(&record, item);
        CHECK(pl_record_open(pl_buf_view(&record), &cursor) == 0 && !cursor.bucket);
        CHECK(pl_record_next(&cursor, &entry));
        CHECK(entry.full_key.len == 0 && entry.item.size_bytes == item.size_bytes);
        CHECK(pl_bytes_equal(entry.item.bytes, item.bytes));
        CHECK(!pl_record_next(&cursor, &entry) && !pl_record_next(&cursor, &entry));
        CHECK(pl_record_find(pl_buf_view(&record), pl_str("any"), &found));
        CHECK(pl_bytes_equal(found.bytes, item.bytes) && found.size_bytes == item.size_bytes);
        pl_buf_deinit(&item_bytes);
        pl_buf_deinit(&record);
    }
}

static void a_record_of_no_known_kind_is_corrupt(void)
{
    struct pl_record_cursor cursor;
    struct pl_item item = { .size_bytes = 5 };

    CHECK(pl_record_open(pl_str(""), &cursor) == PL_ECORRUPT);
    CHECK(pl_record_open(pl_str("\x02"), &cursor) == PL_ECORRUPT);
    CHECK(pl_record_open(pl_str("\xff..."), &cursor) == PL_ECORRUPT);
    CHECK(!pl_record_find(pl_str("\x02"), pl_str("k"), &item) && item.size_bytes == 5);
}

enum { KEYS = 24 };

/* What the bucket must hold: the item of key n, or none where `size_bytes` is 0. */
struct shadow {
    char key[KEYS][1100];
    size_t key_len[KEYS];
    char payload[KEYS][64];
    struct pl_item item[KEYS];
};

static void check_bucket(const struct shadow *shadow, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    struct pl_bytes last = { 0 };
    int count = 0, expected = 0;

    for (int n = 0; n < KEYS; n++) {
        struct pl_bytes key = pl_bytes(shadow->key[n], shadow->key_len[n]);
        struct pl_item found = { .size_bytes = 9999 };
        bool there = shadow->item[n].size_bytes != 0;

        expected += there;
        CHECK(pl_record_find(record, key, &found) == there);
        if (there)
            CHECK(found.size_bytes == shadow->item[n].size_bytes &&
                  pl_bytes_equal(found.bytes, shadow->item[n].bytes));
        else
            CHECK(found.size_bytes == 9999);
    }
    if (expected == 0) {
        CHECK(record.len == 0);
        return;
    }
    CHECK(pl_record_open(record, &cursor) == 0 && cursor.bucket);
    while (pl_record_next(&cursor, &entry)) {
        CHECK(count++ == 0 || pl_bytes_compare(last, entry.full_key) < 0);
        last = entry.full_key;
    }
    CHECK(count == expected && !pl_record_next(&cursor, &entry));
}

/* Keys that agree in their first 1000 bytes, some the beginning of others. */
static void fill_keys(uint64_t *seed, struct shadow *shadow)
{
    memset(shadow, 0, sizeof *shadow);
    for (int n = 0; n < KEYS; n++) {
        memset(shadow->key[n], 'k', sizeof shadow->key[n]);
        shadow->key_len[n] = 1001 + (size_t)(n % 5);
        shadow->key[n][1000] = (char)(n * 37 % 256);
        shadow->key[n][1001] = (char)test_random(seed);
    }
}

static void a_bucket_does_what_a_sorted_list_does(void)
{
    static struct shadow shadow;
    uint64_t seed = test_seed();

    for (int round = 0; round < 20; round++) {
        struct pl_buf record = { 0 }, next = { 0 };

        fill_keys(&seed, &shadow);
        for (int step = 0; step < 200; step++) {
            int n = (int)(test_random(&seed) % KEYS);
            struct pl_bytes key = pl_bytes(shadow.key[n], shadow.key_len[n]);
            bool removing = test_random(&seed) % (step < 100 ? 3 : 2) == 0;
            struct pl_item *item = &shadow.item[n];

            *item = (struct pl_item){ 0 };
            if (!removing) {
                size_t len = test_random(&seed) % sizeof shadow.payload[n];

                memset(shadow.payload[n], (int)(step & 0x7F), len);
                *item = (struct pl_item){ .bytes = pl_bytes(shadow.payload[n], len),
                                          .size_bytes = 1 + (uint32_t)step * 3000 };
            }
            pl_buf_clear(&next);
            pl_record_write_bucket(&next, pl_buf_view(&record), key, removing ? NULL : item);
            CHECK(pl_buf_status(&next) == 0);
            pl_buf_clear(&record);
            pl_buf_append_bytes(&record, pl_buf_view(&next));
            check_bucket(&shadow, pl_buf_view(&record));
        }
        pl_buf_deinit(&record);
        pl_buf_deinit(&next);
    }
}

static void the_last_entry_removed_leaves_nothing(void)
{
    struct pl_item item = { .bytes = pl_str(""), .size_bytes = 1 };
    struct pl_buf record = { 0 }, next = { 0 };

    pl_record_write_bucket(&next, (struct pl_bytes){ 0 }, pl_str("k"), NULL);
    CHECK(next.len == 0);
    pl_record_write_bucket(&record, (struct pl_bytes){ 0 }, pl_str("k"), &item);
    CHECK(record.len > 0);
    pl_record_write_bucket(&next, pl_buf_view(&record), pl_str("other"), NULL);
    CHECK(pl_bytes_equal(pl_buf_view(&next), pl_buf_view(&record)));
    pl_buf_clear(&next);
    pl_record_write_bucket(&next, pl_buf_view(&record), pl_str("k"), NULL);
    CHECK(next.len == 0);
    pl_buf_deinit(&record);
    pl_buf_deinit(&next);
}

static void the_bytes_are_the_documented_ones(void)
{
    static const uint8_t single[] = { 0, 0x80, 1, 'i', 't' };
    static const uint8_t bucket[] = { 1, 1, 0, 0, 0, 'k', 0x80, 1, 2, 0, 0, 0, 'i', 't' };
    struct pl_item item = { .bytes = pl_str("it"), .size_bytes = 128 };
    struct pl_buf out = { 0 };

    pl_record_write_single(&out, item);
    CHECK(pl_bytes_equal(pl_buf_view(&out), pl_bytes(single, sizeof single)));
    pl_buf_clear(&out);
    pl_record_write_bucket(&out, (struct pl_bytes){ 0 }, pl_str("k"), &item);
    CHECK(pl_bytes_equal(pl_buf_view(&out), pl_bytes(bucket, sizeof bucket)));
    pl_buf_deinit(&out);
}

int main(void)
{
    RUN(a_single_record_is_its_item);
    RUN(a_record_of_no_known_kind_is_corrupt);
    RUN(a_bucket_does_what_a_sorted_list_does);
    RUN(the_last_entry_removed_leaves_nothing);
    RUN(the_bytes_are_the_documented_ones);
    pl_arena_deinit(&arena);
    return test_summary();
}
