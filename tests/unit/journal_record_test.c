/* SPDX-License-Identifier: MIT */
#include "store/journal_record.h"

#include "test.h"

enum { IDENTITY = 0x5eed };

static const struct pl_journal_record sample = {
    .kind = PL_JOURNAL_CHANGE,
    .partition = 513,
    .index = UINT64_C(0x1122334455667788),
    .term = 9,
    .position = 4096,
    .generation = 3,
    .payload = { "hello, moon", 11 },
};

static uint64_t encode(char *to, const struct pl_journal_record *record, uint64_t durable)
{
    pl_journal_record_encode(to, record);
    return pl_journal_record_stamp(to, IDENTITY, durable);
}

static void a_record_comes_back_as_it_was(void)
{
    struct pl_journal_record back;
    char bytes[128];
    uint64_t len = encode(bytes, &sample, 4000);

    CHECK(len == 72 && len == pl_journal_record_bytes(11));
    CHECK(pl_journal_record_peek(pl_bytes(bytes, 56), IDENTITY, 4096) == len);
    CHECK(pl_journal_record_decode(pl_bytes(bytes, len), IDENTITY, 4096, &back));
    CHECK(back.kind == sample.kind && back.partition == 513 && back.index == sample.index && back.term == 9);
    CHECK(back.position == 4096 && back.durable == 4000 && back.generation == 3);
    CHECK(pl_bytes_equal(back.payload, sample.payload));
}

static void the_bytes_are_those_that_the_format_names(void)
{
    char bytes[128];

    encode(bytes, &sample, 0x0102030405060708);
    CHECK(pl_get_le32(bytes + 8) == 11 && bytes[12] == 1 && bytes[13] == 0 && pl_get_le16(bytes + 14) == 513);
    CHECK(pl_get_le64(bytes + 16) == sample.index && pl_get_le64(bytes + 24) == 9);
    CHECK(pl_get_le64(bytes + 32) == 4096 && pl_get_le64(bytes + 40) == 0x0102030405060708);
    CHECK(pl_get_le32(bytes + 48) == 3 && memcmp(bytes + 56, "hello, moon\0\0\0\0\0", 16) == 0);
}

static void no_flipped_bit_goes_unseen(void)
{
    struct pl_journal_record back;
    char bytes[128];
    uint64_t len = encode(bytes, &sample, 0);

    for (uint64_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        CHECK_MSG(!pl_journal_record_decode(pl_bytes(bytes, len), IDENTITY, 4096, &back), "bit %d", (int)bit);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    CHECK(pl_journal_record_decode(pl_bytes(bytes, len), IDENTITY, 4096, &back));
}

static void a_record_cut_short_is_none(void)
{
    struct pl_journal_record back;
    char bytes[128];
    uint64_t len = encode(bytes, &sample, 0);

    for (uint64_t cut = 0; cut < len; cut++)
        CHECK(!pl_journal_record_decode(pl_bytes(bytes, cut), IDENTITY, 4096, &back));
}

static void a_record_is_none_elsewhere_or_in_another_journal(void)
{
    struct pl_journal_record back;
    char bytes[128];
    uint64_t len = encode(bytes, &sample, 0);

    CHECK(!pl_journal_record_decode(pl_bytes(bytes, len), IDENTITY, 4104, &back));
    CHECK(!pl_journal_record_decode(pl_bytes(bytes, len), IDENTITY + 1, 4096, &back));
}

static void a_length_beyond_the_largest_is_none(void)
{
    struct pl_journal_record huge = sample;
    char bytes[128];

    pl_journal_record_encode(bytes, &huge);
    pl_put_le32(bytes + 8, PL_JOURNAL_PAYLOAD_MAX + 1);
    CHECK(pl_journal_record_peek(pl_bytes(bytes, 128), IDENTITY, 4096) == 0);
}

static void zeros_are_no_record(void)
{
    struct pl_journal_record back;
    char bytes[128] = { 0 };

    CHECK(!pl_journal_record_decode(pl_bytes(bytes, 128), IDENTITY, 0, &back));
    CHECK(pl_journal_record_peek(pl_bytes(bytes, 128), IDENTITY, 0) == 0);
}

static void a_header_comes_back_and_no_flipped_bit_goes_unseen(void)
{
    struct pl_journal_header header = {
        .identity = 7, .sequence = 8, .start = 9, .bytes = 10, .generation = 11
    };
    struct pl_journal_header back = { 0 };
    char bytes[PL_JOURNAL_SEGMENT_HEADER_BYTES];

    pl_journal_header_encode(bytes, &header);
    CHECK(pl_journal_header_decode(bytes, &back, NULL) == 0);
    CHECK(back.identity == 7 && back.sequence == 8 && back.start == 9 && back.bytes == 10 &&
          back.generation == 11);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        CHECK(pl_journal_header_decode(bytes, &back, NULL) == PL_ECORRUPT);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

int main(void)
{
    RUN(a_record_comes_back_as_it_was);
    RUN(the_bytes_are_those_that_the_format_names);
    RUN(no_flipped_bit_goes_unseen);
    RUN(a_record_cut_short_is_none);
    RUN(a_record_is_none_elsewhere_or_in_another_journal);
    RUN(a_length_beyond_the_largest_is_none);
    RUN(zeros_are_no_record);
    RUN(a_header_comes_back_and_no_flipped_bit_goes_unseen);
    return test_summary();
}
