/* SPDX-License-Identifier: MIT */
#include "dynamo_world.h"

static struct world w;

#define VALUES(more) "\"ExpressionAttributeValues\":{" more "}"

static void put(const char *item)
{
    char body[512];

    snprintf(body, sizeof body, "{\"TableName\":\"Notes\",\"Item\":%s}", item);
    CHECK_SAYS(&w, "PutItem", body, "{}");
}

static void start(void)
{
    world_start(&w);
    world_create(&w, "{\"table\":\"Things\",\"partition_key\":\"id:S\"}");
    world_create(&w, "{\"table\":\"Notes\",\"partition_key\":\"id:S\",\"sort_key\":\"at:N\",\"indexes\":{"
                     "\"ByTitle\":{\"sort_key\":\"title:S\",\"project\":\"keys_only\"},"
                     "\"ByKind\":{\"partition_key\":\"kind:S\",\"project\":\"keys_only\"}}}");
    put("{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"1\"},\"kind\":{\"S\":\"k\"},\"title\":{\"S\":\"z\"}}");
    put("{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"2\"},\"title\":{\"S\":\"y\"},\"x\":{\"N\":\"7\"}}");
    put("{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"10\"}}");
}

static void a_query_gives_rows_counts_and_the_next_key(void)
{
    start();
    CHECK_SAYS(
        &w, "Query",
        "{\"TableName\":\"Notes\",\"KeyConditionExpression\":\"id = :i AND #at > :n\",\"Limit\":1,"
        "\"ExpressionAttributeNames\":{\"#at\":\"at\"},"
        "\"ReturnConsumedCapacity\":\"TOTAL\"," VALUES("\":i\":{\"S\":\"a\"},\":n\":{\"N\":\"1\"}") "}",
        "{\"Items\":[{\"at\":{\"N\":\"2\"},\"id\":{\"S\":\"a\"},\"title\":{\"S\":\"y\"},\"x\":{\"N\":\"7\"}}]"
        ","
        "\"Count\":1,\"ScannedCount\":1,\"LastEvaluatedKey\":{\"at\":{\"N\":\"2\"},\"id\":{\"S\":\"a\"}},"
        "\"ConsumedCapacity\":{\"TableName\":\"Notes\",\"CapacityUnits\":0.5}}");
    CHECK_SAYS(&w, "Query",
               "{\"TableName\":\"Notes\",\"KeyConditionExpression\":\"id = :i\",\"ScanIndexForward\":false,"
               "\"ExclusiveStartKey\":{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"2\"}},"
               "\"ProjectionExpression\":\"title\"," VALUES("\":i\":{\"S\":\"a\"}") "}",
               "{\"Items\":[{\"title\":{\"S\":\"z\"}}],\"Count\":1,\"ScannedCount\":1}");
    CHECK_SAYS(&w, "Query",
               "{\"TableName\":\"Notes\",\"KeyConditionExpression\":\"id = :i\",\"Select\":\"COUNT\","
               "\"FilterExpression\":\"x = :x\"," VALUES("\":i\":{\"S\":\"a\"},\":x\":{\"N\":\"7.0\"}") "}",
               "{\"Count\":1,\"ScannedCount\":3}");
    world_end(&w);
}

static void an_index_is_named_in_what_was_consumed(void)
{
    start();
    CHECK_SAYS(&w, "Query",
               "{\"TableName\":\"Notes\",\"IndexName\":\"ByKind\",\"KeyConditionExpression\":\"kind = :k\","
               "\"ReturnConsumedCapacity\":\"INDEXES\"," VALUES("\":k\":{\"S\":\"k\"}") "}",
               "{\"Items\":[{\"at\":{\"N\":\"1\"},\"id\":{\"S\":\"a\"},\"kind\":{\"S\":\"k\"}}],\"Count\":1,"
               "\"ScannedCount\":1,\"ConsumedCapacity\":{\"TableName\":\"Notes\",\"CapacityUnits\":0.5,"
               "\"Table\":{\"CapacityUnits\":0.0},\"GlobalSecondaryIndexes\":{\"ByKind\":{\"CapacityUnits\":"
               "0.5}}}}");
    world_end(&w);
}

static void old_parameters_query_and_scan(void)
{
    start();
    CHECK_SAYS(&w, "Query",
               "{\"TableName\":\"Notes\",\"KeyConditions\":{\"id\":{\"ComparisonOperator\":\"EQ\","
               "\"AttributeValueList\":[{\"S\":\"a\"}]},\"at\":{\"ComparisonOperator\":\"BETWEEN\","
               "\"AttributeValueList\":[{\"N\":\"2\"},{\"N\":\"10\"}]}},\"AttributesToGet\":[\"at\"],"
               "\"QueryFilter\":{\"x\":{\"ComparisonOperator\":\"NULL\"}}}",
               "{\"Items\":[{\"at\":{\"N\":\"10\"}}],\"Count\":1,\"ScannedCount\":2}");
    CHECK_SAYS(&w, "Scan",
               "{\"TableName\":\"Notes\",\"ScanFilter\":{\"at\":{\"ComparisonOperator\":\"LT\","
               "\"AttributeValueList\":[{\"N\":\"2\"}]},\"x\":{\"ComparisonOperator\":\"NOT_NULL\"}},"
               "\"ConditionalOperator\":\"OR\",\"Select\":\"COUNT\"}",
               "{\"Count\":2,\"ScannedCount\":3}");
    CHECK_FAILS(&w, "Query",
                "{\"TableName\":\"Notes\",\"KeyConditions\":{\"id\":{\"ComparisonOperator\":\"CONTAINS\","
                "\"AttributeValueList\":[{\"S\":\"a\"}]}}}",
                "ValidationException", "Attempted conditional constraint is not an indexable operation");
    CHECK_FAILS(&w, "Query",
                "{\"TableName\":\"Notes\",\"KeyConditions\":{\"id\":{\"ComparisonOperator\":\"EQ\","
                "\"AttributeValueList\":[{\"S\":\"a\"}]}},\"QueryFilter\":{\"at\":{\"ComparisonOperator\":"
                "\"NULL\"}}}",
                "ValidationException",
                "QueryFilter can only contain non-primary key attributes: Primary key attribute: at");
    world_end(&w);
}

static void what_is_wrong_with_a_walk_is_said(void)
{
#define NOTES(more) "{\"TableName\":\"Notes\"," more "}"
    static const struct {
        const char *call, *body, *sentence;
    } cases[] = {
        { "Query", NOTES("\"Limit\":0"),
          "\"1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have "
          "value "
          "greater than or equal to 1\"" },
        { "Scan", NOTES("\"Limit\":0"),
          "\"1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must "
          "have "
          "value greater than or equal to 1\"" },
        { "Query", NOTES("\"Select\":\"COUNT\""),
          "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request." },
        { "Scan", NOTES("\"Segment\":1"),
          "The TotalSegments parameter is required but was not present in the request when Segment parameter "
          "is "
          "present" },
        { "Scan", NOTES("\"TotalSegments\":1"),
          "The Segment parameter is required but was not present in the request when parameter TotalSegments "
          "is "
          "present" },
        { "Scan", NOTES("\"Segment\":2,\"TotalSegments\":2"),
          "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is "
          "not "
          "less than TotalSegments: 2" },
        { "Scan", NOTES("\"ExclusiveStartKey\":{\"id\":{\"S\":\"a\"}}"),
          "The provided starting key is invalid: The provided key element does not match the schema" },
        { "Scan", NOTES("\"ExclusiveStartKey\":{\"id\":{}}"),
          "The provided starting key is invalid: Supplied AttributeValue is empty" },
        { "Scan", NOTES("\"IndexName\":\"Moon\""), "The table does not have the specified index: Moon" },
        { "Scan", NOTES("\"IndexName\":\"ByKind\",\"ConsistentRead\":true"),
          "Consistent reads are not supported on global secondary indexes" },
        { "Query", NOTES("\"KeyConditions\":{},\"FilterExpression\":\"a = b\""),
          "Non-expression parameters: {KeyConditions} Expression parameters: {FilterExpression}" },
        { "Query", NOTES("\"KeyConditionExpression\":\"id = :a AND x = :a\"," VALUES("\":a\":{\"S\":\"a\"}")),
          "Query condition missed key schema element: at" },
        { "Query", NOTES(VALUES("\":a\":{\"S\":\"a\"}")),
          "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and "
          "KeyConditionExpression are null" },
    };

    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, cases[i].call, cases[i].body, "ValidationException", cases[i].sentence);
    world_end(&w);
}

static void a_batch_gets_by_table(void)
{
    start();
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"t\"}}}", "{}");
    CHECK_SAYS(&w, "BatchGetItem",
               "{\"RequestItems\":{\"Notes\":{\"Keys\":[{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"2\"}},"
               "{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"3\"}}],\"ProjectionExpression\":\"#t\","
               "\"ExpressionAttributeNames\":{\"#t\":\"title\"}},\"Things\":{\"ConsistentRead\":true,"
               "\"Keys\":[{\"id\":{\"S\":\"none\"}}]}},\"ReturnConsumedCapacity\":\"TOTAL\"}",
               "{\"Responses\":{\"Notes\":[{\"title\":{\"S\":\"y\"}}],\"Things\":[]},\"UnprocessedKeys\":{},"
               "\"ConsumedCapacity\":[{\"TableName\":\"Notes\",\"CapacityUnits\":1.0},"
               "{\"TableName\":\"Things\",\"CapacityUnits\":1.0}]}");
    CHECK_SAYS(&w, "BatchGetItem",
               "{\"RequestItems\":{\"Notes\":{\"Keys\":[{\"id\":{\"S\":\"b\"},\"at\":{\"N\":\"2\"}}]},"
               "\"Things\":{\"AttributesToGet\":[\"id\"],\"Keys\":[{\"id\":{\"S\":\"t\"}}]}}}",
               "{\"Responses\":{\"Notes\":[],\"Things\":[{\"id\":{\"S\":\"t\"}}]},\"UnprocessedKeys\":{}}");
    world_end(&w);
}

static void a_batch_writes(void)
{
    start();
    CHECK_SAYS(&w, "BatchWriteItem",
               "{\"RequestItems\":{\"Notes\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\"},\"at\":{\"N\":"
               "\"1\"}}}},"
               "{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"10\"}}}}],"
               "\"Things\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\"}}}}]},"
               "\"ReturnConsumedCapacity\":\"INDEXES\",\"ReturnItemCollectionMetrics\":\"SIZE\"}",
               "{\"UnprocessedItems\":{},\"ItemCollectionMetrics\":{\"Notes\":["
               "{\"ItemCollectionKey\":{\"id\":{\"S\":\"b\"}},\"SizeEstimateRangeGB\":[0.0,1.0]},"
               "{\"ItemCollectionKey\":{\"id\":{\"S\":\"a\"}},\"SizeEstimateRangeGB\":[0.0,1.0]}]},"
               "\"ConsumedCapacity\":[{\"TableName\":\"Notes\",\"CapacityUnits\":2.0,\"Table\":{"
               "\"CapacityUnits\":2.0}},"
               "{\"TableName\":\"Things\",\"CapacityUnits\":1.0,\"Table\":{\"CapacityUnits\":1.0}}]}");
    CHECK_SAYS(&w, "Scan", "{\"TableName\":\"Notes\",\"Select\":\"COUNT\"}",
               "{\"Count\":3,\"ScannedCount\":3}");
    world_end(&w);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* One item of 299 units: of the 300 that a table of one a second began with, one is left. */
static void use_burst(void)
{
    struct pl_buf body = { 0 };

    pl_buf_append_format(
        &body, "{\"TableName\":\"Slow\",\"Item\":{\"id\":{\"S\":\"large\"},\"b\":{\"S\":\"%0*d\"}}}",
        299 * 1024 - 8, 0);
    world_ask(&w, "PutItem", pl_buf_view(&body));
    CHECK_MSG(w.request.status == 200, "%s", w.text);
    pl_buf_deinit(&body);
}

static void what_a_batch_leaves_out_comes_back_as_it_was_written(void)
{
    struct pl_buf body = { 0 };
    char counted[64];
    int left_out;

    start();
    world_create(
        &w, "{\"table\":\"Slow\",\"partition_key\":\"id:S\",\"throughput\":{\"read\":1000,\"write\":1}}");
    use_burst();
    pl_buf_append_format(&body, "{\"RequestItems\":{\"Slow\":[");
    for (int i = 0; i < 10; i++)
        pl_buf_append_format(&body, "%s{\"PutRequest\": {\"Item\":{\"id\":{\"S\":\"%d\"}}}}",
                             i > 0 ? "," : "", i);
    pl_buf_append_format(&body, "]},\"ReturnConsumedCapacity\":\"TOTAL\"}");
    world_ask(&w, "BatchWriteItem", pl_buf_view(&body));
    CHECK_MSG(w.request.status == 200, "%s", w.text);
    left_out = count_of(w.text, "{\"PutRequest\": {\"Item\":");
    CHECK_MSG(left_out > 0 && left_out < 10, "%s", w.text);
    CHECK(strstr(w.text, "{\"UnprocessedItems\":{\"Slow\":[{\"PutRequest\": {") != NULL);
    snprintf(counted, sizeof counted, "\"CapacityUnits\":%d.0", 10 - left_out);
    CHECK_MSG(strstr(w.text, counted) != NULL, "%s", w.text);
    snprintf(counted, sizeof counted, "{\"Count\":%d,\"ScannedCount\":%d}", 11 - left_out, 11 - left_out);
    CHECK_SAYS(&w, "Scan", "{\"TableName\":\"Slow\",\"Select\":\"COUNT\"}", counted);
    pl_buf_deinit(&body);
    world_end(&w);
}

static void who_is_throttled_is_told_by_what(void)
{
    start();
    world_create(&w,
                 "{\"table\":\"Slow\",\"partition_key\":\"id:S\",\"throughput\":{\"read\":1,\"write\":1}}");
    use_burst();
    for (int i = 0; i < 100 && w.request.status != 400; i++)
        world_ask(&w, "PutItem", pl_str("{\"TableName\":\"Slow\",\"Item\":{\"id\":{\"S\":\"a\"}}}"));
    CHECK_MSG(
        strstr(w.text,
               "#ProvisionedThroughputExceededException\",\"message\":\"The level of configured provisioned "
               "throughput for the table was exceeded. Consider increasing your provisioning level with "
               "the UpdateTable API.\",\"ThrottlingReasons\":[{\"reason\":"
               "\"TableWriteProvisionedThroughputExceeded\",\"resource\":"
               "\"arn:aws:dynamodb:us-east-1:000000000000:table/Slow\"}]}") != NULL,
        "%s", w.text);
    world_end(&w);
}

static void what_is_wrong_with_a_batch_is_said(void)
{
    static const struct {
        const char *call, *body, *sentence;
    } cases[] = {
        { "BatchGetItem", "{\"RequestItems\":{}}",
          "The requestItems parameter is required for BatchGetItem" },
        { "BatchWriteItem", "{\"RequestItems\":{}}",
          "The requestItems parameter is required for BatchWriteItem" },
        { "BatchGetItem", "{}",
          "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: Member "
          "must not "
          "be null" },
        { "BatchGetItem", "{\"RequestItems\":{\"Things\":{}}}",
          "1 validation error detected: Value null at 'requestItems.Things.member.keys' failed to satisfy "
          "constraint: Member must not be null" },
        { "BatchGetItem",
          "{\"RequestItems\":{\"Things\":{\"Keys\":[{\"id\":{\"S\":\"t\"}},{\"id\":{\"S\":\"t\"}}]}}}",
          "Provided list of item keys contains duplicates" },
        { "BatchWriteItem", "{\"RequestItems\":{\"Things\":[{}]}}",
          "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
          "supported "
          "datatypes" },
        { "BatchWriteItem", "{\"RequestItems\":{\"Things\":[]}}",
          "Value '{\\\"Things\\\":[]}' at 'requestItems' failed to satisfy constraint: Map value must "
          "satisfy "
          "constraint: [Member must have length less than or equal to 25, Member must have length greater "
          "than or "
          "equal to 1]" },
        { "BatchWriteItem", "{\"RequestItems\":{\"Things\":[{\"PutRequest\":{}}]}}",
          "Value null at 'requestItems.Things.member.1.member.putRequest.item' failed to satisfy constraint: "
          "Member "
          "must not be null" },
        { "BatchWriteItem",
          "{\"RequestItems\":{\"Things\":[{\"PutRequest\":{\"Item\":{\"x\":{\"S\":\"t\"}}}}]}}",
          "One or more parameter values were invalid: Missing the key id in the item" },
    };

    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, cases[i].call, cases[i].body, "ValidationException", cases[i].sentence);
    CHECK_FAILS(&w, "BatchGetItem", "{\"RequestItems\":{\"Moon\":{\"Keys\":[{\"id\":{\"S\":\"t\"}}]}}}",
                "ResourceNotFoundException", "Requested resource not found");
    world_end(&w);
}

static void too_many_keys_are_told_apart_by_table(void)
{
    struct pl_buf body = { 0 };
    int tables;

    start();
    for (tables = 1; tables <= 2; tables++) {
        pl_buf_clear(&body);
        pl_buf_append_format(&body, "{\"RequestItems\":{");
        for (int t = 0; t < tables; t++) {
            pl_buf_append_format(&body, "%s\"%s\":{\"Keys\":[", t > 0 ? "," : "", t > 0 ? "Notes" : "Things");
            for (int i = 0; i < (tables == 1 ? 101 : 51); i++)
                pl_buf_append_format(&body, "%s{\"id\":{\"S\":\"%d\"}}", i > 0 ? "," : "", i);
            pl_buf_append_format(&body, "]}");
        }
        pl_buf_append_format(&body, "}}");
        world_ask(&w, "BatchGetItem", pl_buf_view(&body));
        CHECK_MSG(strstr(w.text, tables == 1
                                     ? "\"1 validation error detected: Value at "
                                       "'RequestItems.Things.member.Keys' failed to satisfy constraint: "
                                       "Member must have length less than or equal to 100\""
                                     : "\"Too many items requested for the BatchGetItem call\"") != NULL,
                  "%s", w.text);
    }
    pl_buf_deinit(&body);
    world_end(&w);
}

int main(void)
{
    RUN(a_query_gives_rows_counts_and_the_next_key);
    RUN(an_index_is_named_in_what_was_consumed);
    RUN(old_parameters_query_and_scan);
    RUN(what_is_wrong_with_a_walk_is_said);
    RUN(a_batch_gets_by_table);
    RUN(a_batch_writes);
    RUN(what_a_batch_leaves_out_comes_back_as_it_was_written);
    RUN(who_is_throttled_is_told_by_what);
    RUN(what_is_wrong_with_a_batch_is_said);
    RUN(too_many_keys_are_told_apart_by_table);
    return test_summary();
}
