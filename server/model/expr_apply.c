/* SPDX-License-Identifier: MIT */
#include "model/expr_update.h"

/*
 * Applying an update walks the old item and the sorted targets side by side and
 * writes the new item as it goes:
 *
 *     old      A ──────── B ──────── C ─── D ─────────
 *     targets             B.x  B.y         D     E
 *     new      A (copied) B (rebuilt) C (copied) ...
 *
 * Runs of untouched attributes are copied whole; only the maps and lists on the way to
 * a target are rebuilt. Everything that is assigned is computed first, from the old
 * item, so that the order of the actions cannot matter.
 */
struct application {
    const struct pl_update *update;
    struct pl_item old;
    bool missing;
    struct pl_arena *arena;
    struct pl_buf *buf;
    struct pl_value *assigned; /* by action */
    uint32_t size_bytes;       /* the old item's, corrected with every attribute that is rebuilt */
    struct pl_reason *why;
};

/** Targets that share their first `depth` steps. */
struct range {
    uint32_t first, end;
    uint32_t depth;
};

static int fail_type(struct application *a)
{
    return pl_reason_set(a->why, PL_EINVALID, "%s",
                         a->update->legacy
                             ? "Type mismatch for attribute to update"
                             : "An operand in the update expression has an incorrect data type");
}

static int fail_path(struct application *a)
{
    return pl_reason_set(a->why, PL_EINVALID,
                         "The document path provided in the update expression is invalid for update");
}

/* ---- values ---- */

static int compute(struct application *a, const struct pl_node *node, struct pl_value *out);

static int keep_number(struct application *a, const struct pl_number *number, struct pl_value *out)
{
    uint8_t *bytes = pl_arena_alloc(a->arena, 2 + PL_NUMBER_ENCODED_MAX);
    size_t len;

    if (bytes == NULL)
        return PL_ENOMEM;
    len = pl_number_encode(number, bytes + 2);
    bytes[0] = PL_TYPE_N;
    bytes[1] = (uint8_t)len;
    *out = (struct pl_value){ .type = PL_TYPE_N,
                              .payload = pl_bytes(bytes + 2, len),
                              .whole = pl_bytes(bytes, 2 + len) };
    return 0;
}

static int calculate(struct application *a, enum pl_node_kind kind, struct pl_value left,
                     struct pl_value right, struct pl_value *out)
{
    struct pl_number x, y, result;
    int rc;

    if (left.type != PL_TYPE_N || right.type != PL_TYPE_N)
        return fail_type(a);
    pl_value_number(left, &x);
    pl_value_number(right, &y);
    rc = kind == PL_NODE_ADD ? pl_number_add(&x, &y, &result, a->why)
                             : pl_number_subtract(&x, &y, &result, a->why);
    return rc != 0 ? rc : keep_number(a, &result, out);
}

/* An L of the two payloads, in the arena. */
static int append_lists(struct application *a, struct pl_value first, struct pl_value second,
                        struct pl_value *out)
{
    size_t len = first.payload.len + second.payload.len;
    char *bytes;

    if (first.type != PL_TYPE_L || second.type != PL_TYPE_L)
        return fail_type(a);
    bytes = pl_arena_alloc(a->arena, 5 + len);
    if (bytes == NULL)
        return PL_ENOMEM;
    bytes[0] = PL_TYPE_L;
    pl_put_le32(bytes + 1, (uint32_t)len);
    if (first.payload.len > 0)
        memcpy(bytes + 5, first.payload.data, first.payload.len);
    if (second.payload.len > 0)
        memcpy(bytes + 5 + first.payload.len, second.payload.data, second.payload.len);
    *out = (struct pl_value){ .type = PL_TYPE_L,
                              .payload = pl_bytes(bytes + 5, len),
                              .whole = pl_bytes(bytes, 5 + len) };
    return 0;
}

static int compute_pair(struct application *a, const struct pl_node *node, struct pl_value *left,
                        struct pl_value *right)
{
    int rc = compute(a, node->children[0], left);

    return rc != 0 ? rc : compute(a, node->children[1], right);
}

static int compute(struct application *a, const struct pl_node *node, struct pl_value *out)
{
    struct pl_value left, right;
    int rc;

    switch (node->kind) {
    case PL_NODE_VALUE:
        *out = node->value;
        return 0;
    case PL_NODE_PATH:
        if (pl_path_find(node->path, &a->old, out))
            return 0;
        return pl_reason_set(
            a->why, PL_EINVALID,
            "The provided expression refers to an attribute that does not exist in the item");
    case PL_NODE_ADD:
    case PL_NODE_SUBTRACT:
        rc = compute_pair(a, node, &left, &right);
        return rc != 0 ? rc : calculate(a, node->kind, left, right, out);
    default:
        if (node->function == PL_FUNCTION_IF_NOT_EXISTS)
            return pl_path_find(node->children[0]->path, &a->old, out) ? 0
                                                                       : compute(a, node->children[1], out);
        rc = compute_pair(a, node, &left, &right);
        return rc != 0 ? rc : append_lists(a, left, right, out);
    }
}

static int compute_all(struct application *a)
{
    const struct pl_update *update = a->update;

    a->assigned = pl_arena_zalloc(a->arena, update->action_count, sizeof *a->assigned);
    if (a->assigned == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < update->action_count; i++) {
        const struct pl_node *value = update->actions[i].value;
        int rc = value != NULL ? compute(a, value, &a->assigned[i]) : 0;

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- sets ---- */

static void write_element(struct pl_buf *buf, struct pl_bytes element)
{
    pl_buf_append_varint(buf, (uint32_t)element.len);
    pl_buf_append_bytes(buf, element);
}

/* The elements of both, merged in order. */
static void write_union(struct pl_buf *buf, struct pl_bytes a, struct pl_bytes b)
{
    struct pl_bytes x, y;
    bool in_a = pl_element_take(&a, &x), in_b = pl_element_take(&b, &y);

    while (in_a || in_b) {
        int order = !in_a ? 1 : !in_b ? -1 : pl_bytes_compare(x, y);

        write_element(buf, order <= 0 ? x : y);
        if (order <= 0)
            in_a = pl_element_take(&a, &x);
        if (order >= 0)
            in_b = pl_element_take(&b, &y);
    }
}

/* The elements of `a` that are not in `b`. */
static void write_difference(struct pl_buf *buf, struct pl_bytes a, struct pl_bytes b)
{
    struct pl_bytes x, y;
    bool in_a = pl_element_take(&a, &x), in_b = pl_element_take(&b, &y);

    while (in_a) {
        int order = in_b ? pl_bytes_compare(x, y) : -1;

        if (order < 0)
            write_element(buf, x);
        if (order <= 0)
            in_a = pl_element_take(&a, &x);
        if (order >= 0)
            in_b = pl_element_take(&b, &y);
    }
}

/* ---- targets ---- */

/* Levels of nesting: a scalar has one. */
static uint32_t levels_of(struct pl_value value)
{
    struct pl_bytes rest = value.payload, name;
    struct pl_value child;
    uint32_t most = 0;

    if (value.type != PL_TYPE_L && value.type != PL_TYPE_M)
        return 1;
    while (value.type == PL_TYPE_L ? pl_value_take(&rest, &child) : pl_entry_take(&rest, &name, &child)) {
        uint32_t levels = levels_of(child);

        most = levels > most ? levels : most;
    }
    return 1 + most;
}

static int write_value(struct application *a, struct pl_value value, uint32_t depth)
{
    if (depth - 1 + levels_of(value) > PL_NESTING_MAX)
        return pl_reason_set(a->why, PL_EINVALID, "Nesting Levels have exceeded supported limits");
    pl_buf_append_bytes(a->buf, value.whole);
    return 0;
}

static int write_sum(struct application *a, struct pl_value operand, const struct pl_value *old,
                     uint32_t depth)
{
    struct pl_value sum;
    size_t start;
    int rc;

    if (old == NULL)
        return write_value(a, operand, depth);
    if (old->type != operand.type)
        return fail_type(a);
    if (operand.type == PL_TYPE_N) {
        rc = calculate(a, PL_NODE_ADD, *old, operand, &sum);
        return rc != 0 ? rc : write_value(a, sum, depth);
    }
    start = pl_container_open(a->buf, operand.type);
    write_union(a->buf, old->payload, operand.payload);
    pl_container_close(a->buf, start);
    return 0;
}

/* A set that becomes empty goes away. */
static int write_rest(struct application *a, struct pl_value operand, const struct pl_value *old)
{
    size_t mark = a->buf->len, start;

    if (old == NULL)
        return 0;
    if (old->type != operand.type)
        return fail_type(a);
    start = pl_container_open(a->buf, operand.type);
    write_difference(a->buf, old->payload, operand.payload);
    pl_container_close(a->buf, start);
    if (a->buf->len == start)
        a->buf->len = mark;
    return 0;
}

/* A path ends here. Writes what stands there from now on, or nothing. */
static int write_leaf(struct application *a, uint32_t order, const struct pl_value *old, uint32_t depth)
{
    struct pl_value assigned = a->assigned[order];

    switch (a->update->actions[order].kind) {
    case PL_ACTION_SET:
        return write_value(a, assigned, depth);
    case PL_ACTION_ADD:
        return write_sum(a, assigned, old, depth);
    case PL_ACTION_DELETE:
        return write_rest(a, assigned, old);
    default:
        return 0;
    }
}

static const struct pl_path_step *first_step(const struct application *a, struct range range)
{
    return &a->update->targets[range.first].path->steps[range.depth];
}

static struct range take_group(const struct application *a, struct range *range)
{
    struct range group = *range;

    group.end = range->first + pl_targets_group(a->update->targets, range->first, range->end, range->depth);
    group.depth++;
    range->first = group.end;
    return group;
}

static int rebuild(struct application *a, struct range range, const struct pl_value *old);

static void correct_size(struct application *a, struct pl_bytes name, const struct pl_value *old,
                         size_t value_start)
{
    struct pl_bytes written = pl_bytes(a->buf->data + value_start, a->buf->len - value_start);
    struct pl_value value;

    if (old != NULL)
        a->size_bytes -= (uint32_t)name.len + pl_value_size_bytes(*old);
    if (pl_value_take(&written, &value))
        a->size_bytes += (uint32_t)name.len + pl_value_size_bytes(value);
}

/* One entry: name and value, or nothing when no value came of it. */
static int rebuild_entry(struct application *a, struct range range, struct pl_bytes name,
                         const struct pl_value *old)
{
    size_t mark = a->buf->len, value_start;
    int rc;

    pl_buf_append_varint(a->buf, (uint32_t)name.len);
    pl_buf_append_bytes(a->buf, name);
    value_start = a->buf->len;
    rc = rebuild(a, range, old);
    if (rc != 0)
        return rc;
    if (pl_buf_status(a->buf) != 0)
        return PL_ENOMEM;
    if (range.depth == 1)
        correct_size(a, name, old, value_start);
    if (a->buf->len == value_start)
        a->buf->len = mark;
    return 0;
}

/* The targets whose names sort before `name`: there is nothing there yet. */
static int add_entries_before(struct application *a, struct range *range, const struct pl_bytes *name)
{
    while (range->first < range->end &&
           (name == NULL || pl_bytes_compare(first_step(a, *range)->name, *name) < 0)) {
        struct pl_bytes added = first_step(a, *range)->name;
        int rc = rebuild_entry(a, take_group(a, range), added, NULL);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int rebuild_entries(struct application *a, struct range range, struct pl_bytes entries)
{
    const char *copied = entries.data; /* entries before this one are in the new map */
    struct pl_value value;
    struct pl_bytes name;

    for (;;) {
        const char *entry = entries.data;
        bool wanted;
        int rc;

        if (range.first == range.end || !pl_entry_take(&entries, &name, &value))
            break;
        if (pl_bytes_compare(first_step(a, range)->name, name) > 0)
            continue;
        pl_buf_append(a->buf, copied, (size_t)(entry - copied));
        copied = entry;
        rc = add_entries_before(a, &range, &name);
        if (rc != 0)
            return rc;
        wanted = range.first < range.end && pl_bytes_equal(first_step(a, range)->name, name);
        if (!wanted)
            continue;
        rc = rebuild_entry(a, take_group(a, &range), name, &value);
        if (rc != 0)
            return rc;
        copied = entries.data;
    }
    if (copied != NULL)
        pl_buf_append(a->buf, copied, (size_t)(entries.data + entries.len - copied));
    return add_entries_before(a, &range, NULL);
}

/* Elements keep their order; those beyond the end are appended by their indexes. */
static int rebuild_elements(struct application *a, struct range range, struct pl_bytes elements)
{
    struct pl_value value;
    int rc;

    for (uint32_t i = 0; pl_value_take(&elements, &value); i++) {
        if (range.first == range.end || first_step(a, range)->index != i) {
            pl_buf_append_bytes(a->buf, value.whole);
            continue;
        }
        rc = rebuild(a, take_group(a, &range), &value);
        if (rc != 0)
            return rc;
    }
    while (range.first < range.end) {
        rc = rebuild(a, take_group(a, &range), NULL);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Where there is no item at all, there is nothing to remove, however deep. */
static int rebuild_nothing(struct application *a, struct range range)
{
    if (!a->missing)
        return fail_path(a);
    for (uint32_t i = range.first; i < range.end; i++) {
        enum pl_action_kind kind = a->update->actions[a->update->targets[i].order].kind;

        if (kind == PL_ACTION_SET || kind == PL_ACTION_ADD)
            return fail_path(a);
    }
    return 0;
}

/* Write the value that stands where `range` meets; `old` is NULL when there was none. At most PL_EXPR_PATH_MAX deep. */
static int rebuild(struct application *a, struct range range, const struct pl_value *old)
{
    const struct pl_target *first = &a->update->targets[range.first];
    bool into_list;
    size_t start;
    int rc;

    if (first->path->step_count == range.depth)
        return write_leaf(a, first->order, old, range.depth);
    if (old == NULL)
        return rebuild_nothing(a, range);
    into_list = first_step(a, range)->is_index;
    if (old->type != (into_list ? PL_TYPE_L : PL_TYPE_M))
        return fail_path(a);

    start = pl_container_open(a->buf, old->type);
    rc = into_list ? rebuild_elements(a, range, old->payload) : rebuild_entries(a, range, old->payload);
    if (rc != 0)
        return rc;
    pl_container_close(a->buf, start);
    return 0;
}

/* ---- the item ---- */

int pl_update_apply(const struct pl_update *update, struct pl_item old, bool missing, struct pl_arena *arena,
                    struct pl_buf *buf, struct pl_item *out, struct pl_reason *why)
{
    struct application a = { .update = update,
                             .old = old,
                             .missing = missing,
                             .arena = arena,
                             .buf = buf,
                             .size_bytes = old.size_bytes,
                             .why = why };
    struct range all = { .end = update->action_count };
    size_t start = buf->len;
    struct pl_item item;
    int rc;

    rc = compute_all(&a);
    if (rc == 0)
        rc = rebuild_entries(&a, all, old.bytes);
    if (rc == 0)
        rc = pl_buf_status(buf);
    if (rc != 0) {
        if (!buf->failed)
            buf->len = start;
        return rc;
    }
    item.bytes = buf->data != NULL ? pl_bytes(buf->data + start, buf->len - start) : pl_bytes("", 0);
    item.size_bytes = a.size_bytes;
    *out = item;
    return 0;
}
