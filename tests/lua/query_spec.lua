--- Query.
local perilune = require "perilune"
local scratch = require "scratch"

local P = "One or more parameter values were invalid: "

describe("query", function()
  local db
  setup(function()
    db = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:N",
      indexes = {
        ByG = { partition_key = "G:S", sort_key = "T:S", project = "all" },
        OnlyG = { partition_key = "G:S", project = "keys_only" },
        Near = { sort_key = "T:S", project = "all" },
        Wide = { partition_key = { "G:S", "H:N" }, sort_key = { "S1:S", "S2:N", "S3:B" }, project = "all" },
      },
    }
    assert(db:create_table { table = "Texts", partition_key = "P:S", sort_key = "K:S" })
    assert(db:create_table { table = "Bytes", partition_key = "P:S", sort_key = "K:B" })
    assert(db:create_table { table = "Singles", partition_key = "P:S" })
    for k = -10, 9 do
      local parity = k % 2 == 0 and "even" or "odd"
      assert(db:put("Pairs", { P = "p", K = k, G = parity, T = ("%02d"):format(k + 10), Num = k }))
    end
    assert(db:put("Pairs", { P = "other", K = 1 }))
    for _, k in ipairs { "a", "a\0", "ab", "b", "\u{7f}", "\u{80}", "\u{ffff}", "\u{10000}", "ab\u{10ffff}", "ac" } do
      assert(db:put("Texts", { P = "p", K = k }))
      assert(db:put("Bytes", { P = "p", K = perilune.binary(k) }))
    end
    assert(db:put("Bytes", { P = "p", K = perilune.binary "\xff\xff" }))
    assert(db:put("Bytes", { P = "p", K = perilune.binary "\0" }))
  end)
  teardown(scratch.clean)

  local function keys(source, where, options)
    return scratch.list(db:query(source, where, options), "K")
  end

  local function refused(sentence, where, options, source)
    scratch.invalid(sentence, db:query_page(source or "Pairs", where, options))
  end

  it("gives one partition key's items in the order of the sort key", function()
    local all = {}
    for k = -10, 9 do all[#all + 1] = k end
    assert.are.same(all, keys("Pairs", { P = "p" }))
    assert.are.same({ 1 }, keys("Pairs", { P = "other" }))
    assert.are.same({}, keys("Pairs", { P = "nobody" }))
  end)

  it("goes backwards", function()
    local all = {}
    for k = 9, -10, -1 do all[#all + 1] = k end
    assert.are.same(all, keys("Pairs", { P = "p" }, { descending = true }))
  end)

  it("orders text by its bytes", function()
    assert.are.same({ "a", "a\0", "ab", "ab\u{10ffff}", "ac", "b", "\u{7f}", "\u{80}", "\u{ffff}", "\u{10000}" },
      keys("Texts", { P = "p" }))
    local bytes = {}
    for _, k in ipairs(keys("Bytes", { P = "p" })) do bytes[#bytes + 1] = tostring(k) end
    assert.are.same({ "\0", "a", "a\0", "ab", "ab\u{10ffff}", "ac", "b", "\u{7f}", "\u{80}", "\u{ffff}", "\u{10000}",
      "\xff\xff" }, bytes)
  end)

  it("takes every condition on the sort key, in either direction", function()
    for _, case in ipairs {
      { 3, { 3 } },
      { perilune.lt(-8), { -10, -9 } },
      { perilune.le(-8), { -10, -9, -8 } },
      { perilune.gt(7), { 8, 9 } },
      { perilune.ge(7), { 7, 8, 9 } },
      { perilune.between(-1, 1), { -1, 0, 1 } },
      { perilune.between(-0.5, perilune.number "0.5"), { 0 } },
      { perilune.lt(-10), {} }, { perilune.gt(9), {} }, { 77, {} },
    } do
      assert.are.same(case[2], keys("Pairs", { P = "p", K = case[1] }))
      local backwards = {}
      for i = #case[2], 1, -1 do backwards[#backwards + 1] = case[2][i] end
      assert.are.same(backwards, keys("Pairs", { P = "p", K = case[1] }, { descending = true }))
    end
    assert.are.same({ "a", "a\0", "ab", "ab\u{10ffff}", "ac" },
      keys("Texts", { P = "p", K = perilune.begins_with "a" }))
    assert.are.same({ "ab\u{10ffff}", "ab" },
      keys("Texts", { P = "p", K = perilune.begins_with "ab" }, { descending = true }))
    assert.are.equal(1, #keys("Bytes", { P = "p", K = perilune.begins_with(perilune.binary "\xff") }))
    assert.are.equal(12, #keys("Bytes", { P = "p", K = perilune.ge(perilune.binary "\0") }))
  end)

  it("takes the condition as a text, with literals or placeholders", function()
    assert.are.same({ 8, 9 }, keys("Pairs", "P = \"p\" AND K > 7"))
    assert.are.same({ 8, 9 }, keys("Pairs", { where = "7 < K AND P = \"p\"" }))
    assert.are.same({ 8, 9 }, keys("Pairs", "#p = :p AND K BETWEEN :a AND :b",
      { names = { p = "P" }, values = { p = "p", a = 8, b = 20 } }))
  end)

  it("pages by the item", function()
    for _, descending in ipairs { false, true } do
      local options, all = { limit = 7, descending = descending }, {}
      for pages = 1, 3 do
        local page = assert(db:query_page("Pairs", { P = "p" }, options))
        assert.are.equal(pages < 3 and 7 or 6, page.scanned)
        assert.are.equal(page.scanned, page.count)
        for _, item in ipairs(page.items) do all[#all + 1] = item.K end
        assert.are.equal(pages == 3, page.last_key == nil)
        options.after = page.last_key
      end
      assert.are.equal(20, #all)
      for i = 2, 20 do
        assert.are.equal(descending and all[i - 1] - 1 or all[i - 1] + 1, all[i])
      end
    end
  end)

  it("gives a last key when the limit is exactly what remains, and then an empty page", function()
    local page = db:query_page("Pairs", { P = "p" }, { limit = 20 })
    scratch.same({ P = "p", K = 9 }, page.last_key)
    page = db:query_page("Pairs", { P = "p" }, { limit = 20, after = page.last_key })
    assert.are.equal(0, page.count)
    assert.is_nil(page.last_key)
  end)

  it("starts after a key that need not be there", function()
    assert.are.same({ 8, 9 }, keys("Pairs", { P = "p" }, { after = { P = "p", K = 7.5 } }))
    assert.are.same({ -9, -10 }, keys("Pairs", { P = "p" }, { after = { P = "p", K = -8.5 }, descending = true }))
  end)

  it("ends a page with the item that takes it past 1 MB", function()
    assert(db:create_table { table = "Large", partition_key = "P:S", sort_key = "K:N" })
    for k = 1, 5 do
      assert(db:put("Large", { P = "p", K = k, Filler = ("x"):rep(300000) }))
    end
    local page = db:query_page("Large", { P = "p" })
    assert.are.equal(4, page.count)
    scratch.same({ P = "p", K = 4 }, page.last_key)
    page = db:query_page("Large", { P = "p" }, { project = "K", filter = "K1 = 5" })
    assert.are.equal(0, page.count)
    assert.are.equal(4, page.scanned) -- what is read counts, not what is given
    assert.are.same({ 1, 2, 3, 4, 5 }, keys("Large", { P = "p" }))
    assert.are.equal(5, db:count("Large", { P = "p" }))
    assert(db:drop_table "Large")
  end)

  it("filters after reading", function()
    local page = db:query_page("Pairs", { P = "p" }, { filter = "Num > 0", limit = 12 })
    assert.are.equal(12, page.scanned)
    assert.are.equal(1, page.count)
    scratch.same({ P = "p", K = 1 }, page.last_key)
    assert.are.same({ 7, 8, 9 }, keys("Pairs", { P = "p" }, { filter = "Num > :n", values = { n = 6 } }))
    page = db:query_page("Pairs", { P = "p" }, { filter = "Num > 100", limit = 3 })
    assert.are.equal(0, page.count)
    assert.is_table(page.last_key)
  end)

  it("as an iterator gives at most `limit` items, filtered or not", function()
    assert.are.same({ -10, -9, -8 }, keys("Pairs", { P = "p" }, { limit = 3 }))
    assert.are.same({ -10, -9, -8 }, keys("Pairs", { P = "p" }, { limit = 3, page_size = 2 }))
    assert.are.same({ 1, 2, 3 }, keys("Pairs", { P = "p" }, { limit = 3, page_size = 2, filter = "Num > 0" }))
    assert.are.equal(3, db:count("Pairs", { P = "p" }, { limit = 3 }))
  end)

  it("counts without giving", function()
    local page = db:query_page("Pairs", { P = "p" }, { select = "COUNT" })
    assert.are.equal(20, page.count)
    assert.are.same({}, page.items)
    assert.are.equal(10, db:count("Pairs/ByG", { G = "odd" }))
  end)

  it("reads indexes, with ties in any order", function()
    assert.are.same({ -10, -8, -6, -4, -2, 0, 2, 4, 6, 8 }, keys("Pairs/ByG", { G = "even" }))
    assert.are.same({ -6, -8 },
      keys("Pairs/ByG", { G = "even", T = perilune.between("02", "05") }, { descending = true }))
    assert.are.same({ -10, -9 }, keys("Pairs/Near", { P = "p", T = perilune.lt "02" }))
    local seen = keys("Pairs/OnlyG", { G = "odd" }, { page_size = 3 })
    table.sort(seen)
    assert.are.same({ -9, -7, -5, -3, -1, 1, 3, 5, 7, 9 }, seen)
  end)

  it("pages through an index by index key and table key", function()
    local page = db:query_page("Pairs/ByG", { G = "odd" }, { limit = 2 })
    scratch.same({ P = "p", K = -7, G = "odd", T = "03" }, page.last_key)
    page = db:query_page("Pairs/ByG", { G = "odd" }, { limit = 1, after = page.last_key })
    assert.are.equal(-5, page.items[1].K)
  end)

  it("takes key attributes of an index from left to right", function()
    for i = 0, 11 do
      assert(db:put("Pairs", { P = "w", K = i, G = "wide", H = i % 2, S1 = "s" .. i // 6, S2 = i // 2 % 3,
        S3 = perilune.binary(string.char(i)) }))
    end
    local b = perilune.binary
    for _, case in ipairs {
      { {}, { 0, 2, 4, 6, 8, 10 } },
      { { S1 = "s1" }, { 6, 8, 10 } },
      { { S1 = perilune.begins_with "s" }, { 0, 2, 4, 6, 8, 10 } },
      { { S1 = "s1", S2 = perilune.ge(1) }, { 8, 10 } },
      { { S1 = "s1", S2 = 1 }, { 8 } },
      { { S1 = "s1", S2 = 1, S3 = perilune.lt(b "\9") }, { 8 } },
      { { S1 = "s1", S2 = 1, S3 = b "\9" }, {} },
    } do
      case[1].G, case[1].H = "wide", 0
      assert.are.same(case[2], keys("Pairs/Wide", case[1]))
    end
    for _, where in ipairs { { G = "wide" }, { H = 0 }, { G = "wide", H = perilune.gt(0) },
      { G = "wide", H = 0, S2 = 1 }, { G = "wide", H = 0, S1 = perilune.gt "s", S2 = 1 } } do
      local _, _, code = db:query_page("Pairs/Wide", where)
      assert.are.equal("ValidationException", code)
    end
    local page = db:query_page("Pairs/Wide", { G = "wide", H = 0 }, { limit = 2 })
    scratch.same({ P = "w", K = 2, G = "wide", H = 0, S1 = "s0", S2 = 1, S3 = b "\2" }, page.last_key)
    assert.are.same({ 4, 6, 8, 10 }, keys("Pairs/Wide", { G = "wide", H = 0 }, { after = page.last_key }))
    assert.are.same({ 10, 8, 6, 4, 2, 0 }, keys("Pairs/Wide", { G = "wide", H = 0 },
      { descending = true, page_size = 1 }))
  end)

  it("refuses a key condition that is none", function()
    refused("Query condition missed key schema element: P", { K = 1 })
    refused("Query key condition not supported", { P = perilune.gt "a" })
    refused("Query condition missed key schema element: K", { P = "p", Num = 1 })
    refused(P .. "Condition parameter type does not match schema type", { P = 5 })
    refused(P .. "Condition parameter type does not match schema type", { P = "p", K = "1" })
    refused(P .. "Condition parameter type does not match schema type", { P = "p", K = perilune.between("1", "2") })
    refused("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.", {})
    local values = { p = "p", a = 1 }
    for operator, text in pairs {
      OR = "P = :p OR K = :a", NOT = "P = :p AND NOT K = :a", IN = "P = :p AND K IN (:a)",
      ["<>"] = "P = :p AND K <> :a",
      contains = "P = :p AND contains(K, :a)", attribute_exists = "P = :p AND attribute_exists(K)",
    } do
      refused("Invalid operator used in KeyConditionExpression: " .. operator, text,
        { values = operator == "attribute_exists" and { p = "p" } or values })
    end
    refused("KeyConditionExpressions must only contain one condition per key", "P = :p AND K > :a AND K < :a",
      { values = values })
    refused("KeyConditionExpressions cannot have conditions on nested attributes", "P = :p AND K.x = :a",
      { values = values })
  end)

  it("refuses a filter on the keys it walks by", function()
    refused("Filter Expression can only contain non-primary key attributes: Primary key attribute: K", { P = "p" },
      { filter = "K > 1" })
    refused("Filter Expression can only contain non-primary key attributes: Primary key attribute: T", { G = "odd" },
      { filter = "T > \"1\"" }, "Pairs/ByG")
    assert.are.equal(5, #keys("Pairs/ByG", { G = "odd" }, { filter = "K > 0" }))
  end)

  it("refuses a start that is not its own", function()
    refused("The provided starting key is outside query boundaries based on provided conditions", { P = "p" },
      { after = { P = "other", K = 1 } })
    refused("The provided starting key does not match the range key predicate", { P = "p", K = perilune.gt(5) },
      { after = { P = "p", K = 1 } })
    for _, after in ipairs { {}, { P = "p" }, { P = "p", K = 1, G = "odd" } } do
      refused("The provided starting key is invalid", { P = "p" }, { after = after })
    end
    refused("The provided key element does not match the schema", { P = "p" }, { after = { P = "p", K = "1" } })
    refused("The provided starting key is invalid", { G = "odd" }, { after = { P = "p", K = 1 } }, "Pairs/OnlyG")
  end)

  it("refuses an index that is not there, and a strong read of a global one", function()
    refused("The table does not have the specified index: Nope", { G = "odd" }, nil, "Pairs/Nope")
    refused("Consistent reads are not supported on global secondary indexes", { G = "odd" }, { consistent = true },
      "Pairs/ByG")
    assert.are.equal(20, db:query_page("Pairs/Near", { P = "p" }, { consistent = true }).count)
    scratch.refused("ResourceNotFoundException", "Requested resource not found", db:query_page("Nothing", { P = "p" }))
  end)

  it("of a table without a sort key gives its one item", function()
    assert(db:put("Singles", { P = "p", Num = 1 }))
    assert.are.equal(1, #scratch.list(db:query("Singles", { P = "p" })))
    refused("Query key condition not supported", { P = "p", K = 1 }, nil, "Singles")
  end)

  it("as an iterator raises where it was asked for", function()
    local ok, why = pcall(function() return db:query("Nothing", { P = "p" }) end)
    assert.is_false(ok)
    assert.is_truthy(why:find("query_spec.lua:%d+: ResourceNotFoundException: Requested resource not found"))
    assert.has_error(function() db:query("Pairs") end)
    assert.has_error(function() db:query("Pairs", { P = "p" }, { limit = 0 }) end)
    assert.has_error(function() db:query("Pairs", { P = "p" }, { segment = 1 }) end)
  end)

  it("keeps its place while the table changes under it", function()
    assert(db:create_table { table = "Moving", partition_key = "P:S", sort_key = "K:N" })
    for k = 1, 10 do assert(db:put("Moving", { P = "p", K = k })) end
    local seen = {}
    for item in db:query("Moving", { P = "p" }, { page_size = 2 }) do
      seen[#seen + 1] = item.K
      assert(db:delete("Moving", { P = "p", K = item.K }))
      if item.K == 10 then assert(db:put("Moving", { P = "p", K = 0 })) end -- behind us
    end
    assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, seen)
    assert.are.equal(1, db:count "Moving")
    assert(db:drop_table "Moving")
  end)
end)
