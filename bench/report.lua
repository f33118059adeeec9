--- Prints the results of bench/run as tables: `lua5.4 bench/report.lua RESULTS`.

local SYSTEMS = { "perilune", "redis", "tarantool" }

--- One flat JSON object of strings and numbers, as load.c prints it.
local function parse_line(line)
  local object = {}
  for name, value in line:gmatch('"([%w_]+)":("?[^,}"]*)') do
    object[name] = value:sub(1, 1) == '"' and value:sub(2) or tonumber(value)
  end
  return object
end

local function read_results(path)
  local results = {}
  for line in assert(io.lines(path)) do
    results[#results + 1] = parse_line(line)
  end
  return results
end

local results = read_results(assert(arg[1], "usage: report.lua RESULTS"))

--- The last result with these properties, or nil.
local function find(system, operation, pipeline)
  for i = #results, 1, -1 do
    local r = results[i]
    if r.system == system and r.operation == operation and (not pipeline or r.pipeline == pipeline) then
      return r
    end
  end
end

--- What a sync cost when this system's puts were measured: the disk's last measure before them. Nil: not measured.
local function fdatasync_us(system)
  local last
  for _, r in ipairs(results) do
    if r.system == "disk" then
      last = r.p50_us
    elseif r.system == system and r.operation == "put" then
      return last
    end
  end
end

local function ratio(ours, theirs, field)
  return ours and theirs and theirs[field] > 0 and ours[field] / theirs[field] or nil
end

--- Said behind a row whose requests did not find what they should: such a figure is worth nothing.
local function doubt(r)
  if r.empty > 0 then
    return ("  %d found nothing"):format(r.empty)
  elseif r.operation == "query" and r.rows_each < 99 then
    return ("  %.1f items each"):format(r.rows_each)
  end
  return ""
end

local function print_operations()
  print(("%-11s %9s  %-10s %11s %10s %10s %10s %10s %8s %7s"):format("operation", "in flight", "system", "per second",
    "p50 us", "p99 us", "max us", "CPU s/100k", "client", "ours is"))
  local function row(operation, pipeline)
    local ours = find("perilune", operation, pipeline)
    for _, system in ipairs(SYSTEMS) do
      local r = find(system, operation, pipeline)
      if r then
        local times = system ~= "perilune" and ratio(ours, r, "per_second")
        print(("%-11s %9s  %-10s %11.0f %10.0f %10.0f %10.0f %10.2f %7.0f%% %7s%s"):format(
          operation, "64 x " .. pipeline, system, r.per_second, r.p50_us, r.p99_us, r.max_us, r.cpu_s_per_100k,
          100 * r.client_cpu_s / r.seconds, times and ("%.2f x"):format(times) or "", doubt(r)))
      end
    end
  end
  for _, operation in ipairs { "load put", "load query" } do row(operation, 64) end
  for _, operation in ipairs { "put", "get", "query", "transact-2", "transact-10" } do
    row(operation, 1)
    row(operation, 16)
  end
  print("CPU s/100k: the server's CPU seconds for 100,000 operations. client: how busy the client's one thread was;")
  print("near 100 % it is the client that is measured. query: 100 items (QUERY, ZRANGE, select).")
  print("transact-10: transactions of ten puts; their items are ten times as many.")
end

local function print_memory()
  print(("%-10s %14s %14s %14s %14s %14s"):format("system", "start, empty", "start, full", "idle RSS", "RSS, loaded",
    "of it heap"))
  for _, system in ipairs(SYSTEMS) do
    local empty, loaded, full = find(system, "start empty"), find(system, "after load"), find(system, "start full")
    if empty and loaded and full then
      print(("%-10s %11d ms %11d ms %10.1f MiB %10.1f MiB %10.1f MiB"):format(system, empty.ready_ms, full.ready_ms,
        empty.rss_kib / 1024, loaded.rss_kib / 1024, loaded.anonymous_kib / 1024))
    end
  end
end

local function print_expiry()
  if not find("expiring", "put", 1) then return end
  print(("%-28s %9s %11s %10s %10s %10s %14s"):format("puts while items expire", "in flight", "per second", "p50 us",
    "p99 us", "max us", "expired per s"))
  for _, pipeline in ipairs { 1, 16 } do
    for _, label in ipairs { "expiring", "nothing expires" } do
      local r, expired = find(label, "put", pipeline), find(label, "expired", pipeline)
      print(("%-28s %9s %11.0f %10.0f %10.0f %10.0f %14.0f"):format(label, "64 x " .. pipeline, r.per_second, r.p50_us,
        r.p99_us, r.max_us, expired.per_second))
    end
  end
  print(("%-28s %79.0f"):format("no puts", find("at rest", "expired").per_second))
  print()
end

local STREAM_PUTS = {
  { operation = "put", label = "without a stream" },
  { operation = "put-stream", label = "new and old images" },
  { operation = "put-trigger", label = "the same, and a trigger" },
  { operation = "put-trigger-keys", label = "keys only, and a trigger" },
}

local function print_streams()
  if not find("streams", "put-stream", 1) then return end
  print(("%-28s %9s %11s %10s %10s %10s %14s"):format("puts and streams", "in flight", "per second", "p50 us", "p99 us",
    "max us", "of those without"))
  for _, pipeline in ipairs { 1, 16 } do
    local without = find("streams", "put", pipeline)
    for _, kind in ipairs(STREAM_PUTS) do
      local r = find("streams", kind.operation, pipeline)
      print(("%-28s %9s %11.0f %10.0f %10.0f %10.0f %14s"):format(kind.label, "64 x " .. pipeline, r.per_second,
        r.p50_us, r.p99_us, r.max_us, r ~= without and ("%.2f"):format(ratio(r, without, "per_second")) or ""))
    end
    local both, keys = find("trigger lag", "put-trigger", pipeline), find("trigger lag", "put-trigger-keys", pipeline)
    print(("  records that the triggers still had to go through at the end: %d, %d"):format(both.records, keys.records))
  end
  local lag = find("perilune", "tail lag")
  print(("%-28s %9s %11.0f %10.0f %10.0f %10.0f %13.0f%%"):format("TAIL: row after its OK", "64 x 1", lag.per_second,
    lag.p50_us, lag.p99_us, lag.max_us, lag.early_percent))
  print("TAIL's last column: how many rows came before the acknowledgement of their put, and count as no lag.")
  print()
end

--- What issue and README promise, each with its figure. Nothing is printed for what was not measured.
local function print_goals()
  local function goal(what, figure, reached)
    if figure then print(("  %-54s %10s  %s"):format(what, figure, reached and "reached" or "NOT REACHED")) end
  end
  local function throughput(operation, system, least)
    for _, pipeline in ipairs { 1, 16 } do
      local theirs = find(system, operation, pipeline)
      local times = ratio(find("perilune", operation, pipeline), theirs, "per_second")
      local client_bound = theirs and theirs.client_cpu_s > 0.8 * theirs.seconds
      goal(("%s x %d: at least %.1f times %s%s"):format(operation, pipeline, least, system,
        client_bound and " (its client is busy)" or ""), times and ("%.2f x"):format(times), times and times >= least)
    end
  end
  throughput("put", "redis", 1.3)
  throughput("put", "tarantool", 1.3)
  throughput("get", "redis", 0.9)
  local put, sync = find("perilune", "put", 1), fdatasync_us("perilune")
  goal("put x 1: p99 under three fdatasyncs", put and ("%.1f"):format(put.p99_us / sync), put and put.p99_us < 3 * sync)
  for _, kind in ipairs { STREAM_PUTS[3], STREAM_PUTS[4] } do
    local share = ratio(find("streams", kind.operation, 1), find("streams", "put", 1), "per_second")
    goal(("%s x 1: at least 0.75 of puts without"):format(kind.operation), share and ("%.2f"):format(share),
      share and share >= 0.75)
  end
  local start = find("perilune", "start empty")
  goal("start under 50 ms", start and start.ready_ms .. " ms", start and start.ready_ms < 50)
  goal("idle under 20 MB", start and ("%.1f MB"):format(start.rss_kib * 1024 / 1e6),
    start and start.rss_kib * 1024 < 20e6)
end

print("fdatasync of 4 KiB on this disk, median, when puts were measured:")
for _, system in ipairs(SYSTEMS) do
  if fdatasync_us(system) then print(("  %-10s %6.0f us"):format(system, fdatasync_us(system))) end
end
print()
print_operations()
print()
print_memory()
print()
print_expiry()
print_streams()
print_goals()
