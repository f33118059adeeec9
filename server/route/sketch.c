/* SPDX-License-Identifier: MIT */
#include "route/sketch.h"

#include <stdlib.h>

/*
 *     heap    the keys' numbers, the lightest first:  weight(heap[i]) <= weight(heap[2i + 1]), weight(heap[2i + 2])
 *     slots   an open-addressing table from hash to number + 1, with linear probing; at most half full
 */
struct pl_sketch {
    uint32_t capacity, count;
    uint32_t mask; /* of slots */
    uint64_t total;
    struct pl_sketch_key *keys;
    uint16_t *heap;  /* of numbers of keys */
    uint16_t *where; /* in the heap, by number */
    uint32_t *slots;
};

struct pl_sketch *pl_sketch_new(uint32_t capacity)
{
    struct pl_sketch *sketch = calloc(1, sizeof *sketch);
    uint32_t slot_count = 2;

    if (sketch == NULL)
        return NULL;
    PL_ASSERT(capacity > 0 && capacity <= UINT16_MAX);
    while (slot_count < 2 * capacity)
        slot_count *= 2;
    sketch->capacity = capacity;
    sketch->mask = slot_count - 1;
    sketch->keys = calloc(capacity, sizeof *sketch->keys);
    sketch->heap = calloc(capacity, sizeof *sketch->heap);
    sketch->where = calloc(capacity, sizeof *sketch->where);
    sketch->slots = calloc(slot_count, sizeof *sketch->slots);
    if (sketch->keys == NULL || sketch->heap == NULL || sketch->where == NULL || sketch->slots == NULL) {
        pl_sketch_free(sketch);
        return NULL;
    }
    return sketch;
}

void pl_sketch_free(struct pl_sketch *sketch)
{
    if (sketch == NULL)
        return;
    free(sketch->keys);
    free(sketch->heap);
    free(sketch->where);
    free(sketch->slots);
    free(sketch);
}

void pl_sketch_clear(struct pl_sketch *sketch)
{
    memset(sketch->slots, 0, (sketch->mask + 1) * sizeof *sketch->slots);
    sketch->count = 0;
    sketch->total = 0;
}

/* ---- the table -------------------------------------------------------------------------------------- */

/* Of a key longer than what is kept, only so much is looked at; the rest need not be there. */
static size_t kept_of(struct pl_bytes key)
{
    return key.len < PL_SKETCH_KEY_MAX ? key.len : PL_SKETCH_KEY_MAX;
}

static bool is_key(const struct pl_sketch_key *at, struct pl_bytes key, uint64_t hash)
{
    return at->hash == hash && at->len == key.len && memcmp(at->bytes, key.data, kept_of(key)) == 0;
}

/* The slot that holds the key, or the empty one where it would go. */
static uint32_t probe(const struct pl_sketch *sketch, struct pl_bytes key, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & sketch->mask;

    while (sketch->slots[at] != 0 && !is_key(&sketch->keys[sketch->slots[at] - 1], key, hash))
        at = (at + 1) & sketch->mask;
    return at;
}

static uint32_t slot_of(const struct pl_sketch *sketch, uint32_t number)
{
    uint32_t at = (uint32_t)sketch->keys[number].hash & sketch->mask;

    while (sketch->slots[at] != number + 1)
        at = (at + 1) & sketch->mask;
    return at;
}

/* Close the gap: a later member of the run moves back if its home allows it. */
static void empty_slot(struct pl_sketch *sketch, uint32_t hole)
{
    uint32_t at = hole, home;

    for (;;) {
        sketch->slots[hole] = 0;
        do {
            at = (at + 1) & sketch->mask;
            if (sketch->slots[at] == 0)
                return;
            home = (uint32_t)sketch->keys[sketch->slots[at] - 1].hash & sketch->mask;
        } while (((at - home) & sketch->mask) < ((at - hole) & sketch->mask));
        sketch->slots[hole] = sketch->slots[at];
        hole = at;
    }
}

/* ---- the heap --------------------------------------------------------------------------------------- */

static uint64_t weight_at(const struct pl_sketch *sketch, uint32_t at)
{
    return sketch->keys[sketch->heap[at]].weight;
}

static void swap(struct pl_sketch *sketch, uint32_t a, uint32_t b)
{
    uint16_t number = sketch->heap[a];

    sketch->heap[a] = sketch->heap[b];
    sketch->heap[b] = number;
    sketch->where[sketch->heap[a]] = (uint16_t)a;
    sketch->where[sketch->heap[b]] = (uint16_t)b;
}

static void sink(struct pl_sketch *sketch, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= sketch->count)
            return;
        if (child + 1 < sketch->count && weight_at(sketch, child + 1) < weight_at(sketch, child))
            child++;
        if (weight_at(sketch, at) <= weight_at(sketch, child))
            return;
        swap(sketch, at, child);
        at = child;
    }
}

static void rise(struct pl_sketch *sketch, uint32_t at)
{
    while (at > 0 && weight_at(sketch, at) < weight_at(sketch, (at - 1) / 2)) {
        swap(sketch, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

/* ---- noting ----------------------------------------------------------------------------------------- */

static void add(struct pl_sketch *sketch, uint32_t number, uint64_t weight, uint64_t error)
{
    sketch->keys[number].weight += weight;
    sketch->keys[number].error += error;
    sink(sketch, sketch->where[number]);
}

static void name(struct pl_sketch_key *at, struct pl_bytes key, uint64_t hash)
{
    at->hash = hash;
    at->len = (uint32_t)key.len;
    memcpy(at->bytes, key.data, kept_of(key));
}

/* A number for a new key: the next one, or the lightest's, which goes. */
static uint32_t make_place(struct pl_sketch *sketch)
{
    uint32_t number;

    if (sketch->count == sketch->capacity) {
        number = sketch->heap[0];
        empty_slot(sketch, slot_of(sketch, number));
        sketch->keys[number].error = sketch->keys[number].weight;
        return number;
    }
    number = sketch->count++;
    sketch->keys[number].weight = sketch->keys[number].error = 0;
    sketch->heap[number] = sketch->where[number] = (uint16_t)number;
    rise(sketch, number);
    return number;
}

static void note(struct pl_sketch *sketch, struct pl_bytes key, uint64_t hash, uint64_t weight,
                 uint64_t error)
{
    uint32_t slot = probe(sketch, key, hash), number;

    if (sketch->slots[slot] != 0) {
        add(sketch, sketch->slots[slot] - 1, weight, error);
        return;
    }
    number = make_place(sketch);
    name(&sketch->keys[number], key, hash);
    sketch->slots[probe(sketch, key, hash)] = number + 1; /* what went may have moved the gap */
    add(sketch, number, weight, error);
}

void pl_sketch_note(struct pl_sketch *sketch, struct pl_bytes key, uint64_t hash, uint64_t weight)
{
    if (weight == 0)
        return;
    sketch->total += weight;
    note(sketch, key, hash, weight, 0);
}

void pl_sketch_merge(struct pl_sketch *sketch, const struct pl_sketch *other)
{
    sketch->total += other->total;
    for (uint32_t i = 0; i < other->count; i++) {
        const struct pl_sketch_key *from = &other->keys[i];

        note(sketch, pl_bytes(from->bytes, from->len), from->hash, from->weight, from->error);
    }
}

/* ---- fading ----------------------------------------------------------------------------------------- */

static void rebuild(struct pl_sketch *sketch)
{
    uint32_t count = sketch->count;

    memset(sketch->slots, 0, (sketch->mask + 1) * sizeof *sketch->slots);
    for (uint32_t number = 0; number < count; number++) {
        const struct pl_sketch_key *at = &sketch->keys[number];

        sketch->count = number + 1;
        sketch->heap[number] = sketch->where[number] = (uint16_t)number;
        rise(sketch, number);
        sketch->slots[probe(sketch, pl_bytes(at->bytes, at->len), at->hash)] = number + 1;
    }
}

void pl_sketch_fade(struct pl_sketch *sketch)
{
    uint32_t kept = 0;

    sketch->total /= 2;
    for (uint32_t i = 0; i < sketch->count; i++) {
        struct pl_sketch_key *at = &sketch->keys[i];

        at->weight /= 2;
        at->error = at->error / 2 < at->weight ? at->error / 2 : at->weight;
        if (at->weight == 0)
            continue;
        if (kept != i)
            sketch->keys[kept] = *at;
        kept++;
    }
    sketch->count = kept;
    rebuild(sketch);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

uint64_t pl_sketch_total(const struct pl_sketch *sketch)
{
    return sketch->total;
}

uint32_t pl_sketch_top(const struct pl_sketch *sketch, const struct pl_sketch_key **out, uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sketch->count; i++) {
        const struct pl_sketch_key *key = &sketch->keys[i];
        uint32_t at = count < max ? count++ : max;

        while (at > 0 && out[at - 1]->weight < key->weight) {
            if (at < max)
                out[at] = out[at - 1];
            at--;
        }
        if (at < max)
            out[at] = key;
    }
    return count;
}
