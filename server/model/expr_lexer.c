/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static size_t word_end(struct pl_bytes text, size_t at)
{
    while (at < text.len && is_word(text.data[at]))
        at++;
    return at;
}

static size_t digits_end(struct pl_bytes text, size_t at)
{
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return at;
}

/* One whole UTF-8 character, so that a sentence that quotes it stays UTF-8. */
static size_t character_end(struct pl_bytes text, size_t at)
{
    at++;
    while (at < text.len && ((unsigned char)text.data[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static size_t sign_length(struct pl_bytes text, size_t at)
{
    char c = text.data[at];
    char next = at + 1 < text.len ? text.data[at + 1] : '\0';

    if (memchr("(),.[]=+-", c, 9) != NULL)
        return 1;
    if (c == '<')
        return next == '=' || next == '>' ? 2 : 1;
    if (c == '>')
        return next == '=' ? 2 : 1;
    return 0;
}

static struct pl_token token(enum pl_token_kind kind, struct pl_bytes text, size_t start, size_t end)
{
    return (struct pl_token){ .kind = kind, .text = pl_bytes(text.data + start, end - start) };
}

static struct pl_token placeholder(struct pl_bytes text, size_t at)
{
    size_t end = word_end(text, at + 1);

    if (end == at + 1 || end - at > PL_EXPR_PLACEHOLDER_MAX)
        return token(PL_TOKEN_OTHER, text, at, end);
    return token(text.data[at] == '#' ? PL_TOKEN_NAME : PL_TOKEN_VALUE, text, at, end);
}

/* The token at or after `at`. */
static struct pl_token scan(struct pl_bytes text, size_t at)
{
    char c;

    while (at < text.len && is_space(text.data[at]))
        at++;
    if (at == text.len)
        return (struct pl_token){ .kind = PL_TOKEN_END, .text = pl_bytes(text.data + at, 0) };

    c = text.data[at];
    if (is_letter(c))
        return token(PL_TOKEN_WORD, text, at, word_end(text, at));
    if (is_digit(c))
        return token(PL_TOKEN_DIGITS, text, at, digits_end(text, at));
    if (c == '#' || c == ':')
        return placeholder(text, at);
    if (sign_length(text, at) != 0)
        return token(PL_TOKEN_SIGN, text, at, at + sign_length(text, at));
    return token(PL_TOKEN_OTHER, text, at, character_end(text, at));
}

static size_t token_end(const struct pl_lexer *lexer, struct pl_token of)
{
    return (size_t)(of.text.data - lexer->text.data) + of.text.len;
}

void pl_lexer_init(struct pl_lexer *lexer, struct pl_bytes text)
{
    *lexer = (struct pl_lexer){ .text = text };
    lexer->current = scan(text, 0);
    lexer->at = token_end(lexer, lexer->current);
    lexer->previous = (struct pl_token){ .text = pl_bytes(text.data, 0) };
}

void pl_lexer_advance(struct pl_lexer *lexer)
{
    lexer->previous = lexer->current;
    lexer->current = scan(lexer->text, lexer->at);
    lexer->at = token_end(lexer, lexer->current);
}

struct pl_token pl_lexer_peek(const struct pl_lexer *lexer)
{
    return scan(lexer->text, lexer->at);
}

void pl_lexer_stretch(struct pl_lexer *lexer, size_t len)
{
    lexer->current.kind = PL_TOKEN_OTHER;
    lexer->current.text.len = len;
    lexer->at = token_end(lexer, lexer->current);
}

bool pl_token_is_sign(struct pl_token of, const char *sign)
{
    return of.kind == PL_TOKEN_SIGN && pl_bytes_equal(of.text, pl_str(sign));
}

bool pl_token_is_keyword(struct pl_token of, const char *keyword)
{
    return of.kind == PL_TOKEN_WORD && of.text.len == strlen(keyword) &&
           strncasecmp(of.text.data, keyword, of.text.len) == 0;
}

static size_t string_end(struct pl_bytes text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.data[at] == '\\')
            at++;
        else if (text.data[at] == '"')
            return at + 1;
    }
    return text.len;
}

static bool is_stop(struct pl_bytes word, const char *const *stops)
{
    for (; *stops != NULL; stops++) {
        if (pl_bytes_equal(word, pl_str(*stops)))
            return true;
    }
    return false;
}

struct pl_bytes pl_expr_extent(struct pl_bytes text, const char *const *stops)
{
    size_t nesting = 0;
    char before = ' '; /* the last character that is not white space */

    for (size_t at = 0; at < text.len;) {
        char c = text.data[at];
        size_t end = at + 1;

        if (c == '"') {
            end = string_end(text, at);
        } else if (is_word(c)) {
            end = word_end(text, at);
            /* `a.LIMIT`, `#LIMIT` and `:LIMIT` are names. */
            if (nesting == 0 && memchr(".#:", before, 3) == NULL &&
                is_stop(pl_bytes(text.data + at, end - at), stops))
                return pl_bytes(text.data, at);
        } else if (memchr("([{", c, 3) != NULL) {
            nesting++;
        } else if (memchr(")]}", c, 3) != NULL && nesting > 0) {
            nesting--;
        }
        if (!is_space(c))
            before = c;
        at = end;
    }
    return text;
}
