/* SPDX-License-Identifier: MIT */
#include "model/number.h"

#include "test.h"

#include <float.h>
#include <locale.h>
#include <math.h>

/*
 * The judge: decimals as schoolbook rows of digits, wide enough for anything that is
 * written here, and nothing in common with the coefficient and exponent under test.
 */
enum { ROW = 700, POINT = 350 }; /* digit[POINT + n] counts 10^n */

struct row {
    int digit[ROW];
    bool negative;
};

static void row_read(const char *text, struct row *row)
{
    int exponent = 0, position = 0, first = -1;
    char digits[ROW];
    const char *e = strpbrk(text, "eE");

    memset(row, 0, sizeof *row);
    row->negative = *text == '-';
    if (e != NULL)
        exponent = atoi(e + 1);
    for (const char *p = text; *p != '\0' && p != e; p++) {
        if (*p == '.')
            first = position;
        if (*p >= '0' && *p <= '9')
            digits[position++] = *p;
    }
    if (first < 0)
        first = position;
    for (int i = 0; i < position; i++) {
        int at = POINT + first - 1 - i + exponent;

        if (digits[i] != '0')
            row->digit[at] = digits[i] - '0';
    }
}

static int row_highest(const struct row *row)
{
    for (int i = ROW - 1; i >= 0; i--)
        if (row->digit[i] != 0)
            return i;
    return -1;
}

static int row_lowest(const struct row *row)
{
    for (int i = 0; i < ROW; i++)
        if (row->digit[i] != 0)
            return i;
    return -1;
}

static void row_write(const struct row *row, char *text)
{
    int high = row_highest(row), low = row_lowest(row);

    if (high < 0) {
        strcpy(text, "0");
        return;
    }
    if (row->negative)
        *text++ = '-';
    for (int i = high > POINT ? high : POINT; i >= POINT; i--)
        *text++ = (char)('0' + row->digit[i]);
    if (low < POINT)
        *text++ = '.';
    for (int i = POINT - 1; i >= low; i--)
        *text++ = (char)('0' + row->digit[i]);
    *text = '\0';
}

static int row_compare_magnitude(const struct row *a, const struct row *b)
{
    for (int i = ROW - 1; i >= 0; i--)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

static int row_sign(const struct row *row)
{
    return row_highest(row) < 0 ? 0 : row->negative ? -1 : 1;
}

static int row_compare(const struct row *a, const struct row *b)
{
    int a_sign = row_sign(a), b_sign = row_sign(b);

    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    return a_sign * row_compare_magnitude(a, b);
}

static void row_add(const struct row *a, const struct row *b, struct row *sum)
{
    const struct row *large = row_compare_magnitude(a, b) >= 0 ? a : b, *small = large == a ? b : a;
    int factor = a->negative == b->negative ? 1 : -1, carry = 0;
    struct row result = { .negative = large->negative };

    for (int i = 0; i < ROW; i++) {
        int digit = large->digit[i] + factor * small->digit[i] + carry;

        carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
        result.digit[i] = digit - 10 * carry;
    }
    *sum = result;
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

/* A random legal number in one of its many spellings; `like` (or NULL) lends its first digits. */
static void random_text(uint64_t *seed, const char *like, char *text)
{
    int count = 1 + (int)(test_random(seed) % 38), first = (int)(test_random(seed) % 256) - 130;
    int shift = (int)(test_random(seed) % 41) - 20;
    char digits[64];

    if (test_random(seed) % 3 == 0)
        first = (int)(test_random(seed) % 12) - 6;
    if (test_random(seed) % 8 == 0)
        count = 38;
    for (int i = 0; i < count; i++) {
        uint64_t dice = test_random(seed) % 6;

        digits[i] = dice == 0 ? '0' : dice == 1 ? '9' : (char)('0' + test_random(seed) % 10);
    }
    if (digits[0] == '0')
        digits[0] = '1';
    if (like != NULL) {
        int same = (int)(test_random(seed) % 40);
        const char *e = strchr(like, 'e');
        int i = 0;

        for (const char *p = like; p < e && i < count && i < same; p++)
            if (*p >= '0' && *p <= '9' && (i > 0 || *p != '0'))
                digits[i++] = *p;
    }
    if (test_random(seed) % 2 == 0)
        *text++ = test_random(seed) % 4 == 0 ? '+' : '-';
    for (int i = 0; i < (int)(test_random(seed) % 4); i++)
        *text++ = '0';
    if (shift <= 0 || shift >= count) {
        /* all digits in front of the point */
        sprintf(text, "%.*s%se%d", count, digits, test_random(seed) % 2 ? "." : "", first - count + 1);
    } else {
        sprintf(text, "%.*s.%.*s%se%d", shift, digits, count - shift, digits + shift,
                test_random(seed) % 2 ? "000" : "", first - shift + 1);
    }
}

static void must_parse(const char *text, struct pl_number *number)
{
    struct pl_reason why = { 0 };

    CHECK_MSG(pl_number_parse(pl_str(text), number, &why) == 0, "%s: %s", text, why.text);
}

static void must_write(const char *text, const char *expected)
{
    char written[PL_NUMBER_TEXT_MAX];
    struct pl_number number;

    must_parse(text, &number);
    CHECK_MSG(pl_number_format(&number, written) == strlen(expected), "%s", text);
    CHECK_MSG(strcmp(written, expected) == 0, "%s gave %s", text, written);
}

static void must_refuse(const char *text, const char *sentence)
{
    struct pl_number number = { .coefficient = 7 };
    struct pl_reason why = { 0 };

    CHECK_MSG(pl_number_parse(pl_str(text), &number, &why) == PL_EINVALID, "%s", text);
    CHECK_MSG(strcmp(why.text, sentence) == 0, "%s: %s", text, why.text);
    CHECK(number.coefficient == 7);
}

static const char overflow[] =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
static const char underflow[] =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
static const char too_long[] = "Attempting to store more than 38 significant digits in a Number";

static void numbers_are_written_in_plain_decimal(void)
{
    char large[PL_NUMBER_TEXT_MAX] = "1", small[PL_NUMBER_TEXT_MAX] = "0.";

    memset(large + 1, '0', 125);
    memset(small + 2, '0', 129);
    strcpy(small + 131, "1");
    must_write("1E125", large);
    must_write("0.1e126", large);
    must_write("1e-130", small);
    must_write("1e3", "1000");
    must_write("+1", "1");
    must_write(".5", "0.5");
    must_write("5.", "5");
    must_write("-.50", "-0.5");
    must_write("007.100", "7.1");
    must_write("1e-3", "0.001");
    must_write("120e-1", "12");
    must_write("123.456", "123.456");
    must_write("1e+2", "100");
    must_write("12345678901234567890123456789012345678", "12345678901234567890123456789012345678");
    must_write("99999999999999999999999999999999999999000", "99999999999999999999999999999999999999000");
    must_write("0.0000012345678901234567890123456789012345678000",
               "0.0000012345678901234567890123456789012345678");
}

static void zero_has_one_spelling(void)
{
    const char *zeros[] = {
        "0", "-0", "+0", "0.000", "-.0", "0.", "0e5", "0e999999999999999999999", "0e-9999"
    };
    static const struct pl_number zero;

    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        struct pl_number number;
        uint8_t encoded[PL_NUMBER_ENCODED_MAX];

        must_write(zeros[i], "0");
        must_parse(zeros[i], &number);
        CHECK(memcmp(&number.coefficient, &zero.coefficient, sizeof zero.coefficient) == 0);
        CHECK(number.exponent == 0 && !number.negative);
        CHECK(pl_number_encode(&number, encoded) == 1 && encoded[0] == 0x80);
    }
}

static void what_is_no_number_is_refused_with_its_text(void)
{
    const char *texts[] = { "a",   "-",    "+",   ".",        "-.",   "1e",  "1e+", "1.1.1",
                            "1..", "0x10", " 1",  "1 ",       "1e1.", "1e ", "NaN", "--1",
                            "1,5", "e5",   "1_0", "Infinity", "1f",   "+-1" };

    must_refuse("", "The parameter cannot be converted to a numeric value");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char sentence[128];

        snprintf(sentence, sizeof sentence, "The parameter cannot be converted to a numeric value: %s",
                 texts[i]);
        must_refuse(texts[i], sentence);
    }
    {
        struct pl_number number;
        struct pl_reason why = { 0 };

        CHECK(pl_number_parse(pl_bytes("1\0", 2), &number, &why) == PL_EINVALID);
        CHECK(pl_number_parse(pl_bytes("\xff", 1), &number, &why) == PL_EINVALID);
        CHECK(pl_bytes_is_utf8(pl_str(why.text)));
        CHECK(pl_number_parse(pl_str("x"), &number, NULL) == PL_EINVALID);
    }
}

static void the_range_is_judged_on_the_value(void)
{
    char long_zeros[5000];

    must_refuse("1e126", overflow);
    must_refuse("-10e125", overflow);
    must_refuse("1e-131", underflow);
    must_refuse("-0.1e-130", underflow);
    must_refuse("1e999999999999", overflow);
    must_refuse("1e99999999999999999999999999999999999999", overflow);
    must_refuse("1e-99999999999999999999999999999999999999", underflow);
    must_refuse("1e9223372036854775807", overflow);
    must_refuse("1e-9223372036854775808", underflow);
    must_refuse("123456789012345678901234567890123456789", too_long);
    must_refuse("0.100000000000000000000000000000000000001", too_long);
    must_refuse("1234567890123456789012345678901234567890e125", overflow);
    must_refuse("1234567890123456789012345678901234567891e-999", underflow);
    must_write("9.9999999999999999999999999999999999999E+0", "9.9999999999999999999999999999999999999");

    /* A thousand zeros are no digits, on either side. */
    memset(long_zeros, '0', sizeof long_zeros);
    strcpy(long_zeros + 4000, "12e-5");
    must_write(long_zeros, "0.00012");
    memset(long_zeros, '0', sizeof long_zeros);
    long_zeros[0] = '7';
    strcpy(long_zeros + 4001, "e-4000");
    must_write(long_zeros, "7");
    memset(long_zeros, '0', sizeof long_zeros);
    long_zeros[1] = '.';
    strcpy(long_zeros + 4002, "3e4001");
    must_write(long_zeros, "3");
}

static void every_spelling_reads_as_the_digits_say(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 30000; i++) {
        char text[256], expected[ROW + 8], written[PL_NUMBER_TEXT_MAX];
        struct pl_number number, again;
        struct row row;

        random_text(&seed, NULL, text);
        must_parse(text, &number);
        row_read(text, &row);
        row_write(&row, expected);
        pl_number_format(&number, written);
        CHECK_MSG(strcmp(written, expected) == 0, "%s gave %s", text, written);
        must_parse(written, &again);
        CHECK_MSG(again.coefficient == number.coefficient && again.exponent == number.exponent &&
                      again.negative == number.negative,
                  "%s", text);
    }
}

static void encoded_order_is_value_order(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 30000; i++) {
        char a_text[256], b_text[256];
        uint8_t a_bytes[PL_NUMBER_ENCODED_MAX], b_bytes[PL_NUMBER_ENCODED_MAX];
        struct pl_number a, b, back;
        struct pl_bytes a_view, b_view;
        struct row a_row, b_row;
        int order;

        random_text(&seed, NULL, a_text);
        if (test_random(&seed) % 50 == 0)
            strcpy(a_text, "0e0");
        random_text(&seed, test_random(&seed) % 2 == 0 ? a_text : NULL, b_text);
        must_parse(a_text, &a);
        must_parse(b_text, &b);
        row_read(a_text, &a_row);
        row_read(b_text, &b_row);
        a_view = pl_bytes(a_bytes, pl_number_encode(&a, a_bytes));
        b_view = pl_bytes(b_bytes, pl_number_encode(&b, b_bytes));
        order = row_compare(&a_row, &b_row);
        CHECK_MSG(sign_of(pl_bytes_compare(a_view, b_view)) == order, "%s %s", a_text, b_text);
        CHECK_MSG(sign_of(pl_number_compare(&a, &b)) == order, "%s %s", a_text, b_text);
        CHECK_MSG(pl_number_decode(a_view, &back) == 0 && pl_number_compare(&a, &back) == 0, "%s", a_text);
        CHECK_MSG(back.coefficient == a.coefficient && back.exponent == a.exponent, "%s", a_text);
    }
}

static void an_encoding_ends_itself(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 5000; i++) {
        char text[256];
        uint8_t bytes[PL_NUMBER_ENCODED_MAX + 8];
        struct pl_number number, back;
        size_t len;

        random_text(&seed, NULL, text);
        must_parse(text, &number);
        len = pl_number_encode(&number, bytes);
        memset(bytes + len, (int)(test_random(&seed) & 0xFF), 8);
        CHECK_MSG(pl_number_encoded_length(pl_bytes(bytes, len + 8)) == len, "%s", text);
        CHECK(pl_number_decode(pl_bytes(bytes, len + 1), &back) == PL_ECORRUPT);
        for (size_t cut = 0; cut < len; cut++) {
            CHECK_MSG(pl_number_encoded_length(pl_bytes(bytes, cut)) == 0, "%s cut at %zu", text, cut);
            CHECK(pl_number_decode(pl_bytes(bytes, cut), &back) == PL_ECORRUPT);
        }
    }
}

/* Whatever one byte is changed to, the result is refused or is itself the one spelling of a number. */
static void only_canonical_encodings_are_read(void)
{
    const char *texts[] = { "1",     "-1",    "10.5", "-99", "12345678901234567890123456789012345678",
                            "1e125", "1e-130" };

    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct pl_number number, back;
        uint8_t bytes[PL_NUMBER_ENCODED_MAX], again[PL_NUMBER_ENCODED_MAX];
        size_t len;

        must_parse(texts[t], &number);
        len = pl_number_encode(&number, bytes);
        for (size_t i = 0; i < len; i++) {
            uint8_t kept = bytes[i];

            for (int v = 0; v < 256; v++) {
                bytes[i] = (uint8_t)v;
                if (pl_number_decode(pl_bytes(bytes, len), &back) != 0)
                    continue;
                CHECK(back.coefficient == 0 || back.coefficient % 10 != 0);
                CHECK(pl_number_encode(&back, again) == len && memcmp(again, bytes, len) == 0);
            }
            bytes[i] = kept;
        }
    }
}

/* What the sum of two rows must give: text, or DynamoDB's sentence. */
static void expect_sum(const struct row *sum, char *expected)
{
    int high = row_highest(sum), low = row_lowest(sum);

    if (high >= 0 && high - POINT > 125)
        strcpy(expected, overflow);
    else if (high >= 0 && high - POINT < -130)
        strcpy(expected, underflow);
    else if (high - low + 1 > 38)
        strcpy(expected, overflow);
    else
        row_write(sum, expected);
}

static void check_sum(const char *a_text, const char *b_text, bool minus)
{
    char expected[ROW + 8], written[PL_REASON_MAX];
    struct pl_number a, b, sum = { .coefficient = 7 };
    struct pl_reason why = { 0 };
    struct row a_row, b_row, row;
    int rc;

    must_parse(a_text, &a);
    must_parse(b_text, &b);
    row_read(a_text, &a_row);
    row_read(b_text, &b_row);
    b_row.negative ^= minus;
    row_add(&a_row, &b_row, &row);
    expect_sum(&row, expected);
    rc = minus ? pl_number_subtract(&a, &b, &sum, &why) : pl_number_add(&a, &b, &sum, &why);
    if (rc == 0) {
        pl_number_format(&sum, written);
    } else {
        CHECK(rc == PL_EINVALID && sum.coefficient == 7);
        strcpy(written, why.text);
    }
    CHECK_MSG(strcmp(written, expected) == 0, "%s %c %s gave %s, not %s", a_text, minus ? '-' : '+', b_text,
              written, expected);
}

static void sums_are_exact_or_refused(void)
{
    uint64_t seed = test_seed();

    check_sum("0.1", "0.2", false);
    check_sum("1e50", "1", false);
    check_sum("1e38", "1", true); /* 38 nines */
    check_sum("1e37", "1", false);
    check_sum("299999999999999999999999999999999999990", "99999999999999999999999999999999999999", false);
    check_sum("5", "4", true);
    check_sum("4", "5", true);
    check_sum("1000000", "999999", true);
    check_sum("1e38", "1", false);
    check_sum("199999999999999999999999999999999999990", "99999999999999999999999999999999999999", true);
    check_sum("2e38", "99999999999999999999999999999999999999", true);
    check_sum("99999999999999999999999999999999999999", "1", false);
    check_sum("99999999999999999999999999999999999999", "99999999999999999999999999999999999999", false);
    check_sum("9.9999999999999999999999999999999999999e125", "1e88", false);
    check_sum("9.9999999999999999999999999999999999999e125", "1e87", false);
    check_sum("1.1e-130", "1e-130", true);
    check_sum("1e125", "1e-130", false);
    check_sum("-5", "5", false);
    check_sum("0", "0", true);
    check_sum("0", "3", true);
    check_sum("3", "0", true);
    for (int i = 0; i < 30000; i++) {
        char a[256], b[256];

        random_text(&seed, NULL, a);
        random_text(&seed, test_random(&seed) % 3 == 0 ? a : NULL, b);
        if (test_random(&seed) % 2 == 0) {
            /* Near each other, where digits meet: the same power of ten, give or take 40. */
            char *e = strchr(b, 'e');
            int first = atoi(strchr(a, 'e') + 1), near = first + (int)(test_random(&seed) % 81) - 40;

            sprintf(e, "e%d", near < -120 ? -120 : near > 60 ? 60 : near);
        }
        check_sum(a, b, test_random(&seed) % 2 == 0);
    }
}

static void a_sum_may_be_stored_over_its_operands(void)
{
    struct pl_number a, b, expected;

    must_parse("12.5", &a);
    must_parse("7.5", &b);
    must_parse("20", &expected);
    CHECK(pl_number_add(&a, &b, &a, NULL) == 0 && pl_number_compare(&a, &expected) == 0);
    must_parse("-12.5", &expected);
    CHECK(pl_number_subtract(&b, &a, &b, NULL) == 0 && pl_number_compare(&b, &expected) == 0);
}

/* The measured rule, spelled out over the plain text. */
static uint32_t size_of_text(const char *text)
{
    uint32_t negative = *text == '-';
    const char *whole = text + negative, *point = strchr(whole, '.');
    int before, after;

    if (strcmp(text, "0") == 0)
        return 1;
    before = point == NULL ? (int)strlen(whole) : (int)(point - whole);
    after = point == NULL ? 0 : (int)strlen(point + 1);
    if (point == NULL)
        while (whole[before - 1] == '0')
            before--;
    if (whole[0] == '0') {
        before = 0;
        for (const char *p = point + 1; *p == '0'; p++)
            after--;
    }
    return (uint32_t)(1 + (before + 1) / 2 + (after + 1) / 2) + negative;
}

static void size_is_what_dynamodb_measures(void)
{
    static const struct {
        const char *text;
        uint32_t size;
    } known[] = { { "0", 1 },
                  { "1", 2 },
                  { "12", 2 },
                  { "123", 3 },
                  { "100", 2 },
                  { "1010", 3 },
                  { "1.5", 3 },
                  { "3.14159", 5 },
                  { "100.5", 4 },
                  { "0.15", 2 },
                  { "-42", 3 },
                  { "1E125", 2 },
                  { "12345678901234567890123456789012345678", 20 } };
    uint64_t seed = test_seed();

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct pl_number number;

        must_parse(known[i].text, &number);
        CHECK_MSG(pl_number_size_bytes(&number) == known[i].size, "%s", known[i].text);
    }
    for (int i = 0; i < 20000; i++) {
        char text[256], plain[PL_NUMBER_TEXT_MAX];
        uint8_t bytes[PL_NUMBER_ENCODED_MAX];
        struct pl_number number;

        random_text(&seed, NULL, text);
        must_parse(text, &number);
        pl_number_format(&number, plain);
        CHECK_MSG(pl_number_size_bytes(&number) == size_of_text(plain), "%s", plain);
        CHECK_MSG(pl_number_encoded_size_bytes(pl_bytes(bytes, pl_number_encode(&number, bytes))) ==
                      size_of_text(plain),
                  "%s", plain);
    }
}

static void integers_come_back(void)
{
    int64_t values[] = { 0, 1, -1, 10, -100, 1000000, INT64_MAX, INT64_MIN, INT64_MAX - 7, INT64_MIN + 8 };
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        int64_t value = i < 10 ? values[i] : (int64_t)(test_random(&seed) >> (test_random(&seed) % 64)),
                back = 3;
        char expected[32], written[PL_NUMBER_TEXT_MAX];
        struct pl_number number;

        if (i % 5 == 0 && i >= 10)
            value = value / 1000 * 1000;
        snprintf(expected, sizeof expected, "%lld", (long long)value);
        pl_number_from_int64(value, &number);
        pl_number_format(&number, written);
        CHECK_MSG(strcmp(written, expected) == 0, "%s gave %s", expected, written);
        CHECK_MSG(pl_number_to_int64(&number, &back) && back == value, "%s", expected);
    }
}

static void what_is_no_int64_is_not_made_one(void)
{
    const char *texts[] = { "0.5",
                            "9223372036854775808",
                            "-9223372036854775809",
                            "1e19",
                            "1e125",
                            "1e-130",
                            "99999999999999999999999999999999999999",
                            "184467440737095516160" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pl_number number;
        int64_t out = 5;

        must_parse(texts[i], &number);
        CHECK_MSG(!pl_number_to_int64(&number, &out) && out == 5, "%s", texts[i]);
    }
}

static void must_come_from(double value, const char *expected)
{
    char written[PL_NUMBER_TEXT_MAX];
    struct pl_number number;

    CHECK(pl_number_from_double(value, &number, NULL) == 0);
    pl_number_format(&number, written);
    CHECK_MSG(strcmp(written, expected) == 0, "%.17g gave %s", value, written);
}

static void a_double_becomes_its_shortest_decimal(void)
{
    uint64_t seed = test_seed();

    must_come_from(0.1, "0.1");
    must_come_from(-0.0, "0");
    must_come_from(1e23, "100000000000000000000000");
    must_come_from(0.1 + 0.2, "0.30000000000000004");
    must_come_from(9007199254740993.0, "9007199254740992");
    must_come_from(1.0 / 3, "0.3333333333333333");
    must_come_from(-2.5, "-2.5");
    must_come_from(5e-324 * 0, "0");
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = test_random(&seed);
        double value, back;
        struct pl_number number;
        bool exact;

        memcpy(&value, &bits, sizeof value);
        if (i % 2 == 0)
            value = ldexp((double)(bits >> 11) / (double)(UINT64_C(1) << 53),
                          (int)(test_random(&seed) % 100) - 50);
        if (!isfinite(value) || fabs(value) > 9e125 || fabs(value) < 2e-130)
            continue;
        CHECK_MSG(pl_number_from_double(value, &number, NULL) == 0, "%.17g", value);
        back = pl_number_to_double(&number, &exact);
        CHECK_MSG(back == value && exact, "%.17g gave %.17g", value, back);
    }
}

static void doubles_outside_the_range_are_refused(void)
{
    double values[] = { NAN, INFINITY, -INFINITY, 1e126, -1e300, 1e-131, 5e-324, DBL_MAX };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct pl_number number = { .coefficient = 7 };
        struct pl_reason why = { 0 };

        CHECK_MSG(pl_number_from_double(values[i], &number, &why) == PL_EINVALID, "%g", values[i]);
        CHECK(why.text[0] != '\0' && number.coefficient == 7);
    }
}

static void a_double_is_exact_only_when_it_leads_back(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        char text[256];
        struct pl_number number, back;
        bool exact, leads_back;
        double value;

        random_text(&seed, NULL, text);
        must_parse(text, &number);
        value = pl_number_to_double(&number, &exact);
        CHECK_MSG(value == strtod(text, NULL), "%s gave %.17g", text, value);
        leads_back = pl_number_from_double(value, &back, NULL) == 0 && pl_number_compare(&number, &back) == 0;
        CHECK_MSG(exact == leads_back, "%s", text);
    }
}

/* An embedding program may have set a locale that writes 0,5. Needs one such locale on the machine. */
static void the_locale_changes_nothing(void)
{
    const char *names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8" };
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) != NULL;
    a_double_becomes_its_shortest_decimal();
    must_write("0.5", "0.5");
    must_write("12345678901234567890.5e-3", "12345678901234567.8905");
    setlocale(LC_NUMERIC, "C");
    if (!found)
        printf("the_locale_changes_nothing: no locale with a decimal comma here, tried the plain one only\n");
}

static void a_floor_is_the_integer_below(void)
{
    static const struct {
        const char *text;
        int64_t floor;
    } pairs[] = {
        { "0", 0 },
        { "7", 7 },
        { "7.9999999999999999999999999999999999999", 7 },
        { "-7", -7 },
        { "-7.0000000000000000000000000000000000001", -8 },
        { "1E-130", 0 },
        { "-1E-130", -1 },
        { "0.99999999999999999999999999999999999999", 0 },
        { "12e2", 1200 },
        { "9223372036854775807.5", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "-9223372036854775807.5", INT64_MIN },
    };
    static const char *const beyond[] = { "9223372036854775808", "-9223372036854775808.5", "1E125", "-1E19" };
    struct pl_number number;
    int64_t floor = 5;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        must_parse(pairs[i].text, &number);
        CHECK_MSG(pl_number_floor_int64(&number, &floor) && floor == pairs[i].floor, "%s", pairs[i].text);
    }
    floor = 5;
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        must_parse(beyond[i], &number);
        CHECK_MSG(!pl_number_floor_int64(&number, &floor) && floor == 5, "%s", beyond[i]);
    }
}

int main(void)
{
    RUN(a_floor_is_the_integer_below);
    RUN(numbers_are_written_in_plain_decimal);
    RUN(zero_has_one_spelling);
    RUN(what_is_no_number_is_refused_with_its_text);
    RUN(the_range_is_judged_on_the_value);
    RUN(every_spelling_reads_as_the_digits_say);
    RUN(encoded_order_is_value_order);
    RUN(an_encoding_ends_itself);
    RUN(only_canonical_encodings_are_read);
    RUN(sums_are_exact_or_refused);
    RUN(a_sum_may_be_stored_over_its_operands);
    RUN(size_is_what_dynamodb_measures);
    RUN(integers_come_back);
    RUN(what_is_no_int64_is_not_made_one);
    RUN(a_double_becomes_its_shortest_decimal);
    RUN(doubles_outside_the_range_are_refused);
    RUN(a_double_is_exact_only_when_it_leads_back);
    RUN(the_locale_changes_nothing);
    return test_summary();
}
