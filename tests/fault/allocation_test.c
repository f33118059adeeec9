/* SPDX-License-Identifier: MIT */
#include "failing_libraries.h"
#include "rig.h"
#include "stock.h"

/*
 * Every allocation of every operation fails in turn, once or with all after it. The answer is an error that
 * is true: the state is what it was before (PL_EUNSURE: or what it was to become), nothing is leaked, and
 * the next request is served. What our libraries allocate inside is made to fail where we call them.
 */

/* ---- one operation after the other ------------------------------------------------------------------ */

enum { UNDO_MAX = 4, ROUNDS_CLOSE = 200, TOKEN_LIFE_MS = 10 * 60 * 1000 };

struct example {
    const char *undo[UNDO_MAX]; /* bring the state back to where the example starts; may fail */
    const char *line;           /* `%s` stands for a long key */
    bool loose;                 /* the reply holds times or versions */
    bool parts;                 /* not all or nothing: some of it may be done, and the reply says how much */
};

static const struct example examples[] = {
    { { NULL }, "GET Messages {\"ChatID\":\"c1\",\"MsgID\":\"001\"}", false },
    { { NULL }, "GET Messages {\"ChatID\":\"c1\",\"MsgID\":\"001\"} SELECT Text, UserID CONSISTENT", false },
    { { NULL }, "GET Long {\"P\":\"p\",\"S\":\"%s3\"}", false },
    { { NULL }, "SCAN Messages", false },
    { { NULL }, "SCAN Messages FILTER contains(Text, \"1\") AND size(Text) > 5 SELECT MsgID LIMIT 9", false },
    { { NULL }, "SCAN Messages SEGMENT 1 OF 2", false },
    { { NULL }, "SCAN Messages/ByTag", false },
    { { NULL }, "SCAN Long/ByName", false },
    { { NULL }, "COUNT Messages WHERE ChatID = \"c1\"", false },
    { { NULL }, "QUERY Messages WHERE ChatID = \"c1\" AND MsgID BETWEEN \"001\" AND \"010\"", false },
    { { NULL }, "QUERY Messages WHERE ChatID = \"c1\" LIMIT 2 DESC", false },
    { { NULL },
      "QUERY Messages WHERE ChatID = \"c1\" AFTER {\"ChatID\":\"c1\",\"MsgID\":\"004\"} DESC",
      false },
    { { NULL }, "QUERY Messages/ByUser WHERE UserID = \"u1\" AND ChatID > \"c0\" FILTER Likes = 7", false },
    { { NULL }, "QUERY Messages/ByLikes WHERE ChatID = \"c0\" AND Likes = 7 SELECT Text", false },
    { { NULL }, "QUERY Messages/ByLikes WHERE ChatID = \"c0\" DESC", false },
    { { NULL }, "QUERY Long WHERE P = \"p\" AND S > \"%s1\"", false },
    { { NULL }, "QUERY Long WHERE P = \"p\" AND S < \"%s4\" DESC LIMIT 2", false },
    { { NULL }, "QUERY Long/ByName WHERE Name = \"n0\" DESC", false },
    { { NULL },
      "BATCH GET {\"Messages\":[{\"ChatID\":\"c1\",\"MsgID\":\"001\"},{\"ChatID\":\"c2\",\"MsgID\":\"002\"}],"
      "\"Scratch\":[{\"Id\":\"none\"}]}",
      false },
    { { NULL }, "DESCRIBE Messages", true },
    { { "DEL Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\"}" },
      "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\",\"UserID\":\"u9\",\"Likes\":1,\"Tag\":\"t\"} "
      "IF attribute_not_exists(MsgID)",
      false },
    { { "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\",\"UserID\":\"u9\",\"Likes\":1,\"Tag\":\"t\"}" },
      "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\",\"UserID\":\"u8\",\"Likes\":2} RETURN ALL_OLD",
      false },
    { { NULL },
      "PUT Messages {\"ChatID\":\"c1\",\"MsgID\":\"001\"} IF attribute_not_exists(MsgID) ELSE ALL_OLD",
      false },
    { { "DEL Long {\"P\":\"p\",\"S\":\"%s7\"}" },
      "PUT Long {\"P\":\"p\",\"S\":\"%s7\",\"Name\":\"n1\"}",
      false },
    { { "PUT Long {\"P\":\"p\",\"S\":\"%s1\",\"Name\":\"n1\"}" },
      "UPDATE Long {\"P\":\"p\",\"S\":\"%s1\"} SET Name = \"n0\" RETURN UPDATED_OLD",
      false },
    { { "PUT Long {\"P\":\"p\",\"S\":\"%s1\",\"Name\":\"n1\",\"T\":0}" },
      "UPDATE Long {\"P\":\"p\",\"S\":\"%s1\"} SET T = 1",
      false },
    { { "PUT Long {\"P\":\"p\",\"S\":\"%s1\",\"Name\":\"n1\",\"T\":0}" },
      "DEL Long {\"P\":\"p\",\"S\":\"%s1\"}",
      false },
    { { "PUT Scratch {\"Id\":\"x\",\"L\":[1],\"M\":{\"a\":1}}" },
      "UPDATE Scratch {\"Id\":\"x\"} SET N = if_not_exists(N, 4) + 1, L = list_append(L, [2]), M.b = 3 "
      "REMOVE M.a "
      "IF attribute_exists(L) RETURN ALL_NEW",
      false },
    { { "PUT Scratch {\"Id\":\"x\",\"L\":[1],\"M\":{\"a\":1}}" },
      "UPDATE Scratch {\"Id\":\"x\"} SET L[0] = 5 RETURN UPDATED_NEW",
      false },
    { { "PUT Scratch {\"Id\":\"x\",\"N\":1}" },
      "UPDATE Scratch {\"Id\":\"x\"} ADD N 5 RETURN ALL_OLD",
      false },
    { { "DEL Scratch {\"Id\":\"y\"}" }, "UPDATE Scratch {\"Id\":\"y\"} SET A = 1", false },
    { { "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"2\",\"UserID\":\"u1\",\"Likes\":1,\"Tag\":\"t\"}" },
      "UPDATE Messages {\"ChatID\":\"c9\",\"MsgID\":\"2\"} SET UserID = \"u2\", Likes = Likes + 1 REMOVE Tag",
      false },
    { { "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"2\",\"UserID\":\"u1\",\"Likes\":1,\"Tag\":\"t\"}" },
      "DEL Messages {\"ChatID\":\"c9\",\"MsgID\":\"2\"} IF Likes = 1 RETURN ALL_OLD",
      false },
    { { "PUT Scratch {\"Id\":\"b2\"}", "DEL Scratch {\"Id\":\"b1\"}" },
      "BATCH WRITE {\"Scratch\":{\"put\":[{\"Id\":\"b1\"}],\"delete\":[{\"Id\":\"b2\"}]}}",
      false,
      true },
    { { "DROP Fresh" },
      "CREATE Fresh "
      "{\"partition_key\":\"Id:S\",\"indexes\":{\"ByA\":{\"partition_key\":\"A:N\"}},\"ttl\":\"T\"}",
      true },
    { { "CREATE Fresh {\"partition_key\":\"Id:S\",\"indexes\":{\"ByA\":{\"partition_key\":\"A:N\"}}}",
        "PUT Fresh {\"Id\":\"1\",\"A\":1}", "PUT Fresh {\"Id\":\"2\",\"A\":2}" },
      "DROP Fresh",
      true },
    { { "ALTER Messages {\"indexes\":{\"ByText\":null}}" },
      "ALTER Messages {\"indexes\":{\"ByText\":{\"partition_key\":\"Text:S\",\"project\":[\"Likes\"]}}}",
      true },
    { { "ALTER Messages {\"indexes\":{\"ByText\":{\"partition_key\":\"Text:S\",\"project\":\"all\"}}}" },
      "ALTER Messages {\"indexes\":{\"ByText\":null}}",
      true },
    { { "ALTER Messages {\"ttl\":\"Likes\"}" }, "ALTER Messages {\"ttl\":null}", true },
    { { "ALTER Messages {\"ttl\":\"MsgID\"}" }, "ALTER Messages {\"ttl\":\"Likes\"}", true },
    { { "ALTER Scratch {\"ttl\":null}" }, "ALTER Scratch {\"ttl\":\"T\",\"stream\":\"keys_only\"}", true },
    { { "DROP Fresh", "CREATE Fresh {\"partition_key\":\"Id:S\",\"sort_key\":\"K:N\"}",
        "PUT Fresh {\"Id\":\"1\",\"K\":1,\"L\":1}", "PUT Fresh {\"Id\":\"1\",\"K\":2,\"L\":1}" },
      "ALTER Fresh "
      "{\"throughput\":{\"read\":1000,\"write\":1000},\"indexes\":{\"ByL\":{\"sort_key\":\"L:N\"},"
      "\"ByK\":{\"partition_key\":\"K:N\",\"throughput\":{\"read\":1000,\"write\":1000}}}}",
      true },
    { { NULL }, "ALTER Messages {\"partition_key\":\"Other:S\"}", false },
    { { "DEL Guarded {\"Id\":\"g\"}" },
      "PUT Guarded {\"Id\":\"g\",\"Text\":\"some words\",\"Owner\":\"ann\"}",
      false },
    { { "DEL Guarded {\"Id\":\"h\"}",
        "PUT Guarded {\"Id\":\"h\",\"Text\":\"some words\",\"Owner\":\"ann\"}" },
      "UPDATE Guarded {\"Id\":\"h\"} SET Text = \"more of it\" IF @owner {\"user\":\"ann\"} RETURN ALL_NEW",
      false },
    { { "DEL Guarded {\"Id\":\"i\"}",
        "PUT Guarded {\"Id\":\"i\",\"Text\":\"other words\",\"Owner\":\"ann\"}" },
      "DEL Guarded {\"Id\":\"i\"} IF @owner {\"user\":\"bob\"} ELSE ALL_OLD",
      false },
    { { NULL }, "PUT Guarded {\"Id\":\"j\",\"Text\":\"no\"}", false },
    { { NULL },
      "TRANSACT [{\"get\":\"Messages\",\"key\":{\"ChatID\":\"c1\",\"MsgID\":\"001\"},\"project\":\"UserID, "
      "Likes\"},"
      "{\"get\":\"Long\",\"key\":{\"P\":\"p\",\"S\":\"%s3\"}},{\"get\":\"Scratch\",\"key\":{\"Id\":"
      "\"nobody\"}}] "
      "CAPACITY TOTAL",
      false },
    { { "PUT Long {\"P\":\"p\",\"S\":\"%s0\",\"Name\":\"n0\"}", "DEL Long {\"P\":\"p\",\"S\":\"%s8\"}",
        "PUT Scratch {\"Id\":\"w\",\"N\":1}",
        "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"3\",\"UserID\":\"u1\",\"Likes\":1,\"Tag\":\"t\"}" },
      "TRANSACT [{\"put\":\"Long\",\"item\":{\"P\":\"p\",\"S\":\"%1$s8\",\"Name\":\"n0\"}},"
      "{\"delete\":\"Long\",\"key\":{\"P\":\"p\",\"S\":\"%1$s0\"}},"
      "{\"update\":\"Scratch\",\"key\":{\"Id\":\"w\"},\"set\":\"SET N = N + 1\",\"if\":\"N = 1\"},"
      "{\"update\":\"Messages\",\"key\":{\"ChatID\":\"c9\",\"MsgID\":\"3\"},\"set\":\"SET UserID = :u REMOVE "
      "Tag\","
      "\"values\":{\":u\":\"u2\"}},"
      "{\"check\":\"Messages\",\"key\":{\"ChatID\":\"c1\",\"MsgID\":\"001\"},\"if\":\"attribute_exists(Text)"
      "\"}] "
      "CAPACITY INDEXES",
      false },
    { { NULL },
      "TRANSACT [{\"put\":\"Long\",\"item\":{\"P\":\"p\",\"S\":\"%s9\"}},"
      "{\"delete\":\"Messages\",\"key\":{\"ChatID\":\"c1\",\"MsgID\":\"001\"},\"if\":\"Likes = "
      "99\",\"else\":\"ALL_OLD\"},"
      "{\"put\":\"Scratch\",\"item\":{\"Id\":\"v\"}}]",
      false },
    { { "PUT Scratch {\"Id\":\"t\",\"N\":1}", "DEL Long {\"P\":\"p\",\"S\":\"%s8\"}" },
      "TRANSACT TOKEN \"once\" [{\"update\":\"Scratch\",\"key\":{\"Id\":\"t\"},\"set\":\"ADD #n :v\","
      "\"names\":{\"#n\":\"N\"},\"values\":{\":v\":1}},{\"put\":\"Long\",\"item\":{\"P\":\"p\",\"S\":\"%s8\"}"
      "}]",
      false },
    { { "DEL Guarded {\"Id\":\"g\"}" },
      "TRANSACT [{\"put\":\"Guarded\",\"item\":{\"Id\":\"g\",\"Text\":\"some "
      "words\",\"Owner\":\"ann\"},\"if\":\"@owner\","
      "\"args\":{\"user\":\"ann\"}}]",
      false },
    { { NULL }, "CHECK", false },
    { { "PUT Scratch {\"Id\":\"z\",\"N\":1}" }, "RELOAD", true },
};

/* An example under way. */
struct trial {
    struct rig *rig;
    const struct example *example;
    char line[4096];
    struct pl_buf before, after, now, reply;
    int rc;
    bool due;  /* a checkpoint is, too */
    bool cold; /* the engine has just been opened, and has no memory of earlier requests to use again */
};

static bool has_token(const struct trial *t)
{
    return strstr(t->line, "TOKEN") != NULL;
}

static void restore(struct trial *t)
{
    char line[4096];

    rig_pass_ms(t->rig, has_token(t) ? TOKEN_LIFE_MS : 1500);
    for (int i = 0; i < UNDO_MAX && t->example->undo[i] != NULL; i++)
        rig_ask(t->rig, stock_stretch(t->example->undo[i], line, sizeof line));
    /* The state has two sides: whatever of it waits for memory or room is done by the next write. */
    rig_must(t->rig, "PUT Scratch {\"Id\":\"next\"}");
    if (t->due)
        rig_pass_ms(t->rig, 6000);
    if (t->cold) {
        rig_close(t->rig);
        CHECK_MSG(rig_open(t->rig) == 0, "%s", t->rig->why.text);
    }
    pl_operation_deinit(&t->rig->op);
    pl_buf_deinit(&t->rig->reply);
}

static bool same(const struct pl_buf *a, const struct pl_buf *b)
{
    return pl_bytes_equal(pl_buf_view(a), pl_buf_view(b));
}

static void calibrate(struct trial *t)
{
    restore(t);
    CHECK(rig_dump(t->rig, &t->before) == 0);
    t->rc = rig_ask(t->rig, t->line);
    pl_buf_append_bytes(&t->reply, pl_buf_view(&t->rig->reply));
    rig_must(t->rig, "PUT Scratch {\"Id\":\"next\"}");
    CHECK(rig_dump(t->rig, &t->after) == 0);
    CHECK_MSG(memmem(t->after.data, t->after.len, "the stream is not", 17) == NULL, "%.*s", (int)t->after.len,
              t->after.data);
}

static void judge(struct trial *t, int rc, long n, bool failed)
{
    bool said_so = strstr(t->rig->op.reply.why.text, "were done") != NULL;

    if (rc == 0 && t->rc == 0 && !t->example->loose && pl_buf_status(&t->rig->reply) == 0)
        CHECK_MSG(same(&t->rig->reply, &t->reply), "n %ld: %s: %.*s", n, t->line, (int)t->rig->reply.len,
                  t->rig->reply.data);
    if (!failed)
        CHECK_MSG(rc == t->rc, "n %ld: %s: %s", n, t->line, pl_error_name(rc));
    rig_pass_ms(t->rig, 1500);
    rig_must(t->rig, "GET Messages {\"ChatID\":\"c1\",\"MsgID\":\"001\"}");
    rig_must(t->rig, "PUT Scratch {\"Id\":\"next\"}");
    CHECK(rig_dump(t->rig, &t->now) == 0);
    if (rc == 0)
        CHECK_MSG(same(&t->now, &t->after), "n %ld: %s: done, but the state is\n%.*s", n, t->line,
                  (int)t->now.len, t->now.data);
    else if (t->example->parts)
        CHECK_MSG(same(&t->now, &t->before) || said_so, "n %ld: %s: half done", n, t->line);
    else if (rc == PL_EUNSURE)
        CHECK_MSG(same(&t->now, &t->after) || same(&t->now, &t->before), "n %ld: %s: half done", n, t->line);
    else
        CHECK_MSG(same(&t->now, &t->before), "n %ld: %s: %s, but the state is\n%.*s", n, t->line,
                  pl_error_name(rc), (int)t->now.len, t->now.data);
}

/* Whatever became of the first: the request is done once, and stays so. */
static void ask_again(struct trial *t, long n)
{
    for (int i = 0; i < 2; i++)
        CHECK_MSG(rig_ask(t->rig, t->line) == 0, "n %ld: %s: asked again: %s", n, t->line,
                  t->rig->op.reply.why.text);
    CHECK(rig_dump(t->rig, &t->now) == 0);
    CHECK_MSG(same(&t->now, &t->after), "n %ld: %s: asked again, the state is\n%.*s", n, t->line,
              (int)t->now.len, t->now.data);
}

static void sweep(struct trial *t, bool for_good)
{
    long n = 0, rounds = 0;

    while (n == 0 || allocation_has_failed) {
        int rc;
        bool failed;

        restore(t);
        allocation_has_failed = true; /* the restoring is none of the sweep's business */
        allocation_failing(n, for_good);
        rc = rig_ask(t->rig, t->line);
        failed = allocation_failed();
        judge(t, rc, n, failed);
        if (has_token(t))
            ask_again(t, n);
        allocation_has_failed = failed;
        /* Loading Lua takes thousands: close together first, then ever further apart. */
        n += 1 + n / ROUNDS_CLOSE * (n / ROUNDS_CLOSE);
        rounds++;
    }
    allocation_has_failed = false;
    rig_must(t->rig, "CHECK");
    CHECK_MSG(memmem(t->rig->reply.data, t->rig->reply.len, "\"ok\":true", 9) != NULL, "%s: %.*s", t->line,
              (int)t->rig->reply.len, t->rig->reply.data);
    CHECK(__lsan_do_recoverable_leak_check == NULL || __lsan_do_recoverable_leak_check() == 0);
    if (getenv("PL_VERBOSE") != NULL)
        printf("%5ld rounds to %ld, %s, %s%s%s: %.80s\n", rounds, n, t->rc == 0 ? "OK" : pl_error_name(t->rc),
               for_good ? "for good" : "once", t->due ? ", checkpoint" : "", t->cold ? ", cold" : "",
               t->line);
}

static void try_example(struct rig *rig, const struct example *example, bool due)
{
    struct trial t = { .rig = rig, .example = example, .due = due };

    stock_stretch(example->line, t.line, sizeof t.line);
    calibrate(&t);
    sweep(&t, false);
    sweep(&t, true);
    t.cold = true;
    sweep(&t, false);
    pl_buf_deinit(&t.before);
    pl_buf_deinit(&t.after);
    pl_buf_deinit(&t.now);
    pl_buf_deinit(&t.reply);
}

static void start(struct rig *rig)
{
    rig_init(rig, NULL);
    rig->scripts = PL_MODULES;
    CHECK_MSG(rig_open(rig) == 0, "%s", rig->why.text);
    stock_fill(rig);
}

static void every_operation_fails_cleanly_without_memory(void)
{
    struct rig rig;
    const char *only = getenv("PL_ONLY");

    start(&rig);
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        if (only == NULL || strncmp(examples[i].line, only, strlen(only)) == 0)
            try_example(&rig, &examples[i], false);
    rig_deinit(&rig);
}

static void a_checkpoint_fails_cleanly_without_memory(void)
{
    static const struct example put = {
        { "DEL Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\"}" },
        "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\",\"UserID\":\"u9\",\"Likes\":1,\"Tag\":\"t\"}",
        false
    };
    struct rig rig;

    start(&rig);
    try_example(&rig, &put, true);
    rig_deinit(&rig);
}

/* ---- what time brings -------------------------------------------------------------------------------- */

static void expire_without(struct rig *rig, long n, bool for_good)
{
    char line[4096];

    for (int i = 0; i < 3; i++) {
        char format[128];

        snprintf(format, sizeof format, "PUT Passing {\"P\":\"p\",\"S\":\"%%s%d\",\"T\":1699999000}", i);
        rig_must(rig, stock_stretch(format, line, sizeof line));
    }
    rig_must(rig, "PUT Passing {\"P\":\"q\",\"S\":\"s\",\"G\":\"g\",\"T\":1699999000.5}");
    rig_pass_ms(rig, 1500);
    allocation_has_failed = true;
    allocation_failing(n, for_good);
    rig_ask(rig, "PUT Scratch {\"Id\":\"next\"}"); /* takes a look at what has expired, too */
    allocation_has_failed = allocation_failed();
    for (int i = 0; i < 2; i++) {
        rig_pass_ms(rig, 1500);
        rig_must(rig, "PUT Scratch {\"Id\":\"next\"}");
    }
    rig_must(rig, "COUNT Passing");
    CHECK_MSG(memmem(rig->reply.data, rig->reply.len, "\"count\":1,", 10) != NULL, "n %ld: %.*s", n,
              (int)rig->reply.len, rig->reply.data);
    rig_must(rig, "CHECK");
    CHECK_MSG(memmem(rig->reply.data, rig->reply.len, "\"ok\":true", 9) != NULL, "n %ld: %.*s", n,
              (int)rig->reply.len, rig->reply.data);
}

static void what_has_expired_goes_whatever_memory_lacked(void)
{
    bool for_good = false;
    struct rig rig;

    start(&rig);
    rig_must(&rig, "CREATE Passing {\"partition_key\":\"P:S\",\"sort_key\":\"S:S\",\"ttl\":\"T\",\"stream\":"
                   "\"old_image\",\"indexes\":{\"ByG\":{\"partition_key\":\"G:S\",\"project\":\"all\"}}}");
    rig_must(&rig, "PUT Passing {\"P\":\"q\",\"S\":\"t\",\"T\":2699999000}");
    do {
        long n = 0;

        do {
            expire_without(&rig, n++, for_good);
        } while (allocation_has_failed);
        for_good = !for_good;
    } while (for_good);
    rig_deinit(&rig);
}

/* ---- opening and closing ---------------------------------------------------------------------------- */

static void making_a_directory_fails_cleanly_without_memory(void)
{
    bool for_good = false;

    do {
        for (long n = 0; allocation_failing(n, for_good); n++) {
            struct rig rig;
            bool failed;
            int rc;

            allocations_left = -1;
            rig_init(&rig, NULL);
            allocation_failing(n, for_good);
            rc = rig_open(&rig);
            failed = allocation_failed();
            CHECK_MSG(failed || rc == 0, "n %ld: %s", n, rig.why.text);
            rig_close(&rig);
            CHECK_MSG(rig_open(&rig) == 0, "n %ld, and then: %s", n, rig.why.text);
            rig_must(&rig, "CREATE Scratch {\"partition_key\":\"Id:S\"}");
            rig_must(&rig, "PUT Scratch {\"Id\":\"1\"}");
            rig_deinit(&rig);
            allocation_has_failed = failed;
        }
        for_good = !for_good;
    } while (for_good);
}

/* A directory as a killed process leaves it: some in the store, the rest in the journal. */
static void leave(struct rig *rig, struct rig *killed, struct pl_buf *dump)
{
    start(rig);
    rig_must(rig, "CHECK"); /* takes a checkpoint */
    rig_must(rig,
             "PUT Messages {\"ChatID\":\"c9\",\"MsgID\":\"1\",\"UserID\":\"u9\",\"Likes\":1,\"Tag\":\"t\"}");
    rig_must(rig, "DEL Messages {\"ChatID\":\"c1\",\"MsgID\":\"001\"}");
    rig_must(rig, "PUT Guarded {\"Id\":\"i\",\"Text\":\"other words\",\"Owner\":\"ann\"}");
    CHECK(rig_dump(rig, dump) == 0);
    rig_init(killed, NULL);
    killed->scripts = rig->scripts;
    rig_copy(rig->path, killed->path);
}

static void recovery_and_closing_fail_cleanly_without_memory(void)
{
    struct rig living, killed;
    struct pl_buf dump = { 0 }, now = { 0 };
    bool for_good = false, failed = true;

    leave(&living, &killed, &dump);
    do {
        for (long n = 0; n == 0 || failed; n += 1 + n / ROUNDS_CLOSE * (n / ROUNDS_CLOSE)) {
            struct rig rig;
            int rc;

            rig_init(&rig, NULL);
            rig.scripts = killed.scripts;
            rig_copy(killed.path, rig.path);
            allocation_has_failed = true;
            allocation_failing(n, for_good);
            rc = rig_open(&rig);
            rig_close(&rig);
            failed = allocation_failed();
            CHECK_MSG(failed || rc == 0, "n %ld: %s", n, rig.why.text);
            CHECK_MSG(rig_open(&rig) == 0, "n %ld, and then: %s", n, rig.why.text);
            CHECK(rig_dump(&rig, &now) == 0);
            CHECK_MSG(same(&now, &dump), "n %ld: what was there is not:\n%.*s", n, (int)now.len, now.data);
            rig_deinit(&rig);
        }
        for_good = !for_good;
    } while (for_good);
    allocation_has_failed = false;
    rig_deinit(&living);
    rig_deinit(&killed);
    pl_buf_deinit(&dump);
    pl_buf_deinit(&now);
}

static void stop_if_failed(void)
{
    allocation_failed();
    if (test_fail_count > 0)
        rig_give_up();
}

int main(void)
{
    failing_json();
    RUN(every_operation_fails_cleanly_without_memory);
    stop_if_failed();
    RUN(a_checkpoint_fails_cleanly_without_memory);
    stop_if_failed();
    RUN(what_has_expired_goes_whatever_memory_lacked);
    stop_if_failed();
    RUN(making_a_directory_fails_cleanly_without_memory);
    stop_if_failed();
    RUN(recovery_and_closing_fail_cleanly_without_memory);
    stop_if_failed();
    return test_summary();
}
