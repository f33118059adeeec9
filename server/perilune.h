/* SPDX-License-Identifier: MIT */
#ifndef PL_PERILUNE_H
#define PL_PERILUNE_H

#include "model/rows.h"
#include "node.h"
#include "partition/stream.h"

/**
 * The whole engine inside a program of yours: a node without threads and without
 * sockets, driven by whoever calls. A database belongs to one thread at a time, and
 * a call returns when its work is done: a write is durable then (with
 * PL_SYNC_ALWAYS), and the next read sees it.
 *
 *     pl_perilune_open(&options, &db, &why);
 *     call = pl_perilune_begin(db, PL_OP_GET);
 *     call->op.table_name = pl_str("Messages"); ...
 *     rc = pl_perilune_run(call);              call->op.reply says the rest
 *     pl_perilune_end(call);
 *     pl_perilune_close(db);
 *
 * Nothing of the program runs inside the engine, so a host whose language unwinds
 * by longjmp may do so between any two of these functions.
 */
struct pl_perilune;

struct pl_perilune_options {
    const char *path;
    const char *scripts_path; /* NULL: none */
    uint32_t partition_count; /* for a new directory; 0: 64 */
    enum pl_sync_mode sync_mode;
    uint32_t sync_interval_ms;     /* for PL_SYNC_INTERVAL */
    uint32_t script_time_ms;       /* 0: 100 */
    uint64_t script_memory_bytes;  /* 0: 64 MiB */
    uint64_t collection_bytes_max; /* 0: 10 GiB */
    uint32_t ttl_sweep_ms; /* between two looks for what has expired; 0: 1000. Open and writes take them */
    uint32_t stream_retention_ms;   /* how long stream records are kept; 0: 24 hours */
    const struct pl_disk *disk;     /* NULL: the machine's own. Copied */
    const struct pl_logger *logger; /* NULL: silent. Must outlive the database */
};

/** PL_ELOCKED when the directory is open already, here or elsewhere: `why` says by whom. */
int pl_perilune_open(const struct pl_perilune_options *options, struct pl_perilune **out,
                     struct pl_reason *why);

/** Take a checkpoint and close. Calls that were begun may still be ended; run, they say PL_ECLOSED. */
void pl_perilune_close(struct pl_perilune *db);

/**
 * One request: an operation to be filled in, and what came of it. Its memory stays when
 * it ends, for the next one.
 */
struct pl_perilune_call {
    struct pl_operation op;
    struct pl_buf rows;            /* what QUERY, SCAN and BATCH_GET found: see model/rows.h */
    struct pl_perilune *db;        /* NULL: closed */
    struct pl_perilune_call *next; /* of the database's list */
    bool running;                  /* handed to the shard, which has not given it back */
    bool ended;                    /* by the program, while it was running */
};

/** NULL: no memory. */
struct pl_perilune_call *pl_perilune_begin(struct pl_perilune *db, enum pl_operation_name name);

/**
 * Run it. Returns the reply's `rc`. Everything in the reply is good until the call ends. PL_EUNSURE: the
 * write is in the journal, but the disk has no room to carry it out; it takes effect when there is.
 */
int pl_perilune_run(struct pl_perilune_call *call);

/** NULL is allowed. */
void pl_perilune_end(struct pl_perilune_call *call);

/**
 * A table's stream, record by record: from `from` ("oldest", "latest" or a position) to what is there now, and later
 * to what is there then. Failures as pl_follower_open().
 */
struct pl_perilune_tail;
int pl_perilune_tail_open(struct pl_perilune *db, struct pl_bytes table, struct pl_bytes from,
                          struct pl_perilune_tail **out, struct pl_reason *why);
/** A tail outlives its database, and is good only to be closed then. NULL is allowed. */
void pl_perilune_tail_close(struct pl_perilune_tail *tail);

/** What TAIL tells of a record. Views are good until the next call with the tail. */
struct pl_perilune_record {
    enum pl_stream_event event;
    uint16_t shard;
    uint64_t sequence;
    int64_t at_ms;
    bool by_expiry, has_new, has_old;
    struct pl_item keys, new, old;
};
/** PL_ENOTFOUND: no more for now. PL_ECLOSED; PL_ETRIMMED, PL_ECORRUPT, PL_EIO, PL_ENOMEM. */
int pl_perilune_tail_next(struct pl_perilune_tail *tail, struct pl_perilune_record *out);

/** Append the position after the record last taken. PL_ECLOSED, PL_ENOMEM. */
int pl_perilune_tail_position(struct pl_perilune_tail *tail, struct pl_buf *out);

/** Load the scripts directory anew; the old modules stay when the new ones are wrong. */
int pl_perilune_reload(struct pl_perilune *db, struct pl_reason *why);

/** Compare everything stored with everything else stored: a JSON object, appended to `report`. */
int pl_perilune_check(struct pl_perilune *db, struct pl_buf *report);

/**
 * Run the triggers that are due. A call that writes does so by itself, for about 100 ms at most: this is for what waits for time
 * to pass, and for a program that only reads. Returns the time until one will be due, in ms; 0: there is
 * more to do now; UINT64_MAX: nothing until something is written.
 */
uint64_t pl_perilune_run_triggers(struct pl_perilune *db);

/** Figures of the database, or of one table when `table` is not empty: a JSON object, appended to `out`. */
void pl_perilune_stats(struct pl_perilune *db, struct pl_bytes table, struct pl_buf *out);

#endif
