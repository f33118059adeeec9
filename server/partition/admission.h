/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_ADMISSION_H
#define PL_PARTITION_ADMISSION_H

#include "base/clock.h"
#include "model/operation.h"

/**
 * Whether a provisioned table, or a global index of one, has anything left for a request
 * (model/allowance.h), and what the request then takes from it:
 *
 *     read, or write of the table ─▸ evaluate ─▸ write of each global index that changes ─▸ commit ─▸ charge
 *
 * A table on demand costs one comparison. All of it runs where the partition's leader is.
 */

/** `index` is NULL for the table itself. 0, or PL_ETHROUGHPUT with DynamoDB's sentence in `why`. Any thread. */
int pl_admission_read(const struct pl_table *table, const struct pl_index *index,
                      const struct pl_clock *clock, struct pl_reason *why);

/** The table's own part of a write, before it is evaluated. */
int pl_admission_write(const struct pl_table *table, const struct pl_clock *clock, struct pl_reason *why);

/**
 * The other part: an index whose entries the write changes (`touched` lists them) and that has nothing left holds
 * up the whole write. Due before anything is committed.
 */
int pl_admission_indexes(const struct pl_table *table, const struct pl_capacity *touched,
                         const struct pl_clock *clock, struct pl_reason *why);

/**
 * The filling of a new index goes on while the index has anything left, and is charged to it as any
 * write; what it reads is free. A local index is filled for nothing.
 */
bool pl_admission_fills(const struct pl_index *index, const struct pl_clock *clock);

/** Take what was used, local indexes' parts from the table. `used` says whether it was read or written. */
void pl_admission_charge(const struct pl_table *table, const struct pl_capacity *used,
                         const struct pl_clock *clock);

#endif
