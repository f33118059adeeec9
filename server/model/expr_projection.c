/* SPDX-License-Identifier: MIT */
#include "model/expr_internal.h"

struct pl_projection {
    struct pl_target *targets;
    uint32_t target_count;
    struct pl_path_list paths;
};

/*
 * Projecting walks the item and the sorted targets side by side, each once. What
 * is found is copied; maps and lists on the way are rebuilt around it, and taken back
 * when nothing below them was found.
 */
struct range {
    const struct pl_target *targets;
    uint32_t first, end;
    uint32_t depth; /* steps that were already taken */
};

static bool project(struct range range, struct pl_value value, struct pl_buf *buf);

/* The targets that begin with the same step as the first; `range` goes on behind them. */
static struct range take_group(struct range *range)
{
    struct range group = *range;

    group.end = range->first + pl_targets_group(range->targets, range->first, range->end, range->depth);
    group.depth++;
    range->first = group.end;
    return group;
}

static const struct pl_path_step *first_step(struct range range)
{
    return &range.targets[range.first].path->steps[range.depth];
}

/* Returns whether anything was written. */
static bool project_entries(struct range range, struct pl_bytes entries, struct pl_buf *buf)
{
    struct pl_value value;
    struct pl_bytes name;
    bool any = false;

    while (range.first < range.end && pl_entry_take(&entries, &name, &value)) {
        size_t mark = buf->len;
        int order;

        while ((order = pl_bytes_compare(first_step(range)->name, name)) < 0) {
            take_group(&range);
            if (range.first == range.end)
                return any;
        }
        if (order > 0)
            continue;
        pl_buf_append_varint(buf, (uint32_t)name.len);
        pl_buf_append_bytes(buf, name);
        if (project(take_group(&range), value, buf))
            any = true;
        else
            buf->len = mark;
    }
    return any;
}

static bool project_elements(struct range range, struct pl_bytes elements, struct pl_buf *buf)
{
    struct pl_value value;
    bool any = false;

    for (uint32_t i = 0; range.first < range.end && pl_value_take(&elements, &value); i++) {
        if (first_step(range)->index == i && project(take_group(&range), value, buf))
            any = true;
    }
    return any;
}

static bool project(struct range range, struct pl_value value, struct pl_buf *buf)
{
    size_t mark = buf->len, start;
    bool into_list, any;

    if (range.targets[range.first].path->step_count == range.depth) {
        pl_buf_append_bytes(buf, value.whole);
        return true;
    }
    into_list = first_step(range)->is_index;
    if (value.type != (into_list ? PL_TYPE_L : PL_TYPE_M))
        return false;

    start = pl_container_open(buf, value.type);
    any =
        into_list ? project_elements(range, value.payload, buf) : project_entries(range, value.payload, buf);
    pl_container_close(buf, start);
    if (!any)
        buf->len = mark;
    return any;
}

static uint32_t item_size(struct pl_bytes entries)
{
    struct pl_value value;
    struct pl_bytes name;
    uint32_t size = 0;

    while (pl_entry_take(&entries, &name, &value))
        size += (uint32_t)name.len + pl_value_size_bytes(value);
    return size;
}

int pl_targets_project(const struct pl_target *targets, uint32_t count, struct pl_item item,
                       struct pl_buf *buf, struct pl_item *out)
{
    struct range all = { .targets = targets, .end = count };
    size_t start = buf->len;

    project_entries(all, item.bytes, buf);
    if (pl_buf_status(buf) != 0)
        return PL_ENOMEM;
    out->bytes = buf->data != NULL ? pl_bytes(buf->data + start, buf->len - start) : pl_bytes("", 0);
    out->size_bytes = item_size(out->bytes);
    return 0;
}

static int read_paths(struct pl_parser *p)
{
    do {
        if (pl_parser_path(p) == NULL)
            return p->rc;
    } while (pl_parser_skip_sign(p, ","));
    return pl_parser_expect_end(p);
}

static int check_names(struct pl_parser *p)
{
    for (uint32_t i = 0; i < p->path_count; i++) {
        int rc = pl_check_path_names(p, (struct pl_path *)p->paths[i]);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int parse(struct pl_parser *p, struct pl_projection *projection)
{
    int rc = read_paths(p);

    if (rc == 0)
        rc = pl_parser_conclude(p);
    if (rc == 0)
        rc = check_names(p);
    if (rc != 0)
        return rc;
    projection->paths = (struct pl_path_list){ .paths = p->paths, .count = p->path_count };
    projection->target_count = p->path_count;
    return pl_targets_make(p, p->paths, p->path_count, &projection->targets);
}

int pl_projection_parse(struct pl_expr_params *params, struct pl_bytes text, struct pl_projection **out,
                        struct pl_reason *why)
{
    struct pl_projection *projection = pl_arena_zalloc(params->arena, 1, sizeof *projection);
    struct pl_parser p;
    int rc;

    if (projection == NULL)
        return PL_ENOMEM;
    rc = pl_parser_init(&p, params, PL_EXPR_PROJECTION, text, why);
    if (rc == 0)
        rc = parse(&p, projection);
    pl_parser_deinit(&p);
    if (rc == 0)
        *out = projection;
    return rc;
}

int pl_projection_from_targets(struct pl_arena *arena, struct pl_target *targets,
                               const struct pl_path *const *paths, uint32_t count, struct pl_projection **out)
{
    struct pl_projection *projection = pl_arena_zalloc(arena, 1, sizeof *projection);

    if (projection == NULL)
        return PL_ENOMEM;
    *projection = (struct pl_projection){ .targets = targets,
                                          .target_count = count,
                                          .paths = { .paths = paths, .count = count } };
    *out = projection;
    return 0;
}

struct pl_path_list pl_projection_paths(const struct pl_projection *projection)
{
    return projection->paths;
}

int pl_projection_apply(const struct pl_projection *projection, struct pl_item item, struct pl_arena *arena,
                        struct pl_buf *buf, struct pl_item *out)
{
    (void)arena;
    return pl_targets_project(projection->targets, projection->target_count, item, buf, out);
}
