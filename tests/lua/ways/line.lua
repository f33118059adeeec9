--- The line protocol over a socket: a neutral operation (ways.operations) asked, its answer in the neutral form.
local json = require "ways.json"
local normal = require "ways.normal"
local plain = require "ways.plain"
local wire = require "wire"

local line = {}
line.__index = line

-- ---- asking ---------------------------------------------------------------------------------------------

local function write_names(names)
  return json.members(names, json.quote)
end

-- Field of an operation → how its clause is written.
local CLAUSES = {
  { "update", "%s", function(text) return text == "" and "SET" or text end },
  { "where", "WHERE %s", tostring },
  { "filter", "FILTER %s", tostring },
  { "condition", "IF %s", tostring },
  { "on_failure", "ELSE %s", tostring },
  { "returns", "RETURN %s", tostring },
  { "project", "SELECT %s", tostring },
  { "limit", "LIMIT %s", tostring },
  { "descending", "DESC", tostring },
  { "after", "AFTER %s", plain.item },
  { "consistent", "CONSISTENT", tostring },
  { "names", "NAMES %s", write_names },
  { "values", "VALUES %s", plain.item },
  { "capacity", "CAPACITY %s", tostring },
}

local function add_clauses(words, operation)
  for _, clause in ipairs(CLAUSES) do
    local value = operation[clause[1]]
    if value then words[#words + 1] = clause[2]:format((clause[3](value):gsub("%%", "%%"))) end
  end
  if operation.select == "COUNT" then words[#words + 1] = "COUNT" end
  if operation.select == "ALL_ATTRIBUTES" then words[#words + 1] = "SELECT *" end
  if operation.segment then
    words[#words + 1] = ("SEGMENT %d OF %d"):format(operation.segment, operation.segments)
  end
  return table.concat(words, " ")
end

-- Field of a transaction's entry → its member and how it is written.
local MEMBERS = {
  { "item", "item", plain.item },
  { "key", "key", plain.item },
  { "update", "set", json.quote },
  { "condition", "if", json.quote },
  { "on_failure", "else", json.quote },
  { "project", "project", json.quote },
  { "names", "names", write_names },
  { "values", "values", plain.item },
}

local function write_entry(entry)
  entry = plain.literal(entry)
  local parts = { ('"%s":%s'):format(entry.kind, json.quote(entry.table)) }
  for _, member in ipairs(MEMBERS) do
    local value = entry[member[1]]
    if value then parts[#parts + 1] = ('"%s":%s'):format(member[2], member[3](value)) end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local VERBS = { put = "PUT", get = "GET", update = "UPDATE", delete = "DEL", query = "QUERY", scan = "SCAN" }

local function write_writes(writes)
  local parts = {}
  for _, name in ipairs { "put", "delete" } do
    if writes[name] then parts[#parts + 1] = ('"%s":%s'):format(name, json.list(writes[name], plain.item)) end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function write_keys(keys)
  return json.list(keys, plain.item)
end

--- The request's line, without its end.
function line.text(operation)
  local kind = operation.kind
  operation = plain.literal(operation)
  if kind == "batch_get" then
    return add_clauses({ "BATCH GET", json.members(operation.tables, write_keys) }, operation)
  elseif kind == "batch_write" then
    return add_clauses({ "BATCH WRITE", json.members(operation.tables, write_writes) }, operation)
  elseif operation.entries then
    local token = operation.token and "TOKEN " .. json.quote(operation.token) .. " " or ""
    return add_clauses({ "TRANSACT " .. token .. json.list(operation.entries, write_entry) }, operation)
  end
  local words = { VERBS[kind], operation.table .. (operation.index and "/" .. operation.index or "") }
  local subject = operation.item or operation.key
  if subject then words[3] = plain.item(subject) end
  return add_clauses(words, operation)
end

-- ---- answers --------------------------------------------------------------------------------------------

local read_value

local function read_item(object)
  local item = {}
  for name, value in pairs(object) do item[name] = read_value(value) end
  return item
end

local function map(list, read)
  local result = {}
  for i, value in ipairs(list) do result[i] = read(value) end
  return result
end

local SET_KIND = { S = "SS", N = "NS", B = "BS" }

local function read_set(list)
  local elements, kind = {}, nil
  for i, element in ipairs(list) do
    kind, elements[i] = next(read_value(element))
  end
  return { [SET_KIND[kind]] = elements }
end

local function read_object(object)
  local name, content = next(object)
  if name == nil or next(object, name) ~= nil or name:sub(1, 1) ~= "$" then
    return { M = read_item(object) }
  elseif name == "$set" then
    return read_set(content)
  elseif name == "$binary" then
    return { B = json.bytes(content) }
  end
  return { M = read_item(content) } -- $map
end

function read_value(value)
  if type(value) == "string" then
    return { S = value }
  elseif type(value) == "boolean" then
    return { BOOL = value }
  elseif value == json.null then
    return { NULL = true }
  end
  local kind = getmetatable(value)
  if kind == json.number then
    return { N = value[1] }
  elseif kind == json.array then
    return { L = map(value, read_value) }
  end
  return read_object(value)
end

local function add_capacity(sum, one)
  sum.total = (sum.total or 0) + tonumber(one.total[1])
  if one.table then sum.table = (sum.table or 0) + tonumber(one.table[1]) end
  for name, units in pairs(one.indexes or {}) do
    sum.indexes = sum.indexes or {}
    sum.indexes[name] = (sum.indexes[name] or 0) + tonumber(units[1])
  end
  return sum
end

local function read_capacity(capacity)
  if not capacity then return nil end
  local sum = {}
  for _, one in pairs(capacity.tables or { capacity }) do add_capacity(sum, one) end
  return sum
end

local function read_reason(reason)
  return { code = reason.code, message = reason.message, item = reason.item and read_item(reason.item) }
end

local function refusal(text, row)
  local code, sentence = text:match("^ERR (%S+) (.*)$")
  local answer = { code = code, sentence = sentence }
  if row and code == "TransactionCanceledException" then
    answer.reasons = map(row.reasons, read_reason)
  elseif row then
    answer.item = read_item(row)
  end
  return answer
end

local function by_table(rows)
  local tables = {}
  for _, row in ipairs(rows) do
    tables[row.table] = tables[row.table] or {}
    table.insert(tables[row.table], read_item(row.item))
  end
  return tables
end

local function read_end(operation, rows, tail)
  local answer = { capacity = read_capacity(tail.capacity), unprocessed = tail.unprocessed and true }
  if operation.kind == "batch_get" then
    answer.tables = by_table(rows)
  elseif operation.kind == "transact_get" then
    answer.items = map(rows, function(row) return row ~= json.null and read_item(row) end)
  elseif tail.scanned then
    answer.items = operation.select ~= "COUNT" and map(rows, read_item) or nil
    answer.count, answer.scanned = tonumber(tail.count[1]), tonumber(tail.scanned[1])
    answer.last = tail.next and read_item(tail.next)
  else
    answer.item = rows[1] and read_item(rows[1])
  end
  return answer
end

local function one_item(operation, answer)
  if operation.kind ~= "get" and not answer.code and answer.item then
    answer.item = normal.returned(answer.item)
  end
  return answer
end

function line:send(text)
  self.to:write(text, "\n")
  self.to:flush()
  local rows = {}
  while true do
    local reply = assert(self.from:read("l"), "the server closed the connection")
    if reply:sub(1, 4) ~= "ROW " then return reply, rows end
    rows[#rows + 1] = json.read(reply:sub(5))
  end
end

--- One request and its answer.
function line:ask(operation)
  local reply, rows = self:send(line.text(operation))
  if reply:sub(1, 4) == "ERR " then
    return refusal(reply, rows[1])
  elseif reply:sub(1, 4) == "END " then
    return one_item(operation, read_end(operation, rows, json.read(reply:sub(5))))
  end
  local item = #reply > 3 and read_item(json.read(reply:sub(4))) or nil
  return one_item(operation, { item = item })
end

local function read_record(row)
  return normal.record(tonumber(row.shard[1]), math.tointeger(tonumber(row.sequence)), {
    event = row.event, keys = read_item(row.keys),
    new = row.new and read_item(row.new), old = row.old and read_item(row.old),
  })
end

--- The first `count` records that TAIL tells of a table.
function line:records(table_name, count)
  local records = {}
  self.to:write("TAIL ", table_name, " FROM oldest\n")
  self.to:flush()
  while #records < count do
    local row = json.read(assert(self.from:read("l"), "no more records"):match("^ROW (.*)$"))
    if row.event then records[#records + 1] = read_record(row) end
  end
  self.to:write("\n") -- any line ends it
  self.to:flush()
  repeat
    local reply = self.from:read("l")
    if reply:match('^ROW {"event"') then records[#records + 1] = read_record(json.read(reply:sub(5))) end
  until not reply:match("^ROW ")
  return records
end

--- @tparam string address host:port
function line.connect(address)
  local from, to = wire.connect(address)
  return setmetatable({ name = "line protocol", from = from, to = to }, line)
end

function line:close()
  self.from:close()
  self.to:close()
end

return line
