/* SPDX-License-Identifier: MIT */
#include "partition/change.h"
#include "partition/stream.h"

#include <stdlib.h>

/*
 * Any bytes as a stream record: 15 of its key, and then its value. What is read has nothing outside its bytes;
 * where its items are sound, it is written again as it was read, if a write could have made it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static bool is_sound(const struct pl_item *item)
{
    struct pl_item checked;

    return pl_item_check(item->bytes, &checked) == 0 && checked.size_bytes == item->size_bytes;
}

static void check_inside(struct pl_bytes part, struct pl_bytes whole)
{
    check(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

/* From its images alone everything else of a record follows, but what it took from the clock and the request. */
static void check_rewriting(const struct pl_stream_record *record, struct pl_table *table,
                            struct pl_bytes key, struct pl_bytes value)
{
    struct pl_stream_write write = { .table = table,
                                     .partition = record->partition,
                                     .sequence = record->sequence,
                                     .old = record->has_old ? &record->old : NULL,
                                     .new = record->has_new ? &record->new : NULL,
                                     .actor = record->actor,
                                     .cascade_depth = record->cascade_depth,
                                     .at_ms = record->at_ms };
    enum pl_stream_event event = !record->has_old   ? PL_STREAM_INSERT
                                 : !record->has_new ? PL_STREAM_REMOVE
                                                    : PL_STREAM_MODIFY;
    struct pl_buf scratch = { 0 }, change = { 0 };
    struct pl_effect effect;
    struct pl_bytes rest;

    if (record->view != PL_STREAM_NEW_AND_OLD_IMAGES || record->has_keys || record->event != event)
        return;
    table->stream = record->view;
    table->stream_id = pl_get_be32(key.data + 3);
    if (table->stream_id == 0 || (uint8_t)key.data[2] != PL_KIND_STREAM)
        return;
    pl_stream_append(&write, &scratch, &change);
    check(pl_buf_status(&scratch) == 0 && pl_buf_status(&change) == 0);
    rest = pl_buf_view(&change);
    check(pl_change_take(&rest, &effect) == 1 && effect.kind == PL_EFFECT_PUT);
    check(pl_bytes_equal(effect.key, key) && pl_bytes_equal(effect.value, value));
    pl_buf_deinit(&scratch);
    pl_buf_deinit(&change);
}

static struct pl_table *make_table(void)
{
    struct pl_table *table;

    check(pl_table_from_text(pl_str("{\"table\":\"Tab\",\"partition_key\":\"p:S\",\"sort_key\":\"s:N\"}"),
                             false, &table, NULL) == 0);
    return table;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pl_table *table;
    struct pl_bytes key, value;
    struct pl_stream_record record;
    struct pl_buf buf = { 0 };
    struct pl_item keys;

    if (table == NULL)
        table = make_table();
    if (size < PL_STREAM_KEY_BYTES)
        return 0;
    key = pl_bytes(data, PL_STREAM_KEY_BYTES);
    value = pl_bytes(data + PL_STREAM_KEY_BYTES, size - PL_STREAM_KEY_BYTES);
    if (pl_stream_record_read(key, value, &record) != 0)
        return 0;
    check_inside(record.keys.bytes, value);
    check_inside(record.new.bytes, value);
    check_inside(record.old.bytes, value);
    if ((record.has_keys && !is_sound(&record.keys)) || (record.has_new && !is_sound(&record.new)) ||
        (record.has_old && !is_sound(&record.old)))
        return 0;
    check(pl_stream_record_keys(&record, &table->keys, &buf, &keys) == 0 && is_sound(&keys));
    check(pl_stream_record_size_bytes(&record, &table->keys) >= keys.size_bytes);
    check_rewriting(&record, table, key, value);
    pl_buf_deinit(&buf);
    return 0;
}
