/* SPDX-License-Identifier: MIT */
#include "front/loop.h"

#include "front/connection.h"
#include "front/desk.h"

#include <stdlib.h>
#include <unistd.h>

static void thread_main(void *arg);
static void woken(uv_async_t *async);
static void checked(uv_check_t *check);
static void prepared(uv_prepare_t *prepare);
static void stay_awake(uv_idle_t *idle);
static void ticked(uv_timer_t *timer);

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* --- starting --- */

static int error_from_uv(int rc)
{
    return rc == 0 ? 0 : pl_error_from_errno(-rc);
}

/* The handle through which other threads reach the loop must be there before its thread is. */
static int open_loop(struct pl_loop *loop)
{
    int rc;

    rc = uv_loop_init(&loop->uv);
    if (rc != 0)
        return error_from_uv(rc);
    rc = uv_async_init(&loop->uv, &loop->wake, woken);
    if (rc != 0) {
        PL_ASSERT(uv_loop_close(&loop->uv) == 0);
        return error_from_uv(rc);
    }
    /* None of these can fail: they only fill in memory. */
    uv_check_init(&loop->uv, &loop->check);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    uv_timer_init(&loop->uv, &loop->tick);
    return 0;
}

static void close_handles(struct pl_loop *loop)
{
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
}

static void free_memory(struct pl_loop *loop)
{
    if (loop->desk != NULL)
        pl_desk_free(loop->desk);
    free(loop->scratch);
    free(loop);
}

static void free_loop(struct pl_loop *loop)
{
    /* A handle that is still open here is our mistake, and would be used after its memory is freed. */
    PL_ASSERT(uv_loop_close(&loop->uv) == 0);
    pl_request_free_spares(loop);
    pl_buf_deinit(&loop->words);
    uv_sem_destroy(&loop->started);
    uv_mutex_destroy(&loop->mailbox_lock);
    free(loop->mailbox);
    free_memory(loop);
}

static int fail_start(struct pl_loop *loop, int rc)
{
    close_handles(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    free_loop(loop);
    return rc;
}

static struct pl_loop *new_loop(const struct pl_loop_options *options)
{
    struct pl_loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return NULL;
    loop->options = *options;
    loop->scratch = malloc(sizeof *loop->scratch);
    if (options->http != NULL)
        loop->desk = pl_desk_new(options->http);
    if (loop->scratch == NULL || (options->http != NULL && loop->desk == NULL) ||
        uv_mutex_init(&loop->mailbox_lock) != 0) {
        free_memory(loop);
        return NULL;
    }
    if (uv_sem_init(&loop->started, 0) != 0) {
        uv_mutex_destroy(&loop->mailbox_lock);
        free_memory(loop);
        return NULL;
    }
    return loop;
}

int pl_loop_start(const struct pl_loop_options *options, struct pl_loop **out)
{
    struct pl_loop *loop = new_loop(options);
    int rc;

    if (loop == NULL)
        return PL_ENOMEM;
    rc = open_loop(loop);
    if (rc != 0) {
        uv_sem_destroy(&loop->started);
        uv_mutex_destroy(&loop->mailbox_lock);
        free_memory(loop);
        return rc;
    }
    rc = uv_thread_create(&loop->thread, thread_main, loop);
    if (rc != 0)
        return fail_start(loop, error_from_uv(rc));
    uv_sem_wait(&loop->started);
    if (loop->start_rc != 0) {
        uv_thread_join(&loop->thread);
        return fail_start(loop, loop->start_rc);
    }
    *out = loop;
    return 0;
}

static void wake(void *state)
{
    struct pl_loop *loop = state;

    uv_async_send(&loop->wake);
}

static void thread_main(void *arg)
{
    struct pl_loop *loop = arg;

    pthread_setname_np(pthread_self(), "pl-io");
    loop->start_rc = loop->options.engine.attach(loop->options.engine.state, wake, loop, &loop->attachment);
    if (loop->start_rc != 0) {
        uv_sem_post(&loop->started);
        return;
    }
    uv_check_start(&loop->check, checked);
    uv_prepare_start(&loop->prepare, prepared);
    uv_timer_start(&loop->tick, ticked, 1000, 1000);
    uv_sem_post(&loop->started);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    pl_request_free_spares(loop);
}

/* --- from other threads --- */

/* The mailbox is small: sockets lie in it until the loop's next turn. */
static int put_into_mailbox(struct pl_loop *loop, struct pl_loop_arrival arrival)
{
    if (loop->mailbox_count == loop->mailbox_capacity) {
        uint32_t capacity = loop->mailbox_capacity == 0 ? 16 : loop->mailbox_capacity * 2;
        struct pl_loop_arrival *grown = realloc(loop->mailbox, capacity * sizeof *grown);

        if (grown == NULL)
            return PL_ENOMEM;
        loop->mailbox = grown;
        loop->mailbox_capacity = capacity;
    }
    loop->mailbox[loop->mailbox_count++] = arrival;
    return 0;
}

int pl_loop_adopt(struct pl_loop *loop, const struct pl_client_kind *kind, int fd)
{
    struct pl_loop_arrival arrival = { .kind = kind, .fd = fd };
    int rc;

    uv_mutex_lock(&loop->mailbox_lock);
    rc = loop->stop_wanted ? PL_ECLOSED : put_into_mailbox(loop, arrival);
    uv_mutex_unlock(&loop->mailbox_lock);
    if (rc != 0)
        return rc;
    atomic_fetch_add(&loop->connection_count, 1);
    uv_async_send(&loop->wake);
    return 0;
}

void pl_loop_stop(struct pl_loop *loop)
{
    uv_mutex_lock(&loop->mailbox_lock);
    loop->stop_wanted = true;
    uv_mutex_unlock(&loop->mailbox_lock);
    uv_async_send(&loop->wake);
}

void pl_loop_join(struct pl_loop *loop)
{
    uv_thread_join(&loop->thread);
    free_loop(loop);
}

uint32_t pl_loop_connection_count(const struct pl_loop *loop)
{
    return atomic_load(&loop->connection_count);
}

/* --- turns --- */

static void open_mail(struct pl_loop *loop, const struct pl_loop_arrival *mail, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pl_client_open(loop, mail[i].kind, mail[i].fd);
}

static void begin_stop(struct pl_loop *loop)
{
    struct pl_client *c, *next;

    loop->stopping = true;
    loop->stop_deadline_ms = now_ms() + loop->options.drain_timeout_ms;
    for (c = loop->clients; c != NULL; c = next) {
        next = c->place.next;
        pl_client_drain(c);
    }
}

static void woken(uv_async_t *async)
{
    struct pl_loop *loop = pl_container_of(async, struct pl_loop, wake);
    struct pl_loop_arrival *mail;
    uint32_t count;
    bool stop;

    loop->touched = true;
    uv_mutex_lock(&loop->mailbox_lock);
    mail = loop->mailbox;
    count = loop->mailbox_count;
    if (count > 0) {
        loop->mailbox = NULL;
        loop->mailbox_count = loop->mailbox_capacity = 0;
    }
    stop = loop->stop_wanted;
    uv_mutex_unlock(&loop->mailbox_lock);
    if (count > 0) {
        open_mail(loop, mail, count);
        free(mail);
    }
    loop->options.engine.deliver(loop->attachment);
    if (stop && !loop->stopping)
        begin_stop(loop);
}

/* Whoever is not finished enters its list anew, for the next turn. */
static void go_on_reading(struct pl_loop *loop)
{
    struct pl_client *list = loop->deferred;

    loop->deferred = NULL;
    while (list != NULL) {
        struct pl_client *c = list;

        list = c->next_deferred;
        pl_client_resume(c);
    }
}

/* After the reading, which may begin a COUNT: taken earlier, the list would miss it. */
static void go_on_counting(struct pl_loop *loop)
{
    struct pl_request *list = loop->counting;

    loop->counting = NULL;
    while (list != NULL) {
        struct pl_request *request = list;

        list = request->next_counting;
        pl_connection_count_on(request);
    }
}

/* However many follow, the others on this loop wait no longer than this. Who has had no turn is first in the next. */
enum { TAILS_NS = 5 * 1000 * 1000 };

static void go_on_tailing(struct pl_loop *loop)
{
    const struct pl_tail *last = loop->tailing_last;
    uint64_t start_ns = uv_hrtime();
    bool over = loop->tailing == NULL;

    while (!over) {
        struct pl_tail *tail = loop->tailing;

        loop->tailing = tail->next;
        if (loop->tailing == NULL)
            loop->tailing_last = NULL;
        over = tail == last;
        pl_tail_go_on(tail); /* it may enter the list anew, or be gone */
        over = over || uv_hrtime() - start_ns > TAILS_NS;
    }
}

static void send_replies(struct pl_loop *loop)
{
    while (loop->dirty != NULL) {
        struct pl_client *c = loop->dirty;

        loop->dirty = c->next_dirty;
        pl_client_flush(c);
    }
}

/* The last connection is closed: give everything back, and let uv_run() end. */
static void finish(struct pl_loop *loop)
{
    if (loop->attachment == NULL)
        return;
    loop->options.engine.detach(loop->attachment);
    loop->attachment = NULL;
    close_handles(loop);
}

/* What a turn of the loop has brought about, carried out. */
static void settle(struct pl_loop *loop)
{
    bool work = loop->touched || loop->deferred != NULL || loop->counting != NULL || loop->tailing != NULL ||
                loop->dirty != NULL;

    if (!work || loop->attachment == NULL)
        return;
    loop->touched = false;
    go_on_reading(loop);
    go_on_counting(loop);
    go_on_tailing(loop);
    loop->options.engine.flush(loop->attachment);
    send_replies(loop);
    loop->options.engine.rest(loop->attachment);
    if (loop->deferred != NULL || loop->counting != NULL || loop->tailing != NULL)
        uv_idle_start(&loop->idle, stay_awake);
    else
        uv_idle_stop(&loop->idle);
    if (loop->stopping && loop->clients == NULL && loop->tailing == NULL)
        finish(loop);
}

static void checked(uv_check_t *check)
{
    settle(pl_container_of(check, struct pl_loop, check));
}

/* Timers and close callbacks run outside the poll: settle what they left before sleeping. */
static void prepared(uv_prepare_t *prepare)
{
    settle(pl_container_of(prepare, struct pl_loop, prepare));
}

static void stay_awake(uv_idle_t *idle)
{
    (void)idle;
}

static void ticked(uv_timer_t *timer)
{
    struct pl_loop *loop = pl_container_of(timer, struct pl_loop, tick);
    uint64_t now = now_ms();
    struct pl_client *c, *next;

    loop->touched = true;
    for (c = loop->clients; c != NULL; c = next) {
        next = c->place.next;
        if (loop->stopping && now > loop->stop_deadline_ms)
            pl_client_cut(c);
        else
            pl_client_tick(c, now);
    }
}
