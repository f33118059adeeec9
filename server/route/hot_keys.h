/* SPDX-License-Identifier: MIT */
#ifndef PL_ROUTE_HOT_KEYS_H
#define PL_ROUTE_HOT_KEYS_H

#include "base/clock.h"
#include "model/operation.h"
#include "route/sketch.h"

#include <pthread.h>

/**
 * Which partition keys the requests go to, by their number and by the capacity they used: a sketch of each
 * (route/sketch.h) for every table and global index, since those have partition keys of their own. Every minute
 * counts half as much as the one after it, so what was hot yesterday is not hot today.
 *
 *     router's thread ─▸ note ─▸ its own sketches ─┐
 *     router's thread ─▸ note ─▸ its own sketches ─┴─▸ gathered when somebody asks
 *
 * A router notes every operation as long as there are some thousand a second, and of more only a sample, drawn at
 * random, each of which stands for as many as it was drawn from. Its lock is contended only while
 * somebody gathers. Memory is bounded: PL_HOT_TABLES_MAX sketches of each kind, PL_HOT_KEYS_MAX keys in each.
 *
 * In a cluster a node knows of the requests that came to it: what is hot is the sum over nodes.
 */
enum {
    PL_HOT_TABLES_MAX = 64,
    PL_HOT_KEYS_MAX = 64,
    PL_HOT_HALF_LIFE_S = 60,
};

/** All routers' of a node, to be gathered from. */
struct pl_hot_keys_set {
    pthread_mutex_t lock; /* of the list */
    struct pl_hot_keys *first;
};
void pl_hot_keys_set_init(struct pl_hot_keys_set *set);
void pl_hot_keys_set_deinit(struct pl_hot_keys_set *set); /* every router's have been freed */

/** One router's, in `set`, which outlives it. NULL: no memory. */
struct pl_hot_keys *pl_hot_keys_new(struct pl_hot_keys_set *set, const struct pl_clock *clock);
void pl_hot_keys_free(struct pl_hot_keys *hot); /* NULL is allowed */

/** `op` is finished. Its router's thread. Short of memory, it goes unnoted. */
void pl_hot_keys_note(struct pl_hot_keys *hot, const struct pl_operation *op);

/**
 * What was noted of the table or global index `id`, by all routers: added to two sketches with enough room,
 * which the caller frees. Weights of `capacity` are half units. PL_ENOMEM. Any thread.
 */
int pl_hot_keys_gather(struct pl_hot_keys_set *set, uint32_t id, struct pl_sketch **requests,
                       struct pl_sketch **capacity);

#endif
