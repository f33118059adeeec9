/* SPDX-License-Identifier: MIT */
#include "script/decimal.h"
#include "test.h"

typedef int (*operation_fn)(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                            struct pl_reason *why);

static const char *calculate(operation_fn operation, const char *x, const char *y)
{
    static char text[PL_REASON_MAX];
    struct pl_reason why = { 0 };
    struct pl_number a, b, result;

    if (pl_number_parse(pl_str(x), &a, &why) != 0 || pl_number_parse(pl_str(y), &b, &why) != 0 ||
        operation(&a, &b, &result, &why) != 0)
        snprintf(text, sizeof text, "%s", why.text);
    else
        pl_number_format(&result, text);
    return text;
}

static const struct {
    operation_fn operation;
    const char *a, *b, *result;
} cases[] = {
    { pl_decimal_multiply, "0.1", "0.2", "0.02" },
    { pl_decimal_multiply, "-3", "0", "0" },
    { pl_decimal_multiply, "1234567890123456789", "9876543210987654321",
      "12193263113702179522374638011112635269" },
    { pl_decimal_multiply, "12345678901234567890123456789012345678", "10",
      "123456789012345678901234567890123456780" },
    { pl_decimal_multiply, "99999999999999999999999999999999999999", "2",
      "the result needs more than 38 digits" },
    { pl_decimal_multiply, "99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
      "the result needs more than 38 digits" },
    { pl_decimal_multiply, "50000000000000000000000000000000000000", "20000000000000000000000000000000000002",
      "1000000000000000000000000000000000000100000000000000000000000000000000000000" },
    { pl_decimal_multiply, "1e100", "1e100",
      "Number overflow. Attempting to store a number with magnitude larger than supported range" },
    { pl_decimal_multiply, "1e-100", "1e-100",
      "Number underflow. Attempting to store a number with magnitude smaller than supported range" },
    { pl_decimal_divide, "1", "8", "0.125" },
    { pl_decimal_divide, "-6", "4", "-1.5" },
    { pl_decimal_divide, "0", "-7", "0" },
    { pl_decimal_divide, "1", "3", "the result needs more than 38 digits" },
    { pl_decimal_divide, "1", "0", "attempt to divide by zero" },
    { pl_decimal_divide, "99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
      "1" },
    { pl_decimal_floor_divide, "7", "2", "3" },
    { pl_decimal_floor_divide, "-7", "2", "-4" },
    { pl_decimal_floor_divide, "7", "-2", "-4" },
    { pl_decimal_floor_divide, "-8", "2", "-4" },
    { pl_decimal_floor_divide, "-0.5", "1000", "-1" },
    { pl_decimal_floor_divide, "0.5", "1000", "0" },
    { pl_decimal_floor_divide, "1e20", "3", "33333333333333333333" },
    { pl_decimal_floor_divide, "-1e20", "3", "-33333333333333333334" },
    { pl_decimal_floor_divide, "1e100", "3", "the result needs more than 38 digits" },
    { pl_decimal_floor_divide, "1e20", "1e-5", "10000000000000000000000000" },
    { pl_decimal_floor_divide, "1", "0", "attempt to divide by zero" },
    { pl_decimal_modulo, "7", "3", "1" },
    { pl_decimal_modulo, "-7", "3", "2" },
    { pl_decimal_modulo, "7", "-3", "-2" },
    { pl_decimal_modulo, "5.5", "0.25", "0" },
    { pl_decimal_modulo, "5.6", "0.25", "0.1" },
};

static void results_are_those_of_pencil_and_paper(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *result = calculate(cases[i].operation, cases[i].a, cases[i].b);

        CHECK_MSG(strcmp(result, cases[i].result) == 0, "%s and %s: %s", cases[i].a, cases[i].b, result);
    }
}

static void random_number(uint64_t *state, struct pl_number *out)
{
    int64_t value = (int64_t)test_random(state) >> (test_random(state) % 63);
    char text[48];

    snprintf(text, sizeof text, "%llde%d", (long long)value, (int)(test_random(state) % 13) - 6);
    CHECK(pl_number_parse(pl_str(text), out, NULL) == 0);
}

static void operations_undo_each_other(void)
{
    uint64_t state = test_seed();
    struct pl_number zero = { 0 };
    int tried = 0;

    for (int i = 0; i < 20000; i++) {
        struct pl_number a, b, product, back, quotient, rest, sum;

        random_number(&state, &a);
        random_number(&state, &b);
        if (b.coefficient == 0)
            continue;
        if (pl_decimal_multiply(&a, &b, &product, NULL) == 0) {
            CHECK(pl_decimal_divide(&product, &b, &back, NULL) == 0);
            CHECK(pl_number_compare(&back, &a) == 0);
        }
        if (pl_decimal_floor_divide(&a, &b, &quotient, NULL) != 0 ||
            pl_decimal_modulo(&a, &b, &rest, NULL) != 0)
            continue;
        tried++;
        CHECK(quotient.exponent >= 0);
        CHECK(rest.coefficient == 0 || rest.negative == b.negative);
        CHECK(b.negative ? pl_number_compare(&rest, &b) > 0 : pl_number_compare(&rest, &b) < 0);
        CHECK(pl_decimal_multiply(&quotient, &b, &product, NULL) == 0);
        CHECK(pl_number_add(&product, &rest, &sum, NULL) == 0 && pl_number_compare(&sum, &a) == 0);
    }
    CHECK(tried > 10000);
    CHECK(pl_number_compare(&zero, &zero) == 0);
}

int main(void)
{
    RUN(results_are_those_of_pencil_and_paper);
    RUN(operations_undo_each_other);
    return test_summary();
}
