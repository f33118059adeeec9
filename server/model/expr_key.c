/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

/*
 * A key condition is an ordinary condition, read by the same parser, of which only little may
 * be left: comparisons of a key attribute with constants, joined by AND. They are
 * gathered from the tree, then dealt out to the attributes of the key.
 */
enum {
    PARTS_MAX = 2 * PL_KEY_COMPONENTS_MAX,
    PARTITION_VALUE_MAX = 2048,
    SORT_VALUE_MAX = 1024,
};

struct pl_key_parts {
    struct pl_key_part parts[PARTS_MAX];
    uint32_t count; /* may pass PARTS_MAX: the surplus is counted, not kept */
};

/* Parts on their way to the attributes of a key. */
struct dealing {
    struct pl_reason *why;
    const struct pl_key_schema *keys;
    const struct pl_key_parts *from;
};

static int fail(struct pl_reason *why, const char *sentence, struct pl_bytes name)
{
    return pl_reason_set(why, PL_EINVALID, "%s%.*s", sentence, (int)name.len, name.data);
}

static enum pl_range_kind range_kind(const struct pl_node *node)
{
    switch (node->kind) {
    case PL_NODE_EQ:
        return PL_RANGE_EQ;
    case PL_NODE_LT:
        return PL_RANGE_LT;
    case PL_NODE_LE:
        return PL_RANGE_LE;
    case PL_NODE_GT:
        return PL_RANGE_GT;
    case PL_NODE_GE:
        return PL_RANGE_GE;
    case PL_NODE_BETWEEN:
        return PL_RANGE_BETWEEN;
    case PL_NODE_CALL:
        return node->function == PL_FUNCTION_BEGINS_WITH ? PL_RANGE_BEGINS_WITH : PL_RANGE_NONE;
    default:
        return PL_RANGE_NONE;
    }
}

/* `:v > a` is `a < :v`. */
static enum pl_range_kind mirrored(enum pl_range_kind kind)
{
    switch (kind) {
    case PL_RANGE_LT:
        return PL_RANGE_GT;
    case PL_RANGE_LE:
        return PL_RANGE_GE;
    case PL_RANGE_GT:
        return PL_RANGE_LT;
    case PL_RANGE_GE:
        return PL_RANGE_LE;
    default:
        return kind;
    }
}

static int check_operands(const struct pl_node *node, struct pl_reason *why)
{
    uint32_t path_count = 0;

    for (uint32_t i = 0; i < node->child_count; i++) {
        const struct pl_node *operand = node->children[i];

        if (operand->kind == PL_NODE_CALL)
            return fail(why, "KeyConditionExpressions cannot contain nested operations", pl_str(""));
        if (operand->kind != PL_NODE_PATH)
            continue;
        if (operand->path->step_count > 1)
            return fail(why, "KeyConditionExpressions cannot have conditions on nested attributes",
                        pl_str(""));
        path_count++;
    }
    if (path_count > 1)
        return fail(
            why,
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
            pl_str(""));
    if (path_count == 0)
        return fail(why, "Invalid condition in KeyConditionExpression: No key attribute specified",
                    pl_str(""));
    return 0;
}

static int add_part(struct pl_key_parts *to, const struct pl_key_part *part, struct pl_reason *why)
{
    for (uint32_t i = 0; i < to->count && i < PARTS_MAX; i++) {
        if (pl_bytes_equal(to->parts[i].attribute, part->attribute))
            return fail(why, "KeyConditionExpressions must only contain one condition per key", pl_str(""));
    }
    if (to->count < PARTS_MAX)
        to->parts[to->count] = *part;
    to->count++;
    return 0;
}

static int gather_comparison(struct pl_key_parts *to, const struct pl_node *node, struct pl_reason *why)
{
    struct pl_key_part part = { .kind = range_kind(node) };
    const struct pl_node *first = node->children[0];
    int rc;

    if (part.kind == PL_RANGE_NONE)
        return fail(why, "Invalid operator used in KeyConditionExpression: ", node->text);
    rc = check_operands(node, why);
    if (rc != 0)
        return rc;
    if (first->kind == PL_NODE_PATH) {
        part.attribute = first->path->steps[0].name;
        part.low = node->children[1]->value;
    } else if (part.kind == PL_RANGE_BETWEEN || part.kind == PL_RANGE_BEGINS_WITH) {
        return fail(why, "Query key condition not supported", pl_str(""));
    } else {
        part.attribute = node->children[1]->path->steps[0].name;
        part.low = first->value;
        part.kind = mirrored(part.kind);
    }
    if (part.kind == PL_RANGE_BETWEEN)
        part.high = node->children[2]->value;
    return add_part(to, &part, why);
}

static int gather(struct pl_key_parts *to, const struct pl_node *node, struct pl_reason *why)
{
    int rc;

    if (node->kind != PL_NODE_AND) {
        if (node->kind == PL_NODE_OR || node->kind == PL_NODE_NOT)
            return fail(why, "Invalid operator used in KeyConditionExpression: ", node->text);
        return gather_comparison(to, node, why);
    }
    rc = gather(to, node->children[0], why);
    return rc != 0 ? rc : gather(to, node->children[1], why);
}

static const struct pl_key_part *find_part(const struct dealing *d, const struct pl_key_attribute *attribute)
{
    for (uint32_t i = 0; i < d->from->count; i++) {
        if (pl_bytes_equal(d->from->parts[i].attribute, attribute->name))
            return &d->from->parts[i];
    }
    return NULL;
}

static int check_value(struct dealing *d, const struct pl_key_attribute *attribute, struct pl_value value,
                       bool partition)
{
    if (value.type != attribute->type)
        return pl_reason_set(
            d->why, PL_EINVALID,
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type");
    if (value.type == PL_TYPE_N)
        return 0;
    if (value.payload.len == 0)
        return pl_reason_set(
            d->why, PL_EINVALID,
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty %s value. Key: %.*s",
            value.type == PL_TYPE_S ? "string" : "binary", (int)attribute->name.len, attribute->name.data);
    if (partition && value.payload.len > PARTITION_VALUE_MAX)
        return pl_reason_set(
            d->why, PL_EINVALID,
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of2048 bytes");
    if (!partition && value.payload.len > SORT_VALUE_MAX)
        return pl_reason_set(
            d->why, PL_EINVALID,
            "One or more parameter values were invalid: Aggregated size of all range keys has "
            "exceeded the size limit of 1024 bytes");
    return 0;
}

static int check_part(struct dealing *d, const struct pl_key_attribute *attribute,
                      const struct pl_key_part *part, bool partition)
{
    int rc = check_value(d, attribute, part->low, partition);

    if (rc == 0 && part->kind == PL_RANGE_BETWEEN)
        rc = check_value(d, attribute, part->high, partition);
    return rc;
}

static int take_partition(struct dealing *d, struct pl_key_condition *out)
{
    for (uint8_t i = 0; i < d->keys->partition_count; i++) {
        const struct pl_key_attribute *attribute = &d->keys->partition[i];
        const struct pl_key_part *part = find_part(d, attribute);
        int rc;

        if (part == NULL)
            return fail(d->why, "Query condition missed key schema element: ", attribute->name);
        rc = check_part(d, attribute, part, true);
        if (rc != 0)
            return rc;
        if (part->kind != PL_RANGE_EQ)
            return fail(d->why, "Query key condition not supported", pl_str(""));
        out->partition[i] = part->low;
    }
    return 0;
}

/* Equalities from the left; the last condition used may be a range. */
static int take_sort(struct dealing *d, struct pl_key_condition *out)
{
    uint32_t left = d->from->count - d->keys->partition_count;

    if (left > 0 && d->keys->sort_count == 0)
        return fail(d->why, "Query key condition not supported", pl_str(""));
    for (uint8_t i = 0; i < d->keys->sort_count && left > 0; i++) {
        const struct pl_key_attribute *attribute = &d->keys->sort[i];
        const struct pl_key_part *part = find_part(d, attribute);
        int rc;

        if (part == NULL)
            return fail(d->why, "Query condition missed key schema element: ", attribute->name);
        rc = check_part(d, attribute, part, false);
        if (rc != 0)
            return rc;
        left--;
        if (part->kind == PL_RANGE_EQ) {
            out->equals[out->equal_count++] = part->low;
            continue;
        }
        if (left > 0)
            return fail(d->why, "Query key condition not supported", pl_str(""));
        out->range = part->kind;
        out->low = part->low;
        out->high = part->high;
    }
    return 0;
}

static int deal_out(struct dealing *d, struct pl_key_condition *out)
{
    uint32_t most = (uint32_t)d->keys->partition_count + d->keys->sort_count;
    int rc;

    if (most <= 2 && d->from->count > 2)
        return fail(d->why, "Conditions can be of length 1 or 2 only", pl_str(""));
    if (most > 2 && d->from->count > most)
        return fail(d->why, "Query key condition not supported", pl_str(""));
    rc = take_partition(d, out);
    return rc != 0 ? rc : take_sort(d, out);
}

static int parse(struct pl_parser *p, struct pl_key_parts *out)
{
    struct pl_node *root = pl_parser_condition(p);
    int rc = pl_parser_conclude(p);

    if (rc == 0)
        rc = pl_check_condition(p, root);
    return rc != 0 ? rc : gather(out, root, p->why);
}

int pl_key_condition_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_key_parts **out,
                           struct pl_reason *why)
{
    struct pl_key_parts *parts = pl_arena_zalloc(params->arena, 1, sizeof *parts);
    struct pl_parser p;
    int rc;

    if (parts == NULL)
        return PL_ENOMEM;
    rc = pl_parser_init(&p, params, PL_EXPR_KEY_CONDITION, text, why);
    if (rc == 0)
        rc = parse(&p, parts);
    pl_parser_deinit(&p);
    if (rc == 0)
        *out = parts;
    return rc;
}

int pl_key_condition_fit(const struct pl_key_parts *parts, const struct pl_key_schema *keys,
                         struct pl_key_condition *out, struct pl_reason *why)
{
    struct dealing d = { .why = why, .keys = keys, .from = parts };
    struct pl_key_condition condition = { 0 };
    int rc = deal_out(&d, &condition);

    if (rc == 0)
        *out = condition;
    return rc;
}

int pl_key_condition_from_parts(const struct pl_key_part *parts, uint32_t count,
                                const struct pl_key_schema *keys, struct pl_key_condition *out,
                                struct pl_reason *why)
{
    struct pl_key_parts gathered = { .count = 0 };
    int rc = 0;

    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = add_part(&gathered, &parts[i], why);
    return rc != 0 ? rc : pl_key_condition_fit(&gathered, keys, out, why);
}
