/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_JOURNAL_H
#define PL_STORE_JOURNAL_H

#include "base/clock.h"
#include "store/disk.h"

/**
 * The journal makes writes durable: records in order, in segment files that were
 * filled with zeros before, one sync for all that gathered while the one before ran.
 *
 *     shard   append append append ── seal ┐               append append ── seal
 *     worker                               └ run_sync ─┐                      └ ...
 *     shard                                   end_sync ┘ ▸ durable moves, replies go out
 *
 * A *position* counts the bytes of all records since the journal was made;
 * segments' headers and ends do not count. A record lies wholly in one segment.
 *
 * Who may call: one thread, the owner, calls everything but pl_journal_run_sync()
 * and pl_journal_prepare(). Each of those two runs on at most one thread at a time, beside the owner
 * and beside each other. With one thread in all, calling them in turn is fine.
 *
 * Failures. No memory or no room for a record (PL_ENOMEM, PL_EFULL) leaves the journal as it
 * was, and is asked for again when there is some. A failed write or sync is final: nobody knows what the disk
 * holds, so everything after it returns PL_EREADONLY until the journal is opened anew.
 */

enum {
    PL_JOURNAL_SEGMENT_BYTES = 64 << 20,
    PL_JOURNAL_FIRST_SEGMENT_BYTES = 1 << 20,
    PL_JOURNAL_PAYLOAD_MAX = 32 << 20,
};

/** What a record is. The journal itself writes MARK; it passes all others through. Numbers are never reused. */
enum pl_journal_kind {
    PL_JOURNAL_CHANGE = 1,     /* a partition's change */
    PL_JOURNAL_CHECKPOINT = 2, /* LMDB is durable as of here; the store's own payload */
    PL_JOURNAL_MARK = 3,       /* no payload: written only to say how far the journal is durable */
    PL_JOURNAL_END = 4,        /* closes a segment; never seen by a visitor or a cursor */
};

struct pl_journal_record {
    uint8_t kind;
    uint16_t partition;
    uint64_t index;
    uint64_t term;
    uint64_t position;   /* where it begins */
    uint64_t durable;    /* up to where the journal was known durable when this was written */
    uint32_t generation; /* which opening of the journal wrote it */
    struct pl_bytes payload;
};

struct pl_journal_options {
    const struct pl_disk *disk; /* kept; must outlive the journal */
    struct pl_random random;    /* asked once, when a journal is made */
    uint64_t segment_bytes;     /* 0: PL_JOURNAL_SEGMENT_BYTES */
    /* 0: PL_JOURNAL_FIRST_SEGMENT_BYTES. Each new segment has four times the bytes of the one before, up to
     * segment_bytes: a new directory is made in no time and a small one stays small. */
    uint64_t first_segment_bytes;
};

/** Called for every record in order, the view good during the call; not 0 ends the scan with that result. */
typedef int (*pl_journal_visit_fn)(void *arg, const struct pl_journal_record *record);

struct pl_journal;

/**
 * Make an empty journal in the directory `dir`, which exists. Durable on return, in `dir`; the name of `dir`
 * itself is the caller's to sync. PL_EINUSE when there is one already. What a failure leaves is no journal, or
 * (when the disk does not even let it be removed) an empty one.
 */
int pl_journal_create(const char *dir, const struct pl_journal_options *options, struct pl_journal **journal,
                      struct pl_reason *why);

/**
 * Open one, show every record to `visit` (may be NULL), cut a torn tail, and make durable what is left.
 *
 * PL_ENOTFOUND: there is no segment in `dir`. PL_ECORRUPT: damage that no power loss can cause, so that
 * acknowledged writes may be gone; `why` names file, offset and positions, and nothing was changed.
 * PL_EFORMAT: written by a newer version. What `visit` returned, if not 0.
 */
int pl_journal_open(const char *dir, const struct pl_journal_options *options, pl_journal_visit_fn visit,
                    void *arg, struct pl_journal **journal, struct pl_reason *why);

/** What was not sealed and ended is dropped. Nothing may be in flight on a worker. NULL is allowed. */
void pl_journal_close(struct pl_journal *journal);

/** What a scan found. */
struct pl_journal_extent {
    uint64_t start; /* first position there is */
    uint64_t end;   /* one past the last good record */
    uint64_t records;
    uint64_t torn_bytes; /* at least so many behind `end` were written and never acknowledged: to be cut */
};

/**
 * Check every segment and record without changing anything: for `perilune check`. Errors as
 * pl_journal_open().
 */
int pl_journal_scan(const struct pl_disk *disk, const char *dir, pl_journal_visit_fn visit, void *arg,
                    struct pl_journal_extent *extent, struct pl_reason *why);

/**
 * The repair of last resort: give up everything from the first damage on, so that the journal opens again.
 * Segments after it are kept as *.damaged. `*end` is the position where the journal now ends. Does nothing
 * to a sound journal.
 */
int pl_journal_cut(const struct pl_disk *disk, const char *dir, uint64_t *end, struct pl_reason *why);

enum pl_journal_use {
    PL_JOURNAL_GROW,   /* leaves the reserve alone: puts */
    PL_JOURNAL_SHRINK, /* may use it: deletes, checkpoints */
};

/**
 * Gather a record; the payload is copied. `*position` (may be NULL) is where it begins; it is durable when
 * pl_journal_durable() is greater. `record->position`, `durable` and `generation` are not read.
 *
 * PL_EFULL: the disk has no room for another segment (only the reserve is left, for PL_JOURNAL_SHRINK).
 * PL_EINVALID: larger than PL_JOURNAL_PAYLOAD_MAX. Waits for the disk only when pl_journal_prepare() was not
 * called in time.
 */
int pl_journal_append(struct pl_journal *journal, const struct pl_journal_record *record,
                      enum pl_journal_use use, uint64_t *position, struct pl_reason *why);

/**
 * Gather a MARK if records were made durable that no later record says so of; else do nothing. For an idle
 * timer.
 */
int pl_journal_mark(struct pl_journal *journal);

/**
 * What was gathered becomes the batch in flight, up to `*end`. False when there is nothing to write (nor, with
 * `sync`, to sync), when a batch is in flight, or after a failure.
 *
 * `sync` says whether this batch is to be made durable: always with --sync always, now and then with interval.
 */
bool pl_journal_seal(struct pl_journal *journal, bool sync, uint64_t *end);

/**
 * Worker: write the batch in flight, and sync it if it was sealed so. Hand the result to
 * pl_journal_end_sync().
 */
int pl_journal_run_sync(struct pl_journal *journal, struct pl_reason *why);

/** The batch is through: positions move. With `rc` not 0 the journal takes nothing more. */
void pl_journal_end_sync(struct pl_journal *journal, int rc);

/** First position that can still be read. */
uint64_t pl_journal_start(const struct pl_journal *journal);

/** Up to here all is synced. */
uint64_t pl_journal_durable(const struct pl_journal *journal);

/**
 * Up to here all is in the files: what may be acknowledged without --sync always, and what a cursor can
 * read.
 */
uint64_t pl_journal_written(const struct pl_journal *journal);

/** Where the next record will begin. */
uint64_t pl_journal_end(const struct pl_journal *journal);

/** True once a write or a sync has failed. */
bool pl_journal_failed(const struct pl_journal *journal);

/**
 * True while puts are refused for want of room. Call pl_journal_prepare() now and then to find out whether
 * there is some again.
 */
bool pl_journal_full(struct pl_journal *journal);

/**
 * Records before `position` are needed no more: segments wholly before it are given to the next
 * pl_journal_prepare().
 */
void pl_journal_trim(struct pl_journal *journal, uint64_t position);

/** True when pl_journal_prepare() has something to do. Cheap; ask after each turn. */
bool pl_journal_wants_prepare(struct pl_journal *journal);

/**
 * Worker: recycle what was trimmed (at most two spare segments are kept) and have the next segment ready ahead
 * of need. PL_EFULL: not now, try again later; PL_EIO likewise, unless pl_journal_failed().
 */
int pl_journal_prepare(struct pl_journal *journal, struct pl_reason *why);

/**
 * Reading from a position on, for recovery and feeds. Belongs to the journal's owner, and ends before it.
 */
struct pl_journal_cursor;

/**
 * `position` is where a record begins, or pl_journal_end(). PL_ENOTFOUND: trimmed already, or not yet
 * written.
 */
int pl_journal_cursor_open(struct pl_journal *journal, uint64_t position, struct pl_journal_cursor **cursor,
                           struct pl_reason *why);

/**
 * The next record up to pl_journal_written(); the payload is a view, good until the next call on this cursor.
 * PL_ENOTFOUND: no more for now, ask again after a sync. PL_ECLOSED: trimmed under the cursor. PL_ECORRUPT:
 * rotten.
 */
int pl_journal_cursor_next(struct pl_journal_cursor *cursor, struct pl_journal_record *record,
                           struct pl_reason *why);

/** Where the next record will be read. */
uint64_t pl_journal_cursor_position(const struct pl_journal_cursor *cursor);

void pl_journal_cursor_close(struct pl_journal_cursor *cursor);

#endif
