/* SPDX-License-Identifier: MIT */
#include "model/capacity.h"

#include "base/error.h"

static uint64_t units(uint64_t size_bytes, uint64_t unit_bytes)
{
    uint64_t count = (size_bytes + unit_bytes - 1) / unit_bytes;

    return count == 0 ? 1 : count;
}

uint64_t pl_capacity_read(uint64_t size_bytes, bool consistent)
{
    return units(size_bytes, PL_READ_UNIT_BYTES) * (consistent ? 2 : 1);
}

uint64_t pl_capacity_write(uint64_t before_bytes, uint64_t after_bytes)
{
    return 2 * units(before_bytes > after_bytes ? before_bytes : after_bytes, PL_WRITE_UNIT_BYTES);
}

void pl_capacity_add_index(struct pl_capacity *capacity, struct pl_bytes name, bool global, uint64_t halves)
{
    for (uint32_t i = 0; i < capacity->index_count; i++) {
        if (pl_bytes_equal(capacity->indexes[i].name, name)) {
            capacity->indexes[i].halves += halves;
            return;
        }
    }
    /* A table has at most 5 + 20 indexes, so there is always a place. */
    PL_ASSERT(capacity->index_count < PL_CAPACITY_INDEXES_MAX);
    capacity->indexes[capacity->index_count].name = name;
    capacity->indexes[capacity->index_count].global = global;
    capacity->indexes[capacity->index_count].halves = halves;
    capacity->index_count++;
}

uint64_t pl_capacity_total(const struct pl_capacity *capacity)
{
    uint64_t sum = capacity->table_halves;

    for (uint32_t i = 0; i < capacity->index_count; i++)
        sum += capacity->indexes[i].halves;
    return sum;
}
