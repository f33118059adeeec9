/* SPDX-License-Identifier: MIT */
#include "model/partiql_internal.h"

/*
 *     condition    and (OR and)*
 *     and          not (AND not)*
 *     not          NOT not | comparison
 *     comparison   operand [= <> != < <= > >= operand | [NOT] BETWEEN operand AND operand
 *                           | [NOT] IN [value, ...] or (value, ...) | IS [NOT] MISSING | IS [NOT] NULL]
 *     operand      term ((+ | -) term)*
 *     term         value | function(...) | path | (condition)
 */
static struct pl_node *parse_condition(struct pl_partiql_parser *p);

static struct pl_node *or_memory(struct pl_partiql_parser *p, struct pl_node *node)
{
    if (node == NULL)
        pl_partiql_fail_memory(p);
    return node;
}

/* ---- paths ------------------------------------------------------------------------------------------ */

static int take_name_step(struct pl_partiql_parser *p, struct pl_path_step *step)
{
    return pl_partiql_identifier(p, "an attribute's name", &step->name);
}

static int take_index_step(struct pl_partiql_parser *p, struct pl_path_step *step)
{
    struct pl_bytes digits = p->lexer.current.text;
    uint64_t index = 0;

    if (p->lexer.current.kind != PL_PARTIQL_NUMBER)
        return pl_partiql_fail_syntax(p, "an index");
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return pl_partiql_fail_syntax(p, "an index");
        if (index <= PL_EXPR_INDEX_MAX)
            index = index * 10 + (uint64_t)(digits.data[i] - '0');
    }
    if (index > PL_EXPR_INDEX_MAX)
        return pl_partiql_fail(p, "List index is not within the allowable range; index: [%.*s]",
                               (int)digits.len, digits.data);
    step->is_index = true;
    step->index = (uint32_t)index;
    pl_partiql_lexer_advance(&p->lexer);
    return pl_partiql_expect_sign(p, "]");
}

struct pl_path *pl_partiql_path(struct pl_partiql_parser *p)
{
    struct pl_path_step steps[PL_EXPR_PATH_MAX] = { 0 }, spare;
    struct pl_path *path;
    uint32_t count = 0;

    take_name_step(p, &steps[count++]);
    while (p->rc == 0) {
        struct pl_path_step *step = count < PL_EXPR_PATH_MAX ? &steps[count] : &spare;
        bool name = pl_partiql_skip_sign(p, ".");

        if (!name && !pl_partiql_skip_sign(p, "["))
            break;
        count++;
        if (name)
            take_name_step(p, step);
        else
            take_index_step(p, step);
    }
    if (count > PL_EXPR_PATH_MAX)
        pl_partiql_fail(p, "The document path has too many nesting levels; nesting levels: %u", count);
    if (p->rc != 0)
        return NULL;
    path = pl_arena_zalloc(p->arena, 1, sizeof *path);
    if (path != NULL)
        path->steps = pl_arena_zalloc(p->arena, count, sizeof *path->steps);
    if (path == NULL || path->steps == NULL) {
        pl_partiql_fail_memory(p);
        return NULL;
    }
    memcpy(path->steps, steps, count * sizeof *steps);
    path->step_count = count;
    return path;
}

/* ---- operands --------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum pl_function function;
    uint32_t argument_count;
} functions[] = {
    { "begins_with", PL_FUNCTION_BEGINS_WITH, 2 },       { "contains", PL_FUNCTION_CONTAINS, 2 },
    { "attribute_type", PL_FUNCTION_ATTRIBUTE_TYPE, 2 }, { "size", PL_FUNCTION_SIZE, 1 },
    { "list_append", PL_FUNCTION_LIST_APPEND, 2 },
};

/* NULL when an expression would be refused for it too. `written`: the operator or function, as it stands there. */
static struct pl_node *judged(struct pl_partiql_parser *p, struct pl_node *node, const char *written)
{
    if (node == NULL || p->rc != 0)
        return NULL;
    node->text = pl_str(written);
    p->rc = pl_tree_check(p->arena, node, p->why);
    return p->rc == 0 ? node : NULL;
}

/* What the functions of conditions are asked about: a path or a value. */
static bool are_plain(const struct pl_node *call)
{
    for (uint32_t i = 0; i < call->child_count; i++)
        if (call->children[i]->kind != PL_NODE_PATH && call->children[i]->kind != PL_NODE_VALUE)
            return false;
    return true;
}

static struct pl_node *finish_call(struct pl_partiql_parser *p, struct pl_node *call)
{
    const char *name = pl_function_name(call->function);

    /* list_append may stand within another: what is assigned is checked as a whole */
    if (call->function != PL_FUNCTION_LIST_APPEND && !are_plain(call)) {
        pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: %s takes paths and values",
                        name);
        return NULL;
    }
    return judged(p, call, name);
}

/* Its name and the bracket are read. */
static struct pl_node *parse_call(struct pl_partiql_parser *p, uint32_t which)
{
    struct pl_node *call =
        or_memory(p, pl_tree_node(p->arena, PL_NODE_CALL, functions[which].argument_count));

    if (call == NULL)
        return NULL;
    call->function = functions[which].function;
    for (uint32_t i = 0; i < call->child_count; i++) {
        if (i > 0 && pl_partiql_expect_sign(p, ",") != 0)
            return NULL;
        call->children[i] = pl_partiql_operand(p);
        if (call->children[i] == NULL)
            return NULL;
    }
    return pl_partiql_expect_sign(p, ")") == 0 ? finish_call(p, call) : NULL;
}

static bool at_call(const struct pl_partiql_parser *p)
{
    struct pl_partiql_lexer ahead = p->lexer;

    if (ahead.current.kind != PL_PARTIQL_WORD)
        return false;
    pl_partiql_lexer_advance(&ahead);
    return ahead.current.kind == PL_PARTIQL_SIGN && pl_bytes_equal(ahead.current.text, pl_str("("));
}

static struct pl_node *parse_function(struct pl_partiql_parser *p)
{
    struct pl_bytes shown;

    for (uint32_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (!pl_partiql_skip_word(p, functions[i].name))
            continue;
        pl_partiql_lexer_advance(&p->lexer); /* the bracket */
        return parse_call(p, i);
    }
    shown = pl_bytes_shortened(p->lexer.current.text, PL_PARTIQL_SHOWN_MAX);
    pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: there is no function %.*s",
                    (int)shown.len, shown.data);
    return NULL;
}

static struct pl_node *parse_literal(struct pl_partiql_parser *p)
{
    struct pl_value value;

    if (pl_partiql_value(p, &value) != 0)
        return NULL;
    return or_memory(p, pl_tree_value(p->arena, value));
}

static struct pl_node *parse_brackets(struct pl_partiql_parser *p)
{
    struct pl_node *inside = NULL;

    if (pl_partiql_enter(p) == 0)
        inside = parse_condition(p);
    p->depth--;
    return inside != NULL && pl_partiql_expect_sign(p, ")") == 0 ? inside : NULL;
}

static struct pl_node *parse_term(struct pl_partiql_parser *p)
{
    struct pl_path *path;

    if (p->rc != 0)
        return NULL;
    if (pl_partiql_at_value(p))
        return parse_literal(p);
    if (pl_partiql_skip_sign(p, "("))
        return parse_brackets(p);
    if (at_call(p))
        return parse_function(p);
    path = pl_partiql_path(p);
    return path == NULL ? NULL : or_memory(p, pl_tree_path(p->arena, path));
}

/* Trees are walked as deep as they are; NULL, for one reason or another. */
static struct pl_node *too_many(struct pl_partiql_parser *p)
{
    pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: it has more than %d operators",
                    PL_EXPR_OPERATORS_MAX);
    return NULL;
}

struct pl_node *pl_partiql_operand(struct pl_partiql_parser *p)
{
    struct pl_node *left = parse_term(p);

    while (left != NULL && (pl_partiql_at_sign(p, "+") || pl_partiql_at_sign(p, "-"))) {
        bool plus = pl_partiql_at_sign(p, "+");
        struct pl_node *right;

        pl_partiql_lexer_advance(&p->lexer);
        right = ++p->operator_count > PL_EXPR_OPERATORS_MAX ? NULL : parse_term(p);
        if (right == NULL)
            return too_many(p);
        left = or_memory(p, pl_tree_pair(p->arena, plus ? PL_NODE_ADD : PL_NODE_SUBTRACT, left, right));
        left = judged(p, left, plus ? "+" : "-");
    }
    return left;
}

/* ---- conditions ------------------------------------------------------------------------------------- */

static bool is_condition(const struct pl_node *node)
{
    if (node->kind == PL_NODE_CALL)
        return node->function != PL_FUNCTION_SIZE && node->function != PL_FUNCTION_LIST_APPEND;
    return node->kind >= PL_NODE_OR;
}

/* What a condition compares: a path, a value, or a size. Sums belong into SET. */
static bool is_comparable(const struct pl_node *node)
{
    return node->kind == PL_NODE_PATH || node->kind == PL_NODE_VALUE ||
           (node->kind == PL_NODE_CALL && node->function == PL_FUNCTION_SIZE);
}

static struct pl_node *wrong_operand(struct pl_partiql_parser *p, const char *operator)
{
    pl_partiql_fail(
        p, "Statement wasn't well formed, can't be processed: %s wants a path, a value or a size", operator);
    return NULL;
}

static struct pl_node *compare(struct pl_partiql_parser *p, enum pl_node_kind kind, const char *operator,
                               struct pl_node * left, struct pl_node *right)
{
    if (left == NULL || right == NULL)
        return NULL;
    if (!is_comparable(left) || !is_comparable(right))
        return wrong_operand(p, operator);
    return judged(p, or_memory(p, pl_tree_pair(p->arena, kind, left, right)), operator);
}

static struct pl_node *parse_between(struct pl_partiql_parser *p, struct pl_node *subject)
{
    struct pl_node *low = pl_partiql_operand(p), *high, *node;

    if (low == NULL || pl_partiql_expect_word(p, "AND") != 0)
        return NULL;
    high = pl_partiql_operand(p);
    if (high == NULL)
        return NULL;
    if (!is_comparable(subject) || !is_comparable(low) || !is_comparable(high))
        return wrong_operand(p, "BETWEEN");
    node = or_memory(p, pl_tree_node(p->arena, PL_NODE_BETWEEN, 3));
    if (node == NULL)
        return NULL;
    node->children[0] = subject;
    node->children[1] = low;
    node->children[2] = high;
    return judged(p, node, "BETWEEN");
}

static struct pl_node *make_in(struct pl_partiql_parser *p, struct pl_node *subject, struct pl_node **values,
                               uint32_t count)
{
    struct pl_node *node = or_memory(p, pl_tree_node(p->arena, PL_NODE_IN, 1 + count));

    if (node == NULL)
        return NULL;
    node->children[0] = subject;
    memcpy(node->children + 1, values, count * sizeof *values);
    return judged(p, node, "IN");
}

static struct pl_node *parse_in(struct pl_partiql_parser *p, struct pl_node *subject)
{
    struct pl_node *values[PL_EXPR_IN_MAX];
    uint32_t count = 0;
    const char *end = pl_partiql_at_sign(p, "[") ? "]" : ")";

    if (!is_comparable(subject))
        return wrong_operand(p, "IN");
    if (!pl_partiql_skip_sign(p, "[") && pl_partiql_expect_sign(p, "(") != 0)
        return NULL;
    do {
        if (count == PL_EXPR_IN_MAX) {
            pl_partiql_fail(p, "IN takes at most %d values", PL_EXPR_IN_MAX);
            return NULL;
        }
        values[count] = pl_partiql_operand(p);
        if (values[count] == NULL)
            return NULL;
        if (!is_comparable(values[count++]))
            return wrong_operand(p, "IN");
    } while (pl_partiql_skip_sign(p, ","));
    return pl_partiql_expect_sign(p, end) == 0 ? make_in(p, subject, values, count) : NULL;
}

static struct pl_node *negate(struct pl_partiql_parser *p, struct pl_node *node, bool negated)
{
    if (node == NULL || !negated)
        return node;
    return or_memory(p, pl_tree_not(p->arena, node));
}

static struct pl_node *is_null(struct pl_partiql_parser *p, struct pl_node *subject)
{
    struct pl_node *call = or_memory(p, pl_tree_call(p->arena, PL_FUNCTION_ATTRIBUTE_TYPE, subject));

    if (call != NULL)
        call->wanted = PL_TYPE_NULL;
    return call;
}

static struct pl_node *parse_is(struct pl_partiql_parser *p, struct pl_node *subject)
{
    bool negated = pl_partiql_skip_word(p, "NOT");
    enum pl_function function = negated ? PL_FUNCTION_ATTRIBUTE_EXISTS : PL_FUNCTION_ATTRIBUTE_NOT_EXISTS;

    if (subject->kind != PL_NODE_PATH)
        return wrong_operand(p, "IS");
    if (pl_partiql_skip_word(p, "MISSING"))
        return or_memory(p, pl_tree_call(p->arena, function, subject));
    if (pl_partiql_skip_word(p, "NULL"))
        return negate(p, is_null(p, subject), negated);
    pl_partiql_fail_syntax(p, "MISSING or NULL");
    return NULL;
}

static struct pl_node *parse_comparison(struct pl_partiql_parser *p)
{
    static const struct {
        const char *sign;
        enum pl_node_kind kind;
    } operators[] = { { "=", PL_NODE_EQ },  { "<>", PL_NODE_NE }, { "!=", PL_NODE_NE }, { "<", PL_NODE_LT },
                      { "<=", PL_NODE_LE }, { ">", PL_NODE_GT },  { ">=", PL_NODE_GE } };
    struct pl_node *left = pl_partiql_operand(p);
    bool negated;

    if (left == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (pl_partiql_skip_sign(p, operators[i].sign))
            return compare(p, operators[i].kind, operators[i].sign, left, pl_partiql_operand(p));
    if (pl_partiql_skip_word(p, "IS"))
        return parse_is(p, left);
    negated = pl_partiql_skip_word(p, "NOT");
    if (pl_partiql_skip_word(p, "BETWEEN"))
        return negate(p, parse_between(p, left), negated);
    if (pl_partiql_skip_word(p, "IN"))
        return negate(p, parse_in(p, left), negated);
    if (negated)
        pl_partiql_fail_syntax(p, "BETWEEN or IN");
    return negated ? NULL : left;
}

/* A condition where one is wanted: an operand alone says nothing. */
static struct pl_node *need_condition(struct pl_partiql_parser *p, struct pl_node *node)
{
    if (node == NULL || is_condition(node))
        return node;
    pl_partiql_fail_syntax(p, "a comparison");
    return NULL;
}

static struct pl_node *parse_not(struct pl_partiql_parser *p)
{
    struct pl_node *inside = NULL;

    if (!pl_partiql_skip_word(p, "NOT"))
        return parse_comparison(p);
    if (pl_partiql_enter(p) == 0)
        inside = need_condition(p, parse_not(p));
    p->depth--;
    return negate(p, inside, true);
}

static struct pl_node *join(struct pl_partiql_parser *p, enum pl_node_kind kind, struct pl_node *left,
                            struct pl_node *right)
{
    if (++p->operator_count > PL_EXPR_OPERATORS_MAX)
        return too_many(p);
    left = need_condition(p, left);
    right = left == NULL ? NULL : need_condition(p, right);
    return right == NULL ? NULL : or_memory(p, pl_tree_pair(p->arena, kind, left, right));
}

static struct pl_node *parse_and(struct pl_partiql_parser *p)
{
    struct pl_node *left = parse_not(p);

    while (left != NULL && pl_partiql_skip_word(p, "AND"))
        left = join(p, PL_NODE_AND, left, parse_not(p));
    return left;
}

static struct pl_node *parse_condition(struct pl_partiql_parser *p)
{
    struct pl_node *left = parse_and(p);

    while (left != NULL && pl_partiql_skip_word(p, "OR"))
        left = join(p, PL_NODE_OR, left, parse_and(p));
    return left;
}

struct pl_node *pl_partiql_condition_tree(struct pl_partiql_parser *p)
{
    return need_condition(p, parse_condition(p));
}
