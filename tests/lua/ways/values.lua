--- Random values, items and keys, in the neutral form of ways.normal.
local chance = require "ways.chance"

local one_of, percent = chance.one_of, chance.percent

local values = {}

values.STRINGS = { "a", "ab", "abc", "b", "b\0", "b\0\1", "\u{e9}", "\u{1F600}", "zz", "a\"b\\\n\t", "$set", "%" }
values.BYTES = { "\0", "\0\255", "a", "ab", "\255", "\1\2\3" }
values.NUMBERS = {
  "0", "-0", "1", "1.0", "1e2", "100", "2", "3", "-1", "0.1", "-1.5", "0.25", "1e-5", "00", "+5",
  "9007199254740993", "12345678901234567890123456789012345678", "-0.12345678901234567890123456789012345678",
  "9.9999999999999999999999999999999999999E+125", "-9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130",
}
values.SMALL = { "-2", "-1.5", "-1", "0", "0.25", "1", "2", "3", "5", "10" }
--- What no number is.
values.WRONG_NUMBERS = {
  "1E126", "-1E126", "1E-131", "123456789012345678901234567890123456789", "abc", "", "1e", "1.2.3", "--1", "0x10", " 1",
  "NaN", "Infinity",
}

local function some(list)
  local chosen, seen = {}, {}
  for _ = 1, math.random(3) do
    local element = one_of(list)
    if not seen[element] then
      seen[element] = true
      chosen[#chosen + 1] = element
    end
  end
  return chosen
end

local SCALARS = {
  function() return { S = one_of(values.STRINGS) } end,
  function() return { S = "" } end,
  function() return { N = one_of(values.NUMBERS) } end,
  function() return { N = one_of(values.SMALL) } end,
  function() return { N = one_of(values.SMALL) } end,
  function() return { B = one_of(values.BYTES) } end,
  function() return { BOOL = percent(50) } end,
  function() return { NULL = true } end,
}

function values.set()
  local kind = one_of { "SS", "SS", "NS", "BS" }
  local from = kind == "SS" and values.STRINGS or kind == "BS" and values.BYTES or values.SMALL
  return { [kind] = some(from) }
end

function values.list(depth)
  local list = {}
  for i = 1, math.random(0, 3) do list[i] = values.any(depth) end
  return { L = list }
end

function values.map(depth)
  local map = {}
  for _ = 1, math.random(0, 3) do map[one_of { "x", "y", "z", "$set", "a b", "" }] = values.any(depth) end
  map[""] = nil
  return { M = map }
end

--- Any value, at most `depth` lists and maps deep.
function values.any(depth)
  local pick = math.random(10)
  if pick <= 7 or depth == 0 and pick > 8 then
    return one_of(SCALARS)()
  elseif pick == 8 then
    return values.set()
  end
  return pick == 9 and values.list(depth - 1) or values.map(depth - 1)
end

-- ---- tables ---------------------------------------------------------------------------------------------

local PAIRS_KEYS = { "p1", "p2", "p3\0", "p4" }

--- The tables of every way, in the form of CREATE. Local and global indexes, keys of every type.
values.DEFINITIONS = {
  {
    table = "Pairs", partition_key = "P:S", sort_key = "K:N", stream = "new_and_old_images",
    indexes = {
      ByG = { partition_key = "G:S", sort_key = "A:N", project = "all" },
      ByT = { sort_key = "T:S", project = "keys_only" },
      ByA = { sort_key = "A:N", project = { "Tags", "M" } },
      ByTG = { partition_key = { "T:S", "G:S" }, sort_key = "A:N", project = { "Tags" } },
    },
  },
  {
    table = "Singles", partition_key = "P:B",
    indexes = { ByA = { partition_key = "A:N", project = "keys_only" } },
  },
  {
    table = "Words", partition_key = "P:N", sort_key = "K:S",
    indexes = { ByBin = { partition_key = "G:S", sort_key = "Bin:B", project = "all" } },
  },
}

values.TABLES = { "Pairs", "Pairs", "Pairs", "Singles", "Words" }

--- Key attributes of a table, or of one of its indexes: partition, sort; and their types.
values.KEYS = {
  Pairs = { "P", "K" }, Singles = { "P" }, Words = { "P", "K" },
  ["Pairs/ByG"] = { "G", "A" }, ["Pairs/ByT"] = { "P", "T" }, ["Pairs/ByA"] = { "P", "A" },
  ["Singles/ByA"] = { "A" }, ["Words/ByBin"] = { "G", "Bin" },
}

values.INDEXES = { Pairs = { "ByG", "ByT", "ByA", "ByTG" }, Singles = { "ByA" }, Words = { "ByBin" } }

local OF_KEY = {
  Pairs = {
    P = function() return { S = one_of(PAIRS_KEYS) } end,
    K = function() return { N = one_of(values.SMALL) } end,
  },
  Singles = { P = function() return { B = string.char(math.random(0, 20)) } end },
  Words = {
    P = function() return { N = one_of { "1", "2", "1E-130", "1e1" } } end,
    K = function() return { S = one_of(values.STRINGS) } end,
  },
}

local ATTRIBUTES = {
  G = function() return { S = one_of { "g1", "g2", "g" } } end,
  A = function() return { N = one_of(values.SMALL) } end,
  T = function() return { S = one_of(values.STRINGS) } end,
  Bin = function() return { B = one_of(values.BYTES) } end,
}

--- A value as attribute `name` of a table's items usually has.
function values.like(table_name, name)
  local make = OF_KEY[table_name] and OF_KEY[table_name][name] or ATTRIBUTES[name]
  return make and make() or values.any(1)
end

function values.key(table_name)
  local key = {}
  for _, name in ipairs(values.KEYS[table_name] or { "P" }) do key[name] = values.like(table_name, name) end
  return key
end

local ORDER = { "G", "A", "T", "Bin" }

function values.item(table_name)
  local item = values.key(table_name)
  for _, name in ipairs(ORDER) do
    if percent(60) then item[name] = item[name] or ATTRIBUTES[name]() end
  end
  if percent(50) then item.Tags = values.set() end
  if percent(50) then item.L = values.list(2) end
  if percent(50) then item.M = values.map(2) end
  if percent(30) then item.Name = values.any(1) end -- a reserved word
  if percent(30) then item["a-b.c"] = values.any(0) end
  if percent(20) then item.V = values.any(3) end
  if math.random(400) == 1 then -- so that pages end at a megabyte
    item.Filler = { S = ("y"):rep(math.random(200000, 390000)) }
  elseif percent(8) then
    item.Filler = { S = ("x"):rep(math.random(1, 12000)) }
  end
  return item
end

-- ---- mistakes -------------------------------------------------------------------------------------------

local function other_type(value)
  return value.S and { N = "1" } or { S = "s" }
end

local KEY_MISTAKES = {
  function(key, names) key[names[1]] = nil end,
  function(key, names) key[names[#names]] = nil end,
  function(key, names) key[names[#names]] = other_type(key[names[#names]]) end,
  function(key, names) key[names[1]] = other_type(key[names[1]]) end,
  function(key, names) key[names[1]] = { NULL = true } end,
  function(key) key.Other = { S = "x" } end,
  function(key, names) key[names[1]] = key[names[1]].B and { B = "" } or { S = "" } end,
  function(key, names) key[names[#names]] = key[names[#names]].S and { S = ("k"):rep(2049) } or { L = {} } end,
}

function values.wrong_key(table_name)
  local key = values.key(table_name)
  one_of(KEY_MISTAKES)(key, values.KEYS[table_name] or { "P" })
  return key
end

local ITEM_MISTAKES = {
  function(item) item.G = { N = "1" } end,
  function(item) item.A = { S = "not a number" } end,
  function(item) item.T = { S = "" } end,
  function(item) item.Bin = { B = "" } end,
  function(item) item.A = { NULL = true } end,
  function(item) item.T = { S = ("t"):rep(1025) } end,
  function(item) item.G = { S = ("g"):rep(2049) } end,
  function(item) item.Filler = { S = ("x"):rep(409600) } end,
  function(item) item.Deep = { S = "x" } for _ = 1, 33 do item.Deep = { L = { item.Deep } } end end,
}

function values.wrong_item(table_name)
  local item = values.item(table_name)
  if percent(40) then
    for name in pairs(values.key(table_name)) do item[name] = nil end
    for name, value in pairs(values.wrong_key(table_name)) do item[name] = value end
  else
    one_of(ITEM_MISTAKES)(item)
  end
  return item
end

--- A value that cannot be: an empty or repeating set, a number with too many digits.
function values.impossible()
  return one_of {
    { N = one_of(values.WRONG_NUMBERS) },
    { NS = { "1", one_of(values.WRONG_NUMBERS) } },
    { SS = { "a", "a" } },
    { NS = { "1", "1.0" } },
    { BS = { "a", "b", "a" } },
    { SS = {} },
  }
end

return values
