/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include "partition/letter.h"
#include "partition/progress.h"

enum { POISON = 11 }; /* as in tables/main.lua */

struct tally_record {
    char id[48];
    uint16_t partition;
    uint64_t sequence;
    bool poisoned, counted, buried;
};

struct tally {
    struct witness *witness;
    struct tally_record *records;
    size_t count, room;
    size_t counted; /* items of the table */
};

/* ---- what there is ---------------------------------------------------------------------------------- */

static int note_record(void *state, const struct pl_stream_record *record, struct pl_item keys)
{
    struct tally *tally = state;
    char *text = shadow_text(record->has_new ? record->new : record->old), *version, *who;
    struct tally_record *noted;
    unsigned client = 0, slot = 0;

    (void)keys;
    if (tally->count == tally->room) {
        tally->room = tally->room * 2 + 64;
        tally->records = realloc(tally->records, tally->room * sizeof *tally->records);
        if (tally->records == NULL)
            abort();
    }
    noted = &tally->records[tally->count++];
    *noted = (struct tally_record){ .partition = record->partition, .sequence = record->sequence };
    version = strstr(text, "\"Version\":");
    who = strstr(text, "\"Who\":\"");
    if (version == NULL || who == NULL || sscanf(who + 7, "%u:%u", &client, &slot) != 2)
        (void)witness_blame(tally->witness, "the stream has an item of nobody's: %.200s", text);
    else
        noted->poisoned = strtoul(version + 10, NULL, 10) % POISON == 0;
    snprintf(noted->id, sizeof noted->id, "%u:%u:%llu", client, slot, (unsigned long long)record->sequence);
    free(text);
    return 0;
}

static int read_stream(struct tally *tally)
{
    struct pl_follower_options options = { .table_name = pl_str("Main"), .from = pl_str("oldest") };
    struct pl_follower_progress progress = { .more = true };
    struct pl_reason why = { { 0 } };
    struct pl_follower *follower;
    int rc = pl_follower_open(tally->witness->engine->attachment, &options, &follower, &why);

    if (rc != 0)
        return witness_blame(tally->witness, "Main cannot be followed: %s", pl_reason_text(&why, rc));
    while (rc == 0 && progress.more)
        rc = pl_follower_read(follower, note_record, tally, &progress);
    pl_follower_close(follower);
    if (rc != 0)
        return witness_blame(tally->witness, "Main's stream cannot be read: %s", pl_error_name(rc));
    return tally->witness->fault[0] != '\0';
}

static int see_count(struct pl_operation *op, struct pl_item item)
{
    struct tally *tally = op->owner;
    char *text = shadow_text(item), wanted[96];
    size_t i;

    for (i = 0; i < tally->count; i++) {
        snprintf(wanted, sizeof wanted, "{\"Id\":\"%s\",\"Times\":1}", tally->records[i].id);
        if (strcmp(wanted, text) == 0)
            break;
    }
    if (i < tally->count)
        tally->records[i].counted = true;
    else
        (void)witness_blame(tally->witness, "no record was to be counted so: %.200s", text);
    free(text);
    tally->counted++;
    return tally->witness->fault[0] != '\0';
}

static int read_counts(struct tally *tally)
{
    struct pl_operation *op = &tally->witness->engine->op;
    struct pl_router *router = pl_attachment_router(tally->witness->engine->attachment);

    engine_begin(op, PL_OP_SCAN, "Tally");
    op->row = see_count;
    op->owner = tally;
    (void)pl_router_run(router, op);
    pl_router_rest(router);
    if (tally->witness->fault[0] == '\0' && (op->reply.rc != 0 || op->reply.has_last_key))
        (void)witness_blame(tally->witness, "Tally cannot be scanned: %s", pl_error_name(op->reply.rc));
    return tally->witness->fault[0] != '\0';
}

static int see_letter(struct tally *tally, const struct pl_letter *letter)
{
    for (size_t i = 0; i < tally->count; i++)
        if (tally->records[i].partition == letter->partition &&
            tally->records[i].sequence == letter->sequence) {
            tally->records[i].buried = true;
            return 0;
        }
    return witness_blame(tally->witness, "a dead letter of no record: %u-%llu", letter->partition,
                         (unsigned long long)letter->sequence);
}

static int read_letters(struct tally *tally, const struct pl_feed_source *source, uint32_t trigger_id)
{
    struct pl_letter letter = { 0 };
    int rc = 0;

    while (rc == 0) {
        rc = pl_letter_find(source->snapshot, source->partition_count, trigger_id, letter.partition,
                            letter.sequence + 1, &letter);
        if (rc == 0 && see_letter(tally, &letter) != 0)
            return 1;
    }
    if (rc != PL_ENOTFOUND)
        return witness_blame(tally->witness, "dead letters cannot be read: %s", pl_error_name(rc));
    return 0;
}

/* ---- is it right? ----------------------------------------------------------------------------------- */

static int judge_record(struct tally *tally, const struct tally_record *record, uint64_t checkpoint,
                        bool finished)
{
    bool done = record->sequence <= checkpoint;

    if (record->counted == (done && !record->poisoned) && record->buried == (done && record->poisoned) &&
        (done || !finished))
        return 0;
    return witness_blame(tally->witness,
                         "%s the trigger's checkpoint is %llu, and the record %s of partition %u, %s, is "
                         "%scounted and %s",
                         finished ? "at the end" : "at first", (unsigned long long)checkpoint, record->id,
                         record->partition, record->poisoned ? "poisoned" : "good",
                         record->counted ? "" : "not ", record->buried ? "a dead letter" : "no dead letter");
}

static int judge(struct tally *tally, const struct pl_feed_source *source, uint32_t trigger_id, bool finished)
{
    int rc = 0;

    for (size_t i = 0; i < tally->count && rc == 0; i++) {
        const struct tally_record *record = &tally->records[i];
        struct pl_progress progress = { 0 };

        rc = pl_progress_get(source->snapshot, record->partition, trigger_id, 0, &progress);
        rc = rc != 0 ? witness_blame(tally->witness, "a checkpoint cannot be read: %s", pl_error_name(rc))
                     : judge_record(tally, record, progress.sequence, finished);
    }
    return rc;
}

static int find_trigger(struct witness *witness, uint32_t *id)
{
    struct pl_tables *tables = pl_node_tables(witness->engine->node);
    const struct pl_table *table = pl_tables_find(tables, pl_str("Main"));
    bool found = table != NULL && table->trigger_count == 1;

    if (found)
        *id = table->triggers[0].id;
    pl_tables_unref(tables);
    return found ? 0 : witness_blame(witness, "Main has no trigger");
}

static int look_once(struct tally *tally, bool finished)
{
    struct pl_feed_source source;
    uint32_t trigger_id = 0;
    int rc;

    if (find_trigger(tally->witness, &trigger_id) != 0 || read_stream(tally) != 0 || read_counts(tally) != 0)
        return 1;
    rc = pl_attachment_feed_source(tally->witness->engine->attachment, &source);
    if (rc == 0)
        rc = pl_snapshot_renew(source.snapshot);
    if (rc != 0)
        return witness_blame(tally->witness, "no snapshot: %s", pl_error_name(rc));
    rc = read_letters(tally, &source, trigger_id);
    if (rc == 0)
        rc = judge(tally, &source, trigger_id, finished);
    pl_snapshot_reset(source.snapshot);
    return rc;
}

int tally_look(struct witness *witness)
{
    int rc = 0;

    for (int round = 0; round < 2 && rc == 0; round++) {
        struct tally tally = { .witness = witness };

        if (round == 1)
            engine_finish_triggers(witness->engine);
        rc = look_once(&tally, round == 1);
        if (round == 1)
            witness->rows += tally.counted;
        free(tally.records);
    }
    return rc;
}
