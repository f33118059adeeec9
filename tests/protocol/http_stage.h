/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_PROTOCOL_HTTP_STAGE_H
#define PL_TESTS_PROTOCOL_HTTP_STAGE_H

#include "codec/encoding.h"
#include "front/desk.h"
#include "front/http_connection.h"
#include "standin.h"

#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

/**
 * A loop thread that speaks HTTP over a stand-in for the node, and clients that read its replies whole.
 */
struct stage {
    struct standin standin;
    struct pl_http_options http;
    struct pl_loop_options options;
    struct pl_loop *loop;
};

enum { STAGE_BODY_BYTES_MAX = 100000, STAGE_UNSENT_BYTES_MAX = 1 << 20 };

/* Fills in the options; a test changes some before stage_start(). */
static inline void stage_init(struct stage *stage)
{
    standin_init(&stage->standin);
    stage->http = (struct pl_http_options){
        .body_bytes_max = STAGE_BODY_BYTES_MAX,
        .gathered_bytes_max = 10 * STAGE_BODY_BYTES_MAX,
        .region = pl_str("us-east-1"),
        .account = pl_str("000000000000"),
        .clock = pl_clock_system(),
        .random = pl_random_system(),
    };
    stage->options = (struct pl_loop_options){
        .engine = standin_engine(&stage->standin),
        .line_bytes_max = 4096,
        .unsent_bytes_max = STAGE_UNSENT_BYTES_MAX,
        .in_flight_max = 8,
        .drain_timeout_ms = 5000,
        .http = &stage->http,
    };
}

static inline void stage_start(struct stage *stage)
{
    CHECK(pl_loop_start(&stage->options, &stage->loop) == 0);
}

static inline void stage_open(struct stage *stage)
{
    stage_init(stage);
    stage_start(stage);
}

/* pl_loop_join() asserts that no handle is open. */
static inline void stage_close(struct stage *stage)
{
    pl_loop_stop(stage->loop);
    pl_loop_join(stage->loop);
    CHECK(atomic_load(&stage->standin.attached) == 0 && atomic_load(&stage->standin.pending) == 0);
    standin_deinit(&stage->standin);
}

static inline int stage_client(struct stage *stage)
{
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(pl_loop_adopt(stage->loop, &pl_http_connection_kind, ends[1]) == 0);
    return ends[0];
}

static inline void say_bytes(int fd, struct pl_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        CHECK(sent > 0);
        bytes = pl_bytes(bytes.data + sent, bytes.len - (size_t)sent);
    }
}

static inline void say(int fd, const char *text)
{
    say_bytes(fd, pl_str(text));
}

/** A call of the API as SDKs send it, signed in form. */
#define CALL_HEAD(operation)                                                                                 \
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/x-amz-json-1.0\r\n"                \
    "X-Amz-Target: DynamoDB_20120810." operation "\r\nX-Amz-Date: 20150830T123600Z\r\n"                      \
    "Authorization: AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/dynamodb/aws4_request, "                \
    "SignedHeaders=host;x-amz-date, Signature=0\r\n"

static inline void say_call_with(int fd, const char *head, const char *more, struct pl_bytes body)
{
    char length[64];

    snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", body.len);
    say(fd, head);
    say(fd, more);
    say(fd, length);
    say_bytes(fd, body);
}

#define say_call(fd, operation, json) say_call_with(fd, CALL_HEAD(operation), "", pl_str(json))

/** A reply that was read whole. */
struct heard {
    unsigned status;
    char head[4096];
    char *body;
    size_t len;
};

static inline bool heard_field(const struct heard *heard, const char *name, char *value, size_t size)
{
    char line[128];
    const char *at, *end;

    snprintf(line, sizeof line, "\r\n%s: ", name);
    at = strstr(heard->head, line);
    if (at == NULL)
        return false;
    at += strlen(line);
    end = strstr(at, "\r\n");
    snprintf(value, size, "%.*s", (int)(end - at), at);
    return true;
}

static inline bool heard_is(const struct heard *heard, const char *name, const char *expected)
{
    char value[256];

    return heard_field(heard, name, value, sizeof value) && strcmp(value, expected) == 0;
}

static inline void check_request_id(const struct heard *heard)
{
    char id[256];

    CHECK(heard_field(heard, "x-amzn-RequestId", id, sizeof id) && strlen(id) == 52);
    CHECK(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 52);
}

static inline void check_crc32(const struct heard *heard)
{
    char text[64];

    if (!heard_field(heard, "x-amz-crc32", text, sizeof text))
        return;
    CHECK(strtoul(text, NULL, 10) == pl_encoding_crc32(pl_bytes(heard->body, heard->len)));
}

static inline void hear_head(int fd, struct heard *heard)
{
    size_t len = 0;

    *heard = (struct heard){ 0 };
    while (len < 4 || memcmp(heard->head + len - 4, "\r\n\r\n", 4) != 0) {
        CHECK(len < sizeof heard->head - 1);
        CHECK_MSG(recv(fd, heard->head + len, 1, 0) == 1, "after %s", heard->head);
        len++;
    }
    CHECK_MSG(sscanf(heard->head, "HTTP/1.1 %u ", &heard->status) == 1, "%s", heard->head);
}

/** The next reply; `body` is to be freed. */
static inline void hear_reply(int fd, struct heard *heard, bool has_body)
{
    char length[32];

    hear_head(fd, heard);
    check_request_id(heard);
    CHECK(heard_field(heard, "Content-Length", length, sizeof length));
    heard->len = has_body ? strtoul(length, NULL, 10) : 0;
    heard->body = calloc(1, heard->len + 1);
    CHECK(heard->body != NULL);
    for (size_t at = 0; at < heard->len;) {
        ssize_t got = recv(fd, heard->body + at, heard->len - at, 0);

        CHECK(got > 0);
        at += (size_t)got;
    }
    if (has_body)
        check_crc32(heard);
}

static inline void hear(int fd, unsigned status, const char *body)
{
    struct heard heard;

    hear_reply(fd, &heard, true);
    if (heard.status != status || (body != NULL && strcmp(heard.body, body) != 0))
        fprintf(stderr, "heard: %s%s\n", heard.head, heard.body);
    CHECK(heard.status == status && (body == NULL || strcmp(heard.body, body) == 0));
    free(heard.body);
}

static inline void hear_end(int fd)
{
    char byte;

    CHECK(recv(fd, &byte, 1, 0) == 0);
    close(fd);
}

#endif
