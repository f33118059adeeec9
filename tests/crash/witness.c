/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include "model/json.h"
#include "tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_client(struct witness_expectation *e, const struct story_telling *telling, unsigned client,
                          uint64_t steps)
{
    struct story_change changes[STORY_CHANGES_MAX];
    enum story_way way;

    for (uint64_t step = 1; step <= steps; step++) {
        unsigned count = story_step(client, step, changes, &way);

        for (unsigned i = 0; i < count; i++)
            story_apply(client, step, &changes[i], &e->rows[client][changes[i].slot].sure);
    }
    for (unsigned slot = 0; slot < STORY_SLOTS; slot++)
        e->rows[client][slot].maybe = e->rows[client][slot].sure;
    if (steps == telling->steps)
        return;
    /* The next one may have been under way. */
    for (unsigned count = story_step(client, steps + 1, changes, &way), i = 0; i < count; i++)
        story_apply(client, steps + 1, &changes[i], &e->rows[client][changes[i].slot].maybe);
    e->transaction[client] = way == STORY_TRANSACTION;
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
static void expect_extra(struct witness_expectation *e)
{
    unsigned least = e->sure.extra_groups, most = e->maybe.extra ? e->maybe.extra_groups : least;

    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++) {
        e->extra[row].sure = row / STORY_EXTRA_GROUP < least;
        e->extra[row].maybe = row / STORY_EXTRA_GROUP < most;
    }
}

void witness_expect(struct witness_expectation *e, const struct story_telling *telling,
                    const struct powerloss_image *outer, const struct powerloss_image *image)
{
    uint64_t steps[STORY_CLIENTS_MAX + 1] = { 0 };

    memset(e, 0, sizeof *e);
    read_notes(outer, steps);
    if (image != outer)
        read_notes(image, steps);
    e->sure = story_schema_after(steps[0]);
    e->maybe = story_schema_after(steps[0] < telling->schema_steps ? steps[0] + 1 : steps[0]);
    e->triggers = telling->triggers;
    if (e->triggers)
        e->sure.main = e->maybe.main = true; /* before anybody's first step */
    expect_extra(e);
    for (unsigned client = 1; client <= telling->clients; client++)
        expect_client(e, telling, client, steps[client]);
    if (image == outer)
        return;
    /* Recovery was interrupted, and the stranger may have come before that. */
    e->maybe.main = true;
    for (unsigned slot = 0; slot < STORY_STRANGER_ROWS; slot++) {
        e->rows[STORY_STRANGER][slot].maybe = story_stranger_row(slot);
        if (slot < steps[STORY_STRANGER])
            e->rows[STORY_STRANGER][slot].sure = story_stranger_row(slot);
    }
}

void witness_expect_stranger(struct witness_expectation *e)
{
    e->sure.main = e->maybe.main = true;
    for (unsigned slot = 0; slot < STORY_STRANGER_ROWS; slot++)
        e->rows[STORY_STRANGER][slot].sure = e->rows[STORY_STRANGER][slot].maybe = story_stranger_row(slot);
}

/* ---- What is there ---- */

int witness_blame(struct witness *witness, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (witness->fault[0] == '\0')
        vsnprintf(witness->fault, sizeof witness->fault, format, args);
    va_end(args);
    return 1;
}

static bool reads_as(struct witness *witness, unsigned client, unsigned slot, const struct story_row *row)
{
    if (row->version == 0)
        return false;
    story_write_item(client, slot, row, true, &witness->wanted);
    return pl_bytes_equal(pl_buf_view(&witness->found), pl_buf_view(&witness->wanted));
}

static int see_row(struct pl_operation *op, struct pl_item item)
{
    struct witness *witness = op->owner;
    struct witness_item *expected;
    struct pl_value who;
    char text[16] = "";
    unsigned client, slot;

    pl_buf_clear(&witness->found);
    pl_json_write_item(&witness->found, PL_JSON_PLAIN, item);
    if (!pl_item_find(item, pl_str("Who"), &who) || who.payload.len >= sizeof text)
        return witness_blame(witness, "an item of nobody's: %.200s", witness->found.data);
    memcpy(text, who.payload.data, who.payload.len);
    if (sscanf(text, "%u:%u", &client, &slot) != 2 || client > STORY_STRANGER || slot >= STORY_SLOTS)
        return witness_blame(witness, "an item of nobody's: %.200s", witness->found.data);
    expected = &witness->e->rows[client][slot];
    if (expected->seen)
        return witness_blame(witness, "item %s is there twice", text);
    expected->seen = true;
    expected->seen_maybe = !reads_as(witness, client, slot, &expected->sure);
    if (expected->seen_maybe && !reads_as(witness, client, slot, &expected->maybe))
        return witness_blame(witness, "item %s should have version %u or %u: %.200s...%s", text,
                             expected->sure.version, expected->maybe.version, witness->found.data,
                             witness->found.len > 100 ? witness->found.data + witness->found.len - 50 : "");
    pl_buf_append_byte(&witness->found, '\0');
    if (!shadow_has(&witness->shadow, witness->found.data))
        return witness_blame(witness, "the stream has another item %s: %.200s", text, witness->found.data);
    witness->rows++;
    return 0;
}

static int see_extra(struct pl_operation *op, struct pl_item item)
{
    struct witness *witness = op->owner;
    unsigned long row = STORY_EXTRA_ROWS;
    const char *id;

    pl_buf_clear(&witness->found);
    pl_json_write_item(&witness->found, PL_JSON_PLAIN, item);
    pl_buf_append_byte(&witness->found, '\0');
    id = strstr(witness->found.data, "\"Id\":");
    if (id != NULL)
        row = strtoul(id + 5, NULL, 10);
    if (row >= STORY_EXTRA_ROWS || witness->e->extra[row].seen)
        return witness_blame(witness, "Extra has what nobody wrote, or twice: %.200s", witness->found.data);
    story_write_extra((unsigned)row, &witness->wanted);
    if (strncmp(witness->found.data, witness->wanted.data, witness->wanted.len) != 0)
        return witness_blame(witness, "Extra has what nobody wrote: %.200s", witness->found.data);
    witness->e->extra[row].seen = true;
    witness->rows++;
    return 0;
}

static int scan(struct witness *witness, const char *table, pl_row_fn row)
{
    struct pl_operation *op = &witness->engine->op;
    struct pl_router *router = pl_attachment_router(witness->engine->attachment);

    engine_begin(op, PL_OP_SCAN, table);
    op->row = row;
    op->owner = witness;
    (void)pl_router_run(router, op);
    pl_router_rest(router);
    if (witness->fault[0] != '\0')
        return 1;
    if (op->reply.rc != 0 || op->reply.has_last_key)
        return witness_blame(witness, "%s cannot be scanned: %s", table,
                             pl_reason_text(&op->reply.why, op->reply.rc));
    return 0;
}

static bool is_there(struct witness *witness, const char *table, const char *index)
{
    struct pl_tables *tables = pl_node_tables(witness->engine->node);
    const struct pl_table *found = pl_tables_find(tables, pl_str(table));
    bool there = found != NULL && (index == NULL || pl_table_index(found, pl_str(index)) != NULL);

    pl_tables_unref(tables);
    return there;
}

static int look_at_schema(struct witness *witness)
{
    struct witness_expectation *e = witness->e;
    struct story_schema seen = { .main = is_there(witness, "Main", NULL),
                                 .by_version = is_there(witness, "Main", "ByVersion"),
                                 .extra = is_there(witness, "Extra", NULL),
                                 .by_grade = is_there(witness, "Extra", "ByGrade") };
    const struct story_schema *is = &e->sure;

    for (int i = 0; i < 2; i++, is = &e->maybe)
        if (is->main == seen.main && is->by_version == seen.by_version && is->extra == seen.extra &&
            is->by_grade == seen.by_grade) {
            e->seen = *is;
            return 0;
        }
    return witness_blame(
        witness, "the tables are not as they were made: Main %d, its index %d, Extra %d, its index %d",
        seen.main, seen.by_version, seen.extra, seen.by_grade);
}

static unsigned count_extra(const struct witness_expectation *e)
{
    unsigned count = 0;

    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++)
        count += e->extra[row].seen;
    return count;
}

/* Main as its stream tells it: each of its rows is compared with that when it is met. */
static int look_at_stream(struct witness *witness)
{
    struct pl_tables *tables = pl_node_tables(witness->engine->node);
    uint32_t stream_id = pl_tables_find(tables, pl_str("Main"))->stream_id;
    struct pl_reason why = { { 0 } };
    int rc;

    pl_tables_unref(tables);
    shadow_deinit(&witness->shadow);
    rc = shadow_read(&witness->shadow, witness->engine->attachment, pl_str("Main"), stream_id, &why);
    if (rc != 0)
        return witness_blame(witness, "the stream cannot be read: %s", pl_reason_text(&why, rc));
    return witness->shadow.fault[0] != '\0' ? witness_blame(witness, "%s", witness->shadow.fault) : 0;
}

static int look_at_extra(struct witness *witness)
{
    struct witness_expectation *e = witness->e;

    if (!e->seen.extra)
        return 0;
    if (scan(witness, "Extra", see_extra) != 0)
        return 1;
    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++)
        if (e->extra[row].seen ? !e->extra[row].maybe : e->extra[row].sure)
            return witness_blame(witness, "Extra %s row %u",
                                 e->extra[row].seen ? "should not have" : "has lost", row);
    return 0;
}

static void count_entries(struct witness *witness, const struct story_row *row)
{
    witness->entries += (row->user > 0) + (row->likes > 0) + (witness->e->seen.by_version ? 1 : 0);
}

/* Nothing is missing of what the scan should have met. */
static int look_for_missing(struct witness *witness)
{
    for (unsigned client = 0; client <= STORY_STRANGER; client++)
        for (unsigned slot = 0; slot < STORY_SLOTS; slot++) {
            struct witness_item *expected = &witness->e->rows[client][slot];

            if (expected->seen)
                count_entries(witness, expected->seen_maybe ? &expected->maybe : &expected->sure);
            else if (expected->sure.version != 0 && expected->maybe.version != 0)
                return witness_blame(witness, "item %u:%u of version %u is lost", client, slot,
                                     expected->sure.version);
        }
    return 0;
}

/* All that a client's transaction under way would change is changed, or nothing of it is. */
static int look_at_transaction(struct witness *witness, unsigned client)
{
    bool done = false, not_done = false;

    for (unsigned slot = 0; slot < STORY_SLOTS; slot++) {
        const struct witness_item *item = &witness->e->rows[client][slot];

        if (item->sure.version == item->maybe.version)
            continue;
        if (item->seen ? item->seen_maybe : item->maybe.version == 0)
            done = true;
        else
            not_done = true;
    }
    if (done && not_done)
        return witness_blame(witness, "a transaction of client %u is there in part", client);
    return 0;
}

static int look_at_transactions(struct witness *witness)
{
    for (unsigned client = 0; client < STORY_CLIENTS_MAX; client++)
        if (witness->e->transaction[client] && look_at_transaction(witness, client) != 0)
            return 1;
    return 0;
}

static int look_at_main(struct witness *witness)
{
    if (!witness->e->seen.main)
        return 0;
    if (look_at_stream(witness) != 0 || scan(witness, "Main", see_row) != 0 ||
        look_for_missing(witness) != 0 || look_at_transactions(witness) != 0)
        return 1;
    if (witness->rows != witness->shadow.count)
        return witness_blame(witness, "the stream leaves %zu items, the table has %llu",
                             witness->shadow.count, (unsigned long long)witness->rows);
    return 0;
}

/* From here on only what was seen is right. */
static void be_sure(struct witness_expectation *e)
{
    e->sure = e->maybe = e->seen;
    memset(e->transaction, 0, sizeof e->transaction);
    for (unsigned row = 0; row < STORY_EXTRA_ROWS; row++) {
        e->extra[row].sure = e->extra[row].maybe = e->extra[row].seen;
        e->extra[row].seen = false;
    }
    for (unsigned client = 0; client <= STORY_STRANGER; client++)
        for (unsigned slot = 0; slot < STORY_SLOTS; slot++) {
            struct witness_item *expected = &e->rows[client][slot];
            struct story_row row = { 0 };

            if (expected->seen)
                row = expected->seen_maybe ? expected->maybe : expected->sure;
            *expected = (struct witness_item){ .sure = row, .maybe = row };
        }
}

static void judge_report(void *state, int rc, struct pl_bytes report)
{
    struct witness *witness = state;
    char figures[2][64];

    snprintf(figures[0], sizeof figures[0], "\"items\":%llu,", (unsigned long long)witness->rows);
    snprintf(figures[1], sizeof figures[1], "\"index_entries\":%llu,", (unsigned long long)witness->entries);
    if (rc != 0)
        (void)witness_blame(witness, "it cannot be checked: %s", pl_error_name(rc));
    else if (memmem(report.data, report.len, "\"ok\":true", 9) == NULL)
        (void)witness_blame(witness, "the check found: %.*s", (int)report.len, report.data);
    else if (!witness->finished)
        return; /* an index may be half full */
    else if (memmem(report.data, report.len, figures[0], strlen(figures[0])) == NULL ||
             memmem(report.data, report.len, figures[1], strlen(figures[1])) == NULL)
        (void)witness_blame(witness, "not %s %s: %.*s", figures[0], figures[1], (int)report.len, report.data);
}

static int check_all(struct witness *witness)
{
    int rc = pl_node_check(witness->engine->attachment, judge_report, witness);

    if (rc != 0)
        return witness_blame(witness, "no check: %s", pl_error_name(rc));
    return witness->fault[0] != '\0';
}

/* Indexes that were being filled, tables that were being swept: any write takes them to their end. */
static int finish_chores(struct witness *witness)
{
    struct story_row none = { 0 };

    if (!witness->e->seen.main)
        return 0;
    engine_begin(&witness->engine->op, PL_OP_DELETE, "Main");
    story_write_item(STORY_STRANGER, STORY_SLOTS - 1, &none, false, &witness->wanted);
    if (engine_read_item(&witness->engine->op, &witness->wanted) != 0 || engine_run(witness->engine) != 0)
        return witness_blame(witness, "nothing can be deleted");
    return 0;
}

int witness_look(struct witness *witness)
{
    witness->finished = false;
    witness->rows = witness->entries = 0;
    if (look_at_schema(witness) != 0)
        return 1;
    if (look_at_main(witness) != 0 || look_at_extra(witness) != 0)
        return 1;
    if (witness->e->seen.by_grade)
        witness->entries += count_extra(witness->e);
    if (witness->e->triggers && tally_look(witness) != 0)
        return 1;
    if (check_all(witness) != 0 || finish_chores(witness) != 0)
        return 1;
    witness->finished = true;
    if (check_all(witness) != 0)
        return 1;
    be_sure(witness->e);
    return 0;
}
