/* SPDX-License-Identifier: MIT */
#include "model/expr_update.h"

static const char *const keywords[] = {
    [PL_ACTION_SET] = "SET",
    [PL_ACTION_REMOVE] = "REMOVE",
    [PL_ACTION_ADD] = "ADD",
    [PL_ACTION_DELETE] = "DELETE",
};

static bool at_clause(const struct pl_parser *p, enum pl_action_kind *kind)
{
    for (enum pl_action_kind k = PL_ACTION_SET; k <= PL_ACTION_DELETE; k++) {
        if (pl_token_is_keyword(p->lexer.current, keywords[k])) {
            *kind = k;
            return true;
        }
    }
    return false;
}

static bool at_arithmetic(const struct pl_parser *p, enum pl_node_kind *kind)
{
    *kind = pl_token_is_sign(p->lexer.current, "+") ? PL_NODE_ADD : PL_NODE_SUBTRACT;
    return *kind == PL_NODE_ADD || pl_token_is_sign(p->lexer.current, "-");
}

static struct pl_node *set_value(struct pl_parser *p);

/* An operand, or a whole value in brackets. */
static struct pl_node *left_side(struct pl_parser *p)
{
    if (!pl_token_is_sign(p->lexer.current, "("))
        return pl_parser_operand(p);
    if (pl_parser_enter(p) != 0)
        return NULL;
    pl_lexer_advance(&p->lexer);
    return pl_parser_close_brackets(p, set_value(p));
}

/* One + or - at most. */
static struct pl_node *set_value(struct pl_parser *p)
{
    struct pl_node *left = left_side(p), *node;
    enum pl_node_kind kind;

    if (left == NULL || !at_arithmetic(p, &kind))
        return left;
    if (left->kind == PL_NODE_ADD || left->kind == PL_NODE_SUBTRACT) {
        pl_parser_fail_syntax(p);
        return NULL;
    }
    node = pl_parser_new_node(p, kind, 2);
    if (node == NULL)
        return NULL;
    node->text = p->lexer.current.text;
    p->operator_count++;
    pl_lexer_advance(&p->lexer);
    node->children[0] = left;
    node->children[1] = pl_parser_operand(p);
    return node->children[1] != NULL ? node : NULL;
}

static struct pl_node *action_value(struct pl_parser *p, enum pl_action_kind kind)
{
    if (kind != PL_ACTION_SET)
        return pl_parser_value(p);
    return pl_parser_expect_sign(p, "=") == 0 ? set_value(p) : NULL;
}

static struct pl_action *new_action(struct pl_parser *p, struct pl_update *update, uint32_t *capacity)
{
    if (update->action_count == *capacity) {
        uint32_t more = *capacity == 0 ? 4 : *capacity * 2;
        struct pl_action *actions = pl_arena_zalloc(p->params->arena, more, sizeof *actions);

        if (actions == NULL) {
            pl_parser_fail_memory(p);
            return NULL;
        }
        if (update->action_count > 0)
            memcpy(actions, update->actions, update->action_count * sizeof *actions);
        update->actions = actions;
        *capacity = more;
    }
    return &update->actions[update->action_count++];
}

static int read_action(struct pl_parser *p, struct pl_update *update, uint32_t *capacity,
                       enum pl_action_kind kind)
{
    struct pl_action *action = new_action(p, update, capacity);
    struct pl_node *target = action != NULL ? pl_parser_path(p) : NULL;

    if (target == NULL)
        return p->rc;
    action->kind = kind;
    action->path = target->path;
    if (kind != PL_ACTION_REMOVE) {
        action->value = action_value(p, kind);
        if (action->value == NULL)
            return p->rc;
    }
    if (kind == PL_ACTION_SET || kind == PL_ACTION_ADD)
        update->creates = true;
    return 0;
}

static int read_clauses(struct pl_parser *p, struct pl_update *update)
{
    bool seen[PL_ACTION_DELETE + 1] = { false };
    uint32_t capacity = 0;
    enum pl_action_kind kind;

    do {
        if (!at_clause(p, &kind))
            return pl_parser_fail_syntax(p);
        if (seen[kind])
            pl_parser_note(p, PL_RANK_SECTION,
                           "The \"%s\" section can only be used once in an update expression;",
                           keywords[kind]);
        seen[kind] = true;
        pl_lexer_advance(&p->lexer);
        do {
            if (read_action(p, update, &capacity, kind) != 0)
                return p->rc;
        } while (pl_parser_skip_sign(p, ","));
    } while (p->lexer.current.kind != PL_TOKEN_END);
    return pl_parser_conclude(p);
}

static int check_names(struct pl_parser *p, struct pl_update *update)
{
    for (uint32_t i = 0; i < update->action_count; i++) {
        struct pl_action *action = &update->actions[i];
        int rc = pl_check_path_names(p, action->path);

        if (rc == 0 && action->value != NULL)
            rc = pl_check_names(p, action->value);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_values(struct pl_parser *p, struct pl_update *update)
{
    for (uint32_t i = 0; i < update->action_count; i++) {
        struct pl_node *value = update->actions[i].value;
        int rc = value != NULL ? pl_check_values(p, value) : 0;

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int make_targets(struct pl_parser *p, struct pl_update *update)
{
    update->paths = pl_arena_zalloc(p->params->arena, update->action_count, sizeof(const struct pl_path *));
    if (update->paths == NULL)
        return pl_parser_fail_memory(p);
    for (uint32_t i = 0; i < update->action_count; i++)
        update->paths[i] = update->actions[i].path;
    return pl_targets_make(p, update->paths, update->action_count, &update->targets);
}

static bool is_set(enum pl_type type)
{
    return type == PL_TYPE_SS || type == PL_TYPE_NS || type == PL_TYPE_BS;
}

static int check_set_operands(struct pl_parser *p, struct pl_update *update)
{
    for (uint32_t i = 0; i < update->action_count; i++) {
        const struct pl_action *action = &update->actions[i];
        enum pl_type type;

        if (action->kind != PL_ACTION_ADD && action->kind != PL_ACTION_DELETE)
            continue;
        type = action->value->value.type;
        if (!is_set(type) && !(action->kind == PL_ACTION_ADD && type == PL_TYPE_N))
            return pl_parser_fail(
                p, "Incorrect operand type for operator or function; operator: %s, operand type: %s",
                keywords[action->kind], pl_type_long_name(type));
    }
    return 0;
}

static int check_functions(struct pl_parser *p, struct pl_update *update)
{
    for (uint32_t i = 0; i < update->action_count; i++) {
        struct pl_node *value = update->actions[i].value;
        int rc = value != NULL ? pl_check_update_operands(p, value) : 0;

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int parse(struct pl_parser *p, struct pl_update *update)
{
    static int (*const steps[])(struct pl_parser * p, struct pl_update * update) = {
        read_clauses, check_names, check_values, make_targets, check_set_operands, check_functions,
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && rc == 0; i++)
        rc = steps[i](p, update);
    return rc;
}

int pl_update_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_update **out,
                    struct pl_reason *why)
{
    struct pl_update *update = pl_arena_zalloc(params->arena, 1, sizeof *update);
    struct pl_parser p;
    int rc;

    if (update == NULL)
        return PL_ENOMEM;
    rc = pl_parser_init(&p, params, PL_EXPR_UPDATE, text, why);
    if (rc == 0)
        rc = parse(&p, update);
    pl_parser_deinit(&p);
    if (rc == 0)
        *out = update;
    return rc;
}

struct pl_path_list pl_update_targets(const struct pl_update *update)
{
    return (struct pl_path_list){ .paths = update->paths, .count = update->action_count };
}

const struct pl_value *pl_update_constant(const struct pl_update *update, uint32_t i)
{
    const struct pl_action *action = &update->actions[i];

    return action->kind == PL_ACTION_SET && action->value->kind == PL_NODE_VALUE ? &action->value->value
                                                                                 : NULL;
}

bool pl_update_creates(const struct pl_update *update)
{
    return update->creates;
}

int pl_update_returned(const struct pl_update *update, struct pl_item item, struct pl_arena *arena,
                       struct pl_buf *buf, struct pl_item *out)
{
    (void)arena;
    return pl_targets_project(update->targets, update->action_count, item, buf, out);
}
