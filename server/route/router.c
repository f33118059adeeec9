/* SPDX-License-Identifier: MIT */
#include "route/router.h"

#include "partition/letter.h"
#include "partition/prepare.h"
#include "partition/prepare_transaction.h"
#include "partition/read.h"
#include "route/describe.h"
#include "route/records.h"

#include <stdlib.h>

enum { BATCH_GET_BYTES_MAX = 16 << 20 };

struct pl_router {
    struct pl_router_options options;
    struct pl_tables *tables; /* NULL: at rest */
    struct pl_read_place place;
    struct pl_hot_keys *hot_keys;
    struct pl_operation *patient_first, *patient_last; /* GETs, prepared */
};

int pl_router_new(const struct pl_router_options *options, struct pl_router **out)
{
    struct pl_router *router = calloc(1, sizeof *router);
    int rc;

    if (router == NULL)
        return PL_ENOMEM;
    router->options = *options;
    router->place.partition_count = options->partition_count;
    router->place.clock = options->clock;
    router->hot_keys = pl_hot_keys_new(options->hot_keys, &options->clock);
    rc = router->hot_keys == NULL ? PL_ENOMEM : pl_snapshot_open(options->state, &router->place.snapshot);
    if (rc != 0) {
        pl_hot_keys_free(router->hot_keys);
        free(router);
        return rc;
    }
    *out = router;
    return 0;
}

void pl_router_free(struct pl_router *router)
{
    if (router == NULL)
        return;
    pl_router_rest(router);
    pl_snapshot_close(router->place.snapshot);
    pl_read_place_deinit(&router->place);
    pl_hot_keys_free(router->hot_keys);
    free(router);
}

void pl_router_rest(struct pl_router *router)
{
    pl_snapshot_reset(router->place.snapshot);
    pl_tables_unref(router->tables);
    router->tables = NULL;
}

const struct pl_tables *pl_router_tables(struct pl_router *router)
{
    if (router->tables == NULL)
        router->tables = router->options.uplink.tables(router->options.uplink.state);
    return router->tables;
}

/*
 * For the next operation: what others have been told of, on other threads and since this turn began, it must see. No operation
 * keeps views from before: its reply is written before the next one begins.
 */
static int take_snapshot(struct pl_router *router)
{
    return pl_snapshot_is_current(router->place.snapshot) ? 0 : pl_snapshot_renew(router->place.snapshot);
}

/* ---- reads ------------------------------------------------------------------------------------------ */

static int read_here(struct pl_router *router, struct pl_operation *op)
{
    int rc = pl_prepare(op, pl_router_tables(router), router->options.partition_count);

    if (rc == 0)
        rc = take_snapshot(router);
    if (rc == 0)
        rc = pl_read(&router->place, op);
    op->reply.rc = rc;
    pl_hot_keys_note(router->hot_keys, op);
    return rc;
}

static struct pl_extent extent_of(struct pl_router *router, uint32_t id)
{
    struct pl_count count = pl_counters_total(router->options.counters, id);

    return (struct pl_extent){ .items = count.items, .size_bytes = count.size_bytes };
}

/* The same for who writes descriptions of another form. */
static int describe_to_codec(struct pl_router *router, struct pl_operation *op, struct pl_table *table)
{
    struct pl_extent *extents = pl_arena_zalloc(&op->arena, 1 + table->index_count, sizeof *extents);

    if (extents == NULL)
        return PL_ENOMEM;
    extents[0] = extent_of(router, table->id);
    for (uint32_t i = 0; i < table->index_count; i++)
        extents[1 + i] = extent_of(router, table->indexes[i].id);
    op->reply.extents = extents;
    pl_table_unref(op->table);
    op->table = pl_table_ref(table);
    return 0;
}

static int describe(struct pl_router *router, struct pl_operation *op)
{
    const struct pl_tables *tables = pl_router_tables(router);
    struct pl_table *table;
    int rc;

    pl_buf_clear(&op->bytes);
    if (op->name == PL_OP_TABLES) {
        rc = pl_describe_tables(tables, &op->bytes);
    } else {
        table = pl_tables_find(tables, op->table_name);
        if (table == NULL)
            return pl_reason_set(&op->reply.why, PL_ENOTABLE,
                                 "Requested resource not found: Table: %.*s not found",
                                 (int)op->table_name.len, op->table_name.data);
        rc = pl_describe_table(table, router->options.counters, router->options.uplink.filled,
                               router->options.uplink.state, &op->bytes);
        if (rc == 0)
            rc = describe_to_codec(router, op, table);
    }
    op->reply.text = pl_buf_view(&op->bytes);
    return rc;
}

static bool put_off(struct pl_router *router, struct pl_operation *op)
{
    op->reply.rc = pl_prepare(op, pl_router_tables(router), router->options.partition_count);
    if (op->reply.rc != 0)
        return true;
    op->next = NULL;
    if (router->patient_last == NULL)
        router->patient_first = op;
    else
        router->patient_last->next = op;
    router->patient_last = op;
    return false;
}

/* The next that are looked up together, off the list before any of them is done: `done` may put off new ones. */
static size_t take_group(struct pl_router *router, struct pl_operation *group[PL_STORE_PREFETCH_MAX])
{
    size_t count = 0;

    while (router->patient_first != NULL && count < PL_STORE_PREFETCH_MAX) {
        group[count] = router->patient_first;
        router->patient_first = group[count++]->next;
    }
    if (router->patient_first == NULL)
        router->patient_last = NULL;
    return count;
}

static void look_ahead(struct pl_router *router, struct pl_operation *const *group, size_t count)
{
    struct pl_bytes keys[PL_STORE_PREFETCH_MAX];

    for (size_t i = 0; i < count; i++)
        keys[i] = pl_key_view(&group[i]->key);
    pl_snapshot_prefetch(router->place.snapshot, keys, count);
}

void pl_router_flush(struct pl_router *router)
{
    struct pl_operation *group[PL_STORE_PREFETCH_MAX];
    size_t count;

    while ((count = take_group(router, group)) > 0) {
        int rc = take_snapshot(router);

        if (rc == 0 && count > 1)
            look_ahead(router, group, count);
        for (size_t i = 0; i < count; i++) {
            group[i]->reply.rc = rc != 0 ? rc : pl_read(&router->place, group[i]);
            pl_hot_keys_note(router->hot_keys, group[i]);
            group[i]->done(group[i]);
        }
    }
}

/* The table that has the stream, or had it when it was closed. */
static struct pl_table *table_of_stream(const struct pl_tables *tables, const struct pl_operation *op)
{
    const struct pl_closed_stream *closed = pl_tables_find_closed(tables, op->records.id);

    return closed != NULL ? closed->table : pl_tables_find(tables, op->table_name);
}

static int read_records(struct pl_router *router, struct pl_operation *op)
{
    struct pl_table *table = table_of_stream(pl_router_tables(router), op);
    int rc;

    if (table == NULL)
        return PL_ENOTABLE;
    op->table = pl_table_ref(table);
    rc = take_snapshot(router);
    return rc != 0 ? rc : pl_records_read(router->place.snapshot, router->options.sequences, op);
}

/* ---- batches ---------------------------------------------------------------------------------------- */

static int adopt_failure(struct pl_operation *batch, const struct pl_operation *child)
{
    batch->reply.why = child->reply.why;
    batch->reply.rc = child->reply.rc;
    return child->reply.rc;
}

/* All members are checked before any is run: one that is wrong fails the batch. */
static int prepare_children(struct pl_router *router, struct pl_operation *batch)
{
    int rc;

    for (uint32_t i = 0; i < batch->child_count; i++) {
        batch->children[i].parent = batch;
        batch->children[i].owner = batch->owner;
    }
    rc = pl_prepare_children(batch, pl_router_tables(router));
    for (uint32_t i = 0; i < batch->child_count && rc == 0; i++) {
        struct pl_operation *child = &batch->children[i];

        rc = pl_prepare_keys(child, router->options.partition_count);
        if (rc != 0)
            pl_prepare_adopt(batch, child, rc);
    }
    return rc;
}

/* The client sends it again; the others go on. */
static void leave_out(struct pl_operation *batch, struct pl_operation *child)
{
    child->reply.rc = PL_ETHROUGHPUT;
    batch->reply.unprocessed++;
}

/* With nothing done, the batch fails as one request would have. */
static void fail_if_all_left_out(struct pl_operation *batch)
{
    if (batch->reply.rc == 0 && batch->child_count > 0 && batch->reply.unprocessed == batch->child_count)
        adopt_failure(batch, &batch->children[0]);
}

static int read_child(struct pl_router *router, struct pl_operation *batch, struct pl_operation *child,
                      uint64_t *size_bytes)
{
    int rc = PL_ETHROUGHPUT;

    if (*size_bytes <= BATCH_GET_BYTES_MAX) {
        rc = pl_read(&router->place, child);
        pl_hot_keys_note(router->hot_keys, child);
    }
    if (rc == 0 && child->reply.has_item)
        *size_bytes += child->reply.item.size_bytes;
    if (rc == PL_ETHROUGHPUT || *size_bytes > BATCH_GET_BYTES_MAX) {
        leave_out(batch, child);
        return 0;
    }
    if (rc != 0)
        return adopt_failure(batch, child);
    pl_capacity_add(&batch->reply.capacity, &child->reply.capacity);
    batch->reply.scanned++;
    if (!child->reply.has_item)
        return 0;
    batch->reply.count++;
    return batch->row == NULL ? 0 : batch->row(child, child->reply.item);
}

static int read_children(struct pl_router *router, struct pl_operation *batch)
{
    uint64_t size_bytes = 0;
    int rc = take_snapshot(router);

    for (uint32_t i = 0; i < batch->child_count && rc == 0; i++)
        rc = read_child(router, batch, &batch->children[i], &size_bytes);
    batch->reply.rc = rc;
    fail_if_all_left_out(batch);
    return batch->reply.rc;
}

static int begin_batch(struct pl_router *router, struct pl_operation *batch)
{
    int rc = prepare_children(router, batch);

    return rc != 0 ? rc : pl_prepare_distinct(batch, "Provided list of item keys contains duplicates");
}

static void submit(struct pl_router *router, struct pl_operation *op)
{
    router->options.uplink.submit(router->options.uplink.state, op->partition % router->options.shard_count,
                                  op);
}

/* Both kinds go to the shard, where there is one moment for all children. */
static bool transact(struct pl_router *router, struct pl_operation *op)
{
    op->reply.rc = pl_prepare_transaction(op, pl_router_tables(router), router->options.partition_count);
    if (op->reply.rc != 0)
        return true;
    submit(router, op);
    return false;
}

static bool write_children(struct pl_router *router, struct pl_operation *batch)
{
    batch->reply.rc = begin_batch(router, batch);
    if (batch->reply.rc != 0 || batch->child_count == 0)
        return true;
    batch->pending = batch->child_count;
    for (uint32_t i = 0; i < batch->child_count; i++)
        submit(router, &batch->children[i]);
    return false;
}

/* ---- all together ----------------------------------------------------------------------------------- */

static bool complete(struct pl_operation *op, int rc)
{
    op->reply.rc = rc;
    return true;
}

static int read_batch(struct pl_router *router, struct pl_operation *batch)
{
    int rc = begin_batch(router, batch);

    return rc != 0 ? rc : read_children(router, batch);
}

static int list_letters(struct pl_router *router, struct pl_operation *op)
{
    const struct pl_tables *tables = pl_router_tables(router);
    int rc = take_snapshot(router);

    return rc != 0 ? rc : pl_letters_list(&router->place, op, tables);
}

bool pl_router_run(struct pl_router *router, struct pl_operation *op)
{
    switch (op->name) {
    case PL_OP_GET:
        if (op->patient)
            return put_off(router, op);
        return complete(op, read_here(router, op));
    case PL_OP_QUERY:
    case PL_OP_SCAN:
        return complete(op, read_here(router, op));
    case PL_OP_TABLES:
    case PL_OP_DESCRIBE:
        return complete(op, describe(router, op));
    case PL_OP_RECORDS:
        return complete(op, read_records(router, op));
    case PL_OP_BATCH_GET:
        return complete(op, read_batch(router, op));
    case PL_OP_BATCH_WRITE:
        return write_children(router, op);
    case PL_OP_TRANSACT_GET:
    case PL_OP_TRANSACT_WRITE:
        return transact(router, op);
    case PL_OP_LETTERS:
        return complete(op, list_letters(router, op));
    case PL_OP_REPLAY_LETTERS:
    case PL_OP_PURGE_LETTERS:
        router->options.uplink.letters(router->options.uplink.state, op);
        return false;
    case PL_OP_ADVANCE: /* its maker has prepared it, and knows the partition */
        submit(router, op);
        return false;
    case PL_OP_PUT:
    case PL_OP_UPDATE:
    case PL_OP_DELETE:
        if (pl_prepare(op, pl_router_tables(router), router->options.partition_count) != 0)
            return true;
        submit(router, op);
        return false;
    default:
        op->partition = 0; /* the catalog's */
        submit(router, op);
        return false;
    }
}

/* A created or altered table is shown as it now is. */
static void describe_result(struct pl_router *router, struct pl_operation *op)
{
    if (op->reply.rc != 0 || op->name != PL_OP_ALTER)
        return;
    if (describe(router, op) != 0)
        op->reply.text = pl_bytes(NULL, 0); /* it was altered all the same */
}

/* A batch is not all or nothing: who hears that it failed must hear that not all of it did. */
static void tell_what_was_done(struct pl_operation *batch)
{
    struct pl_reason first = batch->reply.why;

    if (batch->reply.rc != 0 && batch->reply.count > 0)
        pl_reason_set(&batch->reply.why, batch->reply.rc, "%s (%llu of the batch's %u writes were done)",
                      pl_reason_text(&first, batch->reply.rc), (unsigned long long)batch->reply.count,
                      batch->child_count);
}

static void add_up(struct pl_operation *batch, struct pl_operation *child)
{
    batch->reply.scanned++;
    if (child->reply.rc == PL_ETHROUGHPUT) {
        leave_out(batch, child);
        return;
    }
    pl_capacity_add(&batch->reply.capacity, &child->reply.capacity);
    if (child->reply.rc == 0)
        batch->reply.count++;
    else if (batch->reply.rc == 0)
        adopt_failure(batch, child);
}

/* A transaction comes back with its children in it, a batch's child for itself. */
static void note(struct pl_router *router, const struct pl_operation *op)
{
    if (op->child_count == 0)
        pl_hot_keys_note(router->hot_keys, op);
    for (uint32_t i = 0; i < op->child_count; i++)
        pl_hot_keys_note(router->hot_keys, &op->children[i]);
}

void pl_router_returned(struct pl_router *router, struct pl_operation *op)
{
    struct pl_operation *batch = op->parent;

    /* What was acknowledged is seen by the next read. */
    pl_router_rest(router);
    note(router, op);
    if (batch == NULL) {
        describe_result(router, op);
        op->done(op);
        return;
    }
    add_up(batch, op);
    if (--batch->pending > 0)
        return;
    fail_if_all_left_out(batch);
    tell_what_was_done(batch);
    batch->done(batch);
}
