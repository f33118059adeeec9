/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_EXPR_REQUEST_H
#define PL_TESTS_UNIT_EXPR_REQUEST_H

#include "test.h"

#include "model/expr.h"
#include "model/json.h"

/**
 * A request as a test writes it: names and values of placeholders, and items, are plain JSON. A
 * request whose placeholders are NULL takes literals, as the line protocol does.
 */
struct request {
    struct pl_arena arena;
    struct pl_buf names, values, scratch[4];
    size_t scratch_count;
    struct pl_expr_params params;
    struct pl_reason why;
};

static inline struct pl_item request_read(struct request *r, struct pl_buf *buf, const char *json)
{
    struct pl_reason why = { 0 };
    struct pl_item item;
    int rc = pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &r->arena, buf, &item, &why);

    CHECK_MSG(rc == 0, "%s: %s", json, why.text);
    return item;
}

static inline struct pl_item request_item(struct request *r, const char *json)
{
    CHECK(r->scratch_count < 4);
    return request_read(r, &r->scratch[r->scratch_count++], json);
}

static inline void request_placeholders(struct request *r, const char *json, struct pl_buf *buf,
                                        struct pl_expr_placeholder **out, uint32_t *count)
{
    struct pl_item item = request_read(r, buf, json);
    struct pl_bytes rest = item.bytes;
    struct pl_expr_placeholder one = { 0 };

    *out = pl_arena_zalloc(&r->arena, 300, sizeof **out);
    CHECK(*out != NULL);
    while (pl_entry_take(&rest, &one.name, &one.value)) {
        CHECK(*count < 300);
        one.attribute = one.value.payload;
        (*out)[(*count)++] = one;
    }
}

static inline void request_init(struct request *r, const char *names, const char *values)
{
    memset(r, 0, sizeof *r);
    r->params.arena = &r->arena;
    r->params.literals = names == NULL && values == NULL;
    if (names != NULL)
        request_placeholders(r, names, &r->names, &r->params.names, &r->params.name_count);
    if (values != NULL)
        request_placeholders(r, values, &r->values, &r->params.values, &r->params.value_count);
}

static inline void request_deinit(struct request *r)
{
    pl_buf_deinit(&r->names);
    pl_buf_deinit(&r->values);
    for (size_t i = 0; i < 4; i++)
        pl_buf_deinit(&r->scratch[i]);
    pl_arena_deinit(&r->arena);
}

/** Parse any kind but a key condition; the sentence is "" when it is sound. */
static inline const char *request_parse(struct request *r, enum pl_expr_kind kind, struct pl_bytes text)
{
    struct pl_projection *projection;
    struct pl_condition *condition;
    struct pl_update *update;
    int rc;

    r->why.text[0] = '\0';
    if (kind == PL_EXPR_PROJECTION)
        rc = pl_projection_parse(&r->params, text, &projection, &r->why);
    else if (kind == PL_EXPR_UPDATE)
        rc = pl_update_parse(&r->params, text, &update, &r->why);
    else
        rc = pl_condition_parse(&r->params, kind, text, &condition, &r->why);
    CHECK(rc == (r->why.text[0] == '\0' ? 0 : PL_EINVALID));
    return r->why.text;
}

/** The item as plain JSON, in static memory. */
static inline const char *request_json(struct pl_item item)
{
    static char text[8192];
    struct pl_buf out = { 0 };

    pl_json_write_item(&out, PL_JSON_PLAIN, item);
    CHECK(pl_buf_status(&out) == 0 && out.len < sizeof text);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    pl_buf_deinit(&out);
    return text;
}

/** Not NULL checks: a size and bytes that pl_item_check() computes for itself. */
static inline void request_check_sound(struct pl_item item)
{
    struct pl_item checked;

    CHECK(pl_item_check(item.bytes, &checked) == 0);
    CHECK_MSG(checked.size_bytes == item.size_bytes, "%u, not %u", item.size_bytes, checked.size_bytes);
}

#endif
