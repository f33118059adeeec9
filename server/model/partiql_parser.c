/* SPDX-License-Identifier: MIT */
#include "model/expr_update.h"
#include "model/partiql_internal.h"

enum { PROJECTION_MAX = 256, ACTIONS_MAX = 256 };

/* ---- SELECT ----------------------------------------------------------------------------------------- */

/* A name without quotes may have the characters that a table's name has, but for the dot. */
static int take_table(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (pl_partiql_identifier(p, "a table's name", &out->table) != 0 || !pl_partiql_skip_sign(p, "."))
        return p->rc;
    if (pl_partiql_identifier(p, "an index's name", &out->index) == 0 && pl_partiql_at_sign(p, "."))
        pl_partiql_fail(p, "A path may contain at most 2 components in the FROM clause");
    return p->rc;
}

static int project(struct pl_partiql_parser *p, const struct pl_path **paths, uint32_t count,
                   struct pl_projection **out)
{
    const struct pl_path **kept = pl_arena_zalloc(p->arena, count, sizeof *kept);
    struct pl_target *targets;
    int rc = kept == NULL ? PL_ENOMEM : 0;

    if (rc == 0) {
        memcpy(kept, paths, count * sizeof *kept);
        rc = pl_tree_targets(p->arena, kept, count, &targets, p->why);
    }
    if (rc == 0)
        rc = pl_projection_from_targets(p->arena, targets, kept, count, out);
    if (rc != 0)
        p->rc = rc;
    return p->rc;
}

static int take_projection(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    const struct pl_path *paths[PROJECTION_MAX];
    uint32_t count = 0;

    if (pl_partiql_skip_sign(p, "*"))
        return 0;
    do {
        if (count == PROJECTION_MAX)
            return pl_partiql_fail(p, "SELECT takes at most %d paths", PROJECTION_MAX);
        paths[count] = pl_partiql_path(p);
        if (paths[count] == NULL)
            return p->rc;
        count++;
    } while (pl_partiql_skip_sign(p, ","));
    return project(p, paths, count, &out->projection);
}

static int take_where(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (pl_partiql_skip_word(p, "WHERE"))
        out->where = pl_partiql_condition_tree(p);
    return p->rc;
}

static int take_order(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (!pl_partiql_skip_word(p, "ORDER"))
        return p->rc;
    if (pl_partiql_expect_word(p, "BY") != 0)
        return p->rc;
    if (pl_partiql_identifier(p, "a key attribute", &out->order_by) != 0)
        return p->rc;
    out->descending = pl_partiql_skip_word(p, "DESC");
    if (!out->descending)
        (void)pl_partiql_skip_word(p, "ASC");
    return p->rc;
}

static int parse_select(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (take_projection(p, out) != 0 || pl_partiql_expect_word(p, "FROM") != 0 || take_table(p, out) != 0 ||
        take_where(p, out) != 0)
        return p->rc;
    return take_order(p, out);
}

static int parse_exists(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (pl_partiql_expect_sign(p, "(") != 0 || pl_partiql_expect_word(p, "SELECT") != 0 ||
        parse_select(p, out) != 0)
        return p->rc;
    return pl_partiql_expect_sign(p, ")");
}

/* ---- INSERT ----------------------------------------------------------------------------------------- */

static int refuse_index(struct pl_partiql_parser *p, const struct pl_partiql *out)
{
    if (p->rc == 0 && out->index.len > 0)
        pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: an index cannot be written to");
    return p->rc;
}

static int parse_insert(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (pl_partiql_expect_word(p, "INTO") != 0 || take_table(p, out) != 0 || refuse_index(p, out) != 0 ||
        pl_partiql_expect_word(p, "VALUE") != 0)
        return p->rc;
    return pl_partiql_item(p, &out->item);
}

/* ---- UPDATE ----------------------------------------------------------------------------------------- */

struct actions {
    struct pl_action list[ACTIONS_MAX];
    uint32_t count;
};

/* Of a SET: what the item's own attributes and values can be made into. */
static bool is_assignable(const struct pl_node *node)
{
    bool fits = node->kind <= PL_NODE_VALUE || node->kind == PL_NODE_ADD || node->kind == PL_NODE_SUBTRACT ||
                (node->kind == PL_NODE_CALL && node->function == PL_FUNCTION_LIST_APPEND);

    for (uint32_t i = 0; fits && i < node->child_count; i++)
        fits = is_assignable(node->children[i]);
    return fits;
}

/* set_add(path, set) and set_delete(path, set), of the attribute that is being set. */
static int take_set_call(struct pl_partiql_parser *p, enum pl_action_kind kind, struct pl_action *out)
{
    struct pl_path *path;
    struct pl_value value;

    if (pl_partiql_expect_sign(p, "(") != 0 || (path = pl_partiql_path(p)) == NULL ||
        pl_partiql_expect_sign(p, ",") != 0 || pl_partiql_value(p, &value) != 0 ||
        pl_partiql_expect_sign(p, ")") != 0)
        return p->rc;
    if (!pl_path_equal(path, out->path))
        return pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: a set is added to or "
                                  "taken from the attribute that is SET");
    if (value.type < PL_TYPE_SS)
        return pl_partiql_fail(p,
                               "Incorrect operand type for operator or function; operator or function: %s, "
                               "operand type: %s",
                               kind == PL_ACTION_ADD ? "set_add" : "set_delete", pl_type_name(value.type));
    out->kind = kind;
    out->value = pl_tree_value(p->arena, value);
    return out->value != NULL ? 0 : pl_partiql_fail_memory(p);
}

static int take_assignment(struct pl_partiql_parser *p, struct pl_action *out)
{
    out->kind = PL_ACTION_SET;
    out->path = pl_partiql_path(p);
    if (out->path == NULL || pl_partiql_expect_sign(p, "=") != 0)
        return p->rc;
    if (pl_partiql_skip_word(p, "set_add"))
        return take_set_call(p, PL_ACTION_ADD, out);
    if (pl_partiql_skip_word(p, "set_delete"))
        return take_set_call(p, PL_ACTION_DELETE, out);
    out->value = pl_partiql_operand(p);
    if (out->value != NULL && !is_assignable(out->value))
        pl_partiql_fail(p, "Statement wasn't well formed, can't be processed: a condition cannot be SET");
    return p->rc;
}

static int take_removal(struct pl_partiql_parser *p, struct pl_action *out)
{
    out->kind = PL_ACTION_REMOVE;
    out->path = pl_partiql_path(p);
    return p->rc;
}

static int take_clause(struct pl_partiql_parser *p, struct actions *actions,
                       int (*take)(struct pl_partiql_parser *, struct pl_action *))
{
    do {
        if (actions->count == ACTIONS_MAX)
            return pl_partiql_fail(p, "UPDATE takes at most %d actions", ACTIONS_MAX);
        if (take(p, &actions->list[actions->count++]) != 0)
            return p->rc;
    } while (pl_partiql_skip_sign(p, ","));
    return 0;
}

static int make_update(struct pl_partiql_parser *p, const struct actions *actions, struct pl_update **out)
{
    struct pl_update *update = pl_arena_zalloc(p->arena, 1, sizeof *update);

    if (update == NULL)
        return pl_partiql_fail_memory(p);
    update->actions = pl_arena_zalloc(p->arena, actions->count, sizeof *update->actions);
    update->paths = pl_arena_zalloc(p->arena, actions->count, sizeof *update->paths);
    if (update->actions == NULL || update->paths == NULL)
        return pl_partiql_fail_memory(p);
    memcpy(update->actions, actions->list, actions->count * sizeof *update->actions);
    for (uint32_t i = 0; i < actions->count; i++) {
        update->paths[i] = update->actions[i].path;
        update->creates |=
            update->actions[i].kind == PL_ACTION_SET || update->actions[i].kind == PL_ACTION_ADD;
    }
    update->action_count = actions->count;
    *out = update;
    return p->rc = pl_tree_targets(p->arena, update->paths, actions->count, &update->targets, p->why);
}

static int take_actions(struct pl_partiql_parser *p, struct actions *actions)
{
    while (p->rc == 0) {
        if (pl_partiql_skip_word(p, "SET"))
            take_clause(p, actions, take_assignment);
        else if (pl_partiql_skip_word(p, "REMOVE"))
            take_clause(p, actions, take_removal);
        else
            break;
    }
    if (p->rc == 0 && actions->count == 0)
        pl_partiql_fail_syntax(p, "SET or REMOVE");
    return p->rc;
}

static int take_returning(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    bool all, new;

    if (!pl_partiql_skip_word(p, "RETURNING"))
        return p->rc;
    all = pl_partiql_skip_word(p, "ALL");
    if (!all && pl_partiql_expect_word(p, "MODIFIED") != 0)
        return p->rc;
    new = pl_partiql_skip_word(p, "NEW");
    if (!new &&pl_partiql_expect_word(p, "OLD") != 0)
        return p->rc;
    out->returning = all ? (new ? PL_PARTIQL_RETURNING_ALL_NEW : PL_PARTIQL_RETURNING_ALL_OLD)
                         : (new ? PL_PARTIQL_RETURNING_MODIFIED_NEW : PL_PARTIQL_RETURNING_MODIFIED_OLD);
    if (out->verb == PL_PARTIQL_DELETE && out->returning != PL_PARTIQL_RETURNING_ALL_OLD)
        return pl_partiql_fail(
            p,
            "Invalid returning clause: RETURNING %s %s *. Only RETURNING ALL OLD * is allowed in "
            "DELETE statements.",
            all ? "ALL" : "MODIFIED", new ? "NEW" : "OLD");
    return pl_partiql_expect_sign(p, "*");
}

static int parse_update(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    struct actions actions = { .count = 0 };

    if (take_table(p, out) != 0 || refuse_index(p, out) != 0 || take_actions(p, &actions) != 0 ||
        make_update(p, &actions, &out->update) != 0 || take_where(p, out) != 0)
        return p->rc;
    return take_returning(p, out);
}

static int parse_delete(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    if (pl_partiql_expect_word(p, "FROM") != 0 || take_table(p, out) != 0 || refuse_index(p, out) != 0 ||
        take_where(p, out) != 0)
        return p->rc;
    return take_returning(p, out);
}

/* ---- any -------------------------------------------------------------------------------------------- */

static int parse_statement(struct pl_partiql_parser *p, struct pl_partiql *out)
{
    static const struct {
        const char *word;
        enum pl_partiql_verb verb;
        int (*parse)(struct pl_partiql_parser *p, struct pl_partiql *out);
    } verbs[] = { { "SELECT", PL_PARTIQL_SELECT, parse_select },
                  { "INSERT", PL_PARTIQL_INSERT, parse_insert },
                  { "UPDATE", PL_PARTIQL_UPDATE, parse_update },
                  { "DELETE", PL_PARTIQL_DELETE, parse_delete },
                  { "EXISTS", PL_PARTIQL_EXISTS, parse_exists } };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!pl_partiql_skip_word(p, verbs[i].word))
            continue;
        out->verb = verbs[i].verb;
        return verbs[i].parse(p, out);
    }
    return pl_partiql_fail_syntax(p, "SELECT, INSERT, UPDATE, DELETE or EXISTS");
}

int pl_partiql_parse(struct pl_bytes text, const struct pl_value *parameters, uint32_t parameter_count,
                     struct pl_arena *arena, struct pl_partiql *out, struct pl_reason *why)
{
    struct pl_reason own;
    struct pl_partiql_parser p = { .parameters = parameters,
                                   .parameter_count = parameter_count,
                                   .arena = arena,
                                   .why = why != NULL ? why : &own };

    *out = (struct pl_partiql){ .verb = PL_PARTIQL_SELECT };
    pl_partiql_lexer_init(&p.lexer, text);
    if (!pl_bytes_is_utf8(text))
        return pl_partiql_fail(&p, "Statement wasn't well formed, can't be processed: it is not UTF-8");
    if (parse_statement(&p, out) == 0 && p.lexer.current.kind != PL_PARTIQL_END)
        pl_partiql_fail_syntax(&p, "the end");
    if (p.rc == 0 && p.parameters_used != parameter_count)
        pl_partiql_fail(&p, "Number of parameters in request and statement don't match.");
    return p.rc;
}
