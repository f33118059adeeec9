/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { FIRST_CHUNK_BYTES = 4096, ORDINARY_CHUNK_BYTES = 64 * 1024 };

struct pl_arena_chunk {
    struct pl_arena_chunk *older;
    size_t size_bytes;
    alignas(max_align_t) char data[];
};

/* Each chunk is twice the last, so that n bytes cost log(n) allocations. */
static struct pl_arena_chunk *grow(struct pl_arena *arena, size_t len)
{
    size_t size = arena->chunks == NULL ? FIRST_CHUNK_BYTES : arena->chunks->size_bytes * 2;
    struct pl_arena_chunk *chunk;

    if (len > SIZE_MAX / 4)
        return NULL;
    while (size < len)
        size *= 2;
    chunk = malloc(sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;
    chunk->older = arena->chunks;
    chunk->size_bytes = size;
    arena->chunks = chunk;
    arena->used_bytes = 0;
    return chunk;
}

void *pl_arena_alloc(struct pl_arena *arena, size_t len)
{
    struct pl_arena_chunk *chunk = arena->chunks;
    size_t rounded = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    void *at;

    if (rounded < len)
        return NULL;
    if (chunk == NULL || chunk->size_bytes - arena->used_bytes < rounded) {
        chunk = grow(arena, rounded);
        if (chunk == NULL)
            return NULL;
    }
    at = chunk->data + arena->used_bytes;
    arena->used_bytes += rounded;
    return at;
}

void *pl_arena_zalloc(struct pl_arena *arena, size_t count, size_t size)
{
    void *at;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    at = pl_arena_alloc(arena, count * size);
    if (at != NULL)
        memset(at, 0, count * size);
    return at;
}

struct pl_bytes pl_arena_copy(struct pl_arena *arena, struct pl_bytes bytes)
{
    char *at = pl_arena_alloc(arena, bytes.len);

    if (at == NULL)
        return (struct pl_bytes){ 0 };
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return pl_bytes(at, bytes.len);
}

void pl_arena_reset(struct pl_arena *arena)
{
    struct pl_arena_chunk *kept = NULL;

    while (arena->chunks != NULL) {
        struct pl_arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->older;
        if (kept == NULL && chunk->size_bytes <= ORDINARY_CHUNK_BYTES)
            kept = chunk;
        else
            free(chunk);
    }
    if (kept != NULL)
        kept->older = NULL;
    arena->chunks = kept;
    arena->used_bytes = 0;
}

void pl_arena_deinit(struct pl_arena *arena)
{
    pl_arena_reset(arena);
    free(arena->chunks);
    *arena = (struct pl_arena){ 0 };
}
