/* SPDX-License-Identifier: MIT */
#include "model/json.h"

#include <strings.h>

/*
 * Values out of JSON, straight into the builder. Recursion follows the nesting of
 * values, and the builder refuses a level too many before we step into it, so the
 * stack is bounded whatever the text says.
 */

#define INVALID_PREFIX "One or more parameter values were invalid: "

static int take_plain(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why);
static int take_typed(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why);

static int take_either(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                       struct pl_reason *why)
{
    return dialect == PL_JSON_PLAIN ? take_plain(r, b, why) : take_typed(r, b, why);
}

static size_t offset(const struct pl_json_reader *r)
{
    return (size_t)(r->at - r->start);
}

/* The members of the object at the reader, into the map or item that was just begun. */
static int take_members(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                        struct pl_reason *why)
{
    struct pl_bytes name;
    bool more;
    int rc;

    rc = pl_json_enter_object(r, &more, why);
    while (rc == 0 && more) {
        rc = pl_json_take_name(r, &name, why);
        if (rc != 0)
            return rc;
        pl_builder_name(b, name);
        rc = take_either(r, dialect, b, why);
        if (rc == 0)
            rc = pl_json_next(r, '}', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc != 0 ? rc : b->rc;
}

static int take_map(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                    struct pl_reason *why)
{
    pl_builder_begin_map(b);
    return b->rc != 0 ? b->rc : take_members(r, dialect, b, why);
}

/* --- numbers --- */

/* Most numbers are short integers: these need no 128-bit arithmetic. */
static bool read_short_integer(struct pl_bytes text, int64_t *out)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    int64_t sum = 0;

    if (text.len == negative || text.len - negative > 18)
        return false;
    for (size_t i = negative; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        sum = sum * 10 + (text.data[i] - '0');
    }
    *out = negative ? -sum : sum;
    return true;
}

static int read_number(struct pl_bytes text, struct pl_number *out, struct pl_reason *why)
{
    int64_t integer;

    if (!read_short_integer(text, &integer))
        return pl_number_parse(text, out, why);
    pl_number_from_int64(integer, out);
    return 0;
}

/* --- the plain dialect --- */

static int take_binary_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    size_t at = (pl_json_peek(r), offset(r));
    struct pl_bytes text;
    size_t len;
    char *to;
    int rc;

    rc = pl_json_take_string(r, &text, why);
    if (rc != 0)
        return rc;
    to = pl_arena_alloc(r->arena, text.len / 4 * 3);
    if (to == NULL)
        return PL_ENOMEM;
    if (!pl_base64_decode(text, to, &len))
        return pl_reason_set(why, PL_EINVALID, "the string at byte %zu is no base64 (standard alphabet, padded)", at);
    *out = pl_bytes(to, len);
    return 0;
}

static int take_number_string(struct pl_json_reader *r, struct pl_number *out, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = pl_json_take_string(r, &text, why);
    return rc != 0 ? rc : read_number(text, out, why);
}

/* An element of {"$set":[...]}; `type` is of the set that could hold it. */
struct element {
    enum pl_type type;
    struct pl_bytes bytes;
    struct pl_number number;
};

/* {"$binary":"..."} or {"$number":"..."} inside a set. */
static int take_marked_element(struct pl_json_reader *r, struct element *out, struct pl_reason *why)
{
    size_t at = offset(r);
    struct pl_bytes name = { 0 };
    bool more;
    int rc;

    rc = pl_json_enter_object(r, &more, why);
    if (rc == 0 && more)
        rc = pl_json_take_name(r, &name, why);
    if (rc != 0)
        return rc;
    if (pl_bytes_equal(name, pl_str("$binary"))) {
        out->type = PL_TYPE_BS;
        rc = take_binary_text(r, &out->bytes, why);
    } else if (pl_bytes_equal(name, pl_str("$number"))) {
        out->type = PL_TYPE_NS;
        rc = take_number_string(r, &out->number, why);
    } else {
        return pl_reason_set(why, PL_EINVALID,
                             "the object at byte %zu cannot be in a set: a set holds strings, numbers, or "
                             "{\"$binary\":\"...\"}",
                             at);
    }
    if (rc == 0)
        rc = pl_json_next(r, '}', &more, why);
    if (rc == 0 && more)
        return pl_json_unexpected(r, "'}' behind the only member", why);
    return rc;
}

static int take_element(struct pl_json_reader *r, struct element *out, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    switch (pl_json_peek(r)) {
    case PL_JSON_STRING:
        out->type = PL_TYPE_SS;
        return pl_json_take_string(r, &out->bytes, why);
    case PL_JSON_NUMBER:
        out->type = PL_TYPE_NS;
        rc = pl_json_take_number_text(r, &text, why);
        return rc != 0 ? rc : read_number(text, &out->number, why);
    case PL_JSON_OBJECT:
        return take_marked_element(r, out, why);
    default:
        return pl_json_unexpected(r, "an element of a set (a string, a number or {\"$binary\":\"...\"})", why);
    }
}

static void put_element(struct pl_builder *b, const struct element *element)
{
    if (element->type == PL_TYPE_SS)
        pl_builder_set_string(b, element->bytes);
    else if (element->type == PL_TYPE_BS)
        pl_builder_set_binary(b, element->bytes);
    else
        pl_builder_set_number(b, &element->number);
}

static int take_plain_set(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct element element;
    enum pl_type type = 0;
    bool more;
    int rc;

    rc = pl_json_enter_array(r, &more, why);
    if (rc == 0 && !more)
        return pl_reason_set(why, PL_EINVALID, INVALID_PREFIX "An string set  may not be empty");
    while (rc == 0 && more) {
        size_t at = (pl_json_peek(r), offset(r));

        rc = take_element(r, &element, why);
        if (rc != 0)
            return rc;
        if (type == 0) {
            type = element.type;
            pl_builder_begin_set(b, type);
        } else if (type != element.type) {
            return pl_reason_set(why, PL_EINVALID,
                                 "a set holds elements of one type: the element at byte %zu makes a %s of a %s",
                                 at, pl_type_name(element.type), pl_type_name(type));
        }
        put_element(b, &element);
        rc = b->rc != 0 ? b->rc : pl_json_next(r, ']', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc;
}

/* How much of a name a sentence shows: whole characters, and not more than one can read. */
static int shown_len(struct pl_bytes name)
{
    size_t len = name.len;

    if (len > 200)
        for (len = 200; ((uint8_t)name.data[len] & 0xC0) == 0x80;)
            len--;
    return (int)len;
}

/* The value of the marker `name`, up to the marker's closing brace. */
static int take_marked(struct pl_json_reader *r, struct pl_bytes name, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes bytes;
    struct pl_number number;
    int rc;

    if (pl_bytes_equal(name, pl_str("$set")))
        return take_plain_set(r, b, why);
    if (pl_bytes_equal(name, pl_str("$map")))
        return take_map(r, PL_JSON_PLAIN, b, why);
    if (pl_bytes_equal(name, pl_str("$binary"))) {
        rc = take_binary_text(r, &bytes, why);
        if (rc == 0)
            pl_builder_binary(b, bytes);
        return rc;
    }
    if (pl_bytes_equal(name, pl_str("$number"))) {
        rc = take_number_string(r, &number, why);
        if (rc == 0)
            pl_builder_number(b, &number);
        return rc;
    }
    return pl_reason_set(why, PL_EINVALID,
                         "\"%.*s\" at byte %zu is not one of $set, $binary, $number and $map: a map with only that "
                         "name is written {\"$map\":{...}}",
                         shown_len(name), name.data, offset(r));
}

/* A cheap look at the object at the reader: could its first name begin with a dollar sign? */
static bool may_be_marker(const struct pl_json_reader *r)
{
    struct pl_json_reader ahead = *r;

    ahead.at++;
    return pl_json_peek(&ahead) == PL_JSON_STRING && ahead.end - ahead.at > 1 &&
           (ahead.at[1] == '$' || ahead.at[1] == '\\');
}

/*
 * A marker is an object whose only name begins with a dollar sign, and whether it is the only
 * one shows behind its value. So look there with a cursor of our own.
 */
static int is_marker(struct pl_json_reader ahead, bool *out, struct pl_reason *why)
{
    struct pl_bytes name;
    bool more;
    int rc;

    *out = false;
    rc = pl_json_enter_object(&ahead, &more, why);
    if (rc == 0)
        rc = pl_json_take_name(&ahead, &name, why);
    if (rc != 0 || name.len == 0 || name.data[0] != '$')
        return rc;
    rc = pl_json_skip(&ahead, why);
    if (rc == 0)
        rc = pl_json_next(&ahead, '}', &more, why);
    if (rc == 0)
        *out = !more;
    return rc;
}

static int take_marker(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes name;
    bool more;
    int rc;

    rc = pl_json_enter_object(r, &more, why);
    if (rc == 0)
        rc = pl_json_take_name(r, &name, why);
    if (rc == 0)
        rc = take_marked(r, name, b, why);
    if (rc == 0)
        rc = pl_json_next(r, '}', &more, why);
    return rc;
}

static int take_plain_object(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    if (may_be_marker(r)) {
        bool marker;
        int rc;

        rc = is_marker(*r, &marker, why);
        if (rc != 0)
            return rc;
        if (marker)
            return take_marker(r, b, why);
    }
    return take_map(r, PL_JSON_PLAIN, b, why);
}

static int take_plain_list(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool more;
    int rc;

    pl_builder_begin_list(b);
    rc = b->rc != 0 ? b->rc : pl_json_enter_array(r, &more, why);
    while (rc == 0 && more) {
        rc = take_plain(r, b, why);
        if (rc == 0)
            rc = pl_json_next(r, ']', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc;
}

static int take_plain_string(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = pl_json_take_string(r, &text, why);
    if (rc == 0)
        pl_builder_string(b, text);
    return rc;
}

static int take_plain_number(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_number number;
    struct pl_bytes text;
    int rc;

    rc = pl_json_take_number_text(r, &text, why);
    if (rc == 0)
        rc = read_number(text, &number, why);
    if (rc == 0)
        pl_builder_number(b, &number);
    return rc;
}

static int take_plain_literal(struct pl_json_reader *r, enum pl_json_kind kind, struct pl_builder *b,
                              struct pl_reason *why)
{
    int rc;

    rc = pl_json_take_literal(r, why);
    if (rc != 0)
        return rc;
    if (kind == PL_JSON_NULL)
        pl_builder_null(b);
    else
        pl_builder_bool(b, kind == PL_JSON_TRUE);
    return 0;
}

static int take_plain(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    enum pl_json_kind kind = pl_json_peek(r);
    int rc;

    switch (kind) {
    case PL_JSON_STRING: rc = take_plain_string(r, b, why); break;
    case PL_JSON_NUMBER: rc = take_plain_number(r, b, why); break;
    case PL_JSON_OBJECT: rc = take_plain_object(r, b, why); break;
    case PL_JSON_ARRAY: rc = take_plain_list(r, b, why); break;
    case PL_JSON_TRUE:
    case PL_JSON_FALSE:
    case PL_JSON_NULL: rc = take_plain_literal(r, kind, b, why); break;
    default: return pl_json_unexpected(r, "a value", why);
    }
    return rc != 0 ? rc : b->rc;
}

/* --- the typed dialect: DynamoDB's own sentences for JSON of the wrong type (dynamodb.md 1.6) --- */

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

/* What stands at the reader is no `wanted` ("String", "Boolean"). */
static int refuse_scalar(struct pl_json_reader *r, const char *wanted, struct pl_reason *why)
{
    const char *found;

    switch (pl_json_peek(r)) {
    case PL_JSON_TRUE: found = "TRUE_VALUE"; break;
    case PL_JSON_FALSE: found = "FALSE_VALUE"; break;
    case PL_JSON_NULL: found = "NULL_VALUE"; break;
    case PL_JSON_NUMBER: found = is_fraction(*r) ? "DECIMAL_VALUE" : "NUMBER_VALUE"; break;
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX, "Unrecognized collection type class java.lang.%s", wanted);
    case PL_JSON_OBJECT: return refuse_structure(why);
    default: return pl_json_unexpected(r, "a value", why);
    }
    return pl_reason_set(why, PL_ESYNTAX, "%s cannot be converted to %s", found, wanted);
}

static int take_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    if (pl_json_peek(r) != PL_JSON_STRING)
        return refuse_scalar(r, "String", why);
    return pl_json_take_string(r, out, why);
}

static int take_text_number(struct pl_json_reader *r, struct pl_number *out, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = take_text(r, &text, why);
    return rc != 0 ? rc : read_number(text, out, why);
}

static int take_blob(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    struct pl_bytes text;
    size_t len;
    char *to;
    int rc;

    switch (pl_json_peek(r)) {
    case PL_JSON_STRING: break;
    case PL_JSON_OBJECT: return refuse_structure(why);
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX, "Unrecognized collection type class java.nio.ByteBuffer");
    case PL_JSON_BAD:
    case PL_JSON_END: return pl_json_unexpected(r, "a value", why);
    default: return pl_reason_set(why, PL_ESYNTAX, "only base-64-encoded strings are convertible to bytes");
    }
    rc = pl_json_take_string(r, &text, why);
    if (rc != 0)
        return rc;
    if (text.len % 4 != 0)
        return pl_reason_set(why, PL_ESYNTAX,
                             "Base64 encoded length is expected a multiple of 4 bytes but found: %zu", text.len);
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
static int take_bool(struct pl_json_reader *r, bool *out, struct pl_reason *why)
{
    enum pl_json_kind kind = pl_json_peek(r);
    struct pl_bytes text;
    int rc;

    if (kind == PL_JSON_TRUE || kind == PL_JSON_FALSE) {
        *out = kind == PL_JSON_TRUE;
        return pl_json_take_literal(r, why);
    }
    if (kind != PL_JSON_STRING)
        return refuse_scalar(r, "Boolean", why);
    rc = pl_json_take_string(r, &text, why);
    if (rc != 0)
        return rc;
    *out = is_one_of(text, "true", "1", "yes");
    if (!*out && !is_one_of(text, "false", "0", "no"))
        return pl_reason_set(why, PL_ESYNTAX, "Unexpected token received from parser");
    return 0;
}

static int enter_collection(struct pl_json_reader *r, bool *more, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_ARRAY: return pl_json_enter_array(r, more, why);
    case PL_JSON_OBJECT: return refuse_structure(why);
    case PL_JSON_BAD:
    case PL_JSON_END: return pl_json_unexpected(r, "a value", why);
    default: return pl_reason_set(why, PL_ESYNTAX, "Unexpected field type");
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
    rc = set == PL_TYPE_SS ? take_text(r, &bytes, why) : take_blob(r, &bytes, why);
    if (rc != 0)
        return rc;
    if (set == PL_TYPE_SS)
        pl_builder_set_string(b, bytes);
    else
        pl_builder_set_binary(b, bytes);
    return 0;
}

static int take_typed_set(struct pl_json_reader *r, enum pl_type type, struct pl_builder *b, struct pl_reason *why)
{
    bool more;
    int rc;

    pl_builder_begin_set(b, type);
    rc = b->rc != 0 ? b->rc : enter_collection(r, &more, why);
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
    rc = b->rc != 0 ? b->rc : enter_collection(r, &more, why);
    while (rc == 0 && more) {
        rc = take_typed(r, b, why);
        if (rc == 0)
            rc = pl_json_next(r, ']', &more, why);
    }
    if (rc == 0)
        pl_builder_end(b);
    return rc;
}

static int check_is_map(struct pl_json_reader *r, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_OBJECT: return 0;
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX,
                             "Unrecognized collection type java.util.Map<java.lang.String, "
                             "com.amazonaws.dynamodb.v20120810.AttributeValue>");
    case PL_JSON_BAD:
    case PL_JSON_END: return pl_json_unexpected(r, "a value", why);
    default: return pl_reason_set(why, PL_ESYNTAX, "Unexpected field type");
    }
}

static int take_typed_map(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    int rc;

    rc = check_is_map(r, why);
    return rc != 0 ? rc : take_map(r, PL_JSON_TYPED, b, why);
}

static int take_typed_string(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = take_text(r, &text, why);
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

    rc = take_blob(r, &bytes, why);
    if (rc == 0)
        pl_builder_binary(b, bytes);
    return rc;
}

static int take_typed_bool(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool value;
    int rc;

    rc = take_bool(r, &value, why);
    if (rc == 0)
        pl_builder_bool(b, value);
    return rc;
}

static int take_typed_null(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool value;
    int rc;

    rc = take_bool(r, &value, why);
    if (rc != 0)
        return rc;
    if (!value)
        return pl_reason_set(why, PL_EINVALID,
                             INVALID_PREFIX "Null attribute value types must have the value of true");
    pl_builder_null(b);
    return 0;
}

/* The value behind a type's name. */
static int take_content(struct pl_json_reader *r, enum pl_type type, struct pl_builder *b, struct pl_reason *why)
{
    switch (type) {
    case PL_TYPE_S: return take_typed_string(r, b, why);
    case PL_TYPE_N: return take_typed_number(r, b, why);
    case PL_TYPE_B: return take_typed_binary(r, b, why);
    case PL_TYPE_BOOL: return take_typed_bool(r, b, why);
    case PL_TYPE_NULL: return take_typed_null(r, b, why);
    case PL_TYPE_L: return take_typed_list(r, b, why);
    case PL_TYPE_M: return take_typed_map(r, b, why);
    default: return take_typed_set(r, type, b, why);
    }
}

/* pl_type_from_name() without its search: this runs once for every value. */
static enum pl_type type_of_tag(struct pl_bytes tag)
{
    if (tag.len == 1) {
        switch (tag.data[0]) {
        case 'S': return PL_TYPE_S;
        case 'N': return PL_TYPE_N;
        case 'B': return PL_TYPE_B;
        case 'L': return PL_TYPE_L;
        case 'M': return PL_TYPE_M;
        default: return 0;
        }
    }
    return pl_type_from_name(tag);
}

static int refuse_empty(struct pl_reason *why)
{
    return pl_reason_set(why, PL_EINVALID,
                         "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
}

static int refuse_non_value(struct pl_json_reader *r, struct pl_reason *why)
{
    switch (pl_json_peek(r)) {
    case PL_JSON_NULL: return refuse_empty(why);
    case PL_JSON_ARRAY:
        return pl_reason_set(why, PL_ESYNTAX,
                             "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
    case PL_JSON_BAD:
    case PL_JSON_END: return pl_json_unexpected(r, "a value", why);
    default: return pl_reason_set(why, PL_ESYNTAX, "Unexpected value type in payload");
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
        return refuse_empty(why);
    if (pl_json_peek(r) == PL_JSON_NULL)
        return pl_json_take_literal(r, why);
    if (*taken)
        return pl_reason_set(why, PL_EINVALID,
                             "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
                             "the supported datatypes");
    *taken = true;
    rc = take_content(r, type, b, why);
    return rc != 0 ? rc : b->rc;
}

static int take_typed(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
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

/* --- whole values and items --- */

/* One failure, known to both sides: the builder's own sentence goes to `why`, the reader's to the builder. */
static int settle(struct pl_builder *b, int rc, struct pl_reason *why)
{
    if (b->rc != 0) {
        if (why != NULL)
            *why = b->why;
        return b->rc;
    }
    if (rc != 0)
        pl_builder_fail(b, rc, "%s", pl_reason_text(why, rc));
    return rc;
}

int pl_json_take_value(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                       struct pl_reason *why)
{
    int rc = b->rc;

    if (rc == 0)
        rc = take_either(r, dialect, b, why);
    return settle(b, rc, why);
}

int pl_json_take_item(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_buf *buf,
                      struct pl_item *out, struct pl_reason *why)
{
    struct pl_builder b;
    int rc = 0;

    if (dialect == PL_JSON_TYPED)
        rc = check_is_map(r, why);
    else if (pl_json_peek(r) != PL_JSON_OBJECT)
        rc = pl_json_unexpected(r, "an item, which is a JSON object,", why);
    if (rc != 0)
        return rc;
    pl_builder_init(&b, buf, r->arena);
    pl_builder_begin_item(&b);
    rc = b.rc != 0 ? b.rc : take_members(r, dialect, &b, why);
    rc = settle(&b, rc, why);
    return rc != 0 ? rc : pl_builder_finish_item(&b, out, why);
}

int pl_json_read_item(struct pl_bytes text, enum pl_json_dialect dialect, struct pl_arena *arena,
                      struct pl_buf *buf, struct pl_item *out, struct pl_reason *why)
{
    struct pl_json_reader r;
    struct pl_item item;
    int rc;

    pl_json_reader_init(&r, text, arena);
    rc = pl_json_take_item(&r, dialect, buf, &item, why);
    if (rc == 0)
        rc = pl_json_take_end(&r, why);
    if (rc == 0)
        *out = item;
    return rc;
}
