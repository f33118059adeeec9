/* SPDX-License-Identifier: MIT */
#include "failing_allocation.h"
#include "script/script.h"

/*
 * The bindings through the front door: a table whose before_write does one thing to an
 * item, and what comes back. Random items hold every type there is.
 */
struct fixture {
    struct pl_script *script;
    struct pl_table_script *table;
    struct pl_arena arena;
    struct pl_buf in, out;
    struct pl_reason why;
};

static const struct pl_script_limits limits = { .time_ms = 10000 };

static int load(struct fixture *f, const char *body)
{
    static char text[4096];
    struct pl_script_file file;
    int rc;

    snprintf(text, sizeof text,
             "return { table = 'Test', partition_key = 'K:S', before_write = function(old, new) %s end,\n"
             " conditions = { check = function(old, new, args) return new.A == args.A end },\n"
             " indexes = { ByA = { partition_key = 'A:S', project = function(item) return { A = item.A } end "
             "} } }",
             body);
    file = (struct pl_script_file){ .name = pl_str("test.lua"), .text = pl_str(text) };
    *f = (struct fixture){ 0 };
    rc = pl_script_load(&limits, pl_clock_system(), &file, 1, &f->script, &f->why);
    if (rc == 0)
        f->table = pl_script_table(f->script, pl_str("Test"));
    return rc;
}

static void unload(struct fixture *f)
{
    pl_script_free(f->script);
    pl_arena_deinit(&f->arena);
    pl_buf_deinit(&f->in);
    pl_buf_deinit(&f->out);
}

static int write_item(struct fixture *f, const struct pl_item *item, struct pl_item *out, bool *unchanged)
{
    pl_buf_clear(&f->out);
    f->why.text[0] = '\0';
    return pl_script_before_write(f->table, NULL, item, &f->arena, &f->out, out, unchanged, &f->why);
}

static void random_number(uint64_t *state, struct pl_number *out)
{
    char text[64];
    size_t len = 0, digits = test_random(state) % 38 + 1;

    if (test_random(state) % 2)
        text[len++] = '-';
    text[len++] = (char)('1' + test_random(state) % 9);
    for (size_t i = 1; i < digits; i++)
        text[len++] = (char)('0' + test_random(state) % 10);
    len += (size_t)snprintf(text + len, sizeof text - len, "e%d", (int)(test_random(state) % 170) - 120);
    if (test_random(state) % 3 == 0)
        pl_number_from_int64((int64_t)test_random(state) >> (test_random(state) % 64), out);
    else if (pl_number_parse(pl_bytes(text, len), out, NULL) != 0)
        pl_number_from_int64(0, out);
}

static struct pl_bytes random_text(uint64_t *state, char out[16])
{
    static const char *const letters[] = { "a", "b", "\xc3\xa9", "\xf0\x9f\x98\x80", "" };
    size_t len = 0, count = test_random(state) % 4;

    for (size_t i = 0; i < count; i++) {
        const char *letter = letters[test_random(state) % 5];
        size_t letter_len = letter[0] == '\0' ? 1 : strlen(letter); /* a zero byte is text too */

        memcpy(out + len, letter, letter_len);
        len += letter_len;
    }
    return pl_bytes(out, len);
}

static void random_value(struct pl_builder *b, uint64_t *state, int depth);

static void random_set(struct pl_builder *b, uint64_t *state)
{
    uint32_t count = (uint32_t)(test_random(state) % 5) + 1;
    enum pl_type type = PL_TYPE_SS + (enum pl_type)(test_random(state) % 3);

    pl_builder_begin_set(b, type);
    for (uint32_t i = 0; i < count; i++) {
        struct pl_number number, place, factor;
        char text[24];
        struct pl_bytes bytes = pl_bytes(
            text, (size_t)snprintf(text, sizeof text, "%u-%u", i, (unsigned)(test_random(state) % 100)));

        pl_number_from_int64((int64_t)(test_random(state) % 1000) * 10 + i, &number);
        pl_number_parse(pl_str("0.00000000000000000000000000012345"), &factor, NULL);
        pl_number_add(&number, &factor, &place, NULL);
        if (type == PL_TYPE_SS)
            pl_builder_set_string(b, bytes);
        else if (type == PL_TYPE_BS)
            pl_builder_set_binary(b, bytes);
        else
            pl_builder_set_number(b, test_random(state) % 2 ? &number : &place);
    }
    pl_builder_end(b);
}

static void random_entries(struct pl_builder *b, uint64_t *state, int depth)
{
    uint32_t count = (uint32_t)(test_random(state) % 5);

    for (uint32_t i = 0; i < count; i++) {
        char name[8];

        pl_builder_name(b, pl_bytes(name, (size_t)snprintf(name, sizeof name, "%c%u",
                                                           (char)('a' + test_random(state) % 26), i)));
        random_value(b, state, depth);
    }
}

static void random_value(struct pl_builder *b, uint64_t *state, int depth)
{
    struct pl_number number;
    char text[16];

    switch (test_random(state) % (depth > 4 ? 6 : 9)) {
    case 0:
    case 1:
        pl_builder_string(b, random_text(state, text));
        break;
    case 2:
        pl_builder_binary(b, pl_bytes("\0\xff\x80", test_random(state) % 4));
        break;
    case 3:
        random_number(state, &number), pl_builder_number(b, &number);
        break;
    case 4:
        pl_builder_bool(b, test_random(state) % 2);
        break;
    case 5:
        pl_builder_null(b);
        break;
    case 6:
        pl_builder_begin_list(b);
        for (uint64_t i = test_random(state) % 4; i > 0; i--)
            random_value(b, state, depth + 1);
        pl_builder_end(b);
        break;
    case 7:
        pl_builder_begin_map(b);
        random_entries(b, state, depth + 1);
        pl_builder_end(b);
        break;
    default:
        random_set(b, state);
        break;
    }
}

static struct pl_item random_item(struct fixture *f, uint64_t *state)
{
    struct pl_builder b;
    struct pl_item item = { 0 };
    struct pl_reason why = { 0 };

    pl_arena_reset(&f->arena);
    pl_buf_clear(&f->in);
    pl_builder_init(&b, &f->in, &f->arena);
    pl_builder_begin_item(&b);
    random_entries(&b, state, 1);
    pl_builder_end(&b);
    CHECK_MSG(pl_builder_finish_item(&b, &item, &why) == 0, "%s", why.text);
    return item;
}

/* Three ways through Lua, each of which must give the same bytes back. */
static const char *const identities[] = {
    "return perilune.copy(new)",
    "local made = {} for name, value in pairs(new) do made[name] = value end return made",
    "local function rebuild(v)\n"
    "  local kind = perilune.type(v)\n"
    "  if kind == 'M' then local t = perilune.map() for k, x in pairs(v) do t[k] = rebuild(x) end return t "
    "end\n"
    "  if kind == 'L' then local t = perilune.list() for i = 1, #v do t[i] = rebuild(v[i]) end return t end\n"
    "  if kind == 'SS' or kind == 'NS' or kind == 'BS' then\n"
    "    local t = {} for i, x in pairs(v) do t[i] = rebuild(x) assert(v:has(x)) end return perilune.set(t)\n"
    "  end\n"
    "  if kind == 'N' then return (perilune.decimal(v)) end\n"
    "  if kind == 'B' then return perilune.binary(tostring(v)) end\n"
    "  return v\n"
    "end\n"
    "assert(new == new) return rebuild(new)",
};

static void item_to_lua_to_item_is_identity(void)
{
    uint64_t seed = test_seed(), state = seed;

    for (size_t way = 0; way < sizeof identities / sizeof identities[0]; way++) {
        struct fixture f;

        CHECK_MSG(load(&f, identities[way]) == 0, "%s", f.why.text);
        for (int i = 0; i < 1500; i++) {
            struct pl_item item = random_item(&f, &state), out = { 0 };
            bool unchanged = false;

            CHECK_MSG(write_item(&f, &item, &out, &unchanged) == 0, "seed %llu way %zu round %d: %s",
                      (unsigned long long)seed, way, i, f.why.text);
            /* Equal bytes are told as unchanged; the builder made them anew all the same. */
            CHECK_MSG(unchanged && f.out.len == item.bytes.len && out.size_bytes == item.size_bytes &&
                          pl_bytes_equal(pl_buf_view(&f.out), item.bytes),
                      "seed %llu way %zu round %d", (unsigned long long)seed, way, i);
        }
        unload(&f);
    }
}

/* What cannot be stored, and the sentence that says so. */
static const struct {
    const char *body, *sentence;
} refused[] = {
    { "return { A = 0/0 }", "A: NaN is not a number" },
    { "return { A = { B = { 1, 1/0 } } }", "A.B[2]: an infinite number" },
    { "return { A = 1e200 }", "A: Number overflow" },
    { "return { A = '\\xff' }", "A: the string is not UTF-8: bytes need perilune.binary()" },
    { "return { ['\\xff'] = 1 }", "name is not UTF-8" },
    { "return { A = print or type }", "A: a function cannot be stored" },
    { "local t = {} t.t = t return t", "contains itself" },
    { "local t = {} t[1] = t return { A = t }", "contains itself" },
    { "local t = {} for i = 1, 33 do t = { t } end return { A = t }", "A[1][1]" },
    { "local t = { 1 } for i = 1, 29 do t = { a = t, b = t } end return t", "larger than an item's 400 KB" },
    { "return { A = ('x'):rep(2000000) }", "A: the value is far larger" },
    { "return { A = { 1, nil, 3 } }", "holes" },
    { "return { A = { 1, x = 2 } }", "A: the table has both" },
    { "return { A = { [0] = 1 } }", "A: a list's keys" },
    { "return { A = { [1.5] = 1 } }", "A: a list's keys" },
    { "return { [true] = 1 }", "an attribute's name is a string" },
    { "return { 1, 2 }", "an attribute's name is a string" },
    { "return perilune.list()", "an item is a table" },
    { "return 'x'", "an item is a table" },
    { "return { [''] = 1 }", "name" },
    { "return { A = perilune.set {} }", "A: a set may not be empty" },
    { "return { A = perilune.set { 1, 'x' } }", "A[2]: a set holds" },
    { "return { A = perilune.set { true } }", "A[1]: a set holds" },
    { "return { A = perilune.set { 'a', 'a' } }", "duplicates" },
    { "return { A = perilune.set { 1, perilune.decimal('1.0') } }", "duplicates" },
    { "new.A = 1", "an item is read-only" },
    { "new.L[1] = 1", "an item is read-only" },
    { "kept = kept or new return { A = kept.A }", NULL },
    { "return perilune.decimal('1') / 3", "more than 38 digits" },
    { "return perilune.decimal('1') // 0", "divide by zero" },
    { "return perilune.decimal('x')", "cannot be converted" },
    { "return perilune.decimal(1) + {}", "number expected" },
    { "return perilune.set { 1 } .. 'x'", "attempt to concatenate" },
};

static struct pl_item small_item(struct fixture *f)
{
    struct pl_builder b;
    struct pl_item item = { 0 };

    pl_buf_clear(&f->in);
    pl_builder_init(&b, &f->in, &f->arena);
    pl_builder_begin_item(&b);
    pl_builder_name(&b, pl_str("A"));
    pl_builder_string(&b, pl_str("text"));
    pl_builder_name(&b, pl_str("L"));
    pl_builder_begin_list(&b);
    pl_builder_null(&b);
    pl_builder_end(&b);
    pl_builder_end(&b);
    pl_builder_finish_item(&b, &item, NULL);
    return item;
}

static void what_cannot_be_stored_is_told_by_its_path(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct pl_item item, out = { 0 };
        bool unchanged = false;
        struct fixture f;
        int rc;

        CHECK_MSG(load(&f, refused[i].body) == 0, "%s", f.why.text);
        item = small_item(&f);
        rc = write_item(&f, &item, &out, &unchanged);
        if (refused[i].sentence == NULL)
            CHECK_MSG(rc == 0, "%s: %s", refused[i].body, f.why.text);
        else
            CHECK_MSG(rc == PL_ESCRIPT && strstr(f.why.text, refused[i].sentence) != NULL, "%s: %s",
                      refused[i].body, f.why.text);
        unload(&f);
    }
}

static void an_item_kept_too_long_fails_politely(void)
{
    struct pl_item item, out = { 0 };
    bool unchanged = false;
    struct fixture f;

    CHECK(load(&f, "if kept then return { A = kept.A } end kept = new list = new.L return new") == 0);
    item = small_item(&f);
    CHECK(write_item(&f, &item, &out, &unchanged) == 0);
    CHECK(write_item(&f, &item, &out, &unchanged) == PL_ESCRIPT);
    CHECK_MSG(strstr(f.why.text, "item used after its function returned") != NULL, "%s", f.why.text);
    unload(&f);
    CHECK(load(&f, "if kept then return { A = kept } end kept = new.L return new") == 0);
    item = small_item(&f);
    CHECK(write_item(&f, &item, &out, &unchanged) == 0);
    CHECK(write_item(&f, &item, &out, &unchanged) == PL_ESCRIPT);
    CHECK_MSG(strstr(f.why.text, "A: item used after its function returned") != NULL, "%s", f.why.text);
    unload(&f);
}

/* Every binding once, so that each of its allocations gets its turn to fail. */
static const char everything[] =
    "local c = perilune.copy(new) c.B = perilune.binary('\\xff') c.S = perilune.set { 'x', 'y' } c.S:add('z')"
    " c.M = perilune.map { a = perilune.null } c.E = perilune.list() c.D = perilune.decimal('1.1') * 3 // 1 "
    "+ 0.5"
    " c.T = ('%s %d'):format('x', 1) .. c.D c.G = ('a b'):gsub('%w', { a = 'xx' })"
    " for w in ('p q'):gmatch('%a') do c[w] = w:rep(3, ',') end"
    " for k, v in pairs(new) do c['_' .. k] = v end for i, v in ipairs(new.L) do c.I = i end"
    " c.J = table.concat({ 1, 2, perilune.type(c.B) }, '-') c.U = utf8.sub('h\xc3\xa9', 2) table.sort({ 2, 1 "
    "})"
    " local ok, e = xpcall(error, function(m) return m end, 'x') if not ok and e ~= 'x' then error(e, 0) end"
    " c.O = setmetatable({}, { __index = {} }) and #new.L return c";

static int write_once(struct fixture *f)
{
    struct pl_item item = small_item(f), out = { 0 }, entry;
    bool unchanged = false, skipped, holds;
    struct pl_value args = { .type = PL_TYPE_M, .payload = item.bytes };
    int rc;

    if (item.bytes.data == NULL)
        return PL_ENOMEM;
    rc = write_item(f, &item, &out, &unchanged);
    if (rc == 0)
        rc = pl_script_condition(f->table, 0, NULL, &item, &args, &holds, &f->why);
    if (rc == 0)
        rc = pl_script_project(f->table, 0, &item, &f->arena, &f->out, &entry, &skipped, &f->why);
    return rc;
}

static void fail_calls(bool for_good)
{
    struct fixture f;

    CHECK_MSG(load(&f, everything) == 0, "%s", f.why.text);
    CHECK_MSG(write_once(&f) == 0, "%s", f.why.text);
    for (long n = 0; allocation_failing(n, for_good); n++) {
        int rc;

        /* Fresh scratch memory, so that its allocations are among those that fail. */
        pl_arena_deinit(&f.arena);
        pl_buf_deinit(&f.in);
        pl_buf_deinit(&f.out);
        rc = write_once(&f);
        if (allocation_failed() && rc != 0)
            CHECK_MSG(rc == PL_ENOMEM, "allocation %ld: %d %s", n, rc, f.why.text);
        else
            CHECK_MSG(rc == 0, "allocation %ld: %d %s", n, rc, f.why.text);
        CHECK_MSG(write_once(&f) == 0, "after allocation %ld: %s", n, f.why.text);
    }
    unload(&f);
}

static void every_allocation_of_a_call_may_fail(void)
{
    fail_calls(false);
    fail_calls(true);
}

static void every_allocation_of_loading_may_fail(void)
{
    for (int for_good = 0; for_good < 2; for_good++)
        for (long n = 0; allocation_failing(n, for_good == 1); n += 3) {
            struct fixture f;
            int rc = load(&f, everything);

            if (allocation_failed() && rc != 0)
                CHECK_MSG(rc == PL_ENOMEM && f.script == NULL, "allocation %ld: %d %s", n, rc, f.why.text);
            else
                CHECK_MSG(rc == 0, "allocation %ld: %d %s", n, rc, f.why.text);
            if (rc == 0)
                CHECK_MSG(write_once(&f) == 0, "after allocation %ld: %s", n, f.why.text);
            unload(&f);
        }
}

int main(void)
{
    RUN(item_to_lua_to_item_is_identity);
    RUN(what_cannot_be_stored_is_told_by_its_path);
    RUN(an_item_kept_too_long_fails_politely);
    RUN(every_allocation_of_a_call_may_fail);
    RUN(every_allocation_of_loading_may_fail);
    return test_summary();
}
