/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/settings.h"
#include "model/json.h"

#define NAME(bytes) (int)(bytes).len, (bytes).data

/* UpdateTimeToLive and DescribeTimeToLive. */

static const struct pl_dynamo_shape attribute_name = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = 255, .in_bytes = true
};
static const struct pl_dynamo_member specification_members[] = {
    { "Enabled", &pl_dynamo_boolean, true },
    { "AttributeName", &attribute_name, true },
};
static const struct pl_dynamo_shape specification =
    PL_DYNAMO_STRUCTURE_OF("TimeToLiveSpecification", specification_members);
static const struct pl_dynamo_member update_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "TimeToLiveSpecification", &specification, true },
};
static const struct pl_dynamo_shape update_input =
    PL_DYNAMO_STRUCTURE_OF("UpdateTimeToLiveInput", update_members);

static const struct pl_dynamo_member describe_members[] = { { "TableName", &pl_dynamo_table_name, true } };
static const struct pl_dynamo_shape describe_input =
    PL_DYNAMO_STRUCTURE_OF("DescribeTimeToLiveInput", describe_members);

static int check_change(struct pl_dynamo_request *request, const struct pl_table *table, bool enables,
                        struct pl_bytes attribute)
{
    struct pl_bytes current = table->ttl_attribute;

    if (!enables && current.len == 0)
        return pl_dynamo_invalid(request, "TimeToLive is already disabled");
    if (current.len > 0 && !pl_bytes_equal(current, attribute))
        return pl_dynamo_invalid(
            request, "TimeToLive is active on a different AttributeName: current AttributeName is %.*s",
            NAME(current));
    if (enables && current.len > 0)
        return pl_dynamo_invalid(request, "TimeToLive is already enabled");
    return 0;
}

static bool is_being_created(const struct pl_dynamo_request *request, const struct pl_table *table)
{
    return pl_dynamo_table_state(table, request->context) == PL_DYNAMO_TABLE_CREATING;
}

static int begin_update(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *asked = pl_dynamo_get(request->input, "TimeToLiveSpecification");
    struct pl_bytes attribute = pl_dynamo_get_text(asked, "AttributeName");
    bool enables = pl_dynamo_get_bool(asked, "Enabled");
    const struct pl_table *table;
    int rc = pl_dynamo_find_table(request, &table);

    if (rc == 0 && is_being_created(request, table))
        rc =
            pl_dynamo_error(request, "ResourceInUseException",
                            "Attempt to change a resource which is still in use: Table %.*s is being created",
                            NAME(table->name));
    if (rc == 0)
        rc = check_change(request, table, enables, attribute);
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->bytes, pl_str("{\"ttl\":"));
    if (enables)
        pl_json_write_string(&request->bytes, attribute);
    else
        pl_buf_append_bytes(&request->bytes, pl_str("null"));
    pl_buf_append_byte(&request->bytes, '}');
    return pl_dynamo_alter(request, table);
}

static int finish_update(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *asked = pl_dynamo_get(request->input, "TimeToLiveSpecification");

    pl_buf_append_format(&request->body, "{\"TimeToLiveSpecification\":{\"Enabled\":%s,\"AttributeName\":",
                         pl_dynamo_get_bool(asked, "Enabled") ? "true" : "false");
    pl_json_write_string(&request->body, pl_dynamo_get_text(asked, "AttributeName"));
    pl_buf_append_bytes(&request->body, pl_str("}}"));
    return 0;
}

static int begin_describe(struct pl_dynamo_request *request)
{
    struct pl_buf *out = &request->body;
    const struct pl_table *table;
    int rc = pl_dynamo_find_table(request, &table);

    if (rc == 0 && is_being_created(request, table))
        rc = pl_dynamo_invalid(request, "Cannot describe time to live while table is in CREATING state: "
                                        "Current table state is CREATING");
    if (rc != 0)
        return rc;
    if (table->ttl_attribute.len == 0) {
        pl_buf_append_bytes(out, pl_str("{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}"));
        return 0;
    }
    pl_buf_append_bytes(
        out, pl_str("{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":"));
    pl_json_write_string(out, table->ttl_attribute);
    pl_buf_append_bytes(out, pl_str("}}"));
    return 0;
}

const struct pl_dynamo_call pl_dynamo_update_time_to_live = {
    .name = "UpdateTimeToLive", .input = &update_input, .begin = begin_update, .finish = finish_update
};
const struct pl_dynamo_call pl_dynamo_describe_time_to_live = { .name = "DescribeTimeToLive",
                                                                .input = &describe_input,
                                                                .begin = begin_describe };
