/* SPDX-License-Identifier: MIT */
#include "codec/line_parser.h"

/*
 * BATCH: an object with a member for each table.
 *
 *     BATCH GET   {"Users":[{key},{key}]}
 *     BATCH WRITE {"Users":{"put":[{item}],"delete":[{key}]}}
 */
struct batch {
    struct pl_json_reader r;
    uint32_t count, max;
    bool counting; /* first time through: how many children there will be */
};

static int too_many(struct pl_line_parser *p, uint32_t max)
{
    return pl_reason_set(p->why, PL_EINVALID, "BATCH %s takes at most %u %s, found more",
                         p->batch_write ? "WRITE" : "GET", max, p->batch_write ? "writes" : "keys");
}

static int take_child(struct pl_line_parser *p, struct batch *batch, struct pl_bytes table,
                      enum pl_operation_name name)
{
    struct pl_operation *child;
    int rc;

    if (batch->count == batch->max)
        return too_many(p, batch->max);
    if (pl_json_peek(&batch->r) != PL_JSON_OBJECT) {
        p->at = batch->r.at;
        return pl_line_expected(p, name == PL_OP_PUT ? "an item as a JSON object {..}"
                                                     : "a key as a JSON object {..}");
    }
    batch->count++;
    if (batch->counting)
        return pl_line_in_argument(p, "batch", pl_json_skip(&batch->r, p->why));
    child = &p->op->children[batch->count - 1];
    pl_operation_init(child, name);
    p->op->child_count = batch->count;
    child->parent = p->op;
    child->table_name = table;
    rc = pl_json_take_item(&batch->r, PL_JSON_PLAIN, &child->bytes, &child->item, p->why);
    return pl_line_in_argument(p, name == PL_OP_PUT ? "item" : "key", rc);
}

static int take_children(struct pl_line_parser *p, struct batch *batch, struct pl_bytes table,
                         enum pl_operation_name name)
{
    bool more;
    int rc;

    if (pl_json_peek(&batch->r) != PL_JSON_ARRAY) {
        p->at = batch->r.at;
        return pl_line_expected(p, name == PL_OP_PUT ? "a list of items [{..}, ..]"
                                                     : "a list of keys [{..}, ..]");
    }
    rc = pl_json_enter_array(&batch->r, &more, p->why);
    while (rc == 0 && more) {
        rc = take_child(p, batch, table, name);
        if (rc == 0)
            rc = pl_line_in_argument(p, "batch", pl_json_next(&batch->r, ']', &more, p->why));
    }
    return rc;
}

/* {"put":[..],"delete":[..]} */
static int take_writes(struct pl_line_parser *p, struct batch *batch, struct pl_bytes table)
{
    struct pl_bytes name;
    bool more;
    int rc;

    if (pl_json_peek(&batch->r) != PL_JSON_OBJECT) {
        p->at = batch->r.at;
        return pl_line_expected(p, "{\"put\":[..],\"delete\":[..]}");
    }
    rc = pl_json_enter_object(&batch->r, &more, p->why);
    while (rc == 0 && more) {
        rc = pl_line_in_argument(p, "batch", pl_json_take_name(&batch->r, &name, p->why));
        if (rc != 0)
            return rc;
        if (pl_bytes_equal(name, pl_str("put")))
            rc = take_children(p, batch, table, PL_OP_PUT);
        else if (pl_bytes_equal(name, pl_str("delete")))
            rc = take_children(p, batch, table, PL_OP_DELETE);
        else
            return pl_reason_set(p->why, PL_ESYNTAX,
                                 "BATCH WRITE expected \"put\" or \"delete\", found \"%.*s\"",
                                 pl_line_quotable(name, 40), name.data);
        if (rc == 0)
            rc = pl_line_in_argument(p, "batch", pl_json_next(&batch->r, '}', &more, p->why));
    }
    return rc;
}

static int take_batch_once(struct pl_line_parser *p, struct batch *batch)
{
    struct pl_bytes table;
    bool more;
    int rc;

    pl_line_reader_at(p, &batch->r);
    batch->count = 0;
    rc = pl_line_in_argument(p, "batch", pl_json_enter_object(&batch->r, &more, p->why));
    while (rc == 0 && more) {
        rc = pl_line_in_argument(p, "batch", pl_json_take_name(&batch->r, &table, p->why));
        if (rc == 0)
            rc = p->batch_write ? take_writes(p, batch, table) : take_children(p, batch, table, PL_OP_GET);
        if (rc == 0)
            rc = pl_line_in_argument(p, "batch", pl_json_next(&batch->r, '}', &more, p->why));
    }
    return rc;
}

/* Twice through the text: a child is large, so they are counted before there is memory for them. */
int pl_line_take_batch(struct pl_line_parser *p)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);
    struct batch batch = { .counting = true };
    int rc;

    p->batch_write = pl_bytes_equal(word, pl_str("WRITE"));
    if (!p->batch_write && !pl_bytes_equal(word, pl_str("GET")))
        return pl_line_expected(p, "GET or WRITE");
    p->op->name = p->batch_write ? PL_OP_BATCH_WRITE : PL_OP_BATCH_GET;
    batch.max = p->batch_write ? PL_LINE_BATCH_WRITE_MAX : PL_LINE_BATCH_GET_MAX;
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    if (p->at == p->end || *p->at != '{')
        return pl_line_expected(p, "a JSON object with a member for each table");
    rc = take_batch_once(p, &batch);
    if (rc != 0)
        return rc;
    if (batch.count == 0)
        return pl_reason_set(p->why, PL_EINVALID, "BATCH %s expected at least one %s, found none",
                             p->batch_write ? "WRITE" : "GET", p->batch_write ? "write" : "key");
    p->op->children = pl_arena_zalloc(&p->op->arena, batch.count, sizeof *p->op->children);
    if (p->op->children == NULL)
        return PL_ENOMEM;
    batch.counting = false;
    rc = take_batch_once(p, &batch);
    p->at = batch.r.at;
    return rc;
}
