/* SPDX-License-Identifier: MIT */
#include "partition/chore.h"

#include "model/record.h"
#include "partition/admission.h"
#include "partition/change.h"
#include "partition/collection.h"
#include "partition/expiry.h"
#include "partition/index.h"
#include "partition/letter.h"

enum { STEP_RECORDS = 256, STEP_BYTES = 1 << 20, LAST = 2 /* of the partitions is walked */ };

void pl_chore_deinit(struct pl_chore *chore)
{
    pl_buf_deinit(&chore->position);
    pl_collection_count_deinit(&chore->counting);
    *chore = (struct pl_chore){ 0 };
}

/* Without its function every item would be found to have no entry, and the index be called complete. */
static bool can_fill(const struct pl_table *table, const struct pl_index *index, struct pl_script *script)
{
    return index->projection != PL_PROJECT_FUNCTION ||
           (script != NULL && pl_script_table(script, table->name) != NULL);
}

static void begin_backfill(struct pl_chore *chore, const struct pl_table *table, uint32_t id)
{
    chore->kind = PL_CHORE_BACKFILL;
    chore->table_id = table->id;
    chore->fill_id = id;
    chore->space.kind = PL_KIND_ITEM;
    chore->space.id = table->id;
}

static bool choose_backfill(struct pl_chore *chore, const struct pl_catalog *catalog,
                            struct pl_script *script)
{
    for (uint32_t t = 0; t < catalog->tables->count; t++) {
        const struct pl_table *table = catalog->tables->tables[t];

        for (uint32_t i = 0; i < table->index_count; i++) {
            if (table->indexes[i].state != PL_INDEX_BACKFILLING ||
                !can_fill(table, &table->indexes[i], script))
                continue;
            begin_backfill(chore, table, table->indexes[i].id);
            return true;
        }
        if (table->expiry_filling) {
            begin_backfill(chore, table, table->expiry_id);
            return true;
        }
    }
    return false;
}

bool pl_chore_choose(struct pl_chore *chore, const struct pl_catalog *catalog, struct pl_script *script,
                     uint32_t partition_count, bool sweeps)
{
    pl_chore_deinit(chore);
    chore->space.partition_count = partition_count;
    if (!sweeps && choose_backfill(chore, catalog, script))
        return true;
    if (catalog->garbage_count == 0)
        return false;
    chore->kind = PL_CHORE_SWEEP;
    chore->space.kind = catalog->garbage[0].kind;
    chore->space.id = catalog->garbage[0].id;
    return true;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

/* A position in the order of keys: the first key of the chore's partition, or the one after the last seen. */
static int seek(struct pl_chore *chore, const struct pl_chore_hands *hands, struct pl_bytes *key,
                struct pl_bytes *record)
{
    struct pl_key start;
    int rc;

    if (chore->position.len == 0) {
        pl_key_partition_start(&start, &chore->space, (uint16_t)chore->partition, 0);
        return pl_snapshot_seek(hands->view->snapshot, pl_key_view(&start), key, record);
    }
    rc = pl_snapshot_seek(hands->view->snapshot, pl_buf_view(&chore->position), key, record);
    if (rc == 0 && pl_bytes_equal(*key, pl_buf_view(&chore->position)))
        rc = pl_snapshot_next(hands->view->snapshot, key, record);
    return rc;
}

static int remember(struct pl_chore *chore, struct pl_bytes key)
{
    pl_buf_clear(&chore->position);
    pl_buf_append_bytes(&chore->position, key);
    return pl_buf_status(&chore->position);
}

static bool is_here(const struct pl_chore *chore, struct pl_bytes key)
{
    return pl_key_in_partition(key, &chore->space, (uint16_t)chore->partition);
}

/* 1 when this was the last partition. */
static int next_partition(struct pl_chore *chore)
{
    pl_buf_clear(&chore->position);
    chore->partition++;
    return chore->partition >= chore->space.partition_count ? 1 : 0;
}

/* ---- filling an index ------------------------------------------------------------------------------- */

static struct pl_collection_work collection_work(const struct pl_index_work *work)
{
    return (struct pl_collection_work){ .view = work->view,
                                        .partition_count = work->partition_count,
                                        .table = work->table,
                                        .arena = work->arena,
                                        .scratch = work->scratch,
                                        .change = work->change };
}

/*
 * The item belongs to a collection, which may now be larger than is allowed: the index was asked for. One that is
 * too large to be counted at once is counted first, and then we come here again.
 */
static int grow_collection(struct pl_chore *chore, const struct pl_index_work *work, struct pl_item item)
{
    struct pl_collection_work collection = collection_work(work);
    struct pl_buf pk = { 0 }, tail = { 0 };
    uint64_t unheard;
    int rc = PL_ECORRUPT; /* an item in the table has its key */

    if (pl_key_schema_encode(&work->table->keys, item, &pk, &tail, NULL) == PL_KEY_WHOLE)
        rc = pl_buf_status(&pk) != 0 || pl_buf_status(&tail) != 0
                 ? PL_ENOMEM
                 : pl_collection_update(&collection, pl_buf_view(&pk), &unheard);
    if (rc == PL_COLLECTION_UNCOUNTED &&
        pl_collection_count_begin(&chore->counting, work->table, pl_buf_view(&pk)) != 0)
        rc = PL_ENOMEM;
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    return rc;
}

static int fill_index(struct pl_chore *chore, const struct pl_index_work *work, const struct pl_index *index,
                      struct pl_item item, struct pl_reason *why)
{
    int rc = pl_index_fill(work, index, &item, why);

    return rc != 0 || index->global ? rc : grow_collection(chore, work, item);
}

static int count_collection(struct pl_chore *chore, const struct pl_index_work *work,
                            const struct pl_chore_hands *hands)
{
    struct pl_collection_work collection = collection_work(work);
    int rc = pl_collection_count_step(&chore->counting, &collection);

    if (rc == 0 && work->change->len > 0)
        rc = hands->commit(hands->state, (uint16_t)chore->partition, work->change);
    return rc;
}

/* `index` is NULL here and below when it is the expiries that are filled. */
static int fill_items(struct pl_chore *chore, const struct pl_chore_hands *hands, struct pl_index_work *work,
                      const struct pl_index *index, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    struct pl_reason why = { 0 };
    int rc = pl_record_open(record, &cursor);

    while (rc == 0 && pl_record_next(&cursor, &entry)) {
        pl_buf_clear(work->change);
        rc = index == NULL ? pl_expiry_fill(work, &entry.item)
                           : fill_index(chore, work, index, entry.item, &why);
        if (rc == PL_ESCRIPT) {
            if (chore->failed++ == 0)
                pl_log(hands->logger, PL_LOG_WARN, "an item has no entry in the new index", "%s", why.text);
            rc = 0;
        } else if (rc == 0 && work->change->len > 0) {
            rc = hands->commit(hands->state, (uint16_t)chore->partition, work->change);
        }
        chore->done++;
    }
    return rc;
}

static const struct pl_index *index_by_id(const struct pl_table *table, uint32_t id)
{
    for (uint32_t i = 0; table != NULL && i < table->index_count; i++)
        if (table->indexes[i].id == id)
            return &table->indexes[i];
    return NULL;
}

static bool may_fill(const struct pl_index *index, const struct pl_chore_hands *hands)
{
    return index == NULL || pl_admission_fills(index, &hands->clock);
}

/* What was filled is the index's to pay. */
static void charge(const struct pl_table *table, struct pl_capacity *capacity,
                   const struct pl_chore_hands *hands)
{
    struct pl_capacity used = *capacity;

    used.writes = true;
    used.table_halves = 0;
    for (uint32_t i = 0; i < used.index_count; i++)
        if (!used.indexes[i].global)
            used.indexes[i].halves = 0;
    if (used.index_count > 0)
        pl_admission_charge(table, &used, &hands->clock);
    *capacity = (struct pl_capacity){ 0 };
}

/* PL_COLLECTION_UNCOUNTED: a collection is to be counted before we go on from here. */
static int fill_records(struct pl_chore *chore, struct pl_index_work *work, const struct pl_index *index,
                        const struct pl_chore_hands *hands)
{
    struct pl_bytes key, record;
    size_t size_bytes = 0;
    int rc = seek(chore, hands, &key, &record), i;

    for (i = 0; rc == 0 && is_here(chore, key) && i < STEP_RECORDS && size_bytes < STEP_BYTES &&
                may_fill(index, hands);
         i++) {
        struct pl_bytes newest;

        /* A write that is not applied yet may have changed or deleted it: the overlay knows. */
        rc = pl_view_get(hands->view, key, &newest);
        if (rc == 0)
            rc = fill_items(chore, hands, work, index, newest);
        charge(work->table, work->capacity, hands);
        if (rc == PL_ENOTFOUND)
            rc = 0;
        if (rc == 0)
            rc = remember(chore, key);
        size_bytes += record.len;
        pl_arena_reset(work->arena);
        if (rc == 0)
            rc = seek(chore, hands, &key, &record); /* a collection may have been walked meanwhile */
    }
    if (rc == PL_ENOTFOUND || (rc == 0 && !is_here(chore, key)))
        return next_partition(chore) == 1 ? LAST : 0;
    return rc == 0 && i == 0 ? PL_ETHROUGHPUT : rc;
}

static int backfill(struct pl_chore *chore, const struct pl_table *table, const struct pl_chore_hands *hands)
{
    struct pl_arena arena = { 0 };
    struct pl_buf change = { 0 }, scratch = { 0 };
    struct pl_capacity capacity = { 0 };
    struct pl_index_work work = { .view = hands->view,
                                  .partition_count = hands->partition_count,
                                  .table = table,
                                  .arena = &arena,
                                  .scratch = &scratch,
                                  .change = &change,
                                  .capacity = &capacity };
    int rc;

    if (hands->script != NULL)
        work.script = pl_script_table(hands->script, table->name);
    rc = chore->counting.active ? count_collection(chore, &work, hands)
                                : fill_records(chore, &work, index_by_id(table, chore->fill_id), hands);
    pl_arena_deinit(&arena);
    pl_buf_deinit(&change);
    pl_buf_deinit(&scratch);
    if (rc == PL_COLLECTION_UNCOUNTED)
        return 0;
    return rc == LAST ? 1 : rc;
}

/* ---- sweeping --------------------------------------------------------------------------------------- */

/* Of the other kinds nobody keeps count. */
static bool is_counted(enum pl_key_kind kind)
{
    return kind == PL_KIND_ITEM || kind == PL_KIND_LOCAL_INDEX || kind == PL_KIND_GLOBAL_INDEX ||
           kind == PL_KIND_TRIGGER;
}

/* Of a trigger's records, dead letters are counted. */
static void uncount_letter(struct pl_bytes key, struct pl_bytes record, int64_t *items, int64_t *size_bytes)
{
    struct pl_letter letter;

    if (pl_letter_read(key, record, &letter) != 0)
        return;
    *items -= 1;
    *size_bytes -= (int64_t)letter.record.len;
}

static void sweep_record(struct pl_buf *change, enum pl_key_kind kind, struct pl_bytes key,
                         struct pl_bytes record, int64_t *items, int64_t *size_bytes)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;

    pl_change_delete(change, key);
    if (kind == PL_KIND_TRIGGER)
        uncount_letter(key, record, items, size_bytes);
    else if (is_counted(kind) && pl_record_open(record, &cursor) == 0)
        while (pl_record_next(&cursor, &entry)) {
            *items -= 1;
            *size_bytes -= entry.item.size_bytes;
        }
}

/* An index's entries are swept: now where its function put them, if it has one. */
static bool sweep_on(struct pl_chore *chore)
{
    if (chore->space.kind != PL_KIND_LOCAL_INDEX && chore->space.kind != PL_KIND_GLOBAL_INDEX)
        return false;
    chore->space.kind = PL_KIND_INDEX_PLACE;
    chore->partition = 0;
    return true;
}

static int sweep(struct pl_chore *chore, const struct pl_chore_hands *hands)
{
    struct pl_buf change = { 0 };
    struct pl_bytes key, record;
    int64_t items = 0, size_bytes = 0;
    bool here;
    int rc = seek(chore, hands, &key, &record);

    for (int i = 0; rc == 0 && is_here(chore, key) && i < STEP_RECORDS && -size_bytes < 8 * STEP_BYTES; i++) {
        sweep_record(&change, chore->space.kind, key, record, &items, &size_bytes);
        chore->done++;
        rc = remember(chore, key);
        if (rc == 0)
            rc = pl_snapshot_next(hands->view->snapshot, &key, &record);
    }
    here = rc == 0 && is_here(chore, key);
    if (rc == PL_ENOTFOUND)
        rc = 0;
    if (is_counted(chore->space.kind))
        pl_change_count(&change, (uint16_t)chore->partition, chore->space.id, items, size_bytes);
    if (rc == 0)
        rc = pl_buf_status(&change);
    if (rc == 0 && change.len > 0)
        rc = hands->commit(hands->state, (uint16_t)chore->partition, &change);
    pl_buf_deinit(&change);
    if (rc != 0 || here)
        return rc;
    rc = next_partition(chore);
    return rc == 1 && sweep_on(chore) ? 0 : rc;
}

static int step(struct pl_chore *chore, const struct pl_catalog *catalog, const struct pl_chore_hands *hands)
{
    const struct pl_table *table;
    const struct pl_index *index;

    if (chore->partition >= chore->space.partition_count)
        return 1; /* walked before, but the catalog could not be told */
    if (chore->kind == PL_CHORE_SWEEP)
        return sweep(chore, hands);
    table = pl_tables_find_id(catalog->tables, chore->table_id);
    /* Dropped meanwhile, or altered again: the catalog is asked anew. */
    index = index_by_id(table, chore->fill_id);
    if (index == NULL && (table == NULL || table->expiry_id != chore->fill_id))
        return 1;
    if (index != NULL && !can_fill(table, index, hands->script))
        return PL_ESCRIPT;
    return backfill(chore, table, hands);
}

int pl_chore_step(struct pl_chore *chore, const struct pl_catalog *catalog,
                  const struct pl_chore_hands *hands)
{
    int rc = step(chore, catalog, hands);

    /* The position may be past what was not done: walk this partition again, what is done is found done. */
    if (rc < 0 && rc != PL_ETHROUGHPUT)
        pl_buf_clear(&chore->position);
    return rc;
}
