/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_TOKEN_H
#define PL_PARTITION_TOKEN_H

#include "model/operation.h"
#include "partition/view.h"

/**
 * A transaction's ClientRequestToken, kept for ten minutes so that a retry finds that the transaction is done. Its
 * two records are part of the transaction's own change, in the coordinator's partition:
 *
 *     TOKEN      partition ▸ kind ▸ 0 u32 ▸ hash64(token) ▸ token              ─▸ 01 ▸ time u64 ▸ digest 16 bytes
 *     TOKEN_AGE  partition ▸ kind ▸ 0 u32 ▸ time u64 (big-endian) ▸ token      ─▸ 01
 *
 * Times are milliseconds by the wall clock, for they outlive the process. A clock that was put back makes a token
 * live longer, never shorter.
 */
enum { PL_TOKEN_LIFE_MS = 10 * 60 * 1000, PL_TOKEN_STEP_RECORDS = 256 };

struct pl_token {
    bool known; /* there is a record, perhaps an old one */
    bool alive;
    uint64_t time_ms;
    struct pl_digest digest;
};

/** What is known of `token`. PL_ECORRUPT: a record that is none. */
int pl_token_find(const struct pl_view *view, struct pl_bytes token, uint16_t partition, uint64_t now_ms,
                  struct pl_token *out);

/** Append the records of a token used now, in place of what is known of it. */
void pl_token_set(struct pl_bytes token, uint16_t partition, const struct pl_token *known,
                  const struct pl_digest *digest, uint64_t now_ms, struct pl_buf *change);

/**
 * Append the removal of at most PL_TOKEN_STEP_RECORDS tokens of the partition that are no longer alive, oldest
 * first. Nothing appended: there is none.
 */
int pl_token_sweep(const struct pl_view *view, uint16_t partition, uint64_t now_ms, struct pl_buf *change);

/** True for the key of a token's record, of either kind. */
bool pl_token_is_in(struct pl_bytes key);

/**
 * Compare a record of either kind with its place and with its twin: `*why_not` is what is wrong with it, or NULL. For
 * `perilune check`. 0, or why nothing could be read.
 */
int pl_token_verify(const struct pl_view *view, struct pl_bytes key, struct pl_bytes value,
                    uint32_t partition_count, const char **why_not);

#endif
