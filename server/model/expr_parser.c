/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"
#include "model/json.h"

#include <stdarg.h>
#include <stdio.h>

/*
 * Recursive descent:
 *
 *     condition  or ─▸ and ─▸ not ─▸ primary ─▸ comparison ─▸ operand ─▸ path | value | call
 *
 * "(" may open a condition or an operand, and what it was shows only behind its ")".
 * So or() returns an operand when it read nothing else, and whoever asked decides
 * whether an operand may stand there.
 */
static struct pl_node * or (struct pl_parser * p);

static const char *expression_name(enum pl_expr_kind kind)
{
    static const char *const names[] = {
        [PL_EXPR_CONDITION] = "ConditionExpression",
        [PL_EXPR_FILTER] = "FilterExpression",
        [PL_EXPR_KEY_CONDITION] = "KeyConditionExpression",
        [PL_EXPR_PROJECTION] = "ProjectionExpression",
        [PL_EXPR_UPDATE] = "UpdateExpression",
    };

    return names[kind];
}

__attribute__((noinline)) int pl_parser_fail(struct pl_parser *p, const char *format, ...)
{
    struct pl_reason sentence;
    va_list args;

    va_start(args, format);
    pl_reason_vset(&sentence, PL_EINVALID, format, args);
    va_end(args);
    if (p->kind == PL_EXPR_STATEMENT)
        p->rc = pl_reason_set(p->why, PL_EINVALID, "%s", sentence.text);
    else
        p->rc = pl_reason_set(p->why, PL_EINVALID, "Invalid %s: %s", expression_name(p->kind), sentence.text);
    return p->rc;
}

__attribute__((noinline)) void pl_parser_note(struct pl_parser *p, enum pl_rank rank, const char *format, ...)
{
    va_list args;

    if (rank >= p->problem_rank)
        return;
    va_start(args, format);
    pl_reason_vset(&p->problem, 0, format, args);
    va_end(args);
    p->problem_rank = rank;
}

int pl_parser_fail_memory(struct pl_parser *p)
{
    p->rc = PL_ENOMEM;
    return p->rc;
}

/* "near" runs from the token before to the token after, as written. */
int pl_parser_fail_syntax(struct pl_parser *p)
{
    const struct pl_token *current = &p->lexer.current;
    struct pl_token next = pl_lexer_peek(&p->lexer);
    const char *start = p->lexer.previous.text.len > 0 ? p->lexer.previous.text.data : current->text.data;
    const char *end =
        next.kind == PL_TOKEN_END ? current->text.data + current->text.len : next.text.data + next.text.len;

    if (current->kind == PL_TOKEN_END)
        return pl_parser_fail(p, "Syntax error; token: \"<EOF>\", near: \"%.*s\"",
                              (int)p->lexer.previous.text.len, p->lexer.previous.text.data);
    return pl_parser_fail(p, "Syntax error; token: \"%.*s\", near: \"%.*s\"", (int)current->text.len,
                          current->text.data, (int)(end - start), start);
}

#define SIZE_SENTENCE "Expression size has exceeded the maximum allowed size; expression size: %zu"

int pl_parser_init(struct pl_parser *p, struct pl_expr_params *params, enum pl_expr_kind kind,
                   struct pl_bytes text, struct pl_reason *why)
{
    size_t text_max = params->literals ? PL_EXPR_LITERAL_TEXT_MAX : PL_EXPR_TEXT_MAX;

    *p = (struct pl_parser){ .params = params, .kind = kind, .why = why, .problem_rank = PL_RANK_NONE };
    if (text.len == 0)
        return pl_parser_fail(p, "The expression can not be empty;");
    if (text.len > text_max)
        return pl_parser_fail(p, SIZE_SENTENCE, text.len);
    pl_lexer_init(&p->lexer, text);
    return 0;
}

void pl_parser_deinit(struct pl_parser *p)
{
    pl_buf_deinit(&p->literal);
}

int pl_parser_conclude(struct pl_parser *p)
{
    size_t size = p->lexer.text.len - p->literal_bytes;

    if (p->rc != 0)
        return p->rc;
    if (size > PL_EXPR_TEXT_MAX)
        pl_parser_note(p, PL_RANK_LIMIT, SIZE_SENTENCE, size);
    if (p->operator_count > PL_EXPR_OPERATORS_MAX)
        pl_parser_note(p, PL_RANK_LIMIT, "The expression contains too many operators; operator count: %u",
                       p->operator_count);
    if (p->problem_rank != PL_RANK_NONE)
        return pl_parser_fail(p, "%s", p->problem.text);
    return 0;
}

bool pl_parser_skip_sign(struct pl_parser *p, const char *sign)
{
    if (!pl_token_is_sign(p->lexer.current, sign))
        return false;
    pl_lexer_advance(&p->lexer);
    return true;
}

int pl_parser_expect_sign(struct pl_parser *p, const char *sign)
{
    return pl_parser_skip_sign(p, sign) ? 0 : pl_parser_fail_syntax(p);
}

int pl_parser_expect_end(struct pl_parser *p)
{
    return p->lexer.current.kind == PL_TOKEN_END ? 0 : pl_parser_fail_syntax(p);
}

int pl_parser_enter(struct pl_parser *p)
{
    if (p->depth == PL_EXPR_DEPTH_MAX)
        return pl_parser_fail(p, "The expression has too many nesting levels; nesting levels: %u",
                              p->depth + 1);
    p->depth++;
    return 0;
}

struct pl_node *pl_parser_new_node(struct pl_parser *p, enum pl_node_kind kind, uint32_t child_count)
{
    struct pl_node *node = pl_arena_zalloc(p->params->arena, 1, sizeof *node);

    if (node != NULL && child_count > 0) {
        node->children = pl_arena_zalloc(p->params->arena, child_count, sizeof(struct pl_node *));
        if (node->children == NULL)
            node = NULL;
    }
    if (node == NULL) {
        pl_parser_fail_memory(p);
        return NULL;
    }
    node->kind = kind;
    node->child_count = child_count;
    return node;
}

/* An array in the arena that doubles: the old one is left behind. */
static void *grow(struct pl_parser *p, void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    uint32_t more = *capacity == 0 ? 4 : *capacity * 2;
    void *grown;

    if (count < *capacity)
        return array;
    grown = pl_arena_zalloc(p->params->arena, more, size);
    if (grown == NULL) {
        pl_parser_fail_memory(p);
        return NULL;
    }
    if (count > 0)
        memcpy(grown, array, count * size);
    *capacity = more;
    return grown;
}

static bool is_keyword(struct pl_parser *p, struct pl_token token)
{
    static const char *const in_conditions[] = { "AND", "OR", "NOT", "IN", "BETWEEN", NULL };
    static const char *const in_updates[] = { "SET", "REMOVE", "ADD", "DELETE", NULL };
    static const char *const nowhere[] = { NULL };
    const char *const *keyword = p->kind == PL_EXPR_UPDATE       ? in_updates
                                 : p->kind == PL_EXPR_PROJECTION ? nowhere
                                                                 : in_conditions;

    for (; *keyword != NULL; keyword++) {
        if (pl_token_is_keyword(token, *keyword))
            return true;
    }
    return false;
}

static bool is_json_word(struct pl_bytes word)
{
    return pl_bytes_equal(word, pl_str("true")) || pl_bytes_equal(word, pl_str("false")) ||
           pl_bytes_equal(word, pl_str("null"));
}

/* What the grammar itself uses cannot be a name, in any kind of expression. */
static bool is_grammar_word(struct pl_token token)
{
    static const char *const keywords[] = { "SET", "REMOVE", "ADD", "DELETE", "AND",
                                            "OR",  "NOT",    "IN",  "BETWEEN" };

    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (pl_token_is_keyword(token, keywords[i]))
            return true;
    }
    return is_json_word(token.text);
}

static void note_reserved(struct pl_parser *p, struct pl_token word)
{
    bool reserved = p->params->literals ? is_grammar_word(word) : pl_reserved_word(word.text);
    bool first = p->kind == PL_EXPR_UPDATE || p->kind == PL_EXPR_PROJECTION;

    if (reserved)
        pl_parser_note(p, first ? PL_RANK_UPDATE_RESERVED : PL_RANK_RESERVED,
                       "Attribute name is a reserved keyword; reserved keyword: %.*s", (int)word.text.len,
                       word.text.data);
}

static int read_name(struct pl_parser *p, struct pl_path_step *out)
{
    struct pl_token token = p->lexer.current;

    if (token.kind != PL_TOKEN_NAME && (token.kind != PL_TOKEN_WORD || is_keyword(p, token)))
        return pl_parser_fail_syntax(p);
    if (token.kind == PL_TOKEN_WORD)
        note_reserved(p, token);
    *out = (struct pl_path_step){ .name = token.text };
    pl_lexer_advance(&p->lexer);
    return 0;
}

static int read_index(struct pl_parser *p, struct pl_path_step *out)
{
    struct pl_bytes digits = p->lexer.current.text;
    uint64_t index = 0;

    if (p->lexer.current.kind != PL_TOKEN_DIGITS)
        return pl_parser_fail_syntax(p);
    for (size_t i = 0; i < digits.len && index <= PL_EXPR_INDEX_MAX; i++)
        index = index * 10 + (uint64_t)(digits.data[i] - '0');
    if (index > PL_EXPR_INDEX_MAX)
        pl_parser_note(p, PL_RANK_LIMIT, "List index is not within the allowable range; index: [%.*s]",
                       (int)digits.len, digits.data);
    *out = (struct pl_path_step){ .is_index = true, .index = (uint32_t)index };
    pl_lexer_advance(&p->lexer);
    return pl_parser_expect_sign(p, "]");
}

static int remember_path(struct pl_parser *p, const struct pl_path *path)
{
    const struct pl_path **paths =
        grow(p, p->paths, p->path_count, &p->path_capacity, sizeof(const struct pl_path *));

    if (paths == NULL)
        return p->rc;
    p->paths = paths;
    p->paths[p->path_count++] = path;
    return 0;
}

/* The steps behind the first. Those too many are counted but not kept. */
static int read_steps(struct pl_parser *p, struct pl_path_step *steps, uint32_t *count)
{
    struct pl_path_step surplus;

    for (;;) {
        struct pl_path_step *step = *count < PL_EXPR_PATH_MAX ? &steps[*count] : &surplus;
        int rc;

        if (pl_parser_skip_sign(p, "."))
            rc = read_name(p, step);
        else if (pl_parser_skip_sign(p, "["))
            rc = read_index(p, step);
        else
            return 0;
        if (rc != 0)
            return rc;
        ++*count;
    }
}

__attribute__((noinline)) static struct pl_path *read_path(struct pl_parser *p)
{
    struct pl_path_step steps[PL_EXPR_PATH_MAX];
    struct pl_path *path;
    uint32_t count = 1;

    if (read_name(p, &steps[0]) != 0 || read_steps(p, steps, &count) != 0)
        return NULL;
    if (count > PL_EXPR_PATH_MAX) {
        pl_parser_note(p, PL_RANK_LIMIT, "The document path has too many nesting levels; nesting levels: %u",
                       count);
        count = PL_EXPR_PATH_MAX;
    }
    path = pl_arena_zalloc(p->params->arena, 1, sizeof *path);
    if (path != NULL)
        path->steps = pl_arena_zalloc(p->params->arena, count, sizeof *path->steps);
    if (path == NULL || path->steps == NULL) {
        pl_parser_fail_memory(p);
        return NULL;
    }
    memcpy(path->steps, steps, count * sizeof *steps);
    path->step_count = count;
    return remember_path(p, path) == 0 ? path : NULL;
}

struct pl_node *pl_parser_path(struct pl_parser *p)
{
    struct pl_path *path = read_path(p);
    struct pl_node *node = path != NULL ? pl_parser_new_node(p, PL_NODE_PATH, 0) : NULL;

    if (node != NULL)
        node->path = path;
    return node;
}

static bool at_literal(const struct pl_parser *p)
{
    const struct pl_token *token = &p->lexer.current;

    if (!p->params->literals || token->kind == PL_TOKEN_END)
        return false;
    return token->kind == PL_TOKEN_DIGITS || memchr("\"{[-", token->text.data[0], 4) != NULL ||
           (token->kind == PL_TOKEN_WORD && is_json_word(token->text));
}

/* Build the value in scratch memory, then keep it in the arena. */
static int take_literal(struct pl_parser *p, struct pl_json_reader *reader, struct pl_value *out,
                        struct pl_reason *reason)
{
    struct pl_builder builder;
    struct pl_bytes kept;
    int rc;

    pl_buf_clear(&p->literal);
    pl_builder_init(&builder, &p->literal, p->params->arena);
    rc = pl_json_take_value(reader, PL_JSON_PLAIN, &builder, reason);
    if (rc == 0)
        rc = pl_builder_finish_value(&builder, out, reason);
    if (rc != 0)
        return rc;
    kept = pl_arena_copy(p->params->arena, out->whole);
    if (kept.data == NULL)
        return PL_ENOMEM;
    pl_value_take(&kept, out);
    return 0;
}

__attribute__((noinline)) static struct pl_node *read_literal(struct pl_parser *p)
{
    struct pl_node *node = pl_parser_new_node(p, PL_NODE_VALUE, 0);
    const char *start = p->lexer.current.text.data;
    struct pl_json_reader reader;
    struct pl_reason reason = { 0 };
    int rc;

    if (node == NULL)
        return NULL;
    pl_json_reader_init(&reader, p->lexer.text, p->params->arena);
    reader.at = start;
    rc = take_literal(p, &reader, &node->value, &reason);
    if (rc == PL_ENOMEM) {
        pl_parser_fail_memory(p);
        return NULL;
    }
    if (rc != 0) {
        pl_parser_fail(p, "Syntax error; %s", pl_reason_text(&reason, rc));
        return NULL;
    }
    pl_lexer_stretch(&p->lexer, (size_t)(reader.at - start));
    node->text = p->lexer.current.text;
    p->literal_bytes += node->text.len;
    pl_lexer_advance(&p->lexer);
    return node;
}

struct pl_node *pl_parser_value(struct pl_parser *p)
{
    struct pl_node *node;

    if (at_literal(p))
        return read_literal(p);
    if (p->lexer.current.kind != PL_TOKEN_VALUE) {
        pl_parser_fail_syntax(p);
        return NULL;
    }
    node = pl_parser_new_node(p, PL_NODE_VALUE, 0);
    if (node == NULL)
        return NULL;
    node->text = p->lexer.current.text;
    pl_lexer_advance(&p->lexer);
    return node;
}

static enum pl_function function_from_name(struct pl_bytes name)
{
    for (enum pl_function f = PL_FUNCTION_ATTRIBUTE_EXISTS; f <= PL_FUNCTION_LIST_APPEND; f++) {
        if (pl_bytes_equal(name, pl_str(pl_function_name(f))))
            return f;
    }
    return PL_FUNCTION_UNKNOWN;
}

static void note_misused(struct pl_parser *p, const struct pl_node *call)
{
    pl_parser_note(p, PL_RANK_MISUSED_FUNCTION,
                   "The function is not allowed to be used this way in an expression; function: %.*s",
                   (int)call->text.len, call->text.data);
}

/* A function stands where a value is wanted. */
static void check_operand_call(struct pl_parser *p, const struct pl_node *node)
{
    if (node->kind == PL_NODE_CALL && p->kind != PL_EXPR_UPDATE && node->function != PL_FUNCTION_SIZE)
        note_misused(p, node);
}

static void check_function_place(struct pl_parser *p, const struct pl_node *call)
{
    bool for_updates =
        call->function == PL_FUNCTION_IF_NOT_EXISTS || call->function == PL_FUNCTION_LIST_APPEND;
    bool in_update = p->kind == PL_EXPR_UPDATE;

    if (call->function == PL_FUNCTION_UNKNOWN)
        pl_parser_note(p, PL_RANK_UNKNOWN_FUNCTION, "Invalid function name; function: %.*s",
                       (int)call->text.len, call->text.data);
    else if (for_updates != in_update)
        pl_parser_note(p, PL_RANK_UNKNOWN_FUNCTION,
                       "The function is not allowed in %s expression; function: %.*s",
                       in_update ? "an update" : "a condition", (int)call->text.len, call->text.data);
}

static void check_argument(struct pl_parser *p, const struct pl_node *call, const struct pl_node *argument)
{
    check_operand_call(p, argument);
    if (call->function == PL_FUNCTION_LIST_APPEND && argument->kind == PL_NODE_CALL &&
        argument->function == PL_FUNCTION_LIST_APPEND)
        note_misused(p, argument);
}

/* Operands between brackets that are open already, put behind those that `node` has. */
static int read_operands(struct pl_parser *p, struct pl_node *node)
{
    uint32_t capacity = node->child_count;

    do {
        struct pl_node *operand = pl_parser_operand(p);
        struct pl_node **children;

        if (operand == NULL)
            return p->rc;
        children = grow(p, node->children, node->child_count, &capacity, sizeof(struct pl_node *));
        if (children == NULL)
            return p->rc;
        node->children = children;
        node->children[node->child_count++] = operand;
    } while (pl_parser_skip_sign(p, ","));
    return pl_parser_expect_sign(p, ")");
}

static struct pl_node *call(struct pl_parser *p)
{
    struct pl_node *node = pl_parser_new_node(p, PL_NODE_CALL, 0);

    if (node == NULL || pl_parser_enter(p) != 0)
        return NULL;
    node->text = p->lexer.current.text;
    node->function = function_from_name(node->text);
    check_function_place(p, node);
    pl_lexer_advance(&p->lexer);
    pl_lexer_advance(&p->lexer);
    if (read_operands(p, node) != 0)
        return NULL;
    for (uint32_t i = 0; i < node->child_count; i++)
        check_argument(p, node, node->children[i]);
    p->depth--;
    return node;
}

struct pl_node *pl_parser_close_brackets(struct pl_parser *p, struct pl_node *inside)
{
    if (inside == NULL || pl_parser_expect_sign(p, ")") != 0)
        return NULL;
    if (inside->parenthesized)
        pl_parser_note(p, PL_RANK_PARENTHESES, "The expression has redundant parentheses;");
    inside->parenthesized = true;
    p->depth--;
    return inside;
}

static struct pl_node *bare_operand(struct pl_parser *p)
{
    struct pl_token token = p->lexer.current;

    if (token.kind == PL_TOKEN_VALUE || at_literal(p))
        return pl_parser_value(p);
    if (token.kind == PL_TOKEN_WORD && !is_keyword(p, token) &&
        pl_token_is_sign(pl_lexer_peek(&p->lexer), "("))
        return call(p);
    return pl_parser_path(p);
}

struct pl_node *pl_parser_operand(struct pl_parser *p)
{
    if (!pl_token_is_sign(p->lexer.current, "("))
        return bare_operand(p);
    if (pl_parser_enter(p) != 0)
        return NULL;
    pl_lexer_advance(&p->lexer);
    return pl_parser_close_brackets(p, pl_parser_operand(p));
}

static bool comparator(struct pl_token token, enum pl_node_kind *kind)
{
    static const struct {
        const char *sign;
        enum pl_node_kind kind;
    } comparators[] = { { "=", PL_NODE_EQ },  { "<>", PL_NODE_NE }, { "<", PL_NODE_LT },
                        { "<=", PL_NODE_LE }, { ">", PL_NODE_GT },  { ">=", PL_NODE_GE } };

    for (size_t i = 0; i < sizeof comparators / sizeof comparators[0]; i++) {
        if (pl_token_is_sign(token, comparators[i].sign)) {
            *kind = comparators[i].kind;
            return true;
        }
    }
    return false;
}

static int read_bounds(struct pl_parser *p, struct pl_node *node)
{
    node->children[1] = pl_parser_operand(p);
    if (node->children[1] == NULL)
        return p->rc;
    if (!pl_token_is_keyword(p->lexer.current, "AND"))
        return pl_parser_fail_syntax(p);
    pl_lexer_advance(&p->lexer);
    node->children[2] = pl_parser_operand(p);
    return p->rc;
}

static int read_right_side(struct pl_parser *p, struct pl_node *node)
{
    switch (node->kind) {
    case PL_NODE_BETWEEN:
        return read_bounds(p, node);
    case PL_NODE_IN:
        return pl_parser_expect_sign(p, "(") != 0 ? p->rc : read_operands(p, node);
    default:
        node->children[1] = pl_parser_operand(p);
        return p->rc;
    }
}

/* `left` was read; the operator is the current token. */
static struct pl_node *comparison(struct pl_parser *p, enum pl_node_kind kind, struct pl_node *left)
{
    uint32_t child_count = kind == PL_NODE_IN ? 1 : kind == PL_NODE_BETWEEN ? 3 : 2;
    struct pl_node *node = pl_parser_new_node(p, kind, child_count);

    if (node == NULL)
        return NULL;
    node->text = kind == PL_NODE_IN        ? pl_str("IN")
                 : kind == PL_NODE_BETWEEN ? pl_str("BETWEEN")
                                           : p->lexer.current.text;
    node->children[0] = left;
    p->operator_count++;
    pl_lexer_advance(&p->lexer);
    if (read_right_side(p, node) != 0)
        return NULL;
    for (uint32_t i = 0; i < node->child_count; i++)
        check_operand_call(p, node->children[i]);
    return node;
}

static bool is_operand(const struct pl_node *node)
{
    return node->kind <= PL_NODE_CALL;
}

static struct pl_node *primary(struct pl_parser *p)
{
    struct pl_token token = p->lexer.current;
    enum pl_node_kind kind;
    struct pl_node *node;

    if (pl_token_is_sign(token, "(")) {
        if (pl_parser_enter(p) != 0)
            return NULL;
        pl_lexer_advance(&p->lexer);
        node = pl_parser_close_brackets(p, or (p));
    } else {
        node = bare_operand(p);
    }
    if (node == NULL || !is_operand(node))
        return node;

    token = p->lexer.current;
    if (comparator(token, &kind))
        return comparison(p, kind, node);
    if (pl_token_is_keyword(token, "BETWEEN"))
        return comparison(p, PL_NODE_BETWEEN, node);
    if (pl_token_is_keyword(token, "IN"))
        return comparison(p, PL_NODE_IN, node);
    return node;
}

/* `node` stands where a condition is wanted. */
static int need_condition(struct pl_parser *p, const struct pl_node *node)
{
    if (node->kind < PL_NODE_CALL)
        return pl_parser_fail_syntax(p);
    if (node->kind == PL_NODE_CALL && node->function == PL_FUNCTION_SIZE)
        note_misused(p, node);
    return 0;
}

static struct pl_node * not(struct pl_parser * p)
{
    struct pl_node *node;

    if (!pl_token_is_keyword(p->lexer.current, "NOT"))
        return primary(p);
    if (pl_parser_enter(p) != 0)
        return NULL;
    p->operator_count++;
    pl_lexer_advance(&p->lexer);
    node = pl_parser_new_node(p, PL_NODE_NOT, 1);
    if (node == NULL)
        return NULL;
    node->text = pl_str("NOT");
    node->children[0] = not(p);
    if (node->children[0] == NULL || need_condition(p, node->children[0]) != 0)
        return NULL;
    p->depth--;
    return node;
}

/* x AND y AND z, or the same with OR, joined from the left. */
static struct pl_node *joined(struct pl_parser *p, const char *keyword, enum pl_node_kind kind,
                              struct pl_node *(*next)(struct pl_parser *p))
{
    struct pl_node *left = next(p);

    while (left != NULL && pl_token_is_keyword(p->lexer.current, keyword)) {
        struct pl_node *node;

        if (need_condition(p, left) != 0)
            return NULL;
        node = pl_parser_new_node(p, kind, 2);
        if (node == NULL)
            return NULL;
        node->text = pl_str(keyword);
        p->operator_count++;
        pl_lexer_advance(&p->lexer);
        node->children[0] = left;
        node->children[1] = next(p);
        if (node->children[1] == NULL || need_condition(p, node->children[1]) != 0)
            return NULL;
        left = node;
    }
    return left;
}

static struct pl_node * and (struct pl_parser * p)
{
    return joined(p, "AND", PL_NODE_AND, not );
}

static struct pl_node * or (struct pl_parser * p)
{
    return joined(p, "OR", PL_NODE_OR, and);
}

struct pl_node *pl_parser_condition(struct pl_parser *p)
{
    struct pl_node *node = or (p);

    if (node == NULL || need_condition(p, node) != 0 || pl_parser_expect_end(p) != 0)
        return NULL;
    return node;
}
