/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

#include <stdlib.h>

bool pl_path_find(const struct pl_path *path, const struct pl_item *item, struct pl_value *out)
{
    struct pl_value value;

    if (item == NULL || !pl_item_find(*item, path->steps[0].name, &value))
        return false;
    for (uint32_t i = 1; i < path->step_count; i++) {
        const struct pl_path_step *step = &path->steps[i];
        bool found = step->is_index
                         ? value.type == PL_TYPE_L && pl_list_at(value.payload, step->index, &value)
                         : value.type == PL_TYPE_M && pl_map_find(value.payload, step->name, &value);

        if (!found)
            return false;
    }
    *out = value;
    return true;
}

/* Names before indexes: what conflicts stands side by side once sorted. */
static int compare_steps(const struct pl_path_step *a, const struct pl_path_step *b)
{
    if (a->is_index != b->is_index)
        return a->is_index ? 1 : -1;
    if (a->is_index)
        return a->index < b->index ? -1 : a->index > b->index;
    return pl_bytes_compare(a->name, b->name);
}

/* How many steps the two begin with in common. */
static uint32_t common_steps(const struct pl_path *a, const struct pl_path *b)
{
    uint32_t i = 0;

    while (i < a->step_count && i < b->step_count && compare_steps(&a->steps[i], &b->steps[i]) == 0)
        i++;
    return i;
}

bool pl_path_equal(const struct pl_path *a, const struct pl_path *b)
{
    return a->step_count == b->step_count && common_steps(a, b) == a->step_count;
}

static int compare_targets(const void *x, const void *y)
{
    const struct pl_target *a = x, *b = y;
    uint32_t common = common_steps(a->path, b->path);

    if (common < a->path->step_count && common < b->path->step_count)
        return compare_steps(&a->path->steps[common], &b->path->steps[common]);
    if (a->path->step_count != b->path->step_count)
        return a->path->step_count < b->path->step_count ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void pl_path_write(struct pl_buf *out, const struct pl_path *path)
{
    pl_buf_append(out, "[", 1);
    for (uint32_t i = 0; i < path->step_count && out->len < PL_REASON_MAX; i++) {
        const struct pl_path_step *step = &path->steps[i];

        pl_buf_append(out, ", ", i > 0 ? 2 : 0);
        if (step->is_index)
            pl_buf_append_format(out, "[%u]", step->index);
        else
            pl_buf_append_bytes(out, step->name);
    }
    pl_buf_append(out, "]", 1);
}

static int fail_pair(struct pl_parser *p, const char *verb, const struct pl_target *a,
                     const struct pl_target *b)
{
    struct pl_buf paths = { 0 };
    int rc;

    pl_buf_append_format(&paths, "path one: ");
    pl_path_write(&paths, a->order < b->order ? a->path : b->path);
    pl_buf_append_format(&paths, ", path two: ");
    pl_path_write(&paths, a->order < b->order ? b->path : a->path);
    if (pl_buf_status(&paths) != 0)
        rc = pl_parser_fail_memory(p);
    else
        rc = pl_parser_fail(
            p, "Two document paths %s with each other; must remove or rewrite one of these paths; %.*s", verb,
            (int)paths.len, paths.data);
    pl_buf_deinit(&paths);
    return rc;
}

/* One is the other, or leads through it. Neighbours suffice: what lies below a path follows it. */
static int check_overlap(struct pl_parser *p, const struct pl_target *targets, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const struct pl_target *a = &targets[i - 1], *b = &targets[i];

        if (common_steps(a->path, b->path) == a->path->step_count)
            return fail_pair(p, "overlap", a, b);
    }
    return 0;
}

/* One takes for a list what the other takes for a map. */
static int check_conflict(struct pl_parser *p, const struct pl_target *targets, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const struct pl_target *a = &targets[i - 1], *b = &targets[i];
        uint32_t common = common_steps(a->path, b->path);

        if (a->path->steps[common].is_index != b->path->steps[common].is_index)
            return fail_pair(p, "conflict", a, b);
    }
    return 0;
}

int pl_targets_sort(struct pl_arena *arena, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out)
{
    struct pl_target *targets = pl_arena_zalloc(arena, count, sizeof *targets);

    if (targets == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        targets[i] = (struct pl_target){ .path = paths[i], .order = i };
    qsort(targets, count, sizeof *targets, compare_targets);
    *out = targets;
    return 0;
}

int pl_targets_make(struct pl_parser *p, const struct pl_path *const *paths, uint32_t count,
                    struct pl_target **out)
{
    struct pl_target *targets;
    int rc;

    if (pl_targets_sort(p->params->arena, paths, count, &targets) != 0)
        return pl_parser_fail_memory(p);
    rc = check_overlap(p, targets, count);
    if (rc == 0)
        rc = check_conflict(p, targets, count);
    if (rc == 0)
        *out = targets;
    return rc;
}

uint32_t pl_targets_group(const struct pl_target *targets, uint32_t first, uint32_t end, uint32_t depth)
{
    const struct pl_path_step *step = &targets[first].path->steps[depth];
    uint32_t next = first + 1;

    while (next < end && compare_steps(step, &targets[next].path->steps[depth]) == 0)
        next++;
    return next - first;
}

size_t pl_container_open(struct pl_buf *buf, enum pl_type type)
{
    static const char zeros[4];

    pl_buf_append_byte(buf, (uint8_t)type);
    pl_buf_append(buf, zeros, sizeof zeros);
    return buf->len;
}

void pl_container_close(struct pl_buf *buf, size_t start)
{
    if (!buf->failed)
        pl_put_le32(buf->data + start - 4, (uint32_t)(buf->len - start));
}
