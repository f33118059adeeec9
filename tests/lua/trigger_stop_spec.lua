--- A server that is told to end while dead letters are replayed, one after the other, for long.
local server = require "server"

local LETTERS = 30

local modules = {
  ["gate.lua"] = [[ return { table = "Gate", partition_key = "id:S" } ]],
  ["things.lua"] = [[
    return {
      table = "Things", partition_key = "id:S", stream = "new_and_old_images",
      triggers = { slow = { retries = 0, batch = 1, run = function(records, db)
        if not db:get("Gate", { id = "open" }, { consistent = true }) then return nil, "shut" end
        local sum = 0
        for i = 1, 10000000 do sum = sum + i end
      end } },
    } ]],
}

local folder, running, asking

local function start()
  running = assert(server.start(folder .. "/log", "--data", folder .. "/data", "--scripts", folder, "--http", "off"))
end

local function ask(command)
  local text, code = running:shell("-c", command)
  assert.are.equal(0, code, text)
  return text
end

local function letters()
  local _, count = ask("DEADLETTERS Things/slow LIMIT 100"):gsub('"error"', "")
  return count
end

describe("a server that ends", function()
  before_each(function()
    folder = server.new_folder()
    for name, text in pairs(modules) do
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
  end)
  after_each(function()
    if asking then asking:close() end
    if running and not running.stopped then running:stop() end
    running, asking = nil, nil
    server.remove(folder)
  end)

  it("does not wait for all the letters that are being replayed", function()
    start()
    for i = 1, LETTERS do ask(('PUT Things {"id":"%d"}'):format(i)) end
    repeat local count = letters() until count == LETTERS
    ask 'PUT Gate {"id":"open"}'
    asking = assert(io.popen(("timeout 100 %s shell --connect %s -c 'DEADLETTERS Things/slow REPLAY ALL' 2>&1"):format(
      server.quote(server.program), running.address)))
    repeat local count = letters() until count < LETTERS
    assert.are.equal(0, running:stop())
    assert.matches("ServiceUnavailable the server ends", asking:read("a"))
    start()
    assert.is_true(letters() > 0)
  end)
end)
