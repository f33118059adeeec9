--- `perilune serve` as its operator meets it: what its start lines say, and why it does not start.
local lfs = require "lfs"
local server = require "server"

local USAGE, FAILURE, CONFIGURATION = 2, 1, 78

local folder, data, log
local begun = {}

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
  return path
end

local function start(...)
  local running, code = server.start(log, ...)
  assert(running, "the server ended with " .. tostring(code) .. ": " .. read(log))
  begun[#begun + 1] = running
  return running
end

-- A server that must not start: it ends with `code`, and says each of the sentences.
local function refuses(code, sentences, ...)
  local said, found = server.run("serve", ...)
  assert.are.equal(code, found, said)
  for _, sentence in ipairs(sentences) do
    assert.is_truthy(said:find(sentence, 1, true), ("expected %q in: %s"):format(sentence, said))
  end
  assert.is_nil(said:find("ready in %d"))
end

-- A folder of scripts that holds this module alone.
local function scripts(text)
  local path = folder .. "/scripts"
  lfs.mkdir(path)
  write(path .. "/notes.lua", text)
  return path
end

local function refuses_module(text, sentences)
  refuses(CONFIGURATION, sentences, "--scripts", scripts(text), "--data", data, "--listen", "127.0.0.1:0",
    "--http", "off")
end

describe("perilune serve", function()
  before_each(function()
    folder = server.new_folder()
    data, log = folder .. "/data", folder .. "/log"
    write(log, "")
  end)

  after_each(function()
    for i = #begun, 1, -1 do
      if not begun[i].stopped then begun[i]:stop() end
      begun[i] = nil
    end
    server.remove(folder)
  end)

  describe("when it starts", function()
    it("says where its data is, where it listens, and which tables it has", function()
      local running = start("--scripts", "examples/chat", "--data", data)
      assert.is_truthy(running.lines[1]:find("64 partitions  data " .. data .. "  ready in %d+ ms$"))
      assert.is_truthy(running.lines[2]:find("try: perilune shell --connect " .. running.address, 1, true))
      assert.are.equal("  DynamoDB API   " .. running.http, running.lines[3])
      assert.are.equal("  tables         Inbox   Messages (2 indexes, 1 trigger)   Users", running.lines[4])
      assert.are.equal(0, running:stop())
    end)

    it("says how to make a table when there is none", function()
      local running = start("--data", data)
      assert.are.equal("  tables         none yet: HELP CREATE, or --scripts DIR", running.lines[4])
    end)

    it("leaves DynamoDB's API out when told so", function()
      local running = start("--data", data, "--http", "off")
      assert.is_nil(running.http)
      assert.is_truthy(running.lines[3]:find("^  tables "))
    end)

    it("takes flags before the environment before the file", function()
      local file = write(folder .. "/conf", "io-threads = 3\nmax-connections = 30\nmax-in-flight = 300\n")
      local said, code = server.execute(("PERILUNE_MAX_CONNECTIONS=40 PERILUNE_MAX_IN_FLIGHT=400 %s serve" ..
        " --config %s --max-in-flight 500 --print-config"):format(server.quote(server.program), file))
      assert.are.equal(0, code, said)
      assert.is_truthy(said:find("io-threads = 3  # file " .. file, 1, true))
      assert.is_truthy(said:find("max-connections = 40  # environment", 1, true))
      assert.is_truthy(said:find("max-in-flight = 500  # flag", 1, true))
      assert.is_truthy(said:find("sync = always  # default", 1, true))
    end)

    it("ends with 0 when it is told to stop, and gives its data back", function()
      assert.are.equal(0, start("--data", data):stop())
      assert.are.equal(0, start("--data", data):stop())
      assert.is_truthy(read(log):find("stopped", 1, true))
    end)

    it("ends well when it is told to while it loads its modules anew", function()
      local running = start("--data", data, "--scripts", scripts 'return { table = "Notes", partition_key = "id:S" }')
      server.execute(("kill -HUP %d; kill -TERM %d"):format(running.pid, running.pid))
      running.pipe:read("a")
      local _, how, code = running.pipe:close()
      running.stopped = true
      assert.are.same({ "exit", 0 }, { how, code }, read(log))
    end)
  end)

  describe("with a definition that is wrong", function()
    it("names file, line and field, and what was expected", function()
      refuses_module('return {\n  table = "Notes",\n  partition_key = "UserID:S",\n  sort_key = "NoteID:X",\n}\n',
        { "notes.lua:4: sort_key: expected", "S, N or B", 'found "NoteID:X"' })
    end)

    it("names a field deep inside", function()
      refuses_module('return {\n  table = "Notes",\n  partition_key = "UserID:S",\n  sort_key = "Day:N",\n' ..
        "  indexes = {\n    ByTitle = {\n      sort_key = 7,\n    },\n  },\n}\n",
        { "notes.lua:7: indexes.ByTitle.sort_key: expected", "found 7" })
    end)

    it("names a field that nobody knows, and those that are known", function()
      refuses_module('return {\n  table = "Notes",\n  partition_key = "UserID:S",\n  before_wirte = true,\n}\n',
        { "notes.lua:4: before_wirte: there is no such field", "before_write, conditions, triggers" })
    end)

    it("wants a function where behaviour is meant", function()
      refuses_module('return {\n  table = "Notes",\n  partition_key = "UserID:S",\n  before_write = "always",\n}\n',
        { "notes.lua:4: before_write: expected a function", 'found "always"' })
    end)

    it("says where it is no Lua", function()
      refuses_module('return {\n  table = "Notes"\n  partition_key = "UserID:S",\n}\n',
        { "notes.lua:3: '}' expected" })
    end)

    it("says where it raises", function()
      refuses_module("local nothing\nreturn { table = nothing.name }\n",
        { "notes.lua:2: attempt to index a nil value (local 'nothing')" })
    end)

    it("ends one that never ends", function()
      refuses_module("while true do end\n", { "notes.lua:1: the function ran longer than 1000 ms" })
    end)

    it("wants a table to come back", function()
      refuses_module("local notes = {}\n", { "notes.lua:", "expected the file to return the table's definition" })
    end)

    it("leaves no data directory behind", function()
      refuses_module('return { table = "Notes" }\n', { "notes.lua:1: partition_key" })
      assert.is_nil(lfs.attributes(data))
    end)

    it("starts once it is mended", function()
      refuses_module('return { table = "Notes" }\n', { "notes.lua:1: partition_key" })
      local mended = scripts('return { table = "Notes", partition_key = "ID:S" }\n')
      local running = start("--scripts", mended, "--data", data)
      assert.are.same({ "Notes" }, running:tables())
    end)
  end)

  describe("with settings that are wrong", function()
    it("refuses a flag that nobody knows", function()
      refuses(USAGE, { "there is no flag --colour", "perilune help serve" }, "--colour", "blue")
      refuses(USAGE, { "there is no flag --colour" }, "--colour=blue", "--data", data)
    end)

    it("refuses a flag without its value, and a word that is no flag", function()
      refuses(USAGE, { "--data expects a value" }, "--data")
      refuses(USAGE, { "expected a flag such as --data DIR, found 'chat.data'" }, "chat.data")
    end)

    it("refuses a key that nobody knows, wherever it stands", function()
      local file = write(folder .. "/conf", "# ours\ndata = " .. data .. "\ncolour = blue\n")
      refuses(CONFIGURATION, { file .. ":3: there is no setting 'colour'" }, "--config", file)
      local said, code = server.execute("PERILUNE_COLOUR=blue " .. server.quote(server.program) .. " serve")
      assert.are.equal(CONFIGURATION, code, said)
      assert.is_truthy(said:find("PERILUNE_COLOUR, and there is no such setting", 1, true), said)
    end)

    it("says what a value may be, and where the wrong one came from", function()
      refuses(CONFIGURATION, { "partitions: expected a power of two from 1 to 4096, found '63' (from the flag)" },
        "--partitions", "63")
      refuses(CONFIGURATION, { "listen: expected HOST:PORT", "found '127.0.0.1'" }, "--listen", "127.0.0.1")
      local file = write(folder .. "/conf", "sync = sometimes\n")
      refuses(CONFIGURATION, { "sync: expected always, never or interval:MS", "found 'sometimes' (from the file)" },
        "--config", file)
    end)

    it("wants the files and folders that it was told of", function()
      refuses(CONFIGURATION, { "cannot open " .. folder .. "/none" }, "--config", folder .. "/none")
      refuses(CONFIGURATION, { folder .. "/none: No such file or directory" }, "--scripts", folder .. "/none",
        "--data", data, "--listen", "127.0.0.1:0", "--http", "off")
    end)
  end)

  describe("beside another server", function()
    it("says which process has the data directory, and leaves it in peace", function()
      local running = start("--data", data)
      refuses(FAILURE, { data .. " is in use by process " .. running.pid .. "\n" }, "--data", data,
        "--listen", "127.0.0.1:0", "--http", "off")
      local said, code = server.run("check", data)
      assert.are.equal(FAILURE, code)
      assert.is_truthy(said:find("a running server has " .. data .. " open", 1, true), said)
      assert.are.equal("OK\n", (running:shell("-c", "PING")))
      assert.are.equal(0, running:stop())
    end)

    it("says that its port is taken", function()
      local running = start("--data", data)
      refuses(FAILURE, { "cannot listen on " .. running.address .. ": Address already in use" },
        "--data", folder .. "/other", "--listen", running.address, "--http", "off")
    end)
  end)

  it("is explained by help", function()
    local said, code = server.run("help", "serve")
    assert.are.equal(0, code)
    for _, flag in ipairs { "--scripts", "--data", "--listen", "--sync", "--max-connections" } do
      assert.is_truthy(said:find(flag, 1, true), flag)
    end
  end)
end)

describe("perilune shell", function()
  it("fails when nobody listens", function()
    local place = server.new_folder()
    local running = assert(server.start("/dev/null", "--data", place))
    assert.are.equal(0, running:stop())
    server.remove(place)
    local said, code = running:shell("-c", "PING")
    assert.are.equal(1, code)
    assert.are.equal("cannot connect to " .. running.address .. ": Connection refused\n", said)
  end)

  it("refuses a flag that nobody knows", function()
    local said, code = server.run("shell", "--colour")
    assert.are.equal(2, code)
    assert.are.equal("perilune shell: expected --connect, -c or --file, found --colour\n", said)
  end)
end)

describe("perilune", function()
  it("names its commands when it is given none, or one that is not there", function()
    local said, code = server.run()
    assert.are.equal(2, code)
    assert.is_truthy(said:find("perilune serve", 1, true))
    said, code = server.run("swerve")
    assert.are.equal(2, code)
    assert.is_truthy(said:find("there is no command 'swerve'", 1, true))
    said, code = server.run("--version")
    assert.are.equal(0, code)
    assert.is_truthy(said:find("^perilune %d+%.%d+%.%d+\n$"))
  end)
end)
