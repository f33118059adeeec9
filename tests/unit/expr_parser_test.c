/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

static const char *const names = "{\"#a\":\"a\",\"#b\":\"b\",\"#dot\":\"x.y\"}";
static const char *const values =
    "{\":n\":5,\":m\":1,\":s\":\"str\",\":t\":\"T\",\":l\":[1],\":map\":{},\":yes\":true,\":nil\":null,"
    "\":b\":{\"$binary\":\"AQ==\"},\":ss\":{\"$set\":[\"a\"]},\":ns\":{\"$set\":[1]},\":S\":\"S\"}";

struct refusal {
    const char *text;
    const char *sentence; /* without "Invalid ...Expression: "; NULL: it is sound */
};

static const char *prefix(enum pl_expr_kind kind)
{
    switch (kind) {
    case PL_EXPR_PROJECTION:
        return "Invalid ProjectionExpression: ";
    case PL_EXPR_UPDATE:
        return "Invalid UpdateExpression: ";
    case PL_EXPR_FILTER:
        return "Invalid FilterExpression: ";
    default:
        return "Invalid ConditionExpression: ";
    }
}

static void check_sentence(enum pl_expr_kind kind, const char *said, const char *text, const char *expected)
{
    char whole[2048] = "";

    if (expected != NULL)
        snprintf(whole, sizeof whole, "%s%s", prefix(kind), expected);
    CHECK_MSG(strcmp(said, whole) == 0, "%.200s\n  said     %s\n  expected %s", text, said, whole);
}

static void check_refusals(enum pl_expr_kind kind, const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct request r;

        request_init(&r, names, values);
        check_sentence(kind, request_parse(&r, kind, pl_str(refusals[i].text)), refusals[i].text,
                       refusals[i].sentence);
        request_deinit(&r);
    }
}

#define CHECK_REFUSALS(kind, refusals) check_refusals(kind, refusals, sizeof refusals / sizeof refusals[0])

#define NOT_ALLOWED   "The function is not allowed to be used this way in an expression; function: "
#define OPERAND_TYPE  "Incorrect operand type for operator or function; operator or function: "
#define OPERAND_COUNT "Incorrect number of operands for operator or function; operator or function: "
#define DISTINCT                                                                                             \
    "The first operand must be distinct from the remaining operands for this operator or function; "         \
    "operator: "
#define NEEDS_PATH "Operator or function requires a document path; operator or function: "
#define BOUNDS     "The BETWEEN operator requires "

static void a_syntax_error_quotes_its_neighbours(void)
{
    static const struct refusal refusals[] = {
        { "", "The expression can not be empty;" },
        { "   ", "Syntax error; token: \"<EOF>\", near: \"\"" },
        { "a =", "Syntax error; token: \"<EOF>\", near: \"=\"" },
        { "a = :n b", "Syntax error; token: \"b\", near: \":n b\"" },
        { "a ! :n", "Syntax error; token: \"!\", near: \"a ! :n\"" },
        { "!!", "Syntax error; token: \"!\", near: \"!!\"" },
        { "a AND b = :n", "Syntax error; token: \"AND\", near: \"a AND b\"" },
        { "(a) OR b = :n", "Syntax error; token: \"OR\", near: \") OR b\"" },
        { "a = :n AND b", "Syntax error; token: \"<EOF>\", near: \"b\"" },
        { "NOT a", "Syntax error; token: \"<EOF>\", near: \"a\"" },
        { ":n", "Syntax error; token: \"<EOF>\", near: \":n\"" },
        { "a = :n AND", "Syntax error; token: \"<EOF>\", near: \"AND\"" },
        { "a = b = :n", "Syntax error; token: \"=\", near: \"b = :n\"" },
        { "(a = :n", "Syntax error; token: \"<EOF>\", near: \":n\"" },
        { "a = :n)", "Syntax error; token: \")\", near: \":n)\"" },
        { "_a = :n", "Syntax error; token: \"_\", near: \"_a\"" },
        { "1a = :n", "Syntax error; token: \"1\", near: \"1a\"" },
        { "a[-1] = :n", "Syntax error; token: \"-\", near: \"[-1\"" },
        { "a[] = :n", "Syntax error; token: \"]\", near: \"[] =\"" },
        { "a[:n] = :n", "Syntax error; token: \":n\", near: \"[:n]\"" },
        { "a[#a] = :n", "Syntax error; token: \"#a\", near: \"[#a]\"" },
        { "a. = :n", "Syntax error; token: \"=\", near: \". = :n\"" },
        { "a = \"x\"", "Syntax error; token: \"\"\", near: \"= \"x\"" },
        { "a = 5", "Syntax error; token: \"5\", near: \"= 5\"" },
        { "# = :n", "Syntax error; token: \"#\", near: \"# =\"" },
        { "a = :", "Syntax error; token: \":\", near: \"= :\"" },
        { "a = \xe2\x82\xac", "Syntax error; token: \"\xe2\x82\xac\", near: \"= \xe2\x82\xac\"" },
        { "size() = :n", "Syntax error; token: \")\", near: \"()\x20=\"" },
        { "a IN ()", "Syntax error; token: \")\", near: \"()\"" },
        { "a IN :n", "Syntax error; token: \":n\", near: \"IN :n\"" },
        { "a BETWEEN :n OR :n", "Syntax error; token: \"OR\", near: \":n OR :n\"" },
        { "a = and", "Syntax error; token: \"and\", near: \"= and\"" },
    };

    CHECK_REFUSALS(PL_EXPR_CONDITION, refusals);
}

static void a_condition_is_checked_in_dynamodbs_order(void)
{
    static const struct refusal refusals[] = {
        { "a = :n", NULL },
        { "((a = :n))", "The expression has redundant parentheses;" },
        { "((a)) = :n", "The expression has redundant parentheses;" },
        { "size((((a)))) = :n", "The expression has redundant parentheses;" },
        { "((a = :n) AND b = :m)", NULL },
        { "(a) = (:n)", NULL },
        { "foo(a)", "Invalid function name; function: foo" },
        { "Size(a) = :n", "Invalid function name; function: Size" },
        { "if_not_exists(a, :n) = :n", "The function is not allowed in a condition expression; function: "
                                       "if_not_exists" },
        { "size(a)", NOT_ALLOWED "size" },
        { "NOT size(a)", NOT_ALLOWED "size" },
        { "size(a) AND b = :n", NOT_ALLOWED "size" },
        { "attribute_exists(a) = :n", NOT_ALLOWED "attribute_exists" },
        { "a IN (:n, contains(a, :n))", NOT_ALLOWED "contains" },
        { "size(contains(a, :n)) = :n", NOT_ALLOWED "contains" },
        { "name = :n", "Attribute name is a reserved keyword; reserved keyword: name" },
        { "a.Size = :n", "Attribute name is a reserved keyword; reserved keyword: Size" },
        { "ABORT.x = :n", "Attribute name is a reserved keyword; reserved keyword: ABORT" },
        { "a.ZONE = :n", "Attribute name is a reserved keyword; reserved keyword: ZONE" },
        { "zones = :n", NULL },
        { "#x = :n",
          "An expression attribute name used in the document path is not defined; attribute name: #x" },
        { "a = :x", "An expression attribute value used in expression is not defined; attribute value: :x" },
        { "size(a, b) = :n", OPERAND_COUNT "size, number of operands: 2" },
        { "attribute_exists(a, b)", OPERAND_COUNT "attribute_exists, number of operands: 2" },
        { "begins_with(a)", OPERAND_COUNT "begins_with, number of operands: 1" },
        { "a = #a", DISTINCT "=, first operand: [a]" },
        { "a[0].b <> a[0].#b", DISTINCT "<>, first operand: [a, [0], b]" },
        { "contains(a, a)", DISTINCT "contains, first operand: [a]" },
        { "begins_with(#dot, #dot)", DISTINCT "begins_with, first operand: [x.y]" },
        { "a IN (:n, a)", DISTINCT "IN, first operand: [a]" },
        { "a BETWEEN :n AND a", DISTINCT "BETWEEN, first operand: [a]" },
        { ":n = :n", NULL },
        { "a < :l", OPERAND_TYPE "<, operand type: L" },
        { "a >= :yes", OPERAND_TYPE ">=, operand type: BOOL" },
        { "a = :l", NULL },
        { "a <> :ss", NULL },
        { "a BETWEEN :map AND :n", OPERAND_TYPE "BETWEEN, operand type: M" },
        { "begins_with(a, :n)", OPERAND_TYPE "begins_with, operand type: N" },
        { "begins_with(a, size(b))", OPERAND_TYPE "begins_with, operand type: N" },
        { "begins_with(:b, a)", NULL },
        { "size(:n) = :n", OPERAND_TYPE "size, operand type: N" },
        { "size(size(a)) = :n", OPERAND_TYPE "size, operand type: N" },
        { "size(:nil) = :n", OPERAND_TYPE "size, operand type: NULL" },
        { "size(:ss) = :n", NULL },
        { "attribute_type(a, :n)", OPERAND_TYPE "attribute_type, operand type: N" },
        { "attribute_type(a, b)",
          OPERAND_TYPE "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}" },
        { "attribute_type(a, :t)",
          "Invalid attribute type name found; type: T, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}" },
        { "attribute_type(a, :S)", NULL },
        { "attribute_exists(:n)", NEEDS_PATH "attribute_exists" },
        { "attribute_not_exists(size(a))", NEEDS_PATH "attribute_not_exists" },
        { "a BETWEEN :n AND :m", BOUNDS
          "upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: "
          "{N:5}, upper bound operand: AttributeValue: {N:1}" },
        { "a BETWEEN :m AND :s",
          BOUNDS "same data type for lower and upper bounds; lower bound operand: "
                 "AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:str}" },
        { "a BETWEEN :m AND :n", NULL },
        { "a[2147483648] = :n", "List index is not within the allowable range; index: [2147483648]" },
        { "a[99999999999999999999999] = :n",
          "List index is not within the allowable range; index: [99999999999999999999999]" },
        { "a[2147483647] = :n", NULL },
        /* the gravest first, wherever it stands */
        { "size(a) OR name = :n OR foo(a) OR ((b = :n)", "Syntax error; token: \"<EOF>\", near: \")\"" },
        { "size(a) OR name = :n OR foo(a) OR ((b = :n))", "The expression has redundant parentheses;" },
        { "size(a) OR name = :n OR foo(a)", "Invalid function name; function: foo" },
        { "name = :n OR #x = :n OR size(a)", NOT_ALLOWED "size" },
        { "#x = :n OR a < :l OR name = :n", "Attribute name is a reserved keyword; reserved keyword: name" },
        { "a < :l OR #x = :n", OPERAND_TYPE "<, operand type: L" },
        { "size(a, :x) < :l",
          "An expression attribute value used in expression is not defined; attribute value: :x" },
        { "begins_with(a, a) = :n", NOT_ALLOWED "begins_with" },
    };

    CHECK_REFUSALS(PL_EXPR_CONDITION, refusals);
    CHECK_REFUSALS(PL_EXPR_FILTER, refusals);
}

static void an_update_is_checked_in_dynamodbs_order(void)
{
    static const struct refusal refusals[] = {
        { "SET a = :n", NULL },
        { "INVALID SYNTAX", "Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"" },
        { "SET", "Syntax error; token: \"<EOF>\", near: \"SET\"" },
        { "SET a :n", "Syntax error; token: \":n\", near: \"a :n\"" },
        { "SET a = :n, ", "Syntax error; token: \"<EOF>\", near: \",\"" },
        { "SET a = :n + :n + :n", "Syntax error; token: \"+\", near: \":n + :n\"" },
        { "SET a = (:n + :n) + :n", "Syntax error; token: \"+\", near: \") + :n\"" },
        { "SET a = list_append(b + :n, :l)", "Syntax error; token: \"+\", near: \"b + :n\"" },
        { "ADD a b", "Syntax error; token: \"b\", near: \"a b\"" },
        { "ADD a = :n", "Syntax error; token: \"=\", near: \"a = :n\"" },
        { "REMOVE a :n", "Syntax error; token: \":n\", near: \"a :n\"" },
        { "SET a = (b + :n)", NULL },
        { "SET a = (b) - (:n)", NULL },
        { "set a = :n remove b Add c :n delete d :ss", NULL },
        { "SET name = :n", "Attribute name is a reserved keyword; reserved keyword: name" },
        { "REMOVE a.list", "Attribute name is a reserved keyword; reserved keyword: list" },
        { "SET a = foo(b)", "Invalid function name; function: foo" },
        { "SET a = size(b)", "The function is not allowed in an update expression; function: size" },
        { "SET a = :n SET b = :n", "The \"SET\" section can only be used once in an update expression;" },
        { "REMOVE a remove b", "The \"REMOVE\" section can only be used once in an update expression;" },
        { "SET #x = :n",
          "An expression attribute name used in the document path is not defined; attribute name: #x" },
        { "SET a = :x",
          "An expression attribute value used in expression is not defined; attribute value: :x" },
        { "SET a = :n, #a = :n",
          "Two document paths overlap with each other; must remove or rewrite one of these "
          "paths; path one: [a], path two: [a]" },
        { "SET a.b[0] = :n REMOVE a",
          "Two document paths overlap with each other; must remove or rewrite one of "
          "these paths; path one: [a, b, [0]], path two: [a]" },
        { "SET a.b = :n, z = :n, a[1] = :n", "Two document paths conflict with each other; must remove or "
                                             "rewrite one of these paths; path one: [a, "
                                             "b], path two: [a, [1]]" },
        { "SET a.b = :n, #dot = :n, a.c = :n", NULL },
        { "ADD a :s",
          "Incorrect operand type for operator or function; operator: ADD, operand type: STRING" },
        { "ADD a :l", "Incorrect operand type for operator or function; operator: ADD, operand type: LIST" },
        { "DELETE a :n",
          "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER" },
        { "DELETE a :yes",
          "Incorrect operand type for operator or function; operator: DELETE, operand type: BOOLEAN" },
        { "ADD a :ns DELETE b :ss", NULL },
        { "SET a = if_not_exists(b)", OPERAND_COUNT "if_not_exists, number of operands: 1" },
        { "SET a = list_append(a, :l, :l)", OPERAND_COUNT "list_append, number of operands: 3" },
        { "SET a = if_not_exists(:n, :n)", NEEDS_PATH "if_not_exists" },
        { "SET a = if_not_exists(b, b)", DISTINCT "if_not_exists, first operand: [b]" },
        { "SET a = list_append(a, :n)", OPERAND_TYPE "list_append, operand type: N" },
        { "SET a = list_append(a, a)", NULL },
        { "SET a = list_append(list_append(a, :l), :l)", NOT_ALLOWED "list_append" },
        { "SET a = list_append(if_not_exists(a, :l), :l)", NULL },
        { "SET a = if_not_exists(b, if_not_exists(c, :n))", NULL },
        { "SET a = b + :s", OPERAND_TYPE "+, operand type: S" },
        { "SET a = :l - b", OPERAND_TYPE "-, operand type: L" },
        { "SET a = a + a", NULL },
        /* the gravest first */
        { "SET a = foo(b) SET name = :x", "Attribute name is a reserved keyword; reserved keyword: name" },
        { "SET a = :n SET b = foo(b)", "Invalid function name; function: foo" },
        { "SET a = :x, #x = :n",
          "An expression attribute name used in the document path is not defined; attribute name: #x" },
        { "ADD a :s, a :x",
          "An expression attribute value used in expression is not defined; attribute value: :x" },
        { "ADD a.b :s, a[1] :n, a :n", "Two document paths overlap with each other; must remove or rewrite "
                                       "one of these paths; path one: [a, "
                                       "b], path two: [a]" },
        { "SET b = if_not_exists(:n, :n) ADD a :s",
          "Incorrect operand type for operator or function; operator: ADD, operand type: STRING" },
    };

    CHECK_REFUSALS(PL_EXPR_UPDATE, refusals);
}

static void a_projection_is_checked_in_dynamodbs_order(void)
{
    static const struct refusal refusals[] = {
        { "a, b.c, d[0].e", NULL },
        { "a,", "Syntax error; token: \"<EOF>\", near: \",\"" },
        { "a b", "Syntax error; token: \"b\", near: \"a b\"" },
        { ":n", "Syntax error; token: \":n\", near: \":n\"" },
        { "size(a)", "Syntax error; token: \"(\", near: \"size(a\"" },
        { "#x, set", "Attribute name is a reserved keyword; reserved keyword: set" },
        { "a, a, #x",
          "An expression attribute name used in the document path is not defined; attribute name: #x" },
        { "b, a.b[1], #a", "Two document paths overlap with each other; must remove or rewrite one of these "
                           "paths; path one: [a, "
                           "b, [1]], path two: [a]" },
        { "a[1], a.b", "Two document paths conflict with each other; must remove or rewrite one of these "
                       "paths; path one: [a, "
                       "[1]], path two: [a, b]" },
        { "x.y, #dot", NULL },
    };

    CHECK_REFUSALS(PL_EXPR_PROJECTION, refusals);
}

/* `unit` as often as it takes to pass `len`, between `head` and `tail`. */
static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
    char *text = malloc(strlen(head) + strlen(unit) * count + strlen(tail) + 1);

    CHECK(text != NULL);
    strcpy(text, head);
    for (size_t i = 0, at = strlen(head); i < count; i++, at += strlen(unit))
        strcpy(text + at, unit);
    strcat(text + strlen(head) + strlen(unit) * count - (count > 0 ? strlen(unit) : 0), tail);
    return text;
}

static void check_repeated(enum pl_expr_kind kind, const char *head, const char *unit, size_t count,
                           const char *tail, const char *sentence)
{
    char *text = repeat(head, unit, count, tail);
    struct refusal refusal = { text, sentence };

    check_refusals(kind, &refusal, 1);
    free(text);
}

static void limits_hold_exactly(void)
{
    check_repeated(PL_EXPR_CONDITION, "a = :n", " ", 4090, "", NULL);
    check_repeated(PL_EXPR_CONDITION, "a = :n!", " ", 4090, "",
                   "Expression size has exceeded the maximum allowed size; expression size: 4097");
    check_repeated(PL_EXPR_CONDITION, "a=:n", " OR a=:n", 149, "", NULL);
    check_repeated(PL_EXPR_CONDITION, "NOT a=:n", " OR a=:n", 149, "", NULL);
    check_repeated(PL_EXPR_CONDITION, "NOT NOT a=:n", " OR a=:n", 149, "",
                   "The expression contains too many operators; operator count: 301");
    check_repeated(PL_EXPR_CONDITION, "a IN (:n", ",:n", 99, ")", NULL);
    check_repeated(PL_EXPR_CONDITION, "a IN (:n", ",:n", 100, ")",
                   "The IN operator is provided with too many operands; number of operands: 101");
    check_repeated(PL_EXPR_PROJECTION, "a", ".b", 31, "", NULL);
    check_repeated(PL_EXPR_PROJECTION, "a", ".b", 32, "",
                   "The document path has too many nesting levels; nesting levels: 33");
    check_repeated(PL_EXPR_PROJECTION, "a", "[1]", 1300, "",
                   "The document path has too many nesting levels; nesting levels: 1301");
    check_repeated(PL_EXPR_CONDITION, "", "NOT ", 299, "a=:n", NULL);
}

static void deep_nesting_is_refused_without_harm(void)
{
    static const char *const deep = "The expression has too many nesting levels; nesting levels: 641";

    check_repeated(PL_EXPR_CONDITION, "", "(", 4096, "", deep);
    check_repeated(PL_EXPR_CONDITION, "", "NOT ", 1024, "", deep);
    check_repeated(PL_EXPR_CONDITION, "", "size(", 819, "", deep);
    check_repeated(PL_EXPR_CONDITION, "a = ", "(", 4000, "", deep);
    check_repeated(PL_EXPR_UPDATE, "SET a = ", "(", 4000, "", deep);
    check_repeated(PL_EXPR_UPDATE, "SET a = ", "if_not_exists(b,", 250, "",
                   "Syntax error; token: \"<EOF>\", near: \",\"");
}

static void a_placeholder_has_at_most_255_characters(void)
{
    char *longest = repeat("a = :", "v", 254, ""), *longer = repeat("a = :", "v", 255, "");
    struct request r;

    request_init(&r, names, values);
    CHECK(strstr(request_parse(&r, PL_EXPR_CONDITION, pl_str(longest)), "attribute value: :vvv") != NULL);
    CHECK(strstr(request_parse(&r, PL_EXPR_CONDITION, pl_str(longer)), "Syntax error; token: \":vvv") !=
          NULL);
    request_deinit(&r);
    free(longest);
    free(longer);
}

struct literal {
    enum pl_expr_kind kind;
    const char *text;
    const char *sentence;
};

static void literals_stand_where_placeholders_do(void)
{
    static const struct literal literals[] = {
        { PL_EXPR_CONDITION, "name = \"x\" AND size = -1.5e3 AND date IN (true,false,null,[1,{\"a\":2}],{})",
          NULL },
        { PL_EXPR_CONDITION, "a = \"\\u0041 \\\" AND\"", NULL },
        { PL_EXPR_CONDITION, "a[0] = 1 AND b[1][2] = [1]", NULL },
        { PL_EXPR_CONDITION, "a = {\"$set\":[1,2]}", NULL },
        { PL_EXPR_UPDATE, "SET a = b -1, c = 5-3, d = -1 - -1, count = if_not_exists(count, 0) + 1", NULL },
        { PL_EXPR_UPDATE, "ADD a 1, b {\"$set\":[\"x\"]} DELETE c {\"$set\":[2]} REMOVE d[0]", NULL },
        { PL_EXPR_PROJECTION, "name, size, value.items[0]", NULL },
        { PL_EXPR_CONDITION, "true = 1", NULL },
        { PL_EXPR_CONDITION, "a.true = 1", "Attribute name is a reserved keyword; reserved keyword: true" },
        { PL_EXPR_CONDITION, "Set = 1", "Attribute name is a reserved keyword; reserved keyword: Set" },
        { PL_EXPR_PROJECTION, "a, add", "Attribute name is a reserved keyword; reserved keyword: add" },
        { PL_EXPR_CONDITION, "a = 'x'", "Syntax error; token: \"'\", near: \"= 'x\"" },
        { PL_EXPR_CONDITION, "a = 1 2", "Syntax error; token: \"2\", near: \"1 2\"" },
        { PL_EXPR_CONDITION, "a = :v",
          "An expression attribute value used in expression is not defined; attribute value: :v" },
    };

    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        struct request r;

        request_init(&r, NULL, NULL);
        check_sentence(literals[i].kind, request_parse(&r, literals[i].kind, pl_str(literals[i].text)),
                       literals[i].text, literals[i].sentence);
        request_deinit(&r);
    }
}

static void a_broken_literal_is_a_syntax_error(void)
{
    static const char *const broken[] = {
        "a = \"x",  "a = [1,",           "a = {\"x\":}",          "a = 01",
        "a = -",    "a = {\"$set\":[]}", "a = {\"x\":1,\"x\":2}", "a = \"\xff\"",
        "a = 1e999"
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct request r;
        const char *said;

        request_init(&r, NULL, NULL);
        said = request_parse(&r, PL_EXPR_CONDITION, pl_str(broken[i]));
        CHECK_MSG(strncmp(said, "Invalid ConditionExpression: Syntax error; ", 43) == 0, "%s: %s", broken[i],
                  said);
        request_deinit(&r);
    }
}

static void literals_may_be_long_but_not_without_end(void)
{
    char *text = repeat("a = \"", "x", 1024 * 1024 - 6, "\"");
    char *longer = repeat("a = \"", "x", 1024 * 1024 - 5, "\"");
    struct request r;

    request_init(&r, NULL, NULL);
    CHECK(request_parse(&r, PL_EXPR_CONDITION, pl_str(text))[0] == '\0');
    CHECK(
        strcmp(
            request_parse(&r, PL_EXPR_CONDITION, pl_str(longer)),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression "
            "size: 1048577") == 0);
    request_deinit(&r);
    free(text);
    free(longer);
}

static void an_expression_ends_before_a_word_of_the_command(void)
{
    static const char *const stops[] = { "LIMIT", "DESC", "RETURN", NULL };
    static const struct {
        const char *text, *extent;
    } cases[] = {
        { "a = 1 LIMIT 10", "a = 1 " },
        { "a = 1", "a = 1" },
        { "a = \"x LIMIT \\\" LIMIT\" DESC", "a = \"x LIMIT \\\" LIMIT\" " },
        { "a = {\"LIMIT\":[\"]\",1]} RETURN x", "a = {\"LIMIT\":[\"]\",1]} " },
        { "a.LIMIT = 1 AND #LIMIT = :LIMIT AND b. LIMIT = 1 DESC",
          "a.LIMIT = 1 AND #LIMIT = :LIMIT AND b. LIMIT = 1 " },
        { "limit = 1 AND LIMITS = 2 AND MY_LIMIT = 3 LIMIT 1", "limit = 1 AND LIMITS = 2 AND MY_LIMIT = 3 " },
        { "size(LIMIT) = 1 LIMIT 1", "size(LIMIT) = 1 " },
        { "LIMIT 1", "" },
        { ") LIMIT 1", ") " },
        { "( LIMIT 1", "( LIMIT 1" },
        { "a = \"open LIMIT", "a = \"open LIMIT" },
        { "a = \"open\\", "a = \"open\\" },
        { "", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pl_bytes extent = pl_expr_extent(pl_str(cases[i].text), stops);

        CHECK_MSG(pl_bytes_equal(extent, pl_str(cases[i].extent)), "%s: %.*s", cases[i].text, (int)extent.len,
                  extent.data);
    }
}

int main(void)
{
    RUN(a_syntax_error_quotes_its_neighbours);
    RUN(a_condition_is_checked_in_dynamodbs_order);
    RUN(an_update_is_checked_in_dynamodbs_order);
    RUN(a_projection_is_checked_in_dynamodbs_order);
    RUN(limits_hold_exactly);
    RUN(deep_nesting_is_refused_without_harm);
    RUN(a_placeholder_has_at_most_255_characters);
    RUN(literals_stand_where_placeholders_do);
    RUN(a_broken_literal_is_a_syntax_error);
    RUN(literals_may_be_long_but_not_without_end);
    RUN(an_expression_ends_before_a_word_of_the_command);
    return test_summary();
}
