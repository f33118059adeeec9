/* SPDX-License-Identifier: MIT */
/*
 * The three threads of a journal at once: the owner, the sync worker and the preparing worker. For
 * ThreadSanitizer.
 */
#include "scratch_dir.h"
#include "store/journal.h"
#include "test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { SEGMENT = 64 << 10, FIRST = 16 << 10, RECORDS = 3000 };

/** A worker with one job, done each time it is woken; `done` counts. */
struct worker {
    pthread_t thread;
    sem_t wake;
    sem_t woken_owner;
    atomic_bool busy;
    atomic_bool stop;
    int (*job)(struct pl_journal *journal, struct pl_reason *why);
    struct pl_journal *journal;
    int rc;
};

static void *work(void *arg)
{
    struct worker *worker = arg;

    for (;;) {
        sem_wait(&worker->wake);
        if (atomic_load(&worker->stop))
            return NULL;
        worker->rc = worker->job(worker->journal, NULL);
        atomic_store(&worker->busy, false);
        sem_post(&worker->woken_owner);
    }
}

static void start(struct worker *worker, struct pl_journal *journal,
                  int (*job)(struct pl_journal *, struct pl_reason *))
{
    *worker = (struct worker){ .job = job, .journal = journal };
    sem_init(&worker->wake, 0, 0);
    sem_init(&worker->woken_owner, 0, 0);
    CHECK(pthread_create(&worker->thread, NULL, work, worker) == 0);
}

static void run(struct worker *worker)
{
    atomic_store(&worker->busy, true);
    sem_post(&worker->wake);
}

static void stop(struct worker *worker)
{
    atomic_store(&worker->stop, true);
    sem_post(&worker->wake);
    pthread_join(worker->thread, NULL);
    sem_destroy(&worker->wake);
    sem_destroy(&worker->woken_owner);
}

static uint64_t four(void *state)
{
    (void)state;
    return 4;
}

static int count(void *arg, const struct pl_journal_record *record)
{
    uint64_t *next = arg;

    if (record->kind == PL_JOURNAL_MARK)
        return 0;
    CHECK(*next == 0 || pl_get_le64(record->payload.data) == *next);
    *next = pl_get_le64(record->payload.data) + 1;
    return 0;
}

static void three_threads_keep_every_record_in_order(void)
{
    struct scratch_dir dir = scratch_dir_make();
    struct pl_disk disk = pl_disk_system();
    struct pl_journal_options options = {
        .disk = &disk, .random = { .next = four }, .segment_bytes = SEGMENT, .first_segment_bytes = FIRST
    };
    struct pl_journal *journal;
    struct worker syncer, preparer;
    bool in_flight = false, preparing = false;
    uint64_t end, next = 0;

    CHECK(pl_journal_create(dir.path, &options, &journal, NULL) == 0);
    start(&syncer, journal, pl_journal_run_sync);
    start(&preparer, journal, pl_journal_prepare);
    for (uint64_t id = 0; id < RECORDS; id++) {
        char payload[1000] = { 0 };
        struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE,
                                            .payload = pl_bytes(payload, 8 + id % 990) };

        pl_put_le64(payload, id);
        CHECK(pl_journal_append(journal, &record, PL_JOURNAL_GROW, NULL, NULL) == 0);
        if (in_flight && !atomic_load(&syncer.busy)) {
            sem_wait(&syncer.woken_owner);
            pl_journal_end_sync(journal, syncer.rc);
            in_flight = false;
        }
        if (!in_flight && pl_journal_seal(journal, true, &end)) {
            in_flight = true;
            run(&syncer);
        }
        if (preparing && !atomic_load(&preparer.busy)) {
            sem_wait(&preparer.woken_owner);
            CHECK(preparer.rc == 0);
            preparing = false;
        }
        if (!preparing && pl_journal_wants_prepare(journal)) {
            preparing = true;
            run(&preparer);
        }
        if (id % 300 == 299)
            pl_journal_trim(journal, pl_journal_durable(journal));
    }
    if (in_flight) {
        sem_wait(&syncer.woken_owner);
        pl_journal_end_sync(journal, syncer.rc);
    }
    if (preparing)
        sem_wait(&preparer.woken_owner);
    stop(&syncer);
    stop(&preparer);
    if (pl_journal_seal(journal, true, &end))
        pl_journal_end_sync(journal, pl_journal_run_sync(journal, NULL));
    CHECK(pl_journal_durable(journal) == pl_journal_end(journal));
    pl_journal_close(journal);
    CHECK(pl_journal_open(dir.path, &options, count, &next, &journal, NULL) == 0);
    CHECK(next == RECORDS);
    pl_journal_close(journal);
    scratch_dir_remove(&dir);
}

int main(void)
{
    RUN(three_threads_keep_every_record_in_order);
    return test_summary();
}
