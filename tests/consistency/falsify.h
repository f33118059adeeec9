/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_FALSIFY_H
#define PL_TESTS_CONSISTENCY_FALSIFY_H

#include "history.h"

/**
 * Lies to put into a history that was explained: each in one place, and each such that no order of
 * the calls explains it any more, whatever else happened. Why that is so stands beside each, and rests on what
 * plan.h promises: a number that is put is put by one call alone, and additions never reach the next, so an item is any given
 * number of HISTORY_SPACING or more during one stretch of time at most.
 */
#define FALSEHOOD_MAP(X)                                                                                     \
    X(STALE_READ, "a stale read")                                                                            \
    X(SEEN_AND_GONE, "a write of unknown outcome, seen and gone again")                                      \
    X(EARLY_READ, "a read of what is written only later, as when two replies are swapped")                   \
    X(DIRTY_READ, "a read of what was refused")                                                              \
    X(LOST_UPDATE, "two additions that made the same")                                                       \
    X(TWO_WINNERS, "two changes on condition of the same item")                                              \
    X(FALSE_REFUSAL, "a refusal though the condition held")                                                  \
    X(TORN_TRANSACTION, "one item of a transaction seen, and after it another as it was before")

enum falsehood {
#define FALSEHOOD_ENTRY(name, sentence) FALSEHOOD_##name,
    FALSEHOOD_MAP(FALSEHOOD_ENTRY)
#undef FALSEHOOD_ENTRY
        FALSEHOOD_TOTAL
};

const char *falsehood_sentence(enum falsehood falsehood);

/** False when the history has no place for it: then it is as it was. */
bool falsify(struct history *history, enum falsehood falsehood, uint64_t *random);

#endif
