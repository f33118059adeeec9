/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_CHECKPOINT_H
#define PL_STORE_CHECKPOINT_H

#include "base/bytes.h"

#include "store/disk.h"
#include "store/store.h"

/**
 * Commits to the store wait for no disk, so after a power loss its file is a mixture of old
 * and new pages. A checkpoint makes one state of it, T, safe:
 *
 *     worker   pl_checkpoint_begin     pins T: no page of it is written again; copies its two meta pages
 *     worker   pl_checkpoint_run       write-back, paced, then one fdatasync: all pages of T are on disk
 *     shard    pl_checkpoint_payload   ▸ append as a CHECKPOINT record, sealed and synced with the rest
 *     shard    pl_checkpoint_commit    once that record is durable: lets go of the state before T,
 *                                      and says from where on the journal is still needed
 *
 * Recovery puts T's meta pages back and replays the journal from there. Between
 * begin and commit two states are pinned, T and the one before; at every moment the
 * newest durable CHECKPOINT record names one of them. Without the pins, half of all power
 * losses break the file.
 *
 * The worker is the one that has just flushed T into the store (state.h); all else is the shard's thread's.
 * Begin, run and commit (or abandon) follow each other. A failure of pl_checkpoint_run() is final: the disk
 * may have dropped what it failed to write, so the shard stops taking writes.
 */
struct pl_checkpoint;

/**
 * Of `store`, whose file has the identity `id` (PL_CHECKPOINT_ID_BYTES); all three outlive it. Pins the newest
 * state at once: call it before the first write transaction. pl_recovery_open() does this.
 */
int pl_checkpoint_open(const struct pl_disk *disk, struct pl_store *store, const uint8_t *id, uint32_t shard,
                       struct pl_checkpoint **out, struct pl_reason *why);

/** Nothing may be in flight on a worker. Lets go of the pins, so the store must be closed next. NULL is allowed. */
void pl_checkpoint_close(struct pl_checkpoint *checkpoint);

/**
 * Worker: begin one, between write transactions. `replay_from` is the journal position
 * of the first record that the store does not hold yet. PL_EINUSE: one is under way.
 */
int pl_checkpoint_begin(struct pl_checkpoint *checkpoint, uint64_t replay_from, struct pl_reason *why);

/** Worker: returns when the state is on disk. Takes as long as the disk does. */
int pl_checkpoint_run(struct pl_checkpoint *checkpoint, struct pl_reason *why);

/** After run: the bytes of the CHECKPOINT record are appended to `out`. */
void pl_checkpoint_payload(const struct pl_checkpoint *checkpoint, struct pl_buf *out);

/** The record is durable. Journal records before `keep_from` are needed no more (pl_journal_trim()). */
void pl_checkpoint_commit(struct pl_checkpoint *checkpoint, uint64_t *keep_from);

/** It failed, or will not be recorded: the state before stays the one to recover to. */
void pl_checkpoint_abandon(struct pl_checkpoint *checkpoint);

/** True from begin until commit or abandon. */
bool pl_checkpoint_busy(const struct pl_checkpoint *checkpoint);

/** The state that is pinned and durable. */
uint64_t pl_checkpoint_txn_id(const struct pl_checkpoint *checkpoint);

/* ---- what the record says, for recovery.h ---- */

enum {
    PL_CHECKPOINT_ID_BYTES = 16,
    PL_CHECKPOINT_META_BYTES = 152 /* page header and meta: all that LMDB reads of a meta page */
};

struct pl_checkpoint_facts {
    uint8_t id[PL_CHECKPOINT_ID_BYTES];
    uint32_t shard;
    uint32_t page_bytes;
    uint64_t txn_id;
    uint64_t last_page; /* the file has at least (last_page + 1) * page_bytes */
    uint64_t replay_from;
    uint8_t meta[2][PL_CHECKPOINT_META_BYTES];
};

/** PL_EFORMAT: by a newer version. PL_ECORRUPT: no checkpoint at all, or one that contradicts itself. */
int pl_checkpoint_read(struct pl_bytes payload, struct pl_checkpoint_facts *out, struct pl_reason *why);

#endif
