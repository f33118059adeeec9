/* SPDX-License-Identifier: MIT */
#include "random_item.h"

/* Let the n-th allocation from now fail, and all after it when `for_good` (linked with --wrap). */
static long allocations_left = -1;
static bool for_good;

void *__real_malloc(size_t len);
void *__real_realloc(void *at, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_realloc(void *at, size_t len);

static bool allocation_fails(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left > 0) {
        allocations_left--;
        return false;
    }
    if (!for_good)
        allocations_left = -1;
    return true;
}

void *__wrap_malloc(size_t len)
{
    return allocation_fails() ? NULL : __real_malloc(len);
}

void *__wrap_realloc(void *at, size_t len)
{
    return allocation_fails() ? NULL : __real_realloc(at, len);
}

/* One builder and its memory, for tests that need only one at a time. */
static struct pl_buf out;
static struct pl_arena arena;
static struct pl_builder b;
static struct pl_reason why;

static void start(void)
{
    pl_buf_clear(&out);
    pl_arena_reset(&arena);
    pl_builder_init(&b, &out, &arena);
    why.text[0] = '\0';
}

static void finish_with(int rc, const char *sentence)
{
    struct pl_value value;
    int got = pl_builder_finish_value(&b, &value, &why);

    CHECK_MSG(got == rc, "%d: %s", got, why.text);
    CHECK_MSG(strcmp(why.text, sentence) == 0, "%s", why.text);
}

static void number(const char *text)
{
    struct pl_number n;

    CHECK(pl_number_parse(pl_str(text), &n, NULL) == 0);
    pl_builder_number(&b, &n);
}

static void set_number(const char *text)
{
    struct pl_number n;

    CHECK(pl_number_parse(pl_str(text), &n, NULL) == 0);
    pl_builder_set_number(&b, &n);
}

static void the_bytes_are_the_documented_ones(void)
{
    static const uint8_t expected[] = {
        1,
        'L',
        PL_TYPE_L,
        4,
        0,
        0,
        0,
        PL_TYPE_NULL,
        0,
        PL_TYPE_S,
        0, /* an empty string in a list */
        1,
        'N',
        PL_TYPE_N,
        4,
        0xC0,
        130,
        11,
        0, /* 1 */
        1,
        'b',
        PL_TYPE_BOOL,
        1,
        1, /* true */
        1,
        's',
        PL_TYPE_SS,
        5,
        0,
        0,
        0,
        1,
        'a',
        2,
        'a',
        'b', /* a, ab */
    };
    struct pl_item item;

    start();
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_str("s"));
    pl_builder_begin_set(&b, PL_TYPE_SS);
    pl_builder_set_string(&b, pl_str("ab"));
    pl_builder_set_string(&b, pl_str("a"));
    pl_builder_end(&b);
    pl_builder_name(&b, pl_str("b"));
    pl_builder_bool(&b, true);
    pl_builder_name(&b, pl_str("N"));
    number("1");
    pl_builder_name(&b, pl_str("L"));
    pl_builder_begin_list(&b);
    pl_builder_null(&b);
    pl_builder_string(&b, pl_str(""));
    pl_builder_end(&b);
    pl_builder_end(&b);
    CHECK(pl_builder_finish_item(&b, &item, &why) == 0);
    CHECK(pl_bytes_equal(item.bytes, pl_bytes(expected, sizeof expected)));
    CHECK(item.size_bytes == 1 + 3 + 2 + 1 + 1 + 2 + 1 + 1 + 1 + 3);
}

static void an_empty_item_has_no_bytes(void)
{
    struct pl_buf fresh = { 0 };
    struct pl_builder empty;
    struct pl_item item = { .size_bytes = 9 };

    pl_builder_init(&empty, &fresh, &arena);
    pl_builder_begin_item(&empty);
    pl_builder_end(&empty);
    CHECK(pl_builder_finish_item(&empty, &item, NULL) == 0);
    CHECK(item.bytes.len == 0 && item.size_bytes == 0);
    pl_buf_deinit(&fresh);
}

static void what_was_in_the_buffer_stays(void)
{
    struct pl_value value;

    start();
    pl_buf_append(&out, "before", 6);
    pl_builder_init(&b, &out, &arena);
    pl_builder_string(&b, pl_str("x"));
    CHECK(pl_builder_finish_value(&b, &value, &why) == 0);
    CHECK(memcmp(out.data, "before", 6) == 0);
    CHECK(value.type == PL_TYPE_S && pl_bytes_equal(value.payload, pl_str("x")) && value.whole.len == 3);
}

static void order_of_building_leaves_no_trace(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 3000; i++) {
        struct pl_buf first = { 0 };
        struct pl_item item, again;

        start();
        CHECK(random_item(&seed, &first, &arena, &item) == 0);
        pl_builder_begin_item(&b);
        rebuild_entries(&seed, &b, item.bytes);
        pl_builder_end(&b);
        CHECK_MSG(pl_builder_finish_item(&b, &again, &why) == 0, "%s", why.text);
        CHECK_MSG(pl_bytes_equal(item.bytes, again.bytes), "round %d", i);
        CHECK(item.size_bytes == again.size_bytes);
        pl_buf_deinit(&first);
    }
}

/* Enough parts that sorting them is real work, in three orders that sorts find hard. */
static void a_thousand_names_are_sorted_from_any_order(void)
{
    struct pl_buf first = { 0 };

    for (int order = 0; order < 3; order++) {
        struct pl_item item;

        start();
        pl_builder_begin_item(&b);
        for (int i = 0; i < 1000; i++) {
            char name[16];
            int at = order == 0 ? i : order == 1 ? 999 - i : i * 7 % 1000;

            snprintf(name, sizeof name, "%d", at);
            pl_builder_name(&b, pl_str(name));
            pl_builder_string(&b, pl_str(name));
        }
        pl_builder_end(&b);
        CHECK(pl_builder_finish_item(&b, &item, &why) == 0);
        if (order == 0)
            pl_buf_append_bytes(&first, item.bytes);
        CHECK(pl_bytes_equal(item.bytes, pl_buf_view(&first)));
        CHECK(pl_item_check(item.bytes, &item) == 0);
    }
    pl_buf_deinit(&first);
}

static void an_encoded_value_is_copied_whole(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 500; i++) {
        struct pl_buf first = { 0 };
        struct pl_item item, again;
        struct pl_bytes rest, name;
        struct pl_value value;

        start();
        CHECK(random_item(&seed, &first, &arena, &item) == 0);
        pl_builder_begin_item(&b);
        for (rest = item.bytes; pl_entry_take(&rest, &name, &value);) {
            pl_builder_name(&b, name);
            pl_builder_value(&b, value);
        }
        pl_builder_end(&b);
        CHECK(pl_builder_finish_item(&b, &again, &why) == 0);
        CHECK(pl_bytes_equal(item.bytes, again.bytes) && item.size_bytes == again.size_bytes);
        pl_buf_deinit(&first);
    }
}

static const char nesting[] = "Nesting Levels have exceeded supported limits";

/* `levels` lists (or maps) in each other; the innermost is empty. */
static void nest(int levels, bool maps)
{
    for (int i = 0; i < levels; i++) {
        if (maps)
            pl_builder_begin_map(&b);
        else
            pl_builder_begin_list(&b);
        if (maps && i < levels - 1)
            pl_builder_name(&b, pl_str("m"));
    }
    for (int i = 0; i < levels; i++)
        pl_builder_end(&b);
}

static void nesting_ends_at_level_32(void)
{
    for (int maps = 0; maps < 2; maps++) {
        start();
        nest(32, maps);
        finish_with(0, "");
        start();
        nest(33, maps);
        finish_with(PL_EINVALID, nesting);
        start();
        pl_builder_begin_item(&b);
        pl_builder_name(&b, pl_str("a"));
        nest(33, maps);
        pl_builder_end(&b);
        finish_with(PL_EINVALID, nesting);
    }
}

static void a_copied_value_brings_its_own_depth(void)
{
    struct pl_buf other = { 0 };
    struct pl_value value;

    for (int levels = 1; levels <= 32; levels++) {
        start();
        nest(levels, levels % 2 == 0);
        CHECK(pl_builder_finish_value(&b, &value, NULL) == 0);
        pl_buf_clear(&other);
        pl_buf_append_bytes(&other, value.whole);
        for (int above = 0; above <= 32; above++) {
            struct pl_bytes in = pl_buf_view(&other);

            CHECK(pl_value_take(&in, &value));
            start();
            for (int i = 0; i < above; i++)
                pl_builder_begin_list(&b);
            pl_builder_value(&b, value);
            for (int i = 0; i < above; i++)
                pl_builder_end(&b);
            CHECK_MSG((pl_builder_finish_value(&b, &value, &why) == 0) == (levels + above <= 32), "%d in %d",
                      levels, above);
        }
    }
    pl_buf_deinit(&other);
}

static void names_have_1_to_65535_bytes_of_utf8(void)
{
    static char name[65536];
    struct pl_item item;

    memset(name, 'n', sizeof name);
    start();
    pl_builder_begin_map(&b);
    pl_builder_name(&b, pl_str(""));
    pl_builder_null(&b);
    pl_builder_end(&b);
    finish_with(PL_EINVALID, "One or more parameter values were invalid: Empty attribute name");

    start();
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_bytes(name, 65535));
    pl_builder_null(&b);
    pl_builder_end(&b);
    CHECK(pl_builder_finish_item(&b, &item, &why) == 0 && item.size_bytes == 65536);

    start();
    pl_builder_begin_map(&b);
    pl_builder_name(&b, pl_bytes(name, 65536));
    CHECK(pl_builder_finish_item(&b, &item, &why) == PL_EINVALID);
    CHECK(strstr(why.text, "65535") != NULL);

    start();
    pl_builder_begin_map(&b);
    pl_builder_name(&b, pl_str("\xc0\x80"));
    CHECK(pl_builder_finish_item(&b, &item, &why) == PL_EINVALID);
    CHECK(strstr(why.text, "UTF-8") != NULL);
}

static void a_string_must_be_utf8(void)
{
    struct pl_value value;

    start();
    pl_builder_string(&b, pl_str("\xed\xa0\x80"));
    CHECK(pl_builder_finish_value(&b, &value, &why) == PL_EINVALID && strstr(why.text, "UTF-8") != NULL);
    start();
    pl_builder_begin_set(&b, PL_TYPE_SS);
    pl_builder_set_string(&b, pl_str("\xff"));
    pl_builder_end(&b);
    CHECK(pl_builder_finish_value(&b, &value, &why) == PL_EINVALID && strstr(why.text, "UTF-8") != NULL);
    start();
    pl_builder_binary(&b, pl_str("\xff"));
    finish_with(0, "");
    start();
    pl_builder_string(&b, pl_bytes("a\0b", 3));
    finish_with(0, "");
}

static void a_name_given_twice_is_refused(void)
{
    const char *orders[][3] = { { "a", "a", "b" }, { "a", "b", "a" }, { "b", "a", "a" }, { "b", "a", "b" } };

    for (size_t i = 0; i < 4; i++) {
        char sentence[128];

        start();
        pl_builder_begin_map(&b);
        for (size_t n = 0; n < 3; n++) {
            pl_builder_name(&b, pl_str(orders[i][n]));
            pl_builder_null(&b);
        }
        pl_builder_end(&b);
        snprintf(sentence, sizeof sentence,
                 "One or more parameter values were invalid: An attribute name is given twice: %s",
                 i == 3 ? "b" : "a");
        finish_with(PL_EINVALID, sentence);
    }
}

static void string_set(const char *const *texts)
{
    start();
    pl_builder_begin_set(&b, PL_TYPE_SS);
    for (; *texts != NULL; texts++)
        pl_builder_set_string(&b, pl_str(*texts));
    pl_builder_end(&b);
}

static void a_set_names_its_duplicates_as_they_came(void)
{
    string_set((const char *const[]){ "a", "a", NULL });
    finish_with(PL_EINVALID,
                "One or more parameter values were invalid: Input collection [a, a] contains duplicates.");
    string_set((const char *const[]){ "c", "a", "b", "a", NULL });
    finish_with(
        PL_EINVALID,
        "One or more parameter values were invalid: Input collection [c, a, b, a] contains duplicates.");
    string_set((const char *const[]){ "a", "b", "b", "a", NULL });
    finish_with(
        PL_EINVALID,
        "One or more parameter values were invalid: Input collection [a, b, b, a] contains duplicates.");
    string_set((const char *const[]){ "", "", NULL });
    finish_with(PL_EINVALID,
                "One or more parameter values were invalid: Input collection [, ] contains duplicates.");

    start();
    pl_builder_begin_set(&b, PL_TYPE_NS);
    set_number("1000");
    set_number("5");
    set_number("1e3");
    pl_builder_end(&b);
    finish_with(PL_EINVALID, "Input collection contains duplicates");

    start();
    pl_builder_begin_set(&b, PL_TYPE_BS);
    pl_builder_set_binary(&b, pl_str("b"));
    pl_builder_set_binary(&b, pl_str("b"));
    pl_builder_end(&b);
    finish_with(PL_EINVALID, "One or more parameter values were invalid: "
                             "Input collection [Yg==, Yg==]of type BS contains duplicates.");
}

static void a_long_list_of_duplicates_fits_the_sentence(void)
{
    struct pl_value value;

    start();
    pl_builder_begin_set(&b, PL_TYPE_SS);
    for (int i = 0; i < 5000; i++)
        pl_builder_set_string(&b, pl_str("\xe2\x82\xac"));
    pl_builder_end(&b);
    CHECK(pl_builder_finish_value(&b, &value, &why) == PL_EINVALID);
    CHECK(pl_bytes_is_utf8(pl_str(why.text)) && strlen(why.text) > 900);
}

static void an_empty_set_is_refused(void)
{
    string_set((const char *const[]){ NULL });
    finish_with(PL_EINVALID, "One or more parameter values were invalid: An string set  may not be empty");
    start();
    pl_builder_begin_set(&b, PL_TYPE_NS);
    pl_builder_end(&b);
    finish_with(PL_EINVALID, "One or more parameter values were invalid: An number set  may not be empty");
    start();
    pl_builder_begin_set(&b, PL_TYPE_BS);
    pl_builder_end(&b);
    finish_with(PL_EINVALID, "One or more parameter values were invalid: Binary sets should not be empty");
    string_set((const char *const[]){ "", NULL });
    finish_with(0, "");
}

static void the_first_failure_stays(void)
{
    struct pl_item item;

    start();
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_str("a"));
    pl_builder_fail(&b, PL_ESYNTAX, "no %s here", "moon");
    pl_builder_fail(&b, PL_EINVALID, "later");
    pl_builder_name(&b, pl_str(""));
    pl_builder_end(&b);
    pl_builder_end(&b); /* once too often, and harmless */
    CHECK(pl_builder_finish_item(&b, &item, &why) == PL_ESYNTAX);
    CHECK(strcmp(why.text, "no moon here") == 0);
    CHECK(pl_builder_finish_item(&b, &item, NULL) == PL_ESYNTAX);
}

/* Containers and nothing in them: the buffer grows where one begins. */
static int build_hollow(struct pl_buf *to, struct pl_arena *memory, struct pl_item *item)
{
    struct pl_builder builder;

    pl_builder_init(&builder, to, memory);
    pl_builder_begin_item(&builder);
    pl_builder_name(&builder, pl_str("hollow"));
    pl_builder_begin_list(&builder);
    for (int i = 0; i < 500; i++) {
        pl_builder_begin_map(&builder);
        pl_builder_end(&builder);
    }
    pl_builder_end(&builder);
    pl_builder_end(&builder);
    return pl_builder_finish_item(&builder, item, NULL);
}

/* Everything at once, out of order and large enough to need memory many times. */
static int build_much(struct pl_buf *to, struct pl_arena *memory, struct pl_item *item)
{
    struct pl_builder builder;
    char name[16];

    pl_builder_init(&builder, to, memory);
    pl_builder_begin_item(&builder);
    for (int i = 300; i > 0; i--) {
        snprintf(name, sizeof name, "%d", i);
        pl_builder_name(&builder, pl_str(name));
        pl_builder_begin_list(&builder);
        pl_builder_string(&builder, pl_str("some text that takes room in the buffer"));
        pl_builder_begin_set(&builder, PL_TYPE_SS);
        pl_builder_set_string(&builder, pl_str("b"));
        pl_builder_set_string(&builder, pl_str("a"));
        pl_builder_end(&builder);
        pl_builder_end(&builder);
    }
    pl_builder_end(&builder);
    return pl_builder_finish_item(&builder, item, NULL);
}

static void every_allocation_may_fail(void)
{
    for (int mode = 0; mode < 4; mode++) {
        bool done = false;
        int failures = 0;

        for (long n = 0; !done; n++) {
            struct pl_buf to = { 0 };
            struct pl_arena memory = { 0 };
            struct pl_item item = { .size_bytes = 77 };
            int rc;

            allocations_left = n;
            for_good = mode % 2 == 1;
            rc = mode < 2 ? build_much(&to, &memory, &item) : build_hollow(&to, &memory, &item);
            done = allocations_left > 0;
            allocations_left = -1;
            if (rc == PL_ENOMEM) {
                CHECK(item.size_bytes == 77);
                failures++;
            } else {
                /* qsort() does without the memory it asked for. */
                CHECK(rc == 0 && pl_item_check(item.bytes, &item) == 0);
            }
            pl_buf_deinit(&to);
            pl_arena_deinit(&memory);
        }
        CHECK(failures >= 6);
    }
}

static void duplicates_without_memory_for_the_sentence_are_out_of_memory(void)
{
    struct pl_value value;

    start();
    pl_builder_begin_set(&b, PL_TYPE_SS);
    pl_builder_set_string(&b, pl_str("a"));
    pl_builder_set_string(&b, pl_str("a"));
    allocations_left = 0;
    for_good = true;
    pl_builder_end(&b);
    allocations_left = -1;
    CHECK(pl_builder_finish_value(&b, &value, &why) == PL_ENOMEM);
}

int main(void)
{
    RUN(the_bytes_are_the_documented_ones);
    RUN(an_empty_item_has_no_bytes);
    RUN(what_was_in_the_buffer_stays);
    RUN(order_of_building_leaves_no_trace);
    RUN(a_thousand_names_are_sorted_from_any_order);
    RUN(an_encoded_value_is_copied_whole);
    RUN(nesting_ends_at_level_32);
    RUN(a_copied_value_brings_its_own_depth);
    RUN(names_have_1_to_65535_bytes_of_utf8);
    RUN(a_string_must_be_utf8);
    RUN(a_name_given_twice_is_refused);
    RUN(a_set_names_its_duplicates_as_they_came);
    RUN(a_long_list_of_duplicates_fits_the_sentence);
    RUN(an_empty_set_is_refused);
    RUN(the_first_failure_stays);
    RUN(every_allocation_may_fail);
    RUN(duplicates_without_memory_for_the_sentence_are_out_of_memory);
    pl_buf_deinit(&out);
    pl_arena_deinit(&arena);
    return test_summary();
}
