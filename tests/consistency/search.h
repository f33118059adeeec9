/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_SEARCH_H
#define PL_TESTS_CONSISTENCY_SEARCH_H

#include "history.h"

/**
 * Is there an order of a history's calls that explains it: one at a time, each within its own time, each
 * told the truth? Without transactions that is asked of every key alone (a history is linearizable when it is so for
 * each of its items), with them of all keys at once (strict serializability).
 *
 * The search places calls one after another and never looks twice at the same set of placed calls with the
 * same items: quick for a few hundred calls of eight clients, hopeless for much longer ones.
 */
enum verdict {
    VERDICT_EXPLAINED,
    VERDICT_REFUSED,
    VERDICT_GAVE_UP, /* too many ways to look at, or no memory: nothing is proved */
};

/** The calls must be in order (history_sort()). */
enum verdict search_order(const struct history *history);

#endif
