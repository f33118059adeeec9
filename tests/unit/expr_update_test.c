/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

/* What an update does to `stored` (NULL: no item): the new item, or the sentence. */
static void check_update(const char *text, const char *stored, const char *expected)
{
    struct pl_item old, updated = { 0 };
    struct pl_update *update;
    struct pl_buf buf = { 0 };
    struct request r;
    int rc;

    request_init(&r, NULL, NULL);
    old = request_item(&r, stored != NULL ? stored : "{}");
    CHECK_MSG(pl_update_parse(&r.params, pl_str(text), &update, &r.why) == 0, "%s: %s", text, r.why.text);
    pl_buf_append(&buf, "before", 6);
    rc = pl_update_apply(update, old, stored == NULL, &r.arena, &buf, &updated, &r.why);
    if (rc != 0) {
        CHECK(rc == PL_EINVALID && buf.len == 6);
        CHECK_MSG(strcmp(r.why.text, expected) == 0, "%s: %s", text, r.why.text);
    } else {
        CHECK_MSG(strcmp(request_json(updated), expected) == 0, "%s: %s", text, request_json(updated));
        request_check_sound(updated);
    }
    pl_buf_deinit(&buf);
    request_deinit(&r);
}

static const char *const bad_path =
    "The document path provided in the update expression is invalid for update";
static const char *const bad_type = "An operand in the update expression has an incorrect data type";
static const char *const no_such =
    "The provided expression refers to an attribute that does not exist in the item";

static void set_writes_among_what_stays(void)
{
    check_update("SET b = 2", "{\"a\":1,\"c\":3}", "{\"a\":1,\"b\":2,\"c\":3}");
    check_update("SET z = 2", "{\"a\":1,\"c\":3}", "{\"a\":1,\"c\":3,\"z\":2}");
    check_update("SET A = 2", "{\"a\":1,\"c\":3}", "{\"A\":2,\"a\":1,\"c\":3}");
    check_update("SET a = \"x\"", "{\"a\":1,\"c\":3}", "{\"a\":\"x\",\"c\":3}");
    check_update("SET c = 9, a = 8, b = 7", "{\"a\":1,\"c\":3,\"d\":4}", "{\"a\":8,\"b\":7,\"c\":9,\"d\":4}");
    check_update("SET a = {\"x\":[1]}", NULL, "{\"a\":{\"x\":[1]}}");
    check_update("SET aa = 1", "{\"a\":0,\"aaa\":2}", "{\"a\":0,\"aa\":1,\"aaa\":2}");
}

static void set_reaches_into_documents(void)
{
    check_update("SET m.b = 2", "{\"m\":{\"a\":1,\"c\":3},\"n\":0}",
                 "{\"m\":{\"a\":1,\"b\":2,\"c\":3},\"n\":0}");
    check_update("SET m.b.c = 2", "{\"m\":{\"b\":{}}}", "{\"m\":{\"b\":{\"c\":2}}}");
    check_update("SET l[1] = 9", "{\"l\":[0,1,2]}", "{\"l\":[0,9,2]}");
    check_update("SET l[1].x = 9, l[0] = 8", "{\"l\":[0,{\"x\":1},2]}", "{\"l\":[8,{\"x\":9},2]}");
    check_update("SET l[0][1] = 9", "{\"l\":[[1,2],3]}", "{\"l\":[[1,9],3]}");
}

static void a_set_beyond_the_end_appends_by_index(void)
{
    check_update("SET l[100] = 9", "{\"l\":[0]}", "{\"l\":[0,9]}");
    check_update("SET l[7] = 7, l[3] = 3, l[50] = 50", "{\"l\":[0,1]}", "{\"l\":[0,1,3,7,50]}");
    check_update("SET l[0] = 1", "{\"l\":[]}", "{\"l\":[1]}");
    check_update("SET l[5].x = 1", "{\"l\":[]}", bad_path);
}

static void a_path_needs_its_parent(void)
{
    check_update("SET m.b = 2", "{\"n\":1}", bad_path);
    check_update("SET m.b = 2", NULL, bad_path);
    check_update("SET m.b = 2", "{\"m\":1}", bad_path);
    check_update("SET m.b = 2", "{\"m\":[1]}", bad_path);
    check_update("SET m[0] = 2", "{\"m\":{\"x\":1}}", bad_path);
    check_update("SET m.a.b = 2", "{\"m\":{}}", bad_path);
    check_update("REMOVE m.b", "{\"n\":1}", bad_path);
    check_update("REMOVE m.b.c", "{\"m\":{}}", bad_path);
    check_update("REMOVE m[0]", "{\"m\":1}", bad_path);
    check_update("ADD m.b 1", "{\"n\":1}", bad_path);
    check_update("DELETE m.b {\"$set\":[1]}", "{\"n\":1}", bad_path);
}

static void right_hand_sides_see_the_item_before(void)
{
    check_update("SET a = b, b = a", "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}");
    check_update("REMOVE a SET b = a", "{\"a\":1}", "{\"b\":1}");
    check_update("SET x = 5, y = x", "{\"x\":1}", "{\"x\":5,\"y\":1}");
    check_update("SET x = 5, y = x", "{\"a\":1}", no_such);
    check_update("SET b = l[1] REMOVE l[0], l[2]", "{\"l\":[10,11,12,13]}", "{\"b\":11,\"l\":[11,13]}");
    check_update("SET c = m.x.y", "{\"m\":{\"x\":{\"y\":[1]}}}", "{\"c\":[1],\"m\":{\"x\":{\"y\":[1]}}}");
}

static void remove_takes_away_and_lists_close_up(void)
{
    check_update("REMOVE a", "{\"a\":1,\"b\":2}", "{\"b\":2}");
    check_update("REMOVE a, b", "{\"a\":1,\"b\":2}", "{}");
    check_update("REMOVE z", "{\"a\":1}", "{\"a\":1}");
    check_update("REMOVE m.x", "{\"m\":{\"x\":1}}", "{\"m\":{}}");
    check_update("REMOVE m.z", "{\"m\":{\"x\":1}}", "{\"m\":{\"x\":1}}");
    check_update("REMOVE l[1], l[3]", "{\"l\":[0,1,2,3,4]}", "{\"l\":[0,2,4]}");
    check_update("REMOVE l[9]", "{\"l\":[0]}", "{\"l\":[0]}");
    check_update("REMOVE l[0] SET l[9] = 5, l[1] = 4", "{\"l\":[0,1]}", "{\"l\":[4,5]}");
    check_update("REMOVE m.b.c, a", NULL, "{}");
    check_update("REMOVE m.b SET x = 1 DELETE q.w {\"$set\":[1]}", NULL, "{\"x\":1}");
}

static void add_sums_and_joins(void)
{
    check_update("ADD n 5", "{\"n\":1}", "{\"n\":6}");
    check_update("ADD n 5", "{\"a\":1}", "{\"a\":1,\"n\":5}");
    check_update("ADD n -1", NULL, "{\"n\":-1}");
    check_update("ADD m.n 0.5, l[1] 1, l[7] 7", "{\"m\":{\"n\":1},\"l\":[0,1]}",
                 "{\"l\":[0,2,7],\"m\":{\"n\":1.5}}");
    check_update("ADD s {\"$set\":[\"c\",\"a\"]}", "{\"s\":{\"$set\":[\"b\",\"a\"]}}",
                 "{\"s\":{\"$set\":[\"a\",\"b\",\"c\"]}}");
    check_update("ADD s {\"$set\":[1.0,10,2]}", "{\"s\":{\"$set\":[1,3]}}", "{\"s\":{\"$set\":[1,2,3,10]}}");
    check_update("ADD s {\"$set\":[1]}", "{}", "{\"s\":{\"$set\":[1]}}");
    check_update("ADD s {\"$set\":[1]}", "{\"s\":{\"$set\":[\"a\"]}}", bad_type);
    check_update("ADD s {\"$set\":[1]}", "{\"s\":1}", bad_type);
    check_update("ADD n 1", "{\"n\":\"1\"}", bad_type);
    check_update("ADD n 1", "{\"n\":null}", bad_type);
}

static void delete_takes_out_of_a_set_and_an_empty_set_goes(void)
{
    check_update("DELETE s {\"$set\":[\"a\",\"z\"]}", "{\"s\":{\"$set\":[\"b\",\"a\"]}}",
                 "{\"s\":{\"$set\":[\"b\"]}}");
    check_update("DELETE s {\"$set\":[2]}", "{\"s\":{\"$set\":[1,2,3]}}", "{\"s\":{\"$set\":[1,3]}}");
    check_update("DELETE s {\"$set\":[1,2]}", "{\"a\":1,\"s\":{\"$set\":[2,1]}}", "{\"a\":1}");
    check_update("DELETE m.s {\"$set\":[1,2]}", "{\"m\":{\"s\":{\"$set\":[2,1]}}}", "{\"m\":{}}");
    check_update("DELETE l[0] {\"$set\":[1]}", "{\"l\":[{\"$set\":[1]},5]}", "{\"l\":[5]}");
    check_update("DELETE s {\"$set\":[1]}", "{\"a\":1}", "{\"a\":1}");
    check_update("DELETE s {\"$set\":[1]}", "{\"s\":{\"$set\":[\"a\"]}}", bad_type);
    check_update("DELETE s {\"$set\":[1]}", "{\"s\":1}", bad_type);
}

static void arithmetic_keeps_38_digits(void)
{
    check_update("SET n = n + 1", "{\"n\":41}", "{\"n\":42}");
    check_update("SET n = 1 - n", "{\"n\":41}", "{\"n\":-40}");
    check_update("SET n = n + 0.1", "{\"n\":99999999999999999999999999999999999}",
                 "{\"n\":99999999999999999999999999999999999.1}");
    check_update("SET n = (n) - (n)", "{\"n\":41}", "{\"n\":0}");
    check_update("SET n = n + 1", "{\"n\":\"41\"}", bad_type);
    check_update("SET n = n + 1", "{\"m\":1}", no_such);
    check_update("SET n = n + 1", "{\"n\":100000000000000000000000000000000000000000000000000}",
                 "Number overflow. Attempting to store a number with magnitude larger than supported range");
    check_update("ADD n 1", "{\"n\":100000000000000000000000000000000000000000000000000}",
                 "Number overflow. Attempting to store a number with magnitude larger than supported range");
}

static void functions_fill_gaps_and_append(void)
{
    check_update("SET n = if_not_exists(n, 0) + 1", "{\"a\":1}", "{\"a\":1,\"n\":1}");
    check_update("SET n = if_not_exists(n, 0) + 1", "{\"n\":1}", "{\"n\":2}");
    check_update("SET n = if_not_exists(m.x, if_not_exists(q, 5))", "{\"m\":{}}", "{\"m\":{},\"n\":5}");
    check_update("SET n = if_not_exists(m.x, 5)", "{\"m\":{\"x\":null}}", "{\"m\":{\"x\":null},\"n\":null}");
    check_update("SET n = if_not_exists(a, b)", "{\"c\":1}", no_such);
    check_update("SET l = list_append(l, [3])", "{\"l\":[1,2]}", "{\"l\":[1,2,3]}");
    check_update("SET l = list_append([3], l)", "{\"l\":[1,2]}", "{\"l\":[3,1,2]}");
    check_update("SET l = list_append(l, l)", "{\"l\":[1]}", "{\"l\":[1,1]}");
    check_update("SET l = list_append(if_not_exists(l, []), [3])", NULL, "{\"l\":[3]}");
    check_update("SET l = list_append(l, [3])", "{\"l\":1}", bad_type);
    check_update("SET l = list_append(l, [3])", "{}", no_such);
}

/* `[[[...]]]`, `levels` deep. */
static void nested_list(int levels, char text[128])
{
    memset(text, '[', (size_t)levels);
    memset(text + levels, ']', (size_t)levels);
    text[2 * levels] = '\0';
}

static void nesting_ends_at_32_levels(void)
{
    char deepest[128], deep[128], stored[512], expected[512];

    nested_list(32, deepest);
    nested_list(31, deep);
    snprintf(stored, sizeof stored, "{\"m\":{\"x\":1},\"n\":%s}", deepest);
    snprintf(expected, sizeof expected, "{\"m\":{\"x\":%s},\"n\":%s}", deep, deepest);
    check_update("SET m.x = n", stored, "Nesting Levels have exceeded supported limits");
    check_update("SET m.x = n[0]", stored, expected);
}

struct returned {
    const char *text, *stored, *old, *updated;
};

static void what_is_returned_stands_at_exactly_the_targets(void)
{
    static const struct returned cases[] = {
        { "SET a = 2", "{\"a\":1,\"b\":3}", "{\"a\":1}", "{\"a\":2}" },
        { "SET n = 2", "{\"a\":1}", "{}", "{\"n\":2}" },
        { "SET a = 1", "{\"a\":1}", "{\"a\":1}", "{\"a\":1}" },
        { "REMOVE a", "{\"a\":1}", "{\"a\":1}", "{}" },
        { "SET a.b = 2", "{\"a\":{\"b\":1,\"z\":1}}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}" },
        { "SET a.c[1] = 9", "{\"a\":{\"c\":[1,2,3]}}", "{\"a\":{\"c\":[2]}}", "{\"a\":{\"c\":[9]}}" },
        { "SET a.c[100] = 9", "{\"a\":{\"c\":[1]}}", "{}", "{}" },
        { "REMOVE a.c[1]", "{\"a\":{\"c\":[1,2,3]}}", "{\"a\":{\"c\":[2]}}", "{\"a\":{\"c\":[3]}}" },
        { "ADD n 1 DELETE s {\"$set\":[1]}", "{\"n\":1,\"s\":{\"$set\":[1]}}",
          "{\"n\":1,\"s\":{\"$set\":[1]}}", "{\"n\":2}" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_buf buf = { 0 }, returned_buf = { 0 };
        struct pl_item old, updated, returned;
        struct pl_update *update;
        struct request r;

        request_init(&r, NULL, NULL);
        old = request_item(&r, cases[i].stored);
        CHECK(pl_update_parse(&r.params, pl_str(cases[i].text), &update, &r.why) == 0);
        CHECK(pl_update_apply(update, old, false, &r.arena, &buf, &updated, &r.why) == 0);
        CHECK(pl_update_returned(update, old, &r.arena, &returned_buf, &returned) == 0);
        CHECK_MSG(strcmp(request_json(returned), cases[i].old) == 0, "%s: %s", cases[i].text,
                  request_json(returned));
        CHECK(pl_update_returned(update, updated, &r.arena, &returned_buf, &returned) == 0);
        CHECK_MSG(strcmp(request_json(returned), cases[i].updated) == 0, "%s: %s", cases[i].text,
                  request_json(returned));
        request_check_sound(returned);
        pl_buf_deinit(&buf);
        pl_buf_deinit(&returned_buf);
        request_deinit(&r);
    }
}

static void only_set_and_add_create(void)
{
    static const struct {
        const char *text;
        bool creates;
        uint32_t target_count;
    } cases[] = { { "SET a = b, c = 1", true, 2 },
                  { "REMOVE a", false, 1 },
                  { "ADD a 1", true, 1 },
                  { "DELETE a {\"$set\":[1]}", false, 1 },
                  { "DELETE a {\"$set\":[1]} REMOVE b, c, d SET e = 1", true, 5 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_update *update;
        struct request r;

        request_init(&r, NULL, NULL);
        CHECK(pl_update_parse(&r.params, pl_str(cases[i].text), &update, &r.why) == 0);
        CHECK(pl_update_creates(update) == cases[i].creates);
        CHECK(pl_update_targets(update).count == cases[i].target_count);
        CHECK(pl_bytes_equal(pl_update_targets(update).paths[0]->steps[0].name, pl_str("a")));
        request_deinit(&r);
    }
}

int main(void)
{
    RUN(set_writes_among_what_stays);
    RUN(set_reaches_into_documents);
    RUN(a_set_beyond_the_end_appends_by_index);
    RUN(a_path_needs_its_parent);
    RUN(right_hand_sides_see_the_item_before);
    RUN(remove_takes_away_and_lists_close_up);
    RUN(add_sums_and_joins);
    RUN(delete_takes_out_of_a_set_and_an_empty_set_goes);
    RUN(arithmetic_keeps_38_digits);
    RUN(functions_fill_gaps_and_append);
    RUN(nesting_ends_at_32_levels);
    RUN(what_is_returned_stands_at_exactly_the_targets);
    RUN(only_set_and_add_create);
    return test_summary();
}
