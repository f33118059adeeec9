/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/constraint.h"

#include <ctype.h>

enum { VIOLATIONS_MAX = 10, NAME_MAX_LENGTH = 255, SHOWN_MAX = 4096 };

/* Where a value stands: "keySchema.1.member.attributeName". */
struct path {
    const struct path *outer;
    struct pl_bytes name; /* a member's; a map's key; empty: element `index` of a list */
    uint32_t index;
    bool inside; /* an element or entry: ".member" follows */
};

struct violations {
    struct pl_buf text;
    uint32_t count;
    bool table_name; /* what stands there is about a table's name: the rest is not told */
};

/* ---- sentences -------------------------------------------------------------------------------------- */

static void write_path(struct pl_buf *out, const struct path *path, bool modern)
{
    if (path->outer != NULL) {
        write_path(out, path->outer, modern);
        pl_buf_append_byte(out, '.');
    }
    if (path->inside && path->name.data == NULL)
        pl_buf_append_format(out, "%u", path->index);
    else if (path->inside || modern || path->name.len == 0)
        pl_buf_append_bytes(out, path->name);
    else {
        pl_buf_append_byte(out, (uint8_t)tolower((unsigned char)path->name.data[0]));
        pl_buf_append(out, path->name.data + 1, path->name.len - 1);
    }
    if (path->inside)
        pl_buf_append_bytes(out, pl_str(".member"));
}

static void write_list(struct pl_buf *out, const struct pl_dynamo_node *list);

/* An answer need not be as long as what was wrong with the request. */
static void write_text(struct pl_buf *out, struct pl_bytes text)
{
    size_t len = text.len;

    if (len > SHOWN_MAX) {
        len = SHOWN_MAX;
        while (len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
            len--; /* not within a character */
    }
    pl_buf_append(out, text.data, len);
    if (len < text.len)
        pl_buf_append_bytes(out, pl_str("..."));
}

static void write_value(struct pl_buf *out, const struct pl_dynamo_node *node)
{
    switch (node->shape->kind) {
    case PL_DYNAMO_INTEGER:
    case PL_DYNAMO_LONG:
        pl_buf_append_format(out, "%lld", (long long)node->number);
        return;
    case PL_DYNAMO_LIST:
        write_list(out, node);
        return;
    default:
        write_text(out, node->text);
    }
}

static void write_list(struct pl_buf *out, const struct pl_dynamo_node *list)
{
    pl_buf_append_byte(out, '[');
    for (const struct pl_dynamo_node *at = list->first; at != NULL; at = at->next) {
        if (at != list->first)
            pl_buf_append_bytes(out, pl_str(", "));
        write_value(out, at);
    }
    pl_buf_append_byte(out, ']');
}

/* `node` is NULL for what is absent. */
static void begin(struct violations *v, const struct pl_dynamo_node *node, const struct path *path,
                  bool modern)
{
    if (v->count++ > 0)
        pl_buf_append_bytes(&v->text, pl_str("; "));
    if (modern) {
        pl_buf_append_bytes(&v->text, pl_str("Value at '"));
    } else if (node == NULL) {
        pl_buf_append_bytes(&v->text, pl_str("Value null at '"));
    } else {
        pl_buf_append_bytes(&v->text, pl_str("Value '"));
        write_value(&v->text, node);
        pl_buf_append_bytes(&v->text, pl_str("' at '"));
    }
    write_path(&v->text, path, modern);
    pl_buf_append_bytes(&v->text, pl_str("' failed to satisfy constraint: "));
}

static bool takes_more(struct violations *v, const struct pl_dynamo_shape *shape)
{
    if (shape->table_name && !v->table_name) {
        v->table_name = true;
#ifdef PL_MUTANT_NAME_NOT_ALONE /* planted: see tests/mutants.md */
        return true;
#endif
        v->count = 0;
        pl_buf_clear(&v->text);
    }
    return v->count < VIOLATIONS_MAX && v->table_name == shape->table_name;
}

static void violate(struct violations *v, const struct pl_dynamo_node *node, const struct path *path,
                    const char *format, long long limit)
{
    if (!takes_more(v, node->shape))
        return;
    begin(v, node, path, node->shape->modern);
    pl_buf_append_bytes(&v->text, pl_str(format));
    pl_buf_append_format(&v->text, "%lld", limit);
}

/* ---- single values ---------------------------------------------------------------------------------- */

static bool matches_name_pattern(struct pl_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.data[i]) && strchr("_.-", text.data[i]) == NULL)
            return false;
    return text.len > 0 && memchr(text.data, 0, text.len) == NULL;
}

static int64_t character_count(struct pl_bytes text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return count;
}

static void check_length(struct violations *v, const struct pl_dynamo_node *node, const struct path *path,
                         int64_t length, int64_t max)
{
    if (node->shape->has_min && length < node->shape->min)
        violate(v, node, path, "Member must have length greater than or equal to ", node->shape->min);
    if (max > 0 && length > max)
        violate(v, node, path, "Member must have length less than or equal to ", max);
}

static void check_words(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    const char *const *words = node->shape->words;

    for (uint32_t i = 0; words[i] != NULL; i++)
        if (pl_bytes_equal(node->text, pl_str(words[i])))
            return;
    if (!takes_more(v, node->shape))
        return;
    begin(v, node, path, node->shape->modern);
    pl_buf_append_bytes(&v->text, pl_str("Member must satisfy enum value set: ["));
    for (uint32_t i = 0; words[i] != NULL; i++) {
        pl_buf_append(&v->text, ", ", i > 0 ? 2 : 0);
        pl_buf_append_bytes(&v->text, pl_str(words[i]));
    }
    pl_buf_append_byte(&v->text, ']');
}

static void check_string(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    const struct pl_dynamo_shape *shape = node->shape;
    bool is_arn = shape->table_name && shape->max > NAME_MAX_LENGTH && node->text.len >= 4 &&
                  memcmp(node->text.data, "arn:", 4) == 0;
    int64_t max = shape->table_name && !is_arn ? NAME_MAX_LENGTH : shape->max;

    if (shape->words != NULL) {
        check_words(v, node, path);
        return;
    }
    if (shape->pattern != NULL && !is_arn && !matches_name_pattern(node->text) && takes_more(v, shape)) {
        begin(v, node, path, shape->modern);
        pl_buf_append_bytes(&v->text, pl_str("Member must satisfy regular expression pattern: "));
        pl_buf_append_bytes(&v->text, pl_str(shape->pattern));
    }
    check_length(v, node, path, shape->in_bytes ? (int64_t)node->text.len : character_count(node->text), max);
}

static void check_range(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    const struct pl_dynamo_shape *shape = node->shape;

    if (shape->has_min && node->number < shape->min)
        violate(v, node, path, "Member must have value greater than or equal to ", shape->min);
    if (shape->max > 0 && node->number > shape->max)
        violate(v, node, path, "Member must have value less than or equal to ", shape->max);
}

/* ---- what holds others ------------------------------------------------------------------------------ */

static void check(struct violations *v, const struct pl_dynamo_node *node, const struct path *path);

static void check_members(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    for (uint32_t i = 0; i < node->shape->member_count; i++) {
        const struct pl_dynamo_member *member = &node->shape->members[i];
        struct path here = { .outer = path, .name = pl_str(member->name) };

        if (node->members != NULL && node->members[i] != NULL) {
            check(v, node->members[i], &here);
        } else if (member->required && !v->table_name && v->count < VIOLATIONS_MAX) {
            begin(v, NULL, &here, false);
            pl_buf_append_bytes(&v->text, pl_str("Member must not be null"));
        }
    }
}

static void check_elements(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    uint32_t index = 0;

    for (const struct pl_dynamo_node *at = node->first; at != NULL; at = at->next) {
        struct path here = { .outer = path, .name = at->name, .index = ++index, .inside = true };

        check(v, at, &here);
    }
}

/* The lists of a map are judged in one sentence about the map. */
static void check_map_lists(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    const struct pl_dynamo_shape *list = node->shape->element;

    for (const struct pl_dynamo_node *at = node->first; at != NULL; at = at->next) {
        if (at->count >= list->min && at->count <= list->max)
            continue;
        if (takes_more(v, node->shape)) {
            begin(v, node, path, false);
            pl_buf_append_format(&v->text,
                                 "Map value must satisfy constraint: [Member must have length less than or "
                                 "equal to %lld, Member must have length greater than or equal to %lld]",
                                 (long long)list->max, (long long)list->min);
        }
        return;
    }
}

static void check(struct violations *v, const struct pl_dynamo_node *node, const struct path *path)
{
    const struct pl_dynamo_shape *shape = node->shape;

    switch (shape->kind) {
    case PL_DYNAMO_STRING:
        check_string(v, node, path);
        break;
    case PL_DYNAMO_INTEGER:
    case PL_DYNAMO_LONG:
        check_range(v, node, path);
        break;
    case PL_DYNAMO_STRUCTURE:
        check_members(v, node, path);
        break;
    case PL_DYNAMO_LIST:
        if (!path->inside || path->name.data == NULL)
            check_length(v, node, path, node->count, shape->max);
        check_elements(v, node, path);
        break;
    case PL_DYNAMO_MAP:
        check_length(v, node, path, node->count, shape->max);
        if (shape->element->kind == PL_DYNAMO_LIST)
            check_map_lists(v, node, path);
        check_elements(v, node, path);
        break;
    default:
        break;
    }
}

int pl_dynamo_constraint_check(const struct pl_dynamo_node *input, struct pl_arena *arena,
                               struct pl_bytes *out)
{
    struct violations v = { 0 };
    struct pl_buf whole = { 0 };
    int rc = 0;

    check_members(&v, input, NULL);
    if (v.count > 0) {
        pl_buf_append_format(&whole, "%u validation error%s detected: ", v.count, v.count > 1 ? "s" : "");
        pl_buf_append_bytes(&whole, pl_buf_view(&v.text));
        *out = pl_arena_copy(arena, pl_buf_view(&whole));
        rc = pl_buf_status(&whole) != 0 || pl_buf_status(&v.text) != 0 || out->data == NULL ? PL_ENOMEM
                                                                                            : PL_EINVALID;
    }
    pl_buf_deinit(&v.text);
    pl_buf_deinit(&whole);
    return rc;
}
