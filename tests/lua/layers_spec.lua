--- A file includes what lies below its folder, or its own folder: never beside, never above. So do the libraries, and
-- every source is part of one.
local lfs = require "lfs"

-- The height of each folder under server/. Two at one height stand side by side and may not see each other.
local HEIGHT = {
  base = 0,
  model = 1,
  net = 2, store = 2, script = 2,
  replica = 3,
  partition = 4,
  route = 5,
  codec = 6,
  front = 7, stream = 7,
}

-- The top: server/*.c joins all parts. The shell is a client: it sees what a client would, and the table of verbs.
local TOP = "."
local SHELL_SEES = { base = true, model = true, net = true, codec = true, shell = true }

--- May a file in folder `from` use what is in folder `to`?
local function may_use(from, to)
  if from == to or from == TOP then
    return true
  elseif from == "shell" then
    return SHELL_SEES[to] or false
  end
  return to ~= TOP and to ~= "shell" and HEIGHT[to] < HEIGHT[from]
end

local function folder_of(path)
  return path:match("^([^/]+)/") or TOP
end

--- What is wrong with the includes of `text`, the file at `path` (below server/): a list of sentences.
local function wrong_includes(path, text)
  local from, wrong, line_number = folder_of(path), {}, 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    line_number = line_number + 1
    local included = line:match('^%s*#%s*include%s+"([^"]+)"')
    if included then
      local to = folder_of(included)
      if to ~= TOP and to ~= "shell" and not HEIGHT[to] then
        wrong[#wrong + 1] = ("%s:%d: %s is in no layer"):format(path, line_number, included)
      elseif not may_use(from, to) then
        wrong[#wrong + 1] = ("%s:%d: %s is not below it"):format(path, line_number, included)
      end
    end
  end
  return wrong
end

--- What is wrong with the links of the library of folder `from`, read from its CMakeLists.txt.
local function wrong_links(from, text)
  local wrong = {}
  text = text:gsub("#[^\n]*", "")
  for target, libraries in text:gmatch("target_link_libraries%s*%(%s*([%w_]+)([^)]*)%)") do
    if target == "pl_" .. from then
      for to in libraries:gmatch("pl_([%w_]+)") do
        if not HEIGHT[to] then
          wrong[#wrong + 1] = ("%s links to pl_%s, which is no layer"):format(target, to)
        elseif to == from or not may_use(from, to) then
          wrong[#wrong + 1] = ("%s links to pl_%s, which is not below it"):format(target, to)
        end
      end
    end
  end
  return wrong
end

--- Does the text of a CMakeLists.txt name this source?
local function names(text, source)
  for word in text:gsub("#[^\n]*", ""):gmatch("[%w_/.]+") do
    if word == source then
      return true
    end
  end
  return false
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

--- The C files and headers under server/, as paths below it, and its folders.
local function sources()
  local paths, folders = {}, {}
  local function walk(below)
    for name in lfs.dir("server/" .. below) do
      local path = below .. name
      if name:match("^%.") then -- luacheck: ignore
      elseif lfs.attributes("server/" .. path, "mode") == "directory" then
        -- A folder within a layer is a part of it, and its sources are named where the layer's are.
        if below == "" then
          folders[#folders + 1] = path
        end
        walk(path .. "/")
      elseif name:match("%.[ch]$") then
        paths[#paths + 1] = path
      end
    end
  end
  walk("")
  return paths, folders
end

describe("the layers of server/", function()
  it("are all named here", function()
    local _, folders = sources()
    for _, folder in ipairs(folders) do
      assert(HEIGHT[folder] or folder == "shell", "server/" .. folder .. " has no height in layers_spec.lua")
    end
  end)

  it("include only what lies below", function()
    local paths = sources()
    local wrong = {}
    for _, path in ipairs(paths) do
      table.move(wrong_includes(path, read("server/" .. path)), 1, 99, #wrong + 1, wrong)
    end
    assert(#paths > 10, "server/ has hardly any sources")
    assert.are.equal("", table.concat(wrong, "\n"))
  end)

  -- A source that no build knows is neither compiled nor tested, and nobody sees it.
  it("build every source", function()
    local paths = sources()
    local forgotten = {}
    for _, path in ipairs(paths) do
      local folder, name = path:match("^([^/]+/)(.+%.c)$")
      if not folder then
        folder, name = "", path:match("^[^/]+%.c$")
      end
      local list = "server/" .. folder .. "CMakeLists.txt"
      if name and not (lfs.attributes(list) and names(read(list), name)) then
        forgotten[#forgotten + 1] = list .. " does not name " .. name
      end
    end
    assert.are.equal("", table.concat(forgotten, "\n"))
  end)

  it("link only to what lies below", function()
    local _, folders = sources()
    local wrong, seen = {}, 0
    for _, folder in ipairs(folders) do
      local path = "server/" .. folder .. "/CMakeLists.txt"
      if HEIGHT[folder] and lfs.attributes(path) then
        seen = seen + 1
        table.move(wrong_links(folder, read(path)), 1, 99, #wrong + 1, wrong)
      end
    end
    assert(seen > 1, "hardly any layer has a CMakeLists.txt")
    assert.are.equal("", table.concat(wrong, "\n"))
  end)
end)

describe("the layer check", function()
  local function complaint(path, include)
    return wrong_includes(path, '#include <stdio.h>\n#include "' .. include .. '"\n')[1]
  end

  it("allows the own folder and everything below", function()
    assert.is_nil(complaint("store/journal.c", "store/journal.h"))
    assert.is_nil(complaint("store/journal.c", "model/item.h"))
    assert.is_nil(complaint("partition/shard.c", "store/journal.h"))
    assert.is_nil(complaint("main.c", "front/connection.h"))
    assert.is_nil(complaint("main.c", "shell/shell.h"))
    assert.is_nil(complaint("node.c", "node.h"))
  end)

  it("refuses what lies above", function()
    assert.are.equal("model/item.c:2: store/store.h is not below it", complaint("model/item.c", "store/store.h"))
    assert.is_string(complaint("base/bytes.h", "model/item.h"))
    assert.is_string(complaint("front/connection.c", "node.h"))
  end)

  it("refuses what lies beside", function()
    assert.is_string(complaint("net/link.c", "store/store.h"))
    assert.is_string(complaint("store/store.c", "script/sandbox.h"))
    assert.is_string(complaint("script/sandbox.c", "net/link.h"))
    assert.is_string(complaint("front/connection.c", "stream/feed.h"))
    assert.is_string(complaint("stream/feed.c", "front/connection.h"))
  end)

  it("keeps the shell a client", function()
    assert.is_nil(complaint("shell/shell.c", "net/link.h"))
    assert.is_string(complaint("shell/shell.c", "store/store.h"))
    assert.is_string(complaint("front/admin.c", "shell/shell.h"))
  end)

  it("sees an include with spaces, and one of an unknown folder", function()
    assert.are.equal(1, #wrong_includes("base/a.c", '  #  include   "model/item.h"'))
    assert.are.equal("base/a.c:1: util/x.h is in no layer", wrong_includes("base/a.c", '#include "util/x.h"')[1])
  end)

  it("refuses a library that links beside or above", function()
    assert.are.equal(0, #wrong_links("store", "target_link_libraries(pl_store PUBLIC pl_model PkgConfig::LMDB)"))
    assert.are.equal(1, #wrong_links("store", "target_link_libraries(pl_store PUBLIC\n  pl_model pl_net)"))
    assert.are.equal(1, #wrong_links("model", "target_link_libraries(pl_model PUBLIC pl_base pl_codec)"))
    assert.are.equal(0, #wrong_links("store", "# target_link_libraries(pl_store pl_front)"))
  end)
end)
