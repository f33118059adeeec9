--- Every type goes in and comes out as it was.
local perilune = require "perilune"
local scratch = require "scratch"

describe("a value", function()
  local db, path
  setup(function()
    db, path = scratch.open()
    assert(db:create_table { table = "Things", partition_key = "P:S" })
  end)
  teardown(scratch.clean)

  local function stored(value)
    assert(db:put("Things", { P = "p", V = value }))
    return db:get("Things", { P = "p" }).V
  end

  local function same(value)
    local got = stored(value)
    local a, b = scratch.dump(value), scratch.dump(got)
    if a ~= b then error(("put %s\ngot %s"):format(a, b), 2) end
    assert.are.equal(perilune.type(value), perilune.type(got))
  end

  local function refused(sentence, value)
    scratch.invalid("V" .. sentence, db:put("Things", { P = "p", V = value }))
  end

  it("that is a string keeps every character", function()
    for _, text in ipairs { "", "plain", "\0", "a\0b", "\n\t\"\\", "\u{e9}\u{20ac}\u{1F600}", "\u{feff}", "\u{10ffff}",
      ("long "):rep(50000) } do
      same(text)
    end
    refused(": the string is not UTF-8: bytes need perilune.binary()", "\xff")
    refused(": the string is not UTF-8: bytes need perilune.binary()", "\xed\xa0\x80")
    refused(": the string is not UTF-8: bytes need perilune.binary()", "\xc0\x80")
  end)

  it("that is binary keeps every byte", function()
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    for _, bytes in ipairs { "", "\0", "\xff\xfe", table.concat(all), ("\xab"):rep(100000) } do
      same(perilune.binary(bytes))
      assert.are.equal(bytes, tostring(stored(perilune.binary(bytes))))
      assert.are.equal(#bytes, #stored(perilune.binary(bytes)))
    end
    assert.is_true(stored(perilune.binary "x") == perilune.binary "x")
    assert.are.equal("B", perilune.type(stored(perilune.binary "x")))
    assert.are.equal("S", perilune.type(stored "x"))
  end)

  it("that is a number comes back in the first form that holds it", function()
    for _, case in ipairs {
      { 0, "integer" }, { -0.0, "integer" }, { 42, "integer" }, { -1, "integer" }, { 1e3, "integer" },
      { math.maxinteger, "integer" }, { math.mininteger, "integer" }, { 0.5, "float" }, { -2.25, "float" },
      { 0.1, "float" }, { 1e-5, "float" }, { 1.7e100, "float" },
    } do
      local got = stored(case[1])
      assert.are.equal(case[2], math.type(got))
      assert.is_true(got == case[1])
    end
  end)

  it("that is a number keeps 38 digits", function()
    for _, digits in ipairs {
      "12345678901234567890123456789012345678", "-0.12345678901234567890123456789012345678", ("9"):rep(38),
      "9223372036854775808", "0.1234567890123456789", "3." .. ("14"):rep(18) .. "1",
    } do
      local got = stored(perilune.number(digits))
      assert.are.equal("userdata", type(got))
      assert.are.equal(digits, tostring(got))
      assert.is_true(got == perilune.number(digits))
      assert.are.equal("N", perilune.type(got))
    end
    assert.are.equal("1" .. ("0"):rep(125), tostring(perilune.number(stored(perilune.number "1E125"))))
    assert.are.equal("0." .. ("0"):rep(129) .. "1", tostring(perilune.number(stored(perilune.number "1E-130"))))
    assert.are.equal("0.3", tostring(stored(perilune.number "0.1" + perilune.number "0.2")))
  end)

  it("that is a number out of range has no place", function()
    refused(": NaN is not a number that can be stored", 0 / 0)
    refused(": an infinite number cannot be stored", math.huge)
    refused(": Number overflow. Attempting to store a number with magnitude larger than supported range", 1e126)
    refused(": Number underflow. Attempting to store a number with magnitude smaller than supported range", 1e-131)
    for text, sentence in pairs {
      ["1e126"] = "Number overflow. Attempting to store a number with magnitude larger than supported range",
      ["1e-131"] = "Number underflow. Attempting to store a number with magnitude smaller than supported range",
      [("1"):rep(39)] = "Attempting to store more than 38 significant digits in a Number",
      ["0x10"] = "The parameter cannot be converted to a numeric value: 0x10",
      ["nan"] = "The parameter cannot be converted to a numeric value: nan",
      [" 1"] = "The parameter cannot be converted to a numeric value:  1",
      [""] = "The parameter cannot be converted to a numeric value",
    } do
      local ok, why = pcall(perilune.number, text)
      assert.is_false(ok)
      assert.is_truthy(why:find(sentence, 1, true), why)
    end
  end)

  it("that is a boolean or null stays one", function()
    assert.is_true(stored(true))
    assert.is_false(stored(false))
    assert.is_true(stored(perilune.null) == perilune.null)
    assert.are.equal("NULL", perilune.type(stored(perilune.null)))
  end)

  it("that is an empty list is no empty map", function()
    assert.are.equal("M", perilune.type(stored {}))
    assert.are.equal("M", perilune.type(stored(perilune.map {})))
    assert.are.equal("L", perilune.type(stored(perilune.list {})))
    same { perilune.list {}, {}, { perilune.list { perilune.list {} } } }
  end)

  it("that came out goes in again as it is", function()
    local value = { list = { 1, { deep = perilune.set { "a" } } }, none = perilune.list {},
      bytes = perilune.binary "\0",
      nothing = perilune.null, number = perilune.number(("7"):rep(38)) }
    same(stored(stored(value)))
  end)

  it("that is a document keeps its shape", function()
    same { 1, "two", true, perilune.null, { 3 }, { a = 1 }, perilune.binary "x" }
    same { a = { b = { c = { 1, 2, { d = "e" } } } }, [""] = nil, ["odd.name [0]"] = 1, ["\u{e9}"] = 2 }
    local wide = {}
    for i = 1, 5000 do wide[i] = i end
    same(wide)
    local names = {}
    for i = 1, 2000 do names["name" .. i] = i end
    same(names)
  end)

  it("that is a set keeps its elements, whatever their order", function()
    same(perilune.set { "b", "a", "" })
    same(perilune.set { 3, 1, 2.5, perilune.number(("1"):rep(38)) })
    same(perilune.set { perilune.binary "b", perilune.binary "\0" })
    local set = stored(perilune.set { "x", "y" })
    assert.is_true(set:has "x")
    assert.is_false(set:has "z")
    set:add "z"
    set:remove "x"
    same(set)
    local large = {}
    for i = 1, 3000 do large[i] = "element" .. i end
    same(perilune.set(large))
  end)

  it("that is no set is told so", function()
    refused(": a set may not be empty: leave the attribute out", perilune.set {})
    refused("[2]: a set holds strings, numbers or binaries, all of one kind", perilune.set { "a", 1 })
    refused("[1]: a set holds strings, numbers or binaries, all of one kind", perilune.set { true })
    local function duplicates(set)
      local _, why, code = db:put("Things", { P = "p", V = set })
      assert.are.equal("ValidationException", code)
      assert.is_truthy(why:find("duplicates", 1, true), why)
    end
    duplicates(perilune.set { "a", "b", "a" })
    duplicates(perilune.set { 1, 1.0 })
    duplicates(perilune.set { perilune.binary "a", perilune.binary "a" })
  end)

  it("that is no value is named with its path", function()
    refused(": a function cannot be stored", print)
    refused(".a[2].b: a function cannot be stored", { a = { 1, { b = print } } })
    refused(": this userdata cannot be stored", io.stdout)
    refused(": the table has both list elements and names", { 1, 2, a = 3 })
    refused(": the list has holes: perilune.null stands for nothing", { 1, nil, 3 })
    local loop = {}
    loop.again = loop
    local _, why, code = db:put("Things", { P = "p", V = loop })
    assert.are.equal("ValidationException", code)
    assert.is_truthy(why:find("nest", 1, true) or why:find("Nest", 1, true), why)
    local _, _, empty = db:put("Things", { P = "p", [""] = 1 })
    assert.are.equal("ValidationException", empty)
    local _, _, utf8 = db:put("Things", { P = "p", ["\xff"] = 1 })
    assert.are.equal("ValidationException", utf8)
  end)

  it("that is random survives, a restart too", function()
    local seed = tonumber(os.getenv("PL_SEED")) or os.time()
    math.randomseed(seed)
    local kinds = {
      function() return math.random(-1000, 1000) end,
      function() return math.random() * 10 ^ math.random(-20, 20) end,
      function() return perilune.number(("%d%019d"):format(math.random(1, 10 ^ 15), math.random(0, 10 ^ 15))) end,
      function() return utf8.char(math.random(0, 0xd7ff), math.random(0xe000, 0x10ffff)) end,
      function() return perilune.binary(string.char(math.random(0, 255), math.random(0, 255))) end,
      function() return math.random() < 0.5 end,
      function() return perilune.null end,
      function() return perilune.set { math.random(1, 9), math.random(10, 99) } end,
      function() return perilune.set { "s" .. math.random(1, 9), "t" } end,
    }
    local function random(depth)
      local roll = math.random(#kinds + (depth > 0 and 4 or 0))
      if kinds[roll] then return kinds[roll]() end
      local value = roll % 2 == 0 and {} or perilune.list {}
      for i = 1, math.random(0, 4) do
        value[roll % 2 == 0 and "n" .. math.random(100) or i] = random(depth - 1)
      end
      return value
    end
    local all = {}
    for i = 1, 300 do
      all[i] = { P = "r" .. i, V = random(5), W = random(2) }
      assert(db:put("Things", all[i]))
    end
    db = scratch.reopen(db, path, { sync = "never" })
    for i = 1, 300 do
      local expected, got = scratch.dump(all[i]), scratch.dump(db:get("Things", { P = "r" .. i }))
      assert(expected == got, ("PL_SEED=%d: %s\nbecame %s"):format(seed, expected, got))
    end
  end)
end)
