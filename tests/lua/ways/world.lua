--- Three engines with the same tables, each behind another way in: a server that is asked over HTTP, a server that is
-- asked in lines, and a database in this process.
local differences = require "ways.differences"
local embedded = require "ways.embedded"
local http = require "ways.http"
local json = require "ways.json"
local line = require "ways.line"
local normal = require "ways.normal"
local server = require "server"
local values = require "ways.values"

local PAGES_MAX = 60

local world = {}
world.__index = world

local function serve(folder, name)
  return assert(server.start(folder .. "/log", "--data", folder .. "/" .. name, "--sync", "never", "--io-threads", "1"))
end

function world.open()
  local folder = server.new_folder()
  local self = setmetatable({ folder = folder, generation = 0 }, world)
  self.servers = { serve(folder, "http.data"), serve(folder, "line.data") }
  self.ways = {
    http.connect(self.servers[1].http:match("[^/]+$")),
    line.connect(self.servers[2].address),
    embedded.open(folder .. "/embedded.data"),
  }
  -- Tables are made in one form everywhere, by the first server's other address too.
  self.makers = { line.connect(self.servers[1].address), self.ways[2] }
  self:create()
  return self
end

function world:command(text)
  for _, maker in ipairs(self.makers) do
    local reply = maker:send(text)
    assert(reply:sub(1, 2) == "OK", reply)
  end
end

function world:create()
  for _, definition in ipairs(values.DEFINITIONS) do
    self:command("CREATE " .. json.write(definition))
    assert(self.ways[3].db:create_table(definition))
  end
end

--- Empty tables again.
function world:reset()
  self.generation = self.generation + 1
  for _, definition in ipairs(values.DEFINITIONS) do
    self:command("DROP " .. definition.table)
    assert(self.ways[3].db:drop_table(definition.table))
  end
  self:create()
end

local function with(operation, name, value)
  local copy = {}
  for field, content in pairs(operation) do copy[field] = content end
  copy[name] = value
  return copy
end

local function all_pages(way, operation)
  local pages, after = {}, nil
  repeat
    local page = way:ask(with(operation, "after", after))
    pages[#pages + 1] = page
    after = page.last
  until not after or #pages == PAGES_MAX
  return { pages = pages }
end

local function ask(way, operation)
  if operation.to_the_end and not operation.after then return all_pages(way, operation) end
  return way:ask(operation)
end

local function page_of(answers, i)
  local pages = {}
  for name, answer in pairs(answers) do pages[name] = answer.pages[i] or {} end
  return pages
end



local function settle(answers, operation)
  local any = answers.embedded
  for i = 1, #(any.pages or {}) do settle(page_of(answers, i), operation) end
  if any.pages then return end
  for _, difference in ipairs(differences) do difference.settle(answers, operation) end
end

-- A token is remembered for longer than the tables are there.
function world:own_token(operation)
  if not operation.token then return operation end
  return with(operation, "token", operation.token .. "-" .. self.generation)
end

-- Of the line protocol.
local function can_say(operation)
  for _, difference in ipairs(differences) do
    if difference.unsaid and difference.unsaid(operation) then return false end
  end
  return true
end

--- Ask all ways that can be asked it.
-- @treturn boolean do they agree?
-- @treturn table their answers in the normal form, by their names
function world:ask(operation)
  local answers, texts, agree, first = {}, {}, true, nil
  local asked = self:own_token(operation)
  for i, way in ipairs(self.ways) do
    if i ~= 2 or can_say(operation) then answers[way.name] = ask(way, asked) end
  end
  settle(answers, operation)
  for name, answer in pairs(answers) do
    texts[name] = normal.text(answer)
    first = first or texts[name]
    agree = agree and texts[name] == first
  end
  return agree, texts
end

--- What the stream of a table tells.
-- @treturn table way's name → text
-- @treturn number how many records the embedded engine's has
function world:streams(table_name)
  local records = self.ways[3]:records(table_name)
  local texts = { embedded = normal.stream_text(records) }
  for i = 1, 2 do
    texts[self.ways[i].name] = normal.stream_text(self.ways[i]:records(table_name, #records))
  end
  return texts, #records
end

--- @treturn table the servers' exit codes
function world:close()
  for _, way in ipairs(self.ways) do way:close() end
  self.makers[1]:close()
  local codes = {}
  for i, running in ipairs(self.servers) do codes[i] = running:stop() end
  server.remove(self.folder)
  return codes
end

return world
