--- JSON for specs that speak the protocols: numbers keep their text, objects and arrays are told apart.
local json = {}

json.null = setmetatable({}, { __name = "null" })
json.object = { __name = "object" } -- metatables
json.array = { __name = "array" }
json.number = { __name = "number" } -- { text }

-- ---- writing --------------------------------------------------------------------------------------------

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

function json.quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

--- The names of a table in order, so that a seed gives the same bytes each time.
function json.names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- An object whose members `write` makes from its values.
function json.members(t, write)
  local parts = {}
  for i, name in ipairs(json.names(t)) do
    parts[i] = json.quote(name) .. ":" .. write(t[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function json.list(t, write)
  local parts = {}
  for i, value in ipairs(t) do parts[i] = write(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- Plain Lua data, such as definitions of tables.
function json.write(value)
  if type(value) == "string" then
    return json.quote(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  return #value > 0 and json.list(value, json.write) or json.members(value, json.write)
end

-- ---- reading --------------------------------------------------------------------------------------------

local PLAIN = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local read

local function unescape(text)
  text = text:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    return utf8.char(0x10000 + ((tonumber(high, 16) & 0x3FF) << 10) + (tonumber(low, 16) & 0x3FF))
  end)
  return (text:gsub("\\(u?)(.)(%x?%x?%x?)", function(u, c, rest)
    if u == "u" then return utf8.char(tonumber(c .. rest, 16)) end
    return (PLAIN[c] or c) .. rest
  end))
end

local function read_string(text, at)
  local from = at + 1
  local to = from
  while true do
    local stop = text:find('["\\]', to)
    if text:byte(stop) == 34 then
      local piece = text:sub(from, stop - 1)
      return piece:find("\\", 1, true) and unescape(piece) or piece, stop + 1
    end
    to = stop + 2
  end
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at)
end

local function read_object(text, at)
  local object = setmetatable({}, json.object)
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    local name, colon = read_string(text, skip(text, at))
    object[name], at = read(text, skip(text, colon) + 1)
    at = skip(text, at)
    if text:sub(at, at) == "}" then return object, at + 1 end
    at = at + 1
  end
end

local function read_array(text, at)
  local array = setmetatable({}, json.array)
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return array, at + 1 end
  while true do
    array[#array + 1], at = read(text, at)
    at = skip(text, at)
    if text:sub(at, at) == "]" then return array, at + 1 end
    at = at + 1
  end
end

local WORDS = { t = { true, 4 }, f = { false, 5 }, n = { json.null, 4 } }

--- The value at `at`, and where it ends. What a server under test says is taken to be well-formed.
function read(text, at)
  at = skip(text, at)
  local c = text:sub(at, at)
  if c == '"' then
    return read_string(text, at)
  elseif c == "{" then
    return read_object(text, at)
  elseif c == "[" then
    return read_array(text, at)
  elseif WORDS[c] then
    return WORDS[c][1], at + WORDS[c][2]
  end
  local digits = text:match("^[-+.%deE]+", at)
  return setmetatable({ digits }, json.number), at + #digits
end

function json.read(text)
  return (read(text, 1))
end

-- ---- base64 ---------------------------------------------------------------------------------------------

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local VALUES = {}
for i = 1, #ALPHABET do VALUES[ALPHABET:byte(i)] = i - 1 end

function json.base64(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local word = a << 16 | (b or 0) << 8 | (c or 0)
    for shift = 18, 0, -6 do
      local place = (word >> shift & 63) + 1
      parts[#parts + 1] = ALPHABET:sub(place, place)
    end
    if not b then parts[#parts - 1] = "=" end
    if not c then parts[#parts] = "=" end
  end
  return table.concat(parts)
end

function json.bytes(base64)
  local parts = {}
  for i = 1, #base64, 4 do
    local a, b, c, d = base64:byte(i, i + 3)
    local word = VALUES[a] << 18 | VALUES[b] << 12 | (VALUES[c] or 0) << 6 | (VALUES[d] or 0)
    local piece = string.char(word >> 16 & 255, word >> 8 & 255, word & 255)
    parts[#parts + 1] = piece:sub(1, VALUES[d] and 3 or VALUES[c] and 2 or 1)
  end
  return table.concat(parts)
end

return json
