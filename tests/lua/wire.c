/* SPDX-License-Identifier: MIT */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

/*
 * A socket for specs, as Lua's own files:
 *
 *     local from, to = require("wire").connect("127.0.0.1:7890")
 *     to:write("PING\n") to:flush() from:read("L")
 *
 * Two files, because a FILE that is read and written would have to be positioned in between. They block; an answer
 * that does not come within a minute is the end of the file.
 */
enum { PATIENCE_S = 60 };

static int close_file(lua_State *L)
{
    luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);

    return luaL_fileresult(L, fclose(file->f) == 0, NULL);
}

/* Takes `fd`, also when it fails. */
static int push_file(lua_State *L, int fd, const char *mode)
{
    luaL_Stream *file = lua_newuserdatauv(L, sizeof *file, 0);

    file->closef = NULL;
    luaL_setmetatable(L, LUA_FILEHANDLE);
    file->f = fdopen(fd, mode);
    if (file->f == NULL) {
        close(fd);
        return luaL_error(L, "wire: no file for the socket");
    }
    file->closef = close_file;
    return 1;
}

static int open_socket(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = -1, one = 1;

    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    return fd;
}

static int wire_connect(lua_State *L)
{
    const char *address = luaL_checkstring(L, 1), *colon = strrchr(address, ':');
    int fd, other;

    luaL_argcheck(L, colon != NULL, 1, "expected host:port");
    lua_pushlstring(L, address, (size_t)(colon - address));
    fd = open_socket(lua_tostring(L, -1), colon + 1);
    if (fd < 0)
        return luaL_error(L, "wire: cannot connect to %s", address);
    other = dup(fd);
    if (other < 0) {
        close(fd);
        return luaL_error(L, "wire: no second descriptor");
    }
    push_file(L, fd, "rb");
    push_file(L, other, "wb");
    return 2;
}

__attribute__((visibility("default"))) int luaopen_wire(lua_State *L);

int luaopen_wire(lua_State *L)
{
    static const luaL_Reg functions[] = { { "connect", wire_connect }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
