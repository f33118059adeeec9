/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include "test.h"

#include <stddef.h>

/* A thread's watcher, with two watches, one of which may leave as soon as it is called. */
struct reader {
    struct pl_watcher watcher;
    struct pl_watch first, second;
    int wakes, first_calls, second_calls;
    bool first_leaves;
};

static void wake(void *state)
{
    ((struct reader *)state)->wakes++;
}

static struct reader *of_first(struct pl_watch *watch)
{
    return (struct reader *)((char *)watch - offsetof(struct reader, first));
}

static void call_first(struct pl_watch *watch)
{
    struct reader *r = of_first(watch);

    r->first_calls++;
    if (r->first_leaves)
        pl_watcher_remove(&r->watcher, watch);
}

static void call_second(struct pl_watch *watch)
{
    ((struct reader *)((char *)watch - offsetof(struct reader, second)))->second_calls++;
}

static void start(struct reader *r, struct pl_watchers *all)
{
    *r = (struct reader){ .first.stirred = call_first, .second.stirred = call_second };
    pl_watcher_init(&r->watcher, all, wake, r);
}

static void who_watches_nothing_is_left_alone(void)
{
    struct pl_watchers all;
    struct reader r;

    pl_watchers_init(&all);
    start(&r, &all);
    pl_watchers_stir(&all);
    pl_watcher_tell(&r.watcher);
    CHECK(r.wakes == 0 && r.first_calls == 0);
    pl_watcher_add(&r.watcher, &r.first);
    pl_watcher_tell(&r.watcher); /* nothing has happened since */
    CHECK(r.first_calls == 0);
    pl_watcher_remove(&r.watcher, &r.first);
    pl_watchers_stir(&all);
    CHECK(r.wakes == 0);
    pl_watchers_deinit(&all);
}

static void much_news_wakes_once_and_calls_each_watch_once(void)
{
    struct pl_watchers all;
    struct reader a, b;

    pl_watchers_init(&all);
    start(&a, &all);
    start(&b, &all);
    pl_watcher_add(&a.watcher, &a.first);
    pl_watcher_add(&a.watcher, &a.second);
    pl_watcher_add(&b.watcher, &b.second);
    for (int i = 0; i < 5; i++)
        pl_watchers_stir(&all);
    CHECK(a.wakes == 1 && b.wakes == 1);
    pl_watcher_tell(&a.watcher);
    pl_watcher_tell(&a.watcher);
    CHECK(a.first_calls == 1 && a.second_calls == 1 && b.second_calls == 0);
    pl_watchers_stir(&all);
    CHECK(a.wakes == 2 && b.wakes == 1); /* the other has not looked yet */
    pl_watcher_remove(&a.watcher, &a.second);
    pl_watcher_remove(&a.watcher, &a.first);
    pl_watcher_remove(&b.watcher, &b.second);
    CHECK(all.first == NULL);
    pl_watchers_deinit(&all);
}

static void a_watch_may_leave_when_it_is_called(void)
{
    for (int order = 0; order < 2; order++) {
        struct pl_watchers all;
        struct reader r;

        pl_watchers_init(&all);
        start(&r, &all);
        r.first_leaves = true;
        pl_watcher_add(&r.watcher, order == 0 ? &r.first : &r.second);
        pl_watcher_add(&r.watcher, order == 0 ? &r.second : &r.first);
        for (int i = 0; i < 3; i++) {
            pl_watchers_stir(&all);
            pl_watcher_tell(&r.watcher);
        }
        CHECK(r.first_calls == 1 && r.second_calls == 3);
        pl_watcher_remove(&r.watcher, &r.second);
        CHECK(all.first == NULL);
        pl_watchers_deinit(&all);
    }
}

int main(void)
{
    RUN(who_watches_nothing_is_left_alone);
    RUN(much_news_wakes_once_and_calls_each_watch_once);
    RUN(a_watch_may_leave_when_it_is_called);
    return test_summary();
}
