/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

static void check_projection(const char *text, const char *stored, const char *expected)
{
    struct pl_projection *projection;
    struct pl_item item, projected;
    struct pl_buf buf = { 0 };
    struct request r;

    request_init(&r, NULL, NULL);
    item = request_item(&r, stored);
    CHECK_MSG(pl_projection_parse(&r.params, pl_str(text), &projection, &r.why) == 0, "%s", r.why.text);
    CHECK(pl_projection_apply(projection, item, &r.arena, &buf, &projected) == 0);
    CHECK_MSG(strcmp(request_json(projected), expected) == 0, "%s: %s", text, request_json(projected));
    request_check_sound(projected);
    pl_buf_deinit(&buf);
    request_deinit(&r);
}

static void what_was_named_is_copied(void)
{
    check_projection("a", "{\"a\":1,\"b\":2}", "{\"a\":1}");
    check_projection("b, a", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2}");
    check_projection("z, m, a", "{\"a\":{\"x\":[1]},\"b\":2,\"z\":{\"$set\":[1,2]}}",
                     "{\"a\":{\"x\":[1]},\"z\":{\"$set\":[1,2]}}");
    check_projection("aa, a", "{\"a\":1,\"aa\":2,\"aaa\":3}", "{\"a\":1,\"aa\":2}");
}

static void what_is_missing_leaves_nothing(void)
{
    check_projection("z", "{\"a\":1}", "{}");
    check_projection("a", "{}", "{}");
    check_projection("a.x", "{\"a\":1}", "{}");
    check_projection("a.x", "{\"a\":{\"y\":1}}", "{}");
    check_projection("a.x.z, b", "{\"a\":{\"x\":{\"y\":1}},\"b\":2}", "{\"b\":2}");
    check_projection("a[0]", "{\"a\":[]}", "{}");
    check_projection("a[0]", "{\"a\":{\"x\":1}}", "{}");
    check_projection("a[1].b", "{\"a\":[{\"b\":1}]}", "{}");
    check_projection("a.x, a.y", "{\"a\":{\"b\":1,\"z\":2}}", "{}");
}

static void nested_values_keep_their_skeleton(void)
{
    check_projection("a.x", "{\"a\":{\"w\":0,\"x\":1,\"y\":2}}", "{\"a\":{\"x\":1}}");
    check_projection("a.y, a.w", "{\"a\":{\"w\":0,\"x\":1,\"y\":2}}", "{\"a\":{\"w\":0,\"y\":2}}");
    check_projection("a.b.c.d", "{\"a\":{\"b\":{\"c\":{\"d\":5,\"e\":6}}}}",
                     "{\"a\":{\"b\":{\"c\":{\"d\":5}}}}");
    check_projection("a.em", "{\"a\":{\"em\":{}}}", "{\"a\":{\"em\":{}}}");
}

static void list_elements_come_compacted_in_their_order(void)
{
    check_projection("a[2], a[0]", "{\"a\":[10,11,12]}", "{\"a\":[10,12]}");
    check_projection("a[1].b, a[3]", "{\"a\":[0,{\"b\":1,\"c\":2},2,3]}", "{\"a\":[{\"b\":1},3]}");
    check_projection("a[5], a[1]", "{\"a\":[10,11]}", "{\"a\":[11]}");
    check_projection("a[0][1]", "{\"a\":[[1,2],[3]]}", "{\"a\":[[2]]}");
}

static void the_result_is_appended_to_what_the_buffer_holds(void)
{
    struct pl_projection *projection;
    struct pl_item item, first, second;
    struct pl_buf buf = { 0 };
    struct request r;

    request_init(&r, NULL, NULL);
    item = request_item(&r, "{\"a\":1,\"b\":2}");
    pl_buf_append(&buf, "xyz", 3);
    CHECK(pl_projection_parse(&r.params, pl_str("a"), &projection, &r.why) == 0);
    CHECK(pl_projection_apply(projection, item, &r.arena, &buf, &first) == 0);
    CHECK(memcmp(buf.data, "xyz", 3) == 0 && first.bytes.data == buf.data + 3);
    CHECK(pl_projection_apply(projection, item, &r.arena, &buf, &second) == 0);
    CHECK(strcmp(request_json(second), "{\"a\":1}") == 0);
    pl_buf_deinit(&buf);
    request_deinit(&r);
}

int main(void)
{
    RUN(what_was_named_is_copied);
    RUN(what_is_missing_leaves_nothing);
    RUN(nested_values_keep_their_skeleton);
    RUN(list_elements_come_compacted_in_their_order);
    RUN(the_result_is_appended_to_what_the_buffer_holds);
    return test_summary();
}
