/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SHARD_RIG_H
#define PL_TESTS_UNIT_SHARD_RIG_H

#include "model/json.h"
#include "partition/counters.h"
#include "partition/prepare.h"
#include "partition/shard.h"
#include "partition/verify.h"

#include "scratch_tree.h"
#include "test.h"

/** A shard that the test itself turns, by clocks that the test sets. Its table is called Things. */
struct rig {
    char path[PATH_MAX];
    struct pl_disk disk;
    struct pl_datadir *dir;
    struct pl_shard_options options;
    struct pl_shard *shard;
    struct pl_tables *tables;
    uint64_t now_ns;
    int64_t wall_ms; /* the calendar's: it moves only when a test says so */
    struct pl_reason why;
};

static inline uint64_t rig_now(void *state)
{
    return ((struct rig *)state)->now_ns;
}

static inline int64_t rig_wall(void *state)
{
    return ((struct rig *)state)->wall_ms;
}

static inline void pass_ms(struct rig *r, uint64_t ms)
{
    r->now_ns += ms * 1000000;
    pl_shard_tick(r->shard);
}

static inline void take_tables(struct rig *r)
{
    struct pl_tables *tables = pl_shard_take_tables(r->shard);

    if (tables == NULL)
        return;
    pl_tables_unref(r->tables);
    r->tables = tables;
}

static inline void open_rig(struct rig *r)
{
    struct pl_datadir_options dir = { .partition_count = 4, .random = pl_random_system() };

    CHECK_MSG(pl_datadir_open(&r->disk, r->path, &dir, &r->dir, &r->why) == 0, "%s", r->why.text);
    r->options.dir = r->dir;
    CHECK_MSG(pl_shard_open(&r->options, &r->shard, &r->why) == 0, "%s", r->why.text);
    take_tables(r);
}

static inline void start(struct rig *r)
{
    static unsigned number; /* a test that failed has left its shard open */
    char name[16];

    snprintf(name, sizeof name, "%u", number++);
    *r = (struct rig){ .disk = pl_disk_system(), .now_ns = 1000000000, .wall_ms = 1 };
    snprintf(r->path, sizeof r->path, "%s", scratch_path(scratch(), name));
    r->options =
        (struct pl_shard_options){ .disk = &r->disk,
                                   .clock = { .monotonic_ns = rig_now, .wall_ms = rig_wall, .state = r } };
    r->options.recovery.journal.random = pl_random_system();
    r->options.recovery.journal.first_segment_bytes = 256 << 10;
    r->options.recovery.journal.segment_bytes = 4 << 20;
    open_rig(r);
}

static inline void close_rig(struct rig *r, bool clean)
{
    pl_shard_close(r->shard, clean, &r->why);
    pl_datadir_close(r->dir);
    pl_tables_unref(r->tables);
    r->tables = NULL;
}

static inline void sync_once(struct rig *r, int rc)
{
    if (rc == 0)
        rc = pl_shard_run_sync(r->shard, &r->why);
    pl_shard_end_sync(r->shard, rc, &r->why);
}

/* Until nothing is on its way. Chores are done too. */
static inline void settle(struct rig *r)
{
    bool more;

    do {
        more = pl_shard_turn(r->shard);
        while (pl_shard_syncs(r->shard))
            sync_once(r, 0);
        more = more || pl_shard_applies(r->shard);
        pl_shard_apply(r->shard);
        take_tables(r);
    } while (more);
}

static inline void end(struct rig *r)
{
    if (pl_shard_failed(r->shard, NULL) == 0)
        settle(r);
    close_rig(r, true);
    scratch_remove(r->path);
}

static inline uint32_t drop_finished(struct rig *r)
{
    uint32_t count = 0;

    for (struct pl_operation *op = pl_shard_take(r->shard); op != NULL; op = op->next)
        count++;
    return count;
}

static inline void checkpoint(struct rig *r)
{
    CHECK(pl_shard_checkpoints(r->shard));
    pl_shard_end_checkpoint(r->shard, pl_shard_run_checkpoint(r->shard, &r->why), &r->why);
    settle(r);
}

static inline int schema(struct rig *r, enum pl_operation_name name, const char *table,
                         const char *definition)
{
    struct pl_operation op;
    int rc;

    pl_operation_init(&op, name);
    op.table_name = pl_str(table);
    op.definition = pl_str(definition);
    pl_shard_submit(r->shard, &op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == &op);
    rc = op.reply.rc;
    pl_operation_deinit(&op);
    return rc;
}

static inline int prepare(struct rig *r, struct pl_operation *op, enum pl_operation_name name,
                          const char *json)
{
    pl_operation_init(op, name);
    op->table_name = pl_str("Things");
    op->params.literals = true;
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &r->why) == 0);
    return pl_prepare(op, r->tables, 4);
}

static inline void prepare_put(struct rig *r, struct pl_operation *op, const char *json)
{
    CHECK_MSG(prepare(r, op, PL_OP_PUT, json) == 0, "%s", op->reply.why.text);
}

static inline void put(struct rig *r, const char *json)
{
    struct pl_operation op;

    prepare_put(r, &op, json);
    pl_shard_submit(r->shard, &op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
}

static inline void erase(struct rig *r, const char *json)
{
    struct pl_operation op;

    CHECK(prepare(r, &op, PL_OP_DELETE, json) == 0);
    pl_shard_submit(r->shard, &op);
    settle(r);
    CHECK(pl_shard_take(r->shard) == &op && op.reply.rc == 0);
    pl_operation_deinit(&op);
}

/* Everything agrees with everything else, and there are `items` in the table. */
static inline void check_agreement(struct rig *r, uint64_t items)
{
    struct pl_buf sentences = { 0 };
    struct pl_verify verify = { .tables = r->tables,
                                .counters = pl_shard_counters(r->shard),
                                .partition_count = 4,
                                .sentences = &sentences };

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &verify.snapshot) == 0);
    CHECK(pl_snapshot_renew(verify.snapshot) == 0);
    CHECK(pl_verify(&verify) == 0);
    CHECK_MSG(verify.faults == 0, "%.*s", (int)sentences.len, sentences.data);
    CHECK_MSG(verify.items == items, "%llu items", (unsigned long long)verify.items);
    pl_snapshot_close(verify.snapshot);
    pl_buf_deinit(&sentences);
}

#endif
