/* SPDX-License-Identifier: MIT */
#include "codec/http.h"

#include "test.h"

/* Scan and read `text`, which is a head and what follows. The head's length, 0 when more is needed. */
static unsigned read_head(const char *text, size_t len, struct pl_http_head *head, size_t *head_len)
{
    struct pl_http_scan scan = { 0 };
    unsigned status = pl_http_scan_head(&scan, pl_bytes(text, len), head_len);

    if (status != 0 || *head_len == 0)
        return status;
    return pl_http_head_read(head, pl_bytes(text, *head_len));
}

/* The status that these bytes are refused with, 0 when they are a head. */
static unsigned judge_bytes(const char *text, size_t len)
{
    struct pl_http_head head;
    size_t head_len;
    unsigned status = read_head(text, len, &head, &head_len);

    CHECK_MSG(status != 0 || head_len == len, "%.*s", (int)len, text);
    return status;
}

static unsigned judge(const char *text)
{
    return judge_bytes(text, strlen(text));
}

/* The same for a head with this line among its fields. */
static unsigned judge_field(const char *field)
{
    char text[1024];

    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\nX-Last: b\r\n\r\n", field);
    return judge(text);
}

static bool value_is(const struct pl_http_head *head, enum pl_http_field_name name, const char *expected)
{
    return pl_bytes_equal(pl_http_value(head, name), pl_str(expected));
}

static void a_head_is_told_as_places_in_its_text(void)
{
    static const char text[] = "POST /a/b?c=d&e=f HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
                               "x-AMZ-target:DynamoDB_20120810.PutItem\r\nX-Empty:\r\n"
                               "Content-Length:  12 \r\nX-Word:  a  b \r\n\r\nbody";
    struct pl_http_head head;
    size_t len;

    CHECK(read_head(text, sizeof text - 1, &head, &len) == 0 && len == sizeof text - 1 - 4);
    CHECK(head.method == PL_HTTP_POST && head.minor == 1 && head.keep_alive && !head.chunked);
    CHECK(pl_bytes_equal(pl_http_text(&head, head.method_word), pl_str("POST")));
    CHECK(pl_bytes_equal(pl_http_text(&head, head.path), pl_str("/a/b")));
    CHECK(pl_bytes_equal(pl_http_text(&head, head.query), pl_str("c=d&e=f")));
    CHECK(head.content_length == 12 && head.field_count == 5);
    CHECK(value_is(&head, PL_HTTP_HOST, "127.0.0.1:8000"));
    CHECK(value_is(&head, PL_HTTP_X_AMZ_TARGET, "DynamoDB_20120810.PutItem"));
    CHECK(!pl_http_has(&head, PL_HTTP_DATE) && value_is(&head, PL_HTTP_DATE, ""));
    CHECK(pl_bytes_equal(pl_http_text(&head, head.fields[2].name), pl_str("X-Empty")));
    CHECK(head.fields[2].value.len == 0);
    CHECK(pl_bytes_equal(pl_http_text(&head, head.fields[4].value), pl_str("a  b")));
}

static void a_head_may_be_moved_with_its_text(void)
{
    char text[] = "GET / HTTP/1.1\r\nHost: before\r\n\r\n", copy[sizeof text];
    struct pl_http_head head;
    size_t len;

    CHECK(read_head(text, sizeof text - 1, &head, &len) == 0);
    memcpy(copy, text, sizeof text);
    memset(text, 'x', sizeof text);
    head.text.data = copy;
    CHECK(value_is(&head, PL_HTTP_HOST, "before"));
}

static void the_four_methods_have_names_and_the_others_have_none(void)
{
    static const char *const words[] = { "GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH" };

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        char text[128];
        struct pl_http_head head;
        size_t len;

        snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: a\r\n\r\n", words[i]);
        CHECK(read_head(text, strlen(text), &head, &len) == 0);
        CHECK(head.method == (i < PL_HTTP_OTHER ? (enum pl_http_method)i : PL_HTTP_OTHER));
    }
}

static void who_stays_is_known_by_version_and_connection(void)
{
    static const struct {
        const char *text;
        bool stays;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pl_http_head head;
        size_t len;

        CHECK(read_head(cases[i].text, strlen(cases[i].text), &head, &len) == 0);
        CHECK_MSG(head.keep_alive == cases[i].stays, "case %u", i);
    }
}

/* --- what is refused --- */

static void line_ends_are_cr_lf_and_nothing_else(void)
{
    CHECK(judge("GET / HTTP/1.1\nHost: a\n\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\n\rHost: a\r\n\r\n") == 400);
    CHECK(judge("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge_field("X: \rTransfer-Encoding: chunked") == 400); /* CVE-2023-30589 */
    CHECK(judge_field("\rTransfer-Encoding: chunked") == 400);
}

static void lines_are_not_continued(void)
{
    CHECK(judge_field("X: a\r\n b") == 400);
    CHECK(judge_field("X: a\r\n\tb") == 400);
    CHECK(judge_field("Content-Length:\r\n 5") == 400); /* CVE-2024-27982 */
    CHECK(judge_field(" Content-Length: 5") == 400);
    CHECK(judge_field(" ") == 400);
    CHECK(judge(" GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);
}

static void control_characters_are_refused_wherever_they_stand(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char in_value[] = "GET / HTTP/1.1\r\nHost: a\r\nX: b_c\r\n\r\n",
             in_name[] = "GET / HTTP/1.1\r\nHost: a\r\nX_Y: b\r\n\r\n",
             in_line[] = "GET /_ HTTP/1.1\r\nHost: a\r\n\r\n";
        bool control = (byte < ' ' && byte != '\t') || byte == 0x7f;
        bool token = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') ||
                     (byte != 0 && strchr("!#$%&'*+-.^_`|~", (int)byte) != NULL);

        *strchr(in_value, '_') = (char)byte;
        CHECK_MSG(judge_bytes(in_value, sizeof in_value - 1) == (control ? 400 : 0), "byte %u", byte);
        *strchr(in_name, '_') = (char)byte;
        if (byte != ':')
            CHECK_MSG(judge_bytes(in_name, sizeof in_name - 1) == (token ? 0 : 400), "byte %u", byte);
        *strchr(in_line, '_') = (char)byte;
        CHECK_MSG(judge_bytes(in_line, sizeof in_line - 1) == (byte > ' ' && byte < 0x7f ? 0 : 400),
                  "byte %u", byte);
    }
}

static void a_request_line_has_three_words_with_a_space_between(void)
{
    CHECK(judge("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET /  HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET / a HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET /\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("GET\r\n\r\n") == 400);
    CHECK(judge("\r\n\r\n") == 400);
    CHECK(judge("get / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("PRI * HTTP/2.0\r\n\r\n") == 400);
}

static void only_http_one_is_spoken(void)
{
    CHECK(judge("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
    CHECK(judge("GET / HTTP/0.9\r\nHost: a\r\n\r\n") == 505);
    CHECK(judge("GET / HTTP/1.2\r\nHost: a\r\n\r\n") != 0);
    CHECK(judge("GET / HTTP/1.10\r\nHost: a\r\n\r\n") != 0);
    CHECK(judge("GET / http/1.1\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n") == 400);
    CHECK(judge("OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n") == 400);
}

static void a_name_ends_at_its_colon(void)
{
    CHECK(judge_field("Content-Length : 5") == 400);
    CHECK(judge_field("X\t: 5") == 400);
    CHECK(judge_field(": 5") == 400);
    CHECK(judge_field("X") == 400);
    CHECK(judge_field("X Y: 5") == 400);
    CHECK(judge_field("Host\xc3\xa4: 5") == 400);
}

static void a_body_has_one_length(void)
{
    CHECK(judge_field("Content-Length: 5\r\nContent-Length: 5") == 400);
    CHECK(judge_field("Content-Length: 5\r\nContent-Length: 6") == 400);
    CHECK(judge_field("Content-Length: 5, 5") == 400);
    CHECK(judge_field("Content-Length: 5\r\nTransfer-Encoding: chunked") == 400);
    CHECK(judge_field("Transfer-Encoding: chunked\r\nContent-Length: 5") == 400);
    CHECK(judge_field("Content-Length: 0\r\nTransfer-Encoding: chunked") == 400);
    CHECK(judge_field("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked") == 400);
    CHECK(judge_field("Content-Length: 5") == 0);
    CHECK(judge_field("Transfer-Encoding: chunked") == 0);
    CHECK(judge_field("Transfer-Encoding: Chunked") == 0);
}

static void a_length_is_digits(void)
{
    static const char *const wrong[] = { "+5",
                                         "-5",
                                         "5.0",
                                         "0x5",
                                         "5 5",
                                         "",
                                         "five",
                                         "5,",
                                         "\"5\"",
                                         "18446744073709551616",
                                         "99999999999999999999999" };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char field[128];

        snprintf(field, sizeof field, "Content-Length: %s", wrong[i]);
        CHECK_MSG(judge_field(field) == 400, "%s", field);
    }
    CHECK(judge_field("Content-Length: 007") == 0);
}

static void chunked_is_the_only_coding_of_a_transfer(void)
{
    CHECK(judge_field("Transfer-Encoding: gzip, chunked") == 501);
    CHECK(judge_field("Transfer-Encoding: identity") >= 400);
    CHECK(judge_field("Transfer-Encoding: chunked, identity") >= 400);
    CHECK(judge_field("Transfer-Encoding: xchunked") >= 400);
    CHECK(judge_field("Transfer-Encoding: chunked;q=1") >= 400);
    CHECK(judge_field("Transfer-Encoding: \x0b"
                      "chunked") == 400);
    CHECK(judge_field("Transfer-Encoding:") >= 400);
    CHECK(judge("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

static void a_host_is_named_once(void)
{
    CHECK(judge("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n") == 400);
    CHECK(judge("GET / HTTP/1.0\r\n\r\n") == 0);
    CHECK(judge("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 0);
}

static void what_decides_comes_once(void)
{
    static const char *const names[] = { "Authorization", "X-Amz-Target",     "X-Amz-Date",
                                         "Content-Type",  "Content-Encoding", "Expect" };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char field[128];

        snprintf(field, sizeof field, "%s: 100-continue\r\n%s: 100-continue", names[i], names[i]);
        CHECK_MSG(judge_field(field) == 400, "%s", names[i]);
    }
    CHECK(judge_field("Accept-Encoding: gzip\r\nAccept-Encoding: deflate") == 0);
    CHECK(judge_field("Cookie: a\r\nCookie: b") == 0);
}

static void only_one_expectation_is_met(void)
{
    struct pl_http_head head;
    size_t len;
    static const char old[] = "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
                      text[] = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n";

    CHECK(judge_field("Expect: 200-ok") == 417);
    CHECK(read_head(text, sizeof text - 1, &head, &len) == 0 && head.expects_continue);
    CHECK(read_head(old, sizeof old - 1, &head, &len) == 0 && !head.expects_continue);
}

static void heads_have_limits(void)
{
    static char text[PL_HTTP_HEAD_MAX + 1024];
    struct pl_http_scan scan;
    struct pl_http_head head;
    size_t len;
    int at;

    /* The longest request line, and one byte more; whole or not. */
    at = sprintf(text, "GET /%0*d HTTP/1.1\r\n", PL_HTTP_LINE_MAX - 16, 0);
    CHECK(at == PL_HTTP_LINE_MAX);
    strcpy(text + at, "Host: a\r\n\r\n");
    CHECK(judge(text) == 0);
    sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", PL_HTTP_LINE_MAX - 15, 0);
    CHECK(judge(text) == 400);
    scan = (struct pl_http_scan){ 0 };
    CHECK(pl_http_scan_head(&scan, pl_bytes(text, PL_HTTP_LINE_MAX), &len) == 0 && len == 0);
    CHECK(pl_http_scan_head(&scan, pl_bytes(text, PL_HTTP_LINE_MAX + 1), &len) == 400);
    /* The same for the fields. */
    at = sprintf(text, "GET / HTTP/1.1\r\n");
    sprintf(text + at, "Host: a\r\nX: %0*d\r\n\r\n", PL_HTTP_FIELDS_MAX - 16, 0);
    CHECK(strlen(text + at) == PL_HTTP_FIELDS_MAX);
    CHECK(judge(text) == 0);
    sprintf(text + at, "Host: a\r\nX: %0*d\r\n\r\n", PL_HTTP_FIELDS_MAX - 15, 0);
    CHECK(judge(text) == 400);
    /* And for their number. */
    for (int count = PL_HTTP_FIELD_COUNT_MAX; count <= PL_HTTP_FIELD_COUNT_MAX + 1; count++) {
        at = sprintf(text, "GET / HTTP/1.0\r\n");
        for (int i = 0; i < count; i++)
            at += sprintf(text + at, "X-%d: %d\r\n", i, i);
        strcpy(text + at, "\r\n");
        CHECK(read_head(text, strlen(text), &head, &len) == (count > PL_HTTP_FIELD_COUNT_MAX ? 400u : 0u));
    }
}

static void a_head_that_comes_byte_by_byte_is_the_same(void)
{
    static const char *const texts[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    };

    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pl_http_scan whole = { 0 }, pieces = { 0 };
        size_t len = strlen(texts[i]), found, other = 0;
        unsigned status = pl_http_scan_head(&whole, pl_bytes(texts[i], len), &found), piece = 0;

        for (size_t cut = 1; cut <= len && piece == 0 && other == 0; cut++)
            piece = pl_http_scan_head(&pieces, pl_bytes(texts[i], cut), &other);
        CHECK_MSG(piece == status && other == found, "text %u", i);
    }
}

/* --- chunks --- */

static struct pl_buf body;

/* Reads `text` in pieces of `step` bytes. The status, or 0; `*used` as it was at the end. */
static unsigned read_chunks(const char *text, size_t step, size_t most, size_t *used)
{
    struct pl_http_chunks chunks;
    size_t len = strlen(text), at = 0;
    unsigned status = 0;

    pl_buf_clear(&body);
    pl_http_chunks_init(&chunks, most);
    while (at < len && status == 0 && !chunks.complete) {
        size_t piece = step < len - at ? step : len - at, taken = 0;
        char *copy = malloc(piece); /* so that a look beyond it is seen */

        memcpy(copy, text + at, piece);
        status = pl_http_chunks_read(&chunks, pl_bytes(copy, piece), &body, &taken);
        free(copy);
        at += taken;
    }
    if (used != NULL)
        *used = chunks.complete ? at : 0;
    return status;
}

static void chunks_are_joined_and_what_follows_is_left(void)
{
    static const char text[] =
        "5\r\nhello\r\n1\r\n,\r\n00A\r\n\r\n0\r\n\r\n 12\r\n0\r\n\r\nGET / HTTP/1.1\r\n";

    for (size_t step = 1; step <= sizeof text; step++) {
        size_t used;

        CHECK_MSG(read_chunks(text, step, 1000, &used) == 0, "step %zu", step);
        CHECK_MSG(pl_bytes_equal(pl_buf_view(&body), pl_str("hello,\r\n0\r\n\r\n 12")), "step %zu", step);
        CHECK(used == sizeof text - 1 - strlen("GET / HTTP/1.1\r\n"));
    }
}

static void chunks_have_one_spelling(void)
{
    static const char *const wrong[] = {
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloX\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "\r\n0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "5\r\nhello\r\n0;x\r\n\r\n",
        "5\r\rhello\r\n0\r\n\r\n",
        "5\rXhello\r\n0\r\n\r\n",
        "000000005\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\nhello",
    };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        for (size_t step = 1; step < 40; step += 3)
            CHECK_MSG(read_chunks(wrong[i], step, 1000, NULL) == 400, "case %u, step %zu", i, step);
}

static void a_chunked_body_has_a_limit(void)
{
    CHECK(read_chunks("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 7, 10, NULL) == 0 && body.len == 10);
    CHECK(read_chunks("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", 7, 10, NULL) == 413);
    CHECK(read_chunks("ffffff\r\nhello, world", 100, 10, NULL) == 413);
    CHECK(read_chunks("0\r\n\r\n", 100, 0, NULL) == 0 && body.len == 0);
}

/* --- replies --- */

static void a_reply_says_what_is_known(void)
{
    struct pl_buf out = { 0 };
    struct pl_http_reply reply = { .status = 200, .body_len = 12345678, .keep_alive = true };

    pl_http_write_head(&out, &reply);
    CHECK(pl_bytes_equal(pl_buf_view(&out),
                         pl_str("HTTP/1.1 200 OK\r\nServer: Perilune\r\nContent-Length: 12345678\r\n"
                                "Connection: keep-alive\r\n\r\n")));
    pl_buf_clear(&out);
    reply = (struct pl_http_reply){ .status = 413,
                                    .date = pl_str("Sun, 06 Nov 1994 08:49:37 GMT"),
                                    .content_type = pl_str("a/b"),
                                    .content_encoding = pl_str("gzip"),
                                    .request_id = pl_str("ID"),
                                    .more = pl_str("X: y\r\n"),
                                    .has_crc32 = true,
                                    .crc32 = 4294967295u };
    pl_http_write_head(&out, &reply);
    CHECK(pl_bytes_equal(
        pl_buf_view(&out),
        pl_str("HTTP/1.1 413 Payload Too Large\r\nServer: Perilune\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Content-Type: a/b\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\nConnection: close\r\n"
               "x-amzn-RequestId: ID\r\nx-amz-crc32: 4294967295\r\nX: y\r\n\r\n")));
    pl_buf_deinit(&out);
}

static void dates_are_written_as_http_wants_them(void)
{
    char date[PL_HTTP_DATE_LEN];

    pl_http_date(784111777, date);
    CHECK(memcmp(date, "Sun, 06 Nov 1994 08:49:37 GMT", sizeof date) == 0);
    pl_http_date(0, date);
    CHECK(memcmp(date, "Thu, 01 Jan 1970 00:00:00 GMT", sizeof date) == 0);
}

int main(void)
{
    RUN(a_head_is_told_as_places_in_its_text);
    RUN(a_head_may_be_moved_with_its_text);
    RUN(the_four_methods_have_names_and_the_others_have_none);
    RUN(who_stays_is_known_by_version_and_connection);
    RUN(line_ends_are_cr_lf_and_nothing_else);
    RUN(lines_are_not_continued);
    RUN(control_characters_are_refused_wherever_they_stand);
    RUN(a_request_line_has_three_words_with_a_space_between);
    RUN(only_http_one_is_spoken);
    RUN(a_name_ends_at_its_colon);
    RUN(a_body_has_one_length);
    RUN(a_length_is_digits);
    RUN(chunked_is_the_only_coding_of_a_transfer);
    RUN(a_host_is_named_once);
    RUN(what_decides_comes_once);
    RUN(only_one_expectation_is_met);
    RUN(heads_have_limits);
    RUN(a_head_that_comes_byte_by_byte_is_the_same);
    RUN(chunks_are_joined_and_what_follows_is_left);
    RUN(chunks_have_one_spelling);
    RUN(a_chunked_body_has_a_limit);
    RUN(a_reply_says_what_is_known);
    RUN(dates_are_written_as_http_wants_them);
    pl_buf_deinit(&body);
    return test_summary();
}
