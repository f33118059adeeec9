/* SPDX-License-Identifier: MIT */
#ifndef PL_CHECK_H
#define PL_CHECK_H

#include "base/error.h"

/**
 * Verify a data directory that no server has open: checksums, agreement of items and
 * indexes, counters. 0: all is well. PL_ECORRUPT: it is not, and the report says where. Anything
 * else, with `why`: it could not be looked at. `report` receives a JSON object in the first two cases.
 */
int pl_check_directory(const char *data_path, struct pl_buf *report, struct pl_reason *why);

/**
 * The repair of last resort, when the journal is damaged where no power loss can have damaged it: give up every
 * record from the damage on, so that the directory opens again. What was written after that point is lost. Damaged
 * segments are kept beside as *.damaged. `*end` is the journal position that is left. Does nothing to a sound one.
 */
int pl_check_cut_journal(const char *data_path, uint64_t *end, struct pl_reason *why);

#endif
