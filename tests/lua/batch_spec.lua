--- BatchGetItem and BatchWriteItem.
local scratch = require "scratch"

local DUPLICATES = "Provided list of item keys contains duplicates"

describe("a batch", function()
  local db
  before_each(function()
    db = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:N", indexes = { ByNum = { partition_key = "Num:N" } },
    }
    assert(db:create_table { table = "Users", partition_key = "Id:S" })
  end)
  after_each(scratch.clean)

  local function many(count, from)
    local list = {}
    for i = 1, count do
      list[i] = { P = "p" .. (i + (from or 0)), K = i }
    end
    return list
  end

  describe("of writes", function()
    it("puts and deletes in several tables", function()
      assert(db:put("Pairs", { P = "old", K = 1 }))
      assert.is_true(db:batch_write {
        Pairs = { put = many(10), delete = { { P = "old", K = 1 }, { P = "never", K = 1 } } },
        Users = { put = { { Id = "u1" }, { Id = "u2" } } },
      })
      assert.are.equal(10, db:count "Pairs")
      assert.are.equal(2, db:count "Users")
    end)

    it("takes 25 and no more", function()
      assert(db:batch_write { Pairs = { put = many(25) } })
      scratch.invalid("Too many items requested for the BatchWriteItem call",
        db:batch_write { Pairs = { put = many(20, 100) }, Users = { put = { { Id = "1" }, { Id = "2" }, { Id = "3" },
          { Id = "4" }, { Id = "5" }, { Id = "6" } } } })
      assert.are.equal(25, db:count "Pairs")
    end)

    it("takes no key twice, however it is written", function()
      scratch.invalid(DUPLICATES,
        db:batch_write { Pairs = { put = { { P = "p", K = 1 }, { P = "p", K = 1.0, Num = 2 } } } })
      scratch.invalid(DUPLICATES,
        db:batch_write { Pairs = { put = { { P = "p", K = 1 } }, delete = { { P = "p", K = 1 } } } })
      assert.are.equal(0, db:count "Pairs")
    end)

    it("is made whole or, when one is wrong, not at all", function()
      for _, wrong in ipairs { { P = "p" }, { P = "", K = 1 }, { P = "x", K = 1, Num = "five" },
        { P = "x", K = 1, Filler = ("x"):rep(410000) } } do
        local list = many(5)
        list[6] = wrong
        local _, _, code = db:batch_write { Pairs = { put = list } }
        assert.are.equal("ValidationException", code)
      end
      scratch.refused("ResourceNotFoundException", "Requested resource not found",
        db:batch_write { Pairs = { put = many(5) }, Nothing = { put = { { Id = "1" } } } })
      scratch.invalid("The provided key element does not match the schema",
        db:batch_write { Pairs = { put = many(5), delete = { { P = "p" } } } })
      assert.are.equal(0, db:count "Pairs")
    end)

    it("is not empty", function()
      scratch.invalid("The requestItems parameter is required for BatchWriteItem", db:batch_write {})
      scratch.invalid("The requestItems parameter is required for BatchWriteItem",
        db:batch_write { Pairs = { put = {} } })
    end)

    it("raises for what is no batch", function()
      assert.has_error(function() db:batch_write { Pairs = { replace = {} } } end)
      assert.has_error(function() db:batch_write { Pairs = 5 } end)
      assert.has_error(function() db:batch_write { Pairs = { put = { 5 } } } end)
    end)
  end)

  describe("of a table whose throughput is used up", function()
    before_each(function()
      assert(db:create_table { table = "Slow", partition_key = "Id:S", throughput = { read = 1, write = 1 } })
      -- Of the 300 units with which a new table begins, one is left to write with.
      assert(db:put("Slow", { Id = "large", Filler = ("x"):rep(299 * 1024 - 13) }))
    end)

    it("gives back what it left out, ready to be written again", function()
      local list, sum = {}, 0
      for i = 1, 10 do
        list[i] = { Id = "i" .. i }
      end
      local done, left = db:batch_write { Slow = { put = list, delete = { { Id = "j" } } }, Users = { put = list } }
      assert.is_true(done)
      assert.are.equal(10, db:count "Users")
      for kind, of_kind in pairs(left.Slow) do
        assert(kind == "put" or kind == "delete")
        sum = sum + #of_kind
      end
      assert(sum == 9 or sum == 10, sum) -- of 11: a second's worth of one unit, and what came in meanwhile
      assert.is_nil(left.Users)
      -- The clock is the machine's: what is left now is refused or not, but never lost.
      local again, why, code = db:batch_write(left)
      assert(again or code == "ProvisionedThroughputExceededException", why)
    end)

    it("fails when nothing of it was done", function()
      assert(db:put("Slow", { Id = "x", Filler = ("x"):rep(300000) })) -- 293 seconds' worth
      scratch.refused("ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        .. "provisioning level with the UpdateTable API.",
        db:batch_write { Slow = { put = { { Id = "a" }, { Id = "b" } } } })
    end)

    it("gives back the keys that it did not read", function()
      assert(db:put("Slow", { Id = "x", Filler = ("x"):rep(290 * 1024) }))
      for _ = 1, 5 do
        assert(db:get("Slow", { Id = "x" }, { consistent = true })) -- 73 seconds' worth, so 65 are owed
      end
      local got, left = db:batch_get { Slow = { { Id = "x" } }, Users = { { Id = "u" } } }
      scratch.same({ Slow = {}, Users = {} }, got)
      scratch.same({ Slow = { { Id = "x" } } }, left)
    end)
  end)

  describe("of reads", function()
    before_each(function()
      for i = 0, 3 do
        assert(db:batch_write { Pairs = { put = many(25, i * 25) } })
      end
      assert(db:put("Users", { Id = "u1", Name = "Ann" }))
    end)

    it("gives what is there, by table", function()
      local got = assert(db:batch_get { Pairs = { { P = "p1", K = 1 }, { P = "p2", K = 2 }, { P = "none", K = 1 } },
        Users = { { Id = "u1" } } })
      assert.are.equal(2, #got.Pairs)
      scratch.same({ { Id = "u1", Name = "Ann" } }, got.Users)
      scratch.same({}, db:batch_get({ Users = { { Id = "nobody" } } }).Users)
    end)

    it("takes 100 keys and no more", function()
      local keys = {}
      for i = 0, 3 do
        local part = many(25, i * 25)
        table.move(part, 1, 25, #keys + 1, keys)
      end
      assert.are.equal(100, #db:batch_get({ Pairs = keys }).Pairs)
      scratch.invalid("Too many items requested for the BatchGetItem call",
        db:batch_get { Pairs = keys, Users = { { Id = "u1" } } })
    end)

    it("takes no key twice, and only keys", function()
      scratch.invalid(DUPLICATES, db:batch_get { Users = { { Id = "u1" }, { Id = "u1" } } })
      scratch.invalid("The provided key element does not match the schema",
        db:batch_get { Users = { { Id = "u1", Name = "x" } } })
      scratch.refused("ResourceNotFoundException", "Requested resource not found",
        db:batch_get { Users = { { Id = "u1" } }, Nothing = { { Id = "1" } } })
      scratch.invalid("The requestItems parameter is required for BatchGetItem", db:batch_get {})
    end)

    it("projects", function()
      scratch.same({ { Name = "Ann" } }, db:batch_get({ Users = { { Id = "u1" } } },
        { project = "#n", names = { n = "Name" } }).Users)
    end)

    it("ends at 16 MB, and gives back the keys that are left", function()
      local keys = {}
      for i = 1, 42 do
        keys[i] = { Id = "large" .. i }
        assert(db:put("Users", { Id = "large" .. i, Filler = ("x"):rep(400000) }))
      end
      local got, left = db:batch_get { Users = keys }
      assert.are.equal(41, #got.Users)
      scratch.same({ Users = { { Id = "large42" } } }, left)
      assert.are.equal(1, #db:batch_get(left).Users)
      assert.is_nil((select(2, db:batch_get(left))))
    end)
  end)
end)
