/* SPDX-License-Identifier: MIT */
#include "partition/sequence.h"

#include "partition/stream.h"

#include "test.h"

static struct pl_bytes key_of(uint8_t key[PL_STREAM_KEY_BYTES], uint16_t partition, uint64_t sequence)
{
    return pl_stream_key(key, partition, 9, sequence);
}

static void each_partition_has_its_own_numbers(void)
{
    struct pl_sequences sequences;

    CHECK(pl_sequences_init(&sequences, 4) == 0);
    for (uint64_t i = 1; i <= 100; i++)
        CHECK(pl_sequences_draw(&sequences, 1) == i);
    CHECK(pl_sequences_draw(&sequences, 3) == 1 && pl_sequences_draw(&sequences, 0) == 1);
    CHECK(pl_sequences_draw(&sequences, 1) == 101);
    pl_sequences_deinit(&sequences);
}

static void what_is_drawn_is_not_applied_until_it_is_noted(void)
{
    struct pl_sequences sequences;
    uint8_t key[PL_STREAM_KEY_BYTES];

    CHECK(pl_sequences_init(&sequences, 4) == 0);
    for (int i = 0; i < 5; i++)
        pl_sequences_draw(&sequences, 2);
    CHECK(pl_sequences_applied(&sequences, 2) == 0);
    CHECK(pl_sequences_note(&sequences, key_of(key, 2, 3)));
    CHECK(pl_sequences_applied(&sequences, 2) == 3);
    CHECK(pl_sequences_note(&sequences, key_of(key, 2, 2))); /* never backwards */
    CHECK(pl_sequences_note(&sequences, key_of(key, 2, 0))); /* how far it was trimmed: no number */
    CHECK(pl_sequences_applied(&sequences, 2) == 3 && pl_sequences_applied(&sequences, 1) == 0);
    CHECK(pl_sequences_draw(&sequences, 2) == 6);
    pl_sequences_deinit(&sequences);
}

static void what_was_drawn_before_is_never_drawn_again(void)
{
    struct pl_sequences sequences;
    uint8_t key[PL_STREAM_KEY_BYTES];

    CHECK(pl_sequences_init(&sequences, 4) == 0);
    pl_sequences_restore(&sequences, 1, 1000);          /* from the head */
    pl_sequences_note(&sequences, key_of(key, 1, 990)); /* replayed */
    CHECK(pl_sequences_applied(&sequences, 1) == 1000);
    CHECK(pl_sequences_draw(&sequences, 1) == 1001);
    pl_sequences_note(&sequences, key_of(key, 1, 2000));
    pl_sequences_restore(&sequences, 1, 5);
    CHECK(pl_sequences_draw(&sequences, 1) == 2001);
    pl_sequences_deinit(&sequences);
}

static void other_keys_are_not_taken_for_records(void)
{
    struct pl_sequences sequences;
    uint8_t key[PL_STREAM_KEY_BYTES + 1];

    CHECK(pl_sequences_init(&sequences, 4) == 0);
    key_of(key, 1, 7);
    CHECK(pl_sequence_is_in(pl_bytes(key, PL_STREAM_KEY_BYTES)));
    CHECK(!pl_sequences_note(&sequences, pl_bytes(key, PL_STREAM_KEY_BYTES - 1)));
    CHECK(!pl_sequences_note(&sequences, pl_bytes(key, PL_STREAM_KEY_BYTES + 1)));
    key[2] = PL_KIND_ITEM;
    CHECK(!pl_sequences_note(&sequences, pl_bytes(key, PL_STREAM_KEY_BYTES)));
    CHECK(pl_sequences_note(&sequences, key_of(key, 4, 7))); /* of a partition that is not there: nobody's */
    for (uint16_t p = 0; p < 4; p++)
        CHECK(pl_sequences_applied(&sequences, p) == 0);
    pl_sequences_deinit(&sequences);
}

int main(void)
{
    RUN(each_partition_has_its_own_numbers);
    RUN(what_is_drawn_is_not_applied_until_it_is_noted);
    RUN(what_was_drawn_before_is_never_drawn_again);
    RUN(other_keys_are_not_taken_for_records);
    return test_summary();
}
