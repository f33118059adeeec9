/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/arn.h"
#include "codec/dynamo/call.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/index_updates.h"
#include "codec/dynamo/notes.h"
#include "codec/dynamo/settings.h"
#include "codec/dynamo/table_shapes.h"
#include "model/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

/*
 * UpdateTable: one change a call. What is asked becomes a patch of the definition (partition/schema.h), judged here
 * against the table as this thread sees it.
 */
static const struct pl_dynamo_shape replica = { .kind = PL_DYNAMO_STRUCTURE,
                                                .name = "ReplicationGroupUpdate" };
static const struct pl_dynamo_shape replicas = { .kind = PL_DYNAMO_LIST, .element = &replica };
static const struct pl_dynamo_shape witness = { .kind = PL_DYNAMO_STRUCTURE,
                                                .name = "GlobalTableWitnessGroupUpdate" };
static const struct pl_dynamo_shape witnesses = { .kind = PL_DYNAMO_LIST, .element = &witness };
static const char *const consistencies[] = { "EVENTUAL", "STRONG", NULL };
static const struct pl_dynamo_shape consistency = { .kind = PL_DYNAMO_STRING, .words = consistencies };

static const struct pl_dynamo_member members[] = {
    { "TableName", &pl_dynamo_table_name, false }, /* its absence is told in other words */
    { "AttributeDefinitions", &pl_dynamo_attribute_definitions, false },
    { "BillingMode", &pl_dynamo_billing_mode, false },
    { "ProvisionedThroughput", &pl_dynamo_throughput, false },
    { "GlobalSecondaryIndexUpdates", &pl_dynamo_global_index_updates, false },
    { "StreamSpecification", &pl_dynamo_stream_specification, false },
    { "SSESpecification", &pl_dynamo_sse_specification, false },
    { "ReplicaUpdates", &replicas, false },
    { "TableClass", &pl_dynamo_string, false },
    { "DeletionProtectionEnabled", &pl_dynamo_boolean, false },
    { "OnDemandThroughput", &pl_dynamo_on_demand_throughput, false },
    { "WarmThroughput", &pl_dynamo_warm_throughput, false },
    { "MultiRegionConsistency", &consistency, false },
    { "GlobalTableWitnessUpdates", &witnesses, false },
};
static const struct pl_dynamo_shape input = PL_DYNAMO_STRUCTURE_OF("UpdateTableInput", members);

/* ---- what is asked ---------------------------------------------------------------------------------- */

static bool has(const struct pl_dynamo_request *request, const char *member)
{
    return pl_dynamo_get(request->input, member) != NULL;
}

/* NULL when the list is empty, too. */
static const struct pl_dynamo_node *index_updates(const struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *list = pl_dynamo_get(request->input, "GlobalSecondaryIndexUpdates");

    return list != NULL && list->count > 0 ? list : NULL;
}

/* An OnDemandThroughput or WarmThroughput in which nothing stands is as good as none. */
static bool asks(const struct pl_dynamo_request *request, const char *limits)
{
    return pl_dynamo_has_members(pl_dynamo_get(request->input, limits));
}

static bool wants_on_demand(const struct pl_dynamo_request *request)
{
    return pl_bytes_equal(pl_dynamo_get_text(request->input, "BillingMode"), pl_str("PAY_PER_REQUEST"));
}

static bool changes_throughput(const struct pl_dynamo_request *request)
{
    return has(request, "ProvisionedThroughput") || has(request, "BillingMode");
}

static bool asks_nothing(const struct pl_dynamo_request *request)
{
    return !has(request, "StreamSpecification") && !has(request, "SSESpecification") &&
           !has(request, "ReplicaUpdates") && !has(request, "TableClass") &&
           !has(request, "DeletionProtectionEnabled") && !asks(request, "OnDemandThroughput") &&
           !asks(request, "WarmThroughput") && !changes_throughput(request) && index_updates(request) == NULL;
}

/* ---- what goes together ----------------------------------------------------------------------------- */

/* Also of what is no member here. */
static bool stands(const struct pl_dynamo_request *request, const char *name)
{
    const struct pl_dynamo_node *given = request->input;

    for (uint32_t i = 0; i < given->shape->member_count; i++)
        if (strcmp(given->shape->members[i].name, name) == 0)
            return given->members[i] != NULL;
    return false;
}

/* What stands there, though it asks for nothing, is not named. */
static int check_something_asked(struct pl_dynamo_request *request)
{
    static const char *const changes[] = {
        "ProvisionedThroughput",       "BillingMode",           "UpdateStreamEnabled",
        "GlobalSecondaryIndexUpdates", "SSESpecification",      "ReplicaUpdates",
        "MultiAccountReplicaReady",    "ReplicaTransitRoleArn", "MultiRegionConsistency",
        "DeletionProtectionEnabled",   "OnDemandThroughput",    "WarmThroughput",
    };
    char names[512] = "";
    size_t len = 0;

    if (!asks_nothing(request))
        return 0;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (!stands(request, changes[i]))
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "", changes[i]);
    return pl_dynamo_invalid(request, "At least one of %s or TableClass is required", names);
}

/* Limits on demand go with the way of billing, and with nothing else. */
static int check_limits_alone(struct pl_dynamo_request *request)
{
    if (!asks(request, "OnDemandThroughput") ||
        (!has(request, "StreamSpecification") && index_updates(request) == NULL &&
         !asks(request, "WarmThroughput")))
        return 0;
    return pl_dynamo_invalid(
        request, P "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request");
}

static int check_warm_alone(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *updates = index_updates(request);

    if (!asks(request, "WarmThroughput"))
        return 0;
    if (updates != NULL && pl_dynamo_index_updates_create(updates))
        return pl_dynamo_invalid(
            request, P "Create global secondary index cannot be specified when updating WarmThroughput");
    if (updates != NULL || changes_throughput(request) || has(request, "StreamSpecification"))
        return pl_dynamo_invalid(request, P "WarmThroughput must be the only operation in the request");
    return 0;
}

/* Some changes must stand alone. Of several such, the first is told. */
static int check_alone(struct pl_dynamo_request *request)
{
    static const struct {
        const char *member, *name;
    } alone[] = {
        { "SSESpecification", "Server-Side Encryption" },
        { "TableClass", "TableClass" },
        { "DeletionProtectionEnabled", "DeletionProtection" },
        { "ReplicaUpdates", "Replica" },
    };
    uint32_t changes = changes_throughput(request) + (index_updates(request) != NULL) +
                       has(request, "StreamSpecification") + asks(request, "OnDemandThroughput") +
                       asks(request, "WarmThroughput");
    int rc;

    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        changes += has(request, alone[i].member);
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        if (has(request, alone[i].member) && changes > 1)
            return pl_dynamo_invalid(request, P "%s modification must be the only operation in the request",
                                     alone[i].name);
    rc = check_limits_alone(request);
    return rc != 0 ? rc : check_warm_alone(request);
}

static int check_here(struct pl_dynamo_request *request)
{
    if (!has(request, "ReplicaUpdates") && !has(request, "MultiRegionConsistency") &&
        !has(request, "GlobalTableWitnessUpdates"))
        return 0;
    return pl_dynamo_invalid(request, P "replicas in other regions are not available here");
}

/* A new index may come with the change to on demand, a stream too: nothing of them costs provisioned units. */
static int check_together(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *updates = index_updates(request);
    bool shapes = updates != NULL && pl_dynamo_index_updates_change_shape(updates);
    bool throughput = changes_throughput(request) ||
                      (updates != NULL && pl_dynamo_index_updates_change_throughput(updates));
    bool only_on_demand = wants_on_demand(request) && !has(request, "ProvisionedThroughput");

    if (has(request, "StreamSpecification") && throughput && !(only_on_demand && updates == NULL))
        return pl_dynamo_invalid(request, P "You cannot modify stream status while updating table IOPS");
    if (shapes && changes_throughput(request) && !(only_on_demand && pl_dynamo_index_updates_create(updates)))
        return pl_dynamo_invalid(request, P "You cannot create or delete index while updating table IOPS");
    if (shapes && has(request, "StreamSpecification"))
        return pl_dynamo_invalid(request, P "You cannot create or delete index while changing stream status");
    return 0;
}

/* ---- in itself -------------------------------------------------------------------------------------- */

static int check_units(struct pl_dynamo_request *request)
{
    if (has(request, "ProvisionedThroughput") && wants_on_demand(request))
        return pl_dynamo_invalid(request,
                                 P "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                                   "when BillingMode is PAY_PER_REQUEST");
    return pl_dynamo_throughput_check(request, pl_dynamo_get(request->input, "ProvisionedThroughput"));
}

static int check_view(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *stream = pl_dynamo_get(request->input, "StreamSpecification");
    bool enables, viewed;

    if (stream == NULL)
        return 0;
    enables = pl_dynamo_get_bool(stream, "StreamEnabled");
    viewed = pl_dynamo_get(stream, "StreamViewType") != NULL;
    if (enables && !viewed)
        return pl_dynamo_invalid(request, P "If stream is being enabled then UpdateViewType is required");
    if (!enables && viewed)
        return pl_dynamo_invalid(request,
                                 P "If stream is being disabled, then UpdateViewType must not be specified");
    return 0;
}

static int check_indexes(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *updates = index_updates(request);

    return updates != NULL ? pl_dynamo_index_updates_check(request, updates) : 0;
}

static int check_settings(struct pl_dynamo_request *request)
{
    int rc = pl_dynamo_sse_check(request, pl_dynamo_get(request->input, "SSESpecification"));

    return rc != 0 ? rc
                   : pl_dynamo_table_class_check(request, pl_dynamo_get_text(request->input, "TableClass"));
}

static int check_request(struct pl_dynamo_request *request)
{
    static int (*const checks[])(struct pl_dynamo_request * request) = {
        pl_dynamo_check_table_named,
        check_something_asked,
        check_alone,
        check_here,
        check_indexes,
        check_together,
        check_units,
        check_view,
        check_settings,
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof checks / sizeof checks[0]; i++)
        rc = checks[i](request);
    return rc;
}

/* ---- against the table ------------------------------------------------------------------------------ */

/* Only an index that is being filled may be deleted meanwhile. */
static int check_changeable(struct pl_dynamo_request *request, const struct pl_table *table)
{
    const struct pl_dynamo_node *updates = index_updates(request);
    enum pl_dynamo_table_state state = pl_dynamo_table_state(table, request->context);

    if (updates != NULL && state == PL_DYNAMO_TABLE_UPDATING &&
        pl_dynamo_index_updates_give_up(table, updates))
        return 0;
    return pl_dynamo_check_idle(request, table);
}

static int check_new_throughput(struct pl_dynamo_request *request, const struct pl_table *table)
{
    const struct pl_dynamo_node *throughput = pl_dynamo_get(request->input, "ProvisionedThroughput");
    uint64_t reads = (uint64_t)pl_dynamo_get(throughput, "ReadCapacityUnits")->number;
    uint64_t writes = (uint64_t)pl_dynamo_get(throughput, "WriteCapacityUnits")->number;

    if (table->throughput.provisioned && table->throughput.read_units == reads &&
        table->throughput.write_units == writes && index_updates(request) == NULL)
        return pl_dynamo_invalid(
            request,
            "The provisioned throughput for the table will not change. The requested value equals the "
            "current "
            "value. Current ReadCapacityUnits provisioned for the table: %llu. Requested ReadCapacityUnits: "
            "%llu. "
            "Current WriteCapacityUnits provisioned for the table: %llu. Requested WriteCapacityUnits: %llu. "
            "Refer "
            "to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
            (unsigned long long)reads, (unsigned long long)reads, (unsigned long long)writes,
            (unsigned long long)writes);
    return 0;
}

static int check_throughput(struct pl_dynamo_request *request, const struct pl_table *table)
{
    bool given = has(request, "ProvisionedThroughput");
    bool on_demand = has(request, "BillingMode") ? wants_on_demand(request) : !table->throughput.provisioned;

    if (given && on_demand)
        return pl_dynamo_invalid(request,
                                 P "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                                   "when BillingMode is PAY_PER_REQUEST");
    if (!on_demand && has(request, "BillingMode") && !given && !table->throughput.provisioned)
        return pl_dynamo_invalid(request,
                                 P "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
    if (given) {
        int rc = check_new_throughput(request, table);

        if (rc != 0)
            return rc;
    }
    if (!on_demand && !table->throughput.provisioned) {
        int rc = pl_dynamo_index_updates_check_all_given(request, table, index_updates(request));

        if (rc != 0)
            return rc;
    }
    return pl_dynamo_on_demand_check(request, pl_dynamo_get(request->input, "OnDemandThroughput"),
                                     pl_bytes(NULL, 0), !on_demand, true);
}

static int check_stream(struct pl_dynamo_request *request, const struct pl_table *table)
{
    const struct pl_dynamo_node *stream = pl_dynamo_get(request->input, "StreamSpecification");
    bool enables;

    if (stream == NULL)
        return 0;
    enables = pl_dynamo_get_bool(stream, "StreamEnabled");
    if (enables && table->stream != PL_STREAM_OFF)
        return pl_dynamo_invalid(request, "Table already has an enabled stream: TableName: %.*s",
                                 NAME(table->name));
    if (!enables && table->stream == PL_STREAM_OFF)
        return pl_dynamo_invalid(request, "Table has no stream to disable: TableName: %.*s",
                                 NAME(table->name));
    return 0;
}

/* `present` is what is noted of the encryption that there is; NULL: none. */
static int check_encryption_changes(struct pl_dynamo_request *request, const cJSON *present)
{
    const struct pl_dynamo_node *asked = pl_dynamo_get(request->input, "SSESpecification");
    struct pl_bytes key = pl_dynamo_get_text(asked, "KMSMasterKeyId");
    const cJSON *current = cJSON_GetObjectItemCaseSensitive(present, "key");

    if (present == NULL && !pl_dynamo_get_bool(asked, "Enabled"))
        return pl_dynamo_invalid(request, P "Table is already encrypted by default");
    /* By another name of the same key it is encrypted again. */
    if (cJSON_IsString(current) && pl_bytes_equal(key, pl_str(current->valuestring)) && pl_dynamo_arn_is(key))
        return pl_dynamo_invalid(request, P "Table is already encrypted with given KMSMasterKeyId. Use "
                                            "KMSMasterKeyId parameter if you want to change Master Key");
    return 0;
}

/* Against what is only noted of the table. */
static int check_notes(struct pl_dynamo_request *request, const struct pl_table *table)
{
    const struct pl_dynamo_node *warm = pl_dynamo_get(request->input, "WarmThroughput");
    cJSON *notes;
    int rc = 0;

    if (warm == NULL && !has(request, "SSESpecification"))
        return 0;
    notes = pl_dynamo_notes_read(table);
    if (notes == NULL)
        return PL_ENOMEM;
    if (has(request, "SSESpecification"))
        rc = check_encryption_changes(request, cJSON_GetObjectItemCaseSensitive(notes, "sse"));
    if (rc == 0)
        rc = pl_dynamo_warm_change_check(request, warm, pl_bytes(NULL, 0),
                                         pl_dynamo_notes_warm(notes, table->throughput));
    cJSON_Delete(notes);
    return rc;
}

static int check_against(struct pl_dynamo_request *request, const struct pl_table *table)
{
    int rc = check_changeable(request, table);

    if (rc == 0)
        rc = check_throughput(request, table);
    if (rc == 0)
        rc = check_stream(request, table);
    if (rc == 0)
        rc = check_notes(request, table);
    if (rc == 0 && index_updates(request) != NULL)
        rc = pl_dynamo_index_updates_check_against(request, table, index_updates(request));
    return rc;
}

/* ---- the patch -------------------------------------------------------------------------------------- */

static void write_throughput(struct pl_dynamo_request *request, struct pl_buf *out)
{
    if (has(request, "ProvisionedThroughput")) {
        pl_buf_append_byte(out, ',');
        pl_dynamo_throughput_write(out, pl_dynamo_get(request->input, "ProvisionedThroughput"));
    } else if (wants_on_demand(request)) {
        pl_buf_append_bytes(out, pl_str(",\"throughput\":null"));
    }
}

static void write_stream(struct pl_dynamo_request *request, struct pl_buf *out)
{
    const struct pl_dynamo_node *stream = pl_dynamo_get(request->input, "StreamSpecification");

    if (stream == NULL)
        return;
    pl_buf_append_bytes(out, pl_str(",\"stream\":"));
    if (pl_dynamo_get_bool(stream, "StreamEnabled"))
        pl_json_write_string(out, pl_dynamo_stream_view(pl_dynamo_get_text(stream, "StreamViewType")));
    else
        pl_buf_append_bytes(out, pl_str("false"));
}

static void write_notes(struct pl_dynamo_request *request, const struct pl_table *table, struct pl_buf *out)
{
    const struct pl_dynamo_node *in = request->input, *stream = pl_dynamo_get(in, "StreamSpecification");
    struct pl_dynamo_notes notes = { .out = out, .patches = true };

    pl_buf_append_bytes(out, pl_str(",\"dynamodb\":{"));
    pl_dynamo_notes_write_limits(&notes, in);
    pl_dynamo_notes_write_indexes(&notes, index_updates(request));
    if (wants_on_demand(request) && table->throughput.provisioned)
        pl_dynamo_notes_write_time(&notes, "on_demand_ms", request->context->now_ms);
    if (stream != NULL && table->stream != PL_STREAM_OFF)
        pl_dynamo_notes_write_time(&notes, "stream_ms", table->stream_created_ms);
    if (has(request, "TableClass"))
        pl_dynamo_notes_write_text(&notes, "table_class", pl_dynamo_get_text(in, "TableClass"));
    if (has(request, "SSESpecification"))
        pl_dynamo_notes_write_sse(&notes, pl_dynamo_get(in, "SSESpecification"));
    pl_buf_append_byte(out, '}');
}

static void write_patch(struct pl_dynamo_request *request, const struct pl_table *table, struct pl_buf *out)
{
    pl_buf_append_bytes(out, pl_str("{\"table\":"));
    pl_json_write_string(out, table->name);
    write_throughput(request, out);
    write_stream(request, out);
    if (has(request, "DeletionProtectionEnabled"))
        pl_buf_append_format(out, ",\"deletion_protection\":%s",
                             pl_dynamo_get_bool(request->input, "DeletionProtectionEnabled") ? "true"
                                                                                             : "false");
    pl_dynamo_index_updates_write(out, request->input, table, index_updates(request),
                                  wants_on_demand(request));
    write_notes(request, table, out);
    pl_buf_append_byte(out, '}');
}

static int begin_update(struct pl_dynamo_request *request)
{
    const struct pl_table *table;
    int rc = check_request(request);

    if (rc == 0)
        rc = pl_dynamo_find_table(request, &table);
    if (rc == 0)
        rc = check_against(request, table);
    if (rc != 0)
        return rc;
    write_patch(request, table, &request->bytes);
    return pl_dynamo_alter(request, table);
}

static int finish_update(struct pl_dynamo_request *request)
{
    if (request->op.name == PL_OP_ALTER)
        return pl_dynamo_describe(request, request->op.table_name);
    pl_buf_append_bytes(&request->body, pl_str("{\"TableDescription\":"));
    pl_dynamo_description_write(request, has(request, "DeletionProtectionEnabled")
                                             ? PL_DYNAMO_TABLE_AS_IT_IS
                                             : PL_DYNAMO_TABLE_UPDATING);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

const struct pl_dynamo_call pl_dynamo_update_table = {
    .name = "UpdateTable", .input = &input, .begin = begin_update, .finish = finish_update
};
