/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/*
 * lua5.4 with the build's sanitizers linked in: `interpreter [-e CODE] SCRIPT [ARG...]`, as far as busted and
 * the examples need it. A C module built with a sanitizer cannot be loaded into a program without one, and
 * preloading the sanitizer's library would reach every child process too.
 */

/* As lua5.4: the message with the stack below it. */
static int explain(lua_State *L)
{
    const char *message = lua_tostring(L, 1);

    if (message == NULL)
        message = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* The script's name is arg[0], what follows it arg[1] and up, what precedes it arg[-1] and down. */
static void set_arg(lua_State *L, int argc, char **argv, int script)
{
    lua_createtable(L, argc - script, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

static int run(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1), script = 1;
    char **argv = lua_touserdata(L, 2);

    lua_settop(L, 0);
    luaL_openlibs(L);
    while (script + 1 < argc && strcmp(argv[script], "-e") == 0) {
        if (luaL_dostring(L, argv[script + 1]) != LUA_OK)
            return lua_error(L);
        script += 2;
    }
    if (script >= argc)
        return 0;
    set_arg(L, argc, argv, script);
    if (luaL_loadfile(L, argv[script]) != LUA_OK)
        return lua_error(L);
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = script + 1; i < argc; i++)
        lua_pushstring(L, argv[i]);
    lua_call(L, argc - script - 1, 0);
    return 0;
}

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    int rc;

    if (L == NULL) {
        fprintf(stderr, "interpreter: out of memory\n");
        return EXIT_FAILURE;
    }
    lua_pushcfunction(L, explain);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    rc = lua_pcall(L, 2, 0, 1);
    if (rc != LUA_OK)
        fprintf(stderr, "interpreter: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return rc == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
