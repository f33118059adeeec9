/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_SIGV4_H
#define PL_CODEC_SIGV4_H

#include "codec/http.h"

/**
 * AWS Signature Version 4: who signed this request, and is it what was signed?
 *
 *     canonical request   method, path, query, the signed fields, the body's hash
 *     string to sign      algorithm, time, scope (day/region/service/aws4_request), hash of that
 *     signature           its HMAC under a key made of the secret and the scope
 *
 * It stands in the Authorization header or in the query. Without keys to check it with, a signature of the right
 * form is taken as good. One region is as good as another: there is one view of the data.
 *
 * Rules: "AWS Signature Version 4 for API requests" (IAM user guide); texts as DynamoDB writes them.
 */
struct pl_sigv4_key {
    struct pl_bytes id, secret;
};

struct pl_sigv4_keys {
    const struct pl_sigv4_key *keys;
    uint32_t count;
};

/** OpenSSL's contexts, and the last signing key, which is the same for a day. For one thread. */
struct pl_sigv4 {
    const struct pl_sigv4_keys *keys;
    struct pl_bytes service; /* what a credential must be scoped to */
    struct evp_md_st *sha256;
    struct evp_md_ctx_st *digest;
    struct evp_mac_st *hmac;
    struct evp_mac_ctx_st *mac;
    struct pl_buf canonical, to_sign;      /* of the request that is being looked at; their memory is kept */
    const struct pl_sigv4_key *cached_key; /* NULL: nothing is cached */
    char cached_scope[128];
    size_t cached_scope_len;
    uint8_t cached[32];
};

/**
 * `keys` and `service` ("dynamodb") are lent until deinit; NULL or no keys: nothing is verified. 0 or PL_ENOMEM; then
 * there is nothing to deinit.
 */
int pl_sigv4_init(struct pl_sigv4 *sigv4, const struct pl_sigv4_keys *keys, struct pl_bytes service);
void pl_sigv4_deinit(struct pl_sigv4 *sigv4);

struct pl_sigv4_request {
    const struct pl_http_head *head;
    struct pl_bytes body; /* as it was sent, before anything is unpacked */
    int64_t now_ms;
};

/** Why a request is refused. The sentence is ASCII; it lives in `words` or for ever. */
struct pl_sigv4_refusal {
    const char *type; /* "InvalidSignatureException" */
    const char *sentence;
};

/** True: the request may go on. `words` is scratch. */
bool pl_sigv4_verify(struct pl_sigv4 *sigv4, const struct pl_sigv4_request *request, struct pl_buf *words,
                     struct pl_sigv4_refusal *refusal);

#endif
