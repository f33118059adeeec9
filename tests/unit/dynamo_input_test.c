/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/constraint.h"
#include "codec/dynamo/input.h"

#include "test.h"

/* The reader and the judge of requests, on shapes of the tests' own: the calls' are tested with the calls. */

static const char *const colours[] = { "RED", "BLUE", NULL };
static const struct pl_dynamo_shape colour = { .kind = PL_DYNAMO_STRING, .words = colours };
static const struct pl_dynamo_shape amount = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = 5
};
static const struct pl_dynamo_shape modern = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .modern = true
};
static const struct pl_dynamo_shape name = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 2, .max = 4, .pattern = "[a-zA-Z0-9_.-]+"
};
static const struct pl_dynamo_member inner_members[] = { { "Name", &name, true },
                                                         { "Colour", &colour, false } };
static const struct pl_dynamo_shape inner = PL_DYNAMO_STRUCTURE_OF("Inner", inner_members);
static const struct pl_dynamo_shape list = {
    .kind = PL_DYNAMO_LIST, .has_min = true, .min = 1, .max = 2, .element = &inner
};
static const struct pl_dynamo_shape map = { .kind = PL_DYNAMO_MAP, .element = &inner };
static const struct pl_dynamo_member members[] = {
    { "Amount", &amount, false },
    { "Modern", &modern, false },
    { "List", &list, false },
    { "Map", &map, false },
    { "Item", &pl_dynamo_item, false },
    { "Value", &pl_dynamo_value, false },
    { "When", &pl_dynamo_timestamp, false },
    { "Yes", &pl_dynamo_boolean, false },
    { "Table", &pl_dynamo_table_name, false },
};
static const struct pl_dynamo_shape shape = PL_DYNAMO_STRUCTURE_OF("Test", members);

struct reading {
    struct pl_arena arena;
    struct pl_buf bytes;
    const struct pl_dynamo_node *input;
    struct pl_reason why;
    struct pl_bytes violations;
    int rc;
};

static void read_text(struct reading *r, const char *text)
{
    *r = (struct reading){ 0 };
    r->rc = pl_dynamo_input_read(&shape, pl_str(text), &r->arena, &r->bytes, &r->input, &r->why);
    if (r->rc == 0)
        r->rc = pl_dynamo_constraint_check(r->input, &r->arena, &r->violations);
}

static void forget(struct reading *r)
{
    pl_arena_deinit(&r->arena);
    pl_buf_deinit(&r->bytes);
}

static void members_are_found_by_their_names(void)
{
    struct reading r;

    read_text(
        &r, "{\"Yes\":\"YES\",\"Amount\":2.9,\"When\":1.5,\"List\":[{\"Name\":\"ab\"}],\"Other\":{\"x\":[1]},"
            "\"Item\":{\"a\":{\"N\":\"1\"}},\"Table\":null}");
    CHECK(r.rc == 0);
    CHECK(pl_dynamo_get(r.input, "Table") == NULL);
    CHECK(pl_dynamo_get_bool(r.input, "Yes"));
    CHECK(pl_dynamo_get(r.input, "Amount")->number == 2);
    CHECK(pl_dynamo_get(r.input, "When")->number == 1500);
    CHECK(pl_dynamo_get(r.input, "List")->count == 1);
    CHECK(pl_dynamo_node_item(pl_dynamo_get(r.input, "Item"), &r.bytes).size_bytes == 3);
    forget(&r);
}

static void the_last_of_two_members_counts(void)
{
    struct reading r;

    read_text(&r, "{\"Amount\":9,\"Amount\":3}");
    CHECK(r.rc == 0 && pl_dynamo_get(r.input, "Amount")->number == 3);
    forget(&r);
}

static void violations_are_told_in_the_order_of_the_shape(void)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "{\"List\":[{\"Name\":\"a!\",\"Colour\":\"PINK\"},{}],\"Amount\":9}",
          "4 validation errors detected: Value '9' at 'amount' failed to satisfy constraint: Member must "
          "have value "
          "less than or equal to 5; Value 'a!' at 'list.1.member.name' failed to satisfy constraint: Member "
          "must "
          "satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value 'PINK' at 'list.1.member.colour' "
          "failed to "
          "satisfy constraint: Member must satisfy enum value set: [RED, BLUE]; Value null at "
          "'list.2.member.name' "
          "failed to satisfy constraint: Member must not be null" },
        { "{\"Map\":{\"Key\":{\"Name\":\"abcde\"}}}",
          "1 validation error detected: Value 'abcde' at 'map.Key.member.name' failed to satisfy constraint: "
          "Member "
          "must have length less than or equal to 4" },
        { "{\"Modern\":0}",
          "1 validation error detected: Value at 'Modern' failed to satisfy constraint: Member must "
          "have value greater than or equal to 1" },
        { "{\"List\":[]}",
          "1 validation error detected: Value '[]' at 'list' failed to satisfy constraint: Member "
          "must have length greater than or equal to 1" },
        { "{\"Amount\":9,\"Table\":\"a\"}",
          "1 validation error detected: Value 'a' at 'table' failed to satisfy "
          "constraint: Member must have length greater than or equal to 3" },
        { "{\"Amount\":-99999999999999999999}", "1 validation error detected: Value '-2147483648' at "
                                                "'amount' failed to satisfy constraint: Member must "
                                                "have value greater than or equal to 1" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reading r;

        read_text(&r, cases[i].text);
        CHECK_MSG(r.rc == PL_EINVALID && pl_bytes_equal(r.violations, pl_str(cases[i].sentence)), "%.*s",
                  (int)r.violations.len, r.violations.data);
        forget(&r);
    }
}

static void no_more_than_ten_violations_are_told(void)
{
    struct reading r;
    char text[4096] = "{\"Map\":{";

    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\"k%d\":{}", i > 0 ? "," : "", i);
    strcat(text, "}}");
    read_text(&r, text);
    CHECK(r.rc == PL_EINVALID);
    CHECK_MSG(memcmp(r.violations.data, "10 validation errors detected: ", 31) == 0, "%.*s",
              (int)r.violations.len, r.violations.data);
    forget(&r);
}

static void long_values_are_shown_in_part(void)
{
    char text[20000] = "{\"List\":[{\"Name\":\"x";
    struct reading r;

    for (int i = 0; i < 4500; i++)
        strcat(text, "\xC3\xA9");
    strcat(text, "\"}]}");
    read_text(&r, text);
    CHECK(r.rc == PL_EINVALID && r.violations.len < 2 * 4096 + 500);
    CHECK(pl_bytes_is_utf8(r.violations));
    CHECK(memmem(r.violations.data, r.violations.len, "\xC3\xA9...' at 'list.1", 17) != NULL);
    forget(&r);
}

static void json_that_is_none_is_refused_without_a_sentence(void)
{
    static const char *const texts[] = {
        "", "[]", "{", "{} x", "{\"Amount\":1,}", "{\"Amount\":01}", "\"x", "{\"Item\":1", "nul"
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading r;

        read_text(&r, texts[i]);
        CHECK_MSG(r.rc == PL_ESYNTAX && r.why.text[0] == '\0', "%s: %s", texts[i], r.why.text);
        forget(&r);
    }
}

static void a_wrong_value_is_told_after_wrong_types_and_kept_until_asked_for(void)
{
    struct reading r;

    read_text(&r, "{\"Item\":{\"a\":{\"N\":\"x\"},\"b\":{\"S\":1}}}");
    CHECK(r.rc == PL_ESYNTAX && strcmp(r.why.text, "NUMBER_VALUE cannot be converted to String") == 0);
    forget(&r);
    read_text(&r, "{\"Item\":{\"a\":{\"N\":\"x\"}},\"Value\":{},\"Amount\":1}");
    CHECK(r.rc == 0);
    CHECK(pl_dynamo_get(r.input, "Item")->rc == PL_EINVALID);
    CHECK(strcmp(pl_dynamo_get(r.input, "Item")->why,
                 "The parameter cannot be converted to a numeric value: x") == 0);
    CHECK(pl_dynamo_get(r.input, "Value")->rc == PL_EINVALID);
    CHECK(pl_dynamo_get(r.input, "Amount")->number == 1);
    forget(&r);
}

/* `count` times `element` between `before` and `after`. The caller frees it. */
static char *repeated(const char *before, const char *element, int count, const char *after)
{
    struct pl_buf text = { 0 };

    pl_buf_append_bytes(&text, pl_str(before));
    for (int i = 0; i < count; i++) {
        pl_buf_append(&text, ",", i > 0);
        pl_buf_append_bytes(&text, pl_str(element));
    }
    pl_buf_append_bytes(&text, pl_str(after));
    pl_buf_append_byte(&text, 0);
    CHECK(pl_buf_status(&text) == 0);
    return text.data;
}

static void a_request_of_very_many_parts_is_refused_or_not_kept(void)
{
    enum { MANY = 1000000 };
    struct reading r;
    char *text;

    text = repeated("{\"List\":[", "{}", MANY, "]}");
    read_text(&r, text);
    CHECK(r.rc == PL_EINVALID && pl_dynamo_get(r.input, "List")->count == MANY);
    CHECK(strstr(r.violations.data, "Member must have length less than or equal to 2") != NULL);
    forget(&r);
    free(text);
    text = repeated("{", "\"Amount\":1", MANY, "}");
    read_text(&r, text);
    CHECK_MSG(r.rc == PL_EINVALID && strncmp(r.why.text, "A request has at most", 21) == 0, "%s", r.why.text);
    forget(&r);
    free(text);
    /* The value is wrong, and is walked through once more for its JSON types. */
    text = repeated("{\"Value\":{\"L\":[", "{}", MANY, ",{\"S\":1}]}}");
    read_text(&r, text);
    CHECK_MSG(r.rc == PL_ESYNTAX && strcmp(r.why.text, "NUMBER_VALUE cannot be converted to String") == 0,
              "%s", r.why.text);
    forget(&r);
    free(text);
}

static void deep_nesting_ends_in_an_error(void)
{
    enum { DEEP = 100000 };
    char *text = malloc(32 + DEEP);
    struct reading r;

    CHECK(text != NULL);
    strcpy(text, "{\"Item\":{\"a\":");
    memset(text + 13, '[', DEEP);
    text[13 + DEEP] = '\0';
    read_text(&r, text);
    CHECK(r.rc == PL_ESYNTAX);
    forget(&r);
    free(text);
}

int main(void)
{
    RUN(members_are_found_by_their_names);
    RUN(the_last_of_two_members_counts);
    RUN(violations_are_told_in_the_order_of_the_shape);
    RUN(no_more_than_ten_violations_are_told);
    RUN(long_values_are_shown_in_part);
    RUN(json_that_is_none_is_refused_without_a_sentence);
    RUN(a_wrong_value_is_told_after_wrong_types_and_kept_until_asked_for);
    RUN(a_request_of_very_many_parts_is_refused_or_not_kept);
    RUN(deep_nesting_ends_in_an_error);
    return test_summary();
}
