--- Secondary indexes.
local perilune = require "perilune"
local scratch = require "scratch"

describe("an index", function()
  local db, path
  before_each(function()
    db, path = scratch.open()
  end)
  after_each(scratch.clean)

  local function well()
    local report = assert(db:check())
    assert(report.ok, table.concat(report.faults, "\n"))
    return report
  end

  local function table_with(indexes, options)
    local definition = { table = "Things", partition_key = "P:S", sort_key = "K:N", indexes = indexes }
    for k, v in pairs(options or {}) do definition[k] = v end
    assert(db:create_table(definition))
  end

  local function entries(index, where, name)
    local list = scratch.list(db:query("Things/" .. index, where), name or "K")
    table.sort(list)
    return list
  end

  it("holds an entry for each item that has all its key attributes", function()
    table_with { ByG = { partition_key = "G:S", sort_key = "H:N" }, OnlyG = { partition_key = "G:S" } }
    assert(db:put("Things", { P = "p", K = 1, G = "g", H = 1 }))
    assert(db:put("Things", { P = "p", K = 2, G = "g" }))
    assert(db:put("Things", { P = "p", K = 3, H = 1 }))
    assert(db:put("Things", { P = "p", K = 4 }))
    assert.are.same({ 1 }, entries("ByG", { G = "g" }))
    assert.are.same({ 1, 2 }, entries("OnlyG", { G = "g" }))
    assert.are.equal(3, well().index_entries)
  end)

  it("follows its item as key attributes come, change and go", function()
    table_with { ByG = { partition_key = "G:S", sort_key = "H:N" }, Near = { sort_key = "H:N" } }
    local key = { P = "p", K = 1 }
    local function is_in(g, near)
      for _, name in ipairs { "a", "b" } do
        assert.are.same(g == name and { 1 } or {}, entries("ByG", { G = name }))
      end
      assert.are.same(near and { 1 } or {}, entries("Near", { P = "p" }))
      well()
    end
    assert(db:put("Things", key))
    is_in(nil, false)
    assert(db:update("Things", key, "SET H = 5"))
    is_in(nil, true)
    assert(db:update("Things", key, "SET G = \"a\""))
    is_in("a", true)
    assert(db:update("Things", key, "SET G = \"b\", H = 6"))
    is_in("b", true)
    assert(db:update("Things", key, "SET G = \"b\"")) -- the same again must not lose it
    is_in("b", true)
    assert(db:update("Things", key, "REMOVE H"))
    is_in(nil, false)
    assert(db:put("Things", { P = "p", K = 1, G = "a", H = 1 }))
    is_in("a", true)
    assert(db:put("Things", { P = "p", K = 1, G = "a" }))
    is_in(nil, false)
    assert(db:put("Things", { P = "p", K = 1, G = "a", H = 2 }))
    assert(db:delete("Things", key))
    is_in(nil, false)
  end)

  it("keeps apart items that share an index key", function()
    table_with { ByG = { partition_key = "G:S", sort_key = "H:N", project = "all" } }
    for k = 1, 30 do
      assert(db:put("Things", { P = "p" .. k % 4, K = k, G = "same", H = 7, Num = k }))
    end
    local all = {}
    for k = 1, 30 do all[k] = k end
    assert.are.same(all, entries("ByG", { G = "same", H = 7 }))
    assert(db:delete("Things", { P = "p2", K = 14 }))
    table.remove(all, 14)
    assert.are.same(all, entries("ByG", { G = "same" }, "Num"))
    well()
  end)

  it("gives all, the keys, or the named attributes", function()
    table_with {
      All = { partition_key = "G:S", project = "all" },
      Keys = { partition_key = "G:S", project = "keys_only" },
      Named = { partition_key = "G:S", project = { "Num", "P", "Nothing" } },
      Default = { partition_key = "G:S" },
      NearAll = { sort_key = "H:N", project = "all" },
      NearNamed = { sort_key = "H:N", project = { "Str" } },
    }
    local item = { P = "p", K = 1, G = "g", H = 2, Num = 3, Str = "s", Doc = { a = 1 } }
    assert(db:put("Things", item))
    local function one(index, where)
      return scratch.list(db:query("Things/" .. index, where))[1]
    end
    scratch.same(item, one("All", { G = "g" }))
    scratch.same({ P = "p", K = 1, G = "g" }, one("Keys", { G = "g" }))
    scratch.same({ P = "p", K = 1, G = "g", Num = 3 }, one("Named", { G = "g" }))
    scratch.same(item, one("Default", { G = "g" }))
    scratch.same(item, one("NearAll", { P = "p" }))
    scratch.same({ P = "p", K = 1, H = 2, Str = "s" }, one("NearNamed", { P = "p" }))
    assert(db:update("Things", { P = "p", K = 1 }, "SET Num = 4 REMOVE Doc, Str"))
    scratch.same({ P = "p", K = 1, G = "g", H = 2, Num = 4 }, one("All", { G = "g" }))
    scratch.same({ P = "p", K = 1, G = "g", Num = 4 }, one("Named", { G = "g" }))
    scratch.same({ P = "p", K = 1, H = 2 }, one("NearNamed", { P = "p" }))
    well()
  end)

  it("may have four and four key attributes, in any types", function()
    table_with {
      Wide = { partition_key = { "A:S", "B:N", "C:B", "D:S" }, sort_key = { "E:N", "F:S", "G:B", "H:N" },
        project = "keys_only" },
    }
    local b = perilune.binary
    for i = 1, 16 do
      assert(db:put("Things", { P = "p", K = i, A = "a", B = 1, C = b "c", D = "d", E = i % 2, F = "f" .. i % 4,
        G = b(string.char(i % 8)), H = -i }))
    end
    assert(db:put("Things", { P = "p", K = 99, A = "a", B = 1, C = b "c", E = 1, F = "f", G = b "g", H = 1 })) -- no D
    local where = { A = "a", B = 1, C = b "c", D = "d" }
    local rows = scratch.list(db:query("Things/Wide", where, { page_size = 3 }))
    assert.are.equal(16, #rows)
    for i = 2, 16 do
      local x, y = rows[i - 1], rows[i]
      local less = x.E < y.E or x.E == y.E and (x.F < y.F or x.F == y.F and (x.G < y.G or x.G == y.G and x.H < y.H))
      assert(less, "rows are out of order")
    end
    where.E, where.F, where.G, where.H = 1, "f3", b "\3", perilune.between(-12, -10)
    assert.are.same({ 11 }, scratch.list(db:query("Things/Wide", where), "K"))
    well()
  end)

  it("of an attribute that is also the table's key sees it", function()
    table_with { ByK = { partition_key = "K:N", sort_key = "P:S" } }
    for _, p in ipairs { "x", "y", "z" } do
      assert(db:put("Things", { P = p, K = 5 }))
    end
    assert.are.same({ "x", "y", "z" }, entries("ByK", { K = 5 }, "P"))
    local page = db:query_page("Things/ByK", { K = 5 }, { limit = 1 })
    scratch.same({ P = "x", K = 5 }, page.last_key)
    assert.are.equal("y", db:query_page("Things/ByK", { K = 5 }, { limit = 1, after = page.last_key }).items[1].P)
  end)

  describe("with a function", function()
    local function with_module(text)
      db:close()
      db = scratch.open { path = path, scripts = scratch.scripts { ["things.lua"] = text } }
    end

    it("stores what the function returns, and the keys", function()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = { ByG = { partition_key = "G:S",
          project = function(item) return { Preview = item.Body:sub(1, 3), Tags = item.Tags } end } },
      }]]
      assert(db:put("Things", { P = "p", K = 1, G = "g", Body = "hello", Tags = perilune.set { "a" }, Num = 1 }))
      scratch.same({ { P = "p", K = 1, G = "g", Preview = "hel", Tags = perilune.set { "a" } } },
        scratch.list(db:query("Things/ByG", { G = "g" })))
      assert(db:update("Things", { P = "p", K = 1 }, "SET Body = \"bye\" REMOVE Tags"))
      scratch.same({ { P = "p", K = 1, G = "g", Preview = "bye" } }, scratch.list(db:query("Things/ByG", { G = "g" })))
      scratch.same({ { Preview = "bye" } }, scratch.list(db:query("Things/ByG", { G = "g" }, { project = "Preview" })))
      well()
    end)

    it("computes its own keys, and skips what the function does", function()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = {
          ByWord = { partition_key = "Word:S", sort_key = "Len:N",
            project = function(item)
              if item.Hidden then return nil end
              return { Word = item.Body:lower(), Len = #item.Body }
            end },
          Near = { sort_key = "Len:N", project = function(item) return { Len = -item.K } end },
        },
      }]]
      for k, body in ipairs { "Hello", "HELLO", "bye" } do
        assert(db:put("Things", { P = "p", K = k, Body = body }))
      end
      assert.are.same({ 1, 2 }, entries("ByWord", { Word = "hello" }))
      assert.are.same({ 3, 2, 1 }, scratch.list(db:query("Things/Near", { P = "p" }), "K"))
      assert(db:update("Things", { P = "p", K = 1 }, "SET Hidden = true"))
      assert.are.same({ 2 }, entries("ByWord", { Word = "hello" }))
      assert(db:update("Things", { P = "p", K = 2 }, "SET Body = \"Bye\""))
      assert.are.same({ 2, 3 }, entries("ByWord", { Word = "bye", Len = 3 }))
      assert(db:delete("Things", { P = "p", K = 3 }))
      assert.are.same({ 2 }, entries("ByWord", { Word = "bye" }))
      well()
    end)

    it("moves and removes the entry of a function that never answers the same twice", function()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = {
          ByR = { partition_key = "R:N",
            project = function(item)
              if item.Shy and math.random(2) == 1 then return nil end
              if item.Moody and math.random(2) == 1 then error("not today") end
              return { R = math.random(1000000), Num = item.Num }
            end },
        },
      }]]
      local long = ("x"):rep(600)
      for round = 1, 30 do
        assert(db:put("Things", { P = "p", K = 1, Num = round }))
        assert(db:put("Things", { P = long, K = 2, Num = round }))
        assert(db:put("Things", { P = "shy", K = 3, Num = round, Shy = true }))
        db:put("Things", { P = "moody", K = 4, Num = round, Moody = true })
      end
      local found = {}
      for entry in db:scan "Things/ByR" do
        found[entry.P] = (found[entry.P] or 0) + 1
        if entry.P == "p" or entry.P == long then assert.are.equal(30, entry.Num) end
      end
      assert.are.equal(1, found.p)
      assert.are.equal(1, found[long])
      assert.is_true((found.shy or 0) <= 1 and (found.moody or 0) <= 1)
      well()
      db:delete("Things", { P = "p", K = 1 })
      db:delete("Things", { P = long, K = 2 })
      db:delete("Things", { P = "shy", K = 3 })
      db:delete("Things", { P = "moody", K = 4 })
      assert.are.equal(0, #scratch.list(db:scan "Things/ByR"))
      well()
    end)

    it("leaves nothing behind when its index is dropped", function()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = { ByR = { partition_key = "R:N", project = function(item) return { R = math.random(9) } end } },
      }]]
      for k = 1, 300 do assert(db:put("Things", { P = "p", K = k })) end
      with_module [[return { table = "Things", partition_key = "P:S", sort_key = "K:N" }]]
      assert.are.equal(300, db:count "Things")
      well()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = { ByR = { partition_key = "R:N", project = function(item) return { R = math.random(9) } end } },
      }]]
      assert.are.equal(300, #scratch.list(db:scan "Things/ByR"))
      well()
    end)

    it("refuses the write when the function fails, and nothing is left behind", function()
      with_module [[return {
        table = "Things", partition_key = "P:S", sort_key = "K:N",
        indexes = { ByG = { partition_key = "G:S", project = function(item)
          if item.Do == "raise" then error("I raise") end
          if item.Do == "loop" then while true do end end
          if item.Do == "nonsense" then return 5 end
          if item.Do == "wrong" then return { G = 7 } end
          if item.Do == "function" then return { f = print or function() end } end
          return { Do = item.Do }
        end } },
      }]]
      assert(db:put("Things", { P = "p", K = 1, G = "g", Do = "well" }))
      for _, what in ipairs { "raise", "loop", "nonsense", "wrong", "function" } do
        for _, k in ipairs { 1, 2 } do
          local result, why, code = db:put("Things", { P = "p", K = k, G = "g", Do = what })
          assert.is_nil(result)
          assert.is_truthy(code == "ScriptErrorException" or code == "ValidationException", what .. ": " .. why)
        end
      end
      assert.are.equal(1, db:count "Things")
      scratch.same({ { P = "p", K = 1, G = "g", Do = "well" } }, scratch.list(db:query("Things/ByG", { G = "g" })))
      well()
    end)

    it("is built anew when the function changes", function()
      local scripts = scratch.directory()
      local function write(expression)
        scratch.write_scripts(scripts, { ["things.lua"] = ([[return { table = "Things", partition_key = "P:S",
          indexes = { ByG = { partition_key = "G:S", project = function(item) return { V = %s } end } } }]])
          :format(expression) })
      end
      write "item.Num"
      db:close()
      db = scratch.open { path = path, scripts = scripts }
      for i = 1, 50 do
        assert(db:put("Things", { P = "p" .. i, G = "g", Num = i }))
      end
      assert.are.equal(50, #entries("ByG", { G = "g" }, "V"))
      write "item.Num * 2"
      assert(db:reload())
      local expected = {}
      for i = 1, 50 do expected[i] = i * 2 end
      assert.are.same(expected, entries("ByG", { G = "g" }, "V"))
      well()
    end)
  end)

  it("is filled from what is there when it comes later", function()
    table_with()
    for k = 1, 1500 do
      assert(db:put("Things", { P = "p" .. k % 50, K = k, G = k % 3 == 0 and "g" or nil, H = k, Num = k }))
    end
    assert(db:alter_table("Things", { indexes = {
      ByG = { partition_key = "G:S", sort_key = "H:N", project = { "Num" } },
      Near = { sort_key = "H:N", project = "keys_only" },
    } }))
    assert.are.equal(500, db:count("Things/ByG", { G = "g" }))
    assert.are.equal(1500, db:count "Things/Near")
    assert.are.equal("active", db:describe("Things").index_state.ByG.state)
    assert.are.equal(500, db:describe("Things").index_state.ByG.items)
    well()
    db = scratch.reopen(db, path)
    assert.are.equal(500, db:count "Things/ByG")
    well()
  end)

  it("leaves out items that do not fit it, when it comes later", function()
    table_with()
    for k, g in ipairs { "g", 5, "", perilune.null, ("x"):rep(3000), "g" } do
      assert(db:put("Things", { P = "p", K = k, G = g }))
    end
    assert(db:alter_table("Things", { indexes = { ByG = { partition_key = "G:S" } } }))
    assert.are.same({ 1, 6 }, entries("ByG", { G = "g" }))
    assert.are.equal(2, db:count "Things/ByG")
    well()
    assert(db:delete("Things", { P = "p", K = 2 }))
    assert(db:update("Things", { P = "p", K = 3 }, "SET G = \"g\""))
    assert.are.same({ 1, 3, 6 }, entries("ByG", { G = "g" }))
    well()
  end)

  it("that was dropped is gone, and its name is free", function()
    table_with { ByG = { partition_key = "G:S" } }
    for k = 1, 200 do
      assert(db:put("Things", { P = "p", K = k, G = "g", H = "h" }))
    end
    assert(db:alter_table("Things", { indexes = { ByG = perilune.null } }))
    scratch.invalid("The table does not have the specified index: ByG", db:query_page("Things/ByG", { G = "g" }))
    assert.are.equal(0, well().index_entries)
    assert(db:alter_table("Things", { indexes = { ByG = { partition_key = "H:S" } } }))
    assert.are.equal(200, db:count("Things/ByG", { H = "h" }))
    assert.are.equal(200, well().index_entries)
  end)

  it("whose definition changes is built anew", function()
    table_with { ByG = { partition_key = "G:S", project = "keys_only" } }
    for k = 1, 100 do
      assert(db:put("Things", { P = "p", K = k, G = "g", H = k, Num = k }))
    end
    assert(db:alter_table("Things", { indexes = { ByG = { partition_key = "G:S", project = { "Num" } } } }))
    assert.are.equal(100, #entries("ByG", { G = "g" }, "Num"))
    assert(db:alter_table("Things", { indexes = { ByG = { partition_key = "H:N", project = { "Num" } } } }))
    assert.are.same({ 42 }, entries("ByG", { H = 42 }))
    well()
  end)
end)
