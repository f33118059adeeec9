--- TAIL through a running server and its shell: live, over restarts, until somebody ends it.
local server = require "server"

local folder, log
local begun = {}

local function start(...)
  local running, code = server.start(log, "--data", folder .. "/data", "--http", "off", ...)
  assert(running, "the server ended with " .. tostring(code))
  begun[#begun + 1] = running
  return running
end

local function kill(running)
  server.execute("kill -KILL " .. running.pid)
  running.pipe:read("a")
  running.pipe:close()
  running.stopped = true
end

local function ask(running, ...)
  local words = {}
  for _, command in ipairs { ... } do
    words[#words + 1] = "-c"
    words[#words + 1] = command
  end
  local text, code = running:shell(table.unpack(words))
  assert.are.equal(0, code, text)
  return text
end

--- A shell that follows, as a pipe to read its lines from.
local function follow(running, command)
  return assert(io.popen(("timeout 60 %s shell --connect %s -c %s 2>&1"):format(
    server.quote(server.program), running.address, server.quote(command))))
end

local function position_in(line)
  return assert(line and line:match '^{"position":"([%w+/=]+)"}$', line)
end

--- The next record's event and item number; positions are stepped over, the last is kept.
local function next_event(pipe, at)
  for line in pipe:lines() do
    local event, n = line:match '"event":"(%l+)".-"n":(%d+)'
    if event then return event .. " " .. n end
    if at then at.position = position_in(line) end
  end
end

describe("TAIL", function()
  before_each(function()
    folder = server.new_folder()
    log = folder .. "/log"
  end)
  after_each(function()
    for _, running in ipairs(begun) do
      if not running.stopped then running:stop() end
    end
    begun = {}
    server.remove(folder)
  end)

  local CREATE = 'CREATE Things {"partition_key":"P:S","stream":"new_and_old_images"}'

  it("tells what happens as it happens, and ends with its table", function()
    local running = start()
    ask(running, CREATE)
    local pipe = follow(running, "TAIL Things")
    position_in(pipe:read "l")
    ask(running, 'PUT Things {"P":"a","n":1}')
    assert.are.equal("insert 1", next_event(pipe))
    ask(running, 'PUT Things {"P":"a","n":2}', 'PUT Things {"P":"a","n":2.0}', 'DEL Things {"P":"b"}')
    assert.are.equal("modify 2", next_event(pipe))
    ask(running, "DROP Things")
    local rest = pipe:read "a"
    assert.is_nil(rest:find "event")
    assert.is_true(pipe:close())
  end)

  it("goes on from a position, over a kill and a restart, with exactly what came after it", function()
    local running = start()
    ask(running, CREATE)
    local pipe, at = follow(running, "TAIL Things"), {}
    at.position = position_in(pipe:read "l")
    for n = 1, 3 do
      ask(running, ('PUT Things {"P":"p%d","n":%d}'):format(n, n))
      assert.are.equal("insert " .. n, next_event(pipe, at))
    end
    at.position = position_in(pipe:read "l")
    ask(running, 'PUT Things {"P":"p1","n":4}')
    kill(running)
    pipe:read "a"
    pipe:close()
    running = start()
    pipe = follow(running, "TAIL Things FROM " .. at.position)
    assert.are.equal("modify 4", next_event(pipe))
    ask(running, 'PUT Things {"P":"p2","n":5}')
    assert.are.equal("modify 5", next_event(pipe))
    ask(running, 'ALTER Things {"stream":false}')
    assert.is_nil((pipe:read "a"):find "event")
    pipe:close()
    local refused = running:shell("-c", "TAIL Things")
    assert.is_truthy(refused:find("ERR ValidationException the table Things has no stream", 1, true), refused)
  end)

  it("reads what is left of a stream that was closed, from a position", function()
    local running = start()
    ask(running, CREATE)
    local pipe = follow(running, "TAIL Things")
    local position = position_in(pipe:read "l")
    ask(running, 'PUT Things {"P":"a","n":1}', "DROP Things")
    pipe:close()
    running:stop()
    running = start()
    pipe = follow(running, "TAIL Things FROM " .. position)
    assert.are.equal("insert 1", next_event(pipe))
    assert.is_nil((pipe:read "a"):find "event")
    assert.is_true(pipe:close())
  end)
end)
