/* SPDX-License-Identifier: MIT */
#include "codec/sigv4.h"

#include "base/error.h"

#include "failing_allocation.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* The examples of AWS's public documentation are signed at this moment, with this key. */
enum { EXAMPLE_S = 1440938160 };
static const char example_secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

static struct pl_sigv4_key key_list[] = { { { "OTHER", 5 }, { "other secret", 12 } },
                                          { { "AKIDEXAMPLE", 11 },
                                            { example_secret, sizeof example_secret - 1 } } };
static const struct pl_sigv4_keys keys = { key_list, 2 };

struct check {
    struct pl_sigv4 sigv4;
    struct pl_buf words;
    struct pl_http_head head;
    struct pl_sigv4_refusal refusal;
    int64_t now_s;
};

static struct check *check_open(const struct pl_sigv4_keys *known, const char *service)
{
    struct check *check = calloc(1, sizeof *check);

    CHECK(check != NULL && pl_sigv4_init(&check->sigv4, known, pl_str(service)) == 0);
    check->now_s = EXAMPLE_S;
    return check;
}

static void check_close(struct check *check)
{
    pl_sigv4_deinit(&check->sigv4);
    pl_buf_deinit(&check->words);
    free(check);
}

static bool verify(struct check *check, const char *head, struct pl_bytes body)
{
    struct pl_sigv4_request request = { .head = &check->head, .body = body, .now_ms = check->now_s * 1000 };

    CHECK_MSG(pl_http_head_read(&check->head, pl_str(head)) == 0, "%s", head);
    check->refusal = (struct pl_sigv4_refusal){ "", "" };
    return pl_sigv4_verify(&check->sigv4, &request, &check->words, &check->refusal);
}

static bool is_refused(struct check *check, const char *head, const char *type, const char *sentence)
{
    if (verify(check, head, pl_str("")))
        return false;
    if (strcmp(check->refusal.type, type) == 0 && strcmp(check->refusal.sentence, sentence) == 0)
        return true;
    fprintf(stderr, "refused with %s: %s\n", check->refusal.type, check->refusal.sentence);
    return false;
}

/* --- a signer of our own, for what the documentation has no example of --- */

static void hex_of(const uint8_t *bytes, char *hex)
{
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void sha256(const char *text, char hex[65])
{
    uint8_t digest[32];

    CHECK(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) == 1);
    hex_of(digest, hex);
}

static void hmac(const void *key, size_t key_len, const char *text, uint8_t out[32])
{
    CHECK(HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text, strlen(text), out, NULL) != NULL);
}

/* The signature of a canonical request to dynamodb. */
static void sign_in(const char *region, const char *canonical, const char *time, char hex[65])
{
    char to_sign[512], first[128], hashed[65];
    uint8_t key[32];

    sha256(canonical, hashed);
    snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/dynamodb/aws4_request\n%s", time, time,
             region, hashed);
    snprintf(first, sizeof first, "AWS4%s", example_secret);
    snprintf(hashed, sizeof hashed, "%.8s", time);
    hmac(first, strlen(first), hashed, key);
    hmac(key, 32, region, key);
    hmac(key, 32, "dynamodb", key);
    hmac(key, 32, "aws4_request", key);
    hmac(key, 32, to_sign, key);
    hex_of(key, hex);
}

static void sign(const char *canonical, const char *time, char hex[65])
{
    sign_in("us-east-1", canonical, time, hex);
}

#define SCOPE "20150830/us-east-1/dynamodb/aws4_request"
#define TIME  "20150830T123600Z"

/* A call as an SDK sends it, with `body`, signed. */
static void make_call(char *head, size_t size, const char *body, const char *names,
                      const char *canonical_fields)
{
    char canonical[2048], hashed[65], signature[65];

    sha256(body, hashed);
    snprintf(canonical, sizeof canonical, "POST\n/\n\n%s\n%s\n%s", canonical_fields, names, hashed);
    sign(canonical, TIME, signature);
    snprintf(head, size,
             "POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Amz-Date: " TIME "\r\n"
             "X-Amz-Target:  DynamoDB_20120810.GetItem \r\nX-Twice: a\r\nx-twice:  b   c \r\nContent-Length: "
             "%zu\r\n"
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE
             ", SignedHeaders=%s, Signature=%s\r\n\r\n",
             strlen(body), names, signature);
}

static void make_usual_call(char *head, size_t size, const char *body)
{
    make_call(head, size, body, "host;x-amz-date;x-amz-target;x-twice",
              "host:127.0.0.1:8000\nx-amz-date:" TIME
              "\nx-amz-target:DynamoDB_20120810.GetItem\nx-twice:a,b c\n");
}

/* --- the documentation's examples --- */

static void the_example_of_list_users_is_good(void)
{
    struct check *check = check_open(&keys, "iam");

    CHECK(verify(
        check,
        "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\nHost: iam.amazonaws.com\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Amz-Date: 20150830T123600Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n\r\n",
        pl_str("")));
    check_close(check);
}

static void the_plain_example_is_good(void)
{
    struct check *check = check_open(&keys, "service");

    CHECK(verify(
        check,
        "GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\nX-Amz-Date:20150830T123600Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\r\n\r\n",
        pl_str("")));
    check_close(check);
}

/* --- ours --- */

static void a_call_that_was_signed_is_good_and_stays_good(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048];

    make_usual_call(head, sizeof head, "{\"a\":1}");
    for (int i = 0; i < 3; i++) /* the second time with the key that was kept */
        CHECK_MSG(verify(check, head, pl_str("{\"a\":1}")), "%s", check->refusal.sentence);
    check_close(check);
}

static void one_changed_byte_spoils_the_signature(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048], *at;

    make_usual_call(head, sizeof head, "{\"a\":1}");
    CHECK(!verify(check, head, pl_str("{\"a\":2}")));
    CHECK(!verify(check, head, pl_str("")));
    at = strstr(head, "GetItem");
    memcpy(at, "PutItem", 7);
    CHECK(!verify(check, head, pl_str("{\"a\":1}")));
    CHECK(strcmp(check->refusal.type, "InvalidSignatureException") == 0);
    memcpy(at, "GetItem", 7);
    CHECK(verify(check, head, pl_str("{\"a\":1}")));
    at = strstr(head, "Signature=") + 10;
    for (int i = 0; i < 64; i++) {
        char was = at[i];

        at[i] = was == '0' ? '1' : '0';
        CHECK_MSG(!verify(check, head, pl_str("{\"a\":1}")), "digit %d", i);
        at[i] = was;
    }
    at = strstr(head, "us-east-1");
    memcpy(at, "us-west-1", 9);
    CHECK(!verify(check, head, pl_str("{\"a\":1}")));
    check_close(check);
}

/* Each has a signing key of its own, of which one is kept. */
static void one_region_is_as_good_as_another(void)
{
    static const char *const regions[] = { "us-east-1", "eu-west-1", "us-east-1", "local", "eu-west-1" };
    struct check *check = check_open(&keys, "dynamodb");

    for (unsigned i = 0; i < sizeof regions / sizeof *regions; i++) {
        char head[1024], signature[65];

        sign_in(regions[i],
                "POST\n/\n\nhost:a\nx-amz-date:" TIME "\n\nhost;x-amz-date\n"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                TIME, signature);
        snprintf(head, sizeof head,
                 "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: " TIME "\r\nAuthorization: AWS4-HMAC-SHA256 "
                 "Credential=AKIDEXAMPLE/20150830/%s/dynamodb/"
                 "aws4_request,SignedHeaders=host;x-amz-date,Signature=%s\r\n\r\n",
                 regions[i], signature);
        CHECK_MSG(verify(check, head, pl_str("")), "%s: %s", regions[i], check->refusal.sentence);
    }
    check_close(check);
}

/* A shorter signature is no prefix of a good one, and a longer one no beginning. */
static void a_signature_has_its_length(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048], text[2048];

    make_usual_call(head, sizeof head, "");
    for (int len = 1; len < 64; len += 21) {
        char *at;

        strcpy(text, head);
        at = strstr(text, "Signature=") + 10;
        memmove(at + len, at + 64, strlen(at + 64) + 1);
        CHECK(!verify(check, text, pl_str("")));
    }
    check_close(check);
}

static void a_wrong_signature_is_shown_what_should_have_been_signed(void)
{
    static const char canonical[] = "POST\n/\n\nhost:127.0.0.1:8000\nx-amz-date:" TIME
                                    "\nx-amz-target:DynamoDB_20120810.GetItem\nx-twice:a,b c\n\n"
                                    "host;x-amz-date;x-amz-target;x-twice\n"
                                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048], sentence[2048], hashed[65];

    make_usual_call(head, sizeof head, "");
    strstr(head, "Signature=")[10] ^= 1;
    sha256(canonical, hashed);
    snprintf(sentence, sizeof sentence,
             "The request signature we calculated does not match the signature you provided. Check your AWS "
             "Secret Access Key and signing method. Consult the service documentation for details.\n\n"
             "The Canonical String for this request should have been\n'%s'\n\n"
             "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" TIME "\n" SCOPE "\n%s'\n",
             canonical, hashed);
    CHECK(is_refused(check, head, "InvalidSignatureException", sentence));
    check_close(check);
}

/* A signature in the query: parameters in any order, encoded, with its own name left out. */
static void a_query_may_hold_the_signature(void)
{
    static const char canonical[] =
        "POST\n/"
        "\nA=&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fdynamodb"
        "%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&a=%20~%2F&a=b&a-=c\n"
        "host:127.0.0.1:8000\n\nhost\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048], signature[65];

    sign(canonical, TIME, signature);
    snprintf(head, sizeof head,
             "POST "
             "/?a-=c&a=b&a=%%20%%7e%%2f&X-Amz-SignedHeaders=host&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-"
             "Signature=%s&A"
             "&X-Amz-Date=20150830T123600Z&X-Amz-Credential=AKIDEXAMPLE%%2F20150830%%2Fus-east-1%%2Fdynamodb%"
             "%2Faws4_request "
             "HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n",
             signature);
    CHECK_MSG(verify(check, head, pl_str("")), "%s", check->refusal.sentence);
    strstr(head, "a=b")[2] = 'c';
    CHECK(!verify(check, head, pl_str("")));
    check_close(check);
}

static void a_body_that_is_not_signed_is_good_only_when_the_signer_said_so(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    static const char names[] = "host;x-amz-content-sha256;x-amz-date";
    char head[2048], signature[65];

    sign("POST\n/\n\nhost:a\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:" TIME "\n\n"
         "host;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD",
         TIME, signature);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: " TIME
             "\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n"
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE
             ",SignedHeaders=%s,Signature=%s\r\n\r\n",
             names, signature);
    CHECK_MSG(verify(check, head, pl_str("anything")), "%s", check->refusal.sentence);
    /* The same words, but nobody signed them. */
    sign("POST\n/\n\nhost:a\nx-amz-date:" TIME "\n\nhost;x-amz-date\nUNSIGNED-PAYLOAD", TIME, signature);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: " TIME
             "\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n"
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE
             ",SignedHeaders=host;x-amz-date,Signature=%s\r\n\r\n",
             signature);
    CHECK(!verify(check, head, pl_str("anything")));
    check_close(check);
}

static void the_date_header_will_do(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048], signature[65];

    sign("POST\n/\n\ndate:Sun, 30 Aug 2015 12:36:00 GMT\nhost:a\n\ndate;host\n"
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         TIME, signature);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: a\r\nDate: Sun, 30 Aug 2015 12:36:00 GMT\r\n"
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE
             ",SignedHeaders=date;host,Signature=%s\r\n\r\n",
             signature);
    CHECK_MSG(verify(check, head, pl_str("")), "%s", check->refusal.sentence);
    check_close(check);
}

static void a_signature_is_good_for_a_quarter_of_an_hour_either_way(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048];

    make_usual_call(head, sizeof head, "");
    check->now_s = EXAMPLE_S + 15 * 60;
    CHECK(verify(check, head, pl_str("")));
    check->now_s = EXAMPLE_S - 15 * 60;
    CHECK(verify(check, head, pl_str("")));
    check->now_s = EXAMPLE_S + 15 * 60 + 1;
    CHECK(is_refused(check, head, "InvalidSignatureException",
                     "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
                     "(20150830T125101Z - 15 min.)"));
    check->now_s = EXAMPLE_S - 15 * 60 - 1;
    CHECK(is_refused(check, head, "InvalidSignatureException",
                     "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
                     "(20150830T122059Z + 15 "
                     "min.)"));
    check_close(check);
}

static void an_unknown_key_and_its_owner_are_told_apart(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048];

    make_usual_call(head, sizeof head, "");
    memcpy(strstr(head, "AKIDEXAMPLE"), "AKIDEXAMPLF", 11);
    CHECK(is_refused(check, head, "UnrecognizedClientException",
                     "The security token included in the request is invalid."));
    check_close(check);
}

/* What the signature does not hold can be changed by whoever carries it. */
static void host_and_date_must_be_signed(void)
{
    struct check *check = check_open(&keys, "dynamodb");
    char head[2048];

    make_call(head, sizeof head, "", "x-amz-date", "x-amz-date:" TIME "\n");
    CHECK(is_refused(check, head, "InvalidSignatureException",
                     "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    make_call(head, sizeof head, "", "host", "host:127.0.0.1:8000\n");
    CHECK(!verify(check, head, pl_str("")) && strcmp(check->refusal.type, "InvalidSignatureException") == 0);
    check_close(check);
}

static void a_credential_has_a_scope_that_fits(void)
{
    static const struct {
        const char *credential, *type, *sentence;
    } cases[] = {
        { "AKIDEXAMPLE", "IncompleteSignatureException",
          "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
          "'AKIDEXAMPLE'" },
        { "AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request/x", "IncompleteSignatureException",
          "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
          "'AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request/x'" },
        { "AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request", "InvalidSignatureException",
          "Credential should be scoped to correct service: 'dynamodb'. " },
        { "AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws5_request", "InvalidSignatureException",
          "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'." },
        { "AKIDEXAMPLE/20150831/us-east-1/dynamodb/aws4_request", "InvalidSignatureException",
          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
          "'20150831' != "
          "'20150830', from '20150830T123600Z'." },
    };
    struct check *check = check_open(&keys, "dynamodb");

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[1024];

        snprintf(head, sizeof head,
                 "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: " TIME
                 "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=%s, "
                 "SignedHeaders=host;x-amz-date, Signature=00\r\n\r\n",
                 cases[i].credential);
        CHECK_MSG(is_refused(check, head, cases[i].type, cases[i].sentence), "case %u", i);
    }
    check_close(check);
}

static void a_date_is_a_date(void)
{
    static const char *const wrong[] = { "20150830",
                                         "20150830T123600",
                                         "20151330T123600Z",
                                         "20150832T123600Z",
                                         "20150830T243600Z",
                                         "2015-08-30T12:36:00Z",
                                         "Sun, 30 Foo 2015 12:36:00 GMT",
                                         "Sun, 30 Aug 2015 12:36:00 CET",
                                         "yesterday" };
    struct check *check = check_open(&keys, "dynamodb");

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char head[1024], sentence[256];

        snprintf(head, sizeof head,
                 "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: %s\r\nAuthorization: AWS4-HMAC-SHA256 "
                 "Credential=AKIDEXAMPLE/" SCOPE ", SignedHeaders=host;x-amz-date, Signature=00\r\n\r\n",
                 wrong[i]);
        snprintf(
            sentence, sizeof sentence,
            "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
            wrong[i]);
        CHECK_MSG(is_refused(check, head, "IncompleteSignatureException", sentence), "%s", wrong[i]);
    }
    check_close(check);
}

/* --- the form, which is asked for with keys and without --- */

static void what_is_not_signed_at_all_is_refused(void)
{
    static const struct pl_sigv4_keys none = { NULL, 0 };
    const struct pl_sigv4_keys *known[] = { &keys, &none, NULL };

    for (int i = 0; i < 3; i++) {
        struct check *check = check_open(known[i], "dynamodb");
        static const char missing[] = "MissingAuthenticationTokenException",
                          sentence[] = "Request is missing Authentication Token";

        CHECK(is_refused(check, "POST / HTTP/1.1\r\nHost: a\r\n\r\n", missing, sentence));
        CHECK(is_refused(check, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n", missing,
                         sentence));
        CHECK(is_refused(check, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization:\r\n\r\n", missing, sentence));
        CHECK(is_refused(check, "POST /?X-Amz-Date=a HTTP/1.1\r\nHost: a\r\n\r\n", missing, sentence));
        CHECK(is_refused(
            check, "POST /?X-Amz-Algorithm=a HTTP/1.1\r\nHost: a\r\nAuthorization: AWS4-HMAC-SHA256\r\n\r\n",
            "InvalidSignatureException",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."));
        check_close(check);
    }
}

static void what_lacks_parts_is_told_which(void)
{
    struct check *check = check_open(NULL, "dynamodb");
    static const char incomplete[] = "IncompleteSignatureException";

    CHECK(is_refused(
        check, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: AWS4-\r\n\r\n", incomplete,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
        "parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires "
        "existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-"));
    CHECK(is_refused(
        check,
        "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: x\r\nAuthorization: AWS4-HMAC-SHA256 Signature=b, "
        "Credential=a\r\n\r\n",
        incomplete,
        "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 "
        "Signature=b, "
        "Credential=a"));
    CHECK(is_refused(
        check, "POST /?X-Amz-Algorithm HTTP/1.1\r\nHost: a\r\n\r\n", incomplete,
        "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must "
        "include "
        "'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string "
        "parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include "
        "'X-Amz-Date'. "
        "Re-examine the query-string parameters."));
    CHECK(is_refused(check,
                     "POST /?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Signature=d "
                     "HTTP/1.1\r\nHost: a\r\n\r\n",
                     incomplete,
                     "AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the "
                     "query-string parameters."));
    CHECK(is_refused(
        check,
        "POST "
        "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Signature=d&X-Amz-SignedHeaders=host%0aa "
        "HTTP/1.1\r\nHost: a\r\n\r\n",
        incomplete, "Re-examine the query-string parameters."));
    check_close(check);
}

static void without_keys_a_signature_of_the_right_form_is_good(void)
{
    struct check *check = check_open(NULL, "dynamodb");

    CHECK(verify(check,
                 "POST / HTTP/1.1\r\nHost: a\r\nDate: now\r\nAuthorization: AWS4-HMAC-SHA256 "
                 "Credential=a,SignedHeaders=b,Signature=c\r\n\r\n",
                 pl_str("{}")));
    CHECK(verify(
        check,
        "POST /?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Signature=d&X-Amz-SignedHeaders=e "
        "HTTP/1.1\r\nHost: a\r\n\r\n",
        pl_str("{}")));
    check_close(check);
}

static void every_allocation_may_fail_and_lets_nobody_in(void)
{
    char good[2048], bad[2048];

    make_usual_call(good, sizeof good, "");
    strcpy(bad, good);
    strstr(bad, "Signature=")[10] ^= 1;
    for (int for_good = 0; for_good < 2; for_good++) {
        for (long n = 0; allocation_failing(n, for_good); n++) {
            struct pl_sigv4 sigv4;
            struct pl_buf words = { 0 };
            struct pl_http_head head;
            struct pl_sigv4_request request = { .head = &head,
                                                .body = pl_str(""),
                                                .now_ms = EXAMPLE_S * 1000ll };
            struct pl_sigv4_refusal refusal = { NULL, NULL };
            bool good_is_good = false, bad_is_good = false;
            int rc = pl_sigv4_init(&sigv4, &keys, pl_str("dynamodb"));

            if (rc == 0) {
                pl_http_head_read(&head, pl_str(bad));
                bad_is_good = pl_sigv4_verify(&sigv4, &request, &words, &refusal);
                CHECK(bad_is_good || (refusal.type != NULL && refusal.sentence != NULL));
                pl_http_head_read(&head, pl_str(good));
                good_is_good = pl_sigv4_verify(&sigv4, &request, &words, &refusal);
                pl_sigv4_deinit(&sigv4);
            }
            CHECK_MSG(allocation_failed() || (rc == 0 && good_is_good), "allocation %ld", n);
            CHECK_MSG(!bad_is_good, "allocation %ld", n);
            pl_buf_deinit(&words);
        }
    }
}

int main(void)
{
    RUN(the_example_of_list_users_is_good);
    RUN(the_plain_example_is_good);
    RUN(a_call_that_was_signed_is_good_and_stays_good);
    RUN(one_changed_byte_spoils_the_signature);
    RUN(one_region_is_as_good_as_another);
    RUN(a_signature_has_its_length);
    RUN(a_wrong_signature_is_shown_what_should_have_been_signed);
    RUN(a_query_may_hold_the_signature);
    RUN(a_body_that_is_not_signed_is_good_only_when_the_signer_said_so);
    RUN(the_date_header_will_do);
    RUN(a_signature_is_good_for_a_quarter_of_an_hour_either_way);
    RUN(an_unknown_key_and_its_owner_are_told_apart);
    RUN(host_and_date_must_be_signed);
    RUN(a_credential_has_a_scope_that_fits);
    RUN(a_date_is_a_date);
    RUN(what_is_not_signed_at_all_is_refused);
    RUN(what_lacks_parts_is_told_which);
    RUN(without_keys_a_signature_of_the_right_form_is_good);
    RUN(every_allocation_may_fail_and_lets_nobody_in);
    return test_summary();
}
