--- The examples run as they are: their seeds load, their sessions answer as written, their READMEs can be pasted.
local lfs = require "lfs"
local server = require "server"

local EXAMPLES = { "chat", "links", "sessions", "shop" }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- "> COMMAND" and the lines that answered it, as often as they come.
local function session(text)
  local steps = {}
  for line in text:gmatch("([^\n]*)\n") do
    local command = line:match("^> (.*)")
    if command then
      steps[#steps + 1] = { command = command, reply = "" }
    else
      assert(steps[1], "a session begins with a command, found: " .. line)
      steps[#steps].reply = steps[#steps].reply .. line .. "\n"
    end
  end
  return steps
end

-- The blocks between ``` lines: { language, text }.
local function code_blocks(markdown)
  local blocks, open = {}, nil
  for line in markdown:gmatch("([^\n]*)\n") do
    local language = line:match("^```(.*)")
    if language and open then
      blocks[#blocks + 1], open = open, nil
    elseif language then
      open = { language = language, text = "" }
    elseif open then
      open.text = open.text .. line .. "\n"
    end
  end
  assert(open == nil, "a block of code has no end")
  return blocks
end

local function modules(example)
  local texts = {}
  for name in lfs.dir("examples/" .. example) do
    if name:match("%.lua$") then texts[name] = read("examples/" .. example .. "/" .. name) end
  end
  return texts
end

-- Everything that is stored, as one text.
local function everything(running)
  local texts = {}
  for _, name in ipairs(running:tables()) do
    local rows, code = running:shell("-c", "SCAN " .. name)
    assert.are.equal(0, code, rows)
    texts[#texts + 1] = name .. "\n" .. rows
  end
  return table.concat(texts)
end

-- The session may show what triggers make of the seed.
local function seed(running, home)
  local said, code = running:shell("--file", home .. "/seed.txt")
  assert.are.equal(0, code, said)
  assert.are.equal("", (said:gsub("OK\n", "")))
  for _, name in ipairs(running:tables()) do running:settle(name) end
end

local folder, log
local begun = {}

local function start(...)
  local running, code = server.start(log, ...)
  assert(running, "the server ended with " .. tostring(code) .. ": " .. read(log))
  begun[#begun + 1] = running
  return running
end

local function stop(running)
  assert.are.equal(0, running:stop(), read(log))
end

local function set_up()
  folder = server.new_folder()
  log = folder .. "/log"
  write(log, "")
end

local function tear_down()
  for i = #begun, 1, -1 do
    if not begun[i].stopped then begun[i]:stop() end
    begun[i] = nil
  end
  server.remove(folder)
end

for _, example in ipairs(EXAMPLES) do
  describe("the example " .. example, function()
    local home = "examples/" .. example
    before_each(set_up)
    after_each(tear_down)

    it("answers as its transcript says, and remembers #threads", function()
      local flags = { "--scripts", home, "--data", folder .. "/data" }
      local running = start(table.unpack(flags))
      seed(running, home)

      local steps = session(read(home .. "/transcript.txt"))
      assert(#steps > 5, "hardly a session")
      for _, step in ipairs(steps) do
        assert.are.equal("> " .. step.command .. "\n" .. step.reply,
          "> " .. step.command .. "\n" .. running:shell("-c", step.command))
      end

      local check, code = running:shell("-c", "CHECK")
      assert.are.equal(0, code, check)
      assert.is_truthy(check:find('"ok":true', 1, true), check)
      for _, name in ipairs(running:tables()) do running:settle(name) end
      local stored = everything(running)
      assert(select(2, stored:gsub("\n{", "")) > 2, "hardly anything is stored: " .. stored)
      stop(running)

      running = start(table.unpack(flags))
      assert.are.equal(stored, everything(running))
      stop(running)
      check, code = server.run("check", folder .. "/data")
      assert.are.equal(0, code, check)
    end)

    -- The same session through a pipe, where all replies come in one stream.
    it("answers a pipe in the order of the commands", function()
      local running = start("--scripts", home, "--data", folder .. "/data")
      local commands, replies = {}, {}
      seed(running, home)
      for i, step in ipairs(session(read(home .. "/transcript.txt"))) do
        commands[i], replies[i] = step.command, step.reply
      end
      write(folder .. "/commands", table.concat(commands, "\n") .. "\n")
      local said = server.execute(("%s shell --connect %s <%s"):format(server.quote(server.program), running.address,
        server.quote(folder .. "/commands")))
      assert.are.equal(table.concat(replies), said)
      stop(running)
    end)

    it("has a README whose commands can be pasted", function()
      local checkout = lfs.currentdir()
      local paste = {}
      for _, block in ipairs(code_blocks(read(home .. "/README.md"))) do
        if block.language == "sh" then paste[#paste + 1] = block.text end
      end
      assert(#paste >= 2, "one block starts the server, another uses it")

      -- A checkout in which ./dev serve takes a free port instead of building, and the shell finds it.
      lfs.mkdir(folder .. "/build")
      lfs.mkdir(folder .. "/build/release")
      assert(lfs.link(checkout .. "/examples", folder .. "/examples", true))
      write(folder .. "/dev", ([[
[ "$1" = serve ] || { echo "only serve is known here, not $1" >&2; exit 2; }
shift
echo $$
exec %s serve --listen 127.0.0.1:0 --http off "$@"
]]):format(server.quote(server.program)))
      server.execute("chmod +x " .. server.quote(folder .. "/dev"))
      local running, code = server.start_by(("cd %s && bash -c %s 2>>%s"):format(server.quote(folder),
        server.quote(paste[1]), server.quote(log)))
      assert(running, "the first block ended with " .. tostring(code) .. ": " .. read(log))
      begun[#begun + 1] = running
      write(folder .. "/build/release/perilune", ([[
verb=$1
shift
exec %s "$verb" --connect %s "$@"
]]):format(server.quote(server.program), running.address))
      server.execute("chmod +x " .. server.quote(folder .. "/build/release/perilune"))

      for i = 2, #paste do
        local said
        said, code = server.execute(("cd %s && bash -e -c %s"):format(server.quote(folder), server.quote(paste[i])))
        assert.are.equal(0, code, paste[i] .. said)
      end
      assert(select(2, everything(running):gsub("\n{", "")) > 2, "what was pasted stored hardly anything")
      stop(running)
    end)

    it("has a README that shows what is so", function()
      local replies, texts, shown = {}, modules(example), 0
      for _, step in ipairs(session(read(home .. "/transcript.txt"))) do
        replies[step.command] = replies[step.command] or step.reply
      end
      for _, block in ipairs(code_blocks(read(home .. "/README.md"))) do
        if block.text:match("^> ") then
          for _, step in ipairs(session(block.text)) do
            shown = shown + 1
            assert.are.equal(replies[step.command] or "not in transcript.txt", step.reply, step.command)
          end
        elseif block.language == "lua" then
          local found = false
          for _, text in pairs(texts) do found = found or text:find(block.text, 1, true) ~= nil end
          assert(found, "no module has this: " .. block.text)
        end
      end
      assert(shown > 2, "the README shows hardly any session")
    end)
  end)
end

describe("examples/", function()
  it("holds no example that is not tested here", function()
    local found = {}
    for name in lfs.dir("examples") do
      if not name:match("^%.") then found[#found + 1] = name end
    end
    table.sort(found)
    assert.are.same(EXAMPLES, found)
  end)

  it("holds what ./dev serve serves when nothing is said", function()
    local flags = assert(read("dev"):match("%[ %$# %-gt 0 %] || set %-%- ([^\n]*)"), "dev has no default flags")
    local scripts = assert(flags:match("%-%-scripts (%S+)"))
    assert.is_truthy(next(modules(assert(scripts:match("^examples/(%w+)$")))))
    local said, code = server.execute(server.quote(server.program) .. " serve --print-config " .. flags)
    assert.are.equal(0, code, said)
    assert.is_truthy(said:find("scripts = " .. scripts .. "  # flag", 1, true), said)
  end)
end)
