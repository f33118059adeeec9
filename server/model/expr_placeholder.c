/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

#include <stdlib.h>

/* Up to here, comparing one after the other is quicker than sorting. */
enum { FEW = 8 };

static int compare_placeholders(const void *a, const void *b)
{
    const struct pl_expr_placeholder *const *x = a, *const *y = b;

    return pl_bytes_compare((*x)->name, (*y)->name);
}

static struct pl_expr_placeholder **sort(struct pl_arena *arena, struct pl_expr_placeholder *all,
                                         uint32_t count)
{
    struct pl_expr_placeholder **sorted = pl_arena_zalloc(arena, count, sizeof *sorted);

    if (sorted == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &all[i];
    qsort(sorted, count, sizeof *sorted, compare_placeholders);
    return sorted;
}

static struct pl_expr_placeholder *search(struct pl_expr_placeholder **sorted, uint32_t count,
                                          struct pl_bytes name)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = pl_bytes_compare(sorted[middle]->name, name);

        if (order == 0)
            return sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct pl_expr_placeholder *search_few(struct pl_expr_placeholder *all, uint32_t count,
                                              struct pl_bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (pl_bytes_equal(all[i].name, name))
            return &all[i];
    }
    return NULL;
}

/* Without memory for the sorted table the search is slow, not wrong. */
static const struct pl_expr_placeholder *use(struct pl_arena *arena, struct pl_expr_placeholder *all,
                                             uint32_t count, struct pl_expr_placeholder ***sorted,
                                             struct pl_bytes name)
{
    struct pl_expr_placeholder *found;

    if (count > FEW && *sorted == NULL)
        *sorted = sort(arena, all, count);
    found = *sorted != NULL ? search(*sorted, count, name) : search_few(all, count, name);
    if (found != NULL)
        found->used = true;
    return found;
}

const struct pl_expr_placeholder *pl_expr_use_name(struct pl_expr_params *params, struct pl_bytes name)
{
    return use(params->arena, params->names, params->name_count, &params->names_sorted, name);
}

const struct pl_expr_placeholder *pl_expr_use_value(struct pl_expr_params *params, struct pl_bytes name)
{
    return use(params->arena, params->values, params->value_count, &params->values_sorted, name);
}

bool pl_expr_is_placeholder(struct pl_bytes name, char sign)
{
    if (name.len < 2 || name.data[0] != sign)
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static int check_placeholder(struct pl_bytes name, char sign, struct pl_reason *why)
{
    if (pl_expr_is_placeholder(name, sign))
        return 0;
    return pl_reason_set(why, PL_EINVALID, "%s contains invalid key: Syntax error; key: \"%.*s\"",
                         sign == '#' ? "ExpressionAttributeNames" : "ExpressionAttributeValues",
                         (int)name.len, name.data);
}

/* NULL when it can be one: what is stored must be an item that can be read again (pl_item_check()). */
static const char *wrong_with_name(struct pl_bytes name)
{
    if (name.len == 0)
        return "Empty attribute name";
    if (name.len > PL_ATTRIBUTE_NAME_MAX)
        return "Attribute name is too large";
    return pl_bytes_is_utf8(name) ? NULL : "An attribute name is not well-formed UTF-8";
}

static int check_name(const struct pl_expr_placeholder *name, struct pl_reason *why)
{
    const char *wrong = wrong_with_name(name->attribute);

    if (wrong == NULL)
        return 0;
    return pl_reason_set(why, PL_EINVALID, "ExpressionAttributeNames contains invalid value: %s for key %.*s",
                         wrong, (int)name->name.len, name->name.data);
}

int pl_expr_check_names(const struct pl_expr_params *params, struct pl_reason *why)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < params->name_count; i++)
        rc = check_placeholder(params->names[i].name, '#', why);
    for (uint32_t i = 0; rc == 0 && i < params->name_count; i++)
        rc = check_name(&params->names[i], why);
    return rc;
}

int pl_expr_check_values(const struct pl_expr_params *params, struct pl_reason *why)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < params->value_count; i++)
        rc = check_placeholder(params->values[i].name, ':', why);
    return rc;
}

static int check_used(const struct pl_expr_placeholder *all, uint32_t count, const char *where,
                      struct pl_reason *why)
{
    struct pl_buf names = { 0 };
    bool unused = false;
    int rc = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (all[i].used)
            continue;
        if (names.len < PL_REASON_MAX) { /* the rest would be cut off */
            pl_buf_append(&names, ", ", unused ? 2 : 0);
            pl_buf_append_bytes(&names, all[i].name);
        }
        unused = true;
    }
    if (pl_buf_status(&names) != 0)
        rc = PL_ENOMEM;
    else if (unused)
        rc = pl_reason_set(why, PL_EINVALID, "Value provided in %s unused in expressions: keys: {%.*s}",
                           where, (int)names.len, names.data);
    pl_buf_deinit(&names);
    return rc;
}

int pl_expr_check_used(const struct pl_expr_params *params, struct pl_reason *why)
{
    int rc = check_used(params->names, params->name_count, "ExpressionAttributeNames", why);

    if (rc != 0)
        return rc;
    return check_used(params->values, params->value_count, "ExpressionAttributeValues", why);
}
