/* SPDX-License-Identifier: MIT */
#include "script/script.h"
#include "test.h"

/* Memory short enough to be used up within the time on any machine. */
static const struct pl_script_limits limits = { .memory_bytes = 2 << 20 };

static struct pl_script_file file(const char *name, const char *text)
{
    return (struct pl_script_file){ .name = pl_str(name), .text = pl_str(text) };
}

static int load(const char *text, struct pl_script **out, struct pl_reason *why)
{
    struct pl_script_file files[] = { file("messages.lua", text) };

    return pl_script_load(&limits, pl_clock_system(), files, 1, out, why);
}

static const char chat[] =
    "return {\n"
    "  table = \"Messages\",\n"
    "  partition_key = \"ChatID:S\", sort_key = \"MsgID:S\",\n"
    "  ttl = \"ExpiresAt\", stream = \"new_and_old_images\",\n"
    "  indexes = {\n"
    "    ByUser = {\n"
    "      partition_key = \"UserID:S\", sort_key = \"ChatID:S\",\n"
    "      project = function(item)\n"
    "        if item.Hidden then return nil end\n"
    "        return { MsgID = item.MsgID, Preview = item.Text:sub(1, 40) }\n"
    "      end,\n"
    "    },\n"
    "    ByLikes = { sort_key = \"Likes:N\", project = \"keys_only\" },\n"
    "  },\n"
    "  before_write = function(old, new)\n"
    "    if new and #new.Text > 40 then return nil, \"a message has at most 40 characters\" end\n"
    "    if new and new.Text == \"raise\" then error(\"I raise\") end\n"
    "    if new and new.Text == \"nothing\" then return end\n"
    "    if new and new.Text == \"table\" then return { Text = \"made\", Likes = 3 } end\n"
    "    if new and new.Text == \"wrong\" then return { Text = { 1, { a = 0/0 } } } end\n"
    "    if new and new.Text == \"old\" then return old end\n"
    "    if new and new.Text == \"true\" then return true end\n"
    "    if new and new.Text == \"false\" then return false end\n"
    "    if new and new.Text == \"loop\" then while true do end end\n"
    "    if new and new.Text == \"copy\" then return perilune.copy(new) end\n"
    "    if not new and old.Text == \"keep\" then return nil, \"kept\" end\n"
    "    return new\n"
    "  end,\n"
    "  conditions = {\n"
    "    author = function(old, new, args) return old == nil or old.UserID == args.user end,\n"
    "  },\n"
    "  triggers = { welcome = { on = { \"insert\" }, batch = 100, run = function() end } },\n"
    "}\n";

struct fixture {
    struct pl_script *script;
    struct pl_table_script *table;
    struct pl_arena arena;
    struct pl_buf buf, input[2];
    struct pl_reason why;
};

static void setup(struct fixture *f, const char *text)
{
    *f = (struct fixture){ 0 };
    CHECK_MSG(load(text, &f->script, &f->why) == 0, "%s", f->why.text);
    f->table = pl_script_table(f->script, pl_str("Messages"));
    CHECK(f->table != NULL);
}

static void teardown(struct fixture *f)
{
    pl_script_free(f->script);
    pl_arena_deinit(&f->arena);
    pl_buf_deinit(&f->buf);
    pl_buf_deinit(&f->input[0]);
    pl_buf_deinit(&f->input[1]);
}

static struct pl_item message(struct fixture *f, int which, const char *text)
{
    struct pl_builder b;
    struct pl_item item;

    pl_builder_init(&b, &f->input[which], &f->arena);
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_str("UserID"));
    pl_builder_string(&b, pl_str("u_a"));
    pl_builder_name(&b, pl_str("Text"));
    pl_builder_string(&b, pl_str(text));
    pl_builder_end(&b);
    CHECK(pl_builder_finish_item(&b, &item, NULL) == 0);
    return item;
}

static int write_text(struct fixture *f, const char *text, struct pl_item *out, bool *unchanged)
{
    struct pl_item new;

    pl_buf_clear(&f->input[1]);
    pl_buf_clear(&f->buf);
    new = message(f, 1, text);
    f->why.text[0] = '\0';
    return pl_script_before_write(f->table, NULL, &new, &f->arena, &f->buf, out, unchanged, &f->why);
}

static void a_module_becomes_a_definition_and_functions(void)
{
    const struct pl_table *table;
    struct fixture f;

    setup(&f, chat);
    CHECK(pl_script_table_count(f.script) == 1);
    table = pl_script_definition(f.script, 0);
    CHECK(pl_bytes_equal(table->name, pl_str("Messages")));
    CHECK(pl_bytes_equal(table->module, pl_str("messages.lua")));
    CHECK(table->has_before_write && table->condition_count == 1 && table->index_count == 2);
    CHECK(table->trigger_count == 1);
    CHECK(pl_script_table(f.script, pl_str("Other")) == NULL);
    teardown(&f);
}

static void before_write_may_store_change_refuse_and_fail(void)
{
    struct pl_item out = { 0 }, old;
    struct pl_value value;
    bool unchanged = false;
    struct fixture f;

    setup(&f, chat);
    CHECK(write_text(&f, "Hello", &out, &unchanged) == 0 && unchanged);
    CHECK(pl_item_find(out, pl_str("Text"), &value) && pl_bytes_equal(value.payload, pl_str("Hello")));
    CHECK(write_text(&f, "true", &out, &unchanged) == 0 && unchanged);
    CHECK(write_text(&f, "copy", &out, &unchanged) == 0 && unchanged);
    CHECK(write_text(&f, "table", &out, &unchanged) == 0 && !unchanged);
    CHECK(pl_item_find(out, pl_str("Likes"), &value) && value.type == PL_TYPE_N);
    CHECK(out.size_bytes == 4 + 4 + 5 + 2);

    CHECK(write_text(&f, "a text that is much longer than it is allowed to be", &out, &unchanged) ==
          PL_EREJECTED);
    CHECK(strcmp(f.why.text, "a message has at most 40 characters") == 0);
    CHECK(write_text(&f, "false", &out, &unchanged) == PL_EREJECTED);
    CHECK(strcmp(f.why.text, pl_error_sentence(PL_EREJECTED)) == 0);
    CHECK(write_text(&f, "raise", &out, &unchanged) == PL_ESCRIPT);
    CHECK_MSG(strcmp(f.why.text, "messages.lua:17: I raise") == 0, "%s", f.why.text);
    CHECK(write_text(&f, "nothing", &out, &unchanged) == PL_ESCRIPT);
    CHECK(strstr(f.why.text, "before_write: it returned nothing") != NULL);
    CHECK(write_text(&f, "wrong", &out, &unchanged) == PL_ESCRIPT);
    CHECK_MSG(strcmp(f.why.text,
                     "messages.lua: before_write: Text[2].a: NaN is not a number that can be stored") == 0,
              "%s", f.why.text);
    CHECK(write_text(&f, "loop", &out, &unchanged) == PL_ESCRIPT);
    CHECK_MSG(strcmp(f.why.text, "messages.lua:24: the function ran longer than 100 ms") == 0, "%s",
              f.why.text);
    CHECK(write_text(&f, "Hello", &out, &unchanged) == 0 && unchanged);

    old = message(&f, 0, "keep");
    CHECK(pl_script_before_write(f.table, &old, NULL, &f.arena, &f.buf, &out, &unchanged, &f.why) ==
          PL_EREJECTED);
    CHECK(strcmp(f.why.text, "kept") == 0);
    pl_buf_clear(&f.input[0]);
    old = message(&f, 0, "go");
    CHECK(pl_script_before_write(f.table, &old, NULL, &f.arena, &f.buf, &out, &unchanged, &f.why) == 0 &&
          unchanged);
    teardown(&f);
}

static void conditions_see_both_items_and_the_arguments(void)
{
    struct pl_buf buf = { 0 };
    struct pl_builder b;
    struct pl_value args;
    struct pl_item old;
    bool holds = false;
    struct fixture f;

    setup(&f, chat);
    old = message(&f, 0, "x");
    pl_builder_init(&b, &buf, &f.arena);
    pl_builder_begin_map(&b);
    pl_builder_name(&b, pl_str("user"));
    pl_builder_string(&b, pl_str("u_a"));
    pl_builder_end(&b);
    CHECK(pl_builder_finish_value(&b, &args, NULL) == 0);
    CHECK(pl_script_condition_named(f.table, pl_str("author"), &old, NULL, &args, &holds, &f.why) == 0 &&
          holds);
    CHECK(pl_script_condition(f.table, 0, &old, NULL, NULL, &holds, &f.why) == 0 && !holds);
    CHECK(pl_script_condition(f.table, 0, NULL, NULL, NULL, &holds, &f.why) == 0 && holds);
    CHECK(pl_script_condition_named(f.table, pl_str("nobody"), &old, NULL, NULL, &holds, &f.why) ==
          PL_EINVALID);
    CHECK(strstr(f.why.text, "nobody") != NULL);
    CHECK(pl_script_condition(f.table, 7, NULL, NULL, NULL, &holds, &f.why) == PL_ESCRIPT);
    pl_buf_deinit(&buf);
    teardown(&f);
}

static void a_projection_computes_an_entry_or_none(void)
{
    struct pl_item item, out = { 0 };
    struct pl_value value;
    bool skipped = true;
    struct fixture f;
    uint32_t at;

    setup(&f, chat);
    at = (uint32_t)(pl_table_index(pl_script_definition(f.script, 0), pl_str("ByUser")) -
                    pl_script_definition(f.script, 0)->indexes);
    item = message(&f, 0, "0123456789012345678901234567890123456789and more");
    CHECK(pl_script_project(f.table, at, &item, &f.arena, &f.buf, &out, &skipped, &f.why) == 0 && !skipped);
    CHECK(pl_item_find(out, pl_str("Preview"), &value) && value.payload.len == 40);
    CHECK(!pl_item_find(out, pl_str("MsgID"), &value));
    CHECK(pl_script_project(f.table, 1 - at, &item, &f.arena, &f.buf, &out, &skipped, &f.why) == PL_ESCRIPT);
    teardown(&f);
}

/* Each wrong module, and the sentence it gets. */
static const struct {
    const char *text, *sentence;
} wrong[] = {
    { "return 7", "messages.lua:1: expected the file to return the table's definition" },
    { "local x = \n", "messages.lua:2: unexpected symbol near <eof>" },
    { "\nerror('no luck')", "messages.lua:2: no luck" },
    { "return {\n table = 'Messages',\n partition_key = 'A:Z',\n}", "messages.lua:3: partition_key: " },
    { "return {\n table = 'Messages', partition_key = 'A:S', sort_key = 'C:S',\n indexes = {\n  -- sort_key "
      "= 1\n  X9Y = {\n"
      "   sort_key = 'B' } } }",
      "messages.lua:6: indexes.X9Y.sort_key: " },
    { "return { table = 'Messages', partition_key = 'A:S',\n before_write = 'x' }",
      "messages.lua:2: before_write: " },
    { "return { table = 'Messages', partition_key = 'A:S',\n wibble = 1 }", "messages.lua:2: wibble: " },
    { "return {\n table = 'Messages', partition_key = 'A:S', ttl = perilune.null }",
      "messages.lua:2: ttl: expected data or a function, got a userdata" },
    { "local t = { table = 'Messages' } t.t = t return t",
      "messages.lua:1: t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t: " },
    { "local _ENV <const> = 1", "messages.lua:1: a module may not name _ENV" },
    { "while true do end", "messages.lua:1: the function ran longer than 1000 ms" },
    { "return { [1.5] = 2 }", "messages.lua:1: expected field names that are strings" },
    { "\x1bLua", "messages.lua: attempt to load a binary chunk (mode is 't')" },
    { "require 'io'", "messages.lua:1: attempt to call a nil value (global 'require')" },
};

static void a_wrong_module_is_told_where_and_what(void)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct pl_script *script = NULL;
        struct pl_reason why = { 0 };

        CHECK_MSG(load(wrong[i].text, &script, &why) == PL_ECONFIG && script == NULL, "%s", wrong[i].text);
        CHECK_MSG(strncmp(why.text, wrong[i].sentence, strlen(wrong[i].sentence)) == 0, "%s\n%s",
                  wrong[i].text, why.text);
    }
}

/* Lua would need seconds, and a deep stack, to say what is wrong at the end of them. */
static void long_chains_of_fields_are_refused(void)
{
    static const char *const links[] = { ".x", "[1]", " --[[.]]\n . x", "[1 + 1]", "['x']" };
    static char text[128 * 1024];
    struct pl_script *script = NULL;
    struct pl_reason why = { 0 };
    size_t len;

    for (size_t way = 0; way < sizeof links / sizeof links[0]; way++) {
        len = (size_t)snprintf(text, sizeof text, "local a = {}\nreturn a");
        for (int i = 0; i < 1100; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s", links[way]);
        CHECK(load(text, &script, &why) == PL_ECONFIG);
        CHECK_MSG(strstr(why.text, "fields of fields") != NULL, "%s: %s", links[way], why.text);
    }
    len = 0; /* many short ones are what any module has */
    for (int i = 0; i < 1200; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "local t = {} t.f = type t.f(os.time) t.f(os.date)\n%s",
                                i % 190 == 189 ? "do end " : "do local x = ({ [1] = 'a.b.c' })[1] end\n");
    text[40000] = '\0'; /* cut anywhere: the scan reads no further than the text */
    CHECK(load(text, &script, &why) == PL_ECONFIG);
    CHECK_MSG(strstr(why.text, "fields of fields") == NULL, "%s", why.text);
}

static void files_are_checked_together(void)
{
    static char big[PL_SCRIPT_TEXT_MAX + 1];
    struct pl_script_file files[] = { file("a.lua", "return { table = 'Same', partition_key = 'A:S' }"),
                                      file("b.lua", "return { table = 'Same', partition_key = 'B:S' }") };
    struct pl_script *script = NULL;
    struct pl_reason why = { 0 };

    CHECK(pl_script_load(&limits, pl_clock_system(), files, 2, &script, &why) == PL_ECONFIG);
    CHECK_MSG(strcmp(why.text, "b.lua: table: Same is defined by a.lua already") == 0, "%s", why.text);
    files[1].text = pl_bytes(big, sizeof big);
    CHECK(pl_script_load(&limits, pl_clock_system(), files, 2, &script, &why) == PL_ECONFIG);
    CHECK(strstr(why.text, "b.lua: the file has 262145 bytes") != NULL);
    files[1].text = pl_str("return '\xff'");
    CHECK(pl_script_load(&limits, pl_clock_system(), files, 2, &script, &why) == PL_ECONFIG);
    CHECK(strstr(why.text, "not UTF-8") != NULL);
    CHECK(pl_script_load(&limits, pl_clock_system(), files, 0, &script, &why) == 0);
    CHECK(pl_script_table_count(script) == 0);
    pl_script_free(script);
}

static void a_worn_state_is_made_anew(void)
{
    struct pl_item out = { 0 };
    bool unchanged = false;
    size_t used;
    struct fixture f;

    setup(&f, "local kept = {}\n"
              "return { table = 'Messages', partition_key = 'A:S',\n"
              "  before_write = function(old, new)\n"
              "    if new.Text == 'hoard' then\n"
              "      while true do kept[#kept + 1] = ('x'):rep(1000) .. #kept end\n"
              "    end\n"
              "    return new\n"
              "  end }");
    used = pl_script_used_bytes(f.script);
    for (int i = 0; i < 3; i++) {
        int rc;

        CHECK(write_text(&f, "hoard", &out, &unchanged) == PL_ESCRIPT);
        CHECK_MSG(strcmp(f.why.text, "messages.lua:5: the function used more than 2048 KiB of memory") == 0,
                  "%s", f.why.text);
        rc = write_text(&f, "fine", &out, &unchanged);
        CHECK(rc == 0 && unchanged);
    }
    CHECK(pl_script_used_bytes(f.script) <= used * 2);
    teardown(&f);
}

int main(void)
{
    RUN(a_module_becomes_a_definition_and_functions);
    RUN(before_write_may_store_change_refuse_and_fail);
    RUN(conditions_see_both_items_and_the_arguments);
    RUN(a_projection_computes_an_entry_or_none);
    RUN(a_wrong_module_is_told_where_and_what);
    RUN(long_chains_of_fields_are_refused);
    RUN(files_are_checked_together);
    RUN(a_worn_state_is_made_anew);
    return test_summary();
}
