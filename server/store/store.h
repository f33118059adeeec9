/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_STORE_H
#define PL_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/logger.h"

/**
 * Ordered keys and their values on disk: one LMDB environment, one file, one
 * writing thread, any number of readers that never wait for it.
 *
 * A store does not make anything durable by itself. It is opened so that a
 * commit reaches the operating system and no further; the journal is what
 * survives, and checkpoint.h what ties the two together. So only recovery.h
 * opens the store of a data directory; everybody else gets it from there.
 *
 * Every value is stored behind a checksum over its key and its bytes, which each
 * read verifies: rotten data is PL_ECORRUPT, never a wrong answer.
 *
 * Keys are 1 to 511 bytes in unsigned byte order. Keys that begin with FF FF are
 * the store's own: nobody can read or write them, and a cursor ends before them.
 */
struct pl_store;

enum { PL_STORE_KEY_MAX = 511, PL_STORE_VALUE_MAX = 64 << 20, PL_STORE_CHECKSUM_BYTES = 8 };

/** Zeroed means the defaults. */
struct pl_store_options {
    uint64_t map_bytes;          /* address space at the start; 0: all of map_bytes_max */
    uint64_t map_bytes_max;      /* how far it may grow; 0: 1 TiB, or as much as the machine gives */
    uint64_t disk_reserve_bytes; /* `low` when the disk has less free; 0: 256 MiB, or 1/16 of a small disk */
    uint32_t readers_max;        /* readers open at once in this process; 0: 512 */
    bool create;                 /* make the file when there is none; else PL_ENOTFOUND */
    const struct pl_logger *logger; /* may be NULL */
};

/**
 * Open the file at `path` (and `path`-lock beside it), mode 0600. Dead processes'
 * readers are cleared. PL_EINUSE when this process has it open already: two
 * environments on one file would drop each other's locks. PL_ECORRUPT when the
 * file is no store. The options are copied.
 */
int pl_store_open(const char *path, const struct pl_store_options *options, struct pl_store **out,
                  struct pl_reason *why);

/**
 * No transaction may be running; readers must have been closed. In a child that was made
 * by fork() this does nothing: the locks and the map belong to the parent.
 */
void pl_store_close(struct pl_store *store);

const char *pl_store_path(const struct pl_store *store);
uint32_t pl_store_page_bytes(const struct pl_store *store);

/* ---- writing: one thread at a time, and the same from begin to end ---- */

/** What a transaction sees and, when writing, changes. A reader's belongs to its reader. */
struct pl_txn;

/**
 * Begin the one write transaction; waits for another thread's to end. Grows the
 * map first when it is nearly used up.
 */
int pl_txn_begin(struct pl_store *store, struct pl_txn **out);

/**
 * Make everything visible to readers that begin after this. The transaction is gone
 * whether or not it succeeds; on failure nothing of it has happened. PL_EFULL when the disk or the
 * map is full (the store stays usable), PL_EIO when the disk failed, which is
 * final: stop writing.
 */
int pl_txn_commit(struct pl_txn *txn);

/** Forget everything. NULL is allowed. */
void pl_txn_abort(struct pl_txn *txn);

/**
 * Set `key`. Neither argument may be a view into this transaction: the page may move before it is
 * read. After any failure but PL_EINVALID (key or value too long) the transaction must be aborted.
 */
int pl_txn_put(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes value);

/** Remove `key`. PL_ENOTFOUND changes nothing. Other failures as pl_txn_put(). */
int pl_txn_delete(struct pl_txn *txn, struct pl_bytes key);

/**
 * About how much memory the transaction's pages take, at most. Keep it under 64 MiB
 * (beyond, LMDB begins to spill): commit and go on in another.
 */
uint64_t pl_txn_dirty_bytes(const struct pl_txn *txn);

/**
 * Read one value. Never waits for a writer.
 *
 * `out` is a view into the database's own page, good until the next write in
 * `txn` or its end. PL_ENOTFOUND and PL_ECORRUPT leave `out` untouched.
 */
int pl_txn_get(struct pl_txn *txn, struct pl_bytes key, struct pl_bytes *out);

/**
 * Have the memory near that looking up these keys will want, all of them together: for who knows several keys ahead of
 * asking for them. Only of a reader's transaction. It cannot fail; how many of them it came upon is for the curious.
 */
enum { PL_STORE_PREFETCH_MAX = 16 };
size_t pl_txn_prefetch(struct pl_txn *txn, const struct pl_bytes *keys, size_t count);

/** The number of the state it sees: grows by one with each commit that changed something. */
uint64_t pl_txn_id(const struct pl_txn *txn);

/* ---- reading: one reader for each thread or loop ---- */

/**
 * A place from which to look at snapshots, one after the other. While a snapshot
 * is held no page in it can be used again and the file grows, so a loop resets
 * its reader before it sleeps, and a long scan resets between its pages.
 */
struct pl_reader;

/** PL_ELIMIT when readers_max are open. */
int pl_reader_open(struct pl_store *store, struct pl_reader **out);
void pl_reader_close(struct pl_reader *reader);

/**
 * See the newest committed state from now on. The transaction is the reader's own: it
 * ends at the next reset, and is never committed or aborted. Renewing without a reset
 * between is allowed. May wait some milliseconds when the map is being grown.
 */
int pl_reader_renew(struct pl_reader *reader, struct pl_txn **out);

/** Let go of the snapshot: views and cursors of its transaction are void. Twice is allowed. */
void pl_reader_reset(struct pl_reader *reader);

/* ---- cursors ---- */

struct pl_cursor;

/**
 * A cursor of a reader's transaction outlives it: pl_cursor_renew() after each
 * pl_reader_renew(), and no step allocates. Close it before its reader. A cursor
 * of a write transaction must be closed before that ends.
 */
int pl_cursor_open(struct pl_txn *txn, struct pl_cursor **out);
int pl_cursor_renew(struct pl_cursor *cursor, struct pl_txn *txn);
void pl_cursor_close(struct pl_cursor *cursor);

/**
 * Each moves the cursor and gives the key and value it stands on, as views (see
 * pl_txn_get()). PL_ENOTFOUND: no such place; the results and the place are then
 * undefined until the next seek. `key` and `value` may be NULL where unwanted; the
 * checksum is verified all the same. After a write in the same transaction, seek anew.
 */
int pl_cursor_seek(struct pl_cursor *cursor, struct pl_bytes at_least, struct pl_bytes *key,
                   struct pl_bytes *value);
/** The greatest key less than `below`. */
int pl_cursor_seek_before(struct pl_cursor *cursor, struct pl_bytes below, struct pl_bytes *key,
                          struct pl_bytes *value);
int pl_cursor_next(struct pl_cursor *cursor, struct pl_bytes *key, struct pl_bytes *value);
int pl_cursor_prev(struct pl_cursor *cursor, struct pl_bytes *key, struct pl_bytes *value);

/* ---- room, growth, and who holds it back ---- */

struct pl_store_room {
    uint64_t map_bytes_max; /* the file can never be larger */
    uint64_t used_bytes;    /* of it, pages in use (or about to be: free pages count only when it matters) */
    uint64_t file_bytes;    /* it never shrinks */
    uint64_t disk_free_bytes; /* for us, on the file's disk */
    bool low;                 /* stop puts now, so that deletes still find room */
};

/** Cheap enough to ask every second (a statvfs; a walk of the free list only when 90 % of the map is taken). */
int pl_store_room(struct pl_store *store, struct pl_store_room *out);

/**
 * Double the map, if map_bytes_max and the machine allow: between transactions, on the
 * writing thread, whose own readers are reset. Other threads' readers are waited
 * for, briefly. PL_EFULL: it is as large as it gets. PL_EOVERLOAD: readers did not let go in time.
 */
int pl_store_grow(struct pl_store *store);

struct pl_store_lag {
    uint64_t last_txn_id;
    uint64_t oldest_txn_id; /* of a reader that holds a snapshot, pins apart; last_txn_id when none does */
    uint64_t pinned_txn_id; /* of the checkpoint; last_txn_id when none */
    uint32_t reader_count;  /* open, pins included */
};

void pl_store_lag(struct pl_store *store, struct pl_store_lag *out);

/** Clear the slots of processes that died; their number in `count` (may be NULL). On a timer. */
int pl_store_reap_readers(struct pl_store *store, uint32_t *count);

/* ---- for checkpoint.h, recovery.h and audit.h ---- */

/**
 * A pin is a reader that is never read from: it only keeps the pages of its
 * snapshot from being used again, for as long as it takes. It does not stand in the way of growth.
 */
int pl_pin_open(struct pl_store *store, struct pl_reader **out);

/** Pin the newest committed state; its number in `txn_id`. Released by pl_reader_reset(). */
int pl_pin_take(struct pl_reader *pin, uint64_t *txn_id);

/**
 * Worker: have the file's first `bytes` written to disk, a bounded part at a time, so that the journal's
 * syncs do not queue behind all of it. No substitute for a sync. PL_EIO is final.
 */
int pl_store_write_back(struct pl_store *store, uint64_t bytes);

/** The store's own record, which tells whose store it is. PL_ENOTFOUND when it was never set. */
int pl_txn_get_identity(struct pl_txn *txn, struct pl_bytes *out);
int pl_txn_put_identity(struct pl_txn *txn, struct pl_bytes identity);

/** What stands before a value: also for who reads the file without LMDB. */
uint64_t pl_store_checksum(struct pl_bytes key, struct pl_bytes value);

#endif
