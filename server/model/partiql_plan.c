/* SPDX-License-Identifier: MIT */
#include "model/partiql_internal.h"

/*
 * What a WHERE says of keys. Its outermost ANDs are taken apart; each part either fixes a key attribute, or bounds the
 * first sort key attribute that is not fixed, or remains to be judged item by item.
 */
struct parts {
    struct pl_node *list[PL_EXPR_OPERATORS_MAX + 1];
    bool used[PL_EXPR_OPERATORS_MAX + 1];
    uint32_t count;
};

static void take_apart(struct pl_node *node, struct parts *parts)
{
    if (node->kind != PL_NODE_AND) {
        parts->list[parts->count++] = node;
        return;
    }
    take_apart(node->children[0], parts);
    take_apart(node->children[1], parts);
}

static bool is_attribute(const struct pl_node *node, struct pl_bytes name)
{
    return node->kind == PL_NODE_PATH && node->path->step_count == 1 &&
           pl_bytes_equal(node->path->steps[0].name, name);
}

/* `name = value`, either way round. */
static bool fixes(const struct pl_node *node, struct pl_bytes name, struct pl_value *out)
{
    for (int i = 0; node->kind == PL_NODE_EQ && i < 2; i++) {
        if (!is_attribute(node->children[i], name) || node->children[1 - i]->kind != PL_NODE_VALUE)
            continue;
        *out = node->children[1 - i]->value;
        return true;
    }
    return false;
}

static bool find_fixed(struct parts *parts, struct pl_bytes name, struct pl_value *out)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->used[i] || !fixes(parts->list[i], name, out))
            continue;
        parts->used[i] = true;
        return true;
    }
    return false;
}

/* ---- several partitions: IN, or equalities joined by OR ---------------------------------------------- */

struct values {
    struct pl_value list[PL_EXPR_IN_MAX];
    uint32_t count;
};

static bool add_value(struct values *values, struct pl_value value)
{
    for (uint32_t i = 0; i < values->count; i++)
        if (pl_value_equal(values->list[i], value))
            return true;
    if (values->count == PL_EXPR_IN_MAX)
        return false;
    values->list[values->count++] = value;
    return true;
}

static bool lists(const struct pl_node *node, struct pl_bytes name, struct values *values)
{
    struct pl_value value;

    if (node->kind == PL_NODE_OR)
        return lists(node->children[0], name, values) && lists(node->children[1], name, values);
    if (fixes(node, name, &value))
        return add_value(values, value);
    if (node->kind != PL_NODE_IN || !is_attribute(node->children[0], name))
        return false;
    for (uint32_t i = 1; i < node->child_count; i++)
        if (node->children[i]->kind != PL_NODE_VALUE || !add_value(values, node->children[i]->value))
            return false;
    return true;
}

static bool find_listed(struct parts *parts, struct pl_bytes name, struct values *values)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        values->count = 0;
        if (parts->used[i] || !lists(parts->list[i], name, values))
            continue;
        parts->used[i] = true;
        return true;
    }
    return false;
}

/* ---- a range ---------------------------------------------------------------------------------------- */

static enum pl_legacy_operator turned_round(enum pl_legacy_operator comparison)
{
    switch (comparison) {
    case PL_LEGACY_LT:
        return PL_LEGACY_GT;
    case PL_LEGACY_LE:
        return PL_LEGACY_GE;
    case PL_LEGACY_GT:
        return PL_LEGACY_LT;
    default:
        return PL_LEGACY_LE;
    }
}

static bool is_order(enum pl_node_kind kind, enum pl_legacy_operator *out)
{
    switch (kind) {
    case PL_NODE_LT:
        *out = PL_LEGACY_LT;
        return true;
    case PL_NODE_LE:
        *out = PL_LEGACY_LE;
        return true;
    case PL_NODE_GT:
        *out = PL_LEGACY_GT;
        return true;
    case PL_NODE_GE:
        *out = PL_LEGACY_GE;
        return true;
    default:
        return false;
    }
}

struct range {
    enum pl_legacy_operator comparison;
    struct pl_value values[2];
    uint32_t value_count;
};

static bool take_order(const struct pl_node *node, struct pl_bytes name, struct range *out)
{
    for (int i = 0; is_order(node->kind, &out->comparison) && i < 2; i++) {
        if (!is_attribute(node->children[i], name) || node->children[1 - i]->kind != PL_NODE_VALUE)
            continue;
        if (i == 1)
            out->comparison = turned_round(out->comparison);
        out->values[0] = node->children[1 - i]->value;
        out->value_count = 1;
        return true;
    }
    return false;
}

static bool take_between(const struct pl_node *node, struct pl_bytes name, struct range *out)
{
    if (node->kind != PL_NODE_BETWEEN || !is_attribute(node->children[0], name) ||
        node->children[1]->kind != PL_NODE_VALUE || node->children[2]->kind != PL_NODE_VALUE)
        return false;
    *out = (struct range){ .comparison = PL_LEGACY_BETWEEN,
                           .values = { node->children[1]->value, node->children[2]->value },
                           .value_count = 2 };
    return true;
}

static bool take_beginning(const struct pl_node *node, struct pl_bytes name, struct range *out)
{
    if (node->kind != PL_NODE_CALL || node->function != PL_FUNCTION_BEGINS_WITH ||
        !is_attribute(node->children[0], name) || node->children[1]->kind != PL_NODE_VALUE ||
        (node->children[1]->value.type != PL_TYPE_S && node->children[1]->value.type != PL_TYPE_B))
        return false;
    *out = (struct range){ .comparison = PL_LEGACY_BEGINS_WITH,
                           .values = { node->children[1]->value },
                           .value_count = 1 };
    return true;
}

static bool find_range(struct parts *parts, struct pl_bytes name, struct range *out)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct pl_node *node = parts->list[i];

        if (parts->used[i] || !(take_order(node, name, out) || take_between(node, name, out) ||
                                take_beginning(node, name, out)))
            continue;
        parts->used[i] = true;
        return true;
    }
    return false;
}

/* ---- the plan --------------------------------------------------------------------------------------- */

/* What no key condition took, ANDed; NULL: nothing is left. */
static int rest_of(const struct parts *parts, struct pl_arena *arena, struct pl_node **out)
{
    struct pl_node *rest = NULL;

    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->used[i])
            continue;
        rest = rest == NULL ? parts->list[i] : pl_tree_pair(arena, PL_NODE_AND, rest, parts->list[i]);
        if (rest == NULL)
            return PL_ENOMEM;
    }
    *out = rest;
    return 0;
}

static int add_condition(struct pl_partiql_walk *walk, struct pl_arena *arena, struct pl_bytes name,
                         enum pl_legacy_operator comparison, const struct pl_value *values,
                         uint32_t value_count)
{
    struct pl_value *kept = pl_arena_zalloc(arena, value_count, sizeof *kept);

    if (kept == NULL)
        return PL_ENOMEM;
    memcpy(kept, values, value_count * sizeof *kept);
    walk->conditions[walk->condition_count++] = (struct pl_legacy_condition){
        .attribute = name, .comparison = comparison, .values = kept, .value_count = value_count
    };
    return 0;
}

/* Every partition key attribute; several values only where there is one attribute. False: no query. */
static int fix_partition(struct parts *parts, const struct pl_key_schema *keys, struct pl_arena *arena,
                         struct pl_partiql_walk *walk, bool *fixed)
{
    struct values values;
    struct pl_value value;
    int rc = 0;

    *fixed = false;
    if (keys->partition_count == 1) {
        if (!find_listed(parts, keys->partition[0].name, &values))
            return 0;
        rc = add_condition(walk, arena, keys->partition[0].name, PL_LEGACY_EQ, values.list, 1);
        walk->partitions = pl_arena_zalloc(arena, values.count, sizeof *walk->partitions);
        if (rc != 0 || walk->partitions == NULL)
            return PL_ENOMEM;
        memcpy(walk->partitions, values.list, values.count * sizeof *walk->partitions);
        walk->partition_count = values.count;
        *fixed = true;
        return 0;
    }
    for (uint32_t i = 0; i < keys->partition_count && rc == 0; i++) {
        if (!find_fixed(parts, keys->partition[i].name, &value))
            return 0;
        rc = add_condition(walk, arena, keys->partition[i].name, PL_LEGACY_EQ, &value, 1);
    }
    walk->partitions = (struct pl_value *)walk->conditions[0].values;
    walk->partition_count = 1;
    *fixed = rc == 0;
    return rc;
}

/* Sort key attributes from the left: fixed ones, and a range of the next. */
static int bound_sort(struct parts *parts, const struct pl_key_schema *keys, struct pl_arena *arena,
                      struct pl_partiql_walk *walk, uint32_t *fixed)
{
    struct range range;
    struct pl_value value;
    int rc = 0;

    for (*fixed = 0; *fixed < keys->sort_count && rc == 0; (*fixed)++) {
        if (!find_fixed(parts, keys->sort[*fixed].name, &value))
            break;
        rc = add_condition(walk, arena, keys->sort[*fixed].name, PL_LEGACY_EQ, &value, 1);
    }
    if (rc != 0 || *fixed == keys->sort_count || !find_range(parts, keys->sort[*fixed].name, &range))
        return rc;
    return add_condition(walk, arena, keys->sort[*fixed].name, range.comparison, range.values,
                         range.value_count);
}

int pl_partiql_check_order(const struct pl_partiql *statement, const struct pl_key_schema *keys, bool fixed,
                           struct pl_reason *why)
{
    if (statement->order_by.len == 0)
        return 0;
    if (statement->where == NULL)
        return pl_reason_set(why, PL_EINVALID,
                             "Must have WHERE clause in the statement when using ORDER BY clause.");
    if (!fixed)
        return pl_reason_set(
            why, PL_EINVALID,
            "Must have at least one non-optional hash key condition in WHERE clause when using "
            "ORDER BY clause.");
    if (!pl_key_schema_has(keys, statement->order_by))
        return pl_reason_set(why, PL_EINVALID,
                             "Variable reference %.*s in ORDER BY clause must be part of the primary key",
                             (int)statement->order_by.len, statement->order_by.data);
    return 0;
}

static int filter_rest(const struct parts *parts, struct pl_arena *arena, struct pl_condition **out)
{
    struct pl_node *rest = NULL;
    int rc = rest_of(parts, arena, &rest);

    return rc != 0 || rest == NULL ? rc : pl_tree_condition(arena, rest, out);
}

static int plan_query(struct parts *parts, const struct pl_key_schema *keys, struct pl_arena *arena,
                      struct pl_partiql_walk *out, struct pl_reason *why)
{
    uint32_t fixed = 0;
    int rc = bound_sort(parts, keys, arena, out, &fixed);

    if (rc == 0 && out->partition_count > PL_PARTIQL_PARTITIONS_MAX)
        return pl_reason_set(why, PL_EINVALID,
                             "The partition key may have at most %d values in one statement",
                             PL_PARTIQL_PARTITIONS_MAX);
    out->whole_key = out->partition_count == 1 && fixed == keys->sort_count;
    return rc;
}

int pl_partiql_walk(const struct pl_partiql *statement, const struct pl_key_schema *keys,
                    struct pl_arena *arena, struct pl_partiql_walk *out, struct pl_reason *why)
{
    struct parts parts = { .count = 0 };
    bool fixed = false;
    int rc = 0;

    *out = (struct pl_partiql_walk){ 0 };
    if (statement->where != NULL)
        take_apart(statement->where, &parts);
    out->conditions = pl_arena_zalloc(arena, 2 * PL_KEY_COMPONENTS_MAX + 1, sizeof *out->conditions);
    if (out->conditions == NULL)
        return PL_ENOMEM;
    rc = fix_partition(&parts, keys, arena, out, &fixed);
    if (rc == 0)
        rc = pl_partiql_check_order(statement, keys, fixed, why);
    if (rc != 0)
        return rc;
    if (fixed) {
        rc = plan_query(&parts, keys, arena, out, why);
    } else { /* a few partition key attributes of several were fixed, for nothing */
        memset(parts.used, 0, sizeof parts.used);
        out->conditions = NULL;
        out->condition_count = out->partition_count = 0;
    }
    return rc != 0 ? rc : filter_rest(&parts, arena, &out->filter);
}

/* ---- one item --------------------------------------------------------------------------------------- */

static int key_missing(struct pl_reason *why)
{
    return pl_reason_set(why, PL_EINVALID,
                         "Where clause does not contain a mandatory equality on all key attributes");
}

static int finish_key(struct pl_builder *b, struct pl_buf *bytes, struct pl_arena *arena, struct pl_item *out,
                      struct pl_reason *why)
{
    struct pl_item key;
    int rc;

    pl_builder_end(b);
    rc = pl_builder_finish_item(b, &key, why);
    if (rc == 0) {
        *out = (struct pl_item){ .bytes = pl_arena_copy(arena, key.bytes), .size_bytes = key.size_bytes };
        rc = out->bytes.data == NULL ? PL_ENOMEM : 0;
    }
    pl_buf_deinit(bytes);
    return rc;
}

int pl_partiql_target(const struct pl_partiql *statement, const struct pl_key_schema *keys,
                      struct pl_arena *arena, struct pl_partiql_target *out, struct pl_reason *why)
{
    struct parts parts = { .count = 0 };
    struct pl_buf bytes = { 0 };
    struct pl_value value;
    struct pl_builder b;
    int rc;

    if (statement->where == NULL)
        return key_missing(why);
    take_apart(statement->where, &parts);
    pl_builder_init(&b, &bytes, arena);
    pl_builder_begin_item(&b);
    for (uint32_t i = 0; i < (uint32_t)keys->partition_count + keys->sort_count; i++) {
        const struct pl_key_attribute *attribute =
            i < keys->partition_count ? &keys->partition[i] : &keys->sort[i - keys->partition_count];

        if (!find_fixed(&parts, attribute->name, &value)) {
            pl_buf_deinit(&bytes);
            return key_missing(why);
        }
        pl_builder_name(&b, attribute->name);
        pl_builder_value(&b, value);
    }
    rc = finish_key(&b, &bytes, arena, &out->key, why);
    return rc != 0 ? rc : rest_of(&parts, arena, &out->rest);
}

int pl_partiql_condition(enum pl_partiql_rule rule, struct pl_bytes key, struct pl_node *rest,
                         struct pl_arena *arena, struct pl_condition **out)
{
    bool exists = rule == PL_PARTIQL_ITEM_AND_REST;
    struct pl_node *root;

    *out = NULL;
    if (rule == PL_PARTIQL_REST)
        return rest == NULL ? 0 : pl_tree_condition(arena, rest, out);
    if (rule == PL_PARTIQL_NO_ITEM_OR_REST && rest == NULL)
        return 0;
    root = pl_tree_call(arena, exists ? PL_FUNCTION_ATTRIBUTE_EXISTS : PL_FUNCTION_ATTRIBUTE_NOT_EXISTS,
                        pl_tree_path(arena, pl_tree_attribute(arena, key)));
    if (rule != PL_PARTIQL_NO_SUCH_ITEM && rest != NULL)
        root = pl_tree_pair(arena, exists ? PL_NODE_AND : PL_NODE_OR, root, rest);
    return root == NULL ? PL_ENOMEM : pl_tree_condition(arena, root, out);
}
