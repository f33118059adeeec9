/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

static const char *const stored =
    "{\"s\":\"hello\",\"u\":\"h\xc3\xa9llo\",\"n\":7,\"neg\":-1.5,\"b\":{\"$binary\":\"AQID\"},\"yes\":true,"
    "\"nil\":null,"
    "\"l\":[1,\"two\",[3],{\"k\":\"v\"}],\"m\":{\"x\":1,\"y\":{\"z\":[10,20]}},\"e\":\"\",\"el\":[],\"em\":{}"
    ","
    "\"ss\":{\"$set\":[\"a\",\"b\"]},\"ns\":{\"$set\":[1,2,3]},\"bs\":{\"$set\":[{\"$binary\":\"AQ==\"}]}}";

struct truth {
    const char *text;
    bool with_item;
    bool without;
};

static bool test(struct request *r, const char *text, const struct pl_item *item)
{
    struct pl_condition *condition = NULL;
    int rc = pl_condition_parse(&r->params, PL_EXPR_CONDITION, pl_str(text), &condition, &r->why);

    CHECK_MSG(rc == 0, "%s: %s", text, r->why.text);
    return pl_condition_test(condition, item);
}

static void check_truths(const struct truth *truths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct request r;
        struct pl_item item;

        request_init(&r, NULL, NULL);
        item = request_item(&r, stored);
        CHECK_MSG(test(&r, truths[i].text, &item) == truths[i].with_item, "%s, with an item", truths[i].text);
        CHECK_MSG(test(&r, truths[i].text, NULL) == truths[i].without, "%s, without", truths[i].text);
        request_deinit(&r);
    }
}

#define CHECK_TRUTHS(truths) check_truths(truths, sizeof truths / sizeof truths[0])

static void comparators_compare_what_has_one_type(void)
{
    static const struct truth truths[] = {
        { "n = 7", true, false },
        { "n = 7.0", true, false },
        { "n = \"7\"", false, false },
        { "n <> 7", false, true },
        { "n <> 8", true, true },
        { "n < 8", true, false },
        { "n < 7", false, false },
        { "n <= 7", true, false },
        { "n > 6.999", true, false },
        { "n > 7", false, false },
        { "n >= 7", true, false },
        { "n >= 8", false, false },
        { "neg < 0", true, false },
        { "s < \"help\"", true, false },
        { "s > \"hell\"", true, false },
        { "n < s", false, false },
        { "n > s", false, false },
        { "n <> s", true, true },
        { "7 = n", true, false },
        { "8 > n", true, false },
        { "yes = true", true, false },
        { "yes < s", false, false },
        { "nil = null", true, false },
        { "l[0] = 1", true, false },
        { "l[2] = [3]", true, false },
        { "l[3] = {\"k\":\"v\"}", true, false },
        { "l[9] = 1", false, false },
        { "l[9] <> 1", true, true },
        { "m.y.z[1] = 20", true, false },
        { "m.y.z.q = 20", false, false },
        { "m[0] = 1", false, false },
        { "ss = {\"$set\":[\"b\",\"a\"]}", true, false },
        { "u > \"hz\"", true, false },
        { "b = {\"$binary\":\"AQID\"}", true, false },
        { "b < {\"$binary\":\"AQIE\"}", true, false },
        { "b > {\"$binary\":\"AQI=\"}", true, false },
    };

    CHECK_TRUTHS(truths);
}

static void what_is_missing_equals_nothing(void)
{
    static const struct truth truths[] = {
        { "gone = other", false, false },
        { "gone <> other", true, true },
        { "NOT gone = other", true, true },
        { "NOT gone <> other", false, false },
        { "gone < 1", false, false },
        { "gone >= 1", false, false },
        { "NOT gone < 1", true, true },
        { "gone IN (1, 2)", false, false },
        { "1 IN (gone, n, 1)", true, true },
        { "gone BETWEEN 1 AND 2", false, false },
        { "n BETWEEN gone AND 9", false, false },
        { "contains(gone, 1)", false, false },
        { "begins_with(gone, \"a\")", false, false },
        { "attribute_type(gone, \"S\")", false, false },
        { "size(gone) = 0", false, false },
        { "size(gone) <> 0", true, true },
        { "size(n) < 5", false, false },
    };

    CHECK_TRUTHS(truths);
}

static void between_and_in_include_their_ends(void)
{
    static const struct truth truths[] = {
        { "n BETWEEN 7 AND 7", true, false },
        { "n BETWEEN 6 AND 8", true, false },
        { "n BETWEEN 8 AND 9", false, false },
        { "n between 1 and 6.5", false, false },
        { "s BETWEEN \"a\" AND \"z\"", true, false },
        { "s BETWEEN \"a\" AND \"z\" AND n = 7", true, false },
        { "n IN (7)", true, false },
        { "n IN (1, 2, 3)", false, false },
        { "n in (\"7\", 7)", true, false },
        { "l[2] IN ([3], 4)", true, false },
        { "size(s) IN (5)", true, false },
        { "size(s) BETWEEN 1 AND n", true, false },
    };

    CHECK_TRUTHS(truths);
}

static void functions_ask_about_operands(void)
{
    static const struct truth truths[] = {
        { "attribute_exists(s)", true, false },
        { "attribute_exists(m.y.z[0])", true, false },
        { "attribute_exists(m.y.z[2])", false, false },
        { "attribute_exists(s.x)", false, false },
        { "attribute_not_exists(s)", false, true },
        { "attribute_not_exists(gone)", true, true },
        { "attribute_type(s, \"S\")", true, false },
        { "attribute_type(n, \"S\")", false, false },
        { "attribute_type(ns, \"NS\")", true, false },
        { "attribute_type(nil, \"NULL\")", true, false },
        { "attribute_type(5, \"N\")", true, true },
        { "begins_with(s, \"hel\")", true, false },
        { "begins_with(s, \"hello!\")", false, false },
        { "begins_with(s, \"\")", true, false },
        { "begins_with(s, s2)", false, false },
        { "begins_with(b, {\"$binary\":\"AQI=\"})", true, false },
        { "begins_with(b, \"a\")", false, false },
        { "begins_with(n, \"7\")", false, false },
        { "begins_with(\"hello world\", s)", true, false },
        { "contains(s, \"ell\")", true, false },
        { "contains(s, \"\")", true, false },
        { "contains(s, \"elk\")", false, false },
        { "contains(s, 1)", false, false },
        { "contains(b, {\"$binary\":\"AgM=\"})", true, false },
        { "contains(ss, \"a\")", true, false },
        { "contains(ss, \"c\")", false, false },
        { "contains(ss, 1)", false, false },
        { "contains(ns, 2.0)", true, false },
        { "contains(ns, \"2\")", false, false },
        { "contains(bs, {\"$binary\":\"AQ==\"})", true, false },
        { "contains(l, \"two\")", true, false },
        { "contains(l, [3])", true, false },
        { "contains(l, 3)", false, false },
        { "contains(m, \"x\")", false, false },
        { "contains(\"xhellox\", s)", true, false },
    };

    CHECK_TRUTHS(truths);
}

static void size_counts_characters_bytes_and_elements(void)
{
    static const struct truth truths[] = {
        { "size(s) = 5", true, false },       { "size(u) = 5", true, false },
        { "size(b) = 3", true, false },       { "size(l) = 4", true, false },
        { "size(m) = 2", true, false },       { "size(ss) = 2", true, false },
        { "size(ns) = 3", true, false },      { "size(bs) = 1", true, false },
        { "size(e) = 0", true, false },       { "size(el) = 0", true, false },
        { "size(em) < 1", true, false },      { "size(s) < size(gone)", false, false },
        { "size(s) = size(u)", true, false }, { "size(n) <> 0", true, true },
        { "size((s)) = 5", true, false },     { "size(\"abc\") = 3", true, true },
    };

    CHECK_TRUTHS(truths);
}

static void not_binds_before_and_and_and_before_or(void)
{
    static const struct truth truths[] = {
        { "n = 7 OR n = 8 AND n = 9", true, false },
        { "(n = 7 OR n = 8) AND n = 9", false, false },
        { "NOT n = 8 AND n = 9", false, false },
        { "NOT (n = 8 AND n = 9)", true, true },
        { "NOT NOT n = 7", true, false },
        { "not n = 7 or n = 7 AnD s = \"hello\"", true, true },
        { "n = 7 AND n = 7 AND n = 8", false, false },
        { "((n = 7) AND s = \"hello\")", true, false },
        { "(n) = (7)", true, false },
        { "((n) = 7)", true, false },
        { "n=7AND s=\"hello\"", true, false },
    };

    CHECK_TRUTHS(truths);
}

static void a_sentence_goes_on_behind_a_text_with_a_nul(void)
{
    struct pl_condition *condition;
    struct request r;

    request_init(&r, NULL, NULL);
    CHECK(pl_condition_parse(&r.params, PL_EXPR_CONDITION, pl_str("s BETWEEN \"b\\u0000c\" AND \"a\""),
                             &condition, &r.why) == PL_EINVALID);
    CHECK_MSG(strstr(r.why.text, "lower bound operand: AttributeValue: {S:b}, upper bound operand: "
                                 "AttributeValue: {S:a}") != NULL,
              "%s", r.why.text);
    request_deinit(&r);
}

static void placeholders_stand_for_names_and_values(void)
{
    struct request r;
    struct pl_item item;

    request_init(&r, "{\"#a\":\"m\",\"#d\":\"with.dot\",\"#1\":\"x\"}", "{\":v\":1,\":w\":\"q\"}");
    item = request_item(&r, "{\"m\":{\"x\":1},\"with.dot\":\"q\"}");
    CHECK(test(&r, "#a.#1 = :v AND #d = :w", &item));
    CHECK(!test(&r, "#a.#d = :v", &item));
    CHECK(pl_expr_check_used(&r.params, &r.why) == 0);
    request_deinit(&r);
}

static void a_placeholder_left_over_is_named(void)
{
    struct request r;

    request_init(&r, "{\"#a\":\"m\",\"#b\":\"n\",\"#c\":\"o\"}", "{\":v\":1,\":w\":2}");
    CHECK(!test(&r, "#c = :w", NULL));
    CHECK(pl_expr_check_used(&r.params, &r.why) == PL_EINVALID);
    CHECK(strcmp(r.why.text,
                 "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}") == 0);
    r.params.name_count = 0;
    CHECK(pl_expr_check_used(&r.params, &r.why) == PL_EINVALID);
    CHECK(strcmp(r.why.text,
                 "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}") == 0);
    request_deinit(&r);
}

static void many_placeholders_are_found_as_few_are(void)
{
    char values[4096] = "{", text[4096] = "";
    struct request r;

    for (int i = 0; i < 60; i++) {
        sprintf(values + strlen(values), "%s\":v%d\":%d", i > 0 ? "," : "", i, i);
        sprintf(text + strlen(text), "%sn = :v%d", i > 0 ? " OR " : "", 59 - i);
    }
    strcat(values, "}");
    request_init(&r, "{}", values);
    struct pl_item item = request_item(&r, "{\"n\":33}");
    CHECK(test(&r, text, &item));
    CHECK(!test(&r, "n = :v32", &item));
    CHECK(pl_expr_check_used(&r.params, &r.why) == 0);
    CHECK(pl_condition_parse(&r.params, PL_EXPR_FILTER, pl_str("n = :v60"), &(struct pl_condition *){ 0 },
                             &r.why) == PL_EINVALID);
    request_deinit(&r);
}

static void the_paths_come_in_the_order_of_the_text(void)
{
    struct pl_condition *condition;
    struct pl_path_list paths;
    struct request r;

    request_init(&r, NULL, NULL);
    CHECK(pl_condition_parse(&r.params, PL_EXPR_FILTER, pl_str("b.c = 1 AND size(a) < 2 OR z IN (y, 1)"),
                             &condition, &r.why) == 0);
    paths = pl_condition_paths(condition);
    CHECK(paths.count == 4);
    CHECK(pl_bytes_equal(paths.paths[0]->steps[0].name, pl_str("b")) && paths.paths[0]->step_count == 2);
    CHECK(pl_bytes_equal(paths.paths[1]->steps[0].name, pl_str("a")));
    CHECK(pl_bytes_equal(paths.paths[3]->steps[0].name, pl_str("y")));
    request_deinit(&r);
}

int main(void)
{
    RUN(comparators_compare_what_has_one_type);
    RUN(what_is_missing_equals_nothing);
    RUN(between_and_in_include_their_ends);
    RUN(functions_ask_about_operands);
    RUN(size_counts_characters_bytes_and_elements);
    RUN(not_binds_before_and_and_and_before_or);
    RUN(a_sentence_goes_on_behind_a_text_with_a_nul);
    RUN(placeholders_stand_for_names_and_values);
    RUN(a_placeholder_left_over_is_named);
    RUN(many_placeholders_are_found_as_few_are);
    RUN(the_paths_come_in_the_order_of_the_text);
    return test_summary();
}
