/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <stdlib.h>
#include <time.h>

enum {
    LUA_STACK_BYTES = 16 << 20,
    TICK_MS = 50,       /* while anything happens */
    REST_TICK_MS = 250, /* while nothing does */
    STUCK_TURNS_MAX = 100,
    INLINE_STUCK_TURNS_MAX = 3,
};

/* A worker does one thing at a time for the shard, and says when it is done. */
struct worker {
    struct pl_driver *driver;
    pthread_t thread;
    pthread_cond_t wake;
    bool started, busy, done;
    int rc;
    struct pl_reason why;
    int (*body)(struct pl_shard *shard, struct pl_reason *why);
};

struct pl_driver {
    struct pl_shard *shard;
    struct pl_driver_callbacks callbacks;
    const struct pl_logger *logger;
    bool threads;
    bool told_failed;
    uint32_t stuck_turns; /* in a row, with a durable batch that could not be applied */
    pthread_t thread;

    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t wake;  /* of the shard's thread */
    struct pl_operation *inbox_first, *inbox_last;
    struct pl_driver_job *jobs_first, *jobs_last;
    bool stop;         /* the shard's thread: when all is finished */
    bool workers_stop; /* after it */
    struct worker sync, upkeep;
    bool upkeep_checkpoint; /* what the upkeep thread was last given */
    struct pl_shard_stats stats;
};

int pl_driver_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *arg)
{
    pthread_attr_t attributes;
    int rc;

    if (pthread_attr_init(&attributes) != 0)
        return PL_ENOMEM;
    rc = pthread_attr_setstacksize(&attributes, LUA_STACK_BYTES);
    if (rc == 0)
        rc = pthread_create(thread, &attributes, body, arg);
    if (rc == 0)
        pthread_setname_np(*thread, name);
    pthread_attr_destroy(&attributes);
    return rc == 0 ? 0 : PL_ENOMEM;
}

/* ---- workers ---------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct pl_driver *driver = worker->driver;

    pthread_mutex_lock(&driver->lock);
    for (;;) {
        while (!(worker->busy && !worker->done) && !driver->workers_stop)
            pthread_cond_wait(&worker->wake, &driver->lock);
        if (!worker->busy || worker->done)
            break; /* told to stop, with nothing to do */
        pthread_mutex_unlock(&driver->lock);
        worker->why.text[0] = '\0';
        worker->rc = worker->body(driver->shard, &worker->why);
        pthread_mutex_lock(&driver->lock);
        worker->done = true;
        pthread_cond_signal(&driver->wake);
        while (worker->done && !driver->workers_stop)
            pthread_cond_wait(&worker->wake, &driver->lock);
    }
    pthread_mutex_unlock(&driver->lock);
    return NULL;
}

static int start_worker(struct pl_driver *driver, struct worker *worker, const char *name)
{
    worker->driver = driver;
    pthread_cond_init(&worker->wake, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        return PL_ENOMEM;
    pthread_setname_np(worker->thread, name);
    worker->started = true;
    return 0;
}

static void give(struct pl_driver *driver, struct worker *worker,
                 int (*body)(struct pl_shard *, struct pl_reason *))
{
    pthread_mutex_lock(&driver->lock);
    worker->body = body;
    worker->done = false;
    worker->busy = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&driver->lock);
}

/* True when the worker has finished; it is then free for more. */
static bool collect(struct pl_driver *driver, struct worker *worker)
{
    bool done;

    pthread_mutex_lock(&driver->lock);
    done = worker->done;
    if (done) {
        worker->busy = worker->done = false;
        pthread_cond_signal(&worker->wake);
    }
    pthread_mutex_unlock(&driver->lock);
    return done;
}

/* ---- the shard's thread ----------------------------------------------------------------------------- */

static void hand_out(struct pl_driver *driver)
{
    struct pl_tables *tables = pl_shard_take_tables(driver->shard);
    struct pl_operation *finished;
    const char *sentence;
    int rc = pl_shard_failed(driver->shard, &sentence);

    if (tables != NULL)
        driver->callbacks.tables(driver->callbacks.state, tables);
    /* Before anybody gets a reply that tells of it. */
    if (rc != 0 && !driver->told_failed) {
        driver->told_failed = true;
        driver->callbacks.failed(driver->callbacks.state, rc, sentence);
    }
    if (pl_shard_take_streamed(driver->shard))
        driver->callbacks.streamed(driver->callbacks.state);
    finished = pl_shard_take(driver->shard);
    if (finished != NULL)
        driver->callbacks.finished(driver->callbacks.state, finished);
}

static void keep_syncing(struct pl_driver *driver)
{
    if (driver->sync.busy && collect(driver, &driver->sync))
        pl_shard_end_sync(driver->shard, driver->sync.rc, &driver->sync.why);
    if (!driver->sync.busy && pl_shard_syncs(driver->shard))
        give(driver, &driver->sync, pl_shard_run_sync);
}

static void keep_up(struct pl_driver *driver)
{
    struct pl_shard *shard = driver->shard;
    struct worker *upkeep = &driver->upkeep;

    if (upkeep->busy && collect(driver, upkeep)) {
        if (driver->upkeep_checkpoint)
            pl_shard_end_checkpoint(shard, upkeep->rc, &upkeep->why);
        else if (upkeep->rc != 0)
            pl_log(driver->logger, PL_LOG_WARN, "no journal segment ahead of need", "%s", upkeep->why.text);
    }
    if (upkeep->busy)
        return;
    driver->upkeep_checkpoint = pl_shard_checkpoints(shard);
    if (driver->upkeep_checkpoint)
        give(driver, upkeep, pl_shard_run_checkpoint);
    else if (pl_shard_wants_prepare(shard))
        give(driver, upkeep, pl_shard_run_prepare);
}

static bool anything_to_do(const struct pl_driver *driver)
{
    return driver->inbox_first != NULL || driver->jobs_first != NULL || driver->sync.done ||
           driver->upkeep.done;
}

static uint64_t now_ms(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static struct timespec deadline_in(uint64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Take what has come; sleep first when nothing has and nothing is left to do. */
static void take_inbox(struct pl_driver *driver, bool sleep, struct pl_driver_job **jobs)
{
    struct timespec until = deadline_in(pl_shard_is_idle(driver->shard) ? REST_TICK_MS : TICK_MS);
    bool timed_out = false;

    pthread_mutex_lock(&driver->lock);
    driver->stats = pl_shard_stats(driver->shard);
    /* At the end too there is nothing to do but wait while a worker is busy. */
    while (sleep && !timed_out && !anything_to_do(driver) &&
           (!driver->stop || driver->sync.busy || driver->upkeep.busy))
        timed_out = pthread_cond_timedwait(&driver->wake, &driver->lock, &until) != 0;
    if (driver->stop)
        pl_shard_put_off_chores(driver->shard);
    pl_shard_submit(driver->shard, driver->inbox_first);
    driver->inbox_first = driver->inbox_last = NULL;
    *jobs = driver->jobs_first;
    driver->jobs_first = driver->jobs_last = NULL;
    pthread_mutex_unlock(&driver->lock);
}

static void run_jobs(struct pl_driver *driver, struct pl_driver_job *job)
{
    while (job != NULL) {
        struct pl_driver_job *next = job->next;

        job->body(driver->shard, job); /* `job` may be gone now */
        job = next;
    }
}

static bool must_go_on(struct pl_driver *driver)
{
    bool stop;

    pthread_mutex_lock(&driver->lock);
    stop = driver->stop && !anything_to_do(driver);
    pthread_mutex_unlock(&driver->lock);
    if (!stop)
        return true;
    if (driver->sync.busy || driver->upkeep.busy || pl_shard_owes(driver->shard))
        return true;
    /* A lack of memory must not keep us: what is durable is found by the next start. */
    return pl_shard_failed(driver->shard, NULL) == 0 && !pl_shard_is_idle(driver->shard) &&
           driver->stuck_turns < STUCK_TURNS_MAX;
}

/*
 * One round. The next sync starts before the batch that has just become durable is
 * applied, so that disk and processor work at the same time.
 */
static bool turn(struct pl_driver *driver, struct pl_driver_job *jobs)
{
    bool more;

    keep_syncing(driver);
    run_jobs(driver, jobs);
    pl_shard_apply(driver->shard);
    hand_out(driver);
    more = pl_shard_turn(driver->shard);
    keep_syncing(driver);
    keep_up(driver);
    hand_out(driver);
    return more || pl_shard_applies(driver->shard);
}

/*
 * Timed work goes by the clock, however busy the shard is. What is durable is applied first: under load another
 * batch has nearly always become durable since the last turn, and a checkpoint begins only where none waits.
 */
static void tick(struct pl_driver *driver, uint64_t *last_ms)
{
    uint64_t now = now_ms();

    if (now - *last_ms < TICK_MS)
        return;
    *last_ms = now;
    pl_shard_apply(driver->shard);
    hand_out(driver);
    pl_shard_tick(driver->shard);
}

static void *drive(void *arg)
{
    struct pl_driver *driver = arg;
    struct pl_driver_job *jobs;
    uint64_t last_ms = 0;
    bool more = false;

    while (must_go_on(driver)) {
        take_inbox(driver, !more, &jobs);
        tick(driver, &last_ms);
        more = turn(driver, jobs);
        /* Applying waits for memory: hurry brings none. */
        driver->stuck_turns = pl_shard_is_stuck(driver->shard) ? driver->stuck_turns + 1 : 0;
        if (driver->stuck_turns > 0)
            more = false;
        if (driver->stuck_turns >= STUCK_TURNS_MAX) {
            pl_shard_disappoint(driver->shard);
            hand_out(driver);
        }
    }
    return NULL;
}

/* ---- without threads -------------------------------------------------------------------------------- */

/* What the workers do elsewhere too. True when there is more to do at once. */
static bool turn_inline(struct pl_driver *driver)
{
    struct pl_shard *shard = driver->shard;
    struct pl_reason why = { 0 };
    bool more;

    /* First, so that what was short of memory or room a while ago is in nobody's way. */
    pl_shard_apply(shard);
    hand_out(driver);
    pl_shard_tick(shard);
    if (pl_shard_checkpoints(shard))
        pl_shard_end_checkpoint(shard, pl_shard_run_checkpoint(shard, &why), &why);
    if (pl_shard_wants_prepare(shard) && pl_shard_run_prepare(shard, &why) != 0)
        pl_log(driver->logger, PL_LOG_WARN, "no journal segment ahead of need", "%s", why.text);
    more = pl_shard_turn(shard);
    while (pl_shard_syncs(shard))
        pl_shard_end_sync(shard, pl_shard_run_sync(shard, &why), &why);
    pl_shard_apply(shard);
    hand_out(driver);
    return more;
}

/*
 * Until everybody has a reply and nothing is left to do. Nobody else comes by later, so
 * there is no waiting for memory: some turns, and then an answer that leaves it open.
 */
static void drive_inline(struct pl_driver *driver)
{
    struct pl_shard *shard = driver->shard;
    uint32_t stuck_turns = 0;
    bool more;

    do {
        more = turn_inline(driver);
        if (pl_shard_failed(shard, NULL) != 0) {
            more = pl_shard_owes(shard);
        } else if (!pl_shard_applies(shard)) {
            more = more || !pl_shard_is_idle(shard) || pl_shard_has_chores(shard) || pl_shard_owes(shard);
        } else if (++stuck_turns < INLINE_STUCK_TURNS_MAX) {
            more = true;
        } else {
            pl_shard_disappoint(shard);
            hand_out(driver);
            more = pl_shard_owes(shard);
        }
    } while (more);
    driver->stats = pl_shard_stats(shard);
}

/* ---- for everybody ---------------------------------------------------------------------------------- */

static void init_sync(struct pl_driver *driver)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&driver->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&driver->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void end_threads(struct pl_driver *driver)
{
    pthread_mutex_lock(&driver->lock);
    driver->workers_stop = true;
    pthread_cond_broadcast(&driver->sync.wake);
    pthread_cond_broadcast(&driver->upkeep.wake);
    pthread_mutex_unlock(&driver->lock);
    if (driver->sync.started)
        pthread_join(driver->sync.thread, NULL);
    if (driver->upkeep.started)
        pthread_join(driver->upkeep.thread, NULL);
}

static int start_threads(struct pl_driver *driver, struct pl_reason *why)
{
    int rc = start_worker(driver, &driver->sync, "pl-sync");

    if (rc == 0)
        rc = start_worker(driver, &driver->upkeep, "pl-upkeep");
    if (rc == 0)
        rc = pl_driver_thread(&driver->thread, "pl-shard", drive, driver);
    if (rc != 0) {
        pl_reason_set(why, rc, "the shard's threads could not be started");
        end_threads(driver);
    }
    return rc;
}

static void free_driver(struct pl_driver *driver)
{
    pthread_mutex_destroy(&driver->lock);
    pthread_cond_destroy(&driver->wake);
    free(driver);
}

int pl_driver_start(struct pl_shard *shard, bool threads, const struct pl_driver_callbacks *callbacks,
                    const struct pl_logger *logger, struct pl_driver **out, struct pl_reason *why)
{
    struct pl_driver *driver = calloc(1, sizeof *driver);
    int rc;

    if (driver == NULL)
        return PL_ENOMEM;
    driver->shard = shard;
    driver->callbacks = *callbacks;
    driver->logger = logger;
    driver->threads = threads;
    init_sync(driver);
    hand_out(driver);
    rc = threads ? start_threads(driver, why) : 0;
    if (rc != 0) {
        free_driver(driver);
        return rc;
    }
    /* Nobody comes by later to fill an index that the modules have just brought. */
    if (!threads)
        drive_inline(driver);
    *out = driver;
    return 0;
}

int pl_driver_stop(struct pl_driver *driver, struct pl_reason *why)
{
    int rc;

    if (driver->threads) {
        pthread_mutex_lock(&driver->lock);
        driver->stop = true;
        pthread_cond_signal(&driver->wake);
        pthread_mutex_unlock(&driver->lock);
        pthread_join(driver->thread, NULL);
        end_threads(driver);
    } else if (pl_shard_failed(driver->shard, NULL) == 0) {
        pl_shard_put_off_chores(driver->shard);
        drive_inline(driver);
    }
    rc = pl_shard_close(driver->shard, true, why);
    free_driver(driver);
    return rc;
}

void pl_driver_submit(struct pl_driver *driver, struct pl_operation *first, struct pl_operation *last)
{
    if (!driver->threads) {
        pl_shard_submit(driver->shard, first);
        drive_inline(driver);
        return;
    }
    pthread_mutex_lock(&driver->lock);
    if (driver->inbox_last == NULL)
        driver->inbox_first = first;
    else
        driver->inbox_last->next = first;
    driver->inbox_last = last;
    pthread_cond_signal(&driver->wake);
    pthread_mutex_unlock(&driver->lock);
}

void pl_driver_run(struct pl_driver *driver, struct pl_driver_job *job)
{
    job->next = NULL;
    if (!driver->threads) {
        job->body(driver->shard, job);
        drive_inline(driver);
        return;
    }
    pthread_mutex_lock(&driver->lock);
    if (driver->jobs_last == NULL)
        driver->jobs_first = job;
    else
        driver->jobs_last->next = job;
    driver->jobs_last = job;
    pthread_cond_signal(&driver->wake);
    pthread_mutex_unlock(&driver->lock);
}

struct pl_shard_stats pl_driver_stats(struct pl_driver *driver)
{
    struct pl_shard_stats stats;

    pthread_mutex_lock(&driver->lock);
    stats = driver->stats;
    pthread_mutex_unlock(&driver->lock);
    return stats;
}
