/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/index_input.h"

#include "codec/dynamo/settings.h"
#include "model/json.h"

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

/* ---- throughput ------------------------------------------------------------------------------------- */

static int64_t units_of(const struct pl_dynamo_node *throughput, const char *member)
{
    const struct pl_dynamo_node *units = pl_dynamo_get(throughput, member);

    return units != NULL ? units->number : 0;
}

int pl_dynamo_throughput_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *throughput)
{
    static const char *const members[] = { "ReadCapacityUnits", "WriteCapacityUnits" };

    for (int i = 0; throughput != NULL && i < 2; i++)
        if (units_of(throughput, members[i]) > PL_DYNAMO_UNITS_MAX)
            return pl_dynamo_invalid(request, "Given value %lld for %s is out of bounds",
                                     (long long)units_of(throughput, members[i]), members[i]);
    return 0;
}

void pl_dynamo_throughput_write(struct pl_buf *out, const struct pl_dynamo_node *throughput)
{
    pl_buf_append_format(out, "\"throughput\":{\"read\":%lld,\"write\":%lld}",
                         (long long)units_of(throughput, "ReadCapacityUnits"),
                         (long long)units_of(throughput, "WriteCapacityUnits"));
}

/* ---- projection ------------------------------------------------------------------------------------- */

static bool is_listed_before(const struct pl_dynamo_node *list, const struct pl_dynamo_node *element)
{
    for (const struct pl_dynamo_node *at = list->first; at != element; at = at->next)
        if (pl_bytes_equal(at->text, element->text))
            return true;
    return false;
}

int pl_dynamo_projection_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *index)
{
    const struct pl_dynamo_node *projection = pl_dynamo_get(index, "Projection");
    const struct pl_dynamo_node *names = pl_dynamo_get(projection, "NonKeyAttributes");
    struct pl_bytes type = pl_dynamo_get_text(projection, "ProjectionType");
    bool includes = pl_bytes_equal(type, pl_str("INCLUDE"));

    if (type.data == NULL)
        return pl_dynamo_invalid(request, P "Unknown ProjectionType: null");
    if (!includes && names != NULL)
        return pl_dynamo_invalid(request, P "ProjectionType is %.*s, but NonKeyAttributes is specified",
                                 NAME(type));
    if (includes && names == NULL)
        return pl_dynamo_invalid(request,
                                 P "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    for (const struct pl_dynamo_node *at = names != NULL ? names->first : NULL; at != NULL; at = at->next)
        if (is_listed_before(names, at))
            return pl_dynamo_invalid(request, P "Duplicate element in NonKeyAttributes: %.*s",
                                     NAME(at->text));
    return 0;
}

static void write_projection(struct pl_buf *out, const struct pl_dynamo_node *projection)
{
    const struct pl_dynamo_node *names = pl_dynamo_get(projection, "NonKeyAttributes");

    if (names == NULL) {
        pl_buf_append_bytes(out,
                            pl_bytes_equal(pl_dynamo_get_text(projection, "ProjectionType"), pl_str("ALL"))
                                ? pl_str("\"project\":\"all\"")
                                : pl_str("\"project\":\"keys_only\""));
        return;
    }
    pl_buf_append_bytes(out, pl_str("\"project\":["));
    for (const struct pl_dynamo_node *at = names->first; at != NULL; at = at->next) {
        pl_buf_append(out, ",", at != names->first);
        pl_json_write_string(out, at->text);
    }
    pl_buf_append_byte(out, ']');
}

/* ---- indexes ---------------------------------------------------------------------------------------- */

int pl_dynamo_local_index_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *table_keys,
                                const struct pl_dynamo_node *index)
{
    const struct pl_dynamo_node *keys = pl_dynamo_get(index, "KeySchema");
    struct pl_bytes name = pl_dynamo_get_text(index, "IndexName");
    struct pl_bytes hash = pl_dynamo_key_name(keys, 0), table_hash = pl_dynamo_key_name(table_keys, 0);

    if (table_keys->count < 2)
        return pl_dynamo_invalid(request,
                                 P "Table KeySchema does not have a range key, which is required when "
                                   "specifying a LocalSecondaryIndex");
    if (keys->count < 2)
        return pl_dynamo_invalid(request, P "Index KeySchema does not have a range key for index: %.*s",
                                 NAME(name));
    if (!pl_bytes_equal(hash, table_hash))
        return pl_dynamo_invalid(
            request,
            P "Index KeySchema does not have the same leading hash key as table KeySchema for index: %.*s. "
              "index hash key: %.*s, table hash key: %.*s",
            NAME(name), NAME(hash), NAME(table_hash));
    return pl_dynamo_projection_check(request, index);
}

int pl_dynamo_index_limits_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *index)
{
    const struct pl_dynamo_node *throughput = pl_dynamo_get(index, "ProvisionedThroughput");
    struct pl_bytes name = pl_dynamo_get_text(index, "IndexName");
    int rc = pl_dynamo_throughput_check(request, throughput);

    if (rc == 0)
        rc = pl_dynamo_on_demand_check(request, pl_dynamo_get(index, "OnDemandThroughput"), name,
                                       throughput != NULL, false);
    return rc != 0 ? rc
                   : pl_dynamo_warm_check(request, pl_dynamo_get(index, "WarmThroughput"), name, throughput);
}

void pl_dynamo_index_write(struct pl_buf *out, const struct pl_dynamo_node *attributes,
                           const struct pl_dynamo_node *index, bool local)
{
    const struct pl_dynamo_node *throughput = local ? NULL : pl_dynamo_get(index, "ProvisionedThroughput");

    pl_json_write_string(out, pl_dynamo_get_text(index, "IndexName"));
    pl_buf_append_bytes(out, pl_str(":{"));
    pl_dynamo_keys_write(out, attributes, pl_dynamo_get(index, "KeySchema"), local);
    pl_buf_append_byte(out, ',');
    write_projection(out, pl_dynamo_get(index, "Projection"));
    if (throughput != NULL) {
        pl_buf_append_byte(out, ',');
        pl_dynamo_throughput_write(out, throughput);
    }
    pl_buf_append_byte(out, '}');
}
