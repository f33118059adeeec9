--- 100,000 records, a trigger that fails by chance, a server that is killed twice: what is kept until the function ends
-- happens exactly once, in the order of each key, and the poisoned records and only they become dead letters.
local server = require "server"

local KEYS = 1000
local PER_KEY = tonumber(os.getenv("PL_TRIGGER_ROUNDS")) or 100 -- records of each key
local POISONED = 40

local module = [[
return { table = "Writes", partition_key = "k:S", sort_key = "s:N", stream = "new_image",
  triggers = { gather = { on = { "insert" }, retries = 5, batch = 100,
    run = function(records, db)
      local lists = {}
      for _, r in ipairs(records) do
        local k = r.keys.k
        lists[k] = lists[k] or {}
        table.insert(lists[k], r.keys.s)
        if r.new.poison then error("poisoned " .. k .. " " .. r.keys.s) end
      end
      local limit = math.random() < 0.05 and math.random(#records) or math.huge -- 5 of 100 runs fail, half done
      local done = 0
      for k, list in pairs(lists) do
        done = done + #list
        if done >= limit then error("by chance") end
        db:update("Seen", { k = k }, "SET seen = list_append(if_not_exists(seen, :none), :more)",
          { values = { more = list, none = perilune.list {} } })
      end
    end } } } ]]

local folder, log, running

local function write(path, text)
  local file = assert(io.open(folder .. "/" .. path, "wb"))
  file:write(text)
  file:close()
end

local function start()
  -- A killed process has written what it said; the disk need not be waited for.
  running = assert(server.start(log, "--data", folder .. "/data", "--scripts", folder .. "/scripts", "--sync", "never"))
end

local function figure(name)
  return tonumber(running:shell("-c", "STATS Writes"):match('"' .. name .. '":(%d+)'))
end

local function wait_until(what, holds)
  for _ = 1, 20000 do
    if holds() then return end
  end
  error("it never came to be that " .. what .. ": " .. running:shell("-c", "STATS Writes"))
end

-- Round by round over all keys, so that each key's records are written in their order.
local function put_lines(from, to, poisoned)
  local lines, items = {}, {}
  for s = from, to do
    for k = 1, KEYS do
      local poison = poisoned[k .. " " .. s] and ',"poison":true' or ""
      items[#items + 1] = ('{"k":"k%d","s":%d%s}'):format(k, s, poison)
      if #items == 25 then
        lines[#lines + 1] = ('BATCH WRITE {"Writes":{"put":[%s]}}\n'):format(table.concat(items, ","))
        items = {}
      end
    end
  end
  return table.concat(lines)
end

local function load(path)
  local text, code = server.execute(("%s shell --connect %s --file %s/%s >/dev/null"):format(server.program,
    running.address, folder, path))
  assert.are.equal(0, code, text)
end

local function kill()
  server.execute("kill -9 " .. running.pid)
  running.pipe:read("a")
  running.pipe:close()
  running = nil
end

describe("a trigger under kill -9", function()
  after_each(function()
    if running then kill() end
    server.remove(folder)
  end)

  it("handles each record once, in order, and gives up on the poisoned ones alone", function()
    local seed = tonumber(os.getenv("PL_SEED")) or os.time()
    math.randomseed(seed)
    folder = server.new_folder()
    log = folder .. "/log"
    server.execute("mkdir " .. folder .. "/scripts")
    write("scripts/writes.lua", module)
    write("scripts/seen.lua", [[ return { table = "Seen", partition_key = "k:S" } ]])
    local poisoned, count = {}, 0
    while count < POISONED do
      local key = math.random(KEYS) .. " " .. math.random(PER_KEY)
      if not poisoned[key] then poisoned[key], count = true, count + 1 end
    end
    local middle = PER_KEY // 2
    write("first", put_lines(1, middle, poisoned))
    write("second", put_lines(middle + 1, PER_KEY, poisoned))

    start()
    -- Killed while writes come in; what was written already is the same again, and makes no record.
    os.execute(("%s shell --connect %s --file %s/first >/dev/null 2>&1 &"):format(server.program, running.address,
      folder))
    wait_until("a third is written", function() return figure("items") > KEYS * middle // 3 end)
    kill()
    start()
    load("first")
    load("second")
    -- Killed while the trigger works.
    kill()
    start()
    wait_until("all is handled", function() return figure("lag_records") == 0 end)

    local buried = {}
    local rows = running:shell("-c", "DEADLETTERS Writes/gather LIMIT 1000")
    for k, s in rows:gmatch('"keys":{"k":"k(%d+)","s":(%d+)}') do
      assert.is_nil(buried[k .. " " .. s])
      buried[k .. " " .. s] = true
    end
    assert.are.same(poisoned, buried)
    assert.are.equal(POISONED, figure("dead_letters"))

    local seen, page = {}, running:shell("-c", "SCAN Seen LIMIT 500")
    repeat
      for k, list in page:gmatch('"k":"k(%d+)","seen":%[([%d,]*)%]') do seen[k] = list end
      local after = page:match("there is more: AFTER ({[^\n]+)")
      page = after and running:shell("-c", "SCAN Seen LIMIT 500 AFTER " .. after) or ""
    until page == ""
    for k = 1, KEYS do
      local expected = {}
      for s = 1, PER_KEY do
        if not poisoned[k .. " " .. s] then expected[#expected + 1] = s end
      end
      assert.are.equal(table.concat(expected, ","), seen[tostring(k)], ("k%d, seed %d"):format(k, seed))
    end
    assert.are.equal(0, running:stop())
    running = nil
  end)
end)
