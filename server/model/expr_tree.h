/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_EXPR_TREE_H
#define PL_MODEL_EXPR_TREE_H

#include "model/expr_internal.h"

/**
 * Nodes for trees that no expression text was read into: legacy parameters, PartiQL. Everything lives in the arena;
 * each function answers NULL when there is no memory, or when it is given NULL for a part.
 */

/** A path of one step, dots and all. */
struct pl_path *pl_tree_attribute(struct pl_arena *arena, struct pl_bytes attribute);

struct pl_node *pl_tree_node(struct pl_arena *arena, enum pl_node_kind kind, uint32_t child_count);
struct pl_node *pl_tree_path(struct pl_arena *arena, struct pl_path *path);
struct pl_node *pl_tree_value(struct pl_arena *arena, struct pl_value value);
struct pl_node *pl_tree_pair(struct pl_arena *arena, enum pl_node_kind kind, struct pl_node *left,
                             struct pl_node *right);
struct pl_node *pl_tree_not(struct pl_arena *arena, struct pl_node *inside);
/** `function(first)`, `function(first, second)`. */
struct pl_node *pl_tree_call(struct pl_arena *arena, enum pl_function function, struct pl_node *first);
struct pl_node *pl_tree_call2(struct pl_arena *arena, enum pl_function function, struct pl_node *first,
                              struct pl_node *second);

/**
 * The same judgement as of an expression's text, in the same sentences: an operator, whose `text` is how it was
 * written, on the operands that it has; and paths, sorted, that neither overlap nor conflict. PL_EINVALID with a
 * sentence, or PL_ENOMEM.
 */
int pl_tree_check(struct pl_arena *arena, struct pl_node *node, struct pl_reason *why);
int pl_tree_targets(struct pl_arena *arena, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out, struct pl_reason *why);

/** A condition of `root`, with every path in it. 0 or PL_ENOMEM. */
int pl_tree_condition(struct pl_arena *arena, struct pl_node *root, struct pl_condition **out);

#endif
