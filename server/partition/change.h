/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_CHANGE_H
#define PL_PARTITION_CHANGE_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * What one write does to what is stored, decided once, on the leader: a list of effects
 * in the order they were found. It is the payload of a journal record; recovery and
 * followers apply it and run no condition and no script.
 *
 *     PUT     01 ▸ key length u16 ▸ value length u32 ▸ key ▸ value
 *     DELETE  02 ▸ key length u16 ▸ key
 *     COUNT   03 ▸ partition u16 ▸ table or index id u32 ▸ items i64 ▸ bytes i64
 *
 * All integers little-endian. COUNT adds to what the partition holds of that table or
 * index.
 */
enum pl_effect_kind { PL_EFFECT_PUT = 1, PL_EFFECT_DELETE = 2, PL_EFFECT_COUNT = 3 };

struct pl_effect {
    enum pl_effect_kind kind;
    struct pl_bytes key;
    struct pl_bytes value;
    uint16_t partition;
    uint32_t id;
    int64_t items;
    int64_t size_bytes;
};

void pl_change_put(struct pl_buf *change, struct pl_bytes key, struct pl_bytes value);
void pl_change_delete(struct pl_buf *change, struct pl_bytes key);
void pl_change_count(struct pl_buf *change, uint16_t partition, uint32_t id, int64_t items,
                     int64_t size_bytes);

/**
 * Take the effect at the front of `*change`. Returns 1, 0 at the end, or PL_ECORRUPT: the
 * bytes come from a journal, and although their checksum was right they may have been
 * written by a newer version.
 */
int pl_change_take(struct pl_bytes *change, struct pl_effect *out);

#endif
