/* SPDX-License-Identifier: MIT */
#include "partition/verify.h"

#include "model/record.h"
#include "partition/collection.h"
#include "partition/expiry.h"
#include "partition/token.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCES_MAX = 100 };

static int copy_one(void *state, const struct pl_count *count)
{
    return pl_counters_add(state, count->partition, count->id, count->items, count->size_bytes);
}

int pl_counters_copy(struct pl_counters *counters, struct pl_counters **out)
{
    struct pl_counters *copy;
    int rc = pl_counters_new(&copy);

    if (rc != 0)
        return rc;
    rc = pl_counters_each(counters, copy_one, copy);
    if (rc != 0) {
        pl_counters_free(copy);
        return rc;
    }
    *out = copy;
    return 0;
}

void pl_verify_fault(struct pl_verify *verify, const char *format, ...)
{
    struct pl_reason said;
    va_list args;

    if (verify->faults++ >= SENTENCES_MAX)
        return;
    va_start(args, format);
    pl_reason_vset(&said, PL_ECORRUPT, format, args);
    va_end(args);
    pl_buf_append_format(verify->sentences, "%s\n", said.text);
}

/* A walk over one keyspace. */
struct walk {
    struct pl_verify *verify;
    const struct pl_table *table;
    const struct pl_index *index; /* NULL: the items */
    struct pl_index_work *work;
    struct pl_keyspace space;
    uint64_t count, size_bytes;
};

static bool has_no_function(const struct pl_index *index)
{
    return index->projection != PL_PROJECT_FUNCTION;
}

/* ---- an item ---------------------------------------------------------------------------------------- */

static int check_entry(struct walk *walk, const struct pl_index *index, const struct pl_item *item)
{
    struct pl_index_entry entry;
    struct pl_item there;
    int rc = has_no_function(index) ? pl_index_entry_of(walk->work, index, item, &entry, NULL)
                                    : pl_index_entry_stored(walk->work, index, item, &entry);

    if (rc == PL_ENOTFOUND || rc == PL_EINVALID)
        return 0; /* it has none */
    if (rc == PL_ECORRUPT && !has_no_function(index)) {
        pl_verify_fault(walk->verify, "%.*s/%.*s: an item's entry is not where it was put",
                        (int)walk->table->name.len, walk->table->name.data, (int)index->name.len,
                        index->name.data);
        return 0;
    }
    if (rc != 0)
        return rc;
    rc = pl_place_get(&entry.place, walk->work->view, &there);
    if (rc == PL_ENOTFOUND) {
        pl_verify_fault(walk->verify, "%.*s/%.*s: an item has no entry", (int)walk->table->name.len,
                        walk->table->name.data, (int)index->name.len, index->name.data);
        return 0;
    }
    if (rc == 0 && !pl_bytes_equal(there.bytes, entry.item.bytes))
        pl_verify_fault(walk->verify, "%.*s/%.*s: an entry differs from its item", (int)walk->table->name.len,
                        walk->table->name.data, (int)index->name.len, index->name.data);
    return rc;
}

/* The entry under the second in which the item expires, if it does. */
static int check_expiry(struct walk *walk, const struct pl_item *item)
{
    struct pl_place place;
    struct pl_item there;
    int rc = pl_expiry_place(walk->work, item, &place);

    if (rc != 0)
        return rc == PL_ENOTFOUND ? 0 : rc;
    rc = pl_place_get(&place, walk->work->view, &there);
    if (rc != PL_ENOTFOUND)
        return rc;
    pl_verify_fault(walk->verify, "%.*s: an item that expires has no expiry", (int)walk->table->name.len,
                    walk->table->name.data);
    return 0;
}

/* PL_ENOTFOUND when the item lacks a part of its key. */
static int encode_key(const struct walk *walk, struct pl_item item, struct pl_buf *pk, struct pl_buf *tail)
{
    if (pl_key_schema_encode(&walk->table->keys, item, pk, tail, NULL) != PL_KEY_WHOLE)
        return PL_ENOTFOUND;
    return pl_buf_status(pk) != 0 || pl_buf_status(tail) != 0 ? PL_ENOMEM : 0;
}

static int check_item(struct walk *walk, struct pl_bytes key, struct pl_item item)
{
    struct pl_keyspace space = { PL_KIND_ITEM, walk->table->id, walk->verify->partition_count };
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_key place;
    int rc = encode_key(walk, item, &pk, &tail);

    if (rc == PL_ENOTFOUND) {
        rc = 0;
        pl_verify_fault(walk->verify, "%.*s: an item lacks its key", (int)walk->table->name.len,
                        walk->table->name.data);
    } else if (rc == 0) {
        pl_key_build(&place, &space, pl_buf_view(&pk), pl_buf_view(&tail));
        if (!pl_bytes_equal(pl_key_view(&place), key))
            pl_verify_fault(walk->verify, "%.*s: an item stands in another's place",
                            (int)walk->table->name.len, walk->table->name.data);
        for (uint32_t i = 0; i < walk->table->index_count && rc == 0; i++)
            if (walk->table->indexes[i].state == PL_INDEX_ACTIVE)
                rc = check_entry(walk, &walk->table->indexes[i], &item);
        if (rc == 0 && walk->table->expiry_id != 0 && !walk->table->expiry_filling)
            rc = check_expiry(walk, &item);
    }
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

/* ---- an entry --------------------------------------------------------------------------------------- */

/* What a function put into the index must be what its item remembers: nothing else finds it again. */
static int check_is_remembered(struct walk *walk, struct pl_bytes key, struct pl_item entry,
                               struct pl_item item)
{
    struct pl_index_entry stored;
    int rc = pl_index_entry_stored(walk->work, walk->index, &item, &stored);

    /* One record may hold several entries of an item: then their bytes differ. */
    if (rc == 0 && pl_bytes_equal(pl_key_view(&stored.place.key), key) &&
        pl_bytes_equal(stored.item.bytes, entry.bytes))
        return 0;
    if (rc != 0 && rc != PL_ENOTFOUND && rc != PL_ECORRUPT)
        return rc;
    pl_verify_fault(walk->verify, "%.*s/%.*s: an entry that its item does not know",
                    (int)walk->table->name.len, walk->table->name.data, (int)walk->index->name.len,
                    walk->index->name.data);
    return 0;
}

/* The item whose key `like` has. PL_ENOTFOUND: none, or `like` lacks a part of it. */
static int find_item(struct walk *walk, struct pl_item like, struct pl_item *out)
{
    struct pl_keyspace space = { PL_KIND_ITEM, walk->table->id, walk->verify->partition_count };
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_place place;
    int rc = encode_key(walk, like, &pk, &tail);

    if (rc == 0)
        rc = pl_place_make(&place, &space, pl_buf_view(&pk), pl_buf_view(&tail), walk->work->arena);
    if (rc == 0)
        rc = pl_place_get(&place, walk->work->view, out);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

static int check_entry_item(struct walk *walk, struct pl_bytes key, struct pl_item entry)
{
    struct pl_item item;
    int rc = find_item(walk, entry, &item);

    if (rc == 0 && !has_no_function(walk->index))
        return check_is_remembered(walk, key, entry, item);
    if (rc != PL_ENOTFOUND)
        return rc;
    pl_verify_fault(walk->verify, "%.*s/%.*s: an entry has no item", (int)walk->table->name.len,
                    walk->table->name.data, (int)walk->index->name.len, walk->index->name.data);
    return 0;
}

static int check_expiry_item(struct walk *walk, struct pl_bytes key, struct pl_item entry)
{
    struct pl_place place;
    struct pl_item item;
    int rc = find_item(walk, entry, &item);

    if (rc == 0)
        rc = pl_expiry_place(walk->work, &item, &place);
    if (rc == 0 && pl_bytes_equal(pl_key_view(&place.key), key))
        return 0;
    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    pl_verify_fault(walk->verify, "%.*s: an expiry whose item does not expire then",
                    (int)walk->table->name.len, walk->table->name.data);
    return 0;
}

/* ---- where a function put an entry ------------------------------------------------------------------ */

/* From the item we come to its place and its entry; what no item leads to is seen only from here. */
static int check_place_item(struct walk *walk, struct pl_item remembered)
{
    struct pl_item item;
    int rc = find_item(walk, remembered, &item);

    if (rc != PL_ENOTFOUND)
        return rc;
    pl_verify_fault(walk->verify, "%.*s/%.*s: an entry's place is remembered for an item that is not there",
                    (int)walk->table->name.len, walk->table->name.data, (int)walk->index->name.len,
                    walk->index->name.data);
    return 0;
}

/* ---- a collection ----------------------------------------------------------------------------------- */

static int check_collection(struct walk *walk, struct pl_bytes key, const struct pl_record_entry *entry)
{
    struct pl_collection_work work = { .view = walk->work->view,
                                       .partition_count = walk->verify->partition_count,
                                       .table = walk->table };
    uint64_t recorded = 0, found = 0;
    int rc = pl_collection_check(&work, key, entry->full_key, entry->item, &recorded, &found);

    if (rc == PL_ECORRUPT || (rc == 0 && recorded != found)) {
        pl_verify_fault(walk->verify, "%.*s: a collection's size is %llu, and its record says %llu",
                        (int)walk->table->name.len, walk->table->name.data, (unsigned long long)found,
                        (unsigned long long)recorded);
        rc = 0;
    }
    return rc;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static int check_one(struct walk *walk, struct pl_bytes key, const struct pl_record_entry *entry)
{
    switch (walk->space.kind) {
    case PL_KIND_ITEM:
        return check_item(walk, key, entry->item);
    case PL_KIND_INDEX_PLACE:
        return check_place_item(walk, entry->item);
    case PL_KIND_COLLECTION:
        return check_collection(walk, key, entry);
    case PL_KIND_EXPIRY:
        return check_expiry_item(walk, key, entry->item);
    default:
        return check_entry_item(walk, key, entry->item);
    }
}

static int check_record(struct walk *walk, struct pl_bytes key, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    struct pl_item checked;
    int rc = pl_record_open(record, &cursor);

    if (rc != 0) {
        pl_verify_fault(walk->verify, "%.*s: a record cannot be read", (int)walk->table->name.len,
                        walk->table->name.data);
        return 0;
    }
    while (rc == 0 && pl_record_next(&cursor, &entry)) {
        walk->count++;
        walk->size_bytes += entry.item.size_bytes;
        if (pl_item_check(entry.item.bytes, &checked) != 0 || checked.size_bytes != entry.item.size_bytes) {
            pl_verify_fault(walk->verify, "%.*s: an item is malformed", (int)walk->table->name.len,
                            walk->table->name.data);
            continue;
        }
        rc = check_one(walk, key, &entry);
        pl_arena_reset(walk->work->arena);
    }
    return rc;
}

static int walk_partition(struct walk *walk, uint32_t p)
{
    struct pl_bytes key, record;
    struct pl_key start;
    int rc;

    pl_key_partition_start(&start, &walk->space, (uint16_t)p, 0);
    rc = pl_snapshot_seek(walk->verify->snapshot, pl_key_view(&start), &key, &record);
    while (rc == 0 && pl_key_in_partition(key, &walk->space, (uint16_t)p)) {
        rc = check_record(walk, key, record);
        if (rc == 0 && walk->space.kind == PL_KIND_COLLECTION) /* whose items were walked meanwhile */
            rc = pl_snapshot_seek(walk->verify->snapshot, key, &key, &record);
        if (rc == 0)
            rc = pl_snapshot_next(walk->verify->snapshot, &key, &record);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int walk_keyspace(struct walk *walk, enum pl_key_kind kind, uint32_t id)
{
    int rc = 0;

    walk->space = (struct pl_keyspace){ kind, id, walk->verify->partition_count };
    walk->count = walk->size_bytes = 0;
    for (uint32_t p = 0; p < walk->space.partition_count && rc == 0; p++) {
        rc = walk_partition(walk, p);
        if (rc == PL_ECORRUPT) {
            pl_verify_fault(walk->verify, "%.*s: partition %u: stored data failed its checksum",
                            (int)walk->table->name.len, walk->table->name.data, p);
            rc = 0;
        }
    }
    return rc;
}

static void compare_counts(struct walk *walk)
{
    struct pl_count counted = pl_counters_total(walk->verify->counters, walk->space.id);

    if ((uint64_t)counted.items != walk->count || (uint64_t)counted.size_bytes != walk->size_bytes)
        pl_verify_fault(walk->verify, "%.*s%s%.*s: counted %lld items of %lld bytes, found %llu of %llu",
                        (int)walk->table->name.len, walk->table->name.data, walk->index == NULL ? "" : "/",
                        walk->index == NULL ? 0 : (int)walk->index->name.len,
                        walk->index == NULL ? "" : walk->index->name.data, (long long)counted.items,
                        (long long)counted.size_bytes, (unsigned long long)walk->count,
                        (unsigned long long)walk->size_bytes);
    walk->verify->size_bytes += walk->size_bytes;
}

static int verify_index(struct walk *walk)
{
    enum pl_key_kind kind = walk->index->global ? PL_KIND_GLOBAL_INDEX : PL_KIND_LOCAL_INDEX;
    int rc = walk_keyspace(walk, kind, walk->index->id);

    if (rc != 0)
        return rc;
    compare_counts(walk);
    walk->verify->entries += walk->count;
    return has_no_function(walk->index) ? 0 : walk_keyspace(walk, PL_KIND_INDEX_PLACE, walk->index->id);
}

static int verify_table(struct walk *walk)
{
    int rc;

    walk->index = NULL;
    walk->work->table = walk->table;
    rc = walk_keyspace(walk, PL_KIND_ITEM, walk->table->id);
    if (rc == 0)
        compare_counts(walk);
    walk->verify->items += walk->count;
    if (rc == 0 && walk->table->expiry_id != 0) {
        rc = walk_keyspace(walk, PL_KIND_EXPIRY, walk->table->expiry_id);
        walk->verify->expiries += walk->count;
    }
    for (uint32_t i = 0; i < walk->table->index_count && rc == 0; i++) {
        walk->index = &walk->table->indexes[i];
        rc = verify_index(walk);
    }
    if (rc == 0 && walk->table->collection_id != 0)
        rc = walk_keyspace(walk, PL_KIND_COLLECTION, walk->table->collection_id);
    return rc;
}

/* ---- tokens ----------------------------------------------------------------------------------------- */

/* The two kinds of a token's records follow each other. */
static int verify_tokens_of(struct pl_verify *verify, const struct pl_view *view, uint16_t partition)
{
    uint8_t first[3] = { 0, 0, PL_KIND_TOKEN };
    struct pl_bytes key, value;
    const char *why_not;
    int rc;

    pl_put_be16(first, partition);
    rc = pl_snapshot_seek(verify->snapshot, pl_bytes(first, sizeof first), &key, &value);
    while (rc == 0 && pl_token_is_in(key) && pl_get_be16(key.data) == partition) {
        rc = pl_token_verify(view, key, value, verify->partition_count, &why_not);
        if (rc == 0 && why_not != NULL)
            pl_verify_fault(verify, "partition %u: %s", partition, why_not);
        if (rc == 0)
            rc = pl_snapshot_next(verify->snapshot, &key, &value);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int verify_tokens(struct pl_verify *verify, const struct pl_view *view)
{
    int rc = 0;

    for (uint32_t p = 0; p < verify->partition_count && rc == 0; p++) {
        rc = verify_tokens_of(verify, view, (uint16_t)p);
        if (rc == PL_ECORRUPT) {
            pl_verify_fault(verify, "partition %u: a token's record failed its checksum", p);
            rc = 0;
        }
    }
    return rc;
}

int pl_verify(struct pl_verify *verify)
{
    struct pl_arena arena = { 0 };
    struct pl_inflight *nothing = NULL;
    struct pl_view view = { .snapshot = verify->snapshot, .settled = true };
    struct pl_index_work work = { .view = &view,
                                  .partition_count = verify->partition_count,
                                  .arena = &arena };
    struct walk walk = { .verify = verify, .work = &work };
    int rc = pl_inflight_new(0, &nothing);

    view.inflight = nothing;
    for (uint32_t i = 0; i < verify->tables->count && rc == 0; i++) {
        walk.table = verify->tables->tables[i];
        rc = verify_table(&walk);
    }
    if (rc == 0)
        rc = verify_tokens(verify, &view);
    if (rc == 0)
        rc = pl_verify_streams(verify);
    if (rc == 0)
        rc = pl_verify_triggers(verify);
    pl_inflight_free(nothing);
    pl_arena_deinit(&arena);
    return rc != 0 ? rc : pl_buf_status(verify->sentences);
}
