--- TransactWriteItems and TransactGetItems.
local perilune = require "perilune"
local scratch = require "scratch"

local CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
local CHECK_FAILED = { code = "ConditionalCheckFailed", message = "The conditional request failed" }
local NONE = { code = "None" }
local WRONG_KEY = "The provided key element does not match the schema"

describe("a transaction", function()
  local db, path
  before_each(function()
    db, path = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:S",
      indexes = { ByNum = { partition_key = "Num:N" }, ByName = { sort_key = "Name:S", project = "keys_only" } },
    }
    assert(db:create_table { table = "Users", partition_key = "Id:S" })
  end)
  after_each(scratch.clean)

  local function well()
    local report = assert(db:check())
    assert(report.ok, table.concat(report.faults, "\n"))
  end

  -- Must be cancelled, with these codes in this order. Returns the reasons.
  local function cancelled(codes, ...)
    local result, why, code, reasons = ...
    assert.is_nil(result)
    assert.are.equal("TransactionCanceledException", code, why)
    assert.are.equal(CANCELLED .. "[" .. table.concat(codes, ", ") .. "]", why)
    assert.are.equal(#codes, #reasons)
    for i, reason in ipairs(reasons) do assert.are.equal(codes[i], reason.code) end
    return reasons
  end

  -- Every item of both tables, as text.
  local function everything()
    return scratch.dump { scratch.list(db:scan "Pairs"), scratch.list(db:scan "Users") }
  end

  -- What fails leaves everything as it was.
  local function changes_nothing(body)
    local before = everything()
    body()
    assert.are.equal(before, everything())
    well()
  end

  describe("of writes", function()
    it("puts, updates, deletes and checks in several tables at once", function()
      assert(db:put("Users", { Id = "old", Age = 3 }))
      assert(db:put("Users", { Id = "gone" }))
      assert(db:put("Users", { Id = "seen", Age = 9 }))
      assert.is_true(db:transact {
        { put = "Pairs", item = { P = "p", K = "1", Num = 5, Name = "n" } },
        { update = "Users", key = { Id = "old" }, expression = "SET Age = Age + 1" },
        { update = "Users", key = { Id = "new" }, expression = "SET Age = 1" },
        { delete = "Users", key = { Id = "gone" } },
        { check = "Users", key = { Id = "seen" }, condition = "Age = 9" },
      })
      scratch.same({ P = "p", K = "1", Num = 5, Name = "n" }, db:get("Pairs", { P = "p", K = "1" }))
      scratch.same({ Id = "old", Age = 4 }, db:get("Users", { Id = "old" }))
      scratch.same({ Id = "new", Age = 1 }, db:get("Users", { Id = "new" }))
      assert.is_nil(db:get("Users", { Id = "gone" }))
      scratch.same({ Id = "seen", Age = 9 }, db:get("Users", { Id = "seen" }))
      assert.are.equal(1, db:count("Pairs/ByNum", { Num = 5 }))
      well()
    end)

    it("does all or nothing, wherever it fails", function()
      assert(db:put("Users", { Id = "there" }))
      for at = 1, 4 do
        local items = {}
        for i = 1, 4 do
          items[i] = { put = "Pairs", item = { P = "p", K = tostring(i), Num = i },
            condition = i == at and "attribute_exists(P)" or nil }
        end
        local codes = { "None", "None", "None", "None" }
        codes[at] = "ConditionalCheckFailed"
        changes_nothing(function() cancelled(codes, db:transact(items)) end)
      end
    end)

    it("tells of every condition that fails, in order", function()
      assert(db:put("Users", { Id = "u", Age = 1 }))
      local reasons = cancelled(
        { "ConditionalCheckFailed", "None", "ConditionalCheckFailed", "ConditionalCheckFailed" }, db:transact {
          { put = "Users", item = { Id = "u" }, condition = "attribute_not_exists(Id)", on_failure = "ALL_OLD" },
          { put = "Users", item = { Id = "v" } },
          { check = "Users", key = { Id = "w" }, condition = "attribute_exists(Id)", on_failure = "ALL_OLD" },
          { delete = "Users", key = { Id = "x" }, condition = "Age = :a", values = { a = 5 } },
        })
      scratch.same({ code = "ConditionalCheckFailed", message = "The conditional request failed",
        item = { Id = "u", Age = 1 } }, reasons[1])
      scratch.same(NONE, reasons[2])
      scratch.same(CHECK_FAILED, reasons[3])
      scratch.same(CHECK_FAILED, reasons[4])
    end)

    it("judges conditions on the state before it", function()
      assert(db:put("Users", { Id = "a", N = 1 }))
      -- What the first one writes is not what the second one sees: they are different items, and nothing else is.
      assert.is_true(db:transact {
        { put = "Users", item = { Id = "b", N = 2 } },
        { update = "Users", key = { Id = "a" }, expression = "SET N = N + 10", condition = "N = 1" },
      })
      cancelled({ "None", "ConditionalCheckFailed" }, db:transact {
        { update = "Users", key = { Id = "a" }, expression = "SET N = N + 10" },
        { check = "Users", key = { Id = "b" }, condition = "N = 12" },
      })
      scratch.same({ Id = "a", N = 11 }, db:get("Users", { Id = "a" }))
    end)

    it("names no item twice, whatever is done with it", function()
      local SENTENCE = "Transaction request cannot include multiple operations on one item"
      local one = { Id = "one" }
      local actions = {
        { put = "Users", item = { Id = "one", N = 1 } },
        { update = "Users", key = one, expression = "SET N = 2" },
        { delete = "Users", key = one },
        { check = "Users", key = one, condition = "attribute_not_exists(Id)" },
      }
      changes_nothing(function()
        for _, first in ipairs(actions) do
          for _, second in ipairs(actions) do
            scratch.invalid(SENTENCE, db:transact { first, { put = "Users", item = { Id = "two" } }, second })
          end
        end
      end)
    end)

    it("takes 1 to 100 items", function()
      local items = {}
      for i = 1, 100 do items[i] = { put = "Users", item = { Id = "u" .. i, N = i } } end
      assert.is_true(db:transact(items))
      assert.are.equal(100, db:count "Users")
      items[101] = { put = "Users", item = { Id = "one too many" } }
      scratch.invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
        .. "Member must have length less than or equal to 100", db:transact(items))
      scratch.invalid("1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: "
        .. "Member must have length greater than or equal to 1", db:transact {})
    end)

    it("tells of a hundred failures in full", function()
      local items, codes = {}, {}
      for i = 1, 100 do
        items[i] = { check = "Users", key = { Id = "u" .. i }, condition = "attribute_exists(Id)" }
        codes[i] = "ConditionalCheckFailed"
      end
      cancelled(codes, db:transact(items))
    end)

    it("asks with at most 4 MB, however large the items are that it deletes", function()
      local large, keys = {}, {}
      for i = 1, 13 do
        local item = { Id = "large" .. i, Filler = ("x"):rep(400000) }
        assert(db:put("Users", item))
        large[i] = { put = "Users", item = item }
        keys[i] = { delete = "Users", key = { Id = "large" .. i } }
      end
      local _, why, code = db:transact(large)
      assert.are.equal("ValidationException", code)
      assert.is_truthy(why:find("Transaction payload size cannot exceed 4MB", 1, true), why)
      assert.is_true(db:transact(keys))
      assert.are.equal(0, db:count "Users")
    end)

    it("changes at most what the journal takes at once", function()
      assert(db:create_table { table = "Wide", partition_key = "Id:S", indexes = {
        One = { partition_key = "Id:S" }, Two = { partition_key = "Id:S" }, Three = { partition_key = "Id:S" } } })
      local items = {}
      for i = 1, 30 do
        assert(db:put("Wide", { Id = "w" .. i, N = 0, Filler = ("x"):rep(400000) }))
        items[i] = { update = "Wide", key = { Id = "w" .. i }, expression = "SET N = 1" }
      end
      local _, why, code = db:transact(items)
      assert.are.equal("LimitExceededException", code)
      assert.is_truthy(why:find("32 MB", 1, true), why)
      assert.are.equal(0, db:count("Wide", nil, { filter = "N = 1" }))
      table.move(items, 21, 30, 11)
      for i = 16, 30 do items[i] = nil end
      assert.is_true(db:transact(items))
      assert.are.equal(15, db:count("Wide", nil, { filter = "N = 1" }))
      well()
    end)

    describe("that is wrong in itself is refused as a whole:", function()
      local good = { put = "Users", item = { Id = "good" } }
      local function refused(sentence, item)
        changes_nothing(function()
          scratch.invalid(sentence, db:transact { good, item })
          -- It comes before what is found against the schema.
          scratch.invalid(sentence, db:transact { { put = "Users", item = { Id = 5 } }, item })
        end)
      end

      it("an expression", function()
        refused('Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"',
          { put = "Users", item = { Id = "u" }, condition = "a = = b" })
        refused("Invalid UpdateExpression: An expression attribute value used in expression is not defined; "
          .. "attribute value: :v",
          { update = "Users", key = { Id = "u" }, expression = "SET a = :v", values = { w = 1 } })
        refused("Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
          { check = "Users", key = { Id = "u" }, condition = "a = b", names = { n = "x" } })
      end)

      it("an empty key", function()
        refused("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
          .. "empty string value. Key: Id", { put = "Users", item = { Id = "" } })
        refused("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
          .. "empty string value. Key: K", { delete = "Pairs", key = { P = "p", K = "" } })
      end)

      it("an item of more than 400 KB", function()
        refused("Item size has exceeded the maximum allowed size",
          { put = "Users", item = { Id = "u", Filler = ("x"):rep(410000) } })
      end)

      it("two actions in one", function()
        refused("TransactItems can only contain one of Check, Put, Update or Delete",
          { put = "Users", delete = "Users", key = { Id = "u" }, item = { Id = "u" } })
      end)

      it("a check without a condition", function()
        local _, why, code = db:transact { { check = "Users", key = { Id = "u" } } }
        assert.are.equal("ValidationException", code)
        assert.is_truthy(why:find("failed to satisfy constraint: Member must not be null", 1, true), why)
      end)

      it("a table that is not there", function()
        scratch.refused("ResourceNotFoundException", "Requested resource not found",
          db:transact { good, { put = "Nothing", item = { Id = "u" } } })
      end)
    end)

    describe("that does not fit what is stored is cancelled with a ValidationError:", function()
      local function invalid(message, item)
        changes_nothing(function()
          local reasons = cancelled({ "None", "ValidationError", "None" }, db:transact {
            { put = "Users", item = { Id = "good" } }, item,
            { put = "Users", item = { Id = "fine" } },
          })
          scratch.same({ code = "ValidationError", message = message }, reasons[2])
        end)
      end

      it("a key of the wrong type, or none", function()
        invalid("One or more parameter values were invalid: Type mismatch for key Id expected: S actual: N",
          { put = "Users", item = { Id = 5 } })
        invalid("One or more parameter values were invalid: Missing the key Id in the item",
          { put = "Users", item = { Name = "x" } })
        invalid(WRONG_KEY, { update = "Users", key = { Id = 5 }, expression = "SET a = 1" })
        invalid(WRONG_KEY, { delete = "Pairs", key = { P = "p" } })
        invalid(WRONG_KEY, { check = "Users", key = { Id = "u", K = "x" }, condition = "a = 1" })
      end)

      it("an index's key of the wrong type", function()
        invalid("One or more parameter values were invalid: Type mismatch for Index Key Num Expected: N Actual: S "
          .. "IndexName: ByNum", { put = "Pairs", item = { P = "p", K = "1", Num = "five" } })
        invalid("One or more parameter values were invalid: Type mismatch for Index Key Num Expected: N Actual: S "
          .. "IndexName: ByNum",
          { update = "Pairs", key = { P = "p", K = "1" }, expression = "SET Num = :v", values = { v = "five" } })
        invalid("The update expression attempted to update the secondary index key to unsupported type",
          { update = "Pairs", key = { P = "p", K = "1" }, expression = "SET Num = K" })
      end)

      it("an update that cannot be made", function()
        invalid("The provided expression refers to an attribute that does not exist in the item",
          { update = "Users", key = { Id = "u" }, expression = "SET a = b + 1" })
        invalid("One or more parameter values were invalid: Cannot update attribute Id. "
          .. "This attribute is part of the key",
          { update = "Users", key = { Id = "u" }, expression = "SET Id = :v", values = { v = "x" } })
      end)

      it("an update to more than 400 KB", function()
        assert(db:put("Users", { Id = "u", A = ("x"):rep(300000) }))
        invalid("Item size to update has exceeded the maximum allowed size",
          { update = "Users", key = { Id = "u" }, expression = "SET B = :v", values = { v = ("x"):rep(200000) } })
      end)

      it("the first one alone, and no condition beside it", function()
        cancelled({ "None", "ValidationError", "None", "None" }, db:transact {
          { check = "Users", key = { Id = "u" }, condition = "attribute_exists(Id)" },
          { update = "Users", key = { Id = "v" }, expression = "SET a = b + 1" },
          { update = "Users", key = { Id = "w" }, expression = "SET a = b + 1" },
          { check = "Users", key = { Id = "x" }, condition = "attribute_exists(Id)" },
        })
        cancelled({ "None", "ValidationError", "None" }, db:transact {
          { check = "Users", key = { Id = "u" }, condition = "attribute_exists(Id)" },
          { put = "Users", item = { Id = 1 } },
          { put = "Users", item = { Id = 2 } },
        })
      end)
    end)

    it("raises for what is no transaction", function()
      assert.has_error(function() db:transact(5) end)
      assert.has_error(function() db:transact { 5 } end)
      assert.has_error(function() db:transact { { item = { Id = "u" } } } end)
      assert.has_error(function() db:transact { { put = "Users" } } end)
      assert.has_error(function() db:transact { { put = "Users", item = { Id = "u" }, key = {} } } end)
      assert.has_error(function() db:transact({ { put = "Users", item = { Id = "u" } } }, { consistent = true }) end)
      assert.has_error(function() db:transact({ { put = "Users", item = { Id = "u" } } }, { token = 5 }) end)
    end)
  end)

  describe("on what several items share", function()
    local long = ("s"):rep(900)

    it("keeps all items of one record", function()
      assert(db:put("Pairs", { P = "p", K = long .. "0", Name = long .. "a", Num = 1 }))
      assert(db:put("Pairs", { P = "p", K = long .. "1", Name = long .. "b", Num = 1 }))
      assert.is_true(db:transact {
        { put = "Pairs", item = { P = "p", K = long .. "2", Name = long .. "c", Num = 1 } },
        { delete = "Pairs", key = { P = "p", K = long .. "0" } },
        { update = "Pairs", key = { P = "p", K = long .. "1" }, expression = "SET #n = :n",
          names = { n = "Name" }, values = { n = long .. "z" } },
        { put = "Pairs", item = { P = "p", K = long .. "3", Num = 1 } },
      })
      local keys = {}
      for item in db:query("Pairs", { P = "p" }) do keys[#keys + 1] = item.K:sub(-1) end
      assert.are.equal("123", table.concat(keys))
      assert.are.equal(3, db:count("Pairs/ByNum", { Num = 1 }))
      assert.are.equal(2, db:count("Pairs/ByName", { P = "p" }))
      assert.are.equal(3, db:describe("Pairs").items)
      well()
    end)

    it("drops all of it when one fails", function()
      assert(db:put("Pairs", { P = "p", K = long .. "0", Num = 1 }))
      changes_nothing(function()
        cancelled({ "None", "None", "ConditionalCheckFailed" }, db:transact {
          { put = "Pairs", item = { P = "p", K = long .. "2", Num = 1 } },
          { delete = "Pairs", key = { P = "p", K = long .. "0" } },
          { put = "Pairs", item = { P = "p", K = long .. "3", Num = 1 }, condition = "attribute_exists(P)" },
        })
      end)
      -- And the next write sees nothing of what was staged.
      assert(db:put("Pairs", { P = "p", K = long .. "4", Num = 1 }))
      assert.are.equal(2, db:count("Pairs", { P = "p" }))
      well()
    end)
  end)

  describe("with the table's own Lua", function()
    local guarded
    before_each(function()
      guarded = scratch.open { scripts = scratch.scripts { ["guarded.lua"] = [[
        return {
          table = "Guarded", partition_key = "Id:S",
          indexes = { ByWord = { partition_key = "Word:S", project = function(item)
            return item.Text and { Word = item.Text:match("%a+") } end } },
          before_write = function(old, new)
            if new and new.Text == "no" then return nil, "that is no text" end
            if not new then return true end
            local stamped = perilune.copy(new)
            stamped.Stamp = (old and old.Stamp or 0) + 1
            return stamped
          end,
          conditions = { owner = function(old, new, args) return old == nil or old.Owner == args.user end },
        }
      ]] } }
    end)

    it("runs before_write, the conditions and the projections for each item", function()
      assert.is_true(guarded:transact {
        { put = "Guarded", item = { Id = "1", Text = "one word", Owner = "ann" } },
        { put = "Guarded", item = { Id = "2", Text = "one more", Owner = "ann" }, condition = "@owner",
          args = { user = "bob" } },
      })
      scratch.same({ Id = "1", Text = "one word", Owner = "ann", Stamp = 1 }, guarded:get("Guarded", { Id = "1" }))
      assert.are.equal(2, guarded:count("Guarded/ByWord", { Word = "one" }))
      cancelled({ "ConditionalCheckFailed", "None" }, guarded:transact {
        { check = "Guarded", key = { Id = "1" }, condition = "@owner", args = { user = "bob" } },
        { delete = "Guarded", key = { Id = "2" } },
      })
      assert.is_true(guarded:transact {
        { check = "Guarded", key = { Id = "1" }, condition = "@owner", args = { user = "ann" } },
        { update = "Guarded", key = { Id = "2" }, expression = 'SET Owner = "ann", Text = "two"' },
      })
      assert.are.equal(1, guarded:get("Guarded", { Id = "1" }).Stamp)
      assert.are.equal(2, guarded:get("Guarded", { Id = "2" }).Stamp)
      assert.are.equal(1, guarded:count("Guarded/ByWord", { Word = "two" }))
      assert(guarded:check().ok)
    end)

    it("is cancelled by a before_write that refuses", function()
      local reasons = cancelled({ "None", "WriteRejected" }, guarded:transact {
        { put = "Guarded", item = { Id = "1", Text = "yes" } },
        { put = "Guarded", item = { Id = "2", Text = "no" } },
      })
      assert.is_truthy(reasons[2].message:find("that is no text", 1, true))
      assert.are.equal(0, guarded:count "Guarded")
    end)

    it("knows no other conditions", function()
      scratch.invalid("the table Guarded has no condition named @nobody", guarded:transact {
        { put = "Guarded", item = { Id = "1", Text = "yes" } },
        { check = "Guarded", key = { Id = "2" }, condition = "@nobody" },
      })
    end)
  end)

  describe("of reads", function()
    before_each(function()
      assert(db:put("Users", { Id = "a", Age = 1, Name = "Ann" }))
      assert(db:put("Pairs", { P = "p", K = "1", Num = 7 }))
    end)

    it("gives the items in the order asked for, and nothing for what is not there", function()
      local got = assert(db:transact {
        { get = "Pairs", key = { P = "p", K = "1" } },
        { get = "Users", key = { Id = "nobody" } },
        { get = "Users", key = { Id = "a" }, project = "#n", names = { n = "Name" } },
        { get = "Users", key = { Id = "z" } },
      })
      assert.are.equal(4, got.n)
      scratch.same({ P = "p", K = "1", Num = 7 }, got[1])
      assert.is_nil(got[2])
      scratch.same({ Name = "Ann" }, got[3])
      assert.is_nil(got[4])
    end)

    it("gives an empty item where nothing asked for is in it", function()
      local got = assert(db:transact { { get = "Users", key = { Id = "a" }, project = "Nothing" } })
      scratch.same({}, got[1])
    end)

    it("names no item twice, and only keys", function()
      scratch.invalid("Transaction request cannot include multiple operations on one item", db:transact {
        { get = "Users", key = { Id = "a" } }, { get = "Users", key = { Id = "a" }, project = "Age" } })
      local reasons = cancelled({ "None", "ValidationError" }, db:transact {
        { get = "Users", key = { Id = "a" } }, { get = "Users", key = { Id = "a", Age = 1 } } })
      scratch.same({ code = "ValidationError", message = WRONG_KEY }, reasons[2])
      scratch.refused("ResourceNotFoundException", "Requested resource not found",
        db:transact { { get = "Nothing", key = { Id = "a" } } })
    end)

    it("stands alone", function()
      local _, _, code = db:transact { { get = "Users", key = { Id = "a" } }, { delete = "Users", key = { Id = "b" } } }
      assert.are.equal("ValidationException", code)
      _, _, code = db:transact({ { get = "Users", key = { Id = "a" } } }, { token = "t" })
      assert.are.equal("ValidationException", code)
    end)

    it("takes 100, and 4 MB of items", function()
      local gets = {}
      for i = 1, 100 do gets[i] = { get = "Users", key = { Id = "u" .. i } } end
      assert.are.equal(100, assert(db:transact(gets)).n)
      gets[101] = { get = "Users", key = { Id = "u101" } }
      scratch.invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
        .. "Member must have length less than or equal to 100", db:transact(gets))
      gets = {}
      for i = 1, 11 do
        assert(db:put("Users", { Id = "large" .. i, Filler = ("x"):rep(400000) }))
        gets[i] = { get = "Users", key = { Id = "large" .. i }, project = "Id" }
      end
      local _, why, code = db:transact(gets)
      assert.are.equal("ValidationException", code)
      assert.is_truthy(why:find("4MB", 1, true), why)
      gets[11] = nil
      assert.are.equal("large10", assert(db:transact(gets))[10].Id)
    end)
  end)

  describe("costs", function()
    local function cost(items, options)
      options = options or {}
      options.capacity = {}
      assert(db:transact(items, options))
      return options.capacity
    end

    it("two units for each KB written, checks too", function()
      assert.are.equal(2, cost({ { put = "Users", item = { Id = "a" } } }).total)
      assert.are.equal(2, cost({ { check = "Users", key = { Id = "a" }, condition = "attribute_exists(Id)" } }).total)
      assert.are.equal(6, cost({ { put = "Users", item = { Id = "b", F = ("x"):rep(3000 - 4) } } }).total)
      assert.are.equal(6, cost({ { check = "Users", key = { Id = "b" }, condition = "attribute_exists(Id)" } }).total)
      assert.are.equal(8, cost({ { delete = "Users", key = { Id = "b" } },
        { delete = "Users", key = { Id = "nobody" } } }).total)
    end)

    it("for an index what its entry costs", function()
      local capacity = cost { { put = "Pairs", item = { P = "p", K = "1", Num = 1 } } }
      assert.are.equal(2, capacity.table)
      assert.are.equal(1, capacity.indexes.ByNum)
    end)

    it("two units for each 4 KB read", function()
      assert(db:put("Users", { Id = "a", F = ("x"):rep(5000) }))
      assert.are.equal(6, cost({ { get = "Users", key = { Id = "a" } }, { get = "Users", key = { Id = "no" } } }).total)
    end)

    it("the reading, when it was done before", function()
      local items = { { put = "Users", item = { Id = "a", F = ("x"):rep(5000) } } }
      assert.are.equal(10, cost(items, { token = "t" }).total)
      assert.are.equal(4, cost(items, { token = "t" }).total)
    end)
  end)

  describe("with a token", function()
    local add = { { update = "Users", key = { Id = "n" }, expression = "ADD N :one", values = { one = 1 } } }
    local function count() return (db:get("Users", { Id = "n" }) or { N = 0 }).N end

    it("is done once, however often it is asked for, across restarts", function()
      for i = 1, 100 do
        assert.is_true(db:transact(add, { token = "once" }))
        if i % 25 == 0 then db = scratch.reopen(db, path) end
      end
      assert.are.equal(1, count())
      assert.is_true(db:transact(add, { token = "again" }))
      assert.are.equal(2, count())
      well()
    end)

    it("is done again after it was cancelled", function()
      local items = { { update = "Users", key = { Id = "n" }, expression = "ADD N :one", values = { one = 1 },
        condition = "attribute_exists(Id)" } }
      cancelled({ "ConditionalCheckFailed" }, db:transact(items, { token = "t" }))
      assert(db:put("Users", { Id = "n", N = 5 }))
      assert.is_true(db:transact(items, { token = "t" }))
      assert.is_true(db:transact(items, { token = "t" }))
      assert.are.equal(6, count())
    end)

    it("is the same request only when all of it is the same", function()
      local function request(change)
        local item = { update = "Users", key = { Id = "n" }, expression = "ADD #n :v", condition = "#m <> :w",
          names = { n = "N", m = "M" }, values = { v = 1, w = 2 } }
        for k, v in pairs(change) do item[k] = v end
        return { item }
      end
      assert.is_true(db:transact(request {}, { token = "t" }))
      assert.is_true(db:transact(request {}, { token = "t", capacity = {} }))
      for _, change in ipairs {
        { key = { Id = "m" } }, { expression = "ADD  #n :v" }, { condition = "#m <> :w " },
        { names = { n = "N", m = "O" } }, { values = { v = 1, w = 3 } }, { values = { v = 2, w = 2 } },
        { on_failure = "ALL_OLD" }, { update = "Pairs", key = { P = "p", K = "n" } },
      } do
        local _, _, code = db:transact(request(change), { token = "t" })
        assert.are.equal("IdempotentParameterMismatchException", code, scratch.dump(change.key))
      end
      local more = request {}
      more[2] = { delete = "Users", key = { Id = "x" } }
      local _, _, code = db:transact(more, { token = "t" })
      assert.are.equal("IdempotentParameterMismatchException", code)
      assert.are.equal(1, count())
    end)

    it("is refused another body after a restart too", function()
      assert.is_true(db:transact(add, { token = "t" }))
      db = scratch.reopen(db, path)
      scratch.refused("IdempotentParameterMismatchException",
        "The request has a different payload from the one that its idempotent token was already used for",
        db:transact({ { delete = "Users", key = { Id = "n" } } }, { token = "t" }))
      assert.are.equal(1, count())
    end)

    it("that changes nothing is remembered as well", function()
      local items = { { check = "Users", key = { Id = "n" }, condition = "attribute_not_exists(Id)" } }
      assert.is_true(db:transact(items, { token = "t" }))
      assert(db:put("Users", { Id = "n" }))
      assert.is_true(db:transact(items, { token = "t" }))
    end)

    it("has 1 to 36 characters, whatever they are", function()
      assert.is_true(db:transact(add, { token = ("\u{1F600}"):rep(36) }))
      assert.is_true(db:transact(add, { token = ("\u{1F600}"):rep(36) }))
      assert.are.equal(1, count())
      assert.is_true(db:transact(add, { token = "x" }))
      scratch.invalid("1 validation error detected: Value '" .. ("x"):rep(37) .. "' at 'clientRequestToken' failed to "
        .. "satisfy constraint: Member must have length less than or equal to 36",
        db:transact(add, { token = ("x"):rep(37) }))
      scratch.invalid("1 validation error detected: Value '' at 'clientRequestToken' failed to satisfy constraint: "
        .. "Member must have length greater than or equal to 1", db:transact(add, { token = "" }))
      assert.are.equal(2, count())
    end)
  end)

  it("moves money, and none is lost or made", function()
    for i = 1, 5 do assert(db:put("Users", { Id = "a" .. i, Euros = 100 })) end
    math.randomseed(5)
    for _ = 1, 300 do
      local from, to, euros = math.random(5), math.random(5), math.random(60)
      if from ~= to then
        db:transact {
          { update = "Users", key = { Id = "a" .. from }, expression = "SET Euros = Euros - :e",
            condition = "Euros >= :e", values = { e = euros } },
          { update = "Users", key = { Id = "a" .. to }, expression = "SET Euros = Euros + :e", values = { e = euros } },
        }
      end
      local gets, sum = {}, 0
      for i = 1, 5 do gets[i] = { get = "Users", key = { Id = "a" .. i } } end
      for _, item in ipairs(assert(db:transact(gets))) do
        sum = sum + item.Euros
        assert(item.Euros >= 0)
      end
      assert.are.equal(500, sum)
    end
    assert.are.equal("N", perilune.type(db:get("Users", { Id = "a1" }).Euros))
  end)
end)
