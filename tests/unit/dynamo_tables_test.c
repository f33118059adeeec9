/* SPDX-License-Identifier: MIT */
#include "dynamo_world.h"

static struct world w;

#define DEFINE_P "\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}]"
#define DEFINE_PS                                                                                            \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},"                           \
    "{\"AttributeName\":\"s\",\"AttributeType\":\"N\"}]"
#define KEY_P "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}]"
#define KEY_PS                                                                                               \
    "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":"    \
    "\"RANGE\"}]"
#define ON_DEMAND "\"BillingMode\":\"PAY_PER_REQUEST\""
#define UNITS     "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6}"

static void a_table_is_created_described_listed_and_deleted(void)
{
    world_start(&w);
    CHECK_HOLDS(
        &w, "CreateTable", "{\"TableName\":\"Things\"," DEFINE_PS "," KEY_PS "," UNITS "}",
        "{\"TableDescription\":{\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},"
        "{\"AttributeName\":\"s\",\"AttributeType\":\"N\"}],\"TableName\":\"Things\",\"KeySchema\":["
        "{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],"
        "\"TableStatus\":\"CREATING\",\"CreationDateTime\":");
    CHECK(strstr(w.text, "\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":5,"
                         "\"WriteCapacityUnits\":6},\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":"
                         "\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"") != NULL);
    CHECK(strstr(w.text, "BillingModeSummary") == NULL);
    CHECK_FAILS(&w, "CreateTable", "{\"TableName\":\"Things\"," DEFINE_PS "," KEY_PS "," UNITS "}",
                "ResourceInUseException", "Table already exists: Things");
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"}}}",
               "{}");
    CHECK_HOLDS(&w, "DescribeTable",
                "{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"}",
                "\"TableStatus\":\"ACTIVE\"");
    CHECK(strstr(w.text, "\"ItemCount\":1") != NULL);
    CHECK_SAYS(&w, "ListTables", "{\"Limit\":1}", "{\"TableNames\":[\"Things\"]}");
    CHECK_HOLDS(&w, "DeleteTable", "{\"TableName\":\"Things\"}",
                "{\"TableDescription\":{\"TableName\":\"Things\",\"TableStatus\":\"DELETING\"");
    CHECK(strstr(w.text, "KeySchema") == NULL && strstr(w.text, "AttributeDefinitions") == NULL);
    CHECK_FAILS(&w, "DescribeTable", "{\"TableName\":\"Things\"}", "ResourceNotFoundException",
                "\"Requested resource not found: Table: Things not found\"");
    CHECK_FAILS(&w, "DeleteTable", "{\"TableName\":\"Things\"}", "ResourceNotFoundException",
                "\"Requested resource not found: Table: Things not found\"");
    world_end(&w);
}

/* For who tests waiters: the setting makes the states last. */
static void states_last_as_long_as_they_are_told_to(void)
{
    struct pl_clock clock = pl_clock_system();

    world_start(&w);
    w.table_delay_ms = 60000;
    w.now_ms = pl_clock_wall_ms(&clock) + 10000;
    CHECK_HOLDS(&w, "CreateTable", "{\"TableName\":\"Slow\"," DEFINE_P "," KEY_P "," ON_DEMAND "}",
                "\"TableStatus\":\"CREATING\"");
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Slow\"}", "\"TableStatus\":\"CREATING\"");
    CHECK_FAILS(&w, "UpdateTable", "{\"TableName\":\"Slow\",\"DeletionProtectionEnabled\":true}",
                "ResourceInUseException", "Slow");
    CHECK_FAILS(&w, "DeleteTable", "{\"TableName\":\"Slow\"}", "ResourceInUseException",
                "Table is being created: Slow");
    w.now_ms += 60000;
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Slow\"}", "\"TableStatus\":\"ACTIVE\"");
    w.now_ms = pl_clock_wall_ms(&clock) - 1000; /* a clock set back */
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Slow\"}", "\"TableStatus\":\"ACTIVE\"");
    w.now_ms = w.table_delay_ms = 0;
    world_end(&w);
}

static void what_a_table_is_given_is_told(void)
{
    world_start(&w);
    CHECK_HOLDS(
        &w, "CreateTable",
        "{\"TableName\":\"Things\",\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":"
        "\"S\"},"
        "{\"AttributeName\":\"s\",\"AttributeType\":\"N\"},{\"AttributeName\":\"b:x\",\"AttributeType\":"
        "\"B\"}]," KEY_PS "," ON_DEMAND ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"Local\",\"KeySchema\":["
        "{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b:x\",\"KeyType\":\"RANGE\"}],"
        "\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"z\",\"y\"]}}],"
        "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"Global\",\"KeySchema\":[{\"AttributeName\":\"s\","
        "\"KeyType\":\"HASH\"},{\"AttributeName\":\"b:x\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"p\","
        "\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"},"
        "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":7}}],\"StreamSpecification\":{\"StreamEnabled\":"
        "true,"
        "\"StreamViewType\":\"NEW_IMAGE\"},\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\","
        "\"KMSMasterKeyId\":\"arn:k\"},\"Tags\":[{\"Key\":\"team\",\"Value\":\"blue\"}],"
        "\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\",\"DeletionProtectionEnabled\":true,"
        "\"WarmThroughput\":{\"ReadUnitsPerSecond\":13000,\"WriteUnitsPerSecond\":5000}}",
        "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":"
        "1700000000.123}");
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Things\"}",
                "\"LocalSecondaryIndexes\":[{\"IndexName\":\"Local\",\"KeySchema\":[{\"AttributeName\":\"p\","
                "\"KeyType\":\"HASH\"},{\"AttributeName\":\"b:x\",\"KeyType\":\"RANGE\"}],\"Projection\":{"
                "\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"y\",\"z\"]},\"IndexSizeBytes\":0,"
                "\"ItemCount\":0,\"IndexArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things/index/"
                "Local\"}]");
    CHECK(strstr(w.text,
                 "{\"AttributeName\":\"s\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b:x\",\"KeyType\":"
                 "\"HASH\"},{\"AttributeName\":\"p\",\"KeyType\":\"RANGE\"}]") != NULL);
    CHECK(strstr(w.text, "\"IndexStatus\":\"ACTIVE\",\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,"
                         "\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0},\"OnDemandThroughput\":{"
                         "\"MaxReadRequestUnits\":7}") != NULL);
    CHECK(strstr(w.text, "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_IMAGE\"},"
                         "\"LatestStreamLabel\":\"20") != NULL);
    CHECK(strstr(w.text, "\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":"
                         "\"arn:k\"}") != NULL);
    CHECK(strstr(w.text, "\"TableClassSummary\":{\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}") != NULL);
    CHECK(strstr(w.text, "\"WarmThroughput\":{\"ReadUnitsPerSecond\":13000,\"WriteUnitsPerSecond\":5000,"
                         "\"Status\":\"ACTIVE\"}") != NULL);
    CHECK(strstr(w.text, "\"DeletionProtectionEnabled\":true}") != NULL);
    CHECK_SAYS(&w, "ListTagsOfResource",
               "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"}",
               "{\"Tags\":[{\"Key\":\"team\",\"Value\":\"blue\"}]}");
    CHECK_FAILS(
        &w, "DeleteTable", "{\"TableName\":\"Things\"}", "ValidationException",
        "\"Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
        "protection first.\"");
    world_end(&w);
}

static void what_is_wrong_with_a_new_table_is_said(void)
{
#define CREATE(more) "{\"TableName\":\"Things\"," more "}"
#define LOCAL(keys, projection)                                                                              \
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"Local\",\"KeySchema\":[" keys                               \
    "],\"Projection\":{" projection "}}]"
#define GLOBAL(keys, projection)                                                                             \
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"Global\",\"KeySchema\":[" keys                             \
    "],\"Projection\":{" projection "}}]"
#define HASH_P  "{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}"
#define HASH_S  "{\"AttributeName\":\"s\",\"KeyType\":\"HASH\"}"
#define RANGE_S "{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}"
#define RANGE_P "{\"AttributeName\":\"p\",\"KeyType\":\"RANGE\"}"
#define ALL     "\"ProjectionType\":\"ALL\""
    static const struct {
        const char *body, *sentence;
    } cases[] = {
        { "{" DEFINE_P "," KEY_P "," UNITS "}",
          "\"The parameter 'TableName' is required but was not present in the request\"" },
        { "{\"TableName\":\"ab\"," DEFINE_P "," KEY_P "," UNITS "}",
          "\"1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member "
          "must have "
          "length greater than or equal to 3\"" },
        { CREATE("\"BillingMode\":\"x\"," DEFINE_P),
          "2 validation errors detected: Value null at 'keySchema' failed to satisfy constraint: Member must "
          "not be "
          "null; Value 'x' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value "
          "set: "
          "[PROVISIONED, PAY_PER_REQUEST]" },
        { CREATE(DEFINE_P "," KEY_P), "invalid: ReadCapacityUnits and WriteCapacityUnits must both be "
                                      "specified when BillingMode is PROVISIONED" },
        { CREATE(DEFINE_P "," KEY_P "," ON_DEMAND "," UNITS),
          "invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
          "PAY_PER_REQUEST" },
        { CREATE(DEFINE_P "," KEY_P ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1000000000001,"
                          "\"WriteCapacityUnits\":1}"),
          "\"Given value 1000000000001 for ReadCapacityUnits is out of bounds\"" },
        { CREATE(DEFINE_P "," ON_DEMAND ",\"KeySchema\":[" RANGE_P "]"),
          "\"Invalid KeySchema: The first KeySchemaElement is not a HASH key type\"" },
        { CREATE(DEFINE_PS "," ON_DEMAND ",\"KeySchema\":[" HASH_P "," HASH_S "]"),
          "\"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type\"" },
        { CREATE(DEFINE_PS "," ON_DEMAND ",\"KeySchema\":[" HASH_P "," RANGE_S "," RANGE_S "]"),
          "' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2" },
        { CREATE(DEFINE_PS "," ON_DEMAND ",\"KeySchema\":[" HASH_P "," RANGE_P "]"),
          "\"Both the Hash Key and the Range Key element in the KeySchema have the same name\"" },
        { CREATE(DEFINE_P "," ON_DEMAND ",\"KeySchema\":[" HASH_P "," RANGE_P "]"),
          "\"Invalid KeySchema: Some index key attribute have no definition\"" },
        { CREATE(DEFINE_P "," ON_DEMAND "," KEY_PS),
          "invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [p, s], "
          "AttributeDefinitions: [p]\"" },
        { CREATE(DEFINE_PS "," ON_DEMAND "," KEY_P),
          "invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in "
          "AttributeDefinitions\"" },
        { CREATE(ON_DEMAND "," KEY_P
                           ",\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},"
                           "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}]"),
          "\"Attribute Name is duplicated: p\"" },
        { CREATE(ON_DEMAND "," KEY_P "," GLOBAL(HASH_P, ALL) "," DEFINE_PS),
          "invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [p, s], keys used: [p]\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_PS "," LOCAL(HASH_P "," RANGE_S, ALL)),
          "invalid: Table KeySchema does not have a range key, which is required when specifying a "
          "LocalSecondaryIndex\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," LOCAL(HASH_P, ALL)),
          "invalid: Index KeySchema does not have a range key for index: Local\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," LOCAL(HASH_S "," RANGE_P, ALL)),
          "invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: "
          "Local. "
          "index hash key: s, table hash key: p\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"GlobalSecondaryIndexes\":[]"),
          "invalid: List of GlobalSecondaryIndexes is empty\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"LocalSecondaryIndexes\":[]"),
          "invalid: List of LocalSecondaryIndexes is empty\"" },
        { CREATE(UNITS "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S, ALL)),
          "invalid: ProvisionedThroughput is not specified for index: Global\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S, "")),
          "invalid: Unknown ProjectionType: null\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S, ALL ",\"NonKeyAttributes\":[\"a\"]")),
          "invalid: ProjectionType is ALL, but NonKeyAttributes is specified\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S, "\"ProjectionType\":\"INCLUDE\"")),
          "invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(
              HASH_S, "\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"a\",\"b\",\"a\"]")),
          "invalid: Duplicate element in NonKeyAttributes: a\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S "," RANGE_P "," HASH_P, ALL)),
          "invalid: All HASH key attributes must precede RANGE key attributes in the KeySchema\"" },
        { CREATE(ON_DEMAND "," KEY_PS "," DEFINE_PS "," GLOBAL(HASH_S "," HASH_S, ALL)),
          "\"The KeySchema contains multiple key attributes with the same name\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"StreamSpecification\":{\"StreamEnabled\":true}"),
          "invalid: Table is being created with a stream enabled, UpdateViewType is required\"" },
        { CREATE(ON_DEMAND
                 "," KEY_P "," DEFINE_P
                 ",\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":\"KEYS_ONLY\"}"),
          "invalid: Table is being created with a stream disabled, UpdateViewType should not be "
          "specified\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"SSESpecification\":{\"SSEType\":\"KMS\"}"),
          "invalid: SSEType can not be specified if Enabled is false\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"TableClass\":\"GOLD\""),
          "\"Invalid table-class parameter provided. Please try again with a valid table-class value: "
          "[STANDARD, "
          "STANDARD_INFREQUENT_ACCESS].\"" },
        { CREATE(UNITS "," KEY_P "," DEFINE_P ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":1}"),
          "invalid: MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table "
          "BillingMode is "
          "PROVISIONED\"" },
        { CREATE(ON_DEMAND "," KEY_P "," DEFINE_P ",\"Tags\":[{\"Key\":\"aws:x\",\"Value\":\"\"}]"),
          "\"Tag Key cannot be prefixed with aws:, Key: aws:x\"" },
    };

    world_start(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, "CreateTable", cases[i].body, "ValidationException", cases[i].sentence);
    CHECK_SAYS(&w, "ListTables", "{}", "{\"TableNames\":[]}");
    world_end(&w);
}

static void tags_come_and_go(void)
{
#define ARN "\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\""
    world_start(&w);
    CHECK_HOLDS(&w, "CreateTable", "{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}",
                "CREATING");
    CHECK_SAYS(&w, "UntagResource", "{" ARN ",\"TagKeys\":[\"none\"]}", "");
    CHECK_SAYS(&w, "ListTagsOfResource", "{" ARN "}", "{\"Tags\":[]}");
    CHECK_SAYS(&w, "TagResource",
               "{" ARN
               ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"b\",\"Value\":\"\xC3\xA9 +-=._:/@\"}]}",
               "");
    CHECK_SAYS(&w, "TagResource", "{" ARN ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"2\"}]}", "");
    CHECK_SAYS(&w, "UntagResource", "{" ARN ",\"TagKeys\":[\"b\",\"none\"]}", "");
    CHECK_SAYS(&w, "ListTagsOfResource", "{" ARN "}", "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"2\"}]}");
    CHECK_FAILS(&w, "TagResource", "{" ARN ",\"Tags\":[]}", "ValidationException",
                "\"Atleast one Tag needs to be provided as Input.\"");
    CHECK_FAILS(&w, "UntagResource", "{" ARN ",\"TagKeys\":[]}", "ValidationException",
                "\"Atleast one Tag Key needs to be provided as Input.\"");
    CHECK_FAILS(&w, "TagResource", "{" ARN ",\"Tags\":[{\"Key\":\"a!\",\"Value\":\"\"}]}",
                "ValidationException", "\"The Tag Key provided is invalid, Key: a!\"");
    CHECK_FAILS(&w, "TagResource",
                "{" ARN ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"a\",\"Value\":\"\"}]}",
                "ValidationException", "\"Duplicate Tag Keys provided as input: Duplicate Tag Key found a\"");
    CHECK_FAILS(&w, "ListTagsOfResource", "{\"ResourceArn\":\"moon\"}", "ValidationException",
                "invalid: ARNs must start with 'arn:': moon\"");
    CHECK_FAILS(&w, "ListTagsOfResource",
                "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/None\"}",
                "ResourceNotFoundException",
                "\"Requested resource not found: ResourceArn: "
                "arn:aws:dynamodb:us-east-1:000000000000:table/None not found\"");
    CHECK_FAILS(&w, "ListTagsOfResource",
                "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things/index/I\"}",
                "ValidationException", "only table or stream is accepted");
    CHECK_FAILS(&w, "ListTagsOfResource",
                "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:111111111111:table/Things\"}",
                "AccessDeniedException", "\"Message\":");
    world_end(&w);
}

static void start_with(const char *create)
{
    world_start(&w);
    CHECK_HOLDS(&w, "CreateTable", create, "CREATING");
}

static void throughput_and_billing_change(void)
{
    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," UNITS "}");
    CHECK_FAILS(
        &w, "UpdateTable", "{\"TableName\":\"Things\"," UNITS "}", "ValidationException",
        "\"The provisioned throughput for the table will not change. The requested value equals the current "
        "value. Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. "
        "Current WriteCapacityUnits provisioned for the table: 6. Requested WriteCapacityUnits: 6. Refer to "
        "the Amazon DynamoDB Developer Guide");
    CHECK_HOLDS(&w, "UpdateTable",
                "{\"TableName\":\"Things\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":9,"
                "\"WriteCapacityUnits\":9}}",
                "\"TableStatus\":\"UPDATING\"");
    CHECK_HOLDS(&w, "UpdateTable", "{\"TableName\":\"Things\",\"BillingMode\":\"PAY_PER_REQUEST\"}",
                "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"");
    CHECK_HOLDS(&w, "UpdateTable", "{\"TableName\":\"Things\",\"BillingMode\":\"PAY_PER_REQUEST\"}",
                "UPDATING");
    CHECK_FAILS(&w, "UpdateTable", "{\"TableName\":\"Things\",\"BillingMode\":\"PROVISIONED\"}",
                "ValidationException",
                "invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
    CHECK_FAILS(&w, "UpdateTable", "{\"TableName\":\"Things\"," UNITS "}", "ValidationException",
                "invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified");
    CHECK_HOLDS(&w, "UpdateTable", "{\"TableName\":\"Things\",\"BillingMode\":\"PROVISIONED\"," UNITS "}",
                "\"BillingModeSummary\":{\"BillingMode\":\"PROVISIONED\"");
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Things\"}",
                "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6}");
    world_end(&w);
}

static void indexes_come_and_go(void)
{
#define UPDATES(more) "{\"TableName\":\"Things\"," DEFINE_PS ",\"GlobalSecondaryIndexUpdates\":[" more "]}"
#define INDEX(name)                                                                                          \
    "{\"Create\":{\"IndexName\":\"" name "\",\"KeySchema\":[" HASH_S "],\"Projection\":{" ALL "}}}"
    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}");
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"}}}",
               "{}");
    CHECK_HOLDS(&w, "UpdateTable", UPDATES(INDEX("ByS")), "\"TableStatus\":\"UPDATING\"");
    CHECK_HOLDS(&w, "DescribeTable", "{\"TableName\":\"Things\"}", "\"IndexStatus\":\"ACTIVE\"");
    CHECK_HOLDS(&w, "Scan", "{\"TableName\":\"Things\",\"IndexName\":\"ByS\"}", "\"Count\":1");
    CHECK_FAILS(&w, "UpdateTable", UPDATES(INDEX("ByS")), "ValidationException",
                "\"Attempting to create an index which already exists\"");
    CHECK_FAILS(&w, "UpdateTable", UPDATES(INDEX("One") "," INDEX("Two")), "LimitExceededException",
                "\"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously "
                "per table\"");
    CHECK_FAILS(
        &w, "UpdateTable",
        UPDATES("{\"Create\":{\"IndexName\":\"ByP\",\"KeySchema\":[{\"AttributeName\":\"x\",\"KeyType\":"
                "\"HASH\"}],\"Projection\":{" ALL "}}}"),
        "ValidationException", "invalid: AttributeDefinitions is not specified for index: ByP\"");
    CHECK_FAILS(
        &w, "UpdateTable",
        "{\"TableName\":\"Things\",\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":"
        "\"N\"}],"
        "\"GlobalSecondaryIndexUpdates\":[{\"Create\":{\"IndexName\":\"ByP\",\"KeySchema\":[" HASH_P "],"
        "\"Projection\":{" ALL "}}}]}",
        "ValidationException",
        "invalid: Attributes cannot be redefined. Please check that your attribute has the same type as "
        "previously defined. Existing schema: Schema:[SchemaElement: key{p:S:HASH}] New schema: "
        "Schema:[SchemaElement: key{p:N:HASH}]\"");
    CHECK_FAILS(&w, "UpdateTable", UPDATES("{}"), "ValidationException",
                "invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null\"");
    CHECK_FAILS(&w, "UpdateTable", UPDATES("{\"Delete\":{\"IndexName\":\"None\"}}"),
                "ResourceNotFoundException", "\"Requested resource not found");
    CHECK_HOLDS(&w, "UpdateTable", UPDATES("{\"Delete\":{\"IndexName\":\"ByS\"}}"), "UPDATING");
    CHECK(strstr(w.text, "GlobalSecondaryIndexes") == NULL);
    CHECK_HOLDS(&w, "UpdateTable",
                UPDATES("{\"Create\":{\"IndexName\":\"Warm\",\"KeySchema\":[" HASH_S "],\"Projection\":{" ALL
                        "},\"WarmThroughput\":{\"ReadUnitsPerSecond\":12077}}}"),
                "\"ReadUnitsPerSecond\":12077");
    CHECK_HOLDS(&w, "UpdateTable", UPDATES("{\"Delete\":{\"IndexName\":\"Warm\"}}"), "UPDATING");
    CHECK_HOLDS(&w, "UpdateTable", UPDATES(INDEX("Warm")), "\"IndexName\":\"Warm\"");
    CHECK(strstr(w.text, "\"ReadUnitsPerSecond\":12077") == NULL);
    world_end(&w);
}

static void a_stream_is_switched_on_and_off(void)
{
#define STREAM(more) "{\"TableName\":\"Things\",\"StreamSpecification\":{" more "}}"
    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}");
    CHECK_FAILS(&w, "UpdateTable", STREAM("\"StreamEnabled\":false"), "ValidationException",
                "\"Table has no stream to disable: TableName: Things\"");
    CHECK_FAILS(&w, "UpdateTable", STREAM("\"StreamEnabled\":true"), "ValidationException",
                "invalid: If stream is being enabled then UpdateViewType is required\"");
    CHECK_HOLDS(&w, "UpdateTable", STREAM("\"StreamEnabled\":true,\"StreamViewType\":\"OLD_IMAGE\""),
                "\"StreamViewType\":\"OLD_IMAGE\"},\"LatestStreamLabel\":\"");
    CHECK_FAILS(&w, "UpdateTable", STREAM("\"StreamEnabled\":true,\"StreamViewType\":\"OLD_IMAGE\""),
                "ValidationException", "\"Table already has an enabled stream: TableName: Things\"");
    CHECK_HOLDS(&w, "UpdateTable", STREAM("\"StreamEnabled\":false"),
                "\"LatestStreamArn\":\"arn:aws:dynamodb:");
    CHECK(strstr(w.text, "StreamSpecification") == NULL);
    world_end(&w);
}

static void what_is_wrong_with_an_update_is_said(void)
{
#define UPDATE(more) "{\"TableName\":\"Things\"" more "}"
    static const struct {
        const char *body, *sentence;
    } cases[] = {
        { UPDATE(""),
          "\"At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
          "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "
          "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, "
          "WarmThroughput or TableClass is required\"" },
        { UPDATE(",\"TableClass\":\"STANDARD\",\"DeletionProtectionEnabled\":true"),
          "invalid: TableClass modification must be the only operation in the request\"" },
        { UPDATE("," UNITS ",\"StreamSpecification\":{\"StreamEnabled\":false}"),
          "invalid: You cannot modify stream status while updating table IOPS\"" },
        { UPDATE("," UNITS ",\"GlobalSecondaryIndexUpdates\":[{\"Delete\":{\"IndexName\":\"ByS\"}}]"),
          "invalid: You cannot create or delete index while updating table IOPS\"" },
        { UPDATE(",\"StreamSpecification\":{\"StreamEnabled\":false},\"GlobalSecondaryIndexUpdates\":["
                 "{\"Delete\":{\"IndexName\":\"ByS\"}}]"),
          "invalid: You cannot create or delete index while changing stream status\"" },
        { UPDATE(",\"GlobalSecondaryIndexUpdates\":[{\"Delete\":{\"IndexName\":\"ByS\"},\"Update\":{"
                 "\"IndexName\":"
                 "\"ByS\"}}]"),
          "invalid: Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate "
          "object\"" },
        { UPDATE(",\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":0}"),
          "invalid: Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid "
          "range\"" },
    };

    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, "UpdateTable", cases[i].body, "ValidationException", cases[i].sentence);
    CHECK_FAILS(&w, "UpdateTable", "{\"TableName\":\"None\"," UNITS "}", "ResourceNotFoundException",
                "\"Requested resource not found: Table: None not found\"");
    CHECK_HOLDS(&w, "UpdateTable", UPDATE(",\"DeletionProtectionEnabled\":true"),
                "\"TableStatus\":\"ACTIVE\"");
    CHECK_HOLDS(&w, "UpdateTable", UPDATE(",\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":5}"),
                "\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":5}");
    CHECK_HOLDS(&w, "UpdateTable", UPDATE(",\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":-1}"),
                "UPDATING");
    CHECK(strstr(w.text, "OnDemandThroughput") == NULL);
    world_end(&w);
}

static void items_expire_when_told_to(void)
{
#define TTL(more) "{\"TableName\":\"Things\",\"TimeToLiveSpecification\":{" more "}}"
    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}");
    CHECK_SAYS(&w, "DescribeTimeToLive", "{\"TableName\":\"Things\"}",
               "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    CHECK_FAILS(&w, "UpdateTimeToLive", TTL("\"Enabled\":false,\"AttributeName\":\"t\""),
                "ValidationException", "\"TimeToLive is already disabled\"");
    CHECK_SAYS(&w, "UpdateTimeToLive", TTL("\"Enabled\":true,\"AttributeName\":\"t\""),
               "{\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"t\"}}");
    CHECK_SAYS(&w, "DescribeTimeToLive", "{\"TableName\":\"Things\"}",
               "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":\"t\"}}");
    CHECK_FAILS(&w, "UpdateTimeToLive", TTL("\"Enabled\":true,\"AttributeName\":\"t\""),
                "ValidationException", "\"TimeToLive is already enabled\"");
    CHECK_FAILS(&w, "UpdateTimeToLive", TTL("\"Enabled\":true,\"AttributeName\":\"u\""),
                "ValidationException",
                "\"TimeToLive is active on a different AttributeName: current AttributeName is t\"");
    CHECK_SAYS(&w, "UpdateTimeToLive", TTL("\"Enabled\":false,\"AttributeName\":\"t\""),
               "{\"TimeToLiveSpecification\":{\"Enabled\":false,\"AttributeName\":\"t\"}}");
    world_end(&w);
}

static void what_is_not_here_is_said_to_be_empty(void)
{
    start_with("{\"TableName\":\"Things\"," DEFINE_P "," KEY_P "," ON_DEMAND "}");
    CHECK_HOLDS(&w, "DescribeContinuousBackups", "{\"TableName\":\"Things\"}",
                "\"PointInTimeRecoveryStatus\":\"DISABLED\"");
    CHECK_FAILS(&w, "DescribeContinuousBackups", "{\"TableName\":\"None\"}", "TableNotFoundException",
                "\"Table not found: None\"");
    CHECK_SAYS(&w, "ListBackups", "{}", "{\"BackupSummaries\":[]}");
    CHECK_SAYS(&w, "DescribeKinesisStreamingDestination", "{\"TableName\":\"Things\"}",
               "{\"TableName\":\"Things\",\"KinesisDataStreamDestinations\":[]}");
    CHECK_FAILS(&w, "StartBulkPutItems", "{}", "UnknownOperationException", "{\"__type\":");
    CHECK(strstr(w.text, "essage") == NULL);
    CHECK_HOLDS(&w, "DescribeLimits", "{}", "\"TableMaxWriteCapacityUnits\":40000");
    CHECK_SAYS(&w, "DescribeEndpoints", "{}",
               "{\"Endpoints\":[{\"Address\":\"127.0.0.1:8000\",\"CachePeriodInMinutes\":1440}]}");
    world_end(&w);
}

int main(void)
{
    RUN(throughput_and_billing_change);
    RUN(indexes_come_and_go);
    RUN(a_stream_is_switched_on_and_off);
    RUN(what_is_wrong_with_an_update_is_said);
    RUN(items_expire_when_told_to);
    RUN(what_is_not_here_is_said_to_be_empty);
    RUN(a_table_is_created_described_listed_and_deleted);
    RUN(states_last_as_long_as_they_are_told_to);
    RUN(what_a_table_is_given_is_told);
    RUN(what_is_wrong_with_a_new_table_is_said);
    RUN(tags_come_and_go);
    return test_summary();
}
