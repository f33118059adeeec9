/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <stddef.h>

void pl_watchers_init(struct pl_watchers *all)
{
    all->first = NULL;
    pthread_mutex_init(&all->lock, NULL);
}

void pl_watchers_deinit(struct pl_watchers *all)
{
    pthread_mutex_destroy(&all->lock);
}

void pl_watchers_stir(struct pl_watchers *all)
{
    pthread_mutex_lock(&all->lock);
    for (struct pl_watcher *watcher = all->first; watcher != NULL; watcher = watcher->next)
        if (!atomic_exchange(&watcher->stirred, true) && watcher->wake != NULL)
            watcher->wake(watcher->state);
    pthread_mutex_unlock(&all->lock);
}

void pl_watcher_init(struct pl_watcher *watcher, struct pl_watchers *all, void (*wake)(void *state),
                     void *state)
{
    *watcher = (struct pl_watcher){ .all = all, .wake = wake, .state = state };
    atomic_init(&watcher->stirred, false);
}

static void join(struct pl_watcher *watcher)
{
    pthread_mutex_lock(&watcher->all->lock);
    watcher->next = watcher->all->first;
    watcher->all->first = watcher;
    pthread_mutex_unlock(&watcher->all->lock);
}

static void leave(struct pl_watcher *watcher)
{
    struct pl_watcher **at = &watcher->all->first;

    pthread_mutex_lock(&watcher->all->lock);
    while (*at != watcher)
        at = &(*at)->next;
    *at = watcher->next;
    pthread_mutex_unlock(&watcher->all->lock);
}

void pl_watcher_add(struct pl_watcher *watcher, struct pl_watch *watch)
{
    watch->previous = NULL;
    watch->next = watcher->watches;
    if (watch->next != NULL)
        watch->next->previous = watch;
    watcher->watches = watch;
    if (watch->next == NULL)
        join(watcher);
}

void pl_watcher_remove(struct pl_watcher *watcher, struct pl_watch *watch)
{
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        watcher->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    if (watcher->watches == NULL)
        leave(watcher);
}

void pl_watcher_tell(struct pl_watcher *watcher)
{
    struct pl_watch *watch, *next;

    if (!atomic_exchange(&watcher->stirred, false))
        return;
    for (watch = watcher->watches; watch != NULL; watch = next) {
        next = watch->next; /* it may leave */
        watch->stirred(watch);
    }
}
