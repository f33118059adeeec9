/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/stream_names.h"

#include "dynamo_world.h"

static struct world w;

#define STREAMS "DynamoDBStreams_20120810."

/* The text of a member of the last answer: good until the next of it. */
static const char *member(const char *name)
{
    static char text[512];
    char mark[64];
    const char *at;

    snprintf(mark, sizeof mark, "\"%s\":\"", name);
    at = strstr(w.text, mark);
    CHECK_MSG(at != NULL, "no %s in %s", name, w.text);
    at += strlen(mark);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\""), at);
    return text;
}

static void ask_with(const char *call, const char *format, const char *a, const char *b)
{
    char body[1024];

    snprintf(body, sizeof body, format, a, b);
    world_ask(&w, call, pl_str(body));
    CHECK_MSG(w.request.status == 200, "%s", w.text);
}

static char arn[256];

static void start(void)
{
    world_start(&w);
    world_create(&w, "{\"table\":\"Things\",\"partition_key\":\"p:S\",\"stream\":\"new_and_old_images\"}");
    world_create(&w, "{\"table\":\"Quiet\",\"partition_key\":\"p:S\"}");
    world_ask(&w, STREAMS "ListStreams", pl_str("{}"));
    snprintf(arn, sizeof arn, "%s", member("StreamArn"));
}

/* The records of every shard from its beginning, and how many there are. */
static int gather(struct pl_buf *out)
{
    int count = 0;

    for (int p = 0; p < 64; p++) {
        char id[80], iterator[512];
        const char *at;
        uint32_t stream_id;

        ask_with(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\"}%s", arn, "");
        CHECK(sscanf(member("ShardId"), "shardId-%*[0-9]-%x", &stream_id) == 1);
        snprintf(id, sizeof id, "shardId-%020d-%08x", p, stream_id);
        ask_with(STREAMS "GetShardIterator",
                 "{\"StreamArn\":\"%s\",\"ShardId\":\"%s\",\"ShardIteratorType\":\"TRIM_HORIZON\"}", arn, id);
        snprintf(iterator, sizeof iterator, "%s", member("ShardIterator"));
        ask_with(STREAMS "GetRecords", "{\"ShardIterator\":\"%s\"}%s", iterator, "");
        for (at = w.text; (at = strstr(at, "\"eventID\"")) != NULL; at++)
            count++;
        pl_buf_append_bytes(out, pl_str(w.text));
        pl_buf_append_byte(out, '\n');
    }
    return count;
}

static void streams_are_listed_and_described(void)
{
    start();
    CHECK(strstr(w.text, "Quiet") == NULL);
    CHECK(strncmp(arn, "arn:aws:dynamodb:us-east-1:000000000000:table/Things/stream/20", 62) == 0);
    ask_with(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\",\"Limit\":2}%s", arn, "");
    CHECK_MSG(strstr(w.text, "\"StreamStatus\":\"ENABLED\",\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"") !=
                  NULL,
              "%s", w.text);
    CHECK(strstr(w.text,
                 "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}],\"Shards\":[{\"ShardId\":"
                 "\"shardId-00000000000000000000-") != NULL);
    CHECK(strncmp(member("LastEvaluatedShardId"), "shardId-00000000000000000001-", 29) == 0);
    ask_with(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\"}%s", arn, "");
    CHECK(strstr(w.text, "LastEvaluatedShardId") == NULL);
    world_end(&w);
}

static void each_change_has_its_record(void)
{
    struct pl_buf all = { 0 };
    const char *text;
    int count;

    start();
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}}}",
               "{}");
    CHECK_SAYS(&w, "PutItem",
               "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"1.0\"}}}", "{}");
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"2\"}}}",
               "{}");
    CHECK_SAYS(&w, "DeleteItem", "{\"TableName\":\"Things\",\"Key\":{\"p\":{\"S\":\"a\"}}}", "{}");
    count = gather(&all);
    pl_buf_append_byte(&all, 0);
    text = all.data;
    CHECK_MSG(count == 3, "%d", count);
    CHECK_MSG(strstr(text, "\"eventName\":\"INSERT\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:"
                           "dynamodb\",\"awsRegion\":"
                           "\"us-east-1\",\"dynamodb\":{\"ApproximateCreationDateTime\":") != NULL,
              "%s", text);
    CHECK(strstr(text, "\"Keys\":{\"p\":{\"S\":\"a\"}},\"NewImage\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"2\"}}"
                       ",\"OldImage\":{"
                       "\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}},\"SequenceNumber\":\"1000") != NULL);
    CHECK(strstr(text, "\"eventName\":\"REMOVE\"") != NULL);
    pl_buf_deinit(&all);
    world_end(&w);
}

/* Switched off, on and dropped: what it told stays readable, and comes to an end. */
static void a_closed_stream_is_listed_and_read_to_its_end(void)
{
    struct pl_buf all = { 0 };
    char first[256];

    start();
    CHECK_SAYS(&w, "PutItem", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\"}}}", "{}");
    CHECK_HOLDS(&w, "UpdateTable",
                "{\"TableName\":\"Things\",\"StreamSpecification\":{\"StreamEnabled\":false}}", "Things");
    ask_with(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\"}%s", arn, "");
    CHECK_MSG(strstr(w.text, "\"StreamStatus\":\"DISABLED\"") != NULL, "%s", w.text);
    CHECK(gather(&all) == 1);
    pl_buf_append_byte(&all, 0);
    CHECK(strstr(all.data, "\"eventName\":\"INSERT\"") != NULL);
    /* One page has the record and a next one; the others are at their end. */
    CHECK(strstr(all.data, "NextShardIterator") != NULL &&
          strstr(strstr(all.data, "NextShardIterator") + 1, "NextShardIterator") == NULL);
    snprintf(first, sizeof first, "%s", arn);
    CHECK_HOLDS(&w, "UpdateTable",
                "{\"TableName\":\"Things\",\"StreamSpecification\":{\"StreamEnabled\":true,"
                "\"StreamViewType\":\"KEYS_ONLY\"}}",
                "Things");
    ask_with(STREAMS "ListStreams", "{\"TableName\":\"Things\",\"Limit\":1}%s%s", "", "");
    CHECK(strcmp(member("LastEvaluatedStreamArn"), first) == 0);
    ask_with(STREAMS "ListStreams", "{\"ExclusiveStartStreamArn\":\"%s\"}%s", first, "");
    CHECK(strcmp(member("StreamArn"), first) != 0 && strstr(w.text, "LastEvaluated") == NULL);
    CHECK_HOLDS(&w, "DeleteTable", "{\"TableName\":\"Things\"}", "DELETING");
    CHECK(gather(&all) == 1);
    pl_buf_deinit(&all);
    world_end(&w);
}

static void what_is_wrong_with_a_stream_is_said(void)
{
    char body[512];

    start();
    CHECK_FAILS(&w, STREAMS "DescribeStream",
                "{\"StreamArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things/stream/"
                "2015-05-11T21:21:33.291\"}",
                "ResourceNotFoundException", "Requested resource not found: Stream: arn:aws:");
    CHECK_FAILS(&w, STREAMS "DescribeStream",
                "{\"StreamArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"}",
                "ValidationException", "Invalid StreamArn");
    CHECK_FAILS(&w, STREAMS "GetRecords", "{\"ShardIterator\":\"x\"}", "ValidationException",
                "Invalid ShardIterator");
    snprintf(body, sizeof body, "{\"ShardIterator\":\"%s|1|0.0.1\"}", arn);
    CHECK_FAILS(&w, STREAMS "GetRecords", body, "ExpiredIteratorException", "Iterator expired");
    CHECK_FAILS(&w, "GetRecords", body, "UnknownOperationException", "");
    snprintf(body, sizeof body,
             "{\"StreamArn\":\"%s\",\"ShardId\":\"shardId-00000000000000000000-99999999\","
             "\"ShardIteratorType\":\"LATEST\"}",
             arn);
    CHECK_FAILS(&w, STREAMS "GetShardIterator", body, "ResourceNotFoundException",
                "Requested resource not found");
    world_end(&w);
}

static void names_are_read_back(void)
{
    struct pl_buf text = { 0 };
    struct pl_dynamo_iterator iterator;
    uint64_t sequence;
    uint16_t partition;

    pl_dynamo_sequence_write(&text, UINT64_MAX);
    CHECK(pl_dynamo_sequence_read(pl_buf_view(&text), &sequence) && sequence == UINT64_MAX);
    CHECK(!pl_dynamo_sequence_read(pl_str("199999999999999999999"), &sequence));
    CHECK(!pl_dynamo_sequence_read(pl_str("100000000000000000000"), &sequence));
    pl_buf_clear(&text);
    pl_dynamo_shard_id_write(&text, 7, 4095);
    CHECK(pl_dynamo_shard_id_read(pl_buf_view(&text), 7, &partition) && partition == 4095);
    CHECK(!pl_dynamo_shard_id_read(pl_buf_view(&text), 8, &partition));
    CHECK(!pl_dynamo_shard_id_read(pl_str("shardId-1-00000007"), 7, &partition));
    CHECK(!pl_dynamo_iterator_read(pl_str("arn|1|70000.1.1"), &iterator));
    CHECK(!pl_dynamo_iterator_read(pl_str("arn|1|1.18446744073709551615.1"), &iterator));
    CHECK(pl_dynamo_iterator_read(pl_str("arn|1|1.2.3"), &iterator) && iterator.partition == 1 &&
          iterator.position == 2 && iterator.made_ms == 3);
    pl_buf_deinit(&text);
}

int main(void)
{
    RUN(streams_are_listed_and_described);
    RUN(each_change_has_its_record);
    RUN(a_closed_stream_is_listed_and_read_to_its_end);
    RUN(what_is_wrong_with_a_stream_is_said);
    RUN(names_are_read_back);
    return test_summary();
}
