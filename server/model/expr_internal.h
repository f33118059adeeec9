/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_EXPR_INTERNAL_H
#define PL_MODEL_EXPR_INTERNAL_H

#include "model/expr.h"

/**
 * What the parts of the expression engine share. A text becomes tokens
 * (expr_lexer.c), tokens become a tree (expr_parser.c), the tree is checked and its
 * placeholders are replaced (expr_check.c); then each kind goes its own way.
 */
enum {
    PL_EXPR_TEXT_MAX = 4096,
    /* With literals the text carries the data itself, so it may be longer: what is no literal keeps
     * DynamoDB's limit, which also bounds the work that a text can ask for. */
    PL_EXPR_LITERAL_TEXT_MAX = 1024 * 1024,
    PL_EXPR_OPERATORS_MAX = 300,
    PL_EXPR_IN_MAX = 100,
    PL_EXPR_PATH_MAX = 32,
    PL_EXPR_PLACEHOLDER_MAX = 255,
    PL_EXPR_INDEX_MAX = INT32_MAX,
    /**
     * Levels of brackets, NOTs and function calls. 300 operators with a pair of brackets
     * each nest 600 deep; only texts that are refused anyway go deeper.
     */
    PL_EXPR_DEPTH_MAX = 640,
};

enum pl_token_kind {
    PL_TOKEN_END,
    PL_TOKEN_WORD,  /* a name, a keyword, a function */
    PL_TOKEN_NAME,  /* #alias */
    PL_TOKEN_VALUE, /* :value */
    PL_TOKEN_DIGITS,
    PL_TOKEN_SIGN,  /* one of ( ) , . [ ] = <> < <= > >= + - */
    PL_TOKEN_OTHER, /* a character that begins nothing, or a literal */
};

struct pl_token {
    enum pl_token_kind kind;
    struct pl_bytes text;
};

/** Walks over a text with the current token in hand and the one before it remembered. */
struct pl_lexer {
    struct pl_bytes text;
    size_t at; /* behind `current` */
    struct pl_token previous, current;
};

void pl_lexer_init(struct pl_lexer *lexer, struct pl_bytes text);
void pl_lexer_advance(struct pl_lexer *lexer);
/** The token after the current one. */
struct pl_token pl_lexer_peek(const struct pl_lexer *lexer);
/** Make the current token `len` bytes long: it turned out to be a literal. */
void pl_lexer_stretch(struct pl_lexer *lexer, size_t len);

bool pl_token_is_sign(struct pl_token token, const char *sign);
/** Keywords in any case; `keyword` is written in capitals. */
bool pl_token_is_keyword(struct pl_token token, const char *keyword);

/** True when DynamoDB reserves `word`, in any case. */
bool pl_reserved_word(struct pl_bytes word);
/** True when the list, of capitals in the order of strcmp(), has the word in any case. */
bool pl_word_is_among(struct pl_bytes word, const char *const *list, size_t count);

enum pl_node_kind {
    /* operands */
    PL_NODE_PATH,
    PL_NODE_VALUE,
    PL_NODE_CALL, /* size() is an operand; the other functions of conditions are conditions */
    PL_NODE_ADD,
    PL_NODE_SUBTRACT,
    /* conditions */
    PL_NODE_OR,
    PL_NODE_AND,
    PL_NODE_NOT,
    PL_NODE_EQ,
    PL_NODE_NE,
    PL_NODE_LT,
    PL_NODE_LE,
    PL_NODE_GT,
    PL_NODE_GE,
    PL_NODE_BETWEEN,
    PL_NODE_IN,
};

enum pl_function {
    PL_FUNCTION_UNKNOWN,
    PL_FUNCTION_ATTRIBUTE_EXISTS,
    PL_FUNCTION_ATTRIBUTE_NOT_EXISTS,
    PL_FUNCTION_ATTRIBUTE_TYPE,
    PL_FUNCTION_BEGINS_WITH,
    PL_FUNCTION_CONTAINS,
    PL_FUNCTION_SIZE,
    PL_FUNCTION_IF_NOT_EXISTS,
    PL_FUNCTION_LIST_APPEND,
};

/**
 * A node of the tree. Until it is checked, a placeholder stands as written: a path
 * step's name begins with '#', a value has no type.
 */
struct pl_node {
    enum pl_node_kind kind;
    enum pl_function function;
    enum pl_type wanted; /* attribute_type(): the type asked for */
    bool parenthesized;
    struct pl_bytes text; /* the operator, the function's name or the placeholder, as written */
    struct pl_path *path;
    struct pl_value value;
    struct pl_node **children;
    uint32_t child_count;
};

/**
 * DynamoDB does not report the first mistake of a text but the gravest. Syntax errors end
 * the parse; the others are noted with their rank, and the first of the lowest
 * rank is reported when the text has been read to its end.
 */
enum pl_rank {
    PL_RANK_UPDATE_RESERVED, /* in updates and projections, reserved words come first */
    PL_RANK_PARENTHESES,
    PL_RANK_UNKNOWN_FUNCTION,
    PL_RANK_MISUSED_FUNCTION,
    PL_RANK_RESERVED,
    PL_RANK_LIMIT,
    PL_RANK_SECTION,
    PL_RANK_NONE,
};

struct pl_parser {
    struct pl_expr_params *params;
    enum pl_expr_kind kind;
    struct pl_lexer lexer;
    struct pl_reason *why;
    int rc; /* once it is not 0, everything returns */
    uint32_t depth;
    uint32_t operator_count;
    enum pl_rank problem_rank;
    struct pl_reason problem;
    const struct pl_path **paths;
    uint32_t path_count, path_capacity;
    size_t literal_bytes;  /* of the text */
    struct pl_buf literal; /* scratch */
};

/** Check the size and read the first token. Always to be ended by pl_parser_deinit(). */
int pl_parser_init(struct pl_parser *p, struct pl_expr_params *params, enum pl_expr_kind kind,
                   struct pl_bytes text, struct pl_reason *why);
void pl_parser_deinit(struct pl_parser *p);

/* Both put "Invalid <kind>Expression: " before the sentence, but for PL_EXPR_STATEMENT. */
int pl_parser_fail(struct pl_parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pl_parser_note(struct pl_parser *p, enum pl_rank rank, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Syntax error at the current token. */
int pl_parser_fail_syntax(struct pl_parser *p);
int pl_parser_fail_memory(struct pl_parser *p);
/** Everything was read: the noted problem, if any. */
int pl_parser_conclude(struct pl_parser *p);

/** Step over the sign when it is next; else false. */
bool pl_parser_skip_sign(struct pl_parser *p, const char *sign);
int pl_parser_expect_sign(struct pl_parser *p, const char *sign);
int pl_parser_expect_end(struct pl_parser *p);
/** One level deeper, or a failure; every success is matched by `p->depth--`. */
int pl_parser_enter(struct pl_parser *p);

/* Each returns NULL when the parse has failed. */
struct pl_node *pl_parser_new_node(struct pl_parser *p, enum pl_node_kind kind, uint32_t child_count);
struct pl_node *pl_parser_path(struct pl_parser *p);
struct pl_node *pl_parser_value(struct pl_parser *p);
/** path, :value, function(...), or one of them in brackets. */
struct pl_node *pl_parser_operand(struct pl_parser *p);
/** `inside` (NULL: it failed) was read after pl_parser_enter() and a "(": the ")" and the level up. */
struct pl_node *pl_parser_close_brackets(struct pl_parser *p, struct pl_node *inside);
/** A whole condition, up to the end of the text. */
struct pl_node *pl_parser_condition(struct pl_parser *p);

/* expr_check.c: placeholders are replaced, and operands fit their operators. */
int pl_check_condition(struct pl_parser *p, struct pl_node *node);
int pl_check_update_operands(struct pl_parser *p, struct pl_node *node);
/** This node alone: its operands were checked before, and have no placeholders. */
int pl_check_operator(struct pl_parser *p, struct pl_node *node);
int pl_check_path_names(struct pl_parser *p, struct pl_path *path);
int pl_check_names(struct pl_parser *p, struct pl_node *node);
int pl_check_values(struct pl_parser *p, struct pl_node *node);
const char *pl_function_name(enum pl_function function);

/* expr_placeholder.c. NULL: there is none. Marks it as used. */
const struct pl_expr_placeholder *pl_expr_use_name(struct pl_expr_params *params, struct pl_bytes name);
const struct pl_expr_placeholder *pl_expr_use_value(struct pl_expr_params *params, struct pl_bytes name);

/** What `path` leads to. False: nothing. `item` may be NULL. */
bool pl_path_find(const struct pl_path *path, const struct pl_item *item, struct pl_value *out);
bool pl_path_equal(const struct pl_path *a, const struct pl_path *b);
/** `[a, b, [0]]`, as DynamoDB's sentences have it. */
void pl_path_write(struct pl_buf *out, const struct pl_path *path);

/**
 * Paths sorted so that they form a tree read from left to right: a path before those below it, names
 * in the order of items, indexes by number. `order` is the place in the text.
 */
struct pl_target {
    const struct pl_path *path;
    uint32_t order;
};

/** The targets of `paths`, sorted and without overlap or conflict. */
int pl_targets_make(struct pl_parser *p, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out);
/** How many targets from `first` on (below `end`) share the step at `depth`. */
uint32_t pl_targets_group(const struct pl_target *targets, uint32_t first, uint32_t end, uint32_t depth);
/** The item that holds just what the targets lead to. */
int pl_targets_project(const struct pl_target *targets, uint32_t count, struct pl_item item,
                       struct pl_buf *buf, struct pl_item *out);

/*
 * Trees that were not read from a text (model/legacy.h). All of it lives in the arena. 0 or PL_ENOMEM, but for
 * key conditions, which are judged by the schema like those of a text.
 */
int pl_targets_sort(struct pl_arena *arena, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out);
int pl_condition_from_tree(struct pl_arena *arena, struct pl_node *root, const struct pl_path *const *paths,
                           uint32_t count, struct pl_condition **out);
int pl_projection_from_targets(struct pl_arena *arena, struct pl_target *targets,
                               const struct pl_path *const *paths, uint32_t count,
                               struct pl_projection **out);

/** One condition of a key condition. */
struct pl_key_part {
    struct pl_bytes attribute;
    enum pl_range_kind kind;
    struct pl_value low, high;
};
int pl_key_condition_from_parts(const struct pl_key_part *parts, uint32_t count,
                                const struct pl_key_schema *keys, struct pl_key_condition *out,
                                struct pl_reason *why);

/** Begin an L or M whose length is not known yet; the result is given to pl_container_close(). */
size_t pl_container_open(struct pl_buf *buf, enum pl_type type);
void pl_container_close(struct pl_buf *buf, size_t start);

#endif
