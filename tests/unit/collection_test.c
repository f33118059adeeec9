/* SPDX-License-Identifier: MIT */
#include "partition/collection.h"

#include "model/json.h"
#include "node.h"

#include "scratch_tree.h"
#include "test.h"

/* A node without threads: what is run is finished; what is sent waits for finish(), and is judged in one turn. */
enum { SENT_MAX = 8 };

struct rig {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op, sent[SENT_MAX];
    unsigned sent_count;
    uint64_t bytes_max;
    char name[16];
    struct pl_buf report;
    int rc;
};

static void ignore(struct pl_operation *op)
{
    (void)op;
}

static void open_node(struct rig *r)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .data_path = scratch_path(scratch(), r->name),
                                       .partition_count = 4,
                                       .sync_mode = PL_SYNC_NEVER,
                                       .collection_bytes_max = r->bytes_max,
                                       .clock = pl_clock_system(),
                                       .random = pl_random_system() };

    CHECK_MSG(pl_node_open(&options, &r->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(r->node, NULL, NULL, &r->attachment) == 0);
}

static void close_node(struct rig *r)
{
    pl_node_detach(r->attachment);
    pl_node_close(r->node);
}

static void start(struct rig *r, uint64_t bytes_max)
{
    static unsigned number;

    *r = (struct rig){ .bytes_max = bytes_max };
    snprintf(r->name, sizeof r->name, "%u", number++);
    open_node(r);
}

static void begin(struct pl_operation *op, enum pl_operation_name name)
{
    pl_operation_reset(op, name);
    op->table_name = pl_str("Things");
    op->params.literals = true;
    op->done = ignore;
}

static int run(struct rig *r)
{
    if (!pl_router_run(pl_attachment_router(r->attachment), &r->op))
        pl_attachment_flush(r->attachment);
    pl_router_rest(pl_attachment_router(r->attachment));
    return r->op.reply.rc;
}

static void take_report(void *state, int rc, struct pl_bytes report)
{
    struct rig *r = state;

    r->rc = rc;
    pl_buf_clear(&r->report);
    pl_buf_append_bytes(&r->report, report);
}

/* Everything agrees with everything, collections' sizes with what is in them among it. */
static void check(struct rig *r)
{
    CHECK(pl_node_check(r->attachment, take_report, r) == 0 && r->rc == 0);
    pl_buf_append_byte(&r->report, '\0');
    CHECK_MSG(strstr(r->report.data, "\"ok\":true") != NULL, "%s", r->report.data);
}

static void end(struct rig *r)
{
    check(r);
    pl_operation_deinit(&r->op);
    pl_buf_deinit(&r->report);
    close_node(r);
}

static int define(struct rig *r, enum pl_operation_name name, const char *definition)
{
    begin(&r->op, name);
    r->op.definition = pl_str(definition);
    return run(r);
}

static const char WITH_INDEX[] =
    "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:N\",\"indexes\":{"
    "\"ByL\":{\"sort_key\":\"L:N\",\"project\":\"all\"},\"ByG\":{\"partition_key\":\"G:S\"}}}";
static const char WITHOUT_INDEX[] = "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:N\"}";
static const char ADD_INDEX[] = "{\"indexes\":{\"ByL\":{\"sort_key\":\"L:N\",\"project\":\"all\"}}}";
static const char DROP_INDEX[] = "{\"indexes\":{\"ByL\":null}}";

static void give(struct pl_operation *op, const char *p, unsigned k, bool l, size_t filler)
{
    struct pl_buf json = { 0 };
    struct pl_reason why = { 0 };

    pl_buf_append_format(&json, "{\"P\":\"%s\",\"K\":%u", p, k);
    if (l)
        pl_buf_append_bytes(&json, pl_str(",\"L\":1,\"G\":\"g\""));
    if (filler > 0) {
        pl_buf_append_bytes(&json, pl_str(",\"F\":\""));
        for (size_t i = 0; i < filler; i++)
            pl_buf_append_byte(&json, 'f');
        pl_buf_append_byte(&json, '"');
    }
    pl_buf_append_byte(&json, '}');
    CHECK_MSG(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &why) ==
                  0,
              "%s", why.text);
    pl_buf_deinit(&json);
}

static int put(struct rig *r, const char *p, unsigned k, bool l, size_t filler)
{
    begin(&r->op, PL_OP_PUT);
    give(&r->op, p, k, l, filler);
    return run(r);
}

static int del(struct rig *r, const char *p, unsigned k)
{
    begin(&r->op, PL_OP_DELETE);
    give(&r->op, p, k, false, 0);
    return run(r);
}

static void send(struct rig *r, enum pl_operation_name name, unsigned k, const char *definition)
{
    struct pl_operation *op = &r->sent[r->sent_count++];

    begin(op, name);
    if (definition != NULL)
        op->definition = pl_str(definition);
    else
        give(op, "p", k, name == PL_OP_PUT, name == PL_OP_PUT ? 10 : 0);
    CHECK(!pl_router_run(pl_attachment_router(r->attachment), op));
}

static void finish(struct rig *r)
{
    pl_attachment_flush(r->attachment);
    pl_router_rest(pl_attachment_router(r->attachment));
    for (unsigned i = 0; i < r->sent_count; i++)
        CHECK_MSG(r->sent[i].reply.rc == 0, "%u: %s", i, r->sent[i].reply.why.text);
}

static void forget_sent(struct rig *r)
{
    for (unsigned i = 0; i < r->sent_count; i++)
        pl_operation_deinit(&r->sent[i]);
    r->sent_count = 0;
}

static void a_collection_is_its_items_and_their_local_entries(void)
{
    struct rig r;
    uint64_t one;

    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITH_INDEX) == 0);
    CHECK(put(&r, "p", 1, false, 100) == 0 && r.op.reply.has_collection);
    one = r.op.item.size_bytes;
    CHECK(r.op.reply.collection_bytes == one);
    CHECK(put(&r, "p", 2, true, 100) == 0);
    CHECK(r.op.reply.collection_bytes ==
          one + 2 * r.op.item.size_bytes); /* the global index's is not among it */
    CHECK(put(&r, "q", 1, false, 7) == 0);
    CHECK(r.op.reply.collection_bytes == r.op.item.size_bytes);
    CHECK(put(&r, "p", 1, false, 50) == 0);
    CHECK(put(&r, "p", 2, false, 50) == 0);
    CHECK(r.op.reply.collection_bytes == 2 * r.op.item.size_bytes);
    one = r.op.item.size_bytes;
    CHECK(put(&r, "p", 2, false, 50) == 0 && r.op.reply.has_collection); /* the same again */
    CHECK(r.op.reply.collection_bytes == 2 * one);
    CHECK(del(&r, "p", 1) == 0 && r.op.reply.collection_bytes == one);
    CHECK(del(&r, "p", 2) == 0 && r.op.reply.collection_bytes == 0);
    CHECK(del(&r, "p", 2) == 0 && !r.op.reply.has_collection);
    end(&r);
}

static void a_table_without_local_index_has_none(void)
{
    struct rig r;

    start(&r, 10);
    CHECK(define(&r, PL_OP_CREATE, WITHOUT_INDEX) == 0);
    CHECK(put(&r, "p", 1, true, 1000) == 0 && !r.op.reply.has_collection);
    end(&r);
}

static void what_grows_is_refused_at_the_limit_and_what_shrinks_is_not(void)
{
    struct rig r;

    start(&r, 1000);
    CHECK(define(&r, PL_OP_CREATE, WITH_INDEX) == 0);
    CHECK(put(&r, "p", 1, false, 900) == 0);
    CHECK(put(&r, "p", 2, false, 100) == PL_ECOLLECTION);
    CHECK(strcmp(pl_reason_text(&r.op.reply.why, r.op.reply.rc), "Collection size exceeded.") == 0);
    CHECK(strcmp(pl_error_code(r.op.reply.rc), "ItemCollectionSizeLimitExceededException") == 0);
    begin(&r.op, PL_OP_GET);
    give(&r.op, "p", 2, false, 0);
    CHECK(run(&r) == 0 && !r.op.reply.has_item);
    CHECK(put(&r, "q", 2, false, 100) == 0);               /* another collection */
    CHECK(put(&r, "p", 1, false, 1200) == PL_ECOLLECTION); /* larger */
    CHECK(put(&r, "p", 1, true, 900) == PL_ECOLLECTION);   /* its entry would be too much */

    /* Over the limit, as after it was lowered, smaller is better and as large no worse. */
    close_node(&r);
    r.bytes_max = 500;
    open_node(&r);
    CHECK(put(&r, "p", 1, false, 900) == 0);
    CHECK(put(&r, "p", 1, false, 901) == PL_ECOLLECTION);
    CHECK(put(&r, "p", 1, false, 800) == 0);
    CHECK(put(&r, "p", 2, false, 1) == PL_ECOLLECTION);
    CHECK(del(&r, "p", 1) == 0 && r.op.reply.collection_bytes == 0);
    CHECK(put(&r, "p", 2, false, 400) == 0);
    end(&r);
}

static void room_that_deletes_made_is_room(void)
{
    struct rig r;

    start(&r, 5000);
    CHECK(define(&r, PL_OP_CREATE, WITH_INDEX) == 0);
    for (unsigned k = 0; k < 100; k++) {
        CHECK_MSG(put(&r, "p", k, true, 1000) == 0, "%u", k);
        CHECK(del(&r, "p", k) == 0);
    }
    end(&r);
}

static void an_index_added_to_a_live_table_finds_what_is_there(void)
{
    struct rig r;
    uint64_t all = 0;

    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITHOUT_INDEX) == 0);
    for (unsigned k = 0; k < 20; k++) {
        CHECK(put(&r, "p", k, k % 2 == 0, 30) == 0);
        all += r.op.item.size_bytes * (k % 2 == 0 ? 2 : 1);
    }
    CHECK(define(&r, PL_OP_ALTER, ADD_INDEX) == 0); /* and it is filled */
    check(&r);
    CHECK(put(&r, "p", 100, false, 30) == 0);
    CHECK_MSG(r.op.reply.collection_bytes == all + r.op.item.size_bytes, "%llu",
              (unsigned long long)r.op.reply.collection_bytes);
    check(&r);

    /* Without a local index nobody counts; with the next one it is counted anew. */
    CHECK(define(&r, PL_OP_ALTER, DROP_INDEX) == 0);
    CHECK(put(&r, "p", 100, false, 3000) == 0 && !r.op.reply.has_collection);
    all += r.op.item.size_bytes;
    CHECK(define(&r, PL_OP_ALTER, ADD_INDEX) == 0);
    CHECK(put(&r, "p", 101, false, 30) == 0);
    CHECK(r.op.reply.collection_bytes == all + r.op.item.size_bytes);
    end(&r);
}

static void a_dropped_indexs_part_is_given_up(void)
{
    struct rig r;
    uint64_t all;

    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITH_INDEX) == 0);
    CHECK(put(&r, "p", 1, true, 500) == 0);
    all = r.op.item.size_bytes;
    CHECK(define(&r, PL_OP_ALTER, "{\"indexes\":{\"ByF\":{\"sort_key\":\"F:S\",\"project\":\"all\"}}}") == 0);
    check(&r);
    CHECK(put(&r, "q", 1, true, 500) == 0 && r.op.reply.collection_bytes == 3 * all);
    CHECK(define(&r, PL_OP_ALTER, DROP_INDEX) == 0);
    check(&r);
    CHECK(put(&r, "p", 1, true, 500) == 0 && r.op.reply.collection_bytes == 2 * all); /* the same again */
    CHECK(put(&r, "q", 1, true, 400) == 0 && r.op.reply.collection_bytes == 2 * (all - 100));
    end(&r);
}

static void a_large_collection_is_counted_too(void)
{
    enum { ITEMS = 9000 };
    struct rig r;
    uint64_t all = 0;

    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITHOUT_INDEX) == 0);
    for (unsigned k = 0; k < ITEMS; k++) {
        CHECK(put(&r, "p", k, k % 3 == 0, 0) == 0);
        all += r.op.item.size_bytes * (k % 3 == 0 ? 2 : 1);
    }
    CHECK(define(&r, PL_OP_ALTER, ADD_INDEX) == 0);
    check(&r);
    CHECK(put(&r, "p", ITEMS, false, 0) == 0 && r.op.reply.has_collection);
    CHECK_MSG(r.op.reply.collection_bytes == all + r.op.item.size_bytes, "%llu of %llu",
              (unsigned long long)r.op.reply.collection_bytes, (unsigned long long)all);
    end(&r);
}

/* Judged in one turn: nothing is applied yet when the index comes, and the walk must see it all the same. */
static void what_is_in_flight_when_the_index_comes_is_counted(void)
{
    struct rig r;
    uint64_t one;

    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITHOUT_INDEX) == 0);
    CHECK(put(&r, "p", 1, true, 10) == 0 && put(&r, "p", 9, true, 10) == 0);
    one = r.op.item.size_bytes;
    send(&r, PL_OP_PUT, 2, NULL);
    send(&r, PL_OP_DELETE, 9, NULL);
    send(&r, PL_OP_ALTER, 0, ADD_INDEX);
    send(&r, PL_OP_PUT, 3, NULL); /* 1, 2, 3 and the entry of 3 */
    send(&r, PL_OP_PUT, 2, NULL);
    send(&r, PL_OP_DELETE, 1, NULL);
    finish(&r);
    CHECK_MSG(r.sent[3].reply.collection_bytes == 4 * one, "%llu of %llu",
              (unsigned long long)r.sent[3].reply.collection_bytes, (unsigned long long)one);
    CHECK(r.sent[5].reply.collection_bytes == 3 * one);
    forget_sent(&r);
    check(&r);
    CHECK(put(&r, "p", 7, false, 13) == 0);
    CHECK_MSG(r.op.reply.collection_bytes == 4 * one + r.op.item.size_bytes, "%llu",
              (unsigned long long)r.op.reply.collection_bytes); /* 2 and 3, each with its entry */
    end(&r);
}

static void random_writes_leave_every_size_exact(void)
{
    static char names[4][1600];
    uint64_t seed = test_seed();
    struct rig r;

    for (unsigned i = 0; i < 4; i++) {
        size_t len = i < 2 ? 1 : 1500; /* two are too long for a key of the store */

        memset(names[i], 'n', len);
        snprintf(names[i] + len, 8, "%u", i);
    }
    start(&r, 0);
    CHECK(define(&r, PL_OP_CREATE, WITH_INDEX) == 0);
    for (unsigned i = 0; i < 600; i++) {
        uint64_t random = test_random(&seed);
        const char *name = names[random % 4];
        unsigned k = (unsigned)(random >> 8) % 12;

        CHECK((random >> 16) % 3 == 0 ? del(&r, name, k) == 0
                                      : put(&r, name, k, (random >> 20) % 2, (random >> 24) % 300) == 0);
        if (i % 200 == 100) {
            check(&r);
            close_node(&r);
            open_node(&r);
        }
    }
    end(&r);
}

int main(void)
{
    RUN(a_collection_is_its_items_and_their_local_entries);
    RUN(a_table_without_local_index_has_none);
    RUN(what_grows_is_refused_at_the_limit_and_what_shrinks_is_not);
    RUN(room_that_deletes_made_is_room);
    RUN(an_index_added_to_a_live_table_finds_what_is_there);
    RUN(a_dropped_indexs_part_is_given_up);
    RUN(a_large_collection_is_counted_too);
    RUN(what_is_in_flight_when_the_index_comes_is_counted);
    RUN(random_writes_leave_every_size_exact);
    return test_summary();
}
