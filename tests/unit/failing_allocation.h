/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_FAILING_ALLOCATION_H
#define PL_TESTS_UNIT_FAILING_ALLOCATION_H

#include "test.h"
#include "wrapped_allocation.h"

/**
 * Makes the n-th allocation of the code under test fail, once or with all after it. The
 * test program is linked with FAILING_ALLOCATION of tests/unit/CMakeLists.txt.
 *
 *     for (long n = 0; allocation_failing(n, for_good); n++) {
 *         ... once, and check that it fails as it should when allocation_failed() ...
 *     }
 *
 * The loop ends behind the first round that did not get as far as the n-th allocation.
 */
static long allocations_left = -1;
static bool allocation_for_good, allocation_has_failed;

static bool allocation_fails(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left > 0) {
        allocations_left--;
        return false;
    }
    allocation_has_failed = true;
    if (!allocation_for_good)
        allocations_left = -1;
    return true;
}

/* Whether the round that ends here met its failure. Allocations work again from here on. */
static bool allocation_failed(void)
{
    allocations_left = -1;
    return allocation_has_failed;
}

static bool allocation_failing(long n, bool for_good)
{
    bool go_on = n == 0 || allocation_has_failed;

    allocations_left = go_on ? n : -1;
    allocation_for_good = for_good;
    allocation_has_failed = false;
    return go_on;
}

#endif
