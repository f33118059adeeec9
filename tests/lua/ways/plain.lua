--- Values in the plain dialect of JSON (server/model/json.h): what lines hold, and literals in expressions.
local json = require "ways.json"

local plain = {}

-- A number stands as JSON has it, or, where JSON has no such number, as text.
local function write_number(text)
  local whole, fraction, exponent = text:match("^%-?(%d+)(%.?%d*)([eE]?[-+]?%d*)$")
  local is_json = whole and (whole == "0" or whole:sub(1, 1) ~= "0") and fraction ~= "." and
    (exponent == "" or exponent:match("^[eE][-+]?%d+$"))
  return is_json and text or '{"$number":' .. json.quote(text) .. "}"
end

local function write_binary(bytes)
  return '{"$binary":"' .. json.base64(bytes) .. '"}'
end

local function set_of(write)
  return function(set) return '{"$set":' .. json.list(set, write) .. "}" end
end

local WRITE = {
  S = json.quote,
  N = write_number,
  B = write_binary,
  BOOL = tostring,
  NULL = function() return "null" end,
  SS = set_of(json.quote),
  NS = set_of(write_number),
  BS = set_of(write_binary),
}

function plain.value(value)
  local kind, content = next(value)
  return WRITE[kind](content)
end

function WRITE.L(list) return json.list(list, plain.value) end

function WRITE.M(map)
  local text, name = json.members(map, plain.value), next(map)
  return name and next(map, name) == nil and name:sub(1, 1) == "$" and '{"$map":' .. text .. "}" or text
end

function plain.item(item)
  return json.members(item, plain.value)
end

--- With literals where DynamoDB's API has placeholders, when the operation is to be asked so.
function plain.literal(operation)
  if not operation.literal then return operation end
  local form = {}
  for name, value in pairs(operation) do form[name] = value end
  for _, name in ipairs { "condition", "update", "where", "filter" } do
    form[name] = form[name] and form[name]:gsub(":v%d+", function(placeholder)
      return plain.value(operation.values[placeholder])
    end)
  end
  form.values = nil
  return form
end

return plain
