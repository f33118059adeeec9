--- What ./dev test counts: nothing that is missing or died may ever count as passed.

local function sum(script, log, status)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(log)
  file:close()
  local pipe = assert(io.popen(("awk -v status=%d -f tests/%s %s"):format(status or 0, script, path)))
  local result = pipe:read("a")
  pipe:close()
  os.remove(path)
  return (result:gsub("\n$", ""))
end

describe("the sum of a ctest log", function()
  it("adds up what the programs say, however they mix", function()
    assert.are.equal("12 0", sum("sum-ctest.awk", [[
1: 7 passed, 0 failed
2: noise
2: 5 passed, 0 failed
1/2 Test #1: unit/a_test ....   Passed    0.01 sec
2/2 Test #2: unit/b_test ....   Passed    0.01 sec
]]))
  end)

  it("counts a program that says nothing as one", function()
    assert.are.equal("1 0", sum("sum-ctest.awk", "1/1 Test #1: unit/a_test ....   Passed    0.01 sec\n"))
  end)

  it("counts a program that died as one failure, beside what had passed", function()
    assert.are.equal("7 1", sum("sum-ctest.awk", [[
1: 7 passed, 0 failed
1/1 Test #1: unit/a_test ....***Exception: SegFault  0.01 sec
]]))
  end)

  it("takes a program's own count of failures", function()
    assert.are.equal("4 3", sum("sum-ctest.awk", [[
1: 4 passed, 3 failed
1/1 Test #1: unit/a_test ....***Failed    0.01 sec
]]))
  end)

  it("counts a program that was not built, or took too long, as failed", function()
    assert.are.equal("0 2", sum("sum-ctest.awk", [[
1/2 Test #1: unit/a_test ....***Not Run   0.00 sec
2/2 Test #2: unit/b_test ....***Timeout 300.01 sec
]]))
  end)

  it("is a failure when ctest itself died", function()
    assert.are.equal("0 1", sum("sum-ctest.awk", "1: 7 passed, 0 failed\n"))
    assert.are.equal("0 1", sum("sum-ctest.awk", ""))
    assert.are.equal("0 0", sum("sum-ctest.awk", "No tests were found!!!\n"))
  end)
end)

describe("the sum of a busted log", function()
  it("is what its summary says", function()
    assert.are.equal("9 0", sum("sum-busted.awk", "9 successes / 0 failures / 0 errors / 1 pending : 0.1 seconds\n"))
    assert.are.equal("1 3", sum("sum-busted.awk", "1 success / 1 failure / 2 errors / 0 pending : 0.1 seconds\n", 3))
  end)

  it("has a failure when busted died before or after it", function()
    assert.are.equal("0 1", sum("sum-busted.awk", "+++++Segmentation fault\n", 139))
    assert.are.equal("0 1", sum("sum-busted.awk", "", 0))
    assert.are.equal("9 1", sum("sum-busted.awk", "9 successes / 0 failures / 0 errors / 0 pending : 0.1 seconds\n", 1))
  end)
end)
