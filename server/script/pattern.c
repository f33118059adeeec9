/* SPDX-License-Identifier: MIT */
#include "script/pattern.h"

#include "base/bytes.h"
#include "script/sandbox.h"

#include <lauxlib.h>

/*
 * A backtracking matcher. `match` walks pattern and subject together; it calls itself
 * only where a choice may have to be undone (a repetition, a capture), so it is as
 * deep as the pattern has such places, and DEPTH_MAX bounds that. Everything that
 * looks at a byte of the subject is counted, and the count is charged to the call.
 */
enum {
    CAPTURES_MAX = 32,
    DEPTH_MAX = 200,
    STEPS_A_CHARGE = 256,
    STEP_BYTES = 8, /* what looking at one byte is charged as */
    POSITION = -2,  /* lengths of captures that are no text */
    OPEN = -1,
};

struct capture {
    const char *start;
    ptrdiff_t len; /* or POSITION or OPEN */
};

struct matcher {
    lua_State *L;
    const char *subject, *subject_end;
    const char *pattern_end;
    int depth;
    int steps;
    int capture_count;
    struct capture captures[CAPTURES_MAX];
};

static const char *match(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m)
{
    if (++m->steps < STEPS_A_CHARGE)
        return;
    m->steps = 0;
    pl_sandbox_charge(m->L, STEPS_A_CHARGE * STEP_BYTES);
}

static bool is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_graphic(unsigned char c)
{
    return c > 0x20 && c < 0x7F;
}

static bool is_alphanumeric(unsigned char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c);
}

/* %a and its kin: upper case letters are the complements; what is no class stands for itself. */
static bool in_class(unsigned char c, unsigned char class)
{
    unsigned char lower = is_upper(class) ? (unsigned char)(class + 32) : class;
    bool in;

    switch (lower) {
    case 'a':
        in = is_upper(c) || is_lower(c);
        break;
    case 'c':
        in = c < 0x20 || c == 0x7F;
        break;
    case 'd':
        in = is_digit(c);
        break;
    case 'g':
        in = is_graphic(c);
        break;
    case 'l':
        in = is_lower(c);
        break;
    case 'p':
        in = is_graphic(c) && !is_alphanumeric(c);
        break;
    case 's':
        in = c == ' ' || (c >= '\t' && c <= '\r');
        break;
    case 'u':
        in = is_upper(c);
        break;
    case 'w':
        in = is_alphanumeric(c);
        break;
    case 'x':
        in = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        break;
    case 'z':
        in = c == '\0';
        break; /* from Lua 5.1, still understood */
    default:
        return class == c;
    }
    return in != is_upper(class);
}

/* Where the single-character item that begins at `p` ends. */
static const char *item_end(struct matcher *m, const char *p)
{
    if (*p == '%') {
        if (p + 1 == m->pattern_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p != '[')
        return p + 1;
    p++;
    if (p < m->pattern_end && *p == '^')
        p++;
    do { /* a ']' that comes first is an ordinary one */
        if (p == m->pattern_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%') {
            if (p == m->pattern_end)
                luaL_error(m->L, "malformed pattern (missing ']')");
            p++;
        }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

/* `p` is at '[', `last` at the closing ']'. */
static bool in_set(unsigned char c, const char *p, const char *last)
{
    bool wanted = true;

    if (p[1] == '^') {
        wanted = false;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (in_class(c, (unsigned char)*p))
                return wanted;
        } else if (p + 2 < last && p[1] == '-') {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return wanted;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return wanted;
        }
    }
    return !wanted;
}

static bool matches_one(struct matcher *m, const char *s, const char *p, const char *end)
{
    unsigned char c;

    step(m);
    if (s >= m->subject_end)
        return false;
    c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return in_class(c, (unsigned char)p[1]);
    case '[':
        return in_set(c, p, end - 1);
    default:
        return (unsigned char)*p == c;
    }
}

/* %bxy: from `s`, which must be x, to the y that balances it. */
static const char *match_balance(struct matcher *m, const char *s, const char *p)
{
    int open = 1;

    if (m->pattern_end - p < 2)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->subject_end || *s != p[0])
        return NULL;
    while (++s < m->subject_end) {
        step(m);
        if (*s == p[1]) {
            if (--open == 0)
                return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

static const char *match_most(struct matcher *m, const char *s, const char *p, const char *end)
{
    ptrdiff_t count = 0;

    while (matches_one(m, s + count, p, end))
        count++;
    for (; count >= 0; count--) {
        const char *after = match(m, s + count, end + 1);

        if (after != NULL)
            return after;
    }
    return NULL;
}

static const char *match_least(struct matcher *m, const char *s, const char *p, const char *end)
{
    for (;; s++) {
        const char *after = match(m, s, end + 1);

        if (after != NULL)
            return after;
        if (!matches_one(m, s, p, end))
            return NULL;
    }
}

static const char *open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t kind)
{
    const char *after;

    if (m->capture_count >= CAPTURES_MAX)
        luaL_error(m->L, "too many captures");
    m->captures[m->capture_count++] = (struct capture){ .start = s, .len = kind };
    after = match(m, s, p);
    if (after == NULL)
        m->capture_count--;
    return after;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p)
{
    int i = m->capture_count - 1;
    const char *after;

    while (i >= 0 && m->captures[i].len != OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->captures[i].len = s - m->captures[i].start;
    after = match(m, s, p);
    if (after == NULL)
        m->captures[i].len = OPEN;
    return after;
}

/* %1 to %9: the same bytes as that capture. */
static const char *match_again(struct matcher *m, const char *s, unsigned char digit)
{
    int i = digit - '1';
    size_t len;

    if (i < 0 || i >= m->capture_count || m->captures[i].len == OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    len = (size_t)m->captures[i].len; /* of a position capture: more than any subject has left */
    if ((size_t)(m->subject_end - s) < len)
        return NULL;
    pl_sandbox_charge(m->L, len);
    return memcmp(m->captures[i].start, s, len) == 0 ? s + len : NULL;
}

/* %f[set]: the place where bytes of the set begin. NULL: not here. */
static const char *match_frontier(struct matcher *m, const char *s, const char *p, const char **next)
{
    unsigned char before, here;
    const char *end;

    if (p >= m->pattern_end || *p != '[')
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    end = item_end(m, p);
    before = s == m->subject ? 0 : (unsigned char)s[-1];
    here = s == m->subject_end ? 0 : (unsigned char)*s;
    *next = end;
    return !in_set(before, p, end - 1) && in_set(here, p, end - 1) ? s : NULL;
}

/* One item that is no single character. True: it was one, `*s` is NULL when it did not match. */
static bool match_special(struct matcher *m, const char **s, const char **p)
{
    char kind = (*p)[1];

    if (*p + 1 >= m->pattern_end)
        return false;
    if (kind == 'b') {
        *s = match_balance(m, *s, *p + 2);
        *p += 4;
        return true;
    }
    if (kind == 'f') {
        *s = match_frontier(m, *s, *p + 2, p);
        return true;
    }
    if (is_digit((unsigned char)kind)) {
        *s = match_again(m, *s, (unsigned char)kind);
        *p += 2;
        return true;
    }
    return false;
}

/* As far as the pattern goes without a choice; then the choice decides. */
static const char *match_here(struct matcher *m, const char *s, const char *p)
{
    while (s != NULL && p != m->pattern_end) {
        const char *end;
        char suffix;

        step(m);
        if (*p == '(') {
            if (p + 1 < m->pattern_end && p[1] == ')')
                return open_capture(m, s, p + 2, POSITION);
            return open_capture(m, s, p + 1, OPEN);
        }
        if (*p == ')')
            return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end)
            return s == m->subject_end ? s : NULL;
        if (*p == '%' && match_special(m, &s, &p))
            continue;
        end = item_end(m, p);
        suffix = end < m->pattern_end ? *end : '\0';
        if (suffix == '*')
            return match_most(m, s, p, end);
        if (suffix == '-')
            return match_least(m, s, p, end);
        if (suffix == '+')
            return matches_one(m, s, p, end) ? match_most(m, s + 1, p, end) : NULL;
        if (suffix == '?') {
            if (matches_one(m, s, p, end)) {
                const char *after = match(m, s + 1, end + 1);

                if (after != NULL)
                    return after;
            }
            p = end + 1;
            continue;
        }
        s = matches_one(m, s, p, end) ? s + 1 : NULL;
        p = end;
    }
    return s;
}

static const char *match(struct matcher *m, const char *s, const char *p)
{
    const char *after;

    if (++m->depth > DEPTH_MAX)
        luaL_error(m->L, "pattern too complex");
    after = match_here(m, s, p);
    m->depth--;
    return after;
}

static void prepare(struct matcher *m, lua_State *L, struct pl_bytes subject, struct pl_bytes pattern)
{
    m->L = L;
    m->subject = subject.data;
    m->subject_end = subject.data + subject.len;
    m->pattern_end = pattern.data + pattern.len;
    m->steps = 0;
    m->depth = 0;
}

static const char *match_at(struct matcher *m, const char *s, const char *p)
{
    m->capture_count = 0;
    m->depth = 0;
    return match(m, s, p);
}

/* Capture `i`, or the whole match when the pattern has no captures. */
static void push_capture(struct matcher *m, int i, const char *s, const char *e)
{
    if (i >= m->capture_count) {
        if (i != 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        pl_sandbox_charge(m->L, (size_t)(e - s));
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    if (m->captures[i].len == OPEN)
        luaL_error(m->L, "unfinished capture");
    if (m->captures[i].len == POSITION) {
        lua_pushinteger(m->L, m->captures[i].start - m->subject + 1);
        return;
    }
    pl_sandbox_charge(m->L, (size_t)m->captures[i].len);
    lua_pushlstring(m->L, m->captures[i].start, (size_t)m->captures[i].len);
}

/* All captures; with `s` also the whole match when there are none. */
static int push_captures(struct matcher *m, const char *s, const char *e)
{
    int count = m->capture_count == 0 && s != NULL ? 1 : m->capture_count;

    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(m, i, s, e);
    return count;
}

static struct pl_bytes check_bytes(lua_State *L, int arg)
{
    struct pl_bytes bytes;

    bytes.data = luaL_checklstring(L, arg, &bytes.len);
    return bytes;
}

/* Where to begin, from 0; more than `len` when that is past the end. */
static size_t check_start(lua_State *L, int arg, size_t len)
{
    lua_Integer at = luaL_optinteger(L, arg, 1);

    if (at > 0)
        return (size_t)at - 1;
    if (at == 0 || at < -(lua_Integer)len)
        return 0;
    return len + (size_t)at;
}

static bool is_plain(struct pl_bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] == '\0' || strchr("^$*+?.([%-", pattern.data[i]) == NULL)
            continue;
        else
            return false;
    return true;
}

static int find_plain(lua_State *L, struct pl_bytes subject, struct pl_bytes text, size_t start)
{
    const char *at;

    pl_sandbox_charge(L, subject.len - start + text.len);
    at = text.len == 0 ? subject.data + start
                       : memmem(subject.data + start, subject.len - start, text.data, text.len);
    if (at == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - subject.data + 1);
    lua_pushinteger(L, at - subject.data + (lua_Integer)text.len);
    return 2;
}

static int find_or_match(lua_State *L, bool find)
{
    struct pl_bytes subject = check_bytes(L, 1), pattern = check_bytes(L, 2);
    size_t start = check_start(L, 3, subject.len);
    const char *p = pattern.data;
    bool anchored = pattern.len > 0 && *p == '^';
    struct matcher m;

    if (start > subject.len) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || is_plain(pattern)))
        return find_plain(L, subject, pattern, start);
    prepare(&m, L, subject, pattern);
    p += anchored;
    for (const char *s = subject.data + start; s <= m.subject_end; s++) {
        const char *e = match_at(&m, s, p);

        if (e != NULL) {
            if (!find)
                return push_captures(&m, s, e);
            lua_pushinteger(L, s - subject.data + 1);
            lua_pushinteger(L, e - subject.data);
            return push_captures(&m, NULL, NULL) + 2;
        }
        if (anchored)
            break;
    }
    lua_pushnil(L);
    return 1;
}

int pl_pattern_find(lua_State *L)
{
    return find_or_match(L, true);
}

int pl_pattern_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* Upvalues: subject, pattern, where to go on, where the last match ended (-1: none yet). */
static int next_match(lua_State *L)
{
    struct pl_bytes subject = check_bytes(L, lua_upvalueindex(1)),
                    pattern = check_bytes(L, lua_upvalueindex(2));
    lua_Integer start = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    struct matcher m;

    prepare(&m, L, subject, pattern);
    for (const char *s = subject.data + start; s <= m.subject_end; s++) {
        const char *e = match_at(&m, s, pattern.data);

        if (e == NULL || e - subject.data == last)
            continue;
        lua_pushinteger(L, e - subject.data);
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return push_captures(&m, s, e);
    }
    return 0;
}

int pl_pattern_gmatch(lua_State *L)
{
    struct pl_bytes subject = check_bytes(L, 1);
    size_t start;

    check_bytes(L, 2);
    start = check_start(L, 3, subject.len);
    if (start > subject.len)
        start = subject.len + 1;
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)start);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

/* The replacement text, with %0 to %9 and %% in it. */
static void add_text(struct matcher *m, luaL_Buffer *out, const char *s, const char *e)
{
    lua_State *L = m->L;
    size_t len;
    const char *text = lua_tolstring(L, 3, &len);

    pl_sandbox_charge(L, len);
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            luaL_addchar(out, text[i]);
            continue;
        }
        i++;
        if (i < len && text[i] == '%') {
            luaL_addchar(out, '%');
        } else if (i < len && text[i] == '0') {
            pl_sandbox_charge(L, (size_t)(e - s));
            luaL_addlstring(out, s, (size_t)(e - s));
        } else if (i < len && is_digit((unsigned char)text[i])) {
            push_capture(m, text[i] - '1', s, e);
            luaL_tolstring(L, -1, NULL); /* a position is a number */
            lua_remove(L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* What stands for one match. True when it differs from leaving the match alone. */
static bool add_value(struct matcher *m, luaL_Buffer *out, const char *s, const char *e, int type)
{
    lua_State *L = m->L;

    switch (type) {
    case LUA_TFUNCTION: {
        int count;

        lua_pushvalue(L, 3);
        count = push_captures(m, s, e);
        lua_call(L, count, 1);
        break;
    }
    case LUA_TTABLE:
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
        break;
    default:
        add_text(m, out, s, e);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, s, (size_t)(e - s));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(out);
    return true;
}

int pl_pattern_gsub(lua_State *L)
{
    struct pl_bytes subject = check_bytes(L, 1), pattern = check_bytes(L, 2);
    int type = lua_type(L, 3);
    lua_Integer count_max = luaL_optinteger(L, 4, (lua_Integer)subject.len + 1), count = 0;
    bool anchored = pattern.len > 0 && *pattern.data == '^', changed = false;
    const char *s = subject.data, *p = pattern.data + anchored, *last = NULL;
    struct matcher m;
    luaL_Buffer out;

    luaL_argexpected(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
        "string/function/table");
    prepare(&m, L, subject, pattern);
    luaL_buffinit(L, &out);
    while (count < count_max) {
        const char *e = match_at(&m, s, p);

        if (e != NULL && e != last) {
            count++;
            changed |= add_value(&m, &out, s, e, type);
            s = last = e;
        } else if (s < m.subject_end) {
            luaL_addchar(&out, *s);
            s++;
        } else {
            break;
        }
        if (anchored)
            break;
    }
    if (changed) {
        luaL_addlstring(&out, s, (size_t)(m.subject_end - s));
        luaL_pushresult(&out);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, count);
    return 2;
}
