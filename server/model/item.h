/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_ITEM_H
#define PL_MODEL_ITEM_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/number.h"

/**
 * The binary form of items and values, one and the same in requests, in the
 * journal and on the page. It is canonical: equal values have equal bytes, so
 * that equality is memcmp, and "nothing changed" is too.
 *
 *     value   = tag u8 ▸ length ▸ payload
 *     S, B    length is a varint; payload the bytes
 *     N       length is a varint; payload is pl_number_encode()
 *     BOOL    length is a varint 1; payload 00 or 01
 *     NULL    length is a varint 0
 *     L       length u32 LE; payload = values, one after another
 *     M       length u32 LE; payload = entries sorted by name (bytewise):
 *             name length varint ▸ name ▸ value
 *     SS BS NS  length u32 LE; payload = elements sorted bytewise, no duplicates:
 *             varint length ▸ bytes (NS: encoded numbers, so the order is by value)
 *
 * An item is the payload of an M: entries sorted by name.
 */
enum pl_type {
    PL_TYPE_S = 1,
    PL_TYPE_N,
    PL_TYPE_B,
    PL_TYPE_BOOL,
    PL_TYPE_NULL,
    PL_TYPE_L,
    PL_TYPE_M,
    PL_TYPE_SS,
    PL_TYPE_NS,
    PL_TYPE_BS,
};

enum {
    PL_ITEM_SIZE_MAX = 409600,
    PL_NESTING_MAX = 32, /* a top-level attribute is level 1 */
    PL_ATTRIBUTE_NAME_MAX = 65535,
    PL_KEY_ATTRIBUTE_NAME_MAX = 255,
};

/** A view of one encoded value. `payload` and `whole` point into the same bytes. */
struct pl_value {
    enum pl_type type;
    struct pl_bytes payload; /* without tag and length */
    struct pl_bytes whole;   /* with them: what pl_builder_value() copies */
};

/** A view of an encoded item, good as long as the bytes under it. */
struct pl_item {
    struct pl_bytes bytes;
    uint32_t size_bytes; /* as DynamoDB counts: names plus values */
};

/** "S", "N", ... as DynamoDB writes them. */
const char *pl_type_name(enum pl_type type);
/** "STRING", "NUMBER", "STRING_SET", ...: the long names of some error texts. */
const char *pl_type_long_name(enum pl_type type);
/** 0 when `name` is no type's short name. */
enum pl_type pl_type_from_name(struct pl_bytes name);

/**
 * Walk over encoded bytes that are known to be sound (they were built here, or
 * their checksum was right). Each `take` steps over one thing at the front of
 * `*in`; false at the end. Soundness is asserted, never read past.
 */
bool pl_value_take(struct pl_bytes *in, struct pl_value *out);                        /* L */
bool pl_entry_take(struct pl_bytes *in, struct pl_bytes *name, struct pl_value *out); /* M, items */
bool pl_element_take(struct pl_bytes *in, struct pl_bytes *out);                      /* SS NS BS */

/**
 * Check bytes from outside (a followed stream, a restored backup, a fuzzer): well-formed,
 * canonical, nesting and names within limits, names, S and SS are UTF-8. PL_ECORRUPT
 * when not. Computes the size.
 */
int pl_item_check(struct pl_bytes bytes, struct pl_item *out);

/** Find a top-level attribute. False: none. */
bool pl_item_find(struct pl_item item, struct pl_bytes name, struct pl_value *out);
/** The same in a map's payload. */
bool pl_map_find(struct pl_bytes payload, struct pl_bytes name, struct pl_value *out);
/** Element `index` of a list's payload. */
bool pl_list_at(struct pl_bytes payload, uint32_t index, struct pl_value *out);
/** Entries of an M, elements of an L or a set. */
uint32_t pl_value_count(struct pl_value value);
/** True when the set's payload holds `element` (encoded as in the set). */
bool pl_set_contains(struct pl_bytes payload, struct pl_bytes element);

/** Same type, equal content. */
bool pl_value_equal(struct pl_value a, struct pl_value b);
/** Order of two S, two N or two B. Both must be of one such type. */
int pl_value_compare(struct pl_value a, struct pl_value b);
/** The number in an N. */
void pl_value_number(struct pl_value value, struct pl_number *out);

/** Append a string, a number or a binary as DynamoDB's sentences show it: AttributeValue: {N:5}. Long texts are cut. */
void pl_value_show(struct pl_buf *out, struct pl_value value);
bool pl_value_bool(struct pl_value value);
/** Bytes as DynamoDB counts a value (without its name). */
uint32_t pl_value_size_bytes(struct pl_value value);

/**
 * Builds canonical bytes from values that come in any order, in one pass:
 *
 *     pl_builder_begin_item(&b);
 *     pl_builder_name(&b, pl_str("Likes"));
 *     pl_builder_number(&b, &n);
 *     pl_builder_end(&b);                       -- sorts, checks duplicates
 *     rc = pl_builder_finish_item(&b, &item, &why);
 *
 * The first failure sticks: later calls do nothing, finish returns it. Names given
 * twice in one map: PL_EINVALID. All memory comes from `arena` except `out`, which
 * the caller lends (and may clear and use again once the item is no longer needed).
 */
struct pl_builder {
    struct pl_buf *out;
    struct pl_arena *arena;
    struct pl_builder_frame *top; /* open maps, lists and sets, innermost first */
    struct pl_builder_frame *spare;
    size_t start;        /* where in `out` this builder began */
    uint64_t size_bytes; /* so far, as DynamoDB counts */
    uint32_t level;      /* of the values that come next: 1 for a top-level attribute */
    int rc;
    struct pl_reason why; /* empty when the general sentence of `rc` says it */
};

/**
 * Start building at the end of `*out`; what is there already stays. One builder makes
 * one item or one value; init it again for the next (the views of the last one are
 * gone as soon as `*out` grows).
 */
void pl_builder_init(struct pl_builder *b, struct pl_buf *out, struct pl_arena *arena);

void pl_builder_begin_item(struct pl_builder *b);
void pl_builder_begin_map(struct pl_builder *b);
void pl_builder_begin_list(struct pl_builder *b);
void pl_builder_begin_set(struct pl_builder *b, enum pl_type type); /* PL_TYPE_SS, NS or BS */
void pl_builder_end(struct pl_builder *b);

/** In a map or item: the name of the value that comes next. Checks length (1..65535) and UTF-8. */
void pl_builder_name(struct pl_builder *b, struct pl_bytes name);

void pl_builder_string(struct pl_builder *b, struct pl_bytes text); /* must be UTF-8: PL_EINVALID if not */
void pl_builder_binary(struct pl_builder *b, struct pl_bytes bytes);
void pl_builder_number(struct pl_builder *b, const struct pl_number *number);
void pl_builder_bool(struct pl_builder *b, bool value);
void pl_builder_null(struct pl_builder *b);
/** Copy an encoded value (its nesting is checked against the depth here). */
void pl_builder_value(struct pl_builder *b, struct pl_value value);
/** Fail the build with a sentence of the caller's. */
void pl_builder_fail(struct pl_builder *b, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Elements of an open set, in any order. A duplicate or an empty set fails with
 * DynamoDB's texts.
 */
void pl_builder_set_string(struct pl_builder *b, struct pl_bytes text);
void pl_builder_set_binary(struct pl_builder *b, struct pl_bytes bytes);
void pl_builder_set_number(struct pl_builder *b, const struct pl_number *number);

/**
 * The finished item, a view into `*b->out`. Does not check PL_ITEM_SIZE_MAX: put and
 * update have different sentences for that.
 */
int pl_builder_finish_item(struct pl_builder *b, struct pl_item *out, struct pl_reason *why);
/** The finished single value, when one value and no item was built. */
int pl_builder_finish_value(struct pl_builder *b, struct pl_value *out, struct pl_reason *why);

#endif
