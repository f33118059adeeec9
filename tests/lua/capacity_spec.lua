--- Capacity units.
local scratch = require "scratch"
local server = require "server"

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

  it("of 1500 items of 64 bytes by one query is 24, and half of that when eventually consistent", function()
    for from = 1, 1500, 25 do
      local list = {}
      for k = from, from + 24 do
        list[#list + 1] = sized(64, { P = "p", K = k }) -- a key of one or two bytes, and then one of three
      end
      assert(db:batch_write { Things = { put = list } })
    end
    local bytes = db:describe("Things").size_bytes
    local units = math.ceil(bytes / 4096)
    assert.are.equal(24, units)
    assert.are.equal(units, used("query_page", "Things", { P = "p" }, { consistent = true }).total)
    assert.are.equal(units / 2, used("query_page", "Things", { P = "p" }, {}).total)
    assert.are.equal(units / 2, used("query_page", "Things", { P = "p" }, { select = "COUNT" }).total)
    assert.are.equal(units / 2, used("query_page", "Things", { P = "p" }, { project = "K" }).total)
    assert.are.equal(units, used("scan_page", "Things", { consistent = true }).total)
    assert.are.equal(units / 2, used("scan_page", "Things", { filter = "K < 0" }).total)
    assert.are.equal(units, used("count", "Things", { P = "p" }, { consistent = true }).total)
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

  it("of a transaction is twice that of its parts, checks among them", function()
    assert(db:put("Plain", sized(3000)))
    assert(db:put("Plain", sized(5000, { P = "q" })))
    for _, case in ipairs {
      { 2, { { put = "Plain", item = { P = "new" } } } },
      { 4, { { put = "Plain", item = sized(1025, { P = "new2" }) } } },
      { 6, { { update = "Plain", key = { P = "p" }, expression = "SET N1 = 1" } } },
      { 6, { { check = "Plain", key = { P = "p" }, condition = "attribute_exists(P)" } } },
      { 2, { { check = "Plain", key = { P = "none" }, condition = "attribute_not_exists(P)" } } },
      { 2, { { delete = "Plain", key = { P = "new" } } } },
      { 12, { { delete = "Plain", key = { P = "new2" } }, { put = "Plain", item = sized(4000, { P = "new3" }) } } },
      { 2, { { get = "Plain", key = { P = "p" } } } },
      { 6, { { get = "Plain", key = { P = "q" } }, { get = "Plain", key = { P = "none" } } } },
    } do
      assert.are.equal(case[1], used("transact", case[2], {}).total)
    end
  end)

  it("of a transaction asked for again by its token is that of reading its items", function()
    local items = { { put = "Plain", item = sized(5000) }, { put = "Plain", item = { P = "q" } } }
    assert.are.equal(12, used("transact", items, { token = "once" }).total)
    assert.are.equal(6, used("transact", items, { token = "once" }).total)
  end)

  it("of what is refused is not given", function()
    local sum = {}
    assert.is_nil((db:put("Plain", { P = "p" }, { condition = "attribute_exists(P)", capacity = sum })))
    assert.are.same({}, sum)
  end)
end)

describe("the line protocol", function()
  local folder, running
  setup(function()
    folder = server.new_folder()
    running = assert(server.start(folder .. "/log", "--data", folder .. "/data", "--sync", "never"))
  end)
  teardown(function()
    running:stop()
    server.remove(folder)
  end)

  -- The replies to `lines`, one text.
  local function say(lines)
    local host, port = running.address:match("^(.*):(%d+)$")
    return (server.execute(("bash -c %s"):format(server.quote(
      ("exec 3<>/dev/tcp/%s/%s; printf %%s %s >&3; cat <&3"):format(host, port, server.quote(lines .. "\nQUIT\n"))))))
  end

  it("tells the capacity that a request used, whichever it is", function()
    assert.are.equal("OK", say('CREATE Things {"partition_key":"P:S","sort_key":"K:N","indexes":'
      .. '{"ByG":{"partition_key":"G:S"},"ByL":{"sort_key":"L:N","project":"keys_only"}}}'):match("^OK"))
    for _, case in ipairs {
      { 'PUT Things {"P":"p","K":1,"G":"g","L":1} CAPACITY INDEXES',
        '{"capacity":{"total":3,"table":1,"indexes":{"ByG":1,"ByL":1}}}' },
      { 'GET Things {"P":"p","K":1} SELECT P CAPACITY TOTAL', '{"capacity":{"total":0.5}}' },
      { 'GET Things {"P":"p","K":9} CONSISTENT CAPACITY INDEXES', '{"capacity":{"total":1,"table":1,"indexes":{}}}' },
      { 'UPDATE Things {"P":"p","K":1} SET V = 1 CAPACITY INDEXES',
        '{"capacity":{"total":2,"table":1,"indexes":{"ByG":1}}}' },
      { 'QUERY Things WHERE P = "p" SELECT P CAPACITY TOTAL', '{"count":1,"scanned":1,"capacity":{"total":0.5}}' },
      { 'QUERY Things/ByG WHERE G = "g" SELECT P CAPACITY INDEXES',
        '{"count":1,"scanned":1,"capacity":{"total":0.5,"table":0,"indexes":{"ByG":0.5}}}' },
      { 'QUERY Things/ByL WHERE P = "p" SELECT V CAPACITY INDEXES',
        '{"count":1,"scanned":1,"capacity":{"total":1,"table":0.5,"indexes":{"ByL":0.5}}}' },
      { 'SCAN Things SELECT P CAPACITY TOTAL', '{"count":1,"scanned":1,"capacity":{"total":0.5}}' },
      { 'COUNT Things CAPACITY TOTAL', '{"count":1,"scanned":1,"capacity":{"total":0.5}}' },
      { 'COUNT Things/ByG WHERE G = "g" CAPACITY INDEXES',
        '{"count":1,"scanned":1,"capacity":{"total":0.5,"table":0,"indexes":{"ByG":0.5}}}' },
      { 'BATCH GET {"Things":[{"P":"p","K":1},{"P":"p","K":2}]} SELECT P CAPACITY TOTAL',
        '{"count":1,"capacity":{"total":1}}' },
      { 'BATCH WRITE {"Things":{"put":[{"P":"q","K":1}],"delete":[{"P":"q","K":2}]}} CAPACITY TOTAL',
        '{"capacity":{"total":2}}' },
      { 'TRANSACT [{"check":"Things","key":{"P":"p","K":1},"if":"attribute_exists(P)"}] CAPACITY TOTAL',
        '{"capacity":{"total":2,"tables":{"Things":{"total":2}}}}' },
      { 'DEL Things {"P":"p","K":1} CAPACITY INDEXES',
        '{"capacity":{"total":3,"table":1,"indexes":{"ByG":1,"ByL":1}}}' },
    } do
      assert.are.equal(case[2], say(case[1]):match("END (%b{})\n"), case[1])
    end
  end)

  it("adds up all pages of a COUNT", function()
    assert(say('CREATE Large {"partition_key":"P:S"}'):match("^OK"))
    local lines = {}
    for i = 1, 9 do
      lines[i] = ('PUT Large {"P":"%d","F":"%s"}'):format(i, ("x"):rep(300000))
    end
    local file = folder .. "/lines"
    local out = assert(io.open(file, "w"))
    out:write(table.concat(lines, "\n"), "\n")
    out:close()
    assert.are.equal(0, select(2, running:shell("--file", file)))
    local units = tonumber(say("COUNT Large CAPACITY TOTAL"):match('"count":9,.*"total":([%d.]+)'))
    assert(units >= 9 * 300000 / 8192 and units <= 9 * 300000 / 8192 + 3, units)
  end)
end)
