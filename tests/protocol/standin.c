/* SPDX-License-Identifier: MIT */
#include "standin.h"

#include "model/json.h"

#include <stdio.h>
#include <stdlib.h>

_Thread_local int standin_inside;
_Thread_local bool standin_loop_thread;

void standin_init(struct standin *s)
{
    memset(s, 0, sizeof *s);
    s->tables = pl_tables_new();
}

void standin_deinit(struct standin *s)
{
    for (uint32_t i = 0; i < s->item_count; i++)
        pl_buf_deinit(&s->items[i]);
    pl_tables_unref(s->tables);
    pl_arena_deinit(&s->arena);
    pl_buf_deinit(&s->key);
}

void standin_release(struct standin *s)
{
    atomic_store(&s->hold, false);
    s->wake(s->wake_state);
}

static int attach(void *state, void (*wake)(void *), void *wake_state, void **attachment)
{
    struct standin *s = state;

    standin_loop_thread = true;
    s->wake = wake;
    s->wake_state = wake_state;
    atomic_fetch_add(&s->attached, 1);
    *attachment = s;
    return 0;
}

static void detach(void *attachment)
{
    struct standin *s = attachment;

    atomic_fetch_sub(&s->attached, 1);
}

static struct pl_item item_at(struct standin *s, uint32_t i)
{
    struct pl_item item;

    PL_ASSERT(pl_item_check(pl_buf_view(&s->items[i]), &item) == 0);
    return item;
}

/* The place of the item with the same id, or item_count. */
static uint32_t find(struct standin *s, struct pl_item wanted)
{
    struct pl_value id, other;
    uint32_t i = 0;

    PL_ASSERT(pl_item_find(wanted, pl_str("id"), &id));
    for (; i < s->item_count; i++) {
        PL_ASSERT(pl_item_find(item_at(s, i), pl_str("id"), &other));
        if (pl_value_equal(id, other))
            break;
    }
    return i;
}

static void put(struct standin *s, struct pl_item item)
{
    uint32_t i = find(s, item);

    standin_inside++;
    PL_ASSERT(i < STANDIN_ITEMS_MAX);
    if (i == s->item_count)
        s->item_count++;
    pl_buf_clear(&s->items[i]);
    pl_buf_append_bytes(&s->items[i], item.bytes);
    standin_inside--;
}

static struct pl_item make(struct standin *s, const char *json)
{
    struct pl_item item;

    standin_inside++;
    pl_arena_reset(&s->arena);
    pl_buf_clear(&s->key);
    PL_ASSERT(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &s->arena, &s->key, &item, NULL) == 0);
    standin_inside--;
    return item;
}

static void scan_big(struct standin *s, struct pl_operation *op)
{
    char json[1100];

    snprintf(json, sizeof json, "{\"text\":\"%01000d\"}", 7);
    for (int i = 0; i < STANDIN_BIG_ROWS && op->reply.rc == 0; i++)
        op->reply.rc = op->row(op, make(s, json));
    op->reply.count = op->reply.scanned = STANDIN_BIG_ROWS;
}

/* A page holds one row; AFTER {"page":n} starts page n + 1. */
static void scan_pages(struct standin *s, struct pl_operation *op)
{
    struct pl_value value;
    struct pl_number number;
    char json[64];
    int page = 0;

    if (op->has_start_key && pl_item_find(op->start_key, pl_str("page"), &value)) {
        pl_value_number(value, &number);
        page = (int)number.coefficient * (number.exponent == 1 ? 10 : 1);
    }
    op->reply.count = 1;
    op->reply.scanned = 2;
    op->reply.has_last_key = page + 1 < STANDIN_PAGES;
    if (!op->reply.has_last_key)
        return;
    snprintf(json, sizeof json, "{\"page\":%d}", page + 1);
    op->reply.last_key = make(s, json);
}

static void scan(struct standin *s, struct pl_operation *op)
{
    atomic_fetch_add(&s->scans, 1);
    if (pl_bytes_equal(op->table_name, pl_str("Big"))) {
        scan_big(s, op);
    } else if (pl_bytes_equal(op->table_name, pl_str("Pages"))) {
        scan_pages(s, op);
    } else {
        for (uint32_t i = 0; i < s->item_count && op->select != PL_SELECT_COUNT && op->reply.rc == 0; i++)
            op->reply.rc = op->row(op, item_at(s, i));
        op->reply.count = op->reply.scanned = s->item_count;
    }
}

static void get(struct standin *s, struct pl_operation *op)
{
    uint32_t i = find(s, op->item);

    op->reply.has_item = i < s->item_count;
    if (op->reply.has_item)
        op->reply.item = item_at(s, i);
}

static bool put_off(struct standin *s, struct pl_operation *op)
{
    op->next = NULL;
    if (s->patient_first == NULL)
        s->patient_first = op;
    else
        s->patient_last->next = op;
    s->patient_last = op;
    return false;
}

static bool run(void *attachment, struct pl_operation *op)
{
    struct standin *s = attachment;
    uint32_t pending;

    if (pl_bytes_equal(op->table_name, pl_str("Wrong"))) {
        pl_reason_set(&op->reply.why, PL_EINVALID, "a wrong table");
        op->reply.rc = PL_EINVALID;
        return true;
    }
    if (op->name == PL_OP_GET && op->patient)
        return put_off(s, op);
    if (op->name == PL_OP_GET)
        get(s, op);
    else if (op->name == PL_OP_SCAN || op->name == PL_OP_QUERY)
        scan(s, op);
    if (pl_operation_kind(op->name) == PL_OPERATION_READ)
        return true;
    op->next = NULL;
    if (s->first == NULL)
        s->first = op;
    else
        s->last->next = op;
    s->last = op;
    pending = atomic_fetch_add(&s->pending, 1) + 1;
    if (pending > atomic_load(&s->pending_max))
        atomic_store(&s->pending_max, pending);
    return false;
}

static void flush(void *attachment)
{
    struct standin *s = attachment;

    while (s->patient_first != NULL) {
        struct pl_operation *op = s->patient_first;

        s->patient_first = op->next;
        get(s, op);
        op->done(op);
    }
    if ((s->first != NULL || s->reloaded != NULL) && !atomic_load(&s->hold))
        s->wake(s->wake_state);
}

static void tell_tails(struct standin *s);

static void deliver(void *attachment)
{
    struct standin *s = attachment;

    tell_tails(s);
    while (s->first != NULL && !atomic_load(&s->hold)) {
        struct pl_operation *op = s->first;

        s->first = op->next;
        atomic_fetch_sub(&s->pending, 1);
        if (op->name == PL_OP_PUT)
            put(s, op->item);
        op->done(op);
    }
    if (s->reloaded != NULL && !atomic_load(&s->hold)) {
        void (*reloaded)(void *, int, const struct pl_reason *) = s->reloaded;

        s->reloaded = NULL;
        reloaded(s->reload_state, 0, NULL);
    }
}

static void rest(void *attachment)
{
    (void)attachment;
}

static const struct pl_tables *tables(void *attachment)
{
    return ((struct standin *)attachment)->tables;
}

static void stats(void *attachment, struct pl_bytes table, struct pl_buf *out)
{
    (void)attachment;
    (void)table;
    pl_buf_append_bytes(out, pl_str("{\"writes\":0}"));
}

/* ---- the stream --- */

enum { TAIL_READ_RECORDS = 10 };

struct standin_tail {
    struct standin *standin;
    struct standin_tail *next;
    void (*ready)(void *state);
    void *state;
    uint32_t seen;
    bool big;
};

void standin_stream(struct standin *s, uint32_t records)
{
    atomic_store(&s->records, records);
    s->wake(s->wake_state);
}

static void tell_tails(struct standin *s)
{
    for (struct standin_tail *tail = s->tail_list; tail != NULL; tail = tail->next)
        if (tail->seen < atomic_load(&s->records) || atomic_load(&s->stream_ended))
            tail->ready(tail->state);
}

static int tail_open(void *attachment, struct pl_bytes table, struct pl_bytes from,
                     void (*ready)(void *state), void *state, void **out, struct pl_reason *why)
{
    struct standin *s = attachment;
    struct standin_tail *tail;

    if (pl_bytes_equal(table, pl_str("Wrong")))
        return pl_reason_set(why, PL_EINVALID, "a wrong table");
    standin_inside++;
    tail = calloc(1, sizeof *tail);
    standin_inside--;
    PL_ASSERT(tail != NULL);
    *tail = (struct standin_tail){ .standin = s, .next = s->tail_list, .ready = ready, .state = state };
    tail->big = pl_bytes_equal(table, pl_str("Big"));
    if (pl_bytes_equal(from, pl_str("latest")))
        tail->seen = atomic_load(&s->records);
    else if (!pl_bytes_equal(from, pl_str("oldest")))
        tail->seen = (uint32_t)strtoul(from.data, NULL, 10);
    s->tail_list = tail;
    atomic_fetch_add(&s->tails, 1);
    *out = tail;
    return 0;
}

static int tail_read(void *opaque, int (*row)(void *state, struct pl_bytes json), void *state,
                     struct pl_tail_progress *progress)
{
    struct standin_tail *tail = opaque;
    struct standin *s = tail->standin;
    char json[1200];

    if (atomic_load(&s->stream_trimmed))
        return PL_ETRIMMED;
    for (int i = 0; i < TAIL_READ_RECORDS && tail->seen < atomic_load(&s->records); i++) {
        int rc;

        if (tail->big)
            snprintf(json, sizeof json, "{\"n\":%u,\"text\":\"%01000d\"}", tail->seen + 1, 7);
        else
            snprintf(json, sizeof json, "{\"n\":%u}", tail->seen + 1);
        rc = row(state, pl_str(json));
        if (rc != 0)
            return rc;
        tail->seen++;
        atomic_fetch_add(&s->records_read, 1);
    }
    progress->more = tail->seen < atomic_load(&s->records);
    progress->ended = !progress->more && atomic_load(&s->stream_ended);
    return 0;
}

static void tail_position(void *opaque, struct pl_buf *out)
{
    struct standin_tail *tail = opaque;

    pl_buf_append_format(out, "%u", tail->seen);
}

static void tail_close(void *opaque)
{
    struct standin_tail *tail = opaque, **at = &tail->standin->tail_list;

    while (*at != tail)
        at = &(*at)->next;
    *at = tail->next;
    atomic_fetch_sub(&tail->standin->tails, 1);
    free(tail);
}

static int reload(void *attachment, void (*done)(void *, int, const struct pl_reason *), void *state)
{
    struct standin *s = attachment;

    s->reloaded = done;
    s->reload_state = state;
    return 0;
}

static int check(void *attachment, void (*done)(void *, int, struct pl_bytes), void *state)
{
    (void)attachment;
    (void)done;
    (void)state;
    return PL_EOVERLOAD;
}

struct pl_engine standin_engine(struct standin *s)
{
    return (struct pl_engine){
        .state = s,
        .partition_count = 64,
        .attach = attach,
        .detach = detach,
        .run = run,
        .flush = flush,
        .deliver = deliver,
        .rest = rest,
        .tables = tables,
        .stats = stats,
        .tail_open = tail_open,
        .tail_read = tail_read,
        .tail_position = tail_position,
        .tail_close = tail_close,
        .reload = reload,
        .check = check,
    };
}
