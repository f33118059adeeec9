/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

struct pl_condition {
    struct pl_node *root;
    struct pl_path_list paths;
};

int pl_condition_parse(struct pl_expr_params *params, enum pl_expr_kind kind, struct pl_bytes text,
                       struct pl_condition **out, struct pl_reason *why)
{
    struct pl_condition *condition = pl_arena_zalloc(params->arena, 1, sizeof *condition);
    struct pl_parser p;
    int rc;

    if (condition == NULL)
        return PL_ENOMEM;
    rc = pl_parser_init(&p, params, kind, text, why);
    if (rc == 0) {
        condition->root = pl_parser_condition(&p);
        rc = pl_parser_conclude(&p);
    }
    if (rc == 0)
        rc = pl_check_condition(&p, condition->root);
    pl_parser_deinit(&p);
    if (rc != 0)
        return rc;
    condition->paths = (struct pl_path_list){ .paths = p.paths, .count = p.path_count };
    *out = condition;
    return 0;
}

int pl_condition_from_tree(struct pl_arena *arena, struct pl_node *root, const struct pl_path *const *paths,
                           uint32_t count, struct pl_condition **out)
{
    struct pl_condition *condition = pl_arena_zalloc(arena, 1, sizeof *condition);

    if (condition == NULL)
        return PL_ENOMEM;
    condition->root = root;
    condition->paths = (struct pl_path_list){ .paths = paths, .count = count };
    *out = condition;
    return 0;
}

struct pl_path_list pl_condition_paths(const struct pl_condition *condition)
{
    return condition->paths;
}

/** What an operand amounts to. The value may point into `number`, so it stays where it was made. */
struct result {
    struct pl_value value;
    uint8_t number[1 + PL_VARINT_MAX + PL_NUMBER_ENCODED_MAX];
};

static void set_number(struct result *result, uint32_t count)
{
    struct pl_number number;
    size_t len;

    pl_number_from_int64(count, &number);
    len = pl_number_encode(&number, result->number + 2);
    result->number[0] = PL_TYPE_N;
    result->number[1] = (uint8_t)len;
    result->value = (struct pl_value){ .type = PL_TYPE_N,
                                       .payload = pl_bytes(result->number + 2, len),
                                       .whole = pl_bytes(result->number, 2 + len) };
}

static uint32_t character_count(struct pl_bytes text)
{
    uint32_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return count;
}

/*
 * size(): of a string, its characters (Unicode code points: DynamoDB's page does not say which
 * unit it counts, and this is the one that needs no explanation).
 */
static bool size_of(struct pl_value value, struct result *out)
{
    switch (value.type) {
    case PL_TYPE_S:
        set_number(out, character_count(value.payload));
        return true;
    case PL_TYPE_B:
        set_number(out, (uint32_t)value.payload.len);
        return true;
    case PL_TYPE_L:
    case PL_TYPE_M:
    case PL_TYPE_SS:
    case PL_TYPE_NS:
    case PL_TYPE_BS:
        set_number(out, pl_value_count(value));
        return true;
    default:
        return false;
    }
}

/* False: the operand has no value. */
static bool compute(const struct pl_node *node, const struct pl_item *item, struct result *out)
{
    if (node->kind == PL_NODE_PATH)
        return pl_path_find(node->path, item, &out->value);
    if (node->kind == PL_NODE_VALUE) {
        out->value = node->value;
        return true;
    }
    return compute(node->children[0], item, out) && size_of(out->value, out);
}

static bool is_ordered(enum pl_type type)
{
    return type == PL_TYPE_S || type == PL_TYPE_N || type == PL_TYPE_B;
}

/* False when the two have no order; else `*order` is negative, 0 or positive. */
static bool order_of(struct pl_value a, struct pl_value b, int *order)
{
    if (a.type != b.type || !is_ordered(a.type))
        return false;
    *order = pl_value_compare(a, b);
    return true;
}

static bool compare(const struct pl_node *node, const struct pl_item *item)
{
    struct result left, right;
    bool both = compute(node->children[0], item, &left) && compute(node->children[1], item, &right);
    int order;

    /* What is missing equals nothing, not even another missing attribute. */
    if (node->kind == PL_NODE_NE)
        return !both || !pl_value_equal(left.value, right.value);
    if (!both)
        return false;
    if (node->kind == PL_NODE_EQ)
        return pl_value_equal(left.value, right.value);
    if (!order_of(left.value, right.value, &order))
        return false;
    switch (node->kind) {
    case PL_NODE_LT:
        return order < 0;
    case PL_NODE_LE:
        return order <= 0;
    case PL_NODE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool between(const struct pl_node *node, const struct pl_item *item)
{
    struct result value, low, high;
    int above, below;

    return compute(node->children[0], item, &value) && compute(node->children[1], item, &low) &&
           compute(node->children[2], item, &high) && order_of(value.value, low.value, &above) &&
           order_of(value.value, high.value, &below) && above >= 0 && below <= 0;
}

static bool in(const struct pl_node *node, const struct pl_item *item)
{
    struct result value, other;

    if (!compute(node->children[0], item, &value))
        return false;
    for (uint32_t i = 1; i < node->child_count; i++) {
        if (compute(node->children[i], item, &other) && pl_value_equal(value.value, other.value))
            return true;
    }
    return false;
}

static bool begins_with(struct pl_value value, struct pl_value prefix)
{
    return value.type == prefix.type && (value.type == PL_TYPE_S || value.type == PL_TYPE_B) &&
           value.payload.len >= prefix.payload.len &&
           (prefix.payload.len == 0 ||
            memcmp(value.payload.data, prefix.payload.data, prefix.payload.len) == 0);
}

static bool list_contains(struct pl_bytes list, struct pl_value wanted)
{
    struct pl_value element;

    while (pl_value_take(&list, &element)) {
        if (pl_value_equal(element, wanted))
            return true;
    }
    return false;
}

static bool contains(struct pl_value whole, struct pl_value part)
{
    switch (whole.type) {
    case PL_TYPE_S:
    case PL_TYPE_B:
        return part.type == whole.type &&
               (part.payload.len == 0 ||
                (whole.payload.len >= part.payload.len &&
                 memmem(whole.payload.data, whole.payload.len, part.payload.data, part.payload.len) != NULL));
    case PL_TYPE_SS:
        return part.type == PL_TYPE_S && pl_set_contains(whole.payload, part.payload);
    case PL_TYPE_NS:
        return part.type == PL_TYPE_N && pl_set_contains(whole.payload, part.payload);
    case PL_TYPE_BS:
        return part.type == PL_TYPE_B && pl_set_contains(whole.payload, part.payload);
    case PL_TYPE_L:
        return list_contains(whole.payload, part);
    default:
        return false;
    }
}

static bool call(const struct pl_node *node, const struct pl_item *item)
{
    struct result first, second;
    bool found = compute(node->children[0], item, &first);

    switch (node->function) {
    case PL_FUNCTION_ATTRIBUTE_EXISTS:
        return found;
    case PL_FUNCTION_ATTRIBUTE_NOT_EXISTS:
        return !found;
    case PL_FUNCTION_ATTRIBUTE_TYPE:
        return found && first.value.type == node->wanted;
    case PL_FUNCTION_BEGINS_WITH:
        return found && compute(node->children[1], item, &second) && begins_with(first.value, second.value);
    default:
        return found && compute(node->children[1], item, &second) && contains(first.value, second.value);
    }
}

/* As deep as the parser allowed (PL_EXPR_DEPTH_MAX, and PL_EXPR_OPERATORS_MAX to the left). */
static bool test(const struct pl_node *node, const struct pl_item *item)
{
    switch (node->kind) {
    case PL_NODE_OR:
        return test(node->children[0], item) || test(node->children[1], item);
    case PL_NODE_AND:
        return test(node->children[0], item) && test(node->children[1], item);
    case PL_NODE_NOT:
        return !test(node->children[0], item);
    case PL_NODE_BETWEEN:
        return between(node, item);
    case PL_NODE_IN:
        return in(node, item);
    case PL_NODE_CALL:
        return call(node, item);
    default:
        return compare(node, item);
    }
}

bool pl_condition_test(const struct pl_condition *condition, const struct pl_item *item)
{
    return test(condition->root, item);
}
