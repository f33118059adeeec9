/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/statement.h"

#include "codec/dynamo/params.h"

const struct pl_dynamo_shape pl_dynamo_statement_text = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = PL_PARTIQL_TEXT_MAX
};
const struct pl_dynamo_shape pl_dynamo_statement_parameters = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .element = &pl_dynamo_value
};

/* ---- reading ---------------------------------------------------------------------------------------- */

static int take_parameters(struct pl_dynamo_request *request, const struct pl_dynamo_node *list,
                           struct pl_value **out)
{
    struct pl_value *values;
    uint32_t count = 0;

    *out = NULL;
    if (list == NULL)
        return 0;
    values = pl_arena_zalloc(&request->arena, list->count, sizeof *values);
    if (values == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = list->first; at != NULL; at = at->next) {
        int rc = pl_dynamo_check_value(request, at);

        if (rc != 0)
            return rc;
        values[count++] = pl_dynamo_node_value(at, &request->bytes);
    }
    *out = values;
    return 0;
}

int pl_dynamo_statement_find(struct pl_dynamo_request *request, struct pl_dynamo_statement *s)
{
    s->index = NULL;
    s->table = pl_tables_find(request->context->tables, s->partiql.table);
    if (s->table == NULL)
        return PL_ENOTABLE;
    if (s->partiql.index.len == 0)
        return 0;
    s->index = pl_table_index(s->table, s->partiql.index);
    return s->index != NULL ? 0 : pl_dynamo_invalid(request, "The table does not have the specified index");
}

int pl_dynamo_statement_parse(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                              struct pl_dynamo_statement *out)
{
    const struct pl_dynamo_node *list = pl_dynamo_get(structure, "Parameters");
    struct pl_value *parameters;
    int rc = take_parameters(request, list, &parameters);

    *out = (struct pl_dynamo_statement){ .text = pl_dynamo_get_text(structure, "Statement") };
    return rc != 0 ? rc
                   : pl_partiql_parse(out->text, parameters, list == NULL ? 0 : list->count, &request->arena,
                                      &out->partiql, &request->op.reply.why);
}

int pl_dynamo_statement_read(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                             struct pl_dynamo_statement *out)
{
    int rc = pl_dynamo_statement_parse(request, structure, out);

    return rc != 0 ? rc : pl_dynamo_statement_find(request, out);
}

bool pl_dynamo_statement_reads(const struct pl_dynamo_statement *statement)
{
    return statement->partiql.verb == PL_PARTIQL_SELECT;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static enum pl_return_values returns_of(enum pl_partiql_returning returning)
{
    switch (returning) {
    case PL_PARTIQL_RETURNING_ALL_OLD:
        return PL_RETURN_ALL_OLD;
    case PL_PARTIQL_RETURNING_ALL_NEW:
        return PL_RETURN_ALL_NEW;
    case PL_PARTIQL_RETURNING_MODIFIED_OLD:
        return PL_RETURN_UPDATED_OLD;
    case PL_PARTIQL_RETURNING_MODIFIED_NEW:
        return PL_RETURN_UPDATED_NEW;
    default:
        return PL_RETURN_NONE;
    }
}

static struct pl_bytes any_key(const struct pl_dynamo_statement *s)
{
    return s->table->keys.partition[0].name;
}

static int make_insert(struct pl_dynamo_request *request, const struct pl_dynamo_statement *s,
                       struct pl_operation *op)
{
    op->name = PL_OP_PUT;
    op->item = s->partiql.item;
    return pl_partiql_condition(PL_PARTIQL_NO_SUCH_ITEM, any_key(s), NULL, &request->arena, &op->condition);
}

/* UPDATE, DELETE and EXISTS name one item, and say more of it. */
static int aim(struct pl_dynamo_request *request, const struct pl_dynamo_statement *s,
               enum pl_operation_name name, enum pl_partiql_rule rule, struct pl_operation *op)
{
    struct pl_partiql_target target;
    int rc =
        pl_partiql_target(&s->partiql, &s->table->keys, &request->arena, &target, &request->op.reply.why);

    if (rc == 0)
        rc = pl_partiql_check_order(&s->partiql, &s->table->keys, true, &request->op.reply.why);
    if (rc != 0)
        return rc;
    op->name = name;
    op->item = target.key;
    return pl_partiql_condition(rule, any_key(s), target.rest, &request->arena, &op->condition);
}

int pl_dynamo_statement_write(struct pl_dynamo_request *request, const struct pl_dynamo_statement *s,
                              const struct pl_dynamo_node *structure, struct pl_operation *op)
{
    op->returns = returns_of(s->partiql.returning);
    op->return_old_on_failure = pl_bytes_equal(
        pl_dynamo_get_text(structure, "ReturnValuesOnConditionCheckFailure"), pl_str("ALL_OLD"));
    op->table_name = pl_arena_copy(&request->arena, s->table->name);
    if (op->table_name.data == NULL)
        return PL_ENOMEM;
    switch (s->partiql.verb) {
    case PL_PARTIQL_INSERT:
        return make_insert(request, s, op);
    case PL_PARTIQL_UPDATE:
        op->update = s->partiql.update;
        return aim(request, s, PL_OP_UPDATE, PL_PARTIQL_ITEM_AND_REST, op);
    case PL_PARTIQL_DELETE:
        return aim(request, s, PL_OP_DELETE, PL_PARTIQL_NO_ITEM_OR_REST, op);
    default:
        return aim(request, s, PL_OP_CONDITION_CHECK, PL_PARTIQL_ITEM_AND_REST, op);
    }
}

int pl_dynamo_statement_get(struct pl_dynamo_request *request, const struct pl_dynamo_statement *s,
                            const char *without_key, struct pl_operation *op, struct pl_condition **rest)
{
    struct pl_partiql_target target;
    int rc = pl_partiql_target(&s->partiql, &s->table->keys, &request->arena, &target, NULL);

    if (rc == PL_EINVALID)
        return pl_dynamo_invalid(request, "%s", without_key);
    if (rc == 0)
        rc = pl_partiql_check_order(&s->partiql, &s->table->keys, true, &request->op.reply.why);
    if (rc != 0)
        return rc;
    op->name = PL_OP_GET;
    op->item = target.key;
    op->projection = s->partiql.projection;
    op->table_name = pl_arena_copy(&request->arena, s->table->name);
    if (op->table_name.data == NULL)
        return PL_ENOMEM;
    return pl_partiql_condition(PL_PARTIQL_REST, any_key(s), target.rest, &request->arena, rest);
}
