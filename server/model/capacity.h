/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_CAPACITY_H
#define PL_MODEL_CAPACITY_H

#include "base/bytes.h"

/**
 * Capacity as DynamoDB counts it, in half units so that an
 * eventually consistent read (0.5 for 4 KB) is a whole number.
 */
enum { PL_READ_UNIT_BYTES = 4096, PL_WRITE_UNIT_BYTES = 1024, PL_CAPACITY_INDEXES_MAX = 25 };

enum pl_capacity_report { PL_CAPACITY_NONE, PL_CAPACITY_TOTAL, PL_CAPACITY_INDEXES };

struct pl_capacity {
    uint64_t table_halves;
    struct {
        struct pl_bytes name; /* the table's; good while the operation holds its table */
        bool global;
        uint64_t halves;
    } indexes[PL_CAPACITY_INDEXES_MAX];
    uint32_t index_count;
    bool writes; /* half units of writes, not of reads */
};

/** Half units for reading `size_bytes` in one go: at least one unit's worth. */
uint64_t pl_capacity_read(uint64_t size_bytes, bool consistent);

/** Half units for writing: the larger of the item before and after (0 when there was none). */
uint64_t pl_capacity_write(uint64_t before_bytes, uint64_t after_bytes);

/** False when the index `name` is new and as many as a table can have are there already. */
bool pl_capacity_has_place(const struct pl_capacity *capacity, struct pl_bytes name);

/** Add `halves` for the index `name`, which has a place: a table's always do. */
void pl_capacity_add_index(struct pl_capacity *capacity, struct pl_bytes name, bool global, uint64_t halves);

/** Add what `part` holds, of whichever table: the total is right also when the indexes have no place of their own. */
void pl_capacity_add(struct pl_capacity *sum, const struct pl_capacity *part);

/** Table and indexes together. */
uint64_t pl_capacity_total(const struct pl_capacity *capacity);

#endif
