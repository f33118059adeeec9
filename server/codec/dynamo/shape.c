/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/shape.h"

const struct pl_dynamo_shape pl_dynamo_string = { .kind = PL_DYNAMO_STRING };
const struct pl_dynamo_shape pl_dynamo_boolean = { .kind = PL_DYNAMO_BOOLEAN };
const struct pl_dynamo_shape pl_dynamo_integer = { .kind = PL_DYNAMO_INTEGER };
const struct pl_dynamo_shape pl_dynamo_long = { .kind = PL_DYNAMO_LONG };
const struct pl_dynamo_shape pl_dynamo_timestamp = { .kind = PL_DYNAMO_TIMESTAMP };
const struct pl_dynamo_shape pl_dynamo_value = { .kind = PL_DYNAMO_VALUE, .name = "AttributeValue" };
const struct pl_dynamo_shape pl_dynamo_item = { .kind = PL_DYNAMO_ITEM, .name = "AttributeValue" };

/* ---- names ------------------------------------------------------------------------------------------ */

#define NAME_PATTERN "[a-zA-Z0-9_.-]+"

/* Where a table's name may be its ARN, that is as long as one. What is no ARN is judged as a name (constraint.c). */
const struct pl_dynamo_shape pl_dynamo_table_name = { .kind = PL_DYNAMO_STRING,
                                                      .has_min = true,
                                                      .min = 3,
                                                      .max = 1024,
                                                      .pattern = NAME_PATTERN,
                                                      .table_name = true };
const struct pl_dynamo_shape pl_dynamo_new_table_name = { .kind = PL_DYNAMO_STRING,
                                                          .has_min = true,
                                                          .min = 3,
                                                          .max = 255,
                                                          .pattern = NAME_PATTERN,
                                                          .table_name = true };
const struct pl_dynamo_shape pl_dynamo_index_name = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 3, .max = 255, .pattern = NAME_PATTERN
};

static const struct pl_dynamo_shape attribute_name = { .kind = PL_DYNAMO_STRING, .max = 65535 };

const struct pl_dynamo_shape pl_dynamo_attribute_names = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = 255, .element = &attribute_name
};

const struct pl_dynamo_shape pl_dynamo_names = { .kind = PL_DYNAMO_MAP, .element = &attribute_name };
const struct pl_dynamo_shape pl_dynamo_values = { .kind = PL_DYNAMO_MAP, .element = &pl_dynamo_value };

/* ---- words ------------------------------------------------------------------------------------------ */

static const char *const reports[] = { "INDEXES", "TOTAL", "NONE", NULL };
const struct pl_dynamo_shape pl_dynamo_report = { .kind = PL_DYNAMO_STRING, .words = reports };

static const char *const metrics[] = { "SIZE", "NONE", NULL };
const struct pl_dynamo_shape pl_dynamo_metrics = { .kind = PL_DYNAMO_STRING, .words = metrics };

static const char *const on_failures[] = { "ALL_OLD", "NONE", NULL };
const struct pl_dynamo_shape pl_dynamo_on_failure = { .kind = PL_DYNAMO_STRING, .words = on_failures };

static const char *const conditional_operators[] = { "OR", "AND", NULL };
const struct pl_dynamo_shape pl_dynamo_conditional_operator = { .kind = PL_DYNAMO_STRING,
                                                                .words = conditional_operators };

/* ---- legacy conditions ------------------------------------------------------------------------------ */

static const char *const comparison_operators[] = { "IN",          "NULL", "BETWEEN",  "LT", "NOT_CONTAINS",
                                                    "EQ",          "GT",   "NOT_NULL", "NE", "LE",
                                                    "BEGINS_WITH", "GE",   "CONTAINS", NULL };
static const struct pl_dynamo_shape comparison_operator = { .kind = PL_DYNAMO_STRING,
                                                            .words = comparison_operators };
static const struct pl_dynamo_shape value_list = { .kind = PL_DYNAMO_LIST, .element = &pl_dynamo_value };

static const struct pl_dynamo_member condition_members[] = {
    { "AttributeValueList", &value_list, false },
    { "ComparisonOperator", &comparison_operator, true },
};
static const struct pl_dynamo_shape condition = PL_DYNAMO_STRUCTURE_OF("Condition", condition_members);
const struct pl_dynamo_shape pl_dynamo_conditions = { .kind = PL_DYNAMO_MAP, .element = &condition };

static const struct pl_dynamo_member expected_members[] = {
    { "Value", &pl_dynamo_value, false },
    { "Exists", &pl_dynamo_boolean, false },
    { "ComparisonOperator", &comparison_operator, false },
    { "AttributeValueList", &value_list, false },
};
static const struct pl_dynamo_shape expected_value =
    PL_DYNAMO_STRUCTURE_OF("ExpectedAttributeValue", expected_members);
const struct pl_dynamo_shape pl_dynamo_expected = { .kind = PL_DYNAMO_MAP, .element = &expected_value };

static const char *const update_actions[] = { "ADD", "DELETE", "PUT", NULL };
static const struct pl_dynamo_shape update_action = { .kind = PL_DYNAMO_STRING, .words = update_actions };
static const struct pl_dynamo_member update_members[] = {
    { "Value", &pl_dynamo_value, false },
    { "Action", &update_action, false },
};
static const struct pl_dynamo_shape update_value =
    PL_DYNAMO_STRUCTURE_OF("AttributeValueUpdate", update_members);
const struct pl_dynamo_shape pl_dynamo_attribute_updates = { .kind = PL_DYNAMO_MAP,
                                                             .element = &update_value };

/* ---- tags ------------------------------------------------------------------------------------------- */

const struct pl_dynamo_shape pl_dynamo_resource_arn = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = 1283
};
/* What is wrong with a tag is told in words of its own (tags.c). */
static const struct pl_dynamo_member tag_members[] = {
    { "Key", &pl_dynamo_string, false },
    { "Value", &pl_dynamo_string, false },
};
static const struct pl_dynamo_shape tag = PL_DYNAMO_STRUCTURE_OF("Tag", tag_members);
const struct pl_dynamo_shape pl_dynamo_tags = { .kind = PL_DYNAMO_LIST, .element = &tag };

/* ---- values ----------------------------------------------------------------------------------------- */

static const struct pl_dynamo_shape blob = { .kind = PL_DYNAMO_BLOB };
static const struct pl_dynamo_shape strings = { .kind = PL_DYNAMO_LIST, .element = &pl_dynamo_string };
static const struct pl_dynamo_shape blobs = { .kind = PL_DYNAMO_LIST, .element = &blob };
static const struct pl_dynamo_shape values = { .kind = PL_DYNAMO_LIST,
                                               .element = &pl_dynamo_value_structure };
static const struct pl_dynamo_shape value_map = { .kind = PL_DYNAMO_MAP,
                                                  .element = &pl_dynamo_value_structure };
static const struct pl_dynamo_member value_members[] = {
    { "S", &pl_dynamo_string, false },
    { "N", &pl_dynamo_string, false },
    { "B", &blob, false },
    { "SS", &strings, false },
    { "NS", &strings, false },
    { "BS", &blobs, false },
    { "M", &value_map, false },
    { "L", &values, false },
    { "NULL", &pl_dynamo_boolean, false },
    { "BOOL", &pl_dynamo_boolean, false },
};
const struct pl_dynamo_shape pl_dynamo_value_structure =
    PL_DYNAMO_STRUCTURE_OF("AttributeValue", value_members);
