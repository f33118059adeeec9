/* SPDX-License-Identifier: MIT */
#include "model/json.h"

#include "failing_allocation.h"

/* --- what each test reads and writes with --- */

static struct pl_arena arena;
static struct pl_buf items, text;
static struct pl_reason why;

static int read_text(struct pl_bytes json, enum pl_json_dialect dialect, struct pl_item *out)
{
    why.text[0] = '\0';
    pl_buf_clear(&items);
    return pl_json_read_item(json, dialect, &arena, &items, out, &why);
}

static int plain(const char *json)
{
    struct pl_item item;

    return read_text(pl_str(json), PL_JSON_PLAIN, &item);
}

static int typed(const char *json)
{
    struct pl_item item;

    return read_text(pl_str(json), PL_JSON_TYPED, &item);
}

static const char *write_item(enum pl_json_dialect dialect, struct pl_item item)
{
    pl_buf_clear(&text);
    pl_json_write_item(&text, dialect, item);
    pl_buf_append_byte(&text, 0);
    return pl_buf_status(&text) == 0 ? text.data : "out of memory";
}

/* `json` in one dialect, written in another. */
static const char *through(enum pl_json_dialect from, enum pl_json_dialect to, const char *json)
{
    struct pl_item item;
    int rc = read_text(pl_str(json), from, &item);

    return rc == 0 ? write_item(to, item) : pl_reason_text(&why, rc);
}

static const char *same_plain(const char *json)
{
    return through(PL_JSON_PLAIN, PL_JSON_PLAIN, json);
}

static bool says(const char *part)
{
    if (strstr(why.text, part) != NULL)
        return true;
    fprintf(stderr, "the reason is: %s\n", why.text);
    return false;
}

#define CHECK_TEXT(got, wanted) CHECK_MSG(strcmp(got, wanted) == 0, "%s", got)

/* --- strictness, point by point --- */

static void a_zero_character_is_kept(void)
{
    struct pl_item item;
    struct pl_value value;

    CHECK(read_text(pl_str("{\"a\\u0000b\":\"x\\u0000y\"}"), PL_JSON_PLAIN, &item) == 0);
    CHECK(pl_item_find(item, pl_bytes("a\0b", 3), &value));
    CHECK(pl_bytes_equal(value.payload, pl_bytes("x\0y", 3)));
    CHECK_TEXT(write_item(PL_JSON_PLAIN, item), "{\"a\\u0000b\":\"x\\u0000y\"}");
}

static void a_name_given_twice_is_refused(void)
{
    CHECK(plain("{\"a\":1,\"a\":1}") == PL_EINVALID);
    CHECK(plain("{\"a\":1,\"b\":2,\"\\u0061\":1}") == PL_EINVALID);
    CHECK(plain("{\"m\":{\"a\":1,\"a\":1}}") == PL_EINVALID);
    CHECK(typed("{\"a\":{\"N\":\"1\"},\"a\":{\"N\":\"1\"}}") == PL_EINVALID);
}

static void text_that_is_no_utf8_is_refused(void)
{
    static const char *const bad[] = {
        "{\"a\":\"\xFF\"}",
        "{\"a\":\"\xC3\"}",
        "{\"a\":\"\xC0\xAF\"}",
        "{\"a\":\"\xED\xA0\x80\"}",
        "{\"a\":\"\xF5\x80\x80\x80\"}",
        "{\"a\":\"long enough for eight \x80\"}",
        "{\"\xFF\":1}",
        "{\"a\":\"\\n\xFF\"}",
        "{\"a\":\"12345678\xE2\x82\"}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_MSG(plain(bad[i]) == PL_ESYNTAX, "%zu", i);
        CHECK(says("UTF-8"));
    }
    CHECK_TEXT(same_plain("{\"a\":\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 and some more \xC3\xA9\"}"),
               "{\"a\":\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 and some more \xC3\xA9\"}");
}

static void a_raw_control_character_is_refused_wherever_it_stands(void)
{
    for (unsigned char c = 0; c < 0x20; c++)
        for (int at = 0; at < 20; at++) {
            char json[64] = "{\"a\":\"ABCDEFGHIJKLMNOPQRSTUVW\"}";
            struct pl_item item;

            json[6 + at] = (char)c;
            CHECK(read_text(pl_bytes(json, 31), PL_JSON_PLAIN, &item) == PL_ESYNTAX);
            CHECK(says("control character"));
        }
    CHECK(plain("{\"a\":\"x\ty\"}") == PL_ESYNTAX);
    CHECK(says("at byte 7"));
}

static void a_quote_or_backslash_is_seen_at_every_place(void)
{
    for (int at = 0; at < 24; at++) {
        char json[80], wanted[80];

        snprintf(json, sizeof json, "{\"a\":\"%.*s\\\"%.*s\"}", at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 24 - at,
                 "abcdefghijklmnopqrstuvwxyz");
        CHECK_TEXT(same_plain(json), json);
        snprintf(json, sizeof json, "{\"a\":\"%.*s\",\"b\":2}", at,
                 "\x7F"
                 "BCDEFGHIJKLMNOPQRSTUVWXYZ");
        snprintf(wanted, sizeof wanted, "%s", json);
        CHECK_TEXT(same_plain(json), wanted);
    }
}

static void numbers_outside_the_grammar_are_refused(void)
{
    static const char *const bad[] = { "007",  "1.",    ".5",  "+1",  "-",        "1e",        "1e+",
                                       "0x10", "1.e5",  "--1", "NaN", "Infinity", "-Infinity", "01",
                                       "-01",  "1_000", "1,5", "00",  "1 2" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"a\":%s}", bad[i]);
        CHECK_MSG(plain(json) == PL_ESYNTAX, "%s", bad[i]);
    }
    CHECK(plain("{\"a\":007}") == PL_ESYNTAX);
    CHECK(says("leading zero at byte 5"));
}

static void a_number_too_large_is_an_error_and_not_null(void)
{
    CHECK(plain("{\"a\":1e400}") == PL_EINVALID);
    CHECK(says("Number overflow"));
    CHECK(plain("{\"a\":1e-400}") == PL_EINVALID);
    CHECK(says("Number underflow"));
    CHECK(plain("{\"a\":1e99999999999999999999}") == PL_EINVALID);
    CHECK(plain("{\"a\":123456789012345678901234567890123456789}") == PL_EINVALID);
    CHECK(says("more than 38 significant digits"));
}

static void all_38_digits_are_kept(void)
{
    const char *json =
        "{\"a\":12345678901234567890123456789012345678,\"b\":-0.12345678901234567890123456789012345678"
        ",\"c\":9007199254740993}";

    CHECK_TEXT(same_plain(json), json);
    CHECK_TEXT(
        through(PL_JSON_TYPED, PL_JSON_PLAIN, "{\"a\":{\"N\":\"12345678901234567890123456789012345678\"}}"),
        "{\"a\":12345678901234567890123456789012345678}");
}

static void a_byte_order_mark_is_refused_by_name(void)
{
    CHECK(plain("\xEF\xBB\xBF{}") == PL_ESYNTAX);
    CHECK(says("found a byte order mark"));
}

static void lone_surrogates_are_refused_and_pairs_are_one_character(void)
{
    static const char *const bad[] = { "\\uD800",        "\\uDC00",    "\\uD83D\\u0041",
                                       "\\uD83Dx",       "\\uD83D\\n", "\\uDE00\\uD83D",
                                       "\\uD83D\\uD83D", "\\uD83D\\u", "\\uD83D\\" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"a\":\"%s\"}", bad[i]);
        CHECK_MSG(plain(json) == PL_ESYNTAX, "%s", bad[i]);
    }
    CHECK_TEXT(same_plain("{\"a\":\"\\uD83D\\uDE00\\uffff\\u00e9\"}"),
               "{\"a\":\"\xF0\x9F\x98\x80\xEF\xBF\xBF\xC3\xA9\"}");
}

static void escapes_that_json_lacks_are_refused(void)
{
    static const char *const bad[] = { "\\x41", "\\'", "\\0", "\\u12", "\\u12G4", "\\U0041", "\\a", "\\" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"a\":\"%s\"}", bad[i]);
        CHECK_MSG(plain(json) == PL_ESYNTAX, "%s", bad[i]);
    }
    CHECK_TEXT(same_plain("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\u007f\"}"),
               "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001F\x7F\"}");
}

static void trailing_bytes_are_refused(void)
{
    CHECK(plain("{} x") == PL_ESYNTAX);
    CHECK(says("expected the end at byte 3, found 'x'"));
    CHECK(plain("{}{}") == PL_ESYNTAX);
    CHECK(plain("{},") == PL_ESYNTAX);
    CHECK(plain(" \t\r\n{ } \t\r\n") == 0);
}

static void punctuation_out_of_place_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{,}",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nul",
        "{\"a\":truee}",
        "[]",
        "1",
        "\"a\"",
        "null",
        "{\"a\":/**/1}",
        "{\"a\":1;}",
        "{\"a\":[1}}",
        "{\"a\":{\"b\":1]}",
        "{\"a\":\"",
        "{\"a\":\"x",
        "{\"a\":\v1}",
        "{\"a\":\"\\",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(plain(bad[i]) == PL_ESYNTAX && why.text[0] != '\0', "%s", bad[i]);
    CHECK(plain("{\"a\":}") == PL_ESYNTAX);
    CHECK(says("expected a value at byte 5, found '}'"));
    CHECK(plain("[1]") == PL_ESYNTAX);
    CHECK(says("expected an item, which is a JSON object, at byte 0, found '['"));
}

static void no_beginning_of_a_text_is_a_text(void)
{
    const char *json =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\",{\"$set\":[\"b\"]}],\"c\":{\"$binary\":\"AAE=\"},\"d\":null}";

    for (size_t len = 0; len < strlen(json); len++) {
        /* The exact size, so that a sanitizer sees a read past the end. */
        char *cut = malloc(len + (len == 0));
        struct pl_item item;
        int rc;

        memcpy(cut, json, len);
        rc = read_text(pl_bytes(cut, len), PL_JSON_PLAIN, &item);
        free(cut);
        CHECK_MSG(rc == PL_ESYNTAX || rc == PL_EINVALID, "%zu", len);
    }
    CHECK(plain(json) == 0);
}

static char *nested(const char *open, const char *inner, const char *close, int depth)
{
    static char json[2000000];
    char *to = json;

    to += sprintf(to, "{\"a\":");
    for (int i = 0; i < depth; i++)
        to += sprintf(to, "%s", open);
    to += sprintf(to, "%s", inner);
    for (int i = 0; i < depth; i++)
        to += sprintf(to, "%s", close);
    sprintf(to, "}");
    return json;
}

static void nesting_ends_at_32_levels(void)
{
    CHECK(plain(nested("[", "1", "]", 31)) == 0);
    CHECK(plain(nested("[", "1", "]", 32)) == PL_EINVALID);
    CHECK(says("Nesting Levels have exceeded supported limits"));
    CHECK(plain(nested("{\"b\":", "1", "}", 31)) == 0);
    CHECK(plain(nested("{\"b\":", "1", "}", 32)) == PL_EINVALID);
    CHECK(typed(nested("{\"L\":[", "{\"S\":\"\"}", "]}", 31)) == 0);
    CHECK(typed(nested("{\"L\":[", "{\"S\":\"\"}", "]}", 32)) == PL_EINVALID);
    CHECK(plain(nested("{\"$map\":{\"$x\":", "1", "}}", 31)) == 0);
    CHECK(plain(nested("{\"$map\":{\"$x\":", "1", "}}", 32)) == PL_EINVALID);
}

static void a_bottomless_text_costs_no_stack(void)
{
    CHECK(plain(nested("[", "", "", 1000000)) == PL_EINVALID);
    CHECK(plain(nested("{\"b\":", "", "", 300000)) == PL_EINVALID);
    CHECK(plain(nested("{\"$a\":", "", "", 300000)) == PL_ESYNTAX);
    CHECK(typed(nested("{\"L\":[", "", "", 300000)) == PL_EINVALID);
}

/* --- the plain dialect --- */

static void plain_values_have_their_types(void)
{
    CHECK_TEXT(
        through(
            PL_JSON_PLAIN, PL_JSON_TYPED,
            "{\"s\":\"x\",\"n\":1.50,\"t\":true,\"f\":false,\"z\":null,\"l\":[1,\"a\"],\"m\":{\"k\":-0},"
            "\"b\":{\"$binary\":\"AAEC\"},\"ss\":{\"$set\":[\"b\",\"a\"]},\"ns\":{\"$set\":[10,9,-1]},"
            "\"bs\":{\"$set\":[{\"$binary\":\"/w==\"},{\"$binary\":\"\"}]},\"N\":{\"$number\":\"+1E2\"}}"),
        "{\"N\":{\"N\":\"100\"},\"b\":{\"B\":\"AAEC\"},\"bs\":{\"BS\":[\"\",\"/"
        "w==\"]},\"f\":{\"BOOL\":false},"
        "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"a\"}]},\"m\":{\"M\":{\"k\":{\"N\":\"0\"}}},\"n\":{\"N\":\"1."
        "5\"},"
        "\"ns\":{\"NS\":[\"-1\",\"9\",\"10\"]},\"s\":{\"S\":\"x\"},\"ss\":{\"SS\":[\"a\",\"b\"]},"
        "\"t\":{\"BOOL\":true},\"z\":{\"NULL\":true}}");
}

static void an_empty_list_is_not_an_empty_map(void)
{
    CHECK_TEXT(same_plain("{\"l\":[],\"m\":{},\"s\":\"\"}"), "{\"l\":[],\"m\":{},\"s\":\"\"}");
    CHECK_TEXT(same_plain("{}"), "{}");
    CHECK_TEXT(through(PL_JSON_PLAIN, PL_JSON_TYPED, "{\"l\":[],\"m\":{}}"),
               "{\"l\":{\"L\":[]},\"m\":{\"M\":{}}}");
}

static void a_map_with_one_dollar_name_is_escaped(void)
{
    CHECK_TEXT(through(PL_JSON_TYPED, PL_JSON_PLAIN, "{\"a\":{\"M\":{\"$set\":{\"L\":[]}}}}"),
               "{\"a\":{\"$map\":{\"$set\":[]}}}");
    CHECK_TEXT(through(PL_JSON_PLAIN, PL_JSON_TYPED, "{\"a\":{\"$map\":{\"$set\":[]}}}"),
               "{\"a\":{\"M\":{\"$set\":{\"L\":[]}}}}");
    CHECK_TEXT(same_plain("{\"a\":{\"$map\":{\"$map\":{\"$map\":{}}}}}"), "{\"a\":{\"$map\":{\"$map\":{}}}}");
    CHECK_TEXT(same_plain("{\"a\":{\"$map\":{\"$map\":{\"b\":1}}}}"),
               "{\"a\":{\"$map\":{\"$map\":{\"b\":1}}}}");
    CHECK_TEXT(same_plain("{\"a\":{\"$map\":{\"b\":1}}}"), "{\"a\":{\"b\":1}}");
    CHECK_TEXT(same_plain("{\"a\":{\"\\u0024binary\":\"\"}}"), "{\"a\":{\"$binary\":\"\"}}");
}

static void a_dollar_name_among_others_is_a_name(void)
{
    CHECK_TEXT(same_plain("{\"a\":{\"$set\":[],\"b\":1}}"), "{\"a\":{\"$set\":[],\"b\":1}}");
    CHECK_TEXT(same_plain("{\"a\":{\"b\":1,\"$zzz\":2}}"), "{\"a\":{\"$zzz\":2,\"b\":1}}");
    CHECK_TEXT(same_plain("{\"a\":{\"$x\":1,\"$y\":{\"$set\":[1]}}}"),
               "{\"a\":{\"$x\":1,\"$y\":{\"$set\":[1]}}}");
}

static void no_name_of_the_item_itself_is_special(void)
{
    CHECK_TEXT(through(PL_JSON_PLAIN, PL_JSON_TYPED, "{\"$set\":[1]}"), "{\"$set\":{\"L\":[{\"N\":\"1\"}]}}");
    CHECK_TEXT(same_plain("{\"$anything\":1}"), "{\"$anything\":1}");
}

static void an_unknown_marker_is_refused_by_name(void)
{
    CHECK(plain("{\"a\":{\"$sett\":[1]}}") == PL_EINVALID);
    CHECK(says("\"$sett\""));
    CHECK(says("$set, $binary, $number and $map"));
    CHECK(plain("{\"a\":{\"$\":1}}") == PL_EINVALID);
    for (int pad = 195; pad < 205; pad++) {
        char json[300];

        snprintf(json, sizeof json, "{\"a\":{\"$%0*d\xC3\xA9\xF0\x9F\x98\x80x\":1}}", pad, 0);
        CHECK(plain(json) == PL_EINVALID && pl_bytes_is_utf8(pl_str(why.text)));
    }
}

static void a_set_is_never_empty_nor_mixed(void)
{
    CHECK(plain("{\"a\":{\"$set\":[]}}") == PL_EINVALID);
    CHECK_TEXT(why.text, "One or more parameter values were invalid: An string set  may not be empty");
    CHECK(plain("{\"a\":{\"$set\":[\"x\",1]}}") == PL_EINVALID);
    CHECK(says("byte 18 makes a NS of a SS"));
    CHECK(plain("{\"a\":{\"$set\":[1,{\"$binary\":\"\"}]}}") == PL_EINVALID);
    CHECK(plain("{\"a\":{\"$set\":[1,1.0]}}") == PL_EINVALID);
    CHECK(says("contains duplicates"));
    CHECK(plain("{\"a\":{\"$set\":[\"x\",\"x\"]}}") == PL_EINVALID);
    CHECK(says("contains duplicates"));
    CHECK(plain("{\"a\":{\"$set\":[true]}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$set\":[[]]}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$set\":\"x\"}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$set\":[{\"x\":1}]}}") == PL_EINVALID);
    CHECK(plain("{\"a\":{\"$set\":[{}]}}") == PL_EINVALID);
    CHECK(plain("{\"a\":{\"$set\":[{\"$binary\":\"\",\"b\":1}]}}") == PL_ESYNTAX);
    CHECK_TEXT(same_plain("{\"a\":{\"$set\":[{\"$number\":\".5\"},1e2]}}"), "{\"a\":{\"$set\":[0.5,100]}}");
}

static void marked_numbers_and_bytes_are_checked(void)
{
    CHECK(plain("{\"a\":{\"$number\":\"x\"}}") == PL_EINVALID);
    CHECK(says("The parameter cannot be converted to a numeric value: x"));
    CHECK(plain("{\"a\":{\"$number\":1}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$binary\":1}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$map\":1}}") == PL_ESYNTAX);
    CHECK(plain("{\"a\":{\"$binary\":\"AA\"}}") == PL_EINVALID);
    CHECK(says("at byte 16 is no base64"));
}

/* --- the typed dialect --- */

static void typed_values_round_trip(void)
{
    const char *json =
        "{\"B\":{\"B\":\"AAE=\"},\"BS\":{\"BS\":[\"AA==\"]},\"L\":{\"L\":[{\"M\":{\"x\":{\"NULL\":true}}}]},"
        "\"N\":{\"N\":\"-1.5\"},\"NS\":{\"NS\":[\"1\",\"2\"]},\"S\":{\"S\":\"\"},\"SS\":{\"SS\":[\"\",\"a\"]}"
        ","
        "\"T\":{\"BOOL\":true}}";

    CHECK_TEXT(through(PL_JSON_TYPED, PL_JSON_TYPED, json), json);
}

static void a_typed_value_has_exactly_one_tag(void)
{
    static const char *const empty[] = { "{}",   "{\"dog\":\"x\"}", "{\"s\":\"x\"}", "{\"S\":null}",
                                         "null", "{\"SSS\":[]}",    "{\"\":1}" };

    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"a\":%s}", empty[i]);
        CHECK_MSG(typed(json) == PL_EINVALID, "%s", json);
        CHECK_TEXT(why.text,
                   "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
    }
    CHECK(typed("{\"a\":{\"S\":\"x\",\"N\":\"1\"}}") == PL_EINVALID);
    CHECK_TEXT(why.text,
               "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
               "supported datatypes");
    CHECK(typed("{\"a\":{\"S\":\"x\",\"S\":\"x\"}}") == PL_EINVALID);
    CHECK(typed("{\"a\":{\"S\":\"x\",\"N\":null}}") == 0);
    CHECK(typed("{\"a\":{\"N\":null,\"S\":\"x\"}}") == 0);
}

static void typed_nothings_are_refused_in_dynamodbs_words(void)
{
    static const struct {
        const char *value, *sentence;
    } cases[] = {
        { "{\"NULL\":false}", "One or more parameter values were invalid: Null attribute value types must "
                              "have the value of true" },
        { "{\"SS\":[]}", "One or more parameter values were invalid: An string set  may not be empty" },
        { "{\"NS\":[]}", "One or more parameter values were invalid: An number set  may not be empty" },
        { "{\"BS\":[]}", "One or more parameter values were invalid: Binary sets should not be empty" },
        { "{\"SS\":[\"a\",\"a\"]}",
          "One or more parameter values were invalid: Input collection [a, a] contains duplicates." },
        { "{\"NS\":[\"1\",\"1.0\"]}", "Input collection contains duplicates" },
        { "{\"N\":\"\"}", "The parameter cannot be converted to a numeric value" },
        { "{\"N\":\"abc\"}", "The parameter cannot be converted to a numeric value: abc" },
        { "{\"N\":\" 1\"}", "The parameter cannot be converted to a numeric value:  1" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[128];

        snprintf(json, sizeof json, "{\"a\":%s}", cases[i].value);
        CHECK_MSG(typed(json) == PL_EINVALID, "%s", json);
        CHECK_MSG(strcmp(why.text, cases[i].sentence) == 0, "%s: %s", json, why.text);
        snprintf(json, sizeof json, "{\"a\":{\"L\":[{\"M\":{\"b\":%s}}]}}", cases[i].value);
        CHECK_MSG(typed(json) == PL_EINVALID, "%s", json);
    }
}

static void json_of_the_wrong_type_is_refused_in_dynamodbs_words(void)
{
    static const struct {
        const char *value, *sentence;
    } cases[] = {
        { "{\"N\":3}", "NUMBER_VALUE cannot be converted to String" },
        { "{\"S\":1.5}", "DECIMAL_VALUE cannot be converted to String" },
        { "{\"S\":true}", "TRUE_VALUE cannot be converted to String" },
        { "{\"S\":false}", "FALSE_VALUE cannot be converted to String" },
        { "{\"S\":[]}", "Unrecognized collection type class java.lang.String" },
        { "{\"S\":{}}", "Start of structure or map found where not expected" },
        { "{\"BOOL\":1}", "NUMBER_VALUE cannot be converted to Boolean" },
        { "{\"BOOL\":\"maybe\"}", "Unexpected token received from parser" },
        { "{\"NULL\":[]}", "Unrecognized collection type class java.lang.Boolean" },
        { "{\"L\":{}}", "Start of structure or map found where not expected" },
        { "{\"L\":1}", "Unexpected field type" },
        { "{\"M\":\"x\"}", "Unexpected field type" },
        { "{\"SS\":\"x\"}", "Unexpected field type" },
        { "{\"SS\":[1]}", "NUMBER_VALUE cannot be converted to String" },
        { "{\"NS\":[1]}", "NUMBER_VALUE cannot be converted to String" },
        { "{\"L\":[1]}", "Unexpected value type in payload" },
        { "\"x\"", "Unexpected value type in payload" },
        { "{\"L\":[[]]}",
          "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue" },
        { "{\"M\":[]}", "Unrecognized collection type java.util.Map<java.lang.String, "
                        "com.amazonaws.dynamodb.v20120810.AttributeValue>" },
        { "{\"B\":1}", "only base-64-encoded strings are convertible to bytes" },
        { "{\"B\":\"AAA\"}", "Base64 encoded length is expected a multiple of 4 bytes but found: 3" },
        { "{\"B\":\"AB==\"}", "Invalid last non-pad Base64 character dectected" },
        { "{\"B\":{}}", "Start of structure or map found where not expected" },
        { "{\"B\":[]}", "Unrecognized collection type class java.nio.ByteBuffer" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[128];

        snprintf(json, sizeof json, "{\"a\":%s}", cases[i].value);
        CHECK_MSG(typed(json) == PL_ESYNTAX, "%s", json);
        CHECK_MSG(strcmp(why.text, cases[i].sentence) == 0, "%s: %s", json, why.text);
    }
    CHECK(typed("[]") == PL_ESYNTAX);
    CHECK_TEXT(through(PL_JSON_TYPED, PL_JSON_TYPED, "{\"a\":{\"BOOL\":\"Yes\"},\"b\":{\"BOOL\":\"0\"}}"),
               "{\"a\":{\"BOOL\":true},\"b\":{\"BOOL\":false}}");
}

/* --- base64 --- */

static void base64_has_one_spelling(void)
{
    static const char *const bad[] = { "A",    "AA",       "AAA",  "AA=",  "A===",  "====", "AAAA=", "AB==",
                                       "AAB=", "AA==AAAA", "AA-_", "AA A", "AAA\n", "=AAA", "A=AA",  "AA=A" };
    struct pl_buf out = { 0 };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(!pl_base64_read(pl_str(bad[i]), &out) && out.len == 0, "%s", bad[i]);
    CHECK(pl_base64_read(pl_str(""), &out) && out.len == 0);
    CHECK(pl_base64_read(pl_str("Zm9vYg=="), &out));
    CHECK(pl_bytes_equal(pl_buf_view(&out), pl_str("foob")));
    pl_buf_deinit(&out);
}

static void base64_gives_every_byte_back(void)
{
    struct pl_buf encoded = { 0 }, decoded = { 0 };
    uint64_t state = test_seed();
    char bytes[256];

    for (size_t len = 0; len < sizeof bytes; len++) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)test_random(&state);
        pl_buf_clear(&encoded);
        pl_buf_clear(&decoded);
        pl_base64_write(&encoded, pl_bytes(bytes, len));
        CHECK(pl_base64_read(pl_buf_view(&encoded), &decoded));
        CHECK(pl_bytes_equal(pl_buf_view(&decoded), pl_bytes(bytes, len)));
    }
    pl_buf_deinit(&encoded);
    pl_buf_deinit(&decoded);
}

/* --- the cursor --- */

static void the_cursor_walks_a_request_member_by_member(void)
{
    struct pl_json_reader r;
    struct pl_bytes name, value;
    int members = 0;
    bool more;

    pl_json_reader_init(
        &r, pl_str(" {\"Table\":\"T\", \"Skip\":[{\"x\":[1,{}]},\"\\u00e9\"], \"n\":-1.5e+3 } "), &arena);
    CHECK(pl_json_enter_object(&r, &more, &why) == 0 && more);
    while (more) {
        CHECK(pl_json_take_name(&r, &name, &why) == 0);
        if (pl_bytes_equal(name, pl_str("Table")))
            CHECK(pl_json_take_string(&r, &value, &why) == 0 && pl_bytes_equal(value, pl_str("T")));
        else if (pl_bytes_equal(name, pl_str("n")))
            CHECK(pl_json_take_number_text(&r, &value, &why) == 0 &&
                  pl_bytes_equal(value, pl_str("-1.5e+3")));
        else
            CHECK(pl_json_skip(&r, &why) == 0);
        CHECK(pl_json_next(&r, '}', &more, &why) == 0);
        members++;
    }
    CHECK(members == 3);
    CHECK(pl_json_take_end(&r, &why) == 0);
}

static int skip(const char *json)
{
    struct pl_json_reader r;
    int rc;

    pl_json_reader_init(&r, pl_str(json), &arena);
    rc = pl_json_skip(&r, &why);
    return rc != 0 ? rc : pl_json_take_end(&r, &why);
}

static void skipping_is_as_strict_as_reading(void)
{
    static const char *const good[] = {
        "1", "[]", "{}", "[[],{},[[]]]", "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"\\n\"}", " [ 1 , 2 ] "
    };
    static const char *const bad[] = { "",        "[",           "[1",          "[1,", "[1,]",
                                       "{\"a\"}", "{\"a\":}",    "{\"a\":1]",   "[1}", "007",
                                       "\"\\x\"", "\"\\uD800\"", "{\"\\q\":1}", "tru", "[1 2]",
                                       "{1:2}",   "\"\xFF\"",    "{\"a\":1,}",  "]" };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_MSG(skip(good[i]) == 0, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(skip(bad[i]) == PL_ESYNTAX, "%s", bad[i]);
}

static void skipping_ends_at_128_levels(void)
{
    CHECK(skip(nested("[", "1", "]", 127)) == 0);
    CHECK(skip(nested("[", "1", "]", 128)) == PL_ESYNTAX);
    CHECK(says("128 levels"));
}

/* --- properties --- */

static void put_random_text(struct pl_buf *out, uint64_t *state)
{
    static const char *const pieces[] = { "a",  "$",        "$set",     "\"",           "\\",
                                          "\n", "\x01",     "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                          "/",  "12345678", "\x7F",     "$map" };

    for (uint64_t n = test_random(state) % 6; n > 0; n--) {
        uint64_t pick = test_random(state) % (sizeof pieces / sizeof pieces[0] + 1);

        if (pick == sizeof pieces / sizeof pieces[0])
            pl_buf_append_byte(out, 0);
        else
            pl_buf_append_bytes(out, pl_str(pieces[pick]));
    }
}

static void random_number(struct pl_number *out, uint64_t *state)
{
    char digits[64];
    size_t len = 0;

    if (test_random(state) % 2 == 0)
        digits[len++] = '-';
    for (uint64_t n = 1 + test_random(state) % 38; n > 0; n--)
        digits[len++] = (char)('0' + test_random(state) % 10);
    len += (size_t)sprintf(digits + len, "e%d", (int)(test_random(state) % 200) - 120);
    if (pl_number_parse(pl_bytes(digits, len), out, NULL) != 0)
        pl_number_from_int64((int64_t)test_random(state), out);
}

static void put_random_value(struct pl_builder *b, uint64_t *state, int level);

static void put_random_members(struct pl_builder *b, uint64_t *state, int level)
{
    for (uint64_t n = test_random(state) % 4, i = 0; i < n; i++) {
        struct pl_buf name = { 0 };

        if (test_random(state) % 3 == 0)
            pl_buf_append_byte(&name, '$');
        put_random_text(&name, state);
        pl_buf_append_byte(&name, (uint8_t)('0' + i)); /* no name twice, none empty */
        pl_builder_name(b, pl_buf_view(&name));
        pl_buf_deinit(&name);
        put_random_value(b, state, level + 1);
    }
}

static void put_random_set(struct pl_builder *b, uint64_t *state)
{
    enum pl_type type = PL_TYPE_SS + (enum pl_type)(test_random(state) % 3);

    pl_builder_begin_set(b, type);
    for (uint64_t n = 1 + test_random(state) % 4, i = 0; i < n; i++) {
        struct pl_buf bytes = { 0 };
        struct pl_number number;

        put_random_text(&bytes, state);
        pl_buf_append_byte(&bytes, (uint8_t)('0' + i));
        pl_number_from_int64((int64_t)(i + 10 * (test_random(state) % 1000)), &number);
        if (type == PL_TYPE_SS)
            pl_builder_set_string(b, pl_buf_view(&bytes));
        else if (type == PL_TYPE_BS)
            pl_builder_set_binary(b, pl_buf_view(&bytes));
        else
            pl_builder_set_number(b, &number);
        pl_buf_deinit(&bytes);
    }
    pl_builder_end(b);
}

static void put_random_value(struct pl_builder *b, uint64_t *state, int level)
{
    struct pl_buf bytes = { 0 };
    struct pl_number number;

    switch (test_random(state) % (level < 6 ? 8 : 6)) {
    case 0:
        put_random_text(&bytes, state);
        pl_builder_string(b, pl_buf_view(&bytes));
        break;
    case 1:
        random_number(&number, state);
        pl_builder_number(b, &number);
        break;
    case 2:
        for (uint64_t n = test_random(state) % 9; n > 0; n--)
            pl_buf_append_byte(&bytes, (uint8_t)test_random(state));
        pl_builder_binary(b, pl_buf_view(&bytes));
        break;
    case 3:
        pl_builder_bool(b, test_random(state) % 2 == 0);
        break;
    case 4:
        pl_builder_null(b);
        break;
    case 5:
        put_random_set(b, state);
        break;
    case 6:
        pl_builder_begin_map(b);
        put_random_members(b, state, level);
        pl_builder_end(b);
        break;
    default:
        pl_builder_begin_list(b);
        for (uint64_t n = test_random(state) % 4; n > 0; n--)
            put_random_value(b, state, level + 1);
        pl_builder_end(b);
        break;
    }
    pl_buf_deinit(&bytes);
}

static void every_item_survives_both_dialects(void)
{
    uint64_t state = test_seed();
    struct pl_buf original = { 0 };

    for (int round = 0; round < 4000; round++) {
        uint64_t seed = state;
        struct pl_builder b;
        struct pl_item item, back;

        pl_arena_reset(&arena);
        pl_buf_clear(&original);
        pl_builder_init(&b, &original, &arena);
        pl_builder_begin_item(&b);
        put_random_members(&b, &state, 1);
        pl_builder_end(&b);
        CHECK_MSG(pl_builder_finish_item(&b, &item, &why) == 0, "PL_SEED=%llu: %s", (unsigned long long)seed,
                  why.text);
        for (enum pl_json_dialect dialect = PL_JSON_PLAIN; dialect <= PL_JSON_TYPED; dialect++) {
            pl_buf_clear(&text);
            pl_json_write_item(&text, dialect, item);
            CHECK_MSG(read_text(pl_buf_view(&text), dialect, &back) == 0, "PL_SEED=%llu: %s in %.*s",
                      (unsigned long long)seed, why.text, (int)text.len, text.data);
            CHECK_MSG(pl_bytes_equal(item.bytes, back.bytes) && item.size_bytes == back.size_bytes,
                      "PL_SEED=%llu: %.*s", (unsigned long long)seed, (int)text.len, text.data);
        }
    }
    pl_buf_deinit(&original);
}

static void a_value_alone_can_be_read_and_written(void)
{
    static const char *const values[] = { "1",
                                          "\"x\"",
                                          "[1,[2]]",
                                          "{\"a\":{\"$set\":[1]}}",
                                          "{\"$set\":[\"a\"]}",
                                          "null",
                                          "{\"$map\":{\"$a\":1}}",
                                          "{\"$binary\":\"AA==\"}",
                                          "true" };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct pl_json_reader r;
        struct pl_builder b;
        struct pl_value value;

        pl_buf_clear(&items);
        pl_buf_clear(&text);
        pl_json_reader_init(&r, pl_str(values[i]), &arena);
        pl_builder_init(&b, &items, &arena);
        CHECK(pl_json_take_value(&r, PL_JSON_PLAIN, &b, &why) == 0);
        CHECK(pl_builder_finish_value(&b, &value, &why) == 0);
        pl_json_write_value(&text, PL_JSON_PLAIN, value);
        CHECK_MSG(pl_bytes_equal(pl_buf_view(&text), pl_str(values[i])), "%.*s", (int)text.len, text.data);
    }
}

static void a_failed_value_fails_the_builder_too(void)
{
    struct pl_json_reader r;
    struct pl_builder b;
    struct pl_value value;
    struct pl_reason again = { "" };

    pl_json_reader_init(&r, pl_str("[1,}"), &arena);
    pl_builder_init(&b, &items, &arena);
    CHECK(pl_json_take_value(&r, PL_JSON_PLAIN, &b, &why) == PL_ESYNTAX);
    CHECK(pl_builder_finish_value(&b, &value, &again) == PL_ESYNTAX);
    CHECK_TEXT(again.text, why.text);
}

/* --- memory --- */

/* Every kind of value, some too long for a chunk of the arena that is already there. */
static void write_of_everything(struct pl_buf *json, enum pl_json_dialect dialect)
{
    bool plain_form = dialect == PL_JSON_PLAIN;

    pl_buf_append_format(
        json,
        plain_form ? "{\"z\\n\":\"\\u00e9%0*d\",\"a\":[1,{\"$set\":[\"b\",\"a\"]},{\"$map\":{\"$x\":2.5}}],"
                     "\"b\":{\"$binary\":\"%0*d\"},\"s\":{\"$set\":[{\"$binary\":\"%0*d\"}]}}"
                   : "{\"z\\n\":{\"S\":\"\\u00e9%0*d\"},\"a\":{\"L\":[{\"NS\":[\"2\",\"1\"]},{\"M\":{\"y\":{"
                     "\"NULL\":true}}}]},\"b\":{\"B\":\"%0*d\"},\"s\":{\"BS\":[\"%0*d\"]}}",
        9000, 0, 30000, 0, 90000, 0);
}

static int read_and_write(struct pl_bytes json, enum pl_json_dialect dialect)
{
    struct pl_arena scratch = { 0 };
    struct pl_buf bytes = { 0 }, written = { 0 };
    struct pl_item item;
    int rc;

    rc = pl_json_read_item(json, dialect, &scratch, &bytes, &item, &why);
    if (rc == 0) {
        pl_json_write_item(&written, dialect, item);
        rc = pl_buf_status(&written);
    }
    pl_arena_deinit(&scratch);
    pl_buf_deinit(&bytes);
    pl_buf_deinit(&written);
    return rc;
}

static void reading_and_writing_survive_every_failed_allocation(void)
{
    for (int i = 0; i < 4; i++) {
        enum pl_json_dialect dialect = i % 2 == 0 ? PL_JSON_PLAIN : PL_JSON_TYPED;
        struct pl_buf json = { 0 };
        long rounds = 0;

        write_of_everything(&json, dialect);
        for (long n = 0; allocation_failing(n, i >= 2); n++) {
            int rc = read_and_write(pl_buf_view(&json), dialect);

            CHECK_MSG(rc == (allocation_failed() ? PL_ENOMEM : 0), "%d, %ld: %d %s", i, n, rc, why.text);
            rounds++;
        }
        CHECK(rounds > 10);
        pl_buf_deinit(&json);
    }
}

int main(void)
{
    RUN(a_zero_character_is_kept);
    RUN(a_name_given_twice_is_refused);
    RUN(text_that_is_no_utf8_is_refused);
    RUN(a_raw_control_character_is_refused_wherever_it_stands);
    RUN(a_quote_or_backslash_is_seen_at_every_place);
    RUN(numbers_outside_the_grammar_are_refused);
    RUN(a_number_too_large_is_an_error_and_not_null);
    RUN(all_38_digits_are_kept);
    RUN(a_byte_order_mark_is_refused_by_name);
    RUN(lone_surrogates_are_refused_and_pairs_are_one_character);
    RUN(escapes_that_json_lacks_are_refused);
    RUN(trailing_bytes_are_refused);
    RUN(punctuation_out_of_place_is_refused);
    RUN(no_beginning_of_a_text_is_a_text);
    RUN(nesting_ends_at_32_levels);
    RUN(a_bottomless_text_costs_no_stack);
    RUN(plain_values_have_their_types);
    RUN(an_empty_list_is_not_an_empty_map);
    RUN(a_map_with_one_dollar_name_is_escaped);
    RUN(a_dollar_name_among_others_is_a_name);
    RUN(no_name_of_the_item_itself_is_special);
    RUN(an_unknown_marker_is_refused_by_name);
    RUN(a_set_is_never_empty_nor_mixed);
    RUN(marked_numbers_and_bytes_are_checked);
    RUN(typed_values_round_trip);
    RUN(a_typed_value_has_exactly_one_tag);
    RUN(typed_nothings_are_refused_in_dynamodbs_words);
    RUN(json_of_the_wrong_type_is_refused_in_dynamodbs_words);
    RUN(base64_has_one_spelling);
    RUN(base64_gives_every_byte_back);
    RUN(the_cursor_walks_a_request_member_by_member);
    RUN(skipping_is_as_strict_as_reading);
    RUN(skipping_ends_at_128_levels);
    RUN(every_item_survives_both_dialects);
    RUN(a_value_alone_can_be_read_and_written);
    RUN(a_failed_value_fails_the_builder_too);
    RUN(reading_and_writing_survive_every_failed_allocation);
    pl_arena_deinit(&arena);
    pl_buf_deinit(&items);
    pl_buf_deinit(&text);
    return test_summary();
}
