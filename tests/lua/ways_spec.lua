--- The same random operations through DynamoDB's API, the line protocol and the engine in this process: equal answers,
-- refusals included. PL_SEED repeats a run, PL_OPERATIONS makes it longer.
local http = require "ways.http"
local line = require "ways.line"
local operations = require "ways.operations"
local world = require "ways.world"

local OPERATIONS = tonumber(os.getenv("PL_OPERATIONS")) or 10000
local SHRINKING_S = 60

-- ---- what differed, in as few operations as it takes -----------------------------------------------------

--- Does asking `list` from empty tables end in a difference? The answers of the first that differs, and its place.
local function differs(ways, list)
  ways:reset()
  for i, operation in ipairs(list) do
    local agree, answers = ways:ask(operation)
    if not agree then return answers, i end
  end
end

local function without(list, from, count)
  local rest = {}
  for i, operation in ipairs(list) do
    if i < from or i >= from + count then rest[#rest + 1] = operation end
  end
  return rest
end

--- Leave out what is not needed for a difference: halves, quarters, and so on down to single operations.
local function shrink(ways, list)
  local answers, last = differs(ways, list)
  local until_s, size = os.time() + SHRINKING_S, #list // 2
  if not answers then return list, { ["on repeating"] = "no difference" } end
  list = table.move(list, 1, last, 1, {})
  while size >= 1 and os.time() < until_s do
    local at = 1
    while at < #list and os.time() < until_s do
      local fewer = without(list, at, math.min(size, #list - at))
      local found, place = differs(ways, fewer)
      if found then
        list, answers = table.move(fewer, 1, place, 1, {}), found
      else
        at = at + size
      end
    end
    size = size // 2
  end
  return list, answers
end

local function report(seed, count, list, answers)
  local lines = { ("PL_SEED=%d, operation %d; after shrinking:"):format(seed, count) }
  for i, operation in ipairs(list) do
    lines[#lines + 1] = ("%d  %s"):format(i, line.text(operation):sub(1, 2000))
  end
  lines[#lines + 1] = "HTTP: " .. list[#list].kind .. " " .. http.body(list[#list]):sub(1, 2000)
  for name, text in pairs(answers) do
    lines[#lines + 1] = ("-- %s:\n%s"):format(name, text:sub(1, 3000))
  end
  return table.concat(lines, "\n")
end

-- ---------------------------------------------------------------------------------------------------------

describe("HTTP, the line protocol and the embedded engine", function()
  local ways

  before_each(function() ways = world.open() end)
  after_each(function() ways:close() end)

  it("answer the same random operations alike", function()
    local seed = tonumber(os.getenv("PL_SEED")) or os.time()
    local done = {}
    operations.seed(seed)
    for i = 1, OPERATIONS do
      done[i] = operations.random()
      if not ways:ask(done[i]) then
        error(report(seed, i, shrink(ways, done)), 0)
      end
    end
  end)
end)
