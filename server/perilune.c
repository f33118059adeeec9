/* SPDX-License-Identifier: MIT */
#include "perilune.h"

#include "follower.h"

#include <stdlib.h>

enum { TRIGGERS_MS = 100 }; /* of a call that wrote something */

struct pl_perilune {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_perilune_call *calls; /* begun and not ended, or still running */
    struct pl_perilune_tail *tails;
    struct pl_perilune_call *spare; /* one that ended, with its memory */

    /* What a reload or a check came to: here, for one that finds no room comes back in a later call. */
    bool answered;
    int answer;
    struct pl_reason why;
    struct pl_buf report;
};

/* ---- opening and closing ---------------------------------------------------------------------------- */

int pl_perilune_open(const struct pl_perilune_options *options, struct pl_perilune **out,
                     struct pl_reason *why)
{
    struct pl_node_options node = { .data_path = options->path,
                                    .scripts_path = options->scripts_path,
                                    .partition_count = options->partition_count,
                                    .sync_mode = options->sync_mode,
                                    .sync_interval_ms = options->sync_interval_ms,
                                    .script_time_ms = options->script_time_ms,
                                    .script_memory_bytes = options->script_memory_bytes,
                                    .collection_bytes_max = options->collection_bytes_max,
                                    .ttl_sweep_ms = options->ttl_sweep_ms,
                                    .reader_count = 1,
                                    .clock = pl_clock_system(),
                                    .random = pl_random_system(),
                                    .stream_retention_ms = options->stream_retention_ms,
                                    .disk = options->disk,
                                    .logger = options->logger };
    struct pl_perilune *db = calloc(1, sizeof *db);
    int rc;

    if (db == NULL)
        return PL_ENOMEM;
    rc = pl_node_open(&node, &db->node, why);
    if (rc != 0) {
        free(db);
        return rc;
    }
    rc = pl_node_attach(db->node, NULL, NULL, &db->attachment);
    if (rc != 0) {
        pl_node_close(db->node);
        free(db);
        return rc;
    }
    *out = db;
    return 0;
}

static void free_call(struct pl_perilune_call *call)
{
    pl_operation_deinit(&call->op);
    pl_buf_deinit(&call->rows);
    free(call);
}

/* The node has forgotten what was running; what its owner still holds is his to end. */
static void let_go(struct pl_perilune_call *call)
{
    call->db = NULL;
    call->next = NULL;
    call->running = false;
    if (call->ended)
        free_call(call);
}

static void end_tail(struct pl_perilune_tail *tail);

void pl_perilune_close(struct pl_perilune *db)
{
    struct pl_perilune_call *call, *next;

    if (db == NULL)
        return;
    while (db->tails != NULL)
        end_tail(db->tails);
    pl_node_detach(db->attachment);
    pl_node_close(db->node);
    for (call = db->calls; call != NULL; call = next) {
        next = call->next;
        let_go(call);
    }
    if (db->spare != NULL)
        free_call(db->spare);
    pl_buf_deinit(&db->report);
    free(db);
}

/* ---- calls ------------------------------------------------------------------------------------------ */

struct pl_perilune_call *pl_perilune_begin(struct pl_perilune *db, enum pl_operation_name name)
{
    struct pl_perilune_call *call = db->spare;

    db->spare = NULL;
    if (call == NULL)
        call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    pl_operation_reset(&call->op, name);
    pl_buf_clear(&call->rows);
    call->db = db;
    call->running = call->ended = false;
    call->next = db->calls;
    db->calls = call;
    return call;
}

static void unlink_call(struct pl_perilune_call *call)
{
    struct pl_perilune_call **at = &call->db->calls;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
}

/* Children and large buffers go at once, the rest waits for the next call. */
static void keep_spare(struct pl_perilune *db, struct pl_perilune_call *call)
{
    enum { KEPT_BYTES_MAX = 256 << 10 };

    if (db->spare != NULL || call->rows.capacity > KEPT_BYTES_MAX ||
        call->op.bytes.capacity > KEPT_BYTES_MAX) {
        free_call(call);
        return;
    }
    pl_operation_reset(&call->op, PL_OP_GET);
    db->spare = call;
}

void pl_perilune_end(struct pl_perilune_call *call)
{
    if (call == NULL)
        return;
    if (call->db == NULL) {
        free_call(call);
        return;
    }
    call->ended = true;
    if (call->running)
        return; /* finished() ends it, or the database's close */
    unlink_call(call);
    keep_spare(call->db, call);
}

static void finished(struct pl_operation *op)
{
    struct pl_perilune_call *call = op->owner;

    call->running = false;
    if (call->ended)
        pl_perilune_end(call);
}

static int keep_row(struct pl_operation *op, struct pl_item item)
{
    struct pl_perilune_call *call = op->owner;

    pl_rows_append(&call->rows, op, item);
    return pl_buf_status(&call->rows);
}

/* A view into the store's page must not outlive the snapshot, which ends with the call. */
static int own(struct pl_perilune_call *call, struct pl_item *item)
{
    struct pl_bytes copy = pl_arena_copy(&call->op.arena, item->bytes);

    if (copy.data == NULL)
        return pl_operation_fail(&call->op, PL_ENOMEM, NULL);
    item->bytes = copy;
    return 0;
}

static int take_reply(struct pl_perilune_call *call)
{
    struct pl_reply *reply = &call->op.reply;

    if (reply->has_item && own(call, &reply->item) != 0)
        return reply->rc;
    if (reply->has_last_key && own(call, &reply->last_key) != 0)
        return reply->rc;
    return reply->rc;
}

int pl_perilune_run(struct pl_perilune_call *call)
{
    struct pl_operation *op = &call->op;
    struct pl_router *router;
    int rc;

    if (call->db == NULL)
        return pl_reason_set(&op->reply.why, PL_ECLOSED, "the database is closed");
    router = pl_attachment_router(call->db->attachment);
    op->row = keep_row;
    op->done = finished;
    op->owner = call;
    call->running = true;
    if (pl_router_run(router, op))
        call->running = false;
    else
        pl_attachment_flush(call->db->attachment);
    if (call->running)
        return PL_EUNSURE; /* the reply is the shard's for now */
    rc = take_reply(call);
    pl_router_rest(router);
    if (pl_operation_kind(op->name) != PL_OPERATION_READ)
        pl_node_run_triggers(call->db->node, TRIGGERS_MS);
    return rc;
}

/* ---- tails ------------------------------------------------------------------------------------------ */

struct pl_perilune_tail {
    struct pl_perilune *db; /* NULL: closed */
    struct pl_perilune_tail *next;
    struct pl_follower *follower;
    /* Records that were read, some at a time: each a struct pl_perilune_record and the bytes of its items. */
    struct pl_buf batch;
    size_t taken_bytes;
};

int pl_perilune_tail_open(struct pl_perilune *db, struct pl_bytes table, struct pl_bytes from,
                          struct pl_perilune_tail **out, struct pl_reason *why)
{
    struct pl_follower_options options = { .table_name = table, .from = from };
    struct pl_perilune_tail *tail = calloc(1, sizeof *tail);
    int rc;

    if (tail == NULL)
        return PL_ENOMEM;
    rc = pl_follower_open(db->attachment, &options, &tail->follower, why);
    if (rc != 0) {
        free(tail);
        return rc;
    }
    tail->db = db;
    tail->next = db->tails;
    db->tails = tail;
    *out = tail;
    return 0;
}

static void end_tail(struct pl_perilune_tail *tail)
{
    struct pl_perilune_tail **at = &tail->db->tails;

    while (*at != tail)
        at = &(*at)->next;
    *at = tail->next;
    pl_follower_close(tail->follower);
    tail->db = NULL;
}

void pl_perilune_tail_close(struct pl_perilune_tail *tail)
{
    if (tail == NULL)
        return;
    if (tail->db != NULL)
        end_tail(tail);
    pl_buf_deinit(&tail->batch);
    free(tail);
}

static int keep_record(void *state, const struct pl_stream_record *record, struct pl_item keys)
{
    struct pl_perilune_tail *tail = state;
    struct pl_perilune_record kept = { .event = record->event,
                                       .shard = record->partition,
                                       .sequence = record->sequence,
                                       .at_ms = record->at_ms,
                                       .by_expiry = record->actor == PL_ACTOR_EXPIRY,
                                       .has_new = record->has_new,
                                       .has_old = record->has_old,
                                       .keys = keys,
                                       .new = record->new,
                                       .old = record->old };

    size_t before = tail->batch.len;

    pl_buf_append(&tail->batch, &kept, sizeof kept);
    pl_buf_append_bytes(&tail->batch, kept.keys.bytes);
    pl_buf_append_bytes(&tail->batch, kept.new.bytes);
    pl_buf_append_bytes(&tail->batch, kept.old.bytes);
    if (pl_buf_status(&tail->batch) == 0)
        return 0;
    tail->batch.len = before; /* this one comes again */
    tail->batch.failed = false;
    return PL_ENOMEM;
}

static struct pl_bytes step_over(struct pl_bytes *rest, size_t len)
{
    struct pl_bytes bytes = pl_bytes(rest->data, len);

    rest->data += len;
    rest->len -= len;
    return bytes;
}

/* The record at the front of the batch's rest, its items' views set to where their bytes are now. */
static struct pl_perilune_record take_record(struct pl_bytes *rest)
{
    struct pl_perilune_record record;

    memcpy(&record, step_over(rest, sizeof record).data, sizeof record);
    record.keys.bytes = step_over(rest, record.keys.bytes.len);
    record.new.bytes = step_over(rest, record.new.bytes.len);
    record.old.bytes = step_over(rest, record.old.bytes.len);
    return record;
}

static struct pl_bytes rest_of(const struct pl_perilune_tail *tail)
{
    return pl_bytes(tail->batch.data + tail->taken_bytes, tail->batch.len - tail->taken_bytes);
}

static int read_batch(struct pl_perilune_tail *tail)
{
    struct pl_follower_progress progress = { .more = true };
    int rc = 0;

    pl_buf_clear(&tail->batch);
    tail->taken_bytes = 0;
    while (rc == 0 && progress.more && tail->batch.len == 0)
        rc = pl_follower_read(tail->follower, keep_record, tail, &progress);
    /* What was read before the failure comes first. */
    return tail->batch.len > 0 ? 0 : rc;
}

int pl_perilune_tail_next(struct pl_perilune_tail *tail, struct pl_perilune_record *out)
{
    struct pl_bytes rest;
    int rc = 0;

    if (tail->db == NULL)
        return PL_ECLOSED;
    if (tail->taken_bytes == tail->batch.len)
        rc = read_batch(tail);
    if (rc != 0)
        return rc;
    if (tail->batch.len == 0)
        return PL_ENOTFOUND;
    rest = rest_of(tail);
    *out = take_record(&rest);
    tail->taken_bytes = tail->batch.len - rest.len;
    return 0;
}

/* Records that were read and not taken are read again, so that the position is exact. */
static void give_back_rest(struct pl_perilune_tail *tail)
{
    struct pl_bytes rest = rest_of(tail);

    while (rest.len > 0) {
        struct pl_perilune_record record = take_record(&rest);

        pl_follower_give_back(tail->follower, record.shard, record.sequence);
    }
    pl_buf_clear(&tail->batch);
    tail->taken_bytes = 0;
}

int pl_perilune_tail_position(struct pl_perilune_tail *tail, struct pl_buf *out)
{
    if (tail->db == NULL)
        return PL_ECLOSED;
    give_back_rest(tail);
    pl_follower_position(tail->follower, out);
    return pl_buf_status(out);
}

/* ---- more ------------------------------------------------------------------------------------------- */

static void take_answer(void *state, int rc, const struct pl_reason *why)
{
    struct pl_perilune *db = state;

    db->answered = true;
    db->answer = rc;
    db->why = *why;
}

int pl_perilune_reload(struct pl_perilune *db, struct pl_reason *why)
{
    int rc;

    db->answered = false;
    rc = pl_node_reload(db->attachment, take_answer, db);
    if (rc != 0)
        return rc;
    if (!db->answered)
        return pl_reason_set(why, PL_EUNSURE, "the disk has no room to change the tables");
    if (db->answer != 0)
        pl_reason_set(why, db->answer, "%s", pl_reason_text(&db->why, db->answer));
    return db->answer;
}

static void take_report(void *state, int rc, struct pl_bytes report)
{
    struct pl_perilune *db = state;

    db->answered = true;
    db->answer = rc;
    pl_buf_clear(&db->report);
    pl_buf_append_bytes(&db->report, report);
}

int pl_perilune_check(struct pl_perilune *db, struct pl_buf *report)
{
    int rc;

    db->answered = false;
    rc = pl_node_check(db->attachment, take_report, db);
    if (rc == 0)
        rc = db->answered ? db->answer : PL_EUNSURE;
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(report, pl_buf_view(&db->report));
    return pl_buf_status(&db->report) != 0 ? PL_ENOMEM : pl_buf_status(report);
}

uint64_t pl_perilune_run_triggers(struct pl_perilune *db)
{
    return pl_node_run_triggers(db->node, TRIGGERS_MS);
}

void pl_perilune_stats(struct pl_perilune *db, struct pl_bytes table, struct pl_buf *out)
{
    pl_node_stats(db->attachment, table, out);
}
