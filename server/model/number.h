/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_NUMBER_H
#define PL_MODEL_NUMBER_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * A decimal number with up to 38 significant digits, as DynamoDB has them: 0, or
 * a magnitude from 1E-130 to 9.99...E+125. Never a double.
 *
 *     value = (negative ? -1 : 1) * coefficient * 10^exponent
 *
 * Always normalised: no trailing zeros in the coefficient, and zero is { 0 }, so
 * that equal values have equal fields.
 */
struct pl_number {
    unsigned __int128 coefficient;
    int16_t exponent;
    bool negative;
};

enum {
    PL_NUMBER_DIGITS_MAX = 38,
    PL_NUMBER_TEXT_MAX = 176,   /* sign, "0.", 130 zeros, 38 digits, NUL and some air */
    PL_NUMBER_ENCODED_MAX = 22, /* class, exponent, 19 digit pairs, terminator */
};

/**
 * Read DynamoDB's number text: sign, digits with optional point, exponent. Fails
 * with PL_EINVALID and one of DynamoDB's sentences.
 */
int pl_number_parse(struct pl_bytes text, struct pl_number *out, struct pl_reason *why);

/** Plain decimal, never an exponent, NUL-terminated. Returns the length. */
size_t pl_number_format(const struct pl_number *number, char text[PL_NUMBER_TEXT_MAX]);

/**
 * The stored form. Comparing two encodings as bytes compares the numbers, equal
 * numbers have one encoding, and the encoding ends itself, so that more can
 * follow it in a key:
 *
 *     zero       80
 *     positive   C0, adjusted exponent + 130, digit pairs + 1 (01..64), 00
 *     negative   40, the complement of a positive's remaining bytes
 *
 * (The adjusted exponent is that of the first digit: -130..125, one byte.)
 * Returns the length.
 */
size_t pl_number_encode(const struct pl_number *number, uint8_t out[PL_NUMBER_ENCODED_MAX]);

/** Read an encoding that fills `in` exactly. PL_ECORRUPT when it is none in canonical form. */
int pl_number_decode(struct pl_bytes in, struct pl_number *out);

/** The length of the encoding at the front of `in`, 0 when there is no whole one. */
size_t pl_number_encoded_length(struct pl_bytes in);

/** Negative, 0 or positive. */
int pl_number_compare(const struct pl_number *a, const struct pl_number *b);

/**
 * Exact sum and difference. PL_EINVALID with DynamoDB's text when the result is out
 * of range or needs more than 38 digits.
 */
int pl_number_add(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                  struct pl_reason *why);
int pl_number_subtract(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                       struct pl_reason *why);

/** Bytes as DynamoDB counts them. */
uint32_t pl_number_size_bytes(const struct pl_number *number);
/** The same of an encoding that is known to be sound, without decoding it. */
uint32_t pl_number_encoded_size_bytes(struct pl_bytes in);

void pl_number_from_int64(int64_t value, struct pl_number *out);

/** True when the value is an integer that fits. */
bool pl_number_to_int64(const struct pl_number *number, int64_t *out);

/** The same of the value without its fraction, rounded down. */
bool pl_number_floor_int64(const struct pl_number *number, int64_t *out);

/**
 * The shortest decimal that reads back as `value`. PL_EINVALID for NaN, infinities and
 * what is out of range.
 */
int pl_number_from_double(double value, struct pl_number *out, struct pl_reason *why);

/** The nearest double; `*exact` says whether pl_number_from_double() of it gives the number back. */
double pl_number_to_double(const struct pl_number *number, bool *exact);

#endif
