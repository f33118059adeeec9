/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_FAILING_ARENA_H
#define PL_TESTS_UNIT_FAILING_ARENA_H

#include "base/arena.h"

#include "failing_allocation.h"

/*
 * The arena's calls fail too, each by itself: a chunk with room left would hide most of
 * them (linked with FAILING_ARENA of CMakeLists.txt).
 */
void *__real_pl_arena_alloc(struct pl_arena *arena, size_t len);
void *__real_pl_arena_zalloc(struct pl_arena *arena, size_t count, size_t size);
struct pl_bytes __real_pl_arena_copy(struct pl_arena *arena, struct pl_bytes bytes);
void *__wrap_pl_arena_alloc(struct pl_arena *arena, size_t len);
void *__wrap_pl_arena_zalloc(struct pl_arena *arena, size_t count, size_t size);
struct pl_bytes __wrap_pl_arena_copy(struct pl_arena *arena, struct pl_bytes bytes);

void *__wrap_pl_arena_alloc(struct pl_arena *arena, size_t len)
{
    return allocation_fails() ? NULL : __real_pl_arena_alloc(arena, len);
}

void *__wrap_pl_arena_zalloc(struct pl_arena *arena, size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_pl_arena_zalloc(arena, count, size);
}

struct pl_bytes __wrap_pl_arena_copy(struct pl_arena *arena, struct pl_bytes bytes)
{
    return allocation_fails() ? (struct pl_bytes){ 0 } : __real_pl_arena_copy(arena, bytes);
}

#endif
