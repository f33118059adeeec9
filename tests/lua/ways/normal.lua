--- One form for what all ways in are asked and answer.
--
-- A value is DynamoDB's typed form as a Lua table with bytes as they are: { S = "a" }, { N = "1.50" },
-- { B = "\0" }, { BOOL = true }, { NULL = true }, { L = { value, .. } }, { M = { name = value } }, { SS = { "a" } },
-- { NS = { "1" } }, { BS = { "\0" } }. An item is a table of names and values.
--
-- An answer has those of these fields that its operation gives:
--
--     code, sentence          a refusal, with `item` or `reasons` where they belong to it
--     item                    read, or the attributes that a write returns
--     items                   of a page; of a transaction that reads, with `false` where there is none
--     tables                  table's name → items, of a batch
--     count, scanned, last    of a page; `last` is a key
--     capacity                { total =, table =, indexes = { name = } }
--     pages                   of a walk to the end: a list of answers
local json = require "ways.json"

local normal = {}

--- One text for equal numbers: digits without zeros at either end, and the place of the first one.
function normal.number(text)
  local sign, whole, fraction, exponent = text:match("^([-+]?)(%d*)%.?(%d*)[eE]?([-+]?%d*)$")
  if not sign then
    return "?" .. text
  end
  local digits = whole .. fraction
  local place = #whole + (tonumber(exponent) or 0)
  local zeros = #digits:match("^0*")
  digits = digits:sub(zeros + 1):gsub("0+$", "")
  if digits == "" then
    return "0"
  end
  return (sign == "-" and "-" or "") .. "." .. digits .. "e" .. math.tointeger(place - zeros)
end

-- Printable whatever the bytes are.
local function quote(bytes)
  return (("%q"):format(bytes):gsub("[\128-\255]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function bytes_text(bytes)
  if #bytes <= 60 then return quote(bytes) end
  return ("%s..%d bytes%s"):format(quote(bytes:sub(1, 20)), #bytes, normal.sum(bytes))
end

--- So that long values are compared whole and printed short.
function normal.sum(bytes)
  local sum, whole = 5381, #bytes - #bytes % 8
  for i = 1, whole, 8 do sum = (sum ~ string.unpack("<i8", bytes, i)) * 0x100000001B3 end
  for i = whole + 1, #bytes do sum = (sum ~ bytes:byte(i)) * 0x100000001B3 end
  return (" #%x"):format(sum)
end

local function set_text(elements, text_of)
  local parts = {}
  for i, element in ipairs(elements) do parts[i] = text_of(element) end
  table.sort(parts)
  return "<" .. table.concat(parts, ",") .. ">"
end

local TEXTS
local function value_text(value)
  local kind, content = next(value)
  return kind .. " " .. TEXTS[kind](content)
end

TEXTS = {
  S = bytes_text,
  B = bytes_text,
  N = normal.number,
  BOOL = tostring,
  NULL = tostring,
  L = function(list) return json.list(list, value_text) end,
  M = function(map) return json.members(map, value_text) end,
  SS = function(set) return set_text(set, bytes_text) end,
  BS = function(set) return set_text(set, bytes_text) end,
  NS = function(set) return set_text(set, normal.number) end,
}

function normal.item_text(item)
  return item and json.members(item, value_text) or "none"
end

local function capacity_text(capacity)
  local parts = {}
  for _, name in ipairs(json.names(capacity.indexes or {})) do
    if capacity.indexes[name] ~= 0 then
      parts[#parts + 1] = (" %s %.1f"):format(name, capacity.indexes[name])
    end
  end
  local of_table = capacity.table and (" table %.1f"):format(capacity.table) or ""
  return ("total %.1f%s%s"):format(capacity.total or 0, of_table, table.concat(parts))
end

local function reason_text(reason)
  return ("%s %s %s"):format(reason.code, reason.message or "-", normal.item_text(reason.item))
end

--- An answer as lines of text: equal answers have equal texts.
function normal.text(answer)
  local lines = {}
  local function say(name, text) lines[#lines + 1] = name .. ": " .. text end

  if answer.code then say("code", answer.code) say("sentence", answer.sentence) end
  if answer.item then say("item", normal.item_text(answer.item)) end
  for i, item in ipairs(answer.items or {}) do say("item " .. i, normal.item_text(item)) end
  for _, name in ipairs(json.names(answer.tables or {})) do
    for i, item in ipairs(answer.tables[name]) do say(name .. " " .. i, normal.item_text(item)) end
  end
  if answer.count then say("count", ("%d of %d"):format(answer.count, answer.scanned)) end
  if answer.last then say("last key", normal.item_text(answer.last)) end
  if answer.unprocessed then say("unprocessed", "some") end
  if answer.capacity then say("capacity", capacity_text(answer.capacity)) end
  for i, reason in ipairs(answer.reasons or {}) do say("reason " .. i, reason_text(reason)) end
  for i, page in ipairs(answer.pages or {}) do say("page " .. i, "\n" .. normal.text(page)) end
  return #lines > 0 and table.concat(lines, "\n") or "done"
end

--- A stream's record as texts: its place, of which the order tells, its key, and what happened.
function normal.record(shard, sequence, record)
  return {
    place = ("%05d %020d"):format(shard, sequence),
    key = normal.item_text(record.keys),
    event = ("%s new %s old %s"):format(record.event, normal.item_text(record.new), normal.item_text(record.old)),
  }
end

--- A stream as text: the places of all its records, and for each key what happened to it, in order. The writes of a
-- batch have no order among each other (in Lua they are given in none), so whose place is whose is not told.
function normal.stream_text(records)
  local lines, stories = {}, {}
  table.sort(records, function(a, b) return a.place < b.place end)
  for i, record in ipairs(records) do
    lines[i] = record.place
    stories[record.key] = (stories[record.key] or "") .. "\n  " .. record.event
  end
  for _, key in ipairs(json.names(stories)) do lines[#lines + 1] = key .. stories[key] end
  return table.concat(lines, "\n")
end

--- The attributes that a write returns: none is as good as an empty item, see ways.differences.
function normal.returned(item)
  return item and next(item) and item or nil
end

return normal
