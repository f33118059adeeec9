/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_DATADIR_H
#define PL_STORE_DATADIR_H

#include "base/clock.h"
#include "base/error.h"

#include "store/disk.h"

/**
 * A data directory: who owns it, what its files are called, and in which format.
 *
 *     DIR/format        one small checksummed text: format number, shards, partitions, id
 *     DIR/lock          locked while somebody has it open; holds that process's id
 *     DIR/journal/N/    the journal of shard N
 *     DIR/data/N.mdb    the store of shard N, and N.mdb-lock beside it
 *
 * `format` is written beside, synced and renamed into place before anything else is
 * made, so a crash while a directory is being born leaves either nothing that
 * counts or a directory that is whole. Every journal and every store carries the
 * directory's id, so parts of different directories cannot be mixed.
 */
struct pl_datadir;

enum {
    PL_DATADIR_FORMAT = 2, /* what this version writes, and the newest it reads */
    PL_DATADIR_ID_BYTES = 16,
    PL_DATADIR_SHARDS_MAX = 64,
    PL_DATADIR_PARTITIONS_MAX = 4096
};

struct pl_datadir_facts {
    uint32_t format;
    uint32_t shard_count;
    uint32_t partition_count;
    uint8_t id[PL_DATADIR_ID_BYTES];
};

struct pl_datadir_options {
    uint32_t shard_count;     /* for a new directory; 0: 1. Fixed for its life: see the facts */
    uint32_t partition_count; /* for a new directory; 0: 64. A power of two up to 4096 */
    bool must_exist;          /* PL_ENOTFOUND instead of making one */
    struct pl_random random;  /* where a new directory's id comes from */
};

/**
 * Lock the directory at `path`, make it when there is none, and read its format.
 * `disk` must outlive it.
 *
 * PL_ELOCKED: `why` says which process has it. PL_EFORMAT: it was written by a newer version, or
 * is no data directory. PL_ECORRUPT: `format` fails its checksum or is missing
 * beside data. PL_ECONFIG: the options ask for what cannot be.
 */
int pl_datadir_open(const struct pl_disk *disk, const char *path, const struct pl_datadir_options *options,
                    struct pl_datadir **out, struct pl_reason *why);

/**
 * Make durable that the directory and its folders exist. Before the first write that
 * counts: not by every start, which would wait for the disk to no purpose.
 */
int pl_datadir_sync(const struct pl_datadir *dir, struct pl_reason *why);

/** Unlocks. NULL is allowed. */
void pl_datadir_close(struct pl_datadir *dir);

const struct pl_datadir_facts *pl_datadir_facts(const struct pl_datadir *dir);
const char *pl_datadir_path(const struct pl_datadir *dir);

/** Good until the directory is closed. `shard` is less than shard_count. */
const char *pl_datadir_journal_path(const struct pl_datadir *dir, uint32_t shard);
const char *pl_datadir_store_path(const struct pl_datadir *dir, uint32_t shard);

#endif
