/* SPDX-License-Identifier: MIT */
#include "codec/sigv4_inside.h"

#include "base/error.h"

#include <stdio.h>
#include <time.h>

enum { DAY_LEN = 8, SKEW_S = 15 * 60 };

static const struct pl_http_head *head_of(const struct pl_sigv4_verifier *v)
{
    return v->request->head;
}

struct pl_bytes pl_sigv4_cut(struct pl_bytes *rest, char separator)
{
    const char *at = memchr(rest->data, separator, rest->len);
    struct pl_bytes first = *rest;

    if (at == NULL) {
        *rest = pl_bytes(rest->data + rest->len, 0);
        return first;
    }
    first.len = (size_t)(at - rest->data);
    *rest = pl_bytes(at + 1, rest->len - first.len - 1);
    return first;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char pl_sigv4_take_decoded(struct pl_bytes *text)
{
    char c = text->data[0];
    size_t len = 1;

    if (c == '%' && text->len >= 3 && hex_digit(text->data[1]) >= 0 && hex_digit(text->data[2]) >= 0) {
        c = (char)(hex_digit(text->data[1]) << 4 | hex_digit(text->data[2]));
        len = 3;
    }
    *text = pl_bytes(text->data + len, text->len - len);
    return c;
}

/* --- refusing --- */

/* Whatever the client sent must be fit to stand in a JSON string and a log. */
static void make_printable(struct pl_buf *words)
{
    for (size_t i = 0; i < words->len; i++)
        if (words->data[i] != '\n' && (words->data[i] < ' ' || (unsigned char)words->data[i] >= 0x7f))
            words->data[i] = '?';
}

/* The sentence is what stands in `words`. */
bool pl_sigv4_refuse_in_words(struct pl_sigv4_verifier *v, const char *type)
{
    make_printable(v->words);
    pl_buf_append(v->words, "", 1);
    v->refusal->type = type;
    v->refusal->sentence = v->words->data;
    if (pl_buf_status(v->words) != 0) {
        v->refusal->type = "InternalServerError";
        v->refusal->sentence = pl_error_sentence(PL_ENOMEM);
    }
    return false;
}

bool pl_sigv4_refuse(struct pl_sigv4_verifier *v, const char *type, const char *sentence)
{
    v->refusal->type = type;
    v->refusal->sentence = sentence;
    return false;
}

static const char incomplete[] = "IncompleteSignatureException", invalid[] = "InvalidSignatureException";

static void append(struct pl_sigv4_verifier *v, const char *text)
{
    pl_buf_append_bytes(v->words, pl_str(text));
}

bool pl_sigv4_refuse_saying(struct pl_sigv4_verifier *v, const char *type, const char *before,
                            struct pl_bytes said, const char *after)
{
    struct pl_buf sentence = { 0 }; /* what was said may lie in `words` */

    pl_buf_append_bytes(&sentence, pl_str(before));
    pl_buf_append_bytes(&sentence, said);
    pl_buf_append_bytes(&sentence, pl_str(after));
    pl_buf_clear(v->words);
    pl_buf_append_bytes(v->words, pl_buf_view(&sentence));
    v->words->failed = v->words->failed || sentence.failed;
    pl_buf_deinit(&sentence);
    return pl_sigv4_refuse_in_words(v, type);
}

/* --- reading: Authorization: AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=.. --- */

static void read_parameter(struct pl_sigv4_signature *s, struct pl_bytes parameter)
{
    struct pl_bytes value = pl_bytes_trim(parameter), name = pl_sigv4_cut(&value, '=');

    if (pl_bytes_equal(name, pl_str("Credential")))
        s->credential = value;
    else if (pl_bytes_equal(name, pl_str("SignedHeaders")))
        s->signed_names = value;
    else if (pl_bytes_equal(name, pl_str("Signature")))
        s->signature = value;
}

static bool refuse_header(struct pl_sigv4_verifier *v)
{
    const struct pl_sigv4_signature *s = &v->signature;

    pl_buf_clear(v->words);
    if (s->credential.len == 0)
        append(v, "Authorization header requires 'Credential' parameter. ");
    if (s->signature.len == 0)
        append(v, "Authorization header requires 'Signature' parameter. ");
    if (s->signed_names.len == 0)
        append(v, "Authorization header requires 'SignedHeaders' parameter. ");
    if (s->date.len == 0)
        append(v, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    append(v, "Authorization=");
    pl_buf_append_bytes(v->words, pl_http_value(head_of(v), PL_HTTP_AUTHORIZATION));
    return pl_sigv4_refuse_in_words(v, incomplete);
}

static bool read_header(struct pl_sigv4_verifier *v)
{
    struct pl_sigv4_signature *s = &v->signature;
    struct pl_bytes rest = pl_http_value(head_of(v), PL_HTTP_AUTHORIZATION);

    s->algorithm = pl_sigv4_cut(&rest, ' ');
    while (rest.len > 0)
        read_parameter(s, pl_sigv4_cut(&rest, ','));
    s->date = pl_http_value(head_of(v),
                            pl_http_has(head_of(v), PL_HTTP_X_AMZ_DATE) ? PL_HTTP_X_AMZ_DATE : PL_HTTP_DATE);
    if (s->credential.len == 0 || s->signature.len == 0 || s->signed_names.len == 0 || s->date.len == 0)
        return refuse_header(v);
    return true;
}

/* --- reading: ?X-Amz-Algorithm=..&X-Amz-Credential=.. --- */

static bool find_in_query(const struct pl_http_head *head, const char *wanted, struct pl_bytes *out)
{
    struct pl_bytes rest = pl_http_text(head, head->query);

    while (rest.len > 0) {
        struct pl_bytes value = pl_sigv4_cut(&rest, '&'), name = pl_sigv4_cut(&value, '=');

        if (pl_bytes_equal(name, pl_str(wanted))) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The parameters, in the order in which missing ones are told. */
static const struct {
    const char *name;
    size_t place; /* in struct pl_sigv4_signature */
} query_parameters[] = {
    { "X-Amz-Algorithm", offsetof(struct pl_sigv4_signature, algorithm) },
    { "X-Amz-Credential", offsetof(struct pl_sigv4_signature, credential) },
    { "X-Amz-Signature", offsetof(struct pl_sigv4_signature, signature) },
    { "X-Amz-SignedHeaders", offsetof(struct pl_sigv4_signature, signed_names) },
    { "X-Amz-Date", offsetof(struct pl_sigv4_signature, date) },
};
enum { QUERY_PARAMETERS = sizeof query_parameters / sizeof query_parameters[0] };

static bool refuse_query(struct pl_sigv4_verifier *v, const struct pl_bytes values[QUERY_PARAMETERS])
{
    pl_buf_clear(v->words);
    for (int i = 0; i < QUERY_PARAMETERS; i++)
        if (values[i].len == 0)
            pl_buf_append_format(v->words, "AWS query-string parameters must include '%s'. ",
                                 query_parameters[i].name);
    append(v, "Re-examine the query-string parameters.");
    return pl_sigv4_refuse_in_words(v, incomplete);
}

static bool is_graphic(struct pl_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || (unsigned char)text.data[i] >= 0x7f)
            return false;
    return true;
}

/* Decoded, they lie one after the other in `words`, which stays as it is until they are no longer needed. */
static bool read_query(struct pl_sigv4_verifier *v)
{
    struct pl_bytes values[QUERY_PARAMETERS] = { { 0 } };
    bool whole = true;

    for (int i = 0; i < QUERY_PARAMETERS; i++) {
        find_in_query(head_of(v), query_parameters[i].name, &values[i]);
        whole = whole && values[i].len > 0;
    }
    if (!whole)
        return refuse_query(v, values);
    pl_buf_clear(v->words);
    if (pl_buf_reserve(v->words, head_of(v)->query.len) == NULL)
        return pl_sigv4_refuse_in_words(v, incomplete);
    for (int i = 0; i < QUERY_PARAMETERS; i++) {
        struct pl_bytes *place = (struct pl_bytes *)((char *)&v->signature + query_parameters[i].place);

        *place = pl_bytes(v->words->data + v->words->len, 0);
        for (; values[i].len > 0; place->len++)
            pl_buf_append_byte(v->words, (uint8_t)pl_sigv4_take_decoded(&values[i]));
        /* A line end in a list of names would make one signed text of two requests. */
        if (!is_graphic(*place))
            return pl_sigv4_refuse(v, incomplete, "Re-examine the query-string parameters.");
    }
    v->signature.in_query = true;
    return true;
}

/* Which form is it? Exactly one, and all of it. */
bool pl_sigv4_read_form(struct pl_sigv4_verifier *v)
{
    struct pl_bytes header = pl_http_value(head_of(v), PL_HTTP_AUTHORIZATION), ignored;
    bool in_query = find_in_query(head_of(v), "X-Amz-Algorithm", &ignored);

    if (in_query && pl_http_has(head_of(v), PL_HTTP_AUTHORIZATION))
        return pl_sigv4_refuse(
            v, invalid,
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
    if (in_query)
        return read_query(v);
    if (!pl_bytes_has_prefix(header, pl_str("AWS4-")))
        return pl_sigv4_refuse(v, "MissingAuthenticationTokenException",
                               "Request is missing Authentication Token");
    return read_header(v);
}

/* --- when --- */

static bool read_digits(const char *text, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* 20150830T123600Z */
static bool read_basic(struct pl_bytes text, struct tm *at)
{
    *at = (struct tm){ 0 };
    return text.len == PL_SIGV4_TIME_LEN && text.data[8] == 'T' && text.data[15] == 'Z' &&
           read_digits(text.data, 4, &at->tm_year) && read_digits(text.data + 4, 2, &at->tm_mon) &&
           read_digits(text.data + 6, 2, &at->tm_mday) && read_digits(text.data + 9, 2, &at->tm_hour) &&
           read_digits(text.data + 11, 2, &at->tm_min) && read_digits(text.data + 13, 2, &at->tm_sec);
}

/* Sun, 30 Aug 2015 12:36:00 GMT */
static bool read_http_date(struct pl_bytes text, struct tm *at)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    *at = (struct tm){ 0 };
    if (text.len != PL_HTTP_DATE_LEN || memcmp(text.data + 25, " GMT", 4) != 0)
        return false;
    while (at->tm_mon < 12 && memcmp(months + 3 * at->tm_mon, text.data + 8, 3) != 0)
        at->tm_mon++;
    return ++at->tm_mon <= 12 && read_digits(text.data + 5, 2, &at->tm_mday) &&
           read_digits(text.data + 12, 4, &at->tm_year) && read_digits(text.data + 17, 2, &at->tm_hour) &&
           read_digits(text.data + 20, 2, &at->tm_min) && read_digits(text.data + 23, 2, &at->tm_sec);
}

static bool is_in_range(const struct tm *at)
{
    return at->tm_mon >= 1 && at->tm_mon <= 12 && at->tm_mday >= 1 && at->tm_mday <= 31 && at->tm_hour < 24 &&
           at->tm_min < 60 && at->tm_sec <= 60;
}

static void write_time(int64_t seconds, char out[PL_SIGV4_TIME_LEN + 1])
{
    time_t when = (time_t)seconds;
    struct tm at;
    char text[64];

    gmtime_r(&when, &at);
    snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
             at.tm_hour, at.tm_min, at.tm_sec);
    memcpy(out, text, PL_SIGV4_TIME_LEN);
    out[PL_SIGV4_TIME_LEN] = '\0';
}

static bool read_time(struct pl_sigv4_verifier *v)
{
    struct pl_sigv4_signature *s = &v->signature;
    char text[PL_SIGV4_TIME_LEN + 1];
    struct tm at;

    if ((!read_basic(s->date, &at) && !read_http_date(s->date, &at)) || !is_in_range(&at))
        return pl_sigv4_refuse_saying(v, incomplete, "Date must be in ISO-8601 'basic format'. Got '",
                                      s->date, "'. See http://en.wikipedia.org/wiki/ISO_8601");
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    s->time_s = timegm(&at);
    write_time(s->time_s, text);
    memcpy(s->time, text, PL_SIGV4_TIME_LEN);
    return true;
}

/* A signature is good for a quarter of an hour, for less when its maker said so. */
static int64_t lifetime_s(const struct pl_sigv4_verifier *v)
{
    struct pl_bytes text;
    int64_t seconds = 0;

    if (!v->signature.in_query || !find_in_query(head_of(v), "X-Amz-Expires", &text) || text.len == 0)
        return SKEW_S;
    for (size_t i = 0; i < text.len && seconds < SKEW_S; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        seconds = seconds * 10 + (text.data[i] - '0');
    }
    return seconds < SKEW_S ? seconds : SKEW_S;
}

static bool judge_time(struct pl_sigv4_verifier *v)
{
    int64_t now_s = v->request->now_ms / 1000, signed_s = v->signature.time_s, lifetime = lifetime_s(v);
    char edge[PL_SIGV4_TIME_LEN + 1], now[PL_SIGV4_TIME_LEN + 1], then[PL_SIGV4_TIME_LEN + 1];

    write_time(now_s, now);
    write_time(signed_s, then);
    if (signed_s + lifetime < now_s) {
        write_time(now_s - lifetime, edge);
        pl_buf_clear(v->words);
        pl_buf_append_format(v->words, "Signature expired: %s is now earlier than %s (%s - ", then, edge,
                             now);
        if (lifetime == SKEW_S)
            append(v, "15 min.)");
        else
            pl_buf_append_format(v->words, "%d s.)", (int)lifetime);
        return pl_sigv4_refuse_in_words(v, invalid);
    }
    if (signed_s - SKEW_S > now_s) {
        write_time(now_s + SKEW_S, edge);
        pl_buf_clear(v->words);
        pl_buf_append_format(v->words, "Signature not yet current: %s is still later than %s (%s + 15 min.)",
                             then, edge, now);
        return pl_sigv4_refuse_in_words(v, invalid);
    }
    return true;
}

/* --- who, and for what --- */

static bool refuse_day(struct pl_sigv4_verifier *v)
{
    const struct pl_sigv4_signature *s = &v->signature;
    char rest[96];

    snprintf(rest, sizeof rest, "' != '%.*s', from '%.*s'.", DAY_LEN, s->time, PL_SIGV4_TIME_LEN, s->time);
    return pl_sigv4_refuse_saying(
        v, invalid,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '",
        s->scope[1], rest);
}

/* AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request */
static bool read_scope(struct pl_sigv4_verifier *v)
{
    struct pl_sigv4_signature *s = &v->signature;
    struct pl_bytes rest = s->credential;
    int parts = 1;

    for (size_t i = 0; i < rest.len; i++)
        parts += rest.data[i] == '/';
    if (parts != PL_SIGV4_SCOPE_PARTS)
        return pl_sigv4_refuse_saying(v, incomplete,
                                      "Credential must have exactly 5 slash-delimited elements, e.g. "
                                      "keyid/date/region/service/term, got '",
                                      s->credential, "'");
    for (int i = 0; i < PL_SIGV4_SCOPE_PARTS; i++)
        s->scope[i] = pl_sigv4_cut(&rest, '/');
    if (!pl_bytes_equal(s->scope[4], pl_str("aws4_request")))
        return pl_sigv4_refuse_saying(
            v, invalid, "Credential should be scoped with a valid terminator: 'aws4_request', not '",
            s->scope[4], "'.");
    if (!pl_bytes_equal(s->scope[3], v->sigv4->service))
        return pl_sigv4_refuse_saying(v, invalid, "Credential should be scoped to correct service: '",
                                      v->sigv4->service, "'. ");
    if (!pl_bytes_equal(s->scope[1], pl_bytes(s->time, DAY_LEN)))
        return refuse_day(v);
    return true;
}

bool pl_sigv4_read_claims(struct pl_sigv4_verifier *v)
{
    if (!pl_bytes_equal(v->signature.algorithm, pl_str("AWS4-HMAC-SHA256")))
        return pl_sigv4_refuse_saying(v, incomplete, "Unsupported AWS 'algorithm': '", v->signature.algorithm,
                                      "'.");
    return read_time(v) && read_scope(v) && judge_time(v);
}
