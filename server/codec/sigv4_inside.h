/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_SIGV4_INSIDE_H
#define PL_CODEC_SIGV4_INSIDE_H

#include "codec/sigv4.h"

/**
 * What the two halves of sigv4 share: sigv4_read.c finds a signature's parts and judges their form, sigv4.c
 * makes the signature anew and compares.
 */
enum {
    PL_SIGV4_TIME_LEN = 16, /* 20150830T123600Z */
    PL_SIGV4_SCOPE_PARTS = 5,
};

struct pl_sigv4_signature {
    bool in_query;
    struct pl_bytes algorithm;
    struct pl_bytes credential;
    struct pl_bytes signed_names; /* host;x-amz-date */
    struct pl_bytes signature;
    struct pl_bytes date;                        /* as it stands in the request */
    struct pl_bytes scope[PL_SIGV4_SCOPE_PARTS]; /* key id, day, region, service, terminator */
    char time[PL_SIGV4_TIME_LEN];                /* the date as it is signed */
    int64_t time_s;
    const struct pl_sigv4_key *key; /* NULL: nobody knows it */
};

struct pl_sigv4_verifier {
    struct pl_sigv4 *sigv4;
    const struct pl_sigv4_request *request;
    struct pl_buf *words;
    struct pl_sigv4_refusal *refusal;
    struct pl_sigv4_signature signature;
};

/** Find the parts, whichever form they have. Like all that follow, false: refused, and why. */
bool pl_sigv4_read_form(struct pl_sigv4_verifier *v);

/** What verifying needs beyond the form: the algorithm, the time, the scope; and is it the time for it? */
bool pl_sigv4_read_claims(struct pl_sigv4_verifier *v);

/** Refuse with a sentence that lives for ever, with one around what the client has said, or with what stands in `words`. */
bool pl_sigv4_refuse(struct pl_sigv4_verifier *v, const char *type, const char *sentence);
bool pl_sigv4_refuse_saying(struct pl_sigv4_verifier *v, const char *type, const char *before,
                            struct pl_bytes said, const char *after);
bool pl_sigv4_refuse_in_words(struct pl_sigv4_verifier *v, const char *type);

/** Cut what stands before the first `separator` off `*rest`. */
struct pl_bytes pl_sigv4_cut(struct pl_bytes *rest, char separator);

/** The next byte of a query, %XX for one. */
char pl_sigv4_take_decoded(struct pl_bytes *text);

#endif
