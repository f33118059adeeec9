--- Random operations in a form that belongs to no way in:
--
--     kind        put get update delete query scan batch_get batch_write transact_write transact_get
--     table       and `index` of queries and scans
--     item, key, after, values         items and values as in ways.normal
--     condition, update, where, filter, project, names, returns, on_failure, limit, descending, consistent, select,
--     segment, segments, capacity, token
--     tables      of batches: table's name → keys, or { put = items, delete = keys }
--     entries     of transactions: put, update, delete, check, get, in the same form
--     literal     lines and Lua ask it with literals in place of `values`
--     to_the_end  of queries and scans: ask for all pages
--     mistake     what was done wrong on purpose, for ways.differences
local chance = require "ways.chance"
local expressions = require "ways.expressions"
local values = require "ways.values"

local one_of, percent = chance.one_of, chance.percent

local operations = {}

local function table_name(o)
  if percent(2) then
    o.mistake = "table"
    return one_of { "Nowhere", "Nowhere", "ab", ("t"):rep(256), "no$table" }
  end
  return one_of(values.TABLES)
end

local function capacity()
  return percent(40) and one_of { "TOTAL", "INDEXES" } or nil
end

--- One mistake an operation at most, so that all ways have the same to say whatever they look at first.
local function errs(o, what, odds)
  if o.mistake or not percent(odds or 3) then return false end
  o.mistake = what
  return true
end

local function add_key(o)
  o.key = errs(o, "key") and values.wrong_key(o.table) or values.key(o.table)
end

local function add_condition(o, e)
  if percent(40) then
    o.condition = errs(o, "condition", 10) and e:wrong_condition() or e:condition(2)
    if percent(40) then o.on_failure = "ALL_OLD" end
  elseif errs(o, "empty", 1) then
    o.condition = ""
  end
end

local function finish(o, e)
  local wrong = errs(o, "placeholder", 2)
  if next(e.values) and errs(o, "value", 2) then
    local name = next(e.values)
    for other in pairs(e.values) do name = other < name and other or name end
    e.values[name] = values.impossible()
  end
  return e:finish(o, wrong)
end

-- ---- single items ---------------------------------------------------------------------------------------

local MAKE = {}

function MAKE.put(o)
  local e = expressions.new(o.table)
  if errs(o, "value") then
    o.item = values.item(o.table)
    o.item.V = values.impossible()
  else
    o.item = errs(o, "item", 6) and values.wrong_item(o.table) or values.item(o.table)
  end
  add_condition(o, e)
  o.returns = percent(30) and (errs(o, "returns") and one_of { "ALL_NEW", "UPDATED_OLD" } or "ALL_OLD") or nil
  return finish(o, e)
end

function MAKE.get(o)
  local e = expressions.new(o.table)
  add_key(o)
  if percent(30) then o.project = errs(o, "projection", 10) and e:wrong_projection() or e:projection() end
  o.consistent = percent(30) or nil
  finish(o, e)
  o.values = nil
  return o
end

function MAKE.update(o)
  local e = expressions.new(o.table)
  add_key(o)
  if errs(o, "empty", 1) then
    o.update = ""
  elseif percent(95) then
    o.update = errs(o, "update", 6) and e:wrong_update() or e:update()
  end
  add_condition(o, e)
  o.returns = percent(60) and one_of { "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW" } or nil
  return finish(o, e)
end

function MAKE.delete(o)
  local e = expressions.new(o.table)
  add_key(o)
  add_condition(o, e)
  o.returns = percent(50) and (errs(o, "returns") and one_of { "ALL_NEW", "UPDATED_OLD" } or "ALL_OLD") or nil
  return finish(o, e)
end

-- ---- pages ----------------------------------------------------------------------------------------------

local function add_page(o, e)
  local indexes = values.INDEXES[o.table]
  if indexes and percent(50) then o.index = errs(o, "index") and "NoIndex" or one_of(indexes) end
  if percent(35) then o.filter = errs(o, "condition", 8) and e:wrong_condition() or e:condition(1) end
  if percent(25) then
    o.project = errs(o, "projection", 8) and e:wrong_projection() or e:projection()
  elseif percent(15) then
    o.select = one_of { "COUNT", "ALL_ATTRIBUTES" }
  end
  if errs(o, "select", 3) then
    o.select = one_of { "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES" }
  end
  if not o.filter and errs(o, "empty", 1) then o.filter = "" end
  if not o.project and errs(o, "empty", 1) then o.project = "" end
  o.consistent = percent(20) or nil
  o.limit = percent(60) and (errs(o, "limit", 2) and 0 or math.random(7)) or nil
  o.to_the_end = percent(50)
  if errs(o, "start key", 6) then
    o.after = percent(30) and values.wrong_key(o.table) or values.key(o.table)
    for _, name in ipairs(o.index and percent(80) and values.KEYS[o.table .. "/" .. o.index] or {}) do
      o.after[name] = o.after[name] or values.like(o.table, name)
    end
  end
end

function MAKE.query(o)
  local e = expressions.new(o.table)
  add_page(o, e)
  local source = o.index and o.index ~= "NoIndex" and o.table .. "/" .. o.index or o.table
  if values.KEYS[o.table] == nil then source = "Pairs" end
  o.where = errs(o, "key condition", 8) and e:wrong_key_condition(source) or e:key_condition(source)
  o.descending = percent(40) or nil
  return finish(o, e)
end

function MAKE.scan(o)
  local e = expressions.new(o.table)
  add_page(o, e)
  if percent(20) then
    o.segments = math.random(4)
    o.segment = errs(o, "segment", 10) and o.segments or math.random(o.segments) - 1
  end
  return finish(o, e)
end

-- ---- batches --------------------------------------------------------------------------------------------

local TABLES = { "Pairs", "Singles", "Words" }

-- Keys are told apart as numbers too, unless twice the same is what is wanted.
local function add_new(list, seen, name, item)
  local text = name
  for _, attribute in ipairs(values.KEYS[name]) do
    local kind, content = next(item[attribute])
    text = text .. "|" .. kind .. (kind == "N" and tostring(tonumber(content)) or content)
  end
  if not seen[text] then list[#list + 1] = item end
  seen[text] = true
end

local function numbered(count)
  local keys = {}
  for i = 1, count do keys[i] = { P = { N = "1" }, K = { S = ("key %d of %d"):format(i, count) } } end
  return keys
end

local function chosen_tables()
  local chosen = {}
  for _, name in ipairs(TABLES) do
    if percent(50) then chosen[#chosen + 1] = name end
  end
  return #chosen > 0 and chosen or { "Pairs" }
end

function MAKE.batch_get(o)
  local e = expressions.new("Pairs")
  o.table, o.mistake, o.tables = nil, nil, {}
  for _, name in ipairs(chosen_tables()) do
    local keys, seen = {}, {}
    for _ = 1, math.random(4) do add_new(keys, seen, name, values.key(name)) end
    o.tables[name] = keys
  end
  local _, keys = next(o.tables)
  if errs(o, "duplicate", 4) then keys[#keys + 1] = keys[1] end
  if errs(o, "key", 4) then o.tables = { Pairs = { values.wrong_key("Pairs") } } end
  if errs(o, "table", 3) then o.tables = { Nowhere = { { P = { S = "x" } } } } end
  if errs(o, "too many", 4) then o.tables = { Words = numbered(101) } end
  if percent(30) then o.project = errs(o, "projection", 10) and e:wrong_projection() or e:projection() end
  o.consistent = percent(30) or nil
  finish(o, e)
  o.values = nil
  return o
end

function MAKE.batch_write(o)
  o.table, o.mistake, o.tables = nil, nil, {}
  for _, name in ipairs(chosen_tables()) do
    local put, delete, seen = {}, {}, {}
    for _ = 1, math.random(0, 4) do add_new(put, seen, name, values.item(name)) end
    for _ = 1, math.random(0, 2) do add_new(delete, seen, name, values.key(name)) end
    if #put + #delete == 0 then put[1] = values.item(name) end
    o.tables[name] = { put = #put > 0 and put or nil, delete = #delete > 0 and delete or nil }
  end
  if errs(o, "duplicate", 4) then
    local item = values.item("Words")
    o.tables.Words = { put = { item, item } }
  elseif errs(o, "item", 4) then
    o.tables = { Pairs = { put = { values.wrong_item("Pairs") } } }
  elseif errs(o, "key", 4) then
    o.tables = { Singles = { delete = { values.wrong_key("Singles") } } }
  elseif errs(o, "table", 3) then
    o.tables = { Nowhere = { put = { { P = { S = "x" } } } } }
  elseif errs(o, "too many", 3) then
    o.tables = { Words = { put = numbered(20), delete = numbered(6) } }
  end
  return o
end

-- ---- transactions ---------------------------------------------------------------------------------------

local function entry(kind, name)
  local e = expressions.new(name)
  local made = { kind = kind, table = name }
  if kind == "put" then
    made.item = values.item(name)
  else
    made.key = values.key(name)
  end
  if kind == "update" then made.update = e:update() end
  if kind == "check" or kind ~= "get" and percent(30) then
    made.condition = e:condition(1)
    made.on_failure = percent(40) and "ALL_OLD" or nil
  end
  if kind == "get" and percent(30) then made.project = e:projection() end
  return e:finish(made)
end

local ENTRY_MISTAKES = {
  function(o, e) o.mistake = "table" e.table = "Nowhere" end,
  function(o, e)
    o.mistake = "key"
    e[e.key and "key" or "item"] = values.wrong_key(e.table)
  end,
  function(o, e)
    o.mistake = "empty entry"
    e[e.kind == "get" and "project" or "condition"] = ""
  end,
  function(o, e)
    o.mistake, e.mistake = "condition", "condition"
    if e.kind ~= "get" then
      local x = expressions.new(e.table)
      e.condition, e.update = x:wrong_condition(), e.kind == "update" and "REMOVE V" or nil
      x:finish(e)
    end
  end,
  function(o, e)
    o.mistake, e.mistake = "update", "update"
    if e.kind == "update" then
      local x = expressions.new(e.table)
      e.condition, e.on_failure, e.update = nil, nil, x:wrong_update()
      x:finish(e)
    end
  end,
}

local function add_entries(o, kinds)
  local seen = {}
  o.table, o.mistake, o.entries = nil, nil, {}
  for _ = 1, math.random(4) do
    local made, kept = entry(one_of(kinds), one_of(values.TABLES)), {}
    local key = {}
    for _, name in ipairs(values.KEYS[made.table]) do key[name] = (made.item or made.key)[name] end
    add_new(kept, seen, made.table, key)
    if kept[1] then o.entries[#o.entries + 1] = made end
  end
  if percent(2) then
    o.mistake = "too many"
    for i, key in ipairs(numbered(101)) do o.entries[i] = { kind = one_of(kinds), table = "Words", key = key } end
    for _, made in ipairs(o.entries) do
      if made.kind == "put" then made.item, made.key = made.key, nil end
      if made.kind == "check" then made.condition = "attribute_exists(P)" end
    end
  elseif kinds[1] == "put" and math.random(150) == 1 then
    o.mistake = "too large"
    for i, key in ipairs(numbered(12)) do
      key.Filler = { S = ("z"):rep(380000) }
      o.entries[i] = { kind = "put", table = "Words", item = key }
    end
  elseif percent(5) then
    one_of(ENTRY_MISTAKES)(o, one_of(o.entries))
  elseif percent(4) then
    o.mistake = "duplicate"
    o.entries[#o.entries + 1] = o.entries[1]
  end
end

local last_with_token

function MAKE.transact_write(o)
  if last_with_token and percent(15) then
    return last_with_token
  end
  add_entries(o, { "put", "put", "update", "update", "delete", "check" })
  if percent(30) then
    o.token = last_with_token and percent(25) and last_with_token.token or ("t%d"):format(math.random(1 << 30))
    last_with_token = o
  end
  return o
end

function MAKE.transact_get(o)
  add_entries(o, { "get" })
  return o
end

-- ---------------------------------------------------------------------------------------------------------

local WEIGHTS = {
  put = 24, get = 10, update = 26, delete = 8, query = 16, scan = 6, batch_get = 4, batch_write = 5, transact_write = 9,
  transact_get = 3,
}
local KINDS = { "put", "get", "update", "delete", "query", "scan", "batch_get", "batch_write", "transact_write",
                "transact_get" }

--- The next operation of the sequence that the seed decides.
function operations.random()
  local o = { kind = chance.weighted(KINDS, WEIGHTS) }
  o.table = table_name(o)
  o.capacity = capacity()
  return MAKE[o.kind](o)
end

--- Begin a sequence.
function operations.seed(seed)
  last_with_token = nil
  math.randomseed(seed)
end

return operations
