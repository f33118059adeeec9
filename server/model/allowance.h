/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_ALLOWANCE_H
#define PL_MODEL_ALLOWANCE_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdatomic.h>

/**
 * What a provisioned table or global index may still use: a token bucket that fills at its
 * rate and holds 300 seconds' worth. Nobody fills it. It remembers one moment, the one at which it
 * is empty; what has gathered since then is there to be used, and using it moves that moment on:
 *
 *     ────────●───────────────────────────▲──── time      ●  empty      ▲  now
 *             └─── so much is there ──────┘
 *
 * A request is admitted while there is anything, and what it cost is taken afterwards, when it is
 * known: so the moment may come to lie ahead, which is debt, and nobody is admitted before it.
 *
 * It begins full, for nothing of it has been used yet. It is not stored: after a restart it is full again,
 * whatever had been used of it or was owed.
 *
 * Shared by all threads and by all versions of a table: one atomic word, no lock.
 *
 * All of a table's rate is here, for all of its partitions are led here. In a cluster the reads and writes
 * that count are those of the partitions' leaders, so a node that leads k of the table's Q partitions provides
 * k/Q of the rate, moves that share with each leadership, and borrows from the others what they leave
 * unused (dynamodb.md 11.1, global admission control). The caller of pl_allowance_provide() says the share.
 */
enum { PL_ALLOWANCE_BURST_S = 300 };

struct pl_allowance {
    _Atomic uint64_t units;     /* a second; 0: none provided yet */
    _Atomic int64_t empty_ns;   /* monotonic */
    _Atomic uint64_t throttled; /* requests that were not admitted */
};

/** Reading and writing do not share, neither units nor a cache line. One reference for each who holds it. */
struct pl_allowances {
    atomic_uint references;
    struct pl_allowance read;
    char apart[64];
    struct pl_allowance write;
};

/** With one reference. NULL: no memory. */
struct pl_allowances *pl_allowances_new(void);
struct pl_allowances *pl_allowances_ref(struct pl_allowances *allowances);
void pl_allowances_unref(struct pl_allowances *allowances); /* NULL is allowed */

/**
 * From now on `units` a second. The first time, the whole burst is there; at another rate, what
 * was there is kept, as far as it may be kept. One thread at a time (the shard's).
 */
void pl_allowance_provide(struct pl_allowance *allowance, uint64_t units, uint64_t now_ns);

/** True while there is anything. False is counted in `throttled`. Any thread, as all below. */
bool pl_allowance_admits(struct pl_allowance *allowance, uint64_t now_ns);

/** Take what a request cost, whether it is there or not. */
void pl_allowance_take(struct pl_allowance *allowance, uint64_t halves, uint64_t now_ns);

/** Half units that are there; negative: debt. */
int64_t pl_allowance_left(const struct pl_allowance *allowance, uint64_t now_ns);

#endif
