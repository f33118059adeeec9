/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_PLACE_H
#define PL_PARTITION_PLACE_H

#include "model/key.h"
#include "partition/view.h"

/**
 * One item's or index entry's place in the store: its store key, and its full key for
 * when the store key had to be shortened and others may share it (key.h, record.h).
 */
struct pl_place {
    struct pl_key key;
    struct pl_bytes full; /* pk ▸ tail; lives in whatever arena it was made from */
};

/** PL_ENOMEM when `arena` is empty and the key is a shortened one. */
int pl_place_make(struct pl_place *out, const struct pl_keyspace *space, struct pl_bytes pk,
                  struct pl_bytes tail, struct pl_arena *arena);

/** The same for what stands under a second first: pl_key_build_at(). */
int pl_place_make_at(struct pl_place *out, const struct pl_keyspace *space, uint64_t second,
                     struct pl_bytes pk, struct pl_bytes tail, struct pl_arena *arena);

bool pl_place_equal(const struct pl_place *a, const struct pl_place *b);

/** The item that stands there now. PL_ENOTFOUND: none. */
int pl_place_get(const struct pl_place *place, const struct pl_view *view, struct pl_item *out);

/**
 * Append to `change` what puts `item` there, or with NULL removes what is there; a
 * shortened key's other items stay. `scratch` is a buffer to build the record in.
 */
int pl_place_set(const struct pl_place *place, const struct pl_view *view, const struct pl_item *item,
                 struct pl_buf *scratch, struct pl_buf *change);

#endif
