--- Item collections: what shares a partition key value in a table with local indexes.
local perilune = require "perilune"
local scratch = require "scratch"

describe("an item collection", function()
  local db, path
  before_each(function()
    db, path = scratch.open { item_collection_bytes = 10000 }
    assert(db:create_table { table = "Near", partition_key = "P:S", sort_key = "K:N",
      indexes = { ByL = { sort_key = "L:N", project = "keys_only" } } })
    assert(db:create_table { table = "Plain", partition_key = "P:S", sort_key = "K:N" })
  end)
  after_each(scratch.clean)

  local function full(...)
    scratch.refused("ItemCollectionSizeLimitExceededException", "Collection size exceeded.", ...)
  end

  local function item(k, bytes)
    return { P = "p", K = k, L = k, F = ("x"):rep(bytes) }
  end

  it("has a limit where there are local indexes, and only there", function()
    for k = 1, 4 do
      assert(db:put("Near", item(k, 2400)))
      assert(db:put("Plain", item(k, 2400)))
    end
    full(db:put("Near", item(5, 2400)))
    full(db:update("Near", { P = "p", K = 1 }, "SET F2 = :f", { values = { f = ("x"):rep(1000) } }))
    assert.are.equal(4, db:count "Near")
    assert(db:put("Plain", item(5, 2400)))
    assert(db:put("Near", { P = "q", K = 5, F = ("x"):rep(2400) }))
  end)

  it("takes again once something has left it", function()
    for k = 1, 4 do
      assert(db:put("Near", item(k, 2400)))
    end
    full(db:put("Near", item(5, 1000)))
    assert(db:put("Near", item(4, 1000)))
    assert(db:put("Near", item(5, 1000)))
    full(db:put("Near", item(6, 1000)))
    assert(db:delete("Near", { P = "p", K = 1 }))
    assert(db:put("Near", item(6, 1000)))
    assert.is_true(db:check().ok)
  end)

  it("is as large after a restart, and may be over a lower limit", function()
    for k = 1, 4 do
      assert(db:put("Near", item(k, 2400)))
    end
    db = scratch.reopen(db, path, { item_collection_bytes = 5000 })
    full(db:put("Near", item(5, 1)))
    assert(db:put("Near", item(4, 2000)))
    assert(db:update("Near", { P = "p", K = 1 }, "REMOVE F"))
    for k = 1, 3 do
      assert(db:delete("Near", { P = "p", K = k }))
    end
    assert(db:put("Near", item(5, 1)))
    assert.is_true(db:check().ok)
  end)

  it("holds for transactions, of which it cancels the whole", function()
    assert(db:transact { { put = "Near", item = item(1, 3000) }, { put = "Near", item = item(2, 3000) },
      { put = "Near", item = { P = "q", K = 1, F = ("x"):rep(9000) } } })
    local result, _, code, reasons = db:transact { { put = "Near", item = { P = "r", K = 1 } },
      { put = "Near", item = item(3, 3000) }, { put = "Near", item = item(4, 3000) } }
    assert.is_nil(result)
    assert.are.equal("TransactionCanceledException", code)
    assert.are.equal("None", reasons[1].code)
    assert.are.equal("None", reasons[2].code) -- for it there was room
    assert.are.equal("ItemCollectionSizeLimitExceeded", reasons[3].code)
    assert.are.equal("Collection size exceeded.", reasons[3].message)
    assert.are.equal(3, db:count "Near")
    assert(db:put("Near", item(3, 3000)))
    assert(db:transact { { delete = "Near", key = { P = "p", K = 1 } }, { delete = "Near", key = { P = "p", K = 2 } },
      { put = "Near", item = item(5, 3000) } })
    assert.is_true(db:check().ok)
  end)

  it("has items that fit together with their entries", function()
    db = scratch.open()
    assert(db:create_table { table = "Near", partition_key = "P:S", sort_key = "K:N",
      indexes = { ByL = { sort_key = "L:N" } } })
    local half = 409600 / 2 - (#"Pp" + #"K" + 2 + #"L" + 2 + #"F")
    assert(db:put("Near", item(1, half)))
    scratch.invalid("Item size has exceeded the maximum allowed size", db:put("Near", item(1, half + 1)))
    local alone = { P = "p", K = 2, F = ("x"):rep(half + 1) }
    assert(db:put("Near", alone))
    scratch.invalid("Item size to update has exceeded the maximum allowed size",
      db:update("Near", { P = "p", K = 2 }, "SET L = :l", { values = { l = 2 } }))
    assert.are.same(alone, db:get("Near", { P = "p", K = 2 }))
    assert.is_true(db:check().ok)
  end)

  it("has items that fit for themselves, and not with what a later index adds: those do not grow", function()
    db = scratch.open()
    assert(db:create_table { table = "Late", partition_key = "P:S", sort_key = "K:N" })
    local large = item(1, 300000)
    large.G = ("x"):rep(50000)
    assert(db:put("Late", large))
    assert(db:alter_table("Late", { indexes = { ByL = { sort_key = "L:N" } } }))
    local function update(...)
      return db:update("Late", { P = "p", K = 1 }, ...)
    end
    local function grow()
      return update("SET A = :a", { values = { a = 1 } })
    end
    scratch.invalid("Item size to update has exceeded the maximum allowed size", grow())
    assert(update("SET F = :f", { values = { f = ("y"):rep(300000) } }))
    assert(update "REMOVE G")
    scratch.invalid("Item size to update has exceeded the maximum allowed size", grow())
    scratch.invalid("Item size has exceeded the maximum allowed size", db:put("Late", item(1, 250000)))
    assert(update("SET F = :f", { values = { f = "y" } }))
    assert(grow())
    assert.is_true(db:check().ok)
  end)

  it("is counted when a table gets its first local index late", function()
    for k = 1, 4 do
      assert(db:put("Plain", item(k, 2400)))
    end
    assert(db:alter_table("Plain", { indexes = { ByL = { sort_key = "L:N", project = "keys_only" } } }))
    full(db:put("Plain", item(5, 2400)))
    assert(db:alter_table("Plain", { indexes = { ByL = perilune.null } }))
    assert(db:put("Plain", item(5, 2400)))
    assert.is_true(db:check().ok)
  end)
end)
