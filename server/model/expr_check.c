/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

/*
 * Checks on a tree that has been read. DynamoDB goes from condition to condition, and
 * on each asks in this order: are its placeholders defined, do functions have as
 * many operands as they need, is the first operand distinct, do the types of constants fit.
 */
static const struct {
    const char *name;
    uint32_t operand_count;
} functions[] = {
    [PL_FUNCTION_UNKNOWN] = { "", 0 },
    [PL_FUNCTION_ATTRIBUTE_EXISTS] = { "attribute_exists", 1 },
    [PL_FUNCTION_ATTRIBUTE_NOT_EXISTS] = { "attribute_not_exists", 1 },
    [PL_FUNCTION_ATTRIBUTE_TYPE] = { "attribute_type", 2 },
    [PL_FUNCTION_BEGINS_WITH] = { "begins_with", 2 },
    [PL_FUNCTION_CONTAINS] = { "contains", 2 },
    [PL_FUNCTION_SIZE] = { "size", 1 },
    [PL_FUNCTION_IF_NOT_EXISTS] = { "if_not_exists", 2 },
    [PL_FUNCTION_LIST_APPEND] = { "list_append", 2 },
};

const char *pl_function_name(enum pl_function function)
{
    return functions[function].name;
}

typedef int (*check_fn)(struct pl_parser *p, struct pl_node *node);

/* Operands first, as they are computed. */
static int check_each(struct pl_parser *p, struct pl_node *node, check_fn check)
{
    for (uint32_t i = 0; i < node->child_count; i++) {
        int rc = check_each(p, node->children[i], check);

        if (rc != 0)
            return rc;
    }
    return check(p, node);
}

int pl_check_path_names(struct pl_parser *p, struct pl_path *path)
{
    for (uint32_t i = 0; i < path->step_count; i++) {
        struct pl_path_step *step = &path->steps[i];
        const struct pl_expr_placeholder *placeholder;

        if (step->is_index || step->name.data[0] != '#')
            continue;
        placeholder = pl_expr_use_name(p->params, step->name);
        if (placeholder == NULL)
            return pl_parser_fail(p,
                                  "An expression attribute name used in the document path is not defined; "
                                  "attribute name: %.*s",
                                  (int)step->name.len, step->name.data);
        step->name = placeholder->attribute;
    }
    return 0;
}

static int check_name(struct pl_parser *p, struct pl_node *node)
{
    return node->kind == PL_NODE_PATH ? pl_check_path_names(p, node->path) : 0;
}

static int check_value(struct pl_parser *p, struct pl_node *node)
{
    const struct pl_expr_placeholder *placeholder;

    if (node->kind != PL_NODE_VALUE || node->value.type != 0)
        return 0;
    placeholder = pl_expr_use_value(p->params, node->text);
    if (placeholder == NULL)
        return pl_parser_fail(p,
                              "An expression attribute value used in expression is not defined; "
                              "attribute value: %.*s",
                              (int)node->text.len, node->text.data);
    node->value = placeholder->value;
    return 0;
}

static int check_placeholder(struct pl_parser *p, struct pl_node *node)
{
    int rc = check_name(p, node);

    return rc != 0 ? rc : check_value(p, node);
}

int pl_check_names(struct pl_parser *p, struct pl_node *node)
{
    return check_each(p, node, check_name);
}

int pl_check_values(struct pl_parser *p, struct pl_node *node)
{
    return check_each(p, node, check_value);
}

static int check_count(struct pl_parser *p, struct pl_node *node)
{
    if (node->kind == PL_NODE_CALL && node->child_count != functions[node->function].operand_count)
        return pl_parser_fail(
            p,
            "Incorrect number of operands for operator or function; operator or function: %s, "
            "number of operands: %u",
            pl_function_name(node->function), node->child_count);
    if (node->kind == PL_NODE_IN && node->child_count - 1 > PL_EXPR_IN_MAX)
        return pl_parser_fail(p, "The IN operator is provided with too many operands; number of operands: %u",
                              node->child_count - 1);
    return 0;
}

static int fail_distinct(struct pl_parser *p, const struct pl_node *node)
{
    struct pl_buf path = { 0 };
    int rc;

    pl_path_write(&path, node->children[0]->path);
    if (pl_buf_status(&path) != 0)
        rc = pl_parser_fail_memory(p);
    else
        rc = pl_parser_fail(
            p,
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: %.*s, first operand: %.*s",
            (int)node->text.len, node->text.data, (int)path.len, path.data);
    pl_buf_deinit(&path);
    return rc;
}

static int check_distinct(struct pl_parser *p, struct pl_node *node)
{
    /* Appending a list to itself is allowed, and so is adding a number to itself. */
    if (node->child_count < 2 || node->children[0]->kind != PL_NODE_PATH || node->kind == PL_NODE_ADD ||
        node->kind == PL_NODE_SUBTRACT || node->function == PL_FUNCTION_LIST_APPEND)
        return 0;
    for (uint32_t i = 1; i < node->child_count; i++) {
        const struct pl_node *other = node->children[i];

        if (other->kind == PL_NODE_PATH && pl_path_equal(node->children[0]->path, other->path))
            return fail_distinct(p, node);
    }
    return 0;
}

/* The type an operand has whatever the item holds; 0: it depends. */
static enum pl_type constant_type(const struct pl_node *node)
{
    if (node->kind == PL_NODE_VALUE)
        return node->value.type;
    if (node->kind == PL_NODE_CALL && node->function == PL_FUNCTION_SIZE)
        return PL_TYPE_N;
    if (node->kind == PL_NODE_CALL && node->function == PL_FUNCTION_LIST_APPEND)
        return PL_TYPE_L;
    return 0;
}

static int fail_type(struct pl_parser *p, const struct pl_node *node, const char *type)
{
    return pl_parser_fail(
        p, "Incorrect operand type for operator or function; operator or function: %.*s, operand type: %s",
        (int)node->text.len, node->text.data, type);
}

/* Every operand is of one of `types`, as far as is known. */
static int check_types(struct pl_parser *p, const struct pl_node *node, unsigned types)
{
    for (uint32_t i = 0; i < node->child_count; i++) {
        enum pl_type type = constant_type(node->children[i]);

        if (type != 0 && (types & 1u << type) == 0)
            return fail_type(p, node, pl_type_name(type));
    }
    return 0;
}

static int fail_path_needed(struct pl_parser *p, const struct pl_node *node)
{
    return pl_parser_fail(p, "Operator or function requires a document path; operator or function: %s",
                          pl_function_name(node->function));
}

static int check_attribute_type(struct pl_parser *p, struct pl_node *node)
{
    const struct pl_node *wanted = node->children[1];
    enum pl_type type = constant_type(wanted);

    if (type == 0)
        return fail_type(p, node, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    if (type != PL_TYPE_S)
        return fail_type(p, node, pl_type_name(type));
    node->wanted = pl_type_from_name(wanted->value.payload);
    if (node->wanted == 0)
        return pl_parser_fail(
            p, "Invalid attribute type name found; type: %.*s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
            (int)wanted->value.payload.len, wanted->value.payload.data);
    return 0;
}

enum {
    TEXTS = 1u << PL_TYPE_S | 1u << PL_TYPE_B,
    ORDERED = TEXTS | 1u << PL_TYPE_N,
    SIZED =
        TEXTS | 1u << PL_TYPE_L | 1u << PL_TYPE_M | 1u << PL_TYPE_SS | 1u << PL_TYPE_NS | 1u << PL_TYPE_BS,
};

static int check_call(struct pl_parser *p, struct pl_node *node)
{
    switch (node->function) {
    case PL_FUNCTION_ATTRIBUTE_EXISTS:
    case PL_FUNCTION_ATTRIBUTE_NOT_EXISTS:
    case PL_FUNCTION_IF_NOT_EXISTS:
        return node->children[0]->kind == PL_NODE_PATH ? 0 : fail_path_needed(p, node);
    case PL_FUNCTION_ATTRIBUTE_TYPE:
        return check_attribute_type(p, node);
    case PL_FUNCTION_BEGINS_WITH:
        return check_types(p, node, TEXTS);
    case PL_FUNCTION_SIZE:
        return check_types(p, node, SIZED);
    case PL_FUNCTION_LIST_APPEND:
        return check_types(p, node, 1u << PL_TYPE_L);
    default:
        return 0;
    }
}

static int fail_bounds(struct pl_parser *p, const char *sentence, struct pl_value low, struct pl_value high)
{
    struct pl_buf bounds = { 0 };
    int rc;

    pl_buf_append_format(&bounds, "lower bound operand: ");
    pl_value_show(&bounds, low);
    pl_buf_append_format(&bounds, ", upper bound operand: ");
    pl_value_show(&bounds, high);
    if (pl_buf_status(&bounds) != 0)
        rc = pl_parser_fail_memory(p);
    else
        rc = pl_parser_fail(p, "The BETWEEN operator requires %s; %.*s", sentence, (int)bounds.len,
                            bounds.data);
    pl_buf_deinit(&bounds);
    return rc;
}

static int check_between(struct pl_parser *p, struct pl_node *node)
{
    const struct pl_node *low = node->children[1], *high = node->children[2];
    int rc = check_types(p, node, ORDERED);

    if (rc != 0 || low->kind != PL_NODE_VALUE || high->kind != PL_NODE_VALUE)
        return rc;
    if (low->value.type != high->value.type)
        return fail_bounds(p, "same data type for lower and upper bounds", low->value, high->value);
    if (pl_value_compare(low->value, high->value) > 0)
        return fail_bounds(p, "upper bound to be greater than or equal to lower bound", low->value,
                           high->value);
    return 0;
}

static int check_type(struct pl_parser *p, struct pl_node *node)
{
    switch (node->kind) {
    case PL_NODE_CALL:
        return check_call(p, node);
    case PL_NODE_LT:
    case PL_NODE_LE:
    case PL_NODE_GT:
    case PL_NODE_GE:
        return check_types(p, node, ORDERED);
    case PL_NODE_BETWEEN:
        return check_between(p, node);
    case PL_NODE_ADD:
    case PL_NODE_SUBTRACT:
        return check_types(p, node, 1u << PL_TYPE_N);
    default:
        return 0;
    }
}

int pl_check_operator(struct pl_parser *p, struct pl_node *node)
{
    int rc = check_distinct(p, node);

    return rc != 0 ? rc : check_type(p, node);
}

int pl_check_condition(struct pl_parser *p, struct pl_node *node)
{
    static const check_fn checks[] = { check_placeholder, check_count, check_distinct, check_type };
    int rc = 0;

    if (node->kind == PL_NODE_OR || node->kind == PL_NODE_AND || node->kind == PL_NODE_NOT) {
        for (uint32_t i = 0; i < node->child_count && rc == 0; i++)
            rc = pl_check_condition(p, node->children[i]);
        return rc;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && rc == 0; i++)
        rc = check_each(p, node, checks[i]);
    return rc;
}

/* Placeholders have been replaced by then. */
int pl_check_update_operands(struct pl_parser *p, struct pl_node *node)
{
    static const check_fn checks[] = { check_count, check_distinct, check_type };
    int rc = 0;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && rc == 0; i++)
        rc = check_each(p, node, checks[i]);
    return rc;
}
