/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_LINE_PARSER_H
#define PL_CODEC_LINE_PARSER_H

#include "codec/line.h"
#include "model/json.h"

/** What the files that read one request line share. Nobody else includes this. */
struct pl_line_parser {
    const char *at, *end;
    const struct pl_verb *verb;
    struct pl_line *line;
    struct pl_operation *op;
    struct pl_reason *why;
    uint32_t seen;    /* bit n: clause n stands on the line */
    bool batch_write; /* BATCH WRITE, not BATCH GET */
};

static inline bool pl_line_is_space(char c)
{
    return c == ' ' || c == '\t';
}

static inline const char *pl_line_skip_space(const char *at, const char *end)
{
    while (at < end && pl_line_is_space(*at))
        at++;
    return at;
}

/** Up to the next white space. */
static inline struct pl_bytes pl_line_word_at(const char *at, const char *end)
{
    const char *to = at;

    while (to < end && !pl_line_is_space(*to))
        to++;
    return pl_bytes(at, (size_t)(to - at));
}

/** How many bytes of `text` to quote in a sentence: at most `most`, and only whole characters. */
static inline int pl_line_quotable(struct pl_bytes text, size_t most)
{
    size_t len = text.len < most ? text.len : most;

    while (len > 0 && len < text.len && ((uint8_t)text.data[len] & 0xC0) == 0x80)
        len--;
    return (int)len;
}

/** PL_ESYNTAX: `what` was expected where p->at stands; what was found; the verb's grammar. */
int pl_line_expected(struct pl_line_parser *p, const char *what);

/** Put the argument's name before a JSON error's sentence. Other failures, and 0, pass unchanged. */
int pl_line_in_argument(struct pl_line_parser *p, const char *argument, int rc);

/** A JSON reader at p->at, whose offsets count from the beginning of the line. */
void pl_line_reader_at(struct pl_line_parser *p, struct pl_json_reader *r);

/** The JSON object at p->at as an item of p->op; p->at moves behind it. */
int pl_line_take_object(struct pl_line_parser *p, const char *argument, struct pl_item *out);

/** The value at `r`, which has p->op's arena, in the bytes of p->op; `r` moves behind it. */
int pl_line_take_value(struct pl_line_parser *p, struct pl_json_reader *r, const char *argument,
                       struct pl_value *out);

/** The object of placeholders at p->at, which all begin with `sign`; `list` and `count` are members of p->op. */
int pl_line_take_placeholders(struct pl_line_parser *p, const char *argument, char sign,
                              struct pl_expr_placeholder **list, uint32_t *count);

/** Everything after the word TRANSACT up to the clauses: fills p->op->children and says which of the two it is. */
int pl_line_take_transaction(struct pl_line_parser *p);

/** Everything after the word BATCH up to the clauses: fills p->op->children. */
int pl_line_take_batch(struct pl_line_parser *p);

#endif
