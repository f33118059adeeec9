/* SPDX-License-Identifier: MIT */
#include "script/decimal.h"

/*
 * A coefficient has up to 38 digits, a product of two up to 76. Products are made in
 * limbs of nine digits. Quotients come digit by digit, as on paper.
 */
typedef unsigned __int128 coefficient;

enum { LIMB = 1000000000, LIMBS = 5, EXPONENT_MIN = -130, EXPONENT_MAX = 125 };

/* 10^37: what is not below it has no room for a 39th digit. */
#define FULL ((coefficient)10000000000000000000u * 1000000000000000000u)

static const char too_long[] = "the result needs more than 38 digits";

static void split(coefficient c, uint32_t limbs[LIMBS])
{
    for (int i = 0; i < LIMBS; i++) {
        limbs[i] = (uint32_t)(c % LIMB);
        c /= LIMB;
    }
}

/* Divide the limbs by ten and return the digit that falls out. */
static uint32_t drop_digit(uint32_t limbs[2 * LIMBS])
{
    uint64_t rest = 0;

    for (int i = 2 * LIMBS - 1; i >= 0; i--) {
        uint64_t value = rest * LIMB + limbs[i];

        limbs[i] = (uint32_t)(value / 10);
        rest = value % 10;
    }
    return (uint32_t)rest;
}

static int digit_count(coefficient c)
{
    int count = 0;

    for (; c != 0; c /= 10)
        count++;
    return count;
}

/* The only place where a result is made: trailing zeros go, range is checked. */
static int finish(coefficient c, int exponent, bool negative, struct pl_number *out, struct pl_reason *why)
{
    int leading;

    if (c == 0) {
        *out = (struct pl_number){ 0 };
        return 0;
    }
    for (; c % 10 == 0; c /= 10)
        exponent++;
    leading = digit_count(c) - 1 + exponent;
    if (digit_count(c) > PL_NUMBER_DIGITS_MAX)
        return pl_reason_set(why, PL_EINVALID, "%s", too_long);
    if (leading > EXPONENT_MAX)
        return pl_reason_set(
            why, PL_EINVALID,
            "Number overflow. Attempting to store a number with magnitude larger than supported range");
    if (leading < EXPONENT_MIN)
        return pl_reason_set(
            why, PL_EINVALID,
            "Number underflow. Attempting to store a number with magnitude smaller than supported range");
    *out = (struct pl_number){ .coefficient = c, .exponent = (int16_t)exponent, .negative = negative };
    return 0;
}

int pl_decimal_multiply(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                        struct pl_reason *why)
{
    uint32_t x[LIMBS], y[LIMBS], product[2 * LIMBS] = { 0 }, trimmed[2 * LIMBS];
    int exponent = a->exponent + b->exponent;
    coefficient c = 0;

    if (a->coefficient == 0 || b->coefficient == 0)
        return finish(0, 0, false, out, why);
    split(a->coefficient, x);
    split(b->coefficient, y);
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;

        for (int j = 0; j < LIMBS; j++) {
            uint64_t sum = product[i + j] + (uint64_t)x[i] * y[j] + carry;

            product[i + j] = (uint32_t)(sum % LIMB);
            carry = sum / LIMB;
        }
        product[i + LIMBS] = (uint32_t)carry;
    }
    for (;;) {
        memcpy(trimmed, product, sizeof product);
        if (drop_digit(trimmed) != 0)
            break;
        memcpy(product, trimmed, sizeof product);
        exponent++;
    }
    for (int i = 2 * LIMBS - 1; i >= 0; i--) {
        if (c > (~(coefficient)0 - product[i]) / LIMB)
            return pl_reason_set(why, PL_EINVALID, "%s", too_long);
        c = c * LIMB + product[i];
    }
    return finish(c, exponent, a->negative != b->negative, out, why);
}

/*
 * One more digit of rest / divisor; `*rest` becomes what remains. Ten times the rest
 * may not fit, so it is made of doublings that are reduced at once: 10 = (1 * 2 * 2 + 1) * 2.
 */
static uint32_t next_digit(coefficient *rest, coefficient divisor)
{
    coefficient r = *rest;
    uint32_t digit = 0;

    for (int i = 0; i < 4; i++) {
        coefficient more = i == 2 ? *rest : r;

        digit = i == 2 ? digit : digit * 2;
        r += more;
        if (r >= divisor) {
            r -= divisor;
            digit++;
        }
    }
    *rest = r;
    return digit;
}

static int refuse_zero(const struct pl_number *divisor, struct pl_reason *why)
{
    if (divisor->coefficient == 0)
        return pl_reason_set(why, PL_EINVALID, "attempt to divide by zero");
    return 0;
}

int pl_decimal_divide(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                      struct pl_reason *why)
{
    coefficient quotient, rest;
    int exponent = a->exponent - b->exponent;
    int rc = refuse_zero(b, why);

    if (rc != 0)
        return rc;
    quotient = a->coefficient / b->coefficient;
    rest = a->coefficient % b->coefficient;
    while (rest != 0) {
        if (quotient >= FULL)
            return pl_reason_set(why, PL_EINVALID, "%s", too_long);
        quotient = quotient * 10 + next_digit(&rest, b->coefficient);
        exponent--;
    }
    return finish(quotient, exponent, a->negative != b->negative, out, why);
}

int pl_decimal_floor_divide(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                            struct pl_reason *why)
{
    coefficient quotient, rest;
    int exponent = a->exponent - b->exponent;
    bool negative = a->negative != b->negative, whole;
    int rc = refuse_zero(b, why);

    if (rc != 0)
        return rc;
    quotient = a->coefficient / b->coefficient;
    rest = a->coefficient % b->coefficient;
    for (; exponent > 0 && rest != 0; exponent--) {
        if (quotient >= FULL)
            return pl_reason_set(why, PL_EINVALID, "%s", too_long);
        quotient = quotient * 10 + next_digit(&rest, b->coefficient);
    }
    whole = rest == 0;
    for (; exponent < 0 && (quotient != 0 || !whole); exponent++) {
        whole = whole && quotient % 10 == 0;
        if (quotient == 0)
            break;
        quotient /= 10;
    }
    if (negative && !whole) {
        quotient++; /* there is a rest, so no digit of the integer is missing */
        exponent = 0;
    }
    return finish(quotient, exponent < 0 ? 0 : exponent, negative, out, why);
}

int pl_decimal_modulo(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                      struct pl_reason *why)
{
    struct pl_number quotient, product;
    int rc = pl_decimal_floor_divide(a, b, &quotient, why);

    if (rc == 0)
        rc = pl_decimal_multiply(&quotient, b, &product, why);
    if (rc == 0)
        rc = pl_number_subtract(a, &product, out, why);
    return rc;
}
