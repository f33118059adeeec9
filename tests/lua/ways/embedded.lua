--- `require "perilune"`: a neutral operation (ways.operations) asked, its answer in the neutral form.
local normal = require "ways.normal"
local perilune = require "perilune"
local plain = require "ways.plain"

local embedded = {}
embedded.__index = embedded

-- ---- asking ---------------------------------------------------------------------------------------------

local give

local function map(list, to)
  local result = {}
  for name, value in pairs(list) do result[name] = to(value) end
  return result
end

local function same(value) return value end

local GIVE = {
  S = same,
  BOOL = same,
  N = perilune.number,
  B = perilune.binary,
  NULL = function() return perilune.null end,
  SS = perilune.set,
  NS = function(set) return perilune.set(map(set, perilune.number)) end,
  BS = function(set) return perilune.set(map(set, perilune.binary)) end,
  L = function(list) return perilune.list(map(list, give)) end,
  M = function(members) return perilune.map(map(members, give)) end,
}

function give(value)
  local kind, content = next(value)
  return GIVE[kind](content)
end

local function give_item(item)
  return item and map(item, give)
end

local FIELDS = {
  "condition", "names", "returns", "on_failure", "project", "filter", "limit", "descending", "consistent", "segment",
  "segments", "select", "token",
}

local function options_of(operation)
  local options = { values = give_item(operation.values), after = give_item(operation.after) }
  for _, name in ipairs(FIELDS) do options[name] = operation[name] end
  if operation.capacity then options.capacity = {} end
  return options
end

local function give_entry(entry)
  entry = plain.literal(entry)
  local given = options_of(entry)
  given[entry.kind] = entry.table
  given.item, given.key, given.expression = give_item(entry.item), give_item(entry.key), entry.update
  return given
end

-- ---- answers --------------------------------------------------------------------------------------------

local take

local function take_item(item)
  local taken = {}
  for name, value in pairs(item) do taken[name] = take(value) end
  return taken
end

local function take_set(set, text)
  local elements = {}
  for _, element in pairs(set) do elements[#elements + 1] = text(element) end
  return elements
end

-- A float that comes from the database is exact: its shortest text that reads back is the number.
local function number_text(number)
  return tostring(math.type(number) == "float" and perilune.decimal(number) or number)
end

local TAKE = {
  S = same,
  BOOL = same,
  B = tostring,
  N = number_text,
  NULL = function() return true end,
  L = function(list) return map(list, take) end,
  M = take_item,
  SS = function(set) return take_set(set, same) end,
  NS = function(set) return take_set(set, number_text) end,
  BS = function(set) return take_set(set, tostring) end,
}

function take(value)
  local kind = perilune.type(value)
  return { [kind] = TAKE[kind](value) }
end

local function take_reason(reason)
  return { code = reason.code, message = reason.message, item = reason.item and take_item(reason.item) }
end

local function refusal(sentence, code, more)
  local answer = { code = code, sentence = sentence }
  if code == "TransactionCanceledException" then
    answer.reasons = map(more, take_reason)
  elseif more then
    answer.item = take_item(more)
  end
  return answer
end

local function take_page(operation, page)
  return {
    items = operation.select ~= "COUNT" and map(page.items, take_item) or nil,
    count = page.count,
    scanned = page.scanned,
    last = page.last_key and take_item(page.last_key),
  }
end

local function take_transaction(result)
  if result == true then return {} end
  local items = {}
  for i = 1, result.n do items[i] = result[i] and take_item(result[i]) or false end
  return { items = items }
end

-- How each kind is called, and what its first result becomes.
local CALLS = {
  put = function(db, o, options) return db:put(o.table, give_item(o.item), options) end,
  get = function(db, o, options) return db:get(o.table, give_item(o.key), options) end,
  delete = function(db, o, options) return db:delete(o.table, give_item(o.key), options) end,
  update = function(db, o, options) return db:update(o.table, give_item(o.key), o.update, options) end,
  query = function(db, o, options)
    return db:query_page(o.table .. (o.index and "/" .. o.index or ""), o.where, options)
  end,
  scan = function(db, o, options)
    return db:scan_page(o.table .. (o.index and "/" .. o.index or ""), options)
  end,
  batch_get = function(db, o, options)
    return db:batch_get(map(o.tables, function(keys) return map(keys, give_item) end), options)
  end,
  batch_write = function(db, o, options)
    local writes = map(o.tables, function(of_table)
      return { put = of_table.put and map(of_table.put, give_item),
               delete = of_table.delete and map(of_table.delete, give_item) }
    end)
    return db:batch_write(writes, options)
  end,
  transact_write = function(db, o, options) return db:transact(map(o.entries, give_entry), options) end,
  transact_get = function(db, o, options) return db:transact(map(o.entries, give_entry), options) end,
}

local function take_write(result)
  return { item = result ~= true and normal.returned(take_item(result)) or nil }
end

local TAKES = {
  get = function(_, item) return { item = item and take_item(item) } end,
  put = function(_, result) return take_write(result) end,
  update = function(_, result) return take_write(result) end,
  delete = function(_, result) return take_write(result) end,
  query = take_page,
  scan = take_page,
  batch_get = function(_, tables)
    return { tables = map(tables, function(items) return map(items, take_item) end) }
  end,
  batch_write = function() return {} end,
  transact_write = function(_, result) return take_transaction(result) end,
  transact_get = function(_, result) return take_transaction(result) end,
}

-- One that raises has a mistake in the call, which other ways refuse as a request: see ways.differences.
local function raised(message)
  return { code = "raised", sentence = tostring(message):gsub("^.-bad argument #%d+ to '[^']+' %((.*)%)$", "%1") }
end

function embedded:ask(operation)
  local options
  operation = plain.literal(operation)
  local results = table.pack(pcall(function()
    options = options_of(operation)
    return CALLS[operation.kind](self.db, operation, options)
  end))
  if not results[1] then
    return raised(results[2])
  elseif results[2] == nil and results[3] ~= nil then
    return refusal(results[3], results[4], results[5])
  end
  local answer = TAKES[operation.kind](operation, results[2])
  answer.unprocessed = type(results[3]) == "table" or nil
  answer.capacity = options.capacity
  if operation.capacity == "TOTAL" then answer.capacity = { total = options.capacity.total } end
  return answer
end

--- The records of a table's stream.
function embedded:records(table_name)
  local records = {}
  for record in self.db:tail(table_name, { from = "oldest" }) do
    records[#records + 1] = normal.record(record.shard, math.tointeger(tonumber(record.sequence)), {
      event = record.event, keys = take_item(record.keys),
      new = record.new and take_item(record.new), old = record.old and take_item(record.old),
    })
  end
  return records
end

function embedded.open(path)
  return setmetatable({ name = "embedded", db = assert(perilune.open { path = path, sync = "never" }) }, embedded)
end

function embedded:close()
  self.db:close()
end

return embedded
