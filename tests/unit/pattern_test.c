/* SPDX-License-Identifier: MIT */
#include "script/environment.h"
#include "script/sandbox.h"
#include "test.h"

#include <lauxlib.h>
#include <lualib.h>

/*
 * Our patterns beside Lua's own, on random patterns and subjects: the same results and
 * the same errors, value for value. Lua's run in a plain state of their own.
 */
enum { ROUNDS = 20000, TEXT_MAX = 24 };

static const char program[] =
    "local subject, pattern, replacement, init = ...\n"
    "local out = {}\n"
    "local function note(...)\n"
    "  for i = 1, select('#', ...) do out[#out + 1] = tostring((select(i, ...))) end\n"
    "  out[#out + 1] = '|'\n"
    "end\n"
    "local function plain(ok, first, ...)\n"
    "  if not ok then return ok, (tostring(first):gsub('^[^:]*:%d+: ', '')) end\n"
    "  return ok, first, ...\n"
    "end\n"
    "note(plain(pcall(string.find, subject, pattern, init)))\n"
    "note(plain(pcall(string.find, subject, pattern, init, true)))\n"
    "note(plain(pcall(string.match, subject, pattern, init)))\n"
    "note(plain(pcall(string.gsub, subject, pattern, replacement)))\n"
    "note(plain(pcall(string.gsub, subject, pattern, replacement, 2)))\n"
    "note(plain(pcall(string.gsub, subject, pattern, { a = 'X', b = false, [2] = 7 })))\n"
    "note(plain(pcall(string.gsub, subject, pattern, function(x, y) return y or x ~= 'a' and x end)))\n"
    "note(plain(pcall(function()\n"
    "  local all = {}\n"
    "  for a, b in string.gmatch(subject, pattern, init) do\n"
    "    all[#all + 1] = tostring(a) .. '/' .. tostring(b)\n"
    "  end\n"
    "  return table.concat(all, ',')\n"
    "end)))\n"
    "return table.concat(out, ' ')\n";

struct sample {
    char subject[TEXT_MAX + 1], pattern[TEXT_MAX + 1], replacement[TEXT_MAX + 1];
    size_t subject_len, pattern_len, replacement_len;
    int init;
    bool ours;
    char result[16384];
    size_t result_len;
};

static int run_body(lua_State *L)
{
    struct sample *sample = lua_touserdata(L, 1);
    const char *result;

    lua_settop(L, 0);
    if (luaL_loadbufferx(L, program, sizeof program - 1, "@test", "t") != LUA_OK)
        return lua_error(L);
    if (sample->ours) {
        pl_environment_push(L);
        lua_setupvalue(L, 1, 1);
    }
    lua_pushlstring(L, sample->subject, sample->subject_len);
    lua_pushlstring(L, sample->pattern, sample->pattern_len);
    lua_pushlstring(L, sample->replacement, sample->replacement_len);
    lua_pushinteger(L, sample->init);
    lua_call(L, 4, 1);
    result = luaL_checklstring(L, 1, &sample->result_len);
    if (sample->result_len >= sizeof sample->result)
        sample->result_len = sizeof sample->result - 1;
    memcpy(sample->result, result, sample->result_len);
    sample->result[sample->result_len] = '\0';
    return 0;
}

/* Few letters, so that things match, and all that patterns are made of. */
static const char *const pieces[] = { "a",      "b",    "a",    "b",     "c",     ".",    "%a",    "%d",
                                      "%s",     "%w",   "%A",   "%p",    "%x",    "%g",   "%u",    "%l",
                                      "%c",     "[ab]", "[^a]", "[a-c]", "[%a_]", "[]a]", "[^]]",  "[a-]",
                                      "(",      ")",    "()",   "(a)",   "(.-)",  "(a*)", "*",     "+",
                                      "-",      "?",    "%1",   "%2",    "%bab",  "%b()", "%f[a]", "%f[^a]",
                                      "%f[%z]", "^",    "$",    "%",     "%%",    "[",    "]",     "%.",
                                      "1",      "_",    " ",    "\n",    "%0",    "%f",   "%b",    "%ba" };

static size_t random_pattern(uint64_t *state, char *out)
{
    size_t count = test_random(state) % 6 + 1, len = 0;

    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[test_random(state) % (sizeof pieces / sizeof pieces[0])];

        if (len + strlen(piece) > TEXT_MAX)
            break;
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    if (test_random(state) % 40 == 0 && len > 0)
        out[test_random(state) % len] = '\0';
    return len;
}

static size_t random_text(uint64_t *state, const char *letters, char *out)
{
    size_t len = test_random(state) % 13;

    for (size_t i = 0; i < len; i++)
        out[i] = letters[test_random(state) % (strlen(letters) + 1)]; /* its NUL is a letter too */
    return len;
}

static int open_body(lua_State *L)
{
    pl_environment_open(L);
    return 0;
}

static void patterns_are_luas_own(void)
{
    struct pl_script_limits limits = { .time_ms = 60000 };
    struct pl_sandbox *sandbox = NULL;
    lua_State *stock = luaL_newstate();
    uint64_t seed = test_seed(), state = seed;
    static struct sample ours, theirs;

    CHECK(stock != NULL);
    luaL_openlibs(stock);
    CHECK(pl_sandbox_new(&limits, pl_clock_system(), &sandbox) == 0);
    CHECK(pl_sandbox_call(sandbox, 1000, open_body, NULL, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct pl_reason why = { 0 };

        ours.subject_len = random_text(&state, "aaabbc(1) _\n.A", ours.subject);
        ours.pattern_len = random_pattern(&state, ours.pattern);
        ours.replacement_len = random_text(&state, "x%%012", ours.replacement);
        ours.init = (int)(test_random(&state) % 9) - 4;
        theirs = ours;
        ours.ours = true;
        theirs.ours = false;
        CHECK_MSG(pl_sandbox_call(sandbox, 60000, run_body, &ours, &why) == 0, "%s", why.text);
        lua_pushcfunction(stock, run_body);
        lua_pushlightuserdata(stock, &theirs);
        CHECK(lua_pcall(stock, 1, 0, 0) == LUA_OK);
        CHECK_MSG(ours.result_len == theirs.result_len &&
                      memcmp(ours.result, theirs.result, ours.result_len) == 0,
                  "seed %llu, subject '%s', pattern '%s', replacement '%s', init %d\nours:   %s\ntheirs: %s",
                  (unsigned long long)seed, ours.subject, ours.pattern, ours.replacement, ours.init,
                  ours.result, theirs.result);
    }
    pl_sandbox_free(sandbox);
    lua_close(stock);
}

int main(void)
{
    RUN(patterns_are_luas_own);
    return test_summary();
}
