/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_TEST_H
#define PL_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * A unit test is a function named by what is true. CHECK ends the test that it
 * stands in, not the program, so that one run names everything that is false.
 * A test program lists its tests in main():
 *
 *     int main(void)
 *     {
 *         RUN(zero_has_one_spelling);
 *         return test_summary();
 *     }
 */
static jmp_buf test_failed;
static int test_pass_count, test_fail_count;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                        \
            longjmp(test_failed, 1);                                                                         \
        }                                                                                                    \
    } while (0)

/** As CHECK, and prints what `format` says, such as the random value that made it false. */
#define CHECK_MSG(condition, ...)                                                                            \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            longjmp(test_failed, 1);                                                                         \
        }                                                                                                    \
    } while (0)

#define RUN(test) test_run(#test, test)

static inline void test_run(const char *name, void (*test)(void))
{
    if (setjmp(test_failed) == 0) {
        test();
        test_pass_count++;
        return;
    }
    test_fail_count++;
    fprintf(stderr, "failed: %s\n", name);
}

static inline int test_summary(void)
{
    printf("%d passed, %d failed\n", test_pass_count, test_fail_count);
    return test_fail_count == 0 && test_pass_count > 0 ? 0 : 1;
}

/** Small, fast and repeatable (xorshift64*): the seed is printed by whoever fails. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t x = *state == 0 ? UINT64_C(0x9E3779B97F4A7C15) : *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/** The seed of this run: PL_SEED when set, so that a failure can be repeated. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("PL_SEED");

    return text != NULL ? strtoull(text, NULL, 0) : UINT64_C(20261123);
}

#endif
