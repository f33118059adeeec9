/* SPDX-License-Identifier: MIT */
#include "front/listener.h"
#include "http_stage.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>

static const char put_one[] = "{\"TableName\":\"Tab\",\"Item\":{\"id\":{\"N\":\"1\"},\"v\":{\"S\":\"a\"}}}",
                  get_one[] = "{\"TableName\":\"Tab\",\"Key\":{\"id\":{\"N\":\"1\"}}}",
                  one[] = "{\"Item\":{\"id\":{\"N\":\"1\"},\"v\":{\"S\":\"a\"}}}",
                  health[] = "healthy: dynamodb.us-east-1.amazonaws.com ";

/* --- what is answered --- */

static void a_call_is_answered_and_the_connection_goes_on(void)
{
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say_call(fd, "PutItem", put_one);
    hear(fd, 200, "{}");
    say_call(fd, "GetItem", get_one);
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 200 && strcmp(heard.body, one) == 0);
    CHECK(heard_is(&heard, "Content-Type", "application/x-amz-json-1.0"));
    CHECK(heard_is(&heard, "Connection", "keep-alive"));
    CHECK(strstr(heard.head, "\r\nx-amz-crc32: ") != NULL && strstr(heard.head, " GMT\r\n") != NULL);
    free(heard.body);
    close(fd);
    stage_close(&stage);
}

static void the_answer_is_of_the_type_of_the_question(void)
{
    static const char head[] =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json; charset=utf-8\r\n"
        "X-Amz-Target: DynamoDB_20120810.Nonsense\r\n";
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say_call_with(fd, head, "", pl_str("{}"));
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 400 && heard_is(&heard, "Content-Type", "application/json"));
    CHECK(strcmp(heard.body, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}") == 0);
    free(heard.body);
    close(fd);
    stage_close(&stage);
}

static void no_two_replies_have_one_id(void)
{
    enum { REPLIES = 200 };
    static char ids[REPLIES][64];
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    for (int i = 0; i < REPLIES; i++) {
        struct heard heard;

        say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        hear_reply(fd, &heard, true);
        CHECK(heard_field(&heard, "x-amzn-RequestId", ids[i], sizeof ids[i]));
        for (int other = 0; other < i; other++)
            CHECK(strcmp(ids[i], ids[other]) != 0);
        free(heard.body);
    }
    close(fd);
    stage_close(&stage);
}

static void the_server_says_that_it_is_healthy(void)
{
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fd, 200, health);
    say(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /?a HTTP/1.1\r\nHost: a\r\n\r\n");
    hear_reply(fd, &heard, false);
    CHECK(heard.status == 200 && heard_is(&heard, "Content-Length", "42"));
    free(heard.body);
    hear(fd, 200, health);
    close(fd);
    stage_close(&stage);
}

static void what_is_no_call_is_not_found(void)
{
    static const char xml[] = "<UnknownOperationException/>\n";
    static const char *const heads[] = {
        "PUT / HTTP/1.1\r\nHost: a\r\n",
        "DELETE / HTTP/1.1\r\nHost: a\r\n",
        "GET /shell HTTP/1.1\r\nHost: a\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n",
        "POST /else HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n",
        "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n",
    };
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    for (unsigned i = 0; i < sizeof heads / sizeof *heads; i++) {
        say_call_with(fd, heads[i], "", pl_str("{}"));
        hear(fd, 404, xml);
    }
    close(fd);
    stage_close(&stage);
}

static void browsers_may_ask_from_anywhere(void)
{
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say(fd, "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nAccess-Control-Request-Headers: x-a,x-b\r\n"
            "Access-Control-Request-Method: POST\r\n\r\n");
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 200 && heard.len == 0 && heard_is(&heard, "Access-Control-Allow-Origin", "*"));
    CHECK(heard_is(&heard, "Access-Control-Allow-Headers", "x-a,x-b"));
    CHECK(heard_is(&heard, "Access-Control-Allow-Methods", "POST"));
    CHECK(heard_is(&heard, "Access-Control-Max-Age", "172800"));
    free(heard.body);
    say_call_with(fd, CALL_HEAD("GetItem"), "Origin: null\r\n", pl_str(get_one));
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 200 && heard_is(&heard, "Access-Control-Allow-Origin", "*"));
    CHECK(strstr(heard.head, "Max-Age") == NULL);
    free(heard.body);
    close(fd);
    stage_close(&stage);
}

static void who_has_not_signed_is_told_so_after_worse_mistakes(void)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-amz-json-1.0\r\n"
                               "X-Amz-Target: DynamoDB_20120810.GetItem\r\n";
    static const char unknown[] =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-amz-json-1.0\r\n";
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say_call_with(fd, head, "", pl_str("{"));
    hear(fd, 400, "{\"__type\":\"com.amazon.coral.service#SerializationException\"}");
    say_call_with(fd, unknown, "", pl_str("{}"));
    hear(fd, 400, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
    say_call_with(fd, head, "", pl_str(get_one));
    hear(fd, 400,
         "{\"__type\":\"com.amazon.coral.service#MissingAuthenticationTokenException\",\"message\":\"Request "
         "is missing "
         "Authentication Token\"}");
    say_call_with(fd, head, "", pl_str(""));
    hear(fd, 400,
         "{\"__type\":\"com.amazon.coral.service#MissingAuthenticationTokenException\",\"message\":\"Request "
         "is missing "
         "Authentication Token\"}");
    close(fd);
    stage_close(&stage);
}

static void with_keys_only_their_owners_get_in(void)
{
    static struct pl_sigv4_key key = { { "a", 1 }, { "secret", 6 } };
    static const struct pl_sigv4_keys keys = { &key, 1 };
    struct stage stage;
    struct heard heard;
    int fd;

    stage_init(&stage);
    stage.http.keys = &keys;
    stage_start(&stage);
    fd = stage_client(&stage);
    say_call(fd, "PutItem", put_one);
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 400 &&
          strstr(heard.body, "#InvalidSignatureException\",\"message\":\"Signature expired") != NULL);
    CHECK(stage.standin.item_count == 0);
    free(heard.body);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fd, 200, health);
    close(fd);
    stage_close(&stage);
}

/* --- order --- */

static void pipelined_requests_run_and_are_answered_in_their_order(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say_call(fd, "PutItem", put_one);
    say_call(fd, "GetItem", get_one);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /else HTTP/1.1\r\nHost: a\r\n\r\n");
    say_call(fd, "PutItem", put_one);
    while (atomic_load(&stage.standin.pending) == 0)
        sched_yield();
    standin_release(&stage.standin);
    hear(fd, 200, "{}");
    hear(fd, 200, one);
    hear(fd, 200, health);
    hear(fd, 404, NULL);
    hear(fd, 200, "{}");
    CHECK(atomic_load(&stage.standin.pending_max) == 1);
    close(fd);
    stage_close(&stage);
}

static void writes_of_one_turn_travel_together(void)
{
    enum { CLIENTS = 20 };
    struct stage stage;
    int fds[CLIENTS];

    stage_open(&stage);
    atomic_store(&stage.standin.hold, true);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = stage_client(&stage);
        say_call(fds[i], "PutItem", put_one);
    }
    while (atomic_load(&stage.standin.pending) < CLIENTS)
        sched_yield();
    standin_release(&stage.standin);
    for (int i = 0; i < CLIENTS; i++) {
        hear(fds[i], 200, "{}");
        close(fds[i]);
    }
    stage_close(&stage);
}

/* --- however it comes --- */

#define PUT CALL_HEAD("PutItem")
#define GET CALL_HEAD("GetItem")

/* A line end too many, lengths and chunks, requests with bodies and without. */
static const char story[] =
    PUT "Content-Length: "
        "57\r\n\r\n{\"TableName\":\"Tab\",\"Item\":{\"id\":{\"N\":\"1\"},\"v\":{\"S\":\"a\"}}}\r\n"
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n" GET "Transfer-Encoding: chunked\r\n\r\n"
        "10\r\n{\"TableName\":\"Ta\r\n1\r\nb\r\n0A\r\n\",\"Key\":{\"\r\n12\r\nid\":{\"N\":\"1\"}}}   "
        "\r\n0\r\n\r\n"
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static void hear_story(int fd)
{
    struct heard heard;

    hear(fd, 200, "{}");
    hear(fd, 200, health);
    hear(fd, 200, one);
    hear_reply(fd, &heard, false);
    CHECK(heard.status == 200);
    free(heard.body);
    hear(fd, 400, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 200 && heard_is(&heard, "Connection", "close"));
    free(heard.body);
    hear_end(fd);
}

static void however_bytes_are_cut_the_replies_are_the_same(void)
{
    struct stage stage;

    stage_open(&stage);
    for (size_t cut = 0; cut < sizeof story; cut += cut < 40 ? 1 : 7) {
        int fd = stage_client(&stage);

        say_bytes(fd, pl_bytes(story, cut));
        for (int i = 0; i < 3; i++)
            sched_yield();
        say_bytes(fd, pl_bytes(story + cut, sizeof story - 1 - cut));
        hear_story(fd);
    }
    stage_close(&stage);
}

static void one_byte_at_a_time_will_do(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    for (size_t i = 0; i < sizeof story - 1; i++)
        say_bytes(fd, pl_bytes(story + i, 1));
    hear_story(fd);
    stage_close(&stage);
}

static void hear_continue(int fd)
{
    struct heard heard;

    hear_head(fd, &heard);
    CHECK(strcmp(heard.head, "HTTP/1.1 100 Continue\r\n\r\n") == 0);
}

static void a_body_is_asked_for_when_its_sender_waits(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say(fd, CALL_HEAD("PutItem") "Expect: 100-continue\r\nContent-Length: 57\r\n\r\n");
    hear_continue(fd);
    say(fd, put_one);
    hear(fd, 200, "{}");
    /* Behind a request that still runs, the invitation waits for its reply. */
    atomic_store(&stage.standin.hold, true);
    say_call(fd, "PutItem", put_one);
    say(fd, CALL_HEAD("GetItem") "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (atomic_load(&stage.standin.pending) == 0)
        sched_yield();
    standin_release(&stage.standin);
    hear(fd, 200, "{}");
    hear_continue(fd);
    say(fd, "2A\r\n");
    say(fd, get_one);
    say(fd, "\r\n0\r\n\r\n");
    hear(fd, 200, one);
    /* A body that would be refused is not asked for. */
    say(fd, CALL_HEAD("GetItem") "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n");
    hear(fd, 413, "");
    hear_end(fd);
    fd = stage_client(&stage);
    say(fd, CALL_HEAD("GetItem") "Expect: a-miracle\r\nContent-Length: 10\r\n\r\n");
    hear(fd, 417, "");
    hear_end(fd);
    stage_close(&stage);
}

/* --- encodings --- */

static struct pl_buf packed_call(enum pl_encoding encoding, struct pl_bytes json)
{
    struct pl_coder coder = { 0 };
    struct pl_buf packed = { 0 };

    CHECK(pl_coder_pack(&coder, encoding, json, &packed) == 0);
    pl_coder_deinit(&coder);
    return packed;
}

static void a_packed_body_is_read(void)
{
    struct stage stage;
    struct pl_buf gzip = packed_call(PL_ENCODING_GZIP, pl_str(get_one)),
                  zlib = packed_call(PL_ENCODING_DEFLATE, pl_str(get_one));
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say_call(fd, "PutItem", put_one);
    hear(fd, 200, "{}");
    say_call_with(fd, CALL_HEAD("GetItem"), "Content-Encoding: gzip\r\n", pl_buf_view(&gzip));
    hear(fd, 200, one);
    say_call_with(fd, CALL_HEAD("GetItem"), "Content-Encoding: deflate\r\n", pl_buf_view(&zlib));
    hear(fd, 200, one);
    say_call_with(fd, CALL_HEAD("GetItem"), "Content-Encoding: gzip\r\n", pl_bytes(gzip.data, gzip.len - 1));
    hear(fd, 500, NULL);
    say_call_with(fd, CALL_HEAD("GetItem"), "Content-Encoding: br\r\n", pl_str(get_one));
    hear(fd, 415, "");
    say_call_with(fd, CALL_HEAD("GetItem"), "Content-Encoding: identity\r\n", pl_str(get_one));
    hear(fd, 200, one);
    pl_buf_deinit(&gzip);
    pl_buf_deinit(&zlib);
    close(fd);
    stage_close(&stage);
}

static void a_packed_body_is_measured_unpacked(void)
{
    static char spaces[STAGE_BODY_BYTES_MAX + 1];
    struct pl_buf packed;
    struct stage stage;
    int fd;

    memset(spaces, ' ', sizeof spaces);
    memcpy(spaces, "{}", 2);
    stage_open(&stage);
    fd = stage_client(&stage);
    packed = packed_call(PL_ENCODING_GZIP, pl_bytes(spaces, sizeof spaces));
    say_call_with(fd, CALL_HEAD("ListTables"), "Content-Encoding: gzip\r\n", pl_buf_view(&packed));
    hear(fd, 413, "");
    pl_buf_deinit(&packed);
    packed = packed_call(PL_ENCODING_GZIP, pl_bytes(spaces, sizeof spaces - 1));
    say_call_with(fd, CALL_HEAD("ListTables"), "Content-Encoding: gzip\r\n", pl_buf_view(&packed));
    hear(fd, 200, "{\"TableNames\":[]}");
    pl_buf_deinit(&packed);
    close(fd);
    stage_close(&stage);
}

static void a_large_reply_is_packed_for_who_can_unpack_it(void)
{
    static const char scan[] = "{\"TableName\":\"Big\"}";
    struct pl_coder coder = { 0 };
    struct pl_buf plain = { 0 };
    struct stage stage;
    struct heard as_it_is, packed;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    say_call(fd, "Scan", scan);
    hear_reply(fd, &as_it_is, true);
    CHECK(as_it_is.status == 200 && as_it_is.len > 1000000);
    say_call_with(fd, CALL_HEAD("Scan"), "Accept-Encoding: deflate;q=0.5, gzip\r\n", pl_str(scan));
    hear_reply(fd, &packed, true);
    CHECK(heard_is(&packed, "Content-Encoding", "gzip") && strstr(packed.head, "crc32") == NULL);
    CHECK(pl_coder_unpack(&coder, PL_ENCODING_GZIP, pl_bytes(packed.body, packed.len), 2 << 20, &plain) == 0);
    CHECK(pl_bytes_equal(pl_buf_view(&plain), pl_bytes(as_it_is.body, as_it_is.len)));
    free(packed.body);
    free(as_it_is.body);
    say_call_with(fd, CALL_HEAD("GetItem"), "Accept-Encoding: gzip\r\n", pl_str(get_one));
    hear_reply(fd, &packed, true);
    CHECK(strstr(packed.head, "Content-Encoding") == NULL && strstr(packed.head, "crc32") != NULL);
    free(packed.body);
    pl_coder_deinit(&coder);
    pl_buf_deinit(&plain);
    close(fd);
    stage_close(&stage);
}

/* --- what is refused --- */

/* Behind each stands a request that must not be seen. */
static void bytes_that_are_no_request_end_the_connection(void)
{
    static const struct {
        const char *text;
        unsigned status;
    } cases[] = {
        { "GET / HTTP/1.1\nHost: a\n\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nX: \rTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 3\r\n\r\nabc", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n",
          400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501 },
        { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "\x16\x03\x01\x02\n", 400 }, /* somebody begins TLS */
        { "PING\n", 400 },             /* or speaks the line protocol */
        { "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    };
    struct stage stage;

    stage_open(&stage);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard heard;
        int fd = stage_client(&stage);

        say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        say(fd, cases[i].text);
        say_call(fd, "PutItem", put_one);
        hear(fd, 200, health);
        hear_reply(fd, &heard, true);
        CHECK_MSG(heard.status == cases[i].status, "case %u: %u", i, heard.status);
        CHECK(heard.len == 0 && heard_is(&heard, "Connection", "close"));
        free(heard.body);
        hear_end(fd);
    }
    CHECK(stage.standin.item_count == 0);
    stage_close(&stage);
}

static void a_head_has_its_limit(void)
{
    static char long_line[20000];
    struct stage stage;
    int fd;

    memset(long_line, 'x', sizeof long_line - 1);
    stage_open(&stage);
    fd = stage_client(&stage);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    say(fd, long_line);
    hear(fd, 400, "");
    hear_end(fd);
    fd = stage_client(&stage);
    say(fd, "GET /");
    say(fd, long_line);
    hear(fd, 400, "");
    hear_end(fd);
    stage_close(&stage);
}

/* The reply must be heard, although its client is still talking. */
static void a_body_has_its_limit_and_its_sender_hears_of_it(void)
{
    static char much[STAGE_BODY_BYTES_MAX * 20];
    struct stage stage;
    int fd;

    memset(much, ' ', sizeof much);
    stage_open(&stage);
    for (int chunked = 0; chunked < 2; chunked++) {
        fd = stage_client(&stage);
        say(fd, CALL_HEAD("PutItem"));
        say(fd, chunked ? "Transfer-Encoding: chunked\r\n\r\n1E8480\r\n" : "Content-Length: 2000000\r\n\r\n");
        say_bytes(fd, pl_bytes(much, sizeof much));
        hear(fd, 413, "");
        hear_end(fd);
    }
    fd = stage_client(&stage);
    say(fd, CALL_HEAD("ListTables") "Content-Length: 100000\r\n\r\n{}");
    say_bytes(fd, pl_bytes(much, STAGE_BODY_BYTES_MAX - 2));
    hear(fd, 200, "{\"TableNames\":[]}");
    close(fd);
    stage_close(&stage);
}

static void half_bodies_have_a_limit_together(void)
{
    static char half[30000];
    struct stage stage;
    int first, second, third;

    memset(half, ' ', sizeof half);
    stage_init(&stage);
    stage.http.gathered_bytes_max = 50000;
    stage_start(&stage);
    first = stage_client(&stage);
    say(first, CALL_HEAD("ListTables") "Expect: 100-continue\r\nContent-Length: 30002\r\n\r\n");
    say_bytes(first, pl_bytes(half, sizeof half));
    say(first, "{");
    hear_continue(first);
    second = stage_client(&stage);
    say(second, CALL_HEAD("ListTables") "Transfer-Encoding: chunked\r\n\r\nFFFF\r\n");
    say_bytes(second, pl_bytes(half, sizeof half));
    hear(second, 503, "");
    hear_end(second);
    third = stage_client(&stage); /* there is room again */
    say(third, CALL_HEAD("ListTables") "Content-Length: 20000\r\n\r\n{}");
    say_bytes(third, pl_bytes(half, 19998));
    hear(third, 200, "{\"TableNames\":[]}");
    close(third);
    say(first, "}");
    hear(first, 200, "{\"TableNames\":[]}");
    close(first);
    stage_close(&stage);
}

/* --- ends --- */

static void old_clients_and_those_who_say_close_are_closed(void)
{
    static const char *const heads[] = { "GET / HTTP/1.0\r\n\r\n",
                                         "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" };
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    for (int i = 0; i < 2; i++) {
        fd = stage_client(&stage);
        say(fd, heads[i]);
        say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); /* too late */
        hear_reply(fd, &heard, true);
        CHECK(heard.status == 200 && heard_is(&heard, "Connection", "close"));
        free(heard.body);
        hear_end(fd);
    }
    fd = stage_client(&stage);
    for (int i = 0; i < 3; i++) {
        say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        hear_reply(fd, &heard, true);
        CHECK(heard_is(&heard, "Connection", "keep-alive"));
        free(heard.body);
    }
    close(fd);
    stage_close(&stage);
}

static void who_has_said_all_still_gets_every_reply(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    for (int i = 0; i < 100; i++)
        say_call_with(fd, i % 2 == 0 ? CALL_HEAD("PutItem") : CALL_HEAD("GetItem"), "",
                      pl_str(i % 2 == 0 ? put_one : get_one));
    say(fd, CALL_HEAD("PutItem") "Content-Length: 57\r\n\r\n{\"TableName\""); /* and half of one */
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++)
        hear(fd, 200, i % 2 == 0 ? "{}" : one);
    hear_end(fd);
    stage_close(&stage);
}

static void who_is_slow_is_told_so(void)
{
    struct stage stage;
    int head, body, idle;

    stage_init(&stage);
    stage.http.head_timeout_ms = 300;
    stage.http.body_rate_min = 1000;
    stage_start(&stage);
    head = stage_client(&stage);
    body = stage_client(&stage);
    idle = stage_client(&stage);
    say(head, "GET / HTTP/1.1\r\nHost: ");
    say(body, CALL_HEAD("PutItem") "Content-Length: 57\r\n\r\n{\"TableName\"");
    say(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n");
    hear(idle, 200, health);
    hear(head, 408, "");
    hear_end(head);
    hear(body, 408, "");
    hear_end(body);
    say(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); /* no request, no patience needed */
    hear(idle, 200, health);
    close(idle);
    stage_close(&stage);
}

static void who_is_silent_too_long_is_closed(void)
{
    struct stage stage;
    int fd;

    stage_init(&stage);
    stage.options.idle_timeout_ms = 300;
    stage_start(&stage);
    fd = stage_client(&stage);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fd, 200, health);
    hear_end(fd);
    stage_close(&stage);
}

enum { BIG_REQUESTS = 40 };

static void who_never_reads_is_not_served_further_and_cut(void)
{
    struct stage stage;
    struct pollfd poll_fd = { .events = POLLRDHUP };

    stage_init(&stage);
    stage.options.stall_timeout_ms = 300;
    stage_start(&stage);
    poll_fd.fd = stage_client(&stage);
    for (int i = 0; i < BIG_REQUESTS; i++)
        say_call(poll_fd.fd, "Scan", "{\"TableName\":\"Big\"}");
    CHECK(poll(&poll_fd, 1, 20000) == 1);
    CHECK(atomic_load(&stage.standin.scans) < BIG_REQUESTS / 2);
    close(poll_fd.fd);
    stage_close(&stage);
}

static void who_reads_slowly_gets_all_and_costs_little(void)
{
    struct stage stage;
    struct heard heard;
    int fd;

    stage_open(&stage);
    fd = stage_client(&stage);
    for (int i = 0; i < BIG_REQUESTS; i++)
        say_call(fd, "Scan", "{\"TableName\":\"Big\"}");
    for (int i = 0; i < BIG_REQUESTS; i++) {
        hear_reply(fd, &heard, true);
        CHECK(heard.status == 200 && heard.len > 1000000);
        CHECK(atomic_load(&stage.standin.scans) <= (unsigned)i + 4);
        free(heard.body);
    }
    close(fd);
    stage_close(&stage);
}

static void a_stopping_loop_answers_what_was_asked(void)
{
    struct stage stage;
    struct heard heard;
    int fd, idle, half;

    stage_open(&stage);
    fd = stage_client(&stage);
    idle = stage_client(&stage);
    half = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say(half, "GET / HTTP/1.1\r\nHost");
    say_call(fd, "PutItem", put_one);
    while (atomic_load(&stage.standin.pending) == 0)
        sched_yield();
    pl_loop_stop(stage.loop);
    hear_end(idle);
    hear_end(half);
    standin_release(&stage.standin);
    hear_reply(fd, &heard, true);
    CHECK(heard.status == 200 && heard_is(&heard, "Connection", "close"));
    free(heard.body);
    hear_end(fd);
    pl_loop_join(stage.loop);
    standin_deinit(&stage.standin);
}

static void a_client_may_go_while_its_write_travels(void)
{
    struct stage stage;
    int fd, other;

    stage_open(&stage);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say_call(fd, "PutItem", put_one);
    say_call(fd, "GetItem", get_one);
    while (atomic_load(&stage.standin.pending) == 0)
        sched_yield();
    close(fd);
    other = stage_client(&stage);
    say(other, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(other, 200, health);
    standin_release(&stage.standin);
    say_call(other, "PutItem",
             "{\"TableName\":\"Tab\",\"Item\":{\"id\":{\"N\":\"2\"}}}"); /* comes back behind it */
    hear(other, 200, "{}");
    say_call(other, "GetItem", get_one);
    hear(other, 200, one);
    close(other);
    stage_close(&stage);
}

static void a_thousand_connections_leave_nothing_behind(void)
{
    struct stage stage;

    stage_open(&stage);
    for (int round = 0; round < 40; round++) {
        int fds[25];

        for (int i = 0; i < 25; i++) {
            fds[i] = stage_client(&stage);
            say_call(fds[i], "PutItem", put_one);
            if (i % 3 == 0)
                say(fds[i], CALL_HEAD("PutItem") "Content-Length: 100\r\n\r\nhalf of it");
            if (i % 5 == 0)
                say(fds[i], "GET / HT");
        }
        for (int i = 0; i < 25; i++) {
            if (i % 4 != 0)
                hear(fds[i], 200, "{}");
            close(fds[i]);
        }
    }
    while (pl_loop_connection_count(stage.loop) > 0)
        sched_yield();
    stage_close(&stage);
}

/* --- the door --- */

static void one_connection_too_many_is_told_so(void)
{
    struct pl_listener_options options = { .address = { .host = "127.0.0.1" },
                                           .kind = &pl_http_connection_kind,
                                           .loop_count = 1,
                                           .connections_max = 1 };
    struct pl_listener listener;
    struct stage stage;
    uv_loop_t uv;
    int first, second;
    struct heard heard;

    stage_open(&stage);
    CHECK(uv_loop_init(&uv) == 0);
    options.uv = &uv;
    options.loops = &stage.loop;
    CHECK(pl_listener_open(&listener, &options, NULL) == 0);
    CHECK(pl_address_connect(&listener.address, &first, NULL) == 0);
    uv_run(&uv, UV_RUN_ONCE);
    say(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(first, 200, health);
    CHECK(pl_address_connect(&listener.address, &second, NULL) == 0);
    uv_run(&uv, UV_RUN_ONCE);
    hear_reply(second, &heard, true);
    CHECK(heard.status == 503 && heard_is(&heard, "Connection", "close"));
    CHECK(strstr(heard.body, "the server has reached its limit of 1 connections (--max-connections)\"}") !=
          NULL);
    free(heard.body);
    close(first);
    close(second);
    pl_listener_close(&listener, NULL);
    uv_run(&uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&uv) == 0);
    stage_close(&stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_call_is_answered_and_the_connection_goes_on);
    RUN(the_answer_is_of_the_type_of_the_question);
    RUN(no_two_replies_have_one_id);
    RUN(the_server_says_that_it_is_healthy);
    RUN(what_is_no_call_is_not_found);
    RUN(browsers_may_ask_from_anywhere);
    RUN(who_has_not_signed_is_told_so_after_worse_mistakes);
    RUN(with_keys_only_their_owners_get_in);
    RUN(pipelined_requests_run_and_are_answered_in_their_order);
    RUN(writes_of_one_turn_travel_together);
    RUN(however_bytes_are_cut_the_replies_are_the_same);
    RUN(one_byte_at_a_time_will_do);
    RUN(a_body_is_asked_for_when_its_sender_waits);
    RUN(a_packed_body_is_read);
    RUN(a_packed_body_is_measured_unpacked);
    RUN(a_large_reply_is_packed_for_who_can_unpack_it);
    RUN(bytes_that_are_no_request_end_the_connection);
    RUN(a_head_has_its_limit);
    RUN(a_body_has_its_limit_and_its_sender_hears_of_it);
    RUN(half_bodies_have_a_limit_together);
    RUN(old_clients_and_those_who_say_close_are_closed);
    RUN(who_has_said_all_still_gets_every_reply);
    RUN(who_is_slow_is_told_so);
    RUN(who_is_silent_too_long_is_closed);
    RUN(who_never_reads_is_not_served_further_and_cut);
    RUN(who_reads_slowly_gets_all_and_costs_little);
    RUN(a_stopping_loop_answers_what_was_asked);
    RUN(a_client_may_go_while_its_write_travels);
    RUN(a_thousand_connections_leave_nothing_behind);
    RUN(one_connection_too_many_is_told_so);
    return test_summary();
}
