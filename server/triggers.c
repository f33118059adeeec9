/* SPDX-License-Identifier: MIT */
#include "triggers.h"

#include "driver.h"
#include "stream/feed.h"
#include "stream/replay.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LAG_RECORDS_MAX = 10000, LEARN_PAUSE_NS = 200 * 1000 * 1000, ROUND_NS = 10 * 1000 * 1000 };

struct worker {
    struct pl_triggers *triggers;
    pthread_t thread;
    bool started;
    struct pl_attachment *attachment; /* of its own thread */
    struct pl_watch watch;
    uint32_t pending;  /* operations it waits for */
    uint64_t round_ns; /* when it last began to look for work after a rest */
    struct pl_trigger_hands hands;

    /* Under the lock. */
    bool woken;
    bool has_fresh; /* `fresh` takes the place of the script, before the next step */
    struct pl_script *fresh;
};

struct pl_triggers {
    struct pl_triggers_options options;
    const struct pl_sequences *sequences;
    uint32_t partition_count;
    uint32_t worker_count;
    struct worker workers[PL_TRIGGER_THREADS_MAX];
    atomic_bool ending;
    bool turning; /* without threads: we are at it */

    pthread_mutex_t lock;  /* of everything below */
    pthread_cond_t wake;   /* there is something to do */
    pthread_cond_t urgent; /* and it does not wait for the next round */
    struct pl_schedule *schedule;
    struct pl_tables *known; /* what the schedule has learned; NULL: nothing yet */
    struct pl_operation *jobs_first, *jobs_last;
    bool job_runs; /* dead letters are for one worker at a time */
};

/* ---- making and unmaking ---------------------------------------------------------------------------- */

/* Time is over for every function when the server ends. */
static uint64_t worker_ns(void *state)
{
    struct pl_triggers *triggers = state;

    return atomic_load(&triggers->ending) ? UINT64_MAX : pl_clock_monotonic_ns(&triggers->options.clock);
}

static int64_t worker_ms(void *state)
{
    struct pl_triggers *triggers = state;

    return pl_clock_wall_ms(&triggers->options.clock);
}

static void init_lock(struct pl_triggers *triggers)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&triggers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&triggers->wake, &attributes);
    pthread_cond_init(&triggers->urgent, &attributes);
    pthread_condattr_destroy(&attributes);
}

int pl_triggers_new(const struct pl_triggers_options *options, struct pl_triggers **out)
{
    struct pl_triggers *triggers = calloc(1, sizeof *triggers);
    uint32_t threads = options->thread_count == 0 ? PL_TRIGGER_THREADS_DEFAULT : options->thread_count;

    if (triggers == NULL)
        return PL_ENOMEM;
    triggers->options = *options;
    triggers->worker_count = options->threads ? threads : 1;
    atomic_init(&triggers->ending, false);
    init_lock(triggers);
    *out = triggers;
    return 0;
}

void pl_triggers_free(struct pl_triggers *triggers)
{
    if (triggers == NULL)
        return;
    for (uint32_t i = 0; i < triggers->worker_count; i++) {
        pl_script_free(triggers->workers[i].hands.script);
        pl_script_free(triggers->workers[i].fresh);
    }
    pl_schedule_free(triggers->schedule);
    pl_tables_unref(triggers->known);
    pthread_mutex_destroy(&triggers->lock);
    pthread_cond_destroy(&triggers->wake);
    pthread_cond_destroy(&triggers->urgent);
    free(triggers);
}

/* Under the lock. */
static void wake_at_once(struct pl_triggers *triggers)
{
    pthread_cond_broadcast(&triggers->wake);
    pthread_cond_broadcast(&triggers->urgent);
}

/* ---- the modules ------------------------------------------------------------------------------------ */

static bool has_triggers(const struct pl_script *script)
{
    for (uint32_t i = 0; i < pl_script_table_count(script); i++)
        if (pl_script_definition((struct pl_script *)script, i)->trigger_count > 0)
            return true;
    return false;
}

void pl_trigger_scripts_deinit(struct pl_trigger_scripts *scripts)
{
    for (int i = 0; i < PL_TRIGGER_THREADS_MAX; i++)
        pl_script_free(scripts->scripts[i]);
    *scripts = (struct pl_trigger_scripts){ { NULL } };
}

int pl_triggers_load(struct pl_triggers *triggers, const struct pl_script *script,
                     struct pl_trigger_scripts *out, struct pl_reason *why)
{
    struct pl_clock clock = { .monotonic_ns = worker_ns, .wall_ms = worker_ms, .state = triggers };
    int rc = 0;

    if (triggers == NULL || !has_triggers(script))
        return 0;
    for (uint32_t i = 0; rc == 0 && i < triggers->worker_count; i++)
        rc = pl_script_again(script, &triggers->options.limits, clock, &out->scripts[i], why);
    if (rc != 0)
        pl_trigger_scripts_deinit(out);
    return rc;
}

void pl_triggers_switch(struct pl_triggers *triggers, struct pl_trigger_scripts *scripts)
{
    if (triggers == NULL)
        return;
    pthread_mutex_lock(&triggers->lock);
    for (uint32_t i = 0; i < triggers->worker_count; i++) {
        struct worker *worker = &triggers->workers[i];

        pl_script_free(worker->fresh);
        worker->fresh = scripts->scripts[i];
        worker->has_fresh = true;
        worker->woken = true;
    }
    wake_at_once(triggers);
    pthread_mutex_unlock(&triggers->lock);
    *scripts = (struct pl_trigger_scripts){ { NULL } };
}

static void take_fresh(struct worker *worker)
{
    struct pl_script *old = NULL;

    pthread_mutex_lock(&worker->triggers->lock);
    if (worker->has_fresh) {
        old = worker->hands.script;
        worker->hands.script = worker->fresh;
        worker->fresh = NULL;
        worker->has_fresh = false;
    }
    pthread_mutex_unlock(&worker->triggers->lock);
    pl_script_free(old);
}

/* ---- what a step asks for --------------------------------------------------------------------------- */

static void wake_worker(void *state)
{
    struct worker *worker = state;

    pthread_mutex_lock(&worker->triggers->lock);
    worker->woken = true;
    pthread_cond_broadcast(&worker->triggers->wake);
    pthread_mutex_unlock(&worker->triggers->lock);
}

/* What is new is found by looking at the sequences. */
static void stirred(struct pl_watch *watch)
{
    (void)watch;
}

static void finished(struct pl_operation *op)
{
    struct worker *worker = op->owner;

    worker->pending--;
}

/* A view into the store's page must not outlive the snapshot, which is given back before the script goes on. */
static void own(struct pl_operation *op, struct pl_item *item)
{
    struct pl_bytes copy = pl_arena_copy(&op->arena, item->bytes);

    if (copy.data == NULL)
        pl_operation_fail(op, PL_ENOMEM, NULL);
    item->bytes = copy;
}

static void own_reply(struct pl_operation *op)
{
    if (op->reply.rc == 0 && op->reply.has_item)
        own(op, &op->reply.item);
    if (op->reply.rc == 0 && op->reply.has_last_key)
        own(op, &op->reply.last_key);
}

static void wait_for_replies(struct worker *worker)
{
    while (worker->pending > 0) {
        pthread_mutex_lock(&worker->triggers->lock);
        while (!worker->woken)
            pthread_cond_wait(&worker->triggers->wake, &worker->triggers->lock);
        worker->woken = false;
        pthread_mutex_unlock(&worker->triggers->lock);
        pl_attachment_deliver(worker->attachment);
    }
}

static void run(void *state, struct pl_operation *const *ops, uint32_t count)
{
    struct worker *worker = state;
    struct pl_router *router = pl_attachment_router(worker->attachment);

    for (uint32_t i = 0; i < count; i++) {
        ops[i]->owner = worker;
        ops[i]->done = finished;
        worker->pending++;
        if (pl_router_run(router, ops[i])) {
            worker->pending--;
            own_reply(ops[i]);
        }
    }
    pl_attachment_flush(worker->attachment);
    wait_for_replies(worker);
    pl_router_rest(router);
}

static const struct pl_tables *tables(void *state)
{
    struct worker *worker = state;

    return pl_router_tables(pl_attachment_router(worker->attachment));
}

static bool is_ending(void *state)
{
    struct worker *worker = state;

    return atomic_load(&worker->triggers->ending);
}

/* ---- what there is to do ---------------------------------------------------------------------------- */

/* False: not all is known, for lack of memory. Under the lock. */
static bool learn(struct pl_triggers *triggers)
{
    struct pl_tables *now = pl_node_tables(triggers->options.node);
    bool learned = now == triggers->known || pl_schedule_learn(triggers->schedule, now) == 0;

    if (learned && now != triggers->known) {
        pl_tables_unref(triggers->known);
        triggers->known = pl_tables_ref(now);
    }
    pl_tables_unref(now);
    return learned;
}

/* Under the lock. */
static bool job_waits(const struct pl_triggers *triggers)
{
    return triggers->jobs_first != NULL && !triggers->job_runs;
}

static struct pl_operation *take_job(struct pl_triggers *triggers)
{
    struct pl_operation *op = triggers->jobs_first;

    if (!job_waits(triggers))
        return NULL;
    triggers->jobs_first = op->next;
    if (triggers->jobs_first == NULL)
        triggers->jobs_last = NULL;
    triggers->job_runs = true;
    return op;
}

static struct pl_schedule_entry *hold(struct pl_triggers *triggers, uint32_t trigger_id,
                                      const struct pl_trigger_source **source)
{
    struct pl_schedule_entry *entry;

    pthread_mutex_lock(&triggers->lock);
    learn(triggers);
    entry = pl_schedule_hold(triggers->schedule, trigger_id, source);
    pthread_mutex_unlock(&triggers->lock);
    return entry;
}

static void do_job(struct worker *worker, struct pl_operation *op)
{
    struct pl_triggers *triggers = worker->triggers;
    const struct pl_trigger_source *source;
    const struct pl_trigger *trigger;
    const struct pl_table *table;
    struct pl_schedule_entry *entry = NULL;
    int rc = pl_letters_find_trigger(op, tables(worker), &table, &trigger);

    if (rc == 0) {
        entry = hold(triggers, trigger->id, &source);
        rc = entry != NULL ? 0 : PL_EINUSE;
    }
    if (rc == 0)
        pl_letters_carry_out(&worker->hands, source, op);
    else
        op->reply.rc = rc;
    pl_router_rest(pl_attachment_router(worker->attachment));
    pthread_mutex_lock(&triggers->lock);
    if (entry != NULL)
        pl_schedule_release(triggers->schedule, entry);
    triggers->job_runs = false;
    pthread_mutex_unlock(&triggers->lock);
    pl_node_return(op);
}

/* They sleep until what they knew to be due: there may be something before that now. Under the lock. */
static void stir_others(struct pl_triggers *triggers)
{
    for (uint32_t i = 0; i < triggers->worker_count; i++)
        triggers->workers[i].woken = true;
    pthread_cond_broadcast(&triggers->wake);
}

static void do_task(struct worker *worker, const struct pl_schedule_task *task)
{
    struct pl_triggers *triggers = worker->triggers;
    enum pl_lane_step step = PL_LANE_READ;
    int rc = 0;

    if (task->lanes != NULL)
        rc = pl_trigger_load(&worker->hands, task->source, task->partition, task->lanes);
    else
        step = pl_trigger_step(&worker->hands, task->source, task->lane, task->applied);
    pthread_mutex_lock(&triggers->lock);
    pl_schedule_give_back(triggers->schedule, task, rc, step,
                          pl_clock_monotonic_ns(&triggers->options.clock));
    if (step == PL_LANE_WAIT || rc != 0)
        stir_others(triggers);
    pthread_mutex_unlock(&triggers->lock);
}

/* One thing, whichever is next. False: there is nothing before `*due_ns`. */
static bool do_next(struct worker *worker, uint64_t *due_ns)
{
    struct pl_triggers *triggers = worker->triggers;
    uint64_t now_ns = pl_clock_monotonic_ns(&triggers->options.clock);
    struct pl_schedule_task task;
    struct pl_operation *job;
    bool taken = false, learned = true;

    take_fresh(worker);
    pthread_mutex_lock(&triggers->lock);
    job = take_job(triggers);
    if (job == NULL) {
        learned = learn(triggers);
        taken = pl_schedule_take(triggers->schedule, now_ns, &task, due_ns);
    }
    if (!learned && !taken && *due_ns > now_ns + LEARN_PAUSE_NS)
        *due_ns = now_ns + LEARN_PAUSE_NS;
    pthread_mutex_unlock(&triggers->lock);
    if (job != NULL)
        do_job(worker, job);
    else if (taken)
        do_task(worker, &task);
    return job != NULL || taken;
}

/* ---- with threads ----------------------------------------------------------------------------------- */

static struct timespec deadline(uint64_t wait_ns)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(wait_ns / 1000000000);
    at.tv_nsec += (long)(wait_ns % 1000000000);
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void sleep_until(struct worker *worker, uint64_t due_ns)
{
    struct pl_triggers *triggers = worker->triggers;
    uint64_t now_ns = pl_clock_monotonic_ns(&triggers->options.clock);
    struct timespec until = deadline(due_ns > now_ns && due_ns != UINT64_MAX ? due_ns - now_ns : 0);
    bool timed_out = due_ns <= now_ns;

    pthread_mutex_lock(&triggers->lock);
    while (!worker->woken && !timed_out && !atomic_load(&triggers->ending) && !job_waits(triggers)) {
        if (due_ns == UINT64_MAX)
            pthread_cond_wait(&triggers->wake, &triggers->lock);
        else
            timed_out = pthread_cond_timedwait(&triggers->wake, &triggers->lock, &until) != 0;
    }
    worker->woken = false;
    pthread_mutex_unlock(&triggers->lock);
    pl_attachment_deliver(worker->attachment);
}

/*
 * Under load something is applied all the time, a record here and a record there. Going for each by itself would cost
 * more than what the triggers do, so rounds are some milliseconds apart; after a longer rest none waits. Letters, new
 * modules and the end do not wait for it either.
 */
static void keep_apart(struct worker *worker)
{
    struct pl_triggers *triggers = worker->triggers;
    uint64_t now_ns = pl_clock_monotonic_ns(&triggers->options.clock), next_ns = worker->round_ns + ROUND_NS;
    bool over = now_ns >= next_ns || next_ns - now_ns > ROUND_NS;
    struct timespec until = deadline(over ? 0 : next_ns - now_ns);

    pthread_mutex_lock(&triggers->lock);
    while (!over && !worker->has_fresh && !atomic_load(&triggers->ending) && !job_waits(triggers))
        over = pthread_cond_timedwait(&triggers->urgent, &triggers->lock, &until) != 0;
    pthread_mutex_unlock(&triggers->lock);
    worker->round_ns = pl_clock_monotonic_ns(&triggers->options.clock);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    uint64_t due_ns;

    while (!atomic_load(&worker->triggers->ending))
        if (!do_next(worker, &due_ns)) {
            sleep_until(worker, due_ns);
            keep_apart(worker);
        }
    return NULL;
}

/* ---- without ---------------------------------------------------------------------------------------- */

uint64_t pl_triggers_turn(struct pl_triggers *triggers, uint32_t time_ms)
{
    uint64_t start_ns = pl_clock_monotonic_ns(&triggers->options.clock), now_ns = start_ns, due_ns = 0;
    bool more = true;

    if (triggers->turning || triggers->options.threads)
        return UINT64_MAX;
    triggers->turning = true;
    while (more && now_ns - start_ns < time_ms * UINT64_C(1000000)) {
        more = do_next(&triggers->workers[0], &due_ns);
        now_ns = pl_clock_monotonic_ns(&triggers->options.clock);
    }
    triggers->turning = false;
    if (more || due_ns == UINT64_MAX)
        return more ? 0 : UINT64_MAX;
    return due_ns > now_ns ? (due_ns - now_ns) / 1000000 + 1 : 0;
}

/* ---- for everybody ---------------------------------------------------------------------------------- */

static void append_job(struct pl_triggers *triggers, struct pl_operation *op)
{
    if (triggers->jobs_last == NULL)
        triggers->jobs_first = op;
    else
        triggers->jobs_last->next = op;
    triggers->jobs_last = op;
}

static void refuse_job(struct pl_operation *op)
{
    pl_operation_fail(op, PL_ECLOSED, NULL);
    pl_node_return(op);
}

void pl_triggers_letters(struct pl_triggers *triggers, struct pl_operation *op)
{
    uint64_t due_ns;
    bool ending;

    op->next = NULL;
    pthread_mutex_lock(&triggers->lock);
    ending = atomic_load(&triggers->ending);
    if (!ending)
        append_job(triggers, op);
    wake_at_once(triggers);
    pthread_mutex_unlock(&triggers->lock);
    if (ending)
        refuse_job(op);
    else if (!triggers->options.threads)
        do_next(&triggers->workers[0], &due_ns);
}

static int attach(struct pl_triggers *triggers, struct worker *worker)
{
    struct pl_feed_source source;
    int rc;

    worker->triggers = triggers;
    rc = pl_node_attach(triggers->options.node, triggers->options.threads ? wake_worker : NULL, worker,
                        &worker->attachment);
    if (rc == 0)
        rc = pl_attachment_feed_source(worker->attachment, &source);
    if (rc != 0)
        return rc;
    worker->watch.stirred = stirred;
    pl_attachment_watch(worker->attachment, &worker->watch);
    worker->hands.snapshot = source.snapshot;
    worker->hands.partition_count = source.partition_count;
    worker->hands.run = run;
    worker->hands.tables = tables;
    worker->hands.is_ending = is_ending;
    worker->hands.state = worker;
    worker->hands.clock = triggers->options.clock;
    worker->hands.random = triggers->options.random;
    worker->hands.logger = triggers->options.logger;
    return 0;
}

int pl_triggers_start(struct pl_triggers *triggers, const struct pl_sequences *sequences,
                      uint32_t partition_count)
{
    int rc = pl_schedule_new(partition_count, sequences, &triggers->schedule);

    triggers->sequences = sequences;
    triggers->partition_count = partition_count;

    for (uint32_t i = 0; rc == 0 && i < triggers->worker_count; i++)
        rc = attach(triggers, &triggers->workers[i]);
    for (uint32_t i = 0; rc == 0 && i < triggers->worker_count && triggers->options.threads; i++) {
        rc = pl_driver_thread(&triggers->workers[i].thread, "pl-trigger", work, &triggers->workers[i]);
        triggers->workers[i].started = rc == 0;
    }
    if (rc != 0)
        pl_triggers_stop(triggers);
    return rc;
}

/* Who asked for letters and was not served hears so. */
static void refuse_jobs(struct pl_triggers *triggers)
{
    struct pl_operation *op;

    pthread_mutex_lock(&triggers->lock);
    op = triggers->jobs_first;
    triggers->jobs_first = triggers->jobs_last = NULL;
    pthread_mutex_unlock(&triggers->lock);
    while (op != NULL) {
        struct pl_operation *next = op->next;

        refuse_job(op);
        op = next;
    }
}

static void detach(struct worker *worker)
{
    if (worker->attachment == NULL)
        return;
    if (worker->watch.stirred != NULL)
        pl_attachment_unwatch(worker->attachment, &worker->watch);
    pl_trigger_hands_deinit(&worker->hands);
    pl_node_detach(worker->attachment);
    worker->attachment = NULL;
}

void pl_triggers_stop(struct pl_triggers *triggers)
{
    if (triggers == NULL)
        return;
    pthread_mutex_lock(&triggers->lock);
    atomic_store(&triggers->ending, true);
    wake_at_once(triggers);
    pthread_mutex_unlock(&triggers->lock);
    for (uint32_t i = 0; i < triggers->worker_count; i++)
        if (triggers->workers[i].started) {
            pthread_join(triggers->workers[i].thread, NULL);
            triggers->workers[i].started = false;
        }
    refuse_jobs(triggers);
    for (uint32_t i = 0; i < triggers->worker_count; i++)
        detach(&triggers->workers[i]);
}

/* ---- figures ---------------------------------------------------------------------------------------- */

static int find_positions(struct pl_triggers *triggers, struct pl_snapshot *snapshot,
                          const struct pl_trigger_source *source, uint16_t partition,
                          uint64_t positions[PL_PROGRESS_SLOTS_MAX])
{
    bool known;
    int rc = 0;

    pthread_mutex_lock(&triggers->lock);
    known = pl_schedule_positions(triggers->schedule, source->trigger.id, partition, positions);
    pthread_mutex_unlock(&triggers->lock);
    for (uint8_t i = 0; !known && rc == 0 && i < source->trigger.parallel; i++) {
        struct pl_progress progress;

        rc = pl_progress_get(snapshot, partition, source->trigger.id, i, &progress);
        positions[i] = progress.sequence;
    }
    return rc;
}

static int find_lag(struct pl_triggers *triggers, struct pl_snapshot *snapshot,
                    const struct pl_trigger_source *source, struct pl_lag *lag)
{
    uint64_t positions[PL_PROGRESS_SLOTS_MAX];
    int rc = pl_snapshot_renew(snapshot);

    for (uint32_t p = 0; rc == 0 && p < triggers->partition_count && lag->records < lag->records_max; p++) {
        if (pl_sequences_applied(triggers->sequences, (uint16_t)p) == 0)
            continue;
        rc = find_positions(triggers, snapshot, source, (uint16_t)p, positions);
        if (rc == 0)
            rc = pl_lag_add(snapshot, source, (uint16_t)p, positions, lag);
    }
    pl_snapshot_reset(snapshot);
    return rc;
}

static bool add(cJSON *json, const char *name, uint64_t value)
{
    return cJSON_AddNumberToObject(json, name, (double)value) != NULL;
}

static bool add_lag(struct pl_triggers *triggers, const struct pl_trigger_source *source,
                    struct pl_snapshot *snapshot, cJSON *json)
{
    struct pl_lag lag = { .records_max = LAG_RECORDS_MAX };
    int64_t now_ms = pl_clock_wall_ms(&triggers->options.clock);

    if (snapshot == NULL || find_lag(triggers, snapshot, source, &lag) != 0)
        return true; /* it says what it can */
    return add(json, "lag_records", lag.records) &&
           add(json, "lag_ms",
               lag.oldest_ms == 0 || lag.oldest_ms > now_ms ? 0 : (uint64_t)(now_ms - lag.oldest_ms));
}

static bool add_work(struct pl_triggers *triggers, const struct pl_trigger_source *source,
                     struct pl_snapshot *snapshot, cJSON *json)
{
    struct pl_schedule_report report;
    bool known;

    pthread_mutex_lock(&triggers->lock);
    known = pl_schedule_report(triggers->schedule, source->trigger.id, &report);
    pthread_mutex_unlock(&triggers->lock);
    if (!known)
        return true; /* it was declared a moment ago */
    return add(json, "runs", report.runs) && add(json, "records", report.records) &&
           add(json, "failures", report.failures) && add(json, "waiting", report.waiting) &&
           add(json, "trimmed", report.trimmed) && add_lag(triggers, source, snapshot, json);
}

int pl_triggers_figures(struct pl_triggers *triggers, struct pl_table *table, struct pl_counters *counters,
                        struct pl_snapshot *snapshot, cJSON *json)
{
    cJSON *all = table->trigger_count == 0 ? NULL : cJSON_AddObjectToObject(json, "triggers");

    if (all == NULL)
        return table->trigger_count == 0 ? 0 : PL_ENOMEM;
    for (uint32_t i = 0; i < table->trigger_count; i++) {
        struct pl_trigger_source source = { .table = table, .trigger = table->triggers[i] };
        char name[PL_TABLE_NAME_MAX + 1];
        cJSON *at;

        snprintf(name, sizeof name, "%.*s", (int)source.trigger.name.len, source.trigger.name.data);
        at = cJSON_AddObjectToObject(all, name);
        if (at == NULL ||
            !add(at, "dead_letters", (uint64_t)pl_counters_total(counters, source.trigger.id).items) ||
            (triggers != NULL && !add_work(triggers, &source, snapshot, at)))
            return PL_ENOMEM;
    }
    return 0;
}
