--- UpdateItem.
local perilune = require "perilune"
local scratch = require "scratch"

local P = "One or more parameter values were invalid: "
local BAD_PATH = "The document path provided in the update expression is invalid for update"
local BAD_TYPE = "An operand in the update expression has an incorrect data type"
local NO_SUCH = "The provided expression refers to an attribute that does not exist in the item"
local KEY = { P = "p", K = 1 }

describe("update", function()
  local db
  setup(function()
    db = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:N",
      indexes = { ByG = { partition_key = "G:S", sort_key = "H:N" }, ByB = { sort_key = "Pic:B" } },
    }
  end)
  teardown(scratch.clean)
  before_each(function()
    assert(db:put("Pairs", {
      P = "p", K = 1, Num = 10, Body = "hello", Doc = { a = 1, b = { c = 2 } }, Elems = { 1, 2, 3 },
      Tags = perilune.set { "x", "y" }, Nums = perilune.set { 1, 2 },
    }))
    assert(db:delete("Pairs", { P = "none", K = 1 }))
  end)

  local function without_key(item)
    item.P, item.K = nil, nil
    return item
  end

  -- What an update makes of the item above: what is different in it. `false` stands for what is gone.
  local function becomes(expression, values, changes)
    local expected = without_key(db:get("Pairs", KEY))
    for name, value in pairs(changes) do
      if value == false then value = nil end
      expected[name] = value
    end
    local got, why = db:update("Pairs", KEY, expression, { values = values, returns = "ALL_NEW" })
    if not got then error(expression .. ": " .. why, 2) end
    local a, b = scratch.dump(expected), scratch.dump(without_key(got))
    if a ~= b then error(("%s\nexpected %s\n     got %s"):format(expression, a, b), 2) end
    assert(db:put("Pairs", { P = "p", K = 1, Num = 10, Body = "hello", Doc = { a = 1, b = { c = 2 } },
      Elems = { 1, 2, 3 }, Tags = perilune.set { "x", "y" }, Nums = perilune.set { 1, 2 } }))
  end

  it("carries out each clause", function()
    for _, case in ipairs {
      { "SET NewOne = :v", { v = "n" }, { NewOne = "n" } },
      { "set Num = Num + :o", { o = 5 }, { Num = 15 } },
      { "SET Num = Num - :o", { o = 0.5 }, { Num = 9.5 } },
      { "SET Num = :o - Num", { o = 0 }, { Num = -10 } },
      { "SET Num = :a + :b", { a = 1, b = 2 }, { Num = 3 } },
      { "SET Num = Num + Doc.a", nil, { Num = 11 } },
      { "SET Num = (Num + :o)", { o = 1 }, { Num = 11 } },
      { "SET Count1 = if_not_exists(Count1, :z) + :o", { z = 0, o = 1 }, { Count1 = 1 } },
      { "SET Num = if_not_exists(Num, :z) + :o", { z = 0, o = 1 }, { Num = 11 } },
      { "SET Num = if_not_exists(Count1, if_not_exists(Other1, :z))", { z = 7 }, { Num = 7 } },
      { "SET Elems = list_append(Elems, :l)", { l = { 4 } }, { Elems = { 1, 2, 3, 4 } } },
      { "SET Elems = list_append(:l, Elems)", { l = { 0 } }, { Elems = { 0, 1, 2, 3 } } },
      { "SET Elems = list_append(if_not_exists(Other1, :e), :l)", { e = perilune.list {}, l = { 9 } },
        { Elems = { 9 } } },
      { "SET Elems[1] = :v", { v = "two" }, { Elems = { 1, "two", 3 } } },
      { "SET Elems[9] = :v", { v = "end" }, { Elems = { 1, 2, 3, "end" } } },
      { "SET Elems[9] = :v, Elems[7] = :w", { v = "later", w = "sooner" }, { Elems = { 1, 2, 3, "sooner", "later" } } },
      { "SET Doc.b.c = :v, Doc.d = :v", { v = 0 }, { Doc = { a = 1, b = { c = 0 }, d = 0 } } },
      { "SET Num = Elems[0], Elems[0] = Num", nil, { Num = 1, Elems = { 10, 2, 3 } } }, -- both see the old item
      { "SET Body = Tags", nil, { Body = perilune.set { "x", "y" } } },
      { "SET Empty1 = :e, Empty2 = :m, Empty3 = :s", { e = perilune.list {}, m = {}, s = "" },
        { Empty1 = perilune.list {}, Empty2 = {}, Empty3 = "" } },
      { "REMOVE Body", nil, { Body = false } },
      { "REMOVE Nothing1, Body", nil, { Body = false } },
      { "REMOVE Doc.b.c", nil, { Doc = { a = 1, b = {} } } },
      { "REMOVE Doc.nothing1", nil, {} },
      { "REMOVE Elems[0], Elems[2]", nil, { Elems = { 2 } } }, -- indexes are those of the old list
      { "REMOVE Elems[9]", nil, {} },
      { "REMOVE Body SET Copy1 = Body", nil, { Body = false, Copy1 = "hello" } },
      { "ADD Num :o", { o = 5 }, { Num = 15 } },
      { "ADD Count1 :o", { o = 5 }, { Count1 = 5 } },
      { "ADD Doc.a :o", { o = -1 }, { Doc = { a = 0, b = { c = 2 } } } },
      { "ADD Tags :s", { s = perilune.set { "y", "z" } }, { Tags = perilune.set { "x", "y", "z" } } },
      { "ADD Nums :s", { s = perilune.set { 2.0, 3 } }, { Nums = perilune.set { 1, 2, 3 } } },
      { "ADD Fresh :s", { s = perilune.set { "n" } }, { Fresh = perilune.set { "n" } } },
      { "DELETE Tags :s", { s = perilune.set { "x", "q" } }, { Tags = perilune.set { "y" } } },
      { "DELETE Tags :s", { s = perilune.set { "x", "y" } }, { Tags = false } },
      { "DELETE Nothing1 :s", { s = perilune.set { "x" } }, {} },
      { "SET Num = :v REMOVE Body ADD Count1 :v DELETE Tags :s", { v = 1, s = perilune.set { "x" } },
        { Num = 1, Body = false, Count1 = 1, Tags = perilune.set { "y" } } },
    } do
      becomes(table.unpack(case, 1, 3))
    end
  end)

  it("is refused whole when one part does not fit the item", function()
    for _, case in ipairs {
      { "SET Copy1 = Nothing1", NO_SUCH },
      { "SET Num = Num + Nothing1", NO_SUCH },
      { "SET Body = :v, Num = Body + :o", BAD_TYPE, { v = "x", o = 1 } },
      { "SET Elems = list_append(Body, :l)", BAD_TYPE, { l = { 1 } } },
      { "SET Nothing1.a = :v", BAD_PATH, { v = 1 } },
      { "SET Body.a = :v", BAD_PATH, { v = 1 } },
      { "SET Doc[0] = :v", BAD_PATH, { v = 1 } },
      { "SET Elems.a = :v", BAD_PATH, { v = 1 } },
      { "REMOVE Nothing1.a", BAD_PATH },
      { "REMOVE Body[0]", BAD_PATH },
      { "ADD Body :o", BAD_TYPE, { o = 1 } },
      { "ADD Elems :s", BAD_TYPE, { s = perilune.set { "a" } } },
      { "ADD Tags :s", BAD_TYPE, { s = perilune.set { 1 } } },
      { "DELETE Num :s", BAD_TYPE, { s = perilune.set { 1 } } },
      { "DELETE Tags :s", BAD_TYPE, { s = perilune.set { 1 } } },
    } do
      local before = scratch.dump(db:get("Pairs", KEY))
      scratch.invalid(case[2], db:update("Pairs", KEY, case[1], { values = case[3] }))
      assert.are.equal(before, scratch.dump(db:get("Pairs", KEY)), case[1])
    end
  end)

  it("computes with 38 digits, and refuses what needs more", function()
    assert(db:update("Pairs", KEY, "SET Num = :a", { values = { a = perilune.number(("9"):rep(37)) } }))
    local got = db:update("Pairs", KEY, "SET Num = Num + :o", { values = { o = 1 }, returns = "UPDATED_NEW" })
    assert.are.equal("1" .. ("0"):rep(37), tostring(perilune.number(got.Num)))
    assert(db:update("Pairs", KEY, "SET Num = :a", { values = { a = perilune.number "1e50" } }))
    scratch.invalid("Number overflow. Attempting to store a number with magnitude larger than supported range",
      db:update("Pairs", KEY, "SET Num = Num + :o", { values = { o = 1 } }))
  end)

  it("makes the item with SET, ADD or nothing, but not with REMOVE or DELETE", function()
    local none = { P = "none", K = 1 }
    for _, case in ipairs {
      { nil, nil, {} },
      { "SET Num = :v", { v = 1 }, { Num = 1 } },
      { "ADD Num :v", { v = 1 }, { Num = 1 } },
      { "REMOVE Num SET Body = :v", { v = "t" }, { Body = "t" } },
    } do
      local got = db:update("Pairs", none, case[1], { values = case[2], returns = "ALL_NEW" })
      case[3].P, case[3].K = "none", 1
      scratch.same(case[3], got)
      scratch.same(case[3], db:get("Pairs", none))
      assert(db:delete("Pairs", none))
    end
    for _, case in ipairs { { "REMOVE Num" }, { "REMOVE Doc.b.c, Elems[3]" },
      { "DELETE Tags :s", { s = perilune.set { "x" } } } } do
      scratch.same({}, db:update("Pairs", none, case[1], { values = case[2], returns = "ALL_NEW" }))
      assert.is_nil((db:get("Pairs", none)))
    end
    scratch.invalid(BAD_PATH, db:update("Pairs", none, "SET Doc.a = :v", { values = { v = 1 } }))
  end)

  it("without an expression leaves an item that is there alone", function()
    local before = scratch.dump(db:get("Pairs", KEY))
    scratch.same(db:get("Pairs", KEY), db:update("Pairs", KEY, nil, { returns = "ALL_NEW" }))
    assert.are.equal(before, scratch.dump(db:get("Pairs", KEY)))
  end)

  it("keeps its hands off the key", function()
    for _, case in ipairs {
      { "SET P = :v", "P", { v = "q" } }, { "REMOVE K", "K" }, { "ADD K :v", "K", { v = 1 } },
      { "SET Num = :v, K = :v", "K", { v = 1 } },
    } do
      scratch.invalid(P .. ("Cannot update attribute %s. This attribute is part of the key"):format(case[2]),
        db:update("Pairs", KEY, case[1], { values = case[3] }))
    end
    scratch.invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
      .. "Key: P",
      db:update("Pairs", KEY, "SET P.a = :v", { values = { v = 1 } }))
  end)

  it("judges index keys as far as the request shows them, and then as it runs", function()
    scratch.invalid("The update expression attempted to update the secondary index key to unsupported type",
      db:update("Pairs", KEY, "SET G = Num"))
    assert.is_nil(db:get("Pairs", KEY).G)
    scratch.invalid(P .. "Type mismatch for Index Key G Expected: S Actual: N IndexName: ByG",
      db:update("Pairs", KEY, "SET G = :v", { values = { v = 5 } }))
    scratch.invalid("One or more parameter values are not valid. The update expression attempted to update a secondary "
      .. "index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty "
      .. "string value.", db:update("Pairs", KEY, "SET G = :v", { values = { v = "" } }))
    scratch.invalid("The update expression attempted to update the secondary index key beyond allowed size limits",
      db:update("Pairs", KEY, "SET Pic = :v", { values = { v = perilune.binary(("x"):rep(1025)) } }))
  end)

  it("stops at 409,600 bytes", function()
    scratch.invalid("Item size to update has exceeded the maximum allowed size",
      db:update("Pairs", KEY, "SET Filler = :v", { values = { v = ("x"):rep(409600) } }))
    assert.is_nil(db:get("Pairs", KEY).Filler)
  end)

  it("returns what was asked for", function()
    local old = { Num = 10, Doc = { b = { c = 2 } }, Elems = { 2 } }
    local values = { v = 5 }
    local expression = "SET Num = :v, Doc.b.c = :v, Fresh = :v, Elems[1] = :v REMOVE Body"
    local function run(returns)
      return db:update("Pairs", KEY, expression, { values = values, returns = returns })
    end
    local whole = db:get("Pairs", KEY)
    scratch.same(whole, run "ALL_OLD")
    assert(db:put("Pairs", whole))
    old.Body = "hello"
    scratch.same(old, run "UPDATED_OLD")
    assert(db:put("Pairs", whole))
    scratch.same({ Num = 5, Doc = { b = { c = 5 } }, Fresh = 5, Elems = { 5 } }, run "UPDATED_NEW")
    assert(db:put("Pairs", whole))
    local new = run "ALL_NEW"
    scratch.same(db:get("Pairs", KEY), new)
    assert.is_nil(new.Body)
    assert.is_true(run "NONE")
  end)

  it("returns updated paths literally", function()
    scratch.same({}, db:update("Pairs", KEY, "SET Elems[100] = :v", { values = { v = 4 }, returns = "UPDATED_NEW" }))
    scratch.same({ Elems = { 3 } }, db:update("Pairs", KEY, "REMOVE Elems[1]", { returns = "UPDATED_NEW" }))
    scratch.same({}, db:update("Pairs", KEY, "REMOVE Body", { returns = "UPDATED_NEW" }))
    scratch.same({ Num = 10 },
      db:update("Pairs", KEY, "SET Num = :v", { values = { v = 10 }, returns = "UPDATED_OLD" }))
    scratch.same({}, db:update("Pairs", KEY, "SET Fresh = :v", { values = { v = 10 }, returns = "UPDATED_OLD" }))
  end)

  it("is made only when its condition holds", function()
    scratch.refused("ConditionalCheckFailedException", "The conditional request failed",
      db:update("Pairs", KEY, "SET Num = :v", { values = { v = 1, w = 11 }, condition = "Num = :w" }))
    assert.are.equal(10, db:get("Pairs", KEY).Num)
    assert(db:update("Pairs", KEY, "SET Num = :v", { values = { v = 1, w = 10 }, condition = "Num = :w" }))
    local none = { P = "none", K = 1 }
    assert.is_nil((db:update("Pairs", none, "SET Num = 1", { condition = "attribute_exists(P)" })))
    assert.is_nil((db:get("Pairs", none)))
  end)

  it("takes literals where no placeholders are given", function()
    scratch.same({ Num = 11, Body = "a \"b\"", Elems = { 1, { deep = { true, perilune.null } } } },
      db:update("Pairs", KEY, [[SET Num = Num + 1, Body = "a \"b\"", Elems = [1,{"deep":[true,null]}] ]],
        { returns = "UPDATED_NEW" }))
  end)
end)
