/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_JSON_H
#define PL_MODEL_JSON_H

#include "model/base64.h"
#include "model/item.h"

/**
 * JSON in and out of items, in one pass and without losing a digit or a byte.
 * Reading is strict: RFC 8259 and nothing more, well-formed
 * UTF-8, no raw control characters, no lone surrogates, no duplicate names, no
 * trailing bytes, `\u0000` is a character like any other.
 *
 * Two dialects:
 *
 *     PL_JSON_PLAIN   {"Likes":3,"Tags":{"$set":["a","b"]}}       line protocol, shell, files
 *     PL_JSON_TYPED   {"Likes":{"N":"3"},"Tags":{"SS":["a","b"]}} DynamoDB
 *
 * What plain JSON lacks is an object whose only name begins with a dollar sign:
 *
 *     {"$set":[...]}        a set of strings, numbers, or {"$binary":..}; not empty
 *     {"$binary":"base64"}  bytes (standard alphabet, padded)
 *     {"$number":"..."}     a number as text (reading only; writing gives a JSON number)
 *     {"$map":{...}}        a map that itself has a single name beginning with a dollar sign
 *
 * Another single name beginning with a dollar sign is an error, so that the escape
 * stays free for more. A map with such a name and others besides is an ordinary map,
 * and so is an item itself: at its top level no name is special.
 */
enum pl_json_dialect { PL_JSON_PLAIN, PL_JSON_TYPED };

/**
 * A cursor over JSON text, for codecs that read requests member by member. `why`
 * of a failure names the byte offset. Text and results are views: strings without
 * escapes point into the text, others into the arena.
 */
struct pl_json_reader {
    const char *at;
    const char *end;
    const char *start;
    struct pl_arena *arena;
};

enum pl_json_kind {
    PL_JSON_END, /* nothing but white space is left */
    PL_JSON_OBJECT,
    PL_JSON_ARRAY,
    PL_JSON_STRING,
    PL_JSON_NUMBER,
    PL_JSON_TRUE,
    PL_JSON_FALSE,
    PL_JSON_NULL,
    PL_JSON_BAD,
};

void pl_json_reader_init(struct pl_json_reader *r, struct pl_bytes text, struct pl_arena *arena);

/** What comes next, after white space. Consumes only the white space. */
enum pl_json_kind pl_json_peek(struct pl_json_reader *r);

/* Each returns 0, PL_ESYNTAX (with `why`) or PL_ENOMEM. */
int pl_json_take_string(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why);
/** The number's text as written, checked against JSON's grammar. */
int pl_json_take_number_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why);
/** true, false or null: just step over it. */
int pl_json_take_literal(struct pl_json_reader *r, struct pl_reason *why);

/**
 * Objects: enter, then take names until `*more` is false. Duplicate names are the
 * caller's to refuse (the item readers below do).
 *
 *     rc = pl_json_enter_object(r, &more, why);
 *     while (rc == 0 && more) {
 *         rc = pl_json_take_name(r, &name, why);
 *         ... take the value ...
 *         rc = pl_json_next(r, '}', &more, why);
 *     }
 *
 * Arrays the same without names, with pl_json_enter_array() and ']'.
 */
int pl_json_enter_object(struct pl_json_reader *r, bool *more, struct pl_reason *why);
int pl_json_enter_array(struct pl_json_reader *r, bool *more, struct pl_reason *why);
int pl_json_take_name(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why);
int pl_json_next(struct pl_json_reader *r, char close, bool *more, struct pl_reason *why);
/** Step over any value, checking it as strictly as the rest (nesting at most 128). */
int pl_json_skip(struct pl_json_reader *r, struct pl_reason *why);
/** PL_ESYNTAX unless only white space is left. */
int pl_json_take_end(struct pl_json_reader *r, struct pl_reason *why);

/** "expected <expected> at byte 17, found '}'": returns PL_ESYNTAX. For readers on top of this one. */
int pl_json_unexpected(const struct pl_json_reader *r, const char *expected, struct pl_reason *why);

/*
 * Values. PL_ESYNTAX is for what is no JSON or (typed) of the wrong JSON type, with
 * DynamoDB's texts; PL_EINVALID for what is no value, with DynamoDB's texts too.
 * After a failure the reader stands somewhere inside, and the builder has failed too.
 */

/** Read one value at the reader into the builder (into the open map, list or item, or as a single value). */
int pl_json_take_value(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_builder *b,
                       struct pl_reason *why);
/** Read one object at the reader as an item. `out` is a view into `buf`, which is appended to. */
int pl_json_take_item(struct pl_json_reader *r, enum pl_json_dialect dialect, struct pl_buf *buf,
                      struct pl_item *out, struct pl_reason *why);
/** Read a whole text as one item. */
int pl_json_read_item(struct pl_bytes text, enum pl_json_dialect dialect, struct pl_arena *arena,
                      struct pl_buf *buf, struct pl_item *out, struct pl_reason *why);

/* Writing appends to `out` straight from stored bytes. Memory trouble shows in pl_buf_status(). */
void pl_json_write_item(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_item item);
void pl_json_write_value(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_value value);
/** A JSON string with quotes and escapes. `text` must be UTF-8. */
void pl_json_write_string(struct pl_buf *out, struct pl_bytes text);

#endif
