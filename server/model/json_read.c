/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/json_value.h"

/*
 * Values out of JSON, straight into the builder. Recursion follows the nesting of
 * values, and the builder refuses a level too many before we step into it, so the
 * stack is bounded whatever the text says.
 */

static int take_either(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                       struct pl_reason *why)
{
    return dialect == PL_JSON_PLAIN ? pl_json_take_plain(r, b, why) : pl_json_take_typed(r, b, why);
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

int pl_json_take_map(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
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

int pl_json_read_number(struct pl_bytes text, struct pl_number *out, struct pl_reason *why)
{
    int64_t integer;

    if (!read_short_integer(text, &integer))
        return pl_number_parse(text, out, why);
    pl_number_from_int64(integer, out);
    return 0;
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
        rc = pl_json_check_is_map(r, why);
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
