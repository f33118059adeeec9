/* SPDX-License-Identifier: MIT */
#include "partition/place.h"

#include "model/record.h"
#include "partition/change.h"

static int keep_full(struct pl_place *out, struct pl_bytes pk, struct pl_bytes tail, struct pl_arena *arena)
{
    char *full;

    out->full = (struct pl_bytes){ 0 };
    if (!out->key.shortened)
        return 0;
    full = pl_arena_alloc(arena, pk.len + tail.len);
    if (full == NULL)
        return PL_ENOMEM;
    memcpy(full, pk.data, pk.len);
    if (tail.len > 0)
        memcpy(full + pk.len, tail.data, tail.len);
    out->full = pl_bytes(full, pk.len + tail.len);
    return 0;
}

int pl_place_make(struct pl_place *out, const struct pl_keyspace *space, struct pl_bytes pk,
                  struct pl_bytes tail, struct pl_arena *arena)
{
    pl_key_build(&out->key, space, pk, tail);
    return keep_full(out, pk, tail, arena);
}

int pl_place_make_at(struct pl_place *out, const struct pl_keyspace *space, uint64_t second,
                     struct pl_bytes pk, struct pl_bytes tail, struct pl_arena *arena)
{
    pl_key_build_at(&out->key, space, second, pk, tail);
    return keep_full(out, pk, tail, arena);
}

bool pl_place_equal(const struct pl_place *a, const struct pl_place *b)
{
    return pl_bytes_equal(pl_key_view(&a->key), pl_key_view(&b->key)) && pl_bytes_equal(a->full, b->full);
}

int pl_place_get(const struct pl_place *place, const struct pl_view *view, struct pl_item *out)
{
    struct pl_bytes record;
    int rc = pl_view_get(view, pl_key_view(&place->key), &record);

    if (rc != 0)
        return rc;
    return pl_record_find(record, place->full, out) ? 0 : PL_ENOTFOUND;
}

static int set_in_bucket(const struct pl_place *place, const struct pl_view *view, const struct pl_item *item,
                         struct pl_buf *scratch, struct pl_buf *change)
{
    struct pl_bytes record = { 0 };
    int rc = pl_view_get(view, pl_key_view(&place->key), &record);

    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    pl_record_write_bucket(scratch, record, place->full, item);
    rc = pl_buf_status(scratch);
    if (rc != 0)
        return rc;
    if (scratch->len == 0)
        pl_change_delete(change, pl_key_view(&place->key));
    else
        pl_change_put(change, pl_key_view(&place->key), pl_buf_view(scratch));
    return pl_buf_status(change);
}

int pl_place_set(const struct pl_place *place, const struct pl_view *view, const struct pl_item *item,
                 struct pl_buf *scratch, struct pl_buf *change)
{
    pl_buf_clear(scratch);
    if (place->key.shortened)
        return set_in_bucket(place, view, item, scratch, change);
    if (item == NULL) {
        pl_change_delete(change, pl_key_view(&place->key));
        return pl_buf_status(change);
    }
    pl_record_write_single(scratch, *item);
    if (pl_buf_status(scratch) != 0)
        return PL_ENOMEM;
    pl_change_put(change, pl_key_view(&place->key), pl_buf_view(scratch));
    return pl_buf_status(change);
}
