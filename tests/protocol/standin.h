/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_PROTOCOL_STANDIN_H
#define PL_TESTS_PROTOCOL_STANDIN_H

#include "front/engine.h"

#include <stdatomic.h>

/**
 * Stands in for a node: remembers items by their attribute `id` for one loop, holds
 * writes back for as long as a test wants, and counts what it is asked. The table "Big" gives
 * STANDIN_BIG_ROWS rows of about a kilobyte to every SCAN, "Pages" gives one row a page, seven times. Every table
 * has the same stream: `records` numbered from 1, {"n":1} and so on, a kilobyte each in the table "Big".
 */
enum { STANDIN_ITEMS_MAX = 4096, STANDIN_BIG_ROWS = 1000, STANDIN_PAGES = 7 };

struct standin_tail;

struct standin {
    struct standin_tail *tail_list; /* those under way */
    struct pl_tables *tables;
    struct pl_buf items[STANDIN_ITEMS_MAX];
    uint32_t item_count;
    struct pl_operation *first, *last;                 /* written, and not yet given back */
    struct pl_operation *patient_first, *patient_last; /* GETs that wait for the flush, as the router's do */
    void (*wake)(void *wake_state);
    void *wake_state;
    void (*reloaded)(void *state, int rc, const struct pl_reason *why);
    void *reload_state;
    struct pl_arena arena;
    struct pl_buf key;

    /* Between the test and the loop's thread. */
    atomic_bool hold;
    atomic_uint scans, pending, pending_max, attached;
    atomic_uint records, records_read, tails;
    atomic_bool stream_ended, stream_trimmed;
};

/** Positive while the stand-in itself allocates: a test that makes allocations fail spares those. */
extern _Thread_local int standin_inside;
/** True on the loop's thread, once it is attached. */
extern _Thread_local bool standin_loop_thread;

void standin_init(struct standin *standin);
void standin_deinit(struct standin *standin);
struct pl_engine standin_engine(struct standin *standin);

/** So many records stand in the stream now. Any thread. */
void standin_stream(struct standin *standin, uint32_t records);

/** Give back what was held, from any thread. */
void standin_release(struct standin *standin);

#endif
