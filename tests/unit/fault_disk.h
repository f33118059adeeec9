/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_FAULT_DISK_H
#define PL_TESTS_UNIT_FAULT_DISK_H

#include "store/disk.h"

/**
 * A disk that fails when told: it counts the calls that reach it and lets the n-th fail, once or from then on.
 * Set fields at any time; zeroed counters never fail. Closing never fails and is not counted.
 */
enum fault_call {
    FAULT_OPEN = 1 << 0,
    FAULT_READ = 1 << 1,
    FAULT_WRITE = 1 << 2,
    FAULT_SYNC = 1 << 3,
    FAULT_TRUNCATE = 1 << 4,
    FAULT_ALLOCATE = 1 << 5,
    FAULT_SIZE = 1 << 6,
    FAULT_LOCK = 1 << 7,
    FAULT_RENAME = 1 << 8,
    FAULT_REMOVE = 1 << 9,
    FAULT_MAKE_DIR = 1 << 10,
    FAULT_SYNC_DIR = 1 << 11,
    FAULT_LIST = 1 << 12,
    FAULT_FREE_BYTES = 1 << 13,
    FAULT_ANY = (1 << 14) - 1,
};

struct fault_disk {
    struct pl_disk disk; /* hand this out; points back here, so do not move the struct */
    struct pl_disk below;
    unsigned calls;      /* fault_calls that count */
    uint64_t count;      /* of those, so far */
    uint64_t fail_at;    /* 0: never; 1: the next when `count` is 0 */
    bool for_good;       /* all from fail_at on */
    bool half;           /* a failing write or allocation does half its work first */
    int rc;              /* what a failing call returns */
    uint64_t failures;   /* so far */
    uint64_t free_bytes; /* not 0: what pl_disk_free_bytes() says */
    int64_t open_files;  /* opened and not closed */
};

void fault_disk_init(struct fault_disk *fault, struct pl_disk below);

/** Count from 0 again and fail the `n`-th call of `calls` with `rc`. */
void fault_disk_fail(struct fault_disk *fault, unsigned calls, uint64_t n, bool for_good, int rc);

/** All well from now on. */
void fault_disk_heal(struct fault_disk *fault);

#endif
