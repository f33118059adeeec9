--- Random operations on the engine and on a model of it in a page of Lua: every answer must agree.
-- PL_SEED repeats a run, PL_MODEL_OPERATIONS makes it longer.
local perilune = require "perilune"
local scratch = require "scratch"

local OPERATIONS = tonumber(os.getenv("PL_MODEL_OPERATIONS")) or 28000
local OPERATIONS_BETWEEN_RESTARTS = 700

local PAIRS = {
  table = "Pairs",
  partition_key = "P:S",
  sort_key = "K:N",
  indexes = {
    ByG = { partition_key = "G:S", sort_key = "A:N", project = "all" },
    ByT = { sort_key = "T:S", project = "keys_only" },
    ByTA = { partition_key = { "T:S", "G:S" }, sort_key = "A:N", project = { "Tags" } },
  },
}
local SINGLES = {
  table = "Singles",
  partition_key = "P:B",
  indexes = { ByA = { partition_key = "A:N", project = "keys_only" } },
}

-- What each index holds: its key attributes, and what it gives of an item.
local INDEXES = {
  Pairs = {
    ByG = { partition = { "G" }, sort = "A" },
    ByT = { partition = { "P" }, sort = "T", holds = { "P", "K", "T" } },
    ByTA = { partition = { "T", "G" }, sort = "A", holds = { "P", "K", "T", "G", "A", "Tags" } },
  },
  Singles = { ByA = { partition = { "A" }, holds = { "P", "A" } } },
}
local KEYS = { Pairs = { "P", "K" }, Singles = { "P" } }

-- ---- chance ---------------------------------------------------------------------------------------------

local function one_of(list)
  return list[math.random(#list)]
end

local function chance(percent)
  return math.random(100) <= percent
end

local STRINGS = { "a", "ab", "abc", "b", "b\0", "b\0\1", "\u{e9}", "\u{1F600}", "zz" }
local NUMBERS = { -98765432109876, -17, -1.5, -1, 0, 0.25, 1, 2, 3, 5, 10, 1e3, 123456789012345 }

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local result, kind = {}, perilune.type(value)
  for k, v in pairs(value) do
    result[k] = copy(v)
  end
  return kind == "L" and perilune.list(result) or kind == "M" and result or perilune.set(result)
end

local function random_set()
  local seen, elements = {}, {}
  for _ = 1, math.random(3) do
    local element = one_of(STRINGS)
    if not seen[element] then
      seen[element] = true
      elements[#elements + 1] = element
    end
  end
  return perilune.set(elements)
end

local function random_list()
  local list = perilune.list {}
  for i = 1, math.random(0, 3) do
    list[i] = chance(50) and one_of(NUMBERS) or one_of(STRINGS)
  end
  return list
end

local function random_key(name)
  if name == "Pairs" then
    return { P = one_of { "p1", "p2", "p3\0", "p4" }, K = one_of(NUMBERS) }
  end
  return { P = perilune.binary(string.char(math.random(0, 24))) }
end

local function random_item(name)
  local item = random_key(name)
  if chance(70) then item.G = one_of { "g1", "g2", "g" } end
  if chance(70) then item.A = one_of(NUMBERS) end
  if chance(60) then item.T = one_of(STRINGS) end
  if chance(40) then item.Tags = random_set() end
  if chance(40) then item.L = random_list() end
  if chance(30) then item.M = chance(30) and {} or { x = one_of(NUMBERS) } end
  if chance(10) then item.Filler = ("x"):rep(math.random(1, 20000)) end
  if chance(20) then item.N = one_of { perilune.null, true, false, perilune.binary "\0\255" } end
  return item
end

-- ---- the model ------------------------------------------------------------------------------------------

local model -- table's name → key's text → item

local function key_text(name, item)
  local parts = {}
  for i, attribute in ipairs(KEYS[name]) do
    parts[i] = scratch.dump(item[attribute])
  end
  return table.concat(parts, "|")
end

local function key_of(name, item)
  local key = {}
  for _, attribute in ipairs(KEYS[name]) do
    key[attribute] = item[attribute]
  end
  return key
end

-- Conditions: how DynamoDB writes them, and what they mean.
local function number(v) return type(v) == "number" end
local function has(set, element)
  for _, e in ipairs(set or {}) do
    if e == element then return true end
  end
  return false
end

local CONDITIONS = {
  { "attribute_exists(P)", function(o) return o.P ~= nil end },
  { "attribute_not_exists(P)", function(o) return o.P == nil end },
  { "A > 1", function(o) return number(o.A) and o.A > 1 end },
  { "A <= -1 OR T = \"b\"", function(o) return number(o.A) and o.A <= -1 or o.T == "b" end },
  { "A <> 5", function(o) return o.A ~= 5 end },
  { "NOT A BETWEEN -1.5 AND 3", function(o) return not (number(o.A) and o.A >= -1.5 and o.A <= 3) end },
  { "A IN (1, 2, 3, 5)", function(o) return o.A == 1 or o.A == 2 or o.A == 3 or o.A == 5 end },
  { "begins_with(T, \"a\")", function(o) return type(o.T) == "string" and o.T:sub(1, 1) == "a" end },
  { "contains(Tags, \"abc\")", function(o) return has(o.Tags, "abc") end },
  { "size(L) >= 2", function(o) return o.L ~= nil and #o.L >= 2 end },
  { "attribute_type(N, \"NULL\") AND attribute_exists(G)", function(o) return o.N == perilune.null and o.G ~= nil end },
  { "M.x = 1", function(o) return o.M ~= nil and o.M.x == 1 end },
  { "L[0] = 2 AND (A > 0 OR NOT attribute_exists(A))",
    function(o) return o.L ~= nil and o.L[1] == 2 and (o.A == nil or o.A > 0) end },
  { "A = L[1]", function(o) return o.A ~= nil and o.L ~= nil and o.L[2] == o.A end },
}

-- Updates: the expression, its values, what it does to the item (nil and a code when it fails), and whether it
-- makes one that is not there.
local UPDATES = {
  function()
    local v = one_of(NUMBERS)
    return "SET A = :v", { v = v }, function(o) o.A = v end, true
  end,
  function()
    return "SET A = if_not_exists(A, :z) + :o", { z = 0, o = 1 }, function(o)
      o.A = (o.A or 0) + 1
    end, true
  end,
  function()
    return "REMOVE G, Tags", nil, function(o) o.G, o.Tags = nil, nil end, false
  end,
  function()
    local g, t = one_of { "g1", "g2" }, one_of(STRINGS)
    return "SET G = :g, T = :t REMOVE Filler", { g = g, t = t }, function(o) o.G, o.T, o.Filler = g, t, nil end, true
  end,
  function()
    return "SET T = G", nil, function(o)
      if o.G == nil then return "ValidationException" end
      o.T = o.G
    end, true
  end,
  function()
    local set = random_set()
    return "ADD Tags :s", { s = set }, function(o)
      local tags = copy(o.Tags or {})
      tags = perilune.set(tags)
      for _, e in ipairs(set) do
        if not has(tags, e) then tags[#tags + 1] = e end
      end
      o.Tags = tags
    end, true
  end,
  function()
    local set = random_set()
    return "DELETE Tags :s", { s = set }, function(o)
      local left = {}
      for _, e in ipairs(o.Tags or {}) do
        if not has(set, e) then left[#left + 1] = e end
      end
      o.Tags = #left > 0 and perilune.set(left) or nil
    end, false
  end,
  function()
    local list = random_list()
    return "SET L = list_append(if_not_exists(L, :e), :l)", { e = perilune.list {}, l = list }, function(o)
      local longer = copy(o.L or perilune.list {})
      for _, e in ipairs(list) do longer[#longer + 1] = e end
      o.L = longer
    end, true
  end,
  function()
    return "REMOVE L[0]", nil, function(o)
      if o.L == nil then return "ValidationException" end
      local shorter = copy(o.L)
      table.remove(shorter, 1)
      o.L = shorter
    end, false
  end,
  function()
    local v = one_of(STRINGS)
    return "SET M.x = :v, L[7] = :v", { v = v }, function(o)
      if o.M == nil or o.L == nil then return "ValidationException" end
      o.M, o.L = copy(o.M), copy(o.L)
      o.M.x = v
      o.L[math.min(8, #o.L + 1)] = v
    end, true
  end,
  function()
    return "SET G = :n", { n = 5 }, function() return "ValidationException" end, true
  end,
}

-- ---- comparing ------------------------------------------------------------------------------------------

local function expect(what, expected, got)
  if expected ~= got then
    error(("%s: expected %s\ngot %s"):format(what, tostring(expected), tostring(got)), 2)
  end
end

--- The items of a list as a sorted list of texts.
local function texts(items)
  local list = {}
  for i, item in ipairs(items) do
    list[i] = scratch.dump(item)
  end
  table.sort(list)
  return table.concat(list, "\n")
end

local function projected(index, item)
  if not index or not index.holds then
    return item
  end
  local part = {}
  for _, attribute in ipairs(index.holds) do
    part[attribute] = item[attribute]
  end
  return part
end

local function in_index(index, item)
  for _, attribute in ipairs(index.partition) do
    if item[attribute] == nil then return false end
  end
  return index.sort == nil or item[index.sort] ~= nil
end

-- ---- operations -----------------------------------------------------------------------------------------

local function some_name()
  return chance(75) and "Pairs" or "Singles"
end

local function condition_of(options, old)
  if chance(60) then
    return true
  end
  local condition = one_of(CONDITIONS)
  options.condition = condition[1]
  return condition[2](old or {})
end

--- Compare the three results of a write with what the model says.
local function compare_write(what, code, expected, result, why, got_code)
  if code then
    expect(what .. " (" .. tostring(why) .. ")", code, got_code)
  else
    expect(what .. ": " .. tostring(why), nil, got_code)
    expect(what, scratch.dump(expected), scratch.dump(result))
  end
end

local function put(db)
  local name = some_name()
  local item = random_item(name)
  local key = key_text(name, item)
  local old, options, code = model[name][key], {}, nil
  if chance(50) then options.returns = "ALL_OLD" end
  if not condition_of(options, old) then
    code = "ConditionalCheckFailedException"
  end
  if chance(3) then
    item.A, code = "no number", "ValidationException" -- known before the condition is looked at
  end
  compare_write("put " .. scratch.dump(item) .. " if " .. tostring(options.condition), code,
    options.returns and (old or {}) or true, db:put(name, item, options))
  if not code then
    model[name][key] = item
  end
end

local function delete(db)
  local name = some_name()
  local item = random_key(name)
  local key = key_text(name, item)
  local old, options, code = model[name][key], { returns = "ALL_OLD" }, nil
  if not condition_of(options, old) then
    code = "ConditionalCheckFailedException"
  end
  compare_write("delete " .. key, code, old or {}, db:delete(name, item, options))
  if not code then
    model[name][key] = nil
  end
end

local function update(db)
  local name = some_name()
  local key = random_key(name)
  local at = key_text(name, key)
  local old, options, code, new = model[name][at], { returns = "ALL_NEW" }, nil, nil
  local expression, values, apply, creates = one_of(UPDATES)()
  local index_only_type = expression == "SET G = :n"
  options.values = values
  if not condition_of({}, old) then
    options.condition = "attribute_exists(#q)" -- placeholders: literals are off beside values
    options.names = { q = "P" }
    if not old then code = "ConditionalCheckFailedException" end
  end
  if index_only_type and name ~= "Singles" then
    code = "ValidationException" -- an index has it as key: wrong on any state, so before any condition
  end
  if not code then
    if old or creates then
      new = copy(old or key)
      code = apply(new)
      if index_only_type then
        code, new.G = nil, 5 -- no index of this table has it as key
      end
    end
  end
  compare_write("update " .. at .. " " .. expression, code, new or {}, db:update(name, key, expression, options))
  if not code and new then
    model[name][at] = new
  end
end

local function get(db)
  local name = some_name()
  local key = random_key(name)
  local got, why = db:get(name, key, { consistent = chance(50) })
  expect("get", scratch.dump(model[name][key_text(name, key)]), scratch.dump(got))
  expect("get", nil, why)
end

local function get_with_a_wrong_key(db)
  local _, _, code = db:get("Pairs", one_of { { P = "p1" }, { P = "p1", K = "1" }, { P = "p1", K = 1, A = 1 }, {} })
  expect("a wrong key", "ValidationException", code)
end

local RANGES = {
  { perilune.lt, function(v, a) return v < a end },
  { perilune.le, function(v, a) return v <= a end },
  { perilune.gt, function(v, a) return v > a end },
  { perilune.ge, function(v, a) return v >= a end },
  { function(a) return a end, function(v, a) return v == a end },
}

--- A query as both sides see it: where, and who belongs to it.
local function random_query()
  local name = some_name()
  local index_name = name == "Singles" and "ByA" or one_of { false, "ByG", "ByT", "ByTA" }
  local index = index_name and INDEXES[name][index_name] or { partition = { "P" }, sort = "K" }
  local sample = random_item(name)
  sample.G, sample.A, sample.T = sample.G or "g1", sample.A or 1, sample.T or "a"
  local where, range, bound = {}, nil, nil
  for _, attribute in ipairs(index.partition) do
    where[attribute] = sample[attribute]
  end
  if index.sort and chance(60) then
    range, bound = one_of(RANGES), sample[index.sort]
    where[index.sort] = range[1](bound)
  end
  return {
    name = name, index = index, is_index = index_name, where = where,
    source = index_name and name .. "/" .. index_name or name,
    matches = function(item)
      if not in_index(index, item) then return false end
      for _, attribute in ipairs(index.partition) do
        if item[attribute] ~= sample[attribute] then return false end
      end
      return not range or range[2](item[index.sort], bound)
    end,
  }
end

local function check_order(query, items, descending)
  local sort = query.index.sort
  for i = 2, sort and #items or 0 do
    local a, b = items[i - 1][sort], items[i][sort]
    if descending then a, b = b, a end
    assert(a <= b, "rows are out of order")
  end
end

local function expected_items(query, filter)
  local expected, scanned = {}, 0
  for _, item in pairs(model[query.name]) do
    if query.matches(item) then
      scanned = scanned + 1
      if not filter or filter(projected(query.is_index and query.index, item)) then
        expected[#expected + 1] = projected(query.is_index and query.index, item)
      end
    end
  end
  return expected, scanned
end

--- All pages one after the other: their items, how many were scanned. Every page but the last is full.
local function all_pages(fetch, options)
  local items, scanned, pages = {}, 0, 0
  repeat
    local page = assert(fetch(options))
    for _, item in ipairs(page.items) do items[#items + 1] = item end
    assert(page.count == #page.items)
    assert(not options.limit or page.scanned == options.limit or (page.scanned < options.limit and not page.last_key),
      "a page is neither full nor the last")
    scanned, pages = scanned + page.scanned, pages + 1
    options.after = page.last_key
    assert(pages < 2000, "the pages never end")
  until not page.last_key
  return items, scanned
end

local FILTERS = {
  { "L[0] = 2", function(o) return o.L ~= nil and o.L[1] == 2 end, attribute = "L" },
  { "attribute_not_exists(Filler)", function(o) return o.Filler == nil end, attribute = "Filler" },
  { "contains(Tags, \"a\")", function(o) return has(o.Tags, "a") end, attribute = "Tags" },
}

--- May a query of this index be filtered by the attribute? One that it does not hold is a mistake.
local function may_filter(query, attribute)
  if not query.is_index or not query.index.holds then return true end
  for _, held in ipairs(query.index.holds) do
    if held == attribute then return true end
  end
  return false
end

local function query_pages(db)
  local query = random_query()
  local options = { descending = chance(50), limit = chance(80) and math.random(1, 9) or nil }
  local filter = chance(30) and one_of(FILTERS)
  if filter then options.filter = filter[1] end
  if filter and not may_filter(query, filter.attribute) then
    local page, why, code = db:query_page(query.source, query.where, options)
    assert(page == nil and code == "ValidationException", why)
    assert(why:find("does not project one or more filter attributes: [" .. filter.attribute .. "]", 1, true), why)
    return
  end
  local descending = options.descending
  local expected, expected_scanned = expected_items(query, filter and filter[2])
  local items, scanned = all_pages(function(o) return db:query_page(query.source, query.where, o) end, options)
  local what = query.source .. " " .. scratch.dump(expected)
  check_order(query, items, descending)
  expect(what, texts(expected), texts(items))
  expect(what .. " scanned", expected_scanned, scanned)
end

local function query_items(db)
  local query = random_query()
  local expected = expected_items(query)
  local items = scratch.list(db:query(query.source, query.where, { page_size = math.random(1, 5) }))
  expect(query.source, texts(expected), texts(items))
  expect("count of " .. query.source, #expected, db:count(query.source, query.where))
end

local function scan_pages(db)
  local name = some_name()
  local index_name = chance(50) and (name == "Singles" and "ByA" or one_of { "ByG", "ByT", "ByTA" })
  local index = index_name and INDEXES[name][index_name]
  local source = index_name and name .. "/" .. index_name or name
  local expected, items, segments = {}, {}, chance(50) and math.random(1, 5) or nil
  for _, item in pairs(model[name]) do
    if not index or in_index(index, item) then expected[#expected + 1] = projected(index, item) end
  end
  for segment = 0, (segments or 1) - 1 do
    local options = { limit = math.random(3, 40), segment = segments and segment, segments = segments }
    local part = all_pages(function(o) return db:scan_page(source, o) end, options)
    table.move(part, 1, #part, #items + 1, items)
  end
  expect("scan of " .. source, texts(expected), texts(items))
  expect("count of " .. source, #expected, db:count(source))
end

local function batch_write(db)
  local request, seen, changes = {}, {}, {}
  for _ = 1, math.random(1, 25) do
    local name = some_name()
    local item = random_item(name)
    local key = key_text(name, item)
    if not seen[name .. key] then
      seen[name .. key] = true
      local lists = request[name] or { put = {}, delete = {} }
      request[name] = lists
      if chance(70) then
        table.insert(lists.put, item)
        changes[#changes + 1] = { name, key, item }
      else
        table.insert(lists.delete, key_of(name, item))
        changes[#changes + 1] = { name, key, nil }
      end
    end
  end
  if chance(15) then -- one that is wrong: none is made
    local lists = request.Pairs or { put = {}, delete = {} }
    request.Pairs = lists
    lists.put[#lists.put + 1] = { P = "p1" }
    if #lists.put + #lists.delete <= 25 then
      local _, _, code = db:batch_write(request)
      expect("a wrong batch", "ValidationException", code)
      return
    end
    lists.put[#lists.put] = nil
  end
  assert(db:batch_write(request))
  for _, change in ipairs(changes) do
    model[change[1]][change[2]] = change[3]
  end
end

local function batch_get(db)
  local keys, seen, expected = { Pairs = {}, Singles = {} }, {}, { Pairs = {}, Singles = {} }
  for _ = 1, math.random(1, 30) do
    local name = some_name()
    local key = random_key(name)
    local text = key_text(name, key)
    if not seen[name .. text] then
      seen[name .. text] = true
      table.insert(keys[name], key)
      table.insert(expected[name], model[name][text])
    end
  end
  local got = assert(db:batch_get(keys))
  for name, items in pairs(expected) do
    expect("batch_get of " .. name, texts(items), texts(got[name] or {}))
  end
end

-- One item of a transaction: what is asked, the code of its reason, and what the item becomes.
-- A part's code when no state could make it right; a client hears ValidationError.
local WRONG_IN_ITSELF = "ValidationError, on any state"

local function random_part(name)
  local part, code, new = {}, "None", nil
  local item = random_item(name)
  local key = key_of(name, item)
  local old = model[name][key_text(name, item)]
  local function guarded() return chance(60) or condition_of(part, old) end
  local action = one_of { "put", "put", "update", "delete", "check" }
  part[action] = name
  if action == "put" then
    part.item, new = item, item
    if not guarded() then code = "ConditionalCheckFailed" end
  elseif action == "update" then
    local apply, creates
    part.key = key
    part.expression, part.values, apply, creates = one_of(UPDATES)()
    new = (old or creates) and copy(old or key) or nil
    if new and apply(new) then code = "ValidationError" end
    if part.expression == "SET G = :n" and name == "Singles" then
      code, new.G = "None", 5 -- no index of this table has it as key
    elseif part.expression == "SET G = :n" then
      code = WRONG_IN_ITSELF
    end
  elseif action == "delete" then
    part.key = key
    if not guarded() then code = "ConditionalCheckFailed" end
  else
    part.key, new, part.condition = key, old, "attribute_not_exists(P)"
    if not condition_of(part, old) or (part.condition == "attribute_not_exists(P)" and old) then
      code = "ConditionalCheckFailed"
    end
  end
  return part, code, new
end

local function first_of(codes, wanted)
  for i, code in ipairs(codes) do
    if code == wanted then return i end
  end
end

-- The reasons that a client is told: the first ValidationError alone, or every condition that failed. What is wrong
-- on any state comes before what is wrong on this one.
local function reasons_of(codes)
  local cancelled = false
  local invalid = first_of(codes, WRONG_IN_ITSELF) or first_of(codes, "ValidationError")
  for _, code in ipairs(codes) do
    cancelled = cancelled or code ~= "None"
  end
  if invalid then
    for i in ipairs(codes) do codes[i] = i == invalid and "ValidationError" or "None" end
  end
  return cancelled and table.concat(codes, ",") or nil
end

local function transact_write(db)
  local parts, codes, changes, seen = {}, {}, {}, {}
  for _ = 1, math.random(1, 6) do
    local name = some_name()
    local part, code, new = random_part(name)
    local at = key_text(name, part.item or part.key)
    if not seen[name .. at] then
      seen[name .. at] = true
      parts[#parts + 1], codes[#codes + 1] = part, code
      changes[#changes + 1] = { name, at, new }
    end
  end
  local options = chance(20) and { token = tostring(math.random(1 << 40)) } or nil
  local expected = reasons_of(codes)
  for _ = 1, options and not expected and 3 or 1 do -- under its token it is done once
    local result, why, code, reasons = db:transact(parts, options)
    if expected then
      local got = {}
      for i, reason in ipairs(reasons or {}) do got[i] = reason.code end
      expect("transact " .. scratch.dump(parts) .. " (" .. tostring(why) .. ")", expected, table.concat(got, ","))
      expect("transact", "TransactionCanceledException", code)
    else
      expect("transact " .. scratch.dump(parts) .. ": " .. tostring(why), true, result)
    end
  end
  if expected then return end
  for _, change in ipairs(changes) do
    model[change[1]][change[2]] = change[3]
  end
end

local function transact_get(db)
  local parts, expected, seen = {}, {}, {}
  for _ = 1, math.random(1, 20) do
    local name = some_name()
    local key = random_key(name)
    local at = key_text(name, key)
    if not seen[name .. at] then
      seen[name .. at] = true
      parts[#parts + 1] = { get = name, key = key }
      expected[#parts] = scratch.dump(model[name][at])
    end
  end
  local got = assert(db:transact(parts))
  for i = 1, #parts do
    expect("transact get " .. i, expected[i], scratch.dump(got[i]))
  end
end

local function count_tables(db)
  for name in pairs(model) do
    local count, size = 0, db:describe(name)
    for _ in pairs(model[name]) do count = count + 1 end
    expect("items of " .. name, count, size.items)
  end
end

local WEIGHTED = {
  { 26, put }, { 22, update }, { 8, delete }, { 9, get }, { 1, get_with_a_wrong_key }, { 12, query_pages },
  { 6, query_items }, { 2, scan_pages }, { 3, batch_write }, { 2, batch_get }, { 1, count_tables },
  { 6, transact_write }, { 2, transact_get },
}

local function random_operation()
  local at = math.random(100)
  for _, entry in ipairs(WEIGHTED) do
    at = at - entry[1]
    if at <= 0 then return entry[2] end
  end
end

local function well(db)
  local report = assert(db:check())
  assert(report.ok, table.concat(report.faults, "\n"))
end

describe("the engine", function()
  after_each(scratch.clean)

  it("answers as the model does, through restarts", function()
    local seed = tonumber(os.getenv("PL_SEED")) or os.time() * 1000 + math.random(999)
    local total = 0
    for _, entry in ipairs(WEIGHTED) do total = total + entry[1] end
    assert.are.equal(100, total)
    math.randomseed(seed)
    model = { Pairs = {}, Singles = {} }
    local db, path = scratch.open { partitions = 8 }
    assert(db:create_table(PAIRS))
    assert(db:create_table(SINGLES))
    for i = 1, OPERATIONS do
      local ok, problem = xpcall(random_operation(), debug.traceback, db)
      if not ok then
        error(("PL_SEED=%d, operation %d: %s"):format(seed, i, problem))
      end
      if i % OPERATIONS_BETWEEN_RESTARTS == 0 then
        well(db)
        db = scratch.reopen(db, path)
      end
    end
    well(db)
  end)
end)
