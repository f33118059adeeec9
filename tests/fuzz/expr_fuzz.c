/* SPDX-License-Identifier: MIT */
#include "model/expr.h"
#include "model/json.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * Input: one byte for the kind, an expression up to the first line feed, an item as
 * plain JSON. Whatever is accepted is applied to the item, or to none when it is no
 * JSON; whatever comes of it must be a sound item with the right size. Once with
 * literals, once without.
 */
struct trial {
    struct pl_expr_params params;
    struct pl_bytes text;
    struct pl_item item;
    bool missing;
    struct pl_buf out;
    struct pl_reason why;
};

static void check(bool truth)
{
    if (!truth)
        abort();
}

/* True when the parse succeeded. A refusal has a sentence, and one that can be sent. */
static bool accepted(struct trial *t, int rc)
{
    if (rc == 0)
        return true;
    check(rc == PL_EINVALID && t->why.text[0] != '\0');
    check(!pl_bytes_is_utf8(t->text) || pl_bytes_is_utf8(pl_str(t->why.text)));
    return false;
}

static void check_sound(struct pl_item item)
{
    struct pl_item checked;

    check(pl_item_check(item.bytes, &checked) == 0 && checked.size_bytes == item.size_bytes);
}

static void check_paths(struct pl_path_list list, bool some)
{
    check(!some || list.count > 0);
    for (uint32_t i = 0; i < list.count; i++)
        check(list.paths[i]->step_count > 0 && list.paths[i]->step_count <= 32 &&
              !list.paths[i]->steps[0].is_index);
}

static void try_condition(struct trial *t, enum pl_expr_kind kind)
{
    struct pl_condition *condition;

    if (!accepted(t, pl_condition_parse(&t->params, kind, t->text, &condition, &t->why)))
        return;
    check_paths(pl_condition_paths(condition), false);
    check(pl_condition_test(condition, &t->item) == pl_condition_test(condition, &t->item));
    pl_condition_test(condition, NULL);
}

static void try_key_condition(struct trial *t)
{
    struct pl_key_schema keys = { .partition_count = 1, .sort_count = 2 };
    struct pl_key_condition condition;
    struct pl_key_parts *parts;

    keys.partition[0] = (struct pl_key_attribute){ pl_str("a"), PL_TYPE_S };
    keys.sort[0] = (struct pl_key_attribute){ pl_str("b"), PL_TYPE_N };
    keys.sort[1] = (struct pl_key_attribute){ pl_str("c"), PL_TYPE_B };
    if (!accepted(t, pl_key_condition_parse(&t->params, t->text, &parts, &t->why)) ||
        !accepted(t, pl_key_condition_fit(parts, &keys, &condition, &t->why)))
        return;
    check(condition.partition[0].type == PL_TYPE_S && condition.equal_count <= 2);
    check(condition.range == PL_RANGE_NONE || condition.low.type == keys.sort[condition.equal_count].type);
    check(condition.range != PL_RANGE_BETWEEN || pl_value_compare(condition.low, condition.high) <= 0);
}

static void try_projection(struct trial *t)
{
    struct pl_projection *projection;
    struct pl_item projected;

    if (!accepted(t, pl_projection_parse(&t->params, t->text, &projection, &t->why)))
        return;
    check_paths(pl_projection_paths(projection), true);
    check(pl_projection_apply(projection, t->item, t->params.arena, &t->out, &projected) == 0);
    check_sound(projected);
    check(projected.size_bytes <= t->item.size_bytes);
}

static void try_update(struct trial *t)
{
    struct pl_item updated, returned;
    struct pl_buf returned_bytes = { 0 };
    struct pl_update *update;

    if (!accepted(t, pl_update_parse(&t->params, t->text, &update, &t->why)))
        return;
    check_paths(pl_update_targets(update), true);
    if (!accepted(t,
                  pl_update_apply(update, t->item, t->missing, t->params.arena, &t->out, &updated, &t->why)))
        return;
    check_sound(updated);
    check(pl_update_returned(update, updated, t->params.arena, &returned_bytes, &returned) == 0);
    check_sound(returned);
    pl_buf_deinit(&returned_bytes);
}

static void try_kind(struct trial *t, uint8_t kind)
{
    switch (kind % 5) {
    case PL_EXPR_KEY_CONDITION:
        try_key_condition(t);
        break;
    case PL_EXPR_PROJECTION:
        try_projection(t);
        break;
    case PL_EXPR_UPDATE:
        try_update(t);
        break;
    default:
        try_condition(t, (enum pl_expr_kind)(kind % 5));
    }
    pl_expr_check_used(&t->params, &t->why);
}

/* :a to :j, one of each type; #a to #d. */
static void fill_placeholders(struct trial *t, struct pl_buf *bytes)
{
    static const char *const values =
        "{\":a\":\"a\",\":b\":1,\":c\":{\"$binary\":\"AQ==\"},\":d\":true,\":e\":null,"
        "\":f\":[1,\"x\"],\":g\":{\"x\":1},\":h\":{\"$set\":[\"a\",\"b\"]},"
        "\":i\":{\"$set\":[1,2]},\":j\":{\"$set\":[{\"$binary\":\"AQ==\"}]}}";
    static const char *const names = "{\"#a\":\"a\",\"#b\":\"b.c\",\"#c\":\"#a\",\"#d\":\"\xc3\xa9\"}";
    static struct pl_expr_placeholder name_table[4], value_table[10];
    struct pl_item item;
    struct pl_bytes rest;

    check(pl_json_read_item(pl_str(values), PL_JSON_PLAIN, t->params.arena, &bytes[0], &item, NULL) == 0);
    rest = item.bytes;
    for (int i = 0; i < 10; i++)
        check(pl_entry_take(&rest, &value_table[i].name, &value_table[i].value));
    check(pl_json_read_item(pl_str(names), PL_JSON_PLAIN, t->params.arena, &bytes[1], &item, NULL) == 0);
    rest = item.bytes;
    for (int i = 0; i < 4; i++) {
        struct pl_value attribute;

        check(pl_entry_take(&rest, &name_table[i].name, &attribute));
        name_table[i].attribute = attribute.payload;
    }
    t->params.names = name_table;
    t->params.name_count = 4;
    t->params.values = value_table;
    t->params.value_count = 10;
}

static void try(uint8_t kind, struct pl_bytes text, struct pl_bytes json, bool literals)
{
    struct pl_arena arena = { 0 };
    struct trial t = { .params = { .arena = &arena, .literals = literals }, .text = text };
    struct pl_buf item_bytes = { 0 }, placeholder_bytes[2] = { { 0 }, { 0 } };

    fill_placeholders(&t, placeholder_bytes);
    if (pl_json_read_item(json, PL_JSON_PLAIN, &arena, &item_bytes, &t.item, NULL) != 0) {
        t.item = (struct pl_item){ .bytes = pl_bytes("", 0) };
        t.missing = true;
    }
    try_kind(&t, kind);
    pl_buf_deinit(&t.out);
    pl_buf_deinit(&item_bytes);
    pl_buf_deinit(&placeholder_bytes[0]);
    pl_buf_deinit(&placeholder_bytes[1]);
    pl_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const stops[] = { "LIMIT", "AND", NULL };
    struct pl_bytes input, text, json = { 0 };
    const char *end;

    if (size == 0)
        return 0;
    input = pl_bytes(data + 1, size - 1);
    end = input.len > 0 ? memchr(input.data, '\n', input.len) : NULL;
    text = input;
    if (end != NULL) {
        text.len = (size_t)(end - input.data);
        json = pl_bytes(end + 1, input.len - text.len - 1);
    }
    check(pl_expr_extent(text, stops).len <= text.len);
    try(data[0], text, json, true);
    try(data[0], text, json, false);
    return 0;
}
