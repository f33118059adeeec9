/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_RECORDER_H
#define PL_TESTS_CRASH_RECORDER_H

#include <stddef.h>

/**
 * What a workload tells the recorder, in order with the disk's events: "key=value was acknowledged". Weak:
 * NULL when
 * the recorder is not preloaded.
 */
__attribute__((weak)) void pl_record_note(const void *data, size_t len);

#endif
