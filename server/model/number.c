/* SPDX-License-Identifier: MIT */
#include "model/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * 38 digits fit an unsigned 128-bit integer with room to spare (10^38 is 0.29 of
 * 2^128), so a number is one integer and a power of ten. Dividing 128 bits is slow,
 * so digits leave in groups of 18, which 64 bits hold.
 */
typedef unsigned __int128 u128;

enum {
    ADJUSTED_MIN = -130, /* the exponent of the first digit */
    ADJUSTED_MAX = 125,
    CLASS_NEGATIVE = 0x40,
    CLASS_ZERO = 0x80,
    CLASS_POSITIVE = 0xC0,
    GROUP_DIGITS = 18,
};

#define TEN_POWERS_FROM(power)                                                                               \
    (power), (power)*10, (power)*100, (power)*1000, (power)*10000, (power)*100000, (power)*1000000,          \
        (power)*10000000, (power)*100000000, (power)*1000000000
#define E10 ((u128)UINT64_C(10000000000))

static const u128 tens[PL_NUMBER_DIGITS_MAX + 1 + 1] = {
    TEN_POWERS_FROM((u128)1),
    TEN_POWERS_FROM(E10),
    TEN_POWERS_FROM(E10 *E10),
    /* 10^39 is more than 2^128, so the last entry is nonsense, and never used. */
    TEN_POWERS_FROM(E10 *E10 *E10),
};

static const char overflow_text[] =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
static const char underflow_text[] =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";

/* Digits of `v`; 0 has none. A product of its bit count and log10(2) is right or one too low. */
static int digit_count(u128 v)
{
    uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;
    int bits, guess;

    if (v == 0)
        return 0;
    bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
    guess = bits * 1233 >> 12;
    return guess + (v >= tens[guess]);
}

/* Take trailing zeros out of `*coefficient`, which is not 0. Returns how many there were. */
static int trim(u128 *coefficient)
{
    u128 c = *coefficient;
    uint64_t small;
    int zeros = 0;

    while (c > UINT64_MAX) {
        u128 tenth = c / 10;

        if (c != tenth * 10)
            break;
        c = tenth;
        zeros++;
    }
    if (c <= UINT64_MAX) {
        for (small = (uint64_t)c; small % 10 == 0; small /= 10)
            zeros++;
        c = small;
    }
    *coefficient = c;
    return zeros;
}

/* The one place that decides what is a legal number; `too_long` is the sentence for a 39th digit. */
static int settle(u128 coefficient, int64_t exponent, bool negative, const char *too_long,
                  struct pl_number *out, struct pl_reason *why)
{
    int64_t first;

    if (coefficient == 0) {
        *out = (struct pl_number){ 0 };
        return 0;
    }
    exponent += trim(&coefficient);
    first = exponent + digit_count(coefficient) - 1;
    if (first > ADJUSTED_MAX)
        return pl_reason_set(why, PL_EINVALID, "%s", overflow_text);
    if (first < ADJUSTED_MIN)
        return pl_reason_set(why, PL_EINVALID, "%s", underflow_text);
    if (digit_count(coefficient) > PL_NUMBER_DIGITS_MAX)
        return pl_reason_set(why, PL_EINVALID, "%s", too_long);
    *out =
        (struct pl_number){ .coefficient = coefficient, .exponent = (int16_t)exponent, .negative = negative };
    return 0;
}

/* ---- text ---- */

/* Digits as they are read. Zeros wait until another digit shows that they are not the last. */
struct reading {
    u128 coefficient;
    int64_t digits; /* significant ones, waiting zeros not counted */
    int64_t zeros;  /* waiting */
    int64_t scale;  /* digits behind the point */
    bool any;
};

static void read_digit(struct reading *r, int digit, bool behind_point)
{
    r->any = true;
    r->scale += behind_point;
    if (digit == 0) {
        r->zeros += r->digits > 0;
        return;
    }
    if (r->digits + r->zeros < PL_NUMBER_DIGITS_MAX)
        r->coefficient = r->coefficient * tens[r->zeros + 1] + (unsigned)digit;
    r->digits += r->zeros + 1;
    r->zeros = 0;
}

static const char *read_digits(struct reading *r, const char *p, const char *end)
{
    bool behind_point = false;

    for (; p < end; p++) {
        if (*p >= '0' && *p <= '9')
            read_digit(r, *p - '0', behind_point);
        else if (*p == '.' && !behind_point)
            behind_point = true;
        else
            break;
    }
    return p;
}

/* The exponent after its 'e'. Past any text that memory holds, more digits change nothing. */
static const char *read_exponent(int64_t *exponent, const char *p, const char *end)
{
    const int64_t enough = INT64_C(1) << 56;
    bool negative = false;
    int64_t sum = 0;
    const char *first;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    for (first = p; p < end && *p >= '0' && *p <= '9'; p++)
        if (sum < enough)
            sum = sum * 10 + (*p - '0');
    if (p == first)
        return NULL;
    *exponent = negative ? -sum : sum;
    return p;
}

static int not_numeric(struct pl_bytes text, struct pl_reason *why)
{
    static const char sentence[] = "The parameter cannot be converted to a numeric value";

    if (text.len == 0 || !pl_bytes_is_utf8(text))
        return pl_reason_set(why, PL_EINVALID, "%s", sentence);
    return pl_reason_set(why, PL_EINVALID, "%s: %.*s", sentence,
                         (int)(text.len < PL_REASON_MAX ? text.len : PL_REASON_MAX), text.data);
}

int pl_number_parse(struct pl_bytes text, struct pl_number *out, struct pl_reason *why)
{
    static const char too_long[] = "Attempting to store more than 38 significant digits in a Number";
    struct reading r = { 0 };
    int64_t exponent = 0, first;
    bool negative = false;
    const char *p, *end;

    if (text.len == 0)
        return not_numeric(text, why);
    p = text.data;
    end = p + text.len;
    if (*p == '+' || *p == '-')
        negative = *p++ == '-';
    p = read_digits(&r, p, end);
    if (!r.any)
        return not_numeric(text, why);
    if (p < end && (*p == 'e' || *p == 'E'))
        p = read_exponent(&exponent, p + 1, end);
    if (p != end)
        return not_numeric(text, why);

    exponent += r.zeros - r.scale;
    if (r.digits <= PL_NUMBER_DIGITS_MAX)
        return settle(r.coefficient, exponent, negative, too_long, out, why);
    first = exponent + r.digits - 1;
    return pl_reason_set(why, PL_EINVALID, "%s",
                         first > ADJUSTED_MAX   ? overflow_text
                         : first < ADJUSTED_MIN ? underflow_text
                                                : too_long);
}

/* The last `count` digits of `v`, zeros in front when there are fewer. */
static void write_group(char *at, uint64_t v, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* The `count` digits of `v`, where `count` is its digit count. */
static void write_digits(char *at, u128 v, int count)
{
    while (count > GROUP_DIGITS) {
        count -= GROUP_DIGITS;
        write_group(at + count, (uint64_t)(v % tens[GROUP_DIGITS]), GROUP_DIGITS);
        v /= tens[GROUP_DIGITS];
    }
    write_group(at, (uint64_t)v, count);
}

size_t pl_number_format(const struct pl_number *number, char text[PL_NUMBER_TEXT_MAX])
{
    int count = digit_count(number->coefficient);
    int whole = count + number->exponent; /* digits in front of the point */
    char *p = text;

    if (count == 0) {
        memcpy(text, "0", 2);
        return 1;
    }
    if (number->negative)
        *p++ = '-';
    if (number->exponent >= 0) {
        write_digits(p, number->coefficient, count);
        memset(p + count, '0', (size_t)number->exponent);
        p += whole;
    } else if (whole > 0) {
        write_digits(p + 1, number->coefficient, count);
        memmove(p, p + 1, (size_t)whole);
        p[whole] = '.';
        p += count + 1;
    } else {
        memset(p, '0', (size_t)(2 - whole));
        p[1] = '.';
        p += 2 - whole;
        write_digits(p, number->coefficient, count);
        p += count;
    }
    *p = '\0';
    return (size_t)(p - text);
}

/* ---- the stored form ---- */

size_t pl_number_encode(const struct pl_number *number, uint8_t out[PL_NUMBER_ENCODED_MAX])
{
    u128 v = number->coefficient;
    int count = digit_count(v), pairs = (count + 1) / 2, left = pairs;
    uint8_t flip = number->negative ? 0xFF : 0;

    if (count == 0) {
        out[0] = CLASS_ZERO;
        return 1;
    }
    if (count % 2 != 0)
        v *= 10;
    out[0] = number->negative ? CLASS_NEGATIVE : CLASS_POSITIVE;
    out[1] = (uint8_t)(number->exponent + count - 1 - ADJUSTED_MIN) ^ flip;
    while (left > 0) {
        uint64_t group = left > GROUP_DIGITS / 2 ? (uint64_t)(v % tens[GROUP_DIGITS]) : (uint64_t)v;
        int stop = left > GROUP_DIGITS / 2 ? left - GROUP_DIGITS / 2 : 0;

        for (; left > stop; left--) {
            out[1 + left] = (uint8_t)(group % 100 + 1) ^ flip;
            group /= 100;
        }
        v /= tens[GROUP_DIGITS];
    }
    out[2 + pairs] = flip;
    return (size_t)pairs + 3;
}

size_t pl_number_encoded_length(struct pl_bytes in)
{
    const uint8_t *p = (const uint8_t *)in.data;
    size_t most = in.len < PL_NUMBER_ENCODED_MAX ? in.len : PL_NUMBER_ENCODED_MAX;
    uint8_t stop;

    if (in.len == 0)
        return 0;
    if (p[0] == CLASS_ZERO)
        return 1;
    if (p[0] != CLASS_POSITIVE && p[0] != CLASS_NEGATIVE)
        return 0;
    stop = p[0] == CLASS_POSITIVE ? 0 : 0xFF;
    for (size_t i = 2; i < most; i++)
        if (p[i] == stop)
            return i > 2 ? i + 1 : 0;
    return 0;
}

int pl_number_decode(struct pl_bytes in, struct pl_number *out)
{
    const uint8_t *p = (const uint8_t *)in.data;
    size_t len = pl_number_encoded_length(in);
    u128 coefficient = 0;
    uint8_t flip;
    int pairs, exponent, last = 0;

    if (len == 0 || len != in.len)
        return PL_ECORRUPT;
    if (len == 1) {
        *out = (struct pl_number){ 0 };
        return 0;
    }
    flip = p[0] == CLASS_NEGATIVE ? 0xFF : 0;
    pairs = (int)len - 3;
    for (int i = 0; i < pairs;) {
        uint64_t group = 0;
        int first = i;

        for (; i < pairs && i < first + GROUP_DIGITS / 2; i++) {
            last = (p[2 + i] ^ flip) - 1;
            if (last > 99)
                return PL_ECORRUPT;
            group = group * 100 + (unsigned)last;
        }
        coefficient = coefficient * tens[2 * (i - first)] + group;
    }
    if ((p[2] ^ flip) - 1 < 10 || last == 0)
        return PL_ECORRUPT;
    exponent = (p[1] ^ flip) + ADJUSTED_MIN - 2 * pairs + 1;
    if (last % 10 == 0) {
        coefficient /= 10;
        exponent++;
    }
    *out = (struct pl_number){ .coefficient = coefficient,
                               .exponent = (int16_t)exponent,
                               .negative = flip != 0 };
    return 0;
}

/* ---- size ---- */

static uint32_t size_bytes(int digits, int exponent, bool negative)
{
    int whole = digits + exponent, fraction = -exponent;

    if (exponent >= 0) {
        whole = digits;
        fraction = 0;
    } else if (whole <= 0) {
        whole = 0;
        fraction = digits;
    }
    return (uint32_t)(1 + (whole + 1) / 2 + (fraction + 1) / 2 + negative);
}

uint32_t pl_number_size_bytes(const struct pl_number *number)
{
    if (number->coefficient == 0)
        return 1;
    return size_bytes(digit_count(number->coefficient), number->exponent, number->negative);
}

uint32_t pl_number_encoded_size_bytes(struct pl_bytes in)
{
    const uint8_t *p = (const uint8_t *)in.data;
    uint8_t flip;
    int digits;

    if (in.len < 4)
        return 1;
    flip = p[0] == CLASS_NEGATIVE ? 0xFF : 0;
    digits = 2 * ((int)in.len - 3);
    if (((p[in.len - 2] ^ flip) - 1) % 10 == 0)
        digits--;
    return size_bytes(digits, (p[1] ^ flip) + ADJUSTED_MIN - digits + 1, flip != 0);
}

/* ---- order and arithmetic ---- */

static int compare_magnitude(const struct pl_number *a, const struct pl_number *b)
{
    int a_digits = digit_count(a->coefficient), b_digits = digit_count(b->coefficient);
    int a_first = a->exponent + a_digits, b_first = b->exponent + b_digits;
    u128 x, y;

    if (a_first != b_first)
        return a_first < b_first ? -1 : 1;
    x = a->coefficient * tens[PL_NUMBER_DIGITS_MAX - a_digits];
    y = b->coefficient * tens[PL_NUMBER_DIGITS_MAX - b_digits];
    return x < y ? -1 : x > y;
}

static int sign(const struct pl_number *n)
{
    return n->coefficient == 0 ? 0 : n->negative ? -1 : 1;
}

int pl_number_compare(const struct pl_number *a, const struct pl_number *b)
{
    int a_sign = sign(a), b_sign = sign(b);

    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    return a_sign == 0 ? 0 : a_sign * compare_magnitude(a, b);
}

/*
 * Both are brought to the lower exponent. There the lower one has a last digit that
 * is not zero and the other has a zero, so no digit of the result can be trimmed: it
 * needs them all. The lower one is below 10^38; a higher one of 2 * 10^38 or more
 * leaves at least 39 digits even of a difference, and one below it leaves a sum below
 * 3 * 10^38, which 128 bits hold.
 */
int pl_number_add(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                  struct pl_reason *why)
{
    const struct pl_number *high = a->exponent >= b->exponent ? a : b, *low = high == a ? b : a;
    int shift = high->exponent - low->exponent;
    u128 x, y;

    if (a->coefficient == 0 || b->coefficient == 0) {
        *out = a->coefficient == 0 ? *b : *a;
        return 0;
    }
    if (shift > PL_NUMBER_DIGITS_MAX ||
        high->coefficient > (2 * tens[PL_NUMBER_DIGITS_MAX] - 1) / tens[shift])
        return pl_reason_set(why, PL_EINVALID, "%s", overflow_text);
    x = high->coefficient * tens[shift];
    y = low->coefficient;
    if (high->negative == low->negative)
        return settle(x + y, low->exponent, low->negative, overflow_text, out, why);
    if (x >= y)
        return settle(x - y, low->exponent, high->negative, overflow_text, out, why);
    return settle(y - x, low->exponent, low->negative, overflow_text, out, why);
}

int pl_number_subtract(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                       struct pl_reason *why)
{
    struct pl_number minus_b = *b;

    minus_b.negative = b->coefficient != 0 && !b->negative;
    return pl_number_add(a, &minus_b, out, why);
}

/* ---- the machine's own numbers ---- */

void pl_number_from_int64(int64_t value, struct pl_number *out)
{
    u128 coefficient = value < 0 ? -(uint64_t)value : (uint64_t)value;

    *out = (struct pl_number){ 0 };
    if (value == 0)
        return;
    out->exponent = (int16_t)trim(&coefficient);
    out->coefficient = coefficient;
    out->negative = value < 0;
}

bool pl_number_to_int64(const struct pl_number *number, int64_t *out)
{
    uint64_t limit = (uint64_t)INT64_MAX + number->negative;
    u128 v;

    if (number->exponent < 0 || number->exponent > 18 || number->coefficient > limit)
        return false;
    v = number->coefficient * tens[number->exponent];
    if (v > limit)
        return false;
    *out = number->negative ? (int64_t) - (uint64_t)v : (int64_t)v;
    return true;
}

bool pl_number_floor_int64(const struct pl_number *number, int64_t *out)
{
    struct pl_number whole = *number;

    if (number->exponent >= 0)
        return pl_number_to_int64(number, out);
    /* There are no trailing zeros, so something is always cut off. */
    whole.coefficient =
        number->exponent < -PL_NUMBER_DIGITS_MAX ? 0 : number->coefficient / tens[-number->exponent];
    whole.coefficient += number->negative;
    whole.exponent = 0;
    return pl_number_to_int64(&whole, out);
}

/*
 * The point in printf's and strtod's text depends on the locale of whoever embeds us,
 * so it is skipped here, whatever it is, and never given to strtod: "12e-1" has none.
 */
static int from_scientific(const char *text, struct pl_number *out, struct pl_reason *why)
{
    struct reading r = { 0 };
    bool negative = *text == '-';
    int64_t exponent = 0;
    const char *p;

    for (p = text + negative; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            read_digit(&r, *p - '0', r.any);
    read_exponent(&exponent, p + 1, p + strlen(p));
    return settle(r.coefficient, exponent + r.zeros - r.scale, negative, overflow_text, out, why);
}

int pl_number_from_double(double value, struct pl_number *out, struct pl_reason *why)
{
    const double integers_end = 9007199254740992.0; /* 2^53: below it every integer is a double */
    char text[64];

    if (!isfinite(value))
        return not_numeric(isnan(value) ? pl_str("NaN")
                           : value < 0  ? pl_str("-Infinity")
                                        : pl_str("Infinity"),
                           why);
    if (fabs(value) < integers_end && value == (double)(int64_t)value) {
        pl_number_from_int64((int64_t)value, out);
        return 0;
    }
    for (int decimals = 14; decimals <= 16; decimals++) {
        snprintf(text, sizeof text, "%.*e", decimals, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return from_scientific(text, out, why);
}

/* Both operands are exact and the one rounding of the division or product is right (Clinger 1990). */
static bool quick_double(const struct pl_number *n, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

    if (n->coefficient >> 53 != 0 || n->exponent < -22 || n->exponent > 22)
        return false;
    *out = (double)(uint64_t)n->coefficient;
    if (n->exponent < 0)
        *out /= powers[-n->exponent];
    else
        *out *= powers[n->exponent];
    return true;
}

/* 15 digits always survive a double, and 18 never come back from one. */
static bool survives(const struct pl_number *n, double value)
{
    int digits = digit_count(n->coefficient);
    struct pl_number back;

    if (digits <= 15)
        return true;
    return digits <= 17 && pl_number_from_double(value, &back, NULL) == 0 && pl_number_compare(n, &back) == 0;
}

double pl_number_to_double(const struct pl_number *number, bool *exact)
{
    char text[64];
    double value;
    int count;

    if (!quick_double(number, &value)) {
        count = digit_count(number->coefficient);
        write_digits(text, number->coefficient, count);
        snprintf(text + count, sizeof text - (size_t)count, "e%d", number->exponent);
        value = strtod(text, NULL);
    }
    if (number->negative)
        value = -value;
    *exact = survives(number, value);
    return value;
}
