/* SPDX-License-Identifier: MIT */
#include "model/number.h"

#include <stdlib.h>

/*
 * Two texts, split at the first blank. What is read comes back from its text and from
 * its encoding, and the two are ordered alike both ways; their sum less one is the other.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static bool same(const struct pl_number *a, const struct pl_number *b)
{
    return a->coefficient == b->coefficient && a->exponent == b->exponent && a->negative == b->negative;
}

static bool read_number(struct pl_bytes text, struct pl_number *number)
{
    char plain[PL_NUMBER_TEXT_MAX];
    uint8_t encoded[PL_NUMBER_ENCODED_MAX];
    struct pl_number back;
    struct pl_reason why = { 0 };
    struct pl_bytes in;
    double value;
    bool exact;
    int rc = pl_number_parse(text, number, &why);

    if (rc != 0) {
        check(rc == PL_EINVALID && why.text[0] != '\0' && pl_bytes_is_utf8(pl_str(why.text)));
        return false;
    }
    check(pl_number_format(number, plain) == strlen(plain) && strlen(plain) < PL_NUMBER_TEXT_MAX);
    check(pl_number_parse(pl_str(plain), &back, NULL) == 0 && same(number, &back));
    in = pl_bytes(encoded, pl_number_encode(number, encoded));
    check(in.len <= PL_NUMBER_ENCODED_MAX && pl_number_encoded_length(in) == in.len);
    check(pl_number_decode(in, &back) == 0 && same(number, &back));
    check(pl_number_size_bytes(number) == pl_number_encoded_size_bytes(in));
    value = pl_number_to_double(number, &exact);
    if (exact)
        check(pl_number_from_double(value, &back, NULL) == 0 && same(number, &back));
    return true;
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static void check_pair(const struct pl_number *a, const struct pl_number *b)
{
    uint8_t a_bytes[PL_NUMBER_ENCODED_MAX], b_bytes[PL_NUMBER_ENCODED_MAX];
    struct pl_bytes a_view = pl_bytes(a_bytes, pl_number_encode(a, a_bytes));
    struct pl_bytes b_view = pl_bytes(b_bytes, pl_number_encode(b, b_bytes));
    struct pl_number sum, other, back;

    check(sign_of(pl_number_compare(a, b)) == sign_of(pl_bytes_compare(a_view, b_view)));
    check(pl_number_compare(a, b) == -pl_number_compare(b, a));
    if (pl_number_add(a, b, &sum, NULL) != 0)
        return;
    check(pl_number_add(b, a, &other, NULL) == 0 && same(&sum, &other));
    if (pl_number_subtract(&sum, b, &back, NULL) == 0)
        check(same(&back, a));
}

/* An encoding that is read is the only one of its number. */
static void check_encoding(struct pl_bytes in)
{
    uint8_t again[PL_NUMBER_ENCODED_MAX];
    struct pl_number number;
    size_t len = pl_number_encoded_length(in);

    check(len <= in.len && len <= PL_NUMBER_ENCODED_MAX);
    if (pl_number_decode(pl_bytes(in.data, len), &number) == 0)
        check(pl_bytes_equal(pl_bytes(again, pl_number_encode(&number, again)), pl_bytes(in.data, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *blank = size == 0 ? NULL : memchr(data, ' ', size);
    size_t first = blank == NULL ? size : (size_t)(blank - (const char *)data);
    struct pl_number a, b;
    double value;

    if (read_number(pl_bytes(data, first), &a) && blank != NULL &&
        read_number(pl_bytes(blank + 1, size - first - 1), &b))
        check_pair(&a, &b);
    check_encoding(pl_bytes(data, size));
    if (size >= sizeof value) {
        memcpy(&value, data, sizeof value);
        if (pl_number_from_double(value, &a, NULL) == 0) {
            bool exact;

            check(pl_number_to_double(&a, &exact) == value && exact);
        }
    }
    return 0;
}
