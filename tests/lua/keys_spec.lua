--- Keys of any legal length, and what shares its beginning.
local perilune = require "perilune"
local scratch = require "scratch"

local LONG_PK, LONG_SK = 2048, 1024

describe("keys", function()
  local db, path
  before_each(function()
    db, path = scratch.open()
    assert(db:create_table {
      table = "Things", partition_key = "P:S", sort_key = "K:S",
      indexes = {
        ByG = { partition_key = "G:S", sort_key = "H:S", project = "keys_only" },
        Near = { sort_key = "H:S" },
      },
    })
    assert(db:create_table { table = "Bytes", partition_key = "P:B", sort_key = "K:B" })
    assert(db:create_table { table = "Numbers", partition_key = "P:N", sort_key = "K:N" })
  end)
  after_each(scratch.clean)

  local function well()
    local report = assert(db:check())
    assert(report.ok, table.concat(report.faults, "\n"))
  end

  -- What walking over one partition key gives, by pages of every size, both ways.
  local function walk_is(expected, source, where, name, limits)
    for _, descending in ipairs { false, true } do
      for _, limit in ipairs(limits or { 1, 2, 3, 1000 }) do
        local got = scratch.list(db:query(source, where, { page_size = limit, descending = descending }), name)
        assert.are.equal(#expected, #got)
        for i, key in ipairs(expected) do
          local at = descending and #expected + 1 - i or i
          if tostring(got[at]) ~= tostring(key) then
            error(("%s, pages of %d%s: %d is another"):format(source, limit, descending and " down" or "", i), 2)
          end
        end
      end
    end
  end

  it("of the greatest length are found, told apart and ordered", function()
    local pk = ("p"):rep(LONG_PK)
    local keys = {}
    for i = 1, 9 do
      keys[i] = ("k"):rep(LONG_SK - 1) .. i
      assert(db:put("Things", { P = pk, K = keys[i], Num = i }))
    end
    for i = 1, 9 do
      assert.are.equal(i, db:get("Things", { P = pk, K = keys[i] }).Num)
    end
    assert.is_nil((db:get("Things", { P = pk, K = ("k"):rep(LONG_SK) })))
    assert.is_nil((db:get("Things", { P = ("p"):rep(LONG_PK - 1) .. "q", K = keys[1] })))
    walk_is(keys, "Things", { P = pk }, "K")
    well()
  end)

  it("longer than that are refused in writes and in reads", function()
    local hash = "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit "
      .. "of2048 bytes"
    local range = "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size "
      .. "limit of 1024 bytes"
    local pk, sk = ("p"):rep(LONG_PK + 1), ("k"):rep(LONG_SK + 1)
    scratch.invalid(hash, db:put("Things", { P = pk, K = "k" }))
    scratch.invalid(range, db:put("Things", { P = "p", K = sk }))
    scratch.invalid(hash, db:get("Things", { P = pk, K = "k" }))
    scratch.invalid(range, db:get("Things", { P = "p", K = sk }))
    scratch.invalid(hash, db:delete("Things", { P = pk, K = "k" }))
    scratch.invalid(range, db:update("Things", { P = "p", K = sk }))
    scratch.invalid(range, db:put("Things", { P = "p", K = "k", H = sk }))
    scratch.invalid(hash, db:put("Things", { P = "p", K = "k", G = pk, H = "h" }))
    assert(db:put("Things", { P = "\u{20ac}", K = ("\u{20ac}"):rep(341) })) -- 1023 bytes
    scratch.invalid(range, db:put("Things", { P = "p", K = ("\u{20ac}"):rep(342) }))
  end)

  it("that differ only in byte 1000 are different items, in order", function()
    local head, tail = ("x"):rep(999), ("y"):rep(24)
    local keys = {}
    for i = 1, 40 do
      keys[i] = head .. string.char(47 + i) .. tail
    end
    local order = {}
    for i = 1, 40 do order[i] = (i * 17) % 40 + 1 end -- 17 and 40 share no factor
    for _, i in ipairs(order) do
      assert(db:put("Things", { P = "p", K = keys[i], Num = i, G = "g", H = keys[i] }))
    end
    walk_is(keys, "Things", { P = "p" }, "K", { 1, 7, 39, 40, 1000 })
    walk_is(keys, "Things/ByG", { G = "g" }, "K", { 1, 7, 39, 40 })
    walk_is(keys, "Things/Near", { P = "p" }, "K", { 1, 7, 39, 40 })
    for i = 1, 40 do
      assert.are.equal(i, db:get("Things", { P = "p", K = keys[i] }).Num)
    end
    well()
    for _, case in ipairs {
      { perilune.lt(keys[10]), 1, 9 }, { perilune.le(keys[10]), 1, 10 }, { perilune.gt(keys[10]), 11, 40 },
      { perilune.ge(keys[10]), 10, 40 }, { perilune.between(keys[5], keys[8]), 5, 8 }, { keys[7], 7, 7 },
      { perilune.begins_with(head), 1, 40 }, { perilune.begins_with(head .. string.char(47 + 3)), 3, 3 },
      { perilune.lt(head), 1, 0 }, { perilune.gt(head), 1, 40 }, { perilune.ge(head .. "~~"), 1, 0 },
    } do
      local expected = table.move(keys, case[2], case[3], 1, {})
      walk_is(expected, "Things", { P = "p", K = case[1] }, "K", { 1, 3, 1000 })
      walk_is(expected, "Things/Near", { P = "p", H = case[1] }, "K", { 2 })
    end
    for i = 1, 40, 2 do
      assert(db:delete("Things", { P = "p", K = keys[i] }))
    end
    local left = {}
    for i = 2, 40, 2 do left[#left + 1] = keys[i] end
    walk_is(left, "Things", { P = "p" }, "K")
    walk_is(left, "Things/ByG", { G = "g" }, "K", { 3 })
    well()
    db = scratch.reopen(db, path)
    walk_is(left, "Things", { P = "p" }, "K", { 3 })
    for i = 2, 40, 2 do
      assert(db:delete("Things", { P = "p", K = keys[i] }))
    end
    assert.are.equal(0, db:count "Things")
    assert.are.equal(0, db:count "Things/ByG")
    well()
  end)

  it("of all lengths with one beginning stand in order", function()
    local keys = {}
    for length = 1, LONG_SK - 1, 31 do
      keys[#keys + 1] = ("s"):rep(length)
    end
    keys[#keys + 1] = ("s"):rep(LONG_SK)
    table.sort(keys)
    for i = #keys, 1, -1 do
      assert(db:put("Things", { P = "p", K = keys[i] }))
      assert(db:put("Bytes", { P = perilune.binary "p", K = perilune.binary(keys[i]) }))
    end
    walk_is(keys, "Things", { P = "p" }, "K", { 1, 5 })
    walk_is(keys, "Bytes", { P = perilune.binary "p" }, "K", { 5 })
    well()
  end)

  it("with zero bytes and high bytes do not run into each other", function()
    local keys = {}
    for _, a in ipairs { "", "\0", "\1", "\xff" } do
      for _, b in ipairs { "", "\0", "\1", "\xff" } do
        for _, c in ipairs { "\0", "\1", "\xff" } do
          keys[a .. b .. c] = true
        end
      end
    end
    local sorted = {}
    for key in pairs(keys) do sorted[#sorted + 1] = key end
    table.sort(sorted)
    for _, key in ipairs(sorted) do
      assert(db:put("Bytes", { P = perilune.binary "p", K = perilune.binary(key) }))
      assert(db:put("Bytes", { P = perilune.binary(key), K = perilune.binary "k" }))
    end
    walk_is(sorted, "Bytes", { P = perilune.binary "p" }, "K")
    for _, key in ipairs(sorted) do
      walk_is({ "k" }, "Bytes", { P = perilune.binary(key) }, "K", { 1 })
    end
    well()
  end)

  it("that are numbers stand in the order of their values", function()
    local texts = { "-9.9e125", "-1e20", "-100", "-99.5", "-1", "-0.5", "-1e-130", "0", "1e-130", "1e-20", "0.1",
      "0.11", "1",
      "1.0000000000000000000000000000000000001", "2", "10", "99", "100", "1e20", "1.5e20", "1e125",
      "9.9999999999999999999999999999999999999e125" }
    local values = {}
    for i, text in ipairs(texts) do
      values[i] = perilune.number(text)
    end
    for i = #texts, 1, -1 do
      assert(db:put("Numbers", { P = 12345, K = values[i], At = i }))
      assert(db:put("Numbers", { P = values[i], K = 7, At = i }))
    end
    local places = {}
    for i = 1, #texts do places[i] = i end
    walk_is(places, "Numbers", { P = 12345 }, "At", { 1, 5 })
    for i, value in ipairs(values) do
      assert.are.equal(i, db:get("Numbers", { P = value, K = 7 }).At)
    end
    well()
  end)

  it("of an index may be long too, with long table keys behind them", function()
    local pk, g = ("p"):rep(LONG_PK), ("g"):rep(LONG_PK)
    local expected = {}
    for i = 1, 12 do
      expected[i] = ("k"):rep(LONG_SK - 2) .. ("%02d"):format(i)
      assert(db:put("Things", { P = pk, K = expected[i], G = g, H = ("h"):rep(LONG_SK) })) -- all have one index key
    end
    for _, limit in ipairs { 1, 5, 12, 100 } do
      local got = scratch.list(db:query("Things/ByG", { G = g }, { page_size = limit }), "K")
      table.sort(got)
      assert.are.same(expected, got)
    end
    assert(db:update("Things", { P = pk, K = expected[3] }, "SET H = \"short\""))
    assert.are.equal(expected[3],
      scratch.list(db:query("Things/ByG", { G = g }, { descending = true, limit = 1 }), "K")[1])
    assert(db:update("Things", { P = pk, K = expected[3] }, "REMOVE G"))
    assert.are.equal(11, db:count("Things/ByG", { G = g }))
    well()
  end)

  it("of an index move among others with the same beginning", function()
    local head = ("h"):rep(1000)
    for i = 1, 8 do
      assert(db:put("Things", { P = "p", K = "k" .. i, G = "g", H = head .. i }))
    end
    for i = 1, 8 do -- within the few that share a stored key, and out of them and back
      assert(db:update("Things", { P = "p", K = "k" .. i }, "SET H = :h", { values = { h = head .. (9 - i) .. "x" } }))
      assert.are.equal(8, db:count("Things/ByG", { G = "g" }))
      well()
    end
    walk_is({ "k8", "k7", "k6", "k5", "k4", "k3", "k2", "k1" }, "Things/ByG", { G = "g" }, "K")
    assert(db:update("Things", { P = "p", K = "k3" }, "SET H = \"a\""))
    assert(db:update("Things", { P = "p", K = "k5" }, "REMOVE H"))
    walk_is({ "k3", "k8", "k7", "k6", "k4", "k2", "k1" }, "Things/Near", { P = "p" }, "K")
    well()
    assert(db:update("Things", { P = "p", K = "k3" }, "SET H = :h", { values = { h = head .. "0" } }))
    walk_is({ "k3", "k8", "k7", "k6", "k4", "k2", "k1" }, "Things/Near", { P = "p" }, "K")
    well()
  end)

  it("of many kinds, chosen at random, are walked as their order says", function()
    local seed = tonumber(os.getenv("PL_SEED")) or os.time()
    math.randomseed(seed)
    local parts = { ("a"):rep(300), ("a"):rep(301), "b", "\u{10ffff}", ("\u{e9}"):rep(100), "", ("a"):rep(200) .. "\0" }
    local there = {}
    for _ = 1, 300 do
      local key = parts[math.random(#parts)] .. parts[math.random(#parts)] .. parts[math.random(#parts)] .. "."
      if math.random(4) == 1 then
        there[key] = nil
        assert(db:delete("Things", { P = "p", K = key }))
      else
        there[key] = true
        assert(db:put("Things", { P = "p", K = key, G = "g", H = key }))
      end
    end
    local sorted = {}
    for key in pairs(there) do sorted[#sorted + 1] = key end
    os.setlocale "C"
    table.sort(sorted)
    walk_is(sorted, "Things", { P = "p" }, "K", { 1, 4, 1000 })
    walk_is(sorted, "Things/ByG", { G = "g" }, "K", { 4 })
    for _ = 1, 40 do
      local bound = sorted[math.random(#sorted)]:sub(1, math.random(1, 900))
      if utf8.len(bound) then
        local expected = {}
        for _, key in ipairs(sorted) do
          if key >= bound then expected[#expected + 1] = key end
        end
        walk_is(expected, "Things", { P = "p", K = perilune.ge(bound) }, "K", { 3 })
      end
    end
    well()
  end)
end)
