--- GetItem.
local perilune = require "perilune"
local scratch = require "scratch"

local MISMATCH = "The provided key element does not match the schema"

describe("get", function()
  local db
  before_each(function()
    db = scratch.with_table { table = "Pairs", partition_key = "P:S", sort_key = "K:N" }
    assert(db:create_table { table = "Bytes", partition_key = "B:B" })
    assert(db:put("Pairs", { P = "p", K = 1, Text = "hello", Doc = { x = { 1, 2, { y = "z" } } } }))
  end)
  after_each(scratch.clean)

  it("gives the item, whether the read is consistent or not", function()
    for _, consistent in ipairs { true, false } do
      assert.are.equal("hello", db:get("Pairs", { P = "p", K = 1 }, { consistent = consistent }).Text)
    end
  end)

  it("gives nil alone when there is none", function()
    assert.are.equal(1, select("#", db:get("Pairs", { P = "p", K = 2 })))
    assert.is_nil((db:get("Pairs", { P = "p", K = 2 })))
  end)

  it("wants exactly the key", function()
    for _, key in ipairs {
      {}, { P = "p" }, { K = 1 }, { P = "p", K = 1, Text = "hello" }, { P = "p", Text = 1 }, { P = "p", K = "1" },
      { P = 1, K = 1 }, { P = "p", K = perilune.null }, { P = { "p" }, K = 1 },
    } do
      scratch.invalid(MISMATCH, db:get("Pairs", key))
    end
  end)

  it("names a key value that is empty or too long", function()
    scratch.invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
      .. "an empty string value. Key: P", db:get("Pairs", { P = "", K = 1 }))
    scratch.invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
      .. "an empty binary value. Key: B", db:get("Bytes", { B = perilune.binary "" }))
    scratch.invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit "
      .. "of2048 bytes", db:get("Pairs", { P = ("x"):rep(2049), K = 1 }))
  end)

  it("gives what a projection names, keys only when they are named", function()
    scratch.same({ Text = "hello" }, db:get("Pairs", { P = "p", K = 1 }, { project = "Text" }))
    scratch.same({ K = 1, Doc = { x = { 2 } } }, db:get("Pairs", { P = "p", K = 1 }, { project = "K, Doc.x[1]" }))
    scratch.same({ Text = "hello", P = "p" }, db:get("Pairs", { P = "p", K = 1 }, { project = { "Text", "P" } }))
  end)

  it("gives an empty table when there is an item without what was asked for", function()
    scratch.same({}, db:get("Pairs", { P = "p", K = 1 }, { project = "Nothing" }))
    assert.is_nil((db:get("Pairs", { P = "p", K = 9 }, { project = "Nothing" })))
  end)

  it("does not know indexes, other tables, or bytes for text", function()
    scratch.refused("ResourceNotFoundException", "Requested resource not found", db:get("Nothing", { P = "p" }))
    scratch.invalid(MISMATCH, db:get("Pairs", { P = perilune.binary "p", K = 1 }))
    scratch.invalid(MISMATCH, db:get("Bytes", { B = "text" }))
    local _, why, code = db:get("Pairs", { P = "\xff", K = 1 })
    assert.are.equal("ValidationException", code)
    assert.are.equal("P: the string is not UTF-8: bytes need perilune.binary()", why)
  end)

  it("gives values with a life of their own", function()
    local item = db:get("Pairs", { P = "p", K = 1 })
    item.Doc.x[3].y = "changed"
    assert(db:delete("Pairs", { P = "p", K = 1 }))
    assert.are.equal("changed", item.Doc.x[3].y)
    assert.are.equal("hello", item.Text)
  end)
end)
