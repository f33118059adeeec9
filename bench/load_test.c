/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"
#include "load/reply.h"
#include "load/request.h"

#include "test.h"

static void a_percentile_is_known_to_a_hundredth(void)
{
    static struct histogram h;

    for (uint64_t us = 1; us <= 100000; us++)
        histogram_add(&h, us * 1000);
    CHECK(histogram_percentile_ns(&h, 0.5) >= 50000000 && histogram_percentile_ns(&h, 0.5) <= 50500000);
    CHECK(histogram_percentile_ns(&h, 0.99) >= 99000000 && histogram_percentile_ns(&h, 0.99) <= 100000000);
    CHECK(histogram_percentile_ns(&h, 1) == 100000000);
    CHECK(h.max_ns == 100000000 && h.total == 100000);
}

static void the_ends_of_the_histogram_hold(void)
{
    static struct histogram h;

    CHECK(histogram_percentile_ns(&h, 0.5) == 0);
    histogram_add(&h, 0);
    CHECK(histogram_percentile_ns(&h, 0.99) == 0);
    histogram_add(&h, UINT64_MAX);
    CHECK(h.max_ns == UINT64_MAX && h.total == 2);
}

static bool request_is(enum protocol protocol, enum operation operation, const char *wanted)
{
    struct request r;
    char out[256] = { 0 };
    bool same;

    if (request_init(&r, protocol, operation, 16) != 0)
        return false;
    request_write(&r, 42, 107, 9, out);
    same = strlen(out) == r.len && strlen(wanted) == r.len;
    for (size_t i = 0; same && wanted[i] != '\0'; i++) /* '~' stands for a letter of the value */
        same = wanted[i] == '~' ? out[i] >= 'a' && out[i] <= 'z' : out[i] == wanted[i];
    request_deinit(&r);
    return same;
}

static void requests_are_as_the_protocols_write_them(void)
{
    CHECK(request_is(PROTOCOL_LINE, OPERATION_PUT,
                     "PUT Bench {\"K\":\"k0000042\",\"V\":\"0000000009~~~~~~\"}\n"));
    CHECK(request_is(PROTOCOL_LINE, OPERATION_GET, "GET Bench {\"K\":\"k0000042\"}\n"));
    CHECK(request_is(PROTOCOL_LINE, OPERATION_QUERY, "QUERY BenchRange WHERE P = \"p0000042\" LIMIT 100\n"));
    CHECK(
        request_is(PROTOCOL_LINE, OPERATION_TRANSACT_2,
                   "TRANSACT [{\"put\":\"Bench\",\"item\":{\"K\":\"k0000042-0\",\"V\":\"0000000009~~~~~~\"}},"
                   "{\"put\":\"Bench\",\"item\":{\"K\":\"k0000042-1\",\"V\":\"0000000009~~~~~~\"}}]\n"));
    CHECK(request_is(PROTOCOL_LINE, OPERATION_PUT_TRIGGER_KEYS,
                     "PUT BenchTriggerKeys {\"K\":\"k0000042\",\"V\":\"0000000009~~~~~~\"}\n"));
    CHECK(request_is(PROTOCOL_LINE, OPERATION_FILL_RANGES,
                     "PUT BenchRange {\"P\":\"p0000042\",\"S\":107,\"V\":\"107~~~~~~~~~~~~~\"}\n"));
    CHECK(request_is(PROTOCOL_RESP, OPERATION_PUT,
                     "*3\r\n$3\r\nSET\r\n$8\r\nk0000042\r\n$16\r\n0000000009~~~~~~\r\n"));
    CHECK(request_is(PROTOCOL_RESP, OPERATION_GET, "*2\r\n$3\r\nGET\r\n$8\r\nk0000042\r\n"));
    CHECK(request_is(PROTOCOL_RESP, OPERATION_FILL_RANGES,
                     "*4\r\n$4\r\nZADD\r\n$8\r\np0000042\r\n$3\r\n107\r\n$16\r\n107~~~~~~~~~~~~~\r\n"));
}

/* Replies must count the same however the socket cuts them, so every cut into two is tried. */
static bool counts(enum protocol protocol, const char *text, int64_t replies, struct reply_totals wanted)
{
    size_t len = strlen(text);

    for (size_t cut = 0; cut <= len; cut++) {
        struct reply_reader r = { .protocol = protocol };
        struct reply_totals totals = { 0 };
        int64_t first = reply_count(&r, text, cut, &totals);
        int64_t second = reply_count(&r, text + cut, len - cut, &totals);

        if (first < 0 || second < 0 || first + second != replies || totals.errors != wanted.errors ||
            totals.empty != wanted.empty || totals.rows != wanted.rows ||
            strcmp(totals.first_error, wanted.first_error) != 0)
            return false;
    }
    return true;
}

static void line_replies_count_however_they_are_cut(void)
{
    CHECK(counts(PROTOCOL_LINE, "OK {\"K\":\"k1\",\"V\":\"v\"}\nOK {}\n", 2,
                 (struct reply_totals){ .empty = 1 }));
    CHECK(counts(PROTOCOL_LINE, "ROW {\"S\":1}\nROW {\"S\":2}\nEND {\"Count\":2}\n", 1,
                 (struct reply_totals){ .rows = 2 }));
    CHECK(counts(PROTOCOL_LINE, "ERR ValidationException no\nOK {\"K\":\"k1\"}\n", 2,
                 (struct reply_totals){ .errors = 1, .first_error = "ERR ValidationException no" }));
    CHECK(counts(PROTOCOL_LINE, "ROW {\"S\":1}\nOK {\"unfi", 0, (struct reply_totals){ .rows = 1 }));
}

static void resp_replies_count_however_they_are_cut(void)
{
    CHECK(
        counts(PROTOCOL_RESP, "+OK\r\n:1\r\n$3\r\na\nb\r\n$-1\r\n", 4, (struct reply_totals){ .empty = 1 }));
    CHECK(counts(PROTOCOL_RESP, "*2\r\n$1\r\na\r\n$0\r\n\r\n*0\r\n", 2,
                 (struct reply_totals){ .rows = 2, .empty = 1 }));
    CHECK(counts(PROTOCOL_RESP, "*2\r\n*1\r\n:1\r\n+x\r\n+OK\r\n", 2, (struct reply_totals){ .rows = 3 }));
    CHECK(counts(PROTOCOL_RESP, "-ERR no\r\n+OK\r\n", 2,
                 (struct reply_totals){ .errors = 1, .first_error = "-ERR no\r\n" }));
}

static void what_is_no_reply_is_refused(void)
{
    struct reply_reader line = { .protocol = PROTOCOL_LINE }, resp = { .protocol = PROTOCOL_RESP };
    struct reply_totals totals = { 0 };

    CHECK(reply_count(&line, "HTTP/1.1 400\r\n", 14, &totals) == -1);
    CHECK(reply_count(&resp, "HTTP/1.1 400\r\n", 14, &totals) == -1);
}

int main(void)
{
    RUN(a_percentile_is_known_to_a_hundredth);
    RUN(the_ends_of_the_histogram_hold);
    RUN(requests_are_as_the_protocols_write_them);
    RUN(line_replies_count_however_they_are_cut);
    RUN(resp_replies_count_however_they_are_cut);
    RUN(what_is_no_reply_is_refused);
    return test_summary();
}
