/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_SKETCH_H
#define PL_ROUTE_SKETCH_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * The heaviest keys of a stream too long to count: a space-saving sketch (Metwally, Agrawal,
 * El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005).
 *
 * It has room for so many keys. One that is not there takes the place of the lightest, and inherits its weight
 * as a possible error. So with `capacity` places and a stream of weight N:
 *
 *     weight - error  <=  what the key really weighs  <=  weight          and error <= N / capacity
 *     a key heavier than N / capacity is there
 *
 * Memory is fixed when it is made. Long keys are known by their beginning, their length and their hash.
 */
struct pl_sketch;

enum { PL_SKETCH_KEY_MAX = 128 };

struct pl_sketch_key {
    uint64_t hash; /* of the whole key */
    uint64_t weight, error;
    uint32_t len; /* of the whole key; only the first PL_SKETCH_KEY_MAX bytes are here */
    uint8_t bytes[PL_SKETCH_KEY_MAX];
};

/** Room for `capacity` keys, 1 to 65535. NULL: no memory. */
struct pl_sketch *pl_sketch_new(uint32_t capacity);
void pl_sketch_free(struct pl_sketch *sketch); /* NULL is allowed */

/** `weight` more of `key`, whose hash is `hash`. */
void pl_sketch_note(struct pl_sketch *sketch, struct pl_bytes key, uint64_t hash, uint64_t weight);

/** Add what another has: weights and errors of what both have are added. With room for both, nothing is lost. */
void pl_sketch_merge(struct pl_sketch *sketch, const struct pl_sketch *other);

/** Halve everything: done once in a while, old keys fade. What has become nothing goes. */
void pl_sketch_fade(struct pl_sketch *sketch);

/** Forget everything. */
void pl_sketch_clear(struct pl_sketch *sketch);

/** The sum of all weights noted, faded as they are. */
uint64_t pl_sketch_total(const struct pl_sketch *sketch);

/** The heaviest keys into `out`, heaviest first; at most `max`. Returns how many. They point into the sketch. */
uint32_t pl_sketch_top(const struct pl_sketch *sketch, const struct pl_sketch_key **out, uint32_t max);

#endif
