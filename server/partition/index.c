/* SPDX-License-Identifier: MIT */
#include "partition/index.h"

#include "partition/change.h"
#include "partition/prepare.h"

/* ---- what an entry holds ---------------------------------------------------------------------------- */

static bool is_projected(const struct pl_table *table, const struct pl_index *index, struct pl_bytes name)
{
    if (pl_key_schema_has(&index->keys, name) || pl_key_schema_has(&table->keys, name))
        return true;
    for (uint32_t i = 0; i < index->name_count; i++)
        if (pl_bytes_equal(index->names[i], name))
            return true;
    return false;
}

static void add_named(struct pl_builder *b, const struct pl_index_work *work, const struct pl_index *index,
                      struct pl_item item)
{
    struct pl_bytes in = item.bytes, name;
    struct pl_value value;

    while (pl_entry_take(&in, &name, &value)) {
        if (!is_projected(work->table, index, name))
            continue;
        pl_builder_name(b, name);
        pl_builder_value(b, value);
    }
}

static bool has_attributes(struct pl_item item, const struct pl_key_attribute *attributes, uint32_t count)
{
    struct pl_value value;

    for (uint32_t i = 0; i < count; i++)
        if (!pl_item_find(item, attributes[i].name, &value))
            return false;
    return true;
}

static uint64_t named_bytes(const struct pl_table *table, const struct pl_index *index, struct pl_item item)
{
    struct pl_bytes in = item.bytes, name;
    struct pl_value value;
    uint64_t bytes = 0;

    while (pl_entry_take(&in, &name, &value))
        if (is_projected(table, index, name))
            bytes += name.len + pl_value_size_bytes(value);
    return bytes;
}

uint64_t pl_index_local_bytes_of(const struct pl_table *table, struct pl_item item)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct pl_index *index = &table->indexes[i];

        if (index->global || index->projection == PL_PROJECT_FUNCTION ||
            !has_attributes(item, index->keys.sort, index->keys.sort_count))
            continue;
        bytes += index->projection == PL_PROJECT_ALL ? item.size_bytes : named_bytes(table, index, item);
    }
    return bytes;
}

/*
 * What the function returned, with the item's own key over it, and the index's keys
 * taken from the item where the function did not compute them.
 */
static void add_computed(struct pl_builder *b, const struct pl_index_work *work, const struct pl_index *index,
                         struct pl_item item, struct pl_item computed)
{
    struct pl_bytes in = computed.bytes, name;
    struct pl_value value, unused;

    while (pl_entry_take(&in, &name, &value)) {
        if (pl_key_schema_has(&work->table->keys, name))
            continue;
        pl_builder_name(b, name);
        pl_builder_value(b, value);
    }
    in = item.bytes;
    while (pl_entry_take(&in, &name, &value)) {
        if (!pl_key_schema_has(&work->table->keys, name) &&
            (!pl_key_schema_has(&index->keys, name) || pl_item_find(computed, name, &unused)))
            continue;
        pl_builder_name(b, name);
        pl_builder_value(b, value);
    }
}

static int compute(const struct pl_index_work *work, const struct pl_index *index, const struct pl_item *item,
                   struct pl_buf *buf, struct pl_item *out, struct pl_reason *why)
{
    const struct pl_table *definition;
    bool skipped;
    int rc;

    if (work->script == NULL)
        return pl_reason_set(why, PL_ESCRIPT,
                             "indexes.%.*s: the module with its project function is not loaded",
                             (int)index->name.len, index->name.data);
    definition = pl_table_script_definition(work->script);
    for (uint32_t i = 0; i < definition->index_count; i++) {
        if (!pl_bytes_equal(definition->indexes[i].name, index->name))
            continue;
        rc = pl_script_project(work->script, i, item, work->arena, buf, out, &skipped, why);
        return rc == 0 && skipped ? PL_ENOTFOUND : rc;
    }
    return pl_reason_set(why, PL_ESCRIPT, "indexes.%.*s: the loaded module has no project function for it",
                         (int)index->name.len, index->name.data);
}

/* The bytes of a built item, moved to where they live as long as the evaluation. */
static int settle(struct pl_builder *b, struct pl_buf *buf, struct pl_arena *arena, struct pl_item *out,
                  struct pl_reason *why)
{
    struct pl_item item;
    int rc = pl_builder_finish_item(b, &item, why);

    if (rc == 0) {
        item.bytes = pl_arena_copy(arena, item.bytes);
        if (item.bytes.data == NULL)
            rc = PL_ENOMEM;
        else
            *out = item;
    }
    pl_buf_deinit(buf);
    return rc;
}

static int entry_item(const struct pl_index_work *work, const struct pl_index *index,
                      const struct pl_item *item, struct pl_item *out, struct pl_reason *why)
{
    struct pl_buf buf = { 0 }, computed_bytes = { 0 };
    struct pl_item computed;
    struct pl_builder b;
    int rc;

    if (index->projection == PL_PROJECT_ALL) {
        *out = *item;
        return 0;
    }
    pl_builder_init(&b, &buf, work->arena);
    pl_builder_begin_item(&b);
    if (index->projection == PL_PROJECT_FUNCTION) {
        rc = compute(work, index, item, &computed_bytes, &computed, why);
        if (rc != 0) {
            pl_buf_deinit(&computed_bytes);
            pl_buf_deinit(&buf);
            return rc;
        }
        add_computed(&b, work, index, *item, computed);
    } else {
        add_named(&b, work, index, *item);
    }
    pl_builder_end(&b);
    pl_buf_deinit(&computed_bytes);
    return settle(&b, &buf, work->arena, out, why);
}

/* ---- where it stands -------------------------------------------------------------------------------- */

static int update_failure(enum pl_key_found found, const struct pl_key_attribute *bad, struct pl_reason *why)
{
    switch (found) {
    case PL_KEY_WRONG_TYPE:
        return pl_reason_set(
            why, PL_EINVALID,
            "The update expression attempted to update the secondary index key to unsupported type");
    case PL_KEY_EMPTY:
        return pl_reason_set(
            why, PL_EINVALID,
            "One or more parameter values are not valid. The update expression attempted to update a "
            "secondary index key to a value that is not supported. The AttributeValue for a key "
            "attribute cannot contain an empty %s value.",
            bad->type == PL_TYPE_B ? "binary" : "string");
    default:
        return pl_reason_set(
            why, PL_EINVALID,
            "The update expression attempted to update the secondary index key beyond allowed size limits");
    }
}

static int key_failure(const struct pl_index_work *work, const struct pl_index *index,
                       enum pl_key_found found, const struct pl_key_attribute *bad, struct pl_item entry,
                       struct pl_reason *why)
{
    if (index->projection == PL_PROJECT_FUNCTION)
        return pl_reason_set(why, PL_ESCRIPT,
                             "indexes.%.*s.project: %.*s must be a non-empty %s within the key limits",
                             (int)index->name.len, index->name.data, (int)bad->name.len, bad->name.data,
                             pl_type_name(bad->type));
    if (work->by_update)
        return update_failure(found, bad, why);
    return pl_prepare_index_key_failure(found, index, bad, entry, why);
}

static int encode_place(const struct pl_index_work *work, const struct pl_index *index, struct pl_item entry,
                        struct pl_buf *pk, struct pl_buf *tail, struct pl_buf *base, struct pl_place *out,
                        struct pl_reason *why)
{
    struct pl_keyspace space = { index->global ? PL_KIND_GLOBAL_INDEX : PL_KIND_LOCAL_INDEX, index->id,
                                 work->partition_count };
    const struct pl_key_attribute *bad = NULL;
    enum pl_key_found found = pl_key_schema_encode(&index->keys, entry, pk, tail, &bad);

    if (found == PL_KEY_MISSING)
        return PL_ENOTFOUND;
    if (found != PL_KEY_WHOLE)
        return key_failure(work, index, found, bad, entry, why);
    if (pl_key_schema_encode(&work->table->keys, entry, tail, base, NULL) != PL_KEY_WHOLE)
        return PL_ECORRUPT; /* an item in the table has its key */
    pl_buf_append_bytes(tail, pl_buf_view(base));
    if (pl_buf_status(pk) != 0 || pl_buf_status(tail) != 0 || pl_buf_status(base) != 0)
        return PL_ENOMEM;
    return pl_place_make(out, &space, pl_buf_view(pk), pl_buf_view(tail), work->arena);
}

int pl_index_entry_of(const struct pl_index_work *work, const struct pl_index *index,
                      const struct pl_item *item, struct pl_index_entry *out, struct pl_reason *why)
{
    struct pl_buf pk = { 0 }, tail = { 0 }, base = { 0 };
    int rc = entry_item(work, index, item, &out->item, why);

    if (rc == 0)
        rc = encode_place(work, index, out->item, &pk, &tail, &base, &out->place, why);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    pl_buf_deinit(&base);
    return rc;
}

/* ---- where a function put it ------------------------------------------------------------------------ */

static bool is_computed(const struct pl_index *index)
{
    return index->projection == PL_PROJECT_FUNCTION;
}

/* Where it is remembered: `item` is the item or its entry, for both have the item's key. */
static int memory_of(const struct pl_index_work *work, const struct pl_index *index, struct pl_item item,
                     struct pl_place *out)
{
    struct pl_keyspace space = { PL_KIND_INDEX_PLACE, index->id, work->partition_count };
    struct pl_buf pk = { 0 }, tail = { 0 };
    int rc = PL_ECORRUPT; /* an item in the table has its key */

    if (pl_key_schema_encode(&work->table->keys, item, &pk, &tail, NULL) == PL_KEY_WHOLE)
        rc = pl_buf_status(&pk) != 0 || pl_buf_status(&tail) != 0
                 ? PL_ENOMEM
                 : pl_place_make(out, &space, pl_buf_view(&pk), pl_buf_view(&tail), work->arena);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

/* The key attributes of an entry, which say where it stands. */
static int keys_of(const struct pl_index_work *work, const struct pl_index *index, struct pl_item entry,
                   struct pl_item *out)
{
    struct pl_buf buf = { 0 };
    struct pl_bytes in = entry.bytes, name;
    struct pl_value value;
    struct pl_builder b;

    pl_builder_init(&b, &buf, work->arena);
    pl_builder_begin_item(&b);
    while (pl_entry_take(&in, &name, &value)) {
        if (!pl_key_schema_has(&index->keys, name) && !pl_key_schema_has(&work->table->keys, name))
            continue;
        pl_builder_name(&b, name);
        pl_builder_value(&b, value);
    }
    pl_builder_end(&b);
    return settle(&b, &buf, work->arena, out, NULL);
}

static int remember(const struct pl_index_work *work, const struct pl_index *index, struct pl_item entry)
{
    struct pl_place memory;
    struct pl_item keys;
    int rc = memory_of(work, index, entry, &memory);

    if (rc == 0)
        rc = keys_of(work, index, entry, &keys);
    return rc != 0 ? rc : pl_place_set(&memory, work->view, &keys, work->scratch, work->change);
}

static int forget(const struct pl_index_work *work, const struct pl_index *index, struct pl_item entry)
{
    struct pl_place memory;
    int rc = memory_of(work, index, entry, &memory);

    return rc != 0 ? rc : pl_place_set(&memory, work->view, NULL, work->scratch, work->change);
}

/* PL_ENOTFOUND: the function put nothing there for this item. */
static int recall(const struct pl_index_work *work, const struct pl_index *index, struct pl_item item,
                  struct pl_place *out)
{
    struct pl_buf pk = { 0 }, tail = { 0 }, base = { 0 };
    struct pl_place memory;
    struct pl_item keys;
    int rc = memory_of(work, index, item, &memory);

    if (rc == 0)
        rc = pl_place_get(&memory, work->view, &keys);
    if (rc == 0) {
        rc = encode_place(work, index, keys, &pk, &tail, &base, out, NULL);
        if (rc == PL_ENOTFOUND || rc == PL_ESCRIPT)
            rc = PL_ECORRUPT;
    }
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    pl_buf_deinit(&base);
    return rc;
}

/* ---- what changes ----------------------------------------------------------------------------------- */

static void count_entry(const struct pl_index_work *work, const struct pl_index *index,
                        const struct pl_index_entry *entry, int sign)
{
    pl_change_count(work->change, pl_get_be16(entry->place.key.bytes), index->id, sign,
                    sign * (int64_t)entry->item.size_bytes);
}

static int remove_entry(const struct pl_index_work *work, const struct pl_index *index,
                        const struct pl_index_entry *entry)
{
    count_entry(work, index, entry, -1);
    pl_capacity_add_index(work->capacity, index->name, index->global,
                          pl_capacity_write(entry->item.size_bytes, 0));
    if (is_computed(index)) {
        int rc = forget(work, index, entry->item);

        if (rc != 0)
            return rc;
    }
    return pl_place_set(&entry->place, work->view, NULL, work->scratch, work->change);
}

static int add_entry(const struct pl_index_work *work, const struct pl_index *index,
                     const struct pl_index_entry *entry)
{
    count_entry(work, index, entry, 1);
    pl_capacity_add_index(work->capacity, index->name, index->global,
                          pl_capacity_write(0, entry->item.size_bytes));
    if (is_computed(index)) {
        int rc = remember(work, index, entry->item);

        if (rc != 0)
            return rc;
    }
    return pl_place_set(&entry->place, work->view, &entry->item, work->scratch, work->change);
}

static int replace_entry(const struct pl_index_work *work, const struct pl_index *index,
                         const struct pl_index_entry *before, const struct pl_index_entry *after)
{
    pl_change_count(work->change, pl_get_be16(after->place.key.bytes), index->id, 0,
                    (int64_t)after->item.size_bytes - (int64_t)before->item.size_bytes);
    pl_capacity_add_index(work->capacity, index->name, index->global,
                          pl_capacity_write(before->item.size_bytes, after->item.size_bytes));
    return pl_place_set(&after->place, work->view, &after->item, work->scratch, work->change);
}

int pl_index_entry_stored(const struct pl_index_work *work, const struct pl_index *index,
                          const struct pl_item *item, struct pl_index_entry *out)
{
    struct pl_reason unheard;
    int rc;

    if (is_computed(index)) {
        rc = recall(work, index, *item, &out->place);
        if (rc != 0)
            return rc;
        rc = pl_place_get(&out->place, work->view, &out->item);
        return rc == PL_ENOTFOUND ? PL_ECORRUPT : rc;
    }
    rc = pl_index_entry_of(work, index, item, out, &unheard);
    if (rc == PL_EINVALID)
        return PL_ENOTFOUND; /* written before there was the index, which then left it out */
    /* While an index is being filled there may be no entry yet: what counts is what is stored. */
    return rc == 0 && index->state == PL_INDEX_BACKFILLING ? pl_place_get(&out->place, work->view, &out->item)
                                                           : rc;
}

/*
 * A bucket is written whole, so an entry that moves within one bucket must not be
 * two effects made from the same old bucket: the second would undo the first.
 */
static int move_in_bucket(const struct pl_index_work *work, const struct pl_index *index,
                          const struct pl_index_entry *before, const struct pl_index_entry *after)
{
    struct pl_inflight *own;
    struct pl_effect effect;
    struct pl_bytes made;
    size_t from = work->change->len;
    struct pl_view view = { .under = work->view, .snapshot = work->view->snapshot };
    struct pl_index_work second = *work;
    int rc;

    rc = remove_entry(work, index, before);
    if (rc != 0)
        return rc;
    rc = pl_inflight_new(0, &own);
    if (rc != 0)
        return rc;
    made = pl_arena_copy(work->arena, pl_bytes(work->change->data + from, work->change->len - from));
    rc = made.data == NULL ? PL_ENOMEM : 0;
    while (rc == 0 && pl_change_take(&made, &effect) == 1)
        if (effect.kind != PL_EFFECT_COUNT)
            rc = pl_inflight_set(own, 1, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE);
    view.inflight = own;
    second.view = &view;
    if (rc == 0)
        rc = add_entry(&second, index, after);
    pl_inflight_free(own);
    return rc;
}

static int update_one(const struct pl_index_work *work, const struct pl_index *index,
                      const struct pl_item *before, const struct pl_item *after,
                      struct pl_index_local_bytes *local, struct pl_reason *why)
{
    struct pl_index_entry old, new;
    int had = before == NULL ? PL_ENOTFOUND : pl_index_entry_stored(work, index, before, &old);
    int has = after == NULL ? PL_ENOTFOUND : pl_index_entry_of(work, index, after, &new, why);
    int rc;

    if (had != 0 && had != PL_ENOTFOUND)
        return had;
    if (has != 0 && has != PL_ENOTFOUND)
        return has;
    if (had == 0 && !index->global)
        local->before += old.item.size_bytes;
    if (has == 0 && !index->global)
        local->after += new.item.size_bytes;
    if (had != 0)
        return has != 0 ? 0 : add_entry(work, index, &new);
    if (has != 0)
        return remove_entry(work, index, &old);
    if (pl_place_equal(&old.place, &new.place))
        return pl_bytes_equal(old.item.bytes, new.item.bytes) ? 0 : replace_entry(work, index, &old, &new);
    if (pl_bytes_equal(pl_key_view(&old.place.key), pl_key_view(&new.place.key)))
        return move_in_bucket(work, index, &old, &new);
    rc = remove_entry(work, index, &old);
    return rc != 0 ? rc : add_entry(work, index, &new);
}

int pl_index_update(const struct pl_index_work *work, const struct pl_item *before,
                    const struct pl_item *after, struct pl_index_local_bytes *local, struct pl_reason *why)
{
    *local = (struct pl_index_local_bytes){ 0 };
    for (uint32_t i = 0; i < work->table->index_count; i++) {
        int rc = update_one(work, &work->table->indexes[i], before, after, local, why);

        if (rc != 0)
            return rc;
    }
    return 0;
}

int pl_index_fill(const struct pl_index_work *work, const struct pl_index *index, const struct pl_item *item,
                  struct pl_reason *why)
{
    struct pl_index_entry entry;
    struct pl_item there;
    int rc;

    if (is_computed(index)) {
        rc = recall(work, index, *item, &entry.place);
        if (rc != PL_ENOTFOUND)
            return rc; /* a write has been here already */
    }
    rc = pl_index_entry_of(work, index, item, &entry, why);
    if (rc == PL_ENOTFOUND || rc == PL_EINVALID || rc == PL_ESCRIPT)
        return rc == PL_ESCRIPT ? rc : 0; /* skipped silently, as DynamoDB's backfill does */
    if (rc != 0)
        return rc;
    rc = pl_place_get(&entry.place, work->view, &there);
    if (rc != PL_ENOTFOUND)
        return rc;
    return add_entry(work, index, &entry);
}
