/* SPDX-License-Identifier: MIT */
#include "partition/prepare.h"

#include "model/json.h"

#include "test.h"

/* What an operation is told when it asks for a table that is not there. */
static const char *told(struct pl_operation *op, const struct pl_tables *tables)
{
    op->params.literals = true;
    op->table_name = pl_str("Nowhere");
    return pl_prepare(op, tables, 4) == PL_ENOTABLE ? "no table" : op->reply.why.text;
}

static void what_is_wrong_in_itself_is_said_before_the_table_is_looked_for(void)
{
    static const struct {
        enum pl_operation_name name;
        const char *condition, *update, *projection, *index;
        enum pl_select select;
        enum pl_return_values returns;
        const char *says;
    } cases[] = {
        { .name = PL_OP_DELETE, .says = "no table" },
        { .name = PL_OP_DELETE,
          .returns = PL_RETURN_ALL_NEW,
          .says = "ReturnValues can only be ALL_OLD or NONE" },
        { .name = PL_OP_QUERY,
          .says = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
                  "request." },
        { .name = PL_OP_SCAN,
          .select = PL_SELECT_SPECIFIC,
          .says = "Must specify the ProjectionExpression or AttributesToGet when choosing to get "
                  "SPECIFIC_ATTRIBUTES" },
        { .name = PL_OP_SCAN,
          .select = PL_SELECT_COUNT,
          .projection = "A",
          .says = "Cannot specify the ProjectionExpression when choosing to get anything other than "
                  "SPECIFIC_ATTRIBUTES" },
        { .name = PL_OP_SCAN,
          .select = PL_SELECT_ALL_PROJECTED,
          .says = "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName" },
        { .name = PL_OP_SCAN, .select = PL_SELECT_ALL_PROJECTED, .index = "ByA", .says = "no table" },
    };
    struct pl_tables *tables = pl_tables_new();

    CHECK(tables != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_operation op;
        const char *says;

        pl_operation_init(&op, cases[i].name);
        op.select = cases[i].select;
        op.returns = cases[i].returns;
        if (cases[i].projection != NULL)
            op.projection_text = pl_str(cases[i].projection);
        if (cases[i].index != NULL)
            op.index_name = pl_str(cases[i].index);
        says = told(&op, tables);
        CHECK_MSG(strcmp(says, cases[i].says) == 0, "case %zu: %s", i, says);
        pl_operation_deinit(&op);
    }
    pl_tables_unref(tables);
}

static void a_segment_past_the_last_is_said_before_the_table_is_looked_for(void)
{
    struct pl_tables *tables = pl_tables_new();
    struct pl_operation op;

    pl_operation_init(&op, PL_OP_SCAN);
    op.has_segment = true;
    op.segment = op.segment_count = 3;
    CHECK(strcmp(told(&op, tables), "The Segment parameter is zero-based and must be less than parameter "
                                    "TotalSegments: Segment: 3 is "
                                    "not less than TotalSegments: 3") == 0);
    pl_operation_deinit(&op);
    pl_tables_unref(tables);
}

static void an_unused_placeholder_is_said_before_the_table_is_looked_for(void)
{
    struct pl_tables *tables = pl_tables_new();
    struct pl_expr_placeholder name = { .name = pl_str("#a"), .attribute = pl_str("A") };
    struct pl_operation op;

    pl_operation_init(&op, PL_OP_DELETE);
    op.params.names = &name;
    op.params.name_count = 1;
    op.condition_text = pl_str("attribute_exists(B)");
    CHECK(strstr(told(&op, tables), "unused in expressions: keys: {#a}") != NULL);
    pl_operation_deinit(&op);
    pl_tables_unref(tables);
}

/* Whichever way in it came: only one of them looks at placeholders itself. */
static void a_placeholder_that_is_none_is_refused_before_the_table_is_looked_for(void)
{
    static const struct {
        enum pl_operation_name name;
        const char *condition, *placeholder, *attribute;
        const char *says;
    } cases[] = {
        { PL_OP_DELETE, "attribute_exists(B)", "#a-b", "A",
          "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\"" },
        { PL_OP_DELETE, "attribute_exists(B)", "#", "A",
          "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\"" },
        { PL_OP_DELETE, "attribute_exists(B)", "a", "A",
          "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"" },
        { PL_OP_DELETE, "attribute_exists(#a)", "#a", "",
          "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a" },
        { PL_OP_DELETE, "attribute_exists(#a)", "#a", "\xff",
          "ExpressionAttributeNames contains invalid value: An attribute name is not well-formed UTF-8 for "
          "key "
          "#a" },
        { PL_OP_DELETE, NULL, "#a", "A",
          "ExpressionAttributeNames can only be specified when using expressions" },
        { PL_OP_DELETE, "attribute_exists(B)", ":a b", NULL,
          "ExpressionAttributeValues contains invalid key: Syntax error; key: \":a b\"" },
        { PL_OP_PUT, NULL, ":a", NULL,
          "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is "
          "null" },
        { PL_OP_UPDATE, NULL, ":a", NULL,
          "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and "
          "ConditionExpression are null" },
        { PL_OP_QUERY, NULL, ":a", NULL,
          "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and "
          "KeyConditionExpression are null" },
        { PL_OP_SCAN, NULL, ":a", NULL,
          "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is "
          "null" },
    };
    struct pl_tables *tables = pl_tables_new();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_expr_placeholder placeholder = { .name = pl_str(cases[i].placeholder) };
        struct pl_operation op;
        const char *says;

        pl_operation_init(&op, cases[i].name);
        if (cases[i].condition != NULL)
            op.condition_text = pl_str(cases[i].condition);
        if (cases[i].attribute != NULL) {
            placeholder.attribute = pl_str(cases[i].attribute);
            op.params.names = &placeholder;
            op.params.name_count = 1;
        } else {
            op.params.values = &placeholder;
            op.params.value_count = 1;
        }
        says = told(&op, tables);
        CHECK_MSG(strcmp(says, cases[i].says) == 0, "case %zu: %s", i, says);
        pl_operation_deinit(&op);
    }
    pl_tables_unref(tables);
}

static void an_item_too_large_is_said_before_the_table_is_looked_for(void)
{
    struct pl_tables *tables = pl_tables_new();
    struct pl_operation op;

    pl_operation_init(&op, PL_OP_PUT);
    op.item.size_bytes = PL_ITEM_SIZE_MAX + 1;
    CHECK(strcmp(told(&op, tables), "Item size has exceeded the maximum allowed size") == 0);
    op.item.size_bytes = PL_ITEM_SIZE_MAX;
    CHECK(strcmp(told(&op, tables), "no table") == 0);
    pl_operation_deinit(&op);
    pl_tables_unref(tables);
}

static void what_an_update_may_not_touch_is_said_by_what_it_is(void)
{
    static const char *const cases[][2] = {
        { "SET P = 1",
          "One or more parameter values were invalid: Cannot update attribute P. This attribute is part "
          "of the key" },
        { "SET P.x = 1",
          "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
          "Key: P" },
        { "SET A[1] = 1",
          "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
          "allowed: IndexKey: A" },
        { "SET A = \"a\", B.x = 1", "" },
    };
    struct pl_tables *none = pl_tables_new(), *tables;
    struct pl_reason why = { 0 };
    struct pl_table *table;

    CHECK(none != NULL);
    CHECK(pl_table_from_text(pl_str("{\"table\":\"Things\",\"partition_key\":\"P:S\",\"indexes\":{\"ByA\":{"
                                    "\"partition_key\":\"A:S\",\"project\":\"all\"}}}"),
                             false, &table, &why) == 0);
    tables = pl_tables_with(none, 0, table);
    CHECK(tables != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_operation op;
        int rc;

        pl_operation_init(&op, PL_OP_UPDATE);
        op.table_name = pl_str("Things");
        op.params.literals = true;
        op.update_text = pl_str(cases[i][0]);
        CHECK(pl_json_read_item(pl_str("{\"P\":\"p\"}"), PL_JSON_PLAIN, &op.arena, &op.bytes, &op.item,
                                &why) == 0);
        rc = pl_prepare(&op, tables, 4);
        CHECK_MSG((rc == 0) == (cases[i][1][0] == '\0') &&
                      (rc == 0 || strcmp(op.reply.why.text, cases[i][1]) == 0),
                  "%s: %s", cases[i][0], op.reply.why.text);
        pl_operation_deinit(&op);
    }
    pl_table_unref(table);
    pl_tables_unref(tables);
    pl_tables_unref(none);
}

int main(void)
{
    RUN(what_is_wrong_in_itself_is_said_before_the_table_is_looked_for);
    RUN(a_segment_past_the_last_is_said_before_the_table_is_looked_for);
    RUN(an_unused_placeholder_is_said_before_the_table_is_looked_for);
    RUN(a_placeholder_that_is_none_is_refused_before_the_table_is_looked_for);
    RUN(an_item_too_large_is_said_before_the_table_is_looked_for);
    RUN(what_an_update_may_not_touch_is_said_by_what_it_is);
    return test_summary();
}
