--- The server of the build under test, as a process of its own, and the shell that talks to it.
-- Nothing here waits for a time to pass: a server is ready when it has printed its start lines.
local server = {}
server.__index = server

local program = assert(os.getenv("PL_BUILD"), "PL_BUILD must name a build's folder: see tests/README.md") .. "/perilune"

--- The program's own path, for those who write scripts around it.
server.program = program

--- A word as a POSIX shell takes it literally.
function server.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function command_line(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = server.quote(word) end
  return table.concat(quoted, " ")
end

--- Run a command line to its end.
-- @treturn string what it wrote, stdout and stderr as they came
-- @treturn number its exit code; one that a signal ended is told apart by being negative
function server.execute(line)
  local pipe = assert(io.popen("{ " .. line .. "\n} 2>&1 </dev/null"))
  local text = pipe:read("a")
  local _, how, code = pipe:close()
  return text, how == "exit" and code or -code
end

--- Run `perilune WORD...` to its end. One that should have ended and serves instead is stopped (code 124).
function server.run(...)
  return server.execute(command_line({ "timeout", "60", program, ... }))
end

--- A fresh folder, to be removed by server.remove().
function server.new_folder()
  local text, code = server.execute("mktemp -d")
  assert(code == 0, text)
  return (text:gsub("\n$", ""))
end

function server.remove(folder)
  assert(#folder > 4, "that is no folder of ours")
  server.execute(command_line { "rm", "-rf", folder })
end

--- Start a server by a command line that prints its process id first, and wait for its start lines.
-- @treturn[1] server
-- @treturn[2] nil it ended instead
-- @treturn[2] number its exit code
function server.start_by(line)
  local pipe = assert(io.popen(line))
  local self = setmetatable({ pipe = pipe, pid = tonumber(pipe:read("l")), lines = {} }, server)
  repeat
    local text = pipe:read("l")
    self.lines[#self.lines + 1] = text
  until text == nil or text:match("^  tables ")
  if not self.lines[1] or not self.lines[#self.lines]:match("^  tables ") then
    local _, _, code = pipe:close()
    return nil, code
  end
  self.address = assert(self.lines[2]:match("line protocol%s+(%S+)"))
  self.http = self.lines[3]:match("DynamoDB API%s+(%S+)")
  return self
end

--- Start `perilune serve WORD...` on a free port. Its log goes to `log_path`.
function server.start(log_path, ...)
  local words = command_line { program, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", ... }
  return server.start_by(("sh -c 'echo $$; exec \"$@\"' sh %s 2>>%s"):format(words, server.quote(log_path)))
end

--- `perilune shell WORD...`, connected to this server.
function server:shell(...)
  return server.run("shell", "--connect", self.address, ...)
end

--- The names of the tables, from the start lines.
function server:tables()
  local names = {}
  local text = self.lines[#self.lines]:gsub("^  tables", ""):gsub("%b()", "")
  for name in text:gmatch("%S+") do names[#names + 1] = name end
  return names
end

local function lags(text)
  for records in text:gmatch('"lag_records":(%d+)') do
    if records ~= "0" then return true end
  end
  return false
end

--- Wait until the table's triggers have gone through all that was written. Each question is a program of its own, so
-- this is no busy loop.
function server:settle(table_name)
  local text, code
  for _ = 1, 2000 do
    text, code = self:shell("-c", "STATS " .. table_name)
    assert(code == 0, text)
    if not lags(text) then return end
  end
  error("the triggers never came to an end: " .. text, 2)
end

--- Ask the server to end, and wait until it has.
-- @treturn number its exit code, negative when a signal ended it
function server:stop()
  server.execute("kill -TERM " .. self.pid)
  self.pipe:read("a")
  local _, how, code = self.pipe:close()
  self.stopped = true
  return how == "exit" and code or -code
end

return server
