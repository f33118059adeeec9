/* SPDX-License-Identifier: MIT */
#include "codec/line.h"
#include "model/json.h"
#include "model/transaction.h"

#include "test.h"

/* One request, read as a connection reads it. */
struct request {
    struct pl_line line;
    struct pl_operation op;
    struct pl_reason why;
    int rc;
};

static struct request read_line(const char *text)
{
    struct request request = { 0 };

    pl_operation_init(&request.op, PL_OP_GET);
    request.rc = pl_line_read(pl_str(text), &request.line, &request.why);
    if (request.rc == 0)
        request.rc = pl_line_parse(&request.line, &request.op, &request.why);
    return request;
}

static bool says(struct pl_bytes bytes, const char *text)
{
    return pl_bytes_equal(bytes, pl_str(text));
}

static bool item_is(struct pl_item item, const char *json)
{
    struct pl_buf out = { 0 };
    bool same;

    pl_json_write_item(&out, PL_JSON_PLAIN, item);
    same = pl_buf_status(&out) == 0 && says(pl_buf_view(&out), json);
    pl_buf_deinit(&out);
    return same;
}

static void a_put_is_its_table_and_its_item(void)
{
    struct request r =
        read_line("PUT Messages {\"ChatID\":\"c\",\"Likes\":12345678901234567890123456789012345678}");

    CHECK(r.rc == 0 && r.op.name == PL_OP_PUT);
    CHECK(says(r.op.table_name, "Messages") && r.line.tag.len == 0);
    CHECK(item_is(r.op.item, "{\"ChatID\":\"c\",\"Likes\":12345678901234567890123456789012345678}"));
    CHECK(r.op.params.literals);
    pl_operation_deinit(&r.op);
}

static void clauses_may_stand_in_any_order(void)
{
    const char *lines[] = {
        "DEL T {\"a\":1} IF size(b) > 3 RETURN ALL_OLD ELSE ALL_OLD CAPACITY INDEXES",
        "DEL T {\"a\":1} CAPACITY INDEXES RETURN ALL_OLD ELSE ALL_OLD IF size(b) > 3",
        "DEL T {\"a\":1}  ELSE ALL_OLD\tIF size(b) > 3   CAPACITY INDEXES RETURN ALL_OLD  ",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct request r = read_line(lines[i]);

        CHECK_MSG(r.rc == 0, "%s: %s", lines[i], r.why.text);
        CHECK(r.op.name == PL_OP_DELETE && r.op.returns == PL_RETURN_ALL_OLD && r.op.return_old_on_failure);
        CHECK(r.op.report == PL_CAPACITY_INDEXES && says(r.op.condition_text, "size(b) > 3"));
        pl_operation_deinit(&r.op);
    }
}

static void a_query_has_every_part_in_its_place(void)
{
    struct request r =
        read_line("#q7 QUERY Messages/ByUser WHERE UserID = \"a LIMIT b\" FILTER contains(Text, \"DESC\") "
                  "SELECT Text, Tags[0] LIMIT 10 DESC AFTER {\"UserID\":\"u\"} CONSISTENT");

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(says(r.line.tag, "#q7") && r.op.name == PL_OP_QUERY);
    CHECK(says(r.op.table_name, "Messages") && says(r.op.index_name, "ByUser"));
    CHECK(says(r.op.key_condition_text, "UserID = \"a LIMIT b\""));
    CHECK(says(r.op.filter_text, "contains(Text, \"DESC\")"));
    CHECK(says(r.op.projection_text, "Text, Tags[0]") && r.op.select == PL_SELECT_SPECIFIC);
    CHECK(r.op.limit == 10 && r.op.descending && r.op.consistent);
    CHECK(r.op.has_start_key && item_is(r.op.start_key, "{\"UserID\":\"u\"}"));
    pl_operation_deinit(&r.op);
}

static void an_update_keeps_its_words_together(void)
{
    struct request r =
        read_line("UPDATE T {\"a\":1} SET b = 1, c = c + 2 REMOVE d ADD e 1 DELETE f :s IF g = 1 "
                  "RETURN UPDATED_NEW");

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(says(r.op.update_text, "SET b = 1, c = c + 2 REMOVE d ADD e 1 DELETE f :s"));
    CHECK(says(r.op.condition_text, "g = 1") && r.op.returns == PL_RETURN_UPDATED_NEW);
    pl_operation_deinit(&r.op);
}

static void placeholders_turn_literals_off(void)
{
    struct request r = read_line(
        "PUT T {\"a\":1} IF #n = :v NAMES {\"#n\":\"na\\u006de\"} VALUES {\":v\":{\"$set\":[1,2]}}");

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(!r.op.params.literals && r.op.params.name_count == 1 && r.op.params.value_count == 1);
    CHECK(says(r.op.params.names[0].name, "#n") && says(r.op.params.names[0].attribute, "name"));
    CHECK(says(r.op.params.values[0].name, ":v") && r.op.params.values[0].value.type == PL_TYPE_NS);
    pl_operation_deinit(&r.op);
}

/* The buffer under the item moves while the values behind it are read. */
static void earlier_values_survive_later_ones(void)
{
    struct pl_buf text = { 0 };
    struct request r;

    pl_buf_append_bytes(&text, pl_str("PUT T {\"a\":\"first\"} IF @c {\"x\":[1,2,3]} VALUES {"));
    for (int i = 0; i < 200; i++)
        pl_buf_append_format(&text, "%s\":v%d\":\"%0100d\"", i > 0 ? "," : "", i, i);
    pl_buf_append_bytes(&text, pl_str("}"));
    pl_buf_append_byte(&text, '\0');
    r = read_line(text.data);
    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(item_is(r.op.item, "{\"a\":\"first\"}"));
    CHECK(r.op.has_condition_args && says(r.op.condition_name, "c"));
    CHECK(pl_value_count(r.op.condition_args) == 1 && r.op.params.value_count == 200);
    for (int i = 0; i < 200; i++) {
        char expected[128];

        snprintf(expected, sizeof expected, "%0100d", i);
        CHECK(says(r.op.params.values[i].value.payload, expected));
    }
    pl_operation_deinit(&r.op);
    pl_buf_deinit(&text);
}

static void a_batch_is_its_children(void)
{
    struct request r =
        read_line("BATCH WRITE {\"Users\":{\"put\":[{\"id\":1},{\"id\":2}],\"delete\":[{\"id\":3}]},"
                  "\"Carts\":{\"delete\":[{\"c\":\"x\"}]}} CAPACITY TOTAL");

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(r.op.name == PL_OP_BATCH_WRITE && r.op.child_count == 4);
    CHECK(r.op.children[1].name == PL_OP_PUT && item_is(r.op.children[1].item, "{\"id\":2}"));
    CHECK(r.op.children[2].name == PL_OP_DELETE && says(r.op.children[2].table_name, "Users"));
    CHECK(says(r.op.children[3].table_name, "Carts") && r.op.children[3].report == PL_CAPACITY_TOTAL);
    pl_operation_deinit(&r.op);

    r = read_line("BATCH GET {\"Users\":[{\"id\":1}]} SELECT Name CONSISTENT");
    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(r.op.name == PL_OP_BATCH_GET && r.op.child_count == 1);
    CHECK(r.op.children[0].consistent && says(r.op.children[0].projection_text, "Name"));
    CHECK(r.op.children[0].parent != NULL);
    pl_operation_deinit(&r.op);
}

static void a_batch_of_too_many_is_refused_before_it_costs_memory(void)
{
    struct pl_buf text = { 0 };
    struct request r;

    pl_buf_append_bytes(&text, pl_str("BATCH GET {\"T\":[{}"));
    for (int i = 0; i < 100000; i++)
        pl_buf_append_bytes(&text, pl_str(",{}"));
    pl_buf_append_bytes(&text, pl_str("]}"));
    pl_buf_append_byte(&text, '\0');
    r = read_line(text.data);
    CHECK(r.rc == PL_EINVALID && strstr(r.why.text, "at most 100 keys") != NULL);
    CHECK(r.op.children == NULL);
    pl_operation_deinit(&r.op);
    pl_buf_deinit(&text);
}

static void a_transaction_is_its_children_in_order(void)
{
    struct request r = read_line("TRANSACT TOKEN \"t \\u0031\" "
                                 "[{\"put\":\"A\",\"item\":{\"id\":1},\"if\":\"b = 2\",\"else\":\"ALL_OLD\"},"
                                 "{\"key\":{\"id\":2},\"update\":\"B\",\"set\":\"SET #n = "
                                 ":v\",\"values\":{\":v\":{\"$set\":[1]},\":w\":\"x\"},"
                                 "\"names\":{\"#n\":\"c\"}},{\"delete\":\"A\",\"key\":{\"id\":3},\"if\":\"@"
                                 "mine\",\"args\":{\"u\":\"ann\"}},"
                                 "{\"check\":\"A\",\"key\":{\"id\":4},\"if\":\"d > 1\"}] CAPACITY TOTAL");
    const struct pl_operation *child = r.op.children;

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(r.op.name == PL_OP_TRANSACT_WRITE && r.op.child_count == 4 && says(r.op.token, "t 1"));
    CHECK(r.op.report == PL_CAPACITY_TOTAL);
    CHECK(child[0].name == PL_OP_PUT && says(child[0].table_name, "A") &&
          item_is(child[0].item, "{\"id\":1}"));
    CHECK(says(child[0].condition_text, "b = 2") && child[0].return_old_on_failure &&
          child[0].params.literals);
    CHECK(child[1].name == PL_OP_UPDATE && says(child[1].table_name, "B"));
    CHECK(item_is(child[1].item, "{\"id\":2}") && says(child[1].update_text, "SET #n = :v"));
    CHECK(!child[1].params.literals && child[1].params.value_count == 2 && child[1].params.name_count == 1);
    CHECK(child[1].params.values[0].value.type == PL_TYPE_NS);
    CHECK(child[2].name == PL_OP_DELETE && says(child[2].condition_name, "mine") &&
          child[2].has_condition_args);
    CHECK(child[2].condition_args.type == PL_TYPE_M && item_is(child[2].item, "{\"id\":3}"));
    CHECK(child[3].name == PL_OP_CONDITION_CHECK && says(child[3].condition_text, "d > 1"));
    pl_operation_deinit(&r.op);

    r = read_line(
        "TRANSACT [ {\"get\":\"A\",\"key\":{\"id\":1},\"project\":\"a, b\"} , {\"get\":\"B\",\"key\":{}} ]");
    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(r.op.name == PL_OP_TRANSACT_GET && r.op.child_count == 2 && r.op.token.data == NULL);
    CHECK(says(r.op.children[0].projection_text, "a, b") && r.op.children[1].name == PL_OP_GET);
    pl_operation_deinit(&r.op);
}

static void a_transaction_of_too_many_is_refused_before_it_costs_memory(void)
{
    struct pl_buf text = { 0 };
    struct request r;

    pl_buf_append_bytes(&text, pl_str("TRANSACT [1"));
    for (int i = 0; i < PL_TRANSACTION_CHILDREN_MAX; i++)
        pl_buf_append_bytes(&text, pl_str(",{}"));
    pl_buf_append_bytes(&text, pl_str("]"));
    pl_buf_append_byte(&text, '\0');
    r = read_line(text.data);
    CHECK(r.rc == PL_EINVALID && r.op.children == NULL);
    CHECK_MSG(strstr(r.why.text, "Member must have length less than or equal to 100") != NULL, "%s",
              r.why.text);
    pl_operation_deinit(&r.op);
    pl_buf_deinit(&text);
}

static void create_puts_the_name_into_the_definition(void)
{
    struct request r = read_line("CREATE Carts {\"partition_key\":\"UserID:S\"}");

    CHECK_MSG(r.rc == 0, "%s", r.why.text);
    CHECK(says(r.op.definition, "{\"table\":\"Carts\",\"partition_key\":\"UserID:S\"}"));
    pl_operation_deinit(&r.op);
    r = read_line("CREATE Carts { }");
    CHECK(r.rc == 0 && r.op.definition.len >= 17 &&
          memcmp(r.op.definition.data, "{\"table\":\"Carts\"", 16) == 0);
    pl_operation_deinit(&r.op);
    r = read_line("CREATE {\"table\":\"Carts\"}");
    CHECK(r.rc == 0 && says(r.op.definition, "{\"table\":\"Carts\"}"));
    pl_operation_deinit(&r.op);
}

static void every_example_of_the_help_is_understood(void)
{
    for (int i = 0; i < PL_VERB_TOTAL; i++) {
        struct request r = read_line(pl_verbs[i].example);

        CHECK_MSG(r.rc == 0, "%s: %s", pl_verbs[i].example, r.why.text);
        CHECK(r.line.verb == &pl_verbs[i]);
        CHECK(strncmp(pl_verbs[i].grammar, pl_verbs[i].word, strlen(pl_verbs[i].word)) == 0);
        pl_operation_deinit(&r.op);
    }
}

static void every_clause_of_a_verb_stands_in_its_grammar(void)
{
    for (int i = 0; i < PL_VERB_TOTAL; i++)
        for (int j = 0; j < PL_CLAUSE_TOTAL; j++)
            if ((pl_verbs[i].clauses >> j & 1) != 0)
                CHECK_MSG(strstr(pl_verbs[i].grammar, pl_clauses[j].word) != NULL, "%s %s", pl_verbs[i].word,
                          pl_clauses[j].word);
}

static void what_is_wrong_is_named(void)
{
    static const struct {
        const char *line;
        int rc;
        const char *sentence; /* must be part of what is said */
    } cases[] = {
        { "put T {}", PL_EUNKNOWN, "did you mean PUT?" },
        { "PTU T {}", PL_EUNKNOWN, "did you mean PUT?" },
        { "DESCIBE T", PL_EUNKNOWN, "did you mean DESCRIBE?" },
        { "INSERT T", PL_EUNKNOWN, "did you mean PUT?" },
        { "FROBNICATE", PL_EUNKNOWN, "there is no verb 'FROBNICATE': HELP lists them all" },
        { "#", PL_ESYNTAX, "expected a tag right after '#'" },
        { "#t", PL_ESYNTAX, "expected a verb after the tag" },
        { "#0123456789012345678901234567890123456789012345678901234567890123456789 PING", PL_ESYNTAX,
          "a tag has at most 64 bytes, found 70" },
        { "PUT", PL_ESYNTAX, "PUT expected a table's name, found the end of the line" },
        { "PUT {\"a\":1}", PL_ESYNTAX, "PUT expected a table's name, found '{\"a\":1}'" },
        { "PUT T", PL_ESYNTAX, "PUT expected the item as a JSON object {..}, found the end of the line" },
        { "PUT T [1]", PL_ESYNTAX, "found '[1]'" },
        { "PUT T {\"a\" 1}", PL_ESYNTAX, "PUT, in the item: expected" },
        { "GET T {\"a\":1} LIMIT 3", PL_ESYNTAX, "GET does not take 'LIMIT'. It takes: SELECT CONSISTENT" },
        { "GET T {\"a\":1} limit 3", PL_ESYNTAX, "found 'limit'" },
        { "PUT T {\"a\":1} RETURN NEW", PL_ESYNTAX, "after RETURN, found 'NEW'" },
        { "PUT T {\"a\":1} ELSE ALL_OLD", PL_ESYNTAX, "ELSE ALL_OLD needs an IF" },
        { "PUT T {\"a\":1} IF", PL_ESYNTAX, "expected a condition or @name after IF" },
        { "PUT T {\"a\":1} IF @", PL_ESYNTAX, "the name of a condition right after '@'" },
        { "PUT T {\"a\":1} RETURN NONE RETURN NONE", PL_ESYNTAX, "RETURN stands twice" },
        { "UPDATE T {\"a\":1} SET b = 1 IF c = 1 REMOVE d", PL_ESYNTAX, "must follow one another" },
        { "QUERY T", PL_ESYNTAX, "QUERY expected WHERE and a key condition" },
        { "QUERY T/ WHERE a = 1", PL_ESYNTAX, "expected table/index" },
        { "SCAN T LIMIT 0", PL_EINVALID, "a page's limit between 1 and 2147483647, found 0" },
        { "SCAN T LIMIT 99999999999999999999", PL_EINVALID, "a page's limit between" },
        { "SCAN T LIMIT -1", PL_ESYNTAX, "expected a page's limit, found '-1'" },
        { "SCAN T SEGMENT 4 OF 4", PL_EINVALID, "SEGMENT 4 OF 4 would be past the last" },
        { "SCAN T SEGMENT 1", PL_ESYNTAX, "OF and the number of segments" },
        { "SCAN T SELECT a COUNT", PL_ESYNTAX, "SELECT or COUNT, not both" },
        { "QUERY T WHERE a = 1 ASC DESC", PL_ESYNTAX, "ASC or DESC, not both" },
        { "PUT T {\"a\":1} NAMES {}", PL_EINVALID, "ExpressionAttributeNames must not be empty" },
        { "PUT T {\"a\":1} VALUES {}", PL_EINVALID, "ExpressionAttributeValues must not be empty" },
        { "PUT T {\"a\":1} IF a = :v VALUES {\":v\":{\"$number\":\"x\"}}", PL_EINVALID,
          "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric "
          "value: x "
          "for key :v" },
        { "PUT T {\"a\":1} NAMES {\"#n\":1}", PL_ESYNTAX, "must be a string" },
        { "PUT T {\"a\":1} VALUES {\":v\":1,\":v\":2}", PL_EINVALID, "expected distinct names" },
        { "TRANSACT", PL_ESYNTAX, "a JSON array" },
        { "TRANSACT {}", PL_ESYNTAX, "a JSON array" },
        { "TRANSACT []", PL_EINVALID, "Member must have length greater than or equal to 1" },
        { "TRANSACT [5]", PL_ESYNTAX, "in the transaction: expected" },
        { "TRANSACT [{}]", PL_ESYNTAX, "item 1: expected one of \"put\"" },
        { "TRANSACT [{\"put\":\"T\",\"item\":{\"a\":1}},{\"put\":\"T\"}]", PL_ESYNTAX,
          "item 2: expected \"item\"" },
        { "TRANSACT [{\"put\":\"T\",\"key\":{\"a\":1}}]", PL_ESYNTAX, "there can be no \"key\"" },
        { "TRANSACT [{\"put\":\"T\",\"item\":{},\"put\":\"T\"}]", PL_ESYNTAX, "twice there is \"put\"" },
        { "TRANSACT [{\"put\":\"T\",\"delete\":\"T\",\"key\":{}}]", PL_EINVALID,
          "TransactItems can only contain one of Check, Put, Update or Delete" },
        { "TRANSACT [{\"check\":\"T\",\"key\":{\"a\":1}}]", PL_ESYNTAX, "expected \"if\"" },
        { "TRANSACT [{\"put\":\"T\",\"item\":{},\"else\":\"ALL_OLD\"}]", PL_ESYNTAX, "no \"else\"" },
        { "TRANSACT [{\"put\":\"T\",\"item\":{},\"if\":\"a = 1\",\"else\":\"NEW\"}]", PL_EINVALID,
          "\"ALL_OLD\"" },
        { "TRANSACT [{\"put\":\"T\",\"item\":{},\"if\":\"a = 1\",\"args\":1}]", PL_ESYNTAX, "no \"args\"" },
        { "TRANSACT [{\"put\":5,\"item\":{}}]", PL_ESYNTAX, "\"put\" as a string" },
        { "TRANSACT [{\"put\":\"T\",\"item\":[]}]", PL_ESYNTAX, "the item as a JSON object" },
        { "TRANSACT [{\"replace\":\"T\"}]", PL_ESYNTAX, "no member \"replace\"" },
        { "TRANSACT [{\"get\":\"T\",\"key\":{},\"if\":\"a = 1\"}]", PL_ESYNTAX, "no \"if\"" },
        { "TRANSACT [{\"get\":\"T\",\"key\":{}},{\"delete\":\"T\",\"key\":{}}]", PL_EINVALID,
          "\"get\" stands alone" },
        { "TRANSACT TOKEN \"t\" [{\"get\":\"T\",\"key\":{}}]", PL_EINVALID, "takes no TOKEN" },
        { "TRANSACT TOKEN t [{\"delete\":\"T\",\"key\":{}}]", PL_ESYNTAX, "a JSON string after TOKEN" },
        { "TRANSACT TOKEN \"\" [{\"delete\":\"T\",\"key\":{}}]", PL_EINVALID, "clientRequestToken" },
        { "TRANSACT [{\"delete\":\"T\",\"key\":{}}] CONSISTENT", PL_ESYNTAX, "does not take" },
        { "TRANSACT [{\"delete\":\"T\",\"key\":{}}", PL_ESYNTAX, "in the transaction" },
        { "BATCH PUT {}", PL_ESYNTAX, "expected GET or WRITE, found 'PUT'" },
        { "BATCH GET {}", PL_EINVALID, "at least one key" },
        { "BATCH GET {\"T\":{}}", PL_ESYNTAX, "a list of keys" },
        { "BATCH WRITE {\"T\":{\"insert\":[]}}", PL_ESYNTAX,
          "expected \"put\" or \"delete\", found \"insert\"" },
        { "BATCH WRITE {\"T\":{\"put\":[1]}}", PL_ESYNTAX, "an item as a JSON object" },
        { "BATCH WRITE {\"T\":{\"put\":[{\"a\":1}]}} CONSISTENT", PL_ESYNTAX, "no clause but CAPACITY" },
        { "CREATE a/b {}", PL_EINVALID, "a table's name has" },
        { "CREATE Carts {\"table\":\"Other\"}", PL_ESYNTAX, "named twice" },
        { "PING 1", PL_ESYNTAX, "PING expected nothing more, found '1'" },
        { "PING \xff", PL_ESYNTAX, "not well-formed UTF-8" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request r = read_line(cases[i].line);

        CHECK_MSG(r.rc == cases[i].rc, "%s: %d %s", cases[i].line, r.rc, r.why.text);
        CHECK_MSG(strstr(r.why.text, cases[i].sentence) != NULL, "%s: %s", cases[i].line, r.why.text);
        pl_operation_deinit(&r.op);
    }
}

static void a_tag_is_known_even_when_the_rest_is_wrong(void)
{
    struct request r = read_line("#7 NONSENSE");

    CHECK(r.rc == PL_EUNKNOWN && says(r.line.tag, "#7"));
}

/* --- replies --- */

static bool reply_is(struct pl_operation *op, const char *tag, const char *expected)
{
    struct pl_buf out = { 0 };
    bool same;

    pl_line_write_reply(&out, pl_str(tag), op);
    same = says(pl_buf_view(&out), expected);
    if (!same)
        fprintf(stderr, "wrote: %.*s", (int)out.len, out.data);
    pl_buf_deinit(&out);
    return same;
}

static void nothing_to_show_is_ok_alone(void)
{
    struct request r = read_line("#1 GET T {\"a\":1}");

    CHECK(reply_is(&r.op, "#1", "#1 OK\n"));
    r.op.reply.has_item = true;
    r.op.reply.item = r.op.item;
    CHECK(reply_is(&r.op, "", "OK {\"a\":1}\n"));
    pl_operation_deinit(&r.op);
}

static void a_page_ends_with_its_counts_and_the_next_key(void)
{
    struct request r = read_line("QUERY T WHERE a = 1 AFTER {\"a\":1,\"b\":\"x\"}");

    r.op.reply.count = 2;
    r.op.reply.scanned = 5;
    CHECK(reply_is(&r.op, "", "END {\"count\":2,\"scanned\":5}\n"));
    r.op.reply.has_last_key = true;
    r.op.reply.last_key = r.op.start_key;
    r.op.report = PL_CAPACITY_INDEXES;
    r.op.reply.capacity.table_halves = 3;
    pl_capacity_add_index(&r.op.reply.capacity, pl_str("ByX"), true, 1);
    CHECK(reply_is(&r.op, "#z",
                   "#z END {\"count\":2,\"scanned\":5,\"next\":{\"a\":1,\"b\":\"x\"},"
                   "\"capacity\":{\"total\":2,\"table\":1.5,\"indexes\":{\"ByX\":0.5}}}\n"));
    pl_operation_deinit(&r.op);
}

static void capacity_asked_for_comes_as_row_and_end(void)
{
    struct request r = read_line("GET T {\"a\":1} CAPACITY TOTAL");

    r.op.reply.capacity.table_halves = 1;
    CHECK(reply_is(&r.op, "", "END {\"capacity\":{\"total\":0.5}}\n"));
    r.op.reply.has_item = true;
    r.op.reply.item = r.op.item;
    CHECK(reply_is(&r.op, "", "ROW {\"a\":1}\nEND {\"capacity\":{\"total\":0.5}}\n"));
    pl_operation_deinit(&r.op);
}

static void what_a_batch_left_out_can_be_sent_as_it_is(void)
{
    struct request r = read_line("BATCH WRITE {\"T\":{\"put\":[{\"a\":1},{\"a\":2}],\"delete\":[{\"a\":3}]},"
                                 "\"U\":{\"delete\":[{\"a\":4}]},\"V\":{\"put\":[{\"a\":5}]}}");
    struct request again;

    CHECK(r.rc == 0);
    CHECK(reply_is(&r.op, "", "OK\n"));
    r.op.children[1].reply.rc = r.op.children[2].reply.rc = r.op.children[3].reply.rc = PL_ETHROUGHPUT;
    r.op.reply.unprocessed = 3;
    CHECK(reply_is(&r.op, "#b",
                   "#b END {\"unprocessed\":{\"T\":{\"put\":[{\"a\":2}],\"delete\":[{\"a\":3}]},"
                   "\"U\":{\"delete\":[{\"a\":4}]}}}\n"));
    r.op.report = PL_CAPACITY_TOTAL;
    CHECK(reply_is(&r.op, "",
                   "END {\"unprocessed\":{\"T\":{\"put\":[{\"a\":2}],\"delete\":[{\"a\":3}]},"
                   "\"U\":{\"delete\":[{\"a\":4}]}},\"capacity\":{\"total\":0}}\n"));
    pl_operation_deinit(&r.op);

    again = read_line("BATCH WRITE {\"T\":{\"put\":[{\"a\":2}],\"delete\":[{\"a\":3}]},"
                      "\"U\":{\"delete\":[{\"a\":4}]}}");
    CHECK(again.rc == 0 && again.op.child_count == 3);
    pl_operation_deinit(&again.op);

    r = read_line("BATCH GET {\"T\":[{\"a\":1},{\"a\":2}],\"U\":[{\"a\":3}]}");
    r.op.children[0].reply.rc = r.op.children[2].reply.rc = PL_ETHROUGHPUT;
    r.op.reply.unprocessed = 2;
    r.op.reply.count = 1;
    CHECK(reply_is(&r.op, "", "END {\"count\":1,\"unprocessed\":{\"T\":[{\"a\":1}],\"U\":[{\"a\":3}]}}\n"));
    pl_operation_deinit(&r.op);
}

static void a_refused_condition_shows_the_item_it_met(void)
{
    struct request r = read_line("PUT T {\"a\":1} IF b = 1 ELSE ALL_OLD");

    r.op.reply.rc = PL_ECONDITION;
    r.op.reply.has_item = true;
    r.op.reply.item = r.op.item;
    CHECK(reply_is(&r.op, "",
                   "ROW {\"a\":1}\nERR ConditionalCheckFailedException The conditional request failed\n"));
    pl_operation_deinit(&r.op);
}

static void a_cancelled_transaction_shows_its_reasons(void)
{
    struct request r =
        read_line("#9 TRANSACT [{\"put\":\"T\",\"item\":{\"a\":1}},{\"put\":\"T\",\"item\":{\"a\":2}},"
                  "{\"put\":\"T\",\"item\":{\"a\":3}}]");
    struct pl_buf out = { 0 };

    CHECK(r.rc == 0);
    r.op.reply.rc = PL_ECANCELLED;
    r.op.children[0].reply.rc = PL_ECONDITION;
    r.op.children[0].reply.has_item = true;
    r.op.children[0].reply.item = r.op.children[0].item;
    r.op.children[2].reply.rc = pl_reason_set(&r.op.children[2].reply.why, PL_EREJECTED, "not\nthis");
    pl_line_write_reply(&out, r.line.tag, &r.op);
    CHECK_MSG(
        says(
            pl_buf_view(&out),
            "#9 ROW {\"reasons\":[{\"code\":\"ConditionalCheckFailed\",\"message\":\"The conditional request "
            "failed\",\"item\":{\"a\":1}},{\"code\":\"None\"},{\"code\":\"WriteRejected\",\"message\":"
            "\"not\\nthis\"}]}\n"
            "#9 ERR TransactionCanceledException Transaction cancelled, please refer cancellation reasons "
            "for "
            "specific reasons [ConditionalCheckFailed, None, WriteRejected]\n"),
        "%.*s", (int)out.len, out.data);
    pl_buf_deinit(&out);
    pl_operation_deinit(&r.op);
}

static void a_transaction_that_reads_has_a_row_for_each(void)
{
    struct request r =
        read_line("TRANSACT [{\"get\":\"T\",\"key\":{\"a\":1}},{\"get\":\"U\",\"key\":{\"a\":2}},"
                  "{\"get\":\"T\",\"key\":{\"a\":3}}] CAPACITY TOTAL");
    struct pl_buf out = { 0 };

    CHECK(r.rc == 0);
    r.op.children[1].reply.has_item = true;
    r.op.children[1].reply.item = r.op.children[1].item;
    r.op.reply.count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        r.op.children[i].reply.capacity.table_halves = 4;
        pl_capacity_add(&r.op.reply.capacity, &r.op.children[i].reply.capacity);
    }
    pl_line_write_reply(&out, r.line.tag, &r.op);
    CHECK_MSG(says(pl_buf_view(&out), "ROW null\nROW {\"a\":2}\nROW null\n"
                                      "END "
                                      "{\"count\":1,\"capacity\":{\"total\":6,\"tables\":{\"T\":{\"total\":4}"
                                      ",\"U\":{\"total\":2}}}}\n"),
              "%.*s", (int)out.len, out.data);
    pl_buf_deinit(&out);
    pl_operation_deinit(&r.op);
}

static void an_error_stays_on_one_line(void)
{
    struct pl_buf out = { 0 };
    struct pl_reason why = { .text = "two\nlines\rand \x01" };

    pl_line_write_error(&out, pl_str("#9"), PL_EINVALID, &why);
    CHECK(says(pl_buf_view(&out), "#9 ERR ValidationException two\\nlines\\u000dand \\u0001\n"));
    pl_buf_deinit(&out);
}

static void help_is_json_a_line_each(void)
{
    struct request r = read_line("HELP"), one = read_line("HELP put"), none = read_line("HELP xyzzy");
    struct pl_buf out = { 0 };

    pl_line_write_help(&out, &r.line);
    CHECK(memcmp(out.data, "ROW {\"verb\":\"PUT\",\"does\":", 24) == 0);
    pl_buf_clear(&out);
    pl_line_write_help(&out, &one.line);
    CHECK(memcmp(out.data, "OK {\"verb\":\"PUT\",", 17) == 0);
    pl_buf_clear(&out);
    pl_line_write_help(&out, &none.line);
    CHECK(memcmp(out.data, "ERR UnknownOperationException ", 30) == 0);
    pl_buf_deinit(&out);
}

static void hello_knows_its_protocol(void)
{
    struct request r = read_line("HELLO 1"), other = read_line("HELLO 9");
    struct pl_buf out = { 0 };

    pl_line_write_hello(&out, &r.line);
    CHECK(strncmp(out.data, "OK {\"server\":\"perilune\",\"version\":\"", 35) == 0);
    pl_buf_clear(&out);
    pl_line_write_hello(&out, &other.line);
    CHECK(strncmp(out.data, "ERR ValidationException ", 24) == 0);
    pl_buf_deinit(&out);
}

int main(void)
{
    RUN(a_put_is_its_table_and_its_item);
    RUN(clauses_may_stand_in_any_order);
    RUN(a_query_has_every_part_in_its_place);
    RUN(an_update_keeps_its_words_together);
    RUN(placeholders_turn_literals_off);
    RUN(earlier_values_survive_later_ones);
    RUN(a_batch_is_its_children);
    RUN(a_batch_of_too_many_is_refused_before_it_costs_memory);
    RUN(a_transaction_is_its_children_in_order);
    RUN(a_transaction_of_too_many_is_refused_before_it_costs_memory);
    RUN(create_puts_the_name_into_the_definition);
    RUN(every_example_of_the_help_is_understood);
    RUN(every_clause_of_a_verb_stands_in_its_grammar);
    RUN(what_is_wrong_is_named);
    RUN(a_tag_is_known_even_when_the_rest_is_wrong);
    RUN(nothing_to_show_is_ok_alone);
    RUN(a_page_ends_with_its_counts_and_the_next_key);
    RUN(capacity_asked_for_comes_as_row_and_end);
    RUN(what_a_batch_left_out_can_be_sent_as_it_is);
    RUN(a_refused_condition_shows_the_item_it_met);
    RUN(a_cancelled_transaction_shows_its_reasons);
    RUN(a_transaction_that_reads_has_a_row_for_each);
    RUN(an_error_stays_on_one_line);
    RUN(help_is_json_a_line_each);
    RUN(hello_knows_its_protocol);
    return test_summary();
}
