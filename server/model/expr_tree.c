/* SPDX-License-Identifier: MIT */
#include "model/expr_tree.h"

struct pl_path *pl_tree_attribute(struct pl_arena *arena, struct pl_bytes attribute)
{
    struct pl_path *path = pl_arena_zalloc(arena, 1, sizeof *path);
    struct pl_path_step *step = pl_arena_zalloc(arena, 1, sizeof *step);

    if (path == NULL || step == NULL)
        return NULL;
    step->name = attribute;
    *path = (struct pl_path){ .steps = step, .step_count = 1 };
    return path;
}

struct pl_node *pl_tree_node(struct pl_arena *arena, enum pl_node_kind kind, uint32_t child_count)
{
    struct pl_node *node = pl_arena_zalloc(arena, 1, sizeof *node);

    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->child_count = child_count;
    if (child_count == 0)
        return node;
    node->children = pl_arena_zalloc(arena, child_count, sizeof(struct pl_node *));
    return node->children != NULL ? node : NULL;
}

struct pl_node *pl_tree_path(struct pl_arena *arena, struct pl_path *path)
{
    struct pl_node *node = path != NULL ? pl_tree_node(arena, PL_NODE_PATH, 0) : NULL;

    if (node != NULL)
        node->path = path;
    return node;
}

struct pl_node *pl_tree_value(struct pl_arena *arena, struct pl_value value)
{
    struct pl_node *node = pl_tree_node(arena, PL_NODE_VALUE, 0);

    if (node != NULL)
        node->value = value;
    return node;
}

struct pl_node *pl_tree_pair(struct pl_arena *arena, enum pl_node_kind kind, struct pl_node *left,
                             struct pl_node *right)
{
    struct pl_node *node = left != NULL && right != NULL ? pl_tree_node(arena, kind, 2) : NULL;

    if (node == NULL)
        return NULL;
    node->children[0] = left;
    node->children[1] = right;
    return node;
}

struct pl_node *pl_tree_not(struct pl_arena *arena, struct pl_node *inside)
{
    struct pl_node *node = inside != NULL ? pl_tree_node(arena, PL_NODE_NOT, 1) : NULL;

    if (node != NULL)
        node->children[0] = inside;
    return node;
}

struct pl_node *pl_tree_call(struct pl_arena *arena, enum pl_function function, struct pl_node *first)
{
    struct pl_node *node = first != NULL ? pl_tree_node(arena, PL_NODE_CALL, 1) : NULL;

    if (node == NULL)
        return NULL;
    node->function = function;
    node->children[0] = first;
    return node;
}

struct pl_node *pl_tree_call2(struct pl_arena *arena, enum pl_function function, struct pl_node *first,
                              struct pl_node *second)
{
    struct pl_node *node = pl_tree_pair(arena, PL_NODE_CALL, first, second);

    if (node != NULL)
        node->function = function;
    return node;
}

/* ---- the paths of a tree ---------------------------------------------------------------------------- */

static uint32_t count_paths(const struct pl_node *node)
{
    uint32_t count = node->kind == PL_NODE_PATH;

    for (uint32_t i = 0; i < node->child_count; i++)
        count += count_paths(node->children[i]);
    return count;
}

static void gather_paths(const struct pl_node *node, const struct pl_path **paths, uint32_t *count)
{
    if (node->kind == PL_NODE_PATH)
        paths[(*count)++] = node->path;
    for (uint32_t i = 0; i < node->child_count; i++)
        gather_paths(node->children[i], paths, count);
}

int pl_tree_check(struct pl_arena *arena, struct pl_node *node, struct pl_reason *why)
{
    struct pl_expr_params params = { .arena = arena };
    struct pl_parser judge = { .params = &params, .kind = PL_EXPR_STATEMENT, .why = why };

    return pl_check_operator(&judge, node);
}

int pl_tree_targets(struct pl_arena *arena, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out, struct pl_reason *why)
{
    struct pl_expr_params params = { .arena = arena };
    struct pl_parser judge = { .params = &params, .kind = PL_EXPR_STATEMENT, .why = why };

    return pl_targets_make(&judge, paths, count, out);
}

int pl_tree_condition(struct pl_arena *arena, struct pl_node *root, struct pl_condition **out)
{
    uint32_t count = count_paths(root), gathered = 0;
    const struct pl_path **paths = pl_arena_zalloc(arena, count + 1, sizeof *paths);

    if (paths == NULL)
        return PL_ENOMEM;
    gather_paths(root, paths, &gathered);
    return pl_condition_from_tree(arena, root, paths, count, out);
}
