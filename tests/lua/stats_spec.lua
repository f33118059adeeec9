--- STATS of a table: what it holds, what it may use, and which keys are hot.
local scratch = require "scratch"

describe("the figures of a table", function()
  local db
  before_each(function()
    db = scratch.with_table {
      table = "Things", partition_key = "P:S", sort_key = "K:N",
      indexes = { ByG = { partition_key = { "G:S", "N:N" } }, ByL = { sort_key = "L:N" } },
    }
  end)
  after_each(scratch.clean)

  it("name the keys that most requests go to, and those that use most capacity", function()
    for i = 1, 300 do
      assert(db:put("Things", { P = "p" .. i % 100, K = i, F = i == 7 and ("x"):rep(300000) or nil }))
    end
    for _ = 1, 50 do
      assert(db:get("Things", { P = "p3", K = 3 }))
    end
    local hot = db:stats("Things").hot_keys
    assert.are.equal(60, hot.half_life_s)
    assert.are.same({ P = "p3" }, hot.requests[1].key)
    assert(hot.requests[1].requests >= 53)
    assert.are.same({ P = "p7" }, hot.capacity[1].key)
    assert(hot.capacity[1].capacity >= 293)
    assert(#hot.requests <= 16 and #hot.capacity <= 16)
  end)

  it("count what goes to a global index there, and a local one's with the table", function()
    for i = 1, 10 do
      assert(db:put("Things", { P = "p", K = i, G = "g", N = 1.5, L = i }))
    end
    assert(db:query_page("Things/ByG", { G = "g", N = 1.5 }))
    assert(db:query_page("Things/ByL", { P = "p" }))
    local stats = db:stats "Things"
    assert.are.same({ { key = { G = "g", N = 1.5 }, requests = 1 } }, stats.indexes.ByG.hot_keys.requests)
    assert.are.same({ { key = { P = "p" }, requests = 11 } }, stats.hot_keys.requests)
    assert.is_nil(stats.indexes.ByL.hot_keys)
    assert.are.equal(10, stats.indexes.ByL.items)
    assert.are.equal(10, stats.items)
  end)

  it("count what batches and transactions do, each item for itself", function()
    assert(db:batch_write { Things = { put = { { P = "a", K = 1 }, { P = "a", K = 2 } } } })
    assert(db:batch_get { Things = { { P = "a", K = 1 }, { P = "b", K = 2 } } })
    assert(db:transact { { update = "Things", key = { P = "a", K = 1 }, expression = "SET V = 1" } })
    local hot = db:stats("Things").hot_keys
    assert.are.same({ key = { P = "a" }, requests = 4 }, hot.requests[1])
    assert.are.same({ key = { P = "b" }, requests = 1 }, hot.requests[2])
  end)

  it("show the beginning of a key that is too long", function()
    assert(db:put("Things", { P = "long " .. ("ä"):rep(500), K = 1 }))
    local key = db:stats("Things").hot_keys.requests[1]
    assert.is_nil(key.key)
    assert.are.equal("long " .. ("ä"):rep(61), key.begins)
    assert.are.equal(16, #key.hash)
  end)

  it("say what is left of a provisioned table's throughput, and how often it was not enough", function()
    assert(db:create_table { table = "Slow", partition_key = "P:S", throughput = { read = 100, write = 1 },
      indexes = { ByG = { partition_key = "G:S", throughput = { read = 5, write = 7 } } } })
    assert(db:put("Slow", { P = "p", F = ("x"):rep(200000) })) -- 196 of the 300 units that it begins with
    assert(db:put("Slow", { P = "q", F = ("x"):rep(200000) }))
    assert.is_nil((db:put("Slow", { P = "p" })))
    local stats = db:stats "Slow"
    assert.are.equal(100, stats.throughput.read.units)
    assert.are.equal(30000, stats.throughput.read.left)
    assert(stats.throughput.write.left < 0)
    assert.are.equal(1, stats.throughput.write.throttled)
    assert.are.equal(0, stats.throughput.read.throttled)
    assert.are.equal(7, stats.indexes.ByG.throughput.write.units)
    assert.are.equal(2100, stats.indexes.ByG.throughput.write.left)
    assert.is_nil(db:stats("Things").throughput)
  end)
end)
