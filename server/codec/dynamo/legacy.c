/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/legacy.h"

#include "codec/dynamo/params.h"

#define P             "One or more parameter values were invalid: "
#define NAME(bytes)   (int)(bytes).len, (bytes).data
#define FOR(node)     NAME((node)->name)
#define refuse(...)   pl_dynamo_invalid(request, P __VA_ARGS__)
#define FOR_ATTRIBUTE " for Attribute: %.*s"

/* ---- values ----------------------------------------------------------------------------------------- */

static int take_value(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                      struct pl_value *out)
{
    int rc = pl_dynamo_check_value(request, node);

    if (rc == 0)
        *out = pl_dynamo_node_value(node, &request->bytes);
    return rc;
}

/* The values of a list, or the one in `single` (may be NULL). */
static int take_values(struct pl_dynamo_request *request, const struct pl_dynamo_node *list,
                       const struct pl_dynamo_node *single, struct pl_legacy_condition *out)
{
    uint32_t count = list != NULL ? list->count : single != NULL;
    struct pl_value *values = pl_arena_zalloc(&request->op.arena, count + 1, sizeof *values);
    const struct pl_dynamo_node *at = list != NULL ? list->first : single;
    int rc = values != NULL ? 0 : PL_ENOMEM;

    for (uint32_t i = 0; rc == 0 && i < count; i++, at = at->next)
        rc = take_value(request, at, &values[i]);
    out->values = values;
    out->value_count = count;
    return rc;
}

static enum pl_legacy_operator operator_of(const struct pl_dynamo_node *structure)
{
    return (enum pl_legacy_operator)pl_dynamo_word(pl_dynamo_get_text(structure, "ComparisonOperator"),
                                                   pl_legacy_operator_names);
}

/* ---- one condition ---------------------------------------------------------------------------------- */

/* {"AttributeValueList": [...], "ComparisonOperator": "EQ"} */
static int take_condition(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                          struct pl_legacy_condition *out)
{
    int rc;

    *out = (struct pl_legacy_condition){ .attribute = node->name, .comparison = operator_of(node) };
    rc = take_values(request, pl_dynamo_get(node, "AttributeValueList"), NULL, out);
    return rc != 0 ? rc : pl_legacy_condition_check(out, &request->op.reply.why);
}

/* {"Value": ..} or {"Exists": false}: no operator. */
static int take_plain_expected(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                               struct pl_legacy_condition *out)
{
    const struct pl_dynamo_node *value = pl_dynamo_get(node, "Value"),
                                *exists = pl_dynamo_get(node, "Exists");
    bool wanted = exists == NULL || exists->number != 0;

    if (wanted && value == NULL)
        return refuse("Value must be provided when Exists is %s" FOR_ATTRIBUTE,
                      exists == NULL ? "null" : "true", FOR(node));
    if (!wanted && value != NULL)
        return refuse("Value cannot be used when Exists is false" FOR_ATTRIBUTE, FOR(node));
    out->comparison = wanted ? PL_LEGACY_EQ : PL_LEGACY_NULL;
    return take_values(request, NULL, value, out);
}

static int take_compared_expected(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                                  struct pl_legacy_condition *out)
{
    const struct pl_dynamo_node *value = pl_dynamo_get(node, "Value");
    const struct pl_dynamo_node *list = pl_dynamo_get(node, "AttributeValueList");
    int rc;

    out->comparison = operator_of(node);
    if (pl_dynamo_get(node, "Exists") != NULL)
        return refuse("Exists and ComparisonOperator cannot be used together" FOR_ATTRIBUTE, FOR(node));
    if (value == NULL && list == NULL && out->comparison != PL_LEGACY_NULL &&
        out->comparison != PL_LEGACY_NOT_NULL)
        return refuse("Value or AttributeValueList must be used with ComparisonOperator: %s" FOR_ATTRIBUTE,
                      pl_legacy_operator_names[out->comparison], FOR(node));
    rc = take_values(request, list, value, out);
    return rc != 0 ? rc : pl_legacy_condition_check(out, &request->op.reply.why);
}

static int take_expected(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                         struct pl_legacy_condition *out)
{
    bool listed = pl_dynamo_get(node, "AttributeValueList") != NULL;

    *out = (struct pl_legacy_condition){ .attribute = node->name };
    if (listed && pl_dynamo_get(node, "Value") != NULL)
        return refuse("Value and AttributeValueList cannot be used together" FOR_ATTRIBUTE, FOR(node));
    if (pl_dynamo_get(node, "ComparisonOperator") != NULL)
        return take_compared_expected(request, node, out);
    if (listed)
        return refuse("AttributeValueList can only be used with a ComparisonOperator" FOR_ATTRIBUTE,
                      FOR(node));
    return take_plain_expected(request, node, out);
}

/* ---- many ------------------------------------------------------------------------------------------- */

typedef int (*take_fn)(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                       struct pl_legacy_condition *out);

static int take_all(struct pl_dynamo_request *request, const struct pl_dynamo_node *map, take_fn take,
                    struct pl_legacy_condition **out)
{
    struct pl_legacy_condition *all = pl_arena_zalloc(&request->op.arena, map->count + 1, sizeof *all);
    uint32_t i = 0;

    if (all == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = map->first; at != NULL; at = at->next) {
        int rc = take(request, at, &all[i++]);

        if (rc != 0)
            return rc;
    }
    *out = all;
    return 0;
}

static int check_conditional_operator(struct pl_dynamo_request *request,
                                      const struct pl_dynamo_node *structure,
                                      const struct pl_dynamo_node *map)
{
    if (pl_dynamo_get(structure, "ConditionalOperator") == NULL)
        return 0;
    if (map == NULL || map->count == 0)
        return pl_dynamo_invalid(request, "ConditionalOperator cannot be used without Filter or Expected");
    if (map->count == 1)
        return pl_dynamo_invalid(
            request, "ConditionalOperator can only be used when Filter or Expected has two or more elements");
    return 0;
}

static int make_condition(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                          const char *member, take_fn take, struct pl_operation *op,
                          struct pl_condition **out)
{
    const struct pl_dynamo_node *map = pl_dynamo_get(structure, member);
    bool any = pl_bytes_equal(pl_dynamo_get_text(structure, "ConditionalOperator"), pl_str("OR"));
    struct pl_legacy_condition *all;
    int rc = check_conditional_operator(request, structure, map);

    if (rc != 0 || map == NULL || map->count == 0)
        return rc;
    op->legacy = true;
    rc = take_all(request, map, take, &all);
    return rc != 0 ? rc : pl_legacy_condition_make(&op->arena, all, map->count, any, out);
}

int pl_dynamo_legacy_expected(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                              struct pl_operation *op)
{
    return make_condition(request, structure, "Expected", take_expected, op, &op->condition);
}

int pl_dynamo_legacy_filter(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                            const char *member, struct pl_operation *op)
{
    return make_condition(request, structure, member, take_condition, op, &op->filter);
}

int pl_dynamo_legacy_keys(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                          struct pl_operation *op)
{
    const struct pl_dynamo_node *map = pl_dynamo_get(structure, "KeyConditions");
    struct pl_legacy_condition *all;
    int rc;

    if (map == NULL)
        return 0;
    op->legacy = true;
    rc = take_all(request, map, take_condition, &all);
    if (rc != 0)
        return rc;
    op->key_conditions = all;
    op->key_condition_count = map->count;
    return 0;
}

/* ---- updates ---------------------------------------------------------------------------------------- */

static int take_update(struct pl_dynamo_request *request, const struct pl_dynamo_node *node,
                       struct pl_legacy_update *out)
{
    static const char *const actions[] = { "ADD", "DELETE", "PUT", NULL };
    const struct pl_dynamo_node *value = pl_dynamo_get(node, "Value");
    struct pl_bytes action = pl_dynamo_get_text(node, "Action");
    struct pl_value *room = pl_arena_zalloc(&request->op.arena, 1, sizeof *room);
    int rc;

    if (room == NULL)
        return PL_ENOMEM;
    *out = (struct pl_legacy_update){ .attribute = node->name, .action = PL_LEGACY_PUT };
    if (action.data != NULL)
        out->action = (enum pl_legacy_action)pl_dynamo_word(action, actions);
    if (value != NULL) {
        rc = take_value(request, value, room);
        if (rc != 0)
            return rc;
        out->value = room;
    }
    return pl_legacy_update_check(out, &request->op.reply.why);
}

int pl_dynamo_legacy_updates(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                             struct pl_operation *op)
{
    const struct pl_dynamo_node *map = pl_dynamo_get(structure, "AttributeUpdates");
    struct pl_legacy_update *updates;
    uint32_t count = 0;

    if (map == NULL || map->count == 0)
        return 0;
    updates = pl_arena_zalloc(&op->arena, map->count, sizeof *updates);
    if (updates == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = map->first; at != NULL; at = at->next) {
        int rc = take_update(request, at, &updates[count++]);

        if (rc != 0)
            return rc;
    }
    return pl_legacy_update_make(&op->arena, updates, count, &op->update);
}

/* ---- projections ------------------------------------------------------------------------------------ */

int pl_dynamo_legacy_projection(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                                struct pl_operation *op)
{
    const struct pl_dynamo_node *list = pl_dynamo_get(structure, "AttributesToGet");
    struct pl_bytes *names;
    uint32_t count = 0;

    if (list == NULL)
        return 0;
    names = pl_arena_zalloc(&op->arena, list->count + 1, sizeof *names);
    if (names == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = list->first; at != NULL; at = at->next)
        names[count++] = at->text;
    op->legacy = true;
    return pl_legacy_projection_make(&op->arena, names, count, &op->projection, &request->op.reply.why);
}
