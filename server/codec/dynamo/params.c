/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/params.h"

#include "codec/dynamo/arn.h"

#include <stdio.h>

#define NAME(bytes) (int)(bytes).len, (bytes).data

enum { SUBSTITUTES_BYTES_MAX = 2 * 1024 * 1024 };

/* ---- one kind or the other -------------------------------------------------------------------------- */

/* "{A, B}" of those that are there. */
static uint32_t list_present(const struct pl_dynamo_node *structure, const char *const *names,
                             char out[PL_REASON_MAX / 4])
{
    size_t len = 0;
    uint32_t count = 0;

    out[0] = '\0';
    for (uint32_t i = 0; names[i] != NULL; i++) {
        if (pl_dynamo_get(structure, names[i]) == NULL)
            continue;
        len +=
            (size_t)snprintf(out + len, PL_REASON_MAX / 4 - len, "%s%s", count++ > 0 ? ", " : "", names[i]);
    }
    return count;
}

static int check_not_mixed(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                           const struct pl_dynamo_params *params)
{
    char old[PL_REASON_MAX / 4], expressions[PL_REASON_MAX / 4];

    if (list_present(structure, params->legacy, old) == 0 ||
        list_present(structure, params->expressions, expressions) == 0)
        return 0;
    return pl_dynamo_invalid(request,
                             "Can not use both expression and non-expression parameters in the same request: "
                             "Non-expression parameters: {%s} Expression parameters: {%s}",
                             old, expressions);
}

/* ---- placeholders ----------------------------------------------------------------------------------- */

static int check_keys(struct pl_dynamo_request *request, const char *member, const struct pl_dynamo_node *map,
                      char sign)
{
    if (map->count == 0)
        return pl_dynamo_invalid(request, "%s must not be empty", member);
    for (const struct pl_dynamo_node *at = map->first; at != NULL; at = at->next)
        if (!pl_expr_is_placeholder(at->name, sign))
            return pl_dynamo_invalid(request, "%s contains invalid key: Syntax error; key: \"%.*s\"", member,
                                     NAME(at->name));
    return 0;
}

static int check_names(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                       const struct pl_dynamo_params *params)
{
    const struct pl_dynamo_node *names = pl_dynamo_get(structure, "ExpressionAttributeNames");
    char present[PL_REASON_MAX / 4];
    int rc;

    if (names == NULL)
        return 0;
    if (list_present(structure, params->expressions, present) == 0)
        return pl_dynamo_invalid(request,
                                 "ExpressionAttributeNames can only be specified when using expressions");
    rc = check_keys(request, "ExpressionAttributeNames", names, '#');
    for (const struct pl_dynamo_node *at = names->first; rc == 0 && at != NULL; at = at->next)
        if (at->text.len == 0)
            rc = pl_dynamo_invalid(
                request, "ExpressionAttributeNames contains invalid value: Empty attribute name for key %.*s",
                NAME(at->name));
    return rc;
}

static int check_values(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                        const struct pl_dynamo_params *params)
{
    const struct pl_dynamo_node *values;
    char present[PL_REASON_MAX / 4];
    int rc;

    if (params->with_values == NULL)
        return 0;
    values = pl_dynamo_get(structure, "ExpressionAttributeValues");
    if (values == NULL)
        return 0;
    if (list_present(structure, params->with_values, present) == 0)
        return pl_dynamo_invalid(request,
                                 "ExpressionAttributeValues can only be specified when using expressions: %s",
                                 params->values_missing);
    rc = check_keys(request, "ExpressionAttributeValues", values, ':');
    for (const struct pl_dynamo_node *at = values->first; rc == 0 && at != NULL; at = at->next)
        if (at->rc != 0)
            rc = pl_dynamo_invalid(request,
                                   "ExpressionAttributeValues contains invalid value: %s for key %.*s",
                                   at->why, NAME(at->name));
    return rc;
}

int pl_dynamo_params_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                           const struct pl_dynamo_params *params)
{
    int rc = check_not_mixed(request, structure, params);

    if (rc == 0)
        rc = check_names(request, structure, params);
    return rc != 0 ? rc : check_values(request, structure, params);
}

static struct pl_expr_placeholder *make_places(struct pl_arena *arena, const struct pl_dynamo_node *map)
{
    return pl_arena_zalloc(arena, map->count, sizeof(struct pl_expr_placeholder));
}

static int take_names(const struct pl_dynamo_node *map, struct pl_arena *arena, struct pl_expr_params *out)
{
    if (map == NULL)
        return 0;
    out->names = make_places(arena, map);
    if (out->names == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = map->first; at != NULL; at = at->next)
        out->names[out->name_count++] =
            (struct pl_expr_placeholder){ .name = at->name, .attribute = at->text };
    return 0;
}

static int take_values(struct pl_dynamo_request *request, const struct pl_dynamo_node *map,
                       struct pl_arena *arena, struct pl_expr_params *out)
{
    if (map == NULL)
        return 0;
    out->values = make_places(arena, map);
    if (out->values == NULL)
        return PL_ENOMEM;
    for (const struct pl_dynamo_node *at = map->first; at != NULL; at = at->next)
        out->values[out->value_count++] =
            (struct pl_expr_placeholder){ .name = at->name,
                                          .value = pl_dynamo_node_value(at, &request->bytes) };
    return 0;
}

/* What names and values stand for is limited for all expressions of a request together. */
static int check_substitutes(struct pl_dynamo_request *request, const struct pl_expr_params *params)
{
    uint64_t size_bytes = 0;

    for (uint32_t i = 0; i < params->name_count; i++)
        size_bytes += params->names[i].name.len + params->names[i].attribute.len;
    for (uint32_t i = 0; i < params->value_count; i++)
        size_bytes += params->values[i].name.len + pl_value_size_bytes(params->values[i].value);
    if (size_bytes <= SUBSTITUTES_BYTES_MAX)
        return 0;
    return pl_dynamo_invalid(request, "ExpressionAttributeNames and ExpressionAttributeValues have exceeded "
                                      "the maximum allowed size of 2097152 bytes");
}

static bool has_member(const struct pl_dynamo_node *structure, const char *name)
{
    for (uint32_t i = 0; i < structure->shape->member_count; i++)
        if (strcmp(structure->shape->members[i].name, name) == 0)
            return true;
    return false;
}

int pl_dynamo_params_take(struct pl_dynamo_request *request, const struct pl_dynamo_node *structure,
                          struct pl_arena *arena, struct pl_expr_params *out)
{
    int rc = take_names(pl_dynamo_get(structure, "ExpressionAttributeNames"), arena, out);

    if (rc == 0 && has_member(structure, "ExpressionAttributeValues"))
        rc = take_values(request, pl_dynamo_get(structure, "ExpressionAttributeValues"), arena, out);
    return rc != 0 ? rc : check_substitutes(request, out);
}

/* ---- single parameters ------------------------------------------------------------------------------ */

int pl_dynamo_check_value(struct pl_dynamo_request *request, const struct pl_dynamo_node *node)
{
    return node == NULL || node->rc == 0 ? 0 : pl_dynamo_invalid(request, "%s", node->why);
}

uint32_t pl_dynamo_word(struct pl_bytes text, const char *const *words)
{
    uint32_t i = 0;

    while (words[i] != NULL && !pl_bytes_equal(text, pl_str(words[i])))
        i++;
    PL_ASSERT(words[i] != NULL);
    return i;
}

enum pl_capacity_report pl_dynamo_report_asked(const struct pl_dynamo_node *structure)
{
    static const char *const words[] = { "NONE", "TOTAL", "INDEXES", NULL };
    struct pl_bytes text = pl_dynamo_get_text(structure, "ReturnConsumedCapacity");

    return text.data == NULL ? PL_CAPACITY_NONE : PL_CAPACITY_NONE + pl_dynamo_word(text, words);
}

int pl_dynamo_take_table(struct pl_dynamo_request *request, struct pl_bytes given, struct pl_bytes *name)
{
    *name = given;
    if (!pl_dynamo_arn_is(given))
        return 0;
    if (!pl_dynamo_arn_table(given, name))
        return pl_dynamo_invalid(request, "Invalid TableArn: Invalid ResourceArn provided as input %.*s",
                                 NAME(given));
    if (!pl_dynamo_arn_is_own(request, given))
        return pl_dynamo_error(request, "AccessDeniedException", "Access is denied");
    return 0;
}
