/* SPDX-License-Identifier: MIT */
#include "model/key.h"

#include "random_item.h"

/* Linked with --wrap, so that a test can have no memory. */
static bool no_memory;

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);

void *__wrap_malloc(size_t len)
{
    return no_memory ? NULL : __real_malloc(len);
}

static struct pl_arena arena;

static const struct pl_keyspace space = { .kind = PL_KIND_ITEM, .id = 7, .partition_count = 64 };

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

/* A view of S, N or B that points at `payload`: all that components look at. */
static struct pl_value value_of(enum pl_type type, struct pl_bytes payload)
{
    return (struct pl_value){ .type = type, .payload = payload };
}

static void component(struct pl_buf *out, enum pl_type type, struct pl_bytes payload)
{
    pl_buf_clear(out);
    pl_key_append_component(out, value_of(type, payload));
    CHECK(pl_buf_status(out) == 0);
}

/* Bytes that make escaping work: many 00, 01, FE and FF. */
static struct pl_bytes random_binary(uint64_t *seed, char *room, size_t most)
{
    static const char hard[] = { 0, 0, 0, 1, 1, 2, (char)0xFE, (char)0xFF, (char)0xFF, 'a' };
    size_t len = test_random(seed) % (most + 1);

    for (size_t i = 0; i < len; i++)
        room[i] = hard[test_random(seed) % sizeof hard];
    return pl_bytes(room, len);
}

/* Read `in` as one component and compare with what went in. */
static void must_come_back(struct pl_bytes in, enum pl_type type, struct pl_bytes payload)
{
    struct pl_buf out = { 0 };
    struct pl_builder b;
    struct pl_value value;

    CHECK(pl_key_component_length(in, type) > 0);
    pl_arena_reset(&arena);
    pl_builder_init(&b, &out, &arena);
    CHECK(pl_key_decode_component(&in, type, &b, &arena) == 0);
    CHECK(pl_builder_finish_value(&b, &value, NULL) == 0);
    CHECK(value.type == type && pl_bytes_equal(value.payload, payload));
    pl_buf_deinit(&out);
}

static void strings_and_binary_sort_as_their_bytes(void)
{
    uint64_t seed = test_seed();
    struct pl_buf a_key = { 0 }, b_key = { 0 };

    for (int i = 0; i < 30000; i++) {
        char a_room[40], b_room[40];
        struct pl_bytes a = random_binary(&seed, a_room, 12), b = random_binary(&seed, b_room, 12);
        enum pl_type type = i % 2 == 0 ? PL_TYPE_B : PL_TYPE_S;

        if (type == PL_TYPE_S)
            a = random_string(&seed, a_room, 12), b = random_string(&seed, b_room, 12);
        if (i % 3 == 0) {
            /* One the beginning of the other, and then some. */
            size_t shared = a.len == 0 ? 0 : test_random(&seed) % (a.len + 1);

            memcpy(b_room, a.data, shared);
            b = pl_bytes(b_room, shared + (b.len > shared ? b.len - shared : 0));
        }
        component(&a_key, type, a);
        component(&b_key, type, b);
        CHECK_MSG(sign_of(pl_bytes_compare(pl_buf_view(&a_key), pl_buf_view(&b_key))) ==
                      sign_of(pl_bytes_compare(a, b)),
                  "round %d", i);
        /* And with something behind them, as in a key of several components. */
        pl_buf_append_byte(&a_key, (uint8_t)test_random(&seed));
        pl_buf_append_byte(&b_key, (uint8_t)test_random(&seed));
        if (!pl_bytes_equal(a, b))
            CHECK_MSG(sign_of(pl_bytes_compare(pl_buf_view(&a_key), pl_buf_view(&b_key))) ==
                          sign_of(pl_bytes_compare(a, b)),
                      "round %d", i);
    }
    pl_buf_deinit(&a_key);
    pl_buf_deinit(&b_key);
}

static void the_bytes_are_the_documented_ones(void)
{
    static const uint8_t expected[] = { 'a', 0x00, 0xFF, 'b', 0x00, 0x01 };
    struct pl_buf key = { 0 };

    component(&key, PL_TYPE_B, pl_bytes("a\0b", 3));
    CHECK(pl_bytes_equal(pl_buf_view(&key), pl_bytes(expected, sizeof expected)));
    pl_buf_deinit(&key);
}

static void numbers_sort_by_value(void)
{
    static const char *const ascending[] = {
        "-9.9999999999999999999999999999999999999e125",
        "-1e125",
        "-100.5",
        "-100",
        "-99.99",
        "-10",
        "-9",
        "-1.5",
        "-1",
        "-0.5",
        "-0.05",
        "-1e-130",
        "0",
        "1e-130",
        "1.1e-130",
        "0.05",
        "0.5",
        "0.51",
        "1",
        "1.5",
        "9",
        "10",
        "99.99",
        "100",
        "100.5",
        "1e38",
        "1e125",
        "9.9999999999999999999999999999999999999e125",
    };
    struct pl_buf last = { 0 }, next = { 0 };

    for (size_t i = 0; i < sizeof ascending / sizeof ascending[0]; i++) {
        uint8_t encoded[PL_NUMBER_ENCODED_MAX];
        struct pl_number number;
        struct pl_bytes payload;

        CHECK(pl_number_parse(pl_str(ascending[i]), &number, NULL) == 0);
        payload = pl_bytes(encoded, pl_number_encode(&number, encoded));
        component(&next, PL_TYPE_N, payload);
        CHECK_MSG(pl_bytes_compare(pl_buf_view(&last), pl_buf_view(&next)) < 0, "%s", ascending[i]);
        must_come_back(pl_buf_view(&next), PL_TYPE_N, payload);
        component(&last, PL_TYPE_N, payload);
    }
    pl_buf_deinit(&last);
    pl_buf_deinit(&next);
}

static void random_component(uint64_t *seed, enum pl_type type, char *room, size_t most, struct pl_bytes *out)
{
    struct pl_number number;

    if (type == PL_TYPE_B) {
        *out = random_binary(seed, room, most);
    } else if (type == PL_TYPE_S) {
        *out = random_string(seed, room, most);
    } else {
        random_number(seed, &number);
        *out = pl_bytes(room, pl_number_encode(&number, (uint8_t *)room));
    }
}

static void components_follow_each_other_and_come_back(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 10000; i++) {
        char rooms[4][64];
        struct pl_bytes values[4], in;
        enum pl_type kinds[4];
        struct pl_buf key = { 0 };

        for (int n = 0; n < 4; n++) {
            kinds[n] = PL_TYPE_S + (enum pl_type)(test_random(&seed) % 3);
            random_component(&seed, kinds[n], rooms[n], 30, &values[n]);
            pl_key_append_component(&key, value_of(kinds[n], values[n]));
        }
        in = pl_buf_view(&key);
        for (int n = 0; n < 4; n++) {
            size_t len = pl_key_component_length(in, kinds[n]);

            CHECK_MSG(len > 0 && len <= in.len, "round %d, component %d", i, n);
            must_come_back(in, kinds[n], values[n]);
            for (size_t cut = 0; cut < len; cut++)
                CHECK(pl_key_component_length(pl_bytes(in.data, cut), kinds[n]) == 0);
            in = pl_bytes(in.data + len, in.len - len);
        }
        CHECK(in.len == 0);
        pl_buf_deinit(&key);
    }
}

static void must_be_corrupt(enum pl_type type, struct pl_bytes in)
{
    struct pl_bytes before = in;
    struct pl_buf out = { 0 };
    struct pl_builder b;

    pl_builder_init(&b, &out, &arena);
    CHECK(pl_key_decode_component(&in, type, &b, &arena) == PL_ECORRUPT);
    CHECK(in.data == before.data && in.len == before.len);
    pl_buf_deinit(&out);
}

static void what_is_no_component_is_corrupt(void)
{
    must_be_corrupt(PL_TYPE_S, pl_str("abc"));
    must_be_corrupt(PL_TYPE_S, pl_bytes("abc\0", 4));
    must_be_corrupt(PL_TYPE_S, pl_bytes("abc\0\x02", 5));
    must_be_corrupt(PL_TYPE_S, pl_bytes("\xff\0\x01", 3)); /* not UTF-8 */
    must_be_corrupt(PL_TYPE_B, pl_bytes("", 0));
    must_be_corrupt(PL_TYPE_N, pl_bytes("", 0));
    must_be_corrupt(PL_TYPE_N, pl_bytes("\xC0\x82\x01\x00", 4));
    must_be_corrupt(PL_TYPE_N, pl_bytes("\xC0\x82\x0B", 3));
}

static void a_component_that_cannot_be_copied_is_out_of_memory(void)
{
    struct pl_bytes in = pl_bytes("a\0\xff\0\x01", 5);
    struct pl_arena empty = { 0 };
    struct pl_buf out = { 0 };
    struct pl_builder b;

    pl_builder_init(&b, &out, &arena);
    no_memory = true;
    CHECK(pl_key_decode_component(&in, PL_TYPE_S, &b, &empty) == PL_ENOMEM);
    no_memory = false;
    CHECK(in.len == 5 && out.len == 0);
}

/* ---- store keys ---- */

static void a_short_key_is_whole_and_readable(void)
{
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_key key;
    uint64_t hash;

    component(&pk, PL_TYPE_S, pl_str("chat#123"));
    component(&tail, PL_TYPE_S, pl_str("001"));
    pl_key_build(&key, &space, pl_buf_view(&pk), pl_buf_view(&tail));
    CHECK(!key.shortened && key.len == PL_KEY_PREFIX_BYTES + 1 + pk.len + tail.len);
    CHECK(key.bytes[2] == PL_KIND_ITEM && pl_get_be32(key.bytes + 3) == 7);
    CHECK(pl_get_be64(key.bytes + 7) == pl_key_hash(pl_buf_view(&pk)));
    CHECK(key.bytes[15] == 0 && memcmp(key.bytes + 16, pk.data, pk.len) == 0);
    CHECK(memcmp(key.bytes + 16 + pk.len, tail.data, tail.len) == 0);
    CHECK(pl_key_in_space(pl_key_view(&key), &space, &hash) && hash == pl_key_hash(pl_buf_view(&pk)));
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
}

static void every_legal_length_gives_a_legal_key(void)
{
    static char text[PL_PARTITION_KEY_MAX];
    struct pl_buf pk = { 0 }, tail = { 0 };

    memset(text, 'k', sizeof text);
    for (size_t pk_len = 1; pk_len <= PL_PARTITION_KEY_MAX; pk_len++) {
        size_t sk_len = (pk_len - 1) % PL_SORT_KEY_MAX + 1;
        struct pl_key key, bare;
        size_t whole;
        bool digest;

        component(&pk, PL_TYPE_S, pl_bytes(text, pk_len));
        component(&tail, PL_TYPE_S, pl_bytes(text, sk_len));
        pl_key_build(&bare, &space, pl_buf_view(&pk), (struct pl_bytes){ 0 });
        pl_key_build(&key, &space, pl_buf_view(&pk), pl_buf_view(&tail));
        digest = pk.len > PL_KEY_PLAIN_PK_MAX;
        whole = PL_KEY_PREFIX_BYTES + 1 + (digest ? 16 : pk.len) + tail.len;
        CHECK(bare.shortened == digest && bare.bytes[15] == digest);
        CHECK_MSG(key.shortened == (digest || whole >= PL_KEY_BYTES_MAX), "%zu %zu", pk_len, sk_len);
        CHECK_MSG(key.len == (whole < PL_KEY_BYTES_MAX ? whole : PL_KEY_BYTES_MAX), "%zu %zu", pk_len,
                  sk_len);
        CHECK(memcmp(key.bytes, bare.bytes, bare.len) == 0);
    }
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
}

/* Under one partition key, store keys stand in the order of their tails; equal ones are both shortened. */
static void keys_of_one_partition_key_sort_by_their_tails(void)
{
    uint64_t seed = test_seed();
    struct pl_buf pk = { 0 }, tails[2] = { { 0 } };
    int shared = 0;

    for (int i = 0; i < 20000; i++) {
        static char room[1024], pk_room[400];
        struct pl_key keys[2];
        int order, tail_order;

        memset(pk_room, 'p', sizeof pk_room);
        component(&pk, PL_TYPE_S, pl_bytes(pk_room, 1 + test_random(&seed) % (i % 2 == 0 ? 20 : 300)));
        for (int n = 0; n < 2; n++) {
            /* Lengths around where the key is cut, equal but for a few bytes. */
            size_t len = 300 + test_random(&seed) % 250;

            memset(room, 's', sizeof room);
            for (int flips = (int)(test_random(&seed) % 3); flips > 0; flips--)
                room[len - 1 - test_random(&seed) % 100] = (char)(test_random(&seed) % 4);
            component(&tails[n], PL_TYPE_B, pl_bytes(room, len));
            pl_key_build(&keys[n], &space, pl_buf_view(&pk), pl_buf_view(&tails[n]));
        }
        order = sign_of(pl_bytes_compare(pl_key_view(&keys[0]), pl_key_view(&keys[1])));
        tail_order = sign_of(pl_bytes_compare(pl_buf_view(&tails[0]), pl_buf_view(&tails[1])));
        if (order == 0 && tail_order != 0) {
            CHECK(keys[0].shortened && keys[1].shortened);
            shared++;
        } else {
            CHECK_MSG(order == tail_order, "round %d", i);
        }
    }
    CHECK(shared > 100);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tails[0]);
    pl_buf_deinit(&tails[1]);
}

static void a_key_of_exactly_511_bytes_counts_as_shortened(void)
{
    static char room[600];
    struct pl_bytes pk = pl_str("pk");
    size_t fits = PL_KEY_BYTES_MAX - PL_KEY_PREFIX_BYTES - 1 - pk.len;
    struct pl_key whole, full, cut;

    memset(room, 's', sizeof room);
    pl_key_build(&whole, &space, pk, pl_bytes(room, fits - 1));
    pl_key_build(&full, &space, pk, pl_bytes(room, fits));
    pl_key_build(&cut, &space, pk, pl_bytes(room, fits + 1));
    CHECK(whole.len == PL_KEY_BYTES_MAX - 1 && !whole.shortened);
    CHECK(full.len == PL_KEY_BYTES_MAX && full.shortened);
    CHECK(cut.len == PL_KEY_BYTES_MAX && cut.shortened);
    CHECK(pl_bytes_equal(pl_key_view(&full), pl_key_view(&cut)));
    CHECK(pl_bytes_compare(pl_key_view(&whole), pl_key_view(&full)) < 0);
}

static void sort_keys_that_differ_in_byte_1000_share_one_key(void)
{
    static char room[PL_SORT_KEY_MAX];
    struct pl_buf pk = { 0 }, a_tail = { 0 }, b_tail = { 0 };
    struct pl_key a, b;

    memset(room, 's', sizeof room);
    component(&pk, PL_TYPE_S, pl_str("one"));
    component(&a_tail, PL_TYPE_S, pl_bytes(room, sizeof room));
    room[1000] = 't';
    component(&b_tail, PL_TYPE_S, pl_bytes(room, sizeof room));
    pl_key_build(&a, &space, pl_buf_view(&pk), pl_buf_view(&a_tail));
    pl_key_build(&b, &space, pl_buf_view(&pk), pl_buf_view(&b_tail));
    CHECK(a.shortened && b.shortened && pl_bytes_equal(pl_key_view(&a), pl_key_view(&b)));
    CHECK(pl_bytes_compare(pl_buf_view(&a_tail), pl_buf_view(&b_tail)) < 0);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&a_tail);
    pl_buf_deinit(&b_tail);
}

static void long_partition_keys_keep_apart_by_their_digest(void)
{
    static char room[PL_PARTITION_KEY_MAX];
    struct pl_buf pk = { 0 };
    struct pl_key a, b;
    uint16_t a_prefix, b_prefix;

    memset(room, 'p', sizeof room);
    component(&pk, PL_TYPE_S, pl_bytes(room, sizeof room));
    pl_key_seek(&a, &space, pl_buf_view(&pk), pl_str("x"), &a_prefix);
    room[2047] = 'q';
    component(&pk, PL_TYPE_S, pl_bytes(room, sizeof room));
    pl_key_seek(&b, &space, pl_buf_view(&pk), pl_str("x"), &b_prefix);
    CHECK(a_prefix == PL_KEY_PREFIX_BYTES + 1 + 16 && b_prefix == a_prefix && a.len == a_prefix + 1);
    CHECK(memcmp(a.bytes + 16, b.bytes + 16, 16) != 0);
    CHECK(a.shortened && b.shortened);
    pl_buf_deinit(&pk);
}

static void seeking_begins_where_building_stands(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 5000; i++) {
        char pk_room[300], tail_room[700];
        struct pl_bytes pk = random_binary(&seed, pk_room, i % 2 ? 20 : 300);
        struct pl_bytes tail = random_binary(&seed, tail_room, 700);
        struct pl_key built, sought, bare;
        uint16_t prefix;

        pl_key_build(&built, &space, pk, tail);
        pl_key_seek(&sought, &space, pk, tail, &prefix);
        pl_key_build(&bare, &space, pk, (struct pl_bytes){ 0 });
        CHECK(pl_bytes_equal(pl_key_view(&built), pl_key_view(&sought)) &&
              built.shortened == sought.shortened);
        CHECK(prefix == bare.len && memcmp(bare.bytes, built.bytes, prefix) == 0);
    }
}

static void partitions_are_equal_arcs_of_the_circle(void)
{
    CHECK(pl_key_partition(UINT64_MAX, 1) == 0);
    for (uint32_t count = 2; count <= 4096; count *= 2) {
        uint64_t arc = UINT64_MAX / count + 1;

        for (uint32_t p = 0; p < count; p++) {
            CHECK(pl_key_partition(p * arc, count) == p);
            CHECK(pl_key_partition(p * arc + (arc - 1), count) == p);
        }
    }
}

static void a_scan_starts_before_every_key_of_its_hash(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 5000; i++) {
        char room[64];
        struct pl_bytes pk = random_binary(&seed, room, 64);
        uint64_t hash = pl_key_hash(pk), seen;
        struct pl_key key, at, after;

        pl_key_build(&key, &space, pk, (struct pl_bytes){ 0 });
        pl_key_scan_start(&at, &space, hash);
        CHECK(!at.shortened && pl_bytes_compare(pl_key_view(&at), pl_key_view(&key)) < 0);
        CHECK(pl_key_in_space(pl_key_view(&at), &space, &seen) && seen == hash);
        if (hash == UINT64_MAX)
            continue;
        pl_key_scan_start(&after, &space, hash + 1);
        CHECK(pl_bytes_compare(pl_key_view(&key), pl_key_view(&after)) < 0);
    }
}

static void keys_of_other_spaces_are_told_apart(void)
{
    struct pl_keyspace other_kind = space, other_id = space, other_count = space;
    struct pl_key key;
    uint64_t hash = 5;

    other_kind.kind = PL_KIND_LOCAL_INDEX;
    other_id.id = 8;
    other_count.partition_count = 128;
    pl_key_scan_start(&key, &space, UINT64_C(0xF00000000000000F));
    CHECK(!pl_key_in_space(pl_key_view(&key), &other_kind, &hash));
    CHECK(!pl_key_in_space(pl_key_view(&key), &other_id, &hash));
    CHECK(!pl_key_in_space(pl_key_view(&key), &other_count, &hash));
    CHECK(!pl_key_in_space(pl_bytes(key.bytes, key.len - 1), &space, &hash));
    CHECK(!pl_key_in_space((struct pl_bytes){ 0 }, &space, &hash));
    CHECK(hash == 5);
}

static void a_successor_is_above_all_that_begins_alike(void)
{
    struct pl_buf out = { 0 };
    uint64_t seed = test_seed();

    CHECK(!pl_key_successor(pl_str(""), &out) && !pl_key_successor(pl_str("\xff\xff"), &out) && out.len == 0);
    CHECK(pl_key_successor(pl_str("a\xff"), &out) && pl_bytes_equal(pl_buf_view(&out), pl_str("b")));
    for (int i = 0; i < 5000; i++) {
        char room[40];
        struct pl_bytes prefix = random_binary(&seed, room, 10), longer;

        pl_buf_clear(&out);
        if (!pl_key_successor(prefix, &out))
            continue;
        memset(room + prefix.len, 0xFF, 8);
        longer = pl_bytes(room, prefix.len + 8);
        CHECK(pl_bytes_compare(longer, pl_buf_view(&out)) < 0);
        /* And nothing lies between: one less in its last byte begins like `prefix` again. */
        out.data[out.len - 1]--;
        CHECK(memcmp(out.data, prefix.data, out.len) == 0);
    }
    pl_buf_deinit(&out);
}

static void a_key_under_a_second_sorts_by_it_first(void)
{
    struct pl_key early, late, own;

    pl_key_build_at(&early, &space, 255, pl_str("z"), pl_str("tail"));
    pl_key_build_at(&late, &space, 256, pl_str("z"), pl_str(""));
    pl_key_build(&own, &space, pl_str("z"), pl_str("tail"));
    CHECK(pl_bytes_compare(pl_key_view(&early), pl_key_view(&late)) < 0);
    CHECK(early.len == own.len + 8 && !early.shortened);
    CHECK(memcmp(early.bytes, own.bytes, 7) == 0 && pl_get_be64(early.bytes + 7) == 255);
    CHECK(memcmp(early.bytes + 15, own.bytes + 7, own.len - 7u) == 0);
}

/* What was cut and what just fits must not look the same: from 511 bytes on a key is a shortened one. */
static void a_key_under_a_second_keeps_within_511_bytes(void)
{
    static char room[600];
    struct pl_key key;

    memset(room, 't', sizeof room);
    for (size_t len = 400; len <= sizeof room; len++) {
        size_t whole = PL_KEY_PREFIX_BYTES + 8 + 1 + 1 + len;

        pl_key_build_at(&key, &space, UINT64_MAX, pl_str("z"), pl_bytes(room, len));
        CHECK_MSG(key.len == (whole < 511 ? whole : 511), "%zu", len);
        CHECK_MSG(key.shortened == (whole >= 511), "%zu", len);
    }
}

static void a_partitions_part_of_a_space_is_told_by_its_first_seven_bytes(void)
{
    struct pl_keyspace other = { .kind = PL_KIND_ITEM, .id = 8, .partition_count = 64 };
    struct pl_key start;

    pl_key_partition_start(&start, &space, 5, 1000);
    CHECK(start.len == PL_KEY_PREFIX_BYTES && pl_get_be64(start.bytes + 7) == 1000);
    CHECK(pl_key_in_partition(pl_key_view(&start), &space, 5));
    CHECK(!pl_key_in_partition(pl_key_view(&start), &space, 4));
    CHECK(!pl_key_in_partition(pl_key_view(&start), &other, 5));
    CHECK(!pl_key_in_partition(pl_bytes(start.bytes, 14), &space, 5));
}

int main(void)
{
    RUN(strings_and_binary_sort_as_their_bytes);
    RUN(the_bytes_are_the_documented_ones);
    RUN(numbers_sort_by_value);
    RUN(components_follow_each_other_and_come_back);
    RUN(what_is_no_component_is_corrupt);
    RUN(a_component_that_cannot_be_copied_is_out_of_memory);
    RUN(a_short_key_is_whole_and_readable);
    RUN(every_legal_length_gives_a_legal_key);
    RUN(keys_of_one_partition_key_sort_by_their_tails);
    RUN(a_key_of_exactly_511_bytes_counts_as_shortened);
    RUN(sort_keys_that_differ_in_byte_1000_share_one_key);
    RUN(long_partition_keys_keep_apart_by_their_digest);
    RUN(seeking_begins_where_building_stands);
    RUN(partitions_are_equal_arcs_of_the_circle);
    RUN(a_scan_starts_before_every_key_of_its_hash);
    RUN(keys_of_other_spaces_are_told_apart);
    RUN(a_key_under_a_second_sorts_by_it_first);
    RUN(a_key_under_a_second_keeps_within_511_bytes);
    RUN(a_partitions_part_of_a_space_is_told_by_its_first_seven_bytes);
    RUN(a_successor_is_above_all_that_begins_alike);
    pl_arena_deinit(&arena);
    return test_summary();
}
