/* SPDX-License-Identifier: MIT */
#include "store/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"
#include "store/page.h"

#define AUDIT_PAGES_DEFAULT 4096

/* What one recovery knows, from the first step to the last. */
struct recovery {
    const struct pl_disk *disk;
    const struct pl_datadir *dir;
    uint32_t shard;
    struct pl_recovery_options options;
    const char *journal_path;
    const char *store_path;
    char *fresh_path; /* a store being made */
    char *lock_path;  /* LMDB's, beside the store: of no use to a new process */
    char *fresh_lock_path;
    struct pl_reason *why;

    struct pl_checkpoint_facts facts; /* the last CHECKPOINT record's */
    bool has_facts;
    uint64_t work_records; /* CHANGE records in the journal */
    struct pl_recovered done;
};

/* ---- the journal ---- */

static int visit(void *arg, const struct pl_journal_record *record)
{
    struct recovery *r = arg;
    int rc;

    if (record->kind == PL_JOURNAL_CHANGE)
        r->work_records++;
    if (record->kind != PL_JOURNAL_CHECKPOINT)
        return 0;
    rc = pl_checkpoint_read(record->payload, &r->facts, r->why);
    r->has_facts = rc == 0;
    return rc;
}

/* 0 also when there is none: `done.journal` stays NULL. */
static int open_journal(struct recovery *r)
{
    int rc = pl_journal_open(r->journal_path, &r->options.journal, visit, r, &r->done.journal, r->why);

    return rc == PL_ENOTFOUND ? 0 : rc;
}

static int append_checkpoint(struct pl_recovered *done, struct pl_buf *payload, struct pl_reason *why)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHECKPOINT };
    uint64_t end;
    int rc;

    pl_checkpoint_payload(done->checkpoint, payload);
    rc = pl_buf_status(payload);
    if (rc != 0)
        return rc;
    record.payload = pl_buf_view(payload);
    rc = pl_journal_append(done->journal, &record, PL_JOURNAL_SHRINK, NULL, why);
    if (rc != 0)
        return rc;
    if (!pl_journal_seal(done->journal, true, &end))
        return PL_EREADONLY;
    rc = pl_journal_run_sync(done->journal, why);
    pl_journal_end_sync(done->journal, rc);
    return rc;
}

int pl_recovery_checkpoint(struct pl_recovered *recovered, struct pl_reason *why)
{
    struct pl_checkpoint *checkpoint = recovered->checkpoint;
    struct pl_buf payload = { 0 };
    uint64_t keep_from;
    int rc;

    rc = pl_checkpoint_begin(checkpoint, pl_journal_end(recovered->journal), why);
    if (rc != 0)
        return rc;
    rc = pl_checkpoint_run(checkpoint, why);
    if (rc == 0)
        rc = append_checkpoint(recovered, &payload, why);
    pl_buf_deinit(&payload);
    if (rc != 0) {
        pl_checkpoint_abandon(checkpoint);
        return rc;
    }
    pl_checkpoint_commit(checkpoint, &keep_from);
    pl_journal_trim(recovered->journal, keep_from);
    return 0;
}

/* ---- making a new shard ---- */

static int remove_if_there(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    struct pl_reason ignored;
    int rc = pl_disk_remove(disk, path, &ignored);

    return rc == 0 || rc == PL_ENOTFOUND ? 0 : pl_reason_set(why, rc, "%s", ignored.text);
}

static void print_identity(const struct recovery *r, char *identity)
{
    memcpy(identity, pl_datadir_facts(r->dir)->id, PL_DATADIR_ID_BYTES);
    pl_put_le32(identity + PL_DATADIR_ID_BYTES, r->shard);
}

enum { IDENTITY_BYTES = PL_DATADIR_ID_BYTES + 4 };

static int write_fresh_store(struct recovery *r)
{
    struct pl_store_options options = r->options.store;
    char identity[IDENTITY_BYTES];
    struct pl_store *store;
    struct pl_txn *txn;
    int rc;

    options.create = true;
    rc = pl_store_open(r->fresh_path, &options, &store, r->why);
    if (rc != 0)
        return rc;
    print_identity(r, identity);
    rc = pl_txn_begin(store, &txn);
    if (rc == 0) {
        rc = pl_txn_put_identity(txn, pl_bytes(identity, sizeof identity));
        if (rc == 0)
            rc = pl_txn_commit(txn);
        else
            pl_txn_abort(txn);
    }
    pl_store_close(store);
    return rc == 0 ? 0 : pl_reason_set(r->why, rc, "%s cannot be written", r->fresh_path);
}

static int sync_file(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    struct pl_file *file;
    int rc = pl_disk_open(disk, path, PL_DISK_WRITE, &file, why);

    if (rc != 0)
        return rc;
#ifndef PL_MUTANT_NO_CREATION_SYNC
    rc = pl_disk_sync(disk, file, why);
#endif
    pl_disk_close(disk, file);
    return rc;
}

/* Beside, then renamed: LMDB cannot open a file that it had begun to make when the power went. */
static int make_store(struct recovery *r)
{
    int rc = remove_if_there(r->disk, r->fresh_path, r->why);

    if (rc == 0)
        rc = remove_if_there(r->disk, r->fresh_lock_path, r->why);
    if (rc == 0)
        rc = write_fresh_store(r);
    if (rc == 0)
        rc = sync_file(r->disk, r->fresh_path, r->why);
    if (rc == 0)
        rc = remove_if_there(r->disk, r->fresh_lock_path, r->why);
    if (rc == 0)
        rc = pl_disk_rename(r->disk, r->fresh_path, r->store_path, r->why);
    if (rc == 0)
        rc = pl_datadir_sync(r->dir, r->why);
    return rc;
}

/* The meta pages of a file that LMDB has written to no more than make_store() does. */
static int look_untouched(struct recovery *r, struct pl_file *file, bool *untouched)
{
    uint8_t meta[PL_PAGE_META_BYTES];
    uint64_t txn_id = 0;
    size_t got;
    int rc;

    *untouched = false;
    rc = pl_disk_read(r->disk, file, meta, sizeof meta, 0, &got, r->why);
    if (rc != 0 || got < sizeof meta || !pl_meta_plausible(meta))
        return rc;
    txn_id = pl_meta_txn_id(meta);
    rc = pl_disk_read(r->disk, file, meta, sizeof meta, pl_meta_page_bytes(meta), &got, r->why);
    if (rc != 0 || got < sizeof meta || !pl_meta_plausible(meta))
        return rc;
    if (pl_meta_txn_id(meta) > txn_id)
        txn_id = pl_meta_txn_id(meta);
    *untouched = txn_id <= 1;
    return 0;
}

/*
 * There is no checkpoint. Either the shard was being born when the power went, or
 * somebody took its journal away; in the second case its store holds data, and must not be touched.
 */
static int refuse_orphan(struct recovery *r)
{
    struct pl_file *file;
    bool untouched;
    int rc;

    if (r->work_records != 0)
        return pl_reason_set(r->why, PL_ECORRUPT,
                             "the journal %s has writes, but no checkpoint to begin from", r->journal_path);
    rc = pl_disk_open(r->disk, r->store_path, PL_DISK_READ, &file, r->why);
    if (rc == PL_ENOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    rc = look_untouched(r, file, &untouched);
    pl_disk_close(r->disk, file);
    if (rc != 0)
        return rc;
    if (!untouched)
        return pl_reason_set(
            r->why, PL_ECORRUPT,
            "the store %s holds data, but the journal %s that belongs to it is missing or empty",
            r->store_path, r->journal_path);
    return 0; /* make_store() replaces it */
}

static int open_store(struct recovery *r);

static int create(struct recovery *r)
{
    int rc = refuse_orphan(r);

    if (rc == 0)
        rc = make_store(r);
    if (rc == 0 && r->done.journal == NULL)
        rc = pl_journal_create(r->journal_path, &r->options.journal, &r->done.journal, r->why);
    if (rc == 0)
        rc = open_store(r);
    if (rc == 0)
        rc = pl_recovery_checkpoint(&r->done, r->why);
    r->done.created = rc == 0;
    return rc;
}

/* ---- opening one that has lived ---- */

static int check_ownership(struct recovery *r)
{
    if (memcmp(r->facts.id, pl_datadir_facts(r->dir)->id, PL_DATADIR_ID_BYTES) != 0 ||
        r->facts.shard != r->shard)
        return pl_reason_set(r->why, PL_ECORRUPT,
                             "the journal %s belongs to another data directory or shard than %s",
                             r->journal_path, pl_datadir_path(r->dir));
    return 0;
}

static int check_length(struct recovery *r, struct pl_file *file)
{
    uint64_t least = (r->facts.last_page + 1) * r->facts.page_bytes;
    uint64_t bytes;
    int rc = pl_disk_size(r->disk, file, &bytes, r->why);

    if (rc != 0)
        return rc;
    if (bytes < least)
        return pl_reason_set(r->why, PL_ECORRUPT,
                             "%s has %" PRIu64 " bytes and should have at least %" PRIu64
                             ": it was cut, or is another file",
                             r->store_path, bytes, least);
    return 0;
}

static int put_meta_back(struct recovery *r, struct pl_file *file)
{
#ifdef PL_MUTANT_NO_META_RESTORE
    (void)r;
    (void)file;
    return 0;
#else
    uint8_t there[2][PL_PAGE_META_BYTES];
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2; i++)
        rc = pl_disk_read(r->disk, file, there[i], sizeof there[i], (uint64_t)i * r->facts.page_bytes, NULL,
                          r->why);
    if (rc != 0 || memcmp(there, r->facts.meta, sizeof there) == 0)
        return rc;
    for (int i = 0; rc == 0 && i < 2; i++)
        rc = pl_disk_write(r->disk, file, r->facts.meta[i], sizeof r->facts.meta[i],
                           (uint64_t)i * r->facts.page_bytes, r->why);
    return rc == 0 ? pl_disk_sync(r->disk, file, r->why) : rc;
#endif
}

static int restore(struct recovery *r)
{
    struct pl_file *file;
    int rc = pl_disk_open(r->disk, r->store_path, PL_DISK_WRITE, &file, r->why);

    if (rc == PL_ENOTFOUND)
        return pl_reason_set(r->why, PL_ECORRUPT, "the store %s is missing, but its journal is there",
                             r->store_path);
    if (rc != 0)
        return rc;
    rc = check_length(r, file);
    if (rc == 0)
        rc = put_meta_back(r, file);
    pl_disk_close(r->disk, file);
    return rc;
}

static int audit(struct recovery *r)
{
    uint64_t pages = r->options.audit_pages != 0 ? r->options.audit_pages : AUDIT_PAGES_DEFAULT;
    struct pl_audit *audit;
    int rc = pl_audit_open(r->disk, r->store_path, &r->facts, &audit, r->why);

    if (rc != 0)
        return rc;
    rc = pl_audit_step(audit, pages, r->why);
    pl_audit_close(audit);
    return rc;
}

static int check_identity(struct recovery *r)
{
    char identity[IDENTITY_BYTES];
    struct pl_reader *reader;
    struct pl_bytes found;
    struct pl_txn *txn;
    int rc = pl_reader_open(r->done.store, &reader);

    if (rc != 0)
        return rc;
    print_identity(r, identity);
    rc = pl_reader_renew(reader, &txn);
    if (rc == 0)
        rc = pl_txn_get_identity(txn, &found);
    if (rc == PL_ENOTFOUND || (rc == 0 && !pl_bytes_equal(found, pl_bytes(identity, sizeof identity))))
        rc = pl_reason_set(r->why, PL_ECORRUPT, "%s is the store of another data directory or shard",
                           r->store_path);
    pl_reader_close(reader);
    return rc;
}

static int open_store(struct recovery *r)
{
    struct pl_store_options options = r->options.store;
    int rc = remove_if_there(r->disk, r->lock_path, r->why);

    options.create = false;
    if (rc == 0)
        rc = pl_store_open(r->store_path, &options, &r->done.store, r->why);
    if (rc == 0)
        rc = check_identity(r);
    if (rc == 0)
        rc = pl_checkpoint_open(r->disk, r->done.store, pl_datadir_facts(r->dir)->id, r->shard,
                                &r->done.checkpoint, r->why);
    return rc;
}

static int check_pinned(struct recovery *r)
{
    uint64_t txn_id = pl_checkpoint_txn_id(r->done.checkpoint);

    if (txn_id == r->facts.txn_id)
        return 0;
    return pl_reason_set(r->why, PL_ECORRUPT,
                         "%s opened at transaction %" PRIu64 ", not at the checkpoint's %" PRIu64,
                         r->store_path, txn_id, r->facts.txn_id);
}

/* ---- replay ---- */

/* Every record after the checkpoint, once. The caller keeps what it did: the store stays as it is. */
static int replay(struct recovery *r, pl_recovery_replay_fn body, void *arg)
{
    struct pl_journal_record record;
    struct pl_journal_cursor *cursor;
    int rc = pl_journal_cursor_open(r->done.journal, r->facts.replay_from, &cursor, r->why);

    if (rc == PL_ENOTFOUND)
        return pl_reason_set(r->why, PL_ECORRUPT,
                             "the journal %s no longer holds position %" PRIu64
                             ", from where the checkpoint must be continued",
                             r->journal_path, r->facts.replay_from);
    if (rc != 0)
        return rc;
    while ((rc = pl_journal_cursor_next(cursor, &record, r->why)) == 0) {
        if (record.kind != PL_JOURNAL_CHANGE)
            continue;
        rc = body(arg, r->done.store, &record);
        if (rc != 0)
            break;
        r->done.replayed_records++;
    }
    pl_journal_cursor_close(cursor);
    return rc == PL_ENOTFOUND ? 0 : rc == PL_ECLOSED ? PL_ECORRUPT : rc;
}

/* ---- the whole ---- */

static int revive(struct recovery *r, pl_recovery_replay_fn body, void *arg)
{
    int rc = check_ownership(r);

    if (rc == 0)
        rc = restore(r);
    if (rc == 0)
        rc = audit(r);
    if (rc == 0)
        rc = open_store(r);
    if (rc == 0)
        rc = check_pinned(r);
    if (rc != 0)
        return rc;
    r->done.replay_from = r->facts.replay_from;
    return replay(r, body, arg);
}

static char *with_ending(const char *path, const char *ending)
{
    char *text = malloc(strlen(path) + strlen(ending) + 1);

    if (text != NULL)
        sprintf(text, "%s%s", path, ending);
    return text;
}

static bool name_paths(struct recovery *r)
{
    r->journal_path = pl_datadir_journal_path(r->dir, r->shard);
    r->store_path = pl_datadir_store_path(r->dir, r->shard);
    r->lock_path = with_ending(r->store_path, "-lock");
    r->fresh_path = with_ending(r->store_path, ".new");
    r->fresh_lock_path = with_ending(r->store_path, ".new-lock");
    return r->lock_path != NULL && r->fresh_path != NULL && r->fresh_lock_path != NULL;
}

static void report(const struct recovery *r)
{
    if (r->done.created)
        pl_log(r->options.logger, PL_LOG_INFO, "a new shard was made", "shard=%" PRIu32 " store=%s", r->shard,
               r->store_path);
    else
        pl_log(r->options.logger, PL_LOG_INFO, "the shard was recovered",
               "shard=%" PRIu32 " checkpoint=%" PRIu64 " replayed=%" PRIu64, r->shard, r->facts.txn_id,
               r->done.replayed_records);
}

int pl_recovery_open(const struct pl_disk *disk, const struct pl_datadir *dir, uint32_t shard,
                     const struct pl_recovery_options *options, pl_recovery_replay_fn body, void *arg,
                     struct pl_recovered *out, struct pl_reason *why)
{
    struct recovery r = { .disk = disk, .dir = dir, .shard = shard, .options = *options, .why = why };
    int rc = name_paths(&r) ? 0 : PL_ENOMEM;

    r.options.journal.disk = disk;
    if (rc == 0)
        rc = open_journal(&r);
    if (rc == 0)
        rc = r.has_facts ? revive(&r, body, arg) : create(&r);
    if (rc == 0)
        report(&r);
    free(r.lock_path);
    free(r.fresh_path);
    free(r.fresh_lock_path);
    if (rc != 0) {
        pl_recovery_close(&r.done);
        return rc;
    }
    *out = r.done;
    return 0;
}

void pl_recovery_close(struct pl_recovered *recovered)
{
    pl_checkpoint_close(recovered->checkpoint);
    pl_journal_close(recovered->journal);
    if (recovered->store != NULL)
        pl_store_close(recovered->store);
    *recovered = (struct pl_recovered){ 0 };
}
