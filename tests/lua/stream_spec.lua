--- What a table's stream says of each write, and what it keeps silent about.
local perilune = require "perilune"
local scratch = require "scratch"

local set, binary, null = perilune.set, perilune.binary, perilune.null

--- A database with the table Things, and a tail that stands at its end: `tell()` gives the records that came since.
local function open(definition, options)
  local db, path = scratch.open(options)
  definition = definition or {}
  definition.table, definition.partition_key = "Things", "P:S"
  definition.sort_key = "S:N"
  if definition.stream == nil then definition.stream = "new_and_old_images" end
  assert(db:create_table(definition))
  local tail = assert(db:tail("Things", { from = "latest" }))
  local function tell()
    local records = {}
    for record in tail do records[#records + 1] = record end
    return records
  end
  return db, tell, path
end

--- "insert a1", "modify a1", ...: the events of records with the keys they are of.
local function events(records)
  local out = {}
  for i, r in ipairs(records) do out[i] = ("%s %s%d"):format(r.event, r.keys.P, r.keys.S) end
  return out
end

local function key(p, s) return { P = p, S = s } end

describe("a stream", function()
  after_each(scratch.clean)

  it("tells insert, modify and remove with both images", function()
    local db, tell = open()
    assert(db:put("Things", { P = "a", S = 1, v = 1 }))
    assert(db:put("Things", { P = "a", S = 1, w = 2 }))
    assert(db:update("Things", key("a", 1), "SET v = 3"))
    assert(db:delete("Things", key("a", 1)))
    local records = tell()
    assert.are.same({ "insert a1", "modify a1", "modify a1", "remove a1" }, events(records))
    assert.are.same({ P = "a", S = 1, v = 1 }, records[1].new)
    assert.is_nil(records[1].old)
    assert.are.same({ P = "a", S = 1, w = 2 }, records[2].new)
    assert.are.same({ P = "a", S = 1, v = 1 }, records[2].old)
    assert.are.same({ P = "a", S = 1, w = 2, v = 3 }, records[3].new)
    assert.are.same({ P = "a", S = 1, w = 2 }, records[3].old)
    assert.are.same({ P = "a", S = 1, w = 2, v = 3 }, records[4].old)
    assert.is_nil(records[4].new)
    for i, r in ipairs(records) do
      assert.are.same(key("a", 1), r.keys)
      assert.are.equal(records[1].shard, r.shard)
      assert.is_true(i == 1 or tonumber(r.sequence) > tonumber(records[i - 1].sequence))
      assert.is_true(math.abs(r.at - os.time()) < 60)
      assert.is_nil(r.by)
    end
  end)

  local VIEWS = {
    keys_only = {}, new_image = { new = true }, old_image = { old = true },
    new_and_old_images = { new = true, old = true },
  }
  for view, shown in pairs(VIEWS) do
    it("shows what its view says: " .. view, function()
      local db, tell = open { stream = view }
      local first, second = { P = "a", S = 1, v = 1 }, { P = "a", S = 1, v = 2 }
      assert(db:put("Things", first))
      assert(db:put("Things", second))
      assert(db:delete("Things", key("a", 1)))
      local records = tell()
      assert.are.same({ "insert a1", "modify a1", "remove a1" }, events(records))
      for i, images in ipairs { { new = first }, { new = second, old = first }, { old = second } } do
        assert.are.same(key("a", 1), records[i].keys)
        assert.are.same(shown.new and images.new or nil, records[i].new)
        assert.are.same(shown.old and images.old or nil, records[i].old)
      end
    end)
  end

  it("shows an item that has only its key", function()
    local db, tell = open()
    assert(db:put("Things", key("a", 1)))
    assert(db:update("Things", key("a", 1), "SET v = 1"))
    local records = tell()
    assert.are.same(key("a", 1), records[1].new)
    assert.are.same(key("a", 1), records[2].old)
  end)

  it("tells an update that makes the item as an insert", function()
    local db, tell = open()
    assert(db:update("Things", key("a", 1), "SET v = 1"))
    assert(db:update("Things", key("a", 2), "ADD n 5"))
    assert(db:update("Things", key("a", 3))) -- no expression: the key alone
    assert.are.same({ "insert a1", "insert a2", "insert a3" }, events(tell()))
  end)

  describe("is silent about", function()
    local ITEM = { P = "a", S = 1, n = 1.5, text = "x", tags = set { "x", "y", "z" }, nums = set { 1, 20, 300 },
      m = { one = 1, two = { b = true, a = null } }, l = { 1, "two", { 3 } }, bytes = binary "\0\1" }

    local SAME = {
      ["an equal put"] = function(db) return db:put("Things", ITEM) end,
      ["other spellings of numbers"] = function(db)
        local copy = {}
        for k, v in pairs(ITEM) do copy[k] = v end
        copy.n, copy.S = perilune.number "150e-2", perilune.number "1.000"
        copy.nums = set { perilune.number "3E2", perilune.number "1.0", perilune.number "20.00" }
        return db:put("Things", copy)
      end,
      ["another order of sets and maps"] = function(db)
        return db:update("Things", key("a", 1), "SET tags = :t, m = :m", { values = {
          t = set { "z", "x", "y" }, m = { two = { a = null, b = true }, one = 1 } } })
      end,
      ["SET to an equal value"] = function(db)
        return db:update("Things", key("a", 1), "SET n = :n, l = :l, bytes = :b", {
          values = { n = 1.5, l = { 1, "two", { 3 } }, b = binary "\0\1" } })
      end,
      ["SET of an attribute to itself"] = function(db) return db:update("Things", key("a", 1), "SET n = n") end,
      ["REMOVE of what is not there"] = function(db)
        return db:update("Things", key("a", 1), "REMOVE gone, m.gone")
      end,
      ["ADD of nothing"] = function(db) return db:update("Things", key("a", 1), "ADD n :z, tags :t", {
        values = { z = 0, t = set { "x" } } }) end,
      ["DELETE of what is not in the set"] = function(db)
        return db:update("Things", key("a", 1), "DELETE tags :t", { values = { t = set { "q" } } })
      end,
      ["an update without an expression"] = function(db) return db:update("Things", key("a", 1)) end,
      ["the delete of a missing item"] = function(db) return db:delete("Things", key("a", 2)) end,
      ["an update that only removes, of a missing item"] = function(db)
        return db:update("Things", key("a", 2), "REMOVE v")
      end,
    }
    for what, write in pairs(SAME) do
      it(what, function()
        local db, tell = open()
        assert(db:put("Things", ITEM))
        assert.are.equal(1, #tell())
        assert(write(db))
        assert.are.same({}, tell())
        assert(db:update("Things", key("a", 1), "SET n = 2"))
        assert.are.same({ "modify a1" }, events(tell()))
      end)
    end

    it("a condition that fails", function()
      local db, tell = open()
      assert(db:put("Things", ITEM))
      tell()
      assert.is_nil(db:put("Things", { P = "a", S = 1 }, { condition = "attribute_not_exists(P)" }))
      assert.is_nil(db:delete("Things", key("a", 1), { condition = "n > 2" }))
      assert.are.same({}, tell())
    end)

    it("what before_write refuses or makes of no effect", function()
      local db = scratch.open { scripts = scratch.scripts { ["things.lua"] = [[
        return { table = "Things", partition_key = "P:S", sort_key = "S:N", stream = "new_image",
          before_write = function(old, new)
            if new and new.bad then return nil, "no" end
            if new and old then return old end
            local made = perilune.copy(new)
            made.made = true
            return made
          end }]] } }
      assert(db:put("Things", { P = "a", S = 1 }))
      assert(db:put("Things", { P = "a", S = 1, v = 5 }))
      assert.is_nil(db:put("Things", { P = "a", S = 2, bad = true }))
      local records = {}
      for record in db:tail "Things" do records[#records + 1] = record end
      assert.are.same({ "insert a1" }, events(records))
      assert.are.same({ P = "a", S = 1, made = true }, records[1].new)
    end)
  end)

  it("has a record for each changed member of a batch", function()
    local db, tell = open()
    assert(db:put("Things", { P = "a", S = 1 }))
    assert(db:put("Things", { P = "b", S = 1, v = 1 }))
    tell()
    assert(db:batch_write { Things = {
      put = { { P = "a", S = 1 }, { P = "b", S = 1, v = 2 }, { P = "c", S = 1 } },
      delete = { key("a", 2), key("b", 2) } } })
    local told = events(tell())
    table.sort(told)
    assert.are.same({ "insert c1", "modify b1" }, told)
    assert(db:batch_write { Things = { delete = { key("a", 1), key("b", 1), key("x", 1) } } })
    told = events(tell())
    table.sort(told)
    assert.are.same({ "remove a1", "remove b1" }, told)
  end)

  it("has a record for each changed member of a transaction, and none of one that is cancelled", function()
    local db, tell = open()
    assert(db:put("Things", { P = "a", S = 1, v = 1 }))
    tell()
    assert(db:transact {
      { put = "Things", item = { P = "b", S = 1 } },
      { update = "Things", key = key("a", 1), expression = "SET v = v + 1" },
      { delete = "Things", key = key("c", 1) },
      { check = "Things", key = key("d", 1), condition = "attribute_not_exists(P)" },
    })
    local told = events(tell())
    table.sort(told)
    assert.are.same({ "insert b1", "modify a1" }, told)
    assert.is_nil(db:transact {
      { put = "Things", item = { P = "e", S = 1 } },
      { delete = "Things", key = key("a", 1), condition = "v > 100" },
    })
    assert.are.same({}, tell())
  end)

  it("keeps the records of one partition key in one shard, in the order of the writes", function()
    local db, tell = open()
    for n = 1, 300 do
      assert(db:put("Things", { P = "p" .. n % 7, S = n % 5, n = n }))
    end
    local shards, last = {}, {}
    for _, r in ipairs(tell()) do
      local p = r.keys.P
      assert.are.equal(shards[p] or r.shard, r.shard)
      shards[p] = r.shard
      assert.is_true(r.new.n > (last[p] or 0))
      last[p] = r.new.n
    end
    for p = 0, 6 do assert.is_true(last["p" .. p] > 290) end
  end)

  it("marks what the database itself deleted", function()
    local db, tell = open({ ttl = "T" }, { ttl_sweep_ms = 10 })
    assert(db:put("Things", { P = "a", S = 1, T = os.time() - 100 }))
    local told = tell()
    for _ = 1, 1000 do -- each write lets the database look after what has expired
      if #told > 1 then break end
      db:put("Things", { P = "b", S = 1 })
      for _, r in ipairs(tell()) do if r.keys.P == "a" then told[#told + 1] = r end end
      os.execute "sleep 0.01"
    end
    assert.are.same({ "insert a1", "remove a1" }, events(told))
    assert.is_nil(told[1].by)
    assert.are.equal("expiry", told[2].by)
  end)
end)

describe("a tail", function()
  after_each(scratch.clean)

  local function numbers(tail)
    local out = {}
    for record in tail do out[#out + 1] = record.new.n end
    table.sort(out)
    return out
  end

  it("goes on where a position says, also after a restart", function()
    local db, _, path = open()
    for n = 1, 20 do assert(db:put("Things", { P = "p" .. n, S = 1, n = n })) end
    local tail, first = assert(db:tail("Things", { from = "oldest" })), {}
    for i = 1, 7 do first[i] = tail().new.n end
    local position = tail:position()
    db = scratch.reopen(db, path)
    assert(db:put("Things", { P = "q", S = 1, n = 21 }))
    local rest = assert(db:tail("Things", { from = position }))
    local all = {}
    for record in rest do all[#all + 1] = record.new.n end
    table.move(first, 1, 7, #all + 1, all)
    table.sort(all)
    for n = 1, 21 do assert.are.equal(n, all[n]) end
    assert.are.equal(21, #all)
    assert.are.same({ 21 }, (function()
      local from_first = assert(db:tail("Things", { from = position }))
      local last = {}
      for record in from_first do if record.new.n == 21 then last[#last + 1] = 21 end end
      return last
    end)())
  end)

  it("is told apart from other tails, and goes on when called again", function()
    local db = open()
    local a, b = assert(db:tail "Things"), assert(db:tail("Things", { from = "latest" }))
    assert(db:put("Things", { P = "a", S = 1, n = 1 }))
    assert.are.same({ 1 }, numbers(a))
    assert(db:put("Things", { P = "a", S = 2, n = 2 }))
    assert.are.same({ 2 }, numbers(a))
    assert.are.same({ 1, 2 }, numbers(b))
    assert.are.same({}, numbers(b))
    a:close()
    assert.has_error(function() a() end)
    db:close()
    assert.has_error(function() b() end, "ServiceUnavailable: the database is closed")
  end)

  it("says what is wrong", function()
    local db = open()
    assert(db:create_table { table = "Silent", partition_key = "P:S" })
    local function fails(code, table_name, from)
      local tail, sentence, found = db:tail(table_name, { from = from })
      assert.is_nil(tail)
      assert.are.equal(code, found)
      return sentence
    end
    fails("ResourceNotFoundException", "None")
    assert.is_truthy(fails("ValidationException", "Silent"):match "has no stream")
    fails("ValidationException", "Things", "somewhere")
    assert.has_error(function() db:tail("Things", { form = "oldest" }) end,
      "tail: there is no option 'form'; there is from")
    assert.has_error(function() db:tail("Things", { from = 7 }) end)
  end)

  it("says so when what it had not read yet is kept no longer", function()
    local db = open(nil, { stream_retention_ms = 200 })
    assert(db:put("Things", { P = "a", S = 1, n = 1 }))
    local tail = assert(db:tail "Things")
    local position = tail:position()
    local kept = true
    for _ = 1, 400 do -- each write lets the database trim
      os.execute "sleep 0.02"
      assert(db:put("Things", { P = "b", S = 1, n = 1 }))
      kept = false
      for record in db:tail "Things" do kept = kept or record.keys.P == "a" end
      if not kept then break end
    end
    assert.is_false(kept)
    local _, sentence, code = db:tail("Things", { from = position })
    assert.are.equal("TrimmedDataAccessException", code)
    assert.is_truthy(sentence:match "start from oldest")
    assert.has_error(function() tail() end,
      "TrimmedDataAccessException: records that were not read yet are kept no longer: start from oldest")
  end)
end)
