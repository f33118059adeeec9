/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_STREAM_H
#define PL_PARTITION_STREAM_H

#include "model/operation.h"
#include "partition/sequence.h"
#include "store/state.h"

/**
 * A table's stream: what happened to its items, in the order it happened. Each partition
 * has a shard of it, so all records of one item, and of one partition key, stand in one shard in their order.
 * A record is one effect more of the very change that it tells of (change.h): neither is ever there alone.
 *
 *     key     partition u16 ▸ STREAM ▸ stream id u32 ▸ sequence u64                   (big-endian)
 *     value   format u8 (1) ▸ event u8 ▸ view u8 ▸ actor u8 ▸ cascade depth u8 ▸ parts u8 ▸ at ms u64 ▸
 *             the parts that are there, of keys, new image, old image: size u32 ▸ length u32 ▸ item bytes
 *                                                                                      (little-endian)
 *
 * The keys stand alone only where no image holds them. Sequence numbers grow within a partition, with gaps (sequence.h).
 * They begin with 1; under 0 stands how far a shard has been trimmed, once it was: format u8 (2) ▸ sequence u64. A
 * reader that comes to a record may have missed one before it only when that is past the last record it saw.
 */
enum pl_stream_event { PL_STREAM_INSERT = 1, PL_STREAM_MODIFY, PL_STREAM_REMOVE };

/** "insert", "modify", "remove". */
const char *pl_stream_event_name(enum pl_stream_event event);

/** Views into the bytes it was read from. */
struct pl_stream_record {
    uint16_t partition;
    uint64_t sequence;
    enum pl_stream_event event;
    enum pl_stream_view view; /* of the table when it was written */
    enum pl_actor actor;
    uint8_t cascade_depth;
    int64_t at_ms; /* wall clock of the leader */
    bool has_new, has_old;
    struct pl_item new, old;
    bool has_keys; /* no image holds them: pl_stream_record_keys() finds them either way */
    struct pl_item keys;
};

/** One write's part in the stream of its table. Either item may be NULL, not both; they differ. */
struct pl_stream_write {
    const struct pl_table *table; /* with a stream */
    uint16_t partition;
    uint64_t sequence; /* drawn for it: pl_sequences_draw() */
    const struct pl_item *old, *new;
    enum pl_actor actor;
    uint8_t cascade_depth;
    int64_t at_ms;
};

/** Append the effect to `change`; `scratch` is a buffer to build the record in. Memory trouble shows in both. */
void pl_stream_append(const struct pl_stream_write *write, struct pl_buf *scratch, struct pl_buf *change);

/** Room for a record's store key. */
enum { PL_STREAM_KEY_BYTES = 2 + 1 + 4 + 8 };
struct pl_bytes pl_stream_key(uint8_t key[PL_STREAM_KEY_BYTES], uint16_t partition, uint32_t stream_id,
                              uint64_t sequence);

/** Read a record from what is stored. PL_ECORRUPT when it is none. */
int pl_stream_record_read(struct pl_bytes key, struct pl_bytes value, struct pl_stream_record *out);

/** The item of the key attributes alone: a view into the record, or built at the end of `buf`. PL_ENOMEM. */
int pl_stream_record_keys(const struct pl_stream_record *record, const struct pl_key_schema *keys,
                          struct pl_buf *buf, struct pl_item *out);

/** The size DynamoDB would give: of keys and images. */
uint32_t pl_stream_record_size_bytes(const struct pl_stream_record *record, const struct pl_key_schema *keys);

/**
 * A walk over one shard of a stream, upwards, on a snapshot that is renewed and has no other walk meanwhile.
 * Views are good until the snapshot is reset. Records that are written meanwhile may be seen or not, but never one
 * without those before it. PL_ENOTFOUND: none (any more); PL_ECORRUPT; PL_EIO.
 */
struct pl_stream_walk {
    struct pl_snapshot *snapshot;
    uint32_t stream_id;
    uint16_t partition;
};
/** The first record with `sequence` or a higher one. */
int pl_stream_seek(const struct pl_stream_walk *walk, uint64_t sequence, struct pl_stream_record *out);
/** The one after the last. */
int pl_stream_next(const struct pl_stream_walk *walk, struct pl_stream_record *out);

/**
 * The last sequence that is gone from this shard; 0: none. Ends the walk. Asked after a walk it knows of all that
 * the walk missed: who is behind it has missed records.
 */
int pl_stream_trimmed(const struct pl_stream_walk *walk, uint64_t *out);

/** The sequence of the shard's last record, there still or gone; 0: it never had one. Ends the walk. */
int pl_stream_last(const struct pl_stream_walk *walk, uint64_t *out);

/** Append to `change`, before the records up to `sequence` are deleted in it: they are gone from here on. */
void pl_stream_append_trim(struct pl_buf *change, uint16_t partition, uint32_t stream_id, uint64_t sequence);

#endif
