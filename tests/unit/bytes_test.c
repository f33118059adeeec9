/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

#include "test.h"

static void a_prefix_sorts_first(void)
{
    CHECK(pl_bytes_compare(pl_str("ab"), pl_str("abc")) < 0);
    CHECK(pl_bytes_compare(pl_str("abc"), pl_str("ab")) > 0);
    CHECK(pl_bytes_compare(pl_str(""), pl_str("")) == 0);
    CHECK(pl_bytes_compare(pl_bytes("\xff", 1), pl_bytes("\x01", 1)) > 0);
}

static void utf8_refuses_overlong_surrogate_and_too_large(void)
{
    CHECK(pl_bytes_is_utf8(pl_str("plain, gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x8c\x99")));
    CHECK(!pl_bytes_is_utf8(pl_str("\xc0\x80")));
    CHECK(!pl_bytes_is_utf8(pl_str("\xe0\x80\x80")));
    CHECK(!pl_bytes_is_utf8(pl_str("\xed\xa0\x80")));
    CHECK(!pl_bytes_is_utf8(pl_str("\xf4\x90\x80\x80")));
    CHECK(!pl_bytes_is_utf8(pl_str("\xf8\x88\x80\x80\x80")));
    CHECK(!pl_bytes_is_utf8(pl_str("cut \xe2\x82")));
    CHECK(!pl_bytes_is_utf8(pl_str("\x80")));
}

static void varints_come_back_and_have_one_spelling(void)
{
    uint32_t values[] = { 0, 1, 127, 128, 300, 16383, 16384, 409600, UINT32_MAX };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct pl_buf buf = { 0 };
        struct pl_bytes in;
        uint32_t v = 7;

        pl_buf_append_varint(&buf, values[i]);
        in = pl_buf_view(&buf);
        CHECK(pl_bytes_take_varint(&in, &v) && v == values[i] && in.len == 0);
        in = pl_bytes(buf.data, buf.len - 1);
        CHECK(!pl_bytes_take_varint(&in, &v));
        pl_buf_deinit(&buf);
    }
    {
        struct pl_bytes longer = pl_bytes("\x80\x00", 2), larger = pl_bytes("\xff\xff\xff\xff\x7f", 5);
        uint32_t v;

        CHECK(!pl_bytes_take_varint(&longer, &v));
        CHECK(!pl_bytes_take_varint(&larger, &v));
    }
}

static void a_buffer_remembers_that_memory_ran_out(void)
{
    struct pl_buf buf = { 0 };

    pl_buf_append(&buf, "abc", 3);
    CHECK(pl_buf_reserve(&buf, SIZE_MAX / 2) == NULL);
    pl_buf_append(&buf, "d", 1);
    CHECK(buf.len == 3);
    CHECK(pl_buf_status(&buf) == PL_ENOMEM);
    pl_buf_clear(&buf);
    CHECK(pl_buf_status(&buf) == 0);
    pl_buf_deinit(&buf);
}

static void no_room_in_an_empty_buffer_is_no_failure(void)
{
    struct pl_buf buf = { 0 };

    CHECK(pl_buf_reserve(&buf, 0) != NULL);
    CHECK(pl_buf_status(&buf) == 0 && buf.len == 0);
    pl_buf_deinit(&buf);
}

static void an_arena_hands_out_memory_that_does_not_overlap(void)
{
    struct pl_arena arena = { 0 };
    char *blocks[200];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            blocks[i] = pl_arena_alloc(&arena, (size_t)i * 37 + 1);
            CHECK(blocks[i] != NULL);
            memset(blocks[i], i, (size_t)i * 37 + 1);
        }
        for (int i = 0; i < 200; i++)
            CHECK((unsigned char)blocks[i][0] == i && (unsigned char)blocks[i][i * 37] == i);
        pl_arena_reset(&arena);
    }
    CHECK(pl_arena_alloc(&arena, SIZE_MAX) == NULL);
    CHECK(pl_arena_zalloc(&arena, SIZE_MAX / 2, 3) == NULL);
    pl_arena_deinit(&arena);
}

static void a_reason_is_cut_between_characters(void)
{
    struct pl_reason why = { 0 };
    char text[2 * PL_REASON_MAX];

    for (size_t i = 0; i + 2 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[sizeof text - sizeof text % 3 - 3] = '\0';
    CHECK(pl_reason_set(&why, PL_EINVALID, "x%s", text) == PL_EINVALID);
    CHECK(pl_bytes_is_utf8(pl_str(why.text)));
    CHECK(strlen(why.text) > PL_REASON_MAX - 8);
}

static void texts_are_shortened_between_characters(void)
{
    struct pl_bytes text = pl_str("a\xF0\x9D\x84\x9E\xC3\xA9"); /* of 1, 4 and 2 bytes */
    static const size_t kept[] = { 0, 1, 1, 1, 1, 5, 5, 7, 7 };

    for (size_t max = 0; max < sizeof kept / sizeof kept[0]; max++)
        CHECK_MSG(pl_bytes_shortened(text, max).len == kept[max], "%zu", max);
}

static void blanks_at_the_ends_are_trimmed(void)
{
    CHECK(pl_bytes_equal(pl_bytes_trim(pl_str(" \t a b\t ")), pl_str("a b")));
    CHECK(pl_bytes_equal(pl_bytes_trim(pl_str("a\n")), pl_str("a\n")));
    CHECK(pl_bytes_trim(pl_str(" \t ")).len == 0);
    CHECK(pl_bytes_trim(pl_bytes(NULL, 0)).len == 0);
}

static void every_error_has_a_name_and_a_code(void)
{
    CHECK(strcmp(pl_error_name(PL_EIO), "EIO") == 0);
    CHECK(strcmp(pl_error_code(PL_ECONDITION), "ConditionalCheckFailedException") == 0);
    CHECK(strcmp(pl_error_sentence(PL_ECONDITION), "The conditional request failed") == 0);
    CHECK(pl_error_name(-9999) != NULL);
}

int main(void)
{
    RUN(a_prefix_sorts_first);
    RUN(utf8_refuses_overlong_surrogate_and_too_large);
    RUN(varints_come_back_and_have_one_spelling);
    RUN(a_buffer_remembers_that_memory_ran_out);
    RUN(no_room_in_an_empty_buffer_is_no_failure);
    RUN(an_arena_hands_out_memory_that_does_not_overlap);
    RUN(a_reason_is_cut_between_characters);
    RUN(texts_are_shortened_between_characters);
    RUN(blanks_at_the_ends_are_trimmed);
    RUN(every_error_has_a_name_and_a_code);
    return test_summary();
}
