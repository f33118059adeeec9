--- Scan.
local scratch = require "scratch"

describe("scan", function()
  local db
  setup(function()
    db = scratch.with_table {
      table = "Pairs", partition_key = "P:S", sort_key = "K:N",
      indexes = { Sparse = { partition_key = "G:S", project = "all" }, Near = { sort_key = "H:N" } },
    }
    for p = 1, 40 do
      for k = 1, 5 do
        local g, h = k == 1 and "g" .. p % 3 or nil, k < 3 and k or nil
        assert(db:put("Pairs", { P = "p" .. p, K = k, G = g, H = h, Num = p }))
      end
    end
  end)
  teardown(scratch.clean)

  local function names(source, options)
    local list = {}
    for item in db:scan(source, options) do
      list[#list + 1] = item.P .. "/" .. item.K
    end
    return list
  end

  local function sorted(list)
    table.sort(list)
    return list
  end

  local function everything()
    local all = {}
    for p = 1, 40 do
      for k = 1, 5 do all[#all + 1] = "p" .. p .. "/" .. k end
    end
    return sorted(all)
  end

  it("gives every item once, in pages of any size", function()
    for _, size in ipairs { 1, 7, 200, 1000 } do
      assert.are.same(everything(), sorted(names("Pairs", { page_size = size })))
    end
    assert.are.same(everything(), sorted(names "Pairs"))
    assert.are.equal(200, db:count "Pairs")
  end)

  it("keeps the order of the sort key within a partition key", function()
    local last = {}
    for item in db:scan "Pairs" do
      assert(not last[item.P] or last[item.P] < item.K)
      last[item.P] = item.K
    end
  end)

  it("cut into segments gives every item to exactly one", function()
    for _, segments in ipairs { 1, 2, 3, 7, 64, 1000 } do
      local all = {}
      for segment = 0, segments - 1 do
        local part = names("Pairs", { segment = segment, segments = segments, page_size = 3 })
        table.move(part, 1, #part, #all + 1, all)
      end
      assert.are.same(everything(), sorted(all))
    end
  end)

  it("of an index gives what is in it", function()
    assert.are.equal(40, #names "Pairs/Sparse")
    assert.are.equal(80, #names("Pairs/Near", { page_size = 9 }))
    assert.are.equal(40, db:count "Pairs/Sparse")
    for item in db:scan "Pairs/Sparse" do
      assert.are.equal(1, item.K)
    end
  end)

  it("filters, also by key", function()
    assert.are.equal(5, #names("Pairs", { filter = "P = \"p7\"" }))
    assert.are.equal(40, #names("Pairs", { filter = "K = :k", values = { k = 2 } }))
    local page = db:scan_page("Pairs", { filter = "Num > 1000", limit = 50 })
    assert.are.equal(0, page.count)
    assert.are.equal(50, page.scanned)
    assert.is_table(page.last_key)
  end)

  it("gives at most `limit` items", function()
    assert.are.equal(11, #names("Pairs", { limit = 11 }))
    assert.are.equal(11, #names("Pairs", { limit = 11, filter = "K > 2" }))
    assert.are.equal(11, db:scan_page("Pairs", { limit = 11 }).count)
  end)

  it("is refused for segments that do not fit", function()
    scratch.invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 4 is "
      .. "not less than TotalSegments: 4", db:scan_page("Pairs", { segment = 4, segments = 4 }))
    scratch.invalid("The TotalSegments parameter is required but was not present in the request when Segment "
      .. "parameter is present", db:scan_page("Pairs", { segment = 1 }))
    scratch.invalid("The Segment parameter is required but was not present in the request when "
      .. "parameter TotalSegments is present", db:scan_page("Pairs", { segments = 4 }))
  end)

  it("is refused for a start of another segment, or none of this table", function()
    local page = db:scan_page("Pairs", { segment = 0, segments = 2, limit = 1 })
    scratch.invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
      .. "with correct Segment. TotalSegments: 2 Segment: 1",
      db:scan_page("Pairs", { segment = 1, segments = 2, after = page.last_key }))
    scratch.invalid("The provided starting key is invalid: The provided key element does not match the schema",
      db:scan_page("Pairs", { after = { P = "p1" } }))
    scratch.invalid("The provided starting key is invalid: The provided key element does not match the schema",
      db:scan_page("Pairs", { after = { P = "p1", K = "1" } }))
  end)

  it("of a table that is not there raises, or says so", function()
    scratch.refused("ResourceNotFoundException", "Requested resource not found", db:scan_page "Nothing")
    scratch.invalid("The table does not have the specified index: Nope", db:scan_page "Pairs/Nope")
    assert.has_error(function() db:scan "Nothing" end)
  end)
end)
