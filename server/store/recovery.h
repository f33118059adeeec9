/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_RECOVERY_H
#define PL_STORE_RECOVERY_H

#include "store/checkpoint.h"
#include "store/datadir.h"
#include "store/journal.h"
#include "store/store.h"

/**
 * How a shard's files become usable: one path for every start, after a clean stop, `kill -9` and power
 * loss alike, so that it is exercised all the time.
 *
 *     open the journal   its torn tail is cut; the last CHECKPOINT record is found
 *     check the file     long enough, and the directory's own
 *     put meta back      both meta pages as of the checkpoint, and sync
 *     audit              as many pages as the options say; all, when the file is small
 *     open the store     and pin the checkpoint's state before the first write
 *     replay             the journal's records after the checkpoint, into the caller's memory
 *
 * Nothing here is lost when it is cut off at any point: the next start takes the same path again.
 *
 * A new shard is made like this: the store is made beside, synced and renamed
 * into place; then the journal is made; then a first CHECKPOINT record is made durable. Cut off
 * before that last step, the start finds a stillborn shard, without one record, and makes it again.
 */

/**
 * One replayed record, of kind CHANGE, in order; those that the checkpoint holds already are never shown. What it did is
 * to be kept in memory, for the next flush; `store` is as of the checkpoint. Not 0 ends recovery with that result, but
 * for PL_ENOTFOUND, which it must not return.
 */
typedef int (*pl_recovery_replay_fn)(void *arg, struct pl_store *store,
                                     const struct pl_journal_record *record);

struct pl_recovery_options {
    struct pl_store_options store;     /* `create` is not read */
    struct pl_journal_options journal; /* `disk` is not read */
    uint64_t audit_pages;              /* look at so many pages before LMDB does; 0: 4096; UINT64_MAX: all */
    uint64_t dirty_bytes_max;          /* of one transaction of a flush; 0: 16 MiB */
    const struct pl_logger *logger;    /* may be NULL */
};

/** A shard's files, open. Close with pl_recovery_close(), or part by part: checkpoint, journal, store. */
struct pl_recovered {
    struct pl_store *store;
    struct pl_journal *journal;
    struct pl_checkpoint *checkpoint;
    uint64_t replay_from; /* where the checkpoint said to begin */
    uint64_t replayed_records;
    bool created; /* the shard is new */
};

/**
 * Open shard `shard` of `dir`, and leave its store as if it had never stopped. `disk` and `dir` outlive what it gives.
 * On failure nothing is left open.
 *
 * PL_ECORRUPT: the files are damaged or do not belong together; `why` says which and where. PL_EFORMAT: a newer
 * version's. Also whatever `body` returned, and PL_EIO, PL_EFULL, PL_ENOMEM.
 */
int pl_recovery_open(const struct pl_disk *disk, const struct pl_datadir *dir, uint32_t shard,
                     const struct pl_recovery_options *options, pl_recovery_replay_fn body, void *arg,
                     struct pl_recovered *out, struct pl_reason *why);

/** Nothing in flight on any worker. Zeroed is allowed. */
void pl_recovery_close(struct pl_recovered *recovered);

/**
 * A whole checkpoint in the calling thread, journal record included: when one stops cleanly (so that the next
 * start replays nothing), and where there are no workers. The journal must have nothing in flight, and the store must hold
 * all its records.
 */
int pl_recovery_checkpoint(struct pl_recovered *recovered, struct pl_reason *why);

#endif
