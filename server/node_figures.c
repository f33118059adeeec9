/* SPDX-License-Identifier: MIT */
#include "node_inside.h"

#include "route/table_stats.h"
#include "stream/feed.h"

#include <cjson/cJSON.h>

static void add_figures(cJSON *json, struct pl_node *node)
{
    struct pl_shard_stats shard = pl_driver_stats(node->driver);
    struct pl_store_room room;
    struct pl_store_lag lag;
    const struct {
        const char *name;
        double value;
    } figures[] = {
        { "uptime_ms", (double)(pl_clock_monotonic_ns(&node->options.clock) - node->opened_ns) / 1e6 },
        { "partitions", node->partition_count },
        { "writes", (double)shard.writes },
        { "transactions", (double)shard.transactions },
        { "conditions_failed", (double)shard.conditions_failed },
        { "batches", (double)shard.batches },
        { "changes", (double)shard.changes },
        { "checkpoints", (double)shard.checkpoints },
        { "queued", (double)shard.queued },
        { "inflight_keys", (double)shard.inflight_keys },
        { "journal_start", (double)shard.journal_start },
        { "journal_end", (double)shard.journal_end },
        { "journal_durable", (double)shard.journal_durable },
        { "script_bytes", (double)shard.script_bytes },
        { "chore_done", (double)shard.chore_done },
        { "expired", (double)shard.expired },
        { "expiry_lag_ms", (double)shard.expiry_lag_ms },
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        cJSON_AddNumberToObject(json, figures[i].name, figures[i].value);
    cJSON_AddStringToObject(json, "chore",
                            shard.chore == PL_CHORE_IDLE      ? "idle"
                            : shard.chore == PL_CHORE_FILLING ? "backfill"
                                                              : "sweep");
    cJSON_AddBoolToObject(json, "full", shard.full);
    if (pl_store_room(node->store, &room) == 0) {
        cJSON_AddNumberToObject(json, "store_bytes", (double)room.file_bytes);
        cJSON_AddNumberToObject(json, "disk_free_bytes", (double)room.disk_free_bytes);
    }
    pl_store_lag(node->store, &lag);
    cJSON_AddNumberToObject(json, "readers", lag.reader_count);
    cJSON_AddNumberToObject(json, "oldest_reader_lag", (double)(lag.last_txn_id - lag.oldest_txn_id));
}

/* NULL: there is no memory for a place to look from, and the lag is left out. */
static struct pl_snapshot *stream_snapshot(struct pl_attachment *attachment)
{
    struct pl_feed_source source;

    return pl_attachment_feed_source(attachment, &source) == 0 ? source.snapshot : NULL;
}

void pl_node_stats(struct pl_attachment *attachment, struct pl_bytes name, struct pl_buf *out)
{
    struct pl_node *node = attachment->node;
    cJSON *json = cJSON_CreateObject();
    char *text;
    int rc = 0;

    if (name.len > 0) {
        struct pl_tables *tables = pl_node_tables(node);
        const struct pl_table *table = pl_tables_find(tables, name);

        if (table != NULL) {
            rc = pl_table_stats(table, node->counters, &node->hot_keys, &node->options.clock, json);
            if (rc == 0)
                rc = pl_triggers_figures(node->triggers, (struct pl_table *)table, node->counters,
                                         stream_snapshot(attachment), json);
        }
        pl_tables_unref(tables);
    } else {
        add_figures(json, node);
    }
    text = rc == 0 ? cJSON_PrintUnformatted(json) : NULL;
    if (text != NULL)
        pl_buf_append_bytes(out, pl_str(text));
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}
