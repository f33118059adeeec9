/* SPDX-License-Identifier: MIT */
#include "script/source.h"

enum { CHAIN_NESTING_MAX = 256 }; /* Lua's parser gives up at 200 */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next place at or after `at` where `word` stands by itself; text.len: none. */
static size_t find_word(struct pl_bytes text, struct pl_bytes word, size_t at)
{
    while (word.len > 0 && at < text.len) {
        const char *found = memmem(text.data + at, text.len - at, word.data, word.len);
        size_t begin, end;

        if (found == NULL)
            break;
        begin = (size_t)(found - text.data);
        end = begin + word.len;
        if ((begin == 0 || !is_word(text.data[begin - 1])) && (end == text.len || !is_word(text.data[end])))
            return begin;
        at = begin + 1;
    }
    return text.len;
}

static bool is_in_comment(struct pl_bytes text, size_t at)
{
    for (; at > 0 && text.data[at - 1] != '\n'; at--)
        if (at >= 2 && text.data[at - 1] == '-' && text.data[at - 2] == '-')
            return true;
    return false;
}

/* name =, ["name"] =, but not ==. */
static bool is_assigned(struct pl_bytes text, size_t end)
{
    while (end < text.len && strchr(" \t\r\n\"']", text.data[end]) != NULL && text.data[end] != '\0')
        end++;
    return end < text.len && text.data[end] == '=' && (end + 1 == text.len || text.data[end + 1] != '=');
}

static size_t find_field(struct pl_bytes text, struct pl_bytes name, size_t at)
{
    for (at = find_word(text, name, at); at < text.len; at = find_word(text, name, at + 1))
        if (is_assigned(text, at + name.len) && !is_in_comment(text, at))
            break;
    return at;
}

static uint32_t line_at(struct pl_bytes text, size_t at)
{
    uint32_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += text.data[i] == '\n';
    return line;
}

/* The first part of `path`, without the place in a list; steps over it. */
static struct pl_bytes take_part(struct pl_bytes *path)
{
    struct pl_bytes part = *path;
    size_t end = 0;

    while (end < path->len && path->data[end] != '.' && path->data[end] != '[')
        end++;
    part.len = end;
    while (end < path->len && path->data[end] != '.')
        end++;
    if (end < path->len)
        end++;
    *path = pl_bytes(path->data + end, path->len - end);
    return part;
}

static size_t find_return(struct pl_bytes text)
{
    size_t at = find_word(text, pl_str("return"), 0);

    while (at < text.len && is_in_comment(text, at))
        at = find_word(text, pl_str("return"), at + 1);
    return at < text.len ? at : 0;
}

uint32_t pl_source_line_of_field(struct pl_bytes text, struct pl_bytes path)
{
    size_t at = find_return(text), next = 0;

    while (path.len > 0) {
        struct pl_bytes part = take_part(&path);

        next = find_field(text, part, next);
        if (next == text.len)
            break;
        at = next;
    }
    return line_at(text, at);
}

uint32_t pl_source_line_of_word(struct pl_bytes text, struct pl_bytes word)
{
    size_t at = find_word(text, word, 0);

    return at == text.len ? 0 : line_at(text, at);
}

/* Steps of a chain, as nested brackets open and close. */
struct chain {
    uint32_t steps;
    uint32_t outer[CHAIN_NESTING_MAX];
    uint32_t nesting;
    bool after_operand; /* a name that follows one begins a new statement */
};

/* Behind the long bracket that opens at `at`; `at` itself when none does. */
static size_t skip_long(struct pl_bytes text, size_t at)
{
    size_t level = 0, i = at + 1;

    while (i < text.len && text.data[i] == '=') {
        level++;
        i++;
    }
    if (text.data[at] != '[' || i >= text.len || text.data[i] != '[')
        return at;
    for (; i < text.len; i++) {
        size_t equals = 0;

        if (text.data[i] != ']')
            continue;
        while (i + 1 + equals < text.len && text.data[i + 1 + equals] == '=')
            equals++;
        if (equals == level && i + 1 + equals < text.len && text.data[i + 1 + equals] == ']')
            return i + 2 + equals;
    }
    return text.len;
}

static size_t skip_comment(struct pl_bytes text, size_t at)
{
    size_t end;

    at += 2;
    end = at < text.len ? skip_long(text, at) : at;
    if (end != at)
        return end;
    while (at < text.len && text.data[at] != '\n')
        at++;
    return at;
}

static size_t skip_string(struct pl_bytes text, size_t at)
{
    char quote = text.data[at++];

    for (; at < text.len && text.data[at] != quote; at++)
        if (text.data[at] == '\\')
            at++;
    return at < text.len ? at + 1 : text.len;
}

static bool is_keyword(struct pl_bytes word)
{
    static const char *const keywords[] = { "and",   "break", "do",       "else", "elseif", "end",
                                            "false", "for",   "function", "goto", "if",     "in",
                                            "local", "nil",   "not",      "or",   "repeat", "return",
                                            "then",  "true",  "until",    "while" };

    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (pl_bytes_equal(word, pl_str(keywords[i])))
            return true;
    return false;
}

static size_t take_word(struct pl_bytes text, size_t at, struct chain *chain)
{
    size_t end = at;

    while (end < text.len && is_word(text.data[end]))
        end++;
    if (chain->after_operand || is_keyword(pl_bytes(text.data + at, end - at)))
        chain->steps = 0;
    chain->after_operand = !is_keyword(pl_bytes(text.data + at, end - at));
    return end;
}

/* A sign that is part of no word. False: the brackets nest deeper than Lua reads. */
static bool take_sign(char sign, struct chain *chain)
{
    bool closes = sign == ')' || sign == ']' || sign == '}';

    if (closes && chain->nesting > 0) {
        uint32_t outer = chain->outer[--chain->nesting];

        chain->steps = chain->steps > outer ? chain->steps : outer;
    } else if (sign == '(' || sign == '[' || sign == '{') {
        if (chain->nesting == CHAIN_NESTING_MAX)
            return false;
        chain->outer[chain->nesting++] = chain->steps + (sign == '[');
        chain->steps = 0;
    } else if (sign == '.') {
        chain->steps++;
    } else if (sign != ':') {
        chain->steps = 0;
    }
    chain->after_operand = closes;
    return true;
}

uint32_t pl_source_line_of_chain(struct pl_bytes text, uint32_t steps_max)
{
    struct chain chain = { 0 };
    size_t at = 0;

    while (at < text.len) {
        char c = text.data[at];
        size_t end = skip_long(text, at);

        if (end != at)
            at = end;
        else if (c == ' ' || (c >= '\t' && c <= '\r'))
            at++;
        else if (c == '-' && at + 1 < text.len && text.data[at + 1] == '-')
            at = skip_comment(text, at);
        else if (c == '"' || c == '\'')
            at = skip_string(text, at);
        else if (is_word(c))
            at = take_word(text, at, &chain);
        else if (!take_sign(c, &chain) || chain.steps > steps_max)
            return line_at(text, at);
        else
            at++;
    }
    return 0;
}
