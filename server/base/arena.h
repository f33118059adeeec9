/* SPDX-License-Identifier: MIT */
#ifndef PL_BASE_ARENA_H
#define PL_BASE_ARENA_H

#include "base/bytes.h"

/**
 * Scratch memory that dies all at once: a request's arena is emptied when its
 * reply has been sent. Zeroed memory is an empty arena. Chunks grow
 * geometrically; pl_arena_reset() keeps the first chunk, so that a connection
 * that serves small requests allocates once in its life.
 */
struct pl_arena {
    struct pl_arena_chunk *chunks; /* newest first */
    size_t used_bytes;             /* of the newest chunk */
};

/** `len` bytes aligned for any type, not zeroed; good until reset or deinit. NULL: no memory. */
void *pl_arena_alloc(struct pl_arena *arena, size_t len);

/** As pl_arena_alloc(), zeroed, for `count` things of `size` bytes; NULL also when the product overflows. */
void *pl_arena_zalloc(struct pl_arena *arena, size_t count, size_t size);

/** A copy of `bytes` that lives as long as the arena. On failure the result's `data` is NULL. */
struct pl_bytes pl_arena_copy(struct pl_arena *arena, struct pl_bytes bytes);

/** Forget everything; keep at most one chunk of ordinary size. */
void pl_arena_reset(struct pl_arena *arena);

void pl_arena_deinit(struct pl_arena *arena);

#endif
