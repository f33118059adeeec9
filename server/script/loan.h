/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPT_LOAN_H
#define PL_SCRIPT_LOAN_H

#include <stdint.h>

/**
 * Items are lent to a script for one call: what they are views into goes with the
 * call's snapshot. What a script holds of them remembers the number of its call, and
 * once that is over, every use of it fails politely. Must outlive the Lua state's
 * userdata, so it belongs to whoever closes the state.
 */
struct pl_loan {
    uint64_t call; /* grows when a call begins and when it ends */
};

#endif
