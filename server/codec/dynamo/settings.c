/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/settings.h"

#include "codec/dynamo/description.h"
#include "codec/dynamo/key_schema.h"
#include "codec/dynamo/notes.h"
#include "codec/dynamo/params.h"

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

int pl_dynamo_check_table_named(struct pl_dynamo_request *request)
{
    if (pl_dynamo_get(request->input, "TableName") != NULL)
        return 0;
    return pl_dynamo_invalid(request,
                             "The parameter 'TableName' is required but was not present in the request");
}

int pl_dynamo_find_table(struct pl_dynamo_request *request, const struct pl_table **out)
{
    struct pl_bytes name;
    int rc = pl_dynamo_take_table(request, pl_dynamo_get_text(request->input, "TableName"), &name);

    if (rc != 0)
        return rc;
    *out = pl_tables_find(request->context->tables, name);
    if (*out != NULL)
        return 0;
    return pl_dynamo_error(request, "ResourceNotFoundException",
                           "Requested resource not found: Table: %.*s not found", (int)name.len, name.data);
}

int pl_dynamo_alter(struct pl_dynamo_request *request, const struct pl_table *table)
{
    struct pl_bytes name = pl_arena_copy(&request->arena, table->name);

    if (pl_buf_status(&request->bytes) != 0 || name.data == NULL)
        return PL_ENOMEM;
    pl_dynamo_operation(request, PL_OP_ALTER);
    request->op.table_name = name;
    request->op.definition = pl_buf_view(&request->bytes);
    return PL_DYNAMO_GO_ON;
}

int pl_dynamo_check_idle(struct pl_dynamo_request *request, const struct pl_table *table)
{
    switch (pl_dynamo_table_state(table, request->context)) {
    case PL_DYNAMO_TABLE_CREATING:
        return pl_dynamo_error(
            request, "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table is being created: %.*s",
            NAME(table->name));
    case PL_DYNAMO_TABLE_UPDATING:
        return pl_dynamo_error(request, "ResourceInUseException",
                               "Attempt to change a resource which is still in use: Table: %.*s is in the "
                               "process of being updated.",
                               NAME(table->name));
    default:
        return 0;
    }
}

int pl_dynamo_sse_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *specification)
{
    struct pl_bytes type, key;
    bool enabled;

    if (specification == NULL)
        return 0;
    type = pl_dynamo_get_text(specification, "SSEType");
    key = pl_dynamo_get_text(specification, "KMSMasterKeyId");
    enabled = pl_dynamo_get_bool(specification, "Enabled");
    if (!enabled && type.data != NULL)
        return pl_dynamo_invalid(request, P "SSEType can not be specified if Enabled is false");
    if (!enabled && key.data != NULL)
        return pl_dynamo_invalid(request, P "KMSMasterKeyId can not be specified if Enabled is false");
    if (pl_bytes_equal(type, pl_str("AES256")))
        return pl_dynamo_invalid(request, P "SSEType AES256 is not supported");
    if (type.data == NULL && key.data != NULL)
        return pl_dynamo_invalid(request, P "SSEType KMS is required if KMSMasterKeyId is specified");
    return 0;
}

int pl_dynamo_table_class_check(struct pl_dynamo_request *request, struct pl_bytes table_class)
{
    if (table_class.data == NULL || pl_bytes_equal(table_class, pl_str("STANDARD")) ||
        pl_bytes_equal(table_class, pl_str("STANDARD_INFREQUENT_ACCESS")))
        return 0;
    return pl_dynamo_invalid(request, "Invalid table-class parameter provided. Please try again with a valid "
                                      "table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].");
}

bool pl_dynamo_has_members(const struct pl_dynamo_node *structure)
{
    for (uint32_t i = 0; structure != NULL && i < structure->shape->member_count; i++)
        if (structure->members[i] != NULL)
            return true;
    return false;
}

/* ---- throughput ------------------------------------------------------------------------------------- */

static int refuse_limit(struct pl_dynamo_request *request, const char *member, struct pl_bytes index)
{
    if (index.data == NULL)
        return pl_dynamo_invalid(
            request, P "Requested %s for OnDemandThroughput for table is outside of valid range", member);
    return pl_dynamo_invalid(
        request, P "Requested %s for OnDemandThroughput for index : %.*s is outside of valid range", member,
        NAME(index));
}

static int refuse_any_limit(struct pl_dynamo_request *request, const char *member, struct pl_bytes index)
{
    if (index.data == NULL)
        return pl_dynamo_invalid(request,
                                 P "%s for OnDemandThroughput cannot be specified when the table "
                                   "BillingMode is PROVISIONED",
                                 member);
    return pl_dynamo_invalid(request,
                             P "%s for OnDemandThroughput for index: %.*s cannot be specified when the table "
                               "BillingMode is PROVISIONED",
                             member, NAME(index));
}

int pl_dynamo_on_demand_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *throughput,
                              struct pl_bytes index, bool provisioned, bool removable)
{
    static const char *const members[] = { "MaxReadRequestUnits", "MaxWriteRequestUnits" };

    for (int i = 0; throughput != NULL && i < 2; i++) {
        const struct pl_dynamo_node *units = pl_dynamo_get(throughput, members[i]);

        if (units == NULL)
            continue;
        if (provisioned)
            return refuse_any_limit(request, members[i], index);
        if (units->number > PL_DYNAMO_UNITS_MAX || (units->number < 1 && !(removable && units->number == -1)))
            return refuse_limit(request, members[i], index);
    }
    return 0;
}

/* `least`: of reads and of writes, and the words for it. */
static int check_warm(struct pl_dynamo_request *request, const struct pl_dynamo_node *warm,
                      struct pl_bytes index, const int64_t least[2], const char *const words[2])
{
    static const char *const members[] = { "ReadUnitsPerSecond", "WriteUnitsPerSecond" };

    for (int i = 0; warm != NULL && i < 2; i++) {
        const struct pl_dynamo_node *units = pl_dynamo_get(warm, members[i]);

        if (units == NULL)
            continue;
        if (units->number > PL_DYNAMO_UNITS_MAX)
            return pl_dynamo_invalid(request, "Given value %lld for %s is out of bounds",
                                     (long long)units->number, members[i]);
        if (units->number >= least[i])
            continue;
        if (index.data == NULL)
            return pl_dynamo_invalid(request, P "Requested %s for WarmThroughput for table is lower than %s",
                                     members[i], words[i]);
        return pl_dynamo_invalid(request, P "Requested %s for WarmThroughput for index %.*s is lower than %s",
                                 members[i], NAME(index), words[i]);
    }
    return 0;
}

int pl_dynamo_warm_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *warm,
                         struct pl_bytes index, const struct pl_dynamo_node *provisioned)
{
    static const char initial[] =
        "initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/"
        "developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial";
    static const char *const initials[] = { initial, initial };
    static const char *const units[] = { "ReadCapacityUnits of ProvisionedThroughput",
                                         "WriteCapacityUnits of ProvisionedThroughput" };
    int64_t least[] = { PL_DYNAMO_WARM_READS, PL_DYNAMO_WARM_WRITES };

    if (provisioned == NULL)
        return check_warm(request, warm, index, least, initials);
    least[0] = pl_dynamo_get(provisioned, "ReadCapacityUnits")->number;
    least[1] = pl_dynamo_get(provisioned, "WriteCapacityUnits")->number;
    return check_warm(request, warm, index, least, units);
}

int pl_dynamo_warm_change_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *warm,
                                struct pl_bytes index, struct pl_throughput current)
{
    static const char current_words[] = "current WarmThroughput, decreasing WarmThroughput is not supported";
    static const char *const words[] = { current_words, current_words };
    const int64_t least[] = { (int64_t)current.read_units, (int64_t)current.write_units };

    return check_warm(request, warm, index, least, words);
}

/* ---- streams ---------------------------------------------------------------------------------------- */

struct pl_bytes pl_dynamo_stream_view(struct pl_bytes view_type)
{
    static const struct {
        const char *theirs, *ours;
    } views[] = { { "KEYS_ONLY", "keys_only" },
                  { "NEW_IMAGE", "new_image" },
                  { "OLD_IMAGE", "old_image" },
                  { "NEW_AND_OLD_IMAGES", "new_and_old_images" } };

    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        if (pl_bytes_equal(view_type, pl_str(views[i].theirs)))
            return pl_str(views[i].ours);
    return pl_bytes(NULL, 0);
}
