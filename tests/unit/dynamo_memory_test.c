/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/dynamo.h"

#include "failing_allocation.h"

/* Requests while memory is short: each is answered, as it would be with memory, or with an error of the server's own. */

static struct pl_tables *tables;

static const struct {
    const char *call, *body;
} requests[] = {
    { "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\\u0020b\"},\"v\":{\"M\":{\"x\":{"
                 "\"NS\":[\"1\",\"2\"]}}}},"
                 "\"ConditionExpression\":\"x = "
                 ":x\",\"ExpressionAttributeValues\":{\":x\":{\"L\":[{\"B\":\"AQI=\"}]}}}" },
    { "UpdateItem",
      "{\"TableName\":\"Things\",\"Key\":{\"p\":{\"S\":\"a\"}},\"AttributeUpdates\":{\"a\":{\"Action\":"
      "\"ADD\",\"Value\":"
      "{\"L\":[{\"S\":\"x\"}]}},\"b\":{\"Action\":\"DELETE\"}},\"Expected\":{\"d\":{\"Exists\":false},\"e\":{"
      "\"ComparisonOperator\":\"NOT_CONTAINS\",\"AttributeValueList\":[{\"N\":\"1\"}]}}}" },
    { "Query", "{\"TableName\":\"Things\",\"KeyConditions\":{\"p\":{\"ComparisonOperator\":\"EQ\","
               "\"AttributeValueList\":["
               "{\"S\":\"a\"}]}},\"AttributesToGet\":[\"a\"],\"ExclusiveStartKey\":{\"p\":{\"S\":\"a\"}}}" },
    { "BatchGetItem", "{\"RequestItems\":{\"Things\":{\"Keys\":[{\"p\":{\"S\":\"a\"}},{\"p\":{\"S\":\"b\"}}],"
                      "\"ProjectionExpression\":\"#a\",\"ExpressionAttributeNames\":{\"#a\":\"b\"}}}}" },
    { "TransactWriteItems",
      "{\"TransactItems\":[{\"Put\":{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"}}}},{\"Delete\":{"
      "\"TableName\":\"Things\",\"Key\":{\"p\":{\"S\":\"b\"}}}}]}" },
    { "CreateTable",
      "{\"TableName\":\"New\",\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}],"
      "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\","
      "\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}" },
    { "CreateTable", "{\"TableName\":\"New\",\"AttributeDefinitions\":[],\"KeySchema\":[{\"AttributeName\":"
                     "\"p\",\"KeyType\":\"HASH\"}],"
                     "\"BillingMode\":\"PAY_PER_REQUEST\"}" },
    { "UpdateTable", "{\"TableName\":\"Things\",\"AttributeDefinitions\":[{\"AttributeName\":\"g\","
                     "\"AttributeType\":\"S\"}],"
                     "\"GlobalSecondaryIndexUpdates\":[{\"Create\":{\"IndexName\":\"ByG\",\"KeySchema\":[{"
                     "\"AttributeName\":\"g\","
                     "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}}]}" },
    { "ListTagsOfResource", "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"}" },
    { "TagResource",
      "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\",\"Tags\":[{\"Key\":\"a\","
      "\"Value\":\"c\"}]}" },
    { "ListTables", "{}" },
    { "GetItem", "{\"TableName\":\"a;\",\"Key\":1}" },
    { "GetItem", "{\"TableName\":\"a;\"}" },
    { "GetItem", "{\"TableName\":\"Things\",\"Key\":{\"p\":{\"N\":\"x\"}}}" },
    { "Moon", "{}" },
};

static enum pl_dynamo_step read_one(struct pl_dynamo_request *request, size_t i)
{
    struct pl_dynamo_context context = { .tables = tables,
                                         .region = pl_str("us-east-1"),
                                         .account = pl_str("000000000000"),
                                         .endpoint = pl_str("127.0.0.1:8000") };
    char target[64];

    snprintf(target, sizeof target, "DynamoDB_20120810.%s", requests[i].call);
    return pl_dynamo_read(request, pl_str(target), pl_str(requests[i].body), &context);
}

static void fail_each(size_t i, bool for_good)
{
    struct pl_dynamo_request request;
    enum pl_dynamo_step wanted, step;
    uint16_t status;

    pl_dynamo_request_init(&request);
    wanted = read_one(&request, i);
    status = request.status;
    pl_dynamo_request_deinit(&request);
    for (long n = 0; allocation_failing(n, for_good); n++) {
        pl_dynamo_request_init(&request);
        step = read_one(&request, i);
        if (!allocation_failed())
            CHECK_MSG(step == wanted && request.status == status, "%s", requests[i].call);
        else
            CHECK_MSG((step == wanted && request.status == status) ||
                          (step == PL_DYNAMO_ANSWERED && request.status == 500),
                      "%s: %d", requests[i].call, request.status);
        pl_dynamo_request_deinit(&request);
    }
}

static void every_request_is_answered_without_memory(void)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        fail_each(i, false);
        fail_each(i, true);
    }
}

static void make_tables(void)
{
    struct pl_tables *none = pl_tables_new();
    struct pl_table *table;

    if (none == NULL ||
        pl_table_from_text(
            pl_str("{\"table\":\"Things\",\"partition_key\":\"p:S\",\"dynamodb\":{\"tags\":{\"a\":\"b\"}}}"),
            false, &table, NULL) != 0)
        abort();
    table->id = 1;
    tables = pl_tables_with(none, 1, table);
    pl_tables_unref(none);
    pl_table_unref(table);
}

int main(void)
{
    make_tables();
    RUN(every_request_is_answered_without_memory);
    pl_tables_unref(tables);
    return test_summary();
}
