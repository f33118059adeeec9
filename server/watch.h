/* SPDX-License-Identifier: MIT */
#ifndef PL_WATCH_H
#define PL_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/**
 * News that there is more to read in streams, brought by the thread that made it to the threads that want to know:
 *
 *     stir ─▸ each watcher with a watch: wakes its thread ┄▸ tell ─▸ watch, watch, ...
 *
 * A watcher belongs to one thread, and costs nothing while it has no watch. News that come while there are news
 * already wake nobody again.
 */

/** What is to be called, on the watcher's thread. The memory is the caller's. */
struct pl_watch {
    void (*stirred)(struct pl_watch *watch);
    struct pl_watch *previous, *next;
};

struct pl_watchers {
    pthread_mutex_t lock;
    struct pl_watcher *first; /* those that have a watch */
};

struct pl_watcher {
    struct pl_watchers *all;
    void (*wake)(void *state); /* called by who stirs; may be NULL */
    void *state;
    struct pl_watch *watches;
    struct pl_watcher *next;
    atomic_bool stirred;
};

void pl_watchers_init(struct pl_watchers *all);
/** No watcher has a watch any more. */
void pl_watchers_deinit(struct pl_watchers *all);

/** There is news. Any thread. */
void pl_watchers_stir(struct pl_watchers *all);

void pl_watcher_init(struct pl_watcher *watcher, struct pl_watchers *all, void (*wake)(void *state),
                     void *state);

/* The watcher's thread. */
void pl_watcher_add(struct pl_watcher *watcher, struct pl_watch *watch);
void pl_watcher_remove(struct pl_watcher *watcher, struct pl_watch *watch);
/** If there was news since the last call, call every watch. One may remove itself then. */
void pl_watcher_tell(struct pl_watcher *watcher);

#endif
