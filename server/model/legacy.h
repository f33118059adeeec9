/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_LEGACY_H
#define PL_MODEL_LEGACY_H

#include "model/expr.h"

/**
 * Conditions, updates and projections in the form that DynamoDB had before expressions (Expected, QueryFilter,
 * AttributeUpdates, ...), made into the same trees: from here on nobody knows how they were written.
 * An attribute is a top-level name, dots and all. Everything lives in the arena, which is given with each.
 */
enum pl_legacy_operator {
    PL_LEGACY_IN,
    PL_LEGACY_NULL,
    PL_LEGACY_BETWEEN,
    PL_LEGACY_LT,
    PL_LEGACY_NOT_CONTAINS,
    PL_LEGACY_EQ,
    PL_LEGACY_GT,
    PL_LEGACY_NOT_NULL,
    PL_LEGACY_NE,
    PL_LEGACY_LE,
    PL_LEGACY_BEGINS_WITH,
    PL_LEGACY_GE,
    PL_LEGACY_CONTAINS,
};

/** In the order of enum pl_legacy_operator, which is that of DynamoDB's sentences; NULL-ended. */
extern const char *const pl_legacy_operator_names[];

struct pl_legacy_condition {
    struct pl_bytes attribute;
    enum pl_legacy_operator comparison;
    const struct pl_value *values;
    uint32_t value_count;
};

/** PL_EINVALID, with DynamoDB's sentence, when the values are too few, too many, or of a wrong type. */
int pl_legacy_condition_check(const struct pl_legacy_condition *condition, struct pl_reason *why);

/** All of the conditions hold, or with `any` at least one. They have been checked, and there is at least one. */
int pl_legacy_condition_make(struct pl_arena *arena, const struct pl_legacy_condition *conditions,
                             uint32_t count, bool any, struct pl_condition **out);

/** KeyConditions, sorted out by the schema. They have been checked. */
int pl_legacy_key_condition_make(const struct pl_legacy_condition *conditions, uint32_t count,
                                 const struct pl_key_schema *keys, struct pl_key_condition *out,
                                 struct pl_reason *why);

enum pl_legacy_action { PL_LEGACY_ADD, PL_LEGACY_DELETE, PL_LEGACY_PUT };

struct pl_legacy_update {
    struct pl_bytes attribute;
    enum pl_legacy_action action;
    const struct pl_value *value; /* NULL: DELETE of the whole attribute */
};

/** PL_EINVALID when an action does not go with its value. */
int pl_legacy_update_check(const struct pl_legacy_update *update, struct pl_reason *why);

/** They have been checked, and there is at least one. */
int pl_legacy_update_make(struct pl_arena *arena, const struct pl_legacy_update *updates, uint32_t count,
                          struct pl_update **out);

/** PL_EINVALID when a name is there twice. */
int pl_legacy_projection_make(struct pl_arena *arena, const struct pl_bytes *names, uint32_t count,
                              struct pl_projection **out, struct pl_reason *why);

#endif
