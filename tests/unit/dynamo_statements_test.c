/* SPDX-License-Identifier: MIT */
#include "dynamo_world.h"

static struct world w;

/* Bodies of ExecuteStatement; quotes within PartiQL are written \\\" here. */
#define ASK(statement, more) "{\"Statement\":\"" statement "\"" more "}"
#define PARAMETERS(list)     ",\"Parameters\":[" list "]"

static void start(void)
{
    world_start(&w);
    world_create(&w,
                 "{\"table\":\"Music\",\"partition_key\":\"artist:S\",\"sort_key\":\"song:S\",\"indexes\":{"
                 "\"ByYear\":{\"partition_key\":\"year:N\",\"project\":\"all\"}}}");
    for (int i = 0; i < 6; i++) {
        char body[256];

        snprintf(body, sizeof body,
                 ASK("INSERT INTO \\\"Music\\\" VALUE {'artist':'%c', 'song':'s%d', 'year':%d}", ""),
                 "aab"[i / 2], i, 1990 + i % 3);
        CHECK_SAYS(&w, "ExecuteStatement", body, "{\"Items\":[]}");
    }
}

static void an_insert_does_not_replace(void)
{
    start();
    CHECK_FAILS(&w, "ExecuteStatement", ASK("INSERT INTO Music VALUE {'artist':'a', 'song':'s0'}", ""),
                "DuplicateItemException", "Duplicate primary key exists in table");
    CHECK_SAYS(&w, "ExecuteStatement", ASK("SELECT year FROM Music WHERE artist='a' AND song='s0'", ""),
               "{\"Items\":[{\"year\":{\"N\":\"1990\"}}]}");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("INSERT INTO Music VALUE {'artist':'a'}", ""),
                "ValidationException", "song");
    world_end(&w);
}

static void a_select_queries_where_it_can(void)
{
    start();
    CHECK_SAYS(
        &w, "ExecuteStatement",
        ASK("SELECT song FROM Music WHERE artist=? AND song > 's0' AND year <> 1991 ORDER BY song DESC",
            PARAMETERS("{\"S\":\"a\"}") ",\"ReturnConsumedCapacity\":\"TOTAL\""),
        "{\"Items\":[{\"song\":{\"S\":\"s3\"}},{\"song\":{\"S\":\"s2\"}}],\"ConsumedCapacity\":"
        "{\"TableName\":\"Music\",\"CapacityUnits\":0.5}}");
    CHECK_SAYS(&w, "ExecuteStatement",
               ASK("SELECT artist, song FROM \\\"Music\\\".\\\"ByYear\\\" WHERE year = 1990", ""),
               "{\"Items\":[{\"artist\":{\"S\":\"a\"},\"song\":{\"S\":\"s0\"}},"
               "{\"artist\":{\"S\":\"a\"},\"song\":{\"S\":\"s3\"}}]}");
    /* Keys may be spoken of as freely as anything else. */
    CHECK_SAYS(&w, "ExecuteStatement",
               ASK("SELECT song FROM Music WHERE artist='a' AND (song = 's1' OR song = 's3')", ""),
               "{\"Items\":[{\"song\":{\"S\":\"s1\"}},{\"song\":{\"S\":\"s3\"}}]}");
    CHECK_HOLDS(&w, "ExecuteStatement", ASK("SELECT * FROM Music WHERE year = 1992", ""), "\"s5\"");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("SELECT * FROM Music.Nothing", ""), "ValidationException",
                "The table does not have the specified index");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("SELECT * FROM Nothing", ""), "ResourceNotFoundException",
                "not found");
    CHECK_FAILS(
        &w, "ExecuteStatement", ASK("SELECT * FROM Music.ByYear WHERE year=1990", ",\"ConsistentRead\":true"),
        "ValidationException", "Strongly consistent read is not supported on Global Secondary Indexes");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("SELECT * FROM Music WHERE artist = ?", ""),
                "ValidationException", "Number of parameters in request and statement don't match.");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("SELEKT", ""), "ValidationException",
                "Statement wasn't well formed, can't be processed: ");
    world_end(&w);
}

/* Every page's rows one after the other, by following NextToken. */
static uint32_t read_pages(const char *statement, int limit, char *songs)
{
    static char body[4096], token[2048];
    uint32_t pages = 0;

    token[0] = songs[0] = '\0';
    do {
        const char *said, *at;

        snprintf(body, sizeof body, "{\"Statement\":\"%s\",\"Limit\":%d%s%s%s}", statement, limit,
                 token[0] != '\0' ? ",\"NextToken\":\"" : "", token, token[0] != '\0' ? "\"" : "");
        said = world_ask(&w, "ExecuteStatement", pl_str(body));
        CHECK_MSG(w.request.status == 200, "%s", said);
        for (at = strstr(said, "{\"song\":{\"S\":\""); at != NULL; at = strstr(at + 1, "{\"song\":{\"S\":\""))
            strncat(songs, at + 14, 2);
        at = strstr(said, "\"NextToken\":\"");
        token[0] = '\0';
        if (at != NULL)
            snprintf(token, sizeof token, "%.*s", (int)strcspn(at + 13, "\""), at + 13);
        pages++;
        CHECK(pages < 20);
    } while (token[0] != '\0');
    return pages;
}

static void pages_follow_each_other_over_partitions(void)
{
    char songs[256];

    start();
    for (int limit = 1; limit < 8; limit++) {
        read_pages("SELECT song FROM Music WHERE artist IN ['a', 'nobody', 'b']", limit, songs);
        CHECK_MSG(strcmp(songs, "s0s1s2s3s4s5") == 0, "limit %d: %s", limit, songs);
        read_pages("SELECT song FROM Music WHERE artist = 'b' OR artist = 'a'", limit, songs);
        CHECK_MSG(strcmp(songs, "s4s5s0s1s2s3") == 0, "limit %d: %s", limit, songs);
        read_pages("SELECT song FROM Music", limit, songs);
        CHECK(strlen(songs) == 12);
    }
    CHECK_FAILS(&w, "ExecuteStatement", ASK("SELECT song FROM Music", ",\"NextToken\":\"AAAA\""),
                "ValidationException", "Invalid NextToken");
    world_end(&w);
}

/* A token says what it belongs to. */
static void a_token_of_another_statement_is_refused(void)
{
    static char body[4096];
    const char *answer;
    char *token;

    start();
    answer = world_ask(&w, "ExecuteStatement",
                       pl_str(ASK("SELECT song FROM Music WHERE artist = 'a'", ",\"Limit\":1")));
    token = strstr(answer, "\"NextToken\":\"");
    CHECK(token != NULL);
    snprintf(body, sizeof body, ASK("SELECT song FROM Music WHERE artist = 'b'", ",\"NextToken\":\"%.*s\""),
             (int)strcspn(token + 13, "\""), token + 13);
    CHECK_FAILS(&w, "ExecuteStatement", body, "ValidationException", "NextToken does not match request");
    world_end(&w);
}

static void writes_happen_by_their_where(void)
{
    start();
    CHECK_SAYS(&w, "ExecuteStatement",
               ASK("UPDATE Music SET plays = 1 SET year = year + 1 WHERE artist='a' AND song='s0' "
                   "RETURNING MODIFIED NEW *",
                   ""),
               "{\"Items\":[{\"plays\":{\"N\":\"1\"},\"year\":{\"N\":\"1991\"}}]}");
    CHECK_FAILS(&w, "ExecuteStatement",
                ASK("UPDATE Music SET plays = 1 WHERE artist='a' AND song='none'", ""),
                "ConditionalCheckFailedException", "The conditional request failed");
    CHECK_FAILS(&w, "ExecuteStatement",
                ASK("UPDATE Music SET plays = 1 WHERE artist='a' AND song='s0' AND plays = 7",
                    ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\""),
                "ConditionalCheckFailedException",
                "\"Item\":{\"artist\":{\"S\":\"a\"},\"plays\":{\"N\":\"1\"}");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("UPDATE Music SET plays = 1 WHERE artist='a'", ""),
                "ValidationException",
                "Where clause does not contain a mandatory equality on all key attributes");
    CHECK_FAILS(&w, "ExecuteStatement", ASK("UPDATE Music SET song = 'x' WHERE artist='a' AND song='s0'", ""),
                "ValidationException", "song");
    CHECK_SAYS(&w, "ExecuteStatement",
               ASK("DELETE FROM Music WHERE artist='a' AND song='s0' RETURNING ALL OLD *", ""),
               "{\"Items\":[{\"artist\":{\"S\":\"a\"},\"plays\":{\"N\":\"1\"},\"song\":{\"S\":\"s0\"},"
               "\"year\":{\"N\":\"1991\"}}]}");
    CHECK_SAYS(&w, "ExecuteStatement",
               ASK("DELETE FROM Music WHERE artist='a' AND song='s0' AND year = 3", ""), "{\"Items\":[]}");
    CHECK_FAILS(&w, "ExecuteStatement",
                ASK("DELETE FROM Music WHERE artist='a' AND song='s1' AND year = 3", ""),
                "ConditionalCheckFailedException", "The conditional request failed");
    world_end(&w);
}

static void a_batch_answers_each_statement_in_its_place(void)
{
    start();
    CHECK_SAYS(
        &w, "BatchExecuteStatement",
        "{\"Statements\":[{\"Statement\":\"SELECT song, year FROM Music WHERE artist='a' AND song='s1'\"},"
        "{\"Statement\":\"SELECT * FROM Music WHERE artist='a'\"},"
        "{\"Statement\":\"SELECT * FROM Music WHERE artist='a' AND song=?\","
        "\"Parameters\":[{\"S\":\"none\"}]},"
        "{\"Statement\":\"SELECT song FROM Music WHERE artist='a' AND song='s2' AND year = 3\"},"
        "{\"Statement\":\"nonsense\"},{\"Statement\":\"SELECT * FROM Nowhere WHERE a = 1\"}],"
        "\"ReturnConsumedCapacity\":\"TOTAL\"}",
        "{\"Responses\":[{\"TableName\":\"Music\",\"Item\":{\"song\":{\"S\":\"s1\"},\"year\":{\"N\":\"1991\"}"
        "}},"
        "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Select statements within "
        "BatchExecuteStatement must specify the primary key in the where clause.\"},\"TableName\":\"Music\"},"
        "{\"TableName\":\"Music\"},{\"TableName\":\"Music\"},"
        "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Statement wasn't well formed, can't be "
        "processed: expected SELECT, INSERT, UPDATE, DELETE or EXISTS at column 1, found nonsense\"}},"
        "{\"Error\":{\"Code\":\"ResourceNotFound\",\"Message\":\"Requested resource not "
        "found\"},\"TableName\":\"Nowhere\"}],"
        "\"ConsumedCapacity\":[{\"TableName\":\"Music\",\"CapacityUnits\":1.5}]}");
    CHECK_SAYS(
        &w, "BatchExecuteStatement",
        "{\"Statements\":[{\"Statement\":\"INSERT INTO Music VALUE {'artist':'c','song':'x'}\"},"
        "{\"Statement\":\"INSERT INTO Music VALUE {'artist':'c','song':'x'}\"},"
        "{\"Statement\":\"DELETE FROM Music WHERE artist='a' AND song='s1' AND year = 1\"}]}",
        "{\"Responses\":[{\"TableName\":\"Music\"},{\"Error\":{\"Code\":\"DuplicateItem\",\"Message\":"
        "\"Duplicate primary key exists in table\"},\"TableName\":\"Music\"},"
        "{\"Error\":{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The conditional request failed\"},"
        "\"TableName\":\"Music\"}]}");
    CHECK_FAILS(&w, "BatchExecuteStatement",
                "{\"Statements\":[{\"Statement\":\"SELECT * FROM Music WHERE artist='a' AND song='s1'\"},"
                "{\"Statement\":\"DELETE FROM Music WHERE artist='a' AND song='s1'\"}]}",
                "ValidationException", "all reads or all writes");
    world_end(&w);
}

static void a_transaction_of_statements_is_one_moment(void)
{
    const char *moves =
        "{\"ClientRequestToken\":\"t1\",\"TransactStatements\":["
        "{\"Statement\":\"UPDATE Music SET n = ? WHERE artist='a' AND song='s0'\","
        "\"Parameters\":[{\"N\":\"5\"}]},"
        "{\"Statement\":\"INSERT INTO Music VALUE {'artist':'t','song':'x'}\"},"
        "{\"Statement\":\"EXISTS(SELECT * FROM Music WHERE artist='a' AND song='s1' AND year = "
        "1991)\"}]}";

    start();
    CHECK_SAYS(&w, "ExecuteTransaction", moves, "{\"Responses\":[]}");
    CHECK_SAYS(&w, "ExecuteTransaction", moves, "{\"Responses\":[]}"); /* by its token */
    CHECK_FAILS(&w, "ExecuteTransaction",
                "{\"ClientRequestToken\":\"t1\",\"TransactStatements\":["
                "{\"Statement\":\"UPDATE Music SET n = ? WHERE artist='a' AND song='s0'\","
                "\"Parameters\":[{\"N\":\"6\"}]}]}",
                "IdempotentParameterMismatchException", "");
    CHECK_FAILS(&w, "ExecuteTransaction",
                "{\"TransactStatements\":["
                "{\"Statement\":\"UPDATE Music SET n = 9 WHERE artist='a' AND song='s0'\"},"
                "{\"Statement\":\"DELETE FROM Music WHERE artist='a' AND song='s1' AND year = 1\"}]}",
                "TransactionCanceledException",
                "\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"ConditionalCheckFailed\"");
    CHECK_SAYS(
        &w, "ExecuteTransaction",
        "{\"TransactStatements\":[{\"Statement\":\"SELECT n FROM Music WHERE artist='a' AND song='s0'\"},"
        "{\"Statement\":\"SELECT n FROM Music WHERE artist='a' AND song='none'\"}]}",
        "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"5\"}}},{}]}");
    CHECK_FAILS(&w, "ExecuteTransaction",
                "{\"TransactStatements\":[{\"Statement\":\"DELETE FROM Music WHERE artist='a' AND song='s1' "
                "RETURNING ALL OLD *\"}]}",
                "ValidationException",
                "Validation failed in TransactStatements[0]: RETURNING clause is not supported in "
                "ExecuteTransaction.");
    CHECK_FAILS(&w, "ExecuteTransaction",
                "{\"TransactStatements\":[{\"Statement\":\"SELECT * FROM Music.ByYear WHERE year = 1\"}]}",
                "ValidationException",
                "Validation failed in TransactStatements[0]: Reads on indices are not supported within "
                "transactions.");
    world_end(&w);
}

int main(void)
{
    RUN(an_insert_does_not_replace);
    RUN(a_select_queries_where_it_can);
    RUN(pages_follow_each_other_over_partitions);
    RUN(a_token_of_another_statement_is_refused);
    RUN(writes_happen_by_their_where);
    RUN(a_batch_answers_each_statement_in_its_place);
    RUN(a_transaction_of_statements_is_one_moment);
    return test_summary();
}
