/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

#define ATTRIBUTE(n, t)                                                                                      \
    {                                                                                                        \
        .name = { .data = n, .len = sizeof n - 1 }, .type = t                                                \
    }

static const struct pl_key_schema only_partition = { .partition = { ATTRIBUTE("pk", PL_TYPE_S) },
                                                     .partition_count = 1 };
static const struct pl_key_schema both = { .partition = { ATTRIBUTE("pk", PL_TYPE_S) },
                                           .sort = { ATTRIBUTE("sk", PL_TYPE_N) },
                                           .partition_count = 1,
                                           .sort_count = 1 };
static const struct pl_key_schema texts = { .partition = { ATTRIBUTE("pk", PL_TYPE_B) },
                                            .sort = { ATTRIBUTE("sk", PL_TYPE_S) },
                                            .partition_count = 1,
                                            .sort_count = 1 };
static const struct pl_key_schema many = {
    .partition = { ATTRIBUTE("p1", PL_TYPE_S), ATTRIBUTE("p2", PL_TYPE_N) },
    .sort = { ATTRIBUTE("s1", PL_TYPE_S), ATTRIBUTE("s2", PL_TYPE_N), ATTRIBUTE("s3", PL_TYPE_S) },
    .partition_count = 2,
    .sort_count = 3,
};

static void write_bytes(struct pl_buf *out, struct pl_value value)
{
    pl_buf_append_format(out, " ");
    pl_json_write_value(out, PL_JSON_PLAIN, value);
}

static int parse(struct request *r, const char *text, const struct pl_key_schema *keys,
                 struct pl_key_condition *out)
{
    struct pl_key_parts *parts;
    int rc = pl_key_condition_parse(&r->params, pl_str(text), &parts, &r->why);

    return rc != 0 ? rc : pl_key_condition_fit(parts, keys, out, &r->why);
}

/* What a condition came to, as words; or the sentence. */
static void check_key(const struct pl_key_schema *keys, const char *text, const char *expected)
{
    static const char *const kinds[] = { "", "=", "<", "<=", ">", ">=", "between", "begins_with" };
    struct pl_key_condition condition = { 0 };
    struct pl_buf out = { 0 };
    struct request r;
    int rc;

    request_init(&r, NULL, NULL);
    rc = parse(&r, text, keys, &condition);
    if (rc == 0) {
        pl_buf_append_format(&out, "at");
        for (int i = 0; i < keys->partition_count; i++)
            write_bytes(&out, condition.partition[i]);
        for (int i = 0; i < condition.equal_count; i++) {
            pl_buf_append_format(&out, " =");
            write_bytes(&out, condition.equals[i]);
        }
        if (condition.range != PL_RANGE_NONE) {
            pl_buf_append_format(&out, " %s", kinds[condition.range]);
            write_bytes(&out, condition.low);
        }
        if (condition.range == PL_RANGE_BETWEEN)
            write_bytes(&out, condition.high);
    } else {
        CHECK(rc == PL_EINVALID);
        pl_buf_append_format(&out, "%s", r.why.text);
    }
    CHECK_MSG(pl_bytes_equal(pl_buf_view(&out), pl_str(expected)), "%.100s: %.*s", text, (int)out.len,
              out.data);
    pl_buf_deinit(&out);
    request_deinit(&r);
}

static void a_partition_and_one_sort_condition(void)
{
    check_key(&only_partition, "pk = \"a\"", "at \"a\"");
    check_key(&both, "pk = \"a\"", "at \"a\"");
    check_key(&both, "\"a\" = pk", "at \"a\"");
    check_key(&both, "pk = \"a\" AND sk = 1", "at \"a\" = 1");
    check_key(&both, "sk < 1 AND pk = \"a\"", "at \"a\" < 1");
    check_key(&both, "pk = \"a\" AND sk <= 1", "at \"a\" <= 1");
    check_key(&both, "pk = \"a\" AND sk > 1", "at \"a\" > 1");
    check_key(&both, "pk = \"a\" AND (sk >= 1)", "at \"a\" >= 1");
    check_key(&both, "(pk = \"a\" AND sk BETWEEN 1 AND 2)", "at \"a\" between 1 2");
    check_key(&both, "pk = \"a\" AND sk BETWEEN 2 AND 2", "at \"a\" between 2 2");
    check_key(&texts, "pk = {\"$binary\":\"AQ==\"} AND begins_with(sk, \"x\")",
              "at {\"$binary\":\"AQ==\"} begins_with \"x\"");
}

static void the_constant_may_come_first(void)
{
    check_key(&both, "pk = \"a\" AND 1 > sk", "at \"a\" < 1");
    check_key(&both, "pk = \"a\" AND 1 >= sk", "at \"a\" <= 1");
    check_key(&both, "pk = \"a\" AND 1 < sk", "at \"a\" > 1");
    check_key(&both, "pk = \"a\" AND 1 <= sk", "at \"a\" >= 1");
    check_key(&both, "pk = \"a\" AND 1 = sk", "at \"a\" = 1");
}

static void only_key_conditions_are_left(void)
{
    static const char *const operator= "Invalid operator used in KeyConditionExpression: ";
    static const char *const refused[][2] = {
        { "pk = \"a\" OR sk = 1", "OR" },
        { "NOT pk = \"a\"", "NOT" },
        { "pk <> \"a\"", "<>" },
        { "pk IN (\"a\")", "IN" },
        { "attribute_exists(pk)", "attribute_exists" },
        { "attribute_not_exists(pk)", "attribute_not_exists" },
        { "attribute_type(pk, \"S\")", "attribute_type" },
        { "contains(pk, \"a\")", "contains" },
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char sentence[128];

        snprintf(sentence, sizeof sentence, "%s%s", operator, refused[i][1]);
        check_key(&both, refused[i][0], sentence);
    }
    check_key(&both, "pk = \"a\" AND size(sk) = 1",
              "KeyConditionExpressions cannot contain nested operations");
    check_key(&both, "pk.x = \"a\"", "KeyConditionExpressions cannot have conditions on nested attributes");
    check_key(&both, "pk[0] = \"a\"", "KeyConditionExpressions cannot have conditions on nested attributes");
    check_key(&both, "pk = sk",
              "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
    check_key(&both, "1 = 1", "Invalid condition in KeyConditionExpression: No key attribute specified");
    check_key(&both, "pk = \"a\" AND pk = \"b\"",
              "KeyConditionExpressions must only contain one condition per key");
    check_key(&both, "pk = \"a\" AND sk = 1 AND x = 2", "Conditions can be of length 1 or 2 only");
    check_key(&both, "pk =", "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"");
    check_key(&both, "", "Invalid KeyConditionExpression: The expression can not be empty;");
    check_key(
        &both, "pk = \"a\" AND sk BETWEEN 2 AND 1",
        "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or "
        "equal "
        "to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: "
        "{N:1}");
}

static void the_schema_decides(void)
{
    check_key(&both, "sk = 1", "Query condition missed key schema element: pk");
    check_key(&both, "x = 1", "Query condition missed key schema element: pk");
    check_key(&both, "pk = \"a\" AND x = 1", "Query condition missed key schema element: sk");
    check_key(&only_partition, "pk = \"a\" AND x = 1", "Query key condition not supported");
    check_key(&both, "pk > \"a\"", "Query key condition not supported");
    check_key(&both, "begins_with(pk, \"a\")", "Query key condition not supported");
    check_key(&both, "pk = \"a\" AND 1 BETWEEN sk AND 2", "Query key condition not supported");
    check_key(&texts, "pk = {\"$binary\":\"AQ==\"} AND begins_with(\"a\", sk)",
              "Query key condition not supported");
}

static const char *const wrong_type =
    "One or more parameter values were invalid: Condition parameter type does not match schema type";

static void key_values_have_the_keys_types_and_lengths(void)
{
    char text[4096];

    check_key(&both, "pk = 1", wrong_type);
    check_key(&both, "pk = \"a\" AND sk = \"1\"", wrong_type);
    check_key(&both, "pk = \"a\" AND sk BETWEEN \"1\" AND \"2\"", wrong_type);
    check_key(&both, "pk = \"\"",
              "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
              "contain an "
              "empty string value. Key: pk");
    check_key(&texts, "pk = {\"$binary\":\"\"}",
              "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
              "contain an "
              "empty binary value. Key: pk");
    check_key(&texts, "pk = {\"$binary\":\"AQ==\"} AND sk BETWEEN \"\" AND \"a\"",
              "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
              "contain an "
              "empty string value. Key: sk");
    snprintf(text, sizeof text, "pk = \"%0*d\"", 2049, 0);
    check_key(&both, text,
              "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
              "limit of2048 "
              "bytes");
    snprintf(text, sizeof text, "pk = {\"$binary\":\"AQ==\"} AND sk BETWEEN \"0\" AND \"%0*d\"", 1025, 1);
    check_key(
        &texts, text,
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size "
        "limit of 1024 bytes");
}

static void longest_key_values_are_taken(void)
{
    struct pl_key_condition condition;
    struct request r;
    char text[4096];

    request_init(&r, NULL, NULL);
    snprintf(text, sizeof text, "pk = \"%0*d\" AND sk = 1", 2048, 0);
    CHECK(parse(&r, text, &both, &condition) == 0);
    snprintf(text, sizeof text, "pk = {\"$binary\":\"AQ==\"} AND sk = \"%0*d\"", 1024, 0);
    CHECK(parse(&r, text, &texts, &condition) == 0);
    request_deinit(&r);
}

static void many_attributes_go_from_left_to_right(void)
{
    check_key(&many, "p1 = \"a\" AND p2 = 1", "at \"a\" 1");
    check_key(&many, "s1 = \"x\" AND p2 = 1 AND p1 = \"a\"", "at \"a\" 1 = \"x\"");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s1 = \"x\" AND s2 > 5", "at \"a\" 1 = \"x\" > 5");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s1 = \"x\" AND s2 = 5 AND begins_with(s3, \"q\")",
              "at \"a\" 1 = \"x\" = 5 begins_with \"q\"");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s1 = \"x\" AND s2 = 5 AND s3 = \"q\"",
              "at \"a\" 1 = \"x\" = 5 = \"q\"");
    check_key(&many, "p1 = \"a\" AND s1 = \"x\"", "Query condition missed key schema element: p2");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s2 = 5", "Query condition missed key schema element: s1");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s1 > \"x\" AND s2 = 5", "Query key condition not supported");
    check_key(&many, "p1 = \"a\" AND p2 > 1", "Query key condition not supported");
    check_key(&many, "p1 = \"a\" AND p2 = 1 AND s1 = \"x\" AND s2 = 5 AND s3 = \"q\" AND z = 1",
              "Query key condition not supported");
}

int main(void)
{
    RUN(a_partition_and_one_sort_condition);
    RUN(the_constant_may_come_first);
    RUN(only_key_conditions_are_left);
    RUN(the_schema_decides);
    RUN(key_values_have_the_keys_types_and_lengths);
    RUN(longest_key_values_are_taken);
    RUN(many_attributes_go_from_left_to_right);
    return test_summary();
}
