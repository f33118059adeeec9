--- What a program finds after it closed a database, or went without closing it.
local lfs = require "lfs"
local perilune = require "perilune"
local scratch = require "scratch"

describe("a database opened again", function()
  after_each(scratch.clean)

  local DEFINITION = { table = "Things", partition_key = "P:S", sort_key = "K:N",
    indexes = { ByG = { partition_key = "G:S", project = "all" }, Near = { sort_key = "H:N" } } }

  local function well(db)
    local report = assert(db:check())
    assert(report.ok, table.concat(report.faults, "\n"))
    return report
  end

  for _, sync in ipairs { "always", "never", "interval:20" } do
    it("has everything, with sync " .. sync, function()
      local db, path = scratch.open { sync = sync }
      assert(db:create_table(DEFINITION))
      for round = 1, 4 do
        for k = 1, 50 do
          assert(db:put("Things", { P = "p", K = k, G = "g" .. k % 3, H = -k, Num = round }))
        end
        assert(db:delete("Things", { P = "p", K = round }))
        db = scratch.reopen(db, path, { sync = sync })
        assert.are.equal(49, db:count "Things")
        assert.are.equal(49, db:count "Things/ByG")
        assert.are.equal(round, db:get("Things", { P = "p", K = 50 }).Num)
        well(db)
      end
    end)
  end

  it("has what was acknowledged when the program went without a word", function()
    local path = scratch.directory() .. "/db"
    local script = ([[
      local perilune = require "perilune"
      local db = assert(perilune.open { path = %q, sync = "always" })
      if #db:tables() == 0 then
        assert(db:create_table { table = "Things", partition_key = "P:S", sort_key = "K:N",
          indexes = { ByG = { partition_key = "G:S", project = "all" }, Near = { sort_key = "H:N" } } })
      end
      local from = db:count "Things"
      for k = from + 1, from + 120 do
        assert(db:put("Things", { P = "p", K = k, G = "g", H = -k }))
      end
      os.exit(0, false) -- without closing the state: no finalizer runs
    ]]):format(path)
    local file = path:gsub("/db$", "") .. "/child.lua"
    local handle = assert(io.open(file, "w"))
    handle:write(script)
    handle:close()
    for round = 1, 4 do
      assert(os.execute(("ASAN_OPTIONS=detect_leaks=0 %s %s"):format(os.getenv "PL_LUA" or "lua5.4", file)))
      local db = scratch.open { path = path, sync = "always" }
      assert.are.equal(120 * round, db:count "Things")
      assert.are.equal(120 * round, db:count("Things/ByG", { G = "g" }))
      well(db)
      db:close()
    end
  end)

  it("remembers tables, indexes and drops", function()
    local db, path = scratch.open()
    assert(db:create_table(DEFINITION))
    assert(db:create_table { table = "Other", partition_key = "P:N" })
    assert(db:drop_table "Other")
    assert(db:alter_table("Things", { ttl = "T", indexes = { ByG = perilune.null } }))
    db = scratch.reopen(db, path)
    assert.are.same({ "Things" }, db:tables())
    assert.are.equal("T", db:describe("Things").ttl)
    assert.is_nil(db:describe("Things").indexes.ByG)
    assert(db:create_table { table = "Other", partition_key = "P:S" })
    assert.are.equal(0, db:count "Other")
  end)

  it("keeps its number of partitions", function()
    local db, path = scratch.open { partitions = 4 }
    assert.are.equal(4, db:stats().partitions)
    db = scratch.reopen(db, path)
    assert.are.equal(4, db:stats().partitions)
    assert(db:create_table(DEFINITION))
    for k = 1, 100 do assert(db:put("Things", { P = "p" .. k, K = 1 })) end
    assert.are.equal(100, db:count "Things")
  end)
end)

describe("perilune.open", function()
  after_each(scratch.clean)

  it("takes a path alone", function()
    local path = scratch.directory() .. "/db"
    local db <close> = assert(perilune.open(path))
    assert.are.equal("directory", lfs.attributes(path, "mode"))
    assert.are.equal("perilune database", tostring(db):match "^perilune database")
  end)

  it("refuses a directory that is open already, here or elsewhere", function()
    local db, path = scratch.open()
    local result, why, code = perilune.open(path)
    assert.is_nil(result)
    assert.are.equal("ResourceInUseException", code)
    assert.is_truthy(why:find("is open in this process", 1, true), why)
    local output = io.popen(([[%s -e 'print(select(2, require "perilune".open(%q)))' /dev/null 2>&1]])
      :format(os.getenv "PL_LUA" or "lua5.4", path)):read "a"
    assert.is_truthy(output:find("is in use by process %d+"), output)
    db:close()
    assert(perilune.open(path)):close()
  end)

  it("refuses what is no data directory", function()
    local path = scratch.directory()
    local file = assert(io.open(path .. "/letter.txt", "w"))
    file:write "Dear reader"
    file:close()
    assert.is_nil((perilune.open(path)))
    assert.is_nil((perilune.open(path .. "/letter.txt")))
    assert.is_nil((perilune.open(path .. "/no/such/parent")))
    local result, why = perilune.open { path = path .. "/db", scripts = path .. "/nowhere" }
    assert.is_nil(result)
    assert.is_truthy(why:find("nowhere", 1, true))
  end)

  it("raises for options that are none", function()
    assert.has_error(function() perilune.open() end)
    assert.has_error(function() perilune.open {} end)
    assert.has_error(function() perilune.open { path = 5 } end)
    assert.has_error(function() perilune.open { path = "x", snyc = "always" } end)
    assert.has_error(function() perilune.open { path = "x", sync = "sometimes" } end)
    assert.has_error(function() perilune.open { path = "x", sync = "interval:0" } end)
    assert.has_error(function() perilune.open { path = "x", partitions = 0 } end)
    assert.is_nil((perilune.open { path = scratch.directory() .. "/db", partitions = 5 })) -- no power of two
  end)
end)

describe("a database", function()
  after_each(scratch.clean)

  it("can be closed twice, and says so when it is used afterwards", function()
    local db = scratch.with_table { table = "Things", partition_key = "P:S" }
    assert.is_true(db:close())
    assert.is_true(db:close())
    assert.are.equal("perilune database (closed)", tostring(db))
    for _, call in ipairs {
      function() db:put("Things", { P = "p" }) end, function() db:get("Things", { P = "p" }) end,
      function() db:query("Things", { P = "p" }) end, function() db:tables() end, function() db:check() end,
      function() db:reload() end, function() db:stats() end, function() db:batch_get { Things = { { P = "p" } } } end,
    } do
      local ok, why = pcall(call)
      assert.is_false(ok)
      assert.is_truthy(why:find("the database is closed", 1, true), why)
    end
  end)

  it("that nobody holds any more is closed", function()
    local path = scratch.directory() .. "/db"
    do
      assert(perilune.open(path))
    end
    collectgarbage()
    collectgarbage()
    assert(perilune.open(path)):close()
  end)

  it("closed while an iterator walks ends the walk with an error", function()
    local db = scratch.with_table { table = "Things", partition_key = "P:S", sort_key = "K:N" }
    for k = 1, 10 do assert(db:put("Things", { P = "p", K = k })) end
    local seen = 0
    local ok, why = pcall(function()
      for _ in db:query("Things", { P = "p" }, { page_size = 4 }) do
        seen = seen + 1
        db:close()
      end
    end)
    assert.is_false(ok)
    assert.are.equal(4, seen)
    assert.is_truthy(why:find("the database is closed", 1, true), why)
  end)

  it("may be used from a finalizer, in the middle of another call", function()
    local db = scratch.with_table { table = "Things", partition_key = "P:S" }
    collectgarbage "generational"
    for i = 1, 3000 do
      setmetatable({}, { __gc = function() assert(db:put("Things", { P = "gc", V = i })) end })
      assert(db:put("Things", { P = "p" .. i % 10, V = { tostring(i), { i } } }))
      assert.is_table(db:get("Things", { P = "p" .. i % 10 }))
    end
    collectgarbage "incremental"
    collectgarbage()
    assert.are.equal(11, db:count "Things")
  end)

  it("leaves nothing behind when an argument raises", function()
    local db = scratch.with_table { table = "Things", partition_key = "P:S" }
    for _ = 1, 2000 do
      pcall(db.put, db, "Things", { P = ("x"):rep(1000) }, { nothing = 1 })
      pcall(db.query_page, db, "Things", { P = ("x"):rep(1000) }, { limit = "many" })
    end
    collectgarbage()
    assert.are.equal(0, db:count "Things")
  end)

  it("hides everything of its module but one name", function()
    local path = package.searchpath("perilune", package.cpath)
    local symbols = io.popen("nm -D --defined-only " .. path .. " 2>/dev/null"):read "a"
    for name in symbols:gmatch " [TBDRV] (%S+)" do
      assert.are.equal("luaopen_perilune", name)
    end
  end)
end)
