/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_PERFECT_H
#define PL_TESTS_CONSISTENCY_PERFECT_H

#include "plan.h"

/**
 * A perfect store, in no time at all: every call of its clients falls on one moment between its begin and its
 * end, and what has happened when the store is cut off is there afterwards.
 */
struct perfect {
    struct plan plan;
    uint8_t clients;
    uint8_t calls;          /* of each client */
    uint64_t cut_off_every; /* time units; 0: never. A call lasts a hundred or so. */
};

/** A history of such a store, in order. Calls that were cut off and only looked are not in it. */
void perfect_history(const struct perfect *perfect, uint64_t *random, struct history *out);

#endif
