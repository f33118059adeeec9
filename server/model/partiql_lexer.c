/* SPDX-License-Identifier: MIT */
#include "model/partiql_internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char byte_at(const struct pl_partiql_lexer *lexer, size_t at)
{
    return at < lexer->text.len ? lexer->text.data[at] : '\0';
}

static size_t skip_space(const struct pl_partiql_lexer *lexer, size_t at)
{
    while (at < lexer->text.len && strchr(" \t\r\n", lexer->text.data[at]) != NULL)
        at++;
    return at;
}

/* Up to the quote that ends it; two of them stand for one. */
static size_t quoted_end(const struct pl_partiql_lexer *lexer, size_t at, char quote)
{
    for (; at < lexer->text.len; at++) {
        if (lexer->text.data[at] != quote)
            continue;
        if (byte_at(lexer, at + 1) != quote)
            return at;
        at++;
    }
    return at;
}

static size_t number_end(const struct pl_partiql_lexer *lexer, size_t at)
{
    while (is_digit(byte_at(lexer, at)))
        at++;
    if (byte_at(lexer, at) == '.' && is_digit(byte_at(lexer, at + 1)))
        for (at++; is_digit(byte_at(lexer, at));)
            at++;
    if (byte_at(lexer, at) == 'e' || byte_at(lexer, at) == 'E') {
        size_t digits = at + 1;

        if (byte_at(lexer, digits) == '+' || byte_at(lexer, digits) == '-')
            digits++;
        if (is_digit(byte_at(lexer, digits)))
            for (at = digits; is_digit(byte_at(lexer, at));)
                at++;
    }
    return at;
}

static size_t sign_len(const struct pl_partiql_lexer *lexer, size_t at)
{
    static const char *const pairs[] = { "<<", ">>", "<>", "!=", "<=", ">=", NULL };

    for (int i = 0; pairs[i] != NULL; i++)
        if (byte_at(lexer, at) == pairs[i][0] && byte_at(lexer, at + 1) == pairs[i][1])
            return 2;
    return strchr("?()[]{},.:*=<>+-", lexer->text.data[at]) != NULL ? 1 : 0;
}

static void set_token(struct pl_partiql_lexer *lexer, enum pl_partiql_token_kind kind, size_t from, size_t to,
                      size_t at)
{
    lexer->current =
        (struct pl_partiql_token){ .kind = kind, .text = pl_bytes(lexer->text.data + from, to - from) };
    lexer->at = at;
}

static void advance_quoted(struct pl_partiql_lexer *lexer, size_t at, char quote)
{
    size_t end = quoted_end(lexer, at + 1, quote);

    if (end >= lexer->text.len)
        set_token(lexer, PL_PARTIQL_OTHER, at, lexer->text.len, lexer->text.len);
    else
        set_token(lexer, quote == '"' ? PL_PARTIQL_QUOTED : PL_PARTIQL_STRING, at + 1, end, end + 1);
}

void pl_partiql_lexer_advance(struct pl_partiql_lexer *lexer)
{
    size_t at = skip_space(lexer, lexer->at), end = at;

    if (at >= lexer->text.len) {
        set_token(lexer, PL_PARTIQL_END, lexer->text.len, lexer->text.len, lexer->text.len);
    } else if (lexer->text.data[at] == '"' || lexer->text.data[at] == '\'') {
        advance_quoted(lexer, at, lexer->text.data[at]);
    } else if (is_digit(lexer->text.data[at])) {
        end = number_end(lexer, at);
        set_token(lexer, PL_PARTIQL_NUMBER, at, end, end);
    } else if (is_word_byte(lexer->text.data[at])) {
        while (end < lexer->text.len && is_word_byte(lexer->text.data[end]))
            end++;
        set_token(lexer, PL_PARTIQL_WORD, at, end, end);
    } else {
        end = at + sign_len(lexer, at);
        if (end > at)
            set_token(lexer, PL_PARTIQL_SIGN, at, end, end);
        else
            set_token(lexer, PL_PARTIQL_OTHER, at, at + 1, at + 1);
    }
}

void pl_partiql_lexer_init(struct pl_partiql_lexer *lexer, struct pl_bytes text)
{
    *lexer = (struct pl_partiql_lexer){ .text = text };
    pl_partiql_lexer_advance(lexer);
}

/* ---- what is next ----------------------------------------------------------------------------------- */

bool pl_partiql_at_word(const struct pl_partiql_parser *p, const char *word)
{
    struct pl_partiql_token token = p->lexer.current;

    return p->rc == 0 && token.kind == PL_PARTIQL_WORD && token.text.len == strlen(word) &&
           strncasecmp(token.text.data, word, token.text.len) == 0;
}

bool pl_partiql_at_sign(const struct pl_partiql_parser *p, const char *sign)
{
    return p->rc == 0 && p->lexer.current.kind == PL_PARTIQL_SIGN &&
           pl_bytes_equal(p->lexer.current.text, pl_str(sign));
}

bool pl_partiql_skip_word(struct pl_partiql_parser *p, const char *word)
{
    if (!pl_partiql_at_word(p, word))
        return false;
    pl_partiql_lexer_advance(&p->lexer);
    return true;
}

bool pl_partiql_skip_sign(struct pl_partiql_parser *p, const char *sign)
{
    if (!pl_partiql_at_sign(p, sign))
        return false;
    pl_partiql_lexer_advance(&p->lexer);
    return true;
}

int pl_partiql_expect_word(struct pl_partiql_parser *p, const char *word)
{
    return pl_partiql_skip_word(p, word) ? 0 : pl_partiql_fail_syntax(p, word);
}

int pl_partiql_expect_sign(struct pl_partiql_parser *p, const char *sign)
{
    return pl_partiql_skip_sign(p, sign) ? 0 : pl_partiql_fail_syntax(p, sign);
}

/* Two quotes side by side are one; `text` ends with no half of a pair. */
static size_t undouble(char *text, size_t len, char quote)
{
    size_t to = 0;

    for (size_t from = 0; from < len; from++) {
        text[to++] = text[from];
        if (text[from] == quote)
            from++;
    }
    return to;
}

int pl_partiql_take_text(struct pl_partiql_parser *p, struct pl_bytes *out)
{
    struct pl_partiql_token token = p->lexer.current;
    char quote = token.kind == PL_PARTIQL_QUOTED ? '"' : '\'';
    char *copy;

    if (p->rc != 0)
        return p->rc;
    *out = token.text;
    if (token.kind != PL_PARTIQL_WORD && token.text.len > 0 &&
        memchr(token.text.data, quote, token.text.len) != NULL) {
        copy = pl_arena_alloc(p->arena, token.text.len);
        if (copy == NULL)
            return pl_partiql_fail_memory(p);
        memcpy(copy, token.text.data, token.text.len);
        *out = pl_bytes(copy, undouble(copy, token.text.len, quote));
    }
    pl_partiql_lexer_advance(&p->lexer);
    return 0;
}

int pl_partiql_identifier(struct pl_partiql_parser *p, const char *expected, struct pl_bytes *out)
{
    struct pl_partiql_token token = p->lexer.current;

    if (token.kind != PL_PARTIQL_QUOTED &&
        (token.kind != PL_PARTIQL_WORD || pl_partiql_is_reserved(token.text)))
        return pl_partiql_fail_syntax(p, expected);
    if (pl_partiql_take_text(p, out) == 0 && out->len == 0)
        pl_partiql_fail(p, "Path component cannot be an empty string");
    return p->rc;
}

/* ---- failures --------------------------------------------------------------------------------------- */

int pl_partiql_fail(struct pl_partiql_parser *p, const char *format, ...)
{
    va_list args;

    if (p->rc != 0)
        return p->rc;
    va_start(args, format);
    p->rc = pl_reason_vset(p->why, PL_EINVALID, format, args);
    va_end(args);
    return p->rc;
}

int pl_partiql_fail_syntax(struct pl_partiql_parser *p, const char *expected)
{
    struct pl_partiql_token token = p->lexer.current;
    struct pl_bytes shown = pl_bytes_shortened(token.text, PL_PARTIQL_SHOWN_MAX);
    size_t column = (size_t)(token.text.data - p->lexer.text.data) + 1;

    if (token.kind == PL_PARTIQL_END)
        return pl_partiql_fail(
            p, "Statement wasn't well formed, can't be processed: expected %s, found the end", expected);
    return pl_partiql_fail(
        p, "Statement wasn't well formed, can't be processed: expected %s at column %zu, found %.*s",
        expected, column, (int)shown.len, shown.data);
}

int pl_partiql_fail_memory(struct pl_partiql_parser *p)
{
    if (p->rc == 0)
        p->rc = PL_ENOMEM;
    return p->rc;
}

int pl_partiql_enter(struct pl_partiql_parser *p)
{
    if (p->rc == 0 && ++p->depth > PL_PARTIQL_DEPTH_MAX)
        return pl_partiql_fail(
            p, "Statement wasn't well formed, can't be processed: it is nested more than %d deep",
            PL_PARTIQL_DEPTH_MAX);
    return p->rc;
}
