/* SPDX-License-Identifier: MIT */
#include "codec/sigv4.h"

#include <stdlib.h>

/*
 * Any bytes are a request: a head and a body behind it. Nobody who does not know the secret gets in, whatever he
 * writes; and who is refused is told why in words that may stand in JSON.
 */
enum { EXAMPLE_S = 1440938160 };

static struct pl_sigv4_key key = { { "AKIDEXAMPLE", 11 }, { "a secret that is in no seed", 27 } };
static const struct pl_sigv4_keys keys = { &key, 1 };

static bool verify(const struct pl_sigv4_keys *known, const struct pl_http_head *head, struct pl_bytes body)
{
    struct pl_sigv4 sigv4;
    struct pl_sigv4_request request = { .head = head, .body = body, .now_ms = EXAMPLE_S * INT64_C(1000) };
    struct pl_sigv4_refusal refusal = { NULL, NULL };
    struct pl_buf words = { 0 };
    bool good;

    if (pl_sigv4_init(&sigv4, known, pl_str("dynamodb")) != 0)
        abort();
    good = pl_sigv4_verify(&sigv4, &request, &words, &refusal);
    if (!good && (refusal.type == NULL || !pl_bytes_is_utf8(pl_str(refusal.sentence))))
        abort();
    pl_sigv4_deinit(&sigv4);
    pl_buf_deinit(&words);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_http_scan scan = { 0 };
    struct pl_http_head head;
    size_t len;

    if (pl_http_scan_head(&scan, pl_bytes(data, size), &len) != 0 || len == 0 ||
        pl_http_head_read(&head, pl_bytes(data, len)) != 0)
        return 0;
    verify(NULL, &head, pl_bytes(data + len, size - len));
    if (verify(&keys, &head, pl_bytes(data + len, size - len)))
        abort();
    return 0;
}
