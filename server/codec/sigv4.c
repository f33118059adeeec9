/* SPDX-License-Identifier: MIT */
#include "codec/sigv4.h"

#include "base/error.h"
#include "codec/sigv4_inside.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum {
    HASH_BYTES = 32,
    HEX_BYTES = 2 * HASH_BYTES,
    PAIRS_MAX = 64, /* of a query */
};

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

/* --- who --- */

static const struct pl_http_head *head_of(const struct pl_sigv4_verifier *v)
{
    return v->request->head;
}

static void find_key(struct pl_sigv4_verifier *v)
{
    const struct pl_sigv4_keys *keys = v->sigv4->keys;

    for (uint32_t i = 0; i < keys->count && v->signature.key == NULL; i++)
        if (pl_bytes_equal(keys->keys[i].id, v->signature.scope[0]))
            v->signature.key = &keys->keys[i];
}

static bool is_signed(const struct pl_sigv4_verifier *v, const char *wanted)
{
    struct pl_bytes rest = v->signature.signed_names;

    while (rest.len > 0)
        if (pl_http_word_equal(pl_sigv4_cut(&rest, ';'), pl_str(wanted)))
            return true;
    return false;
}

/* --- the canonical request --- */

static void append_encoded(struct pl_buf *out, struct pl_bytes text)
{
    static const char digits[] = "0123456789ABCDEF";

    while (text.len > 0) {
        bool space = text.data[0] == '+';
        uint8_t c = (uint8_t)pl_sigv4_take_decoded(&text);

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
static bool append_query(struct pl_sigv4_verifier *v, struct pl_buf *out)
{
    struct pl_bytes rest = pl_http_text(head_of(v), head_of(v)->query);
    struct pair pairs[PAIRS_MAX];
    struct pl_buf encoded = { 0 };
    size_t count = 0;

    while (rest.len > 0) {
        struct pl_bytes value = pl_sigv4_cut(&rest, '&'), name = pl_sigv4_cut(&value, '=');

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
static void append_field(struct pl_sigv4_verifier *v, struct pl_buf *out, struct pl_bytes name)
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
static bool append_payload(struct pl_sigv4_verifier *v, struct pl_buf *out)
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

static bool append_canonical(struct pl_sigv4_verifier *v, struct pl_buf *out)
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
        append_field(v, out, pl_sigv4_cut(&names, ';'));
    pl_buf_append_byte(out, '\n');
    pl_buf_append_bytes(out, v->signature.signed_names);
    pl_buf_append_byte(out, '\n');
    return append_payload(v, out) && whole;
}

/* --- the signature --- */

static bool append_string_to_sign(struct pl_sigv4_verifier *v, struct pl_buf *out, struct pl_bytes canonical)
{
    const struct pl_sigv4_signature *s = &v->signature;
    uint8_t digest[HASH_BYTES];
    char hex[HEX_BYTES];

    if (!hash(v->sigv4, canonical, digest))
        return false;
    write_hex(digest, hex);
    pl_buf_append_bytes(out, pl_str("AWS4-HMAC-SHA256"));
    pl_buf_append_byte(out, '\n');
    pl_buf_append(out, s->time, PL_SIGV4_TIME_LEN);
    for (int i = 1; i < PL_SIGV4_SCOPE_PARTS; i++) {
        pl_buf_append_byte(out, i == 1 ? '\n' : '/');
        pl_buf_append_bytes(out, s->scope[i]);
    }
    pl_buf_append_byte(out, '\n');
    pl_buf_append(out, hex, sizeof hex);
    return true;
}

/* The scope, without the key's id, names a signing key: it changes once a day. */
static struct pl_bytes scope_of(const struct pl_sigv4_signature *s)
{
    size_t before = s->scope[0].len + 1;

    return pl_bytes(s->credential.data + before, s->credential.len - before);
}

static bool take_cached(struct pl_sigv4 *sigv4, const struct pl_sigv4_signature *s, uint8_t key[HASH_BYTES])
{
    if (s->key == NULL || sigv4->cached_key != s->key ||
        !pl_bytes_equal(scope_of(s), pl_bytes(sigv4->cached_scope, sigv4->cached_scope_len)))
        return false;
    memcpy(key, sigv4->cached, HASH_BYTES);
    return true;
}

static void keep_cached(struct pl_sigv4 *sigv4, const struct pl_sigv4_signature *s,
                        const uint8_t key[HASH_BYTES])
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
static bool make_signing_key(struct pl_sigv4_verifier *v, uint8_t key[HASH_BYTES])
{
    const struct pl_sigv4_signature *s = &v->signature;
    struct pl_buf first = { 0 };
    bool good;

    if (take_cached(v->sigv4, s, key))
        return true;
    pl_buf_append_bytes(&first, pl_str("AWS4"));
    pl_buf_append_bytes(&first, s->key != NULL ? s->key->secret : pl_str("nobody's secret"));
    good = pl_buf_status(&first) == 0 && sign(v->sigv4, pl_buf_view(&first), s->scope[1], key);
    for (int i = 2; i < PL_SIGV4_SCOPE_PARTS && good; i++)
        good = sign(v->sigv4, pl_bytes(key, HASH_BYTES), s->scope[i], key);
    if (first.data != NULL)
        OPENSSL_cleanse(first.data, first.capacity);
    pl_buf_deinit(&first);
    if (good)
        keep_cached(v->sigv4, s, key);
    return good;
}

static const char mismatch[] =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details.\n\n"
    "The Canonical String for this request should have been\n'";

static bool refuse_signature(struct pl_sigv4_verifier *v, struct pl_bytes canonical, struct pl_bytes to_sign)
{
    pl_buf_clear(v->words);
    pl_buf_append_bytes(v->words, pl_str(mismatch));
    pl_buf_append_bytes(v->words, canonical);
    pl_buf_append_bytes(v->words, pl_str("'\n\nThe String-to-Sign should have been\n'"));
    pl_buf_append_bytes(v->words, to_sign);
    pl_buf_append_bytes(v->words, pl_str("'\n"));
    return pl_sigv4_refuse_in_words(v, "InvalidSignatureException");
}

static bool refuse_for_memory(struct pl_sigv4_verifier *v)
{
    return pl_sigv4_refuse(v, "InternalServerError", pl_error_sentence(PL_ENOMEM));
}

static bool judge_signature(struct pl_sigv4_verifier *v, struct pl_bytes canonical, struct pl_bytes to_sign)
{
    const struct pl_sigv4_signature *s = &v->signature;
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
        return pl_sigv4_refuse(v, "UnrecognizedClientException",
                               "The security token included in the request is invalid.");
    return good || refuse_signature(v, canonical, to_sign);
}

static bool check_signature(struct pl_sigv4_verifier *v)
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

static bool judge_signed_names(struct pl_sigv4_verifier *v)
{
    if (!is_signed(v, "host"))
        return pl_sigv4_refuse(v, "InvalidSignatureException",
                               "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    if (!v->signature.in_query && !is_signed(v, "x-amz-date") && !is_signed(v, "date"))
        return pl_sigv4_refuse(v, "InvalidSignatureException",
                               "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization.");
    return true;
}

bool pl_sigv4_verify(struct pl_sigv4 *sigv4, const struct pl_sigv4_request *request, struct pl_buf *words,
                     struct pl_sigv4_refusal *refusal)
{
    struct pl_sigv4_verifier v = { .sigv4 = sigv4, .request = request, .words = words, .refusal = refusal };

    pl_buf_clear(words);
    if (!pl_sigv4_read_form(&v))
        return false;
    if (sigv4->sha256 == NULL)
        return true;
    if (!pl_sigv4_read_claims(&v))
        return false;
    find_key(&v);
    return judge_signed_names(&v) && check_signature(&v);
}
