--- PutItem.
local perilune = require "perilune"
local scratch = require "scratch"

local P = "One or more parameter values were invalid: "

describe("put", function()
  local db
  before_each(function()
    db = scratch.with_table {
      table = "Messages", partition_key = "ChatID:S", sort_key = "MsgID:N",
      indexes = {
        ByUser = { partition_key = "UserID:S" },
        ByAge = { partition_key = "Age:N", sort_key = "Data:B" },
        ByLikes = { sort_key = "Likes:N" },
      },
    }
  end)
  after_each(scratch.clean)

  local function item(more)
    local result = { ChatID = "c", MsgID = 1 }
    for k, v in pairs(more or {}) do
      result[k] = v
    end
    return result
  end

  it("stores an item that get then finds", function()
    assert.is_true(db:put("Messages", item { Text = "Hello" }))
    scratch.same(item { Text = "Hello" }, db:get("Messages", item()))
  end)

  it("replaces the whole item", function()
    assert(db:put("Messages", item { Text = "Hello", Other = 1 }))
    assert(db:put("Messages", item { Text = "again" }))
    scratch.same(item { Text = "again" }, db:get("Messages", item()))
  end)

  it("takes keys by value, not by spelling", function()
    assert(db:put("Messages", { ChatID = "c", MsgID = perilune.number "1e3", Text = "a" }))
    assert(db:put("Messages", { ChatID = "c", MsgID = 1000.0, Text = "b" }))
    assert.are.equal(1, db:count "Messages")
    assert.are.equal("b", db:get("Messages", { ChatID = "c", MsgID = 1000 }).Text)
  end)

  it("gives the replaced item when asked, and nothing when there was none", function()
    scratch.same({}, db:put("Messages", item(), { returns = "ALL_OLD" }))
    scratch.same(item(), db:put("Messages", item { Text = "b" }, { returns = "ALL_OLD" }))
    assert.is_true(db:put("Messages", item(), { returns = "NONE" }))
  end)

  it("gives no other values", function()
    for _, returns in ipairs { "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW" } do
      scratch.invalid("ReturnValues can only be ALL_OLD or NONE", db:put("Messages", item(), { returns = returns }))
    end
    assert.are.equal(0, db:count "Messages")
  end)

  it("is refused when its condition fails, and nothing is written", function()
    assert(db:put("Messages", item { Text = "first" }))
    scratch.refused("ConditionalCheckFailedException", "The conditional request failed",
      db:put("Messages", item { Text = "second" }, { condition = "attribute_not_exists(MsgID)" }))
    assert.are.equal("first", db:get("Messages", item()).Text)
  end)

  it("shows the item that refused it when asked", function()
    assert(db:put("Messages", item { Text = "first" }))
    local options = { condition = "attribute_not_exists(MsgID)", on_failure = "ALL_OLD" }
    local _, _, code, old = db:put("Messages", item { Text = "second" }, options)
    assert.are.equal("ConditionalCheckFailedException", code)
    scratch.same(item { Text = "first" }, old)
    options.condition = "attribute_exists(MsgID)"
    assert.are.equal(3, select("#", db:put("Messages", { ChatID = "none", MsgID = 1 }, options)))
  end)

  it("names the key attribute that is missing, wrong, empty or too long", function()
    scratch.invalid(P .. "Missing the key ChatID in the item", db:put("Messages", { MsgID = 1 }))
    scratch.invalid(P .. "Missing the key MsgID in the item", db:put("Messages", { ChatID = "c" }))
    scratch.invalid(P .. "Type mismatch for key MsgID expected: N actual: S",
      db:put("Messages", { ChatID = "c", MsgID = "1" }))
    scratch.invalid(P .. "Type mismatch for key ChatID expected: S actual: NULL",
      db:put("Messages", { ChatID = perilune.null, MsgID = 1 }))
    scratch.invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
      .. "an empty string value. Key: ChatID", db:put("Messages", { ChatID = "", MsgID = 1 }))
    scratch.invalid(P .. "Size of hashkey has exceeded the maximum size limit of2048 bytes",
      db:put("Messages", { ChatID = ("x"):rep(2049), MsgID = 1 }))
    assert(db:put("Messages", { ChatID = ("x"):rep(2048), MsgID = 1 }))
  end)

  it("names the index key attribute that is wrong or empty", function()
    scratch.invalid(P .. "Type mismatch for Index Key UserID Expected: S Actual: N IndexName: ByUser",
      db:put("Messages", item { UserID = 5 }))
    scratch.invalid(P .. "Type mismatch for Index Key Likes Expected: N Actual: NULL IndexName: ByLikes",
      db:put("Messages", item { Likes = perilune.null }))
    scratch.invalid("One or more parameter values are not valid. A value specified for a secondary index key is not "
      .. "supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ByUser, "
      .. "IndexKey: UserID", db:put("Messages", item { UserID = "" }))
    scratch.invalid("One or more parameter values are not valid. A value specified for a secondary index key is not "
      .. "supported. The AttributeValue for a key attribute cannot contain an empty binary value. IndexName: ByAge, "
      .. "IndexKey: Data", db:put("Messages", item { Age = 1, Data = perilune.binary "" }))
    scratch.invalid(P .. "Size of hashkey has exceeded the maximum size limit of2048 bytes",
      db:put("Messages", item { UserID = ("x"):rep(2049) }))
    scratch.invalid(P .. "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
      db:put("Messages", item { Age = 1, Data = perilune.binary(("x"):rep(1025)) }))
    assert.are.equal(0, db:count "Messages")
  end)

  it("takes an item of exactly 409,600 bytes and none larger", function()
    local size = #"ChatID" + 1 + #"MsgID" + 2 + #"Data1"
    local largest = item { Data1 = ("x"):rep(409600 - size) }
    assert(db:put("Messages", largest))
    largest.Data1 = largest.Data1 .. "x"
    scratch.invalid("Item size has exceeded the maximum allowed size", db:put("Messages", largest))
    assert.are.equal(409600 - size, #db:get("Messages", item()).Data1)
  end)

  it("counts sizes as DynamoDB does", function()
    -- Name and value of each: all but Filler cost `size`, and Filler takes exactly the rest.
    for _, case in ipairs {
      { perilune.number "0", 1 }, { perilune.number "1", 2 }, { 123, 3 }, { 100, 2 }, { 1010, 3 }, { 1.5, 3 },
      { perilune.number "3.14159", 5 }, { 100.5, 4 }, { -42, 3 }, { perilune.number "1E125", 2 },
      { perilune.number(("9"):rep(38)), 20 }, { true, 1 }, { perilune.null, 1 }, { "abc", 3 }, { "\u{20ac}", 3 },
      { perilune.binary "\0\1", 2 }, { perilune.set { "a", "bc" }, 3 }, { perilune.set { 1, 22 }, 4 },
      { perilune.list {}, 3 }, { { 1, "a" }, 3 + 2 + 2 + 1 }, { {}, 3 }, { { ab = "cd" }, 3 + 1 + 4 },
    } do
      local used = #"ChatID" + 1 + #"MsgID" + 2 + #"Value" + case[2] + #"Filler"
      local whole = item { Value = case[1], Filler = ("x"):rep(409600 - used) }
      assert(db:put("Messages", whole))
      whole.Filler = whole.Filler .. "x"
      local _, why = db:put("Messages", whole)
      assert.are.equal("Item size has exceeded the maximum allowed size", why, scratch.dump(case[1]))
    end
  end)

  it("needs a table", function()
    scratch.refused("ResourceNotFoundException", "Requested resource not found", db:put("Nothing", item()))
  end)

  it("nests 32 levels and no more", function()
    local deep = "x"
    for _ = 1, 31 do deep = { deep } end
    assert(db:put("Messages", item { Deep = deep })) -- the attribute is level 1
    local _, why, code = db:put("Messages", item { Deep = { deep } })
    assert.are.equal("ValidationException", code)
    assert.is_truthy(why:find("^Deep.*: Nesting Levels have exceeded supported limits$"), why)
  end)

  describe("raises at the caller's line", function()
    it("for an item that is no table, an unknown option, or one of a wrong type", function()
      assert.has_error(function() db:put("Messages", 3) end,
        "bad argument #2 to 'put' (table expected, got number)")
      local ok, why = pcall(function() db:put("Messages", item(), { condtion = "x" }) end)
      assert.is_false(ok)
      assert.is_truthy(why:find("put_spec.lua:%d+: there is no option 'condtion' here"))
      ok, why = pcall(function() db:put("Messages", item(), { returns = "EVERYTHING" }) end)
      assert.is_false(ok)
      assert.is_truthy(why:find("returns: expected one of NONE, ALL_OLD", 1, true))
      assert.has_error(function() db:put("Messages", item(), { condition = 5 }) end)
    end)
  end)
end)
