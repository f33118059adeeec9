/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SANDBOX_ATTACKS_H
#define PL_TESTS_UNIT_SANDBOX_ATTACKS_H

#include <stddef.h>

/**
 * What somebody might write in a module to take the server down, to stay in it for
 * ever, or to get out (among them what Redis learned the hard way). Each ends
 * with a sentence that holds `sentence`; NULL: it must end well, having achieved nothing,
 * which it checks by itself.
 */
struct attack {
    const char *name;
    const char *text;
    const char *sentence;
};

#define TIME   "the function ran longer than"
#define MEMORY "the function used more than"

static const struct attack attacks[] = {
    /* running for ever */
    { "empty loop", "while true do end", TIME },
    { "repeat loop", "repeat until false", TIME },
    { "goto loop", "::top:: goto top", TIME },
    { "long for", "for i = 1, math.maxinteger do end", TIME },
    { "float for", "for i = 1.0, math.huge do end", TIME },
    { "pcall in a loop", "while true do pcall(function() while true do end end) end", TIME },
    { "pcall of pcall", "local function f() while true do pcall(pcall, f) end end f()", TIME },
    { "recursive pcall", "local function f() pcall(f) pcall(f) end while true do pcall(f) end", TIME },
    { "xpcall whose handler loops", "while true do xpcall(error, function() while true do end end) end",
      TIME },
    { "xpcall whose handler fails",
      "local function h() error('again') end while true do xpcall(error, h) end", TIME },
    { "metamethod that loops",
      "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })"
      " while true do pcall(function() return t[1] end) end",
      TIME },
    { "__lt that loops",
      "local m = { __lt = function() while true do end end }"
      " return setmetatable({}, m) < setmetatable({}, m)",
      TIME },
    { "__eq that loops",
      "local m = { __eq = function() while true do end end }"
      " return setmetatable({}, m) == setmetatable({}, m)",
      TIME },
    { "__tostring that loops",
      "tostring(setmetatable({}, { __tostring = function() while true do end end }))", TIME },
    { "__tostring inside format",
      "string.format('%s', setmetatable({}, { __tostring = function() while true do end end }))", TIME },
    { "__concat that loops",
      "return setmetatable({}, { __concat = function() while true do end end }) .. 'x'", TIME },
    { "__len that lies",
      "return table.concat(setmetatable({}, { __len = function() return math.maxinteger end,"
      " __index = function() return '' end }))",
      TIME },
    { "concat over a C function",
      "return table.concat(setmetatable({}, { __index = type }), '', 1, math.maxinteger)", "" },
    { "concat over nothing", "table.concat({}, 'x', 1, math.maxinteger)", "invalid value" },
    { "concat of empty strings",
      "local t = setmetatable({}, { __index = string.lower and function() return '' end })"
      " table.concat(t, '', 1, math.maxinteger)",
      TIME },
    { "insert far down",
      "local t = setmetatable({}, { __len = function() return math.maxinteger - 1 end })"
      " table.insert(t, 1, 'x')",
      TIME },
    { "remove from far up",
      "local t = setmetatable({}, { __len = function() return math.maxinteger end })"
      " table.remove(t, 1)",
      TIME },
    { "move very much", "table.move({}, 1, math.maxinteger - 1, 2)", TIME },
    { "move onto itself",
      "local t = setmetatable({}, { __newindex = function() end })"
      " table.move(t, 1, 1 << 60, 3)",
      TIME },
    { "sort with a liar",
      "local t = {} for i = 1, 10000 do t[i] = i end"
      " while true do pcall(table.sort, t, function() return true end) end",
      TIME },
    { "sort in C only",
      "local t = {} for i = 1, 50000 do t[i] = i * 7919 % 50021 end"
      " while true do table.sort(t) table.sort(t, function(a, b) return b < a end) end",
      TIME },
    { "sort a false length",
      "table.sort(setmetatable({}, { __len = function() return 1 << 30 end,"
      " __index = function() return 1 end, __newindex = function() end }))",
      TIME },
    { "next over emptied slots",
      "local t = {} for i = 1, 100000 do t[i] = i end for i = 1, 100000 do t[i] = nil end"
      " while true do next(t) end",
      TIME },
    { "rep of nothing", "for i = 1, math.huge do (''):rep(math.maxinteger, '') end", TIME },
    { "reverse in a loop", "local s = ('x'):rep(3000000) while true do s:reverse() end", TIME },
    { "upper in a loop", "local s = ('x'):rep(3000000) while true do s:upper() end", TIME },
    { "compare long strings",
      "local a, b = ('x'):rep(3000000) .. 'a', ('x'):rep(3000000) .. 'b'"
      " while true do local c = a < b end",
      TIME },
    { "equal long strings",
      "local a, b = ('x'):rep(3000000) .. 'a', ('x'):rep(3000000) .. 'a'"
      " while true do local c = a == b end",
      TIME },
    { "long strings as keys",
      "local a, b, t = ('x'):rep(3000000) .. 'a', ('x'):rep(3000000) .. 'a', {} t[a] = 1"
      " while true do local c = t[b] end",
      TIME },
    { "tonumber of long strings", "local s = ('1'):rep(3000000) while true do tonumber(s) end", TIME },
    { "tonumber in base 36", "local s = ('z'):rep(3000000) while true do tonumber(s, 36) end", TIME },
    { "format in a loop", "while true do ('%99.99f'):rep(99):format(table.unpack({}, 1, 99)) end",
      "bad argument" },
    { "format of huge floats",
      "local t = {} for i = 1, 100 do t[i] = 1.7e308 end"
      " while true do (('%.99f'):rep(100)):format(table.unpack(t)) end",
      TIME },
    { "format of too many values",
      "local t = {} for i = 1, 5000 do t[i] = 1 end"
      " (('%d'):rep(5000)):format(table.unpack(t))",
      "at most 100 values" },
    { "dates without end", "while true do os.date(('%c'):rep(100)) end", TIME },
    { "a date that is too long", "os.date(('%c'):rep(100000))", "format is too long" },
    { "utf8.len in a loop", "local s = ('\xc3\xa9'):rep(1000000) while true do utf8.len(s) end", TIME },
    { "utf8.codepoint of everything", "local s = ('x'):rep(3000000) utf8.codepoint(s, 1, -1)",
      "slice too long" },
    { "decimals in a loop",
      "local d = perilune.decimal('1.0000000000000000000000000000000000001')"
      " while true do pcall(function() return d * d end) local e = d // 3 end",
      TIME },
    { "a set searched for ever",
      "local t = {} for i = 1, 20000 do t[i] = i end t = perilune.set(t)"
      " while true do t:has(0) end",
      TIME },

    /* patterns: exponential and quadratic */
    { "exponential match", "(('a'):rep(40)):match(('a?'):rep(40) .. ('a'):rep(40) .. 'b')", TIME },
    { "quadratic find", "(('a'):rep(300000)):find('.-b')", TIME },
    { "quadratic gsub", "(('a'):rep(300000)):gsub('a*b', '')", TIME },
    { "cubic match", "(('a'):rep(5000)):match('.-.-.-b')", TIME },
    { "stars", "(('a'):rep(2000)):match('a*a*a*a*a*a*b')", TIME },
    { "balance", "(('('):rep(100000)):gsub('%b()', '')", TIME },
    { "gmatch that never matches", "for _ in (('a'):rep(300000)):gmatch('.-b') do end", TIME },
    { "back references", "(('a'):rep(20000)):match('(.-)(.-)%1%2b')", TIME },
    { "deep pattern", "(('a'):rep(1000)):match(('(a'):rep(300))", "too many captures" },
    { "deep choices", "(('a'):rep(1000)):match(('a?'):rep(1000) .. 'b')", "too complex" },
    { "pattern inside pcall", "while true do pcall(string.match, ('a'):rep(300000), '.-b') end", TIME },
    { "plain find of much", "local s = ('a'):rep(3000000) while true do s:find('b', 1, true) end", TIME },
    { "a pattern that is cut off", "('x'):match('%')", "malformed pattern" },
    { "a set that is cut off", "('x'):match('[a')", "malformed pattern" },
    { "a balance that is cut off", "('x'):match('%bx')", "malformed pattern" },

    /* eating memory */
    { "rep of gigabytes", "return ('x'):rep(1 << 40)", "resulting string too large" },
    { "rep that overflows", "return ('xy'):rep(math.maxinteger)", "resulting string too large" },
    { "rep whose separator overflows", "return ('x'):rep(1 << 33, ('y'):rep(1000))",
      "resulting string too large" },
    { "doubling", "local s = 'x' while true do s = s .. s end", MEMORY },
    { "doubling inside pcall", "local s = 'x' while true do pcall(function() s = s .. s end) end", MEMORY },
    { "table without end", "local t = {} for i = 1, math.huge do t[i] = i end", MEMORY },
    { "tables in tables", "local t = {} while true do t = { t } end", MEMORY },
    { "closures", "local f = print while true do local g = f f = function() return g end end", MEMORY },
    { "strings kept", "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", MEMORY },
    { "strings kept inside pcall",
      "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(100000) .. #t end) end", MEMORY },
    { "concat of much",
      "local t = {} for i = 1, 200 do t[i] = ('x'):rep(100000) end"
      " return table.concat(t):upper()",
      MEMORY },
    { "gsub that grows", "local s = ('x'):rep(100) while true do s = s:gsub('x', 'xxxx') end", MEMORY },
    { "globals kept", "while true do _G[#_G + 1] = {} end", MEMORY },
    { "recursion", "local function f() return 1 + f() end f()", "" },
    { "recursion inside pcall", "local function f() return 1 + f() end while true do pcall(f) end", "" },
    { "recursion through tostring",
      "local t = setmetatable({}, {}) local m = { __tostring = function(t) return tostring(t) end }"
      " return tostring(setmetatable({}, m))",
      "C stack overflow" },
    { "recursion through gsub", "local function f(s) return s:gsub('.', f) end return f('x')",
      "C stack overflow" },
    { "recursion through sort", "local function f() table.sort({ 1, 2, 3 }, f) end f()", "C stack overflow" },
    { "recursion through __index",
      "local t = {} for i = 1, 3000 do t = setmetatable({}, { __index = t }) end return t.x",
      "'__index' chain" },
    { "unpack of everything", "return table.unpack({}, 1, 1 << 40)", "too many results" },
    { "unpack that overflows", "return table.unpack({}, math.mininteger, math.maxinteger)",
      "too many results" },
    { "select from very much", "return select(-1, table.unpack({}, 1, 7999)), table.unpack({}, 1, 1e7)",
      "too many results" },
    { "string.byte of everything", "return (('x'):rep(3000000)):byte(1, -1)", "string slice too long" },

    /* getting out */
    { "load", "load('x = 1')", "nil value (global 'load')" },
    { "loadstring", "loadstring('x = 1')", "nil value" },
    { "dofile", "dofile('/etc/passwd')", "nil value" },
    { "loadfile", "loadfile('/etc/passwd')", "nil value" },
    { "require", "require('os')", "nil value" },
    { "package", "return package.loadlib", "nil value" },
    { "io", "return io.open('/etc/passwd')", "nil value" },
    { "debug", "return debug.getregistry()", "nil value" },
    { "os.execute", "os.execute('true')", "nil value (field 'execute')" },
    { "os.getenv", "os.getenv('HOME')", "nil value (field 'getenv')" },
    { "os.exit", "os.exit(1)", "nil value (field 'exit')" },
    { "os.setlocale", "os.setlocale('tr_TR')", "nil value (field 'setlocale')" },
    { "collectgarbage", "collectgarbage('step', 1)", "nil value" },
    { "coroutine", "return coroutine.close", "nil value" },
    { "string.dump", "string.dump(function() end)", "nil value (field 'dump')" },
    { "string.pack", "string.pack('i17', 1)", "nil value (field 'pack')" },
    { "string.packsize", "string.packsize('!16')", "nil value (field 'packsize')" },
    { "__gc", "setmetatable({}, { __gc = function() end })", "'__gc' is not allowed" },
    { "__mode", "setmetatable({}, { __mode = 'k' })", "'__mode' is not allowed" },
    { "__close", "setmetatable({}, { __close = function() end })", "'__close' is not allowed" },
    { "__mode later",
      "local m = {} local t = setmetatable({}, m) m.__mode = 'k'"
      " t[{}] = 1 for i = 1, 30000 do local x = { i } end assert(next(t) ~= nil)",
      NULL },
    { "__close later",
      "local m = {} local t = setmetatable({}, m) m.__close = error"
      " do local f = function() local x <close> = t end f() end",
      "non-closable" },
    { "__gc through getmetatable",
      "local t = setmetatable({}, {}) getmetatable(t).__gc = error t = nil"
      " for i = 1, 30000 do local x = { i } end",
      NULL },
    { "string metatable", "getmetatable('').__index = {}", "attempt to index a boolean value" },
    { "string metatable by setmetatable", "setmetatable('', {})", "table expected" },
    { "library by assignment", "string.rep = nil", "a library cannot be changed" },
    { "library by rawset", "rawset(string, 'rep', error)", "a library cannot be changed" },
    { "library by table.insert", "table.insert(table, 1, 2)", "a library cannot be changed" },
    { "library by setmetatable", "setmetatable(math, {})", "cannot change a protected metatable" },
    { "library by getmetatable",
      "assert(getmetatable(math) == false) assert(getmetatable(perilune.null) == nil)", NULL },
    { "perilune by assignment", "perilune.null = 1", "a library cannot be changed" },
    { "metatable of a binary", "assert(getmetatable(perilune.binary('x')) == false)", NULL },
    { "metatable of a decimal", "assert(getmetatable(perilune.decimal('1')) == false)", NULL },
    { "metatable of a set", "setmetatable(perilune.set { 1 }, {})", "cannot change a protected metatable" },
    { "addresses by tostring",
      "assert(not tostring({}):find('0x') and not tostring(print or type):find('0x'))", NULL },
    { "addresses by format", "assert(not ('%s%s'):format({}, type):find('0x')); ('%p'):format({})", "'%p'" },
    { "addresses by format, disguised", "('%-20p'):format({})", "'%p'" },
    { "random for everybody", "math.randomseed(1)", "nil value (field 'randomseed')" },
    { "another kind of self", "string.rep({}, 3)", "bad argument" },
    { "methods on the wrong userdata",
      "local d, b = perilune.decimal('1'), perilune.binary('x') return d.tonumber(b)", "bad argument" },
    { "an error that is a table", "error({ code = 7 })", "raised an error that is a table" },
    { "an error without a value", "error()", "raised an error that is a nil" },
    { "an error whose text loops",
      "error(setmetatable({}, { __tostring = function() while true do end end }))",
      "raised an error that is a table" },
    { "an error with line breaks", "error('OK\\nOK {}\\n', 0)", "OK OK {} " },
    { "an error of no text", "error('\\xff\\xfe', 0)", "??" },
};

#endif
