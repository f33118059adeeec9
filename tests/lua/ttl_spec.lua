--- Items whose time has come: when they go, what stays, and what nobody can forbid.
local perilune = require "perilune"
local scratch = require "scratch"
local server = require "server"

local THINGS = {
  table = "Things", partition_key = "P:S", ttl = "T",
  indexes = { ByG = { partition_key = "G:S", project = "all" } },
}
local NEVER = 3600000 -- no second look in the time that a test takes

local function well(db)
  local report = assert(db:check())
  assert(report.ok, table.concat(report.faults, "\n"))
  return report
end

-- Nothing happens in a program's own engine but in its calls. Each may take one look.
local function until_expired(db, count)
  local deadline = os.time() + 60
  while db:stats().expired < count do
    assert(os.time() < deadline, "expired so far: " .. db:stats().expired)
    assert(db:put("Others", { P = "p" }))
  end
  assert.are.equal(count, db:stats().expired)
end

local function with_things(options, definition)
  local db, path = scratch.open(options)
  assert(db:create_table(definition or THINGS))
  assert(db:create_table { table = "Others", partition_key = "P:S" })
  return db, path
end

describe("an expired item", function()
  after_each(scratch.clean)

  it("goes with its index entries as the program goes on writing", function()
    local db = with_things { ttl_sweep_ms = 10 }
    for i = 1, 100 do
      assert(db:put("Things", { P = "gone" .. i, G = "g", T = os.time() - i }))
      assert(db:put("Things", { P = "later" .. i, G = "g", T = os.time() + 1000 }))
    end
    assert.are.equal(200, well(db).expiries + db:stats().expired)
    until_expired(db, 100)
    assert.are.equal(100, db:count "Things")
    assert.are.equal(100, db:count("Things/ByG", { G = "g" }))
    assert.are.equal(100, well(db).expiries)
  end)

  it("goes when the database is opened", function()
    local db, path = with_things { ttl_sweep_ms = NEVER }
    assert(db:put("Things", { P = "a", G = "g", T = os.time() - 1 }))
    assert(db:put("Things", { P = "b", G = "g", T = os.time() + 1000 }))
    db = scratch.reopen(db, path)
    assert.is_nil(db:get("Things", { P = "a" }))
    assert.are.equal(1, db:stats().expired)
    assert.are.equal(1, well(db).expiries)
  end)

  it("can be read, filtered, updated and given more time until it goes", function()
    local db, path = with_things { ttl_sweep_ms = NEVER }
    local now = os.time()
    assert(db:put("Others", { P = "the first look is taken" }))
    for _, p in ipairs { "a", "b", "c" } do
      assert(db:put("Things", { P = p, G = "g", T = now - 10 }))
    end
    assert.are.equal("g", db:get("Things", { P = "a" }).G)
    assert.are.equal(3, db:count("Things/ByG", { G = "g" }))
    assert.are.same({}, scratch.list(db:scan("Things", { filter = "T > :now", values = { now = now } }), "P"))
    assert(db:update("Things", { P = "a" }, "SET T = T + :more", { values = { more = 5000 } }))
    assert(db:update("Things", { P = "b" }, "REMOVE T"))
    db = scratch.reopen(db, path, { ttl_sweep_ms = 10 })
    until_expired(db, 1)
    assert.are.equal(2, db:count "Things")
    assert.are.equal(1, well(db).expiries)
  end)

  it("stays when its attribute is no number, no time or too old", function()
    local db = with_things { ttl_sweep_ms = 10 }
    local now = os.time()
    for i, t in ipairs { tostring(now - 10), -1, perilune.list { now - 10 }, now - 5 * 365 * 86400 - 60, true } do
      assert(db:put("Things", { P = "kept" .. i, T = t }))
    end
    assert(db:put("Things", { P = "gone", T = now - 5 * 365 * 86400 + 3600 }))
    until_expired(db, 1)
    assert.are.equal(5, db:count "Things")
    well(db)
  end)

  it("is told by the attribute that the table has now", function()
    local db = with_things { ttl_sweep_ms = 10 }
    assert(db:put("Things", { P = "a", T = os.time() + 1000, U = os.time() - 10 }))
    assert(db:alter_table("Things", { ttl = "U" }))
    assert.are.same({ state = "on" }, db:describe("Things").ttl_state)
    until_expired(db, 1)
    assert(db:alter_table("Things", { ttl = perilune.null }))
    assert.is_nil(db:describe("Things").ttl_state)
    assert(db:put("Things", { P = "b", U = os.time() - 10 }))
    for _ = 1, 30 do assert(db:put("Others", { P = "p" })) end
    assert.are.equal(1, db:count "Things")
    assert.are.equal(0, well(db).expiries)
  end)

  local MODULE = [[
return {
  table = "Things", partition_key = "P:S", ttl = "T",
  indexes = { ByG = { partition_key = "G:S", project = function(item) return { G = item.G, Made = "x" } end } },
  before_write = function(old, new)
    if new == nil then return nil, "nothing is ever deleted here" end
    return new
  end,
}]]
  local OTHERS = "return { table = 'Others', partition_key = 'P:S' }"

  it("goes although before_write lets nobody delete anything", function()
    local scripts = scratch.scripts { ["things.lua"] = MODULE, ["others.lua"] = OTHERS }
    local db = scratch.open { scripts = scripts, ttl_sweep_ms = 10 }
    assert(db:put("Things", { P = "a", G = "g", T = os.time() + 1000 }))
    scratch.refused("WriteRejectedException", "nothing is ever deleted here", db:delete("Things", { P = "a" }))
    assert(db:put("Things", { P = "b", G = "g", T = os.time() - 10 }))
    until_expired(db, 1)
    assert.are.equal(1, db:count("Things/ByG", { G = "g" }))
    well(db)
  end)

  it("goes with what a function made of it, when the function is not there", function()
    local scripts = scratch.scripts { ["things.lua"] = MODULE, ["others.lua"] = OTHERS }
    local db, path = scratch.open { scripts = scripts, ttl_sweep_ms = NEVER }
    assert(db:put("Things", { P = "b", G = "g", T = os.time() - 10 }))
    db = scratch.reopen(db, path)
    assert.are.equal(1, db:stats().expired)
    assert.are.equal(0, db:count("Things/ByG", { G = "g" }))
    well(db)
  end)
end)

describe("a server", function()
  local folder, running
  before_each(function() folder = server.new_folder() end)
  after_each(function()
    if not running.stopped then running:stop() end
    server.remove(folder)
  end)

  local function shell(command)
    local text, code = running:shell("-c", command)
    assert.are.equal(0, code, text)
    return text
  end

  local function await(what, wanted)
    local deadline = os.time() + 30
    local text
    repeat
      text = shell(what)
      assert(os.time() < deadline, text)
    until text:find(wanted, 1, true)
    return text
  end

  local function start(...)
    running = assert(server.start(folder .. "/log", "--data", folder .. "/data", ...))
  end

  -- What the stream says, up to the line that has `wanted` in it.
  local function tail_until(wanted)
    local host, port = running.address:match("^(.+):(%d+)$")
    local text, code = server.execute(([[timeout 30 bash -c 'exec 3<>/dev/tcp/%s/%s
      printf "TAIL Things FROM oldest\\n" >&3
      sed "/%s/q" <&3']]):format(host, port, wanted))
    assert.are.equal(0, code, text)
    return text
  end

  it("deletes what has expired, at rest, and says in the stream that it did #threads", function()
    start("--ttl-sweep-ms", "50")
    shell [[CREATE Things {"partition_key":"P:S","ttl":"T","stream":"new_and_old_images"}]]
    shell(([[PUT Things {"P":"a","T":%d}]]):format(os.time() + 1))
    shell(([[PUT Things {"P":"b","T":%d}]]):format(os.time() + 1000))
    local told = tail_until('by.*expiry')
    assert.is_truthy(told:find('"event":"insert"', 1, true))
    assert.is_truthy(told:match('"event":"remove"[^\n]*"by":"expiry"[^\n]*"old":{"P":"a"'), told)
    await("STATS", '"expired":1,')
    assert.is_nil(shell("SCAN Things"):find('"P":"a"', 1, true))
    assert.is_truthy(shell("SCAN Things"):find('"P":"b"', 1, true))
    assert.is_truthy(shell("CHECK"):find('"expiries":1', 1, true))
    assert.is_truthy(shell("STATS"):find('"expiry_lag_ms":0', 1, true))
  end)

  it("fills expiries in the background, and goes on with it after a restart #threads", function()
    start("--ttl-sweep-ms", "3600000")
    shell [[CREATE Things {"partition_key":"P:S"}]]
    for batch = 1, 8 do
      local puts = {}
      for i = 1, 25 do puts[i] = ('{"P":"%d.%d","T":%d}'):format(batch, i, os.time() + 1000) end
      shell(('BATCH WRITE {"Things":{"put":[%s]}}'):format(table.concat(puts, ",")))
    end
    shell [[ALTER Things {"ttl":"T"}]]
    assert.are.equal(0, running:stop())
    start()
    await("DESCRIBE Things", '"ttl_state":{"state":"on"}')
    assert.is_truthy(shell("CHECK"):find('"expiries":200', 1, true))
  end)

  it("says what a sweep may not be", function()
    start()
    local said, code = server.run("serve", "--ttl-sweep-ms", "0", "--data", folder .. "/other")
    assert.are.equal(78, code, said)
    assert.is_truthy(said:find("ttl-sweep-ms", 1, true))
  end)
end)
