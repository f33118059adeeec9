/* SPDX-License-Identifier: MIT */
/*
 * The whole engine under power loss. A node is recorded from the first mkdir on while clients write
 * (story.h); every image that a disk could hold must open, hold every write that was acknowledged, hold what was under way
 * wholly or not at all, and nothing else; its indexes and counters must agree; then it must take more, close, and
 * have it all after that. A part of the images is recovered under the recorder, and the power goes again.
 *
 *     engine_powerloss_test RECORDER [STORY IMAGES]...
 *
 * Each image is judged in a process of its own, so that one that crashes is found out too.
 */
#include "model/json.h"
#include "node.h"
#include "powerloss.h"
#include "recorder.h"
#include "story.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT_MAX = 512,
    NEST_EVERY = 128,
    NESTED_IMAGES = 30,
    IMAGE_SECONDS_MAX = 60,
    STRANGER_ROWS = 3,
    CLOCK_STEP_NS = 3000000,
};

/* How a workload is told. */
struct telling {
    const char *name;
    bool threads;
    unsigned clients; /* beside client 0 */
    uint64_t steps;   /* of each */
    uint64_t schema_steps;
    unsigned restarts;
    uint64_t checkpoint_bytes;
    uint64_t segment_bytes;
    uint64_t transaction_bytes;
    uint64_t images; /* in a run of all */
};

static const struct telling tellings[] = {
    { "birth", false, 1, 3, 1, 0, 64 << 10, 64 << 10, 0, 600 },
    { "alone", false, 1, 90, 1, 1, 12 << 10, 32 << 10, 64 << 10, 1200 },
    { "together", false, 6, 25, 1, 1, 24 << 10, 48 << 10, 64 << 10, 1200 },
    { "schema", false, 2, 30, STORY_SCHEMA_STEPS, 1, 24 << 10, 64 << 10, 0, 1200 },
    { "threads", true, 6, 60, STORY_SCHEMA_STEPS, 1, 16 << 10, 64 << 10, 128 << 10, 1200 },
};
enum { TELLINGS = sizeof tellings / sizeof tellings[0] };

static void require(int rc, const char *what, const struct pl_reason *why)
{
    if (rc == 0)
        return;
    fprintf(stderr, "the workload cannot %s: %s\n", what, pl_reason_text(why, rc));
    exit(3);
}

/* ---- A node ---- */

/* Time passes with every look at the clock, so that what waits for it has its turn, and the same one each time. */
static uint64_t step_clock(void *state)
{
    uint64_t *now_ns = state;

    return *now_ns += CLOCK_STEP_NS;
}

static int64_t stand_still(void *state)
{
    (void)state;
    return 1700000000000;
}

static uint64_t four(void *state)
{
    (void)state;
    return 4;
}

struct engine {
    const struct telling *telling;
    uint64_t now_ns;
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
};

static void wake(void *state)
{
    struct engine *engine = state;

    pthread_mutex_lock(&engine->lock);
    engine->woken = true;
    pthread_cond_signal(&engine->wake);
    pthread_mutex_unlock(&engine->lock);
}

static int open_engine(struct engine *engine, const struct telling *telling, bool threads, const char *path,
                       struct pl_reason *why)
{
    struct pl_node_options options = {
        .data_path = path,
        .partition_count = 4,
        .threads = threads,
        .checkpoint_journal_bytes = telling->checkpoint_bytes,
        .journal_segment_bytes = telling->segment_bytes,
        .transaction_bytes_max = telling->transaction_bytes,
        .reader_count = 2,
        .random = { .next = four },
    };
    int rc;

    *engine = (struct engine){ .telling = telling,
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .wake = PTHREAD_COND_INITIALIZER };
    options.clock = threads ? pl_clock_system()
                            : (struct pl_clock){ .monotonic_ns = step_clock,
                                                 .wall_ms = stand_still,
                                                 .state = &engine->now_ns };
    rc = pl_node_open(&options, &engine->node, why);
    if (rc != 0)
        return rc;
    rc = pl_node_attach(engine->node, wake, engine, &engine->attachment);
    if (rc != 0)
        pl_node_close(engine->node);
    return rc;
}

static void close_engine(struct engine *engine)
{
    pl_operation_deinit(&engine->op);
    pl_node_detach(engine->attachment);
    pl_node_close(engine->node);
}

static void wait_for_news(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    while (!engine->woken)
        pthread_cond_wait(&engine->wake, &engine->lock);
    engine->woken = false;
    pthread_mutex_unlock(&engine->lock);
}

static int read_json(struct pl_operation *op, const struct pl_buf *json)
{
    struct pl_reason why = { 0 };
    int rc = pl_buf_status(json);

    if (rc == 0)
        rc = pl_json_read_item(pl_buf_view(json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &why);
    if (rc != 0)
        fprintf(stderr, "not an item: %s\n", why.text);
    return rc;
}

static void begin(struct pl_operation *op, enum pl_operation_name name, const char *table)
{
    pl_operation_reset(op, name);
    op->table_name = pl_str(table);
    op->params.literals = true;
}

static void ignore(struct pl_operation *op)
{
    (void)op;
}

static int run_now(struct engine *engine)
{
    engine->op.done = ignore;
    if (!pl_router_run(pl_attachment_router(engine->attachment), &engine->op))
        pl_attachment_flush(engine->attachment);
    return engine->op.reply.rc;
}

/* ---- The workload ---- */

struct client {
    unsigned number;
    uint64_t step; /* acknowledged */
    uint64_t last;
    bool waiting;
    struct engine *engine;
    struct pl_operation op;
    struct pl_operation children[STORY_EXTRA_GROUP]; /* `op` releases them */
    struct pl_buf text, condition;
};

static void note(const char *format, unsigned client, uint64_t step)
{
    char text[64];

    snprintf(text, sizeof text, format, client, (unsigned long long)step);
    if (pl_record_note != NULL)
        pl_record_note(text, strlen(text));
}

static void acknowledged(struct pl_operation *op)
{
    struct client *client = op->owner;

    require(op->reply.rc, "have a write acknowledged", &op->reply.why);
    client->step++;
    client->waiting = false;
    note("%u %llu", client->number, client->step);
}

static int write_change(struct client *client, struct pl_operation *op, const struct story_change *change)
{
    struct story_row row = { 0 };
    uint64_t step = client->step + 1;

    begin(op,
          change->verb == STORY_PUT      ? PL_OP_PUT
          : change->verb == STORY_UPDATE ? PL_OP_UPDATE
                                         : PL_OP_DELETE,
          "Main");
    story_apply(client->number, step, change, &row);
    story_write_item(client->number, change->slot, &row, change->verb == STORY_PUT, &client->text);
    if (read_json(op, &client->text) != 0)
        return PL_EINVALID;
    if (change->verb != STORY_UPDATE)
        return 0;
    /* The condition holds whenever nothing newer is there than ought to be. */
    pl_buf_clear(&client->condition);
    pl_buf_append_format(&client->condition, "attribute_not_exists(Version) OR Version < %llu",
                         (unsigned long long)step);
    op->condition_text = pl_buf_view(&client->condition);
    story_write_update(client->number, change->slot, step, &client->text);
    op->update_text = pl_buf_view(&client->text);
    return 0;
}

static int write_item_step(struct client *client)
{
    struct story_change changes[STORY_CHANGES_MAX];
    bool batch;
    unsigned count = story_step(client->number, client->step + 1, changes, &batch);
    int rc = 0;

    if (!batch)
        return write_change(client, &client->op, &changes[0]);
    begin(&client->op, PL_OP_BATCH_WRITE, "");
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = write_change(client, &client->children[i], &changes[i]);
    client->op.children = client->children;
    client->op.child_count = count;
    return rc;
}

static int write_group(struct client *client, unsigned group)
{
    int rc = 0;

    begin(&client->op, PL_OP_BATCH_WRITE, "");
    for (unsigned i = 0; i < STORY_EXTRA_GROUP && rc == 0; i++) {
        begin(&client->children[i], PL_OP_PUT, "Extra");
        story_write_extra(group * STORY_EXTRA_GROUP + i, &client->text);
        rc = read_json(&client->children[i], &client->text);
    }
    client->op.children = client->children;
    client->op.child_count = STORY_EXTRA_GROUP;
    return rc;
}

static int write_schema_step(struct client *client)
{
    struct story_schema_step step = story_schema_step(client->step + 1);

    switch (step.verb) {
    case STORY_CREATE:
        begin(&client->op, PL_OP_CREATE, "");
        break;
    case STORY_ALTER:
        begin(&client->op, PL_OP_ALTER, step.table);
        break;
    case STORY_DROP:
        begin(&client->op, PL_OP_DROP, step.table);
        return 0;
    case STORY_FILL:
        return write_group(client, step.group);
    }
    client->op.definition = pl_str(step.definition);
    return 0;
}

static void take_step(struct client *client)
{
    struct pl_router *router = pl_attachment_router(client->engine->attachment);

    require(client->number == 0 ? write_schema_step(client) : write_item_step(client), "say what it wants",
            NULL);
    client->op.done = acknowledged;
    client->op.owner = client;
    client->waiting = true;
    if (pl_router_run(router, &client->op))
        acknowledged(&client->op);
}

static bool anybody_waits(const struct client *clients, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (clients[i].waiting)
            return true;
    return false;
}

/* Each client has one request under way. Until all have come as far as `part` of `parts`. */
static void run_clients(struct engine *engine, struct client *clients, unsigned count, unsigned part,
                        unsigned parts)
{
    bool more = true;

    while (more || anybody_waits(clients, count)) {
        more = false;
        for (unsigned i = 0; i < count; i++) {
            struct client *client = &clients[i];

            client->engine = engine;
            if (client->waiting || client->step >= client->last * part / parts)
                continue;
            take_step(client);
            more = true;
        }
        pl_attachment_flush(engine->attachment);
        if (engine->telling->threads && anybody_waits(clients, count))
            wait_for_news(engine);
        pl_attachment_deliver(engine->attachment);
    }
}

static int work(const char *path, const struct telling *telling)
{
    struct client clients[STORY_CLIENTS_MAX] = { 0 };
    unsigned count = telling->clients + 1, parts = telling->restarts + 1;
    struct pl_reason why = { 0 };
    struct engine engine;

    for (unsigned i = 0; i < count; i++)
        clients[i] = (struct client){ .number = i, .last = i == 0 ? telling->schema_steps : telling->steps };
    for (unsigned part = 1; part <= parts; part++) {
        require(open_engine(&engine, telling, telling->threads, path, &why), "open", &why);
        if (part == 1) {
            /* The table comes first. */
            clients[0].last = 1;
            run_clients(&engine, clients, 1, 1, 1);
            clients[0].last = telling->schema_steps;
        }
        run_clients(&engine, clients, count, part, parts);
        close_engine(&engine);
    }
    for (unsigned i = 0; i < count; i++) {
        pl_operation_deinit(&clients[i].op);
        pl_buf_deinit(&clients[i].text);
        pl_buf_deinit(&clients[i].condition);
    }
    return 0;
}

/* ---- What must be there ---- */

/* An item as it must be, or may be instead. */
struct expected {
    struct story_row sure, maybe;
    bool seen;
    bool seen_maybe;
};

struct expectation {
    struct expected rows[STORY_CLIENTS_MAX + 1][STORY_SLOTS];
    struct story_schema sure, maybe, seen;
    struct {
        bool sure, maybe, seen;
    } extra[STORY_EXTRA_ROWS];
};

static void expect_client(struct expectation *e, const struct telling *telling, unsigned client,
                          uint64_t steps)
{
    struct story_change changes[STORY_CHANGES_MAX];
    bool batch;

    for (uint64_t step = 1; step <= steps; step++) {
        unsigned count = story_step(client, step, changes, &batch);

        for (unsigned i = 0; i < count; i++)
            story_apply(client, step, &changes[i], &e->rows[client][changes[i].slot].sure);
    }
    for (unsigned slot = 0; slot < STORY_SLOTS; slot++)
        e->rows[client][slot].maybe = e->rows[client][slot].sure;
    if (steps == telling->steps)
        return;
    /* The next one may have been under way. */
    for (unsigned count = story_step(client, steps + 1, changes, &batch), i = 0; i < count; i++)
        story_apply(client, steps + 1, &changes[i], &e->rows[client][changes[i].slot].maybe);
}

static struct story_row stranger_row(unsigned slot)
{
    return (struct story_row){
        .version = slot + 1, .user = slot, .likes = slot + 7, .body_bytes = 100, .body_version = slot
    };
}

/* Numbers of steps, as the notes tell them. */
static void read_notes(const struct powerloss_image *image, uint64_t steps[STORY_CLIENTS_MAX + 1])
{
    for (size_t i = 0; i < image->note_count; i++) {
        char text[64] = "";
        unsigned client;
        unsigned long long step;

        memcpy(text, image->notes[i].data, image->notes[i].len);
        if (sscanf(text, "%u %llu", &client, &step) == 2 && client <= STORY_STRANGER)
            steps[client] = step;
    }
}

/* While the table is being dropped or made, it is what it was, or empty. A batch may be there in part. */
static void expect_extra(struct expectation *e)
{
    unsigned least = e->sure.extra_groups, most = e->maybe.extra ? e->maybe.extra_groups : least;

    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++) {
        e->extra[row].sure = row / STORY_EXTRA_GROUP < least;
        e->extra[row].maybe = row / STORY_EXTRA_GROUP < most;
    }
}

static void expect(struct expectation *e, const struct telling *telling, const struct powerloss_image *outer,
                   const struct powerloss_image *image)
{
    uint64_t steps[STORY_CLIENTS_MAX + 1] = { 0 };

    memset(e, 0, sizeof *e);
    read_notes(outer, steps);
    if (image != outer)
        read_notes(image, steps);
    e->sure = story_schema_after(steps[0]);
    e->maybe = story_schema_after(steps[0] < telling->schema_steps ? steps[0] + 1 : steps[0]);
    expect_extra(e);
    for (unsigned client = 1; client <= telling->clients; client++)
        expect_client(e, telling, client, steps[client]);
    if (image == outer)
        return;
    /* Recovery was interrupted, and the stranger may have come before that. */
    e->maybe.main = true;
    for (unsigned slot = 0; slot < STRANGER_ROWS; slot++) {
        e->rows[STORY_STRANGER][slot].maybe = stranger_row(slot);
        if (slot < steps[STORY_STRANGER])
            e->rows[STORY_STRANGER][slot].sure = stranger_row(slot);
    }
}

/* ---- What is there ---- */

struct look {
    struct engine *engine;
    struct expectation *e;
    struct pl_buf found, wanted;
    uint64_t rows, entries; /* in all tables */
    bool finished;          /* no index is being filled any more */
    char fault[TEXT_MAX];
};

static int blame(struct look *look, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int blame(struct look *look, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (look->fault[0] == '\0')
        vsnprintf(look->fault, sizeof look->fault, format, args);
    va_end(args);
    return 1;
}

static bool reads_as(struct look *look, unsigned client, unsigned slot, const struct story_row *row)
{
    if (row->version == 0)
        return false;
    story_write_item(client, slot, row, true, &look->wanted);
    return pl_bytes_equal(pl_buf_view(&look->found), pl_buf_view(&look->wanted));
}

static int see_row(struct pl_operation *op, struct pl_item item)
{
    struct look *look = op->owner;
    struct expected *expected;
    struct pl_value who;
    char text[16] = "";
    unsigned client, slot;

    pl_buf_clear(&look->found);
    pl_json_write_item(&look->found, PL_JSON_PLAIN, item);
    if (!pl_item_find(item, pl_str("Who"), &who) || who.payload.len >= sizeof text)
        return blame(look, "an item of nobody's: %.200s", look->found.data);
    memcpy(text, who.payload.data, who.payload.len);
    if (sscanf(text, "%u:%u", &client, &slot) != 2 || client > STORY_STRANGER || slot >= STORY_SLOTS)
        return blame(look, "an item of nobody's: %.200s", look->found.data);
    expected = &look->e->rows[client][slot];
    if (expected->seen)
        return blame(look, "item %s is there twice", text);
    expected->seen = true;
    expected->seen_maybe = !reads_as(look, client, slot, &expected->sure);
    if (expected->seen_maybe && !reads_as(look, client, slot, &expected->maybe))
        return blame(look, "item %s should have version %u or %u: %.200s...%s", text, expected->sure.version,
                     expected->maybe.version, look->found.data,
                     look->found.len > 100 ? look->found.data + look->found.len - 50 : "");
    look->rows++;
    return 0;
}

static int see_extra(struct pl_operation *op, struct pl_item item)
{
    struct look *look = op->owner;
    unsigned long row = STORY_EXTRA_ROWS;
    const char *id;

    pl_buf_clear(&look->found);
    pl_json_write_item(&look->found, PL_JSON_PLAIN, item);
    pl_buf_append_byte(&look->found, '\0');
    id = strstr(look->found.data, "\"Id\":");
    if (id != NULL)
        row = strtoul(id + 5, NULL, 10);
    if (row >= STORY_EXTRA_ROWS || look->e->extra[row].seen)
        return blame(look, "Extra has what nobody wrote, or twice: %.200s", look->found.data);
    story_write_extra((unsigned)row, &look->wanted);
    if (strncmp(look->found.data, look->wanted.data, look->wanted.len) != 0)
        return blame(look, "Extra has what nobody wrote: %.200s", look->found.data);
    look->e->extra[row].seen = true;
    look->rows++;
    return 0;
}

static int scan(struct look *look, const char *table, pl_row_fn row)
{
    struct pl_operation *op = &look->engine->op;
    struct pl_router *router = pl_attachment_router(look->engine->attachment);

    begin(op, PL_OP_SCAN, table);
    op->row = row;
    op->owner = look;
    (void)pl_router_run(router, op);
    pl_router_rest(router);
    if (look->fault[0] != '\0')
        return 1;
    if (op->reply.rc != 0 || op->reply.has_last_key)
        return blame(look, "%s cannot be scanned: %s", table, pl_reason_text(&op->reply.why, op->reply.rc));
    return 0;
}

static bool is_there(struct look *look, const char *table, const char *index)
{
    struct pl_tables *tables = pl_node_tables(look->engine->node);
    const struct pl_table *found = pl_tables_find(tables, pl_str(table));
    bool there = found != NULL && (index == NULL || pl_table_index(found, pl_str(index)) != NULL);

    pl_tables_unref(tables);
    return there;
}

static int look_at_schema(struct look *look)
{
    struct expectation *e = look->e;
    struct story_schema seen = { .main = is_there(look, "Main", NULL),
                                 .by_version = is_there(look, "Main", "ByVersion"),
                                 .extra = is_there(look, "Extra", NULL),
                                 .by_grade = is_there(look, "Extra", "ByGrade") };
    const struct story_schema *is = &e->sure;

    for (int i = 0; i < 2; i++, is = &e->maybe)
        if (is->main == seen.main && is->by_version == seen.by_version && is->extra == seen.extra &&
            is->by_grade == seen.by_grade) {
            e->seen = *is;
            return 0;
        }
    return blame(look, "the tables are not as they were made: Main %d, its index %d, Extra %d, its index %d",
                 seen.main, seen.by_version, seen.extra, seen.by_grade);
}

static unsigned count_extra(const struct expectation *e)
{
    unsigned count = 0;

    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++)
        count += e->extra[row].seen;
    return count;
}

static int look_at_extra(struct look *look)
{
    struct expectation *e = look->e;

    if (!e->seen.extra)
        return 0;
    if (scan(look, "Extra", see_extra) != 0)
        return 1;
    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++)
        if (e->extra[row].seen ? !e->extra[row].maybe : e->extra[row].sure)
            return blame(look, "Extra %s row %u", e->extra[row].seen ? "should not have" : "has lost", row);
    return 0;
}

static void count_entries(struct look *look, const struct story_row *row)
{
    look->entries += (row->user > 0) + (row->likes > 0) + (look->e->seen.by_version ? 1 : 0);
}

/* Nothing is missing of what the scan should have met. */
static int look_for_missing(struct look *look)
{
    for (unsigned client = 0; client <= STORY_STRANGER; client++)
        for (unsigned slot = 0; slot < STORY_SLOTS; slot++) {
            struct expected *expected = &look->e->rows[client][slot];

            if (expected->seen)
                count_entries(look, expected->seen_maybe ? &expected->maybe : &expected->sure);
            else if (expected->sure.version != 0 && expected->maybe.version != 0)
                return blame(look, "item %u:%u of version %u is lost", client, slot, expected->sure.version);
        }
    return 0;
}

/* From here on only what was seen is right. */
static void be_sure(struct expectation *e)
{
    e->sure = e->maybe = e->seen;
    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++) {
        e->extra[row].sure = e->extra[row].maybe = e->extra[row].seen;
        e->extra[row].seen = false;
    }
    for (unsigned client = 0; client <= STORY_STRANGER; client++)
        for (unsigned slot = 0; slot < STORY_SLOTS; slot++) {
            struct expected *expected = &e->rows[client][slot];
            struct story_row row = { 0 };

            if (expected->seen)
                row = expected->seen_maybe ? expected->maybe : expected->sure;
            *expected = (struct expected){ .sure = row, .maybe = row };
        }
}

static void judge_report(void *state, int rc, struct pl_bytes report)
{
    struct look *look = state;
    char figures[2][64];

    snprintf(figures[0], sizeof figures[0], "\"items\":%llu,", (unsigned long long)look->rows);
    snprintf(figures[1], sizeof figures[1], "\"index_entries\":%llu,", (unsigned long long)look->entries);
    if (rc != 0)
        (void)blame(look, "it cannot be checked: %s", pl_error_name(rc));
    else if (memmem(report.data, report.len, "\"ok\":true", 9) == NULL)
        (void)blame(look, "the check found: %.*s", (int)report.len, report.data);
    else if (!look->finished)
        return; /* an index may be half full */
    else if (memmem(report.data, report.len, figures[0], strlen(figures[0])) == NULL ||
             memmem(report.data, report.len, figures[1], strlen(figures[1])) == NULL)
        (void)blame(look, "not %s %s: %.*s", figures[0], figures[1], (int)report.len, report.data);
}

static int check_all(struct look *look)
{
    int rc = pl_node_check(look->engine->attachment, judge_report, look);

    if (rc != 0)
        return blame(look, "no check: %s", pl_error_name(rc));
    return look->fault[0] != '\0';
}

/* Indexes that were being filled, tables that were being swept: any write takes them to their end. */
static int finish_chores(struct look *look)
{
    struct story_row none = { 0 };

    if (!look->e->seen.main)
        return 0;
    begin(&look->engine->op, PL_OP_DELETE, "Main");
    story_write_item(STORY_STRANGER, STORY_SLOTS - 1, &none, false, &look->wanted);
    if (read_json(&look->engine->op, &look->wanted) != 0 || run_now(look->engine) != 0)
        return blame(look, "nothing can be deleted");
    return 0;
}

static int look_at_all(struct look *look)
{
    look->finished = false;
    look->rows = look->entries = 0;
    if (look_at_schema(look) != 0)
        return 1;
    if (look->e->seen.main && (scan(look, "Main", see_row) != 0 || look_for_missing(look) != 0))
        return 1;
    if (look_at_extra(look) != 0)
        return 1;
    if (look->e->seen.by_grade)
        look->entries += count_extra(look->e);
    if (check_all(look) != 0 || finish_chores(look) != 0)
        return 1;
    look->finished = true;
    if (check_all(look) != 0)
        return 1;
    be_sure(look->e);
    return 0;
}

/* ---- Writing on ---- */

/* The stranger's items, into a table that may have to be made first. */
static int write_on(struct engine *engine, bool noted)
{
    struct pl_buf json = { 0 };
    int rc;

    begin(&engine->op, PL_OP_CREATE, "");
    engine->op.definition = pl_str(story_schema_step(1).definition);
    rc = run_now(engine);
    rc = rc == PL_EINUSE ? 0 : rc;
    for (unsigned slot = 0; slot < STRANGER_ROWS && rc == 0; slot++) {
        struct story_row row = stranger_row(slot);

        begin(&engine->op, PL_OP_PUT, "Main");
        story_write_item(STORY_STRANGER, slot, &row, true, &json);
        rc = read_json(&engine->op, &json);
        if (rc == 0)
            rc = run_now(engine);
        if (rc == 0 && noted)
            note("%u %llu", STORY_STRANGER, slot + 1);
    }
    pl_buf_deinit(&json);
    return rc;
}

static void expect_stranger(struct expectation *e)
{
    e->sure.main = e->maybe.main = true;
    for (unsigned slot = 0; slot < STRANGER_ROWS; slot++)
        e->rows[STORY_STRANGER][slot].sure = e->rows[STORY_STRANGER][slot].maybe = stranger_row(slot);
}

static int judge_steps(struct look *look, const struct telling *telling, const char *path)
{
    struct pl_reason why = { 0 };
    struct engine *engine = look->engine;

    for (int round = 0; round < 2; round++) {
        int rc = open_engine(engine, telling, false, path, &why);

        if (rc != 0)
            return blame(look, "it does not open the %s time: %s", round == 0 ? "first" : "second",
                         pl_reason_text(&why, rc));
        rc = look_at_all(look);
        if (rc == 0 && round == 0 && write_on(engine, false) != 0)
            rc = blame(look, "nothing can be written: %s",
                       pl_reason_text(&engine->op.reply.why, engine->op.reply.rc));
        expect_stranger(look->e);
        close_engine(engine);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- Images ---- */

struct check {
    const struct telling *telling;
    const char *recorder;
    const char *self;
    char base[64];
    uint64_t images, nested;
    const struct powerloss_image *outer; /* of a crash inside recovery: the first one */
};

static int judge_here(const struct check *check, const struct powerloss_image *image)
{
    static struct expectation expectation;
    struct engine engine;
    struct look look = { .engine = &engine, .e = &expectation };
    char path[512];
    int rc;

    snprintf(path, sizeof path, "%s/data", image->dir);
    expect(&expectation, check->telling, check->outer != NULL ? check->outer : image, image);
    rc = judge_steps(&look, check->telling, path);
    if (rc != 0)
        fprintf(stderr, "%s %s%s%s: %s\n", check->telling->name,
                check->outer != NULL ? check->outer->name : "",
                check->outer != NULL ? ", inside recovery " : "", image->name, look.fault);
    pl_buf_deinit(&look.found);
    pl_buf_deinit(&look.wanted);
    return rc;
}

static int judge_apart(const struct check *check, const struct powerloss_image *image)
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(IMAGE_SECONDS_MAX);
        exit(judge_here(check, image));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(3);
    if (status != 0 && !WIFEXITED(status))
        fprintf(stderr, "%s %s: died of signal %d\n", check->telling->name, image->name, WTERMSIG(status));
    return status;
}

static int check_image(void *arg, const struct powerloss_image *image);

/* Recover a copy under the recorder, then lose the power at moments of that. */
static int crash_inside(struct check *check, const struct powerloss_image *image)
{
    struct check inner = { .telling = check->telling, .outer = image };
    char before[96], again[96], trace[96], image_dir[96];
    char *argv[] = { (char *)check->self, "recover", again, (char *)check->telling->name, NULL };
    struct powerloss_options nested = { .trace = trace,
                                        .root = again,
                                        .initial = before,
                                        .image_dir = image_dir,
                                        .seed = check->images,
                                        .images = NESTED_IMAGES };
    struct powerloss_report report;

    snprintf(before, sizeof before, "%s.before", check->base);
    snprintf(again, sizeof again, "%s.again", check->base);
    snprintf(trace, sizeof trace, "%s.nested", check->base);
    snprintf(image_dir, sizeof image_dir, "%s.inner", check->base);
    powerloss_copy_tree(image->dir, before);
    powerloss_copy_tree(image->dir, again);
    if (powerloss_record(check->recorder, again, trace, argv) != 0)
        return 1;
    powerloss_replay(&nested, check_image, &inner, &report);
    check->nested += report.images;
    return report.failures != 0;
}

static int check_image(void *arg, const struct powerloss_image *image)
{
    struct check *check = arg;

    check->images++;
    if (check->outer == NULL && check->images % NEST_EVERY == 0 && crash_inside(check, image) != 0)
        return 1;
    return judge_apart(check, image);
}

/* What crash_inside() records: recovery, a few writes, and a close with its checkpoint. */
static int recover_recorded(const char *root, const struct telling *telling)
{
    struct pl_reason why = { 0 };
    struct engine engine;
    char path[512];
    int rc;

    snprintf(path, sizeof path, "%s/data", root);
    rc = open_engine(&engine, telling, false, path, &why);
    if (rc != 0) {
        fprintf(stderr, "%s does not open: %s\n", root, pl_reason_text(&why, rc));
        return 1;
    }
    rc = write_on(&engine, true);
    close_engine(&engine);
    return rc != 0;
}

/* ---- Runs ---- */

static void clear(const char *base)
{
    static const char *const leftovers[] = { ".root",  ".trace",  ".image", ".before",
                                             ".again", ".nested", ".inner" };

    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
        char path[96];

        snprintf(path, sizeof path, "%s%s", base, leftovers[i]);
        powerloss_remove_tree(path);
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* True: every image was as it should be. */
static bool run(const char *self, const char *recorder, const struct telling *telling, uint64_t images,
                const char *only)
{
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct check check = { .telling = telling, .recorder = recorder, .self = self };
    char root[80], trace[80], image_dir[80];
    char *argv[] = { (char *)self, "work", root, (char *)telling->name, NULL };
    struct powerloss_options options = {
        .trace = trace, .root = root, .image_dir = image_dir, .seed = 20261123, .images = images, .only = only
    };
    struct powerloss_report report;
    double begun = seconds();

    snprintf(check.base, sizeof check.base, "%s/engine-powerloss.%d", memory, (int)getpid());
    snprintf(root, sizeof root, "%s.root", check.base);
    snprintf(trace, sizeof trace, "%s.trace", check.base);
    snprintf(image_dir, sizeof image_dir, "%s.image", check.base);
    clear(check.base);
    if (mkdir(root, 0700) != 0 || powerloss_record(recorder, root, trace, argv) != 0) {
        fprintf(stderr, "%s: the workload failed\n", telling->name);
        exit(3);
    }
    powerloss_replay(&options, check_image, &check, &report);
    printf("%s: %llu events, %llu moments, %llu images and %llu of crashes inside recovery in %.1f s, %llu "
           "failures\n",
           telling->name, (unsigned long long)report.events, (unsigned long long)report.moments,
           (unsigned long long)report.images, (unsigned long long)check.nested, seconds() - begun,
           (unsigned long long)report.failures);
    fflush(stdout);
    if (getenv("PL_KEEP") == NULL)
        clear(check.base);
    return report.failures == 0;
}

static const struct telling *find_telling(const char *name)
{
    for (int i = 0; i < TELLINGS; i++)
        if (strcmp(tellings[i].name, name) == 0)
            return &tellings[i];
    fprintf(stderr, "there is no story %s\n", name);
    exit(2);
}

static int work_recorded(const char *root, const struct telling *telling)
{
    char path[512];

    snprintf(path, sizeof path, "%s/data", root);
    return work(path, telling);
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    if (argc == 4 && strcmp(argv[1], "work") == 0)
        return work_recorded(argv[2], find_telling(argv[3]));
    if (argc == 4 && strcmp(argv[1], "recover") == 0)
        return recover_recorded(argv[2], find_telling(argv[3]));
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: engine_powerloss_test RECORDER [STORY IMAGES]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i += 2)
        run("/proc/self/exe", argv[1], find_telling(argv[i]), strtoull(argv[i + 1], NULL, 0),
            getenv("PL_ONLY"))
            ? passed++
            : failed++;
    for (int i = 0; argc == 2 && i < TELLINGS; i++)
        run("/proc/self/exe", argv[1], &tellings[i], tellings[i].images, NULL) ? passed++ : failed++;
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
