--- What Lua does inside a write: before_write, named conditions; and that its failures leave nothing behind.
local perilune = require "perilune"
local scratch = require "scratch"

local MODULE = [[
return {
  table = "Things", partition_key = "P:S",
  indexes = { ByG = { partition_key = "G:S", project = "all" } },
  before_write = function(old, new)
    if new == nil then
      if old.Keep then return nil, "this one is kept" end
      return nil
    end
    local what = new.Do
    if what == "refuse" then return nil, "no thanks" end
    if what == "refuse silently" then return false end
    if what == "change" then
      local made = perilune.copy(new)
      made.Do = "changed"
      made.Seen = old and old.Do or "nothing"
      made.Tags = perilune.set { "x" }
      made.Big = perilune.decimal("0.1") + perilune.decimal("0.2")
      made.None = perilune.list {}
      return made
    end
    if what == "index" then return { P = new.P, G = "made" } end
    if what == "raise" then error("I raise") end
    if what == "raise a table" then error({ a = 1 }) end
    if what == "loop" then while true do end end
    if what == "swallow" then while true do pcall(function() while true do end end) end end
    if what == "memory" then local t = {} while true do t[#t + 1] = ("x"):rep(1000) end end
    if what == "string" then return ("x"):rep(1e9) end
    if what == "recurse" then local function f() return 1 + f() end return f() end
    if what == "nothing" then return end
    if what == "number" then return 5 end
    if what == "key" then return { P = "another" } end
    if what == "no key" then return { Do = "x" } end
    if what == "huge" then return { P = new.P, V = ("x"):rep(500000) } end
    if what == "function" then return { P = new.P, V = function() end } end
    if what == "wrong index" then return { P = new.P, G = 5 } end
    if what == "write" then new.Do = "written" end
    if what == "global" then return nil_value.field end
    if what == "pattern" then return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40) .. "b") end
    return new
  end,
  conditions = {
    author = function(old, new, args) return old == nil or old.UserID == args.user end,
    count = function(old, new, args) return #args == 0 end,
    raises = function() error("I raise") end,
    loops = function() while true do end end,
    sees = function(old, new, args)
      return (old and old.Do) == args.old and (new and new.Do) == args.new
    end,
    truthy = function() return 0 end,
  },
}]]

describe("a script", function()
  local db, path, scripts
  setup(function()
    scripts = scratch.scripts { ["things.lua"] = MODULE }
    db, path = scratch.open { scripts = scripts, script_time_ms = 50, script_memory_bytes = 16 * 1024 * 1024 }
  end)
  teardown(scratch.clean)

  local function contents()
    local list = {}
    for item in db:scan "Things" do list[#list + 1] = scratch.dump(item) end
    for item in db:scan "Things/ByG" do list[#list + 1] = "index " .. scratch.dump(item) end
    table.sort(list)
    return table.concat(list, "\n")
  end

  describe("before_write", function()
    it("lets through what it returns unchanged", function()
      assert(db:put("Things", { P = "plain", Do = "fine", V = { 1, { perilune.null } } }))
      scratch.same({ P = "plain", Do = "fine", V = { 1, { perilune.null } } }, db:get("Things", { P = "plain" }))
    end)

    it("refuses with its reason, or a general one", function()
      local before = contents()
      scratch.refused("WriteRejectedException", "no thanks", db:put("Things", { P = "r", Do = "refuse" }))
      scratch.refused("WriteRejectedException", "the table's before_write refused the write",
        db:put("Things", { P = "r", Do = "refuse silently" }))
      assert.are.equal(before, contents())
    end)

    it("stores what it makes, and shows it to the one who asked", function()
      assert(db:put("Things", { P = "c", Do = "first" }))
      assert(db:put("Things", { P = "c", Do = "change" }))
      local expected = { P = "c", Do = "changed", Seen = "first", Tags = perilune.set { "x" },
        Big = perilune.number "0.3", None = perilune.list {} }
      scratch.same(expected, db:get("Things", { P = "c" }))
      local got = db:update("Things", { P = "c" }, "SET Do = \"change\"", { returns = "ALL_NEW" })
      expected.Seen = "changed"
      scratch.same(expected, got)
    end)

    it("may make index keys, and loses what it leaves out", function()
      assert(db:put("Things", { P = "i", Do = "index", V = 1 }))
      scratch.same({ { P = "i", G = "made" } }, scratch.list(db:query("Things/ByG", { G = "made" })))
      assert(db:delete("Things", { P = "i" }))
      assert.are.equal(0, db:count("Things/ByG", { G = "made" }))
    end)

    it("judges deletes", function()
      assert(db:put("Things", { P = "k", Keep = true }))
      scratch.refused("WriteRejectedException", "this one is kept", db:delete("Things", { P = "k" }))
      assert.is_table(db:get("Things", { P = "k" }))
      assert(db:update("Things", { P = "k" }, "REMOVE #k", { names = { k = "Keep" } }))
      assert(db:delete("Things", { P = "k" }))
      assert.is_nil((db:get("Things", { P = "k" })))
    end)

    for _, case in ipairs {
      { "raise", "things%.lua:22: I raise" }, { "raise a table", "." }, { "loop", "." }, { "swallow", "." },
      { "memory", "." }, { "string", "." }, { "recurse", "." }, { "nothing", "." }, { "number", "." },
      { "key", "before_write must not change the item's key" },
      { "no key", "before_write must not change the item's key" },
      { "huge", "Item size has exceeded the maximum", "ValidationException", "Item size to update has exceeded" },
      { "function", "V: a function cannot be stored" },
      { "wrong index", "Index Key G", "ValidationException", "secondary index key" },
      { "write", "an item is read%-only" }, { "global", "things%.lua:%d+: attempt to index" }, { "pattern", "." },
    } do
      it("that goes wrong leaves nothing behind: " .. case[1], function()
        assert(db:put("Things", { P = "w", Do = "before", G = "g" }))
        local before = contents()
        for _, call in ipairs {
          function() return db:put("Things", { P = "w", Do = case[1] }) end,
          function() return db:put("Things", { P = "new one", Do = case[1] }) end,
          function() return db:update("Things", { P = "w" }, "SET #d = :d",
            { names = { d = "Do" }, values = { d = case[1] } }) end,
        } do
          local result, why, code = call()
          assert.is_nil(result)
          assert.are.equal(case[3] or "ScriptErrorException", code)
          assert.is_truthy(why:find(case[2]) or case[4] and why:find(case[4]), why)
          assert.are.equal(before, contents())
        end
        assert(db:put("Things", { P = "w", Do = "after", G = "g" })) -- the next one works
        local report = db:check()
        assert(report.ok, table.concat(report.faults, "\n"))
      end)
    end

    it("that goes wrong fails a batch's item and says so", function()
      local _, why, code = db:batch_write {
        Things = { put = { { P = "b1", Do = "fine" }, { P = "b2", Do = "raise" } } },
      }
      assert.are.equal("ScriptErrorException", code)
      assert.is_truthy(why:find "I raise")
      assert.is_nil((db:get("Things", { P = "b2" })))
    end)
  end)

  describe("condition", function()
    before_each(function()
      assert(db:put("Things", { P = "c", UserID = "u_a", Do = "old" }))
    end)

    it("with a name decides a put, an update, a delete", function()
      local mine, theirs = { condition = "@author", args = { user = "u_a" } },
        { condition = "@author", args = { user = "u_b" } }
      scratch.refused("ConditionalCheckFailedException", "The conditional request failed",
        db:put("Things", { P = "c", UserID = "u_b" }, theirs))
      assert(db:put("Things", { P = "c", UserID = "u_a", V = 1 }, mine))
      assert.is_nil((db:update("Things", { P = "c" }, "SET V = 2", theirs)))
      assert(db:update("Things", { P = "c" }, "SET V = 2", mine))
      assert.is_nil((db:delete("Things", { P = "c" }, theirs)))
      assert(db:delete("Things", { P = "c" }, mine))
      assert(db:put("Things", { P = "c", UserID = "u_z" }, theirs)) -- there is no old one
    end)

    it("sees the item before and after", function()
      assert(db:update("Things", { P = "c" }, "SET Do = \"new\"",
        { condition = "@sees", args = { old = "old", new = "new" } }))
      assert(db:delete("Things", { P = "c" }, { condition = "@sees", args = { old = "new" } }))
      assert(db:put("Things", { P = "c", Do = "x" }, { condition = "@sees", args = { new = "x" } }))
    end)

    it("needs no arguments, and any value but false and nil holds", function()
      assert(db:put("Things", { P = "c" }, { condition = "@count" }))
      assert(db:put("Things", { P = "c" }, { condition = "@truthy" }))
    end)

    it("shows the item when asked", function()
      local _, _, _, old = db:put("Things", { P = "c" },
        { condition = "@author", args = { user = "u_b" }, on_failure = "ALL_OLD" })
      assert.are.equal("u_a", old.UserID)
    end)

    it("that fails or is not there refuses the write", function()
      local before = contents()
      local _, why, code = db:put("Things", { P = "c" }, { condition = "@raises" })
      assert.are.equal("ScriptErrorException", code)
      assert.is_truthy(why:find "I raise")
      _, _, code = db:put("Things", { P = "c" }, { condition = "@loops" })
      assert.are.equal("ScriptErrorException", code)
      _, _, code = db:put("Things", { P = "c" }, { condition = "@author" }) -- args is empty there
      assert.are.equal("ConditionalCheckFailedException", code)
      scratch.invalid("the table Things has no condition named @nobody",
        db:put("Things", { P = "c" }, { condition = "@nobody" }))
      assert.are.equal(before, contents())
    end)
  end)

  it("keeps working through a thousand failures", function()
    for i = 1, 1000 do
      assert.is_nil((db:put("Things", { P = "t" .. i, Do = "raise" })))
    end
    assert(db:put("Things", { P = "t", Do = "fine" }))
    db = scratch.reopen(db, path, { scripts = scripts })
    assert(db:get("Things", { P = "t" }))
    assert.is_nil((db:get("Things", { P = "t1" })))
  end)

  it("that is gone refuses writes of its table, and reads go on", function()
    db = scratch.reopen(db, path)
    local result, _, code = db:put("Things", { P = "x" })
    assert.is_nil(result)
    assert.are.equal("ScriptErrorException", code)
    assert.is_table(db:get("Things", { P = "t" }))
    db = scratch.reopen(db, path, { scripts = scripts })
    assert(db:put("Things", { P = "x" }))
  end)
end)
