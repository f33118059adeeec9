/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/settings.h"

#include "codec/dynamo/key_schema.h"
#include "codec/dynamo/params.h"

#define P PL_DYNAMO_INVALID

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

int pl_dynamo_on_demand_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *throughput,
                              bool provisioned, bool removable)
{
    static const char *const members[] = { "MaxReadRequestUnits", "MaxWriteRequestUnits" };

    for (int i = 0; throughput != NULL && i < 2; i++) {
        const struct pl_dynamo_node *units = pl_dynamo_get(throughput, members[i]);

        if (units == NULL)
            continue;
        if (provisioned)
            return pl_dynamo_invalid(request,
                                     P "%s for OnDemandThroughput cannot be specified when the table "
                                       "BillingMode is PROVISIONED",
                                     members[i]);
        if (units->number < 1 && !(removable && units->number == -1))
            return pl_dynamo_invalid(
                request, P "Requested %s for OnDemandThroughput for table is outside of valid range",
                members[i]);
    }
    return 0;
}

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
