/* SPDX-License-Identifier: MIT */
#include "model/json_typed.h"

#include "model/json_value.h"

#include <strings.h>

/* Values in DynamoDB's dialect, with its own sentences for JSON of the wrong type. */

static int refuse_structure(struct pl_reason *why)
{
    return pl_reason_set(why, PL_ESYNTAX, "Start of structure or map found where not expected");
}

static bool is_fraction(struct pl_json_reader ahead)
{
    struct pl_bytes text;

    return pl_json_take_number_text(&ahead, &text, NULL) == 0 &&
           (memchr(text.data, '.', text.len) != NULL || memchr(text.data, 'e', text.len) != NULL ||
            memchr(text.data, 'E', text.len) != NULL);
}

int pl_json_typed_refuse(struct pl_json_reader *r, const char *wanted, struct pl_reason *why)
{
    const char *found;

    switch (pl_json_peek(r)) {
    case PL_JSON_TRUE:
        found = "TRUE_VALUE";
        break;
    case PL_JSON_FALSE:
        found = "FALSE_VALUE";
        break;
    case PL_JSON_NULL:
        found = "NULL_VALUE";
        break;
    case PL_JSON_NUMBER:
        found = is_fraction(*r) ? "DECIMAL_VALUE" : "NUMBER_VALUE";
        break;
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX, "Unrecognized collection type class java.lang.%s", wanted);
    case PL_JSON_OBJECT:
        return refuse_structure(why);
    default:
        return pl_json_unexpected(r, "a value", why);
    }
    return pl_reason_set(why, PL_ESYNTAX, "%s cannot be converted to %s", found, wanted);
}

int pl_json_typed_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    if (pl_json_peek(r) != PL_JSON_STRING)
        return pl_json_typed_refuse(r, "String", why);
    return pl_json_take_string(r, out, why);
}

static int take_text_number(struct pl_json_reader *r, struct pl_number *out, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = pl_json_typed_text(r, &text, why);
    return rc != 0 ? rc : pl_json_read_number(text, out, why);
}

int pl_json_typed_blob(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    struct pl_bytes text;
    size_t len;
    char *to;
    int rc;

    switch (pl_json_peek(r)) {
    case PL_JSON_STRING:
        break;
    case PL_JSON_OBJECT:
        return refuse_structure(why);
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX, "Unrecognized collection type class java.nio.ByteBuffer");
    case PL_JSON_BAD:
    case PL_JSON_END:
        return pl_json_unexpected(r, "a value", why);
    default:
        return pl_reason_set(why, PL_ESYNTAX, "only base-64-encoded strings are convertible to bytes");
    }
    rc = pl_json_take_string(r, &text, why);
    if (rc != 0)
        return rc;
    if (text.len % 4 != 0)
        return pl_reason_set(why, PL_ESYNTAX,
                             "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                             text.len);
    to = pl_arena_alloc(r->arena, text.len / 4 * 3);
    if (to == NULL)
        return PL_ENOMEM;
    if (!pl_base64_decode(text, to, &len))
        return pl_reason_set(why, PL_ESYNTAX, "Invalid last non-pad Base64 character dectected");
    *out = pl_bytes(to, len);
    return 0;
}

static bool is_one_of(struct pl_bytes text, const char *a, const char *b, const char *c)
{
    const char *const words[] = { a, b, c };

    for (int i = 0; i < 3; i++)
        if (text.len == strlen(words[i]) && strncasecmp(text.data, words[i], text.len) == 0)
            return true;
    return false;
}

/* DynamoDB takes some words for true and false. */
int pl_json_typed_bool(struct pl_json_reader *r, bool *out, struct pl_reason *why)
{
    enum pl_json_kind kind = pl_json_peek(r);
    struct pl_bytes text;
    int rc;

    if (kind == PL_JSON_TRUE || kind == PL_JSON_FALSE) {
        *out = kind == PL_JSON_TRUE;
        return pl_json_take_literal(r, why);
    }
    if (kind != PL_JSON_STRING)
        return pl_json_typed_refuse(r, "Boolean", why);
    rc = pl_json_take_string(r, &text, why);
    if (rc != 0)
        return rc;
    *out = is_one_of(text, "true", "1", "yes");
    if (!*out && !is_one_of(text, "false", "0", "no"))
        return pl_reason_set(why, PL_ESYNTAX, "Unexpected token received from parser");
    return 0;
}

int pl_json_typed_enter_list(struct pl_json_reader *r, bool *more, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_ARRAY:
        return pl_json_enter_array(r, more, why);
    case PL_JSON_OBJECT:
        return refuse_structure(why);
    case PL_JSON_BAD:
    case PL_JSON_END:
        return pl_json_unexpected(r, "a value", why);
    default:
        return pl_reason_set(why, PL_ESYNTAX, "Unexpected field type");
    }
}

static int take_typed_element(struct pl_json_reader *r, enum pl_type set, struct pl_builder *b,
                              struct pl_reason *why)
{
    struct pl_number number;
    struct pl_bytes bytes;
    int rc;

    if (set == PL_TYPE_NS) {
        rc = take_text_number(r, &number, why);
        if (rc == 0)
            pl_builder_set_number(b, &number);
        return rc;
    }
    rc = set == PL_TYPE_SS ? pl_json_typed_text(r, &bytes, why) : pl_json_typed_blob(r, &bytes, why);
    if (rc != 0)
        return rc;
    if (set == PL_TYPE_SS)
        pl_builder_set_string(b, bytes);
    else
        pl_builder_set_binary(b, bytes);
    return 0;
}

static int take_typed_set(struct pl_json_reader *r, enum pl_type type, struct pl_builder *b,
                          struct pl_reason *why)
{
    bool more;
    int rc;

    pl_builder_begin_set(b, type);
    rc = b->rc != 0 ? b->rc : pl_json_typed_enter_list(r, &more, why);
    while (rc == 0 && more) {
        rc = take_typed_element(r, type, b, why);
        if (rc == 0)
            rc = pl_json_next(r, ']', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc;
}

static int take_typed_list(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool more;
    int rc;

    pl_builder_begin_list(b);
    rc = b->rc != 0 ? b->rc : pl_json_typed_enter_list(r, &more, why);
    while (rc == 0 && more) {
        rc = pl_json_take_typed(r, b, why);
        if (rc == 0)
            rc = pl_json_next(r, ']', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc;
}

int pl_json_check_is_map(struct pl_json_reader *r, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_OBJECT:
        return 0;
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX,
                             "Unrecognized collection type java.util.Map<java.lang.String, "
                             "com.amazonaws.dynamodb.v20120810.AttributeValue>");
    case PL_JSON_BAD:
    case PL_JSON_END:
        return pl_json_unexpected(r, "a value", why);
    default:
        return pl_reason_set(why, PL_ESYNTAX, "Unexpected field type");
    }
}

static int take_typed_map(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    int rc;

    rc = pl_json_check_is_map(r, why);
    return rc != 0 ? rc : pl_json_take_map(r, PL_JSON_TYPED, b, why);
}

static int take_typed_string(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = pl_json_typed_text(r, &text, why);
    if (rc == 0)
        pl_builder_string(b, text);
    return rc;
}

static int take_typed_number(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_number number;
    int rc;

    rc = take_text_number(r, &number, why);
    if (rc == 0)
        pl_builder_number(b, &number);
    return rc;
}

static int take_typed_binary(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes bytes;
    int rc;

    rc = pl_json_typed_blob(r, &bytes, why);
    if (rc == 0)
        pl_builder_binary(b, bytes);
    return rc;
}

static int take_typed_bool(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool value;
    int rc;

    rc = pl_json_typed_bool(r, &value, why);
    if (rc == 0)
        pl_builder_bool(b, value);
    return rc;
}

static int take_typed_null(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool value;
    int rc;

    rc = pl_json_typed_bool(r, &value, why);
    if (rc != 0)
        return rc;
    if (!value)
        return pl_reason_set(why, PL_EINVALID,
                             PL_JSON_INVALID "Null attribute value types must have the value of true");
    pl_builder_null(b);
    return 0;
}

/* The value behind a type's name. */
static int take_content(struct pl_json_reader *r, enum pl_type type, struct pl_builder *b,
                        struct pl_reason *why)
{
    switch (type) {
    case PL_TYPE_S:
        return take_typed_string(r, b, why);
    case PL_TYPE_N:
        return take_typed_number(r, b, why);
    case PL_TYPE_B:
        return take_typed_binary(r, b, why);
    case PL_TYPE_BOOL:
        return take_typed_bool(r, b, why);
    case PL_TYPE_NULL:
        return take_typed_null(r, b, why);
    case PL_TYPE_L:
        return take_typed_list(r, b, why);
    case PL_TYPE_M:
        return take_typed_map(r, b, why);
    default:
        return take_typed_set(r, type, b, why);
    }
}

/* pl_type_from_name() without its search: this runs once for every value. */
static enum pl_type type_of_tag(struct pl_bytes tag)
{
    if (tag.len == 1) {
        switch (tag.data[0]) {
        case 'S':
            return PL_TYPE_S;
        case 'N':
            return PL_TYPE_N;
        case 'B':
            return PL_TYPE_B;
        case 'L':
            return PL_TYPE_L;
        case 'M':
            return PL_TYPE_M;
        default:
            return 0;
        }
    }
    return pl_type_from_name(tag);
}

static int refuse_empty(struct pl_reason *why)
{
    return pl_reason_set(
        why, PL_EINVALID,
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
}

static int refuse_non_value(struct pl_json_reader *r, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_NULL:
        return refuse_empty(why);
    case PL_JSON_ARRAY:
        return pl_reason_set(
            why, PL_ESYNTAX,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
    case PL_JSON_BAD:
    case PL_JSON_END:
        return pl_json_unexpected(r, "a value", why);
    default:
        return pl_reason_set(why, PL_ESYNTAX, "Unexpected value type in payload");
    }
}

/*
 * One tag and its content. A tag whose content is the JSON null counts as absent, because
 * SDKs that write every member write those too.
 */
static int take_tag(struct pl_json_reader *r, struct pl_builder *b, bool *taken, struct pl_reason *why)
{
    struct pl_bytes tag;
    enum pl_type type;
    int rc;

    rc = pl_json_take_name(r, &tag, why);
    if (rc != 0)
        return rc;
    type = type_of_tag(tag);
    if (type == 0)
        return pl_json_skip(r, why); /* as all members that the service does not know */
    if (pl_json_peek(r) == PL_JSON_NULL)
        return pl_json_take_literal(r, why);
    if (*taken)
        return pl_reason_set(
            why, PL_EINVALID,
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes");
    *taken = true;
    rc = take_content(r, type, b, why);
    return rc != 0 ? rc : b->rc;
}

int pl_json_take_typed(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool taken = false, more;
    int rc;

    if (pl_json_peek(r) != PL_JSON_OBJECT)
        return refuse_non_value(r, why);
    rc = pl_json_enter_object(r, &more, why);
    while (rc == 0 && more) {
        rc = take_tag(r, b, &taken, why);
        if (rc == 0)
            rc = pl_json_next(r, '}', &more, why);
    }
    if (rc == 0 && !taken)
        return refuse_empty(why);
    return rc;
}
