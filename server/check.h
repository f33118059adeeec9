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

#endif
