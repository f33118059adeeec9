/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_PROTOCOL_STARVING_H
#define PL_TESTS_PROTOCOL_STARVING_H

#include "front/loop.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Allocations of the loop's thread, those of the stand-in aside: counted, and made to fail. A program that uses it is
 * linked with --wrap=malloc,--wrap=calloc,--wrap=realloc.
 */

/** From now on the n-th allocation (from 0) fails, alone or with all after it. */
void starving_begin(long n, bool and_all_after);
/** None fails any more. True when one has failed. */
bool starving_end(void);
/** All allocations so far. */
long starving_count(void);

/** Say the parts over a connection of its own, and hear all that comes until its end. */
void starving_converse(struct pl_loop *loop, const struct pl_client_kind *kind, const char *const *parts,
                       size_t count);

#endif
