/* SPDX-License-Identifier: MIT */
#include "partition/shard_inside.h"

#include "model/record.h"
#include "partition/expiry.h"

/*
 * What has expired is deleted. A round looks at every table's every partition in turn, for a slice of its due entries
 * (expiry.h), and while a slice was not enough for one of them the next round follows at once; so a million entries in
 * one place keep no other place waiting.
 *
 *     mark says nothing is due ─▸ next place
 *     walk ─▸ an entry that is due ─▸ judge a DELETE of its item ─▸ commit, or the item has been given more time
 *
 * The deletion is judged like a client's, on the newest image of the item, in flight or not; its condition is that the
 * item is still expired. It takes what an item has with it (index entries, its expiry) and tells the stream whose doing it
 * was. It costs no capacity, is never refused for want of it or by the table's Lua, and goes on while puts find no room.
 *
 * Each partition is its leader's to look after: a group with one member leads itself.
 */
enum {
    STEP_ENTRIES = 256,
    STEP_NS = 1000 * 1000,
    PRESSED_ENTRIES = 32, /* in a step beside clients at work */
    PRESSED_NS = 200 * 1000,
    STEP_BYTES = 256 << 10, /* of changes */
    STEP_WALKS = 256,
    SLICE_ENTRIES = 64, /* of one place in a round */
};

/* A step under way. */
struct step {
    struct pl_shard *shard;
    int64_t now_ms;
    uint64_t now_s, oldest_s;
    uint64_t deadline_ns;
    bool moved; /* however late it is, a step goes forward: it would be late again */
    uint32_t entries_left, walks_left;
    size_t bytes_left;
    struct pl_operation op;

    /* Where it is. */
    const struct pl_table *table;
    struct pl_keyspace space;
    struct pl_expiry_mark *marks; /* all partitions' of the table */
    struct pl_expiry_mark *mark;
};

/* ---- one item --------------------------------------------------------------------------------------- */

/* The operation that deletes the item with `keys`. */
static int prepare(struct step *step, struct pl_item keys)
{
    struct pl_operation *op = &step->op;

    pl_operation_reset(op, PL_OP_DELETE);
    op->actor = PL_ACTOR_EXPIRY;
    op->partition = step->shard->reaper.partition;
    if (pl_key_schema_encode(&step->table->keys, keys, &op->pk_bytes, &op->tail_bytes, NULL) != PL_KEY_WHOLE)
        return PL_ECORRUPT;
    op->pk = pl_buf_view(&op->pk_bytes);
    op->tail = pl_buf_view(&op->tail_bytes);
    return pl_buf_status(&op->pk_bytes) != 0 || pl_buf_status(&op->tail_bytes) != 0 ? PL_ENOMEM : 0;
}

static int judge(struct step *step)
{
    struct pl_shard *shard = step->shard;
    struct pl_table_script *script = NULL;

    if (shard->script != NULL && step->table->module.len > 0)
        script = pl_script_table(shard->script, step->table->name);
    return pl_evaluate(&shard->evaluator, &step->op, step->table, script);
}

static int expire(struct step *step, struct pl_item keys)
{
    struct pl_shard *shard = step->shard;
    int rc = prepare(step, keys);

    if (rc == 0)
        rc = judge(step);
    if (rc == 0)
        rc = pl_shard_commit_timed(shard, step->op.partition, pl_buf_view(&shard->evaluator.change));
    if (rc != 0)
        return rc;
    shard->stats.expired++;
    step->bytes_left -=
        shard->evaluator.change.len < step->bytes_left ? shard->evaluator.change.len : step->bytes_left;
    return 0;
}

static void look_again_at(struct step *step, uint64_t second)
{
    if (second < step->mark->next)
        step->mark->next = second;
}

/* What it came to, as far as it concerns the walk. */
static int pass_over(struct step *step, uint64_t second, int rc)
{
    /* It has been given more time, or is gone, and its entry too; or it expires within this very second. */
    if (rc == PL_ECONDITION && second == step->now_s)
        look_again_at(step, second);
    /* One item that cannot be read keeps no other from being deleted. */
    if (rc == PL_ECORRUPT)
        step->shard->reaper.failure = rc;
    return rc == PL_ECONDITION || rc == PL_ECORRUPT ? 0 : rc;
}

static int expire_record(struct step *step, struct pl_bytes key, struct pl_bytes record)
{
    struct pl_record_cursor cursor;
    struct pl_record_entry entry;
    int rc = pl_record_open(record, &cursor);

    step->moved = true;
    while (rc == 0 && pl_record_next(&cursor, &entry)) {
        rc = pass_over(step, pl_expiry_key_second(key), expire(step, entry.item));
        if (step->entries_left > 0)
            step->entries_left--;
    }
    return rc;
}

/* ---- one place -------------------------------------------------------------------------------------- */

static bool is_spent(const struct step *step)
{
    return step->entries_left == 0 || step->bytes_left == 0 || step->walks_left == 0 ||
           (step->moved && pl_shard_now_ns(step->shard) >= step->deadline_ns);
}

/* Where the walk goes on, or begins. */
static int seek(struct step *step, struct pl_bytes *key, struct pl_bytes *record)
{
    struct pl_snapshot *snapshot = step->shard->evaluator.view.snapshot;
    struct pl_bytes position = pl_buf_view(&step->mark->position);
    struct pl_key start;
    int rc;

    if (position.len == 0) {
        pl_key_partition_start(&start, &step->space, step->shard->reaper.partition,
                               step->mark->next > step->oldest_s ? step->mark->next : step->oldest_s);
        return pl_snapshot_seek(snapshot, pl_key_view(&start), key, record);
    }
    rc = pl_snapshot_seek(snapshot, position, key, record);
    if (rc == 0 && pl_bytes_equal(*key, position))
        rc = pl_snapshot_next(snapshot, key, record);
    return rc;
}

/* Judging a write of a table with collections may have walked one, and a snapshot has one walk at a time. */
static int go_on(struct step *step, struct pl_bytes *key, struct pl_bytes *record)
{
    if (step->table->collection_id != 0)
        return seek(step, key, record);
    return pl_snapshot_next(step->shard->evaluator.view.snapshot, key, record);
}

static int remember(struct step *step, struct pl_bytes key)
{
    pl_buf_clear(&step->mark->position);
    pl_buf_append_bytes(&step->mark->position, key);
    return pl_buf_status(&step->mark->position);
}

/* 1: the slice is done, and more is due behind it. 0: nothing more is. */
static int walk_slice(struct step *step)
{
    uint32_t stop_at = step->entries_left > SLICE_ENTRIES ? step->entries_left - SLICE_ENTRIES : 0;
    struct pl_bytes key, record;
    int rc = seek(step, &key, &record);

    if (step->mark->position.len == 0 && (rc == 0 || rc == PL_ENOTFOUND))
        step->mark->next = UINT64_MAX; /* until one is found that stays, or is put */
    while (rc == 0 && pl_key_in_partition(key, &step->space, step->shard->reaper.partition)) {
        if (pl_expiry_key_second(key) > step->now_s) {
            look_again_at(step, pl_expiry_key_second(key));
            return 0;
        }
        if (step->mark->position.len > 0 && (step->entries_left <= stop_at || is_spent(step)))
            return 1;
        rc = expire_record(step, key, record);
        if (rc == 0)
            rc = remember(step, key);
        if (rc == 0)
            rc = go_on(step, &key, &record);
    }
    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int walk(struct step *step)
{
    struct pl_expiry_mark *mark = step->mark;
    uint64_t from = mark->next;
    int rc = walk_slice(step);

    step->walks_left--;
    mark->walking = rc != 0 && mark->position.len > 0;
    if (mark->walking)
        return rc < 0 ? rc : 0;
    /* Over, or it failed before it could remember where it was. */
    pl_buf_deinit(&mark->position);
    if (rc < 0)
        look_again_at(step, from);
    return rc;
}

/* What waits since when is known from the last key seen, for there it goes on. */
static void note_lag(struct step *step)
{
    struct pl_reaper *reaper = &step->shard->reaper;
    struct pl_bytes position = pl_buf_view(&step->mark->position);
    int64_t lag_ms = 0;

    reaper->more = true;
    if (position.len > 0)
        lag_ms = step->now_ms - (int64_t)pl_expiry_key_second(position) * 1000;
    if (lag_ms > reaper->lag_ms)
        reaper->lag_ms = lag_ms;
}

/* 1, or a failure: then this place is visited again. */
static int visit(struct step *step)
{
    struct pl_reaper *reaper = &step->shard->reaper;
    int rc = 0;

    if (step->marks == NULL)
        step->marks = pl_expiry_marks_of(&reaper->marks, reaper->expiry_id);
    if (step->marks == NULL)
        return PL_ENOMEM;
    step->mark = &step->marks[reaper->partition];
    if (step->mark->walking || step->mark->next <= step->now_s)
        rc = walk(step);
    /* Damage here keeps no other place waiting. */
    if (rc == PL_ECORRUPT)
        reaper->failure = rc;
    else if (rc != 0)
        return rc;
    else if (step->mark->walking)
        note_lag(step);
    reaper->partition++;
    return 1;
}

/* ---- a round ---------------------------------------------------------------------------------------- */

/* The table with the smallest expiry id from `id` on. NULL: there is none. */
static const struct pl_table *find_table(const struct pl_tables *tables, uint32_t id)
{
    const struct pl_table *found = NULL;

    for (uint32_t i = 0; i < tables->count; i++) {
        const struct pl_table *table = tables->tables[i];

        if (table->expiry_id != 0 && table->expiry_id >= id &&
            (found == NULL || table->expiry_id < found->expiry_id))
            found = table;
    }
    return found;
}

static void begin_round(struct step *step)
{
    struct pl_reaper *reaper = &step->shard->reaper;

    pl_expiry_marks_tidy(&reaper->marks, step->shard->catalog.tables);
    if (step->now_ms < reaper->now_ms)
        pl_expiry_marks_reset(&reaper->marks);
    reaper->now_ms = step->now_ms;
    reaper->more = false;
    reaper->lag_ms = 0;
    reaper->failure = 0;
    reaper->expiry_id = 1;
    reaper->partition = 0;
    step->table = NULL; /* its marks may be gone */
}

/* True when there is a place left to visit in this round. */
static bool choose(struct step *step)
{
    struct pl_reaper *reaper = &step->shard->reaper;

    if (reaper->expiry_id == 0)
        begin_round(step);
    if (reaper->partition >= step->shard->partition_count) {
        reaper->expiry_id++;
        reaper->partition = 0;
    }
    if (step->table != NULL && step->table->expiry_id == reaper->expiry_id)
        return true;
    step->marks = NULL;
    step->table = find_table(step->shard->catalog.tables, reaper->expiry_id);
    if (step->table == NULL)
        return false;
    if (step->table->expiry_id != reaper->expiry_id)
        reaper->partition = 0;
    reaper->expiry_id = step->table->expiry_id;
    step->space = (struct pl_keyspace){ PL_KIND_EXPIRY, reaper->expiry_id, step->shard->partition_count };
    return true;
}

/* 1: something that is due is left for the next round. */
static int end_round(struct step *step)
{
    struct pl_reaper *reaper = &step->shard->reaper;

    reaper->expiry_id = 0;
    step->shard->stats.expiry_lag_ms = (uint64_t)reaper->lag_ms;
    return reaper->failure != 0 ? reaper->failure : reaper->more;
}

static struct step begin_step(struct pl_shard *shard)
{
    int64_t now_ms = pl_clock_wall_ms(&shard->options.clock);
    int64_t now_s = now_ms < 0 ? 0 : now_ms / 1000;

    return (struct step){ .shard = shard,
                          .now_ms = now_ms,
                          .now_s = (uint64_t)now_s,
                          .oldest_s = now_s > PL_EXPIRY_AGE_MAX_S ? (uint64_t)now_s - PL_EXPIRY_AGE_MAX_S : 0,
                          .deadline_ns = pl_shard_now_ns(shard) + (shard->pressed ? PRESSED_NS : STEP_NS),
                          .entries_left = shard->pressed ? PRESSED_ENTRIES : STEP_ENTRIES,
                          .walks_left = STEP_WALKS,
                          .bytes_left = STEP_BYTES };
}

int pl_shard_expire(struct pl_shard *shard)
{
    struct step step = begin_step(shard);
    int rc = 1;

    pl_operation_init(&step.op, PL_OP_DELETE);
    while (rc == 1 && !is_spent(&step)) {
        rc = choose(&step) ? visit(&step) : end_round(&step);
        step.moved = true;
    }
    pl_operation_deinit(&step.op);
    return rc;
}
