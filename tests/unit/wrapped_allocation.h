/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_WRAPPED_ALLOCATION_H
#define PL_TESTS_UNIT_WRAPPED_ALLOCATION_H

#include <stdbool.h>
#include <stdlib.h>

/**
 * Every allocation of a program that is linked with --wrap=malloc,--wrap=calloc,--wrap=realloc asks allocation_fails(),
 * which the one source with this header in it defines.
 */
static bool allocation_fails(void);

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t len);

void *__wrap_malloc(size_t len)
{
    return allocation_fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t len)
{
    return allocation_fails() ? NULL : __real_realloc(at, len);
}

#endif
