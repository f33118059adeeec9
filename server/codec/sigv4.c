/* SPDX-License-Identifier: MIT */
#include "codec/sigv4.h"

#include "base/error.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    HASH_BYTES = 32,
    HEX_BYTES = 2 * HASH_BYTES,
    TIME_LEN = 16, /* 20150830T123600Z */
    DAY_LEN = 8,
    SCOPE_PARTS = 5,
    SKEW_S = 15 * 60,
    PAIRS_MAX = 64, /* of a query */
};

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* --- hashes --- */

int pl_sigv4_init(struct pl_sigv4 *sigv4, const struct pl_sigv4_keys *keys, struct pl_bytes service)
{
    *sigv4 = (struct pl_sigv4){ .keys = keys, .service = service };
    if (keys == NULL || keys->count == 0)
        return 0;
    sigv4->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sigv4->digest = EVP_MD_CTX_new();
    sigv4->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (sigv4->hmac != NULL)
        sigv4->mac = EVP_MAC_CTX_new(sigv4->hmac);
    if (sigv4->sha256 != NULL && sigv4->digest != NULL && sigv4->mac != NULL)
        return 0;
    pl_sigv4_deinit(sigv4);
    return PL_ENOMEM;
}

void pl_sigv4_deinit(struct pl_sigv4 *sigv4)
{
    EVP_MD_CTX_free(sigv4->digest);
    EVP_MD_free(sigv4->sha256);
    EVP_MAC_CTX_free(sigv4->mac);
    EVP_MAC_free(sigv4->hmac);
    pl_buf_deinit(&sigv4->canonical);
    pl_buf_deinit(&sigv4->to_sign);
    OPENSSL_cleanse(sigv4, sizeof *sigv4);
}

static bool hash(struct pl_sigv4 *sigv4, struct pl_bytes bytes, uint8_t out[HASH_BYTES])
{
    return EVP_DigestInit_ex2(sigv4->digest, sigv4->sha256, NULL) == 1 &&
           EVP_DigestUpdate(sigv4->digest, bytes.data, bytes.len) == 1 &&
           EVP_DigestFinal_ex(sigv4->digest, out, NULL) == 1;
}

static bool sign(struct pl_sigv4 *sigv4, struct pl_bytes key, struct pl_bytes text, uint8_t out[HASH_BYTES])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    size_t len;

    return EVP_MAC_init(sigv4->mac, (const unsigned char *)key.data, key.len, params) == 1 &&
           EVP_MAC_update(sigv4->mac, (const unsigned char *)text.data, text.len) == 1 &&
           EVP_MAC_final(sigv4->mac, out, &len, HASH_BYTES) == 1;
}

static void write_hex(const uint8_t bytes[HASH_BYTES], char hex[HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < HASH_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* --- the parts of a signature --- */

struct signature {
    bool in_query;
    struct pl_bytes algorithm;
    struct pl_bytes credential;
    struct pl_bytes signed_names; /* host;x-amz-date */
    struct pl_bytes signature;
    struct pl_bytes date;               /* as it stands in the request */
    struct pl_bytes scope[SCOPE_PARTS]; /* key id, day, region, service, terminator */
    char time[TIME_LEN];                /* the date as it is signed */
    int64_t time_s;
    const struct pl_sigv4_key *key; /* NULL: nobody knows it */
};

struct verifier {
    struct pl_sigv4 *sigv4;
    const struct pl_sigv4_request *request;
    struct pl_buf *words;
    struct pl_sigv4_refusal *refusal;
    struct signature signature;
};

static const struct pl_http_head *head_of(const struct verifier *v)
{
    return v->request->head;
}

static struct pl_bytes trim(struct pl_bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = pl_bytes(text.data + 1, text.len - 1);
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Cut what stands before the first `separator` off `*rest`. */
static struct pl_bytes cut(struct pl_bytes *rest, char separator)
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

static bool begins_with(struct pl_bytes text, const char *beginning)
{
    size_t len = strlen(beginning);

    return text.len >= len && memcmp(text.data, beginning, len) == 0;
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
static bool refuse_in_words(struct verifier *v, const char *type)
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

static bool refuse(struct verifier *v, const char *type, const char *sentence)
{
    v->refusal->type = type;
    v->refusal->sentence = sentence;
    return false;
}

static const char incomplete[] = "IncompleteSignatureException", invalid[] = "InvalidSignatureException";

static void append(struct verifier *v, const char *text)
{
    pl_buf_append_bytes(v->words, pl_str(text));
}

static bool refuse_saying(struct verifier *v, const char *type, const char *before, struct pl_bytes said,
                          const char *after)
{
    struct pl_buf sentence = { 0 }; /* what was said may lie in `words` */

    pl_buf_append_bytes(&sentence, pl_str(before));
    pl_buf_append_bytes(&sentence, said);
    pl_buf_append_bytes(&sentence, pl_str(after));
    pl_buf_clear(v->words);
    pl_buf_append_bytes(v->words, pl_buf_view(&sentence));
    v->words->failed = v->words->failed || sentence.failed;
    pl_buf_deinit(&sentence);
    return refuse_in_words(v, type);
}

/* --- reading: Authorization: AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=.. --- */

static void read_parameter(struct signature *s, struct pl_bytes parameter)
{
    struct pl_bytes value = trim(parameter), name = cut(&value, '=');

    if (pl_bytes_equal(name, pl_str("Credential")))
        s->credential = value;
    else if (pl_bytes_equal(name, pl_str("SignedHeaders")))
        s->signed_names = value;
    else if (pl_bytes_equal(name, pl_str("Signature")))
        s->signature = value;
}

static bool refuse_header(struct verifier *v)
{
    const struct signature *s = &v->signature;

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
    return refuse_in_words(v, incomplete);
}

static bool read_header(struct verifier *v)
{
    struct signature *s = &v->signature;
    struct pl_bytes rest = pl_http_value(head_of(v), PL_HTTP_AUTHORIZATION);

    s->algorithm = cut(&rest, ' ');
    while (rest.len > 0)
        read_parameter(s, cut(&rest, ','));
    s->date = pl_http_value(head_of(v),
                            pl_http_has(head_of(v), PL_HTTP_X_AMZ_DATE) ? PL_HTTP_X_AMZ_DATE : PL_HTTP_DATE);
    if (s->credential.len == 0 || s->signature.len == 0 || s->signed_names.len == 0 || s->date.len == 0)
        return refuse_header(v);
    return true;
}

/* --- reading: ?X-Amz-Algorithm=..&X-Amz-Credential=.. --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next byte of a query, %XX for one. */
static char take_decoded(struct pl_bytes *text)
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

static bool find_in_query(const struct pl_http_head *head, const char *wanted, struct pl_bytes *out)
{
    struct pl_bytes rest = pl_http_text(head, head->query);

    while (rest.len > 0) {
        struct pl_bytes value = cut(&rest, '&'), name = cut(&value, '=');

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
    size_t place; /* in struct signature */
} query_parameters[] = {
    { "X-Amz-Algorithm", offsetof(struct signature, algorithm) },
    { "X-Amz-Credential", offsetof(struct signature, credential) },
    { "X-Amz-Signature", offsetof(struct signature, signature) },
    { "X-Amz-SignedHeaders", offsetof(struct signature, signed_names) },
    { "X-Amz-Date", offsetof(struct signature, date) },
};
enum { QUERY_PARAMETERS = sizeof query_parameters / sizeof query_parameters[0] };

static bool refuse_query(struct verifier *v, const struct pl_bytes values[QUERY_PARAMETERS])
{
    pl_buf_clear(v->words);
    for (int i = 0; i < QUERY_PARAMETERS; i++)
        if (values[i].len == 0)
            pl_buf_append_format(v->words, "AWS query-string parameters must include '%s'. ",
                                 query_parameters[i].name);
    append(v, "Re-examine the query-string parameters.");
    return refuse_in_words(v, incomplete);
}

/* Decoded, they lie one after the other in `words`, which stays as it is until they are no longer needed. */
static bool read_query(struct verifier *v)
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
        return refuse_in_words(v, incomplete);
    for (int i = 0; i < QUERY_PARAMETERS; i++) {
        struct pl_bytes *place = (struct pl_bytes *)((char *)&v->signature + query_parameters[i].place);

        *place = pl_bytes(v->words->data + v->words->len, 0);
        for (; values[i].len > 0; place->len++)
            pl_buf_append_byte(v->words, (uint8_t)take_decoded(&values[i]));
    }
    v->signature.in_query = true;
    return true;
}

/* Which form is it? Exactly one, and all of it. */
static bool read_signature(struct verifier *v)
{
    struct pl_bytes header = pl_http_value(head_of(v), PL_HTTP_AUTHORIZATION), ignored;
    bool in_query = find_in_query(head_of(v), "X-Amz-Algorithm", &ignored);

    if (in_query && pl_http_has(head_of(v), PL_HTTP_AUTHORIZATION))
        return refuse(
            v, invalid,
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
    if (in_query)
        return read_query(v);
    if (!begins_with(header, "AWS4-"))
        return refuse(v, "MissingAuthenticationTokenException", "Request is missing Authentication Token");
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
    return text.len == TIME_LEN && text.data[8] == 'T' && text.data[15] == 'Z' &&
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

static void write_time(int64_t seconds, char out[TIME_LEN + 1])
{
    time_t when = (time_t)seconds;
    struct tm at;
    char text[64];

    gmtime_r(&when, &at);
    snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
             at.tm_hour, at.tm_min, at.tm_sec);
    memcpy(out, text, TIME_LEN);
    out[TIME_LEN] = '\0';
}

static bool read_time(struct verifier *v)
{
    struct signature *s = &v->signature;
    char text[TIME_LEN + 1];
    struct tm at;

    if ((!read_basic(s->date, &at) && !read_http_date(s->date, &at)) || !is_in_range(&at))
        return refuse_saying(v, incomplete, "Date must be in ISO-8601 'basic format'. Got '", s->date,
                             "'. See http://en.wikipedia.org/wiki/ISO_8601");
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    s->time_s = timegm(&at);
    write_time(s->time_s, text);
    memcpy(s->time, text, TIME_LEN);
    return true;
}

/* A signature is good for a quarter of an hour, for less when its maker said so. */
static int64_t lifetime_s(const struct verifier *v)
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

static bool judge_time(struct verifier *v)
{
    int64_t now_s = v->request->now_ms / 1000, signed_s = v->signature.time_s, lifetime = lifetime_s(v);
    char edge[TIME_LEN + 1], now[TIME_LEN + 1], then[TIME_LEN + 1];

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
        return refuse_in_words(v, invalid);
    }
    if (signed_s - SKEW_S > now_s) {
        write_time(now_s + SKEW_S, edge);
        pl_buf_clear(v->words);
        pl_buf_append_format(v->words, "Signature not yet current: %s is still later than %s (%s + 15 min.)",
                             then, edge, now);
        return refuse_in_words(v, invalid);
    }
    return true;
}

/* --- who, and for what --- */

static bool refuse_day(struct verifier *v)
{
    const struct signature *s = &v->signature;
    char rest[96];

    snprintf(rest, sizeof rest, "' != '%.*s', from '%.*s'.", DAY_LEN, s->time, TIME_LEN, s->time);
    return refuse_saying(
        v, invalid,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '",
        s->scope[1], rest);
}

/* AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request */
static bool read_scope(struct verifier *v)
{
    struct signature *s = &v->signature;
    struct pl_bytes rest = s->credential;
    int parts = 1;

    for (size_t i = 0; i < rest.len; i++)
        parts += rest.data[i] == '/';
    if (parts != SCOPE_PARTS)
        return refuse_saying(v, incomplete,
                             "Credential must have exactly 5 slash-delimited elements, e.g. "
                             "keyid/date/region/service/term, got '",
                             s->credential, "'");
    for (int i = 0; i < SCOPE_PARTS; i++)
        s->scope[i] = cut(&rest, '/');
    if (!pl_bytes_equal(s->scope[4], pl_str("aws4_request")))
        return refuse_saying(v, invalid,
                             "Credential should be scoped with a valid terminator: 'aws4_request', not '",
                             s->scope[4], "'.");
    if (!pl_bytes_equal(s->scope[3], v->sigv4->service))
        return refuse_saying(v, invalid, "Credential should be scoped to correct service: '",
                             v->sigv4->service, "'. ");
    if (!pl_bytes_equal(s->scope[1], pl_bytes(s->time, DAY_LEN)))
        return refuse_day(v);
    return true;
}

static void find_key(struct verifier *v)
{
    const struct pl_sigv4_keys *keys = v->sigv4->keys;

    for (uint32_t i = 0; i < keys->count && v->signature.key == NULL; i++)
        if (pl_bytes_equal(keys->keys[i].id, v->signature.scope[0]))
            v->signature.key = &keys->keys[i];
}

static bool is_signed(const struct verifier *v, const char *wanted)
{
    struct pl_bytes rest = v->signature.signed_names;

    while (rest.len > 0)
        if (pl_http_word_equal(cut(&rest, ';'), pl_str(wanted)))
            return true;
    return false;
}

/* --- the canonical request --- */

static void append_encoded(struct pl_buf *out, struct pl_bytes text)
{
    static const char digits[] = "0123456789ABCDEF";

    while (text.len > 0) {
        bool space = text.data[0] == '+';
        uint8_t c = (uint8_t)take_decoded(&text);

        if (space)
            c = ' ';
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '_' || c == '.' || c == '~') {
            pl_buf_append_byte(out, c);
        } else {
            char code[3] = { '%', digits[c >> 4], digits[c & 15] };

            pl_buf_append(out, code, sizeof code);
        }
    }
}

/* Where a parameter stands, encoded, in a buffer that may still move. */
struct pair {
    size_t name, value, end;
};

static int compare_pairs(const void *left, const void *right, void *text)
{
    const struct pair *a = left, *b = right;
    const char *bytes = text;
    int order = pl_bytes_compare(pl_bytes(bytes + a->name, a->value - a->name),
                                 pl_bytes(bytes + b->name, b->value - b->name));

    return order != 0 ? order
                      : pl_bytes_compare(pl_bytes(bytes + a->value, a->end - a->value),
                                         pl_bytes(bytes + b->value, b->end - b->value));
}

/* Encoded and in order. The signature itself is not among what it signs. False: more parameters than anybody has. */
static bool append_query(struct verifier *v, struct pl_buf *out)
{
    struct pl_bytes rest = pl_http_text(head_of(v), head_of(v)->query);
    struct pair pairs[PAIRS_MAX];
    struct pl_buf encoded = { 0 };
    size_t count = 0;

    while (rest.len > 0) {
        struct pl_bytes value = cut(&rest, '&'), name = cut(&value, '=');

        if ((name.len == 0 && value.len == 0) ||
            (v->signature.in_query && pl_bytes_equal(name, pl_str("X-Amz-Signature"))))
            continue;
        if (count == PAIRS_MAX)
            break;
        pairs[count].name = encoded.len;
        append_encoded(&encoded, name);
        pairs[count].value = encoded.len;
        append_encoded(&encoded, value);
        pairs[count++].end = encoded.len;
    }
    if (pl_buf_status(&encoded) == 0) {
        qsort_r(pairs, count, sizeof pairs[0], compare_pairs, encoded.data);
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                pl_buf_append_byte(out, '&');
            pl_buf_append(out, encoded.data + pairs[i].name, pairs[i].value - pairs[i].name);
            pl_buf_append_byte(out, '=');
            pl_buf_append(out, encoded.data + pairs[i].value, pairs[i].end - pairs[i].value);
        }
    }
    out->failed = out->failed || encoded.failed;
    pl_buf_deinit(&encoded);
    return rest.len == 0;
}

/* Each run of white space becomes one space. */
static void append_collapsed(struct pl_buf *out, struct pl_bytes value)
{
    bool white = false;

    for (size_t i = 0; i < value.len; i++) {
        bool is_white = value.data[i] == ' ' || value.data[i] == '\t';

        if (!is_white)
            pl_buf_append_byte(out, (uint8_t)value.data[i]);
        else if (!white)
            pl_buf_append_byte(out, ' ');
        white = is_white;
    }
}

/* name:value, or all its values when it came more than once. */
static void append_field(struct verifier *v, struct pl_buf *out, struct pl_bytes name)
{
    const struct pl_http_head *head = head_of(v);
    bool again = false;

    pl_buf_append_bytes(out, name);
    pl_buf_append_byte(out, ':');
    for (uint16_t i = 0; i < head->field_count; i++) {
        if (!pl_http_word_equal(pl_http_text(head, head->fields[i].name), name))
            continue;
        if (again)
            pl_buf_append_byte(out, ',');
        append_collapsed(out, pl_http_text(head, head->fields[i].value));
        again = true;
    }
    pl_buf_append_byte(out, '\n');
}

static const char unsigned_payload[] = "UNSIGNED-PAYLOAD";

/* The body's hash, unless the signer said, under his signature, that the body does not count. */
static bool append_payload(struct verifier *v, struct pl_buf *out)
{
    struct pl_bytes told = pl_http_value(head_of(v), PL_HTTP_X_AMZ_CONTENT_SHA256);
    uint8_t digest[HASH_BYTES];
    char hex[HEX_BYTES];

    if (pl_bytes_equal(told, pl_str(unsigned_payload)) && is_signed(v, "x-amz-content-sha256")) {
        pl_buf_append_bytes(out, told);
        return true;
    }
    if (!hash(v->sigv4, v->request->body, digest))
        return false;
    write_hex(digest, hex);
    pl_buf_append(out, hex, sizeof hex);
    return true;
}

static bool append_canonical(struct verifier *v, struct pl_buf *out)
{
    struct pl_bytes names = v->signature.signed_names;
    bool whole;

    pl_buf_append_bytes(out, pl_http_text(head_of(v), head_of(v)->method_word));
    pl_buf_append_byte(out, '\n');
    pl_buf_append_bytes(out, pl_http_text(head_of(v), head_of(v)->path));
    pl_buf_append_byte(out, '\n');
    whole = append_query(v, out);
    pl_buf_append_byte(out, '\n');
    while (names.len > 0)
        append_field(v, out, cut(&names, ';'));
    pl_buf_append_byte(out, '\n');
    pl_buf_append_bytes(out, v->signature.signed_names);
    pl_buf_append_byte(out, '\n');
    return append_payload(v, out) && whole;
}

/* --- the signature --- */

static bool append_string_to_sign(struct verifier *v, struct pl_buf *out, struct pl_bytes canonical)
{
    const struct signature *s = &v->signature;
    uint8_t digest[HASH_BYTES];
    char hex[HEX_BYTES];

    if (!hash(v->sigv4, canonical, digest))
        return false;
    write_hex(digest, hex);
    pl_buf_append(out, algorithm, sizeof algorithm - 1);
    pl_buf_append_byte(out, '\n');
    pl_buf_append(out, s->time, TIME_LEN);
    for (int i = 1; i < SCOPE_PARTS; i++) {
        pl_buf_append_byte(out, i == 1 ? '\n' : '/');
        pl_buf_append_bytes(out, s->scope[i]);
    }
    pl_buf_append_byte(out, '\n');
    pl_buf_append(out, hex, sizeof hex);
    return true;
}

/* The scope, without the key's id, names a signing key: it changes once a day. */
static struct pl_bytes scope_of(const struct signature *s)
{
    size_t before = s->scope[0].len + 1;

    return pl_bytes(s->credential.data + before, s->credential.len - before);
}

static bool take_cached(struct pl_sigv4 *sigv4, const struct signature *s, uint8_t key[HASH_BYTES])
{
    if (s->key == NULL || sigv4->cached_key != s->key ||
        !pl_bytes_equal(scope_of(s), pl_bytes(sigv4->cached_scope, sigv4->cached_scope_len)))
        return false;
    memcpy(key, sigv4->cached, HASH_BYTES);
    return true;
}

static void keep_cached(struct pl_sigv4 *sigv4, const struct signature *s, const uint8_t key[HASH_BYTES])
{
    struct pl_bytes scope = scope_of(s);

    if (s->key == NULL || scope.len > sizeof sigv4->cached_scope)
        return;
    sigv4->cached_key = s->key;
    memcpy(sigv4->cached_scope, scope.data, scope.len);
    sigv4->cached_scope_len = scope.len;
    memcpy(sigv4->cached, key, HASH_BYTES);
}

/* An unknown key's id costs what a wrong secret costs. */
static bool make_signing_key(struct verifier *v, uint8_t key[HASH_BYTES])
{
    const struct signature *s = &v->signature;
    struct pl_buf first = { 0 };
    bool good;

    if (take_cached(v->sigv4, s, key))
        return true;
    pl_buf_append_bytes(&first, pl_str("AWS4"));
    pl_buf_append_bytes(&first, s->key != NULL ? s->key->secret : pl_str("nobody's secret"));
    good = pl_buf_status(&first) == 0 && sign(v->sigv4, pl_buf_view(&first), s->scope[1], key);
    for (int i = 2; i < SCOPE_PARTS && good; i++)
        good = sign(v->sigv4, pl_bytes(key, HASH_BYTES), s->scope[i], key);
    if (first.data != NULL)
        OPENSSL_cleanse(first.data, first.capacity);
    pl_buf_deinit(&first);
    if (good)
        keep_cached(v->sigv4, s, key);
    return good;
}

static bool refuse_signature(struct verifier *v, struct pl_bytes canonical, struct pl_bytes to_sign)
{
    pl_buf_clear(v->words);
    append(v, "The request signature we calculated does not match the signature you provided. Check your AWS "
              "Secret "
              "Access Key and signing method. Consult the service documentation for details.\n\n"
              "The Canonical String for this request should have been\n'");
    pl_buf_append_bytes(v->words, canonical);
    append(v, "'\n\nThe String-to-Sign should have been\n'");
    pl_buf_append_bytes(v->words, to_sign);
    append(v, "'\n");
    return refuse_in_words(v, invalid);
}

static bool refuse_for_memory(struct verifier *v)
{
    return refuse(v, "InternalServerError", pl_error_sentence(PL_ENOMEM));
}

static bool judge_signature(struct verifier *v, struct pl_bytes canonical, struct pl_bytes to_sign)
{
    const struct signature *s = &v->signature;
    uint8_t key[HASH_BYTES], digest[HASH_BYTES];
    char hex[HEX_BYTES];
    bool good;

    good = make_signing_key(v, key) && sign(v->sigv4, pl_bytes(key, sizeof key), to_sign, digest);
    OPENSSL_cleanse(key, sizeof key);
    if (!good)
        return refuse_for_memory(v);
    write_hex(digest, hex);
#ifdef PL_MUTANT_ANY_SIGNATURE
    good = s->signature.len == HEX_BYTES;
#else
    good = s->signature.len == HEX_BYTES && CRYPTO_memcmp(s->signature.data, hex, HEX_BYTES) == 0;
#endif
    if (s->key == NULL)
        return refuse(v, "UnrecognizedClientException",
                      "The security token included in the request is invalid.");
    return good || refuse_signature(v, canonical, to_sign);
}

static bool check_signature(struct verifier *v)
{
    struct pl_buf *canonical = &v->sigv4->canonical, *to_sign = &v->sigv4->to_sign;

    pl_buf_clear(canonical);
    pl_buf_clear(to_sign);
    if (!append_canonical(v, canonical))
        pl_buf_append_byte(canonical, '\n'); /* no request has this form, so no signature fits */
    if (!append_string_to_sign(v, to_sign, pl_buf_view(canonical)) || pl_buf_status(canonical) != 0 ||
        pl_buf_status(to_sign) != 0)
        return refuse_for_memory(v);
    return judge_signature(v, pl_buf_view(canonical), pl_buf_view(to_sign));
}

static bool judge_signed_names(struct verifier *v)
{
    if (!is_signed(v, "host"))
        return refuse(v, invalid,
                      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    if (!v->signature.in_query && !is_signed(v, "x-amz-date") && !is_signed(v, "date"))
        return refuse(v, invalid,
                      "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization.");
    return true;
}

bool pl_sigv4_verify(struct pl_sigv4 *sigv4, const struct pl_sigv4_request *request, struct pl_buf *words,
                     struct pl_sigv4_refusal *refusal)
{
    struct verifier v = { .sigv4 = sigv4, .request = request, .words = words, .refusal = refusal };

    pl_buf_clear(words);
    if (!read_signature(&v))
        return false;
    if (sigv4->sha256 == NULL)
        return true;
    if (!pl_bytes_equal(v.signature.algorithm, pl_str(algorithm)))
        return refuse_saying(&v, incomplete, "Unsupported AWS 'algorithm': '", v.signature.algorithm, "'.");
    if (!read_time(&v) || !read_scope(&v) || !judge_time(&v))
        return false;
    find_key(&v);
    return judge_signed_names(&v) && check_signature(&v);
}
