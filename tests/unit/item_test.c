/* SPDX-License-Identifier: MIT */
#include "random_item.h"

static struct pl_buf out;
static struct pl_arena arena;
static struct pl_builder b;

static void start(void)
{
    pl_buf_clear(&out);
    pl_arena_reset(&arena);
    pl_builder_init(&b, &out, &arena);
}

static void types_have_two_names_each(void)
{
    static const char *const names[] = { "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS" };

    for (int i = 0; i < 10; i++) {
        enum pl_type type = pl_type_from_name(pl_str(names[i]));

        CHECK(type == PL_TYPE_S + (enum pl_type)i && strcmp(pl_type_name(type), names[i]) == 0);
    }
    CHECK(strcmp(pl_type_long_name(PL_TYPE_BS), "BINARY_SET") == 0);
    CHECK(pl_type_from_name(pl_str("s")) == 0 && pl_type_from_name(pl_str("")) == 0);
}

static void attributes_are_found_by_their_whole_name(void)
{
    static const char *const names[] = { "a", "ab", "abc", "b", "\xc3\xbc" };
    struct pl_item item;
    struct pl_value value;

    start();
    pl_builder_begin_item(&b);
    for (int i = 4; i >= 0; i--) {
        pl_builder_name(&b, pl_str(names[i]));
        pl_builder_string(&b, pl_str(names[i]));
    }
    pl_builder_end(&b);
    CHECK(pl_builder_finish_item(&b, &item, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        CHECK(pl_item_find(item, pl_str(names[i]), &value));
        CHECK(value.type == PL_TYPE_S && pl_bytes_equal(value.payload, pl_str(names[i])));
    }
    value.type = PL_TYPE_BS;
    CHECK(!pl_item_find(item, pl_str(""), &value));
    CHECK(!pl_item_find(item, pl_str("aa"), &value));
    CHECK(!pl_item_find(item, pl_str("abcd"), &value));
    CHECK(!pl_item_find(item, pl_str("z"), &value));
    CHECK(!pl_item_find(item, pl_bytes("a\0", 2), &value));
    CHECK(value.type == PL_TYPE_BS);
    CHECK(!pl_item_find((struct pl_item){ 0 }, pl_str("a"), &value));
}

static struct pl_value list_of_three(void)
{
    struct pl_value value;

    start();
    pl_builder_begin_list(&b);
    pl_builder_bool(&b, false);
    pl_builder_string(&b, pl_str("one"));
    pl_builder_null(&b);
    pl_builder_end(&b);
    CHECK(pl_builder_finish_value(&b, &value, NULL) == 0);
    return value;
}

static void list_elements_are_found_by_index(void)
{
    struct pl_value list = list_of_three(), value;

    CHECK(pl_value_count(list) == 3);
    CHECK(pl_list_at(list.payload, 0, &value) && value.type == PL_TYPE_BOOL && !pl_value_bool(value));
    CHECK(pl_list_at(list.payload, 1, &value) && pl_bytes_equal(value.payload, pl_str("one")));
    CHECK(pl_list_at(list.payload, 2, &value) && value.type == PL_TYPE_NULL);
    CHECK(!pl_list_at(list.payload, 3, &value));
    CHECK(!pl_list_at(list.payload, UINT32_MAX, &value));
}

static void sets_know_their_elements(void)
{
    struct pl_value set;
    int64_t values[] = { 30, -4, 7, 0 };
    uint8_t encoded[PL_NUMBER_ENCODED_MAX];
    struct pl_number number;

    start();
    pl_builder_begin_set(&b, PL_TYPE_NS);
    for (int i = 0; i < 4; i++) {
        pl_number_from_int64(values[i], &number);
        pl_builder_set_number(&b, &number);
    }
    pl_builder_end(&b);
    CHECK(pl_builder_finish_value(&b, &set, NULL) == 0);
    CHECK(pl_value_count(set) == 4);
    for (int64_t n = -10; n < 40; n++) {
        bool member = n == 30 || n == -4 || n == 7 || n == 0;

        pl_number_from_int64(n, &number);
        CHECK(pl_set_contains(set.payload, pl_bytes(encoded, pl_number_encode(&number, encoded))) == member);
    }
}

static struct pl_value value_of_number(const char *text)
{
    struct pl_number number;
    struct pl_value value;

    CHECK(pl_number_parse(pl_str(text), &number, NULL) == 0);
    pl_builder_init(&b, &out, &arena);
    pl_builder_number(&b, &number);
    CHECK(pl_builder_finish_value(&b, &value, NULL) == 0);
    return value;
}

static void values_are_equal_by_value_and_ordered_by_type(void)
{
    static char room[4096];
    struct pl_value a, c;
    struct pl_number number;

    start();
    CHECK(pl_buf_reserve(&out, sizeof room) != NULL); /* so that views stay good while more is built */
    a = value_of_number("1000");
    c = value_of_number("1e3");
    CHECK(pl_value_equal(a, c) && pl_value_compare(a, c) == 0);
    c = value_of_number("-1e100");
    CHECK(!pl_value_equal(a, c) && pl_value_compare(a, c) > 0 && pl_value_compare(c, a) < 0);
    pl_value_number(a, &number);
    CHECK(number.coefficient == 1 && number.exponent == 3);

    pl_builder_init(&b, &out, &arena);
    pl_builder_string(&b, pl_str("ab"));
    CHECK(pl_builder_finish_value(&b, &a, NULL) == 0);
    pl_builder_init(&b, &out, &arena);
    pl_builder_string(&b, pl_str("abc"));
    CHECK(pl_builder_finish_value(&b, &c, NULL) == 0);
    CHECK(pl_value_compare(a, c) < 0 && pl_value_compare(c, a) > 0);
    pl_builder_init(&b, &out, &arena);
    pl_builder_binary(&b, pl_str("ab"));
    CHECK(pl_builder_finish_value(&b, &c, NULL) == 0);
    CHECK(!pl_value_equal(a, c)); /* S is never B */
}

/* DynamoDB's rule, told once more and over text. */
static uint32_t size_by_the_book(struct pl_value value)
{
    struct pl_bytes rest = value.payload, name;
    struct pl_value inner;
    struct pl_number number;
    uint32_t sum = 3;

    switch (value.type) {
    case PL_TYPE_S:
    case PL_TYPE_B:
        return (uint32_t)value.payload.len;
    case PL_TYPE_N:
        pl_value_number(value, &number);
        return pl_number_size_bytes(&number);
    case PL_TYPE_BOOL:
    case PL_TYPE_NULL:
        return 1;
    case PL_TYPE_L:
        while (pl_value_take(&rest, &inner))
            sum += 1 + size_by_the_book(inner);
        return sum;
    case PL_TYPE_M:
        while (pl_entry_take(&rest, &name, &inner))
            sum += 1 + (uint32_t)name.len + size_by_the_book(inner);
        return sum;
    default:
        for (sum = 0; pl_element_take(&rest, &name);) {
            if (value.type == PL_TYPE_NS) {
                CHECK(pl_number_decode(name, &number) == 0);
                sum += pl_number_size_bytes(&number);
            } else {
                sum += (uint32_t)name.len;
            }
        }
        return sum;
    }
}

static void three_ways_to_count_size_agree(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 3000; i++) {
        struct pl_item item, checked;
        struct pl_bytes rest, name;
        struct pl_value value;
        uint32_t walked = 0, by_the_book = 0;

        start();
        CHECK(random_item(&seed, &out, &arena, &item) == 0);
        for (rest = item.bytes; pl_entry_take(&rest, &name, &value);) {
            walked += (uint32_t)name.len + pl_value_size_bytes(value);
            by_the_book += (uint32_t)name.len + size_by_the_book(value);
        }
        CHECK(pl_item_check(item.bytes, &checked) == 0);
        CHECK_MSG(item.size_bytes == by_the_book && walked == by_the_book &&
                      checked.size_bytes == by_the_book,
                  "round %d: built %u, walked %u, checked %u, book %u", i, item.size_bytes, walked,
                  checked.size_bytes, by_the_book);
    }
}

static void an_item_of_the_largest_size_counts_409600(void)
{
    static char text[PL_ITEM_SIZE_MAX];
    struct pl_item item;

    memset(text, 'x', sizeof text);
    start();
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_str("t"));
    pl_builder_string(&b, pl_bytes(text, sizeof text - 1));
    pl_builder_end(&b);
    CHECK(pl_builder_finish_item(&b, &item, NULL) == 0);
    CHECK(item.size_bytes == PL_ITEM_SIZE_MAX);
}

/* Check bytes in memory of exactly their length, so that one step too far is seen by the sanitizer. */
static int check(const void *bytes, size_t len)
{
    struct pl_item item = { .size_bytes = 77 };
    char *copy = malloc(len == 0 ? 1 : len);
    int rc;

    CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    rc = pl_item_check(pl_bytes(copy, len), &item);
    free(copy);
    CHECK(rc == 0 || (rc == PL_ECORRUPT && item.size_bytes == 77));
    return rc;
}

#define REFUSED(...)                                                                                         \
    CHECK(check((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })) != 0)
#define ACCEPTED(...)                                                                                        \
    CHECK(check((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })) == 0)

static void only_canonical_items_are_accepted(void)
{
    CHECK(check(NULL, 0) == 0);
    ACCEPTED(1, 'a', PL_TYPE_NULL, 0);
    REFUSED(1, 'a', PL_TYPE_NULL, 1, 0); /* NULL has no payload */
    REFUSED(1, 'a', 0, 0);               /* no such tag */
    REFUSED(1, 'a', 11, 0);
    REFUSED(1, 'a', 255, 0);
    REFUSED(1, 'a'); /* cut short */
    REFUSED(1);
    REFUSED(1, 'a', PL_TYPE_S);
    REFUSED(1, 'a', PL_TYPE_S, 2, 'x');
    REFUSED(0, PL_TYPE_NULL, 0);            /* an empty name */
    REFUSED(0x81, 0, 'a', PL_TYPE_NULL, 0); /* a length in long form */
    REFUSED(1, 0xFF, PL_TYPE_NULL, 0);      /* a name that is not UTF-8 */
    ACCEPTED(1, 'a', PL_TYPE_NULL, 0, 1, 'b', PL_TYPE_NULL, 0);
    REFUSED(1, 'b', PL_TYPE_NULL, 0, 1, 'a', PL_TYPE_NULL, 0); /* names out of order */
    REFUSED(1, 'a', PL_TYPE_NULL, 0, 1, 'a', PL_TYPE_NULL, 0); /* and twice */
    ACCEPTED(1, 'a', PL_TYPE_S, 1, 'x');
    REFUSED(1, 'a', PL_TYPE_S, 1, 0x80);
    ACCEPTED(1, 'a', PL_TYPE_B, 1, 0x80);
    ACCEPTED(1, 'a', PL_TYPE_BOOL, 1, 1);
    REFUSED(1, 'a', PL_TYPE_BOOL, 1, 2);
    REFUSED(1, 'a', PL_TYPE_BOOL, 0);
    REFUSED(1, 'a', PL_TYPE_BOOL, 2, 0, 0);
    ACCEPTED(1, 'a', PL_TYPE_N, 1, 0x80);
    REFUSED(1, 'a', PL_TYPE_N, 0);
    REFUSED(1, 'a', PL_TYPE_N, 4, 0xC0, 130, 1, 0);     /* first pair 00 */
    REFUSED(1, 'a', PL_TYPE_N, 5, 0xC0, 130, 11, 1, 0); /* last pair 00 */
    REFUSED(1, 'a', PL_TYPE_N, 5, 0xC0, 130, 11, 0, 0); /* bytes behind the end */
    ACCEPTED(1, 'a', PL_TYPE_L, 0, 0, 0, 0);
    ACCEPTED(1, 'a', PL_TYPE_M, 0, 0, 0, 0);
    REFUSED(1, 'a', PL_TYPE_L, 1, 0, 0, 0);
    REFUSED(1, 'a', PL_TYPE_L, 0, 0, 0);
    REFUSED(1, 'a', PL_TYPE_L, 0xFF, 0xFF, 0xFF, 0xFF);
    REFUSED(1, 'a', PL_TYPE_L, 1, 0, 0, 0, PL_TYPE_NULL, 0); /* an element across the end */
    REFUSED(1, 'a', PL_TYPE_SS, 0, 0, 0, 0);                 /* an empty set */
    ACCEPTED(1, 'a', PL_TYPE_SS, 1, 0, 0, 0, 0);             /* a set of one empty string */
    ACCEPTED(1, 'a', PL_TYPE_SS, 4, 0, 0, 0, 1, 'a', 1, 'b');
    REFUSED(1, 'a', PL_TYPE_SS, 4, 0, 0, 0, 1, 'b', 1, 'a');
    REFUSED(1, 'a', PL_TYPE_SS, 4, 0, 0, 0, 1, 'a', 1, 'a');
    REFUSED(1, 'a', PL_TYPE_SS, 2, 0, 0, 0, 0, 0); /* the empty string twice */
    REFUSED(1, 'a', PL_TYPE_SS, 2, 0, 0, 0, 1, 0xFF);
    ACCEPTED(1, 'a', PL_TYPE_BS, 2, 0, 0, 0, 1, 0xFF);
    REFUSED(1, 'a', PL_TYPE_NS, 2, 0, 0, 0, 1, 0xFF);
}

static void check_ends_nesting_at_level_32(void)
{
    for (int levels = 31; levels <= 34; levels++) {
        uint8_t bytes[2 + 34 * 5] = { 1, 'a' };
        size_t len = 2 + (size_t)levels * 5;

        for (int i = 0; i < levels; i++) {
            bytes[2 + i * 5] = PL_TYPE_L;
            pl_put_le32(bytes + 3 + i * 5, (uint32_t)(levels - 1 - i) * 5);
        }
        CHECK_MSG((check(bytes, len) == 0) == (levels <= 32), "%d", levels);
    }
}

static void names_longer_than_65535_are_refused(void)
{
    struct pl_buf bytes = { 0 };

    for (uint32_t len = 65535; len <= 65536; len++) {
        pl_buf_clear(&bytes);
        pl_buf_append_varint(&bytes, len);
        for (uint32_t i = 0; i < len; i++)
            pl_buf_append_byte(&bytes, 'n');
        pl_buf_append(&bytes, "\x05\x00", 2);
        CHECK((check(bytes.data, bytes.len) == 0) == (len == 65535));
    }
    pl_buf_deinit(&bytes);
}

/* Damage is refused, or what came of it is itself the only spelling of another item. */
static void damaged_items_are_refused_or_canonical(void)
{
    uint64_t seed = test_seed();
    int refused = 0, accepted = 0;

    for (int i = 0; i < 4000; i++) {
        struct pl_buf damaged = { 0 };
        struct pl_item item, again;
        size_t cut;

        start();
        CHECK(random_item(&seed, &out, &arena, &item) == 0);
        if (item.bytes.len == 0)
            continue;
        CHECK(check(item.bytes.data, item.bytes.len) == 0);
        cut = test_random(&seed) % item.bytes.len;
        pl_buf_append_bytes(&damaged, item.bytes);
        if (i % 4 == 0)
            damaged.len = cut;
        else
            damaged.data[cut] ^=
                (char)(i % 4 == 1 ? 1 << test_random(&seed) % 8 : 1 + (int)(test_random(&seed) % 255));
        if (check(damaged.data, damaged.len) != 0) {
            refused++;
        } else {
            accepted++;
            start();
            pl_builder_begin_item(&b);
            rebuild_entries(&seed, &b, pl_buf_view(&damaged));
            pl_builder_end(&b);
            CHECK(pl_builder_finish_item(&b, &again, NULL) == 0);
            CHECK(pl_bytes_equal(again.bytes, pl_buf_view(&damaged)));
        }
        pl_buf_deinit(&damaged);
    }
    CHECK(refused > 500 && accepted > 100);
}

static void noise_is_refused_without_harm(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        size_t len = test_random(&seed) % sizeof bytes;

        for (size_t at = 0; at < len; at++)
            bytes[at] = (uint8_t)(test_random(&seed) % 3 == 0 ? test_random(&seed) : test_random(&seed) % 12);
        check(bytes, len);
    }
}

int main(void)
{
    RUN(types_have_two_names_each);
    RUN(attributes_are_found_by_their_whole_name);
    RUN(list_elements_are_found_by_index);
    RUN(sets_know_their_elements);
    RUN(values_are_equal_by_value_and_ordered_by_type);
    RUN(three_ways_to_count_size_agree);
    RUN(an_item_of_the_largest_size_counts_409600);
    RUN(only_canonical_items_are_accepted);
    RUN(check_ends_nesting_at_level_32);
    RUN(names_longer_than_65535_are_refused);
    RUN(damaged_items_are_refused_or_canonical);
    RUN(noise_is_refused_without_harm);
    pl_buf_deinit(&out);
    pl_arena_deinit(&arena);
    return test_summary();
}
