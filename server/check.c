/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "node.h"
#include "store/audit.h"
#include "store/datadir.h"
#include "store/journal.h"

#include <cjson/cJSON.h>

/*
 * From the outside in, and only as far as what has been seen is sound:
 *
 *     format ─▸ journal ─▸ pages of the store ─▸ recovery ─▸ items, indexes and counters
 *
 * Up to the pages nothing is changed and LMDB is not asked, so a directory that is
 * damaged there is left exactly as it was found. Recovery is what every start does.
 */
struct check {
    const char *path;
    struct pl_disk disk;
    cJSON *json;
    struct pl_reason *why; /* the first fault, or what went wrong */
    bool faulty;
    int contents_rc; /* of the last step */
};

static void add_number(cJSON *json, const char *name, uint64_t number)
{
    cJSON_AddNumberToObject(json, name, (double)number);
}

/* Damage is a finding, everything else an end. */
static int found(struct check *check, cJSON *part, int rc)
{
    if (rc != PL_ECORRUPT)
        return rc;
    check->faulty = true;
    cJSON_AddStringToObject(part, "fault", pl_reason_text(check->why, rc));
    return 0;
}

/* ---- the journal ------------------------------------------------------------------------------------ */

/* The newest checkpoint: the store is what it was then, plus the journal after it. */
struct last_checkpoint {
    struct pl_checkpoint_facts facts;
    bool is_there;
    struct pl_reason *why;
};

static int visit(void *arg, const struct pl_journal_record *record)
{
    struct last_checkpoint *last = arg;
    int rc;

    if (record->kind != PL_JOURNAL_CHECKPOINT)
        return 0;
    rc = pl_checkpoint_read(record->payload, &last->facts, last->why);
    last->is_there = rc == 0;
    return rc;
}

static int check_journal(struct check *check, const char *dir, cJSON *shard, struct last_checkpoint *last)
{
    cJSON *part = cJSON_AddObjectToObject(shard, "journal");
    struct pl_journal_extent extent;
    int rc = pl_journal_scan(&check->disk, dir, visit, last, &extent, check->why);

    if (rc == PL_ENOTFOUND)
        return 0; /* a shard cut off while it was made: recovery makes it again */
    if (rc != 0)
        return found(check, part, rc);
    add_number(part, "start", extent.start);
    add_number(part, "end", extent.end);
    add_number(part, "records", extent.records);
    add_number(part, "torn_bytes", extent.torn_bytes);
    return 0;
}

/* ---- the pages -------------------------------------------------------------------------------------- */

static int check_pages(struct check *check, const char *path, cJSON *shard,
                       const struct last_checkpoint *last)
{
    struct pl_audit_report report;
    cJSON *part;
    int rc;

    if (!last->is_there)
        return 0;
    part = cJSON_AddObjectToObject(shard, "store");
    rc = pl_audit_file(&check->disk, path, &last->facts, &report, check->why);
    if (rc == PL_ENOTFOUND)
        rc =
            pl_reason_set(check->why, PL_ECORRUPT, "the store %s is missing, but its journal is there", path);
    if (rc != 0)
        return found(check, part, rc);
    add_number(part, "pages", report.page_count);
    add_number(part, "branch_pages", report.branch_pages);
    add_number(part, "leaf_pages", report.leaf_pages);
    add_number(part, "overflow_pages", report.overflow_pages);
    add_number(part, "free_pages", report.free_pages);
    add_number(part, "lost_pages", report.lost_pages);
    add_number(part, "entries", report.entry_count);
    add_number(part, "value_bytes", report.value_bytes);
    return 0;
}

static int check_shard(struct check *check, const struct pl_datadir *dir, uint32_t number, cJSON *shards)
{
    struct last_checkpoint last = { .why = check->why };
    cJSON *shard = cJSON_CreateObject();
    int rc;

    if (!cJSON_AddItemToArray(shards, shard)) {
        cJSON_Delete(shard);
        return PL_ENOMEM;
    }
    rc = check_journal(check, pl_datadir_journal_path(dir, number), shard, &last);
    if (rc == 0 && !check->faulty)
        rc = check_pages(check, pl_datadir_store_path(dir, number), shard, &last);
    return rc;
}

static int check_files(struct check *check)
{
    struct pl_datadir_options options = { .must_exist = true, .random = pl_random_system() };
    struct pl_datadir *dir;
    cJSON *shards;
    int rc = pl_datadir_open(&check->disk, check->path, &options, &dir, check->why);

    if (rc != 0)
        return found(check, check->json, rc);
    add_number(check->json, "format", pl_datadir_facts(dir)->format);
    add_number(check->json, "partitions", pl_datadir_facts(dir)->partition_count);
    shards = cJSON_AddArrayToObject(check->json, "shards");
    rc = shards == NULL ? PL_ENOMEM : 0;
    for (uint32_t i = 0; rc == 0 && i < pl_datadir_facts(dir)->shard_count; i++)
        rc = check_shard(check, dir, i, shards);
    pl_datadir_close(dir);
    return rc;
}

/* ---- what is stored --------------------------------------------------------------------------------- */

static void take_report(void *state, int rc, struct pl_bytes report)
{
    struct check *check = state;
    cJSON *contents;

    check->contents_rc = rc;
    if (rc != 0)
        return;
    contents = cJSON_ParseWithLength(report.data, report.len);
    if (contents == NULL || !cJSON_AddItemToObject(check->json, "contents", contents)) {
        cJSON_Delete(contents);
        check->contents_rc = PL_ENOMEM;
        return;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(contents, "ok")))
        return;
    check->faulty = true;
    contents = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(contents, "faults"), 0);
    pl_reason_set(check->why, PL_ECORRUPT, "%s",
                  cJSON_IsString(contents) ? contents->valuestring : "what is stored does not agree");
}

static int look_inside(struct check *check, struct pl_node *node)
{
    struct pl_attachment *attachment;
    int rc = pl_node_attach(node, NULL, NULL, &attachment);

    if (rc != 0)
        return rc;
    rc = pl_node_check(attachment, take_report, check);
    pl_node_detach(attachment);
    return rc != 0 ? rc : check->contents_rc;
}

static int check_contents(struct check *check)
{
    struct pl_node_options options = { .data_path = check->path,
                                       .still = true,
                                       .clock = pl_clock_system(),
                                       .random = pl_random_system(),
                                       .disk = &check->disk };
    struct pl_node *node;
    int rc = pl_node_open(&options, &node, check->why);

    if (rc != 0)
        return found(check, check->json, rc);
    rc = look_inside(check, node);
    pl_node_close(node);
    return found(check, check->json, rc);
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static int write_report(struct check *check, struct pl_buf *report)
{
    char *text = NULL;
    int rc = PL_ENOMEM;

    if (cJSON_AddBoolToObject(check->json, "ok", !check->faulty) != NULL)
        text = cJSON_PrintUnformatted(check->json);
    if (text != NULL) {
        pl_buf_append_bytes(report, pl_str(text));
        rc = pl_buf_status(report);
    }
    cJSON_free(text);
    return rc;
}

int pl_check_directory(const char *data_path, struct pl_buf *report, struct pl_reason *why)
{
    struct check check = {
        .path = data_path, .disk = pl_disk_system(), .json = cJSON_CreateObject(), .why = why
    };
    int rc = check_files(&check);

    if (rc == 0 && !check.faulty)
        rc = check_contents(&check);
    if (rc == PL_ELOCKED)
        rc = pl_reason_set(
            why, rc, "a running server has %s open: ask that server itself, with the verb CHECK", data_path);
    if (rc == PL_ENOTFOUND)
        rc = pl_reason_set(why, rc, "there is no data directory at %s", data_path);
    if (rc == 0)
        rc = write_report(&check, report);
    cJSON_Delete(check.json);
    return rc == 0 && check.faulty ? PL_ECORRUPT : rc;
}

int pl_check_cut_journal(const char *data_path, uint64_t *end, struct pl_reason *why)
{
    struct pl_disk disk = pl_disk_system();
    struct pl_datadir_options options = { .must_exist = true, .random = pl_random_system() };
    struct pl_datadir *dir;
    int rc = pl_datadir_open(&disk, data_path, &options, &dir, why);

    if (rc != 0)
        return rc;
    for (uint32_t shard = 0; shard < pl_datadir_facts(dir)->shard_count && rc == 0; shard++)
        rc = pl_journal_cut(&disk, pl_datadir_journal_path(dir, shard), end, why);
    pl_datadir_close(dir);
    return rc;
}
