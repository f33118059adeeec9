/* SPDX-License-Identifier: MIT */
#include "partition/inflight.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * An open-addressing table with linear probing; deletion moves later members of the
 * run back, so there are no tombstones of the table's own and a run never outlives
 * its keys. At most half full.
 */
struct slot {
    uint64_t hash;
    uint64_t batch;
    struct pl_bytes key; /* data NULL: an empty slot */
    struct pl_bytes value;
    bool tombstone;
};

struct pl_inflight {
    struct slot *slots;
    size_t mask;
    size_t count;
    uint64_t seed; /* of the hashes */
};

enum { FIRST_SLOTS = 1024 };

int pl_inflight_new(uint64_t seed, struct pl_inflight **out)
{
    struct pl_inflight *inflight = calloc(1, sizeof *inflight);

    if (inflight == NULL)
        return PL_ENOMEM;
    inflight->slots = calloc(FIRST_SLOTS, sizeof *inflight->slots);
    if (inflight->slots == NULL) {
        free(inflight);
        return PL_ENOMEM;
    }
    inflight->mask = FIRST_SLOTS - 1;
    inflight->seed = seed;
    *out = inflight;
    return 0;
}

void pl_inflight_free(struct pl_inflight *inflight)
{
    if (inflight == NULL)
        return;
    free(inflight->slots);
    free(inflight);
}

static uint64_t hash_of(const struct pl_inflight *inflight, struct pl_bytes key)
{
    return XXH3_64bits_withSeed(key.data, key.len, inflight->seed);
}

/* The slot that holds `key`, or the empty one where it would go. */
static size_t probe(const struct pl_inflight *inflight, uint64_t hash, struct pl_bytes key)
{
    size_t at = hash & inflight->mask;

    while (inflight->slots[at].key.data != NULL &&
           !(inflight->slots[at].hash == hash && pl_bytes_equal(inflight->slots[at].key, key)))
        at = (at + 1) & inflight->mask;
    return at;
}

static int resize(struct pl_inflight *inflight, size_t slot_count)
{
    struct slot *old = inflight->slots;
    size_t old_mask = inflight->mask;
    struct slot *slots = calloc(slot_count, sizeof *slots);

    if (slots == NULL)
        return PL_ENOMEM;
    inflight->slots = slots;
    inflight->mask = slot_count - 1;
    for (size_t i = 0; i <= old_mask; i++)
        if (old[i].key.data != NULL)
            slots[probe(inflight, old[i].hash, old[i].key)] = old[i];
    free(old);
    return 0;
}

int pl_inflight_reserve(struct pl_inflight *inflight, size_t count)
{
    size_t slot_count = inflight->mask + 1;

    if (count > SIZE_MAX / 8 - inflight->count)
        return PL_ENOMEM;
    while ((inflight->count + count) * 2 > slot_count)
        slot_count *= 2;
    return slot_count == inflight->mask + 1 ? 0 : resize(inflight, slot_count);
}

int pl_inflight_set(struct pl_inflight *inflight, uint64_t batch, struct pl_bytes key, struct pl_bytes value,
                    bool tombstone)
{
    uint64_t hash = hash_of(inflight, key);
    size_t at;
    int rc;

    rc = pl_inflight_reserve(inflight, 1);
    if (rc != 0)
        return rc;
    at = probe(inflight, hash, key);
    if (inflight->slots[at].key.data == NULL)
        inflight->count++;
    inflight->slots[at] =
        (struct slot){ .hash = hash, .batch = batch, .key = key, .value = value, .tombstone = tombstone };
    return 0;
}

enum pl_inflight_found pl_inflight_get(const struct pl_inflight *inflight, struct pl_bytes key,
                                       struct pl_bytes *out)
{
    const struct slot *slot;

    if (inflight->count == 0)
        return PL_INFLIGHT_UNKNOWN;
    slot = &inflight->slots[probe(inflight, hash_of(inflight, key), key)];
    if (slot->key.data == NULL)
        return PL_INFLIGHT_UNKNOWN;
    if (slot->tombstone)
        return PL_INFLIGHT_TOMBSTONE;
    *out = slot->value;
    return PL_INFLIGHT_VALUE;
}

/* Close the gap at `hole`: a later member of the run moves back if its home allows it. */
static void remove_slot(struct pl_inflight *inflight, size_t hole)
{
    size_t at = hole;

    for (;;) {
        size_t home;

        inflight->slots[hole].key.data = NULL;
        do {
            at = (at + 1) & inflight->mask;
            if (inflight->slots[at].key.data == NULL)
                return;
            home = inflight->slots[at].hash & inflight->mask;
        } while (((at - home) & inflight->mask) < ((at - hole) & inflight->mask));
        inflight->slots[hole] = inflight->slots[at];
        hole = at;
    }
}

void pl_inflight_settle(struct pl_inflight *inflight, uint64_t batch, struct pl_bytes key)
{
    size_t at = probe(inflight, hash_of(inflight, key), key);

    if (inflight->slots[at].key.data == NULL || inflight->slots[at].batch != batch)
        return;
    remove_slot(inflight, at);
    inflight->count--;
}

void pl_inflight_clear(struct pl_inflight *inflight)
{
    struct slot *slots = inflight->mask + 1 > FIRST_SLOTS ? calloc(FIRST_SLOTS, sizeof *slots) : NULL;

    if (slots != NULL) {
        free(inflight->slots);
        inflight->slots = slots;
        inflight->mask = FIRST_SLOTS - 1;
    } else if (inflight->count > 0) {
        memset(inflight->slots, 0, (inflight->mask + 1) * sizeof *inflight->slots);
    }
    inflight->count = 0;
}

void pl_inflight_each(const struct pl_inflight *inflight,
                      void (*each)(void *state, struct pl_bytes key, struct pl_bytes value), void *state)
{
    for (size_t i = 0; i <= inflight->mask && inflight->count > 0; i++)
        if (inflight->slots[i].key.data != NULL && !inflight->slots[i].tombstone)
            each(state, inflight->slots[i].key, inflight->slots[i].value);
}

size_t pl_inflight_count(const struct pl_inflight *inflight)
{
    return inflight->count;
}
