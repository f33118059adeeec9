/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "partition/admission.h"
#include "partition/schema.h"

int pl_shard_refresh_table(struct pl_shard *shard, struct pl_operation *op)
{
    struct pl_table *table = pl_tables_find_id(shard->catalog.tables, op->table->id);

    if (table == NULL)
        return PL_ENOTABLE;
    /* The reply names the indexes of the table that judged it, and the table may be altered before it is read. */
    pl_table_unref(op->table);
    op->table = pl_table_ref(table);
    return 0;
}

int pl_shard_check_room(const struct pl_shard *shard, const struct pl_operation *op)
{
    if (!shard->full || !pl_shard_grows(op))
        return 0;
    return shard->starved == PL_ENOMEM ? PL_ENOMEM : PL_EFULL;
}

/* What a client's own condition or the table's before_write refused was looked at all the same. */
static bool is_charged(int rc)
{
    return rc == 0 || rc == PL_ECONDITION || rc == PL_EREJECTED;
}

static int judge_write(struct pl_shard *shard, struct pl_operation *op)
{
    struct pl_table_script *script = NULL;
    int rc = pl_shard_refresh_table(shard, op);

    if (rc == 0)
        rc = pl_shard_check_room(shard, op);
    if (rc != 0)
        return rc;
    if (shard->script != NULL && op->table->module.len > 0)
        script = pl_script_table(shard->script, op->table->name);
    rc = pl_evaluate(&shard->evaluator, op, op->table, script);
    if (rc == PL_ECONDITION)
        shard->stats.conditions_failed++;
    if (rc == 0 && shard->evaluator.change.len > 0)
        rc = pl_shard_commit(shard, op->partition, pl_buf_view(&shard->evaluator.change),
                             pl_shard_grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK, &op->reply.why);
    if (is_charged(rc))
        pl_admission_charge(op->table, &op->reply.capacity, &shard->options.clock);
    return rc;
}

int pl_shard_adopt_catalog(struct pl_shard *shard, int rc, struct pl_catalog *next, struct pl_buf *change,
                           enum pl_journal_use use, struct pl_reason *why)
{
    if (rc == 0)
        rc = pl_buf_status(change);
    if (rc == 0 && change->len > 0)
        rc = pl_shard_commit(shard, 0, pl_buf_view(change), use, why);
    pl_buf_deinit(change);
    if (rc != 0) {
        pl_catalog_deinit(next);
        return rc;
    }
    pl_tables_unref(shard->gathering->tables);
    shard->gathering->tables = pl_tables_ref(next->tables);
    pl_catalog_deinit(&shard->catalog);
    shard->catalog = *next;
    shard->catalog_batch = shard->gathering->number;
    pl_catalog_provide(&shard->catalog, pl_shard_now_ns(shard));
    shard->chores_wait = true;
    return 0;
}

static int alter(struct pl_catalog *next, const struct pl_table *table, struct pl_operation *op,
                 int64_t now_ms, struct pl_buf *change)
{
    struct pl_table *definition;
    int rc;

    if (table->module.len > 0)
        return pl_reason_set(
            &op->reply.why, PL_EINVALID, "the table %.*s is defined by %.*s: change it there and reload",
            (int)table->name.len, table->name.data, (int)table->module.len, table->module.data);
    rc = pl_schema_patch(table, op->definition, &definition, &op->reply.why);
    if (rc != 0)
        return rc;
    rc = pl_bytes_equal(definition->name, table->name)
             ? pl_schema_alter(next, table, definition, 0, now_ms, change, &op->reply.why)
             : pl_reason_set(&op->reply.why, PL_EINVALID, "table: a table cannot be renamed");
    pl_table_unref(definition);
    return rc;
}

static int drop(struct pl_shard *shard, struct pl_catalog *next, const struct pl_table *table,
                struct pl_operation *op, struct pl_buf *change)
{
    if (shard->script != NULL && pl_script_table(shard->script, table->name) != NULL)
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "the table %.*s is defined by %.*s: remove it there and reload, then drop it",
                             (int)table->name.len, table->name.data, (int)table->module.len,
                             table->module.data);
    return pl_schema_drop(next, table, pl_clock_wall_ms(&shard->options.clock), change, &op->reply.why);
}

static int create(struct pl_shard *shard, struct pl_catalog *next, struct pl_operation *op,
                  struct pl_buf *change)
{
    struct pl_table *definition;
    int rc = pl_schema_parse(op->definition, &definition, &op->reply.why);

    if (rc != 0)
        return rc;
    rc = pl_schema_create(next, definition, 0, pl_clock_wall_ms(&shard->options.clock), change,
                          &op->reply.why);
    pl_table_unref(definition);
    return rc;
}

static int change_schema(struct pl_shard *shard, struct pl_catalog *next, struct pl_operation *op,
                         struct pl_buf *change)
{
    const struct pl_table *table;

    if (op->name == PL_OP_CREATE)
        return create(shard, next, op, change);
    table = pl_tables_find(next->tables, op->table_name);
    if (table == NULL)
        return pl_reason_set(&op->reply.why, PL_ENOTABLE,
                             "Requested resource not found: Table: %.*s not found", (int)op->table_name.len,
                             op->table_name.data);
    if (op->name == PL_OP_ALTER)
        return alter(next, table, op, pl_clock_wall_ms(&shard->options.clock), change);
    return drop(shard, next, table, op, change);
}

static int judge_schema(struct pl_shard *shard, struct pl_operation *op)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    int rc;

    rc = pl_shard_check_room(shard, op);
    if (rc == 0)
        rc = pl_catalog_copy(&shard->catalog, &next);
    if (rc != 0)
        return rc;
    rc = change_schema(shard, &next, op, &change);
    return pl_shard_adopt_catalog(shard, rc, &next, &change,
                                  pl_shard_grows(op) ? PL_JOURNAL_GROW : PL_JOURNAL_SHRINK, &op->reply.why);
}

static int judge(struct pl_shard *shard, struct pl_operation *op)
{
    if (pl_operation_kind(op->name) == PL_OPERATION_SCHEMA)
        return judge_schema(shard, op);
    if (op->name == PL_OP_TRANSACT_GET || op->name == PL_OP_TRANSACT_WRITE)
        return pl_shard_transact(shard, op);
    if (op->name == PL_OP_ADVANCE)
        return pl_shard_advance(shard, op);
    return judge_write(shard, op);
}

void pl_shard_judge(struct pl_shard *shard, struct pl_operation *op)
{
    int rc = pl_shard_freshen_view(shard);

    if (rc == 0)
        rc = judge(shard, op);
    if (rc != 0 && rc != PL_ECONDITION)
        op->reply.has_item = false; /* what it was to return did not come to be */
    op->reply.rc = rc;
    if (op->name != PL_OP_TRANSACT_GET)
        shard->stats.writes++;
    pl_shard_conclude(shard, op);
}

int pl_shard_load(struct pl_shard *shard, struct pl_script *script, const uint64_t *hashes,
                  struct pl_operation *op)
{
    struct pl_catalog next;
    struct pl_buf change = { 0 };
    int rc = shard->failed != 0  ? PL_EREADONLY
             : shard->stuck != 0 ? shard->stuck
                                 : pl_catalog_copy(&shard->catalog, &next);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < pl_script_table_count(script) && rc == 0; i++)
        rc = pl_schema_apply(&next, pl_script_definition(script, i), hashes[i],
                             pl_clock_wall_ms(&shard->options.clock), &change, &op->reply.why);
    rc = pl_shard_adopt_catalog(shard, rc, &next, &change, PL_JOURNAL_GROW, &op->reply.why);
    if (rc != 0)
        return rc;
    pl_script_free(shard->script);
    shard->script = script;
    pl_shard_conclude(shard, op);
    return 0;
}
