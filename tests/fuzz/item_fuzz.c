/* SPDX-License-Identifier: MIT */
#include "model/item.h"

#include <stdlib.h>

/*
 * Any bytes are refused or are an item, and what is an item is spelled in the only way
 * it can be: built again from its parts, it gives the same bytes and the same size.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void rebuild_set(struct pl_builder *b, struct pl_value set)
{
    struct pl_bytes rest = set.payload, element;
    struct pl_number number;

    pl_builder_begin_set(b, set.type);
    while (pl_element_take(&rest, &element)) {
        check(pl_set_contains(set.payload, element));
        if (set.type == PL_TYPE_SS) {
            pl_builder_set_string(b, element);
        } else if (set.type == PL_TYPE_BS) {
            pl_builder_set_binary(b, element);
        } else {
            check(pl_number_decode(element, &number) == 0);
            pl_builder_set_number(b, &number);
        }
    }
    pl_builder_end(b);
}

static void rebuild_entries(struct pl_builder *b, struct pl_bytes rest);

static void rebuild(struct pl_builder *b, struct pl_value value)
{
    struct pl_bytes rest = value.payload;
    struct pl_number number;
    struct pl_value inner;

    switch (value.type) {
    case PL_TYPE_S:
        pl_builder_string(b, value.payload);
        break;
    case PL_TYPE_N:
        pl_value_number(value, &number);
        pl_builder_number(b, &number);
        break;
    case PL_TYPE_B:
        pl_builder_binary(b, value.payload);
        break;
    case PL_TYPE_BOOL:
        pl_builder_bool(b, pl_value_bool(value));
        break;
    case PL_TYPE_NULL:
        pl_builder_null(b);
        break;
    case PL_TYPE_L:
        pl_builder_begin_list(b);
        while (pl_value_take(&rest, &inner))
            rebuild(b, inner);
        pl_builder_end(b);
        break;
    case PL_TYPE_M:
        pl_builder_begin_map(b);
        rebuild_entries(b, rest);
        pl_builder_end(b);
        break;
    default:
        rebuild_set(b, value);
        break;
    }
}

static void rebuild_entries(struct pl_builder *b, struct pl_bytes rest)
{
    struct pl_bytes name, all = rest;
    struct pl_value value, found;

    while (pl_entry_take(&rest, &name, &value)) {
        check(pl_map_find(all, name, &found) && pl_value_equal(value, found));
        pl_builder_name(b, name);
        rebuild(b, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_buf out = { 0 };
    struct pl_arena arena = { 0 };
    struct pl_builder b;
    struct pl_item item, again;

    if (pl_item_check(pl_bytes(data, size), &item) != 0)
        return 0;
    pl_builder_init(&b, &out, &arena);
    pl_builder_begin_item(&b);
    rebuild_entries(&b, item.bytes);
    pl_builder_end(&b);
    check(pl_builder_finish_item(&b, &again, NULL) == 0);
    check(pl_bytes_equal(item.bytes, again.bytes) && item.size_bytes == again.size_bytes);
    pl_buf_deinit(&out);
    pl_arena_deinit(&arena);
    return 0;
}
