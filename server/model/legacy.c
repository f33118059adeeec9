/* SPDX-License-Identifier: MIT */
#include "model/legacy.h"

#include "model/expr_tree.h"
#include "model/expr_update.h"

#define P "One or more parameter values were invalid: "

const char *const pl_legacy_operator_names[] = {
    [PL_LEGACY_IN] = "IN",
    [PL_LEGACY_NULL] = "NULL",
    [PL_LEGACY_BETWEEN] = "BETWEEN",
    [PL_LEGACY_LT] = "LT",
    [PL_LEGACY_NOT_CONTAINS] = "NOT_CONTAINS",
    [PL_LEGACY_EQ] = "EQ",
    [PL_LEGACY_GT] = "GT",
    [PL_LEGACY_NOT_NULL] = "NOT_NULL",
    [PL_LEGACY_NE] = "NE",
    [PL_LEGACY_LE] = "LE",
    [PL_LEGACY_BEGINS_WITH] = "BEGINS_WITH",
    [PL_LEGACY_GE] = "GE",
    [PL_LEGACY_CONTAINS] = "CONTAINS",
    [PL_LEGACY_CONTAINS + 1] = NULL,
};

/* ---- checks ----------------------------------------------------------------------------------------- */

static bool count_fits(const struct pl_legacy_condition *c)
{
    switch (c->comparison) {
    case PL_LEGACY_NULL:
    case PL_LEGACY_NOT_NULL:
        return c->value_count == 0;
    case PL_LEGACY_BETWEEN:
        return c->value_count == 2;
    case PL_LEGACY_IN:
        return c->value_count >= 1;
    default:
        return c->value_count == 1;
    }
}

static bool type_fits(enum pl_legacy_operator comparison, enum pl_type type)
{
    switch (comparison) {
    case PL_LEGACY_EQ:
    case PL_LEGACY_NE:
        return true;
    case PL_LEGACY_BEGINS_WITH:
        return type == PL_TYPE_S || type == PL_TYPE_B;
    default:
        return type == PL_TYPE_S || type == PL_TYPE_N || type == PL_TYPE_B;
    }
}

int pl_legacy_condition_check(const struct pl_legacy_condition *c, struct pl_reason *why)
{
    const char *name = pl_legacy_operator_names[c->comparison];

    if (!count_fits(c))
        return pl_reason_set(why, PL_EINVALID,
                             P "Invalid number of argument(s) for the %s ComparisonOperator", name);
    for (uint32_t i = 1; i < c->value_count; i++)
        if (c->values[i].type != c->values[0].type)
            return pl_reason_set(why, PL_EINVALID,
                                 P "AttributeValues inside AttributeValueList must be of same type");
    if (c->value_count > 0 && !type_fits(c->comparison, c->values[0].type))
        return pl_reason_set(why, PL_EINVALID,
                             P "ComparisonOperator %s is not valid for %s AttributeValue type", name,
                             pl_type_name(c->values[0].type));
    if (c->comparison == PL_LEGACY_BETWEEN && pl_value_compare(c->values[0], c->values[1]) > 0)
        return pl_reason_set(why, PL_EINVALID,
                             "The BETWEEN condition was provided a range where the lower bound is greater "
                             "than the upper bound");
    return 0;
}

static bool is_set(enum pl_type type)
{
    return type == PL_TYPE_SS || type == PL_TYPE_NS || type == PL_TYPE_BS;
}

int pl_legacy_update_check(const struct pl_legacy_update *u, struct pl_reason *why)
{
    enum pl_type type;

    if (u->attribute.len == 0)
        return pl_reason_set(why, PL_EINVALID, P "Empty attribute name");
    if (u->attribute.len > PL_ATTRIBUTE_NAME_MAX)
        return pl_reason_set(why, PL_EINVALID, P "Attribute name is too large, must be at most %d bytes",
                             PL_ATTRIBUTE_NAME_MAX);
    if (u->value == NULL)
        return u->action == PL_LEGACY_DELETE
                   ? 0
                   : pl_reason_set(why, PL_EINVALID,
                                   P "Only DELETE action is allowed when no attribute value is specified");
    type = u->value->type;
    if (u->action == PL_LEGACY_DELETE && !is_set(type))
        return pl_reason_set(why, PL_EINVALID, P "DELETE action with value is not supported for the type %s",
                             pl_type_name(type));
    if (u->action == PL_LEGACY_ADD && !is_set(type) && type != PL_TYPE_N && type != PL_TYPE_L)
        return pl_reason_set(why, PL_EINVALID, P "ADD action is not supported for the type %s",
                             pl_type_name(type));
    return 0;
}

/* ---- conditions ------------------------------------------------------------------------------------- */

static void kind_of(enum pl_legacy_operator comparison, enum pl_node_kind *kind, enum pl_function *function)
{
    static const struct {
        enum pl_node_kind kind;
        enum pl_function function;
    } kinds[] = {
        [PL_LEGACY_IN] = { PL_NODE_IN, 0 },
        [PL_LEGACY_NULL] = { PL_NODE_CALL, PL_FUNCTION_ATTRIBUTE_NOT_EXISTS },
        [PL_LEGACY_BETWEEN] = { PL_NODE_BETWEEN, 0 },
        [PL_LEGACY_LT] = { PL_NODE_LT, 0 },
        [PL_LEGACY_NOT_CONTAINS] = { PL_NODE_CALL, PL_FUNCTION_CONTAINS },
        [PL_LEGACY_EQ] = { PL_NODE_EQ, 0 },
        [PL_LEGACY_GT] = { PL_NODE_GT, 0 },
        [PL_LEGACY_NOT_NULL] = { PL_NODE_CALL, PL_FUNCTION_ATTRIBUTE_EXISTS },
        [PL_LEGACY_NE] = { PL_NODE_NE, 0 },
        [PL_LEGACY_LE] = { PL_NODE_LE, 0 },
        [PL_LEGACY_BEGINS_WITH] = { PL_NODE_CALL, PL_FUNCTION_BEGINS_WITH },
        [PL_LEGACY_GE] = { PL_NODE_GE, 0 },
        [PL_LEGACY_CONTAINS] = { PL_NODE_CALL, PL_FUNCTION_CONTAINS },
    };

    *kind = kinds[comparison].kind;
    *function = kinds[comparison].function;
}

static struct pl_node *make_call(struct pl_arena *arena, enum pl_node_kind kind, enum pl_function function,
                                 struct pl_path *path, const struct pl_legacy_condition *c)
{
    struct pl_node *node = pl_tree_node(arena, kind, 1 + c->value_count);
    struct pl_node *subject = pl_tree_node(arena, PL_NODE_PATH, 0);

    if (node == NULL || subject == NULL)
        return NULL;
    subject->path = path;
    node->function = function;
    node->children[0] = subject;
    for (uint32_t i = 0; i < c->value_count; i++) {
        node->children[1 + i] = pl_tree_value(arena, c->values[i]);
        if (node->children[1 + i] == NULL)
            return NULL;
    }
    return node;
}

/* NOT_CONTAINS of a missing attribute is false, where NOT contains() is true. */
static struct pl_node *make_not_contains(struct pl_arena *arena, struct pl_node *contains,
                                         struct pl_path *path)
{
    const struct pl_legacy_condition exists = { .comparison = PL_LEGACY_NOT_NULL };

    return pl_tree_pair(arena, PL_NODE_AND,
                        make_call(arena, PL_NODE_CALL, PL_FUNCTION_ATTRIBUTE_EXISTS, path, &exists),
                        pl_tree_not(arena, contains));
}

static struct pl_node *make_comparison(struct pl_arena *arena, const struct pl_legacy_condition *c,
                                       struct pl_path *path)
{
    enum pl_function function;
    enum pl_node_kind kind;
    struct pl_node *node;

    kind_of(c->comparison, &kind, &function);
    node = make_call(arena, kind, function, path, c);
    if (node == NULL || c->comparison != PL_LEGACY_NOT_CONTAINS)
        return node;
    return make_not_contains(arena, node, path);
}

int pl_legacy_condition_make(struct pl_arena *arena, const struct pl_legacy_condition *conditions,
                             uint32_t count, bool any, struct pl_condition **out)
{
    const struct pl_path **paths = pl_arena_zalloc(arena, count, sizeof *paths);
    struct pl_node *root = NULL;

    if (paths == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct pl_path *path = pl_tree_attribute(arena, conditions[i].attribute);
        struct pl_node *node = path != NULL ? make_comparison(arena, &conditions[i], path) : NULL;

        if (node != NULL && root != NULL)
            node = pl_tree_pair(arena, any ? PL_NODE_OR : PL_NODE_AND, root, node);
        if (node == NULL)
            return PL_ENOMEM;
        paths[i] = path;
        root = node;
    }
    return pl_condition_from_tree(arena, root, paths, count, out);
}

/* ---- key conditions --------------------------------------------------------------------------------- */

static int key_range(const struct pl_legacy_condition *c, enum pl_range_kind *out, struct pl_reason *why)
{
    switch (c->comparison) {
    case PL_LEGACY_EQ:
        *out = PL_RANGE_EQ;
        return 0;
    case PL_LEGACY_LT:
        *out = PL_RANGE_LT;
        return 0;
    case PL_LEGACY_LE:
        *out = PL_RANGE_LE;
        return 0;
    case PL_LEGACY_GT:
        *out = PL_RANGE_GT;
        return 0;
    case PL_LEGACY_GE:
        *out = PL_RANGE_GE;
        return 0;
    case PL_LEGACY_BETWEEN:
        *out = PL_RANGE_BETWEEN;
        return 0;
    case PL_LEGACY_BEGINS_WITH:
        *out = PL_RANGE_BEGINS_WITH;
        return 0;
    default:
        return pl_reason_set(why, PL_EINVALID,
                             "Attempted conditional constraint is not an indexable operation");
    }
}

int pl_legacy_key_condition_make(const struct pl_legacy_condition *conditions, uint32_t count,
                                 const struct pl_key_schema *keys, struct pl_key_condition *out,
                                 struct pl_reason *why)
{
    struct pl_key_part parts[2 * PL_KEY_COMPONENTS_MAX];

    if (count == 0 || count > 2 * PL_KEY_COMPONENTS_MAX)
        return pl_reason_set(why, PL_EINVALID, "Conditions can be of length 1 or 2 only");
    for (uint32_t i = 0; i < count; i++) {
        const struct pl_legacy_condition *c = &conditions[i];
        int rc;

        parts[i] = (struct pl_key_part){ .attribute = c->attribute };
        rc = key_range(c, &parts[i].kind, why);
        if (rc != 0)
            return rc;
        parts[i].low = c->values[0];
        if (c->value_count > 1)
            parts[i].high = c->values[1];
    }
    return pl_key_condition_from_parts(parts, count, keys, out, why);
}

/* ---- updates ---------------------------------------------------------------------------------------- */

/* Lists have no ADD among expressions: list_append(if_not_exists(a, []), :v) is what it does. */
static struct pl_node *make_list_append(struct pl_arena *arena, struct pl_path *path, struct pl_value list)
{
    static const char empty_list[5] = { PL_TYPE_L, 0, 0, 0, 0 };
    const struct pl_value empty = { .type = PL_TYPE_L,
                                    .payload = { empty_list + 5, 0 },
                                    .whole = { empty_list, sizeof empty_list } };
    struct pl_node *subject = pl_tree_node(arena, PL_NODE_PATH, 0), *stored, *whole;

    if (subject == NULL)
        return NULL;
    subject->path = path;
    stored = pl_tree_pair(arena, PL_NODE_CALL, subject, pl_tree_value(arena, empty));
    if (stored == NULL)
        return NULL;
    stored->function = PL_FUNCTION_IF_NOT_EXISTS;
    whole = pl_tree_pair(arena, PL_NODE_CALL, stored, pl_tree_value(arena, list));
    if (whole != NULL)
        whole->function = PL_FUNCTION_LIST_APPEND;
    return whole;
}

static int make_action(struct pl_arena *arena, const struct pl_legacy_update *u, struct pl_action *out)
{
    bool appends = u->action == PL_LEGACY_ADD && u->value->type == PL_TYPE_L;
    static const enum pl_action_kind kinds[] = { [PL_LEGACY_ADD] = PL_ACTION_ADD,
                                                 [PL_LEGACY_DELETE] = PL_ACTION_DELETE,
                                                 [PL_LEGACY_PUT] = PL_ACTION_SET };

    out->path = pl_tree_attribute(arena, u->attribute);
    if (out->path == NULL)
        return PL_ENOMEM;
    if (u->value == NULL) {
        out->kind = PL_ACTION_REMOVE;
        return 0;
    }
    out->kind = appends ? PL_ACTION_SET : kinds[u->action];
    out->value = appends ? make_list_append(arena, out->path, *u->value) : pl_tree_value(arena, *u->value);
    return out->value != NULL ? 0 : PL_ENOMEM;
}

int pl_legacy_update_make(struct pl_arena *arena, const struct pl_legacy_update *updates, uint32_t count,
                          struct pl_update **out)
{
    struct pl_update *update = pl_arena_zalloc(arena, 1, sizeof *update);

    if (update == NULL)
        return PL_ENOMEM;
    update->legacy = true;
    update->actions = pl_arena_zalloc(arena, count, sizeof *update->actions);
    update->paths = pl_arena_zalloc(arena, count, sizeof *update->paths);
    if (update->actions == NULL || update->paths == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        int rc = make_action(arena, &updates[i], &update->actions[i]);

        if (rc != 0)
            return rc;
        update->paths[i] = update->actions[i].path;
        update->creates |= updates[i].action != PL_LEGACY_DELETE;
    }
    update->action_count = count;
    *out = update;
    return pl_targets_sort(arena, update->paths, count, &update->targets);
}

/* ---- projections ------------------------------------------------------------------------------------ */

int pl_legacy_projection_make(struct pl_arena *arena, const struct pl_bytes *names, uint32_t count,
                              struct pl_projection **out, struct pl_reason *why)
{
    const struct pl_path **paths = pl_arena_zalloc(arena, count, sizeof *paths);
    struct pl_target *targets;
    int rc;

    if (paths == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        paths[i] = pl_tree_attribute(arena, names[i]);
        if (paths[i] == NULL)
            return PL_ENOMEM;
    }
    rc = pl_targets_sort(arena, paths, count, &targets);
    if (rc != 0)
        return rc;
    for (uint32_t i = 1; i < count; i++)
        if (pl_path_equal(targets[i - 1].path, targets[i].path))
            return pl_reason_set(why, PL_EINVALID, P "Duplicate value in attribute name: %.*s",
                                 (int)targets[i].path->steps[0].name.len,
                                 targets[i].path->steps[0].name.data);
    return pl_projection_from_targets(arena, targets, paths, count, out);
}
