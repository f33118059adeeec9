/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_EXPR_H
#define PL_MODEL_EXPR_H

#include "model/item.h"
#include "model/table.h"

/**
 * DynamoDB's expressions: one lexer, one parser, one
 * evaluator for conditions, filters, key conditions, projections and updates.
 *
 * A request makes one `struct pl_expr_params`, parses its expressions with it, in
 * the order update, condition, key condition, filter, projection, and asks at the
 * end whether a placeholder was left unused. Parsed expressions live in the
 * request's arena and point into its text. They are not changed by evaluation, so
 * one may be evaluated by any thread.
 */
struct pl_expr_placeholder {
    struct pl_bytes name;      /* with its '#' or ':' */
    struct pl_bytes attribute; /* for '#' */
    struct pl_value value;     /* for ':' */
    bool used;
};

struct pl_expr_params {
    struct pl_arena *arena;
    struct pl_expr_placeholder *names;
    uint32_t name_count;
    struct pl_expr_placeholder *values;
    uint32_t value_count;
    /* Tables for quick look-up, made when first needed. Zero at first. */
    struct pl_expr_placeholder **names_sorted, **values_sorted;
    /**
     * Literals may stand where DynamoDB wants placeholders (line protocol): JSON
     * strings, numbers, true, false, null, [..], {..} in the plain dialect. With
     * literals, DynamoDB's reserved words are allowed as names: only the keywords
     * and literals of the grammar itself are not.
     */
    bool literals;
};

enum pl_expr_kind {
    PL_EXPR_CONDITION,
    PL_EXPR_FILTER,
    PL_EXPR_KEY_CONDITION,
    PL_EXPR_PROJECTION,
    PL_EXPR_UPDATE,
    PL_EXPR_STATEMENT /* of PartiQL: its sentences do not say which expression is meant */
};

struct pl_path_step {
    bool is_index;
    uint32_t index;
    struct pl_bytes name;
};

/** A document path; step 0 is always a name. */
struct pl_path {
    struct pl_path_step *steps;
    uint32_t step_count;
};

/** Every path that an expression mentions, in the order of the text. */
struct pl_path_list {
    const struct pl_path *const *paths;
    uint32_t count;
};

struct pl_condition;
struct pl_key_parts;
struct pl_projection;
struct pl_update;

/*
 * Each parse: 0, PL_ENOMEM, or PL_EINVALID with DynamoDB's whole sentence, prefix included. The text is
 * at most 4096 bytes, as DynamoDB has it; literals do not count, but with them it ends at 1 MiB. Sentences
 * quote the text, so it must be UTF-8 already.
 */

/** `kind` is PL_EXPR_CONDITION or PL_EXPR_FILTER: they differ in the prefix of their sentences. */
int pl_condition_parse(struct pl_expr_params *params, enum pl_expr_kind kind, struct pl_bytes text,
                       struct pl_condition **out, struct pl_reason *why);

/** `item` is NULL when there is none. Allocates nothing; cannot fail: what does not fit is false. */
bool pl_condition_test(const struct pl_condition *condition, const struct pl_item *item);

struct pl_path_list pl_condition_paths(const struct pl_condition *condition);

enum pl_range_kind {
    PL_RANGE_NONE,
    PL_RANGE_EQ,
    PL_RANGE_LT,
    PL_RANGE_LE,
    PL_RANGE_GT,
    PL_RANGE_GE,
    PL_RANGE_BETWEEN,
    PL_RANGE_BEGINS_WITH,
};

/**
 * A key condition, sorted out by the schema: equality on every partition key
 * attribute, equality on the first `equal_count` sort key attributes, and `range`
 * (with `low`, and `high` for BETWEEN) on the next one. A single equality on the
 * last used sort attribute is in `equals`, not in `range` (PL_RANGE_EQ is unused here
 * and stands for readers of the text form).
 */
struct pl_key_condition {
    struct pl_value partition[PL_KEY_COMPONENTS_MAX];
    struct pl_value equals[PL_KEY_COMPONENTS_MAX];
    uint8_t equal_count;
    enum pl_range_kind range;
    struct pl_value low, high;
};

/**
 * Read without knowing whose key it is, and then dealt out to the attributes of one. What is wrong in the text itself
 * is told first, and before anybody asks whether there is such a table.
 */
int pl_key_condition_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_key_parts **out,
                           struct pl_reason *why);
int pl_key_condition_fit(const struct pl_key_parts *parts, const struct pl_key_schema *keys,
                         struct pl_key_condition *out, struct pl_reason *why);

int pl_projection_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_projection **out,
                        struct pl_reason *why);
struct pl_path_list pl_projection_paths(const struct pl_projection *projection);
/** Append the projected item (possibly empty) to `buf`, in which `item` must not lie. `arena` is scratch. */
int pl_projection_apply(const struct pl_projection *projection, struct pl_item item, struct pl_arena *arena,
                        struct pl_buf *buf, struct pl_item *out);

int pl_update_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_update **out,
                    struct pl_reason *why);
/** The paths that the update writes (targets of SET, REMOVE, ADD, DELETE). */
struct pl_path_list pl_update_targets(const struct pl_update *update);
/** What target `i` is set to, when the request alone tells; NULL when it is computed, added to or removed. */
const struct pl_value *pl_update_constant(const struct pl_update *update, uint32_t i);
/** True when the update creates a missing item: it has a SET or an ADD. */
bool pl_update_creates(const struct pl_update *update);
/**
 * Apply to `old` (the stored item; or, for a missing item, one made of its key
 * attributes, with `missing` true). PL_EINVALID with DynamoDB's sentence when the item does
 * not fit the update. `out` is a view into `buf`, in which `old` must not lie. Size and keys are the caller's to check.
 */
int pl_update_apply(const struct pl_update *update, struct pl_item old, bool missing, struct pl_arena *arena,
                    struct pl_buf *buf, struct pl_item *out, struct pl_reason *why);
/**
 * UPDATED_OLD and UPDATED_NEW: the values of `item` at exactly the targets, inside
 * their skeletons. For UPDATED_NEW, pass the new item: a REMOVE
 * target is then evaluated literally like the others.
 */
int pl_update_returned(const struct pl_update *update, struct pl_item item, struct pl_arena *arena,
                       struct pl_buf *buf, struct pl_item *out);

/** A sign, '#' or ':', and then letters, digits or '_'. */
bool pl_expr_is_placeholder(struct pl_bytes name, char sign);

/**
 * Are the placeholders sound in themselves, whatever uses them? PL_EINVALID with DynamoDB's sentence, which
 * quotes them: they must be UTF-8 already.
 */
int pl_expr_check_names(const struct pl_expr_params *params, struct pl_reason *why);
int pl_expr_check_values(const struct pl_expr_params *params, struct pl_reason *why);

/**
 * After every expression of the request was parsed: PL_EINVALID "Value provided in
 * ExpressionAttributeNames unused in expressions: keys: {...}".
 */
int pl_expr_check_used(const struct pl_expr_params *params, struct pl_reason *why);

/**
 * The longest beginning of `text` that can be one expression in the line protocol: up
 * to the first of `stops` (NULL-ended list of words, matched as they are written,
 * so that an attribute `limit` does not end it) that stands outside strings and brackets as a word
 * of its own, or all of it.
 */
struct pl_bytes pl_expr_extent(struct pl_bytes text, const char *const *stops);

#endif
