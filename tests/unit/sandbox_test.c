/* SPDX-License-Identifier: MIT */
#include "sandbox_attacks.h"
#include "script/environment.h"
#include "script/sandbox.h"
#include "test.h"

#include <lauxlib.h>
#include <time.h>

enum { TIME_MS = 250, MEMORY_BYTES = 32 << 20 };

/* The time this thread computed, so that a busy machine makes no script late. */
static uint64_t cpu_ns(void *state)
{
    struct timespec now;

    (void)state;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t stopped_ns(void *state)
{
    (void)state;
    return 1;
}

static struct pl_clock cpu_clock(void)
{
    struct pl_clock clock = pl_clock_system();

    clock.monotonic_ns = cpu_ns;
    return clock;
}

static int open_body(lua_State *L)
{
    pl_environment_open(L);
    return 0;
}

/* Run a text in a fresh environment. */
static int run_body(lua_State *L)
{
    const char *text = lua_touserdata(L, 1);

    lua_settop(L, 0);
    if (luaL_loadbufferx(L, text, strlen(text), "@test", "t") != LUA_OK)
        return lua_error(L);
    pl_environment_push(L);
    if (lua_setupvalue(L, 1, 1) == NULL)
        lua_pop(L, 1);
    lua_call(L, 0, 0);
    return 0;
}

static int run(struct pl_sandbox *sandbox, const char *text, struct pl_reason *why)
{
    why->text[0] = '\0';
    return pl_sandbox_call(sandbox, TIME_MS, run_body, (void *)text, why);
}

static struct pl_sandbox *make(const struct pl_script_limits *limits, struct pl_clock clock)
{
    struct pl_sandbox *sandbox = NULL;

    CHECK(pl_sandbox_new(limits, clock, &sandbox) == 0);
    CHECK(pl_sandbox_call(sandbox, 1000, open_body, NULL, NULL) == 0);
    return sandbox;
}

/* Memory is eaten more slowly under sanitizers: then time may end it first. */
static bool is_expected(const struct attack *attack, int rc, const char *text)
{
    if (attack->sentence == NULL)
        return rc == 0;
    if (rc != PL_ESCRIPT)
        return false;
    if (strcmp(attack->sentence, MEMORY) == 0 && strstr(text, TIME) != NULL)
        return true;
    return strstr(text, attack->sentence) != NULL;
}

static bool attack_is_harmless(const struct attack *attack)
{
    struct pl_script_limits limits = { .memory_bytes = MEMORY_BYTES };
    struct pl_sandbox *sandbox = make(&limits, cpu_clock());
    struct pl_reason why = { 0 };
    uint64_t start, took_ms;
    size_t peak;
    bool good;
    int rc;

    if (getenv("PL_VERBOSE") != NULL)
        fprintf(stderr, "%s\n", attack->name);
    start = cpu_ns(NULL);
    rc = run(sandbox, attack->text, &why);
    took_ms = (cpu_ns(NULL) - start) / 1000000;
    peak = pl_sandbox_peak_bytes(sandbox);
    good =
        is_expected(attack, rc, why.text) && took_ms <= TIME_MS * 12 / 10 && peak <= MEMORY_BYTES / 10 * 11;
    if (good && run(sandbox, "assert(('x'):rep(3) == 'xxx' and #{ 1, 2 } == 2)", &why) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "attack '%s': %d %s, %u ms, %zu KiB\n", attack->name, rc, why.text, (unsigned)took_ms,
                peak / 1024);
    pl_sandbox_free(sandbox);
    return good;
}

static void attacks_end_in_time_with_an_error_and_the_next_call_works(void)
{
    size_t count = sizeof attacks / sizeof attacks[0], harmless = 0;
    const char *only = getenv("PL_ATTACK");

    CHECK(count >= 60);
    for (size_t i = 0; i < count; i++)
        if (only == NULL || strcmp(only, attacks[i].name) == 0)
            harmless += attack_is_harmless(&attacks[i]);
        else
            harmless++;
    CHECK(harmless == count);
}

static void instructions_end_a_call_where_the_clock_stands_still(void)
{
    struct pl_script_limits limits = { .instructions = 1000000 };
    struct pl_clock clock = pl_clock_system();
    struct pl_sandbox *sandbox;
    struct pl_reason why;

    clock.monotonic_ns = stopped_ns;
    sandbox = make(&limits, clock);
    CHECK(run(sandbox, "while true do end", &why) == PL_ESCRIPT);
    CHECK_MSG(strcmp(why.text, "test:1: the function ran more than 1000000 instructions") == 0, "%s",
              why.text);
    CHECK(run(sandbox, "for i = 1, 10000 do end", &why) == 0);
    pl_sandbox_free(sandbox);
}

static void garbage_is_collected_before_memory_is_called_short(void)
{
    struct pl_script_limits limits = { .memory_bytes = 4 << 20, .time_ms = 10000 };
    struct pl_sandbox *sandbox = make(&limits, cpu_clock());
    struct pl_reason why;

    CHECK_MSG(run(sandbox, "for i = 1, 30 do local s = ('x'):rep(900000) .. i end", &why) == 0, "%s",
              why.text);
    CHECK_MSG(run(sandbox, "for i = 1, 60000 do local t = { i, { i } } end", &why) == 0, "%s", why.text);
    CHECK(!pl_sandbox_is_worn(sandbox));
    CHECK(run(sandbox, "local s = 'x' while true do s = s .. s end", &why) == PL_ESCRIPT);
    CHECK(strstr(why.text, "used more than 4096 KiB of memory") != NULL);
    CHECK(pl_sandbox_is_worn(sandbox));
    pl_sandbox_free(sandbox);
}

/* Ordinary programs, to see that what is left is Lua. */
static const char *const programs[] = {
    "assert(#'abc' == 3 and ('abc'):upper() == 'ABC' and ('%5.1f|%q'):format(2.25, 'a') == '  2.2|\"a\"')",
    "assert(table.concat({ 1, 2, 'x' }, ', ') == '1, 2, x' and table.concat({}) == '')",
    "local t = { 1, 2, 3 } table.insert(t, 2, 9) assert(table.concat(t, ' ') == '1 9 2 3')"
    " assert(table.remove(t, 1) == 1 and table.remove(t) == 3 and #t == 2) assert(table.remove({}) == nil)",
    "local t = table.move({ 1, 2, 3 }, 2, 3, 1) assert(t[1] == 2 and t[2] == 3 and t[3] == 3)"
    " t = table.move({ 1, 2, 3 }, 1, 3, 2) assert(table.concat(t) == '1123')"
    " t = table.move({ 1, 2 }, 1, 2, 3, { 8, 9 }) assert(table.concat(t) == '8912')",
    "local t = { 3, 1, 2 } table.sort(t) assert(table.concat(t) == '123')"
    " table.sort(t, function(a, b) return a > b end) assert(table.concat(t) == '321')",
    "assert(not pcall(table.sort, { 1, 'x' })) assert(not pcall(table.insert, { 1 }, 5, 1))",
    "assert(select('#', table.unpack({ 1, nil, 3 }, 1, 3)) == 3) assert(table.pack(1, 2).n == 2)",
    "local ok, e = pcall(error, { 1 }) assert(not ok and e[1] == 1)"
    " local ok, e = xpcall(function() error('x', 0) end, function(m) return m .. '!' end) assert(e == 'x!')"
    " assert(select('#', pcall(function() return 1, 2, 3 end)) == 4)"
    " assert(select(2, xpcall(function(...) return ... end, print or error, 7)) == 7)",
    "local C = {} C.__index = C function C.new() return setmetatable({}, C) end function C:hi() return 'hi' "
    "end"
    " assert(C.new():hi() == 'hi' and getmetatable(C.new()) == C)"
    " local o = setmetatable(C.new(), nil) assert(getmetatable(o) == nil)"
    " local p = setmetatable({}, { __metatable = 'mine' }) assert(getmetatable(p) == 'mine')"
    " assert(not pcall(setmetatable, p, {}))",
    "assert(utf8.len('h\xc3\xa9') == 2 and utf8.char(233, 8364) == '\xc3\xa9\xe2\x82\xac')"
    " assert(utf8.sub('h\xc3\xa9llo', 2, 3) == '\xc3\xa9l' and utf8.sub('h\xc3\xa9', -1) == '\xc3\xa9')"
    " assert(utf8.sub('abc', 3, 2) == '' and utf8.sub('abc', 0, 9) == 'abc' and utf8.sub('', 1) == '')"
    " assert(utf8.offset('h\xc3\xa9llo', 3) == 4 and utf8.offset('abc', 5) == nil and utf8.offset('abc', -1) "
    "== 3)"
    " assert(utf8.codepoint('\xc3\xa9') == 233) local n, at = utf8.len('a\xff') assert(n == nil and at == 2)"
    " local s = '' for p, c in utf8.codes('a\xc3\xa9') do s = s .. p .. ':' .. c .. ' ' end assert(s == "
    "'1:97 2:233 ')"
    " assert(not pcall(function() for _ in utf8.codes('\xff') do end end))"
    " for c in ('a\xc3\xa9'):gmatch(utf8.charpattern) do s = s .. c end assert(s == '1:97 2:233 a\xc3\xa9')",
    "assert(os.time() > 1700000000 and os.date('!%Y', 0) == '1970' and os.clock() >= 0 and #os.date() > 0)"
    " assert(os.time({ year = 2000, month = 1, day = 1 }) > 0 and os.date('*t').year >= 2024)",
    "assert(tostring(nil) == 'nil' and tostring(1.5) == '1.5' and tostring({}) == 'table' and "
    "tonumber('0x10') == 16)"
    " assert(tostring(perilune.null) == 'null' and '10' + 1 == 11 and math.type(1) == 'integer')",
    "x = 1 assert(_G.x == 1 and rawget(_G, 'x') == 1) rawset(_G, 'y', 2) assert(y == 2)",
    "assert(('x'):rep(3, ',') == 'x,x,x' and ('ab'):rep(2) == 'abab' and ('x'):rep(0) == '' and (''):rep(5) "
    "== '')"
    " assert(('x'):rep(1, 'abc') == 'x' and (''):rep(3, '-') == '--')",
};

static void what_is_left_is_lua(void)
{
    struct pl_script_limits limits = { 0 };
    struct pl_sandbox *sandbox = make(&limits, cpu_clock());
    struct pl_reason why;

    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        CHECK_MSG(run(sandbox, programs[i], &why) == 0, "%s\n%s", programs[i], why.text);
    pl_sandbox_free(sandbox);
}

static void one_module_sees_no_globals_of_another(void)
{
    struct pl_script_limits limits = { 0 };
    struct pl_sandbox *sandbox = make(&limits, cpu_clock());
    struct pl_reason why;

    CHECK(run(sandbox, "secret = 1 string = nil type = nil _G.pairs = nil", &why) == 0);
    CHECK(run(sandbox, "assert(secret == nil and string and type and pairs)", &why) == 0);
    pl_sandbox_free(sandbox);
}

/* Everything a script can name, in order. What is new here was let in on purpose. */
static const char allowed[] =
    "_G _VERSION assert error getmetatable ipairs math math.abs math.acos math.asin math.atan math.ceil "
    "math.cos "
    "math.deg math.exp math.floor math.fmod math.huge math.log math.max math.maxinteger math.min "
    "math.mininteger "
    "math.modf math.pi math.rad math.random math.sin math.sqrt math.tan math.tointeger math.type math.ult "
    "next os "
    "os.clock os.date os.time pairs pcall perilune perilune.begins_with perilune.between perilune.binary "
    "perilune.copy perilune.decimal perilune.ge perilune.gt perilune.le perilune.list perilune.lt "
    "perilune.map perilune.null perilune.set perilune.type rawequal rawget rawlen rawset select setmetatable "
    "string "
    "string.byte string.char string.find string.format string.gmatch string.gsub string.len string.lower "
    "string.match "
    "string.rep string.reverse string.sub string.upper table table.concat table.insert table.move table.pack "
    "table.remove table.sort table.unpack tonumber tostring type utf8 utf8.char utf8.charpattern "
    "utf8.codepoint "
    "utf8.codes utf8.len utf8.offset utf8.sub xpcall ";

struct walk {
    char names[200][64];
    int count;
    bool strange;
};

static void note(struct walk *walk, const char *prefix, const char *name)
{
    if (walk->count < 200)
        snprintf(walk->names[walk->count++], 64, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
}

/* The table on top, and what its metatable leads to. A function's upvalues are C's own business. */
static void walk_table(lua_State *L, struct walk *walk, const char *prefix)
{
    int table = lua_gettop(L);

    luaL_checkstack(L, 10, NULL);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            walk->strange = true;
        } else {
            const char *name = lua_tostring(L, -2);

            note(walk, prefix, name);
            if (lua_istable(L, -1) && strcmp(name, "_G") != 0)
                walk_table(L, walk, name);
        }
        lua_pop(L, 1);
    }
    if (lua_getmetatable(L, table)) {
        lua_getfield(L, -1, "__metatable");
        if (!lua_isboolean(L, -1))
            walk->strange = true; /* getmetatable() would show it */
        lua_pop(L, 1);
        lua_getfield(L, -1, "__index");
        if (lua_istable(L, -1))
            walk_table(L, walk, prefix);
        lua_pop(L, 2);
    }
    lua_settop(L, table);
}

static int walk_body(lua_State *L)
{
    struct walk *walk = lua_touserdata(L, 1);

    pl_environment_push(L);
    walk_table(L, walk, "");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushnil(L);
    if (lua_next(L, -2) != 0)
        walk->strange = true;
    lua_settop(L, 0);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__metatable");
    if (!lua_isboolean(L, -1))
        walk->strange = true;
    lua_pop(L, 1);
    lua_getfield(L, -1, "__index");
    lua_getfield(L, -1, "dump");
    if (!lua_isnil(L, -1))
        walk->strange = true;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void nothing_is_reachable_but_what_is_on_the_list(void)
{
    struct pl_script_limits limits = { 0 };
    struct pl_sandbox *sandbox = make(&limits, cpu_clock());
    static struct walk walk;
    static char found[8192];
    size_t len = 0;

    CHECK(pl_sandbox_call(sandbox, 1000, walk_body, &walk, NULL) == 0);
    qsort(walk.names, (size_t)walk.count, sizeof walk.names[0], by_name);
    for (int i = 0; i < walk.count; i++)
        len += (size_t)snprintf(found + len, sizeof found - len, "%s ", walk.names[i]);
    CHECK(!walk.strange);
    CHECK_MSG(strcmp(found, allowed) == 0, "found: %s", found);
    pl_sandbox_free(sandbox);
}

int main(void)
{
    RUN(what_is_left_is_lua);
    RUN(one_module_sees_no_globals_of_another);
    RUN(nothing_is_reachable_but_what_is_on_the_list);
    RUN(instructions_end_a_call_where_the_clock_stands_still);
    RUN(garbage_is_collected_before_memory_is_called_short);
    RUN(attacks_end_in_time_with_an_error_and_the_next_call_works);
    return test_summary();
}
