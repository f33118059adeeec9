/* SPDX-License-Identifier: MIT */
#include "script/bind_number.h"

#include "script/decimal.h"

#include <lauxlib.h>
#include <string.h>

#define DECIMAL_TYPE "perilune.decimal"

/* Lua aligns userdata to 8 bytes and a pl_number wants 16, so numbers are copied in and out. */
static void push_decimal(lua_State *L, const struct pl_number *number)
{
    memcpy(lua_newuserdatauv(L, sizeof *number, 0), number, sizeof *number);
    luaL_setmetatable(L, DECIMAL_TYPE);
}

static bool test_decimal(lua_State *L, int index, struct pl_number *out)
{
    const void *box = luaL_testudata(L, index, DECIMAL_TYPE);

    if (box == NULL)
        return false;
    memcpy(out, box, sizeof *out);
    return true;
}

void pl_number_push(lua_State *L, const struct pl_number *number)
{
    int64_t integer;
    double real;
    bool exact;

    if (pl_number_to_int64(number, &integer)) {
        lua_pushinteger(L, integer);
        return;
    }
    real = pl_number_to_double(number, &exact);
    if (exact)
        lua_pushnumber(L, real);
    else
        push_decimal(L, number);
}

bool pl_number_is(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TNUMBER || luaL_testudata(L, index, DECIMAL_TYPE) != NULL;
}

int pl_number_read(lua_State *L, int index, struct pl_number *out, struct pl_reason *why)
{
    double real;

    if (test_decimal(L, index, out))
        return 0;
    if (lua_isinteger(L, index)) {
        pl_number_from_int64(lua_tointeger(L, index), out);
        return 0;
    }
    real = lua_tonumber(L, index);
    if (real != real)
        return pl_reason_set(why, PL_EINVALID, "NaN is not a number that can be stored");
    if (real - real != 0)
        return pl_reason_set(why, PL_EINVALID, "an infinite number cannot be stored");
    return pl_number_from_double(real, out, why);
}

static void check_number(lua_State *L, int arg, struct pl_number *out)
{
    struct pl_reason why = { 0 };

    if (!pl_number_is(L, arg))
        luaL_typeerror(L, arg, "number");
    if (pl_number_read(L, arg, out, &why) != 0)
        luaL_argerror(L, arg, lua_pushstring(L, why.text));
}

static int number_decimal(lua_State *L)
{
    struct pl_reason why = { 0 };
    struct pl_number number;
    struct pl_bytes text;

    if (lua_type(L, 1) == LUA_TSTRING) {
        text.data = lua_tolstring(L, 1, &text.len);
        if (pl_number_parse(text, &number, &why) != 0)
            return luaL_argerror(L, 1, lua_pushstring(L, why.text));
    } else {
        check_number(L, 1, &number);
    }
    push_decimal(L, &number);
    return 1;
}

/* Every operation has one shape: two operands of any kind, a decimal, or why not. */
typedef int (*operation_fn)(const struct pl_number *a, const struct pl_number *b, struct pl_number *out,
                            struct pl_reason *why);

static int operate(lua_State *L, operation_fn operation)
{
    struct pl_reason why = { 0 };
    struct pl_number a, b, result;

    check_number(L, 1, &a);
    check_number(L, 2, &b);
    if (operation(&a, &b, &result, &why) != 0)
        return luaL_error(L, "%s", why.text);
    push_decimal(L, &result);
    return 1;
}

static int decimal_add(lua_State *L)
{
    return operate(L, pl_number_add);
}

static int decimal_sub(lua_State *L)
{
    return operate(L, pl_number_subtract);
}

static int decimal_mul(lua_State *L)
{
    return operate(L, pl_decimal_multiply);
}

static int decimal_div(lua_State *L)
{
    return operate(L, pl_decimal_divide);
}

static int decimal_idiv(lua_State *L)
{
    return operate(L, pl_decimal_floor_divide);
}

static int decimal_mod(lua_State *L)
{
    return operate(L, pl_decimal_modulo);
}

static int decimal_unm(lua_State *L)
{
    struct pl_number number;

    check_number(L, 1, &number);
    number.negative = !number.negative && number.coefficient != 0;
    push_decimal(L, &number);
    return 1;
}

/* Infinities have no place in a pl_number but one in the order; NaN has none, and is less than nothing. */
static bool compare(lua_State *L, int *order)
{
    struct pl_number a, b;

    for (int i = 1; i <= 2; i++) {
        double real = lua_type(L, i) == LUA_TNUMBER ? lua_tonumber(L, i) : 0;

        if (real != real)
            return false;
        if (real - real != 0) {
            *order = (real > 0) == (i == 1) ? 1 : -1;
            return true;
        }
    }
    check_number(L, 1, &a);
    check_number(L, 2, &b);
    *order = pl_number_compare(&a, &b);
    return true;
}

static int decimal_lt(lua_State *L)
{
    int order = 0;

    lua_pushboolean(L, compare(L, &order) && order < 0);
    return 1;
}

static int decimal_le(lua_State *L)
{
    int order = 0;

    lua_pushboolean(L, compare(L, &order) && order <= 0);
    return 1;
}

/* Lua asks this only of two userdata; another kind equals no decimal. */
static int decimal_eq(lua_State *L)
{
    struct pl_number a, b;

    lua_pushboolean(L, test_decimal(L, 1, &a) && test_decimal(L, 2, &b) && pl_number_compare(&a, &b) == 0);
    return 1;
}

static int decimal_tostring(lua_State *L)
{
    char text[PL_NUMBER_TEXT_MAX];
    struct pl_number number;

    check_number(L, 1, &number);
    lua_pushlstring(L, text, pl_number_format(&number, text));
    return 1;
}

static int decimal_tonumber(lua_State *L)
{
    struct pl_number number;

    check_number(L, 1, &number);
    pl_number_push(L, &number);
    if (lua_isuserdata(L, -1))
        lua_pushnil(L);
    return 1;
}

static int decimal_concat(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        struct pl_number number;
        char text[PL_NUMBER_TEXT_MAX];

        if (test_decimal(L, i, &number)) {
            lua_pushlstring(L, text, pl_number_format(&number, text));
            lua_replace(L, i);
        }
        if (!lua_isstring(L, i))
            return luaL_error(L, "attempt to concatenate a %s value", luaL_typename(L, i));
    }
    lua_settop(L, 2);
    lua_concat(L, 2);
    return 1;
}

static const luaL_Reg metamethods[] = {
    { "__add", decimal_add }, { "__sub", decimal_sub },       { "__mul", decimal_mul },
    { "__div", decimal_div }, { "__idiv", decimal_idiv },     { "__mod", decimal_mod },
    { "__unm", decimal_unm }, { "__lt", decimal_lt },         { "__le", decimal_le },
    { "__eq", decimal_eq },   { "__concat", decimal_concat }, { "__tostring", decimal_tostring },
    { NULL, NULL },
};

static const luaL_Reg methods[] = { { "tonumber", decimal_tonumber }, { NULL, NULL } };

void pl_bind_number_open(lua_State *L)
{
    luaL_newmetatable(L, DECIMAL_TYPE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);

    lua_pushcfunction(L, number_decimal);
    lua_setfield(L, -2, "decimal");
}
