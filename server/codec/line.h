/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_LINE_H
#define PL_CODEC_LINE_H

#include "codec/verbs.h"
#include "model/tables.h"

/**
 * The line protocol: bytes ⇄ operations.
 *
 *     request   [#tag] VERB arguments clauses \n
 *     reply     [#tag] OK [json]
 *               [#tag] ERR Code sentence
 *               [#tag] ROW json          any number of them, and then
 *               [#tag] END json          {"count":2,"scanned":2,"next":{..},"capacity":{..}}
 *
 * JSON is the plain dialect of model/json.h, one line whatever is in it. A single-item
 * operation answers OK alone when there is nothing to show; asked for CAPACITY it answers in the form
 * of ROW and END. Where ELSE ALL_OLD asks for it, a failed condition shows the item it
 * met as a ROW before its ERR. A transaction that was cancelled shows {"reasons":[..]} so, in the order of what
 * was asked; one that reads has a ROW for each item in that order, null where there is none. What a batch had to leave out, because a table's throughput was used up, or a
 * BATCH GET's 16 MB, stands in its END as "unprocessed":{..}, in the form in which a batch is asked for. Rows may also be followed by an ERR when reading on failed.
 */
struct pl_line {
    struct pl_bytes text; /* the whole line, without its end */
    struct pl_bytes tag;  /* with its '#'; empty: none */
    const struct pl_verb *verb;
    struct pl_bytes rest; /* what follows the verb */
    struct pl_bytes
        word; /* of STATS, HELLO, HELP, AUTH: the word after the verb; of TAIL: after FROM; or empty */
};

enum { PL_LINE_TAG_MAX = 64, PL_LINE_BATCH_GET_MAX = 100, PL_LINE_BATCH_WRITE_MAX = 25 };

/** True when there is nothing on the line but white space: no request and no reply. */
bool pl_line_is_blank(struct pl_bytes text);

/**
 * Find tag and verb: enough to know whether a request may run yet. `out` holds views
 * into `text`. On failure (PL_EUNKNOWN, PL_ESYNTAX) `out` still has the tag when that could be read.
 */
int pl_line_read(struct pl_bytes text, struct pl_line *out, struct pl_reason *why);

/**
 * Read arguments and clauses into `op`, which is fresh (pl_operation_reset()). Its
 * views point into the line, which must live as long, and into op->arena and op->bytes.
 * PL_ESYNTAX and PL_EINVALID name the argument and say what was expected. On failure `op` is good only to be reset.
 */
int pl_line_parse(struct pl_line *line, struct pl_operation *op, struct pl_reason *why);

/* Replies. Each appends whole lines to `out`; trouble with memory shows in pl_buf_status(). */
void pl_line_write_ok(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json); /* json may be empty */
void pl_line_write_error(struct pl_buf *out, struct pl_bytes tag, int rc, const struct pl_reason *why);
void pl_line_write_row(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op,
                       struct pl_item item);
/** The end of a finished operation's reply: OK, END or ERR, whichever `op->reply` calls for. */
void pl_line_write_reply(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op);
/* A row, or the end, of a reply that is no operation's: `json` is an object on one line. */
void pl_line_write_row_of(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json);
void pl_line_write_end_of(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json);
void pl_line_write_hello(struct pl_buf *out, const struct pl_line *line);
void pl_line_write_help(struct pl_buf *out, const struct pl_line *line);
void pl_line_write_tables(struct pl_buf *out, struct pl_bytes tag, const struct pl_tables *tables);

#endif
