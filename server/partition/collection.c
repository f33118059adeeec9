/* SPDX-License-Identifier: MIT */
#include "partition/collection.h"

#include "model/record.h"
#include "partition/change.h"

#include <stdio.h>

enum {
    PARTS_MAX = PL_COLLECTION_PARTS_MAX,
    ID_TEXT_MAX = 11,
#ifdef PL_SMALL_STEPS /* so that a test with few items takes many */
    WALK_MAX = 2,
    COUNT_STEP = 2,
#else
    WALK_MAX = 128,    /* records, while an index is filled: who finds more leaves it to the filling */
    COUNT_STEP = 4096, /* records */
#endif
};

static void begin(struct pl_collection_parts *parts, const struct pl_table *table)
{
    parts->parts[0] = (struct pl_collection_part){ PL_KIND_ITEM, table->id, 0 };
    parts->count = 1;
    for (uint32_t i = 0; i < table->index_count && parts->count < PARTS_MAX; i++)
        if (!table->indexes[i].global)
            parts->parts[parts->count++] =
                (struct pl_collection_part){ PL_KIND_LOCAL_INDEX, table->indexes[i].id, 0 };
}

static int64_t sum(const struct pl_collection_parts *parts)
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
static int decode(struct pl_collection_parts *parts, struct pl_item record)
{
    char text[ID_TEXT_MAX];

    for (uint32_t i = 0; i < parts->count; i++) {
        struct pl_collection_part *part = &parts->parts[i];
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

static int encode(const struct pl_collection_parts *parts, struct pl_buf *bytes, struct pl_arena *arena,
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
    uint32_t records_left;       /* to be walked over */
    struct pl_bytes after,
        upto; /* of what is in flight: only keys behind the one and not behind the other; empty: no end */
    int64_t bytes;
    int rc;
};

enum { MORE = 1 }; /* than may be walked over at once */

/* Other partition keys with the same digest may stand in the same bucket. */
static int add_record(struct range *range, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    int rc = pl_record_open(record, &cursor);

    while (rc == 0 && pl_record_next(&cursor, &entry))
        if (!cursor.bucket || pl_bytes_has_prefix(entry.full_key, range->pk))
            range->bytes += entry.item.size_bytes;
    return rc;
}

static int walk_applied(struct range *range)
{
    const struct pl_view *view = range->work->view;
    struct pl_bytes key, record, prefix = pl_bytes(range->key.bytes, range->prefix_len);
    int rc = pl_snapshot_seek(view->snapshot, range->after.len > 0 ? range->after : pl_key_view(&range->key),
                              &key, &record);

    if (rc == 0 && pl_bytes_equal(key, range->after))
        rc = pl_snapshot_next(view->snapshot, &key, &record);
    while (rc == 0 && pl_bytes_has_prefix(key, prefix)) {
        struct pl_bytes newest = record;

        if (range->records_left-- == 0)
            return MORE;
        range->upto = key;
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

    if (range->rc != 0 || !pl_bytes_has_prefix(key, pl_bytes(range->key.bytes, range->prefix_len)) ||
        pl_bytes_compare(key, range->after) <= 0 ||
        (range->upto.len > 0 && pl_bytes_compare(key, range->upto) > 0) || is_covered(range, key))
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

static void begin_range(struct range *range, const struct pl_collection_part *part)
{
    struct pl_keyspace space = { part->kind, part->id, range->work->partition_count };

    pl_key_seek(&range->key, &space, range->pk, pl_bytes(NULL, 0), &range->prefix_len);
}

/*
 * Whoever wrote under the catalog in force left a record. So what has none is applied, unless it was
 * written under an earlier catalog and is in flight still: only then is the whole overlay looked through.
 */
static int measure_part(const struct pl_collection_work *work, struct pl_bytes pk, uint32_t *records_left,
                        struct pl_collection_part *part)
{
    struct range range = { .work = work, .pk = pk, .records_left = *records_left };

    begin_range(&range, part);
    range.rc = walk_applied(&range);
    *records_left = range.records_left;
    range.upto = pl_bytes(NULL, 0);
    if (range.rc == 0 && !work->view->settled)
        walk_in_flight(&range);
    part->bytes = range.bytes;
    return range.rc;
}

static int measure(const struct pl_collection_work *work, struct pl_bytes pk, uint32_t records_max,
                   struct pl_collection_parts *parts)
{
    int rc = 0;

    for (uint32_t i = 0; i < parts->count && rc == 0; i++)
        rc = measure_part(work, pk, &records_max, &parts->parts[i]);
    return rc;
}

/* ---- both ------------------------------------------------------------------------------------------- */

/* PL_ENOTFOUND: there is none. */
static int find_record(const struct pl_collection_work *work, const struct pl_place *place,
                       struct pl_collection_parts *parts)
{
    struct pl_item record;
    int rc = pl_place_get(place, work->view, &record);

    begin(parts, work->table);
    return rc == 0 ? decode(parts, record) : rc;
}

int pl_collection_size(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out)
{
    struct pl_collection_parts parts;
    struct pl_place place;
    int rc = place_of(work, pk, &place);

    if (rc == 0)
        rc = find_record(work, &place, &parts);
    if (rc == 0)
        *out = (uint64_t)sum(&parts);
    return rc;
}

/* Once an index is filled, every collection that has anything in it has its record. */
static bool is_filling(const struct pl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!table->indexes[i].global && table->indexes[i].state == PL_INDEX_BACKFILLING)
            return true;
    return false;
}

/* True when any part differs. */
static bool add_counts(struct pl_collection_parts *parts, struct pl_bytes change)
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
                        const struct pl_collection_parts *parts)
{
    struct pl_buf bytes = { 0 };
    struct pl_item record;
    int rc = encode(parts, &bytes, work->arena, &record);

    if (rc == 0)
        rc = pl_place_set(place, work->view, &record, work->scratch, work->change);
    pl_buf_deinit(&bytes);
    return rc;
}

static int set_record(const struct pl_collection_work *work, const struct pl_place *place,
                      const struct pl_collection_parts *parts, bool recorded)
{
    if (sum(parts) > 0)
        return write_record(work, place, parts);
    /* No item, and so no entry. */
    return recorded ? pl_place_set(place, work->view, NULL, work->scratch, work->change) : 0;
}

int pl_collection_update(const struct pl_collection_work *work, struct pl_bytes pk, uint64_t *out)
{
    struct pl_collection_parts parts;
    struct pl_place place;
    bool recorded, differs;
    int64_t before, after;
    int rc = place_of(work, pk, &place);

    if (rc == 0)
        rc = find_record(work, &place, &parts);
    recorded = rc == 0;
    if (rc == PL_ENOTFOUND)
        rc = measure(work, pk, is_filling(work->table) ? WALK_MAX : UINT32_MAX, &parts);
    if (rc != 0)
        return rc == MORE ? PL_COLLECTION_UNCOUNTED : rc;
    before = sum(&parts);
    differs = add_counts(&parts, pl_buf_view(work->change));
    after = sum(&parts);
    *out = (uint64_t)after;
    if (work->bytes_max > 0 && after > before && (uint64_t)after > work->bytes_max)
        return PL_ECOLLECTION;
    return recorded && !differs ? 0 : set_record(work, &place, &parts, recorded);
}

/* ---- counting --------------------------------------------------------------------------------------- */

void pl_collection_count_deinit(struct pl_collection_count *count)
{
    pl_buf_deinit(&count->pk);
    pl_buf_deinit(&count->position);
    *count = (struct pl_collection_count){ 0 };
}

int pl_collection_count_begin(struct pl_collection_count *count, const struct pl_table *table,
                              struct pl_bytes pk)
{
    pl_buf_clear(&count->pk);
    pl_buf_append_bytes(&count->pk, pk);
    pl_buf_clear(&count->position);
    count->part = 0;
    count->spoiled = false;
    begin(&count->parts, table);
    count->active = pl_buf_status(&count->pk) == 0;
    return count->active ? 0 : PL_ENOMEM;
}

/* The table may have been altered meanwhile. */
static bool has_same_parts(const struct pl_collection_count *count, const struct pl_table *table)
{
    struct pl_collection_parts now;

    begin(&now, table);
    if (now.count != count->parts.count)
        return false;
    for (uint32_t i = 0; i < now.count; i++)
        if (now.parts[i].id != count->parts.parts[i].id)
            return false;
    return true;
}

/* What is in flight behind where the walk came from, and not behind where it came to, is new there. */
static int count_some(struct pl_collection_count *count, const struct pl_collection_work *work)
{
    struct pl_collection_part *part = &count->parts.parts[count->part];
    struct range range = { .work = work,
                           .pk = pl_buf_view(&count->pk),
                           .records_left = COUNT_STEP,
                           .after = pl_buf_view(&count->position) };
    int rc;

    begin_range(&range, part);
    rc = walk_applied(&range);
    if (rc < 0)
        return rc;
    if (rc == 0)
        range.upto = pl_bytes(NULL, 0);
    range.rc = 0;
    if (walk_in_flight(&range) != 0)
        return range.rc;
    part->bytes += range.bytes;
    if (rc == MORE) {
        struct pl_buf position = { 0 };

        pl_buf_append_bytes(&position, range.upto);
        if (pl_buf_status(&position) != 0)
            return PL_ENOMEM;
        pl_buf_deinit(&count->position);
        count->position = position;
        return 0;
    }
    pl_buf_clear(&count->position);
    count->part++;
    return 0;
}

static int write_counted(const struct pl_collection_count *count, const struct pl_collection_work *work)
{
    struct pl_collection_parts unheard;
    struct pl_place place;
    int rc = place_of(work, pl_buf_view(&count->pk), &place);

    if (rc == 0)
        rc = find_record(work, &place, &unheard);
    if (rc == PL_ENOTFOUND)
        return set_record(work, &place, &count->parts, false);
    return rc; /* it was small enough meanwhile for a write to count it */
}

int pl_collection_count_step(struct pl_collection_count *count, const struct pl_collection_work *work)
{
    int rc = 0;

    if (count->spoiled || !has_same_parts(count, work->table))
        return pl_collection_count_begin(count, work->table, pl_buf_view(&count->pk));
    if (count->part < count->parts.count)
        rc = count_some(count, work);
    if (rc != 0 || count->part < count->parts.count)
        return rc;
    rc = write_counted(count, work);
    count->active = rc != 0;
    return rc;
}

static int size_in(const struct pl_collection_count *count, struct pl_bytes record, int64_t *out)
{
    struct range range = { .pk = pl_buf_view(&count->pk) };
    int rc = add_record(&range, record);

    *out = range.bytes;
    return rc;
}

static bool is_counted(const struct pl_collection_count *count, const struct pl_collection_work *work,
                       struct pl_bytes key, uint32_t *part)
{
    for (uint32_t i = 0; i < count->parts.count && i <= count->part; i++) {
        struct range range = { .work = work, .pk = pl_buf_view(&count->pk) };

        begin_range(&range, &count->parts.parts[i]);
        if (!pl_bytes_has_prefix(key, pl_bytes(range.key.bytes, range.prefix_len)))
            continue;
        *part = i;
        return i < count->part || pl_bytes_compare(key, pl_buf_view(&count->position)) <= 0;
    }
    return false;
}

void pl_collection_count_note(struct pl_collection_count *count, const struct pl_collection_work *work,
                              struct pl_bytes key, struct pl_bytes value, bool tombstone)
{
    struct pl_bytes older;
    int64_t before = 0, after = 0;
    uint32_t part = 0;
    int rc;

    if (!is_counted(count, work, key, &part))
        return;
    rc = pl_view_get(work->view, key, &older);
    if (rc == 0)
        rc = size_in(count, older, &before);
    else if (rc == PL_ENOTFOUND)
        rc = 0;
    if (rc == 0 && !tombstone)
        rc = size_in(count, value, &after);
    count->spoiled = count->spoiled || rc != 0;
    count->parts.parts[part].bytes += after - before;
}

int pl_collection_check(const struct pl_collection_work *work, struct pl_bytes key, struct pl_bytes full_key,
                        struct pl_item record, uint64_t *recorded, uint64_t *found)
{
    size_t head = PL_KEY_PREFIX_BYTES + 1; /* of a plain key: what follows is the partition key */
    struct pl_bytes pk = full_key.len > 0 ? full_key
                         : key.len > head ? pl_bytes(key.data + head, key.len - head)
                                          : pl_bytes(NULL, 0);
    struct pl_collection_parts said, walked;
    int rc;

    begin(&said, work->table);
    begin(&walked, work->table);
    rc = decode(&said, record);
    if (rc == 0)
        rc = measure(work, pk, UINT32_MAX, &walked);
    if (rc != 0)
        return rc;
    *recorded = (uint64_t)sum(&said);
    *found = (uint64_t)sum(&walked);
    return 0;
}
