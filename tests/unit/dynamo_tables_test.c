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
                         "\"MaxReadRequestUnits\":7,\"MaxWriteRequestUnits\":-1}") != NULL);
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
                "\"Requested resource not found: ResourcArn: "
                "arn:aws:dynamodb:us-east-1:000000000000:table/None not found\"");
    CHECK_FAILS(&w, "ListTagsOfResource",
                "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things/index/I\"}",
                "ValidationException", "only table or stream is accepted");
    CHECK_FAILS(&w, "ListTagsOfResource",
                "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:111111111111:table/Things\"}",
                "AccessDeniedException", "\"Message\":");
    world_end(&w);
}

int main(void)
{
    RUN(a_table_is_created_described_listed_and_deleted);
    RUN(what_a_table_is_given_is_told);
    RUN(what_is_wrong_with_a_new_table_is_said);
    RUN(tags_come_and_go);
    return test_summary();
}
