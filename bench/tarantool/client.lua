#!/usr/bin/env tarantool
--- The same load as bench/load.c makes, over Tarantool's own client: net.box connections, each with `pipeline` fibers
-- that have one request in flight. Takes the same options and prints the same JSON line.
local clock = require "clock"
local fiber = require "fiber"
local net = require "net.box"

local RANGE_ITEMS, RANGE_FIRST = 100, 100

--- Counts latencies in buckets that are 0.8 % wide, as bench/load/histogram.c does.
local function new_histogram()
  return { counts = {}, total = 0, max_us = 0 }
end

local STEP = math.log(1.008)

local function histogram_add(h, us)
  local bucket = math.floor(math.log(us < 1 and 1 or us) / STEP)
  h.counts[bucket] = (h.counts[bucket] or 0) + 1
  h.total = h.total + 1
  if us > h.max_us then h.max_us = us end
end

local function histogram_percentile(h, share)
  local buckets, seen = {}, 0
  for bucket in pairs(h.counts) do buckets[#buckets + 1] = bucket end
  table.sort(buckets)
  for _, bucket in ipairs(buckets) do
    seen = seen + h.counts[bucket]
    if seen >= share * h.total then
      return math.min(math.exp((bucket + 1) * STEP), h.max_us)
    end
  end
  return h.max_us
end

--- User and system time of a process; of this one for "self".
local function cpu_seconds(pid)
  if not pid then return 0 end
  local file = assert(io.open("/proc/" .. pid .. "/stat"))
  local text = file:read("*a")
  file:close()
  local fields = {}
  for field in text:match(".*%) (.*)"):gmatch("%S+") do fields[#fields + 1] = field end
  return (tonumber(fields[12]) + tonumber(fields[13])) / 100 -- CLK_TCK is 100 wherever Debian runs
end

local function parse_options(args)
  local options = { connections = 64, pipeline = 1, keys = 1000000, ["value-bytes"] = 256, seconds = 10, warmup = 1,
                    host = "127.0.0.1", label = "tarantool" }
  local i = 1
  while i <= #args do
    local name = args[i]:match("^%-%-(.+)")
    assert(name, "not an option: " .. args[i])
    if name == "load" then
      options.load = true
    else
      i = i + 1
      options[name] = tonumber(args[i]) or args[i]
    end
    i = i + 1
  end
  assert(options.port and options.operation, "usage: client.lua --port PORT --operation put|get|query")
  return options
end

local options = parse_options(arg)
local value_tail = string.rep("v", options["value-bytes"] - 10)
local ranges = math.floor(options.keys / RANGE_ITEMS)
local made, made_max = 0, math.huge

local operations = {
  put = function(spaces, number)
    local key = options.load and number or math.random(0, options.keys - 1)
    spaces.bench:replace { ("k%07d"):format(key), ("%010d"):format(number) .. value_tail }
    return 1
  end,
  get = function(spaces)
    return spaces.bench:get(("k%07d"):format(math.random(0, options.keys - 1))) and 1 or 0
  end,
  query = function(spaces)
    return #spaces.bench_range:select({ ("p%07d"):format(math.random(0, ranges - 1)) }, { limit = RANGE_ITEMS })
  end,
  fill = function(spaces, number)
    local range, sort = math.floor(number / RANGE_ITEMS), RANGE_FIRST + number % RANGE_ITEMS
    spaces.bench_range:replace { ("p%07d"):format(range), sort, ("%010d"):format(sort) .. value_tail }
    return 1
  end,
}

local operation = operations[options.operation]
if options.load then
  made_max = options.operation == "query" and ranges * RANGE_ITEMS or options.keys
  operation = options.operation == "query" and operations.fill or operations.put
end

local histogram = new_histogram()
local measuring, measured, rows, empty = false, 0, 0, 0
local first_error

--- One request after the other until there are no more to make.
local function work(spaces)
  while made < made_max and not first_error do
    local number = made
    made = made + 1
    local begun = clock.monotonic()
    local ok, found = pcall(operation, spaces, number)
    if not ok then
      first_error = first_error or tostring(found)
      return
    end
    histogram_add(histogram, (clock.monotonic() - begun) * 1e6)
    if measuring then measured = measured + 1 end
    rows = rows + found
    if found == 0 then empty = empty + 1 end
  end
end

local connections, fibers = {}, {}
for i = 1, options.connections do
  connections[i] = net.connect(options.host, options.port)
  assert(connections[i]:ping(), "no connection")
end

local function start_all()
  for _, connection in ipairs(connections) do
    for _ = 1, options.pipeline do
      local f = fiber.new(work, connection.space)
      f:set_joinable(true)
      fibers[#fibers + 1] = f
    end
  end
end

local function join_all()
  for _, f in ipairs(fibers) do f:join() end
end

if not options.load then
  start_all()
  fiber.sleep(options.warmup)
  histogram, rows, empty = new_histogram(), 0, 0
end
measuring = true
local server_cpu, own_cpu, begun = cpu_seconds(options.pid), cpu_seconds("self"), clock.monotonic()
if options.load then
  start_all()
  join_all()
else
  fiber.sleep(options.seconds)
end
local took = clock.monotonic() - begun
server_cpu, own_cpu = cpu_seconds(options.pid) - server_cpu, cpu_seconds("self") - own_cpu
measuring, made_max = false, 0
if not options.load then join_all() end

print(([[{"system":"%s","operation":"%s%s","connections":%d,"pipeline":%d,"requests":%d,"errors":%d,"empty":%d,]]
  .. [["rows_each":%.1f,"seconds":%.3f,"per_second":%.0f,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f,]]
  .. [["server_cpu_s":%.2f,"cpu_s_per_100k":%.3f,"client_cpu_s":%.2f}]]):format(
  options.label, options.load and "load " or "", options.operation, options.connections, options.pipeline, measured,
  first_error and 1 or 0, empty, rows / math.max(histogram.total, 1), took, measured / took,
  histogram_percentile(histogram, 0.5), histogram_percentile(histogram, 0.99), histogram_percentile(histogram, 0.999),
  histogram.max_us, server_cpu, server_cpu * 1e5 / math.max(measured, 1), own_cpu))
if first_error then
  io.stderr:write("client.lua: ", first_error, "\n")
end
os.exit(first_error and 1 or 0)
