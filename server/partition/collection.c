/* SPDX-License-Identifier: MIT */
#include "partition/collection.h"

#include "model/record.h"
#include "partition/change.h"

#include <stdio.h>

enum { PARTS_MAX = 1 + PL_LOCAL_INDEXES_MAX, ID_TEXT_MAX = 11 };

/* The table's items first, then each local index's entries. */
struct parts {
    struct part {
        enum pl_key_kind kind;
        uint32_t id;
        int64_t bytes;
    } parts[PARTS_MAX];
    uint32_t count;
};

static void begin(struct parts *parts, const struct pl_table *table)
{
    parts->parts[0] = (struct part){ PL_KIND_ITEM, table->id, 0 };
    parts->count = 1;
    for (uint32_t i = 0; i < table->index_count && parts->count < PARTS_MAX; i++)
        if (!table->indexes[i].global)
            parts->parts[parts->count++] = (struct part){ PL_KIND_LOCAL_INDEX, table->indexes[i].id, 0 };
}

static int64_t sum(const struct parts *parts)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < parts->count; i++)
        bytes += parts->parts[i].bytes;
    return bytes;
}

/* ---- the record ------------------------------------------------------------------------------------- */

static struct pl_bytes id_text(uint32_t id, char text[ID_TEXT_MAX])
{
    return pl_bytes(text, (size_t)snprintf(text, ID_TEXT_MAX, "%u", id));
}

/* An index that is not in the record had no entries when it was written. */
static int decode(struct parts *parts, struct pl_item record)
{
    char text[ID_TEXT_MAX];

    for (uint32_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->parts[i];
        struct pl_number number;
        struct pl_value value;

        if (!pl_item_find(record, id_text(part->id, text), &value))
            continue;
        if (value.type != PL_TYPE_N)
            return PL_ECORRUPT;
        pl_value_number(value, &number);
        if (!pl_number_to_int64(&number, &part->bytes))
            return PL_ECORRUPT;
    }
    return 0;
}

static int encode(const struct parts *parts, struct pl_buf *bytes, struct pl_arena *arena,
                  struct pl_item *out)
{
    char text[ID_TEXT_MAX];
    struct pl_builder b;

    pl_builder_init(&b, bytes, arena);
    pl_builder_begin_item(&b);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct pl_number number;

        pl_number_from_int64(parts->parts[i].bytes, &number);
        pl_builder_name(&b, id_text(parts->parts[i].id, text));
        pl_builder_number(&b, &number);
    }
    pl_builder_end(&b);
    return pl_builder_finish_item(&b, out, NULL);
}

static int place_of(const struct pl_collection_work *work, struct pl_bytes pk, struct pl_place *out)
{
    struct pl_keyspace space = { PL_KIND_COLLECTION, work->table->collection_id, work->partition_count };

    return pl_place_make(out, &space, pk, pl_bytes(NULL, 0), work->arena);
}

/* ---- the walk --------------------------------------------------------------------------------------- */

/* The keys of one collection in one keyspace. */
struct range {
    const struct pl_collection_work *work;
    struct pl_bytes pk;
    struct pl_key key; /* its first `prefix_len` bytes begin all of them */
    uint16_t prefix_len;
    const struct pl_view *layer; /* whose overlay is looked through */
    int64_t bytes;
    int rc;
};

static bool begins_with(struct pl_bytes bytes, struct pl_bytes prefix)
{
    return bytes.len >= prefix.len && memcmp(bytes.data, prefix.data, prefix.len) == 0;
}

/* Other partition keys with the same digest may stand in the same bucket. */
static int add_record(struct range *range, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    int rc = pl_record_open(record, &cursor);

    while (rc == 0 && pl_record_next(&cursor, &entry))
        if (!cursor.bucket || begins_with(entry.full_key, range->pk))
            range->bytes += entry.item.size_bytes;
    return rc;
}

static int walk_applied(struct range *range)
{
    const struct pl_view *view = range->work->view;
    struct pl_bytes key, record, prefix = pl_bytes(range->key.bytes, range->prefix_len);
    int rc = pl_snapshot_seek(view->snapshot, pl_key_view(&range->key), &key, &record);

    while (rc == 0 && begins_with(key, prefix)) {
        struct pl_bytes newest = record;

        if (pl_view_overlaid(view, key, &newest) != PL_INFLIGHT_TOMBSTONE)
            rc = add_record(range, newest);
        if (rc == 0)
            rc = pl_snapshot_next(view->snapshot, &key, &record);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static bool is_covered(const struct range *range, struct pl_bytes key)
{
    struct pl_bytes newer;

    for (const struct pl_view *view = range->work->view; view != range->layer; view = view->under)
        if (pl_inflight_get(view->inflight, key, &newer) != PL_INFLIGHT_UNKNOWN)
            return true;
    return false;
}

/* What is in flight and has no older image: the walk did not come to it. */
static void add_fresh(void *state, struct pl_bytes key, struct pl_bytes value)
{
    struct range *range = state;
    struct pl_bytes older;

    if (range->rc != 0 || !begins_with(key, pl_bytes(range->key.bytes, range->prefix_len)) ||
        is_covered(range, key))
        return;
    range->rc = pl_snapshot_get(range->work->view->snapshot, key, &older);
    if (range->rc == PL_ENOTFOUND)
        range->rc = add_record(range, value);
}

static int walk_in_flight(struct range *range)
{
    for (range->layer = range->work->view; range->layer != NULL; range->layer = range->layer->under)
        pl_inflight_each(range->layer->inflight, add_fresh, range);
    return range->rc;
}

/*
 * Whoever wrote under the catalog in force left a record. So what has none is applied, unless it was
 * written under an earlier catalog and is in flight still: only then is the whole overlay looked through.
 */
static int measure_part(const struct pl_collection_work *work, struct pl_bytes pk, struct part *part)
{
    struct pl_keyspace space = { part->kind, part->id, work->partition_count };
    struct range range = { .work = work, .pk = pk };

    pl_key_seek(&range.key, &space, pk, pl_bytes(NULL, 0), &range.prefix_len);
    range.rc = walk_applied(&range);
    if (range.rc == 0 && !work->view->settled)
        walk_in_flight(&range);
    part->bytes = range.bytes;
    return range.rc;
}

static int measure(const struct pl_collection_work *work, struct pl_bytes pk, struct parts *parts)
{
    int rc = 0;

    for (uint32_t i = 0; i < parts->count && rc == 0; i++)
        rc = measure_part(work, pk, &parts->parts[i]);
    return rc;
}

/* ---- both ------------------------------------------------------------------------------------------- */

static int find(const struct pl_collection_work *work, struct pl_bytes pk, bool walk,
                const struct pl_place *place, struct parts *parts, bool *recorded)
{
    struct pl_item record;
    int rc = pl_place_get(place, work->view, &record);

    begin(parts, work->table);
    *recorded = rc == 0;
    if (rc == 0)
        return decode(parts, record);
    return rc == PL_ENOTFOUND && walk ? measure(work, pk, parts) : rc;
}

int pl_collection_size(const struct pl_collection_work *work, struct pl_bytes pk, bool walk, uint64_t *out)
{
    struct pl_place place;
    struct parts parts;
    bool recorded;
    int rc = place_of(work, pk, &place);

    if (rc == 0)
        rc = find(work, pk, walk, &place, &parts, &recorded);
    if (rc == 0)
        *out = (uint64_t)sum(&parts);
    return rc;
}

/* True when any part differs. */
static bool add_counts(struct parts *parts, struct pl_bytes change)
{
    struct pl_effect effect;
    bool differs = false;

    while (pl_change_take(&change, &effect) == 1) {
        for (uint32_t i = 0; effect.kind == PL_EFFECT_COUNT && i < parts->count; i++) {
            if (parts->parts[i].id != effect.id || effect.size_bytes == 0)
                continue;
#ifdef PL_MUTANT_ONLY_GROWS
            if (effect.size_bytes < 0)
                continue;
#endif
            parts->parts[i].bytes += effect.size_bytes;
            differs = true;
        }
    }
    return differs;
}

static int write_record(const struct pl_collection_work *work, const struct pl_place *place,
                        const struct parts *parts)
{
    struct pl_buf bytes = { 0 };
    struct pl_item record;
    int rc = encode(parts, &bytes, work->arena, &record);

    if (rc == 0)
        rc = pl_place_set(place, work->view, &record, work->scratch, work->change);
    pl_buf_deinit(&bytes);
    return rc;
}

int pl_collection_update(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out)
{
    struct pl_place place;
    struct parts parts;
    bool recorded, differs;
    int64_t before, after;
    int rc = place_of(work, pk, &place);

    if (rc == 0)
        rc = find(work, pk, true, &place, &parts, &recorded);
    if (rc != 0)
        return rc;
    before = sum(&parts);
    differs = add_counts(&parts, pl_buf_view(work->change));
    after = sum(&parts);
    *out = (uint64_t)after;
    if (work->bytes_max > 0 && after > before && (uint64_t)after > work->bytes_max)
        return PL_ECOLLECTION;
    if (after == 0) /* no item, and so no entry */
        return recorded ? pl_place_set(&place, work->view, NULL, work->scratch, work->change) : 0;
    return recorded && !differs ? 0 : write_record(work, &place, &parts);
}

int pl_collection_check(const struct pl_collection_work *work, struct pl_bytes key, struct pl_bytes full_key,
                        struct pl_item record, uint64_t *recorded, uint64_t *found)
{
    size_t head = PL_KEY_PREFIX_BYTES + 1; /* of a plain key: what follows is the partition key */
    struct pl_bytes pk = full_key.len > 0 ? full_key
                         : key.len > head ? pl_bytes(key.data + head, key.len - head)
                                          : pl_bytes(NULL, 0);
    struct parts said, walked;
    int rc;

    begin(&said, work->table);
    begin(&walked, work->table);
    rc = decode(&said, record);
    if (rc == 0)
        rc = measure(work, pk, &walked);
    if (rc != 0)
        return rc;
    *recorded = (uint64_t)sum(&said);
    *found = (uint64_t)sum(&walked);
    return 0;
}
