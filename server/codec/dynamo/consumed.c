/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/consumed.h"

#include "model/json.h"

/* Units are doubles: 3 halves are 1.5. */
static void write_units(struct pl_buf *out, const char *name, uint64_t halves)
{
    pl_buf_append_format(out, "\"%s\":%llu.%c", name, (unsigned long long)(halves / 2),
                         halves % 2 == 0 ? '0' : '5');
}

static void write_indexes(struct pl_buf *out, const struct pl_capacity *capacity, bool global)
{
    bool first = true;

    for (uint32_t i = 0; i < capacity->index_count; i++) {
        if (capacity->indexes[i].global != global)
            continue;
        pl_buf_append_bytes(out, !first   ? pl_str(",")
                                 : global ? pl_str(",\"GlobalSecondaryIndexes\":{")
                                          : pl_str(",\"LocalSecondaryIndexes\":{"));
        pl_json_write_string(out, capacity->indexes[i].name);
        pl_buf_append_bytes(out, pl_str(":{"));
        write_units(out, "CapacityUnits", capacity->indexes[i].halves);
        pl_buf_append_byte(out, '}');
        first = false;
    }
    if (!first)
        pl_buf_append_byte(out, '}');
}

static void write_consumed(struct pl_buf *out, struct pl_bytes table, const struct pl_capacity *capacity,
                           enum pl_capacity_report report, const char *besides)
{
    pl_buf_append_bytes(out, pl_str("{\"TableName\":"));
    pl_json_write_string(out, table);
    pl_buf_append_byte(out, ',');
    write_units(out, "CapacityUnits", pl_capacity_total(capacity));
    if (besides != NULL) {
        pl_buf_append_byte(out, ',');
        write_units(out, besides, pl_capacity_total(capacity));
    }
    if (report == PL_CAPACITY_INDEXES) {
        pl_buf_append_bytes(out, pl_str(",\"Table\":{"));
        write_units(out, "CapacityUnits", capacity->table_halves);
        if (besides != NULL) {
            pl_buf_append_byte(out, ',');
            write_units(out, besides, capacity->table_halves);
        }
        pl_buf_append_byte(out, '}');
        write_indexes(out, capacity, true);
        write_indexes(out, capacity, false);
    }
    pl_buf_append_byte(out, '}');
}

void pl_dynamo_consumed_write(struct pl_buf *out, struct pl_bytes table, const struct pl_capacity *capacity,
                              enum pl_capacity_report report)
{
    write_consumed(out, table, capacity, report, NULL);
}

void pl_dynamo_consumed_write_transaction(struct pl_buf *out, struct pl_bytes table,
                                          const struct pl_capacity *capacity, enum pl_capacity_report report)
{
    write_consumed(out, table, capacity, report,
                   capacity->writes ? "WriteCapacityUnits" : "ReadCapacityUnits");
}

bool pl_dynamo_has_collections(const struct pl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!table->indexes[i].global)
            return true;
    return false;
}

/* The size of the collection, as the gigabytes between which it lies. */
void pl_dynamo_metrics_write(struct pl_buf *out, const struct pl_operation *op)
{
    unsigned long long gigabytes = op->reply.has_collection ? op->reply.collection_bytes >> 30 : 0;
    struct pl_bytes name = op->table->keys.partition[0].name;
    struct pl_value value;

    pl_buf_append_bytes(out, pl_str("{\"ItemCollectionKey\":{"));
    if (pl_item_find(op->item, name, &value)) {
        pl_json_write_string(out, name);
        pl_buf_append_byte(out, ':');
        pl_json_write_value(out, PL_JSON_TYPED, value);
    }
    pl_buf_append_format(out, "},\"SizeEstimateRangeGB\":[%llu.0,%llu.0]}", gigabytes, gigabytes + 1);
}
