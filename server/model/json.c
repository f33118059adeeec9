/* SPDX-License-Identifier: MIT */
#include "model/json.h"

#include "model/json_run.h"

#include <stdio.h>

/*
 * The cursor over JSON text: strings, numbers and structure, and every strictness that
 * does not depend on what a value means. json_read.c makes values of it.
 */

void pl_json_reader_init(struct pl_json_reader *r, struct pl_bytes text, struct pl_arena *arena)
{
    /* A view of nothing may have no address, and the cursor does arithmetic on it. */
    const char *start = text.data != NULL ? text.data : "";

    *r = (struct pl_json_reader){ .at = start, .end = start + text.len, .start = start, .arena = arena };
}

static size_t offset(const struct pl_json_reader *r, const char *at)
{
    return (size_t)(at - r->start);
}

enum { FOUND_MAX = 32 };

static void describe(const struct pl_json_reader *r, char found[FOUND_MAX])
{
    unsigned char c;

    if (r->at == r->end) {
        snprintf(found, FOUND_MAX, "the end");
        return;
    }
    c = (unsigned char)*r->at;
    if (r->end - r->at >= 3 && memcmp(r->at, "\xEF\xBB\xBF", 3) == 0)
        snprintf(found, FOUND_MAX, "a byte order mark");
    else if (c > ' ' && c < 0x7F)
        snprintf(found, FOUND_MAX, c == '\'' ? "\"%c\"" : "'%c'", c);
    else
        snprintf(found, FOUND_MAX, "the byte 0x%02X", c);
}

int pl_json_unexpected(const struct pl_json_reader *r, const char *expected, struct pl_reason *why)
{
    char found[FOUND_MAX];

    describe(r, found);
    return pl_reason_set(why, PL_ESYNTAX, "expected %s at byte %zu, found %s", expected, offset(r, r->at),
                         found);
}

static void skip_space(struct pl_json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

enum pl_json_kind pl_json_peek(struct pl_json_reader *r)
{
    skip_space(r);
    if (r->at == r->end)
        return PL_JSON_END;
    switch (*r->at) {
    case '{':
        return PL_JSON_OBJECT;
    case '[':
        return PL_JSON_ARRAY;
    case '"':
        return PL_JSON_STRING;
    case 't':
        return PL_JSON_TRUE;
    case 'f':
        return PL_JSON_FALSE;
    case 'n':
        return PL_JSON_NULL;
    case '-':
    case '0' ... '9':
        return PL_JSON_NUMBER;
    default:
        return PL_JSON_BAD;
    }
}

/* --- strings --- */

/* Step over a string, checking all but its escapes. `raw` is what stands between the quotes. */
static int scan_string(struct pl_json_reader *r, struct pl_bytes *raw, bool *escaped, struct pl_reason *why)
{
    const char *start, *p;
    uint64_t high = 0;

    if (pl_json_peek(r) != PL_JSON_STRING)
        return pl_json_unexpected(r, "a string", why);
    start = r->at + 1;
    *escaped = false;
    for (p = start;;) {
        p = pl_json_run(p, r->end, &high);
        if (p == r->end)
            break;
        if (*p == '"') {
            *raw = pl_bytes(start, (size_t)(p - start));
            r->at = p + 1;
            if ((high & PL_JSON_HIGH_BITS) != 0 && !pl_bytes_is_utf8(*raw))
                return pl_reason_set(why, PL_ESYNTAX, "the string at byte %zu is not well-formed UTF-8",
                                     offset(r, start - 1));
            return 0;
        }
        if (*p != '\\')
            return pl_reason_set(
                why, PL_ESYNTAX,
                "a raw control character (0x%02X) in a string at byte %zu: write it as \\u%04X",
                (unsigned char)*p, offset(r, p), (unsigned char)*p);
        *escaped = true;
        if (r->end - p < 2)
            break;
        p += 2;
    }
    return pl_reason_set(why, PL_ESYNTAX, "the string that begins at byte %zu has no closing quote",
                         offset(r, start - 1));
}

static bool take_hex4(const char **p, const char *end, uint32_t *unit)
{
    uint32_t sum = 0;

    if (end - *p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = (*p)[i];

        if (c >= '0' && c <= '9')
            sum = sum << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            sum = sum << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *p += 4;
    *unit = sum;
    return true;
}

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* After "\u". NULL when all is well, else what is wrong. */
static const char *take_unicode(const char **p, const char *end, uint32_t *code)
{
    uint32_t low;

    if (!take_hex4(p, end, code))
        return "\\u wants four hexadecimal digits";
    if (is_low_surrogate(*code))
        return "a low surrogate with no high one before it";
    if (!is_high_surrogate(*code))
        return NULL;
    if (end - *p < 2 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return "a high surrogate with no low one behind it";
    *p += 2;
    if (!take_hex4(p, end, &low) || !is_low_surrogate(low))
        return "a high surrogate with no low one behind it";
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return NULL;
}

/* At a backslash. NULL when all is well, else what is wrong. */
static const char *take_escape(const char **p, const char *end, uint32_t *code)
{
    char letter = (*p)[1];

    *p += 2;
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        *code = (uint32_t)letter;
        return NULL;
    case 'b':
        *code = '\b';
        return NULL;
    case 'f':
        *code = '\f';
        return NULL;
    case 'n':
        *code = '\n';
        return NULL;
    case 'r':
        *code = '\r';
        return NULL;
    case 't':
        *code = '\t';
        return NULL;
    case 'u':
        return take_unicode(p, end, code);
    default:
        return "an escape that JSON does not have";
    }
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

/*
 * Replace the escapes of `raw`. `to` has room for raw.len bytes, for no escape is
 * shorter than what it stands for; or it is NULL, and the escapes are only checked.
 */
static int unescape(const struct pl_json_reader *r, struct pl_bytes raw, char *to, size_t *len,
                    struct pl_reason *why)
{
    const char *p = raw.data, *end = raw.data + raw.len, *start = to;

    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *plain_end = escape != NULL ? escape : end;
        const char *wrong;
        uint32_t code;

        if (to != NULL) {
            memcpy(to, p, (size_t)(plain_end - p));
            to += plain_end - p;
        }
        p = plain_end;
        if (escape == NULL)
            break;
        wrong = take_escape(&p, end, &code);
        if (wrong != NULL)
            return pl_reason_set(why, PL_ESYNTAX, "%s, at byte %zu", wrong, offset(r, escape));
        if (to != NULL)
            to = put_utf8(to, code);
    }
    if (to != NULL)
        *len = (size_t)(to - start);
    return 0;
}

int pl_json_take_string(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    struct pl_bytes raw;
    bool escaped;
    size_t len;
    char *to;
    int rc;

    rc = scan_string(r, &raw, &escaped, why);
    if (rc != 0)
        return rc;
    if (!escaped) {
        *out = raw;
        return 0;
    }
    to = pl_arena_alloc(r->arena, raw.len);
    if (to == NULL)
        return PL_ENOMEM;
    rc = unescape(r, raw, to, &len, why);
    if (rc != 0)
        return rc;
    *out = pl_bytes(to, len);
    return 0;
}

static int skip_string(struct pl_json_reader *r, struct pl_reason *why)
{
    struct pl_bytes raw;
    bool escaped;
    int rc;

    rc = scan_string(r, &raw, &escaped, why);
    if (rc != 0 || !escaped)
        return rc;
    return unescape(r, raw, NULL, NULL, why);
}

/* --- numbers and literals --- */

static bool is_digit(const struct pl_json_reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static int take_digits(struct pl_json_reader *r, struct pl_reason *why)
{
    if (!is_digit(r))
        return pl_json_unexpected(r, "a digit", why);
    while (is_digit(r))
        r->at++;
    return 0;
}

static bool take_char(struct pl_json_reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

int pl_json_take_number_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    const char *start;
    int rc = 0;

    if (pl_json_peek(r) != PL_JSON_NUMBER)
        return pl_json_unexpected(r, "a number", why);
    start = r->at;
    take_char(r, '-');
    if (!take_char(r, '0'))
        rc = take_digits(r, why);
    else if (is_digit(r))
        return pl_reason_set(why, PL_ESYNTAX, "a number with a leading zero at byte %zu", offset(r, start));
    if (rc == 0 && take_char(r, '.'))
        rc = take_digits(r, why);
    if (rc == 0 && (take_char(r, 'e') || take_char(r, 'E'))) {
        if (!take_char(r, '+'))
            take_char(r, '-');
        rc = take_digits(r, why);
    }
    if (rc != 0)
        return rc;
    *out = pl_bytes(start, (size_t)(r->at - start));
    return 0;
}

int pl_json_take_literal(struct pl_json_reader *r, struct pl_reason *why)
{
    static const char *const words[] = {
        [PL_JSON_TRUE] = "true", [PL_JSON_FALSE] = "false", [PL_JSON_NULL] = "null"
    };
    enum pl_json_kind kind = pl_json_peek(r);
    size_t len;

    if (kind != PL_JSON_TRUE && kind != PL_JSON_FALSE && kind != PL_JSON_NULL)
        return pl_json_unexpected(r, "true, false or null", why);
    len = strlen(words[kind]);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[kind], len) != 0)
        return pl_json_unexpected(r, words[kind], why);
    r->at += len;
    return 0;
}

/* --- structure --- */

static int enter(struct pl_json_reader *r, enum pl_json_kind kind, bool *more, struct pl_reason *why)
{
    bool object = kind == PL_JSON_OBJECT;

    if (pl_json_peek(r) != kind)
        return pl_json_unexpected(r, object ? "an object" : "an array", why);
    r->at++;
    skip_space(r);
    *more = !take_char(r, object ? '}' : ']');
    return 0;
}

int pl_json_enter_object(struct pl_json_reader *r, bool *more, struct pl_reason *why)
{
    return enter(r, PL_JSON_OBJECT, more, why);
}

int pl_json_enter_array(struct pl_json_reader *r, bool *more, struct pl_reason *why)
{
    return enter(r, PL_JSON_ARRAY, more, why);
}

static int take_colon(struct pl_json_reader *r, struct pl_reason *why)
{
    skip_space(r);
    return take_char(r, ':') ? 0 : pl_json_unexpected(r, "':'", why);
}

int pl_json_take_name(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    int rc;

    if (pl_json_peek(r) != PL_JSON_STRING)
        return pl_json_unexpected(r, "a name in double quotes", why);
    rc = pl_json_take_string(r, out, why);
    return rc != 0 ? rc : take_colon(r, why);
}

int pl_json_next(struct pl_json_reader *r, char close, bool *more, struct pl_reason *why)
{
    skip_space(r);
    if (take_char(r, ',')) {
        *more = true;
        return 0;
    }
    if (!take_char(r, close))
        return pl_json_unexpected(r, close == '}' ? "',' or '}'" : "',' or ']'", why);
    *more = false;
    return 0;
}

int pl_json_take_end(struct pl_json_reader *r, struct pl_reason *why)
{
    return pl_json_peek(r) == PL_JSON_END ? 0 : pl_json_unexpected(r, "the end", why);
}

/* --- stepping over --- */

/* Step over a scalar, or into an array or object: `*inside` says that a member of it comes next. */
static int skip_head(struct pl_json_reader *r, bool *inside, struct pl_reason *why)
{
    struct pl_bytes text;

    *inside = false;
    switch (pl_json_peek(r)) {
    case PL_JSON_OBJECT:
        return pl_json_enter_object(r, inside, why);
    case PL_JSON_ARRAY:
        return pl_json_enter_array(r, inside, why);
    case PL_JSON_STRING:
        return skip_string(r, why);
    case PL_JSON_NUMBER:
        return pl_json_take_number_text(r, &text, why);
    case PL_JSON_TRUE:
    case PL_JSON_FALSE:
    case PL_JSON_NULL:
        return pl_json_take_literal(r, why);
    default:
        return pl_json_unexpected(r, "a value", why);
    }
}

static int skip_name(struct pl_json_reader *r, struct pl_reason *why)
{
    int rc;

    if (pl_json_peek(r) != PL_JSON_STRING)
        return pl_json_unexpected(r, "a name in double quotes", why);
    rc = skip_string(r, why);
    return rc != 0 ? rc : take_colon(r, why);
}

/* Not recursive: the closing brackets still owed are the whole state. */
int pl_json_skip(struct pl_json_reader *r, struct pl_reason *why)
{
    enum { NESTING_MAX = 128 };
    char owed[NESTING_MAX];
    size_t depth = 0;
    int rc;

    for (;;) {
        char close = pl_json_peek(r) == PL_JSON_OBJECT ? '}' : ']';
        bool more;

        rc = skip_head(r, &more, why);
        if (rc != 0)
            return rc;
        if (more) {
            if (depth == NESTING_MAX)
                return pl_reason_set(why, PL_ESYNTAX, "more than %d levels of nesting at byte %zu",
                                     NESTING_MAX, offset(r, r->at));
            owed[depth++] = close;
        }
        while (!more && depth > 0) {
            rc = pl_json_next(r, owed[depth - 1], &more, why);
            if (rc != 0)
                return rc;
            if (!more)
                depth--;
        }
        if (depth == 0)
            return 0;
        if (owed[depth - 1] == '}') {
            rc = skip_name(r, why);
            if (rc != 0)
                return rc;
        }
    }
}
