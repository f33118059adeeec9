/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/json_value.h"

/* Values in the plain dialect, whose markers are objects with one name that begins with a dollar sign. */

static size_t offset(const struct pl_json_reader *r)
{
    return (size_t)(r->at - r->start);
}

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
        return pl_reason_set(why, PL_EINVALID,
                             "the string at byte %zu is no base64 (standard alphabet, padded)", at);
    *out = pl_bytes(to, len);
    return 0;
}

static int take_number_string(struct pl_json_reader *r, struct pl_number *out, struct pl_reason *why)
{
    struct pl_bytes text;
    int rc;

    rc = pl_json_take_string(r, &text, why);
    return rc != 0 ? rc : pl_json_read_number(text, out, why);
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
        return rc != 0 ? rc : pl_json_read_number(text, &out->number, why);
    case PL_JSON_OBJECT:
        return take_marked_element(r, out, why);
    default:
        return pl_json_unexpected(r, "an element of a set (a string, a number or {\"$binary\":\"...\"})",
                                  why);
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
        return pl_reason_set(why, PL_EINVALID, PL_JSON_INVALID "An string set  may not be empty");
    while (rc == 0 && more) {
        size_t at = (pl_json_peek(r), offset(r));

        rc = take_element(r, &element, why);
        if (rc != 0)
            return rc;
        if (type == 0) {
            type = element.type;
            pl_builder_begin_set(b, type);
        } else if (type != element.type) {
            return pl_reason_set(
                why, PL_EINVALID,
                "a set holds elements of one type: the element at byte %zu makes a %s of a %s", at,
                pl_type_name(element.type), pl_type_name(type));
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
static int take_marked(struct pl_json_reader *r, struct pl_bytes name, struct pl_builder *b,
                       struct pl_reason *why)
{
    struct pl_bytes bytes;
    struct pl_number number;
    int rc;

    if (pl_bytes_equal(name, pl_str("$set")))
        return take_plain_set(r, b, why);
    if (pl_bytes_equal(name, pl_str("$map")))
        return pl_json_take_map(r, PL_JSON_PLAIN, b, why);
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
    return pl_reason_set(
        why, PL_EINVALID,
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
    return pl_json_take_map(r, PL_JSON_PLAIN, b, why);
}

static int take_plain_list(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    bool more;
    int rc;

    pl_builder_begin_list(b);
    rc = b->rc != 0 ? b->rc : pl_json_enter_array(r, &more, why);
    while (rc == 0 && more) {
        rc = pl_json_take_plain(r, b, why);
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
        rc = pl_json_read_number(text, &number, why);
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

int pl_json_take_plain(struct pl_json_reader *r, struct pl_builder *b, struct pl_reason *why)
{
    enum pl_json_kind kind = pl_json_peek(r);
    int rc;

    switch (kind) {
    case PL_JSON_STRING:
        rc = take_plain_string(r, b, why);
        break;
    case PL_JSON_NUMBER:
        rc = take_plain_number(r, b, why);
        break;
    case PL_JSON_OBJECT:
        rc = take_plain_object(r, b, why);
        break;
    case PL_JSON_ARRAY:
        rc = take_plain_list(r, b, why);
        break;
    case PL_JSON_TRUE:
    case PL_JSON_FALSE:
    case PL_JSON_NULL:
        rc = take_plain_literal(r, kind, b, why);
        break;
    default:
        return pl_json_unexpected(r, "a value", why);
    }
    return rc != 0 ? rc : b->rc;
}
