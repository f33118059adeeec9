/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "node.h"

#include "test.h"

#include <ftw.h>
#include <unistd.h>

/* A node without threads in a directory of its own: every operation is finished when run() returns. */
struct fixture {
    char path[64];
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    struct pl_buf rows;
};

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void open_node(struct fixture *f)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .data_path = f->path,
                                       .clock = pl_clock_system(),
                                       .random = pl_random_system() };

    CHECK_MSG(pl_node_open(&options, &f->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(f->node, NULL, NULL, &f->attachment) == 0);
}

static void close_node(struct fixture *f)
{
    pl_operation_deinit(&f->op);
    pl_node_detach(f->attachment);
    pl_node_close(f->node);
    f->node = NULL;
}

static void start(struct fixture *f)
{
    *f = (struct fixture){ .path = "/tmp/perilune-node-test-XXXXXX" };
    CHECK(mkdtemp(f->path) != NULL);
    open_node(f);
}

static void end(struct fixture *f)
{
    close_node(f);
    pl_buf_deinit(&f->rows);
    nftw(f->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void done(struct pl_operation *op)
{
    (void)op;
}

static int gather_row(struct pl_operation *op, struct pl_item item)
{
    struct fixture *f = op->owner;

    pl_json_write_item(&f->rows, PL_JSON_PLAIN, item);
    pl_buf_append_byte(&f->rows, '\n');
    return 0;
}

static int run(struct fixture *f)
{
    f->op.done = done;
    f->op.row = gather_row;
    f->op.owner = f;
    pl_buf_clear(&f->rows);
    if (!pl_router_run(pl_attachment_router(f->attachment), &f->op))
        pl_attachment_flush(f->attachment);
    return f->op.reply.rc;
}

static void ask(struct fixture *f, enum pl_operation_name name, const char *table)
{
    pl_operation_reset(&f->op, name);
    f->op.table_name = pl_str(table);
    f->op.params.literals = true;
}

static void give_item(struct fixture *f, const char *json)
{
    struct pl_reason why = { 0 };

    CHECK_MSG(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &f->op.arena, &f->op.bytes, &f->op.item, &why) ==
                  0,
              "%s", why.text);
}

static int create(struct fixture *f, const char *definition)
{
    ask(f, PL_OP_CREATE, "");
    f->op.definition = pl_str(definition);
    return run(f);
}

static int put(struct fixture *f, const char *table, const char *json)
{
    ask(f, PL_OP_PUT, table);
    give_item(f, json);
    return run(f);
}

static int get(struct fixture *f, const char *table, const char *key)
{
    ask(f, PL_OP_GET, table);
    give_item(f, key);
    return run(f);
}

static int query(struct fixture *f, const char *table, const char *index, const char *where)
{
    ask(f, PL_OP_QUERY, table);
    f->op.index_name = pl_str(index);
    f->op.key_condition_text = pl_str(where);
    return run(f);
}

static bool rows_are(struct fixture *f, const char *expected)
{
    if (pl_bytes_equal(pl_buf_view(&f->rows), pl_str(expected)))
        return true;
    fprintf(stderr, "rows:\n%.*s", (int)f->rows.len, f->rows.data);
    return false;
}

static const char *const messages =
    "{\"table\":\"Messages\",\"partition_key\":\"ChatID:S\",\"sort_key\":\"MsgID:S\","
    "\"indexes\":{\"ByUser\":{\"partition_key\":\"UserID:S\",\"sort_key\":\"ChatID:S\",\"project\":\"all\"},"
    "\"ByLikes\":{\"sort_key\":\"Likes:N\",\"project\":\"keys_only\"}}}";

static void fill(struct fixture *f)
{
    CHECK_MSG(create(f, messages) == 0, "%s", f->op.reply.why.text);
    CHECK(put(f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"001\",\"UserID\":\"a\",\"Likes\":7}") == 0);
    CHECK(put(f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"002\",\"UserID\":\"b\",\"Likes\":-3}") == 0);
    CHECK(put(f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"003\",\"UserID\":\"a\"}") == 0);
    CHECK(put(f, "Messages", "{\"ChatID\":\"c2\",\"MsgID\":\"001\",\"UserID\":\"a\",\"Likes\":100}") == 0);
}

static void check_contents(struct fixture *f)
{
    CHECK(get(f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"002\"}") == 0 && f->op.reply.has_item);
    CHECK(get(f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"009\"}") == 0 && !f->op.reply.has_item);
    CHECK_MSG(query(f, "Messages", "", "ChatID = \"c1\" AND MsgID BETWEEN \"002\" AND \"010\"") == 0, "%s",
              f->op.reply.why.text);
    CHECK(rows_are(f, "{\"ChatID\":\"c1\",\"Likes\":-3,\"MsgID\":\"002\",\"UserID\":\"b\"}\n"
                      "{\"ChatID\":\"c1\",\"MsgID\":\"003\",\"UserID\":\"a\"}\n"));
    CHECK(query(f, "Messages", "ByLikes", "ChatID = \"c1\"") == 0);
    CHECK(rows_are(f, "{\"ChatID\":\"c1\",\"Likes\":-3,\"MsgID\":\"002\"}\n{\"ChatID\":\"c1\",\"Likes\":7,"
                      "\"MsgID\":\"001\"}\n"));
    CHECK(query(f, "Messages", "ByUser", "UserID = \"a\" AND ChatID > \"c1\"") == 0);
    CHECK(f->op.reply.count == 1);
    ask(f, PL_OP_SCAN, "Messages");
    CHECK(run(f) == 0 && f->op.reply.count == 4);
}

static void what_was_put_is_found_by_key_by_query_and_by_index(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    check_contents(&f);
    end(&f);
}

static void everything_is_there_after_a_restart(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    close_node(&f);
    open_node(&f);
    check_contents(&f);
    end(&f);
}

static void a_condition_that_fails_changes_nothing(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    ask(&f, PL_OP_DELETE, "Messages");
    give_item(&f, "{\"ChatID\":\"c1\",\"MsgID\":\"001\"}");
    f.op.condition_text = pl_str("Likes > 7");
    CHECK(run(&f) == PL_ECONDITION);
    check_contents(&f);
    end(&f);
}

static void an_index_added_to_a_live_table_is_filled(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    ask(&f, PL_OP_ALTER, "Messages");
    f.op.definition =
        pl_str("{\"indexes\":{\"ByMsg\":{\"partition_key\":\"MsgID:S\",\"project\":[\"Likes\"]}}}");
    CHECK_MSG(run(&f) == 0, "%s", f.op.reply.why.text);
    CHECK_MSG(query(&f, "Messages", "ByMsg", "MsgID = \"001\"") == 0, "%s", f.op.reply.why.text);
    CHECK(f.op.reply.count == 2);
    ask(&f, PL_OP_ALTER, "Messages");
    f.op.definition = pl_str("{\"indexes\":{\"ByMsg\":null}}");
    CHECK(run(&f) == 0);
    CHECK(query(&f, "Messages", "ByMsg", "MsgID = \"001\"") == PL_EINVALID);
    end(&f);
}

static void a_dropped_table_is_gone_and_its_name_is_free(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    ask(&f, PL_OP_DROP, "Messages");
    CHECK(run(&f) == 0);
    CHECK(get(&f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"002\"}") == PL_ENOTABLE);
    CHECK(create(&f, messages) == 0);
    CHECK(create(&f, messages) == PL_EINUSE);
    CHECK(get(&f, "Messages", "{\"ChatID\":\"c1\",\"MsgID\":\"002\"}") == 0 && !f.op.reply.has_item);
    end(&f);
}

static bool all_is_well;
static void take_report(void *state, int rc, struct pl_bytes report)
{
    (void)state;
    all_is_well = rc == 0 && memmem(report.data, report.len, "\"ok\":true", 9) != NULL;
    if (!all_is_well)
        fprintf(stderr, "check: %d %.*s\n", rc, (int)report.len, report.data);
}

static void check_finds_all_well(void)
{
    struct fixture f;

    start(&f);
    fill(&f);
    all_is_well = false;
    CHECK(pl_node_check(f.attachment, take_report, NULL) == 0);
    CHECK(all_is_well);
    end(&f);
}

static void pages_follow_each_other_without_gap(void)
{
    struct fixture f;
    char json[128];
    struct pl_buf last = { 0 };
    uint32_t seen = 0, pages = 0;

    start(&f);
    CHECK(create(&f, "{\"table\":\"Numbers\",\"partition_key\":\"P:S\",\"sort_key\":\"N:N\"}") == 0);
    for (int i = -50; i < 50; i++) {
        snprintf(json, sizeof json, "{\"P\":\"p\",\"N\":%d}", i);
        CHECK(put(&f, "Numbers", json) == 0);
    }
    do {
        ask(&f, PL_OP_QUERY, "Numbers");
        f.op.key_condition_text = pl_str("P = \"p\"");
        f.op.limit = 7;
        f.op.descending = true;
        f.op.has_start_key = pages > 0;
        if (pages > 0) {
            f.op.start_key.bytes = pl_buf_view(&last);
        }
        CHECK_MSG(run(&f) == 0, "%s", f.op.reply.why.text);
        seen += (uint32_t)f.op.reply.count;
        pages++;
        if (f.op.reply.has_last_key) {
            pl_buf_clear(&last);
            pl_buf_append_bytes(&last, f.op.reply.last_key.bytes);
        }
    } while (f.op.reply.has_last_key);
    CHECK(seen == 100 && pages == 15);
    pl_buf_deinit(&last);
    end(&f);
}

enum { PATIENT_GETS = 40 };

/* Remembers in which order they were done, each when nothing was yet let go of. */
static uint32_t patient_done;

static void patiently_done(struct pl_operation *op)
{
    CHECK(op->owner == (void *)(uintptr_t)(patient_done + 1));
    CHECK(op->reply.rc == 0 && op->reply.has_item == (patient_done % 2 == 0));
    patient_done++;
}

static void patient_gets_are_done_together_at_the_end_of_the_turn(void)
{
    static struct pl_operation gets[PATIENT_GETS];
    struct fixture f;
    char json[64];

    start(&f);
    CHECK(create(&f, "{\"table\":\"T__\",\"partition_key\":\"id:N\"}") == 0);
    for (uint32_t i = 0; i < PATIENT_GETS; i += 2) {
        snprintf(json, sizeof json, "{\"id\":%u}", i);
        CHECK(put(&f, "T__", json) == 0);
    }
    patient_done = 0;
    for (uint32_t i = 0; i < PATIENT_GETS; i++) {
        snprintf(json, sizeof json, "{\"id\":%u}", i);
        pl_operation_init(&gets[i], PL_OP_GET);
        gets[i].table_name = pl_str("T__");
        CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &gets[i].arena, &gets[i].bytes, &gets[i].item,
                                NULL) == 0);
        gets[i].patient = true;
        gets[i].owner = (void *)(uintptr_t)(i + 1);
        gets[i].done = patiently_done;
        CHECK(!pl_router_run(pl_attachment_router(f.attachment), &gets[i]));
    }
    CHECK(patient_done == 0);
    pl_attachment_flush(f.attachment);
    CHECK(patient_done == PATIENT_GETS);
    pl_attachment_flush(f.attachment);
    CHECK(patient_done == PATIENT_GETS);
    for (uint32_t i = 0; i < PATIENT_GETS; i++)
        pl_operation_deinit(&gets[i]);
    /* One that is wrong is answered at once. */
    pl_operation_init(&gets[0], PL_OP_GET);
    gets[0].table_name = pl_str("none");
    gets[0].patient = true;
    CHECK(pl_router_run(pl_attachment_router(f.attachment), &gets[0]) && gets[0].reply.rc == PL_ENOTABLE);
    pl_operation_deinit(&gets[0]);
    end(&f);
}

int main(void)
{
    RUN(what_was_put_is_found_by_key_by_query_and_by_index);
    RUN(everything_is_there_after_a_restart);
    RUN(a_condition_that_fails_changes_nothing);
    RUN(an_index_added_to_a_live_table_is_filled);
    RUN(a_dropped_table_is_gone_and_its_name_is_free);
    RUN(check_finds_all_well);
    RUN(pages_follow_each_other_without_gap);
    RUN(patient_gets_are_done_together_at_the_end_of_the_turn);
    return test_summary();
}
