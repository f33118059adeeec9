/* SPDX-License-Identifier: MIT */
#include "script/source.h"

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
