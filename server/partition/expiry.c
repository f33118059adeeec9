/* SPDX-License-Identifier: MIT */
#include "partition/expiry.h"

/* ---- time ------------------------------------------------------------------------------------------- */

static bool find_number(const struct pl_table *table, struct pl_item item, struct pl_number *out)
{
    struct pl_value value;

    if (table->expiry_id == 0 || !pl_item_find(item, table->ttl_attribute, &value) || value.type != PL_TYPE_N)
        return false;
    pl_value_number(value, out);
    return true;
}

static bool second_of(const struct pl_number *number, uint64_t *second)
{
    int64_t whole;

    if (!pl_number_floor_int64(number, &whole) || whole < 0)
        return false;
    *second = (uint64_t)whole;
    return true;
}

bool pl_expiry_second(const struct pl_table *table, struct pl_item item, uint64_t *second)
{
    struct pl_number number;

    return find_number(table, item, &number) && second_of(&number, second);
}

bool pl_expiry_is_due(const struct pl_table *table, struct pl_item item, int64_t now_ms)
{
    struct pl_number at_ms, now, oldest;
    uint64_t second;

    if (!find_number(table, item, &at_ms) || !second_of(&at_ms, &second))
        return false;
    if (at_ms.coefficient != 0)
        at_ms.exponent += 3;
    pl_number_from_int64(now_ms, &now);
    pl_number_from_int64(now_ms - PL_EXPIRY_AGE_MAX_S * INT64_C(1000), &oldest);
    return pl_number_compare(&at_ms, &now) < 0 && pl_number_compare(&at_ms, &oldest) >= 0;
}

/* ---- entries ---------------------------------------------------------------------------------------- */

bool pl_expiry_is_in(struct pl_bytes key)
{
    return key.len > PL_KEY_PREFIX_BYTES && key.data[2] == PL_KIND_EXPIRY;
}

uint64_t pl_expiry_key_second(struct pl_bytes key)
{
    return pl_get_be64(key.data + PL_KEY_PREFIX_BYTES - 8);
}

static int place_at(const struct pl_index_work *work, struct pl_item item, uint64_t second,
                    struct pl_place *out)
{
    struct pl_keyspace space = { PL_KIND_EXPIRY, work->table->expiry_id, work->partition_count };
    struct pl_buf pk = { 0 }, tail = { 0 };
    int rc = PL_ECORRUPT; /* an item in the table has its key */

    if (pl_key_schema_encode(&work->table->keys, item, &pk, &tail, NULL) == PL_KEY_WHOLE)
        rc = pl_buf_status(&pk) != 0 || pl_buf_status(&tail) != 0
                 ? PL_ENOMEM
                 : pl_place_make_at(out, &space, second, pl_buf_view(&pk), pl_buf_view(&tail), work->arena);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

int pl_expiry_place(const struct pl_index_work *work, const struct pl_item *item, struct pl_place *out)
{
    uint64_t second;

    return pl_expiry_second(work->table, *item, &second) ? place_at(work, *item, second, out) : PL_ENOTFOUND;
}

/* Builds the item of the key attributes at the end of `buf`. */
static int keys_of(const struct pl_index_work *work, struct pl_item item, struct pl_buf *buf,
                   struct pl_item *out)
{
    struct pl_bytes in = item.bytes, name;
    struct pl_value value;
    struct pl_builder b;

    pl_builder_init(&b, buf, work->arena);
    pl_builder_begin_item(&b);
    while (pl_entry_take(&in, &name, &value)) {
        if (!pl_key_schema_has(&work->table->keys, name))
            continue;
        pl_builder_name(&b, name);
        pl_builder_value(&b, value);
    }
    pl_builder_end(&b);
    return pl_builder_finish_item(&b, out, NULL);
}

static int enter(const struct pl_index_work *work, struct pl_item item, const struct pl_place *place)
{
    struct pl_buf buf = { 0 };
    struct pl_item keys;
    int rc = keys_of(work, item, &buf, &keys);

    if (rc == 0)
        rc = pl_place_set(place, work->view, &keys, work->scratch, work->change);
    pl_buf_deinit(&buf);
    return rc;
}

int pl_expiry_update(const struct pl_index_work *work, const struct pl_item *before,
                     const struct pl_item *after)
{
    uint64_t old = 0, new = 0;
    bool had = before != NULL && pl_expiry_second(work->table, *before, &old);
    bool has = after != NULL && pl_expiry_second(work->table, *after, &new);
    struct pl_place place;
    int rc = 0;

    if (had == has && old == new)
        return 0;
    if (had)
        rc = place_at(work, *before, old, &place);
    if (had && rc == 0)
        rc = pl_place_set(&place, work->view, NULL, work->scratch, work->change);
    if (has && rc == 0)
        rc = place_at(work, *after, new, &place);
    return has && rc == 0 ? enter(work, *after, &place) : rc;
}

int pl_expiry_fill(const struct pl_index_work *work, const struct pl_item *item)
{
    struct pl_place place;
    struct pl_item there;
    int rc = pl_expiry_place(work, item, &place);

    if (rc != 0)
        return rc == PL_ENOTFOUND ? 0 : rc;
    rc = pl_place_get(&place, work->view, &there);
    return rc == PL_ENOTFOUND ? enter(work, *item, &place) : rc;
}
