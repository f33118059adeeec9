/* SPDX-License-Identifier: MIT */
#include "model/partiql.h"

#include "model/json.h"

#include "failing_arena.h"
#include "test.h"

/* A statement, with parameters given as a JSON object whose values, sorted by name, stand for its question marks. */
struct reading {
    struct pl_arena arena;
    struct pl_buf bytes;
    struct pl_value parameters[16];
    uint32_t parameter_count;
    struct pl_partiql statement;
    struct pl_reason why;
    int rc;
};

static struct pl_item item_of(struct reading *r, const char *json)
{
    struct pl_buf bytes = { 0 };
    struct pl_item item = { 0 }, kept;

    CHECK_MSG(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &r->arena, &bytes, &item, &r->why) == 0, "%s",
              r->why.text);
    kept = (struct pl_item){ .bytes = pl_arena_copy(&r->arena, item.bytes), .size_bytes = item.size_bytes };
    pl_buf_deinit(&bytes);
    return kept;
}

static int read_statement(struct reading *r, const char *text, const char *parameters)
{
    struct pl_bytes rest, name;

    *r = (struct reading){ .rc = 0 };
    rest = item_of(r, parameters).bytes;
    while (pl_entry_take(&rest, &name, &r->parameters[r->parameter_count]))
        r->parameter_count++;
    r->rc =
        pl_partiql_parse(pl_str(text), r->parameters, r->parameter_count, &r->arena, &r->statement, &r->why);
    return r->rc;
}

static void end(struct reading *r)
{
    pl_arena_deinit(&r->arena);
    pl_buf_deinit(&r->bytes);
}

static bool item_is(struct reading *r, struct pl_item item, const char *json)
{
    struct pl_item expected = item_of(r, json);

    return pl_bytes_equal(item.bytes, expected.bytes);
}

static const struct pl_key_schema keys = { .partition = { { .name = { "pk", 2 }, .type = PL_TYPE_S } },
                                           .sort = { { .name = { "sk", 2 }, .type = PL_TYPE_N } },
                                           .partition_count = 1,
                                           .sort_count = 1 };

/* ---- conditions ---- */

/* WHERE, by a table whose keys it does not speak of: all of it is the filter. */
static bool holds(const char *where, const char *json)
{
    char text[1024];
    struct reading r;
    struct pl_partiql_walk walk;
    struct pl_item item;
    bool result;

    snprintf(text, sizeof text, "SELECT * FROM \"T\" WHERE %s", where);
    CHECK_MSG(read_statement(&r, text, "{}") == 0, "%s: %s", where, r.why.text);
    CHECK(pl_partiql_walk(&r.statement, &keys, &r.arena, &walk, &r.why) == 0);
    CHECK(walk.conditions == NULL && walk.filter != NULL);
    item = item_of(&r, json);
    result = pl_condition_test(walk.filter, &item);
    end(&r);
    return result;
}

static void conditions_mean_what_they_say(void)
{
    CHECK(holds("a = 1", "{\"a\":1.0}") && !holds("a = 1", "{\"a\":2}") && !holds("a = 1", "{}"));
    CHECK(holds("a <> 1", "{\"a\":2}") && holds("a != 'x'", "{\"a\":2}"));
    CHECK(holds("1 < a", "{\"a\":2}") && holds("a >= -1.5e0", "{\"a\":-1.5}") &&
          !holds("a < 2", "{\"a\":2}"));
    CHECK(holds("a BETWEEN 1 AND 3 AND b = true", "{\"a\":2,\"b\":true}"));
    CHECK(holds("a NOT BETWEEN 1 AND 3", "{\"a\":4}") && !holds("a NOT BETWEEN 1 AND 3", "{\"a\":3}"));
    CHECK(holds("a IN ['x', 'it''s']", "{\"a\":\"it's\"}") && !holds("a in ('x')", "{\"a\":\"y\"}"));
    CHECK(holds("a NOT IN [1,2]", "{\"a\":3}"));
    CHECK(holds("a IS MISSING", "{}") && holds("a IS NOT MISSING", "{\"a\":null}"));
    CHECK(holds("a IS NULL", "{\"a\":null}") && !holds("a IS NULL", "{}") &&
          holds("a IS NOT NULL", "{\"a\":1}"));
    CHECK(holds("begins_with(a, 'ab')", "{\"a\":\"abc\"}") && holds("contains(a, 2)", "{\"a\":[1,2]}"));
    CHECK(holds("attribute_type(a, 'L')", "{\"a\":[]}") && holds("size(a) = 2", "{\"a\":\"xy\"}"));
    CHECK(holds("\"odd name\".b[1] = 'q'", "{\"odd name\":{\"b\":[0,\"q\"]}}"));
    CHECK(holds("a = [1, {'k': <<'s'>>}, null]", "{\"a\":[1,{\"k\":{\"$set\":[\"s\"]}},null]}"));
    CHECK(holds("NOT (a = 1 OR b = 2) and c = 3", "{\"c\":3}"));
    /* AND binds before OR, NOT before both. */
    CHECK(holds("a = 1 OR b = 2 AND c = 3", "{\"a\":1}") && holds("NOT a = 1 AND b = 2", "{\"b\":2}"));
}

/* ---- what is wrong ---- */

static bool refused(const char *text, const char *sentence)
{
    struct reading r;
    bool result = read_statement(&r, text, "{}") == PL_EINVALID && strstr(r.why.text, sentence) != NULL;

    if (!result)
        fprintf(stderr, "%s: %d %s\n", text, r.rc, r.why.text);
    end(&r);
    return result;
}

static void what_is_no_statement_is_told_where(void)
{
    char deep[400] = "SELECT * FROM T WHERE ";

    CHECK(refused("", "expected SELECT, INSERT, UPDATE, DELETE or EXISTS, found the end"));
    CHECK(refused("DROP TABLE x", "column 1, found DROP"));
    CHECK(refused("SELECT * T", "expected FROM at column 10"));
    CHECK(refused("SELECT * FROM a.b.c", "at most 2 components"));
    CHECK(refused("SELECT * FROM \"\"", "Path component cannot be an empty string"));
    CHECK(refused("SELECT \"\" FROM T", "Path component cannot be an empty string"));
    CHECK(refused("SELECT \xff FROM T", "it is not UTF-8"));
    CHECK(refused("SELECT * FROM T WHERE a", "a comparison"));
    CHECK(refused("SELECT * FROM T WHERE a = 'never ends", "found 'never ends"));
    CHECK(refused("SELECT * FROM T WHERE a = 1 b", "expected the end"));
    CHECK(
        refused("SELECT * FROM T WHERE a = ?", "Number of parameters in request and statement don't match."));
    CHECK(refused("SELECT * FROM T WHERE a < true", "operator or function: <, operand type: BOOL"));
    CHECK(refused("SELECT * FROM T WHERE begins_with(a, 1)",
                  "operator or function: begins_with, operand type: N"));
    CHECK(refused("SELECT * FROM T WHERE size(true) = 1", "operator or function: size, operand type: BOOL"));
    CHECK(refused("SELECT * FROM T WHERE nothing(a)", "there is no function nothing"));
    CHECK(refused("SELECT * FROM T WHERE attribute_type(a, 'X')",
                  "Invalid attribute type name found; type: X"));
    CHECK(refused("SELECT * FROM T WHERE a + 1 = 2", "wants a path, a value or a size"));
    CHECK(refused("SELECT * FROM T WHERE a BETWEEN 2 AND 1", "upper bound to be greater than or equal"));
    CHECK(refused("SELECT * FROM T WHERE a = a", "must be distinct"));
    CHECK(refused("SELECT a, a FROM T", "overlap"));
    CHECK(refused("SELECT a.b, a[1] FROM T", "conflict"));
    CHECK(refused("SELECT from FROM T", "expected an attribute's name at column 8, found from"));
    CHECK(refused("SELECT * FROM Table", "expected a table's name at column 15, found Table"));
    CHECK(refused("INSERT INTO T VALUE {'a':1, 'a':2}", ""));
    CHECK(refused("INSERT INTO T VALUE {a:1}", "a name in quotes"));
    CHECK(refused("INSERT INTO T.i VALUE {}", "an index cannot be written to"));
    CHECK(refused("INSERT INTO T VALUE {'a':<<>>}", ""));
    CHECK(refused("INSERT INTO T VALUE {'a':<<1,'x'>>}", "one kind of them"));
    CHECK(refused("UPDATE T WHERE a = 1", "SET or REMOVE"));
    CHECK(refused("UPDATE T SET a = b = 1 WHERE a = 1", ""));
    CHECK(refused("UPDATE T SET a.b = 1 REMOVE a WHERE a = 1", "overlap"));
    CHECK(refused("UPDATE T SET a.b = 1 REMOVE a[0] WHERE a = 1", "conflict"));
    CHECK(refused("UPDATE T SET a = set_add(b, <<1>>) WHERE a = 1", "the attribute that is SET"));
    CHECK(refused("UPDATE T SET a = set_add(a, 1) WHERE a = 1", "set_add, operand type: N"));
    CHECK(refused("DELETE FROM T WHERE a = 1 RETURNING MODIFIED NEW *",
                  "Invalid returning clause: RETURNING MODIFIED NEW *. Only RETURNING ALL OLD * is allowed"));
    for (int i = 0; i < 200; i++)
        strcat(deep, "(");
    CHECK(refused(deep, "nested more than 64 deep"));
}

/* ---- plans ---- */

struct plan {
    struct reading reading;
    struct pl_partiql_walk walk;
};

static void plan_of(struct plan *plan, const char *where)
{
    char text[512];

    snprintf(text, sizeof text, "SELECT * FROM T WHERE %s", where);
    CHECK_MSG(read_statement(&plan->reading, text, "{}") == 0, "%s", plan->reading.why.text);
    CHECK_MSG(pl_partiql_walk(&plan->reading.statement, &keys, &plan->reading.arena, &plan->walk,
                              &plan->reading.why) == 0,
              "%s", plan->reading.why.text);
}

static bool plans(const char *where, uint32_t partitions, uint32_t conditions, enum pl_legacy_operator last,
                  bool filter, bool whole)
{
    struct plan plan;
    const struct pl_partiql_walk *walk = &plan.walk;
    bool result;

    plan_of(&plan, where);
    result = walk->partition_count == partitions && walk->condition_count == conditions &&
             (conditions == 0 || walk->conditions[conditions - 1].comparison == last) &&
             (walk->filter != NULL) == filter && walk->whole_key == whole;
    if (!result)
        fprintf(stderr, "%s: %u partitions, %u conditions\n", where, walk->partition_count,
                walk->condition_count);
    end(&plan.reading);
    return result;
}

static void where_is_taken_apart_by_the_keys(void)
{
    CHECK(plans("pk = 'a'", 1, 1, PL_LEGACY_EQ, false, false));
    CHECK(plans("'a' = pk AND sk = 1", 1, 2, PL_LEGACY_EQ, false, true));
    CHECK(plans("sk > 1 AND x = 2 AND pk = 'a'", 1, 2, PL_LEGACY_GT, true, false));
    CHECK(plans("pk = 'a' AND 1 > sk", 1, 2, PL_LEGACY_LT, false, false));
    CHECK(plans("pk = 'a' AND sk BETWEEN 1 AND 2", 1, 2, PL_LEGACY_BETWEEN, false, false));
    CHECK(plans("pk = 'a' AND begins_with(sk, 'x')", 1, 2, PL_LEGACY_BEGINS_WITH, false, false));
    CHECK(plans("pk = 'a' AND sk > 1 AND sk < 5", 1, 2, PL_LEGACY_GT, true, false));
    CHECK(plans("pk IN ['a','b','a'] AND sk = 1", 2, 2, PL_LEGACY_EQ, false, false));
    CHECK(plans("pk = 'a' OR pk = 'b'", 2, 1, PL_LEGACY_EQ, false, false));
    CHECK(plans("pk = 'a' OR x = 'b'", 0, 0, PL_LEGACY_EQ, true, false));
    CHECK(plans("pk > 'a'", 0, 0, PL_LEGACY_EQ, true, false));
    CHECK(plans("pk.x = 'a'", 0, 0, PL_LEGACY_EQ, true, false));
    CHECK(plans("NOT pk = 'a'", 0, 0, PL_LEGACY_EQ, true, false));
    CHECK(plans("pk = 'a' AND pk = 'b'", 1, 1, PL_LEGACY_EQ, true, false));
}

static bool order_refused(const char *text, const char *sentence)
{
    struct reading r;
    struct pl_partiql_walk walk;
    bool result;

    CHECK(read_statement(&r, text, "{}") == 0);
    result = pl_partiql_walk(&r.statement, &keys, &r.arena, &walk, &r.why) == PL_EINVALID &&
             strstr(r.why.text, sentence) != NULL;
    end(&r);
    return result;
}

static void an_order_wants_a_partition_and_a_key(void)
{
    struct plan plan;

    CHECK(order_refused("SELECT * FROM T ORDER BY sk", "Must have WHERE clause"));
    CHECK(order_refused("SELECT * FROM T WHERE x = 1 ORDER BY sk", "hash key condition"));
    CHECK(order_refused("SELECT * FROM T WHERE pk = 'a' ORDER BY x DESC", "part of the primary key"));
    plan_of(&plan, "pk = 'a' ORDER BY sk DESC");
    CHECK(plan.reading.statement.descending && plan.walk.partition_count == 1);
    end(&plan.reading);
}

static void a_target_is_a_whole_key_and_the_rest(void)
{
    struct pl_partiql_target target;
    struct reading r;

    CHECK(read_statement(&r, "DELETE FROM \"T\" WHERE sk = ? AND pk = ? AND x > 1 RETURNING ALL OLD *",
                         "{\"1\":7,\"2\":\"a\"}") == 0);
    CHECK(r.statement.returning == PL_PARTIQL_RETURNING_ALL_OLD && r.statement.verb == PL_PARTIQL_DELETE);
    CHECK(pl_partiql_target(&r.statement, &keys, &r.arena, &target, &r.why) == 0);
    CHECK(item_is(&r, target.key, "{\"pk\":\"a\",\"sk\":7}") && target.rest != NULL);
    end(&r);
    CHECK(read_statement(&r, "DELETE FROM T WHERE pk = 'a'", "{}") == 0);
    CHECK(pl_partiql_target(&r.statement, &keys, &r.arena, &target, &r.why) == PL_EINVALID);
    CHECK(strcmp(r.why.text, "Where clause does not contain a mandatory equality on all key attributes") ==
          0);
    end(&r);
}

static bool rule_holds(enum pl_partiql_rule rule, const char *where, const char *json)
{
    char text[256];
    struct pl_partiql_target target;
    struct pl_condition *condition;
    struct pl_item item;
    struct reading r;
    bool result;

    snprintf(text, sizeof text, "DELETE FROM T WHERE pk = 'a' AND sk = 1%s", where);
    CHECK(read_statement(&r, text, "{}") == 0);
    CHECK(pl_partiql_target(&r.statement, &keys, &r.arena, &target, &r.why) == 0);
    CHECK(pl_partiql_condition(rule, pl_str("pk"), target.rest, &r.arena, &condition) == 0);
    if (json != NULL)
        item = item_of(&r, json);
    result = condition == NULL || pl_condition_test(condition, json != NULL ? &item : NULL);
    end(&r);
    return result;
}

static void a_write_happens_by_its_rule(void)
{
    const char *there = "{\"pk\":\"a\",\"sk\":1,\"x\":5}";

    CHECK(rule_holds(PL_PARTIQL_NO_SUCH_ITEM, "", NULL) && !rule_holds(PL_PARTIQL_NO_SUCH_ITEM, "", there));
    CHECK(!rule_holds(PL_PARTIQL_ITEM_AND_REST, "", NULL) && rule_holds(PL_PARTIQL_ITEM_AND_REST, "", there));
    CHECK(rule_holds(PL_PARTIQL_ITEM_AND_REST, " AND x = 5", there));
    CHECK(!rule_holds(PL_PARTIQL_ITEM_AND_REST, " AND x = 6", there));
    CHECK(rule_holds(PL_PARTIQL_NO_ITEM_OR_REST, " AND x = 6", NULL));
    CHECK(!rule_holds(PL_PARTIQL_NO_ITEM_OR_REST, " AND x = 6", there));
    CHECK(rule_holds(PL_PARTIQL_NO_ITEM_OR_REST, "", there));
}

/* ---- items and updates ---- */

static void an_insert_is_an_item(void)
{
    struct reading r;

    CHECK(read_statement(&r,
                         "INSERT INTO \"T\" VALUE {'pk':'a', 'sk': -1.50, 'l': [?, true], 's': <<1, 1.0e1>>, "
                         "'m': {}, 'quo''te': '' }",
                         "{\"1\":{\"k\":null}}") == 0);
    CHECK(item_is(&r, r.statement.item,
                  "{\"pk\":\"a\",\"sk\":-1.5,\"l\":[{\"k\":null},true],\"s\":{\"$set\":[1,10]},\"m\":{},"
                  "\"quo'te\":\"\"}"));
    end(&r);
}

static void an_update_changes_what_it_names(void)
{
    struct pl_buf bytes = { 0 };
    struct pl_item out, old;
    struct reading r;

    CHECK(read_statement(&r,
                         "UPDATE T SET n = n + 2 - m SET l = list_append(l, [?]), t = 'x' "
                         "SET s = set_add(s, <<'c'>>) SET d = set_delete(d, <<1>>) REMOVE gone, deep.a[0] "
                         "WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED OLD *",
                         "{\"1\":9}") == 0);
    CHECK(r.statement.returning == PL_PARTIQL_RETURNING_MODIFIED_OLD);
    old = item_of(&r, "{\"pk\":\"a\",\"sk\":1,\"n\":5,\"m\":1,\"l\":[1],\"s\":{\"$set\":[\"a\"]},"
                      "\"d\":{\"$set\":[1,2]},\"gone\":1,\"deep\":{\"a\":[1,2]}}");
    CHECK_MSG(pl_update_apply(r.statement.update, old, false, &r.arena, &bytes, &out, &r.why) == 0, "%s",
              r.why.text);
    CHECK(item_is(
        &r, out,
        "{\"pk\":\"a\",\"sk\":1,\"n\":6,\"m\":1,\"l\":[1,9],\"t\":\"x\",\"s\":{\"$set\":[\"a\",\"c\"]},"
        "\"d\":{\"$set\":[2]},\"deep\":{\"a\":[2]}}"));
    pl_buf_deinit(&bytes);
    end(&r);
}

static void a_select_names_table_index_and_paths(void)
{
    struct pl_buf bytes = { 0 };
    struct pl_item out;
    struct reading r;

    CHECK(read_statement(&r, "select a, b.c[1] from \"my.table\".\"ix\" where x is missing", "{}") == 0);
    CHECK(pl_bytes_equal(r.statement.table, pl_str("my.table")) &&
          pl_bytes_equal(r.statement.index, pl_str("ix")));
    CHECK(pl_projection_apply(r.statement.projection,
                              item_of(&r, "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":3},\"e\":4}"), &r.arena, &bytes,
                              &out) == 0);
    CHECK(item_is(&r, out, "{\"a\":1,\"b\":{\"c\":[2]}}"));
    pl_buf_deinit(&bytes);
    end(&r);
    CHECK(read_statement(&r, "EXISTS(SELECT * FROM T WHERE pk = 'a')", "{}") == 0);
    CHECK(r.statement.verb == PL_PARTIQL_EXISTS && r.statement.projection == NULL);
    end(&r);
}

/* ---- memory that runs out ---- */

/* Everything that is done with a statement; each step may be short of memory. */
static int whole_way(const char *text, struct pl_arena *arena)
{
    static const char parameter_bytes[] = { PL_TYPE_S, 1, 'a' };
    struct pl_bytes rest = pl_bytes(parameter_bytes, sizeof parameter_bytes);
    struct pl_partiql_target target;
    struct pl_condition *condition;
    struct pl_partiql_walk walk;
    struct pl_partiql statement;
    struct pl_value parameter;
    struct pl_reason why;
    int rc;

    CHECK(pl_value_take(&rest, &parameter));
    rc = pl_partiql_parse(pl_str(text), &parameter, 1, arena, &statement, &why);
    if (rc == 0)
        rc = pl_partiql_walk(&statement, &keys, arena, &walk, &why);
    if (rc == 0 && statement.where != NULL && walk.whole_key)
        rc = pl_partiql_target(&statement, &keys, arena, &target, &why);
    if (rc == 0 && statement.where != NULL && walk.whole_key)
        rc = pl_partiql_condition(PL_PARTIQL_ITEM_AND_REST, pl_str("pk"), target.rest, arena, &condition);
    return rc;
}

static void no_memory_is_an_error_and_no_more(void)
{
    static const char *const texts[] = {
        "SELECT a, b.c[1] FROM \"T\".\"i\" WHERE pk = ? AND sk = 1 AND NOT (x BETWEEN 1 AND 2 OR y IN [1, "
        "2]) "
        "AND z IS NULL AND begins_with(q, 'it''s') ORDER BY sk DESC",
        "INSERT INTO T VALUE {'pk': ?, 'l': [1, {'k': <<'s', 't'>>}], 'n': -1.5}",
        "UPDATE T SET n = n + 1, l = list_append(l, [2]) SET s = set_add(s, <<1>>) REMOVE b WHERE pk = ? AND "
        "sk = 1",
        "SELECT * FROM T WHERE pk = ? OR pk = 'b'",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int for_good = 0; for_good < 2; for_good++)
            for (long n = 0; allocation_failing(n, for_good != 0); n++) {
                struct pl_arena arena = { 0 };
                int rc = whole_way(texts[i], &arena);

                CHECK(rc == (allocation_failed() ? PL_ENOMEM : 0));
                pl_arena_deinit(&arena);
            }
}

int main(void)
{
    RUN(no_memory_is_an_error_and_no_more);
    RUN(conditions_mean_what_they_say);
    RUN(what_is_no_statement_is_told_where);
    RUN(where_is_taken_apart_by_the_keys);
    RUN(an_order_wants_a_partition_and_a_key);
    RUN(a_target_is_a_whole_key_and_the_rest);
    RUN(a_write_happens_by_its_rule);
    RUN(an_insert_is_an_item);
    RUN(an_update_changes_what_it_names);
    RUN(a_select_names_table_index_and_paths);
    return test_summary();
}
