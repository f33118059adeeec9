--- Tables: create, alter, drop, describe, and every field of a definition.
local perilune = require "perilune"
local scratch = require "scratch"

describe("a table", function()
  local db, path
  before_each(function()
    db, path = scratch.open()
  end)
  after_each(scratch.clean)

  local FULL = {
    table = "Full.table-1", partition_key = "P:S", sort_key = "K:N", ttl = "ExpiresAt", stream = "new_and_old_images",
    throughput = { read = 5, write = 7 }, deletion_protection = true,
    indexes = {
      ByG = { partition_key = "G:S", sort_key = "H:B", project = { "a", "b" }, throughput = { read = 1, write = 2 } },
      Wide = { partition_key = { "A:S", "B:N" }, sort_key = { "C:S", "D:N" }, project = "all",
        throughput = { read = 3, write = 4 } },
      Near = { sort_key = "L:N", project = "keys_only" },
    },
  }

  it("is described as it was defined, before and after a restart", function()
    assert(db:create_table(FULL))
    for _ = 1, 2 do
      local got = assert(db:describe "Full.table-1")
      assert.are.equal("active", got.state)
      assert.are.equal(0, got.items)
      assert.is_true(math.abs(got.created_ms - os.time() * 1000) < 60000)
      for name, value in pairs(FULL) do
        scratch.same(value, got[name])
      end
      db = scratch.reopen(db, path)
    end
  end)

  it("is listed by name", function()
    assert.are.same({}, db:tables())
    for _, name in ipairs { "zebra", "Apple", "apple" } do
      assert(db:create_table { table = name, partition_key = "P:S" })
    end
    assert.are.same({ "Apple", "apple", "zebra" }, db:tables())
  end)

  it("counts its items and their bytes", function()
    assert(db:create_table { table = "Things", partition_key = "P:S" })
    for i = 1, 10 do
      assert(db:put("Things", { P = "p" .. i % 5, V = ("x"):rep(10) })) -- 1 + 2 + 1 + 10 bytes
    end
    local got = db:describe "Things"
    assert.are.equal(5, got.items)
    assert.are.equal(5 * 14, got.size_bytes)
    assert(db:delete("Things", { P = "p1" }))
    assert(db:update("Things", { P = "p2" }, "REMOVE V"))
    got = db:describe "Things"
    assert.are.equal(4, got.items)
    assert.are.equal(3 * 14 + 3, got.size_bytes)
    db = scratch.reopen(db, path)
    assert.are.equal(4, db:describe("Things").items)
    assert.are.equal(4, db:stats("Things").items)
  end)

  it("cannot be made twice", function()
    assert(db:create_table { table = "Things", partition_key = "P:S" })
    scratch.refused("ResourceInUseException", "Table already exists: Things",
      db:create_table { table = "Things", partition_key = "Q:N" })
  end)

  it("that is not there cannot be described, altered or dropped", function()
    for _, call in ipairs {
      function() return db:describe "Nothing" end,
      function() return db:alter_table("Nothing", { ttl = "T" }) end,
      function() return db:drop_table "Nothing" end,
    } do
      local result, why, code = call()
      assert.is_nil(result)
      assert.are.equal("ResourceNotFoundException", code)
      assert.are.equal("Requested resource not found: Table: Nothing not found", why)
    end
  end)

  it("that is dropped is gone with all its items, and its name is free", function()
    assert(db:create_table { table = "Things", partition_key = "P:S", indexes = { ByG = { partition_key = "G:S" } } })
    for i = 1, 500 do
      assert(db:put("Things", { P = "p" .. i, G = "g" }))
    end
    assert(db:drop_table "Things")
    scratch.refused("ResourceNotFoundException", "Requested resource not found", db:get("Things", { P = "p1" }))
    assert.are.same({}, db:tables())
    assert(db:create_table { table = "Things", partition_key = "P:N", indexes = { ByG = { partition_key = "G:S" } } })
    assert.are.equal(0, db:count "Things")
    assert.are.equal(0, db:count "Things/ByG")
    assert(db:put("Things", { P = 1 }))
    local report = db:check()
    assert(report.ok, table.concat(report.faults, "\n"))
    assert.are.equal(1, report.items)
    db = scratch.reopen(db, path)
    assert.are.equal(1, db:count "Things")
  end)

  it("that is protected is dropped only once it is not", function()
    assert(db:create_table { table = "Things", partition_key = "P:S", deletion_protection = true })
    scratch.invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
      .. "protection first.", db:drop_table "Things")
    assert(db:alter_table("Things", { deletion_protection = false }))
    assert(db:drop_table "Things")
  end)

  it("keeps its items when its settings change", function()
    assert(db:create_table { table = "Things", partition_key = "P:S" })
    assert(db:put("Things", { P = "p" }))
    assert(db:alter_table("Things", { ttl = "T", stream = "keys_only", throughput = { read = 1, write = 1 } }))
    local got = db:describe "Things"
    assert.are.equal("T", got.ttl)
    assert.are.equal("keys_only", got.stream)
    scratch.same({ read = 1, write = 1 }, got.throughput)
    assert(db:alter_table("Things", { ttl = perilune.null, stream = false, throughput = perilune.null }))
    got = db:describe "Things"
    assert.is_nil(got.ttl)
    assert.is_nil(got.throughput)
    assert.is_truthy(got.stream == nil or got.stream == false or got.stream == "off")
    assert.are.equal(1, db:count "Things")
  end)

  it("cannot get other keys", function()
    assert(db:create_table { table = "Things", partition_key = "P:S" })
    for _, change in ipairs { { partition_key = "Q:S" }, { partition_key = "P:N" }, { sort_key = "K:N" } } do
      scratch.invalid("partition_key, sort_key: the table Things has items under other keys; drop it first, or give "
        .. "the new one another name", db:alter_table("Things", change))
    end
  end)

  -- What is wrong with a definition, field by field. Each is merged into one that is right.
  for _, case in ipairs {
    { { table = "ab" }, "table: expected a name of 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.', "
      .. "found \"ab\"" },
    { { table = "a b c" }, "table: expected a name of 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.', "
      .. "found \"a b c\"" },
    { { table = 5 }, "table: expected the name of the table, found 5" },
    { { partition_key = perilune.null }, "partition_key: ^" },
    { { partition_key = "P" }, "partition_key: ^, found \"P\"" },
    { { partition_key = "P:X" }, "partition_key: ^, found \"P:X\"" },
    { { partition_key = ":S" }, "partition_key: ^, found \":S\"" },
    { { partition_key = { "P:S", "Q:S" } }, "partition_key: expected one key attribute, found 2: only global indexes "
      .. "have several" },
    { { sort_key = "P:S" }, "^: the attribute \"P\" stands in the key twice" },
    { { sort_key = 5 }, "sort_key: ^, found 5" },
    { { partition_key = ("x"):rep(256) .. ":S" },
      "partition_key: the name of a key attribute has at most 255 bytes, this one 256" },
    { { ttl = 5 }, "ttl: expected the name of an attribute, found 5" },
    { { stream = "everything" }, "stream: expected \"keys_only\", \"new_image\", \"old_image\", "
      .. "\"new_and_old_images\" or false, found \"everything\"" },
    { { throughput = 5 }, "throughput: expected {\"read\":units,\"write\":units}, found 5" },
    { { throughput = { read = 5 } }, "throughput: expected both read and write units, from 1 to 1000000000000" },
    { { deletion_protection = "yes" }, "deletion_protection: expected true or false, found \"yes\"" },
    { { index = {} }, "index: there is no such field; known here are ^" },
    { { indexes = 5 }, "indexes: expected an object with an index under each name, found 5" },
    { { indexes = { ByG = 5 } }, "indexes.ByG: expected an object with the index's keys, found 5" },
    { { indexes = { ByG = {} } }, "indexes.ByG.sort_key: expected a sort key, because an index without "
      .. "partition_key is local; a global one has its own partition_key" },
    { { indexes = { ab = { partition_key = "G:S" } } }, "indexes.ab: expected a name of 3 to 255 characters^" },
    { { indexes = { ByG = { partition_key = "G:S", project = "some" } } },
      "indexes.ByG.project: expected \"all\", \"keys_only\", a list of names or a function, found \"some\"" },
    { { indexes = { ByG = { partition_key = "G:S", project = perilune.list {} } } },
      "indexes.ByG.project: expected at least one name, found an empty list" },
    { { indexes = { ByG = { partition_key = "G:S", project = { "a", 5 } } } },
      "indexes.ByG.project[2]: expected the name of an attribute, found 5" },
    { { indexes = { ByG = { partition_key = { "A:S", "B:S", "C:S", "D:S", "E:S" } } } },
      "indexes.ByG.partition_key: expected at most 4 key attributes, found 5" },
    { { indexes = { ByG = { partition_key = "P:N" } } },
      "^: the attribute \"P\" is of type N here and S elsewhere: it can have only one" },
    { { indexes = { ByG = { partition_key = "G:S", throughput = { read = 1, write = 1 } } } },
      "indexes.ByG.throughput: the table has no throughput, so it is on demand, and so are its indexes" },
    { { throughput = { read = 1, write = 1 }, indexes = { ByG = { partition_key = "G:S" } } },
      "indexes.ByG.throughput: expected {\"read\":units,\"write\":units}, because the table has throughput" },
    { { indexes = { Near = { sort_key = "H:N" } } },
      "indexes.Near: a local index needs a table with a sort key; with its own partition_key it would be global" },
    { { sort_key = "K:N", indexes = { Near = { sort_key = "H:N", throughput = { read = 1, write = 1 } } } },
      "indexes.Near.throughput: a local index shares the throughput of its table" },
    { { triggers = { welcome = { on = { "insert" } } } }, "triggers^" },
    { { before_write = true }, "before_write: expected a function, found true" },
    { { before_write = { ["$function"] = true } }, "^" },
    { { conditions = { author = "x" } }, "conditions.author: expected a function, found \"x\"" },
  } do
    it("is refused: " .. case[2]:sub(1, 70), function()
      local definition = { table = "Things", partition_key = "P:S" }
      for name, value in pairs(case[1]) do definition[name] = value end
      local result, why, code = db:create_table(definition)
      assert.is_nil(result)
      assert.are.equal("ValidationException", code)
      local before, after = case[2]:match "^(.-)%^(.*)$" -- ^ stands for anything
      if not before then
        assert.are.equal(case[2], why)
      else
        assert.are.equal(before, why:sub(1, #before))
        assert.are.equal(after, after == "" and "" or why:sub(-#after))
      end
      assert.are.same({}, db:tables())
    end)
  end

  it("has at most 5 local and 20 global indexes, and 100 projected names", function()
    local function with(count, make)
      local indexes = {}
      for i = 1, count do indexes["index" .. i] = make(i) end
      return db:create_table { table = "Things" .. count, partition_key = "P:S", sort_key = "K:N", indexes = indexes }
    end
    assert(with(5, function(i) return { sort_key = "H" .. i .. ":N" } end))
    assert(with(20, function(i) return { partition_key = "H" .. i .. ":N" } end))
    scratch.invalid("indexes: a table has at most 5 local indexes, this one 6",
      with(6, function(i) return { sort_key = "H" .. i .. ":N" } end))
    scratch.invalid("indexes: a table has at most 20 global indexes, this one 21",
      with(21, function(i) return { partition_key = "H" .. i .. ":N" } end))
    scratch.invalid("indexes: all indexes together project at most 100 names, these 102", with(2, function()
      local names = {}
      for i = 1, 51 do names[i] = "n" .. i end
      return { partition_key = "G:S", project = names }
    end))
  end)

  it("takes no function but from a module", function()
    local result, why, code = db:create_table { table = "Things", partition_key = "P:S",
      before_write = function(_, new) return new end }
    assert.is_nil(result)
    assert.are.equal("ValidationException", code)
    assert.is_truthy(why:find("^before_write: "), why)
  end)

  describe("from a module", function()
    it("is there at the start, altered by a reload, and kept when the module goes", function()
      local scripts = scratch.scripts { ["things.lua"] = [[
        return { table = "Things", partition_key = "P:S", ttl = "T", stream = "new_image",
          indexes = { ByG = { partition_key = "G:S" } },
          before_write = function(old, new) return new end,
          conditions = { never = function() return false end },
          triggers = { welcome = { on = { "insert" }, run = function() end } } } ]] }
      db:close()
      db = scratch.open { path = path, scripts = scripts }
      local got = db:describe "Things"
      assert.are.equal("T", got.ttl)
      assert.is_table(got.indexes.ByG)
      assert.is_table(got.conditions.never)
      assert.is_table(got.triggers.welcome)
      assert(db:put("Things", { P = "p", G = "g", H = "h" }))
      scratch.write_scripts(scripts, { ["things.lua"] = [[
        return { table = "Things", partition_key = "P:S", indexes = { ByH = { partition_key = "H:S" } } } ]] })
      assert(db:reload())
      assert.are.equal(1, db:count("Things/ByH", { H = "h" }))
      scratch.invalid("The table does not have the specified index: ByG", db:query_page("Things/ByG", { G = "g" }))
      os.remove(scripts .. "/things.lua")
      db = scratch.reopen(db, path, { scripts = scripts })
      assert.are.equal(1, db:count "Things")
    end)

    it("that is wrong keeps the database closed, with file and field", function()
      db:close()
      for text, sentence in pairs {
        ["return { table = \"Things\", partition_key = \"P:X\" }"] = "^things%.lua.*partition_key: expected",
        ["return { table = \"Things\", partition_key = \"P:S\", indexs = {} }"] =
          "^things%.lua.*indexs: there is no such",
        ["return {"] = "^things%.lua:1: ",
        ["\n\nerror(\"I raise\")"] = "^things%.lua:3: I raise",
        ["return 5"] = "^things%.lua.*expected",
        ["return { table = \"Things\", partition_key = \"P:S\", before_write = 5 }"] =
          "^things%.lua.*before_write: expected",
        ["while true do end"] = "^things%.lua",
      } do
        local scripts = scratch.scripts { ["things.lua"] = text }
        local result, why, code = perilune.open { path = path, scripts = scripts }
        assert.is_nil(result)
        assert.are.equal("ValidationException", code)
        assert.is_truthy(why:find(sentence), why)
      end
      db = scratch.open { path = path }
      assert.are.same({}, db:tables())
    end)

    it("stays as it was when a reload is wrong", function()
      local text = "return { table = \"Things\", partition_key = \"P:S\", "
        .. "conditions = { ok = function() return %s end } }"
      local scripts = scratch.scripts { ["things.lua"] = text:format "true" }
      db:close()
      db = scratch.open { path = path, scripts = scripts }
      assert(db:put("Things", { P = "p" }, { condition = "@ok" }))
      for _, wrong in ipairs { "return {", "return { table = \"Things\", partition_key = \"Other:N\" }" } do
        scratch.write_scripts(scripts, { ["things.lua"] = wrong })
        local result, _, code = db:reload()
        assert.is_nil(result)
        assert.are.equal("ValidationException", code)
        assert(db:put("Things", { P = "p" }, { condition = "@ok" }))
      end
      scratch.write_scripts(scripts, { ["things.lua"] = text:format "false" })
      assert(db:reload())
      assert.is_nil((db:put("Things", { P = "p" }, { condition = "@ok" })))
    end)

    it("is one of each name, and one of each file", function()
      db:close()
      local same = "return { table = \"Things\", partition_key = \"P:S\" }"
      local scripts = scratch.scripts { ["a.lua"] = same, ["b.lua"] = same }
      local result, why = perilune.open { path = path, scripts = scripts }
      assert.is_nil(result)
      assert.is_truthy(why:find("Things", 1, true), why)
    end)

    it("cannot be reloaded where there is no directory", function()
      scratch.invalid("there is no scripts directory to load from", db:reload())
    end)
  end)
end)
