/* SPDX-License-Identifier: MIT */
#include "stream/kept.h"

#include "partition/prepare.h"

#include <stdlib.h>

void pl_kept_clear(struct pl_kept *kept)
{
    for (uint32_t i = 0; i < kept->count; i++)
        pl_operation_deinit(&kept->operations[i]);
    kept->count = 0;
    kept->size_bytes = 0;
}

void pl_kept_deinit(struct pl_kept *kept)
{
    pl_kept_clear(kept);
    free(kept->operations);
    *kept = (struct pl_kept){ 0 };
}

bool pl_kept_allows(const struct pl_operation *op)
{
    return (op->name == PL_OP_PUT || op->name == PL_OP_DELETE || op->name == PL_OP_UPDATE) &&
           op->condition_text.len == 0 && op->condition_name.len == 0 && op->returns == PL_RETURN_NONE &&
           op->report == PL_CAPACITY_NONE;
}

static uint64_t request_bytes(const struct pl_operation *op)
{
    return op->item.bytes.len + op->update_text.len;
}

bool pl_kept_is_full(const struct pl_kept *kept, const struct pl_operation *op)
{
    return kept->count == PL_KEPT_MAX ||
           (kept->count > 0 && kept->size_bytes + request_bytes(op) > PL_KEPT_BYTES_MAX);
}

static bool names_another(const struct pl_kept *kept, const struct pl_operation *op)
{
    for (uint32_t i = 0; i < kept->count; i++) {
        const struct pl_operation *other = &kept->operations[i];

        if (other->table->id == op->table->id && pl_bytes_equal(other->pk, op->pk) &&
            pl_bytes_equal(other->tail, op->tail))
            return true;
    }
    return false;
}

/* Operations are moved before they are prepared: what is prepared points into its operation. */
static void move(struct pl_operation *to, struct pl_operation *from)
{
    *to = *from;
    if (to->params.arena != NULL)
        to->params.arena = &to->arena;
    pl_operation_init(from, to->name);
}

/* As it was before it was prepared. */
static void unprepare(struct pl_operation *op)
{
    pl_table_unref(op->table);
    op->table = NULL;
    op->condition = NULL;
    op->update = NULL;
    op->pk = op->tail = pl_bytes(NULL, 0);
    pl_buf_clear(&op->pk_bytes);
    pl_buf_clear(&op->tail_bytes);
}

int pl_kept_take(struct pl_kept *kept, struct pl_operation *op, const struct pl_tables *tables,
                 uint32_t partition_count)
{
    struct pl_operation *at;
    int rc;

    if (kept->operations == NULL)
        kept->operations = calloc(PL_KEPT_MAX, sizeof *kept->operations);
    if (kept->operations == NULL)
        return pl_operation_fail(op, PL_ENOMEM, NULL);
    at = &kept->operations[kept->count];
    move(at, op);
    rc = pl_prepare(at, tables, partition_count);
    if (rc == 0 && names_another(kept, at))
        rc = PL_EINUSE;
    if (rc != 0) {
        unprepare(at);
        move(op, at);
        return rc;
    }
    kept->count++;
    kept->size_bytes += request_bytes(at);
    return 0;
}
