--- Capacity units.
local scratch = require "scratch"

describe("capacity", function()
  local db
  before_each(function()
    db = scratch.with_table {
      table = "Things", partition_key = "P:S", sort_key = "K:N",
      indexes = {
        ByG = { partition_key = "G:S", project = { "Num" } },
        Near = { sort_key = "H:N", project = "keys_only" },
      },
    }
    assert(db:create_table { table = "Plain", partition_key = "P:S" })
  end)
  after_each(scratch.clean)

  -- An item of exactly `size` bytes.
  local function sized(size, more)
    local item = more or { P = "p" }
    local used = 0
    for name, value in pairs(item) do
      used = used + #name + (type(value) == "number" and 2 or #value)
    end
    item.F = ("x"):rep(size - used - 1)
    return item
  end

  local function used(method, ...)
    local arguments = table.pack(...)
    local sum = {}
    arguments[arguments.n].capacity = sum
    assert(db[method](db, ...))
    return sum
  end

  it("of a get is a unit for 4 KB, half of it when eventually consistent", function()
    for _, case in ipairs { { 100, 1 }, { 4096, 1 }, { 4097, 2 }, { 8192, 2 }, { 409600, 100 } } do
      assert(db:put("Plain", sized(case[1])))
      assert.are.equal(case[2], used("get", "Plain", { P = "p" }, { consistent = true }).total)
      assert.are.equal(case[2] / 2, used("get", "Plain", { P = "p" }, {}).total)
      assert.are.equal(case[2] / 2, used("get", "Plain", { P = "p" }, { project = "P" }).total)
    end
    local sum = {}
    assert.is_nil((db:get("Plain", { P = "none" }, { capacity = sum })))
    assert.are.equal(0.5, sum.total)
  end)

  it("of a write is a unit for 1 KB of the larger item", function()
    assert.are.equal(1, used("put", "Plain", sized(1024), {}).total)
    assert.are.equal(2, used("put", "Plain", sized(1025), {}).total)
    assert.are.equal(3, used("put", "Plain", sized(3000), {}).total)
    assert.are.equal(3, used("put", "Plain", sized(100), {}).total)
    assert.are.equal(1, used("update", "Plain", { P = "p" }, "SET Num = 1", {}).total)
    assert.are.equal(2,
      used("update", "Plain", { P = "p" }, "SET Num = :v", { values = { v = ("x"):rep(1500) } }).total)
    assert.are.equal(2, used("delete", "Plain", { P = "p" }, {}).total)
    assert.are.equal(1, used("delete", "Plain", { P = "p" }, {}).total)
  end)

  it("of a query is that of all items read, rounded once", function()
    for k = 1, 100 do
      assert(db:put("Things", sized(64, { P = "p", K = k })))
    end
    assert.are.equal(2, used("query_page", "Things", { P = "p" }, { consistent = true }).total) -- 6,400 bytes
    assert.are.equal(1, used("query_page", "Things", { P = "p" }, {}).total)
    assert.are.equal(1, used("query_page", "Things", { P = "p" }, { filter = "F = \"none\"" }).total)
    assert.are.equal(1, used("query_page", "Things", { P = "p" }, { select = "COUNT" }).total)
    assert.are.equal(0.5, used("query_page", "Things", { P = "p" }, { limit = 5 }).total)
    assert.are.equal(0.5, used("query_page", "Things", { P = "none" }, {}).total)
    assert.are.equal(1, used("scan_page", "Things", {}).total)
  end)

  it("adds up over an iterator's pages", function()
    for k = 1, 10 do
      assert(db:put("Things", { P = "p", K = k }))
    end
    local sum = {}
    for _ in db:query("Things", { P = "p" }, { page_size = 2, capacity = sum }) do end -- luacheck: ignore
    assert.are.equal(3, sum.total) -- the sixth page is empty
  end)

  it("of index entries is counted beside the table's", function()
    local sum = used("put", "Things", { P = "p", K = 1, G = "g", H = 1, Num = 1 }, {})
    assert.are.same({ total = 3, table = 1, indexes = { ByG = 1, Near = 1 } }, sum)
    sum = used("update", "Things", { P = "p", K = 1 }, "SET Other1 = 1", {}) -- in no index
    assert.are.same({ total = 1, table = 1 }, sum)
    sum = used("update", "Things", { P = "p", K = 1 }, "SET Num = 2", {}) -- projected by one
    assert.are.same({ total = 2, table = 1, indexes = { ByG = 1 } }, sum)
    sum = used("update", "Things", { P = "p", K = 1 }, "SET G = \"h\"", {}) -- moves the entry
    assert.are.same({ total = 3, table = 1, indexes = { ByG = 2 } }, sum)
    sum = used("update", "Things", { P = "p", K = 1 }, "REMOVE H", {})
    assert.are.same({ total = 2, table = 1, indexes = { Near = 1 } }, sum)
    sum = used("delete", "Things", { P = "p", K = 1 }, {})
    assert.are.same({ total = 2, table = 1, indexes = { ByG = 1 } }, sum)
  end)

  it("of an index query goes to the index, and what is fetched to the table", function()
    for k = 1, 3 do
      assert(db:put("Things", sized(5000, { P = "p", K = k, G = "g", H = k })))
    end
    assert.are.same({ total = 0.5, table = 0, indexes = { ByG = 0.5 } },
      used("query_page", "Things/ByG", { G = "g" }, {}))
    assert.are.same({ total = 0.5, table = 0, indexes = { Near = 0.5 } },
      used("query_page", "Things/Near", { P = "p" }, {}))
    assert.are.same({ total = 3.5, table = 3, indexes = { Near = 0.5 } },
      used("query_page", "Things/Near", { P = "p" }, { project = "F" }))
    assert.are.same({ total = 7, table = 6, indexes = { Near = 1 } },
      used("query_page", "Things/Near", { P = "p" }, { project = "F", consistent = true }))
  end)

  it("of a batch is that of its parts", function()
    assert.are.equal(4, used("batch_write", { Plain = { put = { sized(2048), sized(1025, { P = "q" }) } } }, {}).total)
    assert.are.equal(1.5, used("batch_get", { Plain = { { P = "p" }, { P = "q" }, { P = "none" } } }, {}).total)
    assert.are.equal(3, used("batch_get", { Plain = { { P = "p" }, { P = "q" }, { P = "none" } } },
      { consistent = true }).total)
  end)

  it("of what is refused is not given", function()
    local sum = {}
    assert.is_nil((db:put("Plain", { P = "p" }, { condition = "attribute_exists(P)", capacity = sum })))
    assert.are.same({}, sum)
  end)
end)
