--- What lua_binding_test.c runs while allocations fail: a list of scenarios on one database.
local perilune, path = ...
local options = { path = path, sync = "never", partitions = 4 }
local db
local scenarios = {}

local function is(value)
  assert(value, "the state is not what it was")
end

local function is_there(key)
  return db:get("Things", { P = key }) ~= nil
end

--- `verify` is told whether the answer was yes, or else whether there was one at all.
local function scenario(name, run, verify)
  scenarios[#scenarios + 1] = { name = name, run = run, verify = verify or function() end }
end

local value = { P = "new", G = "g", Num = 1.5, Doc = { list = { 1, { 2 } }, set = perilune.set { "a", "b" } } }

local function put_or_not(ok, refused)
  if ok then
    is(is_there "new")
  elseif refused then
    is(not is_there "new")
  end
end

scenario("put", function()
  return db:put("Things", value)
end, put_or_not)

scenario("put with a condition", function()
  return db:put("Things", value, { condition = "attribute_not_exists(#p) AND #p <> :v", names = { p = "P" },
    values = { v = "x" }, returns = "ALL_OLD", capacity = {} })
end, put_or_not)

scenario("a put that is refused", function()
  local ok, why, code = db:put("Things", { P = "a1", G = 5 })
  return not ok and code == "ValidationException", why, code
end)

scenario("a condition that fails", function()
  local ok, why, code = db:put("Things", { P = "a1" },
    { condition = "attribute_not_exists(P)", on_failure = "ALL_OLD" })
  return not ok and code == "ConditionalCheckFailedException", why, code
end, function()
  is(db:get("Things", { P = "a1" }).G == "g")
end)

scenario("get", function()
  return db:get("Things", { P = "a1" }, { project = "P, Doc.list[0]" })
end)

scenario("update", function()
  return db:update("Things", { P = "a1" }, "SET Num = Num + :o, G = :g",
    { values = { o = 1, g = "h" }, returns = "ALL_NEW" })
end)

scenario("delete", function()
  return db:delete("Things", { P = "a1" }, { returns = "ALL_OLD" })
end, function(ok, refused)
  if ok then
    is(not is_there "a1")
  elseif refused then
    is(is_there "a1")
  end
end)

scenario("query_page", function()
  return db:query_page("Things/ByG", { G = "g", Num = perilune.between(0, 9) },
    { limit = 3, filter = "attribute_exists(Doc)", project = { "P", "Num" } })
end)

scenario("query", function()
  local letters = 0
  for item in db:query("Things/ByG", { G = "g" }, { page_size = 2 }) do
    letters = letters + #item.P
  end
  assert(letters == 10)
  return true
end)

scenario("scan", function()
  local count = 0
  for _ in db:scan("Things", { page_size = 3 }) do
    count = count + 1
  end
  assert(count == 5)
  return true
end)

scenario("count", function()
  return db:count("Things", nil, { page_size = 2 })
end)

scenario("batch_get", function()
  return db:batch_get { Things = { { P = "a1" }, { P = "a2" } } }
end)

scenario("batch_write", function()
  return db:batch_write { Things = { put = { value }, delete = { { P = "a1" } } } }
end, function(ok)
  if ok then
    is(is_there "new" and not is_there "a1")
  end
end)

scenario("tail", function()
  local tail, why, code = db:tail("Things", { from = "latest" })
  if not tail then return tail, why, code end
  local position = tail:position()
  local ok
  ok, why, code = db:put("Things", value)
  if not ok then return ok, why, code end
  local record = tail()
  assert(record.event == "insert" and record.new.G == "g" and record.new.Doc.list[2][1] == 2 and not tail())
  tail:close()
  return #position > 0
end, put_or_not)

scenario("create_table", function()
  return db:create_table { table = "More", partition_key = "P:S", indexes = { ByG = { partition_key = "G:S" } } }
end)

scenario("alter_table", function()
  return db:alter_table("Things", { ttl = "T" })
end)

scenario("drop_table", function()
  return db:drop_table "Other"
end)

scenario("describe", function()
  return db:describe "Things"
end)

scenario("tables", function()
  return db:tables()
end)

scenario("check", function()
  return db:check()
end)

scenario("stats", function()
  return db:stats()
end)

scenario("open", function()
  local why, code
  db:close()
  db, why, code = perilune.open(options)
  return db, why, code
end)

local function ensure_open()
  if not db or tostring(db):find("closed", 1, true) then
    db = nil
    collectgarbage() -- a handle that a failure left half made
    db = assert(perilune.open(options))
  end
end

local function prepare()
  ensure_open()
  local tables = {}
  for _, name in ipairs(db:tables()) do
    tables[name] = true
  end
  if tables.More then
    assert(db:drop_table "More")
  end
  if not tables.Other then
    assert(db:create_table { table = "Other", partition_key = "P:S" })
  end
  if not tables.Things then
    assert(db:create_table { table = "Things", partition_key = "P:S", stream = "new_image",
      indexes = { ByG = { partition_key = "G:S", sort_key = "Num:N" } } })
  else
    assert(db:alter_table("Things", { ttl = perilune.null }))
  end
  assert(db:delete("Things", { P = "new" }))
  for i = 1, 5 do
    assert(db:put("Things", { P = "a" .. i, G = "g", Num = i, Doc = { list = { i } } }))
  end
  -- Until it is collected, what this raises in holds the memory that the next call would have used again.
  pcall(db.put, db, "Things", {}, { nothing = true })
end

local function verify(i, ok, refused, deep)
  ensure_open()
  scenarios[i].verify(ok, refused)
  if deep then
    local report = assert(db:check())
    assert(report.ok, report.faults[1])
  end
end

local function close()
  db:close()
end

return #scenarios, function(i) return scenarios[i].name end, prepare, function(i) return scenarios[i].run() end,
  verify, close
