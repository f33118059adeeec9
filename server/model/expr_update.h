/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_EXPR_UPDATE_H
#define PL_MODEL_EXPR_UPDATE_H

#include "model/expr_internal.h"

/** An update as expr_update.c read it and expr_apply.c applies it. */
enum pl_action_kind { PL_ACTION_SET, PL_ACTION_REMOVE, PL_ACTION_ADD, PL_ACTION_DELETE };

struct pl_action {
    enum pl_action_kind kind;
    struct pl_path *path;
    struct pl_node *value; /* NULL for REMOVE */
};

struct pl_update {
    struct pl_action *actions; /* in the order of the text */
    uint32_t action_count;
    struct pl_target *targets; /* sorted; `order` is the action's place */
    const struct pl_path **paths;
    bool creates;
    bool legacy; /* not from an expression: its sentences are others */
};

#endif
