/* SPDX-License-Identifier: MIT */
#include "model/key.h"

#include <stdlib.h>

/*
 * The input is two values, the first as long as its first two bytes say. Their
 * components come back and are ordered as they are; the store keys made of them are
 * legal and ordered as their tails. And the input is read as components itself.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

/* Read `in` as a component, whatever it is. What is read spells itself the same way again. */
static void check_reading(struct pl_bytes in, enum pl_type type)
{
    struct pl_buf out = { 0 }, again = { 0 };
    struct pl_arena arena = { 0 };
    struct pl_bytes rest = in;
    size_t len = pl_key_component_length(in, type);
    struct pl_builder b;
    struct pl_value value;
    int rc;

    check(len <= in.len);
    pl_builder_init(&b, &out, &arena);
    rc = pl_key_decode_component(&rest, type, &b, &arena);
    if (rc == 0) {
        check(pl_builder_finish_value(&b, &value, NULL) == 0 && value.type == type);
        pl_key_append_component(&again, value);
        check(in.len - rest.len == len);
        check(pl_bytes_equal(pl_buf_view(&again), pl_bytes(in.data, len)));
    } else {
        check(rc == PL_ECORRUPT && rest.data == in.data);
        check(len == 0 || type != PL_TYPE_B);
    }
    pl_buf_deinit(&out);
    pl_buf_deinit(&again);
    pl_arena_deinit(&arena);
}

static void check_store_keys(struct pl_bytes pk, const struct pl_buf tails[2])
{
    struct pl_keyspace space = { .kind = PL_KIND_ITEM, .id = 3, .partition_count = 64 };
    struct pl_key keys[2];
    uint16_t prefix_len = 0;
    uint64_t hash;
    int order, tail_order = sign_of(pl_bytes_compare(pl_buf_view(&tails[0]), pl_buf_view(&tails[1])));

    for (int i = 0; i < 2; i++) {
        pl_key_seek(&keys[i], &space, pk, pl_buf_view(&tails[i]), &prefix_len);
        check(keys[i].len <= PL_KEY_BYTES_MAX && prefix_len <= keys[i].len);
        check(pl_key_in_space(pl_key_view(&keys[i]), &space, &hash) && hash == pl_key_hash(pk));
        if (!keys[i].shortened)
            check(keys[i].len == prefix_len + tails[i].len && keys[i].len < PL_KEY_BYTES_MAX);
    }
    check(memcmp(keys[0].bytes, keys[1].bytes, prefix_len) == 0);
    order = sign_of(pl_bytes_compare(pl_key_view(&keys[0]), pl_key_view(&keys[1])));
    check(order == tail_order || (order == 0 && keys[0].shortened && keys[1].shortened));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_buf components[2] = { { 0 } };
    struct pl_bytes values[2], in = pl_bytes(data, size);
    size_t first;

    check_reading(in, PL_TYPE_S);
    check_reading(in, PL_TYPE_B);
    check_reading(in, PL_TYPE_N);
    if (size < 2)
        return 0;

    first = pl_get_be16(data) % (size - 1);
    values[0] = pl_bytes(data + 2, first);
    values[1] = pl_bytes(data + 2 + first, size - 2 - first);
    for (int i = 0; i < 2; i++)
        pl_key_append_component(&components[i], (struct pl_value){ .type = PL_TYPE_B, .payload = values[i] });
    check(sign_of(pl_bytes_compare(values[0], values[1])) ==
          sign_of(pl_bytes_compare(pl_buf_view(&components[0]), pl_buf_view(&components[1]))));
    check_reading(pl_buf_view(&components[0]), PL_TYPE_B);
    check_store_keys(pl_buf_view(&components[0]), components);
    check_store_keys(pl_str("pk"), components);
    pl_buf_deinit(&components[0]);
    pl_buf_deinit(&components[1]);
    return 0;
}
