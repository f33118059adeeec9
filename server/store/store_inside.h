/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_STORE_INSIDE_H
#define PL_STORE_STORE_INSIDE_H

#include "store/store.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/** What store.c, store_prefetch.c and store_room.c share. Nobody else includes this. */

#define PL_STORE_NO_TXN UINT64_MAX

/*
 * Readers pass a gate, because growing the map moves it: `holders` counts the
 * snapshots held, and while `growing` is set nobody new gets in. A pin does not
 * look at the map, so it does not pass the gate.
 */
struct pl_store {
    MDB_env *env;
    MDB_dbi dbi;
    char *path;
    const struct pl_logger *logger;
    uint32_t page_bytes;
    uint64_t map_bytes;
    uint64_t map_moves; /* how often it may have moved: only while nobody holds it */
    uint64_t map_bytes_max;
    uint64_t disk_reserve_bytes;

    atomic_uint holders;
    atomic_bool growing;
    atomic_bool forked; /* this is a child's copy: hands off */
    atomic_bool broken; /* the map is gone and could not be had back */
    pthread_mutex_t gate;
    pthread_cond_t gate_moved;

    struct pl_reader *readers; /* under `gate` */
    struct pl_store *next;     /* in the registry */
    dev_t device;
    ino_t inode;

    struct pl_txn *writing; /* LMDB lets one in at a time, so one is enough */
};

struct pl_txn {
    struct pl_store *store;
    MDB_txn *mdb;
    uint64_t dirty_bytes;
    int failed; /* the first failure of a write: commit will not pretend */
    bool writable;
    const uint8_t *map; /* a reader's: where it found the map; NULL: not yet */
    uint64_t map_moves; /* ... and when */
};

struct pl_reader {
    struct pl_txn txn;
    bool active;
    bool pin;
    _Atomic uint64_t txn_id; /* PL_STORE_NO_TXN while it holds nothing */
    struct pl_reader *next;
    struct pl_reader **at;
};

/* 0, PL_ECLOSED in a child made by fork(), or PL_EIO when the map is lost. */
int pl_store_usable(struct pl_store *store);

/* Around every look at the map; growth waits for who is inside. */
void pl_store_enter(struct pl_store *store);
void pl_store_leave(struct pl_store *store);

/* Of the file, up to its last page. Inside the gate, or on the writing thread. */
uint64_t pl_store_used_bytes(struct pl_store *store);

int pl_store_error_from_mdb(int rc);

#endif
