/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/input.h"

#include "model/json.h"
#include "model/json_typed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/*
 * A node is a hundred times as large as the two brackets that ask for one, so there is a limit to them; no request that
 * could be granted comes near it.
 */
enum { NODES_MAX = 1 << 17 };

enum { NUMBER_TEXT_MAX = 64 };

struct input {
    struct pl_json_reader r;
    struct pl_arena *arena;
    struct pl_buf *bytes;
    struct pl_reason *why;
    uint32_t node_count;
    bool forgets; /* only JSON types are looked at: what is read is not kept */
};

static int take(struct input *in, const struct pl_dynamo_shape *shape, bool element,
                struct pl_dynamo_node *out);

/* ---- scalars ---------------------------------------------------------------------------------------- */

static int take_number(struct input *in, const char *wanted, char copy[NUMBER_TEXT_MAX], double *out)
{
    struct pl_bytes text;
    int rc;

    if (pl_json_peek(&in->r) == PL_JSON_STRING)
        return pl_reason_set(in->why, PL_ESYNTAX, "STRING_VALUE cannot be converted to %s", wanted);
    if (pl_json_peek(&in->r) != PL_JSON_NUMBER)
        return pl_json_typed_refuse(&in->r, wanted, in->why);
    rc = pl_json_take_number_text(&in->r, &text, in->why);
    if (rc != 0)
        return rc;
    if (text.len >= NUMBER_TEXT_MAX)
        text.len = NUMBER_TEXT_MAX - 1; /* no number that matters is as long */
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, NULL);
    return 0;
}

/* What does not fit becomes the nearest that does: it is out of any range that a constraint allows. */
static int64_t clamp(double number, double low, double high)
{
    if (!(number > low))
        return (int64_t)low;
    return number < high ? (int64_t)floor(number) : (int64_t)high;
}

/* All 64 bits of digits alone, which are more than a double has. */
static bool is_exact(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static int take_integer(struct input *in, struct pl_dynamo_node *out)
{
    char text[NUMBER_TEXT_MAX];
    double number;
    int rc;

    if (out->shape->kind == PL_DYNAMO_INTEGER) {
        rc = take_number(in, "Integer", text, &number);
        if (rc == 0)
            out->number = clamp(number, INT32_MIN, INT32_MAX);
        return rc;
    }
    rc = take_number(in, out->shape->kind == PL_DYNAMO_LONG ? "Long" : "Date", text, &number);
    if (rc != 0 || (out->shape->kind == PL_DYNAMO_LONG && is_exact(text, &out->number)))
        return rc;
    out->number = clamp(out->shape->kind == PL_DYNAMO_TIMESTAMP ? number * 1000 : number, -9e18, 9e18);
    return 0;
}

static int take_boolean(struct input *in, struct pl_dynamo_node *out)
{
    bool value;
    int rc;

    rc = pl_json_typed_bool(&in->r, &value, in->why);
    if (rc == 0)
        out->number = value;
    return rc;
}

/* ---- values and items ------------------------------------------------------------------------------- */

/*
 * A value that is wrong in itself is said later, and a JSON type that is wrong is said first,
 * even when it stands behind the value.
 */
static int step_over_wrong(struct input *in, const char *start, bool element, struct pl_dynamo_node *out,
                           int rc)
{
    static const struct pl_dynamo_shape item = { .kind = PL_DYNAMO_MAP,
                                                 .element = &pl_dynamo_value_structure };
    struct pl_dynamo_node ignored = { 0 };
    struct pl_bytes sentence;

    if (rc != PL_EINVALID)
        return rc;
    out->rc = rc;
    sentence = pl_arena_copy(in->arena, pl_bytes(in->why->text, strlen(in->why->text) + 1));
    if (sentence.data == NULL)
        return PL_ENOMEM;
    out->why = sentence.data;
    in->r.at = start;
    rc = pl_json_skip(&in->r, in->why);
    if (rc != 0)
        return rc;
#ifdef PL_MUTANT_WRONG_VALUES_HIDE_TYPES
    return 0; /* planted: see tests/mutants.md */
#endif
    in->r.at = start;
    in->forgets = true;
    rc = take(in, out->shape->kind == PL_DYNAMO_ITEM ? &item : &pl_dynamo_value_structure, element, &ignored);
    in->forgets = false;
    return rc;
}

static int take_item(struct input *in, struct pl_dynamo_node *out)
{
    size_t at = in->bytes->len;
    const char *start = in->r.at;
    struct pl_item item;
    int rc;

    rc = pl_json_take_item(&in->r, PL_JSON_TYPED, in->bytes, &item, in->why);
    if (rc != 0) {
        in->bytes->len = at;
        return step_over_wrong(in, start, false, out, rc);
    }
    out->at = at;
    out->len = item.bytes.len;
    out->size_bytes = item.size_bytes;
    return 0;
}

static int take_attribute_value(struct input *in, bool element, struct pl_dynamo_node *out)
{
    size_t at = in->bytes->len;
    const char *start = in->r.at;
    struct pl_builder b;
    struct pl_value value;
    int rc;

    pl_builder_init(&b, in->bytes, in->arena);
    rc = pl_json_take_value(&in->r, PL_JSON_TYPED, &b, in->why);
    if (rc == 0)
        rc = pl_builder_finish_value(&b, &value, in->why);
    if (rc != 0) {
        in->bytes->len = at;
        return step_over_wrong(in, start, element, out, rc);
    }
    out->at = at;
    out->len = value.whole.len;
    out->type = value.type;
    return 0;
}

/* ---- structures, lists, maps ------------------------------------------------------------------------ */

/* In `spare` when it is not to be kept. */
static int new_node(struct input *in, struct pl_dynamo_node *spare, struct pl_dynamo_node **out)
{
    *spare = (struct pl_dynamo_node){ 0 };
    *out = spare;
    if (in->forgets)
        return 0;
    if (in->node_count++ == NODES_MAX)
        return pl_reason_set(in->why, PL_EINVALID, "A request has at most %d members, elements and entries",
                             NODES_MAX);
    *out = pl_arena_zalloc(in->arena, 1, sizeof **out);
    return *out != NULL ? 0 : PL_ENOMEM;
}

static bool is_structure(const struct pl_dynamo_shape *shape)
{
    return shape->kind == PL_DYNAMO_STRUCTURE || shape->kind == PL_DYNAMO_VALUE;
}

/* Nothing that opens: as an element of a list or map the service calls it by another name. */
static int refuse_scalar(struct input *in, bool element)
{
    enum pl_json_kind kind = pl_json_peek(&in->r);

    if (kind == PL_JSON_BAD || kind == PL_JSON_END)
        return pl_json_unexpected(&in->r, "a value", in->why);
    return pl_reason_set(in->why, PL_ESYNTAX, "%s",
                         element ? "Unexpected value type in payload" : "Unexpected field type");
}

static int find_member(const struct pl_dynamo_shape *shape, struct pl_bytes name)
{
    for (uint32_t i = 0; i < shape->member_count; i++) {
        const char *at = shape->members[i].name;

        if (strncmp(at, name.data, name.len) == 0 && at[name.len] == '\0')
            return (int)i;
    }
    return -1;
}

static int take_member(struct input *in, struct pl_dynamo_node *out)
{
    struct pl_dynamo_node spare, *node;
    struct pl_bytes name;
    int rc, at;

    rc = pl_json_take_name(&in->r, &name, in->why);
    if (rc != 0)
        return rc;
    at = memchr(name.data, 0, name.len) == NULL ? find_member(out->shape, name) : -1;
    if (at < 0 || pl_json_peek(&in->r) == PL_JSON_NULL)
        return pl_json_skip(&in->r, in->why);
    rc = new_node(in, &spare, &node);
    if (rc == 0)
        rc = take(in, out->shape->members[at].shape, false, node);
    if (rc == 0 && !in->forgets)
        out->members[at] = node;
    return rc;
}

static int take_structure(struct input *in, bool element, struct pl_dynamo_node *out)
{
    bool more;
    int rc;

    if (pl_json_peek(&in->r) == PL_JSON_ARRAY)
        return pl_reason_set(in->why, PL_ESYNTAX,
                             "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.%s",
                             out->shape->name);
    if (pl_json_peek(&in->r) != PL_JSON_OBJECT)
        return refuse_scalar(in, element);
    if (!in->forgets) {
        out->members = pl_arena_zalloc(in->arena, out->shape->member_count + 1, sizeof *out->members);
        if (out->members == NULL)
            return PL_ENOMEM;
    }
    rc = pl_json_enter_object(&in->r, &more, in->why);
    while (rc == 0 && more) {
        rc = take_member(in, out);
        if (rc == 0)
            rc = pl_json_next(&in->r, '}', &more, in->why);
    }
    return rc;
}

static int append(struct input *in, struct pl_dynamo_node *out, struct pl_dynamo_node **last,
                  struct pl_bytes name)
{
    struct pl_dynamo_node spare, *node;
    int rc;

    /* Of a list that is too long, its length is all that will be told. */
    if (out->shape->max > 0 && out->count >= out->shape->max) {
        out->count++;
        return pl_json_skip(&in->r, in->why);
    }
    rc = new_node(in, &spare, &node);
    if (rc != 0)
        return rc;
    if (in->forgets)
        return take(in, out->shape->element, true, node);
    node->name = name;
    if (*last == NULL)
        out->first = node;
    else
        (*last)->next = node;
    *last = node;
    out->count++;
    return take(in, out->shape->element, true, node);
}

static int take_list(struct input *in, struct pl_dynamo_node *out)
{
    struct pl_dynamo_node *last = NULL;
    bool more;
    int rc;

    rc = pl_json_typed_enter_list(&in->r, &more, in->why);
    while (rc == 0 && more) {
        rc = append(in, out, &last, pl_bytes(NULL, 0));
        if (rc == 0)
            rc = pl_json_next(&in->r, ']', &more, in->why);
    }
    return rc;
}

static int refuse_map(struct input *in, const struct pl_dynamo_shape *element)
{
    if (pl_json_peek(&in->r) != PL_JSON_ARRAY)
        return refuse_scalar(in, false);
    if (element->name == NULL)
        return pl_reason_set(in->why, PL_ESYNTAX,
                             "Unrecognized collection type java.util.Map<java.lang.String, %s>",
                             element->kind == PL_DYNAMO_LIST ? "java.util.List" : "java.lang.String");
    return pl_reason_set(in->why, PL_ESYNTAX,
                         "Unrecognized collection type java.util.Map<java.lang.String, "
                         "com.amazonaws.dynamodb.v20120810.%s>",
                         element->name);
}

static int take_map(struct input *in, struct pl_dynamo_node *out)
{
    struct pl_dynamo_node *last = NULL;
    struct pl_bytes name;
    bool more;
    int rc;

    if (pl_json_peek(&in->r) != PL_JSON_OBJECT)
        return refuse_map(in, out->shape->element);
    rc = pl_json_enter_object(&in->r, &more, in->why);
    while (rc == 0 && more) {
        rc = pl_json_take_name(&in->r, &name, in->why);
        if (rc == 0)
            rc = append(in, out, &last, name);
        if (rc == 0)
            rc = pl_json_next(&in->r, '}', &more, in->why);
    }
    return rc;
}

/* ---- any of them ------------------------------------------------------------------------------------ */

static int take_by_kind(struct input *in, bool element, struct pl_dynamo_node *out)
{
    switch (out->shape->kind) {
    case PL_DYNAMO_STRING:
        return pl_json_typed_text(&in->r, &out->text, in->why);
    case PL_DYNAMO_BLOB:
        return pl_json_typed_blob(&in->r, &out->text, in->why);
    case PL_DYNAMO_BOOLEAN:
        return take_boolean(in, out);
    case PL_DYNAMO_INTEGER:
    case PL_DYNAMO_LONG:
    case PL_DYNAMO_TIMESTAMP:
        return take_integer(in, out);
    case PL_DYNAMO_LIST:
        return take_list(in, out);
    case PL_DYNAMO_MAP:
        return take_map(in, out);
    case PL_DYNAMO_STRUCTURE:
        return take_structure(in, element, out);
    case PL_DYNAMO_ITEM:
        return take_item(in, out);
    case PL_DYNAMO_VALUE:
        break;
    }
    if (!element && pl_json_peek(&in->r) != PL_JSON_OBJECT && pl_json_peek(&in->r) != PL_JSON_ARRAY)
        return refuse_scalar(in, false);
    return take_attribute_value(in, element, out);
}

static int take(struct input *in, const struct pl_dynamo_shape *shape, bool element,
                struct pl_dynamo_node *out)
{
    const char *start;
    int rc;

    out->shape = shape;
    if (element && !is_structure(shape) && pl_json_peek(&in->r) == PL_JSON_NULL)
        return pl_json_take_literal(&in->r, in->why);
    pl_json_peek(&in->r); /* to the first character of the value */
    start = in->r.at;
    rc = take_by_kind(in, element, out);
    if (rc == 0 && shape->kind != PL_DYNAMO_STRING && shape->kind != PL_DYNAMO_BLOB)
        out->text = pl_bytes(start, (size_t)(in->r.at - start));
    return rc;
}

bool pl_dynamo_input_is_json(struct pl_bytes text)
{
    struct pl_json_reader r;

    pl_json_reader_init(&r, text, NULL);
    return pl_json_skip(&r, NULL) == 0 && pl_json_take_end(&r, NULL) == 0;
}

int pl_dynamo_input_read(const struct pl_dynamo_shape *shape, struct pl_bytes text, struct pl_arena *arena,
                         struct pl_buf *bytes, const struct pl_dynamo_node **out, struct pl_reason *why)
{
    struct input in = { .arena = arena, .bytes = bytes, .why = why };
    struct pl_dynamo_node spare, *root;
    int rc;

    pl_json_reader_init(&in.r, text, arena);
    rc = new_node(&in, &spare, &root);
    if (rc != 0)
        return rc;
    if (pl_json_peek(&in.r) != PL_JSON_OBJECT) {
        why->text[0] = '\0';
        return PL_ESYNTAX;
    }
    rc = take(&in, shape, false, root);
    if (rc == 0)
        rc = pl_json_take_end(&in.r, why);
    if (rc == PL_ESYNTAX && !pl_dynamo_input_is_json(text))
        why->text[0] = '\0'; /* said before anything else, and without a sentence */
    if (rc == 0)
        *out = root;
    return rc;
}

/* ---- what was read ---------------------------------------------------------------------------------- */

/* Most often a name is the very literal that the shape has: the linker keeps equal ones once. */
static uint32_t find_same(const struct pl_dynamo_shape *shape, const char *name)
{
    uint32_t i = 0;

    while (i < shape->member_count && shape->members[i].name != name)
        i++;
    return i;
}

const struct pl_dynamo_node *pl_dynamo_get(const struct pl_dynamo_node *structure, const char *name)
{
    const struct pl_dynamo_shape *shape = structure->shape;
    uint32_t at = find_same(shape, name);

    for (uint32_t i = 0; at == shape->member_count && i < shape->member_count; i++)
        if (strcmp(shape->members[i].name, name) == 0)
            at = i;
    if (at < shape->member_count)
        return structure->members != NULL ? structure->members[at] : NULL;
    PL_ASSERT(!"a member that the shape has");
    return NULL;
}

struct pl_bytes pl_dynamo_get_text(const struct pl_dynamo_node *structure, const char *name)
{
    const struct pl_dynamo_node *node = pl_dynamo_get(structure, name);

    return node != NULL ? node->text : pl_bytes(NULL, 0);
}

bool pl_dynamo_get_bool(const struct pl_dynamo_node *structure, const char *name)
{
    const struct pl_dynamo_node *node = pl_dynamo_get(structure, name);

    return node != NULL && node->number != 0;
}

struct pl_item pl_dynamo_node_item(const struct pl_dynamo_node *node, const struct pl_buf *bytes)
{
    return (struct pl_item){ .bytes = pl_bytes(bytes->data != NULL ? bytes->data + node->at : "", node->len),
                             .size_bytes = node->size_bytes };
}

struct pl_value pl_dynamo_node_value(const struct pl_dynamo_node *node, const struct pl_buf *bytes)
{
    struct pl_bytes in = pl_bytes(bytes->data + node->at, node->len);
    struct pl_value value = { 0 };

    PL_ASSERT(pl_value_take(&in, &value));
    return value;
}
