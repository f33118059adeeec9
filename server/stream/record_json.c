/* SPDX-License-Identifier: MIT */
#include "stream/record_json.h"

#include "model/json.h"

static void write_member(struct pl_buf *out, const char *name, struct pl_item item)
{
    pl_buf_append_format(out, ",\"%s\":", name);
    pl_json_write_item(out, PL_JSON_PLAIN, item);
}

void pl_record_write_json(struct pl_buf *out, const struct pl_stream_record *record,
                          const struct pl_key_schema *keys, struct pl_buf *scratch)
{
    struct pl_item key;

    pl_buf_append_format(out, "{\"event\":\"%s\",\"shard\":%u,\"sequence\":\"%llu\",\"at\":%lld.%03d",
                         pl_stream_event_name(record->event), record->partition,
                         (unsigned long long)record->sequence, (long long)(record->at_ms / 1000),
                         (int)(record->at_ms % 1000));
    if (record->actor == PL_ACTOR_EXPIRY)
        pl_buf_append_bytes(out, pl_str(",\"by\":\"expiry\""));
    pl_buf_clear(scratch);
    if (pl_stream_record_keys(record, keys, scratch, &key) == 0)
        write_member(out, "keys", key);
    if (record->has_new)
        write_member(out, "new", record->new);
    if (record->has_old)
        write_member(out, "old", record->old);
    pl_buf_append_byte(out, '}');
}
