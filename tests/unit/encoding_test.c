/* SPDX-License-Identifier: MIT */
#include "codec/encoding.h"

#include "base/error.h"

#include "failing_allocation.h"

static struct pl_bytes text_of(size_t len, char *text)
{
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i * i % 23);
    return pl_bytes(text, len);
}

static void what_is_packed_unpacks_again(void)
{
    static char text[200000];
    static const size_t lens[] = { 0, 1, 5000, 200000 };
    struct pl_coder coder = { 0 };

    for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (int encoding = PL_ENCODING_GZIP; encoding <= PL_ENCODING_DEFLATE; encoding++) {
            struct pl_bytes in = text_of(lens[i], text);
            struct pl_buf packed = { 0 }, out = { 0 };

            CHECK(pl_coder_pack(&coder, encoding, in, &packed) == 0);
            CHECK(pl_coder_unpack(&coder, encoding, pl_buf_view(&packed), lens[i], &out) == 0);
            CHECK(pl_bytes_equal(pl_buf_view(&out), in));
            CHECK(lens[i] < 5000 || packed.len < lens[i] / 2);
            pl_buf_deinit(&packed);
            pl_buf_deinit(&out);
        }
    }
    pl_coder_deinit(&coder);
}

static void a_body_that_is_broken_or_cut_or_followed_is_told(void)
{
    static char text[1000];
    struct pl_coder coder = { 0 };
    struct pl_buf packed = { 0 }, out = { 0 };

    for (int encoding = PL_ENCODING_GZIP; encoding <= PL_ENCODING_DEFLATE; encoding++) {
        pl_buf_clear(&packed);
        CHECK(pl_coder_pack(&coder, encoding, text_of(1000, text), &packed) == 0);
        for (size_t len = 0; len < packed.len; len++) {
            pl_buf_clear(&out);
            CHECK(pl_coder_unpack(&coder, encoding, pl_bytes(packed.data, len), 1000, &out) == PL_ESYNTAX);
        }
        pl_buf_append(&packed, "x", 1);
        pl_buf_clear(&out);
        CHECK(pl_coder_unpack(&coder, encoding, pl_buf_view(&packed), 1000, &out) == PL_ESYNTAX);
        packed.data[packed.len / 2] ^= 0x55;
        pl_buf_clear(&out);
        CHECK(pl_coder_unpack(&coder, encoding, pl_bytes(packed.data, packed.len - 1), 1000, &out) != 0);
        pl_buf_clear(&out);
        CHECK(pl_coder_unpack(&coder, encoding, pl_str("{\"no\":\"such thing\"}"), 1000, &out) == PL_ESYNTAX);
    }
    pl_buf_deinit(&packed);
    pl_buf_deinit(&out);
    pl_coder_deinit(&coder);
}

static void members_of_gzip_may_follow_one_another(void)
{
    struct pl_coder coder = { 0 };
    struct pl_buf packed = { 0 }, out = { 0 };

    CHECK(pl_coder_pack(&coder, PL_ENCODING_GZIP, pl_str("one, "), &packed) == 0);
    CHECK(pl_coder_pack(&coder, PL_ENCODING_GZIP, pl_str(""), &packed) == 0);
    CHECK(pl_coder_pack(&coder, PL_ENCODING_GZIP, pl_str("two"), &packed) == 0);
    CHECK(pl_coder_unpack(&coder, PL_ENCODING_GZIP, pl_buf_view(&packed), 8, &out) == 0);
    CHECK(pl_bytes_equal(pl_buf_view(&out), pl_str("one, two")));
    pl_buf_clear(&out);
    CHECK(pl_coder_unpack(&coder, PL_ENCODING_GZIP, pl_buf_view(&packed), 7, &out) == PL_ELIMIT);
    pl_buf_deinit(&packed);
    pl_buf_deinit(&out);
    pl_coder_deinit(&coder);
}

/* 10 MB of one letter are 10 KB packed: memory must follow the limit and not the sender's wish. */
static void a_bomb_costs_no_more_than_its_limit(void)
{
    enum { BOMB_BYTES = 10 << 20, MOST = 100000 };
    char *letters = malloc(BOMB_BYTES);
    struct pl_coder coder = { 0 };
    struct pl_buf packed = { 0 }, out = { 0 };

    memset(letters, 'x', BOMB_BYTES);
    CHECK(pl_coder_pack(&coder, PL_ENCODING_GZIP, pl_bytes(letters, BOMB_BYTES), &packed) == 0);
    CHECK(packed.len < BOMB_BYTES / 100);
    CHECK(pl_coder_unpack(&coder, PL_ENCODING_GZIP, pl_buf_view(&packed), MOST, &out) == PL_ELIMIT);
    CHECK(out.capacity < 4 * MOST);
    free(letters);
    pl_buf_deinit(&packed);
    pl_buf_deinit(&out);
    pl_coder_deinit(&coder);
}

static void encodings_have_names(void)
{
    enum pl_encoding encoding;

    CHECK(pl_encoding_read(pl_str("GZip"), &encoding) && encoding == PL_ENCODING_GZIP);
    CHECK(pl_encoding_read(pl_str("deflate"), &encoding) && encoding == PL_ENCODING_DEFLATE);
    CHECK(pl_encoding_read(pl_str("identity"), &encoding) && encoding == PL_ENCODING_IDENTITY);
    CHECK(pl_encoding_read(pl_str(""), &encoding) && encoding == PL_ENCODING_IDENTITY);
    CHECK(!pl_encoding_read(pl_str("br"), &encoding) && !pl_encoding_read(pl_str("gzip, gzip"), &encoding));
    CHECK(!pl_encoding_read(pl_str("gzi"), &encoding) && !pl_encoding_read(pl_str("gzipp"), &encoding));
}

static void the_best_that_is_accepted_is_chosen(void)
{
    static const struct {
        const char *accepted;
        enum pl_encoding best;
    } cases[] = {
        { "", PL_ENCODING_IDENTITY },
        { "gzip", PL_ENCODING_GZIP },
        { "deflate", PL_ENCODING_DEFLATE },
        { "gzip, deflate, br", PL_ENCODING_GZIP },
        { "deflate, gzip", PL_ENCODING_GZIP },
        { "gzip;q=0.5, deflate;q=0.8", PL_ENCODING_DEFLATE },
        { "gzip ; q=0, *", PL_ENCODING_DEFLATE },
        { "*", PL_ENCODING_GZIP },
        { "*;q=0", PL_ENCODING_IDENTITY },
        { "identity", PL_ENCODING_IDENTITY },
        { "gzip;q=0.000", PL_ENCODING_IDENTITY },
        { "gzip;q=0.001", PL_ENCODING_GZIP },
        { "gzip;q=nonsense", PL_ENCODING_IDENTITY },
        { "br;q=1.0,gzip;q=0.25,deflate;q=0.3", PL_ENCODING_DEFLATE },
        { ",,;;,gzip,", PL_ENCODING_GZIP },
        { "GZIP;Q=1", PL_ENCODING_GZIP },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_MSG(pl_encoding_choose(pl_str(cases[i].accepted)) == cases[i].best, "%s", cases[i].accepted);
}

static void the_checksum_is_that_of_the_standard(void)
{
    CHECK(pl_encoding_crc32(pl_str("123456789")) == 0xCBF43926u); /* its check value */
    CHECK(pl_encoding_crc32(pl_str("")) == 0);
}

static void every_allocation_may_fail(void)
{
    static char text[50000];

    for (int for_good = 0; for_good < 2; for_good++) {
        for (long n = 0; allocation_failing(n, for_good); n++) {
            struct pl_coder coder = { 0 };
            struct pl_buf packed = { 0 }, out = { 0 };
            int rc = pl_coder_pack(&coder, PL_ENCODING_GZIP, text_of(sizeof text, text), &packed);

            if (rc == 0)
                rc = pl_coder_unpack(&coder, PL_ENCODING_GZIP, pl_buf_view(&packed), sizeof text, &out);
            CHECK_MSG(rc == (allocation_failed() ? PL_ENOMEM : 0), "allocation %ld", n);
            pl_buf_deinit(&packed);
            pl_buf_deinit(&out);
            pl_coder_deinit(&coder);
        }
    }
}

int main(void)
{
    RUN(what_is_packed_unpacks_again);
    RUN(a_body_that_is_broken_or_cut_or_followed_is_told);
    RUN(members_of_gzip_may_follow_one_another);
    RUN(a_bomb_costs_no_more_than_its_limit);
    RUN(encodings_have_names);
    RUN(the_best_that_is_accepted_is_chosen);
    RUN(the_checksum_is_that_of_the_standard);
    RUN(every_allocation_may_fail);
    return test_summary();
}
