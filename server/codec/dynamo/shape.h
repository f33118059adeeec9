/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_SHAPE_H
#define PL_CODEC_DYNAMO_SHAPE_H

#include "base/bytes.h"

/**
 * What a request may look like, as data: every call has the shape of its input, and one reader (input.h) and
 * one judge (constraint.h) follow it. So the texts of DynamoDB's structural errors and their order are
 * written once.
 */
enum pl_dynamo_kind {
    PL_DYNAMO_STRING,
    PL_DYNAMO_BLOB,
    PL_DYNAMO_BOOLEAN,
    PL_DYNAMO_INTEGER,
    PL_DYNAMO_LONG,
    PL_DYNAMO_TIMESTAMP, /* seconds; kept as milliseconds */
    PL_DYNAMO_LIST,
    PL_DYNAMO_MAP,
    PL_DYNAMO_STRUCTURE,
    PL_DYNAMO_VALUE, /* an AttributeValue, encoded as it is read */
    PL_DYNAMO_ITEM,  /* a map of AttributeValues, encoded as an item */
};

struct pl_dynamo_shape {
    enum pl_dynamo_kind kind;
    const char *name; /* of a structure, as SerializationExceptions write it */

    /* Constraints: of the length of strings, lists and maps, of the value of numbers. 0: none. */
    bool has_min;
    int64_t min, max;
    const char *pattern;      /* as it is printed: a name of [a-zA-Z0-9_.-] */
    const char *const *words; /* of an enumeration, in the order in which they are printed; NULL-ended */
    bool in_bytes;            /* a string's length is counted in bytes, not in characters */
    bool modern;              /* the service's newer validator: "Value at 'Limit' failed ..." */
    bool table_name;          /* a violation of it is reported alone */

    const struct pl_dynamo_member *members; /* of a structure */
    uint32_t member_count;
    const struct pl_dynamo_shape *element; /* of a list or a map */
};

struct pl_dynamo_member {
    const char *name;
    const struct pl_dynamo_shape *shape;
    bool required;
};

/* A structure from an array of its members. */
#define PL_DYNAMO_STRUCTURE_OF(shape_name, array)                                                            \
    {                                                                                                        \
        .kind = PL_DYNAMO_STRUCTURE, .name = (shape_name), .members = (array),                               \
        .member_count = sizeof(array) / sizeof(array)[0]                                                     \
    }

enum { PL_DYNAMO_MEMBERS_MAX = 40 };

/** The shapes that more than one call uses. */
extern const struct pl_dynamo_shape pl_dynamo_string, pl_dynamo_boolean, pl_dynamo_integer, pl_dynamo_long,
    pl_dynamo_timestamp, pl_dynamo_value, pl_dynamo_item;
extern const struct pl_dynamo_shape pl_dynamo_table_name, pl_dynamo_new_table_name, pl_dynamo_index_name;
extern const struct pl_dynamo_shape pl_dynamo_names, pl_dynamo_values; /* ExpressionAttribute... */
extern const struct pl_dynamo_shape pl_dynamo_report, pl_dynamo_metrics, pl_dynamo_on_failure;
extern const struct pl_dynamo_shape pl_dynamo_attribute_names; /* AttributesToGet */
extern const struct pl_dynamo_shape pl_dynamo_conditional_operator, pl_dynamo_conditions, pl_dynamo_expected,
    pl_dynamo_attribute_updates;
extern const struct pl_dynamo_shape pl_dynamo_resource_arn, pl_dynamo_tags;

/** An AttributeValue as a structure: only to find what is wrong in the JSON behind a wrong value. */
extern const struct pl_dynamo_shape pl_dynamo_value_structure;

#endif
