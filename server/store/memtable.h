/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_MEMTABLE_H
#define PL_STORE_MEMTABLE_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * Ordered keys and their newest values, in memory: a skip list that one thread
 * writes while any number read, without a lock.
 *
 *     level 2   ●───────────────────▸ k4 ───────────────▸ end
 *     level 1   ●─────────▸ k2 ─────▸ k4 ───────▸ k6 ───▸ end
 *     level 0   ●──▸ k1 ──▸ k2 ─▸ k3 ▸ k4 ─▸ k5 ─▸ k6 ──▸ end      every key, in byte order
 *
 * and beside it a hash table of the same nodes, so that finding one key, or that there is none, is one
 * look instead of a descent.
 *
 * A node is complete before it is linked in, and never moves or leaves; a value is
 * replaced by one pointer. Old values stay in the table's memory until all of it
 * goes: whoever holds a reference may keep views into it. A deletion is a value too (a tombstone): it hides what the
 * store below has.
 *
 * Every value belongs to a moment, a number that the writer chooses and that never falls, and knows the one
 * before it: who looks as of a moment sees nothing of later ones, so that many keys can change at once.
 */
struct pl_memtable;

/**
 * One reference. NULL: no memory. Keys come from clients, so `seed` is a number that they cannot know: else they could
 * choose keys of one hash.
 */
struct pl_memtable *pl_memtable_new(uint64_t seed);
/** As pl_memtable_new(), with the seed of `before`, made for about as many keys as `before` came to have. */
struct pl_memtable *pl_memtable_new_after(const struct pl_memtable *before);

struct pl_memtable *pl_memtable_ref(struct pl_memtable *table);
void pl_memtable_unref(struct pl_memtable *table); /* NULL is allowed; any thread */

/** Set or, with `tombstone`, delete. The one writer's thread. PL_ENOMEM changes nothing. `key` has at most 65535 bytes. */
int pl_memtable_set(struct pl_memtable *table, struct pl_bytes key, struct pl_bytes value, bool tombstone);

/**
 * Set up to PL_MEMTABLE_GROUP_MAX keys, in order, to the same effect as one after the other. Their ways down the
 * list are walked side by side: each step waits for memory, and so they wait together.
 * After PL_ENOMEM any of them may have been set; setting all again is harmless, and takes memory only for the rest.
 */
struct pl_memtable_entry {
    struct pl_bytes key, value;
    bool tombstone;
};
enum { PL_MEMTABLE_GROUP_MAX = 16 };
int pl_memtable_set_group(struct pl_memtable *table, const struct pl_memtable_entry *entries, size_t count);

/** What is set from now on belongs to `moment`; at first to 0. The one writer's thread. */
void pl_memtable_set_moment(struct pl_memtable *table, uint64_t moment);

/** Memory taken so far, old values included. Any thread. */
size_t pl_memtable_size_bytes(const struct pl_memtable *table);

/** What pl_memtable_get() wants with a key: computed once where several tables of one seed are asked. */
uint64_t pl_memtable_hash(const struct pl_memtable *table, struct pl_bytes key);

/** Any thread. The views are good as long as a reference is held. False: it says nothing about `key`. */
bool pl_memtable_get(const struct pl_memtable *table, struct pl_bytes key, uint64_t hash,
                     struct pl_memtable_entry *out);

/** Have the memory near that pl_memtable_get() will want for these keys, all together. At most PL_MEMTABLE_GROUP_MAX. */
void pl_memtable_prefetch(const struct pl_memtable *table, const uint64_t *hashes, size_t count);

/** As pl_memtable_get(), of what belongs to `moment` or an earlier one. */
bool pl_memtable_get_at(const struct pl_memtable *table, struct pl_bytes key, uint64_t hash, uint64_t moment,
                        struct pl_memtable_entry *out);

/** A place in a table: a node, NULL past either end. Good as long as a reference is held. */
struct pl_memtable_node;

const struct pl_memtable_node *pl_memtable_first(const struct pl_memtable *table);
const struct pl_memtable_node *pl_memtable_seek(const struct pl_memtable *table, struct pl_bytes at_least);
const struct pl_memtable_node *pl_memtable_seek_before(const struct pl_memtable *table,
                                                       struct pl_bytes below);
const struct pl_memtable_node *pl_memtable_next(const struct pl_memtable_node *node);
struct pl_bytes pl_memtable_key(const struct pl_memtable_node *node);
void pl_memtable_read(const struct pl_memtable_node *node, struct pl_memtable_entry *out);
/** As of `moment`. False: the key was not there yet. */
bool pl_memtable_read_at(const struct pl_memtable_node *node, uint64_t moment, struct pl_memtable_entry *out);

#endif
