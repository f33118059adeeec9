--- The same random operations through DynamoDB's API, the line protocol and the engine in this process: equal answers,
-- refusals included. PL_SEED repeats a run, PL_OPERATIONS makes it longer.
local http = require "ways.http"
local line = require "ways.line"
local operations = require "ways.operations"
local world = require "ways.world"

local OPERATIONS = tonumber(os.getenv("PL_OPERATIONS")) or 10000
local SEED = tonumber(os.getenv("PL_SEED")) or os.time()
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

local function report(count, list, answers)
  local lines = { ("PL_SEED=%d, operation %d; after shrinking:"):format(SEED, count) }
  for i, operation in ipairs(list) do
    lines[#lines + 1] = ("%d  %s"):format(i, line.text(operation):sub(1, 2000))
  end
  lines[#lines + 1] = "HTTP: " .. list[#list].kind .. " " .. http.body(list[#list]):sub(1, 2000)
  for name, text in pairs(answers) do
    lines[#lines + 1] = ("-- %s:\n%s"):format(name, text:sub(1, 3000))
  end
  return table.concat(lines, "\n")
end

local function same_line_by_line(expected, got)
  local next_line = got:gmatch("[^\n]+")
  for line_ in expected:gmatch("[^\n]+") do
    local other = next_line()
    if line_ ~= other then
      error(("PL_SEED=%d, streams differ:\n%s\n%s"):format(SEED, line_, tostring(other)), 0)
    end
  end
  assert.is_nil(next_line())
end

--- Ask `count` random operations; the first that the ways answer differently, with what was asked before it.
local function run(ways, seed, count)
  local done = {}
  operations.seed(seed)
  for i = 1, count do
    done[i] = operations.random()
    if not ways:ask(done[i]) then return done end
  end
end

-- ---- ways that get something wrong, as a codec might -----------------------------------------------------

local function changed(operation, name, value)
  local copy = {}
  for field, content in pairs(operation) do copy[field] = content end
  copy[name] = value
  return copy
end

local FAULTS = {
  { 1, "reads the other way round", function(o)
    return o.kind == "query" and changed(o, "descending", not o.descending)
  end },
  { 2, "forgets the condition", function(o)
    return o.kind == "delete" and o.condition and changed(o, "condition", nil)
  end },
  { 3, "forgets to show what refused", function(o) return o.on_failure and changed(o, "on_failure", nil) end },
  { 1, "reads a page too long", function(o) return o.limit and o.limit > 0 and changed(o, "limit", o.limit + 1) end },
  { 2, "forgets the filter", function(o) return o.filter and changed(o, "filter", nil) end },
  { 3, "reads eventually", function(o) return o.kind == "get" and changed(o, "consistent", nil) end },
  { 1, "forgets the token", function(o) return o.token and changed(o, "token", nil) end },
}

local function plant(way, change)
  local ask = way.ask
  way.ask = function(self, operation) return ask(self, change(operation) or operation) end
end

-- ---------------------------------------------------------------------------------------------------------

describe("HTTP, the line protocol and the embedded engine", function()
  local ways

  before_each(function() ways = world.open() end)
  after_each(function() assert.are.same({ 0, 0 }, ways:close()) end)

  it("answer the same random operations alike, and tell the same in their streams", function()
    local done = run(ways, SEED, OPERATIONS)
    if done then error(report(#done, shrink(ways, done)), 0) end
    local streams, count = ways:streams("Pairs")
    assert.is_true(count > OPERATIONS / 20)
    same_line_by_line(streams.embedded, streams.HTTP)
    same_line_by_line(streams.embedded, streams["line protocol"])
  end)

  for _, fault in ipairs(FAULTS) do
    it("are told apart when one of them " .. fault[2], function()
      plant(ways.ways[fault[1]], fault[3])
      local done = assert(run(ways, SEED, 5000), "not found out: PL_SEED=" .. SEED)
      assert(differs(ways, done), "not found again: PL_SEED=" .. SEED)
    end)
  end

  it("are told apart by as few operations as it takes", function()
    plant(ways.ways[2], function(o) return o.filter and changed(o, "filter", nil) end)
    local done = assert(run(ways, SEED, 5000))
    local list = shrink(ways, done)
    assert.is_true(#list <= 5, ("%d operations are left: PL_SEED=%d"):format(#list, SEED))
  end)
end)
