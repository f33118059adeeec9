/* SPDX-License-Identifier: MIT */
#include "script/bind_utf8.h"

#include "base/bytes.h"
#include "script/sandbox.h"

#include <lauxlib.h>

enum { CHARACTER_MAX = 0x10FFFF, RESULTS_MAX = 8000 };

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The length of the character at `text`, 0 when it is none; `code` receives it. */
static size_t decode(const char *text, size_t left, uint32_t *code)
{
    unsigned char first = (unsigned char)text[0];
    size_t len = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t value;

    if (left < len || !pl_bytes_is_utf8(pl_bytes(text, len)))
        return 0;
    value = len == 1 ? first : first & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        value = value << 6 | ((unsigned char)text[i] & 0x3F);
    *code = value;
    return len;
}

static size_t encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

static struct pl_bytes check_text(lua_State *L, int arg)
{
    struct pl_bytes text;

    text.data = luaL_checklstring(L, arg, &text.len);
    pl_sandbox_charge(L, text.len * 2);
    return text;
}

/* A position counted from the end when negative; 0 when before the start. */
static lua_Integer from_start(lua_Integer at, size_t len)
{
    if (at >= 0)
        return at;
    return (size_t) - (lua_Unsigned)at > len ? 0 : (lua_Integer)len + at + 1;
}

static int utf8_char(lua_State *L)
{
    luaL_Buffer out;
    int count = lua_gettop(L);

    luaL_buffinit(L, &out);
    for (int i = 1; i <= count; i++) {
        lua_Integer code = luaL_checkinteger(L, i);
        char bytes[4];

        luaL_argcheck(L, code >= 0 && code <= CHARACTER_MAX && (code < 0xD800 || code > 0xDFFF), i,
                      "value out of range");
        luaL_addlstring(&out, bytes, encode((uint32_t)code, bytes));
    }
    luaL_pushresult(&out);
    return 1;
}

static int utf8_len(lua_State *L)
{
    struct pl_bytes text = check_text(L, 1);
    lua_Integer at = from_start(luaL_optinteger(L, 2, 1), text.len);
    lua_Integer last = from_start(luaL_optinteger(L, 3, -1), text.len);
    lua_Integer count = 0;

    luaL_argcheck(L, at >= 1 && at - 1 <= (lua_Integer)text.len, 2, "initial position out of bounds");
    luaL_argcheck(L, last <= (lua_Integer)text.len, 3, "final position out of bounds");
    while (at <= last) {
        uint32_t code;
        size_t len = decode(text.data + at - 1, text.len - (size_t)at + 1, &code);

        if (len == 0) {
            lua_pushnil(L);
            lua_pushinteger(L, at);
            return 2;
        }
        at += (lua_Integer)len;
        count++;
    }
    lua_pushinteger(L, count);
    return 1;
}

static int utf8_codepoint(lua_State *L)
{
    struct pl_bytes text = check_text(L, 1);
    lua_Integer at = from_start(luaL_optinteger(L, 2, 1), text.len);
    lua_Integer last = from_start(luaL_optinteger(L, 3, at), text.len);
    int count = 0;

    luaL_argcheck(L, at >= 1, 2, "out of bounds");
    luaL_argcheck(L, last <= (lua_Integer)text.len, 3, "out of bounds");
    while (at <= last) {
        uint32_t code;
        size_t len = decode(text.data + at - 1, text.len - (size_t)at + 1, &code);

        if (len == 0)
            return luaL_error(L, "invalid UTF-8 code");
        if (count == RESULTS_MAX)
            return luaL_error(L, "string slice too long");
        luaL_checkstack(L, 1, "string slice too long");
        lua_pushinteger(L, code);
        at += (lua_Integer)len;
        count++;
    }
    return count;
}

/* Where the `n`-th character, counted from byte `at` (0-based), begins; -1: there is none. */
static lua_Integer offset_of(struct pl_bytes text, lua_Integer n, lua_Integer at)
{
    lua_Integer len = (lua_Integer)text.len;

    if (n < 0) {
        while (n < 0 && at > 0) {
            do
                at--;
            while (at > 0 && is_continuation(text.data[at]));
            n++;
        }
        return n == 0 ? at : -1;
    }
    for (n--; n > 0 && at < len; n--)
        do
            at++;
        while (at < len && is_continuation(text.data[at]));
    return n == 0 ? at : -1;
}

static int utf8_offset(lua_State *L)
{
    struct pl_bytes text = check_text(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);
    lua_Integer at = from_start(luaL_optinteger(L, 3, n > 0 ? 1 : (lua_Integer)text.len + 1), text.len) - 1;

    luaL_argcheck(L, at >= 0 && at <= (lua_Integer)text.len, 3, "position out of bounds");
    if (n == 0) {
        while (at > 0 && at < (lua_Integer)text.len && is_continuation(text.data[at]))
            at--;
    } else {
        if (at < (lua_Integer)text.len && is_continuation(text.data[at]))
            return luaL_error(L, "initial position is a continuation byte");
        at = offset_of(text, n, at);
    }
    if (at < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, at + 1);
    return 1;
}

static int next_code(lua_State *L)
{
    struct pl_bytes text;
    lua_Integer at = luaL_checkinteger(L, 2);
    uint32_t code;
    size_t len;

    text.data = luaL_checklstring(L, 1, &text.len);
    if (at > 0 && at <= (lua_Integer)text.len)
        do
            at++;
        while (at <= (lua_Integer)text.len && is_continuation(text.data[at - 1]));
    else
        at = at == 0 ? 1 : (lua_Integer)text.len + 1;
    if (at > (lua_Integer)text.len)
        return 0;
    len = decode(text.data + at - 1, text.len - (size_t)at + 1, &code);
    if (len == 0)
        return luaL_error(L, "invalid UTF-8 code");
    lua_pushinteger(L, at);
    lua_pushinteger(L, code);
    return 2;
}

static int utf8_codes(lua_State *L)
{
    check_text(L, 1);
    lua_pushcfunction(L, next_code);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* A character's place from 1, counted from the end when negative; limits as string.sub has them. */
static int utf8_sub(lua_State *L)
{
    struct pl_bytes text = check_text(L, 1);
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_optinteger(L, 3, -1);
    lua_Integer count = 0, from, to;

    if (!pl_bytes_is_utf8(text))
        return luaL_error(L, "invalid UTF-8 code");
    for (size_t i = 0; i < text.len; i++)
        count += !is_continuation(text.data[i]);
    first = from_start(first, (size_t)count);
    last = from_start(last, (size_t)count);
    if (first < 1)
        first = 1;
    if (last > count)
        last = count;
    if (first > last) {
        lua_pushliteral(L, "");
        return 1;
    }
    from = offset_of(text, first, 0);
    to = offset_of(text, last + 1, 0);
    lua_pushlstring(L, text.data + from, (size_t)(to - from));
    return 1;
}

static const luaL_Reg functions[] = {
    { "char", utf8_char },
    { "len", utf8_len },
    { "codepoint", utf8_codepoint },
    { "offset", utf8_offset },
    { "codes", utf8_codes },
    { "sub", utf8_sub },
    { NULL, NULL },
};

void pl_utf8_library_push(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushlstring(L, "[\0-\x7F\xC2-\xFD][\x80-\xBF]*", 14);
    lua_setfield(L, -2, "charpattern");
}
