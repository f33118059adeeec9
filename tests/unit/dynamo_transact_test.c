/* SPDX-License-Identifier: MIT */
#include "dynamo_world.h"

static struct world w;

#define KEY(id)   "\"TableName\":\"Things\",\"Key\":{\"id\":{\"S\":\"" id "\"}}"
#define ITEM(id)  "\"TableName\":\"Things\",\"Item\":{\"id\":{\"S\":\"" id "\"}}"
#define ALL(more) "{\"TransactItems\":[" more "]}"

static void start(void)
{
    world_start(&w);
    world_create(&w, "{\"table\":\"Things\",\"partition_key\":\"id:S\"}");
}

static void all_is_written_and_read_at_once(void)
{
    start();
    CHECK_SAYS(&w, "TransactWriteItems",
               "{\"TransactItems\":[{\"Put\":{" ITEM("a") "}},{\"Update\":{" KEY(
                   "b") ",\"UpdateExpression\":\"SET n = "
                        ":n\",\"ExpressionAttributeValues\":{\":n\":{\"N\":\"1\"}}}},"
                        "{\"Delete\":{" KEY("c") "}},{\"ConditionCheck\":{" KEY(
                            "d") ",\"ConditionExpression\":\"attribute_not_exists(id)\"}}],"
                                 "\"ReturnConsumedCapacity\":\"TOTAL\"}",
               "{\"ConsumedCapacity\":[{\"TableName\":\"Things\",\"CapacityUnits\":8.0,"
               "\"WriteCapacityUnits\":8.0}]}");
    CHECK_SAYS(&w, "TransactGetItems",
               ALL("{\"Get\":{" KEY(
                   "b") ",\"ProjectionExpression\":\"#n\",\"ExpressionAttributeNames\":{\"#n\":\"n\"}}},"
                        "{\"Get\":{" KEY("c") "}}"),
               "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"1\"}}},{}]}");
    world_end(&w);
}

static void a_cancelled_transaction_gives_its_reasons(void)
{
    start();
    CHECK_SAYS(&w, "PutItem", "{" ITEM("a") "}", "{}");
    world_ask(&w, "TransactWriteItems",
              pl_str(ALL("{\"Put\":{" ITEM("z") "}},{\"Put\":{" ITEM(
                  "a") ",\"ConditionExpression\":\"attribute_not_exists(id)\","
                       "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}")));
    CHECK_MSG(
        w.request.status == 400 &&
            strcmp(
                w.text,
                "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"Message\":"
                "\"Transaction cancelled, please refer cancellation reasons for specific reasons [None, "
                "ConditionalCheckFailed]\",\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":"
                "\"ConditionalCheckFailed\",\"Message\":\"The conditional request failed\",\"Item\":{\"id\":"
                "{\"S\":\"a\"}}}]}") == 0,
        "%s", w.text);
    world_ask(&w, "TransactGetItems",
              pl_str(ALL("{\"Get\":{\"TableName\":\"Things\",\"Key\":{\"x\":{\"S\":\"a\"}}}}")));
    CHECK_MSG(strstr(w.text,
                     "\"CancellationReasons\":[{\"Code\":\"ValidationError\",\"Message\":\"The provided key "
                     "element does not match the schema\"}]") != NULL,
              "%s", w.text);
    world_end(&w);
}

static void a_token_makes_a_transaction_happen_once(void)
{
#define ADDING(n)                                                                                            \
    "{\"ClientRequestToken\":\"t\",\"TransactItems\":[{\"Update\":{" KEY(                                    \
        "a") ",\"UpdateExpression\":\"ADD n :n\",\"ExpressionAttributeValues\":{\":n\":{\"N\":\"" n          \
             "\"}}}}]}"
    start();
    CHECK_SAYS(&w, "TransactWriteItems", ADDING("1"), "{}");
    CHECK_SAYS(&w, "TransactWriteItems", ADDING("1"), "{}");
    CHECK_FAILS(&w, "TransactWriteItems", ADDING("2"), "IdempotentParameterMismatchException",
                "\"Message\":");
    CHECK_SAYS(&w, "GetItem", "{" KEY("a") "}", "{\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}}");
    world_end(&w);
}

static void what_is_wrong_with_a_transaction_is_said(void)
{
    static const struct {
        const char *call, *body, *sentence;
    } cases[] = {
        { "TransactWriteItems", ALL(""),
          "\"1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member "
          "must "
          "have length greater than or equal to 1\"" },
        { "TransactWriteItems", ALL("{\"Put\":{" ITEM("a") "},\"Delete\":{" KEY("a") "}}"),
          "\"TransactItems can only contain one of Check, Put, Update or Delete\"" },
        { "TransactWriteItems", ALL("{}"),
          "\"TransactItems can only contain one of Check, Put, Update or Delete\"" },
        { "TransactWriteItems", ALL("{\"Put\":{" ITEM("a") "}},{\"Delete\":{" KEY("a") "}}"),
          "\"Transaction request cannot include multiple operations on one item\"" },
        { "TransactWriteItems", ALL("{\"Update\":{" KEY("a") "}}"),
          "Value null at 'transactItems.1.member.update.updateExpression' failed to satisfy constraint: "
          "Member must "
          "not be null\"" },
        { "TransactWriteItems",
          "{\"ClientRequestToken\":\"1234567890123456789012345678901234567\",\"TransactItems\":[{\"Put\":"
          "{" ITEM("a") "}}]}",
          "at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal "
          "to 36" },
        { "TransactWriteItems",
          ALL("{\"Put\":{" ITEM("a") ",\"ExpressionAttributeValues\":{\":a\":{\"S\":\"\"}}}}"),
          "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is "
          "null" },
        { "TransactGetItems", ALL("{}"),
          "Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member must not be "
          "null" },
    };

    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_FAILS(&w, cases[i].call, cases[i].body, "ValidationException", cases[i].sentence);
    CHECK_FAILS(&w, "TransactGetItems",
                "{\"TransactItems\":[{\"Get\":{\"TableName\":\"None\",\"Key\":{\"id\":{\"S\":\"a\"}}}}]}",
                "ResourceNotFoundException", "\"Requested resource not found\"");
    world_end(&w);
}

int main(void)
{
    RUN(all_is_written_and_read_at_once);
    RUN(a_cancelled_transaction_gives_its_reasons);
    RUN(a_token_makes_a_transaction_happen_once);
    RUN(what_is_wrong_with_a_transaction_is_said);
    return test_summary();
}
