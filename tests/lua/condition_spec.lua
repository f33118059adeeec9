--- Conditions: every operator and function, and what DynamoDB says to text that is wrong.
local perilune = require "perilune"
local scratch = require "scratch"

local KEY = { P = "p" }

describe("a condition", function()
  local db
  setup(function()
    db = scratch.with_table { table = "Things", partition_key = "P:S" }
    assert(db:put("Things", {
      P = "p", Num = 10, Half = 0.5, Str = "hello", Uni = "h\u{e9}llo", Bin = perilune.binary "\1\2\3", Yes = true,
      Nil = perilune.null, Doc = { a = 1, b = { c = "deep" }, ["with.dot"] = 5 }, Elems = { 1, "two", { 3 }, 4 },
      Strs = perilune.set { "a", "b" }, Nums = perilune.set { 1, 2.5 }, Bins = perilune.set { perilune.binary "x" },
      None = "", Hollow = {}, Bare = perilune.list {},
    }))
  end)
  teardown(scratch.clean)

  local function holds(condition, options)
    options = options or {}
    options.condition = condition
    local result, why, code = db:update("Things", KEY, nil, options)
    if not result and code ~= "ConditionalCheckFailedException" then
      error(condition .. ": " .. why, 2)
    end
    return result ~= nil
  end

  local function each_is(expected, conditions)
    for _, condition in ipairs(conditions) do
      if holds(condition) ~= expected then
        error(("%s should be %s"):format(condition, expected), 2)
      end
    end
  end

  describe("compares", function()
    it("numbers by value, strings and binaries by bytes", function()
      each_is(true, {
        "Num = 10", "Num = 10.0", "Num <> 11", "Num < 10.5", "Num <= 10", "Num > 9", "Num >= 10", "10 = Num",
        "Half < Num",
        "Str = \"hello\"", "Str < \"hellp\"", "Str > \"hell\"", "Str < Uni", "Str >= \"Hello\"", "None = \"\"",
        "None < Str", "Num BETWEEN 9 AND 11", "Num BETWEEN 10 AND 10", "Str BETWEEN \"a\" AND \"i\"",
        "Half BETWEEN 0 AND Num", "Num IN (1, 10)", "Str IN (Uni, \"hello\")", "Num IN (10)", "Elems[0] = 1",
        "Elems[2][0] = 3", "Doc.b.c = \"deep\"", "Yes = true", "Nil = null", "Doc.a < Elems[3]",
      })
      each_is(false, {
        "Num = 11", "Num <> 10", "Num < 10", "Num > 10", "Num BETWEEN 11 AND 12", "Num IN (1, 2, \"10\")", "Str = Uni",
        "Yes = false", "Elems[1] = 2", "Doc.b = Doc.a",
      })
    end)

    it("binaries and sets given as values", function()
      local function with(condition, value)
        return holds(condition, { values = { v = value } })
      end
      assert.is_true(with("Bin = :v", perilune.binary "\1\2\3"))
      assert.is_true(with("Bin < :v", perilune.binary "\1\2\3\0"))
      assert.is_true(with("Bin > :v", perilune.binary "\1\2\2\xff"))
      assert.is_true(with("Strs = :v", perilune.set { "b", "a" }))
      assert.is_true(with("Nums = :v", perilune.set { perilune.number "2.50", 1 }))
      assert.is_false(with("Strs = :v", perilune.set { "a" }))
      assert.is_true(with("Elems = :v", { 1, "two", { 3 }, 4 }))
      assert.is_false(with("Elems = :v", { "two", 1, { 3 }, 4 }))
      assert.is_true(with("Doc.b = :v", { c = "deep" }))
      assert.is_true(with("Hollow = :v", perilune.map {}))
      assert.is_false(with("Hollow = :v", perilune.list {}))
      assert.is_true(with("Bare = :v", perilune.list {}))
      assert.is_true(with("Bin <> :v", "\1\2\3")) -- the same bytes, but a string
    end)

    it("values of different types as unequal and in no order", function()
      each_is(true, { "Str <> 5", "Num <> \"10\"", "Yes <> 1", "Nil <> false" })
      each_is(false, { "Str = 5", "Str < 5", "Str > 5", "Num >= \"1\"", "Str BETWEEN 1 AND 9", "Doc < 5", "Elems > 1" })
    end)

    it("what is not there as unequal to everything, itself too", function()
      each_is(true, { "Nope <> 5", "Nope <> Nope2", "NOT Nope = 5", "NOT Nope < 5" })
      each_is(false, { "Nope = 5", "Nope = Nope2", "Nope < 5", "Nope >= 5", "Nope BETWEEN 1 AND 2", "Nope IN (1)",
        "Doc.nope = 1", "Elems[9] = 1", "Num.a = 1", "Elems.a = 1" })
    end)
  end)

  it("combines with AND, OR and NOT, in DynamoDB's order", function()
    each_is(true, {
      "Num = 10 AND Str = \"hello\"", "Num = 11 OR Str = \"hello\"", "NOT Num = 11", "NOT Num = 11 AND Num = 10",
      "Num = 10 OR Num = 11 AND Num = 12", "(Num = 10)", "(Num = 11 OR Num = 10) AND Yes = true",
      "not num2 = 10 and NOT (Num = 11 or Num = 12)", "NOT NOT Num = 10", "Num BETWEEN 1 AND 20 AND Yes = true",
    })
    each_is(false, {
      "Num = 10 AND Num = 11", "NOT Num = 10", "(Num = 10 OR Num = 11) AND Num = 12", "NOT (Num = 10 OR Num = 11)",
    })
  end)

  describe("calls", function()
    it("attribute_exists and attribute_not_exists", function()
      each_is(true, { "attribute_exists(Num)", "attribute_exists(Doc.b.c)", "attribute_exists(Elems[3])",
        "attribute_not_exists(Nope)", "attribute_not_exists(Doc.x.y)", "attribute_not_exists(Elems[4])",
        "attribute_exists(Nil)" })
      each_is(false, { "attribute_not_exists(Num)", "attribute_exists(Nope)", "attribute_exists(Num.a)" })
    end)

    it("attribute_type", function()
      for attribute, kind in pairs { Num = "N", Str = "S", Bin = "B", Yes = "BOOL", Nil = "NULL", Doc = "M",
        Elems = "L",
        Strs = "SS", Nums = "NS", Bins = "BS" } do
        assert.is_true(holds(("attribute_type(%s, :t)"):format(attribute), { values = { t = kind } }),
          attribute)
        assert.is_false(holds(("attribute_type(%s, :t)"):format(attribute),
          { values = { t = kind == "S" and "N" or "S" } }), attribute)
      end
      assert.is_false(holds("attribute_type(Nope, :t)", { values = { t = "S" } }))
    end)

    it("begins_with", function()
      each_is(true, { "begins_with(Str, \"he\")", "begins_with(Str, \"\")",
        "begins_with(\"hello world\", Str)" })
      each_is(false, { "begins_with(Str, \"lo\")", "begins_with(Num, \"1\")", "begins_with(Nope, \"h\")" })
      assert.is_true(holds("begins_with(Bin, :b)", { values = { b = perilune.binary "\1\2" } }))
      assert.is_false(holds("begins_with(Str, :b)", { values = { b = perilune.binary "he" } }))
    end)

    it("contains", function()
      each_is(true, { "contains(Str, \"ell\")", "contains(Strs, \"a\")", "contains(Nums, 2.5)",
        "contains(Elems, \"two\")",
        "contains(Elems, 4)", "contains(\"a hello b\", Str)", "contains(Elems, [3])" })
      each_is(false, { "contains(Str, \"xyz\")", "contains(Strs, \"c\")", "contains(Nums, \"1\")",
        "contains(Elems, \"tw\")",
        "contains(Doc, \"a\")", "contains(Num, 1)", "contains(Nope, 1)" })
      assert.is_true(holds("contains(Bin, :b)", { values = { b = perilune.binary "\2" } }))
      assert.is_true(holds("contains(Bins, :b)", { values = { b = perilune.binary "x" } }))
    end)

    it("size", function()
      each_is(true, { "size(Str) = 5", "size(Bin) = 3", "size(Strs) = 2", "size(Nums) = 2", "size(Elems) = 4",
        "size(Doc) = 3", "size(Hollow) = 0", "size(None) = 0", "size(Str) BETWEEN 4 AND 6", "size(Str) IN (5, 6)",
        "size(Elems) < size(Str)" })
      each_is(false, { "size(Num) = 2", "size(Num) < 100", "size(Nope) >= 0", "size(Yes) = 1", "size(Nil) = 0" })
    end)
  end)

  it("takes placeholders for names, one step each", function()
    assert.is_true(holds("#n = :v", { names = { n = "Num" }, values = { v = 10 } }))
    assert.is_true(holds("Doc.#d = :v", { names = { ["#d"] = "with.dot" }, values = { [":v"] = 5 } }))
    assert.is_true(holds("#e[0] = :v", { names = { e = "Elems" }, values = { v = 1 } }))
  end)

  it("with literals may use reserved words as names", function()
    assert(db:put("Things", { P = "r", Name = "n", Size = 3 }))
    assert(db:update("Things", { P = "r" }, nil, { condition = "Name = \"n\" AND Size = 3" }))
    scratch.invalid("Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: Name",
      db:update("Things", { P = "r" }, nil, { condition = "Name = :n", values = { n = "n" } }))
  end)

  -- Text that is wrong: what DynamoDB says, behind "Invalid ConditionExpression: ".
  local one = { a = 1 }
  for _, case in ipairs {
    { "", "The expression can not be empty;" },
    { "Num", 'Syntax error; token: "<EOF>", near: "Num"' },
    { "Num = :a AND", 'Syntax error; token: "<EOF>", near: "AND"', one },
    { "Num ! :a", 'Syntax error; token: "!", near: "Num ! :a"', one },
    { "_x = :a", 'Syntax error; token: "_", near: "_x"', one },
    { "Elems[-1] = :a", 'Syntax error; token: "-", near: "[-1"', one },
    { "#x = :a", "An expression attribute name used in the document path is not defined; attribute name: #x", one },
    { "Num = :x", "An expression attribute value used in expression is not defined; attribute value: :x", one },
    { "Num = :a AND Status = :a", "Attribute name is a reserved keyword; reserved keyword: Status", one },
    { "Doc.Name = :a", "Attribute name is a reserved keyword; reserved keyword: Name", one },
    { "nothing(Num, :a)", "Invalid function name; function: nothing", one },
    { "Size(Str) = :a", "Invalid function name; function: Size", one },
    { "attribute_exists(Num, :a)", "Incorrect number of operands for operator or function; operator or function: "
      .. "attribute_exists, number of operands: 2", one },
    { "contains(Num)", "Incorrect number of operands for operator or function; operator or function: contains, "
      .. "number of operands: 1" },
    { "attribute_exists(:a)", "Operator or function requires a document path; operator or function: attribute_exists",
      one },
    { "begins_with(Str, :a)", "Incorrect operand type for operator or function; operator or function: begins_with, "
      .. "operand type: N", one },
    { "size(:a) = :a", "Incorrect operand type for operator or function; operator or function: size, operand type: N",
      one },
    { "Num < :l", "Incorrect operand type for operator or function; operator or function: <, operand type: L",
      { l = { 1 } } },
    { "size(Str)", "The function is not allowed to be used this way in an expression; function: size" },
    { "attribute_exists(Num) = :a", "The function is not allowed to be used this way in an expression; function: "
      .. "attribute_exists", one },
    { "if_not_exists(Num, :a) = :a", "The function is not allowed in a condition expression; function: if_not_exists",
      one },
    { "Num = Num", "The first operand must be distinct from the remaining operands for this operator or function; "
      .. "operator: =, first operand: [Num]" },
    { "contains(Str, Str)", "The first operand must be distinct from the remaining operands for this operator or "
      .. "function; operator: contains, first operand: [Str]" },
    { "((Num = :a))", "The expression has redundant parentheses;", one },
    { "Num BETWEEN :a AND :z", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
      .. "lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {N:0}", { a = 1, z = 0 } },
    { "Num BETWEEN :a AND :z", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
      .. "operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}", { a = 1, z = "x" } },
    { "attribute_type(Num, :a)", "Invalid attribute type name found; type: X, valid types: "
      .. "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}", { a = "X" } },
    { "Elems[99999999999] = :a", "List index is not within the allowable range; index: [99999999999]", one },
    { ("a"):rep(4097), "Expression size has exceeded the maximum allowed size; expression size: 4097" },
  } do
    it("refuses " .. case[1]:sub(1, 60), function()
      -- Placeholders for names, too, so that DynamoDB's rules hold to the letter.
      local got, why, code = db:update("Things", KEY, nil,
        { condition = case[1], values = case[3], names = { zz = "Num" } })
      assert.is_nil(got)
      assert.are.equal("ValidationException", code)
      assert.are.equal("Invalid ConditionExpression: " .. case[2], why)
    end)
  end

  it("refuses 301 operators and takes 300", function()
    local terms = {}
    for i = 1, 150 do terms[i] = "Num=:a" end -- with 149 ORs: 299
    assert.is_true(holds("NOT " .. table.concat(terms, " OR "), { values = { a = 11 } }))
    terms[151] = "Num=:a"
    scratch.invalid("Invalid ConditionExpression: The expression contains too many operators; operator count: 301",
      db:update("Things", KEY, nil, { condition = table.concat(terms, " OR "), values = { a = 11 } }))
  end)

  it("refuses placeholders that are wrong or not used", function()
    local function refused(sentence, options)
      scratch.invalid(sentence, db:update("Things", KEY, nil, options))
    end
    refused("Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
      { condition = "Num = :a", names = { x = "X" }, values = one })
    refused("Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
      { condition = "Num <> :a", values = { a = 11, b = 2 } })
    refused("ExpressionAttributeNames must not be empty", { condition = "Num = :a", names = {}, values = one })
    refused("ExpressionAttributeValues must not be empty", { condition = "attribute_exists(Num)", values = {} })
    refused("ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\"",
      { condition = "Num = :a", names = { ["#a-b"] = "X" }, values = one })
    refused("ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: Input "
      .. "collection [a, a] contains duplicates. for key :s",
      { condition = "Num = :s", values = { s = perilune.set { "a", "a" } } })
  end)

  it("reports unused placeholders even when it fails", function()
    local _, _, code = db:update("Things", KEY, nil, { condition = "Num = :a", values = { a = 11, b = 1 } })
    assert.are.equal("ValidationException", code)
  end)
end)

describe("an update expression", function()
  local db
  setup(function()
    db = scratch.with_table { table = "Things", partition_key = "P:S" }
  end)
  teardown(scratch.clean)

  local one, set = { v = 1 }, { s = perilune.set { "a" } }
  for _, case in ipairs {
    { "", "The expression can not be empty;" },
    { "SET", 'Syntax error; token: "<EOF>", near: "SET"' },
    { "Num = :v", 'Syntax error; token: "Num", near: "Num ="', one },
    { "SET Num :v", 'Syntax error; token: ":v", near: "Num :v"', one },
    { "SET Num = :v + :v + :v", 'Syntax error; token: "+", near: ":v + :v"', one },
    { "SET Num = :v SET Other1 = :v", "The \"SET\" section can only be used once in an update expression;", one },
    { "REMOVE Num remove Other1", "The \"REMOVE\" section can only be used once in an update expression;" },
    { "SET Num = :x", "An expression attribute value used in expression is not defined; attribute value: :x" },
    { "SET Num = nothing(:v)", "Invalid function name; function: nothing", one },
    { "SET Num = size(Num)", "The function is not allowed in an update expression; function: size" },
    { "SET Num = list_append(list_append(A1, :v), :v)",
      "The function is not allowed to be used this way in an expression; function: list_append", { v = { 1 } } },
    { "SET Num = if_not_exists(Num)", "Incorrect number of operands for operator or function; operator or function: "
      .. "if_not_exists, number of operands: 1" },
    { "SET Num = if_not_exists(:v, :v)", "Operator or function requires a document path; operator or function: "
      .. "if_not_exists", one },
    { "SET Num = list_append(A1, :v)", "Incorrect operand type for operator or function; operator or function: "
      .. "list_append, operand type: N", one },
    { "SET Num = Num + :v", "Incorrect operand type for operator or function; operator or function: +, operand type: S",
      { v = "x" } },
    { "ADD Num :v", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
      { v = "x" } },
    { "DELETE Num :v", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER", one },
    { "SET Num = :v, Num = :v", "Two document paths overlap with each other; must remove or rewrite one of these "
      .. "paths; path one: [Num], path two: [Num]", one },
    { "SET a1.b = :v REMOVE a1", "Two document paths overlap with each other; must remove or rewrite one of these "
      .. "paths; path one: [a1, b], path two: [a1]", one },
    { "SET a1.b = :v, a1[1] = :v", "Two document paths conflict with each other; must remove or rewrite one of these "
      .. "paths; path one: [a1, b], path two: [a1, [1]]", one },
    { "SET Name = :v", "Attribute name is a reserved keyword; reserved keyword: Name", one },
  } do
    it("is refused: " .. case[1], function()
      local got, why, code = db:update("Things", KEY, case[1], { values = case[3], names = { zz = "Num" } })
      assert.is_nil(got)
      assert.are.equal("ValidationException", code)
      assert.are.equal("Invalid UpdateExpression: " .. case[2], why)
    end)
  end

  it("counts placeholders over all expressions", function()
    assert(db:update("Things", KEY, "SET Num = :v", { values = { v = 1, w = 2 }, condition = "Num <> :w" }))
    assert(db:update("Things", KEY, "DELETE Tags :s", { values = set }))
  end)
end)
