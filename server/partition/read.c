/* SPDX-License-Identifier: MIT */
#include "partition/read.h"

#include "model/record.h"
#include "partition/admission.h"

#include <stdlib.h>

void pl_read_place_deinit(struct pl_read_place *place)
{
    pl_arena_deinit(&place->scratch);
    pl_buf_deinit(&place->row_bytes);
}

/* ---- one item --------------------------------------------------------------------------------------- */

/* pk and tail one after the other: what a bucket's entries are known by (record.h). */
static struct pl_bytes full_key(struct pl_arena *arena, struct pl_bytes pk, struct pl_bytes tail)
{
    char *at = pl_arena_alloc(arena, pk.len + tail.len);

    if (at == NULL)
        return (struct pl_bytes){ 0 };
    memcpy(at, pk.data, pk.len);
    memcpy(at + pk.len, tail.data, tail.len);
    return pl_bytes(at, pk.len + tail.len);
}

/* PL_ENOTFOUND when there is no such item. */
static int look_up(struct pl_read_place *place, struct pl_arena *arena, const struct pl_key *key,
                   struct pl_bytes pk, struct pl_bytes tail, struct pl_item *out)
{
    struct pl_bytes record, full = { 0 };
    int rc = pl_snapshot_get(place->snapshot, pl_key_view(key), &record);

    if (rc != 0)
        return rc;
    if (key->shortened) {
        full = full_key(arena, pk, tail);
        if (full.data == NULL)
            return PL_ENOMEM;
    }
    return pl_record_find(record, full, out) ? 0 : PL_ENOTFOUND;
}

static int read_one(struct pl_read_place *place, struct pl_operation *op)
{
    struct pl_item item;
    int rc = look_up(place, &op->arena, &op->key, op->pk, op->tail, &item);

    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    op->reply.capacity.table_halves = pl_capacity_read(rc == 0 ? item.size_bytes : 0, op->consistent);
    if (rc == PL_ENOTFOUND)
        return 0;
    if (op->projection != NULL) {
        rc = pl_projection_apply(op->projection, item, &op->arena, &op->bytes, &item);
        if (rc != 0)
            return rc;
    }
    op->reply.has_item = true;
    op->reply.item = item;
    return 0;
}

/* ---- one row of a walk ------------------------------------------------------------------------------ */

/* A walk in progress. */
struct walk {
    struct pl_read_place *place;
    struct pl_operation *op;
    struct pl_keyspace space;
    uint64_t size_bytes; /* evaluated so far, before the filter */
    uint64_t page_bytes; /* the same, with the whole items where they were fetched: what the page may hold */
    uint64_t fetched_halves;
    bool full; /* the page is */
};

enum { GO_ON = 0, STOP = 1 };

/*
 * The item itself, for a local index that holds less than was asked for. PL_ENOTFOUND: it
 * was deleted since the walk came to its entry, for a snapshot sees what is newest.
 */
static int fetch_item(struct walk *walk, struct pl_item entry, struct pl_item *out)
{
    struct pl_operation *op = walk->op;
    struct pl_keyspace space = { PL_KIND_ITEM, op->table->id, walk->space.partition_count };
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_key key;
    int rc = PL_ECORRUPT;

    if (pl_key_schema_encode(&op->table->keys, entry, &pk, &tail, NULL) == PL_KEY_WHOLE) {
        rc = pl_buf_status(&pk) != 0 || pl_buf_status(&tail) != 0 ? PL_ENOMEM : 0;
        if (rc == 0) {
            pl_key_build(&key, &space, pl_buf_view(&pk), pl_buf_view(&tail));
            rc = look_up(walk->place, &walk->place->scratch, &key, pl_buf_view(&pk), pl_buf_view(&tail), out);
        }
    }
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

static void add_key_attributes(struct pl_builder *b, const struct pl_key_attribute *attributes,
                               uint32_t count, const struct pl_key_schema *but, struct pl_item item)
{
    for (uint32_t i = 0; i < count; i++) {
        struct pl_value value;

        if ((but != NULL && pl_key_schema_has(but, attributes[i].name)) ||
            !pl_item_find(item, attributes[i].name, &value))
            continue;
        pl_builder_name(b, attributes[i].name);
        pl_builder_value(b, value);
    }
}

/* Where the next page starts: the keys of the last item evaluated, the index's and the table's. */
static int remember_last(struct walk *walk, struct pl_item item)
{
    struct pl_operation *op = walk->op;
    const struct pl_key_schema *table = &op->table->keys;
    struct pl_builder b;

    pl_buf_clear(&op->bytes);
    pl_builder_init(&b, &op->bytes, &op->arena);
    pl_builder_begin_item(&b);
    add_key_attributes(&b, table->partition, table->partition_count, NULL, item);
    add_key_attributes(&b, table->sort, table->sort_count, NULL, item);
    if (op->index != NULL) {
        add_key_attributes(&b, op->index->keys.partition, op->index->keys.partition_count, table, item);
        add_key_attributes(&b, op->index->keys.sort, op->index->keys.sort_count, table, item);
    }
    pl_builder_end(&b);
    op->reply.has_last_key = true;
    return pl_builder_finish_item(&b, &op->reply.last_key, &op->reply.why);
}

static int give_row(struct walk *walk, struct pl_item item)
{
    struct pl_operation *op = walk->op;
    struct pl_read_place *place = walk->place;
    int rc;

    op->reply.count++;
    if (op->select == PL_SELECT_COUNT || op->row == NULL)
        return 0;
    if (op->projection != NULL) {
        pl_buf_clear(&place->row_bytes);
        rc = pl_projection_apply(op->projection, item, &place->scratch, &place->row_bytes, &item);
        if (rc != 0)
            return rc;
    }
    return op->row(op, item);
}

/* One item that the walk came to: GO_ON, STOP, or a failure. */
static int visit(struct walk *walk, struct pl_item entry)
{
    struct pl_operation *op = walk->op;
    struct pl_item item = entry;
    int rc;

    pl_arena_reset(&walk->place->scratch);
    if (op->fetches_item) {
        rc = fetch_item(walk, entry, &item);
        if (rc != 0)
            return rc == PL_ENOTFOUND ? GO_ON : rc;
        walk->fetched_halves += pl_capacity_read(item.size_bytes, op->consistent);
    }
    op->reply.scanned++;
    walk->size_bytes += entry.size_bytes;
    walk->page_bytes += op->fetches_item ? item.size_bytes : entry.size_bytes;
    if (op->filter == NULL || pl_condition_test(op->filter, &item)) {
        rc = give_row(walk, item);
        if (rc != 0)
            return rc;
    }
    if ((op->limit > 0 && op->reply.scanned >= op->limit) || walk->page_bytes >= PL_PAGE_BYTES_MAX) {
        walk->full = true;
        rc = remember_last(walk, entry);
        return rc != 0 ? rc : STOP;
    }
    return GO_ON;
}

/* ---- queries ---------------------------------------------------------------------------------------- */

/* Is `tail` in the range, past the page's start? STOP once the walk is beyond its end. */
static int judge_tail(const struct pl_operation *op, struct pl_bytes tail, bool *wanted)
{
    bool below = pl_bytes_compare(tail, op->low) < 0;
    bool above = op->high.len > 0 && pl_bytes_compare(tail, op->high) >= 0;
    int from_start = op->has_start_key ? pl_bytes_compare(tail, op->start_tail) : 0;

    *wanted = !below && !above && (!op->has_start_key || (op->descending ? from_start < 0 : from_start > 0));
    return (op->descending ? below : above) ? STOP : GO_ON;
}

static int visit_tail(struct walk *walk, struct pl_bytes tail, struct pl_item item)
{
    bool wanted;
    int rc = judge_tail(walk->op, tail, &wanted);

    return rc == GO_ON && wanted ? visit(walk, item) : rc;
}

/* A bucket holds few items; walked backwards it is simply walked once for each. */
static int visit_bucket(struct walk *walk, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry, *entries;
    uint32_t count = 0, i;
    int rc;

    rc = pl_record_open(record, &cursor);
    if (rc != 0)
        return rc;
    while (pl_record_next(&cursor, &entry))
        count++;
    entries = malloc((count + 1) * sizeof *entries);
    if (entries == NULL)
        return PL_ENOMEM;
    pl_record_open(record, &cursor);
    for (i = 0; i < count; i++)
        pl_record_next(&cursor, &entries[i]);

    for (i = 0; i < count && rc == GO_ON; i++) {
        const struct pl_record_entry *at = &entries[walk->op->descending ? count - 1 - i : i];

        /* Another partition key with the same digest may stand in the same bucket. */
        if (pl_bytes_has_prefix(at->full_key, walk->op->pk))
            rc = visit_tail(
                walk, pl_bytes(at->full_key.data + walk->op->pk.len, at->full_key.len - walk->op->pk.len),
                at->item);
    }
    free(entries);
    return rc;
}

static int visit_record(struct walk *walk, struct pl_bytes key, struct pl_bytes record, uint16_t prefix_len)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    int rc = pl_record_open(record, &cursor);

    if (rc != 0)
        return rc;
    if (cursor.bucket)
        return visit_bucket(walk, record);
    if (!pl_record_next(&cursor, &entry))
        return PL_ECORRUPT;
    return visit_tail(walk, pl_bytes(key.data + prefix_len, key.len - prefix_len), entry.item);
}

/*
 * Going down, the walk starts at the last key before the upper bound, or at the
 * bound's own key when a record stands there: a shortened key's bucket may hold
 * tails on both sides of the bound.
 */
static int seek_down(struct walk *walk, struct pl_bytes *key, struct pl_bytes *record, uint16_t *prefix_len)
{
    struct pl_operation *op = walk->op;
    struct pl_snapshot *snapshot = walk->place->snapshot;
    struct pl_bytes bound = op->has_start_key ? op->start_tail : op->high;
    struct pl_key at;
    struct pl_buf after = { 0 };
    int rc;

    pl_key_seek(&at, &walk->space, op->pk, bound, prefix_len);
    if (bound.len > 0) {
        rc = pl_snapshot_seek(snapshot, pl_key_view(&at), key, record);
        if ((rc == 0 && pl_bytes_equal(*key, pl_key_view(&at))) || (rc != 0 && rc != PL_ENOTFOUND))
            return rc;
        return pl_snapshot_seek_before(snapshot, pl_key_view(&at), key, record);
    }
    if (!pl_key_successor(pl_bytes(at.bytes, *prefix_len), &after))
        return PL_ENOMEM; /* a partition number below FFFF always has one */
    rc = pl_buf_status(&after);
    if (rc == 0)
        rc = pl_snapshot_seek_before(snapshot, pl_buf_view(&after), key, record);
    pl_buf_deinit(&after);
    return rc;
}

static int seek_up(struct walk *walk, struct pl_bytes *key, struct pl_bytes *record, uint16_t *prefix_len)
{
    struct pl_operation *op = walk->op;
    struct pl_key at;

    pl_key_seek(&at, &walk->space, op->pk, op->has_start_key ? op->start_tail : op->low, prefix_len);
    return pl_snapshot_seek(walk->place->snapshot, pl_key_view(&at), key, record);
}

static int query(struct walk *walk)
{
    struct pl_operation *op = walk->op;
    struct pl_snapshot *snapshot = walk->place->snapshot;
    struct pl_bytes key, record;
    struct pl_key prefix;
    uint16_t prefix_len;
    int rc;

    pl_key_seek(&prefix, &walk->space, op->pk, pl_bytes(NULL, 0), &prefix_len);
    rc = op->descending ? seek_down(walk, &key, &record, &prefix_len)
                        : seek_up(walk, &key, &record, &prefix_len);
    while (rc == 0 && pl_bytes_has_prefix(key, pl_bytes(prefix.bytes, prefix_len))) {
        rc = visit_record(walk, key, record, prefix_len);
        if (rc != GO_ON)
            break;
        rc = op->descending ? pl_snapshot_prev(snapshot, &key, &record)
                            : pl_snapshot_next(snapshot, &key, &record);
    }
    return rc == PL_ENOTFOUND || rc == STOP ? 0 : rc;
}

/* ---- scans ------------------------------------------------------------------------------------------ */

/* The hashes of a segment: [first, last], both included. */
static void segment_range(const struct pl_operation *op, uint64_t *first, uint64_t *last)
{
    unsigned __int128 whole = (unsigned __int128)1 << 64;

    *first = 0;
    *last = UINT64_MAX;
    if (!op->has_segment)
        return;
    /* Rounded up, so that hash * count >> 64 is the segment of every hash in it. */
    *first = (uint64_t)((whole * op->segment + op->segment_count - 1) / op->segment_count);
    if (op->segment + 1 < op->segment_count)
        *last = (uint64_t)((whole * (op->segment + 1) + op->segment_count - 1) / op->segment_count) - 1;
}

static int scan_record(struct walk *walk, struct pl_bytes key, struct pl_bytes record,
                       const struct pl_key *start, struct pl_bytes start_full)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    bool at_start = walk->op->has_start_key && pl_bytes_equal(key, pl_key_view(start));
    int rc = pl_record_open(record, &cursor);

    while (rc == GO_ON && pl_record_next(&cursor, &entry)) {
        if (at_start && (!cursor.bucket || pl_bytes_compare(entry.full_key, start_full) <= 0))
            continue;
        rc = visit(walk, entry.item);
    }
    return rc;
}

/* One partition's part of the scan, from `from` on; `from` then moves to the next partition's start. */
static int scan_partition(struct walk *walk, const struct pl_key *from, const struct pl_key *start,
                          struct pl_bytes start_full, uint64_t last)
{
    struct pl_snapshot *snapshot = walk->place->snapshot;
    struct pl_bytes key, record;
    uint16_t partition = pl_get_be16(from->bytes);
    uint64_t hash;
    int rc = pl_snapshot_seek(snapshot, pl_key_view(from), &key, &record);

    while (rc == 0 && pl_key_in_space(key, &walk->space, &hash) && pl_get_be16(key.data) == partition &&
           hash <= last) {
        rc = scan_record(walk, key, record, start, start_full);
        if (rc != GO_ON)
            return rc;
        rc = pl_snapshot_next(snapshot, &key, &record);
    }
    return rc == PL_ENOTFOUND ? GO_ON : rc;
}

static int scan(struct walk *walk)
{
    struct pl_operation *op = walk->op;
    uint32_t partition_count = walk->space.partition_count;
    struct pl_bytes start_full = { 0 };
    struct pl_key start, from;
    uint64_t first, last;
    int rc = GO_ON;

    segment_range(op, &first, &last);
    pl_key_scan_start(&from, &walk->space, first);
    if (op->has_start_key) {
        pl_key_build(&start, &walk->space, op->start_pk, op->start_tail);
        from = start;
        start_full = full_key(&op->arena, op->start_pk, op->start_tail);
        if (start_full.data == NULL)
            return PL_ENOMEM;
    }
    for (uint32_t p = pl_get_be16(from.bytes); rc == GO_ON && p <= pl_key_partition(last, partition_count);
         p++) {
        if (p != pl_get_be16(from.bytes))
            pl_key_scan_start(
                &from, &walk->space,
                (uint64_t)((unsigned __int128)p * (((unsigned __int128)1 << 64) / partition_count)));
        rc = scan_partition(walk, &from, &start, start_full, last);
    }
    return rc == STOP ? 0 : rc;
}

/* ---- both ------------------------------------------------------------------------------------------- */

static void charge(struct walk *walk)
{
    struct pl_operation *op = walk->op;
    uint64_t halves = pl_capacity_read(walk->size_bytes, op->consistent);

    if (op->index == NULL) {
        op->reply.capacity.table_halves = halves;
        return;
    }
    op->reply.capacity.table_halves = walk->fetched_halves;
    pl_capacity_add_index(&op->reply.capacity, op->index->name, op->index->global, halves);
}

static int walk_pages(struct pl_read_place *place, struct pl_operation *op)
{
    struct walk walk = { .place = place, .op = op };
    int rc;

    walk.space = (struct pl_keyspace){ .kind = PL_KIND_ITEM,
                                       .id = op->table->id,
                                       .partition_count = place->partition_count };
    if (op->index != NULL) {
        walk.space.kind = op->index->global ? PL_KIND_GLOBAL_INDEX : PL_KIND_LOCAL_INDEX;
        walk.space.id = op->index->id;
    }
    rc = op->name == PL_OP_QUERY ? query(&walk) : scan(&walk);
    if (rc == 0)
        charge(&walk);
    return rc;
}

int pl_read(struct pl_read_place *place, struct pl_operation *op)
{
    int rc = pl_admission_read(op->table, op->index, &place->clock, &op->reply.why);

    if (rc == 0) {
        rc = op->name == PL_OP_GET ? read_one(place, op) : walk_pages(place, op);
        pl_admission_charge(op->table, &op->reply.capacity, &place->clock);
    }
    op->reply.rc = rc;
    return rc;
}
