/* SPDX-License-Identifier: MIT */
#include "partition/counters.h"

#include <pthread.h>
#include <stdlib.h>

/* Sorted by (id, partition): a table's counts stand together, so a total is one short walk. */
struct entry {
    struct pl_count count;
    bool changed;
};

struct pl_counters {
    pthread_mutex_t lock; /* totals are read by other threads; changes are one add each */
    struct entry *entries;
    size_t count;
    size_t capacity;
};

int pl_counters_new(struct pl_counters **out)
{
    struct pl_counters *counters = calloc(1, sizeof *counters);

    if (counters == NULL)
        return PL_ENOMEM;
    pthread_mutex_init(&counters->lock, NULL);
    *out = counters;
    return 0;
}

void pl_counters_free(struct pl_counters *counters)
{
    if (counters == NULL)
        return;
    pthread_mutex_destroy(&counters->lock);
    free(counters->entries);
    free(counters);
}

static size_t lower_bound(const struct pl_counters *counters, uint32_t id, uint16_t partition)
{
    uint64_t wanted = (uint64_t)id << 16 | partition;
    size_t low = 0, high = counters->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pl_count *at = &counters->entries[middle].count;

        if (((uint64_t)at->id << 16 | at->partition) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert_at(struct pl_counters *counters, size_t at, uint16_t partition, uint32_t id)
{
    if (counters->count == counters->capacity) {
        size_t capacity = counters->capacity == 0 ? 64 : counters->capacity * 2;
        struct entry *entries = realloc(counters->entries, capacity * sizeof *entries);

        if (entries == NULL)
            return PL_ENOMEM;
        counters->entries = entries;
        counters->capacity = capacity;
    }
    memmove(counters->entries + at + 1, counters->entries + at,
            (counters->count - at) * sizeof(struct entry));
    counters->entries[at] = (struct entry){ .count = { .partition = partition, .id = id } };
    counters->count++;
    return 0;
}

int pl_counters_add(struct pl_counters *counters, uint16_t partition, uint32_t id, int64_t items,
                    int64_t size_bytes)
{
    size_t at;
    int rc = 0;

    pthread_mutex_lock(&counters->lock);
    at = lower_bound(counters, id, partition);
    if (at == counters->count || counters->entries[at].count.id != id ||
        counters->entries[at].count.partition != partition)
        rc = insert_at(counters, at, partition, id);
    if (rc == 0) {
        counters->entries[at].count.items += items;
        counters->entries[at].count.size_bytes += size_bytes;
        counters->entries[at].changed = true;
    }
    pthread_mutex_unlock(&counters->lock);
    return rc;
}

struct pl_count pl_counters_total(struct pl_counters *counters, uint32_t id)
{
    struct pl_count total = { .id = id };

    pthread_mutex_lock(&counters->lock);
    for (size_t i = lower_bound(counters, id, 0); i < counters->count && counters->entries[i].count.id == id;
         i++) {
        total.items += counters->entries[i].count.items;
        total.size_bytes += counters->entries[i].count.size_bytes;
    }
    pthread_mutex_unlock(&counters->lock);
    return total;
}

int pl_counters_each_changed(struct pl_counters *counters,
                             int (*each)(void *state, const struct pl_count *count), void *state)
{
    int rc = 0;

    /* Only the shard changes entries, and it is the shard that calls this: no lock is needed to read. */
    for (size_t i = 0; i < counters->count && rc == 0; i++)
        if (counters->entries[i].changed)
            rc = each(state, &counters->entries[i].count);
    return rc;
}

int pl_counters_each(struct pl_counters *counters, int (*each)(void *state, const struct pl_count *count),
                     void *state)
{
    int rc = 0;

    for (size_t i = 0; i < counters->count && rc == 0; i++)
        rc = each(state, &counters->entries[i].count);
    return rc;
}

void pl_counters_settle(struct pl_counters *counters)
{
    size_t kept = 0;

    pthread_mutex_lock(&counters->lock);
    for (size_t i = 0; i < counters->count; i++) {
        struct entry entry = counters->entries[i];

        entry.changed = false;
        if (entry.count.items != 0 || entry.count.size_bytes != 0)
            counters->entries[kept++] = entry;
    }
    counters->count = kept;
    pthread_mutex_unlock(&counters->lock);
}
