/* SPDX-License-Identifier: MIT */
#include "failing_allocation.h"
#include "scratch_tree.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/*
 * Every allocation of every method fails in turn, the engine's and Lua's own: the
 * answer is an error or as ever, what was there is there, and the next call works.
 */
int luaopen_perilune(lua_State *L);

/* What lua_binding_test.lua returns, in its places on the stack. */
enum { COUNT = 1, NAME, PREPARE, SCENARIO, VERIFY, CLOSE, DEEP_EVERY = 16 };

/* Lua takes for granted that a block can be made smaller. */
static void *allocate(void *state, void *at, size_t old_size, size_t size)
{
    void *moved;

    (void)state;
    if (size == 0) {
        free(at);
        return NULL;
    }
    moved = realloc(at, size);
    return moved == NULL && at != NULL && size <= old_size ? at : moved;
}

static void call(lua_State *L, int function, int i)
{
    lua_pushvalue(L, function);
    lua_pushinteger(L, i);
    CHECK_MSG(lua_pcall(L, 1, 0, 0) == LUA_OK, "%s", lua_tostring(L, -1));
}

static const char *name_of(lua_State *L, int i)
{
    const char *name;

    lua_pushvalue(L, NAME);
    lua_pushinteger(L, i);
    CHECK(lua_pcall(L, 1, 1, 0) == LUA_OK);
    name = lua_tostring(L, -1);
    lua_pop(L, 1); /* the program goes on holding it */
    return name;
}

static void verify(lua_State *L, int i, long n, bool ok, bool refused, bool deep)
{
    lua_pushvalue(L, VERIFY);
    lua_pushinteger(L, i);
    lua_pushboolean(L, ok);
    lua_pushboolean(L, refused);
    lua_pushboolean(L, deep);
    CHECK_MSG(lua_pcall(L, 4, 0, 0) == LUA_OK, "%s, allocation %ld: %s", name_of(L, i), n,
              lua_tostring(L, -1));
}

/* True when there are more allocations to fail. */
static bool fail_one(lua_State *L, int i, long n, bool for_good)
{
    int status;
    bool failed, ok, refused;

    call(L, PREPARE, 0);
    if (!allocation_failing(n, for_good))
        return false;
    lua_pushvalue(L, SCENARIO);
    lua_pushinteger(L, i);
    status = lua_pcall(L, 1, 3, 0);
    failed = allocation_failed();
    ok = status == LUA_OK && lua_toboolean(L, -3);
    refused = status == LUA_OK && !ok; /* said so, and did not jump in the middle of the answer */
    CHECK_MSG(failed || status == LUA_OK, "%s without a failure: %s", name_of(L, i), lua_tostring(L, -1));
    lua_settop(L, CLOSE);
    verify(L, i, n, ok, refused, n % DEEP_EVERY == 0);
    return true;
}

static void fail_each(bool for_good)
{
    lua_State *L = lua_newstate(allocate, NULL);
    long n = 0, rounds = 0;
    int count;

    CHECK(L != NULL);
    luaL_openlibs(L);
    luaL_requiref(L, "perilune", luaopen_perilune, 0);
    CHECK_MSG(luaL_loadfile(L, TEST_PROGRAM) == LUA_OK, "%s", lua_tostring(L, -1));
    lua_insert(L, 1);
    lua_pushstring(L, scratch_fresh("db"));
    CHECK_MSG(lua_pcall(L, 2, CLOSE, 0) == LUA_OK, "%s", lua_tostring(L, -1));
    count = (int)lua_tointeger(L, COUNT);
    for (int i = 1; i <= count; i++) {
        for (n = 0; fail_one(L, i, n, for_good); n++)
            rounds++;
        CHECK_MSG(n > 1, "%s allocates nothing?", name_of(L, i));
    }
    CHECK(rounds > count);
    call(L, CLOSE, 0);
    lua_close(L);
}

static void each_allocation_fails_once(void)
{
    fail_each(false);
}

static void each_allocation_and_all_after_it_fail(void)
{
    fail_each(true);
}

int main(void)
{
    RUN(each_allocation_fails_once);
    RUN(each_allocation_and_all_after_it_fail);
    return test_summary();
}
