/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_KEY_H
#define PL_MODEL_KEY_H

#include "model/item.h"

/**
 * Where an item stands in the store. A key is made of encoded components whose
 * byte order is their value order:
 *
 *     N      pl_number_encode()
 *     S, B   every 00 becomes 00 FF, and 00 01 ends it: a prefix sorts first
 *
 *     store key = partition u16 ▸ kind u8 ▸ id u32 ▸ hash64(pk) ▸ 00 ▸ pk ▸ tail
 *                                                              ▸ 01 ▸ XXH3-128(pk) ▸ tail    when pk is long
 *     tail      = sort key components ▸ for index entries: the base table's pk ▸ sk (the item's identity)
 *
 * All integers are big-endian. LMDB holds keys of at most 511 bytes. A key that has a
 * digest in it, or whose tail was cut to fit, is *shortened*: several items may share
 * it, and the record under it holds them all with their full keys (record.h). So a
 * collision can never return the wrong item, and order inside a record is by full key.
 */
enum {
    PL_KEY_BYTES_MAX = 511,
    PL_PARTITION_KEY_MAX = 2048, /* bytes of a value, as DynamoDB limits it */
    PL_SORT_KEY_MAX = 1024,
    PL_KEY_PLAIN_PK_MAX = 128, /* a longer encoded pk is replaced by its digest */
    PL_KEY_PREFIX_BYTES = 2 + 1 + 4 + 8,
    PL_KEY_COMPONENTS_MAX = 4, /* partition key attributes, and sort key attributes, of an index */
};

/** What a store key leads to. The number is on disk: never reuse one. */
enum pl_key_kind {
    PL_KIND_CATALOG = 1, /* tables, and what dropped ones left behind, by id */
    PL_KIND_HEAD = 2,    /* a partition's applied index and its counters */
    PL_KIND_ITEM = 16,
    PL_KIND_LOCAL_INDEX = 17,
    PL_KIND_GLOBAL_INDEX = 18,
    PL_KIND_INDEX_PLACE = 19, /* where an index's function put an item's entry, by the item's key */
    PL_KIND_EXPIRY = 20,      /* items by the second in which they expire, under the table's expiry id */
    PL_KIND_STREAM = 21,      /* what happened to items, by sequence number, under the stream's id */
    PL_KIND_TRIGGER = 22,     /* how far a trigger has come, and its dead letters, under the trigger's id */
    PL_KIND_TOKEN = 24,       /* a transaction's ClientRequestToken */
    PL_KIND_TOKEN_AGE = 25,   /* the same by the time it was used */
    PL_KIND_COLLECTION = 26,  /* the size of what shares one partition key value */
};

struct pl_key {
    uint8_t bytes[PL_KEY_BYTES_MAX];
    uint16_t len;
    bool shortened;
};

static inline struct pl_bytes pl_key_view(const struct pl_key *key)
{
    return pl_bytes(key->bytes, key->len);
}

/** Append one component. `value` is S, N or B and within its length limit (the caller checked). */
void pl_key_append_component(struct pl_buf *out, struct pl_value value);

/** The length of the component of `type` at the front of `in`, 0 when there is no whole one. */
size_t pl_key_component_length(struct pl_bytes in, enum pl_type type);

/**
 * Read the component back as a value appended through the builder (its `pl_builder_name` already given),
 * and step over it. PL_ECORRUPT when there is no whole one, PL_ENOMEM: nothing was stepped over or
 * appended. The builder's own failures show when it is finished.
 */
int pl_key_decode_component(struct pl_bytes *in, enum pl_type type, struct pl_builder *b,
                            struct pl_arena *arena);

/** XXH3-64 of the encoded partition key: the item's place on the ring. */
uint64_t pl_key_hash(struct pl_bytes pk);

/** The partition a hash falls in: the top bits. `partition_count` is a power of two. */
static inline uint16_t pl_key_partition(uint64_t hash, uint32_t partition_count)
{
    return partition_count == 1 ? 0 : (uint16_t)(hash >> (64 - __builtin_ctz(partition_count)));
}

/** Which table's or index's entries, and where. */
struct pl_keyspace {
    enum pl_key_kind kind;
    uint32_t id;
    uint32_t partition_count;
};

/** Build the store key of (pk, tail), both encoded. */
void pl_key_build(struct pl_key *out, const struct pl_keyspace *space, struct pl_bytes pk,
                  struct pl_bytes tail);

/**
 * The key of what stands under a second before its own place: for expiries.
 *
 *     partition u16 ▸ kind u8 ▸ id u32 ▸ second u64 ▸ hash64(pk) ▸ pk ▸ tail, cut and shortened as above
 */
void pl_key_build_at(struct pl_key *out, const struct pl_keyspace *space, uint64_t second, struct pl_bytes pk,
                     struct pl_bytes tail);

/**
 * The store key at which a walk over (pk, tails that begin at or after `tail`) starts:
 * the same bytes pl_key_build() gives, so that seeking to it finds the first candidate.
 * `prefix_len` receives the length of the part that all entries of `pk` share.
 */
void pl_key_seek(struct pl_key *out, const struct pl_keyspace *space, struct pl_bytes pk,
                 struct pl_bytes tail, uint16_t *prefix_len);

/** The smallest store key of hash `hash` or higher: where a scan (or a segment of one) starts. */
void pl_key_scan_start(struct pl_key *out, const struct pl_keyspace *space, uint64_t hash);

/** True when `key` (from the store) belongs to `space`; `hash` receives its place. */
bool pl_key_in_space(struct pl_bytes key, const struct pl_keyspace *space, uint64_t *hash);

/** The smallest store key of the keyspace in a partition whose next eight bytes (hash, second) are `from` or more. */
void pl_key_partition_start(struct pl_key *out, const struct pl_keyspace *space, uint16_t partition,
                            uint64_t from);

/** True when `key` belongs to the keyspace's part in the partition, whatever its next eight bytes are. */
bool pl_key_in_partition(struct pl_bytes key, const struct pl_keyspace *space, uint16_t partition);

/**
 * The smallest byte string greater than every string that begins with `prefix`;
 * false when there is none. For upper bounds of begins_with().
 */
bool pl_key_successor(struct pl_bytes prefix, struct pl_buf *out);

#endif
