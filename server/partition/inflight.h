/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_INFLIGHT_H
#define PL_PARTITION_INFLIGHT_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * The in-flight overlay: for every store key with an effect that is journaled but not
 * yet applied, the newest image. Evaluation reads through it, so that it goes on
 * while the disk and the followers work, and two writes to one key in one turn see
 * each other. Readers never look here: what is in flight is not yet durable.
 *
 *     key ──▸ overlay ──(not there)──▸ state
 *
 * Belongs to one shard and its thread. Keys and images are views into the batch that
 * made them; pl_inflight_settle() forgets a batch's entries before its memory goes.
 */
struct pl_inflight;

/** `seed`: a number that clients cannot know, for keys come from them. */
int pl_inflight_new(uint64_t seed, struct pl_inflight **out);
void pl_inflight_free(struct pl_inflight *inflight);

/**
 * Make `value` the newest image of `key`; `tombstone` says that there is none. `batch`
 * numbers grow. PL_ENOMEM leaves the overlay as it was.
 */
int pl_inflight_set(struct pl_inflight *inflight, uint64_t batch, struct pl_bytes key, struct pl_bytes value,
                    bool tombstone);

enum pl_inflight_found { PL_INFLIGHT_UNKNOWN, PL_INFLIGHT_VALUE, PL_INFLIGHT_TOMBSTONE };

enum pl_inflight_found pl_inflight_get(const struct pl_inflight *inflight, struct pl_bytes key,
                                       struct pl_bytes *out);

/** Room for `count` more keys, so that the next `count` sets cannot fail. */
int pl_inflight_reserve(struct pl_inflight *inflight, size_t count);

/** `key`'s image of `batch` is applied: forget it, unless a later batch wrote it anew. */
void pl_inflight_settle(struct pl_inflight *inflight, uint64_t batch, struct pl_bytes key);

/** Forget all, and with it what room many keys have taken. */
void pl_inflight_clear(struct pl_inflight *inflight);

/** Call `each` for every key that has an image, and not for tombstones; in no order. */
void pl_inflight_each(const struct pl_inflight *inflight,
                      void (*each)(void *state, struct pl_bytes key, struct pl_bytes value), void *state);

size_t pl_inflight_count(const struct pl_inflight *inflight);

#endif
