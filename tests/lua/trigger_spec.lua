--- Triggers, in a program of their own: what is due runs inside the call that wrote.
local scratch = require "tests.lua.scratch"

local modules = {
  ["copies.lua"] = [[ return { table = "Copies", partition_key = "id:S", stream = "new_and_old_images" } ]],
  ["counts.lua"] = [[ return { table = "Counts", partition_key = "id:S" } ]],
}

local function module(triggers, more)
  return ([[
    return {
      table = "Things", partition_key = "id:S", stream = "new_and_old_images", %s
      triggers = { %s },
    } ]]):format(more or "", triggers)
end

local db, path, scripts

local function open(triggers, options)
  local texts = { ["things.lua"] = module(triggers) }
  for name, text in pairs(modules) do texts[name] = text end
  scripts = scratch.scripts(texts)
  options = options or {}
  options.scripts = scripts
  db, path = scratch.open(options)
end

local function put(id, more)
  local item = more or {}
  item.id = id
  assert(db:put("Things", item))
end

--- Until nothing is due within a second.
local function settle()
  local due = db:run_triggers()
  while due and due < 1000 do due = db:run_triggers() end
end

describe("a trigger", function()
  after_each(scratch.clean)

  it("sees what happened, with keys, images and order", function()
    open [[ t = { run = function(records, db)
      for _, r in ipairs(records) do
        db:put("Copies", { id = r.event .. r.keys.id, new = r.new and r.new.v, old = r.old and r.old.v,
                           by = r.by, number = math.type(r.sequence), at = r.at })
      end
    end } ]]
    put("a", { v = 1 })
    put("a", { v = 2 })
    assert(db:delete("Things", { id = "a" }))
    local insert, modify = db:get("Copies", { id = "inserta" }), db:get("Copies", { id = "modifya" })
    assert.are.equal(1, insert.new)
    assert.is_nil(insert.old)
    assert.are.equal("client", insert.by)
    assert.are.equal("integer", insert.number)
    assert.is_true(math.abs(insert.at - os.time()) < 100)
    assert.are.equal(2, modify.new)
    assert.are.equal(1, modify.old)
    assert.are.equal(2, db:get("Copies", { id = "removea" }).old)
  end)

  it("runs for the events it names, and for records its filter lets pass", function()
    open [[ t = { on = { "modify" }, filter = function(r) return r.new.v > 1 end, run = function(records, db)
      for _, r in ipairs(records) do db:put("Copies", r.new) end
    end } ]]
    put("a", { v = 5 })
    put("b", { v = 0 })
    put("b", { v = 1 })
    put("c", { v = 0 })
    put("c", { v = 2 })
    assert.is_nil(db:get("Copies", { id = "a" }))
    assert.is_nil(db:get("Copies", { id = "b" }))
    assert.are.equal(2, db:get("Copies", { id = "c" }).v)
  end)

  it("has a db like a program's: conditions, queries, transactions, misuse", function()
    open [[ t = { on = { "insert" }, run = function(records, db)
      local ok, sentence, code = db:put("Copies", { id = "x" }, { condition = "attribute_exists(id)" })
      local missing, why = db:get("Nowhere", { id = "x" })
      local misuse = pcall(db.put, db, "Copies", 1)
      assert(db:update("Copies", { id = "n" }, "SET n = 1", { returns = "ALL_NEW" }).n == 1)
      assert(db:transact({ { put = "Copies", item = { id = "t" } } }))
      local found = 0
      for item in db:query("Copies", { id = "n" }) do found = found + item.n end
      db:put("Copies", { id = "answers", ok = ok == nil, code = code, missing = missing == nil, why = why,
                         misuse = misuse, found = found, t = db:get("Copies", { id = "t" }) ~= nil })
    end } ]]
    put("a")
    local answers = assert(db:get("Copies", { id = "answers" }))
    assert.is_true(answers.ok)
    assert.are.equal("ConditionalCheckFailedException", answers.code)
    assert.is_true(answers.missing)
    assert.matches("not found", answers.why)
    assert.is_false(answers.misuse)
    assert.are.equal(1, answers.found)
    assert.is_true(answers.t)
  end)

  it("sees its own writes", function()
    open [[ t = { run = function(records, db)
      db:put("Copies", { id = "one", v = 1 })
      db:update("Copies", { id = "one" }, "SET v = v + 1")
      db:put("Copies", { id = "two", v = db:get("Copies", { id = "one" }).v })
    end } ]]
    put("a")
    assert.are.equal(2, db:get("Copies", { id = "two" }).v)
  end)

  it("is not owed what was written before it was declared", function()
    open [[ ]]
    put("before")
    db:close()
    scratch.write_scripts(scripts, { ["things.lua"] =
      module [[ t = { run = function(records, db) for _, r in ipairs(records) do db:put("Copies", r.new) end end } ]] })
    db = scratch.open { path = path, scripts = scripts }
    put("after")
    assert.is_nil(db:get("Copies", { id = "before" }))
    assert.is_truthy(db:get("Copies", { id = "after" }))
  end)

  it("that fails is run again, and only what fails by itself becomes a dead letter", function()
    open [[ t = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do
        if r.new.bad then error("no good: " .. r.keys.id) end
        db:update("Counts", { id = r.keys.id }, "ADD n 1")
      end
    end } ]]
    for i = 1, 20 do put("k" .. i, { bad = i % 7 == 0 or nil }) end
    settle()
    for i = 1, 20 do
      local count = db:get("Counts", { id = "k" .. i })
      if i % 7 == 0 then assert.is_nil(count) else assert.are.equal(1, count.n) end
    end
    local letters = assert(db:dead_letters("Things/t"))
    assert.are.equal(2, #letters.items)
    assert.is_nil(letters.last_key)
    for _, letter in ipairs(letters.items) do
      assert.are.equal("things.lua:5: no good: " .. letter.keys.id, letter.error)
      assert.are.equal(1, letter.attempts)
      assert.are.equal("insert", letter.event)
      assert.is_true(letter.new.bad)
      assert.matches("^%d+%-%d+$", letter.id)
    end
  end)

  it("fails by nil and a reason, by false, and by naming records", function()
    open [[ t = { retries = 0, run = function(records, db)
      local kind = records[1].new.kind
      if kind == "nil" then return nil, "not today" end
      if kind == "false" then return false end
      if kind == "named" then return { failed = { records[1].sequence } } end
      if kind == "nonsense" then return 42 == 42 and { 1 } end
    end } ]]
    for _, kind in ipairs { "nil", "false", "named", "nonsense", "good" } do put(kind, { kind = kind }) end
    local errors = {}
    for _, letter in ipairs(db:dead_letters("Things/t").items) do errors[letter.keys.id] = letter.error end
    assert.are.equal("not today", errors["nil"])
    assert.matches("run returned false", errors["false"])
    assert.are.equal("the function named the record as failed", errors.named)
    assert.matches("expected to return nothing", errors.nonsense)
    assert.is_nil(errors.good)
  end)

  it("has dead letters that are listed by the page, replayed and purged", function()
    local failing = [[ t = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do
        if not db:get("Counts", { id = "open" }) then error("closed") end
        db:put("Copies", r.new)
      end
    end } ]]
    open(failing)
    for i = 1, 5 do put("k" .. i) end
    local page = assert(db:dead_letters("Things/t", { limit = 3 }))
    assert.are.equal(3, #page.items)
    local rest = assert(db:dead_letters("Things/t", { after = page.last_key }))
    assert.are.equal(2, #rest.items)
    scratch.same({ replayed = 0, failed = 5, error = "things.lua:5: closed" }, db:replay_dead_letters("Things/t"))
    assert.are.equal(2, db:dead_letters("Things/t", { limit = 1 }).items[1].attempts)
    scratch.same({ purged = 1 }, db:purge_dead_letters("Things/t", rest.items[2].id))
    assert(db:put("Counts", { id = "open" }))
    scratch.same({ replayed = 1, failed = 0 }, db:replay_dead_letters("Things/t", rest.items[1].id))
    scratch.refused("ResourceNotFoundException", "there is no dead letter " .. rest.items[1].id,
      db:replay_dead_letters("Things/t", rest.items[1].id))
    scratch.same({ replayed = 3, failed = 0 }, db:replay_dead_letters("Things/t"))
    scratch.same({}, db:dead_letters("Things/t").items)
    scratch.refused("ResourceNotFoundException", "the table Things has no trigger nobody",
      db:dead_letters("Things/nobody"))
    scratch.invalid("expected a dead letter's id, as in 12-4711, or ALL", db:purge_dead_letters("Things/t", "nothing"))
  end)

  it("that names a failed record among good ones makes what each of these asks for once", function()
    open([[ t = { retries = 0, run = function(records, db)
      local failed
      for _, r in ipairs(records) do
        db:update("Counts", { id = r.keys.id }, "ADD n 1")
        if r.new.bad then failed = { r.sequence } end
      end
      return { failed = failed or {} }
    end } ]], { partitions = 1 })
    local puts = {}
    for i = 1, 5 do puts[i] = { put = "Things", item = { id = "k" .. i, bad = i == 3 } } end
    assert(db:transact(puts))
    settle()
    for i = 1, 5 do
      local count = db:get("Counts", { id = "k" .. i })
      assert.are.equal(i ~= 3 and 1 or nil, count and count.n, "k" .. i)
    end
    assert.are.equal(1, #db:dead_letters("Things/t").items)
    assert.are.equal(1, db:replay_dead_letters("Things/t").failed)
    assert.is_nil(db:get("Counts", { id = "k3" }))
    assert.are.equal(2, db:dead_letters("Things/t").items[1].attempts)
  end)

  it("has dead letters of which a page holds a megabyte", function()
    open [[ t = { retries = 0, run = function() return nil, "no" end } ]]
    for i = 1, 4 do put("k" .. i, { text = ("x"):rep(390000) }) end
    local page = assert(db:dead_letters("Things/t"))
    assert.are.equal(3, #page.items)
    assert.are.equal(1, #db:dead_letters("Things/t", { after = page.last_key }).items)
  end)

  it("goes on where it was, after a restart", function()
    open [[ t = { run = function(records, db)
      for _, r in ipairs(records) do db:update("Counts", { id = r.keys.id }, "ADD n 1") end
    end } ]]
    for i = 1, 30 do put("k" .. i) end
    db = scratch.reopen(db, path, { scripts = scripts })
    for i = 31, 40 do put("k" .. i) end
    settle()
    for i = 1, 40 do assert.are.equal(1, db:get("Counts", { id = "k" .. i }).n) end
  end)

  it("that sets itself off ends at a depth of 16", function()
    open [[ t = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do db:put("Things", { id = r.keys.id .. "x" }) end
    end } ]]
    put("a")
    settle()
    assert.is_truthy(db:get("Things", { id = "a" .. ("x"):rep(16) }))
    assert.is_nil(db:get("Things", { id = "a" .. ("x"):rep(17) }))
    local letters = db:dead_letters("Things/t").items
    assert.are.equal(1, #letters)
    assert.matches("^cascade too deep", letters[1].error)
    assert.are.equal("trigger", letters[1].by)
    assert.are.equal(0, letters[1].attempts)
  end)

  it("may be cut into other numbers of slots, and nothing is lost", function()
    local text = [[ t = { parallel = %d, run = function(records, db)
      for _, r in ipairs(records) do db:update("Counts", { id = r.keys.id }, "ADD n 1") end
    end } ]]
    open(text:format(1), { partitions = 1 })
    for i = 1, 20 do put("k" .. i) end
    for round, parallel in ipairs { 4, 10, 3, 1 } do
      scratch.write_scripts(scripts, { ["things.lua"] = module(text:format(parallel)) })
      assert(db:reload())
      for i = 1, 20 do put("k" .. round * 100 + i) end
      if round % 2 == 0 then db = scratch.reopen(db, path, { scripts = scripts }) end
    end
    settle()
    -- What had run ahead of the slowest slot runs again.
    for item in db:scan("Things") do assert.is_true(db:get("Counts", { id = item.id }).n >= 1, item.id) end
  end)

  it("runs nothing twice when it is cut into other numbers of slots with nothing left to do", function()
    local text = [[ t = { parallel = %d, run = function(records, db)
      for _, r in ipairs(records) do db:update("Counts", { id = r.keys.id }, "ADD n 1") end
    end } ]]
    open(text:format(10), { partitions = 1 })
    for i = 1, 5 do put("k" .. i) end -- not all of the slots have one
    settle()
    for round, parallel in ipairs { 7, 1, 10, 3 } do
      scratch.write_scripts(scripts, { ["things.lua"] = module(text:format(parallel)) })
      assert(db:reload())
      if round % 2 == 0 then db = scratch.reopen(db, path, { scripts = scripts }) end
      settle()
    end
    for i = 1, 5 do assert.are.equal(1, db:get("Counts", { id = "k" .. i }).n, "k" .. i) end
  end)

  it("tells what it came too late for, and goes on behind it", function()
    local text = [[ t = { batch = 1, run = function(records, db)
      for _, r in ipairs(records) do
        if not db:get("Copies", { id = "open" }) then error("not now") end
        db:put("Copies", r.new)
      end
    end } ]]
    open(text, { partitions = 1, stream_retention_ms = 300 })
    for i = 1, 5 do put("k" .. i) end
    local gone = false
    for i = 1, 400 do
      os.execute "sleep 0.02"
      put("new", { n = i })
      local oldest = db:tail "Things"()
      gone = oldest ~= nil and oldest.keys.id == "new"
      if gone then break end
    end
    assert.is_true(gone)
    assert(db:put("Copies", { id = "open" }))
    for i = 1, 400 do -- a record may be gone again before a pause is over
      put("new", { n = -i })
      settle()
      if db:get("Copies", { id = "new" }) then break end
      os.execute "sleep 0.02"
    end
    assert.is_truthy(db:get("Copies", { id = "k1" })) -- it was held
    assert.is_nil(db:get("Copies", { id = "k3" }))
    assert.is_truthy(db:get("Copies", { id = "new" }))
    assert.is_true(db:stats("Things").triggers.t.trimmed > 0)
  end)
end)
