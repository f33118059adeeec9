--- DeleteItem.
local scratch = require "scratch"

describe("delete", function()
  local db
  before_each(function()
    db = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:N", indexes = { ByText = { partition_key = "Text:S" } },
    }
    assert(db:put("Pairs", { P = "p", K = 1, Text = "hello" }))
    assert(db:put("Pairs", { P = "p", K = 2, Text = "hello" }))
  end)
  after_each(scratch.clean)

  it("removes the item and its index entries, and no other", function()
    assert.is_true(db:delete("Pairs", { P = "p", K = 1 }))
    assert.is_nil((db:get("Pairs", { P = "p", K = 1 })))
    assert.are.equal(1, db:count "Pairs")
    assert.are.same({ 2 }, scratch.list(db:query("Pairs/ByText", { Text = "hello" }), "K"))
  end)

  it("of what is not there is no failure", function()
    assert.is_true(db:delete("Pairs", { P = "none", K = 1 }))
    scratch.same({}, db:delete("Pairs", { P = "none", K = 1 }, { returns = "ALL_OLD" }))
  end)

  it("gives the deleted item when asked", function()
    scratch.same({ P = "p", K = 1, Text = "hello" }, db:delete("Pairs", { P = "p", K = 1 }, { returns = "ALL_OLD" }))
  end)

  it("keeps the item when its condition fails", function()
    scratch.refused("ConditionalCheckFailedException", "The conditional request failed",
      db:delete("Pairs", { P = "p", K = 1 }, { condition = "Text = \"other\"" }))
    assert.are.equal(2, db:count "Pairs")
    assert(db:delete("Pairs", { P = "p", K = 1 }, { condition = "Text = \"hello\"" }))
  end)

  it("fails a condition on an item that is not there", function()
    local _, _, code = db:delete("Pairs", { P = "q", K = 1 }, { condition = "attribute_exists(P)" })
    assert.are.equal("ConditionalCheckFailedException", code)
    assert(db:delete("Pairs", { P = "q", K = 1 }, { condition = "attribute_not_exists(P)" }))
  end)

  it("wants exactly the key", function()
    scratch.invalid("The provided key element does not match the schema", db:delete("Pairs", { P = "p" }))
    scratch.invalid("The provided key element does not match the schema",
      db:delete("Pairs", { P = "p", K = 1, Text = "hello" }))
  end)

  it("gives no other values", function()
    scratch.invalid("ReturnValues can only be ALL_OLD or NONE",
      db:delete("Pairs", { P = "p", K = 1 }, { returns = "ALL_NEW" }))
  end)
end)
