/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/index_updates.h"

#include "codec/dynamo/notes.h"
#include "codec/dynamo/settings.h"
#include "model/json.h"

#include <cjson/cJSON.h>

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

/* The one action of an element, by its name. */
static const struct pl_dynamo_node *action_of(const struct pl_dynamo_node *update)
{
    static const char *const kinds[] = { "Update", "Create", "Delete" };

    for (int i = 0; i < 3; i++)
        if (pl_dynamo_get(update, kinds[i]) != NULL)
            return pl_dynamo_get(update, kinds[i]);
    return NULL;
}

static struct pl_bytes index_name(const struct pl_dynamo_node *update)
{
    return pl_dynamo_get_text(action_of(update), "IndexName");
}

static uint32_t count_of(const struct pl_dynamo_node *updates, const char *kind)
{
    uint32_t count = 0;

    for (const struct pl_dynamo_node *at = updates->first; at != NULL; at = at->next)
        count += pl_dynamo_get(at, kind) != NULL;
    return count;
}

bool pl_dynamo_index_updates_create(const struct pl_dynamo_node *updates)
{
    return count_of(updates, "Create") > 0;
}

bool pl_dynamo_index_updates_change_shape(const struct pl_dynamo_node *updates)
{
    return count_of(updates, "Create") + count_of(updates, "Delete") > 0;
}

bool pl_dynamo_index_updates_change_throughput(const struct pl_dynamo_node *updates)
{
    return count_of(updates, "Update") > 0;
}

bool pl_dynamo_index_updates_give_up(const struct pl_table *table, const struct pl_dynamo_node *updates)
{
    for (const struct pl_dynamo_node *at = updates->first; at != NULL; at = at->next) {
        const struct pl_index *index = pl_table_index(table, index_name(at));

        if (pl_dynamo_get(at, "Delete") == NULL || index == NULL || index->state != PL_INDEX_BACKFILLING)
            return false;
    }
    return true;
}

/* ---- in itself -------------------------------------------------------------------------------------- */

static int check_one(struct pl_dynamo_request *request, const struct pl_dynamo_node *update)
{
    uint32_t actions = (pl_dynamo_get(update, "Update") != NULL) + (pl_dynamo_get(update, "Create") != NULL) +
                       (pl_dynamo_get(update, "Delete") != NULL);

    if (actions == 0)
        return pl_dynamo_invalid(
            request, P "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                       "GlobalSecondaryIndexUpdate.Delete must not be null");
    if (actions > 1)
        return pl_dynamo_invalid(
            request,
            P "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object");
    return 0;
}

/* What is to be made is sound in itself: its attributes, its keys and what it projects. */
static int check_definition(struct pl_dynamo_request *request, const struct pl_dynamo_node *index)
{
    const struct pl_dynamo_node *attributes = pl_dynamo_get(request->input, "AttributeDefinitions");
    const struct pl_dynamo_node *keys = pl_dynamo_get(index, "KeySchema");
    int rc = pl_dynamo_attributes_check(request, attributes);

    for (const struct pl_dynamo_node *at = keys->first; rc == 0 && at != NULL; at = at->next)
        if (pl_dynamo_attribute_find(attributes, pl_dynamo_get_text(at, "AttributeName")) == NULL)
            rc = pl_dynamo_invalid(request, P "AttributeDefinitions is not specified for index: %.*s",
                                   NAME(pl_dynamo_get_text(index, "IndexName")));
    if (rc == 0)
        rc = pl_dynamo_global_keys_check(request, attributes, keys);
    return rc != 0 ? rc : pl_dynamo_projection_check(request, index);
}

static int check_action(struct pl_dynamo_request *request, const struct pl_dynamo_node *update)
{
    const struct pl_dynamo_node *change = pl_dynamo_get(update, "Update");
    const struct pl_dynamo_node *warm = change != NULL ? pl_dynamo_get(change, "WarmThroughput") : NULL;

    if (warm != NULL && !pl_dynamo_has_members(warm))
        return pl_dynamo_invalid(
            request,
            P "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond "
              "specified for index: %.*s",
            NAME(index_name(update)));
    if (pl_dynamo_get(update, "Create") == NULL)
        return 0;
    return check_definition(request, pl_dynamo_get(update, "Create"));
}

int pl_dynamo_index_updates_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *updates)
{
    int rc = 0;

    for (const struct pl_dynamo_node *at = updates->first; at != NULL; at = at->next) {
        rc = check_one(request, at);
        if (rc != 0)
            return rc;
        for (const struct pl_dynamo_node *before = updates->first; before != at; before = before->next)
            if (pl_bytes_equal(index_name(before), index_name(at)))
                return pl_dynamo_invalid(
                    request,
                    P
                    "Only one global secondary index update per index is allowed simultaneously. Index: %.*s",
                    NAME(index_name(at)));
    }
    if (count_of(updates, "Create") + count_of(updates, "Delete") > 1)
        return pl_dynamo_error(request, "LimitExceededException",
                               "Subscriber limit exceeded: Only 1 online index can be created or deleted "
                               "simultaneously per table");
    for (const struct pl_dynamo_node *at = updates->first; rc == 0 && at != NULL; at = at->next)
        rc = check_action(request, at);
    return rc;
}

/* ---- against the table ------------------------------------------------------------------------------ */

/* The type that the table's schemas give an attribute; 0: they do not know it. `kind` is how they use it. */
static enum pl_type known_type(const struct pl_table *table, struct pl_bytes name)
{
    for (uint32_t i = 0; i <= table->index_count; i++) {
        const struct pl_key_schema *keys = i == 0 ? &table->keys : &table->indexes[i - 1].keys;

        for (uint8_t k = 0; k < keys->partition_count; k++)
            if (pl_bytes_equal(keys->partition[k].name, name))
                return keys->partition[k].type;
        for (uint8_t k = 0; k < keys->sort_count; k++)
            if (pl_bytes_equal(keys->sort[k].name, name))
                return keys->sort[k].type;
    }
    return 0;
}

static int check_attribute(struct pl_dynamo_request *request, const struct pl_table *table,
                           const struct pl_dynamo_node *key)
{
    struct pl_bytes name = pl_dynamo_get_text(key, "AttributeName"), type;
    struct pl_bytes kind = pl_dynamo_get_text(key, "KeyType");
    const struct pl_dynamo_node *defined =
        pl_dynamo_attribute_find(pl_dynamo_get(request->input, "AttributeDefinitions"), name);
    enum pl_type known = known_type(table, name);

    type = pl_dynamo_get_text(defined, "AttributeType");
    if (known == 0 || pl_type_from_name(type) == known)
        return 0;
    return pl_dynamo_invalid(
        request,
        P "Attributes cannot be redefined. Please check that your attribute has the same type as previously "
          "defined. Existing schema: Schema:[SchemaElement: key{%.*s:%s:%.*s}] New schema: "
          "Schema:[SchemaElement: key{%.*s:%.*s:%.*s}]",
        NAME(name), pl_type_name(known), NAME(kind), NAME(name), NAME(type), NAME(kind));
}

static uint32_t global_count(const struct pl_table *table)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->index_count; i++)
        count += table->indexes[i].global;
    return count;
}

static bool becomes_provisioned(const struct pl_dynamo_request *request, const struct pl_table *table)
{
    struct pl_bytes mode = pl_dynamo_get_text(request->input, "BillingMode");

    return mode.data != NULL ? pl_bytes_equal(mode, pl_str("PROVISIONED")) : table->throughput.provisioned;
}

static int refuse_without_units(struct pl_dynamo_request *request, struct pl_bytes index)
{
    return pl_dynamo_invalid(
        request, P "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %.*s",
        NAME(index));
}

static int check_creation(struct pl_dynamo_request *request, const struct pl_table *table,
                          const struct pl_dynamo_node *index)
{
    const struct pl_dynamo_node *keys = pl_dynamo_get(index, "KeySchema");
    struct pl_bytes name = pl_dynamo_get_text(index, "IndexName");
    bool provisioned = becomes_provisioned(request, table);
    bool given = pl_dynamo_get(index, "ProvisionedThroughput") != NULL;
    int rc = 0;

    if (pl_table_index(table, name) != NULL)
        return pl_dynamo_invalid(request, "Attempting to create an index which already exists");
    for (const struct pl_dynamo_node *at = keys->first; rc == 0 && at != NULL; at = at->next)
        rc = check_attribute(request, table, at);
    if (rc == 0 && provisioned && !given)
        rc = refuse_without_units(request, name);
    if (rc == 0 && !provisioned && given)
        rc = pl_dynamo_invalid(request,
                               P "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for "
                                 "index: %.*s when BillingMode is PAY_PER_REQUEST",
                               NAME(name));
    if (rc == 0)
        rc = pl_dynamo_index_limits_check(request, index);
    if (rc == 0 && global_count(table) >= PL_GLOBAL_INDEXES_MAX)
        rc = pl_dynamo_error(request, "LimitExceededException",
                             "Subscriber limit exceeded: Number of global secondary indexes exceeds "
                             "per-table limit of %d",
                             PL_GLOBAL_INDEXES_MAX);
    return rc;
}

static int check_new_throughput(struct pl_dynamo_request *request, const struct pl_index *index,
                                const struct pl_dynamo_node *throughput)
{
    uint64_t reads = (uint64_t)pl_dynamo_get(throughput, "ReadCapacityUnits")->number;
    uint64_t writes = (uint64_t)pl_dynamo_get(throughput, "WriteCapacityUnits")->number;

    if (!index->throughput.provisioned || index->throughput.read_units != reads ||
        index->throughput.write_units != writes)
        return pl_dynamo_throughput_check(request, throughput);
    return pl_dynamo_invalid(
        request,
        "The provisioned throughput for the index %.*s will not change. The requested value equals the "
        "current "
        "value. Current ReadCapacityUnits provisioned for the index: %llu. Requested ReadCapacityUnits: "
        "%llu. "
        "Current WriteCapacityUnits provisioned for the index: %llu. Requested WriteCapacityUnits: %llu. "
        "Refer to "
        "the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
        NAME(index->name), (unsigned long long)reads, (unsigned long long)reads, (unsigned long long)writes,
        (unsigned long long)writes);
}

static int refuse_unknown(struct pl_dynamo_request *request, const struct pl_table *table,
                          struct pl_bytes index)
{
    return pl_dynamo_error(request, "ResourceNotFoundException",
                           "Requested resource not found: Index %.*s for table %.*s", NAME(index),
                           NAME(table->name));
}

static int check_new_warmth(struct pl_dynamo_request *request, const struct pl_table *table,
                            const struct pl_index *index, const struct pl_dynamo_node *warm)
{
    cJSON *notes = pl_dynamo_notes_read(table);
    int rc;

    if (notes == NULL)
        return PL_ENOMEM;
    rc = pl_dynamo_warm_change_check(
        request, warm, index->name,
        pl_dynamo_notes_warm(pl_dynamo_notes_index(notes, index->name), index->throughput));
    cJSON_Delete(notes);
    return rc;
}

/* Units of what has none, or nothing at all. */
static int check_kind_of_change(struct pl_dynamo_request *request, const struct pl_dynamo_node *action,
                                bool provisioned)
{
    bool units = pl_dynamo_get(action, "ProvisionedThroughput") != NULL;
    bool others = pl_dynamo_has_members(pl_dynamo_get(action, "OnDemandThroughput")) ||
                  pl_dynamo_has_members(pl_dynamo_get(action, "WarmThroughput"));
    struct pl_bytes name = pl_dynamo_get_text(action, "IndexName");

    if (provisioned)
        return units || others ? 0 : refuse_without_units(request, name);
    if (!units && others)
        return 0;
    return pl_dynamo_invalid(request,
                             P "The only Updates for index: %.*s when TableThroughputMode is PAY_PER_REQUEST "
                               "can be to OnDemandThroughput, WarmThroughput",
                             NAME(name));
}

static int check_change(struct pl_dynamo_request *request, const struct pl_table *table,
                        const struct pl_dynamo_node *action)
{
    struct pl_bytes name = pl_dynamo_get_text(action, "IndexName");
    const struct pl_index *index = pl_table_index(table, name);
    const struct pl_dynamo_node *throughput = pl_dynamo_get(action, "ProvisionedThroughput");
    bool provisioned = becomes_provisioned(request, table);
    int rc;

    if (index == NULL)
        return refuse_unknown(request, table, name);
    if (!index->global)
        return pl_dynamo_invalid(request, "Cannot update an index that is not a GlobalSecondaryIndex: %.*s",
                                 NAME(name));
    rc = check_kind_of_change(request, action, provisioned);
    if (rc == 0 && throughput != NULL)
        rc = check_new_throughput(request, index, throughput);
    if (rc == 0)
        rc = pl_dynamo_on_demand_check(request, pl_dynamo_get(action, "OnDemandThroughput"), name,
                                       provisioned, true);
    return rc != 0 ? rc : check_new_warmth(request, table, index, pl_dynamo_get(action, "WarmThroughput"));
}

static int check_deletion(struct pl_dynamo_request *request, const struct pl_table *table,
                          struct pl_bytes name)
{
    const struct pl_index *index = pl_table_index(table, name);

    if (index == NULL)
        return refuse_unknown(request, table, name);
    if (!index->global)
        return pl_dynamo_invalid(request, "Cannot delete an index that is not a GlobalSecondaryIndex: %.*s",
                                 NAME(name));
    return 0;
}

int pl_dynamo_index_updates_check_against(struct pl_dynamo_request *request, const struct pl_table *table,
                                          const struct pl_dynamo_node *updates)
{
    int rc = 0;

    for (const struct pl_dynamo_node *at = updates->first; rc == 0 && at != NULL; at = at->next) {
        if (pl_dynamo_get(at, "Create") != NULL)
            rc = check_creation(request, table, pl_dynamo_get(at, "Create"));
        else if (pl_dynamo_get(at, "Delete") != NULL)
            rc = check_deletion(request, table, index_name(at));
        else
            rc = check_change(request, table, action_of(at));
    }
    return rc;
}

static bool is_given(const struct pl_dynamo_node *updates, struct pl_bytes name)
{
    for (const struct pl_dynamo_node *at = updates != NULL ? updates->first : NULL; at != NULL;
         at = at->next) {
        const struct pl_dynamo_node *update = pl_dynamo_get(at, "Update");

        if (update != NULL && pl_bytes_equal(pl_dynamo_get_text(update, "IndexName"), name) &&
            pl_dynamo_get(update, "ProvisionedThroughput") != NULL)
            return true;
    }
    return false;
}

int pl_dynamo_index_updates_check_all_given(struct pl_dynamo_request *request, const struct pl_table *table,
                                            const struct pl_dynamo_node *updates)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].global && !is_given(updates, table->indexes[i].name))
            return pl_dynamo_invalid(request, P "ProvisionedThroughput must be specified for index: %.*s",
                                     NAME(table->indexes[i].name));
    return 0;
}

/* ---- the patch -------------------------------------------------------------------------------------- */

static void write_update(struct pl_buf *out, const struct pl_dynamo_node *input,
                         const struct pl_dynamo_node *update)
{
    const struct pl_dynamo_node *action = action_of(update), *throughput;

    if (pl_dynamo_get(update, "Create") != NULL) {
        pl_dynamo_index_write(out, pl_dynamo_get(input, "AttributeDefinitions"), action, false);
        return;
    }
    pl_json_write_string(out, index_name(update));
    if (pl_dynamo_get(update, "Delete") != NULL) {
        pl_buf_append_bytes(out, pl_str(":null"));
        return;
    }
    throughput = pl_dynamo_get(action, "ProvisionedThroughput");
    pl_buf_append_bytes(out, pl_str(":{"));
    if (throughput != NULL)
        pl_dynamo_throughput_write(out, throughput);
    pl_buf_append_byte(out, '}');
}

void pl_dynamo_index_updates_write(struct pl_buf *out, const struct pl_dynamo_node *input,
                                   const struct pl_table *table, const struct pl_dynamo_node *updates,
                                   bool on_demand)
{
    bool first = true;

    pl_buf_append_bytes(out, pl_str(",\"indexes\":{"));
    for (uint32_t i = 0; on_demand && i < table->index_count; i++) {
        if (!table->indexes[i].global)
            continue;
        pl_buf_append(out, ",", !first);
        pl_json_write_string(out, table->indexes[i].name);
        pl_buf_append_bytes(out, pl_str(":{\"throughput\":null}"));
        first = false;
    }
    for (const struct pl_dynamo_node *at = updates != NULL ? updates->first : NULL; at != NULL;
         at = at->next) {
        if (on_demand && pl_dynamo_get(at, "Update") != NULL)
            continue; /* it is there already, and has no throughput */
        pl_buf_append(out, ",", !first);
        write_update(out, input, at);
        first = false;
    }
    pl_buf_append_byte(out, '}');
}
