/* SPDX-License-Identifier: MIT */
#include "partition/schema.h"

#include "test.h"

static struct pl_catalog catalog;
static struct pl_buf change;

static struct pl_table *definition(const char *text)
{
    struct pl_table *table = NULL;
    struct pl_reason why = { "" };

    CHECK_MSG(pl_schema_parse(pl_str(text), &table, &why) == 0, "%s", why.text);
    return table;
}

static const struct pl_table *find(void)
{
    const struct pl_table *table = pl_tables_find(catalog.tables, pl_str("Things"));

    CHECK(table != NULL);
    return table;
}

static void start(const char *text)
{
    struct pl_table *table = definition(text);

    CHECK(pl_catalog_init(&catalog) == 0);
    CHECK(pl_schema_create(&catalog, table, 0, 1, &change, NULL) == 0);
    pl_table_unref(table);
}

static void end(void)
{
    pl_catalog_deinit(&catalog);
    pl_buf_deinit(&change);
    change = (struct pl_buf){ 0 };
}

static void alter(struct pl_table *table)
{
    struct pl_reason why = { "" };

    CHECK_MSG(pl_schema_alter(&catalog, find(), table, 0, 2, &change, &why) == 0, "%s", why.text);
    pl_table_unref(table);
}

static void a_module_that_takes_over_a_table_leaves_its_notes(void)
{
    struct pl_table *module;

    start("{\"table\":\"Things\",\"partition_key\":\"p:S\",\"dynamodb\":{\"tags\":{\"a\":\"b\"}}}");
    module = definition("{\"table\":\"Things\",\"partition_key\":\"p:S\",\"ttl\":\"t\"}");
    module->module = pl_arena_copy(&module->arena, pl_str("things.lua"));
    alter(module);
    CHECK(pl_bytes_equal(find()->ttl_attribute, pl_str("t")));
    CHECK(pl_bytes_equal(find()->dynamodb, pl_str("{\"tags\":{\"a\":\"b\"}}")));
    end();
}

static void notes_change_by_patches(void)
{
    struct pl_table *patched = NULL;

    start(
        "{\"table\":\"Things\",\"partition_key\":\"p:S\",\"dynamodb\":{\"tags\":{\"a\":\"b\",\"c\":\"d\"}}}");
    CHECK(pl_schema_patch(find(), pl_str("{\"dynamodb\":{\"tags\":{\"a\":null,\"e\":\"f\"},\"x\":1}}"),
                          &patched, NULL) == 0);
    alter(patched);
    CHECK_MSG(pl_bytes_equal(find()->dynamodb, pl_str("{\"tags\":{\"c\":\"d\",\"e\":\"f\"},\"x\":1}")),
              "%.*s", (int)find()->dynamodb.len, find()->dynamodb.data);
    CHECK(find()->version == 2);
    CHECK(pl_schema_patch(find(),
                          pl_str("{\"dynamodb\":{\"indexes\":{\"i\":null},\"x\":{\"y\":{\"z\":null}}}}"),
                          &patched, NULL) == 0);
    CHECK_MSG(pl_bytes_equal(patched->dynamodb,
                             pl_str("{\"tags\":{\"c\":\"d\",\"e\":\"f\"},\"indexes\":{},\"x\":{\"y\":{}}}")),
              "%.*s", (int)patched->dynamodb.len, patched->dynamodb.data);
    pl_table_unref(patched);
    end();
}

static void notes_have_a_size(void)
{
    struct pl_buf text = { 0 };
    struct pl_table *table;
    struct pl_reason why = { "" };

    pl_buf_append_bytes(&text,
                        pl_str("{\"table\":\"Things\",\"partition_key\":\"p:S\",\"dynamodb\":{\"x\":\""));
    for (int i = 0; i < PL_TABLE_DYNAMODB_MAX; i++)
        pl_buf_append_byte(&text, 'y');
    pl_buf_append_bytes(&text, pl_str("\"}}"));
    CHECK(pl_schema_parse(pl_buf_view(&text), &table, &why) == PL_EINVALID);
    CHECK_MSG(strncmp(why.text, "dynamodb: expected at most 65536 bytes", 38) == 0, "%s", why.text);
    pl_buf_deinit(&text);
}

/* The library that reads definitions would end a text there, and keep the beginning. */
static void definitions_and_patches_hold_no_zero_characters(void)
{
    struct pl_table *table = NULL;
    struct pl_reason why = { "" };

    CHECK(pl_schema_parse(pl_str("{\"table\":\"Things\",\"partition_key\":\"a\\u0000b:S\"}"), &table, &why) ==
          PL_EINVALID);
    CHECK_MSG(strcmp(why.text, "a table's definition holds no zero characters") == 0, "%s", why.text);
    start("{\"table\":\"Things\",\"partition_key\":\"p:S\"}");
    CHECK(pl_schema_patch(find(), pl_str("{\"ttl\":\"a\\u0000b\"}"), &table, &why) == PL_EINVALID);
    CHECK(pl_schema_patch(find(), pl_str("{\"dynamodb\":{\"a\\\\\\u0000\":1}}"), &table, &why) ==
          PL_EINVALID);
    CHECK(pl_schema_patch(find(), pl_str("{\"ttl\":"), &table, &why) == PL_ESYNTAX);
    CHECK(pl_schema_patch(find(), pl_str("{\"ttl\":\"a\\\\u0000\"}"), &table, &why) == 0);
    CHECK(pl_bytes_equal(table->ttl_attribute, pl_str("a\\u0000")));
    pl_table_unref(table);
    end();
}

/* Drops and creations of `definition` may share one moment. */
static void streams_of_one_table_are_named_apart(void)
{
    static const char streaming[] =
        "{\"table\":\"Things\",\"partition_key\":\"p:S\",\"stream\":\"keys_only\"}";
    struct pl_table *plain = definition("{\"table\":\"Things\",\"partition_key\":\"p:S\"}");
    struct pl_table *again = definition(streaming);

    start(streaming);
    CHECK(find()->stream_created_ms == 1);
    CHECK(pl_schema_drop(&catalog, find(), 1, &change, NULL) == 0);
    CHECK(pl_schema_create(&catalog, again, 0, 1, &change, NULL) == 0);
    CHECK(find()->stream_created_ms == 2);
    alter(plain);
    alter(definition(streaming));
    CHECK(find()->stream_created_ms == 3);
    pl_table_unref(again);
    end();
}

int main(void)
{
    RUN(a_module_that_takes_over_a_table_leaves_its_notes);
    RUN(notes_change_by_patches);
    RUN(notes_have_a_size);
    RUN(definitions_and_patches_hold_no_zero_characters);
    RUN(streams_of_one_table_are_named_apart);
    return test_summary();
}
