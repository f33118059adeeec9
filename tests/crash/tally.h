/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_TALLY_H
#define PL_TESTS_CRASH_TALLY_H

#include "witness.h"

/**
 * What the trigger of tables/main.lua has made of Main's stream. It counts each record in an item of its own, by a write that
 * is kept for its checkpoint (stream/kept.h), and raises at poisoned ones. So whatever the disk held:
 *
 *     records up to the checkpoint     counted once, or, if poisoned, among the dead letters
 *     records after it                 neither
 */

/** Look, run the trigger to its end, and look again: nothing may be left to do then. 0, or `witness` has the fault. */
int tally_look(struct witness *witness);

#endif
