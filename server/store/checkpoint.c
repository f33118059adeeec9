/* SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/page.h"

_Static_assert((int)PL_CHECKPOINT_META_BYTES == (int)PL_PAGE_META_BYTES, "one meta page, two names");

/*
 * The record's payload:
 *
 *     0 magic u32   4 version u16   6 zero u16   8 shard u32   12 page size u32
 *     16 transaction u64   24 last page u64   32 replay from u64   40 id   56 meta page 0   208 meta page 1
 */
#define PAYLOAD_MAGIC   UINT32_C(0x4B434C50) /* "PLCK" */
#define PAYLOAD_VERSION 1
#define PAYLOAD_BYTES   (56 + 2 * PL_CHECKPOINT_META_BYTES)

struct pl_checkpoint {
    const struct pl_disk *disk;
    struct pl_store *store;
    struct pl_file *file;   /* open for as long as we are: a descriptor hears only of errors after its open */
    struct pl_reader *held; /* pins the state that the journal names */
    struct pl_reader *taken; /* pins the one being made, while busy */
    uint64_t held_txn_id;
    struct pl_checkpoint_facts next; /* what the record will say */
    bool busy;
};

static int pin(struct pl_reader *reader, uint64_t *txn_id)
{
    int rc = pl_pin_take(reader, txn_id);

#ifdef PL_MUTANT_NO_PIN
    pl_reader_reset(reader);
#endif
    return rc;
}

static int open_steps(struct pl_checkpoint *checkpoint, struct pl_reason *why)
{
    struct pl_store *store = checkpoint->store;
    int rc;

    rc = pl_disk_open(checkpoint->disk, pl_store_path(store), PL_DISK_WRITE, &checkpoint->file, why);
    if (rc == 0)
        rc = pl_pin_open(store, &checkpoint->held);
    if (rc == 0)
        rc = pl_pin_open(store, &checkpoint->taken);
    if (rc == 0)
        rc = pin(checkpoint->held, &checkpoint->held_txn_id);
    return rc;
}

int pl_checkpoint_open(const struct pl_disk *disk, struct pl_store *store, const uint8_t *id, uint32_t shard,
                       struct pl_checkpoint **out, struct pl_reason *why)
{
    struct pl_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    int rc;

    if (checkpoint == NULL)
        return PL_ENOMEM;
    checkpoint->disk = disk;
    checkpoint->store = store;
    memcpy(checkpoint->next.id, id, PL_CHECKPOINT_ID_BYTES);
    checkpoint->next.shard = shard;
    checkpoint->next.page_bytes = pl_store_page_bytes(store);
    rc = open_steps(checkpoint, why);
    if (rc != 0) {
        pl_checkpoint_close(checkpoint);
        return rc;
    }
    *out = checkpoint;
    return 0;
}

void pl_checkpoint_close(struct pl_checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    pl_reader_close(checkpoint->taken);
    pl_reader_close(checkpoint->held);
    pl_disk_close(checkpoint->disk, checkpoint->file);
    free(checkpoint);
}

/* The system shows what LMDB has written, whether or not it is on disk yet. */
static int read_meta(struct pl_checkpoint *checkpoint, uint64_t txn_id, struct pl_checkpoint_facts *next,
                     struct pl_reason *why)
{
    const uint8_t *newest;
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2; i++)
        rc = pl_disk_read(checkpoint->disk, checkpoint->file, next->meta[i], PL_CHECKPOINT_META_BYTES,
                          (uint64_t)i * next->page_bytes, NULL, why);
    if (rc != 0)
        return rc;
    newest = next->meta[pl_meta_txn_id(next->meta[0]) < pl_meta_txn_id(next->meta[1])];
    if (!pl_meta_plausible(newest) || pl_meta_txn_id(newest) != txn_id)
        return pl_reason_set(why, PL_ECORRUPT,
                             "the meta pages of %s are of transaction %" PRIu64 ", not %" PRIu64,
                             pl_store_path(checkpoint->store), pl_meta_txn_id(newest), txn_id);
    next->txn_id = txn_id;
    next->last_page = pl_meta_last_page(newest);
    return 0;
}

/*
 * LMDB does not write a page that it took and gave back in one transaction, so its file can be shorter than
 * the meta page says. We lengthen it, so that recovery can tell a file that was cut.
 */
static int lengthen(struct pl_checkpoint *checkpoint, const struct pl_checkpoint_facts *facts,
                    struct pl_reason *why)
{
    uint64_t least = (facts->last_page + 1) * facts->page_bytes;
    uint64_t bytes;
    int rc = pl_disk_size(checkpoint->disk, checkpoint->file, &bytes, why);

    if (rc != 0 || bytes >= least)
        return rc;
    return pl_disk_truncate(checkpoint->disk, checkpoint->file, least, why);
}

int pl_checkpoint_begin(struct pl_checkpoint *checkpoint, uint64_t replay_from, struct pl_reason *why)
{
    uint64_t txn_id = 0;
    int rc;

    if (checkpoint->busy)
        return PL_EINUSE;
    rc = pin(checkpoint->taken, &txn_id);
    if (rc != 0)
        return rc;
    rc = read_meta(checkpoint, txn_id, &checkpoint->next, why);
    if (rc == 0)
        rc = lengthen(checkpoint, &checkpoint->next, why);
    if (rc != 0) {
        pl_reader_reset(checkpoint->taken);
        return rc;
    }
    checkpoint->next.replay_from = replay_from;
    checkpoint->busy = true;
    return 0;
}

int pl_checkpoint_run(struct pl_checkpoint *checkpoint, struct pl_reason *why)
{
    int rc;

    PL_ASSERT(checkpoint->busy);
#ifdef PL_MUTANT_SKIP_SYNC
    (void)rc;
    (void)why;
    return 0;
#else
    rc = pl_store_write_back(checkpoint->store,
                             (checkpoint->next.last_page + 1) * checkpoint->next.page_bytes);
    if (rc != 0)
        return pl_reason_set(why, rc, "writing back %s failed", pl_store_path(checkpoint->store));
    return pl_disk_sync(checkpoint->disk, checkpoint->file, why);
#endif
}

void pl_checkpoint_payload(const struct pl_checkpoint *checkpoint, struct pl_buf *out)
{
    const struct pl_checkpoint_facts *next = &checkpoint->next;
    uint8_t bytes[PAYLOAD_BYTES] = { 0 };

    PL_ASSERT(checkpoint->busy);
    pl_put_le32(bytes, PAYLOAD_MAGIC);
    pl_put_le16(bytes + 4, PAYLOAD_VERSION);
    pl_put_le32(bytes + 8, next->shard);
    pl_put_le32(bytes + 12, next->page_bytes);
    pl_put_le64(bytes + 16, next->txn_id);
    pl_put_le64(bytes + 24, next->last_page);
    pl_put_le64(bytes + 32, next->replay_from);
    memcpy(bytes + 40, next->id, sizeof next->id);
    memcpy(bytes + 56, next->meta, sizeof next->meta);
    pl_buf_append(out, bytes, sizeof bytes);
}

void pl_checkpoint_commit(struct pl_checkpoint *checkpoint, uint64_t *keep_from)
{
    struct pl_reader *old = checkpoint->held;

    PL_ASSERT(checkpoint->busy);
    checkpoint->held = checkpoint->taken;
    checkpoint->taken = old;
    pl_reader_reset(old);
    checkpoint->held_txn_id = checkpoint->next.txn_id;
    checkpoint->busy = false;
    *keep_from = checkpoint->next.replay_from;
}

void pl_checkpoint_abandon(struct pl_checkpoint *checkpoint)
{
    pl_reader_reset(checkpoint->taken);
    checkpoint->busy = false;
}

bool pl_checkpoint_busy(const struct pl_checkpoint *checkpoint)
{
    return checkpoint->busy;
}

uint64_t pl_checkpoint_txn_id(const struct pl_checkpoint *checkpoint)
{
    return checkpoint->held_txn_id;
}

/* ---- reading a record ---- */

/* A journal record has its checksum: what is wrong here was written so. */
static bool facts_agree(const struct pl_checkpoint_facts *facts)
{
    const uint8_t *newest = facts->meta[pl_meta_txn_id(facts->meta[0]) < pl_meta_txn_id(facts->meta[1])];

    return pl_meta_plausible(facts->meta[0]) && pl_meta_plausible(facts->meta[1]) &&
           facts->page_bytes >= PL_PAGE_BYTES_MIN && facts->page_bytes <= PL_PAGE_BYTES_MAX &&
           (facts->page_bytes & (facts->page_bytes - 1)) == 0 &&
           pl_meta_page_bytes(facts->meta[0]) == facts->page_bytes &&
           pl_meta_page_bytes(facts->meta[1]) == facts->page_bytes &&
           pl_meta_txn_id(newest) == facts->txn_id && pl_meta_last_page(newest) == facts->last_page &&
           facts->last_page >= 1 && facts->last_page < (uint64_t)1 << 48;
}

int pl_checkpoint_read(struct pl_bytes payload, struct pl_checkpoint_facts *out, struct pl_reason *why)
{
    const char *bytes = payload.data;
    struct pl_checkpoint_facts facts;

    if (payload.len < 8 || pl_get_le32(bytes) != PAYLOAD_MAGIC)
        return pl_reason_set(why, PL_ECORRUPT, "a checkpoint record is none");
    if (pl_get_le16(bytes + 4) != PAYLOAD_VERSION)
        return pl_reason_set(why, PL_EFORMAT,
                             "a checkpoint record has version %u, written by a newer Perilune",
                             (unsigned)pl_get_le16(bytes + 4));
    if (payload.len != PAYLOAD_BYTES)
        return pl_reason_set(why, PL_ECORRUPT, "a checkpoint record has %zu bytes", payload.len);
    facts.shard = pl_get_le32(bytes + 8);
    facts.page_bytes = pl_get_le32(bytes + 12);
    facts.txn_id = pl_get_le64(bytes + 16);
    facts.last_page = pl_get_le64(bytes + 24);
    facts.replay_from = pl_get_le64(bytes + 32);
    memcpy(facts.id, bytes + 40, sizeof facts.id);
    memcpy(facts.meta, bytes + 56, sizeof facts.meta);
    if (!facts_agree(&facts))
        return pl_reason_set(why, PL_ECORRUPT, "a checkpoint record contradicts itself");
    *out = facts;
    return 0;
}
