/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_PLAN_H
#define PL_TESTS_CONSISTENCY_PLAN_H

#include "history.h"

/**
 * What a client asks next: at random, but such that the answers tell much. Whatever is put is a number that nobody
 * else puts, additions are small, guards are often what a client has just seen.
 */
struct plan {
    uint8_t key_count;
    bool transactions; /* a part of the calls are of several keys */
};

/**
 * Fill in what is asked. In the calls' actions `saw_known` and `made_known` say what the client wants to be told (of a transaction that writes:
 * of an item that is the reason for a refusal, and of no other); `seen` is what the items were, as far as the client knows; `put` is the last number that was put.
 */
void plan_call(const struct plan *plan, const struct items *seen, int32_t *put, uint64_t *random,
               struct call *call);

#endif
