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

static uint32_t index_position(const struct pl_capacity *capacity, struct pl_bytes name)
{
    uint32_t i = 0;

    while (i < capacity->index_count && !pl_bytes_equal(capacity->indexes[i].name, name))
        i++;
    return i;
}

bool pl_capacity_has_place(const struct pl_capacity *capacity, struct pl_bytes name)
{
    return index_position(capacity, name) < PL_CAPACITY_INDEXES_MAX;
}

void pl_capacity_add_index(struct pl_capacity *capacity, struct pl_bytes name, bool global, uint64_t halves)
{
    uint32_t at = index_position(capacity, name);

    PL_ASSERT(at < PL_CAPACITY_INDEXES_MAX);
    if (at == capacity->index_count) {
        capacity->indexes[at].name = name;
        capacity->indexes[at].global = global;
        capacity->indexes[at].halves = 0;
        capacity->index_count++;
    }
    capacity->indexes[at].halves += halves;
}

void pl_capacity_add(struct pl_capacity *sum, const struct pl_capacity *part)
{
    sum->table_halves += part->table_halves;
    sum->writes = part->writes;
    for (uint32_t i = 0; i < part->index_count; i++) {
        if (!pl_capacity_has_place(sum, part->indexes[i].name))
            sum->table_halves += part->indexes[i].halves;
        else
            pl_capacity_add_index(sum, part->indexes[i].name, part->indexes[i].global,
                                  part->indexes[i].halves);
    }
}

uint64_t pl_capacity_total(const struct pl_capacity *capacity)
{
    uint64_t sum = capacity->table_halves;

    for (uint32_t i = 0; i < capacity->index_count; i++)
        sum += capacity->indexes[i].halves;
    return sum;
}
