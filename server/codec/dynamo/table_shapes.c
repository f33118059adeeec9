/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/table_shapes.h"

static const struct pl_dynamo_shape key_attribute_name = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = 255, .in_bytes = true
};

/* ---- attributes and keys ---------------------------------------------------------------------------- */

static const char *const attribute_types[] = { "B", "N", "S", NULL };
static const struct pl_dynamo_shape attribute_type = { .kind = PL_DYNAMO_STRING, .words = attribute_types };
static const struct pl_dynamo_member attribute_members[] = {
    { "AttributeName", &key_attribute_name, true },
    { "AttributeType", &attribute_type, true },
};
static const struct pl_dynamo_shape attribute =
    PL_DYNAMO_STRUCTURE_OF("AttributeDefinition", attribute_members);
const struct pl_dynamo_shape pl_dynamo_attribute_definitions = { .kind = PL_DYNAMO_LIST,
                                                                 .element = &attribute };

static const char *const key_types[] = { "HASH", "RANGE", NULL };
static const struct pl_dynamo_shape key_type = { .kind = PL_DYNAMO_STRING, .words = key_types };
static const struct pl_dynamo_member key_members[] = {
    { "AttributeName", &key_attribute_name, true },
    { "KeyType", &key_type, true },
};
static const struct pl_dynamo_shape key = PL_DYNAMO_STRUCTURE_OF("KeySchemaElement", key_members);
const struct pl_dynamo_shape pl_dynamo_key_schema = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = 2, .element = &key
};
/* A global index may have several of each kind: how many is said in other words (key_schema.c). */
static const struct pl_dynamo_shape global_key_schema = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .element = &key
};

/* ---- throughput ------------------------------------------------------------------------------------- */

static const char *const billing_modes[] = { "PROVISIONED", "PAY_PER_REQUEST", NULL };
const struct pl_dynamo_shape pl_dynamo_billing_mode = { .kind = PL_DYNAMO_STRING, .words = billing_modes };

static const struct pl_dynamo_shape units = { .kind = PL_DYNAMO_LONG, .has_min = true, .min = 1 };
static const struct pl_dynamo_member throughput_members[] = {
    { "ReadCapacityUnits", &units, true },
    { "WriteCapacityUnits", &units, true },
};
const struct pl_dynamo_shape pl_dynamo_throughput =
    PL_DYNAMO_STRUCTURE_OF("ProvisionedThroughput", throughput_members);

static const struct pl_dynamo_member on_demand_members[] = {
    { "MaxReadRequestUnits", &pl_dynamo_long, false },
    { "MaxWriteRequestUnits", &pl_dynamo_long, false },
};
const struct pl_dynamo_shape pl_dynamo_on_demand_throughput =
    PL_DYNAMO_STRUCTURE_OF("OnDemandThroughput", on_demand_members);

static const struct pl_dynamo_member warm_members[] = {
    { "ReadUnitsPerSecond", &pl_dynamo_long, false },
    { "WriteUnitsPerSecond", &pl_dynamo_long, false },
};
const struct pl_dynamo_shape pl_dynamo_warm_throughput =
    PL_DYNAMO_STRUCTURE_OF("WarmThroughput", warm_members);

/* ---- indexes ---------------------------------------------------------------------------------------- */

static const char *const projection_types[] = { "ALL", "INCLUDE", "KEYS_ONLY", NULL };
static const struct pl_dynamo_shape projection_type = { .kind = PL_DYNAMO_STRING, .words = projection_types };
static const struct pl_dynamo_shape non_key_attributes = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = 20, .element = &key_attribute_name
};
static const struct pl_dynamo_member projection_members[] = {
    { "ProjectionType", &projection_type, false },
    { "NonKeyAttributes", &non_key_attributes, false },
};
static const struct pl_dynamo_shape projection = PL_DYNAMO_STRUCTURE_OF("Projection", projection_members);

static const struct pl_dynamo_member local_members[] = {
    { "IndexName", &pl_dynamo_index_name, true },
    { "KeySchema", &pl_dynamo_key_schema, true },
    { "Projection", &projection, true },
};
static const struct pl_dynamo_shape local = PL_DYNAMO_STRUCTURE_OF("LocalSecondaryIndex", local_members);
const struct pl_dynamo_shape pl_dynamo_local_indexes = { .kind = PL_DYNAMO_LIST, .element = &local };

static const struct pl_dynamo_member global_members[] = {
    { "IndexName", &pl_dynamo_index_name, true },
    { "KeySchema", &global_key_schema, true },
    { "Projection", &projection, true },
    { "ProvisionedThroughput", &pl_dynamo_throughput, false },
    { "OnDemandThroughput", &pl_dynamo_on_demand_throughput, false },
    { "WarmThroughput", &pl_dynamo_warm_throughput, false },
};
static const struct pl_dynamo_shape global = PL_DYNAMO_STRUCTURE_OF("GlobalSecondaryIndex", global_members);
const struct pl_dynamo_shape pl_dynamo_global_indexes = { .kind = PL_DYNAMO_LIST, .element = &global };

static const struct pl_dynamo_shape creation =
    PL_DYNAMO_STRUCTURE_OF("CreateGlobalSecondaryIndexAction", global_members);
static const struct pl_dynamo_member index_update_members[] = {
    { "IndexName", &pl_dynamo_index_name, true },
    { "ProvisionedThroughput", &pl_dynamo_throughput, false },
    { "OnDemandThroughput", &pl_dynamo_on_demand_throughput, false },
    { "WarmThroughput", &pl_dynamo_warm_throughput, false },
};
static const struct pl_dynamo_shape index_update =
    PL_DYNAMO_STRUCTURE_OF("UpdateGlobalSecondaryIndexAction", index_update_members);
static const struct pl_dynamo_member deletion_members[] = { { "IndexName", &pl_dynamo_index_name, true } };
static const struct pl_dynamo_shape deletion =
    PL_DYNAMO_STRUCTURE_OF("DeleteGlobalSecondaryIndexAction", deletion_members);
static const struct pl_dynamo_member action_members[] = {
    { "Update", &index_update, false },
    { "Create", &creation, false },
    { "Delete", &deletion, false },
};
static const struct pl_dynamo_shape action =
    PL_DYNAMO_STRUCTURE_OF("GlobalSecondaryIndexUpdate", action_members);
const struct pl_dynamo_shape pl_dynamo_global_index_updates = { .kind = PL_DYNAMO_LIST, .element = &action };

/* ---- stream, encryption ----------------------------------------------------------------------------- */

static const char *const view_types[] = { "OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", NULL };
static const struct pl_dynamo_shape view_type = { .kind = PL_DYNAMO_STRING, .words = view_types };
static const struct pl_dynamo_member stream_members[] = {
    { "StreamEnabled", &pl_dynamo_boolean, true },
    { "StreamViewType", &view_type, false },
};
const struct pl_dynamo_shape pl_dynamo_stream_specification =
    PL_DYNAMO_STRUCTURE_OF("StreamSpecification", stream_members);

static const char *const sse_types[] = { "AES256", "KMS", NULL };
static const struct pl_dynamo_shape sse_type = { .kind = PL_DYNAMO_STRING, .words = sse_types };
static const struct pl_dynamo_shape master_key = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = 2048
};
static const struct pl_dynamo_member sse_members[] = {
    { "Enabled", &pl_dynamo_boolean, false },
    { "SSEType", &sse_type, false },
    { "KMSMasterKeyId", &master_key, false },
};
const struct pl_dynamo_shape pl_dynamo_sse_specification =
    PL_DYNAMO_STRUCTURE_OF("SSESpecification", sse_members);
