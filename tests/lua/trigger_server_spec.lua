--- Triggers on a server: threads of their own, figures, dead letters over the line protocol, RELOAD, a stop.
local server = require "server"

local folder, log, running

local function write(name, text)
  local file = assert(io.open(folder .. "/scripts/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function things(run, more)
  write("things.lua", ([[
    return { table = "Things", partition_key = "id:S", stream = "new_and_old_images",
      triggers = { t = { %s run = function(records, db) %s end } } } ]]):format(more or "", run))
end

local function start(...)
  running = assert(server.start(log, "--data", folder .. "/data",
    "--scripts", folder .. "/scripts", ...))
end

local function ask(line)
  local text, code = running:shell("-c", line)
  return text, code
end

local function figure(name)
  return tonumber(ask("STATS Things"):match('"' .. name .. '":(%d+)'))
end

-- Each question is a program of its own, so this is no busy loop.
local function wait_until(holds)
  for _ = 1, 2000 do
    if holds() then return end
  end
  error("it never came to be: " .. ask("STATS Things"), 2)
end

local function settle()
  wait_until(function() return figure("lag_records") == 0 end)
end

describe("triggers on a server #threads", function()
  before_each(function()
    folder = server.new_folder()
    log = folder .. "/log"
    server.execute("mkdir " .. folder .. "/scripts")
    write("copies.lua", [[ return { table = "Copies", partition_key = "id:S" } ]])
  end)

  after_each(function()
    if running and not running.stopped then running:stop() end
    running = nil
    server.remove(folder)
  end)

  it("copy what is written, and tell how far they are", function()
    things [[ for _, r in ipairs(records) do db:put("Copies", r.new) end ]]
    start()
    for i = 1, 5 do ask(('PUT Things {"id":"k%d","n":%d}'):format(i, i)) end
    settle()
    assert.are.equal('{"count":5,"scanned":5}\n', ask("COUNT Copies"))
    assert.are.equal(5, figure("records"))
    assert.are.equal(0, figure("failures"))
    assert.are.equal(0, figure("dead_letters"))
    assert.are.equal(0, running:stop())
  end)

  it("never hold up a write, even one that does not come back", function()
    things [[ while not db:get("Copies", { id = "open" }) do end
              for _, r in ipairs(records) do db:put("Copies", { id = r.keys.id }) end ]]
    start("--trigger-threads", "1", "--trigger-time-ms", "600000")
    for i = 1, 20 do assert.are.equal("OK\n", (ask(('PUT Things {"id":"k%d"}'):format(i)))) end
    assert.are.equal(20, figure("lag_records"))
    ask('PUT Copies {"id":"open"}')
    settle()
    assert.are.equal('{"count":21,"scanned":21}\n', ask("COUNT Copies"))
  end)

  it("that run when the server is told to stop are ended, and begin again with the next start", function()
    things [[ while true do end ]]
    start("--trigger-time-ms", "600000")
    ask('PUT Things {"id":"k"}')
    assert.are.equal(0, running:stop())
    things [[ for _, r in ipairs(records) do db:put("Copies", r.new) end ]]
    start()
    settle()
    assert.are.equal('{"id":"k"}\n', ask('GET Copies {"id":"k"}'))
    assert.are.equal('{"count":0}\n', ask("DEADLETTERS Things/t"))
  end)

  it("are ended by the time limit, and that is a failure like any other", function()
    things([[ if records[1].new.slow then while true do pcall(function() while true do end end) end end
              db:put("Copies", { id = "after" }) ]], "retries = 0, batch = 1,")
    start("--trigger-time-ms", "20", "--partitions", "1")
    ask('PUT Things {"id":"k","slow":true}')
    ask('PUT Things {"id":"l"}')
    settle()
    assert.matches('"error":"things.lua:%d+: the function ran longer than 20 ms"', (ask("DEADLETTERS Things/t")))
    assert.are.equal('{"id":"after"}\n', ask('GET Copies {"id":"after"}'))
  end)

  it("take new code with RELOAD, and what was dead can be replayed with it", function()
    things([[ error("not written yet") ]], "retries = 0,")
    start()
    for i = 1, 3 do ask(('PUT Things {"id":"k%d"}'):format(i)) end
    settle()
    local letters = ask("DEADLETTERS Things/t")
    assert.matches('"error":"things.lua:%d+: not written yet"', letters)
    local id = letters:match('"id":"(%d+%-%d+)"')
    things([[ for _, r in ipairs(records) do db:put("Copies", r.new) end ]], "retries = 0,")
    assert.are.equal("OK\n", (ask("RELOAD")))
    assert.are.equal('{"replayed":1,"failed":0}\n', (ask("DEADLETTERS Things/t REPLAY " .. id)))
    assert.are.equal(2, figure("dead_letters"))
    assert.are.equal('{"replayed":2,"failed":0}\n', (ask("DEADLETTERS Things/t REPLAY ALL")))
    assert.are.equal('{"count":3,"scanned":3}\n', ask("COUNT Copies"))
    assert.are.equal('{"purged":0}\n', (ask("DEADLETTERS Things/t PURGE ALL")))
    assert.are.equal("ERR ValidationException expected a dead letter's id, as in 12-4711, or ALL\n",
      (ask("DEADLETTERS Things/t PURGE 12")))
    assert.are.equal("ERR ResourceNotFoundException the table Things has no trigger u\n", (ask("DEADLETTERS Things/u")))
  end)

  it("leave nothing behind when they or their tables go", function()
    things [[ db:put("Copies", { id = "x" }) ]]
    start()
    ask('PUT Things {"id":"k"}')
    settle()
    write("things.lua", [[ return { table = "Things", partition_key = "id:S", stream = "keys_only" } ]])
    assert.are.equal("OK\n", (ask("RELOAD")))
    assert.are.equal("ERR ResourceNotFoundException the table Things has no trigger t\n", (ask("DEADLETTERS Things/t")))
    server.execute("rm " .. folder .. "/scripts/things.lua")
    assert.are.equal("OK\n", (ask("RELOAD")))
    assert.are.equal("OK\n", (ask("DROP Things")))
    assert.matches('"ok":true', (ask("CHECK")))
    assert.are.equal(0, running:stop())
  end)
end)
