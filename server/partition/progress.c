/* SPDX-License-Identifier: MIT */
#include "partition/progress.h"

#include "partition/change.h"

enum { FORMAT = 1, VALUE_BYTES = 2 + 8, ID_AT = 3, SEQUENCE_AT = 7, SLOT_AT = 15 };

struct pl_bytes pl_progress_key(uint8_t key[PL_PROGRESS_KEY_BYTES], uint16_t partition, uint32_t trigger_id,
                                uint8_t slot)
{
    pl_put_be16(key, partition);
    key[2] = PL_KIND_TRIGGER;
    pl_put_be32(key + ID_AT, trigger_id);
    pl_put_be64(key + SEQUENCE_AT, 0);
    key[SLOT_AT] = slot;
    return pl_bytes(key, PL_PROGRESS_KEY_BYTES);
}

int pl_progress_read(struct pl_bytes value, struct pl_progress *out)
{
    if (value.len != VALUE_BYTES || value.data[0] != FORMAT)
        return PL_ECORRUPT;
    out->parallel = (uint8_t)value.data[1];
    out->sequence = pl_get_le64(value.data + 2);
    return 0;
}

int pl_progress_get(struct pl_snapshot *snapshot, uint16_t partition, uint32_t trigger_id, uint8_t slot,
                    struct pl_progress *out)
{
    uint8_t key[PL_PROGRESS_KEY_BYTES];
    struct pl_bytes value;
    int rc = pl_snapshot_get(snapshot, pl_progress_key(key, partition, trigger_id, slot), &value);

    *out = (struct pl_progress){ 0 };
    if (rc != 0)
        return rc == PL_ENOTFOUND ? 0 : rc;
    return pl_progress_read(value, out);
}

void pl_progress_put(struct pl_buf *change, uint16_t partition, uint32_t trigger_id, uint8_t slot,
                     const struct pl_progress *progress)
{
    uint8_t key[PL_PROGRESS_KEY_BYTES], value[VALUE_BYTES] = { FORMAT };

    pl_progress_key(key, partition, trigger_id, slot);
    if (progress == NULL) {
        pl_change_delete(change, pl_bytes(key, sizeof key));
        return;
    }
    value[1] = progress->parallel;
    pl_put_le64(value + 2, progress->sequence);
    pl_change_put(change, pl_bytes(key, sizeof key), pl_bytes(value, sizeof value));
}

/* ---- a step forward --------------------------------------------------------------------------------- */

static bool is_there(const struct pl_advance *advance, const struct pl_tables *tables)
{
    const struct pl_table *table = pl_tables_find_id(tables, advance->table_id);

    for (uint32_t i = 0; table != NULL && i < table->trigger_count; i++)
        if (table->triggers[i].id == advance->trigger_id)
            return true;
    return false;
}

int pl_advance_check(const struct pl_advance *advance, uint16_t partition, const struct pl_tables *tables,
                     const struct pl_view *view)
{
    uint8_t key[PL_PROGRESS_KEY_BYTES];
    struct pl_progress now = { 0 };
    struct pl_bytes value;
    int rc;

    if (!is_there(advance, tables))
        return PL_ENOTFOUND;
    if (!advance->moves)
        return 0;
    rc = pl_view_get(view, pl_progress_key(key, partition, advance->trigger_id, advance->slot), &value);
    if (rc == 0)
        rc = pl_progress_read(value, &now);
    else if (rc == PL_ENOTFOUND)
        rc = 0;
    if (rc != 0)
        return rc;
    return now.sequence == advance->from ? 0 : PL_EINUSE;
}

void pl_advance_append(const struct pl_advance *advance, uint16_t partition, struct pl_buf *change)
{
    if (advance->moves)
        pl_progress_put(change, partition, advance->trigger_id, advance->slot, &advance->to);
    pl_buf_append_bytes(change, advance->effects);
}
