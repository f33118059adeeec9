--- `perilune check`: what an operator has when a data directory is damaged.
local server = require "server"

local folder, data, log

-- A server with five items, each made durable by itself, and killed before any checkpoint.
local function leave_five_items()
  local running = assert(server.start(log, "--data", data))
  assert.are.equal(0, select(2, running:shell("-c", 'CREATE Notes {"partition_key":"Name:S"}')))
  for i = 1, 5 do
    assert.are.equal(0, select(2, running:shell("-c", ('PUT Notes {"Name":"note-%d"}'):format(i))))
  end
  server.execute("kill -9 " .. running.pid)
  running.pipe:close()
end

local function flip_a_bit(needle)
  local name = server.execute("ls " .. data .. "/journal/0/*.journal"):match("(%S+)\n$")
  local file = assert(io.open(name, "r+b"))
  local at = assert(file:read("a"):find(needle, 1, true))
  file:seek("set", at - 1)
  file:write(string.char(needle:byte(1) ~ 1))
  file:close()
end

describe("perilune check", function()
  before_each(function()
    folder = server.new_folder()
    data, log = folder .. "/data", folder .. "/log"
  end)

  after_each(function() server.remove(folder) end)

  it("finds a killed server's directory sound, and says what is in it", function()
    leave_five_items()
    local said, code = server.run("check", data)
    assert.are.equal(0, code, said)
    assert.is_truthy(said:find('"ok":true', 1, true))
    assert.is_truthy(said:find('"items":5', 1, true))
  end)

  it("names the place of a damage in the journal, and the server does not start on it", function()
    leave_five_items()
    flip_a_bit("note-3")
    local serve = { "serve", "--listen", "127.0.0.1:0", "--http", "off", "--data", data }
    for _, words in ipairs { { "check", data }, serve } do
      local said, code = server.run(table.unpack(words))
      assert.are.equal(1, code, said)
      assert.is_truthy(said:find("is damaged at offset %d+"), said)
      assert.is_truthy(said:find("perilune check --cut-journal", 1, true), said)
    end
  end)

  it("gives up what follows the damage when told to, and keeps what stands before it", function()
    leave_five_items()
    flip_a_bit("note-3")
    local said, code = server.run("check", "--cut-journal", data)
    assert.are.equal(0, code, said)
    said, code = server.run("check", data)
    assert.are.equal(0, code, said)
    assert.is_truthy(said:find('"items":2', 1, true), said)
    local running = assert(server.start(log, "--data", data))
    assert.are.equal('{"Name":"note-2"}\n', (running:shell("-c", 'GET Notes {"Name":"note-2"}')))
    assert.are.equal(0, running:stop())
  end)

  it("leaves a sound journal as it is", function()
    leave_five_items()
    local said, code = server.run("check", "--cut-journal", data)
    assert.are.equal(0, code, said)
    assert.is_truthy(server.run("check", data):find('"items":5', 1, true))
  end)

  it("does not touch a directory that a server has open", function()
    local running = assert(server.start(log, "--data", data))
    local said, code = server.run("check", data)
    assert.are.equal(1, code)
    assert.is_truthy(said:find("CHECK", 1, true), said)
    said, code = server.run("check", "--cut-journal", data)
    assert.are.equal(1, code)
    assert.is_truthy(said:find(tostring(running.pid), 1, true), said)
    assert.are.equal(0, running:stop())
  end)

  it("says that there is nothing where there is nothing", function()
    local said, code = server.run("check", folder .. "/nowhere")
    assert.are.equal(1, code)
    assert.is_truthy(said:find("no data directory", 1, true), said)
  end)
end)
