/* SPDX-License-Identifier: MIT */
#include "model/partiql_internal.h"

/*
 * Literals: 'string'  123  -1.5  true  false  null  [list]  {'name': value}  <<set>>, and ? for a parameter, inside of
 * them too. They are built like items that come as JSON, with the same checks.
 */

static void build_value(struct pl_partiql_parser *p, struct pl_builder *b);

bool pl_partiql_at_value(const struct pl_partiql_parser *p)
{
    static const char *const signs[] = { "?", "[", "{", "<<", "-", "+", NULL };
    enum pl_partiql_token_kind kind = p->lexer.current.kind;

    if (p->rc != 0)
        return false;
    if (kind == PL_PARTIQL_STRING || kind == PL_PARTIQL_NUMBER)
        return true;
    for (int i = 0; signs[i] != NULL; i++)
        if (pl_partiql_at_sign(p, signs[i]))
            return true;
    return pl_partiql_at_word(p, "true") || pl_partiql_at_word(p, "false") || pl_partiql_at_word(p, "null");
}

static bool take_parameter(struct pl_partiql_parser *p, struct pl_value *out)
{
    if (!pl_partiql_skip_sign(p, "?"))
        return false;
    if (p->parameters_used == p->parameter_count) {
        pl_partiql_fail(p, "Number of parameters in request and statement don't match.");
        return false;
    }
    *out = p->parameters[p->parameters_used++];
    return true;
}

/* The sign is not part of the number's token: 1-2 is a difference. */
static bool take_number(struct pl_partiql_parser *p, struct pl_number *out)
{
    bool negative = pl_partiql_at_sign(p, "-");
    struct pl_number zero, number;
    int rc;

    if (negative || pl_partiql_at_sign(p, "+"))
        pl_partiql_lexer_advance(&p->lexer);
    if (p->lexer.current.kind != PL_PARTIQL_NUMBER) {
        pl_partiql_fail_syntax(p, "a number");
        return false;
    }
    rc = pl_number_parse(p->lexer.current.text, &number, p->why);
    if (rc == 0 && negative) {
        pl_number_from_int64(0, &zero);
        rc = pl_number_subtract(&zero, &number, out, p->why);
    } else {
        *out = number;
    }
    if (rc != 0) {
        p->rc = rc;
        return false;
    }
    pl_partiql_lexer_advance(&p->lexer);
    return true;
}

static void build_number(struct pl_partiql_parser *p, struct pl_builder *b)
{
    struct pl_number number;

    if (take_number(p, &number))
        pl_builder_number(b, &number);
}

/* ---- lists, maps, sets ------------------------------------------------------------------------------ */

static void build_list(struct pl_partiql_parser *p, struct pl_builder *b)
{
    pl_builder_begin_list(b);
    if (!pl_partiql_skip_sign(p, "]")) {
        do
            build_value(p, b);
        while (pl_partiql_skip_sign(p, ","));
        pl_partiql_expect_sign(p, "]");
    }
    pl_builder_end(b);
}

/* What was begun stays undone: the builder hears no more of it. */
static void give_up(struct pl_partiql_parser *p, struct pl_builder *b)
{
    if (p->rc != 0)
        pl_builder_fail(b, p->rc, "%s", "");
}

static void build_entry(struct pl_partiql_parser *p, struct pl_builder *b)
{
    struct pl_bytes name;

    if (p->lexer.current.kind != PL_PARTIQL_STRING && p->lexer.current.kind != PL_PARTIQL_QUOTED) {
        pl_partiql_fail_syntax(p, "a name in quotes");
        return;
    }
    if (pl_partiql_take_text(p, &name) != 0 || pl_partiql_expect_sign(p, ":") != 0)
        return;
    pl_builder_name(b, name);
    build_value(p, b);
}

/* After the brace. */
static void build_entries(struct pl_partiql_parser *p, struct pl_builder *b)
{
    if (pl_partiql_skip_sign(p, "}"))
        return;
    do
        build_entry(p, b);
    while (pl_partiql_skip_sign(p, ","));
    pl_partiql_expect_sign(p, "}");
    give_up(p, b);
}

static enum pl_type set_type(enum pl_type element)
{
    return element == PL_TYPE_S   ? PL_TYPE_SS
           : element == PL_TYPE_N ? PL_TYPE_NS
           : element == PL_TYPE_B ? PL_TYPE_BS
                                  : 0;
}

static void add_element(struct pl_partiql_parser *p, struct pl_builder *b, struct pl_value element)
{
    struct pl_number number;

    if (element.type == PL_TYPE_N) {
        pl_value_number(element, &number);
        pl_builder_set_number(b, &number);
    } else if (element.type == PL_TYPE_S) {
        pl_builder_set_string(b, element.payload);
    } else {
        pl_builder_set_binary(b, element.payload);
    }
    if (b->rc != 0 && p->rc == 0)
        p->rc = pl_reason_set(p->why, b->rc, "%s", pl_reason_text(&b->why, b->rc));
}

/* The first element says what the others are. */
static void build_set(struct pl_partiql_parser *p, struct pl_builder *b)
{
    enum pl_type type = 0;

    do {
        struct pl_value element;

        if (pl_partiql_value(p, &element) != 0)
            return;
        if (set_type(element.type) == 0 || (type != 0 && element.type != type)) {
            pl_partiql_fail(p,
                            "Statement wasn't well formed, can't be processed: a set holds strings, numbers "
                            "or binaries, and one kind of them");
            return;
        }
        if (type == 0)
            pl_builder_begin_set(b, set_type(element.type));
        type = element.type;
        add_element(p, b, element);
    } while (pl_partiql_skip_sign(p, ","));
    pl_partiql_expect_sign(p, ">>");
    if (p->rc == 0)
        pl_builder_end(b);
}

static void build_text(struct pl_partiql_parser *p, struct pl_builder *b)
{
    struct pl_bytes text;

    if (pl_partiql_take_text(p, &text) == 0)
        pl_builder_string(b, text);
}

static void build_value(struct pl_partiql_parser *p, struct pl_builder *b)
{
    struct pl_value parameter;

    if (pl_partiql_enter(p) != 0)
        return;
    if (pl_partiql_at_sign(p, "?")) {
        if (take_parameter(p, &parameter))
            pl_builder_value(b, parameter);
    } else if (p->lexer.current.kind == PL_PARTIQL_STRING) {
        build_text(p, b);
    } else if (pl_partiql_skip_word(p, "true")) {
        pl_builder_bool(b, true);
    } else if (pl_partiql_skip_word(p, "false")) {
        pl_builder_bool(b, false);
    } else if (pl_partiql_skip_word(p, "null")) {
        pl_builder_null(b);
    } else if (pl_partiql_skip_sign(p, "[")) {
        build_list(p, b);
    } else if (pl_partiql_skip_sign(p, "<<")) {
        build_set(p, b);
    } else if (pl_partiql_skip_sign(p, "{")) {
        pl_builder_begin_map(b);
        build_entries(p, b);
        pl_builder_end(b);
    } else {
        build_number(p, b);
    }
    give_up(p, b);
    p->depth--;
}

/* ---- whole ------------------------------------------------------------------------------------------ */

/* The builder's bytes move as they grow: what is finished gets a place of its own. */
static int keep_value(struct pl_partiql_parser *p, struct pl_builder *b, struct pl_value *out)
{
    struct pl_value value;
    struct pl_bytes copy;
    int rc = pl_builder_finish_value(b, &value, p->why);

    if (rc != 0)
        return p->rc = rc;
    copy = pl_arena_copy(p->arena, value.whole);
    if (copy.data == NULL)
        return pl_partiql_fail_memory(p);
    pl_value_take(&copy, out);
    return 0;
}

int pl_partiql_value(struct pl_partiql_parser *p, struct pl_value *out)
{
    struct pl_buf bytes = { 0 };
    struct pl_builder b;

    if (pl_partiql_at_sign(p, "?"))
        return take_parameter(p, out) ? 0 : p->rc;
    pl_builder_init(&b, &bytes, p->arena);
    build_value(p, &b);
    if (p->rc == 0)
        keep_value(p, &b, out);
    pl_buf_deinit(&bytes);
    return p->rc;
}

int pl_partiql_item(struct pl_partiql_parser *p, struct pl_item *out)
{
    struct pl_buf bytes = { 0 };
    struct pl_builder b;
    struct pl_item item;

    pl_builder_init(&b, &bytes, p->arena);
    pl_builder_begin_item(&b);
    if (pl_partiql_expect_sign(p, "{") == 0)
        build_entries(p, &b);
    give_up(p, &b);
    pl_builder_end(&b);
    if (p->rc == 0)
        p->rc = pl_builder_finish_item(&b, &item, p->why);
    if (p->rc == 0) {
        *out =
            (struct pl_item){ .bytes = pl_arena_copy(p->arena, item.bytes), .size_bytes = item.size_bytes };
        if (out->bytes.data == NULL)
            pl_partiql_fail_memory(p);
    }
    pl_buf_deinit(&bytes);
    return p->rc;
}
