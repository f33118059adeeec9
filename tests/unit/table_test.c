/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/table.h"

#include "failing_allocation.h"

#include <cjson/cJSON.h>

static struct pl_reason why;

static int load(const char *text, bool functions, struct pl_table **out)
{
    why.text[0] = '\0';
    return pl_table_from_text(pl_str(text), functions, out, &why);
}

/* Read what must be sound. */
static struct pl_table *sound(const char *text)
{
    struct pl_table *table = NULL;
    int rc = load(text, true, &table);

    CHECK_MSG(rc == 0, "%s in %s", pl_reason_text(&why, rc), text);
    return table;
}

static bool refused(const char *text, const char *begins, const char *part)
{
    struct pl_table *table = NULL;
    int rc = load(text, true, &table);

    if (rc == PL_EINVALID && strncmp(why.text, begins, strlen(begins)) == 0 && strstr(why.text, part) != NULL)
        return true;
    fprintf(stderr, "%s\n  gives %d: %s\n", text, rc, why.text);
    if (rc == 0)
        pl_table_unref(table);
    return false;
}

#define FUNCTION "{\"$function\":true}"

static const char messages[] =
    "{\"table\":\"Messages\",\"partition_key\":\"ChatID:S\",\"sort_key\":\"MsgID:S\",\"ttl\":\"ExpiresAt\","
    "\"stream\":\"new_and_old_images\",\"throughput\":{\"read\":5,\"write\":7},\"deletion_protection\":true,"
    "\"indexes\":{\"ByUser\":{\"partition_key\":\"UserID:S\",\"sort_key\":\"ChatID:S\",\"project\":" FUNCTION
    ","
    "\"throughput\":{\"read\":1,\"write\":2}},"
    "\"ByPlace\":{\"partition_key\":[\"Country:S\",\"City:S\"],\"sort_key\":[\"Year:N\",\"Tag:B\"],"
    "\"project\":[\"b\",\"a\"],\"throughput\":{\"read\":3,\"write\":4}},"
    "\"ByLikes\":{\"sort_key\":\"Likes:N\",\"project\":\"keys_only\"}},"
    "\"before_write\":" FUNCTION ",\"conditions\":{\"owner\":" FUNCTION ",\"author\":" FUNCTION "},"
    "\"triggers\":{\"welcome\":{\"on\":[\"insert\",\"remove\"],\"batch\":10,\"batch_window_ms\":500,"
    "\"retries\":3,"
    "\"max_age\":60,\"parallel\":2,\"filter\":" FUNCTION ",\"run\":" FUNCTION "},\"all\":{\"run\":" FUNCTION
    "}}}";

static void a_definition_is_read_field_by_field(void)
{
    struct pl_table *t = sound(messages);
    const struct pl_index *index;

    CHECK(pl_bytes_equal(t->name, pl_str("Messages")));
    CHECK(t->keys.partition_count == 1 && t->keys.sort_count == 1);
    CHECK(pl_bytes_equal(t->keys.sort[0].name, pl_str("MsgID")) && t->keys.sort[0].type == PL_TYPE_S);
    CHECK(pl_bytes_equal(t->ttl_attribute, pl_str("ExpiresAt")));
    CHECK(t->stream == PL_STREAM_NEW_AND_OLD_IMAGES && t->deletion_protection && t->has_before_write);
    CHECK(t->throughput.provisioned && t->throughput.read_units == 5 && t->throughput.write_units == 7);
    CHECK(t->index_count == 3 && t->id == 0);
    CHECK(pl_bytes_equal(t->indexes[0].name, pl_str("ByLikes")));
    index = pl_table_index(t, pl_str("ByLikes"));
    CHECK(!index->global && index->projection == PL_PROJECT_KEYS_ONLY &&
          index->keys.sort[0].type == PL_TYPE_N);
    CHECK(pl_bytes_equal(index->keys.partition[0].name, pl_str("ChatID")));
    index = pl_table_index(t, pl_str("ByPlace"));
    CHECK(index->global && index->keys.partition_count == 2 && index->keys.sort_count == 2);
    CHECK(index->keys.sort[1].type == PL_TYPE_B && index->throughput.write_units == 4);
    CHECK(index->projection == PL_PROJECT_NAMES && index->name_count == 2);
    CHECK(pl_bytes_equal(index->names[0], pl_str("a")));
    CHECK(pl_table_index(t, pl_str("ByUser"))->projection == PL_PROJECT_FUNCTION);
    CHECK(pl_table_index(t, pl_str("byuser")) == NULL);
    CHECK(t->condition_count == 2 && pl_bytes_equal(t->conditions[0], pl_str("author")));
    CHECK(t->trigger_count == 2 && pl_bytes_equal(t->triggers[1].name, pl_str("welcome")));
    CHECK(t->triggers[1].on_insert && !t->triggers[1].on_modify && t->triggers[1].on_remove);
    CHECK(t->triggers[1].batch == 10 && t->triggers[1].batch_window_ms == 500 && t->triggers[1].retries == 3);
    CHECK(t->triggers[1].max_age_s == 60 && t->triggers[1].parallel == 2 && t->triggers[1].has_filter);
    CHECK(t->triggers[0].on_insert && t->triggers[0].on_modify && t->triggers[0].on_remove);
    CHECK(t->triggers[0].batch == 100 && t->triggers[0].retries == -1 && t->triggers[0].max_age_s == -1);
    CHECK(t->triggers[0].parallel == 1 && !t->triggers[0].has_filter);
    pl_table_unref(t);
}

static void the_least_definition_is_a_name_and_a_key(void)
{
    struct pl_table *t = sound("{\"table\":\"abc\",\"partition_key\":\"k:N\"}");

    CHECK(t->keys.sort_count == 0 && t->stream == PL_STREAM_OFF && !t->throughput.provisioned);
    CHECK(t->index_count == 0 && t->ttl_attribute.len == 0 && !t->has_before_write);
    pl_table_unref(t);
    pl_table_unref(sound(
        "{\"table\":\"abc\",\"partition_key\":[\"k:N\"],\"indexes\":[],\"triggers\":{},\"stream\":false}"));
}

static void the_type_is_behind_the_last_colon(void)
{
    struct pl_table *t = sound("{\"table\":\"abc\",\"partition_key\":\"a:b:N\",\"sort_key\":\"::B\"}");

    CHECK(pl_bytes_equal(t->keys.partition[0].name, pl_str("a:b")) && t->keys.partition[0].type == PL_TYPE_N);
    CHECK(pl_bytes_equal(t->keys.sort[0].name, pl_str(":")) && t->keys.sort[0].type == PL_TYPE_B);
    pl_table_unref(t);
}

#define WITH(fields)    "{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"s:S\"," fields "}"
#define INDEX(fields)   WITH("\"indexes\":{\"idx\":{" fields "}}")
#define TRIGGER(fields) WITH("\"stream\":\"keys_only\",\"triggers\":{\"go\":{" fields "}}")

static void each_wrong_field_is_named_with_what_was_expected(void)
{
    static const struct {
        const char *text, *begins, *part;
    } cases[] = {
        { "[]", "expected an object", "" },
        { "{\"partition_key\":\"k:S\"}", "table: expected the name of the table, found nothing", "" },
        { "{\"table\":\"ab\",\"partition_key\":\"k:S\"}", "table: expected a name of 3 to 255",
          "found \"ab\"" },
        { "{\"table\":\"a b\",\"partition_key\":\"k:S\"}", "table: ", "" },
        { "{\"table\":7,\"partition_key\":\"k:S\"}", "table: ", "found 7" },
        { "{\"table\":\"abc\"}", "partition_key: expected an attribute and its type", "found nothing" },
        { "{\"table\":\"abc\",\"partition_key\":\"k\"}", "partition_key: ", "found \"k\"" },
        { "{\"table\":\"abc\",\"partition_key\":\"k:L\"}", "partition_key: ", "S, N or B" },
        { "{\"table\":\"abc\",\"partition_key\":\":S\"}", "partition_key: ", "" },
        { "{\"table\":\"abc\",\"partition_key\":\"k:SS\"}", "partition_key: ", "" },
        { "{\"table\":\"abc\",\"partition_key\":[\"a:S\",\"b:S\"]}",
          "partition_key: expected one key attribute", "only global indexes" },
        { "{\"table\":\"abc\",\"partition_key\":[]}", "partition_key: expected at least one", "" },
        { "{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"k:S\"}",
          "sort_key: ", "\"k\" stands in the key twice" },
        { "{\"table\":\"abc\",\"partition_key\":" FUNCTION "}", "partition_key: ", "`project`" },
        { WITH("\"tabel\":1"), "tabel: there is no such field; known here are table, partition_key",
          "triggers" },
        { WITH("\"table\":\"xyz\""), "table: the field is given twice", "" },
        { WITH("\"ttl\":3"), "ttl: expected the name", "found 3" },
        { WITH("\"ttl\":\"\""), "ttl: expected a name of 1 to 255 bytes, found 0", "" },
        { WITH("\"stream\":\"new\""), "stream: expected \"keys_only\"", "found \"new\"" },
        { WITH("\"stream\":true"), "stream: ", "found true" },
        { WITH("\"deletion_protection\":1"), "deletion_protection: expected true or false", "" },
        { WITH("\"throughput\":{\"read\":1}"), "throughput: expected both", "" },
        { WITH("\"throughput\":{\"read\":0,\"write\":1}"), "throughput.read: expected a whole number from 1",
          "found 0" },
        { WITH("\"throughput\":{\"read\":1.5,\"write\":1}"), "throughput.read: ", "found 1.5" },
        { WITH("\"throughput\":{\"read\":1,\"write\":1e13}"), "throughput.write: ", "1000000000000" },
        { WITH("\"throughput\":{\"read\":1,\"write\":1,\"burst\":1}"),
          "throughput.burst: there is no such field", "" },
        { WITH("\"throughput\":5"), "throughput: ", "" },
        { WITH("\"before_write\":true"), "before_write: expected a function, found true", "" },
        { WITH("\"conditions\":{\"a\":1}"), "conditions.a: expected a function, found 1", "" },
        { WITH("\"conditions\":[1]"), "conditions: expected an object", "" },
        { WITH("\"conditions\":{\"a\":" FUNCTION ",\"a\":" FUNCTION "}"), "conditions: \"a\" is given twice",
          "" },
        { WITH("\"indexes\":{\"ab\":{\"partition_key\":\"a:S\"}}"), "indexes.ab: expected a name of 3", "" },
        { WITH("\"indexes\":{\"idx\":1}"), "indexes.idx: expected an object", "" },
        { WITH("\"indexes\":{\"idx\":{\"sort_key\":\"a:S\"},\"idx\":{\"sort_key\":\"a:S\"}}"),
          "indexes: \"idx\" is given twice", "" },
        { INDEX("\"partition_key\":\"a:S\",\"keys\":1"), "indexes.idx.keys: there is no such field",
          "project" },
        { INDEX("\"project\":\"all\""), "indexes.idx.sort_key: expected a sort key", "local" },
        { INDEX("\"sort_key\":\"k:S\""), "indexes.idx.sort_key: ", "twice" },
        { INDEX("\"sort_key\":\"s:N\""), "indexes.idx.sort_key: ", "type N here and S elsewhere" },
        { INDEX("\"sort_key\":[\"a:S\",\"b:S\"]"), "indexes.idx.sort_key: expected one key attribute", "" },
        { INDEX("\"sort_key\":\"a:S\",\"throughput\":{\"read\":1,\"write\":1}"),
          "indexes.idx.throughput: a local index", "" },
        { INDEX("\"partition_key\":\"a:S\",\"throughput\":{\"read\":1,\"write\":1}"),
          "indexes.idx.throughput: the table has no throughput", "" },
        { WITH("\"throughput\":{\"read\":1,\"write\":1},\"indexes\":{\"idx\":{\"partition_key\":\"a:S\"}}"),
          "indexes.idx.throughput: expected", "" },
        { INDEX("\"partition_key\":[\"a:S\",\"b:S\",\"c:S\",\"d:S\",\"e:S\"]"),
          "indexes.idx.partition_key: expected at most 4", "found 5" },
        { INDEX("\"partition_key\":[\"a:S\",1]"), "indexes.idx.partition_key[2]: ", "found 1" },
        { INDEX("\"partition_key\":[\"a:S\",\"a:S\"]"), "indexes.idx.partition_key: ", "twice" },
        { INDEX("\"partition_key\":\"a:S\",\"project\":\"some\""), "indexes.idx.project: expected \"all\"",
          "found \"some\"" },
        { INDEX("\"partition_key\":\"a:S\",\"project\":[]"), "indexes.idx.project: ", "empty list" },
        { INDEX("\"partition_key\":\"a:S\",\"project\":[\"x\",\"x\"]"),
          "indexes.idx.project: \"x\" is given twice", "" },
        { INDEX("\"partition_key\":\"a:S\",\"project\":[\"x\",2]"), "indexes.idx.project[2]: ", "found 2" },
        { INDEX("\"partition_key\":\"a:S\",\"project\":{\"$function\":false}"),
          "indexes.idx.project: ", "found an object" },
        { "{\"table\":\"abc\",\"partition_key\":\"k:S\",\"indexes\":{\"idx\":{\"sort_key\":\"a:S\"}}}",
          "indexes.idx: a local index needs a table with a sort key", "" },
        { WITH("\"triggers\":{\"go\":{\"run\":" FUNCTION "}}"), "triggers: triggers run from the stream",
          "" },
        { TRIGGER("\"on\":[\"insert\"]"), "triggers.go.run: expected a function, found nothing", "" },
        { TRIGGER("\"on\":[],\"run\":" FUNCTION), "triggers.go.on: expected a list", "" },
        { TRIGGER("\"on\":\"insert\",\"run\":" FUNCTION), "triggers.go.on: expected a list",
          "found \"insert\"" },
        { TRIGGER("\"on\":[\"insert\",\"update\"],\"run\":" FUNCTION), "triggers.go.on[2]: expected",
          "found \"update\"" },
        { TRIGGER("\"on\":[\"insert\",\"insert\"],\"run\":" FUNCTION), "triggers.go.on[2]: ", "twice" },
        { TRIGGER("\"batch\":0,\"run\":" FUNCTION), "triggers.go.batch: ", "1 to 10000" },
        { TRIGGER("\"batch\":10001,\"run\":" FUNCTION), "triggers.go.batch: ", "" },
        { TRIGGER("\"batch_window_ms\":300001,\"run\":" FUNCTION),
          "triggers.go.batch_window_ms: ", "0 to 300000" },
        { TRIGGER("\"retries\":-2,\"run\":" FUNCTION), "triggers.go.retries: ", "-1 to 10000" },
        { TRIGGER("\"max_age_s\":59,\"run\":" FUNCTION), "triggers.go.max_age_s: ", "60 to 604800" },
        { TRIGGER("\"max_age_s\":604801,\"run\":" FUNCTION), "triggers.go.max_age_s: ", "" },
        { TRIGGER("\"max_age_s\":60,\"max_age\":60,\"run\":" FUNCTION),
          "triggers.go.max_age: ", "one of them" },
        { TRIGGER("\"parallel\":11,\"run\":" FUNCTION), "triggers.go.parallel: ", "1 to 10" },
        { TRIGGER("\"filter\":1,\"run\":" FUNCTION), "triggers.go.filter: expected a function", "" },
        { TRIGGER("\"when\":1,\"run\":" FUNCTION), "triggers.go.when: there is no such field",
          "batch_window_ms" },
    };
    int failures = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        failures += !refused(cases[i].text, cases[i].begins, cases[i].part);
    CHECK(failures == 0);
}

static void functions_come_from_modules_only(void)
{
    static const char *const fields[] = {
        "\"before_write\":" FUNCTION,
        "\"conditions\":{\"c\":" FUNCTION "}",
        "\"stream\":\"keys_only\",\"triggers\":{\"t\":{\"run\":" FUNCTION "}}",
        "\"indexes\":{\"idx\":{\"sort_key\":\"a:S\",\"project\":" FUNCTION "}}",
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct pl_table *table;
        char text[300];

        snprintf(text, sizeof text, "{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"s:S\",%s}",
                 fields[i]);
        CHECK_MSG(load(text, false, &table) == PL_EINVALID, "%s", text);
        CHECK_MSG(strstr(why.text, "a function can only be given by a Lua module") != NULL, "%s", why.text);
        pl_table_unref(sound(text));
    }
}

static void text_that_is_no_strict_json_is_refused(void)
{
    static const char *const bad[] = { "", "{", "{\"table\":\"abc\",\"partition_key\":\"k:S\"} x",
                                       "\xEF\xBB\xBF{}", "{\"table\":\"abc\",\"partition_key\":\"\xFF:S\"}" };
    struct pl_table *table;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(load(bad[i], true, &table) == PL_ESYNTAX && why.text[0] != '\0', "%s", bad[i]);
}

/* `count` indexes of a kind, as text. */
static const char *many_indexes(int count, const char *keys, int names)
{
    static char text[64 * 1024];
    char *to =
        text +
        sprintf(text, "{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"s:S\",\"indexes\":{");

    for (int i = 0; i < count; i++) {
        to += sprintf(to, "%s\"idx%d\":{%s", i > 0 ? "," : "", i, keys);
        for (int n = 0; n < names; n++)
            to += sprintf(to, "%s\"n%d\"%s", n == 0 ? ",\"project\":[" : ",", n, n == names - 1 ? "]" : "");
        to += sprintf(to, "}");
    }
    sprintf(to, "}}");
    return text;
}

static void limits_hold_exactly(void)
{
    pl_table_unref(sound(many_indexes(5, "\"sort_key\":\"a:N\"", 0)));
    CHECK(refused(many_indexes(6, "\"sort_key\":\"a:N\"", 0), "indexes: a table has at most 5 local",
                  "this one 6"));
    pl_table_unref(sound(many_indexes(20, "\"partition_key\":\"a:N\"", 5)));
    CHECK(refused(many_indexes(21, "\"partition_key\":\"a:N\"", 0), "indexes: a table has at most 20 global",
                  ""));
    CHECK(refused(many_indexes(2, "\"partition_key\":\"a:N\"", 51), "indexes: all indexes together",
                  "at most 100"));
}

static void names_are_3_to_255_of_the_allowed_characters(void)
{
    char longest[257];

    memset(longest, 'a', sizeof longest);
    CHECK(pl_table_name_is_valid(pl_str("a-Z")) && pl_table_name_is_valid(pl_str("0_.")));
    CHECK(!pl_table_name_is_valid(pl_str("ab")) && !pl_table_name_is_valid(pl_str("a/b")));
    CHECK(!pl_table_name_is_valid(pl_str("\xC3\xA9"
                                         "ab")) &&
          !pl_table_name_is_valid(pl_bytes("a\0b", 3)));
    CHECK(pl_table_name_is_valid(pl_bytes(longest, 255)) && !pl_table_name_is_valid(pl_bytes(longest, 256)));
}

static void a_key_attributes_name_has_at_most_255_bytes(void)
{
    char name[257], text[400];

    memset(name, 'n', sizeof name);
    snprintf(text, sizeof text, "{\"table\":\"abc\",\"partition_key\":\"%.255s:S\"}", name);
    pl_table_unref(sound(text));
    snprintf(text, sizeof text, "{\"table\":\"abc\",\"partition_key\":\"%.256s:S\"}", name);
    CHECK(
        refused(text, "partition_key: the name of a key attribute has at most 255 bytes, this one 256", ""));
}

/* --- there and back --- */

static void encode(const struct pl_table *table, struct pl_buf *out)
{
    pl_buf_clear(out);
    pl_table_encode(table, out);
    CHECK(pl_buf_status(out) == 0);
}

static void a_table_survives_json(void)
{
    struct pl_table *t = sound(messages), *back;
    struct pl_buf one = { 0 }, two = { 0 };
    cJSON *json = pl_table_to_json(t);

    CHECK(json != NULL);
    CHECK(pl_table_from_json(json, true, &back, &why) == 0);
    encode(t, &one);
    encode(back, &two);
    CHECK(pl_bytes_equal(pl_buf_view(&one), pl_buf_view(&two)));
    cJSON_Delete(json);
    pl_table_unref(t);
    pl_table_unref(back);
    pl_buf_deinit(&one);
    pl_buf_deinit(&two);
}

static void a_table_survives_the_catalog(void)
{
    struct pl_table *t = sound(messages), *back;
    struct pl_buf one = { 0 }, two = { 0 };

    t->id = 7;
    t->version = UINT64_MAX;
    t->created_ms = 1763856000000;
    t->module = pl_str("messages.lua");
    t->indexes[0].id = 9;
    t->indexes[1].state = PL_INDEX_BACKFILLING;
    encode(t, &one);
    CHECK(pl_table_decode(pl_buf_view(&one), &back) == 0);
    CHECK(back->id == 7 && back->version == UINT64_MAX && back->created_ms == 1763856000000);
    CHECK(pl_bytes_equal(back->module, pl_str("messages.lua")));
    CHECK(back->indexes[0].id == 9 && back->indexes[1].state == PL_INDEX_BACKFILLING);
    CHECK(back->triggers[0].retries == -1);
    encode(back, &two);
    CHECK(pl_bytes_equal(pl_buf_view(&one), pl_buf_view(&two)));
    pl_table_unref(t);
    pl_table_unref(back);
    pl_buf_deinit(&one);
    pl_buf_deinit(&two);
}

static void a_copy_shares_nothing_with_its_original(void)
{
    struct pl_table *t = sound(messages), *copy;

    CHECK(pl_table_copy(t, &copy) == 0);
    CHECK(copy->name.data != t->name.data && pl_bytes_equal(copy->name, t->name));
    CHECK(pl_table_ref(t) == t);
    pl_table_unref(t);
    pl_table_unref(t);
    CHECK(pl_bytes_equal(copy->indexes[2].keys.sort[0].name, pl_str("ChatID")));
    pl_table_unref(copy);
    pl_table_unref(NULL);
}

static void bytes_that_are_no_table_are_corrupt_and_nothing_worse(void)
{
    struct pl_table *t = sound(messages), *back;
    struct pl_buf bytes = { 0 }, again = { 0 };
    uint64_t state = test_seed();

    encode(t, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        char *cut = malloc(len + (len == 0));
        int rc;

        memcpy(cut, bytes.data, len);
        rc = pl_table_decode(pl_bytes(cut, len), &back);
        free(cut);
        CHECK_MSG(rc == PL_ECORRUPT, "%zu", len);
    }
    for (int round = 0; round < 20000; round++) {
        size_t at = test_random(&state) % bytes.len;
        char before = bytes.data[at];

        bytes.data[at] = (char)test_random(&state);
        if (pl_table_decode(pl_buf_view(&bytes), &back) == 0) {
            encode(back, &again);
            CHECK(pl_bytes_equal(pl_buf_view(&bytes), pl_buf_view(&again)));
            pl_table_unref(back);
        }
        bytes.data[at] = before;
    }
    pl_buf_append_byte(&bytes, 0);
    CHECK(pl_table_decode(pl_buf_view(&bytes), &back) == PL_ECORRUPT);
    pl_table_unref(t);
    pl_buf_deinit(&bytes);
    pl_buf_deinit(&again);
}

/* --- keys of items --- */

static struct pl_arena arena;
static struct pl_buf item_bytes, pk, sk;

static enum pl_key_found find_key(const struct pl_key_schema *keys, const char *json, const char **bad_name)
{
    const struct pl_key_attribute *bad = NULL;
    struct pl_item item;
    enum pl_key_found found;

    pl_buf_clear(&item_bytes);
    pl_buf_clear(&pk);
    pl_buf_clear(&sk);
    pl_buf_append_byte(&pk, 'p');
    pl_buf_append_byte(&sk, 's');
    CHECK_MSG(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &arena, &item_bytes, &item, &why) == 0, "%s",
              why.text);
    found = pl_key_schema_encode(keys, item, &pk, &sk, &bad);
    *bad_name = bad == NULL ? "" : bad->name.data[0] == 'k' ? "k" : bad->name.data[0] == 's' ? "s" : "other";
    CHECK(found == PL_KEY_WHOLE || (pk.len == 1 && sk.len == 1));
    return found;
}

static void a_key_is_found_missing_or_wrong(void)
{
    struct pl_table *t = sound("{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"s:N\"}");
    const char *bad;

    CHECK(find_key(&t->keys, "{\"k\":\"a\",\"s\":1,\"x\":2}", &bad) == PL_KEY_WHOLE);
    CHECK(pl_bytes_equal(pl_buf_view(&pk), pl_bytes("pa\0\1", 4)));
    CHECK(sk.len == 1 + 4 && bad[0] == '\0');
    CHECK(find_key(&t->keys, "{\"s\":1}", &bad) == PL_KEY_MISSING && strcmp(bad, "k") == 0);
    CHECK(find_key(&t->keys, "{\"k\":\"a\"}", &bad) == PL_KEY_MISSING && strcmp(bad, "s") == 0);
    CHECK(find_key(&t->keys, "{}", &bad) == PL_KEY_MISSING && strcmp(bad, "k") == 0);
    CHECK(find_key(&t->keys, "{\"k\":1,\"s\":\"x\"}", &bad) == PL_KEY_WRONG_TYPE && strcmp(bad, "k") == 0);
    CHECK(find_key(&t->keys, "{\"k\":null,\"s\":1}", &bad) == PL_KEY_WRONG_TYPE && strcmp(bad, "k") == 0);
    CHECK(find_key(&t->keys, "{\"k\":\"\",\"s\":1}", &bad) == PL_KEY_EMPTY && strcmp(bad, "k") == 0);
    /* What is there and wrong counts for more than what is missing. */
    CHECK(find_key(&t->keys, "{\"s\":\"x\"}", &bad) == PL_KEY_WRONG_TYPE && strcmp(bad, "s") == 0);
    pl_table_unref(t);
}

static void keys_have_2048_and_1024_bytes_at_most(void)
{
    struct pl_table *t = sound("{\"table\":\"abc\",\"partition_key\":\"k:S\",\"sort_key\":\"s:S\"}");
    static const struct {
        int k, s;
        enum pl_key_found found;
    } cases[] = { { 2048, 1024, PL_KEY_WHOLE }, { 2049, 1, PL_KEY_TOO_LONG }, { 1, 1025, PL_KEY_TOO_LONG } };
    const char *bad;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[4096];

        snprintf(json, sizeof json, "{\"k\":\"%0*d\",\"s\":\"%0*d\"}", cases[i].k, 0, cases[i].s, 0);
        CHECK(find_key(&t->keys, json, &bad) == cases[i].found);
    }
    pl_table_unref(t);
}

static void a_wrong_attribute_is_found_behind_a_missing_one(void)
{
    struct pl_table *t = sound("{\"table\":\"abc\",\"partition_key\":\"k:S\",\"indexes\":{\"idx\":"
                               "{\"partition_key\":[\"a:S\",\"sx:S\"],\"sort_key\":[\"b:S\",\"c:S\"]}}}");
    const struct pl_key_schema *keys = &t->indexes[0].keys;
    const char *bad;

    CHECK(find_key(keys, "{\"sx\":1,\"b\":\"x\",\"c\":\"x\"}", &bad) == PL_KEY_WRONG_TYPE &&
          strcmp(bad, "s") == 0);
    CHECK(find_key(keys, "{\"sx\":\"x\",\"c\":\"\"}", &bad) == PL_KEY_EMPTY);
    CHECK(find_key(keys, "{\"a\":\"x\",\"b\":\"x\"}", &bad) == PL_KEY_MISSING && strcmp(bad, "s") == 0);
    CHECK(find_key(keys, "{\"a\":\"x\",\"sx\":\"y\",\"b\":\"z\",\"c\":\"w\"}", &bad) == PL_KEY_WHOLE);
    CHECK(pl_bytes_equal(pl_buf_view(&pk), pl_bytes("px\0\1y\0\1", 7)));
    CHECK(pl_bytes_equal(pl_buf_view(&sk), pl_bytes("sz\0\1w\0\1", 7)));
    pl_table_unref(t);
}

static void a_schema_knows_its_attributes(void)
{
    struct pl_table *t = sound(messages);
    const struct pl_key_schema *keys = &pl_table_index(t, pl_str("ByPlace"))->keys;

    CHECK(pl_key_schema_has(keys, pl_str("City")) && pl_key_schema_has(keys, pl_str("Tag")));
    CHECK(!pl_key_schema_has(keys, pl_str("a")) && !pl_key_schema_has(keys, pl_str("city")));
    pl_table_unref(t);
}

/* --- memory --- */

/* Through everything a table can go through; 0 or PL_ENOMEM. */
static int live_a_life(void)
{
    struct pl_table *table, *copy;
    cJSON *json;
    int rc;

    rc = load(messages, true, &table);
    if (rc != 0)
        return rc;
    rc = pl_table_copy(table, &copy);
    if (rc == 0)
        pl_table_unref(copy);
    json = pl_table_to_json(table);
    if (json == NULL)
        rc = PL_ENOMEM;
    cJSON_Delete(json);
    pl_table_unref(table);
    return rc;
}

static void a_table_survives_every_failed_allocation(void)
{
    cJSON_Hooks failing = { .malloc_fn = __wrap_malloc, .free_fn = free };

    cJSON_InitHooks(&failing);
    for (int for_good = 0; for_good < 2; for_good++) {
        long rounds = 0;

        for (long n = 0; allocation_failing(n, for_good != 0); n++) {
            int rc = live_a_life();

            CHECK_MSG(rc == (allocation_failed() ? PL_ENOMEM : 0), "%ld: %d", n, rc);
            rounds++;
        }
        CHECK(rounds > 100);
    }
    cJSON_InitHooks(NULL);
}

int main(void)
{
    RUN(a_definition_is_read_field_by_field);
    RUN(the_least_definition_is_a_name_and_a_key);
    RUN(the_type_is_behind_the_last_colon);
    RUN(each_wrong_field_is_named_with_what_was_expected);
    RUN(functions_come_from_modules_only);
    RUN(text_that_is_no_strict_json_is_refused);
    RUN(limits_hold_exactly);
    RUN(names_are_3_to_255_of_the_allowed_characters);
    RUN(a_key_attributes_name_has_at_most_255_bytes);
    RUN(a_table_survives_json);
    RUN(a_table_survives_the_catalog);
    RUN(a_copy_shares_nothing_with_its_original);
    RUN(bytes_that_are_no_table_are_corrupt_and_nothing_worse);
    RUN(a_key_is_found_missing_or_wrong);
    RUN(keys_have_2048_and_1024_bytes_at_most);
    RUN(a_wrong_attribute_is_found_behind_a_missing_one);
    RUN(a_schema_knows_its_attributes);
    RUN(a_table_survives_every_failed_allocation);
    pl_arena_deinit(&arena);
    pl_buf_deinit(&item_bytes);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&sk);
    return test_summary();
}
