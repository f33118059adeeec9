/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_PARTIQL_INTERNAL_H
#define PL_MODEL_PARTIQL_INTERNAL_H

#include "model/expr_tree.h"
#include "model/partiql.h"

/** What the parts of the PartiQL reader share. */
enum { PL_PARTIQL_DEPTH_MAX = 64, PL_PARTIQL_LIST_MAX = 1024 };

enum pl_partiql_token_kind {
    PL_PARTIQL_END,
    PL_PARTIQL_WORD,   /* select, Table, attribute */
    PL_PARTIQL_QUOTED, /* "an identifier": the text without its quotes, "" for one in it */
    PL_PARTIQL_STRING, /* 'text', '' for a quote in it */
    PL_PARTIQL_NUMBER,
    PL_PARTIQL_SIGN,  /* one of ? ( ) [ ] { } << >> , . : * = <> != < <= > >= + - */
    PL_PARTIQL_OTHER, /* what begins nothing, or never ends */
};

struct pl_partiql_token {
    enum pl_partiql_token_kind kind;
    struct pl_bytes text; /* of QUOTED and STRING: what is between the quotes, as written */
};

struct pl_partiql_lexer {
    struct pl_bytes text;
    size_t at; /* behind `current` */
    struct pl_partiql_token current;
};

void pl_partiql_lexer_init(struct pl_partiql_lexer *lexer, struct pl_bytes text);
void pl_partiql_lexer_advance(struct pl_partiql_lexer *lexer);

struct pl_partiql_parser {
    struct pl_partiql_lexer lexer;
    const struct pl_value *parameters;
    uint32_t parameter_count, parameters_used;
    struct pl_arena *arena;
    struct pl_reason *why;
    uint32_t depth, operator_count;
    int rc; /* once it is not 0, nothing more is read */
};

/* --- partiql_lexer.c: what is next --- */

bool pl_partiql_at_word(const struct pl_partiql_parser *p, const char *word); /* in any case */
bool pl_partiql_at_sign(const struct pl_partiql_parser *p, const char *sign);
/** Step over it when it is next; else false. */
bool pl_partiql_skip_word(struct pl_partiql_parser *p, const char *word);
bool pl_partiql_skip_sign(struct pl_partiql_parser *p, const char *sign);
/** Step over it, or fail. */
int pl_partiql_expect_word(struct pl_partiql_parser *p, const char *word);
int pl_partiql_expect_sign(struct pl_partiql_parser *p, const char *sign);
/** The identifier or string in hand, doubled quotes made one, in the arena. Steps over it. */
int pl_partiql_take_text(struct pl_partiql_parser *p, struct pl_bytes *out);
/** A name in double quotes, or a word that is not reserved; `expected` says what it is to be. Steps over it. */
int pl_partiql_identifier(struct pl_partiql_parser *p, const char *expected, struct pl_bytes *out);

/** True of a word, in any case, that is a name only in double quotes (partiql_reserved.c). */
bool pl_partiql_is_reserved(struct pl_bytes word);

/* --- failures: they stick --- */

enum { PL_PARTIQL_SHOWN_MAX = 100 }; /* bytes of a word that is wrong */

int pl_partiql_fail(struct pl_partiql_parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** "Statement wasn't well formed, can't be processed: ..." with the token in hand. */
int pl_partiql_fail_syntax(struct pl_partiql_parser *p, const char *expected);
int pl_partiql_fail_memory(struct pl_partiql_parser *p);
/** One level deeper, or a failure; every success is matched by `p->depth--`. */
int pl_partiql_enter(struct pl_partiql_parser *p);

/* --- partiql_value.c --- */

/** True when a literal or a question mark is next. */
bool pl_partiql_at_value(const struct pl_partiql_parser *p);
/** It, with a life of its own in the arena. */
int pl_partiql_value(struct pl_partiql_parser *p, struct pl_value *out);
/** {'name': value, ...}, as an item. */
int pl_partiql_item(struct pl_partiql_parser *p, struct pl_item *out);

/* --- partiql_expression.c: each NULL when it has failed --- */

struct pl_path *pl_partiql_path(struct pl_partiql_parser *p);
/** What stands right of `=` in a SET. */
struct pl_node *pl_partiql_operand(struct pl_partiql_parser *p);
struct pl_node *pl_partiql_condition_tree(struct pl_partiql_parser *p);

#endif
