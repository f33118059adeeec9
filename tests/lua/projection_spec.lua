--- Projections.
local perilune = require "perilune"
local scratch = require "scratch"

describe("a projection", function()
  local db
  setup(function()
    db = scratch.with_table {
      table = "Things", partition_key = "P:S", sort_key = "K:N",
      indexes = {
        Whole = { partition_key = "G:S", project = "all" },
        Keys = { partition_key = "G:S", project = "keys_only" },
        Named = { partition_key = "G:S", project = { "Num", "Doc" } },
        Near = { sort_key = "H:N", project = "keys_only" },
      },
    }
    assert(db:put("Things", { P = "p", K = 1, G = "g", H = 5, Num = 10, Str = "s",
      Doc = { a = 1, b = { c = 2, d = 3 } }, Elems = { 1, { x = 2, y = 3 }, 4 }, ["odd.name"] = "odd" }))
  end)
  teardown(scratch.clean)

  local function get(project, names)
    return db:get("Things", { P = "p", K = 1 }, { project = project, names = names })
  end

  it("gives the named attributes and nothing else", function()
    scratch.same({ Num = 10, Str = "s" }, get "Num, Str")
    scratch.same({ Num = 10 }, get "Num, Nothing1")
    scratch.same({ P = "p" }, get "P")
  end)

  it("keeps the skeleton of nested paths, and compacts lists", function()
    scratch.same({ Doc = { b = { c = 2 } } }, get "Doc.b.c")
    scratch.same({ Doc = { a = 1, b = { d = 3 } } }, get "Doc.b.d, Doc.a")
    scratch.same({ Elems = { { y = 3 } } }, get "Elems[1].y")
    scratch.same({ Elems = { 1, 4 } }, get "Elems[2], Elems[0]")
    scratch.same({}, get "Doc.nope, Elems[9], Num.a")
  end)

  it("takes names that need a placeholder", function()
    scratch.same({ ["odd.name"] = "odd" }, get("#o", { o = "odd.name" }))
    scratch.same({ ["odd.name"] = "odd", K = 1 }, get { "odd.name", "K" })
    scratch.same({ Doc = { a = 1 } }, get("#d.#a", { d = "Doc", a = "a" }))
  end)

  for _, case in ipairs {
    { "", "The expression can not be empty;" },
    { "Num,", 'Syntax error; token: "<EOF>", near: ","' },
    { "Num Str", 'Syntax error; token: "Str", near: "Num Str"' },
    { "Doc.", 'Syntax error; token: "<EOF>", near: "."' },
    { "Num, Num", "Two document paths overlap with each other; must remove or rewrite one of these paths; "
      .. "path one: [Num], path two: [Num]" },
    { "Doc.b, Doc.b.c", "Two document paths overlap with each other; must remove or rewrite one of these paths; "
      .. "path one: [Doc, b], path two: [Doc, b, c]" },
    { "Doc.a, Doc[1]", "Two document paths conflict with each other; must remove or rewrite one of these paths; "
      .. "path one: [Doc, a], path two: [Doc, [1]]" },
    { "Name", "Attribute name is a reserved keyword; reserved keyword: Name" },
    { "#x", "An expression attribute name used in the document path is not defined; attribute name: #x" },
  } do
    it("is refused: " .. case[1], function()
      scratch.invalid("Invalid ProjectionExpression: " .. case[2], get(case[1], { zz = "Num" }))
    end)
  end

  it("is applied to queries, scans and batches", function()
    scratch.same({ { Num = 10 } }, scratch.list(db:query("Things", { P = "p" }, { project = "Num" })))
    scratch.same({ { Doc = { a = 1 } } }, scratch.list(db:scan("Things", { project = "Doc.a" })))
    scratch.same({ { Num = 10 } }, db:batch_get({ Things = { { P = "p", K = 1 } } }, { project = "Num" }).Things)
  end)

  it("of a filtered query still lets the filter see everything", function()
    scratch.same({ { Num = 10 } }, scratch.list(db:query("Things", { P = "p" },
      { project = "Num", filter = "Str = \"s\"" })))
  end)

  describe("of an index", function()
    local function query(index, options)
      return db:query_page("Things/" .. index, { G = "g" }, options)
    end

    it("gives what the index holds", function()
      scratch.same(db:get("Things", { P = "p", K = 1 }), query("Whole").items[1])
      scratch.same({ { P = "p", K = 1, G = "g" } }, query("Keys").items)
      scratch.same({ { P = "p", K = 1, G = "g", Num = 10, Doc = { a = 1, b = { c = 2, d = 3 } } } },
        query("Named").items)
      scratch.same({ { Num = 10 } }, query("Named", { project = "Num" }).items)
    end)

    it("cannot give what a global index does not hold", function()
      scratch.invalid("One or more parameter values were invalid: Global secondary index Keys does not project [Num]",
        query("Keys", { project = "Num" }))
      scratch.invalid("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for "
        .. "global secondary index Named because its projection type is not ALL",
        query("Named", { select = "ALL_ATTRIBUTES" }))
      assert.are.equal("s", query("Whole", { select = "ALL_ATTRIBUTES" }).items[1].Str)
    end)

    it("fetches from the table what a local index does not hold", function()
      local function near(options)
        return db:query_page("Things/Near", { P = "p", H = perilune.gt(1) }, options).items
      end
      scratch.same({ { P = "p", K = 1, H = 5 } }, near())
      scratch.same({ { Str = "s" } }, near { project = "Str" })
      assert.are.equal("odd", near({ select = "ALL_ATTRIBUTES" })[1]["odd.name"])
    end)
  end)

  it("goes with no other selection", function()
    scratch.invalid("Cannot specify the ProjectionExpression when choosing to get anything other than "
      .. "SPECIFIC_ATTRIBUTES", db:query_page("Things", { P = "p" }, { project = "Num", select = "COUNT" }))
    scratch.invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
      db:query_page("Things", { P = "p" }, { select = "ALL_PROJECTED_ATTRIBUTES" }))
    local _, _, code = db:query_page("Things", { P = "p" }, { select = "SPECIFIC_ATTRIBUTES" })
    assert.are.equal("ValidationException", code)
  end)
end)
