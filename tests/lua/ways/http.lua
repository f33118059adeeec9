--- DynamoDB's API over a socket: a neutral operation (ways.operations) asked, its answer in the neutral form.
local json = require "ways.json"
local normal = require "ways.normal"
local wire = require "wire"

local http = {}
http.__index = http

-- ---- asking ---------------------------------------------------------------------------------------------

local WRITE = {
  S = json.quote,
  N = json.quote,
  B = function(bytes) return json.quote(json.base64(bytes)) end,
  BOOL = tostring,
  NULL = tostring,
  SS = function(set) return json.list(set, json.quote) end,
  NS = function(set) return json.list(set, json.quote) end,
  BS = function(set)
    return json.list(set, function(bytes) return json.quote(json.base64(bytes)) end)
  end,
}

local function write_value(value)
  local kind, content = next(value)
  return ('{"%s":%s}'):format(kind, WRITE[kind](content))
end

function WRITE.L(list) return json.list(list, write_value) end
function WRITE.M(map) return json.members(map, write_value) end

local function write_item(item)
  return json.members(item, write_value)
end

local function write_names(names)
  return json.members(names, json.quote)
end

-- Field of an operation → DynamoDB's member and how it is written.
local MEMBERS = {
  { "table", "TableName", json.quote },
  { "index", "IndexName", json.quote },
  { "item", "Item", write_item },
  { "key", "Key", write_item },
  { "condition", "ConditionExpression", json.quote },
  { "update", "UpdateExpression", json.quote },
  { "where", "KeyConditionExpression", json.quote },
  { "filter", "FilterExpression", json.quote },
  { "project", "ProjectionExpression", json.quote },
  { "names", "ExpressionAttributeNames", write_names },
  { "values", "ExpressionAttributeValues", write_item },
  { "returns", "ReturnValues", json.quote },
  { "on_failure", "ReturnValuesOnConditionCheckFailure", json.quote },
  { "limit", "Limit", tostring },
  { "consistent", "ConsistentRead", tostring },
  { "after", "ExclusiveStartKey", write_item },
  { "segment", "Segment", tostring },
  { "segments", "TotalSegments", tostring },
  { "select", "Select", json.quote },
  { "token", "ClientRequestToken", json.quote },
  { "capacity", "ReturnConsumedCapacity", json.quote },
}

local function members_of(operation)
  local parts = {}
  for _, member in ipairs(MEMBERS) do
    local value = operation[member[1]]
    if value ~= nil then parts[#parts + 1] = json.quote(member[2]) .. ":" .. member[3](value) end
  end
  if operation.descending then parts[#parts + 1] = '"ScanIndexForward":false' end
  return parts
end

local function object(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local ACTIONS = { put = "Put", update = "Update", delete = "Delete", check = "ConditionCheck", get = "Get" }

local function write_action(entry)
  return ('{"%s":%s}'):format(ACTIONS[entry.kind], object(members_of(entry)))
end

local function write_keys(operation)
  return json.members(operation.tables, function(keys)
    local parts = members_of { consistent = operation.consistent, project = operation.project, names = operation.names }
    parts[#parts + 1] = '"Keys":' .. json.list(keys, write_item)
    return object(parts)
  end)
end

local function write_writes(writes)
  local parts = {}
  for _, item in ipairs(writes.put or {}) do
    parts[#parts + 1] = '{"PutRequest":{"Item":' .. write_item(item) .. "}}"
  end
  for _, key in ipairs(writes.delete or {}) do
    parts[#parts + 1] = '{"DeleteRequest":{"Key":' .. write_item(key) .. "}}"
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local TARGETS = {
  put = "PutItem", get = "GetItem", update = "UpdateItem", delete = "DeleteItem", query = "Query", scan = "Scan",
  batch_get = "BatchGetItem", batch_write = "BatchWriteItem",
  transact_write = "TransactWriteItems", transact_get = "TransactGetItems",
}

--- The body of the request.
function http.body(operation)
  local kind = operation.kind
  if kind == "batch_get" or kind == "batch_write" then
    local parts = members_of { capacity = operation.capacity }
    parts[#parts + 1] = '"RequestItems":' ..
      (kind == "batch_get" and write_keys(operation) or json.members(operation.tables, write_writes))
    return object(parts)
  elseif operation.entries then
    local parts = members_of { capacity = operation.capacity, token = operation.token }
    parts[#parts + 1] = '"TransactItems":' .. json.list(operation.entries, write_action)
    return object(parts)
  end
  return object(members_of(operation))
end

-- A server without access keys looks at the signature's form only.
local HEAD = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n" ..
  "Authorization: AWS4-HMAC-SHA256 Credential=ways/20260101/us-east-1/dynamodb/aws4_request, " ..
  "SignedHeaders=host;x-amz-date, Signature=" .. ("0"):rep(64) .. "\r\nX-Amz-Date: 20260101T000000Z\r\n" ..
  "X-Amz-Target: %s\r\nContent-Length: %d\r\n\r\n"

function http:send(target, body)
  self.to:write(HEAD:format(target, #body), body)
  self.to:flush()
  local status = assert(self.from:read("L"), "the server closed the connection"):match("^HTTP/1.1 (%d+)")
  local length
  for line in self.from:lines("L") do
    if line == "\r\n" then break end
    length = length or line:lower():match("^content%-length: (%d+)")
  end
  return tonumber(status), json.read(self.from:read(tonumber(length)))
end

-- ---- answers --------------------------------------------------------------------------------------------

local read_value

local function read_item(object_)
  local item = {}
  for name, value in pairs(object_) do item[name] = read_value(value) end
  return item
end

local function map(list, read)
  local result = {}
  for i, value in ipairs(list) do result[i] = read(value) end
  return result
end

function read_value(object_)
  local kind, content = next(object_)
  if kind == "B" then
    content = json.bytes(content)
  elseif kind == "BS" then
    content = map(content, json.bytes)
  elseif kind == "L" then
    content = map(content, read_value)
  elseif kind == "M" then
    content = read_item(content)
  end
  return { [kind] = content }
end

local function units(object_)
  return tonumber(object_.CapacityUnits[1])
end

local function add_capacity(sum, one)
  sum.total = (sum.total or 0) + units(one)
  if one.Table then sum.table = (sum.table or 0) + units(one.Table) end
  for _, which in ipairs { "GlobalSecondaryIndexes", "LocalSecondaryIndexes" } do
    for name, index in pairs(one[which] or {}) do
      sum.indexes = sum.indexes or {}
      sum.indexes[name] = (sum.indexes[name] or 0) + units(index)
    end
  end
  return sum
end

local function read_capacity(reply)
  local consumed = reply.ConsumedCapacity
  if not consumed then return nil end
  local sum = {}
  for _, one in ipairs(consumed.CapacityUnits and { consumed } or consumed) do add_capacity(sum, one) end
  return sum
end

local function read_reason(reason)
  return { code = reason.Code, message = reason.Message, item = reason.Item and read_item(reason.Item) }
end

local function refusal(reply)
  return {
    code = reply.__type:match("#(.*)$") or reply.__type,
    sentence = reply.message or reply.Message,
    item = reply.Item and read_item(reply.Item),
    reasons = reply.CancellationReasons and map(reply.CancellationReasons, read_reason),
  }
end

local function read_table_items(responses)
  local tables = {}
  for name, items in pairs(responses) do tables[name] = map(items, read_item) end
  return tables
end

local function read_reply(operation, reply)
  local answer = { capacity = read_capacity(reply) }
  if operation.kind == "get" then
    answer.item = reply.Item and read_item(reply.Item)
  elseif reply.Attributes then
    answer.item = normal.returned(read_item(reply.Attributes))
  elseif operation.kind == "transact_get" then
    answer.items = map(reply.Responses, function(one) return one.Item and read_item(one.Item) or false end)
  elseif operation.kind == "batch_get" then
    answer.tables = read_table_items(reply.Responses)
    answer.unprocessed = next(reply.UnprocessedKeys) ~= nil or nil
  elseif operation.kind == "batch_write" then
    answer.unprocessed = next(reply.UnprocessedItems) ~= nil or nil
  elseif reply.Count then
    answer.items = reply.Items and map(reply.Items, read_item)
    answer.count, answer.scanned = tonumber(reply.Count[1]), tonumber(reply.ScannedCount[1])
    answer.last = reply.LastEvaluatedKey and read_item(reply.LastEvaluatedKey)
  end
  return answer
end

--- One request and its answer.
function http:ask(operation)
  local status, reply = self:send("DynamoDB_20120810." .. TARGETS[operation.kind], http.body(operation))
  return status == 200 and read_reply(operation, reply) or refusal(reply)
end

-- ---- streams --------------------------------------------------------------------------------------------

local EVENTS = { INSERT = "insert", MODIFY = "modify", REMOVE = "remove" }

local function read_record(shard, record)
  local told = record.dynamodb
  local sequence = math.tointeger(tonumber(told.SequenceNumber:sub(2))) -- behind a leading 1
  return normal.record(shard, sequence, {
    event = EVENTS[record.eventName], keys = read_item(told.Keys),
    new = told.NewImage and read_item(told.NewImage), old = told.OldImage and read_item(told.OldImage),
  })
end

function http:ask_streams(target, request)
  local status, reply = self:send("DynamoDBStreams_20120810." .. target, json.write(request))
  assert(status == 200, reply.message)
  return reply
end

-- An open shard has no end: it is read when nothing more comes.
function http:add_records(records, arn, shard_id)
  local shard = tonumber(shard_id:match("^shardId%-(%d+)"))
  local iterator = self:ask_streams("GetShardIterator", {
    StreamArn = arn, ShardId = shard_id, ShardIteratorType = "TRIM_HORIZON",
  }).ShardIterator
  repeat
    local reply = self:ask_streams("GetRecords", { ShardIterator = iterator })
    for _, record in ipairs(reply.Records) do records[#records + 1] = read_record(shard, record) end
    iterator = reply.NextShardIterator
  until #reply.Records == 0
end

--- The records of a table's stream.
function http:records(table_name)
  local records = {}
  local arn = self:ask_streams("ListStreams", { TableName = table_name }).Streams[1].StreamArn
  local last
  repeat
    local described = self:ask_streams("DescribeStream", { StreamArn = arn, ExclusiveStartShardId = last })
      .StreamDescription
    for _, shard in ipairs(described.Shards) do self:add_records(records, arn, shard.ShardId) end
    last = described.LastEvaluatedShardId
  until not last
  return records
end

--- @tparam string address host:port
function http.connect(address)
  local from, to = wire.connect(address)
  return setmetatable({ name = "HTTP", from = from, to = to }, http)
end

function http:close()
  self.from:close()
  self.to:close()
end

return http
