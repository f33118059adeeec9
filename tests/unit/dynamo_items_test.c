/* SPDX-License-Identifier: MIT */
#include "dynamo_world.h"

static struct world w;

static void start(void)
{
    world_start(&w);
    world_create(&w, "{\"table\":\"Things\",\"partition_key\":\"id:S\"}");
    world_create(&w, "{\"table\":\"Notes\",\"partition_key\":\"id:S\",\"sort_key\":\"at:N\",\"indexes\":{"
                     "\"ByTitle\":{\"sort_key\":\"title:S\",\"project\":\"keys_only\"},"
                     "\"ByKind\":{\"partition_key\":\"kind:S\",\"project\":\"keys_only\"}}}");
}

static void put_then_get_gives_the_item_back(void)
{
    start();
    CHECK_SAYS(&w, "PutItem",
               "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1e2\"},"
               "\"l\":{\"L\":[{\"BOOL\":true},{\"NULL\":true},{\"B\":\"AQI=\"}]}}}",
               "{}");
    CHECK_SAYS(
        &w, "GetItem", "{\"Key\":{\"id\":{\"S\":\"a\"}},\"TableName\":\"Things\"}",
        "{\"Item\":{\"id\":{\"S\":\"a\"},\"l\":{\"L\":[{\"BOOL\":true},{\"NULL\":true},{\"B\":\"AQI=\"}]},"
        "\"n\":{\"N\":\"100\"}}}");
    CHECK_SAYS(&w, "GetItem", "{\"Key\":{\"id\":{\"S\":\"b\"}},\"TableName\":\"Things\"}", "{}");
    world_end(&w);
}

static void members_may_come_in_any_order_unknown_ones_and_nulls_are_ignored(void)
{
    start();
    CHECK_SAYS(&w, "PutItem",
               "{\"ReturnValues\":null,\"Moon\":[{\"x\":1}],\"Item\":{\"id\":{\"S\":\"a\",\"Moon\":3}},"
               "\"TableName\":\"Things\",\"Expected\":null}",
               "{}");
    world_end(&w);
}

static void a_table_may_be_named_by_its_arn(void)
{
    start();
    CHECK_SAYS(
        &w, "GetItem",
        "{\"Key\":{\"id\":{\"S\":\"b\"}},\"ReturnConsumedCapacity\":\"TOTAL\","
        "\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"}",
        "{\"ConsumedCapacity\":{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\","
        "\"CapacityUnits\":0.5}}");
    CHECK_FAILS(&w, "GetItem", "{\"Key\":{\"id\":{\"S\":\"b\"}},\"TableName\":\"arn:aws:dynamodb:x\"}",
                "ValidationException", "Invalid TableArn: Invalid ResourceArn provided as input");
    world_end(&w);
}

static void writes_return_what_they_are_asked_for(void)
{
    start();
    CHECK_SAYS(&w, "PutItem",
               "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}},"
               "\"ReturnValues\":\"ALL_OLD\"}",
               "{}");
    CHECK_SAYS(
        &w, "UpdateItem",
        "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"UpdateExpression\":\"SET n = n + :one\","
        "\"ExpressionAttributeValues\":{\":one\":{\"N\":\"1\"}},\"ReturnValues\":\"UPDATED_NEW\"}",
        "{\"Attributes\":{\"n\":{\"N\":\"2\"}}}");
    CHECK_SAYS(&w, "PutItem",
               "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_OLD\"}",
               "{\"Attributes\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"2\"}}}");
    CHECK_SAYS(&w, "DeleteItem",
               "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_OLD\"}",
               "{\"Attributes\":{\"id\":{\"S\":\"a\"}}}");
    CHECK_FAILS(&w, "PutItem",
                "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_NEW\"}",
                "ValidationException", "ReturnValues can only be ALL_OLD or NONE");
    world_end(&w);
}

static void a_failed_condition_shows_the_item_when_asked(void)
{
    start();
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"}}}", "{}");
    CHECK_FAILS(&w, "PutItem",
                "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"a\"}},"
                "\"ConditionExpression\":\"attribute_not_exists(id)\","
                "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}",
                "ConditionalCheckFailedException",
                "\"message\":\"The conditional request failed\",\"Item\":{\"id\":{\"S\":\"a\"}}}");
    CHECK_FAILS(&w, "DeleteItem",
                "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},"
                "\"Expected\":{\"id\":{\"ComparisonOperator\":\"NULL\"}}}",
                "ConditionalCheckFailedException", "\"message\":\"The conditional request failed\"}");
    world_end(&w);
}

static void capacity_and_collections_are_told_with_their_indexes(void)
{
    start();
    CHECK_SAYS(
        &w, "PutItem",
        "{\"TableName\":\"Notes\",\"Item\":{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"1\"},\"kind\":{\"S\":\"k\"},"
        "\"title\":{\"S\":\"t\"}},\"ReturnConsumedCapacity\":\"INDEXES\","
        "\"ReturnItemCollectionMetrics\":\"SIZE\"}",
        "{\"ConsumedCapacity\":{\"TableName\":\"Notes\",\"CapacityUnits\":3.0,\"Table\":{\"CapacityUnits\":1."
        "0},"
        "\"GlobalSecondaryIndexes\":{\"ByKind\":{\"CapacityUnits\":1.0}},"
        "\"LocalSecondaryIndexes\":{\"ByTitle\":{\"CapacityUnits\":1.0}}},"
        "\"ItemCollectionMetrics\":{\"ItemCollectionKey\":{\"id\":{\"S\":\"a\"}},"
        "\"SizeEstimateRangeGB\":[0.0,1.0]}}");
    world_end(&w);
}

static void old_parameters_do_what_expressions_do(void)
{
    start();
    CHECK_SAYS(
        &w, "UpdateItem",
        "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributeUpdates\":{"
        "\"n\":{\"Action\":\"ADD\",\"Value\":{\"N\":\"5\"}},\"a.b\":{\"Value\":{\"S\":\"x\"}},"
        "\"l\":{\"Action\":\"ADD\",\"Value\":{\"L\":[{\"S\":\"one\"}]}}},\"ReturnValues\":\"ALL_NEW\"}",
        "{\"Attributes\":{\"a.b\":{\"S\":\"x\"},\"id\":{\"S\":\"a\"},\"l\":{\"L\":[{\"S\":\"one\"}]},"
        "\"n\":{\"N\":\"5\"}}}");
    CHECK_SAYS(
        &w, "UpdateItem",
        "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributeUpdates\":{"
        "\"a.b\":{\"Action\":\"DELETE\"},\"l\":{\"Action\":\"ADD\",\"Value\":{\"L\":[{\"S\":\"two\"}]}}},"
        "\"Expected\":{\"l\":{\"ComparisonOperator\":\"NOT_CONTAINS\",\"AttributeValueList\":[{\"S\":\"zz\"}]"
        "},\"n\":{\"Value\":{\"N\":\"5.0\"}},\"zz\":{\"Exists\":false}},"
        "\"ReturnValues\":\"UPDATED_NEW\"}",
        "{\"Attributes\":{\"l\":{\"L\":[{\"S\":\"one\"},{\"S\":\"two\"}]}}}");
    CHECK_FAILS(&w, "UpdateItem",
                "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributeUpdates\":{"
                "\"l\":{\"Action\":\"ADD\",\"Value\":{\"N\":\"1\"}}}}",
                "ValidationException", "Type mismatch for attribute to update");
    CHECK_SAYS(
        &w, "GetItem",
        "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributesToGet\":[\"n\",\"none\"]}",
        "{\"Item\":{\"n\":{\"N\":\"5\"}}}");
    CHECK_FAILS(&w, "DeleteItem",
                "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"Expected\":{"
                "\"zz\":{\"ComparisonOperator\":\"NOT_CONTAINS\",\"AttributeValueList\":[{\"S\":\"x\"}]},"
                "\"n\":{\"ComparisonOperator\":\"NE\",\"AttributeValueList\":[{\"N\":\"5\"}]}},"
                "\"ConditionalOperator\":\"OR\"}",
                "ConditionalCheckFailedException", "The conditional request failed");
    CHECK_SAYS(&w, "DeleteItem",
               "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"Expected\":{"
               "\"zz\":{\"ComparisonOperator\":\"NE\",\"AttributeValueList\":[{\"S\":\"x\"}]},"
               "\"n\":{\"ComparisonOperator\":\"IN\",\"AttributeValueList\":[{\"N\":\"4\"},{\"N\":\"5\"}]}}}",
               "{}");
    world_end(&w);
}

static void what_is_wrong_with_old_parameters_is_said(void)
{
#define DELETE_EXPECTING(expected)                                                                           \
    "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"Expected\":{\"x\":" expected "}}"
#define UPDATING(update)                                                                                     \
    "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributeUpdates\":{\"x\":" update "}}"
    static const struct {
        const char *call, *body, *sentence;
    } cases[] = {
        { "DeleteItem", DELETE_EXPECTING("{\"Value\":{\"S\":\"a\"},\"AttributeValueList\":[]}"),
          "Value and AttributeValueList cannot be used together for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{\"Exists\":true,\"ComparisonOperator\":\"EQ\"}"),
          "Exists and ComparisonOperator cannot be used together for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{\"ComparisonOperator\":\"LT\"}"),
          "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{\"AttributeValueList\":[]}"),
          "AttributeValueList can only be used with a ComparisonOperator for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{}"),
          "Value must be provided when Exists is null for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{\"Exists\":true}"),
          "Value must be provided when Exists is true for Attribute: x" },
        { "DeleteItem", DELETE_EXPECTING("{\"Exists\":false,\"Value\":{\"S\":\"a\"}}"),
          "Value cannot be used when Exists is false for Attribute: x" },
        { "DeleteItem",
          DELETE_EXPECTING("{\"ComparisonOperator\":\"BETWEEN\",\"AttributeValueList\":[{\"N\":\"1\"}]}"),
          "invalid: Invalid number of argument(s) for the BETWEEN ComparisonOperator" },
        { "DeleteItem",
          DELETE_EXPECTING(
              "{\"ComparisonOperator\":\"IN\",\"AttributeValueList\":[{\"N\":\"1\"},{\"S\":\"1\"}]}"),
          "invalid: AttributeValues inside AttributeValueList must be of same type" },
        { "DeleteItem", DELETE_EXPECTING("{\"ComparisonOperator\":\"GE\",\"Value\":{\"SS\":[\"1\"]}}"),
          "invalid: ComparisonOperator GE is not valid for SS AttributeValue type" },
        { "DeleteItem",
          DELETE_EXPECTING(
              "{\"ComparisonOperator\":\"BETWEEN\",\"AttributeValueList\":[{\"N\":\"2\"},{\"N\":\"1\"}]}"),
          "\"The BETWEEN condition was provided a range where the lower bound is greater than the upper "
          "bound" },
        { "DeleteItem", DELETE_EXPECTING("{\"ComparisonOperator\":\"MOON\"}"),
          "1 validation error detected: Value 'MOON' at 'expected.x.member.comparisonOperator' failed to "
          "satisfy "
          "constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, "
          "NOT_NULL, "
          "NE, LE, BEGINS_WITH, GE, CONTAINS]" },
        { "UpdateItem", UPDATING("{\"Action\":\"PUT\"}"),
          "invalid: Only DELETE action is allowed when no attribute value is specified" },
        { "UpdateItem", UPDATING("{\"Action\":\"DELETE\",\"Value\":{\"S\":\"a\"}}"),
          "invalid: DELETE action with value is not supported for the type S" },
        { "UpdateItem", UPDATING("{\"Action\":\"ADD\",\"Value\":{\"S\":\"a\"}}"),
          "invalid: ADD action is not supported for the type S" },
        { "GetItem",
          "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributesToGet\":[\"a\",\"b\",\"a\"]}",
          "invalid: Duplicate value in attribute name: a" },
        { "GetItem",
          "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributesToGet\":[\"a\"],"
          "\"ProjectionExpression\":\"b\"}",
          "Can not use both expression and non-expression parameters in the same request: Non-expression "
          "parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}" },
        { "UpdateItem",
          "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"AttributeUpdates\":{},\"Expected\":{},"
          "\"ConditionExpression\":\"b = c\"}",
          "Non-expression parameters: {AttributeUpdates, Expected} Expression parameters: "
          "{ConditionExpression}" },
        { "DeleteItem",
          "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}},\"ConditionalOperator\":\"OR\"}",
          "ConditionalOperator cannot be used without Filter or Expected" },
    };

    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, cases[i].call, cases[i].body, "ValidationException", cases[i].sentence);
    world_end(&w);
}

static void placeholders_are_checked_before_the_expressions(void)
{
#define GET_WITH(more) "{\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"a\"}}," more "}"
    static const struct {
        const char *call, *body, *sentence;
    } cases[] = {
        { "GetItem", GET_WITH("\"ExpressionAttributeNames\":{\"#a\":\"b\"}"),
          "ExpressionAttributeNames can only be specified when using expressions" },
        { "GetItem", GET_WITH("\"ProjectionExpression\":\"!\",\"ExpressionAttributeNames\":{}"),
          "ExpressionAttributeNames must not be empty" },
        { "GetItem", GET_WITH("\"ProjectionExpression\":\"!\",\"ExpressionAttributeNames\":{\"a\":\"b\"}"),
          "ExpressionAttributeNames contains invalid key: Syntax error; key: \\\"a\\\"" },
        { "GetItem", GET_WITH("\"ProjectionExpression\":\"\""),
          "Invalid ProjectionExpression: The expression can not be empty;" },
        { "GetItem",
          GET_WITH("\"ProjectionExpression\":\"a\",\"ExpressionAttributeNames\":{\"#a\":\"b\",\"#c\":\"d\"}"),
          "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #c}" },
        { "DeleteItem", GET_WITH("\"ExpressionAttributeValues\":{\":a\":{\"S\":\"\"}}"),
          "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is "
          "null" },
        { "UpdateItem", GET_WITH("\"ExpressionAttributeValues\":{\":a\":{\"S\":\"\"}}"),
          "when using expressions: UpdateExpression and ConditionExpression are null" },
        { "DeleteItem", GET_WITH("\"ConditionExpression\":\"!\",\"ExpressionAttributeValues\":{}"),
          "ExpressionAttributeValues must not be empty" },
        { "DeleteItem",
          GET_WITH("\"ConditionExpression\":\"!\",\"ExpressionAttributeValues\":{\":a\":{\"N\":\"x\"}}"),
          "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric "
          "value: x for key :a" },
        { "DeleteItem",
          GET_WITH("\"ConditionExpression\":\"!\",\"ExpressionAttributeNames\":{\"a\":\"b\"},"
                   "\"ExpressionAttributeValues\":{\"a\":{\"S\":\"\"}}"),
          "ExpressionAttributeNames contains invalid key" },
        { "DeleteItem", GET_WITH("\"ConditionExpression\":\"!!\""),
          "Invalid ConditionExpression: Syntax error; token: \\\"!\\\", near: \\\"!!\\\"" },
    };

    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, cases[i].call, cases[i].body, "ValidationException", cases[i].sentence);
    world_end(&w);
}

static void data_calls_do_not_say_which_table_is_missing(void)
{
    start();
    CHECK_SAYS(&w, "ListTables", "{}", "{\"TableNames\":[\"Notes\",\"Things\"]}");
    world_ask(&w, "GetItem", pl_str("{\"TableName\":\"Nothing\",\"Key\":{\"id\":{\"S\":\"a\"}}}"));
    CHECK_MSG(strcmp(w.text, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\","
                             "\"message\":\"Requested resource not found\"}") == 0,
              "%s", w.text);
    world_end(&w);
}

int main(void)
{
    RUN(put_then_get_gives_the_item_back);
    RUN(members_may_come_in_any_order_unknown_ones_and_nulls_are_ignored);
    RUN(a_table_may_be_named_by_its_arn);
    RUN(writes_return_what_they_are_asked_for);
    RUN(a_failed_condition_shows_the_item_when_asked);
    RUN(capacity_and_collections_are_told_with_their_indexes);
    RUN(old_parameters_do_what_expressions_do);
    RUN(what_is_wrong_with_old_parameters_is_said);
    RUN(placeholders_are_checked_before_the_expressions);
    RUN(data_calls_do_not_say_which_table_is_missing);
    return test_summary();
}
