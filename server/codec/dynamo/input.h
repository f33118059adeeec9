/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_INPUT_H
#define PL_CODEC_DYNAMO_INPUT_H

#include "base/arena.h"
#include "base/error.h"
#include "codec/dynamo/shape.h"
#include "model/item.h"

/**
 * A request's JSON, read once, as its shape says. Members come in any order, so what is read is collected
 * as views first and judged afterwards: a node for each member, list element and map entry. AttributeValues
 * and items have no nodes inside: they are encoded as they are met.
 */
struct pl_dynamo_node {
    const struct pl_dynamo_shape *shape;
    struct pl_bytes name; /* of a map's entry */
    struct pl_bytes text; /* of a string; of everything else its JSON, as written */
    int64_t number;       /* of an integer, of a timestamp in ms; of a boolean 0 or 1 */

    /* VALUE, ITEM: `rc` is 0, or PL_EINVALID with the sentence that says what is wrong with it. */
    int rc;
    const char *why;
    size_t at, len; /* in the buffer of encoded bytes */
    uint32_t size_bytes;
    enum pl_type type; /* of a VALUE */

    const struct pl_dynamo_node **members; /* of a structure, by their place in its shape; NULL: absent */
    const struct pl_dynamo_node *first;    /* of a list or map: entries in the order of the text */
    const struct pl_dynamo_node *next;
    uint32_t count;
};

/**
 * Read `text` as `shape`, which is a structure. `out` and its strings live in `arena` and `text`;
 * encoded values are appended to `bytes`. Unknown members are stepped over, null ones are absent.
 * PL_ESYNTAX with a SerializationException's sentence, or with an empty one when the text is no JSON object.
 */
int pl_dynamo_input_read(const struct pl_dynamo_shape *shape, struct pl_bytes text, struct pl_arena *arena,
                         struct pl_buf *bytes, const struct pl_dynamo_node **out, struct pl_reason *why);

/** True when `text` is one JSON value and nothing else. */
bool pl_dynamo_input_is_json(struct pl_bytes text);

/** A member of a structure, NULL when it is absent. `name` is one that its shape has. */
const struct pl_dynamo_node *pl_dynamo_get(const struct pl_dynamo_node *structure, const char *name);

/** The text of a member, empty with no address when it is absent. */
struct pl_bytes pl_dynamo_get_text(const struct pl_dynamo_node *structure, const char *name);

/** A boolean member, false when it is absent. */
bool pl_dynamo_get_bool(const struct pl_dynamo_node *structure, const char *name);

/* Views of what was encoded, good until `bytes` grows: take them when all is read. */
struct pl_item pl_dynamo_node_item(const struct pl_dynamo_node *node, const struct pl_buf *bytes);
struct pl_value pl_dynamo_node_value(const struct pl_dynamo_node *node, const struct pl_buf *bytes);

#endif
