/* SPDX-License-Identifier: MIT */
#include "model/transaction.h"

#include <stdlib.h>
#define XXH_INLINE_ALL /* for a state on the stack */
#include <xxhash.h>

/* ---- limits ----------------------------------------------------------------------------------------- */

#define ONE_ERROR "1 validation error detected: "

int pl_transaction_check_count(uint64_t count, struct pl_reason *why)
{
    if (count == 0)
        return pl_reason_set(why, PL_EINVALID,
                             ONE_ERROR "Value '[]' at 'transactItems' failed to satisfy constraint: Member "
                                       "must have length greater than or equal to 1");
    if (count > PL_TRANSACTION_CHILDREN_MAX)
        return pl_reason_set(why, PL_EINVALID,
                             ONE_ERROR "Value at 'transactItems' failed to satisfy constraint: Member must "
                                       "have length less than or equal to %d",
                             PL_TRANSACTION_CHILDREN_MAX);
    return 0;
}

static size_t character_count(struct pl_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((uint8_t)text.data[i] & 0xC0) != 0x80;
    return count;
}

int pl_transaction_check_token(struct pl_bytes token, struct pl_reason *why)
{
    size_t count = character_count(token);

    if (count == 0)
        return pl_reason_set(why, PL_EINVALID,
                             ONE_ERROR "Value '' at 'clientRequestToken' failed to satisfy constraint: "
                                       "Member must have length greater than or equal to 1");
    if (count > PL_TRANSACTION_TOKEN_MAX)
        return pl_reason_set(why, PL_EINVALID,
                             ONE_ERROR "Value '%.*s' at 'clientRequestToken' failed to satisfy constraint: "
                                       "Member must have length less than or equal to %d",
                             (int)token.len, token.data, PL_TRANSACTION_TOKEN_MAX);
    return 0;
}

static uint64_t placeholder_bytes(const struct pl_expr_params *params)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < params->name_count; i++)
        sum += params->names[i].name.len + params->names[i].attribute.len;
    for (uint32_t i = 0; i < params->value_count; i++)
        sum += params->values[i].name.len + params->values[i].value.whole.len;
    return sum;
}

uint64_t pl_transaction_request_bytes(const struct pl_operation *op)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < op->child_count; i++) {
        const struct pl_operation *child = &op->children[i];

        sum += child->table_name.len + child->item.size_bytes + child->condition_text.len +
               child->update_text.len + child->projection_text.len + placeholder_bytes(&child->params);
        if (child->has_condition_args)
            sum += child->condition_args.whole.len;
    }
    return sum;
}

/* ---- the digest ------------------------------------------------------------------------------------- */

static void add_text(XXH3_state_t *state, struct pl_bytes text)
{
    uint64_t len = text.len;

    XXH3_128bits_update(state, &len, sizeof len);
    if (len > 0)
        XXH3_128bits_update(state, text.data, text.len);
}

static int compare_names(const void *left, const void *right)
{
    const struct pl_expr_placeholder *const *a = left, *const *b = right;

    return pl_bytes_compare((*a)->name, (*b)->name);
}

/* An SDK that sends a map again may send it in another order. */
static void add_placeholders(XXH3_state_t *state, const struct pl_expr_placeholder *list, uint32_t count,
                             const struct pl_expr_placeholder **sorted)
{
    uint64_t length = count;

    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &list[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_names);
    XXH3_128bits_update(state, &length, sizeof length);
    for (uint32_t i = 0; i < count; i++) {
        add_text(state, sorted[i]->name);
        add_text(state, sorted[i]->attribute);
        add_text(state, sorted[i]->value.whole);
    }
}

static int add_child(XXH3_state_t *state, const struct pl_operation *child)
{
    const struct pl_expr_params *params = &child->params;
    uint32_t most = params->name_count > params->value_count ? params->name_count : params->value_count;
    const struct pl_expr_placeholder **sorted = NULL;
    uint8_t kind[] = { (uint8_t)child->name, child->return_old_on_failure, child->has_condition_args };

    if (most > 0) {
        sorted = malloc(most * sizeof *sorted);
        if (sorted == NULL)
            return PL_ENOMEM;
    }
    XXH3_128bits_update(state, kind, sizeof kind);
    add_text(state, child->table_name);
    add_text(state, child->item.bytes);
    add_text(state, child->condition_text);
    add_text(state, child->condition_name);
    if (child->has_condition_args)
        add_text(state, child->condition_args.whole);
    add_text(state, child->update_text);
    add_placeholders(state, params->names, params->name_count, sorted);
    add_placeholders(state, params->values, params->value_count, sorted);
    free(sorted);
    return 0;
}

int pl_transaction_digest(const struct pl_operation *op, struct pl_digest *out)
{
    XXH3_state_t state;
    XXH128_hash_t hash;
    int rc = 0;

    XXH3_128bits_reset(&state);
    if (op->statements.len > 0)
        add_text(&state, op->statements);
    for (uint32_t i = 0; i < op->child_count && rc == 0; i++)
        rc = add_child(&state, &op->children[i]);
    hash = XXH3_128bits_digest(&state);
    if (rc == 0)
        *out = (struct pl_digest){ .high = hash.high64, .low = hash.low64 };
    return rc;
}

/* ---- the reply -------------------------------------------------------------------------------------- */

/* DynamoDB's names among the reasons are those of the exceptions, but for two that it calls errors. */
struct pl_bytes pl_transaction_reason_code(int rc)
{
    static const char ending[] = "Exception";
    struct pl_bytes code = pl_str(pl_error_code(rc));
    size_t len = sizeof ending - 1;

    if (rc == 0)
        return pl_str("None");
    if (rc == PL_EINVALID)
        return pl_str("ValidationError");
    if (pl_bytes_equal(code, pl_str("ThrottlingException")))
        return pl_str("ThrottlingError");
    if (code.len > len && memcmp(code.data + code.len - len, ending, len) == 0)
        code.len -= len;
    return code;
}

void pl_transaction_write_sentence(struct pl_buf *out, const struct pl_operation *op)
{
    pl_buf_append_bytes(out, pl_str(pl_error_sentence(PL_ECANCELLED)));
    for (uint32_t i = 0; i < op->child_count; i++) {
        pl_buf_append_bytes(out, pl_str(i == 0 ? " [" : ", "));
        pl_buf_append_bytes(out, pl_transaction_reason_code(op->children[i].reply.rc));
    }
    pl_buf_append_bytes(out, pl_str("]"));
}

bool pl_transaction_capacity(const struct pl_operation *op, uint32_t i, struct pl_capacity *out)
{
    struct pl_bytes table = op->children[i].table_name;

    for (uint32_t earlier = 0; earlier < i; earlier++)
        if (pl_bytes_equal(op->children[earlier].table_name, table))
            return false;
    *out = (struct pl_capacity){ 0 };
    for (; i < op->child_count; i++)
        if (pl_bytes_equal(op->children[i].table_name, table))
            pl_capacity_add(out, &op->children[i].reply.capacity);
    return true;
}
